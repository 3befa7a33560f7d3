"""Table functions in a query: their input is computed, their handlers run in parallel, their rows take their place.

`from (select ..) s, table(core.f(s.a, s.b) over (partition by s.p)) e`: of a partitioned function's join only the function's own columns and the
partition key remain (developer-guide/udf/python/udf-python-tabular-functions).
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pyarrow
from sqlglot import exp

from local_account import access, calls, declared, engine, events, names, procedures
from local_account.errors import SqlError, syntax_error, unsupported
from local_account.worker import ROW_NUMBER

if TYPE_CHECKING:
    from local_account.names import Plan
    from local_account.session import Session

_KEY = "PARTITION KEY"


def replace_table_function(session: Session, plan: Plan, node: exp.TableFromRows, ctes: list[exp.CTE]) -> None:
    window = node.this if isinstance(node.this, exp.Window) else None
    call = window.this if window else node.this
    path, arguments = calls.path_of(call)
    alias = node.args.get("alias")
    if path[-1] == "RESULT_SCAN":
        node.replace(names.register(plan, _result_scan(session, plan, arguments), alias, "RESULT_SCAN"))
        return
    if path == ["INFER_SCHEMA"]:
        from local_account import loading

        rows = loading.infer_schema(session, _named_values(session, plan, arguments))
        node.replace(names.register(plan, rows, alias, "INFER_SCHEMA"))
        return
    if len(path) > 1 and path[-2] == "INFORMATION_SCHEMA":
        from local_account import information_schema

        database = path[0] if len(path) == 3 else session.account.current_database(session, path[-1])
        given = _named_values(session, plan, arguments)
        node.replace(
            names.register(plan, information_schema.table_function(session, database, path[-1], given), alias, path[-1])
        )
        return
    name = session.account.qualify(session, path, "function")
    key, document = procedures.choose(session, "FUNCTION", name, arguments, {})
    access.require(session, "USAGE", "FUNCTION", name[0], name[1], key)
    if document["table"] is None:
        raise syntax_error(f"{key} returns one value, not a table: call it in an expression.")
    if document["language"] == "SQL":
        node.replace(_rows_of_sql(session, plan, name, arguments, alias))
        return
    if window is None:
        if any(argument.find(exp.Column) for argument in arguments):
            raise unsupported(f"table function {path[-1]} for each row", "give it OVER (PARTITION BY ..)")
        partition: list[exp.Expression] = []
    else:
        partition = window.args.get("partition_by") or []
        if len(partition) > 1:
            raise SqlError(
                2,
                f"Unsupported feature 'PARTITION BY of {len(partition)} expressions' of the local account ({path[-1]}).",
            )
        if window.args.get("order"):
            raise SqlError(
                2, f"Unsupported feature 'ORDER BY in OVER of a table function' of the local account ({path[-1]})."
            )
    given = _input(session, plan, node, ctes, document, arguments, partition)
    rows = _call(session, name, key, document, given, bool(partition))
    _put_in_place(plan, node, rows, partition)


def _rows_of_sql(
    session: Session, plan: Plan, name: names.Name, arguments: list[exp.Expression], alias: exp.Expression | None
) -> exp.Expression:
    key, document, given = calls.chosen(session, name, arguments)
    plan.calls = True
    if any(value.find(exp.Column) for value in given):
        raise unsupported(f"table function {key} for each row", "give it constants")
    body = calls.body_of(session, plan, name, key, document, given)
    return calls.as_table(plan, document, body, alias)


def _result_scan(session: Session, plan: Plan, arguments: list[exp.Expression]) -> pyarrow.Table:
    query_id = str(names._constant(session, arguments[0], plan.binds))
    if query_id not in session.results:
        raise SqlError(709, f"Statement {query_id} not found", "02000")
    result = session.results[query_id]
    return result.table.rename_columns([column.name for column in result.columns])


def _named_values(session: Session, plan: Plan, arguments: list[exp.Expression]) -> dict[str, Any]:
    values = {}
    for argument in arguments:
        if not isinstance(argument, exp.Kwarg):
            raise syntax_error("this function takes named arguments (NAME => value).")
        values[str(argument.this.name).upper()] = names._constant(session, argument.expression, plan.binds)
    return values


def _input(
    session: Session,
    plan: Plan,
    node: exp.TableFromRows,
    ctes: list[exp.CTE],
    document: dict[str, Any],
    arguments: list[exp.Expression],
    partition: list[exp.Expression],
) -> pyarrow.Table:
    """The function's arguments for each input row, cast to their declared types."""
    declared = document["arguments"]
    columns = []
    for argument, expression in zip(declared, arguments, strict=False):
        type_ = exp.DataType.build(argument["type"], dialect="snowflake")
        columns.append(exp.alias_(exp.cast(expression.copy(), type_), argument["name"], quoted=True))
    columns += [exp.alias_(expression.copy(), _KEY, quoted=True) for expression in partition]
    query = exp.select(*columns)
    source = _source(node)
    if source is not None:
        query.set("from_", exp.From(this=source.copy()))
    if ctes:
        query.set("with_", exp.With(expressions=[cte.copy() for cte in ctes]))
    inner = dataclasses.replace(plan, tree=query)
    for table in list(query.find_all(exp.Table)):
        names._read(session, inner, table)
    for name in inner.reads:
        access.require(session, "SELECT", "TABLE", *name)
    names.keep_used_binds(inner)
    result = engine.run(
        session.cursor,
        query,
        inner.binds,
        names.context(session),
        in_transaction=session.transaction.open,
        tables=plan.relations,
    )
    return result.table.rename_columns(
        [argument["name"] for argument in declared[: len(arguments)]] + [_KEY] * len(partition)
    )


def _source(node: exp.TableFromRows) -> exp.Expression | None:
    """What the function is joined to: the FROM of its query (a function that is the FROM itself has none)."""
    join = node.parent
    if isinstance(join, exp.From):
        return None
    select = join.parent if isinstance(join, exp.Join) else None
    if not isinstance(select, exp.Select) or not select.args.get("from_") or len(select.args.get("joins") or []) != 1:
        raise unsupported("table function among several joined tables", "give it one sub-query")
    return select.args["from_"].this


def _call(
    session: Session, name: names.Name, key: str, document: dict[str, Any], given: pyarrow.Table, is_partitioned: bool
) -> pyarrow.Table:
    frame = procedures.frame_of(session, name, document, f"function {key}")
    telemetry = events.Telemetry(session, frame, key, "FUNCTION")
    arguments = [
        (argument["name"], argument["type"]) for argument in document["arguments"][: given.num_columns - is_partitioned]
    ]
    with telemetry.span():
        rows = session.account.pool.call_table_function(
            procedures.handler_of(key, document),
            given,
            arguments,
            [_KEY] if is_partitioned else [],
            document["table"],
            log=telemetry.log,
        )
    if not is_partitioned and ROW_NUMBER not in rows.column_names:
        raise syntax_error(f"{key} has a vectorised end_partition: call it OVER (PARTITION BY ..) (rule PY-31).")
    rows = rows.drop_columns(ROW_NUMBER) if ROW_NUMBER in rows.column_names else rows
    types = {column: declared.column(column, type_).type for column, type_ in document["table"]}
    fields = [field.with_metadata({"type": types.get(field.name, "")}) for field in rows.schema]
    return pyarrow.Table.from_arrays(rows.columns, schema=pyarrow.schema(fields))


def _put_in_place(plan: Plan, node: exp.TableFromRows, rows: pyarrow.Table, partition: list[exp.Expression]) -> None:
    """The function's rows become the query's FROM; the partition key keeps the name that the query knows it by."""
    alias = node.args.get("alias")
    relation = names.register(plan, rows, alias, "TABLE_FUNCTION")
    join = node.parent
    select = join.parent
    for item in select.expressions if partition else ():
        star = item.this if isinstance(item, exp.Column) else item
        if isinstance(star, exp.Star):
            star.set("except_", [*(star.args.get("except_") or []), exp.column(exp.to_identifier(_KEY, quoted=True))])
    if isinstance(join, exp.From):
        node.replace(relation)
        return
    if any(isinstance(item, exp.Star) for item in select.expressions):
        raise unsupported("* over a table function and its input", "name the columns")
    source = select.args["from_"].this
    source_alias = source.alias_or_name.upper()
    own = relation.args["alias"].this
    own_columns = {name.upper() for name in rows.column_names}
    for column in list(select.find_all(exp.Column)):
        is_key = bool(partition) and column.name.upper() == partition[0].name.upper()
        if (
            (
                column.table.upper() == source_alias
                or (not column.table and is_key and column.name.upper() not in own_columns)
            )
            and column.find_ancestor(exp.TableFromRows) is None
            and column.find_ancestor(exp.Select) is select
        ):
            if not is_key:
                raise SqlError(
                    2,
                    f"'{column.sql('snowflake')}': of a partitioned table function's input only the partition key can be selected (the rest is NULL on Snowflake).",
                )
            written = names.fold(column.this)
            column.set("this", exp.to_identifier(_KEY, quoted=True))
            column.set("table", own.copy())
            if column.parent is select and column.arg_key == "expressions":
                column.replace(exp.alias_(column.copy(), written, quoted=True))
    select.set("from_", exp.From(this=relation))
    select.set("joins", None)
