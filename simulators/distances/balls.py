"""The same distances in ball arithmetic: every returned ball contains the truth.

A law is a list of lanes (variance, mean, multiplicity), variance and mean arb balls, the mean along the one
mean axis of the eigenspace. The two laws list the same lanes in the same order. Textbook forms throughout:
flint's working precision ``ctx.prec``, which the caller sets, pays for the cancellations and the radius shows
what is left. An exact zero variance is a Dirac; infinite results are arb("+inf").
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from flint import acb, arb, ctx

from simulators.errors import InputError

__all__ = [
    "Block",
    "Lane",
    "bhattacharyya_ball",
    "chi2_ball",
    "hellinger_ball",
    "kl_2x2_ball",
    "kl_ball",
    "overlap_ball",
    "pencil_ball",
    "relative_fisher_ball",
    "score_energy_ball",
    "second_moment_ball",
    "tv_ball",
    "w2_ball",
    "w2_squared_2x2_ball",
]

Lane = tuple[arb, arb, int]
Block = tuple[tuple[arb, arb], tuple[arb, arb]]

INF = arb.pos_inf()
ENOUGH = 10  # bits below which the bracket is preferred
NOTHING = 2.0**-1022  # an overlap below this is not looked for more closely
SPARE = 40  # further bits for the incomplete gamma function
SERIES = 1_000_000  # dimension up to which it is summed


def kl_ball(ps: Sequence[Lane], qs: Sequence[Lane]) -> arb:
    """KL(p||q) = sum n/2 [v_p/v_q - 1 - log(v_p/v_q)] + (m_p - m_q)^2/(2 v_q), nats."""

    def lane(p: Lane, q: Lane) -> arb:
        ratio = p[0] / q[0]
        return p[2] * (ratio - 1 - ratio.log()) / 2 + _square(p[1] - q[1]) / (2 * q[0])

    return _sum(lane, ps, qs)


def bhattacharyya_ball(ps: Sequence[Lane], qs: Sequence[Lane]) -> arb:
    """-log int sqrt(p q) = sum n/2 log((v_p + v_q)/(2 sqrt(v_p v_q))) + (m_p - m_q)^2/(4 (v_p + v_q))."""

    def lane(p: Lane, q: Lane) -> arb:
        both = p[0] + q[0]
        return p[2] * (both * both / (4 * p[0] * q[0])).log() / 4 + _square(p[1] - q[1]) / (4 * both)

    return _sum(lane, ps, qs)


def hellinger_ball(ps: Sequence[Lane], qs: Sequence[Lane]) -> arb:
    """sqrt(1 - BC)."""
    return _root(-(-bhattacharyya_ball(ps, qs)).expm1())


def chi2_ball(ps: Sequence[Lane], qs: Sequence[Lane]) -> arb:
    """The chi-squared divergence int p^2/q - 1, inf from v_p = 2 v_q on.

    prod (v_q^2/(v_p (2 v_q - v_p)))^{n/2} e^{(m_p - m_q)^2/(2 v_q - v_p)} - 1.
    """

    def lane(p: Lane, q: Lane) -> arb:
        room = 2 * q[0] - p[0]
        if room <= 0:
            return INF
        if not room > 0:
            return _unknown()
        return p[2] * (q[0] * q[0] / (p[0] * room)).log() / 2 + _square(p[1] - q[1]) / room

    return _sum(lane, ps, qs).expm1()


def relative_fisher_ball(ps: Sequence[Lane], qs: Sequence[Lane]) -> arb:
    """E_p |grad log p/q|^2 = sum n (v_p - v_q)^2/(v_p v_q^2) + (m_p - m_q)^2/v_q^2."""

    def lane(p: Lane, q: Lane) -> arb:
        return (p[2] * _square(p[0] - q[0]) / p[0] + _square(p[1] - q[1])) / _square(q[0])

    return _sum(lane, ps, qs)


def w2_ball(ps: Sequence[Lane], qs: Sequence[Lane]) -> arb:
    """W2, the root of sum n (sqrt v_p - sqrt v_q)^2 + (m_p - m_q)^2; finite for Diracs."""
    total = arb(0)
    for p, q in _paired(ps, qs):
        total += p[2] * _square(_root(p[0]) - _root(q[0])) + _square(p[1] - q[1])
    return _root(total)


def score_energy_ball(ps: Sequence[Lane]) -> arb:
    """J(p) = E_p |grad log p|^2 = sum n/v."""
    if any(_is_null(variance) for variance, _, n in ps if n):
        return INF
    return sum((n / variance for variance, _, n in ps if n), arb(0))


def second_moment_ball(ps: Sequence[Lane]) -> arb:
    """M2(p) = E_p |x|^2 = sum n v + m^2."""
    return sum((n * variance + _square(mean) for variance, mean, n in ps if n), arb(0))


def kl_2x2_ball(cov_p: Block, cov_q: Block, diff: tuple[arb, arb], n: int) -> arb:
    """KL of n equal independent planes, one of them with the mean difference ``diff``."""
    det_p, det_q = _det(cov_p), _det(cov_q)
    if _is_null(det_p) or _is_null(det_q):
        return INF
    (a, b), (_, c) = cov_q
    trace = (c * cov_p[0][0] + a * cov_p[1][1] - 2 * b * cov_p[0][1]) / det_q
    quad = (c * _square(diff[0]) + a * _square(diff[1]) - 2 * b * diff[0] * diff[1]) / det_q
    return n * (trace - 2 - (det_p / det_q).log()) / 2 + quad / 2


def w2_squared_2x2_ball(cov_p: Block, cov_q: Block, diff: tuple[arb, arb], n: int) -> arb:
    """W2^2 of n equal independent planes, n [tr P + tr Q - 2 tr (PQ)^{1/2}] + |diff|^2.

    On 2x2 matrices tr (PQ)^{1/2} = sqrt(tr PQ + 2 sqrt(det PQ)).
    """
    (a, b), (_, c) = cov_p
    (x, y), (_, z) = cov_q
    cross = _root(a * x + 2 * b * y + c * z + 2 * _root(_det(cov_p) * _det(cov_q)))
    return (n * (a + c + x + z - 2 * cross) + _square(diff[0]) + _square(diff[1])).nonnegative_part()


def pencil_ball(
    cov_p: Block, cov_q: Block, diff: tuple[arb, arb], n: int
) -> tuple[tuple[Lane, Lane], tuple[Lane, Lane]]:
    """Two lanes of each law for n equal planes, in coordinates that make q standard and p diagonal.

    With Q = L L^T the law p becomes N(w, M), M = L^{-1} P L^{-T}, w = L^{-1} diff; its lanes are the
    eigenvalues of M with the components of w along the eigenvectors. Where the eigenvalues may coincide no
    direction is known, and a component is anything up to |w|. A plane on which a law is singular comes out as
    a lane of variance zero.
    """
    if _is_null(_det(cov_p)) or _is_null(_det(cov_q)):
        void = tuple((arb(0 if _is_null(_det(c)) else 1), arb(0), n) for c in (cov_p, cov_q))
        return (void[0], void[0]), (void[1], void[1])
    (a, b), (_, c) = cov_p
    (x, y), _ = cov_q
    slope, corner = y / x, _det(cov_q) / x
    m11, m22 = a / x, (c - 2 * slope * b + slope * slope * a) / corner
    m12 = (b - slope * a) / _root(x * corner)
    w1, w2 = diff[0] / _root(x), (diff[1] - slope * diff[0]) / _root(corner)
    one: Lane = (arb(1), arb(0), n)
    if _is_null(m12):
        return ((m11, w1, n), (m22, w2, n)), (one, one)
    half, root = (m11 - m22) / 2, _root(_square((m11 - m22) / 2) + _square(m12))
    along, across = (half + root, m12) if half.mid() >= 0 else (m12, root - half)
    size = _root(_square(along) + _square(across))
    if size > 0:
        first, second = (along * w1 + across * w2) / size, (along * w2 - across * w1) / size
    else:
        first = second = arb(0, _root(_square(w1) + _square(w2)).upper())
    middle = (m11 + m22) / 2
    return ((middle + root, first, n), (middle - root, second, n)), (one, one)


# -- total variation -------------------------------------------------------------------------------


def tv_ball(ps: Sequence[Lane], qs: Sequence[Lane]) -> tuple[arb, str]:
    """TV(p, q) and the method, one of those of `overlap_ball`."""
    ball, method = overlap_ball(ps, qs)
    return _unit(1 - ball), method


def overlap_ball(ps: Sequence[Lane], qs: Sequence[Lane]) -> tuple[arb, str]:
    """1 - TV(p, q) = int min(p, q) and the method.

    The contour integral is rigorous: acb.integral up to a point s_c, and beyond it the contour goes straight
    up, where |M| stays below a bound B, so that the rest is at most B/(pi Im s_c). When B is not small, or
    when the laws may be equal, the bracket 1 - sqrt(1 - BC^2) <= 1 - TV <= BC remains.
    """
    pairs = _paired(ps, qs)
    if all(p[0] == q[0] and p[1] == q[1] and p[0].is_exact() and p[1].is_exact() for p, q in pairs):
        return arb(1), "equal laws"
    if any(_singular(p, q) for p, q in pairs):
        return arb(0), "mutually singular laws"
    lanes = [_Relative.of(p, q) for p, q in pairs if not (_is_null(p[0]) and _is_null(q[0]))]
    apart = any(not (lane.rho.contains(0) and lane.quad.contains(0)) for lane in lanes)
    if apart and all(lane.usable for lane in lanes):
        best, how, digits = arb(0), "", ENOUGH
        for value, method in _candidates(lanes):
            if value is not None and value.is_finite() and value.abs_upper() < NOTHING:
                return _unit(value), method
            if value is not None and value.is_finite() and value.rel_accuracy_bits() > digits:
                best, how, digits = value, method, value.rel_accuracy_bits()
            if digits > ctx.prec // 3:
                break
        if how:
            return _unit(best), how
    closeness = bhattacharyya_ball(ps, qs)
    bc = (-closeness).exp()
    return _unit((1 - _root(-(-2 * closeness).expm1())).union(bc)), "bracket by the Bhattacharyya coefficient"


def _candidates(lanes: Sequence[_Relative]) -> Iterator[tuple[arb | None, str]]:
    """Ways to the overlap, the quickest first."""
    first = lanes[0]
    if len(lanes) == 1 and first.n == 1 and (first.rho.is_zero() or not first.rho.contains(0)):
        yield _crossing(first), "crossing points"
    if all(lane.rho.contains(0) for lane in lanes):
        yield _shifted(lanes), "equal variances"
    if len(lanes) == 1 and first.quad.is_zero():
        yield _isotropic(first), "incomplete gamma function"
    yield _contour(lanes), "contour integral"


class _Relative:
    """One lane: p seen from q."""

    def __init__(self, rho: arb, quad: arb, n: int) -> None:
        self.rho, self.quad, self.n = rho, quad, n
        self.ratio = 1 + rho
        self.half, self.log_ratio = arb(n) / 2, rho.log1p()
        self.usable = bool(self.ratio > 0) and self.quad.is_finite()

        ends = (end for ball in (rho, quad) for end in (ball.mid(), ball.rad()))
        self.digits = (n, *(end.man_exp() if end.is_finite() else end.str() for end in ends))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Relative) and self.digits == other.digits

    def __hash__(self) -> int:
        return hash(self.digits)

    @classmethod
    def of(cls, p: Lane, q: Lane) -> _Relative:
        return cls((p[0] - q[0]) / q[0], _square(p[1] - q[1]) / q[0], p[2])


def _crossing(lane: _Relative) -> arb:
    """One dimension, N(m, v) against N(0, 1): p = q at [m +- sqrt(v (m^2 + (v - 1) log v))]/(1 - v)."""
    mean, v = _root(lane.quad), lane.ratio
    if lane.rho.is_zero():
        return (mean / arb(8).sqrt()).erfc()
    root = _root(v * (lane.quad + lane.rho * v.log()))
    below, above = [(mean + sign * root) / -lane.rho for sign in ((1, -1) if lane.rho > 0 else (-1, 1))]
    ends_p, ends_q = ((below - mean) / v.sqrt(), (above - mean) / v.sqrt()), (below, above)
    narrow, wide = (ends_q, ends_p) if lane.rho > 0 else (ends_p, ends_q)
    inside = _tail(wide[0]) - _tail(wide[1]) if wide[0] > 0 else _tail(-wide[1]) - _tail(-wide[0])
    return _tail(-narrow[0]) + _tail(narrow[1]) + inside


def _tail(x: arb) -> arb:
    """P(Z > x) for Z standard normal."""
    return (x / arb(2).sqrt()).erfc() / 2


def _shifted(lanes: Sequence[_Relative]) -> arb | None:
    """Equal variances, erfc(|m|/sqrt 8): a p whose variances differ by rho is no farther than
    sqrt(KL/2) from the one with those of q, and rho - log(1 + rho) <= rho^2/(2 (1 - |rho|)).
    """
    away = arb(0)
    for lane in lanes:
        size = arb(lane.rho.abs_upper())
        if not size < 1:
            return None
        away += lane.n * _square(size) / (8 * (1 - size))
    mean = _root(sum((lane.quad for lane in lanes), arb(0)))
    return (mean / arb(8).sqrt()).erfc() + arb(0, _root(away).upper())


def _isotropic(lane: _Relative) -> arb:
    """The hull of the overlaps at the two ends of rho: it falls as rho moves away from zero.

    Between exact ends nothing is lost where laws that are almost equal are known badly.
    """
    ends = [_concentric(lane.n, end) for end in (lane.rho.lower(), lane.rho.upper())]
    hull = ends[0].union(ends[1])
    return hull.union(arb(1)) if lane.rho.contains(0) else hull


def _concentric(n: int, rho: arb) -> arb:
    """Equal densities at r^2 = n v log v/(v - 1) in units of q: wide law inside, narrow one outside."""
    if rho.is_zero():
        return arb(1)
    order = arb(n) / 2
    with ctx.workprec(ctx.prec + SPARE):
        here, there = order * (1 + rho) * rho.log1p() / rho, order * rho.log1p() / rho  # from q, from p
        narrow, wide = (here, there) if rho > 0 else (there, here)
        if n > SERIES:
            return wide.gamma_lower(order, regularized=1) + narrow.gamma_upper(order, regularized=1)
        return _gamma_below(order, wide) + _gamma_above(n, narrow)


def _gamma_below(order: arb, x: arb) -> arb:
    """gamma(a, x)/Gamma(a) = x^a e^{-x}/Gamma(a + 1) (1 + x/(a + 1) + x^2/((a + 1)(a + 2)) + ...), all terms
    positive; flint's series cancel by about e^x.
    """
    term = total = arb(1)
    below, place = arb(2) ** -ctx.prec, order
    while True:
        place += 1
        ratio = x / place
        if ratio < 1 and term * ratio < below * total * (1 - ratio):
            rest = term * ratio / (1 - ratio)
            return (total + rest.union(arb(0))) * (order * x.log() - x - (order + 1).lgamma()).exp()
        term *= ratio
        total += term


def _gamma_above(n: int, x: arb) -> arb:
    """Gamma(a, x)/Gamma(a), a = n/2: x^{a-1} e^{-x}/Gamma(a) (1 + (a - 1)/x + (a - 1)(a - 2)/x^2 + ...). It
    ends for even n, and for odd n with the complementary error function.
    """
    order = arb(n) / 2
    front = ((order - 1) * x.log() - x - order.lgamma()).exp()
    term, total, below = arb(1), arb(0), arb(2) ** -ctx.prec
    for twice in range(n - 2, -1, -2):  # 2(a - k)
        total += term
        ratio = arb(twice) / (2 * x)
        if ratio < 1 and term * ratio < below * total * (1 - ratio):
            rest = term * ratio / (1 - ratio)
            return front * (total + rest.union(arb(0)))
        term *= ratio
    return front * total + (x.sqrt().erfc() if n % 2 else 0)


def _contour(lanes: Sequence[_Relative]) -> arb | None:
    """(1/pi) Im int M/(s(1-s)) ds up a polygon, or None where the inputs or the tail bound are too wide."""
    known = min(x.rel_one_accuracy_bits() for lane in lanes for x in (lane.ratio, lane.quad))
    if known < 30:
        return None
    return _contour_to(tuple(lanes), min(ctx.prec, known), ctx.prec)


@lru_cache(maxsize=256)
def _contour_to(lanes: tuple[_Relative, ...], bits: int, precision: int) -> arb | None:
    """The integral at a working precision, kept: one case is looked at in several places."""
    goal = arb(2) ** -bits
    points, rest = _polygon(lanes, goal)
    if rest is None or not rest.is_finite() or not rest < 1e-6:
        return None
    moving = [(lane.half, lane.rho, lane.log_ratio) for lane in lanes if not lane.rho.is_zero()]
    pushed = [(lane.rho, lane.quad / 2) for lane in lanes if not lane.quad.is_zero()]

    def integrand(s: acb, analytic: bool) -> acb:  # `_log_m` with what is fixed taken out of the loop
        u = 1 - s
        both, total = s * u, acb(0)
        for half, rho, log_ratio in moving:
            total += half * (u * log_ratio - (1 + u * rho).log(analytic=analytic))
        for rho, quad in pushed:
            total -= both * quad / (1 + u * rho)
        return total.exp() / both

    tolerance = _log_m(lanes, points[0], False).real.exp() * goal
    total = sum(
        (acb.integral(integrand, a, b, abs_tol=tolerance) for a, b in itertools.pairwise(points)), acb(0)
    )
    value: arb = total.imag / arb.pi() + arb(0, rest.upper())
    return value if value.is_finite() else None


def _log_m(lanes: Sequence[_Relative], s: acb, analytic: bool) -> acb:
    u = 1 - s
    total = acb(0)
    for lane in lanes:
        one = 1 + u * lane.rho
        if not lane.rho.is_zero():
            total += lane.half * (u * lane.log_ratio - one.log(analytic=analytic))
        if not lane.quad.is_zero():
            total -= s * u * lane.quad / (2 * one)
    return total


def _beyond(lanes: Sequence[_Relative], s: acb) -> arb | None:
    """Bound of (1/pi) |int M/(s(1-s))| over the vertical half-line above s.

    There |1 + u rho| grows, so each factor |1 + u rho|^{-n/2} falls. With w = 1 + u rho, the mean term is
    -(quad/2) Re [(rho + 2)/rho^2 - w/rho^2 - (1 + rho)/(rho^2 w)]: it falls where Re w >= 0, and elsewhere
    stays below its limit.
    """
    total = arb(0)
    u = 1 - s
    for lane in lanes:
        w = 1 + u * lane.rho
        if not lane.rho.is_zero():
            total += lane.half * (u.real * lane.log_ratio - w.log().real)
        if lane.quad.is_zero():
            continue
        if w.real >= 0:
            total -= (s * u * lane.quad / (2 * w)).real
        elif w.real < 0:
            total -= lane.quad * (lane.rho + 2 - w.real) / (2 * _square(lane.rho))
        else:
            return None
    return total.exp() / (arb.pi() * s.imag)


def _polygon(lanes: Sequence[_Relative], goal: arb) -> tuple[list[acb], arb | None]:
    """Corners of a contour from (0, 1) upwards to where the rest is negligible, and the bound of the rest.

    Any polygon in the upper half-plane gives the same integral, so floats may choose it: the radius doubles
    and the direction turns by at most 0.2 towards smaller |M|, which follows a path of steep descent and
    keeps the oscillation of M in check.
    """
    rough = [_Relative(lane.rho.mid(), lane.quad.mid(), lane.n) for lane in lanes]

    def level(s: acb) -> float:
        return float(_log_m(rough, s, False).real.mid())

    low, high = 0.0, 1.0
    for _ in range(40):
        left, right = low + (high - low) * 0.382, low + (high - low) * 0.618
        low, high = (low, right) if level(acb(left)) < level(acb(right)) else (left, high)
    start = 0.5 * (low + high)
    radius, bend, points = arb(min(start, 1 - start)), 0.0, [acb(start)]
    tolerance = _log_m(lanes, points[0], False).real.exp() * goal
    for _ in range(2 * ctx.prec + 200):
        corners = {
            b: start + radius * acb(0, 1) * acb(0, b).exp()
            for b in (bend, bend - 0.2, bend + 0.2)
            if abs(b) < 1.1
        }
        bend = min(corners, key=lambda b: level(corners[b]))
        points.append(corners[bend])
        rest = _beyond(lanes, points[-1])
        if rest is not None and rest < tolerance:
            break
        radius *= 2
    return points, rest


# -- helpers ---------------------------------------------------------------------------------------


def _paired(ps: Sequence[Lane], qs: Sequence[Lane]) -> list[tuple[Lane, Lane]]:
    if [p[2] for p in ps] != [q[2] for q in qs]:
        raise InputError(
            "multiplicities", [q[2] for q in qs], f"expected those of the other law, {[p[2] for p in ps]}"
        )
    return [(p, q) for p, q in zip(ps, qs, strict=True) if p[2]]


def _sum(lane: Callable[[Lane, Lane], arb], ps: Sequence[Lane], qs: Sequence[Lane]) -> arb:
    """Sum over lanes of a divergence: inf if a lane is singular, unknown where a variance may be zero."""
    total = arb(0)
    for p, q in _paired(ps, qs):
        if _is_null(p[0]) or _is_null(q[0]):
            if _singular(p, q):
                return INF
            if not (_is_null(p[0]) and _is_null(q[0]) and (p[1] - q[1]).is_zero()):
                total += _unknown()
        elif not (p[0] > 0 and q[0] > 0):
            total += _unknown()
        else:
            total += lane(p, q)
    return total.nonnegative_part() if total.is_finite() or not total.is_exact() else total


def _singular(p: Lane, q: Lane) -> bool:
    if _is_null(p[0]) and _is_null(q[0]):
        return not (p[1] - q[1]).contains(0)
    return bool((_is_null(p[0]) and q[0] > 0) or (_is_null(q[0]) and p[0] > 0))


def _unknown() -> arb:
    return arb(0, INF)


def _is_null(x: arb) -> bool:
    return x.is_zero()


def _square(x: arb) -> arb:
    return (x * x).nonnegative_part()


def _root(x: arb) -> arb:
    return x.nonnegative_part().sqrt()


def _unit(x: arb) -> arb:
    """The part of a ball within [0, 1]."""
    return x.intersection(arb(0.5, 0.5)) if x.overlaps(arb(0.5, 0.5)) and not arb(0.5, 0.5).contains(x) else x


def _det(block: Block) -> arb:
    return block[0][0] * block[1][1] - _square(block[0][1])
