"""QUERY_HISTORY: the statements that clients and tasks sent, kept in memory: a restart forgets them.

What an application's code runs is not there: consumers do not see it (developer-guide/native-apps/security-overview).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyarrow

from local_account.errors import SqlError, unsupported

if TYPE_CHECKING:
    from local_account.session import Session

KEPT, SHOWN, MOST_SHOWN = 10_000, 100, 10_000
_TEXT, _NUMBER, _TIME = pyarrow.string(), pyarrow.int64(), pyarrow.timestamp("us", tz="UTC")
COLUMNS = {
    "QUERY_ID": _TEXT, "QUERY_TEXT": _TEXT, "DATABASE_NAME": _TEXT, "SCHEMA_NAME": _TEXT, "QUERY_TYPE": _TEXT, "SESSION_ID": _NUMBER,
    "USER_NAME": _TEXT, "ROLE_NAME": _TEXT, "WAREHOUSE_NAME": _TEXT, "QUERY_TAG": _TEXT, "EXECUTION_STATUS": _TEXT, "ERROR_CODE": _TEXT,
    "ERROR_MESSAGE": _TEXT, "START_TIME": _TIME, "END_TIME": _TIME, "TOTAL_ELAPSED_TIME": _NUMBER, "ROWS_PRODUCED": _NUMBER,
}  # fmt: skip

Entries = deque[dict[str, Any]]


def new() -> Entries:
    return deque(maxlen=KEPT)


@contextmanager
def noted(session: Session, text: str) -> Iterator[dict[str, Any]]:
    """An entry for the statement while it runs and after; the caller adds what it produced."""
    clock = session.account.clock
    entry = {
        "QUERY_TEXT": text,
        "DATABASE_NAME": session.database,
        "SCHEMA_NAME": session.schema,
        "QUERY_TYPE": text.split(maxsplit=1)[0].upper() if text.strip() else "UNKNOWN",
        "SESSION_ID": session.number,
        "USER_NAME": session.user,
        "ROLE_NAME": session.role,
        "WAREHOUSE_NAME": session.warehouse,
        "QUERY_TAG": session.parameters["QUERY_TAG"],
        "EXECUTION_STATUS": "RUNNING",
        "START_TIME": clock.now(),
    }
    session.account.history.append(entry)
    try:
        yield entry
        entry["EXECUTION_STATUS"] = "SUCCESS"
    except SqlError as error:
        entry |= {"EXECUTION_STATUS": "FAIL", "ERROR_CODE": f"{error.errno:06d}", "ERROR_MESSAGE": error.message}
        raise
    finally:
        entry["QUERY_ID"] = entry.get("QUERY_ID") or session.query_id
        entry["END_TIME"] = clock.now()
        entry["TOTAL_ELAPSED_TIME"] = (entry["END_TIME"] - entry["START_TIME"]) // timedelta(milliseconds=1)


def rows(session: Session, given: dict[str, Any]) -> pyarrow.Table:
    """QUERY_HISTORY(END_TIME_RANGE_START => .., END_TIME_RANGE_END => .., RESULT_LIMIT => ..), newest first."""
    if unknown := given.keys() - {"END_TIME_RANGE_START", "END_TIME_RANGE_END", "RESULT_LIMIT"}:
        raise unsupported(f"QUERY_HISTORY({', '.join(sorted(unknown))})")
    if session.application:
        raise unsupported("QUERY_HISTORY in an application", "the statements are its consumer's")
    limit = min(int(given.get("RESULT_LIMIT") or SHOWN), MOST_SHOWN)
    start, end = given.get("END_TIME_RANGE_START"), given.get("END_TIME_RANGE_END")
    found = [
        entry
        for entry in reversed(list(session.account.history))
        if (not start or entry.get("END_TIME", entry["START_TIME"]) >= start)
        and (not end or entry.get("END_TIME", entry["START_TIME"]) <= end)
    ]
    return pyarrow.table(
        {name: pyarrow.array([entry.get(name) for entry in found[:limit]], type_) for name, type_ in COLUMNS.items()}
    )
