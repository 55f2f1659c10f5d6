"""What the ball arithmetic shares: laws, forward laws, starts, score errors, coefficients on the grid."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import isinf

from flint import arb, ctx, fmpq

from simulators.batch import SingleCase
from simulators.errors import InputError
from simulators.exppoly import ExpPoly
from simulators.grids import Grid
from simulators.samplers import SAMPLERS
from simulators.score_errors import profile_weights
from simulators.targets import Gaussian

__all__ = [
    "BallLaw",
    "BallPhaseLaw",
    "Pair",
    "Triple",
    "ball_forward",
    "ball_forward_phase",
    "coefficients",
    "decays",
    "error_of",
    "phase_reference",
    "phase_start",
    "refine",
    "start_of",
    "to_arb",
]

Pair = tuple[arb, arb]
Triple = tuple[arb, arb, arb]


@dataclass(frozen=True, eq=False)
class BallLaw:
    """Variances and means (along one axis) of the eigenspaces, as balls."""

    variances: tuple[arb, ...]
    means: tuple[arb, ...]
    multiplicities: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class BallPhaseLaw:
    """Phase-space covariances (xx, xv, vv) and means (x, v) of the eigenspaces, as balls."""

    covariances: tuple[Triple, ...]
    means: tuple[Pair, ...]
    multiplicities: tuple[int, ...]


def refine(compute: Callable[[], arb], *, bits: int = 128, max_bits: int = 8192, rtol: float = 1e-20) -> arb:
    """The ball computed at the first precision, doubled from ``bits``, where its relative radius is below
    rtol.

    Returns the last ball when ``max_bits`` does not suffice (a value that is exactly zero, for instance): it
    still contains the truth.
    """
    while True:
        with ctx.workprec(bits):
            ball = compute()
            sharp = bool(ball.rad() <= rtol * abs(ball.mid()))
            if sharp or bits >= (max_bits if ball.is_finite() else min(1024, max_bits)):
                return ball
        bits *= 2


def to_arb(value: Fraction | float | int) -> arb:
    """A rational (a float is one) as a ball, exact up to the precision in force."""
    exact = Fraction(value)
    return arb(fmpq(exact.numerator, exact.denominator))


def ball_forward(case: SingleCase, time: Fraction | float | str) -> BallLaw:
    """The law q at a forward time: a number, or "target", "delta", "T", "gamma"."""
    return _at(case.target, exact_time(case, time))


def exact_time(case: SingleCase, time: Fraction | float | str) -> Fraction | None:
    """The time as a rational; None is infinity."""
    if isinstance(time, str):
        stays = not getattr(SAMPLERS[case.sampler], "reverse", True)
        named = {
            "target": 0.0,
            "T": case.grid.T,
            "delta": 0.0 if stays else case.grid.delta,
            "gamma": float("inf"),
        }
        if time not in named:
            raise InputError("time", time, f"expected a number or one of {', '.join(named)}")
        time = named[time]
    if isinstance(time, float) and isinf(time):
        return None
    if time < 0:
        raise InputError("time", time, "expected >= 0")
    return Fraction(time)


def _at(target: Gaussian, time: Fraction | None) -> BallLaw:
    decay = arb(0) if time is None else (-to_arb(time)).exp()
    variances = tuple(
        1 + (arb(lam) - 1) * decay * decay if time != 0 else arb(lam) for lam in target.eigenvalues
    )
    return BallLaw(variances, tuple(arb(m) * decay for m in target.means), target.multiplicities)


def ball_forward_phase(case: SingleCase, time: Fraction | float | str) -> BallPhaseLaw:
    """The forward phase-space law of q x gamma under critically damped Langevin."""
    exact = exact_time(case, time)
    states = [
        phase_reference(arb(lam), arb(m), exact)
        for lam, m in zip(case.target.eigenvalues, case.target.means, strict=True)
    ]
    return BallPhaseLaw(tuple(c for c, _ in states), tuple(m for _, m in states), case.target.multiplicities)


def phase_reference(lam: arb, m: arb, time: Fraction | None) -> tuple[Triple, Pair]:
    """Covariance I + (lam - 1) w w^T and mean m w, w = e^{-tau}(1 + tau, -tau)."""
    if time is None:
        return (arb(1), arb(0), arb(1)), (arb(0), arb(0))
    tau = to_arb(time)
    decay = (-tau).exp()
    x, v = decay * (1 + tau), -decay * tau
    if time == 0:
        return (lam, arb(0), arb(1)), (m, arb(0))
    return (1 + (lam - 1) * x * x, (lam - 1) * x * v, 1 + (lam - 1) * v * v), (m * x, m * v)


def start_of(case: SingleCase) -> BallLaw:
    """The law of the start on positions."""
    if isinstance(case.start, Gaussian):
        given = case.start
        return BallLaw(
            tuple(arb(v) for v in given.eigenvalues), tuple(arb(m) for m in given.means), given.multiplicities
        )
    return ball_forward(case, "gamma" if case.start == "gamma" else "T")


def phase_start(case: SingleCase, space: int) -> tuple[Triple, Pair]:
    """Covariance and mean of the start on phase space; a given start has velocity N(0, 1)."""
    if isinstance(case.start, Gaussian):
        return (arb(case.start.eigenvalues[space]), arb(0), arb(1)), (arb(case.start.means[space]), arb(0))
    time = None if case.start == "gamma" else Fraction(case.grid.T)
    return phase_reference(arb(case.target.eigenvalues[space]), arb(case.target.means[space]), time)


def error_of(case: SingleCase, space: int) -> tuple[arb, arb, list[arb] | None]:
    """(shift, linear, weights) of the score error in one eigenspace; weights None means adapted."""
    error = case.score_error
    if error is None:
        return arb(0), arb(0), [arb(0)] * case.grid.N
    shift, linear = arb(error.shift[space]), arb(error.linear[space])
    if error.profile == "adapted":
        return shift, linear, None
    return shift, linear, [arb(w) for w in profile_weights(error.profile, case.grid.N).tolist()]


def decays(case: SingleCase) -> list[arb]:
    """e^{-tau_k}, k = 0 ... N."""
    return _decays(case.grid, ctx.prec)


@lru_cache(maxsize=8)
def _decays(grid: Grid, bits: int) -> list[arb]:
    times = grid.exact_times()
    if grid.kind == "uniform":
        growth = to_arb(times[0] - times[1]).exp()
        values = [(-to_arb(times[0])).exp()]
        for _ in times[1:]:
            values.append(values[-1] * growth)
        return values
    return [(-to_arb(t)).exp() for t in times]


def coefficients(functions: tuple[ExpPoly, ...], case: SingleCase) -> Iterator[tuple[arb, ...]]:
    """The functions at each step; a uniform grid evaluates them once."""
    return iter(_coefficients(functions, case.grid, ctx.prec))


@lru_cache(maxsize=8)
def _coefficients(functions: tuple[ExpPoly, ...], grid: Grid, bits: int) -> list[tuple[arb, ...]]:
    steps = grid.exact_steps()
    if grid.kind == "uniform":
        h = to_arb(steps[0])
        return [tuple(f.arb(h) for f in functions)] * len(steps)
    return [tuple(f.arb(h) for f in functions) for h in map(to_arb, steps)]
