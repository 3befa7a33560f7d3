"""What is drawn is drawn once."""

from sqlglot import exp

from local_account.rewrites.kinds import call

_DRAWS = (exp.Uniform, exp.Rand, exp.Uuid, exp.Normal)
_PLAIN = (exp.Binary, exp.Paren, exp.Neg, exp.Cast)  # these read once what they are given
_APART = (exp.Query, exp.AggFunc, exp.Window, exp.Lambda)


def draw_once(root: exp.Expression) -> None:
    """Snowflake draws RANDOM() once for the CASE, DECODE, NULLIF, IN or function that it is given to; DuckDB and its macros
    draw it again wherever they read it. So a lambda reads what was drawn before.
    """
    drawn: dict[
        int, list[exp.Expression]
    ] = {}  # by its place in the text: the parser copies what DIV0 and its kin are given
    for node in root.find_all(*_DRAWS):
        if not node.find_ancestor(*_DRAWS):
            drawn.setdefault(node.meta.get("start", -id(node)), []).append(node)
    for number, nodes in enumerate(drawn.values()):
        top, reads_again = nodes[0], False
        while isinstance(above := top.parent, exp.Condition) and not isinstance(above, _APART):
            if above.find(*_APART):
                break
            reads_again |= not isinstance(above, _PLAIN) or isinstance(above, exp.Predicate)
            top = above
        if not reads_again:
            continue
        name, place = exp.to_identifier(f"_DRAWN_{number}", quoted=True), exp.Placeholder()
        values = exp.Array(expressions=[nodes[0].copy()])
        for node in nodes:
            if node.root() is root:
                node.replace(exp.Column(this=name.copy()))
        top.replace(place)
        place.replace(call("list_extract", call("list_transform", values, exp.Lambda(this=top, expressions=[name])), 1))
