"""Exponential polynomials: exact algebra, and relative accuracy where leading orders cancel."""

from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.exppoly import UNIT, E, ExpPoly, H
from simulators.laws.integrals import FUNCTIONS, STATIONARY
from simulators.samplers import SAMPLERS

STEPS = np.concatenate([np.geomspace(1e-6, 5.0, 97), [0.999999, 1.0, 1.000001]])
TABLES = {name: sampler.table for name, sampler in SAMPLERS.items() if hasattr(sampler, "table")}
TABLES |= {f"path {name}": functions for name, functions in FUNCTIONS.items()} | {"stationary": STATIONARY}

coefficients = st.fractions(min_value=-3, max_value=3, max_denominator=7)
exponents = st.tuples(st.integers(0, 2), st.integers(-2, 2))
polynomials = st.dictionaries(exponents, coefficients, max_size=4).map(ExpPoly)


def relative_error(function, h, value):
    exact = function.mp(mp.mpf(h))
    return abs((mp.mpf(value) - exact) / exact) if exact else abs(mp.mpf(value))


@pytest.mark.parametrize("name", TABLES)
def test_coefficients_are_accurate_at_every_step_and_their_bounds_are_honest(name):
    with mp.workdps(90):
        for function in TABLES[name]:
            values, bounds = function.bounded(STEPS)
            errors = [
                relative_error(function, float(h), float(v)) for h, v in zip(STEPS, values, strict=True)
            ]
            assert all(e <= b for e, b in zip(errors, bounds, strict=True))
            assert max(errors) <= 24 * UNIT  # a few ulps, even where six orders cancel


@given(polynomials, polynomials, st.floats(0.01, 2.0))
def test_algebra_is_that_of_functions(f, g, h):
    with mp.workdps(50):
        x = mp.mpf(h)
        assert mp.almosteq((f * g - f + 2).mp(x), f.mp(x) * g.mp(x) - f.mp(x) + 2, abs_eps=mp.mpf(10) ** -40)


@given(polynomials)
def test_integration_inverts_differentiation(f):
    assert f.integral().derivative == f
    assert f.integral().taylor(1) == [0]


@given(polynomials, st.floats(-0.5, 0.5))
def test_the_taylor_series_is_the_function(f, h):
    with mp.workdps(40):
        x = mp.mpf(h)
        series = mp.fsum(mp.mpf(c.numerator) / c.denominator * x**n for n, c in enumerate(f.taylor(40)))
        assert mp.almosteq(series, f.mp(x), abs_eps=mp.mpf(10) ** -30)


def test_balls_contain_the_value_and_survive_steps_that_contain_zero():
    from flint import arb

    f = (E(1) - 1 - H) * H * H
    assert f.arb(arb(0.5)).contains(arb(0.5).exp() * 0.25 - 0.25 - arb(0.125))
    assert f.arb(arb(0, 0.1)).is_finite()


def test_an_error_of_the_step_is_propagated():
    f = (E(1) - 1) * (E(1) - 1)
    bound = f.bounded(0.01, h_ulps=4.0)[1] - f.bounded(0.01)[1]
    assert 7.9 * UNIT < bound < 8.5 * UNIT  # (e^h - 1)^2 turns a relative error r of h into about 2 r


def test_zero_is_zero():
    assert (H - H).leading == (0, Fraction(0))
    assert (H - H)(np.array([0.1, 3.0])).tolist() == [0.0, 0.0]
