"""Snowflake's text read into trees.

sqlglot reads; this module numbers the binds, names the columns that have no name, and refuses what only other dialects
know.
"""

import logging
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.dialects.snowflake import Snowflake
from sqlglot.helper import seq_get
from sqlglot.tokens import Token, TokenType

from local_account.errors import SqlError, compilation, unsupported
from local_account.rewrites import names
from local_account.rewrites.functions import snowflake_functions
from local_account.syntax import refuse_reserved
from local_account.types import canonical

# sqlglot warns of each statement it leaves unread; whoever routes the statement decides what that means.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)

# Words and signs of other dialects that sqlglot reads everywhere: `?::int` is a cast of a bind, and the words are names
# of columns.
_FOREIGN = {"?::", "GLOB", "ISNULL", "NOTNULL", "OVERLAPS", "RETURNING", "UNCACHE"}


_READING_TIMES = [
    f"{safe}TO_{what}"
    for safe in ("", "TRY_")
    for what in ("DATE", "TIME", "TIMESTAMP", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ")
    if f"{safe}TO_{what}" in Snowflake.Parser.FUNCTIONS
]


def _date_part(parser: Snowflake.Parser) -> exp.Extract:
    """DATE_PART(part, time) or (part FROM time), whose part sqlglot takes for a word even where it is a call or a cast."""
    part = parser._parse_disjunction()
    value = parser._match_set((TokenType.COMMA, TokenType.FROM)) and parser._parse_disjunction()
    if not value:
        raise compilation(938, "not enough arguments for function [DATE_PART]", "22023")
    return exp.Extract(this=exp.var(part.name) if isinstance(part, exp.Column) else part, expression=value)


def _generator(args: list[exp.Expression]) -> exp.Generator:
    """GENERATOR(ROWCOUNT => n, TIMELIMIT => s), of which sqlglot leaves out what has another name."""
    named = {one.this.name.lower(): one.expression for one in args if isinstance(one, exp.Kwarg)}
    if unknown := sorted(set(named) - {"rowcount", "timelimit"}):
        raise compilation(1003, f"syntax error: unexpected '{unknown[0].upper()}', which GENERATOR does not have.")
    return exp.Generator(**(named or dict(zip(("rowcount", "timelimit"), args, strict=False))))


def _in_upper_case(read: Callable[..., exp.Expression]) -> Callable[..., exp.Expression]:
    """Formats of times may be written in any case; sqlglot reads lower case as digits without their zero, and keeps quotes."""

    def build(args: list[exp.Expression], dialect: Dialect) -> exp.Expression:
        if len(args) > 1 and args[1].is_string:
            parts = args[1].name.split('"')
            args[1] = exp.Literal.string(
                "".join(part if number % 2 else part.upper() for number, part in enumerate(parts))
            )
        return read(args, dialect)

    return build


class _Dialect(Snowflake):
    class Tokenizer(Snowflake.Tokenizer):
        KEYWORDS: ClassVar = {word: kind for word, kind in Snowflake.Tokenizer.KEYWORDS.items() if word not in _FOREIGN}

    class Parser(Snowflake.Parser):
        FUNCTIONS: ClassVar = (
            Snowflake.Parser.FUNCTIONS
            | {name: _in_upper_case(Snowflake.Parser.FUNCTIONS[name]) for name in _READING_TIMES}
            | {
                name: lambda args: exp.ToChar(this=seq_get(args, 0), format=seq_get(args, 1))
                for name in ("TO_CHAR", "TO_VARCHAR")
            }
            | {"TIME": _in_upper_case(Snowflake.Parser.FUNCTIONS["TO_TIME"])}
            | {"GENERATOR": _generator}
        )
        FUNCTION_PARSERS: ClassVar = Snowflake.Parser.FUNCTION_PARSERS | {"DATE_PART": _date_part}


@lru_cache(maxsize=4096)
def _parsed(sql: str) -> exp.Expression:
    try:
        tokens = _Dialect().tokenize(sql)
        for one, two in pairwise(tokens):
            if two.token_type == TokenType.STAR and one.token_type in _EXPANDED:
                raise unsupported(_EXPANDED[one.token_type])
            if (
                (one.token_type, two.token_type) in _FOREIGN_PAIRS
                or (one.text.upper() == "MAP" and two.token_type == TokenType.L_BRACE)
                or (two.token_type == TokenType.HEX_STRING and sql[two.start] == "0")
            ):
                place = f"line {two.line} at position {two.col - len(two.text)}"
                raise compilation(1003, f"syntax error {place} unexpected '{two.text}'.")
        binds = [token for token in tokens if token.token_type == TokenType.PLACEHOLDER and token.text == "?"]
        if [token.text.upper() for token in tokens[:2]] == ["START", "TRANSACTION"]:
            return exp.Transaction()
        trees = [
            tree
            for tree in _Dialect().parse(_numbered(sql, binds))
            if tree is not None and not isinstance(tree, exp.Semicolon)
        ]
    except sqlglot.errors.ParseError as error:
        raise _refusal(error, sql) from None
    except (AttributeError, IndexError):  # sqlglot looks for its last argument
        raise compilation(938, "not enough arguments for a function", "22023") from None
    except (sqlglot.errors.SqlglotError, ValueError, RecursionError) as error:
        raise compilation(1003, f"parse error: {str(error).splitlines()[0]}") from None
    if len(trees) != 1:
        if not trees:
            raise SqlError(900, "SQL compilation error:\nEmpty SQL statement.", "42601")
        raise SqlError(8, f"Actual statement count {len(trees)} did not match the desired statement count 1.", "0A000")
    tree = trees[0]
    for source in tree.find_all(exp.Subquery):
        if isinstance(source.this, exp.TableFromRows):  # (TABLE(f())), as Snowpark's session.range writes it
            source.this.set("alias", source.args.get("alias") or source.this.args.get("alias"))
            source.replace(source.this)
    for ordered in list(tree.find_all(exp.Ordered)):
        order = ordered.parent
        if isinstance(ordered.this, exp.Placeholder) and isinstance(
            order.parent, exp.Query
        ):  # a constant orders nothing
            ordered.pop()
            if not order.expressions:
                order.pop()
    for order in tree.find_all(exp.Order):
        _order_by_all(order)
    _refuse_foreign(tokens, tree)
    _refuse_reserved_words(tree)
    if isinstance(tree, exp.Comment) and isinstance(tree.this, exp.Column):
        column = tree.this
        tree.set("this", exp.table_(column.args.get("table"), column.args.get("db"), column.args.get("catalog")))
        tree.set("column", column.this)
    if isinstance(tree, exp.Query):
        names.name_columns(tree, _projections(sql, tokens, tree))
    if isinstance(tree, exp.Create):
        words = [token.text.upper() for token in tokens[:3]]
        tree.meta["or_alter"] = words == ["CREATE", "OR", "ALTER"]
        tree.meta["text"] = sql
    return tree


def parse(sql: str) -> exp.Expression:
    """The tree of one statement; a Command when sqlglot does not know it.

    Binds `?` become `:1`, `:2`; COMMENT ON COLUMN has its table as `this` and the column as `column`. Raises SqlError
    1003 with line and position.
    """
    return _parsed(sql).copy()


def _refuse_foreign(tokens: list[Token], tree: exp.Expression) -> None:
    """sqlglot reads the operators, clauses and functions of all dialects; one that Snowflake does not have would run here and fail there."""
    if isinstance(tree, exp.Command):
        return
    if isinstance(tree, exp.Insert) and any(token.token_type == TokenType.SET for token in tokens):
        raise compilation(1003, "syntax error: unexpected 'SET'.")
    if isinstance(tree, exp.DML | exp.Merge) and tree.args.get("with_"):
        raise compilation(
            1003, f"syntax error: unexpected '{tree.key.upper()}' after WITH: it stands before the SELECT."
        )
    defines = isinstance(tree, exp.Create) and tree.kind in ("TABLE", "VIEW") and isinstance(tree.expression, exp.Query)
    if defines and not _has_as(tokens):
        raise compilation(1003, "syntax error: unexpected 'SELECT': AS is missing.")
    for node in tree.find_all(*_NOT_HERE):
        raise unsupported(_NOT_HERE[type(node)])
    for node in tree.find_all(*_FOREIGN_CLAUSES):
        if isinstance(node, exp.Cast) and not (node.args.get("default") or node.args.get("format")):
            canonical(node.to)
        elif _FOREIGN_CLAUSES[type(node)](node):
            raise compilation(1003, f"syntax error: unexpected '{node.sql(dialect='snowflake').strip()}'.")
    _refuse_loose_order(tree)
    unread = {node.name.upper() for node in tree.find_all(exp.Anonymous)}
    for before, token, after in zip([None, *tokens], tokens, tokens[1:], strict=False):
        name = token.text.upper()
        if token.token_type == TokenType.COMMA and after.token_type == TokenType.R_PAREN:
            raise compilation(1003, f"syntax error line {after.line} at position {after.col - 1} unexpected ')'.")
        counts = token.token_type in (TokenType.NUMBER, TokenType.PLACEHOLDER)
        if before and before.token_type == TokenType.LIMIT and counts and after.token_type == TokenType.COMMA:
            raise compilation(1003, f"syntax error line {after.line} at position {after.col - 1} unexpected ','.")
        first = token.token_type == TokenType.FROM and (before is None or before.token_type in _BEFORE_QUERIES)
        if first or (name in _FOREIGN_SIGNS and token.token_type not in _QUOTED):
            raise compilation(
                1003, f"syntax error line {token.line} at position {token.col - len(name)} unexpected '{token.text}'."
            )
        if (
            after.token_type == TokenType.L_PAREN
            and (token.token_type == TokenType.VAR or name in _FOREIGN_NAMES)
            and (name in _Dialect.Parser.FUNCTIONS or name in _Dialect.Parser.FUNCTION_PARSERS)
            and name not in snowflake_functions()
            and name not in unread
            and not (before and before.token_type in _BEFORE_NAMES)
        ):
            raise compilation(2140, f"Unknown function {name}.", "42601")


def _has_as(tokens: list[Token]) -> bool:
    """Whether AS stands before the query of a table or view; sqlglot reads it without as well."""
    depth = 0
    for token in tokens:
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
        if token.token_type in (TokenType.ALIAS, TokenType.SELECT) and depth == 0:
            return token.token_type == TokenType.ALIAS
    return False


def _refuse_loose_order(tree: exp.Expression) -> None:
    """What DuckDB orders by itself, Snowflake refuses: ranks without an order, a distinct count in an order, a DISTINCT by what it leaves out."""
    for window in tree.find_all(exp.Window):
        function, order = window.this.unnest(), window.args.get("order")
        while isinstance(function, (exp.IgnoreNulls, exp.RespectNulls)):
            function = function.this
        if isinstance(function, _RANKS) and not (order or window.args.get("alias")):
            kind = function.sql_name()
            raise compilation(2303, f"Window function type [{kind}] requires ORDER BY in window specification")
        if order and isinstance(function, exp.AggFunc) and isinstance(function.this, exp.Distinct):
            raise compilation(2304, "distinct cannot be used with a window frame or an order")
    for select in tree.find_all(exp.Select):
        if select.args.get("distinct") and not select.is_star:
            known = {item.alias_or_name.upper() for item in select.expressions}
            known |= {item.name.upper() for one in select.expressions for item in one.find_all(exp.Column)}
            for ordered in (select.args.get("order") or exp.Order()).expressions:
                if isinstance(ordered.this, exp.Column) and ordered.this.name.upper() not in known:
                    raise compilation(1054, f"[{ordered.this.sql('snowflake')}] is not a valid order by expression")
    for with_ in tree.find_all(exp.With):
        for cte in with_.expressions:
            query = cte.this
            if (
                isinstance(query, exp.Union)
                and _reads(query.expression, cte.alias)
                and not _reads(query.this, cte.alias)
            ):
                with_.set("recursive", True)  # the word is optional
                if query.args.get("distinct"):
                    raise compilation(1003, "syntax error: unexpected 'UNION' in a recursive query: UNION ALL.")


_EXPANDED = {TokenType.STAR: "the expansion operator **", TokenType.L_BRACE: "{*}, an object of all columns"}


def _order_by_all(order: exp.Order) -> None:
    """ORDER BY ALL: by every column of the list, from its left (sql-reference/constructs/order-by)."""
    ordered = order.expressions[0]
    column = ordered.this
    if isinstance(column, exp.Column) and column.name.upper() == "ALL" and not (column.table or column.this.quoted):
        select = order.parent
        if not isinstance(select, exp.Select) or select.is_star or len(order.expressions) > 1:
            raise unsupported("ORDER BY ALL", "of * or beside other columns")
        places = range(1, len(select.expressions) + 1)
        order.set("expressions", [exp.Ordered(**{**ordered.args, "this": exp.Literal.number(n)}) for n in places])


def _reads(query: exp.Expression, name: str) -> bool:
    return any(table.name.upper() == name.upper() and not table.db for table in query.find_all(exp.Table))


_RANKS = (
    exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile, exp.PercentRank, exp.CumeDist, exp.Lag, exp.Lead, exp.FirstValue,
    exp.LastValue, exp.NthValue,
)  # fmt: skip


def _refuse_reserved_words(tree: exp.Expression) -> None:
    """sqlglot takes most words for names wherever one may stand; Snowflake keeps some for itself unless they are quoted."""
    for node in tree.find_all(exp.Identifier):
        if not node.quoted:
            line, end = node.meta.get("line", 1), node.meta.get("col", 1)
            refuse_reserved(node.name, f" line {line} at position {max(end - len(node.name), 0)}")


_FOREIGN_CLAUSES = {
    exp.Between: lambda node: node.args.get("symmetric") is not None,
    exp.Cast: bool,
    exp.TryCast: bool,
    exp.Except: lambda node: not node.args.get("distinct"),
    exp.Fetch: lambda node: (
        (options := node.args.get("limit_options")) and (options.args.get("percent") or options.args.get("with_ties"))
    ),
    exp.Filter: bool,
    exp.Insert: lambda node: (
        isinstance(node.this, exp.Query)
        or any(map(node.args.get, ("alternative", "by_name", "conflict", "default", "ignore", "source")))
    ),
    exp.When: lambda node: bool(node.args["matched"]) == isinstance(node.args["then"], exp.Insert),
    exp.Distinct: lambda node: node.args.get("on"),
    exp.IntDiv: bool,
    exp.Into: bool,
    exp.Intersect: lambda node: not node.args.get("distinct"),
    exp.Join: lambda node: node.args.get("kind") in ("SEMI", "ANTI"),
    exp.Limit: lambda node: node.args.get("limit_options"),
    exp.Offset: lambda node: not (node.parent.args.get("limit") or node.parent.args.get("fetch")),
    exp.Order: lambda node: isinstance(node.parent, exp.AggFunc) and not isinstance(node.parent, exp.GroupConcat),
    exp.Select: lambda node: node.args.get("sample") or not node.expressions,
    exp.Union: lambda node: not (isinstance(node.this, exp.Query) and isinstance(node.expression, exp.Query)),
    exp.SimilarTo: bool,
    exp.Table: lambda node: isinstance(node.this, exp.Literal),
    exp.Unnest: bool,
}
_NOT_HERE = {
    exp.Changes: "CHANGES",
    exp.Collate: "COLLATE",
    exp.Lock: "FOR UPDATE",
    exp.MatchRecognize: "MATCH_RECOGNIZE",
    exp.PivotAny: "PIVOT of ANY",
}
_FOREIGN_PAIRS = {  # << and >>, and texts that other dialects join
    (TokenType.LT, TokenType.LT), (TokenType.GT, TokenType.GT), (TokenType.STRING, TokenType.STRING)
}  # fmt: skip
_FOREIGN_SIGNS = {"&", "|", "^", "~", "~~", "~*", "<=>", "|>", "=="}
_FOREIGN_NAMES = {"FIRST", "FORMAT", "LIST", "MAP", "STRUCT", "UUID", "XOR"}  # the functions among sqlglot's words
_QUOTED = {TokenType.IDENTIFIER, TokenType.STRING, TokenType.RAW_STRING}
_BEFORE_QUERIES = {TokenType.L_PAREN, TokenType.ALIAS}
_BEFORE_NAMES = {
    TokenType.DOT, TokenType.INTO, TokenType.TABLE, TokenType.VIEW, TokenType.ALIAS, TokenType.WITH, TokenType.UPDATE,
    TokenType.EXISTS, TokenType.R_PAREN, TokenType.VAR, TokenType.IDENTIFIER,
}  # fmt: skip


def _numbered(sql: str, binds: Sequence[Token]) -> str:
    parts, last = [], 0
    for number, token in enumerate(binds, start=1):
        parts += [sql[last : token.start], f":{number}"]
        last = token.end + 1
    return "".join([*parts, sql[last:]])


def _projections(sql: str, tokens: list[Token], tree: exp.Expression) -> list[str] | None:
    """The text of each projection of the outermost select, as it was written; None when it cannot be told."""
    while isinstance(tree, (exp.SetOperation, exp.Subquery)):
        tree = tree.this
    if not isinstance(tree, exp.Select):
        return None
    depth, base, found, start = 0, None, [], None
    for token in tokens:
        kind = token.token_type
        if base is None:
            # The first select that is not inside a common table expression: those stand in parentheses after AS.
            if kind == TokenType.SELECT and (depth == 0 or tree.args.get("with_") is None):
                base, start = depth, token.end + 1
        elif depth == base and (kind in _AFTER_PROJECTIONS or kind == TokenType.R_PAREN):
            found.append(sql[start : token.start])
            start = None
            break
        elif depth == base and kind == TokenType.COMMA:
            found.append(sql[start : token.start])
            start = token.end + 1
        if kind in (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE):
            depth += 1
        elif kind in (TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE):
            depth -= 1
    if start is not None:
        found.append(sql[start:].rstrip().removesuffix(";"))
    texts = [re.sub(r"^(?:distinct|all)\s+", "", text.strip(), flags=re.IGNORECASE) for text in found]
    return texts if len(texts) == len(tree.expressions) else None


_AFTER_PROJECTIONS = {
    TokenType.FROM, TokenType.WHERE, TokenType.GROUP_BY, TokenType.HAVING, TokenType.QUALIFY, TokenType.ORDER_BY,
    TokenType.LIMIT, TokenType.UNION,
    TokenType.EXCEPT, TokenType.INTERSECT, TokenType.INTO, TokenType.SEMICOLON, TokenType.FETCH,
}  # fmt: skip


# Snowflake's syntax that sqlglot cannot read: a misspelling is none of it, and need not be sought.
_UNREAD = re.compile(
    r"""\A\s*(?:create(?:\s+or\s+(?:replace|alter))?|alter|drop|describe|desc)\s+(?:(?!table|view|temp|transient)\w+\s+){0,3}?
    (?:alert|database\s+role|integration|pipe|policy|pool|rule|secret|semantic\s+view|server|service|share|tag|user
    |(?:dynamic|event|external|hybrid|iceberg)\s+table)\b
    |\A\s*copy\s+files\b|\b(?:update|insert)\s+all\s+by\s+name\b|\bcluster\s+by\s+linear\b|->>
    |\A\s*desc(?:ribe)?\s+result\b|\A\s*with\s+\S+\s+as\s+procedure\b|\bdrop\s+foreign\s+key\b
    |\bgenerated\s+always\s+as\b|\b(?:enabled?|disabled?|enforced)\s+(?:enforced\s+)?(?:no)?validate\b|\bmasking\s+policy\s+\S+\s+using\b
    |\(\s*call\s+[\w.]+|\barray\s*\(.*?\bnot\s+null\b""",
    re.IGNORECASE | re.VERBOSE,
)


def _refusal(error: sqlglot.errors.ParseError, sql: str) -> SqlError:
    if found := _UNREAD.search(sql):
        return unsupported(" ".join(found[0].upper().split()))
    first = error.errors[0] if error.errors else {}
    line, position, word = first.get("line") or 1, first.get("col") or 0, first.get("highlight") or ""
    return compilation(
        1003, f"syntax error line {line} at position {max(0, position - len(word))} unexpected '{word}'."
    )
