"""The process's side of Python handlers: ``python -m local_account.worker <control descriptor>``.

The process imports what handlers usually need, once, and then forks a child for every call that the account asks for. A child serves one call and
ends: so modules, ``sys.path`` and the imports directory belong to that call, as on Snowflake, and a fresh interpreter costs milliseconds.
Whatever the handler prints stays off the wire: requests and answers have a socket of their own. Its standard input is a pipe that the account never
writes to: its end says that the account is gone.
"""

from __future__ import annotations

import datetime as dt
import gc
import importlib
import io
import json
import linecache
import logging
import os
import re
import signal
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

INLINE = "_udf_code"  # the module name that Snowflake gives to inline code, seen in its tracebacks
ROW_NUMBER = "METADATA$ROW"  # in what `process` gives: which input row a row belongs to (null: end_partition)
_LENGTHS = struct.Struct("!IQ")
_LOG_LIMIT = 10_000  # entries per call; the rest is counted out loud in the last one


# the wire: a JSON header and a body of bytes, both with their lengths ----------------------------------------------------------------


def send(connection: socket.socket, header: dict[str, Any], body: bytes | memoryview = b"") -> None:
    text = json.dumps(header, default=_tagged).encode()
    connection.sendall(_LENGTHS.pack(len(text), len(body)) + text)
    connection.sendall(body)


def receive(connection: socket.socket, deadline: float | None = None) -> tuple[dict[str, Any], memoryview]:
    """The next message. EOFError when the other side is gone, TimeoutError when `deadline` (time.monotonic) passes first."""
    header_length, body_length = _LENGTHS.unpack(_exactly(connection, _LENGTHS.size, deadline))
    header = json.loads(bytes(_exactly(connection, header_length, deadline)), object_hook=_untagged)
    return header, _exactly(connection, body_length, deadline)


def _exactly(connection: socket.socket, length: int, deadline: float | None) -> memoryview:
    view = memoryview(bytearray(length))
    done = 0
    while done < length:
        if deadline is not None:
            connection.settimeout(max(deadline - time.monotonic(), 0.001))
        count = connection.recv_into(view[done:])
        if not count:
            raise EOFError
        done += count
    return view


_TYPES: dict[str, tuple[type, Any, Any]] = {  # what JSON lacks; a datetime is a date too, so it comes first
    "\0decimal": (Decimal, str, Decimal),
    "\0datetime": (dt.datetime, dt.datetime.isoformat, dt.datetime.fromisoformat),
    "\0date": (dt.date, dt.date.isoformat, dt.date.fromisoformat),
    "\0time": (dt.time, dt.time.isoformat, dt.time.fromisoformat),
    "\0bytes": (bytes, bytes.hex, bytes.fromhex),
}


def _tagged(value: Any) -> dict[str, str]:
    for tag, (kind, write, _) in _TYPES.items():
        if isinstance(value, kind):
            return {tag: write(value)}
    raise TypeError(f"a value of type {type(value).__module__}.{type(value).__qualname__} has no SQL counterpart")


def _untagged(document: dict[str, Any]) -> Any:
    if len(document) == 1 and (tag := next(iter(document))) in _TYPES:
        return _TYPES[tag][2](document[tag])
    return document


def to_ipc(table: Any) -> memoryview:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return memoryview(sink.getvalue())


def from_ipc(body: memoryview) -> Any:
    import pyarrow as pa

    return pa.ipc.open_stream(pa.py_buffer(body)).read_all()


# types: what Snowflake hands to a handler, and takes from it --------------------------------------------------------------------------


def split_type(written: str) -> tuple[str, int, int]:
    """('NUMBER', 12, 2) of 'NUMBER(12,2)'; a NUMBER without figures is NUMBER(38,0)."""
    found = re.fullmatch(r"\s*(\w+)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?.*", written.upper(), re.DOTALL)
    name, precision, scale = found.groups() if found else (written.upper(), None, None)
    return name, int(precision or 38), int(scale or 0)


def arrow_type(written: str) -> Any:
    """The Arrow type in which a column of this Snowflake type leaves a handler; semi-structured values travel as JSON text."""
    import pyarrow as pa

    name, precision, scale = split_type(written)
    if name in ("NUMBER", "DECIMAL", "NUMERIC", "INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "BYTEINT"):
        return pa.int64() if not scale and precision <= 18 else pa.decimal128(precision, scale)
    if name in ("FLOAT", "DOUBLE", "REAL", "FLOAT4", "FLOAT8"):
        return pa.float64()
    if name.startswith("TIMESTAMP") or name == "DATETIME":
        return pa.timestamp("us", "UTC" if name in ("TIMESTAMP_LTZ", "TIMESTAMP_TZ") else None)
    simple = {"BOOLEAN": pa.bool_(), "DATE": pa.date32(), "TIME": pa.time64("us"), "BINARY": pa.binary()}
    return simple.get(name, pa.string())


def _is_json(written: str) -> bool:
    return split_type(written)[0] in ("VARIANT", "OBJECT", "ARRAY")


def to_pandas(column: Any, written: str) -> Any:
    """An input column of a vectorised function, with the dtype that Snowflake documents.

    Integers come as nullable Int16, Int32 or Int64, the narrowest that holds the values: arithmetic on them can overflow there, so it does here.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    target = arrow_type(written)
    if _is_json(written):
        return pd.Series([None if value is None else json.loads(value) for value in column.to_pylist()], dtype=object)
    if pa.types.is_decimal(target) and target.scale:
        return column.cast(target).to_pandas().astype(object)
    if pa.types.is_integer(target) or pa.types.is_decimal(target):
        extremes = pc.min_max(column).as_py()
        reach = max(abs(int(extremes[end] or 0)) for end in ("min", "max"))
        for narrow, dtype in ((pa.int16(), pd.Int16Dtype()), (pa.int32(), pd.Int32Dtype()), (pa.int64(), pd.Int64Dtype())):
            if reach < 1 << (narrow.bit_width - 1):
                return column.cast(narrow).to_pandas(types_mapper=lambda _, dtype=dtype: dtype)
        return column.cast(pa.decimal128(38, 0)).to_pandas().astype(object)
    if pa.types.is_timestamp(target) or pa.types.is_date(target):
        return column.cast(target).cast(pa.timestamp("ns")).to_pandas().astype("datetime64[ns]")
    if pa.types.is_time(target):
        return column.cast(target).cast(pa.int64()).cast(pa.duration("us")).to_pandas().astype("timedelta64[ns]")
    extensions = {pa.string(): pd.StringDtype(), pa.bool_(): pd.BooleanDtype()}
    return column.cast(target).to_pandas(types_mapper=extensions.get)


def _to_python(column: Any, written: str) -> list[Any]:
    """An input column of a row-wise function, as Python values."""
    values = column.to_pylist()
    if _is_json(written):
        return [None if value is None else json.loads(value) for value in values]
    name, _, scale = split_type(written)
    if arrow_type(written) != arrow_type("VARCHAR") and name.startswith(("NUMBER", "DECIMAL", "NUMERIC", "INT")) and not scale:
        return [None if value is None else int(value) for value in values]
    return values


def from_values(values: Any, name: str, written: str) -> Any:
    """An output column as Arrow. Its values must be of the declared kind; NaN is NULL. TypeError or ArrowInvalid otherwise."""
    import pyarrow as pa

    if _is_json(written):
        return pa.array([None if _is_null(value) else json.dumps(value) for value in values], pa.string())
    target = arrow_type(written)
    array = pa.array(values, from_pandas=True)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if _kind(array.type) not in (_kind(target), None):
        raise TypeError(f"column {name} is declared {written}, but the handler gave {getattr(values, 'dtype', array.type)}")
    # Nanoseconds go: the engine keeps microseconds. Everything else must fit exactly.
    return array.cast(target, safe=not pa.types.is_timestamp(target))


def _is_null(value: Any) -> bool:
    import pandas as pd

    return value is None or value is pd.NA or (isinstance(value, float) and value != value)


def _kind(type_: Any) -> str | None:
    import pyarrow.types as is_

    if is_.is_integer(type_) or is_.is_floating(type_) or is_.is_decimal(type_):
        return "number"
    if is_.is_string(type_) or is_.is_large_string(type_):
        return "text"
    if is_.is_timestamp(type_) or is_.is_date(type_):
        return "date"
    return None if is_.is_null(type_) else str(type_).split("[")[0]


def as_table(values: Any, output: list[list[str]]) -> Any:
    """One thing that a vectorised function gave (a DataFrame, or a tuple of columns), by position."""
    import pandas as pd
    import pyarrow as pa

    columns = [values.iloc[:, place] for place in range(values.shape[1])] if isinstance(values, pd.DataFrame) else list(values)
    _check_width(len(columns), output)
    arrays = [from_values(column, name, written) for column, (name, written) in zip(columns, output, strict=True)]
    return pa.table(arrays, names=[name for name, _ in output])


def _check_width(found: int, output: list[list[str]]) -> None:
    if found != len(output):
        raise ValueError(f"wrong tuple size for returned value, expected {len(output)}, got {found}")


# handlers ------------------------------------------------------------------------------------------------------------------------------


def load(handler: dict[str, Any]) -> Any:
    """The function or class that the handler names."""
    folder = Path(handler["imports_dir"])
    sys._xoptions["snowflake_import_directory"] = f"{folder}/"  # with the slash: people write `import_dir + 'file'`
    sys.path[:0] = [str(folder), *(str(path) for path in sorted(folder.iterdir()) if path.suffix in (".zip", ".whl"))]
    source, name = handler["inline_source"], handler["handler"]
    if source is None:
        module_name, _, name = name.rpartition(".")
        return getattr(importlib.import_module(module_name), name)
    module = sys.modules[INLINE] = ModuleType(INLINE)
    file = f"{INLINE}.py"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), module.__dict__)
    return getattr(module, name)


def open_session(login: dict[str, Any]) -> Any:
    """A Snowpark session on the caller's transaction. It sends the log-in and nothing else, and says no good-bye: the account ends what it lent."""
    import snowflake.connector
    from snowflake.snowpark import Session

    connection = snowflake.connector.connect(
        **{"user": "LOCAL", "account": "local", "protocol": "http", **login},
        paramstyle="qmark",
        client_session_keep_alive=False,
        server_session_keep_alive=True,
        log_imported_packages_in_telemetry=False,
    )
    return Session.builder.configs({"connection": connection}).create()


def call_procedure(request: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """The answer to a procedure call: a value, or for RETURNS TABLE the rows with their columns."""
    import pandas as pd
    import pyarrow as pa
    from snowflake.connector.constants import FIELD_ID_TO_NAME
    from snowflake.snowpark import DataFrame

    function = load(request["handler"])
    session = open_session(request["login"])
    value = function(session, *request["arguments"])
    if isinstance(value, pd.DataFrame):
        return {"rows": None}, to_ipc(pa.Table.from_pandas(value, preserve_index=False))
    if not isinstance(value, DataFrame):
        json.dumps(value, default=_tagged)  # here, where its error is the handler's
        return {"value": value}, b""
    session.connection.arrow_number_to_decimal_setter = True  # or NUMBER(p,s) would come as float
    result, columns = session._conn.get_result_set(value._plan, to_arrow=True)
    described = [
        {"name": column.name, "type": FIELD_ID_TO_NAME[column.type_code], "precision": column.precision, "scale": column.scale, "nullable": column.is_nullable}
        for column in columns
    ]
    return {"rows": {"query_id": result["sfqid"], "columns": described}}, to_ipc(result["data"])


def call_function(class_: Any, arguments: list[list[str]], output: list[list[str]], rows: Any) -> Any:
    """What a table function gives for one partition."""
    import pandas as pd
    import pyarrow as pa

    instance = class_()
    if _is_vectorised(getattr(class_, "end_partition", None)):
        frame = pd.DataFrame({name: to_pandas(rows[name], written) for name, written in arguments})
        tables = [as_table(item, output) for item in _items(instance.end_partition(frame))]
        return pa.concat_tables(tables) if tables else pa.table([pa.array([], arrow_type(t)) for _, t in output], names=[n for n, _ in output])
    return _call_process(instance, arguments, output, rows)


def _call_process(instance: Any, arguments: list[list[str]], output: list[list[str]], rows: Any) -> Any:
    """Row by row, or for a vectorised `process` all rows at once; each row of the result says which input row it belongs to."""
    import pandas as pd
    import pyarrow as pa

    numbered = [[ROW_NUMBER, "NUMBER(18,0)"], *output]
    given: list[tuple[Any, ...]] = []
    if _is_vectorised(getattr(instance, "process", None)):
        table = as_table(instance.process(pd.DataFrame({n: to_pandas(rows[n], t) for n, t in arguments})), output)
        if table.num_rows != rows.num_rows:
            raise ValueError(f"a vectorised process gives one row for each input row: {table.num_rows} for {rows.num_rows}")
        table = table.add_column(0, ROW_NUMBER, pa.array(range(rows.num_rows), pa.int64()))
    else:
        table = None
        for number, row in enumerate(zip(*(_to_python(rows[n], t) for n, t in arguments), strict=True)):
            given += [(number, *item) for item in instance.process(*row) or ()]
    if hasattr(instance, "end_partition"):
        given += [(None, *item) for item in instance.end_partition() or ()]
    for item in given:
        _check_width(len(item) - 1, output)
    columns = zip(*given, strict=True) if given else ([] for _ in numbered)
    arrays = [from_values(list(column), name, written) for column, (name, written) in zip(columns, numbered, strict=True)]
    rest = pa.table(arrays, names=[name for name, _ in numbered])
    return pa.concat_tables([table, rest]) if table else rest


def _is_vectorised(method: Any) -> bool:
    return getattr(method, "_sf_vectorized_input", None) is not None


def _items(given: Any) -> Iterable[Any]:
    """A generator's frames; or the one frame, or the one list of columns, that was returned."""
    if given is None:
        return ()
    return given if isinstance(given, Iterator) else (given,)


# the child: one call -------------------------------------------------------------------------------------------------------------------


class Log(logging.Handler):
    """What the handler prints and logs, for the event table."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[dict[str, Any]] = []
        self.dropped = 0
        logging.basicConfig(handlers=[self], level=logging.DEBUG, force=True)
        for library in ("snowflake", "urllib3", "botocore", "boto3"):
            logging.getLogger(library).setLevel(logging.WARNING)
        sys.stdout, sys.stderr, sys.stdin = _Lines(self, "stdout"), _Lines(self, "stderr"), open(os.devnull)

    def emit(self, record: logging.LogRecord) -> None:
        self.add("log", record.getMessage(), record.levelname, record.name)

    def add(self, source: str, message: str, level: str = "INFO", logger: str = "") -> None:
        if len(self.entries) >= _LOG_LIMIT:
            self.dropped += 1
            return
        now = dt.datetime.now(dt.timezone.utc)
        self.entries.append({"time": now, "source": source, "level": level, "logger": logger, "message": message})

    def take(self) -> list[dict[str, Any]]:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        entries, self.entries = self.entries, []
        if self.dropped:
            entries[-1]["message"] += f"\n({self.dropped} entries more were dropped)"
            self.dropped = 0
        return entries


class _Lines(io.TextIOBase):
    def __init__(self, log: Log, source: str) -> None:
        self.log, self.source, self.rest = log, source, ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self.rest = (self.rest + text).split("\n")
        for line in lines:
            self.log.add(self.source, line)
        return len(text)

    def flush(self) -> None:
        if self.rest:
            self.write("\n")


def serve(connection: socket.socket) -> None:
    """Answers requests until the account has no more."""
    send(connection, {"pid": os.getpid()})
    log = Log()
    threading.Thread(target=_end_with_account, daemon=True).start()
    class_: Any = None
    opening: dict[str, Any] = {}
    while True:
        request, body = receive(connection)
        answer: dict[str, Any] = {}
        result: Any = b""
        try:
            if request["kind"] == "procedure":
                answer, result = call_procedure(request)
            elif request["kind"] == "function":
                opening, class_ = request, load(request["handler"])
            else:
                result = to_ipc(call_function(class_, opening["arguments"], opening["output"], from_ipc(body)))
        except BaseException as error:  # SystemExit too: a handler ends its call, not the conversation
            answer, result = {"error": _traceback(error)}, b""
        send(connection, {**answer, "log": log.take()}, result)


def _traceback(error: BaseException) -> str:
    """The traceback as Snowflake prints it: from the handler's first line on, without ours."""
    frames = error.__traceback__
    while frames and frames.tb_frame.f_code.co_filename in (__file__, importlib.__file__, "<frozen importlib._bootstrap>"):
        frames = frames.tb_next
    return "".join(traceback.format_exception(error.with_traceback(frames)))


def _end_with_account() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


# the parent: ready to fork -------------------------------------------------------------------------------------------------------------


def prepare() -> None:
    """Imports once what every call needs, and makes the process look like Snowflake's."""
    from snowflake.connector import description

    # Snowpark asks this name whether it runs inside a procedure: there it lets nobody close the session, open a second one, or query asynchronously.
    description.PLATFORM = "XP"
    for name in ("numpy", "pandas", "pyarrow.compute", "snowflake.snowpark.functions", "snowflake.connector.pandas_tools"):
        importlib.import_module(name)
    server_only = sys.modules["_snowflake"] = ModuleType("_snowflake")
    server_only.vectorized = sys.modules["snowflake.snowpark.functions"].vectorized  # type: ignore[attr-defined]
    here = str(Path(__file__).parents[1])
    sys.path[:] = [entry for entry in sys.path if entry and os.path.abspath(entry) != here]  # handlers see their imports and packages only


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    prepare()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are reaped by themselves
    gc.collect()
    gc.freeze()  # so that collections in the children do not copy these pages
    while True:
        order, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not order:
            os._exit(0)
        if os.fork() == 0:
            try:
                control.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                serve(socket.socket(fileno=descriptors[0]))
            except (EOFError, OSError):
                pass  # the account has heard enough
            finally:
                os._exit(0)  # no exit handlers: they would talk to an account that may be gone
        os.close(descriptors[0])


if __name__ == "__main__":
    main()
