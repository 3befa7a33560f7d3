"""The law itself: a library that knows nothing of the generator fits it to what customers did, and finds the settings.

Each segment has 100,000 customers here. That is what it takes: with samples of an exact Pareto/NBD process and 25,000
customers of the occasional segment, beta alone scatters by 17 % from fit to fit (one standard error); with 100,000 by
some 8 %.
"""

import numpy as np
import pytest
from lifetimes import GammaGammaFitter, ParetoNBDFitter

SEGMENTS = ["premium", "regular", "occasional"]


def settings_of(course, segment: str) -> dict:
    row = next(row for row in course.configuration.segments if row["segment_name"] == segment)
    return course.configuration.parameters | row


@pytest.mark.parametrize("segment", SEGMENTS)
def test_a_fit_finds_how_often_customers_buy_and_how_long(crowd, promise, segment):
    """Schmittlein, Morrison and Colombo 1987, in business weeks since the sign-up, of the orders after it. Weeks count by
    their middle, so that equal customers are one row with a weight.
    """
    people = crowd.customers[crowd.customers["customer_segment"] == segment]
    middle = np.floor(people[["last_weeks", "watched_weeks"]]) + 0.5
    rows = middle.assign(orders=people["further_orders"])
    rows.loc[rows["orders"] == 0, "last_weeks"] = 0.0
    rows["last_weeks"] = rows[["last_weeks", "watched_weeks"]].min(axis=1)
    rows = rows.value_counts().reset_index(name="customers")
    fitted = ParetoNBDFitter().fit(
        rows["orders"],
        rows["last_weeks"],
        rows["watched_weeks"],
        weights=rows["customers"],
        initial_params=np.ones(4),  # else the library draws where it begins, without a seed
        tol=1e-8,
        maxiter=4_000,
    )
    found, settings = fitted.params_, settings_of(crowd, segment)

    for name, value, configured in (
        ("rate_shape", found["r"], settings["rate_shape"]),
        ("purchase_frequency", found["r"] / found["alpha"] * 30 / 7, settings["purchase_frequency"]),
        ("dropout_shape", found["s"], settings["dropout_shape"]),
        ("dropout_scale_weeks", found["beta"], settings["dropout_scale_weeks"]),
    ):
        promise(f"Pareto/NBD, fitted over set: {name}, {segment}", value / configured, (0.85, 1.15), len(people))


@pytest.mark.parametrize("segment", SEGMENTS)
def test_a_fit_finds_what_customers_spend(crowd, promise, segment):
    """Fader and Hardie 2005: the scale follows from the mean order and the two shapes."""
    people = crowd.customers[(crowd.customers["customer_segment"] == segment) & (crowd.customers["orders"] > 0)]
    # The optimiser's own tolerance of 1e-7 is finer than the arithmetic of so large a sum.
    fitted = GammaGammaFitter().fit(people["orders"], people["revenue"] / people["orders"] / 100, tol=1e-6)
    found, settings = fitted.params_, settings_of(crowd, segment)
    p, q = settings["order_value_shape"], settings["customer_value_shape"]

    for name, value, configured in (
        ("order_value_shape", found["p"], p),
        ("customer_value_shape", found["q"], q),
        ("scale", found["v"], settings["avg_order_value"] * (q - 1) / p),
    ):
        promise(f"gamma-gamma, fitted over set: {name}, {segment}", value / configured, (0.90, 1.10), len(people))
