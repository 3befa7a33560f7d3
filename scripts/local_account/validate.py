"""SYSTEM$VALIDATE_NATIVE_APP_SETUP: what the server checks of a setup script without running it (snowflake-cli/native-apps/validate-app).

It follows EXECUTE IMMEDIATE FROM, and looks at each statement's syntax and at the practices below. It does not read the manifest closely and it
does not look into Python, as Snowflake's does not.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from local_account import manifests, scripting, stages
from local_account.errors import SqlError
from local_account.syntax import PATH, strip_comments, unquote_text

if TYPE_CHECKING:
    from local_account.session import Session

_INCLUDE = re.compile(r"execute\s+immediate\s+from\s+('(?:[^']|'')*')\s*\Z", re.IGNORECASE)
_CREATE = re.compile(
    rf"create\s+(?P<how>or\s+replace\s+|or\s+alter\s+)?(?P<mid>(?:secure\s+|transient\s+|temporary\s+|temp\s+)*)"
    rf"(?P<kind>application\s+role|versioned\s+schema|table|view|procedure|function|stream|task|stage|schema|streamlit|sequence|file\s+format)\s+"
    rf"(?P<guard>if\s+not\s+exists\s+)?(?P<name>{PATH})",
    re.IGNORECASE,
)
_UNQUALIFIED_IS_FINE = {"SCHEMA", "VERSIONED SCHEMA", "APPLICATION ROLE"}


def setup_report(session: Session, written: str) -> dict[str, Any]:
    """{"status": "SUCCESS" | "FAIL", "errors": [..], "warnings": [..]} as the client prints it."""
    root = stages.local_path(session, written)
    report = Report(root)
    if not (root / "manifest.yml").is_file():
        report.error("093009", f"The file manifest.yml is not at the root of {written}.")
    else:
        try:
            manifest = manifests.read(root) or {}
        except yaml.YAMLError as error:
            report.error("093300", f"manifest.yml: invalid YAML: {error}")
            manifest = {}
        script = manifests.setup_script(root, manifest)
        report.read(f"/{script.relative_to(root).as_posix()}", [])
    return {"status": "FAIL" if report.errors else "SUCCESS", "errors": report.errors, "warnings": report.warnings}


class Report:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.errors: list[dict[str, str]] = []
        self.warnings: list[dict[str, str]] = []

    def error(self, code: str, message: str) -> None:
        self.errors.append({"message": message, "cause": message, "errorCode": code})

    def warn(self, code: str, message: str) -> None:
        self.warnings.append({"message": message, "cause": message, "errorCode": code})

    def read(self, path: str, above: list[str]) -> None:
        """One file, and those that it includes."""
        from local_account.blocks import DEEPEST_NESTING, is_exact_file

        if path in above or len(above) >= DEEPEST_NESTING:
            self.error("093161", f"{path}: included in a circle, or nested deeper than {DEEPEST_NESTING} files.")
            return
        file = self.root / path.lstrip("/")
        if (
            not file.resolve().is_relative_to(self.root.resolve())
            or not file.parent.is_dir()
            or not is_exact_file(file)
        ):
            self.error("093159", f"File '{path}' named in EXECUTE IMMEDIATE FROM is not in the stage.")
            return
        try:
            statements = scripting.split(file.read_text(encoding="utf-8"))
        except SqlError as error:
            self.error(f"{error.errno:06d}", f"{path}: {error.message}")
            return
        if not statements:
            self.error("000900", f"{path}: empty SQL file.")
        for statement in statements:
            self._statement(path, statement, [*above, path])

    def _statement(self, path: str, statement: Any, above: list[str]) -> None:
        text, place = strip_comments(statement.text), f"{path}, line {statement.line}"
        if found := _INCLUDE.match(text):
            written = unquote_text(found[1])
            base = "/" if written.startswith("/") else posixpath.dirname(path)
            self.read(posixpath.normpath(posixpath.join(base, written)), above)
        elif found := _CREATE.match(text):
            self._create(place, found)
        elif re.match(r"use\s+(database|schema|role|secondary)\b", text, re.IGNORECASE):
            self.error(
                "093200",
                f"{place}: {' '.join(text.split()[:2]).upper()} is not allowed in a setup script (rule SET-01): qualify names instead.",
            )
        elif not scripting.is_block(text):
            self._syntax(place, text)

    def _create(self, place: str, found: re.Match[str]) -> None:
        kind, how = " ".join(found["kind"].upper().split()), " ".join((found["how"] or "").upper().split())
        if kind == "VERSIONED SCHEMA" and how != "OR ALTER":
            self.error(
                "000002",
                f"{place}: CREATE VERSIONED SCHEMA {found['name']}: write CREATE OR ALTER VERSIONED SCHEMA (rule SET-04).",
            )
        elif kind == "APPLICATION ROLE" and not found["guard"] and how != "OR ALTER":
            self.warn(
                "093352",
                f"{place}: application role {found['name']} is created without IF NOT EXISTS: a second run fails.",
            )
        elif not how and not found["guard"]:
            self.warn(
                "093351",
                f"{place}: CREATE {kind} {found['name']} without IF NOT EXISTS, OR REPLACE or OR ALTER: a second run fails.",
            )
        if re.search(r"\btemp(orary)?\b", found["mid"], re.IGNORECASE):
            self.error("093201", f"{place}: temporary objects are not allowed in an application (rule SET-03).")
        if kind not in _UNQUALIFIED_IS_FINE and "." not in found["name"]:
            self.warn("093353", f"{place}: {found['name']} is written without its schema.")

    def _syntax(self, place: str, text: str) -> None:
        from local_account import engine
        from local_account.statements import ROUTES

        if any(pattern.match(text) for _, pattern, _ in ROUTES):
            return
        try:
            engine.parse(text)
        except SqlError as error:
            self.error(f"{error.errno:06d}", f"{place}: {error.message}")
