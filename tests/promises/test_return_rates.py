"""How much is brought back, and what most."""

import pandas
import pytest


@pytest.fixture(scope="module")
def lines(course) -> pandas.DataFrame:
    """The order lines, whether each is returned, and through which channel it was ordered."""
    returned = course.returns[["order_id", "line_number"]].assign(returned=True)
    found = course.lines.merge(returned, on=["order_id", "line_number"], how="left", validate="one_to_one")
    channel = course.orders.set_index("order_id")["sales_channel"]
    return found.assign(returned=found["returned"].notna(), sales_channel=found["order_id"].map(channel))


def test_online_a_sixth_comes_back(lines, promise):
    online = lines[lines["sales_channel"].isin(["web", "app"])]

    promise("order lines returned, online, share", online["returned"].mean(), (0.15, 0.20), len(online))


@pytest.mark.parametrize(
    "category", ["clothing", "home_garden", "sports_outdoors", "electronics", "beauty_health", "books_media"]
)
def test_each_category_s_rate_is_what_its_row_says(course, lines, promise, category):
    configured = next(row for row in course.configuration.categories if row["category_name"] == category)["return_rate"]
    rows = lines[lines["category_name"] == category]

    # Four standard errors of the smallest category's rate are 0.004.
    promise(
        f"order lines returned less return_rate, {category}",
        rows["returned"].mean() - configured,
        (-0.01, 0.01),
        len(rows),
    )


def test_clothes_come_back_most_and_books_least(lines):
    rates = lines.groupby("category_name")["returned"].mean()
    order = ["clothing", "home_garden", "electronics", "beauty_health", "books_media"]

    assert list(rates[order].sort_values(ascending=False).index) == order


def test_what_comes_back_was_bought_before_and_is_refunded_no_more_than_paid(course):
    paid = course.lines.set_index(["order_id", "line_number"])
    returns = course.returns.set_index(["order_id", "line_number"])
    bought = paid.loc[returns.index]
    ordered = course.orders.set_index("order_id")["ordered_ms"].loc[returns.index.get_level_values("order_id")]

    assert (returns["quantity"] <= bought["quantity"]).all()
    assert (returns["refund"] <= bought["line_total"]).all()
    assert (returns["due_ms"].to_numpy() > ordered.to_numpy()).all()
