"""Every SQL statement that the demonstration before this app printed: as printed, in its order, by a consumer's role.

Left out are the three that README.md lists under "What does not run", and the picture of the task graph (not SQL).
Beside each statement stands what the text around it promised.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError

pytestmark = pytest.mark.end_to_end

Row = dict[str, Any]


@dataclass(frozen=True)
class State:
    """What the app holds at one moment."""

    events: Counter[str]
    customers: int
    sales: int
    runs: int


class Worksheet:
    """The consumer's session, as a person uses it: a statement in, rows as dictionaries out."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.opened_at = self.value("select sysdate()")

    def run(self, statement: str) -> tuple[list[Row], int]:
        """The rows, with their names in lower case, and their number (of a DML: the rows it changed)."""
        cursor = self.connection.cursor().execute(statement)
        names = [column.name.lower() for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor], cursor.rowcount

    def value(self, statement: str) -> Any:
        rows, _ = self.run(statement)
        (value,) = rows[0].values()
        return value

    def run_of_this_session(self, which: str) -> str:
        """The id of the 'first' or the 'last' run since the session began; others may have used the app before."""
        pick = {"first": "min_by", "last": "max_by"}[which]
        return self.value(
            f"select {pick}(run_id, run_timestamp) from audit.generation_runs where run_timestamp >= '{self.opened_at}'"
        )

    def state(self) -> State:
        events, _ = self.run(
            "select event_type, count(*) as events from raw_data.raw_retail_events group by event_type"
        )
        return State(
            events=Counter({row["event_type"]: row["events"] for row in events}),
            customers=self.value("select count(*) from gold.dim_customers"),
            sales=self.value("select count(*) from gold.fct_sales"),
            runs=self.value("select count(*) from audit.generation_runs where status = 'COMPLETED'"),
        )


@dataclass(frozen=True)
class Seen:
    """What one statement gave, and the app before and after it."""

    rows: list[Row]
    count: int
    before: State
    after: State
    worksheet: Worksheet

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows]

    @property
    def made(self) -> Counter[str]:
        return self.after.events - self.before.events


# What a statement's text promises -----------------------------------------------------------------------------------

Promise = Callable[[Seen], None]


def makes(customers: int, purchases: int, marketing: int = 8, supply_chain: int = 5) -> Promise:
    """A batch of so many events, in gold when the call returns, made from the settings of this moment."""

    def promise(seen: Seen) -> None:
        assert seen.made["purchase"] == purchases
        assert seen.made["customer_profile"] >= customers
        assert seen.made["marketing_touch"] == marketing
        assert seen.made["supply_chain"] == supply_chain
        assert seen.after.sales - seen.before.sales == purchases
        assert seen.after.customers - seen.before.customers == seen.made["customer_profile"]
        assert seen.after.runs == seen.before.runs + 1
        assert settings_of_last_run(seen.worksheet) == settings_now(seen.worksheet)

    return promise


def settings_of_last_run(worksheet: Worksheet) -> dict[str, str]:
    rows, _ = worksheet.run(
        "select row_name, column_name, value from audit.run_settings "
        "where table_name in ('customer_segments', 'generation_parameters', 'product_categories') "
        f"and run_id = '{worksheet.run_of_this_session('last')}'"
    )
    settings = {(row["row_name"], row["column_name"].lower()): row["value"] for row in rows}
    return {
        "premium_order_value": Decimal(settings["premium", "avg_order_value"]),
        "premium_frequency": Decimal(settings["premium", "purchase_frequency"]),
        "repeat": settings["repeat_customer_probability", "parameter_value"],
        "categories": sorted(row for row, column in settings if column == "margin_rate"),
    }


def settings_now(worksheet: Worksheet) -> dict[str, Any]:
    premium, _ = worksheet.run("select * from reference_data.customer_segments where segment_name = 'premium'")
    categories, _ = worksheet.run("select category_name from reference_data.product_categories")
    return {
        "premium_order_value": Decimal(str(premium[0]["avg_order_value"])),
        "premium_frequency": Decimal(str(premium[0]["purchase_frequency"])),
        "repeat": worksheet.value(
            "select parameter_value from reference_data.generation_parameters "
            "where parameter_name = 'repeat_customer_probability'"
        ),
        "categories": sorted(row["category_name"] for row in categories),
    }


def summarises_all_layers(seen: Seen) -> None:
    rows = {row["table_name"]: row["row_count"] for row in seen.rows}

    assert set(seen.column("layer")) == {"raw_data", "bronze", "gold"}
    assert rows["raw_retail_events"] == seen.after.events.total()
    assert rows["stg_customers"] == rows["dim_customers"] == seen.after.customers > 0
    assert rows["stg_purchases"] == rows["fct_sales"] == seen.after.sales > 0


def shows(rows: int, *columns: str) -> Promise:
    def promise(seen: Seen) -> None:
        assert len(seen.rows) == rows
        for column in columns:
            assert None not in seen.column(column)

    return promise


def gives_insights_by_segment(seen: Seen) -> None:
    assert set(seen.column("customer_segment")) == {"premium", "regular", "occasional"}
    assert sum(seen.column("transactions")) == seen.after.sales
    for row in seen.rows:
        assert row["total_revenue"] / row["transactions"] == pytest.approx(row["avg_order_value"])


def pipeline_is(wanted: str, tasks: str) -> Promise:
    def promise(seen: Seen) -> None:
        rows, _ = seen.worksheet.run("CALL CHECK_PIPELINE_STATUS()")
        states = {row["component"]: row["state"] for row in rows}

        assert states["pipeline"] == wanted
        assert {states[task] for task in states if task.endswith("_task")} == {tasks}

    return promise


def tells_what_runs_and_what_waits(seen: Seen) -> None:
    assert seen.column("component") == [
        "pipeline", "data_generation_task", "bronze_transformation_task", "gold_transformation_task", "retention_task",
        "raw", "stream", "bronze", "quarantine", "gold", "retention", "cost",
    ]  # fmt: skip
    assert [row["waiting"] for row in seen.rows if row["component"] == "gold"] == [0]


def shows_the_configuration(seen: Seen) -> None:
    tables = set(seen.column("table_name"))

    assert tables >= {"customer_segments", "product_categories", "marketing_channels", "warehouses"}
    assert "repeat_customer_probability" in seen.column("row_name")


def changes_one_row(query: str, **expected: Any) -> Promise:
    def promise(seen: Seen) -> None:
        (row,), _ = seen.worksheet.run(query)

        assert seen.count == 1
        assert {name: type(value)(row[name]) for name, value in expected.items()} == expected

    return promise


def segment(**expected: Any) -> Promise:
    return changes_one_row("select * from reference_data.customer_segments where segment_name = 'premium'", **expected)


def parameter(value: str) -> Promise:
    return changes_one_row(
        "select * from reference_data.generation_parameters where parameter_name = 'repeat_customer_probability'",
        parameter_value=value,
    )


def category(name: str, **expected: Any) -> Promise:
    return changes_one_row(
        f"select * from reference_data.product_categories where category_name = '{name}'", **expected
    )


def lists_runs(at_most: int) -> Promise:
    def promise(seen: Seen) -> None:
        assert len(seen.rows) == min(at_most, seen.after.runs)
        assert set(seen.column("status")) == {"COMPLETED"}
        assert seen.column("run_timestamp") == sorted(seen.column("run_timestamp"), reverse=True)

    return promise


def says_there_is_no_such_run(*runs: str) -> Promise:
    """The printed ids are placeholders. What real ones give is tested below."""

    def promise(seen: Seen) -> None:
        assert seen.column("table_name") == [f"There is no run {run}" for run in runs]

    return promise


def shows_the_audit_table(seen: Seen) -> None:
    assert 0 < len(seen.rows) <= 10
    assert {"run_id", "configuration_snapshot", "table_checksums", "execution_seconds"} <= set(seen.rows[0])


def is_fresh(seen: Seen) -> None:
    age = "select datediff('minute', max(created_at), sysdate()) from raw_data.raw_retail_events"

    assert seen.rows[0]["last_update"] is not None
    assert seen.worksheet.value(age) < 10


def finds_no_failed_task(seen: Seen) -> None:
    assert seen.rows == []


def changes_no_row(seen: Seen) -> None:
    """Run by hand with nothing waiting, the transformations leave all rows as they are."""
    assert seen.after == seen.before


# The statements -----------------------------------------------------------------------------------------------------

GENERATE = "CALL GENERATE_RETAIL_DATA(20, 50)"
SUMMARY = "CALL DATA_SUMMARY()"
STATUS = "CALL CHECK_PIPELINE_STATUS()"
START = "CALL START_PIPELINE()"
CONFIG = "CALL VIEW_REFERENCE_CONFIG()"
COMPARE = "CALL COMPARE_GENERATION_RUNS('run-id-1', 'run-id-2')"
STARTED = pipeline_is("STARTED", "STARTED")
STOPPED = pipeline_is("STOPPED", "SUSPENDED")

STATEMENTS: list[tuple[str, Promise]] = [
    # 2-Minute Setup
    (START, STARTED),
    (GENERATE, makes(20, 50)),
    (SUMMARY, summarises_all_layers),
    ("SELECT * FROM GOLD.DIM_CUSTOMERS LIMIT 5", shows(5, "customer_id")),
    # Step-by-Step Setup
    (START, STARTED),
    (GENERATE, makes(20, 50)),
    (SUMMARY, summarises_all_layers),
    ("SELECT * FROM GOLD.DIM_CUSTOMERS LIMIT 10", shows(10, "churn_probability", "lifetime_value", "tenure_days")),
    ("SELECT * FROM GOLD.FCT_SALES LIMIT 10", shows(10, "order_id", "customer_segment", "final_total")),
    (
        """SELECT 
    customer_segment, 
    COUNT(*) as transactions,
    AVG(final_total) as avg_order_value,
    SUM(final_total) as total_revenue
FROM GOLD.FCT_SALES 
GROUP BY customer_segment""",  # noqa: W291 (as printed)
        gives_insights_by_segment,
    ),
    # Configuration & Customization
    (CONFIG, shows_the_configuration),
    (
        """UPDATE REFERENCE_DATA.CUSTOMER_SEGMENTS 
SET AVG_ORDER_VALUE = 200.0 
WHERE SEGMENT_NAME = 'premium'""",  # noqa: W291 (as printed)
        segment(avg_order_value=200.0),
    ),
    (
        """UPDATE REFERENCE_DATA.GENERATION_PARAMETERS 
SET PARAMETER_VALUE = '0.8' 
WHERE PARAMETER_NAME = 'repeat_customer_probability'""",  # noqa: W291 (as printed)
        parameter("0.8"),
    ),
    (
        """INSERT INTO REFERENCE_DATA.PRODUCT_CATEGORIES 
VALUES ('toys_games', '[11, 12]', 0.50, 0.10, 'Toys and games for all ages')""",  # noqa: W291 (as printed)
        category("toys_games", margin_rate=0.5, return_rate=0.1, description="Toys and games for all ages"),
    ),
    # Audit & Change Tracking
    ("CALL VIEW_GENERATION_AUDIT(20)", lists_runs(20)),
    (COMPARE, says_there_is_no_such_run("run-id-1", "run-id-2")),
    ("CALL VIEW_RUN_SNAPSHOT('run-id-here', 'ALL')", says_there_is_no_such_run("run-id-here")),
    (
        """SELECT * FROM REFERENCE_DATA.DATA_GENERATION_AUDIT 
ORDER BY RUN_TIMESTAMP DESC LIMIT 10""",  # noqa: W291 (as printed)
        shows_the_audit_table,
    ),
    # Data Generation Frequency
    ("CALL GENERATE_RETAIL_DATA()", makes(10, 25)),
    # Pipeline Controls
    (START, STARTED),
    ("CALL STOP_PIPELINE()", STOPPED),
    (STATUS, tells_what_runs_and_what_waits),
    # Control Your Pipeline
    (START, STARTED),
    ("CALL STOP_PIPELINE()", STOPPED),
    (STATUS, tells_what_runs_and_what_waits),
    (SUMMARY, summarises_all_layers),
    (CONFIG, shows_the_configuration),
    ("CALL VIEW_GENERATION_AUDIT()", lists_runs(20)),
    # Customizing Data Generation
    (
        """CALL GENERATE_RETAIL_DATA(
    customer_events => 50,
    purchase_events => 100,
    marketing_events => 20,
    supply_chain_events => 10
)""",
        makes(50, 100, 20, 10),
    ),
    (
        """UPDATE REFERENCE_DATA.CUSTOMER_SEGMENTS 
SET PURCHASE_FREQUENCY = 0.5 
WHERE SEGMENT_NAME = 'premium'""",  # noqa: W291 (as printed)
        segment(purchase_frequency=0.5),
    ),
    # Reference Data Management
    (CONFIG, shows_the_configuration),
    (
        """UPDATE REFERENCE_DATA.CUSTOMER_SEGMENTS 
SET AVG_ORDER_VALUE = 300.0, PURCHASE_FREQUENCY = 0.4
WHERE SEGMENT_NAME = 'premium'""",  # noqa: W291 (as printed)
        segment(avg_order_value=300.0, purchase_frequency=0.4),
    ),
    (
        """INSERT INTO REFERENCE_DATA.PRODUCT_CATEGORIES 
VALUES ('luxury_goods', '[11, 12]', 0.70, 0.02, 'High-end luxury products')""",  # noqa: W291 (as printed)
        category("luxury_goods", margin_rate=0.7, return_rate=0.02),
    ),
    (
        """UPDATE REFERENCE_DATA.GENERATION_PARAMETERS 
SET PARAMETER_VALUE = '0.85' 
WHERE PARAMETER_NAME = 'repeat_customer_probability'""",  # noqa: W291 (as printed)
        parameter("0.85"),
    ),
    # Generation Audit Trail
    ("CALL VIEW_GENERATION_AUDIT(20)", lists_runs(20)),
    (COMPARE, says_there_is_no_such_run("run-id-1", "run-id-2")),
    ("CALL VIEW_RUN_SNAPSHOT('run-id-here')", says_there_is_no_such_run("run-id-here")),
    ("SELECT MAX(CREATED_AT) as last_update \nFROM RAW_DATA.RAW_RETAIL_EVENTS", is_fresh),
    # Performance Monitoring
    (STATUS, tells_what_runs_and_what_waits),
    (SUMMARY, summarises_all_layers),
    # Pipeline not generating data
    (STATUS, tells_what_runs_and_what_waits),
    (START, STARTED),
    (GENERATE, makes(20, 50)),
    # No data in Gold layer
    ("CALL TRANSFORM_BRONZE_TO_GOLD()", changes_no_row),
    (
        """SELECT * FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY()) 
WHERE STATE = 'FAILED' ORDER BY SCHEDULED_TIME DESC""",  # noqa: W291 (as printed)
        finds_no_failed_task,
    ),
    # Configuration changes not taking effect
    (CONFIG, shows_the_configuration),
    ("CALL VIEW_GENERATION_AUDIT(5)", lists_runs(5)),
    ("CALL GENERATE_RETAIL_DATA(10, 25)", makes(10, 25)),
    # Getting Help
    ("CALL VIEW_GENERATION_AUDIT()", lists_runs(20)),
    (CONFIG, shows_the_configuration),
    ("CALL GENERATE_RETAIL_DATA(5, 10)", makes(5, 10)),
    (STATUS, tells_what_runs_and_what_waits),
]


@pytest.fixture(scope="module")
def worksheet(app_admin) -> Worksheet:
    return Worksheet(app_admin)


@pytest.mark.parametrize(
    ("statement", "promise"),
    STATEMENTS,
    ids=[f"{number:02} {statement.split(chr(10))[0].strip()}" for number, (statement, _) in enumerate(STATEMENTS, 1)],
)
def test_a_statement_runs_as_printed_and_keeps_its_promise(worksheet, statement, promise):
    before = worksheet.state()
    rows, count = worksheet.run(statement)

    promise(Seen(rows, count, before, worksheet.state(), worksheet))


def test_two_runs_are_compared_by_table_row_and_column(worksheet):
    """After the statements above: the first run, and the one that followed all the edits."""
    first, last = worksheet.run_of_this_session("first"), worksheet.run_of_this_session("last")
    changes, _ = worksheet.run(f"CALL COMPARE_GENERATION_RUNS('{first}', '{last}')")
    changed = {(row["table_name"], row["row_name"], row["column_name"].lower()): row for row in changes}

    value = changed["customer_segments", "premium", "avg_order_value"]
    assert (Decimal(value["old_value"]), Decimal(value["new_value"])) == (150, 300)
    probability = changed["generation_parameters", "repeat_customer_probability", "parameter_value"]
    assert (probability["old_value"], probability["new_value"]) == ("0.7", "0.85")
    assert ("product_categories", "luxury_goods", "margin_rate") in changed


def test_the_snapshot_of_a_run_shows_the_settings_it_had(worksheet):
    first = worksheet.run_of_this_session("first")
    settings, _ = worksheet.run(f"CALL VIEW_RUN_SNAPSHOT('{first}', 'ALL')")

    assert "toys_games" not in {row["row_name"] for row in settings}
    assert {row["table_name"] for row in settings} >= {"customer_segments", "generation_parameters", "warehouses"}


def test_all_of_them_run_through_the_real_client_in_one_go(worksheet, installed_app, tmp_path):
    """In one file, since each start of `snow` costs more than all these statements."""
    role = worksheet.value("select current_role()")
    script = [
        f"use role {role}",
        f"use schema {installed_app.application}.core",
        "delete from reference_data.product_categories where category_name in ('toys_games', 'luxury_goods')",
        *dict.fromkeys(statement for statement, _ in STATEMENTS),
    ]
    path = tmp_path / "seed.sql"
    path.write_text("".join(f"{statement};\n" for statement in script))
    results = json.loads(installed_app.snow("sql", "--filename", str(path), "--format", "json"))

    assert len(results) == len(script)
    assert "10 orders" in str(results[-1])


def test_the_three_that_are_left_out_do_what_the_readme_says(worksheet):
    with pytest.raises(ProgrammingError, match="does not exist or not authorized"):
        worksheet.run("SELECT SYSTEM$STREAM_HAS_DATA('RAW_RETAIL_EVENTS_STREAM')")
    with pytest.raises(ProgrammingError):
        worksheet.run("CALL GENERATE_RETAIL_DATA(customer_events, purchase_events)")
    found, _ = worksheet.run("SELECT * FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY()) WHERE NAME LIKE '%RETAIL%'")

    assert found == []
