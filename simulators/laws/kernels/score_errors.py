"""The averaged score error of a sampler on Gaussians: one pass over the steps of each case."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled
from simulators.laws.kernels.common import Array, Index

__all__ = ["score_error_kernel"]

UNIT = 2.0**-53


@compiled()
def score_error_kernel(
    group: Index,
    first: Index,
    nodes: Array,
    adapted: NDArray[np.bool_],
    sup: bool,
    lane: Array,
    out: Array,
) -> None:
    """Sum of h_k e_k over the steps, or the largest e_k, and a bound on its rounding; e_k = E|s_hat - s|^2.

    group, first : of each case its grid (C,), and of each grid its first step (G + 1,).
    nodes   : a row a step, (e^{-2 tau}, 1 - e^{-2 tau}, e^{-tau}, ulps lost in them, p_k, h_k).
    adapted : of each grid, whether the weight is e^{-tau}/S in place of p_k.
    sup     : the largest e_k in place of the sum.
    lane    : (5, C, B): variances, multiplicities, means, shifts and linear parts of the error.
    out     : (2, C), the value and the bound.
    """
    cases, spaces = lane.shape[1], lane.shape[2]
    for c in range(cases):
        g = group[c]
        total, slack = 0.0, 0.0
        for k in range(first[g], first[g + 1]):
            decay2, rise2, decay, ulps, weight, h = nodes[k]
            if weight == 0.0 and not adapted[g]:
                continue
            loose = (24.0 + 2.0 * ulps) * UNIT
            value, error = 0.0, 0.0
            for b in range(spaces):
                n = lane[1, c, b]
                if n <= 0.0:
                    continue
                eta = lane[4, c, b]
                variance = lane[0, c, b] * decay2 + rise2
                moved = eta * (lane[2, c, b] * decay)
                p = decay / variance if adapted[g] else weight
                shift = lane[3, c, b] + moved
                lost = (loose + 4.0 * UNIT) * (abs(lane[3, c, b]) + abs(moved))
                spread = n * eta * eta * variance
                own = p * p * (shift * shift + spread)
                value += own
                error += p * p * ((2.0 * abs(shift) + lost) * lost + (loose + 4.0 * UNIT) * spread)
                error += (2.0 * loose + 8.0 * UNIT) * own
            error = error * (1.0 + 4.0 * spaces * UNIT) + 2.0 * spaces * UNIT * value
            if sup:
                total = value if value > total or value != value else total
                slack = error if error > slack or error != error else slack
            else:
                total += value * h
                slack += error * h
        out[0, c], out[1, c] = total, slack
