"""Numerics of energies in time and entropies: the Foellmer process and the forward process of a mixture.

First road: the trapezoidal rule, in time by the logarithm of the odds of the time gone. Second road:
entropies in mpmath, and energies by Gauss-Legendre panels in extended precision, with the drift written
another way; neither road uses that an energy is an entropy, which is what the claims say.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping

import mpmath as mp
import numpy as np

from simulators.enclosure import Enclosure
from simulators.models.extended import Extended, long_values, mean_of_lines, shares_of_time
from simulators.models.mixture import Channel, column_means, pair
from simulators.models.tools import (
    TAIL,
    Array,
    Number,
    Numerics,
    Values,
    exponential,
    in_balls,
    integral_by_panels,
    line_integral,
    mean_by_trapezoid,
)

__all__ = ["MODELS", "has_density", "over_time"]


REACH_IN_TIME = 42
"""Range of log(gone/left) in integrals over time; beyond it lies a share of 1e-18 of the time."""


def has_density(parameters: Mapping[str, float]) -> bool:
    """Whether neither component is an atom."""
    return parameters["v1"] > 0 and parameters["v2"] > 0


# -- energies in time and entropies --------------------------------------------------------------------------


def over_time(law: Callable[[Array, Array], Channel], g: Callable[[Channel, Array], Array]) -> Enclosure:
    """The integral of E g(law, X) over shares of time in [0, 1].

    law : takes columns of the share gone and of the share left.

    By the trapezoidal rule in u = log(gone/left), where poles near either end of time stay away from the
    line. The rule squares its error with every halving of the step: a power 3/2 of the last change bounds it.
    """
    step = 1.0
    total = _logistic_sum(law, g, 1.0, 0.0)
    for _ in range(4):
        finer = total + _logistic_sum(law, g, step, step / 2)
        change = abs(0.5 * step * float(finer.mid) - step * float(total.mid))
        total, step = finer, step / 2
        size = step * abs(float(total.mid)) + TAIL
        error = size * (1e-13 + (change / size) ** 1.5)
        if error <= 1e-12 * size:
            break
    return Enclosure.between(step * total.lo - error, step * total.hi + error, "trapezoidal rule in time")


def _logistic_sum(
    law: Callable[[Array, Array], Channel],
    g: Callable[[Channel, Array], Array],
    step: float,
    offset: float,
) -> Enclosure:
    u = (np.arange(-REACH_IN_TIME, REACH_IN_TIME, step) + offset)[:, None]
    gone, left = 1 / (1 + np.exp(-u)), 1 / (1 + np.exp(u))
    energies = column_means(lambda rows: law(gone[rows], left[rows]), g, len(u))
    terms = energies * (gone * left)[:, 0]
    low, high = math.fsum(terms.lo), math.fsum(terms.hi)
    return Enclosure.between(math.nextafter(low, -math.inf), math.nextafter(high, math.inf))


def _foellmer_energy(p: Values) -> Number:
    """(1/(2 sigma^2)) int_0^T E|u|^2 dt."""

    def law(gone: Array, left: Array) -> Channel:
        return pair(p, gone, p.sigma**2 * gone * left * p.T)

    def squared_drift(law: Channel, x: Array) -> Array:
        ahead = law.noise / law.a
        total = np.zeros_like(x)
        for r, m, v in zip(law.shares(x), law.means, law.variances, strict=True):
            steep = 1 / v - 1 / (p.sigma**2 * p.T)
            total += r * ((m / v - x * steep) * (p.sigma**2 / (1 + ahead * steep)))
        return np.asarray(total * total)

    return over_time(law, squared_drift) * (p.T / (2 * p.sigma**2))


def _foellmer_energy_by_bayes(p: Values) -> Number:
    """The same with the drift (E[X_T | x] - x)/(T - t), in extended precision."""
    q = long_values(p)
    gone, left, weights = shares_of_time()
    law = pair(q, gone, q.sigma**2 * gone * left * q.T)

    def within(k: int) -> Number:
        def energy(z: Extended) -> Extended:
            x = law.centres[k] + np.sqrt(law.spreads[k]) * z
            drift = (law.posterior_mean(x) - x) / (left * q.T)
            return np.asarray((weights * drift**2).sum(axis=0))

        return mean_of_lines(energy)

    total = mp.fsum(mp.mpf(float(w)) * within(k) for k, w in enumerate(law.weights))
    return total * p.T / (2 * p.sigma**2)


def _entropy_integrand(law: Channel, variance: float, x: Array) -> Array:
    """The integrand q log(q/r) - q + r >= 0 against r = N(0, variance).

    Where q is below 2r from q/r - 1, a mean of expm1 of the components' log-ratios, which keeps its digits as
    the laws come close.
    """
    log_r = -x * x / (2 * variance) - 0.5 * np.log(2 * np.pi * variance)
    excess = np.zeros_like(x)
    for w, c, A in zip(law.weights, law.centres, law.spreads, strict=True):
        ratio = ((A - variance) * x * x / variance + 2 * c * x - c * c) / (2 * A) - 0.5 * np.log(A / variance)
        excess += w * np.expm1(np.minimum(ratio, 50.0))
    close = np.abs(excess) < 1.0
    u = np.where(close, excess, 0.0)
    series = u * u * (1 / 2 - u * (1 / 6 - u * (1 / 12 - u * (1 / 20 - u / 30))))
    near = np.where(np.abs(u) < 1e-3, series, (1 + u) * np.log1p(u) - u)
    log_q = law.log_density(x)
    far = np.exp(log_q) * (log_q - log_r - 1) + np.exp(log_r)
    return np.asarray(np.where(close, np.exp(log_r) * near, far))


def _entropy(law: Channel, variance: float) -> Enclosure:
    """KL(law || N(0, variance))."""
    reach = max(abs(c) + 38.0 * s**0.5 for c, s in zip(law.centres, law.spreads, strict=True))
    reach = max(reach, 38.0 * variance**0.5)
    return line_integral(
        lambda x: _entropy_integrand(law, variance, x), -reach, reach, lambda x: 60.0 + x * x
    )


def _mp_entropy(law: Channel, reference: Channel) -> Number:
    return law.mean(lambda x: law.log_density(x) - reference.log_density(x))


def _centred(variance: Number) -> Channel:
    zero = 0 * variance
    return Channel([1 + zero], [zero], [zero], 1 + zero, variance)


def _data(p: Values) -> Channel:
    zero = 0 * p.w
    return pair(p, 1 + zero, zero)


def _at_horizon(p: Values) -> Channel:
    a = exponential(-p.T)
    return pair(p, a, 1 - a * a)


def _start_entropy(p: Values) -> Enclosure:
    """KL of the data to gamma; infinite for atoms."""
    return _entropy(_data(p), 1.0) if has_density(vars(p)) else Enclosure.exact(np.inf)


def _start_entropy_in_balls(p: Values) -> Number:
    if not has_density(vars(p)):
        return mp.inf
    return in_balls(lambda p: _mp_entropy(_data(p), _centred(1 + 0 * p.w)))(p)


def _vp_energy(p: Values) -> Number:
    """int_0^T E|S_t + x|^2 dt, unit clock; infinite for atoms."""
    if not has_density(vars(p)):
        return Enclosure.exact(np.inf)

    def law(gone: Array, left: Array) -> Channel:
        return pair(p, np.exp(-p.T * gone), -np.expm1(-2 * p.T * gone))

    return over_time(law, lambda law, x: np.asarray((law.score(x) + x) ** 2)) * p.T


def _vp_energy_by_components(p: Values) -> Number:
    """The same with S_t + x split into components, (c + (A - 1) x)/A, in extended precision."""
    if not has_density(vars(p)):
        return mp.inf
    q = long_values(p)
    gone, _, weights = shares_of_time()
    law = pair(q, np.exp(-q.T * gone), -np.expm1(-2 * q.T * gone))

    def within(k: int) -> Number:
        def energy(z: Extended) -> Extended:
            x = law.centres[k] + np.sqrt(law.spreads[k]) * z
            rows = zip(law.shares(x), law.centres, law.spreads, law.variances, strict=True)
            drift = sum(r * (c + law.a**2 * (v - 1) * x) / A for r, c, A, v in rows)
            return np.asarray((weights * drift**2).sum(axis=0))

        return mean_of_lines(energy)

    return p.T * mp.fsum(mp.mpf(float(w)) * within(k) for k, w in enumerate(law.weights))


def _relative_fisher(p: Values) -> Number:
    if not has_density(vars(p)):
        return Enclosure.exact(np.inf)
    law = _data(p)
    return law.mean(lambda x: (law.score(x) + x) ** 2)


def _relative_fisher_in_balls(p: Values) -> Number:
    """J - 2 + E|x|^2."""

    def value(p: Values) -> Number:
        law = _data(p)
        return -law.mean(law.hessian) - 2 + _second_moment(p)

    return in_balls(value)(p) if has_density(vars(p)) else mp.inf


def _second_moment(p: Values) -> Number:
    return p.w * (p.m1**2 + p.v1) + (1 - p.w) * (p.m2**2 + p.v2)


def _tv_end(p: Values) -> Enclosure:
    """Half the integral of |q_T - gamma|, cut where the sign changes."""
    law, gamma = _at_horizon(p), _centred(1.0)
    reach = 38.0 + max(abs(c) for c in law.centres) + 38.0 * max(law.spreads) ** 0.5

    def gap(x: Array) -> Array:
        return np.asarray(law.log_density(x) - gamma.log_density(x))

    cuts = [-reach, *_roots(gap, 12.0 + max(abs(c) for c in law.centres)), reach]

    def distance(x: Array) -> Array:
        return np.asarray(0.5 * np.abs(np.exp(law.log_density(x)) - np.exp(gamma.log_density(x))))

    return integral_by_panels(distance, cuts, 0.2)


def _roots(f: Callable[[Array], Array], reach: float) -> list[float]:
    from scipy.optimize import brentq

    x = np.linspace(-reach, reach, 2001)
    values = f(x)
    found = np.flatnonzero(values[:-1] * values[1:] < 0)
    return [float(brentq(lambda y: float(f(np.array([y]))[0]), x[i], x[i + 1], xtol=1e-14)) for i in found]


def _mp_tv_end(p: Values) -> Number:
    """From the distribution functions at the crossings, polished at high precision."""
    rough = Values(**{name: float(value) for name, value in vars(p).items()})
    law, near, gamma = _at_horizon(p), _at_horizon(rough), _centred(mp.mpf(1))
    flat = _centred(1.0)
    starts = _roots(
        lambda x: np.asarray(near.log_density(x) - flat.log_density(x)),
        12.0 + max(abs(c) for c in near.centres),
    )
    cuts = [mp.findroot(lambda y: law.log_density(y) - gamma.log_density(y), mp.mpf(c)) for c in starts]

    def below(c: Number) -> Number:
        rows = zip(law.weights, law.centres, law.spreads, strict=True)
        return mp.fsum(w * mp.ncdf((c - m) / mp.sqrt(A)) for w, m, A in rows) - mp.ncdf(c)

    levels = [mp.mpf(0), *(below(c) for c in cuts), mp.mpf(0)]
    return mp.fsum(abs(b - a) for a, b in itertools.pairwise(levels)) / 2


FOELLMER = Numerics(
    integrals={
        "foellmer_energy": _foellmer_energy,
        "kl_brownian": lambda p: _entropy(_data(p), p.sigma**2 * p.T),
    },
    other={
        "foellmer_energy": _foellmer_energy_by_bayes,
        "kl_brownian": in_balls(lambda p: _mp_entropy(_data(p), _centred(p.sigma**2 * p.T))),
    },
    admits=has_density,
)

ORNSTEIN_UHLENBECK = Numerics(
    balls={"M2": _second_moment},
    integrals={
        "KL0": _start_entropy,
        "kl_end": lambda p: _entropy(_at_horizon(p), 1.0),
        "vp_energy": _vp_energy,
        "FI0": _relative_fisher,
        "tv_end": _tv_end,
    },
    other={
        "M2": lambda p: mp.fsum(
            w * (mean_by_trapezoid(lambda x: x * x, m, v) if v > 0 else m * m)
            for w, m, v in ((p.w, p.m1, p.v1), (1 - p.w, p.m2, p.v2))
        ),
        "KL0": _start_entropy_in_balls,
        "kl_end": in_balls(lambda p: _mp_entropy(_at_horizon(p), _centred(1 + 0 * p.w))),
        "vp_energy": _vp_energy_by_components,
        "FI0": _relative_fisher_in_balls,
        "tv_end": _mp_tv_end,
    },
)


MODELS: Mapping[str, Numerics] = {"foellmer": FOELLMER, "ornstein-uhlenbeck": ORNSTEIN_UHLENBECK}
