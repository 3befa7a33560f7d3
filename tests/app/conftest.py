"""The app as the tests of it see it: its text, and an installed one that lets events in."""

import json
import logging
import re
import shutil
import time
import urllib.request
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
    "told_by_the_app": """
create or replace procedure core.told_by_the_app(query varchar)
returns table ()
language sql
execute as owner
as
$$
declare
    found resultset;
begin
    found := (execute immediate :query);
    return table(found);
end;
$$;
grant usage on procedure core.told_by_the_app(varchar) to application role app_admin;
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

    def told_by_the_app(self, query: str) -> list[tuple]:
        """What the app itself sees; some tables are for nobody else."""
        return self.rows("call told_by_the_app(%s)", query)

    def as_the_app(self, statement: str) -> None:
        """Runs what only the app may do, to see what becomes of it."""
        self.cursor.execute("call as_the_app(%s)", (statement,))


@pytest.fixture(scope="session")
def app(account, tmp_path_factory):
    """The app of this clone with doors to its inside, installed beside the one of the other tests."""
    folder = tmp_path_factory.mktemp("with_doors")
    shop = with_doors(account, folder)
    install = partial(shop.snow, "app", "run", "--no-interactive", "--project", str(folder))
    install()
    try:
        with shop.connect() as connection:
            connection.cursor().execute(f"use schema {shop.application}.core")
            yield App(connection, upgrade=install)
    finally:
        shop.snow("app", "teardown", "--cascade", "--force", "--project", str(folder))


def with_doors(account, folder: Path):
    """Puts the app of this clone, with doors, into a folder; the account, for which the app there has a name of its own."""
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
    return replace(account, environment=account.environment | names, application=name)


# Columns that say when the app worked and in which run: they differ between two runs that did the same.
OF_THE_RUN = {
    "RUN_ID", "RUN_TIMESTAMP", "EXECUTION_SECONDS", "SUMMARY", "CREATED_AT", "LOADED_AT", "CHANGED_AT", "QUARANTINED_AT", "RELEASED_AT",
    "HOLDER", "HELD_AT", "NOTICED_AT", "PURGED_UNTIL",
}  # fmt: skip
ORDINARY = ("REFERENCE_DATA", "RAW_DATA", "BRONZE", "GOLD", "PIPELINE", "TRUTH")


class AppApart(App):
    """The app with doors on an account of its own: its sessions can be stopped anywhere, and its state kept and put back."""

    def __init__(self, account, folder: Path):
        self.shop = with_doors(account, folder)
        self.data = Path(account.environment["LOCAL_ACCOUNT_DATA"])
        super().__init__(
            self.connect(), partial(self.shop.snow, "app", "run", "--no-interactive", "--project", str(folder))
        )
        self.upgrade()
        self.reconnect()

    def connect(self):
        return self.shop.connect(login_timeout=60, network_timeout=300)

    def reconnect(self) -> None:
        self.cursor = self.connect().cursor()
        self.cursor.execute(f"use schema {self.shop.application}.core")

    def another(self) -> App:
        """A second session."""
        other = App(self.connect(), self.upgrade)
        other.cursor.execute(f"use schema {self.shop.application}.core")
        return other

    def watch(self, **options: object) -> dict | None:
        """Watches this session from now on (scripts/local_account/watch.py), or only looks; what the watch so far has seen."""
        account = json.loads((self.data / "account.json").read_text())
        request = urllib.request.Request(
            f"http://127.0.0.1:{account['port']}/account/watch",
            json.dumps({"session": self.cursor.connection.session_id, **options}).encode(),
            {"X-Account-Secret": account["secret"]},
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return json.loads(answer.read())["data"]

    def keep(self, name: str) -> None:
        """Keeps all that the account holds, under a name."""
        self.shop.manage("stop")
        shutil.copytree(self.data, self.data.with_name(name))
        self.shop.manage("start")
        self.reconnect()

    def put_back(self, name: str) -> None:
        """The account is as it was kept; but what time it is there is for who goes on to say."""
        self.shop.manage("stop")
        shutil.rmtree(self.data / "databases")
        shutil.copytree(self.data.with_name(name) / "databases", self.data / "databases")
        self.shop.manage("start")
        self.reconnect()

    def start_when_killed(self) -> None:
        """Waits for the account's end, and starts it: a client repeats its request until it is answered."""
        process = Path("/proc", str(json.loads((self.data / "account.json").read_text())["pid"]), "stat")
        while process.exists() and process.read_text().rpartition(")")[2].split()[0] != "Z":
            time.sleep(0.05)
        self.shop.manage("start")

    @cached_property
    def tables(self) -> dict[str, str]:
        """Each table that outlives an upgrade, with what a hash of its rows is to be of."""
        columns = self.told_by_the_app(
            "select table_schema || '.' || table_name, column_name from information_schema.columns as columns"
            " inner join information_schema.tables as tables using (table_schema, table_name)"
            " where table_type = 'BASE TABLE' order by 1, columns.ordinal_position"
        )
        found: dict[str, list[str]] = {}
        for table, column in columns:
            if table.split(".")[0] in ORDINARY and column not in OF_THE_RUN:
                found.setdefault(table, []).append(column)
        return {table: ", ".join(names) for table, names in found.items()}

    def state(self) -> dict[str, tuple]:
        """Number and order-free hash of the rows of each table; of runs, those that ended well and did something."""
        did_something = "where status = 'COMPLETED' and (window_start is not null or run_type <> 'GENERATION')"
        parts = [
            f"select '{table}', count(*), coalesce(sum(hash({columns})), 0) from {table} "
            + (did_something if table.endswith(".DATA_GENERATION_AUDIT") else "")
            for table, columns in self.tables.items()
        ]
        return {table: (count, digest) for table, count, digest in self.told_by_the_app(" union all ".join(parts))}


@pytest.fixture(scope="module")
def app_apart(account_apart, tmp_path_factory) -> AppApart:
    return AppApart(account_apart, tmp_path_factory.mktemp("with_doors_apart"))
