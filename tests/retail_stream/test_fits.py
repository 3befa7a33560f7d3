"""The fit of the purchase model on what SQL sums up: what it refuses, and what it makes of little. How good it is: tests/promises."""

import numpy as np
import pytest

from retail_stream import customer_model
from retail_stream.customer_model import Histories, OrderValues, TooLittleData, fit
from retail_stream.slots import Calendar


def simulated(count: int, weeks: float, segment: str = "regular") -> tuple[Histories, OrderValues]:
    """Customers of r 1.2, alpha 8, s 0.8, beta 40, p 5 and q 4 with a mean order of 100 USD, whose margin is 30 %."""
    rng = np.random.default_rng(20260101)
    rate, hazard = rng.gamma(1.2, 1 / 8, count), rng.gamma(0.8, 1 / 40, count)
    life = np.minimum(rng.exponential(1 / hazard), weeks)
    orders = rng.poisson(rate * life)
    last = np.where(orders > 0, life * rng.uniform(size=count) ** (1 / np.maximum(orders, 1)), 0.0)
    history = Histories(np.full(count, segment), np.ones(count), orders.astype(float), last, np.full(count, weeks))
    total = orders + 1.0
    mean = rng.gamma(5 * total, 1 / total) / rng.gamma(4, 1 / 60, count)
    values = OrderValues(history.segment, np.ones(count), total, mean, np.log(mean), total * mean, 0.3 * total * mean)
    return history, values


def test_too_little_is_refused_with_what_there_is_and_what_is_needed():
    history, values = simulated(400, 5.0)

    with pytest.raises(TooLittleData) as refusal:
        fit(history, values)

    said = str(refusal.value)
    assert "400 customers, at least 1000 are needed" in said
    assert "orders after their customer's sign-up, at least 500 are needed" in said
    assert "5 weeks since the first sign-up, at least 12 are needed" in said
    assert "generate_historical_data" in said


def test_nothing_at_all_is_too_little():
    with pytest.raises(TooLittleData, match="0 customers"):
        fit(customer_model.histories([]), customer_model.order_values([]))


def test_a_fit_finds_what_the_customers_were_made_from():
    rows = fit(*simulated(50_000, 60.0))

    assert [row["customer_segment"] for row in rows] == ["regular", "*"]
    for row in rows:
        assert row["rate_shape"] == pytest.approx(1.2, rel=0.1)
        assert row["rate_scale_weeks"] == pytest.approx(8.0, rel=0.1)
        assert row["dropout_shape"] == pytest.approx(0.8, rel=0.25)
        assert row["dropout_scale_weeks"] == pytest.approx(40.0, rel=0.3)
        assert row["value_shape"] == pytest.approx(5.0, rel=0.1)
        assert row["spread_shape"] == pytest.approx(4.0, rel=0.1)
        assert row["mean_order_value"] == pytest.approx(100.0, rel=0.02)
        assert row["margin_share"] == pytest.approx(0.3)


def test_a_segment_of_a_few_customers_is_taken_to_be_like_the_others():
    (history, values), (few, fews) = simulated(20_000, 40.0), simulated(3, 40.0, "rare")
    both = (type(one)(*map(np.concatenate, zip(vars(one).values(), vars(two).values(), strict=True)))
            for one, two in ((history, few), (values, fews)))  # fmt: skip
    rows = {row["customer_segment"]: row for row in fit(*both)}

    means = {name: row["rate_shape"] / row["rate_scale_weeks"] for name, row in rows.items()}
    assert 0.3 < means["rare"] / means["regular"] < 3.0
    assert all(np.isfinite(value) for name, value in rows["rare"].items() if name != "customer_segment")


def test_the_parts_of_the_year_add_up_and_know_black_friday(calendar):
    parts = customer_model.calendar_parts(calendar)

    assert [number for number, _ in parts] == list(range(1, 49))
    assert sum(factor for _, factor in parts) == pytest.approx(48.0, abs=1e-3)
    assert parts[43][1] > 1.2 * parts[42][1], "the last quarter of November"


def test_the_parts_of_the_year_are_the_calendars_months(calendar: Calendar):
    parts = np.array([factor for _, factor in customer_model.calendar_parts(calendar)])

    assert parts.reshape(12, 4).mean(axis=1) == pytest.approx(calendar.month_factors, rel=1e-4)
