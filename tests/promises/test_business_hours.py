"""When customers buy: by the hour and weekday of their own clocks, and by the season of what they buy.

The clocks are those of Python's time zone database; the generator has none.
"""

import numpy as np
import pandas
import pytest

from retail_stream.slots import EPOCH
from retail_stream.world import CENSUS_MONTHS

MONTHS = pandas.period_range("2026-04", "2027-03", freq="M")  # the first twelve after the last sign-up


@pytest.fixture(scope="module")
def clocks(course) -> pandas.Series:
    """The local time of each order."""
    utc = pandas.Series(EPOCH.astype("datetime64[ns]") + pandas.to_timedelta(course.orders["ordered_ms"], unit="ms"))
    parts = [
        utc[rows].dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None)
        for zone, rows in course.orders.groupby("time_zone").groups.items()
    ]
    return pandas.concat(parts).sort_index()


def entropy(shares: np.ndarray) -> float:
    return float(-(shares * np.log(shares)).sum())


@pytest.mark.parametrize(("name", "count"), [("weekday", 7), ("hour", 24)])
def test_shares_are_those_of_the_settings(course, clocks, promise, name, count):
    weights = np.array(course.configuration.parameters[f"{name}_weights"], dtype=float)
    expected = weights / weights.sum()
    shares = np.bincount(getattr(clocks.dt, name), minlength=count) / len(clocks)

    promise(
        f"largest difference of a share by {name} to {name}_weights",
        abs(shares - expected).max(),
        (0, 0.015),
        len(clocks),
    )
    if name == "hour":
        off = entropy(shares) - entropy(expected)
        promise("entropy of the hours less that of hour_weights, nats", off, (-0.03, 0.03), len(clocks))


@pytest.fixture(scope="module")
def living(course) -> np.ndarray:
    """The customers' rates per day, over each of the months: what the season acts on."""
    people = course.customers
    weight = people["weight"].to_numpy(dtype=float)

    def until(instant: pandas.Timestamp) -> float:
        at = (instant.to_datetime64() - EPOCH) / np.timedelta64(1, "ms")
        return float(
            (weight * (np.clip(at, people["signed_up_ms"], people["dropout_ms"]) - people["signed_up_ms"])).sum()
        )

    return np.array(
        [(until((month + 1).start_time) - until(month.start_time)) / month.days_in_month for month in MONTHS]
    )


@pytest.mark.parametrize(
    ("category", "kind"),
    [
        ("electronics", "electronics"), ("clothing", "clothing"), ("home_garden", "garden"),
        ("sports_outdoors", "hobby"), ("books_media", "hobby"), ("beauty_health", "beauty"),
    ],
)  # fmt: skip
def test_each_category_has_the_months_that_the_census_bureau_counted(course, clocks, living, promise, category, kind):
    month = clocks.dt.to_period("M").set_axis(course.orders["order_id"])
    lines = course.lines.loc[course.lines["category_name"] == category, "order_id"].map(month).value_counts()
    factors = lines.reindex(MONTHS).to_numpy() / living
    by_month = np.array([factors[MONTHS.month == number][0] for number in range(1, 13)])
    shares, census = (values / values.sum() for values in (by_month, np.array(CENSUS_MONTHS[kind])))
    count = int(lines.reindex(MONTHS).sum())

    promise(
        f"largest difference of a month's share of the year to the census, {category}",
        abs(shares - census).max(),
        (0, 0.03),
        count,
    )
    steepness = (shares.max() / shares.min()) / (census.max() / census.min())
    promise(f"peak over trough against the census, {category}", steepness, (0.85, 1.15), count)
