"""Tools of the continuous-time laws: certified integrals and suprema over many intervals at once, enclosures.

Integrals use Gauss-Legendre panels that double in length away from the left end, where a variance may vanish
like lam + 2t; a panel is halved until two rules agree, and their difference is the error of the result.
Suprema are certified by bisection in interval arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray

from simulators.batch import Batch
from simulators.enclosure import Enclosure
from simulators.laws.law import Law

__all__ = [
    "TINY",
    "ULP",
    "Density",
    "Range",
    "as_law",
    "excess_entropy",
    "integrate",
    "mean_growth",
    "put",
    "supremum",
    "total",
    "within",
]

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Density = Callable[[Index, Array], tuple[Array, Array]]
"""(owner (k,), x (k, nodes)) -> values and bounds on their rounding errors, both (k, nodes)."""
Range = Callable[[Index, Enclosure], tuple[Enclosure, Enclosure]]
"""(owner (k,), cells (k,)) -> enclosures of the function and of its derivative over each cell."""

ULP = 2.0**-52
OVERFLOW = 1e306  # deviations from here on are reported as [1e306, inf], the convention of `propagate`
TINY = 1e-290  # covers what underflows
LONGEST = 2.0  # S_t has zeros at |Im t| = pi/2, so longer panels would only be halved again
HALVINGS = 40
CHUNK = 1 << 13  # panels evaluated together
SLACK = 1e-13  # relative width at which a supremum counts as found
ROUNDS = 400
CELLS = 400  # of one interval that may be left at a time: more are kept alive by rounding only

_RULES = [leggauss(16), leggauss(24)]


# -- enclosures ----------------------------------------------------------------------------------------------


def within(value: Array, ulps: float) -> Enclosure:
    """A float known to a relative ``ulps`` units in the last place; zero stays exact."""
    with np.errstate(over="ignore", invalid="ignore"):
        slack = np.where(value == 0, 0.0, ulps * ULP * np.abs(value) + ulps * 5e-324)
        lo = np.where(np.isinf(value), np.sign(value) * np.finfo(np.float64).max, value - slack)
        return Enclosure(np.minimum(lo, value), value + slack)


def put(a: Enclosure, where: NDArray[np.bool_], value: float) -> Enclosure:
    """The enclosure with a known number where the mask says."""
    return Enclosure(np.where(where, value, a.lo), np.where(where, value, a.hi), a.method, a.level)


def total(a: Enclosure) -> Enclosure:
    """The sum over the last axis; an infinite term makes it infinite, not merely beyond the largest float."""
    result = a[..., 0]
    for column in range(1, a.lo.shape[-1]):
        result = result + a[..., column]
    return put(result, (a.lo == np.inf).any(axis=-1), np.inf)


def excess_entropy(x: Enclosure) -> Enclosure:
    """The function x - log(1 + x) for x >= -1, by log(1 + x) = 2 artanh(x/(2 + x)) near 0."""
    low, high = _excess_entropy(np.maximum(x.lo, -1.0)), _excess_entropy(x.hi)
    straddles = (x.lo <= 0) & (x.hi >= 0)
    lo = np.where(straddles, 0.0, np.minimum(low, high) * (1 - 32 * ULP))
    hi = np.maximum(low, high) * (1 + 32 * ULP)
    return Enclosure(lo, np.where((x.lo == 0) & (x.hi == 0), 0.0, hi + 5e-324))


def _excess_entropy(x: Array) -> Array:
    near = np.where(np.abs(x) < 0.5, x, 0.0)
    u = near / (2.0 + near)
    series = np.zeros(x.shape)
    for k in range(20, 0, -1):
        series = series * u * u + 1.0 / (2 * k + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.where(np.isposinf(x), np.inf, x - np.log1p(x))
    return np.where(np.abs(x) < 0.5, near * u - 2.0 * u**3 * series, far)


def mean_growth(x: Array) -> Array:
    """(e^x - 1)/x, the mean of e^{ux} over u in [0, 1], 1 at 0; relative error below 8 ulps."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return np.where(x == 0, 1.0, np.expm1(x) / np.where(x == 0, 1.0, x))


def as_law(batch: Batch, time: Array, rel: Enclosure, dev: Enclosure) -> Law:
    """The law with these deviations from the reference at ``time`` (C,)."""
    rel = Enclosure(np.maximum(rel.lo, -1.0), np.maximum(rel.hi, -1.0))
    return Law(
        batch.eigenvalues,
        batch.multiplicities.astype(np.float64),
        batch.means,
        time,
        *_centred(rel),
        *_centred(dev),
    )


def _centred(value: Enclosure) -> tuple[Array, Array]:
    """Middle and radius; [1e306, inf] becomes 1e308 +- 9.9e307, what is not known at all 0 +- inf."""
    with np.errstate(invalid="ignore", over="ignore"):
        middle = value.lo + 0.5 * (value.hi - value.lo)
        radius = np.maximum(value.hi - middle, middle - value.lo) * (1 + 2 * ULP)
    exact = value.lo == value.hi
    middle, radius = np.where(exact, value.lo, middle), np.where(exact, 0.0, radius)
    lost = ~np.isfinite(middle) | ~np.isfinite(radius)
    sign = np.where(value.lo >= OVERFLOW, 1.0, np.where(value.hi <= -OVERFLOW, -1.0, 0.0))
    return np.where(lost, sign * 1e308, middle), np.where(lost, np.where(sign == 0, np.inf, 9.9e307), radius)


# -- integrals and suprema -----------------------------------------------------------------------------------


def integrate(density: Density, length: Array, scale: Array, longest: float = LONGEST) -> Enclosure:
    """The integrals of a density over [0, length_i].

    length, scale : (n,); the density of owner i varies on the length ``scale`` > 0 near 0, more slowly away
                    from it.
    longest       : longest panel to start from.
    Returns (n,): the 24-point sums, widened by their difference from the 16-point sums and by the rounding of
    the values.
    """
    if length.size == 0:
        return Enclosure.exact(length)
    owner, left, right = _panels(length, scale, longest)
    total, mass, error = (np.zeros(length.shape) for _ in range(3))
    for halvings in range(HALVINGS + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            fine, gap, size, rounding = _rules(density, owner, left, right)
        reach = mass.copy()
        np.add.at(reach, owner, size)
        done = (
            (gap <= np.maximum(ULP * reach[owner], rounding))
            | ~np.isfinite(gap + rounding)
            | (halvings == HALVINGS)
        )
        for sums, part in ((total, fine), (mass, size), (error, gap + rounding)):
            np.add.at(sums, owner[done], part[done])
        if bool(done.all()):
            break
        owner, left, right = _halved(owner[~done], left[~done], right[~done])
    radius = error + 64 * ULP * mass + TINY * length
    lost = ~np.isfinite(total) | ~np.isfinite(
        radius
    )  # an integrand beyond double precision: nothing is known
    known = Enclosure.around(np.where(lost, 0.0, total), np.where(lost, 0.0, radius))
    return Enclosure(
        np.where(lost, -np.inf, known.lo), np.where(lost, np.inf, known.hi), "two Gauss-Legendre rules"
    )


def _halved(owner: Index, left: Array, right: Array) -> tuple[Index, Array, Array]:
    middle = 0.5 * (left + right)
    return np.tile(owner, 2), np.concatenate([left, middle]), np.concatenate([middle, right])


def _panels(length: Array, scale: Array, longest: float) -> tuple[Index, Array, Array]:
    """Panels [0, s], [s, 2s], [2s, 4s], ... no longer than ``longest``, cut at the end of each interval."""
    owners: list[Index] = []
    ends: list[tuple[Array, Array]] = []
    left, right = np.zeros(length.shape), np.minimum(np.minimum(scale, longest), length)
    alive = np.arange(length.size)
    while alive.size:
        owners.append(alive)
        ends.append((left[alive], right[alive]))
        left, right = right, np.minimum(right + np.minimum(right, longest), length)
        alive = np.flatnonzero(left < length)
    return np.concatenate(owners), np.concatenate([a for a, _ in ends]), np.concatenate([b for _, b in ends])


def _rules(density: Density, owner: Index, left: Array, right: Array) -> tuple[Array, Array, Array, Array]:
    """Per panel: the finer sum, its distance from the coarser, the integral of |density|, rounding."""
    nodes = np.concatenate([rule[0] for rule in _RULES])
    parts = []
    for at in range(0, owner.size, CHUNK):
        cut = slice(at, at + CHUNK)
        half = 0.5 * (right[cut] - left[cut])
        value, rounding = density(owner[cut], left[cut, None] + half[:, None] * (1.0 + nodes))
        coarse = half * (value[:, :16] @ _RULES[0][1])
        fine = half * (value[:, 16:] @ _RULES[1][1])
        size = half * (np.abs(value[:, 16:]) @ _RULES[1][1])
        parts.append((fine, np.abs(fine - coarse), size, half * (rounding[:, 16:] @ _RULES[1][1])))
    fine, gap, size, rounding = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return fine, gap, size, rounding


def supremum(function: Range, left: Array, right: Array) -> Enclosure:
    """The suprema over [left_i, right_i], shape (n,).

    A cell's upper bound is the value at an end where the function is monotone, else the lesser of natural
    extension and mean value form; cells that cannot hold the supremum are dropped, the rest halved, until the
    bounds agree to 1e-13, or until rounding lets no more of them go: then the upper bounds stay wider.
    """
    owner = np.arange(left.size)
    low, high = _at(function, owner, left), _at(function, owner, right)
    best = np.maximum(low.lo, high.lo)
    top = best.copy()
    for halvings in range(ROUNDS + 1):
        middle = 0.5 * (left + right)
        both = Enclosure(np.concatenate([middle, left]), np.concatenate([middle, right]))
        values, slopes = function(np.tile(owner, 2), both)
        centre, value, slope = values[: owner.size], values[owner.size :], slopes[owner.size :]
        np.maximum.at(best, owner, np.maximum(centre.lo, np.maximum(low.lo, high.lo)))
        mean_value = centre + slope * Enclosure(left - middle, right - middle)
        monotone = (slope.lo >= 0) | (slope.hi <= 0)
        upper = np.where(monotone, np.maximum(low.hi, high.hi), np.minimum(value.hi, mean_value.hi))
        found = (
            (upper <= best[owner] + SLACK * np.abs(best[owner]) + 1e-300)
            | (middle <= left)
            | (middle >= right)
            | (halvings == ROUNDS)
            | (np.bincount(owner, minlength=best.size)[owner] > CELLS)
        )
        np.maximum.at(top, owner[found], upper[found])
        if bool(found.all()):
            break
        low, high = _joined(low, centre, ~found), _joined(centre, high, ~found)
        owner, left, right = _halved(owner[~found], left[~found], right[~found])
    return Enclosure(best, np.maximum(top, best), "interval bisection")


def _joined(first: Enclosure, second: Enclosure, kept: NDArray[np.bool_]) -> Enclosure:
    """Values at the ends of the halves of the cells that are kept."""
    return Enclosure(
        np.concatenate([first.lo[kept], second.lo[kept]]), np.concatenate([first.hi[kept], second.hi[kept]])
    )


def _at(function: Range, owner: Index, point: Array) -> Enclosure:
    return function(owner, Enclosure(point, point))[0]
