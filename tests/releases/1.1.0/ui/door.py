"""The only door to SQL: every statement of the dashboard goes through here, with binds.

The dashboard runs with the rights of the app, whoever looks at it, so the platform stops nobody. What stops them is that each role has a
dashboard of its own, and that this door knows what each role may read and call: the grants of app/setup, once more.
"""

import re
import threading
import time
from decimal import Decimal

import pandas as pd
import streamlit as st
from snowflake.snowpark.context import get_active_session
from snowflake.snowpark.exceptions import SnowparkSQLException

REMEMBERED_SECONDS = 60
READS = {  # schema -> the roles that may read it
    "reference_data": {"app_analyst", "app_auditor"},
    "bronze": {"app_analyst"},
    "gold": {"app_analyst", "app_truth"},
    "audit": {"app_auditor"},
    "pipeline": {"app_admin"},
    "truth": {"app_truth"},
}
CALLS = {  # role -> the procedures that it may call; the first three are steps of others that it may call
    "app_admin": {
        "generate_batch", "plan_history", "generate_chunk", "transform_raw_to_bronze", "transform_bronze_to_gold", "check_pipeline_status",
        "start_pipeline", "stop_pipeline", "configure_pipeline", "stop_historical_data", "save_configuration", "restore_configuration",
        "release_quarantined_events",
    },
    "app_auditor": {"view_reference_config", "view_generation_audit", "view_run_snapshot", "compare_generation_runs", "replay_run"},
}  # fmt: skip
# A click starts the script anew while its last run may still wait for an answer, and both have the same session and cursor.
_ONE_AT_A_TIME = threading.Lock()
_TABLES = re.compile(r"\b(?:from|join|call) ([a-z_]+\.[a-z_]+)")
_NAMES = re.compile(rf"\b({'|'.join(READS)})\.\w|\bcall core\.(\w+)")


class Refused(Exception):
    """What the account refused, in its words, or what the role of this dashboard may not do."""


def ask(query: str, *binds: object) -> pd.DataFrame:
    """The rows of a query, from memory if they are younger than a minute and nothing was changed since.

    Columns are in lower case. `attrs` says the query, its binds, and the tables that it reads.
    """
    memory = st.session_state.setdefault("answers", {})
    found = memory.get((query, binds))
    if not found or time.monotonic() - found[0] > REMEMBERED_SECONDS:
        found = memory[query, binds] = (time.monotonic(), _run(query, binds, st.session_state.roles))
    frame = found[1].copy()
    frame.attrs = {
        "query": query.strip(),
        "binds": ", ".join(map(str, binds)),
        "source": ", ".join(dict.fromkeys(_TABLES.findall(query))),
    }
    return frame


def change(statement: str, *binds: object) -> pd.DataFrame:
    """The rows of a call that changes something; whatever was remembered is asked for anew."""
    return change_in_turn((statement, *binds))


def change_in_turn(*calls: tuple) -> pd.DataFrame:
    """The rows of the first of several calls. All are made, even where a click starts the script anew meanwhile: that ends it when it
    touches the page or its state, and nothing in between does.
    """
    roles = st.session_state.roles
    try:
        return [_run(statement, tuple(binds), roles) for statement, *binds in calls][0]
    finally:
        forget()


def answer(statement: str, *binds: object) -> str:
    """The single value that a call answers."""
    return str(change(statement, *binds).iloc[0, 0])


def now() -> pd.Timestamp:
    """The account's clock, UTC."""
    return pd.Timestamp(ask("select sysdate() as now").iloc[0, 0])


def forget() -> None:
    st.session_state.pop("answers", None)


def _run(statement: str, binds: tuple, roles: set[str]) -> pd.DataFrame:
    require_roles(statement, roles)
    try:
        with _ONE_AT_A_TIME:
            rows = get_active_session().sql(statement, params=list(binds)).collect()
    except SnowparkSQLException as error:
        raise Refused(_reason(error)) from None
    if not rows:
        return pd.DataFrame()
    frame = pd.DataFrame([row.as_dict() for row in rows])
    frame.columns = [name.lower() for name in frame.columns]
    for name in frame.select_dtypes("object").columns:
        if any(isinstance(value, Decimal) for value in frame[name]):
            frame[name] = pd.to_numeric(frame[name])
    return frame


def require_roles(statement: str, roles: set[str]) -> None:
    """Refuses what none of the roles may read or call."""
    for schema, procedure in _NAMES.findall(statement.lower()):
        allowed = READS[schema] if schema else {role for role, names in CALLS.items() if procedure in names}
        if not allowed & roles:
            raise Refused(f"{schema or f'core.{procedure}'} needs the application role {' or '.join(sorted(allowed))}.")


def _reason(error: SnowparkSQLException) -> str:
    """The account's words, without query id and code positions; of a failed procedure the last line, which says why."""
    text = str(error.message or error)
    text = re.sub(r"^\(\d+\): [\w-]+: |^\d{6} \(\w+\): [\w-]+: ", "", text)
    raised = re.findall(r"(?:retail_stream\.|^)[\w.]*(?:Refused|Error|Exception): (.+?)(?= in function |$)", text, re.M)
    return (raised or re.split(r"Uncaught exception of type .*? : ", text))[-1].strip()
