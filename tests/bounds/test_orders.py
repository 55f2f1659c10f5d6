"""Orders of growth: exact linear programs, certificates that multiply out, rays that grow as they say."""

from __future__ import annotations

import dataclasses
import math
import random
from fractions import Fraction

import pytest
import sympy as sp

from bounds.errors import ClaimError
from bounds.frozen import FrozenMapping
from bounds.monomials import Monomial
from bounds.notation import symbols
from bounds.orders import Certificate, at_most
from bounds.simplex import dot, solve

NAMES = ("KL0", "L", "M2", "FI0", "h", "kappa")


def _value(text: str, at: dict[str, float]) -> float:
    from bounds.formula import parse

    expr = parse(text, parameters=frozenset(at))
    return float(expr.subs({s: at[s.name] for s in expr.free_symbols}).evalf(30))


@pytest.mark.parametrize("seed", range(60))
def test_a_system_has_a_point_or_a_farkas_vector(seed: int) -> None:
    rng = random.Random(seed)
    height, width = rng.randint(1, 4), rng.randint(1, 6)
    columns = [[Fraction(rng.randint(-3, 3), rng.randint(1, 3)) for _ in range(height)] for _ in range(width)]
    target = [Fraction(rng.randint(-3, 3)) for _ in range(height)]
    costs = [Fraction(rng.randint(-2, 4)) for _ in range(width)]
    found = solve(columns, target, costs)
    if found.point is None:
        assert found.farkas is not None
        assert all(dot(found.farkas, column) <= 0 for column in columns)
        assert dot(found.farkas, target) > 0
        return
    assert found.farkas is None
    assert min(found.point) >= 0
    rows = [[column[i] for column in columns] for i in range(height)]
    assert [dot(row, found.point) for row in rows] == target
    if found.descent is not None:
        assert min(found.descent) >= 0
        assert all(dot(row, found.descent) == 0 for row in rows)
        assert dot(costs, found.descent) < 0


def test_costs_agree_with_a_floating_point_solver() -> None:
    from scipy.optimize import linprog

    rng = random.Random(1)
    compared = 0
    for _ in range(40):
        columns = [[Fraction(rng.randint(-3, 3)) for _ in range(3)] for _ in range(6)]
        target = [Fraction(rng.randint(-3, 3)) for _ in range(3)]
        costs = [Fraction(rng.randint(0, 4)) for _ in range(6)]
        found = solve(columns, target, costs)
        other = linprog(
            [float(c) for c in costs],
            A_eq=[[float(column[i]) for column in columns] for i in range(3)],
            b_eq=[float(b) for b in target],
        )
        assert (found.point is not None) == other.success
        if found.point is not None:
            assert float(dot(costs, found.point)) == pytest.approx(other.fun, abs=1e-9)
            compared += 1
    assert compared >= 10


def _monomial(rng: random.Random) -> str:
    powers = {name: Fraction(rng.randint(-4, 4), 2) for name in rng.sample(NAMES, 2)}
    return "*".join([str(rng.randint(1, 3)), *(f"{name}**({power})" for name, power in powers.items())])


def _bound(rng: random.Random) -> str:
    return " + ".join(_monomial(rng) for _ in range(rng.randint(1, 3)))


def _points(rng: random.Random, hypotheses: list[str], count: int) -> list[dict[str, float]]:
    found: list[dict[str, float]] = []
    for _ in range(400):
        at = {name: math.exp(rng.uniform(-8, 8)) for name in NAMES}
        sides = (item.split(" <= ") for item in hypotheses)
        if all(_value(low, at) <= _value(high, at) for low, high in sides):
            found.append(at)
        if len(found) == count:
            break
    return found


@pytest.mark.parametrize("seed", range(40))
def test_random_questions_are_decided_and_checked_by_numbers(seed: int) -> None:
    rng = random.Random(seed)
    small, large = _bound(rng), _bound(rng)
    hypotheses = [f"{_monomial(rng)} <= {_monomial(rng)}" for _ in range(rng.randint(0, 4))]
    try:
        decision = at_most(small, large, hypotheses)
    except ClaimError:  # the hypotheses contradict each other, and no point meets them
        assert _points(rng, hypotheses, 1) == []
        return
    if decision.holds:
        assert all(certificate.verified for certificate in decision.certificates)
        assert decision.constant is not None
        for at in _points(rng, hypotheses, 5):
            assert _value(small, at) <= decision.constant * _value(large, at) * (1 + 1e-9)  # float rounding
    else:
        ray = decision.ray
        assert decision.holds is False
        assert ray is not None
        near, far = ({**dict.fromkeys(NAMES, 1.0), **ray.at(s)} for s in (1e4, 1e6))
        for low, high in (item.split(" <= ") for item in hypotheses):
            assert _value(low, far) <= _value(high, far) * (1 + 1e-6)  # base points are rational to 1e-12
        gain = math.log(_value(small, far) / _value(large, far) / (_value(small, near) / _value(large, near)))
        assert gain / math.log(1e2) >= 0.9 * float(ray.growth[0]) - 0.05  # lower terms have not died out yet


@pytest.mark.parametrize(
    ("small", "large", "under", "holds"),
    [
        ("eps/sqrt(KL0)", "eps", ["KL0 >= 1"], True),
        ("eps/sqrt(KL0)", "eps", [], False),
        ("T**2*exp(-2*T)", "exp(-T)", [], True),
        ("exp(-T)", "T**2*exp(-2*T)", ["T >= 1"], False),
        ("T**3*exp(-T)", "T**2*exp(-T)", ["T >= 1"], False),
        ("T**5*exp(-T)", "1", [], True),
        ("1/(exp(T) - 1)", "exp(-T)", ["T >= 1"], True),
        ("1/(exp(T) - 1)", "exp(-T)", [], False),
        ("(M2 + d)/(2*(exp(2*T) - 1))", "(M2 + d)*exp(-2*T)", ["T >= 1"], True),
        ("d*log(d/eps**2)", "d", ["eps <= sqrt(d)/2"], False),
        ("d*log(d/eps**2)", "d**(3/2)/eps", ["eps <= sqrt(d)/2"], True),
        ("log(1/delta)", "N", ["N >= log(1/delta)", "delta <= 1/2"], True),
        ("log(1/delta)", "N", ["delta <= 1/2"], False),
        ("log(1/delta)", "delta**(-1/1000)", ["delta <= 1/2"], True),
        ("log(1/delta)**2", "log(1/delta)", ["delta <= 1/2"], False),
        ("sqrt(log(1/delta))", "log(1/delta)", ["delta <= 1/2"], True),
        ("log(1/eps)", "log(d/eps**2)", ["eps <= 1/2"], True),
        ("log(d/eps**2)", "log(1/eps)", ["eps <= 1/2"], False),
        ("log(d/eps**2)", "log(1/eps)", ["eps <= 1/2", "d <= 1/eps**3"], True),
        ("(T + log(1/delta))**2", "T**2 + log(1/delta)**2", ["delta <= 1/2"], True),
        ("T**2/(T + log(1/delta))", "T", ["delta <= 1/2"], True),
        ("max(R, sqrt(d))**4", "R**4 + d**2", [], True),
        ("1/max(R, sqrt(d))", "1/(R + sqrt(d))", [], True),
        ("1/min(R, d)", "1/R", [], False),
        ("1/min(R, d)", "1/R + 1/d", [], True),
        ("R", "min(R**2, R)", ["R >= 1"], True),
        ("1", "log(d/eps**2)", ["eps <= sqrt(d)/exp(1)"], True),
        ("1", "log(d/eps**2)", ["eps <= sqrt(d)"], False),
        ("1", "log(d/eps**2)", [], False),
        ("d", "d**2", [], True),
        ("d**2", "d", [], False),
        ("T - log(2)", "T", ["T >= 1"], True),
    ],
)
def test_decisions(small: str, large: str, under: list[str], holds: bool) -> None:
    decision = at_most(small, large, under)
    assert decision.holds is holds
    assert (decision.ray is None) == holds
    assert bool(decision.certificates) == holds


def test_polylog_leaves_logarithms_out_and_says_so() -> None:
    decision = at_most("d*log(d/eps**2)**2", "d", ["eps <= sqrt(d)/2"], polylog=True)
    assert decision.holds
    assert decision.dropped == ("log(d/eps^2)^2",)
    assert at_most("d**2*log(d/eps**2)", "d", ["eps <= sqrt(d)/2"], polylog=True).holds is False


def test_the_simplest_ray_is_named() -> None:
    decision = at_most("L**2*d*h", "L*d*h", ["L >= 1", "h <= 1/L"])
    assert str(decision.ray) == "L ~ s, h ~ 1/s as s -> oo"
    assert decision.ray is not None
    assert decision.ray.driven == "s"
    assert "grows like s along L ~ s" in str(decision)


def test_a_certificate_prints_its_exponents_and_its_constant() -> None:
    decision = at_most("4*h*sqrt(d*L)*eps", "eps**2 + d*L*h**2")
    (certificate,) = decision.certificates
    assert certificate.constant == pytest.approx(4.0)
    assert "(eps^2)^(1/2) * (L*d*h^2)^(1/2)" in str(certificate)


def test_a_certificate_that_was_tampered_with_is_not_verified() -> None:
    (good,) = at_most("4*h*sqrt(d*L)*eps", "eps**2 + d*L*h**2").certificates
    assert good.verified
    heavier = tuple((m, w * 2) for m, w in good.weights)
    other = Monomial(good.term.coefficient, FrozenMapping({**good.term.powers, "d": Fraction(1)}))
    assert not dataclasses.replace(good, weights=heavier).verified
    assert not dataclasses.replace(good, term=other).verified
    assert not Certificate(good.term, good.weights[:1], ()).verified


def test_bad_questions_name_the_part() -> None:
    d, L = symbols("d L")
    with pytest.raises(ClaimError, match="hypotheses that some parameters meet"):
        at_most("d", "L", ["L >= 2", "L <= 1"])
    with pytest.raises(ClaimError, match="a rational power"):
        at_most("d**L", "d")
    with pytest.raises(ClaimError, match="at most one positive term"):
        at_most("1/(d + L - 1)", "d")
    with pytest.raises(ClaimError, match="a sum of positive terms"):
        at_most(d, d - L)
    with pytest.raises(ClaimError, match="a relation"):
        at_most(d, d, [sp.Ne(d, L)])
    with pytest.raises(ClaimError, match="without logarithms"):
        at_most("log(log(1/delta))", "1", ["delta <= 1/9"])
