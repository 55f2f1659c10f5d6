"""Gao, Nguyen & Zhu (2023) and Bruno et al. (2023): W2 of the reverse SDE for strongly log-concave data.

Gao, Nguyen and Zhu bound W2(q, output) for general drifts and noises, with a score that is accurate in L2 at
every time; for the variance-preserving process O~(d/eps^2) steps give accuracy eps, so that N steps leave an
error of order sqrt(d h). Bruno et al. have the same order with explicit constants, for the error of the score
along an auxiliary process in place of the data (2311.13584); Bruno and Sabanis (2025) have order one, sqrt(d)
h.

The displays are long and are not copied. Tried in the unit clock on N(m, v I), 1/4 <= v <= 4, with the exact
score and the frozen-score integrator from gamma, h <= 1/4; the start is forgotten at the rate e^{-T} at
least. There the error is of order sqrt(d) h: the better order is the true one.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Rational, exp, sqrt

from bounds.claim import Claim, Source
from bounds.notation import symbols
from bounds.quantity import W2
from bounds.setup import Setup

__all__ = ["CLAIMS", "FALSEHOODS"]

SOURCE = Source(
    "Xuefeng Gao, Hoang M. Nguyen, Lingjiong Zhu",
    2023,
    "Wasserstein convergence guarantees for a general class of score-based generative models",
    "abstract",
    "2311.11003",
    "",
    "J. Mach. Learn. Res. 26 (2025)",
    "printed",
)
BRUNO = Source(
    "Stefano Bruno, Sotirios Sabanis",
    2025,
    "Wasserstein convergence of score-based generative models under semiconvexity and discontinuous "
    "gradients",
    "abstract",
    "2505.03432",
    "v2",
    "",
    "printed",
)
T, W20, d, h, M2 = symbols("T W20 d h M2")
SMOOTH = Setup(
    clock="unit",
    sampler="ddpm-ei",
    score="exact",
    parameters={"v": (0.25, 4), "T": (0.1, 10)},
    target="gaussian",
)
FINE = (h <= Rational(1, 4), "isotropic")

half = Claim(
    key="gao-nguyen-zhu-2023/variance-preserving",
    title="W2 of the reverse SDE is of order sqrt(d h)",
    lhs=W2("target", "output"),
    terms={"initialisation": exp(-T) * W20, "discretisation": sqrt(d * h)},
    constant="absolute",
    assuming=FINE,
    setup=SMOOTH,
    source=SOURCE,
    standing="literal",
    note="The step count O~(d/eps^2) of the abstract, for variances between 1/4 and 4.",
)
first = Claim(
    key="bruno-2023/first-order",
    title="W2 of the reverse SDE is of order sqrt(d) h",
    lhs=W2("target", "output"),
    terms={"initialisation": exp(-T) * W20, "discretisation": sqrt(d + M2) * h},
    constant="absolute",
    assuming=FINE,
    setup=SMOOTH,
    source=BRUNO,
    standing="literal",
    note="Order one and sqrt d are those of the abstract, for variances between 1/4 and 4.",
)

CLAIMS: tuple[Claim, ...] = (half, first)

FALSEHOODS: tuple[Claim, ...] = (
    half.but("dimension-forgotten", terms={"discretisation": sqrt(h)}),
    half.but("small-constant", constant=Rational(1, 20)),
    first.but("second-order", terms={"discretisation": sqrt(d + M2) * h**2}),
    first.but(
        "faster-start",
        setup=replace(SMOOTH, parameters={"v": (0.25, 4), "T": (0.1, 4)}),
        terms={"initialisation": exp(-3 * T) * W20},
        constant=Rational(1, 2),
    ),
)
