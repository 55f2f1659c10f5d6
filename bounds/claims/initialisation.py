"""Initialisation: how far the forward law is from gamma at the horizon.

For every data law q with M2 = E|x|^2 finite, on the unit clock,

    KL(q_T || gamma)  <=  (M2 + d) / (2 (e^{2T} - 1)),
    KL(q_T || gamma)  <=  e^{-2T} M2 / 2  +  d e^{-4T} / (4 (1 - e^{-2T})),
    KL(q_T || gamma)  <=  e^{-2T} KL(q || gamma),        W2(q_T, gamma)  <=  e^{-T} W2(q, gamma);

on the half clock T/2 stands for T. Nothing is hidden: all constants are stated.

Proof. q_T is the mixture over x ~ q of N(e^{-T} x, (1 - y) I) with y = e^{-2T}. KL is convex, so KL(q_T ||
gamma) <= y M2 / 2 + d (-y - log(1 - y)) / 2, with equality for Diracs. Now -y - log(1 - y) = y^2/2 + y^3/3 +
... <= y^2 / (2 (1 - y)) is the second line, and both terms together are at most (M2 + d) y / (2 (1 - y)), the
first. The last two are the log-Sobolev inequality of gamma and synchronous coupling, with equality for a
translate of gamma. Centred Gaussians decay like e^{-4T} in KL, so only a mean or a Dirac shows the rate.

The slides of 2024 print the rate e^{-2T} on the half clock, where it is e^{-T}.
"""

from __future__ import annotations

import sympy as sp
from sympy import exp

from bounds.claim import Claim, Sharp, Source
from bounds.notation import symbols
from bounds.quantity import KL, W2
from bounds.setup import Setup

__all__ = ["CLAIMS", "FALSEHOODS"]

SLIDES = Source(
    "Holden Lee",
    2024,
    "Slides on the convergence of diffusion models, 23 February 2024",
    "theorem without smoothness",
    provenance="printed",
)

T, d, M2, KL0, W20 = symbols("T d M2 KL0 W20")
UNIT, HALF = Setup(clock="unit"), Setup(clock="half")

TRANSLATE = Sharp(
    "translate of gamma",
    {"target": {"type": "gaussian", "eigenvalues": [1], "multiplicities": [1], "means": [1]}},
)
FAR_DIRAC = Sharp(
    "Dirac at distance 100",
    {"target": {"type": "gaussian", "eigenvalues": [0], "multiplicities": [1], "means": [100]}, "T": 6},
    attains=0.99,
)


def _slow(expr: sp.Expr) -> sp.Expr:
    """The same bound on the half clock, where the horizon T counts half."""
    return expr.xreplace({T: T / 2})


second_moment = Claim(
    key="initialisation/second-moment",
    title="KL to gamma at the horizon, by the second moment",
    lhs=KL("q_T", "gamma"),
    terms={"initialisation": (M2 + d) / (2 * (exp(2 * T) - 1))},
    setup=UNIT,
    sharp=(FAR_DIRAC,),
)
second_moment_half = Claim(
    key="initialisation/second-moment-half",
    title="KL to gamma at the horizon, by the second moment, half clock",
    lhs=KL("q_T", "gamma"),
    terms={"initialisation": _slow(second_moment.rhs)},
    setup=HALF,
    sharp=(FAR_DIRAC,),
)
split = Claim(
    key="initialisation/split",
    title="KL to gamma at the horizon: the mean decays at rate 2, the dimension at rate 4",
    lhs=KL("q_T", "gamma"),
    terms={
        "initialisation": M2 * exp(-2 * T) / 2,
        "initialisation, dimension": d * exp(-4 * T) / (4 * (1 - exp(-2 * T))),
    },
    setup=UNIT,
    sharp=(FAR_DIRAC,),
)
split_half = Claim(
    key="initialisation/split-half",
    title="KL to gamma at the horizon: the mean decays at rate 1, the dimension at rate 2, half clock",
    lhs=KL("q_T", "gamma"),
    terms={name: _slow(term) for name, term in split.terms.items()},
    setup=HALF,
    sharp=(FAR_DIRAC,),
)
contraction = Claim(
    key="initialisation/contraction",
    title="KL to gamma contracts",
    lhs=KL("q_T", "gamma"),
    terms={"initialisation": exp(-2 * T) * KL0},
    setup=UNIT,
    sharp=(TRANSLATE,),
)
contraction_half = Claim(
    key="initialisation/contraction-half",
    title="KL to gamma contracts, half clock",
    lhs=KL("q_T", "gamma"),
    terms={"initialisation": exp(-T) * KL0},
    setup=HALF,
    sharp=(TRANSLATE,),
)
contraction_w2 = Claim(
    key="initialisation/contraction-w2",
    title="W2 to gamma contracts",
    lhs=W2("q_T", "gamma"),
    terms={"initialisation": exp(-T) * W20},
    setup=UNIT,
    sharp=(TRANSLATE,),
)
contraction_w2_half = Claim(
    key="initialisation/contraction-w2-half",
    title="W2 to gamma contracts, half clock",
    lhs=W2("q_T", "gamma"),
    terms={"initialisation": exp(-T / 2) * W20},
    setup=HALF,
    sharp=(TRANSLATE,),
)
printed_rate = Claim(
    key="initialisation/printed-rate",
    title="The initialisation term of the slides, as printed",
    lhs=KL("q_T", "gamma"),
    terms={"initialisation": (M2 + d) * exp(-2 * T)},
    constant="absolute",
    assuming=(T >= 1,),
    setup=HALF,
    source=SLIDES,
    standing="literal",
    expect="diverges",
    note="Rate e^{-2T} belongs to the unit clock; on the half clock of the slides N(10, 1) has ratio e^T/2.",
)
corrected_rate = Claim(
    key="initialisation/corrected-rate",
    title="The initialisation term of the slides, corrected",
    lhs=KL("q_T", "gamma"),
    terms={"initialisation": (M2 + d) * exp(-T)},
    constant="absolute",
    assuming=(T >= 1,),
    setup=HALF,
    source=SLIDES,
    standing="corrected",
    note="Printed with e^{-2T}, the rate of the unit clock. For T >= 1 a constant 0.8 is enough.",
)

CLAIMS: tuple[Claim, ...] = (
    second_moment,
    second_moment_half,
    split,
    split_half,
    contraction,
    contraction_half,
    contraction_w2,
    contraction_w2_half,
    printed_rate,
    corrected_rate,
)
FALSEHOODS: tuple[Claim, ...] = (
    second_moment.but("without-dimension", terms={"initialisation": M2 / (2 * (exp(2 * T) - 1))}),
    second_moment.but("centred-rate", terms={"initialisation": (M2 + d) / (2 * (exp(4 * T) - 1))}),
    second_moment_half.but("unit-clock", terms={"initialisation": (M2 + d) / (2 * (exp(2 * T) - 1))}),
    split.but("mean-at-rate-4", terms={"initialisation": M2 * exp(-4 * T) / 2}),
    split.but(
        "dimension-at-rate-6", terms={"initialisation, dimension": d * exp(-6 * T) / (4 * (1 - exp(-2 * T)))}
    ),
    split_half.but("unit-clock", terms=dict(split.terms)),
    contraction.but("centred-rate", terms={"initialisation": exp(-4 * T) * KL0}),
    contraction_half.but("unit-clock", terms={"initialisation": exp(-2 * T) * KL0}),
    contraction_w2.but("rate-of-KL", terms={"initialisation": exp(-2 * T) * W20}),
    contraction_w2_half.but("unit-clock", terms={"initialisation": exp(-T) * W20}),
    corrected_rate.but("without-mean", terms={"initialisation": d * exp(-T)}),
)
