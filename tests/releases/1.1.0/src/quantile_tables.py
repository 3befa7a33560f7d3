"""Distributions as tables of quantiles, computed once per snapshot and interpolated after that.

NumPy's exp and log differ in the last bit between processors and versions. Here both are built from + - x / alone,
which IEEE 754 fixes to the bit, so the tables (and everything drawn from them) are the same on every machine.

A table holds the quantiles at probabilities cut * (1 - (1 - v)^2), v = 0, 1/512, ... 1: the grid is finest in the upper
tail, where money and loyalty are decided, and its inverse needs a square root only.
"""

import numpy as np

CELLS = 512
_LN_2 = 0.6931471805599453


def exponential(x: np.ndarray) -> np.ndarray:
    """e^x: the Taylor series on |x| <= ln 2 / 2, then a power of two."""
    x = np.asarray(x, dtype=np.float64)
    twos = np.floor(x / _LN_2 + 0.5)
    rest = x - twos * _LN_2
    total = np.ones_like(rest)
    for n in range(16, 0, -1):
        total *= rest
        total /= n
        total += 1.0
    return np.ldexp(total, twos.astype(np.int32))


def logarithm(x: np.ndarray) -> np.ndarray:
    """ln x for x > 0: the series of 2 artanh((m - 1) / (m + 1)) on the mantissa, plus the exponent."""
    mantissa, exponent = np.frexp(np.asarray(x, dtype=np.float64))
    small = mantissa < 0.7071067811865476
    mantissa = np.where(small, mantissa * 2.0, mantissa)
    exponent = exponent - small
    ratio = (mantissa - 1.0) / (mantissa + 1.0)
    square = ratio * ratio
    total = np.zeros_like(ratio)
    for n in range(41, 0, -2):
        total = total * square + 1.0 / n
    return exponent * _LN_2 + 2.0 * ratio * total


def _gamma_mass(shape: float, x: np.ndarray) -> np.ndarray:
    """The incomplete gamma integral from 0 to x, not divided by gamma(shape) (Abramowitz and Stegun 6.5.29)."""
    term = np.ones_like(x) / shape
    total = term
    for n in range(1, 400):
        term = term * x / (shape + n)
        total = total + term
        if (term < 1e-17 * total).all():
            break
    return exponential(shape * logarithm(x) - x) * total


def probabilities(cut: float) -> np.ndarray:
    """The probabilities of a table's grid; `cut` is where the upper tail ends.

    The lowest is an eighth of the next one instead of 0: a straight line down to the quantile of 0 would make far too
    many far too small values where a density is thin.
    """
    rest = 1.0 - np.arange(CELLS + 1) / CELLS
    grid = cut * (1.0 - rest * rest)
    grid[0] = grid[1] / 8.0
    return grid


def gamma_quantiles(shape: float, wanted: np.ndarray) -> np.ndarray:
    """Quantiles of Gamma(shape, scale 1) at the wanted probabilities, for shapes between 0.1 and 50, by bisection."""
    low = np.zeros(CELLS + 1)
    high = np.full(CELLS + 1, shape + 60.0)
    wanted = wanted * _gamma_mass(shape, high)
    for _ in range(60):
        middle = (low + high) / 2.0
        below = _gamma_mass(shape, np.maximum(middle, 1e-300)) < wanted
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2.0


def lomax_quantiles(shape: float, scale: float, ceiling: float) -> np.ndarray:
    """Quantiles of the time to an event whose hazard is Gamma(shape, rate scale): scale * ((1 - u)^(-1 / shape) - 1),
    cut at the ceiling.
    """
    rest = np.maximum(1.0 - np.arange(CELLS + 1) / CELLS, 1e-12)
    powers = np.minimum(-2.0 / shape * logarithm(rest), 600.0)
    return np.minimum(scale * (exponential(powers) - 1.0), ceiling)


def table_mean(table: np.ndarray) -> float:
    """The mean of what `draw` returns, by Simpson's rule: exact, since in each cell the integrand is quadratic."""
    rest = 1.0 - np.arange(CELLS + 1) / CELLS
    ends = table * 2.0 * rest
    middle = (table[:-1] + table[1:]) / 2.0 * (rest[:-1] + rest[1:])
    total = 0.0
    for cell in (ends[:-1] + 4.0 * middle + ends[1:]) / (6.0 * CELLS):
        total += float(cell)  # one by one: a NumPy sum adds in an order that differs between processors
    return total


def rounded(table: np.ndarray) -> list[float]:
    """Twelve significant digits: what the snapshot keeps."""
    return [float(f"{value:.12g}") for value in table]


def millionths(values: np.ndarray) -> np.ndarray:
    """The nearest whole millionths: how shares and factors leave the generator."""
    return np.floor(values * 1_000_000 + 0.5).astype(np.int64)


def draw(table: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """The quantiles at the uniforms in [0, 1), by linear interpolation."""
    position = 1.0 - uniforms
    np.sqrt(position, out=position)
    np.subtract(1.0, position, out=position)
    position *= CELLS
    cell = np.minimum(position.astype(np.int64), CELLS - 1)
    position -= cell
    position *= (table[1:] - table[:-1]).take(cell)
    position += table.take(cell)
    return position


def probability_below(table: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """How likely `draw` stays below each limit, for a table that rises."""
    cell = np.minimum(np.maximum(np.searchsorted(table, limits, side="right") - 1, 0), CELLS - 1)
    inside = (limits - table[cell]) / np.maximum(table[cell + 1] - table[cell], 1e-300)
    rest = 1.0 - (cell + np.minimum(np.maximum(inside, 0.0), 1.0)) / CELLS
    return 1.0 - rest * rest


def draw_normal(half_normal: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """Standard normal values from the table of absolute ones."""
    centred = uniforms * 2.0 - 1.0
    return np.copysign(draw(half_normal, np.abs(centred)), centred)
