"""Laws of samplers on concentric isotropic mixtures in d >= 3 dimensions: the radius is a Markov chain.

A step moves a radius r to g(r) = r + a r + b s(r) along its ray and adds N(0, c^2 I_d), so that the new
radius has a noncentral chi law: p'(r') = int p(r) k(r' | |g(r)|) dr. The integral is taken over Gauss panels,
whose widths are chosen as on the line; after the last step the law is the finite mixture {w_i, k(. | m_i)}.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import ceil, isfinite, log, sqrt

import numpy as np
from numpy.typing import NDArray

from simulators.errors import InputError, NotDefined
from simulators.functionals import chi_at_root
from simulators.grids import Grid
from simulators.line.checks import PoleTooClose, TooMuchWork, check_mass
from simulators.line.nodes import REACH
from simulators.line.panels import PANEL
from simulators.line.scores import Mixture
from simulators.line.spacing import coarsest, needed_spacing
from simulators.particles.simulate import chain_of
from simulators.radial.kernels import flow, mixture_log, noncentral_sum, scores

__all__ = ["ACCURACIES", "RadialComb", "RadialProblem", "Setup", "panels", "run", "windows"]

Array = NDArray[np.float64]

SAMPLERS = ("ddpm-ei", "ddpm-em", "cds-ei", "lmc", "pf-ei")
STARTS = ("gamma", "q_T")
ACCURACIES = (16.0, 21.0, 28.0, 38.0)
GAUSS = np.polynomial.legendre.leggauss(16)
WINDOW, NARROW = 9.5, 7.5  # of the radius of N(0, I_d) about sqrt d; the second from d = 20 on
TRIES = 14
WORK_LIMIT = 6e10
PAIR = 400.0  # what a pair of a source and a node costs, in products of two numbers
NODES = 100_000
ROUNDING = 80.0  # units of rounding in a density; Bessel functions lose some tens
LEAST = -690.0  # log of the smallest density that is followed


@dataclass(frozen=True, eq=False)
class RadialProblem:
    """A sampler run on sum w_k N(0, v_k I_d).

    sampler  : ddpm-ei, ddpm-em, cds-ei, lmc (score at forward time ``time``) or pf-ei.
    mixture  : weights and variances (the means are zero). start : "gamma", or "q_T".
    """

    sampler: str
    grid: Grid
    mixture: Mixture
    d: int
    start: str = "gamma"
    time: float = 0.0

    def __post_init__(self) -> None:
        if self.sampler not in SAMPLERS:
            known = ", ".join(SAMPLERS)
            raise NotDefined(f"sampler={self.sampler!r}: expected one of {known} on radial laws")
        if self.start not in STARTS:
            raise InputError("start", self.start, f"expected one of {', '.join(STARTS)}")
        if isinstance(self.d, bool) or self.d < 3:
            raise InputError("d", self.d, "expected a dimension >= 3")
        if bool(np.any(self.mixture.means != 0)):
            raise InputError(
                "means", self.mixture.means.tolist(), "expected components centred at the origin"
            )
        if not (isfinite(self.time) and self.time >= 0):
            raise InputError("time", self.time, "expected a finite time >= 0")
        if bool(np.any(self.mixture.variances <= 0)):
            raise InputError("variances", self.mixture.variances.tolist(), "expected variances > 0")

    @property
    def deterministic(self) -> bool:
        """Whether the sampler adds no noise."""
        return self.sampler == "pf-ei"

    @property
    def initial(self) -> Mixture:
        """The law at the start."""
        return Mixture.of([1.0], [0.0], [1.0]) if self.start == "gamma" else self.mixture.at(self.grid.T)

    @cached_property
    def steps(self) -> Array:
        """(N, 3) rows (A - 1, B, sqrt Q)."""
        return chain_of(self.sampler, self.grid, self.time)[0]

    @cached_property
    def laws(self) -> list[Mixture]:
        """The laws whose scores the steps use."""
        if self.sampler == "lmc":
            return [self.mixture.at(self.time) if self.time else self.mixture] * self.grid.N
        return [self.mixture.at(tau) for tau in self.grid.times[:-1].tolist()]

    @property
    def constant(self) -> float:
        """Log density of the radius of N(0, I_d) at sqrt d."""
        return chi_at_root(self.d)

    def log_density(self, mixture: Mixture, r: Array) -> Array:
        """Log density of the radius under a concentric mixture."""
        return mixture_log(
            np.ascontiguousarray(r), np.log(mixture.weights), mixture.sds, float(self.d), self.constant
        )

    def images(self, r: Array) -> tuple[Array, Array]:
        """Images of radii under a deterministic sampler, and the logs of the slopes."""
        sds = np.stack([law.sds for law in self.laws])
        return flow(np.ascontiguousarray(r), np.log(self.mixture.weights), sds, float(self.d), self.steps)

    @property
    def noise(self) -> float:
        """Relative rounding error of densities where there is mass."""
        small = float(np.sqrt(self.mixture.variances.min()))
        size = sqrt(self.d) * (1.0 + 1.0 / small)
        return ROUNDING * 2.0**-53 * (sqrt(self.grid.N) + self.grid.T + size)


@dataclass(frozen=True, eq=False)
class RadialComb:
    """The law of the radius sum_i w_i k(. | m_i) with noise c in every direction, sorted by centres.

    smooth : length below which the radius has no detail.
    """

    weights: Array
    means: Array
    centres: Array
    c: float
    d: int
    reach: float
    depth: float
    defect: float
    smooth: float
    found: dict[bytes, Array] = field(default_factory=dict, repr=False)

    def log_density(self, r: Array) -> Array:
        """Log density at radii r, at least `LEAST`; below minus the depth it is not accurate."""
        points = np.ascontiguousarray(r, dtype=np.float64)
        key = points.tobytes()
        if key not in self.found:
            values = noncentral_sum(
                points, self.weights, self.means, self.centres, self.c, self.reach, float(self.d)
            )
            self.found[key] = np.maximum(values, LEAST)
        return self.found[key]

    @property
    def intervals(self) -> Array:
        """Rows (left, right) that carry the law."""
        wide = self.reach * self.c
        return np.stack([np.maximum(self.centres - wide, 0.0), self.centres + wide], axis=1)

    @property
    def second_moment(self) -> float:
        """E r^2."""
        return float(self.weights @ (self.means * self.means)) + self.d * self.c * self.c


@dataclass(frozen=True)
class Setup:
    """How a chain runs, as `simulators.plane.propagate.Setup`."""

    depth: float = 42.0
    slack: float = 1.0
    mass: float = 1e-6
    work_limit: float = WORK_LIMIT
    accuracies: tuple[float, ...] = ACCURACIES


def windows(mixture: Mixture, d: int) -> Array:
    """Rows (left, right) that carry the radius of a concentric mixture."""
    root, half = sqrt(d), WINDOW if d < 20 else NARROW
    return np.stack([max(root - half, 0.0) * mixture.sds, (root + half) * mixture.sds], axis=1)


def panels(intervals: Array, width: float) -> Array:
    """Rows (left, right) of panels, at most as wide, over the union of the intervals."""
    order = np.argsort(intervals[:, 0])
    left, right = intervals[order, 0], np.maximum.accumulate(intervals[order, 1])
    breaks = np.flatnonzero(left[1:] > right[:-1]) + 1
    starts, ends = left[np.append(0, breaks)], right[np.append(breaks - 1, left.size - 1)]
    pieces = []
    for a, b in zip(starts.tolist(), ends.tolist(), strict=True):
        cuts = np.linspace(a, b, max(1, ceil((b - a) / width)) + 1)
        pieces.append(np.stack([cuts[:-1], cuts[1:]], axis=1))
    return np.concatenate(pieces)


def run(problem: RadialProblem, log_accuracy: float, setup: Setup | None = None) -> RadialComb:
    """The output law with quadrature errors of the order of e^{-log_accuracy} in all.

    Raises `MassLost`, `PoleTooClose` or `TooMuchWork`.
    """
    used = setup or Setup()
    accuracy = log_accuracy + log(problem.grid.N)
    cap = coarsest(accuracy)
    smooth = float(problem.initial.sds.min()) / sqrt(2.0)
    ratio, work, defect = 0.65 * cap, 0.0, 0.0
    comb: RadialComb | None = None
    for k in range(problem.grid.N):
        step, law = problem.steps[k], problem.laws[k]
        c = float(step[2])
        dx = min(ratio * c, cap * smooth) * used.slack
        needed, smallest, values = 0.0, 1.0, np.empty((0, 0))
        for _ in range(TRIES):
            values, cost = _nodes(problem, comb, law, dx, used, used.work_limit - work)
            work += cost
            needed, smallest, _ = needed_spacing(values, step, smooth, smooth, accuracy)
            if dx <= needed * used.slack:
                break
            dx = 0.95 * needed * used.slack
        else:
            raise PoleTooClose(f"spacing={dx!r}: expected at most {needed!r} after {TRIES} tries")
        ratio = 0.97 * needed / c
        weights = values[1] * values[2]
        total = float(weights.sum())
        check_mass(total, used.mass)
        defect = max(defect, abs(total - 1.0))
        means = np.maximum(np.abs(values[0] + (step[0] * values[0] + step[1] * values[3])), 1e-14 * c)
        centres = np.sqrt(means * means + c * c * (problem.d - 1))
        order = np.argsort(centres, kind="stable")
        grown = max(smallest, 0.0) * smooth if smallest < np.inf else 0.0
        smooth = sqrt(0.5 * c * c + grown * grown)
        reach = REACH - 1.5 + sqrt(used.depth) * c / smooth
        comb = RadialComb(
            weights[order] / total,
            means[order],
            centres[order],
            c,
            problem.d,
            reach,
            used.depth,
            defect,
            smooth,
        )
    assert comb is not None
    return comb


def _nodes(
    problem: RadialProblem, comb: RadialComb | None, law: Mixture, dx: float, setup: Setup, work_left: float
) -> tuple[Array, float]:
    """Rows r, weight, density, score, its derivative, variance of component scores, log target; the cost."""
    source = windows(problem.initial, problem.d) if comb is None else comb.intervals
    cut = panels(np.concatenate([source, windows(law, problem.d)]), dx * 16 * PANEL)
    share = 1.0 if comb is None else 2.0 * comb.reach * comb.c / float(np.ptp(cut) + 1e-300)
    cost = PAIR * 16 * cut.shape[0] * (1 if comb is None else comb.means.size * min(share, 1.0))
    if 16 * cut.shape[0] > NODES or cost > work_left:
        raise TooMuchWork(f"work={cost:g}: expected at most {work_left:g}, and {NODES} nodes")
    half = 0.5 * (cut[:, 1] - cut[:, 0])[:, None]
    r = (cut[:, :1] + half * (1.0 + GAUSS[0])).ravel()
    log_p = (
        problem.log_density(problem.initial, r)
        if comb is None
        else noncentral_sum(r, comb.weights, comb.means, comb.centres, comb.c, comb.reach, float(comb.d))
    )
    log_q = problem.log_density(law, r)
    kept = (log_p > -setup.depth) | ((log_q > -setup.depth) & (log_p > LEAST))
    values = np.zeros((7, int(kept.sum())))
    values[0], values[1] = r[kept], (half * GAUSS[1]).ravel()[kept]
    values[2], values[6] = np.exp(log_p[kept]), log_q[kept]
    scores(values[0], np.log(law.weights), law.sds, float(problem.d), values[3:6])
    return values, cost
