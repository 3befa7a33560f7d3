"""Tasks: definitions, graphs, and the rules of suspending and resuming them (docs.snowflake.com/en/user-guide/tasks-graphs)."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlglot.dialects.snowflake import Snowflake

from local_account import access, feature_policies, reply
from local_account.catalogue import Key
from local_account.errors import SqlError, denied, missing, syntax_error
from local_account.syntax import PATH, parse_options, split_path, unquote_text

if TYPE_CHECKING:
    from local_account.account import Account
    from local_account.engine import Result
    from local_account.names import Name
    from local_account.session import Session
    from local_account.syntax import Match

OPTIONS = (
    "WAREHOUSE",
    "SCHEDULE",
    "COMMENT",
    "CONFIG",
    "OVERLAP_POLICY",
    "SUSPEND_TASK_AFTER_NUM_FAILURES",
    "TASK_AUTO_RETRY_ATTEMPTS",
    "USER_TASK_TIMEOUT_MS",
    "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE",
)
ROOT_ONLY = ("SCHEDULE", "OVERLAP_POLICY", "SUSPEND_TASK_AFTER_NUM_FAILURES", "TASK_AUTO_RETRY_ATTEMPTS", "CONFIG")
SHORTEST_INTERVAL = timedelta(seconds=10)
DEFAULT_FAILURES = 10
DEFAULT_TIMEOUT_MS, MOST_TIMEOUT_MS = 3_600_000, 604_800_000  # sql-reference/parameters#user-task-timeout-ms
SHOWN = (
    "created_on name id database_name schema_name owner comment warehouse schedule predecessors state definition condition "
    "allow_overlapping_execution error_integration last_committed_on last_suspended_on owner_role_type config task_relations"
)
GRAPH_ERROR = 91_427
MOST_TASKS, MOST_PARENTS, MOST_CHILDREN, MOST_RETRIES = 1000, 100, 100, 30
_NUMBERS = {  # option -> its largest value, and the rule
    "TASK_AUTO_RETRY_ATTEMPTS": (MOST_RETRIES, "TSK-12"),
    "SUSPEND_TASK_AFTER_NUM_FAILURES": (2**31 - 1, "TSK-13"),
    "USER_TASK_TIMEOUT_MS": (MOST_TIMEOUT_MS, "TSK-14"),
}
_WHEN_ALLOWED = re.compile(
    r"SYSTEM\$(STREAM_HAS_DATA|GET_PREDECESSOR_RETURN_VALUE)\s*\(|\b(AND|OR|NOT|TRUE|FALSE|IS|NULL)\b|'[^']*'|[()=<>!,:\d\s.]|::\s*\w+",
    re.IGNORECASE,
)


def create(session: Session, match: Match) -> Result:
    from local_account import statements

    account = session.account
    name = account.qualify(session, match.path(), "task")
    database, schema, task = name
    access.require_creation(session, "TASK", database, schema)
    if "$" in schema:
        raise SqlError(
            93_205,
            f"CREATE TASK {task}: a task cannot stand in a versioned schema ({schema.split('$')[0]}); use an ordinary one (rule SCH-01).",
        )
    if not account.catalogue.get("schema", database, "", schema):
        raise access.not_found(session, "SCHEMA", database, "", schema)
    document = parse(match.raw("rest"), task)
    statements.require_readable(document["body"])
    warehouse = document["options"].get("WAREHOUSE")
    if warehouse and not access.may_use_warehouse(session, split_path(warehouse)[-1]):
        raise missing("Warehouse", warehouse)
    _require_managed(session, document, task)
    feature_policies.require_allowed(session, "TASKS")
    existing = account.catalogue.get("task", *name)
    if existing and match.has("if not exists"):
        return reply.status(f"{task} already exists, statement succeeded.")
    if existing and not (match.has("or replace") or match.has("or alter")):
        raise reply.exists(task)
    if existing:
        access.require(session, "OWNERSHIP", "TASK", *name)
    document["after"] = [list(account.qualify(session, split_path(path), "task")) for path in document["after"]]
    for predecessor in document["after"]:
        if predecessor[:2] != [database, schema]:
            raise SqlError(
                GRAPH_ERROR,
                f"Task {task}: its predecessor {predecessor[2]} stands in another schema; all tasks of a graph stand in one (rule TSK-01).",
            )
        if not account.catalogue.get("task", *predecessor):
            raise access.not_found(session, "TASK", *predecessor)
        _require_suspended_root(account, tuple(predecessor), f"add task {task} to the graph")
    _require_graph(account, name, [tuple(predecessor) for predecessor in document["after"]])
    if existing:
        _require_suspended_root(account, name, f"change task {task}")
    now = account.clock.now().isoformat()
    kept = existing if match.has("or alter") and existing else {}
    document |= {
        "owner": session.application or session.role,
        "created_on": kept.get("created_on", now),
        "state": "suspended",
        "failures": 0,
        "suspended_on": now,
    }
    with account.change(database, session) as change:
        if not match.has("or alter"):
            change.delete("task", schema, task)  # with its grants, which CREATE OR REPLACE drops
        change.put("task", schema, task, document)
    return reply.status(f"Task {task} successfully created.")


def _require_graph(account: Account, name: Name, parents: list[Name]) -> None:
    """A graph has one root, no circle and no more tasks than Snowflake takes."""
    others = {(key.database, key.schema, key.name): other for key, other in account.catalogue.find("task", *name[:2])}
    above, waiting = set(), list(parents)
    while waiting:
        task = waiting.pop()
        if task not in above:
            above.add(task)
            waiting += map(tuple, others.get(task, {"after": []})["after"])
    roots = [task for task in above if not others[task]["after"]]
    if name in above or len(roots) > 1:
        raise SqlError(GRAPH_ERROR, f"Task {name[2]}: a graph has one root and no circle (rule TSK-02).")
    children = {
        task: sum(list(task) in other["after"] for key, other in others.items() if key != name) for task in parents
    }
    tasks = {*graph(account, roots[0]), name} if roots else {name}
    if len(parents) > MOST_PARENTS or len(tasks) > MOST_TASKS or any(n >= MOST_CHILDREN for n in children.values()):
        limits = f"{MOST_TASKS} tasks, {MOST_PARENTS} predecessors and {MOST_CHILDREN} children"
        raise SqlError(GRAPH_ERROR, f"Task {name[2]}: a graph has at most {limits} (rule TSK-05).")


def parse(rest: str, task: str) -> dict[str, Any]:
    """The options and the body of CREATE TASK."""
    tokens = Snowflake().tokenize(rest)
    depth = 0
    split = None
    for token in tokens:
        depth += {"L_PAREN": 1, "R_PAREN": -1}.get(token.token_type.name, 0)
        if depth == 0 and token.text.upper() == "AS" and token.token_type.name == "ALIAS":
            split = token
            break
    if split is None:
        raise syntax_error(f"task {task}: AS with the task's statement is missing.")
    head, body = rest[: split.start], rest[split.end + 1 :].strip()
    if body.startswith("$$"):
        body = unquote_text(body)
    if not body:
        raise syntax_error(f"task {task}: its statement after AS is missing.")
    when = re.search(r"\bwhen\b([\s\S]*)\Z", head, re.IGNORECASE)
    if when:
        head = head[: when.start()]
        left = _WHEN_ALLOWED.sub("", when[1]).strip()
        if left:
            raise SqlError(
                GRAPH_ERROR,
                f"Task {task}: WHEN may contain only SYSTEM$STREAM_HAS_DATA, SYSTEM$GET_PREDECESSOR_RETURN_VALUE, comparisons and booleans, found '{left[:40]}' (rule TSK-17).",
            )
    after = re.search(rf"\bafter\s+({PATH}(?:\s*,\s*{PATH})*)", head, re.IGNORECASE)
    if after:
        head = head[: after.start()] + " " + head[after.end() :]
    if re.search(r"\bfinalize\s*=", head, re.IGNORECASE):
        raise SqlError(2, f"Unsupported feature 'FINALIZE' of the local account (task {task}).")
    options = parse_options(head, OPTIONS)
    predecessors = re.split(r"\s*,\s*", after[1]) if after else []
    if predecessors and (given := [option for option in ROOT_ONLY if option in options]):
        raise SqlError(
            GRAPH_ERROR, f"Task {task}: {', '.join(given)} can be set on the root of a graph only (rule TSK-03)."
        )
    if "WAREHOUSE" in options and "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE" in options:
        raise SqlError(
            GRAPH_ERROR,
            f"Task {task}: WAREHOUSE and USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE exclude each other (rule TSK-15).",
        )
    if options.get("OVERLAP_POLICY", "NO_OVERLAP").upper() != "NO_OVERLAP":
        raise SqlError(
            2, f"Unsupported feature 'OVERLAP_POLICY = {options['OVERLAP_POLICY']}' of the local account (task {task})."
        )
    if not {"SCHEDULE", "WAREHOUSE"} & set(options) and when and not predecessors:
        raise SqlError(
            GRAPH_ERROR,
            f"Task {task}: a triggered serverless task needs TARGET_COMPLETION_INTERVAL (rule TSK-20), which the local account does not have: give it a SCHEDULE.",
        )
    for option, (most, rule) in _NUMBERS.items():
        value = options.get(option, "0")
        if not value.isdigit() or int(value) > most:
            raise SqlError(GRAPH_ERROR, f"Task {task}: {option} is a whole number from 0 to {most} (rule {rule}).")
    if "SCHEDULE" in options:
        Schedule(options["SCHEDULE"])
    try:
        json.loads(options.get("CONFIG", "{}"))
    except ValueError as error:
        raise SqlError(GRAPH_ERROR, f"Task {task}: CONFIG is no JSON: {error}.") from None
    return {"options": options, "after": predecessors, "when": when[1].strip() if when else None, "body": body}


def _require_managed(session: Session, document: dict[str, Any], task: str) -> None:
    if "WAREHOUSE" not in document["options"] and not access.holds_on_account(session, "EXECUTE MANAGED TASK"):
        raise denied(
            f"task {task} has no WAREHOUSE, so its owner needs EXECUTE MANAGED TASK on the account: an application asks for it in the manifest, or has it granted."
        )


def require_runnable(account: Account, name: Name, document: dict[str, Any]) -> None:
    """A task runs with its owner's privileges: asked for where it is resumed or executed, and again at each run
    (docs.snowflake.com/en/user-guide/tasks-intro, task security)."""
    owner, warehouse = document["owner"], document["options"].get("WAREHOUSE")
    application = name[0] if (account.database(name[0]) or {}).get("kind") == access.APPLICATION else None
    wanted = [
        (privilege, access.owner_holds(account, application, owner, privilege))
        for privilege in (("EXECUTE TASK",) if warehouse else ("EXECUTE TASK", "EXECUTE MANAGED TASK"))
    ]
    if warehouse:
        may_use = access.owner_may_use_warehouse(account, application, owner, split_path(warehouse)[-1])
        wanted.append((f"USAGE privilege on the task's warehouse {warehouse}", may_use))
    for privilege, is_held in wanted:
        if not is_held:
            who = f"owner {'application' if application else 'role'} {owner}"
            named = privilege if "privilege" in privilege else f"{privilege} privilege"
            raise SqlError(91_089, f"Cannot execute task {name[2]}, {named} must be granted to {who}.", "23001")


class Schedule:
    """'<n> SECONDS|MINUTES|HOURS' or 'USING CRON <expression> <time zone>'."""

    def __init__(self, text: str) -> None:
        if found := re.fullmatch(r"\s*(\d+)\s+(SECOND|MINUTE|HOUR|M|S|H)S?\s*", text, re.IGNORECASE):
            seconds = int(found[1]) * {"S": 1, "M": 60, "H": 3600}[found[2][0].upper()]
            self.interval: timedelta | None = timedelta(seconds=seconds)
            if self.interval < SHORTEST_INTERVAL or self.interval > timedelta(days=8):
                raise SqlError(
                    GRAPH_ERROR, f"SCHEDULE '{text}': an interval lies between 10 seconds and 8 days (rule TSK-06)."
                )
        elif found := re.fullmatch(r"\s*USING\s+CRON\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s+(\S+)\s*", text, re.IGNORECASE):
            self.interval, self.cron, self.zone = None, found[1], found[2]
            self.next_after(datetime.now().astimezone(), datetime.now().astimezone())
        else:
            raise SqlError(
                GRAPH_ERROR, f"SCHEDULE '{text}': write '30 MINUTES' or 'USING CRON 0 * * * * UTC' (rule TSK-06)."
            )

    def next_after(self, moment: datetime, resumed: datetime) -> datetime:
        """The first instant after ``moment`` at which a task that was resumed at ``resumed`` runs."""
        if self.interval:
            return resumed + ((moment - resumed) // self.interval + 1) * self.interval
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        from croniter import CroniterError, croniter

        try:
            local = moment.astimezone(ZoneInfo(self.zone))
            return croniter(self.cron, local).get_next(datetime).astimezone(moment.tzinfo)
        except (CroniterError, ZoneInfoNotFoundError, ValueError) as error:
            raise SqlError(
                GRAPH_ERROR, f"SCHEDULE 'USING CRON {self.cron} {self.zone}': {error} (rule TSK-06)."
            ) from None


# graphs -----------------------------------------------------------------------------------------------------------


def require(session: Session, path: list[str], privilege: str) -> tuple[Name, dict[str, Any]]:
    name = session.account.qualify(session, path, "task")
    document = session.account.catalogue.get("task", *name)
    if not document:
        raise access.not_found(session, "TASK", *name)
    access.require(session, privilege, "TASK", *name)
    return name, document


def root_of(account: Account, name: Name) -> Name:
    document = account.catalogue.get("task", *name)
    while document and document["after"]:
        name = tuple(document["after"][0])
        document = account.catalogue.get("task", *name)
    return name


def graph(account: Account, root: Name) -> list[Name]:
    """The tasks of a graph, each after its predecessors."""
    ordered, waiting = [root], account.catalogue.find("task", root[0], root[1])
    while True:
        ready = [
            (key.database, key.schema, key.name)
            for key, document in waiting
            if document["after"]
            and (key.database, key.schema, key.name) not in ordered
            and all(tuple(before) in ordered for before in document["after"])
        ]
        if not ready:
            return ordered
        ordered += ready


def _require_suspended_root(account: Account, name: Name, action: str) -> None:
    root = root_of(account, name)
    if (account.catalogue.get("task", *root) or {}).get("state") == "started":
        raise SqlError(
            GRAPH_ERROR,
            f"Unable to {action}: its root task {root[2]} is not suspended. ALTER TASK {root[1]}.{root[2]} SUSPEND first (rule TSK-07).",
        )


def resume(session: Session, match: Match) -> Result:
    return _set_state(session, match, "started")


def suspend(session: Session, match: Match) -> Result:
    return _set_state(session, match, "suspended")


def _set_state(session: Session, match: Match, state: str) -> Result:
    try:
        name, document = require(session, match.path(), "OPERATE")
    except SqlError as error:
        if match.has("if exists") and error.errno == 2003:
            return reply.status("Statement executed successfully.")
        raise
    if state == "started":
        require_runnable(session.account, name, document)
    if document["after"]:
        _require_suspended_root(
            session.account, name, f"{'resume' if state == 'started' else 'suspend'} task {name[2]}"
        )
    elif state == "started" and "SCHEDULE" not in document["options"]:
        raise SqlError(GRAPH_ERROR, f"Task {name[2]} has neither a SCHEDULE nor a predecessor: it cannot be resumed.")
    if document["state"] != state:
        stamp = "resumed_on" if state == "started" else "suspended_on"
        with session.account.change(name[0], session) as change:
            change.put(
                "task",
                name[1],
                name[2],
                {**document, "state": state, "failures": 0, stamp: session.account.clock.now().isoformat()},
            )
    return reply.status("Statement executed successfully.")


def drop(session: Session, match: Match) -> Result:
    try:
        name, _ = require(session, match.path(), "OWNERSHIP")
    except SqlError as error:
        if match.has("if exists") and error.errno == 2003:
            return reply.status("Drop statement executed successfully.")
        raise
    # A task of its own need not be suspended, and what followed a dropped one is (sql-reference/sql/drop-task).
    if len(graph(session.account, root_of(session.account, name))) > 1:
        _require_suspended_root(session.account, name, f"drop task {name[2]}")
    with session.account.change(name[0], session) as change:
        change.delete("task", name[1], name[2])
        for key, document in session.account.catalogue.find("task", name[0], name[1]):
            if list(name) in document["after"]:
                left = [before for before in document["after"] if before != list(name)]
                state = document["state"] if left else "suspended"
                change.put("task", key.schema, key.name, {**document, "after": left, "state": state})
    return reply.status(f"{name[2]} successfully dropped.")


def execute(session: Session, match: Match) -> Result:
    """EXECUTE TASK: one run of the graph, asynchronously; works on a suspended root."""
    name, document = require(session, match.path(), "OPERATE")
    if document["after"]:
        raise SqlError(
            GRAPH_ERROR,
            f"EXECUTE TASK {name[2]}: only the root of a graph can be executed ({root_of(session.account, name)[2]}; rule TSK-27).",
        )
    require_runnable(session.account, name, document)
    session.account.scheduler.run_soon(name)
    return reply.status(f"Task {name[2]} is scheduled to run immediately.")


# looking ----------------------------------------------------------------------------------------------------------


def show(session: Session, match: Match) -> Result:
    return reply.rows(SHOWN, [_row(session, key, document) for key, document in reply.visible(session, "TASK", match)])


def describe(session: Session, match: Match) -> Result:
    name, document = require(session, match.path(), "MONITOR")
    return reply.rows(SHOWN, [_row(session, Key("task", *name), document)])


def _row(session: Session, key: Key, document: dict[str, Any]) -> dict[str, Any]:
    hidden = access.is_application(session, key.database) and session.application != key.database
    suspended = document.get("suspended_on")
    return {
        "created_on": datetime.fromisoformat(document["created_on"]),
        "name": key.name,
        "id": f"{key.database}.{key.schema}.{key.name}",
        "database_name": key.database,
        "schema_name": key.schema,
        "owner": document["owner"],
        "comment": document["options"].get("COMMENT"),
        "warehouse": document["options"].get("WAREHOUSE"),
        "schedule": document["options"].get("SCHEDULE"),
        "predecessors": "[" + ", ".join(f'"{".".join(before)}"' for before in document["after"]) + "]",
        "state": document["state"],
        "definition": None if hidden else document["body"],
        "condition": None if hidden else document["when"],
        "allow_overlapping_execution": "false",
        "error_integration": None,
        "last_committed_on": datetime.fromisoformat(document["resumed_on"]) if document.get("resumed_on") else None,
        "last_suspended_on": datetime.fromisoformat(suspended) if suspended else None,
        "owner_role_type": "APPLICATION" if session.account.database(document["owner"]) else "ROLE",
        "config": document["options"].get("CONFIG"),
        "task_relations": None,
    }
