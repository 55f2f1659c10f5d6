"""Numerics of Gaussian pancakes: the law of density proportional to phi(x) theta(x) along one direction,

    theta(x) = sum_k gap N(x; k gap, thickness^2)  =  1 + 2 sum_j e^{-u_j^2 thickness^2/2} cos(u_j x),

u_j = 2 pi j/gap, thickness = blur gap. One road sums the bumps, the other the waves (Poisson); the law is a
mixture of narrow Gaussians with discrete Gaussian centres.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import mpmath as mp
import numpy as np
from flint import arb

from simulators.enclosure import Enclosure
from simulators.models.extended import long_values
from simulators.models.tools import Array, Number, Numerics, Values, circle, exponential, integral_by_panels

__all__ = ["MODELS"]

REACH = 14.0
"""Standard deviations that the folds run over; what lies beyond has mass below 1e-43."""

NODES = 512
"""Of a period, some twenty a bump at the least blur."""

TINY = 800.0
"""Exponents beyond which waves and bumps are left out: their sum is below e^-750."""


def _wave(p: Values, j: int) -> Number:
    return circle(p.layer_gap) * j / p.layer_gap


def _waves(p: Values, spread: Number) -> int:
    """How many waves e^{-u_j^2 spread/2} are above e^-TINY, two at least."""
    first = float(spread) * (2 * math.pi / float(p.layer_gap)) ** 2
    return 2 + math.ceil(math.sqrt(2 * TINY / first))


def _mass(p: Values) -> Number:
    """E theta(Z), by waves."""
    spread = 1 + p.thickness**2
    rows = (exponential(-(_wave(p, j) ** 2) * spread / 2) for j in range(1, _waves(p, spread)))
    return 1 + 2 * sum(rows, start=0 * p.layer_gap)


# -- moments -------------------------------------------------------------------------------------------------


def _moment(p: Values) -> Number:
    """|E h_n(X)| of the normalised Hermite polynomial, n = deg: E h_n(Z) e^{iuZ} = (iu)^n e^{-u^2/2}/sqrt n!.

    The waves have one sign; what is left out of the sum is far below the rounding of the balls.
    """
    if p.deg % 2:
        return 0 * p.layer_gap
    spread, log_factorial = 1 + p.thickness**2, arb(p.deg + 1).lgamma() / 2
    rows = (
        exponential(p.deg * _wave(p, j).log() - _wave(p, j) ** 2 * spread / 2 - log_factorial)
        for j in range(1, _waves(p, spread) + p.deg)
    )
    return 2 * sum(rows, start=0 * p.layer_gap) / _mass(p)


def _moment_by_bumps(p: Values) -> Number:
    """The same with E He_n = (1 + thickness^2)^{-n/2} He_n(k gap/sqrt(1 + thickness^2)) of each bump."""
    with mp.extraprec(600):
        spread = 1 + p.thickness**2
        last = math.ceil(math.sqrt(2 * TINY * float(spread)) / float(p.layer_gap))
        points = [k * p.layer_gap / mp.sqrt(spread) for k in range(-last, last + 1)]
        weights = [mp.exp(-x * x / 2) for x in points]
        total = mp.fsum(w * _hermite(p.deg, x) for w, x in zip(weights, points, strict=True))
        return abs(total) / mp.fsum(weights) / mp.sqrt(mp.factorial(p.deg) * spread**p.deg)


def _hermite(n: int, x: Number) -> Number:
    before, now = mp.mpf(1), x
    if n == 0:
        return before
    for k in range(1, n):
        before, now = now, x * now - k * before
    return now


# -- the score -----------------------------------------------------------------------------------------------


def _fisher(p: Values) -> Enclosure:
    """E|(log theta)'(X)|^2 = E[theta'^2/theta]/E theta under the Gaussian, folded onto half a period."""
    u = [_wave(p, j) for j in range(1, _waves(p, p.thickness**2))]
    sizes = [2 * math.exp(-((v * p.thickness) ** 2) / 2) for v in u]
    folds = math.ceil(REACH / p.layer_gap)

    def energy(x: Array) -> Array:
        slope = sum(c * v * np.sin(v * x) for c, v in zip(sizes, u, strict=True))
        theta = 1 + sum(c * np.cos(v * x) for c, v in zip(sizes, u, strict=True))
        normal = sum(np.exp(-0.5 * (x + k * p.layer_gap) ** 2) for k in range(-folds, folds + 1))
        return np.asarray(normal * slope**2 / theta)

    whole = integral_by_panels(energy, [0.0, p.layer_gap / 2], p.layer_gap / 16) * math.sqrt(2 / math.pi)
    return whole / Enclosure.around(float(_mass(p)), 4e-15 * float(_mass(p)))


def _fisher_by_bumps(p: Values) -> Number:
    """The same with theta by bumps and the folded Gaussian by waves, by the trapezoidal rule over a period,
    in extended precision.
    """
    q = long_values(p)
    reach = 1 + math.ceil(float(p.blur) * math.sqrt(2 * TINY))
    bumps = np.arange(-reach, reach + 1)[:, None]
    x = q.layer_gap * np.arange(NODES).astype(np.longdouble) / NODES
    u = 8 * np.arctan(np.longdouble(1)) * np.arange(1, _waves(p, mp.mpf(1)))[:, None] / q.layer_gap
    normal = 1 + (2 * np.exp(-u * u / 2) * np.cos(u * x)).sum(axis=0)
    away = bumps * q.layer_gap - x
    weights = np.exp(-away * away / (2 * q.thickness**2))
    theta, slope = weights.sum(axis=0), (weights * away).sum(axis=0) / q.thickness**2
    return mp.mpf(float((normal * slope**2 / theta).sum() / (normal * theta).sum()))


def _with_thickness(f: Callable[[Values], Number]) -> Callable[[Values], Number]:
    return lambda p: f(Values(**vars(p), thickness=p.layer_gap * p.blur))


PANCAKES = Numerics(
    balls={"pancake_moment": _with_thickness(_moment)},
    integrals={"pancake_fisher": _with_thickness(_fisher)},
    other={
        "pancake_moment": _with_thickness(_moment_by_bumps),
        "pancake_fisher": _with_thickness(_fisher_by_bumps),
    },
    integers=("deg",),
)

MODELS: Mapping[str, Numerics] = {"pancakes": PANCAKES}
