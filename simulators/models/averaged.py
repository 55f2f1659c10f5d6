"""Langevin Monte Carlo for N(0, v I) and the average of its laws over the steps.

With steps h = stride v the law after k steps is N((1 - stride)^k m e1, w_k v I), w_0 = v2/v, w_{k+1} =
(1 - stride)^2 w_k + 2 stride. The average over k = 1..N is a mixture of N Gaussians. First road: closed
forms, and the trapezoidal rule on the line for the mixture. Second road: geometric sums, and mpmath.
"""

from __future__ import annotations

import math

import numpy as np
from flint import arb, ctx

from simulators.enclosure import Enclosure
from simulators.models.tools import (
    REACH,
    Array,
    Number,
    Numerics,
    Values,
    circle,
    exponential,
    in_balls,
    line_integral,
    logarithm,
    root,
    square,
    trapezoid,
)

__all__ = ["AVERAGED_LANGEVIN"]

Laws = list[tuple[Number, Number]]
"""Means and variances in units of the target's deviation and variance."""


def _laws(p: Values) -> Laws:
    """The laws of steps 1 to N along the mean, one after the other."""
    mean, variance = p.m1 / root(p.v1), p.v2 / p.v1
    found = []
    for _ in range(p.N):
        mean, variance = (1 - p.stride) * mean, (1 - p.stride) ** 2 * variance + 2 * p.stride
        found.append((mean, variance))
    return found


def _laws_by_sums(p: Values) -> Laws:
    """The same by powers: w_k = w + (w_0 - w) r^{2k}, w = 1/(1 - stride/2) the stationary variance."""
    rate, rest = 1 - p.stride, 1 / (1 - p.stride / 2)
    start = p.v2 / p.v1 - rest
    return [(rate**k * p.m1 / root(p.v1), rest + start * rate ** (2 * k)) for k in range(1, p.N + 1)]


def _mean_kl(p: Values, laws: Laws) -> Number:
    """(1/N) sum of the entropies, d coordinates of which one has a mean."""
    total = sum((p.d * (w - 1 - logarithm(w)) + m * m for m, w in laws), start=0 * p.v1)
    return total / (2 * p.N)


def _averaged_kl(p: Values) -> Enclosure:
    """The entropy of the mixture along the mean, by the trapezoidal rule."""
    laws = [(float(m), float(w)) for m, w in _laws(p)]
    means, variances = (np.array(column)[:, None] for column in zip(*laws, strict=True))
    lead = -0.5 * np.log(variances) - math.log(p.N)

    def integrand(x: Array) -> Array:
        logs = lead - (x - means) ** 2 / (2 * variances)
        top = logs.max(axis=0)
        log_mixture = top + np.log(np.exp(logs - top).sum(axis=0))
        return np.asarray(np.exp(log_mixture) * (log_mixture + x * x / 2) / math.sqrt(2 * math.pi))

    reach = REACH * np.sqrt(variances)
    return line_integral(integrand, float((means - reach).min()), float((means + reach).max()))


def _averaged_by_digits(p: Values) -> Number:
    """The same in balls, with the laws of the sums; the integral of density times log density ratio."""
    laws = _laws_by_sums(p)
    lead = [(m, -1 / (2 * w), 1 / (p.N * root(w))) for m, w in laws]
    reach = [math.sqrt(5 * ctx.dps * float(w)) + 2 for _, w in laws]

    def integrand(x: Number) -> Number:
        density = sum((height * exponential(rate * square(x - m)) for m, rate, height in lead), start=arb(0))
        return density * (density.log() + x * x / 2)

    low = min(float(m) - r for (m, _), r in zip(laws, reach, strict=True))
    high = max(float(m) + r for (m, _), r in zip(laws, reach, strict=True))
    return trapezoid(integrand, low, high, arb) / root(circle(p.v1))


def _start_gap(p: Values) -> Number:
    """W2 of the start and the target."""
    square = p.m1**2 + p.d * (root(p.v2) - root(p.v1)) ** 2
    return root(square.nonnegative_part() if isinstance(square, arb) else square)


AVERAGED_LANGEVIN = Numerics(
    balls={
        "mean_kl": lambda p: _mean_kl(p, _laws(p)),
        "start_gap": _start_gap,
        "langevin_step": lambda p: p.stride * p.v1,
    },
    integrals={"averaged_kl": _averaged_kl},
    other={
        "mean_kl": lambda p: _mean_kl(p, _laws_by_sums(p)),
        "averaged_kl": in_balls(_averaged_by_digits),
        "start_gap": _start_gap,
        "langevin_step": lambda p: p.stride * p.v1,
    },
    integers=("N", "d"),
    admits=lambda p: p["v1"] > 0 and 0 < p["stride"] <= 1,
)
