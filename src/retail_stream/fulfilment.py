"""What follows from an order, fixed by it at once and due later: picking, shipping, delays, delivery, returns; and
stock that runs out.

Outages and stock-outs are functions of (seed, warehouse, category, day), so nothing about them has to be remembered.
What happens carries its latent cause: a word, the number of what brought it about, and how likely it was (millionths).
"""

from typing import NamedTuple

import numpy as np

from retail_stream.configuration import Configuration
from retail_stream.groups import expanded, sums
from retail_stream.keyed_randomness import LINE_STRIDE, Choice
from retail_stream.places import REGION_SHARE
from retail_stream.purchases import NO_WAREHOUSE, STORE, Orders, Purchases, warehouse_weights
from retail_stream.quantile_tables import millionths
from retail_stream.slots import DAY_MS
from retail_stream.world import DELAY_REASONS, RETURN_REASONS, TRANSIT_DAYS

RETURN, SUPPLY_CHAIN = 3, 5  # kinds of event, as they stand in event_id
HOUR_MS = 3_600_000
ORDERS_PER_SIGN_UP = 2.5  # the law's long-run mean by the default parameters: what the configured load is reckoned from
STORE_RETURNS, SHIPPED_RETURNS = (
    0.6,
    1.12,
)  # who has seen a thing in the store brings it back less often; weighted, their mean is 1
PICK, SHIP, DELIVER, DELAY = range(1, 5)  # an order's movements, which number them
MOVEMENT_TYPES = {PICK: "pick", SHIP: "ship", DELIVER: "deliver", DELAY: "delay"}
ORDER_IS_HIT = 0.6  # by a bad day of its warehouse
ARRIVED_LATE = [name for name, _ in RETURN_REASONS].index("arrived_late")
_RETURN_REASONS = Choice(  # of an order in time and of a late one: only what came late is returned for it
    [[0.0 if late < (name == "arrived_late") else weight for name, weight in RETURN_REASONS] for late in (False, True)]
)
_DELAY_REASONS = Choice([weight for _, weight in DELAY_REASONS])


class Deliveries(NamedTuple):
    """How each order gets to its customer: instants in ms; the delay in days, with its reason and cause (None without
    one).
    """

    picked: np.ndarray
    shipped: np.ndarray
    delivered: np.ndarray
    delay: np.ndarray
    reason: np.ndarray
    cause: np.ndarray  # bad_day or stock_out
    caused_by: np.ndarray  # the id of the warehouse, or the number of the stock-out's movement
    likely: np.ndarray  # millionths


def returns(
    configuration: Configuration, orders: Orders, purchases: Purchases, way: Deliveries | None = None
) -> dict[str, np.ndarray]:
    """The returns of these orders, one row each."""
    way = way or deliveries(configuration, orders, purchases)
    lines, catalogue = purchases.lines, purchases.catalogue
    keys = orders.order_id[lines.order] * LINE_STRIDE + lines.line_number

    categories = configuration.categories
    rates = np.array([category["return_rate"] for category in categories], dtype=np.float64)
    category = catalogue.category.take(lines.product)
    by_way = np.where(purchases.channel == STORE, STORE_RETURNS, SHIPPED_RETURNS).take(lines.order)
    likely = np.minimum(rates.take(category) * by_way, 0.95)
    row = np.flatnonzero(configuration.randomness.uniform("return", "happens", keys) < likely)
    keys, order, line_number = keys[row], lines.order[row], lines.line_number[row]

    def uniform(purpose: str) -> np.ndarray:
        return configuration.randomness.uniform("return", purpose, keys)

    days = 1.0 + uniform("days") * (configuration.parameters["return_window_days"] - 1)
    quantity = 1 + np.floor(uniform("quantity") * lines.quantity[row]).astype(np.int64)
    is_late = (way.delay[order] > 0).astype(np.int64)
    reason = configuration.randomness.pick(_RETURN_REASONS, "return", "reason", keys, is_late)
    for_delay = reason == ARRIVED_LATE
    return {
        "kind": np.full(len(row), RETURN),
        "due_ms": way.delivered[order] + np.floor(days * DAY_MS).astype(np.int64),
        "event_number": orders.order_id[order] * LINE_STRIDE + line_number,
        "order_id": orders.order_id[order],
        "line_number": line_number,
        "customer_id": orders.customer_id[order],
        "product_id": catalogue.product_id[lines.product[row]],
        "category_name": np.array([each["category_name"] for each in categories], dtype=object)[category[row]],
        "quantity": quantity,
        "refund": lines.total[row] * quantity // lines.quantity[row],
        "reason": np.array([name for name, _ in RETURN_REASONS], dtype=object)[reason],
        "cause": np.array(["order_line", "delay"], dtype=object)[for_delay.astype(np.int64)],
        "caused_by": np.where(for_delay, _movement_number(orders.order_id[order], DELAY), orders.order_id[order]),
        "likely": millionths(likely[row]),
    }


def deliveries(configuration: Configuration, orders: Orders, purchases: Purchases) -> Deliveries:
    """The ways of these orders.

    What is taken home from a store, or picked up there, is delivered when it is ordered.
    """

    sent = np.flatnonzero(purchases.warehouse != NO_WAREHOUSE)
    order_id = orders.order_id[sent]

    def uniform(purpose: str) -> np.ndarray:
        return configuration.randomness.uniform("delivery", purpose, order_id)

    picked, shipped, delivered = np.tile(orders.ordered_ms, (3, 1))
    picked[sent] += ((0.5 + 5.5 * uniform("picking")) * HOUR_MS).astype(np.int64)
    delay, *why = _delays(configuration, orders, purchases, sent, picked[sent] // DAY_MS)
    shipped[sent] = picked[sent] + delay[sent] * DAY_MS
    shipped[sent] += ((0.5 + 9.5 * uniform("packing")) * HOUR_MS).astype(np.int64)
    first, last = TRANSIT_DAYS.T
    shipping = purchases.shipping[sent]
    transit = first[shipping] + (uniform("transit") * (last - first + 1)[shipping]).astype(np.int64)
    delivered[sent] += (transit + delay[sent]) * DAY_MS + (6 * HOUR_MS * uniform("round")).astype(np.int64)
    return Deliveries(picked, shipped, delivered, delay, *why)


def movements(
    configuration: Configuration, orders: Orders, purchases: Purchases, way: Deliveries | None = None
) -> dict[str, np.ndarray]:
    """The movements of the shipped orders, one row each."""
    way = way or deliveries(configuration, orders, purchases)
    sent = np.flatnonzero(purchases.warehouse != NO_WAREHOUSE)
    late = np.flatnonzero(way.delay > 0)
    units = sums(purchases.lines.quantity, purchases.first_line)
    steps = (
        (PICK, sent, way.picked),
        (SHIP, sent, way.shipped),
        (DELIVER, sent, way.delivered),
        (DELAY, late, way.picked + HOUR_MS // 4),
    )
    order = np.concatenate([rows for _, rows, _ in steps])
    step = np.repeat([number for number, _, _ in steps], [len(rows) for _, rows, _ in steps])
    order_id = orders.order_id.take(order)
    return {
        "kind": np.full(len(order), SUPPLY_CHAIN),
        "due_ms": np.concatenate([due.take(rows) for _, rows, due in steps]),
        "event_number": _movement_number(order_id, step),
        "order_id": order_id,
        "movement_type": np.array([None, *MOVEMENT_TYPES.values()], dtype=object).take(step),
        "warehouse_id": _warehouse_ids(configuration)[purchases.warehouse].take(order),
        "quantity": units.take(order),
        # Delays stand last.
        "delay_days": _behind(3 * len(sent), way.delay[late]),
        "reason": _behind(3 * len(sent), way.reason[late]),
        "cause": _behind(3 * len(sent), way.cause[late]),
        "caused_by": _behind(3 * len(sent), way.caused_by[late]),
        "likely": _behind(3 * len(sent), way.likely[late]),
    }


def _behind(count: int, rest: np.ndarray) -> np.ndarray:
    """So many times nothing (None, or 0), then the rest."""
    nothing = (np.empty if rest.dtype == object else np.zeros)(count, dtype=rest.dtype)
    return np.concatenate((nothing, rest))


def stock_movements(configuration: Configuration, from_ms: int, until_ms: int) -> list[dict]:
    """What runs short and is filled up again between two instants, in every warehouse and category."""
    found = []
    rows, categories = configuration.rows("warehouses"), configuration.categories
    days = np.arange(from_ms // DAY_MS - 4, (until_ms - 1) // DAY_MS + 1)  # a shortage lasts four days at most
    for place, warehouse in enumerate(rows):
        for code, category in enumerate(categories):
            for day in days[_stock_outs(configuration, np.full(len(days), place), np.full(len(days), code), days) > 0]:
                keys = _cells(configuration, np.array([place]), np.array([code]), np.array([day]))
                start = int(day) * DAY_MS + int(configuration.randomness.below(DAY_MS // 2, "stock", "hour", keys)[0])
                lasts = int(_stock_outs(configuration, np.array([place]), np.array([code]), np.array([day]))[0])
                units = 50 + int(configuration.randomness.below(200, "stock", "units", keys)[0])
                for step, (name, due, quantity) in enumerate(
                    (("stock_out", start, 0), ("restock", start + lasts * DAY_MS, units))
                ):
                    if from_ms <= due < until_ms:
                        number = _stock_number(int(day), warehouse["warehouse_id"], category["code"]) + 2 * step
                        found.append(
                            {
                                "due_ms": due,
                                "event_number": number,
                                "movement_type": name,
                                "warehouse_id": warehouse["warehouse_id"],
                                "category_name": category["category_name"],
                                "quantity": quantity,
                            }
                        )
    return found


def pressure(configuration: Configuration) -> np.ndarray:
    """How much more often each warehouse fails than it would with room to spare: grows where the configured load
    exceeds its capacity.
    """
    weights = warehouse_weights(configuration)
    totals = np.cumsum(weights, axis=1)[:, -1:]
    share = np.cumsum(weights / totals * REGION_SHARE[:, None], axis=0)[-1]
    load = (
        configuration.parameters["daily_customer_events"]
        * ORDERS_PER_SIGN_UP
        * share
        / configuration.column("warehouses", "capacity")
    )
    return 1.0 + 4.0 * np.maximum(load - 1.0, 0.0)


def _movement_number(order_id, step):
    return (order_id * 8 + step) * 2


def _stock_number(day, warehouse_id, category_code):
    """The number of a stock-out's movement; that of the restock after it is greater by 2."""
    return ((day * 1000 + warehouse_id) * 100_000 + category_code) * 4 + 1


def _delays(
    configuration: Configuration, orders: Orders, purchases: Purchases, sent: np.ndarray, day: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Days of delay of each order, and why: a bad day of its warehouse, or a category of its lines that ran out there.

    As the last five columns of Deliveries.
    """
    randomness, parameters = configuration.randomness, configuration.parameters
    failing, ids = configuration.once(pressure), _warehouse_ids(configuration)
    warehouse = purchases.warehouse[sent]
    keys = _cells(configuration, warehouse, None, day)
    likely = np.minimum(parameters["delay_probability"] * failing, 1.0)
    is_hit = randomness.uniform("delay", "bad day", keys) < likely.take(warehouse)
    is_hit &= randomness.uniform("delay", "order is hit", orders.order_id[sent]) < ORDER_IS_HIT
    hit, keys, warehouse = sent[is_hit], keys[is_hit], warehouse[is_hit]
    days, caused_by, probability = np.zeros((3, len(orders.order_id)), dtype=np.int64)
    reason, cause = np.empty((2, len(orders.order_id)), dtype=object)  # of None
    reasons = np.array([name for name, _ in DELAY_REASONS], dtype=object)
    days[hit] = 1 + np.floor(3.0 * randomness.uniform("delay", "days", keys)).astype(np.int64)
    reason[hit] = reasons[randomness.pick(_DELAY_REASONS, "delay", "reason", keys)]
    cause[hit] = "bad_day"
    caused_by[hit] = ids[warehouse]
    probability[hit] = millionths(likely * ORDER_IS_HIT)[warehouse]

    # An order waits for the line that is missing longest, the first of several.
    row, index = expanded(np.diff(purchases.first_line)[sent])
    order, warehouse, day = (column.take(row) for column in (sent, purchases.warehouse[sent], day))
    product = purchases.lines.product.take(purchases.first_line.take(order) + index)
    category = purchases.catalogue.category.take(product)
    out = _stock_outs(configuration, warehouse, category, day)
    short = np.flatnonzero(out)
    short = short[np.lexsort((-short, out[short]))]  # who writes last has the word
    short = short[out[short] > days[order[short]]]
    order, warehouse, category, day = order[short], warehouse[short], category[short], day[short]
    shortage = np.minimum(parameters["stock_out_probability"] * failing, 1.0)
    days[order] = out[short]
    reason[order] = cause[order] = "stock_out"
    caused_by[order] = _stock_number(day, ids[warehouse], _category_codes(configuration)[category])
    probability[order] = millionths(shortage)[warehouse]
    return days, reason, cause, caused_by, probability


def _stock_outs(
    configuration: Configuration, warehouse: np.ndarray, category: np.ndarray, day: np.ndarray
) -> np.ndarray:
    """For how many days (0: not at all) each category runs out in each warehouse, beginning on each day."""
    keys = _cells(configuration, warehouse, category, day)
    likely = np.minimum(configuration.parameters["stock_out_probability"] * configuration.once(pressure), 1.0)
    days = np.zeros(len(keys), dtype=np.int64)
    out = np.flatnonzero(configuration.randomness.uniform("stock", "out", keys) < likely.take(warehouse))
    days[out] = 1 + configuration.randomness.below(4, "stock", "days", keys[out])
    return days


def _cells(
    configuration: Configuration, warehouse: np.ndarray, category: np.ndarray | None, day: np.ndarray
) -> np.ndarray:
    """One number per (warehouse, category, day), made of ids that do not move when rows are added."""
    of_category = _category_codes(configuration)[category] if category is not None else 100_000
    return (_warehouse_ids(configuration)[warehouse] * 200_000 + of_category) * 100_000 + day


def _category_codes(configuration: Configuration) -> np.ndarray:
    return np.array([row["code"] for row in configuration.categories], dtype=np.int64)


def _warehouse_ids(configuration: Configuration) -> np.ndarray:
    return np.array([row["warehouse_id"] for row in configuration.rows("warehouses")], dtype=np.int64)
