"""Values on their way into columns: INSERT, UPDATE and MERGE convert by the column's type."""

from collections.abc import Callable, Sequence

from sqlglot import exp

from local_account.errors import compilation
from local_account.rewrites.kinds import Type, call, cast, kind, kind_of_duckdb, moment_of, read, text_of


def assign(tree: exp.Expression, columns: Sequence[tuple[str, str]]) -> exp.Expression:
    """The statement with each value made fit for its column, given the target's columns (name, DuckDB's type) in order.

    Snowflake refuses a text that goes into a VARIANT column, and makes the bare string of a variant that goes into
    a VARCHAR column; DuckDB would read the one as JSON and keep the quotes of the other. An INSERT without a list of
    columns gets one, because a table may have hidden columns.
    """
    tree = tree.copy()
    types = dict(columns)
    if isinstance(tree, exp.Insert):
        _assign_insert(tree, columns, types)
    elif isinstance(tree, exp.Update):
        _assign_set(tree.expressions, types)
    else:
        for when in tree.args["whens"].expressions:
            then = when.args["then"]
            if isinstance(then, exp.Update):
                _assign_set(then.expressions, types)
            elif isinstance(then, exp.Insert):
                if not isinstance(then.this, exp.Tuple):
                    then.set(
                        "this",
                        exp.Tuple(
                            expressions=[exp.column(exp.to_identifier(name, quoted=True)) for name, _ in columns]
                        ),
                    )
                for target in then.this.expressions:
                    target.set("table", None)
                values = then.expression
                names = [_name(target) for target in then.this.expressions]
                if isinstance(values, exp.Tuple):
                    _same_width(names, values.expressions)
                    values.set(
                        "expressions",
                        [_fit(value, types.get(name)) for name, value in zip(names, values.expressions, strict=True)],
                    )
    return tree


def name_stars(tree: exp.Expression, describe: Callable[[exp.Expression], Sequence[object]]) -> None:
    """Numbers the columns of what an INSERT takes from SELECT *, so that each can be made fit for its column. The tree is changed."""
    source = tree.expression if isinstance(tree, exp.Insert) else None
    if isinstance(source, exp.Query) and any(
        item.is_star for select in _selects(source) for item in select.expressions
    ):
        columns = [exp.to_identifier(f"C{number}", quoted=True) for number in range(len(describe(source)))]
        inner = exp.Subquery(
            this=source.copy(), alias=exp.TableAlias(this=exp.to_identifier("_", quoted=True), columns=columns)
        )
        tree.set("expression", exp.select(*(exp.column(column.copy()) for column in columns)).from_(inner))


def _name(node: exp.Expression) -> str:
    identifier = node if isinstance(node, exp.Identifier) else node.this
    return identifier.name if identifier.args.get("quoted") else identifier.name.upper()


def _same_width(names: Sequence[str], values: Sequence[exp.Expression]) -> None:
    if len(names) != len(values):
        raise compilation(
            1128, f"Insert value list does not match column list expecting {len(names)} but got {len(values)}"
        )


def _assign_insert(tree: exp.Insert, columns: Sequence[tuple[str, str]], types: dict[str, str]) -> None:
    if isinstance(tree.this, exp.Schema):
        names = [_name(item) for item in tree.this.expressions]
        for name in names:
            if name not in types:
                raise compilation(904, f"error line 1 at position 0\ninvalid identifier '{name}'")
    else:
        names = [name for name, _ in columns]
        tree.set(
            "this", exp.Schema(this=tree.this, expressions=[exp.to_identifier(name, quoted=True) for name in names])
        )
    tree.set("overwrite", None)
    source = tree.expression
    if isinstance(source, exp.Values):
        for row in source.expressions:
            values = row.expressions if isinstance(row, exp.Tuple) else [row]
            _same_width(names, values)
            for value in values:
                _refuse_in_values(value)
            fitted = [_fit(value, types[name]) for name, value in zip(names, values, strict=True)]
            row.replace(exp.Tuple(expressions=[value.copy() for value in fitted]))
        return
    for select in _selects(source):
        _same_width(names, select.expressions)
        fit = _fit if select is source else _fit_branch
        select.set(
            "expressions",
            [_fit_projection(item, types[name], fit) for name, item in zip(names, select.expressions, strict=True)],
        )

    target = tree.this.this
    if source.find(exp.SetOperation) and any(table.parts == target.parts for table in source.find_all(exp.Table)):
        tree.set("expression", _read_first(source))


def _read_first(source: exp.Expression) -> exp.Select:
    """A union's rows, all of them before the first is written: DuckDB would read in one branch what another has inserted.

    To sort is what makes it wait. A materialized WITH does not, on busy processors (DuckDB 2.0.0, once in some sixty).
    """
    order = exp.Order(expressions=[exp.Ordered(this=exp.Rand())])
    return exp.select("*").from_(exp.Subquery(this=source.copy())).order_by(order, copy=False)


def _selects(query: exp.Expression) -> list[exp.Select]:
    if isinstance(query, exp.SetOperation):
        # Rows of a union are compared or merged as they are, so only UNION ALL converts in its branches.
        return (
            [*_selects(query.this), *_selects(query.expression)]
            if isinstance(query, exp.Union) and not query.args.get("distinct")
            else []
        )
    if isinstance(query, exp.Subquery):
        return _selects(query.this)
    return [query] if isinstance(query, exp.Select) and not query.args.get("distinct") else []


def _fit_projection(item: exp.Expression, type_: str, fit: Callable) -> exp.Expression:
    if isinstance(item, exp.Alias):
        fitted = fit(item.this, type_)
        return item if fitted is item.this else exp.alias_(fitted.copy(), item.args["alias"])
    return fit(item, type_)


def _fit_branch(value: exp.Expression, type_: str) -> exp.Expression:
    """As `_fit`, for a branch of a union: numbers would lose their decimals beside whole ones (`numbers.common_type`)."""
    if type_.startswith("DECIMAL") and kind(value) == "number":
        return cast(value.copy(), type_)
    return _fit(value, type_)


def _assign_set(assignments: list[exp.Expression], types: dict[str, str]) -> None:
    for assignment in assignments:
        if not (isinstance(assignment, exp.EQ) and isinstance(assignment.this, exp.Column)):
            raise compilation(1003, f"syntax error: {assignment.sql(dialect='snowflake')} sets no column.")
        if (name := _name(assignment.this)) not in types:
            raise compilation(904, f"error line 1 at position 0\ninvalid identifier '{name}'")
        assignment.set("expression", _fit(assignment.expression, types[name]))


def _fit(value: exp.Expression, type_: str | None) -> exp.Expression:
    if isinstance(value, exp.Null) or (isinstance(value, exp.Var) and value.name.upper() == "DEFAULT") or type_ is None:
        return value
    if isinstance(value, exp.Column) and value.name.upper() == "DEFAULT":
        return exp.var("DEFAULT")
    found, wanted = kind(value), kind_of_duckdb(type_)
    _refuse_other_type(value, found, wanted)
    if type_ == "JSON" and found != "variant":
        return call("sf_into_variant", value.copy())
    if type_ == "VARCHAR" and found != "text":
        return call("sf_text", value.copy())
    if wanted in ("ntz", "tz") and found in ("text", "variant"):
        return moment_of(value.copy(), wanted)
    if found in ("text", "variant") and wanted in ("number", "float", "date", "time"):
        return read(text_of(value.copy()), type_)
    if found == "variant" and type_ != "JSON":
        return call("sf_text", value.copy())
    return value


def _refuse_other_type(value: exp.Expression, found: str | None, wanted: str | None) -> None:
    """Snowflake makes no time of a number, no number of a boolean and no text of an object by itself; DuckDB does."""
    built = value.type is not None and value.type.this in _BUILT
    if (
        (wanted in ("ntz", "tz") and found == "number")
        or (wanted in ("number", "float") and found == "boolean")
        or (wanted == "text" and built)
    ):
        got = "OBJECT or ARRAY" if built else str(found).upper()
        message = f"Expression type does not match column data type, expecting {_WORDS[str(wanted)]} but got {got}"
        raise compilation(2023, message, "22000")


_BUILT = {Type.OBJECT, Type.STRUCT, Type.ARRAY, Type.MAP}
_WORDS = {"ntz": "TIMESTAMP_NTZ", "tz": "TIMESTAMP_LTZ", "number": "NUMBER", "float": "FLOAT", "text": "VARCHAR"}


_SEMI_STRUCTURED = (exp.ParseJSON, exp.Struct, exp.JSONObject, exp.Array, exp.ToVariant, exp.Subquery)


def _refuse_in_values(value: exp.Expression) -> None:
    """VALUES takes plain expressions only; DuckDB would take these, and the cloud then refuse them."""
    found = value.find(*_SEMI_STRUCTURED) or next(
        (cast for cast in value.find_all(exp.Cast) if kind(cast) == "variant"), None
    )
    if found is not None:
        raise compilation(2014, f"Invalid expression [{found.sql(dialect='snowflake')}] in VALUES clause", "22000")
