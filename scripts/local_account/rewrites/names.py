"""Names: of columns, of positions, of binds, of what has no name."""

from sqlglot import exp

from local_account.errors import unsupported
from local_account.rewrites.kinds import rule


@rule(exp.Identifier)
def fold(node: exp.Identifier) -> exp.Expression:
    """Snowflake reads an unquoted name in upper case; DuckDB keeps it as written, so it is folded here.

    Keys of objects are not names.
    """
    if node.args.get("quoted") or (isinstance(node.parent, exp.PropertyEQ) and node.arg_key == "this"):
        return node
    node.set("this", node.name.upper())
    node.set("quoted", True)
    return node


@rule(exp.Values)
def value_columns(node: exp.Values) -> exp.Expression:
    """Snowflake calls the columns of VALUES COLUMN1, COLUMN2; DuckDB calls them col0, col1."""
    if isinstance(node.parent, exp.Insert) or not node.expressions:
        return node
    alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier("VALUES", quoted=True))
    if not alias.args.get("columns"):
        first = node.expressions[0]
        width = len(first.expressions) if isinstance(first, exp.Tuple) else 1
        alias.set("columns", [exp.to_identifier(f"COLUMN{position + 1}", quoted=True) for position in range(width)])
    node.set("alias", alias)
    return node


def _positioned(position: exp.Parameter, scope: exp.Expression | None) -> exp.Expression:
    select = scope.find_ancestor(exp.Select) if scope else None
    sources = [select.args["from_"].this] if select and select.args.get("from_") else []
    if not any(isinstance(source, exp.Values) for source in sources):
        raise unsupported(f"${position.name}", "columns by position are known of VALUES only")
    return exp.to_identifier(f"COLUMN{position.name}", quoted=True)


@rule(exp.Parameter)
def position(node: exp.Parameter) -> exp.Expression:
    """Snowflake's $1 is the source's first column; DuckDB's is the first bind."""
    if not (isinstance(node.this, exp.Literal) and not node.this.is_string) or node.meta.get("bind"):
        return node
    if isinstance(node.parent, exp.Column):
        return _positioned(node, node.parent)
    return exp.Column(this=_positioned(node, node))


def number_placeholders(root: exp.Expression) -> None:
    """Binds keep the number that the parser gave them, so that corrections may move and repeat them."""
    for number, node in enumerate(list(root.find_all(exp.Placeholder, bfs=False)), start=1):
        bind = exp.Parameter(this=exp.Literal.number(node.name or number))
        bind.meta["bind"] = True
        if node is not root:
            node.replace(bind)


@rule(exp.Subquery)
def unnamed_columns(node: exp.Subquery) -> exp.Expression:
    """Snowflake names a column without a name by its text in upper case; DuckDB has names of its own."""
    if isinstance(node.parent, (exp.From, exp.Join, exp.CTE)):
        name_columns(node.this)
    return node


def name_columns(query: exp.Expression, texts: list[str] | None = None) -> None:
    """Gives every projection of a query a name, from `texts` (the source of each projection) when they are known."""
    while isinstance(query, (exp.SetOperation, exp.Subquery)):
        query = query.this
    if not isinstance(query, exp.Select):
        return
    for index, projection in enumerate(query.expressions):
        is_path = isinstance(projection, exp.Dot) and not isinstance(projection.expression, exp.Func)
        # The engine would call it "level".
        is_level = (
            isinstance(projection, exp.Column) and query.args.get("connect") and projection.name.upper() == "LEVEL"
        )
        is_named = projection.is_star or isinstance(projection, (exp.Alias, exp.Aliases, exp.Column))
        if is_path or (is_named and not is_level):
            continue
        text = texts[index] if texts else projection.sql(dialect="snowflake")
        projection.replace(exp.alias_(projection.copy(), exp.to_identifier(text.upper(), quoted=True)))


@rule(exp.Update)
def plain_targets(node: exp.Update) -> exp.Expression:
    """Snowflake allows `set t.a = ..`; DuckDB wants the bare column."""
    for assignment in node.expressions:
        if isinstance(assignment, exp.EQ) and isinstance(assignment.this, exp.Column):
            assignment.this.set("table", None)
            assignment.this.set("db", None)
            assignment.this.set("catalog", None)
    return node


RULES = (fold, value_columns, position, unnamed_columns, plain_targets)
