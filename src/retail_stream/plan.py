"""How many things happen in which slot: the part of a run that is decided before anything is written.

A number that is given is exact and spread by the calendar's mass. None means the natural course: sign-ups by their
daily mean, first orders by the share of sign-ups that buy at once, further orders by the living customers' rates.
"""

from dataclasses import dataclass, field

import numpy as np

from retail_stream import customers
from retail_stream.configuration import Configuration
from retail_stream.keyed_randomness import Choice
from retail_stream.places import ZONES
from retail_stream.quantile_tables import draw_normal, exponential
from retail_stream.slots import DAY_SLOTS, MILLION, SLOT_MS, Calendar

LARGEST_COUNT = 1_000_000  # of one kind in one run
MOST_SLOTS = 366 * DAY_SLOTS  # a run reaches back one year at most; what lies before stays a gap
RATE_DAYS = 30  # purchase frequencies are per 30 business days
ZONE_COUNT = len(ZONES)


@dataclass(frozen=True)
class Request:
    """What was asked for; None leaves a kind to the natural course."""

    customer_events: int | None
    purchase_events: int | None
    marketing_events: int | None
    supply_chain_events: int | None

    def faults(self) -> list[str]:
        """What is wrong with the numbers."""
        return [
            f"{name} is {value}: it must be NULL or from 0 to {LARGEST_COUNT}"
            for name, value in vars(self).items()
            if value is not None and not 0 <= value <= LARGEST_COUNT
        ]


@dataclass(frozen=True)
class Window:
    """The slots of a run. `open_ms` is how much of the last slot has passed: all of it, unless only the open slot is at
    hand.
    """

    first: int
    count: int
    open_ms: int = SLOT_MS

    @property
    def slots(self) -> np.ndarray:
        return np.arange(self.first, self.first + self.count)

    @property
    def is_open(self) -> bool:
        return self.open_ms < SLOT_MS

    @property
    def start_ms(self) -> int:
        return self.first * SLOT_MS

    @property
    def end_ms(self) -> int:
        return (self.first + self.count - 1) * SLOT_MS + self.open_ms


def window_of(now_ms: int, last_end_slot: int | None, request: Request, first_run_days: int) -> Window | None:
    """The slots to fill: all that ended since the last run, or else, for given numbers, what has passed of the open one.

    None when there is nothing to do: the natural course waits for the slot to end.
    """
    open_slot = now_ms // SLOT_MS
    first = (
        open_slot - first_run_days * DAY_SLOTS if last_end_slot is None else max(last_end_slot, open_slot - MOST_SLOTS)
    )
    if first < open_slot:
        return Window(first, open_slot - first)
    if all(count is None for count in vars(request).values()):
        return None
    return Window(open_slot, 1, max(now_ms - open_slot * SLOT_MS, 1))


@dataclass(frozen=True)
class Plan:
    """What a run makes. Rows are (slot, open_ms, ...) and stand in the order of their numbers."""

    sign_ups: list[tuple[int, int, int, int]]  # slot, open_ms, first customer, count
    first_orders: list[tuple[int, int, int, int, int]]  # slot, open_ms, first customer, first order, count
    further_orders: list[tuple[int, int, int, int, int, int]]  # slot, open_ms, zone, living weight, first order, count
    first_customer: int
    next_customer: int
    first_order: int
    next_order: int
    orders_by_law: float
    remarks: list[str] = field(default_factory=list)

    @property
    def customer_count(self) -> int:
        return self.next_customer - self.first_customer

    @property
    def order_count(self) -> int:
        return self.next_order - self.first_order

    @property
    def first_order_count(self) -> int:
        return sum(row[-1] for row in self.first_orders)


def plan_of(
    configuration: Configuration,
    calendar: Calendar,
    window: Window,
    request: Request,
    living: np.ndarray,
    first_customer: int,
    first_order: int,
) -> Plan:
    """The plan of a run. `living` holds the weight of the earlier customers in each slot (rows) and zone (columns).

    An open slot gets only what is asked for: its natural course follows when it has ended.
    """
    if window.is_open:
        request = Request(*(count or 0 for count in vars(request).values()))
    parameters = configuration.parameters
    masses = calendar.national_masses(window.slots) / MILLION * (window.open_ms / SLOT_MS if window.is_open else 1.0)
    remarks: list[str] = []

    wanted = request.customer_events
    sign_ups = (
        _natural_sign_ups(configuration, calendar, window, masses)
        if wanted is None
        else _spread(configuration, "sign-up", first_customer, wanted, masses)
    )
    own = _weights_of(configuration, calendar, window, first_customer, sign_ups)
    if request.purchase_events is not None:
        repeats = int(request.purchase_events * parameters["repeat_customer_probability"] + 0.5)
        if repeats and not (living + own).any():
            remarks.append("no earlier customer was there to buy again, so all orders are first orders")
            repeats = 0
        firsts = request.purchase_events - repeats
        if firsts > sign_ups.sum():
            missing = firsts - int(sign_ups.sum())
            sign_ups = sign_ups + _spread(configuration, "added sign-up", first_order, missing, masses)
            remarks.append(f"{missing} sign-ups were added, because first orders need customers who sign up")
            own = _weights_of(configuration, calendar, window, first_customer, sign_ups)
        first_counts = _buyers_at_once(sign_ups, firsts)
    else:
        numbers = np.arange(first_customer, first_customer + sign_ups.sum())
        at_once = (
            configuration.randomness.uniform("customer", "buys at sign-up", numbers)
            < parameters["buys_at_sign_up_probability"]
        )
        first_counts = np.bincount(
            np.repeat(np.arange(window.count), sign_ups), weights=at_once, minlength=window.count
        ).astype(np.int64)
    weights = living + own
    by_law = _law_means(calendar, window, weights)
    if request.purchase_events is not None:
        per_slot = _spread(configuration, "order", first_order, repeats, np.where(weights.any(axis=1), masses, 0.0))
        further = _zones_of(configuration, per_slot, weights, first_order)
    else:
        cells = window.slots[:, None] * 16 + np.arange(ZONE_COUNT)
        uniforms = configuration.randomness.uniform("plan", "orders by law", cells.ravel())
        further = _poisson(configuration, by_law.ravel(), uniforms).reshape(by_law.shape)
    law_total = float(np.cumsum(by_law)[-1]) + parameters["buys_at_sign_up_probability"] * int(sign_ups.sum())
    return _numbered(window, sign_ups, first_counts, further, weights, first_customer, first_order, law_total, remarks)


def _natural_sign_ups(
    configuration: Configuration, calendar: Calendar, window: Window, masses: np.ndarray
) -> np.ndarray:
    means = (
        configuration.parameters["daily_customer_events"] / DAY_SLOTS * masses * calendar.growth_factors(window.slots)
    )
    return _poisson(configuration, means, configuration.randomness.uniform("plan", "sign-ups", window.slots))


def _spread(configuration: Configuration, purpose: str, first: int, count: int, masses: np.ndarray) -> np.ndarray:
    """Exactly `count` things over the slots by mass: one in each of `count` equal parts of the whole mass, anywhere in
    its part.
    """
    positions = (np.arange(count) + configuration.randomness.uniform("plan", purpose, first + np.arange(count))) / max(
        count, 1
    )
    until = np.cumsum(masses)
    slots = np.minimum(
        np.searchsorted(until, positions * until[-1], side="right"), np.flatnonzero(masses).max(initial=0)
    )
    return np.bincount(slots, minlength=len(masses))


def _weights_of(
    configuration: Configuration, calendar: Calendar, window: Window, first: int, sign_ups: np.ndarray
) -> np.ndarray:
    """The weight that the run's own sign-ups have in each slot and zone: from the slot after the sign-up to the one
    before the dropout.
    """
    numbers = np.arange(first, first + sign_ups.sum())
    slots = np.repeat(window.slots, sign_ups)
    own = customers.sign_ups(configuration, calendar, numbers, slots, np.full(len(numbers), window.open_ms))
    weights = customers.weights(configuration, own)
    changes = np.zeros((window.count + 1, ZONE_COUNT), dtype=np.int64)
    np.add.at(changes, (slots + 1 - window.first, own.zone), weights)
    leaves = np.minimum(np.maximum(own.dropout_ms // SLOT_MS, slots + 1) - window.first, window.count)
    np.subtract.at(changes, (leaves, own.zone), weights)
    return np.cumsum(changes, axis=0)[:-1]


def _buyers_at_once(sign_ups: np.ndarray, count: int) -> np.ndarray:
    """How many of each slot's sign-ups buy at once, evenly among all of them."""
    slots = np.repeat(np.arange(len(sign_ups)), sign_ups)
    chosen = (2 * np.arange(count) + 1) * len(slots) // max(2 * count, 1)
    return np.bincount(slots[chosen], minlength=len(sign_ups))


def _law_means(calendar: Calendar, window: Window, weights: np.ndarray) -> np.ndarray:
    """The orders that the living customers' rates make in each slot and zone."""
    passed = window.open_ms / SLOT_MS
    return weights / MILLION * (calendar.slot_masses(window.slots) / MILLION) * passed / (RATE_DAYS * DAY_SLOTS)


def _zones_of(configuration: Configuration, per_slot: np.ndarray, weights: np.ndarray, first_order: int) -> np.ndarray:
    """Each order falls to a zone in proportion to the weight of those who live there."""
    slots = np.repeat(np.arange(len(per_slot)), per_slot)
    orders = first_order + np.arange(len(slots))
    counts = np.zeros(weights.shape, dtype=np.int64)
    zones = configuration.randomness.pick(Choice(weights, cells=1), "plan", "zone", orders, slots)
    np.add.at(counts, (slots, zones), 1)
    return counts


def _poisson(configuration: Configuration, means: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """Poisson counts: by inversion up to a mean of 40, by the normal curve above it."""
    small = np.minimum(means, 40.0)
    term = exponential(-small)
    until, counts = term.copy(), np.zeros(len(means), dtype=np.int64)
    for count in range(1, 120):
        above = uniforms >= until
        if not above.any():
            break
        counts += above
        term = term * small / count
        until = until + term
    normal = means + np.sqrt(means) * draw_normal(configuration.quantiles("half_normal"), uniforms)
    return np.where(means > 40.0, np.maximum(np.floor(normal + 0.5), 0.0).astype(np.int64), counts)


def _numbered(window, sign_ups, first_counts, further, weights, first_customer, first_order, by_law, remarks) -> Plan:
    """Give every customer and order its number: by slot; within a slot first orders, then the zones."""
    customer, order = first_customer, first_order
    rows: tuple[list, list, list] = ([], [], [])
    for index, slot in enumerate(window.slots.tolist()):
        count, firsts = int(sign_ups[index]), int(first_counts[index])
        if count:
            rows[0].append((slot, window.open_ms, customer, count))
        if firsts:
            rows[1].append((slot, window.open_ms, customer, order, firsts))
        customer, order = customer + count, order + firsts
        for zone in np.flatnonzero(further[index]).tolist():
            rows[2].append((slot, window.open_ms, zone, int(weights[index, zone]), order, int(further[index, zone])))
            order += int(further[index, zone])
    return Plan(*rows, first_customer, customer, first_order, order, by_law, remarks)


def sharded(
    rows: list[tuple], most: int, numbers: tuple[int, ...], also_if_positive: tuple[int, ...] = ()
) -> list[tuple]:
    """The rows with a shard in front, none of which holds more than `most` things; big rows are cut.

    The last column is the count. `numbers` are the columns of first numbers, which move along when a row is cut; those
    of `also_if_positive` do so where they are not 0, which stands for none.
    """
    result, shard, room = [], 0, most
    for *values, count in rows:
        done = 0
        while done < count:
            if room == 0:
                shard, room = shard + 1, most
            taken = min(count - done, room)
            moved = [
                value + done if column in numbers or (column in also_if_positive and value > 0) else value
                for column, value in enumerate(values)
            ]
            result.append((shard, *moved, taken))
            done, room = done + taken, room - taken
    return result
