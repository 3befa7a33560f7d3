"""How fast events are drawn, on one core, against other ways to draw events of the same width: ratios of CPU time from one run.

    PYTHONPATH=src .venv/bin/python tests/benchmarks/generator_events.py [orders]

The events are those of so many sign-ups with an order each: profiles, purchases with their lines, returns, movements, touches. `uniform` draws as
many columns of the same types with NumPy's own generator, each by itself; `Faker` makes one purchase as a dict and writes it with json.dumps; `C` (where a
compiler is) writes the numbers of as many typed rows with xorshift. Peak memory is that of one shard after another.
"""

import ctypes
import gc
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas
from faker import Faker
from rich.console import Console
from rich.table import Table

from retail_stream import customers, fulfilment, marketing, purchases, retail_stream_entry, slots
from retail_stream.configuration import COLUMNS, Configuration, from_tables
from retail_stream.places import PLACE_STATE, STATES, ZONES
from retail_stream.world import SALES_CHANNELS

ROOT = Path(__file__).resolve().parents[2]
ROUNDS, FAKED = 9, 2_000
NEW_YEAR = slots.from_datetime(np.datetime64("2026-01-01")) // slots.SLOT_MS
C = """
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    long rows = atol(argv[1]), columns = atol(argv[2]);
    uint64_t s = 88172645463325252ULL, sum = 0;
    uint64_t *column = malloc(rows * sizeof *column);
    for (long c = 0; c < columns; c++)
        for (long r = 0; r < rows; r++) {
            s ^= s << 13; s ^= s >> 7; s ^= s << 17;
            column[r] = s % 100000;
            sum += column[r];
        }
    printf("%llu", (unsigned long long) sum);
    return 0;
}
"""


def default() -> Configuration:
    """The configuration that an installation starts with."""
    sys.path.append(str(ROOT / "tests"))
    import importlib

    conftest = importlib.import_module("conftest")
    return from_tables({table: conftest.default_rows(table) for table in COLUMNS})


def inputs(configuration: Configuration, count: int, first: int) -> dict[str, dict]:
    """What the handlers are given for so many sign-ups with an order each."""
    number = np.arange(first, first + count)
    slot = NEW_YEAR + number // 20 % 17_000
    people = customers.sign_ups(
        configuration, slots.Calendar(configuration), number, slot, np.full(count, slots.SLOT_MS)
    )
    names = {
        "segment": [row["segment_name"] for row in configuration.segments],
        "category": [row["category_name"] for row in configuration.categories],
        "channel": [row["channel_name"] for row in configuration.rows("marketing_channels")],
    }
    texts = {key: np.array(each, dtype=object) for key, each in names.items()}
    orders = {
        "order_id": number, "customer_id": number, "ordered_ms": people.signed_up_ms, "is_first": number % 3 == 0,
        "segment": texts["segment"][people.segment],
        "time_zone": np.array([name for name, _, _ in ZONES], dtype=object)[people.zone],
        "state": np.array(STATES, dtype=object)[PLACE_STATE[people.place]],
        "price_sensitivity": people.price_sensitivity,
        "favourite_category": texts["category"][people.favourite_category],
        "preferred_channel": np.array(SALES_CHANNELS, dtype=object)[people.preferred_channel],
        "value_factor": people.value_factor,
    }  # fmt: skip
    return {
        "SignUps": {"slot": slot[::20], "open_ms": slots.SLOT_MS, "first": number[::20], "count": 20},
        "PurchaseEvents": orders,
        "FulfilmentEvents": orders,
        "MarketingEvents": {
            "order_id": np.concatenate((np.zeros(count, dtype=np.int64), number)),
            "customer_id": np.concatenate((number, number)),
            "at_ms": np.concatenate((people.signed_up_ms, people.signed_up_ms)),
            "acquisition_channel": np.concatenate(
                (texts["channel"][people.acquisition_channel], np.full(count, None, dtype=object))
            ),
        },
    }


def frame_of(configuration: Configuration, columns: dict) -> pandas.DataFrame:
    frame = pandas.DataFrame(columns)
    frame.insert(0, "configuration", [configuration.text()] + [None] * (len(frame) - 1))
    return frame


def handled(frames: dict[str, pandas.DataFrame]) -> dict[str, list[pandas.DataFrame]]:
    return {
        name: list(getattr(retail_stream_entry, name)().end_partition(frame.copy(deep=False)))
        for name, frame in frames.items()
    }


def typed(shop: purchases.Shop, count: int) -> list[list[np.ndarray]]:
    """The columns of each kind, order lines among them, as the modules make them: before frames and JSON."""
    configuration, calendar = shop.configuration, shop.calendar
    number = np.arange(1, count + 1)
    people = customers.sign_ups(configuration, calendar, number, NEW_YEAR + number // 20, np.full(count, slots.SLOT_MS))
    orders = purchases.Orders(
        number, number, people.signed_up_ms, people.segment, people.zone, PLACE_STATE[people.place],
        people.price_sensitivity, people.favourite_category, people.preferred_channel, people.value_factor,
    )  # fmt: skip
    made = shop.purchases(orders)
    way = fulfilment.deliveries(configuration, orders, made)
    kinds = [
        vars(people), vars(orders) | vars(made), vars(made.lines),
        fulfilment.returns(configuration, orders, made, way), fulfilment.movements(configuration, orders, made, way),
        marketing.acquisitions(configuration, number, people.signed_up_ms, people.acquisition_channel),
        marketing.reminders(configuration, number, number, people.signed_up_ms),
    ]  # fmt: skip
    return [[column for column in columns.values() if isinstance(column, np.ndarray)] for columns in kinds]


def ranges(kinds: list[list[np.ndarray]]) -> list[tuple[int, int, int, bool]]:
    """Each column's length, what its numbers reach from and to, and whether it holds texts, of which there are a hundred."""
    return [
        (len(column), 0, 100, True)
        if column.dtype == object
        else (len(column), int(column.min()), int(column.max()) + 1, False)
        for columns in kinds
        for column in columns
    ]


def uniform_columns(columns: list[tuple[int, int, int, bool]], chance: np.random.Generator) -> list[np.ndarray]:
    """As many columns of the same types and ranges, each drawn by itself."""
    drawn = []
    for count, least, most, is_text in columns:
        numbers = chance.integers(least, most, count)
        drawn.append(VOCABULARY[numbers] if is_text else numbers)
    return drawn


VOCABULARY = np.array([f"text {number:03d}" for number in range(100)], dtype=object)


def uniform(made: dict[str, list[pandas.DataFrame]], chance: np.random.Generator) -> int:
    """Frames of the same number of columns, types and lengths, each column drawn by itself; a text is one of a hundred."""
    long = np.array([str(number) * 400 for number in range(10, 110)], dtype=object)  # about as long as an order's lines
    drawn = 0
    for frames in made.values():
        for frame in frames:
            columns = {}
            for name in frame:
                if pandas.api.types.is_numeric_dtype(frame[name]):
                    columns[name] = chance.integers(0, 100_000, len(frame))
                else:
                    texts = long if name == "lines" else VOCABULARY
                    columns[name] = texts[chance.integers(0, 100, len(frame))]
            drawn += len(pandas.DataFrame(columns))
    return drawn


def faked(count: int) -> int:
    """Purchases of about the same width, one by one."""
    fake, size = Faker(), 0
    Faker.seed(1)
    for number in range(count):
        lines = [
            {
                "line_number": line, "product_id": random.randint(1, 9_999), "product_name": fake.catch_phrase(),
                "category_name": fake.word(), "subcategory": fake.word(), "brand": fake.company(),
                "quantity": random.randint(1, 3), "unit_price": round(random.uniform(5, 99), 2),
                "unit_cost": round(random.uniform(2, 50), 2), "discount_amount": 0, "line_total": 10.5,
            }
            for line in (1, 2)
        ]  # fmt: skip
        event = {
            "order_id": number, "customer_id": random.randint(1, 99_999), "customer_segment": fake.word(),
            "name": fake.name(), "email": fake.email(), "ordered_at": str(fake.date_time_this_year()),
            "sales_channel": fake.word(), "device": fake.word(), "payment_method": fake.credit_card_provider(),
            "shipping_method": fake.word(), "warehouse_id": random.randint(1, 5), "ship_state": fake.state_abbr(),
            "city": fake.city(), "is_repeat_customer": fake.boolean(), "currency": "USD", "subtotal": 21.0,
            "discount_total": 0.0, "tax_total": 1.6, "shipping_total": 4.99, "final_total": 27.59, "lines": lines,
        }  # fmt: skip
        size += len(json.dumps(event))
    return size


def seconds(call: Callable[[], object], times: int = 1) -> float:
    """Of the quickest of some calls one after the other: the first finds the processor's caches full of other things."""
    found = []
    for _ in range(times):
        began = time.process_time()
        call()
        found.append(time.process_time() - began)
    return min(found)


def compiled(rows: int, columns: int) -> float | None:
    """Seconds of the C program for so many typed rows; None without a compiler."""
    if not (compiler := shutil.which("gcc") or shutil.which("cc")):
        return None
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder) / "rows.c", Path(folder) / "rows"
        source.write_text(C)
        subprocess.run([compiler, "-O3", "-o", program, source], check=True)
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        subprocess.run([program, str(rows), str(columns)], check=True, stdout=subprocess.DEVNULL)
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def keep_memory() -> None:
    """Let this process keep the memory that it frees: else one way asks the system for its pages anew, another does not,
    as the heap happens to lie. (glibc's mallopt: M_TRIM_THRESHOLD -1, M_MMAP_THRESHOLD -3; nothing elsewhere.)
    """
    if set_option := getattr(ctypes.CDLL(None), "mallopt", None):
        for option in (-1, -3):
            set_option(option, 1 << 30)


def main() -> None:
    keep_memory()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    configuration = default()
    frames = {name: frame_of(configuration, columns) for name, columns in inputs(configuration, count, 1).items()}
    made = handled(frames)
    rows = {name: sum(map(len, parts)) for name, parts in made.items()}
    cells = sum(len(frame) * len(frame.columns) for parts in made.values() for frame in parts)
    events = sum(rows.values())
    chance = np.random.default_rng(1)
    gc.collect()
    gc.freeze()  # what the imports brought is nobody's cost
    shop = configuration.once(purchases.Shop)
    kinds = typed(shop, count)
    alike = ranges(kinds)
    typed_rows = sum(len(columns[0]) for columns in kinds)
    ours, theirs, fakes, alone, bare, drawn = [], [], [], [], [], []
    orders = {"PurchaseEvents": frames["PurchaseEvents"]}
    for _ in range(ROUNDS):
        bare.append(seconds(lambda: typed(shop, count), 3))
        drawn.append(seconds(lambda: uniform_columns(alike, chance), 3))
        ours.append(seconds(lambda: handled(frames)))
        theirs.append(seconds(lambda: uniform(made, chance)))
        alone.append(seconds(lambda: handled(orders)))
        fakes.append(seconds(lambda: faked(FAKED)))
    mine, base, fake = (min(times) for times in (ours, theirs, fakes))
    in_c = compiled(events, round(cells / events))

    shown = Table("way", "events/s and core", "generator / way")
    shown.add_row("generator, typed rows, lines among them", f"{typed_rows / min(bare):,.0f}", "")
    shown.add_row("uniform NumPy, same columns", f"{typed_rows / min(drawn):,.0f}", f"{min(drawn) / min(bare):.2f}")
    shown.add_row("generator, frames with hashes, names and lines as JSON", f"{events / mine:,.0f}", "")
    shown.add_row("uniform NumPy, same frames", f"{events / base:,.0f}", f"{base / mine:.2f}")
    if in_c:
        shown.add_row("C, as many numbers", f"{events / in_c:,.0f}", f"{in_c / mine:.3f}")
    shown.add_row("generator, purchases alone", f"{count / min(alone):,.0f}", "")
    shown.add_row(
        "Faker and json.dumps, purchases", f"{FAKED / fake:,.0f}", f"{fake / FAKED / min(alone) * count:,.0f}"
    )
    Console().print(shown)
    print(f"rows: {rows}; columns per row: {cells / events:.1f}")

    # Memory: ten times as many events in shards of the same size.
    peaks = []
    for number in range(10):
        handled(
            {
                name: frame_of(configuration, columns)
                for name, columns in inputs(configuration, count, 1 + number * count).items()
            }
        )
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    print(f"peak memory after 1 and after 10 shards: {peaks[0]:,} and {peaks[-1]:,} MB")


if __name__ == "__main__":
    main()
