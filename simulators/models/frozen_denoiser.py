"""Path entropies of samplers of N(0, v) in some directions and a point in the others: what is frozen matters.

With u = e^{-2t}/(1 - e^{-2t}) and A(u) = E tr Cov(X_0|X_t) freezing E[X_0|X_t] costs

    (1/2) int_{u_k}^{u_{k+1}} (A(u_k) - A(u)) du      per step;

freezing the score costs, per direction of variance v_t, (1/2) log(v_a/v_b) + h - (2 (1 - e^{-h}) - h)/v_a for
a step h from the time a to b. First road: both antiderivatives in balls. Second road: quadrature over time.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import mpmath as mp

from simulators.models.tools import (
    Number,
    Numerics,
    Values,
    exponential,
    in_balls,
    logarithm,
    root,
    tanh_sinh,
)

__all__ = ["FROZEN_DENOISER"]


def _ratio(t: Number) -> Number:
    """Signal over noise variance at the forward time t."""
    return 1 / (exponential(2 * t) - 1)


def _log_step(p: Values) -> Number:
    return logarithm(_ratio(p.t_end) / _ratio(p.T)) / (2 * p.N)


def _ratios(p: Values) -> list[Number]:
    """At the grid times, from the horizon on."""
    found, growth = [_ratio(p.T)], exponential(2 * _log_step(p))
    for _ in range(p.N):
        found.append(found[-1] * growth)
    return found


def _denoiser_path(p: Values) -> Number:
    """(rank/2) sum of r - log(1 + r), r = v (u_{k+1} - u_k)/(1 + v u_k); the logarithms telescope."""
    ratios = _ratios(p)
    gained = [p.v1 * (after - now) / (1 + p.v1 * now) for now, after in itertools.pairwise(ratios)]
    lost = logarithm((1 + p.v1 * ratios[-1]) / (1 + p.v1 * ratios[0]))
    return p.rank * (sum(gained, start=0 * p.v1) - lost) / 2


def _score_path(p: Values) -> Number:
    """(1/2) log(v_T/v_delta) + T - delta - sum of (2 (1 - e^{-h}) - h)/v_a in each direction."""
    ratios = _ratios(p)
    spreads = [[(v * u + 1) / (1 + u) for u in ratios] for v in (p.v1, 0 * p.v1)]
    frozen = [0 * p.v1, 0 * p.v1]
    for k, (now, after) in enumerate(itertools.pairwise(ratios)):
        h = logarithm((1 + 1 / now) / (1 + 1 / after)) / 2
        weight = 2 * (1 - exponential(-h)) - h
        frozen = [total + weight / own[k] for total, own in zip(frozen, spreads, strict=True)]
    span = p.T - p.t_end
    filled, bare = (
        logarithm(own[0] / own[-1]) / 2 + span - total for own, total in zip(spreads, frozen, strict=True)
    )
    return p.rank * filled + p.empty * bare


def _times(p: Values) -> list[Number]:
    return [(1 / u).log1p() / 2 for u in _ratios(p)]


def _by_quadrature(p: Values, cost: Callable[[Number, Number], Number]) -> Number:
    """The sum over the steps of the integral of the cost at (e^{-2a} at the start a of the step, e^{-2t})."""

    def step(after: Number, now: Number) -> Number:
        begin = exponential(-2 * now)
        return tanh_sinh(lambda t: cost(begin, exponential(-2 * t)), [after, now])

    return sum((step(after, now) for now, after in itertools.pairwise(_times(p))), start=0 * p.T)


def _denoiser_by_quadrature(p: Values) -> Number:
    def spread(kept: Number) -> Number:
        return p.rank * p.v1 * (1 - kept) / (p.v1 * kept + 1 - kept)

    return _by_quadrature(p, lambda a, t: t / (1 - t) ** 2 * (spread(a) - spread(t)))


def _score_by_quadrature(p: Values) -> Number:
    def energy(kept: Number) -> Number:
        return p.rank / (p.v1 * kept + 1 - kept) + p.empty / (1 - kept)

    return _by_quadrature(p, lambda a, t: energy(t) - (2 * root(a / t) - 1) * energy(a))


FROZEN_DENOISER = Numerics(
    balls={
        "denoiser_path": _denoiser_path,
        "score_path": _score_path,
        "log_step": _log_step,
        "last_ratio": lambda p: _ratio(p.t_end),
    },
    other={
        "denoiser_path": in_balls(_denoiser_by_quadrature, extra=33),  # what 1 - e^{-2t} loses
        "score_path": in_balls(_score_by_quadrature, extra=33),
        "log_step": lambda p: (mp.log(mp.expm1(2 * p.T)) - mp.log(mp.expm1(2 * p.t_end))) / (2 * p.N),
        "last_ratio": lambda p: mp.exp(-2 * p.t_end) / -mp.expm1(-2 * p.t_end),
    },
    integers=("N", "rank", "empty"),
    admits=lambda p: p["t_end"] < p["T"],
)
