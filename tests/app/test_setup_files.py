"""One object per file, under the name of its path, with its comments and its grants; and setup.sql lists them all."""

import re
from pathlib import Path

import sqlglot
from sqlglot import exp

APP = Path(__file__).resolve().parents[2] / "app"
INCLUDES = re.compile(r"execute immediate from '\./(setup/[\w/]+\.sql)';")
ORDINARY = {"reference_data", "truth", "pipeline", "raw_data", "bronze", "gold"}
VERSIONED = {"core", "audit", "ui"}
LAYERS = ["raw_data", "bronze", "gold"]


def test_a_file_creates_exactly_the_object_that_its_path_names(setup_file):
    created = [statement for statement in setup_file.statements if re.match(r"create\b", statement)]

    assert len(created) == 1, "one object per file"
    assert setup_file.created, f"begins with {setup_file.statements[0][:60]!r}"
    assert setup_file.created["name"] == setup_file.object_name


def test_what_must_survive_is_only_added_to_and_what_is_code_is_replaced(setup_file):
    created = setup_file.created

    if setup_file.kind in ("table", "stream"):
        assert setup_file.schema in ORDINARY
        assert created["guard"] and not created["how"]
    else:
        assert created["how"] == "or replace "
    if setup_file.kind in ("procedure", "function"):
        assert setup_file.schema in VERSIONED


def test_a_view_that_outlives_upgrades_keeps_its_grants_when_it_is_replaced(view_file):
    """A setup that stopped between the view and its grant would lock its readers out."""
    if view_file.schema not in VERSIONED:
        assert "copy grants" in view_file.statements[0].partition(" as\n")[0].partition("\nas\n")[0]


def test_a_file_does_nothing_but_create_extend_fill_and_grant(setup_file):
    name = setup_file.object_name
    allowed = re.compile(
        rf"alter table {name} add column if not exists (?!.*\bdefault\b)"
        rf"|comment on column {name}\.\w+ is '"
        rf"|merge into {name}\b"
        rf"|insert into {name} \(.*\bwhere\s+not exists \(select 1 from {name}\)"
        rf"|grant ",
        re.DOTALL,
    )

    assert [s for s in setup_file.statements[1:] if not allowed.match(s)] == []


def test_default_rows_never_touch_a_row_that_is_there(setup_file):
    for statement in setup_file.statements[1:]:
        if statement.startswith("merge "):
            assert not re.search(r"when matched", statement)


def test_a_grant_stands_in_the_file_of_the_object_that_it_opens(setup_file):
    kind, name = setup_file.kind, setup_file.object_name
    opens = re.compile(
        rf"grant [a-z, ]+ on {kind} {re.escape(name)}(?:\((?P<types>[\w, ]*)\))? to application role app_\w+"
    )

    for grant in setup_file.grants:
        assert opens.match(grant), grant


def test_a_grant_on_a_procedure_repeats_the_types_of_its_arguments(procedure_file):
    arguments = re.match(
        r"create or replace procedure [\w.]+\((.*?)\)\s*returns", procedure_file.statements[0], re.DOTALL
    )
    types = [words.split()[1] for words in re.split(r",\s*(?![^(]*\))", arguments[1]) if words.strip()]

    for grant in procedure_file.grants:
        granted = re.search(r"procedure [\w.]+\(([\w, ]*)\)", grant)[1]
        assert [t.strip() for t in granted.split(",") if t.strip()] == types


def test_every_column_says_what_it_holds_and_a_table_ends_with_its_grain(table_file):
    columns = list(table_file.tree.find_all(exp.ColumnDef))

    assert columns
    assert [c.name for c in columns if not c.find(exp.CommentColumnConstraint)] == []
    assert re.search(r"One row (per [^.]+|in all)\.$", table_comment(table_file.tree))


def test_every_column_of_a_view_says_what_it_holds_too(view_file):
    columns = list(view_file.tree.this.find_all(exp.ColumnDef))

    assert [c.name for c in columns if not c.find(exp.CommentColumnConstraint)] == []
    assert [c.name for c in columns] == view_file.tree.expression.named_selects or view_file.tree.expression.is_star
    assert re.search(r"One row per [^.]+\.$", table_comment(view_file.tree))


def table_comment(tree: exp.Create) -> str:
    return tree.find(exp.SchemaCommentProperty).this.name


def test_a_procedure_says_what_it_does_and_runs_as_the_app(procedure_file):
    head = procedure_file.statements[0].partition("$$")[0]

    assert re.search(r"\bcomment = '", head)
    assert re.search(r"\bexecute as owner\b", head)


def test_an_insert_names_its_columns(setup_file):
    assert re.findall(r"\binsert into [\w.]++(?! \()|\binsert\s+values", "\n".join(setup_file.statements)) == []


def test_setup_includes_every_file_once_and_each_after_its_schema(contents):
    included = INCLUDES.findall(contents)
    present = sorted(path.relative_to(APP).as_posix() for path in APP.glob("setup/**/*.sql"))

    assert sorted(included) == present
    for name in included:
        schema = Path(name).parent.name
        assert re.search(rf"schema (?:if not exists )?{schema} ", contents).start() < contents.index(name)


def test_setup_is_a_table_of_contents_and_nothing_else(contents):
    line = re.compile(
        r"--.*"
        r"|create application role if not exists app_\w+ comment = '[^']+'; *(--.*)?"
        r"|grant application role app_\w+ to application role app_\w+;"
        r"|create schema if not exists \w+ comment = '[^']+';"
        r"|create or alter versioned schema \w+ comment = '[^']+';"
        r"|grant usage on schema \w+ to application role app_\w+;"
        r"|execute immediate from '\./setup/\w+/\w+\.sql';"
        r"|call core\.initialize_version\(\);"
    )

    assert [text for text in contents.splitlines() if text and not line.fullmatch(text)] == []


def test_schemas_are_of_the_kind_that_the_design_gives_them(contents):
    assert set(re.findall(r"create schema if not exists (\w+)", contents)) == ORDINARY
    assert set(re.findall(r"create or alter versioned schema (\w+)", contents)) == VERSIONED


def test_whoever_may_use_an_object_may_use_its_schema(contents, setup_file):
    inherited = set(re.findall(r"grant application role (\w+) to application role app_admin;", contents))
    on_schema = set(re.findall(rf"grant usage on schema {setup_file.schema} to application role (\w+);", contents))
    on_schema |= {"app_admin"} if on_schema & inherited else set()

    for role in re.findall(r"to application role (\w+)", "\n".join(setup_file.grants)):
        assert role in on_schema, f"{role} holds nothing on schema {setup_file.schema}"
        assert f"create application role if not exists {role} " in contents


def test_names_have_two_parts_and_nothing_depends_on_who_calls(setup_file):
    sql = re.sub(r"'(?:[^']|'')*'", "''", "\n".join(setup_file.statements)).lower()

    assert re.findall(r"\b(?:from|join|into|update|table|merge into)\s+\w+\.\w+\.\w+", sql) == []
    assert re.findall(r"\b(?:use (?:database|schema|role|warehouse)|alter session|set \w+ =\s*\$)", sql) == []
    assert re.findall(r"\bcreate[^;(]*\b(?:temp|temporary|transient|volatile)\b", sql) == []
    refused = "current_warehouse|current_ip_address|current_available_roles|current_secondary_roles|all_user_names|system\\$allowlist"
    assert re.findall(rf"\b(?:{refused}|current_user|current_role)\b", sql) == []
    assert re.findall(r"\bexecute as (?:restricted )?caller\b", sql) == []


def test_clock_and_text_of_time_do_not_depend_on_the_callers_session(setup_file):
    """The caller's TIMEZONE and TIMESTAMP_INPUT_FORMAT reach into a procedure; sysdate() and explicit formats do not care."""
    sql = "\n".join(setup_file.statements).lower()

    assert re.findall(r"\b(?:current_timestamp|getdate|localtimestamp|current_date)\b", sql) == []
    for call in re.findall(r"try_to_timestamp_ntz\(([^()]*(?:\([^()]*\)[^()]*)*)\)", sql):
        assert "'yyyy-mm-dd hh24:mi:ss.ff3'" in call


def test_the_stream_has_one_consumer(sql_procedure_file):
    """Whoever reads it in a DML takes what waits in it; a reset means to."""
    consumes = re.search(r"\b(?:insert|merge|delete|update)\b[^;]*raw_retail_events_stream", sql_procedure_file.body)

    assert bool(consumes) == (sql_procedure_file.object_name in ("core.transform_raw_to_bronze", "core.reset_data"))


def test_a_transaction_is_ended_on_both_ways_out_and_changes_no_object(sql_procedure_file):
    body = sql_procedure_file.body
    starts = body.count("begin transaction;")

    assert body.count("commit;") == starts
    if starts:
        inside = body.partition("begin transaction;")[2].partition("commit;")[0]
        assert re.findall(r"\b(?:create|alter|drop|grant|truncate)\b", inside) == []
        assert re.search(r"when other then\s.*?rollback;.*?raise;", body, re.DOTALL)


def test_a_transformation_writes_only_to_the_right_of_what_it_reads(transformation_file):
    """Within a layer, a statement may read what an earlier one wrote."""
    fills = r"^ *((?:insert into|merge into|delete from) (?:bronze|gold)\..*?);$"
    statements = re.findall(fills, transformation_file.body, re.DOTALL | re.MULTILINE)

    assert len(statements) >= 4
    for text in statements:
        statement = sqlglot.parse_one(text, dialect="snowflake")
        target = statement.this.find(exp.Table)
        sources = {table.db for table in statement.find_all(exp.Table) if table.db} - {target.db}
        assert sources <= set(LAYERS[: LAYERS.index(target.db)]), text
