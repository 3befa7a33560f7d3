"""Scripting blocks, EXECUTE IMMEDIATE, and the files of a setup script."""

from __future__ import annotations

import dataclasses
import json
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow

from local_account import declared, reply, results, scripting
from local_account.engine import Result
from local_account.errors import SqlError, syntax_error, unsupported
from local_account.syntax import TEXT, unquote_text

if TYPE_CHECKING:
    from local_account.session import Session
    from local_account.syntax import Match

DEEPEST_NESTING = 5
LARGEST_FILE = 10_000_000
is_block = scripting.is_block


class Host:
    """What the interpreter asks of the account: one statement at a time, in the block's own session."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def execute(self, sql: str, binds: list[Any]) -> scripting.Rows:
        from local_account.statements import execute

        return to_rows(execute(self.session, sql, binds), self.session.query_id)


def to_rows(result: Result, query_id: str) -> scripting.Rows:
    """A result as the interpreter sees it; the result itself goes along, for RETURN TABLE."""
    parsed = [i for i, column in enumerate(result.columns) if column.type in declared.SEMI_STRUCTURED]
    values = results.python_rows(result)
    if parsed:
        values = [
            tuple(json.loads(value) if i in parsed and value is not None else value for i, value in enumerate(row))
            for row in values
        ]
    changed = result.rowcount if result.kind not in ("select", "ddl") else None
    rows = scripting.Rows([column.name for column in result.columns], values, changed, result.kind)
    rows.result, rows.query_id = result, query_id  # type: ignore[attr-defined]
    return rows


def run_anonymous(session: Session, text: str) -> Result:
    """A block that a person or a setup script writes: it runs with the session's own rights, once all of it could be read."""
    from local_account.statements import require_readable

    require_readable(text)
    return to_result(scripting.run_block(text, {}, Host(session), returns="VARCHAR"), "anonymous block")


def to_result(returned: Any, column: str, type_: str = "VARCHAR") -> Result:
    """What a block or procedure gave back, as rows."""
    if getattr(returned, "table", None) is not None:
        return dataclasses.replace(returned.table.result, kind="select")
    return value_result(getattr(returned, "value", returned), column, type_)


def value_result(value: Any, column: str, type_: str) -> Result:
    """One value under the procedure's name, in its declared type."""
    described = declared.column(column, type_)
    try:
        cell = pyarrow.array([declared.to_arrow_value(described, value)], type=declared.arrow_type(described))
    except (ArithmeticError, TypeError, ValueError):
        raise SqlError(100_357, f"{column}: returned {value!r}, which is no {type_}.", "P0000") from None
    return Result([described], pyarrow.table([cell], names=["c0"]), 1, "select")


_IMMEDIATE = re.compile(
    rf"({TEXT}|\$\$[\s\S]*?\$\$|\$\w+)\s*(?:using\s*\((\s*\$\w+\s*(?:,\s*\$\w+\s*)*)\))?", re.IGNORECASE
)


def execute_immediate(session: Session, match: Match) -> Result:
    """EXECUTE IMMEDIATE of a text or a session variable; outside a block USING can name session variables only."""
    from local_account.statements import execute

    written = match.raw("rest")
    found = _IMMEDIATE.fullmatch(written)
    if not found:
        raise unsupported("EXECUTE IMMEDIATE of an expression outside a block", f"'{written[:30]}'")
    text = found[1] if found[1].startswith(("'", "$$")) else None
    binds = [_variable(session, name.strip()) for name in found[2].split(",")] if found[2] else match.binds
    return execute(session, str(_variable(session, found[1])) if text is None else unquote_text(text), binds)


def _variable(session: Session, written: str) -> Any:
    name = written[1:].upper()
    if name not in session.variables:
        raise SqlError(2043, f"SQL compilation error: Session variable '${name}' does not exist", "02000")
    return session.variables[name]


# files ------------------------------------------------------------------------------------------------------------


def execute_file(session: Session, match: Match) -> Result:
    """EXECUTE IMMEDIATE FROM './file.sql' inside an application, or from @stage/file outside."""
    written = match.raw("rest")
    if written.startswith("@"):
        from local_account import stages

        path = stages.local_path(session, written)
        return run_file(session, path, written)
    if not written.startswith("'"):
        raise syntax_error(f"EXECUTE IMMEDIATE FROM takes a quoted path, found '{written}'.")
    relative = resolve_path(session, unquote_text(written))
    frame = session.frame
    assert frame and frame.snapshot
    session.frame = dataclasses.replace(frame, file=relative)
    try:
        return run_file(session, frame.snapshot / relative.lstrip("/"), relative)
    finally:
        session.frame = frame


def resolve_path(session: Session, written: str) -> str:
    """The path from the application's root ('/a/b.sql') of a path that a file writes."""
    frame = session.frame
    if not frame or not frame.snapshot:
        raise syntax_error("a relative path in EXECUTE IMMEDIATE FROM works only inside an application.")
    if not written.startswith("/") and not frame.is_setup:
        raise syntax_error(
            f"outside the setup script only paths like '/{written}' are allowed in EXECUTE IMMEDIATE FROM (rule SET-25)."
        )
    base = "/" if written.startswith("/") else posixpath.dirname(frame.file or "/setup.sql")
    resolved = posixpath.normpath(posixpath.join(base, written))
    if not resolved.startswith("/") or resolved.startswith("/.."):
        raise syntax_error(f"'{written}' leads out of the application's files (rule SET-23).")
    return resolved


def run_file(session: Session, path: Path, shown: str) -> Result:
    """Runs a file's statements in order; an error says file, line and statement. What ran before it stays done."""
    from local_account.statements import execute

    if not is_exact_file(path):
        raise SqlError(93_159, f"File '{shown}' is not in the stage (paths are case-sensitive; rule SET-21).")
    depth = getattr(session, "file_depth", 0) + 1
    if depth > DEEPEST_NESTING:
        raise SqlError(
            93_161, f"EXECUTE IMMEDIATE FROM '{shown}': nested deeper than {DEEPEST_NESTING} files (rule SET-24)."
        )
    session.file_depth = depth  # type: ignore[attr-defined]
    result = reply.status("Statement executed successfully.")
    try:
        statements = scripting.split(read_script(path, shown))
        if not statements:
            raise SqlError(900, f"SQL compilation error: Empty SQL statement: file '{shown}' holds none.")
        for statement in statements:
            try:
                result = execute(session, statement.text)
            except SqlError as error:
                if getattr(error, "located", False):
                    raise
                first = " ".join(statement.text.split())[:120]
                located = SqlError(
                    error.errno, f"{shown}, line {statement.line}: {error.message}\n  in: {first}", error.sqlstate
                )
                located.located = True  # type: ignore[attr-defined]
                raise located from error
        return result
    finally:
        session.file_depth = depth - 1  # type: ignore[attr-defined]


def read_script(path: Path, shown: str) -> str:
    if path.stat().st_size > LARGEST_FILE:
        raise SqlError(93_160, f"File '{shown}' is larger than 10 MB (rule SET-21).")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise SqlError(93_160, f"File '{shown}' is not UTF-8 (rule SET-21).") from None
    if text.lstrip().startswith("--!jinja"):
        raise SqlError(2, f"Unsupported feature 'Jinja template' of the local account ({shown}; rule SET-26).")
    return text


def is_exact_file(path: Path) -> bool:
    """Whether the file is there under exactly this spelling, also where the disk does not mind capitals."""
    return path.is_file() and path.name in {entry.name for entry in path.parent.iterdir()}
