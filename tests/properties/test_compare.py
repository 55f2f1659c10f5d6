"""Comparing bounds: one footing, the verdict, crossings, orders, and the atlas."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import sympy as sp
from sympy import exp, sqrt

from bounds.catalogue import CATALOGUE, find
from bounds.claim import Claim
from bounds.errors import ClaimError
from bounds.notation import symbols
from bounds.quantity import KL, TV, W2, PathKL
from bounds.setup import Setup
from properties.atlas import atlas, completed, plane
from properties.compare import _by_parts, _how, compare, numbers, pair_of
from properties.normalise import as_total_variation, normalise

d, T, N, h, L, M2, KL0, FI0, eps, delta, kappa = symbols("d T N h L M2 KL0 FI0 eps delta kappa")
EI = Setup(clock="unit", sampler="ddpm-ei", score="exact")


def _claim(
    key: str, bound: sp.Expr | dict[str, sp.Expr], lhs: sp.Expr | None = None, **more: object
) -> Claim:
    return Claim(
        key=f"test/{key}",
        lhs=KL("target", "output") if lhs is None else lhs,
        terms=bound,
        setup=more.pop("setup", EI),  # type: ignore[arg-type]
        **more,  # type: ignore[arg-type]
    )


def test_equal_bounds_in_two_clocks() -> None:
    found = compare(find("initialisation/second-moment"), find("initialisation/second-moment-half"))
    assert found.verdict == "equal"
    assert found.shown == "the ratio is 1 everywhere"
    assert found.ratio == (1.0, 1.0)
    assert found.pair.second.notes == ("times are those of the unit clock",)


@pytest.mark.parametrize(
    ("first", "second", "verdict", "shown"),
    [
        (T * d, 2 * T * d, "tighter", "the ratio is 1/2 everywhere"),
        (3 * T * d, 2 * T * d, "looser", "the ratio is 3/2 everywhere"),
        (T * d, T * d + d * h, "tighter", "the difference is a sum of nonnegative terms"),
        (T * d + d * h, T * d, "looser", "the difference is a sum of nonpositive terms"),
        (1 - exp(-T), T, "tighter", "Taylor"),
        (exp(T) - 1, T, "looser", "algebra"),
        (T * d * (1 + sp.Rational(1, 10**9)), T * d, "looser", "the ratio is 1000000001/1000000000"),
        (T * d, T * d * (1 + 1e-9), "tighter", "the ratio is 1000000000/1000000001"),
        (T * d + h * d * sp.Rational(1, 10**9), T * d, "looser", "the difference is a sum of"),
        (sqrt(d * T), (d + T) / 2, "tighter", "means"),
        (d * L * h, d * L**2 * h + d * h / 4, "tighter", "means"),
        (2 * KL0 * h, FI0 * h, "tighter", "means"),  # FI0 >= 2 KL0, log-Sobolev
        (d * h, L * M2 * h, "tighter", "means"),  # L M2 >= d
        (d * sp.log(1 + T), d * T, "tighter", "intervals for the ratio, on T=0.5:30"),
        (sp.log(1 + T) + sp.log(1 + h) + sp.log(1 + d), T + h + d, "tighter", "intervals, on the whole box"),
        (sp.Max(d, T), d + T, "tighter", ""),
        (T, T**2, "incomparable", ""),
        (d * L * h, d * L**2 * h + d * h / 5, "incomparable", ""),
        (2 * sqrt(d * T), (d + T) * sp.Rational(999, 1000), "incomparable", ""),
        (KL0 * exp(-2 * T), (M2 + d) / (2 * (exp(2 * T) - 1)), "incomparable", ""),
        (d * L * h, FI0 * h, "incomparable", ""),
    ],
)
def test_verdicts(first: sp.Expr, second: sp.Expr, verdict: str, shown: str) -> None:
    found = compare(_claim("a", first), _claim("b", second), samples=800)
    assert found.verdict == verdict
    assert found.shown.startswith(shown) if shown else found.shown == ""
    assert (found.first_at is None) == (verdict == "tighter")
    assert found.sampled == (not shown and verdict != "incomparable")
    turned = compare(_claim("b", second), _claim("a", first), samples=800)
    assert turned.verdict == {"tighter": "looser", "looser": "tighter"}.get(verdict, verdict)


def test_what_is_shown_is_never_seen_to_fail() -> None:
    names = [claim.key for claim in CATALOGUE if claim.paper in ("chen-2023-sampling", "conforti-2023")]
    names = [key for key in names if "explicit" in key][::2]
    decided = 0
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            try:
                found = compare(find(first), find(second), samples=300)
            except ClaimError:
                continue
            low, high = found.ratio
            if found.shown:
                decided += 1
                assert high <= 1 + 1e-12 if found.verdict == "tighter" else low >= 1 - 1e-12
    assert decided >= 2


def test_the_crossing_is_found_to_float_accuracy() -> None:
    found = compare(_claim("a", d * T), _claim("b", d**2 * h * 7), samples=800)
    assert found.verdict == "incomparable"
    assert found.first_at is not None
    at = found.first_at
    assert at["T"] > 7 * at["d"] * at["h"]
    assert {crossing.axis for crossing in found.crossings} <= {"T", "d", "h"}
    for crossing in found.crossings:
        place = {**crossing.at, crossing.axis: crossing.value}
        assert place["T"] == pytest.approx(7 * place["d"] * place["h"], rel=1e-9)  # bisected 80 times
        low, high = found.region[crossing.axis]
        assert crossing.value in (low, high)


def test_assumptions_confine_the_comparison() -> None:
    free = compare(_claim("a", T), _claim("b", T**2), samples=500)
    long = compare(_claim("a", T, assuming=("T >= 1",)), _claim("b", T**2), samples=500)
    assert (free.verdict, long.verdict) == ("incomparable", "tighter")
    with pytest.raises(ClaimError, match="assumptions can hold together"):
        compare(_claim("a", T, assuming=("T >= 20",)), _claim("b", T, assuming=("T <= 2",)), samples=200)


def test_tv_against_kl_goes_by_pinsker() -> None:
    pair = pair_of(_claim("a", T, lhs=TV("target", "output")), _claim("b", T))
    assert pair.quantity == "TV"
    assert pair.second.bound == sqrt(T / 2)
    assert "Pinsker: TV <= sqrt(KL/2)" in pair.second.notes
    both = pair_of(_claim("a", T), _claim("b", T, lhs=KL("output", "target")))
    assert both.quantity == "TV"
    assert all("the orders of KL differ" in side.notes for side in (both.first, both.second))


@pytest.mark.parametrize(
    ("lhs", "bound", "expected"),
    [
        (W2("target", "output") ** 2, T, sqrt(T)),
        (sqrt(KL("target", "output") / 2), T, 2 * T**2),
        (2 * KL("target", "output"), T, T / 2),
        (PathKL("target", "output"), T, T),
    ],
)
def test_powers_are_solved_for(lhs: sp.Expr, bound: sp.Expr, expected: sp.Expr) -> None:
    assert sp.simplify(normalise(_claim("a", bound, lhs=lhs), "unit").bound - expected) == 0


def test_the_clock_changes_times_and_integrated_errors() -> None:
    slow = Setup(clock="half", sampler="ddpm-ei", score="estimated:integral")
    side = normalise(_claim("a", eps**2 + d * h / T + exp(-T), setup=slow), "unit")
    assert sp.simplify(side.bound - (2 * T * eps**2 + d * h / T + exp(-2 * T))) == 0
    assert len(side.notes) == 2


def test_the_explicit_bounds_of_two_papers_agree_across_clocks() -> None:
    # the half-clock bound is the unit-clock one at T/2, h/2 with M2 for KL0: same discretisation term
    first = normalise(find("chen-lee-lu-2023/explicit"), "unit").bound
    second = normalise(find("chen-2023-sampling/explicit-young"), "unit").bound.xreplace({h: T / N})
    zero = {eps: sp.Integer(0), M2: -d, KL0: sp.Integer(0)}
    assert sp.simplify(first.xreplace(zero) - second.xreplace(zero)) == 0


def test_what_cannot_be_compared_is_refused() -> None:
    a = _claim("a", T)
    for other, message in (
        (_claim("b", T, lhs=W2("target", "output")), "a bound on KL"),
        (_claim("b", T, lhs=KL("q_T", "gamma")), "the laws of test/a"),
        (_claim("b", T, relation=">="), "an upper bound"),
        (find("w2-explicit/ddpm-ei"), "a right side in parameters alone"),
        (_claim("b", T, lhs=KL("target", "output") + TV("target", "output")), "one quantity"),
    ):
        with pytest.raises(ClaimError, match=message):
            pair_of(a, other)
    with pytest.raises(ClaimError, match="a bound on KL or TV"):
        as_total_variation(normalise(_claim("b", T, lhs=W2("target", "output")), "unit"))


def test_numbers_at_parameters() -> None:
    pair = pair_of(find("chen-2023-sampling/explicit"), find("conforti-2023/explicit"))
    at = {"T": 3, "d": 10, "L": 2, "h": 0.01, "KL0": 5, "FI0": 40}
    first, second = numbers(pair, at)
    assert first == pytest.approx(5 * math.exp(-6) + 3 * (10 * 4 * 0.01 + 10 * 2 * 0.01**2 / 3), rel=1e-14)
    assert second == pytest.approx(5 * math.exp(-6) + 0.4, rel=1e-14)
    with pytest.raises(ClaimError, match="a value for FI0"):
        numbers(pair, {key: value for key, value in at.items() if key != "FI0"})
    with pytest.raises(ClaimError, match="nearest: 'KL0'"):
        numbers(pair, {**at, "KL": 1})


def test_steps_and_their_number_are_tied() -> None:
    pair = pair_of(_claim("a", d * h), _claim("b", 2 * d * T / N))
    assert pair.first.bound == d * T / N
    assert compare(_claim("a", d * h), _claim("b", 2 * d * T / N), samples=200).verdict == "tighter"


def test_hidden_constants_are_compared_by_their_orders() -> None:
    found = compare(find("chen-lee-lu-2023/smooth-score"), find("chen-lee-lu-2023/explicit"), samples=400)
    assert "the constant is hidden and counts as 1" in found.pair.first.notes
    assert found.orders[0].startswith("first <~ second")
    assert found.orders[1].startswith("second <~ first")
    worse = compare(find("chen-lee-lu-2023/smooth-score"), find("conforti-2023/explicit"), samples=400)
    assert worse.orders[0].startswith("first is not <~ second")


def test_same_seed_same_answer() -> None:
    claims = find("chen-2023-sampling/explicit"), find("conforti-2023/explicit")
    one, two = (compare(*claims, seed=3, samples=500) for _ in range(2))
    assert (one.ratio, one.first_at, one.crossings) == (two.ratio, two.first_at, two.crossings)


PLACE = {"d": 100, "T": 5, "N": 1000, "L": 5, "M2": 100, "KL0": 200, "FI0": 2000, "eps": 0.01}


def test_the_atlas_is_sorted_and_says_what_it_left_out() -> None:
    found = atlas(CATALOGUE, "KL", PLACE)
    values = [row.value for row in found.rows]
    assert values == sorted(values)
    keys = [row.claim.key for row in found.rows]
    assert keys.index("conforti-2023/explicit") < keys.index("chen-2023-sampling/explicit")
    by_hand = 200 * math.exp(-10) + 2000 * 0.005
    assert found.rows[0].value == pytest.approx(by_hand, rel=1e-12)
    assert dict(found.left_out)["benton-2024/explicit"] == "needs kappa"
    assert dict(found.left_out)["conforti-2023/early-stopped"] == "delta > 0 does not hold"
    assert not {key for key in keys if find(key).expect in ("refuted", "diverges")}
    assert [year for year, _ in found.by_year] == sorted({year for year, _ in found.by_year})


def test_the_atlas_can_do_tv_and_w2_and_one_sampler() -> None:
    assert {row.side.quantity for row in atlas(CATALOGUE, "TV", PLACE).rows} == {"TV"}
    only = atlas(CATALOGUE, "KL", PLACE, samplers=("cds-ei",))
    assert {row.claim.setup.sampler for row in only.rows} == {"cds-ei"}
    with pytest.raises(ClaimError, match="nearest: 'kappa'"):
        atlas(CATALOGUE, "KL", {**PLACE, "kapa": 1})
    with pytest.raises(ClaimError, match="a positive number"):
        completed({"T": -1})


def test_lipschitz_constants_are_raised_to_what_is_assumed() -> None:
    claim = find("chen-lee-lu-2023/smooth-score")
    low, one = (atlas([claim], "KL", {**PLACE, "L": value}).rows[0].value for value in (0.5, 1.0))
    assert low == one


def test_the_plane_agrees_with_the_atlas() -> None:
    at = {"d": 100, "T": 6, "N": 1e5, "M2": 100, "KL0": 200, "eps": 0}
    drawn = plane(CATALOGUE, "KL", at, [("L", 1, 200), ("FI0", 500, 1e6)], points=12)
    (_, xs), (_, ys) = drawn.axes
    assert len({int(i) for i in drawn.winner.ravel()}) >= 2
    for i, j in ((0, 0), (11, 0), (0, 11), (5, 7)):
        rows = atlas(CATALOGUE, "KL", {**at, "L": xs[j], "FI0": ys[i]}).rows
        best = [row.claim.key for row in rows if math.isclose(row.value, rows[0].value, rel_tol=1e-9)]
        family = {find(key).paper for key in best}
        assert find(drawn.keys[drawn.winner[i, j]]).paper in family
    assert np.all(drawn.lead >= 1)
    with pytest.raises(ClaimError, match="NAME=LOW:HIGH"):
        plane(CATALOGUE, "KL", at, [("L", 5, 1), ("FI0", 1, 2)])
    with pytest.raises(ClaimError, match="some bound of the catalogue has a value"):
        plane(CATALOGUE, "KL", {}, [("v", 1, 2), ("s", 1, 2)])


def test_falsified_bounds_change_the_comparison() -> None:
    good = find("chen-2023-sampling/explicit")
    twice = replace(good, key="test/twice", constant=2)
    assert compare(good, twice, samples=200).verdict == "tighter"
    assert compare(twice, good, samples=200).shown == "the ratio is 2 everywhere"


@pytest.mark.parametrize("samples", [20, 600])
def test_the_sample_goes_to_the_edges_of_what_the_assumptions_allow(samples: int) -> None:
    """W20^2 = 2 KL0 for a shift, where e^{-2T} KL0 is the smaller one; away from there it is the larger."""
    found = compare(
        find("initialisation/contraction"), find("regularisation/initialisation"), samples=samples
    )
    assert found.verdict == "incomparable"
    assert found.ratio[0] < 0.75 < 1 < found.ratio[1]
    assert found.share < 0.1  # of the random points alone


def test_ratios_of_few_parameters_and_parts_of_a_sum_are_shown() -> None:
    rate = compare(find("initialisation/second-moment-half"), find("initialisation/corrected-rate"))
    assert (rate.verdict, rate.shown) == ("tighter", "intervals for the ratio, on T=0.5:30")
    parts = compare(find("chen-lee-lu-2023/smooth-score"), find("chen-lee-lu-2023/explicit"), samples=600)
    assert parts.verdict == "looser"
    assert parts.shown.startswith("the terms with exponentials by intervals for the ratio")
    assert "; the others by means" in parts.shown


def test_a_negative_part_is_not_taken_for_a_ratio_below_one() -> None:
    """T d against T d + d e^T - 2 d T e^T: the part with exponentials is negative for T > 1/2."""
    first, second = _claim("plain", T * d), _claim("falling", T * d + d * exp(T) - 2 * d * T * exp(T))
    pair = pair_of(first, second)
    assert not _by_parts(pair, pair.first.bound, pair.second.bound)
    assert not _how(pair, sp.Integer(0), d * exp(T) - 2 * d * T * exp(T))
    assert not _how(pair, (M2 + d) / (exp(T) - 1), (M2 + d) * exp(-T))
