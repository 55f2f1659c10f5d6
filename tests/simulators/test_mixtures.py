"""Mixtures, atoms and products: moments, forward laws, reductions, JSON, refusals."""

from __future__ import annotations

import json
from math import exp, inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.errors import InputError
from simulators.mixtures import (
    Atoms,
    GaussianMixture,
    NotReducible,
    Product,
    blocks,
    components,
    target_from_dict,
)
from simulators.reductions import Core
from simulators.targets import Gaussian

REFERENCE = GaussianMixture((0.3, 0.7), ((-1.0,), (2.0,)), (0.2, 0.5))
FULL = GaussianMixture(
    (0.4, 0.6), ((0.0, 1.0), (2.0, -1.0)), (((2.0, 0.3), (0.3, 1.0)), ((1.0, -0.2), (-0.2, 0.5)))
)


def test_moments_of_the_reference_instance():
    assert REFERENCE.mean == pytest.approx((1.1,), rel=1e-15)
    assert REFERENCE.second_moment == pytest.approx(0.3 * 1.2 + 0.7 * 4.5, rel=1e-15)
    assert REFERENCE.covariance_trace == pytest.approx(REFERENCE.second_moment - 1.21, rel=1e-14)


def test_moments_in_many_dimensions():
    wide = GaussianMixture.two(3.0, 0.25, 2.0, d=100_000)
    assert wide.covariance_trace == pytest.approx(2e5 + 9 * 0.25 * 0.75, rel=1e-15)
    assert FULL.covariance_trace == pytest.approx(0.4 * 3 + 0.6 * 1.5 + 0.24 * 8, rel=1e-14)
    law = Product((wide, Gaussian((0.0, 2.0), (1, 2), (3.0, 0.0)), Atoms.two_point(2.0, 0.1, 5)))
    assert law.dimension == 100_008
    assert law.second_moment == pytest.approx(wide.second_moment + 9 + 4 + 4, rel=1e-15)
    assert len(law.mean) == law.dimension


@pytest.mark.parametrize("target", [REFERENCE, FULL, Atoms(((1.0, 0.0), (0.0, 2.0)), None, 4)])
def test_the_forward_law_composes_and_shrinks_the_moments(target):
    t, a = 0.7, exp(-0.7)
    moved = target.at(t)
    assert moved.second_moment == pytest.approx(
        a * a * target.second_moment + target.dimension * (1 - a * a), rel=1e-14
    )
    assert moved.mean == pytest.approx(tuple(a * x for x in target.mean), rel=1e-14)
    once, twice = target.at(0.9), moved.at(0.2)
    assert np.allclose(np.array(once.means), np.array(twice.means), rtol=1e-14)
    assert np.allclose(np.array(once.covariances), np.array(twice.covariances), rtol=1e-14)
    assert target.at(inf).covariance_trace == target.dimension


@pytest.mark.parametrize(
    "target",
    [
        REFERENCE,
        FULL,
        GaussianMixture((0.1, 0.9), ((0.1,), (0.7,)), 0.3, 7),
        GaussianMixture((0.5, 0.5), ((0.1, 1 / 3), (0.7, 0.0)), ((1.0, 2.0), (3.0, 0.1))),
        Atoms(((1 / 3,), (-0.1,)), (0.2, 0.8), 2),
        Product((REFERENCE, Gaussian.isotropic(2, 0.1), Atoms.two_point())),
    ],
)
def test_json_keeps_every_bit(target):
    again = target_from_dict(json.loads(json.dumps(target.to_dict())))
    assert again == target
    assert hash(again) == hash(target)


def test_weights_are_kept_and_the_law_normalises_them():
    third = GaussianMixture((1 / 3, 1 / 3, 1 / 3), ((0.0,), (1.0,), (2.0,)), 1.0)
    assert third.weights == (1 / 3,) * 3
    assert components(third).weights.sum() == pytest.approx(1, abs=1e-16)


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (lambda: GaussianMixture((0.5, 0.4), ((0.0,), (1.0,)), 1.0), "weights"),
        (lambda: GaussianMixture((1.5, -0.5), ((0.0,), (1.0,)), 1.0), "weights"),
        (lambda: GaussianMixture((1.0,), ((0.0,), (1.0,)), 1.0), "weights"),
        (lambda: GaussianMixture((nan, 1.0), ((0.0,), (1.0,)), 1.0), "weights"),
        (lambda: GaussianMixture((0.5, 0.5), ((nan,), (1.0,)), 1.0), "means"),
        (lambda: GaussianMixture((0.5, 0.5), ((0.0,), (1.0, 2.0)), 1.0), "means"),
        (lambda: GaussianMixture((), (), 1.0), "means"),
        (lambda: GaussianMixture((1.0,), (("a",),), 1.0), "means"),
        (lambda: GaussianMixture((0.5, 0.5), ((0.0,), (1.0,)), 0.0), "covariances"),
        (lambda: GaussianMixture((0.5, 0.5), ((0.0,), (1.0,)), (1.0, -1.0)), "covariances"),
        (lambda: GaussianMixture((0.5, 0.5), ((0.0,), (1.0,)), (1.0, nan)), "covariances"),
        (lambda: GaussianMixture((0.5, 0.5), ((0.0,), (1.0,)), (1.0, 1.0, 1.0)), "covariances"),
        (lambda: GaussianMixture((0.5, 0.5), ((0.0,), (1.0,)), (1.0, (1.0, 2.0))), "covariances"),
        (lambda: GaussianMixture((1.0,), ((0.0, 0.0),), (((1.0, 2.0), (2.0, 1.0)),)), "covariances"),
        (lambda: GaussianMixture((1.0,), ((0.0, 0.0),), (((1.0, 0.1), (0.2, 1.0)),)), "covariances"),
        (lambda: GaussianMixture((1.0,), ((0.0, 0.0),), ((1.0, 2.0),), 3), "covariances"),
        (lambda: GaussianMixture((1.0,), ((0.0, 0.0),), 1.0, 1), "dimension"),
        (lambda: Atoms(((0.0,), (0.0,))), "points"),
        (lambda: Atoms(((0.0,), (1.0,)), (0.3, 0.3)), "weights"),
        (lambda: Atoms.two_point().at(0.0), "t"),
        (lambda: REFERENCE.at(-1.0), "t"),
        (lambda: REFERENCE.at(nan), "t"),
        (lambda: Product(()), "factors"),
        (lambda: Product((3,)), "factors"),
        (lambda: target_from_dict({"kind": "cauchy"}), "kind"),
    ],
)
def test_bad_input_names_the_value_and_what_was_expected(build, name):
    with pytest.raises(InputError, match=f"^{name}=.*expected"):
        build()


# -- reductions --------------------------------------------------------------------------------------------


def test_shared_isotropic_covariance_reduces_to_the_span_of_the_means():
    law = GaussianMixture((0.2, 0.8), ((1.0, 2.0, 3.0), (4.0, 6.0, 3.0)), 0.7, 1000).reduce()
    (core,), rest = law.cores, law.complement
    assert core.kind == "line"
    assert core.mixture.means[1][0] - core.mixture.means[0][0] == pytest.approx(5.0, rel=1e-15)
    assert rest.dimension == 999
    assert "999 orthogonal axes exactly Gaussian" in law.text
    total = core.mixture.second_moment + rest.means[0] ** 2 + 999 * 0.7
    exact = GaussianMixture((0.2, 0.8), ((1.0, 2.0, 3.0), (4.0, 6.0, 3.0)), 0.7, 1000).second_moment
    assert total == pytest.approx(exact, rel=1e-14)


def test_an_axis_aligned_pair_keeps_its_means_to_the_bit():
    (core,) = GaussianMixture.two(3.3, 0.4, 0.1, d=50).reduce().cores
    assert sorted(abs(m[0]) for m in core.mixture.means) == [1.65, 1.65]


def test_shared_diagonal_and_full_covariances_split_off_the_axes_on_which_components_agree():
    diagonal = GaussianMixture((0.5, 0.5), ((0.0, 1.0), (4.0, 1.0)), ((1.0, 2.0), (1.0, 2.0))).reduce()
    assert diagonal.cores[0].kind == "line"
    assert diagonal.complement == Gaussian((2.0,), (1,), (1.0,))
    c, s = np.cos(0.3), np.sin(0.3)
    turn = np.array([[c, -s], [s, c]])
    full = (turn @ np.diag([1.0, 2.0]) @ turn.T).tolist()
    turned = GaussianMixture((0.5, 0.5), [turn @ [0, 1], turn @ [4, 1]], [full, full]).reduce()
    assert turned.cores[0].kind == "line"
    assert np.ptp(np.array(turned.cores[0].mixture.means)) == pytest.approx(4.0, rel=1e-12)
    assert turned.complement.eigenvalues[0] == pytest.approx(2.0, rel=1e-12)


def test_three_means_make_a_plane_and_collinear_ones_a_line():
    corner = ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 2.0, 0.0))
    plane = GaussianMixture((0.2, 0.3, 0.5), corner, 1.0).reduce()
    assert [core.kind for core in plane.cores] == ["plane"]
    assert plane.complement.dimension == 1
    line = GaussianMixture((0.2, 0.3, 0.5), ((0.0, 0.0), (1.0, 2.0), (-3.0, -6.0)), 1.0).reduce()
    assert [core.kind for core in line.cores] == ["line"]


def test_concentric_isotropic_components_are_radial():
    law = GaussianMixture((0.5, 0.5), ((1.0,), (1.0,)), (0.5, 2.0), 10).reduce()
    assert [core.kind for core in law.cores] == ["radial"]
    assert law.complement is None


def test_equal_components_are_one_gaussian():
    law = GaussianMixture((0.5, 0.5), ((1.0, 2.0), (1.0, 2.0)), 0.5).reduce()
    assert law.cores == ()
    assert law.complement.dimension == 2
    assert law.complement.eigenvalues == (0.5,)


def test_products_tensorise_and_equal_factors_are_counted():
    pair = Atoms.two_point(1.0, 0.3)
    law = Product((pair, REFERENCE, pair, Gaussian.isotropic(4, 2.0), GaussianMixture.two(2.0, d=3))).reduce()
    assert sorted(core.count for core in law.cores) == [1, 1, 2]
    assert Core(pair, "line", 2) in law.cores
    assert law.complement.dimension == 6


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (Atoms(np.eye(4).tolist()), "3 directions"),
        (GaussianMixture((0.5, 0.5), ((0.0,), (1.0,)), (1.0, 2.0), 5), "orthogonal to all differences"),
        (
            GaussianMixture(
                (0.5, 0.5),
                ((0.0, 0.0, 0.0),) * 2,
                (
                    ((2.0, 0.5, 0.0), (0.5, 1.0, 0.0), (0.0, 0.0, 1.0)),
                    ((1.0, 0.0, 0.0), (0.0, 2.0, 0.0), (0.0, 0.0, 1.0)),
                ),
            ),
            "do not commute",
        ),
    ],
)
def test_what_does_not_reduce_says_why(target, reason):
    with pytest.raises(NotReducible, match=reason):
        target.reduce()


@given(st.integers(0, 10**6))
def test_a_reduction_keeps_the_moments(seed):
    rng = np.random.default_rng(seed)
    d, K = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    direction = rng.normal(size=d)
    means = rng.normal(size=d) + np.outer(rng.normal(size=K), direction)
    target = GaussianMixture(
        rng.dirichlet(np.ones(K)), means, float(rng.uniform(0.1, 2)), d + int(rng.integers(3))
    )
    law = target.reduce()
    total = sum(core.mixture.second_moment for core in law.cores)
    if law.complement is not None:
        total += sum(
            v * n + m * m
            for v, n, m in zip(
                law.complement.eigenvalues, law.complement.multiplicities, law.complement.means, strict=True
            )
        )
    assert total == pytest.approx(target.second_moment, rel=1e-12)
    assert all(core.kind == "line" for core in law.cores)


def test_a_gaussian_is_one_block_an_eigenspace():
    parts = blocks(Gaussian((2.0, 0.0), (3, 1), (1.0, 4.0)))
    assert [part.dimension for part in parts] == [3, 1]
    assert isinstance(parts[1], Atoms)
