"""Results on the wire, and binds from it: the forms that Snowflake's clients read and write."""

import base64
import datetime
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from local_account.errors import SqlError
from local_account.types import Column

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
MICRO = datetime.timedelta(microseconds=1)


def rowtype(columns: Sequence[Column]) -> list[dict]:
    """The description of a result's columns as clients expect it."""
    return [
        {
            "name": column.name,
            "database": "",
            "schema": "",
            "table": "",
            "nullable": column.nullable,
            "type": column.type,
            "precision": column.precision,
            "scale": column.scale,
            "length": column.length,
            "byteLength": column.length and min(column.length * (4 if column.type == "text" else 1), 16777216),
            "collation": None,
        }
        for column in columns
    ]


# --- Arrow


def arrow_base64(result, rows: int | None = None) -> str:
    """The (first) rows of a `Result` as an Arrow stream in Base64; '' for a result without columns."""
    return base64.b64encode(arrow_stream(result, 0, rows)).decode() if result.columns else ""


def arrow_stream(result, start: int, rows: int | None) -> pa.Buffer:
    """Rows of a `Result`, from `start` on, as an Arrow stream."""
    columns = result.table.slice(start, rows).columns
    arrays = [_wire(column, values) for column, values in zip(result.columns, columns, strict=True)]
    fields = [
        pa.field(column.name, array.type, column.nullable, _metadata(column))
        for column, array in zip(result.columns, arrays, strict=True)
    ]
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _metadata(column: Column) -> dict[str, str]:
    return {
        "logicalType": column.type.upper(),
        "precision": str(column.precision if column.precision is not None else 38),
        "scale": str(column.scale or 0),
        "charLength": str(column.length or 0),
        "byteLength": str(column.length or 0),
        "finalType": "T",
    }


def _wire(column: Column, values: pa.ChunkedArray) -> pa.Array:
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if pa.types.is_null(array.type):
        return array.cast(pa.string())
    if column.type == "fixed":
        return _fixed(array)
    if column.type == "real":
        return array.cast(pa.float64())
    if column.type.startswith("timestamp"):
        return _timestamp(array, zoned=column.type == "timestamp_tz")
    if column.type == "time":
        return pc.multiply(array.cast(pa.time64("us")).cast(pa.int64()), 1000)
    if column.type == "date":
        return array.cast(pa.date32())
    if column.type == "boolean":
        return array.cast(pa.bool_())
    if column.type == "binary":
        return array.cast(pa.binary())
    return array if pa.types.is_string(array.type) else array.cast(pa.string())


def _fixed(array: pa.Array) -> pa.Array:
    """Numbers as 64-bit integers without their point where all of them fit, as Snowflake sends them: clients make int
    of those, and Decimal of the wider ones."""
    if not pa.types.is_decimal(array.type):
        if pa.types.is_uint64(array.type):
            return _fixed(array.cast(pa.decimal128(20, 0)))
        return array.cast(pa.int64())
    if array.type.precision > 18 and not _fits(array):
        return array
    words = np.frombuffer(array.buffers()[1], dtype=np.int64) if len(array) else np.empty(0, np.int64)
    low = words[2 * array.offset : 2 * (array.offset + len(array)) : 2]
    return pa.array(low, pa.int64(), mask=np.asarray(array.is_null()))


def _fits(array: pa.Array) -> bool:
    if not len(array):
        return True
    words = np.frombuffer(array.buffers()[1], dtype=np.int64)[2 * array.offset : 2 * (array.offset + len(array))]
    present = np.asarray(array.is_valid())
    return bool(np.all(words[1::2][present] == words[::2][present] >> 63))


def _timestamp(array: pa.Array, *, zoned: bool) -> pa.Array:
    """Seconds since 1970 and nanoseconds, and for TIMESTAMP_TZ the offset in minutes plus 1440; NULL is NULL of the
    whole."""
    nulls = array.is_null()
    ticks = (
        np.asarray(pc.fill_null(array.cast(pa.timestamp("ns", array.type.tz)).cast(pa.int64()), 0))
        if array.type.unit == "ns"
        else None
    )
    if ticks is None:
        micros = np.asarray(pc.fill_null(array.cast(pa.timestamp("us", array.type.tz)).cast(pa.int64()), 0))
        seconds, fraction = micros // 1_000_000, (micros % 1_000_000) * 1000
    else:
        seconds, fraction = ticks // 1_000_000_000, ticks % 1_000_000_000
    parts = [pa.array(seconds, pa.int64()), pa.array(fraction.astype(np.int32), pa.int32())]
    names = ["epoch", "fraction"]
    if zoned:
        parts.append(pa.array(np.full(len(array), 1440, np.int32)))
        names.append("timezone")
    return pa.StructArray.from_arrays(
        parts, fields=[pa.field(name, part.type) for name, part in zip(names, parts, strict=True)], mask=nulls
    )


# --- JSON


def json_rowset(result) -> list[list[str | None]]:
    """The rows of a `Result` as lists of text: dates as days, times as seconds with nine decimals, booleans as 1 and
    0."""
    columns = [
        [None if value is None else _json_text(column, value) for value in values.to_pylist()]
        for column, values in zip(result.columns, result.table.columns, strict=True)
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _json_text(column: Column, value: Any) -> str:
    if column.type == "boolean":
        return "1" if value else "0"
    if column.type == "date":
        return str((value - EPOCH.date()).days)
    if column.type == "time":
        return _seconds(
            datetime.timedelta(
                hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond
            )
        )
    if column.type.startswith("timestamp"):
        moment = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
        return _seconds(moment - EPOCH) + (" 1440" if column.type == "timestamp_tz" else "")
    if column.type == "binary":
        return value.hex().upper()
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _seconds(since: datetime.timedelta) -> str:
    micros = since // MICRO
    sign = "-" if micros < 0 else ""
    return f"{sign}{abs(micros) // 1_000_000}.{abs(micros) % 1_000_000 * 1000:09d}"


# --- Python


def python_rows(result) -> list[tuple]:
    """The rows of a `Result` as Python's values: int for whole numbers, Decimal for others, str for variants (JSON)."""
    columns = []
    for column, values in zip(result.columns, result.table.columns, strict=True):
        values = values.to_pylist()
        if column.type == "fixed" and not column.scale:
            values = [None if value is None else int(value) for value in values]
        columns.append(values)
    return list(zip(*columns, strict=True)) if columns else []


# --- binds


def from_binding(binding: dict) -> object:
    """A bind of the wire as Python's value; a list of values for an array bind.

    Raises SqlError for what cannot be read.
    """
    kind, value = binding["type"].upper(), binding["value"]
    try:
        return [_bound(kind, item) for item in value] if isinstance(value, list) else _bound(kind, value)
    except (ValueError, ArithmeticError) as error:
        raise SqlError(100038, f"Bind value '{value}' is not recognized as {kind}", "22018") from error


def _bound(kind: str, value: str | None) -> object:
    if value is None:
        return None
    if kind == "FIXED":
        return int(value) if value.lstrip("-").isdigit() else Decimal(value)
    if kind == "REAL":
        return float(value)
    if kind == "BOOLEAN":
        return str(value).lower() in ("true", "1")
    if kind == "BINARY":
        return bytes.fromhex(value)
    if kind == "DATE":
        return (
            (EPOCH + datetime.timedelta(milliseconds=int(value))).date()
            if value.lstrip("-").isdigit()
            else datetime.date.fromisoformat(value)
        )
    if kind == "TIME":
        return (EPOCH + int(value) // 1000 * MICRO).time() if value.isdigit() else datetime.time.fromisoformat(value)
    if kind.startswith("TIMESTAMP"):
        ticks, _, offset = value.partition(" ")
        if not ticks.lstrip("-").isdigit():
            return datetime.datetime.fromisoformat(value)
        moment = EPOCH + int(ticks) // 1000 * MICRO
        if kind == "TIMESTAMP_NTZ":
            return moment.replace(tzinfo=None)
        return (
            moment.astimezone(datetime.timezone(datetime.timedelta(minutes=int(offset) - 1440))) if offset else moment
        )
    return value
