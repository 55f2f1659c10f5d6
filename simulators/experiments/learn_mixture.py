"""Shah, Chen & Klivans (2023): gradient descent on the denoising objective learns two Gaussians, as EM does.

Data (1/2) N(mu*, I) + (1/2) N(-mu*, I) on R^d; at time t of the unit clock the law has the same form with
mu*_t = e^{-t} mu*, and the student f_mu(x) = tanh(<mu, x>) mu - x contains its score. Two stages:

    high noise   from a small random start, where -grad J(mu) = 2 mu*_t mu*_t^T mu + O(|mu|^3) is power
                 iteration;
    low noise    from there, where a step of size one is an EM step up to terms that vanish with 1/|mu|.

Each step uses fresh noise on the same m data; steps shorter than one average that noise. EM runs on the data
without noise, from the same start. The error is min over signs of |mu -+ mu*|. `population_step` is -grad J,
up to means of functions of one Gaussian; the tests hold it against the sample gradient.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulators.experiments.forward import denoising, noise, signal
from simulators.experiments.outcome import (
    Array,
    Outcome,
    Progress,
    Series,
    check_at_least,
    mean_interval,
    silent,
)

__all__ = ["Plan", "em_step", "paths", "population_em", "population_step", "run", "sample_step"]

REACH, NODES = 14.0, 2801  # trapezoidal rule for means under N(0, 1): exact to rounding for tanh
CLOSE = 1.5  # gradient descent counts as good as EM within this factor of its error


@dataclass(frozen=True)
class Plan:
    """Dimension d, |mu*|, data m, the two times with their step sizes and numbers of steps, repetitions."""

    d: int = 5
    length: float = 2.5
    m: int = 20_000
    high: float = 1.2
    low: float = 0.1
    high_rate: float = 1.0
    low_rate: float = 0.1
    high_steps: int = 20
    low_steps: int = 60
    start: float = 0.05
    repetitions: int = 12

    def __post_init__(self) -> None:
        check_at_least(
            self, d=1, length=1e-6, m=2, low=1e-6, high=self.low, high_rate=1e-6, low_rate=1e-6,
            high_steps=1, low_steps=1, start=1e-12, repetitions=2,
        )  # fmt: skip


def sample_step(student: Array, x: Array, target: Array) -> Array:
    """-grad of (1/2) mean |f_mu(x) - target|^2."""
    u = x @ student
    t = np.tanh(u)
    gap = t[:, None] * student - x - target
    slope = (1 - t * t) * (gap @ student)
    return -np.asarray((t @ gap + slope @ x) / len(x))


def em_step(student: Array, x: Array) -> Array:
    """M(mu) = mean of tanh(<mu, x>) x."""
    return np.asarray(np.tanh(x @ student) @ x / len(x))


def population_em(student: Array, truth: Array) -> Array:
    """E[tanh u] mu* + E[tanh' u] mu, u ~ N(<mu, mu*>, |mu|^2)."""
    t = np.tanh(_points(student, truth))
    return _mean(t) * truth + _mean(1 - t * t) * student


def population_step(student: Array, truth: Array) -> Array:
    """-grad J(mu) = M(mu) - mu - mu E[tanh'] + E[(|mu|^2 tanh + u) tanh' x].

    The means with x reduce to u by Stein's lemma, E[g(u) x] = E[g] mu* + E[g'] mu.
    """
    u = _points(student, truth)
    t = np.tanh(u)
    first = 1 - t * t
    second = -2 * t * first
    size = float(student @ student)
    weight = size * t * first + u * first
    slope = size * (first**2 + t * second) + first + u * second
    bracket = -_mean(first) * student + _mean(weight) * truth + _mean(slope) * student
    return population_em(student, truth) - student + bracket


def paths(plan: Plan, seed: int, repetition: int) -> tuple[Array, Array]:
    """Errors of gradient descent and of EM, step by step, the start included."""
    rng = np.random.default_rng((seed, repetition))
    truth = rng.standard_normal(plan.d)
    truth *= plan.length / np.linalg.norm(truth)
    signs = rng.choice((-1.0, 1.0), plan.m)
    x0 = signs[:, None] * truth + rng.standard_normal((plan.m, plan.d))
    direction = rng.standard_normal(plan.d)
    student = em = plan.start * direction / np.linalg.norm(direction)
    descent, other = [_error(student, truth)], [_error(em, truth)]
    for t, rate, steps in (
        (plan.high, plan.high_rate, plan.high_steps),
        (plan.low, plan.low_rate, plan.low_steps),
    ):
        for _ in range(steps):
            x = signal(t) * x0 + math.sqrt(noise(t)) * rng.standard_normal(x0.shape)
            student = student + rate * sample_step(signal(t) * student, x, denoising(x0, x, t)) / signal(t)
            em = em_step(em, x0)
            descent.append(_error(student, truth))
            other.append(_error(em, truth))
    return np.array(descent), np.array(other)


def run(seed: int = 0, progress: Progress = silent, plan: Plan | None = None) -> Outcome:
    """The experiment. It agrees when the error falls through both stages, and its mean over the last quarter
    of the steps is within a factor `CLOSE` of EM's.
    """
    plan = plan or Plan()
    pairs = []
    for repetition in range(plan.repetitions):
        pairs.append(paths(plan, seed, repetition))
        progress(repetition + 1, plan.repetitions)
    table = np.array(pairs)
    descent, em = mean_interval(table[:, 0]), mean_interval(table[:, 1])
    steps = np.arange(table.shape[2])
    rows = tuple(
        (
            int(k),
            "start" if k == 0 else "high noise" if k <= plan.high_steps else "low noise",
            *(float(side[k]) for side in (*descent, *em)),
        )
        for k in steps
    )
    tail = max(1, plan.low_steps // 4)
    end, end_em = (mean_interval(table[:, i, -tail:].mean(axis=1)) for i in (0, 1))
    begin, between = float(descent[0][0]), float(descent[0][plan.high_steps])
    return Outcome(
        name="learn-mixture",
        columns=("step", "stage", "gd", "gd_low", "gd_high", "em", "em_low", "em_high"),
        rows=rows,
        series=tuple(
            Series(label, tuple(steps), *(tuple(side) for side in sides))
            for label, sides in (("gradient descent", descent), ("EM", em))
        ),
        axes=("step", "parameter error"),
        logarithmic="y",
        seen=f"gradient descent's error {begin:.3f} at the start, {between:.4f} after high noise, "
        f"{end[0]:.4f} [{end[1]:.4f}, {end[2]:.4f}] after low noise; EM's {end_em[0]:.4f} "
        f"[{end_em[1]:.4f}, {end_em[2]:.4f}]",
        paper="gradient descent learns the means from a random start, like EM at low noise",
        agrees=bool(end[2] < between < begin / 2 and end[0] < CLOSE * end_em[0]),
    )


def _error(student: Array, truth: Array) -> float:
    return float(min(np.linalg.norm(student - truth), np.linalg.norm(student + truth)))


def _points(student: Array, truth: Array) -> Array:
    return np.asarray(student @ truth + np.linalg.norm(student) * np.linspace(-REACH, REACH, NODES))


def _mean(values: Array) -> float:
    z = np.linspace(-REACH, REACH, NODES)
    return float((values * np.exp(-z * z / 2)).sum() * (z[1] - z[0]) / math.sqrt(2 * math.pi))
