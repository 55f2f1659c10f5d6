"""From transport cost to entropy and to total variation."""

from __future__ import annotations

from sympy import Abs, exp, sqrt

from bounds.claims import regularisation as stated
from bounds.derivation import Cases, Derivation, Link, by
from bounds.notation import symbols

__all__ = ["DERIVATIONS"]

a, t = symbols("a t")
ANY_CURVATURE = exp(2 * Abs(a) * t) * stated.COST / (4 * t)

total_variation = Derivation(
    key="regularisation/total-variation",
    title="From transport cost to total variation",
    proves="regularisation/total-variation",
    start=stated.total_variation.lhs,
    steps=(
        Link("pinsker", sqrt(stated.ENTROPY / 2), "functional-inequalities/pinsker"),
        Link("regularise", stated.total_variation.rhs, "regularisation/entropy"),
    ),
    setup=stated.FLOW,
)
any_curvature = Derivation(
    key="regularisation/any-curvature",
    about="regularisation/entropy",
    title="Regularisation like heat, up to the curvature",
    start=stated.ENTROPY,
    steps=(
        Link("regularise", stated.entropy.rhs, "regularisation/entropy"),
        Cases(
            "sign",
            ANY_CURVATURE,
            {
                "a >= 0": (
                    Link("convex", stated.COST / (4 * t), by("e^x - 1 >= x")),
                    Link("growth", ANY_CURVATURE, by("e^x >= 1")),
                ),
                "a <= 0": (Link("concave", ANY_CURVATURE, by("1 - e^{-x} >= x e^{-x}")),),
            },
        ),
    ),
    setup=stated.FLOW,
)

DERIVATIONS = (total_variation, any_curvature)
