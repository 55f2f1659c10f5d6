"""Populations: chosen rows keep what has been built of them, and drawn rows have a value."""

import numpy as np
import pytest

from bounds.catalogue import CATALOGUE
from properties.assess import assess
from properties.evaluate import FLOATS, evaluate
from properties.measures import Measures
from properties.population import Population
from properties.search import consistent
from properties.space import draw, space_of


def claim_of(key):
    return next(claim for claim in CATALOGUE if claim.key == key)


@pytest.mark.parametrize(
    "key",
    ["chen-2023-sampling/explicit", "benton-2024/theorem-1-corrected", "chen-2023-probability-flow/dpum"],
)
def test_chosen_rows_are_measured_as_if_they_were_alone(key):
    claim = claim_of(key)
    space = space_of(claim)
    whole = consistent(space, draw(space, np.random.default_rng(3), 12, 5))
    rows = np.random.default_rng(4).permutation(len(whole))[:17]
    alone = whole.take(rows)
    assert len(whole) == whole.batch.C  # builds what `take` then narrows
    assert len(whole.own_grids) >= 1
    chosen = whole.take(rows)
    assert "batch" in vars(chosen)
    assert "batch" not in vars(alone)
    assert len(chosen.batch.settings) == len(alone.batch.settings)
    first, second = assess(claim, chosen), assess(claim, alone)
    assert len(first) == len(second) > 0
    for one, two in ((first.lhs, second.lhs), (first.rhs, second.rhs)):
        assert np.array_equal(one.lo, two.lo)
        assert np.array_equal(one.hi, two.hi)
    steps = [Measures(claim, population)._largest_step() for population in (chosen, alone)]
    assert np.array_equal(steps[0].hi, steps[1].hi)


def test_a_row_given_as_a_case_keeps_its_grid():
    claim = claim_of("chen-2023-sampling/explicit")
    space = space_of(claim)
    drawn = draw(space, np.random.default_rng(0), 1, 2)
    case = drawn.case(0)
    uneven = type(case).from_dict({**case.to_dict(), "grid": [2.0, 0.5, 0.0], "T": 2.0, "N": 2, "delta": 0.0})
    population = Population.of([case, uneven], claim.setup, list(space.parameters))
    assert population.batch.C == 2
    taken = population.take([1])
    assert taken.batch.settings[0].grid.times.tolist() == [2.0, 0.5, 0.0]


@pytest.mark.parametrize("key", ["song-2021/likelihood", "song-2021/path", "chen-lee-lu-2023/smooth-data"])
def test_drawn_rows_have_a_value_and_padding_no_error(key):
    claim = claim_of(key)
    space = space_of(claim)
    drawn = consistent(space, draw(space, np.random.default_rng(1), 40, 20))
    padding = drawn.multiplicities == 0
    assert padding.any()
    assert not drawn.shift[padding].any()
    assert not drawn.means[padding].any()
    measures = Measures(claim, drawn)
    with np.errstate(all="ignore"):
        for side in (claim.lhs, claim.rhs):
            assert not np.isnan(evaluate(side, measures, FLOATS).lo).any()


@pytest.mark.parametrize("key", ["w2-explicit/ddpm-ei", "path-identities/frozen-score-error"])
def test_a_recursion_takes_cases_with_different_numbers_of_steps_together(key):
    """As if each case were alone."""
    claim = claim_of(key)
    space = space_of(claim)
    whole = consistent(space, draw(space, np.random.default_rng(5), 6, 3))
    assert len(np.unique(whole.N)) > 2
    together = assess(claim, whole)
    order = np.argsort(whole.N, kind="stable")
    alone = [part for i in order if len(part := assess(claim, whole.take([i])))]
    assert len(together) == len(alone) > 4
    for side in ("lhs", "rhs"):
        whole_side = getattr(together, side)
        assert np.array_equal(whole_side.lo, [getattr(part, side).lo[0] for part in alone])
        assert np.array_equal(whole_side.hi, [getattr(part, side).hi[0] for part in alone])
