"""A session watched, for a test: what it executes and how long that takes; and it can be stopped before any statement.

Only who holds the account's secret may watch (``server.py``); a session that nobody watches pays one comparison.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from local_account.errors import SqlError

LONGEST_WAIT = 60  # seconds


class ConnectionLost(BaseException):
    """The session is gone: no handler of a procedure hears of it, and what was not committed is undone."""


@dataclass
class Watch:
    """One session, with those of the procedures that it runs."""

    stop_at: int = (
        0  # the boundary at which it is stopped: before its n-th statement, the last one before its answer; 0: nowhere
    )
    how: str = "error"  # error, lose, kill or wait
    boundaries: int = 0
    seen: list[dict] = field(
        default_factory=list
    )  # depth of calls, text and seconds of each statement, in the order of their beginnings
    go_on: threading.Event = field(default_factory=threading.Event)
    is_lost: bool = False

    @contextmanager
    def over(self, depth: int, text: str) -> Iterator[None]:
        self.pass_boundary()
        entry = {"depth": depth, "text": text, "seconds": None}
        self.seen.append(entry)
        began = time.perf_counter()
        try:
            yield
        finally:
            entry["seconds"] = time.perf_counter() - began

    def pass_boundary(self) -> None:
        if self.is_lost:
            raise ConnectionLost
        self.boundaries += 1
        if self.boundaries != self.stop_at:
            return
        if self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "lose":
            self.is_lost = True
            raise ConnectionLost
        if self.how == "error":
            raise SqlError(
                603,
                f"SQL execution internal error: a watch stopped the session at its boundary {self.stop_at}.",
                "XX000",
            )
        self.go_on.wait(LONGEST_WAIT)
