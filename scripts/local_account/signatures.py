"""Reading CREATE PROCEDURE and CREATE FUNCTION: arguments, what is returned, options, body."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from sqlglot.dialects.snowflake import Snowflake
from sqlglot.tokens import Token

from local_account import declared
from local_account.errors import SqlError, syntax_error, unsupported
from local_account.syntax import fold, refuse_reserved, unquote_text

RUNTIMES = {
    "3.10",
    "3.11",
    "3.12",
    "3.13",
    "3.14",
}  # 3.9 went on 30 Apr 2026 (developer-guide/python-runtime-support-policy)
LARGEST_BODY = 1_000_000
_WORDS = re.compile(
    r"LANGUAGE\s+(?P<language>\w+)|COMMENT\s*=\s*(?P<comment>'(?:[^']|'')*'|\"[^\"]*\")|RUNTIME_VERSION\s*=\s*(?P<runtime>['\"][\d.]+['\"]|[\d.]+)"
    r"|PACKAGES\s*=\s*\((?P<packages>[^()]*)\)|IMPORTS\s*=\s*\((?P<imports>[^()]*)\)|HANDLER\s*=\s*(?P<handler>'[^']*')"
    r"|EXECUTE\s+AS\s+(?P<rights>RESTRICTED\s+CALLER|CALLER|OWNER)|(?P<ignored>IMMUTABLE|VOLATILE|CALLED\s+ON\s+NULL\s+INPUT|NOT\s+NULL|MEMOIZABLE|COPY\s+GRANTS)",
    re.IGNORECASE,
)
_MISSING = re.compile(  # sql-reference/sql/create-procedure, create-function
    r"ARTIFACT_REPOSITORY|COPY\s+GRANTS|EXTERNAL_ACCESS_INTEGRATIONS|RETURNS\s+NULL\s+ON\s+NULL\s+INPUT|SECRETS|SERVICE|STRICT|TARGET_PATH",
    re.IGNORECASE,
)


@dataclass
class Signature:
    """A procedure or function as its CREATE statement says."""

    arguments: list[dict[str, Any]]  # name, type, default (SQL text) or None
    returns: str
    table: list[tuple[str, str]] | None = None  # RETURNS TABLE: (name, type); [] when the columns are left open
    language: str = "SQL"
    runtime: str | None = None
    packages: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    handler: str | None = None
    comment: str = ""
    rights: str = "OWNER"
    body: str | None = None

    def key(self, name: str) -> str:
        """The name that tells overloads apart: P(NUMBER, VARCHAR)."""
        return f"{name}({', '.join(declared.canonical(argument['type']) for argument in self.arguments)})"


def parse(text: str, name: str) -> Signature:
    """``text`` is all that follows the opening parenthesis of the arguments."""
    tokens = Snowflake().tokenize(f"({text}")
    close = _closing(tokens, 0, name)
    source = f"({text}"
    arguments = [_argument(source, part, name) for part in _split(tokens[1:close])]
    if len({argument["name"] for argument in arguments}) < len(arguments):
        raise syntax_error(f"{name}: two arguments have one name.")
    optional = [argument["default"] is not None for argument in arguments]
    if optional != sorted(optional):
        raise syntax_error(f"{name}: optional arguments come after the required ones (rule PY-22).")
    position = close + 1
    if position < len(tokens) and (found := _MISSING.match(source, tokens[position].start)):
        raise unsupported(found[0].upper())
    if position >= len(tokens) or tokens[position].text.upper() != "RETURNS":
        raise syntax_error(f"{name}: RETURNS is missing.")
    returns, table, position = _returns(source, tokens, position + 1, name)
    head, body = _head_and_body(source, tokens, position)
    signature = Signature(arguments, returns, table, body=body)
    _read_options(signature, head, name)
    _check(signature, name)
    return signature


def _closing(tokens: list[Token], start: int, name: str) -> int:
    depth = 0
    for index in range(start, len(tokens)):
        depth += (
            {"(": 1, ")": -1}.get(tokens[index].text, 0)
            if tokens[index].token_type.name in ("L_PAREN", "R_PAREN")
            else 0
        )
        if depth == 0:
            return index
    raise syntax_error(f"{name}: a parenthesis is not closed.")


def _split(tokens: list[Token]) -> list[list[Token]]:
    """The tokens between commas of the outer level."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += {"L_PAREN": 1, "R_PAREN": -1}.get(token.token_type.name, 0)
        if token.token_type.name == "COMMA" and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def _argument(source: str, tokens: list[Token], name: str) -> dict[str, Any]:
    texts = [token.text.upper() for token in tokens]
    if len(tokens) > 2 and texts[1] in ("OUT", "OUTPUT"):
        raise unsupported("OUT arguments", name)
    if len(tokens) > 2 and texts[1] in ("IN", "INPUT"):
        del tokens[1], texts[1]
    default = None
    end = len(tokens)
    if "DEFAULT" in texts:
        end = texts.index("DEFAULT")
        default = source[tokens[end + 1].start : tokens[-1].end + 1]
    if end < 2:
        raise syntax_error(f"{name}: an argument needs a name and a type.")
    type_ = source[tokens[1].start : tokens[end - 1].end + 1]
    declared.canonical(type_)
    return {"name": _name(source, tokens[0]), "type": type_, "default": default}


def _name(source: str, token: Token) -> str:
    """An argument's or a column's name, as it is kept."""
    written = source[token.start : token.end + 1]
    refuse_reserved(written)  # never one with its quotes
    return fold(written)


def _returns(
    source: str, tokens: list[Token], position: int, name: str
) -> tuple[str, list[tuple[str, str]] | None, int]:
    if tokens[position].text.upper() == "TABLE":
        close = _closing(tokens, position + 1, name)
        columns = []
        for part in _split(tokens[position + 2 : close]):
            columns.append((_name(source, part[0]), source[part[1].start : part[-1].end + 1]))
        for _, type_ in columns:
            declared.canonical(type_)
        return source[tokens[position].start : tokens[close].end + 1], columns, close + 1
    end = position + 1
    if end < len(tokens) and tokens[end].token_type.name == "L_PAREN":
        end = _closing(tokens, end, name) + 1
    returns = source[tokens[position].start : tokens[end - 1].end + 1]
    declared.canonical(returns)
    return returns, None, end


def _head_and_body(source: str, tokens: list[Token], position: int) -> tuple[str, str | None]:
    """What stands between RETURNS and AS, and the body after it."""
    start = tokens[position].start if position < len(tokens) else len(source)
    for index in range(position, len(tokens)):
        follows_execute = index and tokens[index - 1].text.upper() == "EXECUTE"
        if tokens[index].text.upper() == "AS" and not follows_execute:
            body = source[tokens[index].end + 1 :].strip()
            return source[start : tokens[index].start], unquote_text(body) if body.startswith(("'", "$$")) else body
    return source[start:], None


def _read_options(signature: Signature, head: str, name: str) -> None:
    rest = _WORDS.sub("", head).strip()
    if rest.startswith(","):
        raise unsupported("a comma between options", name)
    if found := _MISSING.match(rest):
        raise unsupported(" ".join(found[0].upper().split()), name)
    if rest:
        raise syntax_error(f"{name}: unexpected '{rest.split()[0]}' (an option that the local account does not know).")
    for found in _WORDS.finditer(head):
        values = {key: value for key, value in found.groupdict().items() if value}
        signature.language = values.get("language", signature.language).upper()
        signature.comment = unquote_text(values.get("comment", f"'{signature.comment}'")).strip('"')
        signature.runtime = values["runtime"].strip("'\"") if "runtime" in values else signature.runtime
        signature.packages = _list(values["packages"]) if "packages" in values else signature.packages
        signature.imports = _list(values["imports"]) if "imports" in values else signature.imports
        signature.handler = values["handler"].strip("'") if "handler" in values else signature.handler
        signature.rights = " ".join(values.get("rights", signature.rights).upper().split())


def _list(text: str) -> list[str]:
    return [unquote_text(item) for item in re.findall(r"'(?:[^']|'')*'", text)]


def _check(signature: Signature, name: str) -> None:
    if signature.language not in ("SQL", "PYTHON"):
        raise SqlError(
            2,
            f"Unsupported feature 'LANGUAGE {signature.language}' of the local account ({name}): SQL and PYTHON are there.",
        )
    if signature.language == "SQL" and not signature.body:
        raise syntax_error(f"{name}: the body is missing.")
    if len(signature.body or "") > LARGEST_BODY:
        raise syntax_error(f"{name}: the body is larger than 1 MB (rule PY-25).")
    if signature.language == "PYTHON":
        if not signature.handler:
            raise syntax_error(f"{name}: HANDLER is missing.")
        if signature.runtime not in RUNTIMES:
            raise SqlError(
                391_531,
                f"SQL compilation error: {name}: RUNTIME_VERSION '{signature.runtime}' cannot be created; use '3.11' or newer (3.9 was decommissioned; rule PY-01).",
            )
        names = [path.rsplit("/", 1)[-1] for path in signature.imports]
        if signature.body and signature.handler.split(".")[0] in {entry.split(".")[0] for entry in names}:
            raise syntax_error(f"{name}: the handler is in a file of IMPORTS, so there is no AS (rule PY-11).")
        doubled = sorted({entry for entry in names if names.count(entry) > 1})
        if doubled:
            raise SqlError(
                1008,
                f"SQL compilation error: {name}: IMPORTS land flat, so names must differ; doubled: {', '.join(doubled)} (rule PY-07).",
            )
