"""One-stage samplers x+ = A x + B s(x) + sqrt(Q) z, see `simulators.laws.gaussian` for the recurrence.

Arguments of all kernels: tasks (group, first lane, lanes); first, row, kind, table, nodes, weights (here,
next), adapted, as in `simulators.laws.steps.Schedule`; lane (lam, mean, c, eta); state (rel, rel_err, dev,
dev_err), advanced in place. A row of the table is (A - 1, B, Q, k0, k1, k2, A - growth, ..., ulps).
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
    Node,
    Reference,
    Row,
    U,
    W,
    coefficients,
    node_at,
    reference,
    weighted,
)

__all__ = ["State", "affine_step", "fast_exact", "one_stage_affine", "one_stage_exact"]

State = tuple[float, float, float, float]


@compiled(inline=True)
def exact_step(
    lam: float, m: float, state: State, here: Reference, there: Reference, node: Node, e: Row
) -> State:
    """One step with the exact score."""
    rel, rel_err, dev, dev_err = state
    R, kick = (lam - 1.0) * node[0], e[1] * here[1]
    far = abs(R) * (abs(e[4]) + abs(R) * abs(e[5])) * here[1]
    size = far + abs(e[3]) * here[1]
    local = (e[3] + R * (e[4] + R * e[5])) * here[1]
    grow = (local - e[2]) * there[1]
    new = rel + (grow * rel + local * there[1])
    loose, bulk = e[ULPS] + 34.0 + here[2] + there[2], abs(rel) + rel_err
    tail = loose * (size + (size + e[2]) * bulk) + 2.0 * node[3] * far * (1.0 + bulk)
    new_err = (abs(1.0 + grow) * rel_err + U * there[1] * tail + U * abs(new)) * INFLATE
    shrink = e[0] - kick
    slope = U * (e[ULPS] + 6.0 + here[2]) * (abs(e[0]) + abs(kick))
    push = e[6] * m * node[2]
    moved = dev + (shrink * dev + push)
    drift = U * (abs(moved) + (e[ULPS] + 14.0 + node[3]) * abs(push))
    moved_err = (abs(1.0 + shrink) * dev_err + slope * (abs(dev) + dev_err) + drift) * INFLATE
    return new, new_err, moved, moved_err


@compiled(inline=True)
def affine_step(
    lam: float,
    fault: tuple[float, float, float, float, float],
    state: State,
    here: Reference,
    there: Reference,
    node: Node,
    e: Row,
    scale: float,
    dev_scale: float,
) -> State:
    """One step with the score error p (c + eta x); fault = (mu, c, eta, p, relative error of p).

    scale, dev_scale : of the numbers carried, 1 unless they are kept as multiples of a power of two.
    """
    rel, rel_err, dev, dev_err = state
    mu, c, eta, p, p_loose = fault
    R, kick, Bp = (lam - 1.0) * node[0], e[1] * here[1], e[1] * p
    b = Bp * eta
    far = abs(R) * (abs(e[4]) + abs(R) * abs(e[5])) * here[1]
    size = far + abs(e[3]) * here[1]
    shrink, shrink_size = e[0] - kick, abs(e[0]) + abs(kick)
    extra = (2.0 * (1.0 + shrink) + b) * b * here[0]
    extra_size = (2.0 * (1.0 + shrink_size) + abs(b)) * abs(b) * here[0]
    local = (e[3] + R * (e[4] + R * e[5])) * here[1]
    grow = (local - e[2] + extra) * there[1]
    new = rel + (grow * rel + scale * (local + extra) * there[1])
    loose, bulk = e[ULPS] + 36.0 + here[2] + there[2], abs(rel) + rel_err
    extra_size *= 3.0 * e[ULPS] + 44.0 + 3.0 * here[2] + 2.0 * p_loose + there[2]
    tail = loose * (scale * size + (size + e[2]) * bulk) + (2.0 * node[3] * far + extra_size) * (scale + bulk)
    new_err = (abs(1.0 + grow) * rel_err + U * there[1] * tail + U * abs(new)) * INFLATE
    slope = U * ((e[ULPS] + 8.0 + here[2]) * shrink_size + (e[ULPS] + p_loose + 8.0) * abs(b))
    shrink += b
    push, mistake = dev_scale * e[6] * mu, dev_scale * Bp * (c + eta * mu)
    mistake_size = dev_scale * abs(Bp) * (abs(c) + abs(eta * mu))
    moved = dev + (shrink * dev + push + mistake)
    drift = abs(moved) + (e[ULPS] + 16.0 + node[3]) * abs(push)
    drift += (e[ULPS] + p_loose + 18.0 + node[3]) * mistake_size
    moved_err = (abs(1.0 + shrink) * dev_err + slope * (abs(dev) + dev_err) + U * drift) * INFLATE
    return new, new_err, moved, moved_err


@compiled(parallel=True)
def one_stage_exact(
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
    """Exact score."""
    for t in prange(tasks.shape[0]):
        g, lo, n = tasks[t, 0], tasks[t, 1], tasks[t, 2]
        b = np.empty(9 * W)
        at = first[g] + g
        node = node_at(nodes, at)
        for i in range(n):
            b[i], b[W + i] = lane[0, lo + i], lane[1, lo + i]
            for j in range(4):
                b[(2 + j) * W + i] = state[j, lo + i]
            b[6 * W + i], b[7 * W + i], b[8 * W + i] = reference(b[i], node)
        for k in range(first[g], first[g + 1]):
            e = coefficients(table, row[k])
            at += 1
            end = node_at(nodes, at)
            for i in range(n):
                there = reference(b[i], end)
                old = b[2 * W + i], b[3 * W + i], b[4 * W + i], b[5 * W + i]
                here = b[6 * W + i], b[7 * W + i], b[8 * W + i]
                new = exact_step(b[i], b[W + i], old, here, there, node, e)
                b[2 * W + i], b[3 * W + i], b[4 * W + i], b[5 * W + i] = new
                b[6 * W + i], b[7 * W + i], b[8 * W + i] = there
            node = end
        for i in range(n):
            for j in range(4):
                state[j, lo + i] = b[(2 + j) * W + i]


@compiled(parallel=True)
def one_stage_affine(
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
    """Affine score error."""
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
            given, fits = weights[k, 0], adapted[g]
            at += 1
            end = node_at(nodes, at)
            for i in range(n):
                there = reference(b[i], end)
                old = b[4 * W + i], b[5 * W + i], b[6 * W + i], b[7 * W + i]
                here = b[8 * W + i], b[9 * W + i], b[10 * W + i]
                p, p_loose = weighted(given, fits, node, here)
                fault = b[W + i] * node[2], b[2 * W + i], b[3 * W + i], p, p_loose
                new = affine_step(b[i], fault, old, here, there, node, e, 1.0, 1.0)
                b[4 * W + i], b[5 * W + i], b[6 * W + i], b[7 * W + i] = new
                b[8 * W + i], b[9 * W + i], b[10 * W + i] = there
            node = end
        for i in range(n):
            for j in range(4):
                state[j, lo + i] = b[(4 + j) * W + i]


@compiled(parallel=True)
def fast_exact(
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
    """Exact score, no error bounds."""
    for t in prange(tasks.shape[0]):
        g, lo, n = tasks[t, 0], tasks[t, 1], tasks[t, 2]
        b = np.empty(6 * W)
        at = first[g] + g
        for i in range(n):
            b[i], b[W + i] = lane[0, lo + i], lane[1, lo + i]
            b[2 * W + i], b[3 * W + i] = state[0, lo + i], state[2, lo + i]
            b[4 * W + i] = b[i] * nodes[at, 0] + nodes[at, 1]
            b[5 * W + i] = 1.0 / b[4 * W + i]
        for k in range(first[g], first[g + 1]):
            e = coefficients(table, row[k])
            A, decay2, push = 1.0 + e[0], nodes[at, 0], nodes[at, 2] * e[6]
            at += 1
            next2, rise2 = nodes[at, 0], nodes[at, 1]
            for i in range(n):
                S, inverse = b[4 * W + i], b[5 * W + i]
                R = (b[i] - 1.0) * decay2
                next_S = b[i] * next2 + rise2
                next_inverse = 1.0 / next_S
                a = A - e[1] * inverse
                local = (e[3] + R * (e[4] + R * e[5])) * inverse
                b[2 * W + i] = (a * a * S * b[2 * W + i] + local) * next_inverse
                b[3 * W + i] = a * b[3 * W + i] + push * b[W + i]
                b[4 * W + i], b[5 * W + i] = next_S, next_inverse
        for i in range(n):
            state[0, lo + i], state[2, lo + i] = b[2 * W + i], b[3 * W + i]
