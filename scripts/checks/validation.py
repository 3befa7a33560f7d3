"""SYSTEM$VALIDATE_NATIVE_APP_SETUP: what the server can see of a setup script without running it (snowflake-cli/native-apps/validate-app).

It follows EXECUTE IMMEDIATE FROM, and looks at each statement, into blocks and SQL bodies, and at how the statements fit together; then `rules` look at the
bundle as a whole. An error is what Snowflake refuses: at once, or when the code in it is called. A warning is advice, or a rule that nobody has seen enforced.
"""

from __future__ import annotations

import dataclasses
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from local_account import (
    access,
    blocks,
    declared,
    handlers,
    manifests,
    procedures,
    rules,
    scripting,
    signatures,
    statements,
    streamlits,
    tasks,
)
from local_account.errors import SqlError
from local_account.syntax import PATH, Match, split_path, strip_comments, unquote_text

from checks.bundle import CREATE, GRANT, INCLUDE, Bundle
from checks.rules import ERROR, of_the_bundle

_ROLE = re.compile(rf"grant\s+application\s+role\s+({PATH})\s+to\s+application\s+role\s+({PATH})", re.IGNORECASE)
_TRANSACTION = re.compile(
    r"(?P<begins>begin|start)(?:\s+(?:transaction|work))?\s*\Z|(?:commit|rollback)\b", re.IGNORECASE
)
_UNQUALIFIED = {"SCHEMA", "VERSIONED SCHEMA", "APPLICATION ROLE"}
_SCHEDULES = re.compile(r"create\b[\w\s]*\btask\b|alter\s+task\b[\s\S]*\bresume\b|execute\s+task\b", re.IGNORECASE)
_EXECUTE_TASK = re.compile(rf"execute\s+task\s+({PATH})", re.IGNORECASE)
_NOT_VERSIONED = {"TASK", "SERVICE", "TAG", "MASKING POLICY"}
_STATE = {"TABLE", "STREAM", "SEQUENCE", "STAGE", "DYNAMIC TABLE", "HYBRID TABLE"}


# What one statement of the script shows (developer-guide/native-apps/update-app-develop, creating-setup-script).
_PRACTICES = [
    (id_, re.compile(pattern, re.IGNORECASE), says)
    for id_, pattern, says in (
        ("SET-06", r"drop\s+application\s+role\b", "older versions still grant to the role, and consumers hold it: keep it"),
        ("SET-28", rf"insert\s+overwrite\b|truncate\b|delete\s+from\b|insert\s+into\s+{PATH}\s*(?:\([^()]*\)\s*)?values\b", "the script runs again with each version: insert by MERGE .. WHEN NOT MATCHED or WHERE NOT EXISTS, delete nothing"),
        ("SET-29", r"merge\b[\s\S]*\bwhen\s+matched\b[\s\S]*\bthen\s+update\b", "a seed that updates takes back what the consumer has changed: insert only what is missing"),
        ("SET-30", r"create\s+or\s+replace\s+(?:transient\s+|hybrid\s+|dynamic\s+)?(?P<kind>table|sequence|stage)\b", "an upgrade would empty it: CREATE .. IF NOT EXISTS, or CREATE OR ALTER"),
        ("SET-31", r"create\s+or\s+replace\s+(?:transient\s+)?schema\b|drop\s+schema\b", "everything in the schema goes with it: CREATE SCHEMA IF NOT EXISTS"),
        ("SET-34", r"alter\s+table\b[\s\S]*\badd\s+column\s+(?!if\s+not\b)", "a second run fails: ADD COLUMN IF NOT EXISTS"),
        ("SET-46", r"create\s+(?:or\s+replace\s+|or\s+alter\s+)?task\b|alter\s+task\b[\s\S]*\bresume\b", "a feature policy of the consumer may refuse tasks: do it in a block or procedure with an EXCEPTION handler"),
        ("STR-01", r"create\s+or\s+replace\s+stream\b", "the rows that wait in it are lost: CREATE STREAM IF NOT EXISTS"),
        ("STR-12", r"alter\b[\s\S]*\bset\s+change_tracking\s*=\s*false\b", "the streams on the table break"),
        ("TSK-10", r"create\s+task\s+if\s+not\s+exists\b", "a later version's definition would never arrive: CREATE OR REPLACE or OR ALTER"),
        ("PY-01", r"create\s+(?:or\s+replace\s+|or\s+alter\s+)?(?:secure\s+)?(?:procedure|function)\b[\s\S]*\bruntime_version\s*=\s*(?:'3\.10'|[\d.]+)", "write RUNTIME_VERSION quoted, '3.11' or newer: 3.10 is deprecated"),
    )
]  # fmt: skip


def report_on(root: Path, shown: str) -> dict[str, Any]:
    """{"status": "SUCCESS" | "FAIL", "errors": [..], "warnings": [..]} as the client prints it."""
    report = Report(root)
    if not (root / "manifest.yml").is_file():
        report.error(93_009, f"not at the root of {shown}", "MAN-01")
    else:
        for errno, fault in manifests.faults(root):
            report.error(errno, fault)
        if not report.errors:
            report.run()
        if not report.errors:
            report.decide(Bundle(root))
    return {"status": "FAIL" if report.errors else "SUCCESS", "errors": report.errors, "warnings": report.warnings}


def _words(text: str | None) -> str:
    return " ".join((text or "").upper().split())


class Report:
    def __init__(self, root: Path) -> None:
        self.root, self.manifest = root, dict[str, Any]()
        self.place = "manifest.yml"  # file and line of what is looked at
        self.errors: list[dict[str, str]] = []
        self.warnings: list[dict[str, str]] = []
        self.schemas = {"PUBLIC": "SCHEMA", "INFORMATION_SCHEMA": "SCHEMA"}
        self.roles: set[str] = set()
        self.inherits: dict[str, set[str]] = defaultdict(set)  # role -> what it was granted
        self.usage: dict[str, set[str]] = defaultdict(set)  # schema -> roles that may use it
        self.grants: list[tuple[int, str, str, str, str, str]] = []  # number, place, kind, schema, name, role
        self.created: dict[tuple[str, str], int] = {}  # (kind, name) -> number of its last CREATE
        self.tasks: set[tuple[str, ...]] = set()
        self.children: set[tuple[str, ...]] = set()  # tasks that come after others
        self.statement = ""
        self.number, self.in_transaction = 0, False

    def error(self, errno: int, says: str, rule: str = "") -> None:
        entry = self._entry(f"{errno:06d}", says, rule)
        entry["message"] += f"\n  in: {self.statement}" if self.statement else ""
        self.errors.append(entry)

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        """What the account itself would refuse; what only the local account lacks is no mistake of the script."""
        try:
            yield
        except SqlError as error:
            if error.errno != 2:
                self.error(error.errno, error.message)

    def warn(self, rule: str, says: str, code: str = "") -> None:
        self.warnings.append(self._entry(code or rule, says, rule))

    def _entry(self, code: str, says: str, rule: str) -> dict[str, str]:
        message = f"{self.place}: {says}" + (f" (rule {rule})." if rule and rule not in says else "")
        return {"message": message, "cause": message, "errorCode": code}

    def run(self) -> None:
        self.manifest = manifests.read(self.root)
        for fault in manifests.practices(self.manifest):
            self.warn("", fault, "093302")
        self.read(f"/{manifests.setup_script(self.root, self.manifest).relative_to(self.root).as_posix()}", [])
        self._fit()

    def decide(self, bundle: Bundle) -> None:
        """The rules that need the whole bundle."""
        told, self.statement = str(self.warnings), ""
        for statement in bundle.statements:
            if statement.assembled:
                self.place = statement.place
                self._refusals(rules.clean(statement.text))
        for finding in of_the_bundle(bundle):
            self.place = finding.place
            if finding.severity == ERROR:
                self.error(1_003, finding.says, finding.rule)
            elif finding.rule not in told:
                self.warn(finding.rule, finding.says)

    def read(self, path: str, above: list[str]) -> None:
        """One file, and those that it includes."""
        file = self.root / path.lstrip("/")
        if path in above or len(above) >= blocks.DEEPEST_NESTING:
            self.error(
                93_161, f"{path} is included in a circle, or nested deeper than {blocks.DEEPEST_NESTING}", "SET-24"
            )
            return
        if not file.resolve().is_relative_to(self.root.resolve()) or not blocks.is_exact_file(file):
            self.error(93_159, f"File '{path}' named in EXECUTE IMMEDIATE FROM is not in the stage", "SET-21")
            return
        self.place, self.statement = path, ""
        try:
            statements = scripting.split(blocks.read_script(file, path))
        except SqlError as error:
            self.error(error.errno, error.message)
            return
        if not statements:
            self.error(900, "empty SQL file", "SET-21")
        for statement in statements:
            self.place, self.statement = f"{path}, line {statement.line}", " ".join(statement.text.split())[:120]
            self._statement(path, strip_comments(statement.text), [*above, path])

    def _statement(self, path: str, text: str, above: list[str]) -> None:
        self.number += 1
        if found := INCLUDE.match(text):
            written = unquote_text(found[1])
            base = "/" if written.startswith("/") else posixpath.dirname(path)
            self.read(posixpath.normpath(posixpath.join(base, written)), above)
            return
        cleaned, refused = rules.clean(text), len(self.errors)
        self._refusals(cleaned)
        for name in rules.unknown_references(text, self.manifest):
            self.error(505_026, f"the manifest defines no reference '{name}'", "MAN-30")
        is_block = scripting.is_block(text)
        is_code = re.match(r"create\s+(?:or\s+replace\s+)?(?:secure\s+)?procedure\b", cleaned, re.IGNORECASE)
        if is_block or (is_code and not re.search(r"\blanguage\s+(?!sql\b)\w+", cleaned, re.IGNORECASE)):
            self._pieces(text if is_block else text.partition("$$")[2].partition("$$")[0], is_block)
        if not is_block and len(self.errors) == refused:
            self._practices(cleaned)
            self._note(cleaned, text)
        if not is_block and len(self.errors) == refused:
            self._syntax(text)

    def _refusals(self, cleaned: str) -> None:
        for rule, message in rules.broken(cleaned, self.manifest):
            self.error(rule.errno, message)
        if function := rules.forbidden_function(cleaned):
            self.error(2_140, rules.forbidden(function))

    def _pieces(self, body: str, is_block: bool) -> None:
        """The statements inside a block or a body."""
        for piece in rules.inside(body):
            self._refusals(piece)
            if re.match(r"execute\s+immediate\s+from\s+'(?!/)", piece, re.IGNORECASE) and not is_block:
                self.error(1_003, "inside a procedure EXECUTE IMMEDIATE FROM takes paths like '/file.sql'", "SET-25")
            self._note(piece, "")
        if is_block and re.search(r"\bexception\s+when\b", body, re.IGNORECASE):
            handler = re.split(r"\bexception\s+when\b", body, flags=re.IGNORECASE)[-1]
            if not re.search(r"\b(raise|insert|call)\b", handler, re.IGNORECASE):
                self.warn("SET-45", "the handler swallows the error: RAISE, or write it to a table")

    def _practices(self, cleaned: str) -> None:
        for id_, pattern, says in _PRACTICES:
            if pattern.match(cleaned):
                self.warn(id_, says)
        if found := _TRANSACTION.match(cleaned):
            self.in_transaction = bool(found["begins"])
        elif self.in_transaction and re.match(r"(?:create|alter|drop|grant)\b", cleaned, re.IGNORECASE):
            self.warn("SET-27", "a definition commits the transaction that BEGIN opened")

    def _note(self, cleaned: str, text: str) -> None:
        """What a statement adds to the picture; ``text`` is empty inside blocks and bodies."""
        if found := CREATE.match(cleaned):
            self._create(found, text)
        elif found := _ROLE.match(cleaned):
            self.inherits[split_path(found[2])[-1]].add(split_path(found[1])[-1])
        elif found := GRANT.match(cleaned):
            self._grant(found, bool(text))
        if (found := _EXECUTE_TASK.match(cleaned)) and tuple(split_path(found[1])[-2:]) in self.children:
            self.error(tasks.GRAPH_ERROR, "only the root of a graph can be executed", "TSK-27")
        if _SCHEDULES.match(cleaned):
            self._need("EXECUTE TASK", "MAN-17")
            if cleaned[:6].upper() == "CREATE" and not re.search(r"\bwarehouse\s*=", cleaned, re.IGNORECASE):
                self._need("EXECUTE MANAGED TASK", "MAN-18")

    def _need(self, privilege: str, rule: str) -> None:
        if privilege not in manifests.privileges(self.manifest):
            self.error(3_001, f"needs {privilege}, which the manifest does not ask for", rule)

    def _create(self, found: re.Match[str], text: str) -> None:
        kind, how, path = _words(found["kind"]), _words(found["how"]), split_path(found["name"])
        shown = f"CREATE {kind} {found['name']}"
        if kind in ("SCHEMA", "VERSIONED SCHEMA"):
            if self.schemas.setdefault(path[-1], kind) != kind:
                self.warn("SCH-07", f"{shown}: the schema is versioned and ordinary at once")
        elif kind == "APPLICATION ROLE":
            self.roles.add(path[-1])
        elif kind == "TASK":
            self.tasks.add(tuple(path[-2:]))
        if not text:
            return
        if not how and not found["guard"]:
            if kind == "APPLICATION ROLE":
                self.warn("SET-06", f"{shown} without IF NOT EXISTS: a second run fails", "093352")
            elif kind != "VERSIONED SCHEMA":
                self.warn(
                    "SET-05", f"{shown} without IF NOT EXISTS, OR REPLACE or OR ALTER: a second run fails", "093351"
                )
        elif kind == "APPLICATION ROLE" and how == "OR REPLACE":
            self.warn("SET-06", f"{shown}: OR REPLACE takes away every grant of the role: use IF NOT EXISTS")
        if kind in _UNQUALIFIED or not self._has_schema(shown, path):
            return
        is_versioned = self.schemas.get(path[-2]) == "VERSIONED SCHEMA"
        if is_versioned and kind in _NOT_VERSIONED:
            rule = "SCH-01" if kind == "TASK" else "SCH-02"
            self.error(93_205, f"{shown}: it cannot stand in a versioned schema: use an ordinary one", rule)
        elif is_versioned and kind in _STATE:
            self.warn("SCH-03", f"{shown}: each version starts with an empty one: use an ordinary schema")
        elif kind == "STREAMLIT":
            if not is_versioned:
                self.warn("SCH-05", f"{shown}: put it in a versioned schema")
            with self._reporting():
                streamlits.page(self.root, text[found.end() :].strip(), path[-1])
        self.created[kind, ".".join(path[-2:])] = self.number
        if kind in ("PROCEDURE", "FUNCTION"):
            self._signature(kind, path, text[found.end() :].lstrip().removeprefix("("), is_versioned)

    def _has_schema(self, shown: str, path: list[str]) -> bool:
        """Whether the name has one, and it is there."""
        if len(path) == 1:
            self.warn("SET-07", f"{shown} is written without its schema", "093353")
            return False
        if len(path) == 3:
            self.warn("SET-08", f"{shown}: the database's name is another in each installation: leave it out")
        if path[-2] not in self.schemas:
            self.warn("SET-09", f"{shown}: the script has not created the schema {path[-2]} before")
        return True

    def _signature(self, kind: str, path: list[str], rest: str, is_versioned: bool) -> None:
        """The rules of CREATE PROCEDURE and CREATE FUNCTION that need no account."""
        signature = None
        with self._reporting():
            signature = signatures.parse(rest, path[-1])
        if not signature:  # refused, or another language: its grants are no fault besides
            self.created.pop((kind, ".".join(path[-2:])), None)
            return
        self.created[kind, f"{path[-2]}.{signature.key(path[-1])}"] = self.number
        if signature.language == "PYTHON":
            named = {package: handlers.name_of(package) for package in signature.packages}
            for package in (package for package, name in named.items() if not name):
                self.error(391_525, f"PACKAGES has '{package}', which is neither name nor name==version", "PY-04")
            if kind == "PROCEDURE" and "snowflake-snowpark-python" not in named.values():
                self.error(391_525, "a Python procedure names snowflake-snowpark-python in PACKAGES", "PY-03")
            if not (self.manifest.get("artifacts") or {}).get("extension_code"):
                self.warn("MAN-33", "the manifest should say artifacts.extension_code: true")
        if signature.imports and not is_versioned:
            self.error(93_203, "code with IMPORTS stands only in a versioned schema", "SCH-04")
        with self._reporting():
            procedures.imported_files(self.root, signature.imports, path[-1])
            if kind == "PROCEDURE" and signature.language == "SQL":
                procedures.require_syntax(dataclasses.asdict(signature))

    def _grant(self, found: re.Match[str], at_top: bool) -> None:
        path, role, kind = split_path(found["name"]), split_path(found["role"])[-1], _words(found["kind"])
        what = _words(found["all"]).split()[1].removesuffix("S") if found["all"] else kind
        allowed = access.GRANTABLE.get(what)
        if what in ("DATABASE", "WAREHOUSE"):
            # a procedure may have made it in the consumer's account: the application owns it and grants on it
            # (docs.snowflake.com/en/sql-reference/sql/create-application-role)
            if at_top:
                self.error(3_008, f"the script has no {what.lower()} of its own to grant on", "SET-14")
            return
        for privilege in (_words(item) for item in found["privileges"].split(",")):
            if allowed and privilege not in allowed and not privilege.startswith(("CREATE ", "ALL")):
                self.error(3_008, f"{privilege} cannot be granted on a {what.lower()}", "SET-14")
        if kind == "SCHEMA" and not found["all"]:
            self.usage[path[-1]].add(role)
        if not at_top:
            return
        if role not in self.roles:
            self.warn("SET-11", f"the script has not created the application role {role} before")
        if kind == "SCHEMA":
            if found["all"]:
                self.grants.append((self.number, self.place, "", path[-1], "", role))
        elif self._has_schema(f"GRANT ON {kind} {found['name']}", path):
            name = ".".join(path[-2:])
            if found["types"]:
                types = procedures.split_types(found["types"][1:-1])
                with suppress(SqlError):  # a type that the local account does not have
                    name += f"({', '.join(declared.canonical(type_) for type_ in types)})"
                if (kind, ".".join(path[-2:])) in self.created and "(" in name and (kind, name) not in self.created:
                    self.error(2_003, f"the script has created no {kind.lower()} {name} before", "SET-15")
            self.grants.append((self.number, self.place, kind, path[-2], name, role))

    def _syntax(self, text: str) -> None:
        found = statements.route(text, [])
        if found and found[0] is tasks.create:
            self._task(found[1])
        elif not found:
            try:
                statements.require_readable(text)
            except SqlError as error:
                self.error(error.errno, error.message)

    def _task(self, match: Match) -> None:
        if re.search(r"\bwarehouse\s*=\s*reference\b", match.raw("rest"), re.IGNORECASE):
            self.error(505_019, "nothing is bound yet to a reference when the script runs", "TSK-22")
            return
        with self._reporting():
            name = match.path()[-2:]
            task = tasks.parse(match.raw("rest"), name[-1])
            statements.require_readable(task["body"])
            parents = [split_path(path)[-2:] for path in task["after"]]
            for parent in parents if len(name) == 2 else []:
                self.children.add(tuple(name))
                if parent[0] != name[0]:
                    self.error(tasks.GRAPH_ERROR, f"{name[1]} and {parent[-1]}: a graph stands in one schema", "TSK-01")
                elif tuple(parent) not in self.tasks:
                    self.error(2_003, f"{name[1]} comes after {parent[1]}, which the script has not created", "TSK-02")

    def _fit(self) -> None:
        """What only the whole script shows."""
        self.statement = ""
        for number, place, kind, schema, name, role in self.grants:
            self.place = place
            held, waiting = set(), [role]
            while waiting:
                held.add(waiting[-1])
                waiting += self.inherits[waiting.pop()] - held
            if not held & self.usage[schema]:
                self.warn("SET-16", f"{role} has no USAGE on the schema {schema}")
            if self.created.get((kind, name), 0) > number:
                self.warn("SET-17", f"{name} is created again after this grant, which is lost: grant behind it")
        self.place = "the setup script"
        for schema, kind in self.schemas.items():
            if kind == "VERSIONED SCHEMA" and not self.usage[schema]:
                self.warn("SET-19", f"each version must grant USAGE on its versioned schema {schema} again")
        created = {(kind, name.split("(")[0]) for kind, name in self.created}
        for key, written in manifests.callbacks(self.manifest):
            if ("PROCEDURE", ".".join(split_path(str(written)))) not in created:
                self.error(2_003, f"there is no procedure {written}, the manifest's {key}", "MAN-25")
        if streamlit := (self.manifest.get("artifacts") or {}).get("default_streamlit"):
            name = ".".join(split_path(str(streamlit)))
            if ("STREAMLIT", name) not in created:
                self.error(2_003, f"there is no Streamlit {streamlit}, the manifest's default", "MAN-10")
            elif ("STREAMLIT", name) not in {(kind, granted) for _, _, kind, _, granted, _ in self.grants}:
                self.warn("MAN-11", f"no application role may use the Streamlit {streamlit}")
