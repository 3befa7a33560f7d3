"""The table functions' handlers: frames in, columns from the pure modules, frames out.

Each is called with OVER (PARTITION BY shard). The configuration's text stands in the first row of a partition only,
since it would otherwise travel with every row. Input columns keep the order of the SQL signature, output columns that
of its RETURNS TABLE.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas

from retail_stream import customers, fulfilment, marketing, purchases, worth
from retail_stream.configuration import Configuration, from_text
from retail_stream.groups import expanded
from retail_stream.keyed_randomness import row_checksums, text_code
from retail_stream.places import STATES, ZONES
from retail_stream.slots import SLOT_MS, Calendar
from retail_stream.world import SALES_CHANNELS, SHIPPING_METHODS

ORDER_COLUMNS = (
    "configuration", "order_id", "customer_id", "ordered_ms", "is_first", "segment", "time_zone", "state",
    "price_sensitivity", "favourite_category", "preferred_channel", "value_factor",
)  # fmt: skip


def _vectorized(handler: Any) -> Any:
    """Mark end_partition as taking a frame: the server's own decorator is not in the client library, and sets just
    this.
    """
    handler.end_partition._sf_vectorized_input = pandas.DataFrame
    return handler


def _read(frame: pandas.DataFrame, names: tuple[str, ...]) -> tuple[Configuration, str, pandas.DataFrame]:
    """The partition's configuration, its text, and the frame with our names."""
    frame = frame.set_axis(list(names), axis=1)
    text = next(value for value in frame["configuration"] if isinstance(value, str))
    return from_text(text), text, frame


def _numbers(frame: pandas.DataFrame, *names: str) -> list[np.ndarray]:
    return [frame[name].to_numpy(dtype=np.int64) for name in names]


def _codes(frame: pandas.DataFrame, name: str, texts: list[str]) -> np.ndarray:
    """Each text's index in the list, -1 where it is not in it."""
    known = {text: index for index, text in enumerate(texts)}
    codes, uniques = pandas.factorize(frame[name])
    return np.array([known.get(text, -1) for text in uniques] + [-1], dtype=np.int64)[codes]


@_vectorized
class SignUps:
    """Rows (slot, open_ms, first customer, count) -> customers."""

    def end_partition(self, frame: pandas.DataFrame) -> Iterator[pandas.DataFrame]:
        configuration, text, frame = _read(frame, ("configuration", "slot", "open_ms", "first_customer", "count"))
        slot, open_ms, first, count = _numbers(frame, "slot", "open_ms", "first_customer", "count")
        row, numbers = _numbered(first, count)
        found = customers.sign_ups(configuration, configuration.once(Calendar), numbers, slot[row], open_ms[row])
        texts = customers.profiles(configuration, found)
        true = worth.worth_of(configuration, configuration.once(Calendar), found)
        yield pandas.DataFrame(
            {
                "customer_id": found.number,
                "signed_up_ms": found.signed_up_ms,
                "signed_up_slot": slot[row],
                "dropout_ms": found.dropout_ms,
                "dropout_slot": found.dropout_ms // SLOT_MS,
                "first_name": texts["first_name"],
                "last_name": texts["last_name"],
                "email": texts["email"],
                "gender": texts["gender"],
                "age": found.age,
                "income": found.income,
                "city": texts["city"],
                "state": texts["state"],
                "zip_code": texts["zip_code"],
                "time_zone": texts["time_zone"],
                "customer_segment": texts["customer_segment"],
                "price_sensitivity": found.price_sensitivity,
                "favourite_category": texts["favourite_category"],
                "preferred_channel": texts["preferred_channel"],
                "acquisition_channel": texts["acquisition_channel"],
                "rate_factor": found.rate_factor,
                "value_factor": found.value_factor,
                "checksum": found.checksums(),
                "purchase_rate": customers.weights(configuration, found),
                "order_value": true.order_value,
                "order_margin": true.order_margin,
                "lifetime_value": true.lifetime_value,
            }
        )


@_vectorized
class OrderDraws:
    """Rows (slot, open_ms, time zone, weight, first order, first customer, count) -> orders with their buyer, or his
    place in the draw.

    A first customer above zero says who buys: the sign-ups from that number on, at once. Otherwise each order gets a
    position in [0, weight), exactly uniform, and the SQL finds the living customer on whom it falls.
    """

    def end_partition(self, frame: pandas.DataFrame) -> Iterator[pandas.DataFrame]:
        names = ("slot", "open_ms", "weight", "first_order", "first_customer", "count")
        configuration, _, frame = _read(frame, ("configuration", "slot", "open_ms", "time_zone", *names[2:]))
        slot, open_ms, weight, first_order, first_customer, count = _numbers(frame, *names)
        row, numbers = _numbered(first_order, count)
        at_once = first_customer[row] > 0
        customer = np.where(at_once, first_customer[row] + numbers - first_order[row], 0)
        start_ms = slot[row] * SLOT_MS
        # Who buys at once does so between the sign-up and the end of the slot.
        signed_up = customers.instants(configuration, customers.KIND, customer, slot[row], open_ms[row]) - start_ms
        begin = np.where(at_once, signed_up, 0)
        after = configuration.randomness.below(open_ms[row] - begin, purchases.KIND, "instant", numbers)
        yield pandas.DataFrame(
            {
                "order_id": numbers,
                "slot": slot[row],
                "time_zone": frame["time_zone"].to_numpy()[row],
                "buyer": customer,
                "draw_position": configuration.randomness.below(
                    np.maximum(weight[row], 1), purchases.KIND, "who buys", numbers
                ),
                "ordered_ms": start_ms + begin + after,
            }
        )


class _OfOrders:
    """What works on orders: reads them, and makes their purchases."""

    def _purchases(self, frame: pandas.DataFrame) -> tuple[Configuration, purchases.Orders, purchases.Purchases]:
        configuration, text, frame = _read(frame, ORDER_COLUMNS)
        order_id, customer_id, ordered_ms, sensitivity, value = _numbers(
            frame, "order_id", "customer_id", "ordered_ms", "price_sensitivity", "value_factor"
        )
        orders = purchases.Orders(
            order_id=order_id,
            customer_id=customer_id,
            ordered_ms=ordered_ms,
            segment=_codes(frame, "segment", [row["segment_name"] for row in configuration.segments]),
            zone=_codes(frame, "time_zone", [name for name, _, _ in ZONES]),
            state=_codes(frame, "state", STATES),
            price_sensitivity=sensitivity,
            favourite_category=_codes(
                frame, "favourite_category", [row["category_name"] for row in configuration.categories]
            ),
            preferred_channel=_codes(frame, "preferred_channel", list(SALES_CHANNELS)),
            value_factor=value,
        )
        return configuration, orders, configuration.once(purchases.Shop).purchases(orders)


@_vectorized
class PurchaseEvents(_OfOrders):
    """Orders with their customers' traits -> purchases, one row each, money in cents, the lines as JSON text."""

    def end_partition(self, frame: pandas.DataFrame) -> Iterator[pandas.DataFrame]:
        configuration, orders, made = self._purchases(frame)
        given = frame.set_axis(list(ORDER_COLUMNS), axis=1)
        warehouses = np.array([row["warehouse_id"] for row in configuration.rows("warehouses")] + [0], dtype=np.int64)
        choices = {purpose: np.array(texts, dtype=object) for purpose, texts in purchases.CHOICES.items()}
        yield pandas.DataFrame(
            {
                "order_id": orders.order_id,
                "customer_id": orders.customer_id,
                "customer_segment": given["segment"].to_numpy(),
                "ordered_ms": orders.ordered_ms,
                "is_first": given["is_first"].to_numpy(),
                "ship_state": given["state"].to_numpy(),
                "sales_channel": np.array(SALES_CHANNELS, dtype=object)[made.channel],
                "device": choices["device"][made.device],
                "payment_method": choices["payment"][made.payment],
                "shipping_method": np.array(SHIPPING_METHODS, dtype=object)[made.shipping],
                "warehouse_id": warehouses[made.warehouse],  # 0 stands for none: NO_WAREHOUSE is the last index
                "subtotal": made.subtotal,
                "discount_total": made.discount_total,
                "tax_total": made.tax_total,
                "shipping_total": made.shipping_total,
                "final_total": made.final_total,
                "lines": purchases.lines_json(made),
                "checksum": made.checksums(orders),
            }
        )


DUE_COLUMNS = {  # of FulfilmentEvents, with what stands where a kind has no such value
    "kind": 0, "event_number": 0, "due_ms": 0, "order_id": 0, "line_number": 0, "customer_id": 0, "product_id": 0,
    "category_name": None, "quantity": 0, "refund": 0, "movement_type": None, "warehouse_id": 0, "delay_days": 0,
    "reason": None,
}  # fmt: skip
TOUCH_COLUMNS = ("event_number", "due_ms", "customer_id", "channel_name", "campaign_name", "touch_type", "cost")
CAUSE_COLUMNS = ("cause", "caused_by", "likely")  # no part of the event, nor of its checksum


@_vectorized
class FulfilmentEvents(_OfOrders):
    """Orders with their customers' traits -> their returns and movements, each with the instant at which it is due."""

    def end_partition(self, frame: pandas.DataFrame) -> Iterator[pandas.DataFrame]:
        configuration, orders, made = self._purchases(frame)
        way = fulfilment.deliveries(configuration, orders, made)
        for columns in (
            fulfilment.returns(configuration, orders, made, way),
            fulfilment.movements(configuration, orders, made, way),
        ):
            count = len(columns["event_number"])
            nothing = {
                name: np.full(count, value, dtype=object if value is None else np.int64)
                for name, value in DUE_COLUMNS.items()
            }
            if count:
                yield _checked(nothing | columns, DUE_COLUMNS)


@_vectorized
class MarketingEvents:
    """Sign-ups (order_id 0) and orders -> the marketing touches that go with them."""

    def end_partition(self, frame: pandas.DataFrame) -> Iterator[pandas.DataFrame]:
        configuration, _, frame = _read(
            frame, ("configuration", "order_id", "customer_id", "at_ms", "acquisition_channel")
        )
        channels = [row["channel_name"] for row in configuration.rows("marketing_channels")]
        joined, ordered = frame[frame["order_id"] == 0], frame[frame["order_id"] > 0]
        came_through = _codes(joined, "acquisition_channel", channels)
        for columns in (
            marketing.acquisitions(configuration, *_numbers(joined, "customer_id", "at_ms"), came_through),  # type: ignore[call-arg]
            marketing.reminders(configuration, *_numbers(ordered, "order_id", "customer_id", "at_ms")),
        ):
            if len(columns["event_number"]):
                yield _checked(columns, TOUCH_COLUMNS)


def _checked(columns: dict[str, np.ndarray], names: Iterable[str]) -> pandas.DataFrame:
    """The columns of these names as a frame, with a hash of each row's typed values, and with its cause behind it.

    In the hash, a text counts by a number that is its own on every machine.
    """
    values, shown = [], {}
    for name in (*names, "checksum", *CAUSE_COLUMNS):
        if name == "checksum":
            shown[name] = row_checksums(*values)
            continue
        column: Any = columns[name]
        if column.dtype == object:
            codes, texts = pandas.factorize(column)
            if not len(texts):  # a column that holds None alone would have no type
                column = pandas.array(column, dtype="string")
            values.append(np.array([text_code(text, 2**60) for text in texts] + [-1], dtype=np.int64)[codes])
        else:
            values.append(column)
        shown[name] = column
    return pandas.DataFrame(shown)


def _numbered(first: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For rows of first numbers and counts: each number's row, and the numbers."""
    row, index = expanded(count)
    return row, first.take(row) + index
