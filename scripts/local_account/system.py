"""What the account says of itself: names, versions, and the functions that ask the account rather than the data."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from local_account import access, stages, streams
from local_account.errors import compilation, unsupported
from local_account.session import Frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_account.session import Session

ACCOUNT_NAME = "LOCAL"
ACCOUNT_LOCATOR = "LOCAL"
ORGANIZATION_NAME = "LOCALHOST"
REGION = "LOCAL.LOCALHOST"
VERSION = "10.36.0"


def bootstrap_data(session: Session, what: str) -> str:
    """The client's feature switches (`snow app` asks for CLIENT_PARAMS_INFO)."""
    switches = {"FEATURE_RELEASE_CHANNELS": "ENABLED", "UI_SNOWSIGHT_ENABLE_REGIONLESS_REDIRECT": "true"}
    return json.dumps({"clientParamsInfo": [{"name": name, "value": value} for name, value in switches.items()]})


def snowsight_host(session: Session) -> str:
    host, port = session.account.address
    return f"http://{host}:{port}"


def wait(session: Session, amount: Any, unit: str = "SECONDS") -> str:
    factor = {"MILLISECONDS": 0.001, "SECONDS": 1, "MINUTES": 60, "HOURS": 3600}[str(unit).upper()]
    seconds = float(amount) * factor
    if session.deadline and (left := session.deadline.seconds_left()) < seconds:
        time.sleep(left)
        session.deadline.seconds_left()
    time.sleep(seconds)
    return f"waited {amount} {str(unit).lower()}"


def cancel_all(session: Session, number: Any) -> str:
    """SYSTEM$CANCEL_ALL_QUERIES, which Snowpark asks when it closes a session. A session does one thing at a time here: nothing is left to cancel."""
    if int(number) != session.number:
        raise unsupported("SYSTEM$CANCEL_ALL_QUERIES of another session")
    return "0 queries were cancelled"


def validate_setup(session: Session, stage: str) -> str:
    """SYSTEM$VALIDATE_NATIVE_APP_SETUP: what `scripts/checks` says of the files, which it does not run."""
    from checks.validation import report_on

    return json.dumps(report_on(stages.local_path(session, stage), stage))


def hold_privilege(session: Session, privilege: str) -> bool:
    """SYSTEM$HOLD_PRIVILEGE_ON_ACCOUNT: what the application that asks was granted on the account."""
    return access.holds_on_account(session, str(privilege).upper())


def log(session: Session, level: str, message: Any) -> None:
    """SYSTEM$LOG and SYSTEM$LOG_<LEVEL>: what a procedure in SQL, a block or a setup script tells the event table."""
    from local_account import events

    if (level := str(level).upper()) not in LEVELS:
        raise compilation(1003, f"SYSTEM$LOG takes a level of {', '.join(LEVELS)}; not {level}.")
    frame = session.frame or Frame("block", session.database or "", session.schema)
    teller = session.telemetry or events.Telemetry(session, frame, "", "PROCEDURE")
    teller.log({"level": level, "message": message, "logger": "", "source": "SYSTEM$LOG", "attributes": None})


def last_query_id(session: Session, number: Any = -1) -> str | None:
    """The newest statement's, the one before it (-2), or, counted from the session's first, a positive number's."""
    place, known = int(number), session.query_ids
    if place == -1:
        return session.query_id
    if place > 0 and session.counted > len(known):
        raise unsupported(f"LAST_QUERY_ID({place})", f"of more than {len(known)} statements the first are forgotten")
    place = place - 1 if place > 0 else place + len(known)
    return known[place] if 0 <= place < len(known) else None


LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "SYSTEM$BOOTSTRAP_DATA_REQUEST": bootstrap_data,
    "SYSTEM$GET_SNOWSIGHT_HOST": snowsight_host,
    "SYSTEM$RETURN_CURRENT_ORG_NAME": lambda session: ORGANIZATION_NAME,
    "SYSTEM$ALLOWLIST": lambda session: json.dumps(
        [{"host": session.account.address[0], "port": session.account.address[1], "type": "SNOWFLAKE_DEPLOYMENT"}]
    ),
    "SYSTEM$CANCEL_ALL_QUERIES": cancel_all,
    "SYSTEM$STREAM_HAS_DATA": streams.has_data,
    "SYSTEM$WAIT": wait,
    "SYSTEM$VALIDATE_NATIVE_APP_SETUP": validate_setup,
    "SYSTEM$HOLD_PRIVILEGE_ON_ACCOUNT": hold_privilege,
    "LAST_QUERY_ID": last_query_id,
    "SYSTEM$LOG": log,
    **{f"SYSTEM$LOG_{level}": lambda session, message, level=level: log(session, level, message) for level in LEVELS},
}
