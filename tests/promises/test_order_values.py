"""What orders are worth: how much of the spread lies between customers, and how much within one."""

import numpy as np
import pandas
import pytest


def spreads(logs: pandas.Series, customer: pandas.Series) -> tuple[float, float]:
    """The standard deviations between and within customers, by the analysis of variance with groups of unequal size."""
    groups = logs.groupby(customer)
    sizes, means = groups.size(), groups.mean()
    count, group_count = len(logs), len(sizes)
    within = ((logs - customer.map(means)) ** 2).sum() / (count - group_count)
    between_mean_square = (sizes * (means - logs.mean()) ** 2).sum() / (group_count - 1)
    size = (count - (sizes**2).sum() / count) / (group_count - 1)
    return float(np.sqrt((between_mean_square - within) / size)), float(np.sqrt(within))


def test_order_values_spread_between_customers_and_within_one(course, promise):
    logs = np.log(course.orders["final_total"])
    between, within = spreads(logs, course.orders["customer_id"])

    promise("spread of the log of order values", logs.std(), (0.65, 0.85), len(logs))
    promise("spread of the log of order values between customers", between, (0.35, 0.55), len(logs))
    promise("spread of the log of order values within a customer", within, (0.50, 0.70), len(logs))


@pytest.mark.parametrize("segment", ["premium", "regular", "occasional"])
def test_a_segment_s_mean_order_is_what_its_row_says(course, promise, segment):
    configured = next(row for row in course.configuration.segments if row["segment_name"] == segment)["avg_order_value"]
    totals = course.orders.loc[course.orders["customer_segment"] == segment, "final_total"] / 100

    # The customers' own level spreads by a third, so a mean over 14,000 of them is good to a percent or so.
    promise(f"mean order over avg_order_value, {segment}", totals.mean() / configured, (0.97, 1.03), len(totals))


def test_orders_add_up_to_the_cent(course):
    orders = course.orders.set_index("order_id")
    lines = course.lines.assign(gross=course.lines["quantity"] * course.lines["unit_price"]).groupby("order_id")

    assert (lines["gross"].sum() == orders["subtotal"].sort_index()).all()
    assert (lines["discount"].sum() == orders["discount_total"].sort_index()).all()
    assert (
        course.lines["line_total"] == course.lines["quantity"] * course.lines["unit_price"] - course.lines["discount"]
    ).all()
    assert (
        orders["final_total"]
        == orders["subtotal"] - orders["discount_total"] + orders["tax_total"] + orders["shipping_total"]
    ).all()


def test_those_who_mind_prices_wait_for_discounts(course, promise):
    orders = course.orders.merge(course.customers[["customer_id", "price_sensitivity"]], on="customer_id")
    third = pandas.qcut(orders["price_sensitivity"], 3, labels=False)
    discounted = (orders["discount_total"] > 0).groupby(third).mean()
    depth = (orders["discount_total"] / orders["subtotal"])[orders["discount_total"] > 0].groupby(third).mean()

    promise(
        "discounted orders of the third most sensitive to prices over those of the least sensitive",
        discounted[2] / discounted[0], (1.3, np.inf), len(orders),
    )  # fmt: skip
    promise(
        "depth of their discounts, likewise",
        depth[2] / depth[0],
        (1.05, np.inf),
        int((orders["discount_total"] > 0).sum()),
    )
