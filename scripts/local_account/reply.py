"""Results that no query makes: a status line, the rows of a SHOW."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow

from local_account import access
from local_account.engine import Column, Result
from local_account.errors import SqlError
from local_account.syntax import like

if TYPE_CHECKING:
    from local_account.catalogue import Key
    from local_account.session import Session
    from local_account.syntax import Match

LONGEST_TEXT = 16_777_216
_ARROW = {
    "text": pyarrow.string(),
    "fixed": pyarrow.int64(),
    "timestamp_ltz": pyarrow.timestamp("us", tz="UTC"),
    "boolean": pyarrow.bool_(),
    "variant": pyarrow.string(),
}
_TIMES = ("_on", "_time", "stale_after")


def status(text: str) -> Result:
    """The one-row answer of a definition."""
    return rows("status", [{"status": text}], kind="ddl")


def rows(
    columns: str, values: list[dict[str, Any]], kind: str = "select", types: dict[str, str] | None = None
) -> Result:
    """Rows under the given column names (a text with spaces between); a missing value is NULL, times are found by name."""
    return rows_of(columns.split(), values, kind, types)


def rows_of(
    names: list[str], values: list[dict[str, Any]], kind: str = "select", types: dict[str, str] | None = None
) -> Result:
    """The same for names that have spaces in them."""
    described = []
    arrays = []
    for name in names:
        cells = [row.get(name) for row in values]
        type_ = (types or {}).get(name) or _type(name, cells)
        if type_ == "text":
            cells = [None if cell is None else str(cell) for cell in cells]
        arrays.append(pyarrow.array(cells, type=_ARROW[type_]))
        fixed = type_ == "fixed"
        described.append(
            Column(
                name,
                type_,
                38 if fixed else None,
                0 if fixed else 9 if type_ == "timestamp_ltz" else None,
                LONGEST_TEXT if type_ == "text" else None,
                True,
            )
        )
    return Result(described, pyarrow.table(arrays, names=[f"c{i}" for i in range(len(names))]), len(values), kind)


def _type(name: str, cells: list[Any]) -> str:
    present = [cell for cell in cells if cell is not None]
    if name.lower().endswith(_TIMES) and all(isinstance(cell, datetime) for cell in present):
        return "timestamp_ltz"
    if present and all(isinstance(cell, bool) for cell in present):
        return "boolean"
    return "fixed" if present and all(isinstance(cell, int) for cell in present) else "text"


def visible(session: Session, kind: str, match: Match) -> list[tuple[Key, dict[str, Any]]]:
    """The objects of a schema-level kind that a SHOW's LIKE and IN leave and that the role may see."""
    from local_account import temporaries

    database, schema = scope(session, match)
    pattern = match.literal("pattern") if match.raw("pattern") else "%"
    found = session.account.catalogue.find(kind.lower(), database)
    active = [(key, document) for key, document in found if is_active(session, key.database, key.schema)]
    return [
        (key._replace(name=temporaries.plain(key.name)), document)
        for key, document in active
        if (schema is None or key.schema.split("$")[0] == schema)
        and like(pattern, key.name.split("(")[0])
        and temporaries.shown(session, key.name)
        and access.may(session, "ANY", kind, key.database, key.schema, key.name)
    ]


def is_active(session: Session, database: str, physical: str) -> bool:
    """Whether a physical schema is the one that its name means now."""
    logical = physical.split("$")[0]
    return session.account.physical_schema(session, database, logical) == physical


def scope(session: Session, match: Match) -> tuple[str | None, str | None]:
    """(database, schema) of a SHOW's IN clause; None is 'any'."""
    where = match.raw("scope_kind").upper() if "scope_kind" in match.groups else ""
    path = match.path("scope") if match.groups.get("scope") else []
    if where == "ACCOUNT":
        return None, None
    if where in ("DATABASE", "APPLICATION", "APPLICATION PACKAGE"):
        return (path[0] if path else session.account.current_database(session, "SHOW")), None
    if path and where in ("SCHEMA", ""):
        if where == "" and len(path) == 1 and access.sees(session, path[0]):
            return path[0], None
        return session.account.qualify_schema(session, path)
    if session.database is None:
        return None, None
    if where == "SCHEMA" or session.schema:
        return session.database, session.schema
    return session.database, None


def nothing_to_drop(match: Match, name: str, error: SqlError) -> Result:
    """DROP of what is not there: an error, but with IF EXISTS."""
    if not match.has("if exists"):
        raise error
    return status(f"Drop statement executed successfully ({name} already dropped).")


def exists(name: str) -> SqlError:
    return SqlError(2002, f"SQL compilation error: Object '{name}' already exists.", "42710")
