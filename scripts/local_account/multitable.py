"""INSERT ALL and INSERT FIRST: one source, read once, into several tables, all of it or nothing (sql-reference/sql/insert-multi-table)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from local_account import access, engine, names, queries, reply
from local_account.errors import unsupported

if TYPE_CHECKING:
    from local_account.engine import Result
    from local_account.session import Session

_RELATION = "_RELATION_SOURCE"


def insert(session: Session, tree: exp.MultitableInserts, binds: list[Any]) -> Result:
    plan = names.resolve(session, tree.args["source"].copy(), binds)
    for name in plan.reads:
        access.require(session, "SELECT", "TABLE", *name)
    begins = not session.transaction.open
    if begins:
        session.begin()
    try:
        transaction = session.transaction
        transaction.is_fresh = False
        source = engine.run(
            transaction.cursor,
            plan.tree,
            plan.binds,
            names.context(session),
            in_transaction=True,
            tables=plan.relations,
        )
        relation = source.table.rename_columns([column.name for column in source.columns])
        counts: dict[str, int] = {}
        for target, statement in _inserts(tree):
            result = queries.run_tree(session, statement, binds, {_RELATION: relation})
            counts[target] = counts.get(target, 0) + result.rowcount
        transaction.consumed |= plan.streams
        if begins:
            session.commit()
    except BaseException:
        if begins:
            session.rollback()
        raise
    answer = reply.rows_of(list(counts), [counts], kind="insert")
    answer.rowcount = sum(counts.values())
    return answer


def _inserts(tree: exp.MultitableInserts) -> list[tuple[str, exp.Insert]]:
    """(label of the count, INSERT .. SELECT .. WHERE) for each INTO."""
    found = []
    earlier: list[exp.Expression] = []  # the conditions so far
    chosen: exp.Expression | None = None  # which rows the INTO takes
    for branch in tree.expressions:
        if branch.args.get("else_"):
            chosen = _none_of(earlier)
        elif condition := branch.args.get("expression"):
            chosen = condition.copy()
            if str(tree.args["kind"]).upper() == "FIRST" and earlier:
                chosen = exp.and_(chosen, _none_of(earlier))
            earlier.append(condition)
        into = branch.this.this
        values = branch.this.args.get("expression")
        if values and values.find(exp.Var):
            raise unsupported("DEFAULT in INSERT ALL")
        taken = values.expressions[0].expressions if values else [exp.Star()]
        rows = exp.select(*(value.copy() for value in taken)).from_(exp.to_table(f'"{_RELATION}"', dialect="snowflake"))
        if chosen:
            rows = rows.where(chosen.copy())
        table = into.this if isinstance(into, exp.Schema) else into
        found.append(
            (f"number of rows inserted into {table.name.upper()}", exp.Insert(this=into.copy(), expression=rows))
        )
    return found


def _none_of(conditions: list[exp.Expression]) -> exp.Expression:
    return exp.and_(*(exp.not_(exp.func("COALESCE", exp.paren(c.copy()), exp.false())) for c in conditions))
