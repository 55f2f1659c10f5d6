"""Total variation of products: Gaussians in closed form, one factor, lines against planes, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import lesssim as ls
from simulators.distances.contour import tv
from simulators.distances.products import Lanes, Ratio, product_tv
from simulators.distances.ratios import outcome_ratios
from simulators.distances.relation import Relation
from simulators.errors import InputError
from simulators.grids import Grid
from simulators.line.outcome import line_case
from simulators.mixtures import GaussianMixture
from simulators.plane.outcome import plane_case

FIRST = GaussianMixture((0.3, 0.7), ((-1.0,), (1.5,)), 0.3)
SECOND = GaussianMixture((0.6, 0.4), ((-0.5,), (1.0,)), 0.3)
GRID = Grid.uniform(2.5, 10)


def overlap(a, b):
    return bool(a.lo <= b.hi and b.lo <= a.hi)


@pytest.mark.parametrize(
    ("n", "rho", "quad"), [(1, 0.0, 4.0), (10, 0.1, 0.3), (1000, 1e-4, 0.0), (1, 0.0, 1e-8)]
)
def test_gaussian_factors_equal_the_contour_integral(n, rho, quad):
    found = product_tv([], Lanes.of([n], [rho], [quad]))
    exact = tv(Relation.lanes(np.array([[rho]]), 0.0, np.array([[quad]]), 0.0, np.array([[n]])))
    assert overlap(found, exact[0])
    assert found.width < 1e-4 * found.mid


def test_a_gaussian_may_be_given_by_its_nodes():
    x = np.linspace(-14.0, 14.0, 20001)
    weights = stats.norm.pdf(x) * (x[1] - x[0])
    nodes = Ratio(weights, 0.5 * x - 0.125)
    mixed = product_tv([((nodes, nodes), 3)], Lanes.of([2], [0.3], [0.1]))
    closed = product_tv([], Lanes.of([3, 2], [0.0, 0.3], [0.75, 0.1]))
    assert overlap(mixed, closed)
    assert not overlap(product_tv([((nodes, nodes), 2)], Lanes.of([2], [0.3], [0.1])), closed)


def test_lines_and_the_plane_of_their_product_agree():
    lines = [line_case(factor, "ddpm-ei", GRID) for factor in (FIRST, SECOND)]
    found = product_tv([(outcome_ratios(line, "output", "target"), 1) for line in lines])
    square = GaussianMixture(
        [v * w for v in FIRST.weights for w in SECOND.weights],
        [(x[0], y[0]) for x in FIRST.means for y in SECOND.means],
        0.3,
    )
    assert overlap(found, plane_case(square, "ddpm-ei", GRID).distance("TV", "target", "output"))
    assert found.width < 2e-3 * found.mid


def test_cases_are_measured_with_their_reduction_stated():
    three = GaussianMixture((0.3, 0.3, 0.4), ((0.0, 0.0), (2.0, 0.0), (0.5, 1.5)), 0.3, 50)
    case = ls.Case(three, clock="unit", sampler="ddpm-ei", T=2.0, N=8)
    kl, distance = case.measure("KL(target, output)"), case.measure("TV(target, output)")
    assert "plane through 3 means, 48 orthogonal axes exactly Gaussian" in kl.method
    assert kl.level == distance.level == "deterministic"
    assert distance.hi <= np.sqrt(kl.hi / 2)
    assert distance.width < 1e-4  # what the cut may leave
    rings = GaussianMixture((0.4, 0.6), ((0.0,), (0.0,)), (0.3, 2.0), 100)
    found = ls.Case(rings, clock="unit", sampler="ddpm-ei", T=2.0, N=4).measure("KL(output, target)")
    assert "concentric" in found.method
    assert found.width < 1e-6 * found.mid


def test_bad_input_is_named():
    with pytest.raises(InputError, match="factors"):
        product_tv([])
    with pytest.raises(InputError, match="rho"):
        Lanes.of([1], [-1.0], [0.0])
    with pytest.raises(InputError, match="values"):
        Ratio(np.array([0.5, 0.5]), np.array([0.1, 0.2]))
