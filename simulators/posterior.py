"""Score, Hessian and posterior of a forward law, at every time and in any dimension, by sums over components.

X_t = a X_0 + Z, a = e^{-t}, Z ~ N(0, s^2 I), s^2 = 1 - e^{-2t}. With responsibilities r_k(x), computed in log
space, and component k's own posterior N(m_k(x), V_k),

    s_k = -P_k (x - a mu_k),   P_k = (a^2 Sigma_k + s^2)^{-1},   score = sum r_k s_k,
    Hessian = sum r_k (s_k s_k^T - P_k) - score score^T,   E[X_0|x] = sum r_k m_k,
    Cov(X_0|x) = sum r_k (V_k + (m_k - E[X_0|x])(m_k - E[X_0|x])^T).

Tweedie's formulas (`tweedie_mean`, `tweedie_covariance`) give the posterior from score and Hessian instead;
they cancel as s -> 0 and nothing here uses them. Points x are (..., d), t broadcasts against the leading
axes; a product's coordinates are its factors' in order, each in its own frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulators.errors import InputError
from simulators.mixtures import Atoms, Components, GaussianMixture, Target, blocks, components

__all__ = [
    "hessian",
    "log_density",
    "posterior_covariance",
    "posterior_mean",
    "posterior_third_cumulant",
    "responsibilities",
    "score",
    "third_derivative",
    "tweedie_covariance",
    "tweedie_mean",
]

Array = NDArray[np.float64]


def log_density(target: Target, x: ArrayLike, t: ArrayLike = 0.0) -> Array:
    """The log density log q_t(x), shape (...)."""
    total: Array = np.sum([local.log_density for local in _localised(target, x, t)], axis=0)
    return total


def responsibilities(block: GaussianMixture | Atoms, x: ArrayLike, t: ArrayLike = 0.0) -> Array:
    """P(component k | X_t = x), shape (..., K)."""
    (local,) = _localised(block, x, t)
    return local.shares


def score(target: Target, x: ArrayLike, t: ArrayLike = 0.0) -> Array:
    """The gradient of log q_t at x, shape (..., d)."""
    return np.concatenate([_mean_of(p.shares, p.scores) for p in _localised(target, x, t)], axis=-1)


def hessian(target: Target, x: ArrayLike, t: ArrayLike = 0.0) -> Array:
    """Hess log q_t(x), shape (..., d, d)."""
    parts = [
        _scatter(p.shares, p.scores) - np.einsum("...k,...kij->...ij", p.shares, p.matrix(p.precision))
        for p in _localised(target, x, t)
    ]
    return _assembled(parts, 2)


def third_derivative(target: Target, x: ArrayLike, t: ArrayLike = 0.0) -> Array:
    """The third derivatives of log q_t, shape (..., d, d, d)."""
    parts = [p.third(p.scores, -p.matrix(p.precision)) for p in _localised(target, x, t)]
    return _assembled(parts, 3)


def posterior_mean(target: Target, x: ArrayLike, t: ArrayLike = 0.0) -> Array:
    """E[X_0 | X_t = x], shape (..., d)."""
    return np.concatenate([_mean_of(p.shares, p.guesses) for p in _localised(target, x, t)], axis=-1)


def posterior_covariance(target: Target, x: ArrayLike, t: ArrayLike = 0.0) -> Array:
    """Cov(X_0 | X_t = x), shape (..., d, d), positive semidefinite."""
    parts = [
        _scatter(p.shares, p.guesses) + np.einsum("...k,...kij->...ij", p.shares, p.matrix(p.doubt))
        for p in _localised(target, x, t)
    ]
    return _assembled(parts, 2)


def posterior_third_cumulant(target: Target, x: ArrayLike, t: ArrayLike = 0.0) -> Array:
    """The third cumulant of X_0 given X_t = x, (..., d, d, d); third_derivative is (a/s^2)^3 times it."""
    parts = [p.third(p.guesses, p.matrix(p.doubt)) for p in _localised(target, x, t)]
    return _assembled(parts, 3)


def tweedie_mean(score: ArrayLike, x: ArrayLike, t: ArrayLike) -> Array:
    """(x + s^2 score)/a, for any law: E[X_0 | X_t = x] when ``score`` is its score there."""
    times = np.asarray(t, dtype=np.float64)[..., None]
    mean: Array = (np.asarray(x) - np.expm1(-2 * times) * np.asarray(score)) * np.exp(times)
    return mean


def tweedie_covariance(hessian: ArrayLike, t: ArrayLike) -> Array:
    """(s^2/a^2)(I + s^2 Hessian), for any law: Cov(X_0 | X_t = x) when ``hessian`` is Hess log q_t there."""
    times = np.asarray(t, dtype=np.float64)[..., None, None]
    bend = np.asarray(hessian, dtype=np.float64)
    noise = -np.expm1(-2 * times)
    covariance: Array = noise * np.exp(2 * times) * (np.eye(bend.shape[-1]) + noise * bend)
    return covariance


# -- one block at given points -----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Local:
    """A block at points: log density (...) and shares (..., K) of the components.

    scores, guesses   : s_k and E[X_0 | x, k] in the frame, (..., K, d).
    precision, doubt  : eigenvalues of P_k and of V_k, (..., K, d), along the columns of rotations (K, d, d).
    """

    log_density: Array
    shares: Array
    scores: Array
    guesses: Array
    precision: Array
    doubt: Array
    rotations: Array | None

    def matrix(self, diagonal: Array) -> Array:
        """The matrices (..., K, d, d) with these eigenvalues."""
        if self.rotations is None:
            return diagonal[..., None] * np.eye(diagonal.shape[-1])
        full: Array = np.einsum("kij,...kj,klj->...kil", self.rotations, diagonal, self.rotations)
        return full

    def third(self, centres: Array, covariances: Array) -> Array:
        """Third cumulant of the mixture of "N(centre_k, covariance_k)" with these shares; the matrices may be
        negative.
        """
        off = centres - _mean_of(self.shares, centres)[..., None, :]
        cube = np.einsum("...k,...ki,...kj,...kl->...ijl", self.shares, off, off, off)
        tie = np.einsum("...k,...ki,...kjl->...ijl", self.shares, off, covariances)
        cumulant: Array = cube + tie + np.swapaxes(tie, -3, -2) + np.moveaxis(tie, -3, -1)
        return cumulant


def _localised(target: Target, x: ArrayLike, t: ArrayLike) -> list[_Local]:
    points, times = np.asarray(x, dtype=np.float64), np.asarray(t, dtype=np.float64)
    if points.ndim == 0 or points.shape[-1] != target.dimension:
        raise InputError("x", points.shape, f"expected a last axis of {target.dimension}, the dimension")
    if not bool(np.all(times >= 0)):
        raise InputError("t", float(times[~(times >= 0)].flat[0]), "expected forward times >= 0")
    parts, at = [], 0
    for block in blocks(target):
        parts.append(_local(components(block), points[..., at : at + block.dimension], times))
        at += block.dimension
    return parts


def _local(own: Components, x: Array, times: Array) -> _Local:
    K, d = own.K, own.d
    a, noise = np.exp(-times)[..., None, None], -np.expm1(-2 * times)[..., None, None]
    means = np.concatenate([own.means, np.zeros((K, d - own.m))], axis=1)
    lam = np.concatenate([own.variances, np.repeat(own.rest[:, None], d - own.m, axis=1)], axis=1)
    variance = a * a * lam + noise
    if bool(np.any(variance == 0)):
        raise InputError("t", 0.0, "expected > 0, atoms have no density at time 0")
    off = x[..., None, :] - a * means
    turned = off if own.rotations is None else np.einsum("kij,...ki->...kj", own.rotations, off)
    terms = turned**2 / variance + np.log(variance)
    odds = np.log(own.weights) - 0.5 * np.sum(terms - terms[..., :1, :], axis=-1)  # what is shared drops out
    common = -0.5 * np.sum(terms[..., 0, :] + np.log(2 * np.pi), axis=-1)
    total = _log_sum(odds)
    shares = np.exp(odds - total[..., None])
    pull, lean = -turned / variance, a * lam / variance * turned
    if own.rotations is not None:
        pull, lean = (np.einsum("kij,...kj->...ki", own.rotations, y) for y in (pull, lean))
    doubt = lam * noise / variance
    return _Local(common + total, shares, pull, means + lean, 1 / variance, doubt, own.rotations)


def _log_sum(values: Array) -> Array:
    top = values.max(axis=-1, keepdims=True)
    total: Array = top[..., 0] + np.log(np.exp(values - top).sum(axis=-1))
    return total


def _mean_of(shares: Array, vectors: Array) -> Array:
    mean: Array = np.einsum("...k,...ki->...i", shares, vectors)
    return mean


def _scatter(shares: Array, vectors: Array) -> Array:
    off = vectors - _mean_of(shares, vectors)[..., None, :]
    scatter: Array = np.einsum("...k,...ki,...kj->...ij", shares, off, off)
    return scatter


def _assembled(parts: list[Array], order: int) -> Array:
    """Tensors of the blocks on the diagonal of one of all coordinates."""
    if len(parts) == 1:
        return parts[0]
    d = sum(part.shape[-1] for part in parts)
    whole, at = np.zeros((*parts[0].shape[:-order], *(d,) * order)), 0
    for part in parts:
        place = slice(at, at + part.shape[-1])
        inside: tuple[Any, ...] = (..., *(place,) * order)
        whole[inside] = part
        at += part.shape[-1]
    return whole
