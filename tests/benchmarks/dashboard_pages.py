"""How long each page of the dashboard takes over about a million events of business, generated here, on an account of its own.

    PYTHONPATH=scripts .venv/bin/python tests/benchmarks/dashboard_pages.py [--events 1000000] [--keep DIR] [--browser]

Filling takes some minutes; with --keep the data stay in DIR, and another run measures at once. Shown per page, from the click to its last
element, with nothing remembered: seconds on the clock, and of the processors (this process, the account, and its workers), as Streamlit's own
test driver sees it; the statements that were asked; and with --browser seconds on the clock in Chromium, charts drawn. The load of the
machine stands below: more than its processors means that others took their part.
"""

import argparse
import contextlib
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import snowflake.connector
from local_account import worker
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
PORT = 18_099
APP = "retail_stream"
LIMIT = 2.0  # seconds within which a page shows
VIEWS = {  # page -> the radio button that changes it, and its choices
    "Overview": ("page", ["Overview"]),
    "Sales": ("by", ["Segment", "Category", "Channel", "Region"]),
    "Customers": ("see", ["Segments", "Retention", "RFM", "Churn and value", "One customer"]),
    "Configuration": ("do", ["Edit", "Return to a run"]),
    "Runs": ("record", ["Record", "Compare", "Snapshot", "Replay", "Quarantine"]),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--browser", action="store_true")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        data = arguments.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environment = account("start", "--port", str(PORT), "--data", str(data)) | os.environ
        stack.callback(account, "stop", "--data", str(data))
        fill(data, environment, arguments.events)
        show(measure(data), in_browser(data, environment) if arguments.browser else {})


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


def measure(data: Path) -> dict[tuple[str, str], tuple[float, float, int]]:
    """Seconds on the clock and of the processors, and statements, of each page in Streamlit's test driver."""
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
    found = {}
    for page, (key, choices) in VIEWS.items():
        test.radio(key="page").set_value(page).run()
        for choice in choices:
            test.session_state.answers = {}
            asked.clear()
            clock, busy = time.perf_counter(), processor(state["pid"])
            test.radio(key=key).set_value(choice).run()
            found[page, choice] = time.perf_counter() - clock, processor(state["pid"]) - busy, len(asked)
            assert not test.exception, test.exception
    return found


def processor(account: int) -> float:
    """Seconds that this process, the account and its workers have used, those that ended among them."""
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            if account in (int(folder.name), int(fields[1])):
                ticks += sum(map(int, fields[11:15] if folder.name == str(account) else fields[11:13]))
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def in_browser(data: Path, environment: dict[str, str]) -> dict[tuple[str, str], float]:
    """Seconds on the clock of each page in Chromium, each in a window of its own."""
    from playwright.sync_api import sync_playwright

    port = PORT + 1
    command = [
        sys.executable,
        "-m",
        "local_account",
        "streamlit",
        f"{APP}.ui.dashboard",
        "--port",
        str(port),
        "--headless",
        "--data",
        str(data),
    ]
    served = subprocess.Popen(
        command, env=environment | {"PYTHONPATH": str(ROOT / "scripts")}, stdout=subprocess.PIPE, text=True
    )
    found = {}
    try:
        next(line for line in served.stdout if line.strip() == f"URL: http://127.0.0.1:{port}")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            for page, (_, choices) in VIEWS.items():
                for choice in choices:
                    window = browser.new_page()
                    steps = [
                        lambda window=window: window.goto(f"http://127.0.0.1:{port}"),
                        *(
                            window.locator("[data-testid=stRadio] label", has_text=word).first.click
                            for word in (page, choice)
                        ),
                    ]
                    seconds = [waited(step, window) for step in steps]
                    # A window opens on the overview: Streamlit's own start, about a second for an empty page, is in its time.
                    found[page, choice] = max(seconds if page == "Overview" else seconds[1:])
                    window.close()
            browser.close()
    finally:
        served.terminate()
        served.wait()
    return found


def waited(step: Callable[[], object], window) -> float:
    """Seconds until the script has ended and the charts are drawn; one that changes nothing takes 0.1."""
    clock = time.perf_counter()
    step()
    window.wait_for_timeout(100)
    window.get_by_role("heading", level=1).wait_for(timeout=120_000)
    window.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=120_000)
    window.wait_for_function(
        "() => [...document.querySelectorAll('.stVegaLiteChart')].every(chart => chart.querySelector('canvas, svg'))"
    )
    return time.perf_counter() - clock


def show(found: dict, in_chromium: dict) -> None:
    shown = Table("page", "", "clock, s", "processors, s", "statements", "in Chromium, s")
    for (page, choice), (clock, busy, count) in found.items():
        window = in_chromium.get((page, choice))
        shown.add_row(page, choice, f"{clock:.2f}", f"{busy:.2f}", str(count), f"{window:.2f}" if window else "")
    Console().print(shown)
    slow = [" ".join(view) for view in found if max(found[view][0], in_chromium.get(view, 0)) > LIMIT]
    print(f"load of the machine {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors")
    print(f"slower than {LIMIT:g} s: {', '.join(slow) or 'none'}")


if __name__ == "__main__":
    main()
