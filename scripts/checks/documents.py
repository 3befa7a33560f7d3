"""The pages that are made of the comments in the setup files: the data dictionary and the reference of procedures."""

from __future__ import annotations

import re
from pathlib import Path

from checks.bundle import Bundle, Code

PAGES = {"docs/data-dictionary.md": "tables and views", "docs/procedures.md": "procedures and functions"}
_ROLE = re.compile(r"app_\w+")


def written(bundle: Bundle) -> dict[str, str]:
    """Each page as it should stand, by its path from the clone's root."""
    return {"docs/data-dictionary.md": _dictionary(bundle), "docs/procedures.md": _procedures(bundle)}


def drifted(bundle: Bundle, root: Path) -> list[str]:
    """The pages that do not say what the setup files say."""
    return [name for name, text in written(bundle).items() if not _is(root / name, text)]


def write(bundle: Bundle, root: Path) -> None:
    for name, text in written(bundle).items():
        (root / name).write_text(text, encoding="utf-8")


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _head(title: str, what: str) -> list[str]:
    note = f"Made by `scripts/check --fix` of the comments in `app/setup`; edit them there. {what}"
    return [f"# {title}", "", note, ""]


def _holders(bundle: Bundle) -> dict[str, dict[str, list[str]]]:
    """Object -> application role -> its privileges."""
    found: dict[str, dict[str, list[str]]] = {}
    for _, grant in bundle.grants:
        held = found.setdefault(grant["name"].lower(), {}).setdefault(grant["role"].lower(), [])
        held += [" ".join(word.split()).lower() for word in grant["privileges"].split(",")]
    return found


def _dictionary(bundle: Bundle) -> str:
    lines = _head("Data dictionary", "A table's description ends with its grain. Times are UTC, amounts USD.")
    about = {s.name: found[1] for s in bundle.script if (found := re.search(r"\bcomment = '([^']*)'", s.text))}
    holders = _holders(bundle)
    for schema in bundle.schemas:
        relations = [r for r in bundle.relations.values() if r.name.startswith(f"{schema}.")]
        if relations:
            lines += [f"## {schema}", "", f"{about[schema].replace(chr(39) * 2, chr(39))}.", ""]
        for relation in relations:
            held = "; ".join(f"`{role}`: {', '.join(held)}" for role, held in holders.get(relation.name, {}).items())
            lines += [f"### {relation.name}", "", f"{relation.kind.capitalize()}. {_escaped(relation.comment)}", ""]
            lines += [f"Granted to {held}." if held else "Granted to nobody.", ""]
            lines += ["| Column | Type | Holds |", "|---|---|---|"]
            for column in relation.columns.values():
                kind = f"{column.type}{', not null' if column.is_needed else ''}" if column.type else ""
                lines.append(f"| `{column.name}` | {kind} | {_escaped(column.comment)} |")
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _procedures(bundle: Bundle) -> str:
    lines = _head("Procedures and functions", "Whoever calls one needs the application role that stands with it.")
    holders = _holders(bundle)
    granted = [code for code in bundle.code if holders.get(code.name)]
    internal = [code for code in bundle.code if not holders.get(code.name)]
    for code in sorted(granted, key=lambda code: code.name):
        roles = ", ".join(f"`{role}`" for role in holders[code.name])
        lines += [
            f"## {code.name}",
            "",
            "```text",
            _written(code),
            "```",
            "",
            f"{_escaped(code.signature.comment)}.",
            "",
        ]
        lines += [f"{code.kind.capitalize()}, for {roles}."]
        if code.signature.table:
            columns = ", ".join(f"`{name.lower()}` {kind.lower()}" for name, kind in code.signature.table)
            lines += ["", f"Columns: {columns}."]
        lines.append("")
    lines += ["## Inside", "", "What the app calls itself; granted to nobody.", "", "| Name | Does |", "|---|---|"]
    for code in sorted(internal, key=lambda code: code.name):
        lines.append(f"| `{_written(code)}` | {_escaped(code.signature.comment)} |")
    return "\n".join(lines).rstrip() + "\n"


def _written(code: Code) -> str:
    """The signature as a caller reads it."""
    arguments = [
        f"{argument['name'].lower()} {argument['type'].lower()}"
        + (f" default {argument['default'].lower()}" if argument["default"] else "")
        for argument in code.signature.arguments
    ]
    returns = "table" if code.signature.table is not None else code.signature.returns.lower()
    return f"{code.name}({', '.join(arguments)}) -> {returns}"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").rstrip(".")
