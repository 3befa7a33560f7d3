"""What makes a release a version and forbids to call it a patch: read from two bundles, without an account."""

import shutil
from pathlib import Path

import bundles
import pytest

RELEASE = Path(__file__).parent / "1.0.0"


@pytest.fixture
def edited(tmp_path):
    """A copy of a release, and how to edit it: the text that is replaced stands in the file."""
    bundle = tmp_path / "bundle"
    shutil.copytree(RELEASE, bundle)

    def edit(file: str, old: str, new: str) -> list[str]:
        text = (bundle / file).read_text()
        assert old in text
        (bundle / file).write_text(text.replace(old, new, 1))
        return bundles.changes_of_state(RELEASE, bundle)

    return edit


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("setup/core/data_summary.sql", "begin", "begin\n    let more number := 1;"),
        ("setup/core/transform_raw_to_bronze.sql", "'Nothing waits for bronze.'", "'Nothing waits.'"),
        ("setup/audit/run_settings.sql", "select", "select distinct"),
        ("setup/core/data_summary.sql", "to application role app_a", "to application role app_truth; grant usage on schema core to application role app_a"),
        ("setup/gold/fct_sales.sql", "create table", "-- the same table\ncreate   table"),
        ("src/purchases.py", '"""', '"""More. '),
        ("README.md", "#", "# Now:"),
    ],
)  # fmt: skip
def test_code_text_and_white_space_make_a_patch(edited, file, old, new):
    assert edited(file, old, new) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "place"),
    [
        ("setup/gold/fct_sales.sql", "create table if not exists gold.fct_sales (", "create table if not exists gold.fct_sales (more number,", "setup/gold/fct_sales.sql, statement 1: changed"),
        ("setup/gold/fct_sales.sql", "grant select", "grant references on table gold.fct_sales to application role app_analyst; grant select", "setup/gold/fct_sales.sql, statement 2: "),
        ("setup.sql", "create schema if not exists gold", "create application role if not exists app_more;\ncreate schema if not exists gold", "setup.sql, statement"),
        ("setup/pipeline/wishes.sql", "30, null", "60, null", "setup/pipeline/wishes.sql, statement 2: changed"),
        ("setup/core/build_task_graph.sql", "1500000", "1600000", "core.build_task_graph: changed"),
        ("setup/core/initialize_version.sql", "No tasks", "No task", "core.initialize_version: changed"),
        ("setup/core/data_summary.sql", "begin", "begin\n    create table if not exists gold.more (n number);", "core.data_summary: new"),
        ("manifest.yml", "  - EXECUTE TASK:", '  - CREATE DATABASE:\n      description: "More"\n  - EXECUTE TASK:', "manifest.yml, privileges: changed"),
        ("manifest.yml", "log_level: INFO", "log_level: DEBUG", "manifest.yml, configuration: changed"),
        ("src/statements.py", '"""', 'MORE = "alter table gold.fct_sales add column more number"\n"""', "src/statements.py: alter table"),
    ],
)  # fmt: skip
def test_what_touches_an_ordinary_schema_or_the_account_makes_a_version(edited, file, old, new, place):
    assert any(change.startswith(place) for change in edited(file, old, new))


def test_each_statement_of_the_setup_is_known_to_be_code_or_state():
    found = bundles.statements(RELEASE)
    ordinary = ("create schema", "create table", "create stream", "alter table", "merge into", "insert into", "call")

    assert len(found) > 150
    for statement in found:
        if statement.text.startswith(ordinary) or "application role if not exists" in statement.text:
            assert statement.is_state, statement
        if statement.text.startswith(("create or replace procedure", "create or replace function", "create or alter")):
            assert not statement.is_state, statement
