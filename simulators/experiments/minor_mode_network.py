"""Kumar, Nagaraj & Sarkar (2025), Figure 3(b), with small networks: what survives of a minor mode.


Data, reverse process, statistic and control are those of `minor_mode`; the scores are networks with two
hidden layers, one at each time, started from the network of the time before. scikit-learn fits them; it
comes with the extra ``network``. No theorem covers a network, and few repetitions fit into two minutes: the
interval of the ratio of the errors says whether the two targets are told apart.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any, Protocol

import numpy as np

from simulators.errors import InputError
from simulators.experiments.forward import bootstrapped, denoising, trajectory_step
from simulators.experiments.minor_mode import Plan, Score, compared, data
from simulators.experiments.outcome import Array, Outcome, Progress, silent

__all__ = ["DEFAULT", "LAYERS", "Regressor", "learn", "network", "run"]

LAYERS = (24, 24)
ITERATIONS = 40  # of L-BFGS at each time, from the network of the time before
DECAY = 1e-2
DEFAULT = Plan(m=400, step=0.1, steps=30, warm=2, outputs=4000, repetitions=24)


class Regressor(Protocol):
    """What a learner must do: fit a function of one variable, and say its values."""

    def fit(self, x: Array, y: Array) -> Any:
        """Fit values y, (m,), at points x, (m, 1), from where the last fit ended."""

    def predict(self, x: Array) -> Array:
        """The values, (n,), at points x, (n, 1)."""


def network(seed: int) -> Regressor:
    """A network of scikit-learn. Raises InputError where that is not installed."""
    try:
        from sklearn.neural_network import MLPRegressor
    except ImportError as error:
        message = "expected it to be installed: pip install 'lesssim[network]'"
        raise InputError("scikit-learn", None, message) from error
    net: Regressor = MLPRegressor(
        hidden_layer_sizes=LAYERS,
        activation="tanh",
        solver="lbfgs",
        alpha=DECAY,
        max_iter=ITERATIONS,
        warm_start=True,
        random_state=seed,
    )
    return net


def learn(
    plan: Plan, rng: np.random.Generator, make: Callable[[], Regressor]
) -> tuple[list[Regressor], list[Regressor]]:
    """The denoising and the bootstrapped networks at t_1 ... t_N, from the same data."""
    x0 = x = data(plan, rng)
    nets = (make(), make())
    found: tuple[list[Regressor], list[Regressor]] = ([], [])
    for k in range(1, plan.steps + 1):
        t = k * plan.step
        before, x = x, trajectory_step(x, plan.step, rng)
        targets = [denoising(x0, x, t)] * 2
        if k > plan.warm:
            estimate = found[1][-1].predict(before[:, None])
            targets[1] = bootstrapped(x0, before, x, (t - plan.step, t), estimate)
        for net, target, kept in zip(nets, targets, found, strict=True):
            _fit(net, x[:, None], target)
            kept.append(deepcopy(net))
    return found


def run(
    seed: int = 0,
    progress: Progress = silent,
    plan: Plan | None = None,
    make: Callable[[int], Regressor] = network,
) -> Outcome:
    """The experiment, by the rule of `minor_mode.run`; ``make`` gives an untrained learner for a seed."""
    plan = plan or DEFAULT
    make(0)  # what is missing is said before anything is computed

    def scores(repetition: int) -> list[Score]:
        rng = np.random.default_rng((seed, repetition, 0))
        return [_score(plan, nets) for nets in learn(plan, rng, lambda: make(repetition))]

    return compared(
        "minor-mode-network",
        plan,
        seed,
        progress,
        scores,
        departs="one dimension, and networks of our own size",
    )


def _score(plan: Plan, nets: list[Regressor]) -> Score:
    return lambda t, x: np.asarray(nets[round(t / plan.step) - 1].predict(x[:, None]))


def _fit(net: Regressor, x: Array, y: Array) -> None:
    """Fit; that the iterations end before convergence is meant."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net.fit(x, y)
