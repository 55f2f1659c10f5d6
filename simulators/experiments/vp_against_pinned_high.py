"""Vargas, Reu, Kerekes & Bronstein (2023), figures 2-4: ten Gaussians and a funnel in fifty dimensions.

The two processes of `vp_against_pinned` with their exact drifts, on particles whose state is small:

    ten Gaussians   (1/10) sum_k N(rho e_k, v I), k = 1..10: the ten coordinates of the means are followed;
                    the others never meet the mixture, their law is the Gaussian of a recursion of its
                    variance, and their squared length is drawn from it exactly;
    funnel          X_1 ~ N(0, 9), X_i | X_1 ~ N(0, e^{X_1}): the noisy law depends on the first coordinate
                    and on the length r of the others alone, which a Gaussian step moves by
                    r^2 <- (alpha r + sigma g)^2 + sigma^2 chi^2_{d-2};  E[X_1 | x] and E[X_i | x] are
                    integrals over X_1.

Distances of laws in fifty dimensions have no useful interval from samples, and the funnel's second moment
e^{9/2} has no useful estimate at all. What is reported are Kolmogorov distances of one-dimensional
statistics, with the interval of Dvoretzky, Kiefer, Wolfowitz and Massart: the squared distance to the
nearest mean against samples of the target, and for the funnel the larger one of X_1 against N(0, 9) and of
r^2 e^{-X_1} against chi^2_{d-1}. The mirror image of the funnel, with e^{-X_1} for the variance, would be
seen by the last.

VP is given the best of three horizons, the pinned process the best of three sigmas, for every target and N.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulators.errors import InputError
from simulators.experiments.forward import noise, signal
from simulators.experiments.outcome import (
    LEVEL,
    Array,
    Outcome,
    Progress,
    Series,
    check_at_least,
    silent,
)
from simulators.experiments.vp_against_pinned import Plan as Line
from simulators.experiments.vp_against_pinned import variance_at_the_end

__all__ = ["Plan", "funnel_error", "funnel_means", "modes_error", "modes_mean", "run", "sample_funnel"]

Step = Callable[[Array, float, float], Array]
MODES = 10
DISTANCE = 4.0  # rho
VARIANCE = 0.5  # v
WIDE = 9.0  # Var(X_1) of the funnel
NODES = np.arange(-6.0, 6.0 + 1e-9, 1 / 16)  # standard deviations of X_1 given its own noisy value
HORIZONS = (2.0, 4.0, 6.0)
SIGMAS = (1.0, 3.0, 10.0)


@dataclass(frozen=True)
class Plan:
    """Dimension d, numbers of steps, particles; the target's samples are ten times as many."""

    d: int = 50
    steps: tuple[int, ...] = (10, 20, 40)
    particles: int = 3000

    def __post_init__(self) -> None:
        check_at_least(self, d=MODES + 1, particles=100)
        for N in self.steps:
            if N < 1:
                raise InputError("steps", N, "expected numbers of steps >= 1")

    @property
    def reach(self) -> float:
        """Of the interval of a Kolmogorov distance to a known law."""
        return math.sqrt(math.log(2 / (1 - LEVEL)) / (2 * self.particles))


def run(seed: int = 0, progress: Progress = silent, plan: Plan | None = None) -> Outcome:
    """The experiment. It agrees when the whole interval of VP lies below that of the pinned process for every
    target and number of steps.
    """
    plan = plan or Plan()
    errors = {"ten Gaussians": modes_error, "funnel": funnel_error}
    rows: list[tuple[str | int | float, ...]] = []
    done, parts = 0, len(errors) * len(plan.steps)
    for target, error in errors.items():
        for N in plan.steps:
            cells: list[float] = []
            for method, choices in (("vp", HORIZONS), ("pinned", SIGMAS)):
                found = [
                    (error(method, N, choice, plan, np.random.default_rng((seed, N, i))), choice)
                    for i, choice in enumerate(choices)
                ]
                (distance, reach), chosen = min(found)
                cells += [distance, max(0.0, distance - reach), min(1.0, distance + reach), chosen]
            rows.append((target, N, *cells))
            done += 1
            progress(done, parts)
    below, above = (sum(_less(row, *sides) for row in rows) for sides in ((4, 7), (8, 3)))
    last = [row for row in rows if row[1] == plan.steps[-1]]
    return Outcome(
        name="vp-against-pinned-high",
        columns=(
            *("target", "N", "vp", "vp_low", "vp_high", "vp_horizon"),
            *("pinned", "pinned_low", "pinned_high", "pinned_sigma"),
        ),
        rows=tuple(rows),
        series=tuple(
            _series(f"{name}, {target}", [row for row in rows if row[0] == target], column)
            for target in errors
            for name, column in (("VP", 2), ("pinned", 6))
        ),
        axes=("steps N", "Kolmogorov distance of a statistic"),
        logarithmic="xy",
        seen=f"with exact drifts in d = {plan.d} VP is closer at {below} and the pinned process at {above} "
        f"of {len(rows)} (target, N), the rest within the error of {plan.particles} particles; at N = "
        f"{plan.steps[-1]} "
        + ", ".join(
            f"{row[0]} VP {row[2]:.3f} [{row[3]:.3f}, {row[4]:.3f}] and pinned {row[6]:.3f} "
            f"[{row[7]:.3f}, {row[8]:.3f}]"
            for row in last
        ),
        paper="VP comes closer than the pinned Brownian motion (figures 2-4)",
        agrees=below == len(rows),
        departs="exact drifts where the paper trains networks, and distances of statistics; its own "
        "distance, means and variances are not known here, and another ranking does not contradict it",
    )


def _less(row: tuple[str | int | float, ...], upper: int, lower: int) -> bool:
    """Whether the cell of an upper end is below that of a lower end."""
    return float(row[upper]) < float(row[lower])


def _series(label: str, rows: list[tuple[str | int | float, ...]], column: int) -> Series:
    x, *sides = zip(*((float(row[1]), *map(float, row[column : column + 3])) for row in rows), strict=True)
    floor = 1e-4  # the axis is logarithmic
    return Series(label, x, *(tuple(max(value, floor) for value in side) for side in sides))


# -- both processes ------------------------------------------------------------------------------------------


def _walk(method: str, N: int, choice: float, step: Callable[[float, float, float, float], None]) -> None:
    """Call ``step(a, spread, keep, push)`` for every step: the next point is keep x + push m + noise.

    m is the mean of the data given a X + N(0, spread) = x; `_kick` gives the noise.
    """
    for k in range(N):
        if method == "vp":
            h = choice / N
            t = choice - k * h
            a, spread, grow = signal(t), noise(t), 2 * math.expm1(h)
            step(a, spread, math.exp(h) - grow / spread, grow * a / spread)
        else:
            t, h = k / N, 1 / N
            step(t, choice**2 * t * (1 - t), 1 - h / (1 - t), h / (1 - t))


def _kick(method: str, N: int, choice: float) -> float:
    """The standard deviation of a step's noise."""
    return math.sqrt(math.expm1(2 * choice / N)) if method == "vp" else choice / math.sqrt(N)


# -- ten Gaussians -------------------------------------------------------------------------------------------


def modes_mean(x: Array, a: float, spread: float) -> Array:
    """E[X | a X + N(0, spread) = x] in the ten coordinates of the means, particle by particle."""
    whole = a * a * VARIANCE + spread
    if whole == 0:
        return np.full_like(x, DISTANCE / MODES)
    logits = a * DISTANCE * x / whole  # the lengths of the means are the same
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return np.asarray((spread * DISTANCE * shares + a * VARIANCE * x) / whole)


def modes_error(
    method: str, N: int, choice: float, plan: Plan, rng: np.random.Generator
) -> tuple[float, float]:
    """The Kolmogorov distance of the squared distance to the nearest mean over v, and its reach."""
    n, rest = plan.particles, plan.d - MODES
    state = [rng.standard_normal((n, MODES)) if method == "vp" else np.zeros((n, MODES))]
    kick = _kick(method, N, choice)

    def step(a: float, spread: float, keep: float, push: float) -> None:
        x = state[0]
        state[0] = keep * x + push * modes_mean(x, a, spread) + kick * rng.standard_normal(x.shape)

    _walk(method, N, choice, step)
    line = Line(steps=(), horizon=choice) if method == "vp" else Line(steps=(), sigma=choice)
    others = variance_at_the_end(VARIANCE, method, N, line) * rng.chisquare(rest, n)
    many = 10 * n
    ideal = math.sqrt(VARIANCE) * rng.standard_normal((many, MODES))
    ideal[:, 0] += DISTANCE  # one mode stands for all
    found = _nearest(state[0]) + others
    wanted = _nearest(ideal) + VARIANCE * rng.chisquare(rest, many)
    return _between(found, wanted), plan.reach * (1 + math.sqrt(0.1))


def _nearest(x: Array) -> Array:
    """The squared distance to the nearest of the means."""
    return np.asarray((x**2).sum(axis=1) - 2 * DISTANCE * x.max(axis=1) + DISTANCE**2)


def _between(first: Array, second: Array) -> float:
    """The Kolmogorov distance of two samples."""
    every = np.sort(np.concatenate([first, second]))
    below = [np.searchsorted(np.sort(part), every, side="right") / part.size for part in (first, second)]
    return float(np.abs(below[0] - below[1]).max())


# -- the funnel ----------------------------------------------------------------------------------------------


def sample_funnel(d: int, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """X_1, and the length of the others, whose variance is e^{X_1}."""
    first = math.sqrt(WIDE) * rng.standard_normal(count)
    return first, np.exp(first / 2) * np.sqrt(rng.chisquare(d - 1, count))


def funnel_means(first: Array, length: Array, a: float, spread: float, d: int) -> tuple[Array, Array]:
    """E[X_1 | x], and the factor of x_i in E[X_i | x], for x = a X + N(0, spread).

    By the trapezoidal rule over X_1, which given its own noisy value is Gaussian; the length of the others
    weights the nodes.
    """
    if spread == 0:  # a = 0 too: nothing is known
        return np.zeros_like(first), np.zeros_like(first)
    whole = a * a * WIDE + spread
    nodes = (a * WIDE / whole * first)[:, None] + math.sqrt(WIDE * spread / whole) * NODES
    heights = np.exp(np.minimum(nodes, 300.0))
    variances = a * a * heights + spread
    logs = -(NODES**2) / 2 - (d - 1) / 2 * np.log(variances) - (length**2)[:, None] / (2 * variances)
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    return (weights * nodes).sum(axis=1), (weights * a * heights / variances).sum(axis=1)


def funnel_error(
    method: str, N: int, choice: float, plan: Plan, rng: np.random.Generator
) -> tuple[float, float]:
    """The larger Kolmogorov distance of the two statistics, and its reach."""
    from scipy.special import gammainc, ndtr

    n, d = plan.particles, plan.d
    start = (rng.standard_normal(n), np.sqrt(rng.chisquare(d - 1, n)))
    state = [start if method == "vp" else (np.zeros(n), np.zeros(n))]
    kick = _kick(method, N, choice)

    def step(a: float, spread: float, keep: float, push: float) -> None:
        first, length = state[0]
        mean, factor = funnel_means(first, length, a, spread, d)
        along = (keep + push * factor) * length + kick * rng.standard_normal(n)
        square = along**2 + kick**2 * rng.chisquare(d - 2, n)
        state[0] = keep * first + push * mean + kick * rng.standard_normal(n), np.sqrt(square)

    _walk(method, N, choice, step)
    first, length = state[0]
    with np.errstate(over="ignore"):
        scaled = length**2 * np.exp(-first)
    distances = (
        _from_law(ndtr(np.sort(first) / math.sqrt(WIDE))),
        _from_law(gammainc((d - 1) / 2, np.sort(scaled) / 2)),
    )
    return max(distances), plan.reach


def _from_law(levels: Array) -> float:
    """The Kolmogorov distance of a sample to a law, from the distribution function at the sorted sample."""
    n = levels.size
    ranks = np.arange(n + 1) / n
    return float(max((ranks[1:] - levels).max(), (levels - ranks[:-1]).max()))
