"""Speed of laws on the line beside the same law by full matrices and by particles."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from simulators.distances.line import line_distance
from simulators.grids import Grid
from simulators.line import Mixture, Oscillation, OtherMixture, propagate_line
from simulators.line.outcome import line_case
from simulators.samplers import SAMPLERS

TARGET = Mixture.of([0.4, 0.6], [-1.5, 1.0], [0.2, 0.3])
ATOMS = Mixture.of([0.3, 0.7], [-1.0, 1.0], [0.0, 0.0])
CASES = {
    "ddpm-ei, N = 1000": ("ddpm-ei", Grid.uniform(5.0, 1000), TARGET),
    "pf-ei, N = 1000": ("pf-ei", Grid.uniform(5.0, 1000), TARGET),
    "ddpm-ei on two atoms, delta = 1e-6, N = 1000": ("ddpm-ei", Grid.geometric(5.0, 1000, 1e-6), ATOMS),
    "ddpm-ei, delta = 1e-6, N = 1000": ("ddpm-ei", Grid.geometric(5.0, 1000, 1e-6), TARGET),
}


def enclosed(sampler, grid, target, name="KL"):
    """From the arrays to the enclosure: two grids, refinement, quadrature."""
    law = propagate_line(sampler, grid, target.weights, target.means, target.variances)
    end = target.at(grid.delta)
    return line_distance(name, end.weights, end.means, end.variances, law)


def score(target, x):
    parts = target.weights * stats.norm.pdf(x[:, None], target.means, target.sds)
    return (parts * (target.means - x[:, None]) / target.variances).sum(axis=1) / parts.sum(axis=1)


def full_matrices(grid, target, points):
    """KL(target||output) with every step a full matrix on a fixed grid."""
    x = np.linspace(-7, 7, points)
    dx, scheme = x[1] - x[0], SAMPLERS["ddpm-ei"]
    p = stats.norm.pdf(x)
    for tau, h in zip(grid.times[:-1], grid.steps, strict=True):
        g = float(scheme.A(h)) * x + float(scheme.B(h)) * score(target.at(tau), x)
        p = stats.norm.pdf(x[:, None], g, np.sqrt(float(scheme.Q(h)))) @ p * dx
    q = (target.weights * stats.norm.pdf(x[:, None], target.means, target.sds)).sum(axis=1)
    d = p / q - 1
    return float((q * (d - np.log1p(d))).sum() * dx)


@pytest.mark.parametrize("case", CASES)
def test_enclosed_kl(benchmark, case):
    enclosed(*CASES[case])
    benchmark.group = case
    found = benchmark(enclosed, *CASES[case])
    assert float(found.width) < 2e-9 * float(found.mid)


@pytest.mark.parametrize("name", ["KL", "TV", "W2", "Hellinger"])
def test_a_map_that_folds(benchmark, name):
    """Three branches: preimages by Newton's method, panels that end at the folds."""
    far = Mixture.of([0.5, 0.5], [-3.0, 3.0], [0.3, 0.3])
    grid = Grid.uniform(3.0, 2)
    enclosed("pf-heun", grid, far, name)
    benchmark.group = f"pf-heun, three branches, {name}"
    found = benchmark(enclosed, "pf-heun", grid, far, name)
    assert float(found.width) < 1e-6 * float(found.mid)


@pytest.mark.parametrize("sampler", ["ulmc", "dpom", "dpum"])
def test_samplers_with_a_velocity_or_a_corrector(benchmark, sampler):
    """30 underdamped steps; 12 predictor steps with a corrector after every block of time 1/2."""
    grid = Grid.uniform(3.0, 30) if sampler == "ulmc" else Grid.uniform(2.0, 12, 0.05)
    options = {} if sampler == "ulmc" else {"corrector_step": 0.1, "L": 2.0}

    def answer():
        case = line_case(TARGET, sampler, grid, options=options)
        return case.KL("target" if sampler == "ulmc" else "q_delta", "output")

    answer()
    benchmark.group = f"{sampler} on a mixture, KL"
    found = benchmark.pedantic(answer, rounds=3)
    assert float(found.width) < 2e-9 * float(found.mid)


@pytest.mark.parametrize("mode", ["accurate", "cheap", "finer"])
@pytest.mark.parametrize("N", [100, 1000])
def test_modes_of_a_case(benchmark, mode, N):
    """The final word, the search's answer and the second road, each with its own propagation."""

    def answer():
        case = line_case(
            TARGET, "ddpm-ei", Grid.uniform(5.0, N), mode="cheap" if mode == "cheap" else "accurate"
        )
        return (case.finer if mode == "finer" else case).KL("q_delta", "output")

    answer()
    benchmark.group = f"ddpm-ei, N = {N}, KL by mode"
    found = benchmark(answer)
    assert float(found.width) < (2e-6 if mode == "cheap" else 2e-9) * float(found.mid)


@pytest.mark.parametrize(
    "error", [Oscillation(0.2, 5.0), OtherMixture(ATOMS.at(0.3))], ids=["sine", "mixture"]
)
def test_path_kl_with_a_score_error(benchmark, error):
    benchmark.group = "path KL, N = 1000, with a score error"
    found = benchmark(lambda: line_case(TARGET, "ddpm-ei", Grid.uniform(5.0, 1000), error=error).path_kl)
    assert float(found.width) < 1e-10 * float(found.mid)


@pytest.mark.parametrize("delta", [0.0, 1e-6])
@pytest.mark.parametrize("name", ["TV", "W2"])
def test_enclosed_distances(benchmark, name, delta):
    grid = Grid.geometric(5.0, 1000, delta) if delta else Grid.uniform(5.0, 1000)
    enclosed("ddpm-ei", grid, TARGET, name)
    benchmark.group = f"ddpm-ei, delta = {delta:g}, N = 1000, {name}"
    found = benchmark(enclosed, "ddpm-ei", grid, TARGET, name)
    assert float(found.width) < (1e-11 if name == "TV" else 2e-10 * float(found.mid))


def test_kl_by_full_matrices(benchmark):
    grid = Grid.uniform(5.0, 100)
    benchmark.group = "ddpm-ei, N = 100, full matrices in numpy"
    value = benchmark.pedantic(full_matrices, (grid, TARGET, 500), rounds=1)
    assert value == pytest.approx(float(enclosed("ddpm-ei", grid, TARGET).mid), rel=1e-9)


def test_kl_of_a_hundred_steps(benchmark):
    benchmark.group = "ddpm-ei, N = 100, full matrices in numpy"
    benchmark(enclosed, "ddpm-ei", Grid.uniform(5.0, 100), TARGET)
