"""What the local account adds to a statement, against fakesnow alone: both in this process, interleaved, in one run,
and both with their data on disk.

    PYTHONPATH=scripts .venv/bin/python tests/benchmarks/account_statements.py

First: statements that differ each time (translated anew). Again: the same text each time. Ratios below 1 are quicker than fakesnow. The last line
reads fifteen paths of one VARIANT: rows a second, and the ratio to fakesnow's translation.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from fakesnow.instance import FakeSnow
from local_account import statements
from local_account.account import Account
from rich.console import Console
from rich.table import Table

ROUNDS, ROWS, PATHS = 40, 200_000, 15
SETUP = (
    "create table orders (id int, customer int, total number(12, 2), ordered_at timestamp_ntz)",
    "insert into orders select seq4(), mod(seq4(), 100), seq4() / 7, '2026-01-01'::timestamp_ntz from table(generator(rowcount => 1000))",
)
CASES = {
    "select one row": "select id, total from orders where id = {0}",
    "group": "select customer, count(*), sum(total) from orders where id > {0} group by customer",
    "insert": "insert into orders (id, customer) values ({0}, 1)",
    "update": "update orders set total = 1 where id = {0}",
}


def milliseconds(call: Callable[[str], object], text: str) -> float:
    began = time.perf_counter()
    call(text)
    return (time.perf_counter() - began) * 1000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        account = Account(Path(folder))
        session = account.login("LOCAL", "", None, None)
        connection = FakeSnow(db_path=Path(folder)).connect("FAKE", "PUBLIC")  # on disk, as the account

        def ours(text: str) -> list:
            return statements.execute(session, text).table.to_pylist()

        def theirs(text: str) -> list:
            return connection.cursor().execute(text).fetchall()

        ours("create database bench")
        for text in SETUP:
            ours(text)
            theirs(text)
        shown = Table("statement", "fakesnow, ms", "first, ms", "ratio", "again, ms", "ratio")
        for name, template in CASES.items():
            times: dict[str, list[float]] = {"fakesnow": [], "first": [], "again": []}
            for number in range(ROUNDS):
                times["fakesnow"].append(milliseconds(theirs, template.format(number)))
                times["first"].append(milliseconds(ours, template.format(number)))
                times["again"].append(milliseconds(ours, template.format(0)))
            base, first, again = (statistics.median(times[key]) for key in ("fakesnow", "first", "again"))
            shown.add_row(
                name, f"{base:.1f}", f"{first:.1f}", f"{first / base:.2f}", f"{again:.1f}", f"{again / base:.2f}"
            )
        Console().print(shown)

        keys = ", ".join(f"'k{n}', seq4() + {n}" for n in range(PATHS))
        paths = ", ".join(f"sum(v:k{n}::int)" for n in range(PATHS))
        for call in (ours, theirs):
            call("create table events (v variant)")
            call(f"insert into events select object_construct({keys}) from table(generator(rowcount => {ROWS}))")
        reading = {
            name: min(milliseconds(call, f"select {paths} from events") for _ in range(3))
            for name, call in (("ours", ours), ("theirs", theirs))
        }
        print(
            f"{PATHS} paths of one VARIANT: {ROWS / reading['ours'] * 1000:,.0f} rows/s, "
            f"{reading['theirs'] / reading['ours']:.1f} times fakesnow's"
        )
        account.close()


if __name__ == "__main__":
    main()
