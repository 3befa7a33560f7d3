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
_LOW_32 = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


def mixed(bits: np.ndarray) -> np.ndarray:
    """Scramble 64-bit words so that each input bit moves half of the output bits (SplitMix64's finaliser, Stafford's
    variant 13).
    """
    shifted = bits >> np.uint64(30)
    bits = np.bitwise_xor(bits, shifted)  # a new array, and from here on in place: memory is what takes the time
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    bits ^= np.right_shift(bits, np.uint64(27), out=shifted)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= np.right_shift(bits, np.uint64(31), out=shifted)
    return bits


def scaled(bits: np.ndarray, limits: np.ndarray | int) -> np.ndarray:
    """Map 64-bit words to integers in [0, limit): the upper half of the 128-bit product, exactly, for limits below
    2^63.
    """
    limits = np.asarray(limits, dtype=np.uint64)
    high, low = bits >> _32, bits & _LOW_32
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
        numbers = np.asarray(numbers, dtype=np.int64).astype(np.uint64)
        return mixed(mixed(numbers * np.uint64(0x9E3779B97F4A7C15) + first) ^ second)

    def uniform(self, kind: str, purpose: str, numbers: np.ndarray) -> np.ndarray:
        """A double in [0, 1) for each global number."""
        return (self.bits(kind, purpose, numbers) >> np.uint64(11)).astype(np.float64) * _TO_UNIT

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
        state = mixed(state ^ np.asarray(column).astype(np.int64).astype(np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
    return (state >> _32).astype(np.int64)


def pick(cumulative: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """The index drawn by each uniform from the running sum of one list of weights."""
    target = uniforms * cumulative[-1]
    if len(cumulative) > 16:
        return np.minimum(np.searchsorted(cumulative, target, side="right"), len(cumulative) - 1)
    found = np.zeros(len(uniforms), dtype=np.int64)
    for until in cumulative[:-1]:
        found += target >= until
    return found


def pick_from(weights: np.ndarray, row: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """The index drawn by each uniform from one of the rows of a table of weights."""
    cumulative = np.cumsum(weights, axis=1)
    target = uniforms * cumulative[row, -1]
    found = np.zeros(len(uniforms), dtype=np.int64)
    for column in cumulative.T[:-1]:
        found += target >= np.ascontiguousarray(column)[row]
    return found


def pick_by_row(weights: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """The index drawn by each uniform from its own row of weights."""
    cumulative = np.cumsum(weights, axis=1)
    return np.minimum((uniforms[:, None] * cumulative[:, -1:] >= cumulative).sum(axis=1), weights.shape[1] - 1)
