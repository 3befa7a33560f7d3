"""A fit of the purchase model in the app: what changes, what is kept, and that it can be taken back. How good it is: tests/promises."""

import pytest
import snowflake.connector

OURS = "customer_id >= 900000000000000000"
# Three thousand customers of the last forty weeks; a third have bought again, once or often.
PROFILES = """
insert into gold.customer_profiles (customer_id, event_id, customer_segment, signed_up_at)
select
    900000000000000000 + number, 900000000000000000 + number, iff(mod(number, 4) = 0, 'premium', 'regular'),
    dateadd('hour', -2 * number - 600, sysdate())
from (select row_number() over (order by seq4()) as number from table(generator(rowcount => 3000)))
"""
STATISTICS = """
insert into gold.customer_statistics (
    customer_id, total_orders, total_items, total_spent, total_discount, total_margin, first_order_at, last_order_at, changed_at
)
select
    customer_id, orders, orders, orders * (40 + mod(number, 61)), 0, orders * (12 + mod(number, 7)), signed_up_at,
    dateadd('hour', iff(orders = 1, 0, 100 + mod(number * 7, 400)), signed_up_at), sysdate()
from (
    select
        customer_id,
        signed_up_at,
        customer_id - 900000000000000000 as number,
        case when mod(number, 3) > 0 then 1 when mod(number, 5) > 0 then 2 else 2 + mod(number, 11) end as orders
    from gold.customer_profiles
    where customer_id >= 900000000000000000
)
"""
PARAMETERS = "select * exclude (fitted_at, run_id) from gold.customer_model order by customer_segment"
LAST_RUN = "select status, error_message, moved_counts from audit.pipeline_runs where layer = 'MODEL' order by run_timestamp desc limit 1"


@pytest.fixture
def crowd(app):
    """Customers enough for a fit; the model is as it was when they leave."""
    app.as_the_app(PROFILES)
    app.as_the_app(STATISTICS)
    app.as_the_app("create table gold.model_before as select * from gold.customer_model")
    yield app
    app.as_the_app(f"delete from gold.customer_profiles where {OURS}")
    app.as_the_app(f"delete from gold.customer_statistics where {OURS}")
    app.as_the_app("delete from gold.customer_model")
    app.as_the_app("insert into gold.customer_model select * from gold.model_before")
    app.as_the_app("delete from gold.customer_model_history")
    app.as_the_app("drop table gold.model_before")


def worths(app) -> list[tuple]:
    return app.rows(
        f"select customer_id, churn_probability, lifetime_value from gold.dim_customers where {OURS} order by customer_id limit 20"
    )


def test_a_fit_is_used_from_then_on_and_stands_in_the_audit(crowd):
    before, known = crowd.rows(PARAMETERS), worths(crowd)

    said = crowd.rows("call fit_customer_model()")[0][0]
    after = crowd.rows(PARAMETERS)
    run = crowd.rows("select distinct run_id from gold.customer_model where run_id is not null")

    assert said.startswith("Fitted to ")
    assert after != before
    assert worths(crowd) != known
    assert {row[0] for row in after} >= {"premium", "regular", "*"}
    assert crowd.rows(LAST_RUN)[0][:2] == ("COMPLETED", None)
    assert crowd.rows(
        "select run_id, moved_counts:customers::number >= 3000, array_size(moved_counts:parameters) >= 3"
        " from audit.pipeline_runs where layer = 'MODEL' order by run_timestamp desc limit 1"
    ) == [(run[0][0], True, True)]
    assert len(run) == 1
    kept = "select * exclude (replaced_by, replaced_at, fitted_at, run_id) from gold.customer_model_history order by customer_segment"
    assert crowd.rows(kept) == before


def test_fits_are_taken_back_one_after_the_other(crowd):
    steps = [crowd.rows(PARAMETERS)]
    for share in ("0.5", "0.8"):
        crowd.as_the_app(f"update gold.customer_statistics set total_margin = total_spent * {share} where {OURS}")
        crowd.rows("call fit_customer_model()")
        steps.append(crowd.rows(PARAMETERS))

    for expected in (steps[1], steps[0]):
        crowd.rows("call undo_customer_model_fit()")

        assert crowd.rows(PARAMETERS) == expected
        assert crowd.rows(LAST_RUN)[0][0] == "COMPLETED"
    with pytest.raises(snowflake.connector.errors.ProgrammingError, match="Nothing was changed: .*fit_customer_model"):
        crowd.rows("call undo_customer_model_fit()")

    assert crowd.rows(LAST_RUN)[0][0] == "FAILED"
    assert crowd.rows(PARAMETERS) == steps[0]


def test_a_fit_that_fails_leaves_the_model_and_tells_why(crowd):
    before = crowd.rows(PARAMETERS)
    crowd.rows("update reference_data.customer_segments set weight = -1 where segment_name = 'premium'")
    try:
        with pytest.raises(
            snowflake.connector.errors.ProgrammingError, match="customer_segments, row premium, column weight"
        ):
            crowd.rows("call fit_customer_model()")
    finally:
        crowd.rows("update reference_data.customer_segments set weight = 0.15 where segment_name = 'premium'")
    status, reason, _ = crowd.rows(LAST_RUN)[0]

    assert status == "FAILED"
    assert "customer_segments, row premium" in reason
    assert crowd.rows(PARAMETERS) == before
    assert crowd.rows("select count(*) from gold.customer_model_history") == [(0,)]
