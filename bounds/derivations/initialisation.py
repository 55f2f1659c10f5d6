"""The initial error by the second moment: convexity, then two elementary bounds of a logarithm.

q_T is the mixture over x ~ q of N(e^{-T} x, (1 - y) I), y = e^{-2T}; KL to gamma is convex, so it is at most
the average over Diracs, y M2/2 + d (-y - log(1 - y))/2. The series of the logarithm does the rest.
"""

from __future__ import annotations

from sympy import exp, log

from bounds.claims import initialisation as stated
from bounds.derivation import Derivation, Link, by
from bounds.notation import symbols

__all__ = ["DERIVATIONS"]

T, d, M2 = symbols("T d M2")
y = exp(-2 * T)
DIRACS = M2 * y / 2 + d * (-y - log(1 - y)) / 2

split = Derivation(
    key="initialisation/split",
    title="KL to gamma at the horizon, two rates",
    proves="initialisation/split",
    start=stated.split.lhs,
    steps=(
        Link("convexity", DIRACS, by("convexity of KL, from mixtures to Diracs")),
        Link("series", stated.split.rhs, by("-y - log(1 - y) <= y^2/(2 (1 - y))")),
    ),
    setup=stated.split.setup,
)
second_moment = Derivation(
    key="initialisation/second-moment",
    title="KL to gamma at the horizon, one rate",
    proves="initialisation/second-moment",
    start=stated.second_moment.lhs,
    steps=(
        Link("two-rates", stated.split.rhs, "initialisation/split"),
        Link("one-rate", stated.second_moment.rhs, by("y <= y/(1 - y), and y^2/2 <= y")),
    ),
    setup=stated.second_moment.setup,
)

DERIVATIONS = (split, second_moment)
