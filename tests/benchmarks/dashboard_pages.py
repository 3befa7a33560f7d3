"""How long each page of the dashboard takes over about a million events of business, generated here, on an account of its own.

    PYTHONPATH=scripts .venv/bin/python tests/benchmarks/dashboard_pages.py [--events 1000000] [--keep DIR]

Filling takes some minutes; with --keep the data stay in DIR, and another run measures at once. Shown per page: seconds on the clock and of this
process and the account's, of the first showing and of one that remembers; and the statements that were asked.
"""

import argparse
import contextlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import snowflake.connector
from local_account import worker
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
PORT = 18_099
APP = "retail_stream"
VIEWS = {  # page -> the radio button and the choices of it that ask for other things
    "Overview": ("page", ["Overview"]),
    "Sales": ("by", ["Segment", "Region"]),
    "Customers": ("see", ["Segments", "Retention", "RFM", "Churn and value", "One customer"]),
    "Configuration": ("do", ["Edit"]),
    "Runs": ("record", ["Record", "Compare", "Quarantine"]),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        data = arguments.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environment = account("start", "--port", str(PORT), "--data", str(data)) | os.environ
        stack.callback(account, "stop", "--data", str(data))
        fill(data, environment, arguments.events)
        measure(data)


def account(*words: str) -> dict[str, str]:
    command = [sys.executable, "-m", "local_account", *words]
    subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT / "scripts")}, check=True)
    data = Path(words[-1])
    return {
        "SNOWFLAKE_HOME": str(data / "snowflake"),
        "SNOWFLAKE_DISABLE_PLATFORM_DETECTION": "true",
        "NO_PROXY": "127.0.0.1",
    }


def fill(data: Path, environment: dict[str, str], events: int) -> None:
    """Weeks of a large shop's natural course, from now backwards, until there are so many events."""
    connection = snowflake.connector.connect(
        connection_name="local", connections_file_path=data / "snowflake/connections.toml"
    )
    cursor = connection.cursor()
    snow = Path(sys.executable).with_name("snow")
    subprocess.run(
        [snow, "app", "run", "-c", "local", "--no-interactive", "--project", ROOT], env=environment, check=True
    )
    cursor.execute(f"use schema {APP}.core")

    def landed() -> int:
        return cursor.execute("select count(*) from raw_data.raw_retail_events").fetchone()[0]

    if not landed():
        cursor.execute("call generate_retail_data(null, null, null, null)")
    cursor.execute(
        "update reference_data.generation_parameters set parameter_value = '3000' where parameter_name = 'daily_customer_events'"
    )
    while landed() < events:
        print(f"{landed():,} events", flush=True)
        first = cursor.execute("select min(window_start) from audit.generation_runs").fetchone()[0]
        cursor.execute(
            "call generate_historical_data(dateadd('day', -28, %s::timestamp_ntz), %s::timestamp_ntz)", (first, first)
        )
    print(f"{landed():,} events", flush=True)
    connection.close()


def measure(data: Path) -> None:
    logging.disable(logging.WARNING)
    from streamlit.testing.v1 import AppTest

    state = json.loads((data / "account.json").read_text())
    request = urllib.request.Request(
        f"http://127.0.0.1:{state['port']}/account/streamlit",
        json.dumps({"name": f"{APP}.ui.dashboard"}).encode(),
        {"X-Account-Secret": state["secret"], "Content-Type": "application/json"},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
        opened = json.load(answer)["data"]
    worker.open_session({"host": "127.0.0.1", "port": state["port"], "password": opened["password"]})
    sys.path.insert(0, opened["files"])
    test = AppTest.from_file(str(Path(opened["files"], "dashboard.py")), default_timeout=600).run()
    door = sys.modules["door"]
    asked: list[str] = []
    run = door._run
    door._run = lambda statement, *more: asked.append(statement) or run(statement, *more)

    def processor() -> float:
        ticks = Path(f"/proc/{state['pid']}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
        return time.process_time() + sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")

    def seconds(choose) -> tuple[str, str]:
        clock, busy = time.perf_counter(), processor()
        choose()
        assert not test.exception, test.exception
        return f"{time.perf_counter() - clock:.2f}", f"{processor() - busy:.2f}"

    shown = Table("page", "", "clock, s", "processor, s", "again, clock", "again, processor", "statements")
    for page, (key, choices) in VIEWS.items():
        test.radio(key="page").set_value(page).run()
        for choice in choices:
            test.session_state.answers = {}
            asked.clear()
            first = seconds(lambda key=key, choice=choice: test.radio(key=key).set_value(choice).run())
            count = len(asked)
            again = seconds(test.run)
            shown.add_row(page, choice, *first, *again, str(count))
    Console().print(shown)


if __name__ == "__main__":
    main()
