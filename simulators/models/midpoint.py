"""The probability flow of N(m, v I) with random midpoints, over a block that ends at the data.

One step of size h from the forward time t, with a uniform in [0, 1] and the estimate s = score + offset,

    z   =  e^{a h} x  +  (e^{a h} - 1) s_t(x),         x+  =  e^h x  +  h e^{(1-a) h} s_{t - a h}(z).

About the mean, which is moved without error, a step multiplies by A(a) and adds B(a). The output is a scale
mixture of Gaussians around a random centre; given the times it is Gaussian. Its first two moments are exact.
First road: the relative error of the scale, step by step, in floats. Second road: raw moments in mpmath.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import mpmath as mp
import numpy as np

from simulators.enclosure import Enclosure
from simulators.models.tools import Array, Number, Numerics, Values, gauss_legendre

__all__ = ["MIDPOINT"]

ORDERS = (24, 16)
DIGIT_NODES = 40
Moments = tuple[float, float, float, float]
"""Of G = scale/exact - 1 and the centre D: E G, E G^2, E D, E D^2."""


def _lipschitz(v: Number) -> Number:
    return max(1, 1 / v)


def _step(p: Values) -> Number:
    """The block is a part of 1/L."""
    return p.block / _lipschitz(p.v1) / p.N


def _variance(v: float, t: Array) -> Array:
    """v_t = v e^{-2t} + 1 - e^{-2t}, a sum of positive terms."""
    return np.asarray(v * np.exp(-2 * t) - np.expm1(-2 * t))


def _relative_gain(v: float, t: Array, h: float, a: Array) -> Array:
    """A/exact - 1, row by step, column by node; the difference taken term by term.

    With w = e^{-2t}(v - 1) and v_t = 1 + w the exact factor is sqrt(v_{t-h}/v_t).
    """
    t = t[:, None]
    w = np.exp(-2 * t) * (v - 1.0)
    now, there, after = (_variance(v, t - late) for late in (0.0, a * h, h))
    shrink = 1 + np.expm1(a * h) * w / now  # of z about the mean
    gain = np.expm1(h) - h * np.exp((1 - a) * h) * shrink / there
    root = np.sqrt(after / now)
    exact = w * math.expm1(2 * h) / now / (1 + root)  # root - 1
    return np.asarray((gain - exact) / root)


def _shift(v: float, t: Array, h: float, a: Array, offset: float) -> Array:
    there = _variance(v, t[:, None] - a * h)
    return np.asarray(h * np.exp((1 - a) * h) * offset * (1 - np.expm1(a * h) / there))


def _moments(p: Values, order: int) -> Moments:
    """The recursion over the steps, expectations by a Gauss-Legendre rule."""
    h = _step(p)
    times = h * np.arange(p.N, 0, -1, dtype=np.float64)
    nodes, weights = gauss_legendre(order)
    a, weight = (nodes + 1) / 2, weights / 2
    gain, shift = _relative_gain(p.v1, times, h, a), _shift(p.v1, times, h, a, p.offset)
    root = np.sqrt(_variance(p.v1, times - h) / _variance(p.v1, times))
    g1, g2 = gain @ weight, gain**2 @ weight
    b1, b2, ab = shift @ weight, shift**2 @ weight, (gain * shift) @ weight
    first, second, centre, square = 0.0, 0.0, 0.0, 0.0
    for k in range(p.N):
        up = 1 + 2 * g1[k] + g2[k]
        second = second * up + 2 * first * (g1[k] + g2[k]) + g2[k]
        first += g1[k] * (1 + first)
        square = root[k] ** 2 * up * square + 2 * root[k] * (b1[k] + ab[k]) * centre + b2[k]
        centre = root[k] * (1 + g1[k]) * centre + b1[k]
    return float(first), float(second), float(centre), float(square)


def _on_floats(f: Callable[[Values, Moments], float]) -> Callable[[Values], Enclosure]:
    """Two rules bound the error of the quadrature; a gain is a difference of rounded terms of size h."""

    def enclosed(p: Values) -> Enclosure:
        fine, coarse = (f(p, _moments(p, order)) for order in ORDERS)
        spread = p.block * f(p, (1.0, 1.0, 0.0, 0.0)) + math.sqrt(p.v1)
        rounding = 1e-15 * (abs(fine) * p.N + 4 * spread)
        return Enclosure.around(fine, 10 * abs(fine - coarse) + rounding, "moments of the random times")

    return enclosed


def _coupled(p: Values, moments: Moments) -> float:
    """Root mean square of output minus exact flow, from one start."""
    _, second, _, square = moments
    return math.sqrt(p.d * p.v1 * second + square)


def _moment_gap(p: Values, moments: Moments) -> float:
    """W2 between the Gaussians that have the moments of output and data: a lower bound of their W2."""
    first, second, centre, square = moments
    spread = max(square - centre**2, 0.0)
    stretch = (2 * first + second) / (1 + math.sqrt(1 + 2 * first + second))  # sqrt(E scale^2) - 1
    own = math.sqrt(p.v1 * (1 + 2 * first + second) + spread)
    along = own - math.sqrt(p.v1) if spread else math.sqrt(p.v1) * stretch
    return math.sqrt((p.d - 1) * p.v1 * stretch**2 + along**2 + centre**2)


# -- second road ---------------------------------------------------------------------------------------------


def _raw_moments(p: Values) -> tuple[Number, Number, Number, Number, Number]:
    """E scale, E scale^2, the exact scale, E D and E D^2 by their recursions with extra digits."""
    h, L = _step(p), p.v1 - 1
    nodes, weights = _nodes()
    scale, scale2, exact, centre, square = mp.mpf(1), mp.mpf(1), mp.mpf(1), mp.mpf(0), mp.mpf(0)
    lead = [(mp.exp(x * h), mp.exp((1 - x) * h)) for x in nodes]
    for k in range(p.N, 0, -1):
        w = mp.exp(-2 * k * h) * L
        pairs = []
        for up, rest in lead:
            inner, outer = -1 / (1 + w), -1 / (1 + w * up**2)
            slope = mp.exp(h) + h * rest * outer * (up + (up - 1) * inner)
            pairs.append((slope, h * rest * (p.offset + outer * (up - 1) * p.offset)))
        mean = [mp.fdot(weights, [f(a, b) for a, b in pairs]) for f in _PRODUCTS]
        square = mean[1] * square + 2 * mean[4] * centre + mean[3]
        centre = mean[0] * centre + mean[2]
        scale, scale2 = mean[0] * scale, mean[1] * scale2
        exact *= mp.sqrt((1 + w * mp.exp(2 * h)) / (1 + w))
    return scale, scale2, exact, centre, square


_PRODUCTS: tuple[Callable[[Number, Number], Number], ...] = (
    lambda a, b: a,
    lambda a, b: a * a,
    lambda a, b: b,
    lambda a, b: b * b,
    lambda a, b: a * b,
)


def _nodes() -> tuple[list[Number], list[Number]]:
    """Gauss-Legendre on [0, 1] by Newton's method from the float nodes."""
    found = []
    for start in gauss_legendre(DIGIT_NODES)[0]:
        z = mp.mpf(float(start))
        for _ in range(4):
            last, value = mp.mpf(1), z
            for j in range(2, DIGIT_NODES + 1):
                last, value = value, ((2 * j - 1) * z * value - (j - 1) * last) / j
            rise = DIGIT_NODES * (z * value - last) / (z * z - 1)
            z -= value / rise
        found.append((z, 2 / ((1 - z * z) * rise**2)))
    return [(z + 1) / 2 for z, _ in found], [weight / 2 for _, weight in found]


def _coupled_by_moments(p: Values) -> Number:
    scale, scale2, exact, _, square = _raw_moments(p)
    return mp.sqrt(p.d * p.v1 / exact**2 * (scale2 - 2 * exact * scale + exact**2) + square)


def _moment_gap_by_moments(p: Values) -> Number:
    _, scale2, exact, centre, square = _raw_moments(p)
    start = p.v1 / exact**2
    own = mp.sqrt(start * scale2 + square - centre**2)
    across = mp.sqrt(start * scale2) - mp.sqrt(p.v1)
    return mp.sqrt((p.d - 1) * across**2 + (own - mp.sqrt(p.v1)) ** 2 + centre**2)


def _admitted(parameters: Mapping[str, float]) -> bool:
    return parameters["v1"] > 0


MIDPOINT = Numerics(
    balls={
        "lipschitz": lambda p: p.v1 * 0 + 1 if p.v1 >= 1 else 1 / p.v1,
        "block_step": lambda p: p.block / p.N if p.v1 >= 1 else p.block * p.v1 / p.N,
    },
    integrals={"coupled_gap": _on_floats(_coupled), "moment_gap": _on_floats(_moment_gap)},
    other={
        "lipschitz": lambda p: _lipschitz(p.v1),
        "block_step": _step,
        "coupled_gap": _coupled_by_moments,
        "moment_gap": _moment_gap_by_moments,
    },
    integers=("N", "d"),
    admits=_admitted,
)
