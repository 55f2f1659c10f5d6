"""Numerics of several noise draws a datum: linear score estimates on the line, endless and few draws.

First road: chi-squared and Beta means by the trapezoidal rule in float64. Second road: Gamma functions, and
the densities as they stand by tanh-sinh quadrature.
"""

from __future__ import annotations

from collections.abc import Mapping

import mpmath as mp
import numpy as np

from simulators.enclosure import Enclosure
from simulators.models.chi_squared import chi_mean, chi_power_by_gamma
from simulators.models.tools import Array, Number, Numerics, Values, line_integral, tanh_sinh

__all__ = ["MODELS"]


# -- one datum, endless noise --------------------------------------------------------------------------------


def _noisy_variance(p: Values) -> Number:
    """A = a^2 v + s^2."""
    return p.a_t**2 * p.v1 + p.s_t**2


def _many(p: Values) -> Enclosure:
    """E (1/(a^2 v^ + s^2) - 1/A)^2 A with v^ = v chi^2_m/m, free of cancellation."""
    A = _noisy_variance(p)

    def loss(u: Array) -> Array:
        estimate = p.v1 * np.exp(u)
        gap = p.a_t**2 * p.v1 * np.expm1(u)
        return np.asarray(gap**2 / (A * (p.a_t**2 * estimate + p.s_t**2) ** 2))

    return chi_mean(loss, p.n_data)


def _many_by_density(p: Values) -> Number:
    if p.v1 == 0:
        return mp.mpf(0)
    A, m = _noisy_variance(p), p.n_data
    k = mp.mpf(m) / 2

    def integrand(y: Number) -> Number:
        density = mp.exp((k - 1) * mp.log(y) - y / 2 - k * mp.log(2) - mp.loggamma(k))
        return density * (1 / (p.a_t**2 * p.v1 * y / m + p.s_t**2) - 1 / A) ** 2 * A

    stride = mp.sqrt(2 * m) + 1
    inner = sorted({max(mp.mpf(0), m + j * stride) for j in (-8, -4, -2, 0, 2, 4, 8)} | {mp.mpf(m) / 50})
    return tanh_sinh(integrand, [mp.mpf(0), *(y for y in inner if y > 0), m + 40 * stride + 200])


MANY_DRAWS = Numerics(
    balls={"one_draw_risk": lambda p: p.a_t**2 * p.v1 / (p.s_t**2 * _noisy_variance(p)) / (p.n_data - 2)},
    integrals={"many_draws_risk": _many},
    other={
        "one_draw_risk": lambda p: (1 / p.s_t**2 - 1 / _noisy_variance(p)) * chi_power_by_gamma(p.n_data, 1),
        "many_draws_risk": _many_by_density,
    },
    integers=("n_data",),
    admits=lambda p: p["n_data"] >= 3,
)


# -- one datum, several draws --------------------------------------------------------------------------------


def _few_parts(p: Values, y: Number) -> tuple[Number, Number]:
    """The two parts of the risk, given the share y/k of the data's mean directions in the design.

    The draws of a datum split into their mean, of variance a^2 v + s^2/k, and pure noise. With y = k times
    that share, of mean one, the fit errs by a^2 v (y - 1)/(A (s^2 + a^2 v y)) and by noise.
    """
    A, signal = _noisy_variance(p), p.a_t**2 * p.v1
    whole = p.s_t**2 + signal * y
    return signal**2 * (y - 1) ** 2 / (A * whole**2), A * signal * y / (p.s_t**2 * whole**2)


def _few(p: Values) -> Enclosure:
    """The mean over the share, which is Beta(m/2, m (k - 1)/2), in the logarithm of its odds."""
    if p.draws == 1:
        one = float(_target_noise_on_line(p) / (p.n_data - 2))
        return Enclosure.around(one, 2e-15 * one)
    alpha, k = p.n_data / 2, p.draws

    def exponent(u: Array) -> Array:
        """Of the density up to its constant, with the odds e^u/(k - 1)."""
        return np.asarray(alpha * (u - k * np.log1p(np.expm1(u) / k)))

    def risk(u: Array) -> Array:
        first, second = _few_parts(p, k / (1 + (k - 1) * np.exp(-u)))
        return np.asarray(first + second / (p.n_data * k - 2))

    def digits(u: Array) -> Array:
        return np.asarray(10.0 + np.abs(exponent(u)))

    ends = -1600.0 / p.n_data - 60.0 / np.sqrt(p.n_data) - 2.0, 1600.0 / p.n_data / (k - 1) + 60.0
    whole = line_integral(lambda u: np.asarray(np.exp(exponent(u))), *ends, digits)
    return line_integral(lambda u: np.asarray(np.exp(exponent(u)) * risk(u)), *ends, digits) / whole


def _target_noise_on_line(p: Values) -> Number:
    """a^2 v/(s^2 A)."""
    return p.a_t**2 * p.v1 / (p.s_t**2 * _noisy_variance(p))


def _few_by_density(p: Values) -> Number:
    if p.draws == 1:
        return _target_noise_on_line(p) * chi_power_by_gamma(p.n_data, 1)
    alpha, beta = mp.mpf(p.n_data) / 2, mp.mpf(p.n_data) * (p.draws - 1) / 2
    constant = mp.loggamma(alpha + beta) - mp.loggamma(alpha) - mp.loggamma(beta)

    def integrand(share: Number) -> Number:
        first, second = _few_parts(p, p.draws * share)
        density = mp.exp(constant + (alpha - 1) * mp.log(share) + (beta - 1) * mp.log1p(-share))
        return density * (first + second / (p.n_data * p.draws - 2))

    middle = mp.mpf(1) / p.draws
    stride = mp.sqrt(middle * (1 - middle) / (alpha + beta + 1))
    inner = sorted(
        c for j in (-24, -12, -8, -4, -2, 0, 2, 4, 8, 12, 24) if 0 < (c := middle + j * stride) < 1
    )
    return tanh_sinh(integrand, [mp.mpf(0), *inner, mp.mpf(1)])


FEW_DRAWS = Numerics(
    balls={"one_draw_risk": lambda p: _target_noise_on_line(p) / (p.n_data - 2)},
    integrals={"few_draws_risk": _few},
    other={
        "one_draw_risk": lambda p: (1 / p.s_t**2 - 1 / _noisy_variance(p)) * chi_power_by_gamma(p.n_data, 1),
        "few_draws_risk": _few_by_density,
    },
    integers=("n_data", "draws"),
    admits=lambda p: p["n_data"] >= 3,
)


MODELS: Mapping[str, Numerics] = {"many-draws": MANY_DRAWS, "few-draws": FEW_DRAWS}
