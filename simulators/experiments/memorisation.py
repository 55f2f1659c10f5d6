"""Memorisation: without a restricted class the denoising minimiser returns its training points.

Over all functions the objective averaged over the noise is least at the score of (1/m) sum_i N(a x_i, s^2 I),
with the denoiser sum_i r_i x_i, r the softmax of -|x - a x_i|^2/(2 s^2). The probability-flow ODE with it
ends on training points, while the flow with the score of the true data, a mixture of Gaussians, keeps the
distance of fresh data. Both flows run from the same N(0, I), on times spaced evenly in log(s/a), by

    x <- (s'/s) x + (a' - a s'/s) m_t(x),                                 m_t the denoiser,

which is exact when the denoiser does not change. The distance is that of x_t/a to the nearest training point.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulators.experiments.forward import noise, signal
from simulators.experiments.outcome import (
    Array,
    Outcome,
    Progress,
    Series,
    check_at_least,
    mean_interval,
    share_interval,
    silent,
)

__all__ = ["Plan", "empirical_denoiser", "flow", "nearest", "run", "true_denoiser"]

Denoiser = Callable[[float, Array], Array]
CENTRES = np.array([[math.cos(angle), math.sin(angle)] for angle in 2 * math.pi * np.arange(5) / 5]) * 2
VARIANCE = 0.15  # of the components of the data, on the plane
CLOSE = 0.01  # an output this near to a training point is a copy
COPIED = 0.9  # least share of copies that counts as memorised


@dataclass(frozen=True)
class Plan:
    """Training points m, outputs, horizon, last time, steps."""

    m: int = 64
    outputs: int = 400
    horizon: float = 5.0
    last: float = 1e-6
    steps: int = 400

    def __post_init__(self) -> None:
        check_at_least(self, m=1, outputs=2, last=1e-12, horizon=2 * self.last, steps=2)

    @property
    def times(self) -> Array:
        """Falling from the horizon to the last time; s/a = sqrt(e^{2t} - 1) is geometric."""
        ratios = np.geomspace(math.expm1(2 * self.horizon), math.expm1(2 * self.last), self.steps + 1)
        return np.log1p(ratios) / 2


def empirical_denoiser(train: Array) -> Denoiser:
    """The map x -> E[X_0 | X_t = x] for X_0 uniform on the training points."""
    return lambda t, x: _shares(x, signal(t) * train, noise(t)) @ train


def true_denoiser(t: float, x: Array) -> Array:
    """The same for the law of the data."""
    a = signal(t)
    whole = a * a * VARIANCE + noise(t)
    shares = _shares(x, a * CENTRES, whole)
    return np.asarray((1 - a * a * VARIANCE / whole) * shares @ CENTRES + a * VARIANCE / whole * x)


def flow(plan: Plan, denoiser: Denoiser, start: Array, progress: Progress = silent) -> list[Array]:
    """The points x_t/a at every time, the start included."""
    x, times = start, plan.times
    found = [x / signal(times[0])]
    for k in range(plan.steps):
        shrink = math.sqrt(noise(times[k + 1]) / noise(times[k]))
        pull = signal(times[k + 1]) - signal(times[k]) * shrink
        x = shrink * x + pull * denoiser(times[k], x)
        found.append(x / signal(times[k + 1]))
        progress(k + 1, plan.steps)
    return found


def nearest(points: Array, train: Array) -> Array:
    """The distance of every point to the nearest training point."""
    return np.asarray(np.sqrt(_squares(points, train).min(axis=1)))


def run(seed: int = 0, progress: Progress = silent, plan: Plan | None = None) -> Outcome:
    """The experiment. It agrees when the copies among the outputs of the empirical score are certainly more
    than `COPIED`, and those of the true score certainly fewer.
    """
    plan = plan or Plan()
    rng = np.random.default_rng(seed)
    train, fresh = _data(plan.m, rng), _data(plan.outputs, rng)
    start = rng.standard_normal((plan.outputs, 2))
    flows = {
        "empirical": flow(plan, empirical_denoiser(train), start, progress),
        "true": flow(plan, true_denoiser, start),
    }
    table = {
        name: mean_interval(np.array([nearest(points, train) for points in found]).T)
        for name, found in flows.items()
    }
    usual = mean_interval(nearest(fresh, train))
    times = plan.times
    rows = tuple(
        (float(t), *(float(side[k]) for sides in table.values() for side in sides))
        for k, t in enumerate(times)
    )
    copies = {name: int(np.count_nonzero(nearest(found[-1], train) < CLOSE)) for name, found in flows.items()}
    low, _ = share_interval(copies["empirical"], plan.outputs)
    true_low, true_high = share_interval(copies["true"], plan.outputs)
    return Outcome(
        name="memorisation",
        columns=("t", "empirical", "empirical_low", "empirical_high", "true", "true_low", "true_high"),
        rows=rows,
        series=tuple(
            Series(f"{name} score", tuple(times), *(tuple(side) for side in sides))
            for name, sides in table.items()
        ),
        axes=("time t", "distance to the nearest training point"),
        logarithmic="xy",
        seen=f"{copies['empirical']} of {plan.outputs} outputs are copies [{low:.3f}, 1] at mean distance "
        f"{table['empirical'][0][-1]:.2g} from the training data; with the true score {copies['true']} "
        f"[{true_low:.3f}, {true_high:.3f}] at {table['true'][0][-1]:.3f} "
        f"[{table['true'][1][-1]:.3f}, {table['true'][2][-1]:.3f}], fresh data at {usual[0]:.3f} "
        f"[{usual[1]:.3f}, {usual[2]:.3f}]",
        paper="the unrestricted minimiser returns its training points (folklore; exact)",
        agrees=low > COPIED > true_high,
    )


def _data(count: int, rng: np.random.Generator) -> Array:
    chosen = CENTRES[rng.integers(len(CENTRES), size=count)]
    return np.asarray(chosen + math.sqrt(VARIANCE) * rng.standard_normal((count, 2)))


def _squares(x: Array, centres: Array) -> Array:
    return np.asarray(((x[:, None, :] - centres) ** 2).sum(axis=2))


def _shares(x: Array, centres: Array, spread: float) -> Array:
    logs = -_squares(x, centres) / (2 * spread)
    shares = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))
