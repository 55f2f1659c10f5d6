"""Distances on the line between a Gaussian mixture and the output law of a sampler, or between two mixtures.

With l = log p/q, integrals over adaptive Gauss panels in a variable t in which y(t) and the law are smooth:

    KL(q||p) = int q (e^l - 1 - l),           KL(p||q) = int p (e^{-l} - 1 + l),
    chi2(p||q) = int q (e^l - 1)^2,           Hellinger^2 = int q (e^{l/2} - 1)^2 / 2  ( = 1 - int sqrt(pq) ),
    TV = int |p - q| / 2, panels ending where l changes sign,
    W2^2 = int p(y) (F_q^{-1}(F_p(y)) - y)^2 dy, each quantile from the smaller tail.

All integrands are nonnegative and small together with the distance, so nothing cancels. A panel is halved
until its integral agrees with the sum over its halves; the error bound is ten times the difference of the two
grids of the law, plus the sum of these last disagreements, plus rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import inf, isfinite, isnan, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulators.enclosure import Enclosure
from simulators.errors import InputError, NotDefined
from simulators.line.checks import RangeTooSmall, check_range
from simulators.line.kernels import mixture_cdf, mixture_logpdf, mixture_quantile, switches
from simulators.line.law import Chart, LineLaw
from simulators.line.scores import Mixture, Table, table
from simulators.line.transport import FoldedChart

__all__ = ["NAMES", "line_distance", "mixture_distance"]

Array = NDArray[np.float64]
Function = Callable[[Array], Array]

NAMES = ("KL", "TV", "W2", "chi2", "Hellinger")
ORDERS = ("target,output", "output,target")
NODES = 16
GAUSS_X, GAUSS_W = np.polynomial.legendre.leggauss(NODES)
PANEL_RTOL = 3e-13  # disagreement of a panel with its halves, relative to the whole integral
GOOD = 1e-9  # relative half-width at which refinement stops
GOOD_TV = 1e-12  # absolute, for TV
NOISE_SHARE = 0.03  # part of the rounding noise below which panels are not halved further
MAX_PANELS = 40_000
MAX_LEVEL = 60
UNIT = 2.0**-53
LOG_SMALLEST = -745.0
METHOD = "law on the line, two grids"


def line_distance(
    name: str,
    target_weights: ArrayLike,
    target_means: ArrayLike,
    target_variances: ArrayLike,
    law: LineLaw,
    order: str = "target,output",
) -> Enclosure:
    """A distance between sum w_j N(m_j, v_j) and the output ``law``; a scalar enclosure, nats.

    name  : "KL", "TV", "W2", "chi2" or "Hellinger" (the square root of 1 - int sqrt(pq)).
    order : "target,output" for D(target||output), or "output,target".

    The law is refined until the relative half-width is 1e-9 or nothing finer is within the work limit.
    """
    target = Side(Mixture.of(target_weights, target_means, target_variances))
    forward = _forward(name, order)
    if target.has_atoms and name != "W2":
        return _against_atoms(name, target, forward)
    if name == "chi2" and _diverges(target, law.problem.tail_variance, forward):
        return Enclosure.exact(inf, "chi2 diverges in the tails")
    best, current = _trivial(name), law
    while True:
        found = _measured(name, target, current, forward)
        best = found.enclosure if _sharper(found.enclosure, best) else best
        following = current.deeper if found.holes else current.refined if found.refinable else None
        if following is None:
            return best
        current = following


def mixture_distance(
    name: str,
    first: tuple[ArrayLike, ArrayLike, ArrayLike],
    second: tuple[ArrayLike, ArrayLike, ArrayLike],
) -> Enclosure:
    """D(first||second) between two mixtures (weights, means, variances) on the line; a scalar enclosure."""
    _forward(name, "target,output")
    p, q = Side(Mixture.of(*first)), Side(Mixture.of(*second))
    if name == "W2" and p.has_atoms:
        p, q = q, p
    if p.has_atoms:
        raise NotDefined("W2 between two laws with atoms: expected a density on one side")
    if q.has_atoms and name != "W2":
        return _against_atoms(name, q, False)
    # "output" is the first argument
    if name == "chi2" and _diverges(q, float(p.mixture.variances.max()), False):
        return Enclosure.exact(inf, "chi2 diverges in the tails")
    wide = float(p.mixture.variances.max())
    mine = p.around(_stretch(wide, float(q.mixture.variances.max())) if name == "chi2" else 1.0)
    chart = MixtureChart(p, np.unique(np.concatenate([mine, q.around(1.0)])))
    narrow = min(float(p.mixture.sds.min()), float(q.mixture.sds[q.mixture.sds > 0].min(initial=inf)))
    size = max(float(np.abs(p.mixture.means).max()), float(np.abs(q.mixture.means).max()))
    noise = 20.0 * UNIT * (1.0 + size / narrow)
    return _evaluate(name, q, (chart,), noise, False).enclosure.labelled("mixtures on the line")


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
        if not self.has_atoms:
            points = np.concatenate([points, switches(*(row[0] for row in self._table.rows))])
        return np.unique(points)

    def logpdf(self, y: Array) -> Array:
        """Log density."""
        return mixture_logpdf(np.ascontiguousarray(y), *(row[0] for row in self._table.rows))

    def quantile(self, cdf: Array, sf: Array, guess: Array) -> Array:
        """Points with this distribution function."""
        mixture = self.mixture
        return mixture_quantile(cdf, sf, guess, mixture.weights, mixture.means, mixture.sds)


@dataclass(frozen=True, eq=False)
class MixtureChart:
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

    holes     : the law's tails were missing where they matter; the upper end of KL or chi2 is then infinite.
    refinable : the difference of the two grids makes the enclosure wider than wanted.
    """

    enclosure: Enclosure
    holes: bool
    refinable: bool


def _measured(name: str, target: Side, law: LineLaw, forward: bool) -> Measured:
    stretch = (
        _stretch(float(target.mixture.variances.max()), law.problem.tail_variance) if name == "chi2" else 1.0
    )
    charts = law.charts(target.around(stretch if forward else 1.0))
    if not charts:
        return Measured(_trivial(name), False, False)
    if name == "chi2" and not forward and isinstance(charts[0], FoldedChart):  # p^2/q at inverse square roots
        return Measured(Enclosure.exact(inf, "chi2 diverges where the map turns"), False, False)
    return _evaluate(name, target, charts, law.noise, forward)


def _stretch(over: float, under: float) -> float:
    """How much farther int P^2/R reaches than P, for tails of these variances; 2 where unknown."""
    rate = 2.0 - over / under
    return 2.0 if isnan(rate) else max(1.0, 1.0 / sqrt(max(rate, 1e-3)))


def _evaluate(name: str, target: Side, charts: tuple[Chart, ...], noise: float, forward: bool) -> Measured:
    integrands = [Integrand(name, target, chart, forward) for chart in charts]
    best = integrands[0]
    edges = charts[0].edges
    if name == "TV":
        edges = np.unique(np.concatenate([edges, _sign_changes(target, charts[0], edges)]))
    scale = target.mixture.spread if name == "W2" else 1.0
    value, quadrature, leaves = integrate(best, edges, noise * scale, name == "TV")
    holes = best.holes or not isfinite(value)
    if not isfinite(value):
        return Measured(_trivial(name), True, False)
    ends = best.ends(leaves)
    try:
        check_range(*ends, value)
    except RangeTooSmall:
        holes = True
    gap = max((abs(_on(f, leaves) - value) for f in integrands[1:]), default=0.0)
    error = 10.0 * (gap + sum(ends)) + quadrature + _rounding(name, value, noise, target.mixture.spread)
    low, high = max(value - error, 0.0), inf if holes and name in ("KL", "chi2") else value + error
    found = Enclosure.between(low, high, METHOD)
    wanted = (2.0 * GOOD if name in ("W2", "Hellinger") else GOOD) * value
    refinable = 10.0 * gap > max(0.5 * wanted, GOOD_TV if name == "TV" else 0.0)
    if name in ("W2", "Hellinger"):
        found = found.sqrt()
    if name in ("TV", "Hellinger"):
        found = found.minimum(1.0)
    return Measured(found.labelled(METHOD), holes, refinable)


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
        y, log_slope, logp = self.chart.nodes(t)
        if self.name == "W2":
            with np.errstate(under="ignore"):
                density = np.exp(logp + log_slope)
            move = self.target.quantile(*self.chart.tails(t, y), y) - y
            return np.where(density > 0, density * move * move, 0.0)
        logq = self.target.logpdf(y)
        missing = np.isneginf(logp)
        if bool(np.any(missing)):
            self.holes = self.holes or bool(np.any(missing & (logq > -45.0)))
            logp = np.where(missing, LOG_SMALLEST, logp)
        over, under = (logq, logp) if self.forward else (logp, logq)
        with np.errstate(under="ignore", over="ignore"):
            values = _ratio_term(self.name, over + log_slope, under + log_slope)
        return np.where(self._known(t), values, 0.0) if self.name == "chi2" else values

    def _known(self, t: Array) -> NDArray[np.bool_]:
        zones = self.chart.zones
        if zones is None:
            return np.ones(t.size, dtype=np.bool_)
        at = np.clip(np.searchsorted(zones[:, 0], t, side="right") - 1, 0, zones.shape[0] - 1)
        return np.asarray((t >= zones[at, 0]) & (t <= zones[at, 1]))

    def ends(self, leaves: tuple[Array, Array]) -> tuple[float, float]:
        """What the integral may miss beyond its first and last nodes: the integrand there times a sixteenth
        of the range; for chi2 in each zone where the tails of the law are accurate.
        """
        left, right = leaves
        zones = self.chart.zones if self.name == "chi2" else None
        if zones is None:
            first, last = np.array([0]), np.array([left.size - 1])
        else:
            first = np.clip(np.searchsorted(left, zones[:, 0]), 0, left.size - 1)
            last = np.clip(np.searchsorted(right, zones[:, 1], side="right") - 1, 0, left.size - 1)
        length = (right[last] - left[first]) / 16.0
        return self._mean(left[first], right[first], length), self._mean(left[last], right[last], length)

    def _mean(self, left: Array, right: Array, length: Array) -> float:
        return float((_panels(self, left, right) / (right - left) * length).sum())


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


def _excess(x: Array) -> Array:
    """e^x - 1 - x for |x| <= 1."""
    total = np.full_like(x, 1.0 / 19.0)
    for n in range(18, 2, -1):
        total = (1.0 + total * x) / n
    return 0.5 * x * x * (1.0 + total * x)


def _sign_changes(target: Side, chart: Chart, edges: Array) -> Array:
    """Where the two densities cross, to within rounding."""

    def log_ratio(t: Array) -> Array:
        y, _, logp = chart.nodes(t)
        return np.asarray(np.maximum(logp, LOG_SMALLEST) - target.logpdf(y))

    t = np.unique(_points(edges[:-1], edges[1:]).ravel())
    value = log_ratio(t)
    at = np.flatnonzero(value[1:] * value[:-1] < 0)
    lo, hi, low, high = t[at], t[at + 1], value[at], value[at + 1]
    for _ in range(8):  # Illinois
        if lo.size == 0:
            break
        middle = hi - high * (hi - lo) / (high - low)
        middle = np.where((middle > lo) & (middle < hi), middle, 0.5 * (lo + hi))
        found = log_ratio(middle)
        right = found * low < 0
        low, high = np.where(right, 0.5 * low, found), np.where(right, found, 0.5 * high)
        lo, hi = np.where(right, lo, middle), np.where(right, middle, hi)
        low, high = (
            np.where(low == 0, -np.sign(high) * 1e-300, low),
            np.where(high == 0, -np.sign(low) * 1e-300, high),
        )
    return np.asarray(0.5 * (lo + hi))


# -- quadrature
# ------------------------------------------------------------------------------------------------------------


def _points(left: Array, right: Array) -> Array:
    half = 0.5 * (right - left)
    return left[:, None] + half[:, None] * (1.0 + GAUSS_X)


def _panels(f: Function, left: Array, right: Array) -> Array:
    t = _points(left, right)
    return np.asarray((f(t.ravel()).reshape(t.shape) @ GAUSS_W) * (0.5 * (right - left)))


def integrate(
    f: Function, edges: Array, noise: float, linear: bool = False
) -> tuple[float, float, tuple[Array, Array]]:
    """Integral of a nonnegative function: (value, disagreement with halved panels, the panels).

    noise : rounding error of the square root of the integrand against a law of mass 1 (of the integrand
            itself when linear); panels are not halved below it.
    """
    left, right = edges[:-1], edges[1:]
    coarse = _panels(f, left, right)
    done, error, count = 0.0, 0.0, 0
    leaves: list[tuple[Array, Array]] = []
    for level in range(MAX_LEVEL):
        middle = 0.5 * (left + right)
        ends = np.concatenate([left, middle]), np.concatenate([middle, right])
        halves = _panels(f, *ends)
        n = left.size
        fine = halves[:n] + halves[n:]
        gap = np.abs(fine - coarse)
        total = done + float(fine.sum())
        good = (
            gap
            <= PANEL_RTOL * total + NOISE_SHARE * noise * (1.0 if linear else np.sqrt(np.abs(fine))) + 1e-300
        )
        count += n
        if level == MAX_LEVEL - 1 or count > MAX_PANELS or not isfinite(total):
            good[:] = True
        done += float(fine[good].sum())
        error += float(gap[good].sum())
        keep = np.concatenate([good, good])
        leaves.append((ends[0][keep], ends[1][keep]))
        left, right, coarse = ends[0][~keep], ends[1][~keep], halves[~keep]
        if left.size == 0:
            break
    lefts, rights = (np.concatenate(parts) for parts in zip(*leaves, strict=True))
    order = np.argsort(lefts, kind="stable")
    return done, error, (lefts[order], rights[order])


def _on(f: Function, leaves: tuple[Array, Array]) -> float:
    return float(_panels(f, *leaves).sum())
