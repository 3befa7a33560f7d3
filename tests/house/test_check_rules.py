"""Each rule that scripts/check decides: a bundle that keeps it, and one that breaks it."""

import re
from pathlib import Path

import pytest
from checks import rules, validation
from checks.bundle import Bundle
from checks.rules import code, manifest, setup, staged, streamlit, tasks, versions  # noqa: F401

ROOT = Path(__file__).resolve().parents[2]

MANIFEST = """\
manifest_version: 2
version: {name: v2}
artifacts: {setup_script: setup.sql, readme: README.md, extension_code: true, default_streamlit: code.page}
lifecycle_callbacks: {version_initializer: code.start}
privileges:
  - EXECUTE TASK: {description: runs tasks}
  - EXECUTE MANAGED TASK: {description: without a warehouse}
"""
TASKS = """
begin
alter task if exists state.root suspend;
create or replace task state.root schedule = '30 minutes' user_task_managed_initial_warehouse_size = 'XSMALL'
    suspend_task_after_num_failures = 5 user_task_timeout_ms = 60000 as call code.start();
create or replace task state.child user_task_managed_initial_warehouse_size = 'XSMALL' user_task_timeout_ms = 60000
    after state.root as call code.take();
alter task state.child resume;
alter task state.root resume;
exception when other then raise; end;
"""
TAKES = "insert into state.kept (id) select id from state.news;"
SETUP = f"""
create application role if not exists reader;
create schema if not exists state;
create table if not exists state.notes (id number not null, text varchar) max_data_extension_time_in_days = 60;
create table if not exists state.kept (id number);
create stream if not exists state.news on table state.notes append_only = true;
create or alter versioned schema code;
grant usage on schema code to application role reader;
create or replace procedure code.start() returns varchar language sql as $$ begin return 'started'; end; $$;
create or replace procedure code.take() returns varchar language sql as $$
begin
    begin transaction;
    {TAKES}
    commit;
    return 'taken';
exception
    when other then
        rollback;
        raise;
end;
$$;
create or replace procedure code.count_words(text varchar) returns number language python runtime_version = '3.11'
packages = ('snowflake-snowpark-python') imports = ('/lib.py') handler = 'lib.count_words';
grant usage on procedure code.count_words(varchar) to application role reader;
create or replace streamlit code.page from '/ui' main_file = 'page.py';
grant usage on streamlit code.page to application role reader;
{TASKS}
"""
LIBRARY = """
import json

def count_words(session, text):
    return len(json.loads(session.sql("select to_json(split(?, ' '))", params=[text]).collect()[0][0]))
"""
PAGE = """
import streamlit as st
from snowflake.snowpark.context import get_active_session

st.dataframe(get_active_session().sql("select count(*) from state.notes").collect())
"""
ENVIRONMENT = (
    "name: page\nchannels: [snowflake]\ndependencies: [python=3.11, streamlit=1.52.2, snowflake-snowpark-python]\n"
)
README = """\
# Notes
## The first steps
```sql
call count_words('two words');
select * from state.notes;
```
## Who may do what
## Privileges
## Cost
## Queries
## Removing it
"""
PROJECT = """\
# The warehouse is the connection's.
definition_version: 2
entities:
  package:
    type: application package
    identifier: notes_pkg
    stage: source.stage
    enable_release_channels: true
    artifacts: [{src: app/*, dest: ./}]
  application:
    type: application
    identifier: notes
    from: {target: package}
"""
FILES = {"manifest.yml": MANIFEST, "setup.sql": SETUP, "lib.py": LIBRARY, "README.md": README}
FILES |= {"ui/page.py": PAGE, "ui/environment.yml": ENVIRONMENT}


def script(more: str = "", *, without: str = "", instead: str = "") -> dict[str, str]:
    assert without in SETUP
    return {"setup.sql": SETUP.replace(without, instead) + more}


def about(more: str = "", *, without: str = "", instead: str = "") -> dict[str, str]:
    assert without in MANIFEST
    return {"manifest.yml": MANIFEST.replace(without, instead) + more}


def library(more: str) -> dict[str, str]:
    return {"lib.py": f"{LIBRARY}\n{more}\n"}


def page(more: str) -> dict[str, str]:
    return {"ui/page.py": f"{PAGE}\n{more}\n"}


def project(without: str, instead: str) -> dict[str, str]:
    assert without in PROJECT
    return {"../snowflake.yml": PROJECT.replace(without, instead)}


def sql(name: str, body: str, arguments: str = "") -> str:
    return f"create or replace procedure code.{name}({arguments}) returns varchar language sql as $$ begin {body} end; $$;\n"


def python(head: str) -> dict[str, str]:
    """The Python procedure with another head."""
    runtime, _, rest = head.partition("|")
    return script(without=runtime, instead=rest)


BOUND = """references:
  - bound: {label: l, description: d, privileges: [USAGE], object_type: WAREHOUSE, register_callback: code.bind}
"""
GRANTED = "grant usage on procedure code.p() to application role reader;"
# rule -> what breaks it: files that differ from those above, which keep every rule; or what keeps it in its own way, and what breaks it.
EXAMPLES: dict[str, dict[str, str] | tuple[dict[str, str], dict[str, str]]] = {
    "MAN-07": about(without="{name: v2}", instead="{name: v2, patch: 1}"),
    "MAN-09": (about(), about(without="README.md", instead="LIESMICH.md")),
    "MAN-13": about("  - CREATE COMPUTE POOL: {description: d}\n"),
    "MAN-19": (
        script("create warehouse w;") | about("  - CREATE WAREHOUSE: {description: d}\n"),
        about("  - CREATE WAREHOUSE: {description: d}\n"),
    ),
    "MAN-20": about(without="manifest_version: 2", instead="manifest_version: 1") | script("call code.start();"),
    "MAN-26": script(without="procedure code.start()", instead="procedure code.start(a number)"),
    "MAN-27": (
        script(sql("bind", "return a;", "a varchar, b varchar, c varchar"))
        | about(BOUND),
        script(sql("bind", "return a;", "a varchar")) | about(BOUND),
    ),
    "MAN-34": project("from: {target", "debug: true\n    from: {target"),
    "SET-03": (
        library("def f(session): session.sql('create table t (id int)')"),
        library("T = 'create temporary table t (id int)'\ndef f(session): session.sql(T)"),
    ),
    "SET-18": (script(sql("p", "return 1;") + GRANTED), script(sql("p", "return 1;"))),
    "SET-20": script("grant usage on procedure code.start() to application role reader;"),
    "SET-26": script("-- <% ctx.env.forgotten %>"),
    "SET-33": (
        script("alter table state.kept add column more number default 0;"),
        script("alter table state.kept add column more number default uniform(1, 2, random());"),
    ),
    "SET-35": (
        script("alter table state.kept add column more number not null default 0;"),
        script("alter table state.kept add column more number not null;"),
    ),
    "SET-37": (
        library("def f(session): session.sql('select current_date()')"),
        library("def f(session): session.sql('select current_warehouse()')"),
    ),
    "SET-38": script(sql("p", "return current_user();") + sql("q", "insert into state.kept select 1 where current_role() = 'X'; return 1;")),
    "SET-44": (
        script("create tag if not exists state.t; alter table state.kept set tag state.t = 'x';"),
        script("create tag if not exists state.t; alter table code.kept set tag state.t = 'x';"),
    ),
    "SET-47": script(without="create table if not exists state.kept (id number);"),
    "SCH-06": script("create or replace procedure state.p() returns varchar language sql as $$ begin return 1; end; $$;"),
    "SCH-07": script(without="create schema if not exists state;", instead="create or alter versioned schema state;"),
    "SCH-08": project("artifacts:", "meta: {post_deploy: [{sql_script: hook.sql}]}\n    artifacts:")
    | {"../hook.sql": "create or replace view outside.v as select * from notes.state.kept;"},
    "SCH-09": (
        script("create or replace task state.more after state.root as begin call code.more(); exception when other then return 1; end;"),
        script(sql("more", "return 1;") + "create or replace task state.more after state.root as call code.more();"),
    ),
    "TSK-04": (
        script("create or replace task state.last finalize = 'state.root' as call code.start();"),
        script("create or replace task state.last finalize = 'state.root' schedule = '1 minute' as call code.start();"),
    ),
    "TSK-07": script(without="alter task if exists state.root suspend;"),
    "TSK-08": script(without="alter task state.child resume;", instead="alter task state.root resume;alter task state.child resume;"),
    "TSK-09": script(without="alter task state.child resume;"),
    "TSK-11": script(without="suspend_task", instead="allow_overlapping_execution = true suspend_task"),
    "TSK-13": script(without="suspend_task_after_num_failures = 5"),
    "TSK-14": (script(), script(without="30 minutes", instead="1 minutes")),
    "TSK-16": script(without="user_task_managed_initial_warehouse_size = 'XSMALL' user", instead="user"),
    "TSK-18": (
        script("create or replace task state.t schedule = '1 minute' when system$stream_has_data('state.news') as call code.take();"),
        script("create or replace task state.t schedule = '1 minute' when system$stream_has_data('news') as call code.take();"),
    ),
    "TSK-19": (
        script("alter task state.root suspend; create or replace task state.t after state.child when true as call code.take();"),
        script(without="after state.root", instead="after state.root when true")
        | {},
    ),
    "TSK-21": script("create or alter task state.t target_completion_interval = '5 minutes' as call code.take();"),
    "TSK-23": (
        script("alter task state.root suspend; create or replace task state.t after state.child as begin call code.take(); exception when other then return 1; end;"),
        script("alter task state.root suspend; create or replace task state.t after state.child as call code.take(1);"),
    ),
    "TSK-26": (
        script(sql("p", "return system$get_predecessor_return_value('ROOT');") + sql("q", "insert into state.kept select system$get_predecessor_return_value('ROOT'); return 1;")),
        script(sql("q", "insert into state.kept select system$get_predecessor_return_value('root'); return 1;")),
    ),
    "STR-02": script("drop table if exists state.notes;"),
    "STR-03": script(sql("p", "insert into state.kept (id) select id from state.news; return 1;")),
    "STR-04": script(without=TAKES, instead="select count(*) from state.news;"),
    "STR-05": (
        script(without=TAKES, instead=TAKES * 2),
        script(without=f"begin transaction;\n    {TAKES}\n    commit;", instead=TAKES * 2),
    ),
    "STR-07": script(without="commit;", instead="create table if not exists state.t (id number); commit;"),
    "STR-08": script(without="commit;"),
    "STR-09": script(without="max_data_extension_time_in_days = 60"),
    "STR-10": script(without="text varchar)", instead="text varchar not null)"),
    "STR-11": script(without=" append_only = true"),
    "PY-02": library("def f(:"),
    "PY-05": python("packages =|artifact_repository = 'pypi' packages ="),
    "PY-08": python("lib.count_words|lib.count"),
    "PY-09": {"lib.py": LIBRARY.replace("(session, text)", "(session)")},
    "PY-10": (python("'snowflake-snowpark-python'|'snowflake-snowpark-python', 'numpy'") | library("import numpy"), library("import numpy")),
    "PY-12": library("def f(frame): frame.cache_result()"),
    "PY-13": (library("def f(session): session.create_dataframe([1, 2])"), library("def f(session, rows): session.create_dataframe(rows)")),
    "PY-14": (library("def f(d): d.write.save_as_table('t', mode='append')"), library("def f(d): d.write.save_as_table('t', mode='overwrite')")),
    "PY-15": library("def f(session): session.use_schema('x')"),
    "PY-16": (library("def f(session): session.sql('show tables in schema state')"), library("def f(session): session.sql('alter session set timezone = UTC')")),
    "PY-17": (
        library("Q = 'select 1'\ndef f(session, x): session.sql(Q + ' as c'); session.sql('select ?', params=[x])"),
        library("def f(session, x): session.sql(f'select {x}')"),
    ),
    "PY-18": library("def f(x): return eval(x)"),
    "PY-19": library("import urllib.request"),
    "PY-20": library("import subprocess"),
    "PY-21": (library("def f(): open('/tmp/x', 'w')"), library("def f(): open('x', 'w')")),
    "PY-22": script(sql("p", "return 1;", "a number default 1") + sql("p", "return 1;", "a number, b number")),
    "PY-23": (
        script(sql("p", "call code.count_words('a, b'); return 1;")),
        script(sql("p", "call code.count_words('a', 'b'); return 1;")),
    ),
    "PY-28": library("password = 'correct-horse-battery'"),
    "PY-29": library("import random"),
    "PY-30": (
        script(sql("p", "insert into state.kept select 1 where sysdate() > to_timestamp_ntz('2026', 'YYYY'); return 1;")),
        script(sql("p", "insert into state.kept select 1 where current_timestamp() > '2026-01-01'; return 1;")),
    ),
    "UI-01": script(without="main_file = 'page.py'", instead="main_file = 'Page.py'"),
    "UI-02": script(without="create or replace streamlit", instead="create streamlit if not exists"),
    "UI-03": {"ui/environment.yml": ENVIRONMENT.replace("snowflake]", "conda-forge]")},
    "UI-04": {"ui/environment.yml": ENVIRONMENT.replace("1.52.2", "1.33.0")},
    "UI-05": page("st.no_such_thing()"),
    "UI-06": page("st.image('x.png')"),
    "UI-07": (
        page("try:\n    import snowflake.permissions\nexcept ImportError:\n    pass")
        | {"ui/environment.yml": ENVIRONMENT.replace("streamlit=", "snowflake-native-apps-permission, streamlit=")},
        page("import snowflake.permissions"),
    ),
    "UI-08": (page("ask.request_account_privileges(['EXECUTE TASK'])"), page("ask.request_account_privileges(['CREATE DATABASE'])")),
    "UI-09": page("st.html('<script src=x></script>')"),
    "UI-10": (page("Q = 'select id from gold.big limit 10'"), page("Q = 'select id from gold.big'")),
    "UI-11": page("st.write(st.user)"),
    "UI-12": {"ui/environment.yml": ENVIRONMENT.replace("python=3.11", "python=3.12")},
    "UI-13": page("Q = 'select count(*) from state.nothing'"),
    "UI-14": page("Q = 'drop table state.notes'"),
    "CLI-01": project("definition_version: 2", "definition_version: 1.1"),
    "CLI-02": project("identifier: notes_pkg", "identifier: notes_pkg\n    colour: green"),
    "CLI-03": project("src: app/*", "src: apps/*"),
    "CLI-04": project("source.stage", "stage"),
    "CLI-05": project("target: package", "target: parcel"),
    "CLI-06": project("identifier: notes_pkg", "identifier: notes_pkg\n    children: {}"),
    "CLI-07": project("from: {target", "telemetry: {optional_shared_events: [TRACES]}\n    from: {target"),
    "CLI-08": project("artifacts:", "meta: {post_deploy: [{sql_script: nothing.sql}]}\n    artifacts:"),
    "CLI-09": project("# The warehouse is the connection's.", "# Notes."),
    "CLI-10": {"tests/test_page.py": ""},
    "CLI-11": {"forgotten.sql": "select 1;"},
    "CLI-12": project("    enable_release_channels: true\n", ""),
    "MKT-01": {"README.md": README.replace("## Cost\n", "")},
    "MKT-02": {"README.md": README.replace("count_words(", "count_letters(")},
    "MKT-03": library(f"x = '{'a' * 3000}'"),
    "MKT-05": {"marketplace.yml": "x: 1"},
    "MAN-32": about(without="manifest_version: 2", instead="manifest_version: 1"),
    "VER-01": (
        script(
            "alter table state.kept add column if not exists more number;",
            without="state.kept (id number)", instead="state.kept (id number, more number)",
        ),
        script(without="state.kept (id number)", instead="state.kept (id varchar)"),
    ),
    "VER-02": script(without="procedure code.start()", instead="procedure code.start(a number default 1)"),
    "VER-08": script(without="create application role if not exists reader;"),
    "VER-09": about(without="v2", instead="v" * 31),
    "VER-10": script(without="grant usage on procedure code.count_words(varchar) to application role reader;"),
}  # fmt: skip


@pytest.fixture
def made(tmp_path):
    """A project of these files, and the release before it, whose files are those above."""

    def bundle(name: str, files: dict[str, str]) -> Bundle:
        root = tmp_path / name / "bundle"
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        return Bundle(root)

    def make(changed: dict[str, str]) -> rules.Project:
        files = FILES | {"../snowflake.yml": PROJECT, "../app/x": ""} | changed
        last = bundle("last", FILES | {"manifest.yml": MANIFEST.replace("v2", "v1")})
        return rules.Project(bundle("new", files), tmp_path / "new", last)

    return make


@pytest.mark.parametrize("rule", EXAMPLES)
def test_a_rule_finds_what_breaks_it_and_nothing_else(made, rule):
    example = EXAMPLES[rule]
    keeps, breaks = example if isinstance(example, tuple) else ({}, example)
    if rule == "TSK-19":
        breaks |= {
            "setup.sql": breaks["setup.sql"]
            + "alter task state.root suspend; create or replace task state.g after state.child as call code.take();"
        }

    assert list(rules.DECISIONS[rule](made(keeps))) == []
    assert list(rules.DECISIONS[rule](made(breaks))) != []


OTHERWISE = {"PY-05"}  # the account does not know the clause, and says so
BY_THE_BUNDLE = [
    id_
    for id_, decide in rules.DECISIONS.items()
    if decide.__module__ not in (staged.__name__, versions.__name__) and id_ not in OTHERWISE
]


@pytest.mark.parametrize("rule", BY_THE_BUNDLE)
def test_validation_reports_a_rule_by_its_gravity(made, rule):
    breaks = EXAMPLES[rule][1] if isinstance(EXAMPLES[rule], tuple) else EXAMPLES[rule]
    report = validation.report_on(made(breaks).bundle.root, "the bundle")
    is_error = rules.register()[rule].severity == rules.ERROR and rule != "UI-06"  # Snowflake's pages differ on it

    assert f"rule {rule})" in str(report["errors" if is_error else "warnings"])
    assert is_error or report["errors"] == []


# What Snowflake takes, although it breaks the letter of a rule that it enforces otherwise.
TAKEN = {
    "MAN-07": about(without="{name: v2}", instead="{name: v2, patch: 0}"),
    "PY-08": python("lib.count_words|lib.count") | library("count = count_words"),
    "PY-16": library("HELP = 'Use warehouse W for this page'"),
    "SET-26": library("LINK = 'x=1&{y}'"),
    "STR-08": script(without="raise;", instead="return 'failed';"),
    "UI-03": {"ui/environment.yml": "dependencies: [streamlit=1.52.2]\n"},
    "UI-05": {"ui/environment.yml": ENVIRONMENT.replace("1.52.2", "1.51.0")} | page("st.no_such_thing()"),
    "UI-06": page("st.image('x.png')"),
    "UI-07": page("import snowflake.permissions") | {"ui/environment.yml": ENVIRONMENT.replace("streamlit=", "snowflake-native-apps-permission, streamlit=")},
    "UI-09": {"ui/.streamlit/config.toml": ""},
    "UI-12": {"ui/environment.yml": ENVIRONMENT.replace("python=3.11", "python=3.10")},
}  # fmt: skip


@pytest.mark.parametrize("rule", TAKEN)
def test_validation_warns_of_what_snowflake_takes_nevertheless(made, rule):
    report = validation.report_on(made(TAKEN[rule]).bundle.root, "the bundle")

    assert report["errors"] == []
    assert f"(rule {rule})" in str(report["warnings"])


# What looks like a fault, and is none.
KEPT = {
    "PY-09": {"lib.py": LIBRARY.replace("(session, text)", "(session)") + "count_words._sf_vectorized_input = None\n"},
    "PY-15": page("get_active_session().use_warehouse('w')"),
    "PY-16": page("get_active_session().sql('use warehouse w')"),
    "SET-26": script("create or replace function code.f() returns varchar language python runtime_version = '3.11' handler = 'f' as $$\ndef f(): return f'{{}}'\n$$;"),
    "TSK-07": script(sql("sleep", "alter task if exists state.root suspend; return 1;") + "call code.sleep();", without=TASKS) | script(TASKS.replace("alter task if exists state.root suspend;", "call code.start();"), without=TASKS),
}  # fmt: skip


@pytest.mark.parametrize("rule", KEPT)
def test_a_rule_finds_nothing_where_nothing_is(made, rule):
    assert list(rules.DECISIONS[rule](made(KEPT[rule]))) == []


def test_python_that_stands_in_the_script_is_looked_at_too(made):
    body = "def f(session): session.use_role('x')"
    inline = f"create or replace procedure code.f() returns varchar language python runtime_version = '3.11' packages = ('snowflake-snowpark-python') handler = 'f' as $$\n{body}\n$$;"

    assert [place for place, *_ in rules.DECISIONS["PY-15"](made(script(inline)))] == ["setup.sql, line 38, line 2"]


def test_files_that_keep_every_rule_are_found_nothing_of(made):
    assert list(map(str, rules.findings(made({})))) == []


def test_every_rule_is_decided_by_what_the_register_says():
    register = rules.register()
    account = (ROOT / "tests/local_account/test_rules.py").read_text()

    assert len(register) == 204
    assert (
        {id_ for id_, rule in register.items() if rule.decided_by == "check"} == set(rules.DECISIONS) == set(EXAMPLES)
    )
    assert {rule.decided_by.split()[0] for rule in register.values()} == {"account", "check", "test", "a"}
    for rule in register.values():
        if rule.decided_by == "account":
            aliases = {"SET-05": "093351", "SET-07": "093353", "SET-23": "SET-21", "PY-26": "SET-02"}
            assert aliases.get(rule.id, rule.id) in account, rule.id
        elif rule.decided_by.startswith("test "):
            assert re.fullmatch(r"test tests/\S+\.py", rule.decided_by)
