"""Calls of an account's own functions in expressions: an SQL function's body takes its place, a Python function is called row by row.

The body runs with its owner's rights: its names are resolved as the owner's code would (developer-guide/udf/sql/udf-sql-introduction). Rows of a
Python function go to its handler through one function of the engine, as JSON: which function it is stands in the first argument.
"""

from __future__ import annotations

import datetime
import decimal
import json
from typing import TYPE_CHECKING, Any

import pyarrow
from sqlglot import exp

from local_account import access, declared, engine, events, names, procedures, scripting
from local_account.errors import compilation, syntax_error, unsupported
from local_account.rewrites.kinds import call as call_of_engine
from local_account.rewrites.kinds import kind
from local_account.syntax import split_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_account.account import Account
    from local_account.names import Name, Plan
    from local_account.session import Session

ENGINE_FUNCTION = "sf_handler"
_GIVEN = "_given"
_DEEPEST = 50  # calls of SQL functions within one another; a function that calls itself would never end


def replace_calls(session: Session, plan: Plan) -> None:
    """Every call of a function that the account holds, innermost first; other names are left to the engine."""
    for node in reversed(list(plan.tree.find_all(exp.Anonymous))):
        call: exp.Expression = node
        while isinstance(call.parent, exp.Dot):
            call = call.parent
        if isinstance(call.parent, exp.TableFromRows | exp.Window):
            continue
        path, arguments = path_of(call)
        if len(path) == 1 and not (session.database and session.schema):
            continue
        name = session.account.qualify(session, path, "function")
        if len(path) == 1 and not procedures.overloads(session, "FUNCTION", name):
            continue
        value = _value(session, plan, name, arguments)
        if isinstance(call.parent, exp.Select) and call.arg_key == "expressions":
            value = exp.alias_(value, call.sql("snowflake").upper(), quoted=True)
        if call is plan.tree:
            plan.tree = value
        call.replace(value)


def path_of(call: exp.Expression) -> tuple[list[str], list[exp.Expression]]:
    """The name and the arguments of ``schema.f(..)``."""
    path: list[str] = []
    while isinstance(call, exp.Dot):
        path += split_path(call.this.sql("snowflake"))
        call = call.expression
    return [*path, str(call.this).upper()], call.expressions


def _value(session: Session, plan: Plan, name: Name, arguments: list[exp.Expression]) -> exp.Expression:
    key, document, given = chosen(session, name, arguments)
    plan.calls = True
    if document["table"] is not None:
        raise syntax_error(f"{key} returns a table: write TABLE({name[2]}(..)) in FROM.")
    if document["language"] == "PYTHON":
        return _of_handler(session, name, key, document, given)
    return _scalar(body_of(session, plan, name, key, document, given), document)


def _scalar(body: exp.Query, document: dict[str, Any]) -> exp.Expression:
    is_query = body.args.get("from_") or not isinstance(body, exp.Select) or len(body.expressions) != 1
    inner = exp.Subquery(this=body) if is_query else exp.Paren(this=body.expressions[0].unalias())
    return _cast(inner, document["returns"])


def chosen(
    session: Session, name: Name, arguments: list[exp.Expression]
) -> tuple[str, dict[str, Any], list[exp.Expression]]:
    """The overload that the arguments fit, and a value for each of its parameters."""
    positional, named = procedures.by_place_and_name(name, arguments)
    key, document = procedures.choose(session, "FUNCTION", name, positional, named)
    access.require(session, "USAGE", "FUNCTION", name[0], name[1], key)
    given = []
    for place, parameter in enumerate(document["arguments"]):
        value = positional[place] if place < len(positional) else named.get(parameter["name"])
        if value is None:
            value = engine.parse(f"select {parameter['default']}").expressions[0].unalias()
        if kind(value) == "text" and declared.canonical(parameter["type"]).lower() in declared.SEMI_STRUCTURED:
            wrong = f"Invalid argument types for function '{name[2]}': {parameter['name']} is {parameter['type']}, not VARCHAR"
            raise compilation(1044, f"{wrong}: use PARSE_JSON or TO_VARIANT.", "42P13")
        given.append(_cast(value.copy(), parameter["type"]))
    return key, document, given


def body_of(
    session: Session, plan: Plan, name: Name, key: str, document: dict[str, Any], given: list[exp.Expression]
) -> exp.Query:
    """An SQL function's body, its names resolved with its owner's rights, its arguments in place."""
    inner = session.nested(procedures.frame_of(session, name, document, f"function {key}"))
    if inner.depth > _DEEPEST:
        raise unsupported(f"function {key}", "it calls itself")
    if scripting.is_block(document["body"]):
        raise unsupported("a block as the body of a function", key)
    text = document["body"].strip().rstrip(";")
    tree = engine.parse(text if text.lower().startswith(("select", "with", "(", "values")) else f"select {text}")
    if not isinstance(tree, exp.Query):
        raise syntax_error(f"{key}: the body of an SQL function is one expression or query.")
    resolved = names.resolve(inner, tree, [], plan.relations)
    for table in resolved.reads:
        access.require(inner, "SELECT", "TABLE", *table)
    plan.streams |= resolved.streams
    tree = resolved.tree
    for table in tree.find_all(exp.Table):
        table.meta["physical"] = True
    apart = _apart(key, given) if tree.find(exp.From) and any(v.find(exp.Column, exp.Query) for v in given) else None
    values = [exp.column(column.alias, _GIVEN, quoted=True) for column in apart.this.expressions] if apart else given
    meant = {parameter["name"]: value for parameter, value in zip(document["arguments"], values, strict=True)}
    for column in list(tree.find_all(exp.Column)):
        if not column.table and names.fold(column.this) in meant:
            column.replace(exp.Paren(this=meant[names.fold(column.this)].copy()))
    return exp.select(exp.Subquery(this=tree)).from_(apart) if apart else tree


def _apart(key: str, given: list[exp.Expression]) -> exp.Subquery:
    """The arguments as a relation beside the body: among the body's own tables their columns would be those of its tables."""
    if any(value.find(exp.AggFunc, exp.Window) for value in given):
        raise unsupported(f"aggregate as an argument of {key}", "its body reads tables: aggregate in a sub-query first")
    columns = [exp.alias_(value.copy(), f"_{number}", quoted=True) for number, value in enumerate(given)]
    return exp.Subquery(this=exp.select(*columns), alias=exp.TableAlias(this=exp.to_identifier(_GIVEN, quoted=True)))


def require_compiling(session: Session, name: Name, key: str, document: dict[str, Any]) -> None:
    """Raises SqlError for an SQL function that could not be called."""
    plan = names.Plan(exp.Select(), [])
    given = [_cast(exp.Null(), parameter["type"]) for parameter in document["arguments"]]
    body = body_of(session, plan, name, key, document, given)
    if document["table"] is None:
        query = exp.select(_scalar(body, document))
    else:
        found = len(engine.describe(session.cursor, body, tables=plan.relations))
        if found != (wanted := len(document["table"])):
            raise compilation(2057, f"{key} declares {wanted} columns, and its query has {found}", "42601")
        query = exp.select("*").from_(as_table(plan, document, body, None))
    engine.describe(session.cursor, query, tables=plan.relations)


def as_table(plan: Plan, document: dict[str, Any], body: exp.Query, alias: exp.Expression | None) -> exp.Subquery:
    """The rows of an SQL table function, under its declared names and types."""
    columns = document["table"]
    written = [exp.to_identifier(f"_{number}", quoted=True) for number in range(len(columns))]
    inner = exp.Subquery(this=body, alias=exp.TableAlias(this=exp.to_identifier("_body", quoted=True), columns=written))
    values = [
        exp.alias_(_cast(exp.column(place.copy()), type_), column, quoted=True)
        for place, (column, type_) in zip(written, columns, strict=True)
    ]
    query = exp.Select(expressions=values, from_=exp.From(this=inner))
    return exp.Subquery(this=query, alias=alias.copy() if alias else None)


def _cast(value: exp.Expression, type_: str) -> exp.Expression:
    if declared.canonical(type_) in ("VARIANT", "OBJECT", "ARRAY"):
        return value
    return exp.cast(value, exp.DataType.build(type_, dialect="snowflake"))


# Python -----------------------------------------------------------------------------------------------------------


def _of_handler(
    session: Session, name: Name, key: str, document: dict[str, Any], given: list[exp.Expression]
) -> exp.Expression:
    account = session.account
    number = f"{session.application or session.database}.{key}.{document['created_on']}"
    frame = procedures.frame_of(session, name, document, f"function {key}")
    account.functions[number] = (key, document, events.Telemetry(session, frame, key, "FUNCTION"))
    value = call_of_engine(
        ENGINE_FUNCTION,
        number,
        call_of_engine("to_json", call_of_engine("list_value", *map(_json, given, document["arguments"]))),
    )
    if declared.canonical(document["returns"]) == "BINARY":
        return call_of_engine("unhex", value)
    if declared.canonical(document["returns"]) in ("VARIANT", "OBJECT", "ARRAY"):
        return exp.ParseJSON(this=value)
    return _cast(value, document["returns"])


def _json(value: exp.Expression, parameter: dict[str, Any]) -> exp.Expression:
    if declared.canonical(parameter["type"]) == "BINARY":
        value = call_of_engine("hex", value)
    if declared.canonical(parameter["type"]) == "NUMBER":
        value = exp.cast(value, "VARCHAR")  # because DuckDB's JSON has no more digits than a DOUBLE
    return call_of_engine("to_json", value)


def engine_function(account: Account) -> Callable[[Any, Any], pyarrow.Array]:
    """What the engine calls with a batch of rows: the function's number, and its arguments as a JSON array."""

    def answer(numbers: pyarrow.ChunkedArray, arguments: pyarrow.ChunkedArray) -> pyarrow.Array:
        key, document, telemetry = account.functions[numbers[0].as_py()]
        columns = [declared.column(parameter["name"], parameter["type"]) for parameter in document["arguments"]]
        rows = [json.loads(row, parse_float=decimal.Decimal) for row in arguments.to_pylist()]
        given = pyarrow.table(
            [
                pyarrow.array([_from_json(column, row[place]) for row in rows], declared.arrow_type(column))
                for place, column in enumerate(columns)
            ]
            or [pyarrow.nulls(len(rows))],
            names=[column.name for column in columns] or ["NOTHING"],
        )
        parameters = [(parameter["name"], parameter["type"]) for parameter in document["arguments"]]
        output = [("VALUE", document["returns"])]
        with telemetry.span():
            values = account.pool.call_table_function(
                procedures.handler_of(key, document), given, parameters, [], output, log=telemetry.log
            )
        return pyarrow.array([_as_text(value) for value in values["VALUE"].to_pylist()], pyarrow.string())

    return answer


def _from_json(column: engine.Column, value: Any) -> Any:
    """A value of the JSON array as its column holds it."""
    if value is None:
        return None
    if column.type in declared.SEMI_STRUCTURED:
        return json.dumps(value, default=float)
    if column.type == "fixed":
        return declared.rounded(value, column)
    if column.type == "real":
        return float(value)
    if column.type == "date":
        return datetime.date.fromisoformat(value)
    if column.type == "time":
        return datetime.time.fromisoformat(value)
    if column.type.startswith("timestamp"):
        return datetime.datetime.fromisoformat(value)
    return bytes.fromhex(value) if column.type == "binary" else value


def _as_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    return None if value is None else str(value)
