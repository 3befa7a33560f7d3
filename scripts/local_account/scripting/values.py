"""The values of a script: as literals in SQL, and held to the type of the variable they are given to."""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any

from local_account.errors import SqlError, compilation, unsupported


@dataclass(frozen=True)
class Type:
    """A declared type: its family, NUMBER's precision and scale or VARCHAR's length, and its text for a cast."""

    family: str
    text: str
    precision: int = 38
    scale: int = 0
    length: int | None = None


_FAMILIES = {
    "number": "NUMBER DECIMAL DEC NUMERIC INT INTEGER BIGINT SMALLINT TINYINT BYTEINT",
    "float": "FLOAT FLOAT4 FLOAT8 DOUBLE DOUBLE_PRECISION REAL",
    "text": "VARCHAR STRING TEXT CHAR CHARACTER NCHAR NVARCHAR NVARCHAR2 CHAR_VARYING NCHAR_VARYING",
    "boolean": "BOOLEAN BOOL",
    "date": "DATE",
    "time": "TIME",
    "timestamp_ntz": "TIMESTAMP TIMESTAMP_NTZ TIMESTAMPNTZ DATETIME",
    "timestamp_ltz": "TIMESTAMP_LTZ TIMESTAMPLTZ",
    "timestamp_tz": "TIMESTAMP_TZ TIMESTAMPTZ",
    "binary": "BINARY VARBINARY",
    "variant": "VARIANT",
    "object": "OBJECT",
    "array": "ARRAY",
}
_FAMILY = {word: family for family, words in _FAMILIES.items() for word in words.split()}


def parse_type(text: str) -> Type:
    """The type written in a declaration. Raises SqlError for a type Snowflake does not have."""
    name, *numbers = re.findall(r"[A-Z_]\w*(?:\s+[A-Z]\w*)*|\d+", text.upper()) or [""]
    family = _FAMILY.get(re.sub(r"\s+", "_", name))
    if family is None or not all(number.isdigit() for number in numbers):
        raise compilation(2040, f"Unsupported data type '{text}'.", "42601")
    sizes = [int(number) for number in numbers]
    if family == "number":
        return Type(family, text, *sizes)
    if family == "text":
        return Type(family, text, length=sizes[0] if sizes else 1 if name in ("CHAR", "CHARACTER", "NCHAR") else None)
    return Type(family, text)


_NATURAL = (
    *((bool, "boolean"), (int, "number"), (float, "float"), (str, "varchar"), (bytes, "binary"), (dict, "variant")),
    *((list, "variant"), (datetime.datetime, "timestamp_ntz"), (datetime.date, "date"), (datetime.time, "time")),
)


def inferred_type(value: Any) -> Type | None:
    """The type of a variable declared by its first value alone: a number with decimals makes a FLOAT in Snowflake."""
    if isinstance(value, Decimal):
        value = float(value) if int(value.as_tuple().exponent) < 0 else int(value)
    name = next((name for kind, name in _NATURAL if isinstance(value, kind)), None)
    if isinstance(value, datetime.datetime) and value.tzinfo:
        name = "timestamp_tz"
    return parse_type(name) if name else None


def to_literal(value: Any, declared: Type | None = None) -> str:
    """The value as a typed SQL literal; `declared` is the type of the variable that holds it."""
    if value is None:
        return "null"
    if isinstance(value, (dict, list)) or (declared is not None and declared.family in ("variant", "object", "array")):
        return f"parse_json({_quoted(json.dumps(value, ensure_ascii=False, default=_in_json))})"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, (int, Decimal)):
        digits = format(value, "f") if isinstance(value, Decimal) else str(value)
        return f"({digits})" if value < 0 else digits  # x -:n must not become x --1, a comment
    if isinstance(value, float):
        return f"({value!r}::float)" if math.isfinite(value) else f"'{value}'::float"
    if isinstance(value, datetime.datetime):
        with_zone = "timestamp_ltz" if declared is not None and declared.family == "timestamp_ltz" else "timestamp_tz"
        return f"'{value.isoformat(sep=' ')}'::{with_zone if value.tzinfo else 'timestamp_ntz'}"
    if isinstance(value, datetime.date):
        return f"'{value.isoformat()}'::date"
    if isinstance(value, datetime.time):
        return f"'{value.isoformat()}'::time"
    if isinstance(value, bytes):
        return f"to_binary('{value.hex()}', 'HEX')"
    raise unsupported(f"a value of type {value.__class__.__name__} in a script")


def to_bind(value: Any, declared: Type | None = None) -> tuple[str, Any] | None:
    """The value as a bind: its place in the SQL text and what is bound; None for what is better written as a literal."""
    if isinstance(value, (dict, list)) or (declared is not None and declared.family in ("variant", "object", "array")):
        return ("parse_json(?)", json.dumps(value, ensure_ascii=False, default=_in_json)) if value is not None else None
    if isinstance(value, str):
        return "cast(? as varchar)", value
    if isinstance(value, int) and not isinstance(value, bool):
        return "?", value
    if isinstance(value, datetime.datetime) and not value.tzinfo:
        return "cast(? as timestamp_ntz)", value
    return None


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _in_json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


_TRUE, _FALSE = {"true", "t", "yes", "y", "on", "1"}, {"false", "f", "no", "n", "off", "0"}
_WIDE = Context(prec=80, rounding=ROUND_HALF_UP)


def coerce(value: Any, declared: Type | None, ask: Callable[[str], Any]) -> Any:
    """The value as the type has it: by Python where that is plainly the same, else by `ask`, which evaluates SQL.

    Raises SqlError for a value that the type cannot hold.
    """
    if value is None or declared is None:
        return value
    result = _PLAIN[declared.family](value, declared)
    return ask(f"{to_literal(value)}::{declared.text}") if result is NotImplemented else result


def _number(value: Any, declared: Type) -> Any:
    if not isinstance(value, (int, float, Decimal, str)):
        return NotImplemented
    try:
        exact = (
            Decimal(value.strip())
            if isinstance(value, str)
            else Decimal(str(value))
            if isinstance(value, float)
            else Decimal(value)
        )
    except InvalidOperation:
        raise SqlError(100038, f"Numeric value '{value}' is not recognized", "22018") from None
    rounded = (
        exact.quantize(Decimal(1).scaleb(-declared.scale), context=_WIDE)
        if exact.is_finite() and exact.adjusted() < 39
        else None
    )
    if rounded is None or rounded.copy_abs() >= Decimal(10) ** (declared.precision - declared.scale):
        raise SqlError(
            100039,
            f"Number out of representable range: type FIXED({declared.precision},{declared.scale}), value {value}",
            "22003",
        )
    return rounded if declared.scale else int(rounded)


def _text(value: Any, declared: Type) -> Any:
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, (int, Decimal)):
        value = format(value, "f") if isinstance(value, Decimal) else str(value)
    elif not isinstance(value, str):
        return NotImplemented
    if declared.length is not None and len(value) > declared.length:
        raise SqlError(100078, f"String '{value}' is too long and would be truncated", "22000")
    return value


def _boolean(value: Any, declared: Type) -> Any:
    if isinstance(value, str):
        word = value.strip().lower()
        if word not in _TRUE | _FALSE:
            raise SqlError(100037, f"Boolean value '{value}' is not recognized", "22018")
        return word in _TRUE
    return bool(value) if isinstance(value, (bool, int, float, Decimal)) else NotImplemented


def _float(value: Any, declared: Type) -> Any:
    return float(value) if isinstance(value, (int, float, Decimal)) else NotImplemented


def _timestamp(value: Any, declared: Type) -> Any:
    fits = isinstance(value, datetime.datetime) and (value.tzinfo is None) == (declared.family == "timestamp_ntz")
    return value if fits else NotImplemented


def _date(value: Any, declared: Type) -> Any:
    return value if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime) else NotImplemented


def _only(kind: type | tuple[type, ...]) -> Callable[[Any, Type], Any]:
    return lambda value, declared: value if isinstance(value, kind) else NotImplemented


_PLAIN: dict[str, Callable[[Any, Type], Any]] = {
    "number": _number,
    "text": _text,
    "boolean": _boolean,
    "float": _float,
    "date": _date,
    "time": _only(datetime.time),
    "binary": _only(bytes),
    "timestamp_ntz": _timestamp,
    "timestamp_ltz": _timestamp,
    "timestamp_tz": _timestamp,
    "variant": _only(object),
    "object": _only(dict),
    "array": _only(list),
}
