"""Samples from the output of a sampler, and from the target along the forward process, on Gaussian mixtures.

Independent blocks of the target (`simulators.mixtures.blocks`) never meet in the score, so each is simulated
on its own coordinates. The same seed gives the same particles on any number of threads, and the first n of
them do not depend on how many are asked for. Random numbers are pseudo-random and floats are rounded (normals
lie within 8.6 of zero); everything else about the laws is exact. Unit clock.
"""

from __future__ import annotations

from math import isfinite
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulators.errors import InputError
from simulators.exppoly import ExpPoly
from simulators.grids import Grid
from simulators.mixtures import Atoms, GaussianMixture, Target, blocks, components
from simulators.samplers import SAMPLERS
from simulators.samplers.scheme import Heun, OneStage

__all__ = ["SIMULATED", "Seed", "chain_of", "key_of", "sample_target", "simulate", "tables_of"]

Array = NDArray[np.float64]
Words = NDArray[np.uint64]
Seed: TypeAlias = int | np.random.SeedSequence | np.random.Generator

SIMULATED = ("ddpm-ei", "ddpm-em", "cds-ei", "pf-ei", "pf-heun", "lmc")
STARTS = ("gamma", "q_T")
STREAMS = 3  # of a block: noise of the steps, normals and uniforms of its start
NOISE, POINTS, LABELS = range(STREAMS)


def simulate(
    target: Target, sampler: str, grid: Grid, n: int, seed: Seed, start: str = "gamma", time: float = 0.0
) -> Array:
    """Independent outputs of the sampler, n of them, shape (n, d).

    sampler : one of `SIMULATED`.
    start   : "gamma", or "q_T", the target after time T.
    time    : forward time of the score of a sampler that stays there (lmc).
    Raises InputError for what it cannot simulate, and where a score is taken of a law with atoms.

    >>> simulate(GaussianMixture.two(4.0), "ddpm-ei", Grid.uniform(2.0, 20), 3, seed=1).shape
    (3, 1)
    """
    from simulators.particles.kernels import propagate

    if sampler not in SIMULATED:
        raise InputError("sampler", sampler, f"expected one of {', '.join(SIMULATED)}")
    if start not in STARTS:
        raise InputError("start", start, f"expected one of {', '.join(STARTS)}")
    key, count = key_of(seed), _count(n)
    steps, times, heun = chain_of(sampler, grid, _time(time))
    parts = []
    for index, block in enumerate(blocks(target)):
        tables = tables_of(block, times)
        x = _points(block, grid.T, count, key, index) if start == "q_T" else _gamma(block, count, key, index)
        propagate(x, key, STREAMS * index + NOISE, steps, heun, *tables)
        parts.append(x)
    return np.ascontiguousarray(np.concatenate(parts).T)


def sample_target(target: Target, n: int, seed: Seed, t: float = 0.0) -> Array:
    """Independent points of the forward law q_t, shape (n, d); t = 0 is the target itself."""
    key, count, when = key_of(seed), _count(n), _time(t)
    parts = [_points(block, when, count, key, index) for index, block in enumerate(blocks(target))]
    return np.ascontiguousarray(np.concatenate(parts).T)


def key_of(seed: Seed) -> Words:
    """The key of the random numbers: two words from a numpy seed sequence; a Generator is drawn from."""
    if isinstance(seed, np.random.Generator):
        return seed.integers(0, 2**64, size=2, dtype=np.uint64)
    if isinstance(seed, np.random.SeedSequence):
        return np.asarray(seed.generate_state(2, np.uint64), dtype=np.uint64)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError("seed", seed, "expected an integer >= 0, a SeedSequence or a Generator")
    return key_of(np.random.SeedSequence(int(seed)))


# -- the chain as arrays -------------------------------------------------------------------------------------


def chain_of(sampler: str, grid: Grid, time: float) -> tuple[Array, Array, bool]:
    """Step coefficients (N, 3), forward times of the scores, and whether it is Heun's method: see the
    kernels.
    """
    scheme, h = SAMPLERS[sampler], grid.steps
    if isinstance(scheme, Heun):
        return np.stack([0 * h, 0 * h, h], axis=1), grid.times, True
    assert isinstance(scheme, OneStage)
    distinct, where = np.unique(h, return_inverse=True)
    columns = [_values(p, distinct) for p in (scheme.A - 1, scheme.B, scheme.Q)]
    columns[2] = np.sqrt(columns[2])
    steps = np.ascontiguousarray(np.stack(columns, axis=1)[where.ravel()])
    return steps, grid.times[:-1] if scheme.reverse else np.array([time]), False


def tables_of(block: GaussianMixture | Atoms, times: Array) -> tuple[Array, Array, Array, Array, Array]:
    """A block along the forward process: clock (times, 2), log weights less half the log determinants (times,
    K), means and variances (K, d), eigenbases (K, d, d) or none.
    """
    mu, lam, turns = _padded(block)
    clock = np.stack([np.exp(-times), -np.expm1(-2 * times)], axis=1)
    variances = clock[:, :1, None] ** 2 * lam + clock[:, 1:, None]
    if not bool(np.all(variances > 0)):
        at = float(times[~np.all(variances > 0, axis=(1, 2))][0])
        raise InputError("t", at, "expected scores at times > 0, atoms have no density at time 0")
    lw = np.log(components(block).weights) - 0.5 * np.log(variances).sum(axis=2)
    return clock, lw - lw.max(axis=1, keepdims=True), mu, lam, turns


def _padded(block: GaussianMixture | Atoms) -> tuple[Array, Array, Array]:
    """Means and variances (K, d) of the components in all axes, and their eigenbases, (0, 0, 0) when axes."""
    own = components(block)
    beyond = own.d - own.m
    mu = np.concatenate([own.means, np.zeros((own.K, beyond))], axis=1)
    lam = np.concatenate([own.variances, np.repeat(own.rest[:, None], beyond, axis=1)], axis=1)
    turns = np.zeros((0, 0, 0)) if own.rotations is None else np.ascontiguousarray(own.rotations)
    return np.ascontiguousarray(mu), np.ascontiguousarray(lam), turns


def _gamma(block: GaussianMixture | Atoms, n: int, key: Words, index: int) -> Array:
    from simulators.particles.kernels import normals

    x = np.empty((block.dimension, n))
    normals(key, STREAMS * index + POINTS, x)
    return x


def _points(block: GaussianMixture | Atoms, t: float, n: int, key: Words, index: int) -> Array:
    """Points of the forward law, (d, n)."""
    from simulators.particles.kernels import uniforms

    mu, lam, turns = _padded(block)
    a, noise = np.exp(-t), -np.expm1(-2 * t)
    z, u = _gamma(block, n, key, index), np.empty(n)
    uniforms(key, STREAMS * index + LABELS, u)
    edges = np.cumsum(components(block).weights)[:-1]
    label = np.searchsorted(edges, u, side="right")
    spread = np.sqrt(a * a * lam + noise)
    for k in range(len(mu)):
        mine = label == k
        turned = spread[k][:, None] * z[:, mine]
        z[:, mine] = a * mu[k][:, None] + (turns[k] @ turned if turns.size else turned)
    return z


def _values(poly: ExpPoly, h: Array) -> Array:
    return np.asarray(poly(h), dtype=np.float64) if poly.terms else np.zeros_like(h)


def _count(n: int) -> int:
    if isinstance(n, bool) or not isfinite(n) or int(n) != n or n < 1:
        raise InputError("n", n, "expected an integer >= 1")
    return int(n)


def _time(t: float) -> float:
    if not (isfinite(t) and t >= 0):
        raise InputError("t", t, "expected a finite forward time >= 0")
    return float(t)
