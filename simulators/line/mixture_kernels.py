"""Compiled densities, tails and quantiles of Gaussian mixtures on the line."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled
from simulators.line.kernels import fast_erfc, fast_exp

__all__ = ["mixture_cdf", "mixture_logpdf", "mixture_quantile", "sorted_cdf", "sorted_pdf"]

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@compiled()
def sorted_pdf(y: Array, weights: Array, means: Array, sd: float, reach: float) -> Array:
    """Density at y of many components of one standard deviation, sorted by mean."""
    out = np.zeros(y.size)
    scale = 1.0 / sd
    for i in range(y.size):
        lo = np.searchsorted(means, y[i] - reach * sd)
        hi = np.searchsorted(means, y[i] + reach * sd)
        m, w = means[lo:hi], weights[lo:hi]
        total, v = 0.0, y[i]
        terms = np.empty(m.size)
        for k in range(m.size):
            z = (v - m[k]) * scale
            terms[k] = w[k] * fast_exp(max(-0.5 * z * z, -700.0))
        for k in range(m.size):
            total += terms[k]
        out[i] = total * scale * 0.3989422804014327
    return out


@compiled()
def sorted_cdf(
    y: Array, weights: Array, means: Array, sd: float, reach: float, below: Array, above: Array
) -> tuple[Array, Array]:
    """Distribution function and its complement at y.

    below, above : (n + 1,) sums of the weights before and after each component.
    """
    cdf, sf = np.empty(y.size), np.empty(y.size)
    scale = 0.7071067811865476 / sd
    for i in range(y.size):
        lo = np.searchsorted(means, y[i] - reach * sd)
        hi = np.searchsorted(means, y[i] + reach * sd)
        m, w, v = means[lo:hi], weights[lo:hi], y[i]
        tails = np.empty(m.size)
        for k in range(m.size):
            tails[k] = 0.5 * w[k] * fast_erfc(abs(v - m[k]) * scale)
        left, right = below[lo], above[hi]
        for k in range(m.size):
            rest = w[k] - tails[k]
            left += tails[k] if v < m[k] else rest
            right += rest if v < m[k] else tails[k]
        cdf[i], sf[i] = left, right
    return cdf, sf


@compiled()
def mixture_logpdf(y: Array, mu: Array, inv: Array, lw: Array) -> Array:
    """Log density of a mixture with positive variances."""
    out = np.empty(y.size)
    for i in range(y.size):
        top = -np.inf
        for j in range(mu.size):
            t = y[i] - mu[j]
            top = max(top, lw[j] - 0.5 * inv[j] * t * t)
        total = 0.0
        for j in range(mu.size):
            t = y[i] - mu[j]
            total += math.exp(lw[j] - 0.5 * inv[j] * t * t - top)
        out[i] = top + math.log(total)
    return out


@compiled()
def mixture_cdf(y: Array, weights: Array, means: Array, sds: Array) -> tuple[Array, Array]:
    """Distribution function and complement of a mixture; sd 0 is an atom, counted on the left at the atom."""
    cdf, sf = np.empty(y.size), np.empty(y.size)
    for i in range(y.size):
        left, right = 0.0, 0.0
        for j in range(means.size):
            l1, r1 = _tails(y[i] - means[j], sds[j])
            left += weights[j] * l1
            right += weights[j] * r1
        cdf[i], sf[i] = left, right
    return cdf, sf


@compiled(inline=True)
def _tails(t: float, sd: float) -> tuple[float, float]:
    if sd == 0.0:
        return (1.0, 0.0) if t >= 0.0 else (0.0, 1.0)
    z = t / sd * 0.7071067811865476
    tail = 0.5 * fast_erfc(abs(z))
    return (tail, 1.0 - tail) if z < 0 else (1.0 - tail, tail)


@compiled()
def mixture_quantile(cdf: Array, sf: Array, guess: Array, weights: Array, means: Array, sds: Array) -> Array:
    """Points where the mixture has this distribution function (the smaller of cdf and sf is used).

    Newton's method in log tails' place, kept inside a shrinking bracket; atoms are found by bisection.
    """
    out = np.empty(cdf.size)
    narrow, far_left, far_right = np.inf, np.inf, -np.inf
    for j in range(means.size):
        narrow = min(narrow, sds[j])
        far_left, far_right = (
            min(far_left, means[j] - 39.0 * sds[j]),
            max(far_right, means[j] + 39.0 * sds[j]),
        )
    enough = 1e-11 * narrow  # a Newton move from which the next is below rounding
    for i in range(cdf.size):
        lo, hi = far_left, far_right
        lower = cdf[i] <= sf[i]
        near = guess[i]
        if i > 0 and abs(guess[i] - guess[i - 1]) < 4.0 * abs(out[i - 1] - guess[i - 1]):
            near += out[i - 1] - guess[i - 1]
        y = min(max(near, lo), hi)
        last = np.inf
        for _ in range(200):
            value, slope = 0.0, 0.0
            for j in range(means.size):
                left, right = _tails(y - means[j], sds[j])
                value += weights[j] * (left if lower else right)
                if sds[j] > 0.0:
                    z = (y - means[j]) / sds[j]
                    slope += weights[j] * math.exp(-0.5 * z * z) / sds[j] * 0.3989422804014327
            gap = value - cdf[i] if lower else sf[i] - value
            if gap >= 0.0:
                hi = y
            if gap <= 0.0:
                lo = y
            if gap == 0.0 or hi <= lo:
                break
            # Newton on the logarithm of the smaller tail: nearly linear in the tails, quadratic at the root
            target = cdf[i] if lower else sf[i]
            move = np.inf
            if slope > 0.0 and value > 0.0 and target > 0.0:
                move = value / slope * math.log(target / value) * (1.0 if lower else -1.0)
                if abs(value - target) < 1e-6 * target:
                    move = -gap / slope
            following = y + move
            if abs(move) <= enough:
                y = following
                break
            if not lo < following < hi or abs(following - y) > 0.5 * last:
                following = 0.5 * (lo + hi)
            last = abs(following - y)
            if following == y or last <= 2e-17 * (abs(y) + abs(hi - lo)):
                y = following
                break
            y = following
        out[i] = y
    return out
