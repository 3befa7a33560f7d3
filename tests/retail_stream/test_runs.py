"""Runs of the installed app on the local account, by a role that holds APP_ADMIN; what is latent is read by the installer."""

import json

import numpy as np
import pytest
import snowflake.connector

from retail_stream import procedures
from retail_stream.configuration import Configuration
from retail_stream.customers import frequency_millionths
from retail_stream.slots import MILLION


@pytest.fixture(scope="module")
def ask(app_admin):
    def ask(statement: str, *binds) -> list[tuple]:
        return app_admin.cursor().execute(statement, binds).fetchall()

    return ask


@pytest.fixture(scope="module")
def runs(ask) -> list[str]:
    """Two runs, one after the other, and their ids; the first begins a business of its own, with thirty days of which
    something is always due.
    """
    ask("call core.reset_data('DELETE ALL BUSINESS DATA')")
    found = []
    for _ in range(2):
        answer = ask("call core.generate_retail_data(20, 50)")[0][0]
        found.append(answer.split()[1])
    return found


def newest_run(ask) -> tuple:
    return ask(
        "select run_id, status, error_message from reference_data.data_generation_audit "
        "where run_type = 'GENERATION' order by run_timestamp desc limit 1"
    )[0]


def raw_events(ask) -> int:
    return ask("select count(*) from raw_data.raw_retail_events")[0][0]


def test_each_call_makes_exactly_what_was_asked_for_and_says_so(ask, runs):
    for run in runs:
        made = dict(
            ask("select event_type, count(*) from raw_data.raw_retail_events where run_id = %s group by 1", run)
        )
        made.pop("return", None)

        assert made == {"customer_profile": 20, "purchase": 50, "marketing_touch": 8, "supply_chain": 5}


def test_ids_are_unique_and_nothing_lies_in_the_future(ask, runs):
    twice, late = ask(
        "select count(*) - count(distinct event_id), count_if(event_time > created_at) from raw_data.raw_retail_events"
    )[0]

    assert (twice, late) == (0, 0)


def test_orders_reach_gold_with_their_totals(ask, runs):
    arrived = ask(
        "select event_data:order_id::number(18, 0), event_data:final_total::number(12, 2) "
        "from raw_data.raw_retail_events where event_type = 'purchase' and run_id = %s",
        runs[1],
    )

    assert len(arrived) == 50
    assert set(arrived) <= set(ask("select order_id, final_total from gold.fct_sales"))


def test_a_run_records_what_shaped_it(ask, runs):
    asked, made, snapshot, checksums, seed, checksum = ask(
        "select requested_counts, generated_counts, configuration_snapshot, table_checksums, seed, events_checksum "
        "from reference_data.data_generation_audit where run_id = %s",
        runs[0],
    )[0]
    configuration = Configuration(json.loads(snapshot))

    assert json.loads(asked) == {
        "customer_events": 20, "purchase_events": 50, "marketing_events": 8, "supply_chain_events": 5,
    }  # fmt: skip
    assert json.loads(asked).items() <= json.loads(made).items()
    assert json.loads(checksums) == configuration.checksums()
    assert seed == configuration.parameters["seed"]
    assert int(checksum, 16) > 0


def test_who_bought_is_who_a_running_sum_over_the_living_points_at(ask, installed_app, runs):
    snapshot = ask("select configuration_snapshot from reference_data.data_generation_audit where run_id = %s", runs[1])
    configuration = Configuration(json.loads(snapshot[0][0]))
    frequency = {row["segment_name"]: frequency_millionths(row) for row in configuration.segments}
    with installed_app.connect() as installer:
        cursor = installer.cursor()
        cursor.execute(
            "select customer_id, time_zone, customer_segment, signed_up_slot, dropout_slot, rate_factor "
            f"from {installed_app.application}.truth.customers order by customer_id"
        )
        number, zone, segment, signed_up, dropout, rate = map(np.array, zip(*cursor, strict=True))
        orders = cursor.execute(
            f"select order_id, slot, customer_id from {installed_app.application}.truth.orders where run_id in (%s, %s)",
            runs,
        ).fetchall()
    weight = np.array([(int(r) * frequency[s] + MILLION // 2) // MILLION for r, s in zip(rate, segment, strict=True)])
    place = {customer: index for index, customer in enumerate(number.tolist())}
    checked = 0
    for order, slot, buyer in orders:
        mine = place[buyer]
        if signed_up[mine] == slot:
            continue  # bought at once
        alive = (signed_up < slot) & (slot < dropout) & (zone == zone[mine])
        until = np.cumsum(np.where(alive, weight, 0))
        position = configuration.randomness.below(until[-1:], "order", "who buys", np.array([order]))
        expected = number[np.searchsorted(until, position[0], side="right")]
        checked += 1

        assert buyer == expected

    assert checked >= 70 - 2


def test_settings_that_cannot_be_honoured_are_refused_and_recorded(ask, runs):
    before = raw_events(ask)
    ask("update reference_data.customer_segments set weight = -1 where segment_name = 'premium'")
    ask("update reference_data.generation_parameters set parameter_value = 'many' where parameter_name = 'tax_rate'")
    try:
        with pytest.raises(snowflake.connector.errors.ProgrammingError, match="2 faults"):
            ask("call core.generate_retail_data(1, 1)")
    finally:
        ask("update reference_data.customer_segments set weight = 0.15 where segment_name = 'premium'")
        ask(
            "update reference_data.generation_parameters set parameter_value = '0.076' where parameter_name = 'tax_rate'"
        )
    _, status, message = newest_run(ask)

    assert status == "FAILED"
    assert "customer_segments, row premium, column weight, value -1" in message
    assert "generation_parameters, row tax_rate, column parameter_value" in message
    assert raw_events(ask) == before


def test_what_a_run_would_refuse_is_told_without_a_run(ask, runs):
    assert ask("call core.validate_configuration()") == []
    before = newest_run(ask)
    ask("update reference_data.marketing_channels set conversion_rate = 2 where channel_name = 'email'")
    ask("insert into reference_data.marketing_campaigns values ('doves', 'pigeon', 1, '[]', null)")
    ask("update reference_data.generation_parameters set parameter_value = 'dear' where parameter_name = 'tax_rate'")
    try:
        told = ask("call core.validate_configuration()")
        without_a_run = newest_run(ask)
        with pytest.raises(snowflake.connector.errors.ProgrammingError) as refusal:
            ask("call core.generate_retail_data(1, 1)")
    finally:
        ask("update reference_data.marketing_channels set conversion_rate = 0.3 where channel_name = 'email'")
        ask("delete from reference_data.marketing_campaigns where channel_name = 'pigeon'")
        ask(
            "update reference_data.generation_parameters set parameter_value = '0.076' where parameter_name = 'tax_rate'"
        )

    assert [fault[:3] for fault in told] == [
        ("marketing_channels", "email", "conversion_rate"),
        ("generation_parameters", "tax_rate", "parameter_value"),
        ("marketing_campaigns", "doves", "channel_name"),
    ]
    assert "(3 faults)" in str(refusal.value)
    for table, row, column, value, remedy in told:
        assert f"{table}, row {row}, column {column}, value {value}: {remedy}" in str(refusal.value)
    assert without_a_run == before
    assert ask("call core.validate_configuration()") == []


@pytest.mark.parametrize("count", [-1, 10_000_000_000])
def test_absurd_numbers_are_refused_and_recorded(ask, runs, count):
    before = raw_events(ask)
    with pytest.raises(snowflake.connector.errors.ProgrammingError, match="purchase_events"):
        ask(f"call core.generate_retail_data(1, {count})")

    assert newest_run(ask)[1] == "FAILED"
    assert raw_events(ask) == before


def test_an_edit_shows_in_the_next_run(ask, runs):
    ask("update reference_data.customer_segments set avg_order_value = avg_order_value * 100")
    try:
        run = ask("call core.generate_retail_data(0, 40)")[0][0].split()[1]
    finally:
        ask("update reference_data.customer_segments set avg_order_value = avg_order_value / 100")

    def mean(run: str) -> float:
        return float(ask("select avg(final_total) from bronze.stg_purchases where run_id = %s", run)[0][0])

    assert mean(run) > 20 * mean(runs[1])


def test_a_session_that_cuts_results_is_refused_and_told_why():
    whole = [("a", 1, 3), ("b", 2, 3), ("c", 3, 3)]

    assert procedures.complete(whole) == [("a", 1), ("b", 2), ("c", 3)]
    assert procedures.complete([]) == []
    with pytest.raises(procedures.RunRefused, match="2 of 3 rows.*ROWS_PER_RESULTSET"):
        procedures.complete(whole[:2])
