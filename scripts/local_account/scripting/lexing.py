"""Snowflake's tokens with their places, and what can be told of a script without understanding it: its statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from sqlglot.dialects import Snowflake
from sqlglot.errors import TokenError
from sqlglot.tokens import TokenType

from local_account.errors import SqlError, compilation


class _Tokenizer(Snowflake.Tokenizer):
    COMMANDS: ClassVar[set[TokenType]] = set()  # sqlglot takes `call p(1)` and its like for one string; we need tokens


_TEXT = {TokenType.STRING, TokenType.RAW_STRING, TokenType.NATIONAL_STRING}


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is name, quoted (an identifier), text, number, symbol or end.

    `word` is a name in upper case, what quotes enclose, or the token itself; `end` the offset after it.
    """

    kind: str
    word: str
    start: int
    end: int

    @property
    def key(self) -> str | None:
        """What grammar compares: an unquoted word or a symbol."""
        return self.word if self.kind in ("name", "symbol") else None

    @property
    def is_identifier(self) -> bool:
        return self.kind in ("name", "quoted")


@dataclass(frozen=True)
class Statement:
    """One statement without its semicolon and the comments around it, and the line (from 1) on which it begins."""

    text: str
    line: int


@lru_cache(maxsize=512)  # a setup is run, and a block called, far more often than it changes
def tokenize(text: str) -> tuple[Token, ...]:
    """The tokens of a text, and an `end` after them. Raises SqlError 1003 where a quotation or a comment never ends."""
    try:
        found = _Tokenizer(dialect=Snowflake).tokenize(text)
    except TokenError:
        raise compilation(1003, "parse error near '<EOF>': a quotation, a $$ text or a comment never ends.") from None
    tokens = []
    for token in found:
        raw = text[token.start : token.end + 1]
        if token.token_type in _TEXT:
            kind, word = "text", token.text
        elif token.token_type is TokenType.IDENTIFIER:
            kind, word = "quoted", token.text
        elif token.token_type is TokenType.NUMBER:
            kind, word = "number", raw
        else:
            kind, word = ("name", raw.upper()) if raw[0].isalpha() or raw[0] == "_" else ("symbol", raw)
        tokens.append(Token(kind, word, token.start, token.end + 1))
    tokens.append(Token("end", "<EOF>", len(text), len(text)))
    return tuple(tokens)


def place(text: str, offset: int) -> tuple[int, int]:
    """Line (from 1) and position in it (from 0), as Snowflake counts them."""
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1)


def unexpected(text: str, token: Token) -> SqlError:
    line, position = place(text, token.start)
    return compilation(
        1003,
        f"syntax error line {line} at position {position} unexpected '{text[token.start : token.end] or token.word}'.",
    )


def starts_block(tokens: Sequence[Token], at: int) -> bool:
    """Whether a scripting block begins here: DECLARE, or a BEGIN that does not begin a transaction."""
    if tokens[at].key != "BEGIN":
        return tokens[at].key == "DECLARE"
    if tokens[at + 1].key == ";" or tokens[at + 1].kind == "end":
        return False
    return tokens[at + 1].key not in ("TRANSACTION", "WORK", "NAME") or tokens[at + 2].key == ":="


def statement_end(tokens: Sequence[Token], at: int) -> int:
    """The index of the semicolon (or the end) that closes the statement beginning here; it steps over a block whole."""
    has_body = tokens[at].key == "CREATE"
    if starts_block(tokens, at):
        at = _block_end(tokens, at)
    while tokens[at].key != ";" and tokens[at].kind != "end":
        at = (
            _block_end(tokens, at + 1)
            if has_body and tokens[at].key == "AS" and starts_block(tokens, at + 1)
            else at + 1
        )
    return at


_BEFORE_A_STATEMENT = {";", "DECLARE", "BEGIN", "THEN", "ELSE", "DO", "LOOP", "REPEAT"}
_BEFORE_A_BLOCK = _BEFORE_A_STATEMENT | {"(", "AS"}
_CLOSED_BY_NAME = {"IF", "CASE", "FOR", "WHILE", "LOOP", "REPEAT"}


def _block_end(tokens: Sequence[Token], at: int) -> int:
    """The index after the END that closes the block beginning here, found by counting what opens and closes."""
    before: str | None = ";"
    depth, declaring = 0, list[int]()  # declaring: the depths of DECLAREs whose BEGIN is still to come
    while tokens[at].kind != "end":
        key = tokens[at].key
        if key == "END":
            depth -= 1
            if depth == 0:
                return at + 1
            at += tokens[at + 1].key in _CLOSED_BY_NAME
        elif key == "CASE":  # the statement and the expression alike
            depth += 1
        elif key == "DECLARE" and before in _BEFORE_A_BLOCK:
            depth += 1
            declaring.append(depth)
        elif key == "BEGIN" and before in _BEFORE_A_BLOCK and starts_block(tokens, at):
            if declaring and declaring[-1] == depth:
                declaring.pop()
            else:
                depth += 1
        elif key in ("IF", "FOR", "WHILE", "LOOP", "REPEAT") and before in _BEFORE_A_STATEMENT:
            depth += key != "REPEAT" or tokens[at + 1].key != "("  # repeat('x', 3) is a function
        before, at = key, at + 1
    return at


def is_block(text: str) -> bool:
    """Whether a statement is an anonymous block: `declare ...` or `begin ...`, but not `begin [transaction]`."""
    if "begin" not in text.lower():
        return False
    try:
        return starts_block(tokenize(text), 0)
    except SqlError:
        return False  # not ours to explain: whoever runs the statement will


def split(script: str) -> list[Statement]:
    """The statements of a script. Raises SqlError 1003 where a quotation or a comment never ends."""
    tokens, at, statements = tokenize(script), 0, []
    while tokens[at].kind != "end":
        if tokens[at].key == ";":
            at += 1
            continue
        last = statement_end(tokens, at)
        start = tokens[at].start
        statements.append(Statement(script[start : tokens[last - 1].end], place(script, start)[0]))
        at = last
    return statements
