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
_NEVER = 2**54  # no word of 53 bits reaches it


def _word(number: int) -> np.ndarray:
    """An operand of 64 bits. An array without dimensions: NumPy makes one of each scalar, at every operation anew."""
    return np.array(number, dtype=np.uint64)


_LOW_32, _32, _11 = _word(0xFFFFFFFF), _word(32), _word(11)
_GOLDEN = _word(0x9E3779B97F4A7C15)
_SHIFTS = _word(30), _word(27), _word(31)
_FACTORS = _word(0xBF58476D1CE4E5B9), _word(0x94D049BB133111EB)


def mix(bits: np.ndarray) -> None:
    """Scramble 64-bit words, in place, so that each input bit moves half of the output bits (SplitMix64's finaliser,
    Stafford's variant 13).
    """
    shifted = bits >> _SHIFTS[0]
    bits ^= shifted
    bits *= _FACTORS[0]
    bits ^= np.right_shift(bits, _SHIFTS[1], out=shifted)
    bits *= _FACTORS[1]
    bits ^= np.right_shift(bits, _SHIFTS[2], out=shifted)


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
            np.multiply(words[start : start + _BLOCK], _GOLDEN, out=block)
            block += first
            mix(block)
            block ^= second
            mix(block)
        return found

    def _words(self, kind: str, purpose: str, numbers: np.ndarray) -> np.ndarray:
        """53 random bits for each global number."""
        bits = self.bits(kind, purpose, numbers)
        bits >>= _11
        return bits.view(np.int64)

    def uniform(self, kind: str, purpose: str, numbers: np.ndarray) -> np.ndarray:
        """A double in [0, 1) for each global number."""
        return self._words(kind, purpose, numbers) * _TO_UNIT

    def below(self, limits: np.ndarray | int, kind: str, purpose: str, numbers: np.ndarray) -> np.ndarray:
        """An integer in [0, limit) for each global number."""
        return scaled(self.bits(kind, purpose, numbers), limits)

    def pick(
        self, choice: "Choice", kind: str, purpose: str, numbers: np.ndarray, row: np.ndarray | None = None
    ) -> np.ndarray:
        """An index by weight, from each global number's row of the choice."""
        return choice.at(self._words(kind, purpose, numbers), row)


@lru_cache(maxsize=1024)
def _key(seed: int, law_version: int, kind: str, purpose: str) -> tuple[np.ndarray, np.ndarray]:
    digest = hashlib.blake2b(f"{seed}|{law_version}|{kind}|{purpose}".encode(), digest_size=16).digest()
    return _word(int.from_bytes(digest[:8], "big")), _word(int.from_bytes(digest[8:], "big"))


def row_checksums(*columns: np.ndarray) -> np.ndarray:
    """A 32-bit hash of each row's typed values (as int64); a sum of these is a checksum free of the rows' order."""
    state = np.full(len(columns[0]), 0x243F6A8885A308D3, dtype=np.uint64)
    for column in columns:
        state ^= np.asarray(column).astype(np.int64).view(np.uint64)
        mix(state)
        state += _GOLDEN
    return (state >> _32).astype(np.int64)


class Choice:
    """Rows of weights, made ready to draw from: for each of the equal cells of [0, 1) a table tells where to begin
    looking, so that few steps remain (Chen, Asau 1974). A total is given where the weights are shares, whose sum would
    be 1 but for rounding.

    An index is drawn when uniform * total reaches the running sum before it. That is asked of the uniform's 53 bits, as
    whole numbers: each border is the least word that reaches it. The cells are a power of two, so theirs are exact.
    """

    def __init__(self, weights: np.ndarray | list, cells: int = 64, total: float | None = None):
        weights = np.atleast_2d(np.asarray(weights, dtype=np.float64))
        # What is never drawn stands last, so that nobody steps over it.
        order = np.argsort(weights == 0.0, axis=1, kind="stable")
        weights = np.take_along_axis(weights, order, axis=1)
        cumulative = np.cumsum(weights, axis=1)
        totals = cumulative[:, -1:] if total is None else np.full((len(cumulative), 1), total)
        until = _least_words(cumulative, totals)
        last = np.maximum((weights > 0.0).sum(axis=1) - 1, 0)
        columns = until.shape[1]
        until[np.arange(columns) >= last[:, None]] = _NEVER  # rounding must not lead past the last one
        self.bits, self.cells = 53 - (cells.bit_length() - 1), cells
        borders = np.arange(cells + 1) << self.bits
        first = np.zeros((len(until), cells + 1), dtype=np.int64)
        for column in until.T:
            first += borders >= column[:, None]
        self.steps = int((first[:, 1:] - first[:, :-1]).max())
        # Places in all rows, one row behind the other.
        self.first = (first[:, :-1] + columns * np.arange(len(first))[:, None]).ravel()
        self.until, self.index = until.ravel(), order.ravel()

    def at(self, words: np.ndarray, row: np.ndarray | None = None) -> np.ndarray:
        """The index that each word of 53 bits draws from its row (the only one where none is given)."""
        cell = words >> self.bits
        if row is not None:
            cell += row * self.cells
        found = self.first.take(cell)
        for _ in range(self.steps):
            found += words >= self.until.take(found)
        return self.index.take(found)


def _least_words(values: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """The least word of 53 bits whose uniform times the total reaches each value; _NEVER where there is no total."""
    with np.errstate(invalid="ignore", divide="ignore"):
        near = np.nan_to_num(values / totals, nan=2.0) / _TO_UNIT
    words = np.minimum(near, float(_NEVER)).astype(np.int64) - 8  # the quotient and the product round: a few words
    for _ in range(16):
        words += (words * _TO_UNIT) * totals < values
    return words


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
