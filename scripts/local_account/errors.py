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


def syntax_error(message: str) -> SqlError:
    """A statement that cannot be read."""
    return SqlError(1003, f"SQL compilation error: {message}")


def missing(kind: str, name: str) -> SqlError:
    """An object that is not there, or that the role may not see."""
    return SqlError(2003, f"SQL compilation error: {kind} '{name}' does not exist or not authorized.", "02000")


def denied(message: str) -> SqlError:
    """What the role, or the application, may not do."""
    return SqlError(3001, f"SQL access control error: {message}", "42501")


# DuckDB's classes are too wide: one of them stands for a missing table and for a missing function. So the first pattern
# that fits names the error. Errors of the first three classes are found before a statement runs.
_COMPILING = (duckdb.CatalogException, duckdb.BinderException, duckdb.ParserException)
_PHRASES = {
    "drawn": "Unsupported feature 'alias of what is drawn for each row, read in the same SELECT' of the local account: use a sub-query.",
    "missing": "does not exist or not authorized.",
    "conflict": "Statement aborted because another transaction changed the same rows first.",
}
_TEXT = r"['\"](.*?)['\"]"
_NUMBER = r"(?:DECIMAL|U?INT\d*|U?BIGINT|U?HUGEINT|DOUBLE|FLOAT)"
_NAME = r"\"?([^\"]+?)\"?"
_CATALOG = duckdb.CatalogException
_BINDER = duckdb.BinderException
_CONVERSION = duckdb.ConversionException
_INPUT = duckdb.InvalidInputException
_CONSTRAINT = duckdb.ConstraintException
_KNOWN = (
    (_CATALOG, r"Function with name \"?(\w+)\"? (?:does not|is not)", 2140, "42601", "Unknown function {0}."),
    (_CATALOG, rf"Column with name {_NAME} already", 2025, "42S21", "duplicate column name '{0}'"),
    (_CATALOG, rf"with name {_NAME} already exists", 2002, "42710", "Object '{0}' already exists."),
    (_CATALOG, rf"with name {_NAME} does not exist", 2003, "42S02", "Object '{0}' {missing}"),
    (_CATALOG, r"(.*)", 2003, "42S02", "{0}"),
    (_BINDER, r"does not have a column (?:named|with name) \"([^\"]+)\"", 904, "42000", "{invalid}"),
    (_BINDER, r"Referenced (?:column|table) \"([^\"]+)\" (?:was )?not found", 904, "42000", "{invalid}"),
    (_BINDER, r"Ambiguous reference to column name \"([^\"]+)\"", 2028, "42601", "ambiguous column name '{0}'"),
    (_BINDER, rf"column {_NAME} must appear in the GROUP", 979, "42601", "[{0}] is not a valid group by expression"),
    (_BINDER, r"(?:argument types|function call) ['\"]([^('\"]+)\(", 1044, "42P13", "Invalid argument types for function '{0}'"),
    (_BINDER, r"same number of result col", 1789, "42601", "invalid number of result columns for set operator input branches"),
    (_BINDER, r"Alias \"+([^\"]+)\"+ referenced - but", 2, "0A000", "{drawn}"),
    (_BINDER, r"(.*)", 904, "42000", "{0}"),
    (duckdb.ParserException, r"(.*)", 1003, "42000", "{0}"),
    (_CONSTRAINT, r"NOT NULL [^:]*: (?:.*\.)?\"?([^\"\n]+)", 100072, "22000", "NULL result in a non-nullable column: '{0}'"),
    (_CONSTRAINT, r"CHECK constraint", 100078, "22000", "String is too long and would be truncated"),
    (_INPUT, r"((?:String|Number) .* is too long and would be truncated)", 100078, "22000", "{0}"),
    (_INPUT, r"(Failed to cast variant value .*)", 100071, "22000", "{0}"),
    (_INPUT, r"(Expression type does not match.*)", 2023, "22000", "SQL compilation error: {0}"),
    (_INPUT, r"MERGE INTO.*more than once", 100090, "42P18", "Duplicate row detected during DML action"),
    (_INPUT, r"More than one row returned", 90150, "22000", "Single-row subquery returns more than one row."),
    (duckdb.Error, r"[Dd]ivision by zero|cast value (?:inf|nan)", 100051, "22012", "Division by zero"),
    (duckdb.Error, r"Malformed JSON", 100069, "22P02", "Error parsing JSON: {text}"),
    (duckdb.OutOfRangeException, r"(Overflow in \w+)", 100039, "22003", "Numeric value out of range: {0}"),
    (duckdb.OutOfRangeException, r"(.*)", 100039, "22003", "Numeric value out of range: {0}"),
    (_CONVERSION, r"Unimplemented type for cast \((.+) -> ([A-Z]+)", 1007, "22023", "SQL compilation error: invalid type [CAST({0} AS {1})] for parameter 'TO_{1}'"),
    (duckdb.Error, r"Cannot combine types (\w+) and (\w+)", 100038, "22018", "Numeric value is not recognized: {0} and {1} in one column"),
    (_INPUT, r"Invalid input for hex digit: (.*)", 100115, "22000", "The following string is not a legal hex-encoded value: '{0}'"),
    (_INPUT, r"(The following string is not a legal.*)", 100115, "22000", "{0}"),
    (_INPUT, rf"Could not parse string {_TEXT} according to format specifier ['\"]([^'\"]*%[HI].*?)['\"]", 100096, "22007", "Can't parse '{0}' as timestamp with format '{1}'"),
    (_INPUT, rf"Could not parse string {_TEXT} according to format specifier {_TEXT}", 100096, "22007", "Can't parse '{0}' as date with format '{1}'"),
    (_INPUT, r"Map keys must be unique|Duplicate key", 100102, "22000", "Duplicate field key"),
    (_CONVERSION, rf"string {_TEXT} to {_NUMBER}", 100038, "22018", "Numeric value '{0}' is not recognized"),
    (_CONVERSION, rf"string {_TEXT} to BOOL", 100037, "22018", "Boolean value '{0}' is not recognized"),
    (_CONVERSION, rf"^(?:invalid )?date field.*?{_TEXT}", 100040, "22007", "Date '{0}' is not recognized"),
    (_CONVERSION, rf"^time field.*?{_TEXT}", 100108, "22007", "Time '{0}' is not recognized"),
    (_CONVERSION, rf"(?:date|time).*?{_TEXT}", 100035, "22007", "Timestamp '{0}' is not recognized"),
    (_CONVERSION, r"value (\S+) (?:can't be cast|to )", 100039, "22003", "Number out of representable range: value {0}"),
    (_CONVERSION, r"(.*)", 100038, "22018", "{0}"),
    (duckdb.TransactionException, r"[Cc]onflict|cannot update", LOCK_CONFLICT, "57014", "{conflict}"),
    (duckdb.InterruptException, r"", 604, "57014", "SQL execution canceled"),
)  # fmt: skip


# What the macros sf_digits, sf_clock and sf_iso_timestamp put into a text that DuckDB is to refuse, and strftime's letters in Snowflake's.
_MARKS = {100035: ("?", ""), 100108: ("?", ""), 100038: ("__", "_")}
_LETTERS = {
    "Y": "YYYY", "y": "YY", "B": "MMMM", "b": "MON", "m": "MM", "d": "DD", "a": "DY", "H": "HH24", "I": "HH12", "p": "AM", "M": "MI",
    "S": "SS", "g": "FF3", "f": "FF6", "%": "%",
}  # fmt: skip


def from_duckdb(error: Exception) -> SqlError:
    """DuckDB's exception in Snowflake's words; what is not known becomes 603, an internal error, and keeps its text."""
    if isinstance(error, SqlError):
        return error
    if found := re.search(r"executing the UDF: SqlError: (.*)", str(error), re.DOTALL):
        return SqlError(100_357, found[1], "P0000")  # a handler's, which came through the engine (calls.py)
    text = re.sub(r"^[A-Z][\w ]*Error: ", "", re.split(r"\n+LINE ", str(error))[0].strip())
    first = text.split("\n")[0]
    for kind, pattern, errno, sqlstate, message in _KNOWN:
        if isinstance(error, kind) and (found := re.search(pattern, text, re.DOTALL)):
            words = _words(errno, [group.split("\n")[0] for group in found.groups()])
            invalid = f"error line 1 at position 0\ninvalid identifier '{words[0]}'" if words else ""
            said = message.format(*words, text=first, invalid=invalid, **_PHRASES)
            return (compilation if isinstance(error, _COMPILING) else SqlError)(errno, said, sqlstate)
    return SqlError(603, f"SQL execution internal error: {first}", "XX000")


def _words(errno: int, words: list[str]) -> list[str]:
    """What a message names, as the statement wrote it."""
    if errno in (1044, 2140):
        return [word.upper() for word in words]
    if errno == 100096:
        return [words[0], re.sub("%(.)", lambda letter: _LETTERS.get(letter[1], letter[0]), words[1])]
    return [word.replace(*_MARKS[errno]) for word in words] if errno in _MARKS else words
