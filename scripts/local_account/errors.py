"""The one error that the account shows to its clients: Snowflake's number, words and SQLSTATE."""

import re

import duckdb

LOCK_CONFLICT = 625


class SqlError(Exception):
    """A statement that failed.

    `errno` is Snowflake's error number and `sqlstate` its five characters. `transaction_lost` says that the engine
    below has lost the session's open transaction: Snowflake would have undone the statement alone, DuckDB undoes all of
    it.
    """

    def __init__(self, errno: int, message: str, sqlstate: str = "42000", *, transaction_lost: bool = False) -> None:
        super().__init__(message)
        self.errno = errno
        self.message = message
        self.sqlstate = sqlstate
        self.transaction_lost = transaction_lost

    def __reduce__(self) -> tuple:
        return _restored, (self.errno, self.message, self.sqlstate, self.transaction_lost)


def _restored(errno: int, message: str, sqlstate: str, transaction_lost: bool) -> SqlError:
    return SqlError(errno, message, sqlstate, transaction_lost=transaction_lost)


def unsupported(feature: str, reason: str = "") -> SqlError:
    """The refusal of what Snowflake does and this account does not."""
    return SqlError(
        2, f"Unsupported feature '{feature}' of the local account" + (f": {reason}" if reason else "") + ".", "0A000"
    )


def compilation(errno: int, message: str, sqlstate: str = "42000") -> SqlError:
    """An error found before the statement runs, in Snowflake's wording."""
    return SqlError(errno, f"SQL compilation error:\n{message}", sqlstate)


# The first pattern that fits names the error. DuckDB's classes are too wide: one exception stands for a missing table
# and for a missing function.
_KNOWN = tuple(
    (kind, re.compile(pattern, re.DOTALL), errno, sqlstate, message)
    for kind, pattern, errno, sqlstate, message in (
        (
            duckdb.CatalogException,
            r"Function with name \"?(\w+)\"? (?:does not exist|is not in the catalog)",
            2140,
            "42601",
            "SQL compilation error:\nUnknown function {0}.",
        ),
        (
            duckdb.CatalogException,
            r"Column with name \"?([^\"]+?)\"? already exists",
            2025,
            "42S21",
            "SQL compilation error:\nduplicate column name '{0}'",
        ),
        (
            duckdb.CatalogException,
            r"(?:Table|View|Sequence) with name \"?([^\"]+?)\"? already exists",
            2002,
            "42710",
            "SQL compilation error:\nObject '{0}' already exists.",
        ),
        (
            duckdb.CatalogException,
            r"with name \"?([^\"]+?)\"? does not exist",
            2003,
            "42S02",
            "SQL compilation error:\nObject '{0}' does not exist or not authorized.",
        ),
        (duckdb.CatalogException, r"(.*)", 2003, "42S02", "SQL compilation error:\n{0}"),
        (
            duckdb.BinderException,
            r"Table \"([^\"]+)\" does not have a column (?:named|with name) \"([^\"]+)\"",
            904,
            "42000",
            "SQL compilation error: error line 1 at position 0\ninvalid identifier '{1}'",
        ),
        (
            duckdb.BinderException,
            r"Referenced (?:column|table) \"([^\"]+)\" not found",
            904,
            "42000",
            "SQL compilation error: error line 1 at position 0\ninvalid identifier '{0}'",
        ),
        (
            duckdb.BinderException,
            r"Values list \"[^\"]*\" does not have a column named \"([^\"]+)\"",
            904,
            "42000",
            "SQL compilation error: error line 1 at position 0\ninvalid identifier '{0}'",
        ),
        (
            duckdb.BinderException,
            r"Ambiguous reference to column name \"([^\"]+)\"",
            2025,
            "42601",
            "SQL compilation error:\nambiguous column name '{0}'",
        ),
        (
            duckdb.BinderException,
            r"column \"?([^\"]+?)\"? must appear in the GROUP BY clause",
            979,
            "42601",
            "SQL compilation error:\n[{0}] is not a valid group by expression",
        ),
        (duckdb.BinderException, r"(.*)", 904, "42000", "SQL compilation error:\n{0}"),
        (
            duckdb.ConstraintException,
            r"NOT NULL constraint failed: (?:\S*\.)?(\S+)",
            100072,
            "22000",
            "NULL result in a non-nullable column: '{0}'",
        ),
        (
            duckdb.ConstraintException,
            r"CHECK constraint failed",
            100078,
            "22000",
            "String is too long and would be truncated",
        ),
        (
            duckdb.InvalidInputException,
            r"(?:MERGE INTO|[Mm]erge).*(?:more than once|multiple|twice)",
            100090,
            "42P18",
            "Duplicate row detected during DML action",
        ),
        (duckdb.InvalidInputException, r"(?:division by zero|Division by zero)", 100051, "22012", "Division by zero"),
        (
            duckdb.InvalidInputException,
            r"More than one row returned by a subquery",
            90150,
            "22000",
            "Single-row subquery returns more than one row.",
        ),
        (duckdb.InvalidInputException, r"Malformed JSON", 100069, "22P02", "Error parsing JSON: {text}"),
        (duckdb.OutOfRangeException, r"[Dd]ivision by zero", 100051, "22012", "Division by zero"),
        (duckdb.OutOfRangeException, r"(.*)", 100039, "22003", "Numeric value out of range: {0}"),
        (duckdb.ConversionException, r"Malformed JSON", 100069, "22P02", "Error parsing JSON: {text}"),
        (
            duckdb.ConversionException,
            r"Could not convert string ['\"](.*?)['\"] to (?:DECIMAL|U?INT\d*|U?BIGINT|U?HUGEINT|DOUBLE|FLOAT)",
            100038,
            "22018",
            "Numeric value '{0}' is not recognized",
        ),
        (
            duckdb.ConversionException,
            r"Could not convert string ['\"](.*?)['\"] to BOOL",
            100037,
            "22018",
            "Boolean value '{0}' is not recognized",
        ),
        (
            duckdb.ConversionException,
            r"(?:invalid|Could not parse) (?:date|timestamp).*?['\"](.*?)['\"]",
            100035,
            "22007",
            "Timestamp '{0}' is not recognized",
        ),
        (duckdb.ConversionException, r"Could not cast value (?:inf|nan)", 100051, "22012", "Division by zero"),
        (
            duckdb.ConversionException,
            r"(?:out of range|Could not cast value)(.*)",
            100039,
            "22003",
            "Number out of representable range: {text}",
        ),
        (duckdb.ConversionException, r"(.*)", 100038, "22018", "{0}"),
        (
            duckdb.TransactionException,
            r"(?:[Cc]onflict|cannot update)",
            LOCK_CONFLICT,
            "57014",
            "Statement aborted because another transaction changed the same rows first.",
        ),
        (duckdb.ParserException, r"(.*)", 1003, "42000", "SQL compilation error:\n{0}"),
        (duckdb.InterruptException, r"", 604, "57014", "SQL execution canceled"),
    )
)


def from_duckdb(error: Exception) -> SqlError:
    """DuckDB's exception in Snowflake's words; what is not known becomes 603, an internal error, and keeps its text."""
    if isinstance(error, SqlError):
        return error
    text = str(error).split("\n\nLINE ")[0].split("\nLINE ")[0].strip()
    text = re.sub(r"^[A-Z][\w ]*Error: ", "", text)
    first = text.split("\n")[0]
    for kind, pattern, errno, sqlstate, message in _KNOWN:
        if isinstance(error, kind) and (found := pattern.search(text)):
            words = [group.split("\n")[0] for group in found.groups() if group is not None]
            if errno == 2140:
                words = [word.upper() for word in words]
            return SqlError(errno, message.format(*words, text=first), sqlstate)
    return SqlError(603, f"SQL execution internal error: {type(error).__name__}: {first}", "XX000")
