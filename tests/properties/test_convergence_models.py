"""Models of the convergence catalogue against other computations: linear programs, chains, hand-made
numbers.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.integrate import quad
from scipy.optimize import linprog
from scipy.special import ndtr

import lesssim as ls
from simulators.errors import InputError
from simulators.models import MODELS


def value(model: str, quantity: str, **parameters: float) -> float:
    """The middle of the enclosure."""
    return float(MODELS[model].value(quantity, parameters).mid)


# -- flows through smoothed data -----------------------------------------------------------------------------


def test_the_smallest_regularity_of_two_gaussians() -> None:
    """For N(-3, 1), N(3, 1) the posterior variance of noise of variance 0.8 is 25/9 of it, and no size has
    more; the bound of the paper is 1 + 9.
    """
    shares = [
        1
        + s * value("two-component", "hessian", w=0.5, m1=-3, m2=3, v1=1, v2=1, a_t=1, s_t=math.sqrt(s), x=0)
        for s in (0.4, 0.8, 1.6)
    ]
    assert shares[1] == pytest.approx(25 / 9, rel=1e-12)
    assert shares[1] == max(shares)


def test_one_gaussian_behind_fading_noise_has_half_a_logarithm() -> None:
    """int |V'|/(2 V) over V = v + gamma^2."""
    found = value("exploding-flow", "lipschitz_sum", m1=0, v1=0.5, noise_start=2, noise_end=0.1)
    assert found == pytest.approx(0.5 * math.log(4.5 / 0.51), rel=1e-13)


@pytest.mark.parametrize(
    ("m", "v", "R", "angle"), [(1.0, 0.1, 1.5, 1.4), (0.4, 2.0, 3.0, 1.57), (2.0, 0.05, 9.0, 1.0)]
)
def test_the_preserving_flow_by_finite_differences(m: float, v: float, R: float, angle: float) -> None:
    """The velocity from the posterior mean of X_1, its steepest place among two thousand states and one far
    out.
    """

    def steepest(a: float) -> float:
        b, g = math.sin(a), R * math.cos(a)
        V = b * b * v + g * g
        x = np.concatenate([np.linspace(-4, 4, 2001) * math.sqrt(V), [1e8, 1e8 + 64]])
        mean = m * np.tanh(b * m * x / V)
        data = mean + b * v / V * (x - b * mean)
        velocity = math.cos(a) * data - R * math.sin(a) * (x - b * data) / g
        return float(np.abs(np.diff(velocity) / np.diff(x)).max())

    brute = quad(steepest, 1e-6, angle, limit=200, epsrel=1e-6)[0]
    assert value("preserving-flow", "lipschitz_sum", m1=m, v1=v, R=R, angle=angle) == pytest.approx(
        brute, rel=1e-4
    )


def test_a_shift_of_the_velocity_behind_a_bump() -> None:
    """From the ODE of the mean by Euler's method in a hundred thousand steps."""
    v, top, low, c = 0.3, 1.5, 0.2, 0.7
    t = (np.arange(100_000) + 0.5) / 100_000
    gamma = low + 4 * (top - low) * t * (1 - t)
    rate = (t * v + gamma * 4 * (top - low) * (1 - 2 * t)) / (t * t * v + gamma**2)
    off = 0.0
    for slope in rate:
        off += (slope * off + c) / 100_000
    place = {"d": 1, "v1": v, "noise_start": top, "noise_end": low, "offset": c}
    assert value("bridged-flow", "smoothed_gap", **place) == pytest.approx(off, rel=1e-4)
    both = value("bridged-flow", "data_gap", **{**place, "d": 100})
    spread = math.sqrt(v + low**2) - math.sqrt(v)
    assert both == pytest.approx(math.hypot(off, 10 * spread), rel=1e-4)


def test_the_print_of_the_interpolants_is_short_by_two() -> None:
    """With losses that have a half the right side is half of the KL; without, both are equal (diff -> oo)."""
    place = {"diff": 20.0, "offset": 1.0, "score_share": 1.0}
    kl, db, ds = (
        value("interpolant", name, **place) for name in ("interpolant_kl", "drift_error", "score_error")
    )
    errors = db / (2 * 20) + 20 / 2 * ds
    assert kl / errors == pytest.approx(1 - math.exp(-40), rel=1e-12)
    assert kl / (errors / 2) == pytest.approx(2.0, rel=1e-12)


# -- early stopping ------------------------------------------------------------------------------------------

NOISED = (
    {"lag": 0.3, "w": 0.3, "m1": -1.0, "m2": 1.5},
    {"lag": 1.0, "w": 0.5, "m1": -3.0, "m2": 3.0},
    {"lag": 2.0, "w": 0.1, "m1": -0.5, "m2": 2.9},
)


def masses(place: dict[str, float], cells: int) -> tuple[Any, Any]:
    """Cells of the line with the noised masses less the atoms; both atoms are among the places."""
    fade = math.exp(-place["lag"])
    sigma = math.sqrt(1 - fade**2)
    x = np.unique(np.r_[np.linspace(-8, 8, cells), place["m1"], place["m2"]])
    ends = np.r_[-np.inf, (x[1:] + x[:-1]) / 2, np.inf]
    below = place["w"] * ndtr((ends - fade * place["m1"]) / sigma)
    below += (1 - place["w"]) * ndtr((ends - fade * place["m2"]) / sigma)
    mass = np.diff(below)
    mass[np.searchsorted(x, place["m1"])] -= place["w"]
    mass[np.searchsorted(x, place["m2"])] -= 1 - place["w"]
    return x, mass


@pytest.mark.parametrize("place", NOISED)
def test_the_bounded_lipschitz_distance_is_that_of_a_linear_program(place: dict[str, float]) -> None:
    """Over functions with |f| <= 1 and slopes below one on cells of 1/50, whose widths the distance may
    miss.
    """
    x, mass = masses(place, 801)
    n = len(x)
    rise = sparse.diags([-np.ones(n - 1), np.ones(n - 1)], [0, 1], shape=(n - 1, n))
    limits = np.r_[np.diff(x), np.diff(x)]
    program = linprog(-mass, A_ub=sparse.vstack([rise, -rise]), b_ub=limits, bounds=(-1, 1), method="highs")
    assert value("stopped-atoms", "stopped_bl", **place) == pytest.approx(-program.fun, abs=1e-3)


@pytest.mark.parametrize("place", NOISED)
def test_every_test_function_is_below_the_bounded_lipschitz_distance(place: dict[str, float]) -> None:
    """The distance to the atoms, cut at two, among others; and W1 is above."""
    x, mass = masses(place, 20_001)
    distance = value("stopped-atoms", "stopped_bl", **place)
    near = np.minimum(np.minimum(np.abs(x - place["m1"]), np.abs(x - place["m2"])), 2.0) - 1.0
    for f in (near, np.clip(x, -1, 1), np.cos(x), np.clip(np.abs(x - 0.3), 0, 2) - 1):
        assert float(f @ mass) <= distance + 1e-3
    assert distance <= value("stopped-atoms", "stopped_w1", **place)


# -- averages, frozen functions, matched covariances ---------------------------------------------------------


def test_the_average_of_one_law_is_that_law() -> None:
    place = {"N": 1, "stride": 0.3, "d": 1, "m1": 0.7, "v1": 0.4, "v2": 0.0}
    kl = ((2 * 0.3) - 1 - math.log(0.6) + 0.49 * 0.49 / 0.4) / 2
    for name in ("mean_kl", "averaged_kl"):
        assert value("langevin-average", name, **place) == pytest.approx(kl, rel=1e-12)


def test_the_entropy_of_an_average_by_adaptive_quadrature() -> None:
    laws, mean, variance = [], 2.0, 0.0
    for _ in range(5):
        mean, variance = 0.8 * mean, 0.64 * variance + 0.4
        laws.append((mean, variance))

    def integrand(x: float) -> float:
        p = sum(math.exp(-((x - m) ** 2) / (2 * w)) / math.sqrt(2 * math.pi * w) for m, w in laws) / 5
        return p * (math.log(p) + x * x / 2 + math.log(2 * math.pi) / 2)

    brute = quad(integrand, -6, 8, epsabs=1e-12, limit=200)[0]
    place = {"N": 5, "stride": 0.2, "d": 1, "m1": 2.0, "v1": 1.0, "v2": 0.0}
    assert value("langevin-average", "averaged_kl", **place) == pytest.approx(brute, abs=1e-10)


def test_the_frozen_score_is_that_of_the_exponential_integrator() -> None:
    """The path entropy of the sampler on the same grid and the same law, by another engine."""
    place = {"N": 6, "T": 2.0, "t_end": 0.05, "rank": 2, "empty": 3, "v1": 1.7}
    ends = [-math.log(math.expm1(2 * t)) for t in (place["T"], place["t_end"])]
    times = [0.5 * math.log1p(math.exp(-u)) for u in np.linspace(*ends, 7)]
    law = ls.Gaussian((1.7, 0.0), (2, 3), (0.0, 0.0))
    grid = (2.0, *times[1:-1], 0.05)
    case = ls.Case(law, "unit", "ddpm-ei", grid=grid, start="q_T")
    measured = float(case.measure("PathKL(q_delta, output)").mid)
    assert value("frozen-denoiser", "score_path", **place) == pytest.approx(measured, rel=1e-10)


def test_a_frozen_denoiser_is_exact_where_the_data_are_a_point() -> None:
    place = {"N": 3, "T": 2.0, "t_end": 0.01, "rank": 400, "empty": 1, "v1": 0.0}
    assert value("frozen-denoiser", "denoiser_path", **place) == 0.0
    assert value("frozen-denoiser", "score_path", **place) > 400


def test_matched_covariances_on_a_point_are_the_second_coefficients() -> None:
    place = {"N": 50, "rate0": 2.0, "rate1": 4.0, "d": 7, "m1": 0.5, "v1": 0.0, "offset": 0.3}
    for start in ("", "_own"):
        matched, adapted = (
            value("noise-schedule", f"{name}_kl{start}", **place) for name in ("matched", "adapted")
        )
        assert matched == pytest.approx(adapted, rel=1e-10)


def test_a_shifted_drift_has_the_same_error_under_every_moment() -> None:
    """Stationary: KL = v^2 c^2/(2 v), of the bound 2 v c^2 a quarter."""
    place = {"lag": 20.0, "v1": 0.5, "slope": 0.0, "offset": 0.8, "m1": 0.0, "v2": 0.5}
    assert value("inexact-langevin", "exponential_error", **place) == pytest.approx(0.64, rel=1e-12)
    assert value("inexact-langevin", "inexact_kl", **place) == pytest.approx(0.25 * 0.64, rel=1e-10)


@pytest.mark.parametrize(
    ("model", "place"),
    [
        ("exploding-flow", {"m1": 1.0, "v1": 0.0, "noise_start": 1.0, "noise_end": 0.1}),
        ("preserving-flow", {"m1": 2.0, "v1": 0.5, "R": 2.0, "angle": 1.0}),
        ("langevin-average", {"N": 2, "stride": 1.5, "d": 1, "m1": 0.0, "v1": 1.0, "v2": 1.0}),
        ("inexact-langevin", {"lag": 1.0, "v1": 1.0, "slope": 0.8, "offset": 0.1, "m1": 0.0, "v2": 1.0}),
    ],
)
def test_what_a_model_does_not_admit_is_refused(model: str, place: dict[str, float]) -> None:
    with pytest.raises(InputError, match="admits"):
        MODELS[model].value(MODELS[model].quantities[0], place)
