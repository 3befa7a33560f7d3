"""What a view was made of: DuckDB keeps its text as it was translated for its tables then, Snowflake translates it each time.

So a view is refused once that text may be wrong; another column of a table is no harm to it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import duckdb
from sqlglot import exp

from local_account import access, definitions
from local_account.errors import compilation, unsupported
from local_account.rewrites.kinds import kind_of_duckdb
from local_account.session import Frame

if TYPE_CHECKING:
    from local_account.catalogue import Change
    from local_account.names import Name, Plan
    from local_account.session import Session

_unchanged: set[tuple[int, Name]] = set()  # seen to be so at this version of the definitions


def remember(session: Session, change: Change, plan: Plan, name: Name) -> None:
    """Notes, beside a new view, whose rights it has, its columns and those of what it reads."""
    if plan.relations or plan.calls:
        raise unsupported("view of INFORMATION_SCHEMA, RESULT_SCAN or a function of one's own")
    columns = [column for column, _ in definitions.columns_read(change.cursor, _table(name))]
    reads = [[*read, dict(definitions.columns_read(change.cursor, _table(read)))] for read in sorted(plan.reads)]
    change.put("view", name[1], name[2], {"role": session.role, "columns": columns, "reads": reads})


def require_unchanged(session: Session, name: Name) -> None:
    """Raises for a view whose columns or whose tables' types are others than when it was made, or whose owner may not read them."""
    document = session.account.catalogue.get("view", *name)
    key = definitions.version(), name
    if not document or key in _unchanged:
        return
    cursor = session.account.cursor()  # a failure on the session's own would end its transaction
    with suppress(duckdb.Error):  # a table is gone: the query will say so
        for *read, before in document["reads"]:
            _require_owner_reads(session, name, document, tuple(read))
            for column, type_ in definitions.columns_of(cursor, _table(read)):
                if kind_of_duckdb(type_) != kind_of_duckdb(before.get(column, type_)):
                    raise unsupported(
                        f"view {name[2]}", f"{column} of {read[2]} has changed its type; make the view anew"
                    )
            require_unchanged(session, tuple(read))
        declared, found = len(document["columns"]), len(definitions.columns_of(cursor, _table(name)))
        if declared != found:
            message = f"View definition for '{name[2]}' declared {declared} column(s), but view query produces {found} column(s)."
            raise compilation(2057, message, "42601")
    cursor.close()
    _unchanged.add(key)


def _require_owner_reads(session: Session, view: Name, document: dict[str, Any], read: Name) -> None:
    """A view reads with its owner's rights: those of the role that made it, or of its application."""
    application = view[0] if access.is_application(session, view[0]) else None
    role = None if application else document.get("role", session.role)  # accounts of before did not note it
    owner = session.nested(Frame(f"view {view[2]}", view[0], view[1], application=application, role=role))
    if not access.may(owner, "SELECT", "TABLE", *read):
        failure = access.not_found(owner, "OBJECT", *read)
        raise compilation(2037, f"Failure during expansion of view '{view[2]}': {failure.message}", "42601")


def _table(name: Name) -> exp.Table:
    return exp.table_(*(exp.to_identifier(part, quoted=True) for part in reversed(name)))
