"""Rows that stand one behind the other in groups: an order's lines, the clicks that a sign-up cost."""

import numpy as np


def starts(counts: np.ndarray) -> np.ndarray:
    """Where each group begins, one longer than the groups."""
    return np.concatenate(([0], np.cumsum(counts)))


def expanded(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The group of each row, and its place in it from 0 on."""
    start = starts(counts)
    # A group's number is how many have ended before the row: half the time of a repeat.
    group = np.cumsum(np.bincount(start[1:], minlength=start[-1] + 1)[: start[-1]])
    return group, np.arange(start[-1]) - start.take(group)


def sums(values: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Integer sums over the groups that begin there."""
    return np.diff(starts(values).take(start))
