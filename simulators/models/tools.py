"""What every model's numerics share: numbers on two roads, integrals against Gaussians, and `Numerics`.

The first road is ball arithmetic (flint) for closed forms, and float64 quadrature with an error estimate for
integrals. The second has numbers of many digits, mpmath's or the middles of balls: other formulas, finite
differences, and quadrature at high precision.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache, reduce
from types import SimpleNamespace
from typing import Any

import mpmath as mp
import numpy as np
from flint import arb, ctx
from numpy.typing import NDArray

from simulators.enclosure import Enclosure
from simulators.errors import InputError, NotDefined

__all__ = [
    "Array",
    "Number",
    "Numerics",
    "Rows",
    "Values",
    "circle",
    "exponential",
    "highest",
    "hyperbolic_cosine",
    "hyperbolic_tangent",
    "in_balls",
    "integral_by_panels",
    "line_integral",
    "logarithm",
    "mean_by_floats",
    "mean_by_trapezoid",
    "means_by_floats",
    "middle",
    "normal_tail",
    "plane_mean",
    "root",
    "shares",
    "square",
    "tanh_sinh",
    "trapezoid",
]

Number = Any
Array = NDArray[np.float64]
Rows = NDArray[np.int64]
Values = SimpleNamespace
BITS = (80, 160, 320, 640)
"""Working precisions of the first road, tried in turn until the value is known to `SHARP`."""

SHARP = 1e-13
REACH = 38.0
"""Standard deviations that integrals run over; what lies beyond is below exp(-720)."""

WIDE = 9.0
"""The same on the plane, where absolute accuracy has to do: what lies beyond has mass below 1e-18."""

TAIL = 1e-300
COARSE = 0.125
OFFSET = 3277 / 32768
"""Of the nodes of the second road's rule, dyadic: at a mean many a difference is a ball around zero."""

ROUNDING = 1e-15
"""Relative rounding of a term of a sum, for a unit of its exponent."""


@dataclass(frozen=True)
class Numerics:
    """The numbers of one model.

    balls     : by quantity, balls from a namespace of balls: closed forms.
    integrals : by quantity, enclosures from a namespace of floats: quadrature with an error estimate.
    other     : by quantity, mpmath numbers from a namespace of mpmath numbers, by another algorithm.
    integers  : parameters that are passed as int.
    admits    : whether the parameters satisfy the model's hidden constraints.
    """

    balls: Mapping[str, Callable[[Values], Any]] = field(default_factory=dict)
    integrals: Mapping[str, Callable[[Values], Any]] = field(default_factory=dict)
    other: Mapping[str, Callable[[Values], Any]] = field(default_factory=dict)
    integers: tuple[str, ...] = ()
    admits: Callable[[Mapping[str, float]], bool] = lambda parameters: True

    @property
    def quantities(self) -> tuple[str, ...]:
        """Names of the quantities, sorted."""
        return tuple(sorted(self.other))

    def value(self, quantity: str, parameters: Mapping[str, float]) -> Enclosure:
        """The quantity as an enclosure; infinity is a value.

        Raises InputError for parameters that the model does not admit or a quantity that it does not have,
        NotDefined where the quantity has no value.
        """
        self._check(quantity, parameters)
        if quantity in self.integrals:
            return self.integrals[quantity](self._values(parameters, float))  # type: ignore[no-any-return]
        for bits in BITS:
            with ctx.workprec(bits):
                ball = self.balls[quantity](self._values(parameters, arb))
                if _sharp(ball) or bits == BITS[-1]:
                    break
        return _enclosure(ball)

    def second(self, quantity: str, parameters: Mapping[str, float], digits: int = 30) -> Number:
        """The quantity as an mpmath number, good to about ``digits`` digits; raises as `value` does."""
        self._check(quantity, parameters)
        with mp.workdps(digits + 15):
            return mp.mpf(self.other[quantity](self._values(parameters, mp.mpf)))

    def _check(self, quantity: str, parameters: Mapping[str, float]) -> None:
        if quantity not in self.other:
            raise InputError("quantity", quantity, f"expected one of {', '.join(self.quantities)}")
        if not self.admits(parameters):
            raise InputError("parameters", dict(parameters), "expected parameters that the model admits")

    def _values(self, parameters: Mapping[str, float], kind: Callable[[Any], Number]) -> Values:
        return Values(
            **{name: int(v) if name in self.integers else kind(float(v)) for name, v in parameters.items()}
        )


def _sharp(ball: arb) -> bool:
    if not ball.is_finite():
        return not ball.is_nan() and bool(ball.is_exact())
    return bool(ball.rad() <= abs(ball.mid()) * SHARP) or bool(abs(ball).upper() < TAIL)


def _enclosure(ball: arb) -> Enclosure:
    """The float enclosure of a ball, rounded outward."""
    if ball.is_nan():
        raise NotDefined("the quantity has no value here")
    low, high = float(ball.lower()), float(ball.upper())
    if not (ball.is_exact() and arb(low) == ball):
        low, high = float(np.nextafter(low, -np.inf)), float(np.nextafter(high, np.inf))
    return Enclosure.between(low, high, "ball arithmetic", "enclosed")


# -- numbers of either road ----------------------------------------------------------------------------------


def exponential(x: Number) -> Number:
    """The exponential."""
    return x.exp() if isinstance(x, arb) else mp.exp(x) if isinstance(x, mp.mpf) else np.exp(x)


def logarithm(x: Number) -> Number:
    """The natural logarithm."""
    return x.log() if isinstance(x, arb) else mp.log(x) if isinstance(x, mp.mpf) else np.log(x)


def root(x: Number) -> Number:
    """The square root."""
    return x.sqrt() if isinstance(x, arb) else mp.sqrt(x) if isinstance(x, mp.mpf) else np.sqrt(x)


def square(x: Number) -> Number:
    """The square, of a ball around zero too, which has no power in flint."""
    return x * x


def hyperbolic_tangent(x: Number) -> Number:
    """The hyperbolic tangent."""
    return x.tanh() if isinstance(x, arb) else mp.tanh(x) if isinstance(x, mp.mpf) else np.tanh(x)


def hyperbolic_cosine(x: Number) -> Number:
    """The hyperbolic cosine."""
    return x.cosh() if isinstance(x, arb) else mp.cosh(x) if isinstance(x, mp.mpf) else np.cosh(x)


def circle(x: Number) -> Number:
    """2 pi, in the kind of number of ``x``."""
    return 2 * arb.pi() if isinstance(x, arb) else 2 * mp.pi if isinstance(x, mp.mpf) else 2 * np.pi


def normal_tail(x: Number) -> Number:
    """P(Z > x) for a standard normal Z, for balls and mpmath numbers."""
    return (x / arb(2).sqrt()).erfc() / 2 if isinstance(x, arb) else mp.erfc(x / mp.sqrt(2)) / 2


def highest(exponents: Sequence[Number]) -> Number:
    """The largest exponent at every point, or any: those of balls and mpmath numbers know no bounds."""
    return reduce(np.maximum, exponents) if isinstance(exponents[0], np.ndarray) else exponents[0]


def shares(exponents: Sequence[Number]) -> list[Number]:
    """Softmax of the exponents, without overflow."""
    top = highest(exponents)
    if isinstance(top, np.ndarray):  # in place: new arrays cost more than their numbers
        raised = [e - top for e in exponents]
        for r in raised:
            np.exp(r, out=r)
        total = sum(raised[1:], start=raised[0])
        for r in raised:
            r /= total
        return raised
    raised = [exponential(e - top) for e in exponents]
    total = sum(raised[1:], start=raised[0])
    return [r / total for r in raised]


# -- first road: the trapezoidal rule and Gauss-Legendre panels in float64 -----------------------------------


def line_integral(
    f: Callable[[Array], Array], low: float, high: float, digits: Callable[[Array], Array] | None = None
) -> Enclosure:
    """The integral of a function that is analytic around the line and negligible at both ends.

    f      : takes and returns float64 arrays.
    digits : size of the exponents that f takes, a measure of its rounding; by default fifty.
    The trapezoidal rule, its step halved until two values agree; the last change and the rounding of the
    terms bound the error. Converging geometrically, the rule squares its error with every halving, so that
    the last change is far above the error that is left.
    Raises NotDefined where the rule does not settle.
    """
    lost = digits or (lambda z: np.full_like(z, 50.0))

    def terms(level: int) -> tuple[Array, Array]:
        z = _added(low, high, level)
        return f(z), lost(z)

    return _settled(terms, low, high)


def _added(low: float, high: float, level: int) -> Array:
    """The nodes that the rule has at a level and had not before, whose step is a power of two: exact."""
    if level == 0:
        return COARSE * np.arange(math.floor(low / COARSE), math.ceil(high / COARSE) + 1, dtype=np.float64)
    parts = 1 << (level - 1)
    first, last = parts * math.floor(low / COARSE), parts * math.ceil(high / COARSE)
    return COARSE / parts * (np.arange(first, last, dtype=np.float64) + 0.5)


def _settled(terms: Callable[[int], tuple[Array, Array]], low: float, high: float) -> Enclosure:
    """The integral, from the values at the nodes that each level adds and what they lose in rounding."""
    values, lost = terms(0)
    step, total, loss = COARSE, float(values.sum()), float(np.abs(values) @ lost)
    for level in range(1, 9):
        values, lost = terms(level)
        finer, loss = total + float(values.sum()), loss + float(np.abs(values) @ lost)
        step = step / 2
        change, total = abs(finer - 2 * total) * step, finer
        if change <= 1e-13 * step * loss + TAIL:  # subnormal numbers have no relative accuracy
            return Enclosure.around(total * step, change + ROUNDING * step * loss + TAIL, "trapezoidal rule")
    raise NotDefined(f"an integral over [{low:g}, {high:g}] does not settle")


@cache
def _normal_nodes(level: int) -> tuple[Array, Array, Array]:
    """Nodes that a level adds to a mean, their bells and digits: every mean has the same."""
    z = _added(-REACH, REACH, level)
    found = z, np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi), 8.0 + z * z
    for row in found:
        row.flags.writeable = False
    return found


def means_by_floats(
    g: Callable[[Array, Rows], Array], law: Callable[[Rows], tuple[Array, Array]], count: int
) -> Enclosure:
    """As `mean_by_floats`, of several functions at once, shape (count,): each has its own last step.

    law : columns of means and of variances of the rows that it is asked for.
    g   : takes points, a row each, and the numbers of the functions that have not settled.
    """
    centre, radius = np.empty(count), np.empty(count)
    left: Rows = np.arange(count)

    def terms(level: int) -> tuple[Array, Array]:
        (mean, variance), (z, bell, lost) = law(left), _normal_nodes(level)
        values = bell * g(mean + np.sqrt(variance) * z, left)
        return values.sum(axis=1), np.abs(values) @ lost

    step, (total, loss) = COARSE, terms(0)
    for level in range(1, 9):
        added, lost = terms(level)
        finer, loss, step = total + added, loss + lost, step / 2
        change, total = np.abs(finer - 2 * total) * step, finer
        done = change <= 1e-13 * step * loss + TAIL
        centre[left[done]] = total[done] * step
        radius[left[done]] = change[done] + ROUNDING * step * loss[done] + TAIL
        left, total, loss = left[~done], total[~done], loss[~done]
        if not len(left):
            return Enclosure.around(centre, radius, "trapezoidal rule")
    raise NotDefined(f"a mean of {len(left)} functions does not settle")


def mean_by_floats(g: Callable[[Array], Array], mean: float, variance: float) -> Enclosure:
    """E g(X) for X ~ N(mean, variance), g analytic around the line and of polynomial growth.

    g : takes and returns float64 arrays.
    Over `REACH` standard deviations by the trapezoidal rule; raises NotDefined where that does not settle.
    """
    deviation = math.sqrt(variance)

    def terms(level: int) -> tuple[Array, Array]:
        z, bell, lost = _normal_nodes(level)
        return bell * g(mean + deviation * z), lost

    return _settled(terms, -REACH, REACH)


@cache
def _plane_nodes(h: float) -> tuple[Array, Array]:
    """Nodes on either axis, and weights on the plane."""
    z = np.arange(-WIDE, WIDE + h / 2, h)
    phi = np.exp(-0.5 * z * z) * h / np.sqrt(2 * np.pi)
    return z, phi[:, None] * phi


def plane_mean(g: Callable[[Array, Array], Array]) -> Enclosure:
    """E g(Z1, Z2) for independent standard normals, g analytic and of polynomial growth, by the trapezoidal
    rule over `WIDE` standard deviations; raises NotDefined where it does not settle.
    """
    previous: float | None = None
    for h in (0.25, 0.125, 0.0625, 0.03125):
        z, weights = _plane_nodes(h)
        values = weights * g(z[:, None], z)
        total = float(values.sum())
        size = float(np.abs(values, out=values).sum())
        if previous is not None and abs(total - previous) <= 1e-12 * size:
            error = abs(total - previous) + 1e-13 * size
            return Enclosure.around(total, error, "trapezoidal rule on the plane")
        previous = total
    raise NotDefined("an integral over the plane does not settle")


def integral_by_panels(f: Callable[[Array], Array], cuts: Sequence[float], width: float) -> Enclosure:
    """The integral of a function that is analytic between the cuts, by Gauss-Legendre panels.

    f     : takes and returns float64 arrays.
    width : of the widest panel.
    Ten times the difference from a shorter rule, and rounding, bound the error.
    """
    edges: list[float] = [cuts[0]]
    for low, high in itertools.pairwise(cuts):
        count = max(1, math.ceil((high - low) / width))
        edges.extend((low + (high - low) * np.arange(1, count + 1) / count).tolist())
    ends = np.array(edges)
    centre, half = (ends[1:] + ends[:-1])[:, None] / 2, (ends[1:] - ends[:-1])[:, None] / 2
    results = []
    for order in (24, 16):
        nodes, weights = gauss_legendre(order)
        values = f(centre + half * nodes) * weights * half
        results.append((float(values.sum()), float(np.abs(values).sum())))
    (fine, size), (coarse, _) = results
    return Enclosure.around(fine, 10 * abs(fine - coarse) + 40 * ROUNDING * size, "Gauss-Legendre panels")


@cache
def gauss_legendre(order: int) -> tuple[Array, Array]:
    """Nodes and weights on [-1, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(order)
    return nodes, weights


# -- second road: the trapezoidal rule -----------------------------------------------------------------------


def in_balls(f: Callable[[Values], Number], extra: int = 0, doublings: int = 1) -> Callable[[Values], Number]:
    """A function of mpmath numbers by way of balls with that many bits more, of which it returns the middle:
    flint's numbers are some thirty times as fast. What cannot be told from zero is zero.

    doublings : of the bits, for as long as less than two thirds of the digits are known.
    """

    def number(p: Values) -> Number:
        for doubling in range(doublings + 1):
            with ctx.workprec((mp.mp.prec + extra) << doubling):
                balls = {name: v if isinstance(v, int) else arb(v) for name, v in vars(p).items()}
                ball = f(Values(**balls))
                if 3 * ball.rel_accuracy_bits() >= 2 * mp.mp.prec:
                    break
        return mp.mpf(0) if ball.is_finite() and ball.contains(0) else middle(ball)

    return number


def middle(ball: arb) -> Number:
    """The middle of a ball as an mpmath number."""
    if not ball.mid().is_finite():
        return mp.mpf(float(ball.mid()))
    mantissa, exponent = ball.mid().man_exp()
    return mp.ldexp(mp.mpf(int(mantissa)), int(exponent))


def trapezoid(f: Callable[[Number], Number], low: float, high: float, kind: type = mp.mpf) -> Number:
    """The integral of a function that vanishes with all derivatives at both ends, in mpmath numbers or balls.

    Halves a step of a quarter until two values agree to half the digits, see `_halved`.
    """
    h = kind(0.25)
    nodes = [kind(low) + h * k for k in range(math.ceil((high - low) / 0.25) + 1)]
    return _halved(f, nodes, [f(x) for x in nodes], h)


def _halved(f: Callable[[Number], Number], nodes: list[Number], values: list[Number], h: Number) -> Number:
    """The rule from its values at equidistant nodes on, the step halved until two sums agree to half the
    digits: the rule squares its error with every halving, so that the later sum has them all.
    """
    total, size = _sums(values)
    tolerance = 10 ** (-(0 * h + _decimals(h)) / 2)
    for _ in range(9):
        middles = [f(x + h / 2) for x in nodes]
        sums = _sums(middles)
        finer, size = total + sums[0], size + sums[1]
        change = abs(finer - 2 * total)
        nodes = nodes + [x + h / 2 for x in nodes]
        total, h = finer, h / 2
        if not change > tolerance * size:
            break
    return total * h


def _sums(values: list[Number]) -> tuple[Number, Number]:
    """Of the values and of their sizes."""
    if isinstance(values[0], arb):
        return sum(values, start=arb(0)), sum((abs(v) for v in values), start=arb(0))
    return mp.fsum(values), mp.fsum(values, absolute=True)


def _decimals(x: Number) -> int:
    """Of the working precision of that kind of number."""
    return int(ctx.dps if isinstance(x, arb) else mp.mp.dps)


@lru_cache(maxsize=1 << 14)
def _bells(z: float, precision: int, kind: type) -> Number:
    """exp(-z^2/2) at a dyadic node, in that kind of number: every mean has the same nodes."""
    with ctx.workprec(precision), mp.workprec(precision):
        exact = kind(z)
        return exponential(-exact * exact / 2)


def mean_by_trapezoid(g: Callable[[Number], Number], mean: Number, variance: Number) -> Number:
    """E g(X) for X ~ N(mean, variance) by the trapezoidal rule, in mpmath or, for balls, in flint, whose
    balls then leave the error of the rule out.
    """
    deviation = root(variance)
    kind, precision = (arb, ctx.prec) if isinstance(variance, arb) else (mp.mpf, mp.mp.prec)

    def integrand(z: Number) -> Number:
        return _bells(float(z), precision, kind) * g(mean + deviation * z)

    h, first = kind(0.25), kind(OFFSET)
    left, right = (_outward(integrand, first, sign * h) for sign in (-1, 1))
    nodes = [first + h * k for k in range(1 - len(left), len(right))]
    return _halved(integrand, nodes, left[:0:-1] + right, h) / root(circle(variance))


def _outward(f: Callable[[Number], Number], first: Number, h: Number) -> list[Number]:
    """The values at steps h from the first node on: over 80 standard deviations, or fewer where a bell of the
    working precision has ended and the values have stayed without weight for a whole deviation.
    """
    decimals, step = _decimals(h), abs(float(h))
    least = (math.sqrt(2 * 2.4 * decimals) + 2) / step
    most, tiny = max(80.0 / step, least), (10 + 0 * h) ** (-decimals - 10)
    values: list[Number] = []
    largest, faint = 0 * h, 0
    for k in range(math.ceil(most) + 1):
        values.append(f(first + h * k))
        size = abs(values[-1])
        largest, faint = max(largest, size), 0 if size > tiny * largest else faint + 1
        if k >= least and faint >= 4:
            break
    return values


def tanh_sinh(f: Callable[[Number], Number], cuts: Sequence[Number]) -> Number:
    """The integral over consecutive intervals by the tanh-sinh rule, which minds no singular ends: mpmath's,
    or between balls one in flint, whose balls leave the error of the rule out.
    """
    if isinstance(cuts[-1], arb):
        ends = itertools.pairwise(cuts)
        return sum((_tanh_sinh(f, low, high) for low, high in ends), start=arb(0))
    return mp.quad(f, list(cuts))


def _tanh_sinh(f: Callable[[Number], Number], low: Number, high: Number) -> Number:
    """Over one interval, the step halved until two values agree to six tenths of the digits: the rule all but
    squares its error with every halving.
    """
    half, total, size = (high - low) / 2, arb(0), arb(0)
    tolerance = arb(10) ** (-arb(ctx.dps) * 0.6)
    for level in range(10):
        before = total
        for share, weight in _tanh_sinh_nodes(level, ctx.prec):
            term = weight * (f(low + half * share) + f(high - half * share))
            total, size = total + term, size + abs(term)
        if level > 1 and not abs(total - 2 * before) > tolerance * size:
            break
    return total * half / 2**level


@lru_cache(maxsize=64)
def _tanh_sinh_nodes(level: int, precision: int) -> list[tuple[Number, Number]]:
    """Distances from the nearer end of [-1, 1] and weights of the nodes that a level adds, of either sign."""
    with ctx.workprec(precision):
        found: list[tuple[Number, Number]] = []
        pi, k = arb.pi(), 0 if level == 0 else 1
        while True:
            t = arb(k) / 2**level
            steep = (pi * t.sinh()).exp()
            weight = 2 * pi * t.cosh() * steep / (1 + steep) ** 2
            if weight < arb(2) ** (-precision - 20):
                return found
            found.append((2 / (1 + steep), weight if k else weight / 2))
            k += 1 if level == 0 else 2
