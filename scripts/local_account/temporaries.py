"""Temporary tables, views, stages and file formats: they end with the session that made them, and no other session sees them.

Each is an ordinary object under a name of the session's own, for which the session's written names stand (`Account.qualify`); so it hides a
lasting object of its name, as on Snowflake. Inside an application there are none (rules.py).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from local_account import reply
from local_account.catalogue import quote
from local_account.errors import SqlError, compilation, unsupported
from local_account.syntax import PATH, split_path

if TYPE_CHECKING:
    from local_account.account import Account
    from local_account.engine import Result
    from local_account.session import Session

_KIND = r"(?P<kind>table|view|stage|file\s+format)"
_CREATE = re.compile(
    r"(?P<create>create\s+(?:or\s+replace\s+)?)(?:(?:local|global|scoped)\s+)?temp(?:orary)?\s+"
    rf"(?P<head>{_KIND}\s+(?:if\s+not\s+exists\s+)?)(?P<name>{PATH})(?P<rest>[\s\S]*)",
    re.IGNORECASE,
)
_DROP = re.compile(rf"drop\s+{_KIND}\s+(?:if\s+exists\s+)?(?P<name>{PATH})", re.IGNORECASE)
_CREATE_LASTING = re.compile(
    rf"create\s+(?:or\s+(?:replace|alter)\s+)?(?:(?:transient|secure|recursive)\s+)*{_KIND}\s+(?:if\s+not\s+exists\s+)?(?P<name>{PATH})",
    re.IGNORECASE,
)
_OWN = re.compile(r" \(temporary (\d+)\)\Z")


def execute(session: Session, statement: str, binds: list[Any]) -> Result | None:
    """Runs a CREATE TEMPORARY or the DROP of what it made; None for every other statement."""
    from local_account import statements

    found = _CREATE.fullmatch(statement)
    if not found:
        if session.temporaries and (lasting := _CREATE_LASTING.match(statement)):
            kind, place = _place(session, lasting)
            if meant(session, _family(kind), place) != place:
                raise unsupported(f"CREATE {kind.upper()} of a name that a temporary object has", place[2])
        dropped = _DROP.match(statement) if session.temporaries else None
        return _drop_own(session, *_place(session, dropped)) if dropped else None
    kind, place = _place(session, found)
    database, schema, name = place
    own = f"{name} (temporary {session.number})"
    path = ".".join(quote(part) for part in (database, schema, own))
    try:
        result = statements.execute(session, found["create"] + found["head"] + path + found["rest"], binds)
    except SqlError as error:
        raise SqlError(error.errno, error.message.replace(own, name), error.sqlstate) from error
    session.temporaries[_family(kind), *place] = own
    with session.account.change(database, session) as change:
        change.put("temporary", schema, own, {"kind": kind, "session": session.number})
    return session.remember(reply.status(result.table.column(0)[0].as_py().replace(own, name)))


def _place(session: Session, found: re.Match[str]) -> tuple[str, tuple[str, str, str]]:
    kind = " ".join(found["kind"].lower().split())
    return kind, session.account.qualify(session, split_path(found["name"]), "temporary object")


def _family(kind: str) -> str:
    return "table" if kind == "view" else kind


def _drop_own(session: Session, kind: str, place: tuple[str, str, str]) -> Result | None:
    database, schema, own = meant(session, _family(kind), place)
    document = session.account.catalogue.get("temporary", database, schema, own)
    if not document:
        return None
    if document["kind"] != kind:
        raise compilation(
            2203, f"Object found is of type '{document['kind'].upper()}', not specified type '{kind.upper()}'.", "42710"
        )
    del session.temporaries[_family(kind), *place]
    _drop(session.account, database, schema, own, kind)
    return session.remember(reply.status(f"{place[2]} successfully dropped."))


def _drop(account: Account, database: str, schema: str, own: str, kind: str) -> None:
    from local_account import statements

    system = account.system_session("ACCOUNTADMIN")
    try:
        path = ".".join(quote(part) for part in (database, schema, own))
        statements.execute(system, f"drop {kind} if exists {path}")
    finally:
        system.close()
    with account.change(database) as change:
        change.delete("temporary", schema, own)


def end(account: Account, session: int | None = None) -> None:
    """Drops what a session left; without one, what all sessions before a restart have left."""
    for key, document in account.catalogue.find("temporary"):
        if session in (None, document["session"]):
            _drop(account, key.database, key.schema, key.name, document["kind"])


def meant(session: Session, what: str, place: tuple[str, str, str]) -> tuple[str, str, str]:
    """The place of the session's own object, if it has one of that name."""
    own = session.temporaries.get((what, *place))
    if own and session.account.catalogue.get("temporary", *place[:2], own):  # else its schema was dropped
        return (*place[:2], own)
    return place


def shown(session: Session, name: str) -> str | None:
    """The name under which the session sees an object; None for another session's."""
    found = _OWN.search(name)
    if not found:
        return name
    return plain(name) if int(found[1]) == session.number else None


def plain(name: str) -> str:
    return _OWN.sub("", name)
