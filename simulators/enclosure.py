"""Enclosures: a number, or an array of numbers, known to lie between two floats.

Every measured quantity is an `Enclosure(lo, hi, method, level)`. Arithmetic rounds outward by whole ulps, so
that the truth stays inside whatever is computed from it; infinities are values. ``level`` is the strength of
the evidence, and an operation keeps the weaker.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import inf, isinf, nextafter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["LEVELS", "Enclosure", "weaker"]

LEVELS = ("proved", "enclosed", "deterministic", "statistical")
"""Levels of evidence, strongest first."""

Array = NDArray[np.float64]
LIBM_ULPS = 4
"""exp, log and power of the C library stay within this many ulps; + - * / sqrt are correctly rounded."""

RANK = {level: rank for rank, level in enumerate(LEVELS)}


@cache
def _kernel() -> Any:
    """`simulators.enclosure_kernel`, which is compiled: imported by the first operation that needs it."""
    from simulators import enclosure_kernel

    return enclosure_kernel


def weaker(*levels: str) -> str:
    """The weakest of several levels of evidence."""
    return max(levels, key=RANK.__getitem__)


def _down(value: Array, ulps: int = 1) -> Array:
    """Lower ends move down; an overflowed one comes back to the largest float, which is still below the
    truth.
    """
    if ulps > 1 and _ordinary(value):
        return _shifted(value, -ulps)
    for _ in range(ulps):
        value = np.nextafter(value, -np.inf)
    return value


def _up(value: Array, ulps: int = 1) -> Array:
    if ulps > 1 and _ordinary(value):
        return _shifted(value, ulps)
    for _ in range(ulps):
        value = np.nextafter(value, np.inf)
    return value


def _ordinary(value: Array) -> bool:
    """Whether it is a long array of positive numbers away from zero and infinity."""
    return value.size > 64 and bool(value.min() > 1e-300 and value.max() < 1e300)


def _shifted(value: Array, ulps: int) -> Array:
    """Positive numbers moved by whole ulps at once: their bits count in their order."""
    return np.asarray((value.view(np.int64) + ulps).view(np.float64))


def _steps(value: float, towards: float) -> float:
    """One number moved by the ulps of the C library."""
    for _ in range(LIBM_ULPS):
        value = nextafter(value, towards)
    return value


def _in_order(lo: Array, hi: Array) -> bool:
    """Whether lo <= hi everywhere, which NaN is not."""
    if lo.ndim == 0:
        return lo.item() <= hi.item()
    return int(np.count_nonzero(lo <= hi)) == lo.size


@dataclass(frozen=True, slots=True, eq=False)
class Enclosure:
    """The closed interval [lo, hi], elementwise for arrays.

    lo, hi : floats or float64 arrays of one shape, lo <= hi, infinities allowed, NaN refused.
    method : how it was computed, in a few words.
    level  : one of `LEVELS`.
    """

    lo: Array
    hi: Array
    method: str = ""
    level: str = "deterministic"

    __array_ufunc__ = None  # so that array * enclosure is an enclosure, not an array of them

    def __post_init__(self) -> None:
        lo, hi = np.asarray(self.lo, dtype=np.float64), np.asarray(self.hi, dtype=np.float64)
        if lo.shape != hi.shape:
            lo, hi = np.broadcast_arrays(lo, hi)
        if self.level not in LEVELS:
            raise ValueError(f"level={self.level!r}: expected one of {', '.join(LEVELS)}")
        if not _in_order(lo, hi):
            bad = np.flatnonzero(~(lo <= hi).ravel())[0]
            raise ValueError(
                f"[lo, hi]=[{lo.ravel()[bad]!r}, {hi.ravel()[bad]!r}]: expected lo <= hi and no NaN"
            )
        object.__setattr__(self, "lo", lo)
        object.__setattr__(self, "hi", hi)

    @classmethod
    def between(
        cls, lo: ArrayLike, hi: ArrayLike, method: str = "", level: str = "deterministic"
    ) -> Enclosure:
        """The enclosure of these ends, given as floats or anything that makes an array."""
        return cls(np.asarray(lo, dtype=np.float64), np.asarray(hi, dtype=np.float64), method, level)

    @classmethod
    def exact(cls, value: Any, method: str = "exact") -> Enclosure:
        """The degenerate enclosure of floats that are exactly known."""
        return cls(value, value, method, "enclosed")

    @classmethod
    def around(cls, mid: Any, error: Any, method: str = "", level: str = "deterministic") -> Enclosure:
        """[mid - error, mid + error], rounded outward; an infinite ``mid`` and an exact zero stay
        themselves.
        """
        centre, radius = np.asarray(mid, dtype=np.float64), np.asarray(error, dtype=np.float64)
        if centre.ndim == radius.ndim == 0:
            middle, reach = centre.item(), radius.item()
            if isinf(middle) or middle == reach == 0.0:
                return cls(centre, centre, method, level)
            low, high = nextafter(middle - reach, -inf), nextafter(middle + reach, inf)
            return cls(np.array(low), np.array(high), method, level)
        with np.errstate(invalid="ignore"):
            lo, hi = _down(centre - radius), _up(centre + radius)
        known = np.isinf(centre) | ((centre == 0) & (radius == 0))
        return cls(np.where(known, centre, lo), np.where(known, centre, hi), method, level)

    @property
    def mid(self) -> Array:
        """A float inside; the shared infinity where both ends are infinite."""
        if self.lo.ndim == 0:
            low, high = self._floats()
            return np.array(low if low == high else low + 0.5 * (high - low))
        with np.errstate(invalid="ignore"):
            middle = self.lo + 0.5 * (self.hi - self.lo)
        return np.where(self.lo == self.hi, self.lo, middle)

    @property
    def width(self) -> Array:
        """Width hi - lo; zero where both ends are the same infinity."""
        if self.lo.ndim == 0:
            low, high = self._floats()
            return np.array(0.0 if low == high else high - low)
        with np.errstate(invalid="ignore"):
            return np.where(self.lo == self.hi, 0.0, self.hi - self.lo)

    def __getitem__(self, index: Any) -> Enclosure:
        return _made(np.asarray(self.lo[index]), np.asarray(self.hi[index]), self.method, self.level)

    def contains(self, value: Any) -> NDArray[np.bool_]:
        """Whether each value lies inside."""
        return np.asarray((self.lo <= value) & (value <= self.hi))

    def labelled(self, method: str, level: str | None = None) -> Enclosure:
        """The same interval under another method name (and level)."""
        return Enclosure(self.lo, self.hi, method, level or self.level)

    # -- arithmetic ------------------------------------------------------------------------------------------

    def _with(self, lo: Array, hi: Array, *others: Enclosure) -> Enclosure:
        return Enclosure(lo, hi, self.method, weaker(self.level, *(o.level for o in others)))

    def _ordered(self, lo: Array, hi: Array, other: Enclosure) -> Enclosure:
        """Of ends that are known to be arrays in order."""
        level = self.level if self.level == other.level else weaker(self.level, other.level)
        return _made(lo, hi, self.method, level)

    def _number(self, lo: float, hi: float, other: Enclosure) -> Enclosure:
        """Of two floats: one number does without arrays."""
        ordered = lo <= hi  # or NaN, which the constructor refuses
        return (self._ordered if ordered else self._with)(np.array(lo), np.array(hi), other)

    def _floats(self) -> tuple[float, float]:
        return self.lo.item(), self.hi.item()

    def _elementwise(self, name: str, other: Enclosure, *numbers: Any) -> Enclosure:
        """By one of the functions of `simulators.enclosure_kernel`, whose ends are in order."""
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            lo, hi = getattr(_kernel(), name)(self.lo, self.hi, *numbers)
        return self._ordered(lo, hi, other)

    @property
    def _is_null(self) -> NDArray[np.bool_]:
        """Where it is exactly zero: then sums, products and quotients with it need no rounding."""
        return np.asarray((self.lo == 0) & (self.hi == 0))

    def __add__(self, other: Any) -> Enclosure:
        right = _lift(other)
        if self.lo.ndim == right.lo.ndim == 0:
            (a, b), (c, d) = self._floats(), right._floats()
            low, high = a + c, b + d
            return self._number(
                nextafter(low, -inf) if a and c else low, nextafter(high, inf) if b and d else high, right
            )
        lo, hi = self.lo + right.lo, self.hi + right.hi
        if not _in_order(lo, hi):  # inf - inf
            return self._with(lo, hi, right)
        np.nextafter(lo, -inf, out=lo, where=np.logical_and(self.lo, right.lo))  # a sum with zero is exact
        np.nextafter(hi, inf, out=hi, where=np.logical_and(self.hi, right.hi))
        return self._ordered(lo, hi, right)

    __radd__ = __add__

    def __neg__(self) -> Enclosure:
        return _made(np.asarray(-self.hi), np.asarray(-self.lo), self.method, self.level)

    def __sub__(self, other: Any) -> Enclosure:
        return self + (-_lift(other))

    def __rsub__(self, other: Any) -> Enclosure:
        return _lift(other) + (-self)

    def __mul__(self, other: Any) -> Enclosure:
        right = _lift(other)
        if self.lo.ndim == right.lo.ndim == 0:
            (a, b), (c, d) = self._floats(), right._floats()
            if a >= 0 and c >= 0 and b * d < inf:
                up = nextafter(b * d, inf) if b and d else 0.0
                return self._number(max(nextafter(a * c, -inf), 0.0), up, right)
            if -inf < a and b < inf and -inf < c and d < inf:
                corners = (a * c, a * d, b * c, b * d)
                null = a == b == 0 or c == d == 0
                down = 0.0 if null else nextafter(min(corners), -inf)
                down = max(down, 0.0) if a >= 0 and c >= 0 else down
                return self._number(down, 0.0 if null else nextafter(max(corners), inf), right)
        return self._elementwise("product", right, right.lo, right.hi)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Enclosure:
        right = _lift(other)
        if self.lo.ndim == right.lo.ndim == 0:
            (a, b), (c, d) = self._floats(), right._floats()
            if a >= 0 and c > 0 and b / c < inf:
                up = nextafter(b / c, inf) if b else 0.0
                return self._number(max(nextafter(a / d, -inf), 0.0), up, right)
        return self._elementwise("quotient", right, right.lo, right.hi)

    def __rtruediv__(self, other: Any) -> Enclosure:
        return _lift(other) / self

    def power(self, exponent: int | float) -> Enclosure:
        """Elementwise power: any integer, or a real exponent on nonnegative bases."""
        if float(exponent).is_integer():
            return self._integer_power(int(exponent))
        if bool(np.any(self.hi < 0)):
            raise ValueError(f"base={float(np.min(self.hi))!r}: expected >= 0 under the exponent {exponent}")
        small, large = np.maximum(self.lo, 0.0), self.hi
        if exponent < 0:
            small, large = large, small
        with np.errstate(divide="ignore"):
            lo, hi = small**exponent, large**exponent
        null = (self.hi == 0) & (exponent > 0)
        return self._with(np.maximum(_down(lo, LIBM_ULPS), 0.0), np.where(null, 0.0, _up(hi, LIBM_ULPS)))

    def _integer_power(self, n: int) -> Enclosure:
        if n == 1:
            return self
        if n < 0:
            return 1 / self._integer_power(-n)
        if n == 2 and self.lo.ndim == 0:
            low, high = sorted(abs(end) for end in self._floats())
            small = 0.0 if self.lo <= 0 <= self.hi else max(_steps(low * low, -inf), 0.0)
            return self._number(small, _steps(high * high, inf) if high else 0.0, self)
        with np.errstate(over="ignore"):
            first, second = self.lo**n, self.hi**n
        if self.lo.ndim == 0 and self.lo > 0 and n > 0:
            low, high = _steps(float(first), -inf), _steps(float(second), inf)
            return self._number(max(low, 0.0), high, self)
        return self._elementwise("power", self, first, second, np.array(float(n)))

    def _monotone(
        self, function: Callable[[Array], Array], *, floor: float = -np.inf, exact_at: float = 0.0
    ) -> Enclosure:
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            lo, hi = function(self.lo), function(self.hi)
        if self.lo.ndim == 0:
            low, high = float(lo), float(hi)
            low = low if self.lo == exact_at else max(_steps(low, -inf), floor)
            return self._number(low, high if self.hi == exact_at else _steps(high, inf), self)
        return self._elementwise("outward", self, lo, hi, np.array(exact_at), np.array(floor))

    def exp(self) -> Enclosure:
        """The exponential of the enclosure."""
        return self._monotone(np.exp, floor=0.0)

    def expm1(self) -> Enclosure:
        """The exponential of the enclosure, minus one, without cancellation."""
        return self._monotone(np.expm1, floor=-1.0)

    def log(self) -> Enclosure:
        """Natural logarithm; raises where the enclosure lies below zero."""
        return self._positive_part("logarithm", ">")._monotone(np.log, exact_at=1.0)

    def sqrt(self) -> Enclosure:
        """Square root; the part below zero is taken as rounding and cut at zero, all below zero raises."""
        return self._positive_part("square root", ">=")._monotone(np.sqrt, floor=0.0)

    def _positive_part(self, function: str, sign: str) -> Enclosure:
        """Itself cut at zero; the whole of it below zero has no value under the function."""
        if self.lo.ndim == 0 and self.lo >= 0:
            return self
        if (self.hi < 0).any():
            raise ValueError(f"argument={float(np.min(self.hi))!r}: expected {sign} 0 under the {function}")
        return self._with(np.maximum(self.lo, 0.0), self.hi)

    def absolute(self) -> Enclosure:
        """Elementwise absolute value."""
        if self.lo.ndim == 0 and self.lo >= 0:
            return self
        lo, hi = np.abs(self.lo), np.abs(self.hi)
        return self._with(
            np.where((self.lo <= 0) & (self.hi >= 0), 0.0, np.minimum(lo, hi)), np.maximum(lo, hi)
        )

    def maximum(self, other: Any) -> Enclosure:
        """Elementwise larger of two."""
        right = _lift(other)
        return self._ordered(
            np.asarray(np.maximum(self.lo, right.lo)), np.asarray(np.maximum(self.hi, right.hi)), right
        )

    def minimum(self, other: Any) -> Enclosure:
        """Elementwise smaller of two."""
        right = _lift(other)
        return self._ordered(
            np.asarray(np.minimum(self.lo, right.lo)), np.asarray(np.minimum(self.hi, right.hi)), right
        )


def _made(lo: Array, hi: Array, method: str, level: str) -> Enclosure:
    """The enclosure of arrays that are known to be in order, without looking at them again."""
    made = object.__new__(Enclosure)
    put = object.__setattr__
    put(made, "lo", lo)
    put(made, "hi", hi)
    put(made, "method", method)
    put(made, "level", level)
    return made


def _lift(value: Any) -> Enclosure:
    if isinstance(value, Enclosure):
        return value
    if type(value) in (float, int) and value == value:
        number = np.array(value, dtype=np.float64)
        return _made(number, number, "exact", "enclosed")
    return Enclosure.exact(value)
