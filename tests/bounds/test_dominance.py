"""Arguments for all parameters: what they show is true, and a false neighbour of each is not shown."""

from __future__ import annotations

import random
from typing import Any

import pytest
import sympy as sp

from bounds.dominance import as_integral, dominated
from bounds.notation import symbols
from bounds.quantity import FI, KL, W2

x, y, z = sp.symbols("x y z", positive=True)
a = sp.Symbol("a", real=True)
k, n = sp.symbols("k n", integer=True, positive=True)
d, T, N, h, L, delta, KL0 = symbols("d T N h L delta KL0")
HALF = sp.Rational(1, 2)
FISHER, W = FI("target", "gamma"), W2("target", "gamma")

TRUE_AND_FALSE: list[tuple[str, Any, Any, Any, list[sp.Rel]]] = [
    # kind, small, a bound that holds, one that does not, hypotheses
    ("algebra", (x + y) ** 2 - 4 * x * y, x**2 + y**2, x**2 + y**2 - 3 * x * y, []),
    ("algebra under a hypothesis", x, x * y, x / y, [y >= 1]),
    ("substitution", L * N * d * h**2, T * L * d * h, T * L * d * h / 2, []),
    ("Young", x * y, x**2 / 2 + y**2 / 2, x**2 / 2 + y**2 * sp.Rational(49, 100), []),
    ("Young, another factor", x * y, x**2 / 4 + y**2, x**2 / 4 + y**2 * HALF, []),
    ("Young between quantities", sp.sqrt(FISHER) * W - W**2 / 2, FISHER / 2, FISHER / 3, []),
    ("square of a sum", (x + y) ** 2, 2 * x**2 + 2 * y**2, x**2 + 2 * y**2, []),
    ("three terms", x * y * z, (x**3 + y**3 + z**3) / 3, (x**3 + y**3 + z**3) / 4, []),
    ("e^-x <= 1", y * sp.exp(-x), y, y / 2, []),
    ("1 - e^-x <= x", 1 - sp.exp(-x), x, x - x**2 / 2, []),
    ("x - x^2/2 <= 1 - e^-x", x - x**2 / 2, 1 - sp.exp(-x), (1 - sp.exp(-x)) / 2, []),
    ("a root", sp.sqrt(1 - sp.exp(-x)), 1 - sp.exp(-x) / 2, 1 - sp.exp(-x) * sp.Rational(51, 100), []),
    ("roots of a sum", sp.sqrt(x + y), sp.sqrt(x) + sp.sqrt(y), sp.sqrt(x) / 2 + sp.sqrt(y), []),
    (
        "a logarithm",
        (-sp.exp(-x) - sp.log(1 - sp.exp(-x))) / 2,
        sp.exp(-2 * x) / (4 * (1 - sp.exp(-x))),
        sp.exp(-2 * x) / (5 * (1 - sp.exp(-x))),
        [],
    ),
    (
        "a logarithm with a sign",
        sp.log(1 / delta),
        x * sp.log(1 / delta),
        sp.log(1 / delta) / x,
        [x >= 1, delta <= HALF],
    ),
    (
        "a curvature of either sign",
        a * x / (2 * (sp.exp(2 * a * y) - 1)),
        x / (4 * y),
        x / (5 * y),
        [sp.Ge(a, 0)],
    ),
    (
        "a sum against an integral",
        sp.Sum(1 / k, (k, 1, n)),
        1 + sp.log(n),
        sp.log(n) / 2,
        [],
    ),
    ("a sum of squares", sp.Sum(1 / k**2, (k, 1, n)), sp.Integer(2), sp.Integer(1), []),
    ("an integral against a sum", n**2 / 2, sp.Sum(k, (k, 1, n)), sp.Sum(k, (k, 1, n)) / 2, []),
]


@pytest.mark.parametrize(
    ("small", "right", "wrong", "under"),
    [row[1:] for row in TRUE_AND_FALSE],
    ids=[row[0] for row in TRUE_AND_FALSE],
)
def test_true_ones_are_shown_and_false_ones_are_not(
    small: Any, right: Any, wrong: Any, under: list[sp.Rel]
) -> None:
    equal = {T: N * h} if T in right.free_symbols else {}
    found = dominated(small, right, under, equal)
    assert found is not None
    assert found.by in ("algebra", "means", "Taylor")
    assert all(certificate.verified for certificate, _ in found.shares)
    assert dominated(small, wrong, under, equal) is None


def test_without_the_hypothesis_it_is_not_shown() -> None:
    assert dominated(x, x * y) is None
    assert dominated(sp.log(1 / delta), x * sp.log(1 / delta), [x >= 1]) is None  # negative for delta > 1
    assert dominated(y, y + x * sp.log(1 / delta)) is None
    assert dominated(a * x / (2 * (sp.exp(2 * a * y) - 1)), x / (4 * y)) is None
    assert dominated(x * sp.exp(-a), x) is None
    assert dominated(x * sp.exp(-a), x, [sp.Ge(a, 0)]) is not None


def test_an_unbounded_quantity_is_not_shown() -> None:
    assert dominated(KL("q_T", "gamma"), sp.exp(-2 * T) * KL0) is None
    assert dominated(KL("q_T", "gamma"), KL("q_T", "gamma") + KL0).by == "algebra"  # type: ignore[union-attr]


def test_a_bound_is_used_once() -> None:
    assert dominated(x + x / y, x * 2, [y >= 1]) is not None
    assert dominated(x + x / y, x * sp.Rational(19, 10), [y >= 1]) is None
    assert dominated(2 * x * y, x**2 + y**2) is not None
    assert dominated(2 * x * y + x * y / 100, x**2 + y**2) is None


def test_sums_that_are_not_monotone_stay() -> None:
    wave = sp.Sum((k - 3) ** 2, (k, 1, n))
    assert as_integral(wave, above=True) == wave
    assert dominated(wave, n**3) is None


def test_what_is_shown_is_true_at_random_points() -> None:
    assert sum(_shown_and_true(random.Random(seed)) for seed in range(16)) >= 3


def _shown_and_true(rng: random.Random) -> bool:
    """Whether a random inequality is shown; if so it holds at random points."""

    def monomial() -> sp.Expr:
        powers = [sp.Rational(rng.randint(-2, 4), 2) for _ in range(2)]
        return (
            sp.Rational(rng.randint(1, 6), 2)
            * x ** powers[0]
            * y ** powers[1]
            * sp.exp(-rng.randint(0, 1) * x)
        )

    small, large = monomial(), sp.Add(*(monomial() for _ in range(3)))
    found = dominated(small, large, [x >= 1])
    for _ in range(40 if found is not None else 0):
        at = {x: sp.Float(1 + rng.expovariate(0.3)), y: sp.Float(10 ** rng.uniform(-4, 4))}
        assert small.subs(at) <= large.subs(at) * (1 + sp.Float("1e-12"))
    return found is not None
