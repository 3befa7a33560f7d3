"""Procedures and functions: creating, finding, calling."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from local_account import access, blocks, declared, engine, events, handlers, names, reply, scripting, signatures, types
from local_account.errors import SqlError, syntax_error, unsupported
from local_account.rewrites import kinds, understood
from local_account.session import Frame
from local_account.syntax import split_path, strip_comments

if TYPE_CHECKING:
    from local_account.engine import Result
    from local_account.names import Name
    from local_account.session import Session
    from local_account.syntax import Match

SHOWN = (
    "created_on name schema_name is_builtin is_aggregate is_ansi min_num_arguments max_num_arguments arguments description catalog_name "
    "is_table_function valid_for_clustering is_secure"
)


# creating ---------------------------------------------------------------------------------------------------------


def create_procedure(session: Session, match: Match) -> Result:
    return _create(session, match, "PROCEDURE")


def create_function(session: Session, match: Match) -> Result:
    return _create(session, match, "FUNCTION")


def _create(session: Session, match: Match, kind: str) -> Result:
    account = session.account
    database, schema, name = account.qualify(session, match.path(), kind.lower())
    signature = signatures.parse(match.raw("rest"), name)
    key = signature.key(name)
    if not account.catalogue.get("schema", database, "", schema.split("$")[0]):
        raise access.not_found(session, "SCHEMA", database, "", schema)
    access.require_creation(session, kind, database, schema)
    if signature.rights != "OWNER":
        raise SqlError(2, f"Unsupported feature 'EXECUTE AS {signature.rights}' of the local account ({name}).")
    if signature.language == "PYTHON":
        handlers.check_packages(signature.packages, procedure=kind == "PROCEDURE")
    existing = account.catalogue.get(kind.lower(), database, schema, key)
    if existing and match.has("if not exists"):
        return reply.status(f"{name} already exists, statement succeeded.")
    if existing and not match.has("or replace"):
        raise reply.exists(name)
    if existing:
        access.require(session, "OWNERSHIP", kind, database, schema, key)
    _refuse_ambiguous(session, kind, (database, schema, name), signature, key)
    imports = _imports(session, signature, schema, name)
    document = dataclasses.asdict(signature) | {
        "imports_dir": str(imports) if imports else None,
        "owner": session.application or session.role,
        "created_on": account.clock.now().isoformat(),
    }
    if signature.language == "SQL":
        _require_compiling(session, kind, (database, schema, name), key, document)
    with account.change(database, session) as change:
        change.delete(kind.lower(), schema, key)  # with its grants, which CREATE OR REPLACE drops
        change.put(kind.lower(), schema, key, document)
    return reply.status(f"{kind.capitalize()} {name} successfully created.")


def _require_compiling(session: Session, kind: str, name: Name, key: str, document: dict[str, Any]) -> None:
    """A function's body is compiled when it is made; of a procedure's only the syntax, as what it names may come later."""
    from local_account import calls

    try:
        if kind == "FUNCTION":
            calls.require_compiling(session, name, key, document)
        else:
            require_syntax(document)
    except SqlError as error:
        if error.errno != 2:  # what only this account lacks waits for the call
            raise


def require_syntax(document: dict[str, Any]) -> None:
    """Raises SqlError for the body of an SQL procedure that cannot be read."""
    from local_account.statements import require_readable

    try:
        require_readable(_block(document), tuple(argument["name"].upper() for argument in document["arguments"]))
    except SqlError as error:
        if error.errno == 1003:
            raise


def _refuse_ambiguous(session: Session, kind: str, name: Name, signature: signatures.Signature, key: str) -> None:
    """A procedure with optional arguments cannot be overloaded (developer-guide/udf-stored-procedure-arguments)."""
    for other, document in overloads(session, kind, name):
        optional = [
            argument for argument in signature.arguments + document["arguments"] if argument["default"] is not None
        ]
        if other != key and optional:
            raise SqlError(
                1_042,
                f"SQL compilation error: ambiguous overloading of {name[2]}: {other} and {key}, one of them with optional arguments.",
            )


def _imports(session: Session, signature: signatures.Signature, schema: str, name: str) -> Path | None:
    if not signature.imports:
        return None
    frame = session.frame
    if not frame or not frame.application or not frame.snapshot:
        raise SqlError(2, f"Unsupported feature 'IMPORTS outside an application' of the local account ({name}).")
    if "$" not in schema:
        raise SqlError(93_203, f"{name}: code with IMPORTS can stand only in a versioned schema (rule SCH-04).")
    paths = imported_files(frame.snapshot, signature.imports, name)
    return handlers.stage_imports(paths, session.account.directory / "imports")


def imported_files(root: Path, imports: list[str], name: str) -> list[Path]:
    """The files of IMPORTS below an application's root."""
    paths = []
    for written in imports:
        if not written.startswith("/") or written.startswith("//") or ".." in written.split("/"):
            raise SqlError(
                93_204,
                f"{name}: the import '{written}' must start with one '/' (the application's root) and stay below it (rule PY-06).",
            )
        path = root / written.lstrip("/")
        if not blocks.is_exact_file(path):
            raise SqlError(
                93_009,
                f"{name}: the file '{written}' of IMPORTS is not on the stage (paths are case-sensitive; rule PY-06).",
            )
        paths.append(path)
    return paths


def drop_procedure(session: Session, match: Match) -> Result:
    return _drop(session, match, "PROCEDURE")


def drop_function(session: Session, match: Match) -> Result:
    return _drop(session, match, "FUNCTION")


def _drop(session: Session, match: Match, kind: str) -> Result:
    try:
        database, schema, key = find_signature(session, kind, match.raw("on"))
    except SqlError:
        if match.has("if exists"):
            return reply.status(f"Drop statement executed successfully ({match.raw('on')} already dropped).")
        raise
    access.require(session, "OWNERSHIP", kind, database, schema, key)
    with session.account.change(database, session) as change:
        change.delete(kind.lower(), schema, key)
    return reply.status(f"{key.split('(')[0]} successfully dropped.")


# finding ----------------------------------------------------------------------------------------------------------


def find_signature(session: Session, kind: str, written: str) -> Name:
    """(database, physical schema, key) of 'core.p(number, varchar)'."""
    path, parenthesis, arguments = written.partition("(")
    if not parenthesis:
        raise syntax_error(f"{kind} {written} is named with its argument types: {written}(NUMBER, VARCHAR).")
    database, schema, name = session.account.qualify(session, split_path(path), kind.lower())
    inner = arguments.rstrip().removesuffix(")").strip()
    key = f"{name}({', '.join(declared.canonical(part) for part in split_types(inner))})"
    if session.account.catalogue.get(kind.lower(), database, schema, key) is None:
        failure = access.not_found(session, kind, database, schema, key)
        there = ", ".join(other for other, _ in overloads(session, kind, (database, schema, name)))
        failure.message += f" There is: {there}." if there and session.application else ""
        raise failure
    return database, schema, key


def split_types(text: str) -> list[str]:
    parts, depth, current = [], 0, ""
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += character
    return [part.strip() for part in [*parts, current] if part.strip()]


def overloads(session: Session, kind: str, name: Name) -> list[tuple[str, dict[str, Any]]]:
    database, schema, bare = name
    found = session.account.catalogue.find(kind.lower(), database, schema)
    return [(key.name, document) for key, document in found if key.name.split("(")[0] == bare]


def choose(
    session: Session, kind: str, name: Name, positional: list[exp.Expression], named: dict[str, exp.Expression]
) -> tuple[str, dict[str, Any]]:
    """The overload that a call's arguments fit."""
    fitting, count = [], len(positional)
    for key, document in overloads(session, kind, name):
        names_in_order = [argument["name"] for argument in document["arguments"]]
        given = {*names_in_order[:count], *named}
        required = {argument["name"] for argument in document["arguments"] if argument["default"] is None}
        if count <= len(names_in_order) and set(named) <= set(names_in_order[count:]) and required <= given:
            fitting.append((key, document))
    visible = [pair for pair in fitting if access.may(session, "USAGE", kind, name[0], name[1], pair[0])]
    schema_visible = (
        not access.is_application(session, name[0])
        or session.application == name[0]
        or access.may(session, "USAGE", "SCHEMA", name[0], "", name[1])
    )
    if not visible or not schema_visible:
        raise SqlError(
            2140,
            f"SQL compilation error: Unknown {'user-defined function' if kind == 'FUNCTION' else 'procedure'} {'.'.join((name[0], name[1].split('$')[0], name[2]))} with {count + len(named)} argument(s), or not authorized.",
            "42601",
        )
    if len(visible) == 1:
        return visible[0]
    exact = [pair for pair in visible if _has_types(pair[1], positional, named)]
    if len(exact) != 1:
        several = ", ".join(key for key, _ in visible)
        raise unsupported("a call whose arguments' types do not tell the overload", f"{several}: cast the arguments")
    return exact[0]


def _has_types(document: dict[str, Any], positional: list[exp.Expression], named: dict[str, exp.Expression]) -> bool:
    """Whether a call's arguments are of the parameters' types, as far as those can be told without their tables."""
    for place, parameter in enumerate(document["arguments"]):
        value = positional[place] if place < len(positional) else named.get(parameter["name"])
        if value is None:
            continue
        # 1e2 is a FLOAT, which only its text shows.
        is_float = any("e" in one.name.lower() for one in value.find_all(exp.Literal) if not one.is_string)
        declared_kind = kinds.kind_of_type(exp.DataType.build(parameter["type"], dialect="snowflake"))
        if is_float or kinds.kind(understood(value.copy())) != declared_kind:
            return False
    return True


def by_place_and_name(
    name: Name, arguments: list[exp.Expression]
) -> tuple[list[exp.Expression], dict[str, exp.Expression]]:
    """The arguments of a call: those by position, and those that are named."""
    positional = [argument for argument in arguments if not isinstance(argument, exp.Kwarg)]
    named = {}
    for argument in arguments[len(positional) :]:
        if not isinstance(argument, exp.Kwarg):
            raise syntax_error(f"{name[2]}: an argument by position follows one that is named.")
        if (written := str(argument.this.name).upper()) in named:
            raise syntax_error(f"{name[2]}: argument {written} is given twice.")
        named[written] = argument.expression
    return positional, named


# calling ----------------------------------------------------------------------------------------------------------


def call(session: Session, match: Match) -> Result:
    """CALL path(arguments), positional or named."""
    from local_account import queries, system

    rest = strip_comments(match.raw("rest"))
    if "!" in rest.split("(")[0]:
        raise unsupported("the methods of an instance (!)")
    if not rest:
        raise syntax_error("CALL needs a procedure with its arguments in parentheses.")
    tree = engine.parse(f"select {rest}")
    others = [name for name, value in tree.args.items() if value and name != "expressions"]
    # The parser quotes the name that it gives a column itself.
    alias = tree.expressions[0].args.get("alias")
    if others or len(tree.expressions) != 1 or (alias and not alias.args.get("quoted")):
        raise syntax_error(f"CALL needs a procedure with its arguments in parentheses, found '{rest[:60]}'.")
    path, arguments = _called(tree.expressions[0].unalias(), rest)
    if len(path) == 1 and path[0] in system.FUNCTIONS:
        return queries.run(session, f"select {rest}", match.binds)
    name = session.account.qualify(session, path, "procedure")
    if len(path) == 1 and path[0].startswith("SYSTEM$"):
        raise unsupported(path[0])
    positional, named = by_place_and_name(name, arguments)
    key, document = choose(session, "PROCEDURE", name, positional, named)
    values = _argument_values(session, document, positional, named, match.binds)
    return run(session, name, key, document, values)


def _called(node: exp.Expression, text: str) -> tuple[list[str], list[exp.Expression]]:
    path: list[str] = []
    while isinstance(node, exp.Dot):
        path += (
            split_path(node.this.sql("snowflake")) if not isinstance(node.this, exp.Dot) else _called_prefix(node.this)
        )
        node = node.expression
    if not isinstance(node, exp.Func):
        raise syntax_error(f"CALL needs a procedure with its arguments in parentheses, found '{text[:60]}'.")
    if not isinstance(node, exp.Anonymous):  # a procedure that bears the name of a function that the parser knows
        return [*path, node.sql_name().upper()], [
            value for value in node.args.values() if isinstance(value, exp.Expression)
        ] + node.expressions
    return [*path, str(node.this).upper()], node.expressions


def _called_prefix(node: exp.Expression) -> list[str]:
    return split_path(node.sql("snowflake"))


def _argument_values(
    session: Session,
    document: dict[str, Any],
    positional: list[exp.Expression],
    named: dict[str, exp.Expression],
    binds: list[Any],
) -> list[Any]:
    """The arguments' values, cast to their declared types; what is not given takes its default."""
    parameters = document["arguments"]
    if not parameters:
        return []
    columns = [declared.column(argument["name"], argument["type"]) for argument in parameters]
    expressions = []
    for place, argument in enumerate(parameters):
        given = positional[place] if place < len(positional) else named.get(argument["name"])
        if given is None:
            given = engine.parse(f"select {argument['default']}").expressions[0].unalias()
        if declared.canonical(argument["type"]) in ("VARIANT", "OBJECT", "ARRAY"):
            value = kinds.call("sf_into_variant", given.copy())
        else:
            value = exp.cast(given.copy(), exp.DataType.build(argument["type"], dialect="snowflake"))
        expressions.append(exp.alias_(value, f"A{place}", quoted=True))
    result = names.evaluate(session, exp.select(*expressions), binds)
    row = [column[0].as_py() for column in result.table.columns]
    return [declared.from_arrow(column, value) for column, value in zip(columns, row, strict=True)]


def run(session: Session, name: Name, key: str, document: dict[str, Any], values: list[Any]) -> Result:
    """Runs a procedure with its owner's rights, in the caller's transaction."""
    database, schema, bare = name
    frame = frame_of(session, name, document, f"procedure {schema.split('$')[0]}.{bare}")
    inner = session.nested(frame)
    telemetry = inner.telemetry = events.Telemetry(inner, frame, key, "PROCEDURE")
    running = (database, frame.generation, id(inner))
    session.account.running.add(running)
    try:
        with telemetry.span():
            returned = (
                _run_sql(inner, document, values)
                if document["language"] == "SQL"
                else _run_python(inner, key, document, values, telemetry.log)
            )
    except BaseException:
        inner.abandon_scope()
        raise
    finally:
        session.account.running.discard(running)
    inner.end_scope()
    if document["table"] is not None:
        return _as_table(returned, document, bare)
    if not isinstance(returned, engine.Result):
        returned = blocks.to_result(returned, bare, document["returns"])
    return returned


def frame_of(session: Session, name: Name, document: dict[str, Any], what: str) -> Frame:
    """Whose code a procedure or function is, and where its names are looked up."""
    database, schema, _ = name
    is_application = access.is_application(session, database)
    return Frame(
        what=what,
        database=database,
        schema=schema.split("$")[0],
        application=database if is_application else None,
        generation=int(schema.rpartition("$")[2]) if "$" in schema else _generation(session, database),
        role=None if is_application else document["owner"],
        snapshot=Path(snapshot) if (snapshot := _snapshot(session, database)) else None,
    )


def _generation(session: Session, database: str) -> int:
    frame = session.frame
    if frame and frame.application == database:
        return frame.generation
    return (session.account.database(database) or {}).get("generation", 0)


def _snapshot(session: Session, database: str) -> str | None:
    frame = session.frame
    if frame and frame.application == database and frame.snapshot:
        return str(frame.snapshot)
    return (session.account.database(database) or {}).get("snapshot")


def _block(document: dict[str, Any]) -> str:
    body = document["body"]  # as written: the interpreter counts lines from its first character
    if scripting.is_block(body):
        return body
    body = strip_comments(body)
    return f"begin return table({body}); end" if document["table"] is not None else f"begin {body}; end"


def _run_sql(inner: Session, document: dict[str, Any], values: list[Any]) -> Any:
    arguments = {argument["name"]: value for argument, value in zip(document["arguments"], values, strict=True)}
    declared_types = {argument["name"]: argument["type"] for argument in document["arguments"]}
    returns = document["returns"] if document["table"] is None else None
    return scripting.run_block(_block(document), arguments, blocks.Host(inner), declared_types, returns)


def _run_python(inner: Session, key: str, document: dict[str, Any], values: list[Any], log: handlers.Log) -> Any:
    account = inner.account
    host, port = account.address
    login: dict[str, Any] = {
        "host": host,
        "port": port,
        "password": account.ticket(inner),
        "user": "LOCAL",
        "account": "local",
        "protocol": "http",
    }
    try:
        seconds = inner.deadline.seconds_left() if inner.deadline else handlers.PROCEDURE_SECONDS
        handler = handler_of(key, document)
        returns = "table" if document["table"] is not None else declared.column(key, document["returns"]).type
        return account.pool.call_procedure(handler, values, login, returns, seconds=seconds, log=log)
    finally:
        account.tickets.pop(login["password"], None)
        inner.has_ended = True


def handler_of(key: str, document: dict[str, Any]) -> handlers.Handler:
    return handlers.Handler(
        name=key.split("(")[0],
        imports_dir=Path(document["imports_dir"]) if document["imports_dir"] else None,
        inline_source=document["body"],
        handler=document["handler"],
        packages=tuple(document["packages"]),
        runtime=document["runtime"],
    )


def _as_table(returned: Any, document: dict[str, Any], name: str) -> Result:
    """The rows of a procedure that RETURNS TABLE, under its declared names and types."""
    if isinstance(returned, handlers.Rows):
        result = engine.Result(returned.columns, returned.table, returned.table.num_rows, "select")
    elif isinstance(returned, engine.Result):
        result = returned
    elif getattr(returned, "table", None) is not None:
        result = returned.table.result
    else:
        raise SqlError(100_357, f"{name}: declared RETURNS TABLE, but it returned no table.", "P0000")
    promised = document["table"]
    if not promised:
        return dataclasses.replace(result, kind="select")
    if len(promised) != len(result.columns):
        raise SqlError(
            100_357,
            f"{name}: declared {len(promised)} columns ({', '.join(c for c, _ in promised)}), returned {len(result.columns)} ({', '.join(c.name for c in result.columns)}).",
            "P0000",
        )
    columns = [
        dataclasses.replace(column, name=declared_name)
        for column, (declared_name, _) in zip(result.columns, promised, strict=True)
    ]
    for column, (declared_name, declared_type) in zip(result.columns, promised, strict=True):
        wanted = declared.column(declared_name, declared_type).type
        if (
            wanted != column.type
            and not {wanted, column.type} <= {"variant", "object", "array"}
            and not _is_null(result, column)
        ):
            raise SqlError(
                100_357,
                f"{name}: column {declared_name} is declared {declared_type}, but the query gives {column.type} ({column.name}): cast it.",
                "P0000",
            )
    return dataclasses.replace(result, columns=columns, kind="select")


def _is_null(result: Result, column: Any) -> bool:
    position = next(i for i, other in enumerate(result.columns) if other is column)
    return result.table.column(position).null_count == result.table.num_rows


# looking ----------------------------------------------------------------------------------------------------------


def show_procedures(session: Session, match: Match) -> Result:
    return _show(session, match, "PROCEDURE")


def show_functions(session: Session, match: Match) -> Result:
    return _show(session, match, "FUNCTION")


def _show(session: Session, match: Match, kind: str) -> Result:
    rows = []
    for key, document in reply.visible(session, kind, match):
        name = key.name.split("(")[0]
        required = [argument for argument in document["arguments"] if argument["default"] is None]
        returns = "TABLE ()" if document["table"] is not None else declared.canonical(document["returns"])
        rows.append(
            {
                "created_on": datetime.fromisoformat(document["created_on"]),
                "name": name,
                "schema_name": key.schema.split("$")[0],
                "is_builtin": "N",
                "is_aggregate": "N",
                "is_ansi": "N",
                "min_num_arguments": len(required),
                "max_num_arguments": len(document["arguments"]),
                "arguments": f"{key.name} RETURN {returns}",
                "description": document["comment"] or f"user-defined {kind.lower()}",
                "catalog_name": key.database,
                "is_table_function": "Y" if document["table"] is not None else "N",
                "valid_for_clustering": "N",
                "is_secure": "N",
            }
        )
    return reply.rows(SHOWN, rows)


def describe_procedure(session: Session, match: Match) -> Result:
    return _describe(session, match, "PROCEDURE")


def describe_function(session: Session, match: Match) -> Result:
    return _describe(session, match, "FUNCTION")


def _shown_type(written: str) -> str:
    if written.upper().startswith("TABLE"):
        return written.upper()
    return types.canonical(exp.DataType.build(written, dialect="snowflake"))


def _describe(session: Session, match: Match, kind: str) -> Result:
    database, schema, key = find_signature(session, kind, match.raw("on"))
    access.require(session, "USAGE", kind, database, schema, key)
    document = session.account.catalogue.get(kind.lower(), database, schema, key) or {}
    shown = {
        "signature": f"({', '.join(argument['name'] + ' ' + declared.canonical(argument['type']) for argument in document['arguments'])})",
        "returns": _shown_type(document["returns"]),
        "language": document["language"],
        "execute as": document["rights"],
        "runtime_version": document["runtime"],
        "handler": document["handler"],
        "packages": json.dumps(document["packages"]),
        "imports": json.dumps(document["imports"]),
    }
    if session.application == database or not access.is_application(
        session, database
    ):  # an application's code is hidden from its consumer
        shown["body"] = document["body"]
    return reply.rows(
        "property value", [{"property": name, "value": value} for name, value in shown.items() if value is not None]
    )
