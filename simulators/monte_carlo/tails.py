"""Exponential moments that bound the tails of Monte Carlo integrands, in closed form.

Given the component K, X_t is Gaussian; given X_t = x, the score is a posterior mean of the components' scores
s_K, so by Jensen's inequality E phi(|score|^2) <= E phi(|s_K(X_t)|^2) for phi increasing and convex. With
m(x) the plain average of the components' scores,

    |Hess log q_t + c I|_F <= max_k |P_k - c I|_F + E[|s_K - m|^2 | X_t = x],

and given K = k, s_k - m has mean a avg_j P_j (mu_k - mu_j) and covariance (P_k - avg P)^2 S_k. All of these
are Gaussian quadratic forms,

    log E e^{lam |N(m, V)|^2} = sum_j -log(1 - 2 lam V_j)/2 + lam m_j^2/(1 - 2 lam V_j).

A step of a sampler has |Y+ - noise| <= c |Y| + b, with c the largest factor over the components: a bound of
E e^{lam |Y|^2} is pulled back through the steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, log

import numpy as np
from numpy.typing import NDArray

from simulators.grids import Grid
from simulators.mixtures import Atoms, Components, GaussianMixture, Target, blocks, components
from simulators.monte_carlo.confidence import Tail
from simulators.samplers import SAMPLERS
from simulators.samplers.scheme import Heun, OneStage

__all__ = ["Forms", "best_tail", "hessian_forms", "output_moment", "score_forms", "square_forms"]

Array = NDArray[np.float64]
LogMoment = Callable[[float], float]
FRACTIONS = np.concatenate([np.linspace(0.05, 0.95, 19), [0.02, 0.98]])
SPAN = 60.0  # nats of tail that a rate is chosen for


@dataclass(frozen=True, eq=False)
class Forms:
    """Gaussian quadratic forms |N(m, V)|^2 that dominate an integrand at some times.

    weights (K,); variances, squares of means (times, K, d); offset (times,) what is added to the form.
    """

    weights: Array
    variances: Array
    squares: Array
    offset: Array

    def log_moment(self, lam: Array) -> Array:
        """The log of sum_k w_k E e^{lam_t |N(m, V)|^2}, (times,); infinite where it diverges."""
        room = 1 - 2 * lam[:, None, None] * self.variances
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            parts = np.sum(-0.5 * np.log(room) + lam[:, None, None] * self.squares / room, axis=2)
            total = np.logaddexp.reduce(np.log(self.weights) + parts, axis=1)
        return np.where(np.all(room > 0, axis=(1, 2)), total, inf)

    def scaled(self, factor: Array) -> Forms:
        """The forms and offsets multiplied by a factor a time."""
        by = factor[:, None, None]
        return Forms(self.weights, by * self.variances, by * self.squares, factor * self.offset)


def score_forms(block: GaussianMixture | Atoms, early: Array, late: Array, relative: bool = False) -> Forms:
    """Bounds of |score|^2, or of |score + x|^2, over the forward times [early, late]."""
    own = components(block)
    lam, low, _, a2 = _between(own, early, late)
    if not relative:
        return Forms(own.weights, 1 / low, 0 * low, 0 * early)
    means = np.concatenate([own.means, np.zeros((own.K, own.d - own.m))], axis=1)
    if own.rotations is not None:
        means = np.einsum("kij,ki->kj", own.rotations, means)
    return Forms(own.weights, a2**2 * (lam - 1) ** 2 / low, a2 * means**2, 0 * early)


def hessian_forms(block: GaussianMixture | Atoms, early: Array, late: Array, c: float = 0.0) -> Forms:
    """Bounds of |Hess log q_t + c I|_F over the forward times [early, late]."""
    own = components(block)
    lam, low, high, a2 = _between(own, early, late)
    means = np.concatenate([own.means, np.zeros((own.K, own.d - own.m))], axis=1)
    reach = np.maximum(np.abs(1 / low - c), np.abs(1 / high - c))
    offset = np.sqrt(np.sum(reach**2, axis=2)).max(axis=1)
    a = np.sqrt(a2)
    if own.rotations is None:
        variances, squares = np.zeros_like(low), np.zeros_like(low)
        for k in range(own.K):
            pull = np.mean(a2 / (low[:, k, None] * low) * np.abs(lam[k] - lam), axis=1)  # |P_k - avg P|
            apart = means[k] - means
            ends = [np.where(apart > 0, apart / s, apart / r) for s, r in ((low, high), (high, low))]
            mean = np.maximum(*(np.abs(end.mean(axis=1)) for end in ends))
            variances[:, k], squares[:, k] = pull**2 * high[:, k], (a[:, 0] * mean) ** 2
        return Forms(own.weights, variances, squares, offset)
    full = np.einsum("kij,kj,klj->kil", own.rotations, lam, own.rotations)
    narrow, wide = low.min(axis=2, keepdims=True), high.max(axis=2, keepdims=True)
    variances, squares = np.zeros_like(low), np.zeros_like(low)
    for k in range(own.K):
        gap = np.linalg.norm(full[k] - full, ord=2, axis=(1, 2))[:, None]
        pull = np.mean(a2 / (narrow[:, k, None] * narrow) * gap, axis=1)
        far = np.linalg.norm(means[k] - means, axis=1)[:, None]
        variances[:, k] = pull**2 * wide[:, k]
        squares[:, k, 0] = (a[:, 0] * np.mean(far / narrow, axis=1))[:, 0] ** 2
    return Forms(own.weights, variances, squares, offset)


def square_forms(block: GaussianMixture | Atoms, t: float) -> Forms:
    """The law of |X_t|^2."""
    own = components(block)
    _, low, _, a2 = _between(own, np.array([t]), np.array([t]))
    means = np.concatenate([own.means, np.zeros((own.K, own.d - own.m))], axis=1)
    if own.rotations is not None:
        means = np.einsum("kij,ki->kj", own.rotations, means)
    return Forms(own.weights, low, a2 * means**2, np.zeros(1))


def output_moment(
    target: Target, sampler: str, grid: Grid, start: str = "gamma", time: float = 0.0
) -> LogMoment:
    """The map from lam to a bound of log E e^{lam |Y|^2}, Y the output; infinite where none is found."""
    chains = [_chain(block, sampler, grid, time) for block in blocks(target)]
    starts = [_start(block, grid, start) for block in blocks(target)]

    def moment(lam: float) -> float:
        total = 0.0
        for block, chain, first in zip(blocks(target), chains, starts, strict=True):
            rate = lam
            for c, b, noise, radius in reversed(chain):
                room = 1 - 2 * rate * noise
                if room <= 0:
                    return inf
                total -= 0.5 * block.dimension * log(room)
                total += rate / room * (b * b + c * b * radius)
                rate *= (c * c + c * b / radius) / room
            total += float(first.log_moment(np.array([rate]))[0])
        return total

    return moment


def best_tail(moment: LogMoment, largest: float, offset: float = 0.0, power: int = 1) -> Tail | None:
    """The tail whose level at e^{-60} is lowest, over rates below ``largest``; None when every moment is
    infinite.
    """
    found = []
    for lam in largest * FRACTIONS:
        value = moment(float(lam))
        if value < inf:
            found.append(Tail(float(lam), value, offset, power))
    return min(found, key=lambda tail: tail.level(np.exp(-SPAN)), default=None)


# -- one block -----------------------------------------------------------------------------------------------


def _between(own: Components, early: Array, late: Array) -> tuple[Array, Array, Array, Array]:
    """Variances (K, d) at time zero; their range (times, K, d) over [early, late]; e^{-2 early}."""
    lam = np.concatenate([own.variances, np.repeat(own.rest[:, None], own.d - own.m, axis=1)], axis=1)
    first, second = (np.exp(-2 * t)[:, None, None] * (lam - 1) + 1 for t in (early, late))
    return lam, np.minimum(first, second), np.maximum(first, second), np.exp(-2 * early)[:, None, None]


def _start(block: GaussianMixture | Atoms, grid: Grid, start: str) -> Forms:
    if start == "q_T":
        return square_forms(block, grid.T)
    one = np.ones((1, 1, block.dimension))
    return Forms(np.ones(1), one, 0 * one, np.zeros(1))


def _chain(
    block: GaussianMixture | Atoms, sampler: str, grid: Grid, time: float
) -> list[tuple[float, float, float, float]]:
    """(c, b, Q, radius) a step: |x+ - noise| <= c |x| + b, and the size of x where the bound is sharpest."""
    own, scheme, h = components(block), SAMPLERS[sampler], grid.steps
    assert isinstance(scheme, OneStage | Heun)
    stays = isinstance(scheme, OneStage) and not scheme.reverse
    times = np.full(grid.N, time) if stays else grid.times[: grid.N + isinstance(scheme, Heun)]
    _, low, high, a2 = _between(own, times, times)
    strong, weak = (1 / low).max(axis=(1, 2)), (1 / high).min(axis=(1, 2))
    means = np.sqrt(a2[:, 0, 0, None] * np.sum(own.means**2, axis=1))  # (times, K)
    pull = (means / low.min(axis=2)).max(axis=1)
    radius = np.sqrt(a2[:, 0, 0] * block.second_moment + own.d * (1 - a2[:, 0, 0]))
    if isinstance(scheme, Heun):
        upper, lower = 1 - weak, 1 - strong
        ends = [np.abs(1 + 0.5 * h * (e[:-1] + e[1:])) for e in (upper, lower)]
        size = np.maximum(np.abs(upper), np.abs(lower))
        c = np.maximum(*ends) + 0.5 * h * h * size[:-1] * size[1:]
        b = 0.5 * h * (pull[:-1] + pull[1:]) + 0.5 * h * h * size[1:] * pull[:-1]
        Q = 0 * h
    else:
        A, B = scheme.A(h), scheme.B(h)
        c = np.maximum(np.abs(A - B * strong), np.abs(A - B * weak))
        b = B * pull
        Q = scheme.Q(h) if scheme.Q.terms else 0 * h
    return list(
        zip(c.tolist(), b.tolist(), Q.tolist(), np.maximum(radius[: grid.N], 1e-3).tolist(), strict=True)
    )
