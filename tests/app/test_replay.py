"""Runs of every kind are made again from their audit rows; a row that was tampered with is found. REPLAYS=100 replays as many."""

import os
import random
from collections.abc import Iterator

import pytest

RUNS = int(os.environ.get("REPLAYS", "5"))
EDITS = (
    "update reference_data.customer_segments set avg_order_value = 300 where segment_name = 'premium'",
    "delete from reference_data.customer_segments where segment_name = 'occasional'",
    "insert into reference_data.product_categories values ('toys', '[12]', 0.5, 0.9, null)",
)
MORE_EDITS = (
    "update reference_data.generation_parameters set parameter_value = '7' where parameter_name = 'seed'",
    "delete from reference_data.marketing_campaigns where campaign_name = 'partner_program'",
)
REPAIRS = (
    "update reference_data.customer_segments set avg_order_value = 150 where segment_name = 'premium'",
    "insert into reference_data.customer_segments values "
    "('occasional', 0.25, 45, 0.08, 'Come by now and then, for small things')",
    "delete from reference_data.product_categories where category_name = 'toys'",
    "update reference_data.generation_parameters set parameter_value = '20260101' where parameter_name = 'seed'",
    "insert into reference_data.marketing_campaigns values ('partner_program', 'affiliate', 1.0, '[]', 'All year')",
)
RESET = "call reset_data('DELETE ALL BUSINESS DATA')"
KINDS = ("customer_profile", "purchase", "return", "marketing_touch", "supply_chain")


@pytest.fixture(scope="module")
def runs(account, app) -> Iterator[dict[str, str]]:
    """Runs of different kinds, one after the other, by what is special about them."""
    made = {}
    # Begun anew, the first run is one of 30 days, in which some of what is bought comes back.
    app.cursor.execute(RESET)

    def run(name: str, counts: str) -> None:
        app.cursor.execute(f"call generate_retail_data({counts})")
        made[name] = app.rows(
            "select run_id from reference_data.data_generation_audit where run_type = 'GENERATION' "
            "order by run_timestamp desc limit 1"
        )[0][0]

    run("given counts", "20, 100")
    run("an open half-hour", "4, 12, 30, null")
    account.manage("clock", "advance", "90 minutes")
    run("the natural course, with what an open half-hour left", "null, null, null, null")
    for edit in EDITS:
        app.cursor.execute(edit)
    account.manage("clock", "advance", "50 hours")
    run("after edits", "null, 300, null, null")
    for edit in MORE_EDITS:
        app.cursor.execute(edit)
    run("after another seed", "3, 9, 5, 5")
    order = random.Random(20260101)
    for number in range(len(made), RUNS):
        minutes = order.choice([0, order.randrange(30, 300)])
        account.manage("clock", "advance", f"{minutes} minutes")
        if order.random() < 0.3:
            app.cursor.execute(
                f"update reference_data.customer_segments set avg_order_value = {order.randrange(120, 180)} where segment_name = 'premium'"
            )
        counts = [str(order.randrange(1, most)) for most in (30, 60, 40, 40)]
        for place in range(4):
            if minutes and order.random() < 0.5:
                counts[place] = "null"
        run(f"run {number}: {counts}", ", ".join(counts))
    yield made
    for repair in REPAIRS:
        app.cursor.execute(repair)
    app.cursor.execute(RESET)  # what was sold has keys that the repaired settings lack


def replayed(app, run: str) -> dict[str, dict]:
    app.cursor.execute("call replay_run(%s)", (run,))
    names = [column.name.lower() for column in app.cursor.description]
    return {row[0]: dict(zip(names, row, strict=True)) for row in app.cursor.fetchall()}


def test_every_run_is_made_again_event_by_event_whatever_was_changed_since(app, runs):
    for name, run in runs.items():
        parts = replayed(app, run)
        wrong = {part: row["verdict"] for part, row in parts.items() if not row["is_equal"]}
        landed = dict(
            app.rows("select event_type, count(*) from raw_data.raw_retail_events where run_id = %s group by 1", run)
        )

        assert not wrong, name
        assert parts["verdict"]["verdict"].startswith("Equal: ")
        assert {kind: parts[kind]["found"] for kind in KINDS if parts[kind]["found"]} == landed


def test_the_runs_that_are_replayed_hold_every_kind_of_event(app, runs):
    assert {kind for (kind,) in app.rows("select distinct event_type from raw_data.raw_retail_events")} == set(KINDS)


def test_the_checksum_of_a_run_is_the_sum_over_what_lies_in_raw(app, runs):
    for run, landed, recorded in app.rows(
        "select raw.run_id, sum(raw.checksum), max(audit.events_checksum) from raw_data.raw_retail_events as raw "
        "inner join reference_data.data_generation_audit as audit on raw.run_id = audit.run_id group by 1"
    ):
        assert int(recorded, 16) == landed, run


@pytest.mark.parametrize(
    ("tamper", "restore", "part", "counted"),
    [
        pytest.param(
            "update raw_data.raw_retail_events set event_data = object_insert(event_data, 'final_total', 1.23, true) "
            "where event_id = {event}",
            "update raw_data.raw_retail_events set event_data = "
            "(select kept.event_data from gold.tampered as kept) where event_id = {event}",
            "purchase",
            "different",
            id="an amount is changed",
        ),
        pytest.param(
            "delete from raw_data.raw_retail_events where event_id = {event}",
            "insert into raw_data.raw_retail_events (event_id, event_type, event_time, event_data, run_id, created_at, "
            "checksum) select event_id, event_type, event_time, event_data, run_id, created_at, checksum "
            "from gold.tampered",
            "purchase",
            "missing",
            id="an event is deleted",
        ),
    ],
)
def test_a_tampered_event_is_named(app, runs, tamper, restore, part, counted):
    run = runs["given counts"]
    event = app.rows(
        "select min(event_id) from raw_data.raw_retail_events where event_type = %s and run_id = %s", part, run
    )[0][0]
    app.as_the_app(
        f"create or replace table gold.tampered as select * from raw_data.raw_retail_events where event_id = {event}"
    )
    app.as_the_app(tamper.format(event=event))
    try:
        parts = replayed(app, run)
    finally:
        app.as_the_app(restore.format(event=event))
        app.as_the_app("drop table gold.tampered")

    assert not parts["verdict"]["is_equal"]
    assert parts["verdict"]["verdict"].startswith("Different: ")
    assert str(event) in parts["verdict"]["verdict"]
    assert (parts[part][counted], parts[part]["example"]) == (1, event)
    assert parts["truth.orders"]["is_equal"]
    assert replayed(app, run)["verdict"]["is_equal"]


def test_a_run_that_cannot_be_replayed_is_told_why(app, runs):
    (bronze,) = app.rows("select min(run_id) from audit.pipeline_runs")[0]

    assert "There is no run nonsense" in replayed(app, "nonsense")["verdict"]["verdict"]
    assert "made no events" in replayed(app, bronze)["verdict"]["verdict"]
