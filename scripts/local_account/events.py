"""The event table (SNOWFLAKE.TELEMETRY.EVENTS): what handlers log, and a span for each call with its events, as far as the levels in force let them
(developer-guide/native-apps/event-definition): those of the versioned schema, or else of the manifest.

Outside applications, where no statement here sets a level, handlers' logs are kept and spans are not.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from local_account import manifests
from local_account.account import EVENTS
from local_account.catalogue import quote

if TYPE_CHECKING:
    from datetime import datetime

    from local_account.session import Frame, Session

_EVENTS = 128  # in one span (developer-guide/logging-tracing/tracing-how-events-work)
_SEVERITIES = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF")
_COLUMNS = ("timestamp", "start_timestamp", "observed_timestamp", "trace", "resource_attributes", "scope", "record_type", "record", "record_attributes", "value")  # fmt: skip


class Telemetry:
    """What one procedure or function says of its calls."""

    def __init__(self, session: Session, frame: Frame, key: str, kind: str) -> None:
        self.session, self.clock, self.key = session, session.account.clock, key
        self.resource = {
            "snow.database.name": frame.database,
            "snow.schema.name": frame.schema,
            "snow.executable.name": key,
            "snow.executable.type": kind,
        }
        self.told: list[dict[str, Any]] = []
        self.log_level, self.trace_level = (self._level(frame, which) for which in ("log_level", "trace_level"))

    def _level(self, frame: Frame, which: str) -> str:
        if not (frame.application and frame.snapshot):
            return "TRACE" if which == "log_level" else "OFF"
        schema = self.session.account.catalogue.get("schema", frame.database, "", frame.schema or "") or {}
        return schema.get(which) or manifests.level(manifests.read_once(frame.snapshot), which)

    def log(self, entry: dict[str, Any]) -> None:
        """One of the things that the handler said (handlers.Log)."""
        if entry["attributes"] is not None:  # of the span, which is written when the call ends
            self.told.append(entry)
        elif _SEVERITIES.index(entry["level"]) >= _SEVERITIES.index(self.log_level):
            scope = {"name": entry["logger"] or entry["source"]}
            self._write("LOG", {"severity_text": entry["level"]}, scope=scope, value=entry["message"])

    @contextmanager
    def span(self) -> Iterator[None]:
        """A call of it: its events and its own row when it ends, within that of its caller; ON_EVENT, only if there are events."""
        if self.trace_level == "OFF":
            yield
            return
        self.told = []  # a function's calls follow one another
        outer = self.session.span
        trace, span = outer.get("trace_id") or uuid.uuid4().hex, uuid.uuid4().hex[:16]
        self.session.span = {"trace_id": trace, "span_id": span}
        record = {"name": self.key.split("(")[0].lower(), "kind": "SPAN_KIND_INTERNAL"}
        record |= {"parent_span_id": outer["span_id"]} if outer else {}
        began, status = self.clock.now(), "STATUS_CODE_ERROR"
        try:
            yield
            status = "STATUS_CODE_UNSET"
        finally:
            happened = [entry for entry in self.told if entry["source"] == "event"][:_EVENTS]
            for entry in happened:
                self._write("SPAN_EVENT", {"name": entry["message"]}, attributes=entry["attributes"])
            if happened or self.trace_level == "ALWAYS":
                said = {
                    key: value
                    for entry in self.told
                    if entry["source"] == "span"
                    for key, value in entry["attributes"].items()
                }
                self._write("SPAN", {**record, "status": {"code": status}}, began, attributes=said)
            self.session.span = outer

    def _write(
        self,
        type_: str,
        record: dict[str, Any],
        began: datetime | None = None,
        scope: Any = None,
        attributes: Any = None,
        value: Any = None,
    ) -> None:
        """Over a connection of its own, so that a rollback does not take the row."""
        now = self.clock.now().replace(tzinfo=None)
        documents = [None if part is None else json.dumps(part) for part in (self.session.span or None, self.resource, scope, record, attributes, value)]  # fmt: skip
        row = [now, began and began.replace(tzinfo=None), now, *documents[:3], type_, *documents[3:]]
        cursor = self.session.account.cursor()
        try:
            table, marks = ".".join(quote(part) for part in EVENTS), ", ".join("?" for _ in _COLUMNS)
            cursor.execute(f"insert into {table} ({', '.join(_COLUMNS)}) values ({marks})", row)
        finally:
            cursor.close()
