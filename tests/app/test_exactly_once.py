"""Stop it anywhere, run it again: the same rows, once.

The suite stops it at a sample of its statements; EVERY_BOUNDARY=1 at each (an hour and a half on two cores). It makes fifty schedules with
faults; SCHEDULES=1000 as many.
"""

import os
import random
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

import pytest
from local_account.watch import LONGEST_WAIT
from snowflake.connector.errors import Error, ProgrammingError

EVERY = bool(os.environ.get("EVERY_BOUNDARY"))
FIRST_RUN = datetime(2026, 12, 1, 9, 37)
SECOND_RUN = FIRST_RUN + timedelta(hours=6)
SMALL = {"first_run_days": "1", "daily_customer_events": "60"}
GENERATION = "call as_the_app('call core.generate_batch(null, null, null, null)')"
TRANSFORMATIONS = "call transform_bronze_to_gold()"
RETENTION = "call purge_events()"
COLUMNS = "event_id, event_type, event_time, event_data, run_id, created_at, checksum"
# What a run finds besides the events of its own: some that were there before, and some that do not fit.
DIRT = f"""
insert into raw_data.raw_retail_events ({COLUMNS})
select {COLUMNS} from raw_data.raw_retail_events where mod(event_id, 9) = 0
union all
select event_id + 5000000000, 'parade', event_time, event_data, run_id, created_at, checksum
from raw_data.raw_retail_events where mod(event_id, 41) = 0
"""


@dataclass(frozen=True)
class Step:
    """What is stopped: the first of some statements. Its state before them is kept under its name."""

    name: str
    statements: tuple[str, ...]
    moment: datetime

    def begin(self, app) -> None:
        """The account is as it was before the step, and so is its clock."""
        app.put_back(self.name)
        set_clock(app, self.moment)

    def run(self, app) -> None:
        for statement in self.statements:
            app.cursor.execute(statement)


STEPS = (
    Step("generation", (GENERATION, TRANSFORMATIONS), SECOND_RUN),
    Step("transformation", (TRANSFORMATIONS,), SECOND_RUN),
    Step("retention of raw", (RETENTION,), SECOND_RUN + timedelta(days=50)),
    Step("retention of bronze", (RETENTION,), SECOND_RUN + timedelta(days=50)),
)
GENERATED, TRANSFORMED = STEPS[:2]


def set_clock(app, moment: datetime) -> None:
    app.shop.manage("clock", "set", f"{moment:%Y-%m-%d %H:%M:%S}")


@pytest.fixture(scope="module")
def kept(app_apart):
    """The app, whose states before each step are kept, with what each step executes and the state at the end."""
    app = app_apart
    for name, value in SMALL.items():
        app.cursor.execute(
            "update reference_data.generation_parameters set parameter_value = %s where parameter_name = %s",
            (value, name),
        )
    app.cursor.execute("call configure_pipeline(keep_raw_days => 20, keep_bronze_days => 30)")
    set_clock(app, FIRST_RUN)
    GENERATED.run(app)
    app.as_the_app(DIRT)
    seen, undisturbed = {}, {}
    for step in STEPS:
        app.keep(step.name)
        set_clock(app, step.moment)
        app.watch()
        app.cursor.execute(step.statements[0])
        seen[step] = app.watch()["seen"]
        undisturbed[step] = app.state()
    undisturbed[GENERATED] = undisturbed[TRANSFORMED]
    return app, seen, undisturbed


def is_statement(entry: dict) -> bool:
    """Expressions of a procedure are seen too, as queries of a column V."""
    return not entry["text"].endswith(" as V")


def boundaries(seen: list[dict]) -> list[int]:
    """Where a step can be stopped: before each of its statements, and before its answer."""
    return [place for place, entry in enumerate(seen, start=1) if is_statement(entry)] + [len(seen) + 1]


def sample(places: list[int], count: int) -> list[int]:
    return places if EVERY else [places[round((len(places) - 1) * (part + 0.5) / count)] for part in range(count)]


def stop_and_start(app, step: Step, place: int, how: str) -> None:
    """The step from its kept state, stopped at a boundary, and called again."""
    step.begin(app)
    app.watch(stop_at=place, how=how)
    if how == "kill":
        dead = threading.Thread(target=app.start_when_killed)
        dead.start()
    with pytest.raises(Error):  # before its answer, too: then all was done, and the client does not know
        app.cursor.execute(step.statements[0])
    if how == "kill":
        dead.join()
        set_clock(app, step.moment + timedelta(minutes=1))  # later than it died, as any clock is
    if how != "error":
        app.reconnect()
    step.run(app)


SAMPLES = {  # boundaries of the suite
    ("generation", "error"): 2, ("generation", "lose"): 2, ("generation", "kill"): 1,
    ("transformation", "error"): 2, ("transformation", "lose"): 2, ("transformation", "kill"): 1,
    ("retention of raw", "error"): 1, ("retention of bronze", "lose"): 1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("step", "how"),
    [(step, how) for step in STEPS for how in ("error", "lose", "kill") if EVERY or (step.name, how) in SAMPLES],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_step_that_is_stopped_before_any_statement_and_called_again_leaves_the_same_rows(kept, step, how):
    app, seen, undisturbed = kept
    for place in sample(boundaries(seen[step]), SAMPLES.get((step.name, how), 0)):
        stop_and_start(app, step, place, how)

        # Before its answer all is done, and the next call is one more: bronze lets go of what raw has let go of.
        then = STEPS[3] if step == STEPS[2] and place > len(seen[step]) else step
        assert app.state() == undisturbed[then], (how, place, seen[step][place - 1 : place])
        assert app.rows("select run_id from reference_data.data_generation_audit where status = 'RUNNING'") == []


@pytest.mark.parametrize(
    ("step", "procedure"),
    [
        (GENERATED, "call core.generate_batch("),
        (TRANSFORMED, "call core.transform_raw_to_bronze("),
        (TRANSFORMED, "call transform_bronze_to_gold("),
        (STEPS[2], "call purge_events("),
    ],
    ids=["generation", "bronze", "gold", "retention"],
)
def test_a_run_executes_at_most_25_statements(kept, step, procedure):
    """The README says so; what it calls counts for itself."""
    entries = iter(kept[1][step])
    depth = next(entry["depth"] for entry in entries if entry["text"].startswith(procedure))
    inside = takewhile(lambda entry: entry["depth"] > depth, entries)
    executed = [entry["text"] for entry in inside if entry["depth"] == depth + 1 and is_statement(entry)]

    assert 15 < len(executed) <= 25, executed


def test_a_step_with_nothing_to_do_changes_nothing(kept):
    app, _, undisturbed = kept
    TRANSFORMED.begin(app)
    TRANSFORMED.run(app)
    transformed = "select count(*) from audit.pipeline_runs"
    before = app.rows(transformed)

    app.cursor.execute("call transform_raw_to_bronze()")
    app.cursor.execute("call transform_bronze_to_gold()")
    app.cursor.execute(RETENTION)
    GENERATED.run(app)

    assert (app.state(), app.rows(transformed)) == (undisturbed[TRANSFORMED], before)


def calls_at_once(app, statement: str, place: int, patience: float = 3) -> tuple[list, list]:
    """A call that waits at a boundary while another session makes the same; what was raised in each. Where the second has to wait for the
    first, it is given so many seconds to come that far."""
    raised: tuple[list, list] = ([], [])

    def call(cursor, statement: str, errors: list) -> None:
        try:
            cursor.execute(statement)
        except ProgrammingError as error:
            errors.append(str(error))

    app.watch(stop_at=place, how="wait")
    first = threading.Thread(target=call, args=(app.cursor, statement, raised[0]))
    first.start()
    while app.watch(look=True)["boundaries"] < place:
        time.sleep(0.05)
    second = threading.Thread(target=call, args=(app.another().cursor, statement, raised[1]))
    second.start()
    second.join(patience)
    app.watch()
    for thread in (first, second):
        thread.join(300)
        assert not thread.is_alive()
    return raised


def place_of(seen: list[dict], text: str) -> int:
    return next(place for place, entry in enumerate(seen, start=1) if " ".join(entry["text"].split()).startswith(text))


@pytest.mark.parametrize(
    ("step", "stands_at"),
    [
        (GENERATED, "insert into truth.orders"),
        (TRANSFORMED, "insert into bronze.stg_purchases ("),
        (TRANSFORMED, "insert into gold.fct_sales ("),
    ],
    ids=["generation", "bronze", "gold"],
)
def test_of_two_starts_at_once_one_waits_and_the_rows_are_those_of_one(kept, step, stands_at):
    app, seen, undisturbed = kept
    step.begin(app)

    raised = calls_at_once(app, step.statements[0], place_of(seen[step], stands_at))
    app.cursor.execute(TRANSFORMATIONS)

    assert raised == ([], [])
    record = "REFERENCE_DATA.DATA_GENERATION_AUDIT"  # where who waited and found nothing left is told of
    assert app.state() | {record: None} == undisturbed[step] | {record: None}


def test_a_run_whose_turn_another_took_is_refused_with_the_reason(kept):
    app, seen, undisturbed = kept
    GENERATED.begin(app)

    before_its_hold = place_of(seen[GENERATED], "begin transaction")
    # The second waits for nobody here: only when it has ended may the first go on, or it were the only one.
    raised = calls_at_once(app, GENERATION, before_its_hold, patience=LONGEST_WAIT - 5)
    app.cursor.execute(TRANSFORMATIONS)

    ((refusal,), none) = raised
    assert "Another run started at the same moment and took over; call again when it has ended" in refusal
    assert none == []
    assert app.state() == undisturbed[GENERATED]
    assert app.rows(
        "select count(*) from audit.generation_runs where status = 'FAILED' and error_message like 'Another run started%'"
    ) == [(1,)]


def test_a_slow_run_that_another_took_for_dead_ends_without_that_word(kept):
    app, seen, undisturbed = kept
    TRANSFORMED.begin(app)

    raised = calls_at_once(
        app, TRANSFORMATIONS, place_of(seen[TRANSFORMED], "begin transaction"), patience=LONGEST_WAIT - 5
    )

    assert raised == ([], [])
    record = "REFERENCE_DATA.DATA_GENERATION_AUDIT"  # the slow run found nothing left
    assert app.state() | {record: None} == undisturbed[TRANSFORMED] | {record: None}
    assert app.rows("select distinct status, error_message from audit.pipeline_runs") == [("COMPLETED", None)]


def test_a_stream_that_nobody_read_for_too_long_is_told_and_repaired_without_loss_or_doubling(kept):
    app, _, undisturbed = kept
    TRANSFORMED.begin(app)
    set_clock(app, SECOND_RUN + timedelta(days=55))
    told = "select state, last_result, advice from table(result_scan(last_query_id())) where component = 'stream'"

    app.cursor.execute("call check_pipeline_status()")
    ((state, _, advice),) = app.rows(told)
    assert state == "READABLE"
    assert advice.startswith("Nobody has read it for long")

    set_clock(app, SECOND_RUN + timedelta(days=61))
    app.cursor.execute("call check_pipeline_status()")
    ((state, reason, advice),) = app.rows(told)
    assert (state, advice) == ("UNREADABLE", "Raw still has every event: CALL core.repair_stream()")
    assert "stale" in reason
    with pytest.raises(ProgrammingError, match=r"Nothing is lost: CALL core.repair_stream\(\)"):
        app.cursor.execute(TRANSFORMATIONS)

    app.cursor.execute("call repair_stream()")

    record = "REFERENCE_DATA.DATA_GENERATION_AUDIT"  # duplicates that the stream lost were never counted
    assert app.state() | {record: None} == undisturbed[TRANSFORMED] | {record: None}


SCHEDULES = int(os.environ.get("SCHEDULES", "50"))
SLICES = 100
LAND = f"""
insert into raw_data.raw_retail_events ({COLUMNS})
with

fresh as (select * from gold.pool where slice = {{slice}}),

arriving as (
    select * from fresh
    union all
    -- twice in one batch, and again long after
    select * from fresh where mod(abs(hash(event_id, {{seed}})), 10) = 0
    union all
    select * from gold.pool where slice = {{earlier}} and mod(abs(hash(event_id, {{seed}})), 5) = 0
    union all
    -- beyond repair; some of it twice
    select
        event_id + 5000000000, iff(mod(event_id, 2) = 0, 'parade', event_type), event_time, object_construct('x', 1), run_id,
        created_at, checksum, slice
    from gold.pool
    where slice in ({{slice}}, {{earlier}}) and mod(event_id, 11) = 0
)

select {COLUMNS} from arriving
"""
# Whatever came in whatever order and however often: each event of raw once, and to the cent (as text, so that no sum is rounded beside a count).
BALANCE = """
with

landed as (
    select
        event_id, count(*) as copies, max(mod(floor(event_id / 1000000000), 10) not between 1 and 5) as is_bad,
        max(event_type) as event_type, max(event_data:final_total::number(12, 2)) as final_total,
        max(event_data:refund_total::number(12, 2)) as refund_total, max(event_data:cost::number(12, 4)) as cost
    from raw_data.raw_retail_events
    group by event_id
),

bronze as (
    select event_id from bronze.stg_customers
    union all
    select event_id from bronze.stg_purchases
    union all
    select event_id from bronze.stg_returns
    union all
    select event_id from bronze.stg_marketing_touches
    union all
    select event_id from bronze.stg_supply_chain
),

moved as (
    select sum(generated_counts:arrived::number) as arrived, sum(generated_counts:duplicate::number) as duplicates
    from reference_data.data_generation_audit
    where run_type = 'BRONZE' and status = 'COMPLETED'
)

select 'raw, as bronze says' as what, (select count(*) from raw_data.raw_retail_events)::varchar as expected, arrived::varchar as found from moved
union all
select 'duplicates', (select sum(copies - 1) from landed)::varchar, duplicates::varchar from moved
union all
select 'bronze', (select count(*) from landed where not is_bad)::varchar, (select count(*) from bronze)::varchar
union all
select 'bronze, each once', (select count(*) from bronze)::varchar, (select count(distinct event_id) from bronze)::varchar
union all
select 'quarantine', (select count(*) from landed where is_bad)::varchar, (select count(*) from bronze.quarantined_events)::varchar
union all
select 'orders', (select count(*) from landed where event_type = 'purchase' and not is_bad)::varchar, (select count(*) from gold.fct_sales)::varchar
union all
select 'paid in bronze', (select sum(final_total) from landed where not is_bad)::varchar, (select sum(final_total) from bronze.stg_purchases)::varchar
union all
select 'paid in gold', (select sum(final_total) from landed where not is_bad)::varchar, (select sum(final_total) from gold.fct_sales)::varchar
union all
select 'paid by customers', (select sum(final_total) from landed where not is_bad)::varchar, (select sum(total_spent) from gold.customer_statistics)::varchar
union all
select 'refunds', (select sum(refund_total) from landed where not is_bad)::varchar, (select sum(refund_total) from gold.fct_returns)::varchar
union all
select 'marketing', (select sum(cost) from landed where not is_bad)::varchar, (select sum(cost) from gold.fct_marketing_touches)::varchar
"""


@pytest.fixture(scope="module")
def pool(kept):
    """The app without a business, and 100 slices of what a real one had emitted, at random: so nearly all comes too late or too early."""
    app = kept[0]
    app.put_back(GENERATED.name)
    set_clock(app, FIRST_RUN + timedelta(days=20))
    app.cursor.execute(GENERATION)
    app.as_the_app(
        f"create or replace table gold.pool as select {COLUMNS}, mod(abs(hash(event_id, 7)), {SLICES}) as slice"
        " from raw_data.raw_retail_events where checksum is not null qualify row_number() over (partition by event_id order by event_id) = 1"
        " and event_type <> 'parade'"
    )
    made = app.told_by_the_app(
        "select sum(part.value::number) from reference_data.data_generation_audit, lateral flatten(input => generated_counts) as part"
        " where run_type = 'GENERATION' and part.key like '%_events'"
    )
    assert app.told_by_the_app("select count(*) from gold.pool") == made
    app.cursor.execute("call reset_data('DELETE ALL BUSINESS DATA')")
    app.as_the_app("update reference_data.data_generation_audit set run_type = 'BEFORE' where run_type = 'BRONZE'")
    yield app
    app.as_the_app("drop table gold.pool")


def test_whatever_comes_in_whatever_order_and_is_interrupted_wherever_stands_in_gold_once(pool):
    app, cut = pool, 0
    for seed in range(SCHEDULES):
        order = random.Random(seed)
        app.as_the_app(LAND.format(slice=seed % SLICES, earlier=order.randrange(SLICES) if seed else 0, seed=seed))
        how = order.choice(["error", "lose"])
        app.watch(stop_at=order.randrange(2, 60), how=how)
        try:
            app.cursor.execute(TRANSFORMATIONS)
        except Error:
            cut += 1
        if how == "lose":
            app.reconnect()
        app.watch()
        app.cursor.execute(TRANSFORMATIONS)

        wrong = [line for line in app.told_by_the_app(BALANCE) if line[1] != line[2]]
        assert not wrong, f"schedule {seed}"
    grown = app.state()
    app.cursor.execute("call rebuild_gold()")

    assert {table: rows for table, rows in app.state().items() if table.startswith("GOLD.")} == {
        table: rows for table, rows in grown.items() if table.startswith("GOLD.")
    }
    assert cut > SCHEDULES / 2
