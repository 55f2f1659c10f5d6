"""The size of the Hessian of log q_t on a line at many points, compiled."""

from __future__ import annotations

import math

import numpy as np

from simulators.compiled import compiled
from simulators.laws.kernels.common import Array

__all__ = ["steepness"]


@compiled()
def steepness(
    points: Array, decay: Array, noise: Array, log_weights: Array, means: Array, variances: Array
) -> Array:
    """|sum r_k ((s_k - s)^2 - 1/v_k)| at points (times, places), as in `simulators.posterior`.

    decay, noise : e^{-t} and 1 - e^{-2t} at the times.
    """
    T, P = points.shape
    K = len(means)
    out = np.empty((T, P))
    v, height, share, pull = np.empty(K), np.empty(K), np.empty(K), np.empty(K)
    for i in range(T):
        for k in range(K):
            v[k] = decay[i] * decay[i] * variances[k] + noise[i]
            height[k] = log_weights[k] - 0.5 * math.log(v[k])
        for n in range(P):
            top = -np.inf
            for k in range(K):
                off = points[i, n] - decay[i] * means[k]
                share[k], pull[k] = height[k] - 0.5 * off * off / v[k], -off / v[k]
                top = max(top, share[k])
            total, mean = 0.0, 0.0
            for k in range(K):
                share[k] = math.exp(share[k] - top)
                total += share[k]
                mean += share[k] * pull[k]
            mean /= total
            bend = 0.0
            for k in range(K):
                away = pull[k] - mean
                bend += share[k] * (away * away - 1.0 / v[k])
            out[i, n] = abs(bend / total)
    return out
