"""One case on the line and every distance of it: `line_case`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import inf, isfinite

import numpy as np
from numpy.typing import NDArray

from simulators.distances.line import line_distance, mixture_distance
from simulators.enclosure import Enclosure
from simulators.errors import InputError
from simulators.grids import Grid
from simulators.line.errors import averaged_error, line_path_kl, path_error
from simulators.line.law import FlowLaw, LineLaw, UnresolvedLaw, noisy_law
from simulators.line.problem import Problem
from simulators.line.propagate import QUICK, Setup
from simulators.line.quadrature import ACCURATE, CHEAP, FINER, Precision
from simulators.line.scores import Custom, Mixture, ScoreError
from simulators.line.transport import SAMPLES, Flow
from simulators.mixtures import Target, blocks, components
from simulators.named_laws import forward_time

__all__ = ["MODES", "LineOutcome", "line_case", "line_mixture"]

Array = NDArray[np.float64]

MODES = ("accurate", "cheap")
FINER_SLACKS = (0.25, 0.5)
FINER_OFFSET = 0.37  # of a spacing
FINER_SAMPLES = 4 * SAMPLES - 7
UNIT = 2.0**-53


@dataclass(frozen=True, eq=False)
class LineOutcome:
    """A sampler's run on the line, propagated once when first needed; distances are kept once measured.

    mode : "accurate" (relative half-widths of 1e-9 or better where rounding allows), or "cheap" (1e-6).

    Laws are named "target", "q_T", "q_delta", "gamma", "output", or by a forward time on the unit clock.
    """

    problem: Problem
    mode: str = "accurate"
    precision: Precision = ACCURATE
    setups: tuple[Setup, ...] = (Setup(),)
    marked: tuple[float, ...] = ()
    found: dict[tuple[str, str | float, str | float], Enclosure] = field(default_factory=dict, repr=False)

    @cached_property
    def output(self) -> LineLaw:
        """The output law on its two grids; the first setup within the work limit is used."""
        if self.problem.deterministic:
            return FlowLaw(self.problem, Flow(self.problem, self.marked))
        law: LineLaw = UnresolvedLaw(self.problem, "setups=(): expected at least one")
        propagate = noisy_law
        if self.problem.gridded:
            from simulators.phase.law import grid_law as propagate
        for setup in self.setups:
            law = propagate(self.problem, setup)
            if not isinstance(law, UnresolvedLaw):
                break
        return law

    @property
    def resolved(self) -> bool:
        """Whether the output was within the work limit; if not, its distances are the trivial enclosures."""
        return not isinstance(self.output, UnresolvedLaw)

    @cached_property
    def finer(self) -> LineOutcome:
        """The same case by the second road: a quarter of the spacing (half, where a quarter is too much
        work), nodes shifted by 0.37 of it, panels cut in four uneven parts.
        """
        setups = tuple(Setup(slack=slack, offset=FINER_OFFSET) for slack in FINER_SLACKS)
        marked: tuple[float, ...] = ()
        if self.problem.deterministic:
            t = Flow(self.problem).samples[0]
            marked = tuple(np.linspace(t[0], t[-1], FINER_SAMPLES).tolist())
        return replace(self, mode="accurate", precision=FINER, setups=setups, marked=marked, found={})

    def law(self, name: str | float) -> Mixture | LineLaw:
        """The named law."""
        if name == "output":
            return self.output
        if name == "gamma":
            return Mixture(np.ones(1), np.zeros(1), np.ones(1))
        time = forward_time(name, self.problem.grid)
        return self.problem.target if time == 0 else self.problem.target.at(time)

    def distance(self, quantity: str, first: str | float, second: str | float) -> Enclosure:
        """D(first || second), a scalar enclosure in nats.

        quantity : "KL", "TV", "W2", "chi2" or "Hellinger" (the square root of 1 - int sqrt(pq)).
        """
        key = (quantity, first, second)
        if key not in self.found:
            self.found[key] = self._distance(quantity, first, second)
        return self.found[key]

    def _distance(self, quantity: str, first: str | float, second: str | float) -> Enclosure:
        if first == second:
            self.law(first)
            return Enclosure.exact(0.0, "a law against itself")
        if "output" not in (first, second):
            p, q = (_arrays(self.law(name)) for name in (first, second))
            return mixture_distance(quantity, p, q, self.precision)
        order = "output,target" if first == "output" else "target,output"
        other = _arrays(self.law(second if first == "output" else first))
        return line_distance(quantity, *other, self.output, order, self.precision)

    def KL(self, first: str | float, second: str | float) -> Enclosure:
        """Kullback-Leibler divergence of the first law from the second, in nats."""
        return self.distance("KL", first, second)

    def TV(self, first: str | float, second: str | float) -> Enclosure:
        """Total variation."""
        return self.distance("TV", first, second)

    def W2(self, first: str | float, second: str | float) -> Enclosure:
        """Wasserstein distance of order 2."""
        return self.distance("W2", first, second)

    def chi2(self, first: str | float, second: str | float) -> Enclosure:
        """Chi-square divergence, int first^2/second - 1."""
        return self.distance("chi2", first, second)

    def Hellinger(self, first: str | float, second: str | float) -> Enclosure:
        """The square root of 1 - int sqrt(pq)."""
        return self.distance("Hellinger", first, second)

    def second_moment(self, name: str | float = "output") -> Enclosure:
        """E |X|^2 under the named law."""
        law = self.law(name)
        if isinstance(law, LineLaw):
            value, error = law.second_moment
            if not isfinite(error):
                return Enclosure.between(0.0, inf, "not resolved: trivial bounds")
            return Enclosure.around(value, error, "law on the line, two grids").maximum(0.0)
        value = float(law.weights @ (law.variances + law.means * law.means))
        return Enclosure.around(value, 4.0 * UNIT * (law.weights.size + 8) * value, "closed form")

    @cached_property
    def squared_errors(self) -> Enclosure:
        """E e_k^2 under q_{tau_k} at every step, shape (N,)."""
        return path_error(self.problem).part("squared", self.problem.grid.N)

    def score_error(self, average: str) -> Enclosure:
        """The squared score error averaged over the grid, see `simulators.line.errors.averaged_error`."""
        return averaged_error(self.problem, average)

    @cached_property
    def path_kl(self) -> Enclosure:
        """KL of the paths, see `simulators.line.errors.line_path_kl`."""
        return line_path_kl(self.problem)


def line_case(
    target: Target | Mixture,
    sampler: str,
    grid: Grid,
    start: str | Mixture = "gamma",
    error: ScoreError | Custom | None = None,
    *,
    time: float = 0.0,
    options: Mapping[str, float] | None = None,
    mode: str = "accurate",
) -> LineOutcome:
    """The outcome of a sampler for a target on the line; nothing is computed until asked for.

    target  : a one-dimensional `Gaussian`, `GaussianMixture`, `Atoms`, `Product`, or a `Mixture`.
    sampler : ddpm-ei, ddpm-em, cds-ei, lmc or ulmc (score at forward time ``time``), pf-ei, pf-heun, dpom or
              dpum.
    start   : "gamma", "q_T" or a `Mixture`.
    error   : a score error, see `simulators.line.scores`.
    options : of ulmc, dpom and dpum, see `simulators.batch`; corrector_step is needed by the latter two.
    mode    : "accurate", or "cheap" for a search.

    >>> from simulators.mixtures import GaussianMixture
    >>> case = line_case(GaussianMixture.two(3.0, variance=0.2), "ddpm-ei", Grid.uniform(3.0, 20))
    >>> bool(case.KL("q_delta", "output").lo > 0)
    True
    """
    if mode not in MODES:
        raise InputError("mode", mode, f"expected one of {', '.join(MODES)}")
    problem = Problem(sampler, grid, line_mixture(target), start, error, time, options or {})
    if mode == "cheap":
        return LineOutcome(problem, mode, CHEAP, (QUICK,))
    return LineOutcome(problem, mode)


def line_mixture(target: Target | Mixture) -> Mixture:
    """The target as arrays; raises InputError unless its dimension is 1."""
    if isinstance(target, Mixture):
        return target
    if target.dimension != 1:
        raise InputError("dimension", target.dimension, "expected 1")
    own = components(blocks(target)[0])
    return Mixture(own.weights, own.means[:, 0], own.variances.reshape(own.K, -1)[:, 0])


def _arrays(law: Mixture | LineLaw) -> tuple[Array, Array, Array]:
    assert isinstance(law, Mixture)
    return law.weights, law.means, law.variances
