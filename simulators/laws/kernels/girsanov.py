"""Contributions of the steps to a path KL, with bounds on their rounding errors: see `simulators.laws.paths`.

A row of the table holds the integrals of `simulators.laws.integrals` for the step's length; lane is
(lam, mean, c, eta, dimension); out receives the sum over the steps and its error.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from simulators.compiled import compiled
from simulators.laws.kernels.common import (
    ULPS,
    Array,
    Index,
    Reference,
    Row,
    U,
    coefficients,
    node_at,
    reference,
)

__all__ = ["CDS", "EI", "EM", "NODES", "WEIGHTS", "damped_path_kernel", "excesses", "path_kernel"]

EI, CDS, EM = 0, 1, 2
NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)
Pair = tuple[float, float]


@compiled()
def excess(x: float, ratio: float) -> float:
    """The function x - log(1 + x), ratio = 1 + x known separately; its series is good to 40 U."""
    if abs(x) > 0.25:
        return x - math.log(ratio)
    s = x / (2.0 + x)  # log(1 + x) = 2 artanh s and x - 2 s = x s
    q = s * s
    series = 1.0 / 21.0
    for k in range(9, 0, -1):
        series = series * q + 1.0 / (2 * k + 1)
    return s * (x - 2.0 * q * series)


@compiled()
def excesses(x: Array, ratio: Array) -> Array:
    """The same elementwise, infinite at ratio = 0."""
    out = np.empty_like(x)
    for i in range(x.size):
        out.flat[i] = np.inf if ratio.flat[i] <= 0.0 else excess(x.flat[i], ratio.flat[i])
    return out


@compiled()
def _half_excess(x: float, loose: float, ratio: float, ratio_loose: float) -> Pair:
    """Half of x - log(1 + x) and its error; x and ratio = 1 + x have relative errors in units of U."""
    if ratio <= 0.0:
        return np.inf, 0.0
    value = 0.5 * excess(x, ratio)
    if abs(x) > 0.25:
        size = abs(x) * (loose + 2.0) + ratio_loose + 2.0 * abs(math.log(ratio)) + 2.0 * abs(value)
    else:
        size = x * x * (loose / (1.0 - abs(x)) + U * loose * loose) + 80.0 * value
    return value, 0.5 * U * size


@compiled(inline=True)
def _square(value: float, error: float) -> Pair:
    return value * value, (2.0 * abs(value) + error) * error + 2.0 * U * value * value


@compiled()
def _fit(first: float, slope: float, gram: tuple[float, float, float], loose: float) -> Pair:
    """Integral of (first g - slope)^2 for one function g, and its error.

    gram  : <g, g>, <1, g> and h <g, g> - <1, g>^2; the integral is
            (first <g, g> - slope <1, g>)^2/<g, g> + slope^2 (h <g, g> - <1, g>^2)/<g, g>.
    loose : relative error of all arguments in units of U.
    """
    off, size = first * gram[0] - slope * gram[1], abs(first) * gram[0] + abs(slope * gram[1])
    square, error = _square(off, U * (2.0 * loose + 3.0) * size)
    more = slope * slope * gram[2]
    value = (square + more) / gram[0]
    return value, (error + (4.0 * loose + 8.0) * U * more) / gram[0] + (loose + 4.0) * U * value


@compiled()
def _euler_noise(S: float, R: float, loose: float, ratio: Pair, r: Row, rises: Array) -> Pair:
    """Integral of (1 - e^{-2u})(S_u - 2)^2/(S S_u) over the step, and its error.

    8-point Gauss where S_u stays within an eighth of S and h <= 0.1: the poles of the integrand are then
    outside the ellipse with axes summing to 18, and 18^-16 < 2^-66. Elsewhere in closed form.
    """
    if abs(R) * r[0] <= 0.125 * S and r[3] <= 0.1:
        total, error = 0.0, 0.0
        for j in range(8):
            rise = rises[j]
            size = (loose + 12.0) * (abs(R) * (1.0 + rise)) + 2.0 * (1.0 + abs(R))
            square, slack = _square((R - 1.0) + R * rise, U * size)
            weight = 0.5 * r[3] * WEIGHTS[j] * rise / ((1.0 + rise) * (S * (S + R * rise)))
            total += weight * square
            error += weight * slack
        return total, error + (4.0 * loose + 80.0 + r[ULPS]) * U * total
    far, far_loose = ratio[0] * r[2], ratio[1] + r[ULPS] + 2.0
    value, error = _half_excess(-r[1] / S, r[ULPS] + loose + 2.0, far, far_loose)
    plain, size = (R * r[10] - 3.0 * r[11]) / S, (abs(R) * r[10] + 3.0 * r[11]) / S
    error = 4.0 * error + U * (r[ULPS] + 2.0 * loose + 12.0) * size + 4.0 * U * value
    return max(plain + 4.0 * value, 0.0), error


@compiled()
def _euler_spread(S: float, w: float, loose: float, r: Row) -> Pair:
    """(1/S) times the integral of (S d - q - 2 w S)^2, and its error, as three squares (Gram-Schmidt on d, 1,
    q).
    """
    beta = 2.0 * w * S
    lead = S * r[5] - r[6] - beta * r[4]
    lead_size = S * r[5] + r[6] + abs(beta) * r[4]
    lead, slip = _square(lead, U * (2.0 * loose + 4.0) * lead_size)
    side, slide = _square(beta * r[7] + r[8], U * (2.0 * loose + 4.0) * (abs(beta) * r[7] + abs(r[8])))
    value = (lead + (side / r[7] + r[9] * r[5] / r[7])) / r[5] / S
    return value, (slip + slide / r[7]) / r[5] / S + (4.0 * r[ULPS] + loose + 16.0) * U * value


@compiled()
def _contribution(
    kind: int,
    here: Reference,
    there: Reference,
    R: float,
    slack: float,
    fault: Row,
    n: float,
    r: Row,
    rises: Array,
) -> Pair:
    """One step's contribution and its error; fault = (mu, w, b, size of b, relative error of p)."""
    S, loose = here[0], here[2] + slack
    mu, w, b, b_size, p_loose = fault
    ulps, mu_loose = r[ULPS], 12.0 + slack
    ratio = there[0] / S, loose + there[2] + 1.0
    off = U * (p_loose + mu_loose + 8.0) * b_size
    if kind == EI:
        value, error = _half_excess(-r[0] / S, ulps + loose + 1.0, ratio[0] * r[1], ratio[1] + ulps + 1.0)
        fit, slip = _fit(1.0 / S, w, (r[4], r[3], r[5]), ulps + loose + p_loose + 4.0)
        fit, slip = S * fit, S * slip + (loose + 2.0) * U * S * fit
        square, mistake = _square(b, off)
        mean, mean_error = r[2] * square, r[2] * mistake + (ulps + 2.0) * U * r[2] * square
    elif kind == CDS:
        value, error = _half_excess(R * r[0] / S, ulps + 2.0 * loose + 12.0, ratio[0], ratio[1])
        fit, slip = _fit(R / S, w, (r[4], r[3], r[5]), ulps + 2.0 * loose + p_loose + 16.0)
        fit, slip = S * fit, S * slip + (loose + 2.0) * U * S * fit
        mean, mean_error = _fit(mu, b, (r[4], r[3], r[5]), ulps + mu_loose + 2.0)
        mean_error += 2.0 * off * (abs(mu) * r[3] + abs(b) * r[2]) + off * off * r[2]
    else:
        value, error = _euler_noise(S, R, loose + 12.0, ratio, r, rises)
        fit, slip = _euler_spread(S, w, ulps + loose + p_loose + 6.0, r)
        mean, mean_error = _fit(mu, 2.0 * b, (r[5], r[4], r[7]), ulps + mu_loose + 2.0)
        mean_error += 4.0 * off * (abs(mu) * r[4] + 2.0 * abs(b) * r[3]) + 4.0 * off * off * r[3]
        value, error, fit, slip = 0.25 * value, 0.25 * error, 0.25 * fit, 0.25 * slip
        mean, mean_error = 0.25 * mean, 0.25 * mean_error
    total = n * (value + fit) + mean
    return total, (n * (error + slip) + mean_error + 6.0 * U * total) * (1.0 + 16.0 * U)


@compiled(parallel=True)
def path_kernel(
    kind: int,
    tasks: Index,
    first: Index,
    row: Index,
    table: Array,
    nodes: Array,
    weight: Array,
    adapted: Array,
    lane: Array,
    out: Array,
    rises: Array,
) -> None:
    """One-stage samplers; rises (rows, 8) holds e^{2u} - 1 at the Gauss points. Compensated sums."""
    for t in prange(tasks.shape[0]):
        g = tasks[t, 0]
        for i in range(tasks[t, 1], tasks[t, 1] + tasks[t, 2]):
            lam, m, c, eta, n = lane[0, i], lane[1, i], lane[2, i], lane[3, i], lane[4, i]
            at = first[g] + g
            node = node_at(nodes, at)
            here = reference(lam, node)
            total, lost, error = 0.0, 0.0, 0.0
            for k in range(first[g], first[g + 1]):
                mu, slack = m * node[2], node[3]
                p = weight[k] + adapted[g] * node[2] / here[0]
                p_loose = adapted[g] * (12.0 + slack + here[2])
                at += 1
                end = node_at(nodes, at)
                S = lam * end[0] + end[1]
                there = reference(lam, end) if S > 0.0 else (0.0, 0.0, 0.0)
                fault = mu, p * eta, p * (c + eta * mu), abs(p) * (abs(c) + abs(eta * mu)), p_loose
                r, R = coefficients(table, row[k]), (lam - 1.0) * node[0]
                term, slip = _contribution(kind, here, there, R, slack, fault, n, r, rises[row[k]])
                y = term - lost
                new = total + y
                lost = (new - total) - y
                total = new
                error += slip
                here, node = there, end
            out[0, i] = total if total == total else np.inf
            out[1, i] = (error + 4.0 * U * total) * (1.0 + 4.0 * U * (first[g + 1] - first[g]))


@compiled(parallel=True)
def damped_path_kernel(
    tasks: Index,
    first: Index,
    row: Index,
    table: Array,
    nodes: Array,
    weight: Array,
    adapted: Array,
    lane: Array,
    out: Array,
) -> None:
    """Critically damped Langevin.

    The scores form a martingale up to e^{-B^T u}, and the entropy gives int (Sigma^{-1})_vv, so a step adds

        2 n { log(det/det')/4 + h + (h - 2 h e^{-h}) P_vv - 2(1 - (1 + h)e^{-h}) P_xv
              - 2 w h(1 - e^{-h}) + h w^2 Sigma_vv } + 2 h b^2,

    P = Sigma^{-1}, w = p eta, b = p (c + eta mean_v). In terms of
    y = det'/det - 1 = (lam - 1)e^{-2 tau}(a0 + a1 tau + a2 tau^2)/det the part of the exact score is

        2 n { f(y)/4 + [2h(1 - e^{-h}) + (lam - 1)e^{-2 tau}(b0 + b1 tau + b2 tau^2)]/det },

    a and b exponential polynomials in h. A node holds the decay factors, the slack of the time, and tau.
    """
    for t in prange(tasks.shape[0]):
        g = tasks[t, 0]
        for i in range(tasks[t, 1], tasks[t, 1] + tasks[t, 2]):
            lam, m, c, eta, n = lane[0, i], lane[1, i], lane[2, i], lane[3, i], lane[4, i]
            at = first[g] + g
            det = lam * nodes[at, 3] + nodes[at, 4]
            total, lost, error = 0.0, 0.0, 0.0
            for k in range(first[g], first[g + 1]):
                r, tau = table[row[k]], nodes[at, 9]
                loose = r[ULPS] + 340.0 + 3.0 * nodes[at, 8]
                p = weight[k] - adapted[g] * nodes[at, 6] / det
                svv, drift = lam * nodes[at, 2] + (1.0 - nodes[at, 2]), -m * nodes[at, 6]
                lead = (lam - 1.0) * math.exp(-2.0 * tau)
                at += 1
                next_det = lam * nodes[at, 3] + nodes[at, 4]
                y = lead * (r[4] + tau * (r[5] + tau * r[6])) / det
                y_size = abs(lead) * (abs(r[4]) + tau * (abs(r[5]) + tau * abs(r[6]))) / det
                y_loose = loose * y_size / max(abs(y), 1e-300)
                half, slip = _half_excess(y, y_loose, next_det / det, loose)
                w, b = p * eta, p * (c + eta * drift)
                b_size = abs(p) * (abs(c) + abs(eta * drift))
                spread = r[7] * w * w * svv
                fit = (r[0] + lead * (r[1] + tau * (r[2] + tau * r[3]))) / det + spread - 2.0 * w * r[8]
                size = (r[0] + abs(lead) * (abs(r[1]) + tau * (abs(r[2]) + tau * abs(r[3])))) / det
                size += spread + 2.0 * abs(w) * r[8]
                term = n * (half + 2.0 * fit) + 2.0 * r[7] * b * b
                error += n * (slip + 2.0 * U * (2.0 * loose + 40.0) * size) + 4.0 * U * abs(term)
                error += 2.0 * U * r[7] * (4.0 * loose + 80.0) * b_size * b_size
                step = term - lost
                new = total + step
                lost = (new - total) - step
                total = new
                det = next_det
            out[0, i] = total if total == total else np.inf
            out[1, i] = (error + 4.0 * U * abs(total)) * (1.0 + 4.0 * U * (first[g + 1] - first[g]))
