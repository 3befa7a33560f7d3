"""The process's side of Python handlers: ``python -m local_account.worker <control descriptor>``.

The process imports what handlers usually need, once, and then forks a child for each call that the account asks for. A
child serves one call and ends: so modules, ``sys.path`` and the imports directory belong to that call, as on Snowflake,
and a fresh interpreter costs milliseconds. Whatever a handler prints stays off the wire: requests and answers have a
socket of their own. Standard input is a pipe that the account never writes to: its end says that the account is gone.
"""

from __future__ import annotations

import builtins
import datetime as dt
import gc
import gzip
import importlib
import importlib.util
import io
import json
import linecache
import logging
import os
import signal
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_TIMES, _WEB = "dateutil pytz six tzdata tzlocal", "requests urllib3 idna certifi charset_normalizer"
_CONNECTOR = f"snowflake.connector cryptography OpenSSL jwt cffi packaging platformdirs filelock sortedcontainers typing_extensions {_TIMES} {_WEB}"
# Of the packages that Snowflake carries, those that may be installed beside this account: what a handler that names one may import.
PACKAGES = {
    "cloudpickle": "cloudpickle",
    "numpy": "numpy",
    "pandas": f"pandas numpy {_TIMES}",
    "pyarrow": "pyarrow",
    "python-dateutil": "dateutil six",
    "pytz": "pytz",
    "pyyaml": "yaml",
    "requests": _WEB,
    "scipy": "scipy numpy",
    "snowflake-connector-python": _CONNECTOR,
    "snowflake-snowpark-python": f"{_CONNECTOR} snowflake.snowpark cloudpickle yaml google setuptools wheel",
    "snowflake-telemetry-python": "snowflake.telemetry",  # it need not be installed: see Log
}
INLINE = "_udf_code"  # the module name that Snowflake gives to inline code, seen in its tracebacks
ROW_NUMBER = "METADATA$ROW"
_LENGTHS = struct.Struct("!IQ")
_LOG_LIMIT = 10_000  # entries per call


# the wire: a JSON header and a body of bytes, both with their lengths ------------------------------------------------


def send(connection: socket.socket, header: dict[str, Any], body: bytes | memoryview = b"") -> None:
    text = json.dumps(header, default=_tagged).encode()
    connection.sendall(_LENGTHS.pack(len(text), len(body)) + text)
    connection.sendall(body)


def receive(connection: socket.socket, deadline: float | None = None) -> tuple[dict[str, Any], memoryview]:
    """The next message. EOFError when the other side is gone, TimeoutError after `deadline` (of time.monotonic)."""
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
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return memoryview(sink.getvalue())


def from_ipc(body: memoryview) -> Any:
    return pa.ipc.open_stream(pa.py_buffer(body)).read_all()


# columns: what Snowflake hands to a handler, and takes from it. A field's metadata says its Snowflake type -----------


def _is_json(field: pa.Field) -> bool:
    return field.metadata[b"type"] in (b"variant", b"object", b"array")


def to_pandas(column: pa.ChunkedArray, field: pa.Field) -> pd.Series:
    """An input column of a vectorised function, with the dtype that Snowflake documents.

    Integers come as nullable Int16, Int32 or Int64, the narrowest that holds the values: arithmetic can overflow there,
    so it can here.
    """
    type_ = field.type
    if _is_json(field):
        return pd.Series([None if value is None else json.loads(value) for value in column.to_pylist()], dtype=object)
    if pa.types.is_integer(type_) or (pa.types.is_decimal(type_) and not type_.scale):
        reach = max(abs(int(end or 0)) for end in pc.min_max(column).as_py().values())
        for dtype in (pd.Int16Dtype(), pd.Int32Dtype(), pd.Int64Dtype()):
            if reach < 1 << (8 * dtype.itemsize - 1):
                return column.cast(dtype.name.lower()).to_pandas(types_mapper=lambda _, dtype=dtype: dtype)
    if pa.types.is_timestamp(type_) or pa.types.is_date(type_):
        return column.cast(pa.timestamp("ns")).to_pandas().astype("datetime64[ns]")
    if pa.types.is_time(type_):
        return column.cast(pa.int64()).cast(pa.duration("us")).to_pandas().astype("timedelta64[ns]")
    return column.to_pandas(types_mapper={pa.string(): pd.StringDtype(), pa.bool_(): pd.BooleanDtype()}.get)


def to_python(column: pa.ChunkedArray, field: pa.Field) -> list[Any]:
    """An input column of a row-wise function."""
    if field.metadata[b"type"] == b"timestamp_ltz":  # arrives without its zone
        column = column.cast(pa.timestamp("us"))
    values = column.to_pylist()
    if _is_json(field):
        return [None if value is None else json.loads(value) for value in values]
    if pa.types.is_decimal(field.type) and not field.type.scale:
        return [None if value is None else int(value) for value in values]
    return values


# What a handler may give for a type whose values Arrow does not tell apart: it makes dates of numbers, and JSON is JSON.
_GIVEN: dict[str, type | tuple[type, ...]] = {
    "array": (list, tuple),
    "object": dict,
    "date": dt.date,
    "time": dt.time,
    "timestamp_ntz": dt.date,
    "timestamp_ltz": dt.date,
    "timestamp_tz": dt.date,
}


def require_kind(value: Any, type_: str, what: str) -> None:
    """TypeError for a value that is not of the declared type, as far as `_GIVEN` says."""
    if value is not None and not isinstance(value, _GIVEN.get(type_, object)):
        raise TypeError(f"{what} is declared {type_.upper()}, but the handler gave {type(value).__name__}")


def _in_json(value: Any) -> str:
    """What JSON lacks is text in a VARIANT, as in what a procedure returns."""
    if isinstance(value, tuple(kind for kind, _, _ in _TYPES.values())):
        return str(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def to_arrow(values: Any, field: pa.Field, *, by_rows: bool = False) -> pa.Array:
    """An output column. Its values must be of the declared kind; NaN is NULL where columns are given, and a FLOAT where single
    values are. TypeError or ArrowInvalid otherwise."""
    if _is_json(field):
        nothing = pd.isna(pd.Series(list(values), dtype=object))
        values = [None if none else value for value, none in zip(values, nothing, strict=True)]
        for value in values:
            require_kind(value, field.metadata[b"type"].decode(), f"column {field.name}")
        written = [None if v is None else json.dumps(v, allow_nan=False, default=_in_json) for v in values]
        return pa.array(written, pa.string())
    from_pandas = not (by_rows and pa.types.is_floating(field.type))
    try:
        array = pa.array(values, from_pandas=from_pandas)
    except OverflowError:  # Arrow's integers end at 64 bits, NUMBER's at 38 digits
        numbers = [Decimal(str(value)) if type(value) in (int, float) else value for value in values]
        array = pa.array(numbers, from_pandas=from_pandas)
    array = pa.chunked_array(array).combine_chunks()
    if pa.types.is_duration(array.type) and pa.types.is_time(field.type):
        array = array.cast(pa.duration("us")).cast(pa.int64()).cast(field.type)
    if _kind(array.type) not in (_kind(field.type), "null"):
        declared = field.metadata[b"type"].decode().upper()
        raise TypeError(
            f"column {field.name} is declared {declared}, but the handler gave {getattr(values, 'dtype', array.type)}"
        )
    if pa.types.is_floating(array.type) and pa.types.is_decimal(field.type) and not field.type.scale:
        array = array.cast(pa.int64())  # which refuses fractions; a cast to decimal would round
    return fit(array, field.type)


def fit(values: pa.Array | pa.ChunkedArray, type_: pa.DataType) -> pa.Array | pa.ChunkedArray:
    """The values in another type of their kind; ArrowInvalid when one does not fit."""
    if pa.types.is_integer(values.type) and pa.types.is_decimal(type_):
        values = values.cast(pa.decimal128(38, type_.scale))  # Arrow looks at the integers' type, not at the values
    # Nanoseconds go: the engine keeps microseconds.
    return values.cast(type_, safe=not pa.types.is_timestamp(type_))


def _kind(type_: pa.DataType) -> str:
    tests = {
        "number": (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal),
        "text": (pa.types.is_string, pa.types.is_large_string),
        "date": (pa.types.is_timestamp, pa.types.is_date),
    }
    return next((kind for kind, of in tests.items() if any(test(type_) for test in of)), str(type_))


def to_table(values: pd.DataFrame | Sequence[Any], schema: pa.Schema, *, by_rows: bool = False) -> pa.Table:
    """One thing that a vectorised function gave: a DataFrame, or its columns; by position. Or what was given row by row."""
    columns = [values[name] for name in values] if isinstance(values, pd.DataFrame) else list(values)
    if len(columns) != len(schema):
        raise ValueError(f"wrong tuple size for returned value, expected {len(schema)}, got {len(columns)}")
    arrays = [to_arrow(column, field, by_rows=by_rows) for column, field in zip(columns, schema, strict=True)]
    return pa.table(arrays, schema=schema)


# handlers ------------------------------------------------------------------------------------------------------------


def load(handler: dict[str, Any]) -> Any:
    """The function or class that the handler names."""
    folder = Path(handler["imports_dir"])
    sys.pycache_prefix = str(Path.home() / "bytecode")  # the imports directory shows the imports only
    sys._xoptions["snowflake_import_directory"] = f"{folder}/"  # with the slash: people write `import_dir + 'file'`
    sys.path[:0] = [str(folder), *(str(path) for path in sorted(folder.glob("*")) if path.suffix in (".zip", ".whl"))]
    _allow_only(handler["packages"], folder)
    source, name = handler["inline_source"], handler["handler"]
    if source is None:
        module_name, _, name = name.rpartition(".")
        return getattr(importlib.import_module(module_name), name)
    module = sys.modules[INLINE] = ModuleType(INLINE)
    file = f"{INLINE}.py"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), module.__dict__)
    return getattr(module, name)


def _allow_only(packages: Sequence[str], folder: Path) -> None:
    """Snowflake's process has what PACKAGES names; this one has more, which the handler's own modules must not find.

    Libraries go on importing what they need.
    """
    allowed = {"_snowflake", *sys.stdlib_module_names}
    allowed.update(*(PACKAGES[package].split() for package in packages))
    python_import, python_import_module = builtins.__import__, importlib.import_module

    def check(name: str, asking: dict[str, Any]) -> None:
        is_own = asking.get("__name__") == INLINE or str(asking.get("__file__")).startswith(f"{folder}/")
        top = ".".join(name.split(".")[: 2 if name.startswith("snowflake.") else 1])  # packages share that name
        if not is_own or top in allowed:
            return
        spec = importlib.util.find_spec(top.partition(".")[0])
        place = spec and (spec.origin or next(iter(spec.submodule_search_locations or ()), ""))
        if not f"{place}/".startswith(f"{folder}/"):  # the folder itself may be made a package
            named = ", ".join(packages) or "nothing"
            raise ModuleNotFoundError(f"No module named '{top}' (PACKAGES names {named})", name=top)

    def import_(name: str, globals_: Any = None, locals_: Any = None, fromlist: Any = (), level: int = 0) -> ModuleType:
        for wanted in [f"{name}.{item}" for item in fromlist or ()] if name == "snowflake" else [name]:
            if level == 0:
                check(wanted, globals_ or sys._getframe(1).f_globals)
        return python_import(name, globals_, locals_, fromlist, level)

    def import_module(name: str, package: str | None = None) -> ModuleType:
        if not name.startswith("."):
            check(name, sys._getframe(1).f_globals)
        return python_import_module(name, package)

    builtins.__import__, importlib.import_module = import_, import_module  # type: ignore[assignment]


def open_session(login: dict[str, Any]) -> Any:
    """A Snowpark session on the caller's transaction.

    It sends the log-in and nothing else, and says no good-bye: the account ends what it lent.
    """
    import snowflake.connector
    from snowflake.snowpark import Session

    connection = snowflake.connector.connect(
        **{"user": "LOCAL", "account": "local", "protocol": "http", **login},
        paramstyle="qmark",
        client_session_keep_alive=False,
        server_session_keep_alive=True,
        log_imported_packages_in_telemetry=False,
    )
    _transfer_files(connection)
    return Session.builder.configs({"connection": connection}).create()


def _transfer_files(connection: Any) -> None:
    """What session.file does: the connector that Snowflake has in procedures is not public, and the public one can only write to stages."""
    from snowflake.connector.errors import ProgrammingError

    def ask(**given: Any) -> dict[str, Any]:
        stage, file = ((given[key] or "").strip("'") for key in ("stage_location", "local_file_name"))
        if given["command_type"] == "UPLOAD":
            if given.get("has_source_from_stream"):
                stage, _, file = stage.rpartition("/")
            text = f"put '{file.removeprefix('file://')}' '{stage}'"
        else:
            target = (given["target_directory"] or ".").removeprefix("file://")
            Path(target).mkdir(parents=True, exist_ok=True)
            text = f"get '{stage}' '{target}'"
        options = [f"{name}={value}" for name, value in (given["options"] or {}).items()]
        with connection.cursor() as cursor:
            answer = cursor._execute_helper(" ".join([text, *options]), is_internal=True)
        if not answer["success"]:
            raise ProgrammingError(answer["message"], errno=int(answer["code"]), sqlstate=answer["data"]["sqlState"])
        return answer

    def download(answer: dict[str, Any], decompress: bool = False) -> io.BytesIO:
        if not (found := answer["data"]["src_locations"]):
            raise FileNotFoundError("the file does not exist on the stage")
        content = Path(answer["data"]["stageInfo"]["location"], found[0]).read_bytes()
        return io.BytesIO(gzip.decompress(content) if decompress else content)

    connection._file_operation_parser.parse_file_operation = ask
    connection._stream_downloader.download_as_stream = download


def call_procedure(request: dict[str, Any]) -> tuple[dict[str, Any], memoryview | bytes]:
    """The answer to a procedure call: a value, or for RETURNS TABLE the rows with their columns."""
    from snowflake.connector import cursor
    from snowflake.connector.constants import FIELD_ID_TO_NAME
    from snowflake.snowpark import DataFrame

    function = load(request["handler"])
    session = open_session(request["login"])
    cursor.installed_pandas = "pandas" in request["handler"]["packages"]  # Snowpark does not bring it
    sys.addaudithook(_refuse_processes)
    value = function(session, *request["arguments"])
    cursor.installed_pandas = True
    if request["returns"] == "text" and value is not None:
        return {"value": str(value)}, b""
    if isinstance(value, DataFrame) and request["returns"] == "table":
        session.connection.arrow_number_to_decimal_setter = True  # or NUMBER(p,s) would come as float
        result, description = session._conn.get_result_set(value._plan, to_arrow=True)
        columns = [(c.name, FIELD_ID_TO_NAME[c.type_code].lower(), c.precision, c.scale) for c in description]
        return {"columns": columns}, to_ipc(result["data"])
    if isinstance(value, pd.DataFrame) and request["returns"] == "table":
        table = pa.Table.from_pandas(value, preserve_index=False)
        return {"columns": [_described(field) for field in table.schema]}, to_ipc(table)
    require_kind(value, request["returns"], "the result")
    json.dumps(value, default=_tagged)  # here, where its error is the handler's
    return {"value": value}, b""


def _refuse_processes(event: str, arguments: Any) -> None:
    """Procedures create no processes (docs.snowflake.com/en/developer-guide/stored-procedure/python/procedure-python-limitations)."""
    if event.startswith(("subprocess.", "os.fork", "os.system", "os.posix_spawn", "os.exec", "os.spawn")):
        raise PermissionError(f"{event}: a procedure creates no processes (rule PY-20)")


def _described(field: pa.Field) -> tuple[str, str, int | None, int | None]:
    """The Snowflake column that a pandas column becomes: name, type, precision, scale."""
    is_, type_ = pa.types, field.type
    if is_.is_decimal(type_):
        return field.name, "fixed", type_.precision, type_.scale
    if is_.is_integer(type_):
        return field.name, "fixed", 38, 0
    for wire, tests in {
        "real": (is_.is_floating,),
        "text": (is_.is_string, is_.is_large_string, is_.is_null),
        "boolean": (is_.is_boolean,),
        "date": (is_.is_date,),
        "timestamp_ntz": (is_.is_timestamp,),
    }.items():
        if any(test(type_) for test in tests):
            return field.name, wire, None, None
    raise TypeError(f"column {field.name} of the DataFrame, {type_}, has no SQL counterpart")


def call_function(class_: type, rows: pa.Table, count: int, schema: pa.Schema) -> pa.Table:
    """What a table function gives for one partition of `count` rows.

    Without a vectorised end_partition the first column says which input row a row belongs to; end_partition's to none.
    """
    if not isinstance(class_, type):
        return call_scalar(class_, rows, count, schema)
    instance = class_()
    process, end = getattr(instance, "process", None), getattr(instance, "end_partition", None)
    if end and hasattr(end, "_sf_vectorized_input"):
        frame = pd.DataFrame(
            {field.name: to_pandas(rows[field.name], field) for field in rows.schema}, index=range(count)
        )
        given = end(frame)
        items = given if isinstance(given, Iterator) else () if given is None else (given,)
        return pa.concat_tables([schema.empty_table(), *(to_table(item, schema) for item in items)])
    if hasattr(process, "_sf_vectorized_input"):
        raise NotImplementedError("the local account does not call a vectorised process method")
    schema = schema.insert(0, pa.field(ROW_NUMBER, pa.int64(), metadata={"type": "fixed"}))
    columns = [to_python(rows[field.name], field) for field in rows.schema]
    given = []
    for number, row in enumerate(zip(*columns, strict=True) if columns else [()] * count if process else ()):
        given += [(number, *item) for item in process(*row) or ()]  # type: ignore[misc]
    given += [(None, *item) for item in (end() if end else None) or ()]
    if wrong := {len(item) for item in given} - {len(schema)}:
        raise ValueError(f"wrong tuple size for returned value, expected {len(schema) - 1}, got {wrong.pop() - 1}")
    columns = [list(column) for column in zip(*given, strict=True)] or [[]] * len(schema)
    return to_table(columns, schema, by_rows=True)


def call_scalar(function: Any, rows: pa.Table, count: int, schema: pa.Schema) -> pa.Table:
    """What a scalar function gives for `count` rows, in order; a vectorised one takes its arguments as one frame, numbered columns."""
    columns = list(rows.schema)
    if hasattr(function, "_sf_vectorized_input"):
        series = {place: to_pandas(rows[field.name], field) for place, field in enumerate(columns)}
        takes_frame = function._sf_vectorized_input is pd.DataFrame
        given = function(pd.DataFrame(series, index=range(count))) if takes_frame else function(*series.values())
        return to_table([given], schema)
    values = [to_python(rows[field.name], field) for field in columns]
    given = [function(*row) for row in (zip(*values, strict=True) if columns else [()] * count)]
    return to_table([given], schema, by_rows=True)


# the child: one call -------------------------------------------------------------------------------------------------


class Log(logging.Handler):
    """What the handler prints and logs, for the event table; its first entries, if it never stops."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[dict[str, Any]] = []
        logging.basicConfig(handlers=[self], format="%(message)s", level=logging.DEBUG, force=True)
        for library in ("snowflake", "urllib3", "botocore", "boto3"):
            logging.getLogger(library).setLevel(logging.WARNING)
        sys.stdout, sys.stderr = _Lines(self, "stdout"), _Lines(self, "stderr")
        sys.stdin = io.StringIO()
        telemetry = sys.modules["snowflake.telemetry"] = ModuleType("snowflake.telemetry")
        importlib.import_module("snowflake").telemetry = telemetry  # type: ignore[attr-defined]
        vars(telemetry).update(
            add_event=lambda name, attributes=None: self.add("event", name, attributes=_kept(attributes or {})),
            set_span_attribute=lambda key, value: self.add("span", "", attributes=_kept({key: value})),
        )

    def emit(self, record: logging.LogRecord) -> None:
        level = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")[min(record.levelno // 10, 5)]
        self.add("log", self.format(record), level, record.name)

    def add(self, source: str, message: str, level: str = "INFO", logger: str = "", attributes: Any = None) -> None:
        if len(self.entries) < _LOG_LIMIT:
            entry = {"time": dt.datetime.now(dt.UTC), "source": source, "level": level, "logger": logger}
            self.entries.append({**entry, "message": message, "attributes": attributes})

    def take(self) -> list[dict[str, Any]]:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        entries, self.entries = self.entries, []
        return entries


def _kept(attributes: dict[str, Any]) -> dict[str, Any]:
    """The attributes that OpenTelemetry takes (texts, numbers, booleans, and sequences of them: it drops the others), as JSON has them."""
    plain, several = (str, bool, int, float), (list, tuple)
    kept = {
        str(key): value
        for key, value in attributes.items()
        if all(isinstance(each, plain) for each in (value if isinstance(value, several) else [value]))
    }
    return json.loads(json.dumps(kept), parse_constant=str)


class _Lines(io.TextIOBase):
    def __init__(self, log: Log, source: str) -> None:
        self.log, self.source, self.rest = log, source, ""

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
    class_, schema = object, pa.schema([])
    while True:
        request, body = receive(connection)
        answer: dict[str, Any] = {}
        result: memoryview | bytes = b""
        try:
            if request["kind"] == "procedure":
                answer, result = call_procedure(request)
            elif request["kind"] == "function":
                class_, schema = load(request["handler"]), from_ipc(body).schema
            else:
                result = to_ipc(call_function(class_, from_ipc(body), request["count"], schema))
        except BaseException as error:  # SystemExit too: a handler ends its call, not the conversation
            answer, result = {"error": _traceback(error)}, b""
        send(connection, {**answer, "log": log.take()}, result)


def _traceback(error: BaseException) -> str:
    """The traceback as Snowflake prints it: without our own lines."""
    ours = (__file__, *(str(Path(str(module.__file__)).parent) for module in (importlib, json)), "<frozen importlib")
    told = traceback.TracebackException.from_exception(error)
    told.stack[:] = [line for line in told.stack if not line.filename.startswith(ours)]
    return "".join(told.format())


def _end_with_account() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


# the parent: ready to fork -------------------------------------------------------------------------------------------


def prepare() -> None:
    """Imports once what every call needs, and makes the process look like Snowflake's."""
    from snowflake.connector import description

    # By this name Snowpark knows that it runs inside a procedure: there it lets nobody close the session, open a second
    # one, or query asynchronously.
    description.PLATFORM = "XP"
    import snowflake.connector.pandas_tools  # noqa: F401
    from snowflake.snowpark import functions

    server_only = sys.modules["_snowflake"] = ModuleType("_snowflake")
    server_only.vectorized = functions.vectorized  # type: ignore[attr-defined]
    sys.path.remove(str(Path(__file__).parents[1]))  # handlers see their imports and packages only


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
