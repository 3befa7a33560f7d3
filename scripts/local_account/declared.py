"""Types as a signature declares them: what tells overloads apart, how values cross between SQL and Python."""

from __future__ import annotations

import datetime
import decimal
import json
import re
from typing import Any

import pyarrow

from local_account.errors import SqlError
from local_account.types import MAX_TEXT, Column

_SYNONYMS = {
    "NUMBER": "NUMBER DECIMAL NUMERIC INT INTEGER BIGINT SMALLINT TINYINT BYTEINT DEC",
    "FLOAT": "FLOAT FLOAT4 FLOAT8 DOUBLE REAL",
    "VARCHAR": "VARCHAR STRING TEXT CHAR CHARACTER NVARCHAR",
    "BOOLEAN": "BOOLEAN",
    "DATE": "DATE",
    "TIME": "TIME",
    "TIMESTAMP_NTZ": "TIMESTAMP_NTZ DATETIME TIMESTAMP TIMESTAMPNTZ",
    "TIMESTAMP_LTZ": "TIMESTAMP_LTZ TIMESTAMPLTZ",
    "TIMESTAMP_TZ": "TIMESTAMP_TZ TIMESTAMPTZ",
    "VARIANT": "VARIANT",
    "OBJECT": "OBJECT",
    "ARRAY": "ARRAY",
    "BINARY": "BINARY VARBINARY",
}
_CANONICAL = {synonym: name for name, synonyms in _SYNONYMS.items() for synonym in synonyms.split()}
_WIRE = {"NUMBER": "fixed", "FLOAT": "real", "VARCHAR": "text"}
SEMI_STRUCTURED = ("variant", "object", "array")


def canonical(written: str) -> str:
    """'int' -> 'NUMBER', 'string(10)' -> 'VARCHAR': the name that tells signatures apart."""
    word = re.split(r"[\s(]", written.strip(), maxsplit=1)[0].upper()
    if word not in _CANONICAL:
        raise SqlError(2040, f"SQL compilation error: Unsupported data type '{written}'.", "42601")
    return _CANONICAL[word]


def column(name: str, written: str) -> Column:
    """A result column of a declared type."""
    type_ = canonical(written)
    numbers = [int(number) for number in re.findall(r"\d+", written.split("(", 1)[1])] if "(" in written else []
    if type_ == "NUMBER":
        precision, scale = (numbers + [38, 0][len(numbers) :])[:2]
        return Column(name, "fixed", precision, scale)
    wire = _WIRE.get(type_, type_.lower())
    length = (numbers[0] if numbers else MAX_TEXT) if wire == "text" else None
    return Column(name, wire, None, 9 if wire.startswith("time") else None, length)


def arrow_type(described: Column) -> pyarrow.DataType:
    """How the account holds a column in Arrow (as DuckDB would give it)."""
    match described.type:
        case "fixed":
            return pyarrow.decimal128(described.precision or 38, described.scale or 0)
        case "real":
            return pyarrow.float64()
        case "boolean":
            return pyarrow.bool_()
        case "date":
            return pyarrow.date32()
        case "time":
            return pyarrow.time64("us")
        case "timestamp_ntz":
            return pyarrow.timestamp("us")
        case "timestamp_ltz" | "timestamp_tz":
            return pyarrow.timestamp("us", tz="UTC")
        case "binary":
            return pyarrow.binary()
        case _:
            return pyarrow.string()


def rounded(value: Any, described: Column) -> decimal.Decimal:
    """A number with as many decimals as its column, all of its digits kept (the usual context has 28)."""
    return decimal.Decimal(str(value)).quantize(decimal.Decimal(1).scaleb(-(described.scale or 0)), context=_WIDE)


_WIDE = decimal.Context(prec=80)


def to_arrow_value(described: Column, value: Any) -> Any:
    """A Python value as its column wants it."""
    if value is None:
        return None
    if described.type in SEMI_STRUCTURED:
        return json.dumps(value, default=str)
    if described.type == "text":
        return str(value)
    if described.type == "fixed":
        return rounded(value, described)
    return float(value) if described.type == "real" else value


def from_arrow(described: Column, value: Any) -> Any:
    """An Arrow value as Snowflake hands it to a procedure."""
    if value is None:
        return None
    if described.type == "fixed" and not described.scale:
        return int(value)
    if described.type in SEMI_STRUCTURED:
        return json.loads(value)
    if isinstance(value, datetime.datetime) and value.tzinfo and described.type == "timestamp_ntz":
        return value.replace(tzinfo=None)
    return value
