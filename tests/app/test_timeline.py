"""One timeline: gaps after a stop, the past in chunks, and live where it ends."""

import threading
import time
from datetime import timedelta

import pytest
import snowflake.connector

WINDOWS = """
    select window_start, window_end
    from audit.generation_runs
    where
        status = 'COMPLETED'
        and mod(datediff('millisecond', '2000-01-01'::timestamp_ntz, window_end), 1800000) = 0
        -- A reset, by another test of the same app, begins the timeline anew.
        and run_timestamp > (
            select coalesce(max(run_timestamp), '2000-01-01'::timestamp_ntz) from audit.pipeline_runs where layer = 'RESET'
        )
    order by window_start
"""
HALF_HOUR = timedelta(minutes=30)


@pytest.fixture(autouse=True)
def local_clock(account, app):
    if not account.is_local:
        pytest.skip("nobody can move the clock of a real account")
    app.cursor.execute("call stop_pipeline()")
    yield
    app.cursor.execute("call stop_pipeline()")


@pytest.fixture
def early_in_a_half_hour(account, app):
    """None ends by itself while the test looks at its clock."""
    account.manage("clock", "set", str(half_hour_border(app.now()) + timedelta(minutes=31)))


def half_hour_border(moment):
    return moment.replace(minute=moment.minute // 30 * 30, second=0, microsecond=0)


def overlaps(app) -> list[tuple]:
    windows = app.rows(WINDOWS)
    return [(a, b) for a, b in zip(windows, windows[1:], strict=False) if a[1] > b[0]]


def doubled_ids(app) -> int:
    return app.rows("select count(*) - count(distinct event_id) from raw_data.raw_retail_events")[0][0]


def test_what_lies_between_a_stop_and_a_start_stays_a_gap_until_somebody_fills_it(account, app, early_in_a_half_hour):
    app.cursor.execute("call generate_retail_data(null, null, null, null)")
    account.manage("clock", "advance", "30 minutes")
    app.cursor.execute("call generate_retail_data(null, null, null, null)")
    (stopped_at,) = app.rows("select max(window_end) from audit.generation_runs")[0]
    account.manage("clock", "advance", "3 hours")

    app.cursor.execute("call start_pipeline()")
    started_at = half_hour_border(app.now())
    account.manage("clock", "advance", "30 minutes")

    gap = app.rows("select gap_start, gap_end, half_hours, remedy from audit.generation_gaps order by gap_start")[-1]
    assert gap[:3] == (stopped_at, started_at, (started_at - stopped_at) / HALF_HOUR)
    assert (started_at, started_at + HALF_HOUR) in app.rows(WINDOWS)

    app.cursor.execute(gap[3])

    assert app.rows("select count(*) from audit.generation_gaps where gap_start >= %s", stopped_at) == [(0,)]
    assert (overlaps(app), doubled_ids(app)) == ([], 0)


def test_a_second_start_of_a_started_pipeline_leaves_no_gap(account, app, early_in_a_half_hour):
    app.cursor.execute("call start_pipeline()")
    account.manage("clock", "set", str(app.now() + timedelta(minutes=30)))  # no task runs
    app.cursor.execute("call generate_retail_data(null, null, null, null)")
    before = app.rows("select max(window_end) from audit.generation_runs")[0][0]
    account.manage("clock", "set", str(app.now() + timedelta(minutes=45)))  # no task runs
    app.cursor.execute("call start_pipeline()")
    app.cursor.execute("call generate_retail_data(null, null, null, null)")

    assert app.rows("select count(*) from audit.generation_runs where window_start = %s", before) == [(1,)]


def test_the_past_is_filled_in_chunks_that_can_be_seen_stopped_and_continued(account, app):
    call = "call generate_historical_data('2025-01-06', '2025-01-27', 20)"
    progress = "select count_if(status = 'COMPLETED'), count(*) from pipeline.historical_chunks where range_start = '2025-01-06'"
    answers = []
    with account.connect() as other:
        other.cursor().execute(f"use schema {account.application}_with_doors.core")
        filling = threading.Thread(target=lambda: answers.append(other.cursor().execute(call).fetchone()[0]))
        filling.start()
        while filling.is_alive() and not app.rows(progress)[0][0]:
            time.sleep(0.1)
        app.cursor.execute("call stop_historical_data()")
        filling.join()
    stopped = app.rows(progress)[0]
    app.cursor.execute(call)
    orders, first, last = app.rows(
        "select count(*), min(event_time), max(event_time) from raw_data.raw_retail_events "
        "where event_type = 'purchase' and event_time < '2025-01-27'"
    )[0]

    assert stopped[0] in (1, 2)
    assert "same call made again goes on" in answers[0]
    assert app.rows(progress) == [(3, 3)]
    assert orders == 21 * 20
    assert (str(first)[:10], str(last)[:10]) == ("2025-01-06", "2025-01-26")
    assert (overlaps(app), doubled_ids(app)) == ([], 0)
    assert app.rows("select count(*) from audit.generation_gaps where gap_end <= '2025-01-27'") == [(0,)]


def test_a_chunk_of_the_past_can_be_made_again(app):
    for (run,) in app.rows("select run_id from pipeline.historical_chunks where run_id is not null"):
        verdict = app.rows("call replay_run(%s)", run)[0]

        assert verdict[1], verdict[2]


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        ("'2025-01-20', '2025-02-20'", "audit.generation_gaps lists the gaps"),
        ("'2024-01-02', '2024-01-01'", "must lie before end_date"),
        ("'2024-01-01 00:10', '2024-01-02'", "2024-01-01 00:00"),
        ("'2024-01-01', '2074-01-01'", "only what has ended can be filled"),
        ("'2024-01-01', '2024-01-02', -1", "must be NULL or from 0"),
    ],
)
def test_an_impossible_stretch_of_time_is_refused_with_what_is_possible(app, arguments, remedy):
    planned = app.rows("select count(*) from pipeline.historical_chunks")
    with pytest.raises(snowflake.connector.errors.ProgrammingError, match=remedy):
        app.cursor.execute(f"call generate_historical_data({arguments})")

    assert app.rows("select count(*) from pipeline.historical_chunks") == planned
