"""Interval arithmetic on the ends of enclosures that keeps exact zeros and infinities.

`Enclosure` rounds every result outward, so an exact zero becomes an interval around zero and a Dirac can no
longer be told from a very narrow Gaussian. Here a sum or product that is exact because an operand is 0 (or
infinite) stays exact; all else moves outward.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.enclosure import Enclosure

__all__ = [
    "Array",
    "add",
    "decay",
    "divide",
    "intersect",
    "multiply",
    "outward",
    "point",
    "rise",
    "square",
    "subtract",
    "times",
]

Array = NDArray[np.float64]
UNIT = 2.0**-53
LARGEST = float(np.finfo(np.float64).max)
TINY = 2.0**-1022  # covers the absolute error of results that underflow


def point(value: Array) -> Enclosure:
    """Floats that are exactly known."""
    return Enclosure(value, value)


def outward(lo: Array, hi: Array, ulps: float = 1.0, floor: float = -np.inf) -> Enclosure:
    """[lo, hi] moved outward by some units in the last place; zeros and infinities stay; cut at ``floor``."""
    step = 2.0 * ulps * UNIT
    with np.errstate(invalid="ignore", over="ignore"):
        low = np.where((lo == 0) | np.isinf(lo), lo, lo - step * np.abs(lo) - TINY * ulps)
        high = np.where((hi == 0) | np.isinf(hi), hi, hi + step * np.abs(hi) + TINY * ulps)
    return Enclosure(np.maximum(low, floor), high)


def _end(value: Array, exact: NDArray[np.bool_], side: float) -> Array:
    """A correctly rounded result moved down (side -1) or up (side 1) past the number it rounds."""
    with np.errstate(invalid="ignore", over="ignore"):
        moved = value + side * (np.abs(value) * (2.0 * UNIT) + TINY)
    return np.where(exact | np.isinf(value), value, moved)


def _inner(value: Array, finite: NDArray[np.bool_], side: float) -> Array:
    """An end that overflowed inwards, although its operands are finite, comes back to the last float."""
    return np.where((value == -side * np.inf) & finite, -side * LARGEST, value)


def add(a: Enclosure, b: Enclosure) -> Enclosure:
    """The sum a + b, kept where it is exact (Knuth's two-sum); inf - inf widens to the whole line."""
    return Enclosure(_sum_end(a.lo, b.lo, -1.0), _sum_end(a.hi, b.hi, 1.0))


def _sum_end(x: Array, y: Array, side: float) -> Array:
    with np.errstate(invalid="ignore", over="ignore"):
        total = x + y
        back = total - x
        exact = (x - (total - back)) + (y - back) == 0
    moved = _inner(_end(total, exact, side), np.isfinite(x) & np.isfinite(y), side)
    return np.where(np.isnan(moved), side * np.inf, moved)


def subtract(a: Enclosure, b: Enclosure) -> Enclosure:
    """The difference a - b."""
    return add(a, Enclosure(-b.hi, -b.lo))


def multiply(a: Enclosure, b: Enclosure) -> Enclosure:
    """The product a b, with 0 inf = 0: a zero here is exact, an infinity is at worst an overflow."""
    ends = [(x, y) for x in (a.lo, a.hi) for y in (b.lo, b.hi)]
    low = np.minimum.reduce([_product(x, y, -1.0) for x, y in ends])
    return Enclosure(low, np.maximum.reduce([_product(x, y, 1.0) for x, y in ends]))


def times(a: Enclosure, b: Enclosure) -> Enclosure:
    """The product a b for b >= 0 (the second factor), like `multiply` but twice as fast."""
    low = _product(a.lo, np.where(a.lo >= 0, b.lo, b.hi), -1.0)
    return Enclosure(low, _product(a.hi, np.where(a.hi >= 0, b.hi, b.lo), 1.0))


def _product(x: Array, y: Array, side: float) -> Array:
    """The product x y, rounded down (side -1) or up (side 1)."""
    null = (x == 0) | (y == 0)
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        value = np.where(null, 0.0, x * y)
    return _inner(_end(value, null | (x == 1) | (y == 1), side), np.isfinite(x) & np.isfinite(y), side)


def divide(a: Enclosure, b: Enclosure) -> Enclosure:
    """The quotient a / b for b >= 0, with 0/0 = 0 and inf/inf anything between 0 and inf."""
    below, above = np.where(a.lo >= 0, b.hi, b.lo), np.where(a.hi >= 0, b.lo, b.hi)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        lo, hi = a.lo / below, a.hi / above
    lo = np.where(a.lo == 0, 0.0, np.where(np.isnan(lo), np.where(a.lo > 0, 0.0, -np.inf), lo))
    hi = np.where(a.hi == 0, 0.0, np.where(np.isnan(hi), np.where(a.hi > 0, np.inf, 0.0), hi))
    exact_lo = (a.lo == 0) | np.isinf(below) | (below == 1)
    exact_hi = (a.hi == 0) | np.isinf(above) | (above == 1)
    finite_lo, finite_hi = np.isfinite(a.lo) & (below != 0), np.isfinite(a.hi) & (above != 0)
    return Enclosure(
        _inner(_end(lo, exact_lo, -1.0), finite_lo, -1.0), _inner(_end(hi, exact_hi, 1.0), finite_hi, 1.0)
    )


def square(a: Enclosure) -> Enclosure:
    """The square of a, zero at the least."""
    low, high = np.abs(a.lo), np.abs(a.hi)
    inner = np.where((a.lo <= 0) & (a.hi >= 0), 0.0, np.minimum(low, high))
    outer = np.maximum(low, high)
    return Enclosure(np.maximum(_product(inner, inner, -1.0), 0.0), _product(outer, outer, 1.0))


def intersect(a: Enclosure, b: Enclosure) -> Enclosure:
    """The common part of two enclosures of one number."""
    return Enclosure(np.maximum(a.lo, b.lo), np.minimum(a.hi, b.hi))


def decay(rate: float, time: Array) -> Enclosure:
    """e^{-rate time}, exactly 1 at time 0 and 0 at time inf; ``rate`` is a power of two: an exact product."""
    with np.errstate(under="ignore"):
        value = np.exp(-rate * time)
    exact = (time == 0) | np.isinf(time)
    wide = outward(value, value, 4.0, floor=0.0)
    high = np.where(value == 0, TINY, wide.hi)
    return Enclosure(np.where(exact, value, wide.lo), np.where(exact, value, high))


def rise(rate: float, time: Array, ulps: float = 4.0) -> Enclosure:
    """1 - e^{-rate time}, exactly 0 at time 0 and 1 at inf; ``ulps`` covers exp and a rounded ``time``."""
    value = -np.expm1(-rate * time)
    exact = (time == 0) | np.isinf(time)
    wide = outward(value, value, ulps, floor=0.0)
    return Enclosure(np.where(exact, value, wide.lo), np.where(exact, value, np.minimum(wide.hi, 1.0)))
