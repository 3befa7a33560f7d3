"""The cohort that the promises are measured on is what an account makes: the same customers buy the same orders."""

import json

import numpy as np
import pytest

from retail_stream.configuration import Configuration
from retail_stream.plan import Request, Window
from retail_stream.slots import EPOCH, SLOT_MS, from_datetime

# Long before everything else in the app, so that nobody lives there but who signs up there.
START, END = "2018-01-01", "2018-01-29"
WEEK = 336


@pytest.fixture(scope="module")
def filled(app_admin, installed_app):
    """Four weeks of the past filled by the law: the settings, the first numbers, sign-ups and orders, from the account."""
    app_admin.cursor().execute(f"call core.generate_historical_data('{START}', '{END}')")
    firsts, snapshot = (
        app_admin.cursor()
        .execute(
            "select first_numbers, configuration_snapshot from reference_data.data_generation_audit "
            f"where run_type = 'GENERATION' and status = 'COMPLETED' and window_start = '{START}'"
        )
        .fetchone()
    )
    between = f"between '{START}' and '{END}'"
    with installed_app.connect() as installer:
        cursor = installer.cursor()
        customers = cursor.execute(
            f"select customer_id, checksum from {installed_app.application}.truth.customers "
            f"where signed_up_at {between} order by customer_id"
        ).fetchall()
        orders = cursor.execute(
            f"select order_id, customer_id, datediff('millisecond', '{EPOCH.item()}'::timestamp_ntz, ordered_at) "
            f"from {installed_app.application}.truth.orders where ordered_at {between} order by order_id"
        ).fetchall()
    return Configuration(json.loads(snapshot)), json.loads(firsts), customers, orders


def test_an_account_makes_the_course_that_the_promises_are_measured_on(filled, business_of):
    configuration, firsts, customers, orders = filled
    business = business_of(configuration, firsts["customer_id"], firsts["order_id"])
    first, end = (from_datetime(np.datetime64(day)) // SLOT_MS for day in (START, END))
    made = []
    for start in range(first, end, WEEK):
        run = business.run(Window(start, WEEK), Request(None, None, None, None)).sort_values("order_id")
        made += zip(run["order_id"], run["customer_id"], run["ordered_ms"], strict=True)

    assert len(orders) > 1_000
    assert customers == list(zip(business.customers["customer_id"], business.customers["checksum"], strict=True))
    assert orders == made
