"""What touches cost and how they convert, for 60,000 sign-ups and orders."""

import numpy as np
import pytest

from retail_stream import configuration, marketing
from retail_stream.slots import DAY_MS, MONTH_OF_DAY


@pytest.fixture(scope="module")
def acquisitions(default, people):
    return marketing.acquisitions(default, people.number, people.signed_up_ms, people.acquisition_channel)


@pytest.fixture(scope="module")
def reminders(default, orders):
    return marketing.reminders(default, orders.order_id, orders.customer_id, orders.ordered_ms)


def test_a_sign_up_converts_once_when_it_happens(people, acquisitions):
    converted = acquisitions["touch_type"] == "conversion"

    assert (acquisitions["customer_id"][converted] == people.number).all()
    assert (acquisitions["due_ms"][converted] == people.signed_up_ms).all()
    assert (acquisitions["customer_id"][~converted] == marketing.NO_CUSTOMER).all()
    assert set(acquisitions["touch_type"][~converted]) == {"click"}


def test_sign_ups_come_through_channels_in_proportion_to_conversion(default, people):
    rates = default.column("marketing_channels", "conversion_rate")

    assert np.bincount(people.acquisition_channel) / len(people.number) == pytest.approx(rates / rates.sum(), abs=0.01)


def test_clicks_convert_and_cost_what_the_channel_says(default, acquisitions):
    # 8,000 sign-ups or more a channel: standard errors of 1 %.
    for row in default.rows("marketing_channels"):
        mine = acquisitions["channel_name"] == row["channel_name"]
        conversions = (acquisitions["touch_type"][mine] == "conversion").sum()

        assert conversions / mine.sum() == pytest.approx(row["conversion_rate"], rel=0.04)
        assert acquisitions["cost"][mine].sum() / 100 / conversions == pytest.approx(
            row["cost_per_acquisition"], rel=0.04
        )


@pytest.mark.parametrize("rate", [1.0, 0.001])
def test_extreme_conversion_keeps_the_cost_of_a_sign_up(tables, people, rate):
    for row in tables["marketing_channels"]:
        row["conversion_rate"], row["cost_per_acquisition"] = rate, 100.0
    config = configuration.from_tables(tables)
    touches = marketing.acquisitions(
        config, people.number[:5000], people.signed_up_ms[:5000], people.acquisition_channel[:5000]
    )

    assert touches["cost"].sum() / 100 / 5000 == pytest.approx(100.0, rel=0.02)


def test_orders_are_followed_by_impressions_and_engaging_channels_get_clicks(default, orders, reminders):
    shown = reminders["touch_type"] == "impression"
    days = (reminders["due_ms"][shown] - np.repeat(orders.ordered_ms, 2)) / DAY_MS

    assert shown.sum() == 2 * len(orders.order_id)
    assert days.min() > 0.0 and days.max() < 30.1
    assert not reminders["cost"].any()
    for row in default.rows("marketing_channels"):
        mine = reminders["channel_name"] == row["channel_name"]
        assert (mine & ~shown).sum() / (mine & shown).sum() == pytest.approx(row["engagement_rate"], abs=0.015)


def test_campaigns_run_in_their_months_and_by_their_weights(default, reminders):
    month = MONTH_OF_DAY[reminders["due_ms"] // DAY_MS] + 1
    shown = reminders["touch_type"] == "impression"
    mail = shown & (reminders["channel_name"] == "email")
    gifts = reminders["campaign_name"] == "holiday_gifts"

    assert set(month[gifts & shown].tolist()) == {11, 12}
    assert gifts[mail & (month >= 11)].mean() == pytest.approx(2 / 3, abs=0.03)
    assert (reminders["campaign_name"] != None).all()  # noqa: E711


def test_a_channel_without_campaigns_still_reaches_people(tables, people):
    tables["marketing_campaigns"] = []
    config = configuration.from_tables(tables)
    touches = marketing.acquisitions(
        config, people.number[:100], people.signed_up_ms[:100], people.acquisition_channel[:100]
    )

    assert set(touches["campaign_name"]) == {None}


def test_numbers_of_touches_are_their_own(acquisitions, reminders):
    numbers = np.concatenate((acquisitions["event_number"], reminders["event_number"]))

    assert len(np.unique(numbers)) == len(numbers)


def test_touches_of_a_customer_do_not_depend_on_the_others(default, people, acquisitions):
    alone = marketing.acquisitions(
        default, people.number[7:8], people.signed_up_ms[7:8], people.acquisition_channel[7:8]
    )
    mine = acquisitions["event_number"] // 2 // 64 == people.number[7]

    assert alone["due_ms"].tolist() == acquisitions["due_ms"][mine].tolist()
