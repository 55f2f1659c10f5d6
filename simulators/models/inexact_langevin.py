"""The Langevin diffusion of N(0, v) with a drift that is off by an affine function, from a Gaussian.

dX = (-X/v + slope X + offset) dt + sqrt2 dB from N(m, w). First road: mean and variance in balls. Second
road: mpmath, moments by quadrature of the variation-of-constants formula and the exponential moment by
quadrature.
"""

from __future__ import annotations

from collections.abc import Mapping

import mpmath as mp

from simulators.models.tools import Number, Numerics, Values, exponential, logarithm, mean_by_trapezoid

__all__ = ["INEXACT_LANGEVIN"]


def _entropy(p: Values, mean: Number, variance: Number) -> Number:
    ratio = variance / p.v1
    return (ratio - 1 - logarithm(ratio) + mean**2 / p.v1) / 2


def _end(p: Values) -> tuple[Number, Number]:
    rate = 1 / p.v1 - p.slope
    fade = exponential(-rate * p.lag)
    return fade * p.m1 + p.offset * (1 - fade) / rate, fade**2 * p.v2 + (1 - fade**2) / rate


def _end_by_quadrature(p: Values) -> tuple[Number, Number]:
    rate = 1 / p.v1 - p.slope
    cuts = mp.linspace(0, p.lag, 5)
    mean = mp.exp(-rate * p.lag) * p.m1 + p.offset * mp.quad(lambda u: mp.exp(-rate * u), cuts)
    return mean, mp.exp(-2 * rate * p.lag) * p.v2 + 2 * mp.quad(lambda u: mp.exp(-2 * rate * u), cuts)


def _exponential_error(p: Values) -> Number:
    """(1/v) log E exp(v |slope X + offset|^2) under the target."""
    room = 1 - 2 * (p.slope * p.v1) ** 2
    return p.offset**2 / room - logarithm(room) / (2 * p.v1)


def _exponential_error_by_quadrature(p: Values) -> Number:
    """Under the tilted Gaussian, whose variance is v over the room that is left."""
    room = 1 - 2 * (p.slope * p.v1) ** 2
    spread = p.v1 / room

    def ratio(x: Number) -> Number:
        tilt = p.v1 * (p.slope * x + p.offset) ** 2
        return mp.sqrt(spread / p.v1) * mp.exp(tilt - x * x / (2 * p.v1) + x * x / (2 * spread))

    return mp.log(mean_by_trapezoid(ratio, mp.mpf(0), spread)) / p.v1


def _admitted(parameters: Mapping[str, float]) -> bool:
    return (
        parameters["v1"] > 0
        and parameters["v2"] > 0
        and 2 * (parameters["slope"] * parameters["v1"]) ** 2 < 0.99
        and parameters["offset"] ** 2 * parameters["v1"] < 20
    )


INEXACT_LANGEVIN = Numerics(
    balls={
        "inexact_kl": lambda p: _entropy(p, *_end(p)),
        "inexact_start": lambda p: _entropy(p, p.m1, p.v2),
        "exponential_error": _exponential_error,
    },
    other={
        "inexact_kl": lambda p: _entropy(p, *_end_by_quadrature(p)),
        "inexact_start": lambda p: _entropy(p, p.m1, p.v2),
        "exponential_error": _exponential_error_by_quadrature,
    },
    admits=_admitted,
)
