"""Learners with a law, smoothed scores, networks, clusters, descent, pancakes: against what is known."""

from __future__ import annotations

from math import comb, log, pi, sqrt

import mpmath as mp
import numpy as np
import pytest

from simulators.errors import NotDefined
from simulators.models import MODELS, learner
from simulators.models.mixture import Channel

WEIGHT = {"w": 0.3, "sep": 3, "a_t": 0.6, "s_t": 0.8}
LEARNER = {**WEIGHT, "n_data": 12, "fail": 0.1, "fail_train": 0.05}
PIECES = {"eta": 0.5, "m1": 1, "v1": 0.5, "t": 0.3}
CLUSTER = {"w": 0.5, "share": 0.5, "R": 2, "inner": 1, "sigma": 1.5}


def value(model, quantity, **parameters):
    return float(MODELS[model].value(quantity, parameters).mid)


def channel(w):
    return Channel([w, 1 - w], [-1.0, 2.0], [0.0, 0.0], 0.6, 0.64)


# -- a learner with a law ------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [0, 3, 7, 10])
def test_the_learner_is_the_minimiser_of_the_empirical_loss(k):
    """Endless draws: the loss of weight v is the mean of |S_v + z/s^2|^2 over the two kinds of data."""

    def loss(v):
        score = channel(v).score
        return sum(
            share * float(channel(0.5).mean_within(i, lambda x, c=c: (score(x) + (x - c) / 0.64) ** 2).mid)
            for i, (share, c) in enumerate(((k / 10, -0.6), (1 - k / 10, 1.2)))
        )

    shares = np.linspace(0, 1, 21)
    assert shares[np.argmin([loss(v) for v in shares])] == pytest.approx(k / 10)


def test_the_learners_risk_by_simulation():
    rng = np.random.default_rng(0)
    x = np.where(rng.random(4000) < 0.3, -0.6, 1.2) + 0.8 * rng.standard_normal(4000)
    truth = channel(0.3).score(x)
    gaps = [((channel(k / 12).score(x) - truth) ** 2).mean() for k in rng.binomial(12, 0.3, 2000)]
    found = value("learned-weight", "learner_risk", **LEARNER)
    # four standard errors of the 2000 trainings, and as many of the 4000 points
    assert found == pytest.approx(np.mean(gaps), abs=4 * np.std(gaps) / sqrt(2000) + 0.03 * found)


def test_the_learners_quantile_by_simulation():
    """By the definition: the 95% quantile over k of the 90% quantile over x of s|S_k - S|."""
    rng = np.random.default_rng(1)
    x = np.where(rng.random(100_000) < 0.3, -0.6, 1.2) + 0.8 * rng.standard_normal(100_000)
    truth = channel(0.3).score(x)
    sizes = [0.8 * np.quantile(np.abs(channel(k / 12).score(x) - truth), 0.9) for k in range(13)]
    chances = [comb(12, k) * 0.3**k * 0.7 ** (12 - k) for k in range(13)]
    order = np.argsort(sizes)[::-1]
    beyond = np.cumsum(np.array(chances)[order])
    expected = sizes[order[np.argmax(beyond > 0.05)]]
    assert value("learned-weight", "learner_quantile", **LEARNER) == pytest.approx(expected, rel=0.01)


def test_one_datum_is_learned_by_heart():
    """One datum fixes the weight at 0 or 1: the risk is 2 w (1 - w) less what noise hides."""
    case = {**LEARNER, "n_data": 1, "s_t": 0.3, "a_t": 2}
    unit = 4 * 9 / 0.3**4
    assert value("learned-weight", "learner_risk", **case) / unit == pytest.approx(0.42, abs=1e-6)
    hidden = {**case, "s_t": 3, "a_t": 0.1}
    assert value("learned-weight", "learner_risk", **hidden) / (0.01 * 9 / 81) == pytest.approx(
        0.21, rel=0.01
    )


def test_an_unseen_atom_costs_its_distance():
    """Few data and two far atoms: with probability .7^8 > fail_train none shows, and the error is the gap."""
    case = {**LEARNER, "n_data": 8, "fail": 0.2, "a_t": 2, "s_t": 0.3}
    assert value("learned-weight", "learner_quantile", **case) == pytest.approx(20, rel=1e-6)
    assert value("learned-weight", "learner_quantile", **{**case, "fail": 0.31}) < 1e-6


def test_the_roads_of_the_quantile_see_a_wrong_one(monkeypatch):
    honest = float(MODELS["learned-weight"].second("learner_quantile", LEARNER, digits=12))
    assert value("learned-weight", "learner_quantile", **LEARNER) == pytest.approx(honest, rel=1e-10)
    kept = learner._width_quantiles
    monkeypatch.setattr(
        learner, "_width_quantiles", lambda p, fails: kept(p, [f * (1 + 1e-6) for f in fails])
    )
    assert value("learned-weight", "learner_quantile", **LEARNER) != pytest.approx(honest, rel=1e-9)


@pytest.mark.parametrize("n", [1, 10, 100])
def test_the_fitted_weight(n):
    case = {"w": 0.3, "n_data": n}
    assert value("learned-at-all-times", "learner_variance", **case) == pytest.approx(0.21 / n)
    if n == 1:
        expected = 0.3 * log(0.3 / 0.75) + 0.7 * log(0.7 / 0.25)  # one of its two values, then the other
        other = 0.3 * log(0.3 / 0.25) + 0.7 * log(0.7 / 0.75)
        found = value("learned-at-all-times", "learner_entropy", **case)
        assert found == pytest.approx(0.3 * expected + 0.7 * other)


# -- smoothing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("v", "h"), [(0.2, 0.1), (1.0, 3.0), (3.0, 0.5)])
def test_the_bias_of_a_smoothed_gaussian(v, h):
    case = {"w": 0.5, "m1": 1, "m2": 1, "v1": v, "v2": v, "bandwidth": h}
    assert value("smoothed-score", "smoothing_bias", **case) == pytest.approx(h * h / (v * (v + h) ** 2))
    assert value("smoothed-score", "noisy_bias", **case) == pytest.approx(h * h / (v * v * (v + h)))
    assert value("smoothed-score", "score_lip", **case) == pytest.approx(1 / v)


def test_the_notes_bias_of_the_standard_normal():
    case = {"w": 0.5, "m1": 0, "m2": 0, "v1": 1, "v2": 1, "bandwidth": 0.3}
    assert value("smoothed-score", "smoothing_bias", **case) == pytest.approx((0.3 / 1.3) ** 2)


def test_the_lipschitz_constant_far_from_the_means():
    """Nearly equal variances: the wider component takes over far out, where the slope turns once more."""
    case = {"w": 0.98, "m1": -2.4, "m2": -1.1, "v1": 0.44, "v2": 0.46, "bandwidth": 1}
    found = value("smoothed-score", "score_lip", **case)
    assert found == pytest.approx(float(MODELS["smoothed-score"].second("score_lip", case)), rel=1e-10)
    assert found >= 1 / 0.44 * (1 - 1e-10)


# -- networks of pieces --------------------------------------------------------------------------------------


def test_the_error_of_the_network_is_of_fourth_order_in_its_pieces():
    coarse, fine = (
        value("network-of-pieces", "piece_error", **PIECES, n_pieces=n, window=8.0) for n in (50, 100)
    )
    assert coarse / fine == pytest.approx(16, rel=0.01)


def test_the_network_beyond_its_window_is_constant():
    narrow = value("network-of-pieces", "piece_error", **PIECES, n_pieces=200, window=0.5)
    wide = value("network-of-pieces", "piece_error", **PIECES, n_pieces=200, window=4.0)
    assert narrow > 1000 * wide > 0
    outside = value("network-of-pieces", "outside", eta=1e-12, m1=1, v1=0.5, t=0.3, n_pieces=1, window=2.0)
    assert outside == pytest.approx(0.0455, abs=5e-5)


# -- a cluster -----------------------------------------------------------------------------------------------


def test_polynomials_of_degree_zero_leave_the_standard_deviation():
    """The posterior mean has the variance of the prior less the mean posterior variance."""
    law = Channel([0.5, 0.5], [-2.0, 2.0], [0.0, 0.0], 1.0, 2.25)
    spread = sqrt(4 - float(law.mmse().mid))
    assert value("cluster", "degree_error", **CLUSTER, deg=1) == pytest.approx(spread, rel=1e-10)


def test_an_odd_function_gains_by_odd_degrees_only():
    errors = [value("cluster", "degree_error", **CLUSTER, deg=n) for n in range(1, 9)]
    for odd, even in ((1, 2), (3, 4), (5, 6)):
        assert errors[odd] == pytest.approx(errors[even], rel=1e-9)
        assert errors[even + 1] < 0.8 * errors[even]


# -- descent -------------------------------------------------------------------------------------------------


def test_descent_ends_where_it_starts_at_the_teacher():
    case = {"student": 0.7, "teacher": 0.7, "overlap": 1.0, "rate": 0.3}
    assert value("descent", "descent_steps", **case) == 0


def test_descent_in_one_dimension():
    """mu <- mu - rate J'(mu), J' from the student model's own coefficient."""
    mu, steps = 0.1, 0
    while abs(mu - 0.9) > 0.09:
        mu -= 0.4 * value("student", "gradient_along", student=mu, teacher=0.9, cosine=1)
        steps += 1
    assert value("descent", "descent_steps", student=0.1, teacher=0.9, overlap=1.0, rate=0.4) == steps > 5


def test_without_overlap_the_teacher_is_not_found(monkeypatch):
    from simulators.models import descent

    monkeypatch.setattr(descent, "MOST", 300)
    with pytest.raises(NotDefined, match="not found in 300 steps"):
        value("descent", "descent_steps", student=0.3, teacher=0.5, overlap=0.0, rate=0.4)


# -- pancakes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("gap", "blur"), [(0.35, 0.267), (0.4, 0.243), (1.0, 0.3), (3.0, 0.5)])
def test_pancakes_by_a_mixture_of_layers(gap, blur):
    """In the first two rows a rule of step 1/4 on the whole line and one of 1/8 err by the same 1e-8."""
    spread = (gap * blur) ** 2
    centres = gap * np.arange(-60, 61) / (1 + spread)
    weights = np.exp(-((gap * np.arange(-60, 61)) ** 2) / (2 * (1 + spread)))
    variance = spread / (1 + spread)
    x = np.arange(-12, 12, gap * blur / 40)[:, None]
    parts = weights / weights.sum() * np.exp(-((x - centres) ** 2) / (2 * variance)) / sqrt(2 * pi * variance)
    density = parts.sum(axis=1)
    score = (parts * (centres - x)).sum(axis=1) / variance / density
    found = value("pancakes", "pancake_fisher", layer_gap=gap, blur=blur, deg=1)
    expected = (density * (score + x[:, 0]) ** 2).sum() * gap * blur / 40
    assert found == pytest.approx(expected, rel=1e-9)
    fourth = (density * (x[:, 0] ** 4 - 6 * x[:, 0] ** 2 + 3)).sum() * gap * blur / 40 / sqrt(24)
    moment = value("pancakes", "pancake_moment", layer_gap=gap, blur=blur, deg=4)
    assert moment == pytest.approx(abs(fourth), rel=1e-9, abs=1e-13)


def test_odd_moments_of_pancakes_vanish():
    assert value("pancakes", "pancake_moment", layer_gap=1, blur=0.3, deg=7) == 0


# -- a rule that could not settle ----------------------------------------------------------------------------


def test_atoms_at_all_times_settle_among_subnormal_numbers():
    case = {"w": 0.24512979360303097, "m1": 2.6991088673673747, "m2": -0.24930147548849094, "v1": 0}
    found = MODELS["all-times"].value("all_times_curvature", case)
    assert found.contains(float(mp.mpf(1) / (case["w"] * (1 - case["w"]))))


def test_close_atoms_far_from_zero_lose_no_digits():
    case = {"w": 0.4, "m1": 3.0, "m2": 3.0 + 1e-3, "v1": 0}
    found = value("all-times", "all_times_curvature", **case)
    assert found == pytest.approx(1 / 0.24, rel=1e-9)
