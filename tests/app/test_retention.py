"""What is let go of, and what is not: events that are old, and that the next layer holds."""

import json

import pytest
from snowflake.connector.errors import ProgrammingError

pytestmark = pytest.mark.end_to_end

RAW = "select count(*) from raw_data.raw_retail_events"
BRONZE = "select count(*) from bronze.stg_customers union all select count(*) from bronze.stg_purchase_lines"
GOLD = (
    "select sum(final_total), count(*) from gold.fct_sales union all select sum(total_spent), count(*) from gold.customer_statistics"
    " union all select sum(cost), count(*) from gold.fct_marketing_touches"
)
SET = "update reference_data.generation_parameters set parameter_value = %s where parameter_name = %s"
SMALL = {"first_run_days": "1", "daily_customer_events": "60"}
USUAL = {"first_run_days": "30", "daily_customer_events": "240"}
AGED = {
    "raw_data.raw_retail_events": "created_at",
    **{f"bronze.stg_{kind}": "loaded_at" for kind in ("customers", "purchases", "returns", "marketing_touches", "supply_chain")},
}  # fmt: skip


@pytest.fixture
def aged_app(app):
    """The app with one run that is 100 days old, a younger one, and nothing besides."""
    app.rows("call reset_data('DELETE ALL BUSINESS DATA')")
    for name, value in SMALL.items():
        app.rows(SET, value, name)
    app.rows("call generate_retail_data(null, null, null, null)")
    for table, column in AGED.items():
        app.as_the_app(f"update {table} set {column} = dateadd('day', -100, {column})")
    app.as_the_app(
        "update reference_data.data_generation_audit set run_timestamp = dateadd('day', -100, run_timestamp)"
    )
    app.rows("call generate_retail_data(2, 3, 1, 1)")
    yield app
    for name, value in USUAL.items():
        app.rows(SET, value, name)
    app.rows("call configure_pipeline(keep_raw_days => 0, keep_bronze_days => 0)")
    app.rows("call reset_data('DELETE ALL BUSINESS DATA')")


def old_and_young(app) -> tuple[int, int]:
    return app.rows(
        "select count(iff(created_at < dateadd('day', -90, sysdate()), 1, null)), count(iff(created_at >= dateadd('day', -90, sysdate()), 1, null))"
        " from raw_data.raw_retail_events"
    )[0]


def test_nothing_is_let_go_of_unless_that_is_asked_for(aged_app):
    before = aged_app.rows(RAW)

    ((told,),) = aged_app.rows("call purge_events()")

    assert told.startswith("Events are kept for ever: CALL core.configure_pipeline(keep_raw_days => 90)")
    assert aged_app.rows(RAW) == before


def test_raw_lets_go_of_what_is_old_and_in_bronze_and_the_stream_goes_on(aged_app):
    app = aged_app
    again = "event_id, event_type, event_time, event_data, run_id, created_at"
    app.as_the_app(
        f"create or replace table gold.kept_aside as select {again} from raw_data.raw_retail_events where created_at < dateadd('day', -90, sysdate())"
    )
    app.land(
        {"event_id": 77, "event_type": "parade", "event_time": "2026-01-01", "event_data": {}}
    )  # waits in the stream
    app.as_the_app(
        "update raw_data.raw_retail_events set created_at = dateadd('day', -100, created_at) where event_id = 77"
    )
    (old, young), gold, bronze = old_and_young(app), app.rows(GOLD), app.rows(BRONZE)

    app.rows("call configure_pipeline(keep_raw_days => 90)")
    ((told,),) = app.rows("call purge_events()")

    assert told == f"{old - 1} events of raw and 0 of bronze were let go."
    assert old_and_young(app) == (1, young), "what bronze has not seen yet stays, however old"
    assert (app.rows(GOLD), app.rows(BRONZE)) == (gold, bronze)
    assert app.rows("select count(*) from bronze.quarantined_events where event_id = 77") == [(0,)]
    app.to_gold()
    assert app.rows("select count(*) from bronze.quarantined_events where event_id = 77") == [(1,)]
    app.as_the_app(f"insert into raw_data.raw_retail_events ({again}) select {again} from gold.kept_aside")
    app.to_gold()
    assert (app.rows(GOLD), app.rows(BRONZE)) == (gold, bronze), "what comes again is a duplicate still"
    assert app.rows("call repair_stream()") == [("The stream can be read. Bronze lacks nothing that raw has.",)]
    app.rows("call rebuild_gold()")
    assert app.rows(GOLD) == gold
    app.as_the_app("drop table gold.kept_aside")
    ((counts,),) = app.rows(
        "select moved_counts from audit.pipeline_runs where layer = 'RETENTION' and status = 'COMPLETED' order by run_timestamp desc limit 1"
    )
    assert json.loads(counts) == {"raw": old - 1, "bronze": 0}


def test_bronze_lets_go_of_what_gold_has_and_raw_has_no_more_and_gold_stays(aged_app):
    app = aged_app
    gold, bronze = app.rows(GOLD), app.rows(BRONZE)
    app.rows("call configure_pipeline(keep_raw_days => 90, keep_bronze_days => 90)")

    app.rows("call purge_events()")
    assert app.rows(BRONZE) == bronze, "raw first"
    app.rows("call purge_events()")

    assert app.rows(BRONZE) == [
        (2,),
        (app.rows("select count(*) from gold.fct_sale_lines where batch_number = 2")[0][0],),
    ]
    assert app.rows(GOLD) == gold
    with pytest.raises(ProgrammingError, match="bronze has let go of old events"):
        app.rows("call rebuild_gold()")
    assert app.rows(GOLD) == gold
    assert app.rows("call purge_events()") == [("Nothing is old enough to go.",)]
    app.rows("call generate_retail_data(2, 3, 1, 1)")
    assert app.rows("select sum(final_total) from gold.fct_sales") > gold[:1]


def test_a_run_whose_events_are_gone_is_not_called_different(aged_app):
    app = aged_app
    runs = [
        run
        for (run,) in app.rows(
            "select run_id from audit.generation_runs where run_type = 'GENERATION' and status = 'COMPLETED' order by run_timestamp desc limit 2"
        )
    ]
    app.rows("call configure_pipeline(keep_raw_days => 90)")
    app.rows("call purge_events()")

    (verdict, *_), (old, *_) = (app.rows("call replay_run(%s)", run) for run in runs)

    assert "Equal: " in str(verdict)
    assert "Raw has let go of events" in str(old)
