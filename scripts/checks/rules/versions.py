"""What a version may do to the one before it (developer-guide/native-apps/update-app-develop): the bundle, held against the last release."""

from __future__ import annotations

import re
from collections.abc import Iterator

from checks.bundle import Bundle
from checks.rules import Faults, Project, rule


def _version(bundle: Bundle) -> str:
    return str((bundle.manifest.get("version") or {}).get("name"))


@rule("MAN-32")
def references_and_manifest_version_stay(project: Project) -> Faults:
    if last := project.last_release:
        if (last.manifest.get("manifest_version"), project.bundle.manifest.get("manifest_version")) == (2, 1):
            yield "manifest.yml", "manifest_version never goes back from 2 to 1"
        old = {name for entry in last.manifest.get("references") or [] for name in entry}
        new = {name for entry in project.bundle.manifest.get("references") or [] for name in entry}
        for name in sorted(old - new):
            yield "manifest.yml", f"reference {name} is gone: what still uses it fails after the upgrade"


@rule("SET-47")
def every_table_is_still_created(project: Project) -> Faults:
    if last := project.last_release:
        for name, relation in last.relations.items():
            if relation.kind == "table" and name not in project.bundle.relations:
                yield "the setup script", f"{name} is no longer created: an account without {_version(last)} lacks it"


@rule("SCH-07")
def a_schema_stays_of_its_kind(project: Project) -> Faults:
    if last := project.last_release:
        for name, kind in project.bundle.schemas.items():
            if last.schemas.get(name, kind) != kind:
                yield "setup.sql", f"{name} was a {last.schemas[name]} in {_version(last)}"


@rule("SCH-09")
def tasks_call_what_both_versions_have(project: Project) -> Faults:
    if last := project.last_release:
        old = {(code.name, tuple(code.types)) for code in last.code}
        for name, task in project.bundle.tasks.items():
            if called := re.search(r"\bas\s+call\s+([\w.]+)", task.text, re.I):
                ours = {tuple(code.types) for code in project.bundle.code if code.name == called[1].lower()}
                if not any((called[1].lower(), types) in old for types in ours):
                    yield (
                        task.place,
                        f"{name} calls {called[1]}, which {_version(last)} lacks: after a failed upgrade the task fails, and stops its graph",
                    )


def _tables(project: Project) -> Iterator[tuple[str, str, dict, dict]]:
    """Each table of both versions: place, name, old and new columns."""
    if last := project.last_release:
        for name, old in last.relations.items():
            new = project.bundle.relations.get(name)
            if old.kind == "table" and new:
                yield new.place, name, old.columns, new.columns


@rule("VER-01")
def tables_change_by_addition(project: Project) -> Faults:
    for place, name, old, new in _tables(project):
        for column in old.values():
            now = new.get(column.name)
            if now is None:
                yield place, f"{name}.{column.name} is gone, and the version before still reads it"
            elif now.type != column.type:
                yield place, f"{name}.{column.name} was {column.type} and is {now.type}"
            elif now.is_needed and not column.is_needed:
                yield place, f"{name}.{column.name} may no longer be null, and the version before leaves it so"
        added = {
            found[1].lower()
            for s in project.bundle.statements
            if (
                found := re.match(
                    rf"alter table {re.escape(name)} add column if not exists (\w+)", " ".join(s.text.split()), re.I
                )
            )
        }
        for column in new.values():
            if column.name not in old:
                if column.is_needed:
                    yield place, f"{name}.{column.name} is new and NOT NULL: rows of the version before have none"
                if column.name not in added:
                    yield (
                        place,
                        f"{name}.{column.name} is new: ALTER TABLE .. ADD COLUMN IF NOT EXISTS brings it to those who have the table",
                    )


@rule("STR-10")
def the_table_of_a_stream_only_grows(project: Project) -> Faults:
    from checks.rules.setup import _sources

    sources = _sources(project)
    for place, name, old, new in _tables(project):
        for column in old.values() if name in sources else ():
            now = new.get(column.name)
            if now is None or (now.type, now.is_needed) != (column.type, column.is_needed):
                yield (
                    place,
                    f"{name}.{column.name}: the stream breaks when a column is dropped, retyped or made NOT NULL",
                )


@rule("STR-11")
def a_stream_stays_of_its_kind(project: Project) -> Faults:
    if last := project.last_release:
        for (kind, name), statement in last.objects.items():
            now = project.bundle.objects.get((kind, name))
            if kind == "stream" and now and _mode(now.text) != _mode(statement.text):
                yield (
                    now.place,
                    f"{name}: APPEND_ONLY differs from {_version(last)}, and CREATE .. IF NOT EXISTS never changes it",
                )


def _mode(text: str) -> bool:
    return bool(re.search(r"\bappend_only\s*=\s*true\b", text, re.I))


@rule("VER-02")
def procedures_of_running_tasks_stay(project: Project) -> Faults:
    if last := project.last_release:
        now = {(code.name, tuple(code.types)) for code in project.bundle.code}
        called = {
            found[1].lower()
            for task in last.tasks.values()
            if (found := re.search(r"\bas\s+call\s+([\w.]+)", task.text, re.I))
        }
        for code in last.code:
            if code.name in called and (code.name, tuple(code.types)) not in now:
                yield (
                    code.place,
                    f"{code.name}({', '.join(code.types)}) is gone, and tasks of {_version(last)} call it while the upgrade runs",
                )


@rule("VER-08")
def application_roles_stay(project: Project) -> Faults:
    if last := project.last_release:
        now = {statement.name for statement in project.bundle.script if statement.kind == "application role"}
        for statement in last.script:
            if statement.kind == "application role" and statement.name not in now:
                yield "setup.sql", f"the application role {statement.name} is gone, and consumers hold it"


@rule("VER-09")
def a_version_has_a_short_name(project: Project) -> Faults:
    if len(_version(project.bundle)) > 30:
        yield "manifest.yml", "a version's name has 30 characters at most"


@rule("VER-10")
def no_grant_is_lost(project: Project) -> Faults:
    if last := project.last_release:
        new = [_granted(found) for _, found in project.bundle.grants]
        objects = {name for _, name in project.bundle.objects} | set(project.bundle.schemas) | set(project.bundle.tasks)
        for statement, found in last.grants:
            privileges, *what = _granted(found)
            if what[1] in objects and not any(what == same and privileges <= more for more, *same in new):
                held = ", ".join(sorted(privileges))
                yield statement.place, f"{what[2]} held {held} on {what[1]} in {_version(last)}"


def _granted(found: re.Match[str]) -> tuple[frozenset[str], str, str, str]:
    privileges = frozenset(" ".join(word.split()).lower() for word in found["privileges"].split(","))
    return privileges, found["kind"].lower(), found["name"].lower(), found["role"].lower()
