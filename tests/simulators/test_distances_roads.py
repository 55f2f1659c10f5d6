"""Balls and the second road agree with each other and with scipy; planes that do not commute."""

from __future__ import annotations

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf
from scipy.linalg import sqrtm

from simulators.distances import balls, second
from simulators.distances.contour import overlap, tv
from simulators.distances.gaussian import bhattacharyya, chi2, kl, relative_fisher, w2
from simulators.distances.plane import pencil_2x2, w2_2x2
from simulators.errors import InputError, NotDefined

NAMES = ("kl", "w2", "chi2", "bhattacharyya", "hellinger", "relative_fisher")


@pytest.fixture(autouse=True)
def precise():
    before, ctx.prec = ctx.prec, 128
    yield
    ctx.prec = before


def as_mp(ball):
    """The middle of a ball as an mpf."""
    return mpf(ball.str(45, radius=False))


def agree(ball, value, relative):
    with mp.workdps(50):
        return abs(as_mp(ball) - value) <= relative * abs(value) + mpf(10) ** -36


def both(lanes):
    """One law for either road."""
    return [(arb(a), arb(m), n) for a, m, n in lanes], [(mpf(a), mpf(m), n) for a, m, n in lanes]


LAW_P = [(0.5, 1.0, 2), (3.0, 0.0, 1), (0.25, -0.5, 0)]
LAW_Q = [(2.0, 0.25, 2), (2.5, -1.0, 1), (1.0, 7.0, 0)]


@pytest.mark.parametrize("name", NAMES)
def test_two_roads_to_each_distance(name):
    (ball_p, mp_p), (ball_q, mp_q) = both(LAW_P), both(LAW_Q)
    value = getattr(second, f"{name}_second")(mp_p, mp_q)
    assert agree(getattr(balls, f"{name}_ball")(ball_p, ball_q), value, mpf(10) ** -30)
    assert value > 0


def test_two_roads_to_moments():
    ball, numbers = both(LAW_P)
    assert agree(balls.score_energy_ball(ball), second.score_energy_second(numbers), mpf(10) ** -30)
    assert agree(balls.second_moment_ball(ball), second.second_moment_second(numbers), mpf(10) ** -30)


@pytest.mark.parametrize("name", NAMES)
def test_diracs_on_both_roads(name):
    ball, number = getattr(balls, f"{name}_ball"), getattr(second, f"{name}_second")
    dirac, wide, moved = [(0.0, 1.0, 2)], [(1.0, 0.0, 2)], [(0.0, 2.0, 2)]
    for p, q in ((dirac, wide), (wide, dirac), (dirac, moved)):
        (ball_p, mp_p), (ball_q, mp_q) = both(p), both(q)
        if name in ("w2", "hellinger"):
            assert agree(ball(ball_p, ball_q), number(mp_p, mp_q), mpf(10) ** -30)
        else:
            assert ball(ball_p, ball_q) == arb("+inf")
            assert number(mp_p, mp_q) == mp.inf
    assert ball(both(dirac)[0], both(dirac)[0]) == 0
    assert number(both(dirac)[1], both(dirac)[1]) == 0


def test_chi2_diverges_from_twice_the_variance_on():
    for variance in (2.0, 2.5):
        p, q = both([(variance, 0.0, 1)]), both([(1.0, 0.0, 1)])
        assert balls.chi2_ball(p[0], q[0]) == arb("+inf")
        assert second.chi2_second(p[1], q[1]) == mp.inf
    unsure = balls.chi2_ball([(arb(2, 1e-9), arb(0), 1)], [(arb(1), arb(0), 1)])
    assert not unsure.is_finite()


def test_a_variance_that_may_vanish_is_no_number():
    assert not balls.kl_ball([(arb(0, 1e-9), arb(0), 1)], [(arb(1), arb(0), 1)]).is_finite()


def test_lanes_must_match():
    with pytest.raises(InputError, match="multiplicities"):
        balls.kl_ball([(arb(1), arb(0), 1)], [(arb(1), arb(0), 2)])


# -- total variation -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("p", "q", "method"),
    [
        ([(1.5, 0.25, 1)], [(1.0, 0.0, 1)], "crossing points"),
        ([(0.5, 3.0, 1)], [(2.0, 0.0, 1)], "crossing points"),
        ([(1.0, 1.0, 4)], [(1.0, 0.0, 4)], "equal variances"),
        ([(1.0, 1.0, 4), (2.0, 0.5, 1)], [(1.0, 0.0, 4), (2.0, 0.0, 1)], "equal variances"),
        ([(1.5, 2.0, 7)], [(1.0, 2.0, 7)], "incomplete gamma function"),
        ([(0.25, 2.0, 40)], [(1.0, 2.0, 40)], "incomplete gamma function"),
        ([(1.5, 0.0, 1), (0.75, 1.0, 2)], [(1.0, 0.0, 1), (1.0, 0.0, 2)], "contour integral"),
        ([(1.0 + 2.0**-26, 2.0**-30, 3)], [(1.0, 0.0, 3)], "contour integral"),
        ([(2.0, 0.0, 1), (2.0, 0.0, 3)], [(1.0, 0.0, 1), (1.0, 0.0, 3)], "contour integral"),
    ],
)
def test_two_roads_to_total_variation(p, q, method):
    (ball_p, mp_p), (ball_q, mp_q) = both(p), both(q)
    ball, used = balls.tv_ball(ball_p, ball_q)
    assert used == method
    assert agree(ball, second.tv_second(mp_p, mp_q), mpf(10) ** -25)
    common, _ = balls.overlap_ball(ball_p, ball_q)
    assert agree(common, second.overlap_second(mp_p, mp_q), mpf(10) ** -25)


def test_the_contour_meets_the_crossing_points_and_the_gamma_function():
    """One law, three ways: as a lane by its closed form, and split into lanes by the contour."""
    whole, _ = balls.overlap_ball([(arb(1.75), arb(0), 5)], [(arb(1), arb(0), 5)])
    split, method = balls.overlap_ball(
        [(arb(1.75), arb(0), 2), (arb(1.75), arb(0), 3)], [(arb(1), arb(0), k) for k in (2, 3)]
    )
    assert method == "contour integral"
    assert whole.overlaps(split)
    assert split.rad() < 1e-25
    alone, _ = balls.overlap_ball([(arb(0.4), arb(1.5), 1)], [(arb(1), arb(0), 1)])
    still = [(arb(1), arb(0), 1)]
    beside, method = balls.overlap_ball([(arb(0.4), arb(1.5), 1), *still], [(arb(1), arb(0), 1), *still])
    assert method == "contour integral"
    assert alone.overlaps(beside)


@pytest.mark.parametrize("n", [1, 2, 17, 400])
@pytest.mark.parametrize("rho", [-0.5, -1e-13, 1e-19, 0.05])
def test_concentric_laws_known_badly_keep_the_digits_of_their_overlap(n, rho):
    with ctx.workprec(80):
        variance, one = 1 + arb(rho, 1e-21), arb(1)
        ball, method = balls.overlap_ball([(variance, arb(0), n)], [(one, arb(0), n)])
        assert method in ("crossing points", "incomplete gamma function")
        assert ball.rel_accuracy_bits() > 55
    with ctx.workprec(256):
        for edge in (-1, 0, 1):
            inside = 1 + (arb(rho) + edge * arb(1e-21)).mid()
            exact = [(inside, arb(0), n)], [(arb(1), arb(0), n)]
            assert ball.overlaps(balls.overlap_ball(*exact)[0])
            assert ball.overlaps(balls._contour([balls._Relative.of(exact[0][0], exact[1][0])]))


def test_equal_variances_that_are_known_badly():
    """The closed form holds for every variance in the balls."""
    for shift in (0.0, 1e-8, 1.0):
        wide, _ = balls.overlap_ball(
            [(arb(1, 1e-20), arb(shift), 3), (arb(2, 1e-20), arb(0.5), 1)],
            [(arb(1), arb(0), 3), (arb(2), arb(0), 1)],
        )
        for edge in (-1e-20, 1e-20):
            lanes = [
                balls._Relative(arb(edge), arb(shift) ** 2, 3),
                balls._Relative(arb(edge) / 2, arb(0.125), 1),
            ]
            assert wide.overlaps(balls._contour(lanes))


def test_total_variation_of_equal_and_singular_laws():
    same, dirac = [(arb(0.3), arb(1), 2)], [(arb(0), arb(1), 2)]
    assert balls.tv_ball(same, same) == (arb(0), "equal laws")
    assert balls.tv_ball(same, dirac) == (arb(1), "mutually singular laws")
    assert second.tv_second([(1, 2, 3)], [(1, 2, 3)]) == 0
    assert second.tv_second([(0, 2, 3)], [(1, 2, 3)]) == 1


def test_wide_balls_get_the_bracket():
    ball, method = balls.tv_ball([(arb(1, 0.1), arb(0), 2)], [(arb(1), arb(0), 2)])
    assert method.startswith("bracket")
    assert ball.contains(0)
    assert ball < 0.5


# -- planes ----------------------------------------------------------------------------------------

entry = st.floats(-2, 2)
root = st.tuples(entry, entry, st.floats(0.1, 2), st.floats(0.1, 2))


def covariance(parts):
    """A positive definite matrix from a lower triangular root."""
    _, low, first, last = parts
    matrix = np.array([[first, 0.0], [low, last]])
    return matrix @ matrix.T


def block(matrix):
    """Entries as balls, exactly those of the lower triangle."""
    a, b, c = (arb(float(matrix[i])) for i in ((0, 0), (1, 0), (1, 1)))
    return (a, b), (b, c)


def moved(q, gap):
    return tuple(
        tuple(x + y for x, y in zip(r, s, strict=True)) for r, s in zip(block(q), block(gap), strict=True)
    )


def inside(enclosure, ball):
    return arb(float(enclosure.lo[0])) <= ball.upper() and arb(float(enclosure.hi[0])) >= ball.lower()


@given(root, root, st.tuples(entry, entry), st.integers(1, 9), st.sampled_from([1.0, 1e-3, 1e-9]))
def test_planes_contain_the_truth(first, second_root, shift, n, size):
    q = covariance(first)
    gap = size * (covariance(second_root) - (q if size == 1.0 else 0.0))
    gap[0, 1] = gap[1, 0]
    diff = size * np.array(shift)
    relation = pencil_2x2(q[None, None], gap[None, None], diff[None, None], [[float(n)]])
    moves = (arb(float(diff[0])), arb(float(diff[1])))
    truth = balls.kl_2x2_ball(moved(q, gap), block(q), moves, n)
    assert inside(kl(relation), truth)
    assert kl(relation).width[0] <= 1e-7 * max(kl(relation).hi[0], 1e-30)
    assert inside(kl(relation.reversed), balls.kl_2x2_ball(block(q), moved(q, gap), moves, n))
    distance = w2_2x2(q[None, None], gap[None, None], diff[None, None], [[float(n)]])
    squared = balls.w2_squared_2x2_ball(moved(q, gap), block(q), moves, n)
    assert inside(distance * distance, squared)


def test_planes_on_the_second_road_and_scipy():
    q, p = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([[1.0, -0.25], [-0.25, 3.0]])
    diff = np.array([0.5, -1.0])
    moves = (arb(0.5), arb(-1.0))
    assert agree(
        balls.kl_2x2_ball(block(p), block(q), moves, 3), second.kl_2x2_second(p, q, diff, 3), mpf(10) ** -30
    )
    squared = second.w2_squared_2x2_second(p, q, diff, 3)
    assert agree(balls.w2_squared_2x2_ball(block(p), block(q), moves, 3), squared, mpf(10) ** -30)
    half = np.real(sqrtm(p))
    expected = 3 * np.trace(p + q - 2 * np.real(sqrtm(half @ q @ half))) + diff @ diff
    assert float(squared) == pytest.approx(expected, rel=1e-12)


def test_a_tiny_gap_of_planes_keeps_its_digits():
    """W2 of matrices 1e-10 apart: the textbook trace formula has no digits left."""
    q, gap = np.array([[2.0, 0.5], [0.5, 1.0]]), 1e-10 * np.array([[1.0, -0.5], [-0.5, 2.0]])
    value = w2_2x2(q[None, None], gap[None, None], np.zeros((1, 1, 2)), [[1.0]])
    ctx.prec = 256
    truth = balls.w2_squared_2x2_ball(moved(q, gap), block(q), (arb(0), arb(0)), 1).sqrt()
    assert abs(float(value.mid[0]) / float(truth) - 1) < 1e-13
    assert value.width[0] < 1e-12 * value.mid[0]


def test_diagonal_planes_are_two_lanes():
    q, gap = np.diag([2.0, 0.5]), np.diag([0.25, -0.125])
    relation = pencil_2x2(q[None, None], gap[None, None], np.array([[[0.5, 0.0]]]), [[2.0]])
    from simulators.distances.relation import Relation

    lanes = Relation.lanes([[0.125, -0.25]], 0.0, [[0.125, 0.0]], 0.0, [[2.0, 2.0]])
    for distance in (kl, chi2, bhattacharyya, tv, overlap):
        assert distance(relation).mid[0] == pytest.approx(distance(lanes).mid[0], rel=1e-13)
    for distance in (w2, relative_fisher):
        with pytest.raises(NotDefined):
            distance(relation)


def test_total_variation_of_planes_does_not_depend_on_the_coordinates():
    rng = np.random.default_rng(0)
    q, p, shift = covariance((0, 0.5, 1.0, 0.7)), covariance((0, -0.3, 0.8, 1.1)), np.array([0.3, -0.2])
    values = []
    for _ in range(3):
        frame = rng.normal(size=(2, 2)) + 2 * np.eye(2)
        turned = [frame @ m @ frame.T for m in (q, p - q)]
        r = pencil_2x2(turned[0][None, None], turned[1][None, None], (frame @ shift)[None, None], [[1.0]])
        values.append(tv(r).mid[0])
    assert values == pytest.approx([values[0]] * 3, rel=1e-12)


def test_singular_and_padded_planes():
    zero, eye = np.zeros((2, 2)), np.eye(2)
    with pytest.raises(InputError, match="cov_q"):
        pencil_2x2(zero[None, None], eye[None, None], np.zeros((1, 1, 2)), [[1.0]])
    value = w2_2x2(zero[None, None], eye[None, None], np.zeros((1, 1, 2)), [[1.0]])
    assert value.mid[0] == pytest.approx(np.sqrt(2))
    stacked, gaps = np.stack([eye, zero])[None], np.stack([eye, eye])[None]
    padded = pencil_2x2(stacked, gaps, np.zeros((1, 2, 2)), [[1.0, 0.0]])
    plain = pencil_2x2(eye[None, None], eye[None, None], np.zeros((1, 1, 2)), [[1.0]])
    assert kl(padded).mid[0] == pytest.approx(kl(plain).mid[0], rel=1e-15)
    with pytest.raises(InputError, match="gap"):
        pencil_2x2(eye[None, None], eye[None], np.zeros((1, 1, 2)), [[1.0]])


@pytest.mark.parametrize("n", [1, 2, 3, 10, 101, 3000])
@pytest.mark.parametrize("share", [0.25, 0.9990234375, 1.0009765625, 4.0])
def test_incomplete_gamma_functions_by_positive_series(n, share):
    order = arb(n) / 2
    x = order * arb(share)
    with ctx.workprec(168):
        below, above = balls._gamma_below(order, x), balls._gamma_above(n, x)
    with ctx.workprec(300 + int(8 * float(x))):
        assert below.overlaps(x.gamma_lower(order, regularized=1))
        assert above.overlaps(x.gamma_upper(order, regularized=1))
    assert min(below.rel_accuracy_bits(), above.rel_accuracy_bits()) > 120
