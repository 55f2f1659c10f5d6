"""Compiled transport of points and their slopes by a deterministic sampler on the line."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled
from simulators.line.kernels import learned_score
from simulators.line.nodes import BLOCK

__all__ = ["transport"]

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@compiled()
def transport(
    x0: Array,
    steps: Array,
    heun: bool,
    mu: Array,
    inv: Array,
    lw: Array,
    mu2: Array,
    inv2: Array,
    lw2: Array,
    errors: Array,
) -> tuple[Array, Array, Array]:
    """Images of points under all steps of a deterministic sampler: (image, log |derivative|, its sign).

    Positions and the product of slopes are carried as unevaluated sums of two floats, so that rounding does
    not grow with the number of steps.
    """
    n = x0.size
    image, log_slope, sign = np.empty(n), np.empty(n), np.empty(n)
    work = np.empty((9, BLOCK))
    small = np.empty((10, BLOCK))
    for begin in range(0, n, BLOCK):
        m = min(BLOCK, n - begin)
        x, low, P, tail, lg, s, ds, var, top, mid = (
            small[0, :m], small[1, :m], small[2, :m], small[3, :m], small[4, :m],
            small[5, :m], small[6, :m], small[7, :m], small[8, :m], small[9, :m],
        )  # fmt: skip
        s2, ds2 = np.empty(m), np.empty(m)
        for i in range(m):
            x[i], low[i], P[i], tail[i], lg[i] = x0[begin + i], 0.0, 1.0, 0.0, 0.0
        for k in range(steps.shape[0]):
            a, b = steps[k, 0], steps[k, 1]
            r, r2 = min(k, mu.shape[0] - 1), min(k, mu2.shape[0] - 1)
            learned_score(
                x, mu[r], inv[r], lw[r], mu2[r2], inv2[r2], lw2[r2], errors[k], s, ds, var, top, work
            )
            if heun:
                h = steps[k, 2]
                for i in range(m):
                    mid[i] = x[i] + h * (x[i] + s[i])
                q, q2 = min(k + 1, mu.shape[0] - 1), min(k + 1, mu2.shape[0] - 1)
                learned_score(
                    mid,
                    mu[q],
                    inv[q],
                    lw[q],
                    mu2[q2],
                    inv2[q2],
                    lw2[q2],
                    errors[k + 1],
                    s2,
                    ds2,
                    var,
                    top,
                    work,
                )
                for i in range(m):
                    move = 0.5 * h * ((x[i] + s[i]) + (mid[i] + s2[i]))
                    slope = 1.0 + ds[i]
                    bend = 0.5 * h * (slope + (1.0 + ds2[i]) * (1.0 + h * slope))
                    s[i], ds[i] = move, bend
            else:
                for i in range(m):
                    s[i] = a * x[i] + b * s[i]
                    ds[i] = a + b * ds[i]
            for i in range(m):
                x[i], low[i] = _add(x[i], s[i] + low[i] * (1.0 + ds[i]))
                P[i], tail[i] = _add(P[i], P[i] * ds[i] + tail[i] * (1.0 + ds[i]))
            if k % 16 == 15 or k == steps.shape[0] - 1:
                for i in range(m):
                    lg[i] += math.log(abs(P[i]))
                    lg[i] += tail[i] / P[i] if P[i] != 0.0 else 0.0
                    P[i], tail[i] = 1.0 if P[i] > 0.0 else (-1.0 if P[i] < 0.0 else 0.0), 0.0
        for i in range(m):
            image[begin + i], log_slope[begin + i], sign[begin + i] = x[i] + low[i], lg[i], P[i]
    return image, log_slope, sign


@compiled(inline=True)
def _add(a: float, b: float) -> tuple[float, float]:
    """The sum a + b and its rounding error."""
    total = a + b
    back = total - a
    return total, (a - (total - back)) + (b - back)
