"""How many things happen in which slot."""

import numpy as np
import pytest

from retail_stream import configuration, plan
from retail_stream.plan import Request, Window, plan_of, sharded, window_of
from retail_stream.slots import DAY_SLOTS, SLOT_MS, Calendar

NATURAL = Request(None, None, None, None)


def nobody(window: Window) -> np.ndarray:
    return np.zeros((window.count, plan.ZONE_COUNT), dtype=np.int64)


def somebody(window: Window, orders_a_day: float) -> np.ndarray:
    """Living customers, all in one zone, whose rates make so many orders a day."""
    weights = nobody(window)
    weights[:, 0] = int(orders_a_day * 30 * 1_000_000)
    return weights


@pytest.fixture
def month(new_year) -> Window:
    return Window(new_year + 150 * DAY_SLOTS, 30 * DAY_SLOTS)


def counts(window: Window, rows: list[tuple]) -> np.ndarray:
    per_slot = np.zeros(window.count, dtype=int)
    for row in rows:
        per_slot[row[0] - window.first] += row[-1]
    return per_slot


def test_the_first_run_fills_thirty_days_up_to_the_last_border(new_year):
    now = new_year * SLOT_MS + 12 * SLOT_MS + 100

    assert window_of(now, None, NATURAL, 30) == Window(new_year + 12 - 30 * DAY_SLOTS, 30 * DAY_SLOTS)


def test_a_later_run_goes_on_where_the_last_one_ended(new_year):
    assert window_of((new_year + 5) * SLOT_MS + 1, new_year + 2, NATURAL, 30) == Window(new_year + 2, 3)


def test_within_the_half_hour_the_natural_course_waits_and_given_numbers_do_not(new_year):
    now = new_year * SLOT_MS + 60_000

    assert window_of(now, new_year, NATURAL, 30) is None
    assert window_of(now, new_year, Request(1, None, None, None), 30) == Window(new_year, 1, 60_000)


def test_an_open_slot_gets_nothing_that_was_not_asked_for(default, calendar, new_year):
    window = Window(new_year, 1, 60_000)
    made = plan_of(default, calendar, window, Request(None, 4, None, None), somebody(window, 1e6), 1, 1)

    assert (made.customer_count, made.order_count) == (1, 4)


def test_a_clock_that_went_back_is_no_reason_to_generate_the_future(new_year):
    window = window_of(new_year * SLOT_MS + 60_000, new_year + 4, Request(1, 1, 1, 1), 30)

    assert window.end_ms == new_year * SLOT_MS + 60_000


@pytest.mark.parametrize(("sign_ups", "orders"), [(20, 50), (10, 25), (0, 7), (500, 100), (3, 0), (0, 0), (1, 1)])
@pytest.mark.parametrize("living", [0.0, 40.0])
def test_given_numbers_are_exact(default, calendar, month, sign_ups, orders, living):
    made = plan_of(default, calendar, month, Request(sign_ups, orders, 0, 0), somebody(month, living), 1, 1)
    firsts = orders - int(orders * 0.7 + 0.5)

    assert made.order_count == orders == counts(month, made.first_orders + made.further_orders).sum()
    if living or made.first_order_count == firsts:
        assert made.first_order_count == firsts
        assert made.customer_count == max(sign_ups, firsts)
    else:
        assert made.first_order_count == orders  # nobody was there to buy again
        assert made.customer_count == max(sign_ups, orders)
    assert made.customer_count == sign_ups or made.remarks


@pytest.mark.parametrize("probability", ["0", "0.35", "1"])
def test_the_share_of_existing_customers_is_the_parameter(tables, month, probability):
    for row in tables["generation_parameters"]:
        if row["parameter_name"] == "repeat_customer_probability":
            row["parameter_value"] = probability
    config = configuration.from_tables(tables)
    made = plan_of(config, Calendar(config), month, Request(100, 200, 0, 0), somebody(month, 40.0), 1, 1)

    assert abs(made.order_count - made.first_order_count - 200 * float(probability)) <= 1


def test_no_order_precedes_the_first_living_customer(default, calendar, month):
    made = plan_of(default, calendar, month, Request(20, 50, 0, 0), nobody(month), 1, 1)
    first_sign_up = min(row[0] for row in made.sign_ups)

    assert min(row[0] for row in made.further_orders) > first_sign_up
    assert all(row[3] > 0 for row in made.further_orders)


def test_given_numbers_follow_the_calendar(default, calendar, month):
    # One thing in each of 100,000 equal parts of the mass: a slot's share is right to one thing.
    made = plan_of(default, calendar, month, Request(100_000, 0, 0, 0), nobody(month), 1, 1)
    masses = calendar.national_masses(month.slots)

    assert np.abs(counts(month, made.sign_ups) - 100_000 * masses / masses.sum()).max() <= 2.0


def test_the_natural_course_makes_the_daily_mean_and_the_orders_of_the_law(default, calendar, month):
    made = plan_of(default, calendar, month, NATURAL, somebody(month, 400.0), 1, 1)
    business_days = calendar.national_masses(month.slots).sum() / 1e6 / DAY_SLOTS
    zone_days = calendar.slot_masses(month.slots)[:, 0].sum() / 1e6 / DAY_SLOTS
    growth = calendar.growth_factors(month.slots).mean()

    # Poisson: within five standard errors.
    assert made.customer_count == pytest.approx(240 * growth * business_days, abs=5 * 7200**0.5)
    assert made.first_order_count == pytest.approx(0.85 * made.customer_count, abs=5 * (0.13 * 7200) ** 0.5)
    others = made.orders_by_law - 0.85 * made.customer_count
    assert made.order_count - made.first_order_count == pytest.approx(others, abs=5 * others**0.5)
    assert others > 400 * zone_days


def test_slots_of_the_natural_course_are_as_varied_as_poisson(default, calendar, month):
    made = counts(month, plan_of(default, calendar, month, NATURAL, nobody(month), 1, 1).sign_ups)
    means = 5.0 * calendar.national_masses(month.slots) / 1e6 * calendar.growth_factors(month.slots)

    assert ((made - means) ** 2 / means).mean() == pytest.approx(1.0, abs=0.2)


def test_a_backfill_equals_live_runs_over_the_same_slots(default, calendar, new_year):
    # One run over a day against 48 runs: the weight of earlier runs' customers comes from the plan of the whole day.
    whole = Window(new_year, DAY_SLOTS)
    expected = plan_of(default, calendar, whole, NATURAL, somebody(whole, 300.0), 1, 1)
    per_slot = np.bincount(
        [row[0] - new_year for row in expected.sign_ups], [row[-1] for row in expected.sign_ups], DAY_SLOTS
    )
    weights = somebody(whole, 300.0) + plan._weights_of(default, calendar, whole, 1, per_slot.astype(int))
    sign_ups, firsts, further, customer, order = [], [], [], 1, 1
    for index in range(DAY_SLOTS):
        part = plan_of(
            default, calendar, Window(new_year + index, 1), NATURAL, weights[index : index + 1], customer, order
        )
        sign_ups, firsts, further = sign_ups + part.sign_ups, firsts + part.first_orders, further + part.further_orders
        customer, order = part.next_customer, part.next_order

    assert (sign_ups, firsts, further) == (expected.sign_ups, expected.first_orders, expected.further_orders)


def test_numbers_run_on_without_gap_or_overlap(default, calendar, month):
    made = plan_of(default, calendar, month, Request(300, 500, 0, 0), somebody(month, 40.0), 71, 1001)
    orders = sorted((row[-2], row[-1]) for row in made.first_orders + made.further_orders)
    customers = [(row[2], row[3]) for row in made.sign_ups]

    for rows, first, following in ((orders, 1001, made.next_order), (customers, 71, made.next_customer)):
        assert rows[0][0] == first
        assert [begin + count for begin, count in rows] == [begin for begin, _ in rows[1:]] + [following]


def test_who_buys_at_once_signs_up_in_the_same_slot(default, calendar, month):
    made = plan_of(default, calendar, month, Request(300, 500, 0, 0), somebody(month, 40.0), 1, 1)
    signing = {row[0]: (row[2], row[3]) for row in made.sign_ups}

    for slot, _, customer, _, count in made.first_orders:
        assert signing[slot][0] == customer and count <= signing[slot][1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("daily_customer_events", "100"),
        ("buys_at_sign_up_probability", "0.5"),
        ("yearly_growth", "2"),
        ("hour_weights", str([1] * 24)),
    ],
)
def test_the_natural_course_follows_its_parameters(tables, default, calendar, month, name, value):
    next(row for row in tables["generation_parameters"] if row["parameter_name"] == name)["parameter_value"] = value
    changed = configuration.from_tables(tables)
    plans = [plan_of(config, Calendar(config), month, NATURAL, nobody(month), 1, 1) for config in (default, changed)]

    assert plans[0] != plans[1]


def test_growth_is_a_share_of_2026(calendar, new_year):
    years = new_year + np.array([0, 365.25, 3652.5]) * DAY_SLOTS

    assert calendar.growth_factors(years) == pytest.approx([1.0, 1.1, 2.0])


@pytest.mark.parametrize("most", [1, 7, 100, 10_000])
def test_shards_hold_no_more_than_they_may_and_lose_nothing(most):
    rows = [(5, 100, 30), (6, 130, 1), (7, 131, 64)]
    cut = sharded(rows, most, numbers=(1,))
    of_shard = np.bincount([row[0] for row in cut], [row[-1] for row in cut])

    assert of_shard.max() <= most
    assert [number for _, _, first, count in cut for number in range(first, first + count)] == list(range(100, 195))
    assert [slot for _, slot, _, count in cut for _ in range(count)] == [5] * 30 + [6] + [7] * 64


def test_absurd_numbers_are_told_by_name():
    assert Request(-1, 2, None, 10**9).faults() == [
        "customer_events is -1: it must be NULL or from 0 to 1000000",
        "supply_chain_events is 1000000000: it must be NULL or from 0 to 1000000",
    ]
