"""Output laws: known closed forms, invariances, accuracy at N = 1e4, instability, singular targets."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.batch import Batch, SingleCase
from simulators.grids import Grid
from simulators.laws.gaussian import forward_law, propagate
from simulators.laws.second import second_forward, second_output
from simulators.score_errors import AffineError
from simulators.targets import Gaussian

REVERSE = ["ddpm-ei", "ddpm-em", "cds-ei", "pf-ei", "pf-heun"]
ALL = [*REVERSE, "lmc", "ulmc", "dpum", "dpom"]
BLOCKS = {"L": 2.0, "corrector_step": 0.1}


def options(sampler):
    return BLOCKS if sampler in ("dpum", "dpom") else {}


def kl(law, i=0):
    """KL(output || reference) of one lane, by series where the deviation is small."""
    with mp.workdps(40):
        delta, lam, dev, time = (
            mp.mpf(float(a)) for a in (law.rel[i, 0], law.eigenvalues[i, 0], law.dev[i, 0], law.time[i])
        )
        S = 1 + (lam - 1) * mp.exp(-2 * time)
        return (delta - mp.log1p(delta)) / 2 + dev**2 / (2 * S)


def kl_second(case, reference):
    with mp.workdps(50):
        p, q = second_output(case), second_forward(case, reference)
        ratio = p.variances[0] / q.variances[0]
        return (ratio - 1 - mp.log(ratio) + (p.means[0] - q.means[0]) ** 2 / q.variances[0]) / 2


@pytest.mark.parametrize("sampler", ["ddpm-ei", "ddpm-em", "cds-ei"])
@pytest.mark.parametrize(("lam", "m"), [(0.2, 0.0), (1e-3, 0.0), (40.0, 3.0), (1.5, -0.2)])
def test_kl_keeps_twelve_digits_at_ten_thousand_steps(sampler, lam, m):
    case = SingleCase(Gaussian((lam,), (1,), (m,)), sampler, Grid.uniform(12.0, 10_000))
    value, truth = kl(propagate(Batch.of([case]))), kl_second(case, "target")
    assert abs(value / truth - 1) < 1e-12


def test_kl_of_a_billionth_keeps_twelve_digits():
    case = SingleCase(Gaussian((1.5,), (1,), (0.0,)), "ddpm-em", Grid.uniform(12.0, 10_000))
    truth = kl_second(case, "target")
    assert 1e-10 < truth < 1e-8
    assert abs(kl(propagate(Batch.of([case]))) / truth - 1) < 1e-12


@pytest.mark.parametrize("sampler", ALL)
@pytest.mark.parametrize("start", ["gamma", "q_T", Gaussian((2.0, 0.1), (2, 1), (0.4, 0.0))])
def test_two_roads_to_one_law(sampler, start):
    target = Gaussian((0.4, 3.0), (2, 1), (1.0, -2.0))
    error = AffineError((0.1, -0.2), (0.05, 0.1), (0.3, 1.0, 0.5, 0.2, 0.1, 0.9, 0.7))
    case = SingleCase(target, sampler, Grid.geometric(3.0, 7, 0.01), start, error, options(sampler))
    law, second = propagate(Batch.of([case])), second_output(case)
    np.testing.assert_allclose(law.variance[0], [float(v) for v in second.variances], rtol=4e-15)
    np.testing.assert_allclose(law.mean[0], [float(m) for m in second.means], rtol=4e-14)


def test_ddpm_on_gamma_converges_to_its_fixed_point():
    h = 0.1
    law = propagate(Batch.lanes("ddpm-ei", Grid.uniform(60.0, 600), [1.0]))
    assert law.rel[0, 0] == pytest.approx((np.exp(h) + 1) / (3 - np.exp(h)) - 1, rel=1e-13)


@pytest.mark.parametrize("sampler", ["cds-ei", "pf-ei", "pf-heun"])
def test_samplers_that_are_exact_on_gamma(sampler):
    law = propagate(Batch.lanes(sampler, Grid.uniform(2.0, 9), [1.0]))
    assert (law.rel[0, 0], law.rel_err[0, 0]) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("sampler", "order"), [("ddpm-ei", 1), ("ddpm-em", 1), ("cds-ei", 1), ("pf-ei", 1), ("pf-heun", 2)]
)
def test_measured_order_is_the_stated_order(sampler, order):
    batches = [Batch.lanes(sampler, Grid.uniform(2.0, N), [0.5], 1, 1.0, start="q_T") for N in (2000, 4000)]
    coarse, fine = (propagate(b).rel[0, 0] for b in batches)
    assert np.log2(coarse / fine) == pytest.approx(order, abs=2e-3)


def test_langevin_bias_is_that_of_its_stationary_law():
    h, lam = 0.05, 0.4
    law = propagate(Batch.lanes("lmc", Grid.uniform(100.0, 2000), [lam]))
    assert law.time[0] == 0.0
    assert law.variance[0, 0] == pytest.approx(lam / (1 - h / (2 * lam)), rel=1e-13)


@given(
    st.sampled_from(ALL),
    st.lists(st.floats(1e-4, 1e4), min_size=1, max_size=5),
    st.floats(-10, 10),
    st.floats(-0.3, 0.3),
)
def test_the_fast_kernel_agrees_with_the_certified_one(sampler, lam, m, eta):
    batch = Batch.lanes(sampler, Grid.uniform(3.0, 50), lam, 1, m, linear=eta, options=options(sampler))
    slow, fast = propagate(batch), propagate(batch, certified=False)
    assert np.all(fast.rel_err == 0)
    np.testing.assert_allclose(fast.rel, slow.rel, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(fast.dev, slow.dev, rtol=1e-11, atol=1e-11)


def test_coordinates_are_independent():
    lam, m = np.array([0.3, 1.0, 7.0]), np.array([1.0, -2.0, 0.0])
    together = propagate(Batch.lanes("ddpm-em", Grid.uniform(2.0, 30), lam[None, :], 1, m[None, :]))
    apart = propagate(Batch.lanes("ddpm-em", Grid.uniform(2.0, 30), lam, 1, m))
    np.testing.assert_array_equal(together.rel[0], apart.rel[:, 0])


def test_a_large_batch_is_the_sum_of_its_parts():
    lam = np.geomspace(1e-3, 1e3, 1000)
    whole = propagate(Batch.lanes("cds-ei", Grid.uniform(2.0, 30), lam, 1, 1.0))
    part = propagate(Batch.lanes("cds-ei", Grid.uniform(2.0, 30), lam[700:710], 1, 1.0))
    np.testing.assert_array_equal(whole.rel[700:710], part.rel)


# -- instability and singular targets


def test_an_unstable_chain_is_huge_and_never_falsely_finite():
    case = SingleCase(Gaussian((1e-6,), (1,), (1.0,)), "lmc", Grid.uniform(1000.0, 1000))
    law = propagate(Batch.of([case]))
    with np.errstate(over="ignore"):
        low, high = law.rel - law.rel_err, law.rel + law.rel_err
        assert np.isinf(np.abs(law.dev) + law.dev_err)[0, 0]
    assert low[0, 0] > 1e305  # the truth is about 1e12000
    assert np.isinf(high[0, 0])
    assert propagate(Batch.of([case]), certified=False).rel[0, 0] == law.rel[0, 0]


def test_a_chain_that_leaves_the_range_of_doubles_and_returns():
    """Steps of length 1 multiply the variance by (1/lam)^2 = 2^60 each, those of length lam/2 by 1/4."""
    lam = 2.0**-30
    steps = [lam / 2] * 1600 + [1.0] * 50
    grid = Grid.from_times([sum(steps[:k]) for k in range(len(steps), -1, -1)])
    case = SingleCase(Gaussian((lam,), (1,), (0.5,)), "lmc", grid)
    law, second = propagate(Batch.of([case])), second_output(case)
    assert law.variance[0, 0] == pytest.approx(float(second.variances[0]), rel=1e-14)
    assert 0 < law.rel_err[0, 0] < 1e-9 * law.rel[0, 0]
    assert law.mean[0, 0] == pytest.approx(float(second.means[0]), rel=1e-14)


@pytest.mark.parametrize("sampler", ALL)
def test_nothing_is_ever_nan(sampler):
    lam = np.array([1e-12, 1e-6, 1.0, 1e6, 1e12])
    for h in (1e-3, 0.5, 2.0, 20.0):
        batch = Batch.lanes(
            sampler, Grid.uniform(200 * h, 200), lam, 1, 1e6, shift=1e3, linear=5.0, options=options(sampler)
        )
        law = propagate(batch)
        for array in (law.rel, law.rel_err, law.dev, law.dev_err):
            assert not np.any(np.isnan(array))
        with np.errstate(over="ignore"):
            assert np.all(law.rel + law.rel_err >= -1)


def test_a_dirac_is_measured_from_the_last_time_with_a_density():
    grid = Grid.uniform(1.0, 4)
    case = SingleCase(Gaussian((0.0, 2.0), (1, 1), (0.5, 1.0)), "ddpm-ei", grid)
    law, second = propagate(Batch.of([case])), second_output(case)
    assert law.time[0] == 0.25
    np.testing.assert_allclose(law.variance[0], [float(v) for v in second.variances], rtol=1e-14)
    np.testing.assert_allclose(law.mean[0], [float(m) for m in second.means], rtol=1e-14)


def test_a_dirac_stopped_early_is_an_ordinary_case():
    law = propagate(Batch.lanes("ddpm-ei", Grid.geometric(4.0, 200, 1e-6), [0.0], 1, 0.7))
    assert law.time[0] == 1e-6
    assert 0 < law.rel[0, 0] < 0.2


def test_forward_laws_have_names():
    batch = Batch.lanes("ddpm-ei", Grid.uniform(2.0, 4, 0.5), [3.0], 1, 1.0)
    assert forward_law(batch, "gamma").variance[0, 0] == 1.0
    assert forward_law(batch, "target").variance[0, 0] == 3.0
    assert forward_law(batch, "T").time[0] == 2.0
    assert forward_law(batch, "delta").time[0] == 0.5
    assert forward_law(batch, 1.0).mean[0, 0] == np.exp(-1.0)
