"""Runs of which a number of orders is asked for: how many go to customers who were there, and to whom of them."""

import numpy as np
import pytest
from scipy.stats import chi2

from retail_stream import slots
from retail_stream.plan import Request, Window

FIRST = slots.from_datetime(np.datetime64("2026-01-01")) // slots.SLOT_MS
WEEK = 7 * slots.DAY_SLOTS
GROUPS = 20


@pytest.fixture(scope="module")
def business(asked_for, business_of):
    """Twelve weeks with 20,000 sign-ups, by the law."""
    found = business_of(asked_for)
    found.run(Window(FIRST, 12 * WEEK), Request(20_000, None, None, None))
    return found


@pytest.fixture(scope="module")
def asked(business):
    """A week in which 500 sign-ups and 30,000 orders are asked for, and those orders."""
    window = Window(FIRST + 12 * WEEK, WEEK)
    return window, business.run(window, Request(500, 30_000, None, None))


def test_existing_customers_have_the_share_that_is_set(business, asked, promise):
    share = business.configuration.parameters["repeat_customer_probability"]
    _, orders = asked
    people = business.customers.set_index("customer_id").loc[orders["customer_id"]]
    existing = (people["signed_up_slot"] < orders["slot"].to_numpy()) & (
        orders["slot"].to_numpy() < people["dropout_slot"]
    )

    assert len(orders) == 30_000
    assert (existing.to_numpy() == ~orders["at_once"].to_numpy()).all()
    promise(
        "orders of existing customers less repeat_customer_probability of those asked for",
        existing.sum() - share * len(orders), (-1, 1), len(orders),
    )  # fmt: skip


def test_first_orders_bring_the_sign_ups_that_they_need(business, asked):
    window, orders = asked
    signed_up = business.customers[business.customers["signed_up_slot"] >= window.first]

    assert len(signed_up) == orders["at_once"].sum() == 9_000  # 500 were asked for
    assert not orders.loc[orders["at_once"], "customer_id"].duplicated().any()


def test_who_buys_is_in_proportion_to_the_rate(business, asked, promise):
    """Pearson's chi-square over twenty groups of customers of like rate and equal weight, of those who live through the
    whole week.
    """
    window, orders = asked
    people = business.customers
    living = people[(people["signed_up_slot"] < window.first) & (people["dropout_slot"] >= window.first + window.count)]
    living = living.sort_values(["weight", "customer_id"])
    until = living["weight"].cumsum()
    group = np.minimum((until - 1) * GROUPS // until.iloc[-1], GROUPS - 1).to_numpy()
    weights = np.bincount(group, weights=living["weight"])
    of_customer = dict(zip(living["customer_id"], group, strict=True))
    bought = orders.loc[~orders["at_once"], "customer_id"].map(of_customer).dropna()
    counts = np.bincount(bought.astype(int), minlength=GROUPS)
    expected = weights / weights.sum() * counts.sum()
    statistic = ((counts - expected) ** 2 / expected).sum()

    # A fair draw passes 999 times in a thousand; a tenth of the orders drawn without regard to rates would add 570.
    promise(
        "who buys against their rates, chi-square of 20 groups",
        statistic,
        (0, chi2.ppf(0.999, GROUPS - 1)),
        int(counts.sum()),
    )


def test_nobody_buys_twice_as_often_as_the_rate_says(business, asked, promise):
    """The spread within groups: each customer's orders are Poisson around the own mean."""
    window, orders = asked
    people = business.customers
    living = people[(people["signed_up_slot"] < window.first) & (people["dropout_slot"] >= window.first + window.count)]
    counts = orders.loc[~orders["at_once"], "customer_id"].value_counts().reindex(living["customer_id"], fill_value=0)
    expected = living["weight"].to_numpy() / living["weight"].sum() * counts.sum()
    often = expected >= 1
    dispersion = ((counts.to_numpy() - expected) ** 2 / expected)[often].mean()

    # The standard error of the mean of n squared Poisson residuals is at most the root of 3 / n.
    error = np.sqrt(3 / often.sum())
    promise("variance over mean of one customer's orders", dispersion, (1 - 4 * error, 1 + 4 * error), int(often.sum()))
