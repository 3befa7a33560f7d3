"""Who buys, in small worlds full of gaps: what the SQL finds by laying positions and customers on one line, a walk along the living finds too."""

import json
import re
from dataclasses import dataclass

import numpy as np
import pytest

from retail_stream import statements

FIRST = 450_000
ZONES = ("America/New_York", "America/Chicago", "America/Denver")
FREQUENCIES = {"premium": 0.45, "regular": 0.22, "occasional": 0.08}
# The draw's positions lie in a table: the function that makes them belongs to the app.
DRAWS = re.sub(r"drawn as \(.*?\n\),\n", "drawn as (select * from core.drawn),\n", statements.DRAWS, flags=re.DOTALL)


@dataclass(frozen=True)
class World:
    """Customers (id, signed up, dropped out, zone, segment, rate factor), and a window of slots."""

    customers: list[tuple]
    last: int
    first_customer: int

    @property
    def binds(self) -> tuple[tuple[int, ...], ...]:
        return statements.line_binds(FIRST, self.last, self.first_customer, len(self.customers) + 1)

    def living(self, slot: int, zone: str) -> list[tuple[int, int]]:
        """Who can buy in a slot, by number, and what each weighs. Nobody buys in the slot of the sign-up, save at once."""
        return [
            (number, int(factor * round(FREQUENCIES[segment] * 1e6) / 1e6 + 0.5))
            for number, signed_up, dropped_out, its_zone, segment, factor in self.customers
            if its_zone == zone and signed_up < slot < dropped_out and dropped_out > FIRST
        ]


def world_of(seed: int) -> World:
    """Half of the customers drop out in the window or soon after their sign-up, and some weigh nothing."""
    chance = np.random.default_rng(seed)
    count = int(chance.choice([40, 600, 2_000]))
    last = FIRST + int(chance.choice([1, 3, 48])) - 1
    first_customer = count - int(chance.integers(0, count // 2))
    early = first_customer - count // 10  # from here on they signed up in the first slot, while it was open
    signed_up = np.where(np.arange(1, count + 1) < early, FIRST - chance.integers(1, 50, count), FIRST)
    signed_up[first_customer - 1 :] = np.sort(chance.integers(FIRST, last + 1, count - first_customer + 1))
    soon, late = (
        signed_up + chance.choice([0, 1, 2, 3, 10, 100], count),
        last + chance.integers(-last + FIRST - 1, 5, count),
    )
    dropped_out = np.maximum(np.where(chance.random(count) < 0.5, soon, late), signed_up)
    return World(
        list(
            zip(
                range(1, count + 1),
                signed_up.tolist(),
                dropped_out.tolist(),
                chance.choice(ZONES, count).tolist(),
                chance.choice(list(FREQUENCIES), count).tolist(),
                (chance.integers(0, 4_000_000, count) * chance.choice([0, 1, 1, 1], count)).tolist(),
                strict=True,
            )
        ),
        last,
        first_customer,
    )


@pytest.fixture(scope="module")
def ask(account):
    name = f"{account.application}_draws"
    with account.connect(paramstyle="qmark") as connection:

        def ask(statement: str, *binds) -> list[tuple]:
            return connection.cursor().execute(statement, binds).fetchall()

        ask(f"create or replace database {name}")
        ask("create schema truth")
        ask("create schema core")
        ask(
            "create table truth.customers (customer_id number(18, 0), signed_up_slot number(9, 0), "
            "dropout_slot number(9, 0), time_zone varchar, customer_segment varchar, rate_factor number(18, 0))"
        )
        ask("create table truth.first_orders (customer_id number(18, 0), order_id number(18, 0))")
        ask(
            "create table core.drawn (order_id number(18, 0), slot number(9, 0), time_zone varchar, buyer number(18, 0), "
            "draw_position number(18, 0), ordered_ms number(18, 0))"
        )
        yield ask
        ask(f"drop database {name}")


@pytest.fixture(scope="module", params=range(6))
def world(request, ask) -> World:
    found = world_of(request.param)
    ask("delete from truth.customers")
    rows = json.dumps(found.customers)
    kinds = ("number", "number", "number", "varchar", "varchar", "number")
    values = ", ".join(f"value[{index}]::{kind}" for index, kind in enumerate(kinds))
    ask(f"insert into truth.customers select {values} from table(flatten(input => parse_json(?)))", rows)
    return found


def test_the_weights_are_those_of_the_living_in_each_slot(world, ask):
    living, dropping_out, signing_up = statements.line_binds(FIRST, world.last, *[world.first_customer] * 2)
    segments = json.dumps(list(FREQUENCIES.items()))
    changes = ask(statements.LIVING_WEIGHTS, segments, *living, FIRST, *dropping_out, *signing_up)

    for slot in range(FIRST, world.last + 1):
        for zone in ZONES:
            weight = sum(weight for its_zone, since, weight, _ in changes if its_zone == zone and since <= slot)
            there = [weight for number, weight in world.living(slot, zone) if number < world.first_customer]
            assert weight == sum(there), (slot, zone)


def test_the_customer_on_whom_a_position_falls_buys(world, ask):
    chance, drawn, expected = np.random.default_rng(1), [], []
    for slot in range(FIRST, world.last + 1):
        for zone in ZONES:
            numbers, weights = np.array(world.living(slot, zone), dtype=np.int64).reshape(-1, 2).T
            until = np.cumsum(weights)
            if len(until) and until[-1] > 0:
                positions = np.concatenate(([0, until[-1] - 1], chance.integers(0, until[-1], 3)))
                for position, number in zip(
                    positions, numbers[np.searchsorted(until, positions, "right")], strict=True
                ):
                    drawn.append((len(drawn) + 1, slot, zone, int(position)))
                    expected.append(int(number))
    ask("delete from core.drawn")
    ask(
        "insert into core.drawn select value[0]::number, value[1]::number, value[2]::varchar, 0, value[3]::number, "
        "value[0]::number from table(flatten(input => parse_json(?)))",
        json.dumps(drawn),
    )
    living, dropping_out, signing_up = world.binds
    segments = json.dumps(list(FREQUENCIES.items()))
    bought = ask(DRAWS, segments, *living, *dropping_out, *signing_up, *living, "run", 10**9)

    assert [number for _, number, *_ in sorted(bought)] == expected
