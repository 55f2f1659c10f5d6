"""Compiled Gaussian gridding: the chain of a sampler with noise on the line.

A law is a Gaussian mixture given by arrays (weights, means, standard deviations). A sampler step is
g(x) = x + a x + b s(x), followed by N(0, c^2), with a, b, c read from a row of the step table; s is the
learned score of `simulators.line.kernels`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled
from simulators.line.fine import SHORT, advance, sample
from simulators.line.kernels import fast_exp, learned_score, rough_log

__all__ = [
    "BLOCK",
    "REACH",
    "STATUS",
    "chain",
    "clusters",
    "coarsest",
    "compact",
    "needed_spacing",
    "place",
    "place_panels",
    "sort_components",
    "switches",
]

Array = NDArray[np.float64]
Index = NDArray[np.int64]

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
    return out[:, :kept].copy()  # contiguous rows, over which later loops vectorise


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
                limits[i] = needed_spacing(panel[:, i : i + 1].copy(), step, smooth, spread, log_accuracy)[0]
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
                        return out[:, :used].copy(), pairs, least, margin
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
                    needed = needed_spacing(panel[:, :kept].copy(), step, smooth, spread, log_accuracy)[0]
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
    return out[:, :used].copy(), pairs, least, margin


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
        detail = min(smooth, 0.6 * pole)
        logp = advance(logp, values[3], values[4], left, dx, step, detail, new_left, new_dx, count)
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
