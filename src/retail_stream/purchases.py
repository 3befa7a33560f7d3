"""Orders: what a customer buys, through which channel, and what it costs, as a pure function of the order's number and
the customer.

The order's target value is drawn first (gamma-gamma); the basket is then picked to meet it. Money is in whole cents.
"""

from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np

from retail_stream.catalogue import Catalogue, catalogue_of
from retail_stream.configuration import Configuration
from retail_stream.groups import expanded, starts, sums
from retail_stream.keyed_randomness import LINE_STRIDE, Choice, row_checksums
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

KIND, LINE = "order", "order line"
LEAST_LINE = 1500  # cents of budget per line: who has less to spend buys fewer things
PICKUP = SHIPPING_METHODS.index("pickup")
STORE = SALES_CHANNELS.index("store")
NO_WAREHOUSE = -1
_CHANNEL_LISTS = {"device": DEVICES, "payment": PAYMENTS, "shipping": SHIPPING}
CHOICES = {  # every text an order may carry for a purpose, so that it travels as a code
    purpose: tuple(dict.fromkeys(text for options in lists.values() for text, _ in options))
    for purpose, lists in _CHANNEL_LISTS.items()
}


def _of_channel(purpose: str) -> Choice:
    """One of the options that an order's channel offers (rows), so that no web order meets a till."""
    weights = np.zeros((len(SALES_CHANNELS), len(CHOICES[purpose])))
    for row, name in enumerate(SALES_CHANNELS):
        for text, weight in _CHANNEL_LISTS[purpose][name]:
            weights[row, CHOICES[purpose].index(text)] = weight
    return Choice(weights)


_OF_CHANNEL = {purpose: _of_channel(purpose) for purpose in _CHANNEL_LISTS}
_BASKET_SIZES = Choice(BASKET_SIZES)


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
        columns = [getattr(self, field.name) for field in fields(self)][:10]
        return row_checksums(*vars(orders).values(), *columns, sums(of_lines, self.first_line))


class Shop:
    """What every order of a configuration needs: the catalogue, the calendar, the warehouses."""

    def __init__(self, configuration: Configuration):
        self.configuration = configuration
        self.calendar = configuration.once(Calendar)
        self.catalogue = configuration.once(catalogue_of)
        self.warehouses = Choice(warehouse_weights(configuration))
        self.channels = Choice(configuration.parameters["sales_channel_weights"])
        self.seasons = Choice(self.calendar.category_shares.T, total=1.0)

    def purchases(self, orders: Orders) -> Purchases:
        """The baskets, prices and ways of these orders."""
        channel = self._channels(orders)
        device, payment, shipping = (
            self._pick(_OF_CHANNEL[purpose], orders, purpose, row=channel)
            for purpose in ("device", "payment", "shipping")
        )
        sent = np.flatnonzero(shipping != PICKUP)
        warehouse = np.full(len(shipping), NO_WAREHOUSE)
        region = STATE_REGION[orders.state[sent]]
        warehouse[sent] = self._pick(self.warehouses, orders, "warehouse", sent, region)

        target = self._target_values(orders)
        cost = self._shipping_costs(shipping, target)
        discount_rate = self._discount_rates(orders)  # thousandths
        tax_rate = np.floor(
            STATE_TAX_RATIO[orders.state] * self.configuration.parameters["tax_rate"] * 10_000 + 0.5
        )  # hundredths of 1 %
        budget = (target - cost) / ((1.0 - discount_rate / 1000.0) * (1.0 + tax_rate / 10_000.0))
        lines = self._baskets(orders, np.maximum(budget, 300.0), discount_rate)

        first_line = starts(np.bincount(lines.order, minlength=len(orders.order_id)))
        gross = lines.total + lines.discount
        subtotal, discount_total = sums(gross, first_line), sums(lines.discount, first_line)
        tax_total = ((subtotal - discount_total) * tax_rate.astype(np.int64) + 5_000) // 10_000
        return Purchases(
            channel=channel,
            device=device,
            payment=payment,
            shipping=shipping,
            warehouse=warehouse,
            subtotal=subtotal,
            discount_total=discount_total,
            tax_total=tax_total,
            shipping_total=cost,
            final_total=subtotal - discount_total + tax_total + cost,
            first_line=first_line,
            lines=lines,
            catalogue=self.catalogue,
        )

    def _uniform(self, orders: Orders, purpose: str, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        return self.configuration.randomness.uniform(KIND, purpose, orders.order_id[rows])

    def _pick(
        self,
        choice: Choice,
        orders: Orders,
        purpose: str,
        rows: np.ndarray | slice = slice(None),
        row: np.ndarray | None = None,
    ) -> np.ndarray:
        return self.configuration.randomness.pick(choice, KIND, purpose, orders.order_id[rows], row)

    def _channels(self, orders: Orders) -> np.ndarray:
        habit = self.configuration.parameters["preferred_channel_probability"]
        other = np.flatnonzero(self._uniform(orders, "habit") >= habit)
        channel = orders.preferred_channel.copy()
        channel[other] = self._pick(self.channels, orders, "channel", other)
        return channel

    def _target_values(self, orders: Orders) -> np.ndarray:
        """The final total that the order aims at, in cents: segment mean x the customer's factor x the order's (Fader,
        Hardie 2005).
        """
        means = np.array([segment["avg_order_value"] for segment in self.configuration.segments], dtype=np.float64)
        factor = draw(self.configuration.quantiles("order_value"), self._uniform(orders, "value"))
        return (100.0 * means)[orders.segment] * (orders.value_factor / MILLION) * factor

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
        often = parameters["discount_probability"] * 2.0 * sensitivity
        found = np.flatnonzero(self._uniform(orders, "discount") < often)
        depth = np.minimum(self._uniform(orders, "discount depth", found) * (0.5 + sensitivity[found]), 0.999)
        steps = np.floor(DISCOUNT_RATES * parameters["discount_max"] * 1000.0 + 0.5).astype(np.int64)
        rates = np.zeros(len(sensitivity), dtype=np.int64)
        rates[found] = steps[(depth * len(steps)).astype(np.int64)]
        return rates

    def _baskets(self, orders: Orders, budget: np.ndarray, discount_rate: np.ndarray) -> Lines:
        """Lines that spend the budget: each takes about its share of what is left, the last one what remains."""
        wanted_lines = 1 + self._pick(_BASKET_SIZES, orders, "basket size")
        wanted_lines = np.minimum(wanted_lines, 1 + (budget // LEAST_LINE).astype(np.int64))
        dearest = self.catalogue.price[self.catalogue.first_of_category[1:] - 1]
        row, size, left = np.arange(len(budget)), wanted_lines, budget
        order_id, favourite = orders.order_id, orders.favourite_category
        month = local_months(orders.ordered_ms, orders.zone)
        count, parts = np.zeros(len(budget), dtype=np.int64), []
        for number in range(1, len(BASKET_SIZES) + 1):
            keys = order_id * LINE_STRIDE + number

            def uniform(purpose: str, rows: np.ndarray | slice = slice(None), keys=keys) -> np.ndarray:
                return self.configuration.randomness.uniform(LINE, purpose, keys[rows])

            more = np.flatnonzero(size > number)
            wanted = left.copy()
            wanted[more] *= np.minimum((0.5 + uniform("share", more)) / (size[more] - number + 1), 1.0)
            category = self._categories(favourite, month, keys)
            # More than the dearest product costs: several of it.
            quantity = np.maximum(np.ceil(wanted / dearest.take(category)).astype(np.int64), 1)
            ample = np.flatnonzero(wanted > 2 * LEAST_LINE)
            several = uniform("quantity", ample)
            quantity[ample] = np.maximum(quantity[ample], 1 + (several >= 0.80) + (several >= 0.95))
            product = self.catalogue.choose(category, wanted / quantity, uniform("product"))
            left = left - self.catalogue.price.take(product) * quantity
            count[row] = number
            parts.append((row, number, product, quantity))
            more = more[left[more] >= LEAST_LINE / 2]
            row, size, left, order_id, favourite, month = (
                column.take(more) for column in (row, size, left, order_id, favourite, month)
            )
        first, (order, index) = starts(count), expanded(count)
        product, quantity = np.empty((2, len(order)), dtype=np.int64)
        for row, number, products, quantities in parts:
            place = first.take(row) + (number - 1)
            product[place], quantity[place] = products, quantities
        gross = self.catalogue.price.take(product) * quantity
        discount = (gross * discount_rate.take(order) + 500) // 1000
        return Lines(order, index + 1, product, quantity, discount, gross - discount)

    def _categories(self, favourite: np.ndarray, month: np.ndarray, keys: np.ndarray) -> np.ndarray:
        """The season's category, or the customer's favourite as often as the season allows: over all, shares stay the
        season's.
        """
        randomness = self.configuration.randomness
        in_season = self.calendar.category_months / self.calendar.month_factors
        likely = (self.configuration.parameters["favourite_category_probability"] * in_season)[favourite, month]
        other = np.flatnonzero((randomness.uniform(LINE, "favourite", keys) >= likely) | (favourite < 0))
        category = favourite.copy()
        category[other] = randomness.pick(self.seasons, LINE, "category", keys[other], month[other])
        return category


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
