"""Lipschitz constants, moments, divergences of the target: against textbook forms at 40 digits."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.batch import Batch
from simulators.errors import InputError
from simulators.grids import Grid
from simulators.laws import constants

GRID = Grid.uniform(1.5, 10, 0.1)
spectra = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=4)


def textbook(lam, n, m):
    lam, m = [mp.mpf(v) for v in lam], [mp.mpf(v) for v in m]
    pairs = list(zip(lam, n, strict=True))
    square = mp.fsum(v * v for v in m)
    steep = [1 / (v * mp.exp(-2 * mp.mpf(t)) + 1 - mp.exp(-2 * mp.mpf(t))) for v in lam for t in (0.1, 1.5)]
    return {
        "lipschitz": max(steep),
        "lipschitz_all": max(1, 1 / min(lam)),
        "second_moment": mp.fsum(k * v for v, k in pairs) + square,
        "mean_squared": square,
        "kl_target_gamma": (mp.fsum(k * (v - 1 - mp.log(v)) for v, k in pairs) + square) / 2,
        "fi_target_gamma": mp.fsum(k * (v - 2 + 1 / v) for v, k in pairs) + square,
        "j_target": mp.fsum(k / v for v, k in pairs),
        "w2_target_gamma": mp.sqrt(mp.fsum(k * (mp.sqrt(v) - 1) ** 2 for v, k in pairs) + square),
    }


@given(spectra, st.integers(1, 100), st.floats(-1e3, 1e3))
def test_constants_contain_the_textbook_value(lam, n, m):
    batch = Batch.lanes("ddpm-ei", GRID, [lam], n, m)
    with mp.workdps(60):
        for name, truth in textbook(lam, [n] * len(lam), [m] * len(lam)).items():
            enclosure = getattr(constants, name)(batch)
            assert enclosure.lo[0] <= truth <= enclosure.hi[0], name
            assert enclosure.width[0] <= 2e-13 * max(truth, mp.mpf(10) ** -290), name


def test_near_gamma_nothing_cancels():
    batch = Batch.lanes("ddpm-ei", GRID, [1 + 1e-9])
    gap = (1 + 1e-9) - 1
    assert constants.kl_target_gamma(batch).mid[0] == pytest.approx(gap**2 / 4, rel=1e-8)
    assert constants.w2_target_gamma(batch).mid[0] == pytest.approx(gap / 2, rel=1e-8)


def test_a_dirac_has_infinite_constants_and_finite_moments():
    batch = Batch.lanes("ddpm-ei", Grid.uniform(1.0, 3), [0.0], 5, 2.0)
    for name in ("lipschitz", "lipschitz_all", "kl_target_gamma", "fi_target_gamma", "j_target"):
        assert getattr(constants, name)(batch).lo[0] == np.inf, name
    assert constants.second_moment(batch).contains(4.0)
    assert constants.w2_target_gamma(batch).contains(3.0)
    stopped = Batch.lanes("ddpm-ei", Grid.uniform(1.0, 3, 0.01), [0.0])
    assert constants.lipschitz(stopped).mid[0] == pytest.approx(-1 / np.expm1(-0.02))


def test_padding_counts_for_nothing():
    lam, n, m = [[0.5, 1.0]], [[2, 0]], [[1.0, 0.0]]
    padded, plain = Batch.lanes("ddpm-ei", GRID, lam, n, m), Batch.lanes("ddpm-ei", GRID, [0.5], 2, 1.0)
    for name in (
        "lipschitz",
        "second_moment",
        "kl_target_gamma",
        "fi_target_gamma",
        "j_target",
        "w2_target_gamma",
    ):
        assert getattr(constants, name)(padded).mid[0] == pytest.approx(
            getattr(constants, name)(plain).mid[0]
        )


def test_langevin_lives_on_the_target():
    assert constants.lipschitz(Batch.lanes("lmc", GRID, [0.25])).contains(4.0)


def test_averages_of_the_score_error():
    grid = Grid.from_times([3.0, 1.0, 0.0])
    batch = Batch.lanes("ddpm-ei", grid, [1.0], 4, 0.0, shift=2.0, linear=0.5, profile=(1.0, 3.0))
    squares = np.array([1.0, 9.0]) * (4.0 + 4 * 0.25)
    expected = {
        "time": squares @ [2, 1] / 3,
        "integral": squares @ [2, 1],
        "sup": squares.max(),
        "steps": squares.mean(),
        "g2-half": squares @ [2, 1],
    }
    for average, value in expected.items():
        assert constants.score_error(batch, average).mid[0] == pytest.approx(value, rel=1e-14)
    with pytest.raises(InputError, match="average='mean'"):
        constants.score_error(batch, "mean")


def test_an_exact_score_has_no_error():
    enclosure = constants.score_error(Batch.lanes("ddpm-ei", GRID, [0.5]), "time")
    assert (enclosure.lo[0], enclosure.hi[0]) == (0.0, 0.0)


@pytest.mark.parametrize("delta", [0.0, 1e-3])
def test_the_velocity_score_of_cld_is_steepest_in_between(delta):
    lam = np.array([1e-4, 0.3, 0.999, 1.0, 5.0])
    enclosure = constants.lipschitz(Batch.lanes("cld-ei", Grid.uniform(5.0, 10, delta), lam))
    tau = np.concatenate([[delta], np.geomspace(1e-6, 1.0, 4001) * (5.0 - delta) + delta])
    w = np.exp(-tau) * np.array([1 + tau, -tau])
    for value, low, high in zip(lam, enclosure.lo, enclosure.hi, strict=True):
        Sigma = np.eye(2)[..., None] + (value - 1) * w[:, None] * w[None]
        rows = np.linalg.inv(np.moveaxis(Sigma, -1, 0))[:, 1]
        sampled = np.linalg.norm(rows, axis=1).max()
        assert low * (1 - 1e-4) <= sampled <= high * (1 + 1e-9)
        assert high <= low * (1 + 1e-4)


def test_the_velocity_score_of_a_dirac_has_no_bound():
    grid = Grid.uniform(5.0, 10)
    assert constants.lipschitz(Batch.lanes("cld-ei", grid, [0.0])).lo[0] == np.inf
