"""How the ratio grows as the box of parameters is extended, and along which ray.

The ladder of suprema says whether a hidden constant settles; where it does not, each parameter of the worst
case is taken back decade by decade to find the one that drives the growth, and a law is fitted to the exact
ratios along that ray.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from properties.assess import assess
from properties.population import Population
from properties.search import Rung, consistent
from properties.space import Gene, Space

__all__ = ["FLAT", "Growth", "growth_of", "slope"]

Array = NDArray[np.float64]

FLAT = 1.03
"""A supremum that rises by less than this factor over the last rung of the ladder is flat."""

REACH: dict[str, tuple[float, float]] = {
    "eigenvalues": (1e-12, 1e12),
    "start_variances": (1e-12, 1e12),
    "means": (1e-9, 1e10),
    "start_means": (1e-9, 1e10),
    "shift": (1e-9, 1e8),
    "linear": (1e-9, 1e3),
    "multiplicities": (1.0, 1e15),
    "T": (1e-6, 300.0),
    "N": (1.0, 2e4),
    "delta": (1e-14, 10.0),
}
"""How far a ray goes, in the units of the column: well beyond the boxes of the search."""


@dataclass(frozen=True)
class Growth:
    """The growth of lhs/rhs.

    heights  : suprema seen in boxes that grow by a decade a rung.
    ray      : the parameter that drives the growth, or "".
    law      : "flat", "power", "log", "exponential", or "infinite" where the right side vanishes.
    exponent : of the law, with ``interval`` (two standard errors of the fit).
    points   : (parameter, ratio) along the ray.
    """

    heights: tuple[float, ...]
    ray: str = ""
    law: str = "flat"
    exponent: float = 0.0
    interval: tuple[float, float] = (0.0, 0.0)
    points: tuple[tuple[float, float], ...] = field(default=())
    unbounded: bool = False
    settled: bool = True

    def describe(self) -> str:
        """The law in words."""
        low, high = self.interval
        spread = f"{self.exponent:.3g}, between {low:.3g} and {high:.3g}"
        return {
            "power": f"like a power {spread}",
            "log": f"like a power of the logarithm, {spread}",
            "exponential": f"exponentially at rate {spread}",
        }.get(self.law, "flat")


def growth_of(space: Space, worst: Population, rungs: Sequence[Rung], *, polylog: bool) -> Growth:
    """The growth law at the worst case.

    polylog : whether growth like a power of the logarithm is allowed by the claim.
    """
    tops = tuple(float(rung.height) for rung in rungs)
    rays = [ray for gene in space.genes for ray in _rays(space, worst, gene, tops, polylog)]
    if rays:
        return max(rays, key=_extent)
    joint = None if polylog else _jointly(space, rungs, tops)
    return joint or Growth(tops, settled=_flat(tops) or _slowing(tops))


def _jointly(space: Space, rungs: Sequence[Rung], tops: tuple[float, ...]) -> Growth | None:
    """Growth from rung to rung that does not tire, where several parameters drive it together."""
    if len(tops) < 4 or not all(np.isfinite(h) and h > 0 for h in tops):
        return None
    gains = np.diff(np.log(np.array(tops)))[-3:]
    if gains.min() < np.log(2.0) or gains[-1] < 0.7 * gains.max():
        return None
    names = [name for gene in space.genes if (name := _carried(gene, rungs))]
    decades = np.arange(1.0, len(tops) + 1.0)
    exponent, error = slope(decades * np.log(10.0), np.log(np.array(tops)))
    points = tuple((float(10.0**j), height) for j, height in zip(decades, tops, strict=True))
    ray = f"{', '.join(names)} together" if names else "the whole box together"
    return Growth(
        tops, ray, "power", exponent, (exponent - 2 * error, exponent + 2 * error), points, True, False
    )


def _carried(gene: Gene, rungs: Sequence[Rung]) -> str:
    """The gene with its direction, if it moved the same way by a factor of ten over the last rungs."""
    values = np.array([abs(float(gene.get(rung.row)[0])) for rung in rungs[-4:]])
    if values.min() <= 0:
        return ""
    turns = np.diff(np.log(values))
    if np.all(turns >= 0) and values[-1] > 10 * values[0]:
        return f"{gene.name} -> oo"
    if np.all(turns <= 0) and values[-1] < 0.1 * values[0]:
        return f"{gene.name} -> 0"
    return ""


def _flat(heights: tuple[float, ...]) -> bool:
    return len(heights) < 2 or heights[-1] <= FLAT * max(heights[:-1])


def _slowing(heights: tuple[float, ...]) -> bool:
    """Whether the supremum rises ever less, and by less than a fifth in the last rung."""
    if not all(np.isfinite(h) and h > 0 for h in heights):
        return False
    steps = np.diff(np.log(np.array(heights)))
    return bool(steps[-1] <= np.log(1.2) and steps[-1] <= max(steps[:-1], default=np.inf))


def _extent(growth: Growth) -> float:
    ratios = [ratio for _, ratio in growth.points]
    return float(np.log(max(ratios) / min(ratios)))


def _rays(
    space: Space, worst: Population, gene: Gene, heights: tuple[float, ...], polylog: bool
) -> list[Growth]:
    """The growth along one gene towards infinity and towards zero, where there is one: a ray whose end stays
    below the supremum seen elsewhere says nothing.
    """
    value = float(np.abs(gene.get(worst)[0]))
    if value == 0.0 or gene.column in space.parameters:
        return []
    x, y = _ratios(space, worst, gene, value)
    found = []
    for outward in (1,) if gene.integer else (1, -1):
        a, b = _rising(x[::outward], y[::outward])
        if _reaches(gene, a, outward) and _lasting(gene, a, b) and b[-1] > max(heights, default=0.0):
            found.append(_fitted(gene, a, b, outward, heights, polylog))
    return found


def _ratios(space: Space, worst: Population, gene: Gene, value: float) -> tuple[Array, Array]:
    """The ratio along the gene, far beyond the box of the search on both sides, sorted by the parameter."""
    low, high = REACH.get(gene.column, (value, value))
    low, high = min(low, value), max(high, value)
    grid = np.unique(np.concatenate([np.geomspace(low, high, 49), [value]]))
    if gene.integer:
        grid = np.unique(np.maximum(np.rint(grid), 1.0))
    free = replace(gene, low=0.0, high=np.inf)
    many = worst.take(np.zeros(len(grid), dtype=np.int64))
    result = assess(space.claim, consistent(space, free.put(many, grid * np.sign(free.get(many)))))
    x, y = np.abs(free.get(result.population)), result.score
    x, first = np.unique(np.where(np.isfinite(y) & (y > 0), x, 0.0), return_index=True)
    return x[x > 0], y[first][x > 0]


def _rising(x: Array, y: Array) -> tuple[Array, Array]:
    """The last stretch of the ray on which the ratio rises to the very end."""
    falls = np.flatnonzero(np.diff(y) <= 1e-6 * y[:-1])
    start = int(falls[-1]) + 1 if len(falls) else 0
    return x[start:], y[start:]


def _reaches(gene: Gene, x: Array, outward: int) -> bool:
    """Whether the ray goes as far as it may: one that an assumption ends says nothing about infinity."""
    low, high = REACH.get(gene.column, (0.0, np.inf))
    return len(x) > 0 and bool(x[-1] > 0.4 * high if outward > 0 else x[-1] < 2.5 * low)


def _lasting(gene: Gene, x: Array, y: Array) -> bool:
    """Two decades of growth (one of the horizon) by a factor of four that does not tire towards the end."""
    if len(x) < 6 or y[-1] < 4.0 * y[0]:
        return False
    decades = abs(float(np.log10(x[-1] / x[0])))
    if decades < (1.0 if gene.column == "T" else 2.0):
        return False
    slopes = np.abs(np.diff(np.log(y)) / np.diff(np.log(x)))
    return bool(slopes[-3:].mean() > 0.5 * slopes.max() or slopes[-3:].mean() > 0.25)


def _fitted(
    gene: Gene, x: Array, y: Array, outward: int, heights: tuple[float, ...], polylog: bool
) -> Growth:
    name = f"{gene.name} -> {'oo' if outward > 0 else '0'}"
    half = slice(len(x) // 2, None)
    exponent, error = slope(np.log(x[half]), np.log(y[half]))
    law = "power"
    if gene.column == "T" and abs(exponent) > 4.0:
        exponent, error = slope(x[half], np.log(y[half]))
        law = "exponential"
    elif abs(exponent) < 0.12 or (polylog and _bends(x, y)):
        exponent, error = slope(np.log(np.abs(np.log(x[half])) + 1.0), np.log(y[half]))
        law = "log"
    points = tuple(sorted((float(a), float(b)) for a, b in zip(x, y, strict=True)))
    unbounded = not (polylog and law == "log")
    interval = (exponent - 2 * error, exponent + 2 * error)
    return Growth(heights, name, law, exponent, interval, points, unbounded, settled=not unbounded)


def _bends(x: Array, y: Array) -> bool:
    """Whether the local exponent falls towards the end of the ray, as that of a logarithm does."""
    slopes = np.abs(np.diff(np.log(y)) / np.diff(np.log(x)))
    return bool(slopes[-3:].mean() < 0.7 * slopes[:3].mean())


def slope(x: Array, y: Array) -> tuple[float, float]:
    """Least-squares slope of y against x, and its standard error."""
    centred = x - x.mean()
    spread = float(centred @ centred)
    slope = float(centred @ y) / spread
    rest = y - y.mean() - slope * centred
    error = float(np.sqrt(rest @ rest / max(1, len(x) - 2) / spread))
    return slope, error
