"""The common type of what stands below one another in a UNION."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import duckdb
from sqlglot import exp

from local_account.errors import SqlError, unsupported
from local_account.types import Column, canonical_of


def widen(tree: exp.Expression, describe: Callable[[exp.Expression], Sequence[Column]]) -> None:
    """NUMBER(38, 0) above NUMBER(10, 2) gives NUMBER(38, 2) in Snowflake; DuckDB rounds to NUMBER(38, 0), to have room
    for 38 digits before the point. A text above a number or a time becomes one; in DuckDB these become texts.

    So each query that takes part is cast, if it has texts, or numbers that leave no room for the others' decimals. Only the
    binder knows those types: `describe` tells the columns of a query. The tree is changed.
    """
    for union in list(tree.find_all(exp.SetOperation)):
        if isinstance(union.parent, exp.SetOperation) or union.args.get("by_name"):
            continue
        parts = _parts(union)
        columns = []
        with suppress(SqlError, duckdb.Error):  # DuckDB will say what is wrong with it
            columns = [describe(_alone(part)) for part in parts]
        if len({len(own) for own in columns}) != 1:
            continue  # DuckDB says so
        if _is_recursive(union.parent):
            _require_same(columns)
            continue
        common = [_common(below) for below in zip(*columns, strict=True)]
        for part, own in zip(parts, columns, strict=True):
            if any(map(_differs, own, common)):
                part.replace(_widened(part, own, common))


def _parts(query: exp.Expression) -> list[exp.Expression]:
    if isinstance(query, exp.SetOperation):
        return [part for side in (query.this, query.expression) for part in _parts(side)]
    return [query]


def _is_recursive(node: exp.Expression | None) -> bool:
    """Whether it is a common table expression that reads itself."""
    return (
        isinstance(node, exp.CTE)
        and bool(node.parent and node.parent.args.get("recursive"))
        and any(table.name.upper() == node.alias.upper() and not table.db for table in node.this.find_all(exp.Table))
    )


def _require_same(columns: list[Sequence[Column]]) -> None:
    """DuckDB gives a recursive query the types of its first rows, and would round what follows."""
    for first, *others in zip(*columns, strict=True):
        if first.type == "fixed" and any(
            other.type == "real" or (other.scale or 0) > (first.scale or 0) for other in others
        ):
            raise unsupported("recursive query whose first rows have fewer decimals than the next", "cast them")


def _alone(part: exp.Expression) -> exp.Expression:
    """The query beside the tables whose columns it may read, and every common table expression that it may name: its own has its first rows."""
    name = exp.to_identifier("_", quoted=True)
    found: list[exp.Expression] = []
    around: list[exp.Expression] = []
    child, scope = part, part.parent
    while scope is not None:
        beside = scope.args["with_"].expressions if scope.args.get("with_") else []
        if isinstance(child, exp.CTE) and beside:
            beside = [*beside[: child.index], *([_first_rows(child)] if _is_recursive(child) else [])]
        elif isinstance(scope, exp.Select) and scope.args.get("from_") and child.arg_key != "from_":
            joins, is_lateral = scope.args.get("joins") or [], isinstance(child.this, exp.Lateral)
            if child.arg_key != "joins" or is_lateral:
                others = joins[: child.index] if is_lateral else joins
                around += [scope.args["from_"].this, *(join.this for join in others)]
        found = [*(cte.copy() for cte in beside), *found]
        child, scope = (scope, scope.parent) if not isinstance(scope, exp.With) else (child, scope.parent)
    own = exp.Subquery(this=part.unnest().copy(), alias=exp.TableAlias(this=name))
    alone = exp.select(exp.Column(this=exp.Star(), table=name.copy())).from_((around or [own])[0].copy())
    for table in [*around[1:], own] if around else ():
        alone = alone.join(table.copy(), join_type="cross", copy=False)
    if found:
        alone.set("with_", exp.With(expressions=found))
    return alone


def _first_rows(cte: exp.CTE) -> exp.CTE:
    new = cte.copy()
    while isinstance(new.this, exp.Union):
        new.set("this", new.this.this)
    return new


def _common(below: Sequence[Column]) -> Column | None:
    """The one type besides text; None where there is none, or several."""
    others = [column for column in below if column.type != "text"]
    if len({column.type for column in others}) != 1 or others[0].type == "variant":
        return None
    return Column("", others[0].type, 38, max(column.scale or 0 for column in others))


def _differs(column: Column, common: Column | None) -> bool:
    if common is None or column.type == "text":
        return common is not None
    return column.type == "fixed" and (column.precision or 0) - (column.scale or 0) + (common.scale or 0) > 38


def _widened(part: exp.Expression, columns: Sequence[Column], common: Sequence[Column | None]) -> exp.Expression:
    names = [exp.to_identifier(f"C{number}", quoted=True) for number in range(len(columns))]
    values = [
        exp.cast(exp.column(name.copy()), exp.DataType.build(canonical_of(type_), dialect="snowflake"))
        if type_ and _differs(column, type_)
        else exp.column(name.copy())
        for name, column, type_ in zip(names, columns, common, strict=True)
    ]
    items = [
        value.as_(exp.to_identifier(column.name, quoted=True)) for value, column in zip(values, columns, strict=True)
    ]
    alias = exp.TableAlias(this=exp.to_identifier("_", quoted=True), columns=names)
    return exp.select(*items).from_(exp.Subquery(this=part.unnest().copy(), alias=alias))
