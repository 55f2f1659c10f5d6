"""Output laws kept as log densities on a grid: `grid_law`, and the joint law of position and velocity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import inf, log, pi

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulators.enclosure import Enclosure
from simulators.errors import InputError, NotDefined
from simulators.line.charts import Accurate, Chart
from simulators.line.law import LineLaw, PairedLaw, UnresolvedLaw
from simulators.line.mixture_kernels import mixture_logpdf
from simulators.line.problem import Problem
from simulators.line.propagate import Setup
from simulators.line.scores import Mixture, table
from simulators.phase.grid import Aim, Row, Sheet, begin, drop, kicked, lift, noised, transported
from simulators.phase.plan import Drop, Kick, Lift, Noise, operations

__all__ = ["GridLaw", "Run", "grid_law", "joint_kl", "run_grid"]

Array = NDArray[np.float64]

LEVELS = 0.62  # level of a grid over the logarithm of the accuracy of a `Setup`
FADING = 5.0  # of log density that is kept accurate but not shown
CELL_X, CELL_W = np.polynomial.legendre.leggauss(6)
GUARD = 4.0  # rounding over that of a law made of components: logarithms are of size 50


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run: the law of positions, and with a velocity kept at the end the joint law.

    shown : log density down to which densities are given.
    """

    row: Row
    sheet: Sheet | None
    shown: float = 60.0

    @cached_property
    def _sums(self) -> tuple[Array, Array]:
        left = self.row.x[:-1]
        masses = self._part(left, left + self.row.dx)
        below = np.concatenate([[0.0], np.cumsum(masses)])
        above = np.concatenate([np.cumsum(masses[::-1])[::-1], [0.0]])
        return below, above

    def _part(self, left: Array, right: Array) -> Array:
        """Mass between neighbouring points, by six Gauss nodes."""
        half = 0.5 * (right - left)
        points = left[:, None] + half[:, None] * (1.0 + CELL_X)
        values = np.exp(self.row.at(points.ravel())).reshape(points.shape)
        return np.asarray((values @ CELL_W) * half)

    def logpdf(self, y: Array) -> Array:
        """Log density, minus infinity where it is not known."""
        x = self.row.x
        value = self.row.at(y)
        return np.where((y < x[0]) | (y > x[-1]) | (value < -self.shown), -np.inf, value)

    def tails(self, y: Array) -> tuple[Array, Array]:
        """P(Y <= y) and P(Y > y)."""
        x = self.row.x
        inside = np.clip(y, x[0], x[-1])
        cell = np.clip(np.searchsorted(x, inside, side="right") - 1, 0, x.size - 2)
        below, above = self._sums
        return below[cell] + self._part(x[cell], inside), above[cell + 1] + self._part(inside, x[cell + 1])

    @property
    def second_moment(self) -> float:
        """E y^2."""
        row = self.row
        return float((np.exp(row.logp) * row.x * row.x).sum() * row.dx)


@dataclass(frozen=True, eq=False)
class GridChart(Accurate):
    """The chart y = t of a law on a grid."""

    run: Run
    features: Array

    @property
    def edges(self) -> Array:
        """Features of the integrand and of the law."""
        x = self.run.row.x
        return np.unique(np.concatenate([self.features, np.linspace(x[0], x[-1], 33)]))

    @property
    def zones(self) -> Array | None:
        """See `simulators.line.law.Chart`."""
        shown = self.run.row.x[self.run.row.logp > -self.run.shown]
        return np.array([[shown[0], shown[-1]]])

    def nodes(self, t: Array) -> tuple[Array, Array, Array]:
        """See `simulators.line.law.Chart`."""
        return t, np.zeros_like(t), self.run.logpdf(t)

    def tails(self, t: Array, y: Array) -> tuple[Array, Array]:
        """See `simulators.line.law.Chart`."""
        return self.run.tails(y)


@dataclass(frozen=True, eq=False)
class GridLaw(PairedLaw[Run]):
    """The output as log densities on two grids."""

    @staticmethod
    def propagated(problem: Problem, log_accuracy: float, setup: Setup) -> Run:
        """See `PairedLaw`."""
        return run_grid(problem, log_accuracy, setup)

    @property
    def noise(self) -> float:
        """See `LineLaw`."""
        return GUARD * super().noise

    @property
    def sway(self) -> float:
        """See `LineLaw`."""
        return GUARD * super().sway

    def charts(self, features: Array) -> tuple[Chart, ...]:
        """See `LineLaw`."""
        return GridChart(self.fine, features), GridChart(self.coarse, features)

    def pdf(self, y: ArrayLike) -> Array:
        """See `LineLaw`."""
        points = np.asarray(y, dtype=np.float64)
        return np.exp(self.fine.logpdf(points.ravel())).reshape(points.shape)


def run_grid(problem: Problem, log_accuracy: float, setup: Setup) -> Run:
    """The whole run on grids of one accuracy; raises `LineError` where they do not resolve it."""
    slack = setup.slack**0.5
    aim = Aim(LEVELS * log_accuracy, slack, setup.offset, setup.depth, setup.work_limit)
    shown = aim.deep - FADING
    state: Row | Sheet = begin(problem.initial, aim)
    for step in operations(problem):
        if isinstance(step, Lift):
            assert isinstance(state, Row)
            state = lift(state, step.following, aim)
        elif isinstance(step, Drop | Kick):
            assert isinstance(state, Sheet)
            state = kicked(state, step, aim) if isinstance(step, Kick) else drop(state, aim)
        else:
            assert isinstance(state, Row)
            state = noised(state, step, aim) if isinstance(step, Noise) else transported(state, step, aim)
    return Run(state, None, shown) if isinstance(state, Row) else Run(drop(state, aim), state, shown)


def grid_law(problem: Problem, setup: Setup | None = None) -> LineLaw:
    """The law on the first pair of accuracies that passes every check; an `UnresolvedLaw` when none does."""
    return GridLaw.settled(problem, setup or Setup())


def joint_kl(law: LineLaw, target: Mixture, order: str = "target,output") -> Enclosure:
    """KL between target x N(0, 1) and the joint law of the output's position and velocity, nats.

    order : "target,output" for KL(target x N(0, 1) || output), or "output,target". Sums over the two grids,
    whose nodes resolve both laws.
    """
    if order not in ("target,output", "output,target"):
        raise InputError("order", order, "expected target,output or output,target")
    if isinstance(law, UnresolvedLaw):
        return Enclosure.between(0.0, inf, "not resolved: trivial bounds")
    if not isinstance(law, GridLaw) or law.fine.sheet is None or law.coarse.sheet is None:
        raise NotDefined("joint law: expected the output of a sampler that keeps its velocity")
    (value, lost), (coarse, _) = (
        _joint(run.sheet, target, order) for run in (law.fine, law.coarse) if run.sheet is not None
    )
    error = 10.0 * (abs(value - coarse) + lost) + law.noise * (2.0 * value) ** 0.5 + law.noise**2
    return Enclosure.between(max(value - error, 0.0), value + error, "joint law, two grids")


def _joint(sheet: Sheet, target: Mixture, order: str) -> tuple[float, float]:
    """The divergence over the sheet, and a bound of what lies beyond it: infinite unless that is rounding."""
    row = mixture_logpdf(sheet.x, *(part[0] for part in table(target).rows))
    logq = row - 0.5 * sheet.v[:, None] ** 2 - 0.5 * log(2.0 * pi)
    over, under = (logq, sheet.logp) if order == "target,output" else (sheet.logp, logq)
    ratio = under - over
    a, b = np.exp(over), np.exp(under)
    with np.errstate(over="ignore", invalid="ignore"):
        near = a * (np.expm1(np.clip(ratio, -1.0, 1.0)) - ratio)
        terms = np.where(np.abs(ratio) < 1.0, near, b - a - a * ratio)
    cell = sheet.dx * sheet.dv
    rest = max(1.0 - float(np.exp(logq).sum()) * cell, 0.0)
    lost = inf if rest > 1e-13 else 1e-13  # what the sheet does not hold may be lost by any factor
    return float(terms.sum()) * cell, lost if order == "target,output" else 1e-13
