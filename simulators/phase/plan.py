"""What a sampler with a velocity or a corrector does, as a list of operations on a log density.

An underdamped step of length h and friction g is (X, V)+ = (x + c v + b s, e v + c s) + noise, covariance Q.
With a2 = Q_xv/Q_vv it is exactly

    x1 = x + (b - a2 c) s(x) + (c - a2 e) v,    V = e v + c s(x) + sqrt(Q_vv) z,
    X = x1 + a2 V + sqrt(Q_xx - Q_xv^2/Q_vv) z',

which moves positions along rows of constant velocity only, and velocities along columns only. b - a2 c is
O(h^3), so that the first map does not fold unless steps are long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import exp, expm1, sqrt

import numpy as np
from numpy.typing import NDArray

from simulators.batch import Setting, corrector_of
from simulators.exppoly import E, H
from simulators.line.kernels import learned_score
from simulators.line.problem import Problem
from simulators.line.scores import Custom
from simulators.samplers.scheme import Composite, Kinetic

__all__ = ["Drop", "Kick", "Lift", "Noise", "Operation", "Score", "Transport", "operations"]

Array = NDArray[np.float64]
Score = Callable[[Array], tuple[Array, Array, Array]]
"""From x to the score, its derivative, and the variance of the components' scores."""

QXX, QXV, QVV = 2 * H - 3 + 4 * E(-1) - E(-2), 1 - 2 * E(-1) + E(-2), 1 - E(-2)  # over g^2, g and 1
REST = QXX * QVV - QXV * QXV


@dataclass(frozen=True, eq=False)
class Transport:
    """x -> x + a x + b s(x), without noise, no velocity at hand."""

    a: float
    b: float
    score: Score


@dataclass(frozen=True, eq=False)
class Noise:
    """x -> x + h s(x) + sqrt(2h) z, no velocity at hand."""

    h: float
    score: Score


@dataclass(frozen=True, eq=False)
class Kick:
    """An underdamped step in the letters of the module; turn = b - a2 c, shift = c - a2 e, sds of V and X.

    In general it reads s at u = across (x - lean v), and is, with t = slope u + turn s(u),

        x1 = t + shift v,    V = damping v + pull u + kick s(u) + sd_v z,    X = x1 + after V + sd_x z'.
    """

    damping: float
    kick: float
    turn: float
    shift: float
    after: float
    sd_v: float
    sd_x: float
    score: Score
    slope: float = 1.0
    pull: float = 0.0
    across: float = 1.0
    lean: float = 0.0

    @classmethod
    def of(cls, h: float, friction: float, score: Score) -> Kick:
        """The step of length h."""
        x = np.array([friction * h])
        b, xv, vv, rest = (float(part(x)[0]) for part in (H - 1 + E(-1), QXV, QVV, REST))
        e, c, after = exp(-friction * h), -expm1(-friction * h) / friction, xv / friction / vv
        turn, shift = b / friction**2 - after * c, c - after * e
        return cls(e, c, turn, shift, after, sqrt(vv), sqrt(rest / vv) / friction, score)


@dataclass(frozen=True, eq=False)
class Lift:
    """A fresh velocity from N(0, 1), before this step."""

    following: Kick


@dataclass(frozen=True)
class Drop:
    """The velocity is forgotten."""


Operation = Transport | Noise | Lift | Drop | Kick


def operations(problem: Problem) -> Iterator[Operation]:
    """The run, in order; for ulmc the velocity is kept at the end."""
    scheme = problem.scheme
    steps = problem.grid.steps.tolist()
    if isinstance(scheme, Kinetic):
        friction = problem.options.get("gamma_friction", 2.0)
        for k, h in enumerate(steps):
            kick = Kick.of(h, friction, _score(problem, 0, problem.errors[k]))
            if k == 0:
                yield Lift(kick)
            yield kick
        return
    assert isinstance(scheme, Composite)
    plan = corrector_of(
        problem.sampler, Setting(problem.grid, options=tuple(sorted(problem.options.items())))
    )
    first, second = (np.asarray(part(problem.grid.steps)) for part in scheme.predictor.table[:2])
    later = _later_errors(problem)
    for k in range(len(steps)):
        yield Transport(float(first[k]), float(second[k]), _score(problem, k, problem.errors[k]))
        if k not in plan.after:
            continue
        score = _score(problem, k + 1, later[k])
        if isinstance(scheme.corrector, Kinetic):
            kick = Kick.of(plan.step, plan.friction, score)
            yield Lift(kick)
            for _ in range(plan.count):
                yield kick
            yield Drop()
        else:
            for _ in range(plan.count):
                yield Noise(plan.step, score)


def _later_errors(problem: Problem) -> Array:
    """The score errors of correctors after each step: the profile of the step, the time it ends at."""
    error = problem.error
    if error is None or isinstance(error, Custom):
        return problem.errors[1:]
    return error.rows(problem.target, problem.times[1:], error.weights(problem.grid.N))


def _score(problem: Problem, row: int, given: Array) -> Score:
    mu, inv, lw = (part[row] for part in problem.scores.rows)
    mu2, inv2, lw2 = (part[row] for part in problem.learned.rows)
    tau, error = float(problem.times[row]), problem.error

    def score(x: Array) -> tuple[Array, Array, Array]:
        s, ds, var, top, work = *np.empty((4, x.size)), np.empty((9, x.size))
        learned_score(np.ascontiguousarray(x), mu, inv, lw, mu2, inv2, lw2, given, s, ds, var, top, work)
        if isinstance(error, Custom):
            s = s + np.asarray(error.value(tau, x), dtype=np.float64)
            ds = ds + error.derivative(tau, x)
        return s, ds, var

    return score
