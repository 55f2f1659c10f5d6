"""Numerics of quantile errors, of the relaxation of the error over time, and of two laws hard to tell apart.

First road: closed forms and certified bisection in balls, Gauss-Legendre panels in float64. Second road:
closed forms of the integrals, bisection and quadrature in mpmath.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import mpmath as mp
import numpy as np
from flint import arb, ctx

from simulators.enclosure import Enclosure
from simulators.models.mixture import Channel
from simulators.models.tools import (
    Array,
    Number,
    Numerics,
    Values,
    exponential,
    gauss_legendre,
    in_balls,
    integral_by_panels,
    logarithm,
    mean_by_trapezoid,
    normal_tail,
    root,
    square,
    tanh_sinh,
)

__all__ = ["MODELS"]


# -- an error with two values --------------------------------------------------------------------------------


def _levels(p: Values) -> list[tuple[Number, Number]]:
    """(value, mass) of the error, the larger value first."""
    return [(p.err_big, p.mass), (p.err_small, 1 - p.mass)]


def _level_quantile(p: Values) -> Number:
    """The least e with P(error > e) <= fail."""
    return p.err_small if p.mass <= p.fail else p.err_big


def _level_quantile_by_masses(p: Values) -> Number:
    values = sorted({value for value, _ in _levels(p)} | {mp.mpf(0)})
    return next(e for e in values if mp.fsum(mass for value, mass in _levels(p) if value > e) <= p.fail)


QUANTILE_LEVELS = Numerics(
    balls={
        "quantile_error": _level_quantile,
        "l2_error": lambda p: root(p.mass * p.err_big**2 + (1 - p.mass) * p.err_small**2),
    },
    other={
        "quantile_error": _level_quantile_by_masses,
        "l2_error": lambda p: mp.hypot(mp.sqrt(p.mass) * p.err_big, mp.sqrt(1 - p.mass) * p.err_small),
    },
    admits=lambda p: p["err_small"] <= p["err_big"] and 0 < p["mass"] < 1,
)


# -- affine errors under a mixture ---------------------------------------------------------------------------


def _exceeds(p: Values, slope: Number, offset: Number, e: Number) -> Number:
    """P(|slope X + offset| > e), atoms included."""
    total = 0 * p.w
    for w, m, v in ((p.w, p.m1, p.v1), (1 - p.w, p.m2, p.v2)):
        centre, deviation = slope * m + offset, abs(slope) * root(v)
        if deviation == 0:
            total += w * (1 if abs(centre) > e else 0)
        else:
            total += w * (normal_tail((e - centre) / deviation) + normal_tail((e + centre) / deviation))
    return total


def _quantile(p: Values, slope: Number, offset: Number, fail: Number) -> Number:
    """The least e >= 0 with P(|slope X + offset| > e) <= fail, by bisection; a ball holds it for balls."""
    balls = isinstance(fail, arb)
    kind: Callable[[float], Number] = arb if balls else mp.mpf
    if _exceeds(p, slope, offset, kind(0.0)) <= fail:
        return kind(0.0)
    low, high = kind(0.0), kind(1.0)
    while not _exceeds(p, slope, offset, high) <= fail:
        low, high = high, 2 * high
    for _ in range(ctx.prec + 40 if balls else mp.mp.prec + 40):
        middle = ((low + high) / 2).mid() if balls else (low + high) / 2
        share = _exceeds(p, slope, offset, middle)
        if share <= fail:
            high = middle
        elif share > fail:
            low = middle
        else:
            break
    return low.union(high) if balls else (low + high) / 2


QUANTILE_SUM = Numerics(
    balls={
        "first_quantile": lambda p: _quantile(p, p.slope, 0 * p.w, p.fail),
        "second_quantile": lambda p: _quantile(p, p.slope_two, p.offset, p.fail_two),
        "sum_quantile": lambda p: _quantile(p, p.slope + p.slope_two, p.offset, p.fail + p.fail_two),
    },
    other={
        "first_quantile": lambda p: _quantile(p, p.slope, mp.mpf(0), p.fail),
        "second_quantile": lambda p: _quantile(p, p.slope_two, p.offset, p.fail_two),
        "sum_quantile": lambda p: _quantile(p, p.slope + p.slope_two, p.offset, p.fail + p.fail_two),
    },
    admits=lambda p: p["fail"] + p["fail_two"] < 1,
)


# -- a chain that must not leave an interval -----------------------------------------------------------------


def _escape_once(p: Values, order: int) -> float:
    """P(some |x_k| > cut), k = 1..steps, of the stationary Gaussian chain of correlation e^{-lag}."""
    nodes, weights = gauss_legendre(order)
    x, weights = p.cut * nodes, p.cut * weights
    a, noise = np.exp(-p.lag), -np.expm1(-2 * p.lag)
    kernel = np.exp(-((x[:, None] - a * x) ** 2) / (2 * noise)) / np.sqrt(2 * np.pi * noise)
    leaves = _float_tail((p.cut - a * x) / np.sqrt(noise)) + _float_tail((p.cut + a * x) / np.sqrt(noise))
    alive = np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
    escaped = 2 * float(_float_tail(np.array(p.cut)))
    for _ in range(p.steps - 1):
        escaped += float(weights @ (alive * leaves))
        alive = kernel @ (weights * alive)
    return escaped


def _float_tail(x: Array) -> Array:
    from scipy.special import erfc

    return np.asarray(0.5 * erfc(x / np.sqrt(2)))


def _escape(p: Values) -> Enclosure:
    fine, coarse = _escape_once(p, 200), _escape_once(p, 140)
    return Enclosure.around(fine, 10 * abs(fine - coarse) + 1e-13 * p.steps * fine, "Gauss-Legendre chain")


def _escape_by_series(p: Values) -> Number:
    """1 - P(stay) by Mehler's expansion: the kernel is diagonal in Hermite polynomials."""
    count = int(2.4 * mp.mp.dps / float(p.lag)) + 2
    count = min(count + count % 2, 400)
    matrix = _truncated_overlaps(p.cut, count)
    rates = [mp.exp(-2 * k * p.lag) for k in range(len(matrix))]
    alive = [mp.mpf(1)] + [mp.mpf(0)] * (len(matrix) - 1)
    for step in range(p.steps):
        if step:
            alive = [a * r for a, r in zip(alive, rates, strict=True)]
        alive = [mp.fdot(row, alive) for row in matrix]
    return 1 - alive[0]


def _truncated_overlaps(cut: Number, count: int) -> list[list[Number]]:
    """E[h_j(Z) h_k(Z); |Z| <= cut] for even j, k < count.

    Off the diagonal Green's identity: (k - j) E[...] = [phi (h_j' h_k - h_j h_k')] at the ends.
    On it, E[h_k^2; .] from the step h_k' = sqrt k h_{k-1}, by parts.
    """
    h = [mp.mpf(1), cut]
    for n in range(1, count + 1):
        h.append((cut * h[n] - mp.sqrt(n) * h[n - 1]) / mp.sqrt(n + 1))
    density = mp.npdf(cut)
    slope = [mp.mpf(0)] + [mp.sqrt(k) * h[k - 1] for k in range(1, count + 1)]
    # E[h_k^2; .] = E[h_{k-1}^2; .] - 2 phi h_k h_{k-1}/sqrt k
    diagonal = [1 - 2 * mp.erfc(cut / mp.sqrt(2)) / 2]
    for k in range(1, count):
        diagonal.append(diagonal[-1] - 2 * density * h[k] * h[k - 1] / mp.sqrt(k))
    even = range(0, count, 2)
    return [
        [diagonal[j] if j == k else 2 * density * (slope[j] * h[k] - h[j] * slope[k]) / (k - j) for k in even]
        for j in even
    ]


TRUNCATED_CHAIN = Numerics(
    balls={"step_mass": lambda p: 2 * normal_tail(p.cut)},
    integrals={"escape": _escape},
    other={"step_mass": lambda p: 2 * mp.ncdf(-p.cut), "escape": _escape_by_series},
    integers=("steps",),
)


# -- the error relaxed over time -----------------------------------------------------------------------------


def _noise_integral(p: Values) -> Enclosure:
    """The integral of 1/(1 - e^{-2t}) over [delta, T], in u = log t."""
    return integral_by_panels(
        lambda u: np.exp(u) / -np.expm1(-2 * np.exp(u)), [np.log(p.delta), np.log(p.T)], 0.5
    ).labelled("Gauss-Legendre panels")


def _noise_integral_closed(p: Values) -> Number:
    return (mp.log(mp.expm1(2 * p.T)) - mp.log(mp.expm1(2 * p.delta))) / 2


def _capped_average(delta: float, T: float) -> Enclosure:
    """The mean of 1/min(t, 1) over [delta, T], with the kink at one, in u = log t."""
    ends = sorted({np.log(delta), min(max(0.0, np.log(delta)), np.log(T)), np.log(T)})
    integral = integral_by_panels(lambda u: np.exp(u) / np.minimum(np.exp(u), 1.0), ends, 0.5)
    return integral / (T - Enclosure.exact(delta))


def _capped_average_closed(delta: Number, T: Number) -> Number:
    small = mp.log(min(T, 1) / delta) if delta < 1 else mp.mpf(0)
    return (small + max(T, 1) - max(delta, 1)) / (T - delta)


RELAXATION = Numerics(
    integrals={
        "noise_integral": _noise_integral,
        "capped_average": lambda p: _capped_average(p.delta, p.T),
    },
    other={
        "noise_integral": _noise_integral_closed,
        "capped_average": lambda p: _capped_average_closed(p.delta, p.T),
    },
    admits=lambda p: 0 < p["delta"] < p["T"],
)

LATE_STOPPING = Numerics(
    balls={
        "capped_average": lambda p: (-((-p.away).log1p()) + p.T - 1) / (p.T - 1 + p.away),
        "log_delta": lambda p: -((-p.away).log1p()),
    },
    other={
        "capped_average": lambda p: _capped_average_closed(1 - p.away, p.T),
        "log_delta": lambda p: mp.log(1 / (1 - p.away)),
    },
    admits=lambda p: p["T"] >= 1 and 0 < p["away"] < 1,
)


def _times(p: Values) -> list[Number]:
    """Times from delta on, steps ratio min(1, t), to the first one past T."""
    times = [p.delta]
    while times[-1] < p.T:
        t = times[-1]
        times.append(t + p.ratio * (t if t < 1 else 1))
    return times


def _riemann(p: Values, pick: int) -> Number:
    """The sum of h/(1 - e^{-2t}) with t the earlier (0) or later (1) end of each step."""
    times = _times(p)
    total = 0 * p.T
    for ends in itertools.pairwise(times):
        t = ends[pick]
        total += (ends[1] - ends[0]) / (1 - exponential(-2 * t))
    return total


def _riemann_by_coth(p: Values, pick: int) -> Number:
    times = _times(p)
    return mp.fsum((ends[1] - ends[0]) * (1 + mp.coth(ends[pick])) / 2 for ends in itertools.pairwise(times))


def _grid_integral(p: Values) -> Number:
    """(1/2) log((e^{2b} - 1)/(e^{2a} - 1)) from the first to the last time."""
    first, last = _times(p)[0], _times(p)[-1]
    return (logarithm(exponential(2 * last) - 1) - logarithm(exponential(2 * first) - 1)) / 2


def _grid_integral_by_quadrature(p: Values) -> Number:
    first, last = (mp.log(t) for t in (_times(p)[0], _times(p)[-1]))
    count = int(mp.ceil(last - first)) + 1
    return tanh_sinh(lambda u: mp.exp(u) / -mp.expm1(-2 * mp.exp(u)), mp.linspace(first, last, count + 1))


RELAXATION_GRID = Numerics(
    balls={
        "sum_early": lambda p: _riemann(p, 0),
        "sum_late": lambda p: _riemann(p, 1),
        "grid_integral": _grid_integral,
    },
    other={
        "sum_early": lambda p: _riemann_by_coth(p, 0),
        "sum_late": lambda p: _riemann_by_coth(p, 1),
        "grid_integral": _grid_integral_by_quadrature,
    },
    admits=lambda p: 0 < p["delta"] < p["T"],
)

NOISE_VARIANCE = Numerics(
    balls={"noise_variance": lambda p: -((-2 * p.t).expm1())},
    other={"noise_variance": lambda p: 2 * mp.exp(-p.t) * mp.sinh(p.t)},
)


# -- two laws hard to tell apart -----------------------------------------------------------------------------


def _law(p: Values, shares: Sequence[Number]) -> Channel:
    """(1 - eta) N(0, 1) with eta shared between N(-sep, 1) and N(sep, 1)."""
    zero = 0 * p.eta
    pairs = [(1 - p.eta, zero), (p.eta * shares[0], -p.sep), (p.eta * shares[1], p.sep)]
    used = [(w, m) for w, m in pairs if w != 0]
    return Channel([w for w, _ in used], [m for _, m in used], [zero] * len(used), 1 + zero, 1 + zero)


def _left(p: Values) -> Channel:
    return _law(p, (1, 0))


def _right(p: Values) -> Channel:
    return _law(p, (0, 1))


def _both(p: Values) -> Channel:
    half = 0.5 + 0 * p.eta
    return _law(p, (half, half))


def _pull(law: Channel, x: Array) -> Array:
    """The score plus x, sum_k r_k c_k, which keeps its digits where the minor component is faint."""
    return np.asarray(sum(r * c for r, c in zip(law.shares(x), law.means, strict=True)))


def _score_gap(p: Values, first: Callable[[Values], Channel], second: Callable[[Values], Channel]) -> Number:
    """E_{p1}(s - r)^2 of two scores."""
    one, two = first(p), second(p)
    return _left(p).mean(lambda x: (_pull(one, x) - _pull(two, x)) ** 2)


def _score_gap_in_balls(
    p: Values, first: Callable[[Values], Channel], second: Callable[[Values], Channel]
) -> Number:
    one, two = first(p), second(p)
    return _left(p).mean(lambda x: square(one.score(x) - two.score(x)))


def _minor_square(p: Values) -> Number:
    """E_{p1}(w1 + w2)^2, w_i the probability of the minor component given x under p_i."""
    one, two = _left(p), _right(p)
    return one.mean(lambda x: (one.shares(x)[1] + two.shares(x)[1]) ** 2)


def _pair_tv(p: Values) -> Enclosure:
    def gap(x: Array) -> Array:
        bumps = (np.exp(-((x - c) ** 2) / 2) for c in (-p.sep, p.sep))
        left, right = bumps
        return np.asarray(p.eta * np.abs(left - right) / (2 * np.sqrt(2 * np.pi)))

    reach = p.sep + 38.0
    return integral_by_panels(gap, [-reach, 0.0, reach], 0.5)


def _pair_tv_two(p: Values) -> Number:
    """TV of two samples: the likelihood ratio exceeds one where x + y > 0, a mixture of N(j sep, 2)."""
    total = 0 * p.eta
    for j, w in ((1, 2 * p.eta * (1 - p.eta)), (2, p.eta**2)):
        total += w * (1 - 2 * normal_tail(j * p.sep / root(2 + 0 * p.eta)))
    return total


def _pair_tv_two_by_quadrature(p: Values) -> Number:
    """P(x + y > 0) under p2 x p2 less that under p1 x p1, one coordinate integrated by its distribution."""

    def above(sign: int) -> Number:
        def beyond(x: Number) -> Number:
            return (1 - p.eta) * normal_tail(-x) + p.eta * normal_tail(-x - sign * p.sep)

        near, far = (mean_by_trapezoid(beyond, c, 1 + 0 * p.sep) for c in (0 * p.sep, sign * p.sep))
        return (1 - p.eta) * near + p.eta * far

    return above(1) - above(-1)


HARD_PAIR = Numerics(
    balls={"bulk": lambda p: 1 - 2 * normal_tail(p.sep), "pair_tv_two": _pair_tv_two},
    integrals={
        "pair_tv": _pair_tv,
        "score_gap": lambda p: _score_gap(p, _left, _right),
        "minor_square": _minor_square,
        "improper_gap": lambda p: _score_gap(p, _both, _left),
        "improper_far": lambda p: _score_gap(p, _both, _right),
    },
    other={
        "bulk": lambda p: mp.erf(p.sep / mp.sqrt(2)),
        "pair_tv": lambda p: p.eta * mp.erf(p.sep / mp.sqrt(2)),
        "pair_tv_two": in_balls(_pair_tv_two_by_quadrature),
        "score_gap": in_balls(lambda p: _score_gap_in_balls(p, _left, _right)),
        "minor_square": in_balls(_minor_square),
        "improper_gap": in_balls(lambda p: _score_gap_in_balls(p, _both, _left)),
        "improper_far": in_balls(lambda p: _score_gap_in_balls(p, _both, _right)),
    },
)

MODELS: Mapping[str, Numerics] = {
    "quantile-levels": QUANTILE_LEVELS,
    "quantile-sum": QUANTILE_SUM,
    "truncated-chain": TRUNCATED_CHAIN,
    "relaxation": RELAXATION,
    "late-stopping": LATE_STOPPING,
    "relaxation-grid": RELAXATION_GRID,
    "noise-variance": NOISE_VARIANCE,
    "hard-pair": HARD_PAIR,
}
