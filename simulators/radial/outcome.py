"""One case of a radial law and every distance of it that has an exact road: `radial_case`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray

from simulators.distances.line import Side, evaluate
from simulators.enclosure import Enclosure
from simulators.errors import InputError
from simulators.grids import Grid
from simulators.line.charts import Accurate
from simulators.line.checks import LineError, first_pair
from simulators.line.quadrature import CHEAP, panel_nodes
from simulators.line.scores import Mixture
from simulators.mixtures import GaussianMixture, components
from simulators.named_laws import forward_time
from simulators.radial.propagate import RadialComb, RadialProblem, Setup, panels, run, windows
from simulators.radial.tails import Cumulated, chi_quantile, chi_tails

__all__ = ["NAMES", "RadialOutcome", "radial_case"]

Array = NDArray[np.float64]

NAMES = ("KL", "TV", "W2", "chi2", "Hellinger")
GAUSS = np.polynomial.legendre.leggauss(16)
DEPTHS = (42.0, 110.0, 260.0, 620.0)  # log densities down to which the tails of the output are kept
METHOD = "radial law, two grids"
WIDTH = 3.0  # of a first panel of a distance, in the smallest standard deviation of the radius
ORIGIN = 10.0 ** np.arange(-10.0, 0.0)  # ends of panels next to the origin, in the width of the first one
RATIO_WIDTH = 0.08  # of a panel of a density ratio
MARGIN = 14.0  # from the depth of a law up to where its density is accurate
NARROW = 1.5  # of a panel of a distribution function, in the smallest detail of the radius
FINER = 1.4
MOST = 40  # steps outwards until another law's range is covered
SAMPLES, PIECES = 4001, 9  # of a deterministic map, and points across the range of a component


@dataclass(frozen=True)
class RadialSide(Side):
    """A concentric mixture as one side of a distance between laws of the radius."""

    problem: RadialProblem

    def logpdf(self, y: Array) -> Array:
        """Log density of the radius."""
        return self.problem.log_density(self.mixture, y)

    def quantile(self, cdf: Array, sf: Array, guess: Array) -> Array:
        """Radii with this distribution function."""
        return chi_quantile(cdf, sf, guess, self.mixture, self.problem.d)


@dataclass(frozen=True, eq=False)
class RadialChart(Accurate):
    """A variable t in which integrals over a law of the radius are taken, see `simulators.line.law.Chart`.

    law : a mixture, the output of a noisy sampler, or None for the images of t under a deterministic one,
          which is increasing (see `simulators.plane.flow`).
    masked : whether the tails of a noisy output are left out where they are not accurate; only the divergence
          of another law from the output needs them.
    """

    problem: RadialProblem
    law: Mixture | RadialComb | None
    edges: Array
    zones: Array | None = None
    masked: bool = False

    def nodes(self, t: Array) -> tuple[Array, Array, Array]:
        """See `Chart`."""
        if self.law is None:
            y, slope = self.problem.images(t)
            return y, slope, self.problem.log_density(self.problem.initial, t) - slope
        flat = np.zeros_like(t)
        if isinstance(self.law, RadialComb):
            values = self.law.log_density(t)
            return t, flat, np.where(self.masked & (values < -self.law.depth + MARGIN), -np.inf, values)
        return t, flat, self.problem.log_density(self.law, t)

    @property
    def trusted(self) -> RadialChart:
        """The chart with zones, panels at whose ends the density is accurate."""
        assert isinstance(self.law, RadialComb)
        known = self.law.log_density(self.edges) > -self.law.depth + MARGIN
        inside = np.flatnonzero(known[1:] & known[:-1])
        if inside.size == 0:
            return self
        breaks = np.flatnonzero(np.diff(inside) > 1)
        first, last = inside[np.append(0, breaks + 1)], inside[np.append(breaks, inside.size - 1)]
        return replace(self, zones=np.stack([self.edges[first], self.edges[last + 1]], axis=1))

    def tails(self, t: Array, y: Array) -> tuple[Array, Array]:
        """See `Chart`."""
        if self.law is None:
            return chi_tails(t, self.problem.initial, self.problem.d)
        if isinstance(self.law, Mixture):
            return chi_tails(y, self.law, self.problem.d)
        return self.cumulated.tails(y)

    @cached_property
    def cumulated(self) -> Cumulated:
        """The distribution function of a noisy output."""
        assert isinstance(self.law, RadialComb)
        ends = panels(self.law.intervals, NARROW * self.law.smooth)
        ends = np.unique(ends)
        nodes = panel_nodes(ends[:-1], ends[1:])
        return Cumulated.of(ends, np.exp(self.law.log_density(nodes.ravel())).reshape(nodes.shape))


@dataclass(frozen=True, eq=False)
class RadialOutcome:
    """A sampler's run on a radial law, propagated once when first needed; distances are kept once measured.

    Laws are named "target", "q_T", "q_delta", "gamma", "output", or by a forward time on the unit clock.
    """

    problem: RadialProblem
    setup: Setup = field(default_factory=Setup)
    parts: float = 1.0
    found: dict[tuple[str, str | float, str | float], Enclosure] = field(default_factory=dict, repr=False)

    @cached_property
    def combs(self) -> list[RadialComb]:
        """The output at the first two accuracies that pass every check, the finer first; none when the work
        limit stops it.
        """
        setup = self.setup
        try:
            _, coarse, fine = first_pair(lambda a: run(self.problem, a, setup), setup.accuracies)
        except LineError:
            return []
        return [fine, coarse]

    @property
    def resolved(self) -> bool:
        """Whether the output was within the work limit."""
        return self.problem.deterministic or bool(self.combs)

    @property
    def finer(self) -> RadialOutcome:
        """The same case by the second road: finer grids, other panels."""
        setup = replace(self.setup, slack=0.7, accuracies=self.setup.accuracies[1:])
        return replace(self, setup=setup, parts=1.7 * self.parts, found={})

    def limited(self, work: float) -> RadialOutcome:
        """The same case, giving up where it needs more work."""
        return replace(self, setup=replace(self.setup, work_limit=work), found={})

    def law(self, name: str | float) -> Mixture:
        """The named law, which must be a mixture."""
        if name == "gamma":
            return Mixture.of([1.0], [0.0], [1.0])
        time = forward_time(name, self.problem.grid)
        return self.problem.mixture.at(time) if time else self.problem.mixture

    def distance(self, quantity: str, first: str | float, second: str | float) -> Enclosure:
        """D(first || second), a scalar enclosure in nats: "KL", "TV", "W2", "chi2" or "Hellinger"."""
        if quantity not in NAMES:
            raise InputError("quantity", quantity, f"expected one of {', '.join(NAMES)}")
        key = (quantity, first, second)
        if key not in self.found:
            self.found[key] = self._distance(quantity, first, second)
        return self.found[key]

    def _distance(self, quantity: str, first: str | float, second: str | float) -> Enclosure:
        if first == second:
            return Enclosure.exact(0.0, "a law against itself")
        if "output" in (first, second) and not self.resolved:
            return _trivial(quantity)
        swapped = second == "output"
        p, q = (second, first) if swapped else (first, second)
        side = RadialSide(self.law(q), self.problem)
        stretch = 1.0
        if quantity == "chi2":
            tails = self.tail_variance(p), float(side.mixture.variances.max())
            over, under = tails[::-1] if swapped else tails
            if over > 2.0 * under * (1.0 + 1e-9):
                return Enclosure.exact(inf, "chi2 diverges in the tails")
            stretch = 1.0 / sqrt(max(2.0 - over / under, 1e-3))
        charts = self.charts(p, side.mixture, WIDTH / self.parts, max(stretch, 1.0))
        charts = tuple(replace(chart, masked=swapped and quantity == "KL") for chart in charts)
        if quantity == "chi2" and p == "output" and not self.problem.deterministic:
            charts = tuple(chart.trusted for chart in charts)
        measured = evaluate(quantity, side, charts, self.problem.noise, swapped, CHEAP)
        if not measured.holes or "output" not in (first, second):
            return measured.enclosure.labelled(METHOD)
        if self.deeper is not None:
            return self.deeper.distance(quantity, first, second)
        return measured.enclosure.labelled(METHOD) if quantity == "chi2" else _trivial(quantity)

    def tail_variance(self, name: str | float) -> float:
        """Variance v of the Gaussian tails of a law in every direction: that of its widest component under
        the slopes of its score.
        """
        if name != "output":
            return float(self.law(name).variances.max())
        v = float(self.problem.initial.variances.max())
        for (a, b, c), law in zip(self.problem.steps.tolist(), self.problem.laws, strict=True):
            v = (1.0 + a - b / float(law.variances.max())) ** 2 * v + c * c
        return v

    @cached_property
    def deeper(self) -> RadialOutcome | None:
        """The same case with more of the output's tails; None when there is nothing deeper."""
        following = [depth for depth in DEPTHS if depth > self.setup.depth]
        if not following or self.problem.deterministic:
            return None
        deeper = replace(self, setup=replace(self.setup, depth=following[0]), found={})
        return deeper if deeper.resolved else None

    def charts(
        self, name: str | float, other: Mixture, width: float, stretch: float = 1.0
    ) -> tuple[RadialChart, ...]:
        """Charts of the named law over its range and that of the other law, the best first; both ranges that
        many times as wide.
        """
        problem = self.problem
        reaching = windows(other, problem.d)
        if stretch > 1.0:
            laws = (other,) if name == "output" else (other, self.law(name))
            reaching = np.concatenate([reaching, *(windows(_wider(law, stretch), problem.d) for law in laws)])
        small = float(other.sds.min()) / sqrt(2.0)
        if name == "output" and problem.deterministic:
            wide = problem.initial
            reach = windows(_wider(wide, stretch), problem.d)
            edges = self._edges(reach, width * float(wide.sds.min()) / sqrt(2.0))
            return (RadialChart(problem, None, np.union1d(edges, self._preimages(reaching, edges))),)
        if name == "output":
            comb = self.combs[0]
            ranges = np.concatenate([reaching, comb.intervals])
            edges = self._edges(ranges, width * min(small, comb.c))
            return tuple(RadialChart(problem, comb, edges) for comb in self.combs)
        law = self.law(name)
        ranges = np.concatenate([reaching, windows(law, problem.d)])
        edges = self._edges(ranges, width * min(small, float(law.sds.min()) / sqrt(2.0)))
        return (RadialChart(problem, law, edges),)

    def _preimages(self, ranges: Array, edges: Array) -> Array:
        """Radii that a deterministic sampler carries to points across these ranges, where another law has
        mass.
        """
        far = float(edges[-1])
        for _ in range(MOST):
            if float(self.problem.images(np.array([far]))[0][0]) >= float(ranges.max()):
                break
            far *= 1.5
        t = np.linspace(float(edges[0]), far, SAMPLES)
        images = self.problem.images(t)[0]
        wanted = np.linspace(ranges[:, 0], ranges[:, 1], PIECES).ravel()
        wanted = wanted[(wanted > images[0]) & (wanted < images[-1])]
        return np.append(np.interp(wanted, images, t), far)

    def _edges(self, ranges: Array, width: float) -> Array:
        """Panel ends; towards the origin, where the density is a power of r, they shrink geometrically."""
        edges = np.unique(panels(ranges, width))
        if edges[0] > 0:
            return edges
        return np.concatenate([edges[1] * ORIGIN, edges[1:]])

    def ratios(
        self, first: str | float, second: str | float
    ) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        """Weights under the second law and logs of the density ratio, on the best and on a coarser grid."""
        side = RadialSide(self.law(second), self.problem)
        found = []
        for stretch in (1.0, FINER):
            chart = self.charts(first, side.mixture, RATIO_WIDTH * stretch)[0 if stretch == 1.0 else -1]
            half = 0.5 * np.diff(chart.edges)[:, None]
            t = (chart.edges[:-1, None] + half * (1.0 + GAUSS[0])).ravel()
            y, slope, log_p = chart.nodes(t)
            share = np.log((half * GAUSS[1]).ravel()) + slope
            log_q = side.logpdf(y)
            seen = (share + log_q > -60.0) | (share + log_p > -60.0)
            log_p = np.maximum(log_p, -690.0)
            found.append((np.exp((share + log_q)[seen]), (log_p - log_q)[seen]))
        return found[0], found[1]

    def second_moment(self, name: str | float = "output") -> Enclosure:
        """E |x|^2 under the named law."""
        problem = self.problem
        if name != "output":
            law = self.law(name)
            value = problem.d * float(law.weights @ law.variances)
            return Enclosure.around(value, 1e-14 * value, "closed form")
        if problem.deterministic:
            return self._flow_moment()
        if not self.resolved:
            return Enclosure.between(0.0, inf, "not resolved: trivial bounds")
        value, coarse = (comb.second_moment for comb in self.combs)
        return Enclosure.around(value, 10.0 * abs(value - coarse) + problem.noise * value, METHOD)

    def _flow_moment(self) -> Enclosure:
        values = []
        for width in (RATIO_WIDTH, RATIO_WIDTH * FINER):
            chart = self.charts("output", self.problem.initial, width)[0]
            half = 0.5 * np.diff(chart.edges)[:, None]
            t = (chart.edges[:-1, None] + half * (1.0 + GAUSS[0])).ravel()
            y, slope, log_p = chart.nodes(t)
            values.append(float((half * GAUSS[1]).ravel() @ (np.exp(log_p + slope) * y * y)))
        error = 10.0 * abs(values[0] - values[1]) + self.problem.noise * values[0]
        return Enclosure.around(values[0], error, METHOD)


def _trivial(quantity: str) -> Enclosure:
    top = inf if quantity in ("KL", "W2", "chi2") else 1.0
    return Enclosure.between(0.0, top, "not resolved: trivial bounds")


def _wider(law: Mixture, stretch: float) -> Mixture:
    """The same with every component that many times as wide, along with the components themselves."""
    return Mixture(law.weights, law.means, law.variances * stretch * stretch)


def radial_case(
    target: GaussianMixture,
    sampler: str,
    grid: Grid,
    start: str = "gamma",
    *,
    time: float = 0.0,
    setup: Setup | None = None,
) -> RadialOutcome:
    """The outcome of a sampler for concentric isotropic components; nothing is computed until asked for.

    target  : a mixture of components N(0, s_k I_d), d >= 3.
    sampler : ddpm-ei, ddpm-em, cds-ei, lmc (score at forward time ``time``) or pf-ei.
    start   : "gamma" or "q_T".

    >>> target = GaussianMixture((0.5, 0.5), ((0.0,), (0.0,)), (0.5, 2.0), 10)
    >>> case = radial_case(target, "ddpm-ei", Grid.uniform(2.0, 8))
    >>> bool(case.distance("KL", "target", "output").lo > 0)
    True
    """
    own = components(target)
    variances = np.concatenate([own.variances, own.rest[:, None]], axis=1) if own.d > own.m else own.variances
    if own.rotations is not None or bool(np.any(variances != variances[:, :1])):
        raise InputError("covariances", target.covariances, "expected isotropic components")
    if bool(np.any(own.means != 0)):
        raise InputError("means", target.means, "expected components centred at the origin")
    mixture = Mixture(own.weights, np.zeros(own.K), variances[:, 0].copy())
    return RadialOutcome(RadialProblem(sampler, grid, mixture, own.d, start, time), setup or Setup())
