"""Snowflake's rules for native applications: for each one an application that keeps it and one that breaks it."""

import json
import re

import pytest
from local_account import tasks
from local_account.errors import SqlError

MANIFEST = """\
manifest_version: 2
artifacts: {setup_script: setup.sql, extension_code: true}
privileges:
  - EXECUTE TASK: {description: runs tasks}
  - EXECUTE MANAGED TASK: {description: without a warehouse}
"""
SETUP = """
create application role if not exists reader;
create schema if not exists state;
grant usage on schema state to application role reader;
create table if not exists state.notes (id int, text varchar);
create or alter versioned schema code;
grant usage on schema code to application role reader;
create or replace procedure code.hello() returns varchar language sql as $$ begin return 'hello'; end $$;
"""
FILES = {"more_sql": "select 1;", "circle_sql": "execute immediate from '/circle.sql';", "jinja_sql": "--!jinja\nselect 1;", "lib_py": "def run(session): return 1", "x__lib_py": ""}  # fmt: skip
TASK = "create or replace task state.t schedule = '1 minute' user_task_managed_initial_warehouse_size = 'XSMALL' suspend_task_after_num_failures = 5 user_task_timeout_ms = 50000"
ROOT = f"{TASK} as call code.hello();\n"
SLEEPING = f"alter task if exists state.t suspend; {ROOT}"
CHILD = "create or replace task state.{} after {} as call code.hello();\n"
PYTHON = "create or replace procedure {schema}.p({arguments}) returns int language python runtime_version = {version} packages = ({packages}) imports = ({imports}) handler = 'lib.run'{body};"


def sql(head="", body="begin return 1; end", name="code.p()"):
    return f"create or replace procedure {name} returns int language sql {head} as $$ {body} $$;"


def python(schema="code", arguments="", version="'3.11'", packages="'snowflake-snowpark-python'", imports="'/lib.py'", body=""):  # fmt: skip
    return PYTHON.format_map(locals())


# rule -> what keeps it, what breaks it, the number of the refusal. The installation refuses, and validation says so before.
STATEMENTS = {
    "SET-01": ("select 1;", "use schema state;", 90236),
    "SET-02": (sql("execute as owner"), sql("execute as caller"), 93202),
    "SET-03": ("create table if not exists state.t (id int);", "create or replace temporary table state.t (id int);", 93201),
    "SET-04": ("create or alter versioned schema more;", "create versioned schema more;", 2),
    "SET-10": ("grant select on table state.notes to application role reader;", "grant select on table state.notes to role public;", 3001),
    "SET-12": ("grant select on all tables in schema state to application role reader;", "grant select on future tables in schema state to application role reader;", 2),
    "SET-13": ("grant insert on table state.notes to application role reader;", "grant ownership on table state.notes to application role reader;", 3008),
    "SET-14": ("grant usage on procedure code.hello() to application role reader;", "grant select on procedure code.hello() to application role reader;", 3008),
    "SET-15": (sql(name="code.p(a int)") + "grant usage on procedure code.p(number) to application role reader;", "grant usage on procedure code.hello to application role reader;", 1003),
    "SET-21": ("execute immediate from './more.sql';", "execute immediate from './More.sql';", 93159),
    "SET-22": ("execute immediate from '/more.sql';", "execute immediate from @code.files/more.sql;", 1003),
    "SET-24": ("execute immediate from './more.sql';", "execute immediate from './circle.sql';", 93161),
    "SET-26": ("execute immediate from './more.sql';", "execute immediate from './jinja.sql';", 2),
    "SET-32": ("alter table state.notes add column if not exists extra int;", "alter table state.notes add column if not exists extra int default 0;", 2028),
    "SET-33": ("alter table state.notes add column extra int default 0;", "alter table state.notes add column extra int default uniform(1, 2, random());", 2263),
    "SET-36": ("create or alter table state.t (id int);", "create or alter table state.t (id int, check (id > 0));", 2),
    "SET-37": ("create or replace view code.v as select current_date() as c;", "create or replace view code.v as select current_warehouse() as c;", 2140),
    "SET-39": (sql("comment = 'level'"), sql("log_level = 'INFO'"), 2),
    "SET-40": ("create schema if not exists groups;", "create failover group g object_types = databases;", 2),
    "SET-41": ("create schema if not exists d;", "create warehouse if not exists w;", 3001),
    "SET-42": ("create table if not exists state.t (id int);", "create external table if not exists state.t (id int);", 2),
    "SET-43": ("select 1;", "remove @state.files;", 90236),
    "SCH-01": (ROOT, ROOT.replace("state.t", "code.t"), 93205),
    "SCH-04": (python(), python(schema="state"), 93203),
    "MAN-30": (sql(body="begin /* reference('later') */ return 'reference(''bound'')'; end"), "select reference('elsewhere');", 505026),
    "TSK-01": (SLEEPING + CHILD.format("c", "state.t"), ROOT + "create schema if not exists other; create or replace task other.c after state.t as select 1;", tasks.GRAPH_ERROR),
    "TSK-03": (SLEEPING + CHILD.format("c", "state.t"), ROOT + "create task if not exists state.c schedule = '1 minute' after state.t as select 1;", tasks.GRAPH_ERROR),
    "TSK-06": (ROOT, ROOT.replace("1 minute", "5 seconds"), tasks.GRAPH_ERROR),
    "TSK-12": (ROOT, ROOT.replace(" as ", " task_auto_retry_attempts = 31 as "), tasks.GRAPH_ERROR),
    "TSK-15": (ROOT, ROOT.replace(" as ", " warehouse = w as "), tasks.GRAPH_ERROR),
    "TSK-17": (ROOT.replace(" as ", " when true as "), ROOT.replace(" as ", " when (select true) as "), tasks.GRAPH_ERROR),
    "TSK-20": (ROOT.replace(" as ", " when true as "), ROOT.replace("schedule = '1 minute'", "").replace(" as ", " when true as "), tasks.GRAPH_ERROR),
    "TSK-27": (ROOT + "execute task state.t;", ROOT + CHILD.format("c", "state.t") + "execute task state.c;", tasks.GRAPH_ERROR),
    "PY-01": (python(), python(version="'3.9'"), 391531),
    "PY-03": (python(), python(packages=""), 391525),
    "PY-04": (python(packages="'snowflake-snowpark-python', 'pandas==2.*'"), python(packages="'snowflake-snowpark-python', 'pandas<3'"), 391525),
    "PY-06": (python(), python(imports="'lib.py'"), 93204),
    "PY-07": (python(), python(imports="'/lib.py', '/x/lib.py'"), 1008),
    "PY-11": (python(), python(body=" as $$def run(session): return 1$$"), 1003),
    "PY-22": (sql(name="code.p(a int, b int default 1)"), sql(name="code.p(a int default 1, b int)"), 1003),
    "UI-01": ("create or replace streamlit code.ui from '/' main_file = 'lib.py';", "create or replace streamlit code.ui from '/' main_file = 'Lib.py';", 93009),
    "PY-25": (sql(), sql(body=f"begin return '{'x' * 1_000_001}'; end"), 1003),
}  # fmt: skip
# As above, but only the account can see it: validation says nothing.
ONLY_WHEN_RUN = {
    "SET-31": ("drop schema if exists state;", "drop schema code;", 2),
    "SET-35": ("insert into state.notes (id) select 1; alter table state.notes add column extra int not null default 0;", "insert into state.notes (id) select 1; alter table state.notes add column extra int not null;", 2266),
    "PY-04": (python(), python(packages="'snowflake-snowpark-python', 'no-such-package'"), 391525),
    "TSK-02": (ROOT + CHILD.format("c", "state.t"), ROOT + CHILD.format("c", "state.t") + CHILD.format("t", "state.c"), tasks.GRAPH_ERROR),
    "TSK-07": (ROOT + CHILD.format("c", "state.t"), ROOT + "alter task state.t resume;" + CHILD.format("c", "state.t"), tasks.GRAPH_ERROR),
}  # fmt: skip
# rule -> bodies of a procedure: refused when it is called.
BODIES = {
    "PY-12": (
        "create or replace table state.t (id int);",
        "create scoped temporary table state.t (id int);",
        93201,
    ),  # what Snowpark's helpers send
    "PY-15": ("select 1;", "execute immediate 'use role public';", 90236),
    "PY-16": ("show tables in schema state;", "show variables;", 90236),
    "SET-40": ("create application role if not exists other;", "drop application if exists elsewhere;", 3001),
    "SET-03": ("create or replace table state.t (id int);", "create temporary table state.t (id int);", 93201),
    "SET-25": ("execute immediate from '/more.sql';", "execute immediate from './more.sql';", 1003),
    "SET-37": ("select current_date();", "select current_warehouse();", 2140),
    "STR-08": ("begin transaction; commit;", "begin transaction;", 90231),
    "TSK-24": ("select 1;", "alter session set autocommit = false;", 90236),
}
# rule -> a practice: validation warns, and the application can be installed.
PRACTICES = {
    "093351": ("create table if not exists state.t (id int);", "create table state.t (id int);"),
    "093352": ("create application role if not exists r;", "create application role r;"),
    "093353": ("create or replace view code.v as select 1 as c;", "create or replace view v as select 1 as c;"),
    "MAN-33": (None, python()),
    "PY-01": (python(), python(version="'3.10'")),
    "SCH-03": ("create table if not exists state.t (id int);", "create table if not exists code.t (id int);"),
    "SCH-05": ("create or replace streamlit code.ui from '/' main_file = 'lib.py';", "create or replace streamlit state.ui from '/' main_file = 'lib.py';"),
    "SCH-07": ("create schema if not exists state;", "create schema if not exists code;"),
    "SET-06": ("create application role if not exists r;", "create or replace application role r; drop application role r;"),
    "SET-08": ("create view if not exists state.v as select 1 as c;", "create view if not exists app.state.v as select 1 as c;"),
    "SET-09": ("create view if not exists state.v as select 1 as c;", "create view if not exists later.v as select 1 as c;"),
    "SET-11": ("grant select on table state.notes to application role reader;", "grant select on table state.notes to application role nobody;"),
    "SET-16": ("grant select on table state.notes to application role reader;", "create application role if not exists r; grant select on table state.notes to application role r;"),
    "SET-17": ("grant usage on procedure code.hello() to application role reader;", "grant usage on procedure code.hello() to application role reader;" + sql(name="code.hello()")),
    "SET-19": ("select 1;", "create or alter versioned schema other;"),
    "SET-27": ("begin; commit; create table if not exists state.t (id int);", "begin; create table if not exists state.t (id int); commit;"),
    "SET-28": ("insert into state.notes (id) select 1 where not exists (select 1 from state.notes);", "insert into state.notes (id) values (1);"),
    "SET-29": ("merge into state.notes t using (select 1 as id) s on t.id = s.id when not matched then insert (id) values (s.id);", "merge into state.notes t using (select 1 as id) s on t.id = s.id when matched then update set id = s.id;"),
    "SET-30": ("create table if not exists state.t (id int);", "create or replace table state.t (id int);"),
    "SET-31": ("create schema if not exists more;", "create or replace schema more;"),
    "SET-34": ("alter table state.notes add column if not exists extra int;", "alter table state.notes add column extra int;"),
    "SET-45": ("begin select 1; exception when other then raise; end;", "begin select 1; exception when other then return 1; end;"),
    "SET-46": (f"begin {ROOT} exception when other then raise; end;", ROOT),
    "STR-01": ("create stream if not exists state.s on table state.notes;", "create or replace stream state.s on table state.notes;"),
    "STR-12": ("alter table state.notes set comment = 'x';", "alter table state.notes set change_tracking = false;"),
    "SCH-06": (sql(name="code.p()"), sql(name="state.p()")),
    "TSK-11": (ROOT.replace(" as ", " overlap_policy = no_overlap as "), ROOT.replace(" as ", " overlap_policy = allow_child_overlap as ")),
    "TSK-13": (ROOT, ROOT.replace("suspend_task_after_num_failures = 5", "")),
    "TSK-14": (ROOT, ROOT.replace("user_task_timeout_ms = 50000", "")),
    "TSK-16": (ROOT, ROOT.replace("user_task_managed_initial_warehouse_size = 'XSMALL'", "")),
    "TSK-21": (ROOT, ROOT.replace("or replace", "or alter").replace(" as ", " target_completion_interval = '5 minutes' as ")),
    "UI-02": ("create or replace streamlit code.ui from '/' main_file = 'lib.py';", "create streamlit if not exists code.ui from '/' main_file = 'lib.py';"),
    "TSK-10": (ROOT, ROOT.replace("or replace task", "task if not exists")),
}  # fmt: skip


def with_(text):
    return MANIFEST + text


REFERENCE = "references:\n  - bound: {{label: l, description: d, privileges: [{0}], object_type: {1}, register_callback: code.hello{2}}}\n"
REGISTER = sql(name="code.register(a varchar, b varchar, c varchar)")
# rule -> the manifest's end, the setup script's end, for each of the two; the number
MANIFESTS = {
    "MAN-02": ("", "manifest_version: 2\n", 93300),
    "MAN-03": (None, "manifest_version: 3\n", 93302),
    "MAN-04": ("configuration: {}\n", "config: {}\n", 93301),
    "MAN-05": ("configuration: {log_level: INFO}\n", "configuration: {loglevel: INFO}\n", 93301),
    "MAN-06": ("version: {name: v-1.0}\n", f"version: {{name: {'v' * 31}}}\n", 93302),
    "MAN-08": (None, "manifest_version: 2\nartifacts: {setup_script: Setup.sql}\n", 93003),
    "MAN-10": ("", "manifest_version: 2\nartifacts: {default_streamlit: dashboard}\n", 93302),
    "MAN-12": ("", "manifest_version: 2\nartifacts: {default_streamlit: a.b, default_web_endpoint: {service: a.c, endpoint: e}}\n", 93302),
    "MAN-14": ("  - CREATE WAREHOUSE: {description: d}\n", "  - CREATE TABLE: {description: d}\n", 93302),
    "MAN-15": ("  - CREATE WAREHOUSE: {description: d}\n", "  - CREATE WAREHOUSE:\n    description: d\n", 93302),
    "MAN-21": ("configuration: {trace_level: ON_EVENT}\n", "configuration: {trace_level: SOMETIMES}\n", 93302),
    "MAN-23": ("configuration: {telemetry_event_definitions: [{type: TRACES, sharing: OPTIONAL}]}\n", "configuration: {telemetry_event_definitions: [{type: TRACES}]}\n", 93302),
    "MAN-25": ("lifecycle_callbacks: {version_initializer: code.hello}\n", "lifecycle_callbacks: {version_initializer: code.nobody}\n", 2003),
    "MAN-26": ("lifecycle_callbacks: {version_initializer: code.hello}\n", "lifecycle_callbacks: {version_initializer: state.hello}\n", 93206),
    "MAN-27": (REFERENCE.format("USAGE", "WAREHOUSE", "_3"), REFERENCE.format("USAGE", "WAREHOUSE", ""), 2003),
    "MAN-28": (REFERENCE.format("USAGE", "WAREHOUSE", "_3"), REFERENCE.format("SELECT", "WAREHOUSE", "_3"), 93302),
    "MAN-29": (REFERENCE.format("USAGE", "EXTERNAL_ACCESS_INTEGRATION", "_3, configuration_callback: code.hello"), REFERENCE.format("USAGE", "SECRET", "_3"), 93302),
}  # fmt: skip
BARE = {"MAN-09", "MAN-19", "SET-18"}  # what is said of the application without anything added
ALSO = sql(name="state.hello()") + sql(name="code.hello_3(a varchar, b varchar, c varchar)")
numbers = iter(range(1000))


@pytest.fixture
def app(provider, tmp_path):
    class App:
        name, package = f"rules_app{next(numbers)}", f"rules_pkg{next(numbers)}"
        roots = iter(range(10))

        def stage(self, more="", manifest=MANIFEST, setup=SETUP):
            root = provider.write(tmp_path / str(next(self.roots)), setup + more, manifest, **FILES)
            provider.stage(self.package, root)

        def install(self, *staged):
            self.stage(*staged)
            provider.install(self.name, self.package)
            provider(f"drop application {self.name}")

        def report(self, *staged):
            self.stage(*staged)
            return json.loads(provider.value(f"call system$validate_native_app_setup('@{self.package}.app_src.stage')"))

    return App()


def warnings(report):
    assert report["errors"] == []
    return {found["errorCode"] for found in report["warnings"]}


def refused(error, errno):
    return errno is None or error.value.errno == errno or f"{errno:06d}" in error.value.message


@pytest.mark.parametrize("rule", STATEMENTS)
def test_the_script_is_refused_by_validation_and_by_the_installation(app, rule):
    keeps, breaks, errno = STATEMENTS[rule]

    app.install(keeps)
    assert app.report(keeps)["errors"] == []
    with pytest.raises(SqlError) as error:
        app.install(breaks)
    assert refused(error, errno)
    assert rule in error.value.message
    assert f"{errno:06d}" in [found["errorCode"] for found in app.report(breaks)["errors"]]


@pytest.mark.parametrize("rule", ONLY_WHEN_RUN)
def test_the_script_is_refused_by_the_installation(app, rule):
    keeps, breaks, errno = ONLY_WHEN_RUN[rule]
    manifest = MANIFEST + REFERENCE.format("USAGE", "WAREHOUSE", "_3")

    app.install(keeps + ALSO if "drop" not in keeps else keeps, manifest if "drop" not in keeps else MANIFEST)
    with pytest.raises(SqlError) as error:
        app.install(breaks + ALSO, manifest)
    assert refused(error, errno)
    assert rule in error.value.message


@pytest.mark.parametrize("rule", BODIES)
def test_a_procedure_is_refused_when_it_is_called(app, provider, rule):
    *bodies, errno = BODIES[rule]
    calls = [sql(body=f"begin {body} return 1; end") + "call code.p();" for body in bodies]

    app.install(calls[0])
    with pytest.raises(SqlError) as error:
        app.install(calls[1])
    assert refused(error, errno)


@pytest.mark.parametrize("rule", BODIES)
def test_validation_sees_what_a_call_would_be_refused(app, rule):
    keeps, breaks, _ = BODIES[rule]

    assert app.report(sql(body=f"begin {keeps} return 1; end"))["errors"] == []
    assert len(app.report(sql(body=f"begin {breaks} return 1; end"))["errors"]) == 1


@pytest.mark.parametrize("rule", PRACTICES)
def test_validation_warns_of_a_practice(app, rule):
    keeps, breaks = PRACTICES[rule]
    bare = MANIFEST.replace(", extension_code: true", "") if rule == "MAN-33" else MANIFEST
    assert rule not in warnings(app.report(keeps or breaks))
    assert rule in warnings(app.report(breaks, bare))


@pytest.mark.parametrize("rule", MANIFESTS)
def test_a_manifest_is_refused_by_validation_and_by_the_installation(app, rule):
    keeps, breaks, errno = MANIFESTS[rule]

    app.install(ALSO, MANIFEST + (keeps or ""))
    assert app.report(ALSO, MANIFEST + (keeps or ""))["errors"] == []
    broken = breaks if breaks.startswith("manifest") and rule != "MAN-02" else MANIFEST + breaks
    with pytest.raises(SqlError) as error:
        app.install(ALSO, broken)
    assert refused(error, errno)
    assert rule in error.value.message
    assert rule in str(app.report(ALSO, broken)["errors"])


@pytest.mark.parametrize(
    ("manifest", "statement", "errno"),
    [
        (MANIFEST.replace("EXECUTE TASK", "READ SESSION"), ROOT + "alter task state.t resume;", 91_089),
        (MANIFEST.replace("EXECUTE MANAGED TASK", "READ SESSION"), ROOT, 3001),
        (MANIFEST.replace("manifest_version: 2", "manifest_version: 1"), ROOT, 3001),
    ],
    ids=["MAN-17", "MAN-18", "MAN-20"],
)
def test_tasks_need_the_privileges_of_the_manifest(app, manifest, statement, errno):
    app.install(statement)
    with pytest.raises(SqlError) as error:
        app.install(statement, manifest)
    assert refused(error, errno)


@pytest.mark.parametrize(
    ("change", "errno"),
    [
        ("configuration: {trace_level: ON_EVENT}\n", "MAN-22"),
        ("  - EXECUTE TASK: {description: twice}\n", "MAN-16"),
        ("  - CREATE COMPUTE POOL: {description: d}\n", "MAN-13"),
        ("configuration: {telemetry_event_definitions: [{type: TRACES, sharing: MANDATORY}]}\n", "MAN-24"),
    ],
)
def test_validation_warns_of_what_the_manifest_says(app, change, errno):
    assert warnings(app.report()) == BARE
    assert errno in str(app.report("", MANIFEST + change)["warnings"])


def test_an_empty_setup_script_is_no_setup_script(app):
    with pytest.raises(SqlError) as error:
        app.install("", MANIFEST, "")
    assert refused(error, 93084)


@pytest.mark.parametrize(
    ("rule", "statement", "manifest", "errno"),
    [
        ("VER-09", f"register version {'v' * 31} using", MANIFEST, 93035),
        ("VER-09", "add patch 131 for version v1 using", MANIFEST, 93167),
        ("MAN-07", "register version v2 using", MANIFEST + "version: {patch: 1}\n", 93170),
        ("MAN-31", "add patch for version v1 using", MANIFEST.replace("version: 2", "version: 1"), 93171),
    ],
)
def test_versions(app, provider, rule, statement, manifest, errno):
    app.stage()
    provider(f"alter application package {app.package} register version v1 using @{app.package}.app_src.stage")
    app.stage("", manifest)

    with pytest.raises(SqlError, match=rule) as error:
        provider(f"alter application package {app.package} {statement} @{app.package}.app_src.stage")
    assert refused(error, errno)


def test_no_task_uses_a_warehouse_that_is_not_bound_yet(app):
    """TSK-22"""
    bound = MANIFEST + REFERENCE.format("USAGE", "WAREHOUSE", "_3")
    task = "create or replace task state.t warehouse = reference('bound') schedule = '1 minute' as select 1;"

    app.install(ALSO, bound)
    assert "TSK-22" in str(app.report(task + ALSO, bound)["errors"])
    with pytest.raises(SqlError, match="TSK-22"):
        app.install(task + ALSO, bound)


@pytest.mark.parametrize(
    "grant",
    [
        "insert on view code.v",
        "insert on all views in schema code",
        "usage on warehouse local_wh",
        "usage on database x",
    ],
)
def test_only_what_fits_is_granted_to_an_application_role(app, grant):
    """SET-14"""
    view = "create or replace view code.v as select 1 as c;"
    app.install(view + "grant select on view code.v to application role reader;")
    assert app.report(f"{view} grant {grant} to application role reader;")["errors"]
    with pytest.raises(SqlError, match="SET-14|does not exist"):
        app.install(f"{view} grant {grant} to application role reader;")


def test_a_procedure_may_grant_on_what_it_makes_outside_the_application(app):
    made = "create database if not exists outside; grant usage on database outside to application role reader;"
    script = f"create or replace procedure code.makes() returns int language sql as 'begin {made} return 1; end';"

    assert not app.report(script)["errors"]


def test_an_error_says_file_line_statement_rule_and_remedy(app):
    broken = "create versioned schema more;"
    said = r"/setup.sql, line 9: .*write CREATE OR ALTER VERSIONED SCHEMA \(rule SET-04\)[\s\S]*in: create versioned"
    assert re.search(said, app.report(broken)["errors"][0]["message"])
    with pytest.raises(SqlError, match=said):
        app.install(broken)


@pytest.mark.parametrize("body, errors", [(python(version="'3.8'"), 1), (sql().replace("sql", "javascript"), 0)])
def test_grants_of_what_is_refused_or_of_another_language_are_no_fault_besides(app, body, errors):
    report = app.report(f"{body} grant usage on procedure code.p() to application role reader;")

    assert len(report["errors"]) == errors


def test_a_graph_has_limits(app, monkeypatch):
    """TSK-05"""
    monkeypatch.setattr(tasks, "MOST_CHILDREN", 1)
    app.install(ROOT + CHILD.format("c", "state.t"))
    with pytest.raises(SqlError, match="TSK-05"):
        app.install(ROOT + CHILD.format("c", "state.t") + CHILD.format("d", "state.t"))


PANDAS = """
import pandas
class Count:
    def end_partition(self, given): return pandas.DataFrame({"N": [len(given)]})
Count.end_partition._sf_vectorized_input = pandas.DataFrame
"""


def test_a_vectorised_table_function_is_called_by_partition(app):
    """PY-31"""
    head = "language python runtime_version = '3.11' packages = ('pandas') handler = 'Count'"
    code = f"create or replace function code.f(a int) returns table (n int) {head} as $${PANDAS}$$;"

    app.install(f"{code} select n from (select 1 as a) s, table(code.f(s.a) over (partition by s.a));")
    with pytest.raises(SqlError, match="PY-31"):
        app.install(f"{code} select n from table(code.f(1));")


@pytest.mark.parametrize(
    "statement",
    ["create tag if not exists {}.x;", "create masking policy if not exists {}.x as (v int) returns int -> 1;"],
)
def test_no_tag_or_policy_stands_in_a_versioned_schema(app, statement):
    """SCH-02"""
    assert "SCH-02" in str(app.report(statement.format("code"))["errors"])
    assert "SCH-02" not in str(app.report(statement.format("state"))["errors"])


def test_the_default_streamlit_is_there_and_granted(app):
    """MAN-10, MAN-11"""
    manifest = MANIFEST.replace("true}", "true, default_streamlit: code.ui}")
    created = "create or replace streamlit code.ui from '/' main_file = 'lib.py';"
    granted = created + "grant usage on streamlit code.ui to application role reader;"

    app.install(granted, manifest)
    assert warnings(app.report(granted, manifest)) == BARE | {"UI-03", "UI-04", "UI-05"}  # there is no environment.yml
    assert "MAN-11" in str(app.report(created, manifest)["warnings"])
    assert "MAN-10" in str(app.report("", manifest)["errors"])
    with pytest.raises(SqlError, match="MAN-10"):
        app.install("", manifest)


def test_restricted_callers_rights_are_declared(app):
    """SET-02"""
    restricted = sql("execute as restricted caller")
    with pytest.raises(SqlError, match="SET-02"):
        app.install(restricted)
    with pytest.raises(SqlError, match="Unsupported feature"):
        app.install(restricted, MANIFEST + "restricted_callers_rights: {enabled: true, description: d}\n")


def test_debug_mode_is_not_for_manifest_2(app, provider):
    """MAN-34"""
    app.stage()
    provider.install(app.name, app.package)
    with pytest.raises(SqlError, match="MAN-34"):
        provider(f"alter application {app.name} set debug_mode = true")
    with pytest.raises(SqlError, match="MAN-34"):
        provider(
            f"create application {app.name}_2 from application package {app.package} using @{app.package}.app_src.stage debug_mode = true"
        )


def test_a_manifest_is_at_the_root(app, provider):
    """MAN-01"""
    app.stage()
    provider(f"create schema {app.package}.empty")
    provider(f"create stage {app.package}.empty.stage")
    with pytest.raises(SqlError, match="MAN-01"):
        provider(
            f"create application {app.name} from application package {app.package} using @{app.package}.empty.stage"
        )


def test_literals_comments_and_python_are_no_statements(app):
    text = "create or replace view code.v as select 'use schema x; create temporary table t' as c; -- use role r\n"
    body = " as $$\n# use schema x\ndef run(session): 'current_warehouse()'\n$$"
    code = python(imports="", body=body).replace("imports = ()", "").replace("lib.run", "run")

    assert warnings(app.report(text + code)) == BARE
