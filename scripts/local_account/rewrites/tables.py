"""Table functions: FLATTEN and GENERATOR."""

from sqlglot import exp

from local_account.errors import compilation, unsupported
from local_account.rewrites.kinds import call, cast, kind, rule

_COUNTED = "_SEQUENCE"


def _named(function: exp.Expression) -> dict[str, exp.Expression]:
    """The arguments of FLATTEN or GENERATOR by name."""
    found = {}
    for value in [function.this, *function.expressions]:
        if isinstance(value, exp.Kwarg):
            found[value.this.name.lower()] = value.expression
        elif isinstance(value, exp.Expression):
            found.setdefault("input", value)
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


@rule(exp.Where, exp.Having, exp.Qualify)
def predicate(node: exp.Expression) -> exp.Expression:
    """A condition is a BOOLEAN or a variant in Snowflake; DuckDB casts numbers and texts to one."""
    if kind(node.this) not in (None, "boolean", "variant"):
        shown = node.this.sql(dialect="snowflake").upper()
        raise compilation(2016, f"Invalid data type [{str(kind(node.this)).upper()}] for predicate '{shown}'", "22000")
    return node


RULES = (predicate, flatten, sequence, split_to_table, as_of, by_source)
