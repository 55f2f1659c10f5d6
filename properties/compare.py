"""Which of two bounds is smaller, and where: both right sides over the parameters they share.

What can be shown for all parameters is shown: a constant ratio, a difference of nonnegative terms, weighted
means and Taylor (`bounds.dominance`), intervals over the whole box (`properties.proofs.formulas`), and the
order of growth with its certificate or ray (`bounds.orders`). The rest is sampled over log-scaled parameters
that meet both claims' assumptions and the relations that hold between the constants of any data law, and
sign changes are bisected along the axes. Parameters are free: only some of them belong to a law.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from bounds.claim import Claim
from bounds.dominance import dominated
from bounds.errors import ClaimError, nearest
from bounds.notation import symbol
from bounds.orders import at_most
from properties.normalise import Side, as_total_variation, normalise, typical
from properties.proofs.formulas import shown_on

__all__ = ["Comparison", "Crossing", "Pair", "compare", "numbers", "pair_of"]

Array = NDArray[np.float64]
EQUAL = 1e-12
"""Relative difference below which two values of the same formula in floats are one number."""

COUNTS = ("d", "N")
SAMPLES = 6000
FEW = 2
"""Parameters of a ratio that intervals over the box are tried on."""

EDGES = 40
"""Sampled points that are also taken to the edges of what the assumptions allow."""

LIGHT = 20_000
"""Pieces of the box that an interval proof looks at."""

ALWAYS = (
    "FI0 >= 2*KL0",
    "W20**2 <= 2*KL0",
    "2*KL0 >= M2 - d - d*log(M2/d)",
    "m0sq <= M2",
    "J0*M2 >= d**2",
    "L*M2 >= d",
    "h <= T",
    "delta <= T/2",
    "kappa >= h",
)
"""Relations between the constants of every law with a density, and of every grid."""


@dataclass(frozen=True)
class Pair:
    """Two bounds of one quantity in one clock, and the parameters of either."""

    first: Side
    second: Side
    quantity: str
    clock: str
    box: Mapping[str, tuple[float, float]]

    @property
    def relations(self) -> tuple[sp.Rel, ...]:
        """What the parameters must meet: both claims' assumptions and what always holds."""
        from bounds.formula import parse_relation

        inside = {symbol(name) for name in self.box}
        always = [parse_relation(text) for text in ALWAYS]
        every = dict.fromkeys((*self.first.assuming, *self.second.assuming, *always))
        return tuple(rel for rel in every if rel.free_symbols <= inside)


@dataclass(frozen=True)
class Crossing:
    """A sign change along one axis: at ``value`` of ``axis`` both are equal, the rest as in ``at``."""

    axis: str
    value: float
    at: Mapping[str, float]


@dataclass(frozen=True)
class Comparison:
    """The verdict on a pair.

    verdict   : "equal", "tighter" (the first is nowhere larger), "looser" (nowhere smaller), "incomparable".
    shown     : why for all parameters (or all of the box, if it says so), or "" if sampled only.
    ratio     : smallest and largest first/second seen.
    first_at  : a point where the first is larger, if any; region: how far it stays so along each axis.
    crossings : sign changes along the axes through that point.
    orders    : what is known of the orders of growth, both ways.
    share     : share of the sampled points at which the first is smaller.
    """

    pair: Pair
    verdict: str
    shown: str
    ratio: tuple[float, float]
    share: float
    tried: int
    first_at: Mapping[str, float] | None
    region: Mapping[str, tuple[float, float]]
    crossings: tuple[Crossing, ...]
    orders: tuple[str, ...]

    @property
    def sampled(self) -> bool:
        """Whether the verdict rests on the sample alone; "incomparable" has its points and needs no more."""
        return not self.shown and self.verdict != "incomparable"


def pair_of(first: Claim, second: Claim) -> Pair:
    """Both right sides on one footing.

    Raises ClaimError if they bound different things.
    """
    clock = str(first.setup.clock) if first.setup.clock == second.setup.clock else "unit"
    sides = [normalise(claim, clock) for claim in (first, second)]
    names = {side.quantity for side in sides}
    reversed_laws = sides[0].laws == sides[1].laws[::-1] != sides[1].laws
    if names == {"KL"} and reversed_laws:
        sides = [as_total_variation(side).noting("the orders of KL differ") for side in sides]
    elif names == {"KL", "TV"}:
        sides = [as_total_variation(side) for side in sides]
    elif len(names) > 1:
        raise ClaimError(
            "B", f"{second.key}: {sides[1].quantity}", f"a bound on {sides[0].quantity}, as {first.key}"
        )
    sides = _same_laws(sides)
    sides = _same_score(sides)
    sides = _same_grid(sides)
    box = _box(sides)
    return Pair(sides[0], sides[1], sides[0].quantity, clock, box)


def _same_laws(sides: list[Side]) -> list[Side]:
    """The same laws, but for early stopping, which is said."""
    data = {"target", "q_delta"}
    first, second = ({*side.laws} for side in sides)
    if first == second:
        return sides
    if first - data == second - data and first & data and second & data:
        return [side.noting(f"about {', '.join(side.laws)}") for side in sides]
    shown = ", ".join(sides[1].laws)
    raise ClaimError(
        "B", f"{sides[1].claim.key}: {shown}", f"the laws of {sides[0].claim.key}: {', '.join(sides[0].laws)}"
    )


def _same_score(sides: list[Side]) -> list[Side]:
    """No score error where one of the claims allows none."""
    exact = [side.claim.score.kind == "exact" for side in sides]
    if not any(exact) or all(exact):
        return sides
    zero = {symbol("eps"): sp.Integer(0)}
    return [
        side
        if is_exact
        else side.noting("at eps = 0: the other is for the exact score", bound=side.bound.xreplace(zero))
        for side, is_exact in zip(sides, exact, strict=True)
    ]


def _same_grid(sides: list[Side]) -> list[Side]:
    """Equal steps h = T/N where one claim speaks of h and another of N."""
    used = {name for side in sides for name in side.symbols}
    used |= {s.name for side in sides for rel in side.assuming for s in rel.free_symbols}
    if not {"h", "N"} <= used or any(side.claim.setup.grid != "uniform" for side in sides):
        return sides
    length = (symbol("T") - symbol("delta")) if "delta" in used else symbol("T")
    step = {symbol("h"): length / symbol("N")}
    changed = []
    for side in sides:
        noted = side.noting(
            *(["h = T/N: equal steps"] if "h" in side.symbols else []), bound=side.bound.xreplace(step)
        )
        changed.append(replace(noted, assuming=tuple(rel.xreplace(step) for rel in side.assuming)))
    return changed


def _box(sides: Sequence[Side]) -> dict[str, tuple[float, float]]:
    ranges = dict(typical())
    for side in sides:
        ranges |= side.claim.setup.ranges
    used = {name for side in sides for name in side.symbols}
    related = {s.name for side in sides for rel in side.assuming for s in rel.free_symbols}
    return {name: ranges[name] for name in sorted(used | (related & set(ranges)))}


# -- numbers -------------------------------------------------------------------------------------------------


def _function(expr: sp.Basic, names: Sequence[str]) -> Callable[..., Any]:
    compiled: Callable[..., Any] = sp.lambdify([symbol(name) for name in names], expr, "numpy")
    return compiled


class _Field:
    """log(first/second) over the box, and where the assumptions hold."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.names = tuple(pair.box)
        self.sides = [_function(side.bound, self.names) for side in (pair.first, pair.second)]
        self.relations = [
            (_function(rel.lhs, self.names), _function(rel.rhs, self.names), isinstance(rel, sp.Ge | sp.Gt))
            for rel in pair.relations
            if not isinstance(rel, sp.Eq)
        ]

    def values(self, points: Array) -> tuple[Array, Array]:
        """Both bounds at the rows of points."""
        with np.errstate(all="ignore"):
            first, second = (np.broadcast_to(side(*points.T), (len(points),)) for side in self.sides)
        return np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)

    def log_ratio(self, points: Array) -> Array:
        """log(first/second), nan where either has no positive finite value or an assumption fails."""
        first, second = self.values(points)
        good = np.isfinite(first) & np.isfinite(second) & (first > 0) & (second > 0) & self.admits(points)
        with np.errstate(all="ignore"):
            result = np.where(good, np.log(first) - np.log(second), np.nan)
        return np.where(np.abs(result) <= EQUAL, 0.0, result)

    def admits(self, points: Array) -> NDArray[np.bool_]:
        """Which rows meet every relation."""
        mask = np.ones(len(points), dtype=bool)
        with np.errstate(all="ignore"):
            for left, right, larger in self.relations:
                low, high = left(*points.T), right(*points.T)
                mask &= np.broadcast_to(low >= high if larger else low <= high, mask.shape)
        return mask

    def edges(self, points: Array) -> Array:
        """From every point, as far along each axis as the box and the relations go: there they are tight."""
        found = []
        for i, name in enumerate(self.names):
            if name in COUNTS:
                continue
            for end in self.pair.box[name]:
                inside, outside = points.copy(), points.copy()
                outside[:, i] = end
                reached = np.isfinite(self.log_ratio(outside))
                inside[reached, i] = end
                logs = end > 0 and bool(np.all(points[:, i] > 0))
                for _ in range(50):
                    middle = inside.copy()
                    near, far = inside[:, i], outside[:, i]
                    middle[:, i] = np.sqrt(near * far) if logs else (near + far) / 2
                    good = np.isfinite(self.log_ratio(middle))
                    inside[good], outside[~good] = middle[good], middle[~good]
                found.append(inside)
        return np.concatenate(found) if found else points[:0]

    def sample(self, rng: np.random.Generator, count: int) -> Array:
        """Random rows, log-scaled, counts rounded."""
        ends = np.array([self.pair.box[name] for name in self.names])
        unit = rng.random((count, len(self.names)))
        logs = ends[:, 0] > 0
        low, high = np.where(logs, np.log(np.where(logs, ends[:, 0], 1.0)), ends[:, 0]), ends[:, 1]
        high = np.where(logs, np.log(np.where(logs, high, 1.0)), high)
        points = low + unit * (high - low)
        points = np.asarray(np.where(logs, np.exp(points), points), dtype=np.float64)
        whole = [i for i, name in enumerate(self.names) if name in COUNTS]
        points[:, whole] = np.rint(points[:, whole])
        drawn: Array = points
        return drawn


def compare(first: Claim, second: Claim, *, seed: int = 0, samples: int = SAMPLES) -> Comparison:
    """Which bound is smaller where.

    Raises ClaimError if the claims bound different things, or no parameters meet both.
    """
    for claim in (first, second):
        if not isinstance(claim, Claim):
            raise ClaimError("claim", claim, "a Claim")
    pair = pair_of(first, second)
    field = _Field(pair)
    rng = np.random.default_rng(seed)
    kept: list[Array] = []
    tried = 0
    for _ in range(20):
        points = field.sample(rng, samples)
        tried += len(points)
        kept.append(points[np.isfinite(field.log_ratio(points))])
        if sum(map(len, kept)) >= samples // 4:
            break
    points = np.concatenate(kept)
    if not len(points):
        raise ClaimError(
            "assumptions", f"{first.key}, {second.key}", "claims whose assumptions can hold together"
        )
    share = float(np.mean(field.log_ratio(points) < 0))
    points = np.concatenate([points, field.edges(points[:EDGES])])
    logs = field.log_ratio(points)
    shown, sign = _shown(pair, logs)
    verdict = _verdict(logs, sign)
    larger = np.flatnonzero(logs > 0)
    first_at: dict[str, float] | None = None
    region: dict[str, tuple[float, float]] = {}
    crossings: tuple[Crossing, ...] = ()
    if len(larger):
        start = _round(field, points[larger[np.argmin(_distance(field, points[larger]))]])
        first_at = dict(zip(field.names, map(float, start), strict=True))
        region, crossings = _around(field, start)
    return Comparison(
        pair,
        verdict,
        shown,
        (float(np.exp(logs.min())), float(np.exp(logs.max()))),
        share,
        tried,
        first_at,
        region,
        crossings,
        _orders(pair),
    )


def numbers(pair: Pair, at: Mapping[str, float]) -> tuple[float, float]:
    """Both bounds at given parameters.

    Raises ClaimError for a parameter that is missing, or has no place in either bound.
    """
    needed = {name for side in (pair.first, pair.second) for name in side.symbols}
    for name in sorted(needed - set(at)):
        raise ClaimError("--at", name, f"a value for {name}, as in {name}=1")
    for name in sorted(set(at) - set(pair.box)):
        raise ClaimError("--at", name, f"one of {', '.join(sorted(pair.box))}{nearest(name, pair.box)}")
    values = {symbol(name): sp.Rational(str(value)) for name, value in at.items()}
    first, second = (side.bound.xreplace(values).evalf(17) for side in (pair.first, pair.second))
    if not (first.is_real and second.is_real):
        raise ClaimError("--at", dict(at), "parameters at which both bounds are real")
    return float(first), float(second)


def _verdict(logs: Array, sign: int | None) -> str:
    if sign == 0 or not np.any(logs):
        return "equal"
    if sign is not None:
        return "tighter" if sign < 0 else "looser"
    if np.all(logs <= 0):
        return "tighter"
    return "looser" if np.all(logs >= 0) else "incomparable"


# -- for all parameters --------------------------------------------------------------------------------------


def _shown(pair: Pair, logs: Array) -> tuple[str, int | None]:
    """Why the order of the two holds for all parameters, with its sign; ("", None) if nothing was found.

    logs : sampled logarithms of first/second; what they contradict is not tried.
    """
    first, second = pair.first.bound, pair.second.bound
    ratio = sp.simplify(first / second)
    if ratio.is_number:
        sign = 0 if ratio == 1 else (1 if ratio > 1 else -1)
        return f"the ratio is {sp.sstr(ratio)} everywhere", sign
    gap = sp.expand(second - first, log=False)
    if gap.is_nonnegative:
        return "the difference is a sum of nonnegative terms", -1
    if gap.is_nonpositive:
        return "the difference is a sum of nonpositive terms", 1
    tries = [(first, second, -1)] if np.all(logs <= 0) else []
    tries += [(second, first, 1)] if np.all(logs >= 0) else []
    for small, large, sign in tries:
        how = _how(pair, small, large) or _by_parts(pair, small, large)
        if how:
            return how, sign
    for small, large, sign in tries:
        if shown_on(small, large, pair.box, pair.relations, pieces=LIGHT).word == "proved":
            box = ", ".join(f"{name}={low:g}:{high:g}" for name, (low, high) in pair.box.items())
            return f"intervals, on the whole box {box}", sign
    return "", None


def _how(pair: Pair, small: sp.Expr, large: sp.Expr) -> str:
    """Why small <= large: by dominance, or by intervals for the ratio where few parameters are left in it."""
    found = dominated(small, large, pair.relations)
    if found is not None:
        return f"{found.by}: {found.reason}"
    if not large.is_positive:  # small/large <= 1 says nothing
        return ""
    above, below = sp.fraction(sp.simplify(small / large))
    inside = above.free_symbols | below.free_symbols
    if len(inside) > FEW or not {s.name for s in inside} <= pair.box.keys():
        return ""
    box = {s.name: pair.box[s.name] for s in sorted(inside, key=str)}
    under = [rel for rel in pair.relations if rel.free_symbols <= inside]
    for low, high in ((sp.Integer(0), below), (above, below)):
        if shown_on(low, high, box, under, pieces=LIGHT).word != "proved":
            return ""
    return "intervals for the ratio, on " + ", ".join(
        f"{n}={low:g}:{high:g}" for n, (low, high) in box.items()
    )


def _by_parts(pair: Pair, small: sp.Expr, large: sp.Expr) -> str:
    """The terms with an exponential and the others, each on their own."""
    parts = []
    for decaying in (True, False):
        sides = [
            sp.factor_terms(sp.Add(*(t for t in sp.Add.make_args(side) if t.has(sp.exp) == decaying)))
            for side in (small, large)
        ]
        how = (
            "algebra: nothing"
            if sides[0] == 0 and sides[1].is_nonnegative
            else _how(pair, sides[0], sides[1])
        )
        if not how:
            return ""
        parts.append(how)
    return f"the terms with exponentials by {parts[0]}; the others by {parts[1]}"


def _orders(pair: Pair) -> tuple[str, ...]:
    """What the orders of growth are, where the right sides are sums of monomials."""
    names = ("first", "second")
    lines: list[str] = []
    under = [rel for rel in pair.relations if not isinstance(rel, sp.Eq) and not _difference(rel)]
    for a, b, small, large in (
        (0, 1, pair.first.bound, pair.second.bound),
        (1, 0, pair.second.bound, pair.first.bound),
    ):
        try:
            decision = at_most(small, large, under)
        except ClaimError:
            return tuple(lines)
        if decision.holds:
            factor = f" (C = {decision.constant:.3g} serves)" if decision.constant is not None else ""
            lines.append(f"{names[a]} <~ {names[b]}{factor}")
        elif decision.ray is not None and any(decision.ray.growth):
            lines.append(f"{names[a]} is not <~ {names[b]}: {decision.reason}")
    return tuple(lines)


def _difference(rel: sp.Rel) -> bool:
    return any(term.as_coeff_Mul()[0].is_negative for side in rel.args for term in sp.Add.make_args(side))


# -- where ---------------------------------------------------------------------------------------------------


def _distance(field: _Field, points: Array) -> Array:
    """Distance from the middle of the box, in shares of its (logarithmic) width."""
    total = np.zeros(len(points))
    for i, name in enumerate(field.names):
        low, high = field.pair.box[name]
        if low > 0:
            total += ((np.log(points[:, i]) - np.log(low * high) / 2) / np.log(high / low)) ** 2
        else:
            total += ((points[:, i] - (low + high) / 2) / (high - low)) ** 2
    return total


def _round(field: _Field, point: Array) -> Array:
    """The point to as few digits as keep the first bound larger."""
    for digits in (1, 2, 3, 5):
        rounded = np.array([float(f"{value:.{digits}g}") for value in point])
        if field.log_ratio(rounded[None])[0] > 0:
            return rounded
    return point


def _around(field: _Field, point: Array) -> tuple[dict[str, tuple[float, float]], tuple[Crossing, ...]]:
    """How far the sign lasts along each axis, and where it changes."""
    region: dict[str, tuple[float, float]] = {}
    crossings: list[Crossing] = []
    at = dict(zip(field.names, map(float, point), strict=True))
    for i, name in enumerate(field.names):
        ends = []
        for end in field.pair.box[name]:
            value, crossed = _flip(field, point, i, end)
            ends.append(value)
            if crossed:
                crossings.append(Crossing(name, value, {k: v for k, v in at.items() if k != name}))
        region[name] = (ends[0], ends[1])
    return region, tuple(crossings)


def _flip(field: _Field, point: Array, axis: int, end: float) -> tuple[float, bool]:
    """How far towards the end of the box the first bound stays larger, and whether it is equal there."""
    start = point[axis]
    logs = start > 0 and end > 0
    path = np.geomspace(start, end, 65) if logs else np.linspace(start, end, 65)
    rows = np.repeat(point[None], len(path), axis=0)
    rows[:, axis] = path
    signs = field.log_ratio(rows)
    stops = np.flatnonzero(~(signs > 0))
    if not len(stops):
        return float(end), False
    stop = int(stops[0])
    if not np.isfinite(signs[stop]):
        return float(path[max(stop - 1, 0)]), False
    low, high = path[max(stop - 1, 0)], path[stop]
    for _ in range(80):
        middle = np.sqrt(low * high) if logs else (low + high) / 2
        row = point.copy()
        row[axis] = middle
        low, high = (middle, high) if field.log_ratio(row[None])[0] > 0 else (low, middle)
    return float(high), True
