"""Compiled scores of mixtures on the line, with score errors; the exponential and the error function.

The score s of a mixture is given by a row of ``mu``, ``inv`` = 1/variance, ``lw`` = log weight - log(2 pi
variance)/2; a score error is a row of ten numbers described in `simulators.line.scores`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled

__all__ = [
    "ERROR_FIELDS",
    "error_values",
    "fast_erfc",
    "fast_exp",
    "fast_expm1",
    "learned_score",
    "rough_log",
]

Array = NDArray[np.float64]
Index = NDArray[np.int64]

ERROR_FIELDS = 10


@compiled(inline=True)
def _split(x: float) -> tuple[float, float, float]:
    """X in [-700, 700] as k log(2) + r: r, e^r - 1 - r and 2^k.

    On |r| <= log(2)/2 (e^r - 1 - r)/r^2 is the interpolant of degree 9 at Chebyshev points, within 2e-17.
    """
    t = x * 1.4426950408889634 + 6755399441055744.0
    k = t - 6755399441055744.0
    r = (x - k * 0.6931471803691238) - k * 1.9082149292705877e-10
    s = r * r
    q = s * s
    low = (0.5000000000000001 + 0.16666666666666669 * r) + s * (
        0.04166666666662413 + 0.008333333333330062 * r
    )
    mid = (0.0013888888917213717 + 0.00019841269863053618 * r) + s * (
        2.4801521295954376e-05 + 2.7557268459997064e-06 * r
    )
    p = low + q * (mid + q * (2.7620088445409746e-07 + 2.510038549551032e-08 * r))
    bits = np.int64(k) + np.int64(1023)
    return r, p * s, np.int64(bits << np.int64(52)).view(np.float64)


@compiled(inline=True)
def fast_exp(x: float) -> float:
    """Exponential on [-700, 700] within 1 ulp; vectorises in inner loops."""
    r, rest, power = _split(x)
    return (rest + r + 1.0) * power


@compiled(inline=True)
def fast_expm1(x: float) -> float:
    """e^x - 1 on [-700, 700] within a relative 3 x 2^-53; vectorises in inner loops."""
    r, rest, power = _split(x)
    return power * (rest + r) + (power - 1.0)


@compiled(inline=True)
def fast_erfc(z: float) -> float:
    """Complementary error function of z >= 0, relative error (8 + 2 z^2) ulp; vectorises in inner loops.

    (1 + 2z) e^{z^2} erfc(z) is a polynomial of degree 22 in t = (z - 4)/(z + 4) within 4e-16 (the interpolant
    at Chebyshev points, found with mpmath); its coefficients sum to 1.8 in size, so that nothing cancels.
    """
    t = (z - 4.0) / (z + 4.0)
    p = 1.6403183696752708e-09
    p = p * t - 6.984021100158542e-09
    p = p * t - 1.673812797437216e-08
    p = p * t + 9.290772873032215e-08
    p = p * t + 7.202517584836005e-08
    p = p * t - 8.019174684327191e-07
    p = p * t + 2.968409172531307e-07
    p = p * t + 5.6894090899650724e-06
    p = p * t - 1.1224122281497544e-05
    p = p * t - 2.4387691264306046e-05
    p = p * t + 0.00015062257137043143
    p = p * t - 0.0001992610018544279
    p = p * t - 0.0007577735257382458
    p = p * t + 0.005031971017234254
    p = p * t - 0.016197734020451597
    p = p * t + 0.03716751538360477
    p = p * t - 0.06633036581541651
    p = p * t + 0.0937328350110569
    p = p * t - 0.10103906603618064
    p = p * t + 0.06809705425420673
    p = p * t + 0.015379652102618402
    p = p * t - 0.139621116840557
    p = p * t + 1.2329951186255526
    return p * fast_exp(max(-z * z, -700.0)) / (1.0 + 2.0 * z)


@compiled(inline=True)
def rough_log(p: float) -> float:
    """Logarithm of a positive normal number, at most log 2 too small."""
    return 0.6931471805599453 * np.float64((np.float64(p).view(np.int64) >> np.int64(52)) - np.int64(1023))


@compiled()
def mixture_score(
    x: Array, mu: Array, inv: Array, lw: Array, s: Array, ds: Array, var: Array, top: Array, work: Array
) -> None:
    """Score, its derivative, the variance of the components' scores given x, and the largest log component.

    work : (5, >= x.size) scratch. Component scores are taken relative to that of the dominant component, so
    that the variance does not cancel where one component dominates.
    """
    n = x.size
    z, ref, Z, S1, S2 = work[0, :n], work[1, :n], work[2, :n], work[3, :n], work[4, :n]
    for i in range(n):
        t = x[i] - mu[0]
        top[i] = lw[0] - 0.5 * inv[0] * t * t
        ref[i] = -t * inv[0]
        ds[i] = -inv[0]
        var[i] = 0.0
    if mu.size == 1:
        for i in range(n):
            s[i] = ref[i]
        return
    for j in range(1, mu.size):
        m, v, a = mu[j], inv[j], lw[j]
        for i in range(n):
            t = x[i] - m
            r = a - 0.5 * v * t * t
            bigger = r > top[i]
            ref[i] = -t * v if bigger else ref[i]
            top[i] = r if bigger else top[i]
    for i in range(n):
        Z[i] = 0.0
        S1[i] = 0.0
        S2[i] = 0.0
        ds[i] = 0.0
    for j in range(mu.size):
        m, v, a = mu[j], inv[j], lw[j]
        for i in range(n):
            t = x[i] - m
            e = fast_exp(max(a - 0.5 * v * t * t - top[i], -700.0))
            d = -t * v - ref[i]
            Z[i] += e
            S1[i] += e * d
            S2[i] += e * d * d
            ds[i] += e * v
    for i in range(n):
        z[i] = 1.0 / Z[i]
        mean = S1[i] * z[i]
        var[i] = max(S2[i] * z[i] - mean * mean, 0.0)
        s[i] = ref[i] + mean
        ds[i] = var[i] - ds[i] * z[i]


@compiled()
def add_error(x: Array, error: Array, s: Array, ds: Array, var: Array) -> None:
    """Adds shift + slope x + bump + oscillation; ``var`` is raised so that pi/(2 sqrt var) stays below the
    distance to the bump's poles and a few lengths of the oscillation.
    """
    shift, slope, height, lo, hi, steep = error[0], error[1], error[2], error[3], error[4], error[5]
    size, omega, phase = error[6], error[7], error[8]
    for i in range(x.size):
        s[i] += shift + slope * x[i]
        ds[i] += slope
    if height != 0.0:
        for i in range(x.size):
            if steep == 0.0:
                s[i] += height if lo <= x[i] <= hi else 0.0
            else:
                left, right = _logistic(steep * (x[i] - lo)), _logistic(steep * (x[i] - hi))
                s[i] += height * (left - right)
                ds[i] += height * steep * (left * (1.0 - left) - right * (1.0 - right))
                var[i] = max(var[i], 0.25 * steep * steep)
    if size != 0.0:
        for i in range(x.size):
            s[i] += size * math.sin(omega * x[i] + phase)
            ds[i] += size * omega * math.cos(omega * x[i] + phase)
            var[i] = max(var[i], 0.25 * omega * omega)


@compiled(inline=True)
def _logistic(z: float) -> float:
    return 1.0 / (1.0 + math.exp(-z)) if z > -700.0 else 0.0


@compiled()
def error_values(x: Array, error: Array) -> Array:
    """The score error without its mixture part at the points x."""
    s, ds, var = np.zeros(x.size), np.zeros(x.size), np.zeros(x.size)
    add_error(x, error, s, ds, var)
    return s


@compiled()
def learned_score(
    x: Array,
    mu: Array,
    inv: Array,
    lw: Array,
    mu2: Array,
    inv2: Array,
    lw2: Array,
    error: Array,
    s: Array,
    ds: Array,
    var: Array,
    top: Array,
    work: Array,
) -> None:
    """Score of the mixture plus its error; the last error entry weighs the second mixture's score."""
    mixture_score(x, mu, inv, lw, s, ds, var, top, work)
    share = error[9]
    if share != 0.0:
        s2, ds2, var2, top2 = work[5, : x.size], work[6, : x.size], work[7, : x.size], work[8, : x.size]
        mixture_score(x, mu2, inv2, lw2, s2, ds2, var2, top2, work)
        for i in range(x.size):
            s[i] += share * (s2[i] - s[i])
            ds[i] += share * (ds2[i] - ds[i])
            var[i] = max(var[i], var2[i])
    add_error(x, error, s, ds, var)
