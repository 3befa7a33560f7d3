"""Checksums over the typed columns of everything that the generator draws, as JSON, from the reference tables' rows on the
standard input.

    PYTHONPATH=src python tests/retail_stream/values.py < rows.json

Needs NumPy and pandas only, so that any version of them can be asked.
"""

import hashlib
import json
import sys

import numpy as np
import pandas

from retail_stream import customers, fulfilment, history, plan, retail_stream_entry, slots
from retail_stream.configuration import Configuration, from_tables
from retail_stream.keyed_randomness import row_checksums, text_code
from retail_stream.places import PLACE_STATE, STATES, ZONES
from retail_stream.world import SALES_CHANNELS

COUNT = 12_000
FIRST = 3_999_000_001  # beyond 32 bits
NEW_YEAR = slots.from_datetime(np.datetime64("2026-01-01")) // slots.SLOT_MS


def typed(frame: pandas.DataFrame) -> str:
    """A hash over all columns of a frame, free of the rows' order."""
    columns = []
    for name in frame:
        if pandas.api.types.infer_dtype(frame[name]) in ("integer", "boolean"):
            columns.append(frame[name].to_numpy(dtype=np.int64))
        else:
            codes, texts = pandas.factorize(frame[name].where(frame[name].notna(), "<NA>").astype(str))
            columns.append(np.array([text_code(text, 2**60) for text in texts], dtype=np.int64)[codes])
    return f"{int(row_checksums(*columns).sum()):x}"


def digest(value: object) -> str:
    """A hash of numbers and texts, whatever types of NumPy they have."""
    text = json.dumps(value, default=lambda number: number.tolist())
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def handled(handler: str, configuration: Configuration, columns: dict) -> pandas.DataFrame:
    """What a table function makes of one partition."""
    frame = pandas.DataFrame(columns).convert_dtypes()
    frame.insert(0, "configuration", pandas.Series([configuration.text()] + [None] * (len(frame) - 1), dtype="string"))
    parts = list(getattr(retail_stream_entry, handler)().end_partition(frame))
    return pandas.concat(parts, ignore_index=True)


def checksums(tables: dict) -> dict[str, str]:
    """One hash per thing that is drawn."""
    configuration = from_tables(tables)
    calendar = slots.Calendar(configuration)
    start = NEW_YEAR * slots.SLOT_MS
    year = plan.Window(NEW_YEAR, 365 * slots.DAY_SLOTS)
    week = plan.Window(NEW_YEAR + 7_000, 7 * slots.DAY_SLOTS)
    living = np.zeros((week.count, plan.ZONE_COUNT), dtype=np.int64)
    living[:, :3] = 9_000_000_000_001, 4_000_000_000_003, 77
    plans = [
        vars(plan.plan_of(configuration, calendar, week, plan.Request(*counts), living, FIRST, FIRST))
        for counts in ((None, None, None, None), (1_000, 2_500, 8, 5))
    ]

    every = np.arange(COUNT)
    signed = handled(
        "SignUps",
        configuration,
        {
            "slot": NEW_YEAR + every[::10],
            "open_ms": slots.SLOT_MS - every[::10],
            "first": FIRST + every[::10],
            "count": 10,
        },
    )
    drawn = handled(
        "OrderDraws",
        configuration,
        {
            "slot": NEW_YEAR + every[::10],
            "open_ms": slots.SLOT_MS,
            "time_zone": "America/Denver",
            "weight": 10**15 + every[::10],
            "first_order": FIRST + every[::10],
            "first_customer": np.where(every[::10] % 4 == 0, FIRST + every[::10], 0),
            "count": 10,
        },
    )
    people = customers.sign_ups(configuration, calendar, FIRST + every, NEW_YEAR + every, np.full(COUNT, slots.SLOT_MS))
    orders = {
        "order_id": people.number,
        "customer_id": people.number,
        "ordered_ms": people.signed_up_ms,
        "is_first": every % 3 == 0,
        "customer_segment": np.array([row["segment_name"] for row in configuration.segments])[people.segment],
        "time_zone": np.array([name for name, _, _ in ZONES])[people.zone],
        "state": np.array(STATES)[PLACE_STATE[people.place]],
        "price_sensitivity": people.price_sensitivity,
        "favourite_category": np.array([row["category_name"] for row in configuration.categories])[
            people.favourite_category
        ],
        "preferred_channel": np.array(SALES_CHANNELS)[people.preferred_channel],
        "value_factor": people.value_factor,
    }
    channels = np.array([row["channel_name"] for row in configuration.rows("marketing_channels")])
    touched = {
        "order_id": np.where(every % 2 == 0, people.number, 0),
        "customer_id": people.number,
        "at_ms": people.signed_up_ms,
        "acquisition_channel": np.where(every % 2 == 0, None, channels[people.acquisition_channel]),
    }
    return {
        "configuration": digest(configuration.text()),
        "calendar": digest([calendar.slot_masses(year.slots), calendar.day_masses, calendar.hour_masses]),
        "plans": digest(plans),
        "chunks": digest(
            [history.chunks(configuration, start, start + 200 * slots.DAY_MS, daily) for daily in (7, None)]
        ),
        "stock": digest(fulfilment.stock_movements(configuration, start, start + 365 * slots.DAY_MS)),
        # What the law draws, in the columns that law 1 was published with.
        "sign_ups": typed(signed[PUBLISHED["sign_ups"]]),
        "order_draws": typed(drawn[PUBLISHED["order_draws"]]),
        "purchase_events": typed(handled("PurchaseEvents", configuration, orders)[PUBLISHED["purchase_events"]]),
        "fulfilment_events": typed(handled("FulfilmentEvents", configuration, orders)[PUBLISHED["fulfilment_events"]]),
        "marketing_events": typed(handled("MarketingEvents", configuration, touched)[PUBLISHED["marketing_events"]]),
    }


PUBLISHED = {
    "sign_ups": (
        "customer_id signed_up_ms signed_up_slot dropout_ms dropout_slot first_name last_name email gender age income "
        "city state zip_code time_zone customer_segment price_sensitivity favourite_category preferred_channel "
        "acquisition_channel rate_factor value_factor checksum"
    ).split(),
    "order_draws": "order_id slot time_zone buyer draw_position ordered_ms".split(),
    "purchase_events": (
        "order_id customer_id customer_segment ordered_ms is_first ship_state sales_channel device payment_method "
        "shipping_method warehouse_id subtotal discount_total tax_total shipping_total final_total lines checksum"
    ).split(),
    "fulfilment_events": (
        "kind event_number due_ms order_id line_number customer_id product_id category_name quantity refund "
        "movement_type warehouse_id delay_days reason checksum"
    ).split(),
    "marketing_events": (
        "event_number due_ms customer_id channel_name campaign_name touch_type cost checksum"
    ).split(),
}  # fmt: skip

if __name__ == "__main__":
    print(json.dumps(checksums(json.load(sys.stdin)), indent=4))
