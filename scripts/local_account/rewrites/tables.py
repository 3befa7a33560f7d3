"""Table functions: FLATTEN and GENERATOR."""

from sqlglot import exp

from local_account.errors import compilation, unsupported
from local_account.rewrites.kinds import call, cast, kind, rule

_COUNTED = "_SEQUENCE"
_CONSTANTS = {
    "path": (),
    "outer": ("TRUE", "FALSE"),
    "recursive": ("TRUE", "FALSE"),
    "mode": ("'OBJECT'", "'ARRAY'", "'BOTH'"),
}  # and the values that each may have


def _named(function: exp.Expression) -> dict[str, exp.Expression]:
    """The arguments of FLATTEN by name; the first may go without its own."""
    found: dict[str, exp.Expression] = {}
    for value in [function.this, *function.expressions]:
        name = value.this.name.lower() if isinstance(value, exp.Kwarg) else "input"
        if name in found or name not in ("input", "path", "outer", "recursive", "mode"):
            shown = value.sql(dialect="snowflake")
            raise compilation(1003, f"syntax error: unexpected '{shown}' among the arguments of FLATTEN.")
        found[name] = value.expression if isinstance(value, exp.Kwarg) else value
    if "input" not in found:
        raise compilation(938, "not enough arguments for function [FLATTEN], which wants INPUT", "22023")
    for name, allowed in _CONSTANTS.items():
        value = found.get(name)
        if value is not None and not isinstance(value, (exp.Literal, exp.Boolean)):
            raise unsupported(f"FLATTEN whose {name.upper()} is no constant")
        if value is not None and allowed and value.sql().upper() not in allowed:
            raise compilation(1003, f"syntax error: unexpected '{value.sql()}' as {name.upper()} of FLATTEN.")
    return found


@rule(exp.Lateral, exp.TableFromRows)
def flatten(node: exp.Expression) -> exp.Expression:
    """FLATTEN: DuckDB has json_each and json_tree; with OUTER the row stays when there is nothing in it."""
    function = node.this
    if isinstance(function, exp.Generator):
        return _generator(function, node)
    if not isinstance(function, exp.Explode):
        return node
    named = _named(function)
    value, above = named["input"], named["path"].name if "path" in named else ""
    if above:
        value = call("json_extract", value, "$." + above, type="variant")
    recursive, outer = (name in named and named[name].sql().upper() == "TRUE" for name in ("recursive", "outer"))
    mode = named["mode"].name.upper() if "mode" in named else "BOTH"
    if mode != "BOTH" and recursive:
        raise unsupported(f"FLATTEN that is recursive with mode {mode}")
    if mode != "BOTH":
        value = call("sf_of_mode", value, mode, type="variant")
    name = call("sf_flatten" + "_recursive" * recursive + "_outer" * outer, value, above)
    alias = node.args.get("alias")
    alias = (
        exp.TableAlias(this=alias.this.copy())
        if alias and alias.this
        else exp.TableAlias(this=exp.to_identifier("FLATTEN", quoted=True))
    )
    return exp.Table(this=name, alias=alias)


def _generator(function: exp.Generator, node: exp.Expression) -> exp.Expression:
    """GENERATOR(ROWCOUNT => n): rows without columns; DuckDB counts by range()."""
    count = function.args.get("rowcount")
    if count is None:
        raise unsupported("GENERATOR without ROWCOUNT")
    select = node.find_ancestor(exp.Select)
    if select and any(item.is_star for item in select.expressions):
        raise unsupported("* of GENERATOR", "it has no columns")
    alias = node.args.get("alias")
    name = alias.this.copy() if alias and alias.this else exp.to_identifier("GENERATOR", quoted=True)
    return exp.Table(
        this=call("range", cast(count, "bigint")),
        alias=exp.TableAlias(this=name, columns=[exp.to_identifier(_COUNTED, quoted=True)]),
    )


@rule(exp.Seq1, exp.Seq2, exp.Seq4, exp.Seq8)
def sequence(node: exp.Expression) -> exp.Expression:
    """SEQ4() numbers the rows of a generator; sqlglot writes a window function, which cannot stand inside another
    one."""
    select = node.find_ancestor(exp.Select)
    sources = (
        [select.args["from_"].this, *(join.this for join in select.args.get("joins") or ())]
        if select and select.args.get("from_")
        else []
    )
    for source in sources:
        alias = source.args.get("alias")
        if alias and [column.name for column in alias.args.get("columns") or ()] == [_COUNTED]:
            return exp.column(exp.to_identifier(_COUNTED, quoted=True), table=alias.this.copy())
    return node


@rule(exp.Lateral, exp.TableFromRows)
def split_to_table(node: exp.Expression) -> exp.Expression:
    """SPLIT_TO_TABLE: rows of the parts of a text."""
    function = node.this
    if not isinstance(function, exp.SplitToTable):
        return node
    alias = node.args.get("alias")
    alias = exp.TableAlias(this=alias.this.copy() if alias and alias.this else exp.to_identifier("SPLIT", quoted=True))
    return exp.Table(this=call("sf_split_to_table", *function.iter_expressions()), alias=alias)


@rule(exp.Join)
def as_of(node: exp.Join) -> exp.Expression:
    """ASOF JOIN: DuckDB's has another syntax. LEFT JOIN without ON keeps the rows on its left; sqlglot writes a product."""
    if node.text("method").upper() == "ASOF":
        raise unsupported("ASOF JOIN")
    if node.side and not (node.method or node.args.get("on") or node.args.get("using")):
        node.set("on", exp.true())
    return node


@rule(exp.When)
def by_source(node: exp.When) -> exp.Expression:
    """WHEN NOT MATCHED is of the source's rows; DuckDB has BY SOURCE as well, which Snowflake does not know."""
    if node.args.get("source"):
        raise compilation(1003, "syntax error: unexpected 'BY SOURCE'.")
    return node


@rule(exp.TableSample)
def sample(node: exp.TableSample) -> exp.Expression:
    """BLOCK is another word for SYSTEM, which DuckDB does not know."""
    if node.text("method").upper() == "BLOCK":
        node.set("method", exp.var("SYSTEM"))
    return node


@rule(exp.Where, exp.Having, exp.Qualify)
def predicate(node: exp.Expression) -> exp.Expression:
    """A condition is a BOOLEAN or a variant in Snowflake; DuckDB casts numbers and texts to one."""
    if kind(node.this) not in (None, "boolean", "variant"):
        shown = node.this.sql(dialect="snowflake").upper()
        raise compilation(2016, f"Invalid data type [{str(kind(node.this)).upper()}] for predicate '{shown}'", "22000")
    return node


RULES = (predicate, flatten, sequence, split_to_table, as_of, by_source, sample)
