"""From the names a statement writes to what they stand for.

Each table name becomes a full, physical one (or a sub-query: a stream is one; a registered relation: INFORMATION_SCHEMA, RESULT_SCAN and the
app's own table functions are), session variables and SYSTEM$ functions become literals, and what the statement reads and writes is
listed, so that rights can be checked and streams can follow.
"""

from __future__ import annotations

import itertools
import zlib
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from local_account import access, engine, rules, streams, system, temporaries, views
from local_account.errors import SqlError, compilation, missing, syntax_error, unsupported

if TYPE_CHECKING:
    import pyarrow

    from local_account.session import Session

Name = tuple[str, str, str]  # database, physical schema, name


@dataclass
class Plan:
    """A statement whose names are resolved."""

    tree: exp.Expression
    binds: list[Any]
    reads: set[Name] = field(default_factory=set)
    writes: dict[Name, set[str]] = field(default_factory=dict)  # table -> privileges
    streams: set[tuple[str, str]] = field(default_factory=set)  # (database, 'SCHEMA.STREAM') that it reads
    relations: dict[str, pyarrow.Table] = field(default_factory=dict)  # Arrow tables that the tree names
    calls: bool = False  # a function of one's own stands in it


def resolve(
    session: Session, tree: exp.Expression, binds: list[Any], relations: dict[str, pyarrow.Table] | None = None
) -> Plan:
    """Rewrites the tree in place; raises if a name does not exist or may not be used. ``relations`` are those of the statement around it."""
    from local_account import calls

    plan = Plan(tree, binds, relations={} if relations is None else relations)
    _literals(session, plan)
    calls.replace_calls(session, plan)
    _table_functions(session, plan, tree, [])
    targets = _targets(session, plan)
    for table in list(plan.tree.find_all(exp.Table)):
        if id(table) not in targets:
            _read(session, plan, table)
    _unqualify_columns(plan)
    keep_used_binds(plan)
    return plan


def _unqualify_columns(plan: Plan) -> None:
    """A table's alias is its own name, so schema.table.column becomes table.column, if the statement has that table."""
    tables = {
        (database, schema.split("$")[0], temporaries.plain(name))
        for database, schema, name in {*plan.reads, *plan.writes}
    }
    tables |= {(database, *stream.partition(".")[::2]) for database, stream in plan.streams}
    for column in plan.tree.find_all(exp.Column):
        if not column.args.get("db") or isinstance(column.this, exp.Star):
            continue
        database, schema, table = (
            column.args.get(part) and fold(column.args[part]) for part in ("catalog", "db", "table")
        )
        if schema != "INFORMATION_SCHEMA" and not any(
            found[1:] == (schema, table) and database in (None, found[0]) for found in tables
        ):
            written = ".".join(filter(None, (database, schema, table, fold(column.this))))
            raise compilation(904, f"error line 1 at position 0\ninvalid identifier '{written}'")
        column.set("db", None)
        column.set("catalog", None)


def keep_used_binds(plan: Plan) -> None:
    """Numbers the binds anew, without those that went with a table function's input: DuckDB refuses binds that a statement does not read."""
    marks = list(plan.tree.find_all(exp.Placeholder))
    numbers = sorted({_number(mark) for mark in marks})
    if numbers and numbers[-1] > len(plan.binds):
        raise SqlError(2049, f"SQL compilation error: Bind variable :{numbers[-1]} not set.")
    for mark in marks:
        mark.set("this", str(numbers.index(_number(mark)) + 1))
    plan.binds = [plan.binds[number - 1] for number in numbers]


def _number(mark: exp.Placeholder) -> int:
    if not mark.name.isdigit():
        raise compilation(2049, f"Bind variable :{mark.name} not set.")
    return int(mark.name)


def literal(value: Any) -> exp.Expression:
    """A Python value as a typed SQL literal."""
    if value is None:
        return exp.Null()
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, float):  # a bare 1.5 would be a NUMBER
        return exp.cast(exp.Literal.string(str(value)), "DOUBLE")
    if isinstance(value, int | Decimal):
        return exp.Literal.number(str(value)) if value >= 0 else exp.Neg(this=exp.Literal.number(str(-value)))
    if isinstance(value, datetime):
        return exp.cast(
            exp.Literal.string(value.isoformat(sep=" ")), "TIMESTAMPLTZ" if value.tzinfo else "TIMESTAMPNTZ"
        )
    if isinstance(value, date | time):
        return exp.cast(exp.Literal.string(value.isoformat()), "DATE" if isinstance(value, date) else "TIME")
    return exp.Literal.string(str(value))


def register(plan: Plan, relation: pyarrow.Table, alias: exp.Expression | None, default: str) -> exp.Table:
    """An Arrow table under a name that the statement can read."""
    # The same for the same statement over the same columns, so that the engine knows it again.
    name = f"_RELATION_{len(plan.relations)}_{zlib.crc32(str(relation.schema).encode()):08X}"
    plan.relations[name] = relation
    alias = alias.copy() if alias else exp.TableAlias(this=exp.to_identifier(default, quoted=True))
    return exp.Table(this=exp.to_identifier(name, quoted=True), alias=alias)


def _literals(session: Session, plan: Plan) -> None:
    for node in list(plan.tree.find_all(exp.Parameter, exp.SessionParameter, exp.Anonymous)):
        if isinstance(node, exp.Parameter | exp.SessionParameter):
            if isinstance(node.this, exp.Literal):
                continue  # $1: a column of VALUES or of a staged file
            name = node.name.upper()
            if name not in session.variables:
                raise SqlError(
                    2043,
                    f"SQL compilation error: error line 1 at position 0\nSession variable '${name}' does not exist",
                    "02000",
                )
            node.replace(literal(session.variables[name]))
        elif isinstance(node, exp.Anonymous):
            name = str(node.this).upper()
            if session.application and name in rules.FORBIDDEN_FUNCTIONS:
                raise SqlError(2140, f"SQL compilation error: {rules.forbidden(name)}", "0A000")
            if function := system.FUNCTIONS.get(name):
                arguments = [_constant(session, argument, plan.binds) for argument in node.expressions]
                value = literal(function(session, *arguments))
                if isinstance(node.parent, exp.Select) and node.arg_key == "expressions":
                    value = exp.alias_(value, node.sql("snowflake").upper(), quoted=True)
                node.replace(value)
            elif name.startswith("SYSTEM$"):
                raise SqlError(
                    2140,
                    f"SQL compilation error: Unknown function {name} (the local account does not have it).",
                    "42601",
                )
    if session.application:
        for node in plan.tree.find_all(exp.Func):
            if (name := node.sql_name()) in rules.FORBIDDEN_FUNCTIONS:
                raise SqlError(2140, f"SQL compilation error: {rules.forbidden(name)}", "0A000")


def _constant(session: Session, argument: exp.Expression, binds: list[Any]) -> Any:
    """The value of a function's constant argument."""
    if isinstance(argument, exp.Placeholder):
        return binds[_number(argument) - 1]
    if isinstance(argument, exp.Literal | exp.Null | exp.Boolean):
        return argument.to_py()
    return evaluate(session, exp.select(argument.copy()), binds).table.column(0)[0].as_py()


def evaluate(session: Session, tree: exp.Expression, binds: list[Any]) -> engine.Result:
    """What a query gives that stands inside another statement, read with the session's rights."""
    plan = resolve(session, tree, binds)
    for name in plan.reads:
        access.require(session, "SELECT", "TABLE", *name)
    return engine.run(
        session.cursor,
        plan.tree,
        plan.binds,
        context(session),
        in_transaction=session.transaction.open,
        tables=plan.relations,
    )


def context(session: Session) -> engine.Context:
    """What the context functions answer in this session; inside an application nobody's name is known."""
    hidden = bool(session.application)
    return engine.Context(
        now=session.account.clock.now(),
        values={
            "current_role": None if hidden else session.role,
            "current_user": None if hidden else session.user,
            "current_session": None if hidden else str(session.number),
            "current_warehouse": session.warehouse,
            "current_database": session.database,
            "current_schema": session.schema,
            "current_account": system.ACCOUNT_LOCATOR,
            "current_account_name": system.ACCOUNT_NAME,
            "current_organization_name": system.ORGANIZATION_NAME,
            "current_region": system.REGION,
            "current_version": system.VERSION,
            "current_secondary_roles": '{"roles":"","value":""}',
            "current_transaction": str(session.transaction.number) if session.transaction.open else None,
        },
        timezone=str(session.parameters.get("TIMEZONE", "UTC")),
    )


# tables -----------------------------------------------------------------------------------------------------------


def _targets(session: Session, plan: Plan) -> set[int]:
    """Qualifies the tables that the statement writes or defines; their nodes' ids."""
    tree = plan.tree
    privileges: list[tuple[exp.Expression | None, str]] = []
    match tree:
        case exp.Insert():
            privileges.append((tree.this, "INSERT"))
            if tree.args.get("overwrite"):
                privileges.append((tree.this, "DELETE"))
        case exp.Update():
            privileges.append((tree.this, "UPDATE"))
        case exp.Delete():
            privileges.append((tree.this, "DELETE"))
        case exp.Merge():
            wanted = {
                "INSERT"
                if isinstance(when.args["then"], exp.Insert)
                else "UPDATE"
                if isinstance(when.args["then"], exp.Update)
                else "DELETE"
                for when in tree.args["whens"].expressions
            }
            privileges += [(tree.this, privilege) for privilege in sorted(wanted)]
        case exp.TruncateTable():
            privileges += [(table, "TRUNCATE") for table in tree.expressions]
        case exp.Drop():
            if len(tree.args["tables"]) > 1:
                raise syntax_error("DROP names one object.")
            privileges.append((tree.args["tables"][0], "OWNERSHIP"))
        case exp.Comment() if isinstance(tree.this, exp.Column):
            column = tree.this
            tree.set("column", column.this)
            tree.set(
                "this",
                exp.Table(this=column.args["table"], db=column.args.get("db"), catalog=column.args.get("catalog")),
            )
            privileges.append((tree.this, "OWNERSHIP"))
        case exp.Create() | exp.Alter() | exp.Comment():
            privileges.append((tree.this, "OWNERSHIP"))
    # The new name of ALTER TABLE .. RENAME TO is no table yet.
    found = {id(table) for rename in tree.find_all(exp.AlterRename) for table in rename.find_all(exp.Table)}
    for node, privilege in privileges:
        table = node.this if isinstance(node, exp.Schema) else node
        if not isinstance(table, exp.Table):
            continue
        if id(table) not in found:
            written = fold(table.this)
            name = _qualify(session, table)
            found.add(id(table))
            if not isinstance(tree, exp.Create | exp.Drop):
                require_case(session, name)
            if name[2] != written and isinstance(tree, exp.Update | exp.Delete | exp.Merge) and not table.alias:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(written, quoted=True)))
            if privilege in ("UPDATE", "DELETE", "INSERT") and streams.is_stream(session.account, name):
                raise SqlError(
                    2003, f"SQL compilation error: '{name[2]}' is a stream: it can be read, not written.", "02000"
                )
        else:
            name = (table.catalog, table.db, table.name)
        plan.writes.setdefault(name, set()).add(privilege)
    return found


def _read(session: Session, plan: Plan, table: exp.Table) -> None:
    if table.meta.get("physical"):
        return  # the body of a function, resolved with its owner's rights
    if not isinstance(table.this, exp.Identifier):
        if isinstance(table.this, exp.Var | exp.Literal) and str(table.this.this).startswith("@"):
            raise unsupported("SELECT from a stage")
        return  # flatten, generator, values: the engine's
    if table.name.startswith("_RELATION_") or (not table.db and _is_cte(table)):
        return
    if table.args.get("when"):
        raise unsupported("time travel (AT, BEFORE)")
    schema = table.args["db"].name if table.args.get("db") else ""
    if schema.upper() == "INFORMATION_SCHEMA":
        from local_account import information_schema

        database = (
            fold(table.args["catalog"])
            if table.args.get("catalog")
            else session.account.current_database(session, "INFORMATION_SCHEMA")
        )
        relation = information_schema.view(session, database, table.name.upper())
        table.replace(register(plan, relation, table.args.get("alias"), table.name.upper()))
        return
    original = fold(table.this)
    if original == "DUAL" and not schema:
        alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier("DUAL", quoted=True))
        table.replace(exp.Subquery(this=exp.select("null as dummy"), alias=alias))
        return
    name = _qualify(session, table)
    if not table.args.get("alias"):
        table.set("alias", exp.TableAlias(this=exp.to_identifier(original, quoted=True)))
    if streams.is_stream(session.account, name):
        access.require(session, "SELECT", "STREAM", *name)
        plan.streams.add((name[0], f"{name[1]}.{name[2]}"))
        table.replace(streams.as_query(session, name, table.args["alias"]))
        return
    require_case(session, name)
    plan.reads.add(name)
    views.require_unchanged(session, name)
    if streams.is_tracked(session.account, name) and not isinstance(table.parent, exp.Clone | exp.LikeProperty):
        table.replace(streams.without_bookkeeping(session.account, name, table))


def _is_cte(table: exp.Table) -> bool:
    """Whether a WITH that is in sight has given the name: one does not see itself, unless it is recursive, nor what comes after it."""
    name, node, within = table.name.upper(), table.parent, None
    while node is not None:
        if isinstance(node, exp.CTE):
            within = node
        for cte in node.args["with_"].expressions if node.args.get("with_") else ():
            is_own = cte is within
            is_recursive = node.args["with_"].args.get("recursive") and isinstance(cte.this, exp.Union)
            if cte.alias.upper() == name and (not is_own or is_recursive):
                return True
            if is_own:
                break
        node = node.parent
    return False


def fold(identifier: exp.Expression) -> str:
    """An identifier's name: in upper case unless it is quoted."""
    return identifier.name if identifier.args.get("quoted") else identifier.name.upper()


def _qualify(session: Session, table: exp.Table) -> Name:
    path = [fold(part) for part in (table.args.get("catalog"), table.args.get("db"), table.this) if part]
    name = session.account.qualify(session, path, "table")
    for key, part in zip(("catalog", "db", "this"), name, strict=True):
        table.set(key, exp.to_identifier(part, quoted=True))
    _require_schema(session, name)
    return name


def require_case(session: Session, name: Name) -> None:
    """Raises where DuckDB would take a table whose name differs only in case."""
    database, schema, table = name
    if temporaries.plain(table) != table:
        return
    document = session.account.catalogue.get("cased", database, schema, table.upper())
    if document["name"] != table if document else table != table.upper():
        raise access.not_found(session, "OBJECT", *name)


def _require_schema(session: Session, name: Name) -> None:
    database, schema, _ = name
    logical = schema.split("$")[0]
    if not session.account.database(database):
        raise missing("Database", database)
    if not session.account.catalogue.get("schema", database, "", logical):
        raise (
            missing("Schema", f"{database}.{logical}")
            if access.sees(session, database)
            else missing("Database", database)
        )


# table functions --------------------------------------------------------------------------------------------------


def _table_functions(session: Session, plan: Plan, node: exp.Expression, ctes: list[exp.CTE]) -> None:
    """Replaces table(f(..)) of the account's own functions by their rows, inner queries first."""
    with_ = node.args.get("with_")
    if with_:
        for cte in with_.expressions:
            _table_functions(session, plan, cte.this, ctes)
            ctes = [*ctes, cte]
    children = [child for key, child in node.args.items() if key != "with_"]
    for child in itertools.chain.from_iterable(c if isinstance(c, list) else [c] for c in children):
        if isinstance(child, exp.Expression):
            _table_functions(session, plan, child, ctes)
    if isinstance(node, exp.TableFromRows):
        call = node.this.this if isinstance(node.this, exp.Window) else node.this
        if isinstance(call, (exp.Dot, exp.Anonymous)):
            from local_account import functions

            functions.replace_table_function(session, plan, node, ctes)
