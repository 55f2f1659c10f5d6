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

from properties.assess import Assessment, assess
from properties.population import Population
from properties.search import Rung, consistent
from properties.space import Gene, Space

__all__ = ["FLAT", "TIRING", "Growth", "beyond", "endless", "growth_of", "slope", "tireless"]

Array = NDArray[np.float64]

FLAT = 1.03
"""A supremum that rises by less than this factor over the last rung of the ladder is flat."""

TIRING = 0.7
"""A supremum whose rise shrinks by this factor from rung to rung levels off: the rises to come sum to less
than two and a half times the last one (a rise like 1/k from decade to decade shrinks by less).
"""

TIRED = 0.4
"""The same from the first half of the rungs to the second; like 1/k it would be about one half."""

SHARES = (0.1, 0.25, 0.5, 1.0)
"""Of the decades between the edge of the box and the end of a reach."""

MOST_STEPS = 2000.0
"""Of a case that may have to be confirmed in ball arithmetic."""

SLOWEST = 0.01
"""Powers of a parameter below this are not told from a constant."""

DIRECTIONS = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
"""Powers of the leading parameter with which another one may move along."""

REACH: dict[str, tuple[float, float]] = {
    "eigenvalues": (1e-12, 1e12),
    "start_variances": (1e-12, 1e12),
    "means": (1e-9, 1e10),
    "start_means": (1e-9, 1e10),
    "shift": (1e-9, 1e8),
    "linear": (1e-9, 1e3),
    "multiplicities": (1.0, 1e15),
    "T": (1e-9, 300.0),
    "N": (1.0, 2e4),
    "delta": (1e-14, 10.0),
}
"""How far a ray goes, in the units of the column: well beyond the boxes of the search."""


SYMBOLS = {"eigenvalues": "v", "multiplicities": "d", "T": "T", "N": "N", "delta": "delta"}
"""The symbols whose stated ranges bind a column: a claim says nothing beyond them."""


def _reach(space: Space, gene: Gene) -> tuple[float, float]:
    """How far a ray along the gene may go."""
    low, high = REACH.get(gene.column, (np.inf, 0.0))
    least, most = space.claim.setup.ranges.get(SYMBOLS.get(gene.column, ""), (0.0, np.inf))
    return max(low, least), min(high, most)


Edge = tuple[Gene, float, float]
"""A gene, where the worst case has it, and the end of its reach."""

Followers = dict[Gene, float]
"""Genes that move along with a leading one, by these powers of it."""


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

    @property
    def to_come(self) -> float:
        """The factor by which a supremum that levels off may still rise; 1 where it has stopped."""
        if len(self.heights) < 2 or _flat(self.heights):
            return 1.0
        last = float(np.log(self.heights[-1] / self.heights[-2]))
        return float(np.exp(last * TIRING / (1.0 - TIRING)))

    def describe(self) -> str:
        """The law in words."""
        low, high = self.interval
        ends = f"{low:.3g}", f"{high:.3g}"
        between = ", between {} and {}".format(*ends) if ends[0] != ends[1] else ""
        spread = f"{self.exponent:.3g}{between}"
        return {
            "power": f"like a power {spread}",
            "log": f"like a power of the logarithm, {spread}",
            "exponential": f"exponentially at rate {spread}",
        }.get(self.law, "flat")


@dataclass
class Summit:
    """The largest ratio seen on the rays, which leave the box of the search, and the row that attains it."""

    height: float = -np.inf
    row: Population | None = None

    def see(self, result: Assessment) -> None:
        """Look at assessed rows."""
        if len(result) and result.score.max() > self.height:
            top = int(np.argmax(result.score))
            self.height, self.row = float(result.score[top]), result.population.take([top])


def growth_of(
    space: Space, worst: Population, rungs: Sequence[Rung], *, polylog: bool
) -> tuple[Growth, Summit]:
    """The growth law at the worst case, and the largest ratio on the rays from there.

    polylog : whether growth like a power of the logarithm is allowed by the claim.
    """
    tops, summit = tuple(float(rung.height) for rung in rungs), Summit()
    rays = [ray for gene in space.genes for ray in _rays(space, worst, gene, tops, polylog, summit)]
    joint = _outward(space, worst, tops, polylog, summit)
    if rays:
        return max(rays, key=_extent), summit
    joint = joint or _alongside(space, worst, tops, polylog, summit)
    joint = joint or (None if polylog else _jointly(space, rungs, tops))
    near = summit.height <= 1.2 * max(tops, default=np.inf)  # far beyond the box it is hardly larger
    return joint or Growth(tops, settled=near and (_flat(tops) or _slowing(tops))), summit


def _outward(
    space: Space, worst: Population, tops: tuple[float, ...], polylog: bool, summit: Summit
) -> Growth | None:
    """The growth beyond the box where the worst case lies on its edges, all of which move out together."""
    edges = [edge for gene in space.genes for edge in _edge(space, worst, gene)]
    if not edges:
        return None
    share = np.linspace(0.0, 1.0, 33)
    population = worst.take(np.zeros(len(share), dtype=np.int64))
    for gene, at, end in edges:
        free = replace(gene, low=0.0, high=np.inf)
        values = at * (end / at) ** share
        signs = np.sign(free.get(population))
        population = free.put(population, (np.rint(values) if gene.integer else values) * signs)
    lead, _, end = max(edges, key=lambda edge: abs(np.log(edge[2] / edge[1])))
    result = assess(space.claim, consistent(space, population))
    summit.see(result)
    x, y = np.abs(replace(lead, low=0.0, high=np.inf).get(result.population)), result.score
    good = np.isfinite(y) & (y > 0)
    if not good.any() or abs(np.log(x[good][-1] / end)) > 1.0:
        return None
    x, y = _rising(x[good], y[good])
    names = ", ".join(f"{gene.name} -> {'oo' if far > near else '0'}" for gene, near, far in edges)
    ray = names + (" together" if len(edges) > 1 else "")
    if y[-1] <= max(tops, default=0.0):
        return None
    law = _law_of(lead, x, y, horizon=_grows(lead, x))
    return _fitted(ray, lead.column, x, y, tops, polylog, law=law) if law else None


def _alongside(
    space: Space, worst: Population, tops: tuple[float, ...], polylog: bool, summit: Summit
) -> Growth | None:
    """The growth beyond the box where a parameter on its edge leads and others follow it by powers of it: one
    or two, those that raise the ratio most.
    """
    for gene in space.genes:
        for edge in _edge(space, worst, gene):
            followers: Followers = {}
            for _ in range(2):
                best = _best_follower(space, worst, edge, followers)
                if best is None:
                    break
                followers = best
            found = _followed(space, worst, edge, followers, tops, polylog, summit) if followers else None
            if found is not None:
                return found
    return None


def _best_follower(space: Space, worst: Population, edge: Edge, followers: Followers) -> Followers | None:
    """The followers and one more, if that raises the ratio a decade beyond the edge."""
    lead, at, end = edge
    free = [
        gene
        for gene in space.genes
        if gene != lead and gene not in followers and gene.column not in space.parameters
    ]
    choices = [followers, *(followers | {gene: power} for gene in free for power in DIRECTIONS)]
    step = 10.0 if end > at else 0.1
    moved = _along(space, worst, lead, np.full(len(choices), step), choices)
    rows = {**moved.parameters, "row": np.arange(float(len(choices)))}
    result = assess(space.claim, moved.with_columns(parameters=rows))
    scores = np.full(len(choices), -np.inf)
    if len(result):
        scores[result.population.parameters["row"].astype(int)] = result.score
    top = int(np.argmax(scores))
    return choices[top] if scores[top] > max(10.0**SLOWEST * scores[0], 0.0) else None


def _along(
    space: Space, worst: Population, lead: Gene, steps: Array, choices: Sequence[Followers]
) -> Population:
    """The worst case with the leading gene moved by the factors, and its followers by powers of them."""
    population = worst.take(np.zeros(len(steps), dtype=np.int64))
    for gene in dict.fromkeys([lead, *(gene for choice in choices for gene in choice)]):
        powers = np.array([1.0 if gene == lead else choice.get(gene, 0.0) for choice in choices])
        free = replace(gene, low=0.0, high=np.inf)
        values = free.get(population)
        moved = np.clip(np.abs(values) * steps**powers, *_reach(space, gene)) * np.sign(values)
        moved = np.where(powers == 0.0, values, moved)
        population = free.put(population, np.rint(moved) if gene.integer else moved)
    return consistent(space, population)


def _followed(
    space: Space,
    worst: Population,
    edge: Edge,
    followers: Followers,
    tops: tuple[float, ...],
    polylog: bool,
    summit: Summit,
) -> Growth | None:
    """The growth on the ray from two decades inside the edge to where the reach of a parameter ends."""
    lead, at, end = edge
    turn = 1.0 if end > at else -1.0
    far = abs(np.log(end / at))
    for gene, power in followers.items():
        low, high = _reach(space, gene)
        size = float(np.abs(gene.get(worst)[0]))
        limit = high if power * turn > 0 else low
        far = min(far, abs(np.log(limit / size)) / abs(power) if size > 0 and limit > 0 else far)
    steps = np.exp(turn * np.linspace(-2.0 * np.log(10.0), far, 41))
    result = assess(space.claim, _along(space, worst, lead, steps, [followers] * len(steps)))
    summit.see(result)
    x, y = np.abs(lead.get(result.population)), result.score
    good = np.isfinite(y) & (y > 0)
    if not good.any() or abs(np.log(x[good][-1] / (at * steps[-1]))) > 0.5:
        return None
    x, y = _rising(x[good], y[good])
    enough = y[-1] > max(tops, default=0.0)
    law = _law_of(lead, x, y, horizon=_grows(lead, x)) if enough else ""
    if not law:
        return None
    directions = [(lead, turn), *((gene, power * turn) for gene, power in followers.items())]
    ray = ", ".join(f"{gene.name} -> {'oo' if way > 0 else '0'}" for gene, way in directions)
    return _fitted(f"{ray} together", lead.column, x, y, tops, polylog, law=law)


def beyond(space: Space, worst: Population) -> Assessment | None:
    """The worst case with what it has on the edge of the box carried on beyond it, one by one and together;
    None if all of it lies inside.
    """
    edges = [edge for gene in space.genes for edge in _edge(space, worst, gene)]
    parts = []
    for group in [[edge] for edge in edges] + ([edges] if len(edges) > 1 else []):
        population = worst.take(np.zeros(len(SHARES), dtype=np.int64))
        for gene, at, end in group:
            free = replace(gene, low=0.0, high=np.inf)
            values = at * (min(end, MOST_STEPS if gene.column == "N" else end) / at) ** np.array(SHARES)
            signs = np.sign(free.get(population))
            population = free.put(population, (np.rint(values) if gene.integer else values) * signs)
        parts.append(consistent(space, population))
    return assess(space.claim, Population.concatenate(parts)) if parts else None


def _edge(space: Space, worst: Population, gene: Gene) -> list[Edge]:
    """The gene, its value and the end of its reach, where the worst case has it on the edge of the box."""
    value = float(np.abs(gene.get(worst)[0]))
    low, high = _reach(space, gene)
    if gene.column in space.parameters or value == 0.0:
        return []
    if gene.low / 2 < value <= 2 * gene.low and low < value and not gene.integer:
        return [(gene, value, low)]
    return [(gene, value, high)] if gene.high / 2 <= value < high and np.isfinite(gene.high) else []


def tireless(heights: tuple[float, ...], share: float) -> bool:
    """Whether each of the last three rungs raises the supremum by two and the last by that share of the most
    in logarithms, or whether they rise ever faster, tenfold at last.
    """
    if len(heights) < 4 or not all(np.isfinite(h) and h > 0 for h in heights):
        return False
    gains = np.diff(np.log(np.array(heights)))[-3:]
    steady = gains.min() >= np.log(2.0) and gains[-1] >= share * gains.max()
    faster = gains[0] > 0.0 and bool(np.all(np.diff(gains) > 0)) and gains[-1] > np.log(10.0)
    return bool(steady or faster)


def _jointly(space: Space, rungs: Sequence[Rung], tops: tuple[float, ...]) -> Growth | None:
    """Growth from rung to rung that does not tire, where several parameters drive it together."""
    if not tireless(tops, 0.7):
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
    """Whether the supremum rises ever less, so that what is still to come stays below the last rise: from the
    last rung but one, or from the first half of the rungs to the second.
    """
    if len(heights) < 3 or not all(np.isfinite(h) and h > 0 for h in heights):
        return False
    rises = np.diff(np.log(np.array(heights)))
    half = len(rises) // 2
    tired = rises[-1] <= TIRING * rises[-2] or rises[-half:].sum() <= TIRED * rises[:half].sum()
    return bool(rises[-1] <= np.log(1.2) and tired)


def _extent(growth: Growth) -> float:
    ratios = [ratio for _, ratio in growth.points]
    return float(np.log(max(ratios) / min(ratios)))


def _rays(
    space: Space, worst: Population, gene: Gene, heights: tuple[float, ...], polylog: bool, summit: Summit
) -> list[Growth]:
    """The growth along one gene towards infinity and towards zero, where there is one: a ray whose end stays
    below the supremum seen elsewhere says nothing.
    """
    value = float(np.abs(gene.get(worst)[0]))
    if value == 0.0 or gene.column in space.parameters:
        return []
    x, y = _ratios(space, worst, gene, value, summit)
    found = []
    for outward in (1,) if gene.integer else (1, -1):
        a, b = _rising(x[::outward], y[::outward])
        name = f"{gene.name} -> {'oo' if outward > 0 else '0'}"
        if not _reaches(gene, a, outward) or b[-1] <= max(heights, default=0.0):
            continue
        law = _law_of(gene, a, b, horizon=_grows(gene, a))
        if law:
            found.append(_fitted(name, gene.column, a, b, heights, polylog, law=law))
    return found


def _grows(gene: Gene, x: Array) -> bool:
    """Whether the ray is one of a growing horizon, whose limits are reached exponentially fast."""
    return gene.column == "T" and bool(x[-1] > x[0])


def _law_of(gene: Gene, x: Array, y: Array, *, horizon: bool = False) -> str:
    """How a ratio that rises to the end of a ray goes on: "steady" (a power, however small), "power", "log",
    or "" where it may as well stop.
    """
    if untiring(np.abs(np.log(x / x[0])), np.log(y), span=1.5 if horizon else 3.0):
        return "steady"
    if _lasting(gene, x, y):
        return "power"
    return "log" if endless(x, y, horizon=horizon) or _logarithmic(x, y) else ""


def untiring(across: Array, up: Array, *, span: float, least: float = SLOWEST, kept: float = 0.9) -> bool:
    """Whether ``up`` rises at a slope that does not tend to zero: three windows at the end, of that many
    decades together or of half the way if that is more, whose slopes go on as a geometric sequence to no less
    than that part of the last one. On the way to a limit they go to zero; those of a logarithm to about one
    half.
    """
    length = float(across[-1] - across[0]) if len(across) > 5 else 0.0
    if length < 0.999 * span * np.log(10.0):
        return False
    ends = across[-1] - max(span * np.log(10.0), length / 2) * np.linspace(1.0, 0.0, 4)
    first, middle, last = np.diff(np.interp(ends, across, up)) / (ends[1] - ends[0])
    if last < least:
        return False
    early, late = first - middle, middle - last
    return bool(late <= 0.03 * middle or (early > late and last - late**2 / (early - late) >= kept * last))


def _logarithmic(x: Array, y: Array) -> bool:
    """Whether the ratio rises like a power of the logarithm of the parameter, over eight decades or more
    and from the fourth root of the last place on.
    """
    sizes = np.log(x) if x[-1] > x[0] else -np.log(x)
    late = sizes >= max(sizes[-1] / 4.2, 1.0)
    return abs(float(np.log10(x[-1] / x[0]))) >= 8.0 and untiring(
        np.log(sizes[late]), np.log(y[late]), span=float(np.log10(4.0)), least=0.2, kept=0.6
    )


def _ratios(space: Space, worst: Population, gene: Gene, value: float, summit: Summit) -> tuple[Array, Array]:
    """The ratio along the gene, far beyond the box of the search on both sides, sorted by the parameter."""
    low, high = _reach(space, gene)
    low, high = min(low, value), max(high, value)
    grid = np.unique(np.concatenate([np.geomspace(low, high, 49), [value]]))
    if gene.integer:
        grid = np.unique(np.maximum(np.rint(grid), 1.0))
    free = replace(gene, low=0.0, high=np.inf)
    many = worst.take(np.zeros(len(grid), dtype=np.int64))
    result = assess(space.claim, consistent(space, free.put(many, grid * np.sign(free.get(many)))))
    summit.see(result)
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


def endless(x: Array, y: Array, *, horizon: bool = False) -> bool:
    """Whether the ratio rises at least like a logarithm to the end: by no less a decade than before.

    Asked: a rise by half over the last four decades or more (a decade and a half of the horizon T, whose
    limits are reached exponentially fast), without falling increments. Those of x^-p towards a limit fall by
    10^-p a decade.
    """
    decades = np.abs(np.log10(x / x[-1]))
    enough = 1.5 if horizon else 4.0
    tail = decades <= max(enough, 0.5 * float(decades[0]))
    if decades[0] < enough or tail.sum() < 6 or y[-1] < 1.5 * y[tail][0]:
        return False
    rises = np.abs(np.diff(y[tail]) / np.diff(decades[tail]))
    third = max(1, len(rises) // 3)
    before = max(rises[:third].mean(), rises[third:-third].mean())  # a late turn towards a limit has passed
    return bool(rises[-third:].mean() >= 0.9 * before)


def _fitted(
    ray: str, column: str, x: Array, y: Array, heights: tuple[float, ...], polylog: bool, law: str = "power"
) -> Growth:
    half = slice(len(x) // 2, None)
    across, up = np.log(x[half]), np.log(y[half])
    logs = np.log(np.abs(across) + 1.0)
    exponent, error = slope(across, up)
    if column == "T" and abs(exponent) > 4.0:
        exponent, error = slope(x[half], up)
        law = "exponential"
    elif law == "steady" or (
        law == "log" and _misfit(across, up) < (0.3 if polylog else 1.0) * _misfit(logs, up)
    ):
        law = "power"
    elif law == "log" or abs(exponent) < 0.12 or (polylog and _bends(x, y)):
        exponent, error = slope(logs, up)
        law = "log"
    points = tuple(sorted((float(a), float(b)) for a, b in zip(x, y, strict=True)))
    unbounded = not (polylog and law == "log")
    interval = (exponent - 2 * error, exponent + 2 * error)
    return Growth(heights, ray, law, exponent, interval, points, unbounded, settled=not unbounded)


def _bends(x: Array, y: Array) -> bool:
    """Whether the local exponent falls towards the end of the ray, as that of a logarithm does."""
    slopes = np.abs(np.diff(np.log(y)) / np.diff(np.log(x)))
    return bool(slopes[-3:].mean() < 0.7 * slopes[:3].mean())


def _misfit(x: Array, y: Array) -> float:
    """What a line through the points leaves."""
    return float(np.std(y - slope(x, y)[0] * x))


def slope(x: Array, y: Array) -> tuple[float, float]:
    """Least-squares slope of y against x, and its standard error."""
    centred = x - x.mean()
    spread = float(centred @ centred)
    slope = float(centred @ y) / spread
    rest = y - y.mean() - slope * centred
    error = float(np.sqrt(rest @ rest / max(1, len(x) - 2) / spread))
    return slope, error
