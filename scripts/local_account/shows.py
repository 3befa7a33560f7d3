"""SHOW and DESCRIBE of what DuckDB's catalogue and the session hold: databases, schemas, tables, columns, parameters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from local_account import access, definitions, reply, temporaries
from local_account.account import EVENTS
from local_account.catalogue import HOME, SYSTEM_SCHEMA
from local_account.databases import SESSION_PARAMETERS
from local_account.errors import SqlError, compilation, missing, syntax_error
from local_account.syntax import PATH, TEXT, like, unquote_text

if TYPE_CHECKING:
    from local_account.engine import Result
    from local_account.session import Session
    from local_account.syntax import Match

Handler = Callable[["Session", "Match"], "Result"]
_TAIL = re.compile(
    rf"(?:in\s+(?P<scope_kind>account|database|schema|table|view|application\s+package|application)?\s*(?P<scope>{PATH})?\s*)?"
    rf"(?:starts\s+with\s+(?P<start>{TEXT})\s*)?(?:limit\s+(?P<limit>\d+))?\s*\Z",
    re.IGNORECASE,
)


def of(handler: Handler) -> Handler:
    """A SHOW with the usual tail: IN scope, STARTS WITH, LIMIT."""

    def show(session: Session, match: Match) -> Result:
        found = _TAIL.match(match.raw("rest"))
        if not found:
            raise syntax_error(f"unexpected '{match.raw('rest')}'.")
        match.groups.update({"scope_kind": " ".join((found["scope_kind"] or "").split()), "scope": found["scope"]})
        if (
            found["scope"]
            and match.groups["scope_kind"].upper() not in ("TABLE", "VIEW")
            and len(match.path("scope")) < 3
        ):
            _require_scope(session, *reply.scope(session, match))
        result = handler(session, match)
        position = next((i for i, column in enumerate(result.columns) if column.name == "name"), None)
        if found["start"] and position is not None:
            start = unquote_text(found["start"])
            keep = [i for i, name in enumerate(result.table.column(position).to_pylist()) if name.startswith(start)]
            result.table = result.table.take(keep)
        if found["limit"]:
            result.table = result.table.slice(0, int(found["limit"]))
        result.rowcount = result.table.num_rows
        return result

    return show


def _require_scope(session: Session, database: str | None, schema: str | None) -> None:
    """The client reads 2043 as "there is none yet" (snowflake-cli, sf_sql_facade.stage_exists)."""
    is_shared = bool(session.application)  # perhaps: such a schema is its package's
    is_there = not database or access.sees(session, database)
    if is_there and database and schema and not is_shared and schema != "INFORMATION_SCHEMA":
        physical = session.account.physical_schema(session, database, schema)
        found = session.account.catalogue.get("schema", database, "", schema)
        is_there = bool(found) and access.sees(session, database, physical)
    if not is_there:
        raise compilation(2043, "Object does not exist, or operation cannot be performed.", "02000")


def databases(session: Session, match: Match) -> Result:
    pattern = match.literal("pattern") if match.raw("pattern") else "%"
    kinds = {"STANDARD": "STANDARD", "APPLICATION PACKAGE": "APPLICATION PACKAGE", "APPLICATION": "APPLICATION"}
    rows = [
        {
            "created_on": datetime.fromisoformat(document["created_on"]),
            "name": key.name,
            "is_default": "N",
            "is_current": "Y" if session.database == key.name else "N",
            "origin": "",
            "owner": document["owner"],
            "comment": document.get("comment", ""),
            "options": "",
            "retention_time": "1",
            "kind": kinds[document["kind"]],
            "owner_role_type": "ROLE",
        }
        for key, document in session.account.catalogue.find("database", HOME)
        if like(pattern, key.name) and access.sees(session, key.name)
    ]
    return reply.rows(
        "created_on name is_default is_current origin owner comment options retention_time kind owner_role_type", rows
    )


def schemas(session: Session, match: Match) -> Result:
    pattern = match.literal("pattern") if match.raw("pattern") else "%"
    where, path = match.groups["scope_kind"].upper(), match.path("scope") if match.groups["scope"] else []
    database = None if where == "ACCOUNT" else path[0] if path else session.database
    rows = [
        {
            "created_on": datetime.fromisoformat(document["created_on"]),
            "name": key.name,
            "is_default": "N",
            "is_current": "Y" if (session.database, session.schema) == (key.database, key.name) else "N",
            "database_name": key.database,
            "owner": document.get("owner"),
            "comment": document.get("comment", ""),
            "options": "VERSIONED" if document.get("versioned") else "",
            "retention_time": "1",
            "owner_role_type": "APPLICATION" if access.is_application(session, key.database) else "ROLE",
        }
        for key, document in session.account.catalogue.find("schema", database)
        if like(pattern, key.name)
        and access.sees(session, key.database, session.account.physical_schema(session, key.database, key.name))
    ]
    return reply.rows(
        "created_on name is_default is_current database_name owner comment options retention_time owner_role_type", rows
    )


def visible_tables(session: Session, database: str | None, schema: str | None) -> list[dict[str, Any]]:
    """Tables and views that the role may see, with their logical schema."""
    found = []
    names = [database] if database else [key.name for key, _ in session.account.catalogue.find("database", HOME)]
    for name in names:
        for table in definitions.list_tables(session.cursor, name):
            physical = table["schema"]
            logical = physical.split("$")[0]
            if (
                physical == SYSTEM_SCHEMA
                or physical.startswith("_")
                or schema not in (None, logical)
                or not reply.is_active(session, name, physical)
            ):
                continue
            if not session.account.catalogue.get("schema", name, "", logical):
                continue
            own = table["name"]
            if (shown := temporaries.shown(session, own)) and access.may(session, "ANY", "TABLE", name, physical, own):
                found.append({**table, "database": name, "logical_schema": logical, "name": shown, "own_name": own})
    return found


def tables(session: Session, match: Match) -> Result:
    pattern = match.literal("pattern") if match.raw("pattern") else "%"
    wanted = next(word for word in ("tables", "views", "objects") if word in match.text.lower().split()[:3])
    kinds = {"tables": {"TABLE"}, "views": {"VIEW"}, "objects": {"TABLE", "VIEW"}}[wanted]
    rows = []
    for table in visible_tables(session, *reply.scope(session, match)):
        if table["kind"] not in kinds or not like(pattern, table["name"]):
            continue
        of_application = access.is_application(session, table["database"])
        rows.append(
            {
                "created_on": table.get("created_on"),
                "name": table["name"],
                "database_name": table["database"],
                "schema_name": table["logical_schema"],
                "kind": table["kind"] if table["own_name"] == table["name"] or wanted == "views" else "TEMPORARY",
                "comment": table.get("comment") or "",
                "cluster_by": "",
                "rows": table.get("rows"),
                "bytes": None,
                "owner": table["database"]
                if of_application  # owns what it creates, whoever owns the application
                else (session.account.database(table["database"]) or {}).get("owner"),
                "retention_time": "1",
                "text": None if of_application and session.application != table["database"] else table.get("text"),
                "owner_role_type": "APPLICATION" if of_application else "ROLE",
            }
        )
    columns = "created_on name database_name schema_name kind comment cluster_by rows bytes owner retention_time owner_role_type"
    return reply.rows(
        "created_on name database_name schema_name kind comment owner text owner_role_type"
        if wanted == "views"
        else columns,
        rows,
        types={"rows": "fixed"},
    )


def columns(session: Session, match: Match) -> Result:
    pattern = match.literal("pattern") if match.raw("pattern") else "%"
    if match.groups["scope_kind"].upper() in ("TABLE", "VIEW") or len(match.path("scope")) == 3:
        name = session.account.qualify(session, match.path("scope"), "table")
        chosen = [(name, name[1].split("$")[0], temporaries.plain(name[2]))]
        access.require(session, "ANY", "TABLE", *name)
    else:
        chosen = [
            ((table["database"], table["schema"], table["own_name"]), table["logical_schema"], table["name"])
            for table in visible_tables(session, *reply.scope(session, match))
        ]
    rows = [
        {
            "table_name": shown,
            "schema_name": logical,
            "column_name": column["name"],
            "data_type": json.dumps({"type": column["type"], "nullable": column["null?"] == "Y"}),
            "null?": column["null?"],
            "default": column["default"],
            "kind": "COLUMN",
            "expression": "",
            "comment": column["comment"],
            "database_name": name[0],
            "autoincrement": "",
        }
        for name, logical, shown in chosen
        for column in definitions.describe_table(session.cursor, *name)
        if like(pattern, column["name"])
    ]
    return reply.rows(
        "table_name schema_name column_name data_type null? default kind expression comment database_name autoincrement",
        rows,
    )


def describe_table(session: Session, match: Match) -> Result:
    name = session.account.qualify(session, match.path(), "table")
    access.require(session, "ANY", "TABLE", *name)
    rows = [
        {**column, "unique key": "N", "check": None, "expression": None, "policy name": None}
        for column in definitions.describe_table(session.cursor, *name)
    ]
    if not rows:
        raise access.not_found(session, "TABLE", *name)
    names = [
        "name",
        "type",
        "kind",
        "null?",
        "default",
        "primary key",
        "unique key",
        "check",
        "expression",
        "comment",
        "policy name",
    ]
    return reply.rows_of(names, rows)


def describe_database(session: Session, match: Match) -> Result:
    access.require(session, "ANY", "DATABASE", match.name(), "", match.name())
    match.groups |= {"scope_kind": "database", "scope": match.groups["name"]}
    return _described(schemas(session, match), "SCHEMA")


def describe_schema(session: Session, match: Match) -> Result:
    database, schema = session.account.qualify_schema(session, match.path())
    if not session.account.catalogue.get("schema", database, "", schema):
        raise access.not_found(session, "SCHEMA", database, "", schema)
    access.require(session, "ANY", "SCHEMA", database, "", session.account.physical_schema(session, database, schema))
    match.groups |= {"scope_kind": "schema", "scope": match.groups["name"]}
    match.text = "show objects"
    return _described(tables(session, match))


def describe_warehouse(session: Session, match: Match) -> Result:
    document = session.account.catalogue.get("warehouse", HOME, "", match.name())
    if not document or not access.may(session, "ANY", "WAREHOUSE", HOME, "", match.name()):
        raise missing("Warehouse", match.name())
    created = datetime.fromisoformat(document["created_on"])
    return reply.rows("created_on name kind", [{"created_on": created, "name": match.name(), "kind": "WAREHOUSE"}])


def _described(shown: Result, kind: str = "") -> Result:
    """DESCRIBE of what holds other things names them; SHOW tells more."""
    cells = {column.name: shown.table.column(place).to_pylist() for place, column in enumerate(shown.columns)}
    kinds = [kind] * shown.rowcount if kind else cells["kind"]
    rows = zip(cells["created_on"], cells["name"], kinds, strict=True)
    return reply.rows("created_on name kind", [{"created_on": a, "name": b, "kind": c} for a, b, c in rows])


def warehouses(session: Session, match: Match) -> Result:
    pattern = match.literal("pattern") if match.raw("pattern") else "%"
    rows = [
        {
            "name": key.name,
            "state": "STARTED",
            "type": "STANDARD",
            "size": document["size"],
            "is_default": "N",
            "is_current": "Y" if session.warehouse == key.name else "N",
            "owner": document["owner"],
            "created_on": datetime.fromisoformat(document["created_on"]),
        }
        for key, document in session.account.catalogue.find("warehouse", HOME)
        if like(pattern, key.name) and access.may(session, "ANY", "WAREHOUSE", HOME, "", key.name)
    ]
    return reply.rows("name state type size is_default is_current owner created_on", rows)


def parameters(session: Session, match: Match) -> Result:
    """SHOW PARAMETERS [LIKE ..] [IN SESSION | ACCOUNT]: the session's, and the account's event table."""
    pattern = match.literal("pattern") if match.raw("pattern") else "%"
    in_account = bool(re.match(r"in\s+account", match.raw("rest"), re.IGNORECASE))
    shown = {"EVENT_TABLE": ".".join(EVENTS)} if in_account else {}
    shown |= {name: session.parameters.get(name, default) for name, default in SESSION_PARAMETERS.items()}
    rows = [
        {
            "key": name,
            "value": str(value).lower() if isinstance(value, bool) else str(value),
            "default": ("" if name == "EVENT_TABLE" else str(SESSION_PARAMETERS[name])).lower(),
            "level": "ACCOUNT" if name == "EVENT_TABLE" else "SESSION" if value != SESSION_PARAMETERS[name] else "",
            "description": "",
            "type": "BOOLEAN" if isinstance(value, bool) else "STRING",
        }
        for name, value in sorted(shown.items())
        if like(pattern, name)
    ]
    return reply.rows("key value default level description type", rows)


_VARIABLE_TYPES = {bool: "boolean", int: "fixed", Decimal: "fixed", float: "real", date: "date", time: "time"}


def variables(session: Session, match: Match) -> Result:
    if session.frame:
        raise SqlError(90_236, "Stored procedure execution error: Unsupported statement type 'SHOW VARIABLES'.")
    rows = [
        {"name": name, "value": None if value is None else str(value), "type": _VARIABLE_TYPES.get(type(value), "text")}
        for name, value in sorted(session.variables.items())
    ]
    return reply.rows("name value type", rows)
