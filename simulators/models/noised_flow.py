"""The probability flow with a step of forward noise on N(m, v).

First road: the recursion of mean and variance in ball arithmetic. Second road: mpmath on the deviation of the
mean and on e^{2t} times the variance.
"""

from __future__ import annotations

import mpmath as mp
from flint import arb

from simulators.distances.balls import kl_ball
from simulators.distances.second import kl_second
from simulators.models.schedules import Pair, lane
from simulators.models.tools import Number, Numerics, Values, exponential

__all__ = ["NOISED_FLOW", "NOISING_STEP", "grid_down"]


def grid_down(ratio: float, horizon: float, end: float) -> tuple[float, ...]:
    """Times from the horizon, each shorter by ratio min(1, time), until one reaches the end; two at least."""
    times = [horizon]
    while times[-1] > end or len(times) < 3:
        times.append(times[-1] * (1 - ratio) if times[-1] < 1 else times[-1] - ratio)
    return tuple(times)


def _grid(p: Values) -> tuple[float, ...]:
    """The grid in floats on both roads: its times are data."""
    return grid_down(float(p.ratio), float(p.T), float(p.t_end))


def _at(p: Values, time: Number) -> Pair:
    """Mean and variance of the forward law."""
    fade = exponential(-time)
    return fade * p.m1, fade * fade * (p.v1 - 1) + 1


def _noised(p: Values) -> tuple[Pair, Pair]:
    """The forward law at the last time but one, and the output there."""
    times = [t + 0 * p.v1 for t in _grid(p)]
    mean, variance = 0 * p.m1, 1 + 0 * p.m1
    for now, after, last in zip(times, times[1:], times[2:], strict=False):
        centre, spread = _at(p, now)
        grown, fade = exponential(now - last), exponential(last - after)
        share = (grown - 1) / spread
        mean = fade * ((grown - share) * mean + share * centre + (grown - 1) * p.offset)
        variance = fade * fade * ((grown - share) ** 2 * variance - 1) + 1
    return _at(p, times[-2]), (mean, variance)


def _noised_by_sums(p: Values) -> tuple[Pair, Pair]:
    """The same for the deviation of the mean and for e^{2t} times the variance."""
    times = [mp.mpf(t) for t in _grid(p)]
    off, scaled = -mp.exp(-times[0]) * p.m1, mp.exp(2 * times[0])
    for now, after, last in zip(times, times[1:], times[2:], strict=False):
        spread = mp.exp(-2 * now) * p.v1 - mp.expm1(-2 * now)
        lead = mp.expm1(now - last)
        off = mp.exp(last - after) * ((1 + lead * (1 - 1 / spread)) * off + lead * p.offset)
        slope = mp.exp(last - now) * (1 + lead * (1 - 1 / spread))
        scaled = slope**2 * scaled + mp.exp(2 * after) - mp.exp(2 * last)
    at = times[-2]
    mean = mp.exp(-at) * p.m1
    return (mean, mp.exp(-2 * at) * p.v1 - mp.expm1(-2 * at)), (mean + off, mp.exp(-2 * at) * scaled)


def _noised_kl_by_sums(p: Values) -> Number:
    target, output = _noised_by_sums(p)
    return kl_second(lane(p, target), lane(p, output), mp.mp.dps + 15)


NOISED_FLOW = Numerics(
    balls={
        "noised_kl": lambda p: kl_ball(*(lane(p, law) for law in _noised(p))),
        "grid_steps": lambda p: arb(len(_grid(p)) - 1),
    },
    other={
        "noised_kl": _noised_kl_by_sums,
        "grid_steps": lambda p: mp.mpf(sum(1 for _ in _grid(p)[1:])),
    },
    integers=("d",),
    admits=lambda p: p["T"] > 2 * p["t_end"],
)

NOISING_STEP = Numerics(
    balls={
        "noising_kl": lambda p: kl_ball(
            [(1 - exponential(-2 * p.lag), exponential(-p.lag) * p.offset, 1)],
            [(1 - exponential(-2 * p.lag), arb(0), 1)],
        )
    },
    other={"noising_kl": lambda p: p.offset**2 / (2 * mp.expm1(2 * p.lag))},
)
