"""Gao & Zhu (2024): W2 of the probability flow, and the orders of its integrators.

For strongly log-concave data the probability flow contracts, and its exponential integrator needs O~(sqrt
d/eps) steps for accuracy eps in W2: the error is of order sqrt d h for fixed smoothness. Heun's method
(explicit trapezoid) is of order h^2, up to derivatives of the score (Huang, Huang and Lin (2024) for
Runge-Kutta methods in TV: d (d h)^p for order p).

Tried on N(m, v I), 1/4 <= v <= 4, from q_T in the unit clock, h <= 1/4. The long explicit display of the
paper is not copied.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Rational, sqrt

from bounds.claim import Claim, Source
from bounds.notation import symbols
from bounds.quantity import W2
from bounds.setup import Setup

__all__ = ["CLAIMS", "FALSEHOODS"]

SOURCE = Source(
    "Xuefeng Gao, Lingjiong Zhu",
    2024,
    "Convergence analysis for general probability flow ODEs of diffusion models in Wasserstein distances",
    "abstract",
    "2401.17958",
    "",
    "AISTATS 2025",
    "printed",
)
RUNGE_KUTTA = Source(
    "Daniel Zhengyu Huang, Jiaoyang Huang, Zhengjiang Lin",
    2024,
    "Convergence analysis of probability flow ODE for score-based generative models",
    "abstract",
    "2404.09730",
    "v2",
    "",
    "printed",
)
L, M2, d, h = symbols("L M2 d h")
EULER = Setup(
    clock="unit",
    sampler="pf-ei",
    start="q_T",
    score="exact",
    parameters={"v": (0.25, 4), "T": (0.1, 10)},
    target="gaussian",
)
HEUN = replace(EULER, sampler="pf-heun")
FINE = (h <= Rational(1, 4), "isotropic")

first = Claim(
    key="gao-zhu-2024/exponential-integrator",
    title="W2 of the frozen-score flow is of order h",
    lhs=W2("target", "output"),
    terms={"discretisation": sqrt(d + M2) * h},
    constant="absolute",
    assuming=FINE,
    setup=EULER,
    source=SOURCE,
    standing="literal",
    note="The step count O~(sqrt d/eps) of the abstract, for variances between 1/4 and 4.",
)
second = Claim(
    key="gao-zhu-2024/heun",
    title="W2 of Heun's method for the flow is of order h^2",
    lhs=W2("target", "output"),
    terms={"discretisation": sqrt(d * L**3 + M2) * h**2},
    constant="absolute",
    assuming=(h * L <= Rational(1, 4), L >= 1, "isotropic"),
    setup=HEUN,
    source=RUNGE_KUTTA,
    standing="literal",
    note="The order p = 2 of the abstract, which speaks of TV, in W2; the power of L is that of Gaussians.",
)

CLAIMS: tuple[Claim, ...] = (first, second)

FALSEHOODS: tuple[Claim, ...] = (
    first.but("second-order", terms={"discretisation": sqrt(d + M2) * h**2}),
    first.but("dimension-forgotten", terms={"discretisation": h}),
    second.but("third-order", terms={"discretisation": sqrt(d * L**3 + M2) * h**3}),
)
