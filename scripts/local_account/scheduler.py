"""The scheduler: runs task graphs when the account's clock says so, and while the clock is moved by hand.

One graph at a time; a graph's tasks one after the other, each in a session with its owner's rights. Every run is a row of the task history, in the tasks' own
database.
"""

from __future__ import annotations

import threading
import traceback
import uuid
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from local_account import access, tasks
from local_account.catalogue import SYSTEM_SCHEMA, TASK_HISTORY, quote
from local_account.errors import SqlError
from local_account.session import Deadline, Frame, Session

if TYPE_CHECKING:
    from local_account.account import Account
    from local_account.names import Name

TICK_SECONDS = 1.0


class Scheduler:
    def __init__(self, account: Account) -> None:
        self.account = account
        self._soon: SimpleQueue[Name] = SimpleQueue()
        self._last: dict[Name, datetime] = {}
        self._started = account.clock.now()
        self._running = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="scheduler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def run_soon(self, root: Name) -> None:
        self._soon.put(root)

    def _loop(self) -> None:
        while not self._stop.wait(TICK_SECONDS):
            try:
                with self._running:
                    self._run_waiting()
                    self._run_due(self.account.clock.now())
            except Exception:  # the scheduler outlives whatever a task does
                traceback.print_exc()

    def advance(self, target: datetime) -> int:
        """Moves the clock to ``target``, stopping at each instant at which a graph is due; the number of graph runs."""
        with self._running:
            runs = self._run_waiting()
            while (due := self._next()) and due[0] <= target:
                if due[0] > self.account.clock.now():
                    self.account.clock.set(due[0])
                self._run_graph(due[1], due[0], "SCHEDULE")
                runs += 1
            self.account.clock.set(max(target, self.account.clock.now()))
            self._save_clock()
            return runs

    def set_clock(self, moment: datetime) -> None:
        """Sets the clock without running what would have been due on the way."""
        with self._running:
            self.account.clock.set(moment)
            self._started = moment
            self._last.clear()
            self._save_clock()

    def _save_clock(self) -> None:
        self.account.set_setting("clock_offset", {"seconds": self.account.clock.offset.total_seconds()})

    def _run_waiting(self) -> int:
        runs = 0
        while True:
            try:
                root = self._soon.get_nowait()
            except Empty:
                return runs
            self._run_graph(root, self.account.clock.now(), "EXECUTE TASK")
            runs += 1

    def _run_due(self, now: datetime) -> None:
        while (due := self._next()) and due[0] <= now:
            self._run_graph(due[1], due[0], "SCHEDULE")

    def next_run(self, root: Name) -> datetime | None:
        """When a started root is due next."""
        document = self.account.catalogue.get("task", *root)
        if not document or document["state"] != "started" or document["after"] or "SCHEDULE" not in document["options"]:
            return None
        resumed = datetime.fromisoformat(document["resumed_on"])
        # What fell due while the account was down is not made up for, as Snowflake skips runs.
        since = max(resumed, self._last.get(root, self._started))
        return tasks.Schedule(document["options"]["SCHEDULE"]).next_after(since, resumed)

    def _next(self) -> tuple[datetime, Name] | None:
        roots = [
            (key.database, key.schema, key.name)
            for key, document in self.account.catalogue.find("task")
            if not document["after"]
        ]
        due = [(moment, root) for root in roots if (moment := self.next_run(root))]
        return min(due) if due else None

    # running ------------------------------------------------------------------------------------------------------

    def _run_graph(self, root: Name, scheduled: datetime, origin: str) -> None:
        if origin == "SCHEDULE":
            self._last[root] = scheduled
        group = uuid.uuid4().int >> 65
        outcome: dict[Name, str] = {}
        for name in tasks.graph(self.account, root):
            document = self.account.catalogue.get("task", *name)
            if not document:
                continue
            before = [outcome.get(tuple(predecessor), "SKIPPED") for predecessor in document["after"]]
            if any(state in ("FAILED", "SKIPPED") for state in before):
                outcome[name] = "SKIPPED"  # a failed or skipped task stops the branch below it
                continue
            if document["after"] and document["state"] != "started":
                outcome[name] = "SUCCEEDED"  # a suspended child counts as done, its children run
                continue
            attempts = 1 + self._option(root, "TASK_AUTO_RETRY_ATTEMPTS", 0)
            for attempt in range(1, attempts + 1):
                outcome[name] = self._run_task(name, document, root, scheduled, origin, group, attempt)
                if outcome[name] != "FAILED":
                    break
        self._count_failures(root, failed="FAILED" in outcome.values())

    def _option(self, task: Name, name: str, default: int) -> int:
        document = self.account.catalogue.get("task", *task)
        return int(document["options"].get(name, default)) if document else default

    def _run_task(
        self,
        name: Name,
        document: dict[str, Any],
        root: Name,
        scheduled: datetime,
        origin: str,
        group: int,
        attempt: int,
    ) -> str:
        started = self.account.clock.now()
        error: SqlError | None = None
        session = self._session(name, document)
        try:
            tasks.require_runnable(self.account, name, document)
            if document["when"] and not self._condition(session, document["when"]):
                state = "SKIPPED"
            else:
                from local_account.statements import execute

                # A child has its own limit or the root's (sql-reference/parameters#user-task-timeout-ms).
                own = self._option(root, "USER_TASK_TIMEOUT_MS", tasks.DEFAULT_TIMEOUT_MS)
                with Deadline(session, self._option(name, "USER_TASK_TIMEOUT_MS", own) / 1000):
                    execute(session, document["body"])
                state = "SUCCEEDED"
        except SqlError as failure:
            error, state = failure, "FAILED"
        except Exception as failure:
            error, state = SqlError(300_002, f"{type(failure).__name__}: {failure}"), "FAILED"
            traceback.print_exc()
        finally:
            session.close()
        self._record(name, document, root, state, error, scheduled, started, origin, group, attempt)
        return state

    def _session(self, name: Name, document: dict[str, Any]) -> Session:
        database, schema, task = name
        owner = self.account.database(database) or {}
        if owner.get("kind") != access.APPLICATION:
            frame = Frame(f"task {task}", database, schema, role=document["owner"])
            session = self.account.system_session(document["owner"], frame)
        else:
            frame = Frame(
                f"task {schema}.{task}",
                database,
                schema,
                application=database,
                generation=owner["generation"],
                snapshot=Path(owner["snapshot"]),
            )
            session = self.account.system_session(owner["owner"], frame)
        session.warehouse = document["options"].get("WAREHOUSE", session.warehouse)
        return session

    def _condition(self, session: Session, when: str) -> bool:
        from local_account.statements import execute

        return bool(execute(session, f"select ({when}) as condition").table.column(0)[0].as_py())

    def _record(
        self,
        name: Name,
        document: dict[str, Any],
        root: Name,
        state: str,
        error: SqlError | None,
        scheduled: datetime,
        started: datetime,
        origin: str,
        group: int,
        attempt: int,
    ) -> None:
        database, schema, task = name
        if not self.account.database(database):
            return  # dropped while it ran
        cursor = self.account.cursor()
        try:
            columns = ", ".join(column.split()[0] for column in TASK_HISTORY.split(", "))
            values = [
                str(uuid.uuid4()), task, database, schema, document["body"], document["when"], state,
                f"{error.errno:06d}" if error else None, error.message if error else None, scheduled, started, self.next_run(root),
                self.account.clock.now(), ".".join(root), 1, int(scheduled.timestamp() * 1000), None, origin, attempt, 0, None, None, None, group,
            ]  # fmt: skip
            marks = ", ".join("?" for _ in values)
            cursor.execute(
                f"insert into {quote(database)}.{quote(SYSTEM_SCHEMA)}.task_history ({columns}) values ({marks})",
                values,
            )
        finally:
            cursor.close()

    def _count_failures(self, root: Name, *, failed: bool) -> None:
        """SUSPEND_TASK_AFTER_NUM_FAILURES: consecutive failures of any task of the graph suspend its root."""
        document = self.account.catalogue.get("task", *root)
        if not document or (not failed and not document["failures"]):
            return
        failures = document["failures"] + 1 if failed else 0
        most = int(document["options"].get("SUSPEND_TASK_AFTER_NUM_FAILURES", tasks.DEFAULT_FAILURES))
        changes: dict[str, Any] = {"failures": failures}
        if most and failures >= most and document["state"] == "started":
            changes |= {"state": "suspended", "suspended_on": self.account.clock.now().isoformat()}
        with self.account.change(root[0]) as change:
            change.put("task", root[1], root[2], {**document, **changes})
