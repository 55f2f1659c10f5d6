"""Numerics of a network of pieces: the relative score of a Lipschitz ratio, interpolated linearly.

The target (1 - eta) gamma + eta N(m, v), v < 1, at forward time t on the unit clock; the network is linear
between n + 1 equidistant points of [-window, window] and constant outside, a sum of n + 1 rectified linear
units. First road: the relative score as that of a Gaussian bump on a constant, Gauss-Legendre panels. Second
road: the score of the forward mixture plus x, shorter panels of another order in extended precision.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import mpmath as mp
import numpy as np

from simulators.enclosure import Enclosure
from simulators.models.density_ratio import DENSITY_RATIO, bump
from simulators.models.extended import long_values
from simulators.models.mixture import Channel
from simulators.models.tools import (
    Array,
    Number,
    Numerics,
    Values,
    exponential,
    gauss_legendre,
    integral_by_panels,
    normal_tail,
)

__all__ = ["MODELS"]

REACH = 12.0
"""Standard deviations beyond the window and the centres; what lies beyond has mass below 1e-32."""

ORDER = 20
SHORT = 0.2
"""Order and width of the panels of the second road, the width for variance one."""


def _parts(p: Values) -> list[tuple[Number, Number, Number]]:
    """(weight, centre, variance) of the forward law, unit clock."""
    a = exponential(-p.t)
    one = 1 + 0 * p.t
    return [(1 - p.eta, 0 * p.t, one), (p.eta, a * p.m1, a * a * p.v1 + one - a * a)]


def _outside(p: Values) -> Number:
    """P(|X_t| > window)."""
    rows = (
        w * (normal_tail((p.window - c) / v**0.5) + normal_tail((p.window + c) / v**0.5))
        for w, c, v in _parts(p)
    )
    return sum(rows, start=0 * p.t)


def _outside_by_distribution(p: Values) -> Number:
    return 1 - mp.fsum(
        w * (mp.ncdf((p.window - c) / mp.sqrt(v)) - mp.ncdf((-p.window - c) / mp.sqrt(v)))
        for w, c, v in _parts(p)
    )


def _ends(p: Values) -> tuple[float, float]:
    far = max(REACH * float(v) ** 0.5 + abs(float(c)) for _, c, v in _parts(p))
    return float(p.window), max(far, float(p.window) + 1.0)


def _error(p: Values) -> Enclosure:
    """E|v_t(X_t) - network(X_t)|^2."""
    height, width, centre = bump(p, p.t)

    def drift(x: Array) -> Array:
        y = (x - centre) / width
        odds = height / (1 - p.eta) * np.exp(-y * y / 2)
        return np.asarray(-y / width * odds / (1 + odds))

    window, far = _ends(p)
    knots = np.linspace(-window, window, p.n_pieces + 1)
    values = drift(knots)
    rows = [(w / np.sqrt(2 * np.pi * v), c, v) for w, c, v in _parts(p)]

    def loss(x: Array) -> Array:
        density = sum(h * np.exp(-((x - c) ** 2) / (2 * v)) for h, c, v in rows)
        return np.asarray((drift(x) - np.interp(x, knots, values)) ** 2 * density)

    found = integral_by_panels(loss, [-far, *knots.tolist(), far], 0.25 * min(1.0, float(width)))
    lost = 4e-16 * float(np.abs(values).max() + 1)  # the rounding of the difference
    return found + Enclosure.around(0.0, 2 * lost * float(found.hi) ** 0.5 + lost**2)


def _error_by_scores(p: Values) -> Number:
    q = long_values(p)
    a, one = np.exp(-q.t), 1 + 0 * q.t
    law = Channel([1 - q.eta, q.eta], [0 * one, q.m1], [one, q.v1], a, 1 - a * a)
    window, far = (np.longdouble(end) for end in _ends(p))
    knots = np.linspace(-window, window, p.n_pieces + 1, dtype=np.longdouble)
    values = law.score(knots) + knots

    nodes, shares = (part.astype(np.longdouble) for part in gauss_legendre(ORDER))

    def over(low: Any, high: Any, left: Any, right: Any) -> Any:
        """The integral over [low, high], the network going from left to right."""
        count = math.ceil(float(high - low) / (SHORT * min(1.0, float(p.v1) ** 0.5)))
        edge = np.arange(count)[:, None] / np.longdouble(count)
        share = edge + (1 + nodes) / (2 * count)
        x = low + (high - low) * share
        loss = (law.score(x) + x - left - (right - left) * share) ** 2 * np.exp(law.log_density(x))
        return (loss * shares).sum() * (high - low) / (2 * count)

    pieces = zip(knots[:-1], knots[1:], values[:-1], values[1:], strict=True)
    inside = sum(over(a, b, f, g) for a, b, f, g in pieces)
    tails = over(-far, -window, values[0], values[0]) + over(window, far, values[-1], values[-1])
    return mp.mpf(float(inside + tails))


PIECES = Numerics(
    balls={"outside": _outside, "ratio_lip": DENSITY_RATIO.balls["ratio_lip"]},
    integrals={"piece_error": _error},
    other={
        "outside": _outside_by_distribution,
        "ratio_lip": DENSITY_RATIO.other["ratio_lip"],
        "piece_error": _error_by_scores,
    },
    integers=("n_pieces",),
    admits=lambda p: 0 < p["v1"] <= 0.9 and p["eta"] < 1,
)

MODELS: Mapping[str, Numerics] = {"network-of-pieces": PIECES}
