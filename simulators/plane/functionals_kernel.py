"""Compiled sums over a grid on the plane of all functionals of a mixture at one time."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled
from simulators.line.kernels import fast_exp

__all__ = ["INTEGRALS", "NEAR_REACH", "REACH", "integrate"]

Array = NDArray[np.float64]

INTEGRALS = (
    "mass",
    "entropy",
    "fisher",
    "relative_fisher",
    "hessian",
    "relative_hessian",
    "half_hessian",
    "mmse",
    "covariance_energy",
    "kl_to_gamma",
)
"""As in `simulators.functionals_kernel`; the last is summed near gamma only."""

REACH, NEAR_REACH = 9.5, 12.0  # of a window, in standard deviations; the second near gamma
LOG_2PI = math.log(2 * math.pi)


@compiled()
def integrate(table: Array, windows: Array, dx: float, near: bool) -> Array:
    """The integrals, summed over the points dx (i, j) that lie in one of the windows (centre, radius).

    table : (K, 17) rows (mean; precision P 11 12 22; log of weight and normalisation; I - P; gain; posterior
    covariance; prior mean).
    """
    K = table.shape[0]
    out = np.zeros(len(INTEGRALS))
    low, high = np.inf, -np.inf
    for k in range(windows.shape[0]):
        low = min(low, windows[k, 0] - windows[k, 2])
        high = max(high, windows[k, 0] + windows[k, 2])
    log_part, share = np.empty(K), np.empty(K)
    spans = np.empty((windows.shape[0], 2))
    line = np.empty(len(INTEGRALS))
    for i in range(math.floor(low / dx), math.ceil(high / dx) + 1):
        x1, used = dx * i, 0
        for k in range(windows.shape[0]):
            half = windows[k, 2] ** 2 - (x1 - windows[k, 0]) ** 2
            if half > 0.0:
                half = math.sqrt(half)
                left, right = windows[k, 1] - half, windows[k, 1] + half
                at = used
                while at > 0 and spans[at - 1, 0] > left:
                    spans[at, 0], spans[at, 1] = spans[at - 1, 0], spans[at - 1, 1]
                    at -= 1
                spans[at, 0], spans[at, 1] = left, right
                used += 1
        line[:] = 0.0
        done = -np.inf
        for n in range(used):
            begin = max(math.ceil(spans[n, 0] / dx), done)
            end = math.floor(spans[n, 1] / dx)
            if end < begin:
                continue
            for j in range(int(begin), int(end) + 1):
                _add(table, x1, dx * j, near, log_part, share, line)
            done = end + 1.0
        out += line
    return out * (dx * dx)


@compiled()
def _add(table: Array, x1: float, x2: float, near: bool, log_part: Array, share: Array, out: Array) -> None:
    """Adds the integrands at one point."""
    K = table.shape[0]
    top = -np.inf
    for k in range(K):
        t1, t2 = x1 - table[k, 0], x2 - table[k, 1]
        square = table[k, 2] * t1 * t1 + 2.0 * table[k, 3] * t1 * t2 + table[k, 4] * t2 * t2
        log_part[k] = table[k, 5] - 0.5 * square
        top = max(top, log_part[k])
    total = 0.0
    for k in range(K):
        share[k] = fast_exp(max(log_part[k] - top, -700.0))
        total += share[k]
    log_q = top + math.log(total)
    q = math.exp(max(log_q, -745.0))
    # means over the posterior: score, relative score, precision, its excess, posterior mean and covariance
    s1, s2, r1, r2, P11, P12, P22 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    R11, R12, R22, y1, y2, V11, V12, V22 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(K):
        w = share[k] / total
        share[k] = w
        row = table[k]
        t1, t2 = x1 - row[0], x2 - row[1]
        s1 -= w * (row[2] * t1 + row[3] * t2)
        s2 -= w * (row[3] * t1 + row[4] * t2)
        r1 += w * (row[6] * x1 + row[7] * x2 + row[2] * row[0] + row[3] * row[1])
        r2 += w * (row[7] * x1 + row[8] * x2 + row[3] * row[0] + row[4] * row[1])
        P11, P12, P22 = P11 + w * row[2], P12 + w * row[3], P22 + w * row[4]
        R11, R12, R22 = R11 + w * row[6], R12 + w * row[7], R22 + w * row[8]
        y1 += w * (row[15] + row[9] * t1 + row[10] * t2)
        y2 += w * (row[16] + row[10] * t1 + row[11] * t2)
        V11, V12, V22 = V11 + w * row[12], V12 + w * row[13], V22 + w * row[14]
    C11, C12, C22 = 0.0, 0.0, 0.0
    for k in range(K):
        w, row = share[k], table[k]
        t1, t2 = x1 - row[0], x2 - row[1]
        d1, d2 = -(row[2] * t1 + row[3] * t2) - s1, -(row[3] * t1 + row[4] * t2) - s2
        C11, C12, C22 = C11 + w * d1 * d1, C12 + w * d1 * d2, C22 + w * d2 * d2
        e1, e2 = row[15] + row[9] * t1 + row[10] * t2 - y1, row[16] + row[10] * t1 + row[11] * t2 - y2
        V11, V12, V22 = V11 + w * e1 * e1, V12 + w * e1 * e2, V22 + w * e2 * e2
    h11, h12, h22 = C11 - P11, C12 - P12, C22 - P22
    g11, g12, g22 = C11 + R11, C12 + R12, C22 + R22
    out[0] += q
    out[1] -= q * log_q
    out[2] += q * (s1 * s1 + s2 * s2)
    out[3] += q * (r1 * r1 + r2 * r2)
    out[4] += q * (h11 * h11 + 2.0 * h12 * h12 + h22 * h22)
    out[5] += q * (g11 * g11 + 2.0 * g12 * g12 + g22 * g22)
    out[6] += q * ((h11 + 0.5) ** 2 + 2.0 * h12 * h12 + (h22 + 0.5) ** 2)
    out[7] += q * (V11 + V22)
    out[8] += q * (V11 * V11 + 2.0 * V12 * V12 + V22 * V22)
    if near:
        log_gamma = -LOG_2PI - 0.5 * (x1 * x1 + x2 * x2)
        gap = log_gamma - log_q
        if abs(gap) < 0.5:
            out[9] += q * _excess(gap)
        else:
            out[9] += math.exp(max(log_gamma, -745.0)) - q - q * gap


@compiled(inline=True)
def _excess(x: float) -> float:
    """e^x - 1 - x for |x| <= 1/2."""
    total = 1.0 / 15.0
    for n in range(14, 2, -1):
        total = (1.0 + total * x) / n
    return 0.5 * x * x * (1.0 + total * x)
