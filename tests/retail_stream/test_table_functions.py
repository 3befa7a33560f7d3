"""The handlers as the warehouse calls them: frames with the SQL signature's columns, in any number of shards."""

import re
from pathlib import Path

import numpy as np
import pandas
import pytest

from retail_stream import retail_stream_entry as entry
from retail_stream.keyed_randomness import row_checksums, text_code
from retail_stream.places import PLACE_STATE, STATES, ZONES
from retail_stream.slots import SLOT_MS
from retail_stream.world import SALES_CHANNELS

HANDLERS = {
    "sign_ups": entry.SignUps,
    "order_draws": entry.OrderDraws,
    "purchase_events": entry.PurchaseEvents,
    "fulfilment_events": entry.FulfilmentEvents,
    "marketing_events": entry.MarketingEvents,
}
COUNT = 420


@pytest.fixture(scope="module")
def rows(default, signed_up, new_year) -> dict[str, pandas.DataFrame]:
    """What each function is given, without the configuration."""
    slots = np.arange(new_year, new_year + COUNT // 7)
    people = signed_up(COUNT)
    orders = pandas.DataFrame(
        {
            "order_id": people.number,
            "customer_id": people.number,
            "ordered_ms": people.signed_up_ms,
            "is_first": people.number % 3 == 0,
            "customer_segment": np.array([row["segment_name"] for row in default.segments])[people.segment],
            "time_zone": np.array([name for name, _, _ in ZONES])[people.zone],
            "state": np.array(STATES)[PLACE_STATE[people.place]],
            "price_sensitivity": people.price_sensitivity,
            "favourite_category": np.array([row["category_name"] for row in default.categories])[
                people.favourite_category
            ],
            "preferred_channel": np.array(SALES_CHANNELS)[people.preferred_channel],
            "value_factor": people.value_factor,
        }
    )
    touched = pandas.DataFrame(
        {
            "order_id": np.where(people.number % 2 == 0, people.number, 0),
            "customer_id": people.number,
            "at_ms": people.signed_up_ms,
            "acquisition_channel": np.where(people.number % 2 == 0, None, "email"),
        }
    )
    return {
        "sign_ups": pandas.DataFrame(
            {"slot": slots, "open_ms": SLOT_MS, "first": 1 + 7 * (slots - new_year), "count": 7}
        ),
        "order_draws": pandas.DataFrame(
            {
                "slot": slots,
                "open_ms": SLOT_MS,
                "time_zone": np.where(slots % 2 == 0, "", "America/Denver"),
                "weight": np.where(slots % 2 == 0, 0, 10**15),
                "first_order": 1 + 7 * (slots - new_year),
                "first_customer": np.where(slots % 2 == 0, 1 + 7 * (slots - new_year), 0),
                "count": 7,
            }
        ),
        "purchase_events": orders,
        "fulfilment_events": orders,
        "marketing_events": touched,
    }


def call(name: str, configuration, rows: pandas.DataFrame, shards: int) -> pandas.DataFrame:
    """The function's rows over all shards, each of which gets every shards-th row, the configuration in its first."""
    frames = []
    for shard in range(min(shards, len(rows))):
        given = rows.iloc[shard::shards].reset_index(drop=True).convert_dtypes()
        text = pandas.Series([configuration.text()] + [None] * (len(given) - 1), dtype="string")
        given.insert(0, "CONFIGURATION", text)
        frames += HANDLERS[name]().end_partition(given)
    return pandas.concat([frame for frame in frames if len(frame)], ignore_index=True)


def total(frame: pandas.DataFrame) -> int:
    """A checksum over all typed columns, free of order."""
    columns = []
    for name in frame:
        if pandas.api.types.is_numeric_dtype(frame[name]):
            columns.append(frame[name].to_numpy())
        else:
            texts = frame[name].where(frame[name].notna(), "none")
            columns.append(np.array([text_code(str(value), 2**60) for value in texts]))
    return int(row_checksums(*columns).sum())


@pytest.mark.parametrize("name", HANDLERS)
def test_values_are_the_same_for_any_number_of_shards(name, default, rows):
    expected, *others = (total(call(name, default, rows[name], shards)) for shards in (1, 2, 7, 64))

    assert others == [expected] * 3


@pytest.mark.parametrize("name", HANDLERS)
def test_columns_are_those_of_the_sql_signature(name, default, rows, signature):
    taken, given = signature(name)
    frame = call(name, default, rows[name], 1)

    assert len(taken) == 1 + len(rows[name].columns)
    assert given == list(frame.columns)


@pytest.mark.parametrize("name", HANDLERS)
def test_handlers_are_marked_as_vectorised(name):
    assert HANDLERS[name].end_partition._sf_vectorized_input is pandas.DataFrame


def test_who_buys_at_once_does_so_after_the_sign_up_and_before_the_slot_ends(default, rows):
    people = call("sign_ups", default, rows["sign_ups"], 1).set_index("customer_id")
    orders = call("order_draws", default, rows["order_draws"], 1)
    at_once = orders[orders["buyer"] > 0]
    buyers = people.loc[at_once["buyer"]]

    assert (at_once["ordered_ms"].to_numpy() >= buyers["signed_up_ms"].to_numpy()).all()
    assert (at_once["ordered_ms"] // SLOT_MS == at_once["slot"]).all()
    assert (at_once["slot"].to_numpy() == buyers["signed_up_slot"].to_numpy()).all()


def test_places_in_the_draw_are_spread_over_the_whole_weight(default, rows):
    orders = call("order_draws", default, rows["order_draws"], 1)
    places = orders["draw_position"][orders["buyer"] == 0] / 10**15

    assert 0 <= places.min() < 0.02 and 0.98 < places.max() < 1.0
    assert places.mean() == pytest.approx(0.5, abs=5 * 0.2887 / len(places) ** 0.5)


def test_purchases_show_what_was_handed_through(default, rows):
    given, made = rows["purchase_events"], call("purchase_events", default, rows["purchase_events"], 1)

    assert made["is_first"].tolist() == given["is_first"].tolist()
    assert made["ship_state"].tolist() == given["state"].tolist()
    assert ((made["warehouse_id"] == 0) == (made["shipping_method"] == "pickup")).all()


@pytest.fixture(scope="module")
def signature():
    """The argument and output columns of a function of CORE, as its file declares them."""
    folder = Path(__file__).resolve().parents[2] / "app/setup/core"

    def read(name: str) -> tuple[list[str], list[str]]:
        text = (folder / f"{name}.sql").read_text()
        parts = re.search(
            r"create or replace function core\.\w+\(\n(.*?)\n\)\nreturns table \(\n(.*?)\n\)", text, re.DOTALL
        )
        return tuple([line.split()[0] for line in part.splitlines()] for part in parts.groups())

    return read
