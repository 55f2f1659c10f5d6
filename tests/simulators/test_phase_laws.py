"""Critically damped Langevin on phase space: forward laws, exactness, order, and what distances are given."""

import numpy as np
import pytest
from scipy.linalg import expm

from simulators.batch import Batch
from simulators.errors import InputError
from simulators.grids import Grid
from simulators.laws.gaussian import propagate
from simulators.laws.phase import forward_phase, phase_gap, phase_reference

GRID = Grid.uniform(3.0, 30)


def test_the_forward_law_is_that_of_the_linear_sde():
    batch = Batch.lanes("cld-ei", GRID, [0.3], 1, 2.0)
    for t in (0.0, 0.2, 0.7, 3.0):
        flow = expm(t * np.array([[0.0, 1.0], [-1.0, -2.0]]))
        covariance = np.eye(2) + flow @ np.diag([0.3 - 1, 0.0]) @ flow.T
        cov, mean = phase_reference(forward_phase(batch, t))
        np.testing.assert_allclose(
            cov[0, 0], [covariance[0, 0], covariance[0, 1], covariance[1, 1]], rtol=1e-13, atol=1e-15
        )
        np.testing.assert_allclose(mean[0, 0], flow @ [2.0, 0.0], rtol=1e-13, atol=1e-15)


def test_the_limit_is_gamma():
    cov, mean = phase_reference(forward_phase(Batch.lanes("cld-ei", GRID, [0.3], 1, 2.0), "gamma"))
    assert cov[0, 0].tolist() == [1.0, 0.0, 1.0]
    assert mean[0, 0].tolist() == [0.0, 0.0]


def test_the_sampler_is_of_first_order():
    laws = [propagate(Batch.lanes("cld-ei", Grid.uniform(3.0, N), [0.5], start="q_T")) for N in (2000, 4000)]
    velocity = [law.dev_cov[0, 0, 2] for law in laws]
    assert velocity[0] / velocity[1] == pytest.approx(2.0, rel=3e-3)


def test_from_gamma_the_initial_error_remains():
    law = propagate(Batch.lanes("cld-ei", Grid.uniform(0.5, 4000), [0.5], 1, 1.0))
    assert abs(law.dev_mean[0, 0, 0]) > 0.1
    stationary = propagate(Batch.lanes("cld-ei", Grid.uniform(10.0, 10_000), [1.0]))
    assert np.all(np.abs(stationary.dev_cov) < 5e-3)


def test_the_gap_of_a_law_from_itself_is_zero():
    law = forward_phase(Batch.lanes("cld-ei", GRID, [0.3, 4.0], 2, 1.0), "T")
    gap = phase_gap(law, law)
    assert np.all(gap["gap"] == 0)
    assert np.all(gap["gap_err"] == 0)
    assert np.all(gap["diff"] == 0)


def test_gaps_contain_the_difference_and_stay_sharp_near_gamma():
    batch = Batch.lanes("cld-ei", GRID, [0.3], 1, 1.0)
    gap = phase_gap(forward_phase(batch, 20.0), forward_phase(batch, "gamma"))
    decay = np.exp(-40.0)
    expected = -0.7 * decay * np.array([[21.0**2, -21 * 20], [-21 * 20, 20.0**2]])
    np.testing.assert_allclose(gap["gap"][0, 0], expected, rtol=1e-12)
    assert np.all(gap["gap_err"][0, 0] <= 1e-12 * np.abs(expected))
    near = phase_gap(forward_phase(batch, 0.0), forward_phase(batch, 1e-3))
    assert near["cov_q"].shape == (1, 1, 2, 2)
    assert near["multiplicities"].tolist() == [[1.0]]


def test_distances_read_the_gap():
    from simulators.distances.gaussian import kl
    from simulators.distances.plane import pencil_2x2, w2_2x2

    batch = Batch.lanes("cld-ei", Grid.uniform(2.0, 50), [0.4], 3, 1.0, start="q_T")
    output, target = propagate(batch), forward_phase(batch, "target")
    gap = phase_gap(output, target)
    cov_q, diff = gap["cov_q"][0, 0], gap["diff"][0, 0]
    cov_p = cov_q + gap["gap"][0, 0]
    inverse = np.linalg.inv(cov_q)
    textbook = 0.5 * (
        3 * (np.trace(inverse @ cov_p) - 2 - np.log(np.linalg.det(inverse @ cov_p))) + diff @ inverse @ diff
    )
    assert kl(pencil_2x2(**gap)).mid[0] == pytest.approx(textbook, rel=1e-9)
    assert w2_2x2(**gap).mid[0] > 0


def test_a_singular_phase_space_reference_is_refused():
    with pytest.raises(InputError, match="expected > 0, or delta > 0"):
        propagate(Batch.lanes("cld-ei", GRID, [0.0]))
    assert propagate(Batch.lanes("cld-ei", Grid.uniform(2.0, 30, 0.01), [0.0])).time[0] == 0.01


def test_an_overflow_is_unknown_and_not_nan():
    law = propagate(Batch.lanes("cld-ei", Grid.uniform(4000.0, 400), [1e-6], linear=50.0))
    assert np.isinf(law.dev_cov_err).all()
    assert not np.isnan(law.dev_cov).any()
