"""What a fixed batch costs while ten thousand, a million and ten million customers live: CPU time of the two statements that read them all.

    PYTHONPATH=scripts:src .venv/bin/python tests/benchmarks/generator_living.py [most customers]

The statements are those of a run (`statements.LIVING_WEIGHTS`, `statements.DRAWS`) on the local account, in this process, on all cores; 25 orders in one
half-hour. The positions in the draw come from a table, so that no handler is started.
"""

import json
import re
import sys
import tempfile
import time
from pathlib import Path

from local_account import statements as account_statements
from local_account.account import Account
from local_account.session import Session
from rich.console import Console
from rich.table import Table

from retail_stream import statements

ROUNDS, ORDERS, SLOT = 3, 25, 450_000
SEGMENTS = json.dumps([("premium", 0.45), ("regular", 0.22), ("occasional", 0.08)])
CREATE = (
    "create database bench",
    "create schema truth",
    "create schema core",
    "create table truth.customers (customer_id number(18, 0), signed_up_slot number(9, 0), dropout_slot number(9, 0), "
    "time_zone varchar, customer_segment varchar, rate_factor number(18, 0))",
    "create table truth.first_orders (customer_id number(18, 0), order_id number(18, 0))",
    "create table core.drawn (order_id number(18, 0), slot number(9, 0), time_zone varchar, buyer number(18, 0), "
    "draw_position number(18, 0), ordered_ms number(18, 0))",
)
# Three in a hundred thousand drop out in the half-hour, as they do by the default parameters.
FILL = f"""
insert into truth.customers
select
    id, {SLOT} - 1000, iff(mod(id * 7919, 100000) < 3, {SLOT}, {SLOT} + 1000 + mod(id * 31, 80000)),
    case mod(id * 48271, 4) when 0 then 'America/New_York' when 1 then 'America/Chicago' when 2 then 'America/Denver'
        else 'America/Los_Angeles' end,
    case when mod(id * 69621, 20) < 3 then 'premium' when mod(id * 69621, 20) < 15 then 'regular' else 'occasional' end,
    1 + mod(id * 16807, 4000000)
from (select seq8() + 1 + {{first}} as id from table(generator(rowcount => {{count}})))
"""


def execute(session: Session, text: str, *binds: object) -> list[dict]:
    """Rows of a statement whose binds are written into it; all of them are our own."""
    for bind in binds:
        text = text.replace("?", f"'{bind}'" if isinstance(bind, str) else str(bind), 1)
    return account_statements.execute(session, text).table.to_pylist()


def main() -> None:
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    # What is drawn lies in a table.
    draws = re.sub(
        r"drawn as \(.*?\n\),\n", "drawn as (select * from core.drawn),\n", statements.DRAWS, flags=re.DOTALL
    )
    with tempfile.TemporaryDirectory() as folder:
        account = Account(Path(folder))
        session = account.login("LOCAL", "", None, None)
        for text in CREATE:
            execute(session, text)
        shown = Table("living customers", "weights, s", "draws, s", "both", "more than with the fewest, s")
        filled, fewest = 0, None
        for count in [size for size in (10_000, 1_000_000, 10_000_000) if size <= most]:
            while filled < count:
                step = min(count - filled, 1_000_000)
                execute(session, FILL.format(first=filled, count=step))
                filled += step
            execute(session, "delete from truth.first_orders")
            execute(session, "insert into truth.first_orders select customer_id, customer_id from truth.customers")
            times: dict[str, list[float]] = {"weights": [], "draws": []}
            line, out, up = statements.line_binds(SLOT - 1, SLOT, filled + 1, filled + 1)
            for _ in range(ROUNDS):
                began = time.process_time()
                living = execute(session, statements.LIVING_WEIGHTS, SEGMENTS, *line, SLOT, *out, *up)
                times["weights"].append(time.process_time() - began)
                zones = sorted((zone, int(weight)) for zone, slot, weight, _ in map(dict.values, living) if not slot)
                drawn = [
                    f"({n + 1}, {SLOT}, '{zone}', 0, {weight * n // ORDERS}, {n})"
                    for n, (zone, weight) in enumerate((zones * ORDERS)[:ORDERS])
                ]
                execute(session, "delete from core.drawn")
                execute(session, f"insert into core.drawn values {', '.join(drawn)}")
                began = time.process_time()
                found = execute(session, draws, SEGMENTS, *line, *out, *up, *line, "run", 10**9)
                times["draws"].append(time.process_time() - began)
                assert len(found) == ORDERS
            weighed, picked = (min(each) for each in times.values())
            fewest = fewest or weighed + picked
            row = (weighed, picked, weighed + picked, weighed + picked - fewest)
            shown.add_row(f"{count:,}", *(f"{each:.2f}" for each in row))
        Console().print(shown)
        account.close()


if __name__ == "__main__":
    main()
