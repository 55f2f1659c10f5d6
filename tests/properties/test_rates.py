"""Exponents of the terms beside those of the truth: what is known by hand comes out."""

import pytest

from bounds.catalogue import find
from properties.rates import rates_of
from properties.space import space_of


def seen(key):
    return {(rate.term, rate.parameter): rate for rate in rates_of(space_of(find(key)))}


@pytest.mark.parametrize(
    ("key", "exponent"),
    [
        ("chen-2023-sampling/explicit", -2.0),
        ("chen-2023-sampling/explicit-path", -1.0),
        ("conforti-2023/explicit", -2.0),
        ("conforti-2023/explicit-path", -1.0),
        ("w2-explicit/ddpm-ei-closed", -1.0),
    ],
)
def test_marginal_errors_are_an_order_smaller_than_path_errors(key, exponent):
    """For smooth targets the marginal KL is of the order N^-2 and the path KL of the order N^-1."""
    rate = seen(key)["discretisation", "N"]
    assert rate.seen == pytest.approx(exponent, abs=0.02)
    assert rate.interval[0] <= rate.seen <= rate.interval[1]
    assert rate.ends[1] / rate.ends[0] >= 10**1.4


def test_claimed_exponents_are_those_of_the_formula():
    rates = seen("chen-2023-sampling/explicit-path")
    assert rates["discretisation", "N"].claimed == pytest.approx(-1.0, abs=1e-3)
    assert rates["discretisation", "d"].claimed == pytest.approx(1.0, abs=1e-9)
    assert rates["discretisation", "d"].seen == pytest.approx(1.0, abs=1e-9)


def test_the_score_term_is_tight_in_the_error():
    rate = seen("chen-2023-sampling/explicit-score-path")["score", "eps"]
    assert rate.claimed == pytest.approx(2.0, abs=1e-6)
    assert rate.seen == pytest.approx(2.0, abs=1e-3)


def test_claims_without_a_sampler_have_no_rates():
    assert rates_of(space_of(find("initialisation/second-moment"))) == []
