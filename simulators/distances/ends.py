"""Interval arithmetic on the ends of enclosures that keeps exact zeros and infinities.

`Enclosure` rounds every result outward, so an exact zero becomes an interval around zero and a Dirac can no
longer be told from a very narrow Gaussian. Here a sum or product that is exact because an operand is 0 (or
infinite) stays exact; all else moves outward.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.enclosure import Enclosure
from simulators.enclosure import _made as _known

__all__ = [
    "Array",
    "add",
    "decay",
    "divide",
    "in_order",
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
TINY = 2.0**-1022  # covers the absolute error of results that underflow


def in_order(lo: Array, hi: Array) -> Enclosure:
    """The enclosure of ends that cannot be out of order, without looking at them again."""
    return _known(lo, hi, "", "deterministic")


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


def add(a: Enclosure, b: Enclosure) -> Enclosure:
    """The sum a + b, kept where it is exact (Knuth's two-sum); inf - inf widens to the whole line."""
    return _made("total", a, b)


def subtract(a: Enclosure, b: Enclosure) -> Enclosure:
    """The difference a - b."""
    return add(a, -b)


def multiply(a: Enclosure, b: Enclosure) -> Enclosure:
    """The product a b, with 0 inf = 0: a zero here is exact, an infinity is at worst an overflow."""
    return _made("multiply", a, b)


def times(a: Enclosure, b: Enclosure) -> Enclosure:
    """The product a b for b >= 0 (the second factor), like `multiply` but twice as fast."""
    return _made("times", a, b)


def divide(a: Enclosure, b: Enclosure) -> Enclosure:
    """The quotient a / b for b >= 0, with 0/0 = 0 and inf/inf anything between 0 and inf."""
    return _made("quotient", a, b)


def _made(name: str, a: Enclosure, b: Enclosure) -> Enclosure:
    from simulators.distances import ends_kernel

    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        lo, hi = getattr(ends_kernel, name)(a.lo, a.hi, b.lo, b.hi)
    return Enclosure(lo, hi)


def square(a: Enclosure) -> Enclosure:
    """The square of a, zero at the least."""
    low, high = np.abs(a.lo), np.abs(a.hi)
    inner = np.where((a.lo <= 0) & (a.hi >= 0), 0.0, np.minimum(low, high))
    outer = np.maximum(low, high)
    wide = times(Enclosure(inner, outer), Enclosure(inner, outer))
    return Enclosure(np.maximum(wide.lo, 0.0), wide.hi)


def intersect(a: Enclosure, b: Enclosure) -> Enclosure:
    """The common part of two enclosures of one number."""
    return Enclosure(np.maximum(a.lo, b.lo), np.minimum(a.hi, b.hi))


def decay(rate: float, time: Array) -> Enclosure:
    """e^{-rate time}, exactly 1 at time 0 and 0 at time inf; ``rate`` is a power of two: an exact product."""
    from simulators.distances.ends_kernel import decayed

    with np.errstate(under="ignore"):
        value = np.exp(-rate * time)
    return Enclosure(*decayed(value, time))


def rise(rate: float, time: Array, ulps: float = 4.0) -> Enclosure:
    """1 - e^{-rate time}, exactly 0 at time 0 and 1 at inf; ``ulps`` covers exp and a rounded ``time``."""
    from simulators.distances.ends_kernel import risen

    return Enclosure(*risen(-np.expm1(-rate * time), time, np.array(ulps)))
