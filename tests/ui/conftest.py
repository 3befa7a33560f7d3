"""The dashboards as people meet them: scripts run by Streamlit's own test driver, or served by scripts/dashboard to Debian's Chromium.

Both show an installation of their own, in the account of the other tests, with the rights and the files that the account hands out.
"""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from local_account import worker
from playwright.sync_api import TimeoutError

with warnings.catch_warnings():  # what Streamlit warns of while it is imported is not ours to mend
    warnings.simplefilter("ignore")
    from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "output/pictures"  # git-ignored; looked at by whoever works on the dashboard
README_PICTURES = ROOT / "docs/pictures"  # made anew where DASHBOARD_PICTURES is set
WIDTHS = (390, 1280)  # of a telephone, and of a desk; pixels
EVENT_IDS = count(9_000_000_000_000_000)  # beyond what the generator comes to


@dataclass
class Shop:
    """An installation that only these tests use."""

    account: object
    cursor: object

    def rows(self, query: str, *values: object) -> list[tuple]:
        return self.cursor.execute(query, values).fetchall()

    def value(self, query: str, *values: object) -> object:
        ((found,),) = self.rows(query, *values)
        return found

    def empty(self) -> None:
        """As on the first day: no event, nothing waits, the pipeline stopped, the settings those of the installation."""
        self.cursor.execute("call stop_pipeline()")
        self.cursor.execute("call reset_data('DELETE ALL BUSINESS DATA')")

    def stock(self) -> None:
        """At least one batch, in gold."""
        if not self.value("select count(*) from gold.fct_sales"):
            self.cursor.execute("call generate_retail_data(150, 300, null, null)")

    def open(self, streamlit: str, role: str | None = None) -> dict:
        """What the account gives to a process that serves a Streamlit object, or its refusal."""
        state = json.loads((Path(self.account.environment["LOCAL_ACCOUNT_DATA"]) / "account.json").read_text())
        request = urllib.request.Request(
            f"http://127.0.0.1:{state['port']}/account/streamlit",
            json.dumps({"name": f"{self.account.application}.ui.{streamlit}", "role": role}).encode(),
            {"X-Account-Secret": state["secret"], "Content-Type": "application/json"},
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=120) as answer:
            return json.load(answer) | {"port": state["port"]}


@pytest.fixture(scope="session")
def shop(account):
    name = f"{account.application}_shown"
    names = {"RETAIL_STREAM_APPLICATION": name, "RETAIL_STREAM_PACKAGE": f"{name}_pkg"}
    shown = replace(account, environment=account.environment | names, application=name)
    shown.snow("app", "run", "--no-interactive")
    try:
        with shown.connect() as connection:
            cursor = connection.cursor()
            cursor.execute(f"use schema {name}.core")
            yield Shop(shown, cursor)
    finally:
        shown.snow("app", "teardown", "--cascade", "--force")


@pytest.fixture(scope="session")
def opened(shop):
    """The dashboard's files as they were installed, and a session with its owner's rights: the app's."""
    answer = shop.open("dashboard")
    password, files = answer["data"]["password"], answer["data"]["files"]
    session = worker.open_session({"host": "127.0.0.1", "port": answer["port"], "password": password})
    sys.path.insert(0, files)
    try:
        yield Path(files), session
    finally:
        sys.path.remove(files)
        session.connection.close()


@pytest.fixture(scope="session")
def dashboard(opened) -> Callable[[str], AppTest]:
    """Runs the script of a Streamlit object as it was installed, with its owner's rights."""
    files, _ = opened

    def run(name: str = "dashboard", page: str | None = None) -> AppTest:
        test = AppTest.from_file(str(files / f"{name}.py"), default_timeout=600).run()
        assert not test.exception
        return go(test, page=page) if page else test

    return run


@pytest.fixture
def held(shop, opened) -> tuple[int, int]:
    """Two touches in quarantine: one whose cost is no number, and one from the future."""
    shop.stock()
    _, app = opened
    app.sql("delete from bronze.quarantined_events").collect()
    now = shop.value("select sysdate()")
    events = next(EVENT_IDS), next(EVENT_IDS)
    for event, cost, happened in zip(events, ("much", 0.25), (now, now + timedelta(days=2)), strict=True):
        touch = {
            "touch_id": event, "customer_id": None, "channel_name": "email", "campaign_name": "weekly_newsletter",
            "touch_type": "click", "cost": cost, "occurred_at": f"{now:%Y-%m-%d %H:%M:%S}.000",
        }  # fmt: skip
        app.sql(
            "insert into raw_data.raw_retail_events (event_id, event_type, event_time, event_data, run_id, created_at)"
            " select ?, 'marketing_touch', ?::timestamp_ntz, parse_json(?), 'a test', sysdate()",
            params=[event, f"{happened:%Y-%m-%d %H:%M:%S}", json.dumps(touch)],
        ).collect()
    shop.cursor.execute("call transform_bronze_to_gold()")
    return events


def go(test: AppTest, **choices: str) -> AppTest:
    """Chooses by key, one after the other, as a person clicks."""
    for key, value in choices.items():
        test.radio(key=key).set_value(value).run()
        assert not test.exception, (key, value, test.exception)
    return test


@pytest.fixture(scope="session", name="go")
def go_fixture():
    return go


# the browser ------------------------------------------------------------------------------------------------------


def chromium() -> str:
    """Debian's browser; installed where it is missing and that is possible."""
    found = shutil.which("chromium")
    if not found and shutil.which("apt-get") and os.geteuid() == 0:
        for command in (["apt-get", "update"], ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"]):
            subprocess.run(
                command, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, capture_output=True, check=False
            )
        found = shutil.which("chromium")
    if not found:
        pytest.fail(
            "The dashboard is tested in Debian's browser, which is missing: apt-get install chromium", pytrace=False
        )
    return found


FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def served(shop, unused_port):
    """Addresses of dashboards, each served by scripts/dashboard from its first use on."""
    processes: list[subprocess.Popen] = []

    def serve(of: str = "admin") -> str:
        port = unused_port()
        command = [ROOT / "scripts/dashboard", "--of", of, "--port", str(port), "--headless"]
        process = subprocess.Popen(
            command,
            env=shop.account.environment | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        processes.append(process)
        for line in process.stdout:
            if line.strip() == f"URL: http://127.0.0.1:{port}":  # Streamlit says it once it listens
                return f"http://127.0.0.1:{port}"
        pytest.fail(f"scripts/dashboard --of {of} ended with {process.wait()}")

    yield serve
    for process in processes:
        process.terminate()
        process.communicate()


class Visitor:
    """A person at a browser: waits until a page is done, and keeps pictures of it."""

    def __init__(self, browser, address: str, scheme: str = "light"):
        self.context = browser.new_context(viewport={"width": WIDTHS[-1], "height": 900}, color_scheme=scheme)
        self.page = self.context.new_page()
        self.page.set_default_timeout(180_000)
        self.scheme = scheme
        self.page.goto(address)
        self.page.get_by_role("heading", level=1).wait_for()
        self.settle()

    def settle(self, after_a_choice: bool = False) -> None:
        """Until the script has ended and the charts are drawn; the one that a choice starts is waited for first."""
        if after_a_choice:
            with suppress(TimeoutError):  # it was over before anybody looked
                self.page.locator("[data-testid=stApp]:not([data-test-script-state=notRunning])").wait_for(
                    timeout=3_000
                )
        self.page.wait_for_timeout(150)
        self.page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
        self.page.wait_for_timeout(150)

    def choose(self, *words: str) -> None:
        for word in words:
            label = self.page.locator("[data-testid=stRadio] label", has_text=word).first
            if not label.locator("input").is_checked():
                label.click()
                self.settle(after_a_choice=True)

    def choose_in(self, label: str, word: str) -> None:
        """One of a list that opens."""
        self.page.get_by_role("combobox", name=label).click()
        self.page.get_by_role("option", name=word).click()
        self.settle(after_a_choice=True)

    def click(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()

    def says(self, text: str) -> None:
        self.page.get_by_text(text).first.wait_for()

    def picture(self, name: str, for_readme: bool = False) -> None:
        """The whole page, however long, at each of WIDTHS. Nothing in it is wider than the page."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        main = self.page.locator("[data-testid=stMain]")
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.wait_for_timeout(600)
            height = main.evaluate("element => element.scrollHeight") + 10
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.wait_for_timeout(400)
            self.page.screenshot(path=PICTURES / f"{name}_{width}_{self.scheme}.png")
            fits = main.evaluate("element => element.scrollWidth <= element.clientWidth")
            assert fits, f"{name} is wider than {width} pixels"
        if for_readme and os.environ.get("DASHBOARD_PICTURES"):
            README_PICTURES.mkdir(exist_ok=True)
            shutil.copy(PICTURES / f"{name}_{WIDTHS[-1]}_{self.scheme}.png", README_PICTURES / f"{name}.png")
        self.page.set_viewport_size({"width": WIDTHS[-1], "height": 900})
        self.settle()


@pytest.fixture
def visit(browser, served):
    """Opens a dashboard; one process serves all visitors of a kind."""
    visitors: list[Visitor] = []
    addresses = served.__dict__.setdefault("addresses", {})

    def open_(of: str = "admin", **look: object) -> Visitor:
        if of not in addresses:
            addresses[of] = served(of)
        visitors.append(Visitor(browser, addresses[of], **look))
        return visitors[-1]

    yield open_
    for visitor in visitors:
        visitor.context.close()
