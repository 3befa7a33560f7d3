"""The same customer is the same person after every change of settings; test_settings.py has what no setting moves."""

import json

import pytest

from retail_stream import configuration

EDITS = {  # each table in turn, every column of it; a name that others bear too changes there as well
    "customer_segments": "segment_name = segment_name || ' 2', weight = 2 + weight, avg_order_value = 9 * avg_order_value, "
    "purchase_frequency = 3 * purchase_frequency",
    "product_category_details": "category_name = category_name || ' 2', season_kind = 'food', popularity = 1 + popularity, "
    "typical_price = 17, price_spread = 0.4, subcategories = '[\"only\"]'",
    "product_categories": "category_name = category_name || ' 2', seasonal_peak_months = '[5]', margin_rate = 0.2, "
    "return_rate = 0.3",
    "marketing_campaigns": "campaign_name = campaign_name || ' 2', channel_name = channel_name || ' 2', weight = 1 + weight, "
    "active_months = '[4]'",
    "marketing_channels": "channel_name = channel_name || ' 2', cost_per_acquisition = 5, conversion_rate = 0.5, "
    "engagement_rate = 0.5",
    "warehouses": "warehouse_id = 10 + warehouse_id, location_name = 'Denver, CO', capacity = 50",
}
NAMED_ELSEWHERE = ("product_category_details", "marketing_campaigns")
PERSON = (
    "customer_id, first_name, last_name, email, gender, age, income, city, state, zip_code, time_zone, customer_segment, "
    "price_sensitivity, favourite_category, preferred_channel, acquisition_channel, signed_up_at"
)


@pytest.fixture(scope="module")
def ask(app_admin):
    def ask(statement: str, *binds) -> list[tuple]:
        return app_admin.cursor().execute(statement, binds).fetchall()

    return ask


def another(rule: tuple, value: str) -> str:
    """Halfway from a parameter's value to the largest that is allowed; weights the other way round."""
    if rule[0] == "numbers":
        return json.dumps(json.loads(value)[::-1])
    return str((int(value) + rule[2]) // 2 if rule[0] == "integer" else (float(value) + rule[2]) / 2)


def test_whoever_has_signed_up_stays_the_same_after_every_change_of_settings(ask, installed_app):
    run = ask("call core.generate_retail_data(40, 60)")[0][0].split()[1]
    ((last,),) = ask("select max(event_data:customer_id::number(18, 0)) from raw_data.raw_retail_events")

    def known() -> list[list[tuple]]:
        """What there is of the customers up to now: the truth, their profiles as they landed, and as gold has them."""
        with installed_app.connect() as installer:
            cursor = installer.cursor()
            cursor.execute(f"use database {installed_app.application}")
            return [
                cursor.execute(statement, (last,)).fetchall()
                for statement in (
                    "select * from truth.customers where customer_id <= %s order by customer_id",
                    "select event_id, event_time, to_json(event_data), checksum from raw_data.raw_retail_events "
                    "where event_type = 'customer_profile' and event_data:customer_id <= %s order by event_id",
                    f"select {PERSON} from gold.dim_customers where customer_id <= %s order by customer_id",
                )
            ]

    first = known()
    assert [len(rows) for rows in first] == [last] * 3
    try:
        for table, edit in EDITS.items():
            ask(f"update reference_data.{table} set {edit}")
            if table not in NAMED_ELSEWHERE:
                ask("call core.generate_retail_data(3, 20)")
                assert known() == first, table
        for name, value in ask("select parameter_name, parameter_value from reference_data.generation_parameters"):
            ask(
                "update reference_data.generation_parameters set parameter_value = %s where parameter_name = %s",
                another(configuration.PARAMETERS[name], value),
                name,
            )
        ask("call core.generate_retail_data(3, 20)")
        assert known() == first
    finally:
        ask("call core.restore_configuration(%s)", run)
