"""The account that tests talk to: a local one of their own, or with --connection NAME a real one; and the settings that
an installation starts with.
"""

import contextlib
import os
import random
import re
import shlex
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import snowflake.connector
import sqlglot
from sqlglot import exp

from retail_stream import configuration

ROOT = Path(__file__).resolve().parents[1]
SNOW = Path(sys.executable).with_name("snow")

ANSWERS = pytest.StashKey[dict[str, str]]()
LEFT = pytest.StashKey[list[str]]()


@dataclass(frozen=True)
class Account:
    """An account that answers, and how clients find it."""

    connection_name: str
    environment: dict[str, str]
    is_local: bool
    application: str = "retail_stream"

    def connect(self, **options: object) -> snowflake.connector.SnowflakeConnection:
        home = self.environment.get("SNOWFLAKE_HOME")
        if home:
            options["connections_file_path"] = Path(home) / "connections.toml"
        return snowflake.connector.connect(connection_name=self.connection_name, **options)

    def snow(self, *arguments: str) -> str:
        """What a `snow` command prints; each costs about ten seconds, nearly all of it the client's own start."""
        return run([SNOW, *arguments, "--connection", self.connection_name], self.environment)

    def manage(self, *arguments: str) -> str:
        """What `scripts/account` prints, for the data folder of this account; local only."""
        return local_account(arguments, self.environment)


def run(command: list, environment: dict[str, str]) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600
    )
    if done.returncode:
        pytest.fail(f"{shlex.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}", pytrace=False)
    return done.stdout


def local_account(arguments: tuple[str, ...], environment: dict[str, str]) -> str:
    command = [sys.executable, "-m", "local_account", *arguments]
    return run(command, environment | {"PYTHONPATH": str(ROOT / "scripts")})


@pytest.fixture(scope="session")
def clean_environment() -> dict[str, str]:
    """This shell's variables without those that point clients at an account, or name another app."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("SNOWFLAKE_", "RETAIL_STREAM_"))}


def unused_port() -> int:
    """A port of this machine that nothing listens on, and that no client is given for its own end of a connection.

    Systems take those from 32768 on (Linux: ip_local_port_range). A client that tries to reach an account that was killed could else be
    given the account's own port, and keep it from coming back.
    """
    while True:
        with socket.socket() as free, contextlib.suppress(OSError):
            free.bind(("127.0.0.1", random.randrange(20_000, 32_768)))
            return free.getsockname()[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--connection",
        metavar="NAME",
        help="run the end-to-end tests, and only those, on this Snowflake connection; they install an app of their "
        "own and remove it again, which costs credits",
    )


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """How many files are tested at once: each worker has an account of its own, and a browser. One after the other run a single file,
    a real account (it has one app) and what is to be printed (-s)."""
    files = {argument.partition("::")[0] for argument in config.args}
    is_one = len(files) == 1 and Path(files.pop()).is_file()
    return (
        0
        if is_one or config.getoption("connection") or config.getoption("capture") == "no"
        else min(os.cpu_count() or 1, 4)
    )


@pytest.fixture(scope="session")
def answers(request: pytest.FixtureRequest) -> dict[str, str]:
    """What the account said to the open questions of docs/first-real-run.md; the end of the run shows it."""
    return request.config.stash.setdefault(ANSWERS, {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """With --connection: what the account answered, and what is left on it."""
    if config.getoption("connection"):
        terminalreporter.section("what this account answered: docs/first-real-run.md says what it means")
        for question, answer in config.stash.get(ANSWERS, {}).items():
            terminalreporter.line(f"{question}\n    {answer}")
        left = config.stash.get(LEFT, [])
        terminalreporter.line("Left behind: " + ("\n    ".join(["", *left]) if left else "nothing."))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """End-to-end tests have two doors, and the one that cannot be opened says why; all others know the local one."""
    if "account" not in metafunc.fixturenames:
        return
    name = metafunc.config.getoption("connection")
    shut = pytest.mark.skip(reason="runs on the local account, and --connection named a real one")
    doors = [pytest.param("local", marks=shut if name else ())]
    if metafunc.definition.get_closest_marker("end_to_end"):
        shut = pytest.mark.skip(reason="no real account: name a connection with --connection NAME")
        doors.append(pytest.param("real", marks=() if name else shut))
    metafunc.parametrize("account", doors, indirect=True, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("connection"):
        needless = pytest.mark.skip(reason="not an end-to-end test, and --connection asks for those only")
        for item in items:
            if "account" not in getattr(item, "fixturenames", ()):
                item.add_marker(needless)


@pytest.fixture(scope="session", name="unused_port")
def unused_port_fixture():
    return unused_port


@pytest.fixture(scope="session")
def account(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, clean_environment: dict[str, str]
):
    """A running account: a local one in a folder and on a port of its own, or the real one."""
    if request.param == "real":
        unique = f"retail_stream_test_{uuid.uuid4().hex[:8]}"
        names = {"RETAIL_STREAM_APPLICATION": unique, "RETAIL_STREAM_PACKAGE": f"{unique}_pkg"}
        real = Account(request.config.getoption("connection"), os.environ | names, False, unique)
        try:
            yield real
        finally:
            request.config.stash[LEFT] = remove_all(real)
        return
    with running_account(tmp_path_factory.mktemp("account"), clean_environment) as local:
        yield local


def remove_all(account: Account) -> list[str]:
    """Drops whatever bears this run's name, also what a test that broke off has left; returns what could not be dropped."""
    kinds = {
        "applications": "application",
        "application packages": "application package",
        "databases": "database",
        "roles": "role",
    }
    left = []
    with account.connect() as connection:
        cursor = connection.cursor()
        for shown, kind in kinds.items():
            for row in cursor.execute(f"show {shown} like '{account.application}%'").fetchall():
                name = row[[column.name.lower() for column in cursor.description].index("name")]
                try:
                    connection.cursor().execute(f"drop {kind} {name} {'cascade' if kind == 'application' else ''}")
                except snowflake.connector.errors.Error as error:
                    left.append(f"{kind} {name}: {error}")
    return left


@contextmanager
def running_account(data: Path, environment: dict[str, str]) -> Iterator[Account]:
    """A local account in a folder of its own."""
    local_account(("start", "--port", str(unused_port()), "--data", str(data)), environment)
    try:
        found = exports(local_account(("env", "--data", str(data)), environment))
        yield Account("local", environment | found, True)
    finally:
        local_account(("stop", "--data", str(data)), environment)


@pytest.fixture(scope="module")
def account_apart(tmp_path_factory: pytest.TempPathFactory, clean_environment: dict[str, str]):
    """A local account that other tests do not use: it may be stopped, killed and put back."""
    with running_account(tmp_path_factory.mktemp("account_apart"), clean_environment) as local:
        yield local


def exports(script: str) -> dict[str, str]:
    """The variables that a script of `export NAME=value` lines sets."""
    words = [shlex.split(line) for line in script.splitlines()]
    assignments = (line[1].partition("=") for line in words if line[:1] == ["export"])
    return {name: os.path.expandvars(value) for name, _, value in assignments}


@pytest.fixture(scope="session")
def installed_app(account: Account):
    """The account with the app in it, put there by the real client."""
    account.snow("app", "run", "--no-interactive")
    yield account
    if not account.is_local:
        account.snow("app", "teardown", "--cascade", "--force")


@pytest.fixture(scope="session")
def app_admin(installed_app: Account):
    """A connection whose role is a consumer's: it holds the application role APP_ADMIN and nothing else of the app."""
    role = f"{installed_app.application}_admin"
    with installed_app.connect() as installer:
        cursor = installer.cursor()
        warehouse, user = cursor.execute("select current_warehouse(), current_user()").fetchone()
        cursor.execute(f"create role if not exists {role}")
        cursor.execute(f"grant application role {installed_app.application}.app_admin to role {role}")
        cursor.execute(f"grant usage on warehouse {warehouse} to role {role}")
        cursor.execute(f'grant role {role} to user "{user}"')
        with installed_app.connect(role=role) as connection:
            connection.cursor().execute("use secondary roles none")
            connection.cursor().execute(f"use schema {installed_app.application}.core")
            yield connection
        if not installed_app.is_local:
            cursor.execute(f"drop role {role}")


def default_rows(table: str, setup: Path = ROOT / "app/setup") -> list[dict]:
    """The rows that an installation starts with."""
    text = (setup / f"reference_data/{table}.sql").read_text()
    insert = next(part for part in text.split(";\n") if "from values" in part)
    columns = re.search(r"insert(?: into [\w.]+)? \(([^)]+)\)", insert)[1].split(", ")
    values = sqlglot.parse_one(insert[re.search(r"\b(insert|merge) ", insert).start() :], dialect="snowflake").find(
        exp.Values
    )
    return [
        {
            column.strip(): value.this if value.is_string else float(value.this)
            for column, value in zip(columns, row.expressions, strict=True)
        }
        for row in values.expressions
    ]


@pytest.fixture(scope="session")
def default_tables() -> dict[str, list[dict]]:
    """The default rows of all reference tables, read from the SQL that installs them; not to be changed."""
    return {table: default_rows(table) for table in configuration.COLUMNS}


@pytest.fixture(scope="session")
def default(default_tables) -> configuration.Configuration:
    return configuration.from_tables(default_tables)


@pytest.fixture(scope="session")
def first_tables() -> dict[str, list[dict]]:
    """The default rows of version 1.0.0."""
    setup = ROOT / "tests/releases/1.0.0/setup"
    return {table: default_rows(table, setup) for table in configuration.COLUMNS}
