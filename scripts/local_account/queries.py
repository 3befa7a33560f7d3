"""Ordinary SQL: queries, DML, tables and views; and the statements that begin and end a transaction."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from local_account import access, definitions, engine, names, reply, shapes, streams, temporaries, views
from local_account.errors import SqlError, compilation, unsupported
from local_account.syntax import PATH
from local_account.types import with_variants

if TYPE_CHECKING:
    import pyarrow

    from local_account.catalogue import Change
    from local_account.engine import Result
    from local_account.names import Plan
    from local_account.session import Session
    from local_account.syntax import Match

_LATE_CONDITION = re.compile(  # Snowflake reads it after the name too, sqlglot does not
    rf"\A(create\b[\w\s]*?\b(?:table|view))\s+({PATH})\s+(if\s+not\s+exists)\b", re.IGNORECASE
)
DONE = "Statement executed successfully."
LOCK_CONFLICT = 625
LOCK_WAIT_SECONDS = 60.0
_MODIFIES = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.TruncateTable)
_DEFINES = (exp.Create, exp.Drop, exp.Alter, exp.Comment)


def begin(session: Session, match: Match) -> Result:
    session.begin()
    return reply.status(DONE)


def commit(session: Session, match: Match) -> Result:
    session.commit()
    return reply.status(DONE)


def rollback(session: Session, match: Match) -> Result:
    session.rollback()
    return reply.status(DONE)


def parse(text: str) -> exp.Expression:
    return engine.parse(_LATE_CONDITION.sub(r"\1 \3 \2", text))


def run(session: Session, text: str, binds: list[Any]) -> Result:
    """Parses, resolves, checks and runs one statement that the routing table does not name."""
    tree = parse(text)
    if isinstance(tree, exp.MultitableInserts) and text.split()[1].lower() == "overwrite":
        raise unsupported("INSERT OVERWRITE ALL")  # the parser forgets the word
    try:
        return run_tree(session, tree, binds)
    except SqlError as error:
        if error.errno == 2003 and isinstance(tree, exp.TruncateTable) and tree.args.get("exists"):
            return reply.status(DONE)
        raise


def run_tree(
    session: Session, tree: exp.Expression, binds: list[Any], relations: dict[str, pyarrow.Table] | None = None
) -> Result:
    if isinstance(tree, exp.MultitableInserts):
        from local_account import multitable

        return multitable.insert(session, tree, binds)
    if isinstance(tree, exp.Query):
        runner = _query
    elif isinstance(tree, _MODIFIES):
        runner = _modify
    elif isinstance(tree, _DEFINES) and str(tree.args.get("kind") or "TABLE").upper() in ("TABLE", "VIEW", "COLUMN"):
        runner = _define
    else:
        written = re.sub(r"\b(OR REPLACE|IF NOT EXISTS|IF EXISTS) ", "", " ".join(tree.sql("snowflake").split()))
        raise unsupported(" ".join(written.split()[:4]))
    plan = names.resolve(session, tree, binds, relations)
    for name in plan.reads:
        access.require(session, "SELECT", "TABLE", *name)
    if not session.warehouse and (plan.reads or plan.streams or runner is _modify):
        hint = "Select an active warehouse with the 'use warehouse' command."
        raise SqlError(606, f"No active warehouse selected in the current session.  {hint}", "57P03")
    if session.transaction.open and session.transaction.version != definitions.version() and runner is not _define:
        _require_as_begun(session, plan)
    return runner(session, plan)


def _require_as_begun(session: Session, plan: Plan) -> None:
    """DuckDB shows a transaction the tables as they were when it began, and its statements are translated for what they are now."""
    cursor = session.account.cursor()
    for name in {*plan.reads, *plan.writes}:
        table = exp.table_(*reversed(name), quoted=True)
        if shapes.fields_of(session.cursor, table) != shapes.fields_of(cursor, table):
            raise unsupported(f"transaction that began before {name[2]} was defined", "end it first")
    cursor.close()


def describe(session: Session, text: str, binds: list[Any]) -> list[engine.Column]:
    """The columns that a query would give, without running it."""
    plan = names.resolve(session, engine.parse(text), binds)
    for name in plan.reads:
        access.require(session, "SELECT", "TABLE", *name)
    return engine.describe(session.cursor, plan.tree, plan.binds, names.context(session), tables=plan.relations)


def _query(session: Session, plan: Plan) -> Result:
    session.transaction.is_fresh = False
    return _run(session, plan, in_transaction=session.transaction.open)


def _run(session: Session, plan: Plan, *, in_transaction: bool, is_alone: bool = False) -> Result:
    transaction = session.transaction
    try:
        return engine.run(
            transaction.cursor,
            plan.tree,
            plan.binds,
            names.context(session),
            in_transaction=in_transaction,
            is_alone=is_alone,
            tables=plan.relations,
        )
    except SqlError as error:
        if error.transaction_lost:
            transaction.lost = error
        raise


def _modify(session: Session, plan: Plan) -> Result:
    """DML, in the open transaction or in one of its own; streams move with it."""
    for name, privileges in plan.writes.items():
        for privilege in privileges:
            access.require(session, privilege, "TABLE", *name)
    transaction = session.transaction
    if not transaction.open and not session.parameters["AUTOCOMMIT"]:
        session.begin()
    if transaction.open and not transaction.is_fresh:
        return _modify_in_transaction(session, plan)
    # Snowflake waits for the other writer's lock. DuckDB refuses the second writer, so we try again, as long as nothing is lost with that.
    is_first = transaction.open
    until = time.monotonic() + LOCK_WAIT_SECONDS
    while True:
        if not is_first:
            session.begin()
        try:
            result = _modify_in_transaction(session, plan, is_alone=True)
            if not is_first:
                session.commit()
            return result
        except BaseException as error:
            if is_first:
                transaction.begin_again()
            else:
                session.transaction.rollback()
            if getattr(error, "errno", None) != LOCK_CONFLICT or time.monotonic() > until:
                raise
            time.sleep(0.02)


def _modify_in_transaction(session: Session, plan: Plan, *, is_alone: bool = False) -> Result:
    transaction = session.transaction
    for database, stream in sorted(plan.streams - transaction.consumed):
        streams.hold(transaction, database, stream)
    tracked = {
        name: privileges for name, privileges in plan.writes.items() if streams.is_tracked(session.account, name)
    }
    removing = [name for name, privileges in tracked.items() if privileges & {"UPDATE", "DELETE", "TRUNCATE"}]
    removing = [name for name in removing if streams.set_aside(session.account, transaction, name)]
    if tracked:
        streams.number_rows(transaction)
    result = _run(session, plan, in_transaction=True, is_alone=is_alone)
    transaction.is_fresh = False
    for name in removing:
        streams.keep_removed(transaction, name, has_changed="UPDATE" in tracked[name])
    for name, privileges in tracked.items():
        streams.note_changes(session, name, transaction, privileges)
    transaction.consumed |= plan.streams
    streams.refuse_own_changes(session.account, transaction)
    return result


def _define(session: Session, plan: Plan) -> Result:
    """CREATE, ALTER, DROP of tables and views: commits what was open, then stands alone."""
    tree = plan.tree
    (name,) = plan.writes
    database, schema, table = name
    for mark in list(tree.find_all(exp.Placeholder)) if plan.binds else ():  # DuckDB's definitions take no binds
        mark.replace(names.literal(plan.binds[int(mark.name) - 1]))
    alters = isinstance(tree, exp.Alter) or tree.meta.get("or_alter")
    replaces = isinstance(tree, exp.Drop) or (isinstance(tree, exp.Create) and tree.args.get("replace") and not alters)
    if isinstance(tree, exp.Create):
        _require_creation(session, tree, name)
    elif not (isinstance(tree, exp.Drop | exp.Alter) and tree.args.get("exists")):
        access.require(session, "OWNERSHIP", "TABLE", *name)
    elif not access.may(session, "OWNERSHIP", "TABLE", *name):
        raise access.not_found(session, "TABLE", *name)
    if isinstance(tree, exp.Create) and (tree.kind == "VIEW" or tree.args.get("clone")):
        if temporaries.plain(table) == table and any(temporaries.plain(read[2]) != read[2] for read in plan.reads):
            raise unsupported(f"a lasting {tree.kind} of a temporary table")
    if renamed := tree.find(exp.AlterRename):
        if streams.is_tracked(session.account, name):
            raise unsupported("ALTER TABLE .. RENAME of a table with streams")
        if streams.is_stream(session.account, (database, schema, names.fold(renamed.this.this))):
            raise reply.exists(renamed.this.name)
    with session.account.change(database, session) as change:
        for relation, rows in plan.relations.items():  # CREATE TABLE AS over a table function
            change.cursor.register(relation, with_variants(rows))
        result = engine.run(
            change.cursor, tree, plan.binds, names.context(session), in_transaction=True, tables=plan.relations
        )
        for stream_database, stream in plan.streams:  # CREATE TABLE AS consumes what it reads
            streams.advance(session.account, change.execute, stream_database, stream)
        _note(session, change, plan, name)
        if alters and streams.is_tracked(session.account, name):
            streams.follow_columns(session.account, change.execute, name, tree)
        if replaces:
            streams.invalidate(session.account, change, name, f"its table {table} was dropped or replaced")
            if not tree.find(exp.CopyGrantsProperty):
                change.move_grants("TABLE", schema, table)
    return result


def _note(session: Session, change: Change, plan: Plan, name: names.Name) -> None:
    """Beside DuckDB's catalogue: what a view was made of, and names that are not in upper case."""
    tree, (_, schema, table) = plan.tree, name
    view = session.account.catalogue.get("view", *name)
    cased = session.account.catalogue.get("cased", name[0], schema, table.upper())
    renamed = tree.find(exp.AlterRename)
    new = names.fold(renamed.this.this) if renamed else table
    if isinstance(tree, exp.Drop) or renamed:
        change.delete("view", schema, table)
        if cased and cased["name"] == table:
            change.delete("cased", schema, table.upper())
    if (isinstance(tree, exp.Create) or renamed) and new != new.upper() and temporaries.plain(new) == new:
        change.put("cased", schema, new.upper(), {"name": new})
    if renamed:
        change.move_grants("TABLE", schema, table, new)
    if view and renamed:
        change.put("view", schema, new, view)
    if isinstance(tree, exp.Create) and tree.kind == "VIEW" and not (view and tree.args.get("exists")):
        views.remember(session, change, plan, name)


def _require_creation(session: Session, tree: exp.Create, name: names.Name) -> None:
    database, schema, table = name
    kind = str(tree.args["kind"]).upper()
    access.require_creation(session, kind, database, schema)
    if streams.is_stream(session.account, name):
        raise compilation(2203, f"Object '{table}' already exists as STREAM.", "42710")
    if tree.args.get("replace"):  # also OR ALTER
        if tree.args.get("exists"):
            raise compilation(1003, "syntax error: unexpected 'IF NOT EXISTS' after OR REPLACE.")
        if shapes.find(session.cursor, exp.table_(table, schema, database, quoted=True))[0]:
            access.require(session, "OWNERSHIP", "TABLE", *name)
