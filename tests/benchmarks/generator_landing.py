"""Purchases as JSON: what the local account lands a second, against DuckDB's own to_json over random columns of the same width; ratio of CPU time from one run.

    PYTHONPATH=scripts:src .venv/bin/python tests/benchmarks/generator_landing.py [purchases]

Both read typed rows from a table and write them to one. The account executes the statement of a run (`statements.PURCHASES`, its table function replaced
by the table), so the ratio is what its JSON, its instants and its dollars cost.
"""

import re
import sys
import tempfile
import time
from pathlib import Path

import duckdb
from local_account import statements as account_statements
from local_account.account import Account

from retail_stream import statements

ROUNDS = 5
LINE = (
    '{"line_number":1,"product_id":123,"product_name":"Kestrel Classic Shoes 17","category_name":"clothing","subcategory":"shoes",'
    '"brand":"Kestrel","quantity":1,"unit_price":37.99,"unit_cost":17.10,"discount_amount":0.00,"line_total":37.99}'
)
COLUMNS = {
    "order_id": "id", "customer_id": "id * 7", "customer_segment": "'regular'", "ordered_ms": "850000000000 + id * 1000",
    "is_first": "mod(id, 3) = 0", "ship_state": "'CA'", "sales_channel": "'web'", "device": "'desktop'",
    "payment_method": "'credit_card'", "shipping_method": "'standard'", "warehouse_id": "mod(id, 5)",
    "subtotal": "mod(id * 31, 90000)", "discount_total": "mod(id, 900)", "tax_total": "mod(id, 800)",
    "shipping_total": "249", "final_total": "mod(id * 31, 90000)", "lines": f"'[{LINE},{LINE}]'", "checksum": "id * 13",
}  # fmt: skip
TYPES = dict.fromkeys(COLUMNS, "number(18, 0)") | dict.fromkeys(
    [name for name, value in COLUMNS.items() if value.startswith("'")], "varchar"
) | {"is_first": "boolean"}  # fmt: skip


def seconds(call) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    made = re.sub(
        r"from \(\s+select\s+shard, order_id.*", "from core.made as made", statements.PURCHASES, flags=re.DOTALL
    )
    with tempfile.TemporaryDirectory() as folder:
        account = Account(Path(folder))
        session = account.login("LOCAL", "", None, None)

        def ours(text: str) -> None:
            account_statements.execute(session, text)

        columns = ", ".join(f"{name} {kind}" for name, kind in TYPES.items())
        for text in (
            "create database bench", "create schema core", "create schema raw_data", f"create table core.made ({columns})",
            "create table raw_data.raw_retail_events (event_id number(18, 0), event_type varchar, event_time timestamp_ntz, "
            "event_data variant, checksum number(18, 0), run_id varchar, created_at timestamp_ntz)",
            f"insert into core.made select {', '.join(COLUMNS.values())} from "
            f"(select seq8() as id from table(generator(rowcount => {count})))",
        ):  # fmt: skip
            ours(text)

        plain = duckdb.connect(str(Path(folder) / "plain.db"))
        fields = ", ".join(
            f"{name} := v{n}" + (" || 'text'" if TYPES[name] == "varchar" and name != "lines" else "")
            for n, name in enumerate(COLUMNS)
        ).replace(f"lines := v{list(COLUMNS).index('lines')}", "lines := '" + f"[{LINE},{LINE}]" + "'::json")
        random = ", ".join(f"(random() * 100000)::bigint as v{n}" for n in range(len(COLUMNS)))
        plain.execute("create table landed (event_id bigint, event_data json)")

        def theirs() -> None:
            plain.execute(
                f"insert into landed select v0, to_json(struct_pack({fields})) from (select {random} from range({count}))"
            )

        landing = "insert into raw_data.raw_retail_events (event_id, event_type, event_time, event_data, checksum, run_id, created_at)"
        statement = f"{landing} {made}".replace("?", "'run'")
        mine, base = [], []
        for _ in range(ROUNDS):
            mine.append(seconds(lambda: ours(statement)))
            base.append(seconds(theirs))
        print(
            f"{count:,} purchases: account {count / min(mine):,.0f} a second, DuckDB's to_json {count / min(base):,.0f}; "
            f"ratio {min(base) / min(mine):.2f}"
        )
        account.close()


if __name__ == "__main__":
    main()
