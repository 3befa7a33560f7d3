"""Marketing touches: the clicks that sign-ups cost, and the campaigns that reach customers after an order.

Of the clicks that a channel pays for, conversion_rate end in a sign-up and the rest are lost; together they cost
cost_per_acquisition per sign-up. Impressions on existing customers cost nothing more, and engagement_rate of them are
clicked. Each touch carries its latent cause: a word, the number of what brought it about, and how likely it was
(millionths).
"""

import numpy as np

from retail_stream.configuration import Configuration
from retail_stream.keyed_randomness import LINE_STRIDE, Choice
from retail_stream.quantile_tables import draw, logarithm, millionths
from retail_stream.slots import DAY_MS, MILLION, MONTH_OF_DAY

MOST_LOST_CLICKS = 60  # per sign-up; the price of a click allows for the cut
NO_CUSTOMER = 0
REMINDED_AFTER = 3_600_000  # ms: nobody is reminded of a shop while still in it


def acquisitions(
    configuration: Configuration, customer_id: np.ndarray, signed_up_ms: np.ndarray, channel: np.ndarray
) -> dict[str, np.ndarray]:
    """The touches of sign-ups: the conversion at its instant, then the lost clicks of the same effort during the day
    after it.
    """
    rates = configuration.column("marketing_channels", "conversion_rate")
    missed = np.clip(1.0 - rates, 0.0, 1.0 - 1e-9)
    lost_mean = missed * (1.0 - _power(missed, MOST_LOST_CLICKS)) / np.maximum(rates, 1e-9)
    click_cost = configuration.column("marketing_channels", "cost_per_acquisition") / (1.0 + lost_mean)
    patience = draw(
        configuration.quantiles("exponential"), configuration.randomness.uniform("touch", "lost clicks", customer_id)
    )
    # The floor of an exponential over -ln(1 - p) is geometric: the clicks lost before the one that signs up.
    per_click = -logarithm(np.maximum(missed, 1e-300)).take(channel)
    count = 1 + np.minimum((patience / per_click).astype(np.int64), MOST_LOST_CLICKS)
    first = np.cumsum(count) - count  # rows of conversions, each with its lost clicks behind it
    row = np.repeat(np.arange(len(count)), count)
    effort, channel, due_ms = (column.take(row) for column in (customer_id, channel, signed_up_ms))
    is_lost = np.ones(len(effort), dtype=bool)
    is_lost[first] = False
    lost = np.flatnonzero(is_lost)
    key = effort * LINE_STRIDE + (np.arange(len(effort)) - first.take(row))
    due_ms[lost] += configuration.randomness.below(DAY_MS, "touch", "lost click", key[lost])
    touched, likely = np.full(len(effort), NO_CUSTOMER), millionths(missed).take(channel)
    touched[first], likely[first] = customer_id, millionths(rates).take(channel[first])
    touch_type, cause = np.empty((2, len(effort)), dtype=object)
    touch_type[:], cause[:] = "click", "effort"
    touch_type[first], cause[first] = "conversion", "sign_up"
    return {
        "event_number": key * 2,
        "due_ms": due_ms,
        "customer_id": touched,
        "channel_name": _channel_names(configuration).take(channel),
        "campaign_name": _campaigns(configuration, channel, key * 2, due_ms),
        "touch_type": touch_type,
        "cost": np.floor(click_cost * 100.0 + 0.5).astype(np.int64).take(channel),
        "cause": cause,
        "caused_by": effort,
        "likely": likely,
    }


def reminders(
    configuration: Configuration, order_id: np.ndarray, customer_id: np.ndarray, ordered_ms: np.ndarray
) -> dict[str, np.ndarray]:
    """The touches that follow orders during thirty days: impressions, and the clicks on them within two hours."""
    each = configuration.parameters["impressions_per_order"]
    order, reached, seen_ms = (np.repeat(column, each) for column in (order_id, customer_id, ordered_ms))
    key = order * LINE_STRIDE + 2 * np.tile(np.arange(each), len(order_id))
    randomness = configuration.randomness
    channel = randomness.below(len(configuration.rows("marketing_channels")), "touch", "channel", key)
    seen_ms += REMINDED_AFTER + randomness.below(30 * DAY_MS, "touch", "impression", key)
    engagement = configuration.column("marketing_channels", "engagement_rate")
    again = np.flatnonzero(randomness.uniform("touch", "click", key) < engagement.take(channel))
    click_ms = seen_ms[again] + randomness.below(DAY_MS // 12, "touch", "click after", key[again])
    campaign = _campaigns(configuration, channel, key * 2 + 1, seen_ms)
    channel_name = _channel_names(configuration).take(channel)
    counts = (len(key), len(again))
    return {
        "event_number": np.concatenate((key, key[again] + 1)) * 2 + 1,
        "due_ms": np.concatenate((seen_ms, click_ms)),
        "customer_id": np.concatenate((reached, reached[again])),
        "channel_name": np.concatenate((channel_name, channel_name[again])),
        "campaign_name": np.concatenate((campaign, campaign[again])),
        "touch_type": np.repeat(np.array(["impression", "click"], dtype=object), counts),
        "cost": np.zeros(sum(counts), dtype=np.int64),
        "cause": np.repeat(np.array(["order", "impression"], dtype=object), counts),
        "caused_by": np.concatenate((order, key[again] * 2 + 1)),
        "likely": np.concatenate((np.full(len(key), MILLION), millionths(engagement).take(channel[again]))),
    }


def _campaigns(configuration: Configuration, channel: np.ndarray, key: np.ndarray, at_ms: np.ndarray) -> np.ndarray:
    """A campaign of the channel that runs in the month (UTC), by weight; None where none does."""
    choice, names = configuration.once(_campaign_choice)
    month = MONTH_OF_DAY.take(at_ms // DAY_MS)
    return names.take(choice.pick(configuration.randomness.uniform("touch", "campaign", key), channel * 12 + month))


def _campaign_choice(configuration: Configuration) -> tuple[Choice, np.ndarray]:
    """The campaigns by weight, a row for each channel and month, and their names; the last one is none at all."""
    campaigns = configuration.rows("marketing_campaigns")
    channels = _channel_names(configuration).tolist()
    running = np.zeros((len(channels), 12, len(campaigns) + 1))
    for column, row in enumerate(campaigns):
        months = [month - 1 for month in row["active_months"]] or list(range(12))
        running[channels.index(row["channel_name"]), months, column] = row["weight"]
    running[..., -1] = np.where(running.max(axis=2) > 0.0, 0.0, 1.0)
    names = np.array([row["campaign_name"] for row in campaigns] + [None], dtype=object)
    return Choice(running.reshape(-1, len(names))), names


def _channel_names(configuration: Configuration) -> np.ndarray:
    return np.array([row["channel_name"] for row in configuration.rows("marketing_channels")], dtype=object)


def _power(base: np.ndarray, exponent: int) -> np.ndarray:
    """base ** exponent by multiplication, which rounds alike everywhere."""
    result = np.ones_like(base)
    for _ in range(exponent):
        result = result * base
    return result
