"""Underdamped Langevin, alone or as the corrector of a one-stage predictor, see
`simulators.samplers.scheme.Kinetic`.

Carried are the relative deviations (xx/S, xv/sqrt S, vv) of the covariance and (x, v) of the mean. Their
errors are bounded in norm: the spectral norm of the error matrix in the coordinates x/sqrt S, where a step is
within O(h^2/S) of a contraction, and the Euclidean norm of (x, sqrt S v). Entrywise bounds would grow like
the powers of |F|, although F only turns. A row of the table is (1 - e^{-gh}, c, b, ..., ulps) for kinetic
steps.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from simulators.compiled import compiled
from simulators.laws.kernels.common import (
    INFLATE,
    KINETIC,
    REFRESH,
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
from simulators.laws.kernels.one_stage import affine_step

__all__ = ["chain_rescue", "kinetic_kernel"]

Moments = tuple[float, float, float, float, float, float, float]
Fault = tuple[float, float, float, float, float]


@compiled(inline=True)
def kinetic_step(
    here: Reference, fault: Fault, state: Moments, e: Row, scale: float, dev_scale: float
) -> Moments:
    """One step at fixed S; state = (xx, xv, vv, error, x, v, error), fault = (mu, c, eta, p, relative error
    of p).

    Score errors bend F by eta b p and eta c p in its first column: G1, G2 in the scaled coordinates.
    """
    xx, xv, vv, err, x, v, dev_err = state
    mu, c, eta, p, p_loose = fault
    lost, kick_v, kick_x = e[0], e[1], e[2]
    root = math.sqrt(here[0])
    beta, gamma = kick_x * here[1], kick_v / root
    G1, G2 = kick_x * eta * p, kick_v * root * eta * p
    bent, pull = beta - G1, gamma - G2
    kept, keep = 1.0 - bent, 1.0 - lost
    local_xx, local_xv = beta * beta + G1 * (2.0 - 2.0 * beta + G1), bent * gamma + G2 * (1.0 - bent)
    new_xx = xx + (2.0 * kept * gamma * xv + gamma * gamma * vv - bent * (2.0 - bent) * xx + scale * local_xx)
    cross = bent * lost - bent - lost - gamma * pull
    new_xv = xv + (cross * xv - kept * pull * xx + gamma * keep * vv + scale * local_xv)
    new_vv = vv + (pull * pull * (xx + scale) - lost * (2.0 - lost) * vv - 2.0 * pull * keep * xv)
    straight, skew = (kept + keep) ** 2 + (gamma + pull) ** 2, (lost - bent) ** 2 + G2 * G2
    norm = 0.5 * (math.sqrt(straight) + math.sqrt(skew)) * (1.0 + 16.0 * U)
    B1, B2 = beta + abs(G1), gamma + abs(G2)
    XX, XV, VV = abs(xx) + err, abs(xv) + err, abs(vv) + err
    size = B1 * (2.0 + B1) * XX + 2.0 * (1.0 + B1) * gamma * XV + gamma * gamma * VV
    size += 2.0 * ((B1 + lost + B1 * lost + gamma * B2) * XV + (1.0 + B1) * B2 * XX + gamma * VV)
    size += lost * (2.0 + lost) * VV + 2.0 * B2 * XV + B2 * B2 * (XX + scale)
    size += scale * (beta * beta + abs(G1) * (2.0 + 2.0 * B1) + 2.0 * (B1 * gamma + abs(G2) * (1.0 + B1)))
    atom = e[ULPS] + here[2] + p_loose + 8.0
    tail = U * ((3.0 * atom + 16.0) * size + abs(new_xx) + 2.0 * abs(new_xv) + abs(new_vv))
    new_err = (norm * norm * err + tail) * INFLATE
    scaled, weak = x / root, dev_err / root
    push, push_size = dev_scale * p * (c + eta * mu), dev_scale * abs(p) * (abs(c) + abs(eta * mu))
    new_x = scaled + (gamma * v - bent * scaled + kick_x / root * push)
    new_v = v + (kick_v * push - lost * v - pull * scaled)
    spread = (B1 + B2) * (abs(scaled) + weak) + (gamma + lost) * (abs(v) + weak)
    spread += (kick_x / root + kick_v) * push_size
    slip = U * ((2.0 * atom + 16.0) * spread + 4.0 * (abs(new_x) + abs(new_v)))
    return new_xx, new_xv, new_vv, new_err, new_x * root, new_v, (norm * weak + slip) * root * INFLATE


@compiled(parallel=True)
def kinetic_kernel(
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
    """Kinetic and one-stage steps in any order, affine score error."""
    for t in prange(tasks.shape[0]):
        g, lo, n = tasks[t, 0], tasks[t, 1], tasks[t, 2]
        b = np.zeros(14 * W)
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
            if kind[k] == REFRESH:
                for i in range(n):
                    b[11 * W + i], b[12 * W + i], b[13 * W + i] = 0.0, 0.0, 0.0
            if kind[k] >= KINETIC:
                for i in range(n):
                    here = b[8 * W + i], b[9 * W + i], b[10 * W + i] + node[3]
                    p, p_loose = weighted(given, fits, node, here)
                    fault = b[W + i] * node[2], b[2 * W + i], b[3 * W + i], p, p_loose
                    xx, err, x, dev_err = b[4 * W + i], b[5 * W + i], b[6 * W + i], b[7 * W + i]
                    old = xx, b[11 * W + i], b[12 * W + i], err, x, b[13 * W + i], dev_err
                    xx, xv, vv, err, x, v, dev_err = kinetic_step(here, fault, old, e, 1.0, 1.0)
                    b[4 * W + i], b[5 * W + i], b[6 * W + i], b[7 * W + i] = xx, err, x, dev_err
                    b[11 * W + i], b[12 * W + i], b[13 * W + i] = xv, vv, v
            else:
                for i in range(n):
                    there = reference(b[i], end)
                    here = b[8 * W + i], b[9 * W + i], b[10 * W + i]
                    p, p_loose = weighted(given, fits, node, here)
                    fault = b[W + i] * node[2], b[2 * W + i], b[3 * W + i], p, p_loose
                    flat = b[4 * W + i], b[5 * W + i], b[6 * W + i], b[7 * W + i]
                    new = affine_step(b[i], fault, flat, here, there, node, e, 1.0, 1.0)
                    b[4 * W + i], b[5 * W + i], b[6 * W + i], b[7 * W + i] = new
                    b[8 * W + i], b[9 * W + i], b[10 * W + i] = there
            node = end
        for i in range(n):
            for j in range(4):
                state[j, lo + i] = b[(4 + j) * W + i]


@compiled()
def chain_rescue(
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
    """Single lanes (group, lane) of one-stage and kinetic steps, on a floating scale: value 2^(500 power)."""
    for t in range(alone.shape[0]):
        g, i = alone[t, 0], alone[t, 1]
        lam, m, c, eta = lane[0, i], lane[1, i], lane[2, i], lane[3, i]
        xx, err, x, dev_err = state[0, i], state[1, i], state[2, i], state[3, i]
        xv, vv, v = 0.0, 0.0, 0.0
        power, dev_power, fits = 0, 0, adapted[g]
        at = first[g] + g
        node = node_at(nodes, at)
        here = reference(lam, node)
        for k in range(first[g], first[g + 1]):
            if kind[k] == REFRESH:
                xv, vv, v = 0.0, 0.0, 0.0
            f, power, scale = rescaled(max(abs(xx), abs(xv), abs(vv)) + err, power)
            s, dev_power, dev_scale = rescaled(max(abs(x), abs(v)) + dev_err, dev_power)
            xx, xv, vv, err, x, v, dev_err = f * xx, f * xv, f * vv, f * err, s * x, s * v, s * dev_err
            at += 1
            end, e = node_at(nodes, at), coefficients(table, row[k])
            p, p_loose = weighted(weights[k, 0], fits, node, here)
            fault = m * node[2], c, eta, p, p_loose
            if kind[k] >= KINETIC:
                sharp = here[0], here[1], here[2] + node[3]
                moments = kinetic_step(sharp, fault, (xx, xv, vv, err, x, v, dev_err), e, scale, dev_scale)
                xx, xv, vv, err, x, v, dev_err = moments
            else:
                there = reference(lam, end)
                old = xx, err, x, dev_err
                xx, err, x, dev_err = affine_step(lam, fault, old, here, there, node, e, scale, dev_scale)
                here = there
            node = end
        state[0, i], state[1, i], state[2, i], state[3, i] = xx, err, x, dev_err
        powers[0, t], powers[1, t] = power, dev_power
