"""The settings of an earlier run come back, all of them or none."""

import pytest
import snowflake.connector

TABLES = (
    "customer_segments", "product_categories", "product_category_details", "marketing_channels",
    "marketing_campaigns", "warehouses", "generation_parameters",
)  # fmt: skip
EDITS = (
    "update reference_data.customer_segments set avg_order_value = -5 where segment_name = 'premium'",
    "insert into reference_data.customer_segments values ('premium', 1, 2, 3, 'a second one')",
    "delete from reference_data.product_categories where category_name = 'clothing'",
    "insert into reference_data.warehouses values (77, 'Nome, AK', 5, 'far')",
    "delete from reference_data.marketing_campaigns",
    "update reference_data.generation_parameters set parameter_value = 'no list' where parameter_name = 'hour_weights'",
)


@pytest.fixture(scope="module")
def run(app) -> str:
    return app.rows("call generate_retail_data(1, 1, 1, 1)")[0][0].split()[1]


def settings(app) -> dict[str, list[tuple]]:
    return {table: sorted(app.rows(f"select * from reference_data.{table}"), key=str) for table in TABLES}


def without_descriptions(rows: dict[str, list[tuple]]) -> dict[str, list[tuple]]:
    return {table: [row[:-1] for row in found] for table, found in rows.items()}


def test_every_setting_is_again_what_the_run_saw(app, run):
    before = settings(app)
    for edit in EDITS:
        app.cursor.execute(edit)
    (said,) = app.rows("call restore_configuration(%s)", run)[0]
    after = settings(app)

    assert without_descriptions(after) == without_descriptions(before)
    assert after["product_category_details"] == before["product_category_details"]  # descriptions too
    assert "customer_segments" in said
    assert app.rows("call validate_configuration()") == []
    assert "were so before" in app.rows("call restore_configuration(%s)", run)[0][0]


def test_without_a_snapshot_nothing_is_changed(app, run):
    before = settings(app)
    with pytest.raises(snowflake.connector.errors.ProgrammingError, match="There is no run nonsense"):
        app.cursor.execute("call restore_configuration('nonsense')")

    assert settings(app) == before
