"""Numerics of the models of noise stability: Hermite tails, change of measure, warm starts.

First road: closed forms in balls, and float64 quadrature. Second road: polynomials and power series
of many digits, Parseval's identity, finite differences, tanh-sinh quadrature between kinks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import mpmath as mp
import numpy as np
from flint import arb

from simulators.enclosure import Enclosure
from simulators.models.mixture import Channel
from simulators.models.tools import (
    REACH,
    Array,
    Number,
    Numerics,
    Values,
    circle,
    hyperbolic_tangent,
    in_balls,
    integral_by_panels,
    mean_by_floats,
    mean_by_trapezoid,
    root,
    square,
    tanh_sinh,
)

__all__ = ["MODELS", "generator_power"]

Polynomial = dict[int, Number]
"""Coefficients by power."""


# -- polynomials in the Hermite basis ------------------------------------------------------------------------


def _coefficients(p: Values) -> dict[int, Number]:
    """Coefficients of the normalised Hermite polynomials h_k(x/sigma)."""
    return {1: p.c1, 2: p.c2, 4: p.c4}


def _poly_tail(p: Values) -> Number:
    return root(sum((c * c for k, c in _coefficients(p).items() if k >= p.deg), start=0 * p.sigma))


def _poly_generator(p: Values) -> Number:
    """L h_k = -(k/sigma^2) h_k."""
    rows = _coefficients(p).items()
    return root(sum(((k / p.sigma**2) ** (2 * p.reps) * c * c for k, c in rows), start=0 * p.sigma))


def _poly_generator_tail(p: Values) -> Number:
    """What L^reps f has of degree deg and above."""
    rows = [(k, c) for k, c in _coefficients(p).items() if k >= p.deg]
    return root(sum(((k / p.sigma**2) ** (2 * p.reps) * c * c for k, c in rows), start=0 * p.sigma))


def _hermite_polynomial(k: int) -> Polynomial:
    """The normalised Hermite polynomial in z."""
    rows: list[Polynomial] = [{0: mp.mpf(1)}, {1: mp.mpf(1)}]
    for n in range(1, k):
        previous, last = rows[-2], rows[-1]
        new = {power + 1: c for power, c in last.items()}
        for power, c in previous.items():
            new[power] = new.get(power, 0) - n * c
        rows.append(new)
    return {power: c / mp.sqrt(mp.factorial(k)) for power, c in rows[k].items()}


def _generated(f: Polynomial) -> Polynomial:
    """The generator f'' - z f'."""
    result: Polynomial = {}
    for n, c in f.items():
        result[n] = result.get(n, mp.mpf(0)) - n * c
        if n >= 2:
            result[n - 2] = result.get(n - 2, mp.mpf(0)) + n * (n - 1) * c
    return result


def _norm(f: Polynomial) -> Number:
    """L2 norm under N(0, 1), by moments."""
    rows = list(f.items())
    return mp.sqrt(mp.fsum(c * e * _moment(n + m) for n, c in rows for m, e in rows))


def _moment(n: int) -> Number:
    return mp.mpf(0) if n % 2 else mp.fac2(n - 1)


def _sum_of(p: Values, keep: Callable[[int], bool]) -> Polynomial:
    total: Polynomial = {}
    for k, c in _coefficients(p).items():
        if keep(k):
            for power, e in _hermite_polynomial(k).items():
                total[power] = total.get(power, 0) + c * e
    return total


def _poly_generator_by_moments(p: Values, keep: Callable[[int], bool] = lambda k: True) -> Number:
    """The operator maps each degree of the Hermite expansion to itself: the tail is generated on its own."""
    f = _sum_of(p, keep)
    for _ in range(p.reps):
        f = _generated(f)
    return _norm(f) / p.sigma ** (2 * p.reps)


HERMITE_POLYNOMIAL = Numerics(
    balls={
        "poly_tail": _poly_tail,
        "poly_generator": _poly_generator,
        "poly_generator_tail": _poly_generator_tail,
    },
    other={
        "poly_tail": lambda p: _norm(_sum_of(p, lambda k: k >= p.deg)),
        "poly_generator": _poly_generator_by_moments,
        "poly_generator_tail": lambda p: _poly_generator_by_moments(p, lambda k: k >= p.deg),
    },
    integers=("deg", "reps"),
)


# -- tanh(gain x): tails and generator -----------------------------------------------------------------------

Form = dict[tuple[int, int], float]
"""Coefficients of T^i z^j, T = tanh(kappa z)."""


def _add(form: Form, key: tuple[int, int], c: float) -> None:
    form[key] = form.get(key, 0.0) + c


def _derivative(form: Form, kappa: float) -> Form:
    """d/dz, by T' = kappa (1 - T^2)."""
    result: Form = {}
    for (i, j), c in form.items():
        if i:
            _add(result, (i - 1, j), c * i * kappa)
            _add(result, (i + 1, j), -c * i * kappa)
        if j:
            _add(result, (i, j - 1), c * j)
    return result


def _hermite_values(z: Array, count: int) -> list[Array]:
    rows = [np.ones_like(z), z]
    for n in range(1, count):
        rows.append((z * rows[-1] - np.sqrt(n) * rows[-2]) / np.sqrt(n + 1))
    return rows[:count]


def _tanh_tail(p: Values) -> Enclosure:
    """The norm of what is left of tanh after its projection on degrees below deg."""
    kappa = p.gain * p.sigma

    def coefficient(k: int) -> float:
        return float(
            mean_by_floats(lambda z: np.tanh(kappa * z) * _hermite_values(z, k + 1)[k], 0.0, 1.0).mid
        )

    found = [coefficient(k) for k in range(p.deg)]

    def rest(z: Array) -> Array:
        projected = sum(c * h for c, h in zip(found, _hermite_values(z, p.deg), strict=True))
        return np.asarray((np.tanh(kappa * z) - projected) ** 2)

    norm = float(mean_by_floats(lambda z: np.tanh(kappa * z) ** 2, 0.0, 1.0).hi) ** 0.5
    lost = 1e-15 * (p.deg + 1) * norm  # the rounding of the coefficients and of the difference
    return mean_by_floats(rest, 0.0, 1.0).sqrt() + Enclosure.around(0.0, lost)


def _tanh_generator(p: Values) -> Number:
    kappa = p.gain * p.sigma
    form: Form = {(1, 0): 1.0}
    for _ in range(p.reps):
        first = _derivative(form, kappa)
        result = _derivative(first, kappa)
        for (i, j), c in first.items():
            _add(result, (i, j + 1), -c)
        form = result

    def squared(z: Array) -> Array:
        T = np.tanh(kappa * z)
        return np.asarray(sum(c * T**i * z**j for (i, j), c in form.items()) ** 2)

    return mean_by_floats(squared, 0.0, 1.0).sqrt() / float(p.sigma) ** (2 * p.reps)


def _hermite(k: int, z: Number) -> Number:
    before, now = 1 + 0 * z, z
    if k == 0:
        return before
    for n in range(1, k):
        before, now = now, (z * now - arb(n).sqrt() * before) / arb(n + 1).sqrt()
    return now


def _tanh_tail_by_parseval(p: Values) -> Number:
    kappa = p.gain * p.sigma
    total = mean_by_trapezoid(lambda z: square(hyperbolic_tangent(kappa * z)), arb(0), arb(1))
    for k in range(1, p.deg, 2):  # tanh is odd

        def integrand(z: Number, k: int = k) -> Number:
            return hyperbolic_tangent(kappa * z) * _hermite(k, z)

        total -= mean_by_trapezoid(integrand, arb(0), arb(1)) ** 2
    return root(total)


def _series(kappa: Number, z: Number, order: int) -> list[Number]:
    """Derivatives of tanh(kappa z), from the power series that T' = kappa (1 - T^2) determines."""
    t = [hyperbolic_tangent(kappa * z)]
    for n in range(order):
        square = sum(t[i] * t[n - i] for i in range(n + 1))
        t.append(kappa * ((1 if n == 0 else 0) - square) / (n + 1))
    return [c * math.factorial(n) for n, c in enumerate(t)]


def generator_power(reps: int) -> dict[int, Polynomial]:
    """(D^2 - z D)^reps as coefficients a_j(z) of D^j."""
    rows: dict[int, Polynomial] = {0: {0: 1}}
    for _ in range(reps):
        new: dict[int, Polynomial] = {}

        def put(j: int, power: int, c: Number, new: dict[int, Polynomial] = new) -> None:
            new.setdefault(j, {})[power] = new.setdefault(j, {}).get(power, 0) + c

        for j, a in rows.items():
            for power, c in a.items():
                if power >= 2:
                    put(j, power - 2, c * power * (power - 1))
                if power >= 1:
                    put(j + 1, power - 1, 2 * c * power)
                    put(j, power, -c * power)
                put(j + 2, power, c)
                put(j + 1, power + 1, -c)
        rows = new
    return rows


def _tanh_generator_by_series(p: Values) -> Number:
    kappa, operator = p.gain * p.sigma, generator_power(p.reps)

    def squared(z: Number) -> Number:
        derivatives = _series(kappa, z, 2 * p.reps)
        rows = ((n, c, derivatives[j]) for j, a in operator.items() for n, c in a.items())
        return square(sum(c * z**n * derivative for n, c, derivative in rows))

    return root(mean_by_trapezoid(squared, arb(0), arb(1))) / p.sigma ** (2 * p.reps)


HERMITE_TANH = Numerics(
    integrals={"tanh_tail": _tanh_tail, "tanh_generator": _tanh_generator},
    other={
        "tanh_tail": in_balls(_tanh_tail_by_parseval),
        "tanh_generator": in_balls(_tanh_generator_by_series),
    },
    integers=("deg", "reps"),
)


# -- change of measure ---------------------------------------------------------------------------------------


def _hermite_second(p: Values) -> Enclosure:
    """E h_k(X)^2 for X ~ N(shift, 1)."""
    return mean_by_floats(lambda x: _hermite_values(x, p.deg + 1)[p.deg] ** 2, p.shift, 1.0)


def _hermite_sum(p: Values) -> Number:
    rows = (mp.binomial(p.deg, j) * p.shift ** (2 * j) / mp.factorial(j) for j in range(p.deg + 1))
    return mp.fsum(rows)


def _bessel(p: Values) -> Number:
    return (2 * abs(p.shift) * arb(p.deg).sqrt()).bessel_i(arb(0))


HERMITE_MOMENT = Numerics(
    balls={"laguerre": lambda p: (-(p.shift**2)).laguerre_l(arb(p.deg)), "bessel": _bessel},
    integrals={"hermite_second": _hermite_second},
    other={
        "hermite_second": _hermite_sum,
        "laguerre": lambda p: mp.laguerre(p.deg, 0, -(p.shift**2)),
        "bessel": lambda p: mp.besseli(0, 2 * abs(p.shift) * mp.sqrt(p.deg)),
    },
    integers=("deg",),
)


# -- warm starts ---------------------------------------------------------------------------------------------


def _three(p: Values) -> Channel:
    weights = [p.w, (1 - p.w) * p.share, (1 - p.w) * (1 - p.share)]
    zero = 0 * p.w
    return Channel(weights, [p.m1, p.m2, p.m3], [zero] * 3, 1 + zero, p.sigma**2)


def _crossing(law: Channel, value: float) -> float:
    """Where the posterior mean, which increases, takes a value inside the range of the atoms."""
    low = float(min(law.means) - 60 * law.noise**0.5)
    high = float(max(law.means) + 60 * law.noise**0.5)
    for _ in range(14):  # each leaves a thirty-second
        x = np.linspace(low, high, 33)
        last = int(np.sum(law.posterior_mean(x[1:-1]) < value))
        low, high = float(x[last]), float(x[last + 1])
    return low


def _cuts(law: Channel, k: int, cross: Callable[[], Number]) -> Sequence[Number]:
    """In standard deviations around atom k: the point where |f - mu_k| has a kink, if there is one."""
    inner = min(law.means) < law.means[k] < max(law.means)
    return [(cross() - law.means[k]) / root(law.noise)] if inner else []


def _warm_gap(p: Values) -> Enclosure:
    """E|E[mu | Y] - mu|, with a kink where the posterior mean meets an inner atom."""
    law = _three(p)
    deviation = p.sigma
    total = Enclosure.exact(0.0)
    for k, (w, m) in enumerate(zip(law.weights, law.means, strict=True)):

        def loss(z: Array, k: int = k, m: float = m) -> Array:
            r = law.shares(m + deviation * z)
            gap = sum(ri * (other - m) for ri, other in zip(r, law.means, strict=True))
            return np.asarray(np.exp(-0.5 * z * z) * np.abs(gap) / np.sqrt(2 * np.pi))

        kinks = [z for z in _cuts(law, k, lambda m=m: _crossing(law, m)) if abs(z) < REACH]  # type: ignore[misc]
        total = total + w * integral_by_panels(loss, sorted([-REACH, *kinks, REACH]), 0.5)
    return total


def _warm_gap_by_tanh_sinh(p: Values) -> Number:
    law = _three(p)
    total = arb(0)
    for k, (w, m) in enumerate(zip(law.weights, law.means, strict=True)):

        def loss(z: Number, m: Number = m) -> Number:
            return (-z * z / 2).exp() * abs(law.posterior_mean(m + p.sigma * z) - m)

        def cross(m: Number = m) -> Number:
            near = _crossing(_three(Values(**{n: float(v) for n, v in vars(p).items()})), float(m))
            return _newton(law, m, arb(near))

        kinks = [z for z in _cuts(law, k, cross) if abs(z) < 16]
        total += w * tanh_sinh(loss, sorted([arb(j) for j in range(-16, 17, 2)] + kinks))
    return total / root(circle(total))


def _newton(law: Channel, value: arb, near: arb) -> arb:
    """Where the posterior mean has the value, from nearby."""
    for _ in range(6):
        step = (law.posterior_mean(near) - value) * law.noise / (law.a * law.posterior_variance(near))
        near = (near - step).mid()
    return near


def _miss(p: Values) -> Number:
    """|E[mu | Y = y] - m1| at y = m1 + place (m2 - m1)."""
    law = _three(p)
    r = law.shares(p.m1 + p.place * (p.m2 - p.m1))
    return abs(r[1] * (p.m2 - p.m1) + r[2] * (p.m3 - p.m1))


def _miss_by_tweedie(p: Values) -> Number:
    law, y = _three(p), p.m1 + p.place * (p.m2 - p.m1)
    with mp.extraprec(400):
        return abs(y + p.sigma**2 * mp.diff(law.log_density, y) - p.m1)


WARM_START = Numerics(
    balls={"posterior_miss": _miss},
    integrals={"warm_gap": _warm_gap},
    other={"warm_gap": in_balls(_warm_gap_by_tanh_sinh), "posterior_miss": _miss_by_tweedie},
    admits=lambda p: 0 < p["share"] < 1 and len({p["m1"], p["m2"], p["m3"]}) == 3,
)

MODELS: Mapping[str, Numerics] = {
    "hermite-polynomial": HERMITE_POLYNOMIAL,
    "hermite-tanh": HERMITE_TANH,
    "hermite-moment": HERMITE_MOMENT,
    "warm-start": WARM_START,
}
