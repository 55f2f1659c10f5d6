"""Targets, score errors, cases and batches: validation, JSON, padding, order."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.batch import Batch, Setting, SingleCase, corrector_of
from simulators.errors import InputError, NotDefined
from simulators.grids import Grid
from simulators.laws.gaussian import forward_law, propagate
from simulators.samplers import SAMPLERS
from simulators.score_errors import PROFILES, AffineError, profile_weights
from simulators.targets import Gaussian

GRID = Grid.uniform(2.0, 5)
finite = st.floats(-1e6, 1e6)


@st.composite
def cases(draw):
    B = draw(st.integers(1, 3))

    def numbers(low, high):
        return tuple(draw(st.floats(low, high)) for _ in range(B))

    counts = tuple(draw(st.integers(1, 9)) for _ in range(B))
    target = Gaussian(numbers(0.0, 1e6), counts, numbers(-1e6, 1e6))
    profile = draw(st.sampled_from([*PROFILES, (0.5, 0.25, 0.0, 1.0, 2.0)]))
    error = draw(st.sampled_from([None, AffineError(numbers(-2, 2), numbers(-2, 2), profile)]))
    start = draw(st.sampled_from(["gamma", "q_T", Gaussian(numbers(0.1, 3), counts, numbers(-1, 1))]))
    sampler = draw(st.sampled_from(["ddpm-ei", "cds-ei", "pf-ei"]))
    return SingleCase(target, sampler, GRID, start, error, {"L": draw(st.floats(1, 10))})


@given(cases())
def test_json_keeps_every_bit_of_a_case(case):
    again = SingleCase.from_dict(json.loads(json.dumps(case.to_dict())))
    assert again == case
    assert hash(again) == hash(case)


@given(st.lists(cases(), min_size=1, max_size=4))
def test_a_batch_keeps_the_order_of_its_cases_and_pads_with_nothing(some):
    same = [SingleCase(c.target, "ddpm-ei", c.grid, "gamma", c.score_error) for c in some]
    law = propagate(Batch.of(same))
    for i, case in enumerate(same):
        alone = propagate(Batch.of([case]))
        B = len(case.target.eigenvalues)
        np.testing.assert_array_equal(law.rel[i, :B], alone.rel[0])
        np.testing.assert_array_equal(law.dev[i, :B], alone.dev[0])
        assert np.all(law.multiplicities[i, B:] == 0)


def test_grids_may_come_in_any_order():
    grids = [Grid.uniform(2.0, 7), GRID, Grid.uniform(2.0, 7), Grid.geometric(3.0, 6, 0.01)]
    some = [SingleCase(Gaussian.isotropic(1, 0.3 + i, 1.0), "cds-ei", g) for i, g in enumerate(grids)]
    batch = Batch.of(some)
    assert len(batch.settings) == 3
    law = propagate(batch)
    for i, case in enumerate(some):
        assert law.rel[i] == propagate(Batch.of([case])).rel[0]
    np.testing.assert_array_equal(batch.horizon, [2.0, 2.0, 2.0, 3.0])
    np.testing.assert_array_equal(law.time, [0.0, 0.0, 0.0, 0.01])


def test_lanes_and_cases_are_two_ways_to_one_batch():
    lam, m = np.array([0.5, 2.0, 30.0]), np.array([0.0, -1.0, 4.0])
    lanes = Batch.lanes("ddpm-em", GRID, lam, 2, m, shift=0.1, linear=0.2, profile="late")
    error = AffineError((0.1,), (0.2,), "late")
    targets = [Gaussian((v,), (2,), (x,)) for v, x in zip(lam.tolist(), m.tolist(), strict=True)]
    listed = Batch.of([SingleCase(t, "ddpm-em", GRID, score_error=error) for t in targets])
    np.testing.assert_array_equal(propagate(lanes).rel, propagate(listed).rel)
    np.testing.assert_array_equal(propagate(lanes).dev, propagate(listed).dev)


def test_profiles():
    assert profile_weights("constant", 3).tolist() == [1.0, 1.0, 1.0]
    assert profile_weights("late", 3).tolist() == [0.0, 0.0, 1.0]
    assert profile_weights("early", 3).tolist() == [1.0, 0.0, 0.0]
    with pytest.raises(InputError, match="expected a profile that is the same"):
        profile_weights("adapted", 3)


def test_an_adapted_shift_is_a_target_learnt_with_a_wrong_mean():
    lam, m, wrong = 0.4, 1.0, 0.3
    case = SingleCase(
        Gaussian((lam,), (1,), (m,)), "ddpm-ei", GRID, "q_T", AffineError((wrong,), (0.0,), "adapted")
    )
    shifted = SingleCase(
        Gaussian((lam,), (1,), (m + wrong,)), "ddpm-ei", GRID, Gaussian((1.0,), (1,), (0.0,))
    )
    start = forward_law(Batch.of([case]), "T")
    given_start = Gaussian((float(start.variance[0, 0]),), (1,), (float(start.mean[0, 0]),))
    moved = SingleCase(shifted.target, "ddpm-ei", GRID, given_start)
    here, there = propagate(Batch.of([case])), propagate(Batch.of([moved]))
    np.testing.assert_allclose(here.mean, there.mean, rtol=1e-13)
    np.testing.assert_allclose(here.variance, there.variance, rtol=1e-13)


def test_correctors_run_at_the_ends_of_blocks():
    options = (("L", 4.0), ("corrector_step", 0.05))
    plan = corrector_of("dpum", Setting(Grid.uniform(1.0, 8), options=options))
    assert plan.after == (1, 3, 5, 7)
    assert (plan.step, plan.count, plan.friction) == (0.05, 10, 2.0)  # time 1/sqrt L = 0.5
    assert corrector_of("dpom", Setting(Grid.uniform(1.0, 8), options=options)).count == 5  # time 1/L
    uneven = corrector_of("dpum", Setting(Grid.uniform(0.9, 9), options=(*options, ("block", 0.4))))
    assert uneven.after == (3, 7, 8)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Gaussian((-1.0,), (1,), (0.0,)), "eigenvalue=-1.0: expected >= 0"),
        (lambda: Gaussian((np.nan,), (1,), (0.0,)), "eigenvalues=nan: expected a finite number"),
        (lambda: Gaussian((1.0,), (0,), (0.0,)), "multiplicities=0: expected an integer >= 1"),
        (lambda: Gaussian((1.0,), (1,), (0.0, 1.0)), "means="),
        (lambda: Gaussian((), (), ()), "expected at least one eigenspace"),
        (lambda: AffineError((0.1,), (0.1, 0.2)), "linear="),
        (lambda: AffineError((0.1,), (0.1,), "sudden"), "profile='sudden': expected one of constant"),
        (lambda: AffineError((0.1,), (0.1,), (-1.0,)), "profile=-1.0: expected weights >= 0"),
        (lambda: SingleCase(Gaussian.dirac(1), "ddpm", GRID), "sampler='ddpm': expected one of ddpm-ei"),
        (lambda: SingleCase(Gaussian.dirac(1), "ddpm-ei", GRID, "prior"), "start='prior'"),
        (lambda: SingleCase(Gaussian.dirac(1), "ddpm-ei", GRID, Gaussian.dirac(2)), "start="),
        (
            lambda: SingleCase(
                Gaussian.dirac(1), "ddpm-ei", GRID, "q_T", AffineError((0.1,), (0.1,), (1.0,))
            ),
            "profile=1: expected N=5 weights",
        ),
        (lambda: SingleCase(Gaussian.dirac(1), "ddpm-ei", GRID, options={"gamma": 1.0}), "options='gamma'"),
        (lambda: SingleCase(Gaussian.dirac(1), "ddpm-ei", GRID, options={"L": -1.0}), "L=-1.0"),
        (lambda: SingleCase(Gaussian.isotropic(1, 1.0), "dpum", GRID), "expected corrector_step for dpum"),
        (lambda: Batch.of([]), "cases="),
        (lambda: Batch.lanes("ddpm-ei", GRID, [-1.0]), "eigenvalues=-1.0: expected numbers >= 0"),
        (lambda: Batch.lanes("ddpm-ei", GRID, [np.inf]), "eigenvalues=inf: expected finite"),
        (lambda: Batch.lanes("ddpm-ei", GRID, [1.0], 0), "multiplicities=0: expected at least one"),
        (lambda: Batch.lanes("ddpm-ei", GRID, [1.0], 1.5), "multiplicities=1.5"),
        (lambda: Batch.lanes("lmc", GRID, [0.0]), "eigenvalue=0.0: expected > 0 for lmc"),
        (
            lambda: propagate(Batch.lanes("pf-heun", GRID, [0.0])),
            "eigenvalue=0.0: expected > 0, or delta > 0",
        ),
        (
            lambda: propagate(Batch.lanes("ddpm-ei", Grid.uniform(800.0, 2), [1.0])),
            "h=400.0: expected reverse",
        ),
    ],
)
def test_bad_input_says_what_was_expected(build, message):
    with pytest.raises(InputError, match=message):
        build()


def test_mixed_samplers_are_refused():
    some = [SingleCase(Gaussian.isotropic(1, 1.0), name, GRID) for name in ("ddpm-ei", "cds-ei")]
    with pytest.raises(InputError, match="expected the same in all cases"):
        Batch.of(some)


@pytest.mark.parametrize("name", ["none", "reverse-sde", "pf-ode", "langevin", "ou-flow"])
def test_samplers_without_steps_have_no_output_here(name):
    with pytest.raises(NotDefined, match="takes no steps"):
        propagate(Batch.lanes(name, GRID, [1.0]))


def test_every_sampler_is_listed_under_its_name():
    assert all(name == sampler.name for name, sampler in SAMPLERS.items())


def test_plain_data_does_not_import_the_compiler():
    code = (
        "import sys, simulators.batch; sys.exit(any(m in sys.modules for m in ('numba', 'flint', 'mpmath')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
