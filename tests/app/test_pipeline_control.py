"""Starting and stopping, what is told about it, and what stands in the record afterwards."""

import re
from pathlib import Path

import pytest
from snowflake.connector.errors import ProgrammingError

pytestmark = pytest.mark.end_to_end

TASKS = ["data_generation_task", "bronze_transformation_task", "gold_transformation_task", "retention_task"]


def status(app) -> dict[str, dict]:
    """The rows of CHECK_PIPELINE_STATUS by component."""
    app.cursor.execute("call check_pipeline_status()")
    names = [column.name.lower() for column in app.cursor.description]
    return {row[0]: dict(zip(names, row, strict=True)) for row in app.cursor.fetchall()}


def states(app) -> dict[str, str]:
    return {component: row["state"] for component, row in status(app).items() if component in ["pipeline", *TASKS]}


@pytest.fixture
def stopped_app(app):
    """The app, stopped before and after."""
    app.cursor.execute("call stop_pipeline()")
    yield app
    app.cursor.execute("call stop_pipeline()")


def test_start_and_stop_say_what_they_do_and_can_be_repeated(stopped_app):
    for _ in range(2):
        stopped_app.cursor.execute("call start_pipeline()")
        assert states(stopped_app) == {"pipeline": "STARTED"} | dict.fromkeys(TASKS, "STARTED")
    for _ in range(2):
        stopped_app.cursor.execute("call stop_pipeline()")
        assert states(stopped_app) == {"pipeline": "STOPPED"} | dict.fromkeys(TASKS, "SUSPENDED")


def test_a_started_pipeline_says_when_it_runs_next(stopped_app):
    assert status(stopped_app)["data_generation_task"]["next_run_at"] is None
    stopped_app.cursor.execute("call start_pipeline()")

    wait = status(stopped_app)["data_generation_task"]["next_run_at"] - stopped_app.now()
    assert 25 <= wait.total_seconds() / 60 <= 30


def test_an_upgrade_keeps_a_started_pipeline_started_and_a_stopped_one_stopped(stopped_app):
    stopped_app.cursor.execute("call configure_pipeline(45)")
    stopped_app.cursor.execute("call start_pipeline()")
    stopped_app.upgrade()
    assert states(stopped_app) == {"pipeline": "STARTED"} | dict.fromkeys(TASKS, "STARTED")
    wait = status(stopped_app)["data_generation_task"]["next_run_at"] - stopped_app.now()
    assert 40 <= wait.total_seconds() / 60 <= 45, "the schedule is kept too"
    stopped_app.cursor.execute("call configure_pipeline(30)")

    stopped_app.cursor.execute("call stop_pipeline()")
    stopped_app.upgrade()
    assert states(stopped_app) == {"pipeline": "STOPPED"} | dict.fromkeys(TASKS, "SUSPENDED")


def test_a_schedule_is_changed_at_once_and_leaves_a_stopped_pipeline_stopped(stopped_app):
    stopped_app.cursor.execute("call configure_pipeline(15)")
    assert states(stopped_app) == {"pipeline": "STOPPED"} | dict.fromkeys(TASKS, "SUSPENDED")

    stopped_app.cursor.execute("call start_pipeline()")
    wait = status(stopped_app)["data_generation_task"]["next_run_at"] - stopped_app.now()
    assert 10 <= wait.total_seconds() / 60 <= 15

    stopped_app.cursor.execute(
        "call configure_pipeline(cron => '30  6 * jan-dec mon-fri,sat,0', time_zone => 'Asia/Kolkata')"
    )
    assert states(stopped_app) == {"pipeline": "STARTED"} | dict.fromkeys(TASKS, "STARTED")
    next_run = status(stopped_app)["data_generation_task"]["next_run_at"]
    assert (next_run.hour, next_run.minute) == (1, 0), "06:30 in Kolkata is 01:00 UTC"

    stopped_app.cursor.execute("call configure_pipeline(30)")


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        ("", "nothing was given"),
        ("daily_customer_events => -1", "between 0 and 1000000"),
        ("keep_raw_days => 6", "between 7 and 36500"),
        ("keep_bronze_days => 90", "cannot let go of any while raw keeps all"),
        ("30, keep_raw_days => 90, keep_bronze_days => 60", "as long as raw or longer"),
        ("15, '* * * * *'", "one of the two"),
        ("0", "between 1 and 11520"),
        ("cron => '0 6 * *'", "five fields"),
        ("cron => '0 6 * * * *'", "five fields"),
        ("cron => '61 6 * * *'", r"minute \(0-59\)"),
        ("cron => '0 24 * * *'", r"hour \(0-23\)"),
        ("cron => '0 6 * * MON'' as call core.stop_pipeline() --'", "five fields"),
        ("cron => '0 6 * * *', time_zone => 'Mars/Olympus'", "IANA"),
    ],
)
def test_an_impossible_schedule_changes_nothing_and_is_told_what_is_possible(stopped_app, arguments, remedy):
    wish = (
        "select schedule_minutes, schedule_cron, wishes.changed_at, max(retention.changed_at), max(parameter_value)"
        " from pipeline.wishes, pipeline.retention, reference_data.generation_parameters"
        " where parameter_name = 'daily_customer_events' group by 1, 2, 3"
    )
    before = stopped_app.rows(wish)

    with pytest.raises(ProgrammingError, match=f"Nothing was changed: .*{remedy}"):
        stopped_app.cursor.execute(f"call configure_pipeline({arguments})")

    assert stopped_app.rows(wish) == before


def test_volume_and_retention_are_changed_and_the_schedule_stays(stopped_app):
    settings = (
        "select schedule_minutes, max(parameter_value), max(iff(layer = 'RAW', keep_days, null)), max(iff(layer = 'BRONZE', keep_days, null))"
        " from pipeline.wishes, pipeline.retention, reference_data.generation_parameters"
        " where parameter_name = 'daily_customer_events' group by 1"
    )

    ((said,),) = stopped_app.rows(
        "call configure_pipeline(daily_customer_events => 120, keep_raw_days => 90, keep_bronze_days => 400)"
    )
    assert stopped_app.rows(settings) == [(30, "120", 90, 400)]
    assert said == (
        "On a mean day 120 customers sign up, from the next run on. Raw keeps its events 90 days, bronze 400 days."
    )
    assert status(stopped_app)["retention"]["state"] == "ON"

    stopped_app.rows("call configure_pipeline(keep_raw_days => 0, keep_bronze_days => 0, daily_customer_events => 240)")
    assert stopped_app.rows(settings) == [(30, "240", None, None)]
    assert status(stopped_app)["retention"]["last_result"] == "Raw keeps its events for ever, bronze for ever"


def test_the_status_tells_what_the_runs_of_a_day_cost(app):
    app.rows("call generate_retail_data(1, 1)")

    assert re.fullmatch(
        r"\d+ runs of the last 24 hours took \d+ seconds: 0\.\d+ credits a day, at 0\.9 per hour .*",
        status(app)["cost"]["last_result"],
    )


def test_half_an_hour_later_a_batch_has_reached_gold_by_itself(account, stopped_app):
    if not account.is_local:
        pytest.skip("nobody can move the clock of a real account")
    stopped_app.cursor.execute(
        "call configure_pipeline(daily_customer_events => 5000)"
    )  # so that even at night somebody comes
    stopped_app.cursor.execute("call start_pipeline()")
    runs = (
        "select run_id from reference_data.data_generation_audit where run_type = 'GENERATION' and status = 'COMPLETED'"
    )
    before = set(stopped_app.rows(runs))

    folder = Path(account.environment["SNOWFLAKE_HOME"]).parent
    account.manage("clock", "advance", "30 minutes", "--data", str(folder))
    stopped_app.cursor.execute("call configure_pipeline(daily_customer_events => 240)")

    after = status(stopped_app)
    assert {after[task]["last_result"] for task in TASKS} == {"SUCCEEDED"}
    assert after["bronze"]["waiting"] == after["gold"]["waiting"] == 0
    ((run,),) = set(stopped_app.rows(runs)) - before
    landed = set(
        stopped_app.rows(
            "select event_data:customer_id::number from raw_data.raw_retail_events"
            " where event_type = 'customer_profile' and run_id = %s",
            run,
        )
    )
    assert landed
    assert landed <= set(stopped_app.rows("select customer_id from gold.dim_customers"))


def test_what_was_changed_between_two_runs_is_told_to_the_cell(app):
    generate = "call generate_retail_data(2, 3, 1, 1)"
    app.cursor.execute(generate)
    app.cursor.execute(
        "update reference_data.customer_segments set avg_order_value = avg_order_value + 1 where segment_name = 'premium'"
    )
    ((value,),) = app.rows(
        "select avg_order_value::float from reference_data.customer_segments where segment_name = 'premium'"
    )
    app.cursor.execute(generate)
    (second, changed), (first, _) = [(row[0], row[4]) for row in app.rows("call view_generation_audit(2)")]

    ((table, row, column, old, new),) = app.rows("call compare_generation_runs(%s, %s)", first, second)
    assert (table, row, column, float(old), float(new)) == (
        "customer_segments",
        "premium",
        "avg_order_value",
        value - 1,
        value,
    )
    assert changed == "customer_segments"
    assert app.rows(
        "select table_name, row_name, column_name from audit.configuration_changes where run_id = %s", second
    ) == [("customer_segments", "premium", "avg_order_value")]
    seen = {
        row[2]: row[3]
        for row in app.rows("call view_run_snapshot(%s, 'CUSTOMER_SEGMENTS')", second)
        if row[1] == "premium"
    }
    assert float(seen["avg_order_value"]) == value


def rows_by_table(app) -> dict[str, int]:
    """The number of rows of every table that a reset is to empty: all but the purchase model, which is a setting."""
    tables = app.rows(
        "select lower(table_schema || '.' || table_name) from information_schema.tables where table_type = 'BASE TABLE'"
        " and table_schema in ('RAW_DATA', 'BRONZE', 'GOLD', 'TRUTH')"
        " and table_name not in ('CUSTOMER_MODEL', 'CUSTOMER_MODEL_HISTORY', 'BUSINESS_CALENDAR') order by 1"
    )
    return {table: app.rows(f"select count(*) from {table}")[0][0] for (table,) in tables}


@pytest.mark.parametrize("confirmation", ["", "'yes'", "'delete all business data'", "null"])
def test_a_reset_that_is_not_confirmed_word_by_word_deletes_nothing(app, confirmation):
    before = rows_by_table(app)

    with pytest.raises(ProgrammingError, match="Nothing was deleted.*DELETE ALL BUSINESS DATA"):
        app.rows(f"call reset_data({confirmation})")

    assert rows_by_table(app) == before


def test_a_reset_empties_every_layer_and_keeps_the_settings_and_the_record(app):
    app.rows("call generate_retail_data(3, 4, 1, 1)")
    app.land({"event_id": 1, "event_type": "parade", "event_time": "2026-01-01", "event_data": {}})
    segments = "select * from reference_data.customer_segments order by 1"
    runs = "select count(*) from audit.generation_runs"
    settings, count = app.rows(segments), app.rows(runs)

    app.rows("call reset_data('DELETE ALL BUSINESS DATA')")
    app.rows("call transform_bronze_to_gold()")

    assert {table: rows for table, rows in rows_by_table(app).items() if rows} == {}
    assert (app.rows(segments), app.rows(runs)) == (settings, count)
    assert app.rows("select layer, status from audit.pipeline_runs order by run_timestamp desc limit 1") == [
        ("RESET", "COMPLETED")
    ]
    app.rows("call generate_retail_data(3, 4, 1, 1)")
    assert app.rows("select count(*) from gold.fct_sales") == [(4,)]
    assert app.rows("select min(customer_id) from gold.dim_customers") == [(1,)]


@pytest.mark.parametrize("call", ["compare_generation_runs('run-1', 'run-1')", "view_run_snapshot('run-1')"])
def test_a_run_that_does_not_exist_is_named_with_the_way_to_find_one(app, call):
    ((problem, remedy, *_),) = app.rows(f"call {call}")

    assert problem == "There is no run run-1"
    assert "view_generation_audit()" in remedy


def test_the_current_configuration_is_told_row_by_row(app):
    tables = {row[0] for row in app.rows("call view_reference_config()")}

    assert tables == {
        "customer_segments", "product_categories", "product_category_details", "marketing_channels", "marketing_campaigns",
        "warehouses", "generation_parameters",
    }  # fmt: skip
