"""The particle simulator: its numbers, its scores, its chains against numpy and against laws on the line."""

from __future__ import annotations

import mpmath as mp
import numba
import numpy as np
import pytest
from scipy import stats

from simulators.errors import InputError
from simulators.grids import Grid
from simulators.line import propagate_line
from simulators.mixtures import Atoms, GaussianMixture, Product
from simulators.particles import kernels
from simulators.particles.simulate import SIMULATED, chain_of, key_of, sample_target, simulate, tables_of
from simulators.posterior import score
from simulators.samplers import SAMPLERS
from simulators.targets import Gaussian

LINE = GaussianMixture((0.4, 0.6), (-1.5, 1.0), (0.2, 0.3))
SPACE = GaussianMixture(
    (0.2, 0.3, 0.5),
    ((2.0, 0.0, 1.0), (-1.0, 1.0, 0.0), (0.0, -2.0, 0.5)),
    ((0.2, 0.5, 1.5), (0.3, 0.3, 0.3), (1.0, 0.2, 0.7)),
)
TURNED = GaussianMixture(
    (0.5, 0.5), ((-1.5, 0.0), (1.5, 0.5)), (((1.0, 0.3), (0.3, 0.4)), ((0.5, -0.2), (-0.2, 0.9)))
)
WIDE = GaussianMixture((0.3, 0.7), ((2.0, 0.0), (0.0, -1.0)), (0.4, 1.3), 6)
TARGETS = {
    "line": LINE,
    "diagonal": SPACE,
    "turned": TURNED,
    "wide": WIDE,
    "atoms": Atoms(((1.0, 0.0), (0.0, 2.0), (-1.0, -1.0)), (0.2, 0.3, 0.5)),
    "product": Product((LINE, TURNED, Gaussian((0.5, 2.0), (1, 2), (1.0, 0.0)))),
}
GRID = Grid.geometric(2.0, 9, 0.05)
ALARM = 1e-9  # of every test on random numbers; seeds are fixed


def test_words_are_the_published_ones():
    key = {
        (0, 0, 0, 0): (0xC2B6E3A8C2C69865, 0x6F81ED42F350084D),
        (2**64 - 1,) * 4: (0xE02CB7C4D95D277A, 0xD06633D0893B8B68),
    }
    for (a, b, c, d), found in key.items():
        args = (np.uint64(w) for w in (c, d, a, b))
        assert tuple(int(w) for w in kernels.words(*args)) == found


def test_powers_of_two_are_within_4e_16():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.uniform(-1, 1, 1500), rng.uniform(-1000, 0, 1500), np.arange(-8, 9) / 2])
    with mp.workprec(120):
        errors = [float(abs(kernels.power_of_two(t) / mp.mpf(2) ** mp.mpf(t) - 1)) for t in points.tolist()]
    assert max(errors) <= 4e-16
    assert kernels.power_of_two(-1000.0) == 2.0**-1000


def test_logarithms_and_turns_are_accurate():
    rng = np.random.default_rng(1)
    u = np.concatenate([rng.random(1500), 2.0 ** -rng.uniform(0, 53, 500), 1 - rng.random(500) * 1e-6, [1.0]])
    with mp.workprec(120):
        logs = [
            abs(kernels.logarithm(t) - mp.log(mp.mpf(t))) / abs(mp.log(mp.mpf(t)) or 1) for t in u.tolist()
        ]
        turns = [(kernels.turn(t), 2 * mp.pi * mp.mpf(t)) for t in u.tolist()]
        off = [max(abs(c - mp.cos(angle)), abs(s - mp.sin(angle))) for (c, s), angle in turns]
    assert float(max(logs)) <= 1e-15
    assert float(max(off)) <= 4e-16


def test_normals_are_normal_and_do_not_depend_on_chunks():
    key, z, short = key_of(5), np.empty((4, 40_000)), np.empty((2, 333))
    kernels.normals(key, 7, z)
    kernels.normals(key, 7, short)
    assert np.array_equal(short, z[:2, :333])
    for row in z:
        assert stats.kstest(row, "norm").pvalue > ALARM
    n = z.shape[1]
    products = (z @ z.T / n - np.eye(4)) * np.sqrt(n)  # standard deviations 1, and sqrt 2 on the diagonal
    assert np.abs(products).max() < 9.0
    squares = (z**2 - 1) @ (z**2 - 1).T / n
    assert np.abs(squares - np.diag(np.diag(squares))).max() * np.sqrt(n) < 13.0
    other = np.empty_like(z)
    kernels.normals(key, 8, other)
    assert abs(np.sum(other * z)) / np.sqrt(z.size) < 6.2


def test_uniforms_are_uniform():
    u = np.empty(40_000)
    kernels.uniforms(key_of(3), 2, u)
    assert stats.kstest(u, "uniform").pvalue > ALARM


@pytest.mark.parametrize("name", ["line", "diagonal", "turned", "wide", "atoms"])
def test_scores_agree_with_the_posterior(name):
    target = TARGETS[name]
    times = np.array([1.7, 0.3, 0.01])
    clock, lw, mu, lam, turns = tables_of(target, times)
    x = np.random.default_rng(2).normal(size=(50, target.dimension)) * 3
    x[0] = 60.0  # far out, where every component underflows
    d, n = x.T.shape
    for k, t in enumerate(times):
        s, work = np.empty((d, n)), np.empty((mu.shape[0] + 2, n))
        args = (np.empty_like(mu), s, work, np.empty((d, n)))
        kernels.score(np.ascontiguousarray(x.T), clock[k], lw[k], mu, lam, turns, *args)
        np.testing.assert_allclose(s.T, score(target, x, t), rtol=1e-9, atol=1e-9)


def by_numpy(target, sampler, grid, n, seed):
    """The same chain from the same random numbers; one block, start gamma."""
    scheme, d = SAMPLERS[sampler], target.dimension
    key, z, noise = key_of(seed), np.empty((d, n)), np.empty((d * grid.N, n))
    kernels.normals(key, 1, z)
    kernels.normals(key, 0, noise)
    x, noise = z.T.copy(), noise.reshape(grid.N, d, n)
    for k, (tau, h) in enumerate(zip(grid.times, grid.steps, strict=False)):
        if sampler == "pf-heun":
            slope = x + score(target, x, tau)
            ahead = x + h * slope
            x = x + 0.5 * h * (slope + ahead + score(target, ahead, grid.times[k + 1]))
            continue
        s = score(target, x, tau if scheme.reverse else 0.2)
        x = float(scheme.A(h)) * x + float(scheme.B(h)) * s
        if scheme.Q.terms:
            x = x + np.sqrt(float(scheme.Q(h))) * noise[k].T
    return x


@pytest.mark.parametrize("sampler", SIMULATED)
@pytest.mark.parametrize("name", ["line", "diagonal", "turned"])
def test_chains_agree_with_numpy(sampler, name):
    found = simulate(TARGETS[name], sampler, GRID, 300, 11, time=0.2)
    np.testing.assert_allclose(found, by_numpy(TARGETS[name], sampler, GRID, 300, 11), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("sampler", SIMULATED)
@pytest.mark.parametrize("start", ["gamma", "q_T"])
def test_outputs_follow_the_law_on_the_line(sampler, start):
    law = propagate_line(sampler, GRID, LINE.weights, (-1.5, 1.0), LINE.covariances, start=start, time=0.2)
    x = simulate(LINE, sampler, GRID, 20_000, 3, start=start, time=0.2)[:, 0]
    distance = np.abs(np.arange(1, x.size + 1) / x.size - law.cdf(np.sort(x))).max()
    assert distance < np.sqrt(np.log(2 / ALARM) / (2 * x.size))  # Dvoretzky-Kiefer-Wolfowitz


def test_a_wrong_law_is_noticed():
    law = propagate_line("pf-ei", GRID, LINE.weights, (-1.5, 1.0), LINE.covariances)
    x = simulate(LINE, "ddpm-ei", GRID, 20_000, 3)[:, 0]
    distance = np.abs(np.arange(1, x.size + 1) / x.size - law.cdf(np.sort(x))).max()
    assert distance > np.sqrt(np.log(2 / ALARM) / (2 * x.size))


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("t", [0.0, 0.7])
def test_points_of_the_target_have_its_moments(name, t):
    target, n = TARGETS[name], 40_000
    x = sample_target(target, n, 1, t)
    assert x.shape == (n, target.dimension)
    law = target if t == 0 else target.at(t)
    mean = np.zeros(target.dimension)
    mean[: len(law.mean)] = law.mean
    deviation = np.sqrt(x.var(axis=0) / n) + 1e-12
    assert np.all(np.abs(x.mean(axis=0) - mean) < 6.5 * deviation)
    squares = np.sum(x**2, axis=1)
    assert abs(squares.mean() - law.second_moment) < 6.5 * squares.std() / np.sqrt(n) + 1e-12


def test_points_of_turned_components_have_their_covariance():
    x = sample_target(GaussianMixture((1.0,), ((1.0, -1.0),), (((1.0, 0.3), (0.3, 0.4)),)), 40_000, 4)
    np.testing.assert_allclose(np.cov(x.T), [[1.0, 0.3], [0.3, 0.4]], atol=0.045)  # 6 standard errors


def test_blocks_of_a_product_are_simulated_alone():
    x = simulate(TARGETS["product"], "ddpm-ei", GRID, 500, 9)
    assert np.array_equal(x[:, :1], simulate(LINE, "ddpm-ei", GRID, 500, 9))
    assert np.abs(np.corrcoef(x.T) - np.eye(6))[0, 1:].max() < 0.3


def test_the_same_seed_gives_the_same_particles_on_any_number_of_threads():
    full = simulate(SPACE, "ddpm-ei", GRID, 1000, 2)
    assert np.array_equal(full[:130], simulate(SPACE, "ddpm-ei", GRID, 130, 2))
    before = numba.get_num_threads()
    try:
        for threads in range(1, numba.config.NUMBA_NUM_THREADS + 1):
            numba.set_num_threads(threads)
            assert np.array_equal(full, simulate(SPACE, "ddpm-ei", GRID, 1000, 2))
    finally:
        numba.set_num_threads(before)
    assert not np.array_equal(full, simulate(SPACE, "ddpm-ei", GRID, 1000, 3))


def test_seeds_are_integers_sequences_or_generators():
    assert np.array_equal(key_of(4), key_of(np.random.SeedSequence(4)))
    assert np.array_equal(key_of(np.random.default_rng(1)), key_of(np.random.default_rng(1)))
    rng = np.random.default_rng(1)
    assert not np.array_equal(key_of(rng), key_of(rng))


def test_uniform_grids_use_one_row_of_coefficients_throughout():
    steps, times, heun = chain_of("ddpm-ei", Grid.uniform(1.0, 5), 0.0)
    assert np.all(steps == steps[0])
    assert times.shape == (5,)
    assert not heun


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"sampler": "ulmc"}, "sampler='ulmc': expected one of ddpm-ei"),
        ({"n": 0}, "n=0: expected an integer >= 1"),
        ({"n": 2.5}, "n=2.5"),
        ({"seed": -1}, "seed=-1: expected an integer >= 0"),
        ({"start": "q_t"}, "start='q_t': expected one of gamma, q_T"),
        ({"time": -1.0, "sampler": "lmc"}, "t=-1.0: expected a finite forward time"),
        ({"target": Atoms.two_point(), "sampler": "lmc"}, "atoms have no density"),
        ({"target": Atoms.two_point(), "sampler": "pf-heun", "grid": Grid.uniform(1.0, 3)}, "t=0.0"),
    ],
)
def test_bad_input_is_named(change, text):
    given = {"target": LINE, "sampler": "ddpm-ei", "grid": GRID, "n": 10, "seed": 1} | change
    with pytest.raises(InputError) as error:
        simulate(**given)
    assert text in str(error.value)
