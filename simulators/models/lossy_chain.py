"""Numerics of a reverse chain whose score is shifted, and lost beyond a cut.

The true chain of gamma is x' = a x + r z, a = e^{-lag}, r^2 = 1 - a^2, started from gamma; the run adds the
offset to each step, and does not return from |x| > cut. First road: the density of the end point by
Gauss-Legendre nodes, and the integral of what it lacks. Second road: tanh-sinh nodes, and the masses of the
intervals between the crossings of both densities, by their distribution functions.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import mpmath as mp
import numpy as np
from flint import arb

from simulators.enclosure import Enclosure
from simulators.models.quantiles import TRUNCATED_CHAIN
from simulators.models.tools import (
    Array,
    Number,
    Numerics,
    Values,
    exponential,
    gauss_legendre,
    integral_by_panels,
    root,
)

__all__ = ["MODELS"]

FAR = 14.0
"""What lies beyond, and beyond the farthest mean that the run can have, has mass below 1e-43."""


def _spread(p: Values) -> tuple[float, float]:
    """The factor and the deviation of one step."""
    return float(np.exp(-p.lag)), float(np.sqrt(-np.expm1(-2 * p.lag)))


def _normal(x: Array) -> Array:
    return np.asarray(np.exp(-x * x / 2) / np.sqrt(2 * np.pi))


def _end_weights(p: Values, x: Array, weights: Array) -> Array:
    """Mass at each node before the last step, if the score has not been lost until then."""
    a, r = _spread(p)
    kernel = _normal((x[:, None] - a * x - p.offset) / r) / r
    alive = _normal(x)
    for _ in range(p.steps - 1):
        alive = kernel @ (weights * alive)
    return np.asarray(weights * alive)


def _crossings(p: Values, x: Array, masses: Array) -> list[float]:
    """Where the density of gamma and that of the run's end point cross."""
    a, r = _spread(p)

    def gap(y: Array) -> Array:
        return np.asarray(_normal(y) - _normal((y[:, None] - a * x - p.offset) / r) @ masses / r)

    grid = np.linspace(-FAR, FAR, 2801)
    values = gap(grid)
    found = []
    for k in np.flatnonzero(values[1:] * values[:-1] < 0):
        low, high = grid[k], grid[k + 1]
        for _ in range(60):
            middle = 0.5 * (low + high)
            same = float(gap(np.array([middle]))[0]) * float(values[k]) > 0
            low, high = (middle, high) if same else (low, middle)
        found.append(float(low))
    return found


def _lossy_once(p: Values, order: int) -> Enclosure:
    a, r = _spread(p)
    nodes, weights = gauss_legendre(order)
    x = p.cut * nodes
    masses = _end_weights(p, x, p.cut * weights)

    def lacking(y: Array) -> Array:
        density = _normal((y[..., None] - a * x - p.offset) / r) @ masses / r
        return np.asarray(np.maximum(_normal(y) - density, 0.0))

    return integral_by_panels(lacking, [-FAR, *_crossings(p, x, masses), FAR], 0.5)


def _lossy(p: Values) -> Enclosure:
    """The integral of the positive part of the difference: lost mass is nowhere."""
    fine, coarse = _lossy_once(p, 120), _lossy_once(p, 90)
    return fine + Enclosure.around(0.0, 10 * abs(float(fine.mid - coarse.mid)) + 1e-15)


def _lossy_by_masses(p: Values) -> Number:
    from scipy.special import ndtr

    q = Values(**{name: float(value) for name, value in vars(p).items() if name != "steps"}, steps=p.steps)
    a, r = _spread(q)
    t = np.arange(-70, 71) * 0.05
    inner = 0.5 * np.pi * np.sinh(t)
    x = q.cut * np.tanh(inner)
    weights = q.cut * 0.05 * 0.5 * np.pi * np.cosh(t) / np.cosh(inner) ** 2
    masses = _end_weights(q, x, weights)
    total = 0.0
    for low, high in itertools.pairwise([-np.inf, *_crossings(q, x, masses), np.inf]):
        side = -1.0 if low > 0 else 1.0  # the tail that is not close to one
        ends = sorted((side * low, side * high))
        own = ndtr(ends[1]) - ndtr(ends[0])
        run = masses @ (
            ndtr((ends[1] - side * (a * x + q.offset)) / r) - ndtr((ends[0] - side * (a * x + q.offset)) / r)
        )
        total += max(float(own - run), 0.0)
    return mp.mpf(total)


def _shift_kl(p: Values) -> Number:
    return p.steps * p.offset**2 / (2 * (1 - exponential(-2 * p.lag)))


def _shift_kl_by_steps(p: Values) -> Number:
    """Step by step, KL of N(offset, r^2) from N(0, r^2)."""
    return mp.fsum(p.offset**2 / (-2 * mp.expm1(-2 * p.lag)) for _ in range(p.steps))


def _shift_tv(p: Values) -> Number:
    """TV of two Gaussians of one covariance from their KL."""
    half = root(_shift_kl(p)) / 2
    return half.erf() if isinstance(half, arb) else mp.erf(half)


def _shift_tv_by_tails(p: Values) -> Number:
    return 1 - 2 * mp.ncdf(-mp.sqrt(_shift_kl_by_steps(p) / 2))


_BALLS: Mapping[str, Callable[[Values], Number]] = {"shift_kl": _shift_kl, "shift_tv": _shift_tv}

MODELS: Mapping[str, Numerics] = {
    "lossy-chain": Numerics(
        balls={**TRUNCATED_CHAIN.balls, **_BALLS},
        integrals={**TRUNCATED_CHAIN.integrals, "lossy_tv": _lossy},
        other={
            **TRUNCATED_CHAIN.other,
            "lossy_tv": _lossy_by_masses,
            "shift_kl": _shift_kl_by_steps,
            "shift_tv": _shift_tv_by_tails,
        },
        integers=("steps",),
    )
}
