"""Numerics of the models behind Tweedie's formulas, score matching and denoising: mixtures on the line.

First road: closed forms of the components, the trapezoidal rule in float64. Second road: the
power series of log q, Bayes' rule by quadrature over the data, exact Gauss-Hermite rules for polynomials,
the trapezoidal rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import mpmath as mp
import numpy as np
from flint import arb, arb_series

from simulators.models.mixture import Channel, pair
from simulators.models.tools import (
    Number,
    Numerics,
    Values,
    circle,
    exponential,
    hyperbolic_cosine,
    in_balls,
    logarithm,
    normal_tail,
    root,
    square,
    tanh_sinh,
)

__all__ = ["MODELS"]


# -- at a point ----------------------------------------------------------------------------------------------


def _derivative(order: int, law: Callable[[Values], Channel]) -> Callable[[Values], Number]:
    """Of log q, from its power series at the point."""

    def value(p: Values) -> Number:
        first, *others = law(p).exponents(arb_series([p.x, 1], order + 1))
        ratios = sum(((e - first).exp() for e in others), start=arb_series([1], order + 1))
        return math.factorial(order) * (first + ratios.log())[order]

    return in_balls(value)


def _bayes_mean(law: Callable[[Values], Channel]) -> Callable[[Values], Number]:
    return in_balls(lambda p: law(p).raw_moment(1, p.x))


def _bayes_variance(law: Callable[[Values], Channel]) -> Callable[[Values], Number]:
    def variance(p: Values) -> Number:
        own = law(p)
        return own.raw_moment(2, p.x) - own.raw_moment(1, p.x) ** 2

    return in_balls(variance, extra=60)


def _bayes_third(p: Values) -> Number:
    own = pair(p)
    one, two, three = (own.raw_moment(n, p.x) for n in (1, 2, 3))
    return three - 3 * one * two + 2 * one**3


def _noise_mean(p: Values) -> Number:
    """E[Z | X = x], s E[Z | X, k] = s (x - a m_k)/A_k within a component."""
    law = pair(p)
    rows = zip(law.shares(p.x), law.slopes(p.x), strict=True)
    return -sum((r * u for r, u in rows), start=0 * p.x) * p.s_t**2


def _noise_variance(p: Values) -> Number:
    """Var(Y | X = x) of the target Y = -Z/s, which is Gaussian within a component."""
    law = pair(p)
    r, u = law.shares(p.x), law.slopes(p.x)
    within = sum((ri * (1 / p.s_t**2 - 1 / A) for ri, A in zip(r, law.spreads, strict=True)), start=0 * p.x)
    return within + r[0] * r[1] * (u[0] - u[1]) ** 2


TWO_COMPONENT = Numerics(
    balls={
        "score": lambda p: pair(p).score(p.x),
        "hessian": lambda p: pair(p).hessian(p.x),
        "third": lambda p: pair(p).third(p.x),
        "post_mean": lambda p: pair(p).posterior_mean(p.x),
        "post_var": lambda p: pair(p).posterior_variance(p.x),
        "post_third": lambda p: pair(p).posterior_third(p.x),
        "noise_mean": _noise_mean,
        "target_var": _noise_variance,
    },
    other={
        "score": _derivative(1, pair),
        "hessian": _derivative(2, pair),
        "third": _derivative(3, pair),
        "post_mean": _bayes_mean(pair),
        "post_var": _bayes_variance(pair),
        "post_third": in_balls(_bayes_third, extra=120),
        "noise_mean": lambda p: p.x - p.a_t * _bayes_mean(pair)(p),
        "target_var": lambda p: p.a_t**2 / p.s_t**4 * _bayes_variance(pair)(p),
    },
)


def _three_atoms(p: Values) -> Channel:
    """Atoms at -R, u R and R about the centre."""
    points = [p.centre - p.R, p.centre + p.inner * p.R, p.centre + p.R]
    weights = [p.w, (1 - p.w) * p.share, (1 - p.w) * (1 - p.share)]
    zero = 0 * p.w
    return Channel(weights, points, [zero] * 3, p.a_t, p.s_t * p.s_t)


THREE_ATOMS = Numerics(
    balls={
        "hessian": lambda p: _three_atoms(p).hessian(p.x),
        "post_var": lambda p: _three_atoms(p).posterior_variance(p.x),
    },
    other={"hessian": _derivative(2, _three_atoms), "post_var": _bayes_variance(_three_atoms)},
    admits=lambda p: 0 < p["share"] < 1,
)


def _close(p: Values) -> Channel:
    return Channel([p.w, 1 - p.w], [p.m1, p.m1 + p.sep], [p.v1, p.v1], p.a_t, p.s_t * p.s_t)


CLOSE_COMPONENTS = Numerics(
    balls={"post_var": lambda p: _close(p).posterior_variance(p.x)},
    other={"post_var": _bayes_variance(_close)},
    admits=lambda p: p["v1"] > 0,
)


# -- several dimensions: moments and tail of the score of an isotropic Gaussian ------------------------------


def _edge(p: Values, *, flat: bool) -> Number:
    """The threshold on |S|^2 A, chi-squared with d degrees of freedom: (sqrt d + sqrt(2 log 1/fail))^2 A/s^2.

    flat : leave sqrt d out.
    """
    spread = p.a_t**2 * p.v1 + p.s_t**2
    edge = root(-2 * logarithm(p.fail))
    if not flat:
        edge += root(p.d + 0 * p.fail)
    return edge**2 * spread / p.s_t**2


def _tail_ball(flat: bool) -> Callable[[Values], Number]:
    return lambda p: (_edge(p, flat=flat) / 2).gamma_upper(arb(p.d) / 2, regularized=1)


def _tail_by_gamma(flat: bool) -> Callable[[Values], Number]:
    """The same through mpmath's incomplete Gamma function."""
    return lambda p: mp.gammainc(mp.mpf(p.d) / 2, _edge(p, flat=flat) / 2, regularized=True)


def _fisher_by_gamma(p: Values) -> Number:
    """d/A with d = E chi^2 = 2 Gamma(d/2 + 1)/Gamma(d/2)."""
    k = mp.mpf(p.d) / 2
    return 2 * mp.exp(mp.loggamma(k + 1) - mp.loggamma(k)) / (p.a_t**2 * p.v1 + p.s_t**2)


ISOTROPIC_SCORE = Numerics(
    balls={
        "score_tail": _tail_ball(flat=False),
        "score_tail_flat": _tail_ball(flat=True),
        "fisher": lambda p: p.d / (p.a_t**2 * p.v1 + p.s_t**2),
    },
    other={
        "score_tail": _tail_by_gamma(flat=False),
        "score_tail_flat": _tail_by_gamma(flat=True),
        "fisher": _fisher_by_gamma,
    },
    integers=("d",),
)


# -- denoising: integrals over the noisy law -----------------------------------------------------------------


def _moments(p: Values) -> tuple[Number, Number]:
    """E X and E X^2 of the noisy law."""
    law = pair(p)
    first = sum((w * c for w, c in zip(law.weights, law.centres, strict=True)), start=0 * p.w)
    rows = zip(law.weights, law.centres, law.spreads, strict=True)
    return first, sum((w * (c * c + A) for w, c, A in rows), start=0 * p.w)


def _fit(p: Values) -> Callable[[Number], Number]:
    """The estimate f(x) = slope x + offset."""
    return lambda x: p.slope * x + p.offset


def _energy(p: Values) -> Number:
    """E f(X)^2."""
    one, two = _moments(p)
    return p.slope**2 * two + 2 * p.slope * p.offset * one + p.offset**2


def _dsm_risk(p: Values) -> Number:
    """E(f + Z/s)^2 by moments, E[X Z] = s."""
    return _energy(p) + 2 * p.slope + 1 / p.s_t**2


def _denoiser_risk(p: Values) -> Number:
    """E(X + s^2 f(X) - a X0)^2 = E(s^2 f + s Z)^2."""
    return p.s_t**4 * _energy(p) + 2 * p.slope * p.s_t**4 + p.s_t**2


def _least(p: Values) -> Number:
    """E Var(Y | X), with the target split into components: sum_k w_k E_k (S - u_k)^2 + E(1/s^2 - 1/A_k)."""
    law = pair(p)
    total = 0 * p.w
    for k, (w, A) in enumerate(zip(law.weights, law.spreads, strict=True)):
        error = law.mean_within(k, lambda x, k=k: square(law.score(x) - law.slopes(x)[k]))  # type: ignore[misc]
        total += w * (error + law.a**2 * law.variances[k] / (p.s_t**2 * A))
    return total


def _averaged(g: Callable[[Values, Channel, Number], Number]) -> Callable[[Values], Number]:
    """E g(X) under the noisy law, which g takes too."""

    def mean(p: Values) -> Number:
        law = pair(p)
        return law.mean(lambda x: g(p, law, x))

    return mean


def _by_hermite(g: Callable[[Values, Number, Number], Number]) -> Callable[[Values], Number]:
    """E g(X0, Z) for g of degree at most five in both, by the three-point Gauss-Hermite rule."""
    nodes = ((-1, 1), (0, 4), (1, 1))  # at 0 and +-sqrt 3, weights over 6

    def mean(p: Values) -> Number:
        total = mp.mpf(0)
        for w, m, v in ((p.w, p.m1, p.v1), (1 - p.w, p.m2, p.v2)):
            for i, wi in nodes:
                for j, wj in nodes:
                    x0, z = m + mp.sqrt(3 * v) * i, mp.sqrt(3) * j
                    total += w * wi * wj * g(p, x0, z) / 36
        return total

    return mean


def _noisy(p: Values, x0: Number, z: Number) -> Number:
    return p.a_t * x0 + p.s_t * z


DENOISING = Numerics(
    balls={
        "dsm_risk": _dsm_risk,
        "eps_risk": lambda p: p.s_t**2 * _energy(p) + 2 * p.s_t**2 * p.slope + 1,
        "denoiser_risk": _denoiser_risk,
        "ism_objective": lambda p: _energy(p) / 2 + p.slope,
    },
    integrals={
        "score_risk": _averaged(lambda p, law, x: (_fit(p)(x) - law.score(x)) ** 2),
        "dsm_least": _least,
        "fisher": lambda p: pair(p).fisher(),
        "mmse": lambda p: pair(p).mmse(),
        "mean_hessian": lambda p: pair(p).mean(pair(p).hessian),
        "score_cross": _averaged(lambda p, law, x: law.score(x) * _fit(p)(x)),
        "score_fourth": _averaged(lambda p, law, x: law.score(x) ** 4),
        "score_cosh": _averaged(lambda p, law, x: np.cosh(p.s_t * law.score(x))),
    },
    other={
        "dsm_risk": _by_hermite(lambda p, y, z: (_fit(p)(_noisy(p, y, z)) + z / p.s_t) ** 2),
        "eps_risk": _by_hermite(lambda p, y, z: (p.s_t * _fit(p)(_noisy(p, y, z)) + z) ** 2),
        "denoiser_risk": _by_hermite(
            lambda p, y, z: (_noisy(p, y, z) + p.s_t**2 * _fit(p)(_noisy(p, y, z)) - p.a_t * y) ** 2
        ),
        "score_risk": in_balls(_averaged(lambda p, law, x: square(_fit(p)(x) - law.score(x)))),
        "dsm_least": in_balls(lambda p: p.a_t**2 / p.s_t**4 * pair(p).mean(pair(p).posterior_variance)),
        "fisher": in_balls(lambda p: -pair(p).mean(pair(p).hessian)),
        "mmse": in_balls(lambda p: pair(p).mmse_by_moments(), doublings=4),
        "mean_hessian": in_balls(lambda p: -pair(p).fisher()),
        "score_cross": in_balls(_averaged(lambda p, law, x: law.score(x) * _fit(p)(x))),
        "score_fourth": in_balls(  # by parts
            _averaged(lambda p, law, x: -3 * square(law.score(x)) * law.hessian(x))
        ),
        "score_cosh": in_balls(_averaged(lambda p, law, x: hyperbolic_cosine(p.s_t * law.score(x)))),
        "ism_objective": _by_hermite(lambda p, y, z: _fit(p)(_noisy(p, y, z)) ** 2 / 2 + p.slope),
    },
)


# -- two points: squared against unsquared losses ------------------------------------------------------------


def _targets(p: Values, law: Channel, x: Number) -> tuple[Number, Number]:
    """The two values of -z/s^2 (z the noise) that lead to x."""
    return (law.centres[0] - x) / p.s_t**2, (law.centres[1] - x) / p.s_t**2


def _gap(p: Values) -> Number:
    """|Y_1 - Y_2|, the same for every x."""
    return abs(p.a_t * (p.m1 - p.m2)) / p.s_t**2


def _crossing(p: Values) -> Number:
    """Where both atoms are equally likely."""
    law = pair(p)
    c1, c2 = law.centres
    log_odds = (p.w / (1 - p.w)).log() if isinstance(p.w, arb) else mp.log(p.w / (1 - p.w))
    return (c1 + c2) / 2 + log_odds * p.s_t**2 / (c2 - c1)


def _both(law: Channel, x: Number) -> tuple[Number, Number]:
    r = law.shares(x)
    return r[0], r[1]


def _unsquared_at_score(p: Values) -> Number:
    """E|S - Y| = |Y_1 - Y_2| E 2 r (1 - r), since S = r Y_1 + (1 - r) Y_2."""
    law = pair(p)

    def harmonic(x: Number) -> Number:
        r, rest = _both(law, x)
        return 2 * r * rest

    return _gap(p) * law.mean(harmonic)


def _overlap(p: Values) -> Number:
    """E min(r, 1 - r), the error of the likelihood-ratio test, in closed form."""
    law, x = pair(p), _crossing(p)
    s = p.s_t
    (c1, c2), (w1, w2) = law.centres, law.weights
    sign = 1 if p.m2 > p.m1 else -1
    return w1 * normal_tail(sign * (x - c1) / s) + w2 * normal_tail(sign * (c2 - x) / s)


def _unsquared_by_atoms(p: Values, at_score: bool) -> Number:
    """E|f(X) - Y| with f the score or the likelier target, atom by atom, split where the median jumps."""
    law, cut = pair(p), _crossing(p)
    deviation = p.s_t
    total = arb(0)
    for k, (w, c) in enumerate(zip(law.weights, law.centres, strict=True)):

        def loss(z: Number, k: int = k, c: Number = c) -> Number:
            x = c + deviation * z
            y, r = _targets(p, law, x), law.shares(x)
            guess = law.score(x) if at_score else y[0] if r[0] > r[1] else y[1]
            return exponential(-z * z / 2) * abs(guess - y[k])

        edge = (cut - c) / deviation
        cuts = sorted([arb(-15 + 3 * j) for j in range(11)] + [max(min(edge, arb(15)), arb(-15))])
        total += w * tanh_sinh(loss, cuts) / root(circle(w))
    return total


def _squared_at_score(p: Values) -> Number:
    law = pair(p)

    def variance(x: Number) -> Number:
        r, rest = _both(law, x)
        return r * rest

    return _gap(p) ** 2 * law.mean(variance)


TWO_POINT = Numerics(
    balls={
        "unsquared_at_median": lambda p: _gap(p) * _overlap(p),
        "squared_at_median": lambda p: _gap(p) ** 2 * _overlap(p),
    },
    integrals={"unsquared_at_score": _unsquared_at_score, "squared_at_score": _squared_at_score},
    other={
        "unsquared_at_score": in_balls(lambda p: _unsquared_by_atoms(p, at_score=True)),
        "unsquared_at_median": in_balls(lambda p: _unsquared_by_atoms(p, at_score=False)),
        "squared_at_score": in_balls(lambda p: 1 / p.s_t**2 - pair(p).fisher()),
        "squared_at_median": in_balls(lambda p: _gap(p) * _unsquared_by_atoms(p, at_score=False)),
    },
    admits=lambda p: p["m1"] != p["m2"],
)


# -- the softmax forms of the slides -------------------------------------------------------------------------


def _softmax(p: Values, variance: Number, *, weighted: bool) -> Number:
    """Sums of mu_i p_i e^{...} over sums of p_i e^{...} with exponents <x, mu>/variance; with p_i and
    -mu^2/(2 variance) only if weighted.
    """
    e1, e2 = p.x * p.m1 / variance, p.x * p.m2 / variance
    if weighted:
        e1, e2 = e1 - p.m1**2 / (2 * variance), e2 - p.m2**2 / (2 * variance)
        odds = exponential(e2 - e1) * (1 - p.w) / p.w
    else:
        odds = exponential(e2 - e1)
    return (p.m1 + p.m2 * odds) / (1 + odds)


def _noised(p: Values, variance: Number) -> Channel:
    return Channel([p.w, 1 - p.w], [p.m1, p.m2], [0 * p.w, 0 * p.w], 1 + 0 * p.w, variance)


def _noised_derivative(p: Values, variance: Number) -> Number:
    return mp.diff(_noised(p, variance).log_density, p.x)


SOFTMAX = Numerics(
    balls={
        "score": lambda p: _noised(p, 1 + 0 * p.w).score(p.x),
        "weighted_softmax": lambda p: _softmax(p, 1 + 0 * p.w, weighted=True),
        "plain_softmax": lambda p: _softmax(p, 1 + 0 * p.w, weighted=False),
    },
    other={
        "score": lambda p: _noised_derivative(p, mp.mpf(1)),
        "weighted_softmax": lambda p: p.x + _noised_derivative(p, mp.mpf(1)),
        "plain_softmax": lambda p: (p.m1 + p.m2) / 2 + (p.m2 - p.m1) / 2 * mp.tanh(p.x * (p.m2 - p.m1) / 2),
    },
)

SOFTMAX_NOISED = Numerics(
    balls={
        "score": lambda p: _noised(p, 1 + p.extra).score(p.x),
        "denoised": lambda p: _noised(p, 1 + p.extra).posterior_mean(p.x),
        "weighted_softmax": lambda p: _softmax(p, 1 + p.extra, weighted=True),
    },
    other={
        "score": lambda p: _noised_derivative(p, 1 + p.extra),
        "denoised": _bayes_mean(lambda p: _noised(p, 1 + p.extra)),
        "weighted_softmax": lambda p: p.x + (1 + p.extra) * _noised_derivative(p, 1 + p.extra),
    },
)

MODELS: Mapping[str, Numerics] = {
    "two-component": TWO_COMPONENT,
    "three-atoms": THREE_ATOMS,
    "close-components": CLOSE_COMPONENTS,
    "isotropic-score": ISOTROPIC_SCORE,
    "denoising": DENOISING,
    "two-point": TWO_POINT,
    "softmax": SOFTMAX,
    "softmax-noised": SOFTMAX_NOISED,
}
