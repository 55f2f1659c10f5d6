"""What Monte Carlo can say about a quantity of a sampler on a target that has no exact reduction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, expm1, inf, isnan, sqrt

import numpy as np
from numpy.typing import NDArray

from simulators.enclosure import Enclosure
from simulators.errors import InputError, NotDefined
from simulators.grids import Grid
from simulators.mixtures import Atoms, Target, blocks
from simulators.monte_carlo.confidence import (
    CLIP,
    check_number,
    check_rate,
    visible_kl,
    visible_mean,
    visible_shares,
)
from simulators.monte_carlo.coupling import w2_above
from simulators.monte_carlo.critics import Critic, log_ratios
from simulators.monte_carlo.distances import FEWEST, Halves, gelbrich_below, kl_below, tv_below, w2_below
from simulators.monte_carlo.paths import path_kl_sampled
from simulators.monte_carlo.tails import best_tail, output_moment
from simulators.particles.simulate import SIMULATED, sample_target, simulate

__all__ = ["MEASURED", "StatisticalBound", "statistical_measure"]

Array = NDArray[np.float64]
MEASURED = ("TV", "KL", "W2", "Hellinger", "chi2", "PathKL")
ORDERS = ("target,output", "output,target")
MISS = 0.1  # miss rate of the designs
PATHS = ("ddpm-ei", "ddpm-em", "cds-ei")


@dataclass(frozen=True)
class StatisticalBound:
    """lower <= quantity <= upper, except with probability ``rate``.

    smallest_visible : the least distance from zero (for PathKL: from a claimed bound below the truth) that
                       the lower end notices with probability 0.9, given the best test function.
    """

    lower: float
    upper: float
    rate: float
    smallest_visible: float
    method: str

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)
        if isnan(self.smallest_visible) or self.smallest_visible < 0:
            raise InputError("smallest_visible", self.smallest_visible, "expected >= 0")
        if not self.lower <= self.upper:
            raise InputError("[lower, upper]", (self.lower, self.upper), "expected lower <= upper, no NaN")

    @property
    def enclosure(self) -> Enclosure:
        """The bound as an enclosure of level "statistical"."""
        text = f"{self.method}, false alarms at most {self.rate:g}"
        return Enclosure.between(self.lower, self.upper, text, "statistical")


def statistical_measure(
    quantity: str,
    target: Target,
    sampler: str,
    grid: Grid,
    n: int,
    seed: int,
    rate: float = 1e-6,
    order: str = "target,output",
    start: str = "gamma",
) -> StatisticalBound:
    """A distance between the output of the sampler and the target, early-stopped at the grid's delta (for lmc
    the target itself), or the path KL; nats.

    quantity : one of `MEASURED`; PathKL is that of the true reverse process from the sampler.
    n        : outputs simulated, at least 1000; as many points of the target.
    seed     : integer >= 0; the same seed gives the same bound.
    rate     : probability that either end is wrong, half of it for each.
    order    : "target,output" or "output,target", for KL and chi2.
    start    : "gamma", or "q_T" to leave the initial error out.

    Upper ends of TV, Hellinger and KL(target||output) come from the path KL, that of W2 from a coupling;
    there are none for samplers without noise or for lmc.

    >>> from simulators.mixtures import GaussianMixture
    >>> found = statistical_measure(
    ...     "TV", GaussianMixture.two(3.0, d=3), "ddpm-ei", Grid.uniform(2.0, 5), 4000, 1
    ... )
    >>> 0 < found.lower < found.upper <= 1
    True
    """
    _check(quantity, sampler, n, seed, order)
    check_rate("rate", rate)
    task = _Task(target, sampler, grid, int(n), int(seed), rate, order, start)
    if quantity == "PathKL":
        found, visible = path_kl_sampled(target, sampler, grid, task.n, task.seed, rate, start)
        return StatisticalBound(float(found.lo), float(found.hi), rate, visible, found.method)
    if quantity == "W2":
        return task.w2()
    if task.singular:
        raise NotDefined(f"{quantity}: the target has atoms at time 0, expected delta > 0")
    return task.divergence(quantity)


@dataclass(frozen=True, eq=False)
class _Task:
    target: Target
    sampler: str
    grid: Grid
    n: int
    seed: int
    rate: float
    order: str
    start: str

    @property
    def time(self) -> float:
        """Forward time of the law that the output is compared with."""
        return 0.0 if self.sampler == "lmc" else self.grid.delta

    @property
    def singular(self) -> bool:
        return self.time == 0 and any(isinstance(block, Atoms) for block in blocks(self.target))

    @property
    def paths(self) -> bool:
        return self.sampler in PATHS

    def samples(self) -> tuple[Array, Array]:
        """Outputs, and points of the target."""
        ours, theirs = (int(s) for s in np.random.SeedSequence(self.seed).generate_state(2, np.uint64))
        p = simulate(self.target, self.sampler, self.grid, self.n, ours, self.start)
        return p, sample_target(self.target, self.n, theirs, self.time)

    def divergence(self, quantity: str) -> StatisticalBound:
        """TV, KL, Hellinger or chi2: from below by a set or a critic, from above by the path KL."""
        p, q = self.samples()
        critics = log_ratios(self.target, self.time, p[: len(p) // 4])
        forward = self.order == ORDERS[0] and quantity in ("KL", "chi2")
        if forward:  # the first law is the target
            p, q, critics = q, p, [_negative(critic) for critic in critics]
        halves, half = Halves(p, q), self.rate / 2
        tested = self.n - self.n // 2
        if quantity in ("KL", "chi2"):
            value, _ = kl_below(halves, critics, half)
            visible = visible_kl(tested, half / 2, MISS)
            if quantity == "KL":
                upper = self.path_above() if forward else inf
                return self.found(value, upper, visible, "Donsker-Varadhan and partitions")
            return self.found(expm1(value), inf, 2 * exp(3 * CLIP) * visible, "KL <= log(1 + chi2)")
        value, inside, outside = tv_below(halves, critics, half)
        visible = visible_shares(tested, half, MISS)
        path = self.path_above()
        if quantity == "TV":
            upper = min(1.0, sqrt(path / 2), sqrt(-expm1(-path)))
            return self.found(value, upper, visible, "Clopper-Pearson on a chosen set")
        affinity = sqrt(inside * outside) + sqrt((1 - inside) * (1 - outside))
        lower = sqrt(max(0.0, 1 - affinity - 1e-12)) if inside > outside else 0.0
        upper = sqrt(1 - exp(-path / 2))
        return self.found(lower, upper, visible / sqrt(2), "Clopper-Pearson on a chosen set")

    def path_above(self) -> float:
        """An upper bound of the path KL, wrong with probability at most half the rate."""
        if not self.paths:
            return inf
        seed = int(np.random.SeedSequence([self.seed, 1]).generate_state(1, np.uint64)[0])
        found, _ = path_kl_sampled(
            self.target, self.sampler, self.grid, self.n, seed, self.rate / 2, self.start
        )
        return float(found.hi)

    def w2(self) -> StatisticalBound:
        """W2: from below by Lipschitz functions and by moments, from above by a coupling."""
        p, q = self.samples()
        halves = Halves(p, q)
        lower, width = w2_below(halves, self.rate / 4)
        mean = np.exp(-self.time) * _mean(self.target)
        trace = np.exp(-2 * self.time) * sum(block.covariance_trace for block in blocks(self.target))
        trace -= np.expm1(-2 * self.time) * self.target.dimension
        moment = output_moment(self.target, self.sampler, self.grid, self.start)
        shift = float(mean @ mean)
        tail = best_tail(lambda lam: 2 * lam * shift + moment(2 * lam), 0.25)
        if tail is not None:
            lower = max(lower, gelbrich_below(halves, mean, float(trace), tail, self.rate / 4))
        tested = self.n - self.n // 2
        visible = 2 * visible_mean(tested, width / 2, width, self.rate / 8, MISS / 2) if width > 0 else inf
        upper = inf
        if self.paths and not self.singular:
            seed = int(np.random.SeedSequence([self.seed, 2]).generate_state(1, np.uint64)[0])
            upper = w2_above(self.target, self.sampler, self.grid, self.n, seed, self.rate / 2, self.start)
        return self.found(lower, upper, visible, "Lipschitz functions, moments and a coupling")

    def found(self, lower: float, upper: float, visible: float, method: str) -> StatisticalBound:
        """The bound; ends that cross, which happens at the stated rate, become the trivial statement."""
        if lower > upper:
            return StatisticalBound(0.0, inf, self.rate, visible, f"{method}: the two ends contradict")
        return StatisticalBound(lower, upper, self.rate, visible, f"Monte Carlo, {method}")


def _mean(target: Target) -> Array:
    parts = [
        np.array([*block.mean, *[0.0] * (block.dimension - len(block.mean))]) for block in blocks(target)
    ]
    return np.concatenate(parts)


def _negative(critic: Critic) -> Callable[[Array], Array]:
    return lambda x: -critic(x)


def _check(quantity: str, sampler: str, n: int, seed: int, order: str) -> None:
    if quantity not in MEASURED:
        raise InputError("quantity", quantity, f"expected one of {', '.join(MEASURED)}")
    if sampler not in SIMULATED:
        raise InputError("sampler", sampler, f"expected one of {', '.join(SIMULATED)}")
    if order not in ORDERS:
        raise InputError("order", order, f"expected one of {', '.join(ORDERS)}")
    check_number(n, FEWEST)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError("seed", seed, "expected an integer >= 0")
