"""Exponents on rays: what is claimed and what is seen, with intervals, on exact values."""

from __future__ import annotations

from functools import cache

import pytest
import sympy as sp

from bounds.catalogue import CATALOGUE, find
from bounds.errors import ClaimError
from bounds.rays import RAYS, Ray, rays_of, x
from bounds.summary_table import SUMMARY, Row
from properties.rates import Rate, _on_ray, rates_of, rates_on_rays
from properties.space import space_of


@cache
def rates(key: str) -> tuple[Rate, ...]:
    """The rates of a claim, measured once."""
    claim = find(key)
    return tuple(rates_on_rays(claim) if claim.setup.model else rates_of(space_of(claim)))


def rate(key: str, parameter: str, term: str = "discretisation") -> Rate:
    """The rate of one ray."""
    (found,) = (r for r in rates(key) if (r.parameter, r.term) == (parameter, term))
    return found


def test_rays_belong_to_terms_of_claims() -> None:
    known = {claim.key: claim for claim in CATALOGUE}
    for ray in RAYS:
        assert ray.term in known[ray.key].terms, ray
        assert ray in rays_of(ray.key)


@pytest.mark.parametrize(
    ("key", "parameter", "order", "within"),
    [
        ("chen-2023-probability-flow/predictor", "L", 0.5, 0.01),
        ("chen-2023-probability-flow/predictor", "h", 1.0, 0.002),
        ("chen-2023-probability-flow/corrector", "L", 0.5, 0.001),
        ("chen-2023-probability-flow/corrector", "h", 1.0, 0.002),
        ("jain-zhang-2025/theorem-3.1", "K", -2.0, 0.02),
        ("li-yan-2024/dirac-lower", "d", 1.0, 1e-6),
        ("potaptchik-2024/intrinsic-dimension", "N", -1.0, 0.02),
        ("potaptchik-2024/intrinsic-dimension", "k", 1.0, 1e-6),
        ("lu-2022/first-order", "h", 1.0, 0.01),
        ("lu-2022/second-order", "h", 2.0, 0.04),
    ],
)
def test_claimed_exponents_are_reached(key: str, parameter: str, order: float, within: float) -> None:
    """The distance is that of the first correction over the last decade and a half of the ray."""
    found = rate(key, parameter)
    assert found.seen == pytest.approx(order, abs=within)
    assert found.claimed == pytest.approx(order, abs=within)
    assert found.interval[0] <= found.seen <= found.interval[1]
    assert found.interval[1] - found.interval[0] < 0.05


@pytest.mark.parametrize(
    ("name", "parameter", "term", "claimed", "seen"),
    [
        ("dpum", "N", "discretisation, predictor", -1.0, -1.0),
        ("dpum", "d", "discretisation, predictor", 0.5, 0.5),
        ("dpum", "h_corr", "discretisation, corrector", 1.0, 1.0),
        ("dpom", "h_corr", "discretisation, corrector", 0.5, 1.0),
    ],
)
def test_predictor_corrector(name: str, parameter: str, term: str, claimed: float, seen: float) -> None:
    """On Gaussians the overdamped corrector is an order of sqrt(h) better than claimed; 0.05 is what the part
    of the other stage leaves.
    """
    found = rate(f"chen-2023-probability-flow/{name}", parameter, term)
    assert found.claimed == pytest.approx(claimed, abs=1e-3)
    assert found.seen == pytest.approx(seen, abs=0.05)


def test_the_bounded_lipschitz_distance_goes_like_the_root_of_the_time() -> None:
    found = rate("chen-2023-sampling/early-stopping-bounded-lipschitz", "t", "noise")
    assert found.claimed == pytest.approx(0.5, abs=1e-6)
    assert found.seen == pytest.approx(0.5, abs=1e-3)


def test_random_midpoints_gain_half_an_order() -> None:
    """The root mean square error is of order h^{3/2} and L, that of the moments of order h^2."""
    assert rate("gupta-cai-chen-2024/block", "h").seen == pytest.approx(1.5, abs=0.03)
    assert rate("gupta-cai-chen-2024/block", "L").seen == pytest.approx(1.0, abs=0.03)
    assert rate("gupta-cai-chen-2024/block-moments", "h").seen == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize("row", SUMMARY, ids=lambda row: f"{row.algorithm}, {row.lipschitz}"[:40])
def test_every_row_of_the_slides_has_a_measured_exponent(row: Row) -> None:
    found = [r for key in row.claims for r in rates(key)]
    discretised = [r for r in found if r.term.startswith("discretisation") and r.parameter == "N"]
    assert discretised
    assert all(r.interval[0] <= r.seen <= r.interval[1] for r in found)


def test_schedules_are_faster_than_their_theorems() -> None:
    """TV falls like log N/N: a slope of -1 + 1/log N over the sizes of the ray."""
    for key in ("li-2023/stochastic", "li-yan-2024/theorem-1", "li-yan-2024/theorem-2"):
        found = rate(key, "N")
        assert -0.87 < found.seen < -0.84 < found.claimed


def test_a_wrong_exponent_is_seen() -> None:
    """The same ray beside a term of another order: what is claimed leaves the interval of what is seen."""
    claim = find("chen-2023-probability-flow/predictor")
    h, d = (next(s for s in claim.symbols if s.name == name) for name in ("h", "d"))
    wrong = claim.but("h-squared", terms={"discretisation": sp.sqrt(d) * h**2})
    assert rates_on_rays(wrong) == []  # rays belong to a claim, not to its falsehoods
    ray = rays_of(claim.key)[1]
    found = rate(claim.key, "h")
    assert ray.ends[0] / ray.ends[1] >= 1000
    assert not found.interval[0] <= 2.0 <= found.interval[1]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ends": (0.0, 1.0)}, "ends"),
        ({"ends": (2.0, 2.0)}, "ends"),
        ({"parameter": "h^2"}, "parameter"),
        ({"case": {"parameters": {"N": 3}}}, "case"),
    ],
)
def test_bad_rays_are_refused(changes: dict[str, object], field: str) -> None:
    good = {"key": "a/b", "term": "t", "parameter": "N", "ends": (1.0, 2.0), "case": {"parameters": {"N": x}}}
    assert Ray(**good).at(2.0) == {"parameters": {"N": 2}}  # type: ignore[arg-type]
    with pytest.raises(ClaimError, match=rf"ray a/b\.{field}"):
        Ray(**{**good, **changes})  # type: ignore[arg-type]


def test_a_ray_without_values_is_an_error() -> None:
    """The right side of that claim is zero everywhere."""
    place = {"N": x, "d": 1, "rate0": 2.0, "rate1": 4.0, "m1": 1.0, "v1": 0.0, "offset": 0.0}
    claim = find("li-yan-2024/dirac-exact")
    ray = Ray(claim.key, "discretisation", "N", (20, 60), {"parameters": place})
    with pytest.raises(ValueError, match="not a positive number"):
        _on_ray(claim, ray)
