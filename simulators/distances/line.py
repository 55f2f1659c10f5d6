"""Distances on the line between a Gaussian mixture and the output law of a sampler, or between two mixtures.

With l = log p/q, integrals over adaptive Gauss panels in a variable t in which y(t) and the law are smooth:

    KL(q||p) = int q (e^l - 1 - l),           KL(p||q) = int p (e^{-l} - 1 + l),
    chi2(p||q) = int q (e^l - 1)^2,           Hellinger^2 = int q (e^{l/2} - 1)^2 / 2  ( = 1 - int sqrt(pq) ),
    TV = int |p - q| / 2, panels ending where l changes sign,
    W2^2 = int p(y) (F_q^{-1}(F_p(y)) - y)^2 dy, each quantile from the smaller tail.

All integrands are nonnegative and small together with the distance, so nothing cancels. A panel is halved
until its integral agrees with the sum over its halves; the error bound is ten times the difference of the two
grids of the law, panel by panel, and the sum of these last disagreements, plus rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import exp, inf, isfinite, isnan, pi, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulators.distances.mixture_tails import chi2_beyond, kl_beyond
from simulators.enclosure import Enclosure
from simulators.errors import InputError, NotDefined
from simulators.line.charts import Accurate, Chart
from simulators.line.checks import FoldFound, MassLost, RangeTooSmall, check_mass, check_range
from simulators.line.law import FOLD_MASS, FlowLaw, LineLaw
from simulators.line.mixture_kernels import mixture_cdf, mixture_logpdf, mixture_quantile
from simulators.line.quadrature import (
    ACCURATE,
    MAX_PANELS,
    Precision,
    integrate_panels,
    panel_nodes,
    panel_sums,
)
from simulators.line.scores import Mixture, Table, table
from simulators.line.spacing import switches
from simulators.line.transport import FoldedChart

__all__ = ["NAMES", "line_distance", "mixture_distance"]

Array = NDArray[np.float64]
Function = Callable[[Array], Array]

BEYOND = {"KL": kl_beyond, "chi2": chi2_beyond}
NAMES = ("KL", "TV", "W2", "chi2", "Hellinger")
ORDERS = ("target,output", "output,target")
ROOT_RTOL = 1e-11  # of a sign change; its effect on TV is of second order
UNIT = 2.0**-53
LOG_SMALLEST = -745.0
SUDDEN = 0.05  # of a law's spread: changes of slope within less get panels of their own
TURN = np.array([-30.0, -8.0, -2.0, 2.0, 8.0, 30.0])  # widths of a change of slope
SEEN = -45.0  # log of an integrand that counts
FASTER = 100.0  # how much closer two grids are than the two before them, at best
HIDDEN = 2e-11  # of an affinity, in tails that are not kept
FOLDED_PANELS = 6000
UNREACHED = {"KL": 1.0, "TV": 0.5, "Hellinger": 0.5}  # of the target's mass where there are no images
BETWEEN = np.linspace(0.0, 1.0, 65)  # parts of the way between two neighbouring means
FEW = np.array([0, 5, 10, 15])  # of the nodes of a panel
SWAY = 20.0 * UNIT  # relative rounding of a mass that is summed once
METHOD = "law on the line, two grids"


def line_distance(
    name: str,
    target_weights: ArrayLike,
    target_means: ArrayLike,
    target_variances: ArrayLike,
    law: LineLaw,
    order: str = "target,output",
    precision: Precision = ACCURATE,
) -> Enclosure:
    """A distance between sum w_j N(m_j, v_j) and the output ``law``; a scalar enclosure, nats.

    name  : "KL", "TV", "W2", "chi2" or "Hellinger" (the square root of 1 - int sqrt(pq)).
    order : "target,output" for D(target||output), or "output,target".

    The law is refined until the relative half-width is that of the precision (1e-9) or nothing finer is
    within the work limit.
    """
    target = Side(Mixture.of(target_weights, target_means, target_variances))
    forward = _forward(name, order)
    if target.has_atoms and name != "W2":
        return _against_atoms(name, target, forward)
    if name == "chi2" and _diverges(target, law.problem.tail_variance, forward):
        return Enclosure.exact(inf, "chi2 diverges in the tails")
    best, current, gap = _trivial(name), law, 0.0
    while True:
        found = _measured(name, target, current, forward, precision, gap)
        gap = 0.0 if found.holes else max(found.gap, gap / FASTER)
        best = found.enclosure if _sharper(found.enclosure, best) else best
        following = current.deeper if found.holes else current.refined if found.refinable else None
        if following is None:
            return best
        current = following


def mixture_distance(
    name: str,
    first: tuple[ArrayLike, ArrayLike, ArrayLike],
    second: tuple[ArrayLike, ArrayLike, ArrayLike],
    precision: Precision = ACCURATE,
) -> Enclosure:
    """D(first||second) between two mixtures (weights, means, variances) on the line; a scalar enclosure."""
    _forward(name, "target,output")
    p, q = Side(Mixture.of(*first)), Side(Mixture.of(*second))
    if all(np.array_equal(getattr(p.mixture, part), getattr(q.mixture, part)) for part in _PARTS):
        return Enclosure.exact(0.0, "a law against itself")
    if p.has_atoms and q.has_atoms:
        raise NotDefined(f"{name} between two laws with atoms: expected a density on one side")
    if name != "W2" and (p.has_atoms or q.has_atoms):
        return _against_atoms(name, p if p.has_atoms else q, p.has_atoms)
    if p.has_atoms:  # W2 is symmetric
        p, q = q, p
    # "output" is the first argument
    if name == "chi2" and _diverges(q, float(p.mixture.variances.max()), False):
        return Enclosure.exact(inf, "chi2 diverges in the tails")
    wide = float(p.mixture.variances.max())
    mine = p.around(_stretch(wide, float(q.mixture.variances.max())) if name == "chi2" else 1.0)
    chart = MixtureChart(p, np.unique(np.concatenate([mine, q.around(1.0)])))
    narrow = min(float(p.mixture.sds.min()), float(q.mixture.sds[q.mixture.sds > 0].min(initial=inf)))
    size = max(float(np.abs(p.mixture.means).max()), float(np.abs(q.mixture.means).max()))
    noise = 20.0 * UNIT * (1.0 + size / narrow)
    return evaluate(name, q, (chart,), noise, False, precision).enclosure.labelled("mixtures on the line")


_PARTS = ("weights", "means", "variances")


@dataclass(frozen=True, eq=False)
class Side:
    """A mixture as one side of a distance."""

    mixture: Mixture

    @property
    def has_atoms(self) -> bool:
        """Whether some component has variance zero."""
        return bool(np.any(self.mixture.variances == 0))

    @cached_property
    def _table(self) -> Table:
        return table(self.mixture)

    def around(self, stretch: float) -> Array:
        """Points that follow the components, and those where they change places.

        stretch : the range in units of ten standard deviations.
        """
        m, s = self.mixture.means[:, None], self.mixture.sds[:, None]
        around = np.array([-10.0, -7.0, -5.0, -3.5, -2.0, -1.0, 0.0, 1.0, 2.0, 3.5, 5.0, 7.0, 10.0])
        points = (m + s * around).ravel()
        if stretch > 1.0:
            points = np.concatenate([points, (m + s * np.linspace(-10.0, 10.0, 11) * stretch).ravel()])
        return np.unique(points if self.has_atoms else np.concatenate([points, self._turns]))

    @cached_property
    def _turns(self) -> Array:
        """Where two components change places, and about it where the slope of the log density turns: between
        a narrow one and a wide one that is over before the first node of a long panel.
        """
        rows = tuple(row[0] for row in self._table.rows)
        at = switches(*rows)
        if at.size == 0:
            return at
        away = at[:, None] - rows[0]
        top = np.argsort(rows[2] - 0.5 * rows[1] * away * away, axis=1)[:, -2:]
        slopes = np.take_along_axis(rows[1] * away, top, axis=1)
        width = 1.0 / np.maximum(np.abs(slopes[:, 1] - slopes[:, 0]), 1e-300)
        sudden = width < SUDDEN * self.mixture.spread
        around = at[sudden, None] + TURN * width[sudden, None]
        return np.concatenate([at, around.ravel()])

    def astray(self, sway: float) -> float:
        """What mass on the wrong side of a gap may add to W2^2: int min(d^2/q, d J) dy over the ways J from
        one mean to the next, d the rounding error of the distribution function. Where q is large the images
        move by d/q; in a gap the mass d moves by J, however small the distance is.
        """
        mixture, total = self.mixture, 0.0
        means = np.unique(mixture.means)
        size = float(np.abs(means).max())
        for left, way in zip(means[:-1], np.diff(means), strict=True):
            y = left + way * BETWEEN
            cdf, sf = mixture_cdf(y, mixture.weights, mixture.means, mixture.sds)
            d = sway * max(1.0, size / way) * np.minimum(cdf, sf)
            moved = np.minimum(d / np.maximum(self._density(y), 1e-300), way)
            total += float((d * moved).mean() * way)
        return total

    def beyond(self, cuts: Array) -> float:
        """Mass below the first cut and above the last."""
        mixture = self.mixture
        cdf, sf = mixture_cdf(cuts[[0, -1]], mixture.weights, mixture.means, mixture.sds)
        return float(cdf[0] + sf[1])

    def _density(self, y: Array) -> Array:
        """The density of the components that have one."""
        wide = self.mixture.sds > 0
        means, sds, weights = (
            part[wide] for part in (self.mixture.means, self.mixture.sds, self.mixture.weights)
        )
        z = (y[:, None] - means) / sds
        with np.errstate(under="ignore"):
            return np.asarray((np.exp(-0.5 * z * z) / sds / sqrt(2.0 * pi)) @ weights)

    def logpdf(self, y: Array) -> Array:
        """Log density."""
        return mixture_logpdf(np.ascontiguousarray(y), *(row[0] for row in self._table.rows))

    def quantile(self, cdf: Array, sf: Array, guess: Array) -> Array:
        """Points with this distribution function."""
        mixture = self.mixture
        return mixture_quantile(cdf, sf, guess, mixture.weights, mixture.means, mixture.sds)


@dataclass(frozen=True, eq=False)
class MixtureChart(Accurate):
    """The chart y = t of a mixture with a density."""

    side: Side
    edges: Array
    zones: Array | None = None

    def nodes(self, t: Array) -> tuple[Array, Array, Array]:
        """See `simulators.line.law.Chart`."""
        return t, np.zeros_like(t), self.side.logpdf(t)

    def tails(self, t: Array, y: Array) -> tuple[Array, Array]:
        """See `simulators.line.law.Chart`."""
        mixture = self.side.mixture
        return mixture_cdf(np.ascontiguousarray(y), mixture.weights, mixture.means, mixture.sds)


def _forward(name: str, order: str) -> bool:
    if name not in NAMES:
        raise InputError("name", name, f"expected one of {', '.join(NAMES)}")
    if order not in ORDERS:
        raise InputError("order", order, f"expected one of {', '.join(ORDERS)}")
    return order == ORDERS[0]


def _trivial(name: str) -> Enclosure:
    return Enclosure.between(0.0, 1.0 if name in ("TV", "Hellinger") else inf, "not resolved: trivial bounds")


def _against_atoms(name: str, target: Side, forward: bool) -> Enclosure:
    """A law with a density against one with atoms: singular where the atoms carry all mass."""
    if name in ("TV", "Hellinger") and bool(np.all(target.mixture.variances == 0)):
        return Enclosure.exact(1.0, "mutually singular")
    if name in ("KL", "chi2") and (forward or bool(np.all(target.mixture.variances == 0))):
        return Enclosure.exact(inf, "not absolutely continuous")
    raise NotDefined(f"{name} against a law with both atoms and a density: expected one or the other")


def _diverges(target: Side, tail: float, forward: bool) -> bool:
    """Whether int P^2/R diverges for tails exp(-y^2/2v): 2/v_P < 1/v_R."""
    if isnan(tail):
        return False
    wide = float(target.mixture.variances.max())
    over, under = (wide, tail) if forward else (tail, wide)
    return over > 2.0 * under * (1.0 + 1e-9)


def _sharper(found: Enclosure, best: Enclosure) -> bool:
    return bool(found.width <= best.width) or not isfinite(float(best.width))


@dataclass(frozen=True, eq=False)
class Measured:
    """One evaluation of a distance.

    holes     : the law's tails are not known well enough where they matter; where they are missing, the upper
                end of KL or chi2 is infinite.
    refinable : the difference of the two grids makes the enclosure wider than wanted.
    gap       : that difference.
    """

    enclosure: Enclosure
    holes: bool
    refinable: bool
    gap: float = 0.0


def _measured(
    name: str, target: Side, law: LineLaw, forward: bool, precision: Precision = ACCURATE, before: float = 0.0
) -> Measured:
    stretch = (
        _stretch(float(target.mixture.variances.max()), law.problem.tail_variance) if name == "chi2" else 1.0
    )
    charts = law.charts(target.around(stretch if forward else 1.0))
    if not charts:
        return Measured(_trivial(name), False, False)
    if name == "chi2" and not forward and isinstance(charts[0], FoldedChart):  # p^2/q at inverse square roots
        return Measured(Enclosure.exact(inf, "chi2 diverges where the map turns"), False, False)
    try:
        if isinstance(law, FlowLaw):
            check_mass(law.mass, FOLD_MASS)
        return evaluate(name, target, charts, law.noise, forward, precision, before, law.sway)
    except FoldFound as fold:
        assert isinstance(law, FlowLaw)
        return _measured(name, target, law.marked(fold.at), forward, precision)
    except MassLost:
        return Measured(_trivial(name), False, False)


def _stretch(over: float, under: float) -> float:
    """How much farther int P^2/R reaches than P, for tails of these variances; 2 where unknown."""
    rate = 2.0 - over / under
    return 2.0 if isnan(rate) else max(1.0, 1.0 / sqrt(max(rate, 1e-3)))


def evaluate(
    name: str,
    target: Side,
    charts: tuple[Chart, ...],
    noise: float,
    forward: bool,
    precision: Precision,
    before: float = 0.0,
    sway: float = SWAY,
) -> Measured:
    """One distance from the charts of two grids; before : the difference of the two coarser grids, if there
    was one. sway : relative rounding error of the mass on one side of a gap.

    Errors of the grids oscillate, and their whole integrals may agree by accident: they are compared panel by
    panel, and count as no closer than `FASTER` times closer than before.
    """
    integrands = [Integrand(name, target, chart, forward) for chart in charts]
    best = integrands[0]
    edges = precision.edges(charts[0].edges)
    scale = target.mixture.spread if name == "W2" else 1.0
    if name == "TV":
        value, quadrature, leaves, sums = _split_integral(best, edges, noise, precision.panel)
    else:
        value, quadrature, leaves, sums = integrate_panels(
            best, edges, noise * scale, precision.panel, most=_most(charts[0])
        )
    missed = target.beyond(charts[0].cuts) if isinstance(charts[0], FoldedChart) else 0.0
    hidden = forward and name in BEYOND and missed > exp(SEEN)
    value += 0.0 if forward and name in BEYOND else UNREACHED.get(name, 0.0) * missed
    holes = (best.holes and name != "Hellinger") or not isfinite(value) or hidden
    if not isfinite(value):
        return Measured(_trivial(name), True, False)
    ends = best.ends(leaves)
    try:
        check_range(*ends, value, 1e-13 if name == "chi2" and charts[0].zones is not None else 1e-12)
    except RangeTooSmall:
        holes = True
    gaps = [float(np.abs(panel_sums(f, *leaves) - sums).sum()) for f in integrands[1:]]
    gap = max([before / FASTER, *gaps])
    slip = 10.0 * best.slip(leaves)
    astray, first = (target.astray(sway), best.astray(leaves, sway)) if name == "W2" else (0.0, 0.0)
    rounding = _rounding(name, value, noise, target.mixture.spread) + astray
    rounding += max(first - _rounding(name, value, sway, target.mixture.spread), 0.0)  # counted there already
    error = 10.0 * (gap + sum(ends) + quadrature) + rounding + slip
    open_above = holes and name in ("KL", "chi2")
    if name == "chi2" and error >= value > 1.0:  # all of it may be a fold that the charts do not tell
        open_above = True
    low, high = max(value - error, 0.0), inf if open_above else value + error
    if name == "Hellinger" and (best.holes or missed > HIDDEN):  # sqrt(pq) where p is below e^{-50}
        low, high = max(low - HIDDEN, 0.0), high + HIDDEN
    found = Enclosure.between(low, high, METHOD)
    wanted = (2.0 if name in ("W2", "Hellinger") else 1.0) * precision.good * value
    refinable = 10.0 * gap > max(0.5 * wanted, astray + first, precision.good_tv if name == "TV" else 0.0)
    if name in ("W2", "Hellinger"):
        found = found.sqrt()
    if name in ("TV", "Hellinger"):
        found = found.minimum(1.0)
    return Measured(found.labelled(METHOD), holes or slip > 0.2 * wanted, refinable, gap)


def _rounding(name: str, value: float, noise: float, spread: float) -> float:
    """Effect on an integral of a relative error ``noise`` of the density."""
    if name == "TV":
        return noise
    if name == "KL":
        return noise * (sqrt(2.0 * value) + value) + noise * noise
    if name == "chi2":
        return 2.0 * noise * sqrt(value * (1.0 + value)) + noise * noise * (1.0 + value)
    if name == "Hellinger":
        return noise * sqrt(value) + noise * noise
    return 2.0 * noise * spread * sqrt(value) + (noise * spread) ** 2 + 16.0 * UNIT * value


# -- integrands
# ------------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Integrand:
    """The integrand of D in the chart's variable; p is the output, q the target. Remembers missing tails."""

    name: str
    target: Side
    chart: Chart
    forward: bool
    holes: bool = False

    def __call__(self, t: Array) -> Array:
        """Values at t, flat."""
        if self.name == "W2":
            _, density, _, move = self._moves(t)
            return np.where(density > 0, density * move * move, 0.0)
        y, log_slope, logp = self.chart.nodes(t)
        logq = self.target.logpdf(y)
        bound = self.chart.ceiling(y, logp)
        missing = np.isneginf(logp) | (bound > logp)
        unknown = missing & self._matters(logq, logp, bound)
        self.holes = self.holes or bool(np.any(unknown))
        logp = np.where(missing, LOG_SMALLEST, logp)
        over, under = (logq, logp) if self.forward else (logp, logq)
        with np.errstate(under="ignore", over="ignore"):
            values = _ratio_term(self.name, over + log_slope, under + log_slope)
        if self.name == "chi2" or (
            self.name == "KL" and self.forward
        ):  # the lower end leaves out the unknown
            values = np.where(unknown | (missing & self.forward), 0.0, values)
        return np.where(self._known(t), values, 0.0) if self.name == "chi2" else values

    def _moves(self, t: Array) -> tuple[Array, ...]:
        """(y, density in t, the smaller tail, move of the coupling) at t."""
        y, log_slope, logp = self.chart.nodes(t)
        with np.errstate(under="ignore"):
            density = np.exp(logp + log_slope)
        cdf, sf = self.chart.tails(t, y)
        return y, density, np.minimum(cdf, sf), self.target.quantile(cdf, sf, y) - y

    def _matters(self, logq: Array, logp: Array, bound: Array) -> NDArray[np.bool_]:
        """Whether an unknown density may change the integral."""
        if self.name == "TV" or (self.name == "KL" and not self.forward):
            return np.zeros(logq.size, dtype=np.bool_)
        if self.name != "chi2":
            return np.asarray(logq > SEEN)
        if self.forward:
            return np.asarray((logq > SEEN) | ((bound > logp) & (2.0 * logq - logp > SEEN)))
        return np.asarray((logq > SEEN) | ((bound > logp) & (2.0 * bound - logq > SEEN)))

    def _known(self, t: Array) -> NDArray[np.bool_]:
        zones = self.chart.zones
        if zones is None:
            return np.ones(t.size, dtype=np.bool_)
        at = np.clip(np.searchsorted(zones[:, 0], t, side="right") - 1, 0, zones.shape[0] - 1)
        return np.asarray((t >= zones[at, 0]) & (t <= zones[at, 1]))

    def slip(self, leaves: tuple[Array, Array]) -> float:
        """What the error of the density from what its tails lack may change."""
        if self.name == "W2" or self.chart.lost(*np.zeros((3, 1))) is None:
            return 0.0

        def change(t: Array) -> Array:
            y, log_slope, logp = self.chart.nodes(t)
            logq = self.target.logpdf(y)
            known = np.isfinite(logp) & (self.chart.ceiling(y, logp) <= logp)
            with np.errstate(under="ignore", over="ignore", invalid="ignore"):
                values = np.abs(_slope(self.name, self.forward, logp, logq)) * np.exp(log_slope)
                values = np.where(known, values * self.chart.lost(y, log_slope, logp), 0.0)
            return np.where(self._known(t), values, 0.0) if self.name == "chi2" else values

        return float(panel_sums(change, *leaves).sum())

    def astray(self, leaves: tuple[Array, Array], sway: float) -> float:
        """What the error d of the distribution function changes in W2^2 to first order, 2 int |move| d dy: in
        a gap that is not empty few points move far. A few nodes of each panel tell.
        """
        t = panel_nodes(*leaves)[:, FEW]
        y, _, tail, move = (part.reshape(t.shape) for part in self._moves(t.ravel()))
        ahead = np.maximum.accumulate(np.sign(y[-1, -1] - y[0, 0]) * y.ravel()).reshape(t.shape)[:, -1]
        way = np.diff(ahead, prepend=ahead[0])  # where maps are steep, rounded images go to and fro
        return 2.0 * sway * float((np.abs(move) * tail).mean(axis=1) @ way)

    def ends(self, leaves: tuple[Array, Array]) -> tuple[float, float]:
        """What the integral may miss beyond its first and last nodes: the integrand there times a sixteenth
        of the range; for chi2, which fades slowly, a quarter of each zone where the law is accurate. Between
        two mixtures KL and chi2 are bounded there in closed form.
        """
        left, right = leaves
        if isinstance(self.chart, MixtureChart) and self.name in BEYOND and not self.forward:
            return BEYOND[self.name](
                self.chart.side.mixture, self.target.mixture, float(left[0]), float(right[-1])
            )
        zones = self.chart.zones if self.name == "chi2" else None
        if zones is None:
            first, last = np.array([0]), np.array([left.size - 1])
        else:
            first = np.clip(np.searchsorted(left, zones[:, 0]), 0, left.size - 1)
            last = np.clip(np.searchsorted(right, zones[:, 1], side="right") - 1, 0, left.size - 1)
        length = (right[last] - left[first]) / (16.0 if zones is None else 4.0)
        return self._mean(left[first], right[first], length), self._mean(left[last], right[last], length)

    def _mean(self, left: Array, right: Array, length: Array) -> float:
        return float((panel_sums(self, left, right) / (right - left) * length).sum())


def _ratio_term(name: str, over: Array, under: Array) -> Array:
    """Integrand of D(a||b) from log a and log b (times the slope of the chart)."""
    ratio = under - over
    a, b = np.exp(over), np.exp(under)
    near = np.abs(ratio) < 1.0
    clipped = np.where(near, ratio, 0.0)
    if name == "KL":
        return np.where(near, a * _excess(clipped), b - a - a * ratio)
    if name == "TV":
        return 0.5 * np.where(near, a * np.abs(np.expm1(clipped)), np.abs(a - b))
    if name == "Hellinger":
        return 0.5 * np.where(near, a * np.expm1(0.5 * clipped) ** 2, (np.sqrt(a) - np.sqrt(b)) ** 2)
    return np.where(near, b * np.expm1(-clipped) ** 2, np.exp(2.0 * over - under) - 2.0 * a + b)


def _slope(name: str, forward: bool, logp: Array, logq: Array) -> Array:
    """Derivative of the integrand in the logarithm of the density p of the output."""
    p = np.exp(logp)
    if name == "KL":
        return p - np.exp(logq) if forward else p * (logp - logq)
    if name == "Hellinger":
        return 0.5 * (p - np.exp(0.5 * (logq + logp)))
    if name == "TV":
        return 0.5 * p
    return p - np.exp(2.0 * logq - logp) if forward else 2.0 * (np.exp(2.0 * logp - logq) - p)


def _excess(x: Array) -> Array:
    """e^x - 1 - x for |x| <= 1."""
    total = np.full_like(x, 1.0 / 19.0)
    for n in range(18, 2, -1):
        total = (1.0 + total * x) / n
    return 0.5 * x * x * (1.0 + total * x)


def _split_integral(
    f: Integrand, edges: Array, noise: float, panel: float
) -> tuple[float, float, tuple[Array, Array], Array]:
    """Integral of |p - q|/2 over panels that end where p - q changes sign, as far as their nodes see.

    A kink between the end of a panel and its first node is seen by no halving: crossings must be exact.
    """
    nodes = panel_nodes(edges[:-1], edges[1:])
    edges = np.unique(np.concatenate([edges, sign_changes(f.target, f.chart, nodes)]))
    found = integrate_panels(f, edges, noise, panel, linear=True, most=_most(f.chart))
    for _ in range(3):
        crossings = sign_changes(f.target, f.chart, panel_nodes(*found[2]))
        near = 1e2 * ROOT_RTOL * (np.abs(crossings) + f.target.mixture.spread)
        fresh = crossings[_distance(crossings, edges) > near]
        if fresh.size == 0:
            break
        edges = np.unique(np.concatenate([edges, fresh]))
        found = integrate_panels(f, edges, noise, panel, linear=True, most=_most(f.chart))
    return found


def _most(chart: Chart) -> int:
    """Panels halved at most: preimages of a folded map are dear."""
    return FOLDED_PANELS if isinstance(chart, FoldedChart) else MAX_PANELS


def _distance(points: Array, edges: Array) -> Array:
    """Distance of each point to the nearest edge."""
    at = np.clip(np.searchsorted(edges, points), 1, edges.size - 1)
    return np.minimum(np.abs(points - edges[at - 1]), np.abs(points - edges[at]))


def sign_changes(target: Side, chart: Chart, nodes: Array) -> Array:
    """Where the two densities cross between neighbouring nodes, to within rounding."""

    def log_ratio(t: Array) -> Array:
        y, _, logp = chart.nodes(t)
        return np.asarray(np.maximum(logp, LOG_SMALLEST) - target.logpdf(y))

    t = np.unique(nodes.ravel())
    value = log_ratio(t)
    at = np.flatnonzero(value[1:] * value[:-1] < 0)
    lo, hi, low, high = t[at], t[at + 1], value[at], value[at + 1]
    side, root, width = np.zeros(at.size), 0.5 * (lo + hi), np.full(at.size, np.inf)
    for step in range(100):  # Illinois: secants, an end kept twice counting half; halving where that is slow
        if lo.size == 0:
            break
        secant = hi - high * (hi - lo) / (high - low)
        slow = (hi - lo > 0.5 * width) if step % 3 == 2 else np.zeros(at.size, dtype=np.bool_)
        width = hi - lo if step % 3 == 2 else width
        secant = np.where((secant > lo) & (secant < hi) & ~slow, secant, 0.5 * (lo + hi))
        moved, root = np.abs(secant - root), secant
        found = log_ratio(root)
        left = found * low > 0  # the root lies to the right
        low, high = (
            np.where(left, found, np.where(side < 0, 0.5 * low, low)),
            np.where(left, np.where(side > 0, 0.5 * high, high), found),
        )
        lo, hi, side = np.where(left, root, lo), np.where(left, hi, root), np.where(left, 1.0, -1.0)
        near = ROOT_RTOL * (np.abs(root) + t[at + 1] - t[at])
        smooth = (moved <= near) & (np.abs(found) <= 1e-6)
        if bool(np.all(smooth | (hi - lo <= near) | (found == 0))):
            break
    return np.asarray(root)
