"""The app's own text, as the tests of it read it."""

import logging
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
import sqlglot
import yaml
from sqlglot import exp

from local_account.scripting import split

APP = Path(__file__).resolve().parents[2] / "app"
CREATES = re.compile(
    r"create (?P<how>or replace |or alter )?(?:versioned )?"
    r"(?P<kind>table|view|stream|procedure|function|task|schema) (?P<guard>if not exists )?(?P<name>[\w.]+)"
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
