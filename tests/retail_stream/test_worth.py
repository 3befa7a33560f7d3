"""What truth says of a customer's worth is what the orders come to: 60,000 customers with one order each."""

import numpy as np
import pytest

from retail_stream import configuration, worth
from retail_stream.customers import weights
from retail_stream.places import PLACE_ZONE
from retail_stream.slots import DAY_SLOTS, MILLION, Calendar


@pytest.fixture(scope="module")
def true(default, calendar, people) -> worth.Worth:
    return worth.worth_of(default, calendar, people)


@pytest.fixture(scope="module")
def margins(made) -> np.ndarray:
    """What each order leaves, cents."""
    cost = made.catalogue.cost[made.lines.product] * made.lines.quantity
    return np.add.reduceat(made.lines.total - cost, made.first_line[:-1])


def test_orders_leave_the_margin_that_truth_says(default, people, true, margins):
    # The mean of 9,000 orders or more has a standard error of 1 %.
    assert true.order_margin.sum() == pytest.approx(margins.sum(), rel=0.03)
    for code in range(len(default.segments)):
        rows = people.segment == code
        assert true.order_margin[rows].mean() == pytest.approx(margins[rows].mean(), rel=0.05)


def test_discounts_and_tastes_are_in_the_margin(people, made, true, margins):
    net = made.subtotal - made.discount_total
    for trait in (people.price_sensitivity, people.favourite_category):
        by_trait = np.argsort(trait, kind="stable").reshape(6, -1)
        expected, found = (
            [column[rows].sum() / net[rows].sum() for rows in by_trait] for column in (true.order_margin, margins)
        )

        assert found == pytest.approx(expected, rel=0.06)
        assert max(expected) > 1.1 * min(expected)


def test_the_value_of_a_year_is_the_margin_of_the_orders_that_the_plan_expects(
    default, calendar, people, true, new_year
):
    chosen = np.arange(0, 60_000, 40)
    slots = np.arange(new_year, new_year + 667 * DAY_SLOTS)
    until = np.concatenate((np.zeros((1, 7)), np.cumsum(calendar.slot_masses(slots), axis=0))) / MILLION / DAY_SLOTS
    start = people.signed_up_ms[chosen] // 1_800_000 - new_year + 1
    end = np.minimum(people.dropout_ms[chosen] // 1_800_000 - new_year, start + 365 * DAY_SLOTS)
    zone = PLACE_ZONE[people.place[chosen]]
    days = until[np.maximum(end, start), zone] - until[start, zone]
    orders = weights(default, people)[chosen] / MILLION / 30 * days

    assert true.lifetime_value[chosen].sum() == pytest.approx((orders * true.order_margin[chosen]).sum(), rel=0.005)
    assert np.corrcoef(true.lifetime_value[chosen], orders * true.order_margin[chosen])[0, 1] > 0.9999


def test_who_spends_nothing_more_is_worth_nothing(tables, people):
    for row in tables["customer_segments"]:
        row["purchase_frequency"] = 0
    config = configuration.from_tables(tables)

    assert not worth.worth_of(config, Calendar(config), people).lifetime_value.any()
