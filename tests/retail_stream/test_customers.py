"""Who the customers are. Bands are about five standard errors wide for the 60,000 customers at hand."""

import numpy as np
import pytest

from retail_stream import configuration, customers, places, slots


def test_a_customer_is_the_same_whoever_is_made_beside_them(signed_up, people):
    alone = signed_up(10, first=40_001)

    assert alone.checksums().tolist() == people.checksums()[40_000:40_010].tolist()


def test_traits_do_not_depend_on_the_moment_of_sign_up(default, calendar, new_year, people):
    count = 1000
    later = customers.sign_ups(
        default, calendar, people.number[:count], np.full(count, new_year + 20_000), np.full(count, slots.SLOT_MS)
    )
    moving = {"signed_up_ms", "dropout_ms"}

    for name in vars(people).keys() - moving:
        assert (getattr(later, name) == getattr(people, name)[:count]).all()


def test_a_sign_up_lies_in_the_passed_part_of_its_slot(default, calendar, new_year):
    numbers = np.arange(1, 1001)
    found = customers.sign_ups(default, calendar, numbers, np.full(1000, new_year), np.full(1000, 60_000))
    begin = new_year * slots.SLOT_MS

    assert begin <= found.signed_up_ms.min() and found.signed_up_ms.max() < begin + 60_000


def test_segments_have_their_weights(default, people):
    weights = default.column("customer_segments", "weight")

    assert np.bincount(people.segment) / len(people.segment) == pytest.approx(weights / weights.sum(), abs=0.01)


def test_states_have_their_population(people):
    states = np.bincount(places.PLACE_STATE[people.place], minlength=51) / len(people.place)
    expected = {"CA": 38_965, "TX": 30_503, "NY": 19_571, "WY": 584}

    assert {state: round(float(states[places.STATES.index(state)]), 3) for state in expected} == pytest.approx(
        {state: population / 334_900 for state, population in expected.items()}, abs=0.008
    )


def test_every_city_has_a_zip_code_of_five_digits_and_a_zone():
    assert len(places.CITY) >= 150
    assert len(set(zip(places.CITY, places.STATE, strict=True))) == len(places.CITY)
    assert all(len(code) == 5 and code.isdigit() for code in places.ZIP_CODE)
    assert len(set(places.PLACE_ZONE)) == len(places.ZONES)


def test_income_rises_to_the_middle_of_life_and_price_sensitivity_falls_with_income(people):
    def median(low: int, high: int) -> float:
        return np.median(people.income[(low <= people.age) & (people.age < high)])

    assert median(18, 25) < median(25, 35) < median(40, 55) > median(70, 80)
    assert np.corrcoef(people.income, people.price_sensitivity)[0, 1] < -0.5


def test_segments_that_spend_more_earn_more_and_mind_prices_less(default, people):
    names = [row["segment_name"] for row in default.segments]
    income, sensitivity = (
        {name: column[people.segment == code].mean() for code, name in enumerate(names)}
        for column in (people.income, people.price_sensitivity)
    )

    assert income["occasional"] < income["regular"] < income["premium"]
    assert sensitivity["occasional"] > sensitivity["regular"] > sensitivity["premium"]


def test_rates_are_gamma_and_lifetimes_lomax(default, people):
    # r = 0.6: variance 1 / r, less the cut at 99.9 %; half of the lifetimes are shorter than 20 * (2^(1 / 0.45) - 1) weeks.
    rates = people.rate_factor / slots.MILLION
    weeks = (people.dropout_ms - people.signed_up_ms) / (7 * slots.DAY_MS)

    assert rates.mean() == pytest.approx(1.0, abs=0.03)
    assert rates.var() == pytest.approx(1.0 / 0.6, rel=0.06)
    assert np.median(weeks) == pytest.approx(20.0 * (2.0 ** (1.0 / 0.45) - 1.0), rel=0.05)
    assert np.corrcoef(rates, people.value_factor)[0, 1] == pytest.approx(0.0, abs=0.02)


def test_the_old_prefer_the_phone_and_the_young_the_app(people):
    age = [people.age[people.preferred_channel == channel].mean() for channel in range(4)]

    assert age[1] < age[0] < age[2] < age[3]


def test_weights_follow_the_frequency_of_the_segment_as_it_is_now(tables, default, people):
    tables["customer_segments"][0]["purchase_frequency"] *= 2
    changed = configuration.from_tables(tables)
    premium = people.segment == [row["segment_name"] for row in default.segments].index("premium")
    before, after = customers.weights(default, people), customers.weights(changed, people)

    assert np.abs(after[premium] - 2 * before[premium]).max() <= 1
    assert (after[~premium] == before[~premium]).all()


def test_a_profile_shows_one_person(default, signed_up):
    shown = customers.profiles(default, signed_up(500))

    assert shown["email"][0] == f"{shown['first_name'][0]}.{shown['last_name'][0]}.1@example.com".lower()
    assert len(set(shown["email"])) == 500
    assert {len(column) for column in shown.values()} == {500}
