"""The consumer's tables as one value: read, checked as a whole, and kept with each run as its snapshot.

A `Configuration` is made from rows by `from_tables`, which tells all faults at once, and travels to the table functions
as the JSON text of its snapshot. Nothing else about a run's settings exists anywhere, so the snapshot alone repeats the
run.
"""

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeVar

import numpy as np

from retail_stream import quantile_tables
from retail_stream.keyed_randomness import Randomness, text_code
from retail_stream.world import CENSUS_MONTHS, SALES_CHANNELS

Made = TypeVar("Made")
LAW_VERSION = 1  # a published law never changes: an improvement is a new number, for new customers and runs

# What each column may hold. text: a name; number: (least, most); integer: likewise, whole; months and texts: JSON
# arrays.
COLUMNS: dict[str, dict[str, tuple]] = {
    "customer_segments": {
        "segment_name": ("text",),
        "weight": ("number", 0, 1e9),
        "avg_order_value": ("number", 5, 50_000),
        "purchase_frequency": ("number", 0, 60),
    },
    "product_categories": {
        "category_name": ("text",),
        "seasonal_peak_months": ("months",),
        "margin_rate": ("number", 0, 0.99),
        "return_rate": ("number", 0, 0.9),
    },
    "product_category_details": {
        "category_name": ("text",),
        "season_kind": ("choice", tuple(CENSUS_MONTHS)),
        "popularity": ("number", 0, 1e9),
        "typical_price": ("number", 1, 20_000),
        "price_spread": ("number", 0, 2),
        "subcategories": ("texts",),
    },
    "marketing_channels": {
        "channel_name": ("text",),
        "cost_per_acquisition": ("number", 0, 100_000),
        "conversion_rate": ("number", 0, 1),
        "engagement_rate": ("number", 0, 1),
    },
    "marketing_campaigns": {
        "campaign_name": ("text",),
        "channel_name": ("text",),
        "weight": ("number", 0, 1e9),
        "active_months": ("months",),
    },
    "warehouses": {
        "warehouse_id": ("integer", 1, 999),
        "location_name": ("text",),
        "capacity": ("number", 1, 1e9),
    },
    "generation_parameters": {"parameter_name": ("text",), "parameter_value": ("text",)},
}
KEYS = {table: next(iter(columns)) for table, columns in COLUMNS.items()}
WEIGHTS = {  # not all of them may be zero
    "customer_segments": "weight", "product_category_details": "popularity", "marketing_channels": "conversion_rate",
}  # fmt: skip
NAMED = {"product_category_details": "product_categories", "marketing_campaigns": "marketing_channels"}
MAY_BE_EMPTY = {"product_category_details", "marketing_campaigns"}
PARAMETERS = {
    "seed": ("integer", 0, 2**53),
    "first_run_days": ("integer", 1, 366),
    "daily_customer_events": ("number", 0, 1e6),
    "buys_at_sign_up_probability": ("number", 0, 1),
    "repeat_customer_probability": ("number", 0, 1),
    "yearly_growth": ("number", -0.5, 5),
    "rate_shape": ("number", 0.2, 20),
    "dropout_shape": ("number", 0.1, 20),
    "dropout_scale_weeks": ("number", 0.5, 5_000),
    "order_value_shape": ("number", 0.5, 40),
    "customer_value_shape": ("number", 2.5, 40),
    "weekday_weights": ("numbers", 7),
    "hour_weights": ("numbers", 24),
    "seasonal_lift": ("number", 0, 5),
    "holiday_strength": ("number", 0, 1.5),
    "sales_channel_weights": ("numbers", len(SALES_CHANNELS)),
    "preferred_channel_probability": ("number", 0, 1),
    "favourite_category_probability": ("number", 0, 1),
    "products_per_category": ("integer", 5, 5_000),
    "price_range_min": ("number", 0.5, 1_000),
    "price_range_max": ("number", 10, 100_000),
    "discount_probability": ("number", 0, 1),
    "discount_max": ("number", 0, 0.9),
    "tax_rate": ("number", 0, 0.5),
    "shipping_cost_max": ("number", 0, 500),
    "free_shipping_threshold": ("number", 0, 100_000),
    "return_window_days": ("integer", 1, 365),
    "impressions_per_order": ("integer", 0, 12),
    "delay_probability": ("number", 0, 1),
    "stock_out_probability": ("number", 0, 1),
    "events_per_shard": ("integer", 1, 100_000),
}
CATEGORY_DEFAULTS = {  # for a category that has no row in PRODUCT_CATEGORY_DETAILS
    "season_kind": "all_retail",
    "popularity": 1.0,
    "typical_price": 30.0,
    "price_spread": 0.8,
    "subcategories": ["general"],
}
LONGEST_TEXT = 100


@dataclass(frozen=True)
class Fault:
    """One setting that cannot be honoured, and what would be right."""

    table: str
    row: str
    column: str
    value: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.table}, row {self.row}, column {self.column}, value {self.value}: {self.remedy}"


class ConfigurationRefused(Exception):
    """The reference tables cannot be honoured; nothing was generated."""

    def __init__(self, faults: list[Fault]):
        self.faults = faults
        lines = "\n".join(f"- {fault}" for fault in faults)
        super().__init__(
            f"The reference data cannot be honoured ({len(faults)} faults); nothing was generated:\n{lines}"
        )


@dataclass(frozen=True)
class Configuration:
    """One run's settings. `snapshot` is a JSON value: law_version, tables, former_segments, quantiles."""

    snapshot: dict

    def text(self) -> str:
        """The snapshot as JSON text, the same for equal settings."""
        return json.dumps(self.snapshot, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def rows(self, table: str) -> list[dict]:
        """A reference table's rows, ordered by key."""
        return self.snapshot["tables"][table]

    def checksums(self) -> dict[str, str]:
        """MD5 per reference table, free of the order in which rows were read."""
        return {
            table: hashlib.md5(json.dumps(rows, sort_keys=True).encode(), usedforsecurity=False).hexdigest()
            for table, rows in self.snapshot["tables"].items()
        }

    @cached_property
    def parameters(self) -> dict:
        return {row["parameter_name"]: row["parameter_value"] for row in self.rows("generation_parameters")}

    @cached_property
    def randomness(self) -> Randomness:
        return Randomness(self.parameters["seed"], self.snapshot["law_version"])

    @cached_property
    def segments(self) -> list[dict]:
        """The segments, then those deleted since, which keep their last row for the customers they have."""
        return self.rows("customer_segments") + self.snapshot["former_segments"]

    @cached_property
    def categories(self) -> list[dict]:
        """The product categories, each with its details."""
        details = {row["category_name"]: row for row in self.rows("product_category_details")}
        return [
            CATEGORY_DEFAULTS
            | details.get(row["category_name"], {})
            | row
            | {"code": text_code(row["category_name"], 100_000)}
            for row in self.rows("product_categories")
        ]

    def quantiles(self, name: str) -> np.ndarray:
        """A table of quantiles: purchase_rate, lifetime, order_value, customer_value, exponential, half_normal."""
        return self._quantiles[name]

    @cached_property
    def _quantiles(self) -> dict[str, np.ndarray]:
        return {name: np.array(values) for name, values in self.snapshot["quantiles"].items()}

    def once(self, make: Callable[["Configuration"], Made]) -> Made:
        """What a function makes of this configuration, made at the first call and kept."""
        if make not in self._made:
            self._made[make] = make(self)
        return self._made[make]

    @cached_property
    def _made(self) -> dict:
        return {}

    def column(self, table: str, column: str) -> np.ndarray:
        return np.array([row[column] for row in self.rows(table)], dtype=np.float64)


@lru_cache(maxsize=4)
def from_text(text: str) -> Configuration:
    """The configuration that a snapshot's text describes."""
    return Configuration(json.loads(text))


def from_tables(tables: dict[str, list[dict]], previous: dict | None = None) -> Configuration:
    """The configuration that the rows make, with the previous snapshot's segments kept if they are gone.

    Raises:
        ConfigurationRefused: with every fault of every table.
    """
    faults: list[Fault] = []
    clean = {table: _clean_table(table, tables.get(table, []), faults) for table in COLUMNS}
    _check_together(clean, faults)
    if faults:
        raise ConfigurationRefused(faults)
    previous = previous or {}
    known = {row["segment_name"] for row in clean["customer_segments"]}
    former = {row["segment_name"]: row for row in previous.get("former_segments", []) + previous.get("segments", [])}
    parameters = {row["parameter_name"]: row["parameter_value"] for row in clean["generation_parameters"]}
    return Configuration(
        {
            "law_version": LAW_VERSION,
            "tables": clean,
            "former_segments": [row for name, row in sorted(former.items()) if name not in known],
            "quantiles": _quantile_tables(*(parameters[name] for name in SHAPES)),
        }
    )


SHAPES = ("rate_shape", "dropout_shape", "dropout_scale_weeks", "order_value_shape", "customer_value_shape")
RATE_CUT = 0.999  # no customer buys more often than all but one in a thousand
TAIL_CUT = 1.0 - 1e-6
LONGEST_LIFE_WEEKS = 5 * 365.25 / 7


@lru_cache(maxsize=4)
def _quantile_tables(rate_shape, dropout_shape, dropout_scale, order_shape, customer_shape) -> dict[str, list[float]]:
    """Schmittlein, Morrison, Colombo 1987 (Pareto/NBD) and Fader, Hardie 2005 (gamma-gamma), as tables with mean 1
    where they are factors.
    """
    gamma, grid = quantile_tables.gamma_quantiles, quantile_tables.probabilities
    rate = gamma(rate_shape, grid(RATE_CUT))
    order_value = gamma(order_shape, grid(TAIL_CUT))
    customer_value = 1.0 / gamma(customer_shape, 1.0 - grid(TAIL_CUT))
    tables = {
        "purchase_rate": rate / quantile_tables.table_mean(rate),
        "lifetime": quantile_tables.lomax_quantiles(dropout_shape, dropout_scale, LONGEST_LIFE_WEEKS),
        "order_value": order_value / quantile_tables.table_mean(order_value),
        "customer_value": customer_value / quantile_tables.table_mean(customer_value),
        "exponential": gamma(1.0, grid(TAIL_CUT)),
        "half_normal": np.sqrt(2.0 * gamma(0.5, grid(TAIL_CUT))),
    }
    return {name: quantile_tables.rounded(table) for name, table in tables.items()}


def _clean_table(table: str, rows: list[dict], faults: list[Fault]) -> list[dict]:
    """The rows with exact numbers and parsed arrays, ordered by key; what cannot be honoured goes to the faults."""
    key = KEYS[table]
    if not rows and table not in MAY_BE_EMPTY:
        faults.append(Fault(table, "none", key, "no rows", "insert at least one row, or install the defaults again"))
    clean, seen = [], set()
    for row in rows:
        name = str(row.get(key))
        if name in seen:
            delete = f"DELETE FROM reference_data.{table} WHERE {key} = {_quoted(name)}"
            remedy = f"names must be unique; {delete}, then insert one row"
            faults.append(Fault(table, name, key, name, remedy))
        seen.add(name)
        rules = COLUMNS[table]
        if table == "generation_parameters":
            if name not in PARAMETERS:
                remedy = f"no such parameter; DELETE FROM reference_data.{table} WHERE {key} = {_quoted(name)}"
                faults.append(Fault(table, name, key, name, remedy))
                continue
            rules = {key: ("text",), "parameter_value": PARAMETERS[name]}
        clean.append(
            {column: _clean_value(table, name, column, rule, row.get(column), faults) for column, rule in rules.items()}
        )
    if table == "generation_parameters":
        remedy = "insert the row; upgrading or reinstalling the app restores its default"
        faults += [Fault(table, name, key, "missing", remedy) for name in PARAMETERS if name not in seen]
    return sorted(clean, key=lambda row: str(row[key]))


def _clean_value(table: str, row: str, column: str, rule: tuple, value, faults: list[Fault]):
    """The value as the generator uses it, or None after a fault."""

    def refuse(remedy: str) -> None:
        faults.append(Fault(table, row, column, "NULL" if value is None else repr(value)[:LONGEST_TEXT], remedy))

    kind, *limits = rule
    if value is None:
        return refuse("must not be NULL")
    if kind == "text":
        text = str(value)
        if not text.strip() or len(text) > LONGEST_TEXT or not text.isprintable():
            return refuse(f"must be 1 to {LONGEST_TEXT} printable characters")
        return text
    if kind == "choice":
        return value if value in limits[0] else refuse(f"must be one of {', '.join(limits[0])}")
    if kind in ("number", "integer"):
        return _clean_number(kind, value, limits[0], limits[1], refuse)
    try:
        items = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):  # brackets may be nested without end
        items = None
    if not isinstance(items, list):
        return refuse("must be a JSON array, such as [11, 12]")
    if kind == "months":
        whole = all(isinstance(item, int) and not isinstance(item, bool) and 1 <= item <= 12 for item in items)
        return sorted(set(items)) if whole else refuse("must be a JSON array of months from 1 to 12")
    if kind == "texts":
        named = all(
            isinstance(item, str) and item.strip() and item.isprintable() and len(item) <= LONGEST_TEXT
            for item in items
        )
        return items if items and named else refuse('must be a JSON array of names, such as ["general"]')
    numbers = [
        item for item in items if isinstance(item, (int, float)) and not isinstance(item, bool) and 0 <= item <= 1e6
    ]
    if len(numbers) != len(items) or len(items) != limits[0] or not sum(numbers) > 0:
        return refuse(f"must be a JSON array of {limits[0]} weights, none negative and not all zero")
    return numbers


def _clean_number(kind: str, value, least: float, most: float, refuse):
    try:
        number = math.nan if isinstance(value, bool) or "_" in str(value) else float(value)  # 1_000: to Python only
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not least <= number <= most:
        return refuse(f"must be a number from {least:g} to {most:g}")
    if number != int(number) and kind == "integer":
        return refuse(f"must be a whole number from {least:g} to {most:g}")
    return int(number) if number == int(number) else number


def _check_together(tables: dict[str, list[dict]], faults: list[Fault]) -> None:
    """What no single row can tell."""
    for table, column in WEIGHTS.items():
        weights = [row[column] or 0 for row in tables[table]]
        if weights and not sum(weights) > 0:
            faults.append(Fault(table, "all", column, "0", "at least one must be above zero"))
    for table, other in NAMED.items():
        column = KEYS[other]
        known = {row[column] for row in tables[other]}
        for row in tables[table]:
            if row[column] not in known:
                remedy = f"no such {column} in {other}: insert it there, or delete this row"
                faults.append(Fault(table, str(row[KEYS[table]]), column, str(row[column]), remedy))
    codes: dict[int, str] = {}
    for name in (str(row["category_name"]) for row in tables["product_categories"]):
        other = codes.setdefault(text_code(name, 100_000), name)
        if other != name:
            remedy = f"its product numbers would be those of {other}; choose another name"
            faults.append(Fault("product_categories", name, "category_name", name, remedy))
    prices = {row["parameter_name"]: row["parameter_value"] for row in tables["generation_parameters"]}
    if (prices.get("price_range_min") or 0) >= (prices.get("price_range_max") or math.inf):
        found = ("price_range_min", "parameter_value", str(prices["price_range_min"]))
        faults.append(Fault("generation_parameters", *found, "must be below price_range_max"))


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
