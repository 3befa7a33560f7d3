"""Marketing touches: the clicks that sign-ups cost, and the campaigns that reach customers after an order.

Of the clicks that a channel pays for, conversion_rate end in a sign-up and the rest are lost; together they cost
cost_per_acquisition per sign-up. Impressions on existing customers cost nothing more, and engagement_rate of them are
clicked. Each touch carries its latent cause: a word, the number of what brought it about, and how likely it was
(millionths).
"""

import numpy as np

from retail_stream.configuration import Configuration
from retail_stream.groups import expanded
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
    lost = np.minimum((patience / per_click).astype(np.int64), MOST_LOST_CLICKS)
    row, index = expanded(lost)
    effort, lost_channel, lost_ms = (column.take(row) for column in (customer_id, channel, signed_up_ms))
    lost_key = effort * LINE_STRIDE + (index + 1)
    lost_ms += configuration.randomness.below(DAY_MS, "touch", "lost click", lost_key)
    counts = (len(lost), len(row))
    number = np.concatenate((customer_id * LINE_STRIDE, lost_key)) * 2
    due_ms, through = np.concatenate((signed_up_ms, lost_ms)), np.concatenate((channel, lost_channel))
    return {
        "event_number": number,
        "due_ms": due_ms,
        "customer_id": np.concatenate((customer_id, np.full(len(row), NO_CUSTOMER))),
        "channel_name": _channel_names(configuration).take(through),
        "campaign_name": _campaigns(configuration, through, number, due_ms),
        "touch_type": np.repeat(np.array(["conversion", "click"], dtype=object), counts),
        "cost": np.floor(click_cost * 100.0 + 0.5).astype(np.int64).take(through),
        "cause": np.repeat(np.array(["sign_up", "effort"], dtype=object), counts),
        "caused_by": np.concatenate((customer_id, effort)),
        "likely": np.concatenate((millionths(rates).take(channel), millionths(missed).take(lost_channel))),
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
    counts, row = (len(key), len(again)), np.concatenate((np.arange(len(key)), again))
    return {
        "event_number": np.concatenate((key, key[again] + 1)) * 2 + 1,
        "due_ms": np.concatenate((seen_ms, click_ms)),
        "customer_id": reached.take(row),
        "channel_name": _channel_names(configuration).take(channel.take(row)),
        "campaign_name": campaign.take(row),
        "touch_type": np.repeat(np.array(["impression", "click"], dtype=object), counts),
        "cost": np.zeros(len(row), dtype=np.int64),
        "cause": np.repeat(np.array(["order", "impression"], dtype=object), counts),
        "caused_by": np.concatenate((order, key[again] * 2 + 1)),
        "likely": np.concatenate((np.full(len(key), MILLION), millionths(engagement).take(channel[again]))),
    }


def _campaigns(configuration: Configuration, channel: np.ndarray, key: np.ndarray, at_ms: np.ndarray) -> np.ndarray:
    """A campaign of the channel that runs in the month (UTC), by weight; None where none does."""
    choice, sole, names = configuration.once(_campaign_choice)
    row = channel * 12 + MONTH_OF_DAY.take(at_ms // DAY_MS)
    found = sole.take(row)
    several = np.flatnonzero(found < 0)
    found[several] = configuration.randomness.pick(choice, "touch", "campaign", key[several], row[several])
    return names.take(found)


def _campaign_choice(configuration: Configuration) -> tuple[Choice, np.ndarray, np.ndarray]:
    """The campaigns by weight, a row for each channel and month; the one where it is alone, else -1; their names, the
    last of them none at all.
    """
    campaigns = configuration.rows("marketing_campaigns")
    channels = _channel_names(configuration).tolist()
    running = np.zeros((len(channels), 12, len(campaigns) + 1))
    for column, row in enumerate(campaigns):
        months = [month - 1 for month in row["active_months"]] or list(range(12))
        running[channels.index(row["channel_name"]), months, column] = row["weight"]
    running[..., -1] = np.where(running.max(axis=2) > 0.0, 0.0, 1.0)
    names = np.array([row["campaign_name"] for row in campaigns] + [None], dtype=object)
    weights = running.reshape(-1, len(names))
    return Choice(weights), np.where((weights > 0.0).sum(axis=1) == 1, weights.argmax(axis=1), -1), names


def _channel_names(configuration: Configuration) -> np.ndarray:
    return np.array([row["channel_name"] for row in configuration.rows("marketing_channels")], dtype=object)


def _power(base: np.ndarray, exponent: int) -> np.ndarray:
    """base ** exponent by multiplication, which rounds alike everywhere."""
    result = np.ones_like(base)
    for _ in range(exponent):
        result = result * base
    return result
