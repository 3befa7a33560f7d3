"""The account's side of Python procedures and table functions: their imports, packages and processes.

A handler never runs inside the account. See ``worker`` for the other side of the socket.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from local_account import declared
from local_account.errors import SqlError, compilation
from local_account.types import Column
from local_account.worker import PACKAGES, ROW_NUMBER, fit, from_ipc, receive, send, to_ipc

PROCEDURE_SECONDS = 172_800  # Snowflake's STATEMENT_TIMEOUT_IN_SECONDS
FUNCTION_SECONDS = 180  # Snowflake's limit for one call of a table function's method
_START_SECONDS = 120
_SCRIPTS = Path(__file__).parents[1]

Log = Callable[[dict[str, Any]], None]
"""Takes one entry of what a handler said: time (aware), source ('log', 'stdout', 'stderr', 'event', 'span'), level, logger, message, attributes."""


@dataclass(frozen=True)
class Handler:
    """Python code as CREATE PROCEDURE or CREATE FUNCTION names it."""

    name: str  # the SQL name, for messages
    imports_dir: Path | None
    inline_source: str | None
    handler: str  # 'module.function', or of inline code 'function'
    packages: tuple[str, ...] = ()
    runtime: str = "3.11"


@dataclass(frozen=True)
class Rows:
    """What a procedure that RETURNS TABLE gave."""

    columns: list[Column]
    table: pa.Table


def check_packages(packages: Iterable[str], *, procedure: bool = False) -> None:
    """Refuses, by name, the packages that a handler could not import here; versions are taken as written."""
    names = {package: name_of(package) for package in packages}
    missing = [package for package, name in names.items() if not _is_there(name)]
    if procedure and "snowflake-snowpark-python" not in names.values():
        missing.append("snowflake-snowpark-python (a Python procedure must name it, rule PY-03)")
    if missing:
        raise compilation(
            391_525,
            "Cannot create a Python function with the specified packages. "
            "Please check your packages specification and try again. "
            f"'Packages not found: {', '.join(missing)}' (rule PY-04; the local account has those of its own environment).",
            "42601",
        )


def name_of(package: str) -> str:
    """The name in 'name==version'; '' for what is written otherwise."""
    found = re.fullmatch(r"\s*([\w.-]+)\s*(?:==\s*[\w.*]+\s*)?", package)
    return found[1].lower().replace("_", "-") if found else ""


def _is_there(package: str) -> bool:
    with suppress(importlib.metadata.PackageNotFoundError):
        return package in PACKAGES and (
            package == "snowflake-telemetry-python" or bool(importlib.metadata.version(package))
        )
    return False


def stage_imports(paths: Iterable[Path], directory: Path) -> Path:
    """Copies IMPORTS flat into a directory below `directory`, named after their content, and returns it."""
    files: dict[str, bytes] = {}
    for path in paths:
        if path.name in files:
            raise compilation(
                1008, f"invalid value for parameter 'IMPORTS': two of the imports are named '{path.name}'.", "22023"
            )
        files[path.name] = path.read_bytes()
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    staged = directory / digest.hexdigest()[:16]
    if not staged.exists():
        directory.mkdir(parents=True, exist_ok=True)
        growing = Path(tempfile.mkdtemp(dir=directory))
        for name, content in files.items():
            (growing / name).write_bytes(content)
        try:
            growing.rename(staged)  # at once: another thread may be staging the same files
        except OSError:
            shutil.rmtree(growing)
    return staged


class Pool:
    """Runs handlers in processes of their own, one process per call and for table functions one per processor.

    `home` becomes the processes' home folder and keeps the log of what they say besides. Calls may come from
    many threads.
    """

    def __init__(self, home: Path, processors: int | None = None) -> None:
        self.home = home.absolute()
        self.processors = processors or os.cpu_count() or 1
        self.nothing = self.home / "no_imports"
        self.nothing.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._closed = False
        self._start()

    def _start(self) -> None:
        """Starts the process that forks the workers; it imports in the background, and the first call waits for it."""
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
        environment = {
            **kept,
            "HOME": str(self.home),
            "SNOWFLAKE_HOME": str(self.home),  # or the connector makes its folder elsewhere
            "SNOWFLAKE_DISABLE_PLATFORM_DETECTION": "true",  # or it asks the clouds' metadata addresses
            "PYTHONPATH": str(_SCRIPTS),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "NO_PROXY": "*",
            "no_proxy": "*",
        }
        self._control, theirs = socket.socketpair()
        with theirs, (self.home / "workers.log").open("ab") as log:
            self._nursery = subprocess.Popen(
                [sys.executable, "-P", "-m", "local_account.worker", str(theirs.fileno())],
                stdin=subprocess.PIPE,  # never written to: its end tells the workers that the account is gone
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
                cwd=self.home,
                env=environment,
                start_new_session=True,  # Ctrl-C is for the account
            )

    @contextmanager
    def _worker(self, handler: Handler, log: Log | None) -> Iterator[_Worker]:
        ours, theirs = socket.socketpair()
        with ours:
            with theirs, self._lock:
                if self._closed:
                    raise SqlError(604, "SQL execution canceled: the account is closing.", "57014")
                if self._nursery.poll() is not None:
                    self._release()
                    self._start()
                socket.send_fds(self._control, [b"+"], [theirs.fileno()])
            worker = _Worker(handler, ours, log)
            try:
                yield worker
            finally:
                worker.kill()

    def call_procedure(
        self,
        handler: Handler,
        arguments: Sequence[Any],
        login: dict[str, Any],
        returns: str,
        *,
        seconds: float = PROCEDURE_SECONDS,
        log: Log | None = None,
    ) -> Any:
        """The value that the procedure returned, or `Rows`.

        `login` has the connector's arguments: host, port, password (a one-time token), and what else the session needs;
        `returns` is the declared column's type, or `table`. SqlError: 100357 when the handler failed, 630 when it took too long.
        """
        request = {
            "kind": "procedure",
            "handler": self._named(handler),
            "arguments": list(arguments),
            "login": login,
            "returns": returns,
        }
        with self._worker(handler, log) as worker:
            answer, body = worker.ask(request, seconds=seconds)
        if "value" in answer:
            return answer["value"]
        columns = [Column(*described) for described in answer["columns"]]
        arrays = [
            fit(given, declared.arrow_type(column))
            for column, given in zip(columns, from_ipc(body).columns, strict=True)
        ]
        return Rows(columns, pa.table(arrays, names=[column.name for column in columns]))

    def call_table_function(
        self,
        handler: Handler,
        rows: pa.Table,
        arguments: Sequence[tuple[str, str]],
        partition_by: Sequence[str],
        output: Sequence[tuple[str, str]],
        *,
        seconds: float = FUNCTION_SECONDS,
        log: Log | None = None,
    ) -> pa.Table:
        """The rows that the function gives, partition after partition in the order in which `rows` first shows them.

        `arguments` are the function's (name, Snowflake type) and `rows` has a column of each name; `partition_by` names
        columns of `rows` (none: all rows are one partition). The result has those columns, then the output columns. A
        function without a vectorised end_partition adds METADATA$ROW last: the place in `rows` of the row that
        `process` was given, null for what end_partition adds. `seconds` limits each partition; `log` is called from
        several threads.
        """
        taken, schema = _schema(arguments), _schema(output)
        given = pa.table([fit(rows[field.name], field.type) for field in taken], schema=taken)
        keys = rows.select(list(dict.fromkeys(partition_by)))
        parts = list(_partitions(keys))
        results = [pa.table({})] * len(parts)
        waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in range(len(parts)):
            waiting.put(number)
        opening = {"kind": "function", "handler": self._named(handler)}
        running: list[_Worker] = []

        def work() -> None:
            with self._worker(handler, log) as worker:
                running.append(worker)
                worker.ask(opening, to_ipc(schema.empty_table()), seconds=seconds)
                with suppress(queue.Empty):
                    while True:
                        number = waiting.get_nowait()
                        places = parts[number]
                        part = {"kind": "partition", "count": len(places)}
                        _, body = worker.ask(part, to_ipc(given.take(places)), seconds=seconds)
                        results[number] = _with_keys(from_ipc(body), keys, places)

        size = min(self.processors, len(parts))
        with ThreadPoolExecutor(max(1, size)) as threads:
            calls = [threads.submit(work) for _ in range(size)]
            try:
                for call in calls:
                    call.result()
            except BaseException:
                with suppress(queue.Empty):  # or the others would go on to the end
                    while True:
                        waiting.get_nowait()
                for worker in running:
                    worker.kill()
                raise
        return pa.concat_tables(results or [pa.schema([*keys.schema, *schema]).empty_table()])

    def _named(self, handler: Handler) -> dict[str, Any]:
        return {
            "imports_dir": str(handler.imports_dir or self.nothing),
            "inline_source": handler.inline_source,
            "handler": handler.handler,
            "packages": [name_of(package) for package in handler.packages],
        }

    def close(self) -> None:
        """Ends all processes, also those in the middle of a call."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._release()

    def _release(self) -> None:
        self._control.close()
        if self._nursery.stdin:
            self._nursery.stdin.close()
        self._nursery.kill()
        self._nursery.wait()


class _Worker:
    """A process that serves one call."""

    def __init__(self, handler: Handler, connection: socket.socket, log: Log | None) -> None:
        self.connection, self.log = connection, log
        self.what = f"in function {handler.name} with handler {handler.handler}"
        self.pid: int | None = None
        greeting, _ = self._receive(_START_SECONDS)
        self.pid = greeting["pid"]

    def ask(
        self, request: dict[str, Any], body: bytes | memoryview = b"", *, seconds: float
    ) -> tuple[dict[str, Any], memoryview]:
        """The answer, its log passed on; SqlError when the handler fails, dies, or takes longer than `seconds`."""
        try:
            self.connection.settimeout(None)
            send(self.connection, request, body)
        except OSError:
            raise self._died() from None
        answer, result = self._receive(seconds)
        for entry in answer.pop("log", ()):
            if self.log:
                self.log(entry)
        if error := answer.get("error"):
            raise SqlError(100_357, f"Python Interpreter Error:\n{error} {self.what}", "P0000")
        return answer, result

    def _receive(self, seconds: float) -> tuple[dict[str, Any], memoryview]:
        try:
            return receive(self.connection, time.monotonic() + seconds)
        except TimeoutError:
            self.kill()
            message = f"Statement reached its statement or warehouse timeout of {seconds:g} second(s) and was canceled"
            raise SqlError(630, f"{message} {self.what}.", "57014") from None
        except (EOFError, OSError):
            raise self._died() from None

    def _died(self) -> SqlError:
        return SqlError(100_357, f"Python Interpreter Error:\nThe process ended unexpectedly {self.what}", "P0000")

    def kill(self) -> None:
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.pid = None


def _schema(columns: Sequence[tuple[str, str]]) -> pa.Schema:
    """The columns as the worker takes them; a field's metadata says its Snowflake type."""
    described = [declared.column(name, written) for name, written in columns]
    return pa.schema([pa.field(c.name, declared.arrow_type(c), metadata={"type": c.type}) for c in described])


def _partitions(keys: pa.Table) -> Iterator[pa.Array]:
    """The places of each partition's rows, in order. No rows make no partition."""
    places = pa.array(range(keys.num_rows), pa.int64())
    if keys.num_columns and keys.num_rows:
        numbered = keys.append_column(ROW_NUMBER, places).group_by(keys.column_names, use_threads=False)
        yield from (group.values for group in numbered.aggregate([(ROW_NUMBER, "list")])[f"{ROW_NUMBER}_list"])
    elif keys.num_rows:
        yield places


def _with_keys(result: pa.Table, keys: pa.Table, places: pa.Array) -> pa.Table:
    """A partition's result with the partition's key before it, and the rows' own places after it."""
    first = keys.take(pa.array([places[0].as_py()] * result.num_rows, pa.int64()))
    columns = {name: first[name] for name in keys.column_names} | {name: result[name] for name in result.column_names}
    if ROW_NUMBER in columns:
        columns[ROW_NUMBER] = places.take(columns.pop(ROW_NUMBER))
    return pa.table(columns)
