"""Distances on the plane between a Gaussian mixture and the output law of a sampler, or between two mixtures.

With l = log p/q and sums over a square grid, exponentially accurate where the integrand is analytic:

    KL(q||p) = int q (e^l - 1 - l),    KL(p||q) = int p (e^{-l} - 1 + l),    Hellinger^2 = int q (e^{l/2} -
    1)^2/2,    TV = int |p - q|/2.

All integrands are nonnegative and small together with the distance. |p - q| has kinks: along each line its
integral is corrected at the sign changes, the lines are `LINES` times closer than the points on them, and
both directions are taken. The error bound is ten times the difference of the two grids of the law, ten times
that of two spacings (for TV of the two directions as well), plus rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf, sqrt
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulators.enclosure import Enclosure
from simulators.errors import InputError, NotDefined
from simulators.plane.kernels import FLOOR, compare, log_grid, zoom
from simulators.plane.mixture import PlaneMixture
from simulators.plane.propagate import Comb

__all__ = ["NAMES", "CombSurface", "MixtureSurface", "Surface", "frame", "plane_distance"]

Array = NDArray[np.float64]

NAMES = ("KL", "TV", "Hellinger")
METHOD = "law on the plane, two grids"
DEPTH = 42.0  # log density down to which q is integrated
FIRST = 0.24  # first spacing, in units of the smallest detail
FINER = 1.5
LEVELS = 6
NODES = 6_000_000
LINES = 8
GOOD = 1e-7  # relative quadrature error at which a grid is fine enough
MASS = 1e-6
HOLES = 1e-10  # share of KL(q||p) that may come from tails of p that are not accurate
STRIDE = 0.17  # spacing at which a comb is summed, in its standard deviations; between, log p is interpolated


class Surface(Protocol):
    """A density on the plane."""

    @property
    def detail(self) -> float:
        """Length below which the density has no detail."""

    @property
    def trust(self) -> float:
        """Minus the log density above which the density is accurate."""

    @property
    def box(self) -> Array:
        """Rows (left, right) of a rectangle that carries the law."""

    def log_density(self, left: Array, dx: float, shape: tuple[int, int]) -> Array:
        """Log density on the grid left + dx (i, j), at least `FLOOR`."""


@dataclass(frozen=True, eq=False)
class MixtureSurface:
    """A mixture with a density."""

    mixture: PlaneMixture

    @property
    def detail(self) -> float:
        """See `Surface`."""
        return self.mixture.narrowest

    @property
    def trust(self) -> float:
        """See `Surface`."""
        return inf

    @property
    def box(self) -> Array:
        """See `Surface`."""
        return self.mixture.box(DEPTH)

    def log_density(self, left: Array, dx: float, shape: tuple[int, int]) -> Array:
        """See `Surface`."""
        out = np.empty(shape)
        log_grid(self.mixture.rows, float(left[0]), float(left[1]), dx, out)
        return out


@dataclass(frozen=True, eq=False)
class CombSurface:
    """The output of a sampler with noise; sums against other laws are kept."""

    comb: Comb
    sums: dict[tuple[int, float], Array] = field(default_factory=dict, repr=False)

    @property
    def detail(self) -> float:
        """See `Surface`."""
        return self.comb.smooth

    @property
    def trust(self) -> float:
        """See `Surface`."""
        return self.comb.depth

    @property
    def box(self) -> Array:
        """See `Surface`."""
        return self.comb.box

    def log_density(self, left: Array, dx: float, shape: tuple[int, int]) -> Array:
        """See `Surface`."""
        factor = max(1, int(STRIDE * self.comb.sd / dx))
        fewer = tuple(-(-(n - 1) // factor) + 1 for n in shape)
        density = self.comb.density((float(left[0]), float(left[1])), dx * factor, (fewer[0], fewer[1]))
        with np.errstate(divide="ignore"):
            values = np.maximum(np.log(density), FLOOR)
        if factor > 1:
            values = zoom(zoom(values, factor).T.copy(), factor).T.copy()
        return np.ascontiguousarray(values[: shape[0], : shape[1]])


def plane_distance(
    name: str, q: PlaneMixture, laws: tuple[Surface, ...], order: str, noise: float
) -> Enclosure:
    """A distance between the mixture q and a law p; a scalar enclosure, nats.

    laws  : the law on its best grid, then (where there is one) on the coarser one beside it.
    order : "target,output" for D(q||p), "output,target" for D(p||q).

    KL(q||p) has no upper end where too much of it comes from tails in which p is not accurate.
    noise : relative rounding error of the densities.
    """
    if name in ("W2", "chi2"):
        why = "its transport map has no closed form" if name == "W2" else "its tails reach beyond the grid"
        raise NotDefined(f"{name} between laws on a plane: {why}; measured are {', '.join(NAMES)}")
    if name not in NAMES:
        raise InputError("name", name, f"expected one of {', '.join(NAMES)}")
    if not q.narrowest > 0:
        return _against_atoms(name, q, order)
    best, others = laws[0], laws[1:]
    dx = FIRST * min(q.narrowest, best.detail)
    previous = _sums(name, q, best, dx)
    found = _trivial(name)
    for _ in range(LEVELS):
        dx /= FINER
        if _nodes(q, best, dx) > NODES:
            break
        now = _sums(name, q, best, dx)
        found, rough = _enclosed(name, order, now, previous, noise)
        if not rough:
            law = max((_gap(name, order, now, _sums(name, q, p, dx)) for p in others), default=0.0)
            return _final(name, _widened(found, 10.0 * law))
        previous = now
    law = max((_gap(name, order, previous, _sums(name, q, p, dx * FINER)) for p in others), default=0.0)
    return _final(name, _widened(found, 10.0 * law))


def _trivial(name: str) -> Enclosure:
    return Enclosure.between(0.0, 1.0 if name in ("TV", "Hellinger") else inf, "not resolved: trivial bounds")


def _against_atoms(name: str, q: PlaneMixture, order: str) -> Enclosure:
    """A law with a density against atoms."""
    if bool(np.any(q.variances > 0)):
        raise NotDefined(f"{name} against a law that is singular in part: expected atoms or a density")
    if name == "KL":
        return Enclosure.exact(inf, "not absolutely continuous")
    return Enclosure.exact(1.0, "mutually singular")


def frame(q: PlaneMixture, law: Surface, dx: float) -> tuple[Array, tuple[int, int]]:
    """The corner and the shape of a grid of this spacing that carries both laws."""
    boxes = np.stack([q.box(DEPTH), law.box])
    left, right = boxes[..., 0].min(axis=0), boxes[..., 1].max(axis=0)
    counts = np.ceil((right - left) / dx) + 1.0
    return left, (int(counts[0]), int(counts[1]))


def _nodes(q: PlaneMixture, law: Surface, dx: float) -> float:
    shape = frame(q, law, dx)[1]
    return float(shape[0]) * float(shape[1])


def _sums(name: str, q: PlaneMixture, law: Surface, dx: float) -> Array:
    """The sums of `simulators.plane.kernels.COMPARED`, and TV along the other axis."""
    if isinstance(law, CombSurface) and name != "TV":
        key = (id(q), dx)
        if key not in law.sums:
            law.sums[key] = _fresh_sums(name, q, law, dx)
        return law.sums[key]
    return _fresh_sums(name, q, law, dx)


def _fresh_sums(name: str, q: PlaneMixture, law: Surface, dx: float) -> Array:
    left, shape = frame(q, law, dx)
    values = law.log_density(left, dx, shape)
    sums = compare(values, q.rows, float(left[0]), float(left[1]), dx, dx, law.trust)
    if name != "TV":
        return np.append(sums, sums[3])
    for turned in (False, True):
        table = q.rows[:, [1, 0, 4, 3, 2, 5]] if turned else q.rows
        corner = left[::-1] if turned else left
        mine = values.T if turned else values
        close = np.ascontiguousarray(zoom(np.ascontiguousarray(mine.T), LINES).T)
        along = compare(close, np.ascontiguousarray(table), corner[0], corner[1], dx / LINES, dx, law.trust)[
            3
        ]
        sums = np.append(sums, along) if turned else np.append(sums[:3], [along, *sums[4:]])
    return sums


def _value(name: str, order: str, sums: Array) -> float:
    if name == "TV":
        return float(0.5 * (sums[3] + sums[7]))
    if name == "Hellinger":
        return float(sums[2])
    return float(sums[0] + sums[6]) if order == "target,output" else float(sums[1])


def _gap(name: str, order: str, first: Array, second: Array) -> float:
    return abs(_value(name, order, first) - _value(name, order, second))


def _enclosed(name: str, order: str, now: Array, before: Array, noise: float) -> tuple[Enclosure, bool]:
    """The enclosure from two spacings, and whether the quadrature is still too rough."""
    value = _value(name, order, now)
    if not (abs(now[4] - 1.0) <= MASS and abs(now[5] - 1.0) <= 1e-9):
        return _trivial(name), True
    gap = _gap(name, order, now, before)
    rounding = noise * (1.0 if name == "TV" else sqrt(2.0 * value) + noise)
    if name == "TV":
        gap = max(gap, abs(float(now[3] - now[7])))
    error = 10.0 * gap + rounding
    low, high = value - error, value + error
    if (name, order) == ("KL", "target,output") and now[6] > HOLES * value:
        low, high = low - float(now[6]), inf
    wanted = 1e-4 if name == "TV" else GOOD
    rough = 10.0 * gap > wanted * value + rounding
    return Enclosure.between(max(low, 0.0), high, METHOD), rough


def _widened(found: Enclosure, by: float) -> Enclosure:
    return Enclosure.between(max(float(found.lo) - by, 0.0), float(found.hi) + by, found.method)


def _final(name: str, found: Enclosure) -> Enclosure:
    if name == "Hellinger":
        found = found.sqrt()
    return found if name == "KL" else found.minimum(1.0).labelled(found.method)
