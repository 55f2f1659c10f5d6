"""Total variation between Gaussian laws in any dimension, by a contour integral.

With M(s) = int p^s q^{1-s}, u = 1 - s, and lanes of multiplicity n,

    log M  = sum n/2 [u log(1 + rho) - log(1 + u rho)] - s u quad/(2(1 + u rho)),
    TV     = (1/2 pi i) int_C (1 - M(s))/(s(1 - s)) ds,        1 - TV = (1/2 pi i) int_C M(s)/(s(1 - s)) ds,

where C runs upwards through the minimiser s0 of M in (0, 1):  s = s0 + a(i cos b sinh t - sin b (cosh t -
1)). The trapezoidal rule in t converges exponentially, its nodes where M is dropped are summed as geometric
series in e^{-t}; -expm1(log M) keeps the relative accuracy of a tiny
TV, exp(log M) that of a tiny overlap 1 - TV. The bend b in {0, +-0.2, +-0.4} is the one along which |M| has
the smallest integral, and M is dropped for good once it is below 1e-20 (on the vertical line from there it
decreases further, and the contour may be continued along it).

Why it holds: the log-likelihood ratio l = log p/q has E_q e^{s l} = M(s), and 1 - TV = E_q min(1, e^l) has
the Mellin transform 1/(s(1-s)).

Errors: quadrature by step halving, rounding by a bound summed node by node, input errors through |d log M|,
capped by Pinsker.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.distances.ends import Array
from simulators.distances.gaussian import (
    FLOOR,
    TERM,
    bhattacharyya,
    excess_minus_log,
    log_ratio,
    tv_bracket,
)
from simulators.distances.relation import Relation
from simulators.enclosure import Enclosure

__all__ = ["overlap", "tv"]

METHOD = "contour integral"
EXTREME = 1e120  # ratios and quads beyond this are left to the bracket
MANY = 32
FAINT = 1e-200  # so are differences below this


def tv(relation: Relation) -> Enclosure:
    """TV(p, q) = 1/2 int |p - q|, shape (C,), within [0, 1], for any number of lanes with any multiplicities.

    Relative accuracy about 1e-13 down to TV = 1e-100; laws that are mutually singular or too far apart for
    floats get the bracket 1 - BC <= TV <= sqrt(1 - BC^2). The method names what was used.
    """
    bracket = tv_bracket(relation)
    usable, out = _integrals(relation, common=False)
    if not bool(usable.any()):
        return bracket
    error = _error(out[:, 2] + out[:, 4], out[:, 6], relation)
    return _narrowed(bracket, usable, out[:, 0], error)


def overlap(relation: Relation) -> Enclosure:
    """1 - TV(p, q) = int min(p, q), shape (C,), with relative accuracy however small it is (1e-300)."""
    bracket = _overlap_bracket(relation)
    usable, out = _integrals(relation, common=True)
    if not bool(usable.any()):
        return bracket
    error = _error(out[:, 3] + out[:, 5], out[:, 7], relation)
    return _narrowed(bracket, usable, out[:, 1], error)


def _overlap_bracket(relation: Relation) -> Enclosure:
    """1 - sqrt(1 - BC^2) <= 1 - TV <= BC, the left side as BC^2/(1 + sqrt(1 - BC^2))."""
    b = bhattacharyya(relation)
    with np.errstate(under="ignore"):
        low = np.exp(-2.0 * b.hi) / (1.0 + np.sqrt(-np.expm1(-2.0 * b.hi)))
        high = np.exp(-b.lo)
    low = np.where(b.hi == 0, 1.0, low * (1.0 - TERM))
    high = np.where(np.isinf(b.lo), 0.0, np.minimum(high * (1.0 + TERM) + FLOOR, 1.0))
    return Enclosure(low, high, "1-TV between 1-sqrt(1-BC^2) and BC")


def _integrals(relation: Relation, *, common: bool) -> tuple[NDArray[np.bool_], Array]:
    """The cases within reach of the quadrature, and for them the rows of `contour_kernel.integrate`; 1 - TV
    is wanted if ``common``.
    """
    rho, ratio, quad = relation.rho.mid, relation.ratio.mid, relation.quad.mid
    live = (relation.multiplicities > 0) & (
        (rho != 0) | (quad != 0) | (relation.rho.width > 0) | (relation.quad.width > 0)
    )
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        relative = 0.5 * relation.rho.width / np.where(np.isfinite(ratio) & (ratio > 0), ratio, 1.0)
        known = (ratio > 1.0 / EXTREME) & (ratio < EXTREME) & (quad < EXTREME)
        relative = np.minimum(relative, 0.5 * relation.ratio.width / np.where(known, ratio, 1.0))
        size = np.where(
            live & known, relation.multiplicities * rho * rho / np.maximum(ratio, 1.0) + quad, 0.0
        ).sum(axis=-1)
    usable = (
        (known | ~live).all(axis=-1) & np.where(live, relative < 1e-3, True).all(axis=-1) & (size > FAINT)
    )
    out = np.zeros((len(usable), 8))
    chosen = np.flatnonzero(usable)
    if len(chosen) == 0:
        return usable, out
    live, rho, ratio, quad, relative = (
        live[chosen],
        rho[chosen],
        ratio[chosen],
        quad[chosen],
        relative[chosen],
    )
    columns = (
        relation.multiplicities[chosen],
        rho,
        ratio,
        log_ratio(rho, ratio),
        excess_minus_log(rho, ratio),
        quad,
        relative,
        0.5 * relation.quad.width[chosen],
    )
    table = np.stack([np.where(live, column, 0.0) for column in columns], axis=-1)
    order = np.argsort(~live, axis=-1, kind="stable")
    table = np.ascontiguousarray(np.take_along_axis(table, order[..., None], axis=1))
    from simulators.distances.contour_kernel import integrate, integrate_parallel

    rows = np.zeros((len(chosen), 8))
    # a few cases are not worth waking threads for
    share = integrate_parallel if len(chosen) >= MANY else integrate
    share(table, live.sum(axis=-1), common, rows)
    out[chosen] = rows
    return usable, out


def _error(own: Array, inherited: Array, relation: Relation) -> Array:
    """Quadrature and rounding error, plus the smaller of two bounds on the effect of the input errors."""
    with np.errstate(invalid="ignore", over="ignore"):
        return own + np.fmin(inherited, _pinsker(relation))


def _pinsker(relation: Relation) -> Array:
    """|TV(p, q) - TV(p', q)| <= sqrt(KL(p'||p)/2), p at the middle and p' anywhere in the enclosure."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        ratio = relation.ratio.mid
        change = np.minimum(relation.rho.width, relation.ratio.width) / ratio
        shift = (np.sqrt(relation.quad.hi) - np.sqrt(relation.quad.lo)) ** 2 / ratio
        lane = (
            0.5
            * relation.multiplicities
            * excess_minus_log(-np.minimum(change, 1.0), np.maximum(1.0 - change, 0.0))
        )
        total = np.where(relation.multiplicities > 0, lane + 0.5 * shift, 0.0).sum(axis=-1)
    return np.where(np.isnan(total), np.inf, np.sqrt(0.5 * total) * (1.0 + 1e-12))


def _narrowed(bracket: Enclosure, usable: NDArray[np.bool_], value: Array, error: Array) -> Enclosure:
    """The certified bracket, cut down to value +- error where the quadrature was used."""
    good = usable & np.isfinite(value) & np.isfinite(error)
    with np.errstate(invalid="ignore"):
        low = np.where(good, np.nextafter(value - error, -np.inf), bracket.lo)
        high = np.where(good, np.nextafter(value + error, np.inf), bracket.hi)
    lo, hi = np.maximum(low, bracket.lo), np.minimum(high, bracket.hi)
    crossed = lo > hi
    if bool(crossed.any()):
        case = int(np.flatnonzero(crossed)[0])
        raise ArithmeticError(
            f"tv[{case}]={value[case]!r}: expected a value in the certified bracket "
            f"[{bracket.lo[case]!r}, {bracket.hi[case]!r}]"
        )
    return Enclosure(lo, hi, METHOD if bool(good.all()) else f"{METHOD}; {bracket.method}")
