"""18 months of history at 10,000 orders a day, in the local account: seconds of each chunk, and peak memory, which stays where the first chunks leave it.

    PYTHONPATH=scripts .venv/bin/python tests/benchmarks/generator_history.py [--days 550] [--orders 10000] [--chunks 999] [--memory 2GB] [--to-gold]

The calls are those of core.generate_historical_data: a chunk of seven days is one run of the generator; with --to-gold each is carried on to gold. Seconds
are of the clock, and of this process and the workers that draw (CPU). Memory is that of this process, whose engine may keep as much of the tables in memory as --memory
says, and of its largest worker. Less than all chunks (--chunks) tells what the rest would take.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

from pipeline_batch import Shop

TICK = os.sysconf("SC_CLK_TCK")
END = "2026-01-01"


def processes() -> list[str]:
    """The ids of this process and of its children."""
    me = str(os.getpid())
    return [
        me,
        *(child for task in Path("/proc/self/task").iterdir() for child in (task / "children").read_text().split()),
    ]


def cpu_seconds() -> float:
    """So far, with the children that have ended."""
    spent = os.times()
    total = spent.user + spent.system + spent.children_user + spent.children_system
    for child in processes()[1:]:
        fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / TICK
    return total


def peaks() -> tuple[int, int]:
    """Peak memory in MB of this process, and of the largest of its children."""
    found = [
        int(line.split()[1]) // 1024
        for process in processes()
        for line in Path(f"/proc/{process}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    ]
    return found[0], max(found[1:], default=0)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--days", type=int, default=550)
    arguments.add_argument("--orders", type=int, default=10_000)
    arguments.add_argument("--chunks", type=int, default=999)
    arguments.add_argument("--memory", default="2GB")
    arguments.add_argument("--to-gold", action="store_true")
    arguments.add_argument("--folder", help="where the account keeps its data; a temporary one otherwise")
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        shop = Shop(Path(folder))
        shop.account.cursor().execute(f"set global memory_limit = '{asked.memory}'")
        ((fill,),) = shop(
            f"call core.plan_history(dateadd('day', -{asked.days}, '{END}'::timestamp_ntz), '{END}'::timestamp_ntz, {asked.orders})"
        )
        ((planned,),) = shop("select count(*) from pipeline.historical_chunks")
        before, clock, spent = 0, 0.0, 0.0
        for number in range(1, min(planned, asked.chunks) + 1):
            began, cpu = time.perf_counter(), cpu_seconds()
            shop(f"call core.generate_chunk('{fill}')")
            if asked.to_gold:
                shop("call core.transform_raw_to_bronze()")
                shop("call core.transform_bronze_to_gold()")
            seconds, cpu = time.perf_counter() - began, cpu_seconds() - cpu
            ((events,),) = shop("select count(*) from raw_data.raw_retail_events")
            clock, spent = clock + seconds, spent + cpu
            mine, worker = peaks()
            print(
                f"chunk {number:3d} of {planned}: {events - before:9,} events, {seconds:6.1f} s, {cpu:6.1f} s CPU, "
                f"{(events - before) / cpu:7,.0f} events/s and core; peak {mine:,} MB, worker {worker:,} MB",
                flush=True,
            )
            before = events
        done = min(planned, asked.chunks)
        print(
            f"{before:,} events in {clock:,.0f} s, {spent:,.0f} s CPU"
            + ("" if done == planned else f"; all {planned} chunks at this pace {clock / done * planned:,.0f} s")
        )
        shop.close()


if __name__ == "__main__":
    main()
