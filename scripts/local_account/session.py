"""One client's session, and what runs inside it: transactions and frames.

A *frame* is whose code is running: a procedure, a setup script, a task. It decides rights (owner's rights: everything in the own
application, nothing outside) and names (the default schema is the code's own, versioned schemas mean the generation it started on).
A procedure's worker logs in to a nested session, which shares the caller's transactions: so it sees the caller's uncommitted rows, and its own
go with the caller's rollback.
"""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from collections import OrderedDict, deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from local_account import definitions
from local_account.errors import SqlError, from_duckdb

if TYPE_CHECKING:
    from local_account.account import Account
    from local_account.engine import Result
    from local_account.events import Telemetry
    from local_account.watch import Watch

REMEMBERED_RESULTS, REMEMBERED_IDS = 20, 1000
_session_numbers = itertools.count(time.time_ns() // 1000)
_transaction_numbers = itertools.count(time.time_ns())  # grows over restarts too: rows carry it (streams.py)


@dataclass(frozen=True)
class Frame:
    """Whose code is running."""

    what: str  # for messages: "procedure CORE.P()"
    database: str  # where its unqualified names are looked up
    schema: str | None
    application: str | None = None  # the application whose rights it has
    generation: int = 0  # of the application's versioned schemas
    role: str | None = None  # the owner's role, outside an application
    snapshot: Path | None = None  # the root of '/...' paths
    file: str | None = None  # the setup file being read, for relative paths
    is_setup: bool = False


@dataclass
class Transaction:
    """One DuckDB transaction, and what a stream must know of it."""

    account: Account
    cursor: Any
    depth: int = 0  # the frame depth that began it: only there may it end
    number: int = 0
    open: bool = False
    is_fresh: bool = False  # nothing was read or written yet
    version: int = 0  # of the definitions, when it began
    lost: SqlError | None = None
    consumed: set[tuple[str, str]] = field(default_factory=set)  # (database, stream) read by a DML
    tracked: set[tuple[str, str]] = field(
        default_factory=set
    )  # (database, stream) that this transaction's inserts feed

    def begin(self, depth: int) -> None:
        self.cursor.execute("begin")
        self.number, self.open, self.depth, self.lost = next(_transaction_numbers), True, depth, None
        self.is_fresh, self.version = True, definitions.version()

    def commit(self) -> None:
        """Ends the transaction; the offsets of the streams that it consumed move with it, or nothing does."""
        if self.lost:
            lost = self.lost
            self.rollback()
            raise SqlError(
                lost.errno,
                "COMMIT refused and the transaction rolled back, because an earlier statement of it failed at run time and the local account cannot undo "
                f"that statement alone (Snowflake can): {lost.message}",
                lost.sqlstate,
            )
        from local_account import streams

        try:
            for database, stream in sorted(self.consumed):
                streams.advance(self.account, self.cursor.execute, database, stream, self.number)
            self.cursor.execute("commit")
        except duckdb.Error as error:  # another transaction moved the same stream or changed the same rows first
            self.rollback()
            raise from_duckdb(error) from error
        self._end()

    def rollback(self) -> None:
        with suppress(duckdb.Error):  # DuckDB may have ended it already (a failed commit does)
            self.cursor.execute("rollback")
        self._end()

    def begin_again(self) -> None:
        """Undoes a first statement that failed, and leaves the transaction open."""
        self.rollback()
        self.begin(self.depth)

    def _end(self) -> None:
        self.open, self.lost = False, None
        self.consumed.clear()
        self.tracked.clear()


class Deadline:
    """The moment at which a statement, with all that it calls, is canceled."""

    def __init__(self, session: Session, seconds: float) -> None:
        self.session, self.seconds = session, seconds
        self.until = time.monotonic() + seconds

    def __enter__(self) -> None:
        self.session.deadline = self
        self.timer = threading.Timer(self.seconds, self._interrupt)
        self.timer.daemon = True
        self.timer.start()

    def __exit__(self, *_: object) -> None:
        self.timer.cancel()
        self.session.deadline = None

    def _interrupt(self) -> None:
        for transaction in list(self.session.transactions):
            transaction.cursor.interrupt()

    def seconds_left(self) -> float:
        """Raises SqlError 630 when none is left."""
        left = self.until - time.monotonic()
        if left <= 0:
            message = (
                f"Statement reached its statement or warehouse timeout of {self.seconds:g} second(s) and was canceled."
            )
            raise SqlError(630, message, "57014")
        return left


class Session:
    """A client's session, or (``nested``) a running procedure's."""

    def __init__(self, account: Account, user: str, role: str, warehouse: str | None) -> None:
        self.account = account
        self.number = next(_session_numbers)
        self.user, self.role, self.warehouse = user, role, warehouse
        self.database: str | None = None
        self.schema: str | None = None
        self.parameters: dict[str, Any] = {"AUTOCOMMIT": True, "TIMEZONE": "UTC", "QUERY_TAG": ""}
        self.own_variables: dict[str, Any] = {}
        self.results: OrderedDict[str, Result] = OrderedDict()
        self.query_ids: deque[str] = deque(maxlen=REMEMBERED_IDS)
        self.counted = 0  # statements so far
        self.transactions = [Transaction(account, account.cursor())]
        self.frame: Frame | None = None
        self.depth = 0
        self.query_id = ""
        self.is_nested = False
        self.deadline: Deadline | None = None  # of the statement that the client or a task waits for
        self.has_ended = False  # a nested session ends with its call, whatever its worker still holds
        self.temporaries: dict[tuple[str, ...], str] = {}  # (kind, database, schema, name) -> the object's real name
        self.telemetry: Telemetry | None = None  # of the procedure that runs, for SYSTEM$LOG
        self.span: dict[str, str] = {}  # the call that runs, for the event table (events.py)
        self.watch: Watch | None = None  # for tests (watch.py); those of procedures inherit it
        self.lock = (
            threading.Lock()
        )  # one statement at a time; a nested session has its own, for its caller waits inside one

    def nested(self, frame: Frame) -> Session:
        """A session for code that runs inside this one, in its transaction."""
        inner = Session.__new__(Session)
        inner.__dict__.update(self.__dict__)
        inner.results, inner.frame, inner.depth, inner.is_nested = OrderedDict(), frame, self.depth + 1, True
        inner.query_ids, inner.counted = deque(maxlen=REMEMBERED_IDS), 0
        inner.lock = threading.Lock()
        inner.database, inner.schema = frame.database, frame.schema
        if frame.role:
            inner.role = frame.role
        return inner

    # transactions -------------------------------------------------------------------------------------------------

    @property
    def transaction(self) -> Transaction:
        return self.transactions[-1]

    @property
    def cursor(self) -> Any:
        return self.transaction.cursor

    def begin(self) -> None:
        """Starts a transaction; inside a procedure it is the procedure's own, apart from the caller's (scoped transactions)."""
        if not self.transaction.open:
            self.transaction.begin(self.depth)
        elif self.transaction.depth < self.depth:
            self.transactions.append(Transaction(self.account, self.account.cursor()))
            self.transaction.begin(self.depth)

    def commit(self) -> None:
        self._end_with("commit")

    def rollback(self) -> None:
        self._end_with("rollback")

    def _end_with(self, verb: str) -> None:
        transaction = self.transaction
        if not transaction.open:
            return
        if transaction.depth != self.depth:
            raise SqlError(
                90_232,
                f"Stored procedure execution error: Scoped transaction started outside the procedure cannot be ended by {verb.upper()} "
                "inside it: end it where it was begun.",
            )
        try:
            getattr(transaction, verb)()
        finally:
            self._drop_scoped()

    def commit_before_definition(self) -> None:
        """DDL commits the open transaction first, as Snowflake does."""
        if self.transaction.open:
            self.commit()

    def end_scope(self) -> None:
        """Called when a procedure ends: a transaction that it left open is rolled back, and that is an error."""
        if self.transaction.open and self.transaction.depth == self.depth:
            self.transaction.rollback()
            self._drop_scoped()
            raise SqlError(
                90_231,
                f"Stored procedure execution error: Scoped transaction started in {self.frame.what if self.frame else 'the procedure'} is "
                "incomplete and it was rolled back. Each BEGIN needs its COMMIT or ROLLBACK in the same procedure.",
            )

    def abandon_scope(self) -> None:
        """After an error left the procedure: its own open transaction goes, silently (the error says enough)."""
        while self.transaction.open and self.transaction.depth >= self.depth and self.depth:
            self.transaction.rollback()
            self._drop_scoped()

    def _drop_scoped(self) -> None:
        if len(self.transactions) > 1 and not self.transaction.open:
            self.transactions.pop().cursor.close()

    # results and identity -----------------------------------------------------------------------------------------

    @property
    def variables(self) -> dict[str, Any]:
        """The session's; code with owner's rights sees none of its caller's (developer-guide/stored-procedure/stored-procedures-rights)."""
        return {} if self.frame else self.own_variables

    def remember(self, result: Result) -> Result:
        self.query_id = str(uuid.uuid4())
        self.query_ids.append(self.query_id)
        self.counted += 1
        self.results[self.query_id] = result
        while len(self.results) > REMEMBERED_RESULTS:
            self.results.popitem(last=False)
        return result

    @property
    def application(self) -> str | None:
        return self.frame.application if self.frame else None

    def close(self) -> None:
        if self.is_nested:
            return
        for transaction in self.transactions:
            if transaction.open:
                transaction.rollback()
            transaction.cursor.close()
        from local_account import temporaries

        temporaries.end(self.account, self.number)
