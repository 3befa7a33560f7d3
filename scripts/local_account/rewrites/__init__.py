"""Snowflake's SQL trees turned into DuckDB's.

One correction is one function that takes a node and gives the node back, or another one in its place; its docstring
says what Snowflake does, what DuckDB does, and what follows. `RULES` is the order in which a node meets them. A tree is
walked once, from its leaves to its root.

What depends on a type that only DuckDB's binder knows (is this column text, or a variant?) is left to the macros of
`macros.sql`.
"""

from functools import cache
from pathlib import Path

from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types

from local_account.rewrites import arrays, draws, functions, names, numbers, tables, times, variants
from local_account.rewrites.columns import KindsOf, note_kinds
from local_account.rewrites.kinds import Rule

RULES: tuple[Rule, ...] = (
    *names.RULES,
    *tables.RULES,
    *variants.RULES,
    *arrays.RULES,
    *times.RULES,
    *numbers.RULES,
    *functions.RULES,
)

MACROS = Path(__file__).with_name("macros.sql").read_text()


@cache
def _rules_for(kind: type) -> tuple[Rule, ...]:
    return tuple(rule for rule in RULES if issubclass(kind, rule.nodes))


def understood(tree: exp.Expression, kinds_of: KindsOf = lambda _: {}) -> exp.Expression:
    """The tree, whose nodes now know their types, as far as they can be known; `kinds_of` tells those of a physical
    table's columns."""
    annotate_types(tree, dialect="snowflake")
    note_kinds(tree, kinds_of)
    return tree


def rewrite(tree: exp.Expression, kinds_of: KindsOf = lambda _: {}) -> exp.Expression:
    """A new tree for DuckDB. Raises SqlError for what this account cannot do rightly."""
    return rewritten(understood(tree.copy(), kinds_of))


def rewritten(root: exp.Expression) -> exp.Expression:
    """As `rewrite`, for a tree that is understood already; it is changed."""
    names.number_placeholders(root)
    # Read backwards, the order "parent before child" is "child before parent".
    for node in reversed(list(root.walk(bfs=False))):
        for rule in _rules_for(type(node)):  # type: ignore[arg-type]
            new = rule(node)
            if new is not node:
                if new.type is None:
                    new.type = node.type
                if node is root:
                    root = new
                elif node.parent is not None:
                    node.replace(new)
                node = new
                if not isinstance(new, rule.nodes):
                    break
    variants.parse_once(root)
    draws.draw_once(root)
    return root


def to_sql(tree: exp.Expression, *, copy: bool = True) -> str:
    """DuckDB's text of a rewritten tree; every name is quoted, because words that DuckDB reserves are ordinary names in
    Snowflake. Without the `copy` the tree is of no use afterwards."""
    return tree.sql(dialect="duckdb", identify=True, comments=False, copy=copy)


def translate(tree: exp.Expression) -> str:
    """The text for DuckDB of a statement in Snowflake's tree."""
    return to_sql(rewrite(tree))
