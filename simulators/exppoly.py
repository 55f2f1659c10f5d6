"""Exponential polynomials sum c_ij h^i e^{jh} with exact rational coefficients.

Every sampler coefficient is one: e^h - 1, (e^h - 1)^2, the integral of (1 - e^{-u})^2 over a step, ...
Arithmetic is exact, so leading orders that cancel do so before anything is rounded, and evaluation keeps
relative accuracy at h = 1e-5 as well as at h = 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import factorial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from flint import arb

__all__ = ["E", "ExpPoly", "H"]

Array = NDArray[np.float64]
Scalar = int | Fraction

UNIT = 2.0**-53  # unit roundoff
RADIUS = Fraction(1)  # Taylor below; above, the sum as it stands or ball arithmetic
TOLERANCE = 16.0  # relative error accepted from Taylor, in units of roundoff; beyond it come balls
DIRECT = 64.0  # the same for the sum as it stands, above RADIUS


@dataclass(frozen=True)
class ExpPoly:
    """sum over (i, j) of terms[i, j] h^i e^{jh}; i >= 0, integer j, nonzero Fractions.

    >>> (E(1) - 1 - H).leading
    (2, Fraction(1, 2))
    >>> float((E(1) - 1 - H)(1e-9))
    5.000000001666667e-19
    """

    terms: Mapping[tuple[int, int], Fraction]

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", {key: Fraction(c) for key, c in sorted(self.terms.items()) if c})

    def __hash__(self) -> int:
        return hash(tuple(self.terms.items()))

    # -- exact arithmetic

    def __add__(self, other: ExpPoly | Scalar) -> ExpPoly:
        total = dict(self.terms)
        for key, c in _lift(other).terms.items():
            total[key] = total.get(key, Fraction(0)) + c
        return ExpPoly(total)

    __radd__ = __add__

    def __neg__(self) -> ExpPoly:
        return ExpPoly({key: -c for key, c in self.terms.items()})

    def __sub__(self, other: ExpPoly | Scalar) -> ExpPoly:
        return self + (-_lift(other))

    def __rsub__(self, other: ExpPoly | Scalar) -> ExpPoly:
        return _lift(other) - self

    def __mul__(self, other: ExpPoly | Scalar) -> ExpPoly:
        product: dict[tuple[int, int], Fraction] = {}
        for (i, j), c in self.terms.items():
            for (k, m), d in _lift(other).terms.items():
                product[i + k, j + m] = product.get((i + k, j + m), Fraction(0)) + c * d
        return ExpPoly(product)

    __rmul__ = __mul__

    def __truediv__(self, divisor: Scalar) -> ExpPoly:
        return self * (Fraction(1) / Fraction(divisor))

    def __pow__(self, exponent: int) -> ExpPoly:
        power = ExpPoly({(0, 0): Fraction(1)})
        for _ in range(exponent):
            power = power * self
        return power

    @cached_property
    def derivative(self) -> ExpPoly:
        """The derivative d/dh."""
        total = ExpPoly({})
        for (i, j), c in self.terms.items():
            total = total + ExpPoly({(i, j): c * j}) + (ExpPoly({(i - 1, j): c * i}) if i else 0)
        return total

    def integral(self) -> ExpPoly:
        """The integral from 0 to h."""
        total = ExpPoly({})
        for (i, j), c in self.terms.items():
            total = total + c * _monomial_integral(i, j)
        return total

    # -- series

    def taylor(self, n: int) -> list[Fraction]:
        """Exact coefficients of h^0 ... h^{n-1}."""
        return [
            sum(
                (c * Fraction(j) ** (m - i) / factorial(m - i) for (i, j), c in self.terms.items() if m >= i),
                Fraction(0),
            )
            for m in range(n)
        ]

    @cached_property
    def leading(self) -> tuple[int, Fraction]:
        """(order, coefficient) of the first term of the Taylor series that is not zero; (0, 0) for the zero
        function.
        """
        if not self.terms:
            return 0, Fraction(0)
        n = 8
        while True:
            for order, c in enumerate(self.taylor(n)):
                if c:
                    return order, c
            n *= 2

    @cached_property
    def _series(self) -> Array:
        """Float coefficients after the leading power, enough of them for |h| <= RADIUS at 2^-60 of the
        leading term.
        """
        order, first = self.leading
        n = order + 4
        while self._tail(n) > abs(first) * RADIUS**order / 2**60:
            n += 2
        return np.array([float(c) for c in self.taylor(n)[order:]])

    def _tail(self, n: int) -> Fraction:
        """Bound on the Taylor remainder after n terms at |h| <= RADIUS: each e^{jh} tail is below twice its
        first term or is unfinished.
        """
        total = Fraction(0)
        for (i, j), c in self.terms.items():
            m = max(n - i, 0)
            if 2 * abs(j) * RADIUS > m + 1:
                return Fraction(2**200)
            total += 2 * abs(c) * RADIUS**i * (abs(j) * RADIUS) ** m / factorial(m)
        return total

    # -- evaluation

    def __call__(self, h: ArrayLike) -> Array:
        """Values in float64, a few ulps of relative error at every h."""
        return self.bounded(h)[0]

    def bounded(self, h: ArrayLike, h_ulps: float = 0.0) -> tuple[Array, Array]:
        """Values and bounds on their relative errors when h is known to a relative ``h_ulps * 2^-53``."""
        points = np.asarray(h, dtype=np.float64)
        if not self.terms:
            return np.zeros(points.shape), np.zeros(points.shape)
        value, error = self._evaluate(points)
        if h_ulps:
            slope = np.abs(self.derivative._evaluate(points)[0] * points)
            with np.errstate(divide="ignore", invalid="ignore"):
                error = error + np.where(slope > 0, 1.01 * h_ulps * UNIT * slope / np.abs(value), 0.0)
        return value, error

    def _evaluate(self, h: Array) -> tuple[Array, Array]:
        order, _ = self.leading
        small = np.abs(h) <= float(RADIUS)
        near = np.where(small, h, 0.0)
        value, slack = _horner(self._series, near)
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.where(value != 0, slack / np.abs(value), np.inf) + 2 * order
        value = value * near**order
        large = ~small
        if bool(np.any(large)):
            value[large], error[large] = self._direct(h[large])
        redo = (error > np.where(small, TOLERANCE + 2 * order, DIRECT)) & (h != 0)
        if bool(np.any(redo)):
            points, inverse = np.unique(h[redo], return_inverse=True)
            value[redo] = np.array([self._rounded(float(x)) for x in points])[inverse]
            error = np.where(redo, 2.0, error)
        return value, np.where(h == 0, 2.0, error) * UNIT

    def _direct(self, h: Array) -> tuple[Array, Array]:
        """The sum as it stands, and its relative error in units of roundoff (large where terms cancel)."""
        value, size = np.zeros(h.shape), np.zeros(h.shape)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            growth = {j: np.exp(j * h) for j in {j for _, j in self.terms} if j}
            for (i, j), c in self.terms.items():
                term = float(c) * h**i if i else np.full(h.shape, float(c))
                term = term * growth[j] if j else term
                value, size = value + term, size + np.abs(term)
            count = len(self.terms)
            error = (
                (
                    14.0
                    + 2.0 * max(i for i, _ in self.terms)
                    + np.abs(h) * max(abs(j) for _, j in self.terms)
                    + count
                )
                * size
                / np.abs(value)
            )
        return value, np.where(np.isfinite(error), error, np.inf)

    def _rounded(self, h: float) -> float:
        """The value in ball arithmetic at a precision that leaves no doubt about the double."""
        from flint import arb, ctx

        bits = 128
        while bits <= 8192:
            with ctx.workprec(bits):
                ball = self.arb(arb(h))
                if ball.rel_accuracy_bits() >= 60:
                    return float(ball)
                if ball.is_zero():
                    return 0.0
            bits *= 2
        return 0.0

    def arb(self, h: arb) -> arb:
        """The value in ball arithmetic at the precision in force."""
        from flint import arb as ball

        total = ball(0)
        growth = {j: (j * h).exp() for j in {j for _, j in self.terms}}
        powers = [ball(1)]
        for _ in range(max((i for i, _ in self.terms), default=0)):
            powers.append(powers[-1] * h)  # not h**i, which is undefined on balls that contain zero
        for (i, j), c in self.terms.items():
            total += growth[j] * powers[i] * c.numerator / c.denominator
        return total

    def mp(self, h: Any) -> Any:
        """The value in mpmath at the precision in force."""
        import mpmath

        return mpmath.fsum(
            mpmath.mpf(c.numerator) / c.denominator * h**i * mpmath.exp(j * h)
            for (i, j), c in self.terms.items()
        )


def _horner(series: Array, h: Array) -> tuple[Array, Array]:
    """The polynomial with these coefficients, and a bound on its rounding in units of roundoff."""
    from simulators.exppoly_kernel import horner_kernel

    value, slack = np.empty(h.shape), np.empty(h.shape)
    horner_kernel(series, np.ascontiguousarray(h).ravel(), value.reshape(-1), slack.reshape(-1))
    return value, slack


def _lift(value: ExpPoly | Scalar) -> ExpPoly:
    return value if isinstance(value, ExpPoly) else ExpPoly({(0, 0): Fraction(value)})


def _monomial_integral(i: int, j: int) -> ExpPoly:
    """Integral of s^i e^{js} over [0, h], by parts."""
    if j == 0:
        return ExpPoly({(i + 1, 0): Fraction(1, i + 1)})
    if i == 0:
        return ExpPoly({(0, j): Fraction(1, j), (0, 0): Fraction(-1, j)})
    return ExpPoly({(i, j): Fraction(1, j)}) - Fraction(i, j) * _monomial_integral(i - 1, j)


H = ExpPoly({(1, 0): Fraction(1)})
"""The step h."""


def E(j: int) -> ExpPoly:
    """e^{jh}."""
    return ExpPoly({(0, j): Fraction(1)})
