"""What exists in the account, beside tables, views and columns (those stand in DuckDB's own catalogue).

An object is a JSON document under the key (kind, database, schema, name). Documents live in the database that they describe
(schema ``_ACCOUNT``), because DuckDB lets one transaction write to one database only: so a document and the rows or tables that it
belongs to are committed together, or, after a ``kill -9``, neither is there. A copy in memory answers every look-up.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

HOME = "_LOCAL"  # the database of what belongs to the account and to no database
SYSTEM_SCHEMA = "_ACCOUNT"
TASK_HISTORY = (
    "query_id varchar, name varchar, database_name varchar, schema_name varchar, query_text varchar, condition_text varchar, state varchar, "
    "error_code varchar, error_message varchar, scheduled_time timestamptz, query_start_time timestamptz, next_scheduled_time timestamptz, "
    "completed_time timestamptz, root_task_id varchar, graph_version bigint, run_id bigint, return_value varchar, scheduled_from varchar, "
    "attempt_number bigint, instance_id bigint, config varchar, query_hash varchar, query_hash_version bigint, graph_run_group_id bigint"
)


class Key(NamedTuple):
    """The full name of an object; ``schema`` is '' for what stands in no schema."""

    kind: str
    database: str
    schema: str
    name: str


def quote(identifier: str) -> str:
    """A quoted identifier, as Snowflake and DuckDB both write it."""
    return '"' + identifier.replace('"', '""') + '"'


class Catalogue:
    """All documents, by key; changed only through ``change``."""

    def __init__(self) -> None:
        self._documents: dict[Key, dict[str, Any]] = {}
        self._lock = threading.RLock()

    def load(self, cursor: Any, database: str) -> None:
        """Reads one attached database's documents, making their table where there is none yet."""
        schema = f"{quote(database)}.{quote(SYSTEM_SCHEMA)}"
        cursor.execute(f"create schema if not exists {schema}")
        cursor.execute(
            f"create table if not exists {schema}.objects (kind varchar, schema varchar, name varchar, document varchar)"
        )
        # One row for each transaction whose inserted rows a stream has not yet given away (see streams.py).
        cursor.execute(f"create table if not exists {schema}.stream_queue (stream varchar, txn bigint)")
        cursor.execute(f"create table if not exists {schema}.stream_offsets (stream varchar, moved_at timestamptz)")
        cursor.execute(f"create table if not exists {schema}.task_history ({TASK_HISTORY})")
        for kind, schema_name, name, document in cursor.execute(f"select * from {schema}.objects").fetchall():
            self._documents[Key(kind, database, schema_name, name)] = json.loads(document)

    def forget(self, database: str) -> None:
        """Drops the copy in memory of a database that is going away."""
        with self._lock:
            for key in [key for key in self._documents if key.database == database]:
                del self._documents[key]

    def get(self, kind: str, database: str, schema: str, name: str) -> dict[str, Any] | None:
        return self._documents.get(Key(kind, database, schema, name))

    def find(
        self, kind: str, database: str | None = None, schema: str | None = None
    ) -> list[tuple[Key, dict[str, Any]]]:
        """All objects of one kind, by name."""
        with self._lock:
            found = [
                (key, document)
                for key, document in self._documents.items()
                if key.kind == kind and database in (None, key.database) and schema in (None, key.schema)
            ]
        return sorted(found, key=lambda pair: pair[0])

    @contextmanager
    def change(self, cursor: Any, database: str) -> Iterator[Change]:
        """One transaction of definitions in one database: all of it holds, or nothing of it."""
        change = Change(cursor, database, self)
        cursor.execute("begin")
        try:
            yield change
            change.write()
            cursor.execute("commit")
        except BaseException:
            cursor.execute("rollback")
            raise
        with self._lock:
            for key, document in change.documents.items():
                if document is None:
                    self._documents.pop(key, None)
                else:
                    self._documents[key] = document


class Change:
    """The documents that one transaction writes or removes."""

    def __init__(self, cursor: Any, database: str, catalogue: Catalogue) -> None:
        self.cursor = cursor
        self.database = database
        self.catalogue = catalogue
        self.documents: dict[Key, dict[str, Any] | None] = {}

    def put(self, kind: str, schema: str, name: str, document: dict[str, Any]) -> None:
        self.documents[Key(kind, self.database, schema, name)] = document

    def delete(self, kind: str, schema: str, name: str) -> None:
        self.documents[Key(kind, self.database, schema, name)] = None
        if kind != "grant":
            self.move_grants(kind.upper(), schema, name)

    def move_grants(self, kind: str, schema: str, name: str, new: str | None = None) -> None:
        """Grants end with what they are on, and follow it to a new name."""
        for key, document in self.catalogue.find("grant", self.database, schema):
            granted_on, _, privilege = key.name.rpartition(":")
            if granted_on == f"{kind}:{name}":
                self.delete("grant", schema, key.name)
                if new:
                    self.put("grant", schema, f"{kind}:{new}:{privilege}", document)

    def execute(self, sql: str, parameters: list[Any] | None = None) -> Any:
        return self.cursor.execute(sql, parameters or [])

    def write(self) -> None:
        table = f"{quote(self.database)}.{quote(SYSTEM_SCHEMA)}.objects"
        for key, document in self.documents.items():
            self.execute(
                f"delete from {table} where kind = ? and schema = ? and name = ?", [key.kind, key.schema, key.name]
            )
            if document is not None:
                self.execute(
                    f"insert into {table} values (?, ?, ?, ?)", [key.kind, key.schema, key.name, json.dumps(document)]
                )
