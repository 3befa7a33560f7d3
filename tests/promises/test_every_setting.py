"""There is no idle setting: each parameter, column and row of the reference tables moves what it is there for.

Two weeks around Black Friday 2026 are made with the default settings and with one changed; the same random numbers stand
behind both, so the ratio of what is measured shows the change and little else. A setting without a case here fails.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas
import pytest

from retail_stream import fulfilment, plan, procedures, table_functions
from retail_stream.catalogue import catalogue_of
from retail_stream.configuration import COLUMNS, KEYS, PARAMETERS, Configuration, from_tables
from retail_stream.marketing import reminders
from retail_stream.slots import DAY_MS, MONTH_OF_DAY, SLOT_MS, WEEKDAY_OF_DAY, from_datetime, local_slots

BLACK_FRIDAY_WEEKS = np.datetime64("2026-11-20")
WEEKS = 2


@dataclass(frozen=True)
class World:
    """What two weeks bring."""

    configuration: Configuration
    business_of: Callable
    course_of: Callable

    @cached_property
    def course(self):
        return self.course_of(self.configuration, None, first_day=BLACK_FRIDAY_WEEKS, weeks=(WEEKS,))

    @property
    def customers(self) -> pandas.DataFrame:
        return self.course.customers

    @property
    def orders(self) -> pandas.DataFrame:
        return self.course.orders

    @property
    def lines(self) -> pandas.DataFrame:
        return self.course.lines

    @property
    def returns(self) -> pandas.DataFrame:
        return self.course.returns

    @cached_property
    def touches(self) -> pandas.DataFrame:
        joined = self.customers.assign(order_id=0, at_ms=self.customers["signed_up_ms"])
        ordered = self.orders.assign(at_ms=self.orders["ordered_ms"], acquisition_channel=None)
        names = ["order_id", "customer_id", "at_ms", "acquisition_channel"]
        return self._called(
            table_functions.MarketingEvents,
            pandas.concat([joined[names], ordered[names].astype({"acquisition_channel": object})]),
        )

    @cached_property
    def movements(self) -> pandas.DataFrame:
        people = self.customers.set_index("customer_id").loc[self.orders["customer_id"]].reset_index(drop=True)
        given = pandas.concat([self.orders[["order_id", "customer_id", "ordered_ms", "is_first"]], people], axis=1)
        given = given.rename(columns={"customer_segment": "segment"})[list(table_functions.ORDER_COLUMNS[1:])]
        return self._called(table_functions.FulfilmentEvents, given)

    @cached_property
    def stock(self) -> pandas.DataFrame:
        start = from_datetime(BLACK_FRIDAY_WEEKS)
        return pandas.DataFrame(
            fulfilment.stock_movements(self.configuration, start, start + 60 * DAY_MS), columns=["movement_type"]
        )

    @cached_property
    def asked(self) -> pandas.DataFrame:
        """Orders of which a number was asked for, in the week after the two."""
        business, first = self.business_of(self.configuration), from_datetime(BLACK_FRIDAY_WEEKS) // SLOT_MS
        business.run(plan.Window(first, WEEKS * 336), plan.Request(1_000, None, None, None))
        return business.run(plan.Window(first + WEEKS * 336, 336), plan.Request(1_000, 1_000, None, None))

    @property
    def shards(self) -> int:
        planned = plan.Plan([], [(0, 0, 1, 1, 6_000)], [], 1, 6_001, 1, 6_001, 0.0)
        rows = json.loads(procedures.draw_binds(self.configuration, "", plan.Window(0, 1), planned)[1])
        return len({row[0] for row in rows})

    def local(self, unit: str) -> np.ndarray:
        """The weekday or the hour of each order on its customer's clock, by the generator's own calendar."""
        zones = {zone: code for code, (zone, _, _) in enumerate(table_functions.ZONES)}
        found = np.empty(len(self.orders), dtype=np.int64)
        for zone, rows in self.orders.groupby("time_zone").indices.items():
            slots = local_slots(self.orders["ordered_ms"].to_numpy()[rows] // SLOT_MS, zones[zone])
            found[rows] = WEEKDAY_OF_DAY[slots // 48] if unit == "weekday" else slots % 48 // 2
        return found

    def _called(self, function: type, rows: pandas.DataFrame) -> pandas.DataFrame:
        rows = rows.reset_index(drop=True)
        rows.insert(0, "configuration", [self.configuration.text()] + [None] * (len(rows) - 1))
        return pandas.concat(function().end_partition(rows), ignore_index=True)


def share(frame: str, column: str, value: object) -> Callable[[World], float]:
    """The share of a frame's rows that have a value in a column."""
    return lambda world: (getattr(world, frame)[column] == value).mean()


def of_clothing(measure: Callable[[pandas.DataFrame], float]) -> Callable[[World], float]:
    return lambda world: measure(world.lines[world.lines["category_name"] == "clothing"])


def delivered_share(world: World) -> float:
    moved = world.movements["movement_type"].value_counts()
    return moved.get("delay", 0) / moved["deliver"]


def per_conversion(channel: str, what: str) -> Callable[[World], float]:
    """Clicks or cents per sign-up through a channel."""

    def measure(world: World) -> float:
        found = world.touches[
            (world.touches["channel_name"] == channel) & (world.touches["touch_type"] != "impression")
        ]
        found = found[(found["customer_id"] == 0) | (found["touch_type"] == "conversion")]
        return (found["cost"].sum() if what == "cost" else len(found)) / (found["touch_type"] == "conversion").sum()

    return measure


def clicks_per_impression(world: World) -> float:
    of_email = world.touches[(world.touches["channel_name"] == "email") & (world.touches["cost"] == 0)]
    return (of_email["touch_type"] == "click").sum() / (of_email["touch_type"] == "impression").sum()


def campaign(name: str, channel: str | None = None) -> Callable[[World], float]:
    """The share of a campaign among the touches, or among those of a channel."""

    def measure(world: World) -> float:
        touches = world.touches if channel is None else world.touches[world.touches["channel_name"] == channel]
        return (touches["campaign_name"] == name).mean()

    return measure


def value_spread(world: World) -> float:
    factor = world.customers.set_index("customer_id")["value_factor"].loc[world.orders["customer_id"]].to_numpy()
    premium = (world.orders["customer_segment"] == "premium").to_numpy()
    return np.log(world.orders["final_total"].to_numpy() / factor)[premium].std()


def return_wait(world: World) -> float:
    ordered = world.orders.set_index("order_id")["ordered_ms"]
    return (world.returns["due_ms"].to_numpy() - ordered.loc[world.returns["order_id"]].to_numpy()).mean()


def black_friday(world: World) -> float:
    day = np.datetime64("2026-11-27T12:00")
    return (abs(world.orders["ordered_ms"] - from_datetime(day)) < DAY_MS // 2).mean()


def factor_of(category: str, month: int) -> Callable[[World], float]:
    """A category's month factor."""

    def measure(world: World) -> float:
        names = [row["category_name"] for row in world.configuration.categories]
        return world.course.calendar.category_months[names.index(category), month - 1]

    return measure


def price_of_clothing(world: World) -> float:
    names = [row["category_name"] for row in world.configuration.categories]
    catalogue = catalogue_of(world.configuration)
    return float(np.median(catalogue.price[catalogue.category == names.index("clothing")]))


def products_named(text: str) -> Callable[[World], float]:
    return lambda world: sum(text in fields for fields in catalogue_of(world.configuration).json_fields)


def trait(world: World, orders: pandas.DataFrame, name: str) -> pandas.Series:
    """A trait of the customers of orders, or of lines."""
    return orders["customer_id"].map(world.customers.set_index("customer_id")[name])


def keeps_channel(world: World) -> float:
    return (trait(world, world.orders, "preferred_channel") == world.orders["sales_channel"]).mean()


def keeps_category(world: World) -> float:
    return (trait(world, world.lines, "favourite_category") == world.lines["category_name"]).mean()


def from_new_york(world: World) -> float:
    """The share of warehouse 1, which is the first, of what is sent to New York."""
    sent = world.orders[(trait(world, world.orders, "state") == "NY") & (world.orders["warehouse"] >= 0)]
    return (sent["warehouse"] == 0).mean()


def free_standard(world: World) -> float:
    standard = world.orders[world.orders["shipping_method"] == "standard"]
    return (standard["shipping_total"] == 0).mean()


def first_run(world: World) -> float:
    request = plan.Request(None, None, None, None)
    return plan.window_of(9_000 * DAY_MS, None, request, world.configuration.parameters["first_run_days"]).count


# parameter: value, what it moves, least and greatest ratio to the default
PARAMETER_CASES = {
    "seed": (5, lambda w: w.customers["checksum"].sum(), (0.5, 2)),
    "first_run_days": (60, first_run, (2, 2)),
    "daily_customer_events": (480, lambda w: len(w.customers), (1.9, 2.1)),
    "buys_at_sign_up_probability": (0.425, lambda w: w.orders["at_once"].sum(), (0.47, 0.53)),
    "repeat_customer_probability": (0.35, lambda w: (~w.asked["at_once"]).sum(), (0.5, 0.5)),
    "yearly_growth": (1.2, lambda w: len(w.customers), (1.8, 2)),  # 1 + 1.2 * 0.9 over 1 + 0.1 * 0.9
    "rate_shape": (2.4, lambda w: w.customers["rate_factor"].std(), (0.4, 0.6)),  # half, but for the cut
    "dropout_shape": (0.9, lambda w: w.customers["life_weeks"].median(), (0.2, 0.4)),  # 2^(1/s) - 1 is 3.7 and 1.2
    "dropout_scale_weeks": (40, lambda w: w.customers["life_weeks"].median(), (1.8, 2.2)),
    "order_value_shape": (13.2, value_spread, (0.4, 0.6)),
    "customer_value_shape": (4, lambda w: w.customers["value_factor"].std(), (1.7, 2.8)),
    "weekday_weights": ([2.88, 0.92, 0.93, 0.97, 1.06, 1.12, 1.04], lambda w: (w.local("weekday") == 0).mean(), (1.8, 3)),
    "hour_weights": ([1] * 24, lambda w: np.isin(w.local("hour"), range(2, 5)).mean(), (4, 20)),
    "seasonal_lift": (1, factor_of("toys", 11), (1.2, 1.6)),
    "holiday_strength": (0, black_friday, (0.5, 0.85)),
    "sales_channel_weights": ([0.45, 0.27, 0.23, 0.2], share("orders", "sales_channel", "phone"), (2.5, 4.5)),
    "preferred_channel_probability": (0, keeps_channel, (0.3, 0.7)),
    "favourite_category_probability": (0, keeps_category, (0.2, 0.6)),
    "products_per_category": (50, lambda w: len(catalogue_of(w.configuration).price), (0.25, 0.25)),
    "price_range_min": (20, lambda w: catalogue_of(w.configuration).price.min(), (5, 12)),
    "price_range_max": (50, lambda w: w.lines["unit_price"].max(), (0.005, 0.2)),
    "discount_probability": (0.6, lambda w: (w.orders["discount_total"] > 0).mean(), (1.8, 2.1)),
    "discount_max": (0.6, lambda w: (w.orders["discount_total"] / w.orders["subtotal"]).mean(), (1.9, 2.1)),
    "tax_rate": (0.152, lambda w: w.orders["tax_total"].sum() / (w.orders["subtotal"] - w.orders["discount_total"]).sum(), (1.95, 2.05)),
    "shipping_cost_max": (19.98, lambda w: w.orders["shipping_total"].max(), (1.99, 2.01)),
    "free_shipping_threshold": (150, free_standard, (0.1, 0.6)),
    "return_window_days": (5, return_wait, (0.2, 0.7)),
    "impressions_per_order": (4, lambda w: (w.touches["touch_type"] == "impression").sum(), (2, 2)),
    "delay_probability": (0.4, delivered_share, (3, 30)),
    "stock_out_probability": (0.04, lambda w: (w.stock["movement_type"] == "stock_out").sum(), (5, 20)),
    "events_per_shard": (2_000, lambda w: w.shards, (3, 3)),
}  # fmt: skip

# table and column: row, value, what it moves, least and greatest ratio to the default
COLUMN_CASES = {
    ("customer_segments", "segment_name"): ("premium", "gold", share("customers", "customer_segment", "premium"), (0, 0)),
    ("customer_segments", "weight"): ("premium", 0.3, share("customers", "customer_segment", "premium"), (1.6, 1.9)),
    ("customer_segments", "avg_order_value"): ("premium", 300, lambda w: w.orders.loc[w.orders["customer_segment"] == "premium", "final_total"].mean(), (1.9, 2.1)),
    ("customer_segments", "purchase_frequency"): ("premium", 0.9, lambda w: (~w.orders.loc[w.orders["customer_segment"] == "premium", "at_once"]).sum(), (1.7, 2.3)),
    ("product_categories", "category_name"): ("clothing", "clothes", share("lines", "category_name", "clothing"), (0, 0)),
    ("product_categories", "seasonal_peak_months"): ("clothing", "[6]", factor_of("clothing", 12), (0.7, 0.9)),
    ("product_categories", "margin_rate"): ("clothing", 0.1, of_clothing(lambda lines: (lines["unit_cost"] / lines["unit_price"]).mean()), (1.9, 2.1)),
    ("product_categories", "return_rate"): ("clothing", 0.52, share("returns", "category_name", "clothing"), (1.2, 1.9)),
    ("product_category_details", "category_name"): ("clothing", "toys", price_of_clothing, (0.7, 0.9)),  # 30 for 38
    ("product_category_details", "season_kind"): ("clothing", "garden", factor_of("clothing", 12), (0.5, 0.8)),
    ("product_category_details", "popularity"): ("clothing", 0.54, share("lines", "category_name", "clothing"), (1.5, 1.9)),
    ("product_category_details", "typical_price"): ("clothing", 76, of_clothing(lambda lines: lines["unit_price"].min()), (1.5, 3)),
    ("product_category_details", "price_spread"): ("clothing", 0.1, of_clothing(lambda lines: lines["unit_price"].std()), (0.02, 0.4)),
    ("product_category_details", "subcategories"): ("clothing", '["socks"]', products_named("Shirts"), (0, 0)),
    ("marketing_channels", "channel_name"): ("email", "letters", share("customers", "acquisition_channel", "email"), (0, 0)),
    ("marketing_channels", "cost_per_acquisition"): ("email", 18, per_conversion("email", "cost"), (1.9, 2.1)),
    ("marketing_channels", "conversion_rate"): ("email", 0.15, per_conversion("email", "clicks"), (1.8, 2.2)),
    ("marketing_channels", "engagement_rate"): ("email", 0.48, clicks_per_impression, (1.8, 2.2)),
    ("marketing_campaigns", "campaign_name"): ("holiday_gifts", "presents", campaign("holiday_gifts"), (0, 0)),
    ("marketing_campaigns", "channel_name"): ("holiday_gifts", "display", campaign("holiday_gifts", "email"), (0, 0)),
    ("marketing_campaigns", "weight"): ("holiday_gifts", 0.5, campaign("holiday_gifts"), (0.4, 0.6)),  # 1/3 for 2/3
    ("marketing_campaigns", "active_months"): ("holiday_gifts", "[6]", campaign("holiday_gifts"), (0, 0.6)),  # impressions reach January
    ("warehouses", "warehouse_id"): (1, 99, share("movements", "warehouse_id", 1), (0, 0)),
    ("warehouses", "location_name"): (1, "Reno, NV", from_new_york, (0.1, 0.5)),
    ("warehouses", "capacity"): (1, 1_040, share("movements", "warehouse_id", 1), (1.5, 4)),
}  # fmt: skip


TOYS = {"category_name": "toys", "seasonal_peak_months": "[11]", "margin_rate": 0.5, "return_rate": 0.1}
NEW_ROWS = {
    "customer_segments": {"segment_name": "vip", "weight": 0.2, "avg_order_value": 400, "purchase_frequency": 2},
    "product_categories": TOYS,
    "product_category_details": {
        "category_name": "toys", "season_kind": "hobby", "popularity": 0.2, "typical_price": 25, "price_spread": 0.5,
        "subcategories": '["puzzles"]',
    },
    "marketing_channels": {"channel_name": "podcast", "cost_per_acquisition": 20, "conversion_rate": 0.3, "engagement_rate": 0.1},
    "marketing_campaigns": {"campaign_name": "black_friday", "channel_name": "email", "weight": 3, "active_months": "[11]"},
    "warehouses": {"warehouse_id": 6, "location_name": "Denver, CO", "capacity": 300},
}  # fmt: skip
SHOWN = {  # what of a world has one of a table's names
    "customer_segments": lambda w: w.customers["customer_segment"],
    "product_categories": lambda w: w.lines["category_name"],
    "marketing_channels": lambda w: w.touches.loc[w.touches["touch_type"] == "conversion", "channel_name"],
    "warehouses": lambda w: w.movements.loc[w.movements["movement_type"].notna(), "warehouse_id"],
}


@pytest.fixture
def rows(default_tables) -> dict[str, list[dict]]:
    """The default rows, free to be changed, and one more category, which names no month as its peak that the census does:
    seasonal_lift moves no other.
    """
    found = copy.deepcopy(default_tables)
    found["product_categories"].append(dict(TOYS))
    return found


@pytest.fixture(scope="module")
def world_of(business_of, course_of) -> Callable[[dict], World]:
    return lambda tables: World(from_tables(tables), business_of, course_of)


@pytest.fixture(scope="module")
def usual(default_tables, world_of) -> World:
    return world_of(default_tables | {"product_categories": [*default_tables["product_categories"], TOYS]})


def moves(measure: Callable[[World], float], usual: World, changed: World, least: float, greatest: float) -> None:
    before, after = measure(usual), measure(changed)

    assert before > 0
    assert after != before
    assert least * (1 - 1e-9) <= after / before <= greatest * (1 + 1e-9), f"{before} became {after}"


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_parameter_moves_what_it_is_there_for(rows, world_of, usual, name):
    value, measure, band = PARAMETER_CASES[name]
    row = next(row for row in rows["generation_parameters"] if row["parameter_name"] == name)
    row["parameter_value"] = json.dumps(value)

    moves(measure, usual, world_of(rows), *band)


@pytest.mark.parametrize(
    ("table", "column"),
    [(table, column) for table, columns in COLUMNS.items() for column in columns if table != "generation_parameters"],
)
def test_every_column_moves_what_it_is_there_for(rows, world_of, usual, table, column):
    key, value, measure, band = COLUMN_CASES[table, column]
    next(row for row in rows[table] if row[KEYS[table]] == key)[column] = value
    if column == KEYS[table] == "category_name" and table == "product_categories":
        rows["product_category_details"] = [row for row in rows["product_category_details"] if row[column] != key]
    if column == KEYS[table] == "channel_name":
        rows["marketing_campaigns"] = [row for row in rows["marketing_campaigns"] if row[column] != key]

    moves(measure, usual, world_of(rows), *band)


@pytest.mark.parametrize("table", SHOWN)
def test_every_default_row_shows(usual, table):
    assert set(SHOWN[table](usual)) == {row[KEYS[table]] for row in usual.configuration.rows(table)}


def test_every_default_row_of_details_shapes_its_category(usual):
    """Its subcategories name the category's products, which cost what it says: a median of 200 is good to a tenth or so."""
    catalogue = catalogue_of(usual.configuration)
    for code, category in enumerate(usual.configuration.categories):
        products = np.flatnonzero(catalogue.category == code)
        texts = [catalogue.json_fields[product] for product in products]

        assert {json.loads(f"{{{text}}}")["subcategory"] for text in texts} == set(category["subcategories"])
        assert np.median(catalogue.price[products]) / 100 == pytest.approx(category["typical_price"], rel=0.25)


def test_every_campaign_runs_in_its_months_and_no_other(usual):
    count = 60_000
    numbers = np.arange(1, count + 1)
    at = from_datetime(np.datetime64("2026-01-01")) + numbers * (365 * DAY_MS // count)
    touches = reminders(usual.configuration, numbers, numbers, at)
    impressions = touches["touch_type"] == "impression"
    seen = pandas.DataFrame(
        {
            "campaign": touches["campaign_name"][impressions],
            "month": MONTH_OF_DAY[touches["due_ms"][impressions] // DAY_MS] + 1,
        }
    ).dropna()
    expected = {
        row["campaign_name"]: set(row["active_months"] or range(1, 13))
        for row in usual.configuration.rows("marketing_campaigns")
    }

    assert {name: set(months) for name, months in seen.groupby("campaign")["month"]} == expected


@pytest.fixture(scope="module")
def extended(default_tables, world_of) -> World:
    """The world with one row more in every table."""
    return world_of(
        {table: [*rows, *([NEW_ROWS[table]] if table in NEW_ROWS else [])] for table, rows in default_tables.items()}
    )


@pytest.mark.parametrize("table", SHOWN)
def test_a_new_row_simply_works(extended, table):
    assert NEW_ROWS[table][KEYS[table]] in set(SHOWN[table](extended))


def test_a_new_category_s_details_and_a_new_campaign_work_too(extended):
    assert products_named("Puzzles")(extended) == extended.configuration.parameters["products_per_category"]
    assert campaign("black_friday", "email")(extended) > 0.1
