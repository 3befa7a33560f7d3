"""Customers: who number n is, for ever, as a pure function of (seed, law version, n) under the snapshot in force at
sign-up.
"""

from dataclasses import dataclass

import numpy as np

from retail_stream.configuration import Configuration
from retail_stream.keyed_randomness import Choice, row_checksums
from retail_stream.places import CITY, PLACE_WEIGHTS, PLACE_ZONE, STATE, ZIP_CODE, ZONES
from retail_stream.quantile_tables import draw, draw_normal, exponential, millionths
from retail_stream.slots import MILLION, SLOT_MS, Calendar
from retail_stream.world import (
    CHANNEL_AGE_TILT,
    FIRST_NAMES,
    GENDERS,
    INCOME_BY_AGE,
    INCOME_SPREAD,
    LAST_NAMES,
    MEDIAN_INCOME,
    SALES_CHANNELS,
)

KIND = "customer"
YOUNGEST, OLDEST = 18, 79


@dataclass(frozen=True)
class Customers:
    """Columns over customers; texts travel as codes until they leave the generator."""

    number: np.ndarray
    signed_up_ms: np.ndarray  # milliseconds since 2000-01-01 UTC, as all *_ms
    dropout_ms: np.ndarray
    segment: np.ndarray  # index in Configuration.segments
    gender: np.ndarray
    age: np.ndarray
    income: np.ndarray  # USD a year
    place: np.ndarray
    zone: np.ndarray
    price_sensitivity: np.ndarray  # thousandths, 0 to 1000
    favourite_category: np.ndarray  # index in Configuration.categories
    preferred_channel: np.ndarray  # index in SALES_CHANNELS
    acquisition_channel: np.ndarray  # index in marketing_channels
    rate_factor: np.ndarray  # millionths of the segment's purchase frequency
    value_factor: np.ndarray  # millionths of the segment's order value

    def checksums(self) -> np.ndarray:
        """One hash per customer over all columns."""
        return row_checksums(*vars(self).values())


def instants(
    configuration: Configuration, kind: str, numbers: np.ndarray, slots: np.ndarray, open_ms: np.ndarray
) -> np.ndarray:
    """When within its slot each thing happens; a slot that has not ended is cut to its first open_ms milliseconds."""
    return slots * SLOT_MS + configuration.randomness.below(open_ms, kind, "instant", numbers)


def sign_ups(
    configuration: Configuration, calendar: Calendar, numbers: np.ndarray, slots: np.ndarray, open_ms: np.ndarray
) -> Customers:
    """The customers with these numbers, who sign up in these slots."""

    def uniform(purpose: str) -> np.ndarray:
        return configuration.randomness.uniform(KIND, purpose, numbers)

    def pick(trait: str, row: np.ndarray | None = None) -> np.ndarray:
        return configuration.randomness.pick(configuration.once(_choices)[trait], KIND, trait, numbers, row)

    segment = pick("segment")
    affluence = _affluence(configuration.rows("customer_segments"))[segment]
    place = pick("place")
    age = YOUNGEST + (34.0 * uniform("age, first half") + 28.0 * uniform("age, second half")).astype(np.int64)
    income = _incomes(configuration, age, affluence, uniform("income"))
    relative_income = income / (income + MEDIAN_INCOME)
    sensitivity = 0.95 - 0.7 * relative_income - 0.1 * (affluence - 1.0) + 0.3 * (uniform("price sensitivity") - 0.5)
    signed_up_ms = instants(configuration, KIND, numbers, slots, open_ms)
    weeks = draw(configuration.quantiles("lifetime"), uniform("lifetime"))
    return Customers(
        number=numbers,
        signed_up_ms=signed_up_ms,
        dropout_ms=calendar.after_business_days(signed_up_ms, weeks * 7.0),
        segment=segment,
        gender=pick("gender"),
        age=age,
        income=income,
        place=place,
        zone=PLACE_ZONE[place],
        price_sensitivity=np.floor(1000.0 * np.clip(sensitivity, 0.01, 0.99) + 0.5).astype(np.int64),
        favourite_category=pick("favourite category"),
        preferred_channel=pick("preferred channel", age - YOUNGEST),
        acquisition_channel=pick("acquisition channel"),
        rate_factor=_factors(draw(configuration.quantiles("purchase_rate"), uniform("purchase rate"))),
        value_factor=_factors(draw(configuration.quantiles("customer_value"), uniform("customer value"))),
    )


def _choices(configuration: Configuration) -> dict[str, Choice]:
    """What a trait is chosen from; the preferred sales channel by age."""
    tilt = 1.0 + CHANNEL_AGE_TILT * (np.arange(YOUNGEST, OLDEST + 1)[:, None] - 48) / 30.0
    channels = np.array(configuration.parameters["sales_channel_weights"], dtype=np.float64)
    return {
        "segment": Choice(configuration.column("customer_segments", "weight")),
        "place": Choice(PLACE_WEIGHTS, cells=2048),
        "gender": Choice([share for _, share in GENDERS]),
        "favourite category": Choice([category["popularity"] for category in configuration.categories]),
        "preferred channel": Choice(channels * np.maximum(tilt, 0.1)),
        "acquisition channel": Choice(configuration.column("marketing_channels", "conversion_rate")),
    }


def profiles(configuration: Configuration, customers: Customers) -> dict[str, np.ndarray | list[str]]:
    """The texts that a customer's profile shows."""

    def texts(names, codes: np.ndarray) -> np.ndarray:
        return np.array(names, dtype=object)[codes]

    first_names = _picked_names(configuration, customers)
    last_names = texts(LAST_NAMES, configuration.randomness.below(len(LAST_NAMES), KIND, "last name", customers.number))
    channels = [row["channel_name"] for row in configuration.rows("marketing_channels")]
    return {
        "first_name": first_names,
        "last_name": last_names,
        "email": [
            f"{first}.{last.replace(chr(39), '')}.{number}@example.com".lower()
            for first, last, number in zip(first_names, last_names, customers.number.tolist(), strict=True)
        ],
        "gender": texts([name for name, _ in GENDERS], customers.gender),
        "city": texts(CITY, customers.place),
        "state": texts(STATE, customers.place),
        "zip_code": texts(ZIP_CODE, customers.place),
        "time_zone": texts([name for name, _, _ in ZONES], customers.zone),
        "customer_segment": texts([row["segment_name"] for row in configuration.segments], customers.segment),
        "favourite_category": texts(
            [row["category_name"] for row in configuration.categories], customers.favourite_category
        ),
        "preferred_channel": texts(SALES_CHANNELS, customers.preferred_channel),
        "acquisition_channel": texts(channels, customers.acquisition_channel),
    }


def weights(configuration: Configuration, customers: Customers) -> np.ndarray:
    """Each customer's weight in the draw of who buys: millionths of an order in 30 business days, as the SQL of the
    draw has it.
    """
    frequencies = np.array([frequency_millionths(segment) for segment in configuration.segments], dtype=np.int64)
    return (customers.rate_factor * frequencies[customers.segment] + MILLION // 2) // MILLION


def frequency_millionths(segment: dict) -> int:
    """A segment's purchase frequency as an integer."""
    return int(segment["purchase_frequency"] * MILLION + 0.5)


def _affluence(segments: list[dict]) -> np.ndarray:
    """How a segment's customers earn compared with all: the root of its order value over the mean, within bounds."""
    weighted, total = 0.0, 0.0
    for segment in segments:
        weighted += segment["weight"] * segment["avg_order_value"]
        total += segment["weight"]
    values = np.array([segment["avg_order_value"] for segment in segments], dtype=np.float64)
    return np.clip(np.sqrt(values * total / weighted), 0.5, 2.0)


def _incomes(configuration: Configuration, age: np.ndarray, affluence: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """Lognormal around the median of the age and the segment, to a hundred dollars."""
    decade, years = np.divmod(age - YOUNGEST, 10)
    within = years / 10.0
    by_age = INCOME_BY_AGE[decade] + within * (INCOME_BY_AGE[decade + 1] - INCOME_BY_AGE[decade])
    spread = exponential(INCOME_SPREAD * draw_normal(configuration.quantiles("half_normal"), uniforms))
    return 100 * np.floor(MEDIAN_INCOME * by_age * affluence * spread / 100.0 + 0.5).astype(np.int64)


def _picked_names(configuration: Configuration, customers: Customers) -> np.ndarray:
    lists = [FIRST_NAMES[name] for name, _ in GENDERS]
    lengths = np.array([len(names) for names in lists])
    index = configuration.randomness.below(lengths[customers.gender], KIND, "first name", customers.number)
    names = np.array([name for names in lists for name in names], dtype=object)
    return names[(np.cumsum(lengths) - lengths)[customers.gender] + index]


def _factors(values: np.ndarray) -> np.ndarray:
    return np.maximum(millionths(values), 1)
