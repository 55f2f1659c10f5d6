"""The exact laws of the variance-preserving and the pinned sampler: recursion, grid, and known numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulators.errors import InputError
from simulators.experiments import vp_against_pinned as bridges

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
