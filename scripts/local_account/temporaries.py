"""Temporary tables, views, stages and file formats: ordinary ones that end with the session which made them.

Here every session of the same rights sees them, so a name that is taken is refused, where Snowflake would let the temporary object hide the other.
Inside an application there are none (rules.py).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from local_account.catalogue import quote
from local_account.syntax import PATH, split_path

if TYPE_CHECKING:
    from local_account.account import Account
    from local_account.engine import Result
    from local_account.session import Session

_KIND = r"(?P<kind>table|view|stage|file\s+format)"
_CREATE = re.compile(
    rf"(?P<create>create\s+(?:or\s+replace\s+)?)(?:(?:local|global|scoped)\s+)?temp(?:orary)?\s+(?P<rest>{_KIND}\s+"
    rf"(?:if\s+not\s+exists\s+)?(?P<name>{PATH})[\s\S]*)",
    re.IGNORECASE,
)
_DROP = re.compile(rf"drop\s+{_KIND}\s+(?:if\s+exists\s+)?(?P<name>{PATH})", re.IGNORECASE)


def execute(session: Session, statement: str, binds: list[Any]) -> Result | None:
    """Runs a CREATE TEMPORARY or the DROP of what it made; None for every other statement."""
    from local_account import statements

    found = _CREATE.fullmatch(statement)
    if not found:
        if (dropped := _DROP.match(statement)) and session.account.catalogue.find("temporary"):
            _note(session, dropped, is_there=False)
        return None
    result = statements.execute(session, found["create"] + found["rest"], binds)
    _note(session, found, is_there=True)
    return result


def _note(session: Session, found: re.Match[str], *, is_there: bool) -> None:
    kind = " ".join(found["kind"].lower().split())
    database, schema, name = session.account.qualify(session, split_path(found["name"]), kind)
    with session.account.change(database, session) as change:
        if is_there:
            change.put("temporary", schema, f"{kind} {name}", {"session": session.number})
        else:
            change.delete("temporary", schema, f"{kind} {name}")


def end(account: Account, session: int | None = None) -> None:
    """Drops what a session left; without one, what all sessions before a restart have left."""
    from local_account import statements

    for key, document in account.catalogue.find("temporary"):
        if session is None or document["session"] == session:
            kind, _, name = key.name.rpartition(" ") if key.name.startswith("file") else key.name.partition(" ")
            path = ".".join(quote(part) for part in (key.database, key.schema, name))
            own = account.system_session("ACCOUNTADMIN")
            try:
                statements.execute(own, f"drop {kind} if exists {path}")
            finally:
                own.close()
            with account.change(key.database) as change:
                change.delete("temporary", key.schema, key.name)
