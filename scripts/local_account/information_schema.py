"""INFORMATION_SCHEMA: its views, TASK_HISTORY and QUERY_HISTORY. Shows only what the role may see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow

from local_account import access, definitions, query_history, shows
from local_account.catalogue import SYSTEM_SCHEMA, TASK_HISTORY, quote
from local_account.errors import SqlError, missing, unsupported

if TYPE_CHECKING:
    from local_account.session import Session

HISTORY_ROWS = 100  # the default RESULT_LIMIT
MOST_HISTORY_ROWS = 10_000
HISTORY_DAYS = 7
_TEXT, _NUMBER, _TIME = pyarrow.string(), pyarrow.int64(), pyarrow.timestamp("us", tz="UTC")


def view(session: Session, database: str, name: str) -> pyarrow.Table:
    """The rows of one of the views."""
    if not access.sees(session, database):
        raise missing("Database", database)
    if name not in _VIEWS:
        raise SqlError(
            2,
            f"Unsupported feature 'INFORMATION_SCHEMA.{name}' of the local account (there are: {', '.join(sorted(_VIEWS))}, TASK_HISTORY() and QUERY_HISTORY()).",
        )
    return _VIEWS[name](session, database)


def table_function(session: Session, database: str, name: str, given: dict[str, Any]) -> pyarrow.Table:
    if name == "QUERY_HISTORY":
        return query_history.rows(session, given)
    if name != "TASK_HISTORY":
        raise unsupported(f"INFORMATION_SCHEMA.{name}()", "TASK_HISTORY and QUERY_HISTORY are there")
    return task_history(session, database, given)


def _table(rows: list[dict[str, Any]], **columns: pyarrow.DataType) -> pyarrow.Table:
    return pyarrow.table(
        {name: pyarrow.array([row.get(name) for row in rows], type_) for name, type_ in columns.items()}
    )


def _tables(session: Session, database: str) -> pyarrow.Table:
    rows = [
        {
            "TABLE_CATALOG": database,
            "TABLE_SCHEMA": table["logical_schema"],
            "TABLE_NAME": table["name"],
            "TABLE_TYPE": "BASE TABLE" if table["kind"] == "TABLE" else "VIEW",
            "ROW_COUNT": table.get("rows"),
            "CREATED": table.get("created_on"),
            "COMMENT": table.get("comment"),
        }
        for table in shows.visible_tables(session, database, None)
    ]
    return _table(
        rows,
        TABLE_CATALOG=_TEXT,
        TABLE_SCHEMA=_TEXT,
        TABLE_NAME=_TEXT,
        TABLE_TYPE=_TEXT,
        ROW_COUNT=_NUMBER,
        CREATED=_TIME,
        COMMENT=_TEXT,
    )


def _views(session: Session, database: str) -> pyarrow.Table:
    rows = [
        {
            "TABLE_CATALOG": database,
            "TABLE_SCHEMA": table["logical_schema"],
            "TABLE_NAME": table["name"],
            "VIEW_DEFINITION": table.get("text") if session.application == database else None,
            "COMMENT": table.get("comment"),
        }
        for table in shows.visible_tables(session, database, None)
        if table["kind"] == "VIEW"
    ]
    return _table(rows, TABLE_CATALOG=_TEXT, TABLE_SCHEMA=_TEXT, TABLE_NAME=_TEXT, VIEW_DEFINITION=_TEXT, COMMENT=_TEXT)


def _columns(session: Session, database: str) -> pyarrow.Table:
    rows = []
    for table in shows.visible_tables(session, database, None):
        for position, column in enumerate(
            definitions.describe_table(session.cursor, database, table["schema"], table["own_name"]), 1
        ):
            rows.append(
                {
                    "TABLE_CATALOG": database,
                    "TABLE_SCHEMA": table["logical_schema"],
                    "TABLE_NAME": table["name"],
                    "COLUMN_NAME": column["name"],
                    "ORDINAL_POSITION": position,
                    "COLUMN_DEFAULT": column["default"],
                    "IS_NULLABLE": "YES" if column["null?"] == "Y" else "NO",
                    "DATA_TYPE": column["type"].split("(")[0].replace("VARCHAR", "TEXT"),
                    "COMMENT": column["comment"],
                }
            )
    kinds = dict.fromkeys(("TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "COLUMN_NAME"), _TEXT)
    return _table(
        rows, **kinds, ORDINAL_POSITION=_NUMBER, COLUMN_DEFAULT=_TEXT, IS_NULLABLE=_TEXT, DATA_TYPE=_TEXT, COMMENT=_TEXT
    )


def _schemata(session: Session, database: str) -> pyarrow.Table:
    rows = [
        {
            "CATALOG_NAME": database,
            "SCHEMA_NAME": key.name,
            "SCHEMA_OWNER": document.get("owner"),
            "COMMENT": document.get("comment"),
        }
        for key, document in session.account.catalogue.find("schema", database)
        if access.sees(session, database, session.account.physical_schema(session, database, key.name))
    ]
    return _table(rows, CATALOG_NAME=_TEXT, SCHEMA_NAME=_TEXT, SCHEMA_OWNER=_TEXT, COMMENT=_TEXT)


_VIEWS = {"TABLES": _tables, "VIEWS": _views, "COLUMNS": _columns, "SCHEMATA": _schemata}


def _moment(given: dict[str, Any], name: str) -> datetime | None:
    """A time that was given, as an instant; times without a zone are UTC, the session's."""
    value = given.get(name)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise SqlError(100_035, f"Timestamp '{value}' is not recognized", "22007") from None
    if value is not None and not isinstance(value, datetime):
        raise SqlError(
            1044, f"SQL compilation error:\nInvalid argument types for function 'TASK_HISTORY': {name}", "42P13"
        )
    return value.replace(tzinfo=value.tzinfo or UTC) if value else None


def task_history(session: Session, database: str, given: dict[str, Any]) -> pyarrow.Table:
    """TASK_HISTORY(..): the runs of the tasks that the role may watch, newest first, after the runs that are scheduled next."""
    allowed = {
        "SCHEDULED_TIME_RANGE_START",
        "SCHEDULED_TIME_RANGE_END",
        "RESULT_LIMIT",
        "TASK_NAME",
        "ERROR_ONLY",
    }
    if unknown := set(given) - allowed:
        raise unsupported(f"TASK_HISTORY({', '.join(sorted(unknown))})")
    if not access.sees(session, database):
        raise missing("Database", database)
    now = session.account.clock.now()
    kept_since = now - timedelta(days=HISTORY_DAYS)
    start = _moment(given, "SCHEDULED_TIME_RANGE_START") or kept_since
    end = _moment(given, "SCHEDULED_TIME_RANGE_END") or now + timedelta(days=8)
    if start < kept_since - timedelta(minutes=1):  # the statement's own clock stands a little behind
        raise SqlError(
            1008,
            f"SQL compilation error:\ninvalid value [{start:%Y-%m-%d %H:%M:%S}] for parameter 'SCHEDULED_TIME_RANGE_START': not within the last {HISTORY_DAYS} days",
            "22023",
        )
    written = str(given.get("RESULT_LIMIT", HISTORY_ROWS))
    if not written.isdigit() or not 1 <= int(written) <= MOST_HISTORY_ROWS:
        raise SqlError(1008, f"RESULT_LIMIT is a whole number from 1 to {MOST_HISTORY_ROWS}, not {written}.", "22023")
    limit = int(written)
    names = [column.split()[0].upper() for column in TASK_HISTORY.split(", ")]
    history = session.cursor.execute(
        f"select * from {quote(database)}.{quote(SYSTEM_SCHEMA)}.task_history where scheduled_time between ?::timestamptz and ?::timestamptz "
        "order by scheduled_time desc, query_start_time desc",
        [start, end],
    ).fetchall()
    rows = [dict(zip(names, row, strict=True)) for row in history]
    for key, document in session.account.catalogue.find("task", database):
        if moment := session.account.scheduler.next_run((database, key.schema, key.name)):
            rows.insert(
                0,
                {
                    "NAME": key.name,
                    "DATABASE_NAME": database,
                    "SCHEMA_NAME": key.schema,
                    "QUERY_TEXT": document["body"],
                    "STATE": "SCHEDULED",
                    "SCHEDULED_TIME": moment,
                    "SCHEDULED_FROM": "SCHEDULE",
                    "ROOT_TASK_ID": f"{database}.{key.schema}.{key.name}",
                },
            )
    kept = [
        row
        for row in rows
        if any(
            access.may(session, privilege, "TASK", database, row["SCHEMA_NAME"], row["NAME"])
            for privilege in ("MONITOR", "OPERATE", "OWNERSHIP")
        )
        and str(given.get("TASK_NAME") or row["NAME"]).upper() == row["NAME"]
        and (not given.get("ERROR_ONLY") or row["STATE"] == "FAILED")
    ][:limit]
    types = {"VARCHAR": _TEXT, "BIGINT": _NUMBER, "TIMESTAMPTZ": _TIME}
    kinds = [types[column.split()[1].upper()] for column in TASK_HISTORY.split(", ")]
    hidden = access.is_application(session, database) and session.application != database
    for row in kept if hidden else ():
        row["QUERY_TEXT"] = None
    return _table(kept, **dict(zip(names, kinds, strict=True)))
