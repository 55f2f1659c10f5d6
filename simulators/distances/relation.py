"""How a Gaussian law p is seen from a law q: relative excess variance and standardised mean difference, lane
by lane.

Every distance between commuting Gaussians is a sum over lanes (eigenspaces) of functions of rho = (v_p -
v_q)/v_q and of quad = (m_p - m_q)^2/v_q. Here both are formed without cancellation: differences of forward
laws come from differences of times,

    v_s - v_t = (lam - 1)(e^{-2s} - e^{-2t}),     m_s - m_t = m (e^{-s} - e^{-t}),     e^{-as} - e^{-at} =
    e^{-as}(1 - e^{-a(t - s)}),

and the deviations of the samplers are added to them: v_p - v_q = (S_p - S_q)(1 + rel_p) + S_q (rel_p -
rel_q).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulators.distances.ends import (
    Array,
    add,
    decay,
    divide,
    in_order,
    intersect,
    point,
    rise,
    square,
    subtract,
    times,
)
from simulators.enclosure import Enclosure
from simulators.errors import InputError
from simulators.laws.law import Law

__all__ = ["Relation", "Scale", "mean", "relate", "variance"]


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """The part of a relation that a change of coordinates alters; enclosures of shape (C, B).

    gap        : v_p - v_q.
    variance_p : v_p.
    variance_q : v_q.
    diff       : mean of p minus mean of q along the mean axis.
    """

    gap: Enclosure
    variance_p: Enclosure
    variance_q: Enclosure
    diff: Enclosure


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """The law p seen from the law q in C cases of B lanes; enclosures of shape (C, B).

    rho            : (v_p - v_q)/v_q, in [-1, inf].
    ratio          : v_p/v_q = 1 + rho, kept apart because it is accurate where rho is close to -1.
    quad           : (m_p - m_q)^2/v_q, counted once per lane.
    multiplicities : float64 (C, B); a lane counts that often, 0 marks padding.
    scale          : the metric part, or None where lanes are those of a matrix pencil.

    Two equal Diracs have rho = 0, ratio = 1, quad = 0; a Dirac q and a wider p have rho = ratio = inf.
    """

    rho: Enclosure
    ratio: Enclosure
    quad: Enclosure
    multiplicities: Array
    scale: Scale | None = None

    def __post_init__(self) -> None:
        counts = np.asarray(self.multiplicities, dtype=np.float64)
        object.__setattr__(self, "multiplicities", counts)
        if counts.ndim != 2:
            raise InputError("multiplicities", counts.shape, "expected an array of shape (C, B)")
        if not bool(np.all((counts >= 0) & (counts == np.floor(counts)) & np.isfinite(counts))):
            raise InputError("multiplicities", float(np.min(counts)), "expected finite integers >= 0")
        for name in ("rho", "ratio", "quad"):
            shape = getattr(self, name).lo.shape
            if shape != counts.shape:
                raise InputError(name, shape, f"expected the shape {counts.shape} of the multiplicities")
        for name, least in (("rho", -1.0), ("ratio", 0.0), ("quad", 0.0)):
            low = getattr(self, name).lo
            if bool(np.any(low < least)):
                raise InputError(name, float(np.min(low)), f"expected >= {least}")

    @classmethod
    def lanes(
        cls,
        rho: ArrayLike,
        rho_err: ArrayLike,
        quad: ArrayLike,
        quad_err: ArrayLike,
        multiplicities: ArrayLike,
        ratio: ArrayLike | None = None,
        ratio_err: ArrayLike = 0.0,
    ) -> Relation:
        """Bare lanes, each number known up to +- its error, cut at rho = -1 (variance 0) and quad = 0.

        All arguments broadcast to (C, B). Raises InputError where a value is below its range by more than its
        error.
        """
        counts = np.asarray(multiplicities, dtype=np.float64)
        seen = _around("rho", rho, rho_err, -1.0, counts.shape)
        shift = add(_whole(1.0, counts.shape), seen)
        own = Enclosure(np.maximum(shift.lo, 0.0), shift.hi)
        if ratio is not None:
            own = intersect(own, _around("ratio", ratio, ratio_err, 0.0, counts.shape))
            seen = intersect(seen, _at_least(subtract(own, _whole(1.0, counts.shape)), -1.0))
        return _masked(seen, own, _around("quad", quad, quad_err, 0.0, counts.shape), counts)

    @classmethod
    def standard(cls, rho: Enclosure, diff: Enclosure, multiplicities: ArrayLike) -> Relation:
        """Lanes standardised to v_q = 1, of shape (C, ...): variance 1 + rho, mean difference ``diff``.

        ``multiplicities`` has the leading axes of ``rho``; what follows them (the two lanes of a plane)
        shares them.
        """
        counts = np.asarray(multiplicities, dtype=np.float64)
        counts = np.broadcast_to(
            counts.reshape(counts.shape + (1,) * (rho.lo.ndim - counts.ndim)), rho.lo.shape
        )
        counts = counts.reshape(len(counts), -1)
        flat, shift = (Enclosure(x.lo.reshape(counts.shape), x.hi.reshape(counts.shape)) for x in (rho, diff))
        seen = _at_least(flat, -1.0)
        own = _nonnegative(add(_whole(1.0, counts.shape), seen))
        return _masked(seen, own, square(shift), counts)

    @property
    def reversed(self) -> Relation:
        """The law q seen from p: rho -> -rho/(1 + rho), ratio -> 1/ratio, quad -> quad/ratio."""
        one = _whole(1.0, self.multiplicities.shape)
        ratio = divide(one, self.ratio)
        rho = Enclosure(_turned(self.rho.hi, self.ratio.hi, -4.0), _turned(self.rho.lo, self.ratio.lo, 4.0))
        if self.scale is None:
            return Relation(rho, ratio, divide(self.quad, self.ratio), self.multiplicities)
        s = self.scale
        quad = _quad(s.diff, s.variance_p)
        back = Scale(_negated(s.gap), s.variance_q, s.variance_p, _negated(s.diff))
        return Relation(rho, ratio, quad, self.multiplicities, back)


def relate(p: Law, q: Law) -> Relation:
    """The law p seen from q, both in one eigenbasis with the same mean axes.

    p, q : laws of the same C cases and B lanes; times, eigenvalues, target means and deviations may differ.
    Returns enclosures that contain the truth for all deviations within rel_err and dev_err. rel = inf is an
    infinite variance; with rel_err = inf it is an overflow, a variance of at least 1e150 times the reference.
    Raises InputError for shapes or multiplicities that differ, NaN, and variances below zero.
    """
    p, q = _checked(p, "p"), _checked(q, "q")
    counts = np.asarray(p.multiplicities, dtype=np.float64)
    if counts.shape != q.multiplicities.shape or not bool(np.all(counts == q.multiplicities)):
        raise InputError("q.multiplicities", q.multiplicities.shape, "expected those of p, lane by lane")
    rel_p, rel_q = _relative(p), _relative(q)
    forward_p, forward_q = _forward_variance(p), _forward_variance(q)
    grown_p, grown_q = add(_whole(1.0, counts.shape), rel_p), add(_whole(1.0, counts.shape), rel_q)
    variance_p = _nonnegative(times(forward_p, grown_p))
    variance_q = _nonnegative(times(forward_q, grown_q))
    gap = add(times(_forward_gap(p, q), grown_p), times(subtract(rel_p, rel_q), forward_q))
    gap = intersect(gap, subtract(variance_p, variance_q))
    diff = add(_forward_shift(p, q), subtract(_deviation(p), _deviation(q)))
    ratio = divide(variance_p, variance_q)
    rho = _at_least(divide(gap, variance_q), -1.0)
    void = (variance_q.lo == 0) & (variance_q.hi == 0)  # q a Dirac in this lane
    same = void & (variance_p.hi == 0)
    burst = void & (variance_p.lo > 0)
    maybe = void & ~same & ~burst
    rho = _put(_put(_put(rho, same, 0.0, 0.0), burst, np.inf, np.inf), maybe, 0.0, np.inf)
    ratio = _put(_put(_put(ratio, same, 1.0, 1.0), burst, np.inf, np.inf), maybe, 1.0, np.inf)
    touch = (variance_q.lo == 0) & (variance_q.hi > 0) & (variance_p.hi == 0)  # p a Dirac, q perhaps the same
    rho, ratio = _put(rho, touch, -1.0, 0.0), _put(ratio, touch, 0.0, 1.0)
    one = _whole(1.0, counts.shape)
    rho = intersect(rho, _at_least(subtract(ratio, one), -1.0))
    ratio = intersect(ratio, _nonnegative(add(one, rho)))
    return _masked(rho, ratio, _quad(diff, variance_q), counts, Scale(gap, variance_p, variance_q, diff))


def variance(law: Law) -> Enclosure:
    """The variances of a law, shape (C, B), exactly 0 where they are."""
    law = _checked(law, "law")
    one = _whole(1.0, law.rel.shape)
    return _nonnegative(times(_forward_variance(law), add(one, _relative(law))))


def mean(law: Law) -> Enclosure:
    """The means of a law along its mean axes, shape (C, B)."""
    law = _checked(law, "law")
    forward = times(point(law.target_means), _column(decay(1.0, law.time), law))
    return add(forward, _deviation(law))


# -- the forward laws ------------------------------------------------------------------------------


def _forward_variance(law: Law) -> Enclosure:
    kept = times(point(law.eigenvalues), _column(decay(2.0, law.time), law))
    return add(kept, _column(rise(2.0, law.time), law))


def _forward_gap(p: Law, q: Law) -> Enclosure:
    """S_p - S_q = (lam_p - 1)(e^{-2s} - e^{-2t}) + (lam_p - lam_q) e^{-2t}, exact where lam_p = lam_q."""
    excess = subtract(point(p.eigenvalues), _whole(1.0, p.rel.shape))
    return _aged(excess, _decay_gap(2.0, p, q), p.eigenvalues, q.eigenvalues, 2.0, q)


def _forward_shift(p: Law, q: Law) -> Enclosure:
    """e^{-s} m_p - e^{-t} m_q = m_p (e^{-s} - e^{-t}) + (m_p - m_q) e^{-t}."""
    gap = _decay_gap(1.0, p, q)
    return _aged(point(p.target_means), gap, p.target_means, q.target_means, 1.0, q)


def _aged(
    start: Enclosure, gap: tuple[Enclosure, Array], first: Array, second: Array, rate: float, law: Law
) -> Enclosure:
    """The sum start (sign gap) + (first - second) e^{-rate t}, t the time of the law; without its second term
    where that vanishes.
    """
    size, sign = gap
    signed = Enclosure(
        np.minimum(sign * start.lo, sign * start.hi), np.maximum(sign * start.lo, sign * start.hi)
    )
    moved = times(signed, _column(size, law))
    if bool(np.all(first == second)):
        return moved
    past = _column(decay(rate, law.time), law)
    return add(moved, times(subtract(point(first), point(second)), past))


def _decay_gap(rate: float, p: Law, q: Law) -> tuple[Enclosure, Array]:
    """|e^{-rate s} - e^{-rate t}| and its sign as a column, s and t the times of p and q.

    Rounding t - s costs an ulp at most, since x e^x/expm1(x) <= 1 for x < 0.
    """
    s, t = p.time, q.time
    same = s == t
    with np.errstate(invalid="ignore"):
        lag = np.where(same, 0.0, np.abs(t - s))
    size = times(decay(rate, np.minimum(s, t)), rise(rate, lag, 5.0))
    return _put(size, same, 0.0, 0.0), np.where(s <= t, 1.0, -1.0)[:, None]


def _relative(law: Law) -> Enclosure:
    """The deviation rel +- rel_err, cut at -1; an overflow (inf +- inf) is anything from `OVERFLOW` up."""
    return _spread(law.rel, law.rel_err, np.where(np.isinf(law.rel_err), OVERFLOW, np.inf), -1.0)


def _deviation(law: Law) -> Enclosure:
    return _spread(law.dev, law.dev_err, np.where(np.isinf(law.dev_err), -np.inf, law.dev), -np.inf)


def _spread(value: Array, error: Array, low_if_infinite: Array, least: float) -> Enclosure:
    burst = np.isinf(value)
    with np.errstate(invalid="ignore", over="ignore"):
        lo, hi = value - error, value + error
    exact = error == 0
    low = np.where(burst, low_if_infinite, np.where(exact, lo, np.nextafter(lo, -np.inf)))
    high = np.where(
        burst, np.where(np.isinf(error), np.inf, value), np.where(exact, hi, np.nextafter(hi, np.inf))
    )
    return Enclosure(np.maximum(low, least), np.maximum(high, least))


# -- small helpers ---------------------------------------------------------------------------------


OVERFLOW = 1e150
LIMITS = {
    "eigenvalues": (0.0, float(np.finfo(np.float64).max)),
    "target_means": (-float(np.finfo(np.float64).max), float(np.finfo(np.float64).max)),
    "rel": (-np.inf, np.inf),
    "rel_err": (0.0, np.inf),
    "dev": (-np.inf, np.inf),
    "dev_err": (0.0, np.inf),
}
LEAST, MOST = (np.array(ends)[:, None, None] for ends in zip(*LIMITS.values(), strict=True))


def _checked(law: Law, name: str) -> Law:
    """The law with neutral numbers in its padding; raises InputError for what is no law."""
    counts = np.asarray(law.multiplicities, dtype=np.float64)
    if counts.ndim != 2 or np.shape(law.time) != counts.shape[:1]:
        raise InputError(
            f"{name}.time", np.shape(law.time), f"expected one time a case, for lanes of shape {counts.shape}"
        )
    if not bool(np.all(law.time >= 0)):
        raise InputError(f"{name}.time", float(np.min(law.time)), "expected >= 0")
    fields = {field: np.asarray(getattr(law, field), dtype=np.float64) for field in LIMITS}
    for field, value in fields.items():
        if value.shape != counts.shape:
            raise InputError(
                f"{name}.{field}", value.shape, f"expected the shape {counts.shape} of the multiplicities"
            )
    table = np.stack([*fields.values()])
    table[:, counts == 0] = 0.0
    fields = dict(zip(fields, table, strict=True))
    inside = ((table >= LEAST) & (table <= MOST)).all(axis=(1, 2))
    if not bool(inside.all()):
        field, (least, most) = [*LIMITS.items()][int(np.argmin(inside))]
        value = fields[field]
        bad = ~((value >= least) & (value <= most))
        raise InputError(f"{name}.{field}", float(value[bad][0]), f"expected a number in [{least}, {most}]")
    with np.errstate(over="ignore"):
        below = fields["rel"] + fields["rel_err"] < -1.0
    if bool(below.any()):
        raise InputError(
            f"{name}.rel", float(fields["rel"][below][0]), "expected >= -1, as a variance is not negative"
        )
    return Law(multiplicities=counts, time=np.asarray(law.time, dtype=np.float64), **fields)


def _column(values: Enclosure, law: Law) -> Enclosure:
    shape = law.rel.shape
    return in_order(np.broadcast_to(values.lo[:, None], shape), np.broadcast_to(values.hi[:, None], shape))


def _whole(value: float, shape: tuple[int, ...]) -> Enclosure:
    return point(np.full(shape, value))


def _put(a: Enclosure, where: NDArray[np.bool_], lo: float, hi: float) -> Enclosure:
    if not where.any():
        return a
    return in_order(np.where(where, lo, a.lo), np.where(where, hi, a.hi))


def _at_least(a: Enclosure, least: float) -> Enclosure:
    return in_order(np.maximum(a.lo, least), np.maximum(a.hi, least))


def _nonnegative(a: Enclosure) -> Enclosure:
    return _at_least(a, 0.0)


def _negated(a: Enclosure) -> Enclosure:
    return -a


def _turned(rho: Array, ratio: Array, ulps: float) -> Array:
    """-rho/(1 + rho), moved by ``ulps`` (up if positive): 1/ratio - 1 where 1 + rho is far from 1."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        near, far = -rho / ratio, 1.0 / ratio - 1.0
        value = np.where(ratio > 2.0, far, near)
    value = np.where(rho == 0, 0.0, value)
    with np.errstate(invalid="ignore"):
        moved = np.where(np.isinf(value) | (value == 0), value, value + ulps * 2.0**-52 * np.abs(value))
    return np.maximum(moved, -1.0)


def _quad(diff: Enclosure, spread: Enclosure) -> Enclosure:
    """diff^2/variance: 0 for equal means whatever the variance, inf for unequal means over a Dirac."""
    return _nonnegative(divide(square(diff), spread))


def _around(name: str, value: ArrayLike, error: ArrayLike, least: float, shape: tuple[int, ...]) -> Enclosure:
    centre = np.broadcast_to(np.asarray(value, dtype=np.float64), shape)
    radius = np.broadcast_to(np.asarray(error, dtype=np.float64), shape)
    if not bool(np.all(centre + radius >= least)):
        raise InputError(name, float(np.min(centre)), f"expected >= {least}, and no NaN")
    exact = (radius == 0) | np.isinf(centre)
    with np.errstate(invalid="ignore"):
        lo = np.where(exact, centre, np.nextafter(centre - radius, -np.inf))
        hi = np.where(exact, centre, np.nextafter(centre + radius, np.inf))
    return Enclosure(np.maximum(lo, least), hi)


def _masked(
    rho: Enclosure, ratio: Enclosure, quad: Enclosure, counts: Array, scale: Scale | None = None
) -> Relation:
    """Neutral values in the padding."""
    pad = counts == 0
    if scale is not None:
        scale = Scale(
            _put(scale.gap, pad, 0.0, 0.0),
            _put(scale.variance_p, pad, 1.0, 1.0),
            _put(scale.variance_q, pad, 1.0, 1.0),
            _put(scale.diff, pad, 0.0, 0.0),
        )
    return Relation(
        _put(rho, pad, 0.0, 0.0), _put(ratio, pad, 1.0, 1.0), _put(quad, pad, 0.0, 0.0), counts, scale
    )
