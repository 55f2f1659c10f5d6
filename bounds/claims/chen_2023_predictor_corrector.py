"""Chen, Chewi, Lee, Li, Lu & Salim (2023): the probability flow with correctors, DPUM and DPOM.

Unit clock, from gamma. Blocks of time 1/L of the frozen-score flow with steps h, each followed by a
corrector at the forward time reached: underdamped Langevin for time 1/sqrt L (DPUM) or overdamped Langevin
for time 1/L (DPOM), with steps h_corr. With all scores and their estimates L-Lipschitz, L >= 1, m_2^2 =
E|x|^2, and an error eps at every time

    TV(DPUM, q)  <~  (sqrt d + m_2) e^{-T} + sqrt L T eps + L^2 T sqrt d h + L^{3/2} T sqrt d h_corr,
    TV(DPOM, q)  <~  (sqrt d + m_2) e^{-T} + sqrt L T eps + L^2 T sqrt d h + L^{3/2} T sqrt(d h_corr).

The slides of 2024 have m_2^2 in the first, which is looser only up to sqrt d. DPOM: a round of time 1/L
costs sqrt(L d h_corr) by Girsanov's theorem, and there are L T of them; the resulting L^3 d/eps^2 steps are
those that the paper is cited for.

Corrector. Underdamped Langevin for q from p with velocities N(0, I), friction of order sqrt L, for time
1/sqrt L:

    TV(p P^N, q)  <~  sqrt L W2(p, q)  +  eps/sqrt L  +  sqrt(L d) h.

On N(m, I/L) the exponents of L and h are those of the predictor lemma; see the measured rates.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Eq, Rational, exp, sqrt

from bounds.claim import Claim, Source
from bounds.notation import symbols
from bounds.quantity import TV, W2
from bounds.setup import Setup

__all__ = ["CLAIMS", "FALSEHOODS"]

SOURCE = Source(
    authors="Sitan Chen, Sinho Chewi, Holden Lee, Yuanzhi Li, Jianfeng Lu, Adil Salim",
    year=2023,
    title="The probability flow ODE is provably fast",
    arxiv="2305.11798",
    venue="NeurIPS 2023",
    locator="theorem on DPUM",
    provenance="printed",
)
d, T, L, M2, eps, h, h_corr, v, friction = symbols("d T L M2 eps h h_corr v friction")
RANGES = {"T": (1, 10), "N": (1, 200), "L": (1, 20), "h_corr": (0.01, 0.5)}
UNDERDAMPED = Setup(clock="unit", sampler="dpum", score="estimated:sup", parameters=RANGES)
OVERDAMPED = replace(UNDERDAMPED, sampler="dpom")
CORRECTOR = Setup(
    clock="unit", sampler="ulmc", start="any", score="estimated:sup", parameters={"v": (1e-6, 1)}
)
CONDITIONS = (L >= 1, h * L <= 1, "shift-error")

common = {
    "initialisation": (sqrt(d) + sqrt(M2)) * exp(-T),
    "score": sqrt(L) * T * eps,
    "discretisation, predictor": L**2 * T * sqrt(d) * h,
}

dpum = Claim(
    key="chen-2023-probability-flow/dpum",
    title="TV of the probability flow with underdamped correctors",
    lhs=TV("target", "output"),
    terms={**common, "discretisation, corrector": L * sqrt(L) * T * sqrt(d) * h_corr},
    constant="absolute",
    assuming=(*CONDITIONS, h_corr * sqrt(L) <= 1),
    setup=UNDERDAMPED,
    source=SOURCE,
    standing="corrected",
    note="The slides print m_2^2 e^{-T} for m_2 e^{-T}: not homogeneous, and looser. The error is a shift.",
)
dpom = Claim(
    key="chen-2023-probability-flow/dpom",
    title="TV of the probability flow with overdamped correctors",
    lhs=TV("target", "output"),
    terms={**common, "discretisation, corrector": L * sqrt(L) * T * sqrt(d * h_corr)},
    constant="absolute",
    assuming=(*CONDITIONS, h_corr * L <= 1),
    setup=OVERDAMPED,
    source=replace(SOURCE, locator="theorem on DPOM", provenance="recalled"),
    standing="literal",
    note="Recalled; the count L^3 d/eps^2 of a printed summary fixes the power of L. The error is a shift.",
)
corrector = Claim(
    key="chen-2023-probability-flow/corrector",
    title="One block of the underdamped corrector",
    lhs=TV("output", "target"),
    terms={
        "initialisation": sqrt(L) * W2("start", "target"),
        "score": eps / sqrt(L),
        "discretisation": sqrt(L * d) * h,
    },
    constant="absolute",
    assuming=(Eq(T, sqrt(v)), Eq(friction, 2 / sqrt(v)), h <= sqrt(v), "shift-error"),
    setup=CORRECTOR,
    source=replace(SOURCE, locator="corrector lemma"),
    standing="literal",
    note="Printed on a slide. On N(m, I/L) with friction 2 sqrt L, where the block is of length 1/sqrt L "
    "= sqrt v.",
)

CLAIMS: tuple[Claim, ...] = (dpum, dpom, corrector)

FALSEHOODS: tuple[Claim, ...] = (
    dpum.but("small-constant", constant=Rational(1, 100)),
    dpom.but("small-constant", constant=Rational(1, 100)),
    corrector.but("small-constant", constant=Rational(1, 100)),
    corrector.but("score-forgotten", terms={"score": None}),
)
