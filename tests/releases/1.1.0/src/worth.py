"""What a customer is truly worth: closed forms of the law, from the latent traits and the settings at sign-up.

Money is in cents. These are means; what a customer really spends is drawn order by order.
"""

from dataclasses import dataclass

import numpy as np

from retail_stream.configuration import Configuration
from retail_stream.customers import Customers, weights
from retail_stream.places import PLACE_STATE, STATE_TAX_RATIO
from retail_stream.plan import RATE_DAYS
from retail_stream.quantile_tables import probability_below
from retail_stream.slots import DAY_MS, MILLION, Calendar
from retail_stream.world import DISCOUNT_RATES, SALES_CHANNELS, SHIPPING, SHIPPING_COST, SHIPPING_METHODS

YEAR_DAYS = 365


@dataclass(frozen=True)
class Worth:
    """Columns over customers."""

    order_value: np.ndarray  # mean final total of an order
    order_margin: (
        np.ndarray
    )  # mean of what an order leaves: net of discounts, less the products' cost; without tax, shipping, returns
    lifetime_value: np.ndarray  # margin of the orders expected in the year after the sign-up, until the dropout


def worth_of(configuration: Configuration, calendar: Calendar, customers: Customers) -> Worth:
    """The worth of customers who have just signed up."""
    value = _order_values(configuration, customers)
    net = (value - _shipping(configuration, customers, value)) / (1.0 + _tax_rates(configuration, customers))
    margin = np.floor(net * _margin_rates(configuration, customers) + 0.5)
    last = np.minimum(customers.dropout_ms, customers.signed_up_ms + YEAR_DAYS * DAY_MS)
    days = calendar.business_days_between(customers.signed_up_ms, last)
    orders = weights(configuration, customers) / MILLION / RATE_DAYS * days
    return Worth(
        order_value=np.floor(value + 0.5).astype(np.int64),
        order_margin=margin.astype(np.int64),
        lifetime_value=np.floor(orders * margin + 0.5).astype(np.int64),
    )


def _order_values(configuration: Configuration, customers: Customers) -> np.ndarray:
    means = np.array([segment["avg_order_value"] for segment in configuration.segments], dtype=np.float64)
    return 100.0 * means[customers.segment] * (customers.value_factor / MILLION)


def _tax_rates(configuration: Configuration, customers: Customers) -> np.ndarray:
    return STATE_TAX_RATIO[PLACE_STATE[customers.place]] * configuration.parameters["tax_rate"]


def _shipping(configuration: Configuration, customers: Customers, value: np.ndarray) -> np.ndarray:
    """The mean cost of shipping: over the channels the customer uses, and the orders that are too small for the free one."""
    parameters = configuration.parameters
    by_channel = np.zeros((len(SALES_CHANNELS), len(SHIPPING_METHODS)))
    for row, name in enumerate(SALES_CHANNELS):
        for method, share in SHIPPING[name]:
            by_channel[row, SHIPPING_METHODS.index(method)] = share
    usual = np.array(parameters["sales_channel_weights"], dtype=np.float64)
    usual = usual / np.cumsum(usual)[-1]
    habit = parameters["preferred_channel_probability"]
    costs = 100.0 * SHIPPING_COST * parameters["shipping_cost_max"]
    threshold = 100.0 * parameters["free_shipping_threshold"]
    small = probability_below(configuration.quantiles("order_value"), threshold / np.maximum(value, 1.0))
    total = np.zeros(len(value))
    for number, cost in enumerate(costs):
        share = habit * by_channel[customers.preferred_channel, number]
        share = share + (1.0 - habit) * np.cumsum(usual * by_channel[:, number])[-1]
        total = total + share * cost * (small if SHIPPING_METHODS[number] == "standard" else 1.0)
    return total


def _margin_rates(configuration: Configuration, customers: Customers) -> np.ndarray:
    """The mean margin as a share of what is paid for the lines: (m - d) / (1 - d) over the discounts d that the customer
    gets and the margins m of the categories that the customer buys.
    """
    parameters, categories = configuration.parameters, configuration.categories
    margins = np.array([category["margin_rate"] for category in categories], dtype=np.float64)
    popularity = np.array([category["popularity"] for category in categories], dtype=np.float64)
    usual = np.cumsum(margins * popularity)[-1] / np.cumsum(popularity)[-1]
    liking = parameters["favourite_category_probability"]
    margin = liking * margins[customers.favourite_category] + (1.0 - liking) * usual

    sensitivity = customers.price_sensitivity / 1000.0
    often = np.minimum(parameters["discount_probability"] * 2.0 * sensitivity, 1.0)
    deepest = 0.5 + sensitivity  # the depth is drawn evenly from 0 to this, and what is beyond 1 counts as 1
    result, steps = (1.0 - often) * margin, len(DISCOUNT_RATES)
    for step, part in enumerate(DISCOUNT_RATES):
        until = deepest if step == steps - 1 else np.minimum(deepest, (step + 1) / steps)
        share = often * np.maximum(until - step / steps, 0.0) / deepest
        rate = np.floor(part * parameters["discount_max"] * 1000.0 + 0.5) / 1000.0
        result = result + share * (margin - rate) / (1.0 - rate)
    return result
