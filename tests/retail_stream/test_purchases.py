"""What orders are, for 60,000 of them, one per customer, spread over a year."""

import json

import numpy as np
import pytest

from retail_stream import configuration, purchases
from retail_stream.places import STATES
from retail_stream.slots import category_months, local_months
from retail_stream.world import SALES_CHANNELS, SHIPPING_METHODS


def shares(codes: np.ndarray, count: int) -> np.ndarray:
    return np.bincount(codes, minlength=count) / len(codes)


def test_an_order_is_the_same_whichever_is_made_beside_it(default, orders, made):
    few = purchases.Orders(**{name: column[100:200] for name, column in vars(orders).items()})
    again = purchases.Shop(default).purchases(few)

    assert again.checksums(few).tolist() == made.checksums(orders)[100:200].tolist()


def test_money_adds_up_to_the_cent(made):
    price = made.catalogue.price[made.lines.product]
    gross = np.add.reduceat(made.lines.quantity * price, made.first_line[:-1])
    discounts = np.add.reduceat(made.lines.discount, made.first_line[:-1])

    assert (made.lines.total == made.lines.quantity * price - made.lines.discount).all()
    assert (made.subtotal == gross).all()
    assert (made.discount_total == discounts).all()
    assert (made.final_total == made.subtotal - made.discount_total + made.tax_total + made.shipping_total).all()
    assert made.final_total.min() > 0


def test_a_segment_spends_what_its_row_says(default, orders, made):
    for code, row in enumerate(default.segments):
        mean = made.final_total[orders.segment == code].mean() / 100

        assert mean == pytest.approx(row["avg_order_value"], rel=0.04)


def test_order_values_spread_as_in_retail(orders, made):
    assert 0.65 < np.log(made.final_total).std() < 0.85


def test_lines_of_an_order_are_numbered_from_one(made):
    counts = np.diff(made.first_line)

    assert counts.min() == 1 and counts.max() <= 6
    assert (made.lines.line_number == np.concatenate([np.arange(1, count + 1) for count in counts])).all()


def test_nothing_contradicts_itself(made):
    def of(purpose: str, codes: np.ndarray) -> np.ndarray:
        return np.array(purchases.CHOICES[purpose], dtype=object)[codes]

    in_store = made.channel == SALES_CHANNELS.index("store")
    pickup = made.shipping == SHIPPING_METHODS.index("pickup")

    assert ((of("device", made.device) == "pos") == in_store).all()
    assert in_store[of("payment", made.payment) == "cash"].all()
    assert pickup[in_store].all()
    assert ((made.warehouse == purchases.NO_WAREHOUSE) == pickup).all()
    assert (made.shipping_total[pickup] == 0).all()
    assert (made.shipping_total[made.shipping == SHIPPING_METHODS.index("overnight")] == 999).all()


def test_tax_follows_the_state(orders, made):
    net = made.subtotal - made.discount_total
    oregon, tennessee = (orders.state == STATES.index(state) for state in ("OR", "TN"))

    assert (made.tax_total[oregon] == 0).all()
    assert made.tax_total[tennessee].sum() / net[tennessee].sum() == pytest.approx(0.096, abs=0.001)
    assert made.tax_total.sum() / net.sum() == pytest.approx(0.076, abs=0.003)


def test_most_orders_are_sent_from_the_own_region(default, orders, made):
    west = purchases.STATE_REGION[orders.state] == 3
    reno = [row["location_name"] for row in default.rows("warehouses")].index("Reno, NV")
    sent = made.warehouse != purchases.NO_WAREHOUSE

    assert (made.warehouse[sent & west] == reno).mean() > 0.5
    assert (made.warehouse[sent & ~west] == reno).mean() < 0.2


def test_discounts_move_the_sensitive(orders, made):
    quarter = np.argsort(orders.price_sensitivity).reshape(4, -1)
    often = [(made.discount_total[rows] > 0).mean() for rows in quarter]

    assert often == sorted(often)
    assert often[3] > 1.4 * often[0]


def test_a_fifth_of_the_products_makes_two_thirds_of_the_lines(made):
    sold = np.sort(np.bincount(made.lines.product, minlength=len(made.catalogue.price)))[::-1]

    assert 0.6 < sold[: len(sold) // 5].sum() / sold.sum() < 0.7


def test_categories_have_their_share_of_every_month(default, orders, made):
    months = local_months(orders.ordered_ms, orders.zone)[made.lines.order]
    category = made.catalogue.category[made.lines.product]
    factors = np.array([row["popularity"] * category_months(row, 0.25) for row in default.categories])
    for month in range(12):
        expected = factors[:, month] / factors[:, month].sum()

        # About 9,000 lines a month: a standard error of half a point at most.
        assert shares(category[months == month], len(expected)) == pytest.approx(expected, abs=0.02)


def test_customers_buy_their_favourite_category_most(orders, made):
    category = made.catalogue.category[made.lines.product]
    liked = category == orders.favourite_category[made.lines.order]
    by_chance = (shares(category, 6) * shares(orders.favourite_category, 6)).sum()

    assert liked.mean() > by_chance + 0.25


def test_customers_keep_to_their_channel(orders, made):
    assert (made.channel == orders.preferred_channel).mean() > 0.6
    assert shares(made.channel, 4) == pytest.approx([0.45, 0.27, 0.23, 0.05], abs=0.02)


def test_products_keep_names_prices_and_costs(default, tables, made):
    tables["customer_segments"].pop()
    again = purchases.Shop(configuration.from_tables(tables)).catalogue

    assert again.json_fields == made.catalogue.json_fields
    assert (again.price == made.catalogue.price).all()
    assert len(set(again.product_id)) == len(again.product_id)


def test_margins_are_those_of_the_category(default, made):
    for code, row in enumerate(default.categories):
        rows = made.catalogue.category == code
        margin = 1 - made.catalogue.cost[rows].sum() / made.catalogue.price[rows].sum()

        assert margin == pytest.approx(row["margin_rate"], abs=1e-3)


def test_a_new_category_does_not_move_the_products_of_the_others(tables, made):
    tables["product_categories"].insert(
        0, {"category_name": "aquariums", "seasonal_peak_months": "[]", "margin_rate": 0.5, "return_rate": 0.1}
    )
    grown = purchases.Shop(configuration.from_tables(tables)).catalogue

    assert set(zip(made.catalogue.product_id, made.catalogue.price, strict=True)) < set(
        zip(grown.product_id, grown.price, strict=True)
    )
    assert grown.json_fields[0].count("aquariums") == 1


def test_lines_as_json_say_what_the_columns_say(made):
    texts = purchases.lines_json(made)
    order = int(np.diff(made.first_line).argmax())
    lines = json.loads(texts[order])
    at = slice(made.first_line[order], made.first_line[order + 1])

    assert [round(line["line_total"] * 100) for line in lines] == made.lines.total[at].tolist()
    assert [line["product_id"] for line in lines] == made.catalogue.product_id[made.lines.product[at]].tolist()
    assert set(lines[0]) == {
        "line_number", "product_id", "product_name", "category_name", "subcategory", "brand", "quantity", "unit_price",
        "unit_cost", "discount_amount", "line_total",
    }  # fmt: skip


def test_customers_of_a_deleted_segment_and_a_deleted_category_still_buy(tables, default, orders):
    tables["customer_segments"] = [row for row in tables["customer_segments"] if row["segment_name"] != "premium"]
    for table in ("product_categories", "product_category_details"):
        tables[table] = [row for row in tables[table] if row["category_name"] != "clothing"]
    later = configuration.from_tables(tables, {"segments": default.segments})
    names = [row["segment_name"] for row in later.segments]
    kept = [row["category_name"] for row in later.categories]
    moved = {
        "segment": np.array([names.index(row["segment_name"]) for row in default.segments])[orders.segment],
        "favourite_category": np.array(
            [kept.index(name) if name in kept else -1 for name in (row["category_name"] for row in default.categories)]
        )[orders.favourite_category],
    }
    made = purchases.Shop(later).purchases(purchases.Orders(**vars(orders) | moved))

    assert made.final_total[moved["segment"] == names.index("premium")].mean() == pytest.approx(15_000, rel=0.05)
