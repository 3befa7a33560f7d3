"""Dates and times: the movable clock, units, formats."""

import re
from collections.abc import Mapping

from sqlglot import exp

from local_account.errors import compilation, unsupported
from local_account.rewrites.kinds import DAYS, call, cast, kind, literal, moment_of, rule, text_of

_SESSION = (
    exp.CurrentRole, exp.CurrentUser, exp.CurrentDatabase, exp.CurrentSchema, exp.CurrentWarehouse, exp.CurrentAccount,
    exp.CurrentAccountName,
    exp.CurrentSession, exp.CurrentVersion, exp.CurrentStatement, exp.CurrentTransaction, exp.CurrentRegion,
    exp.CurrentClient, exp.CurrentSecondaryRoles,
    exp.CurrentAvailableRoles, exp.CurrentRoleType, exp.CurrentOrganizationName, exp.CurrentSchemas,
    exp.CurrentIpAddress,
)  # fmt: skip


@rule(*_SESSION)
def session_value(node: exp.Expression) -> exp.Expression:
    """CURRENT_ROLE() and its kin are the session's; DuckDB would answer with its own."""
    return call("sf_session", literal(node.sql_name().lower()), type="text")


@rule(
    exp.CurrentTimestamp, exp.CurrentTimestampLTZ, exp.CurrentDate, exp.CurrentTime, exp.Localtime, exp.Localtimestamp
)
def now(node: exp.Expression) -> exp.Expression:
    """The account's clock can be moved; DuckDB's is the machine's."""
    moment = call("sf_now", type="timestamptz")
    if node.args.get("sysdate"):
        utc = exp.AtTimeZone(this=moment, zone=literal("UTC"))
        utc.type = "timestamp"
        return exp.Paren(this=utc)
    if isinstance(node, exp.CurrentDate):
        return cast(moment, "date")
    if isinstance(node, (exp.CurrentTime, exp.Localtime)):
        return cast(cast(moment, "timestamp"), "time")
    return moment


def _moment(value: exp.Expression) -> exp.Expression:
    """A literal or a variant where a time is wanted."""
    return moment_of(value, "ntz") if kind(value) in ("text", "variant", "number") else value


_UNITS = {
    written: unit
    for unit, names in {
        "year": "y yy yyy yyyy yr years yrs", "quarter": "q qtr qtrs quarters", "month": "mm mon mons months", "week": "w wk weekofyear woy wy weeks",
        "day": "d dd days dayofmonth", "hour": "h hh hr hours hrs", "minute": "m mi min minutes mins", "second": "s sec seconds secs",
        "millisecond": "ms msec milliseconds", "microsecond": "us usec microseconds",
    }.items()
    for written in (unit, *names.split())
}  # fmt: skip
_NANOSECONDS = dict.fromkeys("nanosecond nanoseconds nanosec nanosecs ns nsec nsecond nseconds".split(), "nanosecond")
_SLICES = {written: unit for written, unit in _UNITS.items() if unit not in ("millisecond", "microsecond")}
_LAST_DAYS = {written: unit for written, unit in _UNITS.items() if unit in ("year", "quarter", "month", "week")}
# What DATE_PART knows, by its name in DuckDB (sql-reference/functions-date-time, supported date and time parts).
_PARTS = _SLICES | _NANOSECONDS | {
    written: part
    for part, names in {
        "dow": "dayofweek weekday dow dw", "isodow": "dayofweekiso dayofweek_iso weekday_iso dow_iso dw_iso", "doy": "dayofyear yearday doy dy",
        "week": "weekiso week_iso weekofyeariso weekofyear_iso", "isoyear": "yearofweek yearofweekiso",
        "epoch": "epoch_second epoch epoch_seconds", "epoch_ms": "epoch_millisecond epoch_milliseconds",
        "epoch_us": "epoch_microsecond epoch_microseconds", "epoch_ns": "epoch_nanosecond epoch_nanoseconds",
        "timezone_hour": "timezone_hour tzh", "timezone_minute": "timezone_minute tzm",
    }.items()
    for written in names.split()
}  # fmt: skip


def _full(written: exp.Expression, known: Mapping[str, str]) -> str:
    """The full name of a date part. A script's variable comes as a bind, and is written out when this refuses it."""
    if not isinstance(written, (exp.Var, exp.Literal, exp.Column)):
        raise unsupported("a date part that is no constant")
    name = written.name.lower()
    if name not in known and (name in _PARTS or name in _UNITS):
        raise unsupported(f"the date part {name.upper()} in this function")
    if name not in known:
        raise compilation(1003, f"'{name.upper()}' is not a valid date/time component.")
    return known[name]


def _name_part(node: exp.Expression, known: Mapping[str, str] = _UNITS | _NANOSECONDS) -> None:
    """Gives the node its part's full name: DuckDB knows other short ones, and takes DAYOFWEEK for a span."""
    if (unit := node.args.get("unit")) is not None:
        full = _full(unit, known).upper()
        node.set("unit", literal(full) if isinstance(unit, exp.Literal) else exp.var(full))


@rule(exp.DateAdd, exp.TimestampAdd, exp.DatetimeAdd, exp.AddMonths)
def add(node: exp.Expression) -> exp.Expression:
    """DATEADD of days and longer units leaves a DATE a DATE; in DuckDB it becomes a TIMESTAMP."""
    if node.meta.get("done"):
        return node
    _name_part(node)
    value = _moment(node.this)
    inner = node.copy()
    inner.meta["done"] = True
    inner.set("this", value.copy())
    amount = inner.expression
    if isinstance(amount, exp.Expression) and not isinstance(amount, (exp.Literal, exp.Neg, exp.Interval)):
        inner.set("expression", cast(amount, "bigint"))
    unit = node.text("unit").upper() if node.args.get("unit") else "MONTH"
    added = exp.Paren(this=inner)
    added.type = value.type
    if unit not in DAYS or kind(value) in ("ntz", "tz"):
        return added
    return call("cast_to_type", added, value)


@rule(exp.Interval)
def interval(node: exp.Interval) -> exp.Expression:
    """INTERVAL '1 day, 2 hours': several parts with commas, each of seconds unless it has a unit; DuckDB takes no commas, and other short units."""
    if (unit := node.args.get("unit")) is not None:
        if unit.name.lower() not in _UNITS:
            raise compilation(1003, f"syntax error: unexpected '{unit.name}' as the unit of an interval.")
        node.set("unit", exp.var(_UNITS[unit.name.lower()].upper()))
        return node
    if not node.this or not node.this.is_string:
        return node
    parts = [re.fullmatch(r"\s*([+-]?\d+)\s*([a-z]*)\s*", part.lower()) for part in node.this.name.split(",")]
    if not all(part and (part[2] or "s") in _UNITS for part in parts):
        raise unsupported(f"interval '{node.this.name}'", "parts with units stand between commas")
    units = [_UNITS[part[2] or "s"] for part in parts if part]
    node.set("this", literal(" ".join(f"{part[1]} {unit}" for part, unit in zip(parts, units, strict=True) if part)))
    node.meta["days"] = all(unit.upper() in DAYS for unit in units)
    return node


@rule(exp.DateDiff, exp.TimestampDiff, exp.TsOrDsDiff)
def difference(node: exp.Expression) -> exp.Expression:
    """DATEDIFF reads text as times; DuckDB's wants times."""
    _name_part(node)
    node.set("this", _moment(node.this))
    node.set("expression", _moment(node.expression))
    return node


@rule(exp.DateTrunc, exp.TimestampTrunc)
def truncation(node: exp.Expression) -> exp.Expression:
    """DATE_TRUNC of a DATE is a DATE; DuckDB gives a TIMESTAMP."""
    if node.meta.get("done"):
        return node
    _name_part(node, _UNITS | dict.fromkeys(_NANOSECONDS, "microsecond"))
    value = _moment(node.this)
    inner = node.copy()
    inner.meta["done"] = True
    inner.set("this", value.copy())
    inner.type = value.type
    return inner if kind(value) in ("ntz", "tz") else call("cast_to_type", inner, value)


# --- formats

_FORMATS = (
    ("YYYY", "%Y"), ("YY", "%y"), ("MMMM", "%B"), ("MON", "%b"), ("MM", "%m"), ("DD", "%d"), ("DY", "%a"), ("HH24",
    "%H"), ("HH12", "%I"), ("HH", "%H"),
    ("AM", "%p"), ("PM", "%p"), ("MI", "%M"), ("SS", "%S"), ("FF9", "%f000"), ("FF6", "%f"), ("FF3", "%g"), ("FF", "%f000"),
    ("TZHTZM", "+0000"), ("TZH:TZM", "+00:00"), ("TZH", "+00"),
)  # fmt: skip


def strftime_format(format_: str) -> str:
    """Snowflake's format of times in strftime's letters; text in double quotes stands for itself."""
    found, rest = [], format_
    while rest:
        if rest[0] == '"' and '"' in rest[1:]:
            end = rest.index('"', 1)
            found.append(rest[1:end].replace("%", "%%"))
            rest = rest[end + 1 :]
            continue
        for element, letters in _FORMATS:
            if rest[: len(element)].upper() == element:
                found.append(letters)
                rest = rest[len(element) :]
                break
        else:
            if rest[0].isdigit() or rest[:2].upper() in ("FF",):
                raise unsupported(f"format {format_}")
            found.append(rest[0].replace("%", "%%"))
            rest = rest[1:]
    return "".join(found)


def number_format(value: exp.Expression, format_: str) -> exp.Expression:
    """A number in one of Snowflake's formats: X, or 9 or 0 before the point, 0 after it, commas; FM."""
    plain = format_.upper().removeprefix("FM")
    tight = plain != format_.upper()
    if set(plain) == {"X"}:
        digits = call(
            "lpad", call("upper", call("format", literal("{:x}"), cast(value, "bigint"))), len(plain) + 1, " "
        )
        return call("trim", digits, type="text") if tight else digits
    if not re.fullmatch(r"(9[9,]*0?|0+)(\.0+)?", plain):
        raise unsupported(f"format {format_}", "digits after the point are 0, those before it 9 or 0")
    whole, point, _ = plain.partition(".")
    flags = [exp.convert(flag) for flag in ("," in whole, plain[0] == "0", whole[-1] == "0" or not point, tight)]
    return call("sf_format_number", value, len(plain), len(plain) - len(whole + point), *flags, type="text")


@rule(exp.LastDay, exp.TimeSlice)
def fewer_parts(node: exp.Expression) -> exp.Expression:
    """LAST_DAY and TIME_SLICE know fewer parts than DATE_TRUNC; DuckDB knows more."""
    _name_part(node, _SLICES if isinstance(node, exp.TimeSlice) else _LAST_DAYS)
    return node


@rule(exp.ConvertTimezone)
def convert_timezone(node: exp.ConvertTimezone) -> exp.Expression:
    """CONVERT_TIMEZONE with two arguments gives a TIMESTAMP_TZ that remembers its zone; DuckDB's TIMESTAMPTZ remembers
    none."""
    if node.args.get("source_tz") is None:
        raise unsupported(
            "CONVERT_TIMEZONE with two arguments", "the offset would be lost; name the source zone as well"
        )
    node.set("timestamp", moment_of(node.args["timestamp"], "ntz"))
    return node


@rule(exp.Extract)
def date_part(node: exp.Extract) -> exp.Expression:
    """DATE_PART gives whole numbers, which are cut, and nanoseconds of the second; DuckDB's seconds since 1970 have decimals, or are rounded."""
    part, value = _full(node.this, _PARTS), _moment(node.expression)
    if part == "epoch":
        return cast(call("floor", call("epoch", moment_of(value, "ntz"))), "decimal(38, 0)")
    if part == "epoch_ms":  # DuckDB's function of that name rounds
        micro = call("epoch_us", moment_of(value, "ntz"))
        return cast(call("floor", exp.Div(this=micro, expression=literal(1_000))), "decimal(38, 0)")
    if part in ("epoch_us", "epoch_ns"):
        return cast(call(part, moment_of(value, "ntz")), "decimal(38, 0)")
    if part == "nanosecond":
        micro = exp.Mod(this=call("date_part", "microsecond", value), expression=literal(1_000_000))
        return cast(exp.Mul(this=exp.Paren(this=micro), expression=literal(1_000)), "decimal(38, 0)")
    return cast(call("date_part", part, value), "decimal(38, 0)")


@rule(exp.ToChar)
def to_char(node: exp.Expression) -> exp.Expression:
    """TO_CHAR(time, format) and TO_CHAR(number, format) are one function; which one it is, the value's type or else the
    format tells."""
    format_ = node.args.get("format")
    if format_ is None:
        return text_of(node.this)
    if not isinstance(format_, exp.Literal):
        raise unsupported("TO_CHAR with a computed format")
    value = node.this
    if kind(value) == "variant":
        value = text_of(value)
    if re.fullmatch(r"(FM)?[9X0.,$SMI]*[9X0][9X0.,$SMI]*", format_.name, re.IGNORECASE):
        return number_format(value, format_.name)
    moment = value if kind(value) in ("ntz", "tz", "date") else call("sf_moment", value)
    return call("strftime", moment, literal(strftime_format(format_.name)), type="text")


@rule(exp.Anonymous)
def to_timestamp(node: exp.Anonymous) -> exp.Expression:
    """TO_TIMESTAMP and its kin read text, variants and numbers (seconds); DuckDB has one function for each."""
    name = node.name.upper()
    safe = name.startswith("TRY_")
    plain = name.removeprefix("TRY_")
    if plain not in ("TO_TIMESTAMP", "TO_TIMESTAMP_NTZ", "TO_TIMESTAMP_LTZ", "TO_TIMESTAMP_TZ"):
        return node
    target = "ntz" if plain in ("TO_TIMESTAMP", "TO_TIMESTAMP_NTZ") else "tz"
    type_ = "timestamp" if target == "ntz" else "timestamptz"
    if not node.expressions:
        raise compilation(938, f"not enough arguments for function [{name}()]", "22023")
    value, *others = node.expressions
    if others and others[0].is_string:
        read = call("strptime", text_of(value), literal(strftime_format(others[0].name)))
        new = cast(read, type_)
    elif others:
        seconds = exp.Mul(this=cast(value, "decimal(38, 0)"), expression=literal(10 ** max(0, 6 - int(others[0].name))))
        micro = cast(
            exp.Div(this=seconds, expression=literal(10 ** max(0, int(others[0].name) - 6)))
            if int(others[0].name) > 6
            else seconds,
            "bigint",
        )
        new = call("make_timestamp", micro, type=type_)
    else:
        new = moment_of(value, target)
    return call("try", new, type=type_) if safe else new


@rule(exp.Anonymous)
def to_date(node: exp.Anonymous) -> exp.Expression:
    """TO_DATE of what sqlglot does not see through."""
    name = node.name.upper()
    if name not in ("TO_DATE", "TRY_TO_DATE", "DATE") or len(node.expressions) != 1:
        return node
    if kind(node.expressions[0]) in ("number", "float", "boolean"):
        raise compilation(1007, f"invalid type [{node.sql('snowflake')}] for parameter 'TO_DATE'", "22023")
    new = cast(moment_of(node.expressions[0], "ntz"), "date")
    return call("try", new, type="date") if name.startswith("TRY") else new


@rule(exp.TimestampFromParts)
def from_parts(node: exp.TimestampFromParts) -> exp.Expression:
    """TIMESTAMP_FROM_PARTS carries what is too much into the next larger part; DuckDB refuses it."""
    given = node.args
    if given.get("hour") is None:
        return node
    parts = {name: cast(given[name], "bigint") for name in ("year", "month", "day")}
    day = exp.DateFromParts(**parts, allow_overflow=True)
    names = {"hour": 3_600_000_000, "min": 60_000_000, "sec": 1_000_000}
    steps = [
        call("to_microseconds", exp.Mul(this=cast(given[name], "bigint"), expression=literal(unit)))
        for name, unit in names.items()
    ]
    if given.get("nano") is not None:
        steps.append(call("to_microseconds", exp.IntDiv(this=cast(given["nano"], "bigint"), expression=literal(1_000))))
    total = cast(day, "timestamp")
    for step in steps:
        total = exp.Add(this=total, expression=step)
    total = exp.Paren(this=total)
    total.type = "timestamp"
    return total


@rule(exp.StrToTime, exp.UnixToTime)
def read_time(node: exp.Expression) -> exp.Expression:
    """As `to_timestamp`, where sqlglot has read the call already."""
    if isinstance(node, exp.UnixToTime):
        scale = node.args.get("scale")
        arguments = (
            [node.this, literal(int(scale.name))]
            if isinstance(scale, exp.Literal) and scale.name != "0"
            else [node.this]
        )
        return to_timestamp.apply(exp.Anonymous(this="TO_TIMESTAMP", expressions=arguments))
    return node


RULES = (
    session_value,
    now,
    date_part,
    fewer_parts,
    interval,
    add,
    difference,
    truncation,
    convert_timezone,
    to_char,
    to_timestamp,
    to_date,
    from_parts,
    read_time,
)
