"""The learning experiments: each number by a second road, and each rule seen to fail."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from simulators.errors import InputError
from simulators.experiments import bsm_dimension, bsm_per_time, learn_mixture, memorisation, minor_mode
from simulators.experiments.forward import bootstrapped, denoising, kappa, noise, signal, trajectory_step
from simulators.experiments.outcome import mean_interval, share_interval, slope_interval

RNG = np.random.default_rng


# -- the two targets -----------------------------------------------------------------------------------------


def test_targets_are_unbiased_and_their_variances_known() -> None:
    """N(0, v): E[T | x] = -x/S, and the variances are A^2 V_t and A^2 (V_t - V_t') with A = a/s^2."""
    v, early, late, n = 0.7, 0.3, 0.5, 400_000
    rng = RNG(0)
    x0 = math.sqrt(v) * rng.standard_normal((n, 1))
    before = trajectory_step(x0, early, rng)
    x = trajectory_step(before, late - early, rng)
    spread = {t: signal(t) ** 2 * v + noise(t) for t in (early, late)}
    left = {t: v * noise(t) / spread[t] for t in (early, late)}  # posterior variance of X_0
    weight = (signal(late) / noise(late)) ** 2
    exact = bootstrapped(x0, before, x, (early, late), -before / spread[early])
    for target, variance in (
        (denoising(x0, x, late), weight * left[late]),
        (exact, weight * (left[late] - left[early])),
    ):
        residual = target + x / spread[late]
        scale = math.sqrt(variance / n)
        assert abs(float((residual * x).mean())) < 5 * scale * math.sqrt(spread[late])  # five deviations
        assert float((residual**2).mean()) == pytest.approx(variance, rel=5 * math.sqrt(2 / n))


def test_kappa_telescopes() -> None:
    product = kappa(0.1, 0.4) * kappa(0.4, 0.9)
    assert product == pytest.approx(kappa(0.1, 0.9), rel=1e-14)
    assert kappa(0.1, 0.4) < 1


# -- intervals -----------------------------------------------------------------------------------------------


def test_intervals_cover_as_often_as_they_say() -> None:
    """2000 trials at 95%: the count is binomial, five deviations are 49."""
    values = RNG(1).standard_normal((12, 2000))
    _, low, high = mean_interval(values)
    assert abs(int(((low <= 0) & (high >= 0)).sum()) - 1900) < 49


def test_slope_of_a_power_law_is_found() -> None:
    rng = RNG(2)
    places = (1.0, 2.0, 4.0, 8.0)
    slope, low, high = slope_interval(places, [x**1.5 * rng.gamma(4.0, size=400) for x in places])
    assert low < 1.5 < high
    assert slope == pytest.approx(1.5, abs=0.1)


def test_share_interval_is_clopper_pearson() -> None:
    from scipy.stats import binomtest

    known = binomtest(7, 90).proportion_ci(0.95, method="exact")
    assert share_interval(7, 90) == pytest.approx((known.low, known.high), rel=1e-9)


def test_too_few_repetitions_are_refused() -> None:
    with pytest.raises(InputError, match="repetitions=1"):
        mean_interval(np.zeros(1))


# -- bsm-per-time --------------------------------------------------------------------------------------------

SMALL = bsm_per_time.Plan(d=3, m=60, steps=6, repetitions=400)


def test_denoising_errors_have_their_exact_mean() -> None:
    """Inverse Wishart moments against simulation, within five standard errors."""
    plain, _ = bsm_per_time.errors(SMALL, seed=3)
    deviation = plain.std(axis=0, ddof=1) / math.sqrt(SMALL.repetitions)
    assert np.all(np.abs(plain.mean(axis=0) - bsm_per_time.expected(SMALL)) < 5 * deviation)


def test_figure_3a_reaches_the_known_numbers() -> None:
    """Means over 60 repetitions known from another program, within four standard errors of both together."""
    table = bsm_per_time.errors(bsm_per_time.Plan(), seed=0)
    places = [0, 4, 9, 19, 29, 39]
    plain = np.array([0.466, 0.0767, 0.0350, 0.01048, 0.003728, 0.001464])
    bootstrap = np.array([0.466, 0.0642, 0.0221, 0.00435, 0.000885, 0.000188])
    for errors, known in zip(table, (plain, bootstrap), strict=True):
        deviation = errors.std(axis=0, ddof=1) * math.sqrt(1 / 60 + 1 / len(errors))
        assert np.all(np.abs(errors.mean(axis=0)[places] - known) < 4 * deviation[places])
    # the same program saw the bootstrapped error below in 96.8% of the fits: a mean, not a rule for each
    below = (table[1] < table[0])[:, bsm_per_time.Plan().warm :].mean()
    assert below == pytest.approx(0.968, abs=0.015)


def test_one_repetition_equals_least_squares_written_out() -> None:
    plan = bsm_per_time.Plan(d=2, m=20, steps=4, repetitions=2)
    plain, own = bsm_per_time.errors(plan, seed=4)
    rng = RNG(4)
    x0 = rng.standard_normal((2, 20, 2)) * np.sqrt(plan.eigenvalues)
    x, fit = x0, np.zeros((2, 2))
    for k in range(4):
        t, before = plan.times[k], x
        x = signal(plan.step) * x + math.sqrt(noise(plan.step)) * rng.standard_normal(x.shape)
        z = x[0] - signal(t) * x0[0]
        y = -z / noise(t)
        truth = np.diag(-1 / (signal(t) ** 2 * plan.eigenvalues + noise(t)))
        usual = np.linalg.lstsq(x[0], y, rcond=None)[0].T
        if k >= plan.warm:
            s = plan.times[k - 1]
            z_before = before[0] - signal(s) * x0[0]
            weight = math.exp(s - t) * noise(s) / noise(t)
            y = y + weight * (z_before / noise(s) + before[0] @ fit.T)
            fit = np.linalg.lstsq(x[0], y, rcond=None)[0].T
        else:
            fit = usual
        covariance = np.diag(-1 / np.diag(truth))
        for found, errors in ((usual, plain), (fit, own)):
            gap = found - truth
            assert errors[0, k] == pytest.approx(float(np.trace(gap @ covariance @ gap.T)), rel=1e-9)


def test_per_time_rule_fails_without_bootstrapping(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bsm_per_time.run(0, plan=SMALL).agrees
    monkeypatch.setattr(
        bsm_per_time, "bootstrapped", lambda x0, before, x, times, _: denoising(x0, x, times[1])
    )
    outcome = bsm_per_time.run(0, plan=SMALL)
    assert not outcome.agrees
    assert outcome.sentence.startswith("differs: seen ")


# -- bsm-dimension -------------------------------------------------------------------------------------------


def test_selection_is_the_least_squares_member() -> None:
    rng = RNG(5)
    members, x, residual = (
        rng.standard_normal((9, 3, 3)),
        rng.standard_normal((30, 3)),
        rng.standard_normal((30, 3)),
    )
    energies = bsm_dimension._energies(members, x)
    fits = x @ members.transpose(0, 2, 1)
    assert energies == pytest.approx((fits**2).sum(axis=(1, 2)), rel=1e-12)
    slow = int(np.argmin(((fits - residual) ** 2).sum(axis=(1, 2))))
    assert bsm_dimension._pick(members, energies, x, residual) == slow


def test_dimension_does_not_enter_and_the_rule_sees_when_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = bsm_dimension.Plan(dimensions=(4, 32), repetitions=150)
    assert bsm_dimension.run(0, plan=plan).agrees
    honest = bsm_dimension.errors
    monkeypatch.setattr(
        bsm_dimension, "errors", lambda plan, d, rng: tuple(d**0.5 * part for part in honest(plan, d, rng))
    )
    assert not bsm_dimension.run(0, plan=plan).agrees


# -- minor-mode ----------------------------------------------------------------------------------------------


def test_exact_score_of_the_mixture_is_the_slope_of_its_log_density() -> None:
    plan, t, x, step = minor_mode.Plan(), 0.4, np.linspace(-4, 4, 9), 1e-5
    spread = signal(t) ** 2 * plan.variance + noise(t)

    def log_density(y: np.ndarray) -> np.ndarray:
        parts = [np.exp(-((y - signal(t) * m) ** 2) / (2 * spread)) for m in plan.means]
        return np.log(plan.weight * parts[0] + (1 - plan.weight) * parts[1])

    slope = (log_density(x + step) - log_density(x - step)) / (2 * step)
    assert minor_mode.score(plan, t, x) == pytest.approx(slope, abs=1e-8)  # differences of order step^2


def test_share_with_the_exact_score_tends_to_the_minor_mode() -> None:
    plan = minor_mode.Plan(step=0.025, steps=160)
    count = minor_mode.reverse(plan, lambda t, x: minor_mode.score(plan, t, x), 40_000, RNG(6))
    low, high = share_interval(count, 40_000)
    assert low - 0.005 < minor_mode.minor_share(plan) < high + 0.005  # the steps take 0.0027


def test_control_sees_a_wrong_score(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = minor_mode.Plan(m=100, outputs=500, repetitions=3)
    honest = minor_mode.score
    monkeypatch.setattr(minor_mode, "CONTROL", 20_000)
    monkeypatch.setattr(
        minor_mode, "score", lambda plan, t, x: honest(dataclasses.replace(plan, weight=0.2), t, x)
    )
    outcome = minor_mode.run(0, plan=plan)
    assert not outcome.agrees
    assert next(row for row in outcome.rows if row[0] == "exact")[2] > 0.15


# -- learn-mixture -------------------------------------------------------------------------------------------


def test_population_steps_match_the_known_numbers() -> None:
    student, truth = np.array([3.0, -1.0, 1.0]), np.array([3.5, -1.4, 0.8])
    step = student + learn_mixture.population_step(student, truth)
    assert step == pytest.approx([3.500186, -1.400424, 0.799493], abs=1e-6)
    assert learn_mixture.population_em(student, truth) == pytest.approx(
        [3.499974, -1.399938, 0.800076], abs=1e-6
    )
    small, other = np.array([0.02, 0.01, -0.03]), np.array([1.2, -0.5, 0.3])
    step = learn_mixture.population_step(small, other)
    assert step == pytest.approx([0.023886, -0.010009, 0.00608], abs=1e-6)
    assert step == pytest.approx(2 * other * (other @ small), abs=2e-4)  # power iteration, up to |mu|^3


def test_sample_gradient_is_that_of_the_loss_and_tends_to_the_population() -> None:
    rng, t = RNG(7), 0.4
    truth, student = np.array([1.5, -0.5]), np.array([0.6, 0.4])
    x0 = rng.choice((-1.0, 1.0), (200_000, 1)) * truth + rng.standard_normal((200_000, 2))
    x = trajectory_step(x0, t, rng)
    target = denoising(x0, x, t)

    def loss(mu: np.ndarray) -> float:
        fit = np.tanh(x @ mu)[:, None] * mu - x
        return float(((fit - target) ** 2).sum(axis=1).mean() / 2)

    step = learn_mixture.sample_step(student, x, target)
    slope = [(loss(student - 1e-5 * e) - loss(student + 1e-5 * e)) / 2e-5 for e in np.eye(2)]
    assert step == pytest.approx(slope, abs=1e-6)
    exact = learn_mixture.population_step(student, signal(t) * truth)
    assert step == pytest.approx(exact, abs=0.03)  # five deviations of a mean of 200000


def test_learning_succeeds_and_the_rule_sees_a_wrong_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = learn_mixture.Plan(d=3, m=3000, repetitions=4)
    assert learn_mixture.run(0, plan=plan).agrees
    honest = learn_mixture.sample_step
    monkeypatch.setattr(learn_mixture, "sample_step", lambda *given: -honest(*given) / 100)
    assert not learn_mixture.run(0, plan=plan).agrees


# -- memorisation --------------------------------------------------------------------------------------------


def test_denoisers_agree_with_bayes_rule() -> None:
    train, x, t = np.array([[0.0, 1.0], [2.0, -1.0]]), np.array([[0.5, 0.3]]), 0.6
    weights = np.exp(-((x - signal(t) * train) ** 2).sum(axis=1) / (2 * noise(t)))
    expected = (weights / weights.sum()) @ train
    assert memorisation.empirical_denoiser(train)(t, x)[0] == pytest.approx(expected, rel=1e-12)
    many = memorisation._data(400_000, RNG(8))
    by_data = memorisation.empirical_denoiser(many)(t, x)[0]
    assert memorisation.true_denoiser(t, x)[0] == pytest.approx(by_data, abs=0.02)  # a sample of 400000


def test_flow_is_exact_for_one_training_point() -> None:
    plan = memorisation.Plan(m=1, outputs=3, steps=7)
    point, start = np.array([[1.0, -2.0]]), RNG(9).standard_normal((3, 2))
    first, last = plan.times[0], plan.times[-1]
    end = memorisation.flow(plan, memorisation.empirical_denoiser(point), start)[-1]
    ratio = math.sqrt(noise(last) / noise(first))
    exact = (signal(last) * point + ratio * (start - signal(first) * point)) / signal(last)
    assert end == pytest.approx(exact, rel=1e-10)


def test_memorised_and_the_rule_sees_a_smooth_denoiser(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = memorisation.Plan(m=32, outputs=100, steps=150)
    assert memorisation.run(0, plan=plan).agrees
    monkeypatch.setattr(memorisation, "empirical_denoiser", lambda _: memorisation.true_denoiser)
    assert not memorisation.run(0, plan=plan).agrees


# -- bad input -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "change", "name"),
    [
        (bsm_per_time.Plan, {"m": 8}, "m=8"),
        (bsm_per_time.Plan, {"warm": 40}, "warm=40"),
        (bsm_dimension.Plan, {"dimensions": (1, 2)}, "dimensions="),
        (minor_mode.Plan, {"weight": 0.7}, "weight=0.7"),
        (minor_mode.Plan, {"means": (1.0, 1.0)}, "means="),
        (learn_mixture.Plan, {"length": math.nan}, "length=nan"),
        (memorisation.Plan, {"last": 0.0}, "last=0.0"),
    ],
)
def test_bad_plans_are_named(plan: type, change: dict, name: str) -> None:
    with pytest.raises(InputError, match=name):
        plan(**change)
