"""The bounded Lipschitz distance of two noised atoms from the atoms.

For laws of equal mass the supremum over |f| <= 1 with Lipschitz constant one is the transport cost for min(|x
- y|, 2). To atoms a <= b with shares it is the maximum over psi of the concave function

    E min(c(X, a), c(X, b) + psi)  -  (share of b) psi,        c(x, y) = min(|x - y|, 2):

every psi is a test function and gives a lower bound. First road: the maximum by bisection of its slope, with
antiderivatives between the kinks. Second road: the cost of the plan that sends X to b where c(X, a) - c(X, b)
is above psi, by quadrature in balls.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

from flint import arb, ctx

from simulators.enclosure import Enclosure
from simulators.models.tools import (
    Number,
    Values,
    circle,
    exponential,
    normal_tail,
    root,
    square,
    tanh_sinh,
)

__all__ = ["bounded_lipschitz", "bounded_lipschitz_by_plan"]

WIDTH = 2
Problem = tuple[list[tuple[Number, Number]], Number, Number, Number, Number]
"""Means and weights of the noised atoms, their deviation, the places a <= b, and the share of b."""


def _problem(p: Values) -> Problem:
    fade = exponential(-p.lag)
    (a, _), (b, share) = sorted([(p.m1, p.w), (p.m2, 1 - p.w)])
    return [(fade * p.m1, p.w), (fade * p.m2, 1 - p.w)], root(1 - fade * fade), a, b, share


def _cost(x: Number, y: Number) -> Number:
    return min(abs(x - y), WIDTH)


def _kinks(a: Number, b: Number, level: Number) -> list[Number]:
    """Where either cost bends, and where their difference crosses the level."""
    bends = sorted([a - WIDTH, a, a + WIDTH, b - WIDTH, b, b + WIDTH])
    crossings = []
    for low, high in itertools.pairwise(bends):
        first, last = (_cost(x, a) - _cost(x, b) - level for x in (low, high))
        if first * last < 0:
            crossings.append(low + (high - low) * first / (first - last))
    return sorted([*bends, *crossings])


def _pieces(a: Number, b: Number, level: Number) -> list[tuple[Number, Number, Number]]:
    """Intervals that cover the line, with the difference of the costs less the level in the middle of
    each.
    """
    far = 4 * WIDTH + 2 * (b - a)
    kinks = [a - far, *_kinks(a, b, level), b + far]
    middles = [(low + high) / 2 for low, high in itertools.pairwise(kinks)]
    signs = [_cost(x, a) - _cost(x, b) - level for x in middles]
    return [(low, high, sign) for (low, high), sign in zip(itertools.pairwise(kinks), signs, strict=True)]


def _to_second(problem: Problem, level: Number, below: Callable[[Number], Number]) -> Number:
    """The mass on which the difference of the costs is above the level; none of it is far out."""
    _, _, a, b, _ = problem
    return sum(
        (below(high) - below(low) for low, high, sign in _pieces(a, b, level) if sign > 0), start=0 * a
    )


def _bisected(problem: Problem, below: Callable[[Number], Number], rounds: int) -> tuple[Number, Number]:
    """Ends of a short interval in which the slope changes sign."""
    _, _, a, b, share = problem
    low, high = -_cost(a, b), _cost(a, b)
    for _ in range(rounds):
        middle = (low + high) / 2
        # saturated on both sides the difference is zero: beyond the pieces it counts for psi < 0
        outer = 1 - below(b + 9 * WIDTH + 2 * (b - a)) + below(a - 9 * WIDTH - 2 * (b - a))
        mass = _to_second(problem, middle, below) + (outer if middle < 0 else 0)
        low, high = (middle, high) if mass > share else (low, middle)
    return low, high


# -- first road ----------------------------------------------------------------------------------------------


def bounded_lipschitz(p: Values) -> Enclosure:
    """The maximum, with the width of its place and roundings as the error."""
    problem = _problem(p)
    components, sigma, a, b, share = problem

    def below(x: float) -> float:
        return float(sum(0.5 * w * math.erfc((m - x) / sigma / math.sqrt(2)) for m, w in components))

    low, high = _bisected(problem, below, 60)
    value = max(_dual(components, sigma, a, b, share, psi) for psi in (low, high))
    error = (high - low) + 3e-15 * (1 + abs(a) + abs(b))
    return Enclosure.around(value, error, "antiderivatives of a test function")


def _dual(
    components: list[tuple[float, float]], sigma: float, a: float, b: float, share: float, psi: float
) -> float:
    total = 0.0
    kinks = [-math.inf, *_kinks(a, b, psi), math.inf]

    def height(x: float) -> float:
        return float(min(_cost(x, a), _cost(x, b) + psi))

    for low, high in itertools.pairwise(kinks):
        if math.isinf(low) or math.isinf(high):
            level, slope = height(high if math.isinf(low) else low), 0.0
        else:
            slope = (height(high) - height(low)) / (high - low) if high > low else 0.0
            level = height(low) - slope * low
        for m, w in components:
            z = [(x - m) / sigma for x in (low, high)]
            mass = 0.5 * (math.erfc(z[0] / math.sqrt(2)) - math.erfc(z[1] / math.sqrt(2)))
            bell = [math.exp(-0.5 * t * t) / math.sqrt(2 * math.pi) for t in z]
            total += w * ((level + slope * m) * mass - slope * sigma * (bell[1] - bell[0]))
    return total - share * psi


# -- second road ---------------------------------------------------------------------------------------------


def bounded_lipschitz_by_plan(p: Values) -> Number:
    """The cost of the optimal plan; where both atoms cost the same up to psi, the plan splits the mass."""
    problem = _problem(p)
    components, sigma, a, b, share = problem

    def density(x: Number) -> Number:
        return sum(w * exponential(-square((x - m) / sigma) / 2) for m, w in components) / scale

    def below(x: Number) -> Number:
        return sum(w * normal_tail((m - x) / sigma) for m, w in components)

    scale = sigma * root(circle(sigma))
    low, high = _bisected(problem, below, ctx.prec)
    psi = (low + high) / 2
    reach = 16 * sigma
    ends = [min(a - 3 * WIDTH, *(m - reach for m, _ in components)), *_kinks(a, b, psi)]
    ends.append(max(b + 3 * WIDTH, *(m + reach for m, _ in components)))
    ends = sorted([*ends, *(m + k * sigma for m, _ in components for k in (-4, 0, 4))])
    cost, rest = arb(0), share
    for start, stop in itertools.pairwise(ends):
        middle = (start + stop) / 2
        sign = _cost(middle, a) - _cost(middle, b) - psi
        tied = abs(sign) < arb(10) ** (-ctx.dps // 2)
        if sign > 0 and not tied:
            rest -= below(stop) - below(start)
        place = b if sign > 0 and not tied else a

        def paid(x: Number, place: Number = place) -> Number:
            return _cost(x, place) * density(x)

        cost += tanh_sinh(paid, [start, stop])
    return cost - psi * rest
