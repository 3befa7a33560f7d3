"""The shapes of tables: read from DuckDB's catalogue, and written to it.

What DuckDB cannot say stands as JSON in its comments: of a column {"type", "comment", "default"}, of a table
{"comment", "primary_key", "options", "created_on"}, of a view also {"columns", "text"}.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb
from sqlglot import exp

from local_account.errors import compilation
from local_account.types import duckdb_type, snowflake_type, text_length

HIDDEN = (
    "METADATA$TXN",
    "METADATA$ID",
)  # of a table with streams: which transaction inserted the row, and which row it is


@dataclass(frozen=True)
class Field:
    """A column of a table, in Snowflake's words; `default` is DuckDB's text, `written_default` Snowflake's.

    `identity` is the start and the step of a column that counts.
    """

    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    written_default: str | None = None
    comment: str | None = None
    identity: tuple[int, int] | None = None

    @property
    def is_hidden(self) -> bool:
        return self.name in HIDDEN

    def sql(self) -> str:
        """The column's definition for DuckDB: Snowflake declares lengths and holds to them, so they become checks."""
        parts = [quote(self.name), "bigint" if self.is_hidden else duckdb_type(self.type)]
        if self.default is not None:
            parts.append(f"default {self.default}")
        if not self.nullable:
            parts.append("not null")
        if limit := text_length(self.type):
            parts.append(f"check (length({quote(self.name)}) <= {limit})")
        return " ".join(parts)


@dataclass(frozen=True)
class Table:
    """A table's definition. `path` is its physical name, quoted; the key is declared and not enforced."""

    path: str
    fields: tuple[Field, ...]
    comment: str | None = None
    primary_key: tuple[str, ...] = ()
    options: dict = field(default_factory=dict)
    created_on: str | None = None

    @property
    def names(self) -> list[str]:
        return [item.name for item in self.fields]

    def visible(self) -> "Table":
        return replace(self, fields=tuple(item for item in self.fields if not item.is_hidden))

    def find(self, name: str) -> Field:
        for item in self.fields:
            if item.name == name:
                return item
        raise compilation(904, f"error line 1 at position 0\ninvalid identifier '{name}'")

    def create(self) -> list[str]:
        """The statements that make the table, empty."""
        statements, fields = [], []
        for item in self.fields:
            if item.identity:
                start, step = item.identity
                counter = sequence(self.path, item.name)
                statements += [
                    f"drop sequence if exists {counter}",
                    f"create sequence {counter} start {start} increment {step}",
                ]
                item = replace(item, default=f"nextval({text(counter)})")
            fields.append(item)
        body = ",\n    ".join(item.sql() for item in fields)
        said = {
            "comment": self.comment,
            "primary_key": list(self.primary_key),
            "options": self.options,
            "created_on": self.created_on,
        }
        return [
            *statements,
            f"create table {self.path} (\n    {body}\n)",
            comment_sql("table", self.path, said),
            *(column_comment(self.path, item) for item in fields if not item.is_hidden),
        ]


# --- text for DuckDB


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def path_of(table: exp.Table) -> str:
    return ".".join(quote(part.name) for part in table.parts)


def sequence(path: str, column: str) -> str:
    """The sequence behind a column that counts."""
    return path[:-1] + "$" + quote(column)[1:]


def comment_sql(kind: str, path: str, said: dict) -> str:
    said = {key: value for key, value in said.items() if value not in (None, "", [], {}, ())}
    return f"comment on {kind} {path} is {text(json.dumps(said, ensure_ascii=False)) if said else 'null'}"


def column_comment(path: str, item: Field) -> str:
    said = {"type": item.type, "comment": item.comment, "default": item.written_default}
    return comment_sql("column", f"{path}.{quote(item.name)}", said)


# --- what the catalogue holds

_OBJECTS = """
    select 'TABLE' as kind, database_name, schema_name, table_name as name, comment, estimated_size as rows, null as sql
    from duckdb_tables()
    union all
    select 'VIEW', database_name, schema_name, view_name, comment, null, sql
    from duckdb_views() where not internal
"""


def said_in(comment: str | None) -> dict:
    """What a comment of ours says; another one is a plain comment."""
    if not comment:
        return {}
    try:
        said = json.loads(comment)
    except ValueError:
        return {"comment": comment}
    return said if isinstance(said, dict) else {"comment": comment}


def objects(cursor: duckdb.DuckDBPyConnection, database: str) -> list[tuple]:
    """(kind, schema, name, what its comment says, estimated rows, sql) of each table and view."""
    rows = cursor.execute(
        f"select kind, schema_name, name, comment, rows, sql from ({_OBJECTS}) where database_name = ? order by 2, 3",
        [database],
    ).fetchall()
    return [(kind, schema, name, said_in(comment), count, sql) for kind, schema, name, comment, count, sql in rows]


def first(result: duckdb.DuckDBPyConnection) -> Any:
    """The first row of what was executed, or None. Never by fetchone: DuckDB keeps the statement's transaction open as long as rows wait, and a cursor in it
    does not see what others define meanwhile."""
    rows = result.fetchall()
    return rows[0] if rows else None


def find(cursor: duckdb.DuckDBPyConnection, table: exp.Table) -> tuple[str | None, dict]:
    """TABLE, VIEW or None, and what the object's comment says."""
    found = first(
        cursor.execute(
            f"select kind, comment from ({_OBJECTS}) where database_name = ? and schema_name = ? and name = ?",
            [table.catalog, table.db, table.name],
        )
    )
    return (found[0], said_in(found[1])) if found else (None, {})


def fields_of(cursor: duckdb.DuckDBPyConnection, table: exp.Table) -> tuple[Field, ...]:
    """The columns of a table or view as they stand, hidden ones too."""
    rows = cursor.execute(
        "select column_name, data_type, is_nullable, column_default, comment from duckdb_columns()"
        " where database_name = ? and schema_name = ? and table_name = ? order by column_index",
        [table.catalog, table.db, table.name],
    ).fetchall()
    fields = []
    for name, type_, nullable, default, comment in rows:
        said = said_in(comment)
        declared = said.get("type") or snowflake_type(type_)
        fields.append(Field(name, declared, nullable, default, said.get("default"), said.get("comment")))
    return tuple(fields)


def read(cursor: duckdb.DuckDBPyConnection, table: exp.Table) -> Table:
    """The definition of a table as it stands. Raises SqlError 2003 when there is none."""
    kind, said = find(cursor, table)
    if kind != "TABLE":
        raise missing("Table", table)
    key, options = tuple(said.get("primary_key", ())), said.get("options", {})
    return Table(path_of(table), fields_of(cursor, table), said.get("comment"), key, options, said.get("created_on"))


def missing(kind: str, table: exp.Table) -> Exception:
    name = ".".join(part.name for part in table.parts)
    return compilation(2003, f"{kind} '{name}' does not exist or not authorized.", "42S02")


def is_empty(cursor: duckdb.DuckDBPyConnection, path: str) -> bool:
    return first(cursor.execute(f"select 1 from {path} limit 1")) is None


def rebuild(cursor: duckdb.DuckDBPyConnection, table: Table, kept: dict[str, str]) -> None:
    """Puts a table into a new shape. `kept`: by new column, the expression over the old table that fills it."""
    new, name = scratch(table.path)
    execute(cursor, replace(table, path=new).create())
    kept = kept or {table.names[0]: "null"}  # all columns are new, and the rows stay
    targets = ", ".join(quote(column) for column in kept)
    cursor.execute(f"insert into {new} ({targets}) select {', '.join(kept.values())} from {table.path}")
    execute(cursor, [f"drop table {table.path}", f"alter table {new} rename to {quote(name)}"])


def scratch(path: str) -> tuple[str, str]:
    """The path of a table that is to take another one's place, and that one's bare name."""
    *places, name = exp.to_table(path, dialect="duckdb").parts
    return ".".join([*(quote(part.name) for part in places), quote(name.name + " (new)")]), name.name


def execute(cursor: duckdb.DuckDBPyConnection, statements: Sequence[str]) -> None:
    for statement in statements:
        cursor.execute(statement)
