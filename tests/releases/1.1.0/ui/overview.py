"""Is it running, is the data fresh, what happened lately, what is wrong; and the levers."""

import time
from datetime import datetime, timedelta

import charts
import door
import pandas as pd
import parts
import streamlit as st

ROLES = {"app_admin"}

STATUS = "call core.check_pipeline_status()"
GRANTS = """grant execute task on account to application <app>;
grant execute managed task on account to application <app>;"""
WISH = "select schedule_minutes, schedule_cron, schedule_time_zone from pipeline.wishes"
SUMMARY = "select run_id, summary from reference_data.data_generation_audit where run_id = ?"
TO_GOLD = ("call core.transform_raw_to_bronze()",), ("call core.transform_bronze_to_gold()",)
GAPS = "select gap_start, gap_end, half_hours from audit.generation_gaps order by gap_end desc limit 20"
FILLS = """
select
    fill_id,
    min(range_start) as range_start,
    max(range_end) as range_end,
    max(events_per_day) as events_per_day,
    count(*) as chunks,
    count_if(status = 'COMPLETED') as completed
from pipeline.historical_chunks
group by fill_id
having count_if(status <> 'COMPLETED') > 0
order by max(changed_at) desc
limit 1
"""
LATELY = """
select time_slice(ordered_at, 6, 'hour') as hours, count(*) as orders
from gold.fct_sales
where ordered_at >= ?
group by hours
order by hours
"""
LAST_RUNS = """
select run_timestamp, run_type, status, window_start, window_end, execution_seconds, error_message
from audit.generation_runs
order by run_timestamp desc
limit 8
"""
COUNTS = {  # argument of core.generate_batch -> its title and default
    "customer_events": ("Sign-ups", 10),
    "purchase_events": ("Orders", 25),
    "marketing_events": ("Marketing touches", 8),
    "supply_chain_events": ("Supply-chain movements", 5),
}


def show() -> None:
    status = door.ask(STATUS).set_index("component")
    if pd.isna(status.loc["raw", "newest_event_at"]):
        st.info(
            "**Nothing has been generated yet.** Make a first batch: it fills the last 30 days and takes a few seconds. "
            "Then start the pipeline, and the business lives on by itself.",
            icon=":material/rocket_launch:",
        )
        generate("Generate the first batch")
        return
    is_running = status.loc["data_generation_task", "state"] == "STARTED"
    at_a_glance(status, is_running)
    troubles(status)
    run, batch, past = st.columns(3)
    with run, st.container(border=True):
        pipeline(is_running)
    with batch, st.container(border=True):
        generate("Generate now")
    with st.container():
        lately()
    with past, st.container(border=True):  # the last, because it goes on while history is filled
        history()


def at_a_glance(status: pd.DataFrame, is_running: bool) -> None:
    following = status.loc["data_generation_task", "next_run_at"]
    waiting = status["waiting"].drop("quarantine").fillna(0).sum()
    with parts.row():
        parts.metric("Pipeline", "running" if is_running else "stopped")
        parts.metric("Newest event in gold", age(status.loc["gold", "newest_event_at"], door.now()))
        parts.metric("Waits for bronze or gold", f"{waiting:,.0f}", "Events in the stream, and batches in bronze")
        parts.metric("Next run", f"{following:%H:%M} UTC" if is_running and pd.notna(following) else "not planned")


def age(moment: datetime | None, now: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    if pd.isna(moment):
        return "none"
    minutes = (now - moment).total_seconds() // 60
    for size, unit in ((1440, "days"), (60, "hours"), (1, "minutes")):
        if minutes >= 2 * size:
            return f"{minutes // size:.0f} {unit} ago"
    return "a minute ago"


def troubles(status: pd.DataFrame) -> None:
    """Everything that needs a person, with what to do."""
    found = status[status["advice"].notna()].drop("pipeline", errors="ignore")
    for (state, advice), rows in found.groupby(["state", "advice"], sort=False, dropna=False):
        results = " ".join(rows["last_result"].drop("stream", errors="ignore").dropna().unique())
        st.warning(f"**{', '.join(rows.index)}: {state}.** {results} {advice}.", icon=":material/warning:")
    if found["advice"].str.contains("EXECUTE (?:MANAGED )?TASK").any():
        st.info("Whoever administers the account can grant what the tasks need. Then start the pipeline again.")
        st.code(GRANTS, "sql", wrap_lines=True)
    if found.empty:
        st.success("Nothing is wrong.", icon=":material/check_circle:")


def pipeline(is_running: bool) -> None:
    st.subheader("The pipeline")
    wish = door.ask(WISH).astype(object).where(lambda frame: frame.notna(), None).iloc[0]
    every = f"every {wish['schedule_minutes']} minutes"
    rhythm = f"{wish['schedule_cron']} ({wish['schedule_time_zone']})" if wish["schedule_cron"] else every
    st.write(f"Generates {rhythm}, then fills bronze and gold.")
    if is_running:
        parts.act("Stop", "stop", "call core.stop_pipeline()", width="stretch")
    else:
        parts.act("Start", "start", "call core.start_pipeline()", type="primary", width="stretch")
    with st.expander("Change the schedule"), st.form("schedule", border=False):
        minutes = st.number_input("Minutes between two runs", 1, 11520, int(wish["schedule_minutes"] or 30))
        cron = st.text_input("or a cron expression", wish["schedule_cron"] or "", placeholder="0 6-22 * * MON-FRI")
        zone = st.text_input("in the time zone", wish["schedule_time_zone"] or "UTC")
        if st.form_submit_button("Save the schedule", width="stretch"):
            with parts.refusals():
                chosen = (None, cron, zone) if cron else (minutes, None, zone)
                parts.done(door.answer("call core.configure_pipeline(?, ?, ?)", *chosen))


def generate(label: str) -> None:
    st.subheader("A batch")
    asked = "What the hour, the weekday and the season ask for since the last run"
    natural = st.toggle("As many as is natural", key="natural", help=asked)
    with st.form("batch", border=False):
        counts = [
            st.number_input(title, 0, 1_000_000, default, key=name, disabled=natural)
            for name, (title, default) in COUNTS.items()
        ]
        if st.form_submit_button(label, type="primary", width="stretch"):
            with parts.refusals():
                parts.done(batch([None] * 4 if natural else counts))


def batch(counts: list[int | None]) -> str:
    """One run, step by step, as core.generate_retail_data does it in one call; what it made, in words."""
    bar = st.progress(0.1, "Generating events ...")
    run = door.answer("call core.generate_batch(?, ?, ?, ?)", *counts)
    bar.progress(0.5, "Giving them types, and carrying them to gold ...")
    door.change_in_turn(*TO_GOLD)
    return door.ask(SUMMARY, run).iloc[0]["summary"]


def history() -> None:
    """What the past lacks, or a fill that is not finished."""
    st.subheader("The past")
    fill = door.ask(FILLS)
    if not fill.empty:
        unfinished(fill.iloc[0])
        return
    gaps = {
        f"Gap of {row.half_hours / 2:g} h from {row.gap_start:%Y-%m-%d %H:%M}": row
        for row in door.ask(GAPS).itertuples()
    }
    gap = gaps.get(st.selectbox("Fill", ["A time of my own", *gaps], key="gap"))
    with st.form("past", border=False):
        end = door.now().floor("D")
        usual = end - timedelta(days=90), end - timedelta(days=60)
        dates = st.date_input("From, until (not in it)", usual, max_value=end, key="range", disabled=gap is not None)
        natural = st.checkbox("As many orders as is natural", True, key="natural_past")
        orders = st.number_input("else orders per day", 1, 250_000, 40, key="per_day")
        if st.form_submit_button("Fill history", width="stretch"):
            with parts.refusals():
                if not gap and len(dates) < 2:
                    raise door.Refused("Choose the day on which it is to begin, and the day on which it is to end.")
                start, until = (gap.gap_start, gap.gap_end) if gap else map(pd.Timestamp, dates)
                begin(start, until, None if natural else orders)


def begin(start: pd.Timestamp, end: pd.Timestamp, orders: int | None) -> None:
    binds = start.to_pydatetime(), end.to_pydatetime(), orders
    st.session_state.filling = door.answer("call core.plan_history(?, ?, ?)", *binds)
    st.rerun()


def unfinished(fill: pd.Series) -> None:
    """A fill under way, or stopped: the way to the other state, and how far it has come."""
    st.write(f"Filling {fill['range_start']:%Y-%m-%d %H:%M} to {fill['range_end']:%Y-%m-%d %H:%M}.")
    is_ours = st.session_state.get("filling") == fill["fill_id"]
    if is_ours:
        if st.button("Stop filling", key="stop_filling", width="stretch"):
            del st.session_state.filling
            parts.done(door.answer("call core.stop_historical_data()"))
    elif st.button("Continue filling", key="continue_filling", type="primary", width="stretch"):
        with parts.refusals():
            orders = fill["events_per_day"]
            begin(fill["range_start"], fill["range_end"], None if pd.isna(orders) else int(orders))
    done, chunks = int(fill["completed"]), int(fill["chunks"])
    bar = st.progress(done / chunks, f"{done} of {chunks} chunks")
    if is_ours:
        carry_on(fill["fill_id"], done, chunks, bar)


def carry_on(fill: str, done: int, chunks: int, bar: st.delta_generator.DeltaGenerator) -> None:
    """Chunk after chunk, each with its way to gold. A click on Stop ends this at the next word to the page, between two chunks."""
    started, before = time.monotonic(), done
    try:
        while door.change_in_turn(("call core.generate_chunk(?)", fill), *TO_GOLD).iloc[0, 0]:
            done += 1
            left = (time.monotonic() - started) / (done - before) * (chunks - done)
            bar.progress(done / chunks, f"{done} of {chunks} chunks, {left:.0f} s left")
    except door.Refused:
        del st.session_state.filling
        raise
    del st.session_state.filling
    parts.done(
        f"{'History is filled' if done == chunks else 'Somebody stopped the filling'}: {done} of {chunks} chunks."
    )


def lately() -> None:
    st.subheader("Lately")
    found = door.ask(LATELY, (door.now() - timedelta(days=7)).to_pydatetime())
    if found.empty:
        st.info("No order in the last seven days. Start the pipeline, or generate a batch.")
    else:
        orders = found.set_index("hours").asfreq("6h", fill_value=0).reset_index()
        orders.attrs = found.attrs
        unit, period = "orders in 6 hours", "the last 7 days, UTC"
        charts.lines("Orders of the last seven days", orders, "hours", "orders", unit=unit, period=period)
    unit, period = "seconds, instants in UTC", "the newest 8; the page Runs tells more"
    charts.table("The last runs", door.ask(LAST_RUNS), unit=unit, period=period)
    if st.button("Look again", key="refresh", help="Otherwise what is shown is up to a minute old"):
        door.forget()
        st.rerun()
