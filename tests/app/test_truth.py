"""What truth tells of customers and events agrees with what happened, and nobody reads it by accident."""

import pytest

# What each cause is the number of, and where that number stands.
SOURCES = {
    "sign_up": "select customer_id from truth.customers",
    "effort": "select customer_id from truth.customers",
    "order": "select order_id from truth.orders",
    "order_line": "select order_id from truth.orders",
    "impression": "select event_number from truth.event_causes where event_type = 'marketing_touch' and cause = 'order'",
    "delay": "select event_number from truth.event_causes where event_type = 'supply_chain'",
    "bad_day": "select warehouse_id from reference_data.warehouses",
}
EVENTS = """
    select
        event_type,
        coalesce(event_data:return_id, event_data:touch_id, event_data:movement_id)::number(18, 0) as event_number,
        event_data, event_time
    from raw_data.raw_retail_events
    where event_type in ('return', 'marketing_touch') or event_data:movement_type::varchar = 'delay'
"""


@pytest.fixture(scope="module")
def history(account, app):
    """Two weeks in which much is delayed and comes back soon: about a dozen come back for a delay."""
    changed = "parameter_name like 'delay_prob%' or parameter_name = 'return_window_days'"
    parameters = app.rows(
        f"select parameter_value, parameter_name from reference_data.generation_parameters where {changed}"
    )
    write = "update reference_data.generation_parameters set parameter_value = %s where parameter_name = %s"
    for _, name in parameters:
        app.cursor.execute(write, ("5" if name == "return_window_days" else "0.5", name))
    try:
        app.cursor.execute("call generate_historical_data('2024-03-04', '2024-03-18', 400)")
    finally:
        for row in parameters:
            app.cursor.execute(write, row)
    return app


def test_every_touch_return_and_delay_has_one_cause(history):
    missing, doubled, found = history.rows(
        f"""
        select count_if(causes.event_number is null), count(*) - count(distinct events.event_type, events.event_number), count(*)
        from ({EVENTS}) as events
        left join truth.event_causes as causes
            on events.event_type = causes.event_type and events.event_number = causes.event_number
        where events.event_time >= '2024-03-04'::timestamp_ntz and events.event_time < '2024-03-18'::timestamp_ntz
        """
    )[0]

    assert (missing, doubled) == (0, 0)
    assert found > 1_000


@pytest.mark.parametrize("cause", SOURCES)
def test_what_caused_an_event_is_there(history, cause):
    lost, found = history.rows(
        f"select count_if(caused_by not in ({SOURCES[cause]})), count(*) from truth.event_causes where cause = %s",
        cause,
    )[0]

    assert lost == 0
    assert found > 0


def test_causes_agree_with_what_the_events_show(history):
    shown = history.rows(
        f"""
        select distinct causes.cause, coalesce(events.event_data:touch_type, events.event_data:reason)::varchar
        from ({EVENTS}) as events
        inner join truth.event_causes as causes
            on events.event_type = causes.event_type and events.event_number = causes.event_number
        """
    )
    by_cause = {cause: {text for other, text in shown if other == cause} for cause, _ in shown}

    assert by_cause["sign_up"] == {"conversion"}
    assert by_cause["effort"] == by_cause["impression"] == {"click"}
    assert by_cause["order"] == {"impression"}
    assert by_cause["delay"] == {"arrived_late"}
    assert "arrived_late" not in by_cause["order_line"]
    assert by_cause["bad_day"] == {"carrier", "weather", "labour", "system_outage"}
    assert by_cause.get("stock_out", {"stock_out"}) == {"stock_out"}


def test_a_stock_out_that_delayed_an_order_is_a_movement_of_its_warehouse_and_day(history):
    rows = history.rows(
        f"""
        select
            events.event_data:warehouse_id::number(9, 0), events.event_time::date,
            short.event_data:warehouse_id::number(9, 0), short.event_time::date, short.event_data:movement_type::varchar
        from ({EVENTS}) as events
        inner join truth.event_causes as causes
            on events.event_type = causes.event_type and events.event_number = causes.event_number
        inner join raw_data.raw_retail_events as short
            on
                short.event_type = 'supply_chain'
                and short.event_data:movement_id::number(18, 0) = causes.caused_by
        where causes.cause = 'stock_out'
        """
    )

    for warehouse, day, its_warehouse, its_day, kind in rows:
        assert (warehouse, kind) == (its_warehouse, "stock_out")
        assert abs((day - its_day).days) <= 1


def test_a_customers_true_worth_is_known_from_the_sign_up_on(history):
    wrong, found = history.rows(
        """
        select
            count_if(
                purchase_rate is null or order_value <= 0 or order_margin >= order_value or lifetime_value < 0
                or churn_known_at <> dateadd('day', 90, dropout_at)
                or lifetime_value > 1 + order_margin * purchase_rate * 15
            ),
            count(*)
        from truth.customers
        """
    )[0]

    assert wrong == 0
    assert found > 100


def test_what_is_truly_to_be_expected_is_nothing_of_those_who_have_gone_and_something_of_the_others(history):
    history.to_gold()
    found = history.rows(
        """
        select
            latent.dropout_at < sysdate(),
            count(*),
            min(expected.true_churn_probability), max(expected.true_churn_probability),
            min(expected.true_lifetime_value), max(expected.true_lifetime_value)
        from truth.customer_expectations as expected
        inner join truth.customers as latent
            on expected.customer_id = latent.customer_id
        where (latent.dropout_at < dateadd('day', -1, sysdate()) or latent.dropout_at > dateadd('day', 7, sysdate()))
            and latent.purchase_rate > 0.1 -- of a smaller one nothing may be left in cents
        group by 1
        order by 1
        """
    )

    (_, staying, _, staying_most, staying_least_value, _), (_, gone, *of_the_gone) = found
    assert (staying_most < 1, staying_least_value > 0, of_the_gone) == (True, True, [1, 1, 0, 0])
    assert min(staying, gone) > 100


def test_nobody_reads_the_truth_by_accident(history, app):
    """APP_ADMIN, who may do all the rest, included."""
    granted = {
        (row["grantee_name"].split(".")[-1].lower(), row["privilege"])
        for kind, name in [
            *(("table", name) for name in ("customers", "orders", "first_orders", "event_causes")),
            ("view", "customer_expectations"),
        ]
        for row in _rows_by_name(app, f"show grants on {kind} truth.{name}")
        if row["privilege"] != "OWNERSHIP"
    }

    assert granted == {("app_truth", "SELECT")}


def _rows_by_name(app, statement: str) -> list[dict]:
    app.cursor.execute(statement)
    names = [column.name.lower() for column in app.cursor.description]
    return [dict(zip(names, row, strict=True)) for row in app.cursor.fetchall()]
