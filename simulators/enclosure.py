"""Enclosures: a number, or an array of numbers, known to lie between two floats.

Every measured quantity is an `Enclosure(lo, hi, method, level)`. Arithmetic rounds outward by whole ulps, so
that the truth stays inside whatever is computed from it; infinities are values. ``level`` is the strength of
the evidence, and an operation keeps the weaker.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["LEVELS", "Enclosure", "weaker"]

LEVELS = ("proved", "enclosed", "deterministic", "statistical")
"""Levels of evidence, strongest first."""

Array = NDArray[np.float64]
LIBM_ULPS = (
    4  # exp, log and power of the C library stay within this many ulps; + - * / sqrt are correctly rounded
)


def weaker(*levels: str) -> str:
    """The weakest of several levels of evidence."""
    return max(levels, key=LEVELS.index)


def _down(value: Array, ulps: int = 1) -> Array:
    """Lower ends move down; an overflowed one comes back to the largest float, which is still below the
    truth.
    """
    for _ in range(ulps):
        value = np.nextafter(value, -np.inf)
    return value


def _up(value: Array, ulps: int = 1) -> Array:
    for _ in range(ulps):
        value = np.nextafter(value, np.inf)
    return value


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
        if not (lo <= hi).all():  # also catches NaN
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
        with np.errstate(invalid="ignore"):
            lo, hi = _down(centre - radius), _up(centre + radius)
        known = np.isinf(centre) | ((centre == 0) & (radius == 0))
        return cls(np.where(known, centre, lo), np.where(known, centre, hi), method, level)

    @property
    def mid(self) -> Array:
        """A float inside; the shared infinity where both ends are infinite."""
        with np.errstate(invalid="ignore"):
            middle = self.lo + 0.5 * (self.hi - self.lo)
        return np.where(self.lo == self.hi, self.lo, middle)

    @property
    def width(self) -> Array:
        """Width hi - lo; zero where both ends are the same infinity."""
        with np.errstate(invalid="ignore"):
            return np.where(self.lo == self.hi, 0.0, self.hi - self.lo)

    def __getitem__(self, index: Any) -> Enclosure:
        return Enclosure(self.lo[index], self.hi[index], self.method, self.level)

    def contains(self, value: Any) -> NDArray[np.bool_]:
        """Whether each value lies inside."""
        return np.asarray((self.lo <= value) & (value <= self.hi))

    def labelled(self, method: str, level: str | None = None) -> Enclosure:
        """The same interval under another method name (and level)."""
        return Enclosure(self.lo, self.hi, method, level or self.level)

    # -- arithmetic ------------------------------------------------------------------------------------------

    def _with(self, lo: Array, hi: Array, *others: Enclosure) -> Enclosure:
        return Enclosure(lo, hi, self.method, weaker(self.level, *(o.level for o in others)))

    def _corners(self, other: Enclosure, op: Callable[[Array, Array], Array]) -> Enclosure:
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            stack = np.stack([op(a, b) for a in (self.lo, self.hi) for b in (other.lo, other.hi)])
        lost = np.isnan(stack)  # 0 * inf and inf / inf: anything between the signs at hand
        low, high = np.where(lost, np.inf, stack).min(axis=0), np.where(lost, -np.inf, stack).max(axis=0)
        some = lost.any(axis=0)
        if some.any():
            negative = (self.lo < 0) | (other.lo < 0)
            low = np.where(some, np.where(negative, -np.inf, 0.0), low)
            high = np.where(some, np.inf, high)
        low, high = _down(low), _up(high)
        null = (self._is_null | (other._is_null & (op is np.multiply))) & ~some
        low = np.where((self.lo >= 0) & (other.lo >= 0), np.maximum(low, 0.0), low)
        return self._with(np.where(null, 0.0, low), np.where(null, 0.0, high), other)

    @property
    def _is_null(self) -> NDArray[np.bool_]:
        """Where it is exactly zero: then sums, products and quotients with it need no rounding."""
        return np.asarray((self.lo == 0) & (self.hi == 0))

    def __add__(self, other: Any) -> Enclosure:
        right = _lift(other)
        lo, hi = self.lo + right.lo, self.hi + right.hi
        return self._with(
            np.where((self.lo == 0) | (right.lo == 0), lo, _down(lo)),
            np.where((self.hi == 0) | (right.hi == 0), hi, _up(hi)),
            right,
        )

    __radd__ = __add__

    def __neg__(self) -> Enclosure:
        return self._with(-self.hi, -self.lo)

    def __sub__(self, other: Any) -> Enclosure:
        return self + (-_lift(other))

    def __rsub__(self, other: Any) -> Enclosure:
        return _lift(other) + (-self)

    def _positive(
        self, other: Enclosure, low: Array, high: Array, null: NDArray[np.bool_]
    ) -> Enclosure | None:
        """A product or quotient of nonnegative numbers, rounded outward; None where it has no value."""
        if np.isnan(low).any() or np.isnan(high).any():  # 0 * inf and inf / inf
            return None
        return self._with(
            np.where(null, 0.0, np.maximum(_down(low), 0.0)), np.where(null, 0.0, _up(high)), other
        )

    def __mul__(self, other: Any) -> Enclosure:
        right = _lift(other)
        if (self.lo >= 0).all() and (right.lo >= 0).all():  # the usual case, without four corners
            with np.errstate(invalid="ignore", over="ignore"):
                low, high = self.lo * right.lo, self.hi * right.hi
            product = self._positive(right, low, high, self._is_null | right._is_null)
            if product is not None:
                return product
        return self._corners(right, np.multiply)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Enclosure:
        right = _lift(other)
        if (self.lo >= 0).all() and (right.lo > 0).all():
            with np.errstate(invalid="ignore", over="ignore"):
                low, high = self.lo / right.hi, self.hi / right.lo
            ratio = self._positive(right, low, high, self._is_null)
            if ratio is not None:
                return ratio
        straddles = (right.lo <= 0) & (right.hi >= 0)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            quotient = self._corners(right, np.divide)
        lo = np.where(
            straddles,
            np.where(
                (self.lo >= 0) & (right.lo >= 0),
                np.maximum(_down(self.lo / _nonzero(right.hi)), 0.0),
                -np.inf,
            ),
            quotient.lo,
        )
        lo = np.where((right.lo == 0) & (right.hi == 0) & (self.lo > 0), np.inf, lo)  # an exact zero below
        hi = np.where(straddles, np.inf, quotient.hi)
        return self._with(lo, hi, right)

    def __rtruediv__(self, other: Any) -> Enclosure:
        return _lift(other) / self

    def power(self, exponent: int | float) -> Enclosure:
        """Elementwise power: any integer, or a real exponent on nonnegative bases."""
        if float(exponent).is_integer():
            return self._integer_power(int(exponent))
        if bool(np.any(self.hi < 0)):
            raise ValueError(f"base={float(np.min(self.hi))!r}: expected >= 0 under the exponent {exponent}")
        base = self._with(np.maximum(self.lo, 0.0), self.hi)
        with np.errstate(divide="ignore"):
            ends = np.stack([base.lo**exponent, base.hi**exponent])
        null = base._is_null & (exponent > 0)
        return self._with(
            np.maximum(_down(ends.min(axis=0), LIBM_ULPS), 0.0),
            np.where(null, 0.0, _up(ends.max(axis=0), LIBM_ULPS)),
        )

    def _integer_power(self, n: int) -> Enclosure:
        if n < 0:
            return 1 / self._integer_power(-n)
        with np.errstate(over="ignore"):
            ends = np.stack([self.lo**n, self.hi**n])
        lo, hi = _down(ends.min(axis=0), LIBM_ULPS), _up(ends.max(axis=0), LIBM_ULPS)
        if n % 2 == 0:
            lo = np.where((self.lo <= 0) & (self.hi >= 0), 0.0, np.maximum(lo, 0.0))
        lo = np.where(self.lo >= 0, np.maximum(lo, 0.0), lo)
        null = self._is_null & (n > 0)
        return self._with(np.where(null, 0.0, lo), np.where(null, 0.0, hi))

    def _monotone(
        self, function: Callable[[Array], Array], *, floor: float = -np.inf, exact_at: float = 0.0
    ) -> Enclosure:
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            lo, hi = function(self.lo), function(self.hi)
        return self._with(
            np.where(self.lo == exact_at, lo, np.maximum(_down(lo, LIBM_ULPS), floor)),
            np.where(self.hi == exact_at, hi, _up(hi, LIBM_ULPS)),
        )

    def exp(self) -> Enclosure:
        """The exponential of the enclosure."""
        return self._monotone(np.exp, floor=0.0)

    def expm1(self) -> Enclosure:
        """The exponential of the enclosure, minus one, without cancellation."""
        return self._monotone(np.expm1, floor=-1.0)

    def log(self) -> Enclosure:
        """Natural logarithm; raises where the enclosure lies below zero."""
        if bool(np.any(self.hi < 0)):
            raise ValueError(f"argument={float(np.min(self.hi))!r}: expected > 0 under the logarithm")
        return self._with(np.maximum(self.lo, 0.0), self.hi)._monotone(np.log, exact_at=1.0)

    def sqrt(self) -> Enclosure:
        """Square root; the part below zero is taken as rounding and cut at zero, all below zero raises."""
        if bool(np.any(self.hi < 0)):
            raise ValueError(f"argument={float(np.min(self.hi))!r}: expected >= 0 under the square root")
        return self._with(np.maximum(self.lo, 0.0), self.hi)._monotone(np.sqrt, floor=0.0)

    def absolute(self) -> Enclosure:
        """Elementwise absolute value."""
        lo, hi = np.abs(self.lo), np.abs(self.hi)
        return self._with(
            np.where((self.lo <= 0) & (self.hi >= 0), 0.0, np.minimum(lo, hi)), np.maximum(lo, hi)
        )

    def maximum(self, other: Any) -> Enclosure:
        """Elementwise larger of two."""
        right = _lift(other)
        return self._with(np.maximum(self.lo, right.lo), np.maximum(self.hi, right.hi), right)

    def minimum(self, other: Any) -> Enclosure:
        """Elementwise smaller of two."""
        right = _lift(other)
        return self._with(np.minimum(self.lo, right.lo), np.minimum(self.hi, right.hi), right)


def _nonzero(value: Array) -> Array:
    return np.where(value == 0, np.inf, value)


def _lift(value: Any) -> Enclosure:
    return value if isinstance(value, Enclosure) else Enclosure.exact(value)
