"""SYSTEM$VALIDATE_NATIVE_APP_SETUP: what the server can see of a setup script without running it (snowflake-cli/native-apps/validate-app).

It follows EXECUTE IMMEDIATE FROM, and looks at each statement, into blocks and SQL bodies, and at how the statements fit together. What Snowflake
refuses is an error, what it advises against a warning. It does not look into Python, and of the manifest it only warns, as Snowflake's lets it pass.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local_account import access, blocks, declared, manifests, procedures, rules, scripting, signatures, stages, tasks
from local_account.errors import SqlError
from local_account.syntax import PATH, Match, split_path, strip_comments, unquote_text

if TYPE_CHECKING:
    from local_account.session import Session

_INCLUDE = re.compile(r"execute\s+immediate\s+from\s+('(?:[^']|'')*')\s*\Z", re.IGNORECASE)
_CREATE = re.compile(
    rf"create\s+(?P<how>or\s+replace\s+|or\s+alter\s+)?(?:(?:secure|transient|recursive)\s+)*"
    rf"(?P<kind>application\s+role|versioned\s+schema|(?:dynamic\s+|hybrid\s+)?table|(?:materialized\s+)?view|procedure|function|stream|task|stage|"
    rf"schema|streamlit|sequence|file\s+format|service|tag|masking\s+policy)\s+"
    rf"(?P<guard>if\s+not\s+exists\s+)?(?P<name>{PATH})",
    re.IGNORECASE,
)
_GRANT = re.compile(
    rf"grant\s+(?P<privileges>[\w\s,]+?)\s+on\s+(?P<all>all\s+\w+\s+in\s+)?(?P<kind>\w+(?:\s+(?:table|format|view))?)\s+"
    rf"(?P<name>{PATH})\s*(?P<types>\([^()]*(?:\([^()]*\)[^()]*)*\))?\s*to\s+application\s+role\s+(?P<role>{PATH})",
    re.IGNORECASE,
)
_ROLE = re.compile(rf"grant\s+application\s+role\s+({PATH})\s+to\s+application\s+role\s+({PATH})", re.IGNORECASE)
_TRANSACTION = re.compile(
    r"(?P<begins>begin|start)(?:\s+(?:transaction|work))?\s*\Z|(?:commit|rollback)\b", re.IGNORECASE
)
_UNQUALIFIED_IS_FINE = {"SCHEMA", "VERSIONED SCHEMA", "APPLICATION ROLE"}
_NOT_VERSIONED = {"TASK", "SERVICE", "TAG", "MASKING POLICY"}
_STATE = {"TABLE", "STREAM", "SEQUENCE", "STAGE", "DYNAMIC TABLE", "HYBRID TABLE"}


def setup_report(session: Session, written: str) -> dict[str, Any]:
    """{"status": "SUCCESS" | "FAIL", "errors": [..], "warnings": [..]} as the client prints it."""
    root = stages.local_path(session, written)
    report = Report(root)
    if not (root / "manifest.yml").is_file():
        report.error(93_009, f"The file manifest.yml is not at the root of {written} (rule MAN-01).")
    else:
        for errno, fault in manifests.faults(root):
            place = f"manifest.yml: {fault}"
            report.error(errno, place) if errno in (93_003, 93_084, 93_300) else report.warn(f"{errno:06d}", place)
        if not report.errors:
            report.run()
    return {"status": "FAIL" if report.errors else "SUCCESS", "errors": report.errors, "warnings": report.warnings}


def _words(text: str | None) -> str:
    return " ".join((text or "").upper().split())


class Report:
    def __init__(self, root: Path) -> None:
        self.root, self.manifest = root, {}
        self.errors: list[dict[str, str]] = []
        self.warnings: list[dict[str, str]] = []
        self.schemas = {"PUBLIC": "SCHEMA", "INFORMATION_SCHEMA": "SCHEMA"}
        self.roles: set[str] = set()
        self.inherits: dict[str, set[str]] = defaultdict(set)  # role -> what it was granted
        self.usage: dict[str, set[str]] = defaultdict(set)  # schema -> roles that may use it
        self.grants: list[tuple[int, str, str, str, str, str]] = []  # number, place, kind, schema, name, role
        self.created: dict[tuple[str, str], int] = {}  # (kind, name) -> number of its last CREATE
        self.tasks: dict[str, tuple[str, dict[str, Any]]] = {}
        self.resumed: set[str] = set()
        self.number, self.in_transaction = 0, False

    def error(self, errno: int, message: str) -> None:
        self.errors.append({"message": message, "cause": message, "errorCode": f"{errno:06d}"})

    def warn(self, code: str, message: str) -> None:
        self.warnings.append({"message": message, "cause": message, "errorCode": code})

    def run(self) -> None:
        self.manifest = manifests.read(self.root)
        self.read(f"/{manifests.setup_script(self.root, self.manifest).relative_to(self.root).as_posix()}", [])
        for fault in manifests.practices(self.manifest):
            self.warn("093302", f"manifest.yml: {fault}")
        self._together()

    def read(self, path: str, above: list[str]) -> None:
        """One file, and those that it includes."""
        file = self.root / path.lstrip("/")
        if path in above or len(above) >= blocks.DEEPEST_NESTING:
            self.error(
                93_161,
                f"{path}: included in a circle, or nested deeper than {blocks.DEEPEST_NESTING} files (rule SET-24).",
            )
        elif (
            not file.resolve().is_relative_to(self.root.resolve())
            or not file.parent.is_dir()
            or not blocks.is_exact_file(file)
        ):
            self.error(93_159, f"File '{path}' named in EXECUTE IMMEDIATE FROM is not in the stage (rule SET-21).")
        else:
            try:
                statements = scripting.split(blocks.read_script(file, path))
            except SqlError as error:
                self.error(error.errno, f"{path}: {error.message}")
                return
            if not statements:
                self.error(900, f"{path}: empty SQL file (rule SET-21).")
            for statement in statements:
                self._statement(path, f"{path}, line {statement.line}", strip_comments(statement.text), [*above, path])

    def _statement(self, path: str, place: str, text: str, above: list[str]) -> None:
        self.number += 1
        if found := _INCLUDE.match(text):
            written = unquote_text(found[1])
            base = "/" if written.startswith("/") else posixpath.dirname(path)
            self.read(posixpath.normpath(posixpath.join(base, written)), above)
            return
        cleaned, refused = rules.clean(text), len(self.errors)
        self._refusals(place, cleaned, warns=True)
        for name in rules.unknown_references(text, self.manifest):
            self.error(505_026, f"{place}: the manifest defines no reference '{name}' (rule MAN-30).")
        is_block = scripting.is_block(text)
        is_code = re.match(r"create\s+(?:or\s+replace\s+)?(?:secure\s+)?procedure\b", cleaned, re.IGNORECASE)
        if is_block or (is_code and not re.search(r"\blanguage\s+(?!sql\b)\w+", cleaned, re.IGNORECASE)):
            self._pieces(place, text if is_block else text.partition("$$")[2].partition("$$")[0], is_block)
        if not is_block and len(self.errors) == refused:
            self._practices(place, cleaned)
            self._note(place, cleaned, text)
        if not is_block and len(self.errors) == refused:
            self._syntax(place, text)

    def _refusals(self, place: str, cleaned: str, *, warns: bool) -> None:
        for rule, message in rules.broken(cleaned, self.manifest):
            if rule.errno:
                self.error(rule.errno, f"{place}: {message}")
            elif warns:
                self.warn(rule.id, f"{place}: {message}")
        if function := rules.forbidden_function(cleaned):
            self.error(2_140, f"{place}: {rules.forbidden(function)}")

    def _pieces(self, place: str, body: str, is_block: bool) -> None:
        """The statements inside a block or a body."""
        pieces = rules.inside(body)
        for piece in pieces:
            self._refusals(place, piece, warns=False)
            if re.match(r"execute\s+immediate\s+from\s+'(?!/)", piece, re.IGNORECASE) and not is_block:
                self.error(
                    1_003,
                    f"{place}: inside a procedure EXECUTE IMMEDIATE FROM takes paths like '/file.sql' (rule SET-25).",
                )
            self._note(place, piece, "")
        if is_block and re.search(r"\bexception\s+when\b", body, re.IGNORECASE):
            handler = re.split(r"\bexception\s+when\b", body, flags=re.IGNORECASE)[-1]
            if not re.search(r"\b(raise|insert|call)\b", handler, re.IGNORECASE):
                self.warn(
                    "SET-45", f"{place}: the handler swallows the error: RAISE, or write it to a table (rule SET-45)."
                )

    def _practices(self, place: str, cleaned: str) -> None:
        if found := _TRANSACTION.match(cleaned):
            self.in_transaction = bool(found["begins"])
        elif self.in_transaction and re.match(r"(?:create|alter|drop|grant)\b", cleaned, re.IGNORECASE):
            self.warn("SET-27", f"{place}: a definition commits the transaction that BEGIN opened (rule SET-27).")

    def _note(self, place: str, cleaned: str, text: str) -> None:
        """What a statement adds to the picture; ``text`` is empty inside blocks and bodies."""
        if found := _CREATE.match(cleaned):
            self._create(place, found, text)
        elif found := _ROLE.match(cleaned):
            self.inherits[split_path(found[2])[-1]].add(split_path(found[1])[-1])
        elif found := _GRANT.match(cleaned):
            self._grant(place, found, bool(text))
        elif found := re.match(rf"alter\s+task\s+(?:if\s+exists\s+)?({PATH})\s+resume\b", cleaned, re.IGNORECASE):
            self.resumed.add(split_path(found[1])[-1])
        if re.match(
            r"create\b[\w\s]*\btask\b|alter\s+task\b[\s\S]*\bresume\b|execute\s+task\b", cleaned, re.IGNORECASE
        ):
            self._need(place, "EXECUTE TASK", "MAN-17")
            if cleaned[:6].upper() == "CREATE" and not re.search(r"\bwarehouse\s*=", cleaned, re.IGNORECASE):
                self._need(place, "EXECUTE MANAGED TASK", "MAN-18")

    def _need(self, place: str, privilege: str, rule: str) -> None:
        if privilege not in manifests.privileges(self.manifest):
            self.error(3_001, f"{place}: needs {privilege}, which the manifest does not ask for (rule {rule}).")

    def _create(self, place: str, found: re.Match[str], text: str) -> None:
        kind, how, path = _words(found["kind"]), _words(found["how"]), split_path(found["name"])
        shown = f"{place}: CREATE {kind} {found['name']}"
        if kind in ("SCHEMA", "VERSIONED SCHEMA"):
            if self.schemas.setdefault(path[-1], kind) != kind:
                self.warn("SCH-07", f"{shown}: the schema is versioned and ordinary at once (rule SCH-07).")
        elif kind == "APPLICATION ROLE":
            self.roles.add(path[-1])
        if not text:
            return
        if not how and not found["guard"]:
            if kind == "APPLICATION ROLE":
                self.warn("093352", f"{shown} without IF NOT EXISTS: a second run fails (rule SET-06).")
            elif kind != "VERSIONED SCHEMA":
                self.warn(
                    "093351",
                    f"{shown} without IF NOT EXISTS, OR REPLACE or OR ALTER: a second run fails (rule SET-05).",
                )
        elif kind == "APPLICATION ROLE" and how == "OR REPLACE":
            self.error(2, f"{shown}: OR REPLACE takes away every grant of the role: use IF NOT EXISTS (rule SET-06).")
        if kind in _UNQUALIFIED_IS_FINE or not self._has_schema(shown, path):
            return
        is_versioned = self.schemas.get(path[-2]) == "VERSIONED SCHEMA"
        if is_versioned and kind in _NOT_VERSIONED:
            number = {"TASK": 1, "SERVICE": 2}.get(kind, 2)
            self.error(
                93_205,
                f"{shown}: no {kind.lower()} stands in a versioned schema: use an ordinary one (rule SCH-0{number}).",
            )
        elif is_versioned and kind in _STATE:
            self.warn(
                "SCH-03", f"{shown}: each version starts with an empty one: use an ordinary schema (rule SCH-03)."
            )
        elif kind == "STREAMLIT" and not is_versioned:
            self.warn("SCH-05", f"{shown}: put it in a versioned schema (rule SCH-05).")
        self.created[kind, ".".join(path[-2:])] = self.number
        if kind in ("PROCEDURE", "FUNCTION"):
            self._signature(place, kind, path, text[found.end() :].lstrip().removeprefix("("), is_versioned)

    def _has_schema(self, shown: str, path: list[str]) -> bool:
        """Whether the name has one, and it is there."""
        if len(path) == 1:
            self.warn("093353", f"{shown} is written without its schema (rule SET-07).")
            return False
        if len(path) == 3:
            self.warn(
                "SET-08", f"{shown}: the database's name is another in each installation: leave it out (rule SET-08)."
            )
        if path[-2] not in self.schemas:
            self.warn("SET-09", f"{shown}: the script has not created the schema {path[-2]} before (rule SET-09).")
        return True

    def _signature(self, place: str, kind: str, path: list[str], rest: str, is_versioned: bool) -> None:
        """The rules of CREATE PROCEDURE and CREATE FUNCTION that need no account."""
        try:
            signature = signatures.parse(rest, path[-1])
        except SqlError as error:
            if error.errno != 2:  # what only the local account lacks is no mistake of the script
                self.error(error.errno, f"{place}: {error.message}")
            return
        self.created[kind, f"{path[-2]}.{signature.key(path[-1])}"] = self.number
        if signature.language == "PYTHON":
            names = {re.split(r"[=<>\s]", package)[0] for package in signature.packages}
            if kind == "PROCEDURE" and "snowflake-snowpark-python" not in names:
                self.error(
                    391_525, f"{place}: a Python procedure names snowflake-snowpark-python in PACKAGES (rule PY-03)."
                )
            if not (self.manifest.get("artifacts") or {}).get("extension_code"):
                self.warn("MAN-33", f"{place}: the manifest should say artifacts.extension_code: true (rule MAN-33).")
        if signature.imports and not is_versioned:
            self.error(93_203, f"{place}: code with IMPORTS stands only in a versioned schema (rule SCH-04).")
        try:
            procedures.imported_files(self.root, signature.imports, path[-1])
        except SqlError as error:
            self.error(error.errno, f"{place}: {error.message}")

    def _grant(self, place: str, found: re.Match[str], at_top: bool) -> None:
        path, role, kind = split_path(found["name"]), split_path(found["role"])[-1], _words(found["kind"])
        allowed = access.GRANTABLE.get(kind)
        for privilege in (_words(item) for item in found["privileges"].split(",")):
            if (
                allowed
                and not found["all"]
                and privilege not in allowed | {"ALL", "ALL PRIVILEGES"}
                and not privilege.startswith("CREATE ")
            ):
                self.error(3_008, f"{place}: {privilege} cannot be granted on a {kind.lower()} (rule SET-14).")
        if kind == "SCHEMA" and not found["all"]:
            self.usage[path[-1]].add(role)
        if not at_top:
            return
        if role not in self.roles:
            self.warn(
                "SET-11", f"{place}: the script has not created the application role {role} before (rule SET-11)."
            )
        if kind == "SCHEMA":
            if found["all"]:
                self.grants.append((self.number, place, "", path[-1], "", role))
        elif self._has_schema(f"{place}: GRANT ON {kind} {found['name']}", path):
            name = ".".join(path[-2:])
            if found["types"]:
                types = procedures.split_types(found["types"][1:-1])
                name += f"({', '.join(declared.canonical(type_) for type_ in types)})"
                if self.schemas.get(path[-2]) == "VERSIONED SCHEMA" and (kind, name) not in self.created:
                    self.error(2_003, f"{place}: the script has created no {kind.lower()} {name} before (rule SET-15).")
            self.grants.append((self.number, place, kind, path[-2], name, role))

    def _syntax(self, place: str, text: str) -> None:
        from local_account import engine
        from local_account.statements import ROUTES

        for _, pattern, function in ROUTES:
            if found := pattern.match(text):
                if function is tasks.create:
                    self._task(place, Match(found, text, []))
                return
        try:
            engine.parse(text)
        except SqlError as error:
            self.error(error.errno, f"{place}: {error.message}")

    def _task(self, place: str, match: Match) -> None:
        name = match.path()[-1]
        try:
            task = tasks.parse(match.raw("rest"), name)
        except SqlError as error:
            if error.errno != 2:
                self.error(error.errno, f"{place}: {error.message}")
            return
        self.tasks[name] = (place, task | {"replaced": match.has("or replace")})
        advice = {
            "TSK-13": (task["after"] or "SUSPEND_TASK_AFTER_NUM_FAILURES" in task["options"], "say SUSPEND_TASK_AFTER_NUM_FAILURES"),
            "TSK-14": ("USER_TASK_TIMEOUT_MS" in task["options"], "say USER_TASK_TIMEOUT_MS"),
            "TSK-16": ({"WAREHOUSE", "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE"} & set(task["options"]), "say USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE, which is MEDIUM otherwise"),
            "TSK-23": (re.match(rf"call\s+{PATH}\s*\(", task["body"], re.IGNORECASE), "let its body be one CALL of a procedure, with its schema"),
        }  # fmt: skip
        for rule, (is_kept, remedy) in advice.items():
            if not is_kept:
                self.warn(rule, f"{place}: task {name}: {remedy} (rule {rule}).")

    def _together(self) -> None:
        """What only the whole script shows."""
        for number, place, kind, schema, name, role in self.grants:
            held, waiting = set(), [role]
            while waiting:
                held.add(waiting[-1])
                waiting += self.inherits[waiting.pop()] - held
            if not held & self.usage[schema]:
                self.warn("SET-16", f"{place}: {role} has no USAGE on the schema {schema} (rule SET-16).")
            if self.created.get((kind, name), 0) > number:
                self.warn(
                    "SET-17",
                    f"{place}: {name} is created again after this grant, which is lost: grant behind it (rule SET-17).",
                )
        for schema, kind in self.schemas.items():
            if kind == "VERSIONED SCHEMA" and not self.usage[schema]:
                self.warn(
                    "SET-19",
                    f"Versioned schema {schema}: each version's script must grant USAGE on it again (rule SET-19).",
                )
        for name, (place, task) in self.tasks.items():
            if task["replaced"] and name not in self.resumed:
                self.warn("TSK-09", f"{place}: task {name} arrives suspended, and nothing resumes it (rule TSK-09).")
            if (
                task["when"]
                and task["after"]
                and any(name in split_path(",".join(other["after"])) for _, other in self.tasks.values())
            ):
                self.warn("TSK-19", f"{place}: when {name} is skipped, so are the tasks behind it (rule TSK-19).")
        created = {(kind, name.split("(")[0]) for kind, name in self.created}
        for key, written in manifests.callbacks(self.manifest):
            if ("PROCEDURE", ".".join(split_path(str(written)))) not in created:
                self.warn("MAN-25", f"manifest.yml: {key}: the script creates no procedure {written} (rule MAN-25).")
        if streamlit := (self.manifest.get("artifacts") or {}).get("default_streamlit"):
            name = ".".join(split_path(str(streamlit)))
            if ("STREAMLIT", name) not in created:
                self.warn("MAN-10", f"manifest.yml: the script creates no Streamlit {streamlit} (rule MAN-10).")
            elif not any((kind, granted) == ("STREAMLIT", name) for _, _, kind, _, granted, _ in self.grants):
                self.warn(
                    "MAN-11", f"manifest.yml: no application role may use the Streamlit {streamlit} (rule MAN-11)."
                )
