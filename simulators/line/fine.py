"""Compiled steps that are short against the detail of the law: log density on a uniform grid.

When the noise c of a step is far below the scale l on which log p and the score vary, p'(y) is an integral
over a few c around the preimage x0 of y. Log p and s are interpolated from the grid (16 points), so that the
cost does not depend on c:

    p'(y) = (1/gamma) sum_m w_m p(x_m) exp(xi_m^2/2 - z_m^2/2),    x_m = x0 + (c/gamma) xi_m,  gamma = g'(x0),
    z_m = [(1 + a) (x_m - x0) + b (s(x_m) - s(x0))]/c,

with the Gauss-Hermite rule (xi, w) of N(0, 1); differences are formed before they are divided by c. With n
points the rule errs by (b c)^{2n} n!/(2n)! where log p has slope b: n follows c/l, so that this is below
rounding up to ten standard deviations out. Within eight grid points of an end, where the density is
negligible, interpolation is cubic.
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
RULES = (4, 6, 8, 12)
RULE_ENDS = (0.004, 0.012, 0.045)  # c/l up to which each rule but the last is used
HERMITE_X, HERMITE_W = np.zeros((4, 12)), np.zeros((4, 12))
for _row, _size in enumerate(RULES):
    _nodes, _weights = np.polynomial.hermite_e.hermegauss(_size)
    HERMITE_X[_row, :_size], HERMITE_W[_row, :_size] = _nodes, _weights / _weights.sum()
CLOSE = 1e-6  # of a spacing: a Newton move from which the next is below rounding
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
    logp: Array,
    s: Array,
    ds: Array,
    left: float,
    dx: float,
    step: Array,
    detail: float,
    new_left: float,
    new_dx: float,
    count: int,
) -> Array:
    """Log density after one step at the points new_left + j new_dx; detail : the length l."""
    a, b, c = step[0], step[1], step[2]
    rule = 0
    while rule < 3 and c > RULE_ENDS[rule] * detail:
        rule += 1
    nodes, weights = HERMITE_X[rule, : RULES[rule]], HERMITE_W[rule, : RULES[rule]]
    out = np.empty(count)
    x0, gamma = new_left - new_dx, 1.0
    for j in range(count):
        y = new_left + new_dx * j
        x0 += new_dx / gamma
        for _ in range(8):
            s0, ds0 = interpolate((x0 - left) / dx, s, ds)
            move = (x0 - y + (a * x0 + b * s0)) / (1.0 + a + b * ds0)
            x0 -= move
            if abs(move) < CLOSE * dx:
                break
        f0 = (x0 - left) / dx
        lp0, s0 = interpolate(f0, logp, s)
        gamma = 1.0 + a + b * interpolate(f0, ds, ds)[0]
        scale = c / gamma
        total = 0.0
        for m in range(nodes.size):
            delta = scale * nodes[m]
            lp, sm = interpolate(f0 + delta / dx, logp, s)
            z = ((1.0 + a) * delta + b * (sm - s0)) / c
            total += weights[m] * math.exp(lp - lp0 + 0.5 * (nodes[m] * nodes[m] - z * z))
        out[j] = lp0 + math.log(total / gamma)
    return out
