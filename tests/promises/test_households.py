"""Where customers live, how old they are, what they earn and how much prices matter to them."""

import numpy as np
import pandas
import pytest

# The first digit of a ZIP code says which states it is for (United States Postal Service, L005).
ZIP_STATES = {
    "0": "CT MA ME NH NJ RI VT", "1": "DE NY PA", "2": "DC MD NC SC VA WV", "3": "AL FL GA MS TN", "4": "IN KY MI OH",
    "5": "IA MN MT ND SD WI", "6": "IL KS MO NE", "7": "AR LA OK TX", "8": "AZ CO ID NM NV UT WY", "9": "AK CA HI OR WA",
}  # fmt: skip
# Census estimates of 2023, in millions, of the ten largest states; all 50 and the District of Columbia have 334.9.
POPULATIONS = {
    "CA": 38.97, "TX": 30.50, "FL": 22.61, "NY": 19.57, "PA": 12.96, "IL": 12.55, "OH": 11.79, "GA": 11.03, "NC": 10.84,
    "MI": 10.04,
}  # fmt: skip
ALL_STATES = 334.9


def test_every_zip_code_lies_in_its_state(course):
    first_digit = {state: digit for digit, states in ZIP_STATES.items() for state in states.split()}
    triples = course.customers[["city", "state", "zip_code"]].drop_duplicates()

    assert len(first_digit) == 51
    assert (triples["zip_code"].str[0] == triples["state"].map(first_digit)).all()
    assert triples["zip_code"].str.fullmatch(r"\d{5}").all()
    assert not triples["zip_code"].duplicated().any()
    assert not triples[["city", "state"]].duplicated().any()


def test_states_have_the_customers_that_their_population_makes_likely(course, promise):
    shares = course.customers["state"].value_counts(normalize=True)
    off = max(abs(shares[state] / (people / ALL_STATES) - 1) for state, people in POPULATIONS.items())

    # Four standard errors of Michigan's share are 7 %.
    promise("largest relative difference of a large state's share to the census", off, (0, 0.08), len(course.customers))


def test_a_zone_belongs_to_its_state(course):
    assert (course.customers.groupby("state")["time_zone"].nunique() == 1).all()
    assert course.customers["state"].nunique() == 51


def test_incomes_rise_to_the_middle_of_life_and_fall_again(course, promise):
    people = course.customers
    median = (
        people.groupby(pandas.cut(people["age"], [17, 25, 45, 55, 65, 80]), observed=True)["income"].median().to_numpy()
    )

    assert median[0] < median[1] < median[2] > median[3] > median[4]
    promise("median income from 46 to 55 over that up to 25", median[2] / median[0], (1.4, 2.5), len(people))


@pytest.mark.parametrize("segments", [("premium", "regular"), ("regular", "occasional")])
def test_those_of_a_dearer_segment_earn_more_and_mind_prices_less(course, segments):
    dear, cheap = (course.customers[course.customers["customer_segment"] == segment] for segment in segments)

    assert dear["income"].median() > 1.02 * cheap["income"].median()
    assert (
        dear["price_sensitivity"].mean() < cheap["price_sensitivity"].mean() - 5
    )  # thousandths; 1 is a standard error


def test_prices_matter_less_to_those_who_earn_more(course, promise):
    people = course.customers
    together = people["price_sensitivity"].corr(np.log(people["income"]))

    promise("correlation of price sensitivity and log income", together, (-0.9, -0.4), len(people))
