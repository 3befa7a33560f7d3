"""Who may do what: every role, every object, every privilege, as the catalogue has them; and attempts to get further.

What is in the app is asked of the app itself, so a new object is here at once: a rule below covers it, or a test fails.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import pytest
from snowflake.connector.errors import DatabaseError, ProgrammingError

pytestmark = pytest.mark.end_to_end

ADMIN, ANALYST, AUDITOR, TRUTH = ROLES = ("APP_ADMIN", "APP_ANALYST", "APP_AUDITOR", "APP_TRUTH")
INHERITS = {ADMIN: {ANALYST, AUDITOR}}
READ, EDIT = {"SELECT"}, {"SELECT", "INSERT", "UPDATE", "DELETE"}
NOBODY: dict[str, set[str]] = {}
MAY_USE_SCHEMA = {
    "REFERENCE_DATA": {ANALYST, AUDITOR},
    "TRUTH": {TRUTH},
    "PIPELINE": {ADMIN},
    "RAW_DATA": {ADMIN},
    "BRONZE": {ANALYST},
    "GOLD": {ANALYST},
    "CORE": {ANALYST, AUDITOR},
    "AUDIT": {AUDITOR},
    "UI": set(ROLES),
}
MAY_READ_ALL_OF = {"BRONZE": ANALYST, "GOLD": ANALYST, "AUDIT": AUDITOR, "TRUTH": TRUTH, "RAW_DATA": ADMIN}
WATCHED = {"HISTORICAL_CHUNKS", "NOTICES", "PROGRESS", "WISHES", "RETENTION"}  # of PIPELINE, by APP_ADMIN
HIDDEN = {"GENERATION_STATE", "DUE_EVENTS", "ARRIVALS"}  # what the app must remember, and nobody else needs
MAY_CALL = {
    ANALYST: {"DATA_SUMMARY", "CUSTOMER_FEATURES"},
    AUDITOR: {
        "VIEW_GENERATION_AUDIT", "VIEW_REFERENCE_CONFIG", "VIEW_RUN_SNAPSHOT", "COMPARE_GENERATION_RUNS", "REPLAY_RUN",
    },
    ADMIN: {
        "CHECK_PIPELINE_STATUS", "CONFIGURE_PIPELINE", "START_PIPELINE", "STOP_PIPELINE", "REPAIR_STREAM", "RESET_DATA", "PURGE_EVENTS",
        "GENERATE_RETAIL_DATA", "GENERATE_HISTORICAL_DATA", "STOP_HISTORICAL_DATA", "TRANSFORM_RAW_TO_BRONZE", "TRANSFORM_BRONZE_TO_GOLD",
        "REBUILD_GOLD", "RELEASE_QUARANTINED_EVENTS", "VALIDATE_CONFIGURATION", "RESTORE_CONFIGURATION", "SAVE_CONFIGURATION",
        "FIT_CUSTOMER_MODEL", "UNDO_CUSTOMER_MODEL_FIT",
    },
}  # fmt: skip
INTERNAL = {
    "GENERATE_BATCH", "CONFIGURATION_FAULTS", "REPLAY_COMPARISON", "PLAN_HISTORY", "GENERATE_CHUNK", "BUILD_TASK_GRAPH", "INITIALIZE_VERSION",
    "SIGN_UPS", "ORDER_DRAWS", "PURCHASE_EVENTS", "FULFILMENT_EVENTS", "MARKETING_EVENTS",
}  # fmt: skip
DASHBOARDS = {
    "DASHBOARD": ADMIN, "ANALYST_DASHBOARD": ANALYST, "AUDITOR_DASHBOARD": AUDITOR, "TRUTH_DASHBOARD": TRUTH,
}  # fmt: skip
DOORS = {"LAND_EVENTS", "AS_THE_APP", "TOLD_BY_THE_APP"}  # of tests/app/conftest.py; no part of the app
KINDS = ("TABLE", "VIEW", "STREAM", "TASK", "PROCEDURE", "FUNCTION", "STREAMLIT", "STAGE")


@dataclass(frozen=True)
class Thing:
    """An object of the app."""

    kind: str
    schema: str
    name: str
    arguments: str = ""  # of procedures and functions: (NUMBER, VARCHAR)

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}{self.arguments}"

    @cached_property
    def types(self) -> list[str]:
        return [part.strip() for part in self.arguments.strip("()").split(",") if part.strip()]


def granted_by_rule(thing: Thing) -> dict[str, set[str]] | None:
    """Role -> the privileges that it is to hold itself; None where no rule knows the object."""
    match thing.kind, thing.schema, thing.name:
        case _, _, name if name in HIDDEN:
            return NOBODY
        case "TABLE", "REFERENCE_DATA", "DATA_GENERATION_AUDIT":
            return {AUDITOR: READ}
        case "TABLE", "REFERENCE_DATA", _:
            return {ANALYST: READ, ADMIN: EDIT}
        case "TABLE" | "VIEW", "BRONZE" | "GOLD" | "TRUTH" | "RAW_DATA" | "AUDIT", _:
            return {MAY_READ_ALL_OF[thing.schema]: READ}
        case "TABLE", "PIPELINE", name if name in WATCHED:
            return {ADMIN: READ}
        case "STREAM", "RAW_DATA", _:
            return NOBODY  # whoever may read it in a DML takes the rows
        case "TASK", "PIPELINE", _:
            return {ADMIN: {"MONITOR"}}
        case "STREAMLIT", "UI", name if name in DASHBOARDS:
            return {DASHBOARDS[name]: {"USAGE"}}
        case "PROCEDURE" | "FUNCTION", "CORE", name if name in INTERNAL:
            return NOBODY
        case "PROCEDURE" | "FUNCTION", "CORE", name:
            return {role: {"USAGE"} for role, names in MAY_CALL.items() if name in names} or None
    return None


def held(role: str, thing: Thing) -> set[str]:
    """What a role holds on an object, with what it inherits."""
    by_rule = granted_by_rule(thing) or NOBODY
    return set().union(*(by_rule.get(each, set()) for each in {role} | INHERITS.get(role, set())))


@pytest.fixture(scope="module")
def things(account, app) -> list[Thing]:
    """All that is in the app's schemas, as the app sees it."""
    found = []
    for schema in MAY_USE_SCHEMA:
        for kind in KINDS:
            for row in shown(app, f"show {kind}s in schema {schema}"):
                arguments = re.sub(r" RETURN.*|^[^(]*", "", row.get("arguments", "")).replace("DEFAULT ", "")
                found.append(Thing(kind, schema, row["name"], arguments))
    return [thing for thing in found if thing.name not in DOORS]


def shown(app, statement: str) -> list[dict]:
    rows = app.told_by_the_app(statement)
    return [dict(zip((column.name.lower() for column in app.cursor.description), row, strict=True)) for row in rows]


@pytest.fixture(scope="module")
def as_role(account, app) -> Iterator[dict]:
    """A connection for each application role, by a role of the consumer's that holds it and nothing else."""
    name, connections = app.rows("select current_database()")[0][0], {}
    warehouse, user = app.rows("select current_warehouse(), current_user()")[0]
    for role in ROLES:
        own = f"{name}_only_{role}"
        app.cursor.execute(f"create role if not exists {own}")
        app.cursor.execute(f"grant application role {name}.{role} to role {own}")
        app.cursor.execute(f"grant usage on warehouse {warehouse} to role {own}")
        app.cursor.execute(f'grant role {own} to user "{user}"')
        connections[role] = account.connect(role=own)
        connections[role].cursor().execute("use secondary roles none")
        connections[role].cursor().execute(f"use database {name}")
    yield {role: connection.cursor() for role, connection in connections.items()}
    for role, connection in connections.items():
        connection.close()
        app.cursor.execute(f"drop role {name}_only_{role}")


def refusal(cursor, statement: str, *values: object) -> ProgrammingError | None:
    """The error by which the account refuses a statement. What only the local account lacks proves nothing."""
    try:
        cursor.execute(statement, values or None)
    except DatabaseError as error:
        assert "local account" not in str(error), error
        return error
    return None


NOT_ALLOWED = (2003, 2043, 2140, 2141, 3001)  # does not exist or not authorized, in its forms; insufficient privileges


# the matrix ---------------------------------------------------------------------------------------------------------


def test_a_rule_covers_every_object_and_schema(app, things):
    assert len(things) > 60
    assert [f"{thing.kind} {thing}" for thing in things if granted_by_rule(thing) is None] == []
    schemas = {row["name"] for row in shown(app, "show schemas")}
    assert schemas - {"INFORMATION_SCHEMA", "PUBLIC"} == set(MAY_USE_SCHEMA)


def test_each_role_was_granted_what_the_rules_say_and_nothing_else(app, things):
    name = app.rows("select current_database()")[0][0]
    expected = {(role, "USAGE", f"{name}.{schema}") for schema, roles in MAY_USE_SCHEMA.items() for role in roles}
    expected |= {
        (role, privilege, f"{name}.{thing.schema}.{thing.name}")
        for thing in things
        for role, privileges in (granted_by_rule(thing) or NOBODY).items()
        for privilege in privileges
    }
    found = set()
    for role in ROLES:
        for row in app.cursor.execute(f"show grants to application role {name}.{role}").fetchall():
            _, privilege, kind, on, *_ = row
            plain = on.partition("(")[0].replace('"', "")
            # Which role has which other in it, the next tests see by what works.
            if kind.replace("_", " ") != "APPLICATION ROLE" and plain.rpartition(".")[2] not in DOORS:
                found.add((role, privilege, plain))

    assert {row for row in found if row[2] != name} == expected


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reads_and_writes_what_it_was_granted_and_no_more(app, things, as_role, role):
    columns = {
        (schema, table): column
        for schema, table, column in app.told_by_the_app(
            "select table_schema, table_name, min(column_name) from information_schema.columns group by 1, 2"
        )
    }
    statements = {
        "SELECT": "select count(*) from {0}",
        "INSERT": "insert into {0} ({1}) select null where false",
        "UPDATE": "update {0} set {1} = {1} where false",
        "DELETE": "delete from {0} where false",
        "TRUNCATE": "truncate table {0}",
    }
    wrong = []
    for thing in things:
        if thing.kind in ("TABLE", "VIEW", "STREAM"):
            column = columns.get((thing.schema, thing.name), "event_id")
            for privilege, statement in statements.items():
                error = refusal(as_role[role], statement.format(thing, column))
                if (error is None) != (privilege in held(role, thing)):
                    wrong.append(f"{privilege} on {thing}: {error or 'got in'}")

    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_calls_what_it_was_granted_and_no_more(things, as_role, role):
    samples = {"NUMBER": "1", "VARCHAR": "'no such thing'", "VARIANT": "null", "BOOLEAN": "false"}
    samples |= {"TIMESTAMP_NTZ": "'2026-01-01'::timestamp_ntz"}
    wrong = []
    for thing in things:
        if thing.kind == "PROCEDURE" and (role in (granted_by_rule(thing) or ()) or not held(role, thing)):
            values = ", ".join(samples[re.match(r"\w+", type_)[0]] for type_ in thing.types)
            error = refusal(as_role[role], f"call {thing.schema}.{thing.name}({values})")
            was_let_in = error is None or error.errno not in NOT_ALLOWED
            if was_let_in != bool(held(role, thing)):
                wrong.append(f"{thing}: {error or 'got in'}")

    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_does_not_even_see_what_it_was_not_granted(things, as_role, role):
    seen = {
        (row[0], row[1])
        for row in as_role[role].execute("select table_schema, table_name from information_schema.tables").fetchall()
        if row[0] != "INFORMATION_SCHEMA"
    }

    assert seen == {(t.schema, t.name) for t in things if t.kind in ("TABLE", "VIEW") and held(role, t)}


# attempts to get further --------------------------------------------------------------------------------------------

ATTEMPTS = {
    "take what waits in the stream": "create or replace table gold.loot as select * from raw_data.raw_retail_events_stream",
    "move the stream's offset": "insert into reference_data.warehouses (warehouse_id) select 1 from raw_data.raw_retail_events_stream",
    "ask the stream": "select system$stream_has_data('raw_data.raw_retail_events_stream')",
    "replace the stream": "create or replace stream raw_data.raw_retail_events_stream on table raw_data.raw_retail_events",
    "make a table": "create table gold.mine (id number)",
    "make a view of what is hidden": "create view gold.mine as select * from pipeline.due_events",
    "drop a table": "drop table gold.fct_sales",
    "empty a table": "truncate table raw_data.raw_retail_events",
    "change a table": "alter table gold.fct_sales add column mine number",
    "rename a table": "alter table reference_data.warehouses rename to reference_data.mine",
    "drop a schema": "drop schema gold",
    "make a schema": "create schema mine",
    "replace a procedure": "create or replace procedure core.data_summary() returns varchar language sql as $$ begin return 1; end $$",
    "drop a procedure": "drop procedure core.data_summary()",
    "start a task": "alter task pipeline.data_generation_task resume",
    "run a task": "execute task pipeline.data_generation_task",
    "drop a task": "drop task pipeline.data_generation_task",
    "write the audit": "insert into reference_data.data_generation_audit (run_id) values ('forged')",
    "change the audit": "update reference_data.data_generation_audit set status = 'COMPLETED'",
    "delete the audit": "delete from reference_data.data_generation_audit",
    "grant itself an object": "grant select on table truth.customers to application role app_admin",
    "grant itself a role": "grant application role app_truth to application role app_admin",
    "read the truth through a role": "grant application role {app}.app_truth to role {app}_only_app_admin",
    "read the text of a procedure": "describe procedure core.generate_batch(number, number, number, number)",
    "look at hidden rows": "describe table pipeline.due_events",
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_the_most_powerful_role_cannot(app, as_role, attempt):
    name = app.rows("select current_database()")[0][0]

    assert refusal(as_role[ADMIN], ATTEMPTS[attempt].format(app=name)) is not None


INSIDE = "make|drop|empty|rename|replace|grant itself|audit|start a task|look|take|move"


@pytest.mark.parametrize("attempt", [name for name in ATTEMPTS if re.search(INSIDE, name)])
def test_not_even_the_accounts_administrator_can(app, attempt):
    """Who installed the app holds its application roles, and owns it from outside only."""
    name = app.rows("select current_database()")[0][0]

    assert refusal(app.cursor, ATTEMPTS[attempt].format(app=name)) is not None


# words that want to be statements -----------------------------------------------------------------------------------

HOSTILE = (
    "'",
    "''; drop table gold.fct_sales; --",
    "x' or '1' = '1",
    "'); delete from reference_data.warehouses; --",
    "$$; truncate table truth.customers; $$",
    "/* */ ; update reference_data.data_generation_audit set status = 'FORGED' /*",
    '"; drop schema gold cascade; --',
    "' || (select max(first_name) from truth.customers) || '",
    "\\'; delete from gold.fct_sales; --",
    "😀 ’ ＇; drop table gold.fct_sales \u2028 --",
    "-" * 3 + " ; call core.reset_data('DELETE ALL BUSINESS DATA')",
    "%s ? :1 {0} &x <% y %>",
)
EVERYTHING = " ' \" $$ ; -- /* \\ %s ? {0} ’ 😀 '; delete from reference_data.warehouses; --"


def fingerprint(app) -> dict[str, int]:
    """How many rows each table holds; a table that is gone is missing. Notices may be added to at any time."""
    tables = [
        f"{schema}.{table}"
        for schema, table in app.told_by_the_app(
            "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE' order by 1, 2"
        )
        if table != "NOTICES"
    ]
    counts = " union all ".join(f"select '{table}', count(*) from {table}" for table in tables)
    return dict(app.told_by_the_app(counts))


@pytest.fixture(scope="module")
def filled(account, app):
    """An app with something to lose."""
    app.cursor.execute("call generate_retail_data(5, 10, 5, 5)")
    return app


SYNTAX_ERROR = (1003, 900, 904)


def test_no_text_that_is_handed_over_becomes_a_statement(filled, things, as_role):
    before, wrong, tried = fingerprint(filled), [], 0
    for thing in things:
        role = next(iter(granted_by_rule(thing) or ()), None)
        if thing.kind != "PROCEDURE" or role is None:
            continue
        for position, type_ in enumerate(thing.types):
            for hostile in HOSTILE if type_.startswith(("VARCHAR", "VARIANT")) else ():
                marks = ["null" for _ in thing.types]
                marks[position] = "parse_json(%s)" if type_.startswith("VARIANT") else "%s"
                value = json.dumps({"event_type": hostile, hostile: hostile}) if marks[position] != "%s" else hostile
                error = refusal(as_role[role], f"call {thing.schema}.{thing.name}({', '.join(marks)})", value)
                tried += 1
                if error and error.errno in SYNTAX_ERROR:
                    wrong.append(f"{thing}, argument {position + 1}, {hostile!r}: {error}")

    assert tried > 50
    assert wrong == []
    assert fingerprint(filled) == before


TEXT_CELLS = "select table_name, column_name from information_schema.columns where table_schema = 'REFERENCE_DATA' and data_type = 'TEXT'"


def test_no_cell_of_a_reference_table_becomes_a_statement(filled, as_role):
    """What a run accepts of it comes out as it went in; what it refuses, it refuses by name, and by no error of SQL."""
    admin, wrong, accepted = as_role[ADMIN], [], 0
    cells = [cell for cell in filled.told_by_the_app(TEXT_CELLS) if cell[0] != "DATA_GENERATION_AUDIT"]
    assert len(cells) > 15
    for table, column in cells:
        (original,) = admin.execute(f"select min({column}) from reference_data.{table}").fetchone()
        edit = f"update reference_data.{table} set {column} = %s where {column} = %s"
        before = fingerprint(filled)
        admin.execute(edit, (EVERYTHING, original))
        try:
            faults = admin.execute("call core.validate_configuration()").fetchall()
            error = refusal(admin, "call core.generate_retail_data(1, 2, 0, 0)")
            admin.execute("call core.view_reference_config()").fetchall()
            admin.execute("call core.view_generation_audit(3)").fetchall()
            if bool(faults) != bool(error) or (error and error.errno in SYNTAX_ERROR):
                wrong.append(f"{table}.{column}: {faults[:1]}, {error}")
            accepted += not faults
        finally:
            admin.execute(edit, (original, EVERYTHING))
        after = fingerprint(filled)
        wrong += [f"{table}.{column}: {name} lost rows" for name in before if after.get(name, -1) < before[name]]

    assert wrong == []
    assert accepted >= 5, "descriptions and names take any text"
