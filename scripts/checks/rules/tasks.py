"""Tasks and their graphs, wherever they are made (sql-reference/sql/create-task, user-guide/tasks-graphs)."""

from __future__ import annotations

import re

from checks.bundle import Statement
from checks.rules import Faults, Project, rule


def _option(task: Statement, name: str) -> str | None:
    found = re.search(rf"\b{name}\s*=\s*('(?:[^']|'')*'|[\w$.-]+)", task.text, re.I)
    return found[1].strip("'") if found else None


def _parents(task: Statement) -> list[str]:
    found = re.search(r"\bafter\s+([\w.]+(?:\s*,\s*[\w.]+)*)", task.text, re.I)
    return [name.lower() for name in re.split(r"\s*,\s*", found[1])] if found else []


def _roots(project: Project) -> list[Statement]:
    return [task for task in project.bundle.tasks.values() if not _parents(task) and not _option(task, "finalize")]


@rule("TSK-04")
def a_root_has_one_finalizer(project: Project) -> Faults:
    finalizers = [task for task in project.bundle.tasks.values() if _option(task, "finalize")]
    of = [(_option(task, "finalize") or "").lower() for task in finalizers]
    parents = {parent for task in project.bundle.tasks.values() for parent in _parents(task)}
    for task, root in zip(finalizers, of, strict=True):
        if of.count(root) > 1:
            yield task.place, f"{root} has more than one FINALIZE task"
        if _option(task, "schedule") or _parents(task) or task.name in parents:
            yield task.place, f"{task.name}: a finalizer has no SCHEDULE, no AFTER and no children"


@rule("TSK-07")
def the_root_sleeps_while_its_graph_changes(project: Project) -> Faults:
    parents = {parent for task in project.bundle.tasks.values() for parent in _parents(task)}
    for _, statements in _makers(project):
        suspended = False
        for statement in statements:
            is_linked = statement.name in parents or _parents(statement) or _option(statement, "finalize")
            if re.match(r"alter\s+task\b[\s\S]*\bsuspend\b|call\b|execute\s+immediate\b", statement.text, re.I):
                suspended = True  # or may be, by what is called
            elif statement.kind == "task" and is_linked and not suspended and "or " in statement.head[:10]:
                yield (
                    statement.place,
                    f"{statement.name}: before tasks are replaced, ALTER TASK IF EXISTS <root> SUSPEND",
                )
                break


@rule("TSK-08")
def the_root_resumes_last(project: Project) -> Faults:
    roots = {task.name for task in _roots(project)}
    for where, statements in _makers(project):
        resumed = [
            found[1].lower()
            for statement in statements
            if (found := re.match(r"alter\s+task\s+(?:if\s+exists\s+)?([\w.]+)\s+resume\b", statement.text, re.I))
        ]
        for root in roots & set(resumed[:-1]):
            if any(name not in roots for name in resumed[resumed.index(root) + 1 :]):
                yield where, f"{root} is resumed before its children: a run between skips them"


def _makers(project: Project) -> list[tuple[str, list[Statement]]]:
    """Where tasks are made: the script, and each procedure."""
    groups = [("the setup script", [s for s in project.bundle.statements if not s.within or s.within == "a block"])]
    groups += [(code.place, code.statements) for code in project.bundle.code]
    return [(where, found) for where, found in groups if any(s.kind == "task" for s in found)]


@rule("TSK-09")
def a_replaced_task_gets_its_grants_and_resumes(project: Project) -> Faults:
    texts = [statement.text.lower() for statement in project.bundle.statements]
    for name, task in project.bundle.tasks.items():
        if not any(re.match(rf"alter\s+task\b.*\b{re.escape(name)}\s+resume\b", t) for t in texts):
            yield task.place, f"task {name} arrives suspended, and nothing resumes it"


@rule("TSK-11")
def no_two_runs_at_once(project: Project) -> Faults:
    for task in project.bundle.tasks.values():
        policy = (_option(task, "overlap_policy") or "no_overlap").lower()
        if _option(task, "allow_overlapping_execution") or policy != "no_overlap":
            yield task.place, f"{task.name}: two runs of one graph would work on the same rows"


@rule("TSK-13")
def a_root_says_when_it_gives_up(project: Project) -> Faults:
    for task in _roots(project):
        if _option(task, "suspend_task_after_num_failures") is None:
            yield task.place, f"{task.name}: say SUSPEND_TASK_AFTER_NUM_FAILURES"


@rule("TSK-14")
def a_run_ends_before_the_next_begins(project: Project) -> Faults:
    for task in project.bundle.tasks.values():
        limit = _option(task, "user_task_timeout_ms")
        if limit is None:
            yield task.place, f"{task.name}: say USER_TASK_TIMEOUT_MS"
        schedule = re.fullmatch(r"(\d+)\s+minutes?", _option(task, "schedule") or "", re.I)
        if limit and limit.isdigit() and not 0 < int(limit) <= 604_800_000:
            yield task.place, f"{task.name}: USER_TASK_TIMEOUT_MS lies in 1 to 604800000"
        elif limit and schedule and int(limit) >= int(schedule[1]) * 60_000:
            yield task.place, f"{task.name}: USER_TASK_TIMEOUT_MS is longer than the schedule"


@rule("TSK-16")
def a_serverless_task_says_how_big_it_starts(project: Project) -> Faults:
    for task in project.bundle.tasks.values():
        if not (_option(task, "warehouse") or _option(task, "user_task_managed_initial_warehouse_size")):
            yield task.place, f"{task.name}: say USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE, which is MEDIUM otherwise"


@rule("TSK-18")
def a_condition_asks_a_stream_of_the_app(project: Project) -> Faults:
    streams = {name for kind, name in project.bundle.objects if kind == "stream"}
    for task in project.bundle.tasks.values():
        for asked in re.findall(r"system\$stream_has_data\(\s*'+([^']*)'+", task.text, re.I):
            if asked.lower() not in streams:
                yield task.place, f"{task.name}: there is no stream {asked}; write schema.stream"


@rule("TSK-19")
def a_condition_stops_nobody_else(project: Project) -> Faults:
    parents = {parent for task in project.bundle.tasks.values() for parent in _parents(task)}
    for task in project.bundle.tasks.values():
        if _parents(task) and task.name in parents and re.search(r"\bwhen\b", task.code, re.I):
            yield task.place, f"when {task.name} is skipped, so are the tasks behind it"


@rule("TSK-21")
def or_alter_sets_only_what_it_can(project: Project) -> Faults:
    unable = r"\b(target_completion_interval|serverless_task_\w+|user_task_minimum_trigger_interval_in_seconds|(?:with\s+)?tag)\s*[=(]"
    for task in project.bundle.tasks.values():
        found = re.search(unable, task.text, re.I)
        if task.head.startswith("create or alter") and found:
            yield task.place, f"{task.name}: CREATE OR ALTER TASK does not set {found[1].upper()}"


@rule("TSK-23")
def a_task_calls_a_procedure_that_is_there(project: Project) -> Faults:
    procedures = {(code.name, len(code.signature.arguments)) for code in project.bundle.code}
    optional = {
        (code.name, count)
        for code in project.bundle.code
        for count in range(sum(a["default"] is None for a in code.signature.arguments), len(code.signature.arguments))
    }
    for task in project.bundle.tasks.values():
        # A block around the call is for a task that an older version may keep, and whose failure must not stop the graph.
        found = re.search(
            r"\bas\s+(?:begin\s+)?call\s+([\w.]+)\s*\(([^()]*)\)\s*(?:\Z|;\s*exception\b)", task.text, re.I
        )
        if not found:
            yield task.place, f"{task.name}: let its body be one CALL of a procedure, with its schema"
        elif (found[1].lower(), len([a for a in found[2].split(",") if a.strip()])) not in procedures | optional:
            yield task.place, f"{task.name}: there is no procedure {found[1]} with so many arguments"


@rule("TSK-26")
def return_values_are_named_in_upper_case(project: Project) -> Faults:
    for statement in project.bundle.statements:
        for name in re.findall(r"system\$get_predecessor_return_value\(\s*'+([^']*)'+", statement.text, re.I):
            if name != name.upper():
                yield statement.place, f"'{name}': a task that was made without quotes is called {name.upper()}"
