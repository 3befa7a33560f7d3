"""Every release that was ever made, the tree, and accounts in which consumers install, use and upgrade them.

The accounts run in this process and answer on a port, so that a test can look at everything that they hold, act as the application itself, and
copy a whole account by its folder.
"""

import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import bundles
import pytest
import uvicorn
from local_account import access, statements, syntax
from local_account.account import Account
from local_account.catalogue import HOME
from local_account.errors import SqlError
from local_account.results import python_rows
from local_account.server import Server
from local_account.session import Frame

RELEASES = Path(__file__).parent
KEPT = sorted(
    (path.name for path in RELEASES.iterdir() if (path / "manifest.yml").is_file()),
    key=lambda name: tuple(map(int, name.split("."))),
)
PACKAGE, APP = "retail_stream_pkg", "shop"
SECONDS_TO_START = 30
BEGINNING = datetime(2026, 11, 2, 9, 10, tzinfo=UTC)
GENERATION = re.compile(r"\$(\d+)")  # of a versioned schema, in the account's own names
SIGNATURE = re.compile(r"\(.*\)")  # a procedure may get more arguments, each with a default


class Person:
    """A session that is asked in SQL."""

    def __init__(self, session) -> None:
        self.session = session

    def __call__(self, sql: str, *binds: object) -> list[tuple]:
        return python_rows(statements.execute(self.session, sql, list(binds)))

    def table(self, sql: str, *binds: object) -> list[dict]:
        result = statements.execute(self.session, sql, list(binds))
        names = [column.name.lower() for column in result.columns]
        return [dict(zip(names, row, strict=True)) for row in python_rows(result)]

    def value(self, sql: str, *binds: object) -> object:
        ((value,),) = self(sql, *binds)
        return value


class Shop:
    """A Snowflake account: the provider's package, and the app of a consumer whose roles are not ACCOUNTADMIN."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.provider = self.person("ACCOUNTADMIN")

    def person(self, role: str, schema: str = "") -> Person:
        person = Person(self.account.login("LOCAL", "", role, None))
        if schema:
            person(f"use schema {schema}")
        return person

    @property
    def admin(self) -> Person:
        """Who holds APP_ADMIN and nothing else of the app."""
        return self.admin_of(APP)

    def admin_of(self, app: str) -> Person:
        return self.person("RETAIL_ADMIN", f"{app}.core")

    def inside(self, app: str = APP) -> Person:
        """The application itself: what its code may do, and sees."""
        document = self.account.database(app.upper())
        frame = Frame("a test", app.upper(), None, application=app.upper(), generation=document["generation"])
        return Person(self.account.system_session(access.APPLICATION, frame))

    # the provider -------------------------------------------------------------------------------------------------

    def stage(self, bundle: Path) -> str:
        """Puts a bundle on the package's stage, and only it."""
        if not self.account.database(PACKAGE.upper()):
            self.provider(f"create application package {PACKAGE} enable_release_channels = true")
            self.provider(f"create schema {PACKAGE}.app_src")
            self.provider(f"create stage {PACKAGE}.app_src.stage")
        folder = self.account.stage_directory(PACKAGE.upper(), "APP_SRC", "STAGE")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(bundle, folder)
        return f"@{PACKAGE}.app_src.stage"

    def release(self, bundle: Path, version: str) -> None:
        """Registers a bundle as a version, or as the next patch of one that is there, and directs every consumer to it."""
        stage = self.stage(bundle)
        change = f"alter application package {PACKAGE}"
        known = self.provider.table(f"show versions like '{version}' in application package {PACKAGE}")
        if known:
            self.provider(f"{change} add patch for version {version} using {stage}")
        else:
            self.provider(f"{change} register version {version} using {stage}")
            self.provider(f"{change} modify release channel default add version {version}")
        self.direct(version, len(known))

    def direct(self, version: str, patch: int) -> None:
        self.provider(
            f"alter application package {PACKAGE} modify release channel default "
            f"set default release directive version = {version} patch = {patch}"
        )

    # the consumer -------------------------------------------------------------------------------------------------

    def hire(self) -> None:
        """The consumer's roles: one that installs, one that runs the app, one that reads it, one that audits it."""
        for role in ("RETAIL_INSTALLER", "RETAIL_ADMIN", "RETAIL_ANALYST", "RETAIL_AUDITOR"):
            self.provider(f"create role if not exists {role}")
            self.provider(f"grant role {role} to user local")
        self.provider("grant create application on account to role retail_installer")
        self.provider("grant usage on warehouse local_wh to role retail_installer")

    def install(self, source: str = "", app: str = APP) -> None:
        self.provider(f"grant install on application package {PACKAGE} to role retail_installer")
        installer = self.person("RETAIL_INSTALLER")
        installer(f"create application {app} from application package {PACKAGE} {source}")
        for role in ("ADMIN", "ANALYST", "AUDITOR"):
            installer(f"grant application role {app}.app_{role} to role RETAIL_{role}")

    def upgrade(self) -> None:
        """What Snowflake does by itself once the directive has changed, and a consumer may ask for."""
        self.person("RETAIL_INSTALLER")(f"alter application {APP} upgrade")

    def described(self) -> dict[str, str]:
        return dict(self.provider(f"describe application {APP}"))

    def pass_time(self, **time: float) -> int:
        """Moves the clock; the number of task graphs that ran on the way."""
        return self.account.scheduler.advance(self.account.clock.now() + timedelta(**time))

    # looking ------------------------------------------------------------------------------------------------------

    def everything(self, app: str = APP) -> SimpleNamespace:
        """What a consumer may not lose: rows by table, columns, grants, tasks, unread rows of streams."""
        app, inside = app.upper(), self.inside(app)
        versioned = {
            key.name for key, document in self.account.catalogue.find("schema", app) if document.get("versioned")
        }
        tables = sorted(
            f"{schema}.{table}".lower()
            for schema, table in inside(
                "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE'"
            )
            if schema not in versioned and schema != "INFORMATION_SCHEMA"
        )
        return SimpleNamespace(
            rows={table: inside.table(f"select * from {table}") for table in tables},
            columns={
                table: {
                    row["name"]: (row["type"], row["null?"], row["comment"])
                    for row in inside.table(f"describe table {table}")
                }
                for table in tables
            },
            grants={
                (GENERATION.sub("", key.schema), SIGNATURE.sub("()", GENERATION.sub("", key.name)), role)
                for key, document in self.account.catalogue.find("grant", app)
                if set(GENERATION.findall(key.schema + key.name)) <= {str(self.account.database(app)["generation"])}
                for role in document["roles"]
            },
            roles={
                (key.name, holder)
                for key, document in self.account.catalogue.find("application_role", app)
                for holder in document["granted_to"]
            },
            tasks={
                key.name: (document["state"], document["options"].get("SCHEDULE"), document["body"])
                for key, document in self.account.catalogue.find("task", app)
            },
            unread=inside.value("select count(*) from raw_data.raw_retail_events_stream"),
        )

    def traces(self) -> tuple[set, set]:
        """All that the account holds, but roles and the event table: its objects by database, and its files."""
        cursor = self.account.cursor()
        databases = {
            name
            for (name,) in cursor.execute("select database_name from duckdb_databases() where not internal").fetchall()
        }
        objects = {
            (database, *row)
            for database in databases & {HOME, *(key.name for key, _ in self.account.catalogue.find("database", HOME))}
            for row in cursor.execute(f'select kind, schema, name from "{database}"."_ACCOUNT".objects').fetchall()
        }
        folders = (self.account.directory / name for name in ("databases", "stages", "snapshots"))
        return objects | {(database,) for database in databases}, {
            path for folder in folders for path in folder.rglob("*") if path.suffix != ".wal"
        }


@contextmanager
def name_of_1_1_0() -> Iterator[None]:
    """The draw of buyers of 1.1.0 calls a column START, which Snowflake reserves, so it generates nothing there. Who came
    to it from an earlier release has data all the same: here it may make its own.
    """
    was_refused = "START" in syntax.RESERVED
    syntax.RESERVED.discard("START")
    try:
        yield
    finally:
        if was_refused:
            syntax.RESERVED.add("START")


@contextmanager
def opened(folder: Path) -> Iterator[Shop]:
    """The account of a folder, answering on a port of its own until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    account = Account(folder, "127.0.0.1", port)
    application = Server(account, "").application()
    server = uvicorn.Server(
        uvicorn.Config(
            application, host="127.0.0.1", port=port, log_level="warning", access_log=False, timeout_graceful_shutdown=1
        )
    )
    thread = threading.Thread(target=server.run, name=f"account on {port}")
    thread.start()
    try:
        until = time.monotonic() + SECONDS_TO_START
        while not server.started:
            assert thread.is_alive() and time.monotonic() < until, "the account does not start"
            time.sleep(0.01)
        with name_of_1_1_0():
            yield Shop(account)
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def open_account():
    """Opens the account of a folder, for a `with` block."""
    return opened


@pytest.fixture(scope="session")
def tree(tmp_path_factory) -> Path:
    """The bundle of the clone as it stands."""
    return bundles.render(tmp_path_factory.mktemp("tree") / "bundle")


@pytest.fixture(scope="session", params=KEPT)
def origin(request, tmp_path_factory) -> SimpleNamespace:
    """A release that was installed and used: the folder of its account, at rest, and its version's name."""
    folder = tmp_path_factory.mktemp("used") / "account"
    bundle = RELEASES / request.param
    version = bundles.manifest(bundle)["version"]["name"]
    with opened(folder) as shop:
        shop.account.scheduler.set_clock(BEGINNING)
        shop.hire()
        shop.release(bundle, version)
        shop.install()
        use(shop)
        moment = shop.account.clock.now()
    return SimpleNamespace(folder=folder, version=version, bundle=bundle, moment=moment)


@pytest.fixture
def shop(origin, tmp_path) -> Iterator[Shop]:
    """A copy of that account, running."""
    folder = tmp_path / "account"
    shutil.copytree(origin.folder, folder)
    with opened(folder) as shop:
        shop.account.scheduler.set_clock(origin.moment)  # or a task falls due in the middle of a test
        yield shop


@pytest.fixture(scope="session")
def new_installation(tree, tmp_path_factory) -> SimpleNamespace:
    """Everything that the tree makes where nothing was before."""
    with opened(tmp_path_factory.mktemp("new") / "account") as shop:
        shop.hire()
        shop.release(tree, "first")
        shop.install()
        return shop.everything()


def use(shop: Shop) -> None:
    """All that a consumer can leave behind, in an hour or a year: edits, runs of each kind, a gap, and work that waits."""
    admin, inside = shop.admin, shop.inside()
    admin("update reference_data.customer_segments set avg_order_value = 200 where segment_name = 'premium'")
    admin("update reference_data.customer_segments set segment_name = 'visitor' where segment_name = 'occasional'")
    admin(
        "delete from reference_data.marketing_campaigns where campaign_name = (select min(campaign_name) from reference_data.marketing_campaigns)"
    )
    admin(
        "insert into reference_data.product_categories values ('toys_games', '[11, 12]', 0.50, 0.10, 'Toys and games')"
    )
    admin(
        "update reference_data.generation_parameters set parameter_value = '48' where parameter_name = 'daily_customer_events'"
    )
    admin("call generate_retail_data(8, 20)")

    admin("call configure_pipeline(cron => '0 */2 * * *', time_zone => 'Europe/Paris')")
    admin("call start_pipeline()")
    assert shop.pass_time(hours=2) == 1
    admin("call stop_pipeline()")
    shop.pass_time(hours=3)  # a gap: nothing is generated until a person asks for it
    admin("call start_pipeline()")

    admin("update reference_data.generation_parameters set parameter_value = 'many' where parameter_name = 'tax_rate'")
    with pytest.raises(SqlError, match="tax_rate"):
        admin("call generate_retail_data(1, 1)")
    admin("update reference_data.generation_parameters set parameter_value = '0.08' where parameter_name = 'tax_rate'")

    inside(
        "insert into raw_data.raw_retail_events (event_id, event_type, event_time, event_data, run_id, created_at) "
        "select 999999999999, 'purchase', sysdate(), parse_json('{}'), 'a test', sysdate()"
    )
    admin("call transform_raw_to_bronze()")
    assert inside.value("select count(*) from bronze.quarantined_events") == 1
    inside("call core.generate_batch(2, 3, 1, 1)")
    assert inside.value("select count(*) from raw_data.raw_retail_events_stream") > 0
