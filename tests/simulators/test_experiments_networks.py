"""The minor mode with networks: the learner is a part that can be exchanged, and its absence is said."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest

from simulators.errors import InputError
from simulators.experiments import minor_mode
from simulators.experiments import minor_mode_network as networks
from simulators.experiments.minor_mode import Plan

SMALL = Plan(m=200, step=0.1, steps=20, outputs=600, repetitions=3)


class Ridge:
    """A learner without a library: the ridge fit of `minor_mode`, from scratch at every time."""

    def __init__(self, seed: int = 0) -> None:
        self.fits, self.coefficients = 0, np.zeros(0)

    def fit(self, x: np.ndarray, y: np.ndarray) -> None:
        self.fits += 1
        self.coefficients = minor_mode._ridge(minor_mode._features(x[:, 0]), y)

    def predict(self, x: np.ndarray) -> np.ndarray:
        return minor_mode._features(x[:, 0]) @ self.coefficients


def test_a_learner_that_fits_the_bumps_gives_the_same_scores() -> None:
    """Another road to the same fits: one loop for both experiments would not show a difference in targets."""
    plain, bootstrap = minor_mode.learn(SMALL, np.random.default_rng(5))
    nets = networks.learn(SMALL, np.random.default_rng(5), Ridge)
    for fits, kept in zip((plain, bootstrap), nets, strict=True):
        assert [net.fits for net in kept] == list(range(1, SMALL.steps + 1))
        for coefficients, net in zip(fits, kept, strict=True):
            assert net.coefficients == pytest.approx(coefficients, rel=1e-9)


def test_outcome_names_itself_and_its_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minor_mode, "CONTROL", 20_000)
    outcome = networks.run(1, plan=SMALL, make=Ridge)
    assert outcome.name == "minor-mode-network"
    assert [row[0] for row in outcome.rows] == ["dsm", "bsm"] * 3 + ["exact"]
    assert "not the paper's set-up: one dimension" in outcome.sentence
    assert networks.run(1, plan=SMALL, make=Ridge) == outcome


def test_ratios_that_are_not_told_apart_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minor_mode, "CONTROL", 2_000)
    same = [lambda t, x: minor_mode.score(SMALL, t, x)] * 2
    outcome = minor_mode.compared("n", SMALL, 0, lambda *_: None, lambda _: same, "none")
    assert not outcome.agrees
    assert "not told apart" in outcome.seen


def test_missing_library_is_named_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("sklearn"):
            raise ImportError(name)
        return honest(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setattr(networks, "learn", lambda *_: pytest.fail("nothing may run"))
    with pytest.raises(InputError, match=r"scikit-learn=None: .*pip install 'lesssim\[network\]'"):
        networks.run(plan=SMALL)


def test_network_is_made_of_what_the_library_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for the library: which class is asked for, and with which settings."""
    import sys
    from types import ModuleType

    asked: dict[str, Any] = {}

    class MLPRegressor(Ridge):
        def __init__(self, **settings: Any) -> None:
            super().__init__()
            asked.update(settings)

    library = ModuleType("sklearn.neural_network")
    library.MLPRegressor = MLPRegressor  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sklearn", ModuleType("sklearn"))
    monkeypatch.setitem(sys.modules, "sklearn.neural_network", library)
    net = networks.network(7)
    assert isinstance(net, MLPRegressor)
    assert asked["random_state"] == 7
    assert asked["warm_start"]
    assert asked["hidden_layer_sizes"] == networks.LAYERS
