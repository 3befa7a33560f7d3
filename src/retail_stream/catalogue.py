"""The product catalogue: a few hundred products per category, with names, brands, prices and costs that never change by
themselves.
"""

import json
from dataclasses import dataclass

import numpy as np

from retail_stream.configuration import Configuration
from retail_stream.keyed_randomness import pick
from retail_stream.quantile_tables import draw_normal, exponential
from retail_stream.world import ADJECTIVES, BRANDS

KIND = "product"
NUMBERS_PER_CATEGORY = 10_000  # a product's id is its category's code times this, plus its number in the category
POPULARITY_SPREAD = 1.0  # of log popularity: the best-selling fifth of the products then makes two thirds of the lines
PRICE_BAND = (0.85, 1.18)  # around what a customer means to spend; their geometric mean is 1


@dataclass(frozen=True)
class Catalogue:
    """Columns over products, ordered by category and price."""

    product_id: np.ndarray
    category: np.ndarray  # index in Configuration.categories
    price: np.ndarray  # cents, as all money inside the generator
    cost: np.ndarray
    popularity_before: np.ndarray  # running sum of weights up to the product, one longer than the products
    first_of_category: np.ndarray  # where each category begins, one longer than the categories
    json_fields: list[str]  # the product's part of an order line's JSON

    def choose(self, category: np.ndarray, budget: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        """A product of the category whose price is near the budget in cents, the popular ones more often."""
        chosen = np.empty(len(category), dtype=np.int64)
        for code in range(len(self.first_of_category) - 1):
            rows = np.flatnonzero(category == code)
            start, end = self.first_of_category[code], self.first_of_category[code + 1]
            prices, wanted = self.price[start:end], budget[rows]
            low = np.searchsorted(prices, wanted * PRICE_BAND[0], side="left")
            high = np.searchsorted(prices, wanted * PRICE_BAND[1], side="right")
            before = self.popularity_before[start : end + 1]
            target = before[low] + np.floor(uniforms[rows] * (before[high] - before[low]))
            found = np.searchsorted(before, target, side="right") - 1
            # Nothing in the band: the next product above or the last one below, whichever is nearer.
            none = np.flatnonzero(low >= high)
            above = np.minimum(low[none], len(prices) - 1)
            below = np.maximum(low[none] - 1, 0)
            found[none] = np.where(prices[above] - wanted[none] <= wanted[none] - prices[below], above, below)
            chosen[rows] = start + found
        return chosen


def catalogue_of(configuration: Configuration) -> Catalogue:
    """The catalogue that the category tables describe."""
    parts = [_products(configuration, code, category) for code, category in enumerate(configuration.categories)]
    columns = {
        name: np.concatenate([part[name] for part in parts])
        for name in ("product_id", "category", "price", "cost", "weight")
    }
    return Catalogue(
        product_id=columns["product_id"],
        category=columns["category"],
        price=columns["price"],
        cost=columns["cost"],
        popularity_before=np.concatenate(([0], np.cumsum(columns["weight"]))),
        first_of_category=np.concatenate(([0], np.cumsum([len(part["price"]) for part in parts]))),
        json_fields=[text for part in parts for text in part["json_fields"]],
    )


def _products(configuration: Configuration, code: int, category: dict) -> dict:
    parameters, randomness = configuration.parameters, configuration.randomness
    product_id = category["code"] * NUMBERS_PER_CATEGORY + np.arange(1, parameters["products_per_category"] + 1)

    def normal(purpose: str) -> np.ndarray:
        return draw_normal(configuration.quantiles("half_normal"), randomness.uniform(KIND, purpose, product_id))

    dollars = category["typical_price"] * exponential(category["price_spread"] * normal("price"))
    dollars = np.clip(dollars, parameters["price_range_min"], parameters["price_range_max"])
    price = np.maximum(np.floor(dollars + 0.5).astype(np.int64) * 100 - 1, 49)
    order = np.lexsort((product_id, price))
    subcategories = category["subcategories"]
    subcategory = randomness.below(len(subcategories), KIND, "subcategory", product_id)
    brand = randomness.below(len(BRANDS), KIND, "brand", product_id)
    adjective = pick(np.arange(1.0, len(ADJECTIVES) + 1), randomness.uniform(KIND, "adjective", product_id))
    fields = [
        json.dumps(
            {
                "product_id": int(product_id[row]),
                "product_name": f"{BRANDS[brand[row]]} {ADJECTIVES[adjective[row]]} "
                f"{subcategories[subcategory[row]].title()} {product_id[row] % NUMBERS_PER_CATEGORY}",
                "category_name": category["category_name"],
                "subcategory": subcategories[subcategory[row]],
                "brand": BRANDS[brand[row]],
            },
            ensure_ascii=False,
        )[1:-1]
        for row in order
    ]
    return {
        "product_id": product_id[order],
        "category": np.full(len(order), code),
        "price": price[order],
        "cost": np.floor(price[order] * (1.0 - category["margin_rate"]) + 0.5).astype(np.int64),
        "weight": (np.floor(1000.0 * exponential(POPULARITY_SPREAD * normal("popularity"))).astype(np.int64) + 1)[
            order
        ],
        "json_fields": fields,
    }
