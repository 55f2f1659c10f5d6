"""Total variation by the contour integral: 1e-11 for TV and for 1 - TV, in any dimension."""

from __future__ import annotations

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import erf, erfc
from scipy.stats import chi2 as chi_squared

from simulators.distances.balls import overlap_ball
from simulators.distances.contour import _narrowed, overlap, tv
from simulators.distances.gaussian import kl, tv_bracket
from simulators.distances.relation import Relation, relate
from simulators.enclosure import Enclosure
from simulators.laws.law import Law


def lanes(rho, shift=0.0, n=1.0):
    """One case against N(0, I): variances 1 + rho, means ``shift``."""
    rho = np.atleast_1d(np.asarray(rho, dtype=float))[None]
    shift = np.broadcast_to(np.asarray(shift, dtype=float), rho.shape)
    counts = np.broadcast_to(np.asarray(n, dtype=float), rho.shape)
    return Relation.lanes(rho, 0.0, shift**2, 2.0**-53 * shift**2, counts)


def truth(rho, shift=0.0, n=1):
    """1 - TV as a ball at 128 bits."""
    rho = np.atleast_1d(np.asarray(rho, dtype=float))
    shift, n = np.broadcast_to(shift, rho.shape), np.broadcast_to(n, rho.shape)
    before, ctx.prec = ctx.prec, 128
    ps = [(1 + arb(float(r)), arb(float(m)), int(k)) for r, m, k in zip(rho, shift, n, strict=True)]
    common, method = overlap_ball(ps, [(arb(1), arb(0), k) for *_, k in ps])
    ctx.prec = before
    return common, method


def error(enclosure, exact):
    """Largest relative error of an end of the enclosure, which must hold the exact ball."""
    lo, hi = arb(float(enclosure.lo[0])), arb(float(enclosure.hi[0]))
    assert lo <= exact.upper()
    assert hi >= exact.lower()
    return max(float(abs(lo - exact) / exact), float(abs(hi - exact) / exact))


# -- closed forms ----------------------------------------------------------------------------------


@pytest.mark.parametrize("m", [1e-8, 1e-3, 0.5, 1.0, 3.0, 10.0, 15.0])
def test_shifts_are_error_functions(m):
    near, far = tv(lanes(0.0, m)), overlap(lanes(0.0, m))
    assert near.mid[0] == pytest.approx(erf(m / np.sqrt(8)), rel=1e-13)
    assert far.mid[0] == pytest.approx(erfc(m / np.sqrt(8)), rel=1e-12)
    assert near.contains(erf(m / np.sqrt(8)) * (1 - 1e-15))[0] or near.width[0] < 1e-14


@pytest.mark.parametrize("d", [1, 2, 3, 10, 100, 1000])
@pytest.mark.parametrize("rho", [-0.6, -1e-3, 1e-7, 0.02, 2.0])
def test_same_mean_isotropic_laws_are_chi_squared_masses(d, rho):
    radius = d * (1 + rho) * np.log1p(rho) / rho
    expected = abs(chi_squared.cdf(radius, d) - chi_squared.cdf(radius / (1 + rho), d))
    assert tv(lanes(rho, n=d)).mid[0] == pytest.approx(expected, rel=1e-9, abs=1e-13)
    common, method = truth(rho, n=d)
    assert method == "crossing points" or d > 1
    assert error(tv(lanes(rho, n=d)), 1 - common) < 1e-11
    if common > 1e-300:
        assert error(overlap(lanes(rho, n=d)), common) < 1e-11


# -- against balls ---------------------------------------------------------------------------------


@pytest.mark.parametrize("d", [1, 2, 3, 10, 100, 1000])
def test_eleven_digits_from_1e_8_to_1_minus_1e_14(d):
    """Spectra of at most six eigenvalues and means, scaled until TV covers its whole range."""
    rng = np.random.default_rng(d)
    spaces = min(d, 6)
    n = np.full(spaces, d // spaces)
    n[0] += d - n.sum()
    reached = []
    for scale in (1e-8, 1e-6, 1e-4, 1e-2, 0.1, 0.3, 1.0, 3.0):
        scale = scale if d < 100 else scale / 3
        rho = np.expm1(rng.normal(size=spaces) * min(scale, 1.0))
        shift = rng.normal(size=spaces) * (scale if scale < 3 else 5 * scale)
        common, _ = truth(rho, shift, n)
        assert error(tv(lanes(rho, shift, n)), 1 - common) < 1e-11
        if common > 1e-14:
            assert error(overlap(lanes(rho, shift, n)), common) < 1e-11
        reached.append(float(1 - common))
    assert min(reached) < 1e-6
    assert max(reached) > 0.99


def test_contrary_scales():
    """Eigenvalues on scales far apart whose linear exponents pull in opposite directions."""
    rng = np.random.default_rng(0)
    for _ in range(60):
        spaces = int(rng.choice([2, 2, 3, 5]))
        rho = np.expm1(10 ** rng.uniform(-9, 0.6, size=spaces) * rng.normal(size=spaces))
        rho[rng.random(spaces) < 0.15] = 0.0
        shift = 10 ** rng.uniform(-9, 1, size=spaces) * rng.normal(size=spaces) * (rng.random(spaces) < 0.6)
        n = rng.choice([1, 1, 2, 3, 10, 100], size=spaces)
        if not (rho.any() or shift.any()):
            continue
        common, _ = truth(rho, shift, n)
        assert error(tv(lanes(rho, shift, n)), 1 - common) < 1e-11
        if common > 1e-14:
            assert error(overlap(lanes(rho, shift, n)), common) < 1e-11


def test_a_case_that_decays_only_algebraically():
    """Here the vertical contour loses four digits."""
    rho, shift, n = [0.04437203, -0.02610054], [0.00443511, -0.00113], [1, 2]
    assert error(tv(lanes(rho, shift, n)), 1 - truth(rho, shift, n)[0]) < 1e-12


def test_an_overlap_of_1e_200_has_ten_digits():
    common, _ = truth([0.5, -0.3], [45.0, 40.0], [3, 2])
    assert 1e-250 < common < 1e-150
    assert error(overlap(lanes([0.5, -0.3], [45.0, 40.0], [3, 2])), common) < 1e-10


def test_a_thousand_distinct_eigenvalues():
    """Moving eigenvalues by 1e-14 hardly changes TV."""
    rng = np.random.default_rng(3)
    groups = np.expm1(0.05 * rng.normal(size=20))
    spread = np.repeat(groups, 50) + 1e-14 * rng.normal(size=1000)
    grouped, distinct = tv(lanes(groups, n=50)), tv(lanes(spread))
    assert distinct.mid[0] == pytest.approx(grouped.mid[0], rel=1e-11)
    assert distinct.width[0] < 1e-11
    assert error(distinct, 1 - truth(groups, n=50)[0]) < 1e-11


# -- structure -------------------------------------------------------------------------------------

spectra = st.lists(
    st.tuples(st.floats(-0.9, 20), st.floats(-3, 3), st.integers(1, 20)), min_size=1, max_size=4
)


@given(spectra)
def test_order_of_the_laws_and_of_the_lanes_does_not_matter(spectrum):
    rho, shift, n = zip(*spectrum, strict=True)
    r = lanes(rho, shift, n)
    value = tv(r)
    for other in (tv(r.reversed), tv(lanes(rho[::-1], shift[::-1], n[::-1]))):
        assert max(value.lo[0], other.lo[0]) <= min(value.hi[0], other.hi[0])


@given(spectra)
def test_tv_keeps_pinsker_bretagnolle_huber_and_the_bracket(spectrum):
    rho, shift, n = zip(*spectrum, strict=True)
    r = lanes(rho, shift, n)
    value, bracket, divergence = tv(r), tv_bracket(r), min(kl(r).hi[0], kl(r.reversed).hi[0])
    assert bracket.lo[0] <= value.lo[0] <= value.hi[0] <= bracket.hi[0]
    assert value.lo[0] <= np.sqrt(divergence / 2)
    assert value.lo[0] <= np.sqrt(-np.expm1(-divergence))


@given(spectra)
def test_tv_and_overlap_are_complementary(spectrum):
    rho, shift, n = zip(*spectrum, strict=True)
    near, far = tv(lanes(rho, shift, n)), overlap(lanes(rho, shift, n))
    assert near.lo[0] + far.lo[0] <= 1 + 1e-15
    assert near.hi[0] + far.hi[0] >= 1 - 1e-15


@given(st.floats(-0.9, 20), st.floats(0, 3), st.integers(2, 9))
def test_an_eigenspace_equals_its_coordinates(rho, shift, n):
    together = tv(lanes(rho, shift, n))
    apart = tv(lanes([rho] * n, [shift] + [0.0] * (n - 1)))
    assert max(together.lo[0], apart.lo[0]) <= min(together.hi[0], apart.hi[0])


def test_tv_falls_along_the_flow():
    shape = (4, 2)
    lam, mean = np.full(shape, [3.0, 0.1]), np.full(shape, [1.0, -2.0])
    times = np.array([0.0, 0.5, 1.0, 4.0])
    p = Law.forward(lam, np.ones(shape), mean, times)
    q = Law.forward(lam, np.ones(shape), mean, np.full(4, np.inf))
    assert np.all(np.diff(tv(relate(p, q)).mid) < 0)


def test_input_errors_widen_the_enclosure_and_no_more_than_needed():
    exact, loose = tv(lanes(0.1)), tv(Relation.lanes([[0.1]], 1e-9, [[0.0]], 0.0, [[1.0]]))
    low, high = tv(lanes(0.1 - 1e-9)), tv(lanes(0.1 + 1e-9))
    assert loose.lo[0] <= low.lo[0]
    assert high.hi[0] <= loose.hi[0]
    assert loose.width[0] < 10 * (high.mid[0] - low.mid[0])
    assert exact.width[0] < 1e-13
    wild = tv(Relation.lanes([[0.1]], 0.05, [[0.0]], 0.0, [[1.0]]))
    assert wild.lo[0] < tv(lanes(0.05)).mid[0]
    assert wild.hi[0] > tv(lanes(0.15)).mid[0]


def test_error_bars_of_the_parts_cover_a_planted_error():
    """The enclosures are narrow enough for a relative error of 1e-12 to fall outside."""
    rng = np.random.default_rng(8)
    for _ in range(20):
        rho, shift = np.expm1(0.2 * rng.normal(size=3)), 0.2 * rng.normal(size=3)
        value, exact = tv(lanes(rho, shift)), float(1 - truth(rho, shift)[0])
        assert value.contains(exact)[0]
        assert not value.contains(exact * (1 + 1e-12))[0]


# -- degenerate and extreme laws -------------------------------------------------------------------


def test_equal_and_singular_laws():
    assert tv(lanes(0.0)).hi[0] == 0
    assert overlap(lanes(0.0)).lo[0] == 1
    dirac = lanes([-1.0, 0.5])
    for r in (dirac, dirac.reversed):
        assert tv(r).lo[0] == tv(r).hi[0] == 1
        assert overlap(r).lo[0] == overlap(r).hi[0] == 0


def test_laws_out_of_reach_get_the_bracket():
    for r in (lanes(1e150), lanes(0.0, 1e80), lanes(0.0, 1e-150)):
        value = tv(r)
        assert "1-BC" in value.method
        assert 0 <= value.lo[0] <= value.hi[0] <= 1
    assert tv(lanes(0.0, 1e80)).lo[0] > 1 - 1e-14


def test_a_batch_mixes_all_kinds():
    rho = np.array([[0.0, 0.0], [-1.0, 0.3], [0.2, 1e150], [0.2, -0.1], [1e-9, 0.0]])
    counts = np.array([[1.0, 1.0], [2.0, 1.0], [1.0, 1.0], [3.0, 2.0], [1.0, 0.0]])
    batch = tv(Relation.lanes(rho, 0.0, np.zeros_like(rho), 0.0, counts))
    alone = [
        tv(Relation.lanes(rho[i : i + 1], 0.0, np.zeros((1, 2)), 0.0, counts[i : i + 1])) for i in range(5)
    ]
    assert batch.lo.tolist() == [e.lo[0] for e in alone]
    assert batch.hi.tolist() == [e.hi[0] for e in alone]


def test_threads_and_the_serial_loop_agree():
    rng = np.random.default_rng(1)
    rho = np.expm1(rng.normal(size=(100, 2)) * 0.3)
    whole = tv(Relation.lanes(rho, 0.0, np.zeros_like(rho), 0.0, np.ones_like(rho)))
    first = tv(Relation.lanes(rho[:5], 0.0, np.zeros((5, 2)), 0.0, np.ones((5, 2))))
    assert whole.lo[:5].tolist() == first.lo.tolist()


def test_a_quadrature_outside_the_certified_bracket_is_refused():
    bracket = Enclosure(np.array([0.1]), np.array([0.2]))
    inside = _narrowed(bracket, np.array([True]), np.array([0.15]), np.array([0.01]))
    assert bracket.lo[0] < inside.lo[0] < inside.hi[0] < bracket.hi[0]
    with pytest.raises(ArithmeticError, match="certified bracket"):
        _narrowed(bracket, np.array([True]), np.array([0.5]), np.array([0.01]))
