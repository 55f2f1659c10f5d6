"""Compiled rules for the spacing of nodes: how fine a trapezoidal rule must be, and where a mixture turns."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled
from simulators.line.kernels import rough_log

__all__ = ["TAIL_SHARE", "coarsest", "needed_spacing", "switches"]

Array = NDArray[np.float64]

TAIL_SHARE = 0.25  # of the logarithm of the accuracy, relative to the density, kept far out in the tails


@compiled()
def switches(mu: Array, inv: Array, lw: Array) -> Array:
    """Points where two neighbouring components of a mixture are equal and no other is larger."""
    K = mu.size
    order = np.argsort(mu)
    found = np.empty(2 * K * K)
    used = 0
    for p in range(K):
        for q in range(p + 1, K if K <= 16 else min(p + 2, K)):
            i, j = order[p], order[q]
            A = 0.5 * (inv[j] - inv[i])
            B = inv[i] * mu[i] - inv[j] * mu[j]
            C = lw[i] - lw[j] + 0.5 * (inv[j] * mu[j] * mu[j] - inv[i] * mu[i] * mu[i])
            root = B * B - 4.0 * A * C
            if root < 0.0 or (A == 0.0 and B == 0.0):
                continue
            half = -0.5 * (B + math.copysign(math.sqrt(root), B))
            for which in range(2):
                if (half == 0.0 and which == 0) or (A == 0.0 and which == 1):
                    continue
                x = C / half if which == 0 else half / A
                here = lw[i] - 0.5 * inv[i] * (x - mu[i]) ** 2
                largest = here
                for k in range(K):
                    largest = max(largest, lw[k] - 0.5 * inv[k] * (x - mu[k]) ** 2)
                if largest <= here + 1.0:
                    found[used] = x
                    used += 1
    return found[:used]


@compiled()
def needed_spacing(
    values: Array, step: Array, smooth: float, spread: float, log_accuracy: float
) -> tuple[float, float, float]:
    """Spacing at which the trapezoidal rule reaches e^{-log_accuracy}; smallest g'; largest
    variance of the components' scores.

    On the strip |Im x| < a the integrand grows by e^{a^2 M^2/2}, M^2 = 1/smooth^2 + G^2/c^2, so the error is
    about exp(a^2 M^2/2 - 2 pi a/dx). With the poles of the score at distance pi/(2 sqrt var) and u = a over
    that distance, G = |g'| + b var (tan(pi u/2)/(pi u/2) - 1); the better of u <= 0.8 and u <= 0.55 is taken.
    Points of small density need less, in proportion, but never less than a share of the whole: mass that
    crosses a gap decides the density beyond it, and grids of two accuracies must differ there too.
    """
    tail = TAIL_SHARE * log_accuracy
    spacing, smallest, sharp = np.inf, np.inf, 0.0
    base = 1.0 / (smooth * smooth)
    noise = 1.0 / (step[2] * step[2])
    shift = math.log(max(spread, 1e-300))
    density, ds, var, top = values[2], values[4], values[5], values[6]
    n = values.shape[1]
    allowed, levels = np.empty(n), np.empty(n)
    for i in range(n):  # without branches, so that it vectorises
        seen = max(rough_log(density[i]), top[i]) + shift
        level = max(log_accuracy + min(seen, 0.0), tail)
        size, bend = abs(1.0 + step[0] + step[1] * ds[i]), step[1] * var[i]
        pole = 1.5707963267948966 / math.sqrt(var[i] + 1e-300)
        free = math.sqrt(2.0 * level / (base + size * size * noise))
        near, far = min(0.55 * pole, free), min(0.8 * pole, free)
        u, v = (near / pole) * (near / pole), (far / pole) * (far / pole)
        G, H = size + bend * (0.82 * u / (1.0 - u)), size + bend * (0.82 * v / (1.0 - v))
        best = near / (level + 0.5 * near * near * (base + G * G * noise))
        best = max(best, far / (level + 0.5 * far * far * (base + H * H * noise)))
        allowed[i], levels[i] = 6.283185307179586 * best, level
    for i in range(n):
        spacing = min(spacing, allowed[i])
        if levels[i] > tail:
            sharp = max(sharp, var[i])
            if levels[i] > tail + 2.0:
                smallest = min(smallest, 1.0 + step[0] + step[1] * ds[i])
    return spacing, smallest, sharp


@compiled()
def coarsest(log_accuracy: float) -> float:
    """The coarsest spacing in units of the law's smallest detail.

    Errors at a spacing dx are about e^{-C/dx^2}; it shrinks with the accuracy, even where the spacing needed
    is larger, so that grids of two accuracies differ everywhere.
    """
    return 0.75 * math.sqrt(26.0 / max(log_accuracy, 26.0))
