"""Functions that DuckDB knows by another name, or not at all."""

from functools import cache
from pathlib import Path

from sqlglot import exp

from local_account.errors import compilation, unsupported
from local_account.rewrites.kinds import call, cast, kind, literal, rule, text_of


@cache
def snowflake_functions() -> frozenset[str]:
    """The names of Snowflake's functions, in upper case."""
    return frozenset(Path(__file__).with_name("functions.txt").read_text().upper().split())


@rule(exp.Anonymous)
def renamed(node: exp.Anonymous) -> exp.Expression:
    """HASH gives other values than Snowflake's, as a signed number of 64 bits too, and the same one of 1 and 1.0, which DuckDB's does not;
    HAVERSINE is a formula here."""
    name = node.name.upper()
    if node.meta.get("ours"):
        return node
    if name == "HASH" and any(value.is_star for value in node.expressions):
        raise unsupported("HASH(*)", "name the columns")
    if name == "HASH":
        values = (call("sf_hashed", value) for value in node.expressions)
        return call("sf_hash", call("hash", *values))
    if name == "HAVERSINE":
        return call("sf_haversine", *node.expressions)
    return node


@rule(exp.Anonymous)
def known(node: exp.Anonymous) -> exp.Expression:
    """A function that no correction has taken is unknown, or missing here; DuckDB may have another one of its name."""
    if node.meta.get("ours") or (isinstance(node.parent, exp.Window) and node.name.upper() == "RATIO_TO_REPORT"):
        return node
    if node.name.upper() in snowflake_functions():
        raise unsupported(f"function {node.name.upper()}")
    raise compilation(2140, f"Unknown function {node.name.upper()}.", "42601")


@rule(exp.CountIf)
def count_if(node: exp.CountIf) -> exp.Expression:
    """COUNT_IF over no rows is 0; the sum that sqlglot writes for it would be NULL."""
    return exp.Count(this=exp.Case(ifs=[exp.If(this=node.this, true=literal(1))]))


@rule(exp.Count)
def count_of_several(node: exp.Count) -> exp.Expression:
    """COUNT(a, b) counts the rows in which neither is NULL; DuckDB's takes one."""
    if not node.expressions:
        return node
    present = [exp.Not(this=exp.Is(this=value, expression=exp.Null())) for value in (node.this, *node.expressions)]
    return exp.Count(this=exp.Case(ifs=[exp.If(this=exp.and_(*present), true=literal(1))]))


@rule(exp.WidthBucket)
def width_bucket(node: exp.WidthBucket) -> exp.Expression:
    """WIDTH_BUCKET: DuckDB has none."""
    return call("sf_width_bucket", *[node.args[name] for name in ("this", "min_value", "max_value", "num_buckets")])


@rule(exp.Window)
def ratio_to_report(node: exp.Window) -> exp.Expression:
    """RATIO_TO_REPORT(x) OVER (..) is x over the window's sum; DuckDB has none."""
    function = node.this
    if not isinstance(function, exp.Anonymous) or function.name.upper() != "RATIO_TO_REPORT":
        return node
    total = node.copy()
    total.set("this", exp.Sum(this=function.expressions[0].copy()))
    return call("sf_divide", function.expressions[0], total)


@rule(exp.RegexpExtract)
def regexp_group(node: exp.RegexpExtract) -> exp.Expression:
    """REGEXP_SUBSTR gives NULL where nothing matches, DuckDB's function for one match ''; with the parameter 'e' it gives the first group."""
    subject, parameters = node.this, node.text("parameters")
    group = node.args.get("group") or literal(0)
    if "e" in parameters and group.name == "0":
        group = literal(1)
    if node.text("position") not in ("", "1"):
        subject = call("substring", subject, cast(node.args["position"], "bigint"))
    flags = [literal(flags)] if (flags := parameters.replace("e", "")) else []
    matches = call("regexp_extract_all", subject, node.expression, group, *flags)
    return call("list_extract", matches, cast(node.args.get("occurrence") or literal(1), "bigint"), type="text")


@rule(exp.Base64Encode)
def base64_encode(node: exp.Base64Encode) -> exp.Expression:
    """BASE64_ENCODE takes text; DuckDB's takes bytes."""
    return call("to_base64", call("encode", text_of(node.this)), type="text")


@rule(exp.SHA2)
def sha2(node: exp.SHA2) -> exp.Expression:
    """SHA2 with a length other than 256: DuckDB has one length."""
    if (length := node.args.get("length")) is not None and length.name not in ("256", "0"):
        raise unsupported(f"SHA2 of {length.name} bits")
    return node


@rule(exp.Greatest, exp.Least)
def greatest_variants(node: exp.Expression) -> exp.Expression:
    """Snowflake compares variants by value; DuckDB JSON by its text."""
    if any(kind(value) == "variant" for value in (node.this, *node.expressions)):
        raise unsupported(f"{node.sql_name()} of variants", "cast them")
    return node


@rule(exp.ApproxTopK, exp.ArraysZip, exp.Log, exp.Max, exp.Min)
def otherwise(node: exp.Expression) -> exp.Expression:
    """DuckDB answers APPROX_TOP_K and ARRAYS_ZIP otherwise, MAX(x, n) with a list and LOG(x) to the base 10; Snowflake's LOG takes a base."""
    if isinstance(node, exp.ApproxTopK | exp.ArraysZip):
        raise unsupported(f"function {node.sql_name()}")
    if not node.args.get("expression") if isinstance(node, exp.Log) else node.expressions:
        raise compilation(939, f"wrong number of arguments for function [{node.sql('snowflake')}]", "42601")
    return node


@rule(exp.Pad)
def padding_of_nothing(node: exp.Pad) -> exp.Expression:
    """LPAD and RPAD with '' shorten and do not fill; DuckDB fails where there is to be filled."""
    filling = node.args.get("fill_pattern")
    if filling is not None and filling.is_string and not filling.name:
        return exp.Left(this=node.this, expression=node.expression)
    return node


_LOGIC = {exp.Booland: exp.And, exp.Boolor: exp.Or, exp.Xor: exp.NEQ}


@rule(*_LOGIC)
def logic_of_numbers(node: exp.Expression) -> exp.Expression:
    """BOOLAND, BOOLOR and BOOLXOR take numbers and booleans; DuckDB's ROUND takes no boolean."""
    sides = {name: cast(exp.Paren(this=node.args[name]), "boolean") for name in ("this", "expression")}
    return exp.Paren(this=_LOGIC[type(node)](**sides))


@rule(exp.Reduce)
def reduced(node: exp.Reduce) -> exp.Expression:
    """REDUCE has an accumulator of any type; DuckDB's has that of the elements."""
    raise unsupported("function REDUCE")


RULES = (
    renamed, count_if, count_of_several, width_bucket, ratio_to_report, regexp_group, base64_encode, sha2, otherwise, greatest_variants, padding_of_nothing, logic_of_numbers, reduced, known,
)  # fmt: skip
