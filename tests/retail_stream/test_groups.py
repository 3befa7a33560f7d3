"""Rows in groups, one behind the other."""

import numpy as np

from retail_stream.groups import expanded, starts, sums

COUNTS = np.array([0, 3, 0, 1, 2, 0])


def test_each_row_knows_its_group_and_its_place_in_it():
    group, place = expanded(COUNTS)

    assert group.tolist() == [1, 1, 1, 3, 4, 4]
    assert place.tolist() == [0, 1, 2, 0, 0, 1]


def test_groups_without_rows_make_none():
    for counts in ([], [0], [0, 0, 0]):
        group, place = expanded(np.array(counts, dtype=np.int64))

        assert group.tolist() == place.tolist() == []


def test_sums_are_those_of_each_group():
    assert sums(np.array([1, 2, 3, 10, 100, 200]), starts(COUNTS)).tolist() == [0, 6, 0, 10, 300, 0]
