"""Every quantity of every model by its two roads, on random parameters; and the quadratures' own errors."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest

from bounds.models import MODELS as VOCABULARY
from simulators.errors import NotDefined
from simulators.models import MODELS, energies
from simulators.models.extended import mean_of_lines
from simulators.models.mixture import Channel
from simulators.models.tools import (
    integral_by_panels,
    line_integral,
    mean_by_floats,
    mean_by_trapezoid,
    plane_mean,
    trapezoid,
)

DIGITS = 12
SLACK = 1e-10  # relative; far above the digits asked of the second road, far below any wrong formula


def drawn(parameter, rng):
    if rng.random() < 0.12 and (parameter.zero or parameter.scale == "signed"):
        return 0.0
    if parameter.scale == "linear":
        return float(rng.uniform(parameter.low, parameter.high))
    size = math.exp(rng.uniform(math.log(parameter.low), math.log(parameter.high)))
    if parameter.scale == "integer":
        return float(round(size))
    return -size if parameter.scale == "signed" and rng.random() < 0.5 else size


def cases(name, count, seed):
    rng, found = np.random.default_rng(seed), []
    while len(found) < count:
        case = {entry.name: drawn(entry, rng) for entry in VOCABULARY[name].parameters}
        if MODELS[name].admits(case):
            found.append(case)
    return found


def agree(enclosure, number):
    if mp.isinf(number):
        return math.isinf(float(enclosure.hi))
    slack = SLACK * abs(float(number)) + 1e-250
    return float(enclosure.lo) - slack <= float(number) <= float(enclosure.hi) + slack


@pytest.mark.parametrize("name", sorted(MODELS))
def test_two_roads(name):
    for case in cases(name, 1, seed=11):
        for quantity in MODELS[name].quantities:
            enclosure = MODELS[name].value(quantity, case)
            number = MODELS[name].second(quantity, case, digits=DIGITS)
            assert agree(enclosure, number), (quantity, case, enclosure, number)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_values_are_sharp_and_nonnegative_ones_are(name):
    signed = {item.name: item.signed for item in VOCABULARY[name].quantities}
    for case in cases(name, 3, seed=5):
        for quantity in MODELS[name].quantities:
            enclosure = MODELS[name].value(quantity, case)
            lo, hi = float(enclosure.lo), float(enclosure.hi)
            assert signed[quantity] or lo >= -1e-14 * (1 + hi)
            if math.isfinite(hi):
                assert hi - lo <= 1e-9 * max(abs(lo), abs(hi)) + 1e-11


def test_a_wrong_formula_is_seen():
    case = cases("two-component", 1, seed=2)[0]
    number = MODELS["two-component"].second("score", case, digits=DIGITS)
    other = MODELS["two-component"].value("score", {**case, "a_t": case["a_t"] * (1 + 1e-6)})
    assert agree(MODELS["two-component"].value("score", case), number)
    assert not agree(other, number)


INTEGRALS = (
    ("foellmer", "foellmer_energy", "sigma"),
    ("ornstein-uhlenbeck", "vp_energy", "T"),
    ("bsm", "bsm_risk", "mix"),
    ("bsm", "martingale_step", "lag"),
    ("all-times", "all_times_curvature", "w"),
    ("posterior-powers", "power_norm", "R"),
    ("learned-weight", "learner_risk", "w"),
    ("smoothed-score", "noisy_bias", "bandwidth"),
    ("network-of-pieces", "piece_error", "window"),
    ("cluster", "degree_error", "sigma"),
    ("pancakes", "pancake_fisher", "blur"),
)


@pytest.mark.parametrize(("name", "quantity", "moved"), INTEGRALS)
def test_extended_precision_sees_a_wrong_number(name, quantity, moved):
    case = next(
        case for case in cases(name, 20, seed=4) if all(case.get(v, 1) > 0 for v in ("v1", "v2", "mix"))
    )
    number = MODELS[name].second(quantity, case, digits=DIGITS)
    assert agree(MODELS[name].value(quantity, case), number)
    assert not agree(MODELS[name].value(quantity, {**case, moved: case[moved] * (1 + 1e-6)}), number)


def test_energies_are_not_computed_from_entropies(monkeypatch):
    """The claims equate the two; were one the other's second road, they would check nothing."""

    def broken(*_):
        raise AssertionError

    for function in ("_entropy", "_mp_entropy"):
        monkeypatch.setattr(energies, function, broken)
    monkeypatch.setattr(Channel, "mmse", broken)
    for name, quantity, _ in INTEGRALS[:4]:
        case = next(case for case in cases(name, 20, seed=4) if case["v1"] > 0 and case["v2"] > 0)
        assert agree(MODELS[name].value(quantity, case), MODELS[name].second(quantity, case, digits=DIGITS))


@pytest.mark.parametrize("atoms", [True, False])
def test_the_best_bootstrap_leaves_one_less_the_ratio_of_posterior_variances(atoms):
    """Variance of the bootstrapped over that of the denoising target, 1 - V_s/V_t, by both roads; a lag of
    a tenth at least keeps the difference from cancelling.
    """
    rng = np.random.default_rng(12)
    for _ in range(4):
        case = {"w": rng.uniform(0.1, 0.9), "m1": rng.normal(), "m2": 1.5 * rng.normal()}
        case |= {"v1": 0.0 if atoms else rng.uniform(0.1, 2), "v2": 0.0 if atoms else rng.uniform(0.1, 2)}
        case |= {"s": rng.uniform(0.2, 1), "lag": rng.uniform(0.1, 1), "slope": 0.3, "offset": 0.2}
        s, t = case["s"], case["s"] + case["lag"]
        best = math.exp(s - t) * math.expm1(-2 * s) / math.expm1(-2 * t)
        model = MODELS["bsm"]
        for road in (model.value, lambda q, c: model.second(q, c, digits=DIGITS)):  # noqa: B023
            risk, plain = (road("bsm_risk", {**case, "mix": mix}) for mix in (best, 0.0))
            early, late = (road(f"mmse_{name}", {**case, "mix": 0.0}) for name in ("early", "late"))
            numbers = [float(getattr(x, "mid", x)) for x in (risk, plain, early, late)]
            assert numbers[0] / numbers[1] == pytest.approx(1 - numbers[2] / numbers[3], abs=1e-10)
            off = road("bsm_risk", {**case, "mix": best * (1 + 1e-4)})
            assert float(getattr(off, "mid", off)) > numbers[0]


def test_an_extended_rule_that_does_not_settle_says_so():
    assert float(mean_of_lines(lambda z: z**4)) == pytest.approx(3, rel=1e-16)
    with pytest.raises(NotDefined, match="settle"):
        mean_of_lines(lambda z: np.where(z > 0.3, 1.0, 0.0).astype(np.longdouble))


# -- the quadratures -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mean", "variance"), [(0.0, 1.0), (-1.5, 0.2), (3.0, 20.0)])
def test_gaussian_means_contain_the_truth(mean, variance):
    found = mean_by_floats(lambda x: x**4, mean, variance)
    truth = mean**4 + 6 * mean**2 * variance + 3 * variance**2
    assert found.contains(truth)
    assert found.width < 1e-12 * truth
    assert float(mean_by_trapezoid(lambda x: x**4, mp.mpf(mean), mp.mpf(variance))) == pytest.approx(
        truth, rel=1e-13
    )


def test_a_mean_far_in_the_tail_keeps_its_relative_accuracy():
    case = {"R": 1.0, "s_t": 0.05}  # two atoms forty deviations apart: posterior variance near e^{-200}
    found = MODELS["two-atoms"].value("mmse", case)
    number = MODELS["two-atoms"].second("one_less_tanh", case, digits=8)
    assert agree(found, number)
    assert 0 < float(found.mid) < 1e-80
    assert found.width < 1e-11 * found.mid


def test_the_line_the_plane_and_panels():
    assert line_integral(lambda x: np.exp(-x * x), -30, 30).contains(math.sqrt(math.pi))
    assert plane_mean(lambda x, y: x * x * y**4 + 0 * x).contains(3.0)
    assert integral_by_panels(np.abs, [-1.0, 0.0, 2.0], 0.5).contains(2.5)
    assert not integral_by_panels(np.abs, [-1.0, 2.0], 10.0).width < 1e-3  # the kink is not hidden
    with mp.workdps(30):
        assert abs(trapezoid(lambda x: mp.exp(-x * x), -12, 12) - mp.sqrt(mp.pi)) < mp.mpf(10) ** -19


def test_a_jump_does_not_settle():
    with pytest.raises(NotDefined, match="settle"):
        mean_by_floats(lambda x: np.where(x > 0.3, 1.0, 0.0), 0.0, 1.0)


@pytest.mark.parametrize("x", [-2.0, 0.1, 1.3])
def test_channel_derivatives(x):
    with mp.workdps(40):
        law = Channel(
            [mp.mpf(1) / 4, mp.mpf(3) / 4],
            [mp.mpf(-1), mp.mpf(2)],
            [mp.mpf(0), mp.mpf(1)],
            mp.mpf("0.7"),
            mp.mpf("0.4"),
        )
        for order, found in ((1, law.score), (2, law.hessian), (3, law.third)):
            assert abs(found(mp.mpf(x)) - mp.diff(law.log_density, mp.mpf(x), order)) < 1e-20
        third = (
            law.raw_moment(3, x)
            - 3 * law.raw_moment(1, x) * law.raw_moment(2, x)
            + 2 * law.raw_moment(1, x) ** 3
        )
        assert abs(law.posterior_third(mp.mpf(x)) - third) < 1e-15


def test_a_second_road_that_cancels_takes_more_digits():
    """Two far atoms: E X0^2 - E E[X0|X]^2 leaves 2e-36 of 25, four digits of forty."""
    case = {"R": 4.990108512556676, "s_t": 0.38707788683088445}
    model = MODELS["two-atoms"]
    found = float(model.second("mmse", case, digits=40))
    assert found == pytest.approx(float(model.value("mmse", case).mid), rel=1e-12)
    assert found == pytest.approx(
        case["R"] ** 2 * float(model.second("one_less_tanh", case, digits=40)), rel=1e-12
    )


def test_both_roads_agree_far_from_all_data():
    model = MODELS["pinned-bridge"]
    parameters = {"T": 0.503, "m1": 1.896, "m2": 1.0, "part": 0.1138, "sigma": 0.3284}
    parameters |= {"v1": 2.808, "v2": 0.1074, "w": 0.499, "x": -5.91}
    for name in ("drift", "bridge_mean"):  # the posterior lies 28 deviations of the data away
        with mp.workdps(40):
            second = model.second(name, parameters)
        assert float(model.value(name, parameters).mid) == pytest.approx(float(second), rel=1e-12)
