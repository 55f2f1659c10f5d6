"""Score, Hessian and posterior: Tweedie's formulas, finite differences in mpmath, the reference instance."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from mpmath import mp, mpf

from simulators.errors import InputError
from simulators.mixtures import Atoms, GaussianMixture, Product, components
from simulators.posterior import (
    hessian,
    log_density,
    posterior_covariance,
    posterior_mean,
    posterior_third_cumulant,
    responsibilities,
    score,
    third_derivative,
    tweedie_covariance,
    tweedie_mean,
)
from simulators.targets import Gaussian

REFERENCE = GaussianMixture((0.3, 0.7), ((-1.0,), (2.0,)), (0.2, 0.5))
A6 = -log(0.6)  # a = .6, s^2 = .64


def mp_log_density(target, t):
    own = components(target)
    a = mp.exp(-mpf(t))
    rows = [
        (mpf(w), a * mpf(m), a**2 * mpf(v) + 1 - a**2)
        for w, m, v in zip(
            target.weights, own.means[:, 0].tolist(), own.variances[:, 0].tolist(), strict=True
        )
    ]
    total = mp.fsum(w for w, _, _ in rows)
    return lambda x: mp.log(
        mp.fsum(w / total * mp.exp(-((x - m) ** 2) / (2 * v)) / mp.sqrt(2 * mp.pi * v) for w, m, v in rows)
    )


def drawn(rng):
    factors = rng.normal(size=(2, 3, 3))
    full = GaussianMixture(
        (0.4, 0.6), rng.normal(size=(2, 3)), factors @ factors.transpose(0, 2, 1) + np.eye(3) / 9
    )
    return Product((full, Gaussian((2.0, 0.3), (1, 2), (1.0, 0.0)), Atoms.two_point(1.0, 0.3, 2), REFERENCE))


def test_the_reference_instance():
    assert score(REFERENCE, [0.7], A6)[0] == pytest.approx(0.26753, abs=5e-6)
    assert hessian(REFERENCE, [0.7], A6)[0, 0] == pytest.approx(-0.52909, abs=5e-6)


@pytest.mark.parametrize("target", [REFERENCE, Atoms(((-1.0,), (2.0,)), (0.3, 0.7))])
@pytest.mark.parametrize("t", [1e-3, 0.1, A6, 3.0])
def test_derivatives_against_mpmath(target, t):
    with mp.workdps(60):
        for x in (-1.7, -0.9, 0.4, 1.1, 2.3):
            f = mp_log_density(target, t)
            found = (
                log_density(target, [x], t),
                score(target, [x], t)[0],
                hessian(target, [x], t)[0, 0],
                third_derivative(target, [x], t)[0, 0, 0],
            )
            for n, value in enumerate(found):
                truth = float(mp.diff(f, mpf(x), n, h=mpf(10) ** -12)) if n else float(f(mpf(x)))
                assert value == pytest.approx(truth, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_tweedie_in_many_dimensions(seed):
    rng = np.random.default_rng(seed)
    target = drawn(rng)
    x, t = 2 * rng.normal(size=(6, target.dimension)), rng.uniform(0.1, 2, size=6)
    s, bend = score(target, x, t), hessian(target, x, t)
    assert np.allclose(posterior_mean(target, x, t), tweedie_mean(s, x, t), rtol=1e-11, atol=1e-12)
    assert np.allclose(
        posterior_covariance(target, x, t), tweedie_covariance(bend, t), rtol=1e-10, atol=1e-12
    )
    scale = (np.exp(-t) / -np.expm1(-2 * t))[:, None, None, None] ** 3
    third = scale * posterior_third_cumulant(target, x, t)
    assert np.allclose(third_derivative(target, x, t), third, rtol=1e-9, atol=1e-10)


def test_finite_differences_in_many_dimensions():
    rng = np.random.default_rng(7)
    target, step = drawn(rng), 1e-5
    x, t = rng.normal(size=(4, target.dimension)), 0.4
    for low, high, order in ((log_density, score, 1), (score, hessian, 2), (hessian, third_derivative, 3)):
        ends = [
            (low(target, x + e, t) - low(target, x - e, t)) / (2 * step)
            for e in step * np.eye(target.dimension)
        ]
        assert np.allclose(np.stack(ends, axis=-1), high(target, x, t), atol=2e-8), order


@pytest.mark.parametrize("t", [0.05, 0.5, 2.0])
def test_the_hessian_is_bounded_as_tweedie_says(t):
    atoms = Atoms(((-1.0,), (0.2,), (1.0,)), (0.2, 0.3, 0.5), 3)
    x = np.random.default_rng(0).normal(size=(200, 3)) * 2
    noise, a2 = -np.expm1(-2 * t), np.exp(-2 * t)
    ends = np.linalg.eigvalsh(hessian(atoms, x, t))
    assert ends.min() >= -1 / noise * (1 + 1e-12)
    assert ends.max() <= a2 / noise**2 - 1 / noise + 1e-9
    middle = hessian(Atoms.two_point(1.0), [0.0], t)[0, 0]
    assert middle == pytest.approx(a2 / noise**2 - 1 / noise, rel=1e-12)


def test_log_space_far_from_every_component_and_at_small_times():
    assert np.isfinite(log_density(REFERENCE, [1e6], 0.0))
    far = score(Atoms.two_point(1.0), [50.0], 1e-8)[0]
    assert far == pytest.approx(-49 / -np.expm1(-2e-8), rel=1e-6)
    assert responsibilities(Atoms.two_point(), [0.0], 0.3) == pytest.approx([0.5, 0.5])
    assert posterior_mean(REFERENCE, [0.7], 0.0)[0] == pytest.approx(0.7, rel=1e-15)
    assert posterior_covariance(REFERENCE, [0.7], 0.0)[0, 0] == pytest.approx(0.0, abs=1e-30)


def test_many_dimensions_cost_what_they_hold():
    target = GaussianMixture.two(3.0, d=200_000)
    x = np.ones((1, target.dimension))
    assert score(target, x, 0.3).shape == x.shape
    assert score(target, x, 0.3)[0, 7] == pytest.approx(-1.0, rel=1e-12)


def test_the_backward_score_martingale():
    """S_t(x) = e^{t-t'} E[S_t'(X_t') | X_t = x], by Gauss-Hermite over the posterior of X_t'."""
    target, early, late, x = Atoms(((-1.0,), (2.0,)), (0.3, 0.7)), 0.3, 0.8, 0.45
    decay, noise = np.exp(early - late), -np.expm1(2 * (early - late))
    y = np.linspace(-9, 9, 4001)
    weight = np.exp(log_density(target, y[:, None], early) - (x - decay * y) ** 2 / (2 * noise))
    mean = np.sum(weight * score(target, y[:, None], early)[:, 0]) / np.sum(weight)
    assert score(target, [x], late)[0] == pytest.approx(mean / decay, rel=1e-11)


@pytest.mark.parametrize(
    ("x", "t", "name"),
    [([0.0, 1.0], 0.1, "x"), (0.0, 0.1, "x"), ([0.0], -1.0, "t"), ([0.0], np.nan, "t")],
)
def test_bad_points_and_times(x, t, name):
    with pytest.raises(InputError, match=f"^{name}="):
        score(REFERENCE, x, t)


def test_atoms_have_no_density_at_time_zero():
    with pytest.raises(InputError, match=r"^t="):
        score(Atoms.two_point(), [0.0], 0.0)
