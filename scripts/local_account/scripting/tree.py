"""What a parsed block consists of, and how each part runs. Runs share trees; all that changes stands in `Run`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol

from local_account.errors import SqlError, compilation
from local_account.scripting.lexing import place, split, tokenize
from local_account.scripting.values import Type, coerce, inferred_type, to_bind, to_literal


@dataclass
class Rows:
    """What a statement gives: Python's values (semi-structured ones parsed: dict, list, str ...).

    `rowcount` is how many rows a DML changed.
    """

    columns: list[str]
    rows: list[tuple]
    rowcount: int | None = None
    kind: str = "select"  # or insert, update, delete, merge, ddl ...


class Host(Protocol):
    """The session that a script runs in."""

    def execute(self, sql: str, binds: list[Any]) -> Rows:
        """Run one SQL statement, or the anonymous block that EXECUTE IMMEDIATE was given. Raises SqlError."""


@dataclass(eq=False)
class Variable:
    """A declared name. `kind` is value, row (of a FOR loop), resultset, cursor or exception.

    `detail` is a cursor's query or resultset, or an exception's (number, message).
    """

    name: str
    kind: str = "value"
    type: Type | None = None
    detail: Any = None


@dataclass(frozen=True)
class Field:
    """row.column"""

    row: Variable
    column: str


@dataclass(frozen=True)
class Constant:
    value: Any


ROWCOUNT, FOUND, NOTFOUND, ID = (Variable(name) for name in ("SQLROWCOUNT", "SQLFOUND", "SQLNOTFOUND", "SQLID"))
CODE, MESSAGE, STATE = (Variable(name) for name in ("SQLCODE", "SQLERRM", "SQLSTATE"))
GLOBALS = {variable.name: variable for variable in (ROWCOUNT, FOUND, NOTFOUND, ID, CODE, MESSAGE, STATE)}
ASKED = ("select ", " as V")  # what stands around an expression when the host is asked for its value
_DML = ("insert", "update", "delete", "merge", "copy")
_ONE_STATEMENT = "Multiple SQL statements in a single API call are not supported"
_CANCELLED = 604  # no handler may hold up a person who cancels

Place = tuple[int, int]


class Raised(Exception):
    """An exception on its way to a handler: STATEMENT_ERROR, EXPRESSION_ERROR or a declared one, and where it arose."""

    def __init__(self, kind: str | Variable, where: Place, error: SqlError) -> None:
        super().__init__(error.message)
        self.kind, self.where, self.error = kind, where, error

    def uncaught(self) -> SqlError:
        """As the caller of the script sees it."""
        name = self.kind.name if isinstance(self.kind, Variable) else self.kind
        (line, position), error = self.where, self.error
        message = f"Uncaught exception of type '{name}' on line {line} at position {position}"
        message += f" : {error.message}" if error.message else ""
        return SqlError(error.errno, message, error.sqlstate, transaction_lost=error.transaction_lost)


def _fault(message: str) -> SqlError:
    """A fault whose number Snowflake publishes nowhere."""
    return SqlError(2, message, "P0000")


@contextmanager
def _blaming(kind: str, where: Place) -> Iterator[None]:
    try:
        yield
    except SqlError as error:
        if error.errno == _CANCELLED:
            raise
        raise Raised(kind, where, error) from error


class Jump(Exception):
    """BREAK and CONTINUE on their way to the loop."""

    def __init__(self, is_break: bool, label: str | None) -> None:
        self.is_break, self.label = is_break, label


class Return(Exception):
    """RETURN on its way out of the script."""

    def __init__(self, value: Any = None, table: Rows | None = None) -> None:
        self.value, self.table = value, table


@dataclass
class Open:
    """An open cursor: its rows and how many were fetched."""

    rows: Rows
    fetched: int = 0

    def __iter__(self) -> Iterator[tuple]:
        while self.fetched < len(self.rows.rows):
            self.fetched += 1
            yield self.rows.rows[self.fetched - 1]


class Run:
    """One execution: the values of the variables, and the exception being handled."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.values: dict[Variable, Any] = {}
        self.types: dict[Variable, Type] = {}  # of variables that were declared without one
        self.handled: Raised | None = None

    def execute(self, sql: str, binds: list[Any] | None = None) -> Rows:
        """Run a statement of the script. A statement that is no DML leaves SQLROWCOUNT and its like NULL."""
        rows = self.host.execute(sql, binds or [])
        count = rows.rowcount if rows.kind in _DML else None
        found, not_found = (None, None) if count is None else (count > 0, count == 0)
        self.values |= {ROWCOUNT: count, FOUND: found, NOTFOUND: not_found, ID: getattr(rows, "query_id", None)}
        return rows

    def ask(self, expression: str, binds: list[Any] | None = None) -> Any:
        return self.host.execute(expression.join(ASKED), binds or []).rows[0][0]

    def read(self, operand: Variable | Field | Constant) -> Any:
        if isinstance(operand, Constant):
            return operand.value
        if isinstance(operand, Field):
            row = self.values[operand.row]
            if operand.column not in row:
                raise compilation(904, f"invalid identifier '{operand.row.name}.{operand.column}'")
            return row[operand.column]
        return self.values.get(operand)

    def literal(self, operand: Variable | Field | Constant) -> str:
        declared = self.types.get(operand, operand.type) if isinstance(operand, Variable) else None
        return to_literal(self.read(operand), declared)

    def assign(self, variable: Variable, value: Any) -> None:
        """Raises SqlError for a value that the variable's type cannot hold."""
        self.values[variable] = coerce(value, self.types.get(variable, variable.type), self.ask)

    def assign_row(self, targets: tuple[Variable, ...], row: tuple) -> None:
        if len(row) != len(targets):
            raise compilation(1003, f"INTO names {len(targets)} variables for {len(row)} columns.")
        for variable, value in zip(targets, row, strict=True):
            self.assign(variable, value)

    def body(self, nodes: list[Node]) -> None:
        for node in nodes:
            node.run(self)

    def bound(self, text: str, values: list[str]) -> str:
        """The text with literals in the place of its question marks."""
        pieces, done, left = [], 0, list(values)
        for token in tokenize(text):
            if token.key == "?":
                if not left:
                    line, position = place(text, token.start)
                    where = f"SQL compilation error: error line {line} at position {position}"
                    raise SqlError(2049, f"{where}\nBind variable ? not set.", "42601")
                pieces += [text[done : token.start], left.pop(0)]
                done = token.end
        return "".join(pieces) + text[done:]


class Node(Protocol):
    def run(self, run: Run) -> None: ...


class RowSource(Protocol):
    @property
    def where(self) -> Place: ...

    def rows(self, run: Run) -> Rows: ...


@dataclass(frozen=True)
class Template:
    """SQL text with the places of the variables in it."""

    pieces: tuple[str | Variable | Field | Constant, ...]

    def text(self, run: Run) -> str:
        return "".join(piece if isinstance(piece, str) else run.literal(piece) for piece in self.pieces)

    def ask(self, run: Run, execute: Callable[[str, list[Any]], Any]) -> Any:
        """Executes the text with its variables as binds, so that the host knows it again; where it needs literals, with those."""
        text, binds = "", []
        for piece in self.pieces:
            if isinstance(piece, str):
                text += piece
                continue
            declared = run.types.get(piece, piece.type) if isinstance(piece, Variable) else None
            place, *bound = to_bind(run.read(piece), declared) or (run.literal(piece),)
            text, binds = text + place, binds + bound
        try:
            return execute(text, binds)
        except SqlError as error:
            if not binds or error.errno not in _NEEDS_LITERALS:
                raise
            return execute(self.text(run), [])

    def defines_view_by_variables(self) -> bool:
        """Whether a view's definition reads variables; names that IDENTIFIER(:x) gives are none."""
        if not (isinstance(self.pieces[0], str) and _VIEW.match(self.pieces[0])):
            return False
        texts = [piece if isinstance(piece, str) else None for piece in self.pieces]
        return any(text is None and not _NAMES.search(before or "") for before, text in pairwise(texts))


_NEEDS_LITERALS = {2}  # Unsupported feature: nothing has run yet
_TAKES_BINDS = re.compile(r"\s*(select|with|insert|update|delete|merge|call)\b", re.IGNORECASE)
_VIEW = re.compile(
    r"create\s+(or\s+\w+\s+)?((local|global|scoped|temp|temporary|secure|recursive|materialized)\s+)*view\b",
    re.IGNORECASE,
)
_NAMES = re.compile(r"\b(identifier|table)\s*\(\s*\Z", re.IGNORECASE)
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "||": operator.add,
}
_SIGNS = {int: _OPERATORS.keys() - {"||"}, str: _OPERATORS.keys() - {"+", "-", "*"}}
QUICK = _OPERATORS.keys()


def _is_too_long(value: Any) -> bool:
    """Whether a number has more than the 38 digits of a NUMBER: SQL says what becomes of it."""
    return isinstance(value, int) and abs(value) >= 10**38


@dataclass(frozen=True)
class Expression:
    """An expression. `quick` is an operand, or two and a sign: these need no SQL, so that counting loops are fast."""

    template: Template
    where: Place
    quick: tuple = ()

    def value(self, run: Run) -> Any:
        with _blaming("EXPRESSION_ERROR", self.where):
            if len(self.quick) == 1:
                return run.read(self.quick[0])
            if self.quick:
                left, sign, right = run.read(self.quick[0]), self.quick[1], run.read(self.quick[2])
                signs = _SIGNS.get(type(left), ()) if type(left) is type(right) else ()
                if sign in signs and not _is_too_long(value := _OPERATORS[sign](left, right)):
                    return value
            return self.template.ask(run, run.ask)

    def is_true(self, run: Run) -> bool:
        value = self.value(run)
        with _blaming("EXPRESSION_ERROR", self.where):
            return coerce(value, Type("boolean", "boolean"), run.ask) is True

    def assign(self, run: Run, variable: Variable) -> None:
        value = self.value(run)
        with _blaming("EXPRESSION_ERROR", self.where):
            run.assign(variable, value)


@dataclass(frozen=True)
class Sql:
    """A statement for the host; `into` are the variables of SELECT .. INTO or CALL .. INTO."""

    template: Template
    where: Place
    into: tuple[Variable, ...] = ()

    def rows(self, run: Run) -> Rows:
        with _blaming("STATEMENT_ERROR", self.where):
            if self.template.defines_view_by_variables():
                raise compilation(2210, "Bind variables not allowed in view and UDF definitions.", "42601")
            if _TAKES_BINDS.match(self.template.pieces[0] if isinstance(self.template.pieces[0], str) else ""):
                return self.template.ask(run, run.execute)
            return run.execute(self.template.text(run))

    def run(self, run: Run) -> None:
        rows = self.rows(run)
        if not self.into:
            return
        with _blaming("STATEMENT_ERROR", self.where):
            if len(rows.rows) > 1:
                raise _fault(f"A SELECT INTO statement expects exactly 1 returned row, but got {len(rows.rows)}.")
            run.assign_row(self.into, rows.rows[0] if rows.rows else (None,) * len(self.into))


@dataclass(frozen=True)
class Immediate:
    """EXECUTE IMMEDIATE: the text of one statement, or of a block."""

    text: Expression
    using: tuple[Variable, ...]
    where: Place

    def rows(self, run: Run) -> Rows:
        with _blaming("STATEMENT_ERROR", self.where):
            text = self.text.value(run)
            if not isinstance(text, str) or not (statements := split(text)):
                raise compilation(1003, "EXECUTE IMMEDIATE expects the text of a statement.")
            if len(statements) > 1:
                raise SqlError(6, f"{_ONE_STATEMENT}; use one API call per statement instead.", "0A000")
            return run.execute(run.bound(statements[0].text, [run.literal(variable) for variable in self.using]))

    def run(self, run: Run) -> None:
        self.rows(run)


@dataclass(frozen=True)
class Held:
    """The rows that a resultset variable or an open cursor holds."""

    variable: Variable
    where: Place

    def rows(self, run: Run) -> Rows:
        with _blaming("EXPRESSION_ERROR", self.where):
            held = run.values.get(self.variable)
            if held is None:
                raise _fault(f"{self.variable.kind.capitalize()} '{self.variable.name}' has no rows yet.")
            return held.rows if isinstance(held, Open) else held


@dataclass(frozen=True)
class Assign:
    """DECLARE, LET and := of a value or of a resultset; a declaration without a value sets NULL."""

    variable: Variable
    source: Expression | RowSource | None
    is_declaration: bool = False

    def run(self, run: Run) -> None:
        if self.is_declaration:
            run.types.pop(self.variable, None)
        if self.source is None:
            run.values[self.variable] = None
        elif not isinstance(self.source, Expression):
            run.values[self.variable] = self.source.rows(run)
        else:
            self.source.assign(run, self.variable)
            value, is_untyped = run.values[self.variable], self.is_declaration and self.variable.type is None
            if is_untyped and (inferred := inferred_type(value)):
                run.types[self.variable] = inferred
                with _blaming("EXPRESSION_ERROR", self.source.where):
                    run.assign(self.variable, value)


@dataclass(frozen=True)
class If:
    """IF and the searched CASE."""

    branches: tuple[tuple[Expression, list[Node]], ...]
    otherwise: list[Node]

    def run(self, run: Run) -> None:
        run.body(next((body for condition, body in self.branches if condition.is_true(run)), self.otherwise))


@dataclass(frozen=True)
class Case:
    """CASE (subject) WHEN value THEN ..."""

    subject: Expression
    branches: tuple[tuple[Expression, list[Node]], ...]
    otherwise: list[Node]

    def run(self, run: Run) -> None:
        subject = Constant(self.subject.value(run))
        for candidate, body in self.branches:
            value = Constant(candidate.value(run))
            if Expression(Template((subject, " = ", value)), candidate.where, (subject, "=", value)).is_true(run):
                return run.body(body)
        return run.body(self.otherwise)


@dataclass(frozen=True)
class Loop:
    """LOOP, WHILE (`before`) and REPEAT (`until`)."""

    body: list[Node]
    label: str | None
    before: Expression | None = None
    until: Expression | None = None

    def run(self, run: Run) -> None:
        while self.before is None or self.before.is_true(run):
            if self.turn(run) or (self.until is not None and self.until.is_true(run)):
                return

    def turn(self, run: Run) -> bool:
        """Run the body once; True says that the loop is over."""
        try:
            run.body(self.body)
        except Jump as jump:
            if jump.label not in (None, self.label):
                raise
            return jump.is_break
        return False


_COUNTER = Type("number", "number(38, 0)")


@dataclass(frozen=True, kw_only=True)
class Count(Loop):
    """FOR i IN [REVERSE] a TO b"""

    counter: Variable
    bounds: tuple[Expression, Expression]
    reverse: bool = False

    def run(self, run: Run) -> None:
        bounds = []
        for bound in self.bounds:
            value = bound.value(run)
            with _blaming("EXPRESSION_ERROR", bound.where):
                if value is None:
                    raise _fault("A bound of a FOR loop is NULL.")
                bounds.append(coerce(value, _COUNTER, run.ask))
        numbers = range(bounds[0], bounds[1] + 1)
        for number in reversed(numbers) if self.reverse else numbers:
            run.values[self.counter] = number
            if self.turn(run):
                return


@dataclass(frozen=True, kw_only=True)
class Walk(Loop):
    """FOR row IN cursor or resultset"""

    row: Variable
    source: Held

    def run(self, run: Run) -> None:
        variable = self.source.variable
        opened_here = variable.kind == "cursor" and run.values.get(variable) is None
        if opened_here:
            OpenCursor(variable, (), self.source.where).run(run)
        rows = self.source.rows(run)
        try:
            for row in run.values[variable] if variable.kind == "cursor" else rows.rows:
                run.values[self.row] = dict(zip(rows.columns, row, strict=True))
                if self.turn(run):
                    return
        finally:
            if opened_here:
                run.values[variable] = None


@dataclass(frozen=True)
class JumpTo:
    is_break: bool
    label: str | None

    def run(self, run: Run) -> None:
        raise Jump(self.is_break, self.label)


@dataclass(frozen=True)
class ReturnValue:
    source: Expression | RowSource

    def run(self, run: Run) -> None:
        if isinstance(self.source, Expression):
            raise Return(self.source.value(run))
        raise Return(table=self.source.rows(run))


@dataclass(frozen=True)
class Raise:
    """RAISE an exception, or the one being handled again."""

    exception: Variable | None
    where: Place

    def run(self, run: Run) -> None:
        if self.exception is None:
            assert run.handled  # the parser lets a bare RAISE stand in handlers only
            raise run.handled
        code, message = self.exception.detail
        raise Raised(self.exception, self.where, SqlError(code, message, "P0001"))


@dataclass(frozen=True)
class OpenCursor:
    cursor: Variable
    using: tuple[Variable, ...]
    where: Place

    def run(self, run: Run) -> None:
        source = self.cursor.detail
        with _blaming("STATEMENT_ERROR", self.where):
            if isinstance(source, Template):
                rows = run.execute(run.bound(source.text(run), [run.literal(variable) for variable in self.using]))
            else:
                rows = Held(source, self.where).rows(run)
            run.values[self.cursor] = Open(rows)


@dataclass(frozen=True)
class Fetch:
    """FETCH .. INTO; after the last row the variables become NULL."""

    cursor: Variable
    into: tuple[Variable, ...]
    where: Place

    def run(self, run: Run) -> None:
        with _blaming("STATEMENT_ERROR", self.where):
            cursor = run.values.get(self.cursor)
            if cursor is None:
                raise _fault(f"Cursor '{self.cursor.name}' is not open.")
            run.assign_row(self.into, next(iter(cursor), (None,) * len(self.into)))


@dataclass(frozen=True)
class Close:
    cursor: Variable

    def run(self, run: Run) -> None:
        run.values[self.cursor] = None


@dataclass(frozen=True)
class Nothing:
    def run(self, run: Run) -> None:
        pass


@dataclass(frozen=True)
class Handler:
    """WHEN .. THEN; `names` are OTHER, STATEMENT_ERROR, EXPRESSION_ERROR or declared exceptions."""

    names: tuple[str | Variable, ...]
    body: list[Node]


@dataclass(frozen=True)
class Block:
    declarations: list[Node]
    body: list[Node]
    handlers: list[Handler] = field(default_factory=list)

    def run(self, run: Run) -> None:
        run.body(self.declarations)  # what fails here is not for this block's own handlers
        try:
            run.body(self.body)
        except Raised as raised:
            handler = next((each for each in self.handlers if "OTHER" in each.names or raised.kind in each.names), None)
            if handler is None:
                raise
            self._handle(run, handler, raised)

    @staticmethod
    def _handle(run: Run, handler: Handler, raised: Raised) -> None:
        outer, before = run.handled, {variable: run.values.get(variable) for variable in (CODE, MESSAGE, STATE)}
        run.handled = raised
        run.values |= {CODE: raised.error.errno, MESSAGE: raised.error.message, STATE: raised.error.sqlstate}
        try:
            run.body(handler.body)
        finally:
            run.handled = outer
            run.values |= before
