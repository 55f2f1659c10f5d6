"""Path KL of the true reverse process from a sampler, by Monte Carlo along the forward process.

The steps' integrals (`simulators.functionals_paths`) are means over the forward process at one time each;
no path is simulated: a step and a time x before its end are drawn in proportion to what they are expected to
contribute, X_t is sampled exactly, and Z = w |Hess log q_t + c I|^2 is averaged. Squared scores enter with
the third power of the step, and KL(q_T || gamma) is the integral of E|s_t + x|^2 over t > T. Tails come from
`simulators.monte_carlo.tails`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.enclosure import Enclosure
from simulators.errors import InputError, NotDefined
from simulators.functionals_paths import GRAMS, PULLS
from simulators.grids import Grid
from simulators.mixtures import Atoms, Target, blocks, components
from simulators.monte_carlo.confidence import check_number, check_rate, unbounded_mean, visible_mean
from simulators.monte_carlo.tails import Forms, best_tail, hessian_forms, score_forms
from simulators.particles.simulate import key_of, sample_target
from simulators.posterior import hessian, score

__all__ = ["path_kl_sampled"]

Array = NDArray[np.float64]
Steps = NDArray[np.int64]
SHIFTS = {"ddpm-ei": ("hessian", 0.0), "cds-ei": ("relative_hessian", 1.0), "ddpm-em": ("half_hessian", 0.5)}
PILOT = 4096  # samples that choose where the integrand is cut
RELATIVE, ABSOLUTE = 1e-7, 1e-17  # a root rounded by e of its terms: (r + e)^2 <= (1 + z) r^2 + (1 + 1/z) e^2
ROWS = 2**21  # numbers in the largest temporary


@dataclass(frozen=True, eq=False)
class _Integrand:
    """sum_k int_0^{h_k} weight(x) E F(tau_{k+1} + x) dx, or sum_k weight_k E F(tau_k), where x = 0.

    what        : "hessian" for |H + shift I|_F^2, "score" for |s|^2, "relative" for |s + x|^2.
    early, late : the times between which each step's t = early + x lies.
    weigh       : the weight of x on step k over the density that x is drawn with; ratio is its largest value.
    draw        : x on step k from a uniform number in (0, 1].
    """

    what: str
    shift: float
    early: Array
    late: Array
    ratio: Array
    weigh: Callable[[Steps, Array], Array]
    draw: Callable[[Steps, Array], Array]


def path_kl_sampled(
    target: Target, sampler: str, grid: Grid, n: int, seed: int, rate: float = 1e-6, start: str = "gamma"
) -> tuple[Enclosure, float]:
    """(KL(path of the true reverse process || path of the sampler), the smallest excess it could have seen).

    sampler : "ddpm-ei", "cds-ei" or "ddpm-em"; others raise NotDefined.
    n       : samples of each integral.  rate : probability that either end is wrong.
    The excess is the design of the lower end, at the miss rate 0.1. Infinite where the target has atoms and
    the grid reaches time 0.

    >>> from simulators.mixtures import GaussianMixture
    >>> one = GaussianMixture.two(3.0)
    >>> found, _ = path_kl_sampled(one, "ddpm-ei", Grid.uniform(2.0, 50), 2000, seed=1)
    >>> bool(0 < found.lo < found.hi)
    True
    """
    check_rate("rate", rate)
    check_number(n)
    if sampler not in SHIFTS:
        raise NotDefined(f"sampler={sampler!r}: expected one of {', '.join(SHIFTS)}")
    if start not in ("gamma", "q_T"):
        raise InputError("start", start, "expected 'gamma' or 'q_T'")
    if grid.delta == 0 and any(isinstance(block, Atoms) for block in blocks(target)):
        return Enclosure.exact(np.inf, "the true process ends on atoms"), 0.0
    plus, minus, constant = _integrands(target, sampler, grid)
    if start == "gamma":
        plus.append(_initial(grid))
    share = rate / (2 * (len(plus) + len(minus)))
    keys = np.random.SeedSequence(int(seed)).spawn(len(plus) + len(minus))
    low = high = constant
    seen = 0.0
    for sign, part, key in zip([1] * len(plus) + [-1] * len(minus), plus + minus, keys, strict=True):
        below, above, visible = _estimated(target, part, n, key, share)
        low += below if sign > 0 else -above
        high += above if sign > 0 else -below
        seen += visible
    slack = 1e-12 * abs(constant)
    found = Enclosure.between(
        max(0.0, low - slack), max(high + slack, 0.0), "path KL by Monte Carlo at random times", "statistical"
    )
    return found, seen


def _integrands(target: Target, sampler: str, grid: Grid) -> tuple[list[_Integrand], list[_Integrand], float]:
    """What is added, what is subtracted, and a constant."""
    h, tau = grid.steps, grid.times
    _, c = SHIFTS[sampler]
    pull = PULLS[sampler][SHIFTS[sampler][0]]
    gain = 0.25 if sampler == "ddpm-em" else 1.0

    def weigh(k: Steps, x: Array) -> Array:
        return np.asarray(gain * pull(x))

    curve = _along("hessian", c, h, tau, weigh)
    rise, fade = GRAMS["rise"](h), GRAMS["fade"](h)
    if sampler == "ddpm-ei":
        return [curve, _at_starts("score", tau, fade)], [], 0.0
    if sampler == "cds-ei":
        return [curve, _at_starts("relative", tau, rise)], [], 0.0
    d = target.dimension
    moment = (
        np.exp(-2 * tau[:-1]) * sum(block.second_moment for block in blocks(target))
        - np.expm1(-2 * tau[:-1]) * d
    )
    own = 0.25 * float(np.sum(rise * moment - 2 * GRAMS["tilt"](h) * d))
    own += 0.25 * d * float(np.sum(PULLS[sampler][""].integral()(h)))
    lost = PULLS[sampler]["fisher"]

    def weigh_lost(k: Steps, x: Array) -> Array:
        return np.asarray(-0.25 * lost(x))

    return (
        [curve, _at_starts("score", tau, 0.25 * GRAMS["bend"](h))],
        [_along("score", 0.0, h, tau, weigh_lost)],
        own,
    )


def _along(
    what: str, shift: float, h: Array, tau: Array, weigh: Callable[[Steps, Array], Array]
) -> _Integrand:
    """An integral over the steps; x = h sqrt(u) has the density 2 x/h^2, like the weights for short steps."""

    def scaled(k: Steps, x: Array) -> Array:
        return np.asarray(weigh(k, x) * h[k] ** 2 / (2 * np.maximum(x, 1e-12 * h[k])))

    def draw(k: Steps, u: Array) -> Array:
        return np.asarray(h[k] * np.sqrt(u))

    every = np.arange(len(h), dtype=np.int64)
    ends = [scaled(every, h * share) for share in (1e-9, 1.0)]  # weights over x are monotone in x
    return _Integrand(what, shift, tau[1:], tau[:-1], np.maximum(*ends) * (1 + 1e-9), scaled, draw)


def _at_starts(what: str, tau: Array, weights: Array) -> _Integrand:
    """A sum over the starts of the steps."""
    return _Integrand(what, 0.0, tau[:-1], tau[:-1], weights, lambda k, x: weights[k], lambda k, u: 0 * u)


def _initial(grid: Grid) -> _Integrand:
    """KL(q_T || gamma): t = T + x with the density 2 e^{-2x}."""
    T = np.array([grid.T])

    def weigh(k: Steps, x: Array) -> Array:
        return np.asarray(np.exp(2 * x) / 2)

    def draw(k: Steps, u: Array) -> Array:
        return np.asarray(-0.5 * np.log(u))

    return _Integrand("relative", 0.0, T, T, np.array([0.5]), weigh, draw)


def _estimated(
    target: Target, part: _Integrand, n: int, key: np.random.SeedSequence, rate: float
) -> tuple[float, float, float]:
    """Bounds of the integral, each wrong with at most this rate; the smallest excess the lower one sees."""
    forms = _forms(target, part)
    expected = part.ratio * _typical(forms, part.what)
    total = float(expected.sum())
    if total == 0:
        return 0.0, 0.0, 0.0
    odds = expected / total
    factor = np.divide(part.ratio, odds, out=np.zeros_like(odds), where=odds > 0)
    power = 2 if part.what == "hessian" else 1
    scaled = [form.scaled(factor ** (1 / power)) for form in forms]
    offset = max(float(np.sum([form.offset for form in scaled], axis=0)[odds > 0].max()), 0.0)

    def moment(lam: float) -> float:
        logs = sum(form.log_moment(np.full(len(odds), lam)) for form in scaled)
        with np.errstate(divide="ignore"):
            return float(np.logaddexp.reduce(np.log(odds) + logs))

    largest = _largest_rate(scaled)
    tail = best_tail(moment, largest, offset, power)
    if tail is None:
        return 0.0, np.inf, np.inf
    pilot, test = key.spawn(2)
    few = _values(target, part, odds, min(PILOT, max(n // 4, 100)), pilot)
    cap = min(max(2.0 * float(few.max()), tail.smallest_cap), max(tail.level(1e-3 / n), tail.smallest_cap))
    values = _values(target, part, odds, n, test)
    low, high = unbounded_mean(values, cap, tail, rate)
    slack = RELATIVE * high + ABSOLUTE * _size(target, part) ** 2 * float(part.ratio.sum())
    return max(0.0, low - slack), high + slack, visible_mean(n, float(few.std()), cap, rate, 0.1)


def _size(target: Target, part: _Integrand) -> float:
    """The size of the terms that scores and Hessians are sums of."""
    steepest = max(float(score_forms(b, part.early, part.late).variances.max()) for b in blocks(target))
    longest = max(float(np.abs(components(block).means).max(initial=0.0)) for block in blocks(target))
    return (target.dimension + steepest) * (1 + longest)


def _largest_rate(forms: list[Forms]) -> float:
    """1/(2 max V), or where there is no variance some nats over the largest square."""
    widest = max(float(form.variances.max()) for form in forms)
    longest = max(float(form.squares.sum(axis=2).max()) for form in forms)
    return min(0.5 / widest if widest > 0 else np.inf, 1e4 / max(longest, 1e-12))


def _forms(target: Target, part: _Integrand) -> list[Forms]:
    if part.what == "hessian":
        return [hessian_forms(block, part.early, part.late, part.shift) for block in blocks(target)]
    relative = part.what == "relative"
    return [score_forms(block, part.early, part.late, relative) for block in blocks(target)]


def _typical(forms: list[Forms], what: str) -> Array:
    """The size of the integrand that draws of the step go by."""
    if what == "hessian":
        return np.asarray(sum(form.offset**2 for form in forms)) + 1e-300
    sizes = [np.einsum("k,tkj->t", form.weights, form.variances + form.squares) for form in forms]
    return np.asarray(sum(sizes))


def _values(target: Target, part: _Integrand, odds: Array, n: int, key: np.random.SeedSequence) -> Array:
    """Independent values whose mean is the integral."""
    rng = np.random.default_rng(key)
    step = np.searchsorted(np.cumsum(odds)[:-1], rng.random(n), side="right").astype(np.int64)
    x = part.draw(step, 1.0 - rng.random(n))
    t = part.early[step] + x
    start = sample_target(target, n, int(key_of(rng)[0]))
    noise = rng.standard_normal(start.shape)
    points = np.exp(-t)[:, None] * start + np.sqrt(-np.expm1(-2 * t))[:, None] * noise
    rows = max(1, ROWS // (target.dimension**2 * max(len(b.weights) for b in blocks(target))))
    found = [_functional(target, part, points[i : i + rows], t[i : i + rows]) for i in range(0, n, rows)]
    return np.asarray(part.weigh(step, x) / odds[step] * np.concatenate(found))


def _functional(target: Target, part: _Integrand, x: Array, t: Array) -> Array:
    if part.what == "hessian":
        bend = hessian(target, x, t) + part.shift * np.eye(target.dimension)
        return np.asarray(np.sum(bend**2, axis=(1, 2)))
    slope = score(target, x, t)
    return np.asarray(np.sum((slope + x if part.what == "relative" else slope) ** 2, axis=1))
