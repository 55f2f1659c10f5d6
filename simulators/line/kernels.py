"""Compiled pieces of the laws on the line: exponential, mixture scores, Gaussian gridding, chains, transport.

A law is a Gaussian mixture given by arrays (weights, means, standard deviations). A sampler step is
g(x) = x + a x + b s(x), followed by N(0, c^2), with a, b, c read from a row of the step table; s is the score
of a mixture (a row of ``mu``, ``inv`` = 1/variance, ``lw`` = log weight - log(2 pi variance)/2) plus a score
error, a row of ten numbers described in `simulators.line.scores`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled
from simulators.line.fine import SHORT, advance, sample

__all__ = [
    "BLOCK",
    "ERROR_FIELDS",
    "REACH",
    "STATUS",
    "chain",
    "clusters",
    "coarsest",
    "compact",
    "error_values",
    "learned_score",
    "mixture_cdf",
    "mixture_logpdf",
    "mixture_quantile",
    "needed_spacing",
    "place",
    "place_panels",
    "sort_components",
    "sorted_cdf",
    "sorted_pdf",
    "switches",
    "transport",
]

Array = NDArray[np.float64]
Index = NDArray[np.int64]

ERROR_FIELDS = 10
BLOCK = 128
STATUS = ("ok", "mass", "pole", "work")
OK, MASS, POLE, WORK = 0, 1, 2, 3
NODES = 16
GAUSS_X, GAUSS_W = np.polynomial.legendre.leggauss(NODES)
FAINT = 1e-300  # densities below this are skipped
ROWS = 7
REACH = 8.5  # standard deviations that a component is spread over, at least
TAIL_SHARE = 0.25  # of the logarithm of the accuracy, relative to the density, kept far out in the tails
PANEL = 0.5  # a panel of 16 Gauss nodes does the work of 16 PANEL uniform ones
TRIES = 14
UNIFORM = 1500.0  # uniform nodes beyond which panels are tried


@compiled(inline=True)
def fast_exp(x: float) -> float:
    """Exponential on [-700, 700] within 1 ulp; vectorises in inner loops."""
    t = x * 1.4426950408889634 + 6755399441055744.0
    k = t - 6755399441055744.0
    r = (x - k * 0.6931471803691238) - k * 1.9082149292705877e-10
    p = 1.0 / 6227020800.0
    p = p * r + 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * (r * r) + r + 1.0
    bits = np.int64(k) + np.int64(1023)
    scaled: float = p * np.int64(bits << np.int64(52)).view(np.float64)
    return scaled


@compiled(inline=True)
def rough_log(p: float) -> float:
    """Logarithm of a positive normal number, at most log 2 too small."""
    return 0.6931471805599453 * np.float64((np.float64(p).view(np.int64) >> np.int64(52)) - np.int64(1023))


# -- scores
# ------------------------------------------------------------------------------------------------------------


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


# -- Gaussian gridding
# ------------------------------------------------------------------------------------------------------------


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
        for i in range(means.size):
            m = means[i]
            if m + reach * sds[i] < left or m - reach * sds[i] > right:
                continue
            scale = 1.0 / sds[i]
            w = weights[i] * scale * 0.3989422804014327
            lo = int(min(max((m - reach * sds[i] - left) * per, 0.0), 1.0 * count))
            hi = int(min(max((m + reach * sds[i] - left) * per + 1.0, 0.0), 1.0 * count))
            hi = min(lo + (hi - lo + 7) // 8 * 8, count)  # whole vectors
            out, y = density[first + lo : first + hi], x[first + lo : first + hi]
            for k in range(out.size):
                z = (y[k] - m) * scale
                out[k] += w * fast_exp(max(-0.5 * z * z, -700.0))
            pairs += hi - lo
    return 1.0 * pairs


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
    for i in range(values.shape[1]):
        seen = max(rough_log(density[i]), top[i]) + shift
        level = max(log_accuracy + min(seen, 0.0), tail)
        slope = 1.0 + step[0] + step[1] * ds[i]
        size, bend = abs(slope), step[1] * var[i]
        pole = 1.5707963267948966 / math.sqrt(var[i] + 1e-300)
        free = math.sqrt(2.0 * level / (base + size * size * noise))
        best = 0.0
        for u in (0.8, 0.55):
            a = min(u * pole, free)
            v = (a / pole) * (a / pole)
            G = size + bend * (0.82 * v / (1.0 - v))
            best = max(best, a / (level + 0.5 * a * a * (base + G * G * noise)))
        spacing = min(spacing, 6.283185307179586 * best)
        smallest = min(smallest, slope if level > tail + 2.0 else np.inf)
        sharp = max(sharp, var[i] if level > tail else 0.0)
    return spacing, smallest, sharp


@compiled()
def coarsest(log_accuracy: float) -> float:
    """The coarsest spacing in units of the law's smallest detail.

    Errors at a spacing dx are about e^{-C/dx^2}; it shrinks with the accuracy, even where the spacing needed
    is larger, so that grids of two accuracies differ everywhere.
    """
    return 0.75 * math.sqrt(26.0 / max(log_accuracy, 26.0))


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
    kept = 0
    for i in range(count):
        if out[2, i] > tiny or out[6, i] > -depth:
            for row in range(ROWS):
                out[row, kept] = out[row, i]
            kept += 1
    return out[:, :kept]


@compiled()
def place_panels(
    weights: Array,
    means: Array,
    sds: Array,
    reach: float,
    depth: float,
    coarsest: float,
    ends: Array,
    jumps: Array,
    mu: Array,
    inv: Array,
    lw: Array,
    mu2: Array,
    inv2: Array,
    lw2: Array,
    error: Array,
    step: Array,
    smooth: float,
    spread: float,
    log_accuracy: float,
    slack: float,
    offset: float,
    most: float,
) -> tuple[Array, float, float, float]:
    """The same on Gauss panels that are halved until each meets its own needed spacing.

    Panels end at the jumps of the score error, and near a point where two components of the score's mixture
    change places they are at most twice as long as their distance to it, unless the rule there allows more.
    Returns (values, pairs visited, smallest needed spacing, largest used over needed); stops after ``most``
    pairs.
    """
    capacity, used = 4096, 0
    out = np.empty((ROWS, capacity))
    tiny, near = math.exp(-depth), reach * sds.max()
    work = np.empty((9, NODES))
    turns = switches(mu, inv, lw)
    if error[9] != 0.0:
        turns = np.concatenate((turns, switches(mu2, inv2, lw2)))
    stack = np.empty((256, 3))
    panel = np.empty((ROWS, max(NODES, turns.size)))
    limits = np.full(turns.size, np.inf)
    pairs, least, margin = 0.0, np.inf, 0.0
    if turns.size:
        wide = np.empty((9, turns.size))
        panel[0, : turns.size] = turns
        fill(weights, means, sds, np.inf, panel[0, : turns.size], panel[2, : turns.size])
        learned_score(
            turns, mu, inv, lw, mu2, inv2, lw2, error,
            panel[3, : turns.size], panel[4, : turns.size],
            panel[5, : turns.size], panel[6, : turns.size], wide,
        )  # fmt: skip
        for i in range(turns.size):
            if panel[2, i] > tiny or panel[6, i] > -depth:
                limits[i] = needed_spacing(panel[:, i : i + 1], step, smooth, spread, log_accuracy)[0]
    cuts = np.empty(2 * ends.shape[0] + 2)
    for zone in range(ends.shape[0]):
        cuts[0], cuts[1], cuts[2], cuts[3] = ends[zone, 0], jumps[0], jumps[1], ends[zone, 1]
        for i in range(1, 3):
            cuts[i] = min(max(cuts[i], ends[zone, 0]), ends[zone, 1])
        for part in range(3):
            length = cuts[part + 1] - cuts[part]
            if length <= 0.0:
                continue
            pieces = int(length / (coarsest * NODES * PANEL) + offset) + 1
            for piece in range(pieces):
                top = 1
                stack[0, 0] = cuts[part] + length * piece / pieces
                stack[0, 1] = cuts[part] + length * (piece + 1) / pieces
                stack[0, 2] = 0.0
                while top > 0:
                    top -= 1
                    left, right, level = stack[top, 0], stack[top, 1], stack[top, 2]
                    half = 0.5 * (right - left)
                    for k in range(NODES):
                        panel[0, k], panel[1, k] = left + half * (1.0 + GAUSS_X[k]), half * GAUSS_W[k]
                    pairs += fill(weights, means, sds, near, panel[0, :NODES], panel[2, :NODES])
                    pairs += 2.0 * NODES * mu.size
                    if pairs > most:
                        return out[:, :used], pairs, least, margin
                    learned_score(
                        panel[0, :NODES], mu, inv, lw, mu2, inv2, lw2, error,
                        panel[3, :NODES], panel[4, :NODES], panel[5, :NODES], panel[6, :NODES], work,
                    )  # fmt: skip
                    needed = np.inf
                    kept = 0
                    for k in range(NODES):
                        if panel[2, k] > tiny or (panel[6, k] > -depth and panel[2, k] > FAINT):
                            for row in range(ROWS):
                                panel[row, kept] = panel[row, k]
                            kept += 1
                    if kept == 0:
                        continue
                    needed = needed_spacing(panel[:, :kept], step, smooth, spread, log_accuracy)[0]
                    least = min(least, needed)
                    for i in range(turns.size):
                        away = max(max(left - turns[i], turns[i] - right), 0.0)
                        needed = min(needed, max(limits[i], 2.0 * away / (NODES * PANEL)))
                    spacing = 2.0 * half / (NODES * PANEL)
                    if spacing > needed * slack and level < 60.0 and top < 250:
                        middle = left + half
                        stack[top, 0], stack[top, 1], stack[top, 2] = middle, right, level + 1.0
                        stack[top + 1, 0], stack[top + 1, 1], stack[top + 1, 2] = left, middle, level + 1.0
                        top += 2
                        continue
                    margin = max(margin, spacing / needed)
                    if used + kept > capacity:
                        bigger = np.empty((ROWS, 2 * capacity))
                        bigger[:, :used] = out[:, :used]
                        out, capacity = bigger, 2 * capacity
                    out[:, used : used + kept] = panel[:, :kept]
                    used += kept
    return out[:, :used], pairs, least, margin


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
def chain(
    weights: Array,
    means: Array,
    sds: Array,
    smooth: float,
    steps: Array,
    spreads: Array,
    mu: Array,
    inv: Array,
    lw: Array,
    mu2: Array,
    inv2: Array,
    lw2: Array,
    errors: Array,
    log_accuracy: float,
    start_reach: float,
    depth: float,
    slack: float,
    offset: float,
    mass_loss: float,
    work_limit: float,
) -> tuple[int, int, Array, Array, float, float, float, float]:
    """All steps of a stochastic one-stage sampler.

    steps : (N, 3) rows (a, b, c). smooth : standard deviation of the narrowest component at the start. slack
    multiplies the spacing that the pole rule asks for (1 is sound). offset : of the nodes, in spacings.
    mass_loss : largest mass defect allowed.

    Returns (status, steps done, weights, means, smoothness, largest mass defect, largest spacing over the
    needed one, work); the last law has components of standard deviation steps[-1, 2].
    """
    N = steps.shape[0]
    reach = start_reach
    cap = coarsest(log_accuracy)
    ratio, sharp = 0.65 * cap, np.inf
    defect, margin, work = 0.0, 0.0, 0.0
    limit = UNIFORM
    k = 0
    while k < N:
        weights, means, sds = sort_components(weights, means, sds)
        ends = clusters(means, sds, reach)
        logp, left, spacing = np.empty(0), 0.0, 0.0
        if k > 0 and ends.shape[0] == 1:
            logp, left, spacing, smooth, k, lost = glide(
                weights, means, sds, reach, depth, smooth, sharp, k, steps, spreads,
                mu, inv, lw, mu2, inv2, lw2, errors, log_accuracy, slack, offset, mass_loss,
            )  # fmt: skip
            defect = max(defect, lost)
            if not lost <= mass_loss:
                return MASS, k, weights, means, smooth, lost, margin, work
        gridded = logp.size > 0
        if gridded:
            ends = np.array([[left, left + spacing * (logp.size - 1)]])
        step = steps[k]
        row, row2 = min(k, mu.shape[0] - 1), min(k, mu2.shape[0] - 1)
        jumps = np.zeros(2)
        jumping = errors[k, 2] != 0.0 and errors[k, 5] == 0.0
        if jumping:
            jumps[0], jumps[1] = errors[k, 3], errors[k, 4]
        length = 0.0
        for i in range(ends.shape[0]):
            length += ends[i, 1] - ends[i, 0]
        dx = min(ratio * step[2], cap * smooth) * slack
        values, needed, used, smallest = np.empty((ROWS, 0)), 0.0, 1.0, 1.0
        tries = 0
        panels = not gridded and (jumping or length > limit * dx)
        while not panels:
            if length * mu.shape[1] > (work_limit - work) * dx:
                return WORK, k, weights, means, smooth, defect, margin, work
            if gridded:
                nodes = build(ends, dx, 0.0)[0]
                density = np.empty(nodes.size)
                sample(logp, left, spacing, nodes, density)
                cost = 40.0 * nodes.size
                values = scored(
                    nodes, density, depth, dx,
                    mu[row], inv[row], lw[row], mu2[row2], inv2[row2], lw2[row2], errors[k],
                )  # fmt: skip
            else:
                values, cost = place(
                    weights, means, sds, reach, depth, dx, offset, ends,
                    mu[row], inv[row], lw[row], mu2[row2], inv2[row2], lw2[row2], errors[k],
                )  # fmt: skip
            work += cost
            needed, smallest, sharp = needed_spacing(values, step, smooth, spreads[k], log_accuracy)
            used = dx / needed
            if work > work_limit:
                return WORK, k, weights, means, smooth, defect, margin, work
            if dx <= needed * slack:
                break
            tries += 1
            if tries > TRIES:
                return POLE, k, weights, means, smooth, defect, used, work
            dx = 0.95 * needed * slack
            panels = not gridded and length > limit * dx
        if panels:
            values, cost, needed, used = place_panels(
                weights, means, sds, reach, depth, cap * smooth, ends, jumps,
                mu[row], inv[row], lw[row], mu2[row2], inv2[row2], lw2[row2], errors[k],
                step, smooth, spreads[k], log_accuracy, slack, offset, work_limit - work,
            )  # fmt: skip
            work += cost
            if work > work_limit:
                return WORK, k, weights, means, smooth, defect, margin, work
            smallest, sharp = needed_spacing(values, step, smooth, spreads[k], log_accuracy)[1:]
            if 5.0 * values.shape[1] * needed > length:
                limit = 2.0 * length / needed
        if not used <= max(slack, 1.0) * 1.0000001:
            return POLE, k, weights, means, smooth, defect, used, work
        margin = max(margin, used)
        ratio = 0.97 * needed / step[2]
        weights, means, total = compact(values, step)
        defect = max(defect, abs(total - 1.0))
        if not abs(total - 1.0) <= mass_loss:
            return MASS, k, weights, means, smooth, abs(total - 1.0), margin, work
        sds = np.full(means.size, step[2])
        grown = max(smallest, 0.0) * smooth if smallest < np.inf else 0.0
        smooth = math.sqrt(step[2] * step[2] + grown * grown)
        reach = REACH + math.sqrt(2.0 * depth) * step[2] / smooth
        k += 1
    return OK, N, weights, means, smooth, defect, margin, work


@compiled()
def glide(
    weights: Array,
    means: Array,
    sds: Array,
    reach: float,
    depth: float,
    smooth: float,
    sharp: float,
    k: int,
    steps: Array,
    spreads: Array,
    mu: Array,
    inv: Array,
    lw: Array,
    mu2: Array,
    inv2: Array,
    lw2: Array,
    errors: Array,
    log_accuracy: float,
    slack: float,
    offset: float,
    mass_loss: float,
) -> tuple[Array, float, float, float, int, float]:
    """Short steps from k on, see `simulators.line.fine`, while they are short, the map is increasing and this
    is worth it; never the last step.

    Returns (log density, left end, spacing, smoothness, next step, largest mass defect); no density if there
    was no such step.
    """
    logp, left, dx, lost = np.empty(0), 0.0, 0.0, 0.0
    N = steps.shape[0]
    while k < N - 1:
        step = steps[k]
        pole = 1.5707963267948966 / math.sqrt(sharp + 1e-300)
        fitting = min(1.2 * pole / log_accuracy, 5.0 * smooth / log_accuracy) * slack
        jumping = errors[k, 2] != 0.0 and errors[k, 5] == 0.0
        if jumping or step[2] > SHORT * min(smooth, 0.6 * pole):
            break
        if logp.size == 0:
            length = means[-1] - means[0]
            if not length / (0.55 * step[2]) > 12.0 * (length / fitting + 32.0):
                break
            dx = 0.85 * fitting
            left = means[0] - offset * dx
            x, zones = build(np.array([[means[0], means[-1]]]), dx, offset)
            density = np.zeros(x.size)
            scatter(weights, means, sds, reach, x, zones, density)
            for i in range(x.size):
                if not density[i] > FAINT:
                    return logp, left, dx, smooth, k, lost
            logp = np.log(density)
        row, row2 = min(k, mu.shape[0] - 1), min(k, mu2.shape[0] - 1)
        values = scored(
            left + dx * np.arange(1.0 * logp.size), np.exp(np.maximum(logp, -690.0)), 1e300, dx,
            mu[row], inv[row], lw[row], mu2[row2], inv2[row2], lw2[row2], errors[k],
        )  # fmt: skip
        _, smallest, sharp = needed_spacing(values, step, smooth, spreads[k], log_accuracy)
        pole = 1.5707963267948966 / math.sqrt(sharp + 1e-300)
        if smallest < 0.5 or values.shape[1] < logp.size or step[2] > 2.0 * SHORT * min(smooth, 0.6 * pole):
            break
        fitting = min(1.2 * pole / log_accuracy, 5.0 * smooth / log_accuracy) * slack
        new_dx = dx if 0.7 * fitting < dx < fitting else 0.85 * fitting
        right, top = left + dx * (logp.size - 1), values[6]
        new_left = left
        if logp[0] > -depth or top[0] > -depth:
            new_left -= dx
        elif logp[3] < -depth - 5.0 and top[3] < -depth - 5.0:
            new_left += dx
        if logp[-1] > -depth or top[-1] > -depth:
            right += dx
        elif logp[-4] < -depth - 5.0 and top[-4] < -depth - 5.0:
            right -= dx
        count = round((right - new_left) / new_dx) + 1
        logp = advance(logp, values[3], left, dx, step, new_left, new_dx, count)
        left, dx = new_left, new_dx
        total = 0.0
        for i in range(logp.size):
            total += math.exp(logp[i]) * dx
        lost = max(lost, abs(total - 1.0))
        if not lost <= mass_loss:
            break
        logp -= math.log(total)
        smooth = math.sqrt(step[2] * step[2] + smallest * smallest * smooth * smooth)
        k += 1
    return logp, left, dx, smooth, k, lost


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


# -- mixtures
# ------------------------------------------------------------------------------------------------------------


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
        left, right = below[lo], above[hi]
        near_left, near_right = 0.0, 0.0
        for k in range(lo, hi):
            z = (y[i] - means[k]) * scale
            if z > 6.5:
                near_left += weights[k]
                near_right += 0.5 * weights[k] * math.erfc(z)
            elif z < -6.5:
                near_left += 0.5 * weights[k] * math.erfc(-z)
                near_right += weights[k]
            else:
                tail = 0.5 * math.erfc(abs(z))
                near_left += weights[k] * (tail if z < 0 else 1.0 - tail)
                near_right += weights[k] * (1.0 - tail if z < 0 else tail)
        cdf[i], sf[i] = left + near_left, right + near_right
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
    tail = 0.5 * math.erfc(abs(z))
    return (tail, 1.0 - tail) if z < 0 else (1.0 - tail, tail)


@compiled()
def mixture_quantile(cdf: Array, sf: Array, guess: Array, weights: Array, means: Array, sds: Array) -> Array:
    """Points where the mixture has this distribution function (the smaller of cdf and sf is used).

    Newton's method in log tails' place, kept inside a shrinking bracket; atoms are found by bisection.
    """
    out = np.empty(cdf.size)
    wide, far_left, far_right = 0.0, np.inf, -np.inf
    for j in range(means.size):
        wide = max(wide, sds[j])
        far_left, far_right = (
            min(far_left, means[j] - 39.0 * sds[j]),
            max(far_right, means[j] + 39.0 * sds[j]),
        )
    for i in range(cdf.size):
        lo, hi = far_left, far_right
        lower = cdf[i] <= sf[i]
        y = min(max(guess[i], lo), hi)
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
            if not lo < following < hi or abs(following - y) > 0.5 * last:
                following = 0.5 * (lo + hi)
            last = abs(following - y)
            if following == y or abs(following - y) <= 2e-17 * (abs(y) + abs(hi - lo)):
                y = following
                break
            y = following
        out[i] = y
    return out


# -- transport
# ------------------------------------------------------------------------------------------------------------


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
