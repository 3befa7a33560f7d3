"""The record: what was generated from what, what differs between two runs, whether a run can be made again, and what was put aside."""

from datetime import timedelta

import charts
import door
import pandas as pd
import parts
import streamlit as st

ROLES = {"app_auditor", "app_analyst"}

RECORD = """
select
    run_timestamp, run_type, status, window_start, window_end, generated_counts, execution_seconds, error_message,
    run_id, seed, law_version, code_version, events_checksum
from audit.generation_runs
where run_timestamp >= ?
union all
select run_timestamp, layer, status, null, null, moved_counts, execution_seconds, error_message, run_id, null, null, null, null
from audit.pipeline_runs
where run_timestamp >= ?
order by run_timestamp desc
limit 1000
"""
REASONS = """
select reason, event_type, count(*) as events
from bronze.quarantined_events
where released_at is null
group by reason, event_type
order by events desc
limit 100
"""
HELD = """
select event_id, event_type, event_time, reason, quarantined_at, run_id, coalesce(corrected_data, event_data) as event_data
from bronze.quarantined_events
where released_at is null
order by quarantined_at desc, event_id
limit 200
"""
RELEASE_ALL = "call core.release_quarantined_events()"
RELEASE_ONE = "call core.release_quarantined_events(?, parse_json(?))"
SINCE = {"7 days": 7, "30 days": 30, "a year": 365, "all": 36_500}


def show() -> None:
    see = {"Record": record, "Compare": compare, "Snapshot": snapshot, "Replay": replay, "Quarantine": quarantine}
    part = parts.choice("See", see, "record")
    if parts.lacks(part, {"app_analyst" if part == "Quarantine" else "app_auditor"}):
        return
    if part in ("Record", "Quarantine"):
        see[part]()
    elif (runs := door.ask(parts.RUNS)).empty:
        parts.nothing_yet("Nothing has run yet")
    else:
        see[part](runs)


def record() -> None:
    days = SINCE[parts.choice("Since", SINCE, "since", "30 days")]
    since = (door.now() - timedelta(days=days)).floor("h").to_pydatetime()
    runs = door.ask(RECORD, since, since)
    if runs.empty:
        parts.nothing_yet("Nothing has run yet")
        return
    left, right = st.columns(2)
    kinds = left.multiselect("Kinds", sorted(runs["run_type"].unique()), key="kinds", placeholder="all kinds")
    states = right.multiselect("Status", sorted(runs["status"].unique()), key="states", placeholder="any status")
    shown = runs[runs["run_type"].isin(kinds or runs["run_type"]) & runs["status"].isin(states or runs["status"])]
    unit, period = f"{len(shown)} runs; seconds, instants in UTC", f"since {since:%Y-%m-%d}, the newest 1000"
    charts.table("Runs", shown, unit=unit, period=period)


def compare(runs: pd.DataFrame) -> None:
    left, right = st.columns(2)
    with left:
        first = parts.run("A run", runs, "first", 1)
    with right:
        second = parts.run("and another", runs, "second")
    both = runs.set_index("run_id").loc[[first, second]].T.astype("string")
    st.dataframe(both.set_axis(["a run", "the other"], axis=1), width="stretch", height=460)
    changes = door.ask("call core.compare_generation_runs(?, ?)", first, second)
    if changes.empty:
        st.success("Both saw the same settings.", icon=":material/check_circle:")
    else:
        charts.table("Settings that differ", changes, unit="settings", period="between the two runs")


def snapshot(runs: pd.DataFrame) -> None:
    run = parts.run("Run", runs, "run")
    settings = door.ask("call core.view_run_snapshot(?, ?)", run, "ALL")
    table = st.selectbox("Table", ["all", *sorted(settings["table_name"].unique())], key="run_table")
    shown = settings if table == "all" else settings[settings["table_name"] == table]
    charts.table("Snapshot", shown, unit=f"{len(shown)} settings", period="as the run saw them")


def replay(runs: pd.DataFrame) -> None:
    run = parts.run("Run", runs, "run")
    st.write(
        "Makes the run again from its row in the record alone, and compares it, event by event, with what is there. It changes "
        "nothing, and takes as long as the run did."
    )
    if st.button("Replay", key="replay", type="primary"):
        with parts.refusals(), st.spinner("Replaying ..."):
            st.session_state.replayed = run, door.change("call core.replay_run(?)", run)
    of, found = st.session_state.get("replayed", (None, None))
    if of == run:
        (st.success if found.iloc[0]["is_equal"] else st.error)(found.iloc[0]["verdict"])
        parts.table(found)


def quarantine() -> None:
    reasons = door.ask(REASONS)
    if reasons.empty:
        st.success("No event is held in quarantine.", icon=":material/check_circle:")
        return
    held = door.ask(HELD)
    charts.table("Why events were put aside", reasons, unit="events", period="held now")
    charts.table("The events", held, unit="instants in UTC", period="held now, the newest 200")
    if parts.lacks("Releasing events", {"app_admin"}):
        return
    everything, single = st.columns(2)
    with everything, st.container(border=True):
        st.markdown("**Try all of them again**")
        st.write(
            "Those that fit now, since something was mended, go on to gold; the others stay, with the reason of today."
        )
        parts.act("Release all", "release", RELEASE_ALL, type="primary")
    with single, st.container(border=True):
        st.markdown("**Correct one of them**")
        event = st.selectbox("Event", held["event_id"].tolist(), key="event")
        data = held.set_index("event_id").loc[event, "event_data"]
        text = st.text_area("Its data, JSON", data, key=f"data {event}", height=200)
        parts.act("Release this one", "correct", RELEASE_ONE, int(event), text)
