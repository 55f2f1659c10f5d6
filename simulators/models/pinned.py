"""Numerics of the variance-preserving process against the pinned Brownian motion, for mixtures on the line.
 First road: closed forms in balls, the trapezoidal rule within Gauss-Legendre rules in time. Second road:
finite differences, quadrature against the data, tanh-sinh rules, and the identities of de Bruijn and
Foellmer.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import mpmath as mp
import numpy as np

from simulators.enclosure import Enclosure
from simulators.models.mixture import Channel, pair
from simulators.models.tools import (
    TAIL,
    Array,
    Number,
    Numerics,
    Values,
    exponential,
    integral_by_panels,
    line_integral,
    logarithm,
    mean_by_trapezoid,
    root,
    shares,
    tanh_sinh,
    trapezoid,
)

__all__ = ["MODELS"]

REACH_IN_TIME = 42
"""Range of log(gone/left) in integrals over time; beyond it lies a share of 1e-18 of the time."""


def _has_density(parameters: Mapping[str, float]) -> bool:
    return parameters["v1"] > 0 and parameters["v2"] > 0


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

    def ratio(y: Number) -> Number:
        parts = ((p.w, p.m1, p.v1), (1 - p.w, p.m2, p.v2))
        return mp.fsum(
            w * mp.exp(-((y - m) ** 2) / (2 * v) + y * y / (2 * whole)) / mp.sqrt(v) for w, m, v in parts
        )

    def weighted(n: int) -> Number:
        def integrand(y: Number) -> Number:
            return (y - p.x) ** n * ratio(y) * mp.exp(-((y - p.x) ** 2) / (2 * ahead))

        scale = mp.sqrt(1 / (1 / max(p.v1, p.v2) - 1 / whole + 1 / ahead))
        reach = float(17 * max(scale, mp.sqrt(ahead)) + abs(p.x) + abs(p.m1) + abs(p.m2))
        return trapezoid(integrand, -2 * reach, 2 * reach)

    return weighted(1) / weighted(0) / ((1 - p.part) * p.T)


PINNED_BRIDGE = Numerics(
    balls={
        "drift": lambda p: _drift(p, p.x),
        "bridge_mean": lambda p: _bridge(p).posterior_mean(p.x),
        "bridge_score": lambda p: _bridge(p).score(p.x),
    },
    other={
        "drift": _drift_by_quadrature,
        "bridge_mean": lambda p: _bridge(p).raw_moment(1, p.x),
        "bridge_score": lambda p: mp.diff(_bridge(p).log_density, p.x),
    },
    admits=_has_density,
)


# -- energies in time and entropies --------------------------------------------------------------------------


def _over_time(energy: Callable[[float, float], Enclosure]) -> Enclosure:
    """The integral of the energy over shares of time in [0, 1]; it takes the share gone and the share left.

    By the trapezoidal rule in u = log(gone/left), where poles near either end of time stay away from the
    line. The rule squares its error with every halving of the step: a power 3/2 of the last change bounds it.
    """
    step = 1.0
    total = _logistic_sum(energy, 1.0, 0.0)
    for _ in range(4):
        finer = total + _logistic_sum(energy, step, step / 2)
        change = abs(0.5 * step * float(finer.mid) - step * float(total.mid))
        total, step = finer, step / 2
        size = step * abs(float(total.mid)) + TAIL
        error = size * (1e-13 + (change / size) ** 1.5)
        if error <= 1e-12 * size:
            break
    return Enclosure.between(step * total.lo - error, step * total.hi + error, "trapezoidal rule in time")


def _logistic_sum(energy: Callable[[float, float], Enclosure], step: float, offset: float) -> Enclosure:
    total = Enclosure.exact(0.0)
    for u in np.arange(-REACH_IN_TIME, REACH_IN_TIME, step) + offset:
        gone, left = 1 / (1 + np.exp(-u)), 1 / (1 + np.exp(u))
        total = total + energy(float(gone), float(left)) * float(gone * left)
    return total


def _foellmer_energy(p: Values) -> Number:
    """(1/(2 sigma^2)) int_0^T E|u|^2 dt."""

    def energy(gone: float, left: float) -> Number:
        law = pair(p, gone, p.sigma**2 * gone * left * p.T)
        ahead = p.sigma**2 * left * p.T

        def drift(x: Array) -> Array:
            total = np.zeros_like(x)
            for r, m, v in zip(law.shares(x), law.means, law.variances, strict=True):
                steep = 1 / v - 1 / (p.sigma**2 * p.T)
                total += r * p.sigma**2 * (m / v - x * steep) / (1 + ahead * steep)
            return total

        return law.mean(lambda x: drift(x) ** 2)

    return _over_time(energy) * (p.T / (2 * p.sigma**2))


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
    return _entropy(_data(p), 1.0) if _has_density(vars(p)) else Enclosure.exact(np.inf)


def _mp_start_entropy(p: Values) -> Number:
    return _mp_entropy(_data(p), _centred(mp.mpf(1))) if _has_density(vars(p)) else mp.inf


def _vp_energy(p: Values) -> Number:
    """int_0^T E|S_t + x|^2 dt, unit clock; infinite for atoms."""
    if not _has_density(vars(p)):
        return Enclosure.exact(np.inf)

    def energy(gone: float, left: float) -> Number:
        law = pair(p, np.exp(-p.T * gone), -np.expm1(-2 * p.T * gone))
        return law.mean(lambda x: (law.score(x) + x) ** 2)

    return _over_time(energy) * p.T


def _relative_fisher(p: Values) -> Number:
    if not _has_density(vars(p)):
        return Enclosure.exact(np.inf)
    law = _data(p)
    return law.mean(lambda x: (law.score(x) + x) ** 2)


def _mp_relative_fisher(p: Values) -> Number:
    """J - 2 + E|x|^2."""
    if not _has_density(vars(p)):
        return mp.inf
    law = _data(p)
    return -law.mean(law.hessian) - 2 + _second_moment(p)


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
        "foellmer_energy": lambda p: _mp_entropy(_data(p), _centred(p.sigma**2 * p.T)),
        "kl_brownian": lambda p: _mp_entropy(_data(p), _centred(p.sigma**2 * p.T)),
    },
    admits=_has_density,
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
        "KL0": _mp_start_entropy,
        "kl_end": lambda p: _mp_entropy(_at_horizon(p), _centred(mp.mpf(1))),
        "vp_energy": lambda p: _mp_start_entropy(p) - _mp_entropy(_at_horizon(p), _centred(mp.mpf(1))),
        "FI0": _mp_relative_fisher,
        "tv_end": _mp_tv_end,
    },
)


# -- density ratios ------------------------------------------------------------------------------------------


def _bump(p: Values, t: Number) -> tuple[Number, Number, Number]:
    """Height, width and centre of eta N(m, v)/N(0, 1) at forward time t, a Gaussian function since v < 1."""
    a = exponential(-t)
    m, v = a * p.m1, a * a * p.v1 + 1 - a * a
    left = a * a * (1 - p.v1)  # 1 - v, without cancellation
    height = p.eta * exponential(m * m / (2 * left)) / root(v)
    return height, root(v / left), m / left


def _ratio_lip(p: Values) -> Number:
    """The larger of the Lipschitz constants of f and f', attained at one width and at the centre."""
    height, width, _ = _bump(p, 0 * p.t)
    first, second = height / width * exponential(-(1 + 0 * p.t) / 2), height / width**2
    return first if first > second else second


def _ratio_lip_by_search(p: Values) -> Number:
    height, width, centre = _bump(p, mp.mpf(0))

    def f(x: Number) -> Number:
        return height * mp.exp(-((x - centre) ** 2) / (2 * width**2))

    slope = abs(mp.diff(f, mp.findroot(lambda x: mp.diff(f, x, 2), centre + width * mp.mpf("0.9"))))
    return max(slope, abs(mp.diff(f, centre, 2)))


def _profile(p: Values, y: Number) -> tuple[Number, Number]:
    """Share of the bump and height of the ratio a number y of widths from the centre."""
    height, _, _ = _bump(p, p.t)
    odds = height / (1 - p.eta) * exponential(-y * y / 2)
    return odds / (1 + odds), odds


def _scan(p: Values, value: Callable[[Array], Array], power: int) -> Enclosure:
    """The largest |value| over y in [0, 40] widths, refined around the best point of a fine grid."""
    from scipy.optimize import minimize_scalar

    y = np.linspace(0.0, 40.0, 8001)
    best = int(np.argmax(np.abs(value(y))))
    low, high = y[max(best - 1, 0)], y[min(best + 1, len(y) - 1)]
    found = minimize_scalar(
        lambda u: -abs(float(value(np.array([u]))[0])),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-10},
    )
    top = max(-float(found.fun), float(np.max(np.abs(value(y)))))
    _, width, _ = _bump(p, p.t)
    return Enclosure.around(top / width**power, 1e-12 * top / width**power, "grid search, refined")


def _drift_sup(p: Values) -> Enclosure:
    """The largest |d/dx log Q_t f|: sup y r(y)/width."""
    return _scan(p, lambda y: y * _profile(p, y)[0], 1)


def _drift_lip(p: Values) -> Enclosure:
    """The largest |y^2 r (1 - r) - r|/width^2."""

    def value(y: Array) -> Array:
        r, _ = _profile(p, y)
        return np.asarray(y * y * r * (1 - r) - r)

    return _scan(p, value, 2)


def _by_stationary_points(p: Values, derivative: int) -> Number:
    """The largest |d^n/dx^n log Q_t f|: at the centre, and where the next derivative vanishes."""
    height, width, _ = _bump(p, p.t)

    def log_ratio(y: Number) -> Number:
        return mp.log(1 - p.eta + height * mp.exp(-y * y / 2))

    def next_derivative(y: Number) -> Number:
        r, _ = _profile(p, y)
        return y * y * (1 - r) - 1 if derivative == 1 else y * y * (1 - 2 * r) - 3

    points = [mp.mpf(0)]
    grid = [mp.mpf(j) / 8 for j in range(161)]
    for low, high in itertools.pairwise(grid):
        if next_derivative(low) * next_derivative(high) <= 0:
            points.append(
                mp.findroot(next_derivative, (low, high), solver="bisect", tol=mp.eps, maxsteps=400)
            )
    with mp.extraprec(80):
        return max(abs(mp.diff(log_ratio, y, derivative)) for y in points) / width**derivative


DENSITY_RATIO = Numerics(
    balls={"ratio_lip": _ratio_lip},
    integrals={"drift_sup": _drift_sup, "drift_lip": _drift_lip},
    other={
        "ratio_lip": _ratio_lip_by_search,
        "drift_sup": lambda p: _by_stationary_points(p, 1),
        "drift_lip": lambda p: _by_stationary_points(p, 2),
    },
    admits=lambda p: 0 < p["v1"] <= 0.9 and p["eta"] < 1,
)

RELATIVE_SCORE = Numerics(
    balls={
        "score": lambda p: pair(p, exponential(-p.t), -((-2 * p.t).expm1())).score(p.x),
        "relative_score": lambda p: _relative_score(p),
    },
    other={
        "score": lambda p: mp.diff(pair(p, mp.exp(-p.t), -mp.expm1(-2 * p.t)).log_density, p.x),
        "relative_score": lambda p: _relative_score_by_semigroup(p),
    },
    admits=_has_density,
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
    a, s = mp.exp(-p.t), mp.sqrt(-mp.expm1(-2 * p.t))
    parts = ((p.w, p.m1, p.v1), (1 - p.w, p.m2, p.v2))

    def ratio(y: Number, z: Number) -> Number:
        return mp.fsum(
            w * mp.exp(-((y - m) ** 2) / (2 * v) + y * y / 2 - z * z / 2) / mp.sqrt(v) for w, m, v in parts
        )

    reach = 16.0 + 40.0 * float(max(p.v1, p.v2, 1) ** 0.5 + abs(p.x) + abs(p.m1) + abs(p.m2)) / float(s)
    reach = min(reach, 16.0 + 30.0 * float(max(p.v1, p.v2, 1)) * float(1 + abs(p.x)))
    value = trapezoid(lambda z: ratio(a * p.x + s * z, z), -reach, reach)
    slope = trapezoid(lambda z: z * ratio(a * p.x + s * z, z), -reach, reach)
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
    "foellmer": FOELLMER,
    "ornstein-uhlenbeck": ORNSTEIN_UHLENBECK,
    "density-ratio": DENSITY_RATIO,
    "relative-score": RELATIVE_SCORE,
    "shifted-score": SHIFTED_SCORE,
    "pbm-euler": PBM_EULER,
}
