"""The purchase model behind churn probability and lifetime value, fitted to summaries of the customers' histories.

Orders after the sign-up follow Pareto/NBD (Schmittlein, Morrison and Colombo 1987), order values gamma-gamma (Fader and
Hardie 2005); gold.customer_model tells the parameters' meaning. Shapes are common to all segments, rates and order
values are each segment's own. Time is business time, in weeks. What the fitted parameters say of a customer is
reckoned in gold.dim_customers alone.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln

from retail_stream.slots import EPOCH, Calendar

LEAST_CUSTOMERS = 1_000
LEAST_FURTHER_ORDERS = 500
LEAST_WEEKS = 12  # of business since the first sign-up
EVERY_SEGMENT = "*"

# Where the search begins, and what little data falls back on: CDNOW, 23,570 customers, 39 weeks (r, s, beta; p, q). A
# parameter e times larger or smaller is one standard deviation away: a thousand customers outweigh that.
USUAL_SHAPES = np.log([0.600, 0.522, 8.847])
USUAL_VALUE_SHAPES = np.log([6.27, 3.63])
LEAST_SPREAD_SHAPE = 1.05  # at 1 the mean order value is infinite
NODES, WEIGHTS = np.polynomial.legendre.leggauss(4)


class TooLittleData(Exception):
    """The histories do not suffice for a fit; the parameters stay as they are."""


@dataclass(frozen=True)
class Histories:
    """Customers with nearly the same history, one row for each kind of history."""

    segment: np.ndarray  # texts
    customers: np.ndarray  # how many
    further_orders: np.ndarray  # orders of each since the sign-up, those at the sign-up itself not counted
    last_weeks: np.ndarray  # from the sign-up to the last of them; 0 where there is none
    age_weeks: np.ndarray  # from the sign-up to now


@dataclass(frozen=True)
class OrderValues:
    """Customers with nearly the same mean order value, one row for each number of orders and each value."""

    segment: np.ndarray
    customers: np.ndarray
    orders: np.ndarray  # of each
    mean_value: np.ndarray  # USD
    mean_log_value: np.ndarray  # mean over the customers of the logarithm of their mean order value
    spent: np.ndarray  # USD, of all together
    margin: np.ndarray


def calendar_parts(calendar: Calendar) -> list[tuple[int, float]]:
    """Number and business of each quarter of a month, 1 to 48 through the year, compared with the mean one; a mean over the
    fifty years from 2000, since weekdays and some holidays move.
    """
    months = (np.datetime64("2000-01", "M") + np.arange(50 * 12 + 1)).astype("datetime64[ms]")
    starts = (months - EPOCH).astype(np.int64)
    borders = starts[:-1, None] + np.diff(starts)[:, None] * np.arange(5) // 4
    business = (
        calendar.business_days_between(borders[:, :-1].ravel(), borders[:, 1:].ravel()).reshape(50, 48).mean(axis=0)
    )
    return [(number, round(float(days) * 48.0 / 365.25, 6)) for number, days in enumerate(business, start=1)]


def histories(rows: list) -> Histories:
    """The rows of model_statements.READ_HISTORIES. Half of a row's customers are taken to be older than their mean by the
    row's standard deviation, half to be younger by it, and likewise with their silence, so that variances are not lost: with
    means alone the fit would find lives too short by half.
    """
    segment, customers, orders, age, silence, age_spread, silence_spread = _columns(rows, 7)
    # Whether the older or the younger half is the more silent one changes from row to row, as there is no such rule.
    side = np.where(np.arange(len(segment)) % 2 == 0, 1.0, -1.0)
    ages = np.concatenate([age + age_spread, age - age_spread])
    silences = np.concatenate([silence + side * silence_spread, silence - side * silence_spread])
    orders = np.tile(orders, 2)
    last = np.where(orders > 0, np.clip(ages - silences, 0.0, ages), 0.0)
    return Histories(np.tile(segment, 2), np.tile(customers / 2.0, 2), orders, last, ages)


def order_values(rows: list) -> OrderValues:
    """The rows of model_statements.READ_ORDER_VALUES."""
    return OrderValues(*_columns(rows, 7))


def _columns(rows: list, count: int) -> list[np.ndarray]:
    """Rows of a text and numbers as columns, empty ones where there is no row."""
    texts = np.array([row[0] for row in rows], dtype=np.str_)
    numbers = np.array([list(row)[1:] for row in rows], dtype=np.float64).reshape(len(rows), count - 1)
    return [texts, *numbers.T]


def fit(histories: Histories, values: OrderValues) -> list[dict]:
    """The rows of gold.customer_model that fit best, one per segment and one for every segment.

    Raises:
        TooLittleData: with what there is and what is needed.
    """
    refuse_too_little(histories)
    names = sorted(set(histories.segment) | set(values.segment))
    shapes, rates = _purchases(histories, names)
    value_shapes, means = _order_values(values, names)
    rows = []
    for code, name in enumerate([*names, EVERY_SEGMENT]):
        ours = np.ones(len(values.segment), bool) if name == EVERY_SEGMENT else values.segment == name
        spent, margin = (float(column[ours].sum()) for column in (values.spent, values.margin))
        rows.append(
            {
                "customer_segment": name,
                "rate_shape": shapes[0],
                "rate_scale_weeks": shapes[0] / rates[code],
                "dropout_shape": shapes[1],
                "dropout_scale_weeks": shapes[2],
                "value_shape": value_shapes[0],
                "spread_shape": value_shapes[1],
                "mean_order_value": means[code],
                "margin_share": margin / spent if spent else float(values.margin.sum() / values.spent.sum()),
            }
        )
    return rows


def refuse_too_little(histories: Histories) -> None:
    """See `fit`."""
    found = {
        "customers": (round(histories.customers.sum()), LEAST_CUSTOMERS),
        "orders after their customer's sign-up": (
            round((histories.customers * histories.further_orders).sum()),
            LEAST_FURTHER_ORDERS,
        ),
        "weeks since the first sign-up": (int(np.max(histories.age_weeks, initial=0.0)), LEAST_WEEKS),
    }
    missing = [
        f"{count} {what}, at least {least} are needed" for what, (count, least) in found.items() if count < least
    ]
    if missing:
        raise TooLittleData(
            f"Too little data for a fit; gold.customer_model stays as it is. There are {'; '.join(missing)}. "
            "CALL core.generate_historical_data(...) fills the past"
        )


def counts(histories: Histories, values: OrderValues) -> dict[str, int]:
    """What a fit was made from."""
    return {
        "customers": round(histories.customers.sum()),
        "orders": round((values.customers * values.orders).sum()),
        "orders_after_sign_up": round((histories.customers * histories.further_orders).sum()),
    }


def summary(histories: Histories, rows: list[dict]) -> str:
    """What was found, in words."""
    row = rows[-1]
    return (
        f"Fitted to {round(histories.customers.sum())} customers: rates of shape {row['rate_shape']:.3f}, dropout of shape "
        f"{row['dropout_shape']:.3f} and {row['dropout_scale_weeks']:.1f} weeks, order values of shapes "
        f"{row['value_shape']:.2f} and {row['spread_shape']:.2f}, margin {100 * row['margin_share']:.1f} %. "
        "gold.dim_customers uses this from now on; CALL core.undo_customer_model_fit() takes it back."
    )


def _purchases(histories: Histories, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """r, s and beta; and the mean orders per week while active of each name, then of all customers."""
    code = np.searchsorted(names, histories.segment)
    customers, orders = histories.customers, histories.further_orders
    crude = np.log((customers * orders).sum() / (customers * histories.age_weeks).sum() * 2.0)

    def surprise(guess: np.ndarray) -> float:
        r, s, beta = np.exp(guess[:3])
        likely = log_likelihood(histories, r, r / np.exp(guess[4:])[code], s, beta)
        unusual = ((guess[:3] - USUAL_SHAPES) ** 2).sum() + ((guess[4:] - guess[3]) ** 2).sum()
        return (unusual / 2.0 - (customers * likely).sum()) / customers.sum()

    best = _least(surprise, np.concatenate([USUAL_SHAPES, [crude], np.full(len(names), crude)]))
    rates = np.exp(best[4:])
    of_all = float((customers * rates[code]).sum() / customers.sum())
    return np.exp(best[:3]), np.append(rates, of_all)


def log_likelihood(histories: Histories, r, alpha, s, beta) -> np.ndarray:
    """Of one customer of each row, but for a constant. `alpha` is a number or one for each row."""
    orders, age = histories.further_orders, histories.age_weeks
    shape, alpha_age, beta_age = r + orders, alpha + age, beta + age
    # The customer stayed, or dropped out at some y after the last order: over v = ((alpha + age) / (alpha + y))^shape
    # the integrand is almost straight, as in gold.dim_customers.
    v_last = np.exp(np.minimum(shape * np.log(alpha_age / (alpha + histories.last_weeks)), 50.0))
    lost = np.zeros(len(orders))
    for node, weight in zip((NODES + 1.0) / 2.0, WEIGHTS / 2.0, strict=True):
        y = alpha_age * (1.0 + (v_last - 1.0) * node) ** (-1.0 / shape) - alpha
        lost += weight * (alpha + y) / (beta + y) * (beta_age / (beta + y)) ** s
    lost *= s / shape * (v_last - 1.0)
    return (
        gammaln(shape) - gammaln(r) + r * np.log(alpha) - shape * np.log(alpha_age)
        + s * np.log(beta / beta_age) + np.log1p(lost)
    )  # fmt: skip


def _order_values(values: OrderValues, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """p and q; and the mean order value of each name, then of all orders."""
    code = np.searchsorted(names, values.segment)
    customers, orders = values.customers, values.orders
    crude = np.log(values.spent.sum() / (customers * orders).sum())

    def shapes(guess: np.ndarray) -> tuple[float, float]:
        return np.exp(guess[0]), LEAST_SPREAD_SHAPE + np.exp(guess[1])

    def surprise(guess: np.ndarray) -> float:
        p, q = shapes(guess)
        gamma = np.exp(guess[2:])[code] * (q - 1.0) / p
        likely = (
            gammaln(p * orders + q) - gammaln(p * orders) - gammaln(q) + q * np.log(gamma) + p * orders * np.log(orders)
            + p * orders * values.mean_log_value - (p * orders + q) * np.log(gamma + orders * values.mean_value)
        )  # fmt: skip
        unusual = ((guess[:2] - USUAL_VALUE_SHAPES) ** 2).sum() + ((guess[2:] - crude) ** 2).sum()
        return (unusual / 2.0 - (customers * likely).sum()) / customers.sum()

    best = _least(surprise, np.concatenate([USUAL_VALUE_SHAPES, np.full(len(names), crude)]))
    return np.array(shapes(best)), np.append(np.exp(best[2:]), np.exp(crude))


def _least(surprise, start: np.ndarray) -> np.ndarray:
    """The guess (logarithms) with the least surprise, none farther than a factor of a thousand from the start."""
    found = minimize(surprise, start, method="L-BFGS-B", bounds=[(at - 7.0, at + 7.0) for at in start], tol=1e-10)
    return found.x
