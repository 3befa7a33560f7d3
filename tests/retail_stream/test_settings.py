"""Every column and every parameter of the reference tables acts, and each as far as it says: a measure lies in a band after the change, and did not
before. What has no effect here is an idle setting, and fails.
"""

import copy
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pytest

from retail_stream import catalogue, configuration, customers, fulfilment, marketing, plan, purchases, slots
from retail_stream.places import PLACE_STATE, STATE_REGION
from retail_stream.slots import DAY_MS, DAY_SLOTS, MILLION, SLOT_MS
from retail_stream.world import SALES_CHANNELS, SHIPPING_METHODS

COUNT = 6_000
NEW_YEAR = slots.from_datetime(np.datetime64("2026-01-01")) // SLOT_MS
MONTH = plan.Window(NEW_YEAR + 150 * DAY_SLOTS, 30 * DAY_SLOTS)
WEST, LATE_NOVEMBER = 3, slots.from_datetime(np.datetime64("2026-11-27")) // DAY_MS


class World:
    """What a configuration makes: so many customers, each with one order in the course of 2026, and what follows."""

    def __init__(self, tables: dict[str, list[dict]]):
        self.configuration = configuration.from_tables(tables)
        self.parameters = self.configuration.parameters
        self.calendar = slots.Calendar(self.configuration)
        self.number = np.arange(1, COUNT + 1)

    def of(self, table: str, key: object) -> int:
        """A row's index; 0 where it is not there."""
        keys = [row[configuration.KEYS[table]] for row in self.configuration.rows(table)]
        return keys.index(key) if key in keys else 0

    def category(self, name: str) -> int:
        return [row["category_name"] for row in self.configuration.categories].index(name)

    @cached_property
    def people(self) -> customers.Customers:
        return customers.sign_ups(
            self.configuration, self.calendar, self.number, NEW_YEAR + self.number // 20, np.full(COUNT, SLOT_MS)
        )

    @cached_property
    def profiles(self) -> dict:
        return customers.profiles(self.configuration, self.people)

    @cached_property
    def orders(self) -> purchases.Orders:
        people = self.people
        return purchases.Orders(
            self.number, self.number, NEW_YEAR * SLOT_MS + self.number * 365 * DAY_MS // COUNT, people.segment, people.zone,
            PLACE_STATE[people.place], people.price_sensitivity, people.favourite_category, people.preferred_channel,
            people.value_factor,
        )  # fmt: skip

    @cached_property
    def made(self) -> purchases.Purchases:
        return purchases.Shop(self.configuration).purchases(self.orders)

    @cached_property
    def products(self) -> catalogue.Catalogue:
        return catalogue.catalogue_of(self.configuration)

    @cached_property
    def line_category(self) -> np.ndarray:
        return self.products.category[self.made.lines.product]

    @cached_property
    def way(self) -> fulfilment.Deliveries:
        return fulfilment.deliveries(self.configuration, self.orders, self.made)

    @cached_property
    def returns(self) -> dict[str, np.ndarray]:
        return fulfilment.returns(self.configuration, self.orders, self.made, self.way)

    @cached_property
    def movements(self) -> dict[str, np.ndarray]:
        return fulfilment.movements(self.configuration, self.orders, self.made, self.way)

    @cached_property
    def won(self) -> dict[str, np.ndarray]:
        people = self.people
        return marketing.acquisitions(
            self.configuration, people.number, people.signed_up_ms, people.acquisition_channel
        )

    @cached_property
    def reminded(self) -> dict[str, np.ndarray]:
        return marketing.reminders(self.configuration, self.number, self.number, self.orders.ordered_ms)

    def planned(self, *counts: int | None) -> plan.Plan:
        living = np.full((MONTH.count, plan.ZONE_COUNT), 10**9)
        return plan.plan_of(self.configuration, self.calendar, MONTH, plan.Request(*counts), living, 1, 1)


def segment_share(world: World, name: str) -> float:
    return (world.profiles["customer_segment"] == name).mean()


def electronics_month(world: World, month: int) -> float:
    return world.calendar.category_months[world.category("electronics")][month - 1]


def prices(world: World, name: str) -> np.ndarray:
    return world.products.price[world.products.category == world.category(name)] / 100


def line_share(world: World, name: str) -> float:
    return (world.line_category == world.category(name)).mean()


def touches_of(touches: dict, channel: str, kind: str) -> int:
    return ((touches["channel_name"] == channel) & (touches["touch_type"] == kind)).sum()


def campaign_share(world: World, name: str) -> float:
    """Among the impressions of its channels' last two months."""
    month = slots.MONTH_OF_DAY[world.reminded["due_ms"] // DAY_MS] + 1
    mail = (world.reminded["channel_name"] == "email") & (month >= 11)
    return (world.reminded["campaign_name"][mail] == name).mean()


def campaign_months(world: World, name: str) -> float:
    return (slots.MONTH_OF_DAY[world.reminded["due_ms"] // DAY_MS] + 1)[world.reminded["campaign_name"] == name].mean()


def spread_of_orders(world: World) -> float:
    """Of the logarithm of a customer's orders around what the customer usually spends."""
    means = np.array([row["avg_order_value"] for row in world.configuration.segments])[world.people.segment]
    return np.log(world.made.final_total / (means * world.people.value_factor)).std()


def weekend(world: World) -> float:
    days = np.arange(NEW_YEAR // DAY_SLOTS, NEW_YEAR // DAY_SLOTS + 364)
    return (
        world.calendar.day_masses[days][slots.WEEKDAY_OF_DAY[days] >= 5].sum() / world.calendar.day_masses[days].sum()
    )


def median_weeks(world: World) -> float:
    return np.median(world.people.dropout_ms - world.people.signed_up_ms) / (7 * DAY_MS)


def free_standard_shipping(world: World) -> float:
    standard = world.made.shipping == SHIPPING_METHODS.index("standard")
    return (world.made.shipping_total[standard] == 0).mean()


def sent_from(world: World, warehouse: int, region: int | None = None) -> float:
    found = world.of("warehouses", warehouse)
    sent = world.made.warehouse != purchases.NO_WAREHOUSE
    if region is not None:
        sent &= STATE_REGION[world.orders.state] == region
    return (world.made.warehouse[sent] == found).mean()


def delayed_for(world: World, causes: tuple[str, ...]) -> float:
    sent = world.made.warehouse != purchases.NO_WAREHOUSE
    return np.isin(world.way.cause[sent].astype(str), causes).mean()


def shards(world: World) -> float:
    rows = plan.sharded(world.planned(500, 0, 0, 0).sign_ups, world.parameters["events_per_shard"], numbers=(2,))
    return np.bincount([row[0] for row in rows], [row[-1] for row in rows]).max()


class Effect(NamedTuple):
    """What is changed, where, what is measured, and between what it lies then."""

    value: object
    measure: Callable[[World], float]
    low: float
    high: float
    row: object = None  # the first one
    given: tuple = ()  # (table, row, column, value) that hold before and after


COLUMNS = {
    ("customer_segments", "segment_name"): Effect("vip", lambda w: segment_share(w, "vip"), 0.12, 0.18, "premium"),
    ("customer_segments", "weight"): Effect(3, lambda w: segment_share(w, "premium"), 0.75, 0.81, "premium"),
    ("customer_segments", "avg_order_value"): Effect(
        300, lambda w: w.made.final_total[w.people.segment == w.of("customer_segments", "premium")].mean() / 100, 270, 330, "premium"
    ),
    ("customer_segments", "purchase_frequency"): Effect(
        1.35,
        lambda w: customers.weights(w.configuration, w.people)[w.people.segment == w.of("customer_segments", "premium")].mean() / MILLION,
        1.2, 1.5, "premium",
    ),
    ("product_categories", "category_name"): Effect(
        "gadgets", lambda w: np.mean(w.returns["category_name"] == "gadgets"), 0.3, 0.6, "electronics",
        (("product_category_details", "electronics", None, None),),
    ),
    ("product_categories", "seasonal_peak_months"): Effect("[1]", lambda w: electronics_month(w, 1), 1.1, 1.35, "electronics"),
    ("product_categories", "margin_rate"): Effect(
        0.9,
        lambda w: 1 - (w.products.cost / w.products.price)[w.products.category == w.category("electronics")].mean(),
        0.89, 0.91, "electronics",
    ),
    ("product_categories", "return_rate"): Effect(
        0.8,
        lambda w: (w.returns["category_name"] == "electronics").sum() / (w.line_category == w.category("electronics")).sum(),
        0.7, 0.9, "electronics",
    ),
    ("product_category_details", "category_name"): Effect(
        "electronics", lambda w: np.median(prices(w, "electronics")), 11, 23, "books_media",
        (("product_category_details", "electronics", None, None),),
    ),
    ("product_category_details", "season_kind"): Effect("food", lambda w: electronics_month(w, 12), 0.95, 1.15, "electronics"),
    ("product_category_details", "popularity"): Effect(2, lambda w: line_share(w, "electronics"), 0.64, 0.78, "electronics"),
    ("product_category_details", "typical_price"): Effect(10, lambda w: np.median(prices(w, "electronics")), 8, 13, "electronics"),
    ("product_category_details", "price_spread"): Effect(0.1, lambda w: np.log(prices(w, "electronics")).std(), 0.07, 0.13, "electronics"),
    ("product_category_details", "subcategories"): Effect(
        '["only"]', lambda w: np.mean(['"subcategory": "only"' in text for text in w.products.json_fields]), 0.16, 0.17, "electronics"
    ),
    ("marketing_channels", "channel_name"): Effect(
        "post", lambda w: np.mean(w.won["channel_name"] == "post"), 0.01, 0.5, "affiliate", (("marketing_campaigns", "partner_program", None, None),)
    ),
    ("marketing_channels", "cost_per_acquisition"): Effect(
        90, lambda w: w.won["cost"][w.won["channel_name"] == "email"].sum() / 100 / touches_of(w.won, "email", "conversion"), 80, 100, "email"
    ),
    ("marketing_channels", "conversion_rate"): Effect(
        0.9, lambda w: touches_of(w.won, "email", "conversion") / (w.won["channel_name"] == "email").sum(), 0.87, 0.93, "email"
    ),
    ("marketing_channels", "engagement_rate"): Effect(
        0.9, lambda w: touches_of(w.reminded, "email", "click") / touches_of(w.reminded, "email", "impression"), 0.87, 0.93, "email"
    ),
    ("marketing_campaigns", "campaign_name"): Effect("presents", lambda w: campaign_share(w, "presents"), 0.5, 0.8, "holiday_gifts"),
    ("marketing_campaigns", "channel_name"): Effect(
        "display",
        lambda w: np.mean(w.reminded["channel_name"][w.reminded["campaign_name"] == "holiday_gifts"] == "display"),
        1, 1, "holiday_gifts",
    ),
    ("marketing_campaigns", "weight"): Effect(0.1, lambda w: campaign_share(w, "holiday_gifts"), 0.02, 0.2, "holiday_gifts"),
    ("marketing_campaigns", "active_months"): Effect("[7]", lambda w: campaign_months(w, "holiday_gifts"), 7, 7, "holiday_gifts"),
    ("warehouses", "warehouse_id"): Effect(77, lambda w: np.mean(w.movements["warehouse_id"] == 77), 0.1, 0.4, 1),
    ("warehouses", "location_name"): Effect("Denver, CO", lambda w: sent_from(w, 1, WEST), 0.25, 0.6, 1),
    ("warehouses", "capacity"): Effect(2_600, lambda w: sent_from(w, 1), 0.5, 0.8, 1),
}  # fmt: skip
PARAMETERS = {
    "seed": Effect("7", lambda w: w.people.income[0], 97_700, 97_700),
    "first_run_days": Effect(
        "60", lambda w: plan.window_of(NEW_YEAR * SLOT_MS, None, plan.Request(1, 1, 1, 1), w.parameters["first_run_days"]).count, 2_880, 2_880
    ),
    "daily_customer_events": Effect("480", lambda w: w.planned(None, 0, 0, 0).customer_count / 30, 430, 560),
    "buys_at_sign_up_probability": Effect(
        "0.5", lambda w: (lambda p: p.first_order_count / p.customer_count)(w.planned(None, None, 0, 0)), 0.47, 0.53
    ),
    "repeat_customer_probability": Effect("0.2", lambda w: w.planned(0, 1_000, 0, 0).first_order_count, 800, 800),
    "yearly_growth": Effect("2", lambda w: w.calendar.growth_factors(np.array([NEW_YEAR + 17_532]))[0], 2.99, 3.01),
    "rate_shape": Effect("3", lambda w: w.people.rate_factor.var() / MILLION**2, 0.28, 0.38),
    "dropout_shape": Effect("2", median_weeks, 7, 10),
    "dropout_scale_weeks": Effect("2", median_weeks, 6, 9),
    "order_value_shape": Effect("30", spread_of_orders, 0.1, 0.35),
    "customer_value_shape": Effect("3", lambda w: np.log(w.people.value_factor).std(), 0.55, 0.7),
    "weekday_weights": Effect("[1, 1, 1, 1, 1, 5, 5]", weekend, 0.63, 0.7),
    "hour_weights": Effect(str([1] * 12 + [3] * 12), lambda w: w.calendar.hour_masses[12:].sum() / w.calendar.hour_masses.sum(), 0.749, 0.751),
    "seasonal_lift": Effect(
        "1", lambda w: electronics_month(w, 1), 1.6, 2.2, None, (("product_categories", "electronics", "seasonal_peak_months", "[1]"),)
    ),
    "holiday_strength": Effect(
        "0", lambda w: w.calendar.day_masses[LATE_NOVEMBER] / w.calendar.day_masses[LATE_NOVEMBER - 7], 0.99, 1.01
    ),
    "sales_channel_weights": Effect("[1, 1, 1, 1]", lambda w: np.mean(w.made.channel == SALES_CHANNELS.index("phone")), 0.2, 0.32),
    "preferred_channel_probability": Effect("1", lambda w: np.mean(w.made.channel == w.people.preferred_channel), 1, 1),
    "favourite_category_probability": Effect(
        "1", lambda w: np.mean(w.line_category == w.people.favourite_category[w.made.lines.order]), 0.85, 1
    ),
    "products_per_category": Effect("50", lambda w: len(w.products.price), 300, 300),
    "price_range_min": Effect("20", lambda w: w.products.price.min() / 100, 19, 20),
    "price_range_max": Effect("60", lambda w: w.products.price.max() / 100, 59, 60),
    "discount_probability": Effect("0.9", lambda w: np.mean(w.made.discount_total > 0), 0.7, 0.95),
    "discount_max": Effect("0.8", lambda w: (w.made.discount_total / w.made.subtotal).max(), 0.79, 0.81),
    "tax_rate": Effect("0.2", lambda w: w.made.tax_total.sum() / (w.made.subtotal - w.made.discount_total).sum(), 0.18, 0.22),
    "shipping_cost_max": Effect("50", lambda w: w.made.shipping_total.max(), 5_000, 5_000),
    "free_shipping_threshold": Effect("10", free_standard_shipping, 0.95, 1),
    "return_window_days": Effect("60", lambda w: (w.returns["due_ms"] - w.way.delivered[w.returns["order_id"] - 1]).max() / DAY_MS, 50, 60),
    "impressions_per_order": Effect("4", lambda w: (w.reminded["touch_type"] == "impression").sum() / COUNT, 4, 4),
    "delay_probability": Effect("0.9", lambda w: delayed_for(w, ("bad_day",)), 0.45, 0.65),
    "stock_out_probability": Effect("0.9", lambda w: delayed_for(w, ("stock_out",)), 0.6, 1),
    "events_per_shard": Effect("7", shards, 7, 7),
}  # fmt: skip


def changed(tables: dict, table: str, row: object, column: str | None, value: object) -> None:
    """Changes one value of a row; without a column, the row is deleted."""
    key = configuration.KEYS[table]
    found = next(candidate for candidate in tables[table] if candidate[key] == row)
    if column is None:
        tables[table].remove(found)
    else:
        found[column] = value


def measured(tables: dict, effect: Effect, table: str, row: object, column: str) -> tuple[float, float]:
    for given in effect.given:
        changed(tables, *given)
    usual = effect.measure(World(tables))
    changed(tables, table, row, column, effect.value)
    return usual, effect.measure(World(tables))


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_column_acts_as_its_comment_says(tables, table, column):
    effect = COLUMNS[table, column]
    usual, found = measured(tables, effect, table, effect.row, column)

    assert effect.low <= found <= effect.high
    assert not effect.low <= usual <= effect.high


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_acts_as_its_description_says(tables, name):
    effect = PARAMETERS[name]
    usual, found = measured(tables, effect, "generation_parameters", name, "parameter_value")

    assert effect.low <= found <= effect.high
    assert not effect.low <= usual <= effect.high


def test_no_setting_is_without_a_measured_effect():
    columns = {
        (table, column)
        for table, rules in configuration.COLUMNS.items()
        for column in rules
        if table != "generation_parameters"
    }

    assert COLUMNS.keys() == columns
    assert PARAMETERS.keys() == configuration.PARAMETERS.keys()


NEW_ROWS = {
    "customer_segments": (
        {"segment_name": "wholesale", "weight": 1, "avg_order_value": 900, "purchase_frequency": 1},
        lambda w: segment_share(w, "wholesale"),
    ),
    "product_categories": (
        {"category_name": "toys_games", "seasonal_peak_months": "[11, 12]", "margin_rate": 0.5, "return_rate": 0.1},
        lambda w: line_share(w, "toys_games"),
    ),
    "marketing_channels": (
        {"channel_name": "radio", "cost_per_acquisition": 20, "conversion_rate": 0.5, "engagement_rate": 0.2},
        lambda w: np.mean(w.profiles["acquisition_channel"] == "radio"),
    ),
    "marketing_campaigns": (
        {"campaign_name": "winter", "channel_name": "email", "weight": 5, "active_months": "[11, 12]"},
        lambda w: campaign_share(w, "winter"),
    ),
    "warehouses": (
        {"warehouse_id": 9, "location_name": "Fargo, ND", "capacity": 900},
        lambda w: sent_from(w, 9),
    ),
}


@pytest.mark.parametrize("table", NEW_ROWS)
def test_a_new_row_simply_works(tables, table):
    row, share = NEW_ROWS[table]
    tables[table].append(row)
    world = World(tables)

    assert 0.1 < share(world) < 0.9
    for events in (world.returns, world.movements, world.won, world.reminded):
        assert len(events["event_number"])


def who(tables: dict) -> list:
    """The names, ages and homes of the customers under these settings."""
    world = World(tables)
    shown, found = world.profiles, world.people
    own = ("first_name", "last_name", "email", "gender", "city", "state", "zip_code", "time_zone")
    return [found.age.tolist(), *(list(shown[name]) for name in own)]


def test_a_number_stands_for_one_name_age_and_home_under_all_settings_but_another_seed(tables):
    usual = who(tables)
    edits = [(table, effect.row, column, effect) for (table, column), effect in COLUMNS.items()]
    edits += [("generation_parameters", name, "parameter_value", effect) for name, effect in PARAMETERS.items()]
    for table, row, column, effect in edits:
        edited = copy.deepcopy(tables)
        for given in effect.given:
            changed(edited, *given)
        changed(edited, table, row, column, effect.value)

        assert (who(edited) == usual) is (row != "seed"), (table, row, column)
