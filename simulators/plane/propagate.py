"""Laws of samplers with noise on the plane: p'(y) = int p(x) phi_c(y - g(x)) dx, step by step.

The integral is a trapezoidal sum on a square grid, exponentially accurate because the integrand is analytic,
with a spacing chosen at every step as on the line (`simulators.line.propagate`). After the last step the law
is the finite Gaussian mixture {w_i, g(x_i), c^2 I}, so that its density is available anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from simulators.line.checks import PoleTooClose, TooMuchWork, check_mass
from simulators.line.nodes import REACH
from simulators.line.spacing import coarsest
from simulators.plane.kernels import FLOOR, collect, log_grid, push, scatter, spacing
from simulators.plane.mixture import PlaneProblem

__all__ = ["ACCURACIES", "Comb", "Setup", "run"]

Array = NDArray[np.float64]

ACCURACIES = (16.0, 21.0, 28.0, 38.0)
"""Quadrature accuracies e^{-a} aimed at over a whole chain by successive refinements."""

WORK_LIMIT = 6e10  # products of a source and a node in one chain, about 10 s
TRIES = 14
BOX = 9_000_000  # nodes of one grid
CELL = 300.0  # what a node costs beside the products


@dataclass(frozen=True, eq=False)
class Comb:
    """The law sum_i w_i N(m_i, sd^2 I) of many components.

    reach : standard deviations beyond which a component is not seen. smooth : standard deviation below which
    the law has no detail. depth : log density down to which the tails are accurate. work : what it cost.
    """

    weights: Array
    first: Array
    second: Array
    sd: float
    reach: float
    smooth: float
    depth: float
    defect: float
    work: float

    def density(self, left: tuple[float, float], dx: float, shape: tuple[int, int]) -> Array:
        """The density on the grid left + dx (i, j)."""
        out = np.zeros(shape)
        scatter(self.weights, self.first, self.second, self.sd, self.reach, *left, dx, out)
        return out

    @property
    def box(self) -> Array:
        """Rows (left, right) of a rectangle outside which the density vanishes."""
        wide = self.reach * self.sd
        return np.array([(m.min() - wide, m.max() + wide) for m in (self.first, self.second)])

    @property
    def second_moment(self) -> float:
        """E |x|^2."""
        squares = self.first * self.first + self.second * self.second
        return float(self.weights @ squares) + 2.0 * self.sd * self.sd


@dataclass(frozen=True)
class Setup:
    """How a chain runs.

    depth : nodes where both the law and the target are below e^{-depth} are left out. slack : over the needed
    spacing (1 is sound). offset : of the nodes, in spacings. mass : largest mass defect of a step.
    """

    depth: float = 42.0
    slack: float = 1.0
    offset: float = 0.0
    mass: float = 1e-6
    work_limit: float = WORK_LIMIT
    accuracies: tuple[float, ...] = ACCURACIES


def run(problem: PlaneProblem, log_accuracy: float, setup: Setup | None = None) -> Comb:
    """The output law with quadrature errors of the order of e^{-log_accuracy} in all.

    Raises `MassLost`, `PoleTooClose` or `TooMuchWork`.
    """
    used = setup or Setup()
    accuracy = log_accuracy + log(problem.grid.N)
    cap = coarsest(accuracy)
    ratio, smooth, work, defect = 0.65 * cap, problem.initial.narrowest, 0.0, 0.0
    comb: Comb | None = None
    for k in range(problem.grid.N):
        step = problem.steps[k]
        dx = min(ratio * float(step[2]), cap * smooth) * used.slack
        needed, smallest, values = 0.0, 1.0, np.empty((0, 0))
        for _ in range(TRIES):
            values, cost = _nodes(problem, comb, k, dx, used, used.work_limit - work)
            work += cost
            needed, smallest = spacing(values, step, smooth, problem.scores[k].spread ** 2, accuracy)
            if dx <= needed * used.slack:
                break
            dx = 0.95 * needed * used.slack
        else:
            raise PoleTooClose(f"spacing={dx!r}: expected at most {needed!r} after {TRIES} tries")
        ratio = 0.97 * needed / float(step[2])
        weights, first, second, total = push(values, step, dx)
        check_mass(total, used.mass)
        defect = max(defect, abs(total - 1.0))
        grown = max(smallest, 0.0) * smooth if smallest < np.inf else 0.0
        c = float(step[2])
        smooth = sqrt(c * c + grown * grown)
        reach = REACH - 1.5 + sqrt(2.0 * used.depth) * c / smooth
        comb = Comb(weights, first, second, c, reach, smooth, used.depth, defect, work)
    assert comb is not None
    return comb


def _nodes(
    problem: PlaneProblem, comb: Comb | None, k: int, dx: float, setup: Setup, work_left: float
) -> tuple[Array, float]:
    """The nodes of a grid of this spacing, with densities and scores, and what they cost."""
    rows, box = problem.tables[k], problem.scores[k].box(setup.depth)
    other = problem.initial.box(setup.depth) if comb is None else comb.box
    left = np.minimum(box[:, 0], other[:, 0]) - setup.offset * dx
    right = np.maximum(box[:, 1], other[:, 1])
    shape = np.ceil((right - left) / dx) + 1.0
    nodes = float(np.prod(shape))
    pairs = 0.0 if comb is None else comb.weights.size * (2.0 * comb.reach * comb.sd / dx) ** 2
    cost = pairs + CELL * nodes
    if nodes > BOX or cost > work_left:
        raise TooMuchWork(f"work={cost:g}: expected at most {work_left:g}, and {BOX} nodes a grid")
    place, size = (float(left[0]), float(left[1])), (int(shape[0]), int(shape[1]))
    if comb is None:
        density = np.empty(size)
        log_grid(problem.initial.rows, *place, dx, density)
        density = np.where(density > FLOOR, np.exp(density), 0.0)
    else:
        density = comb.density(place, dx, size)
    return collect(density, *place, dx, setup.depth, rows), cost
