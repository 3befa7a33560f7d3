"""The consumer's README: every SQL block, as printed, from top to bottom, by who has just installed the app."""

import re
from io import StringIO
from pathlib import Path

import pytest
from snowflake.connector.util_text import split_statements

pytestmark = pytest.mark.end_to_end
README = (Path(__file__).resolve().parents[2] / "app/README.md").read_text()
BLOCKS = re.findall(r"^```sql\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
OUTSIDE = {"retail_to_share": "database", "retail_analyst": "role"}  # what the blocks make outside the app


@pytest.fixture(scope="module")
def worksheet(account, app):
    """Runs a statement as printed, but for names: those of the app and of what it makes outside belong to this run."""
    name = app.rows("select current_database()")[0][0].lower()
    names = {"retail_stream": name} | {made: f"{name}_{made}" for made in OUTSIDE}
    printed = re.compile(rf"\b({'|'.join(names)})\b")
    with account.connect() as connection:
        cursor = connection.cursor()
        yield lambda statement: cursor.execute(printed.sub(lambda found: names[found[1]], statement))
        for made, kind in OUTSIDE.items():
            cursor.execute(f"drop {kind} if exists {names[made]}")
    app.rows("call configure_pipeline(30, keep_raw_days => 0, keep_bronze_days => 0)")


@pytest.mark.parametrize("block", BLOCKS, ids=[block.split("\n")[0][:50] for block in BLOCKS])
def test_a_block_runs_as_printed(worksheet, block):
    for statement, _ in split_statements(StringIO(block), remove_comments=True):
        worksheet(statement).fetchall()


@pytest.mark.parametrize("audience", ["analyst", "marketer", "Finance", "data scientist"])
def test_there_is_a_query_for_each_audience_and_it_finds_rows(worksheet, app, audience):
    app.cursor.execute("call generate_retail_data(20, 50, null, null)")
    block = re.search(rf"^\*\*\w* ?{audience}\*\*.*?^```sql\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)[1]

    for statement, _ in split_statements(StringIO(block), remove_comments=True):
        rows = worksheet(statement).fetchall()
        assert rows or "2026-06-01" in statement


def test_the_arithmetic_of_the_costs_adds_up():
    rows = re.findall(r"^\| (?:every|once)[^|]*\|([^|]*)\|([^|]*)\|([^|]*)\|$", README, re.MULTILINE)

    assert len(rows) == 5
    for runs, hours, credits in rows:
        runs, hours, credits = (
            float(re.findall(r"[\d,.]+", cell)[-1].replace(",", "")) for cell in (runs, hours, credits)
        )
        seconds = 120 if runs < 50 else 60
        assert hours == pytest.approx(runs * seconds / 3600, abs=0.5)
        assert credits == pytest.approx(runs * seconds / 3600 * 0.9, abs=0.6)
