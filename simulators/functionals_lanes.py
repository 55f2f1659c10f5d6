"""The integrands of `simulators.functionals_kernel` on a line at all the nodes of a panel side by side.

Rows of ``LANES`` numbers, one a node and padding, lie one after the other in flat arrays at offsets known to
the compiler, so that loops over the nodes vectorise.
"""

from __future__ import annotations

import math

import numpy as np

from simulators.compiled import compiled
from simulators.laws.kernels.common import Array
from simulators.line.kernels import fast_exp, fast_expm1

__all__ = ["LANES", "SCRATCH", "fast_log", "line_panel"]

LANES = 24
FAINT = -80.0  # log of a component's share below which it is left out
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)

X, TOP, TOTAL, S, S_ABS, R, R_ABS, B, C = 0, 24, 48, 72, 96, 120, 144, 168, 192
HALF, MEAN, VAR, BEND, BEND_ABS, SPREAD, SPREAD_ABS = 216, 240, 264, 288, 312, 336, 360
Q, LOG_Q, RATIO, SIZE, SHARES = 384, 408, 432, 456, 480
SCRATCH = SHARES
"""Numbers of scratch beside LANES for each component: the rows above, then the components' shares."""


@compiled(inline=True)
def fast_log(x: float) -> float:
    """Logarithm of a positive normal number within a relative 2 x 2^-53, by FreeBSD's polynomial."""
    bits = np.float64(x).view(np.int64)
    power = (bits - np.int64(0x3FE6A09E667F3BCD)) >> np.int64(52)
    f = np.int64(bits - (power << np.int64(52))).view(np.float64) - 1.0
    k = np.float64(power)
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = w * (0.3999999999940941908 + w * (0.2222219843214978396 + w * 0.1531383769920937332))
    odd = z * (
        0.6666666666666735130
        + w * (0.2857142874366239149 + w * (0.1818357216161805012 + w * 0.1479819860511658591))
    )
    square = 0.5 * f * f
    log: float = k * 6.93147180369123816490e-01 - (
        (square - (s * (square + even + odd) + k * 1.90821492927058770002e-10)) - f
    )
    return log


@compiled()
def line_panel(
    middle: float,
    half: float,
    nodes: Array,
    means: Array,
    a: float,
    state: Array,
    reference: int,
    near: bool,
    lanes: Array,
    out: Array,
) -> None:
    """Integrands f_q and their scales g_q at middle + half nodes, relative to the reference component: out
    becomes the rows f_0, f_1, ..., then g_0, g_1, ...; near gamma the KL is left to the caller, who finds its
    density ratio less one, the sizes that add up to it, q and log q in ``lanes``.

    state : see `simulators.functionals_kernel.fill`. lanes : scratch.
    """
    K = len(means)
    zero = state[5, reference]
    for n in range(LANES):
        lanes[X + n], lanes[TOP + n] = middle + half * nodes[n], -np.inf
    for n in range(TOTAL, Q):
        lanes[n] = 0.0
    shares = lanes[SHARES:]
    for k in range(K):
        place, height, precision = a * (means[k] - means[reference]), state[1, k], state[8, k]
        share = shares[k * LANES : (k + 1) * LANES]
        for n in range(LANES):
            y = lanes[X + n] - place
            share[n] = height - 0.5 * (y * y * precision)
            lanes[TOP + n] = max(lanes[TOP + n], share[n])
    for k in range(K):
        gap = means[k] - means[reference]
        place, precision, excess, gain = a * gap, state[8, k], state[2, k], state[3, k]
        lift, variance = state[5, k] * precision, state[4, k]
        share = shares[k * LANES : (k + 1) * LANES]
        for n in range(LANES):
            z = share[n] - lanes[TOP + n]
            p = fast_exp(max(z, FAINT)) if z >= FAINT else 0.0
            share[n] = p
            y = lanes[X + n] - place
            pull, tilt = y * precision, excess * (lanes[X + n] + zero)
            lanes[TOTAL + n] += p
            lanes[S + n] -= p * pull
            lanes[S_ABS + n] += p * abs(pull)
            lanes[R + n] += p * (tilt + lift)
            lanes[R_ABS + n] += p * (abs(tilt) + abs(lift))
            lanes[B + n] += p * precision
            lanes[C + n] += p * excess
            lanes[HALF + n] += p * (0.5 - precision)
            lanes[MEAN + n] += p * (gap + gain * y)
            lanes[VAR + n] += p * variance
    for n in range(LANES):
        total = lanes[TOTAL + n]
        scale = 1.0 / total
        lanes[S + n] *= scale
        lanes[S_ABS + n] *= scale
        lanes[R + n] *= scale
        lanes[R_ABS + n] *= scale
        lanes[B + n] *= scale
        lanes[C + n] *= scale
        lanes[HALF + n] *= scale
        lanes[MEAN + n] *= scale
        lanes[VAR + n] *= scale
        level = lanes[TOP + n] - HALF_LOG_2PI
        lanes[Q + n] = fast_exp(min(max(level, -700.0), 700.0)) * total
        lanes[LOG_Q + n] = level + fast_log(total)
        lanes[TOTAL + n] = scale
    for k in range(K):
        gap = means[k] - means[reference]
        place, precision, excess, gain = a * gap, state[8, k], state[2, k], state[3, k]
        lift = state[5, k] * precision
        share = shares[k * LANES : (k + 1) * LANES]
        for n in range(LANES):
            y, p = lanes[X + n] - place, share[n]
            pull = excess * (lanes[X + n] + zero) + lift if near else -y * precision
            guess = gap + gain * y
            off = pull - (lanes[R + n] if near else lanes[S + n])
            away = guess - lanes[MEAN + n]
            lanes[BEND + n] += p * off * off
            lanes[BEND_ABS + n] += p * abs(off) * abs(pull)
            lanes[SPREAD + n] += p * away * away
            lanes[SPREAD_ABS + n] += p * abs(away) * abs(guess)
    for n in range(LANES):
        scale, q, log_q = lanes[TOTAL + n], lanes[Q + n], lanes[LOG_Q + n]
        s, r, b, c, middling = lanes[S + n], lanes[R + n], lanes[B + n], lanes[C + n], lanes[HALF + n]
        bend = lanes[BEND + n] * scale
        bend_abs = (lanes[BEND + n] + lanes[BEND_ABS + n]) * scale
        out[n], out[240 + n] = q, q
        out[24 + n], out[264 + n] = -q * log_q, q * (abs(log_q) + 1.0)
        out[48 + n], out[288 + n] = q * s * s, q * abs(s) * lanes[S_ABS + n]
        out[72 + n], out[312 + n] = q * r * r, q * abs(r) * lanes[R_ABS + n]
        h = bend - b
        out[96 + n], out[336 + n] = q * h * h, q * abs(h) * (bend_abs + b)
        h = bend + c
        out[120 + n], out[360 + n] = q * h * h, q * abs(h) * (bend_abs + abs(c))
        h = bend + middling
        out[144 + n], out[384 + n] = q * h * h, q * abs(h) * (bend_abs + abs(middling) + 0.5)
        var = lanes[VAR + n] + lanes[SPREAD + n] * scale
        size = lanes[VAR + n] + (lanes[SPREAD + n] + lanes[SPREAD_ABS + n]) * scale
        out[168 + n], out[408 + n] = q * var, q * size
        out[192 + n], out[432 + n] = q * var * var, q * var * size
        out[216 + n], out[456 + n] = 0.0, 0.0
    if near:
        for n in range(LANES):
            lanes[RATIO + n], lanes[SIZE + n] = 0.0, 0.0
        for k in range(K):
            excess, m, weight, log_v = state[2, k], state[5, k], state[7, k], state[9, k]
            drift = m * state[8, k]
            for n in range(LANES):
                x = lanes[X + n] + zero
                z = 0.5 * (excess * x * x) + (x - 0.5 * m) * drift - 0.5 * log_v
                lift = fast_expm1(min(max(z, -700.0), 700.0))
                lanes[RATIO + n] += weight * lift
                lanes[SIZE + n] += weight * abs(lift)
