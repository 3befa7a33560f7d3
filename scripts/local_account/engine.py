"""Snowflake's statements on DuckDB: parsed, translated, run, answered.

Table names in a tree are physical and quoted (catalog, schema, name); everything else is as Snowflake wrote it. The
macros of `rewrites/macros.sql` live in the root database, so a connection's current database stays the root: never USE
another one.
"""

import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
from sqlglot import exp

from local_account import definitions
from local_account.definitions import describe_table, list_tables
from local_account.errors import SqlError, compilation, from_duckdb, unsupported
from local_account.parsing import parse
from local_account.rewrites import MACROS, rewritten, to_sql, understood
from local_account.rewrites.assignments import assign, name_stars
from local_account.rewrites.functions import snowflake_functions
from local_account.rewrites.kinds import kind_of_duckdb
from local_account.rewrites.sets import widen
from local_account.shapes import quote, text
from local_account.types import Column, column_of, is_nested, with_types, with_variants

__all__ = [
    "Column",
    "Context",
    "Result",
    "connect_duckdb",
    "describe",
    "describe_table",
    "list_tables",
    "parse",
    "prepare_database",
    "run",
    "run_many",
]


@dataclass
class Result:
    """What a statement answers.

    `rowcount` is the number of rows read or changed; `kind` is select, insert, update, delete, merge, truncate or ddl.
    """

    columns: list[Column]
    table: pa.Table
    rowcount: int
    kind: str


@dataclass
class Context:
    """What a statement may ask of its session: the moment (aware), values by function (`current_role`), the parameter
    TIMEZONE."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    values: Mapping[str, object] = field(default_factory=dict)
    timezone: str = "UTC"


def connect_duckdb(directory: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A root: an in-memory DuckDB with this account's macros, to which databases are attached. It reads and writes below `directory` only.

    Cursors of it are sessions.
    """
    connection = duckdb.connect(config={"lambda_syntax": "ENABLE_SINGLE_ARROW", "ieee_floating_point_ops": False})
    connection.execute("set global TimeZone = 'UTC'")
    # It is two thirds of the time that writing a batch of JSON takes, for a third of the room.
    connection.execute("set global disabled_compression_methods = 'dict_fsst'")
    # It takes the rows of an outer join for none where one side has none (duckdb 2.0.0): EXISTS over it finds nothing, its LIMIT goes.
    connection.execute("set global disabled_optimizers = 'statistics_propagation'")
    connection.execute(MACROS)
    connection.execute("set allowed_directories = ?", [[f"{directory}/"] if directory else []])
    connection.execute("set enable_external_access = false")
    return connection


def prepare_database(cursor: duckdb.DuckDBPyConnection, database: str) -> None:
    """Makes a newly attached database ready. There is nothing to make: what statements need lives in the root."""
    definitions.changed()


# --- translating


@dataclass(frozen=True)
class _Translated:
    """Text for DuckDB, and the numbers of the binds that it reads: not all, when a part of the statement ran before."""

    sql: str
    binds: frozenset[int] = frozenset()


def _bound(statement: _Translated, binds: Sequence[object]) -> dict[str, object]:
    """The values of the binds that the statement reads: DuckDB refuses more than those."""
    return {str(number): binds[number - 1] for number in statement.binds}


_TablesRead = list[tuple[exp.Table, tuple[tuple[str, str], ...]]]
# Beside each text the columns of the tables that it was made for: a definition elsewhere leaves it as good as it was.
_translations: dict[tuple, tuple[_TablesRead, _Translated]] = {}


def _key(tree: exp.Expression) -> tuple:
    """What tells trees apart, exactly; sqlglot's own equality folds case, and its text takes forty times longer."""
    parts: list[object] = []
    stack: list[exp.Expression] = [tree]
    while stack:
        node = stack.pop()
        parts.append(node.__class__)
        for name, value in node.args.items():
            if value is None or value is False:
                continue
            parts.append(name)
            values = value if isinstance(value, list) else (value,)
            parts.append(len(values))
            for item in values:
                if isinstance(item, exp.Expression):
                    stack.append(item)
                else:
                    parts.append(item)
    return tuple(parts)


def _translated(
    cursor: duckdb.DuckDBPyConnection, tree: exp.Expression, target: exp.Expression | None = None
) -> _Translated:
    """DuckDB's text, from the cache when the same statement was met and the tables that it names are as they were.

    `target` is the table that it writes.
    """
    key = _key(tree)
    read, found = _translations.get(key, ([], None))
    if found is None or any(_columns(cursor, table) != columns for table, columns in read):
        read = []

        def columns_of(table: exp.Expression) -> tuple[tuple[str, str], ...]:
            bare = exp.table_(*(part.copy() for part in reversed(table.find(exp.Table).parts)))
            read.append((bare, _columns(cursor, bare)))
            return read[-1][1]

        tree = tree.copy()
        if tree.find(exp.SetOperation, exp.Star):
            widen(tree, lambda query: _describe(cursor, query)[1])
            name_stars(tree, lambda query: _describe(cursor, query)[1])
        tree = understood(tree, lambda table: _kinds(columns_of(table)))
        if target is not None:
            tree = assign(tree, columns_of(target))
        new = rewritten(tree)
        numbers = [int(node.name) for node in new.find_all(exp.Parameter) if node.meta.get("bind")]
        found = _Translated(to_sql(new, copy=False), frozenset(numbers))
        if len(_translations) >= _CACHED:
            _translations.clear()
        _translations[key] = read, found
    return found


def _columns(cursor: duckdb.DuckDBPyConnection, table: exp.Table) -> tuple[tuple[str, str], ...]:
    # A name alone is a table that the session has registered.
    return definitions.columns_of(cursor, table) if table.args.get("db") else definitions.columns_read(cursor, table)


def _kinds(columns: tuple[tuple[str, str], ...]) -> dict[str, str | None]:
    return {name: kind_of_duckdb(type_) for name, type_ in columns}


_CACHED = 5000


# --- running

_session_values: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def _set_context(
    cursor: duckdb.DuckDBPyConnection, context: Context, statements: Sequence[_Translated] | None = None
) -> None:
    """Gives the statement its moment and the session's values, as variables of the connection.

    Each DML has a transaction of its own, whose number hardly one reads: with `statements`, it is set for those alone.
    """
    moment = (context.now - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)
    cursor.execute(f"set variable now = {moment}")
    last, zone = _session_values.get(cursor, ({}, None))
    values = dict(context.values)
    if last and statements is not None and not any(_TRANSACTION in statement.sql for statement in statements):
        values[_TRANSACTION] = last.get(_TRANSACTION)
    if values != last:
        texts = {name: None if value is None else str(value) for name, value in values.items()}
        cursor.execute("set variable session = map(?::varchar[], ?::varchar[])", [list(texts), list(texts.values())])
    if zone != context.timezone:
        cursor.execute(f"set TimeZone = {text(context.timezone)}")
    _session_values[cursor] = values, context.timezone


_TRANSACTION = "current_transaction"


@contextmanager
def _registered(cursor: duckdb.DuckDBPyConnection, tables: Mapping[str, pa.Table] | None) -> Iterator[None]:
    for name, table in (tables or {}).items():
        cursor.register(name, with_variants(table))
    try:
        yield
    finally:
        for name in tables or {}:
            with suppress(duckdb.Error):
                cursor.unregister(name)


def run(
    cursor: duckdb.DuckDBPyConnection,
    tree: exp.Expression,
    binds: Sequence[object] = (),
    context: Context | None = None,
    *,
    in_transaction: bool = False,
    is_alone: bool = False,
    tables: Mapping[str, pa.Table] | None = None,
) -> Result:
    """Runs one statement. `tables` are Arrow tables that the statement names (with no schema).

    Within a transaction a statement is planned on a second connection first, so that a mistake in it leaves the
    transaction alive; unless it `is_alone` there, so that nothing is lost with it. Raises SqlError; its `transaction_lost` says that DuckDB has given the transaction up.
    """
    context = context or Context()
    if isinstance(tree, (exp.Create, exp.Alter, exp.Drop, exp.Comment)):
        if tree.find(exp.CurrentTransaction) and not (tree.args.get("kind") == "TABLE" and tree.args.get("expression")):
            raise unsupported("CURRENT_TRANSACTION in a view or default")  # the number is given to those who write it
        with _failures(transaction_lost=in_transaction):
            _set_context(cursor, context)
            status = definitions.run(
                cursor, tree, lambda query: _describe(cursor, query, binds), context.now, in_transaction=in_transaction
            )
            return _answer(status)
    with (
        _failures(),
        _registered(cursor, tables),
        _planned(cursor, tree, binds, context, tables, in_transaction and not is_alone) as (statements, kind),
    ):
        if max((number for statement in statements for number in statement.binds), default=0) > len(binds):
            raise compilation(2049, f"Bind variable :{len(binds) + 1} not set.")
        with _failures(transaction_lost=in_transaction):
            _set_context(cursor, context, statements)
            if kind == "select":
                return _rows(cursor, statements[0], binds)
            return _changed(
                tree, kind, _change(cursor, statements, binds, whole=len(statements) > 1 and not in_transaction)
            )


@contextmanager
def _failures(*, transaction_lost: bool = False) -> Iterator[None]:
    """Lets no other error out than SqlError."""
    try:
        yield
    except SqlError:
        raise
    except Exception as error:
        failure = from_duckdb(error)
        if failure.errno == 2140:  # sqlglot writes its own class's name, with a stroke before each capital
            named = {name.replace("_", ""): name for name in snowflake_functions()}
            if name := named.get(failure.message.split()[-1].rstrip(".").replace("_", "")):
                failure = unsupported(f"function {name}")
        failure.transaction_lost = transaction_lost
        raise failure from error


@contextmanager
def _planned(
    cursor: duckdb.DuckDBPyConnection,
    tree: exp.Expression,
    binds: Sequence[object],
    context: Context,
    tables: Mapping[str, pa.Table] | None,
    in_transaction: bool,
) -> Iterator[tuple[list[_Translated], str]]:
    """The statements of DuckDB that make up one of Snowflake's, and its kind; inside a transaction known to be free of
    mistakes."""
    if not in_transaction:
        yield _statements(cursor, tree)
        return
    probe = cursor.cursor()
    try:
        with _registered(probe, tables):
            statements, kind = _statements(probe, tree)
            unsure = [statement for statement in statements if (definitions.version(), statement.sql) not in _sure]
            if unsure:
                _set_context(probe, context, unsure)
            for statement in unsure:
                probe.execute("explain " + statement.sql, _bound(statement, binds))
                if len(_sure) >= _CACHED:
                    _sure.clear()
                _sure.add((definitions.version(), statement.sql))
    finally:
        probe.close()
    yield statements, kind


# Statements that were planned without a mistake since the last definition.
_sure: set[tuple[int, str]] = set()


def _rows(cursor: duckdb.DuckDBPyConnection, statement: _Translated, binds: Sequence[object]) -> Result:
    relation = cursor.sql(statement.sql, params=_bound(statement, binds))
    described = [(name, str(type_)) for name, type_ in zip(relation.columns, relation.types, strict=True)]
    if nested := [name for name, type_ in described if is_nested(type_)]:
        # A list or a map is an array or an object; clients read them as JSON.
        replaced = ", ".join(f"to_json({quote(name)}) as {quote(name)}" for name in nested)
        return _rows(
            cursor, _Translated(f"select * replace ({replaced}) from ({statement.sql})", statement.binds), binds
        )
    columns = [column_of(name, type_) for name, type_ in described]
    table = with_types(columns, relation.to_arrow_table())
    return Result(columns, table, table.num_rows, "select")


def _change(
    cursor: duckdb.DuckDBPyConnection, statements: Sequence[_Translated], binds: Sequence[object], *, whole: bool
) -> list[tuple]:
    """What the last statement answers; all of them happen or none, in the caller's transaction or else (`whole`) in one
    of their own."""
    if whole:
        cursor.begin()
    try:
        for statement in statements:
            cursor.execute(statement.sql, _bound(statement, binds))
        counted = cursor.fetchall()
        if whole:
            cursor.commit()
        return counted
    except BaseException:
        if whole:
            cursor.rollback()
        raise


def run_many(
    cursor: duckdb.DuckDBPyConnection,
    tree: exp.Expression,
    rows: Sequence[Sequence[object]],
    context: Context | None = None,
    *,
    in_transaction: bool = False,
) -> Result:
    """Runs an INSERT ..

    VALUES (?, ..) for many rows of binds, as one INSERT .. SELECT from a table of the binds; other statements once per
    row.
    """
    values = tree.expression if isinstance(tree, exp.Insert) else None
    if not rows or not (isinstance(values, exp.Values) and len(values.expressions) == 1):
        results = [run(cursor, tree.copy(), row, context, in_transaction=in_transaction) for row in rows]
        if not results:
            raise SqlError(2049, "SQL compilation error:\nNo rows of binds.", "42601")
        last = results[-1]
        total = sum(result.rowcount for result in results)
        return Result(
            last.columns,
            last.table if last.kind == "select" else pa.table({last.columns[0].name: [total]}),
            total,
            last.kind,
        )
    bound = pa.table({f"B{number}": _arrow(column) for number, column in enumerate(zip(*rows, strict=True), start=1)})
    tree = tree.copy()
    row = tree.expression.expressions[0]
    source = exp.select(*(row.expressions if isinstance(row, exp.Tuple) else [row])).from_(
        exp.to_table('"_BINDS"', dialect="snowflake")
    )
    for bind in list(source.find_all(exp.Placeholder)):
        bind.replace(exp.column(exp.to_identifier(f"B{bind.name}", quoted=True)))
    tree.set("expression", source)
    return run(cursor, tree, (), context, in_transaction=in_transaction, tables={"_BINDS": bound})


def _arrow(values: Sequence[object]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if value is None else str(value) for value in values])


def _statements(cursor: duckdb.DuckDBPyConnection, tree: exp.Expression) -> tuple[list[_Translated], str]:
    """The statements of DuckDB that make up one of Snowflake's, and its kind."""
    if isinstance(tree, exp.Query):
        return [_translated(cursor, tree)], "select"
    if isinstance(tree, exp.TruncateTable):
        return [_Translated(f"delete from {to_sql(table)}") for table in tree.expressions], "truncate"
    if isinstance(tree, exp.Insert):
        target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
        first = [_Translated(f"delete from {to_sql(target)}")] if tree.args.get("overwrite") else []
        return [*first, _translated(cursor, tree, target)], "insert"
    if isinstance(tree, exp.Update):
        return [_translated(cursor, tree, tree.this)], "update"
    if isinstance(tree, exp.Delete):
        return [_translated(cursor, tree)], "delete"
    if isinstance(tree, exp.Merge):
        merge = _translated(cursor, tree, tree.this)
        return [_Translated(merge.sql + " returning merge_action", merge.binds)], "merge"
    raise unsupported(f"{type(tree).__name__.upper()}: {tree.sql(dialect='snowflake')[:60]}")


def _changed(tree: exp.Expression, kind: str, counted: list[tuple]) -> Result:
    """The answer of a statement that changes rows: one row of counts."""
    if kind == "merge":
        actions = [action for (action,) in counted]
        counts = {word: actions.count(word.upper()) for word in ("insert", "update", "delete") if _merges(tree, word)}
        labels = {
            f"number of rows {'inserted' if word == 'insert' else word + 'd'}": count for word, count in counts.items()
        }
    elif kind == "truncate":
        return _answer("Statement executed successfully.", kind="truncate")
    else:
        labels = {f"number of rows {'inserted' if kind == 'insert' else kind + 'd'}": counted[0][0] if counted else 0}
        if kind == "update":
            labels["number of multi-joined rows updated"] = 0
    table = pa.table({label: pa.array([count], pa.int64()) for label, count in labels.items()})
    return Result([Column(label, "fixed", 38, 0) for label in labels], table, sum(labels.values()), kind)


def _merges(tree: exp.Expression, word: str) -> bool:
    for when in tree.args["whens"].expressions:
        then = when.args["then"]
        if word == (then.name.lower() if isinstance(then, exp.Var) else type(then).__name__.lower()):
            return True
    return False


def _answer(status: str, kind: str = "ddl") -> Result:
    return Result([Column("status", "text", length=16777216)], pa.table({"status": pa.array([status])}), 1, kind)


def _describe(
    cursor: duckdb.DuckDBPyConnection, query: exp.Expression, binds: Sequence[object] = ()
) -> tuple[str, list[Column]]:
    """A query's text for DuckDB and its columns; binds that are not known yet are NULL."""
    translated = _translated(cursor, query)
    missing = max(translated.binds, default=0) - len(binds)
    relation = cursor.sql(translated.sql, params=_bound(translated, [*binds, *[None] * missing]))
    return translated.sql, [
        column_of(name, str(type_)) for name, type_ in zip(relation.columns, relation.types, strict=True)
    ]


def describe(
    cursor: duckdb.DuckDBPyConnection,
    tree: exp.Expression,
    binds: Sequence[object] = (),
    context: Context | None = None,
    *,
    tables: Mapping[str, pa.Table] | None = None,
) -> list[Column]:
    """The columns that a statement would answer, without running it.

    Uses a connection of its own, so an open transaction is safe.
    """
    if isinstance(tree, exp.Query):
        probe = cursor.cursor()
        try:
            with _failures(), _registered(probe, tables):
                _set_context(probe, context or Context())
                return _describe(probe, tree, binds)[1]
        finally:
            probe.close()
    kinds = {exp.Insert: "insert", exp.Update: "update", exp.Delete: "delete", exp.Merge: "merge"}
    if kind := kinds.get(type(tree)):
        return _changed(tree, kind, []).columns
    return _answer("").columns
