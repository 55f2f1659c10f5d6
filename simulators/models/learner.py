"""Numerics of a learner that has a law: two atoms of unknown weight, n data, endless noise draws.

With endless draws the empirical denoising loss is, over the scores of all weights, a constant plus the
squared distance from the score whose weight is the share k/n of the data: the learner returns that, and k is
binomial. With l the log-ratio of the atoms at the noisy point, N(+-g^2/2, g^2) for g = a sep/s, the
posterior shares of two weights differ by

    |r_v - r_w| = |v - w|/(2 c cosh(l - l*) + v + w - 2 v w),   c^2 = v w (1 - v)(1 - w).

First road: sums over k in balls, quadrature over l, bisection for the width in l. Second road: the generating
function of k, an integral for the mean logarithm, scores of mixtures in extended precision, bisection for the
error itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import mpmath as mp
import numpy as np
from flint import arb

from simulators.enclosure import Enclosure
from simulators.models.extended import Extended, long_values, mean_of_lines
from simulators.models.mixture import Channel
from simulators.models.tools import (
    Array,
    Number,
    Numerics,
    Values,
    in_balls,
    mean_by_floats,
    normal_tail,
    root,
    tanh_sinh,
)

__all__ = ["MODELS"]

HALVINGS = 70
"""Of the bisections in float64, more than the mantissa needs."""

CLOSE = 1e-11
"""Relative uncertainty of a probability in float64: levels so near one another are not told apart."""


def _shares(p: Values) -> list[tuple[int, float]]:
    """(k, P(k)) of the binomial law, in float64."""
    n = p.n_data
    return [(k, math.comb(n, k) * p.w**k * (1 - p.w) ** (n - k)) for k in range(n + 1)]


def _shares_by_recursion(p: Values) -> list[Number]:
    """P(k) by recursion."""
    row = [(1 - p.w) ** p.n_data]
    for k in range(p.n_data):
        row.append(row[-1] * (p.n_data - k) / (k + 1) * p.w / (1 - p.w))
    return row


def _signal(p: Values) -> Number:
    return p.a_t * p.sep / p.s_t


# -- the mean of the squared error ---------------------------------------------------------------------------


def _risk(p: Values) -> Enclosure:
    """E|S_{k/n} - S|^2 = (a sep/s^2)^2 sum_k P(k) E (r_{k/n} - r_w)^2."""
    g = _signal(p)
    rows = [(k / p.n_data, chance) for k, chance in _shares(p) if chance > 0]

    def loss(z: Array, sign: float) -> Array:
        ratio = sign * g * g / 2 + g * z
        own = np.logaddexp(math.log(p.w) + ratio, math.log1p(-p.w))
        total = np.zeros_like(ratio)
        with np.errstate(divide="ignore"):
            for v, chance in rows:
                other = np.logaddexp(np.log(v) + ratio, np.log1p(-v))
                total += chance * ((v - p.w) * np.exp(ratio - own - other)) ** 2
        return np.asarray(total)

    mean: Enclosure = mean_by_floats(lambda z: loss(z, 1.0), 0.0, 1.0) * p.w
    mean = mean + mean_by_floats(lambda z: loss(z, -1.0), 0.0, 1.0) * (1 - p.w)
    return mean * float((g / p.s_t) ** 2)


def _risk_by_scores(p: Values) -> Number:
    """The same from the scores of the noisy mixtures themselves."""
    q = long_values(p)
    zero = 0 * q.w
    rows = [
        (np.longdouble(k) / p.n_data, np.longdouble(float(c))) for k, c in enumerate(_shares_by_recursion(p))
    ]

    def noisy(v: Number) -> Channel:
        return Channel([v, 1 - v], [q.sep, zero], [zero, zero], q.a_t, q.s_t**2)

    law, others = noisy(q.w), [(noisy(v), chance) for v, chance in rows]

    def within(centre: Extended) -> Number:
        def loss(z: Extended) -> Extended:
            x = centre + q.s_t * z
            own = law.score(x)
            return np.asarray(sum(chance * (other.score(x) - own) ** 2 for other, chance in others))

        return mean_of_lines(loss, finer=True)

    means = [within(centre) for centre in law.centres]
    return p.w * means[0] + (1 - p.w) * means[1]


# -- the quantile error, with confidence ---------------------------------------------------------------------


def _learned_quantile(sizes: Sequence[Number], chances: Sequence[Number], level: Number) -> Number:
    """The least size that is exceeded with probability at most the level."""
    order = sorted(range(len(sizes)), key=lambda k: -sizes[k])
    beyond = 0 * chances[0]
    for k in order:
        beyond += chances[k]
        if beyond > level:
            return sizes[k]
    return 0 * sizes[0]


def _width_quantiles(p: Values, fails: Sequence[float]) -> Array:
    """By level and k, s times the error that S_{k/n} exceeds with probability ``fail``, shape (F, n + 1).

    The error exceeds its value at l* +- u exactly within that interval of l. Where one weight is an end of
    [0, 1] it is monotone in l, the interval a half-line: beyond -u for the end 0, below u for the end 1.
    """
    g, w = _signal(p), p.w
    v = np.arange(p.n_data + 1) / p.n_data
    inner = (v > 0) & (v < 1)
    safe = np.where(inner, v, 0.5)
    centre = 0.5 * np.log((1 - safe) * (1 - w) / (safe * w))
    means = np.array([[g * g / 2], [-g * g / 2]])
    # in the lower tail, where the difference of the distribution function keeps its digits
    shift = np.where(inner, -np.abs(centre - means), np.where(v == 0, means, -means))
    reach = g * g + 45 * g + np.where(inner, np.abs(centre), 0.0)
    u = _half_widths(shift / g, np.array([w, 1 - w]), inner, reach / g, fails) * g
    steep = 2 * np.sqrt(safe * w * (1 - safe) * (1 - w)) * np.cosh(np.minimum(np.where(inner, u, 0.0), 700))
    gap = np.abs(v - w) / np.where(inner, steep + v + w - 2 * v * w, 1.0)
    own = np.where(v == 0, w, 1 - w)
    alone = own / (own + (1 - own) * np.exp(np.minimum(u, 700)))
    return np.asarray(g * np.where(inner, gap, alone))


def _half_widths(shift: Array, weights: Array, inner: Array, reach: Array, fails: Sequence[float]) -> Array:
    """The u where the weighted Phi(shift + u), less Phi(shift - u) inside, equals each level; bisection."""
    from scipy.special import ndtr

    levels = np.asarray(fails)[:, None]
    low = np.where(inner, 0.0, -reach) + 0 * levels
    high = reach + 0 * levels
    for _ in range(HALVINGS):
        u = 0.5 * (low + high)
        mass = ndtr(shift[:, None] + u) - np.where(inner, ndtr(shift[:, None] - u), 0.0)
        below = (weights @ mass.reshape(2, -1)).reshape(high.shape) <= levels
        low, high = np.where(below, u, low), np.where(below, high, u)
    return np.asarray(0.5 * (low + high))


def _quantile(p: Values) -> Enclosure:
    chances = [chance for _, chance in _shares(p)]
    factors = (1 + CLOSE, 1 - CLOSE)
    sizes = _width_quantiles(p, [p.fail * f for f in factors])
    found = [
        float(_learned_quantile(list(row), chances, p.fail_train * f))
        for row, f in zip(sizes, factors, strict=True)
    ]
    low, high = min(found), max(found)
    return Enclosure.between(low * (1 - 1e-11), high * (1 + 1e-11), "bisection in float64", "deterministic")


def _quantile_by_errors(p: Values) -> Number:
    """The same by bisection for the error: between the roots in y = e^l of

    v w y^2 + (v + w - 2 v w - |v - w|/e) y + (1 - v)(1 - w) = 0,    e the error in the share.
    """
    g, w = _signal(p), p.w

    def above(v: Number, e: Number) -> Number:
        two, none = v * w, (1 - v) * (1 - w)
        one = v + w - 2 * v * w - abs(v - w) / e
        inside = one * one - 4 * two * none
        if not (one < 0 and (inside > 0 or two * none == 0)):
            return arb(0)
        larger = root(inside) - one
        low = (2 * none / larger).log() if none != 0 else None
        high = (larger / (2 * two)).log() if two != 0 else None
        return sum(c * _between(low, high, m, g) for c, m in ((w, g * g / 2), (1 - w, -g * g / 2)))

    def size(v: Number) -> Number:
        low, high = arb(0), arb(1)
        for _ in range(60):
            middle = (low + high) / 2 if 16 * low >= high else high / 16
            if above(v, middle) <= p.fail:
                high = middle
            else:
                low = middle
        return g * high

    n = p.n_data
    shares = [arb(k) / n for k in range(n + 1)]
    sizes = [size(v) if not v.overlaps(w) else arb(0) for v in shares]
    return _learned_quantile(sizes, _shares_by_recursion(p), p.fail_train)


def _between(low: Number | None, high: Number | None, mean: Number, deviation: Number) -> Number:
    """The mass of a normal law between two places, None for an end of the line."""
    first = None if low is None else (low - mean) / deviation
    last = None if high is None else (high - mean) / deviation
    if last is None:
        return normal_tail(first)
    if first is None:
        return normal_tail(-last)
    if first > 0:
        return normal_tail(first) - normal_tail(last)
    return normal_tail(-last) - normal_tail(-first)


LEARNED_WEIGHT = Numerics(
    integrals={"learner_risk": _risk, "learner_quantile": _quantile},
    other={"learner_risk": _risk_by_scores, "learner_quantile": in_balls(_quantile_by_errors)},
    integers=("n_data",),
)


# -- at all times: the weight itself -------------------------------------------------------------------------


def _over_shares(p: Values, value: Callable[[int], Number]) -> Number:
    n = p.n_data
    rows = (math.comb(n, k) * p.w**k * (1 - p.w) ** (n - k) * value(k) for k in range(n + 1))
    return sum(rows, start=0 * p.w)


def _variance(p: Values) -> Number:
    """E (k/n - w)^2."""
    return _over_shares(p, lambda k: (arb(k) / p.n_data - p.w) ** 2)


def _variance_by_generating_function(p: Values) -> Number:
    """The same from the first two derivatives at one of E u^k = (1 - w + w u)^n."""
    with mp.extraprec(120):
        one, two = (mp.diff(lambda u: (1 - p.w + p.w * u) ** p.n_data, mp.mpf(1), j) for j in (1, 2))
        return (two + one - one**2) / p.n_data**2


def _entropy(p: Values) -> Number:
    """E KL(w || v), v = (k + 1/2)/(n + 1), of two laws on the atoms."""

    def divergence(k: int) -> Number:
        v = (2 * arb(k) + 1) / (2 * p.n_data + 2)
        return p.w * (p.w / v).log() + (1 - p.w) * ((1 - p.w) / (1 - v)).log()

    return _over_shares(p, divergence)


def _entropy_by_integrals(p: Values) -> Number:
    """The same with E log(k + 1/2) = int_0^oo (e^{-t} - e^{-t/2} (1 - w + w e^{-t})^n) dt/t."""
    n = p.n_data

    def mean_log(w: Number) -> Number:
        def integrand(t: Number) -> Number:
            return ((-t).exp() - (-t / 2 + n * (w * (-t).expm1()).log1p()).exp()) / t

        return tanh_sinh(integrand, [arb(0), arb(1) / n, *(arb(4) ** j for j in range(5))])

    own = p.w * p.w.log() + (1 - p.w) * (1 - p.w).log()
    return own + arb(n + 1).log() - p.w * mean_log(p.w) - (1 - p.w) * mean_log(1 - p.w)


def _information_by_entropy(p: Values) -> Number:
    """The second derivative at v = w of KL(w || v), by differences."""

    def divergence(v: Number) -> Number:
        return p.w * mp.log(p.w / v) + (1 - p.w) * mp.log((1 - p.w) / (1 - v))

    with mp.extraprec(120):
        return mp.diff(divergence, p.w, 2)


LEARNED_AT_ALL_TIMES = Numerics(
    balls={
        "learner_variance": _variance,
        "learner_entropy": _entropy,
        "weight_information": lambda p: 1 / p.w + 1 / (1 - p.w),
    },
    other={
        "learner_variance": _variance_by_generating_function,
        "learner_entropy": in_balls(_entropy_by_integrals, extra=30),
        "weight_information": _information_by_entropy,
    },
    integers=("n_data",),
)

MODELS: Mapping[str, Numerics] = {
    "learned-weight": LEARNED_WEIGHT,
    "learned-at-all-times": LEARNED_AT_ALL_TIMES,
}
