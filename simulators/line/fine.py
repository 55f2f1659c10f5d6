"""Compiled steps that are short against the detail of the law: log density on a uniform grid.

When the noise c of a step is far below the scale l on which log p and the score vary, p'(y) is an integral
over a few c around the preimage x0 of y. Log p and s are interpolated from the grid (16 points), so that the
cost does not depend on c:

    p'(y) = (1/gamma) sum_m w_m p(x_m) exp(xi_m^2/2 - z_m^2/2),    x_m = x0 + (c/gamma) xi_m,  gamma = g'(x0),
    z_m = [(1 + a) (x_m - x0) + b (s(x_m) - s(x0))]/c,

with the Gauss-Hermite rule (xi, w) of N(0, 1); differences are formed before they are divided by c. Within
eight grid points of an end, where the density is negligible, interpolation is cubic.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled

__all__ = ["SHORT", "advance", "interpolate", "sample"]

Array = NDArray[np.float64]

SHORT = 0.04  # largest c/l of a step done here
POINTS = 16
_nodes, _weights = np.polynomial.hermite_e.hermegauss(12)
HERMITE_X, HERMITE_W = _nodes, _weights / _weights.sum()
LAGRANGE = np.array([(-1.0) ** j * math.comb(POINTS - 1, j) for j in range(POINTS)])
CUBIC = np.array([-1.0, 3.0, -3.0, 1.0])


@compiled()
def interpolate(f: float, first: Array, second: Array) -> tuple[float, float]:
    """Two grid functions at the fractional index f: barycentric, 16 points, or 4 near the ends and beyond."""
    M = first.size
    near = math.floor(f)
    low = near - POINTS // 2 + 1
    u, v, total = 0.0, 0.0, 0.0
    if low >= 0 and low + POINTS <= M:
        t = f - low
        one, two = first[low : low + POINTS], second[low : low + POINTS]
        for j in range(POINTS):
            gap = t - j
            w = LAGRANGE[j] / (gap if gap != 0.0 else 1e-300)
            total += w
            u += w * one[j]
            v += w * two[j]
    else:
        low = min(max(near - 1, 0), M - 4)
        t = f - low
        for j in range(4):
            gap = t - j
            w = CUBIC[j] / (gap if gap != 0.0 else 1e-300)
            total += w
            u += w * first[low + j]
            v += w * second[low + j]
    return u / total, v / total


@compiled()
def sample(logp: Array, left: float, dx: float, x: Array, out: Array) -> None:
    """The density exp(logp) of the grid at the points x."""
    for i in range(x.size):
        out[i] = math.exp(max(interpolate((x[i] - left) / dx, logp, logp)[0], -700.0))


@compiled()
def advance(
    logp: Array, s: Array, left: float, dx: float, step: Array, new_left: float, new_dx: float, count: int
) -> Array:
    """Log density after one step at the points new_left + j new_dx."""
    a, b, c = step[0], step[1], step[2]
    out = np.empty(count)
    for j in range(count):
        y = new_left + new_dx * j
        x0 = y
        for _ in range(4):
            x0 = y - (a * x0 + b * interpolate((x0 - left) / dx, s, s)[0])
        f0 = (x0 - left) / dx
        lp0, s0 = interpolate(f0, logp, s)
        ahead = interpolate(f0 + 0.05, s, s)[0] - interpolate(f0 - 0.05, s, s)[0]
        gamma = 1.0 + a + b * ahead / (0.1 * dx)
        scale = c / gamma
        total = 0.0
        for m in range(HERMITE_X.size):
            delta = scale * HERMITE_X[m]
            lp, sm = interpolate(f0 + delta / dx, logp, s)
            z = ((1.0 + a) * delta + b * (sm - s0)) / c
            total += HERMITE_W[m] * math.exp(lp - lp0 + 0.5 * (HERMITE_X[m] * HERMITE_X[m] - z * z))
        out[j] = lp0 + math.log(total / gamma)
    return out
