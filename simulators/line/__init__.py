"""Exact laws of samplers on the line: `propagate_line`."""

from __future__ import annotations

from numpy.typing import ArrayLike

from simulators.grids import Grid
from simulators.line.law import FlowLaw, LineLaw, noisy_law
from simulators.line.problem import Problem
from simulators.line.scores import Affine, Bump, Custom, Mixture, Oscillation, OtherMixture, ScoreError
from simulators.line.transport import Flow

__all__ = [
    "Affine",
    "Bump",
    "Custom",
    "LineLaw",
    "Mixture",
    "Oscillation",
    "OtherMixture",
    "ScoreError",
    "propagate_line",
]


def propagate_line(
    sampler: str,
    grid: Grid,
    weights: ArrayLike,
    means: ArrayLike,
    variances: ArrayLike,
    *,
    start: str | Mixture = "gamma",
    error: ScoreError | Custom | None = None,
    time: float = 0.0,
) -> LineLaw:
    """The output law of a sampler for the target sum w_j N(m_j, v_j) on the line (v_j = 0: an atom).

    sampler : ddpm-ei, ddpm-em, cds-ei, lmc or ulmc (score at forward time ``time``), pf-ei or pf-heun.
    start   : "gamma", "q_T" or a `Mixture`.
    error   : a score error, see `simulators.line.scores`.

    >>> law = propagate_line("ddpm-ei", Grid.uniform(2.0, 20), [1.0], [0.0], [1.0])
    >>> round(float(law.cdf(0.0)), 12)
    0.5
    """
    problem = Problem(sampler, grid, Mixture.of(weights, means, variances), start, error, time)
    if problem.gridded:
        from simulators.phase.law import grid_law

        return grid_law(problem)
    return FlowLaw(problem, Flow(problem)) if problem.deterministic else noisy_law(problem)
