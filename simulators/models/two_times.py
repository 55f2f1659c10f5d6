"""Numerics of the models with two forward times on the unit clock: s, and s + lag.

First road: closed forms of the components, and the trapezoidal rule on the line and on the plane of both
noisy points, the later given the earlier. Second road: Bayes' rule by quadrature, and for the plane the
earlier point given the later, in extended precision. Neither road uses that posterior means and scores are
martingales, which is what the claims say.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import mpmath as mp
import numpy as np
from flint import arb

from simulators.enclosure import Enclosure
from simulators.models.extended import Extended, long_values, mean_of_planes
from simulators.models.mixture import Channel, pair
from simulators.models.tools import (
    Array,
    Number,
    Numerics,
    Values,
    exponential,
    in_balls,
    mean_by_trapezoid,
    plane_mean,
    square,
)

__all__ = ["MODELS"]


def _less_one(x: Number) -> Number:
    """1 - e^{-x} without cancellation."""
    return (
        -((-x).expm1()) if isinstance(x, arb) else -mp.expm1(-x) if isinstance(x, mp.mpf) else -np.expm1(-x)
    )


def _early(p: Values) -> Channel:
    return pair(p, exponential(-p.s), _less_one(2 * p.s))


def _late(p: Values) -> Channel:
    t = p.s + p.lag
    return pair(p, exponential(-t), _less_one(2 * t))


def _between(p: Values) -> Channel:
    """The channel from the early to the late point."""
    early = _early(p)
    return Channel(early.weights, early.centres, early.spreads, exponential(-p.lag), _less_one(2 * p.lag))


def _back_score(p: Values) -> Enclosure:
    """E[S_s(X_s) | X_t = x]: within a component X_s is Gaussian given x."""
    early, step = _early(p), _between(p)
    weights = step.shares(np.array([p.x]))
    total = Enclosure.exact(0.0)
    for k, r in enumerate(weights):
        c, A = step.means[k], step.variances[k]
        centre = c + step.a * A * (p.x - step.centres[k]) / step.spreads[k]
        spread = A * step.noise / step.spreads[k]
        only = Channel([1.0], [centre], [0.0], 1.0, spread)
        total = total + only.mean(early.score) * Enclosure.around(r[0], 1e-13 * r[0])
    return total


def _back_score_by_bayes(p: Values) -> Number:
    """The same with the kernel of the step against q_s itself."""
    early, step = _early(p), _between(p)

    def weighted(n: int) -> Number:
        def integrand(y: Number) -> Number:
            likelihood = exponential(-square(p.x - step.a * y) / (2 * step.noise))
            return likelihood * early.score(y) ** n

        return early.mean(integrand)

    return weighted(1) / weighted(0)


def _bayes(p: Values, n: int) -> Number:
    return _between(p).raw_moment(n, p.x)


def _back_variance_by_bayes(p: Values) -> Number:
    return _bayes(p, 2) - _bayes(p, 1) ** 2


BACKWARD = Numerics(
    balls={
        "late_score": lambda p: _late(p).score(p.x),
        "late_hessian": lambda p: _late(p).hessian(p.x),
        "back_mean": lambda p: _between(p).posterior_mean(p.x),
        "back_var": lambda p: _between(p).posterior_variance(p.x),
    },
    integrals={"back_score": _back_score},
    other={
        "late_score": lambda p: mp.diff(_late(p).log_density, p.x),
        "late_hessian": lambda p: mp.diff(_late(p).log_density, p.x, 2),
        "back_mean": in_balls(lambda p: _bayes(p, 1)),
        "back_var": in_balls(_back_variance_by_bayes, extra=60),
        "back_score": in_balls(_back_score_by_bayes),
    },
)


# -- both points together ------------------------------------------------------------------------------------


def _joint_mean(p: Values, g: Callable[[int, Array, Array], Array]) -> Enclosure:
    """E g(k, X_s, X_t) over components and both points."""
    early, step = _early(p), _between(p)
    total = Enclosure.exact(0.0)
    for k, w in enumerate(early.weights):
        centre, deviation = early.centres[k], np.sqrt(early.spreads[k])

        def integrand(z: Array, noise: Array, k: int = k, c: float = centre, r: float = deviation) -> Array:
            x = c + r * z
            return g(k, x, step.a * x + np.sqrt(step.noise) * noise)

        total = total + w * plane_mean(integrand)
    return total


def _bsm_risk(p: Values) -> Enclosure:
    """E(T - S_t)^2 of the target T = -z_t/s_t^2 + mix (z_s/s_s^2 + S_s), with X0 integrated out exactly.

    Given both points and the component, X0 is Gaussian with the law that the early point gives it.
    """
    early, late = _early(p), _late(p)
    A, B = late.a / late.noise, early.a / early.noise

    def integrand(k: int, x: Array, y: Array) -> Array:
        guess = early._component_means(x)[k]
        mixed = p.mix * (x / early.noise - B * guess + early.score(x))
        error = A * guess - y / late.noise
        error += mixed
        error -= late.score(y)
        error *= error
        error += (A - p.mix * B) ** 2 * early._component_variances()[k]
        return np.asarray(error)

    return _joint_mean(p, integrand)


def _backwards(p: Values, g: Callable[[int, Extended, Extended], Extended]) -> Number:
    """E g(k, X_s, X_t) in extended precision, with the law of the early point given the late one."""
    q = long_values(p)
    early, step = _early(q), _between(q)
    total = mp.mpf(0)
    for k, w in enumerate(early.weights):
        c, A, late = early.centres[k], early.spreads[k], step.spreads[k]
        root = np.sqrt(A * step.noise / late)

        def integrand(z: Extended, other: Extended, k: int = k, c: Any = c, A: Any = A) -> Extended:
            y = step.centres[k] + np.sqrt(step.spreads[k]) * z
            x = c + step.a * A * (y - step.centres[k]) / step.spreads[k] + root * other  # noqa: B023
            return g(k, x, y)

        total += mp.mpf(float(w)) * mean_of_planes(integrand)
    return total


def _bsm_risk_backwards(p: Values) -> Number:
    """E(T - S_t)^2 with both errors by Tweedie: A (X0 - m_t) - mix B (X0 - m_s), X0 given X_s exact."""
    q = long_values(p)
    early, late = _early(q), _late(q)
    A, B = late.a / late.noise, early.a / early.noise

    def integrand(k: int, x: Extended, y: Extended) -> Extended:
        guess = early._component_means(x)[k]
        error = A * (guess - late.posterior_mean(y)) - q.mix * B * (guess - early.posterior_mean(x))
        return np.asarray(error**2 + (A - q.mix * B) ** 2 * early._component_variances()[k])

    return _backwards(p, integrand)


def _step_backwards(p: Values) -> Number:
    """E(m_s(X_s) - m_t(X_t))^2."""
    q = long_values(p)
    early, late = _early(q), _late(q)
    return _backwards(p, lambda k, x, y: np.asarray((early.posterior_mean(x) - late.posterior_mean(y)) ** 2))


def _step(p: Values) -> Enclosure:
    """E(m_s(X_s) - m_t(X_t))^2."""
    early, late = _early(p), _late(p)
    return _joint_mean(p, lambda k, x, y: np.asarray((early.posterior_mean(x) - late.posterior_mean(y)) ** 2))


def _bias(p: Values) -> Number:
    """E(mix E[slope X_s + offset | X_t])^2."""
    late, step = _late(p), _between(p)
    return late.mean(lambda y: (p.mix * (p.slope * step.posterior_mean(y) + p.offset)) ** 2)


def _bias_by_tweedie(p: Values) -> Number:
    """The same with E[X_s | x] = e^lag (x + (1 - e^{-2 lag}) S_t(x)): only the Fisher information is left."""
    late, noise = _late(p), _less_one(2 * p.lag)
    rows = list(zip(late.weights, late.centres, late.spreads, strict=True))
    one = sum(w * c for w, c, _ in rows)
    two = sum(w * (c * c + A) for w, c, A in rows) - 2 * noise + noise**2 * late.fisher()
    slope = p.slope * exponential(p.lag)
    return p.mix**2 * (slope**2 * two + 2 * slope * p.offset * one + p.offset**2)


def _early_error(p: Values) -> Number:
    early = _early(p)
    rows = list(zip(early.weights, early.centres, early.spreads, strict=True))
    return sum((w * ((p.slope * c + p.offset) ** 2 + p.slope**2 * A) for w, c, A in rows), start=0 * p.s)


def _early_error_by_quadrature(p: Values) -> Number:
    early = _early(p)
    rows = zip(early.weights, early.centres, early.spreads, strict=True)
    return sum(
        (w * mean_by_trapezoid(lambda x: square(p.slope * x + p.offset), c, A) for w, c, A in rows),
        start=0 * p.s,
    )


BSM = Numerics(
    balls={"early_error": _early_error},
    integrals={
        "fisher_early": lambda p: _early(p).fisher(),
        "fisher_late": lambda p: _late(p).fisher(),
        "mmse_early": lambda p: _early(p).mmse(),
        "mmse_late": lambda p: _late(p).mmse(),
        "bsm_risk": _bsm_risk,
        "martingale_step": _step,
        "bias_late": _bias,
    },
    other={
        "early_error": in_balls(_early_error_by_quadrature),
        "fisher_early": in_balls(lambda p: -_early(p).mean(_early(p).hessian)),
        "fisher_late": in_balls(lambda p: -_late(p).mean(_late(p).hessian)),
        "mmse_early": in_balls(lambda p: _early(p).mmse_by_moments(), doublings=4),
        "mmse_late": in_balls(lambda p: _late(p).mmse_by_moments(), doublings=4),
        "bsm_risk": _bsm_risk_backwards,
        "martingale_step": _step_backwards,
        "bias_late": in_balls(_bias_by_tweedie),
    },
)


# -- many steps ----------------------------------------------------------------------------------------------


def _product(p: Values) -> Number:
    """The product of kappa* = e^{-lag} s_{k-1}^2/s_k^2 over the steps."""
    total = exponential(0 * p.s)
    for k in range(1, p.steps + 1):
        total *= (
            exponential(-p.lag) * _less_one(2 * (p.s + (k - 1) * p.lag)) / _less_one(2 * (p.s + k * p.lag))
        )
    return total


def _product_by_sinh(p: Values) -> Number:
    """The same from kappa* = sinh(t_{k-1})/sinh(t_k), in logarithms."""
    times = [p.s + k * p.lag for k in range(p.steps + 1)]
    logs = [mp.log(mp.sinh(early) / mp.sinh(late)) for early, late in itertools.pairwise(times)]
    return mp.exp(mp.fsum(logs))


BSM_STEPS = Numerics(
    balls={"kappa_product": _product}, other={"kappa_product": _product_by_sinh}, integers=("steps",)
)

MODELS: Mapping[str, Numerics] = {"backward": BACKWARD, "bsm": BSM, "bsm-steps": BSM_STEPS}
