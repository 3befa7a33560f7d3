"""The past in one piece or in many, beside a live run, and with every key resolved at every moment of the event time."""

import threading

import pytest
import snowflake.connector

RESET = "call reset_data('DELETE ALL BUSINESS DATA')"
LANDED = "select event_id, event_type, event_time, checksum from raw_data.raw_retail_events order by 1"
# Of each kind of reference: whatever it names must have happened before, or at the same instant.
UNRESOLVED = {
    "an order names who has signed up": """
        select count_if(known.event_time is null), count(*)
        from raw_data.raw_retail_events as events
        left join raw_data.raw_retail_events as known
            on
                known.event_type = 'customer_profile'
                and known.event_data:customer_id::number(18, 0) = events.event_data:customer_id::number(18, 0)
                and known.event_time <= events.event_time
        where events.event_type = 'purchase'
    """,
    "a touch names who has signed up": """
        select count_if(known.event_time is null), count(*)
        from raw_data.raw_retail_events as events
        left join raw_data.raw_retail_events as known
            on
                known.event_type = 'customer_profile'
                and known.event_data:customer_id::number(18, 0) = events.event_data:customer_id::number(18, 0)
                and known.event_time <= events.event_time
        where events.event_type = 'marketing_touch' and events.event_data:customer_id is not null
    """,
    "a movement names an order": """
        select count_if(known.event_time is null), count(*)
        from raw_data.raw_retail_events as events
        left join raw_data.raw_retail_events as known
            on
                known.event_type = 'purchase'
                and known.event_data:order_id::number(18, 0) = events.event_data:order_id::number(18, 0)
                and known.event_time <= events.event_time
        where events.event_type = 'supply_chain' and events.event_data:order_id is not null
    """,
    "a return names an order line of its customer": """
        select count_if(known.event_time is null), count(*)
        from raw_data.raw_retail_events as events
        left join (
            select
                purchases.event_time, line.value:line_number::number(9, 0) as line_number,
                purchases.event_data:order_id::number(18, 0) as order_id,
                purchases.event_data:customer_id::number(18, 0) as customer_id
            from raw_data.raw_retail_events as purchases,
                lateral flatten(input => purchases.event_data:lines) as line
            where purchases.event_type = 'purchase'
        ) as known
            on
                known.order_id = events.event_data:order_id::number(18, 0)
                and known.line_number = events.event_data:line_number::number(9, 0)
                and known.customer_id = events.event_data:customer_id::number(18, 0)
                and known.event_time <= events.event_time
        where events.event_type = 'return'
    """,
}


@pytest.fixture(scope="module")
def shop(app):
    """A new business, with fewer customers."""
    volume = "update reference_data.generation_parameters set parameter_value = '{}' where parameter_name = 'daily_customer_events'"
    app.cursor.execute("call stop_pipeline()")
    app.cursor.execute(volume.format(20))
    app.cursor.execute(RESET)
    yield app
    app.cursor.execute(volume.format(240))
    app.cursor.execute(RESET)


def test_one_fill_and_many_land_the_same_events(shop):
    shop.cursor.execute("call generate_historical_data('2025-03-03', '2025-03-06')")
    whole = shop.rows(LANDED)
    shop.cursor.execute(RESET)
    for start, end in (("03 00:00", "03 00:30"), ("03 00:30", "04 11:00"), ("04 11:00", "06 00:00")):
        shop.cursor.execute(f"call generate_historical_data('2025-03-{start}', '2025-03-{end}')")

    assert len(whole) > 150
    assert shop.rows(LANDED) == whole


def test_a_fill_and_a_live_run_at_once_follow_each_other(account, shop):
    refused: dict[str, str] = {}

    def call(statement: str) -> None:
        with account.connect() as other:
            other.cursor().execute(f"use schema {account.application}_with_doors.core")
            try:
                other.cursor().execute(statement)
            except snowflake.connector.errors.ProgrammingError as error:
                refused[statement] = str(error)

    calls = ("call generate_historical_data('2025-03-08', '2025-03-23', 10)", "call generate_retail_data(5, 10)")
    threads = [threading.Thread(target=call, args=(statement,)) for statement in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for statement, reason in refused.items():  # whoever's turn the other took was told so, and left nothing
        assert "Another run started" in reason
        shop.cursor.execute(statement)

    doubled, orders, numbers = shop.rows(
        "select count(*) - count(distinct event_id), count_if(event_type = 'purchase'), "
        "count(distinct iff(event_type = 'purchase', event_data:order_id, null)) from raw_data.raw_retail_events"
    )[0]
    filled = shop.rows(
        "select count(*) from raw_data.raw_retail_events "
        "where event_type = 'purchase' and event_time >= '2025-03-08'::timestamp_ntz and event_time < '2025-03-23'::timestamp_ntz"
    )
    assert (doubled, orders) == (0, numbers)
    assert filled == [(150,)]


@pytest.mark.parametrize("reference", UNRESOLVED)
def test_every_key_resolves_at_every_moment(shop, reference):
    unresolved, found = shop.rows(UNRESOLVED[reference])[0]

    assert unresolved == 0
    assert found > 0
