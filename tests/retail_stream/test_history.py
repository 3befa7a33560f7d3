"""The chunks of a stretch of time follow each other, and hold exactly the orders that were asked for."""

import numpy as np
import pytest

from retail_stream import history
from retail_stream.plan import LARGEST_COUNT
from retail_stream.slots import DAY_MS, SLOT_MS, from_datetime


def instant(text: str) -> int:
    return from_datetime(np.datetime64(text))


@pytest.mark.parametrize("daily", [1, 33, 10_000, history.MOST_PER_DAY])
def test_chunks_follow_each_other_and_hold_what_was_asked_for_per_day(default, daily):
    start, end = instant("2025-10-01T00:00"), instant("2026-01-15T12:30")
    found = history.chunks(default, start, end, daily)

    assert [number for number, *_ in found] == list(range(1, len(found) + 1))
    assert (instant(found[0][1]), instant(found[-1][2])) == (start, end)
    assert all(one[2] == next_one[1] for one, next_one in zip(found, found[1:], strict=False))
    assert sum(orders for *_, orders in found) == daily * ((end - start) // SLOT_MS) // 48
    assert max(orders for *_, orders in found) <= LARGEST_COUNT


def test_busy_weeks_hold_more_orders_than_quiet_ones(default):
    found = history.chunks(default, instant("2025-10-06T00:00"), instant("2026-03-02T00:00"), 1_000)
    orders = {begin[:10]: count for _, begin, _, count in found}

    assert orders["2025-12-08"] > 1.2 * orders["2026-02-02"]


def test_the_law_decides_where_no_number_is_given(default):
    found = history.chunks(default, instant("2025-10-06T00:00"), instant("2025-10-20T00:00"), None)

    assert [orders for *_, orders in found] == [None, None]


def test_what_cannot_be_filled_is_told_with_what_can():
    now = instant("2026-02-03T10:40")

    assert (
        history.faults(now - 9 * DAY_MS // SLOT_MS * SLOT_MS - 40 * 60_000, instant("2026-02-03T10:30"), now, 5) == []
    )
    assert (
        "up to 2026-02-03 10:30"
        in history.faults(instant("2026-02-01T00:00"), instant("2026-02-03T11:00"), now, None)[0]
    )
    assert (
        "such as 2026-02-01 00:00"
        in history.faults(instant("2026-02-01T00:10"), instant("2026-02-02T00:00"), now, None)[0]
    )
