"""Functions fitted on one part of a sample, to be tested on another: log ratios, bins, Lipschitz functions.

Nothing here is trusted: a bad critic makes a lower bound small, never wrong. The log ratio is that of a
mixture fitted to the output, by a few steps of expectation maximisation from the target's own components, to
the target's known density; blocks of the target never mix, so their log ratios add.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.mixtures import Atoms, GaussianMixture, Target, blocks, components
from simulators.posterior import log_density

__all__ = ["features", "log_ratios", "steepest"]

Array = NDArray[np.float64]
Critic = Callable[[Array], Array]

ROUNDS = 3  # of expectation maximisation
WIDEST = 24  # dimension up to which full covariances are fitted
ROWS = 2**21  # numbers in the largest temporary
KNOTS = 48


def log_ratios(target: Target, t: float, sample: Array) -> list[Critic]:
    """Estimates of log(output/q_t) from a sample of the output: with fitted variances, and covariances."""
    kinds = (False, True) if max(block.dimension for block in blocks(target)) <= WIDEST else (False,)
    return [_chunked(_Ratio.fitted(target, t, sample, full), target) for full in kinds]


@dataclass(frozen=True, eq=False)
class _Fit:
    """A mixture in the eigenbases of the target's components.

    weights (K,), shifts (K, d), factors W (K, d, d) of the precisions W^T W, logs of the determinants of W.
    """

    weights: Array
    shifts: Array
    factors: Array
    logs: Array

    def terms(self, y: Array) -> Array:
        """Log weighted densities (n, K) at the centred coordinates y (n, K, d)."""
        z = np.einsum("kij,nkj->nki", self.factors, y - self.shifts)
        constant = np.log(self.weights) + self.logs - 0.5 * y.shape[-1] * np.log(2 * np.pi)
        terms: Array = constant - 0.5 * np.einsum("nki,nki->nk", z, z)
        return terms


@dataclass(frozen=True, eq=False)
class _Ratio:
    target: Target
    t: float
    fits: tuple[_Fit, ...]

    @classmethod
    def fitted(cls, target: Target, t: float, sample: Array, full: bool) -> _Ratio:
        fits, at = [], 0
        for block in blocks(target):
            fits.append(_fit(block, t, sample[:, at : at + block.dimension], full))
            at += block.dimension
        return cls(target, t, tuple(fits))

    def __call__(self, x: Array) -> Array:
        total, at = -log_density(self.target, x, self.t), 0
        for block, fit in zip(blocks(self.target), self.fits, strict=True):
            y, _ = _frame(block, self.t, x[:, at : at + block.dimension])
            total = total + np.logaddexp.reduce(fit.terms(y), axis=1)
            at += block.dimension
        return total


def _fit(block: GaussianMixture | Atoms, t: float, sample: Array, full: bool) -> _Fit:
    own, d = components(block), block.dimension
    start = _frame(block, t, sample[:1])[1]
    eye = np.eye(d)
    fit = _assembled(own.weights, np.zeros((own.K, d)), start[:, :, None] * eye)
    rows = max(1, ROWS // (own.K * d))
    for _ in range(ROUNDS):
        mass, first = np.full(own.K, 1e-12), np.zeros((own.K, d))
        second = np.zeros((own.K, d, d))
        for i in range(0, len(sample), rows):
            y, _ = _frame(block, t, sample[i : i + rows])
            terms = fit.terms(y)
            shares = np.exp(terms - np.logaddexp.reduce(terms, axis=1)[:, None])
            mass += shares.sum(axis=0)
            weighted = shares[..., None] * y
            first += weighted.sum(axis=0)
            if full:
                second += np.matmul(weighted.transpose(1, 2, 0), y.transpose(1, 0, 2))
            else:
                second += np.einsum("nki,nki->ki", weighted, y)[..., None] * eye
        prior = float(d + 2)  # points of the target's own component, which keep rare components regular
        shifts = first / (mass + prior)[:, None]
        outer = shifts[:, :, None] * shifts[:, None, :]
        spread = (second + prior * start[:, :, None] * eye) / (mass + prior)[:, None, None]
        spread = spread - (outer if full else outer * eye)
        fit = _assembled(mass / mass.sum(), shifts, spread)
    return fit


def _assembled(weights: Array, shifts: Array, covariances: Array) -> _Fit:
    factors = np.linalg.inv(np.linalg.cholesky(covariances))
    logs = np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)
    return _Fit(weights, shifts, factors, logs)


def _frame(block: GaussianMixture | Atoms, t: float, x: Array) -> tuple[Array, Array]:
    """Centred coordinates (n, K, d) of x in the eigenbases of the components at time t; variances (K, d)."""
    own = components(block)
    a, beyond = np.exp(-t), own.d - own.m
    means = np.concatenate([a * own.means, np.zeros((own.K, beyond))], axis=1)
    lam = np.concatenate([own.variances, np.repeat(own.rest[:, None], beyond, axis=1)], axis=1)
    y = x[:, None, :] - means
    if own.rotations is not None:
        y = np.einsum("kij,nki->nkj", own.rotations, y)
    return y, a * a * lam - np.expm1(-2 * t)


def _chunked(critic: Critic, target: Target) -> Critic:
    rows = max(1, ROWS // max(len(components(block).weights) * block.dimension for block in blocks(target)))

    def evaluate(x: Array) -> Array:
        return np.concatenate([critic(x[i : i + rows]) for i in range(0, len(x), rows)])

    return evaluate


# -- Lipschitz functions -------------------------------------------------------------------------------------


def features(p: Array, q: Array, most: int = 4) -> list[Critic]:
    """1-Lipschitz functions on R^d: the distance from the mean of q, and projections on the difference of the
    means and on the axes along which the covariances differ most.
    """
    centre, d = q.mean(axis=0), p.shape[1]
    found: list[Critic] = [lambda x: np.linalg.norm(x - centre, axis=1)]
    directions = [p.mean(axis=0) - centre]
    if d > 1:
        values, vectors = np.linalg.eigh(np.cov(p.T) - np.cov(q.T))
        order = np.argsort(-np.abs(values))[:most]
        directions += list(vectors[:, order].T)
    for direction in directions:
        length = float(np.linalg.norm(direction))
        if length > 0:
            found.append(_projection(direction / length * (1 - 1e-12)))  # rounded, it must not exceed 1
    return found


def _projection(unit: Array) -> Critic:
    return lambda x: np.asarray(x @ unit)


def steepest(p: Array, q: Array) -> tuple[Critic, float, float]:
    """The 1-Lipschitz piecewise linear f on R with the largest mean over p less that over q, constant beyond
    the outermost points, and its range.

    f' = sign(F_q - F_p) between knots at the quantiles of both samples.
    """
    both = np.concatenate([p, q])
    knots = np.unique(np.quantile(both, np.concatenate([[0.0], np.linspace(0.002, 0.998, KNOTS), [1.0]])))
    fine = np.linspace(knots[:-1], knots[1:], 5)[1:-1]
    gap = np.searchsorted(np.sort(q), fine) / len(q) - np.searchsorted(np.sort(p), fine) / len(p)
    slopes = np.sign(gap.mean(axis=0)) * (1 - 1e-12)
    values = np.concatenate([[0.0], np.cumsum(slopes * np.diff(knots))])
    low, high = float(values.min()), float(values.max())
    return (lambda x: np.clip(np.interp(x, knots, values), low, high)), low, high
