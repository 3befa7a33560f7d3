"""Numbers: types, quotients, means, and whole numbers where DuckDB asks for them."""

from functools import reduce

from sqlglot import exp

from local_account.errors import unsupported
from local_account.rewrites.kinds import DAYS, Type, call, cast, kind, read, rule, text_of

_WHOLE = {Type.TINYINT, Type.SMALLINT, Type.INT, Type.MEDIUMINT, Type.BIGINT, Type.INT128}


@rule(exp.DataType)
def types(node: exp.DataType) -> exp.Expression:
    """Every whole-number type of Snowflake is NUMBER(38, 0), every float is 64 bits wide; DuckDB's INT and FLOAT have
    32, and its VARCHAR forgets its length (`variants.casts` asks for it)."""
    if node.this in _WHOLE:
        return exp.DataType.build("decimal(38, 0)", dialect="duckdb")
    if node.this == Type.DECIMAL:
        precision, scale = ([int(part.name) for part in node.expressions] + [38, 0][len(node.expressions) :])[:2]
        return exp.DataType.build(f"decimal({precision}, {scale})", dialect="duckdb")
    if node.this not in _OTHER_TYPES:
        return node
    new = _OTHER_TYPES[node.this].copy()
    new.meta["written"] = node.this
    new.meta["length"] = next((int(part.name) for part in node.expressions), 1 if node.this in _SINGLE else None)
    return new


_SINGLE = (Type.CHAR, Type.NCHAR)
_OTHER_TYPES = {
    snowflake: exp.DataType.build(duckdb, dialect="duckdb")
    for duckdb, kinds in {
        "double": (Type.FLOAT, Type.DOUBLE),
        "timestamp": (Type.TIMESTAMP, Type.TIMESTAMPNTZ, Type.DATETIME),
        "timestamptz": (Type.TIMESTAMPLTZ, Type.TIMESTAMPTZ),
        "json": (Type.VARIANT, Type.OBJECT, Type.ARRAY, Type.JSON),
        "varchar": (Type.CHAR, Type.NCHAR, Type.VARCHAR, Type.NVARCHAR, Type.TEXT),
        "blob": (Type.BINARY, Type.VARBINARY),
    }.items()
    for snowflake in kinds
}


def number_of(node: exp.Expression) -> exp.Expression:
    """A variant where a number is wanted, as a float; anything else as it is."""
    return cast(text_of(node), "double") if kind(node) == "variant" else node


@rule(
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Div,
    exp.Mod,
    exp.Neg,
    exp.Sum,
    exp.Avg,
    exp.Round,
    exp.Floor,
    exp.Ceil,
    exp.Abs,
    exp.Sqrt,
    exp.Median,
)
def variants_as_numbers(node: exp.Expression) -> exp.Expression:
    """Snowflake computes with a variant that holds a number; DuckDB does not compute with JSON."""
    for argument in ("this", "expression"):
        value = node.args.get(argument)
        if isinstance(value, exp.Expression) and kind(value) == "variant":
            node.set(argument, number_of(value))
    return node


@rule(exp.Div)
def quotient(node: exp.Div) -> exp.Expression:
    """NUMBER / NUMBER is a NUMBER with six more decimals in Snowflake, exact; in DuckDB it is a DOUBLE.

    An exact quotient names each operand six times, so one of quotients of quotients, or of sub-queries, is not.
    """
    operands = [side.this if isinstance(side, exp.Paren) else side for side in (node.this, node.expression)]
    depth = 1 + max(
        (part.meta.get("depth", 0) for side in operands for part in side.find_all(exp.Anonymous)), default=0
    )
    is_small = depth < 3 and not any(side.find(exp.Query) for side in operands)
    new = call("sf_divide" if is_small else "sf_divide_near", *operands)
    new.meta["depth"] = depth
    return new


_OF_NUMBERS = (exp.Sum, exp.Count, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.Round, exp.Abs)


def _is_number(value: exp.Expression) -> bool:
    value = value.unnest()
    if isinstance(value, (exp.Add, exp.Sub)):
        return _is_number(value.this) and _is_number(value.expression)
    if isinstance(value, (exp.Window, exp.Filter)):
        return _is_number(value.this)
    ours = isinstance(value, exp.Anonymous) and value.name in ("sf_divide", "sf_divide_near", "sf_average")
    return kind(value) == "number" or ours or isinstance(value, _OF_NUMBERS)


@rule(exp.Coalesce, exp.If, exp.Case, exp.Greatest, exp.Least, exp.Nvl2, exp.DecodeCase, exp.Values)
def common_type(node: exp.Expression) -> exp.Expression:
    """NUMBER(38, 0) beside NUMBER(10, 2) gives NUMBER(38, 2) in Snowflake; DuckDB rounds to NUMBER(38, 0), to have room
    for 38 digits before the point (`sets.widen` does the same for UNION).

    So each value takes the type that their sum has, unless there is but one beside whole literals, which are narrow.
    """
    for slots in _alternatives(node):
        values = [value for value in slots if value is not None and not isinstance(value, exp.Null)]
        literals = [value for value in values if _is_literal(value)]
        # One cast of a type stands for all, lest the sum of a thousand rows grow as long as they are.
        others = {
            (value.to if isinstance(value, exp.Cast) else value).sql(): value
            for value in values
            if not _is_literal(value)
        }
        finest = max(literals, key=lambda value: len(value.sql().partition(".")[2]), default=None)
        wide = [*others.values(), *([finest] if finest is not None and not finest.is_int else [])]
        if others and len(wide) > 1 and all(map(_is_number, values)):
            parts: list[exp.Expression] = [exp.Paren(this=value.copy()) for value in wide]
            total = reduce(lambda left, right: exp.Add(this=left, expression=right), parts)
            for value in values:
                value.replace(call("cast_to_type", value.copy(), total.copy(), type="decimal"))
    return node


def _is_literal(value: exp.Expression) -> bool:
    return isinstance(value.this if isinstance(value, exp.Neg) else value, exp.Literal)


def _alternatives(node: exp.Expression) -> list[list[exp.Expression | None]]:
    """The values of which the node gives one: a list of them for each column that it has."""
    if isinstance(node, exp.Values):
        rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in node.expressions]
        return [list(column) for column in zip(*rows, strict=False)] if len(rows) > 1 else []
    if isinstance(node, exp.Case):
        return [[*(branch.args["true"] for branch in node.args["ifs"]), node.args.get("default")]]
    if isinstance(node, exp.If):
        return [] if isinstance(node.parent, exp.Case) else [[node.args["true"], node.args.get("false")]]
    if isinstance(node, exp.Nvl2):
        return [[node.args["true"], node.args.get("false")]]
    if isinstance(node, exp.DecodeCase):
        return [[*node.expressions[2::2], *(node.expressions[-1:] if len(node.expressions) % 2 == 0 else [])]]
    return [[node.this, *node.expressions]]


@rule(exp.Mul)
def wide_product(node: exp.Mul) -> exp.Expression:
    """Snowflake's literals multiply as 38-digit numbers; DuckDB's as 32- or 64-bit integers, which overflow."""
    for argument in ("this", "expression"):
        value = node.args[argument]
        if value.is_int and isinstance(value, exp.Literal):
            node.set(argument, cast(value, "hugeint"))
            break
    return node


@rule(exp.Add, exp.Sub)
def wide_sum(node: exp.Expression) -> exp.Expression:
    """As `wide_product`, for sums: of literals that fill 64 bits."""
    for argument in ("this", "expression"):
        value = node.args[argument]
        digits = value.this if isinstance(value, exp.Neg) else value
        if isinstance(digits, exp.Literal) and digits.is_int and 18 <= len(digits.name) <= 38:
            node.set(argument, cast(value, f"decimal({len(digits.name)}, 0)"))
    return node


@rule(exp.Avg)
def mean(node: exp.Avg) -> exp.Expression:
    """The mean of NUMBERs is a NUMBER in Snowflake; in DuckDB a DOUBLE.

    So it is computed from sum and count, as a quotient.
    """
    if isinstance(node.parent, (exp.Window, exp.Filter, exp.IgnoreNulls)):
        return node
    return call("sf_average", exp.Sum(this=node.this.copy()), exp.Count(this=node.this.copy()))


@rule(exp.Window, exp.Filter)
def mean_over(node: exp.Expression) -> exp.Expression:
    """As `mean`, for a mean with a window or a filter."""
    if not isinstance(node.this, exp.Avg) or isinstance(node.parent, exp.Window):
        return node
    total, count = node.copy(), node.copy()
    total.set("this", exp.Sum(this=node.this.this.copy()))
    count.set("this", exp.Count(this=node.this.this.copy()))
    return call("sf_average", total, count)


@rule(exp.Median)
def median(node: exp.Median) -> exp.Expression:
    """Snowflake's median of NUMBERs has three more decimals, DuckDB's has the argument's."""
    value = node.this
    if isinstance(value, exp.Anonymous) and value.name == "cast_to_type":
        return node
    return exp.Median(
        this=call("cast_to_type", value, exp.Mul(this=value.copy(), expression=exp.Literal.number("0.000")))
    )


@rule(exp.PercentileCont)
def percentile(node: exp.PercentileCont) -> exp.Expression:
    """As `median`, for PERCENTILE_CONT, whose argument stands in its order."""
    if isinstance(node.parent, exp.WithinGroup):
        for item in node.parent.expression.find_all(exp.Ordered):
            if not isinstance(item.this, exp.Anonymous):
                item.set(
                    "this",
                    call(
                        "cast_to_type",
                        item.this.copy(),
                        exp.Mul(this=item.this.copy(), expression=exp.Literal.number("0.000")),
                    ),
                )
    return node


# Which arguments DuckDB wants as whole numbers, while Snowflake takes any NUMBER.
_WHOLE_ARGUMENTS = {
    exp.Substring: ("start", "length"),
    exp.Left: ("expression",),
    exp.Right: ("expression",),
    exp.Repeat: ("times",),
    exp.Pad: ("expression",),
    exp.Chr: ("expressions",),
    exp.SplitPart: ("part_index",),
    exp.Round: ("decimals",),
    exp.BitwiseAnd: ("this", "expression"),
    exp.BitwiseOr: ("this", "expression"),
    exp.BitwiseXor: ("this", "expression"),
    exp.BitwiseNot: ("this",),
    exp.BitwiseLeftShift: ("this", "expression"),
    exp.BitwiseRightShift: ("this", "expression"),
    exp.DateFromParts: ("year", "month", "day"),
    exp.TimeFromParts: ("hour", "min", "sec"),
}


@rule(*_WHOLE_ARGUMENTS)
def whole_arguments(node: exp.Expression) -> exp.Expression:
    """DuckDB finds no `substr(text, DECIMAL)`; Snowflake's NUMBER is good for all."""
    for name in _WHOLE_ARGUMENTS[type(node)]:
        value = node.args.get(name)
        if isinstance(value, list):
            node.set(name, [_whole(item) for item in value])
        elif isinstance(value, exp.Expression):
            node.set(name, _whole(value))
    return node


@rule(exp.BitwiseRightShift)
def narrow_shifts(node: exp.Expression) -> exp.Expression:
    """Snowflake shifts 128 bits, and sqlglot with it; to the right 64 hold all that was there, several times as fast."""
    node.set("requires_int128", False)
    return node


def _whole(value: exp.Expression) -> exp.Expression:
    plain = value.this if isinstance(value, exp.Neg) else value
    return value if isinstance(plain, (exp.Literal, exp.Null)) else cast(value, "bigint")


@rule(exp.BitwiseAndAgg, exp.BitwiseOrAgg, exp.BitwiseXorAgg)
def bits_of_numbers(node: exp.Expression) -> exp.Expression:
    """BITAND_AGG and its kin take any NUMBER; DuckDB's take integers."""
    node.set("this", _whole(node.this))
    return node


@rule(exp.Ceil, exp.Floor)
def rounding_to_decimals(node: exp.Expression) -> exp.Expression:
    """CEIL(x, n) keeps the type of x; sqlglot writes a quotient, which is a float in DuckDB, as CEIL of an integer is."""
    if node.meta.get("done"):
        return node
    inner = node.copy()
    inner.meta["done"] = True
    if node.args.get("decimals") is None:
        inner.set(
            "this", exp.Add(this=exp.Paren(this=inner.this), expression=cast(exp.Literal.number(0), "decimal(1, 0)"))
        )
        return inner
    return call("cast_to_type", inner, node.this)


@rule(exp.Add, exp.Sub)
def days(node: exp.Expression) -> exp.Expression:
    """DATE + NUMBER is a DATE some days later; DuckDB adds integers only. DATE + INTERVAL of days or more is a DATE too;
    in DuckDB a TIMESTAMP."""
    left, right = kind(node.this), kind(node.expression)
    if isinstance(node.expression, exp.Interval):
        if left == "date" and not node.meta.get("done"):
            whole = node.expression.text("unit").upper().rstrip("S") in DAYS or node.expression.meta.get("days")
            if not whole:
                return node
            node.meta["done"] = True
            return cast(exp.Paren(this=node.copy()), "date")
    elif left == "date" and right not in ("date", "ntz", "tz", None):
        node.set("expression", cast(exp.Paren(this=node.expression), "integer"))
    elif right == "date" and left == "number":
        node.set("this", cast(exp.Paren(this=node.this), "integer"))
    return node


@rule(exp.Rand, exp.Uniform, exp.Randstr, exp.Zipf)
def randomness(node: exp.Expression) -> exp.Expression:
    """A seed, or a column in its place, fixes the values in Snowflake; DuckDB knows one seed for a whole session.

    So only RANDOM() itself is taken.
    """
    if isinstance(node, (exp.Randstr, exp.Zipf)):
        raise unsupported(f"function {node.sql_name()}")
    if isinstance(node, exp.Rand) and node.this is not None:
        raise unsupported("RANDOM with a seed")
    if isinstance(node, exp.Uniform) and node.args.get("gen") is not None and node.args["gen"].find(exp.Rand) is None:
        raise unsupported("UNIFORM of anything but RANDOM()")
    return node


@rule(exp.ToDouble)
def to_double(node: exp.ToDouble) -> exp.Expression:
    """TO_DOUBLE(text) does not take all texts that DuckDB's cast takes."""
    if kind(node.this) in ("text", "variant") and not node.args.get("format"):
        return read(text_of(node.this), "double", safe=bool(node.args.get("safe")))
    return node


@rule(exp.ToNumber)
def to_number(node: exp.ToNumber) -> exp.Expression:
    """TO_NUMBER(value, [format,] precision, scale); DuckDB has casts only, so formats of plain digits alone can be
    honoured."""
    arguments = [node.args.get(name) for name in ("format", "precision", "scale") if node.args.get(name) is not None]
    if arguments and arguments[0].is_string:
        raise unsupported("TO_NUMBER with a format")
    precision, scale = ([int(argument.name) for argument in arguments] + [38, 0][len(arguments) :])[:2]
    value, type_, safe = node.this, f"decimal({precision}, {scale})", bool(node.args.get("safe"))
    if kind(value) in ("text", "variant"):
        return read(text_of(value), type_, safe=safe)
    return cast(value, type_, safe=safe)


RULES = (
    types, variants_as_numbers, quotient, common_type, wide_product, wide_sum, mean, mean_over, median, percentile, whole_arguments, narrow_shifts,
    bits_of_numbers,
    rounding_to_decimals, days, randomness, to_double, to_number,
)  # fmt: skip
