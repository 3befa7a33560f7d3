"""What all pages share: choices, buttons that call, what is said when something is missing, and what was just done."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import door
import streamlit as st


def choice(label: str, options: list[str], key: str, default: str | None = None) -> str:
    """One of a few words in a row. A click on the chosen one leaves it chosen."""
    chosen = st.session_state.setdefault(f"{key}_chosen", default or options[0])
    if chosen not in options:
        chosen = st.session_state[f"{key}_chosen"] = options[0]
    if st.session_state.get(key) not in options:
        st.session_state[key] = chosen
    st.segmented_control(label, options, key=key, label_visibility="collapsed", on_change=_keep, args=(key,))
    return st.session_state[f"{key}_chosen"]


def _keep(key: str) -> None:
    if st.session_state[key] is None:
        st.session_state[key] = st.session_state[f"{key}_chosen"]
    st.session_state[f"{key}_chosen"] = st.session_state[key]


def needs(what: str, role: str) -> bool:
    """Whether the role is held; where it is not, the page says so."""
    if not door.holds(role):
        missing(what, {role})
    return door.holds(role)


def missing(what: str, roles: set[str]) -> None:
    role = sorted(roles)[0]
    st.info(
        f"**{what} needs the application role {' or '.join(sorted(role.upper() for role in roles))}**, and this dashboard "
        "is that of another role. Whoever installed the app, or owns its role, can grant it; then open the dashboard that "
        "belongs to the role.",
        icon=":material/lock:",
    )
    st.code(
        f"grant application role <app>.{role} to role <your role>;\n-- then open <app>.ui.{HOME[role]}", language="sql"
    )


HOME = {
    "app_admin": "dashboard",
    "app_analyst": "analyst_dashboard",
    "app_auditor": "auditor_dashboard",
    "app_truth": "truth_dashboard",
}


@contextmanager
def refusals() -> Iterator[None]:
    """What the account refuses stands on the page, in its words, instead of a traceback."""
    try:
        yield
    except door.Refused as refused:
        st.error(str(refused), icon=":material/error:")


def act(label: str, key: str, statement: str, *binds: object, help: str | None = None, **looks: object) -> None:
    """A button that calls a procedure. The page then shows the answer above what has changed."""
    if st.button(label, key=key, help=help, **looks):
        with refusals(), st.spinner(f"{label} ..."):
            done(door.answer(statement, *binds))


def done(text: str) -> None:
    """Remembers what was done and shows the page anew."""
    st.session_state.said = text
    st.rerun()


def say_what_was_done() -> None:
    if text := st.session_state.pop("said", None):
        st.success(text, icon=":material/check:")


def age(moment: datetime | None, now: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    if moment is None:
        return "never"
    minutes = max(int((now - moment).total_seconds() // 60), 0)
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= 2 * size:
            return f"{minutes // size} {unit}s ago"
    return "a minute ago"
