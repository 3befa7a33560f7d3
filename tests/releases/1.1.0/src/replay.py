"""A run made again from its audit row, and compared with what raw and truth hold.

The plan comes from the row's snapshot, window, first numbers and requested counts; customers, orders and events are
made from it by the functions that made them first, and compared one by one. Whatever the tables of today say has no
part in it.
"""

import json
from dataclasses import dataclass

import numpy as np

from retail_stream import plan, procedures, slots
from retail_stream import replay_statements as statements
from retail_stream.configuration import Configuration
from retail_stream.statements import least_event_id

PARTS = (
    "truth.customers", "truth.orders", "customer_profile", "purchase", "return", "marketing_touch", "supply_chain",
)  # fmt: skip
COLUMNS = ("part", "made_again", "found", "missing", "unexpected", "different", "example")


@dataclass(frozen=True)
class _Recorded:
    """The audit row of a completed run."""

    run_id: str
    window: plan.Window
    request: plan.Request
    counts: dict
    first_customer: int
    first_order: int
    configuration: Configuration
    table_checksums: dict
    seed: int
    law_version: int
    events_checksum: str
    purged_until: str  # what came into raw until then can be gone; '' where nothing is


class _Incomparable(Exception):
    """There is nothing to compare the run with; the message says why."""


def replay(execute, run_id: str) -> list[dict]:
    """One row per part of the run: PARTS, then the record itself; the first row is the verdict on all of them.

    `execute` takes a statement and its binds and gives rows.
    """
    try:
        return _compare(execute, _read(execute, run_id))
    except _Incomparable as reason:
        return [{"part": "verdict", "is_equal": None, "verdict": str(reason)}]


def _compare(execute, recorded: _Recorded) -> list[dict]:
    run_id = recorded.run_id
    window, config = recorded.window, recorded.configuration
    found = {part: dict.fromkeys(COLUMNS[1:6], 0) | {"part": part, "example": None} for part in PARTS}
    planned = plan.plan_of(
        config,
        slots.Calendar(config),
        window,
        recorded.request,
        procedures.living_weights(execute, window, procedures.frequencies_of(config), recorded.first_customer),
        recorded.first_customer,
        recorded.first_order,
    )
    least, most = least_event_id(window.first), config.parameters["events_per_shard"]
    compared = execute(
        statements.COMPARE_CUSTOMERS, *procedures.sign_up_binds(config, run_id, planned), run_id, least, run_id
    )
    compared += execute(statements.COMPARE_ORDERS, *procedures.draw_binds(config, run_id, window, planned), run_id)
    compared += execute(
        statements.COMPARE_PURCHASES,
        run_id, planned.first_order, most, config.text(), planned.first_order, planned.next_order, least, run_id,
    )  # fmt: skip
    compared += _compare_due(execute, recorded, least, most)
    for row in compared:
        found[row[0]] = dict(
            zip(COLUMNS, (row[0], *(None if value is None else int(value) for value in row[1:])), strict=True)
        )
    rows = [_judged(row) for row in found.values()] + _judge_record(execute, recorded, planned, least)
    wrong = [row for row in rows if not row["is_equal"]]
    said = (
        f"Equal: made again from its audit row, run {run_id} is what raw_data and truth hold, "
        f"{sum(int(found[part]['found'] or 0) for part in PARTS[2:])} events one by one."
        if not wrong
        else f"Different: run {run_id}, made again from its audit row, is not what is there. "
        + " ".join(f"{row['part']}: {row['verdict']}" for row in wrong)
    )
    totals = {name: sum(row.get(name) or 0 for row in rows) for name in COLUMNS[1:6]}
    return [{"part": "verdict", "is_equal": not wrong, "verdict": said} | totals, *rows]


def _read(execute, run_id: str) -> _Recorded:
    """The run's audit row.

    Raises:
        _Incomparable: when it made nothing, or what it made is gone.
    """
    rows = execute(statements.READ_RUN, run_id, run_id)
    if not rows:
        raise _Incomparable(
            f"There is no run {run_id}; CALL core.view_generation_audit() lists the runs with their ids."
        )
    (status, error, run_type, start, end, requested, counts, firsts, snapshot, checksums, seed, law, checksum, resets, purged, started) = rows[0]  # fmt: skip
    if run_type != "GENERATION":
        raise _Incomparable(
            f"Run {run_id} is of type {run_type} and made no events; only runs of type GENERATION can be replayed."
        )
    if status != "COMPLETED":
        raise _Incomparable(f"Run {run_id} is {status} and left no event behind: {error or 'it has not ended'}")
    if resets:
        raise _Incomparable(
            f"What run {run_id} made was deleted by core.reset_data, so there is nothing to compare it with."
        )
    if start is None:
        raise _Incomparable(f"Run {run_id} had nothing to do, and made nothing.")
    if purged and started <= purged:
        raise _Incomparable(_purged(run_id, purged))
    start_ms, end_ms = (slots.from_datetime(np.datetime64(text)) for text in (start, end))
    first, passed = start_ms // slots.SLOT_MS, end_ms % slots.SLOT_MS
    window = plan.Window(first, 1, passed) if passed else plan.Window(first, (end_ms - start_ms) // slots.SLOT_MS)
    asked, numbers = json.loads(requested), json.loads(firsts)
    return _Recorded(
        run_id,
        window,
        plan.Request(*(asked.get(name) for name in plan.Request.__dataclass_fields__)),
        json.loads(counts),
        int(numbers["customer_id"]),
        int(numbers["order_id"]),
        Configuration(json.loads(snapshot)),
        json.loads(checksums),
        int(seed),
        int(law),
        checksum,
        purged or "",
    )


def _purged(run_id: str, until: str) -> str:
    return (
        f"Raw has let go of events that came until {until[:16]} UTC, and run {run_id} has some among them or depends on "
        "some: there is not enough left to compare it with. SELECT * FROM pipeline.retention shows how long events are kept."
    )


def _compare_due(execute, recorded: _Recorded, least: int, most: int) -> list:
    """What fell due in the run, from all runs that can have brought it about, less what earlier runs emitted."""
    run_id, window = recorded.run_id, recorded.window
    start, end = slots.to_text(window.start_ms), slots.to_text(window.end_ms)
    oldest, days = execute(statements.READ_HORIZON, start, start, least, run_id, run_id)[0]
    if oldest <= recorded.purged_until:  # what was emitted before cannot be told from what was left over
        raise _Incomparable(_purged(run_id, recorded.purged_until))
    stock: list[dict] = []
    for begun, ended, snapshot in execute(statements.READ_STOCK_RUNS, oldest, run_id, run_id):
        begun_ms, ended_ms = (slots.from_datetime(np.datetime64(text)) for text in (begun, ended))
        if ended_ms % slots.SLOT_MS == 0:
            count = (ended_ms - begun_ms) // slots.SLOT_MS
            stock += procedures.stock_rows(
                Configuration(json.loads(snapshot)), plan.Window(begun_ms // slots.SLOT_MS, count)
            )
    limits = [
        procedures.NO_ORDER_LIMIT if count is None else count
        for count in (recorded.request.marketing_events, recorded.request.supply_chain_events)
    ]
    return execute(
        statements.COMPARE_DUE,
        run_id, int(days), oldest, run_id, most, run_id, most, run_id, json.dumps(stock), oldest, run_id, run_id,
        window.first, oldest, end, *limits, least, run_id,
    )  # fmt: skip


def _judged(row: dict) -> dict:
    """A compared part with its verdict."""
    faults = [
        f"{row[name]} {words}"
        for name, words in (
            ("missing", "are missing"),
            ("unexpected", "are there and were not made"),
            ("different", "are not as they were made"),
        )
        if row[name]
    ]
    said = f"{', '.join(faults)}; the first is {row['example']}." if faults else f"All {row['found']} are equal."
    return row | {"is_equal": not faults, "verdict": said}


def _judge_record(execute, recorded: _Recorded, planned: plan.Plan, least: int) -> list[dict]:
    """Whether the audit row agrees with itself, with the plan, and with the checksum of what lies in raw."""
    config = recorded.configuration
    landed = execute(procedures.statements.COUNT_LANDED, least, recorded.run_id)
    checksum = f"{sum(int(part or 0) for _, _, part in landed):x}"
    counts = {procedures.KINDS[kind]: int(count) for kind, count, _ in landed if kind in procedures.KINDS}
    told = {name: recorded.counts.get(name) for name in procedures.KINDS.values()}
    checks = {
        "settings": (
            "The snapshot is the one whose seed, law and table checksums are recorded.",
            (config.parameters["seed"], config.snapshot["law_version"], config.checksums())
            == (recorded.seed, recorded.law_version, recorded.table_checksums),
            "The snapshot is not the one whose seed, law and table checksums are recorded.",
        ),
        "generated_counts": (
            "The plan and raw have as many as are recorded.",
            (planned.customer_count, planned.order_count) == (told["customer_events"], told["purchase_events"])
            and all(counts.get(name, 0) == told[name] for name in told),
            f"Recorded are {told}, planned again {planned.customer_count} sign-ups and {planned.order_count} orders, "
            f"in raw lie {counts}.",
        ),
        "events_checksum": (
            f"What lies in raw adds up to {checksum}, as recorded.",
            checksum == recorded.events_checksum,
            f"What lies in raw adds up to {checksum}; recorded is {recorded.events_checksum}.",
        ),
    }
    return [
        {"part": part, "is_equal": equal, "verdict": good if equal else bad}
        for part, (good, equal, bad) in checks.items()
    ]
