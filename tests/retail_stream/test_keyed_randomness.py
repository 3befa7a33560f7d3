"""Values that depend on nothing but what they are for."""

import numpy as np

from retail_stream.keyed_randomness import Choice, Randomness, Search, row_checksums, scaled

RANDOMNESS = Randomness(20260101, 1)


def test_a_value_does_not_depend_on_what_is_asked_beside_it():
    numbers = np.arange(1000)
    together = RANDOMNESS.bits("customer", "age", numbers)

    assert (together[::-1] == RANDOMNESS.bits("customer", "age", numbers[::-1])).all()
    assert (together[500:501] == RANDOMNESS.bits("customer", "age", np.array([500]))).all()


def test_each_part_of_the_key_counts():
    numbers = np.arange(1000)
    same = RANDOMNESS.bits("customer", "age", numbers)
    others = [
        Randomness(20260102, 1).bits("customer", "age", numbers),
        Randomness(20260101, 2).bits("customer", "age", numbers),
        RANDOMNESS.bits("order", "age", numbers),
        RANDOMNESS.bits("customer", "income", numbers),
        RANDOMNESS.bits("customer", "age", numbers + 1000),
    ]

    assert [int((same == other).sum()) for other in others] == [0] * 5


def test_a_published_law_gives_the_values_it_gave():
    expected = [419649144299826965, 2639655149581301389, 11703936114077811840]

    assert expected == RANDOMNESS.bits("customer", "age", np.array([1, 2, 10**15])).tolist()


def test_uniforms_are_uniform_and_uncorrelated():
    # 10^6 values: the mean within 5 standard errors, shares of 100 cells by chi-square within 5 of theirs, correlations likewise.
    values = RANDOMNESS.uniform("customer", "age", np.arange(1_000_000))
    cells = np.bincount((values * 100).astype(int), minlength=100)
    chi_square = ((cells - 10_000.0) ** 2 / 10_000.0).sum()

    assert abs(values.mean() - 0.5) < 5 * 0.2887 / 1000
    assert abs(chi_square - 99) < 5 * (2 * 99) ** 0.5
    assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 0.005
    assert abs(np.corrcoef(values, RANDOMNESS.uniform("customer", "income", np.arange(1_000_000)))[0, 1]) < 0.005


def test_scaling_to_a_limit_is_exact_to_the_last_digit():
    bits = RANDOMNESS.bits("order", "who buys", np.arange(2000))
    limits = np.array([1, 2, 3, 10**6, 2**32 - 1, 2**32, 2**32 + 1, 7 * 10**15, 2**62, 2**63 - 1] * 200)

    expected = [int(word) * int(limit) >> 64 for word, limit in zip(bits, limits, strict=True)]

    assert expected == scaled(bits, limits).tolist()
    small = limits < 2**32
    assert [each for each, is_small in zip(expected, small, strict=True) if is_small] == scaled(
        bits[small], limits[small]
    ).tolist()


def test_a_weight_of_zero_is_never_picked():
    picked = RANDOMNESS.pick(Choice([0.0, 1.0, 0.0, 2.0, 0.0]), "test", "pick", np.arange(10_000))

    assert set(picked.tolist()) == {1, 3}


def test_a_choice_is_what_a_running_sum_of_the_weights_says():
    numbers = np.arange(20_000)
    uniforms, row = RANDOMNESS.uniform("test", "pick", numbers), numbers % 5
    weights = RANDOMNESS.uniform("test", "weights", np.arange(5 * 300)).reshape(5, 300) ** 9
    cumulative = np.cumsum(weights, axis=1)
    expected = [
        np.searchsorted(cumulative[each], uniform * cumulative[each, -1], side="right")
        for each, uniform in zip(row, uniforms, strict=True)
    ]

    for cells in (1, 64, 2048):
        assert RANDOMNESS.pick(Choice(weights, cells), "test", "pick", numbers, row).tolist() == expected


def test_a_choice_agrees_with_the_running_sum_at_the_words_beside_each_border():
    weights = RANDOMNESS.uniform("test", "weights", np.arange(50 * 40)).reshape(50, 40) ** 9
    totals = RANDOMNESS.uniform("test", "totals", np.arange(50)) * 1e6
    for cumulative, total in zip(np.cumsum(weights, axis=1), totals, strict=True):
        choice = Choice(np.diff(cumulative, prepend=0.0), total=total)
        for border in (each for each in choice.until.tolist() if 0 < each < 2**53):
            words = border + np.arange(-1, 1)
            reached = np.searchsorted(
                np.cumsum(np.diff(cumulative, prepend=0.0)), words * 2.0**-53 * total, side="right"
            )
            assert choice.at(words).tolist() == np.minimum(reached, 39).tolist()


def test_a_search_finds_the_last_border_reached():
    steps = RANDOMNESS.below(1_000, "test", "steps", np.arange(500)) * (np.arange(500) % 7 > 2)
    borders = np.concatenate(([0], np.cumsum(steps)))
    values = np.concatenate((borders, borders[1:] - 1, borders + 1))
    values = values[values >= 0]

    assert (Search(borders).find(values) == np.searchsorted(borders, values, side="right") - 1).all()


def test_a_sum_of_row_checksums_ignores_order_and_sees_each_column():
    first, second = np.arange(100), np.arange(100) * 7
    total = row_checksums(first, second).sum()

    assert row_checksums(first[::-1], second[::-1]).sum() == total
    assert row_checksums(second, first).sum() != total
    assert row_checksums(first, second + (first == 3)).sum() != total
