"""Databases, schemas (ordinary and versioned), warehouses, and what a session sets for itself."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any

from local_account import access, engine, feature_policies, manifests, names, reply, results
from local_account.catalogue import HOME, SYSTEM_SCHEMA, quote
from local_account.declared import SEMI_STRUCTURED
from local_account.errors import SqlError, compilation, denied, missing, syntax_error, unsupported
from local_account.syntax import parse_options, split_path

if TYPE_CHECKING:
    from local_account.engine import Result
    from local_account.session import Session
    from local_account.syntax import Match

DONE = "Statement executed successfully."
LONGEST_VARIABLE = 256  # bytes (sql-reference/session-variables)
# Parameters that a session may set: those that act here, and those that change nothing that the account shows.
SESSION_PARAMETERS = {
    "AUTOCOMMIT": True,
    "TIMEZONE": "UTC",
    "QUERY_TAG": "",
    "STATEMENT_TIMEOUT_IN_SECONDS": 172800,
    "LOCK_TIMEOUT": 43200,
    "TRANSACTION_ABORT_ON_ERROR": False,
    "MULTI_STATEMENT_COUNT": 1,
    "USE_CACHED_RESULT": True,
    "PYTHON_CONNECTOR_QUERY_RESULT_FORMAT": "ARROW",
    "PYTHON_SNOWPARK_AUTO_CLEAN_UP_TEMP_TABLE_ENABLED": False,
    "CLIENT_SESSION_KEEP_ALIVE": False,
    "ERROR_ON_NONDETERMINISTIC_MERGE": True,
    "WEEK_START": 0,
}
# Values other than these would change answers in ways that are not emulated.
_FIXED = {
    "TIMEZONE": {"UTC", "ETC/UTC"},
    "TRANSACTION_ABORT_ON_ERROR": {"FALSE"},
    "ERROR_ON_NONDETERMINISTIC_MERGE": {"TRUE"},
    "WEEK_START": {"0"},
}


def use_warehouse(session: Session, match: Match) -> Result:
    warehouse = match.name()
    if not access.may_use_warehouse(session, warehouse):
        raise _missing("warehouse", warehouse)
    session.warehouse = warehouse
    return reply.status(DONE)


def use_database(session: Session, match: Match) -> Result:
    path = match.path()
    if len(path) == 2:
        return use_schema(session, match)
    database = match.name()
    if not access.sees(session, database):
        raise _missing("database", database)
    session.database = database
    session.schema = "PUBLIC" if _is_there(session, database, "PUBLIC") else None
    return reply.status(DONE)


def use_schema(session: Session, match: Match) -> Result:
    database, schema = session.account.qualify_schema(session, match.path())
    if not _is_there(session, database, schema):
        raise _missing("schema", f"{database}.{schema}")
    session.database, session.schema = database, schema
    return reply.status(DONE)


def _is_there(session: Session, database: str, schema: str) -> bool:
    physical = session.account.physical_schema(session, database, schema)
    is_there = session.account.catalogue.get("schema", database, "", schema)
    return bool(is_there) and access.sees(session, database, physical)


def _missing(kind: str, name: str) -> SqlError:
    return SqlError(
        2043,
        f"SQL compilation error: Object does not exist, or operation cannot be performed: {kind} '{name}'.",
        "02000",
    )


# what a session sets ----------------------------------------------------------------------------------------------


def alter_session(session: Session, match: Match) -> Result:
    for name, value in parse_options(match.raw("rest"), tuple(SESSION_PARAMETERS)).items():
        if name in _FIXED and value.upper() not in _FIXED[name]:
            raise SqlError(
                2,
                f"Unsupported feature '{name} = {value}' of the local account: only {' or '.join(sorted(_FIXED[name]))}.",
            )
        kept = SESSION_PARAMETERS[name]
        if type(kept) is int and not value.isdigit():
            raise compilation(1008, f"invalid value [{value}] for parameter '{name}'", "22023")
        if name == "AUTOCOMMIT" and session.transaction.open:
            session.commit()
        session.parameters[name] = value.upper() == "TRUE" if isinstance(kept, bool) else value
    return reply.status(DONE)


def unset_session(session: Session, match: Match) -> Result:
    for name in (word.strip().upper() for word in match.raw("rest").split(",")):
        if name not in SESSION_PARAMETERS:
            raise SqlError(2, f"Unsupported feature: the session parameter '{name}' is not known to the local account.")
        session.parameters[name] = SESSION_PARAMETERS[name]
    return reply.status(DONE)


def _set(session: Session, variables: list[str], query: str, binds: list[Any]) -> Result:
    """Gives each variable its column of the query's one row; none is set before all are known."""
    result = names.evaluate(session, engine.parse(query), binds)
    if result.rowcount != 1 or len(result.columns) != len(variables):
        raise syntax_error(f"SET of {len(variables)} variable(s) takes one row of as many values.")
    for column in result.columns:
        if column.type in (*SEMI_STRUCTURED, "binary"):
            raise unsupported(f"session variable of type {column.type.upper()}")
    values = dict(zip(variables, results.python_rows(result)[0], strict=True))
    for name, value in values.items():
        if isinstance(value, str) and (size := len(value.encode())) > LONGEST_VARIABLE:
            says = f"Assignment to '{name}' not done because value exceeds size limit for variables."
            raise compilation(
                1003,
                f"{says} Its size is {size}; the limit is {LONGEST_VARIABLE} (internal storage size in bytes)",
                "54000",
            )
    session.own_variables |= values
    return reply.status(DONE)


def set_variable(session: Session, match: Match) -> Result:
    return _set(session, [match.name()], f"select {match.raw('rest')}", match.binds)


def set_variables(session: Session, match: Match) -> Result:
    found = re.fullmatch(r"([^()]*)\)\s*=\s*\(([\s\S]*)\)", match.raw("rest"))
    if not found:
        raise syntax_error("syntax error: SET (a, b) = (1, 2)")
    query = found[2] if re.match(r"\s*(select|with)\b", found[2], re.IGNORECASE) else f"select {found[2]}"
    return _set(session, split_path(found[1].replace(",", " ")), query, match.binds)


def unset_variable(session: Session, match: Match) -> Result:
    session.own_variables.pop(match.name(), None)
    return reply.status(DONE)


# databases and schemas --------------------------------------------------------------------------------------------


def create_database(session: Session, match: Match) -> Result:
    name = match.name()
    if name == "ROLE" and match.raw("rest"):
        raise unsupported("CREATE DATABASE ROLE")
    options = match.options("COMMENT", "DATA_RETENTION_TIME_IN_DAYS")
    if session.application:
        raise SqlError(2, f"Unsupported feature 'CREATE DATABASE in an application' of the local account ({name}).")
    access.require_on_account(session, "CREATE DATABASE")
    if existing := session.account.database(name):
        if match.has("if not exists"):
            return reply.status(f"{name} already exists, statement succeeded.")
        if not match.has("or replace"):
            raise reply.exists(name)
        _require_own_standard(session, name, existing)
    session.commit_before_definition()
    session.account.create_database(
        name, {"kind": "STANDARD", "owner": session.role, "comment": options.get("COMMENT", "")}
    )
    session.database, session.schema = name, "PUBLIC"  # as Snowflake: a new database is the current one
    return reply.status(f"Database {name} successfully created.")


def _require_own_standard(session: Session, name: str, document: dict[str, Any]) -> None:
    if document["kind"] != "STANDARD":
        raise SqlError(93_001, f"{name} is an {document['kind'].lower()}: use DROP {document['kind']}.")
    access.require(session, "OWNERSHIP", "DATABASE", name, "", name)
    feature_policies.require_unset(session, name)


def drop_database(session: Session, match: Match) -> Result:
    name = match.name()
    document = access.database(session, name)
    if not document:
        return reply.nothing_to_drop(match, name, missing("Database", name))
    _require_own_standard(session, name, document)
    session.commit_before_definition()
    session.account.drop_database(name)
    if session.database == name:
        session.database = session.schema = None
    return reply.status(f"{name} successfully dropped.")


def create_schema(session: Session, match: Match) -> Result:
    database, schema = session.account.qualify_schema(session, match.path())
    options = match.options("COMMENT", "DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS")
    existing = session.account.catalogue.get("schema", database, "", schema)
    if not access.sees(session, database):
        raise missing("Database", database)
    # A $ parts the generations of versioned schemas.
    if "$" in schema or schema in ("INFORMATION_SCHEMA", SYSTEM_SCHEMA):
        raise SqlError(2, f"Unsupported feature 'schema of the name {schema}' of the local account.")
    access.require(session, "CREATE SCHEMA", "DATABASE", database, "", database)
    new = {"owner": session.application or session.role, "comment": options.get("COMMENT", "")}
    replaces = existing and match.has("or replace")
    if existing and not replaces:
        if not match.has("if not exists"):
            raise reply.exists(schema)
        if existing.get("versioned") and session.application == database:  # of an earlier version, perhaps
            physical = session.account.physical_schema(session, database, schema)
            session.account.create_schema(database, schema, existing, physical)
    else:
        session.commit_before_definition()
        if replaces:
            _drop_schema(session, database, schema, new)
        else:
            session.account.create_schema(database, schema, new)
    if not session.frame:  # in a setup script CREATE SCHEMA does not switch
        session.database, session.schema = database, schema
    return reply.status(
        f"{schema} already exists, statement succeeded."
        if existing and not replaces
        else f"Schema {schema} successfully created."
    )


def create_versioned_schema(session: Session, match: Match) -> Result:
    """Each generation of an application starts with an empty one; the older generation keeps its own until it is no longer needed."""
    frame = session.frame
    if not frame or not frame.application or not frame.is_setup:
        raise SqlError(93_200, "CREATE OR ALTER VERSIONED SCHEMA works only in an application's setup script.")
    schema = match.path()[-1]
    options = match.options(
        "COMMENT",
        "DATA_RETENTION_TIME_IN_DAYS",
        "MAX_DATA_EXTENSION_TIME_IN_DAYS",
        "LOG_LEVEL",
        "TRACE_LEVEL",
        "METRIC_LEVEL",
    )
    existing = session.account.catalogue.get("schema", frame.application, "", schema)
    if existing and not existing.get("versioned"):
        raise SqlError(2002, f"SQL compilation error: '{schema}' exists already as an ordinary schema.", "42710")
    session.commit_before_definition()
    levels = {name.lower(): value.upper() for name, value in options.items() if name.endswith("_LEVEL")}
    for name, value in levels.items():
        if value not in manifests.LEVELS[name]:
            raise compilation(1003, f"{name.upper()} = {value}: it is one of {', '.join(manifests.LEVELS[name])}.")
    document = {"owner": frame.application, "versioned": True, "comment": options.get("COMMENT", ""), **levels}
    session.account.create_schema(frame.application, schema, document, physical=f"{schema}${frame.generation}")
    return reply.status(f"Versioned schema {schema} successfully created.")


def drop_schema(session: Session, match: Match) -> Result:
    database, schema = session.account.qualify_schema(session, match.path())
    if not session.account.catalogue.get("schema", database, "", schema):
        return reply.nothing_to_drop(match, schema, access.not_found(session, "SCHEMA", database, "", schema))
    _drop_schema(session, database, schema)
    if (session.database, session.schema) == (database, schema):
        session.schema = None
    return reply.status(f"{schema} successfully dropped.")


def _drop_schema(session: Session, database: str, schema: str, new: dict[str, Any] | None = None) -> None:
    """With all that it holds; a `new` one takes its place at the same moment."""
    account = session.account
    if (account.catalogue.get("schema", database, "", schema) or {}).get("versioned"):
        raise SqlError(
            2, f"DROP SCHEMA {schema}: a versioned schema cannot be dropped: its version takes it along (rule SET-31)."
        )
    access.require(session, "OWNERSHIP", "SCHEMA", database, "", schema)
    feature_policies.require_unset(session, database, schema)
    with account.change(database, session) as change:
        change.execute(f"drop schema {quote(database)}.{quote(schema)} cascade")
        change.delete("schema", "", schema)
        for kind in (
            "procedure",
            "function",
            "stream",
            "task",
            "stage",
            "file format",
            "streamlit",
            "grant",
            "tracking",
            "temporary",
            "view",
            "cased",
        ):
            for key, _ in account.catalogue.find(kind, database, schema):
                change.delete(kind, schema, key.name)
        if new:
            change.execute(f"create schema {quote(database)}.{quote(schema)}")
            change.put("schema", "", schema, {"created_on": account.clock.now().isoformat(), **new})
    shutil.rmtree(account.stage_directory(database, schema), ignore_errors=True)


def create_warehouse(session: Session, match: Match) -> Result:
    """A warehouse is a name here: queries run in the account's process."""
    name = match.name()
    options = match.options(
        "WAREHOUSE_SIZE",
        "AUTO_SUSPEND",
        "AUTO_RESUME",
        "INITIALLY_SUSPENDED",
        "COMMENT",
        "MIN_CLUSTER_COUNT",
        "MAX_CLUSTER_COUNT",
        "STATEMENT_TIMEOUT_IN_SECONDS",
    )
    if session.application:
        raise SqlError(2, f"Unsupported feature 'CREATE WAREHOUSE in an application' of the local account ({name}).")
    access.require_on_account(session, "CREATE WAREHOUSE")
    if session.account.catalogue.get("warehouse", HOME, "", name):
        if match.has("if not exists"):
            return reply.status(f"{name} already exists, statement succeeded.")
        if not match.has("or replace"):
            raise reply.exists(name)
        access.require(session, "OWNERSHIP", "WAREHOUSE", HOME, "", name)
    with session.account.change(HOME, session) as change:
        change.delete("warehouse", "", name)  # with its grants
        change.put(
            "warehouse",
            "",
            name,
            {
                "owner": session.role,
                "size": options.get("WAREHOUSE_SIZE", "X-Small"),
                "created_on": session.account.clock.now().isoformat(),
            },
        )
    session.warehouse = name
    return reply.status(f"Warehouse {name} successfully created.")


def drop_warehouse(session: Session, match: Match) -> Result:
    name = match.name()
    if not (
        session.account.catalogue.get("warehouse", HOME, "", name)
        and access.may(session, "ANY", "WAREHOUSE", HOME, "", name)
    ):
        return reply.nothing_to_drop(match, name, _missing("warehouse", name))
    if not access.may(session, "OWNERSHIP", "WAREHOUSE", HOME, "", name):
        raise denied(f"Insufficient privileges to operate on warehouse '{name}'.")
    with session.account.change(HOME, session) as change:
        change.delete("warehouse", "", name)
    return reply.status(f"{name} successfully dropped.")
