"""Given events, expect rows: raw to bronze to gold."""

from __future__ import annotations

import calendar
import dataclasses
import json
import math
import random
import re
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest
from snowflake.connector.errors import ProgrammingError

pytestmark = pytest.mark.end_to_end

# Beyond what the generator has come to, should it run in this app too.
EVENT_IDS = count(9_000_000_000_000_000)
KEYS = count(8_000_000_000_000)


@dataclasses.dataclass
class Line:
    """An order line that fits; money in USD."""

    line_number: int = 1
    quantity: int = 2
    unit_price: float = 10.5
    unit_cost: float = 4.25
    discount_amount: float = 1

    def data(self) -> dict:
        total = round(self.quantity * self.unit_price - self.discount_amount, 2)
        return dataclasses.asdict(self) | {
            "product_id": 7, "product_name": "Lamp", "category_name": "home", "subcategory": "light", "brand": "Juniper",
            "line_total": total,
        }  # fmt: skip


def at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}"


def event(event_type: str, data: dict, *, happened: datetime = datetime(2026, 1, 1)) -> dict:
    return {"event_id": next(EVENT_IDS), "event_type": event_type, "event_time": at(happened), "event_data": data}


def profile(customer_id: int, *, signed_up: datetime, **changes: object) -> dict:
    data = {
        "customer_id": customer_id, "first_name": "Mary", "last_name": "O'Brien", "email": "mary@example.com", "gender": "female",
        "age": 44, "income": 61000.5, "city": "Reno", "state": "NV", "zip_code": "08901", "time_zone": "America/Los_Angeles",
        "customer_segment": "premium", "price_sensitivity": 0.25, "favourite_category": "home", "preferred_channel": "web",
        "acquisition_channel": "email", "signed_up_at": at(signed_up),
    }  # fmt: skip
    return event("customer_profile", data | changes)


def purchase(customer_id: int, *lines: Line, ordered: datetime, **changes: object) -> dict:
    subtotal = sum(line.quantity * line.unit_price for line in lines)
    discount = sum(line.discount_amount for line in lines)
    data = {
        "order_id": next(KEYS), "customer_id": customer_id, "customer_segment": "premium", "ordered_at": at(ordered),
        "sales_channel": "web", "device": "mobile", "payment_method": "credit_card", "shipping_method": "standard",
        "warehouse_id": 3, "ship_state": "NV", "is_repeat_customer": False, "currency": "USD", "subtotal": subtotal,
        "discount_total": discount, "tax_total": 1.5, "shipping_total": 5, "final_total": round(subtotal - discount + 6.5, 2),
        "lines": [line.data() for line in lines],
    }  # fmt: skip
    return event("purchase", data | changes)


def test_an_order_reaches_gold_with_its_lines_and_its_margin(app):
    customer = next(KEYS)
    order = purchase(
        customer,
        Line(),
        Line(line_number=2, quantity=1, unit_price=99.99, unit_cost=50, discount_amount=0),
        ordered=app.now(),
    )

    app.land(order)
    app.to_gold()

    (sale,) = app.rows(
        "select order_id, customer_segment, warehouse_id, line_count, item_count, subtotal, discount_total, final_total, cost_total, margin"
        " from gold.fct_sales where customer_id = %s",
        customer,
    )
    assert sale == (
        order["event_data"]["order_id"], "premium", 3, 2, 3, Decimal("120.99"), Decimal("1.00"), Decimal("126.49"),
        Decimal("58.50"), Decimal("61.49"),
    )  # fmt: skip
    lines = app.rows(
        "select line_number, line_total, margin from gold.fct_sale_lines where customer_id = %s order by 1", customer
    )
    assert lines == [(1, Decimal("20.00"), Decimal("11.50")), (2, Decimal("99.99"), Decimal("49.99"))]


def test_what_a_customer_told_and_did_stands_in_one_row(app):
    customer, moment = next(KEYS), app.now()

    app.land(
        profile(customer, signed_up=moment - timedelta(days=40)),
        purchase(customer, Line(), ordered=moment - timedelta(days=30)),
        purchase(customer, Line(quantity=4), ordered=moment - timedelta(days=10)),
    )
    app.to_gold()

    (row,) = app.rows(
        "select last_name, zip_code, customer_segment, total_orders, total_items, total_spent, avg_order_value,"
        " tenure_days, days_since_last_order, sysdate()::date from gold.dim_customers where customer_id = %s",
        customer,
    )
    days = (row[-1] - moment.date()).days  # 1 where midnight has passed since
    assert row[:-1] == ("O'Brien", "08901", "premium", 2, 6, Decimal("74.00"), Decimal("37.00"), 40 + days, 10 + days)


def test_an_order_that_arrives_late_moves_the_first_order_back(app):
    customer, moment = next(KEYS), app.now().replace(microsecond=0)

    app.land(purchase(customer, Line(), ordered=moment - timedelta(days=3)))
    app.to_gold()
    app.land(purchase(customer, Line(), ordered=moment - timedelta(days=9)))
    app.to_gold()

    found = app.rows(
        "select first_order_at, last_order_at, total_orders from gold.dim_customers where customer_id = %s", customer
    )
    assert found == [(moment - timedelta(days=9), moment - timedelta(days=3), 2)]


def test_the_newest_profile_wins_in_whatever_order_they_arrive(app):
    customer, moment = next(KEYS), app.now()
    older = profile(customer, signed_up=moment, city="Reno")
    newer = profile(customer, signed_up=moment, city="Elko")

    app.land(newer)
    app.to_gold()
    app.land(older)
    app.to_gold()

    assert app.rows("select city, total_orders from gold.dim_customers where customer_id = %s", customer) == [
        ("Elko", 0)
    ]


def test_an_event_that_arrives_twice_counts_once(app):
    customer = next(KEYS)
    order = purchase(customer, Line(), ordered=app.now())

    app.land(order, order)
    app.to_gold()
    app.land(order)
    app.to_gold()

    assert app.rows("select count(*) from bronze.stg_purchases where customer_id = %s", customer) == [(1,)]
    assert app.rows(
        "select count(*) from bronze.stg_purchase_lines where order_id = %s", order["event_data"]["order_id"]
    ) == [(1,)]
    assert app.rows("select total_orders from gold.dim_customers where customer_id = %s", customer) == [(1,)]
    assert app.rows("select count(*) from bronze.quarantined_events where event_id = %s", order["event_id"]) == [(0,)]


def test_an_order_that_two_events_tell_counts_once(app):
    customer = next(KEYS)
    first, second = (purchase(customer, Line(), ordered=app.now(), order_id=10**9 + customer) for _ in range(2))

    app.land(first)
    app.to_gold()
    app.land(second)
    app.to_gold()

    assert app.rows("select count(*), sum(final_total) from gold.fct_sales where customer_id = %s", customer) == [
        (1, Decimal("26.50"))
    ]
    assert app.rows("select count(*) from gold.fct_sale_lines where customer_id = %s", customer) == [(1,)]
    assert app.rows("select total_orders from gold.dim_customers where customer_id = %s", customer) == [(1,)]


BAD = {
    "a key is missing": (lambda now: event("customer_profile", {"first_name": "Nobody"}), "customer_id signed_up_at"),
    "a key is not of its type": (lambda now: profile("eleven", signed_up=now), "customer_id"),
    "a number is too large": (lambda now: profile(10**25, signed_up=now), "customer_id"),
    "a time is no time": (lambda now: purchase(1, Line(), ordered=now, ordered_at="yesterday"), "ordered_at"),
    "the kind is unknown": (lambda now: event("parade", {"x": 1}), "unknown event_type"),
    "it is from the future": (lambda now: event("parade", {}, happened=now + timedelta(days=2)), "from the future"),
    "an order has no lines": (lambda now: purchase(1, ordered=now), "lines"),
    "the lines are no list": (lambda now: purchase(1, Line(), ordered=now, lines="two lamps"), "lines"),
    "a line is incomplete": (lambda now: purchase(1, Line(), ordered=now, lines=[Line().data(), {"line_number": 2}]), "a line is"),
    "a line stands twice": (lambda now: purchase(1, Line(), Line(), ordered=now), "a line is"),
    "totals do not add up": (lambda now: purchase(1, Line(), ordered=now, final_total=1), "do not add up"),
    "a cost is beyond all bounds": (lambda now: purchase(1, Line(unit_cost=9_999_999_999), ordered=now), "impossible"),
    "a refund is negative": (
        lambda now: event("return", {"return_id": 1, "order_id": 1, "line_number": 1, "customer_id": 1, "quantity": 1,
                                 "refund_total": -1, "returned_at": at(now)}),
        "refund_total",
    ),
    "a touch has no channel": (
        lambda now: event("marketing_touch", {"touch_id": 1, "touch_type": "click", "cost": 0.1, "occurred_at": at(now)}),
        "channel_name",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def bad_batch(app) -> tuple[dict[str, dict], int]:
    """A batch of one event with each fault, and among them the profile of one customer."""
    bad, customer = {fault: make(app.now()) for fault, (make, _) in BAD.items()}, next(KEYS)
    app.land(*bad.values(), profile(customer, signed_up=app.now()))
    app.to_gold()
    return bad, customer


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_event_is_put_aside_whole_with_the_reason(app, bad_batch, fault):
    event = bad_batch[0][fault]

    ((reason, original),) = app.rows(
        "select reason, event_data from bronze.quarantined_events where event_id = %s", event["event_id"]
    )
    assert BAD[fault][1] in reason
    assert json.loads(original) == event["event_data"]
    assert app.rows("select count(*) from bronze.stg_purchase_lines where event_id = %s", event["event_id"]) == [(0,)]


def test_bad_events_hold_up_no_good_one(app, bad_batch):
    assert app.rows("select count(*) from gold.dim_customers where customer_id = %s", bad_batch[1]) == [(1,)]


def held(app, *events: dict) -> dict[int, str]:
    """The reasons of those of the events that are in quarantine."""
    rows = dict(app.rows("select event_id, reason from bronze.quarantined_events where released_at is null"))
    return {index: rows[e["event_id"]] for index, e in enumerate(events) if e["event_id"] in rows}


def test_released_events_that_fit_now_reach_gold_once_and_the_others_stay_with_the_reason_of_today(app):
    customer, moment = next(KEYS), app.now()
    good, still_bad = (
        purchase(customer, Line(), ordered=moment),
        purchase(customer, Line(), ordered=moment, final_total=1),
    )
    for late in (good, still_bad):
        late["event_time"] = at(moment + timedelta(days=1))
    app.land(good, still_bad)
    app.to_gold()
    assert set(held(app, good, still_bad)) == {0, 1}
    # a day passes, without a clock that can be moved
    app.as_the_app(
        f"update bronze.quarantined_events set event_time = '{at(moment)}'"
        f" where event_id in ({good['event_id']}, {still_bad['event_id']})"
    )

    ((told,),) = app.rows("call release_quarantined_events()")
    app.rows("call release_quarantined_events()")

    assert re.search(r"Of \d+ released from quarantine 1 fit now, \d+ stay", told)
    assert list(held(app, good, still_bad)) == [1]
    assert "do not add up" in held(app, still_bad)[0]
    assert app.rows("select order_id from gold.fct_sales where customer_id = %s", customer) == [
        (good["event_data"]["order_id"],)
    ]


def test_an_event_can_be_corrected_and_the_original_stays(app):
    customer = next(KEYS)
    bad = purchase(customer, Line(), ordered=app.now(), final_total=1)
    app.land(bad)
    app.to_gold()

    call = "call release_quarantined_events(%s, parse_json(%s))"
    app.rows(call, bad["event_id"], json.dumps(bad["event_data"] | {"final_total": 2}))
    assert held(app, bad)
    app.rows(call, bad["event_id"], json.dumps(bad["event_data"] | {"final_total": 26.5}))

    assert not held(app, bad)
    assert app.rows("select final_total from gold.fct_sales where customer_id = %s", customer) == [(Decimal("26.50"),)]
    ((original, corrected),) = app.rows(
        "select event_data, corrected_data from bronze.quarantined_events where event_id = %s", bad["event_id"]
    )
    assert json.loads(original)["final_total"] == 1
    assert json.loads(corrected)["final_total"] == 26.5


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [("1", "no event of that event_id is held"), ("null, parse_json('{}')", "a correction is for one")],
)
def test_a_release_that_means_no_event_is_refused(app, arguments, reason):
    with pytest.raises(ProgrammingError, match=reason):
        app.rows(f"call release_quarantined_events({arguments})")


def test_returns_touches_and_movements_are_typed_in_bronze(app):
    moment = app.now().replace(microsecond=250_000)
    returned = event("return", {
        "return_id": 5, "order_id": 6, "line_number": 1, "customer_id": 7, "product_id": 8, "category_name": "home", "quantity": 1,
        "refund_total": 9.5, "reason": "defective", "returned_at": at(moment),
    })  # fmt: skip
    touch = event("marketing_touch", {
        "touch_id": 5, "customer_id": 7, "channel_name": "email", "campaign_name": "spring", "touch_type": "click", "cost": 0.0125,
        "occurred_at": at(moment),
    })  # fmt: skip
    movement = event("supply_chain", {
        "movement_id": 5, "movement_type": "delay", "order_id": 6, "warehouse_id": 2, "category_name": "home", "quantity": 3,
        "delay_days": 1.5, "reason": "weather", "occurred_at": at(moment),
    })  # fmt: skip

    app.land(returned, touch, movement)
    app.to_gold()

    assert app.rows(
        "select return_id, quantity, refund_total, reason, returned_at from bronze.stg_returns where event_id = %s",
        returned["event_id"],
    ) == [(5, 1, Decimal("9.50"), "defective", moment)]
    assert app.rows(
        "select channel_name, touch_type, cost, occurred_at from bronze.stg_marketing_touches where event_id = %s",
        touch["event_id"],
    ) == [("email", "click", Decimal("0.0125"), moment)]
    assert app.rows(
        "select movement_type, warehouse_id, quantity, delay_days from bronze.stg_supply_chain where event_id = %s",
        movement["event_id"],
    ) == [("delay", 2, 3, Decimal("1.50"))]


def test_a_transformation_with_nothing_to_do_changes_nothing(app):
    app.land(purchase(next(KEYS), Line(), ordered=app.now()))
    app.to_gold()
    state = (
        "select (select count(*) from reference_data.data_generation_audit), (select max(changed_at) from pipeline.progress),"
        " (select max(changed_at) from gold.customer_statistics), (select count(*) from gold.fct_sales)"
    )
    before = app.rows(state)

    app.to_gold()
    app.cursor.execute("call transform_raw_to_bronze()")

    assert app.rows(state) == before


def gold(app) -> dict[str, Counter]:
    """The rows of every table of gold, whatever their order, without the instants at which they were written."""
    columns = app.rows(
        "select table_name, listagg(column_name, ', ') within group (order by ordinal_position)"
        " from information_schema.columns"
        " where table_schema = 'GOLD' and table_name not in ('DIM_CUSTOMERS', 'CUSTOMER_MODEL', 'CUSTOMER_MODEL_HISTORY', 'BUSINESS_CALENDAR')"
        " and column_name not in ('LOADED_AT', 'CHANGED_AT') group by table_name"
    )
    return {table: Counter(app.rows(f"select {names} from gold.{table}")) for table, names in columns}


def returned(order: dict, *, when: datetime) -> dict:
    """The first line of an order comes back."""
    line = order["event_data"]["lines"][0]
    return event("return", {
        "return_id": next(KEYS), "order_id": order["event_data"]["order_id"], "line_number": line["line_number"],
        "customer_id": order["event_data"]["customer_id"], "product_id": line["product_id"], "category_name": line["category_name"],
        "quantity": line["quantity"], "refund_total": line["line_total"], "reason": "defective", "returned_at": at(when),
    })  # fmt: skip


def touch(
    customer: int | None, touch_type: str, *, when: datetime, channel: str = "email", cost: float = 0.0125
) -> dict:
    return event("marketing_touch", {
        "touch_id": next(KEYS), "customer_id": customer, "channel_name": channel, "campaign_name": "spring", "touch_type": touch_type,
        "cost": cost, "occurred_at": at(when),
    })  # fmt: skip


def movement(order: dict, movement_type: str, *, when: datetime, **changes: object) -> dict:
    data = {
        "movement_id": next(KEYS), "movement_type": movement_type, "order_id": order["event_data"]["order_id"], "warehouse_id": 3,
        "quantity": 4, "occurred_at": at(when),
    }  # fmt: skip
    return event("supply_chain", data | changes)


def shortage(*, when: datetime) -> list[dict]:
    """Stock runs out, and comes back two days later."""
    out, back = (
        event("supply_chain", {
            "movement_id": next(KEYS), "movement_type": kind, "warehouse_id": 3, "category_name": "home", "quantity": quantity,
            "occurred_at": at(moment),
        })
        for kind, quantity, moment in (("stock_out", 0, when), ("restock", 120, when + timedelta(days=2)))
    )  # fmt: skip
    return [out, back]


def life(customer: int, moment: datetime) -> list[dict]:
    """What happens around a customer: two profiles, three orders and what follows from them, some of it told again by another event."""
    orders = [
        purchase(customer, Line(), Line(line_number=2), ordered=moment - timedelta(days=days)) for days in (9, 5, 2)
    ]
    follow_ups = [
        returned(orders[0], when=moment - timedelta(days=1)),
        *(touch(customer, kind, when=moment - timedelta(days=3)) for kind in ("impression", "impression", "click")),
        touch(customer, "conversion", when=moment - timedelta(days=9), channel="display", cost=42),
        touch(None, "click", when=moment - timedelta(days=9), channel="display", cost=42),
        movement(orders[1], "pick", when=moment - timedelta(days=4)),
        movement(orders[1], "delay", when=moment - timedelta(days=4), delay_days=2, reason="weather"),
        movement(orders[1], "ship", when=moment - timedelta(days=2)),
        movement(orders[1], "deliver", when=moment - timedelta(days=1)),
        *shortage(when=moment - timedelta(days=4)),
    ]
    told_again = [
        event("purchase", orders[0]["event_data"] | {"payment_method": "paypal"}),
        event("return", follow_ups[0]["event_data"] | {"reason": "other"}),
        event("marketing_touch", follow_ups[1]["event_data"] | {"cost": 7}),
        event("supply_chain", follow_ups[6]["event_data"] | {"occurred_at": at(moment)}),
        event("supply_chain", follow_ups[-1]["event_data"] | {"quantity": 7}),
    ]
    return [
        profile(customer, signed_up=moment - timedelta(days=9), city="Reno"),
        profile(customer, signed_up=moment - timedelta(days=9), city="Elko"),
        *orders,
        *follow_ups,
        *told_again,
    ]


def test_gold_of_batches_late_doubled_and_out_of_order_is_gold_rebuilt_from_nothing(app):
    moment, order = app.now(), random.Random(20260101)
    events = [happened for _ in range(6) for happened in life(next(KEYS), moment)]
    arrivals = events + order.sample(events, 30)
    order.shuffle(arrivals)
    for start in range(0, len(arrivals), 30):
        app.land(*arrivals[start : start + 30])
        app.to_gold()
    grown = gold(app)
    app.as_the_app("delete from gold.fct_sales where mod(order_id, 3) = 0")
    app.as_the_app("update gold.customer_statistics set total_spent = 0")
    app.as_the_app("delete from gold.fct_returns")
    app.as_the_app("update gold.customer_engagement set clicks = clicks + 1")
    app.as_the_app("update gold.fct_shipments set delivered_at = null")
    app.as_the_app("delete from gold.customer_profiles where mod(customer_id, 2) = 0")
    app.as_the_app("delete from gold.fct_stock_movements where movement_type = 'restock'")
    app.as_the_app("update gold.dim_products set product_name = 'Chair', items = 0")
    app.as_the_app("update gold.daily_revenue set net_revenue = net_revenue + 0.01")
    app.as_the_app("delete from gold.daily_marketing")

    for _ in range(2):
        app.rows("call rebuild_gold()")
        assert gold(app) == grown

    assert all(grown.values())
    app.land(*life(next(KEYS), moment))
    app.to_gold()
    assert sum(gold(app)["FCT_SALES"].values()) == sum(grown["FCT_SALES"].values()) + 3, "it grows on from there"


@pytest.mark.parametrize(
    ("layer", "tables"),
    {
        "RETURNS": ["fct_returns"],
        "TOUCHES": ["fct_marketing_touches", "customer_engagement"],
        "SHIPMENTS": ["fct_shipments"],
    }.items(),
)
def test_a_fact_that_an_upgrade_brings_is_filled_with_what_bronze_holds_already(app, layer, tables):
    app.land(*life(next(KEYS), app.now()))
    app.to_gold()
    before = gold(app)
    for table in tables:
        app.as_the_app(f"delete from gold.{table}")
    app.as_the_app(f"update pipeline.progress set last_batch = 0 where layer = '{layer}'")

    app.to_gold()

    assert gold(app) == before


def test_returns_touches_and_shipments_become_facts_that_resolve_and_add_up(app):
    moment = app.now().replace(microsecond=0)
    customer = next(KEYS)
    app.land(*life(customer, moment))
    app.to_gold()

    assert app.rows(
        "select returns.quantity <= lines.quantity, returns.refund_total, lines.line_total, returns.reason from gold.fct_returns as returns"
        " inner join gold.fct_sale_lines as lines"
        " on returns.order_id = lines.order_id and returns.line_number = lines.line_number where lines.customer_id = %s",
        customer,
    ) == [(True, Decimal("20.00"), Decimal("20.00"), "defective")]
    assert app.rows(
        "select picked_at, shipped_at, delivered_at, delay_days, delay_reason, shipments.warehouse_id from gold.fct_shipments as shipments"
        " inner join gold.fct_sales as sales on shipments.order_id = sales.order_id where customer_id = %s",
        customer,
    ) == [(*(moment - timedelta(days=days) for days in (4, 2, 1)), Decimal("2.00"), "weather", 3)]
    assert app.rows(
        "select engagement_score, engaged_channels from gold.dim_customers where customer_id = %s", customer
    ) == [(Decimal("25.00"), 2)], "two of four touches were answered, and four more are taken for granted"


def test_facts_hold_each_thing_once_and_sums_of_facts_are_those_of_bronze(app):
    app.to_gold()

    for fact, staged, key, amount in [
        ("fct_returns", "stg_returns", "return_id", "refund_total"),
        ("fct_marketing_touches", "stg_marketing_touches", "touch_id", "cost"),
    ]:
        once = f"qualify row_number() over (partition by {key} order by batch_number, event_id) = 1"
        assert app.rows(f"select count(*), count(distinct {key}), sum({amount}) from gold.{fact}") == app.rows(
            f"select count(*), count(*), sum({amount}) from (select * from bronze.{staged} {once})"
        )
    assert app.rows("select order_id from gold.fct_shipments order by 1") == app.rows(
        "select distinct order_id from bronze.stg_supply_chain where order_id is not null order by 1"
    )
    summed = "customer_id, channel_name, sum(impressions + clicks + conversions), sum(cost)"
    assert app.rows(f"select {summed} from gold.customer_engagement group by 1, 2 order by 1, 2") == app.rows(
        "select customer_id, channel_name, count(*), sum(cost) from gold.fct_marketing_touches"
        " where customer_id is not null group by 1, 2 order by 1, 2"
    )


def test_gold_adds_up_and_customers_are_the_sums_of_their_sales(app):
    app.to_gold()

    assert app.rows("select sum(line_total), sum(margin) from gold.fct_sale_lines") == app.rows(
        "select sum(subtotal - discount_total), sum(margin) from gold.fct_sales"
    )
    statistics = "customer_id, total_orders, total_items, total_spent, total_discount, total_margin, first_order_at, last_order_at"
    assert app.rows(f"select {statistics} from gold.customer_statistics where total_orders > 0 order by 1") == app.rows(
        "select customer_id, count(*), sum(item_count), sum(final_total), sum(discount_total), sum(margin), min(ordered_at),"
        " max(ordered_at) from gold.fct_sales group by customer_id order by 1"
    )


def test_each_step_leaves_a_record_of_what_it_moved(app):
    app.land(event("parade", {}), purchase(next(KEYS), Line(), ordered=app.now()))
    app.to_gold()

    runs = app.rows(
        "select layer, status, moved_counts from audit.pipeline_runs order by run_timestamp desc, layer limit 2"
    )
    moved = {layer: json.loads(counts) for layer, status, counts in runs if status == "COMPLETED"}
    assert moved["BRONZE"] == {
        "arrived": 2, "customer_profile": 0, "purchase": 1, "purchase_line": 1, "return": 0, "marketing_touch": 0, "supply_chain": 0,
        "quarantined": 1, "released": 0, "duplicate": 0,
    }  # fmt: skip
    assert moved["GOLD"] == {
        "batches": 1,
        "fct_sales": 1,
        "fct_sale_lines": 1,
        "customer_profiles": 0,
        "customer_statistics": 1,
        "fct_returns": 0,
        "fct_marketing_touches": 0,
        "customer_engagement": 0,
        "fct_shipments": 0,
        "fct_stock_movements": 0,
        "dim_products": 1,
        "daily_revenue": 1,
        "daily_marketing": 0,
    }


def status(app) -> dict[str, dict]:
    """The rows of CHECK_PIPELINE_STATUS by component."""
    rows = app.rows("call check_pipeline_status()")
    names = [column.name.lower() for column in app.cursor.description]
    return {row[0]: dict(zip(names, row, strict=True)) for row in rows}


def test_a_stream_that_cannot_be_read_is_told_and_repaired_without_loss_or_doubling(app):
    moment = app.now()
    before, after, bad = life(next(KEYS), moment), life(next(KEYS), moment), event("parade", {})
    app.land(*before)
    app.to_gold()
    app.land(*before[:2], *after[::2], bad)
    app.as_the_app("drop stream raw_data.raw_retail_events_stream")
    app.land(*after[1::2])

    seen = status(app)["stream"]
    with pytest.raises(ProgrammingError, match=r"Nothing is lost: CALL core.repair_stream\(\)"):
        app.to_gold()
    ((told,),) = app.rows("call repair_stream()")

    assert (seen["state"], seen["advice"]) == ("UNREADABLE", "Raw still has every event: CALL core.repair_stream()")
    assert re.search(rf"made anew. {len(after) + 1} events that it had missed", told)
    assert status(app)["stream"]["state"] == "READABLE"
    assert held(app, bad)
    grown = gold(app)
    assert app.rows("call repair_stream()") == [("The stream can be read. Bronze lacks nothing that raw has.",)]
    app.land(*after)
    app.to_gold()
    assert gold(app) == grown
    app.rows("call rebuild_gold()")
    assert gold(app) == grown
    for happened in (before, after):
        sales = "select count(*), count(distinct order_id) from gold.fct_sales where customer_id = %s"
        assert app.rows(sales, happened[0]["event_data"]["customer_id"]) == [(3, 3)]


def test_the_status_tells_what_waits_how_fresh_each_layer_is_and_what_is_held(app):
    app.to_gold()
    moment = (app.now() + timedelta(minutes=1)).replace(microsecond=0)
    held_before = status(app)["quarantine"]["waiting"]
    landed = profile(next(KEYS), signed_up=moment)
    landed["event_time"] = at(moment)
    app.land(landed, event("parade", {}))

    waiting = status(app)
    app.to_gold()
    done = status(app)

    assert waiting["stream"]["waiting"] == waiting["bronze"]["waiting"] == 2
    assert waiting["bronze"]["advice"].startswith("Events wait: CALL core.transform_raw_to_bronze()")
    assert waiting["raw"]["newest_event_at"] == moment > waiting["bronze"]["newest_event_at"]
    assert done["bronze"]["waiting"] == done["gold"]["waiting"] == 0
    assert done["bronze"]["newest_event_at"] == done["gold"]["newest_event_at"] == moment
    assert done["quarantine"]["waiting"] == held_before + 1
    assert "release_quarantined_events" in done["quarantine"]["advice"]


def test_a_batch_without_a_fault_says_so_in_words_and_numbers(app):
    app.to_gold()
    app.land(purchase(next(KEYS), Line(), ordered=app.now()))

    assert app.rows("call transform_bronze_to_gold()") == [
        ("1 events reached bronze, 0 of them in quarantine. 1 orders and 0 profiles reached gold.",)
    ]
    counts = "select moved_counts from audit.pipeline_runs where layer = 'BRONZE' order by run_timestamp desc limit 1"
    ((moved,),) = app.rows(counts)
    assert {name: json.loads(moved)[name] for name in ("quarantined", "released", "duplicate")} == {
        "quarantined": 0, "released": 0, "duplicate": 0,
    }  # fmt: skip


def test_a_step_that_fails_raises_is_recorded_and_leaves_nothing_behind(app):
    customer = next(KEYS)
    app.land(profile(customer, signed_up=app.now()), purchase(customer, Line(), ordered=app.now()))
    app.as_the_app("alter table gold.customer_statistics rename column total_items to hidden")
    try:
        with pytest.raises(ProgrammingError, match="TOTAL_ITEMS"):
            app.to_gold()
    finally:
        app.as_the_app("alter table gold.customer_statistics rename column hidden to total_items")

    ((outcome, reason),) = app.rows(
        "select status, error_message from audit.pipeline_runs where layer = 'GOLD' order by run_timestamp desc limit 1"
    )
    assert outcome == "FAILED"
    assert "TOTAL_ITEMS" in reason
    told = status(app)["gold"]
    assert "TOTAL_ITEMS" in told["last_result"]
    assert told["advice"].startswith("Nothing is lost: mend what last_result names")
    assert app.rows("select count(*) from bronze.stg_purchases where customer_id = %s", customer) == [(1,)]
    assert app.rows("select count(*) from gold.fct_sales where customer_id = %s", customer) == [(0,)]
    app.to_gold()
    assert app.rows("select total_orders from gold.dim_customers where customer_id = %s", customer) == [(1,)]


@pytest.mark.parametrize("layer", ["BRONZE", "GOLD"])
def test_the_record_of_a_run_that_died_is_closed_by_the_next_one(app, layer):
    dead = f"dead {next(KEYS)}"
    app.as_the_app(
        "insert into reference_data.data_generation_audit (run_id, run_timestamp, run_type, status)"
        f" select '{dead}', dateadd('hour', -1, sysdate()), '{layer}', 'RUNNING'"
    )

    app.land(profile(next(KEYS), signed_up=app.now()))
    app.to_gold()

    ((status, reason),) = app.rows("select status, error_message from audit.pipeline_runs where run_id = %s", dead)
    assert status == "FAILED"
    assert reason.startswith("The run ended without a word")


@dataclasses.dataclass
class Model:
    """The row of gold.customer_model for the segment premium."""

    r: float = 0.6
    alpha: float = 5.714286
    s: float = 0.45
    beta: float = 20.0
    p: float = 3.3
    q: float = 11.0
    mean_order_value: float = 150.0
    margin_share: float = 0.35

    def silent(self, orders: int, last: float, age: float, horizon: float) -> tuple[float, float]:
        """P(no order within the horizon) and P(alive), by brute force; weeks of business since sign-up."""

        def alive(week: float) -> float:
            return (self.alpha + week) ** -(self.r + orders) * (self.beta + week) ** -self.s

        def dropped(start: float, end: float, steps: int = 20_000) -> float:
            width = (end - start) / steps
            middles = (start + (step + 0.5) * width for step in range(steps))
            return sum(self.s / (self.beta + week) * alive(week) for week in middles) * width

        lost = dropped(last, age)
        total = lost + alive(age)
        return (lost + dropped(age, age + horizon) + alive(age + horizon)) / total, alive(age) / total

    def orders_of_next_year(self, orders: int, last: float, age: float) -> float:
        share = ((self.beta + age) / (self.beta + age + 365 / 7)) ** (self.s - 1)
        rate = (self.r + orders) / (self.alpha + age)
        return rate * (self.beta + age) / (self.s - 1) * (1 - share) * self.silent(orders, last, age, 90 / 7)[1]

    def margin_per_order(self, orders: int, margin: float) -> float:
        prior = self.mean_order_value * (self.q - 1) / self.p * self.margin_share
        return self.p * (prior + margin) / (self.p * orders + self.q - 1)


HISTORIES = {  # days since the sign-up, and since each order
    "a customer of a day": (1, []),
    "one who never bought": (400, []),
    "one who bought to sign up": (30, [30]),
    "one who did so and no more": (400, [400]),
    "one who buys on": (200, [200, 150, 10]),
    "one who is gone": (365, [300, 290, 280, 270]),
    "one who buys and buys": (700, range(2, 700, 20)),
}


@pytest.fixture(scope="module")
def customers_with_histories(app) -> tuple[datetime, dict[str, int]]:
    """The moment from which their days count back, and the customers' keys."""
    customers, moment = {history: next(KEYS) for history in HISTORIES}, app.now()
    events = []
    for history, (age_days, order_ages) in HISTORIES.items():
        events.append(profile(customers[history], signed_up=moment - timedelta(days=age_days)))
        events += [purchase(customers[history], Line(), ordered=moment - timedelta(days=days)) for days in order_ages]
    app.land(*events)
    app.to_gold()
    return moment, customers


def business_weeks(factors: list[float], moment: datetime) -> float:
    """Weeks of business since 2000: each quarter of a month lasts as long as its factor says."""
    day = moment.day - 1 + (moment.hour * 60 + moment.minute) / 1440
    place = 4 * (moment.month - 1 + day / calendar.monthrange(moment.year, moment.month)[1])
    whole = int(place)
    quarters = sum(factors[:whole]) + factors[whole] * (place - whole)
    return 365.25 / 7 * (moment.year - 2000 + quarters / 48)


@pytest.mark.parametrize("history", HISTORIES)
def test_churn_and_lifetime_value_are_what_the_purchase_model_says(app, customers_with_histories, history):
    """An order on the day of the sign-up is its reason; it counts in the value of orders, not in their rate."""
    moment, customers = customers_with_histories
    age_days, order_ages = HISTORIES[history]
    factors = [
        float(row[0]) for row in app.rows("select business_factor from gold.business_calendar order by part_number")
    ]

    def weeks_from(days: int, until: int) -> float:
        end, start = moment - timedelta(days=until), moment - timedelta(days=days)
        return business_weeks(factors, end) - business_weeks(factors, start)

    ((churn, value, margin),) = app.rows(
        "select churn_probability, lifetime_value, total_margin from gold.dim_customers where customer_id = %s",
        customers[history],
    )
    later = [days for days in order_ages if days != age_days]
    weeks = len(later), weeks_from(age_days, min(later)) if later else 0.0, weeks_from(age_days, 0)
    horizon = weeks_from(0, -90)
    model = Model()
    assert math.isclose(float(churn), model.silent(*weeks, horizon)[0], abs_tol=0.003)
    expected = model.orders_of_next_year(*weeks) * model.margin_per_order(len(order_ages), float(margin))
    assert math.isclose(float(value), expected, rel_tol=0.02, abs_tol=0.02)
