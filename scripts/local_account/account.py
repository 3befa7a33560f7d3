"""The account: its databases on disk, its catalogue, its sessions, its clock.

<data>/databases/<NAME>-*.db   one DuckDB file per Snowflake database, package or application
<data>/stages/<DB>/<SCHEMA>/<STAGE>/     the files of internal stages
<data>/snapshots/<id>/         the files of an installed application or of a package's version, as they were then
"""

from __future__ import annotations

import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote as file_name

from local_account import access, definitions, engine, query_history, sharing, streams
from local_account.catalogue import HOME, Catalogue, Change, quote
from local_account.clock import Clock
from local_account.errors import SqlError, syntax_error
from local_account.handlers import Pool
from local_account.scheduler import Scheduler
from local_account.session import Frame, Session

NAME = "LOCAL"
USER = "LOCAL"
DEFAULT_WAREHOUSE = "LOCAL_WH"
MANAGED_WAREHOUSE = "COMPUTE_SERVICE_WH_USER_TASKS_POOL_XSMALL_0"  # what serverless tasks run on
HOME_FILE = "account.db"
EVENTS = ("SNOWFLAKE", "TELEMETRY", "EVENTS")
SYSTEM_ROLES = {  # role -> the role that it is granted to
    "PUBLIC": None,
    "USERADMIN": "SECURITYADMIN",
    "SECURITYADMIN": "ACCOUNTADMIN",
    "SYSADMIN": "ACCOUNTADMIN",
    "ORGADMIN": None,
    "ACCOUNTADMIN": None,
}


class Account:
    """A Snowflake account whose state lives under one directory."""

    def __init__(self, directory: Path, host: str = "127.0.0.1", port: int = 0) -> None:
        self.directory = directory
        self.address = (host, port)
        for folder in ("databases", "stages", "snapshots", "home"):
            (directory / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        from local_account import calls, temporaries

        self._duck = engine.connect_duckdb(directory)
        self.catalogue = Catalogue()
        self.definitions = threading.RLock()  # one definition at a time: DuckDB's catalogue conflicts otherwise
        self._attach(HOME, HOME_FILE)
        for key, document in self.catalogue.find("database", HOME):
            self._attach(key.name, document["file"])
        self._set_orphans_apart()
        self.clock = Clock(timedelta(seconds=float((self.setting("clock_offset") or {}).get("seconds", 0))))
        self.tickets: dict[str, Session] = {}  # one-time passwords of procedures' workers
        self.pool = Pool(directory / "home")
        self.history = query_history.new()
        self.running: set[tuple[str, int, int]] = set()  # the calls that run: database, generation, number
        self.moving: dict[str, object] = {}  # the applications that somebody installs, upgrades or drops, and who
        self.functions: dict[str, tuple] = {}  # of Python, in expressions: number -> key, document, log (calls.py)
        self._duck.create_function(  # type: ignore[call-overload]
            calls.ENGINE_FUNCTION,
            calls.engine_function(self),
            ["VARCHAR", "VARCHAR"],
            "VARCHAR",
            type="arrow",
            null_handling="special",
            side_effects=True,  # functions are VOLATILE unless they say otherwise
        )
        self.scheduler = Scheduler(self)
        if not self.catalogue.find("role", HOME):
            self._found()
        access.renew_holders(self)
        temporaries.end(self)

    # databases ----------------------------------------------------------------------------------------------------

    def cursor(self) -> Any:
        """A DuckDB connection of its own, on the same databases."""
        return self._duck.cursor()

    def _attach(self, database: str, file: str) -> None:
        path = str(self.directory / "databases" / file).replace("'", "''")
        self._duck.execute(f"attach if not exists '{path}' as {quote(database)}")
        engine.prepare_database(self._duck, database)
        self.catalogue.load(self._duck, database)
        for key, _ in self.catalogue.find("tracking", database):  # accounts of before this table was there
            streams.prepare_aside(self._duck.execute, (database, key.schema, key.name))

    def _set_orphans_apart(self) -> None:
        """Files of databases whose creation or removal a crash cut short: out of the way, and never deleted."""
        known = {HOME_FILE} | {document["file"] for _, document in self.catalogue.find("database", HOME)}
        for path in (self.directory / "databases").glob("*.db*"):
            if path.name.removesuffix(".wal") not in known:
                (self.directory / "orphans").mkdir(exist_ok=True, mode=0o700)
                path.rename(self.directory / "orphans" / path.name)

    def create_database(self, name: str, document: dict[str, Any]) -> None:
        """A new, empty database, in the place of one that has its name; what counts is its document, which is written when all the rest is there."""
        with self.definitions:
            # A name of its own each time: DuckDB lets go of a dropped database's file only when its last reader has gone.
            old, file = self.database(name), f"{file_name(name, safe='')}-{time.time_ns()}.db"
            self._attach(file, file)
            for schema in () if document.get("kind") == "APPLICATION" else ("PUBLIC",):
                self.create_schema(file, schema, {"owner": document.get("owner")})
            self._detach(file)
            with self.change(HOME) as change:
                change.put("database", "", name, {"created_on": self.clock.now().isoformat(), "file": file, **document})
            if old:
                self._remove(name, old)
            self._attach(name, file)

    def drop_database(self, name: str) -> None:
        with self.definitions:
            old = self.database(name) or {}
            with self.change(HOME) as change:
                change.delete("database", "", name)
            self._remove(name, old)

    def _detach(self, database: str) -> None:
        self.catalogue.forget(database)
        self._duck.execute(f"detach {quote(database)}")

    def _remove(self, name: str, document: dict[str, Any]) -> None:
        self._detach(name)
        for suffix in ("", ".wal"):
            (self.directory / "databases" / f"{document['file']}{suffix}").unlink(missing_ok=True)
        shutil.rmtree(self.stage_directory(name), ignore_errors=True)

    def create_schema(self, database: str, schema: str, document: dict[str, Any], physical: str | None = None) -> None:
        with self.change(database) as change:
            change.execute(f"create schema if not exists {quote(database)}.{quote(physical or schema)}")
            change.put("schema", "", schema, {"created_on": self.clock.now().isoformat(), **document})

    def stage_directory(self, *parts: str) -> Path:
        return self.directory.joinpath("stages", *(file_name(part, safe="") for part in parts))

    @contextmanager
    def change(self, database: str, session: Session | None = None) -> Iterator[Change]:
        """A transaction of definitions; DDL in a session commits what the session had open."""
        if session:
            session.commit_before_definition()
        with self.definitions:
            cursor = self._duck.cursor()
            try:
                with self.catalogue.change(cursor, database) as change:
                    yield change
            finally:
                definitions.changed()
                cursor.close()

    # look-ups -----------------------------------------------------------------------------------------------------

    def setting(self, name: str) -> dict[str, Any] | None:
        return self.catalogue.get("setting", HOME, "", name)

    def set_setting(self, name: str, document: dict[str, Any]) -> None:
        with self.change(HOME) as change:
            change.put("setting", "", name, document)

    def database(self, name: str) -> dict[str, Any] | None:
        return self.catalogue.get("database", HOME, "", name)

    def physical_schema(self, session: Session, database: str, schema: str) -> str:
        """The name under which a schema's objects are kept: a versioned schema has one per generation of its application."""
        document = self.catalogue.get("schema", database, "", schema)
        if not document or not document.get("versioned"):
            return schema
        frame = session.frame
        if frame and frame.application == database:
            return f"{schema}${frame.generation}"
        return f"{schema}${(self.database(database) or {}).get('generation', 0)}"

    def qualify(self, session: Session, path: list[str], what: str = "object") -> tuple[str, str, str]:
        """(database, physical schema, name) of a written name, by the session's current database and schema."""
        if len(path) > 3:
            raise syntax_error(f"a name has three parts at most, not {'.'.join(path)}")
        if len(path) == 3:
            database, schema, name = path
        elif len(path) == 2:
            database, (schema, name) = self.current_database(session, what), path
        else:
            database, schema, name = self.current_database(session, what), self.current_schema(session, what), path[0]
        from local_account import temporaries

        if session.application:
            database = sharing.place(session, database, schema)
        place = database, self.physical_schema(session, database, schema), name
        return temporaries.meant(session, what, place) if session.temporaries else place

    def qualify_schema(self, session: Session, path: list[str]) -> tuple[str, str]:
        """(database, logical schema) of a written schema name."""
        if len(path) > 2:
            raise syntax_error(f"a schema is named by itself or by its database, not {'.'.join(path)}")
        return (path[0], path[1]) if len(path) == 2 else (self.current_database(session, "schema"), path[0])

    def current_database(self, session: Session, what: str) -> str:
        if not session.database:
            raise SqlError(
                90_105,
                f"Cannot perform this operation on {what}. This session does not have a current database. Call 'USE DATABASE', or use a "
                "qualified name.",
                "22000",
            )
        return session.database

    def current_schema(self, session: Session, what: str) -> str:
        if not session.schema:
            raise SqlError(
                90_106,
                f"Cannot perform this operation on {what}. This session does not have a current schema. Call 'USE SCHEMA', or use a "
                "qualified name.",
                "22000",
            )
        return session.schema

    # sessions -----------------------------------------------------------------------------------------------------

    def login(self, user: str, password: str, role: str | None, warehouse: str | None) -> Session:
        """A new session; or, for a procedure's worker, the nested one that its one-time password stands for."""
        if ticket := self.tickets.pop(password, None):
            return ticket
        role = (role or "ACCOUNTADMIN").upper()
        if role not in access.roles_of_user(self, (user or USER).upper()):
            raise SqlError(
                390_189, f"Role '{role}' specified in the connect string does not exist or not authorized.", "08001"
            )
        session = Session(self, (user or USER).upper(), role, (warehouse or DEFAULT_WAREHOUSE).upper())
        if not access.may_use_warehouse(session, session.warehouse):
            session.warehouse = None
        return session

    def ticket(self, session: Session) -> str:
        """A one-time password that logs a worker in to this nested session."""
        password = uuid.uuid4().hex
        self.tickets[password] = session
        return password

    def system_session(self, role: str, frame: Frame | None = None) -> Session:
        """A session for the account's own work: tasks, initializers."""
        session = Session(self, "SYSTEM", role, MANAGED_WAREHOUSE)
        if not frame:
            return session
        session.frame, session.database, session.schema = frame, frame.database, frame.schema
        return session

    # life ---------------------------------------------------------------------------------------------------------

    def _found(self) -> None:
        """What a new account has: the system roles, a warehouse that all may use, and the event table."""
        with self.change(HOME) as change:
            now = self.clock.now().isoformat()
            for role, parent in SYSTEM_ROLES.items():
                change.put(
                    "role",
                    "",
                    role,
                    {"owner": "", "created_on": now, "granted_to": [access.holder("ROLE", parent)] if parent else []},
                )
            change.put("warehouse", "", DEFAULT_WAREHOUSE, {"owner": "SYSADMIN", "created_on": now, "size": "X-Small"})
            for_all = {"roles": [access.holder("ROLE", "PUBLIC")]}
            change.put("grant", "", access.grant_name("WAREHOUSE", DEFAULT_WAREHOUSE, "USAGE"), for_all)
        database, schema, table = EVENTS
        self.create_database(database, {"kind": "STANDARD", "owner": "ACCOUNTADMIN"})
        self.create_schema(database, schema, {"owner": "ACCOUNTADMIN"})
        session = self.system_session("ACCOUNTADMIN")
        session.database, session.schema = database, schema
        from local_account.statements import execute

        execute(
            session,
            f"create table if not exists {table} (timestamp timestamp_ntz, start_timestamp timestamp_ntz, observed_timestamp timestamp_ntz, "
            "trace object, resource object, resource_attributes object, scope object, scope_attributes object, record_type varchar, "
            "record object, record_attributes object, value variant, exemplars array)",
        )
        session.close()

    def close(self) -> None:
        self.scheduler.stop()
        self.pool.close()
        for key, _ in self.catalogue.find("database", HOME):
            self._duck.execute(f"checkpoint {quote(key.name)}")
        self._duck.close()
