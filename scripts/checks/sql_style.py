"""The style of SQL, as sqlfluff reads it; its rules and their reasons stand in pyproject.toml.

sqlfluff reads the body of a procedure as one text, so each body is handed over once more, by itself.
"""

from __future__ import annotations

import re
from pathlib import Path

from checks.rules import ERROR, Finding

# What Snowflake documents and sqlfluff cannot read, with the reason.
UNREADABLE = {"app/setup/ui/": "CREATE STREAMLIT .. FROM '/folder', the only form for apps, is unknown to sqlfluff 4"}
# `x varchar;` in DECLARE, which Snowflake documents and sqlfluff does not know: with a default it does.
_DECLARED = re.compile(r"^(    \w+ \w+(?:\([\d, ]*\))?);", re.MULTILINE)
_BODY = re.compile(r"\blanguage sql\b.*?\$\$\n(.*?)\$\$", re.DOTALL)


def findings(root: Path) -> list[Finding]:
    from sqlfluff.core import FluffConfig, Linter  # slow, and nothing else needs it

    linter = Linter(config=FluffConfig.from_path(str(root)))
    found = []
    for path in sorted((root / "app").rglob("*.sql")):
        name = path.relative_to(root).as_posix()
        for line, text in _pieces(path.read_text(encoding="utf-8")):
            for fault in linter.lint_string(text, fname=name).violations:
                if fault.rule_code() == "PRS" and name.startswith(tuple(UNREADABLE)):
                    continue
                found.append(Finding(ERROR, f"{name}, line {fault.line_no + line}", fault.desc(), fault.rule_code()))
    return found


def _pieces(text: str) -> list[tuple[int, str]]:
    """The file, and each body in it, with the number of lines before it."""
    pieces = [(0, text)]
    for body in _BODY.finditer(text):
        head, begin, rest = body[1].partition("\nbegin\n")
        declared = _DECLARED.sub(r"\1 default null;", head) if begin else head
        pieces.append((text[: body.start(1)].count("\n"), declared + begin + rest))
    return pieces
