"""Types by Snowflake's names and by DuckDB's."""

import re
from dataclasses import dataclass

import pyarrow as pa
from sqlglot import exp

from local_account.errors import compilation, unsupported

MAX_TEXT = 16777216
MAX_BINARY = 8388608


@dataclass(frozen=True)
class Column:
    """A column of a result.

    `type` is one of fixed, real, text, boolean, date, time, timestamp_ntz, timestamp_ltz, timestamp_tz, variant, array,
    object, binary.
    """

    name: str
    type: str
    precision: int | None = None
    scale: int | None = None
    length: int | None = None
    nullable: bool = True


_WIRE = {
    "VARCHAR": ("text", None, None, MAX_TEXT),
    "DOUBLE": ("real", None, None, None),
    "FLOAT": ("real", None, None, None),
    "BOOLEAN": ("boolean", None, None, None),
    "DATE": ("date", None, None, None),
    "TIME": ("time", 0, 9, None),
    "TIMESTAMP": ("timestamp_ntz", 0, 9, None),
    "TIMESTAMP_NS": ("timestamp_ntz", 0, 9, None),
    "TIMESTAMP WITH TIME ZONE": ("timestamp_ltz", 0, 9, None),
    "JSON": ("variant", None, None, None),
    "BLOB": ("binary", None, None, MAX_BINARY),
    '"NULL"': ("text", None, None, MAX_TEXT),
    "UUID": ("text", None, None, 36),
}


def column_of(name: str, type_: str, *, nullable: bool = True) -> Column:
    """A result's column from DuckDB's type."""
    if found := re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", type_):
        return Column(name, "fixed", int(found[1]), int(found[2]), None, nullable)
    if re.fullmatch(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?", type_):
        return Column(name, "fixed", 38, 0, None, nullable)
    if type_ in _WIRE:
        return Column(name, *_WIRE[type_], nullable)
    if type_.startswith("STRUCT"):  # a row: DuckDB lets a table's name stand for it
        raise compilation(904, f"error line 1 at position 0\ninvalid identifier '{name}'")
    if is_nested(type_):
        return Column(name, "variant", None, None, None, nullable)
    raise unsupported(f"a result of type {type_} (column {name})")


def is_nested(type_: str) -> bool:
    """Whether a type of DuckDB is a list or a map."""
    return type_.endswith("]") or type_.startswith("MAP")


_CANONICAL = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INT", "BIGINT"), "NUMBER(38,0)"),
    **dict.fromkeys(("FLOAT", "DOUBLE"), "FLOAT"),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMPNTZ", "DATETIME"), "TIMESTAMP_NTZ(9)"),
    "TIMESTAMPLTZ": "TIMESTAMP_LTZ(9)",
    "TIMESTAMPTZ": "TIMESTAMP_TZ(9)",
    "TIME": "TIME(9)",
    "DATE": "DATE",
    "BOOLEAN": "BOOLEAN",
    "VARIANT": "VARIANT",
    "OBJECT": "OBJECT",
    "ARRAY": "ARRAY",
}


def canonical(type_: exp.DataType) -> str:
    """Snowflake's full name of a declared type: VARCHAR is VARCHAR(16777216), INT is NUMBER(38,0)."""
    name = type_.this.name if isinstance(type_.this, exp.DataType.Type) else str(type_.this)
    if any(isinstance(part, exp.DataTypeParam) and not part.name.isdigit() for part in type_.expressions):
        raise compilation(1003, f"syntax error: unexpected '{type_.sql('snowflake')}'.")
    sizes = [
        int(part.name) for part in type_.expressions if isinstance(part, exp.DataTypeParam) and part.name.isdigit()
    ]
    if name == "DECIMAL":
        precision, scale = (sizes + [38, 0][len(sizes) :])[:2]
        if not 1 <= precision <= 38 or scale > precision:
            raise compilation(2011, f"Invalid precision or scale: NUMBER({precision},{scale}).")
        return f"NUMBER({precision},{scale})"
    least, most = (0, 9) if name.startswith(("TIME", "DATETIME")) else (1, 134_217_728)
    if sizes and not least <= sizes[0] <= most:
        raise compilation(2011, f"Invalid length or precision: {name}({sizes[0]}).")
    if name in ("VARCHAR", "TEXT", "NVARCHAR"):
        return f"VARCHAR({sizes[0] if sizes else MAX_TEXT})"
    if name in ("CHAR", "NCHAR"):
        return f"VARCHAR({sizes[0] if sizes else 1})"
    if name in ("BINARY", "VARBINARY"):
        return f"BINARY({sizes[0] if sizes else MAX_BINARY})"
    if name not in _CANONICAL or (type_.expressions and not sizes):
        raise compilation(2040, f"Unsupported data type '{name}'.")
    return _CANONICAL[name]


def duckdb_type(name: str) -> str:
    """DuckDB's type for a canonical type of Snowflake."""
    plain = name.split("(")[0]
    if plain == "NUMBER":
        return "DECIMAL" + name[len("NUMBER") :]
    return {
        "VARCHAR": "VARCHAR", "FLOAT": "DOUBLE", "BOOLEAN": "BOOLEAN", "DATE": "DATE", "TIME": "TIME", "BINARY": "BLOB",
        "TIMESTAMP_NTZ": "TIMESTAMP", "TIMESTAMP_LTZ": "TIMESTAMPTZ", "TIMESTAMP_TZ": "TIMESTAMPTZ",
    }.get(plain, "JSON")  # fmt: skip


def canonical_of(column: Column) -> str:
    """The canonical type of a result's column."""
    return {
        "fixed": f"NUMBER({column.precision},{column.scale})",
        "real": "FLOAT",
        "text": f"VARCHAR({MAX_TEXT})",
        "binary": f"BINARY({MAX_BINARY})",
        "time": "TIME(9)",
        "timestamp_ntz": "TIMESTAMP_NTZ(9)",
        "timestamp_ltz": "TIMESTAMP_LTZ(9)",
    }.get(column.type, column.type.upper())


def snowflake_type(type_: str) -> str:
    """The canonical type of Snowflake for one of DuckDB's, for columns that nobody declared."""
    return canonical_of(column_of("", type_))


def _sizes(name: str) -> list[int]:
    return [int(size) for size in re.findall(r"\d+", name)]


def grows(old: str, new: str) -> bool:
    """Whether a column of the canonical type `old` may become one of `new` with its values as they are."""
    if old.split("(")[0] != new.split("(")[0]:
        return False
    if new.startswith("NUMBER"):
        return _sizes(new)[1] == _sizes(old)[1] and _sizes(new)[0] >= _sizes(old)[0]
    return new.startswith(("VARCHAR", "BINARY")) and _sizes(new)[0] >= _sizes(old)[0]


def narrows(old: str, new: str) -> bool:
    """Whether `new` is a NUMBER of fewer digits than `old`, with as many behind the point."""
    is_number = old.startswith("NUMBER") and new.startswith("NUMBER")
    return is_number and _sizes(new)[1] == _sizes(old)[1] and _sizes(new)[0] < _sizes(old)[0]


def text_length(name: str) -> int | None:
    """The limit of a VARCHAR type that is below the greatest; None for all others."""
    found = re.fullmatch(r"VARCHAR\((\d+)\)", name)
    return int(found[1]) if found and int(found[1]) < MAX_TEXT else None


def with_types(columns: list[Column], table: pa.Table) -> pa.Table:
    """The table with each column's type in the metadata of its field ("type"), because Arrow does not tell a variant
    from a text."""
    fields = [
        pa.field(column.name, field.type, field.nullable, {"type": column.type})
        for column, field in zip(columns, table.schema, strict=True)
    ]
    return pa.Table.from_arrays(table.columns, schema=pa.schema(fields))


def with_variants(table: pa.Table) -> pa.Table:
    """The table with its variants, as `with_types` noted them, in the type that DuckDB reads as JSON."""
    fields = [
        field.with_metadata({"ARROW:extension:name": "arrow.json", "ARROW:extension:metadata": ""})
        if (field.metadata or {}).get(b"type") in (b"variant", b"array", b"object") and pa.types.is_string(field.type)
        else field
        for field in table.schema
    ]
    return pa.Table.from_arrays(table.columns, schema=pa.schema(fields)) if fields else table
