"""Kumar, Nagaraj & Sarkar (2025), Figure 3(a): denoising against bootstrapped score matching, time by time.

Data N(0, Sigma) on R^d, eigenvalues of Sigma evenly spaced from 0.2 to 3; m forward trajectories seen at
t_k = k Delta; the class of all linear maps, so that each fit is A = (Y X^T)(X X^T)^{-1}. The error is

    E|A X_t + S^{-1} X_t|^2 = tr[(A + S^{-1}) S (A + S^{-1})^T],      S = a^2 Sigma + s^2 I,

and has the mean c d/(m - d - 1), c = d/s^2 - tr S^{-1}, under the denoising target: a second road to half of
the table. The bootstrapped fits begin after k0 denoising ones and reuse the data, as the paper does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulators.errors import InputError
from simulators.experiments.forward import bootstrapped, denoising, noise, signal, trajectory_step
from simulators.experiments.outcome import (
    Array,
    Outcome,
    Progress,
    Series,
    check_at_least,
    mean_interval,
    ratio_interval,
    silent,
)

__all__ = ["Plan", "errors", "expected", "run"]


@dataclass(frozen=True)
class Plan:
    """Dimension d, data m, step Delta, number of steps, denoising fits k0 at the start, repetitions."""

    d: int = 5
    m: int = 500
    step: float = 0.05
    steps: int = 40
    warm: int = 2
    repetitions: int = 240

    def __post_init__(self) -> None:
        check_at_least(self, d=1, m=self.d + 4, step=1e-6, steps=2, warm=1, repetitions=2)
        if self.warm >= self.steps:
            raise InputError("warm", self.warm, f"expected fewer than steps={self.steps}")

    @property
    def eigenvalues(self) -> Array:
        """Of the covariance of the data."""
        return np.asarray(np.linspace(0.2, 3.0, self.d))

    @property
    def times(self) -> Array:
        """t_1 ... t_N."""
        return np.asarray(self.step * np.arange(1, self.steps + 1), dtype=np.float64)


def expected(plan: Plan) -> Array:
    """The mean error of the denoising fits, exactly, time by time."""
    found = []
    for t in plan.times:
        spread = signal(t) ** 2 * plan.eigenvalues + noise(t)
        c = plan.d / noise(t) - (1 / spread).sum()
        found.append(c * plan.d / (plan.m - plan.d - 1))
    return np.array(found)


def errors(plan: Plan, seed: int, progress: Progress = silent) -> tuple[Array, Array]:
    """The errors of the denoising and of the bootstrapped fits, an array (repetition, time) each."""
    rng = np.random.default_rng(seed)
    x0 = rng.standard_normal((plan.repetitions, plan.m, plan.d)) * np.sqrt(plan.eigenvalues)
    x, plain, bootstrap = x0, [], []
    own = np.zeros((plan.repetitions, plan.d, plan.d))
    for k, t in enumerate(plan.times):
        before, x = x, trajectory_step(x, plan.step, rng)
        spread = signal(t) ** 2 * plan.eigenvalues + noise(t)
        usual = _fit(x, denoising(x0, x, t))
        if k < plan.warm:
            own = usual
        else:
            estimate = before @ own.transpose(0, 2, 1)
            own = _fit(x, bootstrapped(x0, before, x, (plan.times[k - 1], t), estimate))
        plain.append(_error(usual, spread))
        bootstrap.append(_error(own, spread))
        progress(k + 1, plan.steps)
    return np.stack(plain, axis=1), np.stack(bootstrap, axis=1)


def run(seed: int = 0, progress: Progress = silent, plan: Plan | None = None) -> Outcome:
    """The experiment. It agrees when the mean error is smaller at every time after k0, and the ratio of the
    errors averaged over those times lies below one with its whole interval.
    """
    plan = plan or Plan()
    plain, bootstrap = errors(plan, seed, progress)
    usual, own, exact = mean_interval(plain), mean_interval(bootstrap), expected(plan)
    rows = tuple(
        (float(t), *(float(side[k]) for side in (*usual, *own)), float(exact[k]))
        for k, t in enumerate(plan.times)
    )
    after = slice(plan.warm, None)
    ratio = ratio_interval(bootstrap[:, after].mean(axis=1), plain[:, after].mean(axis=1))
    last = ratio_interval(bootstrap[:, -1], plain[:, -1])
    won = mean_interval((bootstrap[:, after] < plain[:, after]).mean(axis=1))
    return Outcome(
        name="bsm-per-time",
        columns=("t", "dsm", "dsm_low", "dsm_high", "bsm", "bsm_low", "bsm_high", "dsm_exact_mean"),
        rows=rows,
        series=(_series("denoising", plan, usual), _series("bootstrapped", plan, own)),
        axes=("time t", "mean squared score error"),
        logarithmic="y",
        seen=f"bootstrapped/denoising error {ratio[0]:.3f} [{ratio[1]:.3f}, {ratio[2]:.3f}] over all times, "
        f"{last[0]:.3f} [{last[1]:.3f}, {last[2]:.3f}] at t = {plan.times[-1]:g}, smaller in "
        f"{100 * won[0]:.1f}% [{100 * won[1]:.1f}, {min(100.0, 100 * won[2]):.1f}] of the fits",
        paper="bootstrapping has the smaller error at every time (Figure 3a)",
        agrees=ratio[2] < 1 and bool((own[0] < usual[0])[after].all()),
    )


def _series(label: str, plan: Plan, interval: tuple[Array, Array, Array]) -> Series:
    mean, low, high = interval
    return Series(label, tuple(plan.times), tuple(mean), tuple(low), tuple(high))


def _fit(x: Array, y: Array) -> Array:
    """Least squares without intercept, one map a repetition."""
    across = x.transpose(0, 2, 1)
    return np.asarray(np.linalg.solve(across @ x, across @ y).transpose(0, 2, 1))


def _error(maps: Array, spread: Array) -> Array:
    gap = maps + np.diag(1 / spread)
    return np.asarray((gap**2 * spread).sum(axis=(1, 2)))
