"""Laws on planes whose covariances do not commute: phase space, two dimensions for each eigenvalue of the
target.

Seen from q, the law p has the covariance I + E and the mean w, E = L^{-1} (P - Q) L^{-T}, w = L^{-1}(m_p -
m_q), Q = L L^T. Distances that no linear map alters need only the eigenvalues of E and the components of w
along its eigenvectors: two lanes of a `Relation`.

W2 does need the metric. With D = P - Q, S = tr P + tr Q and X = tr PQ + 2 sqrt(det P det Q),

    tr P + tr Q - 2 tr (PQ)^{1/2} = S - 2 sqrt X = (S^2 - 4X)/(S + 2 sqrt X),
    S^2 - 4X = (D_11 - D_22)^2 + 4 D_12^2 + 4 (sqrt det P - sqrt det Q)^2         (from (tr M)^2 = tr M^2 + 2
    det M on 2x2 matrices),

a sum of squares in which nothing large cancels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulators.distances.ends import Array, add, divide, multiply, outward, point, square, subtract
from simulators.distances.relation import Relation
from simulators.enclosure import Enclosure
from simulators.errors import InputError

__all__ = ["pencil_2x2", "w2_2x2"]

UNIT = 2.0**-53


@dataclass(frozen=True, slots=True)
class _Symmetric:
    """Entries of symmetric 2x2 matrices, as enclosures."""

    a: Enclosure
    b: Enclosure
    c: Enclosure

    @property
    def trace(self) -> Enclosure:
        return add(self.a, self.c)

    @property
    def det(self) -> Enclosure:
        return subtract(multiply(self.a, self.c), square(self.b))


def pencil_2x2(
    cov_q: ArrayLike,
    gap: ArrayLike,
    diff: ArrayLike,
    multiplicities: ArrayLike,
    *,
    cov_q_err: ArrayLike = 0.0,
    gap_err: ArrayLike = 0.0,
    diff_err: ArrayLike = 0.0,
) -> Relation:
    """The law p seen from q on planes that need not commute: a `Relation` of 2B lanes without a scale.

    cov_q, gap     : (C, B, 2, 2), the covariance Q (positive definite) and P - Q; the lower triangles are
                     read.
    diff           : (C, B, 2), mean of p minus mean of q; counted once a plane.
    multiplicities : (C, B), how many planes carry these covariances; 0 marks padding.
    *_err          : absolute bounds of the errors, broadcast to the arrays.

    The rotation that diagonalises E is rounded; with E' its rotated self, (1 - eta)(I + diag E') <= I + E' <=
    (1 + eta)(I + diag E') for eta = |E'_12|/sqrt((1 + E'_11)(1 + E'_22)), and the lanes are widened by eta.
    Nothing is known of the lanes where the error lets Q be singular. Raises InputError where Q is singular.
    """
    counts, q, d, shift = _inputs(cov_q, gap, diff, multiplicities, cov_q_err, gap_err, diff_err)
    exact = (q.a.lo == q.a.hi) & (q.c.lo == q.c.hi)
    lost = ~(q.a.lo > 0)
    least = subtract(q.c, divide(square(q.b), _but(q, lost, 1.0).a)).lo
    lost = lost | ~(least > 0)
    if bool(np.any(lost & exact)):
        raise InputError(
            "cov_q", float(np.min(np.minimum(q.a.lo, least))), "expected a positive definite matrix"
        )
    if bool(np.any(lost)):
        q, d = _but(q, lost, 1.0), _but(d, lost, 0.0)
    lower = divide(q.b, q.a)
    rest = subtract(q.c, multiply(lower, q.b))
    tall, wide = _root(q.a), _root(rest)
    e = _Symmetric(
        divide(d.a, q.a),
        divide(subtract(d.b, multiply(lower, d.a)), multiply(tall, wide)),
        divide(subtract(d.c, multiply(lower, subtract(add(d.b, d.b), multiply(lower, d.a)))), rest),
    )
    w = divide(shift[0], tall), divide(subtract(shift[1], multiply(lower, shift[0])), wide)
    angle = 0.5 * np.arctan2(2.0 * e.b.mid, e.a.mid - e.c.mid)
    cos, sin = point(np.cos(angle)), point(np.sin(angle))
    both = multiply(cos, sin)
    cross = multiply(add(both, both), e.b)
    first = add(add(multiply(square(cos), e.a), multiply(square(sin), e.c)), cross)
    second = subtract(add(multiply(square(sin), e.a), multiply(square(cos), e.c)), cross)
    off = add(multiply(subtract(square(cos), square(sin)), e.b), multiply(both, subtract(e.c, e.a)))
    lanes = [_loosened(x, off, first, second) for x in (first, second)]
    along = add(multiply(cos, w[0]), multiply(sin, w[1])), subtract(multiply(cos, w[1]), multiply(sin, w[0]))
    quads = [outward(z.lo, z.hi, 4.0, floor=0.0) for z in (square(x) for x in along)]
    rho, quad = _side_by_side(*lanes), _side_by_side(*quads)
    doubled, unknown = np.concatenate([counts, counts], axis=-1), np.concatenate([lost, lost], axis=-1)
    with np.errstate(invalid="ignore"):
        ends = [rho.mid, _radius(rho), quad.mid, _radius(quad)]
    unknown = unknown | ~np.isfinite(ends).all(axis=0)
    middles, radii = (
        [np.where(unknown, least, end) for end in ends[i::2]] for i, least in ((0, 0.0), (1, np.inf))
    )
    return Relation.lanes(middles[0], radii[0], middles[1], radii[1], doubled)


def _but(m: _Symmetric, where: NDArray[np.bool_], scale: float) -> _Symmetric:
    """The matrix, but a multiple of the identity where the mask says."""
    a, b, c = (
        Enclosure(np.where(where, value, x.lo), np.where(where, value, x.hi))
        for x, value in ((m.a, scale), (m.b, 0.0), (m.c, scale))
    )
    return _Symmetric(a, b, c)


def w2_2x2(
    cov_q: ArrayLike,
    gap: ArrayLike,
    diff: ArrayLike,
    multiplicities: ArrayLike,
    *,
    cov_q_err: ArrayLike = 0.0,
    gap_err: ArrayLike = 0.0,
    diff_err: ArrayLike = 0.0,
) -> Enclosure:
    """W2 between laws on planes, shape (C,); arguments as for `pencil_2x2`, but Q may be singular."""
    counts, q, d, shift = _inputs(cov_q, gap, diff, multiplicities, cov_q_err, gap_err, diff_err)
    p = _Symmetric(add(q.a, d.a), add(q.b, d.b), add(q.c, d.c))
    change = add(subtract(add(multiply(q.c, d.a), multiply(q.a, d.c)), multiply(add(q.b, q.b), d.b)), d.det)
    det_q = _nonnegative(q.det)
    det_p = _nonnegative(add(det_q, change))
    root_p, root_q = _root(det_p), _root(det_q)
    gap_of_roots = divide(square(change), square(add(root_p, root_q)))
    most = np.maximum(np.abs(change.lo), np.abs(change.hi)) * (1 + 4 * UNIT)  # (sqrt x - sqrt y)^2 <= |x - y|
    gap_of_roots = Enclosure(np.minimum(gap_of_roots.lo, most), np.minimum(gap_of_roots.hi, most))
    top = add(
        square(subtract(d.a, d.c)), multiply(point(np.full_like(counts, 4.0)), add(square(d.b), gap_of_roots))
    )
    mixed = add(
        add(multiply(p.a, q.a), multiply(p.c, q.c)),
        multiply(point(np.full_like(counts, 2.0)), multiply(p.b, q.b)),
    )
    inner = _nonnegative(add(mixed, multiply(point(np.full_like(counts, 2.0)), multiply(root_p, root_q))))
    bottom = _nonnegative(
        add(add(p.trace, q.trace), multiply(point(np.full_like(counts, 2.0)), _root(inner)))
    )
    planes = multiply(point(counts), divide(top, bottom))
    each = add(planes, add(square(shift[0]), square(shift[1])))
    slack = (32.0 + np.log2(counts.shape[-1] + 1.0)) * UNIT
    live = counts > 0
    lo, hi = (
        np.where(live, each.lo, 0.0).sum(axis=-1) * (1 - slack),
        np.where(live, each.hi, 0.0).sum(axis=-1) * (1 + slack),
    )
    return _root(Enclosure(np.maximum(lo, 0.0), hi)).labelled("W2 on planes, closed form")


def _inputs(
    cov_q: ArrayLike,
    gap: ArrayLike,
    diff: ArrayLike,
    multiplicities: ArrayLike,
    cov_q_err: ArrayLike,
    gap_err: ArrayLike,
    diff_err: ArrayLike,
) -> tuple[Array, _Symmetric, _Symmetric, tuple[Enclosure, Enclosure]]:
    counts = np.asarray(multiplicities, dtype=np.float64)
    if counts.ndim != 2:
        raise InputError("multiplicities", counts.shape, "expected an array of shape (C, B)")
    pad = counts == 0
    q = _known("cov_q", cov_q, cov_q_err, (*counts.shape, 2, 2), pad, np.eye(2))
    d = _known("gap", gap, gap_err, (*counts.shape, 2, 2), pad, np.zeros((2, 2)))
    shift = _known("diff", diff, diff_err, (*counts.shape, 2), pad, np.zeros(2))
    return counts, _symmetric(q), _symmetric(d), (shift[..., 0], shift[..., 1])


def _known(
    name: str,
    value: ArrayLike,
    error: ArrayLike,
    shape: tuple[int, ...],
    pad: NDArray[np.bool_],
    neutral: Array,
) -> Enclosure:
    centre = np.asarray(value, dtype=np.float64)
    if centre.shape != shape:
        raise InputError(name, centre.shape, f"expected the shape {shape}")
    aside = pad.reshape(pad.shape + (1,) * (len(shape) - 2))
    centre = np.where(aside, neutral, centre)
    radius = np.where(aside, 0.0, np.broadcast_to(np.asarray(error, dtype=np.float64), shape))
    if not bool(np.all(np.isfinite(centre) & (radius >= 0))):
        raise InputError(name, float(np.max(np.abs(centre))), "expected finite entries with errors >= 0")
    exact = radius == 0
    lo, hi = np.nextafter(centre - radius, -np.inf), np.nextafter(centre + radius, np.inf)
    return Enclosure(np.where(exact, centre, lo), np.where(exact, centre, hi))


def _symmetric(m: Enclosure) -> _Symmetric:
    return _Symmetric(m[..., 0, 0], m[..., 1, 0], m[..., 1, 1])


def _root(a: Enclosure) -> Enclosure:
    return outward(np.sqrt(np.maximum(a.lo, 0.0)), np.sqrt(np.maximum(a.hi, 0.0)), 1.0, floor=0.0)


def _nonnegative(a: Enclosure) -> Enclosure:
    return Enclosure(np.maximum(a.lo, 0.0), np.maximum(a.hi, 0.0))


def _loosened(own: Enclosure, off: Enclosure, first: Enclosure, second: Enclosure) -> Enclosure:
    one = point(np.ones_like(own.lo))
    ratio, product = (
        _nonnegative(add(one, own)),
        multiply(_nonnegative(add(one, first)), _nonnegative(add(one, second))),
    )
    slip = np.maximum(np.abs(off.lo), np.abs(off.hi))
    with np.errstate(divide="ignore", invalid="ignore"):
        eta = np.where(slip == 0, 0.0, slip / np.sqrt(product.lo) * ratio.hi * (1 + 8 * UNIT))
    wide = outward(own.lo, own.hi, 4.0)
    return Enclosure(np.maximum(wide.lo - eta, -1.0), wide.hi + eta * (1 + 2 * UNIT))


def _side_by_side(a: Enclosure, b: Enclosure) -> Enclosure:
    return Enclosure(np.concatenate([a.lo, b.lo], axis=-1), np.concatenate([a.hi, b.hi], axis=-1))


def _radius(a: Enclosure) -> Array:
    return np.where(a.lo == a.hi, 0.0, np.maximum(a.hi - a.mid, a.mid - a.lo) * (1 + 4 * UNIT))
