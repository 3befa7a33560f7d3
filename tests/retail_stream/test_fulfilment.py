"""What follows from orders, and stock that runs short."""

import numpy as np
import pytest

from retail_stream import configuration, fulfilment
from retail_stream.fulfilment import DELAY, DELIVER, PICK, SHIP
from retail_stream.keyed_randomness import LINE_STRIDE
from retail_stream.purchases import NO_WAREHOUSE
from retail_stream.slots import DAY_MS, SLOT_MS


@pytest.fixture(scope="module")
def movements(default, orders, made):
    return fulfilment.movements(default, orders, made)


@pytest.fixture(scope="module")
def returns(default, orders, made):
    return fulfilment.returns(default, orders, made)


def instants(movements, step: int) -> dict[int, int]:
    rows = movements["movement_type"] == fulfilment.MOVEMENT_TYPES[step]
    return dict(zip(movements["order_id"][rows].tolist(), movements["due_ms"][rows].tolist(), strict=True))


def with_parameter(tables, name: str, value: str) -> configuration.Configuration:
    next(row for row in tables["generation_parameters"] if row["parameter_name"] == name)["parameter_value"] = value
    return configuration.from_tables(tables)


def test_every_shipped_order_is_picked_then_shipped_then_delivered(orders, made, movements):
    picked, shipped, delivered = (instants(movements, step) for step in (PICK, SHIP, DELIVER))
    sent = set(orders.order_id[made.warehouse != NO_WAREHOUSE].tolist())
    ordered = dict(zip(orders.order_id.tolist(), orders.ordered_ms.tolist(), strict=True))

    assert sent == picked.keys() == shipped.keys() == delivered.keys()
    assert all(ordered[order] < picked[order] < shipped[order] < delivered[order] for order in sent)


def test_a_delayed_order_arrives_later(default, orders, made, movements):
    way = fulfilment.deliveries(default, orders, made)
    delivered, delay, reason = way.delivered, way.delay, way.reason
    days = (delivered - orders.ordered_ms) / DAY_MS
    standard = (made.shipping == 0) & (made.warehouse != NO_WAREHOUSE)

    assert 0.01 < (delay > 0)[standard].mean() < 0.06
    assert days[standard & (delay == 0)].max() < 7.5
    assert days[standard & (delay == 3)].min() >= 6.0
    assert all((reason != None) == (delay > 0))  # noqa: E711
    assert instants(movements, DELAY).keys() == set(orders.order_id[delay > 0].tolist())


def test_categories_come_back_as_often_as_their_rows_say(default, orders, made, returns):
    # About 20,000 lines a category: a standard error of 0.3 points at most.
    names = [row["category_name"] for row in default.categories]
    lines = np.bincount(made.catalogue.category[made.lines.product], minlength=len(names))
    for code, row in enumerate(default.categories):
        share = (returns["category_name"] == names[code]).sum() / lines[code]

        assert share == pytest.approx(row["return_rate"], abs=0.012)


def test_a_return_points_to_its_line_and_comes_after_the_delivery(default, orders, made, returns):
    line_of = {
        (int(orders.order_id[order]), int(number)): index
        for index, (order, number) in enumerate(zip(made.lines.order, made.lines.line_number, strict=True))
    }
    rows = np.array(
        [line_of[key] for key in zip(returns["order_id"].tolist(), returns["line_number"].tolist(), strict=True)]
    )
    delivered = fulfilment.deliveries(default, orders, made).delivered[made.lines.order[rows]]
    days = (returns["due_ms"] - delivered) / DAY_MS

    assert (returns["product_id"] == made.catalogue.product_id[made.lines.product[rows]]).all()
    assert (returns["customer_id"] == orders.customer_id[made.lines.order[rows]]).all()
    assert (returns["quantity"] >= 1).all() and (returns["quantity"] <= made.lines.quantity[rows]).all()
    assert (returns["refund"] <= made.lines.total[rows]).all()
    assert days.min() >= 1.0 and days.max() <= 30.0
    assert len(set(returns["event_number"])) == len(rows)
    assert (returns["event_number"] == returns["order_id"] * LINE_STRIDE + returns["line_number"]).all()


def test_nothing_that_came_in_time_is_returned_for_coming_late(default, orders, made, returns):
    delayed = set(orders.order_id[fulfilment.deliveries(default, orders, made).delay > 0].tolist())
    late = returns["reason"] == "arrived_late"

    assert late.any()
    assert set(returns["order_id"][late].tolist()) <= delayed


def test_numbers_of_movements_are_their_own(default, movements, new_year):
    start = new_year * SLOT_MS
    stock = [row["event_number"] for row in fulfilment.stock_movements(default, start, start + 365 * DAY_MS)]
    numbers = movements["event_number"].tolist() + stock

    assert len(set(numbers)) == len(numbers)


def test_stock_does_not_depend_on_how_time_is_cut(default, new_year):
    start = new_year * SLOT_MS
    whole = fulfilment.stock_movements(default, start, start + 60 * DAY_MS)
    parts = [
        row
        for part in range(20)
        for row in fulfilment.stock_movements(default, start + part * 3 * DAY_MS, start + (part + 1) * 3 * DAY_MS)
    ]

    assert sorted(row["event_number"] for row in parts) == sorted(row["event_number"] for row in whole)
    assert len(whole) > 10


def test_what_runs_out_is_filled_up_again(default, new_year):
    start = new_year * SLOT_MS
    rows = fulfilment.stock_movements(default, start, start + 365 * DAY_MS)
    out = {row["event_number"]: row["due_ms"] for row in rows if row["movement_type"] == "stock_out"}
    back = {row["event_number"] - 2: row["due_ms"] for row in rows if row["movement_type"] == "restock"}
    both = out.keys() & back.keys()

    assert len(both) > 0.95 * len(out)
    assert all(DAY_MS <= back[number] - out[number] <= 4 * DAY_MS for number in both)


def test_a_warehouse_that_is_too_small_is_in_trouble_more_often(tables, default, orders, made):
    for row in tables["warehouses"]:
        row["capacity"] /= 4
    small = configuration.from_tables(tables)

    def delayed(config):
        return (fulfilment.deliveries(config, orders, made).delay > 0).mean()

    assert (fulfilment.pressure(default) == 1.0).all()
    assert fulfilment.pressure(small).min() > 2.0
    assert delayed(small) > 1.3 * delayed(default)


def test_no_delays_and_no_shortages_where_their_probability_is_zero(tables, orders, made, new_year):
    with_parameter(tables, "stock_out_probability", "0")
    calm = with_parameter(tables, "delay_probability", "0")
    start = new_year * SLOT_MS

    assert not fulfilment.deliveries(calm, orders, made).delay.any()
    assert fulfilment.stock_movements(calm, start, start + 365 * DAY_MS) == []
