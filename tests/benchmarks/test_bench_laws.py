"""Speed of the law kernels, as ratios to a plain numpy loop over the same steps.

No time is asserted. Each benchmark records ``steps_per_second`` (instances times steps) and, where there is a
plain loop, ``ratio``.
"""

import time

import numpy as np
import pytest
from flint import ctx

from simulators.batch import Batch, SingleCase
from simulators.grids import Grid
from simulators.laws import ball_tools, balls
from simulators.laws.gaussian import propagate
from simulators.laws.paths import path_kl
from simulators.targets import Gaussian

C, N, T = 8192, 1000, 5.0
GRID = Grid.uniform(T, N)
RNG = np.random.default_rng(0)
LAM, MEAN = np.exp(RNG.normal(size=C)), RNG.normal(size=C)
BLOCKS = {"L": 2.0, "corrector_step": 0.1}


def plain_loop(lam, mean):
    """DDPM-EI variances and means by the textbook recurrence, vectorised over instances."""
    h = T / N
    v, m = np.ones_like(lam), np.zeros_like(mean)
    for k in range(N):
        decay = np.exp(-(T - k * h))
        S = 1 + (lam - 1) * decay**2
        a = np.exp(h) - 2 * np.expm1(h) / S
        m = a * m + 2 * np.expm1(h) * mean * decay / S
        v = a * a * v + np.expm1(2 * h)
    return v, m


@pytest.fixture(scope="module")
def plain_seconds():
    start = time.perf_counter()
    plain_loop(LAM, MEAN)
    return time.perf_counter() - start


def record(benchmark, work, plain=None):
    if benchmark.stats is None:  # benchmarks are switched off: the call itself was the test
        return
    best = benchmark.stats.stats.min
    benchmark.extra_info["steps_per_second"] = work / best
    if plain is not None:
        benchmark.extra_info["ratio"] = plain / best


@pytest.mark.parametrize("certified", [False, True], ids=["fast", "certified"])
@pytest.mark.parametrize("error", [0.0, 0.1], ids=["exact-score", "affine-error"])
def test_ddpm_against_a_plain_loop(benchmark, plain_seconds, certified, error):
    batch = Batch.lanes("ddpm-ei", GRID, LAM, 1, MEAN, shift=error, linear=error)
    law = benchmark(lambda: propagate(batch, certified=certified))
    if not error:
        variance, mean = plain_loop(LAM[:64], MEAN[:64])
        np.testing.assert_allclose(law.variance[:64, 0], variance, rtol=1e-10)
        np.testing.assert_allclose(law.mean[:64, 0], mean, rtol=1e-9, atol=1e-11)
    record(benchmark, C * N, plain_seconds)


@pytest.mark.parametrize(
    "sampler", ["ddpm-em", "cds-ei", "pf-ei", "pf-heun", "lmc", "ulmc", "cld-ei", "dpum", "dpom"]
)
def test_certified_kernels(benchmark, plain_seconds, sampler):
    options = BLOCKS if sampler in ("dpum", "dpom") else {}
    batch = Batch.lanes(sampler, GRID, LAM, 1, MEAN, options=options)
    benchmark(lambda: propagate(batch))
    record(benchmark, C * N, plain_seconds)


@pytest.mark.parametrize("sampler", ["ddpm-ei", "ddpm-em", "cds-ei", "lmc", "ulmc", "cld-ei"])
def test_path_kl(benchmark, sampler):
    batch = Batch.lanes(sampler, GRID, LAM, 1, MEAN)
    benchmark(lambda: path_kl(batch))
    record(benchmark, C * N)


def test_one_grid_a_case(benchmark):
    rng = np.random.default_rng(1)
    cases = [
        SingleCase(
            Gaussian((float(lam),), (1,), (0.5,)), "ddpm-ei", Grid.uniform(float(rng.uniform(1, 9)), 100 + i)
        )
        for i, lam in enumerate(LAM[:1000])
    ]
    batch = Batch.of(cases)
    benchmark(lambda: propagate(batch))
    record(benchmark, sum(case.grid.N for case in cases))


IN_BALLS = ["ddpm-ei", "ddpm-em", "cds-ei", "pf-ei", "pf-heun", "lmc", "ulmc", "cld-ei", "dpum", "dpom"]
GRIDS = {"uniform": GRID, "geometric": Grid.geometric(T, N, 1e-3)}


def in_balls(case, function):
    """The function at 128 bits, nothing remembered of the grid."""
    for remembered in (ball_tools._times, ball_tools._steps, ball_tools._growths, ball_tools._decays):
        remembered.cache_clear()
    ball_tools._coefficients.cache_clear()
    with ctx.workprec(128):
        return function(case)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("sampler", IN_BALLS)
def test_balls(benchmark, sampler, grid):
    options = BLOCKS if sampler in ("dpum", "dpom") else {}
    case = SingleCase(Gaussian((0.3,), (1,), (1.0,)), sampler, GRIDS[grid], options=options)
    law = benchmark(in_balls, case, balls.ball_output_phase if sampler == "cld-ei" else balls.ball_output)
    variance = law.covariances[0][0] if sampler == "cld-ei" else law.variances[0]
    assert variance.rel_accuracy_bits() > 80
    record(benchmark, N)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("sampler", ["ddpm-ei", "ddpm-em", "cds-ei", "lmc", "ulmc", "cld-ei"])
def test_path_kl_in_balls(benchmark, sampler, grid):
    case = SingleCase(Gaussian((0.3,), (1,), (1.0,)), sampler, GRIDS[grid])
    assert benchmark(in_balls, case, balls.ball_path_kl).rel_accuracy_bits() > 80
    record(benchmark, N)
