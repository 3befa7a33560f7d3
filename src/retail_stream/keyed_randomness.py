"""Random values as a function of what they are for: (seed, law version, kind, purpose, global number).

Nothing here has a state, so a value does not depend on the run, the chunk, the shard or the order in which it is asked
for. Only unsigned 64-bit integer arithmetic is used, which is exact on every processor.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

LINE_STRIDE = 64  # an order's lines, a customer's touches: number * LINE_STRIDE + index is a number of its own
_TO_UNIT = 2.0**-53  # 53 bits fill a double's mantissa: every value is exact, and 1.0 is never reached
_BLOCK = 8_192  # words scrambled at a time: they stay in a core's cache
_LOW_32 = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


def mix(bits: np.ndarray) -> None:
    """Scramble 64-bit words, in place, so that each input bit moves half of the output bits (SplitMix64's finaliser,
    Stafford's variant 13).
    """
    shifted = bits >> np.uint64(30)
    bits ^= shifted
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    bits ^= np.right_shift(bits, np.uint64(27), out=shifted)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= np.right_shift(bits, np.uint64(31), out=shifted)


def scaled(bits: np.ndarray, limits: np.ndarray | int) -> np.ndarray:
    """Map 64-bit words to integers in [0, limit): the upper half of the 128-bit product, exactly, for limits below
    2^63.
    """
    limits = np.asarray(limits, dtype=np.uint64)
    high, low = bits >> _32, bits & _LOW_32
    if limits.max(initial=0) <= _LOW_32:  # then the product needs 96 bits only
        low *= limits
        low >>= _32
        high *= limits
        high += low
        high >>= _32
        return high.view(np.int64)
    limit_high, limit_low = limits >> _32, limits & _LOW_32
    carry = (low * limit_low) >> _32
    middle = high * limit_low + carry
    carry = ((middle & _LOW_32) + low * limit_high) >> _32
    return (high * limit_high + (middle >> _32) + carry).astype(np.int64)


def text_code(text: str, limit: int) -> int:
    """A number in [0, limit) that belongs to the text for ever, for keys that must not move when rows are added."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") % limit


@dataclass(frozen=True)
class Randomness:
    """All randomness of one seed under one law version."""

    seed: int
    law_version: int

    def bits(self, kind: str, purpose: str, numbers: np.ndarray) -> np.ndarray:
        """64 random bits for each global number."""
        first, second = _key(self.seed, self.law_version, kind, purpose)
        words = np.asarray(numbers, dtype=np.int64).view(np.uint64)
        found = np.empty(len(words), dtype=np.uint64)
        for start in range(0, len(words), _BLOCK):
            block = found[start : start + _BLOCK]
            np.multiply(words[start : start + _BLOCK], np.uint64(0x9E3779B97F4A7C15), out=block)
            block += first
            mix(block)
            block ^= second
            mix(block)
        return found

    def uniform(self, kind: str, purpose: str, numbers: np.ndarray) -> np.ndarray:
        """A double in [0, 1) for each global number."""
        bits = self.bits(kind, purpose, numbers)
        bits >>= np.uint64(11)
        return bits.view(np.int64) * _TO_UNIT

    def below(self, limits: np.ndarray | int, kind: str, purpose: str, numbers: np.ndarray) -> np.ndarray:
        """An integer in [0, limit) for each global number."""
        return scaled(self.bits(kind, purpose, numbers), limits)


@lru_cache(maxsize=1024)
def _key(seed: int, law_version: int, kind: str, purpose: str) -> tuple[np.uint64, np.uint64]:
    digest = hashlib.blake2b(f"{seed}|{law_version}|{kind}|{purpose}".encode(), digest_size=16).digest()
    return np.uint64(int.from_bytes(digest[:8], "big")), np.uint64(int.from_bytes(digest[8:], "big"))


def row_checksums(*columns: np.ndarray) -> np.ndarray:
    """A 32-bit hash of each row's typed values (as int64); a sum of these is a checksum free of the rows' order."""
    state = np.full(len(columns[0]), 0x243F6A8885A308D3, dtype=np.uint64)
    for column in columns:
        state ^= np.asarray(column).astype(np.int64).view(np.uint64)
        mix(state)
        state += np.uint64(0x9E3779B97F4A7C15)
    return (state >> _32).astype(np.int64)


class Choice:
    """Rows of weights, made ready to draw from: for each of the equal cells of [0, 1) a table tells where to begin
    looking, so that few steps remain (Chen, Asau 1974). The cells are a power of two, which keeps their borders exact.
    A total is given where the weights are shares, whose sum would be 1 but for rounding.
    """

    def __init__(self, weights: np.ndarray | list, cells: int = 64, total: float | None = None):
        weights = np.atleast_2d(np.asarray(weights, dtype=np.float64))
        # What is never drawn stands last, so that nobody steps over it.
        order = np.argsort(weights == 0.0, axis=1, kind="stable")
        weights = np.take_along_axis(weights, order, axis=1)
        cumulative = np.cumsum(weights, axis=1)
        self.total = cumulative[:, -1].copy() if total is None else np.full(len(cumulative), total)
        self.cells, columns = cells, cumulative.shape[1]
        first = np.zeros((len(cumulative), cells + 1), dtype=np.int64)
        targets = self.total[:, None] * (np.arange(cells + 1) / cells)
        last = np.maximum((weights > 0.0).sum(axis=1) - 1, 0)
        cumulative[np.arange(columns) >= last[:, None]] = np.inf  # rounding must not lead past the last one
        for column in cumulative.T:
            first += targets >= column[:, None]
        self.steps = int((first[:, 1:] - first[:, :-1]).max())
        # Places in all rows, one row behind the other.
        self.first = (first[:, :-1] + columns * np.arange(len(first))[:, None]).ravel()
        self.until, self.index = cumulative.ravel(), order.ravel()

    def pick(self, uniforms: np.ndarray, row: np.ndarray | int = 0) -> np.ndarray:
        """The index that each uniform draws from its row."""
        cell = (uniforms * self.cells).astype(np.int64)
        cell += row * self.cells
        found, target = self.first.take(cell), uniforms * self.total.take(row)
        for _ in range(self.steps):
            found += target >= self.until.take(found)
        return self.index.take(found)


class Search:
    """Rising integers from 0 on, made ready to be searched, as `Choice`."""

    def __init__(self, borders: np.ndarray):
        self.bits = (int(borders[-1]) // (2 * len(borders))).bit_length()
        cells = np.arange((int(borders[-1]) >> self.bits) + 2) << self.bits
        first = np.searchsorted(borders, cells, side="right") - 1
        self.first, self.steps = first[:-1], int(np.diff(first).max())
        self.until = np.append(borders[1:], np.iinfo(np.int64).max)

    def find(self, values: np.ndarray) -> np.ndarray:
        """The index of the last border that each value reaches."""
        found = self.first.take(np.minimum(values >> self.bits, len(self.first) - 1))
        for _ in range(self.steps):
            found += values >= self.until.take(found)
        return found
