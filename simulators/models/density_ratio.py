"""Numerics of a target whose ratio to gamma is Lipschitz: suprema of the relative score and of its slope.

First road: a fine grid, refined. Second road: stationary points in mpmath.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import mpmath as mp
import numpy as np

from simulators.enclosure import Enclosure
from simulators.models.tools import Array, Number, Numerics, Values, exponential, root

__all__ = ["DENSITY_RATIO", "MODELS", "bump"]


# -- density ratios ------------------------------------------------------------------------------------------


def bump(p: Values, t: Number) -> tuple[Number, Number, Number]:
    """Height, width and centre of eta N(m, v)/N(0, 1) at forward time t, a Gaussian function since v < 1."""
    a = exponential(-t)
    m, v = a * p.m1, a * a * p.v1 + 1 - a * a
    left = a * a * (1 - p.v1)  # 1 - v, without cancellation
    height = p.eta * exponential(m * m / (2 * left)) / root(v)
    return height, root(v / left), m / left


def _ratio_lip(p: Values) -> Number:
    """The larger of the Lipschitz constants of f and f', attained at one width and at the centre."""
    height, width, _ = bump(p, 0 * p.t)
    first, second = height / width * exponential(-(1 + 0 * p.t) / 2), height / width**2
    return first if first > second else second


def _ratio_lip_by_search(p: Values) -> Number:
    height, width, centre = bump(p, mp.mpf(0))

    def f(x: Number) -> Number:
        return height * mp.exp(-((x - centre) ** 2) / (2 * width**2))

    slope = abs(mp.diff(f, mp.findroot(lambda x: mp.diff(f, x, 2), centre + width * mp.mpf("0.9"))))
    return max(slope, abs(mp.diff(f, centre, 2)))


def _profile(p: Values, y: Number) -> tuple[Number, Number]:
    """Share of the bump and height of the ratio a number y of widths from the centre."""
    height, _, _ = bump(p, p.t)
    odds = height / (1 - p.eta) * exponential(-y * y / 2)
    return odds / (1 + odds), odds


def _scan(p: Values, value: Callable[[Array], Array], power: int) -> Enclosure:
    """The largest |value| over y in [0, 40] widths, refined around the best point of a fine grid."""
    from scipy.optimize import minimize_scalar

    y = np.linspace(0.0, 40.0, 8001)
    best = int(np.argmax(np.abs(value(y))))
    low, high = y[max(best - 1, 0)], y[min(best + 1, len(y) - 1)]
    found = minimize_scalar(
        lambda u: -abs(float(value(np.array([u]))[0])),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-10},
    )
    top = max(-float(found.fun), float(np.max(np.abs(value(y)))))
    _, width, _ = bump(p, p.t)
    return Enclosure.around(top / width**power, 1e-12 * top / width**power, "grid search, refined")


def _drift_sup(p: Values) -> Enclosure:
    """The largest |d/dx log Q_t f|: sup y r(y)/width."""
    return _scan(p, lambda y: y * _profile(p, y)[0], 1)


def _drift_lip(p: Values) -> Enclosure:
    """The largest |y^2 r (1 - r) - r|/width^2."""

    def value(y: Array) -> Array:
        r, _ = _profile(p, y)
        return np.asarray(y * y * r * (1 - r) - r)

    return _scan(p, value, 2)


def _by_stationary_points(p: Values, derivative: int) -> Number:
    """The largest |d^n/dx^n log Q_t f|: at the centre, and where the next derivative vanishes."""
    height, width, _ = bump(p, p.t)

    def log_ratio(y: Number) -> Number:
        return mp.log(1 - p.eta + height * mp.exp(-y * y / 2))

    def next_derivative(y: Number) -> Number:
        r, _ = _profile(p, y)
        return y * y * (1 - r) - 1 if derivative == 1 else y * y * (1 - 2 * r) - 3

    points = [mp.mpf(0)]
    grid = [mp.mpf(j) / 8 for j in range(161)]
    for low, high in itertools.pairwise(grid):
        if next_derivative(low) * next_derivative(high) <= 0:
            points.append(
                mp.findroot(next_derivative, (low, high), solver="bisect", tol=mp.eps, maxsteps=400)
            )
    with mp.extraprec(80):
        return max(abs(mp.diff(log_ratio, y, derivative)) for y in points) / width**derivative


DENSITY_RATIO = Numerics(
    balls={"ratio_lip": _ratio_lip},
    integrals={"drift_sup": _drift_sup, "drift_lip": _drift_lip},
    other={
        "ratio_lip": _ratio_lip_by_search,
        "drift_sup": lambda p: _by_stationary_points(p, 1),
        "drift_lip": lambda p: _by_stationary_points(p, 2),
    },
    admits=lambda p: 0 < p["v1"] <= 0.9 and p["eta"] < 1,
)


MODELS: Mapping[str, Numerics] = {"density-ratio": DENSITY_RATIO}
