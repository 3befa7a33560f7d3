"""Snowflake's rules for native applications, decided on the bundle.

What each rule asks, how grave it is and who decides it stands in docs/native-app-rules.md. The rules that the account itself enforces are written
in `local_account`; `checks.validation` looks for them before anything runs, and the functions of this package decide the others. A rule is one function, which yields what breaks it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from checks.bundle import Bundle

REGISTER = Path(__file__).resolve().parents[3] / "docs/native-app-rules.md"
ERROR, WARNING = "error", "warning"
_ROW = re.compile(r"^\| ([A-Z]+-\d+) \| (error|warning) \| (.+?) \| (.+?) \|$", re.MULTILINE)
_NAMED = re.compile(r"\(rule ([A-Z]+-\d+)\)")


@dataclass(frozen=True)
class Rule:
    id: str
    severity: str
    asks: str
    decided_by: str  # "account", "check", "test" with its file, or "a reader"


@dataclass(frozen=True)
class Finding:
    """Something to mend, and where."""

    severity: str
    place: str
    says: str
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.severity} {self.rule} {self.place}: {self.says}".replace("  ", " ")


@dataclass(frozen=True)
class Project:
    """What a rule may look at: the bundle, the clone it was made of, and the bundle of the last release, if there is one."""

    bundle: Bundle
    root: Path
    last_release: Bundle | None = None

    def project_file(self, name: str) -> str:
        path = self.root / name
        return path.read_text(encoding="utf-8") if path.is_file() else ""


# Place, what is wrong and what to do; WARNING behind it where Snowflake would take this fault of a rule that it enforces otherwise.
Faults = Iterator[tuple[str, ...]]
Decision = Callable[[Project], Faults]
DECISIONS: dict[str, Decision] = {}


def rule(id_: str) -> Callable[[Decision], Decision]:
    def register(function: Decision) -> Decision:
        assert id_ not in DECISIONS, id_
        DECISIONS[id_] = function
        return function

    return register


def register() -> dict[str, Rule]:
    """Every rule there is, by its id, as docs/native-app-rules.md lists them."""
    return {row[0]: Rule(*row) for row in _ROW.findall(REGISTER.read_text(encoding="utf-8"))}


def findings(project: Project) -> list[Finding]:
    """What breaks a rule, errors first."""
    from checks import validation
    from checks.rules import staged, versions

    rules, found = register(), []
    report = validation.report_on(project.bundle.root, "the bundle")
    for message in (entry["message"] for entry in report["errors"] + report["warnings"]):
        place, _, says = message.partition(": ")
        named = _NAMED.search(message)
        severity = rules[named[1]].severity if named and named[1] in rules else ERROR
        found.append(Finding(severity, place, _NAMED.sub("", says).rstrip(" .") + ".", named[1] if named else ""))
    for id_, decide in _decisions(staged, versions):
        found += [_finding(rules[id_], *fault) for fault in decide(project)]
    return sorted(found, key=lambda finding: (finding.severity != ERROR, finding.rule, finding.place))


def of_the_bundle(bundle: Bundle) -> Iterator[Finding]:
    """What the staged files show by themselves: an error is what Snowflake refuses, at the latest when it is called."""
    from checks.rules import code, manifest, setup, streamlit, tasks

    rules, project = register(), Project(bundle, bundle.root)
    for id_, decide in _decisions(code, manifest, setup, streamlit, tasks):
        yield from (_finding(rules[id_], *fault) for fault in decide(project))


def _finding(rule: Rule, place: str, says: str, severity: str = "") -> Finding:
    return Finding(severity or rule.severity, place, says, rule.id)


def _decisions(*modules: ModuleType) -> list[tuple[str, Decision]]:
    """Those that the modules have added."""
    names = {module.__name__ for module in modules}
    return [(id_, decide) for id_, decide in DECISIONS.items() if decide.__module__ in names]


def questions() -> list[Rule]:
    """What no program decides."""
    return [rule for rule in register().values() if rule.decided_by == "a reader"]
