"""scripts/check: nothing to say of this project, and something of what is wrong."""

import importlib
import shutil
import subprocess
from pathlib import Path

import pytest
from checks import documents, sql_style
from checks.bundle import Bundle

ROOT = Path(__file__).resolve().parents[2]
check = importlib.import_module("checks.__main__")
RELEASE = ROOT / "tests/releases/1.0.0"


@pytest.mark.parametrize("name", ["bundle", "types", "SQL", "Python"])  # the layout's are tests of their own
def test_it_finds_nothing_in_this_project(tmp_path, name):
    (step,) = (step for step in check.all_steps(tmp_path) if step.name == name)

    assert "\n".join(map(str, step.look())) == ""


def test_it_says_what_it_is_for():
    said = subprocess.run([ROOT / "scripts/check", "--help"], capture_output=True, text=True, check=True).stdout

    assert "needs no account" in " ".join(said.split())
    assert "--fix" in said


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A small clone in which something can be wrong."""
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr(check, "ROOT", tmp_path)
    return tmp_path


def test_pages_that_are_not_what_the_comments_say_are_found_until_they_are_written_anew(clone):
    bundle = Bundle(RELEASE)
    assert documents.drifted(bundle, clone) == ["docs/data-dictionary.md", "docs/procedures.md"]

    documents.write(bundle, clone)
    assert documents.drifted(bundle, clone) == []
    changed = shutil.copytree(RELEASE, clone / "changed")
    table = changed / "setup/gold/fct_sales.sql"
    table.write_text(table.read_text().replace("How it was paid", "How the order was paid"))
    assert documents.drifted(Bundle(changed), clone) == ["docs/data-dictionary.md"]


def test_pages_tell_of_every_table_column_and_procedure():
    bundle = Bundle(RELEASE)
    pages = documents.written(bundle)

    for relation in bundle.relations.values():
        assert f"### {relation.name}\n" in pages["docs/data-dictionary.md"]
        assert all(f"| `{name}` |" in pages["docs/data-dictionary.md"] for name in relation.columns)
    assert all(f"{code.name}(" in pages["docs/procedures.md"] for code in bundle.code)


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [("create view gold.v as SELECT 1 as one;", "CP01"), ("create view gold.v as selec 1;", "PRS")],
)
@pytest.mark.parametrize(
    "wrap",
    ["{}", "create or replace procedure core.p()\nreturns varchar\nlanguage sql\nas\n$$\nbegin\n    {}\nend;\n$$;"],
)
def test_sql_is_read_in_files_and_in_bodies(clone, wrong, rule, wrap):
    (clone / "app").mkdir()
    shutil.copy(ROOT / "pyproject.toml", clone)
    (clone / "app/object.sql").write_text(wrap.format(wrong) + "\n")

    assert rule in {finding.rule for finding in sql_style.findings(clone)}


def test_what_a_tool_prints_becomes_a_finding_for_each_line(clone):
    (clone / "wrong.py").write_text("import os\n")

    assert [finding.place for finding in check.python_style()] == ["wrong.py:1:8"]
