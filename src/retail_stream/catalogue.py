"""The product catalogue: a few hundred products per category, with names, brands, prices and costs that never change by
themselves.
"""

import json
from dataclasses import dataclass

import numpy as np

from retail_stream.configuration import Configuration
from retail_stream.keyed_randomness import Choice, Search
from retail_stream.quantile_tables import draw_normal, exponential
from retail_stream.world import ADJECTIVES, BRANDS

KIND = "product"
NUMBERS_PER_CATEGORY = 10_000  # a product's id is its category's code times this, plus its number in the category
POPULARITY_SPREAD = 1.0  # of log popularity: the best-selling fifth of the products then makes two thirds of the lines
_ADJECTIVES = Choice(np.ones(len(ADJECTIVES)))
PRICE_BAND = (0.85, 1.18)  # around what a customer means to spend; their geometric mean is 1


@dataclass(frozen=True)
class Catalogue:
    """Columns over products, ordered by category and price."""

    product_id: np.ndarray
    category: np.ndarray  # index in Configuration.categories
    price: np.ndarray  # cents, as all money inside the generator
    cost: np.ndarray
    popularity_before: np.ndarray  # running sum of weights up to the product, one longer than the products
    by_popularity: Search  # in that sum
    first_of_category: np.ndarray  # where each category begins, one longer than the categories
    first_from: np.ndarray  # the first product of each category (rows) that costs at least so many dollars (columns)
    json_fields: list[str]  # the product's part of an order line's JSON

    def choose(self, category: np.ndarray, budget: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        """A product of the category whose price is near the budget in cents, the popular ones more often."""
        low = self._first_beyond(category, budget * PRICE_BAND[0], np.greater)
        high = self._first_beyond(category, budget * PRICE_BAND[1], np.greater_equal)
        before = self.popularity_before.take(low)
        target = before + (uniforms * (self.popularity_before.take(high) - before)).astype(np.int64)
        found = self.by_popularity.find(target)
        # Nothing in the band: the next product above or the last one below, whichever is nearer.
        none = np.flatnonzero(low >= high)
        if len(none):
            above = np.minimum(low[none], self.first_of_category[category[none] + 1] - 1)
            below = np.maximum(low[none] - 1, self.first_of_category[category[none]])
            wanted = budget[none]
            found[none] = np.where(self.price[above] - wanted <= wanted - self.price[below], above, below)
        return found

    def _first_beyond(self, category: np.ndarray, cents: np.ndarray, passes: np.ufunc) -> np.ndarray:
        """The first product of each category whose price the cents do not pass. A price ends in 99 cents, so that
        there is one for each dollar.
        """
        last = self.first_from.shape[1] - 2
        dollars = np.minimum((cents / 100.0).astype(np.int64), last)
        passed = passes(cents, dollars * 100 + 99)
        dollars += passed
        dollars += category * self.first_from.shape[1]
        return self.first_from.ravel().take(dollars)


def catalogue_of(configuration: Configuration) -> Catalogue:
    """The catalogue that the category tables describe."""
    parts = [_products(configuration, code, category) for code, category in enumerate(configuration.categories)]
    columns = {
        name: np.concatenate([part[name] for part in parts])
        for name in ("product_id", "category", "price", "cost", "weight")
    }
    before = np.concatenate(([0], np.cumsum(columns["weight"])))
    first = np.concatenate(([0], np.cumsum([len(part["price"]) for part in parts])))
    borders = np.arange(columns["price"].max() // 100 + 2) * 100
    return Catalogue(
        product_id=columns["product_id"],
        category=columns["category"],
        price=columns["price"],
        cost=columns["cost"],
        popularity_before=before,
        by_popularity=Search(before),
        first_of_category=first,
        first_from=np.array(
            [start + np.searchsorted(part["price"], borders) for start, part in zip(first, parts, strict=False)]
        ),
        json_fields=[text for part in parts for text in part["json_fields"]],
    )


def _products(configuration: Configuration, code: int, category: dict) -> dict:
    parameters, randomness = configuration.parameters, configuration.randomness
    product_id = category["code"] * NUMBERS_PER_CATEGORY + np.arange(1, parameters["products_per_category"] + 1)

    def normal(purpose: str) -> np.ndarray:
        return draw_normal(configuration.quantiles("half_normal"), randomness.uniform(KIND, purpose, product_id))

    dollars = category["typical_price"] * exponential(category["price_spread"] * normal("price"))
    dollars = np.clip(dollars, parameters["price_range_min"], parameters["price_range_max"])
    price = np.floor(dollars + 0.5).astype(np.int64) * 100 - 1
    order = np.lexsort((product_id, price))
    subcategories = category["subcategories"]
    subcategory = randomness.below(len(subcategories), KIND, "subcategory", product_id)
    brand = randomness.below(len(BRANDS), KIND, "brand", product_id)
    adjective = randomness.pick(_ADJECTIVES, KIND, "adjective", product_id)
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
