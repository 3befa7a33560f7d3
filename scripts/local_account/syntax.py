"""Reading the statements that no SQL parser knows: patterns, names, options.

A pattern is written as a person would write the statement: words, ``{name}`` for an identifier path, ``{text}`` for a string literal,
``{rest}`` for whatever follows, ``[words]`` for what may be there, ``a|b`` for a choice between words.
"""

from __future__ import annotations

import re
from typing import Any

from local_account.errors import SqlError, syntax_error, unsupported

IDENTIFIER = r'(?:"(?:[^"]|"")+"|[A-Za-z_][\w$]*)'
PATH = rf"{IDENTIFIER}(?:\.{IDENTIFIER}){{0,2}}"
TEXT = r"'(?:[^'\\]|''|\\.)*'"
_SLOTS = {
    "rest": r"[\s\S]*",
    "text": TEXT,
    "words": r"(?:all\s+\w+\s+in\s+schema|future\s+\w+\s+in\s+schema|file\s+format|(?:share\s+in\s+)?application\s+(?:role|package)|[a-z]+)(?=\s|\Z)",
    "list": r"[A-Za-z_]+(?:\s+[A-Za-z_]+)*(?:\s*,\s*[A-Za-z_]+(?:\s+[A-Za-z_]+)*)*",
    "target": PATH + r"(?:\s*\([^()]*(?:\([^()]*\)[^()]*)*\))?",
    "direction": r"to|on|of",
}
_OPAQUE = re.compile(rf"--[^\n]*|(?<![:/])//[^\n]*|/\*[\s\S]*?\*/|{TEXT}|\$\$[\s\S]*?\$\$|\"(?:[^\"]|\"\")*\"")
_COMMENT = re.compile(r"--|//|/\*")
_FILES = re.compile(r"\s*(?:put|get)\b", re.IGNORECASE)  # file:///folder/** is no comment
_BODY = re.compile(r"\bas\b(?!\s+(?:owner|caller|restricted)\b)", re.IGNORECASE)
_IDENTIFIER_CALL = re.compile(
    rf"\b(?:identifier|table)\s*\(\s*(?:(?:cast\()?(?P<bind>\?)(?: as varchar\))?|(?P<text>{TEXT})|\$(?P<variable>\w+))\s*\)",
    re.IGNORECASE,
)
_OPTION = re.compile(
    rf"\s*,?\s*(?P<key>[A-Za-z_][\w ]*?)\s*=\s*(?P<value>{TEXT}|\$\$[\s\S]*?\$\$|\([^()]*(?:\([^()]*\)[^()]*)*\)|\"[^\"]*\"|[^\s,()]+)"
)
_CLAUSE = re.compile(r"\s*(?:with\s+)?(tag\s*\(|execute\s+as\b)", re.IGNORECASE)


def strip_comments(text: str) -> str:
    """The statement without comments, but those of a body after AS, without white space around it and without its semicolon."""
    if _COMMENT.search(text) and not _FILES.match(text):
        hidden = _OPAQUE.sub(_blank, text)
        body = _BODY.search(hidden) if hidden.lstrip()[:6].lower() == "create" else None
        end = body.start() if body else len(text)
        text = (
            _OPAQUE.sub(lambda found: _blank(found) if _COMMENT.match(found[0]) else found[0], text[:end]) + text[end:]
        )
    return text.strip().rstrip(";").rstrip()


def _blank(found: re.Match[str]) -> str:
    """As many blanks and lines, so that positions stay."""
    return re.sub(r"[^\n]", " ", found[0])


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """The regular expression of a pattern (see the module's text)."""
    parts: list[str] = []
    for token in re.findall(r"\[[^\]]+\]|\{\w+(?::\w+)?\}|[^\s\[\]{}]+", pattern):
        if token.startswith("["):
            words = token[1:-1]
            group = re.sub(r"\W+", "_", words.split("{")[0].strip()) or "optional"
            inner = compile_pattern(words).pattern.removeprefix(r"\A").removesuffix(r"\s*\Z")
            parts.append(rf"(?:(?P<{group}>{inner})(?:\s+|(?=\W)|\Z))?" if "{" not in words else rf"(?:{inner}\s*)?")
        elif token.startswith("{"):
            name, _, kind = token[1:-1].partition(":")
            parts.append(rf"(?P<{name}>{_SLOTS.get(kind or name, PATH)})\s*")
        elif re.fullmatch(r"[\w$|]+", token):
            parts.append(rf"(?<![\w$])(?:{token.replace('$', chr(92) + '$')})(?![\w$])\s*")
        else:
            parts.append(rf"{re.escape(token)}\s*")
    return re.compile(r"\A" + "".join(parts) + r"\s*\Z", re.IGNORECASE)


class Match:
    """What a pattern found in a statement."""

    def __init__(self, found: re.Match[str], text: str, binds: list[Any]) -> None:
        self.groups, self.text, self.binds = found.groupdict(), text, binds

    def has(self, words: str) -> bool:
        """Whether the optional words were there."""
        return bool(self.groups.get(words.replace(" ", "_")))

    def path(self, slot: str = "name") -> list[str]:
        """The parts of an identifier path, folded to upper case unless quoted."""
        return split_path(self.groups[slot] or "")

    def name(self, slot: str = "name") -> str:
        """A one-part name."""
        parts = self.path(slot)
        if len(parts) != 1:
            raise syntax_error(f"expected a simple name, found '{self.groups[slot]}'")
        return parts[0]

    def raw(self, slot: str) -> str:
        return (self.groups.get(slot) or "").strip()

    def literal(self, slot: str = "text") -> str:
        return unquote_text(self.raw(slot))

    def options(self, *allowed: str, slot: str = "rest") -> dict[str, str]:
        """KEY = value options; a key that is not allowed is refused by name."""
        return parse_options(self.raw(slot), allowed)


def inline_identifiers(text: str, binds: list[Any], variables: dict[str, Any]) -> tuple[str, list[Any]]:
    """The statement with the names in place that IDENTIFIER(?), IDENTIFIER('..') and IDENTIFIER($variable) stand for, and the binds left;
    TABLE(..) means the same where it has one of these."""
    if not _IDENTIFIER_CALL.search(text):
        return text, binds
    hidden = _OPAQUE.sub(lambda found: " " * len(found[0]), text)
    marks = [found.start() for found in re.finditer(r"\?", hidden)]
    parts, last, used = [], 0, set()
    for found in _IDENTIFIER_CALL.finditer(text):
        if hidden[found.start()] == " ":
            continue
        if found["bind"]:
            number = marks.index(found.start("bind"))
            used.add(number)
            value = binds[number] if number < len(binds) else None
        else:
            value = unquote_text(found["text"]) if found["text"] else variables.get(found["variable"].upper())
        if not re.fullmatch(PATH, str(value)):
            raise syntax_error(f"IDENTIFIER('{value}') is not the name of an object.")
        parts += [text[last : found.start()], str(value)]
        last = found.end()
    left = [value for number, value in enumerate(binds) if number not in used]
    named = "".join([*parts, text[last:]])
    return _OPAQUE.sub(lambda found: " " if found[0].startswith("/*") else found[0], named), left


def split_path(text: str) -> list[str]:
    return [fold(part) for part in re.findall(IDENTIFIER, text)]


def fold(identifier: str) -> str:
    """An identifier as the catalogue keeps it: quoted as written, unquoted in upper case."""
    if identifier.startswith('"'):
        return identifier[1:-1].replace('""', '"')
    return identifier.upper()


def unquote_text(literal: str) -> str:
    """The value of a string literal ('it''s', backslash escapes) or of $$text$$."""
    if literal.startswith("$$"):
        return literal[2:-2]
    if not literal.startswith("'"):
        return literal
    escapes = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}
    return re.sub(
        r"''|\\(.)", lambda m: "'" if m[0] == "''" else escapes.get(m[1], m[1]), literal[1:-1], flags=re.DOTALL
    )


_SIZES = ("XSMALL", "X-SMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE", "X-LARGE", "XXLARGE", "X2LARGE", "2X-LARGE")
_CHOICES = {  # option -> its values, in upper case
    **dict.fromkeys(
        """
        APPEND_ONLY AUTHORIZE_TELEMETRY_EVENT_SHARING AUTOCOMMIT AUTO_COMPRESS AUTO_RESUME DEBUG_MODE ENABLE_RELEASE_CHANNELS
        INITIALLY_SUSPENDED INSERT_ONLY MULTIPLE_INSTANCES OVERWRITE PURGE SHOW_INITIAL_ROWS USE_LOGICAL_TYPE
        """.split(),
        ("TRUE", "FALSE"),
    ),
    "DISTRIBUTION": ("INTERNAL", "EXTERNAL"),
    "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE": _SIZES,
    "WAREHOUSE_SIZE": (
        *_SIZES, "XXXLARGE", "X3LARGE", "3X-LARGE", "X4LARGE", "4X-LARGE", "X5LARGE", "5X-LARGE", "X6LARGE", "6X-LARGE",
    ),
}  # fmt: skip


def parse_options(text: str, allowed: tuple[str, ...]) -> dict[str, str]:
    """'A = 1 B = ''x''' -> {'A': '1', 'B': 'x'}; keys upper case; refuses what is not allowed or cannot be read."""
    found: dict[str, str] = {}
    position = 0
    text = text.strip()
    while position < len(text):
        if clause := _CLAUSE.match(text, position):
            raise unsupported(" ".join(clause[1].rstrip("( ").upper().split()))
        if not (option := _OPTION.match(text, position)):
            rest = " ".join(text[position : position + 40].split())
            raise SqlError(2, f"Unsupported feature: '{rest}' is not known to the local account here.")
        key = re.sub(r"\s+", " ", option["key"].strip().upper())
        if key not in allowed:
            raise SqlError(2, f"Unsupported feature: the option '{key}' is not known to the local account here.")
        if re.match(r"\$\w", option["value"]):
            raise unsupported("a session variable as an option", key)
        found[key] = unquote_text(option["value"])
        if found[key].upper() not in _CHOICES.get(key, (found[key].upper(),)):
            raise SqlError(
                1008, f"SQL compilation error:\ninvalid value [{option['value']}] for parameter '{key}'", "22023"
            )
        position = option.end()
    return found


def like(pattern: str, name: str) -> bool:
    """SHOW .. LIKE: case-insensitive, % and _, backslash escapes."""
    regex = re.sub(
        r"\\(.)|(%)|(_)|(.)",
        lambda m: re.escape(m[1] or m[4] or "") if m[1] or m[4] else (".*" if m[2] else "."),
        pattern,
        flags=re.DOTALL,
    )
    return re.fullmatch(regex, name, re.IGNORECASE | re.DOTALL) is not None


# sql-reference/reserved-keywords: no names without quotes.
RESERVED = set(
    """
    all alter and any as between by check column connect create current delete distinct drop else exists following for from
    grant group having ilike in increment insert intersect into is like minus not null of on or order qualify regexp revoke
    rlike row rows sample select set some start table tablesample then to trigger union unique update values whenever
    where with
    """.upper().split()
)


def refuse_reserved(name: str, place: str = "") -> None:
    """Raises SqlError where a name that stands without quotes is a word that Snowflake keeps for itself."""
    if name.upper() in RESERVED:
        raise SqlError(
            1003,
            f"SQL compilation error:\nsyntax error{place} unexpected '{name}'. The word is reserved: quote it",
            "42000",
        )
