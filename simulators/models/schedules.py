"""Samplers of N(m, v) on the schedule beta_1 = N^-c0, beta_{t+1} = r min(beta_1 (1 + r)^t, 1).

Here r = c1 log N/N.

First road: recursions of mean and variance in ball arithmetic. Second road: mpmath sums over products in the
rescaled state, whose steps add.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache

import mpmath as mp
from flint import arb, ctx

from simulators.distances.balls import Lane, kl_ball, tv_ball
from simulators.distances.second import kl_second, tv_second
from simulators.models.tools import Number, Numerics, Values, exponential, logarithm, root

__all__ = [
    "EXACT",
    "KERNEL_SHIFT",
    "NOISE_SCHEDULE",
    "STEP_SCHEDULE",
    "Pair",
    "lane",
    "schedule_of",
    "valid_schedule",
]

Pair = tuple[Number, Number]
"""Mean and variance of a law on the line."""

EXACT = 700
"""Extra bits of the second road where a scheme may be exact: beyond the last precision of the first road."""


# -- the schedule --------------------------------------------------------------------------------------------


def schedule_of(p: Values) -> tuple[list[Number], list[Number]]:
    """1 - alpha_t and alphabar_t for t = 1..N."""
    if isinstance(p.rate0, mp.mpf):
        return _steps(p.N, p.rate0, p.rate1)
    return _kept_schedule(p.N, p.rate0, p.rate1, ctx.prec)


def _steps(N: int, c0: Number, c1: Number) -> tuple[list[Number], list[Number]]:
    size = logarithm(N + 0 * c0)
    rate, first = c1 * size / N, exponential(-c0 * size)
    betas, growing = [first], first
    for _ in range(N - 1):
        growing = growing * (1 + rate)
        betas.append(rate * (growing if growing < 1 else 1 + 0 * rate))
    left, kept = [], 1 + 0 * rate
    for beta in betas:
        kept = kept * (1 - beta)
        left.append(kept)
    return betas, left


@lru_cache(maxsize=8)
def _roots_of(N: int, c0: arb, c1: arb, precision: int) -> list[tuple[Number, ...]]:
    """By step, the sampler's first one first: 1 - alpha, alphabar, what they leave, and roots of both."""
    steps = zip(*_kept_schedule(N, c0, c1, precision), strict=True)
    rows: list[tuple[Number, ...]] = [
        (beta, kept, 1 - beta, 1 - kept, root(1 - beta), root(kept)) for beta, kept in steps
    ]
    return rows[:0:-1]


@lru_cache(maxsize=8)
def _kept_schedule(N: int, c0: Number, c1: Number, precision: int) -> tuple[list[Number], list[Number]]:
    """The schedule in floats or in balls of a working precision, kept for the quantities of one case."""
    return _steps(N, c0, c1)


def valid_schedule(parameters: Mapping[str, float]) -> bool:
    """Whether the largest step leaves a fifth of the signal."""
    N = parameters["N"]
    return bool(parameters["rate1"] * math.log(N) < 0.8 * N)


def _largest(values: list[Number]) -> Number:
    best = values[0]
    for value in values[1:]:
        best = value if value > best else best
    return best


def _share(p: Values) -> Number:
    betas, left = schedule_of(p)
    return _largest([beta / (1 - kept) for beta, kept in zip(betas[1:], left[1:], strict=True)])


def _signal_by_logarithms(p: Values) -> Number:
    betas, _ = schedule_of(p)
    return mp.exp(mp.fsum(mp.log1p(-beta) for beta in betas))


def _largest_beta_by_rule(p: Values) -> Number:
    """The steps do not decrease after the first: the last or the first one."""
    rate = p.rate1 * mp.log(p.N) / p.N
    first = mp.mpf(p.N) ** -p.rate0
    return max(first, rate * min(first * (1 + rate) ** (p.N - 1), 1) if p.N > 1 else first)


def _total_by_rule(p: Values) -> Number:
    """Geometric until it reaches the top, constant from there."""
    rate = p.rate1 * mp.log(p.N) / p.N
    first = mp.mpf(p.N) ** -p.rate0
    growing = min(int(mp.floor(-mp.log(first) / mp.log1p(rate))), p.N - 1)
    geometric = first * (1 + rate) * ((1 + rate) ** growing - 1)
    return geometric + rate * (p.N - 1 - growing)


def _share_by_logarithms(p: Values) -> Number:
    betas, _ = schedule_of(p)
    total, best = mp.log1p(-betas[0]), mp.mpf(0)
    for beta in betas[1:]:
        total += mp.log1p(-beta)
        best = max(best, beta / -mp.expm1(total))
    return best


STEP_SCHEDULE = Numerics(
    balls={
        "largest_beta": lambda p: _largest(schedule_of(p)[0]),
        "largest_share": _share,
        "signal_left": lambda p: schedule_of(p)[1][-1],
        "total_beta": lambda p: sum(schedule_of(p)[0][1:], start=0 * p.rate0),
    },
    other={
        "largest_beta": _largest_beta_by_rule,
        "largest_share": _share_by_logarithms,
        "signal_left": _signal_by_logarithms,
        "total_beta": _total_by_rule,
    },
    integers=("N",),
    admits=valid_schedule,
)

KERNEL_SHIFT = Numerics(
    balls={
        "kernel_kl": lambda p: kl_ball(
            [(p.beta / (1 - p.beta), arb(0), 1)],
            [(p.beta / (1 - p.beta), p.beta * p.offset / root(1 - p.beta), 1)],
        )
    },
    other={
        "kernel_kl": lambda p: (p.beta * p.offset / mp.sqrt(1 - p.beta)) ** 2 / (2 * p.beta / (1 - p.beta))
    },
)


# -- samplers on the schedule --------------------------------------------------------------------------------


def _coefficients(scheme: str, beta: Number, kept: Number, spread: Number, noise: Number) -> Pair:
    """eta_t and sigma_t^2 of Y_{t-1} = (Y_t + eta_t s_t(Y_t) + sigma_t Z)/sqrt(alpha_t).

    spread : the variance of X_t; the Hessian of its log density is minus one over it.
    noise  : 1 - alphabar_t.
    """
    if scheme == "flow":
        return beta / 2, 0 * beta
    if scheme == "sde":
        return beta, beta
    if scheme == "matched":
        return beta, beta * (1 - beta / spread)
    return beta, beta * (1 - beta - kept) / noise


def _forward(p: Values, kept: Number) -> Pair:
    return root(kept) * p.m1, kept * p.v1 + 1 - kept


def _output(p: Values, scheme: str, start: Pair) -> Pair:
    """Mean and variance of Y_1 by the recursion."""
    mean, variance = start
    for beta, kept, alpha, noise, root_alpha, root_kept in _roots_of(p.N, p.rate0, p.rate1, ctx.prec):
        spread = kept * p.v1 + 1 - kept
        eta, added = _coefficients(scheme, beta, kept, spread, noise)
        share = eta / spread
        rest = 1 - share
        mean = (mean * rest + share * (root_kept * p.m1) + eta * p.offset) / root_alpha
        variance = (variance * (rest * rest) + added) / alpha
    return mean, variance


def _output_by_sums(p: Values, scheme: str, start: Pair) -> Pair:
    """The same in the state Y/sqrt(alphabar), whose steps add, as sums over products of slopes."""
    betas, left = schedule_of(p)
    slope, gain, noise_total = mp.mpf(1), mp.mpf(0), mp.mpf(0)
    for beta, kept in zip(betas[1:], left[1:], strict=True):  # from the last step of the sampler backwards
        spread = kept * p.v1 + 1 - kept
        eta, noise = _coefficients(scheme, beta, kept, spread, 1 - kept)
        gain += slope * eta * (p.m1 / spread + p.offset / mp.sqrt(kept))
        noise_total += slope**2 * noise / kept
        slope *= 1 - eta / spread
    scale = mp.sqrt(left[0] / left[-1])
    mean = slope * scale * start[0] + mp.sqrt(left[0]) * gain
    return mean, slope**2 * scale**2 * start[1] + left[0] * noise_total


def _gamma(p: Values) -> Pair:
    return 0 * p.m1, 1 + 0 * p.m1


def _own_start(p: Values) -> Pair:
    return _forward(p, schedule_of(p)[1][-1])


def lane(p: Values, law: Pair) -> list[Lane]:
    """The law in each of the d coordinates, as the distances take it."""
    return [(law[1], law[0], p.d)]


def _scheme_ball(
    scheme: str,
    start: Callable[[Values], Pair],
    distance: Callable[[list[Lane], list[Lane]], arb],
) -> Callable[[Values], Number]:
    def ball(p: Values) -> Number:
        target = _forward(p, schedule_of(p)[1][0])
        return distance(lane(p, target), lane(p, _output(p, scheme, start(p))))

    return ball


def _scheme_other(
    scheme: str, start: Callable[[Values], Pair], distance: Callable[..., Number]
) -> Callable[[Values], Number]:
    def other(p: Values) -> Number:
        with mp.extraprec(EXACT if distance is kl_second else 60):
            target = _forward(p, schedule_of(p)[1][0])
            output = _output_by_sums(p, scheme, start(p))
            return distance(lane(p, target), lane(p, output), mp.mp.dps)

    return other


def _total_variation(ps: list[Lane], qs: list[Lane]) -> arb:
    return tv_ball(ps, qs)[0]


_RUNS = {
    "flow_tv": ("flow", _gamma, "tv"),
    "flow_kl": ("flow", _gamma, "kl"),
    "sde_tv": ("sde", _gamma, "tv"),
    "sde_kl": ("sde", _gamma, "kl"),
    "adapted_tv": ("adapted", _gamma, "tv"),
    "adapted_kl": ("adapted", _gamma, "kl"),
    "sde_kl_own": ("sde", _own_start, "kl"),
    "adapted_kl_own": ("adapted", _own_start, "kl"),
    "matched_kl": ("matched", _gamma, "kl"),
    "matched_kl_own": ("matched", _own_start, "kl"),
}
_BALLS = {"tv": _total_variation, "kl": kl_ball}
_DIGITS = {"tv": tv_second, "kl": kl_second}

NOISE_SCHEDULE = Numerics(
    balls={
        **{name: _scheme_ball(scheme, start, _BALLS[of]) for name, (scheme, start, of) in _RUNS.items()},
        "signal_left": lambda p: schedule_of(p)[1][-1],
        "start_kl": lambda p: kl_ball(lane(p, _own_start(p)), lane(p, _gamma(p))),
    },
    other={
        **{name: _scheme_other(scheme, start, _DIGITS[of]) for name, (scheme, start, of) in _RUNS.items()},
        "signal_left": _signal_by_logarithms,
        "start_kl": lambda p: kl_second(lane(p, _own_start(p)), lane(p, _gamma(p)), mp.mp.dps + 15),
    },
    integers=("N", "d"),
    admits=valid_schedule,
)
