"""The event table: what handlers log and print (SNOWFLAKE.TELEMETRY.EVENTS)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from local_account.account import EVENTS
from local_account.catalogue import quote

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_account.session import Session


def logger(session: Session, key: str) -> Callable[[dict[str, Any]], None]:
    """Takes a handler's log entries; they are written over a connection of their own, so that a rollback does not take them."""
    account, application = session.account, session.application or session.database

    def write(entry: dict[str, Any]) -> None:
        table = ".".join(quote(part) for part in EVENTS)
        resource = {"snow.database.name": application, "snow.executable.name": key, "snow.executable.type": "PROCEDURE"}
        cursor = account.cursor()
        try:
            cursor.execute(
                f"insert into {table} (timestamp, observed_timestamp, resource_attributes, scope, record_type, record, value) values (?, ?, ?, ?, 'LOG', ?, ?)",
                [
                    account.clock.now().replace(tzinfo=None),
                    account.clock.now().replace(tzinfo=None),
                    json.dumps(resource),
                    json.dumps({"name": entry.get("logger") or entry.get("source")}),
                    json.dumps({"severity_text": str(entry.get("level") or "INFO").upper()}),
                    json.dumps(entry.get("message")),
                ],
            )
        finally:
            cursor.close()

    return write
