"""Tables of quantiles, against Python's own mathematics."""

import math
import statistics

import numpy as np
import pytest

from retail_stream import quantile_tables as tables


def test_the_exponential_is_right_to_fifteen_digits():
    x = np.linspace(-300.0, 300.0, 2001)
    expected = np.array([math.exp(value) for value in x])

    assert np.abs(tables.exponential(x) / expected - 1.0).max() < 1e-13


def test_the_logarithm_is_right_to_fifteen_digits():
    x = np.array([math.exp(value) for value in np.linspace(-300.0, 300.0, 2001)])
    expected = np.array([math.log(value) for value in x])

    assert np.abs(tables.logarithm(x) - expected).max() < 1e-13


@pytest.mark.parametrize("shape", [0.2, 0.6, 1.0, 3.3, 11.0, 40.0])
def test_drawing_from_a_gamma_table_gives_its_mean_and_variance(shape):
    uniforms = (np.arange(400_000) + 0.5) / 400_000
    values = tables.draw(tables.gamma_quantiles(shape, tables.probabilities(1.0 - 1e-6)), uniforms)

    assert values.mean() == pytest.approx(shape, rel=2e-3)
    assert values.var() == pytest.approx(shape, rel=1e-2)


def test_the_mean_of_a_table_is_the_mean_of_what_is_drawn():
    table = tables.gamma_quantiles(0.6, tables.probabilities(0.999))
    values = tables.draw(table, (np.arange(1_000_000) + 0.5) / 1_000_000)

    assert tables.table_mean(table) == pytest.approx(values.mean(), rel=1e-6)


def test_normal_values_have_the_quantiles_of_the_normal_curve():
    half = np.sqrt(2.0 * tables.gamma_quantiles(0.5, tables.probabilities(1.0 - 1e-6)))
    probabilities = np.array([0.001, 0.025, 0.2, 0.5, 0.7, 0.975, 0.999])
    expected = [statistics.NormalDist().inv_cdf(probability) for probability in probabilities]

    assert tables.draw_normal(half, probabilities) == pytest.approx(expected, abs=2e-3)


def test_lifetimes_have_the_lomax_quantiles_up_to_the_ceiling():
    table = tables.lomax_quantiles(0.45, 20.0, 260.0)
    probabilities = np.array([0.1, 0.3, 0.5, 0.6])
    expected = [20.0 * ((1.0 - u) ** (-1.0 / 0.45) - 1.0) for u in probabilities]

    assert tables.draw(table, probabilities) == pytest.approx(expected, rel=1e-3)
    assert tables.draw(table, np.array([0.99999])).tolist() == [260.0]
