"""Time: half-hour slots on a fixed UTC grid, local time in the customers' zones, and the mass of business in each slot.

A slot's number counts half-hours since 2000-01-01 00:00 UTC. Instants are milliseconds since then. Business time is the
integral of the calendar: a slot of mean business is 1/48 of a business day. Masses are integers (millionths), so that
their sums are exact.
"""

from functools import lru_cache
from typing import overload

import numpy as np

from retail_stream.configuration import Configuration
from retail_stream.keyed_randomness import Search
from retail_stream.places import ZONE_SHARE, ZONES
from retail_stream.world import CENSUS_MONTHS, CENSUS_PEAKS, HOLIDAYS

EPOCH = np.datetime64("2000-01-01", "ms")
SLOT_MS = 1_800_000
DAY_MS = 86_400_000
DAY_SLOTS = 48
MILLION = 1_000_000
CALENDAR_DAYS = 29_220  # to the end of 2079, which is past the longest life of any customer who signs up before 2074

_DAYS = np.arange(CALENDAR_DAYS)
_DATES = np.datetime64("2000-01-01", "D") + _DAYS
_MONTH_INDEX = (_DATES.astype("datetime64[M]") - np.datetime64("2000-01", "M")).astype(np.int64)
_MONTH_STARTS = (
    np.datetime64("2000-01", "M") + np.arange(_MONTH_INDEX[-1] + 2)
).astype("datetime64[D]").astype(np.int64) - np.datetime64("2000-01-01", "D").astype(np.int64)  # fmt: skip
_YEAR_OF_DAY = _MONTH_INDEX // 12
MONTH_OF_DAY = _MONTH_INDEX % 12  # January is 0
WEEKDAY_OF_DAY = (_DAYS + 5) % 7  # Monday is 0; the first day was a Saturday


def from_datetime(moment: np.datetime64) -> int:
    """Milliseconds since 2000-01-01 of a UTC instant."""
    return int((moment.astype("datetime64[ms]") - EPOCH).astype(np.int64))


@overload
def to_text(milliseconds: int) -> str: ...


@overload
def to_text(milliseconds: None) -> None: ...


def to_text(milliseconds: int | None) -> str | None:
    """An instant as SQL text, UTC."""
    return None if milliseconds is None else str(EPOCH + np.timedelta64(milliseconds, "ms")).replace("T", " ")


def nth_weekday(month_index: int, weekday: int, which: int) -> int:
    """The day number of the which-th weekday of a month; -1 is its last."""
    first, last = _MONTH_STARTS[month_index], _MONTH_STARTS[month_index + 1] - 1
    if which > 0:
        return int(first + (weekday - WEEKDAY_OF_DAY[first]) % 7 + 7 * (which - 1))
    return int(last - (WEEKDAY_OF_DAY[last] - weekday) % 7)


_YEARS = range(CALENDAR_DAYS // 365)
# Since 2007 summer time runs from the second Sunday of March to the first of November, at 2 o'clock on the wall. Both
# borders are half-hours of local standard time (Energy Policy Act of 2005, section 110; no time zone database, whose
# versions differ).
_SUMMER = np.array(
    [(nth_weekday(12 * y + 2, 6, 2) * DAY_SLOTS + 4, nth_weekday(12 * y + 10, 6, 1) * DAY_SLOTS + 2) for y in _YEARS]
)


_OFFSETS = np.array([2 * offset for _, offset, _ in ZONES])  # of standard time, in half-hours
_HAS_SUMMER = np.array([has_summer for _, _, has_summer in ZONES])


def local_slots(slots: np.ndarray, zones: np.ndarray | int) -> np.ndarray:
    """The half-hours on each zone's wall clock, counted from its own 2000-01-01 00:00."""
    standard = np.asarray(slots) + _OFFSETS[zones]
    year = _YEAR_OF_DAY.take(standard // DAY_SLOTS)
    starts, ends = _SUMMER.T
    is_summer = (starts.take(year) <= standard) & (standard < ends.take(year)) & _HAS_SUMMER[zones]
    return standard + 2 * is_summer


def local_months(milliseconds: np.ndarray, zones: np.ndarray) -> np.ndarray:
    """The month (0 to 11) in which each instant falls for somebody in each zone."""
    return MONTH_OF_DAY.take(local_slots(milliseconds // SLOT_MS, zones) // DAY_SLOTS)


def category_months(category: dict, seasonal_lift: float) -> np.ndarray:
    """A category's twelve month factors, mean 1: the census curve of its kind, with the lift moved to the peaks its row
    names.
    """
    kind = category["season_kind"]
    factors = np.array(CENSUS_MONTHS[kind])
    for month in range(1, 13):
        if month in CENSUS_PEAKS[kind]:
            factors[month - 1] /= 1.0 + seasonal_lift
        if month in category["seasonal_peak_months"]:
            factors[month - 1] *= 1.0 + seasonal_lift
    return factors * 12.0 / _ordered_sum(factors)


class Calendar:
    """The business calendar of a configuration."""

    def __init__(self, configuration: Configuration):
        parameters = configuration.parameters
        categories = configuration.categories
        popularity = np.array([category["popularity"] for category in categories], dtype=np.float64)
        self.category_months = np.array(
            [category_months(category, parameters["seasonal_lift"]) for category in categories]
        )
        # Share of each category in each month (columns), and the mean over the categories: the month's factor on all
        # business.
        weighted = popularity[:, None] * self.category_months / _ordered_sum(popularity)
        self.month_factors = np.cumsum(weighted, axis=0)[-1]
        self.category_shares = weighted / self.month_factors
        self.day_masses = self._day_masses(parameters)
        self.business_until_day = np.concatenate(([0], np.cumsum(self.day_masses)))
        self._day_of_business = Search(self.business_until_day)
        hours = np.array(parameters["hour_weights"], dtype=np.float64)
        self.hour_masses = np.floor(hours * 24.0 / _ordered_sum(hours) * MILLION + 0.5).astype(np.int64)
        self.growth = parameters["yearly_growth"]

    def _day_masses(self, parameters: dict) -> np.ndarray:
        """Business of each day in millionths of a mean day: the month's total is its factor, split by weekday and
        holiday.
        """
        weekdays = np.array(parameters["weekday_weights"], dtype=np.float64)
        shape = (weekdays * 7.0 / _ordered_sum(weekdays))[WEEKDAY_OF_DAY]
        for day, factor in _holidays():
            shape[day] *= 1.0 + parameters["holiday_strength"] * (factor - 1.0)
        month_sums = np.zeros(_MONTH_INDEX[-1] + 1)
        np.add.at(month_sums, _MONTH_INDEX, shape)
        # The census factors are shares of months, whose lengths differ: 30.4375 days is the mean month.
        return np.floor(
            self.month_factors[MONTH_OF_DAY] * 30.4375 * shape / month_sums[_MONTH_INDEX] * MILLION + 0.5
        ).astype(np.int64)

    def slot_masses(self, slots: np.ndarray) -> np.ndarray:
        """Business of each slot (rows) in each zone (columns), in millionths of a mean slot."""
        masses = np.empty((len(slots), len(ZONES)), dtype=np.int64)
        for zone in range(len(ZONES)):
            local = local_slots(slots, zone)
            masses[:, zone] = self.day_masses[local // DAY_SLOTS] * self.hour_masses[local % DAY_SLOTS // 2] // MILLION
        return masses

    def national_masses(self, slots: np.ndarray) -> np.ndarray:
        """Business of each slot over all zones, weighted by population."""
        return np.cumsum(self.slot_masses(slots) * ZONE_SHARE, axis=1)[:, -1]

    def growth_factors(self, slots: np.ndarray) -> np.ndarray:
        """How many customers come, compared with 2026-01-01: a straight line, never below a tenth."""
        years = (np.asarray(slots) / DAY_SLOTS - 9497.0) / 365.25
        return np.maximum(1.0 + self.growth * years, 0.1)

    def _business_until(self, milliseconds: np.ndarray) -> np.ndarray:
        """Business that has passed at each instant, in millionths of a mean day (whole UTC days are taken as even)."""
        days, rest = np.divmod(milliseconds, DAY_MS)
        return self.business_until_day.take(days) + self.day_masses.take(days) * rest // DAY_MS

    def business_days_between(self, start_ms: np.ndarray, end_ms: np.ndarray) -> np.ndarray:
        """How many mean days of business pass between two instants."""
        return (self._business_until(end_ms) - self._business_until(start_ms)) / MILLION

    def after_business_days(self, milliseconds: np.ndarray, business_days: np.ndarray) -> np.ndarray:
        """The instants at which so much business has passed since the given ones."""
        target = self._business_until(milliseconds) + (business_days * MILLION).astype(np.int64)
        day = np.minimum(self._day_of_business.find(target), CALENDAR_DAYS - 1)
        mass = np.maximum(self.day_masses.take(day), 1)
        return day * DAY_MS + (target - self.business_until_day.take(day)) * DAY_MS // mass


@lru_cache(maxsize=1)
def _holidays() -> tuple[tuple[int, float], ...]:
    found = []
    for year in _YEARS:
        for month, rule, after, factor in HOLIDAYS:
            index = 12 * year + month - 1
            day = nth_weekday(index, *rule) if isinstance(rule, tuple) else int(_MONTH_STARTS[index]) + rule - 1
            if 0 <= day + after < CALENDAR_DAYS:
                found.append((day + after, factor))
    return tuple(found)


def _ordered_sum(values: np.ndarray) -> float:
    """A sum from left to right: NumPy's own adds in an order that differs between processors."""
    total = 0.0
    for value in values:
        total += float(value)
    return total
