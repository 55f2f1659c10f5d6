"""Compiled helpers of W2 on planes: a gridded log density read anywhere, and conditional quantiles."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled
from simulators.line.mixture_kernels import mixture_quantile
from simulators.plane.kernels import BINOMIALS, FLOOR, POINTS

__all__ = ["conditional_cost", "read_grid"]

Array = NDArray[np.float64]
FAINT = 1e-20  # densities below this move nothing


@compiled()
def read_grid(values: Array, start: Array, first: Array, second: Array, n1: int, n2: int) -> Array:
    """Values at the fractional places start + i first + j second, by 16 x 16 points; the floor where one of
    the 2 x 2 nearest is missing or at the floor, by these where one of the others is.
    """
    out = np.full((n1, n2), FLOOR)
    M1, M2 = values.shape
    w1, w2 = np.empty(POINTS), np.empty(POINTS)
    half = POINTS // 2 - 1
    for i in range(n1):
        for j in range(n2):
            f1, f2 = start[0] + i * first[0] + j * second[0], start[1] + i * first[1] + j * second[1]
            b1, b2 = math.floor(f1), math.floor(f2)
            if not (b1 >= 0 and b1 + 1 < M1 and b2 >= 0 and b2 + 1 < M2):
                continue
            t1, t2 = f1 - b1, f2 - b2
            least = min(
                min(values[b1, b2], values[b1 + 1, b2]), min(values[b1, b2 + 1], values[b1 + 1, b2 + 1])
            )
            if least <= FLOOR:
                continue
            low1, low2 = b1 - half, b2 - half
            whole = low1 >= 0 and low1 + POINTS <= M1 and low2 >= 0 and low2 + POINTS <= M2
            whole = (
                whole
                and min(
                    min(values[low1, low2], values[low1 + POINTS - 1, low2]),
                    min(values[low1, low2 + POINTS - 1], values[low1 + POINTS - 1, low2 + POINTS - 1]),
                )
                > FLOOR
            )
            if not whole:
                out[i, j] = (1.0 - t1) * ((1.0 - t2) * values[b1, b2] + t2 * values[b1, b2 + 1]) + t1 * (
                    (1.0 - t2) * values[b1 + 1, b2] + t2 * values[b1 + 1, b2 + 1]
                )
                continue
            s1, s2 = 0.0, 0.0
            for k in range(POINTS):
                g1, g2 = t1 + half - k, t2 + half - k
                w1[k] = BINOMIALS[k] / (g1 if g1 != 0.0 else 1e-300)
                w2[k] = BINOMIALS[k] / (g2 if g2 != 0.0 else 1e-300)
                s1 += w1[k]
                s2 += w2[k]
            for k in range(POINTS):
                w1[k], w2[k] = w1[k] / s1, w2[k] / s2
            total = 0.0
            for k in range(POINTS):
                row, part = values[low1 + k], 0.0
                for m in range(POINTS):
                    part += w2[m] * row[low2 + m]
                total += w1[k] * part
            out[i, j] = total
    return out


@compiled()
def conditional_cost(
    density: Array,
    below: Array,
    above: Array,
    points: Array,
    images: Array,
    weights: Array,
    means: Array,
    covariances: Array,
) -> float:
    """Sum over rows of the mean squared move along the second axis, times the density.

    density, below, above : (rows, points), with the distribution function of each row and its complement.
    images : where each row goes on the first axis of sum_k weights N(means, covariances); its conditional law
             there is the one the row is carried to.
    """
    K = weights.size
    total = 0.0
    w, m, s = np.empty(K), np.empty(K), np.empty(K)
    for i in range(density.shape[0]):
        top = -np.inf
        for k in range(K):
            z = images[i] - means[k, 0]
            w[k] = math.log(weights[k]) - 0.5 * z * z / covariances[k, 0, 0]
            w[k] -= 0.5 * math.log(covariances[k, 0, 0])
            top = max(top, w[k])
        mass = 0.0
        for k in range(K):
            w[k] = math.exp(w[k] - top)
            mass += w[k]
            share = covariances[k, 0, 1] / covariances[k, 0, 0]
            m[k] = means[k, 1] + share * (images[i] - means[k, 0])
            s[k] = math.sqrt(covariances[k, 1, 1] - share * covariances[k, 0, 1])
        for k in range(K):
            w[k] /= mass
        first, last = points.size, -1
        for j in range(points.size):
            if density[i, j] > FAINT:
                first, last = min(first, j), j
        if last < first:
            continue
        x = points[first : last + 1]
        moved = mixture_quantile(below[i, first : last + 1], above[i, first : last + 1], x, w, m, s)
        for j in range(x.size):
            total += density[i, first + j] * (moved[j] - x[j]) ** 2
    return total
