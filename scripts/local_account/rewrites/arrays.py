"""Arrays: JSON text in DuckDB, whose own lists hold one type only. The macros of `macros.sql` do the work."""

from sqlglot import exp

from local_account.errors import compilation, unsupported
from local_account.rewrites.kinds import call, cast, kind, literal, rule, text_of, variant_of


@rule(exp.Array)
def array_construct(node: exp.Array) -> exp.Expression:
    """An array may mix types; a list of DuckDB may not."""
    return call("json_array", *[variant_of(item) for item in node.expressions], type="variant")


@rule(exp.ArrayConstructCompact)
def array_construct_compact(node: exp.ArrayConstructCompact) -> exp.Expression:
    """As `array_construct`, without NULLs."""
    return call(
        "sf_array_compact", call("json_array", *[variant_of(item) for item in node.expressions]), type="variant"
    )


@rule(exp.ToArray)
def to_array(node: exp.ToArray) -> exp.Expression:
    """TO_ARRAY makes an array of what is none."""
    return call("sf_to_array", variant_of(node.this), type="variant")


# The macro for each function, its arguments in order ('*' marks those that are variants), and the kind of its value.
_MACROS = {
    exp.ArraySize: ("sf_array_size", ("this",), None),
    exp.ArrayContains: ("sf_array_contains", ("this", "*expression"), None),
    exp.ArrayAppend: ("sf_array_append", ("this", "*expression"), "variant"),
    exp.ArrayPrepend: ("sf_array_prepend", ("this", "*expression"), "variant"),
    exp.ArraySlice: ("sf_array_slice", ("this", "start", "end"), "variant"),
    exp.ArrayInsert: ("sf_array_insert", ("this", "position", "*expression"), "variant"),
    exp.ArrayRemove: ("sf_array_remove", ("this", "*expression"), "variant"),
    exp.ArrayRemoveAt: ("sf_array_remove_at", ("this", "position"), "variant"),
    exp.ArrayDistinct: ("sf_array_distinct", ("this",), "variant"),
    exp.ArrayCompact: ("sf_array_compact", ("this",), "variant"),
    exp.ArrayReverse: ("sf_array_reverse", ("this",), "variant"),
    exp.ArrayToString: ("sf_array_to_string", ("this", "expression"), "text"),
    exp.ArrayPosition: ("sf_array_position", ("this", "*expression"), None),
    exp.ArrayMax: ("sf_array_max", ("this",), "variant"),
    exp.ArrayMin: ("sf_array_min", ("this",), "variant"),
    exp.ArrayOverlaps: ("sf_arrays_overlap", ("this", "expression"), None),
    exp.ArrayExcept: ("sf_array_except", ("this", "expression"), "variant"),
    exp.Flatten: ("sf_array_flatten", ("this",), "variant"),
}


@rule(*_MACROS)
def functions(node: exp.Expression) -> exp.Expression:
    """Functions over arrays: DuckDB's work on lists, ours on JSON."""
    macro, arguments, result = _MACROS[type(node)]
    values = []
    for name in arguments:
        value = node.args.get(name.removeprefix("*"))
        if (
            isinstance(node, exp.ArrayContains)
            and name.startswith("*")
            and kind(value) in ("text", "number", "boolean")
        ):
            raise compilation(
                1044, "Invalid argument types for function 'ARRAY_CONTAINS': the value is no VARIANT", "42P13"
            )
        values.append(variant_of(value) if name.startswith("*") else value)
    return call(macro, *values, type=result)


@rule(exp.ArrayConcat, exp.ArrayIntersect)
def of_two_arrays(node: exp.Expression) -> exp.Expression:
    """ARRAY_CAT and ARRAY_INTERSECTION; as `functions`."""
    first, *others = ([node.this] if node.this else []) + node.expressions
    macro = "sf_array_cat" if isinstance(node, exp.ArrayConcat) else "sf_array_intersection"
    return call(macro, first, others[0], type="variant")


@rule(exp.SortArray)
def array_sort(node: exp.SortArray) -> exp.Expression:
    """ARRAY_SORT orders by value."""
    ascending = node.args.get("asc")
    if ascending is not None and not isinstance(ascending, exp.Boolean):
        raise unsupported("ARRAY_SORT with a computed direction")
    sorted_ = call("sf_array_sort", node.this, type="variant")
    return (
        call("sf_array_reverse", sorted_, type="variant") if ascending is not None and not ascending.this else sorted_
    )


@rule(exp.Transform, exp.ArrayFilter)
def lambdas(node: exp.Expression) -> exp.Expression:
    """FILTER and TRANSFORM: over the elements as variants."""
    name = "list_filter" if isinstance(node, exp.ArrayFilter) else "list_transform"
    over = node.expression.copy()
    if name == "list_transform":
        over.set("this", variant_of(over.this))
    return call("to_json", call(name, call("sf_list", node.this), over), type="variant")


# --- lists that functions give


@rule(exp.Split, exp.StrtokToArray, exp.GenerateSeries, exp.RegexpExtractAll)
def lists(node: exp.Expression) -> exp.Expression:
    """SPLIT gives an array, in DuckDB a list."""
    if node.meta.get("done") or isinstance(node.parent, exp.Table):
        return node
    if isinstance(node, exp.GenerateSeries):
        bounds = [cast(node.args[name], "bigint") for name in ("start", "end", "step") if node.args.get(name)]
        return call("to_json", call("range", *bounds), type="variant")
    inner = node.copy()
    if inner.args.get("separator") is None:
        inner.set("separator", literal(""))
    inner.meta["done"] = True
    return call("to_json", inner, type="variant")


# --- aggregates


@rule(exp.ArrayAgg, exp.ArrayUniqueAgg)
def array_agg(node: exp.Expression) -> exp.Expression:
    """ARRAY_AGG leaves NULLs out and gives an array that may be empty; DuckDB's is a list that may be NULL."""
    if isinstance(node, exp.ArrayUniqueAgg):
        return _array_of(exp.ArrayAgg(this=exp.Distinct(expressions=[node.this]), nulls_excluded=True))
    return (
        node
        if isinstance(node.parent, (exp.Window, exp.Filter, exp.WithinGroup)) or node.meta.get("done")
        else _array_of(node.copy())
    )


@rule(exp.Window, exp.WithinGroup)
def array_agg_over(node: exp.Expression) -> exp.Expression:
    """As `array_agg`, with a window or an order."""
    inner = node.this.this if isinstance(node.this, exp.WithinGroup) else node.this
    if not isinstance(inner, exp.ArrayAgg) or isinstance(node.parent, exp.Window) or inner.meta.get("done"):
        return node
    return _array_of(node.copy())


def _array_of(aggregate: exp.Expression) -> exp.Expression:
    inner = aggregate.find(exp.ArrayAgg)
    if inner.args.get("separator") is None:
        inner.set("separator", literal(""))
    inner.meta["done"] = True
    distinct = isinstance(inner.this, exp.Distinct)
    value = inner.this.expressions[0] if distinct else inner.this
    if kind(value) in ("ntz", "tz", "date", "time"):
        value.replace(text_of(value.copy()))
    return call("coalesce", call("to_json", aggregate), cast(literal("[]"), "json"), type="variant")


@rule(exp.ObjectAgg)
def object_agg(node: exp.ObjectAgg) -> exp.Expression:
    """OBJECT_AGG leaves out pairs with a NULL; in DuckDB an object is put together from two lists."""
    key, value = text_of(node.this), variant_of(node.expression)

    def collected(what: exp.Expression) -> exp.Expression:
        present = exp.and_(
            exp.Not(this=exp.Is(this=key.copy(), expression=exp.Null())),
            exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null())),
        )
        ordered = exp.Order(this=what.copy(), expressions=[exp.Ordered(this=call("concat", key.copy()))])
        return exp.Filter(this=call("list", ordered), expression=exp.Where(this=present))

    return call(
        "coalesce",
        call("to_json", call("map", collected(key), collected(value))),
        cast(literal("{}"), "json"),
        type="variant",
    )


@rule(exp.GroupConcat, exp.WithinGroup, exp.Window)
def listagg(node: exp.Expression) -> exp.Expression:
    """LISTAGG of nothing is '' in Snowflake, NULL in DuckDB, and without a separator it puts none, DuckDB a comma; times among its values stand in Snowflake's formats."""
    inner = node
    while isinstance(inner, (exp.Window, exp.WithinGroup)):
        inner = inner.this
    if (
        not isinstance(inner, exp.GroupConcat)
        or inner.meta.get("done")
        or isinstance(node.parent, (exp.WithinGroup, exp.Window, exp.Filter))
    ):
        return node
    value = inner.this.expressions[0] if isinstance(inner.this, exp.Distinct) else inner.this
    if kind(value) not in ("text", "number"):
        value.replace(text_of(value.copy()))
    if inner.args.get("separator") is None:
        inner.set("separator", literal(""))
    inner.meta["done"] = True
    return call("coalesce", node.copy(), literal(""), type="text")


RULES = (
    array_construct, array_construct_compact, to_array, functions, of_two_arrays, array_sort, lambdas, lists,
    array_agg, array_agg_over, object_agg, listagg,
)  # fmt: skip
