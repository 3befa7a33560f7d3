"""What all pages share: choices, buttons that call, what is said when something is missing, and what was just done."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import door
import pandas as pd
import streamlit as st


def choice(label: str, options: list[str], key: str, default: str | None = None) -> str:
    """One of a few words in a row."""
    index = options.index(default or options[0])
    return st.radio(label, options, index, key=key, horizontal=True, label_visibility="collapsed")


def metrics(cells: dict[str, dict]) -> None:
    """Numbers by title, in a row that breaks where the page is narrow."""
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        for title, cell in cells.items():
            st.metric(title, **cell, width="content")


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


def table(frame: pd.DataFrame, **numbers: tuple[str, str]) -> None:
    """Rows as they are; numbers by column: title and format."""
    looks = {name: st.column_config.NumberColumn(title, format=form) for name, (title, form) in numbers.items()}
    st.dataframe(frame, hide_index=True, width="stretch", column_config=looks)


def nothing_yet(what: str) -> None:
    """The invitation to the first step."""
    st.info(
        f"**{what}.** The page Overview generates a first batch; it needs APP_ADMIN.", icon=":material/rocket_launch:"
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
