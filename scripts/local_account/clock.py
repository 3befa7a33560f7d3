"""The account's clock: real time plus an offset that a person can move.

Every function of time (CURRENT_TIMESTAMP and the like), created_on, and the task scheduler read it, so that a month of half-hourly
runs can pass in seconds.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from local_account.errors import SqlError

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}


class Clock:
    def __init__(self, offset: timedelta = timedelta()) -> None:
        self.offset = offset

    def now(self) -> datetime:
        """The account's time, aware, in UTC, to the microsecond."""
        return datetime.now(UTC) + self.offset

    def set(self, moment: datetime) -> None:
        self.offset = moment - datetime.now(UTC)


def parse_duration(text: str) -> timedelta:
    """'30 minutes', '2 hours 5 seconds' -> timedelta; refuses anything else."""
    parts = re.findall(r"(\d+)\s*([a-z]+)", text.lower())
    if not parts or re.sub(r"(\d+)\s*([a-z]+)|[\s,]+|\band\b", "", text.lower()):
        raise SqlError(1007, f"Invalid duration '{text}': write for example '30 minutes' or '2 days 4 hours'")
    seconds = 0
    for count, unit in parts:
        if unit.rstrip("s") not in UNITS:
            raise SqlError(1007, f"Invalid duration '{text}': unknown unit '{unit}' (one of {', '.join(UNITS)})")
        seconds += int(count) * UNITS[unit.rstrip("s")]
    return timedelta(seconds=seconds)


def parse_moment(text: str) -> datetime:
    """'2026-03-01 10:00:00' (UTC when no zone is given) -> aware datetime."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SqlError(1007, f"Invalid moment '{text}': write for example '2026-03-01 10:00:00'") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
