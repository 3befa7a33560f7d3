"""Installing, upgrading and dropping applications; versions, channels and directives."""

import json
import threading
import time
from pathlib import Path

import pytest
from local_account import blocks, statements, streamlits
from local_account.errors import SqlError
from local_account.watch import Watch

SETUP = """
    create application role if not exists reader;
    create schema if not exists state;
    grant usage on schema state to application role reader;
    create table if not exists state.notes (id int, text varchar);
    grant select, insert on state.notes to application role reader;
    create or alter versioned schema code;
    grant usage on schema code to application role reader;
    execute immediate from './code/version.sql';
"""
VERSION = """
    create or replace procedure code.version() returns varchar language sql as $$ begin return '{0}'; end $$;
    grant usage on procedure code.version() to application role reader;
    create or replace view code.all_notes as select id, text from state.notes;
    grant select on view code.all_notes to application role reader;
"""
names = iter(range(1000))


@pytest.fixture
def app(provider, tmp_path):
    """An installed application, its provider, and how to change what is staged."""

    class App:
        name, package = f"app{next(names)}", f"pkg{next(names)}"

        def stage(self, version, setup=SETUP, manifest=""):
            root = provider.write(tmp_path / version, setup, manifest, code__version_sql=VERSION.format(version))
            provider.stage(self.package, root)

        def upgrade(self):
            provider.upgrade(self.name, self.package)

        def __call__(self, sql):
            return provider(sql.replace("app.", f"{self.name}."))

    found = App()
    found.stage("one")
    provider.install(found.name, found.package)
    return found


def test_an_installed_application_answers(app):
    assert app("call app.code.version()") == [("one",)]


def test_an_upgrade_brings_the_new_code_and_keeps_the_rows(app):
    app("insert into app.state.notes values (1, 'kept')")

    app.stage("two")
    app.upgrade()

    assert app("call app.code.version()") == [("two",)]
    assert app("select * from app.code.all_notes") == [(1, "kept")]


def test_an_ordinary_schema_by_the_name_of_a_versioned_one_is_that(app):
    app.stage("two", SETUP.replace("create or alter versioned schema", "create schema if not exists"))
    app.upgrade()

    assert app("call app.code.version()") == [("two",)]


def test_a_failed_upgrade_leaves_the_old_code_and_says_file_and_line(app):
    app("insert into app.state.notes values (1, 'kept')")
    app.stage("two", SETUP + "\n    create table state.notes (id int);\n")

    with pytest.raises(SqlError, match=r"(?s)/setup.sql, line 11: .*already exists") as error:
        app.upgrade()

    assert error.value.errno == 93082
    assert app("call app.code.version()") == [("one",)]
    assert app("select * from app.code.all_notes") == [(1, "kept")]


def test_an_upgrade_that_the_account_itself_fails_has_failed(app, provider, monkeypatch):
    app.stage("two")

    with monkeypatch.context() as broken, pytest.raises(ZeroDivisionError):
        broken.setattr(blocks, "run_file", lambda *_: 1 / 0)
        app.upgrade()

    assert described(provider, app.name)["upgrade_state"] == "FAILED"
    assert app("call app.code.version()") == [("one",)]


def test_nobody_else_upgrades_or_drops_an_application_during_an_upgrade(app, provider):
    app.stage("two")
    other = provider.another()
    other.session.watch = watch = Watch(5, "wait")
    upgrade = f"alter application {app.name} upgrade using @{app.package}.app_src.stage"
    upgrading = threading.Thread(target=lambda: other(upgrade))
    upgrading.start()
    while watch.boundaries < 5 and upgrading.is_alive():
        time.sleep(0.01)

    for statement in (upgrade, f"drop application {app.name}"):
        with pytest.raises(SqlError, match="is being installed, upgraded or dropped"):
            provider(statement)

    watch.go_on.set()
    upgrading.join()
    assert app("call app.code.version()") == [("two",)]


def test_what_a_failed_upgrade_did_to_ordinary_schemas_stays(app):
    app.stage("two", SETUP + "\n    alter table state.notes add column if not exists extra int;\n    select nothing;\n")

    with pytest.raises(SqlError):
        app.upgrade()

    assert [row[0] for row in app("describe table app.state.notes")] == ["ID", "TEXT", "EXTRA"]


def test_a_failed_installation_leaves_nothing(provider, tmp_path):
    provider.stage(
        "broken_pkg", provider.write(tmp_path / "broken", "create schema if not exists s;\nselect nothing;\n")
    )

    with pytest.raises(SqlError, match="line 2"):
        provider.install("broken", "broken_pkg")

    assert provider("show applications like 'BROKEN'") == []


def test_an_object_that_was_not_granted_does_not_exist_for_the_consumer(app):
    app.stage("two", SETUP + "\n    create table if not exists state.secret (id int);\n")
    app.upgrade()

    with pytest.raises(SqlError, match="does not exist or not authorized"):
        app("select * from app.state.secret")


def test_what_stands_in_an_application_is_the_applications(app, provider):
    for what in ("tables", "views"):
        rows = provider(f"show {what} in application {app.name}")
        assert rows
        assert {(row[9 if what == "tables" else 6], row[-1]) for row in rows} == {(app.name.upper(), "APPLICATION")}


def test_a_privilege_that_was_not_granted_is_named(app):
    with pytest.raises(SqlError, match="lacks DELETE"):
        app("delete from app.state.notes")


@pytest.mark.parametrize(("clause", "seen"), [("copy grants", True), ("", False)])
def test_a_view_that_is_replaced_keeps_its_grants_only_if_they_are_copied(app, clause, seen):
    view = "create or replace view state.titles (title) {} as select text from state.notes;"
    app.stage("two", f"{SETUP}{view.format('')} grant select on view state.titles to application role reader;")
    app.upgrade()
    app.stage("three", f"{SETUP}{view.format(clause)}")
    app.upgrade()

    if seen:
        assert app("select * from app.state.titles") == []
    else:
        with pytest.raises(SqlError, match="not authorized"):
            app("select * from app.state.titles")


def test_a_consumer_role_has_what_its_application_role_has(app, provider):
    provider("create role if not exists clerk")
    provider(f"grant application role {app.name}.reader to role clerk")
    provider("grant role clerk to user local")
    clerk = type(provider)(provider.account, "CLERK")

    clerk(f"insert into {app.name}.state.notes values (2, 'by the clerk')")

    assert clerk(f"select * from {app.name}.state.notes") == [(2, "by the clerk")]
    with pytest.raises(SqlError, match="Insufficient privileges"):
        clerk(f"drop application {app.name}")


def test_a_role_installs_that_may_create_applications_and_use_the_package(app, provider):
    provider("create role if not exists installer")
    provider("grant role installer to user local")
    installer = type(provider)(provider.account, "INSTALLER")
    with pytest.raises(SqlError, match="lacks CREATE APPLICATION on the account"):
        installer.install(f"{app.name}_2", app.package)
    provider("grant create application on account to role installer")
    with pytest.raises(SqlError, match="does not exist or not authorized"):
        installer.install(f"{app.name}_2", app.package)
    provider(f"grant manage releases on application package {app.package} to role installer")
    with pytest.raises(SqlError, match="lacks INSTALL on the package"):
        installer.install(f"{app.name}_2", app.package)
    provider(f"grant install on application package {app.package} to role installer")
    provider(f"grant usage on schema {app.package}.app_src to role installer")
    provider(f"grant read on stage {app.package}.app_src.stage to role installer")

    installer.install(f"{app.name}_2", app.package)

    assert installer(f"call {app.name}_2.code.version()") == [("one",)]
    provider("revoke create application on account from role installer")
    with pytest.raises(SqlError, match="lacks CREATE APPLICATION"):
        installer.install(f"{app.name}_3", app.package)


def test_a_role_without_grants_sees_no_application_object(app, provider):
    provider("create role if not exists stranger")
    provider("grant role stranger to user local")
    stranger = type(provider)(provider.account, "STRANGER")

    for statement in (
        "select * from app.state.notes",
        "call app.code.version()",
        "insert into app.state.notes values (1, 'x')",
    ):
        with pytest.raises(SqlError):
            stranger(statement.replace("app.", f"{app.name}."))


def test_the_consumer_creates_nothing_inside_an_application(app):
    for statement in (
        "create table app.state.mine (id int)",
        "create schema app.mine",
        "create procedure app.state.p() returns int language sql as 'return 1'",
        "drop table app.state.notes",
    ):
        with pytest.raises(SqlError):
            app(statement)


def test_an_application_may_not_ask_for_the_warehouse(app):
    app.stage(
        "two",
        SETUP
        + "\n    create or replace procedure code.w() returns varchar language sql as $$ begin let w varchar := (current_warehouse()); return w; end $$;\n    grant usage on procedure code.w() to application role reader;\n",
    )
    app.upgrade()

    with pytest.raises(SqlError, match="not allowed inside a native application"):
        app("call app.code.w()")


def test_no_temporary_table_inside_an_application(app):
    app.stage("two", SETUP + "\n    create temporary table state.t (id int);\n")

    with pytest.raises(SqlError, match="TEMPORARY TABLE is not permitted within APPLICATION"):
        app.upgrade()


@pytest.mark.parametrize(
    "statement",
    ["use schema state;", "use role sysadmin;", "drop application role nobody;", "create role r;", "grant select on table state.notes to role public;", "create versioned schema other;",
     "create or replace procedure state.p() returns int language python runtime_version = '3.11' packages = ('snowflake-snowpark-python') imports = ('/code/version.sql') handler = 'x.y';",
     "create or replace procedure code.p() returns int language sql execute as caller as 'begin return 1; end';", "create or replace procedure code.p() returns int language python runtime_version = '3.9' packages = ('snowflake-snowpark-python') handler = 'x.y';",
     "create or replace procedure code.p() returns int language python runtime_version = '3.11' packages = ('snowflake-snowpark-python') imports = ('code/version.sql') handler = 'x.y';",
     "create or replace task code.t schedule = '1 minute' as select 1;", "create database d;"],
)  # fmt: skip
def test_what_snowflake_refuses_in_a_setup_script_is_refused(app, statement):
    app.stage("two", SETUP + f"\n    {statement}\n")

    with pytest.raises(SqlError) as error:
        app.upgrade()

    assert error.value.errno == 93082
    assert app("call app.code.version()") == [("one",)]


def test_an_application_role_that_is_replaced_holds_only_what_is_granted_again(app, provider):
    provider("create role replaced_clerk")
    provider("grant role replaced_clerk to role accountadmin")
    provider(f"grant application role {app.name}.reader to role replaced_clerk")
    app.stage(
        "two", "create or replace application role reader;\n" + SETUP.replace("grant select, insert", "grant insert")
    )
    app.upgrade()

    with pytest.raises(SqlError, match="lacks SELECT"):
        app("select * from app.state.notes")
    app("insert into app.state.notes values (1, 'still granted')")
    clerk = type(provider)(provider.account, "REPLACED_CLERK")
    with pytest.raises(SqlError, match="does not exist or not authorized"):
        clerk(f"insert into {app.name}.state.notes values (2, 'no longer')")


def test_the_version_initializer_runs_after_the_script_and_the_old_one_after_a_failure(app):
    manifest = "manifest_version: 2\nlifecycle_callbacks:\n  version_initializer: code.initialize\n"
    initializer = """
    create or replace procedure code.initialize() returns varchar language sql as $$ begin insert into state.notes values (0, '{0}'); end $$;
    """
    app.stage("two", SETUP + initializer.format("two"), manifest)
    app.upgrade()
    app.stage("three", SETUP + initializer.format("three") + "\n    select nothing;\n", manifest)
    with pytest.raises(SqlError):
        app.upgrade()

    assert app("select text from app.state.notes") == [("two",), ("two",)]


def test_a_version_is_registered_published_and_installed(app, provider):
    provider(f"alter application package {app.package} register version v1 using @{app.package}.app_src.stage")
    provider(f"alter application package {app.package} modify release channel default add version v1")
    provider(
        f"alter application package {app.package} modify release channel default set default release directive version = v1 patch = 0"
    )
    provider(f"drop application {app.name}")
    provider(f"create application {app.name} from application package {app.package}")

    assert app("call app.code.version()") == [("one",)]

    app.stage("two")
    provider(f"alter application package {app.package} add patch for version v1 using @{app.package}.app_src.stage")
    provider(
        f"alter application package {app.package} modify release channel default set default release directive version = v1 patch = 1"
    )
    provider(f"alter application {app.name} upgrade")

    assert app("call app.code.version()") == [("two",)]


def described(client, application):
    return dict(client(f"describe application {application}"))


def test_upgrade_states_are_shown_when_they_hold(app, provider):
    stage, package = f"@{app.package}.app_src.stage", f"alter application package {app.package}"

    def publish(version):
        app.stage(version)
        provider(f"{package} register version {version} using {stage}")
        provider(f"{package} modify release channel default add version {version}")
        provider(f"{package} set default release directive version = {version} patch = 0")

    publish("v1")
    provider(f"create application released_states from application package {app.package}")
    assert described(provider, "released_states")["upgrade_state"] == "COMPLETE"
    publish("v2")
    assert described(provider, "released_states")["upgrade_state"] == "QUEUED"
    provider("alter application released_states upgrade")
    assert described(provider, "released_states")["upgrade_state"] == "COMPLETE"

    slow = "create or replace procedure code.slow() returns varchar language sql as $$ begin select 1; return 'one'; end $$;"
    app.stage("one", SETUP + slow + "grant usage on procedure code.slow() to application role reader;")
    app.upgrade()
    results = []
    other = provider.another()
    other.session.watch = watch = Watch(2, "wait")
    waiting = threading.Thread(target=lambda: results.append(other.value(f"call {app.name}.code.slow()")))
    waiting.start()
    while watch.boundaries < 2 and waiting.is_alive():
        time.sleep(0.01)
    app.stage("two")
    app.upgrade()
    assert app("call app.code.version()") == [("two",)]
    state = described(provider, app.name)
    assert (state["upgrade_state"], state["previous_version_state"]) == ("COMPLETE", "FINALIZING")
    watch.go_on.set()
    waiting.join()
    assert results == ["one"]
    assert described(provider, app.name)["previous_version_state"] == "COMPLETE"


def test_consumers_read_the_label_of_the_statement_or_else_of_the_manifest(app, provider):
    app.stage("two", manifest="manifest_version: 2\nversion:\n  label: 'The second'\n")
    change, stage = f"alter application package {app.package}", f"@{app.package}.app_src.stage"
    provider(f"{change} register version v1 using {stage} label = 'The first'")
    provider(f"{change} add patch for version v1 using {stage}")
    provider(f"drop application {app.name}")

    for patch, label in enumerate(("The first", "The second")):
        provider(
            f"create application {app.name}_{patch} from application package {app.package} using version v1 patch {patch}"
        )
        assert dict(provider(f"describe application {app.name}_{patch}"))["version_label"] == label


def test_a_release_directive_holds_for_the_accounts_that_it_names(app, provider):
    change = f"alter application package {app.package}"
    for version in ("v1", "v2"):
        app.stage(version)
        provider(f"{change} register version {version} using @{app.package}.app_src.stage")
        provider(f"{change} modify release channel default add version {version}")
    provider(f"{change} set default release directive version = v1 patch = 0")

    for accounts, version in (("org.elsewhere", "v1"), ("org.elsewhere, localhost.local", "v2")):
        provider(f"{change} set release directive chosen accounts = ({accounts}) version = v2 patch = 0")
        provider(f"create application {app.name}_{version} from application package {app.package}")
        assert provider(f"call {app.name}_{version}.code.version()") == [(version,)]


def test_who_manages_versions_changes_nothing_else_of_a_package(app, provider):
    role = f"manages_{app.package}"
    provider(f"create role {role}")
    provider(f"grant manage versions on application package {app.package} to role {role}")
    provider(f"grant role {role} to user local")
    manager = provider.another(role.upper())

    for statement in ("set comment = 'version'", "unset release directive version"):
        with pytest.raises(SqlError) as error:
            manager(f"alter application package {app.package} {statement}")
        assert error.value.errno == 3001


def test_the_moves_between_files_and_versions_are_refused_with_their_numbers(app, provider):
    provider(f"alter application package {app.package} register version v1 using @{app.package}.app_src.stage")

    provider(f"alter application package {app.package} modify release channel default add version v1")
    provider(f"alter application package {app.package} set default release directive version = v1 patch = 0")
    provider(f"create application {app.name}_released from application package {app.package}")

    for name, using, number in (
        (app.name, "using version v1", 93044),
        (app.name, "", 93055),
        (f"{app.name}_released", "using version v1", 93046),
    ):
        with pytest.raises(SqlError) as error:
            provider(f"alter application {name} upgrade {using}")
        assert error.value.errno == number


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("alter application package {} add version v9 using @{}.app_src.stage", 512023),
        ("alter application package {} modify release channel default add version v9", 93031),
        (
            "alter application package {} modify release channel default set default release directive version = v1 patch = 0",
            512008,
        ),
        ("alter application package {} register version v1 using @{}.app_src.stage", 93030),
        ("alter application package {} add patch 0 for version v1 using @{}.app_src.stage", 93168),
        ("alter application package {} modify release channel default unset release directive nobody", 93090),
        ("alter application package {} modify release channel default add accounts = (a)", 512017),
        ("alter application package {} unset release directive default", 1003),
        ("alter application package {} set release directive named version = v1 patch = 0", 1003),
    ],
)
def test_mistakes_with_versions_have_snowflakes_numbers(app, provider, statement, number):
    provider(f"alter application package {app.package} register version v1 using @{app.package}.app_src.stage")

    with pytest.raises(SqlError) as error:
        provider(statement.format(app.package, app.package))

    assert number == error.value.errno


@pytest.mark.parametrize(
    ("manifest", "number"),
    [
        ("manifest_version: 3\n", 93302),
        ("manifest_version: 2\nsurprise: 1\n", 93301),
        ("manifest_version: 2\nmanifest_version: 2\n", 93300),
        ("manifest_version: 2\nprivileges:\n  - CREATE TABLE:\n      description: x\n", 93302),
        ("manifest_version: 2\nprivileges:\n  - EXECUTE TASK:\n    description: x\n", 93302),
        ("manifest_version: 2\nartifacts:\n  setup_script: nowhere.sql\n", 93003),
    ],
)
def test_a_manifest_that_snowflake_refuses_is_refused(app, manifest, number):
    app.stage("two", SETUP, manifest)

    with pytest.raises(SqlError) as error:
        app.upgrade()

    assert number == error.value.errno


def test_validation_reports_errors_and_warnings_with_their_codes(app, provider):
    import json

    app.stage(
        "two",
        SETUP
        + "\n    create table notes (id int);\n    create versioned schema x;\n    execute immediate from './nowhere.sql';\n    selec 1;\n",
    )

    report = json.loads(provider.value(f"call system$validate_native_app_setup('@{app.package}.app_src.stage')"))

    assert report["status"] == "FAIL"
    assert {"000002", "093159", "001003"} <= {error["errorCode"] for error in report["errors"]}
    assert {"093351", "093353"} <= {warning["errorCode"] for warning in report["warnings"]}


EXECUTES = """
    create or replace procedure code.executes(statement varchar) returns varchar language sql as $$
    begin
        execute immediate :statement;
        return 'done';
    end $$;
    grant usage on procedure code.executes(varchar) to application role reader;
"""


@pytest.mark.parametrize(
    "statement",
    [
        "alter application {} set comment = ''mine''",
        "alter application {} set authorize_telemetry_event_sharing = true",
        "drop application {}",
        "grant application role {}.reader to role public",
    ],
)
def test_an_application_has_no_rights_of_its_caller_over_others(app, provider, statement):
    app.stage("two", SETUP + EXECUTES)
    app.upgrade()
    provider.install(f"{app.name}_2", app.package)

    with pytest.raises(SqlError) as error:
        app(f"call app.code.executes('{statement.format(app.name + '_2')}')")

    assert error.value.errno in (2003, 3001)  # it does not even see them


def test_an_applications_view_reads_what_the_consumer_grants_it(app, client):
    table, seen = (
        f"{client.session.database}.public.t",
        "create or replace view state.seen copy grants as select n from ",
    )
    app.stage(
        "two",
        SETUP
        + EXECUTES
        + "create view state.seen as select 1 as n;"
        + "grant select on view state.seen to application role reader;",
    )
    app.upgrade()
    client("create table public.t as select 7 as n")
    for what in (f"usage on database {client.session.database}", "usage on schema public", f"select on table {table}"):
        client(f"grant {what} to application {app.name}")
    app(f"call app.code.executes('{seen}{table}')")

    assert app("select n from app.state.seen") == [(7,)]

    client(f"revoke select on table {table} from application {app.name}")
    with pytest.raises(SqlError, match="does not exist or not authorized"):
        app("select n from app.state.seen")


def test_two_instances_live_side_by_side(app, provider):
    provider.install(f"{app.name}_2", app.package)
    app("insert into app.state.notes values (1, 'first')")

    assert provider(f"select * from {app.name}_2.state.notes") == []


def test_a_package_whose_application_is_there_is_not_dropped(app, provider):
    with pytest.raises(SqlError, match=app.name.upper()) as error:
        provider(f"drop application package {app.package}")
    assert error.value.errno == 93038


def test_a_dropped_application_is_gone(app, provider):
    provider(f"drop application {app.name}")

    with pytest.raises(SqlError, match="does not exist"):
        app("select * from app.state.notes")
    provider.install(app.name, app.package)
    assert app("select * from app.state.notes") == []


STREAMLIT = """
    create or replace streamlit code.page from '/page' main_file = 'page.py';
    grant usage on streamlit code.page to application role reader;
"""


TELEMETRY = """
    create or replace function code.told(n int) returns int language python runtime_version = '3.11' handler = 'told' as $$
import logging

def told(n):
    logging.debug("unheard")
    logging.warning("seen %s", n)
    return n
$$;
    create or replace procedure code.ask() returns int language sql as $$
    begin let n int := (select code.told(7)); return n; end $$;
    grant usage on procedure code.ask() to application role reader;
"""


TRACED = """
    create or replace function code.asked(n int) returns int language python runtime_version = '3.11'
    packages = ('snowflake-telemetry-python') handler = 'asked' as $$
from snowflake import telemetry

def asked(n):
    telemetry.set_span_attribute("step", "begin")
    telemetry.set_span_attribute("step", {no_events})
    if not {no_events}:
        telemetry.add_event("read", {{"rows": 7, "tables": ["a", "b"], "dropped": object()}})
        telemetry.add_event("written")
    return n
$$;
    grant usage on function code.asked(int) to application role reader;
"""
READ = [("SPAN_EVENT", "read", {"rows": 7, "tables": ["a", "b"]}), ("SPAN_EVENT", "written", {})]


@pytest.mark.parametrize(
    ("trace_level", "no_events", "told"),
    [
        ("'OFF'", False, []),
        ("ON_EVENT", True, []),
        ("ON_EVENT", False, [*READ, ("SPAN", "asked", {"step": False})]),
        ("ALWAYS", True, [("SPAN", "asked", {"step": True})]),
    ],
)
def test_a_handlers_events_and_attributes_go_with_its_span(app, provider, trace_level, no_events, told):
    app.stage(
        "two",
        SETUP + TRACED.format(no_events=no_events),
        f"manifest_version: 2\nconfiguration: {{trace_level: {trace_level}}}\n",
    )
    app.upgrade()
    assert app("select app.code.asked(7)") == [(7,)]

    events = provider(
        "select record_type, record:name::varchar, record_attributes, trace:span_id::varchar from snowflake.telemetry.events "
        f"where resource_attributes:\"snow.database.name\"::varchar = '{app.name.upper()}' order by timestamp"
    )
    assert [(kind, name, json.loads(attributes)) for kind, name, attributes, _ in events] == told
    assert len({span for *_, span in events}) == bool(told)


@pytest.mark.parametrize(
    ("configuration", "kinds"),
    [
        ("", []),
        ("configuration: {log_level: INFO}\n", ["LOG"]),
        ('configuration: {log_level: WARN, trace_level: "ALWAYS"}\n', ["LOG", "SPAN", "SPAN"]),
        ("configuration: {log_level: ERROR, trace_level: ON_EVENT}\n", []),
    ],
)
def test_the_event_table_has_what_the_manifest_lets_out(app, provider, configuration, kinds):
    app.stage("two", SETUP + TELEMETRY, "manifest_version: 2\n" + configuration)
    app.upgrade()
    assert app("call app.code.ask()") == [(7,)]

    events = provider(
        "select record_type, value::varchar, record:severity_text::varchar, record:name::varchar, trace:trace_id::varchar, "
        "trace:span_id::varchar, record:parent_span_id::varchar, start_timestamp <= timestamp from snowflake.telemetry.events "
        f"where resource_attributes:\"snow.database.name\"::varchar = '{app.name.upper()}' order by timestamp"
    )
    assert [event[0] for event in events] == kinds
    for log in events[:1]:
        assert log[1:4] == ("seen 7", "WARN", None)
    if len(events) == 3:
        _, inner, outer = events
        assert (inner[3], outer[3]) == ("told", "ask")
        assert inner[4] == outer[4] == events[0][4]
        assert (inner[6], outer[6]) == (outer[5], None)
        assert inner[7] and outer[7]


def test_a_versioned_schema_sets_a_level_that_there_is(app):
    app.stage("two", SETUP + "create or alter versioned schema code log_level = loud;")
    with pytest.raises(SqlError, match="LOG_LEVEL = LOUD: it is one of OFF, TRACE"):
        app.upgrade()


def test_a_streamlit_is_made_of_the_applications_files_and_listed(app, provider, tmp_path):
    root = provider.write(
        tmp_path / "two", SETUP + STREAMLIT, code__version_sql=VERSION.format("two"), page__page_py="import streamlit\n"
    )
    provider.stage(app.package, root)
    app.upgrade()

    assert ["PAGE"] == [row[1] for row in provider(f"show streamlits in application {app.name}")]
    assert "page.py" == app("describe streamlit app.code.page")[0][3]

    app.upgrade()
    assert ["PAGE"] == [row[1] for row in provider(f"show streamlits in application {app.name}")]


def test_a_streamlit_opens_in_its_owners_rights_to_a_role_that_may_use_it(app, provider, tmp_path):
    root = provider.write(
        tmp_path / "two", SETUP + STREAMLIT, code__version_sql=VERSION.format("two"), page__page_py="import streamlit\n"
    )
    provider.stage(app.package, root)
    app.upgrade()
    provider("create role passer_by")
    provider('grant role passer_by to user "LOCAL"')

    opened = streamlits.open_for(provider.account, f"{app.name}.code.page", None)
    session = provider.account.login("LOCAL", opened["password"], None, None)
    statements.execute(session, "insert into state.notes (id) values (7)")

    assert Path(opened["files"], opened["main_file"]).read_text() == "import streamlit\n"
    assert app("select id from app.state.notes") == [(7,)]
    with pytest.raises(SqlError, match="CURRENT_WAREHOUSE"):
        statements.execute(session, "select current_warehouse()")
    with pytest.raises(SqlError, match="does not exist or not authorized"):
        streamlits.open_for(provider.account, f"{app.name}.code.page", "passer_by")


def test_a_streamlit_whose_main_file_is_missing_is_refused(app):
    app.stage("two", SETUP + STREAMLIT)

    with pytest.raises(SqlError, match="no folder '/page'"):
        app.upgrade()


TASK = """
    create or replace task state.t schedule = '60 minutes' as select 1;
"""
MAY_HAVE_TASKS = """manifest_version: 2
privileges:
  - EXECUTE TASK:
      description: x
  - EXECUTE MANAGED TASK:
      description: x
"""


def test_a_feature_policy_forbids_new_tasks_to_all_applications_but_those_with_one_of_their_own(
    app, provider, tmp_path
):
    provider.stage(
        app.package, provider.write(tmp_path / "tasks", "create schema if not exists state;" + TASK, MAY_HAVE_TASKS)
    )
    provider("create database if not exists policies")
    provider("create or replace feature policy policies.public.no_tasks blocked_object_types_for_creation = (TASKS)")
    provider("create or replace feature policy policies.public.anything blocked_object_types_for_creation = ()")
    install = (
        f"create application {app.name}_{{}} from application package {app.package} using @{app.package}.app_src.stage"
    )

    provider("alter account set feature policy policies.public.no_tasks for all applications")
    try:
        with pytest.raises(
            SqlError, match="POLICIES.PUBLIC.NO_TASKS of this account forbids applications to create TASKS"
        ):
            provider(install.format("a"))
        provider(f"{install.format('b')} with feature policy = policies.public.anything")
        with pytest.raises(SqlError, match="cannot be dropped"):
            provider("drop feature policy policies.public.no_tasks")
    finally:
        provider("alter account unset feature policy for all applications")
    provider(install.format("c"))
    provider(f"alter application {app.name}_c set feature policy policies.public.no_tasks")
    with pytest.raises(SqlError, match="NO_TASKS"):
        provider.upgrade(f"{app.name}_c", app.package)
    for statement in (
        "drop database policies",
        "drop schema policies.public",
        "create or replace database policies",
        "create or replace feature policy policies.public.no_tasks blocked_object_types_for_creation = ()",
    ):
        with pytest.raises(SqlError, match="cannot be dropped"):
            provider(statement)
    provider(f"alter application {app.name}_c unset feature policy")
    provider.upgrade(f"{app.name}_c", app.package)
    provider("drop feature policy policies.public.no_tasks")


SHARED = """
    create application role if not exists reader;
    create or alter versioned schema code;
    grant usage on schema code to application role reader;
    create view code.seen as select * from shared.v;
    grant select on view code.seen to application role reader;
    create procedure code.counts() returns int language sql as $$
    begin
        create or replace view code.again as select n from shared.v;
        return (select count(*) from shared.v join code.again using (n));
    end $$;
    grant usage on procedure code.counts() to application role reader;
    create procedure code.reads(name varchar) returns int language sql as $$
    begin
        let n int := (select max(n) from identifier(:name));
        return n;
    end $$;
    grant usage on procedure code.reads(varchar) to application role reader;
"""


@pytest.fixture
def sharing(provider, tmp_path):
    """A package that shares a table, and a view of another database; its application has a view of each."""
    number = next(names)
    place, pkg = f"other{number}", f"pkg{number}"
    provider.stage(pkg, provider.write(tmp_path, SHARED))
    for statement in (
        f"create database {place}",
        "create table t as select 7 as n",
        f"use application package {pkg}",
        "create schema shared",
        f"create view shared.v as select * from {place}.public.t",
        f"grant reference_usage on database {place} to share in application package {pkg}",
        f"grant usage on schema shared to share in application package {pkg}",
        f"grant select on view shared.v to share in application package {pkg}",
    ):
        provider(statement)
    return provider, f"app{number}", pkg, place


def test_an_application_shows_what_its_package_shares_and_the_consumer_sees_that_alone(sharing):
    provider, app, pkg, place = sharing
    provider.install(app, pkg)

    provider(f"insert into {place}.public.t values (8)")

    assert provider(f"select n from {app}.code.seen order by n") == [(7,), (8,)]
    assert provider(f"call {app}.code.counts()") == [(2,)]
    assert provider(f"call {app}.code.reads('{app}.shared.v')") == [(8,)]
    with pytest.raises(SqlError, match=f"'{pkg.upper()}' does not exist or not authorized"):
        provider(f"call {app}.code.reads('{pkg}.shared.v')")
    held = provider(f"show grants to share in application package {pkg}")
    assert {(row[1], row[4], row[5]) for row in held} == {
        (privilege, "APPLICATION PACKAGE SHARE", pkg.upper()) for privilege in ("REFERENCE_USAGE", "USAGE", "SELECT")
    }
    with pytest.raises(SqlError, match="does not exist or not authorized"):
        provider(f"select n from {app}.shared.v")


@pytest.mark.parametrize("privilege, what", [("select", "view shared.v"), ("usage", "schema shared")])
def test_what_a_package_shares_no_more_fails_in_its_applications(sharing, privilege, what):
    provider, app, pkg, _ = sharing
    provider.install(app, pkg)

    provider(f"revoke {privilege} on {what} from share in application package {pkg}")

    with pytest.raises(SqlError, match="Failure during expansion of view 'SEEN': .* does not exist or not authorized"):
        provider(f"select n from {app}.code.seen")


def test_a_package_shares_a_view_of_another_database_once_it_may_refer_to_that(sharing):
    provider, _, pkg, place = sharing

    provider(f"revoke reference_usage on database {place} from share in application package {pkg}")

    with pytest.raises(SqlError, match="Database 'NOWHERE' does not exist"):
        provider(f"grant reference_usage on database nowhere to share in application package {pkg}")
    with pytest.raises(SqlError, match="cannot reference objects from other databases"):
        provider(f"grant select on view shared.v to share in application package {pkg}")


def test_a_package_shares_its_own_only_and_to_read_only(sharing):
    provider, _, pkg, place = sharing

    for statement in (f"grant select on table {place}.public.t", "grant insert on view shared.v"):
        with pytest.raises(SqlError) as refused:
            provider(f"{statement} to share in application package {pkg}")
        assert refused.value.errno == 3008


LOGGING = """
    create or replace procedure code.tells(n int) returns int language sql as $$
    begin
        system$log('debug', 'unheard');
        system$log_info('n is ' || n);
        return 1 / n;
    exception when other then
        system$log_error(concat('failed: ', :sqlerrm));
    end $$;
    grant usage on procedure code.tells(int) to application role reader;
"""


def test_sql_logs_what_the_manifest_lets_out(app):
    manifest = "manifest_version: 2\nartifacts: {setup_script: setup.sql}\nconfiguration: {log_level: INFO}\n"
    app.stage("two", SETUP + LOGGING, manifest)
    app.upgrade()

    app("call app.code.tells(0)")

    told = app(
        'select record:severity_text::varchar, value::varchar, resource_attributes:"snow.executable.name"::varchar'
        f" from snowflake.telemetry.events where resource_attributes:\"snow.database.name\" = '{app.name.upper()}'"
        " and record_type = 'LOG' order by timestamp"
    )
    assert told == [
        ("INFO", "n is 0", "TELLS(NUMBER)"),
        ("ERROR", "failed: Division by zero", "TELLS(NUMBER)"),
    ]
    with pytest.raises(SqlError, match="not LOUD"):
        app("begin system$log('loud', 'x'); end")
