"""Numerics of the pinned Brownian motion and of the forward process at a point, and of Euler's error.

First road: closed forms in balls. Second road: finite differences, quadrature against the data, recursions
solved as sums.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import mpmath as mp
from flint import arb

from simulators.models.energies import has_density
from simulators.models.mixture import Channel, pair
from simulators.models.tools import (
    Number,
    Numerics,
    Values,
    exponential,
    in_balls,
    logarithm,
    mean_by_trapezoid,
    root,
    shares,
    square,
    tanh_sinh,
    trapezoid,
)

__all__ = ["MODELS"]


# -- the pinned bridge at a point ----------------------------------------------------------------------------


def _bridge(p: Values) -> Channel:
    """X_t = part X_T + noise of the Brownian bridge, at time t = part T."""
    return pair(p, p.part, p.sigma**2 * p.part * (1 - p.part) * p.T)


def _drift(p: Values, x: Number) -> Number:
    """sigma^2 d/dx log E f(x + sigma B_{T-t}), f the density of the data over N(0, sigma^2 T).

    Componentwise a Gaussian integral of precision P = 1/v - 1/(sigma^2 T) + 1/(sigma^2 (T - t)).
    """
    ahead = p.sigma**2 * (1 - p.part) * p.T
    whole = p.sigma**2 * p.T
    exponents, centres = [], []
    for w, m, v in ((p.w, p.m1, p.v1), (1 - p.w, p.m2, p.v2)):
        precision = 1 / v - 1 / whole + 1 / ahead
        linear = m / v + x / ahead
        exponents.append(
            logarithm(w) - logarithm(v * precision) / 2 - m * m / (2 * v) + linear**2 / (2 * precision)
        )
        centres.append((m / v - x * (1 / v - 1 / whole)) / precision)  # less x
    r = shares(exponents)
    return (r[0] * centres[0] + r[1] * centres[1]) / ((1 - p.part) * p.T)


def _drift_by_quadrature(p: Values) -> Number:
    """The same with E f by quadrature over the Brownian increment."""
    whole, ahead = p.sigma**2 * p.T, p.sigma**2 * (1 - p.part) * p.T
    parts = ((p.w, p.m1, p.v1), (1 - p.w, p.m2, p.v2))

    def ratio(y: Number) -> Number:
        return sum(
            w * exponential(-square(y - m) / (2 * v) + y * y / (2 * whole)) / root(v) for w, m, v in parts
        )

    def weighted(n: int) -> Number:
        def integrand(y: Number) -> Number:
            return (y - p.x) ** n * ratio(y) * exponential(-square(y - p.x) / (2 * ahead))

        precisions = [1 / v - 1 / whole + 1 / ahead for _, _, v in parts]
        scale = root(1 / min(precisions))
        centres = [(m / v + p.x / ahead) / q for (_, m, v), q in zip(parts, precisions, strict=True)]
        reach = float(17 * max(scale, root(ahead)) + abs(p.x) + max(map(abs, centres)))
        return trapezoid(integrand, -2 * reach, 2 * reach, arb)

    return weighted(1) / weighted(0) / ((1 - p.part) * p.T)


PINNED_BRIDGE = Numerics(
    balls={
        "drift": lambda p: _drift(p, p.x),
        "bridge_mean": lambda p: _bridge(p).posterior_mean(p.x),
        "bridge_score": lambda p: _bridge(p).score(p.x),
    },
    other={
        "drift": in_balls(_drift_by_quadrature),
        "bridge_mean": in_balls(lambda p: _bridge(p).raw_moment(1, p.x)),
        "bridge_score": lambda p: mp.diff(_bridge(p).log_density, p.x),
    },
    admits=has_density,
)


# -- the forward process at a point --------------------------------------------------------------------------

RELATIVE_SCORE = Numerics(
    balls={
        "score": lambda p: pair(p, exponential(-p.t), -((-2 * p.t).expm1())).score(p.x),
        "relative_score": lambda p: _relative_score(p),
    },
    other={
        "score": lambda p: mp.diff(pair(p, mp.exp(-p.t), -mp.expm1(-2 * p.t)).log_density, p.x),
        "relative_score": in_balls(lambda p: _relative_score_by_semigroup(p)),
    },
    admits=has_density,
)


def _forward(p: Values, t: Number) -> Channel:
    """The law of the forward process at time t, unit clock."""
    return pair(p, exponential(-t), 1 - exponential(-2 * t))


def _log_rate(p: Values) -> Number:
    """d/dt log q_t(x): within a component the centre moves by -c dt, the spread by 2 (1 - A) dt."""
    law = _forward(p, p.t)
    rates = [
        (1 - A) * ((p.x - c) ** 2 / A - 1) / A - c * (p.x - c) / A
        for c, A in zip(law.centres, law.spreads, strict=True)
    ]
    r = law.shares(p.x)
    return sum((ri * rate for ri, rate in zip(r, rates, strict=True)), start=0 * p.x)


FORWARD_RATE = Numerics(
    balls={
        "score": lambda p: _forward(p, p.t).score(p.x),
        "hessian": lambda p: _forward(p, p.t).hessian(p.x),
        "log_rate": _log_rate,
    },
    other={
        "score": lambda p: mp.diff(_forward(p, p.t).log_density, p.x),
        "hessian": lambda p: mp.diff(_forward(p, p.t).log_density, p.x, 2),
        "log_rate": lambda p: mp.diff(lambda t: _forward(p, t).log_density(p.x), p.t),
    },
)


def _relative_score(p: Values) -> Number:
    """d/dx log Q_t f, with Q_t (phi(.; m, v)/phi) = phi(.; a m, a^2 v + 1 - a^2)/phi for each component."""
    a = exponential(-p.t)
    exponents, slopes = [], []
    for w, m, v in ((p.w, p.m1, p.v1), (1 - p.w, p.m2, p.v2)):
        c, A = a * m, a * a * v + 1 - a * a
        exponents.append(logarithm(w) - logarithm(A) / 2 - (p.x - c) ** 2 / (2 * A) + p.x**2 / 2)
        slopes.append((c + (A - 1) * p.x) / A)
    r = shares(exponents)
    return r[0] * slopes[0] + r[1] * slopes[1]


def _relative_score_by_semigroup(p: Values) -> Number:
    """By quadrature of f(a x + s z) against the Gaussian, and against z phi for the derivative."""
    a, s = exponential(-p.t), root(-(-2 * p.t).expm1())
    parts = ((p.w, p.m1, p.v1), (1 - p.w, p.m2, p.v2))

    @cache  # both integrals have the same nodes
    def ratio(z: Number) -> Number:
        y = a * p.x + s * z
        return sum(
            w * exponential(-square(y - m) / (2 * v) + y * y / 2 - z * z / 2) / root(v) for w, m, v in parts
        )

    reach = 16.0 + 40.0 * float(max(p.v1, p.v2, 1) ** 0.5 + abs(p.x) + abs(p.m1) + abs(p.m2)) / float(s)
    reach = min(reach, 16.0 + 30.0 * float(max(p.v1, p.v2, 1)) * float(1 + abs(p.x)))
    value = trapezoid(ratio, -reach, reach, arb)
    slope = trapezoid(lambda z: z * ratio(z), -reach, reach, arb)
    return a * slope / (s * value)


# -- errors that can be followed exactly ---------------------------------------------------------------------

SHIFTED_SCORE = Numerics(
    balls={
        "marginal_kl": lambda p: 2 * p.offset**2 * (1 - exponential(-p.T)) ** 2,
        "marginal_kl_half": lambda p: 2 * p.offset**2 * (1 - exponential(-p.T / 2)) ** 2,
    },
    other={
        "marginal_kl": lambda p: _kl_by_drift(p, mp.mpf(1)),
        "marginal_kl_half": lambda p: _kl_by_drift(p, mp.mpf(1) / 2),
    },
)


def _kl_by_drift(p: Values, rate: Number) -> Number:
    """KL(N(0, 1) || N(mean, 1)) with the mean of dX = (-rate X + 2 rate e) dt + sqrt(2 rate) dB at time T."""
    mean = tanh_sinh(lambda u: 2 * rate * p.offset * mp.exp(-rate * u), mp.linspace(0, p.T, 5))
    return mean_by_trapezoid(lambda x: ((x - mean) ** 2 - x * x) / 2, mp.mpf(0), mp.mpf(1))


def _euler_variance(p: Values) -> Number:
    """V <- (1 + h (K - 1)/(T - t))^2 V + sigma^2 h from V = 0, K = v/(t v/T + sigma^2 (T - t))."""
    V = 0 * p.T
    for k in range(p.N):
        part = (k + V * 0) / p.N
        gain = p.v1 / (part * p.v1 + p.sigma**2 * p.T * (1 - part))
        A = 1 + (gain - 1) / (p.N - k)
        V = A * A * V + p.sigma**2 * p.T / p.N
    return V


def _euler_variance_by_sum(p: Values) -> Number:
    """The sum over steps of sigma^2 h times the squared gains of the later steps."""
    h = p.T / p.N

    def gain(k: int) -> Number:
        t = h * k
        kernel = (t / p.T) * p.v1 / ((t / p.T) ** 2 * p.v1 + p.sigma**2 * t * (p.T - t) / p.T)
        return (1 + h * (kernel - 1) / (p.T - t)) ** 2

    total, product = mp.mpf(0), mp.mpf(1)
    for k in range(p.N - 1, -1, -1):
        total += p.sigma**2 * h * product
        product *= gain(k) if k else 1
    return total


PBM_EULER = Numerics(
    balls={"pbm_variance": _euler_variance},
    other={"pbm_variance": _euler_variance_by_sum},
    integers=("N",),
    admits=lambda p: p["v1"] > 0,
)


MODELS: Mapping[str, Numerics] = {
    "pinned-bridge": PINNED_BRIDGE,
    "relative-score": RELATIVE_SCORE,
    "forward-rate": FORWARD_RATE,
    "shifted-score": SHIFTED_SCORE,
    "pbm-euler": PBM_EULER,
}
