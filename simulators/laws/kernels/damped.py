"""Critically damped Langevin on phase space, see `simulators.laws.phase` for the recurrence.

Errors are kept in units of Sigma: the error matrix of the covariance lies between -err Sigma and err Sigma,
and the error of the mean has norm off in the metric of Sigma^{-1}. A step maps Sigma to F Sigma F^T = Sigma'
+ M with M small and known, so both bounds grow by rho = 1 + the largest eigenvalue of Sigma'^{-1} M, which is
close to one.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from simulators.compiled import compiled
from simulators.laws.kernels.common import ULPS, Array, Index, Row, U, W, coefficients

__all__ = ["damped_kernel"]

Sigma = tuple[float, float, float, float, float]
Moments = tuple[float, float, float, float, float, float, float]
PhaseNode = tuple[float, float, float, float, float, float, float, float, float]


@compiled(inline=True)
def phase_node(nodes: Array, k: int) -> PhaseNode:
    """The decay factors of `simulators.laws.phase.phase_nodes` and the slack of the time at node k."""
    return (
        nodes[k, 0],
        nodes[k, 1],
        nodes[k, 2],
        nodes[k, 3],
        nodes[k, 4],
        nodes[k, 5],
        nodes[k, 6],
        nodes[k, 7],
        nodes[k, 8],
    )


@compiled(inline=True)
def covariance(lam: float, node: PhaseNode) -> Sigma:
    """Sigma xx, xv, vv, its determinant, and a bound on their relative errors in units of U."""
    det = lam * node[3] + node[4]
    loose = 164.0 + 2.0 * node[8] * abs(lam - 1.0) * node[3] / det + node[8]
    return lam * node[0] + node[1], -(lam - 1.0) * node[7], lam * node[2] + (1.0 - node[2]), det, loose


@compiled(inline=True)
def damped_step(
    fault: tuple[float, float, float, float], state: Moments, here: Sigma, there: Sigma, r: Row
) -> Moments:
    """One step; state = (D xx, xv, vv, err, e x, v, off), fault = (mean velocity, c, eta, p).

    With the exact score, y = F Sigma e_v; the error b = p eta adds 4 b (G y^T + y G^T) + 16 b^2 Sigma_vv G
    G^T.
    """
    dxx, dxv, dvv, err, ex, ev, off = state
    mu, c, eta, p = fault
    sxx, sxv, svv, det, loose = here
    nxx, nxv, nvv, ndet, nloose = there
    gx, gv = r[4], r[5]
    px, pv, b = -sxv / det, sxx / det, p * eta
    turn, steep = pv - b, abs(pv) + abs(b)
    kxx, kxv = r[0] - 4.0 * gx * px, r[1] - 4.0 * gx * turn  # K = F - I
    kvx, kvv = r[2] - 4.0 * gv * px, r[3] - 4.0 * gv * turn
    axx, axv = abs(r[0]) + 4.0 * abs(gx * px), abs(r[1]) + 4.0 * abs(gx) * steep
    avx, avv = abs(r[2]) + 4.0 * abs(gv * px), abs(r[3]) + 4.0 * abs(gv) * steep
    yx, yv = (1.0 + r[0]) * sxv + r[1] * svv - 4.0 * gx, r[2] * sxv + (1.0 + r[3]) * svv - 4.0 * gv
    zx = (1.0 + abs(r[0])) * abs(sxv) + abs(r[1]) * svv + 4.0 * abs(gx)
    zv = abs(r[2] * sxv) + (1.0 + abs(r[3])) * svv + 4.0 * abs(gv)
    bend = 16.0 * (pv + b * b * svv)
    lxx = r[6] + bend * gx * gx + 8.0 * b * gx * yx
    lxv = r[7] + bend * gx * gv + 4.0 * b * (gx * yv + gv * yx)
    lvv = r[8] + bend * gv * gv + 8.0 * b * gv * yv
    mxx = abs(r[6]) + bend * gx * gx + 8.0 * abs(b * gx) * zx
    mxv = abs(r[7]) + bend * abs(gx * gv) + 4.0 * abs(b) * (abs(gx) * zv + abs(gv) * zx)
    mvv = abs(r[8]) + bend * gv * gv + 8.0 * abs(b * gv) * zv
    ux, uv, wx, wv = (
        kxx * dxx + kxv * dxv,
        kxx * dxv + kxv * dvv,
        kvx * dxx + kvv * dxv,
        kvx * dxv + kvv * dvv,
    )
    qxx = dxx + (2.0 * ux + ux * kxx + uv * kxv + lxx)
    qxv = dxv + (uv + wx + ux * kvx + uv * kvv + lxv)
    qvv = dvv + (2.0 * wv + wx * kvx + wv * kvv + lvv)
    # roundoff on the sizes of all terms, with |D| enlarged by its error
    hxx, hxv, hvv = abs(dxx) + err * sxx, abs(dxv) + err * math.sqrt(sxx * svv), abs(dvv) + err * svv
    sx, sv, tx, tv = (
        axx * hxx + axv * hxv,
        axx * hxv + axv * hvv,
        avx * hxx + avv * hxv,
        avx * hxv + avv * hvv,
    )
    atom, wide = 3.0 * (r[ULPS] + 3.0 * loose) + 40.0, 1.0 + 4.0 * nloose * U
    bxx = U * (atom * (2.0 * sx + sx * axx + sv * axv + mxx) + abs(qxx))
    bxv = U * (atom * (sv + tx + sx * avx + sv * avv + mxv) + abs(qxv))
    bvv = U * (atom * (2.0 * tv + tx * avx + tv * avv + mvv) + abs(qvv))
    ixx, ixv, ivv = nvv / ndet, abs(nxv) / ndet, nxx / ndet  # sizes of the entries of Sigma'^{-1}
    tail = (ixx * bxx + 2.0 * ixv * bxv + ivv * bvv) * wide
    Mxx, Mxv, Mvv = lxx - r[9], lxv - r[10], lvv - r[11]
    size = ixx * (mxx + r[9]) + 2.0 * ixv * (mxv + abs(r[10])) + ivv * (mvv + r[11])
    trace = ixx * Mxx - 2.0 * nxv / ndet * Mxv + ivv * Mvv
    disc = trace * trace - 4.0 * (Mxx * Mvv - Mxv * Mxv) / ndet
    slip = U * (2.0 * atom + 8.0 * nloose)
    rho = 1.0 + 0.5 * (trace + math.sqrt(max(disc, 0.0) + 16.0 * slip * size * size)) + slip * size
    rho = max(rho, 0.0)
    push, push_size = p * (c + eta * mu), abs(p) * (abs(c) + abs(eta * mu))
    fx, fv = ex + (kxx * ex + kxv * ev + 4.0 * gx * push), ev + (kvx * ex + kvv * ev + 4.0 * gv * push)
    ox, ov = abs(ex) + off * math.sqrt(sxx), abs(ev) + off * math.sqrt(svv)
    bx = U * (atom * (axx * ox + axv * ov + 4.0 * abs(gx) * push_size) + abs(fx))
    bv = U * (atom * (avx * ox + avv * ov + 4.0 * abs(gv) * push_size) + abs(fv))
    off = (math.sqrt(rho) * off + (math.sqrt(ixx) * bx + math.sqrt(ivv) * bv) * wide) * (1.0 + 32.0 * U)
    return qxx, qxv, qvv, (rho * err + tail) * (1.0 + 32.0 * U), fx, fv, off


@compiled(parallel=True)
def damped_kernel(
    tasks: Index,
    first: Index,
    row: Index,
    table: Array,
    nodes: Array,
    weight: Array,
    adapted: Array,
    lane: Array,
    state: Array,
) -> None:
    """Advance (D xx, xv, vv, err, e x, v, off) of each lane (lam, mean, c, eta); affine score error."""
    for t in prange(tasks.shape[0]):
        g, lo, n = tasks[t, 0], tasks[t, 1], tasks[t, 2]
        b = np.empty(16 * W)
        at = first[g] + g
        node = phase_node(nodes, at)
        for i in range(n):
            for j in range(4):
                b[j * W + i] = lane[j, lo + i]
            for j in range(7):
                b[(4 + j) * W + i] = state[j, lo + i]
            sigma = covariance(b[i], node)
            b[11 * W + i], b[12 * W + i], b[13 * W + i], b[14 * W + i], b[15 * W + i] = sigma
        for k in range(first[g], first[g + 1]):
            r = coefficients(table, row[k])
            at += 1
            end = phase_node(nodes, at)
            for i in range(n):
                there = covariance(b[i], end)
                here = b[11 * W + i], b[12 * W + i], b[13 * W + i], b[14 * W + i], b[15 * W + i]
                p = weight[k] - adapted[g] * node[6] / here[3]
                fault = -b[W + i] * node[6], b[2 * W + i], b[3 * W + i], p
                cov = b[4 * W + i], b[5 * W + i], b[6 * W + i], b[7 * W + i]
                old = cov[0], cov[1], cov[2], cov[3], b[8 * W + i], b[9 * W + i], b[10 * W + i]
                xx, xv, vv, err, x, v, off = damped_step(fault, old, here, there, r)
                b[4 * W + i], b[5 * W + i], b[6 * W + i], b[7 * W + i] = xx, xv, vv, err
                b[8 * W + i], b[9 * W + i], b[10 * W + i] = x, v, off
                b[11 * W + i], b[12 * W + i], b[13 * W + i], b[14 * W + i], b[15 * W + i] = there
            node = end
        for i in range(n):
            for j in range(7):
                state[j, lo + i] = b[(4 + j) * W + i]
