"""The exact laws of the variance-preserving and the pinned sampler: recursion, grid, and known numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulators.errors import InputError
from simulators.experiments import vp_against_pinned as bridges
from simulators.experiments import vp_against_pinned_high as high

PLAN = bridges.Plan(steps=(10, 20))


@pytest.mark.parametrize(
    ("variance", "known"),
    [(0.5, (0.53896, 0.50376, 0.50038)), (2.0, (1.8558, 1.9851, 1.9985)), (0.01, (0.1014, 0.01644, 0.01052))],
)
def test_pinned_variances_are_the_known_ones(variance: float, known: tuple[float, ...]) -> None:
    found = [bridges.variance_at_the_end(variance, "pinned", N, PLAN) for N in (10, 100, 1000)]
    assert found == pytest.approx(known, rel=5e-4)  # the digits given
    assert all(V >= 1 / N for V, N in zip(found, (10, 100, 1000), strict=True))


@pytest.mark.parametrize("method", bridges.METHODS)
@pytest.mark.parametrize("variance", [0.5, 2.0])
def test_grid_and_recursion_agree(method: str, variance: float) -> None:
    law = bridges.Law((1.0,), (0.0,), (variance,))
    density = bridges.density_at_the_end(law, method, 20, PLAN)
    V = bridges.variance_at_the_end(variance, method, 20, PLAN)
    exact = bridges.Law((1.0,), (0.0,), (V,)).density(bridges.GRID)
    assert np.abs(density - exact).max() < 1e-8  # the tails beyond the grid
    grid_kl = bridges._kl(law.density(bridges.GRID), density)
    assert grid_kl == pytest.approx(bridges.kl(variance, V), abs=1e-7)  # what N(0, 2) has beyond the grid


def test_vp_variance_tends_to_the_target_and_mixing_obeys_its_bound() -> None:
    found = [bridges.variance_at_the_end(0.5, "vp", N, PLAN) for N in (200, 2000)]
    assert abs(found[1] - 0.5) < abs(found[0] - 0.5) / 8  # order one in h
    for law in bridges.TARGETS.values():
        start = bridges._kl(
            law.density(bridges.GRID), bridges.Law((1.0,), (0.0,), (1.0,)).density(bridges.GRID)
        )
        assert bridges._mixing(law, PLAN) <= math.exp(-2 * PLAN.horizon) * start


def test_posterior_mean_by_quadrature() -> None:
    law, x, a, spread = bridges.TARGETS["0.3 N(-1, 0.2) + 0.7 N(2, 0.5)"], 0.7, 0.6, 0.64
    weights = law.density(bridges.GRID) * np.exp(-((x - a * bridges.GRID) ** 2) / (2 * spread))
    expected = float((weights * bridges.GRID).sum() / weights.sum())
    assert law.posterior_mean(np.array([x]), a, spread)[0] == pytest.approx(expected, rel=1e-10)
    assert (a * expected - x) / spread == pytest.approx(0.26753, abs=1e-5)  # the known score


def test_table_says_which_is_closer_and_the_rule_can_be_met(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "0.3 N(-1, 0.2) + 0.7 N(2, 0.5)"
    monkeypatch.setattr(bridges, "TARGETS", {name: bridges.TARGETS[name]})
    outcome = bridges.run(plan=PLAN)
    assert [row[1] for row in outcome.rows] == [10, 20]
    assert all(row[2] > row[4] > 0 for row in outcome.rows)
    assert not outcome.agrees
    assert "not the paper's set-up: one dimension and exact drifts" in outcome.sentence
    honest = bridges._errors
    swapped = {"vp": "pinned", "pinned": "vp"}
    monkeypatch.setattr(
        bridges, "_errors", lambda law, method, N, plan: honest(law, swapped[method], N, plan)
    )
    assert bridges.run(plan=PLAN).agrees


def test_steps_beyond_the_grid_are_refused() -> None:
    with pytest.raises(InputError, match="steps=1"):
        bridges.density_at_the_end(bridges.TARGETS["N(0, 0.5)"], "vp", 1, PLAN)
    with pytest.raises(InputError, match="steps=100000"):
        bridges.Plan(steps=(100_000,))
    with pytest.raises(InputError, match="expected variances > 0"):
        bridges.Law((1.0,), (0.0,), (-1.0,))


# -- fifty dimensions ----------------------------------------------------------------------------------------


def test_ten_modes_by_bayes_rule() -> None:
    x, a, spread = np.random.default_rng(0).normal(size=(5, high.MODES)) * 3, 0.7, 0.4
    means, whole = high.DISTANCE * np.eye(high.MODES), a * a * high.VARIANCE + spread
    for point, found in zip(x, high.modes_mean(x, a, spread), strict=True):
        logs = -((point - a * means) ** 2).sum(axis=1) / (2 * whole)
        shares = np.exp(logs - logs.max()) / np.exp(logs - logs.max()).sum()
        own = means + a * high.VARIANCE / whole * (point - a * means)
        assert found == pytest.approx(shares @ own, rel=1e-12)


@pytest.mark.parametrize(("a", "spread"), [(0.9, 0.19), (0.3, 0.91), (0.999, 0.002)])
def test_funnel_means_by_a_finer_rule(a: float, spread: float) -> None:
    """Against a dense sum over X_1 itself, with weights from the densities as they stand."""
    rng, d = np.random.default_rng(1), 50
    first, length = high.sample_funnel(d, 6, rng)
    x = a * first + math.sqrt(spread) * rng.normal(size=6)
    r = np.sqrt((a * length + math.sqrt(spread) * rng.normal(size=6)) ** 2 + spread * rng.chisquare(d - 2, 6))
    v = np.linspace(-20, 20, 400_001)
    for i, (mean, factor) in enumerate(zip(*high.funnel_means(x, r, a, spread, d), strict=True)):
        b = a * a * np.exp(v) + spread
        logs = -(v**2) / 18 - (x[i] - a * v) ** 2 / (2 * spread) - 24.5 * np.log(b) - r[i] ** 2 / (2 * b)
        weights = np.exp(logs - logs.max()) / np.exp(logs - logs.max()).sum()
        assert mean == pytest.approx(weights @ v, abs=1e-5)  # the nodes stand wider than the weights in r
        assert factor == pytest.approx(weights @ (a * np.exp(v) / b), rel=1e-5)


def test_the_funnel_is_no_mirror_image() -> None:
    first, length = high.sample_funnel(50, 4000, np.random.default_rng(2))
    ratio = length**2 * np.exp(-first) / 49
    assert ratio.mean() == pytest.approx(1, abs=5 * math.sqrt(2 / 49 / 4000))  # five standard errors
    assert np.corrcoef(first, np.log(length))[0, 1] > 0.99


def test_particles_that_run_long_come_close(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both errors fall with the steps; a drift with the wrong half of the score leaves the target."""
    plan = high.Plan(particles=600)
    rng = np.random.default_rng
    for error, choice in ((high.modes_error, 1.0), (high.funnel_error, 1.0)):
        coarse, fine = (error("pinned", N, choice, plan, rng(3))[0] for N in (4, 40))
        assert fine < coarse
    assert high.modes_error("vp", 200, 3.0, plan, rng(4))[0] < 0.2
    honest = high.modes_mean
    monkeypatch.setattr(high, "modes_mean", lambda x, a, spread: honest(x, a, spread) / 2)
    assert high.modes_error("pinned", 40, 1.0, plan, rng(3))[0] > 0.5


def _full(score, start, method: str, N: int, choice: float, rng: np.random.Generator) -> np.ndarray:
    """The chain in all coordinates, with the score of the noisy target at (a, spread)."""
    x = start
    for k in range(N):
        if method == "vp":
            h = choice / N
            a = math.exp(k * h - choice)
            drift = 2 * math.expm1(h) * score(x, a, 1 - a * a)
            x = math.exp(h) * x + drift + math.sqrt(math.expm1(2 * h)) * rng.standard_normal(x.shape)
            continue
        t, spread = k / N, choice**2 * k / N * (1 - k / N)
        mean = (x + spread * score(x, t, spread)) / t if k else score(x, 0.0, 0.0)
        x = x + (mean - x) / (N - k) + choice / math.sqrt(N) * rng.standard_normal(x.shape)
    return x


@pytest.mark.parametrize(("method", "choice"), [("vp", 2.0), ("pinned", 1.0)])
def test_the_reduced_states_have_the_distances_of_the_full_ones(method: str, choice: float) -> None:
    """All coordinates, scores written out, against the states that `vp_against_pinned_high` follows; twice
    the reach of either sample is the tolerance.
    """
    from scipy.stats import chi2, ks_2samp, kstest

    d, N, n, rng = 16, 10, 1500, np.random.default_rng(8)
    plan, nodes = high.Plan(d=d, particles=n), np.linspace(-20, 20, 601)
    means = 4 * np.eye(d)[:10]

    def modes(x: np.ndarray, a: float, spread: float) -> np.ndarray:
        if spread == 0:
            return np.tile(means.mean(axis=0), (n, 1))
        gaps = a * means - x[:, None]
        logs = -(gaps**2).sum(axis=2) / (a * a + 2 * spread)
        shares = np.exp(logs - logs.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        return (shares[:, :, None] * gaps).sum(axis=1) / (a * a / 2 + spread)

    def funnel(x: np.ndarray, a: float, spread: float) -> np.ndarray:
        if spread == 0:
            return np.zeros_like(x)
        widths = a * a * np.exp(nodes) + spread
        logs = -(nodes**2) / 18 - (x[:, :1] - a * nodes) ** 2 / (2 * spread) - (d - 1) / 2 * np.log(widths)
        logs = logs - (x[:, 1:] ** 2).sum(axis=1)[:, None] / (2 * widths)
        shares = np.exp(logs - logs.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        first = (a * (shares @ nodes) - x[:, 0]) / spread
        return np.column_stack([first, -(shares @ (1 / widths))[:, None] * x[:, 1:]])

    start = rng.standard_normal((n, d)) if method == "vp" else np.zeros((n, d))
    x = _full(modes, start, method, N, choice, rng)
    ideal = means[rng.integers(0, 10, 10 * n)] + math.sqrt(0.5) * rng.standard_normal((10 * n, d))
    nearest = [((y[:, None] - means) ** 2).sum(axis=2).min(axis=1) for y in (x, ideal)]
    found, reach = high.modes_error(method, N, choice, plan, rng)
    assert ks_2samp(*nearest).statistic == pytest.approx(found, abs=2 * reach)

    x = _full(funnel, start, method, N, choice, rng)
    scaled = (x[:, 1:] ** 2).sum(axis=1) * np.exp(-x[:, 0])
    full = max(kstest(x[:, 0] / 3, "norm").statistic, kstest(scaled, chi2(d - 1).cdf).statistic)
    found, reach = high.funnel_error(method, N, choice, plan, rng)
    assert full == pytest.approx(found, abs=2 * reach)


def test_kolmogorov_distances() -> None:
    from scipy.stats import ks_1samp, ks_2samp, uniform

    rng = np.random.default_rng(5)
    first, second = rng.random(300), rng.random(500) ** 1.3
    assert high._between(first, second) == pytest.approx(ks_2samp(first, second).statistic)
    assert high._from_law(np.sort(second)) == pytest.approx(ks_1samp(second, uniform.cdf).statistic)
    assert high.Plan(particles=2000).reach == pytest.approx(0.03037, abs=1e-5)


def test_high_outcome_counts_what_it_can_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"vp": (0.3, 0.05), "pinned": (0.1, 0.05)}
    for name in ("modes_error", "funnel_error"):
        monkeypatch.setattr(high, name, lambda method, *rest: answers[method])
    outcome = high.run(plan=high.Plan(steps=(3,)))
    assert not outcome.agrees
    assert "closer at 0 and the pinned process at 2 of 2" in outcome.seen
    answers["vp"] = (0.02, 0.01)
    assert high.run(plan=high.Plan(steps=(3,))).agrees
    with pytest.raises(InputError, match="d=10"):
        high.Plan(d=10)
    with pytest.raises(InputError, match="steps=0"):
        high.Plan(steps=(0,))
