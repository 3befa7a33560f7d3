"""The app as the tests of it see it: its text, and an installed one that lets events in."""

import json
import logging
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path

import pytest
import sqlglot
import yaml
from local_account.scripting import split
from sqlglot import exp

APP = Path(__file__).resolve().parents[2] / "app"
CREATES = re.compile(
    r"create (?P<how>or replace |or alter )?(?:versioned )?"
    r"(?P<kind>table|view|streamlit|stream|procedure|function|task|schema) (?P<guard>if not exists )?(?P<name>[\w.]+)"
)


@dataclass(frozen=True)
class SetupFile:
    """One file below app/setup: the object that its path names, and its statements, comments left in."""

    path: Path

    def __str__(self) -> str:
        return self.path.relative_to(APP).as_posix()

    @property
    def schema(self) -> str:
        return self.path.parent.name

    @property
    def object_name(self) -> str:
        return f"{self.schema}.{self.path.stem}"

    @cached_property
    def text(self) -> str:
        return expanded(self.path.read_text())

    @cached_property
    def statements(self) -> list[str]:
        return [code(statement.text) for statement in split(self.text)]

    @cached_property
    def created(self) -> re.Match:
        return CREATES.match(self.statements[0])

    @property
    def kind(self) -> str:
        return self.created["kind"]

    @property
    def grants(self) -> list[str]:
        return [statement for statement in self.statements if statement.startswith("grant ")]

    @cached_property
    def tree(self) -> exp.Create:
        """The first statement as sqlglot reads it; of tables, views and procedures."""
        return sqlglot.parse_one(self.statements[0], dialect="snowflake")

    @property
    def imports(self) -> list[str]:
        """The files that Python code of this object loads, from the root of the bundle."""
        clause = re.search(r"\bimports = \(([^)]*)\)", self.statements[0])
        return re.findall(r"'([^']+)'", clause[1]) if clause else []

    @property
    def body(self) -> str:
        """What stands between the dollars of a procedure."""
        return code(self.statements[0].partition("$$")[2].rpartition("$$")[0])


def expanded(text: str) -> str:
    """A file as the client stages it, with the templates filled in from snowflake.yml."""
    values = yaml.safe_load((APP.parent / "snowflake.yml").read_text())["env"]
    return re.sub(r"<% ctx\.env\.(\w+) %>", lambda template: values[template[1]], text)


def code(text: str) -> str:
    """SQL without its comments, which in this app never stand in quotes."""
    return re.sub(r"[ \t]*--[^\n]*\n?", "\n", text).strip()


DOORS = {
    "land_events": """
create or replace procedure core.land_events(events variant)
returns varchar
language sql
execute as owner
as
$$
begin
    insert into raw_data.raw_retail_events (event_id, event_type, event_time, event_data, run_id, created_at)
    select
        value:event_id::number(18, 0), value:event_type::varchar, value:event_time::timestamp_ntz, value:event_data,
        'a test', sysdate()
    from table(flatten(input => :events));
    return 'landed';
end;
$$;
grant usage on procedure core.land_events(variant) to application role app_admin;
""",
    "as_the_app": """
create or replace procedure core.as_the_app(statement varchar)
returns varchar
language sql
execute as owner
as
$$
begin
    execute immediate :statement;
    return 'done';
end;
$$;
grant usage on procedure core.as_the_app(varchar) to application role app_admin;
""",
}
KINDS = {
    "setup_file": lambda file: True,
    "table_file": lambda file: file.kind == "table",
    "view_file": lambda file: file.kind == "view",
    "procedure_file": lambda file: file.kind == "procedure",
    "code_file": lambda file: file.kind in ("procedure", "function"),
    "sql_procedure_file": lambda file: file.kind == "procedure" and file.body,
    "transformation_file": lambda file: file.path.stem.startswith("transform_"),
}


@pytest.fixture(scope="session")
def contents() -> str:
    """The table of contents, setup.sql."""
    return (APP / "setup.sql").read_text()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Gives tests that ask for `setup_file` every file of app/setup in turn, and so on for each kind of file."""
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    for name in KINDS.keys() & set(metafunc.fixturenames):
        files = [SetupFile(path) for path in sorted(APP.glob("setup/*/*.sql"))]
        metafunc.parametrize(name, list(filter(KINDS[name], files)), ids=str, scope="session")


class App:
    """An app of our own: the one of this clone, with DOORS to its inside, as a consumer's connection sees it."""

    def __init__(self, connection, upgrade: Callable[[], object]):
        self.cursor = connection.cursor()
        self.upgrade = upgrade

    def land(self, *events: dict) -> None:
        self.cursor.execute("call land_events(parse_json(%s))", (json.dumps(events),))

    def to_gold(self) -> None:
        self.cursor.execute("call transform_bronze_to_gold()")

    def now(self) -> datetime:
        """What the account's clock shows, UTC."""
        return self.rows("select sysdate()")[0][0]

    def rows(self, query: str, *values: object) -> list[tuple]:
        return self.cursor.execute(query, values).fetchall()

    def as_the_app(self, statement: str) -> None:
        """Runs what only the app may do, to see what becomes of it."""
        self.cursor.execute("call as_the_app(%s)", (statement,))


@pytest.fixture(scope="session")
def app(account, tmp_path_factory):
    """The app of this clone with two doors to its inside, installed beside the one of the other tests."""
    folder = tmp_path_factory.mktemp("with_doors")
    for name in ("app", "src"):
        shutil.copytree(APP.parent / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(APP.parent / "snowflake.yml", folder)
    setup = folder / "app/setup.sql"
    last = "execute immediate from './setup/core/initialize_version.sql';"
    contents = [last, *(f"execute immediate from './setup/core/{door}.sql';" for door in DOORS)]
    setup.write_text(setup.read_text().replace(last, "\n".join(contents)))
    for door, text in DOORS.items():
        (folder / f"app/setup/core/{door}.sql").write_text(text)

    name = f"{account.application}_with_doors"
    names = {"RETAIL_STREAM_APPLICATION": name, "RETAIL_STREAM_PACKAGE": f"{name}_pkg"}
    shop = replace(account, environment=account.environment | names, application=name)
    install = partial(shop.snow, "app", "run", "--no-interactive", "--project", str(folder))
    install()
    try:
        with shop.connect() as connection:
            connection.cursor().execute(f"use schema {name}.core")
            yield App(connection, upgrade=install)
    finally:
        shop.snow("app", "teardown", "--cascade", "--force", "--project", str(folder))
