"""Radial laws: Bessel functions, one component in closed form, two scales by two roads, bad input."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from simulators.batch import Batch, SingleCase
from simulators.distances import contour, gaussian
from simulators.distances.relation import relate
from simulators.errors import InputError, NotDefined
from simulators.functionals import kl_to_gamma
from simulators.functionals_paths import path_kl_mixture
from simulators.grids import Grid
from simulators.laws.gaussian import forward_law, propagate
from simulators.mixtures import GaussianMixture
from simulators.particles.simulate import simulate
from simulators.radial.kernels import log_bessel
from simulators.radial.outcome import radial_case
from simulators.targets import Gaussian

GRID = Grid.uniform(2.0, 6)


def target_samples(target, n):
    rng = np.random.default_rng(5)
    which = rng.choice(len(target.weights), n, p=target.weights)
    return np.sqrt(np.array(target.covariances)[which])[:, None] * rng.normal(size=(n, target.dimension))


def overlap(a, b):
    return bool(a.lo <= b.hi and b.lo <= a.hi)


def test_bessel_functions_agree_with_mpmath():
    with mp.workdps(40):
        for nu in (0.5, 2.5, 24.0, 45.5, 499.0, 4999.0):
            for z in (1e-3, 3.0, 60.0, 1e4, 5e5):
                exact = mp.log(mp.besseli(nu, z)) - z
                # absolute error of a logarithm of size |exact|: a few roundings of it
                assert abs(log_bessel(nu, z) - exact) < 1e-13 + 4e-16 * abs(exact)


@pytest.mark.parametrize("sampler", ["ddpm-ei", "cds-ei", "pf-ei"])
@pytest.mark.parametrize("d", [3, 10, 1000])
def test_one_component_equals_the_closed_forms(sampler, d):
    grid = GRID if sampler != "pf-ei" else Grid.uniform(2.0, 12)
    batch = Batch.of([SingleCase(Gaussian.isotropic(d, 0.5), sampler, grid, "gamma")])
    relation = relate(forward_law(batch, "target"), propagate(batch))
    case = radial_case(GaussianMixture((1.0,), ((0.0,),), 0.5, d), sampler, grid)
    both = (("target", "output"), relation), (("output", "target"), relation.reversed)
    for found, exact in (
        (case.distance("KL", "target", "output"), gaussian.kl(relation)[0]),
        (case.distance("KL", "output", "target"), gaussian.kl(relation.reversed)[0]),
        (case.distance("TV", "target", "output"), contour.tv(relation)[0]),
        (case.distance("W2", "target", "output"), gaussian.w2(relation)[0]),
        *((case.distance("chi2", *order), gaussian.chi2(r)[0]) for order, r in both if d < 1000),
    ):
        assert overlap(found, exact)
        assert np.isinf(exact.lo) or found.width < 1e-6 * found.mid


def test_two_scales_agree_with_the_second_road_and_with_particles():
    target = GaussianMixture((0.4, 0.6), ((0.0,), (0.0,)), (0.3, 2.0), 10)
    case = radial_case(target, "ddpm-ei", GRID)
    assert overlap(case.distance("KL", "q_T", "gamma"), kl_to_gamma(target, GRID.T))
    found = case.distance("KL", "target", "output")
    assert overlap(found, case.finer.distance("KL", "target", "output"))
    for name in ("W2", "chi2"):
        assert overlap(case.distance(name, "target", "output"), case.finer.distance(name, "target", "output"))
    assert found.lo > 0
    assert found.hi < path_kl_mixture(target, "ddpm-ei", GRID).hi
    n = 100_000
    squares = np.sum(simulate(target, "ddpm-ei", GRID, n, seed=4) ** 2, axis=1)
    # 5 standard errors
    radii = np.sqrt(np.sort(squares))
    true = np.sort(np.linalg.norm(target_samples(target, n), axis=1))
    # two samples of 1e5 radii, whose quantiles are off by a hundredth and in the tails by more
    assert (
        abs(np.sqrt(np.mean((radii - true) ** 2)) - float(case.distance("W2", "target", "output").mid)) < 0.02
    )
    assert abs(squares.mean() - float(case.second_moment().mid)) < 5 * squares.std() / np.sqrt(n)


def test_a_shell_that_a_flow_does_not_reach_is_not_overlooked():
    """One step from gamma in ten dimensions, and a component whose radius is far out."""
    target = GaussianMixture((0.5, 0.5), ((0.0,), (0.0,)), (1.0, 400.0), 10)
    case = radial_case(target, "pf-ei", Grid.uniform(0.4, 1))
    r = np.linspace(1e-6, 140.0, 400_001)
    y, log_slope = case.problem.images(r)
    log_p = case.problem.log_density(case.problem.initial, r) - log_slope
    log_q = case.problem.log_density(case.problem.mixture, y)
    terms = np.exp(log_q + log_slope) * (log_q - log_p)
    found = case.distance("KL", "target", "output")
    assert float(found.mid) == pytest.approx(float(terms.sum()) * (r[1] - r[0]), rel=1e-6)


def test_another_scale_is_told_apart():
    cases = [
        radial_case(GaussianMixture((0.4, 0.6), ((0.0,), (0.0,)), (0.3, s), 30), "ddpm-ei", GRID)
        for s in (2.0, 2.001)
    ]
    first, second = (case.distance("KL", "output", "target") for case in cases)
    assert not overlap(first, second)


def test_bad_input_is_named():
    two = GaussianMixture((0.4, 0.6), ((0.0,), (0.0,)), (0.3, 2.0), 10)
    with pytest.raises(InputError, match="d="):
        radial_case(GaussianMixture((0.4, 0.6), ((0.0,), (0.0,)), (0.3, 2.0), 2), "ddpm-ei", GRID)
    with pytest.raises(InputError, match="means"):
        radial_case(GaussianMixture((0.4, 0.6), ((1.0,), (1.0,)), (0.3, 2.0), 10), "ddpm-ei", GRID)
    with pytest.raises(NotDefined, match="ulmc"):
        radial_case(two, "ulmc", GRID)
    with pytest.raises(InputError, match="quantity"):
        radial_case(two, "ddpm-ei", GRID).distance("W1", "target", "output")
