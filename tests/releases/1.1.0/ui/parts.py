"""What all pages share: choices, buttons that call, what is said when something is missing, and what was just done."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import door
import pandas as pd
import streamlit as st

RUNS = """
select
    run_id, run_timestamp, run_type, status, window_start, window_end, requested_counts, generated_counts,
    seed, law_version, code_version, events_checksum, execution_seconds
from audit.generation_runs
where status = 'COMPLETED'
order by run_timestamp desc
limit 200
"""


def choice(label: str, options: Iterable[str], key: str, default: str | None = None) -> str:
    """One of a few words in a row; the first to begin with."""
    words = list(options)
    index = words.index(default) if default else 0
    return st.radio(label, words, index, key=key, horizontal=True, label_visibility="collapsed")


def run(label: str, runs: pd.DataFrame, key: str, index: int = 0) -> str:
    """The id of one of RUNS."""

    def name(run_id: str) -> str:
        return f"{runs.at[run_id, 'run_timestamp']:%Y-%m-%d %H:%M:%S} {runs.at[run_id, 'run_type']} {run_id}"

    runs = runs.set_index("run_id")
    return st.selectbox(label, runs.index, min(index, len(runs) - 1), name, key=key)


def row() -> st.delta_generator.DeltaGenerator:
    """A place for numbers side by side, that breaks where the page is narrow."""
    return st.container(horizontal=True, horizontal_alignment="distribute")


def metric(title: str, value: str, help: str | None = None, **looks: str | None) -> None:
    """A number in large type."""
    st.metric(title, value, help=help, width="content", **looks)


def table(frame: pd.DataFrame) -> None:
    """Rows as they are."""
    st.dataframe(frame, hide_index=True, width="stretch")


def lacks(what: str, roles: set[str]) -> bool:
    """Whether the dashboard stands for none of the roles; then the page says whom to turn to."""
    if roles & st.session_state.roles:
        return False
    role, names = min(roles), " or ".join(sorted(role.upper() for role in roles))
    st.info(
        f"**{what} needs the application role {names}**, and this dashboard is that of another role. Whoever installed the "
        "app, or owns its role, can grant it; then open the dashboard that belongs to the role.",
        icon=":material/lock:",
    )
    home = "dashboard" if role == "app_admin" else f"{role.removeprefix('app_')}_dashboard"
    st.code(
        f"grant application role <app>.{role} to role <your role>;\n-- then open <app>.ui.{home}",
        "sql",
        wrap_lines=True,
    )
    return True


def nothing_yet(what: str) -> None:
    """The invitation to the first step."""
    st.info(
        f"**{what}.** The page Overview generates a first batch; it needs APP_ADMIN.", icon=":material/rocket_launch:"
    )


@contextmanager
def refusals() -> Iterator[None]:
    """What the account refuses stands on the page, in its words, instead of a traceback."""
    try:
        yield
    except door.Refused as refused:
        st.error(str(refused), icon=":material/error:")


def act(label: str, key: str, statement: str, *binds: object, **looks: object) -> None:
    """A button that calls a procedure. The page then shows the answer above what has changed."""
    if st.button(label, key=key, **looks):
        with refusals(), st.spinner(f"{label} ..."):
            done(door.answer(statement, *binds))


def done(text: str) -> None:
    """Remembers what was done and shows the page anew."""
    st.session_state.said = text
    st.rerun()


def say_what_was_done() -> None:
    if text := st.session_state.pop("said", None):
        st.success(text, icon=":material/check:")
