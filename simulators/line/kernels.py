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

__all__ = [
    "BLOCK",
    "ERROR_FIELDS",
    "STATUS",
    "chain",
    "compact",
    "error_values",
    "mixture_cdf",
    "mixture_logpdf",
    "mixture_quantile",
    "place",
    "sorted_cdf",
    "sorted_pdf",
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
TINY = 1e-60  # densities below this are skipped ...
FAINT = 1e-300  # ... or below this, where the reference law is not negligible
LOG_SEEN = -55.0  # log density under which the reference law is negligible
PANEL = 0.6  # a panel of 16 Gauss nodes does the work of 16 PANEL uniform ones
MASS_LOSS = 1e-12
TRIES = 14


@compiled(inline=True)
def fast_exp(x: float) -> float:
    """exp on [-700, 700] within 1 ulp; vectorises in inner loops."""
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
    """log p of a positive normal number, within log 2 below."""
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
    """Score of the mixture plus its error; the last error entry is the weight of the second mixture's score."""
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

    zones : rows (left end, panel length, nodes a panel, first node, nodes). Returns the pairs visited.
    """
    pairs = 0
    for zone in range(zones.shape[0]):
        left, panel, per = zones[zone, 0], 1.0 / zones[zone, 1], int(zones[zone, 2])
        first, count = int(zones[zone, 3]), int(zones[zone, 4])
        panels = count // per
        for i in range(means.size):
            m = means[i]
            scale = 1.0 / sds[i]
            w = weights[i] * scale * 0.3989422804014327
            lo = min(max((m - reach * sds[i] - left) * panel, 0.0), 1.0 * panels)
            hi = min(max((m + reach * sds[i] - left) * panel + 1.0, 0.0), 1.0 * panels)
            begin, end = first + per * int(lo), first + per * int(hi)
            if end <= begin:
                continue
            out, y = density[begin:end], x[begin:end]
            for k in range(out.size):
                z = (y[k] - m) * scale
                out[k] += w * fast_exp(max(-0.5 * z * z, -700.0))
            pairs += end - begin
    return 1.0 * pairs


@compiled()
def build(left: float, right: float, dx: float, lo: float, hi: float) -> tuple[Array, Array, Array]:
    """Nodes, their quadrature weights and zones on [left, right].

    Uniform, or panels of Gauss nodes between left, lo, hi, right where lo < hi: the integrand jumps there.
    """
    if not lo < hi:
        count = int((right - left) / dx) + 2
        zones = np.zeros((1, 5))
        zones[0, 0], zones[0, 1], zones[0, 2], zones[0, 4] = left, dx, 1.0, count
        x = left + dx * np.arange(count)
        return x, np.full(count, dx), zones
    cuts = np.array([left, min(max(lo, left), right), min(max(hi, left), right), right])
    zones = np.zeros((3, 5))
    first = 0
    used = 0
    for i in range(3):
        if cuts[i + 1] > cuts[i]:
            panels = int((cuts[i + 1] - cuts[i]) / (dx * NODES * PANEL)) + 1
            zones[used, 0], zones[used, 1] = cuts[i], (cuts[i + 1] - cuts[i]) / panels
            zones[used, 2], zones[used, 3], zones[used, 4] = NODES, first, panels * NODES
            first += panels * NODES
            used += 1
    x, w = np.empty(first), np.empty(first)
    for i in range(used):
        half = 0.5 * zones[i, 1]
        for k in range(int(zones[i, 4])):
            centre = zones[i, 0] + (2 * (k // NODES) + 1) * half
            x[int(zones[i, 3]) + k] = centre + half * GAUSS_X[k % NODES]
            w[int(zones[i, 3]) + k] = half * GAUSS_W[k % NODES]
    return x, w, zones[:used]


@compiled()
def needed_spacing(
    x: Array,
    density: Array,
    top: Array,
    ds: Array,
    var: Array,
    step: Array,
    smooth: float,
    spread: float,
    log_accuracy: float,
) -> tuple[float, float, float]:
    """Spacing at which the trapezoidal rule reaches e^{-log_accuracy}; smallest g'; steepest |g'|.

    On the strip |Im x| < a the integrand grows by e^{a^2 M^2/2}, M^2 = 1/smooth^2 + |g'|^2/c^2, so the error is
    about exp(a^2 M^2/2 - 2 pi a/dx); a is optimised and kept below 0.6 of the distance pi/(2 sqrt var) to the
    poles of the score. Points of small density need less, in proportion.
    """
    spacing, smallest, steepest = np.inf, np.inf, 0.0
    base = 1.0 / (smooth * smooth)
    noise = 1.0 / (step[2] * step[2])
    shift = math.log(max(spread, 1e-300))
    for i in range(x.size):
        seen = max(rough_log(density[i]), top[i]) + shift
        level = log_accuracy + min(seen, 0.0)
        slope = 1.0 + step[0] + step[1] * ds[i]
        if level > 2.0:
            steep = abs(slope) + 0.45 * step[1] * var[i]
            m2 = base + steep * steep * noise
            a = min(0.6 * 1.5707963267948966 / math.sqrt(var[i] + 1e-300), math.sqrt(2.0 * level / m2))
            spacing = min(spacing, 6.283185307179586 * a / (level + 0.5 * a * a * m2))
            steepest = max(steepest, abs(slope))
            if level > 8.0:
                smallest = min(smallest, slope)
    return spacing, smallest, steepest


@compiled()
def place(
    weights: Array,
    means: Array,
    sds: Array,
    reach: float,
    dx: float,
    jumps: Array,
    mu: Array,
    inv: Array,
    lw: Array,
    mu2: Array,
    inv2: Array,
    lw2: Array,
    error: Array,
) -> tuple[Array, Array, Array, Array, Array, Array, Array, float]:
    """The mixture on a grid of spacing dx, with the learned score: (x, quadrature weight, density, s, s',
    variance of component scores, log reference density, pairs visited) at the nodes that matter.
    """
    left, right = np.inf, -np.inf
    for i in range(means.size):
        left, right = min(left, means[i] - reach * sds[i]), max(right, means[i] + reach * sds[i])
    nodes, rule, zones = build(left, right, dx, jumps[0], jumps[1])
    density = np.zeros(nodes.size)
    pairs = scatter(weights, means, sds, reach, nodes, zones, density)
    count = 0
    for i in range(nodes.size):
        if density[i] > FAINT:
            nodes[count], rule[count], density[count] = nodes[i], rule[i], density[i]
            count += 1
    x, w, p = nodes[:count], rule[:count], density[:count]
    out = np.empty((4, count))
    work = np.empty((9, BLOCK))
    for begin in range(0, count, BLOCK):
        end = min(begin + BLOCK, count)
        learned_score(
            x[begin:end],
            mu,
            inv,
            lw,
            mu2,
            inv2,
            lw2,
            error,
            out[0, begin:end],
            out[1, begin:end],
            out[2, begin:end],
            out[3, begin:end],
            work,
        )
    kept = 0
    for i in range(count):
        if p[i] > TINY or out[3, i] > LOG_SEEN:
            x[kept], w[kept], p[kept] = x[i], w[i], p[i]
            for row in range(4):
                out[row, kept] = out[row, i]
            kept += 1
    return (
        x[:kept],
        w[:kept],
        p[:kept],
        out[0, :kept],
        out[1, :kept],
        out[2, :kept],
        out[3, :kept],
        pairs + 2.0 * count * mu.size,
    )


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
    slack: float,
    work_limit: float,
) -> tuple[int, int, Array, Array, float, float, float, float]:
    """All steps of a stochastic one-stage sampler.

    steps : (N, 3) rows (a, b, c). smooth : standard deviation of the narrowest component at the start. slack
    multiplies the spacing that the pole rule asks for (1 is sound).

    Returns (status, steps done, weights, means, smoothness, largest mass defect, largest spacing over the
    needed one, work); the last law has components of standard deviation steps[-1, 2].
    """
    N = steps.shape[0]
    reach = start_reach
    ratio = 0.5
    defect, margin, work = 0.0, 0.0, 0.0
    for k in range(N):
        step = steps[k]
        c = step[2]
        jumps = np.zeros(2)
        if errors[k, 2] != 0.0 and errors[k, 5] == 0.0:
            jumps[0], jumps[1] = errors[k, 3], errors[k, 4]
        row, row2 = min(k, mu.shape[0] - 1), min(k, mu2.shape[0] - 1)
        dx = min(ratio * c, 0.75 * smooth) * slack
        tries = 0
        while True:
            x, w, p, s, ds, var, top, cost = place(
                weights,
                means,
                sds,
                reach,
                dx,
                jumps,
                mu[row],
                inv[row],
                lw[row],
                mu2[row2],
                inv2[row2],
                lw2[row2],
                errors[k],
            )
            work += cost
            needed, smallest, steepest = needed_spacing(
                x, p, top, ds, var, step, smooth, spreads[k], log_accuracy
            )
            if work > work_limit:
                return WORK, k, weights, means, smooth, defect, margin, work
            if dx <= needed * slack:
                break
            tries += 1
            if tries > TRIES:
                return POLE, k, weights, means, smooth, defect, dx / needed, work
            dx = 0.95 * needed * slack
        margin = max(margin, dx / needed)
        ratio = 0.97 * needed / c
        total = 0.0
        for i in range(x.size):
            w[i] *= p[i]
            total += w[i]
            s[i] = x[i] + (step[0] * x[i] + step[1] * s[i])
        defect = max(defect, abs(total - 1.0))
        if not abs(total - 1.0) <= MASS_LOSS:
            return MASS, k, weights, means, smooth, abs(total - 1.0), margin, work
        for i in range(x.size):
            w[i] /= total
        weights, means = w, s
        sds = np.full(means.size, c)
        grown = max(smallest, 0.0) * smooth if smallest < np.inf else 0.0
        smooth = math.sqrt(c * c + grown * grown)
        reach = 9.0 + 10.0 * c / smooth
    return OK, N, weights, means, smooth, defect, margin, work


@compiled()
def compact(x: Array, w: Array, p: Array, s: Array, step: Array) -> tuple[Array, Array, float]:
    """Components (weights, means) of the law after a step, and the mass before it was set to one."""
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
    y: Array, weights: Array, means: Array, sd: float, below: Array, above: Array
) -> tuple[Array, Array]:
    """Distribution function and its complement at y; ``below`` and ``above`` hold the weights before and after
    each component, (n + 1,) each.
    """
    cdf, sf = np.empty(y.size), np.empty(y.size)
    scale = 0.7071067811865476 / sd
    for i in range(y.size):
        lo = np.searchsorted(means, y[i] - 38.0 * sd)
        hi = np.searchsorted(means, y[i] + 38.0 * sd)
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
def mixture_quantile(
    cdf: Array, sf: Array, guess: Array, weights: Array, means: Array, sds: Array
) -> Array:
    """Points where the mixture has this distribution function (the smaller of cdf and sf is used).

    Newton's method in log tails' place, kept inside a shrinking bracket; atoms are found by bisection.
    """
    out = np.empty(cdf.size)
    wide, far_left, far_right = 0.0, np.inf, -np.inf
    for j in range(means.size):
        wide = max(wide, sds[j])
        far_left, far_right = min(far_left, means[j] - 39.0 * sds[j]), max(far_right, means[j] + 39.0 * sds[j])
    for i in range(cdf.size):
        lo, hi = far_left, far_right
        lower = cdf[i] <= sf[i]
        y = min(max(guess[i], lo), hi)
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
            if not lo < following < hi:
                following = 0.5 * (lo + hi)
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
                    mid, mu[q], inv[q], lw[q], mu2[q2], inv2[q2], lw2[q2], errors[k + 1], s2, ds2, var, top, work
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
    """a + b and its rounding error."""
    total = a + b
    back = total - a
    return total, (a - (total - back)) + (b - back)
