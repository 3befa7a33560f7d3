"""What lies in a basket, whose taste and habit it shows, and that nothing in it contradicts itself."""

import numpy as np
import pytest


def test_most_baskets_are_small(course, promise):
    lines = course.orders["lines"]

    promise("lines of an order, mean", lines.mean(), (1.6, 2.2), len(lines))
    promise("orders of one line, share", (lines == 1).mean(), (0.40, 0.60), len(lines))


def test_a_fifth_of_the_products_makes_two_thirds_of_the_lines(course, promise):
    sold = course.lines["product_id"].value_counts()

    promise(
        "lines of the best-selling 20 % of the products sold, share",
        sold.iloc[: len(sold) // 5].sum() / sold.sum(),
        (0.60, 0.70),
        len(course.lines),
    )


def test_favourite_categories_act(course, promise):
    """A favourite has favourite_category_probability of the lines, and its share of the rest."""
    lines = course.lines.merge(course.customers[["customer_id", "favourite_category"]], on="customer_id")
    likes = course.configuration.parameters["favourite_category_probability"]
    popularity = {row["category_name"]: row["popularity"] for row in course.configuration.categories}
    base = lines["favourite_category"].map(popularity).mean() / sum(popularity.values())
    share = (lines["category_name"] == lines["favourite_category"]).mean()

    promise(
        "lines in the favourite category over what the settings say",
        share / (likes + (1 - likes) * base),
        (0.96, 1.04),
        len(lines),
    )


def test_preferred_channels_act(course, promise):
    orders = course.orders.merge(course.customers[["customer_id", "preferred_channel"]], on="customer_id")
    keeps = course.configuration.parameters["preferred_channel_probability"]
    base = orders["sales_channel"].value_counts(normalize=True)
    expected = (keeps + (1 - keeps) * orders["preferred_channel"].map(base)).mean()
    share = (orders["sales_channel"] == orders["preferred_channel"]).mean()

    promise(
        "orders through the preferred channel over what the settings say", share / expected, (0.96, 1.04), len(orders)
    )


@pytest.mark.parametrize(
    ("what", "happens"),
    [
        ("a till on an order that is not from the store", lambda o: (o["device"] == "pos") != (o["sales_channel"] == "store")),
        ("cash without a store", lambda o: (o["payment_method"] == "cash") & (o["sales_channel"] != "store")),
        ("an app on a desktop", lambda o: (o["sales_channel"] == "app") & ~o["device"].isin(["ios", "android"])),
        ("a telephone that is no telephone order", lambda o: (o["device"] == "phone") != (o["sales_channel"] == "phone")),
        ("something sent from no warehouse, or carried home from one", lambda o: (o["warehouse"] < 0) != (o["shipping_method"] == "pickup")),
        ("a parcel from the till", lambda o: (o["sales_channel"] == "store") & (o["shipping_method"] != "pickup")),
        ("a charge for carrying it home", lambda o: (o["shipping_method"] == "pickup") & (o["shipping_total"] > 0)),
        ("an order that costs nothing", lambda o: o["final_total"] <= 0),
    ],
)  # fmt: skip
def test_no_order_contradicts_itself(course, what, happens):
    assert int(np.sum(happens(course.orders))) == 0, what


def test_nobody_orders_before_signing_up_or_after_leaving(course):
    orders = course.orders.merge(course.customers[["customer_id", "signed_up_ms", "dropout_ms"]], on="customer_id")
    later = orders[~orders["at_once"]]

    assert (orders["ordered_ms"] >= orders["signed_up_ms"]).all()
    assert (later["ordered_ms"] < later["dropout_ms"]).all()
