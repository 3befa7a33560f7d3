"""What a batch costs from raw to gold: a million events at once, and a thousand of them with millions of events behind them and with none.

    PYTHONPATH=scripts .venv/bin/python tests/benchmarks/pipeline_batch.py [--events 1000000] [--history 10000000]

Seconds are of this process and all its threads (CPU) and of the clock. A statement's share tells what binds. The million is made by the generator; the
history is that million again and again, each time a day older, written to bronze and gold directly (in raw with empty payloads).
"""

import argparse
import socket
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import bundles
import uvicorn
from local_account import access, statements
from local_account.account import Account
from local_account.results import python_rows
from local_account.server import Server
from local_account.session import Frame
from local_account.watch import Watch
from rich.console import Console
from rich.table import Table

DAYS, SIGN_UPS_PER_EVENT = 30, 0.07  # of the first month, by the natural course
RUNS = 10  # that make it: a run's memory grows with its events
BATCH = "call core.generate_batch(60, 200, 500, 240)"  # a thousand events
ROUNDS = 5
ONE_MORE_DAY = 48 * 10**10  # of event ids
OF_THE_TRADE = {"WAREHOUSE_ID", "PRODUCT_ID"}  # not grown with time
console = Console()


@dataclass
class Cost:
    """Seconds of a transformation, and of each statement in it."""

    cpu: float
    clock: float
    shares: dict[str, float] = field(default_factory=dict)

    def show(self, title: str, least: float = 0.02) -> None:
        table = Table("statement", "seconds", "share", title=f"{title}: {self.cpu:.1f} s CPU, {self.clock:.1f} s")
        for text, seconds in sorted(self.shares.items(), key=lambda pair: -pair[1]):
            if seconds > least * self.clock:
                table.add_row(text, f"{seconds:.2f}", f"{seconds / self.clock:.0%}")
        console.print(table)


class Shop:
    """An app in an account in this process, asked from within."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.account = Account(folder / "account", "127.0.0.1", port)
        # The workers of Python procedures ask over the wire.
        application = Server(self.account, "").application()
        self.server = uvicorn.Server(
            uvicorn.Config(application, host="127.0.0.1", port=port, log_level="warning", access_log=False)
        )
        self.serving = threading.Thread(target=self.server.run)
        self.serving.start()
        owner = self.account.login("LOCAL", "", None, None)
        for text in ("create application package p", "create schema p.src", "create stage p.src.stage"):
            statements.execute(owner, text)
        bundles.render(self.account.stage_directory("P", "SRC", "STAGE"))
        statements.execute(owner, "create application shop from application package p using @p.src.stage")
        frame = Frame(
            "a benchmark", "SHOP", None, application="SHOP", generation=self.account.database("SHOP")["generation"]
        )
        self.session = self.account.system_session(access.APPLICATION, frame)

    def __call__(self, sql: str) -> list[tuple]:
        return python_rows(statements.execute(self.session, sql))

    def close(self) -> None:
        self.server.should_exit = True
        self.serving.join()

    def set(self, parameter: str, value: float) -> None:
        self(
            f"update reference_data.generation_parameters set parameter_value = '{value}' where parameter_name = '{parameter}'"
        )

    def to_gold(self) -> Cost:
        self.session.watch = watch = Watch()
        cpu, clock = time.process_time(), time.perf_counter()
        self("call core.transform_bronze_to_gold()")
        cost = Cost(time.process_time() - cpu, time.perf_counter() - clock)
        self.session.watch = None
        for entry in watch.seen:
            text = " ".join(entry["text"].split())[:60]
            if not text.startswith("call"):
                cost.shares[text] = cost.shares.get(text, 0) + entry["seconds"]
        return cost

    def batches(self) -> Cost:
        """The median of some batches of a thousand events; the first warms up."""
        costs = []
        for _ in range(ROUNDS + 1):
            self(BATCH)
            costs.append(self.to_gold())
        return Cost(
            statistics.median(cost.cpu for cost in costs[1:]),
            statistics.median(cost.clock for cost in costs[1:]),
            costs[-1].shares,
        )

    def grow(self, times: int) -> None:
        """All that bronze and gold hold, again so many times, each a day older, under keys of its own."""
        columns = self(
            "select table_schema || '.' || table_name, column_name, data_type from information_schema.columns"
            " inner join information_schema.tables using (table_schema, table_name)"
            " where table_type = 'BASE TABLE' and table_schema in ('BRONZE', 'GOLD', 'RAW_DATA') order by 1, columns.ordinal_position"
        )
        tables: dict[str, dict[str, str]] = {}
        for table, column, kind in columns:
            tables.setdefault(table, {})[column] = kind
        for table, kinds in tables.items():
            keys = {name for name in kinds if name.endswith("_ID") and kinds[name] == "NUMBER"} - OF_THE_TRADE
            if keys or any(kind == "DATE" for kind in kinds.values()):
                older = ", ".join(self.older(name, kind, name in keys) for name, kind in kinds.items())
                self(
                    f"insert into {table} ({', '.join(kinds)}) select {older} from {table}"
                    f" cross join (select seq4() + 1 as day from table(generator(rowcount => {times})))"
                )

        # The stream has given away what history holds: a DML that reads it moves its offset, whatever it takes.
        columns = "event_id, event_type, event_time, event_data, run_id"
        self(
            f"insert into bronze.arrivals ({columns}, origin, occurrence)"
            f" select {columns}, 'STREAM', 1 from raw_data.raw_retail_events_stream where false"
        )

    @staticmethod
    def older(name: str, kind: str, is_key: bool) -> str:
        if name == "EVENT_ID":
            return f"event_id - day * {ONE_MORE_DAY}"
        if is_key:
            return f"{name} - day * 10000000"
        if kind == "DATE" or kind.startswith("TIMESTAMP"):
            return f"dateadd('day', -day, {name})"
        return "parse_json('{}')" if kind == "VARIANT" else name


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--events", type=int, default=1_000_000)
    arguments.add_argument("--history", type=int, default=10_000_000)
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder))
        shop("update pipeline.generation_state set next_customer = 1000000000, next_order = 1000000000")
        shop.set("first_run_days", 1)
        shop("call core.generate_batch(1, 1, 1, 1)")
        alone = shop.batches()
        alone.show("A thousand events, nothing behind them", 0.04)

        shop("update pipeline.generation_state set window_end = null")
        shop.set("first_run_days", DAYS // RUNS)
        shop.set("daily_customer_events", round(asked.events * SIGN_UPS_PER_EVENT / DAYS))
        for run in range(RUNS):
            shop.account.clock.set(shop.account.clock.now() + timedelta(days=DAYS // RUNS if run else 0))
            shop("call core.generate_batch(null, null, null, null)")
        ((events,),) = shop("select count(*) from raw_data.raw_retail_events_stream")
        shop.to_gold().show(f"{events:,} events")

        times = round(asked.history / events)
        shop.grow(times)
        behind = shop.batches()
        behind.show(f"A thousand events, {events * (times + 1):,} behind them", 0.04)
        console.print(
            f"Ratio with history to without: {behind.cpu / alone.cpu:.2f} CPU, {behind.clock / alone.clock:.2f} by the clock"
        )
        shop.close()


if __name__ == "__main__":
    main()
