"""Closed-form distances between Gaussian laws, with rounding and input errors carried into the enclosure.

Sums over lanes with multiplicity n, in rho = v_p/v_q - 1 and quad = (m_p - m_q)^2/v_q (nats):

    KL(p||q)        = sum n/2 [rho - log(1 + rho)] + quad/2
    -log BC         = sum n/4 log(1 + rho^2/(4(1 + rho))) + quad/(4(2 + rho)),        BC = int sqrt(p q)
    log(1 + chi2)   = sum -n/2 log(1 - rho^2) + quad/(1 - rho),                        chi2 = int p^2/q - 1,
    finite iff rho < 1 FI(p|q)         = sum [n rho^2/(1 + rho) + quad]/v_q,                              E_p
    |grad log p/q|^2 W2^2            = sum n [(v_p - v_q)/(sqrt v_p + sqrt v_q)]^2 + (m_p - m_q)^2

Every term is nonnegative, zero at rho = 0 and monotone on either side, so its range over an interval of rho
is attained at the ends. Rounding: a term costs fewer than 16 units of 2^-53 (each elementary function within
4 ulps) and a pairwise sum of B terms fewer than 32 + log2 B; all of it is relative because nothing cancels.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulators.distances.ends import UNIT, Array, divide, point, square, subtract, times
from simulators.distances.relation import Relation, Scale, mean, variance
from simulators.enclosure import Enclosure
from simulators.errors import NotDefined
from simulators.laws.law import Law

__all__ = [
    "affinity",
    "bhattacharyya",
    "chi2",
    "excess_minus_log",
    "hellinger",
    "kl",
    "log_ratio",
    "relative_fisher",
    "score_energy",
    "second_moment",
    "tv_bracket",
    "w2",
]

TERM = 32.0 * UNIT
FLOOR = 1e-305  # products that underflow lie below this


def kl(relation: Relation) -> Enclosure:
    """KL(p||q), shape (C,), nats; inf where p is not absolutely continuous with respect to q.

    The other order KL(q||p) is ``kl(relation.reversed)``.
    """
    lo, hi = _valley(excess_minus_log, relation)
    return _total(relation, lo, hi, 0.5, relation.quad, 0.5, "KL, closed form")


def bhattacharyya(relation: Relation) -> Enclosure:
    """-log int sqrt(p q), shape (C,), nats; inf where p and q are mutually singular."""
    lo, hi = _valley(_affinity_term, relation)
    return _total(relation, lo, hi, 0.25, _mean_term(relation), 0.25, "Bhattacharyya distance, closed form")


def affinity(relation: Relation) -> Enclosure:
    """The Bhattacharyya coefficient BC = int sqrt(p q), shape (C,), in [0, 1]."""
    b = bhattacharyya(relation)
    with np.errstate(under="ignore"):
        lo, hi = np.exp(-b.hi), np.maximum(np.exp(-b.lo), np.where(np.isinf(b.lo), 0.0, FLOOR))
    return _scaled(lo, hi, "Bhattacharyya coefficient, closed form", 1.0)


def hellinger(relation: Relation) -> Enclosure:
    """sqrt(1 - BC), shape (C,): the Hellinger distance normalised so that singular laws are at distance 1."""
    b = bhattacharyya(relation)
    lo, hi = np.sqrt(-np.expm1(-b.lo)), np.sqrt(-np.expm1(-b.hi))
    return _apart(_scaled(lo, hi, "Hellinger distance, closed form", 1.0), b)


def tv_bracket(relation: Relation) -> Enclosure:
    """1 - BC <= TV <= sqrt(1 - BC^2), shape (C,): a cheap certified bracket of TV (Le Cam)."""
    b = bhattacharyya(relation)
    lo, hi = -np.expm1(-b.lo), np.sqrt(-np.expm1(-2.0 * b.hi))
    return _apart(_scaled(lo, hi, "TV between 1-BC and sqrt(1-BC^2)", 1.0), b)


def chi2(relation: Relation) -> Enclosure:
    """The chi-squared divergence int p^2/q - 1, shape (C,); inf where v_p >= 2 v_q in a lane."""
    lo, hi = _valley(_chi2_term, relation)
    rho, quad = relation.rho, relation.quad
    room = subtract(point(np.ones_like(rho.lo)), rho)
    room = Enclosure(np.maximum(room.lo, 0.0), np.maximum(room.hi, 0.0))
    log = _total(relation, lo, hi, 0.5, divide(quad, room), 1.0, "")
    diverges = ((rho.lo >= 1.0) & (relation.multiplicities > 0)).any(axis=-1)
    perhaps = ((rho.hi >= 1.0) & (relation.multiplicities > 0)).any(axis=-1)
    with np.errstate(over="ignore"):
        low, high = np.expm1(log.lo), np.expm1(log.hi)
    biggest = np.finfo(np.float64).max
    low = np.where(diverges | np.isinf(log.lo), np.inf, np.minimum(low, biggest))
    return _scaled(low, np.where(perhaps, np.inf, high), "chi-squared, closed form")


def relative_fisher(relation: Relation) -> Enclosure:
    """FI(p|q) = E_p |grad log p/q|^2, shape (C,); inf where p or q alone is degenerate, 0 where p = q.

    Raises NotDefined for lanes of a matrix pencil, which do not know the metric.
    """
    scale = _metric(relation, "relative Fisher information")
    lo, hi = _valley(_stretch, relation)
    spread = Enclosure(np.maximum(scale.variance_q.lo, 0.0), scale.variance_q.hi)
    same = (relation.rho.lo == 0) & (relation.rho.hi == 0)
    lane = divide(Enclosure(lo, hi), spread)
    lane = Enclosure(np.where(same, 0.0, lane.lo), np.where(same, 0.0, lane.hi))
    return _total(
        relation,
        lane.lo,
        lane.hi,
        1.0,
        divide(relation.quad, spread),
        1.0,
        "relative Fisher information, closed form",
    )


def w2(relation: Relation) -> Enclosure:
    """The Wasserstein distance W2(p, q), shape (C,); raises NotDefined for lanes of a matrix pencil."""
    scale = _metric(relation, "W2")
    squared = _root_gap_squared(scale)
    total = _total(relation, squared.lo, squared.hi, 1.0, square(scale.diff), 1.0, "")
    ends = np.stack([scale.variance_p.lo, scale.variance_q.lo, np.abs(scale.diff.lo), np.abs(scale.diff.hi)])
    finite = np.isfinite(ends).all(axis=(0, -1))  # then an infinite square is an overflow
    least = np.where(finite, np.minimum(total.lo, np.finfo(np.float64).max), total.lo)
    return _scaled(np.sqrt(least), np.sqrt(total.hi), "W2, closed form")


def _root_gap_squared(scale: Scale) -> Enclosure:
    """(sqrt v_p - sqrt v_q)^2 = (v_p - v_q)^2/(sqrt v_p + sqrt v_q)^2, bounds that survive v = 0 and inf."""
    low_p, low_q = np.sqrt(scale.variance_p.lo), np.sqrt(scale.variance_q.lo)
    high_p, high_q = np.sqrt(scale.variance_p.hi), np.sqrt(scale.variance_q.hi)
    size = square(scale.gap)
    with np.errstate(over="ignore"):
        sums = Enclosure((low_p + low_q) ** 2 * (1 - TERM), (high_p + high_q) ** 2 * (1 + TERM))
    quotient = divide(size, sums)
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.fmax(low_p * (1 - TERM) - high_q * (1 + TERM), low_q * (1 - TERM) - high_p * (1 + TERM))
        least = np.fmax(quotient.lo, np.maximum(apart, 0.0) ** 2 * (1 - TERM))
    most = np.minimum(quotient.hi, np.sqrt(size.hi) * (1 + TERM))  # (sqrt x - sqrt y)^2 <= |x - y|
    return Enclosure(np.minimum(least, most), most)


def score_energy(law: Law) -> Enclosure:
    """J(p) = E_p |grad log p|^2 = sum n/v, shape (C,); inf for a degenerate law."""
    counts = np.asarray(law.multiplicities, dtype=np.float64)
    inverse = divide(point(np.ones_like(counts)), variance(law))
    return _sum(times(point(counts), inverse), counts, "Fisher information, closed form")


def second_moment(law: Law) -> Enclosure:
    """M2(p) = E_p |x|^2 = sum n v + m^2, shape (C,)."""
    counts = np.asarray(law.multiplicities, dtype=np.float64)
    spread, centre = times(point(counts), variance(law)), square(mean(law))
    with np.errstate(over="ignore"):
        both = Enclosure((spread.lo + centre.lo) * (1 - TERM), (spread.hi + centre.hi) * (1 + TERM))
    return _sum(both, counts, "second moment, closed form")


# -- functions of one lane -------------------------------------------------------------------------


def log_ratio(rho: Array, ratio: Array) -> Array:
    """log(1 + rho), from whichever of rho and ratio = 1 + rho is the accurate one."""
    near = np.abs(rho) < 0.5
    with np.errstate(divide="ignore"):
        return np.where(near, np.log1p(np.where(near, rho, 0.0)), np.log(np.where(near, 1.0, ratio)))


def excess_minus_log(rho: Array, ratio: Array) -> Array:
    """Rho - log(1 + rho); by log(1 + rho) = 2 atanh r, r = rho/(2 + rho): rho r - 2 (r^3/3 + ...)."""
    small = np.abs(rho) < 0.25
    near = np.where(small, rho, 0.0)
    r = near / (2.0 + near)
    rr, series = r * r, np.zeros_like(r)
    for odd in (19, 17, 15, 13, 11, 9, 7, 5, 3):
        series = series * rr + 1.0 / odd
    with np.errstate(invalid="ignore"):
        far = np.where(np.isinf(rho), np.inf, rho - log_ratio(rho, ratio))
    return np.where(small, near * r - 2.0 * r * rr * series, far)


def _stretch(rho: Array, ratio: Array) -> Array:
    """rho^2/(1 + rho)."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        return np.where(np.isinf(rho), np.inf, np.where(rho == 0, 0.0, rho * (rho / ratio)))


def _affinity_term(rho: Array, ratio: Array) -> Array:
    """log(1 + rho^2/(4(1 + rho))), the logarithm taken apart where the quotient overflows."""
    with np.errstate(divide="ignore", under="ignore"):
        return np.asarray(np.log1p(0.25 * _stretch(rho, ratio)))


def _chi2_term(rho: Array, ratio: Array) -> Array:
    """-log(1 - rho^2), inf from rho = 1 on and at rho = -1."""
    small = np.abs(rho) < 0.5
    near, far = np.where(small, rho, 0.0), np.where(small | (rho >= 1.0), 0.0, rho)
    with np.errstate(divide="ignore", under="ignore"):
        apart = -np.log1p(-far) - np.log(np.where(small | (rho >= 1.0), 1.0, ratio))
        return np.where(small, -np.log1p(-near * near), np.where(rho >= 1.0, np.inf, apart))


def _mean_term(relation: Relation) -> Enclosure:
    """quad/(2 + rho) = quad/(1 + ratio)."""
    with np.errstate(over="ignore"):
        around = Enclosure((1.0 + relation.ratio.lo) * (1 - TERM), (1.0 + relation.ratio.hi) * (1 + TERM))
    exact = (relation.rho.lo == 0) & (relation.rho.hi == 0)
    term = divide(relation.quad, Enclosure(np.where(exact, 2.0, around.lo), np.where(exact, 2.0, around.hi)))
    # (m_p - m_q)^2/(v_p + v_q): two Diracs at different points, or q alone a Dirac, leave inf/inf
    if relation.scale is not None:
        s = relation.scale
        with np.errstate(over="ignore"):
            both = Enclosure(
                (s.variance_p.lo + s.variance_q.lo) * (1 - TERM),
                (s.variance_p.hi + s.variance_q.hi) * (1 + TERM),
            )
        direct = divide(square(s.diff), both)
        return Enclosure(
            np.where(np.isinf(relation.ratio.hi), direct.lo, term.lo),
            np.where(np.isinf(relation.ratio.hi), direct.hi, term.hi),
        )
    return term


# -- from lanes to cases ---------------------------------------------------------------------------


def _metric(relation: Relation, name: str) -> Scale:
    if relation.scale is None:
        raise NotDefined(f"{name}: the lanes of a matrix pencil do not know the metric")
    return relation.scale


def _valley(function: Callable[[Array, Array], Array], relation: Relation) -> tuple[Array, Array]:
    """Range of a lane function that is 0 at rho = 0 and grows away from it."""
    rho, ratio = relation.rho, relation.ratio
    left, right = function(rho.lo, ratio.lo), function(rho.hi, ratio.hi)
    inside = (rho.lo <= 0) & (rho.hi >= 0)
    low = np.where(inside, 0.0, np.minimum(left, right) * (1.0 - TERM))
    high = np.maximum(left, right) * (1.0 + TERM)
    nought = (rho.lo == 0) & (rho.hi == 0)
    return low, np.where(nought, 0.0, np.maximum(high, FLOOR))


def _total(
    relation: Relation, lo: Array, hi: Array, weight: float, quad: Enclosure, quad_weight: float, method: str
) -> Enclosure:
    """Sum over lanes of weight n [lo, hi] + quad_weight quad, everything nonnegative."""
    counts = relation.multiplicities
    live = counts > 0
    with np.errstate(invalid="ignore", over="ignore"):
        low = np.where(live, weight * counts * lo + quad_weight * quad.lo, 0.0)
        high = np.where(live, weight * counts * hi + quad_weight * quad.hi, 0.0)
    return _sum(Enclosure(low * (1 - TERM), high * (1 + TERM)), counts, method)


def _sum(lanes: Enclosure, counts: Array, method: str) -> Enclosure:
    live = counts > 0
    slack = (32.0 + np.log2(counts.shape[-1] + 1.0)) * UNIT
    with np.errstate(over="ignore"):
        lo = np.where(live, lanes.lo, 0.0).sum(axis=-1) * (1.0 - slack)
        hi = np.where(live, lanes.hi, 0.0).sum(axis=-1) * (1.0 + slack)
    return Enclosure(np.minimum(lo, hi), hi, method)


def _scaled(lo: Array, hi: Array, method: str, most: float = np.inf) -> Enclosure:
    """A last elementary function and a last rounding, both relative."""
    upper = np.where(hi == 0, 0.0, np.maximum(hi * (1.0 + TERM), FLOOR))
    return Enclosure(np.minimum(lo * (1.0 - TERM), most), np.minimum(upper, most), method)


def _apart(values: Enclosure, b: Enclosure) -> Enclosure:
    """The value 1 exactly where the laws are mutually singular, -log BC = inf."""
    return Enclosure(np.where(np.isinf(b.lo), 1.0, values.lo), values.hi, values.method)
