"""COPY INTO a table from Parquet files of a stage, INFER_SCHEMA, and the file formats that they name: what `write_pandas` needs.

Files are read once and removed (PURGE = TRUE); the load history by which Snowflake skips a file that it has loaded before is not there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet

from local_account import access, engine, queries, reply, stages, temporaries
from local_account.errors import SqlError, unsupported
from local_account.syntax import PATH, TEXT, parse_options, split_path

if TYPE_CHECKING:
    from pathlib import Path

    from local_account.engine import Result
    from local_account.session import Session
    from local_account.syntax import Match

_COPY = re.compile(
    rf"(?P<table>{PATH})\s*\((?P<columns>[^()]*)\)\s*from\s*\(\s*(?P<select>select\s[\s\S]*?)\sfrom\s+(?P<place>{TEXT}|@[^\s)]+)\s*\)"
    r"\s*(?P<options>[\s\S]*)",
    re.IGNORECASE,
)
_FORMAT = ("TYPE", "COMPRESSION", "USE_LOGICAL_TYPE", "USE_VECTORIZED_SCANNER", "BINARY_AS_TEXT", "FORMAT_NAME")
_RELATION = "_RELATION_FILES"


def create_file_format(session: Session, match: Match) -> Result:
    account = session.account
    database, schema, name = account.qualify(session, match.path(), "file format")
    access.require_creation(session, "FILE FORMAT", database, schema)
    document = {"options": _format(session, match.raw("rest"))}
    if account.catalogue.get("file format", database, schema, name):
        if match.has("if not exists"):
            return reply.status(f"{name} already exists, statement succeeded.")
        if not match.has("or replace"):
            raise reply.exists(name)
        access.require(session, "OWNERSHIP", "FILE FORMAT", database, schema, name)
    with account.change(database, session) as change:
        change.delete("file format", schema, name)  # with its grants, which CREATE OR REPLACE drops
        change.put("file format", schema, name, {**document, "owner": session.application or session.role})
    return reply.status(f"File format {name} successfully created.")


def drop_file_format(session: Session, match: Match) -> Result:
    database, schema, name = session.account.qualify(session, match.path(), "file format")
    if not session.account.catalogue.get("file format", database, schema, name):
        return reply.nothing_to_drop(match, name, access.not_found(session, "FILE FORMAT", database, schema, name))
    access.require(session, "OWNERSHIP", "FILE FORMAT", database, schema, name)
    with session.account.change(database, session) as change:
        change.delete("file format", schema, name)
    return reply.status(f"{name} successfully dropped.")


def _format(session: Session, text: str) -> dict[str, str]:
    options = parse_options(text, _FORMAT)
    if named := options.get("FORMAT_NAME"):
        return _named_format(session, named)
    if options.get("TYPE", "CSV").upper() != "PARQUET":
        raise unsupported(f"file format {options.get('TYPE', 'CSV').upper()}", "PARQUET is there")
    return options


def _named_format(session: Session, written: str) -> dict[str, str]:
    name = session.account.qualify(session, split_path(written), "file format")
    document = session.account.catalogue.get("file format", *name)
    if not document:
        raise access.not_found(session, "FILE FORMAT", *name)
    return document["options"]


def copy(session: Session, match: Match) -> Result:
    """COPY INTO table (columns) FROM (SELECT $1:a::type, .. FROM @stage) FILE_FORMAT = (..) PURGE = TRUE."""
    found = _COPY.fullmatch(match.raw("rest"))
    if not found:
        raise unsupported("COPY INTO", "but COPY INTO table (columns) FROM (SELECT $1:column, .. FROM @stage)")
    options = parse_options(found["options"], ("FILE_FORMAT", "PURGE", "ON_ERROR"))
    on_error = str(match.binds[-1]) if options.get("ON_ERROR") == "?" else options.get("ON_ERROR", "ABORT_STATEMENT")
    if on_error.upper() != "ABORT_STATEMENT" or options.get("PURGE", "FALSE").upper() != "TRUE":
        raise unsupported("COPY INTO with this ON_ERROR or PURGE", "ABORT_STATEMENT and PURGE = TRUE are there")
    shape = _format(session, options.get("FILE_FORMAT", "").strip("()"))
    stage, path = stages.locate(session, found["place"])
    files = stages.files(session, stage, path)
    tables = [_read(file, shape) for _, file in files]
    if not tables:
        return reply.status("Copy executed with 0 files processed.")
    select = re.sub(r"\$1\b", "COLUMN1", found["select"])
    tree = engine.parse(f'insert into {found["table"]} ({found["columns"]}) {select} from "{_RELATION}"')
    queries.run_tree(session, tree, [], {_RELATION: _as_json(session, pa.concat_tables(tables))})
    for _, file in files:
        file.unlink()
    return reply.rows(
        "file status rows_parsed rows_loaded error_limit errors_seen first_error",
        [
            {
                "file": f"{temporaries.plain(stage[2]).lower()}/{relative}",
                "status": "LOADED",
                "rows_parsed": table.num_rows,
                "rows_loaded": table.num_rows,
                "error_limit": 1,
                "errors_seen": 0,
                "first_error": None,
            }
            for (relative, _), table in zip(files, tables, strict=True)
        ],
    )


def infer_schema(session: Session, given: dict[str, Any]) -> pa.Table:
    """INFER_SCHEMA(LOCATION => '@stage', FILE_FORMAT => 'name'): the columns of the stage's files."""
    shape = _named_format(session, str(given["FILE_FORMAT"]))
    stage, path = stages.locate(session, str(given["LOCATION"]))
    fields: dict[str, tuple[str, bool]] = {}
    for _, file in stages.files(session, stage, path):
        for field in _read(file, shape).schema:
            fields.setdefault(field.name, (_type(field), field.nullable))
    return pa.table(
        {
            "COLUMN_NAME": list(fields),
            "TYPE": [type_ for type_, _ in fields.values()],
            "NULLABLE": [nullable for _, nullable in fields.values()],
            "ORDER_ID": list(range(len(fields))),
        }
    )


def _read(file: Path, shape: dict[str, str]) -> pa.Table:
    """A file's columns; without USE_LOGICAL_TYPE a time is the number that the file holds."""
    table = pyarrow.parquet.read_table(file)
    if shape.get("USE_LOGICAL_TYPE", "FALSE").upper() != "TRUE":
        for place, field in enumerate(table.schema):
            if pa.types.is_timestamp(field.type):
                table = table.set_column(place, field.name, table.column(place).cast(pa.int64()))
    return table


def _type(field: pa.Field) -> str:
    is_, type_ = pa.types, field.type
    if is_.is_decimal(type_):
        return f"NUMBER({type_.precision}, {type_.scale})"
    for name, tests in {
        "NUMBER(38, 0)": (is_.is_integer,),
        "REAL": (is_.is_floating,),
        "BOOLEAN": (is_.is_boolean,),
        "DATE": (is_.is_date,),
        "TIME": (is_.is_time,),
        "TIMESTAMP_NTZ": (is_.is_timestamp,),
        "TEXT": (is_.is_string, is_.is_large_string, is_.is_null),
        "VARIANT": (is_.is_nested,),
    }.items():
        if any(test(type_) for test in tests):
            return name
    raise SqlError(2, f"Unsupported feature '{type_} in a Parquet file' of the local account (column {field.name}).")


def _as_json(session: Session, table: pa.Table) -> pa.Table:
    """One column, COLUMN1: each row as the object that $1 is."""
    cursor = session.account.cursor()
    try:
        cursor.register("loaded", table)
        rows = cursor.execute("select to_json(loaded)::varchar as COLUMN1 from loaded").to_arrow_table()
    finally:
        cursor.close()
    return pa.table(rows.columns, schema=pa.schema([pa.field("COLUMN1", pa.string(), metadata={"type": "variant"})]))
