"""The record: what was generated from what, what differs between two runs, whether a run can be made again, and what was put aside."""

from datetime import timedelta

import charts
import door
import pandas as pd
import parts
import streamlit as st

ROLES = {"app_auditor", "app_analyst"}

RUNS = """
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
MADE = """
select
    run_id, run_timestamp, run_type, status, window_start, window_end, requested_counts, generated_counts,
    seed, law_version, code_version, events_checksum, execution_seconds
from audit.generation_runs
where status = 'COMPLETED'
order by run_timestamp desc
limit 200
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
SINCE = {"7 days": 7, "30 days": 30, "a year": 365, "all": 36_500}


def show() -> None:
    part = parts.choice("See", ["Record", "Compare", "Snapshot", "Replay", "Quarantine"], "record")
    if not parts.needs(part, "app_analyst" if part == "Quarantine" else "app_auditor"):
        return
    if part in ("Record", "Quarantine"):
        {"Record": record, "Quarantine": quarantine}[part]()
        return
    made = door.ask(MADE)
    if made.empty:
        parts.nothing_yet("Nothing has run yet")
        return
    names = {
        f"{row.run_timestamp:%Y-%m-%d %H:%M:%S} {row.run_type} {row.run_id}": row.run_id for row in made.itertuples()
    }
    {"Compare": compare, "Snapshot": snapshot, "Replay": replay}[part](names, made.set_index("run_id"))


def record() -> None:
    days = SINCE[parts.choice("Since", list(SINCE), "since", "30 days")]
    since = (door.now() - timedelta(days=days)).floor("h").to_pydatetime()
    runs = door.ask(RUNS, since, since)
    if runs.empty:
        parts.nothing_yet("Nothing has run yet")
        return
    left, right = st.columns(2)
    kinds = left.multiselect("Kinds", sorted(runs["run_type"].unique()), key="kinds", placeholder="all kinds")
    states = right.multiselect("Status", sorted(runs["status"].unique()), key="states", placeholder="any status")
    shown = runs[runs["run_type"].isin(kinds or runs["run_type"]) & runs["status"].isin(states or runs["status"])]
    parts.table(shown)
    shown.attrs = runs.attrs
    charts.explain(
        "Runs",
        shown,
        unit=f"{len(shown)} runs; seconds, instants in UTC",
        period=f"since {since:%Y-%m-%d}, the newest 1000",
    )


def compare(names: dict[str, str], made: pd.DataFrame) -> None:
    left, right = st.columns(2)
    first = names[left.selectbox("A run", list(names), index=min(1, len(names) - 1), key="first")]
    second = names[right.selectbox("and another", list(names), key="second")]
    st.dataframe(
        made.loc[[first, second]].T.astype("string").set_axis(["a run", "the other"], axis=1),
        width="stretch",
        height=460,
    )
    st.markdown("**Settings that differ**")
    changes = door.ask("call core.compare_generation_runs(?, ?)", first, second)
    if changes.empty:
        st.success("Both saw the same settings.", icon=":material/check_circle:")
        return
    parts.table(changes)
    charts.explain("Settings that differ", changes, unit="Settings", period="between the two runs")


def snapshot(names: dict[str, str], made: pd.DataFrame) -> None:
    run = names[st.selectbox("Run", list(names), key="run")]
    settings = door.ask("call core.view_run_snapshot(?, ?)", run, "ALL")
    table = st.selectbox("Table", ["all", *sorted(settings["table_name"].unique())], key="run_table")
    shown = settings if table == "all" else settings[settings["table_name"] == table]
    parts.table(shown)
    shown.attrs = settings.attrs
    charts.explain("Snapshot", shown, unit=f"{len(shown)} settings", period="as the run saw them")


def replay(names: dict[str, str], made: pd.DataFrame) -> None:
    run = names[st.selectbox("Run", list(names), key="run")]
    st.write(
        "Makes the run again from its row in the record alone, and compares it, event by event, with what is there. It changes "
        "nothing, and takes as long as the run did."
    )
    if st.button("Replay", key="replay", type="primary"):
        with parts.refusals(), st.spinner("Replaying ..."):
            st.session_state.replayed = run, door.change("call core.replay_run(?)", run)
    of, found = st.session_state.get("replayed", (None, None))
    if of != run:
        return
    (st.success if found.iloc[0]["is_equal"] else st.error)(found.iloc[0]["verdict"])
    parts.table(found)


def quarantine() -> None:
    reasons = door.ask(REASONS)
    if reasons.empty:
        st.success("No event is held in quarantine.", icon=":material/check_circle:")
        return
    st.markdown("**Why events were put aside**")
    parts.table(reasons)
    held = door.ask(HELD)
    st.markdown("**The events**")
    st.dataframe(held, hide_index=True, width="stretch", height=300)
    charts.explain("Quarantine", held, unit="Events", period="held now, the newest 200")
    if not parts.needs("Releasing events", "app_admin"):
        return
    everything, single = st.columns(2)
    with everything, st.container(border=True):
        st.markdown("**Try all of them again**")
        st.write(
            "Those that fit now, because something was mended, go on to gold; the others stay, with the reason of today."
        )
        parts.act("Release all", "release", "call core.release_quarantined_events()", type="primary")
    with single, st.container(border=True):
        st.markdown("**Correct one of them**")
        event = st.selectbox("Event", held["event_id"].tolist(), key="event")
        text = st.text_area(
            "Its data, JSON", held.set_index("event_id").loc[event, "event_data"], key=f"data {event}", height=200
        )
        parts.act(
            "Release this one", "correct", "call core.release_quarantined_events(?, parse_json(?))", int(event), text
        )
