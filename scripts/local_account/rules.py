"""The rules of native applications that one statement breaks by itself, as data.

Each is refused when an application's code (or, of the rules of owner's rights, any procedure) runs the statement, and in the report of
SYSTEM$VALIDATE_NATIVE_APP_SETUP.
Rules that need more than the statement stand where the account does the thing: manifests, tasks, signatures, roles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local_account import manifests
from local_account.errors import SqlError
from local_account.syntax import PATH

if TYPE_CHECKING:
    from local_account.session import Session

Manifest = dict[str, Any]
_OR_REPLACE = r"create\s+(?:or\s+replace\s+|or\s+alter\s+)?"
_CODE = r"(?:secure\s+)?(?:procedure|function)\b[\s\S]*"
# Owner's rights code of an application may not call these (developer-guide/native-apps/adding-application-logic).
FORBIDDEN_FUNCTIONS = set(
    "CURRENT_IP_ADDRESS CURRENT_AVAILABLE_ROLES CURRENT_SECONDARY_ROLES CURRENT_WAREHOUSE ALL_USER_NAMES "
    "GET_USERS_FOR_COLLABORATION SYSTEM$ALLOWLIST".split()
)


@dataclass(frozen=True)
class Rule:
    id: str
    errno: int
    pattern: re.Pattern[str]  # of what the statement starts with, after `clean`
    says: str  # what is wrong and what to do; {what} is what the pattern found
    unless: Callable[[Manifest, re.Match[str]], bool] = lambda manifest, found: False
    any_code: bool = False  # holds in every procedure, also outside applications


def _row(id_: str, errno: int, pattern: str, says: str, *rest: Any, **options: Any) -> Rule:
    return Rule(id_, errno, re.compile(pattern, re.IGNORECASE), says, *rest, **options)


def _has_privilege(manifest: Manifest, found: re.Match[str]) -> bool:
    return f"CREATE {' '.join(found['kind'].upper().split())}" in manifests.privileges(manifest)


def _declares(key: str) -> Callable[[Manifest, re.Match[str]], bool]:
    return lambda manifest, found: bool(manifest.get(key))


_NOT_IN_CODE = "Stored procedure execution error: Unsupported statement type '{what}'"
RULES = (
    # what no owner's rights code may do (developer-guide/stored-procedure/stored-procedures-rights)
    _row("SET-01", 90_236, r"use\s+(?:(?:database|schema|role|secondary\s+roles?|warehouse)\b)?", f"{_NOT_IN_CODE}: qualify names instead", any_code=True),
    _row("PY-16", 90_236, r"alter\s+session\b|(?:un)?set\s+(?=[\w$\"(])", f"{_NOT_IN_CODE}: it would change or read the caller's context", any_code=True),
    _row("PY-16", 90_236, r"show\s+(?:variables|locks|transactions|delegated\s+authorizations|(?:parameters|grants)(?:\s+like\s+\S+)?\s*\Z)", f"{_NOT_IN_CODE}: it reads the caller's session", any_code=True),
    _row("SET-43", 90_236, r"(?:put\s+'?file:|get\s+'?@[\s\S]*\s'?file:)", f"{_NOT_IN_CODE}: files come and go by session.file of Python", any_code=True),
    _row("SET-43", 90_236, r"(?:(?:remove|rm)\s+@|!)", f"{_NOT_IN_CODE}: an application's code is SQL over what its package brings"),
    # what an application may not create
    _row("SET-02", 93_202, rf"{_OR_REPLACE}{_CODE}\bexecute\s+as\s+caller\b", "EXECUTE AS CALLER is not allowed in an application: leave it out"),
    _row("SET-02", 93_202, rf"{_OR_REPLACE}{_CODE}\bexecute\s+as\s+restricted\s+caller\b", "EXECUTE AS RESTRICTED CALLER needs restricted_callers_rights in the manifest", _declares("restricted_callers_rights")),
    _row("SET-03", 93_201, r"create\s+(?:or\s+replace\s+)?(?:(?:local|global|scoped)\s+)?(?:temp|temporary|volatile)\s+(?P<kind>\w+)", "Operation CREATE on TEMPORARY {kind} is not permitted within APPLICATION: use an ordinary one"),
    _row("SET-04", 2, r"create\s+(?:or\s+replace\s+)?versioned\s+schema\b", "Unsupported feature 'CREATE VERSIONED SCHEMA': write CREATE OR ALTER VERSIONED SCHEMA"),
    _row("SET-10", 3_001, rf"(?:{_OR_REPLACE}|drop\s+|grant\s+)(?:database\s+)?role\b|(?:grant|revoke)\b[\s\S]*\b(?:to|from)\s+(?:database\s+role|role|user|share)\b", "SQL access control error: inside an application there are application roles only: CREATE APPLICATION ROLE IF NOT EXISTS, GRANT .. TO APPLICATION ROLE"),
    _row("SET-12", 2, r"grant\b[\s\S]*\bon\s+future\b", "Unsupported feature 'GRANT ON FUTURE' in an application: grant after each CREATE"),
    _row("SET-13", 3_008, r"grant\s+ownership\b", "OWNERSHIP cannot be granted to an application role: grant the privileges that it needs"),
    _row("SET-15", 1_003, rf"(?:grant|revoke)\b[\s\S]*\bon\s+(?:procedure|function)\s+{PATH}\s+(?:to|from)\b", "a procedure or function is named with its argument types: P(NUMBER, VARCHAR)"),
    _row("SET-22", 1_003, r"execute\s+immediate\s+from\s+(?!')", "EXECUTE IMMEDIATE FROM takes a quoted path in the application's files: './file.sql' or '/file.sql'"),
    _row("SET-32", 2_028, r"alter\s+table\b[\s\S]*\badd\s+column\s+if\s+not\s+exists\b[\s\S]*?(?<!')\b(?:default|autoincrement|identity|unique|primary\s+key|foreign\s+key|references)\b", "ADD COLUMN IF NOT EXISTS takes no DEFAULT, AUTOINCREMENT or key: add the column, then UPDATE"),
    _row("SET-33", 2_263, r"alter\s+table\b[\s\S]*\badd\s+(?:column\s+)?(?!if\b)[\s\S]*?(?<!')\bdefault\s+(?!['+\-\d(]|(?:null|true|false)\b)", "the default of a new column is a literal: add the column, then UPDATE"),
    _row("SET-36", 2, r"create\s+or\s+alter\s+(?:transient\s+)?table\b[\s\S]*\bcheck\s*\(", "Unsupported feature 'CHECK' in CREATE OR ALTER TABLE: check where rows are written"),
    _row("SET-39", 2, rf"{_OR_REPLACE}{_CODE}\b(?:log|trace|metric|log_event)_level\s*=|alter\s+(?!(?:versioned\s+)?(?:schema|procedure|function|session)\b)[\s\S]*\bset\s+(?:log|trace|metric|log_event)_level\b", "Unsupported feature: a level of logging is set by ALTER on a schema, procedure or function only"),
    _row("SET-40", 2, rf"(?:{_OR_REPLACE}|alter\s+|drop\s+)(?:storage\s+lifecycle\s+policy|(?:replication|failover)\s+group|resource\s+monitor|network\s+(?:policy|rule)|user|account|(?:api|storage|notification|catalog)\s+integration|snowflake\s*\.\s*ml\s*\.)", "Unsupported feature '{what}' in an application: take it out"),
    _row("SET-40", 3_001, rf"(?:{_OR_REPLACE}|drop\s+)application\b(?!\s+role)", "SQL access control error: {what} is for accounts: an application neither makes nor drops one"),
    _row("SET-41", 3_001, rf"{_OR_REPLACE}(?:transient\s+)?(?P<kind>database|warehouse|compute\s+pool|(?:external\s+access|security)\s+integration|share|listing)\b(?!\s+role)", "SQL access control error: {what} needs the privilege CREATE {kind}: ask for it in the manifest", _has_privilege),
    _row("SET-42", 2, rf"{_OR_REPLACE}(?:external|iceberg)\s+table\b", "Unsupported feature '{what}' without restricted_features in the manifest: declare external_data there", _declares("restricted_features")),
)  # fmt: skip

_HEAD = re.compile(
    r"(?:create|alter|drop|grant|revoke|use|set|unset|show|put|get|remove|rm|execute)\b|!", re.IGNORECASE
)
_REFERENCE = re.compile(r"\breference\s*\(\s*'([^']+)'", re.IGNORECASE)
_FORBIDDEN = re.compile(rf"(?<![\w$.'])({'|'.join(map(re.escape, FORBIDDEN_FUNCTIONS))})\s*\(", re.IGNORECASE)
_OPAQUE = re.compile(r"--[^\n]*|//[^\n]*|/\*[\s\S]*?\*/|'(?:[^'\\]|''|\\.)*'|\$\$[\s\S]*?\$\$|\"(?:[^\"]|\"\")*\"")
_BETWEEN = re.compile(r";|\b(?:begin|declare|then|else|do|loop|repeat)\b", re.IGNORECASE)


def clean(text: str) -> str:
    """A statement without comments, with the inside of its literals and $$bodies$$ made harmless to patterns."""

    def harmless(found: re.Match[str]) -> str:
        kind = found[0][0]
        return {"'": re.sub(r"[;\s]", "_", found[0]), "$": "$$", '"': found[0]}.get(kind, " ")

    return _OPAQUE.sub(harmless, text).strip()


def inside(block: str) -> list[str]:
    """The statements of a block or of an SQL body."""
    return [piece.strip() for piece in _BETWEEN.split(clean(block)) if piece.strip()]


def broken(cleaned: str, manifest: Manifest) -> Iterator[tuple[Rule, str]]:
    """The rules that a statement breaks, each with its message."""
    for rule in RULES:
        if (found := rule.pattern.match(cleaned)) and not rule.unless(manifest, found):
            words = {key: " ".join((value or "").upper().split()) for key, value in found.groupdict().items()}
            what = " ".join(re.sub(r"\bOR\s+(?:REPLACE|ALTER)\b", "", found[0].upper()).split()[:3])
            yield rule, f"{rule.says.format(what=what, **words)} (rule {rule.id})."


def unknown_references(text: str, manifest: Manifest) -> list[str]:
    """The names in reference('..') that the manifest does not define; those in comments of a body are no names."""
    known = {str(name).upper() for entry in manifest.get("references") or [] for name in entry}
    return [name for name in _REFERENCE.findall(clean(text.replace("$$", " "))) if name.upper() not in known]


def forbidden_function(cleaned: str) -> str | None:
    found = _FORBIDDEN.search(cleaned)
    return found[1].upper() if found else None


def forbidden(function: str) -> str:
    return f"the function {function} is not allowed inside a native application: remove it (rule SET-37)."


def refuse(session: Session, text: str) -> None:
    """Raises what Snowflake would, before the code of a procedure or of an application runs the statement."""
    frame = session.frame
    if not frame or not (_HEAD.match(text) or _REFERENCE.search(text)):
        return
    manifest = manifests.read_once(frame.snapshot) if frame.snapshot else {}
    for rule, message in broken(clean(text), manifest):
        if frame.application or rule.any_code:
            raise SqlError(rule.errno, f"{message} In {frame.what}.", "0A000")
    # In a procedure's or task's body it waits for the call.
    if frame.application and (found := _REFERENCE.search(clean(text))):
        if unknown_references(found[0], manifest):
            raise SqlError(505_026, f"The manifest defines no reference '{found[1]}' (rule MAN-30).")
        raise SqlError(
            505_019,
            f"Nothing is bound to the reference '{found[1]}': the consumer binds it after the installation (rule TSK-22).",
        )
