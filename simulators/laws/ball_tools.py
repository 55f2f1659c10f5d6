"""What the ball arithmetic shares: laws, forward laws, starts, score errors, coefficients on the grid."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate, pairwise
from math import isinf
from operator import mul
from typing import TypeVar

from flint import arb, arb_mat, ctx, fmpq

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
    "growths",
    "phase_reference",
    "phase_start",
    "refine",
    "spread_equal",
    "start_of",
    "steps",
    "times",
    "to_arb",
]

Pair = tuple[arb, arb]
Triple = tuple[arb, arb, arb]
A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")


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
    values = profile_weights(error.profile, case.grid.N).tolist()
    known = {w: arb(w) for w in set(values)}  # equal weights are one object, which chains recognise
    return shift, linear, [known[w] for w in values]


def spread_equal(pairs: Iterable[tuple[A, B]], compute: Callable[[A, B], T]) -> Iterator[T]:
    """``compute`` at each pair; computed once for neighbours that are the same two objects."""
    first, second = object(), object()
    for a, b in pairs:
        if a is not first or b is not second:
            first, second, value = a, b, compute(a, b)
        yield value


# -- the grid, each list once for a grid and a precision -----------------------------------------------------


def times(case: SingleCase) -> list[arb]:
    """tau_k, k = 0 ... N."""
    return _times(case.grid, ctx.prec)


def steps(case: SingleCase) -> list[arb]:
    """h_k, k = 0 ... N - 1; one object on a uniform grid."""
    return _steps(case.grid, ctx.prec)


def growths(case: SingleCase) -> list[arb]:
    """e^{h_k}, k = 0 ... N - 1; one object on a uniform grid."""
    return _growths(case.grid, ctx.prec)


def decays(case: SingleCase) -> list[arb]:
    """e^{-tau_k}, k = 0 ... N, by products of e^{h_k}: relative radii add up, to N roundings at the end."""
    return _decays(case.grid, ctx.prec)


def coefficients(functions: tuple[ExpPoly, ...], case: SingleCase) -> list[tuple[arb, ...]]:
    """The functions at each step; a uniform grid evaluates them once."""
    return _coefficients(functions, case.grid, ctx.prec)


@lru_cache(maxsize=8)
def _times(grid: Grid, bits: int) -> list[arb]:
    if grid.kind != "uniform":
        return [arb(t) for t in grid.times.tolist()]
    h, end = _steps(grid, bits)[0], arb(grid.delta)
    return [arb(k) * h + end for k in range(grid.N, -1, -1)]


@lru_cache(maxsize=8)
def _steps(grid: Grid, bits: int) -> list[arb]:
    if grid.kind == "uniform":
        return [to_arb((Fraction(grid.T) - Fraction(grid.delta)) / grid.N)] * grid.N
    return [a - b for a, b in pairwise(_times(grid, bits))]


@lru_cache(maxsize=8)
def _growths(grid: Grid, bits: int) -> list[arb]:
    lengths = _steps(grid, bits)
    return [lengths[0].exp()] * grid.N if grid.kind == "uniform" else [h.exp() for h in lengths]


@lru_cache(maxsize=8)
def _decays(grid: Grid, bits: int) -> list[arb]:
    return list(accumulate(_growths(grid, bits), mul, initial=(-arb(grid.T)).exp()))


@lru_cache(maxsize=8)
def _coefficients(functions: tuple[ExpPoly, ...], grid: Grid, bits: int) -> list[tuple[arb, ...]]:
    """One product of matrices: rational coefficients by the values of h^i e^{jh} at the steps."""
    distinct = 1 if grid.kind == "uniform" else grid.N
    lengths, growth = _steps(grid, bits)[:distinct], _growths(grid, bits)[:distinct]
    keys = sorted({key for f in functions for key in f.terms})
    columns = [_monomial(i, j, lengths, growth) for i, j in keys]
    weights = arb_mat([[to_arb(f.terms.get(key, Fraction(0))) for key in keys] for f in functions])
    flat = (arb_mat([list(row) for row in zip(*columns, strict=True)]) * weights.transpose()).entries()
    width = len(functions)
    rows = [tuple(flat[at : at + width]) for at in range(0, len(flat), width)]
    return rows * grid.N if grid.kind == "uniform" else rows


def _monomial(i: int, j: int, lengths: list[arb], growth: list[arb]) -> list[arb]:
    """h^i e^{jh} at each step."""
    column = [arb(1)] * len(lengths)
    base = growth if j >= 0 else [1 / x for x in growth] if j else column
    for factor in [base] * abs(j) + [lengths] * i:
        column = [a * b for a, b in zip(column, factor, strict=True)]
    return column
