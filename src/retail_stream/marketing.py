"""Marketing touches: the clicks that sign-ups cost, and the campaigns that reach customers after an order.

Of the clicks that a channel pays for, conversion_rate end in a sign-up and the rest are lost; together they cost
cost_per_acquisition per sign-up. Impressions on existing customers cost nothing more, and engagement_rate of them are
clicked. Each touch carries its latent cause: a word, the number of what brought it about, and how likely it was
(millionths).
"""

import numpy as np

from retail_stream.configuration import Configuration
from retail_stream.keyed_randomness import LINE_STRIDE, pick_from
from retail_stream.quantile_tables import draw, logarithm, millionths
from retail_stream.slots import DAY_MS, MONTH_OF_DAY

MARKETING = 4  # the kind of event, as it stands in event_id
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
    per_click = -logarithm(np.maximum(missed, 1e-300))[channel]
    lost = np.minimum(np.floor(patience / per_click).astype(np.int64), MOST_LOST_CLICKS)
    row = np.repeat(np.arange(len(customer_id)), 1 + lost)
    index = np.arange(len(row)) - np.repeat(np.cumsum(1 + lost) - 1 - lost, 1 + lost)
    key = customer_id[row] * LINE_STRIDE + index
    converted = index == 0
    wait = np.where(converted, 0, configuration.randomness.below(DAY_MS, "touch", "lost click", key))
    due_ms = signed_up_ms[row] + wait
    return {
        "event_number": key * 2,
        "due_ms": due_ms,
        "customer_id": np.where(converted, customer_id[row], NO_CUSTOMER),
        "channel_name": _channel_names(configuration)[channel[row]],
        "campaign_name": _campaigns(configuration, channel[row], key * 2, due_ms),
        "touch_type": np.array(["click", "conversion"], dtype=object)[converted.astype(np.int64)],
        "cost": np.floor(click_cost[channel[row]] * 100.0 + 0.5).astype(np.int64),
        "cause": np.array(["effort", "sign_up"], dtype=object)[converted.astype(np.int64)],
        "caused_by": customer_id[row],
        "likely": millionths(np.where(converted, rates[channel[row]], missed[channel[row]])),
    }


def reminders(
    configuration: Configuration, order_id: np.ndarray, customer_id: np.ndarray, ordered_ms: np.ndarray
) -> dict[str, np.ndarray]:
    """The touches that follow orders during thirty days: impressions, and the clicks on them within two hours."""
    each = configuration.parameters["impressions_per_order"]
    row = np.repeat(np.arange(len(order_id)), each)
    key = order_id[row] * LINE_STRIDE + 2 * np.tile(np.arange(each), len(order_id))
    randomness = configuration.randomness
    channel = randomness.below(len(configuration.rows("marketing_channels")), "touch", "channel", key)
    seen_ms = ordered_ms[row] + REMINDED_AFTER + randomness.below(30 * DAY_MS, "touch", "impression", key)
    engagement = configuration.column("marketing_channels", "engagement_rate")[channel]
    clicked = randomness.uniform("touch", "click", key) < engagement
    click_ms = seen_ms + randomness.below(DAY_MS // 12, "touch", "click after", key)
    again = np.flatnonzero(clicked)
    campaign = _campaigns(configuration, channel, key * 2 + 1, seen_ms)
    return {
        "event_number": np.concatenate((key, key[again] + 1)) * 2 + 1,
        "due_ms": np.concatenate((seen_ms, click_ms[again])),
        "customer_id": np.concatenate((customer_id[row], customer_id[row][again])),
        "channel_name": _channel_names(configuration)[np.concatenate((channel, channel[again]))],
        "campaign_name": np.concatenate((campaign, campaign[again])),
        "touch_type": np.repeat(np.array(["impression", "click"], dtype=object), (len(key), len(again))),
        "cost": np.zeros(len(key) + len(again), dtype=np.int64),
        "cause": np.repeat(np.array(["order", "impression"], dtype=object), (len(key), len(again))),
        "caused_by": np.concatenate((order_id[row], key[again] * 2 + 1)),
        "likely": millionths(np.concatenate((np.ones(len(key)), engagement[again]))),
    }


def _campaigns(configuration: Configuration, channel: np.ndarray, key: np.ndarray, at_ms: np.ndarray) -> np.ndarray:
    """A campaign of the channel that runs in the month (UTC), by weight; None where none does."""
    campaigns = configuration.rows("marketing_campaigns")
    channels = _channel_names(configuration).tolist()
    running = np.zeros((len(channels), 12, len(campaigns) + 1))
    for column, row in enumerate(campaigns):
        months = [month - 1 for month in row["active_months"]] or list(range(12))
        running[channels.index(row["channel_name"]), months, column] = row["weight"]
    running[..., -1] = np.where(running.max(axis=2) > 0.0, 0.0, 1.0)  # the last column is no campaign at all
    cell = channel * 12 + MONTH_OF_DAY[at_ms // DAY_MS]
    names = np.array([row["campaign_name"] for row in campaigns] + [None], dtype=object)
    uniforms = configuration.randomness.uniform("touch", "campaign", key)
    return names[pick_from(running.reshape(-1, len(names)), cell, uniforms)]


def _channel_names(configuration: Configuration) -> np.ndarray:
    return np.array([row["channel_name"] for row in configuration.rows("marketing_channels")], dtype=object)


def _power(base: np.ndarray, exponent: int) -> np.ndarray:
    """base ** exponent by multiplication, which rounds alike everywhere."""
    result = np.ones_like(base)
    for _ in range(exponent):
        result = result * base
    return result
