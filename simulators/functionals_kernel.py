"""Integrals against the forward law of a mixture on a line, or of concentric components in d dimensions.

One pass gives all of `QUANTITIES` for one time: Gauss-Kronrod panels (10 and 21 points) laid from the
components' windows of +-9.5 standard deviations (12 near gamma), halved until the estimated error is below
``tolerance`` of the integral or below roundoff. Inside a cluster of overlapping windows positions are
relative to its narrowest component, so that atoms 1e4 standard deviations apart keep their digits. The
density of the radius plays the part of q when d > 0.

Beside each integrand f goes |f| written without cancellation, whose integral times a multiple of U bounds
the rounding: densities, posterior weights and nodes are good to C0 U + 2 U |x|/sd relative.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled
from simulators.functionals_lanes import LANES, LOG_Q, RATIO, SCRATCH, SIZE, Q, X, line_panel
from simulators.laws.kernels.common import Array, U

__all__ = ["NEAR_D", "NEAR_M", "NEAR_REACH", "NEAR_V", "QUANTITIES", "REACH", "integrate"]

QUANTITIES = (
    "mass",
    "entropy",
    "fisher",
    "relative_fisher",
    "hessian",
    "relative_hessian",
    "half_hessian",
    "mmse",
    "covariance_energy",
    "kl_to_gamma",
)
"""int q, -int q log q, E|s|^2, E|s+x|^2, E|H|^2, E|H+I|^2, E|H+I/2|^2, E tr C, E|C|^2 and KL(q || gamma).

s, H: score and Hessian of log q_t, C = Cov(X_0 | X_t = x). The KL is integrated only near gamma, where it is
otherwise lost in the entropy, and is NaN elsewhere. Radial integrals are centred.
"""

COUNT = len(QUANTITIES)
SCALES = COUNT * LANES  # where they begin among rows of lanes
LAST = SCALES - LANES  # where the KL is
REACH, NEAR_REACH = 9.5, 12.0  # of a window, in standard deviations; the second near gamma
STRIDE = 2.4  # width of a first panel in standard deviations of the narrowest component there
C0 = 40.0  # units of roundoff in a density and its posterior weights, in the mean over the law
NEAR_V, NEAR_M = 0.7, 1.5  # |v_k - 1| and |m_k| below which the KL is integrated as it stands
NEAR_D = 4.0  # the same for d (v_k - 1)^2 of radial laws
DEPTH = 60
BUDGET = 100  # panels evaluated for each first panel; beyond it the error estimate says what was reached
LOG_2PI = math.log(2 * math.pi)

NODES = np.array(
    [
        0.995657163025808080735527280689003,
        0.973906528517171720077964012084452,
        0.930157491355708226001207180059508,
        0.865063366688984510732096688423493,
        0.780817726586416897063717578345042,
        0.679409568299024406234327365114874,
        0.562757134668604683339000099272694,
        0.433395394129247190799265943165784,
        0.294392862701460198131126603103866,
        0.148874338981631210884826001129720,
        0.0,
    ]
)
FINE = np.array(
    [
        0.011694638867371874278064396062192,
        0.032558162307964727478818972459390,
        0.054755896574351996031381300244580,
        0.075039674810919952767043140916190,
        0.093125454583697605535065465083366,
        0.109387158802297641899210590325805,
        0.123491976262065851077958109831074,
        0.134709217311473325928054001771707,
        0.142775938577060080797094273138717,
        0.147739104901338491374841515972068,
        0.149445554002916905664936468389821,
    ]
)
COARSE = np.array(
    [
        0.066671344308688137593568809893332,
        0.149451349150580593145776339657697,
        0.219086362515982043995534934228163,
        0.269266719309996355091226921569469,
        0.295524224714752870173892994651338,
    ]
)


def _laned(side: Array, sign: float) -> Array:
    """Numbers of the nodes from the outermost to the middle, as a row of lanes; sign : of the left half."""
    row = np.zeros(LANES)
    row[:11], row[11:21] = sign * side, side[9::-1]
    return row


LANE_NODES, LANE_FINE = _laned(NODES, -1.0), _laned(FINE, 1.0)
LANE_COARSE = _laned(np.append(np.stack([0.0 * COARSE, COARSE], axis=1).ravel(), 0.0), 1.0)


@compiled()
def integrate(
    dimension: int,
    constant: float,
    log_weights: Array,
    means: Array,
    variances: Array,
    times: Array,
    tolerance: float,
    out: Array,
) -> None:
    """Fill out (T, 3, COUNT) with value, error estimate and rounding bound of each quantity at each time.

    dimension : 0 on the line; else d of a concentric mixture, whose ``means`` are zeros.
    constant  : log density of the radius of N(0, I_d) at sqrt d, for radial laws.
    times     : (T, 2), e^{-t} and 1 - e^{-2t}; the second > 0 for atoms.
    """
    for i in range(len(times)):
        one_time(
            dimension, constant, log_weights, means, variances, times[i, 0], times[i, 1], tolerance, out[i]
        )


@compiled()
def one_time(
    dimension: int,
    constant: float,
    log_weights: Array,
    means: Array,
    variances: Array,
    a: float,
    noise: float,
    tolerance: float,
    out: Array,
) -> None:
    """The integrals at one time: windows, clusters, panels; then the panels that are not yet good enough."""
    K = len(means)
    state = np.empty((10, K))  # the rows of `fill`
    near = fill(dimension, log_weights, means, variances, a, noise, state)
    windows = K + 1 if near else K
    centre, width = np.empty(windows), np.empty(windows)
    for k in range(K):
        width[k] = math.sqrt(state[0, k])
        centre[k] = math.sqrt(dimension * state[0, k]) if dimension else a * (means[k] - means[0])
    if near:
        width[K] = 1.0
        centre[K] = math.sqrt(dimension) if dimension else -a * means[0]
    reach = NEAR_REACH if near else REACH
    left, right = centre - reach * width, centre + reach * width
    order = np.argsort(left)
    panels = np.empty((64, 4))  # lo, hi, reference, rounding
    count, first = 0, 0
    while first < windows:
        last, end = first + 1, right[order[first]]
        while last < windows and left[order[last]] <= end:
            end = max(end, right[order[last]])
            last += 1
        panels, count = lay(dimension, order[first:last], centre, width, reach, means, a, panels, count)
        first = last
    sums = np.zeros((count, 3, COUNT))
    work = np.zeros(2 * COUNT * LANES + SCRATCH + K * LANES)  # see `panel`
    shift = np.empty((3, K))
    total = np.zeros((3, COUNT))
    for p in range(count):
        panel(dimension, constant, panels[p], means, a, state, shift, near, work, sums[p])
        total += sums[p]
    goal = tolerance * np.abs(total[0])
    goal[1] = tolerance * total[2, 1] / (C0 * U)
    refined(dimension, constant, panels[:count], sums, means, a, state, shift, near, work, goal, out)
    if not near:
        out[:, COUNT - 1] = np.nan


@compiled()
def fill(
    dimension: int, log_weights: Array, means: Array, variances: Array, a: float, noise: float, state: Array
) -> bool:
    """Per component: v = a^2 lam + noise, log weight - log normaliser, (v - 1)/v, a lam/v, posterior
    variance, mean m, log weight, weight, 1/v, log v. Whether the law is near gamma.
    """
    near = True
    for k in range(len(means)):
        lam = variances[k]
        v = a * a * lam + noise
        excess = (lam - 1) * (a * a)
        state[0, k] = v
        state[1, k] = log_weights[k] - 0.5 * math.log(v)
        state[2, k] = excess / v
        state[3, k] = a * lam / v
        state[4, k] = lam * noise / v
        state[5, k] = a * means[k]
        state[6, k] = log_weights[k]
        state[7, k] = math.exp(log_weights[k])
        state[8, k] = 1 / v
        state[9, k] = -math.log1p(-excess / v) if v > 0.5 else math.log(v)
        if abs(excess) > NEAR_V or abs(state[5, k]) > NEAR_M or dimension * excess * excess > NEAR_D:
            near = False
    return near


@compiled()
def lay(
    dimension: int,
    members: NDArray[np.int64],
    centre: Array,
    width: Array,
    reach: float,
    means: Array,
    a: float,
    panels: Array,
    count: int,
) -> tuple[Array, int]:
    """Append the first panels of a cluster of windows, in coordinates relative to its narrowest component."""
    K = len(means)
    reference = -1
    for k in members:
        if k < K and (reference < 0 or width[k] < width[reference]):
            reference = k
    place = np.empty(len(members))
    for j, k in enumerate(members):
        if dimension or k == K:
            place[j] = centre[k] - centre[reference]
        else:
            place[j] = a * (means[k] - means[reference])
    floor = -centre[reference] if dimension else -np.inf
    x, end = np.inf, -np.inf
    for j, k in enumerate(members):
        x = min(x, place[j] - reach * width[k])
        end = max(end, place[j] + reach * width[k])
    x = max(x, floor)
    while x < end:
        scale, stop = np.inf, end
        for j, k in enumerate(members):
            lo, hi = place[j] - reach * width[k], place[j] + reach * width[k]
            if lo <= x < hi:
                scale = min(scale, width[k])
                if hi < stop:
                    stop = hi
            elif lo > x:
                stop = min(stop, lo)
        step = x + STRIDE * scale
        following = stop if step + 0.2 * scale >= stop else step
        if not following > x:
            following = np.nextafter(x, np.inf)
        if count == len(panels):
            grown = np.empty((2 * count, 4))
            grown[:count] = panels
            panels = grown
        panels[count, 0], panels[count, 1], panels[count, 2] = x, following, reference
        panels[count, 3] = U * (C0 + 2 * max(abs(x), abs(following)) / scale)
        count += 1
        x = following
    return panels, count


@compiled()
def refined(
    dimension: int,
    constant: float,
    panels: Array,
    sums: Array,
    means: Array,
    a: float,
    state: Array,
    shift: Array,
    near: bool,
    work: Array,
    goal: Array,
    out: Array,
) -> None:
    """Halve the panels whose error estimate exceeds the goal and their rounding; add everything up."""
    out[:] = 0.0
    stack = np.empty((DEPTH + 1, 4))
    part = np.empty((3, COUNT))
    left = BUDGET * len(panels)
    for p in range(len(panels)):
        part[:] = sums[p]
        stack[0] = panels[p]
        height, depth = 1, 0
        while height:
            height -= 1
            if depth:
                panel(dimension, constant, stack[height], means, a, state, shift, near, work, part)
                left -= 1
            rough = False
            for n in range(COUNT):
                if part[1, n] > goal[n] and part[1, n] > part[2, n]:
                    rough = True
            lo, hi = stack[height, 0], stack[height, 1]
            middle = 0.5 * (lo + hi)
            if rough and left > 0 and height + 2 <= DEPTH and lo < middle < hi:
                stack[height + 1] = stack[height]
                stack[height, 0], stack[height + 1, 1] = middle, middle
                height += 2
                depth = 1
            else:
                out += part


@compiled()
def panel(
    dimension: int,
    constant: float,
    where: Array,
    means: Array,
    a: float,
    state: Array,
    shift: Array,
    near: bool,
    work: Array,
    part: Array,
) -> None:
    """Gauss-Kronrod on one panel: value, error in the manner of QUADPACK, rounding.

    work  : scratch; rows of lanes of the integrands and their scales, then those of `line_panel`.
    shift : scratch for radial laws; its first row is the position sqrt(d v_k) of each component.
    """
    reference = int(where[2])
    half, middle = 0.5 * (where[1] - where[0]), 0.5 * (where[0] + where[1])
    f, g, lanes = work[:SCALES], work[SCALES : 2 * SCALES], work[2 * SCALES :]
    if dimension:
        for k in range(len(means)):
            shift[0, k] = math.sqrt(dimension * state[0, k])
        centre = shift[0, reference]
        for n in range(21):
            x = middle + half * LANE_NODES[n]
            radial_node(dimension, constant, x, shift, centre, state, near, f[n::LANES], g[n::LANES])
    else:
        line_panel(middle, half, LANE_NODES, means, a, state, reference, near, lanes, work)
        if near:
            for n in range(21):
                x = lanes[X + n] + state[5, reference]
                log_gamma = -0.5 * (x * x + LOG_2PI)
                f[LAST + n], g[LAST + n] = relative_entropy(
                    lanes[Q + n],
                    math.exp(log_gamma),
                    lanes[RATIO + n],
                    lanes[SIZE + n],
                    lanes[LOG_Q + n] - log_gamma,
                )
    for q in range(COUNT):
        values, scales = f[q * LANES : (q + 1) * LANES], g[q * LANES : (q + 1) * LANES]
        fine = weighted(LANE_FINE, values, lanes)
        gap = abs(fine - weighted(LANE_COARSE, values, lanes))
        level = 0.5 * fine
        for n in range(LANES):
            values[n] = abs(values[n] - level)
        spread = weighted(LANE_FINE, values, lanes)
        if spread > 0.0:
            ratio = 200 * gap / spread
            gap = spread * min(1.0, ratio * math.sqrt(ratio))
        rounding = weighted(LANE_FINE, scales, lanes) * where[3]
        part[0, q], part[1, q], part[2, q] = fine * half, gap * half, rounding * half


@compiled(inline=True)
def weighted(weights: Array, row: Array, eight: Array) -> float:
    """A weighted sum over lanes, of which there are 24; eight : scratch."""
    for n in range(8):
        eight[n] = weights[n] * row[n] + weights[8 + n] * row[8 + n] + weights[16 + n] * row[16 + n]
    total: float = ((eight[0] + eight[4]) + (eight[2] + eight[6])) + (
        (eight[1] + eight[5]) + (eight[3] + eight[7])
    )
    return total


@compiled()
def radial_node(
    d: int,
    constant: float,
    x: float,
    shift: Array,
    centre: float,
    state: Array,
    near: bool,
    f: Array,
    g: Array,
) -> None:
    """The integrands at one radius, x relative to ``centre``."""
    K = shift.shape[1]
    square = (centre + x) ** 2
    top = -np.inf
    for k in range(K):
        shift[2, k] = state[1, k] + radial_exponent(d, x, shift[0, k], centre)
        top = max(top, shift[2, k])
    total, b, c, half, mean, var = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(K):
        p = math.exp(shift[2, k] - top)
        shift[2, k] = p
        total += p
        b += p / state[0, k]
        c += p * state[2, k]
        half += p * (0.5 - 1 / state[0, k])
        mean += p * state[3, k]
        var += p * state[4, k]
    b, c, half, mean, var = b / total, c / total, half / total, mean / total, var / total
    bend, spread = 0.0, 0.0
    for k in range(K):
        bend += shift[2, k] * (state[2, k] - c) ** 2
        spread += shift[2, k] * (state[3, k] - mean) ** 2
    bend, spread = bend * square / total, spread * square / total
    q = math.exp(top + constant) * total
    peak, dense = -np.inf, 0.0
    for k in range(K):
        peak = max(peak, radial_log_density(d, k, square, state))
    for k in range(K):
        dense += math.exp(radial_log_density(d, k, square, state) - peak)
    log_q = peak + math.log(dense)
    f[0], g[0] = q, q
    f[1], g[1] = -q * log_q, q * (abs(log_q) + d)
    f[2], g[2] = q * b * b * square, q * b * b * square
    f[3], g[3] = q * c * c * square, q * abs(c) * (abs(c) + U) * square
    f[4] = q * ((d - 1) * b * b + (bend - b) ** 2)
    g[4] = q * ((d - 1) * b * b + abs(bend - b) * (bend + b))
    f[5] = q * ((d - 1) * c * c + (bend + c) ** 2)
    g[5] = q * ((d - 1) * c * c + abs(bend + c) * (bend + abs(c)))
    f[6] = q * ((d - 1) * half * half + (bend + half) ** 2)
    g[6] = q * ((d - 1) * abs(half) * (abs(half) + 0.5) + abs(bend + half) * (bend + abs(half) + 0.5))
    f[7] = q * (d * var + spread)
    f[8] = q * ((d - 1) * var * var + (var + spread) ** 2)
    g[7], g[8] = f[7], f[8]
    f[9], g[9] = 0.0, 0.0
    if near:
        ratio, size = 0.0, 0.0
        for k in range(K):
            lift = math.expm1(0.5 * (state[2, k] * square - d * state[9, k]))
            ratio += state[7, k] * lift
            size += state[7, k] * abs(lift)
        log_gamma = -0.5 * (square + d * LOG_2PI)
        unit = math.exp(constant + radial_exponent(d, x, math.sqrt(d), centre))
        f[9], g[9] = relative_entropy(q, unit, ratio, size, log_q - log_gamma)


@compiled(inline=True)
def radial_exponent(d: int, x: float, scale: float, centre: float) -> float:
    """Log density of the radius of N(0, v I_d), scale = sqrt(d v), without the constant and log sqrt v."""
    u = (x + (centre - scale)) / scale
    return -math.log1p(u) + d * below_parabola(u)


@compiled(inline=True)
def radial_log_density(d: int, k: int, square: float, state: Array) -> float:
    """Log of w_k times the density of component k on R^d."""
    log_density: float = state[6, k] - 0.5 * d * (LOG_2PI + state[9, k]) - 0.5 * square * state[8, k]
    return log_density


@compiled(inline=True)
def below_parabola(u: float) -> float:
    """log(1 + u) - u - u^2/2 = -u^2 + u^3/3 - ..., u > -1."""
    if abs(u) > 0.1:
        return math.log1p(u) - u - 0.5 * u * u
    value, power = 0.0, u * u * u
    for n in range(3, 20):
        value += power / n
        power *= -u
    below: float = value - u * u
    return below


@compiled(inline=True)
def relative_entropy(
    q: float, unit: float, ratio: float, size: float, log_ratio: float
) -> tuple[float, float]:
    """The integrand gamma [(1 + d) log(1 + d) - d] >= 0 with d = q/gamma - 1 ``ratio``, and its scale for
    rounding.
    """
    if abs(ratio) < 0.03125:
        value, power = 0.0, ratio * ratio
        for n in range(2, 14):
            value += power / (n * (n - 1))
            power *= -ratio
        return unit * value, unit * (value + abs(ratio) * size)
    if abs(log_ratio) < 1.0:
        value = unit * ((1 + ratio) * math.log1p(ratio) - ratio)
        return value, value + unit * abs(ratio) * size
    return q * log_ratio - q + unit, q * (abs(log_ratio) + 1) + unit
