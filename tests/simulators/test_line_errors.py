"""Score errors on the line: closed forms against quadrature, and path KL against double integrals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, stats

from simulators.batch import Batch, SingleCase
from simulators.distances.line import mixture_distance
from simulators.enclosure import Enclosure
from simulators.errors import InputError, NotDefined
from simulators.functionals_paths import path_kl_mixture
from simulators.grids import Grid
from simulators.laws.constants import score_error
from simulators.laws.paths import path_kl
from simulators.line import Affine, Bump, Custom, Mixture, Oscillation, OtherMixture
from simulators.line.errors import averaged_error, line_path_kl, path_error
from simulators.line.outcome import line_case
from simulators.line.problem import Problem
from simulators.mixtures import GaussianMixture
from simulators.score_errors import AVERAGES, AffineError
from simulators.targets import Gaussian

TARGET = Mixture.of([0.4, 0.6], [-1.5, 1.0], [0.2, 0.3])
OTHER = Mixture.of([0.3, 0.7], [-1.4, 1.1], [0.25, 0.3])
GRID = Grid.uniform(2.0, 6)
PARTS = ("squared", "with_score", "with_state")


def score(law, x):
    parts = law.weights * stats.norm.pdf(np.asarray(x)[..., None], law.means, law.sds)
    density = parts.sum(axis=-1)
    return density, (parts * (law.means - np.asarray(x)[..., None]) / law.variances).sum(axis=-1) / density


def logistic(z):
    return 1 / (1 + np.exp(-z))


def quantiles(law, *levels):
    x = np.linspace(-12, 12, 480_001)
    cdf = (law.weights * stats.norm.cdf(x[:, None], law.means, law.sds)).sum(axis=1)
    return np.interp(levels, cdf, x)


def bump(tau, x):
    lo, hi = quantiles(TARGET.at(tau), 0.2, 0.5)
    spread = TARGET.at(tau).spread
    return 0.4 * (logistic((x - lo) / (0.1 * spread)) - logistic((x - hi) / (0.1 * spread)))


ERRORS = {
    "affine": (Affine(0.1, -0.2), lambda tau, x: 0.1 - 0.2 * x),
    "oscillation": (Oscillation(0.2, 5.0, 0.3), lambda tau, x: 0.2 * np.sin(5 * x + 0.3)),
    "constant oscillation": (Oscillation(0.2, 0.0, 0.3), lambda tau, x: 0.2 * np.sin(0.3) + 0 * x),
    "slow oscillation": (Oscillation(0.2, 1e-5), lambda tau, x: 0.2 * np.sin(1e-5 * x)),
    "smooth bump": (Bump(0.4, 0.2, 0.5, edge=0.1), bump),
    "other mixture": (
        OtherMixture(OTHER),
        lambda tau, x: score(OTHER.at(tau), x)[1] - score(TARGET.at(tau), x)[1],
    ),
    "custom": (Custom(lambda tau, x: tau * np.tanh(x)), lambda tau, x: tau * np.tanh(x)),
}


@pytest.mark.parametrize("name", ERRORS)
def test_expectations_are_those_of_quadrature(name):
    error, value = ERRORS[name]
    found = path_error(Problem("ddpm-ei", GRID, TARGET, "gamma", error))
    for k in (0, 5):
        tau = GRID.times[k]
        x = np.linspace(-12, 12, 24_001)  # the trapezoidal rule is exact here
        density, s = score(TARGET.at(tau), x)
        e = value(tau, x)
        for part, factor in zip(PARTS, (e, s, x), strict=True):
            enclosure = found.part(part, 6)[k]
            expected = float((density * e * factor).sum() * 1e-3)
            tolerance = 1e-8 if name == "smooth bump" else 1e-15  # its ends are interpolated above
            assert float(enclosure.mid) == pytest.approx(expected, rel=1e-11, abs=tolerance)
            assert enclosure.width <= 1e-12


@pytest.mark.parametrize(("start", "stop"), [(0.2, 0.5), (0.0, 0.1), (0.9, 1.0), (0.0, 1.0)])
def test_a_bump_with_jumps_has_its_stated_mass(start, stop):
    problem = Problem("ddpm-ei", GRID, TARGET, "gamma", Bump(0.4, start, stop))
    found = path_error(problem)
    for k in (0, 5):
        law, (lo, hi) = TARGET.at(GRID.times[k]), np.clip(problem.errors[k, 3:5], -14, 14)
        assert found.part("squared", 6)[k].contains(0.16 * (stop - start))
        for part, factor in (("with_score", 1), ("with_state", 0)):
            expected = integrate.quad(
                lambda x, factor=factor, law=law: float(
                    score(law, x)[0] * (score(law, x)[1] if factor else x)
                ),
                lo,
                hi,
                points=(0.0,) if lo < 0 < hi else None,
                epsabs=1e-13,
                limit=200,
            )[0]
            assert float(found.part(part, 6)[k].mid) == pytest.approx(0.4 * expected, abs=1e-12)


@pytest.mark.parametrize("error", [Affine(0.2, 0.1), Oscillation(0.3, 2.0), Bump(0.3, 0.1, 0.4)])
def test_a_profile_leaves_steps_out(error):
    full = path_error(Problem("ddpm-ei", GRID, TARGET, "gamma", error))
    late = path_error(Problem("ddpm-ei", GRID, TARGET, "gamma", replace(error, profile="late")))
    half = path_error(Problem("ddpm-ei", GRID, TARGET, "gamma", replace(error, profile=(0.5,) * 6)))
    for part, power in zip(PARTS, (2, 1, 1), strict=True):
        assert np.all(late.part(part, 6).mid[:-1] == 0)
        assert np.allclose(late.part(part, 6).mid[-1], full.part(part, 6).mid[-1], rtol=1e-13)
        assert np.allclose(half.part(part, 6).mid, full.part(part, 6).mid * 0.5**power, rtol=1e-12)


@pytest.mark.parametrize("average", AVERAGES)
def test_averages_are_those_of_gaussian_cases(average):
    case = SingleCase(Gaussian.isotropic(1, 0.5, 0.7), "ddpm-ei", GRID, "gamma", AffineError((0.2,), (0.1,)))
    there = score_error(Batch.of([case]), average)[0]
    problem = Problem("ddpm-ei", GRID, Mixture.of([1.0], [0.7], [0.5]), "gamma", Affine(0.2, 0.1))
    found = averaged_error(problem, average)
    assert found.lo <= there.hi
    assert there.lo <= found.hi
    assert found.width <= 1e-13 * found.mid


@pytest.mark.parametrize("sampler", ["ddpm-ei", "ddpm-em", "cds-ei"])
def test_the_path_kl_of_one_component_is_the_gaussian_one(sampler):
    case = SingleCase(Gaussian.isotropic(1, 0.5, 0.7), sampler, GRID, "gamma", AffineError((0.2,), (0.1,)))
    there = path_kl(Batch.of([case]))[0]
    affine = Custom(lambda tau, x: 0.2 + 0.1 * x)
    for error in (Affine(0.2, 0.1), affine):
        found = line_path_kl(Problem(sampler, GRID, Mixture.of([1.0], [0.7], [0.5]), "gamma", error))
        assert float(found.mid) == pytest.approx(float(there.mid), rel=1e-12)


def girsanov(sampler, target, grid, error):
    """Path KL without its start: the drift differences at both ends of [0, u], by Gauss rules in u and in the
    forward transition from x at tau - u to y at tau.
    """
    z, weights = np.polynomial.hermite_e.hermegauss(40)
    places, lengths = np.polynomial.legendre.leggauss(8)
    x, total = np.linspace(-9, 9, 1201), 0.0
    for tau, h in zip(grid.times[:-1], grid.steps, strict=True):
        for place, length in zip(places, lengths, strict=True):
            u = 0.5 * h * (1 + place)
            density, now = score(target.at(tau - u), x)
            y = np.exp(-u) * x[:, None] + np.sqrt(-np.expm1(-2 * u)) * z
            held = score(target.at(tau), y)[1] + error(tau, y)
            here, was = now[:, None], x[:, None]
            gap = {
                "ddpm-ei": held - here,
                "cds-ei": held + y - here - was,
                "ddpm-em": held - here + 0.5 * (y - was),
            }[sampler]
            inner = (gap**2) @ (weights / weights.sum())
            total += 0.5 * h * length * float((density * inner).sum() * (x[1] - x[0]))
    return total


@pytest.mark.parametrize("sampler", ["ddpm-ei", "ddpm-em", "cds-ei"])
@pytest.mark.parametrize("name", ["oscillation", "other mixture", "custom"])
def test_the_path_kl_is_girsanovs_integral(sampler, name):
    error, value = ERRORS[name]
    target, grid = Mixture.of([0.4, 0.6], [-1.0, 0.8], [0.5, 0.6]), Grid.uniform(1.0, 4)
    if name == "other mixture":
        value = lambda tau, x: score(OTHER.at(tau), x)[1] - score(target.at(tau), x)[1]  # noqa: E731
    found = line_path_kl(Problem(sampler, grid, target, "q_T", error))
    assert float(found.mid) == pytest.approx(girsanov(sampler, target, grid, value), rel=1e-8)


def test_the_path_kl_without_its_cross_term_is_wrong():
    """Planted: E<e, s_k> set to zero."""
    target, grid = Mixture.of([0.4, 0.6], [-1.0, 0.8], [0.5, 0.6]), Grid.uniform(1.0, 4)
    error, value = Affine(0.2, 0.1), lambda tau, x: 0.2 + 0.1 * x
    parts = path_error(Problem("ddpm-ei", grid, target, "q_T", error))
    halved = replace(parts, with_score=np.zeros(4))
    mixture = GaussianMixture((0.4, 0.6), (-1.0, 0.8), (0.5, 0.6))
    truth = girsanov("ddpm-ei", target, grid, value)
    right, wrong = (float(path_kl_mixture(mixture, "ddpm-ei", grid, "q_T", e).mid) for e in (parts, halved))
    assert right == pytest.approx(truth, rel=1e-8)
    assert abs(wrong - truth) > 0.01 * truth


@pytest.mark.parametrize("name", ERRORS)
def test_the_path_kl_is_above_the_kl_of_the_output(name):
    case = line_case(TARGET, "ddpm-ei", GRID, error=ERRORS[name][0])
    assert case.KL("q_delta", "output").hi <= case.path_kl.lo
    exact = line_case(TARGET, "ddpm-ei", GRID)
    assert exact.path_kl.hi < case.path_kl.lo or name == "slow oscillation"


def test_a_start_of_ones_own_adds_its_kl():
    start = Mixture.of([1.0], [0.1], [1.2])
    mine = line_path_kl(Problem("ddpm-ei", GRID, TARGET, start))
    case = line_case(TARGET, "ddpm-ei", GRID, "q_T")
    law = TARGET.at(2.0)
    gap = mixture_distance("KL", (law.weights, law.means, law.variances), ([1.0], [0.1], [1.2]))
    assert float(mine.mid) == pytest.approx(float((case.path_kl + gap).mid), rel=1e-13)


def test_no_error_is_zero():
    found = path_error(Problem("ddpm-ei", GRID, TARGET))
    assert isinstance(found.squared, Enclosure)
    assert not found.squared.hi.any()
    assert float(line_case(TARGET, "ddpm-ei", GRID).score_error("sup").hi) == 0.0


def test_what_has_no_value_is_refused():
    with pytest.raises(NotDefined, match="pf-ei"):
        _ = line_case(TARGET, "pf-ei", GRID).path_kl
    with pytest.raises(InputError, match="average='mean'"):
        averaged_error(Problem("ddpm-ei", GRID, TARGET), "mean")
