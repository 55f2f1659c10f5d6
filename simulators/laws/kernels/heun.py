"""Heun's method on the probability flow, see `simulators.samplers.scheme.Heun` for the identity behind it.

With near = p eta, far = q eta the score errors at the two stages, the slope is a + change,

    change = (h/2)(near + far + h (near r' + far (r + near))),

and the mean deviation gains (h/2){first (1 + h (r' + far)) + second}, first = p (c + eta mu) and
second = q (c + eta mu (1 + h)). Arguments as in `simulators.laws.kernels.one_stage`.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from simulators.compiled import compiled
from simulators.laws.kernels.common import (
    INFLATE,
    ULPS,
    Array,
    Index,
    Reference,
    Row,
    U,
    W,
    coefficients,
    node_at,
    reference,
    rescaled,
    weighted,
)
from simulators.laws.kernels.one_stage import State

__all__ = ["heun_kernel", "heun_rescue"]

Fault = tuple[float, float, float, float, float, float, float]


@compiled(inline=True)
def heun_step(
    R: float,
    slack: float,
    fault: Fault,
    state: State,
    here: Reference,
    there: Reference,
    e: Row,
    scale: float,
    dev_scale: float,
) -> State:
    """One step; fault = (mu, c, eta, p, relative error of p, q, relative error of q)."""
    rel, rel_err, dev, dev_err = state
    mu, c, eta, p, p_loose, q, q_loose = fault
    half, h, ulps = e[1], e[2], e[ULPS]
    r = R * here[1]
    ratio = here[0] * there[1]  # 1/(1 + x)
    r1 = e[9] * r * ratio
    near, far = p * eta, q * eta
    poly = r * (e[3] + r * (e[4] + r * (e[5] + r * e[6])))
    poly_size = abs(r) * (abs(e[3]) + abs(r) * (abs(e[4]) + abs(r) * (abs(e[5]) + abs(r) * abs(e[6]))))
    cube = ratio * ratio * ratio
    slope = half * (r + r1 + h * r * r1)  # a - 1
    slope_size = half * (abs(r) + abs(r1) + h * abs(r * r1))
    change = half * (near + far + h * (near * r1 + far * (r + near)))
    change_size = half * (abs(near) + abs(far) + h * (abs(near * r1) + abs(far) * (abs(r) + abs(near))))
    grow = poly * cube + change * (2.0 + 2.0 * slope + change) * ratio
    wide = change_size * (2.0 + 2.0 * slope_size + change_size) * ratio
    new = rel + (grow * rel + scale * grow)
    loose = ulps + 24.0 + slack + 2.0 * here[2] + there[2]  # of r and r1
    tail = (ulps + 30.0 + 4.0 * loose + 3.0 * (here[2] + there[2])) * poly_size * cube
    tail = U * (tail + (3.0 * ulps + 40.0 + 6.0 * loose + 3.0 * (p_loose + q_loose)) * wide)
    new_err = (abs(1.0 + grow) * rel_err + tail * (scale + abs(rel) + rel_err) + U * abs(new)) * INFLATE
    lean = (2.0 * ulps + 12.0 + 2.0 * loose) * slope_size
    lean = U * (lean + (2.0 * ulps + 16.0 + 2.0 * loose + p_loose + q_loose) * change_size)
    push = dev_scale * mu * (e[7] + half * e[8] * r1)
    push_size = dev_scale * abs(mu) * (abs(e[7]) + half * abs(e[8] * r1))
    one, one_size = p * (c + eta * mu), p * (abs(c) + abs(eta * mu))
    two, two_size = q * (c + eta * mu * (1.0 + h)), q * (abs(c) + abs(eta * mu) * (1.0 + h))
    error = dev_scale * half * (one + two + h * (r1 + far) * one)
    error_size = dev_scale * half * (one_size + two_size + h * (abs(r1) + abs(far)) * one_size)
    jump = slope + change
    moved = dev + (jump * dev + push + error)
    drift = abs(moved) + (2.0 * ulps + 24.0 + loose + slack) * push_size
    drift += (2.0 * ulps + 40.0 + loose + slack + 2.0 * (p_loose + q_loose)) * error_size
    moved_err = (abs(1.0 + jump) * dev_err + lean * (abs(dev) + dev_err) + U * drift) * INFLATE
    return new, new_err, moved, moved_err


@compiled(parallel=True)
def heun_kernel(
    tasks: Index,
    first: Index,
    row: Index,
    kind: Index,
    table: Array,
    nodes: Array,
    weights: Array,
    adapted: Array,
    lane: Array,
    state: Array,
) -> None:
    """Affine score errors at both stages."""
    for t in prange(tasks.shape[0]):
        g, lo, n = tasks[t, 0], tasks[t, 1], tasks[t, 2]
        b = np.empty(11 * W)
        at = first[g] + g
        node = node_at(nodes, at)
        for i in range(n):
            for j in range(4):
                b[j * W + i] = lane[j, lo + i]
                b[(4 + j) * W + i] = state[j, lo + i]
            b[8 * W + i], b[9 * W + i], b[10 * W + i] = reference(b[i], node)
        for k in range(first[g], first[g + 1]):
            e = coefficients(table, row[k])
            given, following, fits = weights[k, 0], weights[k, 1], adapted[g]
            at += 1
            end = node_at(nodes, at)
            for i in range(n):
                there = reference(b[i], end)
                old = b[4 * W + i], b[5 * W + i], b[6 * W + i], b[7 * W + i]
                here = b[8 * W + i], b[9 * W + i], b[10 * W + i]
                p, p_loose = weighted(given, fits, node, here)
                q, q_loose = weighted(following, fits, end, there)
                fault = b[W + i] * node[2], b[2 * W + i], b[3 * W + i], p, p_loose, q, q_loose
                new = heun_step((b[i] - 1.0) * node[0], node[3], fault, old, here, there, e, 1.0, 1.0)
                b[4 * W + i], b[5 * W + i], b[6 * W + i], b[7 * W + i] = new
                b[8 * W + i], b[9 * W + i], b[10 * W + i] = there
            node = end
        for i in range(n):
            for j in range(4):
                state[j, lo + i] = b[(4 + j) * W + i]


@compiled()
def heun_rescue(
    alone: Index,
    first: Index,
    row: Index,
    kind: Index,
    table: Array,
    nodes: Array,
    weights: Array,
    adapted: Array,
    lane: Array,
    state: Array,
    powers: Index,
) -> None:
    """Single lanes (group, lane), on a floating scale: numbers are value 2^(500 power)."""
    for t in range(alone.shape[0]):
        g, i = alone[t, 0], alone[t, 1]
        lam, m, c, eta = lane[0, i], lane[1, i], lane[2, i], lane[3, i]
        rel, rel_err, dev, dev_err = state[0, i], state[1, i], state[2, i], state[3, i]
        power, dev_power, fits = 0, 0, adapted[g]
        at = first[g] + g
        node = node_at(nodes, at)
        here = reference(lam, node)
        for k in range(first[g], first[g + 1]):
            factor, power, scale = rescaled(abs(rel) + rel_err, power)
            dev_factor, dev_power, dev_scale = rescaled(abs(dev) + dev_err, dev_power)
            old = rel * factor, rel_err * factor, dev * dev_factor, dev_err * dev_factor
            at += 1
            end = node_at(nodes, at)
            there = reference(lam, end)
            p, p_loose = weighted(weights[k, 0], fits, node, here)
            q, q_loose = weighted(weights[k, 1], fits, end, there)
            fault, e = (m * node[2], c, eta, p, p_loose, q, q_loose), coefficients(table, row[k])
            new = heun_step((lam - 1.0) * node[0], node[3], fault, old, here, there, e, scale, dev_scale)
            rel, rel_err, dev, dev_err = new
            node, here = end, there
        state[0, i], state[1, i], state[2, i], state[3, i] = rel, rel_err, dev, dev_err
        powers[0, t], powers[1, t] = power, dev_power
