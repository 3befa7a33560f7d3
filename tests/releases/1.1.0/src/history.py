"""The past, and gaps: which chunks a stretch of time falls into, and how many orders belong to each."""

import numpy as np

from retail_stream.configuration import Configuration
from retail_stream.plan import LARGEST_COUNT
from retail_stream.slots import CALENDAR_DAYS, DAY_MS, DAY_SLOTS, SLOT_MS, Calendar, to_text

CHUNK_DAYS = 7
MOST_PER_DAY = 250_000  # the busiest day has up to four times the mean, and a run no more than LARGEST_COUNT
LONGEST_DAYS = 3_653  # ten years in one call


def faults(start_ms: int, end_ms: int, now_ms: int, events_per_day: int | None) -> list[str]:
    """What is wrong with what was asked for."""
    border = now_ms // SLOT_MS * SLOT_MS
    found = [
        f"{name} is {to_text(at)}: it must be a border of half-hours, such as {to_text(at // SLOT_MS * SLOT_MS)[:16]}"
        for name, at in (("start_date", start_ms), ("end_date", end_ms))
        if at % SLOT_MS
    ]
    if not 0 <= start_ms < end_ms:
        found.append(f"start_date is {to_text(start_ms)[:16]}: it must lie before end_date, and not before 2000-01-01")
    if end_ms > border:
        found.append(
            f"end_date is {to_text(end_ms)[:16]}: only what has ended can be filled, up to {to_text(border)[:16]}"
        )
    if end_ms - start_ms > LONGEST_DAYS * DAY_MS or end_ms > CALENDAR_DAYS * DAY_MS:
        found.append(f"from start_date to end_date must be {LONGEST_DAYS} days or less: call again for the rest")
    if events_per_day is not None and not 0 <= events_per_day <= MOST_PER_DAY:
        found.append(f"events_per_day is {events_per_day}: it must be NULL or from 0 to {MOST_PER_DAY}")
    return found


def chunks(
    configuration: Configuration, start_ms: int, end_ms: int, events_per_day: int | None
) -> list[tuple[int, str, str, int | None]]:
    """Rows (number, start, end, orders) that fill [start, end) one after the other; orders are None by the law.

    Orders given per day are exact over the whole stretch, and fall to its chunks by the calendar's mass.
    """
    busy = max(events_per_day or 0, configuration.parameters["daily_customer_events"]) * CHUNK_DAYS > LARGEST_COUNT / 2
    step = DAY_SLOTS * (1 if busy else CHUNK_DAYS)
    first, last = start_ms // SLOT_MS, end_ms // SLOT_MS
    borders = np.append(np.arange(first, last, step), last)
    orders: list[int | None] = [None] * (len(borders) - 1)
    if events_per_day is not None:
        masses = np.concatenate(
            ([0], np.cumsum(Calendar(configuration).national_masses(np.arange(first, last)).astype(np.float64)))
        )
        total = events_per_day * (last - first) // DAY_SLOTS
        until = np.floor(total * (masses[borders - first] / masses[-1]) + 0.5).astype(np.int64)
        orders = np.diff(until).tolist()
    return [
        (number, to_text(int(begin) * SLOT_MS), to_text(int(end) * SLOT_MS), count)
        for number, (begin, end, count) in enumerate(zip(borders[:-1], borders[1:], orders, strict=True), 1)
    ]
