"""The main paths in a browser, over scripts/dashboard. Pictures of every page stay in output/pictures."""

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VIEWS = {  # page -> the choices that change it
    "Overview": [[]],
    "Sales": [[], ["90 days", "Basket", "Region", "Year"]],
    "Customers": [[], ["Retention"], ["RFM"], ["Churn and value"], ["One customer"], ["Calibration"]],
    "Configuration": [[], ["Return to a run"]],
    "Runs": [[], ["Compare"], ["Snapshot"], ["Replay"], ["Quarantine"]],
}
FOR_README = {"overview", "sales", "one_customer", "configuration"}
FIRST_CELL, ROW_HEIGHT = (210, 52), 35  # of the column `weight` in the grid of the segments, from its corner, in pixels


@pytest.fixture
def stocked(shop):
    """Business in two stretches, so that every chart has something to show."""
    if shop.value("select count(*) from gold.fct_sales") < 500:
        shop.empty()
        shop.cursor.execute("call generate_retail_data(150, 600, null, null)")
        today = shop.value("select sysdate()").replace(hour=0, minute=0, second=0, microsecond=0)
        days = [today - timedelta(days=ago) for ago in (62, 48)]
        shop.cursor.execute("call generate_historical_data(%s, %s, 20)", days)


def test_the_first_run(shop, visit):
    shop.empty()
    visitor = visit()
    visitor.says("Nothing has been generated yet")
    visitor.picture("first_run")
    visitor.click("Generate the first batch")
    visitor.says("made 10 sign-ups")
    visitor.says("Nothing is wrong")
    visitor.picture("first_batch")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_at_any_width(stocked, visit, scheme):
    visitor = visit(scheme=scheme)
    for page, views in VIEWS.items():
        for choices in views:
            visitor.choose(page, *choices)
            assert not visitor.page.get_by_test_id("stException").count()
            name = "_".join([*choices, page] if choices[1:] else choices or [page]).lower().replace(" ", "_")
            visitor.picture(name, for_readme=scheme == "light" and name in FOR_README)


def test_the_truth_is_shown_to_its_role(stocked, visit):
    for scheme in ("light", "dark"):
        visitor = visit("truth", scheme=scheme)
        visitor.says("Lifetime value against the truth")
        visitor.picture("the_truth")


def test_a_chart_shows_its_sql_and_hands_out_its_numbers(stocked, visit):
    visitor = visit()
    visitor.choose("Sales", "365 days")
    visitor.page.get_by_text("SQL and numbers").first.click()
    visitor.says("from gold.daily_revenue")
    visitor.picture("sql_and_numbers")
    with visitor.page.expect_download() as download:
        visitor.page.locator("[data-testid=stDownloadButton] button").first.click()
    header, *rows = download.value.path().read_text().splitlines()
    assert header.startswith("day,orders,revenue,margin,returns,basket")
    assert len(rows) == 365


def test_a_held_event_is_corrected_and_released(stocked, held, visit):
    visitor = visit()
    visitor.says("quarantine: ")
    visitor.picture("something_is_wrong")
    visitor.choose("Runs", "Quarantine")
    visitor.says("Why events were put aside")
    visitor.picture("held")
    visitor.choose_in("Event", str(held[0]))
    field = visitor.page.get_by_label("Its data, JSON")
    field.fill(field.input_value().replace('"much"', "0.5"))
    field.press("Control+Enter")
    visitor.settle()
    visitor.click("Release this one")
    visitor.says("1 fit now")
    visitor.picture("released")


def test_an_edit_is_typed_shown_and_saved(stocked, shop, visit):
    visitor = visit()
    visitor.choose("Configuration")
    write(visitor, "0.2")
    visitor.says("Nothing is wrong with it")
    visitor.picture("edited")
    visitor.click("Save all of it")
    visitor.says("Saved: 1 settings of customer_segments")
    assert weight(shop) == 0.2
    shop.cursor.execute("update reference_data.customer_segments set weight = 0.15 where segment_name = 'premium'")


def test_a_bad_edit_is_refused_with_the_remedy(stocked, shop, visit):
    visitor = visit()
    visitor.choose("Configuration")
    write(visitor, "-1")
    visitor.says("customer_segments.premium.weight")
    assert visitor.page.get_by_role("button", name="Save all of it").is_disabled()
    visitor.picture("bad_edit")
    visitor.click("Discard")
    visitor.says("Nothing yet.")
    assert weight(shop) == 0.15


def write(visitor, text: str) -> None:
    """Types over the weight of the second segment, premium."""
    grid = visitor.page.locator(".stDataFrameGlideDataEditor").first
    grid.click(position={"x": FIRST_CELL[0], "y": FIRST_CELL[1] + ROW_HEIGHT})
    visitor.page.keyboard.press("Enter")
    editor = visitor.page.locator("#portal input, #portal textarea").first
    editor.fill(text)
    editor.press("Enter")
    visitor.settle()


def weight(shop) -> float:
    return float(shop.value("select weight from reference_data.customer_segments where segment_name = 'premium'"))


def test_two_runs_are_compared(stocked, shop, visit):
    shop.cursor.execute("update reference_data.warehouses set capacity = 300 where warehouse_id = 1")
    shop.cursor.execute("call generate_retail_data(1, 1, 0, 0)")
    shop.cursor.execute("update reference_data.warehouses set capacity = 260 where warehouse_id = 1")
    visitor = visit()
    visitor.choose("Runs", "Compare")
    visitor.says("Settings that differ")
    visitor.picture("differences")


def test_history_is_filled_stopped_and_filled_to_the_end(stocked, shop, visit):
    visitor = visit()
    end = shop.value("select sysdate()") - timedelta(days=200)
    start = end - timedelta(days=20)
    field = visitor.page.get_by_test_id("stDateInput").locator("input")
    field.click()
    field.fill(f"{start:%Y/%m/%d} – {end:%Y/%m/%d}")
    field.press("Enter")
    visitor.settle()
    visitor.page.get_by_text("As many orders as is natural").click()
    visitor.click("Fill history")
    visitor.says("of 3 chunks")
    visitor.click("Stop filling")
    visitor.says("The same call of generate_historical_data goes on")
    visitor.settle()
    visitor.picture("stopped_fill")
    statuses = dict(shop.rows("select status, count(*) from pipeline.historical_chunks group by status"))
    assert statuses["STOPPED"] >= 1

    visitor.click("Continue filling")
    visitor.says("History is filled: 3 of 3 chunks")
    assert not shop.rows("select * from pipeline.historical_chunks where status <> 'COMPLETED'")


def test_start_and_stop(stocked, shop, visit):
    visitor = visit()
    visitor.click("Start")
    visitor.says("running")
    assert shop.value("select wanted from pipeline.wishes") == "STARTED"
    visitor.picture("running")
    visitor.click("Stop")
    visitor.says("not planned")
    assert shop.value("select wanted from pipeline.wishes") == "STOPPED"


def test_a_role_without_rights_is_told_what_it_lacks(stocked, shop, visit):
    visitor = visit("analyst")
    visitor.choose("Configuration")
    visitor.says("needs the application role APP_ADMIN")
    visitor.picture("without_rights")

    shop.cursor.execute("create role if not exists outsider")
    shop.cursor.execute('grant role outsider to user "LOCAL"')
    refused = subprocess.run(
        [ROOT / "scripts/dashboard", "--role", "outsider", "--headless"],
        env=shop.account.environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert refused.returncode
    assert "does not exist or not authorized" in refused.stderr
