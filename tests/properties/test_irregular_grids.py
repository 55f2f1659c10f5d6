"""Grids beyond the uniform and the geometric one: what they are, and that a claim about any grid meets
them.
"""

from __future__ import annotations

import numpy as np
import pytest

import lesssim as ls
from bounds.catalogue import find
from properties import search
from properties.irregular import balanced, irregular
from properties.space import space_of
from properties.trials.targets import MixtureFamily
from simulators.grids import Grid

T, N, delta, kappa = ls.symbols("T N delta kappa")


@pytest.mark.parametrize(("step", "stop", "horizon"), [(0.1, 1e-4, 5.0), (1.0, 0.3, 0.31), (0.4, 2.0, 9.0)])
def test_a_balanced_grid_has_one_kappa(step: float, stop: float, horizon: float) -> None:
    """Up to the rounding of a difference of times."""
    grid = Grid.from_times(balanced(step, stop, horizon))
    assert grid.delta == stop
    assert horizon <= grid.T <= horizon + step * min(1.0, grid.T)
    np.testing.assert_allclose(grid.steps / np.minimum(1.0, grid.times[1:]), step, rtol=1e-9)


def test_only_claims_about_any_grid_draw_them() -> None:
    rng = np.random.default_rng(3)
    drawn = irregular(space_of(find("benton-2024/explicit-path")), rng)
    assert drawn is not None
    kinds = [drawn.case(i).own_grid for i in range(len(drawn))]
    ratios = [grid.steps / np.minimum(1.0, grid.times[1:]) for grid in kinds]
    assert {grid.kind for grid in kinds} == {"custom"}
    assert 6 <= sum(np.ptp(r) <= 1e-6 * r[0] for r in ratios) < len(ratios)
    assert irregular(space_of(find("chen-2023-sampling/explicit-path")), rng) is None


COUNTED = ls.Claim(
    key="note/steps",
    lhs=ls.Rational(7, 5) * ls.log(1 / delta),
    terms={"steps": kappa * N},
    assuming=(T >= 2, 2 * delta <= 1),
    setup=ls.Setup(clock="unit", sampler="ddpm-ei", grid="any", score="exact"),
)


def test_a_claim_that_only_a_balanced_grid_refutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the geometric grid half of the steps lie above one, which leaves 3/2 log(1/delta) <= kappa N."""
    assert ls.verify(COUNTED, profile="quick")["verdict"] == "refuted"
    monkeypatch.setattr(search, "irregular", lambda space, rng: None)
    assert ls.verify(COUNTED, profile="quick")["verdict"] == "holds"


def test_mixtures_meet_them_too() -> None:
    claim = find("benton-2024/explicit-path")
    drawn = MixtureFamily.of(claim).draw(np.random.default_rng(1), 60)
    grids = [case.own_grid for case in drawn if case.own_grid.kind == "custom"]
    assert grids
    for grid in grids:
        ratios = grid.steps / np.minimum(1.0, grid.times[1:])
        np.testing.assert_allclose(ratios, ratios[0], rtol=1e-6)
