"""How customers come back, what they are worth, and that none of what can be seen of them gives their leaving away."""

import numpy as np
import pandas
import pytest
from scipy.stats import rankdata

from retail_stream.marketing import reminders
from retail_stream.slots import DAY_MS


@pytest.fixture(scope="module")
def buyers(course):
    return course.customers[course.customers["orders"] > 0]


@pytest.fixture(scope="module")
def gaps(course):
    """Days between days on which one customer bought, as they were measured elsewhere: several orders of a day count
    as one.
    """
    days = course.orders["ordered_ms"] // DAY_MS
    found = days.groupby(course.orders["customer_id"]).diff()
    return found[found > 0]


def gini(values: np.ndarray) -> float:
    values = np.sort(values.astype(float))
    count = len(values)
    return float((2 * np.arange(1, count + 1) - count - 1) @ values / (count * values.sum()))


def test_half_of_the_buyers_buy_once(buyers, promise):
    promise("buyers who ordered once, share", (buyers["orders"] == 1).mean(), (0.40, 0.60), len(buyers))


def test_a_third_comes_back_within_a_quarter(course, buyers, promise):
    watched = buyers[course.end_ms - buyers["first_ms"] >= 90 * DAY_MS]
    orders = course.orders
    second = orders[orders.groupby("customer_id").cumcount() == 1].set_index("customer_id")["ordered_ms"]
    again = second.reindex(watched["customer_id"]).to_numpy() - watched["first_ms"].to_numpy()

    promise(
        "second order within 90 days of the first, share", (again <= 90 * DAY_MS).mean(), (0.25, 0.40), len(watched)
    )


def test_few_customers_bring_most_of_the_revenue(buyers, promise):
    revenue = np.sort(buyers["revenue"].to_numpy())[::-1]
    for percent, band in ((20, (0.60, 0.75)), (1, (0.10, 0.20))):
        share = revenue[: len(revenue) * percent // 100].sum() / revenue.sum()
        promise(f"revenue of the best {percent} % of the buyers, share", share, band, len(buyers))
    promise("Gini of the buyers' revenue", gini(revenue), (0.58, 0.70), len(buyers))


def test_those_who_come_back_bring_most_of_the_revenue(buyers, promise):
    again = buyers.loc[buyers["orders"] > 1, "revenue"].sum()

    promise("revenue of those who ordered again, share", again / buyers["revenue"].sum(), (0.80, 0.97), len(buyers))


def test_purchase_days_lie_a_month_apart_and_some_much_farther(gaps, promise):
    promise("days between purchase days, median", gaps.median(), (25, 45), len(gaps))
    promise("days between purchase days, standard deviation over mean", gaps.std() / gaps.mean(), (1.1, 1.6), len(gaps))


@pytest.mark.parametrize("segment", ["premium", "regular", "occasional"])
def test_how_often_a_customer_buys_says_nothing_of_how_much_at_a_time(buyers, promise, segment):
    of_segment = buyers[buyers["customer_segment"] == segment]
    together = np.corrcoef(of_segment["orders"], of_segment["revenue"] / of_segment["orders"])[0, 1]

    promise(f"correlation of frequency and value, {segment}", together, (-0.15, 0.15), len(of_segment))


def seen_of(course, at_ms: int) -> pandas.DataFrame:
    """What can be seen of each customer who has ordered, at an instant: one row per customer, columns of numbers; a
    text counts as the share of its bearers who leave, which is the most it can tell.
    """
    until = course.orders[course.orders["ordered_ms"] < at_ms]
    lines = course.lines[course.lines["order_id"].isin(until["order_id"])]
    returns = course.returns[course.returns["due_ms"] < at_ms]
    touches = pandas.DataFrame(
        reminders(course.configuration, *(until[name].to_numpy() for name in ("order_id", "customer_id", "ordered_ms")))
    )
    touches = touches[touches["due_ms"] < at_ms]
    late_touches = touches[touches["due_ms"] >= at_ms - 30 * DAY_MS].groupby("customer_id")
    grouped, order_lines = until.groupby("customer_id"), lines.groupby("customer_id")
    last = grouped.last()
    seen = pandas.DataFrame(
        {
            "recency": at_ms - last["ordered_ms"],
            "first order": grouped["ordered_ms"].first(),
            "orders": grouped.size(),
            "orders of 90 days": until[until["ordered_ms"] >= at_ms - 90 * DAY_MS].groupby("customer_id").size(),
            "revenue": grouped["final_total"].sum(),
            "mean order value": grouped["final_total"].mean(),
            "last order value": last["final_total"],
            "lines of the last order": last["lines"],
            "discounts": grouped["discount_total"].sum(),
            "shipping": grouped["shipping_total"].mean(),
            "last order number": last.index.map(grouped["order_id"].max()),
            "categories": order_lines["category_name"].nunique(),
            "units": order_lines["quantity"].sum(),
            "returns": returns.groupby("customer_id").size(),
            "refunds": returns.groupby("customer_id")["refund"].sum(),
            "touches": touches.groupby("customer_id").size(),
            "last touch": touches.groupby("customer_id")["due_ms"].max(),
            "touches of 30 days": late_touches.size(),
            "clicks of 30 days": late_touches["touch_type"].agg(lambda types: (types == "click").sum()),
            "last sales channel": last["sales_channel"],
            "last payment": last["payment_method"],
            "last shipping method": last["shipping_method"],
            "last warehouse": last["warehouse"],
        }
    )
    profile = course.customers.set_index("customer_id").loc[seen.index]
    names = (
        "signed_up_ms", "age", "income", "price_sensitivity", "gender", "city", "state", "time_zone", "customer_segment",
        "favourite_category", "preferred_channel", "acquisition_channel", "first_name", "last_name",
    )  # fmt: skip
    seen = seen.assign(customer_number=seen.index, **{name: profile[name] for name in names})
    # The longer a usual gap is over, the likelier a customer has left: the strongest thing that one division shows.
    gap = (last["ordered_ms"] - seen["first order"]) / (seen["orders"] - 1).where(seen["orders"] > 1)
    seen["overdue"] = seen["recency"] / gap
    numbers = seen.select_dtypes("number").columns
    seen[numbers] = seen[numbers].fillna(0)  # no second order, no return, no touch
    return seen


def area_under_curve(score: np.ndarray, label: np.ndarray) -> float:
    """Of one leaving and one staying customer, how often the score tells which; turned so that it is at least a half."""
    ranks, positive = rankdata(score), label.sum()
    area = (ranks[label].sum() - positive * (positive + 1) / 2) / (positive * (len(label) - positive))
    return max(area, 1.0 - area)


def test_nothing_that_can_be_seen_gives_a_leaving_customer_away(course, promise):
    at_ms = course.end_ms - 90 * DAY_MS
    seen = seen_of(course, at_ms)
    stays = set(course.orders.loc[course.orders["ordered_ms"] >= at_ms, "customer_id"])
    leaves = ~seen.index.isin(stays)
    areas = {}
    for name in seen:
        score = seen[name]
        if not pandas.api.types.is_numeric_dtype(score):
            score = pandas.Series(leaves, index=seen.index).groupby(score.astype(str)).transform("mean")
        areas[name] = area_under_curve(score.to_numpy(dtype=float), leaves)
    best = max(areas, key=areas.get)

    promise("largest AUC of a single observable for no order in the next 90 days", areas[best], (0.65, 0.93), len(seen))
