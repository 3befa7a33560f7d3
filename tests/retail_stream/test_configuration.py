"""What is honoured, what is refused, and what a snapshot keeps."""

import numpy as np
import pytest

from retail_stream import configuration
from retail_stream.configuration import ConfigurationRefused, from_tables, from_text
from retail_stream.quantile_tables import draw


def faults_of(tables) -> list[tuple[str, str, str]]:
    with pytest.raises(ConfigurationRefused) as refusal:
        from_tables(tables)
    return [(fault.table, fault.row, fault.column) for fault in refusal.value.faults]


def set_parameter(tables, name: str, value) -> None:
    next(row for row in tables["generation_parameters"] if row["parameter_name"] == name)["parameter_value"] = value


def test_the_snapshot_text_is_the_configuration(default):
    again = from_text(default.text())

    assert again.snapshot == default.snapshot
    assert again.text() == default.text()


def test_neither_the_order_of_rows_nor_the_spelling_of_numbers_matters(tables, default):
    for rows in tables.values():
        rows.reverse()
    tables["customer_segments"][0]["weight"] = "0.250000"

    assert from_tables(tables).text() == default.text()


def test_a_changed_row_changes_the_checksum_of_its_table_only(tables, default):
    tables["customer_segments"][0]["avg_order_value"] = 200
    changed = from_tables(tables).checksums()

    assert [table for table, md5 in default.checksums().items() if changed[table] != md5] == ["customer_segments"]


def test_every_parameter_is_described_by_its_default_row(tables):
    rows = {row["parameter_name"]: row for row in tables["generation_parameters"]}

    assert rows.keys() == configuration.PARAMETERS.keys()
    for name, (kind, *_) in configuration.PARAMETERS.items():
        assert rows[name]["parameter_type"] == {"numbers": "json"}.get(kind, kind)
        assert rows[name]["description"]


def test_all_faults_are_told_at_once(tables):
    tables["customer_segments"][0]["weight"] = -1
    tables["customer_segments"][1]["avg_order_value"] = "much"
    tables["product_categories"][0]["seasonal_peak_months"] = "[13]"
    tables["product_categories"][1]["return_rate"] = None
    tables["warehouses"].append(dict(tables["warehouses"][0]))
    tables["marketing_campaigns"][0]["channel_name"] = "pigeon"
    tables["product_category_details"][0]["season_kind"] = "monsoon"
    tables["marketing_channels"] = []
    set_parameter(tables, "hour_weights", "[1, 2]")
    set_parameter(tables, "first_run_days", "1.5")
    tables["generation_parameters"].append({"parameter_name": "colour", "parameter_value": "red"})

    assert faults_of(tables) == [
        ("customer_segments", "premium", "weight"),
        ("customer_segments", "regular", "avg_order_value"),
        ("product_categories", "electronics", "seasonal_peak_months"),
        ("product_categories", "clothing", "return_rate"),
        ("product_category_details", "electronics", "season_kind"),
        ("marketing_channels", "none", "channel_name"),
        ("warehouses", "1.0", "warehouse_id"),
        ("generation_parameters", "first_run_days", "parameter_value"),
        ("generation_parameters", "hour_weights", "parameter_value"),
        ("generation_parameters", "colour", "parameter_name"),
        *[
            ("marketing_campaigns", name, "channel_name")  # no channel, no campaign
            for name in sorted(row["campaign_name"] for row in tables["marketing_campaigns"])
        ],
    ]


def test_weights_that_are_all_zero_are_refused(tables):
    for row in tables["customer_segments"]:
        row["weight"] = 0

    assert faults_of(tables) == [("customer_segments", "all", "weight")]


def test_a_missing_parameter_is_refused(tables):
    tables["generation_parameters"] = [
        row for row in tables["generation_parameters"] if row["parameter_name"] != "seed"
    ]

    assert faults_of(tables) == [("generation_parameters", "seed", "parameter_name")]


def test_the_remedy_for_a_doubled_name_is_a_statement_that_can_be_run_with_any_name(tables):
    tables["customer_segments"] += [tables["customer_segments"][0] | {"segment_name": "o'hara"}] * 2
    with pytest.raises(
        ConfigurationRefused, match=r"DELETE FROM reference_data.customer_segments WHERE segment_name = 'o''hara'"
    ):
        from_tables(tables)


@pytest.mark.parametrize("value", ["", "   ", "a\nb", "x" * 101, "\x00", None])
def test_a_name_that_cannot_be_shown_is_refused(tables, value):
    tables["marketing_channels"][0]["channel_name"] = value

    assert ("marketing_channels", str(value), "channel_name") in faults_of(tables)


@pytest.mark.parametrize("name", ["'; drop table customers; --", 'Café "Ü"', "<script>", "100%", "{}"])
def test_a_hostile_name_is_a_name(tables, name):
    tables["customer_segments"][0]["segment_name"] = name

    assert name in [row["segment_name"] for row in from_text(from_tables(tables).text()).segments]


def test_a_new_category_needs_no_details(tables):
    tables["product_categories"].append(
        {"category_name": "toys_games", "seasonal_peak_months": "[11, 12]", "margin_rate": 0.5, "return_rate": 0.1}
    )
    new = next(row for row in from_tables(tables).categories if row["category_name"] == "toys_games")

    assert (new["season_kind"], new["seasonal_peak_months"], new["popularity"]) == ("all_retail", [11, 12], 1.0)


def test_a_deleted_segment_keeps_its_last_row_for_ever(tables, default):
    premium = tables["customer_segments"].pop(0)
    first = from_tables(tables, {"segments": default.segments})
    second = from_tables(tables, {"segments": first.segments})

    assert [row["segment_name"] for row in second.segments] == ["occasional", "regular", "premium"]
    assert second.segments[2]["avg_order_value"] == premium["avg_order_value"]


def test_a_segment_that_comes_back_is_no_longer_a_former_one(tables, default):
    assert from_tables(tables, {"segments": default.segments}).snapshot["former_segments"] == []


def test_rate_and_value_factors_have_mean_one(default):
    uniforms = (np.arange(200_000) + 0.5) / 200_000
    for name in ("purchase_rate", "order_value", "customer_value"):
        assert draw(default.quantiles(name), uniforms).mean() == pytest.approx(1.0, abs=1e-4)


WRONG = {  # for each kind of column, what it can never hold
    "text": [None, "", "   ", "a\nb", "x" * 101, "\x00", "\ud800"],
    "choice": [None, "", "monsoon", 1],
    "number": [None, "", "much", "nan", "inf", "-1e9", "1e300", 10**400, "1_000", "1; drop table x", True, [1], {}],
    "integer": [None, "", "much", "nan", "-1e9", 1e300, 10**400, 1.5, "1.5", True, [1]],
    "months": [None, "", "11", "{}", "[0]", "[13]", "[1.5]", '["may"]', "[true]", "[11", "[" * 100_000, "[NaN]"],
    "texts": [None, "", "{}", "[]", '[""]', "[1]", '["a\\nb"]', '[["a"]]', "[" * 100_000],
    "numbers": [None, "", "{}", "[]", "[1]", "[-1]", "[NaN]", "[Infinity]", '["1"]', "[" * 100_000],
}
CASES = [
    (table, column, rule[0])
    for table, rules in configuration.COLUMNS.items()
    for column, rule in rules.items()
    if table != "generation_parameters"
]


@pytest.mark.parametrize(("table", "column", "kind"), CASES)
def test_a_column_refuses_what_it_cannot_hold(tables, table, column, kind):
    row = tables[table][0]
    for wrong in WRONG[kind]:
        row[column] = wrong
        found = faults_of(tables)

        assert (table, str(row[configuration.KEYS[table]]), column) in found, wrong
        # Other tables that name it are told of, too; nothing else is.
        assert {fault[0] for fault in found} - {table} <= {"product_category_details", "marketing_campaigns"}


@pytest.mark.parametrize("name", configuration.PARAMETERS)
def test_a_parameter_refuses_what_it_cannot_be(tables, name):
    kind, *limits = configuration.PARAMETERS[name]
    wrong = list(WRONG[kind])
    if kind == "numbers":
        wrong += [str([0] * limits[0]), str([1] * (limits[0] - 1)), str([1] * (limits[0] + 1))]
    else:
        wrong += [limits[0] - 1, limits[1] * 2 + 1]
    for value in wrong:
        set_parameter(tables, name, value)

        assert faults_of(tables) == [("generation_parameters", name, "parameter_value")], value


@pytest.mark.parametrize("table", configuration.COLUMNS)
def test_an_empty_table_is_refused_unless_it_may_be_empty(tables, table):
    tables[table] = []
    if table in configuration.MAY_BE_EMPTY:
        assert from_tables(tables)
    else:
        assert {fault[0] for fault in faults_of(tables)} >= {table}


@pytest.mark.parametrize("table", configuration.COLUMNS)
def test_a_doubled_name_is_told_with_the_statement_that_repairs_it(tables, table):
    key, doubled = configuration.KEYS[table], tables[table][0]
    tables[table].append(dict(doubled))
    with pytest.raises(ConfigurationRefused) as refusal:
        from_tables(tables)
    (fault,) = refusal.value.faults

    assert (fault.table, fault.row) == (table, str(doubled[key]))
    assert f"DELETE FROM reference_data.{table} WHERE {key} = " in fault.remedy


def test_every_fault_says_what_would_be_right(tables):
    for table, rows in tables.items():
        for row in rows:
            for column in configuration.COLUMNS[table]:
                row[column] = None
    with pytest.raises(ConfigurationRefused) as refusal:
        from_tables(tables)

    assert all(fault.remedy and fault.value and fault.column for fault in refusal.value.faults)
    assert len(refusal.value.faults) > 100
