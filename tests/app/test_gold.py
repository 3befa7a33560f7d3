"""A business of three customers in spring 2019, told out of order, and what gold makes of it; and that gold adds up whatever is in it.

10 March   Ann buys two vases, a lamp and a mirror      20 March   Bob buys a vase, which has become dearer
11 March   they leave warehouse 77                       2 April    Ann's first vase comes back
12 March   vases run out there, for two days             3 April    Bob's vase comes back, broken
                                                         2 May      Ann buys another vase, at the old price
"""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from itertools import count

import pytest

pytestmark = pytest.mark.end_to_end

# Beyond those of the generator and of other tests.
EVENT_IDS = count(9_200_000_000_000_000)
ANN, BOB, CID = 8_200_000_000_001, 8_200_000_000_002, 8_200_000_000_003
FIRST, SECOND, THIRD = 8_200_000_000_011, 8_200_000_000_012, 8_200_000_000_013
VASE, LAMP, MIRROR = 8_200_000_000_021, 8_200_000_000_022, 8_200_000_000_023
WAREHOUSE = 77
MARCH, APRIL = date(2019, 3, 1), date(2019, 4, 1)


def at(month: int, day: int, hour: int = 12, year: int = 2019) -> str:
    return f"{year}-{month:02}-{day:02} {hour:02}:00:00.000"


def event(event_type: str, happened: str, **data: object) -> dict:
    return {"event_id": next(EVENT_IDS), "event_type": event_type, "event_time": happened, "event_data": data}


def profile(customer: int, when: str) -> dict:
    return event("customer_profile", when, customer_id=customer, customer_segment="premium", signed_up_at=when)


def line(
    number: int, product: int, category: str, quantity: int, price: float, cost: float, discount: float = 0
) -> dict:
    return {
        "line_number": number, "product_id": product, "product_name": f"Thing {product % 100}", "category_name": category,
        "subcategory": "all", "brand": "Juniper", "quantity": quantity, "unit_price": price, "unit_cost": cost,
        "discount_amount": discount, "line_total": quantity * price - discount,
    }  # fmt: skip


def order(number: int, customer: int, when: str, *lines: dict, tax: float = 0, shipping: float = 0) -> dict:
    subtotal = sum(one["quantity"] * one["unit_price"] for one in lines)
    discount = sum(one["discount_amount"] for one in lines)
    return event(
        "purchase", when, order_id=number, customer_id=customer, customer_segment="premium", ordered_at=when, sales_channel="web",
        is_repeat_customer=number == SECOND, currency="USD", subtotal=subtotal, discount_total=discount, tax_total=tax,
        shipping_total=shipping, final_total=round(subtotal - discount + tax + shipping, 2), lines=list(lines),
    )  # fmt: skip


def returned(number: int, customer: int, when: str, refund: float, reason: str) -> dict:
    return event(
        "return", when, return_id=number + 100, order_id=number, line_number=1, customer_id=customer, product_id=VASE,
        category_name="glass", quantity=1, refund_total=refund, reason=reason, returned_at=when,
    )  # fmt: skip


TOUCHES = count(8_200_000_000_031)


def touch(customer: int | None, touch_type: str, when: str, cost: float = 0, campaign: str | None = "jingle") -> dict:
    return event(
        "marketing_touch", when, touch_id=next(TOUCHES), customer_id=customer, channel_name="radio", campaign_name=campaign,
        touch_type=touch_type, cost=cost, occurred_at=when,
    )  # fmt: skip


MOVEMENTS = count(8_200_000_000_051)


def movement(movement_type: str, when: str, **data: object) -> dict:
    return event(
        "supply_chain", when, movement_id=next(MOVEMENTS), movement_type=movement_type, warehouse_id=WAREHOUSE, occurred_at=when, **data
    )  # fmt: skip


def unknown_returns(app) -> list[tuple]:
    return app.rows(
        "select category_name, return_count, returned_items, refund_total, recovered_cost from gold.daily_revenue"
        " where customer_segment = 'unknown' and revenue_date between '2019-01-01' and '2019-12-31'"
    )


@pytest.fixture(scope="module")
def business(app) -> dict[str, list]:
    """The three customers' year, in four batches: what came back first, the first order last; and what was seen on the way."""
    app.land(
        returned(FIRST, ANN, at(4, 2, 10), 10, "changed_mind"),
        touch(ANN, "conversion", at(3, 9), 7),
        touch(BOB, "conversion", at(3, 15)),
        touch(CID, "conversion", at(3, 16)),
        touch(None, "click", at(3, 9), 3),
        touch(ANN, "impression", at(5, 1), campaign=None),
        movement("stock_out", at(3, 12, 6), category_name="glass", quantity=0),
    )
    app.to_gold()
    seen = {"returned before it was bought": unknown_returns(app)}
    app.land(
        order(SECOND, ANN, at(5, 2), line(1, VASE, "glass", 1, 10, 4)),
        profile(ANN, at(3, 9)),
        profile(CID, at(3, 16)),
        movement("pick", at(3, 11, 0), order_id=FIRST, quantity=4),
        movement("delay", at(3, 11, 1), order_id=FIRST, quantity=4, delay_days=2, reason="weather"),
        movement("ship", at(3, 11, 10), order_id=FIRST, quantity=4),
    )
    app.to_gold()
    app.land(
        order(THIRD, BOB, at(3, 20), line(1, VASE, "glass", 1, 12, 5)),
        profile(BOB, at(3, 15)),
        returned(THIRD, BOB, at(4, 3), 12, "defective"),
        movement("restock", at(3, 14, 6), category_name="glass", quantity=50),
    )
    app.to_gold()
    first = order(
        FIRST, ANN, at(3, 10), line(1, VASE, "glass", 2, 10, 4), line(2, LAMP, "brass", 1, 30, 20, 10),
        line(3, MIRROR, "glass", 1, 20, 5), tax=1, shipping=0.05,
    )  # fmt: skip
    app.land(first, first, movement("deliver", at(3, 12, 16), order_id=FIRST, quantity=4))
    app.to_gold()
    seen["returned, and bought by now"] = unknown_returns(app)
    return seen


def money(*amounts: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, amounts))


def test_tax_and_shipping_are_spread_over_categories_to_the_cent(app, business):
    assert app.rows(
        "select category_name, orders, first_orders, line_count, items, gross_revenue, discount_total, net_revenue, tax_total, shipping_total,"
        " cost_total, margin from gold.daily_revenue where revenue_date = '2019-03-10' order by 1"
    ) == [
        ("brass", 0, 0, 1, 1, *money("30", "10", "20", "0.34", "0.01", "20", "0")),
        ("glass", 1, 1, 2, 3, *money("40", "0", "40", "0.66", "0.04", "13", "27")),
    ]


def test_what_comes_back_before_its_order_is_known_moves_to_its_place(app, business):
    assert business["returned before it was bought"] == [("glass", 1, 1, *money("10", "0"))]
    assert business["returned, and bought by now"] == []
    assert app.rows(
        "select revenue_date, customer_segment, sales_channel, return_count, refund_total, recovered_cost from gold.daily_revenue"
        " where revenue_date in ('2019-04-02', '2019-04-03') order by 1"
    ) == [
        (date(2019, 4, 2), "premium", "web", 1, *money("10", "4")),
        (date(2019, 4, 3), "premium", "web", 1, *money("12", "0")),
    ]


def test_profit_and_loss_takes_off_discount_returns_cost_and_its_share_of_marketing(app, business):
    assert app.rows(
        "select revenue_month, category_name, net_revenue, refund_total, cost_total, recovered_cost, gross_profit, gross_margin_rate,"
        " shipping_total, marketing_spend, contribution from gold.monthly_profit_and_loss"
        " where revenue_month in ('2019-03-01', '2019-04-01') order by 1, 2"
    ) == [
        (MARCH, "brass", *money("20", "0", "20", "0", "0", "0", "0.01", "2.78", "-2.77")),
        (MARCH, "glass", *money("52", "0", "18", "0", "34", "0.653846", "0.04", "7.22", "26.82")),
        (APRIL, "glass", *money("0", "22", "0", "4", "-18"), None, *money("0", "0", "-18")),
    ]  # fmt: skip


def test_customers_bear_what_they_cost(app, business):
    assert app.rows(
        "select customer_id, orders, gross_revenue, discount_total, net_revenue, refund_total, cost_total, recovered_cost, gross_profit,"
        " shipping_total, acquisition_cost, profit from gold.customer_profitability where customer_id between %s and %s order by 1",
        ANN, CID,
    ) == [
        (ANN, 2, *money("80", "10", "70", "10", "37", "4", "27", "0.05", "3.33", "23.72")),
        (BOB, 1, *money("12", "0", "12", "12", "5", "0", "-5", "0", "3.34", "-8.34")),
        (CID, 0, *money("0", "0", "0", "0", "0", "0", "0", "0", "3.33", "-3.33")),
    ]  # fmt: skip


def test_a_campaign_is_measured_by_whom_it_won_and_what_they_bought(app, business):
    assert app.rows(
        "select performance_month, campaign_name, touches, impressions, prospect_clicks, conversions, spend, conversion_rate,"
        " cost_per_acquisition, buyers, net_revenue, margin, return_on_spend from gold.campaign_performance"
        " where channel_name = 'radio' order by 1"
    ) == [
        (MARCH, "jingle", 4, 0, 1, 3, *money("10", "0.75", "3.33"), 2, *money("82", "40", "4")),
        (date(2019, 5, 1), "none", 1, 1, 0, 0, Decimal(0), None, None, 0, *money("0", "0"), None),
    ]


def test_a_customers_timeline_tells_in_order_all_that_happened(app, business):
    story = app.rows(
        "select occurred_at::date, event_kind, detail, amount from gold.customer_timeline where customer_id = %s order by occurred_at, 2", ANN
    )  # fmt: skip

    assert story == [
        (date(2019, 3, 9), "conversion", "radio, jingle", None),
        (date(2019, 3, 9), "sign-up", "through unknown", None),
        (date(2019, 3, 10), "order", f"order {FIRST}, 4 pieces, web", Decimal("61.05")),
        (date(2019, 3, 12), "delivery", f"order {FIRST}, late", None),
        (date(2019, 4, 2), "return", f"of order {FIRST}: changed_mind", Decimal(-10)),
        (date(2019, 5, 1), "impression", "radio", None),
        (date(2019, 5, 2), "order", f"order {SECOND}, 1 pieces, web", Decimal(10)),
    ]


def test_regions_hold_what_was_sold_and_came_back(app, business):
    assert app.rows(
        "select revenue_date, ship_state, region, orders, net_revenue, margin, refund_total from gold.daily_regions"
        " where revenue_date in ('2019-03-10', '2019-04-02') order by 1"
    ) == [
        (date(2019, 3, 10), None, "unknown", 1, *money("60", "27", "0")),
        (date(2019, 4, 2), None, "unknown", 0, *money("0", "0", "10")),
    ]
    sums = "select sum(orders), sum(net_revenue), sum(margin), sum(refund_total) from gold."
    assert app.rows(sums + "daily_regions") == app.rows(
        "select count(*), sum(subtotal - discount_total), sum(margin), (select sum(refund_total) from gold.returned_goods"
        " where order_batch_number is not null) from gold.fct_sales"
    )


@pytest.mark.parametrize("fifth", ["recency", "frequency", "money"])
def test_buyers_are_in_fifths_of_the_same_size_the_best_of_which_is_5(app, business, fifth):
    by = {"recency": "last_order_at", "frequency": "total_orders", "money": "total_spent"}[fifth]
    found = app.rows(
        f"select {fifth}_fifth, count(*), min({by}), max({by}) from gold.customer_rfm group by 1 order by 1"
    )

    sizes = [size for _, size, _, _ in found]
    assert sum(sizes) == app.rows("select count(distinct customer_id) from gold.fct_sales")[0][0]
    assert max(sizes) - min(sizes) <= 1
    assert [number for number, *_ in found] == list(range(1, len(found) + 1))
    assert all(below[3] <= above[2] for below, above in zip(found, found[1:], strict=False))


def test_a_price_holds_until_another_is_seen_in_whatever_order_they_arrive(app, business):
    query = "select unit_price, unit_cost, valid_from, valid_to, is_current, items from gold.product_prices where product_id = %s order by 3"

    changes = [datetime(2019, 3, 10, 12), datetime(2019, 3, 20, 12), datetime(2019, 5, 2, 12)]
    assert app.rows(query, VASE) == [
        (*money("10", "4"), changes[0], changes[1], False, 2),
        (*money("12", "5"), changes[1], changes[2], False, 1),
        (*money("10", "4"), changes[2], None, True, 1),
    ]
    assert app.rows(
        "select product_name, category_name, current_price, current_cost, first_sold_at, last_sold_at, last_order_id, line_count, items,"
        " net_revenue, margin, returned_items, refund_total from gold.dim_products where product_id = %s",
        VASE,
    ) == [("Thing 21", "glass", *money("10", "4"), changes[0], changes[2], SECOND, 3, 4, *money("42", "25"), 2, Decimal(22))]  # fmt: skip


def test_stock_has_a_row_for_each_day_and_is_out_until_it_comes(app, business):
    assert app.rows(
        "select stock_date, category_name, picked, restocked, balance, is_out_of_stock from gold.daily_stock"
        " where warehouse_id = %s and stock_date <= '2019-03-14' order by 2, 1",
        WAREHOUSE,
    ) == [
        *((date(2019, 3, day), "brass", int(day == 11), 0, -1, False) for day in (11, 12, 13, 14)),
        (date(2019, 3, 11), "glass", 3, 0, -3, False),
        (date(2019, 3, 12), "glass", 0, 0, -3, True),
        (date(2019, 3, 13), "glass", 0, 0, -3, True),
        (date(2019, 3, 14), "glass", 0, 50, 47, False),
    ]
    assert app.rows("select * from gold.daily_fulfilment where warehouse_id = %s", WAREHOUSE) == [
        (date(2019, 3, 11), WAREHOUSE, 1, 4, 1, 1, 1, 0, Decimal(2), Decimal(10), Decimal(40))
    ]


def test_a_cohort_has_a_row_for_each_month_though_nobody_bought(app, business):
    assert app.rows(
        "select months_since, customers, active_customers, orders, net_revenue, margin from gold.customer_cohorts"
        " where cohort_month = '2019-03-01' and customer_segment = 'premium' and months_since <= 2 order by 1"
    ) == [(0, 2, 2, 2, *money("72", "34")), (1, 2, 0, 0, *money("0", "0")), (2, 2, 1, 1, *money("10", "6"))]


def features(app, as_of: str, *columns: str) -> list[tuple]:
    chosen = ", ".join(columns) or "*"
    return app.rows(
        f"select {chosen} from table(core.customer_features(%s::timestamp_ntz)) as features order by features.customer_id",
        as_of,
    )


def test_features_are_what_was_known_then(app, business):
    columns = (
        "customer_id", "customer_segment", "tenure_days", "orders", "items", "net_revenue", "margin", "avg_order_value",
        "discount_share", "days_since_last_order", "mean_gap_days", "orders_30_days", "categories", "top_category", "return_count",
        "refund_total", "impressions_90_days",
    )  # fmt: skip
    ann, bob, cid = (row for row in features(app, at(4, 2), *columns) if row[0] in (ANN, BOB, CID))

    assert ann == (
        ANN, "premium", 24, 1, 4, *money("60", "27", "61.05", "0.142857"), 23, None, 1, 2, "glass", 1, Decimal(10), 0,
    )  # fmt: skip
    assert bob[:5] == (BOB, "premium", 18, 1, 1)
    assert cid[:5] == (CID, "premium", 17, 0, 0)
    assert [row[0] for row in features(app, at(3, 10, 13), "customer_id") if row[0] in (ANN, BOB, CID)] == [ANN]
    ((orders, gap),) = app.rows(
        "select orders, mean_gap_days from table(core.customer_features('2019-06-01'::timestamp_ntz)) where customer_id = %s",
        ANN,
    )
    assert (orders, gap) == (2, Decimal(53))


def test_features_know_nothing_of_what_happens_at_that_instant_or_later(app, business):
    early, late = 8_200_000_000_004, 8_200_000_000_005
    app.land(
        profile(early, at(1, 5, year=2018)),
        order(8_200_000_000_014, early, at(1, 6, year=2018), line(1, LAMP, "brass", 1, 30, 20)),
        touch(early, "impression", at(1, 7, year=2018)),
    )
    app.to_gold()
    before = features(app, at(2, 1, year=2018))

    app.land(
        profile(late, at(2, 1, year=2018)),
        order(8_200_000_000_015, early, at(2, 1, year=2018), line(1, VASE, "glass", 3, 10, 4)),
        returned(8_200_000_000_014, early, at(2, 2, year=2018), 30, "changed_mind"),
        touch(early, "click", at(2, 1, year=2018)),
    )
    app.to_gold()

    assert [row[0] for row in before if row[0] in (early, late)] == [early]
    assert features(app, at(2, 1, year=2018)) == before
    assert features(app, at(3, 1, year=2018)) != before


def test_the_calendar_knows_every_day_once_and_the_days_that_shops_feel(app):
    assert app.rows(
        "select count(*), count(distinct calendar_date), min(calendar_date), max(calendar_date) from gold.dim_dates"
    ) == [(18263, 18263, date(2000, 1, 1), date(2049, 12, 31))]
    for day, year, month, week, weekday in app.rows(
        "select calendar_date, year, month, iso_week, day_of_week from gold.dim_dates"
    ):
        assert (year, month) == (day.year, day.month)
        assert (week, weekday) == day.isocalendar()[1:]
    holidays = dict(
        app.rows(
            "select holiday_name, calendar_date from gold.dim_dates where year = 2024 and holiday_name is not null"
        )
    )
    assert [holidays[name] for name in ("Memorial Day", "Labor Day", "Thanksgiving", "Black Friday", "Cyber Monday")] == [
        date(2024, 5, 27), date(2024, 9, 2), date(2024, 11, 28), date(2024, 11, 29), date(2024, 12, 2),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def grown(app, business) -> None:
    """A month of the generator's own beside the three customers, and half a day more."""
    for call in ("call generate_retail_data(60, 250, 400, 200)", "call generate_retail_data(5, 20, 400, 200)"):
        app.rows(call)


KEYS = [  # a fact, its key, the rows the generator made, and where the key must stand
    ("fct_sales", "customer_id", "gold.dim_customers", "customer_id"),
    ("fct_sales", "order_date", "gold.dim_dates", "calendar_date"),
    ("fct_sales", "customer_segment", "reference_data.customer_segments", "segment_name"),
    ("fct_sale_lines", "order_id", "gold.fct_sales", "order_id"),
    ("fct_sale_lines", "product_id", "gold.dim_products", "product_id"),
    ("fct_sale_lines", "customer_id", "gold.dim_customers", "customer_id"),
    ("fct_sale_lines", "category_name", "reference_data.product_categories", "category_name"),
    ("fct_returns", "order_id", "gold.fct_sales", "order_id"),
    ("fct_returns", "product_id", "gold.dim_products", "product_id"),
    ("fct_returns", "customer_id", "gold.dim_customers", "customer_id"),
    ("fct_marketing_touches", "customer_id", "gold.dim_customers", "customer_id"),
    ("fct_marketing_touches", "channel_name", "reference_data.marketing_channels", "channel_name"),
    ("fct_marketing_touches", "campaign_name", "reference_data.marketing_campaigns", "campaign_name"),
    ("fct_shipments", "order_id", "gold.fct_sales", "order_id"),
    ("fct_shipments", "warehouse_id", "reference_data.warehouses", "warehouse_id"),
    ("fct_stock_movements", "warehouse_id", "reference_data.warehouses", "warehouse_id"),
    ("fct_stock_movements", "category_name", "reference_data.product_categories", "category_name"),
]
FIRST_OF_TESTS = {
    "event_id": 9_000_000_000_000_000,
    "order_id": 8_000_000_000_000,
}  # what tests land has keys from here on


def once_known(app, dimension: str, column: str) -> set[tuple]:
    """What a reference table held in any run: the facts of a run keep its names when the table has others since."""
    schema, table = dimension.split(".")
    if schema != "reference_data":
        return set()
    kept = app.told_by_the_app(
        f"select distinct kept.value:{column} from reference_data.data_generation_audit as runs,"
        f" lateral flatten(input => runs.configuration_snapshot:tables.{table}) as kept"
    )
    return {(json.loads(value),) for (value,) in kept}


@pytest.mark.parametrize(("fact", "key", "dimension", "column"), KEYS, ids=lambda word: word)
def test_every_key_of_what_the_generator_makes_resolves(app, grown, fact, key, dimension, column):
    number = "order_id" if fact in ("fct_sale_lines", "fct_shipments") else "event_id"

    found = app.rows(
        f"select distinct {key} from gold.{fact} where {number} < {FIRST_OF_TESTS[number]} and {key} is not null order by 1"
    )
    known = set(app.rows(f"select {column} from {dimension}")) | once_known(app, dimension, column)
    assert found or fact in ("fct_stock_movements", "fct_returns"), (
        "where earlier tests moved the timeline, a short time without any is left"
    )
    assert [one for one in found if one not in known] == []


REVENUE = "sum(gross_revenue), sum(discount_total), sum(net_revenue), sum(cost_total), sum(margin)"
OF_LINES = "sum(quantity * unit_price), sum(discount_amount), sum(line_total), sum(quantity * unit_cost), sum(margin)"
SUMS = {
    "orders, tax and shipping by day, segment and channel": (
        "select revenue_date, customer_segment, sales_channel, sum(orders), sum(first_orders), sum(net_revenue), sum(tax_total),"
        " sum(shipping_total), sum(margin) from gold.daily_revenue group by 1, 2, 3 having sum(line_count) > 0",
        "select order_date, coalesce(customer_segment, 'unknown'), coalesce(sales_channel, 'unknown'), count(*),"
        " count(iff(not is_repeat_customer, 1, null)), sum(subtotal - discount_total), sum(tax_total), sum(shipping_total), sum(margin)"
        " from gold.fct_sales group by 1, 2, 3",
    ),
    "revenue by day and category": (
        f"select revenue_date, category_name, sum(line_count), sum(items), {REVENUE} from gold.daily_revenue group by 1, 2"
        " having sum(line_count) > 0",
        f"select order_date, coalesce(category_name, 'unknown'), count(*), sum(quantity), {OF_LINES} from gold.fct_sale_lines group by 1, 2",
    ),
    "returns by day and category": (
        "select revenue_date, category_name, sum(return_count), sum(returned_items), sum(refund_total) from gold.daily_revenue group by 1, 2"
        " having sum(return_count) > 0",
        "select return_date, coalesce(category_name, 'unknown'), count(*), sum(quantity), sum(refund_total) from gold.fct_returns group by 1, 2",
    ),
    "returns by segment and channel of their order, and what can be sold again": (
        "select customer_segment, sales_channel, sum(return_count), sum(refund_total), sum(recovered_cost) from gold.daily_revenue"
        " group by 1, 2 having sum(return_count) > 0",
        "select coalesce(sales.customer_segment, 'unknown'), coalesce(sales.sales_channel, 'unknown'), count(*), sum(returns.refund_total),"
        " sum(iff(returns.reason = 'defective' or lines.order_id is null, 0, returns.quantity * lines.unit_cost))"
        " from gold.fct_returns as returns left join gold.fct_sales as sales on returns.order_id = sales.order_id"
        " left join gold.fct_sale_lines as lines on returns.order_id = lines.order_id and returns.line_number = lines.line_number group by 1, 2",
    ),
    "products": (
        "select product_id, line_count, items, gross_revenue, discount_total, net_revenue, cost_total, margin, first_sold_at, last_sold_at"
        " from gold.dim_products where line_count > 0",
        f"select product_id, count(*), sum(quantity), {OF_LINES}, min(ordered_at), max(ordered_at) from gold.fct_sale_lines group by 1",
    ),
    "returned goods": (
        "select return_date, category_name, customer_segment, sales_channel, count(*), sum(quantity), sum(refund_total), sum(recovered_cost)"
        " from gold.returned_goods group by 1, 2, 3, 4",
        "select revenue_date, category_name, customer_segment, sales_channel, return_count, returned_items, refund_total, recovered_cost"
        " from gold.daily_revenue where return_count > 0",
    ),
    "returns by product": (
        "select product_id, return_count, returned_items, refund_total from gold.dim_products where return_count > 0",
        "select product_id, count(*), sum(quantity), sum(refund_total) from gold.fct_returns where product_id is not null group by 1",
    ),
    "prices by period": (
        "select product_id, sum(line_count), sum(items), sum(items * unit_price), count(iff(is_current, 1, null)) from gold.product_prices"
        " group by 1",
        "select product_id, count(*), sum(quantity), sum(quantity * unit_price), 1 from gold.fct_sale_lines group by 1",
    ),
    "marketing by day, channel and campaign": (
        "select touch_date, channel_name, campaign_name, touches, impressions, customer_clicks + prospect_clicks, conversions, spend"
        " from gold.daily_marketing",
        "select touch_date, channel_name, coalesce(campaign_name, 'none'), count(*), count(iff(touch_type = 'impression', 1, null)),"
        " count(iff(touch_type = 'click', 1, null)), count(iff(touch_type = 'conversion', 1, null)), sum(cost)"
        " from gold.fct_marketing_touches group by 1, 2, 3",
    ),
    "campaigns": (
        "select sum(touches), sum(conversions), sum(spend) from gold.campaign_performance",
        "select count(*), count(iff(touch_type = 'conversion', 1, null)), sum(cost) from gold.fct_marketing_touches",
    ),
    "profit and loss": (
        "select sum(gross_revenue), sum(discount_total), sum(refund_total), sum(cost_total), sum(recovered_cost), sum(shipping_total),"
        " sum(tax_total), sum(contribution + marketing_spend) from gold.monthly_profit_and_loss",
        "select sum(gross_revenue), sum(discount_total), sum(refund_total), sum(cost_total), sum(recovered_cost), sum(shipping_total),"
        " sum(tax_total), sum(margin - refund_total + recovered_cost + shipping_total) from gold.daily_revenue",
    ),
    "marketing in profit and loss, by month": (
        "select revenue_month, sum(marketing_spend) from gold.monthly_profit_and_loss group by 1 having sum(marketing_spend) <> 0",
        "select date_trunc('month', touch_date)::date, round(sum(spend), 2) from gold.daily_marketing group by 1 having sum(spend) <> 0",
    ),
    "profit by customer": (
        "select sum(orders), sum(gross_revenue), sum(discount_total), sum(cost_total), sum(shipping_total), sum(profit + acquisition_cost)"
        " from gold.customer_profitability",
        "select count(*), sum(subtotal), sum(discount_total), sum(cost_total), sum(shipping_total),"
        " sum(margin + shipping_total) - (select sum(refund_total - recovered_cost) from gold.customer_profitability) from gold.fct_sales",
    ),
    "what it cost to win customers": (
        "select sum(acquisition_cost) from gold.customer_profitability",
        "select sum(spend) from (select round(sum(spend), 2) as spend from gold.daily_marketing"
        " group by date_trunc('month', touch_date), channel_name having sum(conversions) > 0)",
    ),
    "cohorts": (
        "select sum(iff(months_since = 0, customers, 0)), sum(iff(months_since = 0, active_customers, 0)), sum(orders), sum(net_revenue),"
        " sum(margin) from gold.customer_cohorts",
        "select count(distinct customer_id), count(distinct customer_id), count(*), sum(subtotal - discount_total), sum(margin)"
        " from gold.fct_sales",
    ),
    "stock": (
        "select sum(picked), sum(restocked), sum(stock_outs), sum(restocks) from gold.daily_stock",
        "select (select sum(lines.quantity) from gold.fct_shipments as shipments inner join gold.fct_sale_lines as lines"
        " on shipments.order_id = lines.order_id where picked_at is not null), sum(iff(movement_type = 'restock', quantity, 0)),"
        " count(iff(movement_type = 'stock_out', 1, null)), count(iff(movement_type = 'restock', 1, null)) from gold.fct_stock_movements",
    ),
    "fulfilment": (
        "select sum(orders), sum(delivered_orders), sum(delayed_orders) from gold.daily_fulfilment",
        "select count(*), count(delivered_at), count(iff(delay_days > 0, 1, null)) from gold.fct_shipments where picked_at is not null",
    ),
}


@pytest.mark.parametrize("measure", SUMS)
def test_every_sum_is_that_of_the_facts(app, grown, measure):
    summed, facts = map(app.rows, SUMS[measure])

    assert facts
    assert sorted(summed) == sorted(facts)


def test_every_line_was_sold_at_the_price_of_its_time(app, grown):
    ((lines, wrong),) = app.rows(
        "select count(*), count(iff(lines.unit_price <> prices.unit_price, 1, null)) from gold.fct_sale_lines as lines"
        " inner join gold.product_prices as prices on lines.product_id = prices.product_id and lines.ordered_at >= prices.valid_from"
        " and (lines.ordered_at < prices.valid_to or prices.valid_to is null)"
    )

    assert (lines,) == app.rows("select count(*) from gold.fct_sale_lines")[0]
    assert wrong == 0


def test_every_table_has_one_row_per_what_it_says(app, grown):
    for table, key in {
        "dim_customers": "customer_id",
        "dim_products": "product_id",
        "daily_revenue": "revenue_date, customer_segment, sales_channel, category_name",
        "daily_marketing": "touch_date, channel_name, campaign_name",
        "fct_stock_movements": "movement_id",
        "product_prices": "product_id, valid_from",
        "returned_goods": "return_id",
        "monthly_profit_and_loss": "revenue_month, category_name",
        "customer_profitability": "customer_id",
        "campaign_performance": "performance_month, channel_name, campaign_name",
        "daily_stock": "warehouse_id, category_name, stock_date",
        "daily_fulfilment": "warehouse_id, pick_date",
        "customer_cohorts": "cohort_month, customer_segment, months_since",
    }.items():
        assert app.rows(f"select {key} from gold.{table} group by {key} having count(*) > 1 limit 3") == [], table


SUMMARIES = ("dim_products", "daily_revenue", "daily_marketing", "fct_stock_movements")


def summaries(app) -> dict[str, list]:
    rows = {}
    for table in SUMMARIES:
        names = app.rows(
            "select listagg(column_name, ', ') from information_schema.columns where table_schema = 'GOLD' and table_name = %s"
            " and column_name not in ('CHANGED_AT', 'LOADED_AT')", table.upper(),
        )[0][0]  # fmt: skip
        rows[table] = sorted(map(repr, app.rows(f"select {names} from gold.{table}")))
    return rows


def test_what_a_version_brings_is_filled_with_what_is_there_already(app, grown):
    before = summaries(app)
    for table in SUMMARIES:
        app.as_the_app(f"delete from gold.{table}")
    app.as_the_app("update pipeline.progress set summed_batch = null")

    app.to_gold()

    assert all(before.values())
    assert summaries(app) == before


def test_summaries_that_another_version_left_wrong_are_made_anew_by_an_initialisation(app, grown):
    before = summaries(app)
    app.as_the_app("update gold.daily_revenue set items = items + 1")
    app.as_the_app("delete from gold.dim_products where mod(product_id, 2) = 0")

    app.as_the_app("call core.initialize_version()")
    app.to_gold()

    assert summaries(app) == before


def test_batches_that_an_older_version_moved_are_summed_up_afterwards(app, grown):
    """Version 1.0.0 sets all rows of pipeline.progress but BRONZE's to the newest batch, and knows no summaries."""
    kept = [table for table in SUMMARIES if not table.startswith("fct_")]
    for table in kept:
        app.as_the_app(f"create table gold.{table}_before as select * from gold.{table}")
    app.land(
        order(8_200_000_000_016, ANN, at(6, 1), line(1, VASE, "glass", 1, 10, 4)),
        touch(ANN, "click", at(6, 2)),
        returned(SECOND, ANN, at(6, 3), 10, "changed_mind"),
    )
    app.to_gold()
    after = summaries(app)
    for table in kept:
        app.as_the_app(f"delete from gold.{table}")
        app.as_the_app(f"insert into gold.{table} select * from gold.{table}_before")
        app.as_the_app(f"drop table gold.{table}_before")
    app.as_the_app("update pipeline.progress set summed_batch = last_batch - 1 where layer = 'GOLD'")
    assert [table for table in kept if summaries(app)[table] == after[table]] == []

    app.to_gold()

    assert summaries(app) == after
