"""Interval proofs between formulas: proved, false with a point, or open; never proved when false."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp

from properties.proofs.formulas import shown_on

x, y, z = sp.symbols("x y z", positive=True)
BOX = {"x": (1e-3, 1e3), "y": (1e-3, 1e3), "z": (1e-3, 10.0)}


@pytest.mark.parametrize(
    ("kind", "small", "large", "wrong"),
    [
        ("algebra", x, 1 + x**2, sp.Rational(1, 3) + x**2 / 2),
        ("substitution", x * (y / x), 2 * y, y / 2 + 0 * x),
        ("Young", 1.9 * x * y, x**2 + y**2, (x**2 + y**2) * sp.Rational(9, 10)),
        ("e^-x <= 1", y * sp.exp(-z), y, y * sp.Rational(99, 100)),
        ("1 - e^-x <= x", 1 - sp.exp(-z), z, z * sp.Rational(9, 10)),
        ("a sum as an integral", sp.log(1 + x), x, x * sp.Rational(9, 10)),
        ("1/(e^x - 1) <= 1/x", 1 / (sp.exp(z) - 1), 1 / z, 1 / z - sp.Rational(1, 2)),
        ("three terms", x * y * z, x**3 + y**3 + z**3, (x**3 + y**3 + z**3) / 4),
    ],
)
def test_true_ones_are_proved_and_false_ones_refused(kind: str, small: Any, large: Any, wrong: Any) -> None:
    found = shown_on(small, large, BOX)
    assert found.word == "proved"
    refused = shown_on(small, wrong, BOX)
    assert refused.word == "false"
    assert refused.point is not None
    at = {sp.Symbol(name, positive=True): sp.Rational(value) for name, value in refused.point.items()}
    assert (sp.sympify(small) - wrong).subs(at).evalf(40) > 0


def test_relations_cut_the_box() -> None:
    assert shown_on(x, x**2, BOX).word == "false"
    assert shown_on(x, x**2, BOX, [x >= 1.01]).word == "proved"
    assert shown_on(x * y, x**2 + 0 * y, BOX, [sp.Le(y, x / 2)]).word == "proved"


@pytest.mark.parametrize("gap", [sp.Rational(1, 10**9), 1e-9])
def test_nearly_equal_sides(gap: Any) -> None:
    assert shown_on(x * (1 + gap), x, BOX).word == "false"
    assert shown_on(x, x * (1 + gap), BOX).word == "proved"


def test_touching_sides_stay_open() -> None:
    found = shown_on(2 * x, 1 + x**2, BOX, pieces=2000)
    assert found.word == "open"
    assert found.pieces > 2000
    assert shown_on(sp.gamma(x), sp.gamma(x) + x * sp.gamma(x), BOX).word == "open"  # no intervals
