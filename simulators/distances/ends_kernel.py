"""Sums, products and quotients of intervals for `simulators.distances.ends`, elementwise over arrays that
broadcast.
"""

from __future__ import annotations

import math
import sys

from simulators.compiled import Array, compiled, elementwise
from simulators.enclosure_kernel import at

__all__ = ["decayed", "multiply", "quotient", "risen", "times", "total"]

INF = math.inf
LARGEST = sys.float_info.max
UNIT = 2.0**-53
TINY = 2.0**-1022  # covers the absolute error of results that underflow


@compiled(inline=True)
def _end(value: float, exact: bool, finite: bool, side: float) -> float:
    """A correctly rounded result moved down (side -1) or up (side 1) past the number it rounds; one that
    overflowed inwards, although its operands are finite, comes back to the last float.
    """
    moved = value if exact or math.isinf(value) else value + side * (abs(value) * (2.0 * UNIT) + TINY)
    return -side * LARGEST if finite and moved == -side * INF else moved


@compiled(inline=True)
def _sum(x: float, y: float, side: float) -> float:
    rounded = x + y
    back = rounded - x
    exact = (x - (rounded - back)) + (y - back) == 0.0  # Knuth's two-sum
    moved = _end(rounded, exact, math.isfinite(x) and math.isfinite(y), side)
    return side * INF if moved != moved else moved


@compiled(inline=True)
def _product(x: float, y: float, side: float) -> float:
    """The product, with 0 oo = 0."""
    if x == 0.0 or y == 0.0:
        return 0.0
    return _end(x * y, x == 1.0 or y == 1.0, math.isfinite(x) and math.isfinite(y), side)


@compiled(inline=True)
def _quotient(x: float, y: float, side: float) -> float:
    """The quotient for y >= 0, with 0 / 0 = 0 and oo / oo anything between 0 and oo."""
    if x == 0.0:
        return 0.0
    if y == 0.0:
        return math.copysign(INF, x)
    value = x / y
    if value != value:
        value = INF if x > 0.0 and side > 0.0 else -INF if x < 0.0 and side < 0.0 else 0.0
    return _end(value, math.isinf(y) or y == 1.0, math.isfinite(x), side)


@elementwise(inputs=2)
def decayed(value: Array, time: Array, lo: Array, hi: Array) -> None:
    """A decay known within 4 ulps, exactly at the times 0 and oo; elsewhere a zero is an underflow."""
    for i in range(lo.size):
        x, t = at(value, i), at(time, i)
        known = t == 0.0 or math.isinf(t)
        step = 8.0 * UNIT * x
        lo[i] = x if known or x == 0.0 else max(x - step - 4.0 * TINY, 0.0)
        hi[i] = x if known else TINY if x == 0.0 else x + step + 4.0 * TINY


@elementwise(inputs=3)
def risen(value: Array, time: Array, ulps: Array, lo: Array, hi: Array) -> None:
    """What has decayed by a time, known within some ulps, exactly at the times 0 and oo."""
    for i in range(lo.size):
        x, t, n = at(value, i), at(time, i), at(ulps, i)
        known = t == 0.0 or math.isinf(t) or x == 0.0
        step = 2.0 * n * UNIT * x
        lo[i] = x if known else max(x - step - TINY * n, 0.0)
        hi[i] = x if known else min(x + step + TINY * n, 1.0)


@elementwise(inputs=4)
def total(a: Array, b: Array, c: Array, d: Array, lo: Array, hi: Array) -> None:
    """[a, b] + [c, d]."""
    for i in range(lo.size):
        lo[i] = _sum(at(a, i), at(c, i), -1.0)
        hi[i] = _sum(at(b, i), at(d, i), 1.0)


@elementwise(inputs=4)
def multiply(a: Array, b: Array, c: Array, d: Array, lo: Array, hi: Array) -> None:
    """[a, b] [c, d]."""
    for i in range(lo.size):
        x, y, u, v = at(a, i), at(b, i), at(c, i), at(d, i)
        lo[i] = min(
            min(_product(x, u, -1.0), _product(x, v, -1.0)), min(_product(y, u, -1.0), _product(y, v, -1.0))
        )
        hi[i] = max(
            max(_product(x, u, 1.0), _product(x, v, 1.0)), max(_product(y, u, 1.0), _product(y, v, 1.0))
        )


@elementwise(inputs=4)
def times(a: Array, b: Array, c: Array, d: Array, lo: Array, hi: Array) -> None:
    """[a, b] [c, d] for c >= 0."""
    for i in range(lo.size):
        x, y, u, v = at(a, i), at(b, i), at(c, i), at(d, i)
        lo[i] = _product(x, u if x >= 0.0 else v, -1.0)
        hi[i] = _product(y, v if y >= 0.0 else u, 1.0)


@elementwise(inputs=4)
def quotient(a: Array, b: Array, c: Array, d: Array, lo: Array, hi: Array) -> None:
    """[a, b] / [c, d] for c >= 0."""
    for i in range(lo.size):
        x, y, u, v = at(a, i), at(b, i), at(c, i), at(d, i)
        lo[i] = _quotient(x, v if x >= 0.0 else u, -1.0)
        hi[i] = _quotient(y, u if y >= 0.0 else v, 1.0)
