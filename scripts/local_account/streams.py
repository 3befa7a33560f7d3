"""Streams: change queues whose offset moves with the commit.

A table with a stream has a hidden column METADATA$TXN: the number of the transaction that inserted the row. A queue holds, for each stream, the
numbers of the committed transactions that it has not given away; it stands in the same database, so DuckDB commits rows, queue and offset
together. Rows that are deleted or changed before a stream gave them away are set aside, because an append-only stream shows them as they were inserted
(docs.snowflake.com/en/user-guide/streams-intro). Reading joins table and queue; a DML that read the stream and commits deletes from the queue what it could see. So a row inserted
by a transaction that began earlier but committed later is not lost (as it would be with a highest row number), and nothing moves on rollback.

A standard stream shows net changes: it keeps the table as it was at its offset, and rows know each other by a second hidden column. That costs
a copy of the table per consumption, and a transaction may not both consume such a stream and change its table.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
from sqlglot import exp, parse_one

from local_account import access, reply, shapes, temporaries
from local_account.catalogue import SYSTEM_SCHEMA, Key, quote
from local_account.errors import SqlError, compilation, from_duckdb, unsupported
from local_account.shapes import first
from local_account.syntax import split_path

if TYPE_CHECKING:
    from local_account.account import Account
    from local_account.engine import Result
    from local_account.names import Name
    from local_account.session import Session, Transaction
    from local_account.syntax import Match

COLUMN, IDENTITY = shapes.HIDDEN
PLACE = "METADATA$PLACE"
RETENTION_DAYS = {"DATA_RETENTION_TIME_IN_DAYS": 1, "MAX_DATA_EXTENSION_TIME_IN_DAYS": 14}  # by default
SHOWN = "created_on name database_name schema_name owner comment table_name source_type base_tables type stale mode stale_after invalid_reason owner_role_type"


def is_stream(account: Account, name: Name) -> bool:
    return account.catalogue.get("stream", *name) is not None


def is_tracked(account: Account, name: Name) -> bool:
    return account.catalogue.get("tracking", *name) is not None


def number_rows(transaction: Transaction) -> None:
    """Rows that a tracked table gets from now on bear the transaction's number: the hidden column's default reads it."""
    transaction.cursor.execute(f"set variable txn = {transaction.number}")


def without_bookkeeping(account: Account, name: Name, table: exp.Table) -> exp.Subquery:
    """A read of a tracked table, without its hidden columns."""
    alias = table.args["alias"].copy()
    table = table.copy()
    table.set("alias", None)
    query = parse_one(f"select * exclude ({_hidden(account, name)}) from t", read="duckdb")
    query.args["from_"].set("this", table)
    return exp.Subquery(this=query, alias=alias)


def _hidden(account: Account, table: Name) -> str:
    tracking = account.catalogue.get("tracking", *table) or {}
    return ", ".join(quote(column) for column in (COLUMN, IDENTITY)[: 2 if tracking.get("identity") else 1])


def as_query(session: Session, name: Name, alias: exp.Expression) -> exp.Subquery:
    """The rows that a stream shows now: what committed transactions other than the reader's own have changed."""
    document = _require_readable(session, name)
    database, _, _ = name
    if document.get("standard"):
        if (database, f"{name[1]}.{name[2]}") in session.transaction.tracked:
            raise unsupported(f"transaction that changes a table and reads its standard stream {name[2]}")
        return exp.Subquery(this=_net_changes(session, name, tuple(document["table"])), alias=alias.copy())
    base = ".".join(quote(part) for part in document["table"])
    hidden = _hidden(session.account, tuple(document["table"]))
    # The reader's own rows are left out by a function, not by a number, so that the engine knows the statement again.
    query = parse_one(
        f"""
        select
            * exclude ({hidden}, "{PLACE}"), 'INSERT' as "METADATA$ACTION", false as "METADATA$ISUPDATE",
            md5(concat("{COLUMN}", '.', "{PLACE}", '{name[2]}')) as "METADATA$ROW_ID"
        from (
            select *, rowid as "{PLACE}" from {base}
            union all by name
            select * from {_aside(tuple(document["table"]))}
        )
        where "{COLUMN}" in (
            select "txn" from {quote(database)}.{quote(SYSTEM_SCHEMA)}.stream_queue
            where "stream" = '{name[1]}.{name[2]}' and "txn" <> coalesce(cast(current_transaction() as bigint), -1)
        )
        """,
        read="duckdb",
    )
    for table in query.find_all(exp.Table):
        table.meta["physical"] = True
    for column in query.find_all(exp.Column):
        if column.name == "rowid":  # which only the engine's own statements may read
            column.meta["kind"] = None
    return exp.Subquery(this=query, alias=alias.copy())


def _require_readable(session: Session, name: Name) -> dict[str, Any]:
    document = _require(session, name)
    if reason := document.get("invalid"):
        raise SqlError(
            2143, f"SQL compilation error: Stream '{name[2]}' cannot be read: {reason}. Recreate the stream.", "02000"
        )
    _refuse_stale(session.account, session.cursor, name, document)
    return document


def _net_changes(session: Session, name: Name, table: Name) -> exp.Expression:
    """An update is a DELETE of the old row and an INSERT of the new one, with METADATA$ISUPDATE (user-guide/streams-intro)."""
    columns = [column for column in _columns(session.cursor.execute, table) if column not in shapes.HIDDEN]
    compared = ", ".join([quote(column) for column in columns] + [quote(IDENTITY)])
    changes = " union all ".join(
        f"""
        select
            {", ".join(f"{side}.{quote(column)}" for column in columns)}, '{action}' as "METADATA$ACTION",
            {other}."{IDENTITY}" is not null as "METADATA$ISUPDATE",
            md5(concat({side}."{IDENTITY}", '{name[2]}')) as "METADATA$ROW_ID"
        from {side} left join {other} using ("{IDENTITY}")
        where {other}."{IDENTITY}" is null or {side} is distinct from {other}
        """
        for side, other, action in (("now_there", "then_there", "INSERT"), ("then_there", "now_there", "DELETE"))
    )
    query = parse_one(
        f"""
        with now_there as (select {compared} from {".".join(quote(part) for part in table)}),
        then_there as (select {compared} from {_shadow(name)})
        {changes}
        """,
        read="duckdb",
    )
    for found in query.find_all(exp.Table):
        found.meta["physical"] = True
    return query


def _shadow(stream: Name) -> str:
    """The table that holds a standard stream's source as it was at the stream's offset."""
    return f"{quote(stream[0])}.{quote(SYSTEM_SCHEMA)}.{quote(f'offset {stream[1]}.{stream[2]}')}"


def advance(account: Account, execute: Any, database: str, stream: str, own: int = -1) -> None:
    """Moves a stream's offset, in the transaction that consumed it; not over its ``own`` rows: a stream shows what was there when it began."""
    moved = first(
        execute(
            f"delete from {quote(database)}.{quote(SYSTEM_SCHEMA)}.stream_queue where stream = ? and txn <> ? returning txn",
            [stream, own],
        )
    )
    _note_moved(account, execute, database, stream)
    schema, _, name = stream.partition(".")
    document = account.catalogue.get("stream", database, schema, name)
    if moved and document and document.get("standard"):
        shadow = _shadow((database, schema, name))
        execute(f"delete from {shadow}")
        table = ".".join(quote(part) for part in document["table"])
        execute(f'insert into {shadow} by name select * exclude ("{COLUMN}") from {table}')


def hold(transaction: Transaction, database: str, stream: str) -> None:
    """Locks a stream for the transaction that consumes it, until that ends: another waits, or is refused, as for a row
    (docs.snowflake.com/en/user-guide/streams-intro, repeatable read isolation)."""
    offsets = f"{quote(database)}.{quote(SYSTEM_SCHEMA)}.stream_offsets"
    try:  # DuckDB locks a row only for what changes it
        transaction.cursor.execute(
            f"update {offsets} set moved_at = moved_at + interval 1 microsecond where stream = ?", [stream]
        )
    except duckdb.Error as error:
        transaction.lost = from_duckdb(error)
        raise transaction.lost from error


def _note_moved(account: Account, execute: Any, database: str, stream: str) -> None:
    offsets = f"{quote(database)}.{quote(SYSTEM_SCHEMA)}.stream_offsets"
    execute(f"delete from {offsets} where stream = ?", [stream])
    execute(f"insert into {offsets} values (?, ?)", [stream, account.clock.now()])


def stale_after(cursor: Any, name: Name, document: dict[str, Any]) -> datetime:
    """When the stream's changes may be gone, unless it is consumed before: the table's retention is extended for it, but not for ever."""
    row = first(
        cursor.execute(
            f"select max(moved_at) from {quote(name[0])}.{quote(SYSTEM_SCHEMA)}.stream_offsets where stream = ?",
            [f"{name[1]}.{name[2]}"],
        )
    )
    database, schema, table = (exp.to_identifier(part, quoted=True) for part in document["table"])
    _, said = shapes.find(cursor, exp.Table(this=table, db=schema, catalog=database))
    options = said.get("options", {})
    days = max(int(options.get(option, default)) for option, default in RETENTION_DAYS.items())
    return (row[0] or datetime.fromisoformat(document["created_on"])) + timedelta(days=days)


def _refuse_stale(account: Account, cursor: Any, name: Name, document: dict[str, Any]) -> None:
    if (moment := stale_after(cursor, name, document)) < account.clock.now():
        raise SqlError(
            2143,
            f"SQL compilation error: Stream '{name[2]}' is stale since {moment:%Y-%m-%d %H:%M}: its changes were not consumed in time. Recreate the stream.",
            "02000",
        )


def note_changes(session: Session, name: Name, transaction: Transaction, privileges: set[str]) -> None:
    """Remembers, in the same transaction, that its changes of a table wait in the table's streams."""
    database = name[0]
    for key, document in session.account.catalogue.find("stream", database):
        stream = f"{key.schema}.{key.name}"
        if tuple(document["table"]) != name or not ("INSERT" in privileges or document.get("standard")):
            continue
        if (database, stream) not in transaction.tracked:
            transaction.cursor.execute(
                f"insert into {quote(database)}.{quote(SYSTEM_SCHEMA)}.stream_queue values (?, ?)",
                [stream, transaction.number],
            )
            transaction.tracked.add((database, stream))


def refuse_own_changes(account: Account, transaction: Transaction) -> None:
    """A standard stream's offset is the state before the transaction, which cannot be told from what the transaction itself changed."""
    for database, stream in transaction.consumed & transaction.tracked:
        schema, _, name = stream.partition(".")
        if (account.catalogue.get("stream", database, schema, name) or {}).get("standard"):
            error = unsupported(f"transaction that consumes the standard stream {name} and changes its table")
            transaction.lost = error
            raise error


def _aside(table: Name) -> str:
    """The table of a tracked table's rows that were deleted while they still waited in a stream."""
    return f"{quote(table[0])}.{quote(SYSTEM_SCHEMA)}.{quote(f'removed {table[1]}.{table[2]}')}"


def prepare_aside(execute: Any, table: Name) -> None:
    """Makes the table for a tracked table's removed rows, where there is none yet."""
    full = ".".join(quote(part) for part in table)
    execute(f'create table if not exists {_aside(table)} as select *, 0::bigint as "{PLACE}" from {full} limit 0')


def _columns(execute: Any, table: Name) -> dict[str, str]:
    found = execute(
        "select column_name, data_type from duckdb_columns() where database_name = ? and schema_name = ? and table_name = ?",
        list(table),
    )
    return dict(found.fetchall())


def follow_columns(account: Account, execute: Any, table: Name, alter: exp.Expression | None = None) -> None:
    """Gives what is kept of a table beside it the columns that the table has now: its columns change, its rows do not."""
    from local_account.names import fold

    full = ".".join(quote(part) for part in table)
    renamed = [
        action
        for action in ((alter.args.get("actions") if alter else None) or ())
        if isinstance(action, exp.RenameColumn)
    ]
    wanted = _columns(execute, table)
    standard = [
        f"offset {key.schema}.{key.name}"
        for key, document in account.catalogue.find("stream", table[0])
        if tuple(document["table"]) == table and document.get("standard") and not document.get("invalid")
    ]
    for kept in [f"removed {table[1]}.{table[2]}", *standard]:
        path = f"{quote(table[0])}.{quote(SYSTEM_SCHEMA)}.{quote(kept)}"
        for action in renamed:
            old, new = (quote(fold(action.args[part].this)) for part in ("this", "to"))
            execute(f"alter table {path} rename column {old} to {new}")
        present = _columns(execute, (table[0], SYSTEM_SCHEMA, kept))
        for column in present.keys() - wanted.keys() - {PLACE}:
            execute(f"alter table {path} drop column {quote(column)}")
        for column in wanted.keys() - present.keys() - ({COLUMN} if kept in standard else set()):
            execute(f"alter table {path} add column {quote(column)} {wanted[column]}")
            if kept in standard and column != IDENTITY:  # a new column's default is no change of a row
                value = f"(select now_there.{quote(column)} from {full} now_there where now_there.{quote(IDENTITY)} = kept.{quote(IDENTITY)})"
                execute(f"update {path} kept set {quote(column)} = {value}")
        for column in wanted.keys() & present.keys():
            if wanted[column] != present[column]:
                execute(f"alter table {path} alter column {quote(column)} set data type {wanted[column]}")


def set_aside(account: Account, transaction: Transaction, table: Name) -> bool:
    """Before rows are deleted or changed: copies those that still wait in a stream. False when none does."""
    queue = f"{quote(table[0])}.{quote(SYSTEM_SCHEMA)}.stream_queue"
    following = [
        key
        for key, document in account.catalogue.find("stream", table[0])
        if tuple(document["table"]) == table and not document.get("standard")
    ]
    waiting = [f"{key.schema}.{key.name}" for key in following]
    execute = transaction.cursor.execute
    if not first(execute(f"select 1 from {queue} where list_contains(?, stream) limit 1", [waiting])):
        return False
    execute(f'delete from {_aside(table)} where "{COLUMN}" not in (select txn from {queue})')
    full = ".".join(quote(part) for part in table)
    execute(
        f'insert into {_aside(table)} by name select *, rowid as "{PLACE}" from {full} '
        f'where "{COLUMN}" in (select txn from {queue} where list_contains(?, stream))',
        [waiting],
    )
    return True


def keep_removed(transaction: Transaction, table: Name, *, has_changed: bool) -> None:
    """After rows were deleted or changed: of those set aside only these stay, and what a row has become belongs to no stream."""
    execute, full = transaction.cursor.execute, ".".join(quote(part) for part in table)
    columns = ", ".join(map(quote, _columns(execute, table)))
    same = f'select {columns}, "{PLACE}" from {_aside(table)} intersect select {columns}, rowid from {full}'
    there = f'select "{PLACE}" from ({same})' if has_changed else f"select rowid from {full}"
    execute(f'delete from {_aside(table)} where "{PLACE}" in ({there})')
    if has_changed:
        execute(f'update {full} set "{COLUMN}" = 0 where rowid in (select "{PLACE}" from {_aside(table)})')
    execute(f'update {_aside(table)} set "{PLACE}" = -1 - "{PLACE}" where "{PLACE}" >= 0')


def invalidate(account: Account, change: Any, table: Name, reason: str) -> None:
    """A table that is dropped or replaced leaves its streams unreadable."""
    for key, document in account.catalogue.find("stream", table[0]):
        if tuple(document["table"]) == table:
            change.put("stream", key.schema, key.name, {**document, "invalid": reason})
    if is_tracked(account, table):
        change.execute(f"drop table if exists {_aside(table)}")
        change.delete("tracking", table[1], table[2])


def create(session: Session, match: Match) -> Result:
    from local_account import names

    account = session.account
    name = account.qualify(session, match.path(), "stream")
    access.require_creation(session, "STREAM", *name[:2])
    table = account.qualify(session, match.path("table"), "table")
    names.require_case(session, table)
    if temporaries.plain(table[2]) != table[2]:
        raise unsupported("stream on a temporary table")
    if re.match(r"(at|before)\b", match.raw("rest"), re.IGNORECASE):
        raise unsupported("a stream from a moment of the past (AT, BEFORE)")
    options = match.options("APPEND_ONLY", "COMMENT", "SHOW_INITIAL_ROWS", "INSERT_ONLY")
    is_standard = options.get("APPEND_ONLY", "FALSE").upper() != "TRUE"
    if options.get("SHOW_INITIAL_ROWS", "FALSE").upper() != "FALSE" or "INSERT_ONLY" in options:
        raise unsupported("SHOW_INITIAL_ROWS, INSERT_ONLY")
    access.require(session, "SELECT", "TABLE", *table)
    columns = _columns(session.cursor.execute, table)
    if not columns or account.catalogue.get("view", *table):
        raise access.not_found(session, "TABLE", *table)
    if any(column.upper() == "ROWID" for column in columns):
        raise unsupported(
            "a stream on a table with a column ROWID", "the engine tells rows apart by a column of that name"
        )
    existing = account.catalogue.get("stream", *name)
    if existing and match.has("if not exists"):
        return reply.status(f"{name[2]} already exists, statement succeeded.")
    if existing and not match.has("or replace"):
        raise reply.exists(name[2])
    if existing:
        access.require(session, "OWNERSHIP", "STREAM", *name)
    if _columns(session.cursor.execute, name):
        raise compilation(2203, f"Object '{name[2]}' already exists as TABLE or VIEW.", "42710")
    if any(column in ("METADATA$ACTION", "METADATA$ISUPDATE", "METADATA$ROW_ID") for column in columns):
        raise unsupported("stream on a table that has columns of a stream")
    if table[0] != name[0]:
        raise unsupported("stream on a table of another database")
    with account.change(name[0], session) as change:
        full = ".".join(quote(part) for part in table)
        if not is_tracked(account, table):
            change.execute("set variable txn = 0")  # rows that are there already belong to no stream
            change.execute(f"alter table {full} add column {quote(COLUMN)} bigint default getvariable('txn')")
            prepare_aside(change.execute, table)
            change.put("tracking", table[1], table[2], {})
        change.execute(f"drop table if exists {_shadow(name)}")
        if is_standard:
            if not (account.catalogue.get("tracking", *table) or {}).get("identity"):
                unique = "(hash(gen_random_uuid()) >> 1)::bigint"
                change.execute(f"alter table {full} add column {quote(IDENTITY)} bigint default {unique}")
                follow_columns(account, change.execute, table)
                change.put("tracking", table[1], table[2], {"identity": True})
            change.execute(f'create table {_shadow(name)} as select * exclude ("{COLUMN}") from {full}')
        change.execute(
            f"delete from {quote(name[0])}.{quote(SYSTEM_SCHEMA)}.stream_queue where stream = ?",
            [f"{name[1]}.{name[2]}"],
        )
        document = {
            "table": list(table),
            "standard": is_standard,
            "created_on": account.clock.now().isoformat(),
            "comment": options.get("COMMENT", ""),
        }
        change.delete("stream", name[1], name[2])  # with its grants, which CREATE OR REPLACE drops
        change.put("stream", name[1], name[2], {**document, "owner": session.application or session.role})
        _note_moved(account, change.execute, name[0], f"{name[1]}.{name[2]}")
    return reply.status(f"Stream {name[2]} successfully created.")


def drop(session: Session, match: Match) -> Result:
    name = session.account.qualify(session, match.path(), "stream")
    if not is_stream(session.account, name):
        return reply.nothing_to_drop(match, name[2], access.not_found(session, "STREAM", *name))
    access.require(session, "OWNERSHIP", "STREAM", *name)
    with session.account.change(name[0], session) as change:
        change.delete("stream", name[1], name[2])
        change.execute(f"drop table if exists {_shadow(name)}")
        change.execute(
            f"delete from {quote(name[0])}.{quote(SYSTEM_SCHEMA)}.stream_queue where stream = ?",
            [f"{name[1]}.{name[2]}"],
        )
    return reply.status(f"{name[2]} successfully dropped.")


def has_data(session: Session, written: str) -> bool:
    """SYSTEM$STREAM_HAS_DATA."""
    name = session.account.qualify(session, split_path(written), "stream")
    _require(session, name)
    access.require(session, "SELECT", "STREAM", *name)
    _require_readable(session, name)
    row = first(
        session.cursor.execute(
            f"select count(*) from {quote(name[0])}.{quote(SYSTEM_SCHEMA)}.stream_queue where stream = ?",
            [f"{name[1]}.{name[2]}"],
        )
    )
    if not row[0] and not session.transaction.open:  # to ask an empty stream keeps it fresh (user-guide/streams-intro)
        with (
            suppress(SqlError, duckdb.Error),
            session.account.change(name[0]) as change,
        ):  # who consumes it just now does so too
            _note_moved(session.account, change.execute, name[0], f"{name[1]}.{name[2]}")
    return row[0] > 0


def show(session: Session, match: Match) -> Result:
    return reply.rows(
        SHOWN, [_row(session, key, document) for key, document in reply.visible(session, "STREAM", match)]
    )


def describe(session: Session, match: Match) -> Result:
    name = session.account.qualify(session, match.path(), "stream")
    document = _require(session, name)
    access.require(session, "SELECT", "STREAM", *name)
    return reply.rows(SHOWN, [_row(session, Key("stream", *name), document)])


def _row(session: Session, key: Key, document: dict[str, Any]) -> dict[str, Any]:
    database, schema, table = document["table"]
    moment = stale_after(session.cursor, (key.database, key.schema, key.name), document)
    is_stale = bool(document.get("invalid")) or moment < session.account.clock.now()
    base = f"{database}.{schema.split('$')[0]}.{table}"
    return {
        "created_on": datetime.fromisoformat(document["created_on"]),
        "name": key.name,
        "database_name": key.database,
        "schema_name": key.schema.split("$")[0],
        "owner": document["owner"],
        "comment": document["comment"],
        "table_name": base,
        "source_type": "Table",
        "base_tables": base,
        "type": "DELTA",
        "stale": "true" if is_stale else "false",
        "mode": "DEFAULT" if document.get("standard") else "APPEND_ONLY",
        "stale_after": moment,
        "invalid_reason": document.get("invalid", "N/A"),
        "owner_role_type": "APPLICATION" if session.account.database(document["owner"]) else "ROLE",
    }


def _require(session: Session, name: Name) -> dict[str, Any]:
    if document := session.account.catalogue.get("stream", *name):
        return document
    raise access.not_found(session, "STREAM", *name)
