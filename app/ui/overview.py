"""Is it running, is the data fresh, what happened lately, what is wrong; and the levers."""

import time
from datetime import timedelta

import charts
import door
import pandas as pd
import parts
import streamlit as st

ROLES = {"app_admin"}

STATUS = "call core.check_pipeline_status()"
LATELY = """
select
    time_slice(ordered_at, 6, 'hour') as hours,
    count(*) as orders
from gold.fct_sales
where ordered_at >= ?
group by hours
order by hours
"""
WISH = "select wanted, schedule_minutes, schedule_cron, schedule_time_zone from pipeline.wishes"
SUMMARY = "select run_id, summary from reference_data.data_generation_audit where run_id = ?"
FILLS = """
select
    fill_id,
    min(range_start) as range_start,
    max(range_end) as range_end,
    max(events_per_day) as events_per_day,
    count(*) as chunks,
    count_if(status = 'COMPLETED') as completed,
    count_if(status = 'WAITING') as waiting
from pipeline.historical_chunks
group by fill_id
having count_if(status <> 'COMPLETED') > 0
order by max(changed_at) desc
limit 1
"""
GAPS = "select gap_start, gap_end, half_hours from audit.generation_gaps order by gap_end desc limit 20"
TO_GOLD = (("call core.transform_raw_to_bronze()",), ("call core.transform_bronze_to_gold()",))
COUNTS = {
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
    at_a_glance(status)
    troubles(status)
    run, batch, past = st.columns(3)
    with run, st.container(border=True):
        pipeline(status)
    with batch, st.container(border=True):
        generate("Generate now")
    with past, st.container(border=True):
        under_way = history()
    lately()
    if st.button("Look again", key="refresh", help="Otherwise what is shown is up to a minute old"):
        door.forget()
        st.rerun()
    if under_way:
        carry_on(*under_way)


def at_a_glance(status: pd.DataFrame) -> None:
    now = door.now()
    newest = status.loc["gold", "newest_event_at"]
    waiting = status["waiting"].drop("quarantine").fillna(0).sum()
    running = status.loc["pipeline", "state"] == "STARTED"
    following = status.loc["data_generation_task", "next_run_at"]
    parts.metrics(
        {
            "Pipeline": {"value": "running" if running else "stopped"},
            "Newest event in gold": {"value": parts.age(newest, now) if pd.notna(newest) else "none"},
            "Waits for bronze or gold": {
                "value": f"{waiting:,.0f}",
                "help": "Events in the stream, and batches in bronze",
            },
            "Next run": {"value": f"{following:%H:%M} UTC" if running and pd.notna(following) else "not planned"},
        }
    )


def troubles(status: pd.DataFrame) -> None:
    """Everything that needs a person, with what to do."""
    found = status.drop("pipeline")[status["advice"].drop("pipeline").notna()]
    for component, row in found.iterrows():
        result = f" {row['last_result']}" if isinstance(row["last_result"], str) and component != "stream" else ""
        st.warning(f"**{component}: {row['state']}.**{result} {row['advice']}.", icon=":material/warning:")
    if found.empty:
        st.success("Nothing is wrong.", icon=":material/check_circle:")


def pipeline(status: pd.DataFrame) -> None:
    st.subheader("The pipeline")
    wish = door.ask(WISH).astype(object).where(lambda frame: frame.notna(), None).iloc[0]
    every = f"every {wish['schedule_minutes']} minutes"
    rhythm = f"{wish['schedule_cron']} ({wish['schedule_time_zone']})" if wish["schedule_cron"] else every
    st.write(f"Generates {rhythm}, then fills bronze and gold.")
    if wish["wanted"] == "STARTED":
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
    natural = st.toggle(
        "As many as is natural",
        key="natural",
        help="What the hour, the weekday and the season ask for since the last run",
    )
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
    bar.progress(0.5, "Giving them types ...")
    door.change("call core.transform_raw_to_bronze()")
    bar.progress(0.8, "Carrying them to gold ...")
    door.change("call core.transform_bronze_to_gold()")
    return door.ask(SUMMARY, run).iloc[0]["summary"]


def history() -> tuple | None:
    """What the past lacks, or a fill that is not finished; what carry_on needs where this page is filling."""
    st.subheader("The past")
    fill = door.ask(FILLS)
    if not fill.empty:
        return unfinished(fill.iloc[0])
    gaps = door.ask(GAPS)
    options = {"A time of my own": None} | {
        f"Gap of {row.half_hours / 2:g} h from {row.gap_start:%Y-%m-%d %H:%M}": row for row in gaps.itertuples()
    }
    gap = options[st.selectbox("Fill", list(options), key="gap")]
    with st.form("past", border=False):
        end = door.now().floor("D")
        dates = st.date_input(
            "From, until (not in it)",
            (end - timedelta(days=90), end - timedelta(days=60)),
            max_value=end,
            key="range",
            disabled=gap is not None,
        )
        natural = st.checkbox("As many orders as is natural", True, key="natural_past")
        orders = st.number_input("else orders per day", 1, 250_000, 40, key="per_day")
        if st.form_submit_button("Fill history", width="stretch"):
            with parts.refusals():
                if gap is None and len(dates) < 2:
                    raise door.Refused("Choose the day on which it is to begin, and the day on which it is to end.")
                start, until = (gap.gap_start, gap.gap_end) if gap else (pd.Timestamp(day) for day in dates)
                begin(start, until, None if natural else orders)
    return None


def begin(start: pd.Timestamp, end: pd.Timestamp, orders: int | None) -> None:
    binds = (start.to_pydatetime(), end.to_pydatetime(), orders)
    st.session_state.filling = door.answer("call core.plan_history(?, ?, ?)", *binds)
    st.rerun()


def unfinished(fill: pd.Series) -> tuple | None:
    """A fill under way or stopped: how far it has come, and the way to the other state."""
    span = f"{fill['range_start']:%Y-%m-%d %H:%M} to {fill['range_end']:%Y-%m-%d %H:%M}"
    done, chunks = int(fill["completed"]), int(fill["chunks"])
    is_ours = st.session_state.get("filling") == fill["fill_id"]
    st.write(f"Filling {span}.")
    if is_ours:
        if st.button("Stop filling", key="stop_filling", width="stretch"):
            del st.session_state.filling
            parts.done(door.answer("call core.stop_historical_data()"))
    else:
        if st.button("Continue filling", key="continue_filling", type="primary", width="stretch"):
            with parts.refusals():
                per_day = None if pd.isna(fill["events_per_day"]) else int(fill["events_per_day"])
                begin(fill["range_start"], fill["range_end"], per_day)
    bar = st.progress(done / chunks, f"{done} of {chunks} chunks")
    return (fill["fill_id"], done, chunks, bar) if is_ours else None


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
    parts.done(f"History is filled: {done} of {chunks} chunks.")


def lately() -> None:
    st.subheader("Lately")
    binds = ((door.now() - timedelta(days=7)).to_pydatetime(),)
    orders = door.ask(LATELY, *binds)
    if orders.empty:
        st.info("No order in the last seven days. Start the pipeline, or generate a batch.")
    else:
        chart = charts.lines(orders, "hours", "orders", unit="orders in 6 hours")
        charts.present(
            "Orders of the last seven days", chart, orders, unit="Orders in 6 hours", period="the last 7 days, UTC"
        )
    st.markdown("**The last runs**")
    runs = door.ask("call core.view_generation_audit(?)", 8)
    st.dataframe(
        runs[
            ["run_timestamp", "run_type", "status", "window_start", "window_end", "execution_seconds", "error_message"]
        ],
        hide_index=True,
        width="stretch",
    )
    st.caption(
        "UTC; execution_seconds in seconds · the newest 8 · core.view_generation_audit(8); the page Runs tells more"
    )
