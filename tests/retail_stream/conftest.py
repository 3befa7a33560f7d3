"""Batches of customers and orders made under the default configuration."""

import copy

import numpy as np
import pytest

from retail_stream import customers, purchases, slots
from retail_stream.places import PLACE_STATE


@pytest.fixture
def tables(default_tables) -> dict[str, list[dict]]:
    """The default rows of all reference tables, free to be changed."""
    return copy.deepcopy(default_tables)


@pytest.fixture(scope="session")
def calendar(default) -> slots.Calendar:
    return slots.Calendar(default)


@pytest.fixture(scope="session")
def new_year() -> int:
    """The first slot of 2026."""
    return slots.from_datetime(np.datetime64("2026-01-01")) // slots.SLOT_MS


@pytest.fixture(scope="session")
def signed_up(default, calendar, new_year):
    """Makes so many customers, two hundred in each slot of 2026."""

    def sign_up(count: int, first: int = 1) -> customers.Customers:
        numbers = np.arange(first, first + count)
        return customers.sign_ups(default, calendar, numbers, new_year + numbers // 200, np.full(count, slots.SLOT_MS))

    return sign_up


def orders_of(people: customers.Customers, new_year: int) -> purchases.Orders:
    """One order of each customer, on the tenth or so of each month of 2026 in turn."""
    count = len(people.number)
    return purchases.Orders(
        order_id=people.number,
        customer_id=people.number,
        ordered_ms=new_year * slots.SLOT_MS
        + 19 * slots.DAY_MS // 2
        + np.arange(count) * 12 // count * 152 * slots.DAY_MS // 5,
        segment=people.segment,
        zone=people.zone,
        state=PLACE_STATE[people.place],
        price_sensitivity=people.price_sensitivity,
        favourite_category=people.favourite_category,
        preferred_channel=people.preferred_channel,
        value_factor=people.value_factor,
    )


@pytest.fixture(scope="session")
def people(signed_up) -> customers.Customers:
    return signed_up(60_000)


@pytest.fixture(scope="session")
def orders(people, new_year) -> purchases.Orders:
    return orders_of(people, new_year)


@pytest.fixture(scope="session")
def made(default, orders) -> purchases.Purchases:
    return purchases.Shop(default).purchases(orders)
