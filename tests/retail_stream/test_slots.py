"""Time and the calendar of business."""

import numpy as np
import pytest

from retail_stream import slots
from retail_stream.places import ZONES
from retail_stream.world import CENSUS_MONTHS


def slot_of(text: str) -> int:
    return slots.from_datetime(np.datetime64(text)) // slots.SLOT_MS


@pytest.mark.parametrize(
    ("utc", "zone", "wall"),
    [
        ("2026-01-15T12:00", "America/New_York", "2026-01-15T07:00"),
        ("2026-03-08T06:30", "America/New_York", "2026-03-08T01:30"),
        ("2026-03-08T07:00", "America/New_York", "2026-03-08T03:00"),
        ("2026-11-01T05:30", "America/New_York", "2026-11-01T01:30"),
        ("2026-11-01T06:00", "America/New_York", "2026-11-01T01:00"),
        ("2027-03-14T09:30", "America/Los_Angeles", "2027-03-14T01:30"),
        ("2027-03-14T10:00", "America/Los_Angeles", "2027-03-14T03:00"),
        ("2027-07-01T00:00", "America/Phoenix", "2027-06-30T17:00"),
        ("2027-07-01T00:00", "America/Denver", "2027-06-30T18:00"),
        ("2027-07-01T00:00", "Pacific/Honolulu", "2027-06-30T14:00"),
        ("2027-12-31T23:30", "America/Chicago", "2027-12-31T17:30"),
    ],
)
def test_the_wall_clock_of_a_zone_follows_summer_time(utc, zone, wall):
    index = [name for name, _, _ in ZONES].index(zone)

    assert slots.local_slots(np.array([slot_of(utc)]), index).tolist() == [slot_of(wall)]


def test_instants_survive_the_way_to_text_and_back():
    text = "2026-11-22 23:05:45.033"

    assert slots.to_text(slots.from_datetime(np.datetime64(text))) == text


def test_default_months_are_the_census_months(default):
    for category in default.categories:
        census = np.array(CENSUS_MONTHS[category["season_kind"]])

        assert slots.category_months(category, 0.25) == pytest.approx(census / census.mean())


def test_another_peak_month_lifts_itself_and_lowers_the_one_that_was(default):
    category = default.categories[0] | {"season_kind": "electronics", "seasonal_peak_months": [11, 12]}
    usual = slots.category_months(category, 0.25)
    moved = slots.category_months(category | {"seasonal_peak_months": [6, 12]}, 0.25)

    assert moved[5] / moved[0] == pytest.approx(1.25 * usual[5] / usual[0])
    assert moved[10] / moved[0] == pytest.approx(usual[10] / usual[0] / 1.25)


def test_a_year_has_a_year_of_business_and_each_month_its_share(calendar):
    days = np.arange(slot_of("2027-01-01") // 48, slot_of("2028-01-01") // 48)
    months = np.bincount(slots.MONTH_OF_DAY[days], weights=calendar.day_masses[days]) / slots.MILLION

    assert months.sum() == pytest.approx(365.25, abs=0.01)
    assert months == pytest.approx(calendar.month_factors * 30.4375, abs=1e-3)


def test_black_friday_is_the_busiest_day(calendar):
    days = np.arange(slot_of("2026-01-01") // 48, slot_of("2027-01-01") // 48)

    assert days[calendar.day_masses[days].argmax()] == slot_of("2026-11-27") // 48


def test_hours_have_their_weights_on_every_wall_clock(default, calendar):
    week = np.arange(slot_of("2026-06-01"), slot_of("2026-06-29"))
    weights = np.array(default.parameters["hour_weights"], dtype=float)
    for zone in range(len(ZONES)):
        local = slots.local_slots(week, zone)
        by_hour = np.bincount(local % 48 // 2, weights=calendar.slot_masses(week)[:, zone])

        assert by_hour / by_hour.sum() == pytest.approx(weights / weights.sum(), abs=0.002)


def test_business_days_after_an_instant_are_found_again(calendar):
    start = np.full(5, slots.from_datetime(np.datetime64("2026-03-01T10:00")))
    wanted = np.array([0.0, 0.5, 10.0, 365.25, 1800.0])
    end = calendar.after_business_days(start, wanted)

    def business(moment: np.ndarray) -> np.ndarray:
        day = moment // slots.DAY_MS
        part = calendar.day_masses[day] * (moment % slots.DAY_MS) / slots.DAY_MS
        return (calendar.business_until_day[day] + part) / slots.MILLION

    assert business(end) - business(start) == pytest.approx(wanted, abs=1e-5)
    assert (end[3] - start[3]) / slots.DAY_MS == pytest.approx(365.25, abs=2.0)
