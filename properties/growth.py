"""How the ratio grows as the box of parameters is extended, and along which ray.

The ladder of suprema says whether a hidden constant settles; where it does not, each parameter of the worst
case is taken back decade by decade to find the one that drives the growth, and a law is fitted to the exact
ratios along that ray.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from properties.population import Population
from properties.search import scale_along
from properties.space import Gene, Space

__all__ = ["Growth", "growth_of"]

Array = NDArray[np.float64]

FLAT = 1.03
"""A supremum that rises by less than this factor over the last rung of the ladder is flat."""


@dataclass(frozen=True)
class Growth:
    """The growth of lhs/rhs.

    heights  : suprema seen in boxes that grow by a decade a rung.
    ray      : the parameter that drives the growth, or "".
    law      : "flat", "power", "log" or "exponential".
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


def growth_of(space: Space, worst: Population, heights: list[float], *, polylog: bool) -> Growth:
    """The growth law at the worst case.

    polylog : whether growth like a power of the logarithm is allowed by the claim.
    """
    tops = tuple(float(h) for h in heights)
    if _flat(tops):
        return Growth(tops)
    rays = [_along(space, worst, gene, tops, polylog) for gene in space.genes]
    long = [ray for ray in rays if ray is not None and _long(ray)]
    if long and _rising(tops):
        return max(long, key=_extent)
    return Growth(tops, settled=_slowing(tops))


def _flat(heights: tuple[float, ...]) -> bool:
    finite = [h for h in heights if np.isfinite(h) and h > 0]
    if len(finite) < len(heights):
        return not any(np.isinf(h) and h > 0 for h in heights)
    return len(finite) < 2 or finite[-1] <= FLAT * max(finite[:-1])


def _rising(heights: tuple[float, ...]) -> bool:
    """Whether the supremum still rises by a fifth in the last rung."""
    return bool(np.isinf(heights[-1])) or heights[-1] > 1.2 * heights[-2]


def _slowing(heights: tuple[float, ...]) -> bool:
    """Whether the supremum rises ever less, and by less than a fifth in the last rung."""
    steps = np.diff(np.log(np.array(heights)))
    return not _rising(heights) and bool(steps[-1] <= max(steps[:-1], default=np.inf))


def _long(growth: Growth) -> bool:
    """Four decades of the parameter, or of the ratio."""
    x, y = np.array(growth.points).T
    decades = abs(np.log10(x[-1] / x[0]))
    return bool(decades >= 4.0 - 1e-9 or np.log10(y.max() / y.min()) >= 4.0)


def _extent(growth: Growth) -> float:
    ratios = [ratio for _, ratio in growth.points]
    return float(np.log(max(ratios) / min(ratios)))


def _along(
    space: Space, worst: Population, gene: Gene, heights: tuple[float, ...], polylog: bool
) -> Growth | None:
    value = float(np.abs(gene.get(worst)[0]))
    if value == 0.0 or (gene.integer and value < 2):
        return None
    for direction in (-1.0, 1.0):
        x, y = _ray(space, worst, gene, direction)
        if len(x) >= 5 and np.log(y[0] / y[-1]) > np.log(4.0):
            return _fitted(gene, x, y, direction, heights, polylog)
    return None


def _ray(space: Space, worst: Population, gene: Gene, direction: float) -> tuple[Array, Array]:
    """Parameter values and ratios from the worst case back along the gene, as long as the ratio falls."""
    factors = (
        10.0 ** (direction * np.linspace(0.0, 5.0, 21)) if gene.column != "T" else np.linspace(1.0, 0.15, 18)
    )
    result = scale_along(space, worst, gene, factors)
    if not len(result):
        return np.empty(0), np.empty(0)
    x, y = np.abs(gene.get(result.population)), result.score
    good = np.isfinite(y) & (y > 0)
    x, y = x[good], y[good]
    falls = np.flatnonzero(np.diff(y) > -1e-9 * y[:-1])
    end = int(falls[0]) + 1 if len(falls) else len(y)
    return x[:end], y[:end]


def _fitted(
    gene: Gene, x: Array, y: Array, direction: float, heights: tuple[float, ...], polylog: bool
) -> Growth:
    name = f"{gene.name} -> {'oo' if direction < 0 else '0'}"
    if gene.column == "T":
        exponent, error = _slope(x, np.log(y))
        law = "exponential"
    else:
        half = max(4, len(x) // 2)
        exponent, error = _slope(np.log(x[:half]), np.log(y[:half]))
        law = "power"
        if abs(exponent) < 0.12 or (polylog and _bends(x, y)):
            exponent, error = _slope(np.log(np.abs(np.log(x[:half])) + 1.0), np.log(y[:half]))
            law = "log"
    points = tuple(sorted((float(a), float(b)) for a, b in zip(x, y, strict=True)))
    unbounded = not (polylog and law == "log")
    return Growth(
        heights,
        name,
        law,
        exponent,
        (exponent - 2 * error, exponent + 2 * error),
        points,
        unbounded,
        settled=not unbounded,
    )


def _bends(x: Array, y: Array) -> bool:
    """Whether the local exponent falls along the ray, as that of a logarithm does."""
    slopes = np.abs(np.diff(np.log(y)) / np.diff(np.log(x)))
    return bool(slopes[:3].mean() < 0.7 * slopes[-3:].mean())


def _slope(x: Array, y: Array) -> tuple[float, float]:
    centred = x - x.mean()
    spread = float(centred @ centred)
    slope = float(centred @ y) / spread
    rest = y - y.mean() - slope * centred
    error = float(np.sqrt(rest @ rest / max(1, len(x) - 2) / spread))
    return slope, error
