"""Time grids: construction, validation, exactness."""

import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.errors import InputError
from simulators.grids import Grid

horizons = st.floats(0.01, 50.0)
counts = st.integers(1, 300)


@st.composite
def grids(draw):
    T, N = draw(horizons), draw(counts)
    delta = T * draw(st.floats(1e-3, 0.9))
    kind = draw(st.sampled_from(["uniform", "geometric", "custom"]))
    if kind == "uniform":
        return Grid.uniform(T, N, draw(st.sampled_from([0.0, delta])))
    if kind == "geometric":
        return Grid.geometric(T, N, delta)
    return Grid.from_times(np.linspace(T, delta, N + 1).tolist())


@given(grids())
def test_times_decrease_from_the_horizon_to_the_stop(grid):
    assert grid.times.shape == (grid.N + 1,)
    assert (grid.times[0], grid.times[-1]) == (grid.T, grid.delta)
    assert np.all(np.diff(grid.times) < 0)
    assert grid.max_step == grid.steps.max()


@given(grids())
def test_exact_times_agree_with_the_floats(grid):
    times = grid.exact_times()
    assert sum(grid.exact_steps(), Fraction(0)) == times[0] - times[-1]
    for exact, rounded in zip(times, grid.times.tolist(), strict=True):
        assert abs(exact - Fraction(rounded)) <= Fraction(grid.time_ulps) * exact / 2**53
    for exact, rounded in zip(grid.exact_steps(), grid.steps.tolist(), strict=True):
        assert abs(exact - Fraction(rounded)) <= 2 * exact / 2**53


@given(grids())
def test_json_keeps_every_bit(grid):
    assert Grid.from_dict(json.loads(json.dumps(grid.to_dict()))) == grid


@given(grids())
def test_kappa_is_the_smallest_constant_of_its_inequality(grid):
    if grid.delta == 0:
        assert grid.kappa == math.inf
        return
    bound = np.minimum(1.0, grid.times[1:])
    assert np.all(grid.steps <= grid.kappa * bound * (1 + 1e-15))
    assert np.any(grid.steps >= grid.kappa * bound * (1 - 1e-15))


def test_geometric_grids_are_uniform_above_one():
    grid = Grid.geometric(5.0, 8, 1e-4)
    assert grid.times[:5].tolist() == [5.0, 4.0, 3.0, 2.0, 1.0]
    np.testing.assert_allclose(grid.times[4:-1] / grid.times[5:], 10.0)
    np.testing.assert_allclose(np.diff(np.log(Grid.geometric(0.5, 4, 1e-3).times)), np.log(2e-3) / 4)
    np.testing.assert_allclose(np.diff(np.log(Grid.geometric(9.0, 4, 2.0).times)), np.log(2 / 9) / 4)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Grid.uniform(-1.0, 3), r"T=-1.0: expected a finite horizon > 0"),
        (lambda: Grid.uniform(math.nan, 3), r"T=nan: "),
        (lambda: Grid.uniform(math.inf, 3), r"T=inf: "),
        (lambda: Grid.uniform(1.0, 0), r"N=0: expected an integer >= 1"),
        (lambda: Grid.uniform(1.0, 2.5), r"N=2.5: "),
        (lambda: Grid.uniform(1.0, True), r"N=True: "),
        (lambda: Grid.uniform(1.0, 3, -0.1), r"delta=-0.1: expected a finite stopping time >= 0"),
        (lambda: Grid.uniform(1.0, 3, 1.0), r"delta=1.0: expected delta < T=1.0"),
        (lambda: Grid.geometric(1.0, 3, 0.0), r"delta=0.0: expected delta > 0 on a geometric grid"),
        (lambda: Grid.from_times([1.0]), r"times=\(1.0,\): expected at least two times"),
        (lambda: Grid.from_times([1.0, 0.5, 0.5]), r"times=\[0.5, 0.5\]: expected strictly decreasing"),
        (lambda: Grid.from_times([0.5, 1.0]), r"expected delta < T"),
        (lambda: Grid.from_times([1.0, math.nan, 0.0]), r"times=nan: expected finite times"),
        (lambda: Grid("spiral", 1.0, 3), r"kind='spiral': expected one of uniform"),
    ],
)
def test_bad_grids_say_what_was_expected(build, message):
    with pytest.raises(InputError, match=message):
        build()


@pytest.mark.parametrize(
    "grid",
    [
        Grid.uniform(1.7, 9, 0.1),
        Grid.geometric(3.0, 50, 1e-6),
        Grid.from_times([2.0, 0.3, 0.0]),
        Grid.from_times([2.0, 5e-324, 0.0]),
    ],
)
def test_half_the_times(grid):
    if grid.times[-2] < 1e-300:  # half of the least number is zero
        with pytest.raises(InputError, match="strictly decreasing"):
            grid.halved()
        return
    other = Grid.from_times(0.5 * grid.times) if grid.kind != "uniform" else Grid.uniform(0.85, 9, 0.05)
    assert grid.halved() == other
    assert hash(grid.halved()) == hash(other)
    assert np.array_equal(grid.halved().times, other.times)
