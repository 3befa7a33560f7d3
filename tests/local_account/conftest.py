"""Accounts in this process, for tests of what they do; test_wire.py and the end-to-end tests go over the wire."""

import textwrap
from pathlib import Path

import pytest
from local_account import statements
from local_account.account import Account
from local_account.results import python_rows


class Client:
    """A session of an account, asked in SQL."""

    def __init__(self, account: Account, role: str = "ACCOUNTADMIN", database: str | None = None) -> None:
        self.account = account
        self.session = account.login("LOCAL", "", role, None)
        if database:
            self("use database " + database)

    def __call__(self, sql: str, *binds: object) -> list[tuple]:
        return python_rows(statements.execute(self.session, textwrap.dedent(sql), list(binds)))

    def another(self, role: str = "ACCOUNTADMIN") -> "Client":
        """A second session in the same database."""
        return Client(self.account, role, self.session.database)

    def value(self, sql: str, *binds: object) -> object:
        ((value,),) = self(sql, *binds)
        return value


@pytest.fixture(scope="module")
def shared_account(tmp_path_factory):
    """One account for a module: each test takes a database of its own."""
    account = Account(tmp_path_factory.mktemp("account"))
    yield account
    account.close()


@pytest.fixture
def client(shared_account, request):
    """A session in an empty database."""
    found = Client(shared_account)
    name = f"db_{abs(hash(request.node.nodeid)) % 10**12}"
    found(f"create database {name}")
    yield found
    found.session.close()


def write_app(root: Path, setup: str, manifest: str = "", **files: str) -> Path:
    """The files of an application: manifest.yml, setup.sql, and others by path (with '__' for '/')."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "manifest.yml").write_text(manifest or "manifest_version: 2\nartifacts:\n  setup_script: setup.sql\n")
    (root / "setup.sql").write_text(textwrap.dedent(setup))
    for path, text in files.items():
        target = root / path.replace("__", "/").replace("_sql", ".sql").replace("_py", ".py")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(textwrap.dedent(text))
    return root


class Provider(Client):
    """Who stages, installs and upgrades applications."""

    def stage(self, package: str, root: Path) -> None:
        if not self.account.database(package.upper()):
            self(f"create application package {package}")
            self(f"create schema {package}.app_src")
            self(f"create stage {package}.app_src.stage")
        self(f"remove @{package}.app_src.stage")
        target = self.account.stage_directory(package.upper(), "APP_SRC", "STAGE")
        for file in root.rglob("*"):
            if file.is_file():
                copy = target / file.relative_to(root)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(file.read_bytes())

    def install(self, app: str, package: str) -> None:
        self(f"create application {app} from application package {package} using @{package}.app_src.stage")

    def write(self, root: Path, setup: str, manifest: str = "", **files: str) -> Path:
        return write_app(root, setup, manifest, **files)

    def upgrade(self, app: str, package: str) -> None:
        self(f"alter application {app} upgrade using @{package}.app_src.stage")


@pytest.fixture
def provider(shared_account):
    found = Provider(shared_account)
    yield found
    found.session.close()
