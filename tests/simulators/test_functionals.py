"""Functionals and path KL of mixtures: identities, oracles, closed forms, and balls that must lie inside."""

from __future__ import annotations

from math import exp, inf, log, pi

import mpmath as mp
import numpy as np
import pytest
from numba import njit

import simulators.functionals as module
from simulators.batch import Batch, SingleCase
from simulators.errors import InputError, NotDefined
from simulators.functionals import (
    NAMES,
    QuadratureFailed,
    core_functionals,
    covariance_energy,
    entropy,
    fisher_information,
    functionals,
    hessian_energy,
    kl_to_gamma,
    mmse,
    relative_fisher,
    relative_hessian_energy,
    second_moment,
)
from simulators.functionals_balls import entropy_ball, fisher_ball, forward_law, kl_ball, kl_to_gamma_ball
from simulators.functionals_lanes import fast_log
from simulators.functionals_lipschitz import lipschitz
from simulators.functionals_paths import PathError, core_path, path_kl_mixture
from simulators.grids import Grid
from simulators.laws.paths import path_kl
from simulators.line.kernels import fast_expm1
from simulators.mixtures import Atoms, GaussianMixture, NotReducible, Product
from simulators.posterior import hessian, log_density, score
from simulators.reductions import Core
from simulators.targets import Gaussian

REFERENCE = GaussianMixture((0.3, 0.7), ((-1.0,), (2.0,)), (0.2, 0.5))
PAIR = Atoms(((-1.0,), (2.0,)), (0.3, 0.7))
RADIAL = GaussianMixture((0.4, 0.6), ((0.3,), (0.3,)), (0.3, 1.7), 6)
TARGETS = [
    REFERENCE,
    PAIR,
    GaussianMixture.two(5.0, 0.2, 0.4, d=9),
    RADIAL,
    Product((REFERENCE, REFERENCE, PAIR, Gaussian((0.5,), (3,), (1.0,)))),
    GaussianMixture((0.5, 0.3, 0.2), ((0.0,), (0.1,), (4.0,)), (9.0, 1e-3, 0.2)),
]
TIMES = np.array([0.03, 0.1, 0.4, 1.0, 2.5])


def drawn(rng):
    K = int(rng.integers(1, 5))
    weights = rng.dirichlet(np.ones(K)) + 1e-3
    means = rng.normal(size=(K, 1)) * 10 ** rng.uniform(-1, 0.7)
    if rng.random() < 0.25:
        return Atoms(means, weights / weights.sum())
    variances = 10 ** rng.uniform(-2, 1, size=K) if rng.random() < 0.7 else float(10 ** rng.uniform(-2, 1))
    return GaussianMixture(weights / weights.sum(), means, variances)


def slope(f, t, h=1e-3):
    """f'(t), eighth order."""
    coefficients = (4 / 5, -1 / 5, 4 / 105, -1 / 280)
    return sum(c * (f(t + n * h * t) - f(t - n * h * t)) for n, c in enumerate(coefficients, 1)) / (h * t)


def near(a, b, rel):
    return np.allclose(a, b, rtol=rel, atol=1e-13)


# -- identities --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS)
def test_algebraic_identities(target):
    f, d = functionals(target, TIMES), target.dimension
    a2, noise = np.exp(-2 * TIMES), -np.expm1(-2 * TIMES)
    assert near(f.fisher.mid, d / noise - a2 / noise**2 * f.mmse.mid, 1e-10)
    assert bool(np.all(f.fisher.lo <= d / noise))
    assert near(f.relative_fisher.mid, f.fisher.mid - 2 * d + f.second_moment.mid, 1e-9)
    assert near(f.relative_hessian.mid, f.hessian.mid - 2 * f.fisher.mid + d, 1e-9)
    assert near(f.half_hessian.mid, f.hessian.mid - f.fisher.mid + d / 4, 1e-9)
    assert near(f.kl_to_gamma.mid, (f.second_moment.mid + d * log(2 * pi)) / 2 - f.entropy.mid, 1e-9)
    assert near(f.second_moment.mid, [target.at(t).second_moment for t in TIMES], 1e-13)
    energy = d / noise**2 - 2 * a2 / noise**3 * f.mmse.mid + a2**2 / noise**4 * f.covariance_energy.mid
    assert near(f.hessian.mid, energy, 1e-8)


@pytest.mark.parametrize("target", TARGETS)
def test_identities_in_time(target):
    d, t = target.dimension, TIMES
    a2, noise = np.exp(-2 * t), -np.expm1(-2 * t)
    f = functionals(target, t)
    J = f.fisher.mid
    assert near(slope(lambda s: entropy(target, s).mid, t), J - d, 1e-7)  # de Bruijn
    assert near(f.hessian.mid, J - slope(lambda s: fisher_information(target, s).mid, t) / 2, 1e-6)
    trace = slope(lambda s: mmse(target, s).mid, t)
    assert near(f.covariance_energy.mid, noise**2 / a2 / 2 * trace, 1e-6)  # Benton et al., Lemma 1
    scaled = slope(lambda s: mmse(target, s).mid / np.expm1(-2 * s) ** 2, t)
    upper = d / noise**2 + scaled / 2  # Lemma 6
    assert bool(np.all(f.hessian.lo <= upper * (1 + 1e-6)))
    assert near(f.hessian.mid, upper - trace / noise / 2, 1e-6)


@pytest.mark.parametrize("target", TARGETS)
def test_monotonicity(target):
    t = np.linspace(0.01, 4, 60)
    f = functionals(target, t)
    assert bool(np.all(np.diff(np.exp(-2 * t) * f.fisher.mid) <= 1e-13))  # the backward score martingale
    assert bool(np.all(np.diff(f.kl_to_gamma.mid) < 0))
    assert bool(np.all(np.diff(f.mmse.mid) > 0))


def test_oracles():
    t = -log(0.6)
    f = functionals(REFERENCE, t)
    assert 1 / 0.64 - float(f.fisher.mid) == pytest.approx(0.811360565695, abs=1e-12)
    assert 0.36 / 0.64**2 * float(f.mmse.mid) == pytest.approx(0.811360565695, abs=1e-12)
    for g, value in ((1.0, 0.4496), (8.0, 0.00718)):  # the two-point MMSE, e^{2t} - 1 = 1/g
        found = float(mmse(Atoms.two_point(1.0), 0.5 * log(1 + 1 / g)).mid)
        assert found == pytest.approx(value, rel=1e-3)
        assert found <= exp(-g / 2)


# -- closed forms and limits -------------------------------------------------------------------------------


@pytest.mark.parametrize(("variance", "mean"), [(0.3, 0.5), (1.0, 0.0), (1e-3, 4.0), (40.0, -1.0)])
def test_one_component_is_a_gaussian(variance, mean):
    times = np.array([0.0, 1e-6, 0.2, 1.0, 8.0])
    exact = functionals(Gaussian((variance,), (1,), (mean,)), times)
    found = core_functionals(Core(GaussianMixture((1.0,), ((mean,),), variance), "line"), times)
    for name in NAMES:
        one, other = found[name], getattr(exact, name)
        assert bool(np.all((one.lo <= other.hi) & (other.lo <= one.hi))), name
        assert bool(np.all(one.width <= 1e-11 * np.abs(one.mid) + 1e-28)), name


def test_the_radial_law_in_dimension_one_is_the_line():
    mixture = GaussianMixture((0.4, 0.6), ((0.0,), (0.0,)), (0.3, 1.7))
    times = np.array([0.0, 0.1, 1.0, 4.0])
    line, radial = (core_functionals(Core(mixture, kind), times) for kind in ("line", "radial"))
    for name in NAMES:
        assert bool(
            np.all(np.abs(line[name].mid - radial[name].mid) <= line[name].width + radial[name].width)
        ), name


@pytest.mark.parametrize("d", [2, 40, 10_000])
def test_the_radial_law_of_one_component_is_a_gaussian(d):
    mixture = GaussianMixture((1.0,), ((0.7,),), 0.4, d)
    exact = functionals(Gaussian((0.4,), (d,), (0.0,)), [0.0, 1.5])
    found = core_functionals(Core(GaussianMixture((1.0,), ((0.0,),), 0.4, d), "radial"), np.array([0.0, 1.5]))
    for name in NAMES:
        one, other = found[name], getattr(exact, name)
        assert near(one.mid, other.mid, 1e-11), name
        assert bool(np.all((one.lo <= other.hi) & (other.lo <= one.hi))), name
    assert float(functionals(mixture, 0.0).relative_fisher.mid) == pytest.approx(
        d * 0.36 / 0.4 + 0.49, rel=1e-12
    )


def test_atoms_down_to_tiny_times():
    t = np.array([1e-8, 1e-6, 1e-4])
    f, noise = functionals(PAIR, t), -np.expm1(-2 * t)
    assert near(f.fisher.mid, 1 / noise, 1e-12)
    assert bool(np.all(f.fisher.width < 1e-11 * f.fisher.mid))
    mix = -0.3 * log(0.3) - 0.7 * log(0.7)
    assert near(f.entropy.mid, mix + np.log(2 * pi * np.e * noise) / 2, 1e-12)
    assert bool(np.all(f.mmse.hi < 1e-18))


def test_kl_of_atoms_is_infinite_however_small_they_are():
    kl = kl_to_gamma(Atoms(((-0.3,), (0.3,)), (0.5, 0.5)), [0.0, 0.3])
    assert kl.lo[0] == inf
    assert 0 < kl.lo[1] < 0.1


def test_singular_and_limiting_laws():
    f = functionals(PAIR, [0.0, inf])
    assert f.fisher.mid.tolist() == [inf, pytest.approx(1.0, rel=1e-14)]
    assert f.entropy.mid[0] == -inf
    assert f.kl_to_gamma.mid[0] == inf
    assert f.kl_to_gamma.hi[1] < 1e-28
    assert f.mmse.mid.tolist() == [0.0, pytest.approx(PAIR.covariance_trace, rel=1e-12)]
    assert entropy(REFERENCE, 0.3).lo.shape == ()
    assert second_moment(REFERENCE, np.zeros((2, 3))).lo.shape == (2, 3)


def test_small_divergences_keep_their_digits():
    """KL ~ e^{-2t} |mean|^2 / 2: relative accuracy where the entropy has lost it."""
    t = np.array([8.0, 12.0, 16.0])
    f = functionals(REFERENCE, t)
    assert near(f.kl_to_gamma.mid * np.exp(2 * t), 1.1**2 / 2, 1e-6)
    assert bool(np.all(f.kl_to_gamma.width < 1e-10 * f.kl_to_gamma.mid))
    assert bool(np.all(f.relative_fisher.width < 1e-8 * f.relative_fisher.mid))


def test_many_axes_of_variance_near_one_stay_inside():
    """KL of (1e6 axes of variance 1 + R): each loses digits to R - log(1 + R), and they add; 40 digits."""
    for variance in (0.3, 0.7, 0.93, 0.949, 0.951, 1.04, 1.06, 1.5, 40.0):
        for t in (0.0, 0.1, 0.75, 2.0):
            found = kl_to_gamma(Gaussian.isotropic(10**6, variance), t)
            with mp.workdps(40):
                S = mp.mpf(variance) * mp.exp(-2 * mp.mpf(t)) - mp.expm1(-2 * mp.mpf(t))
                exact = 10**6 * (S - 1 - mp.log(S)) / 2
                assert float(found.lo) <= exact <= float(found.hi), (variance, t)
            assert float(found.width) <= 2e-13 * float(found.mid)


def test_products_and_reductions_add_up():
    wide, thin = GaussianMixture.two(3.0, 0.3, 0.5, d=100_000), GaussianMixture.two(3.0, 0.3, 0.5)
    rest = Gaussian.isotropic(99_999, 0.5)
    for functional in (
        kl_to_gamma,
        relative_fisher,
        hessian_energy,
        relative_hessian_energy,
        covariance_energy,
    ):
        whole, parts = functional(wide, 0.4), functional(thin, 0.4) + functional(rest, 0.4)
        assert near(whole.mid, parts.mid, 1e-12)
    many = Product((thin,) * 500)
    assert near(entropy(many, 0.4).mid, 500 * entropy(thin, 0.4).mid, 1e-12)
    assert "99999 orthogonal axes" in kl_to_gamma(wide, 0.4).method


# -- balls -------------------------------------------------------------------------------------------------


def test_no_ball_lies_outside():
    rng = np.random.default_rng(2026)
    widths = []
    for i in range(200):
        target, t = drawn(rng), float(10 ** rng.uniform(-4, 0.7))
        name, ball = (
            ("fisher", fisher_ball),
            ("fisher", fisher_ball),
            ("entropy", entropy_ball),
            ("kl_to_gamma", kl_to_gamma_ball),
        )[i % 4]
        truth, found = ball(forward_law(target, t)), getattr(functionals(target, t), name)
        gap = abs(float(truth.mid() - float(found.mid)))
        assert gap <= float(found.width) / 2 + float(truth.rad()), (target, t, name, gap, float(found.width))
        assert float(truth.rad()) < 1e-13 * (1 + abs(float(truth.mid())))
        widths.append(float(found.width) / 2 / abs(float(found.mid)))
    assert np.median(widths) < 1e-12
    assert max(widths) < 1e-8


def test_kl_between_mixtures_as_a_ball():
    p, q = forward_law(REFERENCE, 0.3), forward_law(REFERENCE, 0.5)
    x = np.linspace(-12, 12, 4001)
    ps, qs = (log_density(REFERENCE, x[:, None], t) for t in (0.3, 0.5))
    assert float(kl_ball(p, q).mid()) == pytest.approx(
        np.sum(np.exp(ps) * (ps - qs)) * (x[1] - x[0]), rel=1e-11
    )
    assert float(abs(kl_ball(p, p)).upper()) < 1e-13
    with pytest.raises(NotReducible):
        forward_law(GaussianMixture.two(1.0, d=2), 0.1)
    with pytest.raises(InputError, match=r"^t="):
        forward_law(PAIR, 0.0)


def test_the_mass_check_fires(monkeypatch):
    whole = module._integrals

    def leaking(*given):
        table = whole(*given)
        table[:, 0, 0] -= 1e-9
        return table

    monkeypatch.setattr(module, "_integrals", leaking)
    with pytest.raises(QuadratureFailed, match=r"^mass=0\.99"):
        fisher_information(REFERENCE, 0.3)


@pytest.mark.parametrize("t", [-1.0, np.nan, [0.1, -2.0]])
def test_bad_times(t):
    with pytest.raises(InputError, match=r"^t="):
        functionals(REFERENCE, t)


def test_four_means_in_space_say_that_they_are_not_integrated():
    corners = ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 2.0, 0.0), (0.0, 0.0, 1.0))
    with pytest.raises(NotReducible, match="3 directions"):
        functionals(GaussianMixture((0.25,) * 4, corners, 1.0), 0.1)


# -- path KL -----------------------------------------------------------------------------------------------

SAMPLERS = ("ddpm-ei", "cds-ei", "ddpm-em")


def brute(target, sampler, grid, c=0.0, eta=0.0):
    """Girsanov's integral from the joint density of Y_tau and Y_{tau-u}; score error c + eta x, no start."""
    y = np.linspace(-7, 7, 1001)[:, None, None]
    z, weight = np.polynomial.hermite_e.hermegauss(64)
    nodes, weights = np.polynomial.legendre.leggauss(9)
    total = 0.0
    for tau, h in zip(grid.times, grid.steps, strict=False):
        for u, w in zip(h / 2 * (1 + nodes), h / 2 * weights, strict=True):
            x = np.exp(-u) * y + np.sqrt(-np.expm1(-2 * u)) * z[:, None]
            now, then, error = score(target, y, tau - u), score(target, x, tau), c + eta * x
            off = {
                "ddpm-ei": now - then - error,
                "cds-ei": now + y - then - x - error,
                "ddpm-em": (y - x) / 2 + now - then - error,
            }[sampler]
            density = np.exp(log_density(target, y, tau - u))
            total += w * 0.014 * np.sum(density * off[..., 0] ** 2 * weight) / np.sqrt(2 * pi)
    return total


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize(("c", "eta"), [(0.0, 0.0), (0.4, -0.3)])
def test_path_kl_against_the_joint_density(sampler, c, eta):
    grid = Grid.from_times((1.5, 0.9, 0.5, 0.3))
    ones = np.ones(3)
    mean, square = 1.1 * np.exp(-grid.times[:-1]), second_moment(REFERENCE, grid.times[:-1]).mid
    error = PathError(c * c + 2 * c * eta * mean + eta**2 * square, -eta * ones, c * mean + eta * square)
    found = path_kl_mixture(REFERENCE, sampler, grid, "q_T", error if c else None)
    assert float(found.mid) == pytest.approx(brute(REFERENCE, sampler, grid, c, eta), rel=1e-9)


@pytest.mark.parametrize("target", TARGETS)
def test_path_kl_against_the_telescoped_entropy(target):
    """Sum of KL(q_T||gamma), H(q_T) - H(q_delta), d(T - delta), (h - 2(1 - e^{-h})) J; and for cds-ei."""
    grid, d = Grid.uniform(2.0, 25, 0.01), target.dimension
    f, h = functionals(target, grid.times), grid.steps
    terms = (h + 2 * np.expm1(-h)) * f.fisher.mid[:-1]
    value = f.kl_to_gamma.mid[0] + f.entropy.mid[0] - f.entropy.mid[-1] + d * 1.99 + np.sum(terms)
    assert float(path_kl_mixture(target, "ddpm-ei", grid).mid) == pytest.approx(value, rel=1e-10)
    rises = (2 * np.expm1(h) - h) * f.relative_fisher.mid[:-1]
    value = f.kl_to_gamma.mid[-1] - np.sum(rises)  # int I dt = KL(q_delta||gamma) - KL(q_T||gamma)
    assert float(path_kl_mixture(target, "cds-ei", grid).mid) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize(
    "grid", [Grid.uniform(5.0, 1000), Grid.uniform(2.0, 2), Grid.geometric(4.0, 60, 1e-4)]
)
def test_path_kl_of_one_component_is_the_closed_form(sampler, grid):
    """One component through the quadrature gives the Gaussian's value."""
    for variance, mean in ((0.3, 0.5), (2.0, 1.0), (1e-3, 0.2)):
        found = core_path(Core(GaussianMixture((1.0,), ((mean,),), variance), "line"), sampler, grid)
        exact = path_kl(Batch.of([SingleCase(Gaussian((variance,), (1,), (mean,)), sampler, grid, "q_T")]))[0]
        assert abs(float(found.mid - exact.mid)) <= float(found.width + exact.width) / 2
        assert float(found.width) < 1e-11 * float(found.mid)


def test_path_kl_of_a_gaussian_target_and_its_known_values():
    for N, value in ((50, 0.87), (100, 0.45), (200, 0.23), (400, 0.115)):
        found = path_kl_mixture(Gaussian.isotropic(1, 0.3), "ddpm-ei", Grid.uniform(6.0, N), "q_T")
        assert float(found.mid) == pytest.approx(value, rel=0.02)


def test_path_kl_of_tiny_steps_keeps_its_digits_and_halves_with_them():
    """With N = 50000 the telescoped form has lost five digits."""
    fine, coarse = (
        path_kl_mixture(REFERENCE, "ddpm-ei", Grid.uniform(2.0, N), "q_T") for N in (50_000, 25_000)
    )
    assert float(fine.width) < 1e-11 * float(fine.mid)
    assert float(coarse.mid) == pytest.approx(2 * float(fine.mid), rel=1e-3)


def test_path_kl_of_atoms_stopped_early():
    grid = Grid.geometric(5.0, 300, 1e-8)
    found = path_kl_mixture(PAIR, "ddpm-ei", grid)
    assert float(found.width) < 1e-10 * float(found.mid)
    assert path_kl_mixture(PAIR, "ddpm-ei", Grid.uniform(5.0, 10)).mid == inf
    assert 0 < float(found.mid) < 5


def test_path_kl_refusals():
    grid = Grid.uniform(1.0, 4)
    with pytest.raises(NotDefined, match=r"pf-ei"):
        path_kl_mixture(REFERENCE, "pf-ei", grid)
    with pytest.raises(InputError, match=r"^start="):
        path_kl_mixture(REFERENCE, "ddpm-ei", grid, "q_0")
    with pytest.raises(InputError, match=r"^squared="):
        path_kl_mixture(REFERENCE, "ddpm-ei", grid, error=PathError(np.ones(3), np.zeros(4)))
    with pytest.raises(InputError, match=r"^with_state="):
        path_kl_mixture(REFERENCE, "ddpm-em", grid, error=PathError(np.ones(4), np.zeros(4)))


# -- Lipschitz constants -----------------------------------------------------------------------------------


def sampled(target, delta, T):
    x = np.linspace(-8, 8, 3001)[:, None]
    return max(np.abs(hessian(target, x, t)).max() for t in np.geomspace(delta, T, 60))


@pytest.mark.parametrize(
    "target",
    [GaussianMixture.two(4.0, 0.3, 0.5), GaussianMixture.two(1.0, 0.5, 3.0), Atoms.two_point(1.0, 0.2)],
)
def test_two_components_have_an_exact_constant(target):
    found, seen = lipschitz(target, 0.05, 3.0), sampled(target, 0.05, 3.0)
    assert float(found.width) < 1e-12 * float(found.mid)
    assert seen <= float(found.hi)
    assert seen >= float(found.lo) * (1 - 2e-3)


def test_the_constant_may_be_largest_at_an_inner_time():
    target = GaussianMixture.two(20.0, 0.5, 9.0)
    inner = float(lipschitz(target, 0.0, 5.0).mid)
    assert inner > 1.05 * max(float(lipschitz(target, t, t).mid) for t in (0.0, 5.0))
    assert inner == pytest.approx(sampled(target, 1e-3, 5.0), rel=1e-2)


@pytest.mark.parametrize("seed", range(12))
def test_the_constant_of_a_mixture_is_bracketed(seed):
    rng = np.random.default_rng(seed)
    target = drawn(rng)
    found, seen = lipschitz(target, 0.02, 2.0), sampled(target, 0.02, 2.0)
    assert seen <= float(found.hi)
    assert seen <= float(found.lo) * (1 + 1e-4) or not np.isfinite(found.hi)


def test_constants_of_products_gaussians_and_singular_laws():
    assert lipschitz(Gaussian((0.5, 4.0), (1, 2), (0.0, 0.0)), 0.0, inf).mid == pytest.approx(2.0)
    both = Product((Gaussian.isotropic(3, 0.1), GaussianMixture.two(2.0)))
    assert lipschitz(both, 0.0, 1.0).mid == pytest.approx(10.0)
    assert lipschitz(PAIR, 0.0, 1.0).mid == inf
    corners = lipschitz(Atoms(np.eye(5).tolist()), 0.1, 1.0)
    assert float(corners.lo) > 0.75 * float(corners.hi)
    tilted = GaussianMixture((0.5, 0.5), ((0.0, 0.0), (0.0, 0.0)), ((1.0, 2.0), (2.0, 1.0)))
    assert lipschitz(tilted, 0.0, 1.0).hi == inf
    with pytest.raises(InputError, match=r"^delta="):
        lipschitz(PAIR, 2.0, 1.0)


# -- kernels -----------------------------------------------------------------------------------------------


@njit
def elementary(x, y):
    return np.array([fast_expm1(value) for value in x]), np.array([fast_log(value) for value in y])


def test_elementary_functions_are_right_to_the_last_digits():
    rng = np.random.default_rng(0)
    small, wide = rng.normal(size=1000) * 10.0 ** rng.uniform(-8, 1, 1000), rng.uniform(-700, 700, 500)
    x = np.concatenate([small, wide])
    y = np.concatenate(
        [1 + rng.random(500), 1 + 1e-6 * rng.normal(size=500), 10.0 ** rng.uniform(-300, 300, 500)]
    )
    less, logarithm = elementary(x, y)
    with mp.workprec(120):
        truth = [mp.expm1(mp.mpf(v)) for v in x.tolist()], [mp.log(mp.mpf(v)) for v in y.tolist()]
        for found, right, units in ((less, truth[0], 3), (logarithm, truth[1], 2)):
            assert all(
                abs(a - b) <= units * 2.0**-53 * abs(b) for a, b in zip(found.tolist(), right, strict=True)
            )
