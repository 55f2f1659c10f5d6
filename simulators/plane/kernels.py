"""Compiled kernels on the plane: scores of mixtures, Gaussian gridding, comparison of densities on a grid.

A mixture is given by rows (mean, precision 11 12 22, log of weight and normalisation). A sampler step is
g(x) = x + a x + b s(x) followed by N(0, c^2 I): a law on a grid becomes the finite mixture {w_i, g(x_i), c},
whose densities are added up as products of two Gaussians on the axes.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled
from simulators.line.kernels import fast_exp
from simulators.line.spacing import TAIL_SHARE

__all__ = [
    "COLUMNS",
    "FLOOR",
    "SETTLED",
    "carried",
    "collect",
    "compare",
    "flow_integrals",
    "log_grid",
    "logpdf",
    "pulled_back",
    "push",
    "scatter",
    "score",
    "spacing",
    "zoom",
]

Array = NDArray[np.float64]

FAINT = 1e-300
COLUMNS = 9
"""Of a node: x1, x2, density, s1, s2, smallest and largest eigenvalue of the Hessian of log q, largest
eigenvalue of the covariance of the components' scores, log of the largest component.
"""

FLOOR = -690.0  # logarithm of a density that counts as zero
POINTS = 16
SETTLED = 1e-9  # a Newton move, relative to its point, from which the next is below rounding
TAYLOR = np.array([1.0 / math.factorial(n) for n in range(2, 16)])
BINOMIALS = np.array([(-1.0) ** j * math.comb(POINTS - 1, j) for j in range(POINTS)])


@compiled(inline=True)
def _exponential(x: float) -> float:
    return fast_exp(min(max(x, -700.0), 700.0))


@compiled()
def logpdf(x1: float, x2: float, rows: Array) -> float:
    """Log density of the mixture at a point."""
    top = -np.inf
    for j in range(rows.shape[0]):
        t1, t2 = x1 - rows[j, 0], x2 - rows[j, 1]
        square = rows[j, 2] * t1 * t1 + 2.0 * rows[j, 3] * t1 * t2 + rows[j, 4] * t2 * t2
        top = max(top, rows[j, 5] - 0.5 * square)
    total = 0.0
    for j in range(rows.shape[0]):
        t1, t2 = x1 - rows[j, 0], x2 - rows[j, 1]
        square = rows[j, 2] * t1 * t1 + 2.0 * rows[j, 3] * t1 * t2 + rows[j, 4] * t2 * t2
        total += _exponential(rows[j, 5] - 0.5 * square - top)
    return top + math.log(total)


@compiled()
def jet(
    x1: float, x2: float, rows: Array, work: Array
) -> tuple[float, float, float, float, float, float, float, float, float]:
    """Score, its derivative (11, 12, 22), covariance of the components' scores (11, 12, 22) and log of the
    largest component at a point.

    work : (K, 3) scratch. Component scores are taken relative to that of the dominant component, so that
    their covariance does not cancel where one component dominates.
    """
    K = rows.shape[0]
    top, main = -np.inf, 0
    for j in range(K):
        t1, t2 = x1 - rows[j, 0], x2 - rows[j, 1]
        u1, u2 = rows[j, 2] * t1 + rows[j, 3] * t2, rows[j, 3] * t1 + rows[j, 4] * t2
        work[j, 0], work[j, 1], work[j, 2] = rows[j, 5] - 0.5 * (t1 * u1 + t2 * u2), -u1, -u2
        if work[j, 0] > top:
            top, main = work[j, 0], j
    ref1, ref2 = work[main, 1], work[main, 2]
    Z, S1, S2, C11, C12, C22, P11, P12, P22 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(K):
        e = _exponential(work[j, 0] - top)
        d1, d2 = work[j, 1] - ref1, work[j, 2] - ref2
        Z += e
        S1 += e * d1
        S2 += e * d2
        C11 += e * d1 * d1
        C12 += e * d1 * d2
        C22 += e * d2 * d2
        P11 += e * rows[j, 2]
        P12 += e * rows[j, 3]
        P22 += e * rows[j, 4]
    z = 1.0 / Z
    S1, S2 = S1 * z, S2 * z
    C11, C12, C22 = C11 * z - S1 * S1, C12 * z - S1 * S2, C22 * z - S2 * S2
    return ref1 + S1, ref2 + S2, C11 - P11 * z, C12 - P12 * z, C22 - P22 * z, C11, C12, C22, top


@compiled()
def score(x1: float, x2: float, rows: Array, work: Array, out: Array) -> None:
    """The columns s1 ... log of the largest component at a point, into ``out`` (six numbers); work as in
    `jet`.
    """
    s1, s2, H11, H12, H22, C11, C12, C22, top = jet(x1, x2, rows, work)
    half = math.hypot(0.5 * (H11 - H22), H12)
    out[0], out[1] = s1, s2
    out[2], out[3] = 0.5 * (H11 + H22) - half, 0.5 * (H11 + H22) + half
    out[4] = max(0.5 * (C11 + C22) + math.hypot(0.5 * (C11 - C22), C12), 0.0)
    out[5] = top


@compiled()
def log_grid(rows: Array, left1: float, left2: float, dx: float, out: Array) -> None:
    """The mixture's log density on the grid left + dx (i, j), at least the floor."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = max(logpdf(left1 + dx * i, left2 + dx * j, rows), FLOOR)


@compiled()
def scatter(
    weights: Array,
    m1: Array,
    m2: Array,
    c: float,
    reach: float,
    left1: float,
    left2: float,
    dx: float,
    out: Array,
) -> None:
    """Adds sum_i w_i N((m1, m2)_i, c^2 I) on the grid, each component over a square of +-reach c."""
    n1, n2 = out.shape
    per, wide, scale = 1.0 / dx, reach * c, 1.0 / c
    norm = 0.15915494309189535 * scale * scale
    row = np.empty(int(2.0 * wide * per) + 16)
    for i in range(weights.size):
        f1, f2 = (m1[i] - left1) * per, (m2[i] - left2) * per
        lo1 = int(min(max(f1 - wide * per + 1.0, 0.0), 1.0 * n1))
        hi1 = int(min(max(f1 + wide * per + 1.0, 0.0), 1.0 * n1))
        lo2 = int(min(max(f2 - wide * per + 1.0, 0.0), 1.0 * n2))
        hi2 = int(min(max(f2 + wide * per + 1.0, 0.0), 1.0 * n2))
        hi2 = min(lo2 + (hi2 - lo2 + 7) // 8 * 8, n2)  # whole vectors
        other = row[: hi2 - lo2]
        for k in range(other.size):
            z = (left2 + dx * (lo2 + k) - m2[i]) * scale
            other[k] = fast_exp(max(-0.5 * z * z, -700.0))
        for r in range(lo1, hi1):
            z = (left1 + dx * r - m1[i]) * scale
            f = weights[i] * norm * fast_exp(max(-0.5 * z * z, -700.0))
            line = out[r, lo2:hi2]
            for k in range(line.size):
                line[k] += f * other[k]


@compiled()
def collect(density: Array, left1: float, left2: float, dx: float, depth: float, rows: Array) -> Array:
    """The nodes (COLUMNS, n) where the law or the score's mixture is above e^{-depth}."""
    n1, n2 = density.shape
    tiny, K = math.exp(-depth), rows.shape[0]
    kept = 0
    where = np.empty(density.size, np.int64)
    for i in range(n1):
        x1 = left1 + dx * i
        for j in range(n2):
            if density[i, j] > tiny:
                where[kept] = i * n2 + j
                kept += 1
            elif density[i, j] > FAINT:
                x2, seen = left2 + dx * j, False
                for k in range(K):
                    t1, t2 = x1 - rows[k, 0], x2 - rows[k, 1]
                    square = rows[k, 2] * t1 * t1 + 2.0 * rows[k, 3] * t1 * t2 + rows[k, 4] * t2 * t2
                    seen = seen or rows[k, 5] - 0.5 * square > -depth
                if seen:
                    where[kept] = i * n2 + j
                    kept += 1
    out = np.empty((COLUMNS, kept))
    work, found = np.empty((K, 3)), np.empty(6)
    for n in range(kept):
        i, j = where[n] // n2, where[n] % n2
        out[0, n], out[1, n], out[2, n] = left1 + dx * i, left2 + dx * j, density[i, j]
        score(out[0, n], out[1, n], rows, work, found)
        for column in range(6):
            out[3 + column, n] = found[column]
    return out


@compiled()
def spacing(
    values: Array, step: Array, smooth: float, area: float, log_accuracy: float
) -> tuple[float, float]:
    """Spacing at which the product trapezoidal rule reaches e^{-log_accuracy}, and the smallest slope.

    The rule of `simulators.line.spacing.needed_spacing`, with the largest singular value of the map and the
    largest variance of the components' scores over directions.
    """
    tail = TAIL_SHARE * log_accuracy
    needed, smallest = np.inf, np.inf
    base, noise = 1.0 / (smooth * smooth), 1.0 / (step[2] * step[2])
    shift = math.log(max(area, 1e-300))
    for i in range(values.shape[1]):
        level = max(log_accuracy + min(max(math.log(values[2, i]), values[8, i]) + shift, 0.0), tail)
        low, high = 1.0 + step[0] + step[1] * values[5, i], 1.0 + step[0] + step[1] * values[6, i]
        size, bend = max(abs(low), abs(high)), step[1] * values[7, i]
        pole = 1.5707963267948966 / math.sqrt(values[7, i] + 1e-300)
        free = math.sqrt(2.0 * level / (base + size * size * noise))
        best = 0.0
        for u in (0.8, 0.55):
            a = min(u * pole, free)
            v = (a / pole) * (a / pole)
            G = size + bend * (0.82 * v / (1.0 - v))
            best = max(best, a / (level + 0.5 * a * a * (base + G * G * noise)))
        needed = min(needed, 6.283185307179586 * best)
        if level > tail + 2.0:
            smallest = min(smallest, low)
    return needed, smallest


@compiled()
def push(values: Array, step: Array, dx: float) -> tuple[Array, Array, Array, float]:
    """Weights (of sum 1) and means of the law after a step, and the mass before."""
    n = values.shape[1]
    weights, m1, m2 = np.empty(n), np.empty(n), np.empty(n)
    total = 0.0
    for i in range(n):
        weights[i] = values[2, i] * dx * dx
        total += weights[i]
        m1[i] = values[0, i] + (step[0] * values[0, i] + step[1] * values[3, i])
        m2[i] = values[1, i] + (step[0] * values[1, i] + step[1] * values[4, i])
    return weights / total, m1, m2, total


@compiled()
def compare(log_density: Array, rows: Array, left1: float, left2: float, dx: float, trust: float) -> Array:
    """Sums over the grid, p the density and q the mixture: of the integrands of KL(q,p), KL(p,q) and
    Hellinger^2, of p, of q, and holes.

    holes : the part of KL(q,p) from where p is below e^{-trust}, not in its sum.
    """
    n1, n2 = log_density.shape
    out = np.zeros(6)
    line, terms = np.empty((4, n2)), np.empty((len(rows), n2))
    for i in range(n1):
        _along(left1 + dx * i, left2, dx, rows, terms, line[0], line[1])
        for j in range(n2):
            line[2, j] = _exponential(log_density[i, j])
            line[3, j] = _exponential(max(line[0, j], FLOOR))
        kl, lk, hellinger, mass_p, mass_q = 0.0, 0.0, 0.0, 0.0, 0.0
        for j in range(n2):
            lq, lp = line[0, j], log_density[i, j]
            if lp > FLOOR or lq > FLOOR:
                p, q = line[2, j], line[3, j]
                r = lp - max(lq, FLOOR)
                if abs(r) < 0.5:
                    kl += q * _excess(r)
                    lk += p * _excess(-r)
                    hellinger += 0.5 * q * math.expm1(0.5 * r) ** 2
                else:
                    part = p - q - q * r
                    if lp < -trust:
                        out[5] += part
                    else:
                        kl += part
                    lk += q - p + p * r
                    hellinger += 0.5 * (math.sqrt(p) - math.sqrt(q)) ** 2
                mass_p += p
                mass_q += q
        out[0] += kl
        out[1] += lk
        out[2] += hellinger
        out[3] += mass_p
        out[4] += mass_q
    return out * (dx * dx)


@compiled()
def _along(x1: float, left: float, dx: float, rows: Array, terms: Array, out: Array, top: Array) -> None:
    """`logpdf` at (x1, left + j dx); terms, top : scratch."""
    n = out.size
    for j in range(n):
        top[j] = -np.inf
    for k in range(rows.shape[0]):
        t1, term = x1 - rows[k, 0], terms[k]
        a, b, c, m2, height = rows[k, 2], rows[k, 3], rows[k, 4], rows[k, 1], rows[k, 5]
        for j in range(n):
            t2 = left + dx * j - m2
            square = a * t1 * t1 + 2.0 * b * t1 * t2 + c * t2 * t2
            term[j] = height - 0.5 * square
            top[j] = max(top[j], term[j])
    for j in range(n):
        out[j] = 0.0
    for k in range(rows.shape[0]):
        term = terms[k]
        for j in range(n):
            out[j] += _exponential(term[j] - top[j])
    for j in range(n):
        out[j] = top[j] + math.log(out[j])


@compiled()
def zoom(values: Array, factor: int) -> Array:
    """Values (n, M) on ``factor`` times as many points of the second axis, (n, (M - 1) factor + 1): by 16
    points, or by 2 where some of the 16 are missing or at the floor.
    """
    n, M = values.shape
    out = np.empty((n, (M - 1) * factor + 1))
    table = np.empty((factor, POINTS))
    for s in range(1, factor):
        total = 0.0
        for j in range(POINTS):
            table[s, j] = BINOMIALS[j] / (s / factor + POINTS // 2 - 1 - j)
            total += table[s, j]
        for j in range(POINTS):
            table[s, j] /= total
    for i in range(n):
        line = values[i]
        free = -1  # the last place seen that is at the floor
        for m in range(min(POINTS // 2, M)):
            free = m if line[m] <= FLOOR else free
        for m in range(M):
            if m + POINTS // 2 < M and line[m + POINTS // 2] <= FLOOR:
                free = m + POINTS // 2
            out[i, m * factor] = line[m]
            if m == M - 1:
                break
            low = m - POINTS // 2 + 1
            whole = low >= 0 and low + POINTS <= M and free < low
            for s in range(1, factor):
                value = 0.0
                if whole:
                    for j in range(POINTS):
                        value += table[s, j] * line[low + j]
                elif line[m] <= FLOOR or line[m + 1] <= FLOOR:
                    value = FLOOR
                else:
                    value = line[m] + (line[m + 1] - line[m]) * s / factor
                out[i, m * factor + s] = value
    return out


@compiled(inline=True)
def _excess(x: float) -> float:
    """e^x - 1 - x for |x| <= 1/2."""
    total = 0.0
    for n in range(TAYLOR.size - 1, -1, -1):
        total = TAYLOR[n] + total * x
    excess: float = x * x * total
    return excess


@compiled()
def flow_integrals(
    corners: Array,
    side: float,
    nodes: Array,
    weights: Array,
    start: Array,
    tables: Array,
    steps: Array,
    rows: Array,
) -> Array:
    """Integrals over squares of the start of a deterministic sampler, (squares, 7), p the law of its output.

    KL(q,p), KL(p,q), Hellinger^2, TV, the masses of p and q, E_p |y|^2; rows those of q, start those of p_0.
    """
    out = np.zeros((corners.shape[0], 7))
    work, found = np.empty((tables.shape[1], 3)), np.empty(6)
    for n in range(corners.shape[0]):
        for i in range(nodes.size):
            for j in range(nodes.size):
                x1, x2 = corners[n, 0] + side * nodes[i], corners[n, 1] + side * nodes[j]
                area = side * side * weights[i] * weights[j]
                lp, stretch = logpdf(x1, x2, start), 0.0
                for k in range(steps.shape[0]):
                    score(x1, x2, tables[k], work, found)
                    low, high = steps[k, 0] + steps[k, 1] * found[2], steps[k, 0] + steps[k, 1] * found[3]
                    stretch += math.log1p(low) + math.log1p(high)
                    x1 += steps[k, 0] * x1 + steps[k, 1] * found[0]
                    x2 += steps[k, 0] * x2 + steps[k, 1] * found[1]
                lq = max(logpdf(x1, x2, rows) + stretch, FLOOR)
                lp = max(lp, FLOOR)
                p, q, r = math.exp(lp), math.exp(lq), lp - lq
                if abs(r) < 0.5:
                    out[n, 0] += area * q * _excess(r)
                    out[n, 1] += area * p * _excess(-r)
                    out[n, 2] += area * 0.5 * q * math.expm1(0.5 * r) ** 2
                    out[n, 3] += area * 0.5 * q * abs(math.expm1(r))
                else:
                    out[n, 0] += area * (p - q - q * r)
                    out[n, 1] += area * (q - p + p * r)
                    out[n, 2] += area * 0.5 * (math.sqrt(p) - math.sqrt(q)) ** 2
                    out[n, 3] += area * 0.5 * abs(p - q)
                out[n, 4] += area * p
                out[n, 5] += area * q
                out[n, 6] += area * p * (x1 * x1 + x2 * x2)
    return out


@compiled()
def carried(x: Array, tables: Array, steps: Array) -> Array:
    """Images of points (n, 2) under a deterministic sampler, with the product of smaller slopes: (n, 3)."""
    out = np.empty((x.shape[0], 3))
    work, found = np.empty((tables.shape[1], 3)), np.empty(6)
    for i in range(x.shape[0]):
        x1, x2, slope = x[i, 0], x[i, 1], 1.0
        for k in range(steps.shape[0]):
            score(x1, x2, tables[k], work, found)
            slope *= 1.0 + steps[k, 0] + steps[k, 1] * found[2]
            x1 += steps[k, 0] * x1 + steps[k, 1] * found[0]
            x2 += steps[k, 0] * x2 + steps[k, 1] * found[1]
        out[i, 0], out[i, 1], out[i, 2] = x1, x2, slope
    return out


@compiled()
def pulled_back(
    left1: float, left2: float, dx: float, start: Array, tables: Array, steps: Array, out: Array
) -> float:
    """Log density of a deterministic sampler's output on the grid left + dx (i, j), at least the floor.

    Steps are undone one by one from the last by Newton's method, halving moves that do not bring the image
    nearer: each step is the gradient of a strongly convex function. Returns the largest last move, relative
    to its point: `SETTLED` where all are found.
    """
    work = np.empty((tables.shape[1], 3))
    worst = 0.0
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            y1, y2, stretch = left1 + dx * i, left2 + dx * j, 0.0
            for k in range(steps.shape[0] - 1, -1, -1):
                a, b = 1.0 + steps[k, 0], steps[k, 1]
                x1, x2 = y1, y2
                s1, s2, H11, H12, H22 = jet(x1, x2, tables[k], work)[:5]
                r1, r2 = a * x1 + b * s1 - y1, a * x2 + b * s2 - y2
                for _ in range(60):
                    off = math.hypot(r1, r2)
                    J11, J12, J22 = a + b * H11, b * H12, a + b * H22
                    det = J11 * J22 - J12 * J12
                    m1, m2 = (J22 * r1 - J12 * r2) / det, (J11 * r2 - J12 * r1) / det
                    if math.hypot(m1, m2) <= SETTLED * (1.0 + math.hypot(x1, x2)):
                        break
                    share = 1.0
                    for _ in range(40):
                        z1, z2 = x1 - share * m1, x2 - share * m2
                        s1, s2, H11, H12, H22 = jet(z1, z2, tables[k], work)[:5]
                        r1, r2 = a * z1 + b * s1 - y1, a * z2 + b * s2 - y2
                        if math.hypot(r1, r2) < off:
                            break
                        share *= 0.5
                    x1, x2 = z1, z2
                worst = max(worst, math.hypot(m1, m2) / (1.0 + math.hypot(x1, x2)))
                stretch += math.log(det)
                y1, y2 = x1 - m1, x2 - m2
            out[i, j] = max(logpdf(y1, y2, start) - stretch, FLOOR)
    return worst
