"""Integrals in a bound, in balls: they contain mpmath's value, corners and cuts included, and know when they
fail.
"""

import flint
import mpmath as mp
import pytest
import sympy as sp

import lesssim as ls
from properties.evaluate import BALLS, DIGITS, evaluate
from properties.exact import balls, enclose, second
from simulators.errors import NotDefined

x = sp.Symbol("x")

FORMS = {
    "entire": (sp.exp(-(x**2)), (0, 3)),
    "expm1": (sp.exp(x) - 1, (0, sp.Rational(1, 1000))),
    "root": (sp.sqrt(1 + x), (0, 3)),
    "root at its branch point": (sp.sqrt(x), (0, 2)),
    "logarithm": (sp.log(2 + x) ** 2, (-1, 1)),
    "power": ((1 + x) ** sp.Rational(1, 3), (0, 4)),
    "corner": (sp.Abs(x - 1), (0, 3)),
    "maximum": (sp.Max(x, 1 / (1 + x)), (0, 2)),
    "minimum": (sp.Min(x**2, 2 - x), (0, 2)),
    "half-integer power": ((1 + x) ** sp.Rational(-3, 2), (0, 4)),
}
CORNERS = {
    "corner": [0, 1, 3],
    "maximum": [0, (mp.sqrt(5) - 1) / 2, 2],
    "minimum": [0, 1, 2],
}


@pytest.mark.parametrize("name", FORMS)
def test_the_ball_contains_the_quadrature(name):
    body, (low, high) = FORMS[name]
    expr = sp.Integral(body, (x, sp.S(low), sp.S(high)))
    with flint.ctx.workprec(128):
        ball = evaluate(expr, {}, BALLS)
    with mp.workdps(40):
        points = CORNERS.get(name, [low, mp.mpf(str(sp.N(sp.S(low + high) / 2, 30))), high])
        value = mp.quad(sp.lambdify(x, body, "mpmath"), points, maxdegree=12)
    assert ball.rel_accuracy_bits() > 60
    gap = abs(ball - flint.arb(mp.nstr(value, 35)))
    assert float(gap.abs_upper()) < 1e-15 * abs(float(value)) + float(ball.rad())


def test_the_ball_is_not_wider_than_it_says():
    expr = sp.Integral(sp.exp(-x), (x, sp.S(0), sp.S(1)))
    with flint.ctx.workprec(128):
        ball = evaluate(expr, {}, BALLS)
        assert ball.contains(1 - flint.arb(-1).exp())
        assert not ball.contains(1 - flint.arb(-1).exp() + flint.arb(2) ** -90)


def test_a_divergent_integral_has_no_ball():
    with flint.ctx.workprec(128), pytest.raises(NotDefined, match="no finite enclosure"):
        evaluate(sp.Integral(1 / x, (x, sp.S(0), sp.S(1))), {}, BALLS)


def test_a_wrong_branch_would_be_seen():
    """The integral of sqrt over a path that a careless branch gets wrong: exactly 14/3."""
    expr = sp.Integral(sp.sqrt(x), (x, sp.S(1), sp.S(4)))
    with flint.ctx.workprec(128):
        assert evaluate(expr, {}, BALLS).contains(flint.arb(14) / 3)
    with mp.workdps(30):
        assert abs(evaluate(expr, {}, DIGITS) - mp.mpf(14) / 3) < mp.mpf(10) ** -25


TARGET = ls.Gaussian((0.3, 2.0, 5.0), (2, 1, 3), (1.0, 0.0, -2.0))
CASE = ls.Case(TARGET, clock="half", sampler="none", T=2.0)


def test_integrals_of_step_functions_reach_the_enclosed_level():
    from bounds.catalogue import CATALOGUE

    claim = next(c for c in CATALOGUE if c.key == "building-blocks/de-bruijn-half-clock")
    for expr in claim.expressions:
        if not expr.has(sp.Integral):
            continue
        enclosure = enclose(expr, CASE)
        assert enclosure.level == "enclosed"
        assert float(enclosure.width) <= 4e-15 * abs(float(enclosure.mid))
        value = second(lambda road, expr=expr: road.value(expr), CASE)
        assert abs(float(enclosure.mid) - float(value)) <= 1e-14 * abs(float(value))


def test_the_identity_of_de_bruijn_holds_in_balls():
    from bounds.catalogue import CATALOGUE

    claim = next(c for c in CATALOGUE if c.key == "building-blocks/de-bruijn-half-clock")
    left, right = balls(lambda road: [road.value(claim.lhs), road.value(claim.rhs)], CASE)
    assert left.overlaps(right)
    assert (left - right).abs_upper() < 1e-25


CASE = ls.Case(ls.Gaussian.isotropic(3, variance=0.5, mean=1.0), clock="half", sampler="ddpm-ei", T=2, N=4)


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("Sum(step(k), (k, 0, N - 1))", 2.0),
        ("Sum(k*h, (k, 0, N - 1))", 3.0),
        ("Product(1 + step(k), (k, 0, N - 1))", 1.5**4),
        ("Sum(tau(k + 1), (k, 0, N - 1))", 3.0),
        (
            "Sum(step(k)*J_at(tau(k)), (k, 0, N - 1))",
            sum(1.5 / (1 - mp.exp(-t) / 2) for t in (0.5, 1, 1.5, 2)),
        ),
    ],
)
def test_sums_over_the_steps_have_a_value(formula, value):
    assert float(CASE.measure(formula).mid) == pytest.approx(float(value), rel=1e-14)


@pytest.mark.parametrize("formula", ["Sum(step(k - 1), (k, 0, N - 1))", "Sum(step(k + 1), (k, 0, N - 1))"])
def test_steps_that_do_not_exist_have_none(formula):
    with pytest.raises(NotDefined, match="numbered from 0 to N - 1"):
        CASE.measure(formula)


def test_the_speed_of_the_score_is_the_root_of_its_rate_and_zero_for_gamma():
    for time in ("T", "T/3"):
        whole = CASE.measure(f"speed_at({time})**2 - ScoreRate(q({time}))")
        assert whole.lo <= 0 <= whole.hi
        assert whole.width < 1e-30
    gamma = ls.Case(ls.Gaussian.isotropic(2, variance=1), clock="unit", sampler="pf-ei", T=1, N=2)
    assert float(gamma.measure("Integral(speed_at(z), (z, 0, T))").hi) == 0.0
    by_hand = mp.quad(lambda t: mp.sqrt(3) * mp.exp(-t) / 2 / (1 - mp.exp(-t) / 2) ** 1.5 / 2, [0, 2])
    found = CASE.measure("Integral(speed_at(z), (z, 0, T))")
    assert float(found.mid) == pytest.approx(float(by_hand), rel=1e-12)
