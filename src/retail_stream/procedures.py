"""One run of the generator in the account: the only module that knows Snowpark.

The run's row in the audit is committed before the transaction begins; everything else is one transaction, in which the
row is closed together with what it tells of. A run that fails leaves its reason there and raises.
"""

import hashlib
import json
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from snowflake.snowpark import Session

from retail_stream import configuration as settings
from retail_stream import edits, fulfilment, history, plan, restore, slots, statements
from retail_stream.keyed_randomness import row_checksums, text_code
from retail_stream.places import ZONES

KINDS = {
    "customer_profile": "customer_events",
    "purchase": "purchase_events",
    "return": "return_events",
    "marketing_touch": "marketing_events",
    "supply_chain": "supply_chain_events",
}
NO_ORDER_LIMIT = 1_000_000_000  # more than can be due


def executor(session: Session) -> Callable[..., list]:
    """What executes a statement with its binds in the session and returns the rows."""
    return lambda statement, *binds: session.sql(statement, params=list(binds)).collect()


class RunRefused(Exception):
    """The run cannot be made as it was asked for; nothing was generated."""


def generate_batch(session: Session, customer_events, purchase_events, marketing_events, supply_chain_events) -> str:
    """Make one run and return its id. Arguments are counts; None leaves a kind to the natural course.

    Raises:
        RunRefused: for impossible counts, or when another run took over.
        ConfigurationRefused: with all faults of the reference tables.
    """
    request = plan.Request(
        *(
            None if count is None else int(count)
            for count in (customer_events, purchase_events, marketing_events, supply_chain_events)
        )
    )
    return _Run(session, request).carry_out()


def plan_history(session: Session, start_date, end_date, events_per_day) -> str:
    """Plan the chunks that fill [start_date, end_date), or take up those of the same call, and return the fill's id.

    Raises:
        RunRefused: for an impossible stretch of time, or one in which something is generated already.
        ConfigurationRefused: with all faults of the reference tables.
    """
    execute = executor(session)
    state, config = read_configuration(session)
    now, start, end = (slots.from_datetime(np.datetime64(at)) for at in (state["now"], start_date, end_date))
    daily = None if events_per_day is None else int(events_per_day)
    if faults := history.faults(start, end, now, daily):
        raise RunRefused("; ".join(faults))
    start_text, end_text = slots.to_text(start), slots.to_text(end)
    fill = execute(statements.UNFINISHED_FILL, start_text, end_text, daily)[0][0]
    if fill:
        execute(statements.CONTINUE_FILL, fill)
        return fill
    _refuse_overlap(execute, start_text, end_text)
    fill, rows = str(uuid.uuid4()), history.chunks(config, start, end, daily)
    execute(statements.FORGET_PLANNED, end_text, start_text)
    execute(statements.PLAN_CHUNKS, fill, start_text, end_text, daily, json.dumps(rows))
    return fill


def generate_chunk(session: Session, fill: str) -> str:
    """Make the next chunk of a fill and return the run's id; '' when none waits."""
    found = executor(session)(statements.NEXT_CHUNK, fill)
    if not found:
        return ""
    number, start, end, orders = found[0]
    first, last = (slots.from_datetime(np.datetime64(text)) // slots.SLOT_MS for text in (start, end))
    request = plan.Request(None, None if orders is None else int(orders), None, None)
    return _Run(session, request, _Chunk(fill, int(number), plan.Window(first, last - first))).carry_out()


def _refuse_overlap(execute, start: str, end: str) -> None:
    count, earliest, latest = execute(statements.OVERLAPPING, end, start)[0]
    if count:
        raise RunRefused(
            f"Between {start[:16]} and {end[:16]} something is generated already: {count} runs, which reach from "
            f"{earliest[:16]} to {latest[:16]}. Choose a time outside; audit.generation_gaps lists the gaps, each with "
            "the call that fills it"
        )


@dataclass(frozen=True)
class _Chunk:
    """A chunk of the past that a run fills."""

    fill: str
    number: int
    window: plan.Window


def configuration_faults(session: Session) -> str:
    """The faults that a run would refuse with, in its order, as JSON text; an empty list when there is none."""
    try:
        read_configuration(session)
    except settings.ConfigurationRefused as refusal:
        return json.dumps([vars(fault) for fault in refusal.faults])
    return "[]"


def replay_run(session: Session, run_id: str) -> str:
    """A run made again from its audit row and compared with what is there: rows as JSON text."""
    from retail_stream.replay import replay

    return json.dumps(replay(executor(session), run_id))


def restore_configuration(session: Session, run_id: str) -> str:
    """Put the reference tables back to what a run saw, in one transaction, and say which were changed.

    Raises:
        RunRefused: when there is no such run, or it left no snapshot; nothing was changed.
    """
    execute = executor(session)
    found = execute(restore.READ_SNAPSHOT, run_id)
    if not found or found[0][0] is None:
        what = f"Run {run_id} is {found[0][1]} and kept no snapshot" if found else f"There is no run {run_id}"
        raise RunRefused(
            f"{what}; nothing was changed. CALL core.view_generation_audit() lists the runs with their ids"
        )
    snapshot = json.loads(found[0][0])
    try:
        before = read_configuration(session)[1].checksums()
    except settings.ConfigurationRefused:
        before = {}  # what cannot be honoured can be put back all the same
    execute("begin transaction")
    try:
        today: dict[str, dict[str, dict]] = {}
        for table, text in execute(restore.READ_ROWS):
            row = json.loads(text)
            today.setdefault(table, {})[str(row["key"])] = row
        for table, rows in restore.rows_of(snapshot, today).items():
            execute(restore.EMPTY[table])
            execute(restore.FILL[table], json.dumps(rows))
        after = read_configuration(session)[1].checksums()
        execute("commit")
    except Exception:
        execute("rollback")
        raise
    changed = [table for table, checksum in sorted(after.items()) if before.get(table) != checksum]
    return (
        f"The reference tables are as run {run_id} saw them. Put back: {', '.join(changed)}."
        if changed
        else f"The reference tables are as run {run_id} saw them, and were so before."
    )


def save_configuration(session: Session, edited: str, seen: str, is_trial: bool) -> str:
    """Give reference tables the rows of `edited` (JSON text, by table); the faults as JSON text, an empty list when saved.

    Raises:
        ChangedMeanwhile: when a table is not as it was seen; nothing was changed.
    """
    faults = edits.save(
        executor(session), lambda: read_configuration(session), json.loads(edited), json.loads(seen), is_trial
    )
    return json.dumps([vars(fault) for fault in faults])


def fit_customer_model(session: Session) -> str:
    """Fit the purchase model to the customers' histories, in one transaction, and say what was found.

    Raises:
        TooLittleData: the parameters stay as they are.
        ConfigurationRefused: with all faults of the reference tables, from which the business calendar comes.
    """
    # Only this procedure has SciPy among its packages.
    from retail_stream import customer_model, model_statements

    execute = executor(session)
    run_id, started = str(uuid.uuid4()), time.monotonic()
    execute(model_statements.RECORD_START, run_id)
    execute("begin transaction")
    try:
        execute(model_statements.HOLD_MODEL)
        calendar = slots.Calendar(read_configuration(session)[1])
        execute(model_statements.TAKE_CALENDAR, json.dumps(customer_model.calendar_parts(calendar)))
        histories = customer_model.histories(execute(model_statements.READ_HISTORIES))
        values = customer_model.order_values(execute(model_statements.READ_ORDER_VALUES))
        rows = customer_model.fit(histories, values)
        execute(model_statements.KEEP_EARLIER, run_id)
        execute(model_statements.TAKE_PARAMETERS, json.dumps(rows), run_id, run_id)
        found = customer_model.summary(histories, rows)
        seconds = round(time.monotonic() - started, 3)
        told = json.dumps(customer_model.counts(histories, values) | {"parameters": rows})
        execute(model_statements.RECORD_END, told, seconds, found, run_id)
        execute("commit")
    except Exception as error:
        execute("rollback")
        execute(model_statements.RECORD_FAILURE, str(error)[:8_000], round(time.monotonic() - started, 3), run_id)
        raise
    return found


def read_configuration(session: Session) -> tuple[dict, settings.Configuration]:
    """The generator's state and the reference tables, in one statement.

    Raises:
        ConfigurationRefused: with all faults of the reference tables.
    """
    tables: dict[str, list[dict]] = {}
    for table, text in complete(executor(session)(statements.READ_ALL)):
        tables.setdefault(table, []).append(json.loads(text))
    state = tables.pop("state")[0]
    return state, settings.from_tables(tables, {"segments": state.get("known_segments") or []})


def complete(rows: list) -> list[tuple]:
    """Rows whose last column says how many there are, without that column.

    Raises:
        RunRefused: when the caller's session cuts results.
    """
    if rows and len(rows) < int(rows[0][-1]):
        raise RunRefused(
            f"Only {len(rows)} of {rows[0][-1]} rows can be read, because your session limits results; nothing was "
            "changed. ALTER SESSION UNSET ROWS_PER_RESULTSET, and call again"
        )
    return [tuple(row)[:-1] for row in rows]


def living_weights(execute, window: plan.Window, frequencies: str, first_customer: int) -> np.ndarray:
    """The weight of the earlier customers (numbers below the first) alive in each slot (rows) and zone (columns)."""
    last = window.first + window.count - 1
    changes = np.zeros((window.count + 1, len(ZONES)), dtype=np.int64)
    zones = {name: index for index, (name, _, _) in enumerate(ZONES)}
    living, dropping_out, signing_up = statements.line_binds(window.first, last, first_customer, first_customer)
    rows = execute(statements.LIVING_WEIGHTS, frequencies, *living, window.first, *dropping_out, *signing_up)
    for zone, slot, weight in complete(rows):
        changes[int(slot) - window.first if slot else 0, zones[zone]] += int(weight)
    return np.cumsum(changes, axis=0)[:-1]


def frequencies_of(config: settings.Configuration) -> str:
    """Each segment's purchase frequency, as JSON text for the SQL of the draw."""
    return json.dumps([(row["segment_name"], row["purchase_frequency"]) for row in config.segments])


def sign_up_binds(config: settings.Configuration, run_id: str, planned: plan.Plan) -> tuple:
    """The binds of SIGN_UPS."""
    rows = plan.sharded(planned.sign_ups, config.parameters["events_per_shard"], numbers=(2,))
    return config.snapshot["law_version"], run_id, config.text(), json.dumps(rows)


def draw_binds(config: settings.Configuration, run_id: str, window: plan.Window, planned: plan.Plan) -> tuple:
    """The binds of DRAWS."""
    draws = [
        (slot, passed, "", 0, customer, order, count) for slot, passed, customer, order, count in planned.first_orders
    ]
    draws += [
        (slot, passed, ZONES[zone][0], weight, 0, order, count)
        for slot, passed, zone, weight, order, count in planned.further_orders
    ]
    rows = plan.sharded(draws, config.parameters["events_per_shard"], numbers=(5,), also_if_positive=(4,))
    last = window.first + window.count - 1
    customers = planned.first_customer, planned.next_customer
    living, dropping_out, signing_up = statements.line_binds(window.first, last, *customers)
    return (
        config.text(), json.dumps(rows), frequencies_of(config), *living, *dropping_out, *signing_up, *living, run_id,
        planned.first_order,
    )  # fmt: skip


class _Run:
    """One run: what is asked, and the session that carries it out."""

    def __init__(self, session: Session, request: plan.Request, chunk: _Chunk | None = None):
        self.session = session
        self.request = request
        self.chunk = chunk
        self.run_id = str(uuid.uuid4())
        self.started = time.monotonic()
        self.execute = executor(session)

    def seconds(self) -> float:
        return round(time.monotonic() - self.started, 3)

    def carry_out(self) -> str:
        """Make the run and return its id; a failure is recorded, and raised."""
        self.start()
        try:
            self.execute("begin transaction")
            self.make()
            self.execute("commit")
        except Exception as error:
            # A later COMMIT would keep half a run, and the reason must outlive the rollback.
            self.execute("rollback")
            self.execute(statements.RECORD_FAILURE, str(error)[:8_000], self.seconds(), self.run_id)
            raise
        return self.run_id

    def start(self) -> None:
        """Take the state, close crashed runs, record this one: three statements, each committed by itself."""
        asked = {name: count for name, count in vars(self.request).items() if count is not None}
        self.execute(statements.TAKE_STATE, self.run_id)
        self.execute(statements.CLOSE_CRASHED, self.run_id)
        self.execute(statements.RECORD_START, self.run_id, json.dumps(asked), code_version())

    def make(self) -> None:
        """Everything between BEGIN and COMMIT."""
        if faults := self.request.faults():
            raise RunRefused("; ".join(faults))
        self.execute(statements.HOLD_STATE)
        if not self.execute(statements.IS_HOLDER, self.run_id)[0][0]:
            raise RunRefused("Another run started at the same moment and took over; call again when it has ended")
        state, config = read_configuration(self.session)
        window = self._window(state, config)
        if window is None:
            self._close(
                config, None, None, dict.fromkeys(KINDS.values(), 0), 0, "Nothing to do: the half-hour has not ended."
            )
            return
        calendar = slots.Calendar(config)
        frequencies = frequencies_of(config)
        planned = plan.plan_of(
            config,
            calendar,
            window,
            self.request,
            living_weights(self.execute, window, frequencies, state["next_customer"]),
            state["next_customer"],
            state["next_order"],
        )
        self._write(config, window, planned)
        counts, checksum = self._emit_due(window)
        self.execute(
            statements.ADVANCE_STATE,
            None if window.is_open else slots.to_text(window.end_ms),
            planned.next_customer,
            planned.next_order,
            json.dumps(config.segments),
        )
        self._close(config, window, planned, counts, checksum, self._summary(window, planned, counts))

    def _window(self, state: dict, config: settings.Configuration) -> plan.Window | None:
        """The chunk's window, if nobody was faster; else what has passed since the last run."""
        if self.chunk:
            window = self.chunk.window
            _refuse_overlap(self.execute, slots.to_text(window.start_ms), slots.to_text(window.end_ms))
            if not self.execute(statements.TAKE_CHUNK, self.run_id, self.chunk.fill, self.chunk.number)[0][0]:
                raise RunRefused("The chunk was stopped or made meanwhile; call again to go on")
            return window
        now, until = slots.from_datetime(np.datetime64(state["now"])), state.get("window_end")
        end = None if until is None else slots.from_datetime(np.datetime64(until))
        end_slot = None if end is None else end // slots.SLOT_MS
        return plan.window_of(now, end_slot, self.request, config.parameters["first_run_days"])

    def _write(self, config: settings.Configuration, window: plan.Window, planned: plan.Plan) -> None:
        """Customers, orders, and what follows from them."""
        text, most, run = config.text(), config.parameters["events_per_shard"], self.run_id
        customers = (planned.first_customer, planned.next_customer)
        orders = (planned.first_order, most, text, planned.first_order, planned.next_order)
        if planned.customer_count:
            self.execute(statements.SIGN_UP, *sign_up_binds(config, run, planned))
            self.execute(statements.EMIT_PROFILES, *customers)
        if planned.order_count:
            self.execute(statements.DRAW_ORDERS, *draw_binds(config, run, window, planned))
            self.execute(statements.REMEMBER_FIRST_ORDERS, planned.first_order, planned.next_order)
            self.execute(statements.EMIT_PURCHASES, run, *orders)
            self.execute(statements.FIX_FULFILMENT, run, *orders)
        if planned.customer_count or planned.order_count:
            self.execute(statements.FIX_MARKETING, run, most, text, *customers, planned.first_order, planned.next_order)
        # An open slot gets only what was asked for; its stock moves when it has ended.
        stock = stock_rows(config, window)
        if stock:
            self.execute(statements.FIX_STOCK, run, json.dumps(stock))
        self.execute(statements.REMEMBER_CAUSES, run)

    def _emit_due(self, window: plan.Window) -> tuple[dict[str, int], int]:
        """Emit what is due; then count what the run has landed, by kind, with the checksum over all of it."""
        limits = [
            NO_ORDER_LIMIT if count is None else count
            for count in (self.request.marketing_events, self.request.supply_chain_events)
        ]
        due = (slots.to_text(window.end_ms), *limits)
        self.execute(statements.EMIT_DUE, window.first, self.run_id, *due)
        self.execute(statements.FORGET_DUE, *due)
        counts, checksum = dict.fromkeys(KINDS.values(), 0), 0
        for kind, count, part in self.execute(
            statements.COUNT_LANDED, statements.least_event_id(window.first), self.run_id
        ):
            counts[KINDS[kind]], checksum = int(count), checksum + int(part)
        return counts, checksum

    def _close(
        self, config, window: plan.Window | None, planned: plan.Plan | None, counts: dict, checksum: int, summary: str
    ) -> None:
        firsts = {"customer_id": planned.first_customer, "order_id": planned.first_order} if planned else {}
        law = {"orders_by_law": round(planned.orders_by_law, 3)} if planned else {}
        self.execute(
            statements.RECORD_END,
            json.dumps(counts | law),
            json.dumps(firsts),
            config.parameters["seed"],
            config.snapshot["law_version"],
            slots.to_text(window.start_ms) if window else None,
            slots.to_text(window.end_ms) if window else None,
            self.seconds(),
            json.dumps(config.checksums()),
            config.text(),
            f"{checksum:x}",
            summary,
            self.run_id,
        )

    def _summary(self, window: plan.Window, planned: plan.Plan, counts: dict[str, int]) -> str:
        """What was made, and where it differs from what was asked."""
        remarks = list(planned.remarks)
        for name, asked in vars(self.request).items():
            if asked is not None and counts[name] < asked:
                remarks.append(f"of {asked} {name} asked for only {counts[name]} were due")
        said = (
            f"Run {self.run_id} made {counts['customer_events']} sign-ups, {counts['purchase_events']} orders, "
            f"{counts['return_events']} returns, {counts['marketing_events']} marketing touches and "
            f"{counts['supply_chain_events']} supply-chain movements, from {slots.to_text(window.start_ms)[:16]} to "
            f"{slots.to_text(window.end_ms)[:16]} UTC."
        )
        return " ".join([said, *(remark[0].upper() + remark[1:] + "." for remark in remarks)])


def stock_rows(config: settings.Configuration, window: plan.Window) -> list[dict]:
    """The stock movements that a window brings, each with its hash; none while it is open."""
    found = [] if window.is_open else fulfilment.stock_movements(config, window.start_ms, window.end_ms)
    return [row | {"checksum": _stock_checksum(row)} for row in found]


def _stock_checksum(row: dict) -> int:
    values = (text_code(value, 2**60) if isinstance(value, str) else value for value in row.values())
    return int(row_checksums(*(np.array([value]) for value in values))[0])


def code_version() -> str:
    """A hash of the generator's modules as they were loaded."""
    digest = hashlib.blake2b(digest_size=8)
    loaded = sorted((name, module) for name, module in sys.modules.items() if name.startswith("retail_stream."))
    for name, module in loaded:
        digest.update(name.encode() + Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()
