"""Closed-form distances: accuracy, equality cases of the classical inequalities, degenerate laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf

from simulators.distances.gaussian import (
    affinity,
    bhattacharyya,
    chi2,
    hellinger,
    kl,
    relative_fisher,
    score_energy,
    second_moment,
    tv_bracket,
    w2,
)
from simulators.distances.relation import Relation, relate
from simulators.distances.second import kl_second, w2_second
from simulators.enclosure import Enclosure
from simulators.errors import InputError, NotDefined
from simulators.laws.law import Law

inf = np.inf


def law(lam, mean=0.0, time=0.0, n=1.0, rel=0.0, dev=0.0, rel_err=0.0, dev_err=0.0):
    """One case with one lane for each eigenvalue."""
    shape = (1, np.size(lam))
    rows = [
        np.broadcast_to(np.asarray(x, dtype=float), shape[1:]).reshape(shape)
        for x in (lam, n, mean, rel, rel_err, dev, dev_err)
    ]
    lam, n, mean, rel, rel_err, dev, dev_err = rows
    return Law(lam, n, mean, np.array([float(time)]), rel, rel_err, dev, dev_err)


def seen(lam, mean=0.0, s=0.0, t=inf, n=1.0):
    """q_s seen from q_t."""
    return relate(law(lam, mean, s, n), law(lam, mean, t, n))


def relative(enclosure, truth):
    return max(abs(mpf(float(end)) / truth - 1) for end in (enclosure.lo[0], enclosure.hi[0]))


def mp_lane(lam, mean, time):
    past = mp.exp(-mpf(time)) if time < inf else mpf(0)
    return (mpf(lam) * past**2 + 1 - past**2, past * mpf(mean), 1)


# -- accuracy --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_kl_and_w2_have_twelve_digits_down_to_1e_12(seed):
    rng = np.random.default_rng(seed)
    smallest = mpf(1)
    for _ in range(60):
        s = float(10 ** rng.uniform(-3, 1.5))
        t = float(rng.choice([inf, s * (1 + 10 ** rng.uniform(-6, 0))]))
        lam, mean = float(10 ** rng.uniform(-4, 4)), float(rng.normal() * 10 ** rng.uniform(-6, 1))
        relation = seen(lam, mean, s, t)
        with mp.workdps(60):
            ps, qs = [mp_lane(lam, mean, s)], [mp_lane(lam, mean, t)]
            forward, backward = kl_second(ps, qs, 60), kl_second(qs, ps, 60)
            distance = w2_second(ps, qs, 60)
            assert relative(kl(relation), forward) < 1e-12
            assert relative(kl(relation.reversed), backward) < 1e-12
            assert relative(w2(relation), distance) < 1e-12
            smallest = min(smallest, forward)
    assert smallest < 1e-12


def test_a_sampler_deviation_keeps_its_digits():
    """KL of a law 1e-9 away from q_t: (rel - log(1 + rel))/2 + dev^2/(2 v), not a difference of variances."""
    relation = relate(law(0.3, 1.0, 0.5, rel=1e-9, dev=3e-10), law(0.3, 1.0, 0.5))
    with mp.workdps(50):
        x, variance = mpf(1e-9), 1 + (mpf(0.3) - 1) * mp.exp(-1)
        truth = (x - mp.log1p(x)) / 2 + mpf(3e-10) ** 2 / (2 * variance)
        assert relative(kl(relation), truth) < 1e-13


def test_a_tiny_variance_keeps_its_digits():
    with mp.workdps(80):
        truth = kl_second([mp_lane(1e-30, 0, 0)], [mp_lane(1e-30, 0, inf)], 80)
        assert relative(kl(seen(1e-30)), truth) < 1e-13
        backward = kl_second([mp_lane(1e-30, 0, inf)], [mp_lane(1e-30, 0, 0)], 80)
        assert relative(kl(seen(1e-30).reversed), backward) < 1e-13


def test_different_targets_in_one_eigenbasis():
    """Two Ornstein-Uhlenbeck flows from different data contract: W2(q_t, q'_t) <= e^-t W2(q, q')."""
    start = w2(relate(law([2.0, 0.5], [1.0, 0.0]), law([1.0, 3.0], [0.0, -1.0])))
    later = w2(relate(law([2.0, 0.5], [1.0, 0.0], 1.5), law([1.0, 3.0], [0.0, -1.0], 1.5)))
    assert later.hi[0] < np.exp(-1.5) * start.lo[0]


# -- equality cases: shifts N(m, 1) against gamma --------------------------------------------------


@given(st.floats(1e-6, 30.0))
def test_shifts_are_the_equality_cases(m):
    r = seen(1.0, m)
    values = {"KL": kl(r), "W2": w2(r), "I": relative_fisher(r)}
    assert all(np.all(e.width <= 1e-13 * e.hi) for e in values.values())
    half = m * m / 2
    assert values["KL"].mid[0] == pytest.approx(half, rel=1e-14)
    assert values["W2"].mid[0] ** 2 == pytest.approx(2 * half, rel=1e-14)  # Talagrand
    assert values["I"].mid[0] / 2 == pytest.approx(half, rel=1e-14)  # Gaussian log-Sobolev
    hwi = values["W2"].mid[0] * np.sqrt(values["I"].mid[0]) - values["W2"].mid[0] ** 2 / 2
    assert hwi == pytest.approx(half, rel=1e-13)  # HWI with K = 1


@pytest.mark.parametrize("time", [0.1, 1.0, 3.0])
def test_shifts_contract_at_the_exact_rate(time):
    """KL, W2 and I of N(m, 1) fall like e^-2t, e^-t, e^-2t (B01); chi2 like e^{m^2 e^-2t} - 1."""
    before, after = seen(1.0, 0.1), seen(1.0, 0.1, time)
    for distance, rate in ((kl, 2), (w2, 1), (relative_fisher, 2)):
        assert distance(after).mid[0] == pytest.approx(
            np.exp(-rate * time) * distance(before).mid[0], rel=1e-13
        )
    expected = np.expm1(0.01 * np.exp(-2 * time)) / np.expm1(0.01)
    assert chi2(after).mid[0] / chi2(before).mid[0] == pytest.approx(expected, rel=1e-12)


def test_bretagnolle_huber_and_pinsker_at_a_shift_of_a_tenth():
    """B05, B06: sqrt(1 - e^-KL) = .0706 at m = .1, where KL = .005."""
    value = kl(seen(1.0, 0.1)).mid[0]
    assert np.sqrt(1 - np.exp(-value)) == pytest.approx(0.0706, abs=5e-5)
    assert np.sqrt(kl(seen(1.0, 5.0)).mid[0] / 2) == pytest.approx(2.5)


# -- inequalities ----------------------------------------------------------------------------------

variances, shifts = st.floats(1e-3, 1e3), st.floats(-5, 5)


@given(st.lists(st.tuples(variances, shifts, st.integers(1, 50)), min_size=1, max_size=4), st.floats(0, 3))
def test_divergences_are_ordered(spectrum, time):
    lam, mean, n = zip(*spectrum, strict=True)
    r = seen(lam, mean, time, n=n)
    value, divergence, fisher, distance = kl(r), chi2(r), relative_fisher(r), w2(r)
    bc, angle, squared = affinity(r), bhattacharyya(r), hellinger(r)
    tiny = 1 + 1e-12
    assert value.lo[0] <= np.log1p(divergence.hi[0]) * tiny + 1e-300  # KL <= log(1 + chi2)
    assert 2 * angle.lo[0] <= value.hi[0] * tiny  # Renyi divergences grow with the order
    assert distance.lo[0] ** 2 <= 2 * value.hi[0] * tiny  # Talagrand
    assert value.lo[0] <= fisher.hi[0] / 2 * tiny  # log-Sobolev
    assert (
        value.lo[0] <= (distance.hi[0] * np.sqrt(fisher.hi[0]) - distance.lo[0] ** 2 / 2) * tiny + 1e-12
    )  # HWI
    assert squared.lo[0] ** 2 <= (1 - bc.lo[0]) * tiny + 1e-15
    bracket = tv_bracket(r)
    assert 0 <= bracket.lo[0] <= bracket.hi[0] <= 1
    assert bracket.lo[0] <= np.sqrt(value.hi[0] / 2) * tiny  # Pinsker
    assert bracket.lo[0] <= np.sqrt(-np.expm1(-value.hi[0])) * tiny  # Bretagnolle-Huber


@given(variances, variances, shifts)
def test_kl_and_w2_add_over_lanes_and_multiplicities_repeat_them(a, b, m):
    both, first, second = seen([a, b], [m, 0.0]), seen(a, m), seen(b)
    assert kl(both).mid[0] == pytest.approx(kl(first).mid[0] + kl(second).mid[0], rel=1e-13, abs=1e-300)
    assert w2(both).mid[0] ** 2 == pytest.approx(
        w2(first).mid[0] ** 2 + w2(second).mid[0] ** 2, rel=1e-12, abs=1e-300
    )
    assert kl(seen(a, m, n=3)).mid[0] == pytest.approx(
        kl(seen([a, a, a], [m, 0, 0])).mid[0], rel=1e-13, abs=1e-300
    )
    expected = np.log1p(chi2(first).mid[0]) + np.log1p(chi2(second).mid[0])
    assert np.log1p(chi2(both).mid[0]) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(variances, shifts, st.floats(0.01, 0.99))
def test_kl_is_convex_along_mixtures_of_means_and_falls_along_the_flow(lam, m, weight):
    ends = kl(seen(lam, 0.0)).hi[0], kl(seen(lam, m)).hi[0]
    assert (
        kl(seen(lam, weight * m)).lo[0] <= ((1 - weight) * ends[0] + weight * ends[1]) * (1 + 1e-12) + 1e-300
    )
    assert kl(seen(lam, m, weight)).lo[0] <= np.exp(-2 * weight) * ends[1] * (1 + 1e-12) + 1e-300


@given(variances, variances, shifts)
def test_reversing_twice_changes_nothing(a, b, m):
    r = relate(law(a, m, 0.3), law(b, 0.0, 0.1))
    twice = r.reversed.reversed
    for distance in (kl, w2, bhattacharyya, relative_fisher):
        assert distance(twice).mid[0] == pytest.approx(distance(r).mid[0], rel=1e-12)
    assert w2(r.reversed).mid[0] == pytest.approx(w2(r).mid[0], rel=1e-14)
    assert bhattacharyya(r.reversed).mid[0] == pytest.approx(bhattacharyya(r).mid[0], rel=1e-13)


# -- degenerate laws -------------------------------------------------------------------------------


def exact(enclosure):
    assert enclosure.lo[0] == enclosure.hi[0]
    return enclosure.lo[0]


def test_a_dirac_seen_from_a_gaussian():
    r = seen(0.0, 2.0)
    assert exact(kl(r)) == exact(kl(r.reversed)) == inf
    assert exact(chi2(r)) == exact(chi2(r.reversed)) == inf
    assert exact(bhattacharyya(r)) == inf
    assert exact(affinity(r)) == 0
    assert exact(hellinger(r)) == 1
    assert exact(tv_bracket(r)) == 1
    assert exact(relative_fisher(r)) == exact(relative_fisher(r.reversed)) == inf
    assert w2(r).mid[0] == pytest.approx(np.sqrt(5))
    assert exact(score_energy(law(0.0, 2.0))) == inf
    assert second_moment(law(0.0, 2.0)).mid[0] == 4


def test_equal_diracs_and_equal_laws_are_at_distance_zero():
    for r in (seen(0.0, 2.0, 0.0, 0.0), seen([0.0, 2.0], 1.0, 0.7, 0.7), seen(3.0, 1.0, inf, inf)):
        for distance in (kl, w2, chi2, bhattacharyya, hellinger, relative_fisher, tv_bracket):
            assert exact(distance(r)) == exact(distance(r.reversed)) == 0


def test_diracs_at_different_points():
    r = relate(law(0.0, 2.0), law(0.0, -1.0))
    assert exact(kl(r)) == exact(chi2(r)) == exact(bhattacharyya(r)) == exact(relative_fisher(r)) == inf
    assert exact(hellinger(r)) == exact(tv_bracket(r)) == 1
    assert w2(r).mid[0] == pytest.approx(3.0)


def test_a_dirac_with_rounded_mean_may_be_the_same():
    r = relate(law(0.0, 2.0, dev=0.0, dev_err=1e-15), law(0.0, 2.0))
    value = kl(r)
    assert value.lo[0] == 0
    assert value.hi[0] == inf


def test_chi2_is_infinite_exactly_from_twice_the_variance_on():
    assert exact(chi2(seen(2.0))) == inf
    assert exact(chi2(seen(5.0))) == inf
    assert np.isfinite(chi2(seen(np.nextafter(2.0, 0))).hi[0])
    assert np.isfinite(chi2(seen(5.0).reversed).hi[0])


def test_an_unstable_sampler_is_infinitely_far():
    stated = relate(law(1.0, rel=inf), law(1.0))
    assert exact(kl(stated)) == exact(w2(stated)) == exact(kl(stated.reversed)) == inf
    assert exact(affinity(stated)) == 0
    assert exact(relative_fisher(stated)) == inf
    overflow = relate(law(1.0, rel=inf, rel_err=inf, dev=inf, dev_err=inf), law(1.0))
    assert kl(overflow).lo[0] > 1e149
    assert kl(overflow).hi[0] == inf
    assert w2(overflow).lo[0] > 1e74
    assert tv_bracket(overflow).hi[0] == 1
    both = relate(law(1.0, rel=inf), law(1.0, rel=inf))
    for distance in (kl, w2, chi2, bhattacharyya, relative_fisher, tv_bracket):
        assert not np.isnan(distance(both).hi[0])


def test_a_dirac_seen_from_what_may_be_the_same_dirac():
    r = relate(law(1.0, rel=-1.0), law(1.0, rel=-1.0, rel_err=1e-12))
    value = kl(r)
    assert value.lo[0] == 0
    assert value.hi[0] == inf


def test_an_unknown_deviation_gives_the_widest_enclosure():
    r = relate(law(1.0, rel=0.0, rel_err=inf), law(1.0))
    assert kl(r).lo[0] == 0
    assert kl(r).hi[0] == inf
    assert tv_bracket(r).lo[0] == 0
    assert tv_bracket(r).hi[0] == 1


def test_padding_counts_for_nothing():
    strange = relate(
        law([2.0, 7.0], [1.0, np.nan], n=[3, 0], rel=[0.0, np.nan]),
        law([2.0, 7.0], [1.0, 5.0], inf, n=[3, 0]),
    )
    plain = seen(2.0, 1.0, n=3)
    for distance in (kl, w2, chi2, bhattacharyya, relative_fisher):
        assert distance(strange).mid[0] == pytest.approx(distance(plain).mid[0], rel=1e-15)


def test_lanes_without_a_metric_have_no_w2():
    r = Relation.lanes([[0.5]], 0.0, [[0.1]], 0.0, [[1.0]])
    assert kl(r).mid[0] == pytest.approx((0.5 - np.log(1.5) + 0.1) / 2)
    for distance in (w2, relative_fisher):
        with pytest.raises(NotDefined, match="metric"):
            distance(r)


def test_lanes_of_a_standardised_pencil():
    rho = Enclosure.exact(np.array([[[0.5, -0.2]], [[1.0, 0.0]]]))
    diff = Enclosure.exact(np.array([[[0.3, 0.0]], [[0.0, 2.0]]]))
    r = Relation.standard(rho, diff, np.array([[3.0], [1.0]]))
    assert r.multiplicities.tolist() == [[3.0, 3.0], [1.0, 1.0]]
    expected = [1.5 * (0.5 - np.log(1.5) - 0.2 - np.log(0.8)) + 0.045, 0.5 * (1 - np.log(2)) + 2]
    assert kl(r).mid == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("first", "second", "name"),
    [
        (law(1.0, rel=np.nan), law(1.0), "p.rel"),
        (law(1.0), law(1.0, np.inf), "q.target_means"),
        (law(-1.0), law(1.0), "p.eigenvalues"),
        (law(1.0, time=-1.0), law(1.0), "p.time"),
        (law(1.0, rel=-1.1, rel_err=0.01), law(1.0), "p.rel"),
        (law(1.0, n=2), law(1.0, n=3), "multiplicities"),
        (law(1.0), law([1.0, 2.0]), "multiplicities"),
        (law(1.0, n=1.5), law(1.0, n=1.5), "multiplicities"),
    ],
)
def test_bad_input_is_named(first, second, name):
    with pytest.raises(InputError, match=name):
        relate(first, second)
