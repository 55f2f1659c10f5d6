"""Mixtures on the line through the channel X = a X0 + s Z: densities, scores and posterior moments.

One class for both roads: its numbers are balls, floats (with arrays of points) or mpmath numbers. A variance
of zero is an atom.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mpmath as mp
import numpy as np
from flint import arb

from simulators.enclosure import Enclosure
from simulators.models.tools import (
    Array,
    Rows,
    circle,
    exponential,
    highest,
    logarithm,
    mean_by_floats,
    mean_by_trapezoid,
    means_by_floats,
    shares,
    square,
)

__all__ = ["Channel", "column_means", "pair"]

Number = Any


class Channel:
    """X = a X0 + s Z with X0 ~ sum_k w_k N(m_k, v_k) and Z ~ N(0, 1) independent.

    weights, means, variances : K numbers each, weights summing to one, variances >= 0; components of weight
        zero are left out.
    a, noise                  : the scale a and the noise variance s^2 > 0, or columns of them, for as many
        channels of the same data.
    """

    def __init__(
        self,
        weights: Sequence[Number],
        means: Sequence[Number],
        variances: Sequence[Number],
        a: Number,
        noise: Number,
    ) -> None:
        rows = [row for row in zip(weights, means, variances, strict=True) if not row[0] == 0]  # noqa: SIM201
        self.weights, self.means, self.variances = ([row[i] for row in rows] for i in range(3))
        self.a, self.noise = a, noise
        self.centres = [a * m for m in self.means]
        self.spreads = [a * a * v + noise for v in self.variances]
        self._seen: tuple[Number, list[Number]] = (None, [])
        self._doubled = [2 * A for A in self.spreads]
        self._heights = [
            logarithm(w) - logarithm(A) / 2 for w, A in zip(self.weights, self.spreads, strict=True)
        ]

    # -- at a point ------------------------------------------------------------------------------------------

    def exponents(self, x: Number) -> list[Number]:
        """log(w_k phi_k(x)) up to one constant."""
        rows = zip(self._heights, self.centres, self._doubled, strict=True)
        if isinstance(x, np.ndarray):
            return [_less_square(h, x - c, twice) for h, c, twice in rows]
        return [h - square(x - c) / twice for h, c, twice in rows]

    def shares(self, x: Number) -> list[Number]:
        """P(component k | X = x)."""
        if x is not self._seen[0]:  # several moments are often asked for at the same points
            self._seen = x, shares(self.exponents(x))
        return self._seen[1]

    def log_density(self, x: Number) -> Number:
        """The logarithm of q(x), for mpmath numbers and arrays of floats."""
        exponents = self.exponents(x)
        top = highest(exponents)
        raised = [exponential(e - top) for e in exponents]
        return top + logarithm(sum(raised[1:], start=raised[0])) - logarithm(circle(self.noise)) / 2

    def slopes(self, x: Number) -> list[Number]:
        """The scores of the components."""
        return [(c - x) / A for c, A in zip(self.centres, self.spreads, strict=True)]

    def score(self, x: Number) -> Number:
        """d/dx log q."""
        return _mean(self.shares(x), self.slopes(x))

    def hessian(self, x: Number) -> Number:
        """d^2/dx^2 log q."""
        r, u = self.shares(x), self.slopes(x)
        return _spread(r, u) - _mean(r, [1 / A for A in self.spreads])

    def third(self, x: Number) -> Number:
        """d^3/dx^3 log q."""
        r, u = self.shares(x), self.slopes(x)
        centred = _centred(r, u)
        cubes = [c * square(c) - 3 * c / A for c, A in zip(centred, self.spreads, strict=True)]
        return _mean(r, cubes)

    def posterior_mean(self, x: Number) -> Number:
        """E[X0 | X = x]."""
        return _mean(self.shares(x), self._component_means(x))

    def posterior_variance(self, x: Number) -> Number:
        """Var(X0 | X = x)."""
        r = self.shares(x)
        return _spread(r, self._component_means(x)) + _mean(r, self._component_variances())

    def posterior_third(self, x: Number) -> Number:
        """The third cumulant of X0 given X = x."""
        r = self.shares(x)
        centred = _centred(r, self._component_means(x))
        rows = zip(centred, self._component_variances(), strict=True)
        return _mean(r, [c * square(c) + 3 * c * V for c, V in rows])

    def _component_means(self, x: Number) -> list[Number]:
        rows = zip(self.means, self.variances, self.centres, self.spreads, strict=True)
        return [m + self.a * v * (x - c) / A for m, v, c, A in rows]

    def _component_variances(self) -> list[Number]:
        return [v * self.noise / A for v, A in zip(self.variances, self.spreads, strict=True)]

    # -- in the mean -----------------------------------------------------------------------------------------

    def mean(self, g: Callable[[Number], Number]) -> Number:
        """E g(X) by the trapezoidal rule: an enclosure for floats, a number for mpmath numbers."""
        return sum((w * self.mean_within(k, g) for k, w in enumerate(self.weights)), start=0 * self.noise)

    def mean_within(self, k: int, g: Callable[[Number], Number]) -> Number:
        """E[g(X) | component k]."""
        rule = mean_by_trapezoid if isinstance(self.noise, mp.mpf | arb) else mean_by_floats
        return rule(g, self.centres[k], self.spreads[k])

    def fisher(self) -> Number:
        """E|score|^2."""
        return self.mean(lambda x: square(self.score(x)))

    def mmse(self) -> Number:
        """E Var(X0 | X)."""
        return self.mean(self.posterior_variance)

    def mmse_by_moments(self) -> Number:
        """E X0^2 - E E[X0 | X]^2 for mpmath numbers and balls; it cancels where the posterior is narrow."""
        rows = zip(self.weights, self.means, self.variances, strict=True)
        whole = sum((w * (m * m + v) for w, m, v in rows), start=0 * self.noise)
        return whole - self.mean(lambda x: square(self.posterior_mean(x)))

    # -- the second road at a point --------------------------------------------------------------------------

    def raw_moment(self, n: int, x: Number) -> Number:
        """E[X0^n | X = x] by Bayes' rule and a quadrature over the data, for mpmath numbers and
        balls.
        """
        return self._bayes(x, n) / self._bayes(x, 0)

    def _bayes(self, x: Number, n: int) -> Number:
        def likelihood(y: Number) -> Number:
            return y**n * exponential(-square(x - self.a * y) / (2 * self.noise))

        total = 0 * self.noise
        for w, m, v in zip(self.weights, self.means, self.variances, strict=True):
            total += w * (likelihood(m) if v == 0 else mean_by_trapezoid(likelihood, m, v))
        return total


def column_means(
    law: Callable[[Rows], Channel], g: Callable[[Channel, Array], Array], count: int
) -> Enclosure:
    """E g(law, X) for several channels at once, shape (count,), by the trapezoidal rule in float64.

    law : the channels of some rows as one, of the same data, with columns for scale and noise.
    """
    weights = law(np.arange(count)).weights

    def within(k: int) -> Enclosure:
        def normal(rows: Rows) -> tuple[Array, Array]:
            own = law(rows)
            return own.centres[k], own.spreads[k]

        return means_by_floats(lambda x, rows: g(law(rows), x), normal, count)

    return sum((w * within(k) for k, w in enumerate(weights)), start=Enclosure.exact(np.zeros(count)))


def _less_square(height: Number, gap: Array, twice: Number) -> Array:
    """The height less gap^2/twice, in the place of the gap: new arrays cost more than their numbers."""
    gap *= gap
    gap /= twice
    return np.subtract(height, gap, out=gap)


def _mean(weights: Sequence[Number], values: Sequence[Number]) -> Number:
    terms = [w * v for w, v in zip(weights, values, strict=True)]
    total = terms[0]
    for term in terms[1:]:
        total += term
    return total


def _spread(weights: Sequence[Number], values: Sequence[Number]) -> Number:
    """The variance of the values, as the sum over pairs, which does not cancel."""
    pairs = [
        weights[i] * weights[j] * square(values[i] - values[j])
        for i in range(len(values))
        for j in range(i + 1, len(values))
    ]
    return sum(pairs, start=0 * values[0])


def _centred(weights: Sequence[Number], values: Sequence[Number]) -> list[Number]:
    """The values less their mean, as sums of differences."""
    return [_mean(weights, [v - u for u in values]) for v in values]


def pair(p: Any, a: Number | None = None, noise: Number | None = None) -> Channel:
    """The channel of the parameters w, m1, m2, v1, v2 (atoms if there are none), a_t, s_t."""
    scale = p.a_t if a is None else a
    squared = p.s_t * p.s_t if noise is None else noise
    zero = 0 * p.w
    variances = [getattr(p, "v1", zero), getattr(p, "v2", zero)]
    return Channel([p.w, 1 - p.w], [p.m1, p.m2], variances, scale, squared)
