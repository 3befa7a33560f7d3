"""The style of SQL, as sqlfluff reads it; its rules and their reasons stand in pyproject.toml.

sqlfluff reads the body of a procedure as one text, so each body is handed over once more, by itself. It takes a minute for all, so what it had
nothing to say of is remembered.
"""

from __future__ import annotations

import hashlib
import re
from importlib.metadata import version
from pathlib import Path

from checks.rules import ERROR, Finding

# What Snowflake documents and sqlfluff cannot read, with the reason.
UNREADABLE = {"app/setup/ui/": "CREATE STREAMLIT .. FROM '/folder', the only form for apps, is unknown to sqlfluff 4"}
REMEMBERED = ".check_cache/sql.txt"
# `x varchar;` in DECLARE, which Snowflake documents and sqlfluff does not know: with a default it does.
_DECLARED = re.compile(r"^(    \w+ \w+(?:\([\d, ]*\))?);", re.MULTILINE)
_BODY = re.compile(r"\blanguage sql\b.*?\$\$\n(.*?)\$\$", re.DOTALL)


def findings(root: Path) -> list[Finding]:
    from sqlfluff.core import FluffConfig, Linter  # slow, and nothing else needs it

    linter = Linter(config=FluffConfig.from_path(str(root)))
    settings = version("sqlfluff") + (root / "pyproject.toml").read_text(encoding="utf-8")
    memory, found, clean = root / REMEMBERED, list[Finding](), set[str]()
    known = set(memory.read_text().split()) if memory.is_file() else set()
    for path in sorted((root / "app").rglob("*.sql")):
        name = path.relative_to(root).as_posix()
        for line, text in _pieces(path.read_text(encoding="utf-8")):
            key = hashlib.sha256(f"{settings}{name}{text}".encode()).hexdigest()
            before = len(found)
            for fault in () if key in known else linter.lint_string(text, fname=name).violations:
                if fault.rule_code() == "PRS" and name.startswith(tuple(UNREADABLE)):
                    continue
                found.append(Finding(ERROR, f"{name}, line {fault.line_no + line}", fault.desc(), fault.rule_code()))
            clean |= {key} if len(found) == before else set()
    memory.parent.mkdir(exist_ok=True)
    memory.write_text("\n".join(sorted(clean)))
    return found


def _pieces(text: str) -> list[tuple[int, str]]:
    """The file, and each body in it, with the number of lines before it."""
    pieces = [(0, text)]
    for body in _BODY.finditer(text):
        head, begin, rest = body[1].partition("\nbegin\n")
        declared = _DECLARED.sub(r"\1 default null;", head) if begin else head
        pieces.append((text[: body.start(1)].count("\n"), declared + begin + rest))
    return pieces
