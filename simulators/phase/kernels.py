"""Compiled steps of log densities on an (x, v) grid: carrying along x, mixing in v, mixing along x.

A log density is an array (rows, points): row j is v_j, x is uniform along a row. Along rows it is
interpolated (16 points), so that relative accuracy is kept far into the tails; sums over v are of positive
terms. Beyond the last point that matters a row goes on as a concave parabola.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled
from simulators.line.fine import LAGRANGE, POINTS
from simulators.line.kernels import fast_exp

__all__ = [
    "EMPTY",
    "carry",
    "curvatures",
    "mend",
    "mix_evenly",
    "mix_positions",
    "mix_velocities",
    "read",
    "sample_row",
    "sample_rows",
]

Array = NDArray[np.float64]

EMPTY = -650.0  # log density of rows where there is nothing
BLOCK = 32
STRIDE = 4  # of the points that the parabola beyond an end goes through


@compiled()
def read(row: Array, f: float) -> float:
    """A row at the fractional index f."""
    last = row.size - 1
    if f < 0.0:
        return beyond(row[0], row[STRIDE], row[2 * STRIDE], -f)
    if f > last:
        return beyond(row[last], row[last - STRIDE], row[last - 2 * STRIDE], f - last)
    low = math.floor(f) - POINTS // 2 + 1
    low = min(max(low, 0), row.size - POINTS)
    t = f - low
    u, total = 0.0, 0.0
    for j in range(POINTS):
        gap = t - j
        w = LAGRANGE[j] / (gap if gap != 0.0 else 1e-300)
        total += w
        u += w * row[low + j]
    return u / total


@compiled()
def sample_row(row: Array, f: Array) -> Array:
    """A row at many fractional indices."""
    out = np.empty(f.size)
    for i in range(f.size):
        out[i] = read(row, f[i])
    return out


@compiled()
def sample_rows(rows: Array, f: Array) -> Array:
    """Each row at the same fractional indices, (rows, indices), as `read` does it."""
    last = rows.shape[1] - 1
    out, low, total = np.empty((len(rows), f.size)), np.empty(f.size, dtype=np.int64), np.empty(f.size)
    weights = np.empty((f.size, POINTS))
    for i in range(f.size):
        low[i] = min(max(math.floor(f[i]) - POINTS // 2 + 1, 0), last + 1 - POINTS)
        total[i] = 0.0
        for j in range(POINTS):
            gap = f[i] - low[i] - j
            weights[i, j] = LAGRANGE[j] / (gap if gap != 0.0 else 1e-300)
            total[i] += weights[i, j]
    for k in range(len(rows)):
        row = rows[k]
        for i in range(f.size):
            if f[i] < 0.0 or f[i] > last:
                out[k, i] = read(row, f[i])
            else:
                out[k, i] = sixteen(weights[i], row[low[i] :], 0) / total[i]
    return out


@compiled(inline=True)
def beyond(end: float, second: float, third: float, t: float) -> float:
    """The parabola through three points ``STRIDE`` apart, t points out; concave and falling."""
    rise, before = (second - end) / STRIDE, (third - second) / STRIDE
    bend = min((before - rise) / STRIDE, 0.0)
    slope = max(rise - 0.5 * STRIDE * bend, 0.0)
    return max(end - slope * t + 0.5 * bend * t * t, EMPTY)


@compiled()
def taps(t: float) -> Array:
    """Weights of 16 neighbours for the value t points after the eighth, 0 <= t < 1."""
    w = np.empty(POINTS)
    total = 0.0
    for j in range(POINTS):
        gap = t + (POINTS // 2 - 1) - j
        w[j] = LAGRANGE[j] / (gap if gap != 0.0 else 1e-300)
        total += w[j]
    return w / total


@compiled(inline=True)
def sixteen(w: Array, row: Array, i: int) -> float:
    """sum_j w_j row_{i + j}, in registers, where a loop over j would write to memory."""
    total: float = 0.0 + w[0] * row[i]
    total += w[1] * row[i + 1]
    total += w[2] * row[i + 2]
    total += w[3] * row[i + 3]
    total += w[4] * row[i + 4]
    total += w[5] * row[i + 5]
    total += w[6] * row[i + 6]
    total += w[7] * row[i + 7]
    total += w[8] * row[i + 8]
    total += w[9] * row[i + 9]
    total += w[10] * row[i + 10]
    total += w[11] * row[i + 11]
    total += w[12] * row[i + 12]
    total += w[13] * row[i + 13]
    total += w[14] * row[i + 14]
    total += w[15] * row[i + 15]
    return total


@compiled()
def shifted(row: Array, f: float, out: Array) -> None:
    """out[i] = row at f + i, f + i within the row by eight points on either side."""
    base = math.floor(f)
    w, near = taps(f - base), row[base - POINTS // 2 + 1 :]
    for i in range(out.size):
        out[i] = sixteen(w, near, i)


@compiled()
def mend(logp: Array, deep: float) -> None:
    """Beyond its first and last points above -deep a row becomes a parabola; EMPTY where there are none."""
    n = logp.shape[1]
    for j in range(logp.shape[0]):
        row = logp[j]
        first, last = n, -1
        for i in range(n):
            if row[i] > -deep:
                first = min(first, i)
                last = i
        if last - first < 2 * STRIDE:
            row[:] = EMPTY
            continue
        for i in range(first):
            row[i] = beyond(row[first], row[first + STRIDE], row[first + 2 * STRIDE], first - i)
        for i in range(last + 1, n):
            row[i] = beyond(row[last], row[last - STRIDE], row[last - 2 * STRIDE], i - last)


@compiled()
def carry(
    logp: Array,
    left: float,
    dx: float,
    v: Array,
    tables: Array,
    table_left: float,
    shift: float,
    stretch: float,
    lean: float,
    new_left: float,
    new_dx: float,
    count: int,
) -> tuple[Array, Array]:
    """Log density of (x1, v), x1 = t + shift v, at new_left + i new_dx, and the force at t.

    tables : rows (x - lean v - stretch t, force, log dx1/dx) at t = table_left + k new_dx.
    """
    lp, s = np.empty((v.size, count)), np.empty((v.size, count))
    off, slope = np.empty(count), np.empty(count)
    for j in range(v.size):
        start = new_left - shift * v[j]
        f = (start - table_left) / new_dx
        shifted(tables[0], f, off)
        shifted(tables[1], f, s[j])
        shifted(tables[2], f, slope)
        for i in range(count):
            x = stretch * (start + new_dx * i) + lean * v[j] + off[i]
            lp[j, i] = read(logp[j], (x - left) / dx) - slope[i]
    return lp, s


@compiled()
def mix_velocities(
    lp: Array, force: Array, v: Array, damping: float, sd: float, reach: float, new_v: Array
) -> tuple[Array, float]:
    """Log density of (x, damping v + force + sd z), z ~ N(0, 1), by sums over v; and the pairs visited."""
    rows, n = lp.shape
    out = np.full((new_v.size, n), EMPTY)
    dv, first, step = v[1] - v[0], new_v[0], new_v[1] - new_v[0]
    scale, lead = 1.0 / sd, 0.3989422804014327 / sd * dv
    total, weight, centre = np.empty((new_v.size, BLOCK)), np.empty(BLOCK), np.empty(BLOCK)
    pairs = 0
    for begin in range(0, n, BLOCK):
        size = min(BLOCK, n - begin)
        total[:] = 0.0
        for j in range(rows):
            low, high, top = np.inf, -np.inf, -np.inf
            for i in range(size):
                top = max(top, lp[j, begin + i])
                weight[i] = lead * fast_exp(max(lp[j, begin + i], -700.0))
                centre[i] = damping * v[j] + force[j, begin + i]
                low, high = min(low, centre[i]), max(high, centre[i])
            if top < EMPTY + 1.0:
                continue
            start = int(min(max((low - reach * sd - first) / step, 0.0), new_v.size))
            stop = int(min(max((high + reach * sd - first) / step + 1.0, 0.0), new_v.size))
            pairs += (stop - start) * size
            for k in range(start, stop):
                line, at = total[k], new_v[k]
                for i in range(size):
                    z = (at - centre[i]) * scale
                    line[i] += weight[i] * fast_exp(max(-0.5 * z * z, -700.0))
        for k in range(new_v.size):
            for i in range(size):
                if total[k, i] > 1e-290:
                    out[k, begin + i] = math.log(total[k, i])
    return out, 1.0 * pairs


@compiled()
def mix_positions(
    logp: Array, v: Array, shift: float, sd: float, dx: float, nodes: Array, weights: Array
) -> Array:
    """Log density of (x + shift v + sd z, v) on the same grid, z with the nodes and weights of a rule."""
    rows, n = logp.shape
    most = max(abs(v[0]), abs(v[-1])) * abs(shift) + sd * np.abs(nodes).max()
    pad = int(most / dx) + POINTS
    wide, total = np.empty(n + 2 * pad), np.empty(n)
    out = np.empty((rows, n))
    for j in range(rows):
        widen(logp[j], pad, wide)
        total[:] = 0.0
        for m in range(nodes.size):
            f = pad - (shift * v[j] + sd * nodes[m]) / dx
            base = math.floor(f)
            w, near, weight = taps(f - base), wide[base - POINTS // 2 + 1 :], weights[m]
            for i in range(n):
                value = sixteen(w, near, i)
                total[i] += weight * fast_exp(max(min(value, 700.0), -700.0))
        for i in range(n):
            out[j, i] = max(math.log(total[i]), EMPTY)
    return out


@compiled()
def mix_evenly(logp: Array, v: Array, shift: float, stride: int, parts: int, weights: Array) -> Array:
    """The same with an odd number of nodes evenly about 0, stride/parts spacings of the grid apart, one of
    the two being 1; shift in spacings. A row is interpolated ``parts`` times, however many the nodes.
    """
    rows, n = logp.shape
    half = weights.size // 2
    span = (half // parts + 1) * stride
    pad = int(max(abs(v[0]), abs(v[-1])) * abs(shift)) + span + POINTS
    wide, density, total = np.empty(n + 2 * pad), np.empty(n + 2 * span), np.empty(n)
    out = np.empty((rows, n))
    for j in range(rows):
        widen(logp[j], pad, wide)
        total[:] = 0.0
        for part in range(parts):
            f = pad - span - shift * v[j] + part / parts
            base = math.floor(f)
            w, near = taps(f - base), wide[base - POINTS // 2 + 1 :]
            for i in range(density.size):
                value = sixteen(w, near, i)
                density[i] = fast_exp(max(min(value, 700.0), -700.0))
            for m in range((part + half) % parts - half, half + 1, parts):
                weight, moved = weights[m + half], density[span + (m - part) // parts * stride :]
                for i in range(n):
                    total[i] += weight * moved[i]
        for i in range(n):
            out[j, i] = max(math.log(total[i]), EMPTY)
    return out


@compiled()
def widen(row: Array, pad: int, wide: Array) -> None:
    """The row, with its parabolas for so many points beyond each end."""
    n = row.size
    wide[pad : pad + n] = row
    for i in range(pad):
        wide[pad - 1 - i] = beyond(row[0], row[STRIDE], row[2 * STRIDE], 1.0 + i)
        wide[pad + n + i] = beyond(row[n - 1], row[n - 1 - STRIDE], row[n - 1 - 2 * STRIDE], 1.0 + i)


@compiled()
def curvatures(logp: Array, dx: float, dv: float, deep: float) -> tuple[float, float]:
    """The largest curvature of the log density in x and in v where it is above -deep; at least 1e-12."""
    along, across = 1e-12, 1e-12
    for j in range(1, logp.shape[0] - 1):
        for i in range(1, logp.shape[1] - 1):
            if logp[j, i] > -deep:
                along = max(along, 2.0 * logp[j, i] - logp[j, i - 1] - logp[j, i + 1])
                across = max(across, 2.0 * logp[j, i] - logp[j - 1, i] - logp[j + 1, i])
    return along / (dx * dx), across / (dv * dv)
