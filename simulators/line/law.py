"""Output laws on the line: densities, tails, and charts over which distances are integrated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulators.line.charts import Chart
from simulators.line.checks import FoldFound, LineError, TooMuchWork, first_pair
from simulators.line.problem import Problem
from simulators.line.propagate import Comb, Setup, run
from simulators.line.quadrature import MAX_PANELS, integrate
from simulators.line.transport import SAMPLES, Flow, FoldedChart, MonotoneChart, folds

__all__ = [
    "DEPTHS",
    "FOLD_MASS",
    "CombChart",
    "FlowLaw",
    "LineLaw",
    "NoisyLaw",
    "UnresolvedLaw",
    "noisy_law",
]

Array = NDArray[np.float64]

DEPTHS = (50.0, 140.0, 330.0, 640.0)
"""Log densities down to which the tails of a law are kept; the later ones for chi-square integrals."""

MASS_PANELS = 4000
UNIT = 2.0**-53
FOLD_NOISE = 1e-8
FOLD_MASS = 1e-7  # defect of the mass of a folded law beyond which its folds are not all known
GUARD = 20.0  # multiple of the expected rounding noise that is allowed for


@dataclass(frozen=True, eq=False)
class CombChart:
    """The chart y = t of a finite mixture."""

    comb: Comb
    features: Array

    @property
    def edges(self) -> Array:
        """Features of the integrand and of the law."""
        return np.unique(np.concatenate([self.features, self.comb.marks]))

    @property
    def zones(self) -> Array | None:
        """See `Chart`."""
        return self.comb.zones

    def nodes(self, t: Array) -> tuple[Array, Array, Array]:
        """See `Chart`."""
        with np.errstate(divide="ignore"):
            return t, np.zeros_like(t), np.log(self.comb.pdf(t))

    def lost(self, y: Array, log_slope: Array, logp: Array) -> Array | None:
        """See `Chart`: every step leaves out what is below e^{-depth}."""
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(-self.comb.depth - logp) * np.sqrt(self.comb.steps))

    def ceiling(self, y: Array, logp: Array) -> Array:
        """See `Chart`. Below e^{-depth} the density is that of what was kept: between the outermost
        components with more, and farther out than their own tails are accurate, it may lack paths through
        what was left out.
        """
        comb = self.comb
        low, high = comb.trusted
        doubtful = (logp < -comb.depth) & (
            ((y > low) & (y < high)) | (y < low - comb.beyond * comb.sd) | (y > high + comb.beyond * comb.sd)
        )
        return np.where(doubtful, -comb.depth, logp)

    def tails(self, t: Array, y: Array) -> tuple[Array, Array]:
        """See `Chart`."""
        return self.comb.tails(y)


@dataclass(frozen=True, eq=False)
class LineLaw(ABC):
    """The output law of a sampler on the line."""

    problem: Problem

    @property
    def noise(self) -> float:
        """Relative rounding error of densities where there is mass.

        Roundings are independent from step to step but for those of the coefficients, whose sum is bounded by
        the horizon; positions near a component of standard deviation s have relative precision |x|/s.
        """
        problem = self.problem
        delta = problem.time if problem.stays else problem.grid.delta
        end = problem.target.at(delta)
        size = float(np.max(np.abs(end.means) + end.sds))
        narrowest = float(np.nanmin([*end.variances, problem.tail_variance]))
        narrow = size / np.sqrt(narrowest) if narrowest > 0 else 1.0
        return GUARD * UNIT * (float(np.sqrt(problem.grid.N)) + problem.grid.T + narrow)

    @property
    def sway(self) -> float:
        """Relative rounding error of the mass on one side of a gap: positions matter little there."""
        return GUARD * UNIT * (float(np.sqrt(self.problem.grid.N)) + self.problem.grid.T)

    @abstractmethod
    def charts(self, features: Array) -> tuple[Chart, ...]:
        """The best chart first, then (where there is one) the one of the coarser law beside it.

        features : increasing points near which the integrand varies.
        """

    @property
    @abstractmethod
    def refined(self) -> LineLaw | None:
        """The same law on finer grids; None when there is nothing finer."""

    @property
    @abstractmethod
    def second_moment(self) -> tuple[float, float]:
        """E y^2 and a bound of its error; infinite where it is not resolved."""

    @property
    def deeper(self) -> LineLaw | None:
        """The same law with more of its tails; None when there is nothing deeper."""
        return None

    @abstractmethod
    def pdf(self, y: ArrayLike) -> Array:
        """Density at y."""

    @abstractmethod
    def _tails(self, y: Array) -> tuple[Array, Array]:
        """P(Y <= y) and P(Y > y) at flat y."""

    def cdf(self, y: ArrayLike) -> Array:
        """P(Y <= y), relatively accurate where it is small."""
        points = np.asarray(y, dtype=np.float64)
        return self._tails(points.ravel())[0].reshape(points.shape)

    def sf(self, y: ArrayLike) -> Array:
        """P(Y > y), relatively accurate where it is small."""
        points = np.asarray(y, dtype=np.float64)
        return self._tails(points.ravel())[1].reshape(points.shape)


class Propagated(Protocol):
    """What a run leaves: the law of the position."""

    @property
    def second_moment(self) -> float:
        """E y^2."""
        ...

    def tails(self, y: Array) -> tuple[Array, Array]:
        """P(Y <= y) and P(Y > y) at flat y."""
        ...


Run = TypeVar("Run", bound=Propagated)


@dataclass(frozen=True, eq=False)
class PairedLaw(LineLaw, Generic[Run]):
    """The output of two runs, at accuracies `setup.accuracies[level]` and the next one."""

    coarse: Run
    fine: Run
    level: int
    setup: Setup

    @staticmethod
    @abstractmethod
    def propagated(problem: Problem, log_accuracy: float, setup: Setup) -> Run:
        """One run; raises `LineError` where it does not resolve the law."""

    @classmethod
    def settled(cls, problem: Problem, setup: Setup) -> LineLaw:
        """The law on the first pair of accuracies that passes every check; an `UnresolvedLaw` when none
        does.
        """
        try:
            level, coarse, fine = first_pair(
                lambda accuracy: cls.propagated(problem, accuracy, setup), setup.accuracies
            )
        except LineError as error:
            return UnresolvedLaw(problem, str(error))
        return cls(problem, coarse, fine, level, setup)

    @cached_property
    def refined(self) -> LineLaw | None:
        """See `LineLaw`."""
        following = self.level + 2
        if following >= len(self.setup.accuracies):
            return None
        try:
            fine = self.propagated(self.problem, self.setup.accuracies[following], self.setup)
        except LineError:
            return None
        return replace(self, coarse=self.fine, fine=fine, level=self.level + 1)

    @cached_property
    def deeper(self) -> LineLaw | None:
        """See `LineLaw`."""
        following = [depth for depth in DEPTHS if depth > self.setup.depth]
        if not following:
            return None
        law = self.settled(self.problem, replace(self.setup, depth=following[0]))
        return None if isinstance(law, UnresolvedLaw) else law

    @property
    def second_moment(self) -> tuple[float, float]:
        """See `LineLaw`."""
        value, coarse = self.fine.second_moment, self.coarse.second_moment
        return value, 10.0 * abs(value - coarse) + self.noise * value

    def _tails(self, y: Array) -> tuple[Array, Array]:
        return self.fine.tails(y)


@dataclass(frozen=True, eq=False)
class NoisyLaw(PairedLaw[Comb]):
    """The output of a sampler with noise, as components on combs of nodes."""

    @staticmethod
    def propagated(problem: Problem, log_accuracy: float, setup: Setup) -> Comb:
        """See `PairedLaw`."""
        return run(problem, log_accuracy, setup)

    def charts(self, features: Array) -> tuple[Chart, ...]:
        """See `LineLaw`."""
        return CombChart(self.fine, features), CombChart(self.coarse, features)

    def pdf(self, y: ArrayLike) -> Array:
        """See `LineLaw`."""
        points = np.asarray(y, dtype=np.float64)
        return self.fine.pdf(points.ravel()).reshape(points.shape)


@dataclass(frozen=True, eq=False)
class FlowLaw(LineLaw):
    """The output of a deterministic sampler, as the map from its start."""

    flow: Flow

    @cached_property
    def folded(self) -> bool:
        """Whether points have several preimages."""
        return folds(self.flow)

    @property
    def noise(self) -> float:
        """See `LineLaw`; next to the inverse square roots of a folded law positions lose half the digits."""
        return max(super().noise, FOLD_NOISE) if self.folded else super().noise

    @cached_property
    def mass(self) -> float:
        """Mass of the density over the images: less than 1 where folds of the map were not found. Where
        the map is monotone it is that of the start.
        """
        if not self.folded:
            return 1.0
        return self._moment(0, MASS_PANELS)[0]

    def _moment(self, order: int, most: int = MAX_PANELS) -> tuple[float, float]:
        """E |y|^order and the disagreement of the quadrature, by panels that follow the images."""
        chart = self.charts(self.flow.samples[1][:: SAMPLES // 32])[0]

        def density(t: Array) -> Array:
            y, log_slope, logp = chart.nodes(t)
            return np.asarray(np.exp(logp + log_slope) * np.abs(y) ** order)

        value, error, _ = integrate(density, chart.edges, self.noise, linear=True, most=most)
        return value, error

    def charts(self, features: Array) -> tuple[Chart, ...]:
        """See `LineLaw`."""
        return (FoldedChart(self.flow, features) if self.folded else MonotoneChart(self.flow, features),)

    def marked(self, at: Array) -> FlowLaw:
        """The same law, with starting points where the map was found to turn; at most 256 of them."""
        few = at[:: max(1, at.size // 256)]
        return FlowLaw(self.problem, Flow(self.problem, (*self.flow.marked, *few.tolist())))

    @property
    def second_moment(self) -> tuple[float, float]:
        """See `LineLaw`."""
        if not abs(self.mass - 1.0) <= FOLD_MASS:
            return np.inf, np.inf
        try:
            value, error = self._moment(2)
        except FoldFound as fold:
            return self.marked(fold.at).second_moment
        return value, 10.0 * error + self.noise * value

    @property
    def refined(self) -> LineLaw | None:
        """See `LineLaw`: quadrature over the map refines itself."""
        return None

    def pdf(self, y: ArrayLike) -> Array:
        """See `LineLaw`."""
        points = np.asarray(y, dtype=np.float64)
        flat = points.ravel()
        chart = self._chart(flat)
        if isinstance(chart, FoldedChart):
            return np.exp(chart.logpdf(flat)).reshape(points.shape)
        return np.exp(chart.nodes(chart.invert(flat))[2]).reshape(points.shape)

    def _tails(self, y: Array) -> tuple[Array, Array]:
        chart = self._chart(y)
        if isinstance(chart, MonotoneChart):
            return chart.tails(chart.invert(y), y)
        return chart.tails(y, y)

    def _chart(self, y: Array) -> MonotoneChart | FoldedChart:
        """The chart that sees the points y, which may lie where the map turns beyond the start's mass."""
        if self.folded:
            return FoldedChart(self.flow, y)
        chart = MonotoneChart(self.flow, y)
        try:
            chart.span  # noqa: B018  raises where the map turns
        except FoldFound as fold:
            return self.marked(fold.at)._chart(y)
        return chart


@dataclass(frozen=True, eq=False)
class UnresolvedLaw(LineLaw):
    """An output that the work limit did not let us compute: every distance is its trivial enclosure."""

    reason: str

    def charts(self, features: Array) -> tuple[Chart, ...]:
        """None."""
        return ()

    @property
    def refined(self) -> LineLaw | None:
        """See `LineLaw`."""
        return None

    @property
    def second_moment(self) -> tuple[float, float]:
        """See `LineLaw`."""
        return np.inf, np.inf

    def pdf(self, y: ArrayLike) -> Array:
        """Raises `TooMuchWork`."""
        raise TooMuchWork(self.reason)

    def _tails(self, y: Array) -> tuple[Array, Array]:
        raise TooMuchWork(self.reason)


def noisy_law(problem: Problem, setup: Setup | None = None) -> LineLaw:
    """The law on the first pair of accuracies that passes every check; an `UnresolvedLaw` when none does."""
    return NoisyLaw.settled(problem, setup or Setup())
