"""What a rule is, and what can be known of an expression's type without asking the engine."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from sqlglot import exp

Type = exp.DataType.Type
DAYS = {"DAY", "WEEK", "MONTH", "QUARTER", "YEAR"}  # units that leave a DATE a DATE


@dataclass(frozen=True)
class Rule:
    """A correction, and the classes of nodes it looks at."""

    nodes: tuple[type, ...]
    apply: Callable[[exp.Expression], exp.Expression]

    def __call__(self, node: exp.Expression) -> exp.Expression:
        return self.apply(node)


def rule(*nodes: type) -> Callable[[Callable], Rule]:
    """Names the classes of nodes that a correction looks at."""
    return lambda apply: Rule(nodes, apply)


_KINDS = {
    **dict.fromkeys((Type.VARCHAR, Type.TEXT, Type.CHAR, Type.NCHAR, Type.NVARCHAR), "text"),
    **dict.fromkeys((Type.VARIANT, Type.OBJECT, Type.ARRAY, Type.JSON), "variant"),
    **dict.fromkeys((Type.TIMESTAMPNTZ, Type.TIMESTAMP, Type.DATETIME), "ntz"),
    **dict.fromkeys((Type.TIMESTAMPTZ, Type.TIMESTAMPLTZ), "tz"),
    **dict.fromkeys((Type.TINYINT, Type.SMALLINT, Type.INT, Type.BIGINT, Type.INT128, Type.DECIMAL), "number"),
    **dict.fromkeys((Type.DOUBLE, Type.FLOAT), "float"),
    Type.DATE: "date",
    Type.TIME: "time",
    Type.BOOLEAN: "boolean",
    Type.BINARY: "binary",
    Type.VARBINARY: "binary",
}

_VARIANTS = (
    exp.JSONExtract,
    exp.GetExtract,
    exp.ParseJSON,
    exp.ArrayAgg,
    exp.ObjectAgg,
    exp.Struct,
    exp.JSONObject,
    exp.StarMap,
)


_OF_THEIR_ARGUMENT = (
    exp.Paren, exp.Alias, exp.Max, exp.Min, exp.AnyValue, exp.Window, exp.IgnoreNulls, exp.Filter, exp.Lag, exp.Lead,
    exp.FirstValue, exp.LastValue,
    exp.NthValue, exp.Nullif, exp.Distinct,
)  # fmt: skip
_OF_THEIR_ARGUMENTS = (exp.Coalesce, exp.Greatest, exp.Least)


def kind_of_type(type_: exp.DataType) -> str | None:
    """text, number, float, boolean, date, time, ntz, tz, binary or variant."""
    return _KINDS.get(type_.this)


@cache
def kind_of_duckdb(type_: str) -> str | None:
    """As `kind_of_type`, of the text by which DuckDB names a type."""
    return None if type_ == '"NULL"' else kind_of_type(exp.DataType.build(type_, dialect="duckdb"))


def kind(node: exp.Expression | None) -> str | None:
    """The kind of an expression's value; None when only the binder can tell."""
    if node is None or isinstance(node, exp.Null):
        return None
    if isinstance(node, exp.Column):
        return node.meta.get("kind")
    if isinstance(node, exp.Literal):
        return "text" if node.is_string else "number"
    if isinstance(node, exp.JSONExtractScalar):
        return "text"
    if isinstance(node, _VARIANTS):
        return "variant"
    if isinstance(node, (exp.Cast, exp.TryCast)):
        return kind_of_type(node.to)
    if isinstance(node, _OF_THEIR_ARGUMENT):
        return kind(node.this)
    if isinstance(node, _OF_THEIR_ARGUMENTS):
        return _agreed([node.this, *node.expressions])
    if isinstance(node, exp.If):
        return _agreed([node.args["true"], node.args.get("false")])
    if isinstance(node, exp.Case):
        return _agreed([*(branch.args["true"] for branch in node.args["ifs"]), node.args.get("default")])
    if isinstance(node, exp.Subquery):
        return kind(node.this)
    if isinstance(node, exp.Select):
        return kind(node.expressions[0])
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul, exp.Mod)):
        return "number" if kind(node.this) == kind(node.expression) == "number" else None
    found = kind_of_type(node.type) if node.type is not None else None
    # sqlglot takes decimal literals for doubles, and so everything computed from them.
    return None if found == "float" else found


def _agreed(nodes: list[exp.Expression | None]) -> str | None:
    kinds = {kind(node) for node in nodes if node is not None and not isinstance(node, exp.Null)}
    return kinds.pop() if len(kinds) == 1 else None


def call(name: str, *arguments: exp.Expression | str | int, type: str | None = None) -> exp.Anonymous:
    """A call of a function of DuckDB or of `macros.sql`."""
    node = exp.Anonymous(
        this=name,
        expressions=[argument if isinstance(argument, exp.Expression) else literal(argument) for argument in arguments],
    )
    node.meta["ours"] = True
    if type:
        node.type = type
    return node


def literal(value: str | int) -> exp.Literal:
    return exp.Literal.string(value) if isinstance(value, str) else exp.Literal.number(value)


def cast(node: exp.Expression, type_: str, *, safe: bool = False) -> exp.Expression:
    """A cast to a type of DuckDB."""
    to = exp.DataType.build(type_, dialect="duckdb")
    new = exp.TryCast(this=node, to=to) if safe else exp.Cast(this=node, to=to)
    new.type = to
    return new


def text_of(node: exp.Expression) -> exp.Expression:
    """The value as text, in Snowflake's formats."""
    if kind(node) == "text":
        return node
    if isinstance(node, exp.Null):
        return node
    if isinstance(inner := node.unnest(), exp.JSONExtract):
        return scalar(inner.this, inner.expression)
    return call("sf_text", node, type="text")


def scalar(value: exp.Expression, path: exp.Expression) -> exp.Expression:
    """Text found under a path of a variant."""
    found = exp.Paren(this=exp.JSONExtractScalar(this=value, expression=path))
    found.type = "text"
    return found


def variant_of(node: exp.Expression) -> exp.Expression:
    """The value as a variant."""
    found = kind(node)
    if found == "variant" or isinstance(node, exp.Null):
        return node
    if found in ("text", "boolean"):
        return call("to_json", node, type="variant")
    return call("sf_variant", node, type="variant")


def read(text: exp.Expression, type_: str, *, safe: bool = False) -> exp.Expression:
    """A text as a number, a date or a time.

    DuckDB takes underscores between digits and anything behind a time, and knows dates by ISO alone.
    """
    plain, found = isinstance(text, exp.Literal) and _PLAIN.fullmatch(text.name), kind_of_duckdb(type_)
    if found == "date" and not plain:
        return call("sf_try_text_date" if safe else "sf_text_date", text, type="date")
    function = {"number": "sf_digits", "float": "sf_digits", "time": "sf_clock"}.get(found or "")
    return cast(text if plain or not function else call(function, text), type_, safe=safe)


_PLAIN = re.compile(r"[0-9.:-]*")
_ISO = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?")


def moment_of(node: exp.Expression, target: str) -> exp.Expression:
    """The value as TIMESTAMP_NTZ ('ntz') or as TIMESTAMP_LTZ ('tz')."""
    own, type_ = kind(node), "timestamp" if target == "ntz" else "timestamptz"
    if own == target:
        return node
    plain = isinstance(node, exp.Literal) and node.is_string and _ISO.fullmatch(node.name)
    if own in ("date", "ntz", "tz") or plain or isinstance(node, exp.Null):
        return cast(node, type_)
    if own in ("text", "variant"):
        return call(f"sf_text_{type_}", text_of(node), type=type_)
    return call(f"sf_timestamp_{target}", node, type=type_)
