"""Orders: what a customer buys, through which channel, and what it costs, as a pure function of the order's number and
the customer.

The order's target value is drawn first (gamma-gamma); the basket is then picked to meet it. Money is in whole cents.
"""

from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import pairwise

import numpy as np

from retail_stream.catalogue import Catalogue, catalogue_of
from retail_stream.configuration import Configuration, from_text
from retail_stream.keyed_randomness import LINE_STRIDE, pick, pick_from, row_checksums
from retail_stream.places import STATE_REGION, STATE_TAX_RATIO, STATES
from retail_stream.quantile_tables import draw
from retail_stream.slots import MILLION, Calendar, local_months
from retail_stream.world import (
    BASKET_SIZES,
    DEVICES,
    DISCOUNT_RATES,
    PAYMENTS,
    SALES_CHANNELS,
    SHIPPING,
    SHIPPING_COST,
    SHIPPING_METHODS,
)

KIND = "order"
LEAST_LINE = 1500  # cents of budget per line: who has less to spend buys fewer things
PICKUP = SHIPPING_METHODS.index("pickup")
STORE = SALES_CHANNELS.index("store")
NO_WAREHOUSE = -1
_CHANNEL_LISTS = {"device": DEVICES, "payment": PAYMENTS, "shipping": SHIPPING}
CHOICES = {  # every text an order may carry for a purpose, so that it travels as a code
    purpose: tuple(dict.fromkeys(text for options in lists.values() for text, _ in options))
    for purpose, lists in _CHANNEL_LISTS.items()
}


@dataclass(frozen=True)
class Orders:
    """Who orders when: the input columns of a batch of orders, one row per order."""

    order_id: np.ndarray
    customer_id: np.ndarray
    ordered_ms: np.ndarray
    segment: np.ndarray  # index in Configuration.segments
    zone: np.ndarray
    state: np.ndarray  # index in STATES
    price_sensitivity: np.ndarray  # thousandths
    favourite_category: np.ndarray  # index in Configuration.categories, -1 for a category that is gone
    preferred_channel: np.ndarray  # index in SALES_CHANNELS
    value_factor: np.ndarray  # millionths


@dataclass(frozen=True)
class Lines:
    """The orders' lines, ordered by order and line number."""

    order: np.ndarray  # index in Orders
    line_number: np.ndarray
    product: np.ndarray  # index in the catalogue
    quantity: np.ndarray
    discount: np.ndarray
    total: np.ndarray  # quantity * price - discount


@dataclass(frozen=True)
class Purchases:
    """What the orders are, one row per order; codes are indexes in CHOICES, SALES_CHANNELS and SHIPPING_METHODS."""

    channel: np.ndarray
    device: np.ndarray
    payment: np.ndarray
    shipping: np.ndarray
    warehouse: np.ndarray  # index in the warehouses table, or NO_WAREHOUSE
    subtotal: np.ndarray
    discount_total: np.ndarray
    tax_total: np.ndarray
    shipping_total: np.ndarray
    final_total: np.ndarray
    first_line: np.ndarray  # where the order's lines begin, one longer than the orders
    lines: Lines
    catalogue: Catalogue

    def checksums(self, orders: Orders) -> np.ndarray:
        """One hash per order over its typed columns and its lines'."""
        of_lines = row_checksums(*(getattr(self.lines, field.name) for field in fields(Lines) if field.name != "order"))
        sums = np.concatenate(([0], np.cumsum(of_lines)))
        columns = [getattr(self, field.name) for field in fields(self)][:10]
        return row_checksums(*vars(orders).values(), *columns, sums[self.first_line[1:]] - sums[self.first_line[:-1]])


class Shop:
    """What every order of a configuration needs: the catalogue, the calendar, the warehouses."""

    def __init__(self, configuration: Configuration):
        self.configuration = configuration
        self.calendar = Calendar(configuration)
        self.catalogue = catalogue_of(configuration)
        self.warehouse_weights = warehouse_weights(configuration)

    def purchases(self, orders: Orders) -> Purchases:
        """The baskets, prices and ways of these orders."""
        channel = self._channels(orders)
        device, payment, shipping = (
            self._of_channel(orders, channel, purpose) for purpose in ("device", "payment", "shipping")
        )
        shipped = shipping != PICKUP
        warehouse = pick_from(self.warehouse_weights, STATE_REGION[orders.state], self._uniform(orders, "warehouse"))

        target = self._target_values(orders)
        cost = self._shipping_costs(shipping, target)
        discount_rate = self._discount_rates(orders)  # thousandths
        tax_rate = np.floor(
            STATE_TAX_RATIO[orders.state] * self.configuration.parameters["tax_rate"] * 10_000 + 0.5
        )  # hundredths of 1 %
        budget = (target - cost) / ((1.0 - discount_rate / 1000.0) * (1.0 + tax_rate / 10_000.0))
        lines = self._baskets(orders, np.maximum(budget, 300.0), discount_rate)

        first_line = _group_starts(lines.order, len(orders.order_id))
        gross = lines.total + lines.discount
        subtotal, discount_total = _sums(gross, first_line), _sums(lines.discount, first_line)
        tax_total = ((subtotal - discount_total) * tax_rate.astype(np.int64) + 5_000) // 10_000
        return Purchases(
            channel=channel,
            device=device,
            payment=payment,
            shipping=shipping,
            warehouse=np.where(shipped, warehouse, NO_WAREHOUSE),
            subtotal=subtotal,
            discount_total=discount_total,
            tax_total=tax_total,
            shipping_total=cost,
            final_total=subtotal - discount_total + tax_total + cost,
            first_line=first_line,
            lines=lines,
            catalogue=self.catalogue,
        )

    def _uniform(self, orders: Orders, purpose: str) -> np.ndarray:
        return self.configuration.randomness.uniform(KIND, purpose, orders.order_id)

    def _channels(self, orders: Orders) -> np.ndarray:
        weights = np.array(self.configuration.parameters["sales_channel_weights"], dtype=np.float64)
        keeps_habit = self._uniform(orders, "habit") < self.configuration.parameters["preferred_channel_probability"]
        return np.where(
            keeps_habit, orders.preferred_channel, pick(np.cumsum(weights), self._uniform(orders, "channel"))
        )

    def _of_channel(self, orders: Orders, channel: np.ndarray, purpose: str) -> np.ndarray:
        """One of the options that the order's channel offers, so that no web order meets a till."""
        lists, texts = _CHANNEL_LISTS[purpose], CHOICES[purpose]
        weights = np.zeros((len(SALES_CHANNELS), len(texts)))
        for row, name in enumerate(SALES_CHANNELS):
            for text, weight in lists[name]:
                weights[row, texts.index(text)] = weight
        return pick_from(weights, channel, self._uniform(orders, purpose))

    def _target_values(self, orders: Orders) -> np.ndarray:
        """The final total that the order aims at, in cents: segment mean x the customer's factor x the order's (Fader,
        Hardie 2005).
        """
        means = np.array([segment["avg_order_value"] for segment in self.configuration.segments], dtype=np.float64)
        factor = draw(self.configuration.quantiles("order_value"), self._uniform(orders, "value"))
        return 100.0 * means[orders.segment] * (orders.value_factor / MILLION) * factor

    def _shipping_costs(self, shipping: np.ndarray, target: np.ndarray) -> np.ndarray:
        parameters = self.configuration.parameters
        cost = np.floor(SHIPPING_COST[shipping] * parameters["shipping_cost_max"] * 100.0 + 0.5).astype(np.int64)
        free = (shipping == SHIPPING_METHODS.index("standard")) & (
            target >= 100.0 * parameters["free_shipping_threshold"]
        )
        return np.where(free, 0, cost)

    def _discount_rates(self, orders: Orders) -> np.ndarray:
        """Thousandths off the whole order; the more sensitive to prices, the more often and the deeper."""
        parameters = self.configuration.parameters
        sensitivity = orders.price_sensitivity / 1000.0
        discounted = self._uniform(orders, "discount") < parameters["discount_probability"] * 2.0 * sensitivity
        depth = np.minimum(self._uniform(orders, "discount depth") * (0.5 + sensitivity), 0.999)
        rates = np.floor(DISCOUNT_RATES * parameters["discount_max"] * 1000.0 + 0.5).astype(np.int64)
        return np.where(discounted, rates[(depth * len(rates)).astype(np.int64)], 0)

    def _baskets(self, orders: Orders, budget: np.ndarray, discount_rate: np.ndarray) -> Lines:
        """Lines that spend the budget: each takes about its share of what is left, the last one what remains."""
        size = 1 + pick(np.cumsum(BASKET_SIZES), self._uniform(orders, "basket size"))
        size = np.minimum(size, 1 + (budget // LEAST_LINE).astype(np.int64))
        month = local_months(orders.ordered_ms, orders.zone)
        remaining, parts = budget.copy(), []
        for number in range(1, len(BASKET_SIZES) + 1):
            row = np.flatnonzero((size >= number) & ((number == 1) | (remaining >= LEAST_LINE / 2)))
            keys = orders.order_id[row] * LINE_STRIDE + number

            def uniform(purpose: str, keys=keys) -> np.ndarray:
                return self.configuration.randomness.uniform("order line", purpose, keys)

            last = size[row] == number
            share = (0.5 + uniform("share")) / (size[row] - number + 1)
            wanted = remaining[row] * np.where(last, 1.0, np.minimum(share, 1.0))
            category = self._categories(
                orders.favourite_category[row], month[row], uniform("favourite"), uniform("category")
            )
            quantity = 1 + pick(np.array([0.80, 0.95, 1.0]), uniform("quantity")) * (wanted > 2 * LEAST_LINE)
            # More than the dearest product costs: several of it.
            dearest = self.catalogue.price[self.catalogue.first_of_category[1:] - 1][category]
            quantity = np.maximum(quantity, np.ceil(wanted / dearest).astype(np.int64))
            product = self.catalogue.choose(category, wanted / quantity, uniform("product"))
            gross = self.catalogue.price[product] * quantity
            remaining[row] -= gross
            discount = (gross * discount_rate[row] + 500) // 1000
            parts.append((row, np.full(len(row), number), product, quantity, discount, gross - discount))
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        by_order = np.argsort(columns[0], kind="stable")  # a few sorted runs, one behind the other
        row, _, *rest = (column[by_order] for column in columns)
        # Lines are numbered without gaps, also where a middle one found no budget.
        number = np.arange(len(row)) - _group_starts(row, len(budget))[row] + 1
        return Lines(row, number, *rest)

    def _categories(
        self, favourite: np.ndarray, month: np.ndarray, taste: np.ndarray, uniforms: np.ndarray
    ) -> np.ndarray:
        """The season's category, or the customer's favourite as often as the season allows: over all, shares stay the
        season's.
        """
        calendar = self.calendar
        in_season = calendar.category_months[favourite, month] / calendar.month_factors[month]
        likes = taste < self.configuration.parameters["favourite_category_probability"] * in_season
        season = np.zeros(len(month), dtype=np.int64)
        for until in np.cumsum(calendar.category_shares, axis=0)[:-1]:
            season += uniforms >= until[month]
        return np.where(likes & (favourite >= 0), favourite, season)


@lru_cache(maxsize=2)
def shop_of(snapshot_text: str) -> Shop:
    """The shop of a snapshot, made once per process."""
    return Shop(from_text(snapshot_text))


def warehouse_weights(configuration: Configuration) -> np.ndarray:
    """How orders from each region (rows) spread over the warehouses (columns): by capacity, five times as much in the
    own region.
    """
    weights = np.empty((4, len(configuration.rows("warehouses"))))
    for column, row in enumerate(configuration.rows("warehouses")):
        state = row["location_name"].rpartition(",")[2].strip()
        region = STATE_REGION[STATES.index(state)] if state in STATES else -1
        weights[:, column] = row["capacity"] * np.where(np.arange(4) == region, 5.0, 1.0)
    return weights


def lines_json(purchases: Purchases) -> list[str]:
    """Each order's lines as JSON text."""
    lines, catalogue = purchases.lines, purchases.catalogue
    prices = [
        f'"unit_price":{price / 100:.2f},"unit_cost":{cost / 100:.2f}'
        for price, cost in zip(catalogue.price.tolist(), catalogue.cost.tolist(), strict=True)
    ]
    texts = [
        '{"line_number":%d,%s,"quantity":%d,%s,"discount_amount":%d.%02d,"line_total":%d.%02d}' % values  # noqa: UP031
        for values in zip(
            lines.line_number.tolist(),
            map(catalogue.json_fields.__getitem__, lines.product.tolist()),
            lines.quantity.tolist(),
            map(prices.__getitem__, lines.product.tolist()),
            (lines.discount // 100).tolist(),
            (lines.discount % 100).tolist(),
            (lines.total // 100).tolist(),
            (lines.total % 100).tolist(),
            strict=True,
        )
    ]
    borders = purchases.first_line.tolist()
    return ["[" + ",".join(texts[start:end]) + "]" for start, end in pairwise(borders)]


def _group_starts(group: np.ndarray, count: int) -> np.ndarray:
    """Where each of `count` groups of consecutive rows begins, one longer than the groups."""
    return np.concatenate(([0], np.cumsum(np.bincount(group, minlength=count))))


def _sums(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Integer sums over consecutive groups."""
    running = np.concatenate(([0], np.cumsum(values)))
    return running[first[1:]] - running[first[:-1]]
