"""Compiled laws on nodes: a Gaussian mixture given by arrays (weights, means, standard deviations) is added
up on uniform nodes, scored there, and pushed through a step.

A sampler step is g(x) = x + a x + b s(x), followed by N(0, c^2), with a, b, c read from a row of the step
table; s is the learned score of `simulators.line.kernels`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled
from simulators.line.kernels import fast_exp, learned_score

__all__ = [
    "BLOCK",
    "FAINT",
    "REACH",
    "ROWS",
    "build",
    "clusters",
    "compact",
    "fill",
    "place",
    "scatter",
    "scored",
    "sort_components",
]

Array = NDArray[np.float64]

BLOCK = 128
FAINT = 1e-300  # densities below this are skipped
ROWS = 7
REACH = 8.5  # standard deviations that a component is spread over, at least


@compiled(inline=True)
def four(weights: Array, means: Array, sd: float, reach: float, x: Array, zone: Array, density: Array) -> int:
    """The same for four neighbouring components of one standard deviation: four exponentials at a time keep
    the processor busy.
    """
    left, per = zone[0], 1.0 / zone[1]
    first, count = int(zone[2]), int(zone[3])
    lo = int(min(max((means[0] - reach * sd - left) * per, 0.0), 1.0 * count))
    hi = int(min(max((means[3] + reach * sd - left) * per + 1.0, 0.0), 1.0 * count))
    hi = min(lo + (hi - lo + 7) // 8 * 8, count)  # whole vectors
    scale = 1.0 / sd
    norm = scale * 0.3989422804014327
    m0, m1, m2, m3 = means[0], means[1], means[2], means[3]
    w0, w1, w2, w3 = norm * weights[0], norm * weights[1], norm * weights[2], norm * weights[3]
    out, y = density[first + lo : first + hi], x[first + lo : first + hi]
    for k in range(out.size):
        z0, z1, z2, z3 = (y[k] - m0) * scale, (y[k] - m1) * scale, (y[k] - m2) * scale, (y[k] - m3) * scale
        left_pair = w0 * fast_exp(max(-0.5 * z0 * z0, -700.0)) + w1 * fast_exp(max(-0.5 * z1 * z1, -700.0))
        right_pair = w2 * fast_exp(max(-0.5 * z2 * z2, -700.0)) + w3 * fast_exp(max(-0.5 * z3 * z3, -700.0))
        out[k] += left_pair + right_pair
    return 4 * (hi - lo)


@compiled()
def scatter(
    weights: Array, means: Array, sds: Array, reach: float, x: Array, zones: Array, density: Array
) -> float:
    """Adds the mixture's density at the nodes x, each component over +-reach standard deviations.

    zones : rows (left end, spacing, first node, nodes). Returns the pairs visited.
    """
    pairs = 0
    for zone in range(zones.shape[0]):
        left, per = zones[zone, 0], 1.0 / zones[zone, 1]
        first, count = int(zones[zone, 2]), int(zones[zone, 3])
        right = left + zones[zone, 1] * count
        i = 0
        while i < means.size:
            m = means[i]
            if i + 3 < means.size and means[i + 3] - m < sds[i] and sds[i] == sds[i + 3]:
                pairs += four(weights[i : i + 4], means[i : i + 4], sds[i], reach, x, zones[zone], density)
                i += 4
                continue
            i += 1
            if m + reach * sds[i - 1] < left or m - reach * sds[i - 1] > right:
                continue
            scale = 1.0 / sds[i - 1]
            w = weights[i - 1] * scale * 0.3989422804014327
            lo = int(min(max((m - reach * sds[i - 1] - left) * per, 0.0), 1.0 * count))
            hi = int(min(max((m + reach * sds[i - 1] - left) * per + 1.0, 0.0), 1.0 * count))
            hi = min(lo + (hi - lo + 7) // 8 * 8, count)  # whole vectors
            out, y = density[first + lo : first + hi], x[first + lo : first + hi]
            for k in range(out.size):
                z = (y[k] - m) * scale
                out[k] += w * fast_exp(max(-0.5 * z * z, -700.0))
            pairs += hi - lo
    return 1.0 * pairs


@compiled()
def fill(weights: Array, means: Array, sds: Array, near: float, x: Array, density: Array) -> float:
    """The density at the sorted points x of the mixture's components with means within ``near`` of them."""
    density[:] = 0.0
    begin = np.searchsorted(means, x[0] - near)
    end = np.searchsorted(means, x[-1] + near)
    for i in range(begin, end):
        m, scale = means[i], 1.0 / sds[i]
        w = weights[i] * scale * 0.3989422804014327
        for k in range(x.size):
            z = (x[k] - m) * scale
            density[k] += w * fast_exp(max(-0.5 * z * z, -700.0))
    return float((end - begin) * x.size)


@compiled()
def sort_components(weights: Array, means: Array, sds: Array) -> tuple[Array, Array, Array]:
    """The components in increasing order of their means."""
    for i in range(1, means.size):
        if means[i] < means[i - 1]:
            order = np.argsort(means)
            return weights[order], means[order], sds[order]
    return weights, means, sds


@compiled()
def clusters(means: Array, sds: Array, reach: float) -> Array:
    """Disjoint intervals, rows (left, right), outside which no component is within reach; means sorted."""
    ends = np.empty((means.size, 2))
    used = 0
    for i in range(means.size):
        left, right = means[i] - reach * sds[i], means[i] + reach * sds[i]
        while used > 0 and left <= ends[used - 1, 1]:
            used -= 1
            left, right = min(left, ends[used, 0]), max(right, ends[used, 1])
        ends[used, 0], ends[used, 1] = left, right
        used += 1
    return ends[:used]


@compiled()
def build(ends: Array, dx: float, offset: float) -> tuple[Array, Array]:
    """Uniform nodes on each interval from ``offset`` spacings before its left end, and their zones."""
    zones = np.zeros((ends.shape[0], 4))
    first = 0
    for i in range(ends.shape[0]):
        left = ends[i, 0] - offset * dx
        count = int((ends[i, 1] - left) / dx) + 2
        zones[i, 0], zones[i, 1], zones[i, 2], zones[i, 3] = left, dx, first, count
        first += count
    x = np.empty(first)
    for i in range(ends.shape[0]):
        for k in range(int(zones[i, 3])):
            x[int(zones[i, 2]) + k] = zones[i, 0] + dx * k
    return x, zones


@compiled()
def place(
    weights: Array,
    means: Array,
    sds: Array,
    reach: float,
    depth: float,
    dx: float,
    offset: float,
    ends: Array,
    mu: Array,
    inv: Array,
    lw: Array,
    mu2: Array,
    inv2: Array,
    lw2: Array,
    error: Array,
) -> tuple[Array, float]:
    """The mixture on uniform nodes of spacing dx in each interval, with the learned score.

    Returns (values, pairs visited); the rows of values are x, quadrature weight, density, s, s',
    variance of component scores and log reference density, at the nodes where either density is above
    e^{-depth}.
    """
    nodes, zones = build(ends, dx, offset)
    density = np.zeros(nodes.size)
    pairs = scatter(weights, means, sds, reach, nodes, zones, density)
    values = scored(nodes, density, depth, dx, mu, inv, lw, mu2, inv2, lw2, error)
    return values, pairs + 2.0 * values.shape[1] * mu.size


@compiled()
def scored(
    nodes: Array,
    density: Array,
    depth: float,
    dx: float,
    mu: Array,
    inv: Array,
    lw: Array,
    mu2: Array,
    inv2: Array,
    lw2: Array,
    error: Array,
) -> Array:
    """The rows of `place` from the density at uniform nodes."""
    out = np.empty((ROWS, nodes.size))
    count, tiny = 0, math.exp(-depth)
    for i in range(nodes.size):
        if density[i] > FAINT:
            out[0, count], out[1, count], out[2, count] = nodes[i], dx, density[i]
            count += 1
    work = np.empty((9, BLOCK))
    for begin in range(0, count, BLOCK):
        end = min(begin + BLOCK, count)
        learned_score(
            out[0, begin:end],
            mu,
            inv,
            lw,
            mu2,
            inv2,
            lw2,
            error,
            out[3, begin:end],
            out[4, begin:end],
            out[5, begin:end],
            out[6, begin:end],
            work,
        )
    kept, begin, end = 0, count, 0
    for i in range(count):
        if out[2, i] > tiny or out[6, i] > -depth:
            begin = min(begin, i)
            end = i + 1
            kept += 1
    if kept == end - begin:
        return out[:, begin:end].copy()
    kept = 0
    for i in range(count):
        if out[2, i] > tiny or out[6, i] > -depth:
            for row in range(ROWS):
                out[row, kept] = out[row, i]
            kept += 1
    return out[:, :kept].copy()  # contiguous rows, over which later loops vectorise


@compiled()
def compact(values: Array, step: Array) -> tuple[Array, Array, float]:
    """Components (weights, means) of the law after a step, and the mass before it was set to one."""
    x, w, p, s = values[0], values[1], values[2], values[3]
    total = 0.0
    weights, means = np.empty(x.size), np.empty(x.size)
    for i in range(x.size):
        weights[i] = w[i] * p[i]
        total += weights[i]
        means[i] = x[i] + (step[0] * x[i] + step[1] * s[i])
    return weights / total, means, total
