"""Speed of the particle simulator, as ratios to the same steps in numpy.

No time is asserted. ``rate`` counts particles times steps times components a second (times dimensions in
space).
"""

import time

import numpy as np
import pytest

from simulators.grids import Grid
from simulators.mixtures import GaussianMixture
from simulators.monte_carlo.paths import path_kl_sampled
from simulators.particles.simulate import simulate

N = 100
GRID = Grid.uniform(4.0, N)


def mixture(K, d=1):
    rng = np.random.default_rng(K)
    return GaussianMixture([1 / K] * K, 3 * rng.normal(size=(K, d)), rng.uniform(0.2, 0.5, size=K))


def plain(target, n):
    """DDPM-EI on the line, vectorised over particles and components; seconds a particle."""
    rng, h = np.random.default_rng(0), GRID.steps[0]
    mu, v, w = np.ravel(target.means), np.array(target.covariances), np.array(target.weights)
    began, x = time.perf_counter(), rng.standard_normal(n)
    for tau in GRID.times[:-1]:
        a = np.exp(-tau)
        S = a * a * v + 1 - a * a
        off = x[:, None] - a * mu
        logs = np.log(w / np.sqrt(S)) - off**2 / (2 * S)
        parts = np.exp(logs - logs.max(axis=1, keepdims=True))
        score = -(parts * off / S).sum(axis=1) / parts.sum(axis=1)
        x = np.exp(h) * x + 2 * np.expm1(h) * score + np.sqrt(np.expm1(2 * h)) * rng.standard_normal(n)
    return (time.perf_counter() - began) / n


def record(benchmark, work, plain_seconds=None):
    if benchmark.stats is None:  # benchmarks are switched off: the call itself was the test
        return
    best = benchmark.stats.stats.min
    benchmark.extra_info["rate"] = work / best
    if plain_seconds is not None:
        benchmark.extra_info["ratio"] = plain_seconds / best


@pytest.mark.parametrize("K", [1, 2, 8, 32])
def test_particles_on_the_line(benchmark, K):
    n, target = 40_000, mixture(K)
    x = benchmark(simulate, target, "ddpm-ei", GRID, n, 1)
    assert x.shape == (n, 1)
    record(benchmark, n * N * K, n * plain(target, 4000))


@pytest.mark.parametrize("sampler", ["ddpm-em", "cds-ei", "pf-ei", "pf-heun", "lmc"])
def test_other_samplers(benchmark, sampler):
    benchmark(simulate, mixture(8), sampler, GRID, 20_000, 1)
    record(benchmark, 20_000 * N * 8)


@pytest.mark.parametrize(("d", "K"), [(2, 4), (16, 32), (64, 32)])
def test_particles_in_space(benchmark, d, K):
    n = 100_000 // (d * K) + 128
    benchmark(simulate, mixture(K, d), "ddpm-ei", GRID, n, 1)
    record(benchmark, n * N * K * d)


def test_path_kl_of_four_components(benchmark):
    found, _ = benchmark(path_kl_sampled, mixture(4, 3), "ddpm-ei", GRID, 20_000, 1)
    assert 0 < found.lo < found.hi
