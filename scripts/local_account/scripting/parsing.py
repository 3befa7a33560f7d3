"""From the text of a block to its tree.

Names are resolved here, as Snowflake does it: a misspelt one stops the block before its first statement.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Any

from local_account.errors import SqlError, compilation, unsupported
from local_account.scripting import tree
from local_account.scripting.lexing import Token, place, starts_block, statement_end, tokenize, unexpected
from local_account.scripting.tree import Constant, Expression, Field, Node, Place, Template, Variable
from local_account.scripting.values import parse_type

# After one of these words a colon begins a bind even without a space before it; after another name, a path (v:a).
_WORDS_BEFORE_A_BIND = """
SELECT ALL DISTINCT AND OR NOT IN LIKE ILIKE RLIKE BETWEEN IS CASE WHEN THEN ELSE VALUES WHERE HAVING ON USING LIMIT
OFFSET TOP FROM INTO SET BY AS AT BEFORE RETURN QUALIFY INTERVAL ANY ESCAPE UNION EXCEPT MINUS TO IMMEDIATE
"""
_NO_OPERANDS = {*_WORDS_BEFORE_A_BIND.split(), "GROUP BY", "ORDER BY", "PARTITION BY"}  # sqlglot's two-word tokens
_ERROR = "SQL compilation error:"
_QUERIES = ("SELECT", "WITH")
_EXCEPTIONS = ("OTHER", "STATEMENT_ERROR", "EXPRESSION_ERROR")
_CLOSING = ("END", "ELSE", "ELSEIF", "EXCEPTION", "UNTIL", "WHEN")
_WORDS = {"TRUE": True, "FALSE": False, "NULL": None}


@dataclass(frozen=True)
class Passage:
    """SQL that stands in a block, which only the host can read: a statement, or an expression as the host is asked for it."""

    template: Template
    where: Place
    around: tuple[str, str] = ("", "")

    def text(self, mark: str) -> str:
        """The SQL with a mark in the place of each variable."""
        return "".join(p if isinstance(p, str) else mark for p in self.template.pieces).join(self.around)

    def located(self, error: SqlError) -> SqlError:
        """The host's complaint about the text, with the place in the block."""

        def move(found: re.Match[str]) -> str:
            line, position = int(found[1]), int(found[2])
            shift = self.where[1] - len(self.around[0]) if line == 1 else 0
            return f"line {self.where[0] + line - 1} at position {position + shift}"

        message = re.sub(r"line (\d+) at position (\d+)", move, error.message)
        return SqlError(error.errno, message, error.sqlstate)


@dataclass(frozen=True)
class Script:
    """A block that was read: its tree, the variables of its arguments, and the SQL in it."""

    block: tree.Block
    variables: dict[str, Variable]
    passages: list[Passage]


@lru_cache(maxsize=512)
def parse(text: str, arguments: tuple[str, ...]) -> Script:
    """Raises SqlError for what cannot be understood."""
    parser = _Parser(text, arguments)
    return Script(parser.script(), parser.arguments, parser.passages)


class _Parser:
    def __init__(self, text: str, arguments: tuple[str, ...]) -> None:
        self.text, self.tokens, self.at = text, tokenize(text), 0
        self.arguments = {name: Variable(name) for name in arguments}
        self.names: ChainMap[str, Variable] = ChainMap(self.arguments, tree.GLOBALS)
        self.loops: list[list[tuple[str, Token]]] = []  # per open loop: the labels that BREAK and CONTINUE named
        self.handlers = 0
        self.passages: list[Passage] = []

    # -- tokens

    def peek(self, ahead: int = 0) -> Token:
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def is_at(self, *words: str) -> bool:
        return all(self.peek(ahead).key == word for ahead, word in enumerate(words))

    def accept(self, *words: str) -> bool:
        """Step over the words if they come next."""
        found = self.is_at(*words)
        self.at += len(words) if found else 0
        return found

    def expect(self, *words: str) -> None:
        for word in words:
            if not self.accept(word):
                raise self.unexpected()

    def one_of(self, *words: str) -> None:
        if not any(self.accept(word) for word in words):
            raise self.unexpected()

    def unexpected(self, token: Token | None = None) -> SqlError:
        return unexpected(self.text, token or self.peek())

    def invalid(self, token: Token, name: str) -> SqlError:
        line, position = self.place(token)
        return SqlError(904, f"{_ERROR} error line {line} at position {position}\ninvalid identifier '{name}'")

    def place(self, token: Token | None = None) -> Place:
        return place(self.text, (token or self.peek()).start)

    def slice(self, first: int, last: int) -> str:
        return self.text[self.tokens[first].start : self.tokens[last - 1].end]

    def semicolons(self) -> None:
        """Statements without anything in them, which Snowflake takes."""
        while self.accept(";"):
            pass

    def identifier(self) -> str:
        token = self.peek()
        if not token.is_identifier:
            raise self.unexpected()
        self.at += 1
        return token.word

    def variable(self, *kinds: str) -> Variable:
        """The declared variable of these kinds that is named next."""
        token = self.peek()
        variable = self.names.get(self.identifier())
        if variable is None or variable.kind not in kinds:
            raise self.invalid(token, token.word)
        return variable

    def variables(self) -> tuple[Variable, ...]:
        """A list `:a, b` of variables."""
        found = []
        while not found or self.accept(","):
            self.accept(":")
            found.append(self.variable("value"))
        return tuple(found)

    def closing(self, at: int) -> int:
        """The index of the parenthesis that closes the one here."""
        depth = 0
        for index in range(at, len(self.tokens)):
            depth += {"(": 1, ")": -1}.get(self.tokens[index].key or "", 0)
            if depth == 0:
                return index
        raise self.unexpected(self.tokens[-1])

    def before(self, *words: str) -> int:
        """The index of the first of these words outside parentheses and CASE expressions, or else of the semicolon."""
        depth, at = 0, self.at
        while self.tokens[at].kind != "end":
            key = self.tokens[at].key
            if key == ";" or (depth == 0 and key in words):
                break
            depth += {"(": 1, "[": 1, "{": 1, "CASE": 1, ")": -1, "]": -1, "}": -1, "END": -1}.get(key or "", 0)
            at += 1
        return at

    # -- text with variables

    def template(self, first: int, last: int, *, bare: bool = False, placeholders: bool = False) -> Template:
        """The text of the tokens first..last, cut at its variables.

        These are `:name`, and with `bare` (in expressions) also `name` outside sub-selects.
        """
        pieces: list = []
        done, at = self.tokens[first].start, first
        selects: list[bool] = []  # per open parenthesis: is a SELECT around us?
        while at < last:
            operand: Variable | Field | None = None
            token, after = self.tokens[at], at + 1
            if token.key == "(":
                selects.append(any(selects) or self.tokens[at + 1].key in _QUERIES)
            elif token.key == ")" and selects:
                selects.pop()
            elif token.key == "?" and not placeholders:
                raise compilation(1003, "Unexpected unnamed bind in SQL stored procedure.")
            elif token.key == "AS" and self.tokens[first].key == "CREATE" and starts_block(self.tokens, after):
                break  # the body of a procedure has names of its own
            elif token.key == ":" and self.is_bind(at):
                operand, after = self.bound(at)
            elif bare and token.is_identifier and not any(selects):
                operand, after = self.bare(at)
            if operand is not None:
                pieces += [self.text[done : token.start], operand]
                done = self.tokens[after - 1].end
            at = after
        return Template((*pieces, self.text[done : self.tokens[last - 1].end]))

    def for_host(self, template: Template, where: Place, into: tuple[Variable, ...] = ()) -> tree.Sql:
        self.passages.append(Passage(template, where))
        return tree.Sql(template, where, into)

    def is_bind(self, at: int) -> bool:
        """A colon that begins an operand: not that of a path (v:a), nor that of an object ({'a': 1})."""
        name, before = self.tokens[at + 1], self.tokens[at - 1]
        if not name.is_identifier or before.kind in ("text", "number"):
            return False
        if (before.is_identifier and before.key not in _NO_OPERANDS) or before.key in (")", "]"):
            return before.end < self.tokens[at].start and name.word in self.names
        return True

    def bound(self, at: int) -> tuple[Variable, int]:
        """The variable of the `:name` here, and the index after it."""
        token = self.tokens[at + 1]
        variable = self.names.get(token.word)
        if variable is None:
            raise self.invalid(self.tokens[at], token.word)
        if variable.kind != "value":  # a row's columns must be copied to variables first
            raise self.unexpected(self.tokens[at + 2] if variable.kind == "row" else token)
        return variable, at + 2

    def bare(self, at: int) -> tuple[Variable | Field | None, int]:
        """The variable or column of a row that the identifier here stands for in an expression, and the index after."""
        token, before, following = self.tokens[at], self.tokens[at - 1], self.tokens[at + 1]
        variable = self.names.get(token.word)
        is_path = before.key == ":" and self.tokens[at - 2].kind != "text"  # in {'a': x} the colon leads no path
        is_other = before.key in (".", "::", "AS", "$", "@") or following.key in ("(", "=>")  # a type, a function ...
        if variable is None or is_path or is_other or token.key in _WORDS:
            return None, at + 1
        if variable.kind == "row" and following.key == "." and self.tokens[at + 2].is_identifier:
            return Field(variable, self.tokens[at + 2].word), at + 3
        if variable.kind == "value":
            return (None, at + 1) if following.key == "." else (variable, at + 1)
        raise self.unexpected(token)

    def expression(self, last: int) -> Expression:
        """The expression that ends before the index `last`."""
        first = self.at
        if first >= last:
            raise self.unexpected()
        self.at = last
        where = self.place(self.tokens[first])
        found = Expression(self.template(first, last, bare=True), where, self.quick(first, last))
        if not found.quick:
            self.passages.append(Passage(found.template, where, tree.ASKED))
        return found

    def quick(self, first: int, last: int) -> tuple:
        """What Expression computes without SQL: one operand, or `operand sign operand`."""
        left, at = self.operand(first)
        if left is None or at == last:
            return () if left is None else (left,)
        sign = self.tokens[at].key
        if sign not in tree.QUICK or at + 1 >= last:
            return ()
        right, at = self.operand(at + 1)
        return () if right is None or at != last else (left, sign, right)

    def operand(self, at: int) -> tuple[Variable | Field | Constant | None, int]:
        token = self.tokens[at]
        if token.kind == "text":
            return Constant(token.word), at + 1
        if token.key in _WORDS:
            return Constant(_WORDS[token.key]), at + 1
        if token.key == ":" and self.tokens[at + 1].is_identifier:
            return self.bound(at)
        if token.is_identifier:
            return self.bare(at)
        sign, number = ("-", self.tokens[at + 1]) if token.key == "-" else ("", token)
        if number.kind != "number" or "e" in number.word.lower():
            return None, at
        value = Decimal(sign + number.word)
        return Constant(value if "." in number.word else int(value)), at + 1 + len(sign)

    def condition(self) -> Expression:
        """A condition, which Snowflake wants in parentheses."""
        if not self.is_at("("):
            raise self.unexpected()
        last = self.closing(self.at)
        self.at += 1
        condition = self.expression(last)
        self.expect(")")
        return condition

    # -- blocks

    def script(self) -> tree.Block:
        block = self.block()
        self.semicolons()
        if self.peek().kind != "end":
            raise self.unexpected()
        return block

    def block(self) -> tree.Block:
        self.names = self.names.new_child()
        declarations: list[Node] = []
        if self.accept("DECLARE"):
            while not self.is_at("BEGIN"):
                declarations.append(self.declaration(self.place()))
        self.expect("BEGIN")
        body = self.body("EXCEPTION", "END")
        handlers = []
        if self.accept("EXCEPTION"):
            while not handlers or self.is_at("WHEN"):
                handlers.append(self.handler())
        self.expect("END")
        self.names = self.names.parents
        if self.peek().is_identifier:
            raise unsupported("a label on a block")
        return tree.Block(declarations, body, handlers)

    def body(self, *stops: str) -> list[Node]:
        """Statements up to one of the words. Each body is a scope of its own."""
        self.names = self.names.new_child()
        nodes = []
        while not nodes or self.peek().key not in stops:
            nodes.append(self.statement())
            self.semicolons()
        self.names = self.names.parents
        return nodes

    def handler(self) -> tree.Handler:
        names: list[str | Variable] = []
        self.expect("WHEN")
        while not names or self.accept("OR"):
            builtin = next((word for word in _EXCEPTIONS if self.accept(word)), None)
            names.append(builtin or self.variable("exception"))
        if self.accept("CONTINUE"):
            raise unsupported("WHEN .. CONTINUE")
        self.accept("EXIT")
        self.expect("THEN")
        self.handlers += 1
        body = self.body("WHEN", "END")
        self.handlers -= 1
        return tree.Handler(tuple(names), body)

    def declaration(self, where: Place, is_let: bool = False) -> Node:
        """What follows DECLARE or LET, with its semicolon. A complaint about a missing type points to `where`."""
        name = self.identifier()
        if self.accept("CURSOR"):
            self.expect("FOR")
            last = statement_end(self.tokens, self.at)
            if last == self.at + 1:
                source: Template | Variable = self.variable("resultset")
            else:
                source = self.template(self.at, last, placeholders=True)
                self.passages.append(Passage(source, self.place()))
                self.at = last
            node: Node = tree.Assign(Variable(name, "cursor", detail=source), None)
        elif self.accept("RESULTSET"):
            given = self.accept(":=") or self.accept("DEFAULT")
            node = tree.Assign(Variable(name, "resultset"), self.row_source(at_query=True) if given else None)
        elif self.is_at("PROCEDURE"):
            raise unsupported("a procedure within a block")
        elif not is_let and self.accept("EXCEPTION"):
            node = tree.Nothing()
            self.names[name] = Variable(name, "exception", detail=self.exception())
        else:
            node = self.value_declaration(name, where)
        if isinstance(node, tree.Assign):
            self.names[name] = node.variable  # only now: its first value may read an outer variable of that name
        self.expect(";")
        return node

    def exception(self) -> tuple[int, str]:
        """(number, message) of an exception's declaration."""
        if not self.accept("("):
            return -20000, ""
        number, after = self.operand(self.at)
        if not isinstance(number, Constant) or number.value not in range(-20999, -19999):
            raise compilation(1003, "The number of an exception must be between -20999 and -20000.")
        self.at = after
        self.expect(",")
        message = self.peek()
        if message.kind != "text":
            raise self.unexpected()
        self.at += 1
        self.expect(")")
        return number.value, message.word

    def value_declaration(self, name: str, where: Place) -> tree.Assign:
        after_type = self.before(":=", "DEFAULT")
        declared = parse_type(self.slice(self.at, after_type)) if after_type > self.at else None
        self.at = after_type
        variable = Variable(name, type=declared)
        if self.is_at(";") and declared is not None:
            return tree.Assign(variable, None, is_declaration=True)
        self.one_of(":=", "DEFAULT")
        first, last = self.at, self.before()
        if self.is_at("(", "CALL"):
            raise unsupported("CALL as the first value of a variable", "assign it after the declaration")
        if declared is None and not self.tells_its_type(first, last):
            line, position = where
            words = f" variable '{name}' cannot have its type inferred from initializer"
            raise SqlError(92228, f"{_ERROR} error line {line} at position {position}\n{words}", "P0000")
        return tree.Assign(variable, self.expression(last), is_declaration=True)

    def tells_its_type(self, first: int, last: int) -> bool:
        """Snowflake takes no type from a sub-select over a table, an unknown name or a VARIANT variable."""
        if last == first + 1 and self.tokens[first].is_identifier and self.tokens[first].key not in _WORDS:
            variable = self.names.get(self.tokens[first].word)
            return variable is not None and (variable.type is None or variable.type.family != "variant")
        keys = [token.key for token in self.tokens[first:last]]
        return not any(
            key == "(" and following in _QUERIES and "FROM" in keys[at:]
            for at, (key, following) in enumerate(pairwise(keys))
        )

    def row_source(self, at_query: bool) -> tree.RowSource:
        """A statement in parentheses; its errors point to it, or in an assignment to the parenthesis."""
        where = self.place(self.peek(1) if at_query else None)
        if self.is_at("ASYNC"):
            raise unsupported("ASYNC")
        if not self.is_at("("):
            raise self.unexpected()
        last = self.closing(self.at)
        self.at += 1
        if starts_block(self.tokens, self.at):
            raise unsupported("a block as the source of a RESULTSET")
        if self.is_at("EXECUTE", "IMMEDIATE"):
            source: tree.RowSource = self.immediate(where)
        else:
            source = self.for_host(self.template(self.at, last), where)
            self.at = last
        self.expect(")")
        return source

    # -- statements

    def statement(self) -> Node:
        """One statement with its semicolon."""
        token = self.peek()
        if token.is_identifier and self.peek(1).key == ":=":
            node: Node = self.assignment()
        elif starts_block(self.tokens, self.at):
            node = self.block()
        elif token.key == "LET":
            self.at += 1
            return self.declaration(self.place(token), is_let=True)  # which takes the semicolon
        elif token.key in _STATEMENTS:
            node = _STATEMENTS[token.key](self)
        elif self.is_at("EXECUTE", "IMMEDIATE") and self.peek(2).key != "FROM":
            node = self.immediate()
        elif token.kind == "name" and token.word.startswith("SYSTEM$"):  # an expression, whose value goes
            node = tree.Assign(Variable("", "value"), self.expression(self.before()))
        elif token.key == "(" or (token.kind == "name" and token.key not in _CLOSING):
            node = self.sql()
        else:
            raise self.unexpected()
        self.expect(";")
        return node

    def assignment(self) -> tree.Assign | tree.Sql:
        variable = self.variable("value", "resultset")
        self.expect(":=")
        if variable.kind == "value" and self.is_at("(", "CALL"):  # so writes SnowConvert (migrations/snowconvert-docs)
            last, where = self.closing(self.at), self.place(self.peek(1))
            call = self.for_host(self.template(self.at + 1, last), where, (variable,))
            self.at = last + 1
            return call
        source = self.row_source(at_query=False) if variable.kind == "resultset" else self.expression(self.before())
        return tree.Assign(variable, source)

    def sql(self) -> tree.Sql:
        first, last, where = self.at, statement_end(self.tokens, self.at), self.place()
        if self.peek().key not in (*_QUERIES, "CALL") or (into := self.before("INTO")) >= last:
            self.at = last
            return self.for_host(self.template(first, last), where)
        self.at = into + 1
        targets, after = self.variables(), self.at
        self.at = last
        rest = (" ", *self.template(after, last).pieces) if after < last else ()
        return self.for_host(Template((*self.template(first, into).pieces, *rest)), where, targets)

    def immediate(self, where: Place | None = None) -> tree.Immediate:
        where = where or self.place()
        self.expect("EXECUTE", "IMMEDIATE")
        token = self.peek()
        text = self.expression(self.before("USING", ")"))  # an expression: sql-reference/sql/execute-immediate
        if len(text.quick) == 1 and isinstance(text.quick[0], Constant) and token.kind != "text":
            raise self.unexpected(token)
        return tree.Immediate(text, self.using(), where)

    def using(self) -> tuple[Variable, ...]:
        if not self.accept("USING"):
            return ()
        self.expect("(")
        variables = self.variables()
        self.expect(")")
        return variables

    def if_(self) -> tree.If:
        self.expect("IF")
        branches = []
        while not branches or self.accept("ELSEIF"):
            condition = self.condition()
            self.expect("THEN")
            branches.append((condition, self.body("ELSEIF", "ELSE", "END")))
        otherwise = self.body("END") if self.accept("ELSE") else []
        self.expect("END", "IF")
        return tree.If(tuple(branches), otherwise)

    def case(self) -> tree.If | tree.Case:
        self.expect("CASE")
        subject = None if self.is_at("WHEN") else self.expression(self.before("WHEN"))
        branches = []
        while not branches or self.is_at("WHEN"):
            self.expect("WHEN")
            candidate = self.expression(self.before("THEN"))
            self.expect("THEN")
            branches.append((candidate, self.body("WHEN", "ELSE", "END")))
        otherwise = self.body("END") if self.accept("ELSE") else []
        self.expect("END")
        self.accept("CASE")
        if subject is None:
            return tree.If(tuple(branches), otherwise)
        return tree.Case(subject, tuple(branches), otherwise)

    def looped(self, *stops: str) -> list[Node]:
        self.loops.append([])
        return self.body(*stops)

    def loop_end(self, *names: str) -> str | None:
        """END and the loop's word, with its label; a BREAK inside must have named this label or an outer loop's."""
        self.expect("END")
        self.one_of(*names)
        label = self.identifier() if self.peek().is_identifier and not self.is_at("END") else None
        left = [(wanted, token) for wanted, token in self.loops.pop() if wanted != label]
        if left and not self.loops:
            raise self.unexpected(left[0][1])
        if left:
            self.loops[-1].extend(left)
        return label

    def loop(self) -> tree.Loop:
        self.expect("LOOP")
        return tree.Loop(self.looped("END"), self.loop_end("LOOP"))

    def while_(self) -> tree.Loop:
        self.expect("WHILE")
        condition = self.condition()
        self.one_of("DO", "LOOP")
        return tree.Loop(self.looped("END"), self.loop_end("WHILE", "LOOP"), before=condition)

    def repeat(self) -> tree.Loop:
        self.expect("REPEAT")
        body = self.looped("UNTIL")
        self.expect("UNTIL")
        condition = self.condition()
        return tree.Loop(body, self.loop_end("REPEAT"), until=condition)

    def for_(self) -> tree.Loop:
        self.expect("FOR")
        name = self.identifier()
        self.expect("IN")
        reverse, where = self.accept("REVERSE"), self.place()
        if self.tokens[to := self.before("TO", "DO", "LOOP")].key == "TO":
            low = self.expression(to)
            self.expect("TO")
            high = self.expression(self.before("DO", "LOOP"))
            variable = Variable(name)
            given: dict[str, Any] = {"bounds": (low, high), "reverse": reverse}
        elif reverse or not self.peek().is_identifier:
            raise self.unexpected()
        else:
            variable = Variable(name, "row")
            given = {"source": tree.Held(self.variable("cursor", "resultset"), where)}
        self.one_of("DO", "LOOP")
        self.names = self.names.new_child({name: variable})
        body = self.looped("END")
        self.names = self.names.parents
        label = self.loop_end("FOR", "LOOP")
        if variable.kind == "row":
            return tree.Walk(body, label, row=variable, **given)
        return tree.Count(body, label, counter=variable, **given)

    def jump(self) -> tree.JumpTo:
        token = self.peek()
        is_break = token.key in ("BREAK", "EXIT")
        self.at += 1
        if not self.loops:
            raise self.unexpected(token)
        label = self.identifier() if self.peek().is_identifier else None
        if label is not None:
            self.loops[-1].append((label, token))
        return tree.JumpTo(is_break, label)

    def return_(self) -> tree.ReturnValue:
        self.expect("RETURN")
        if not self.is_at("TABLE", "("):
            return tree.ReturnValue(self.expression(self.before()))
        self.at += 1
        where = self.place(self.peek(1))
        if self.peek(1).key in _QUERIES:
            return tree.ReturnValue(self.row_source(at_query=True))
        self.expect("(")
        of_cursor = self.accept("RESULTSET_FROM_CURSOR", "(")
        held = tree.Held(self.variable("cursor" if of_cursor else "resultset"), where)
        self.expect(*(("))") if of_cursor else ")"))
        return tree.ReturnValue(held)

    def raise_(self) -> tree.Raise:
        where = self.place()
        self.expect("RAISE")
        if self.is_at(";"):
            if not self.handlers:
                raise self.unexpected()
            return tree.Raise(None, where)
        return tree.Raise(self.variable("exception"), where)

    def open_(self) -> tree.OpenCursor:
        where = self.place()
        self.expect("OPEN")
        return tree.OpenCursor(self.variable("cursor"), self.using(), where)

    def fetch(self) -> tree.Fetch:
        where = self.place()
        self.expect("FETCH")
        cursor = self.variable("cursor")
        self.expect("INTO")
        return tree.Fetch(cursor, self.variables(), where)

    def close(self) -> tree.Close:
        self.expect("CLOSE")
        return tree.Close(self.variable("cursor"))

    def null(self) -> tree.Nothing:
        self.expect("NULL")
        return tree.Nothing()

    def refused(self) -> Node:
        raise unsupported(f"{self.peek().key} in a script")


_STATEMENTS: dict[str, Callable[[_Parser], Node]] = {
    "IF": _Parser.if_,
    "CASE": _Parser.case,
    "LOOP": _Parser.loop,
    "WHILE": _Parser.while_,
    "REPEAT": _Parser.repeat,
    "FOR": _Parser.for_,
    "BREAK": _Parser.jump,
    "EXIT": _Parser.jump,
    "CONTINUE": _Parser.jump,
    "ITERATE": _Parser.jump,
    "RETURN": _Parser.return_,
    "RAISE": _Parser.raise_,
    "OPEN": _Parser.open_,
    "FETCH": _Parser.fetch,
    "CLOSE": _Parser.close,
    "NULL": _Parser.null,
    "AWAIT": _Parser.refused,
    "ASYNC": _Parser.refused,
    "CANCEL": _Parser.refused,
}
