"""Conforti, Durmus & Silveri (2023): KL bounds from the relative Fisher information alone.

Unit clock. The sampler freezes the *relative* score grad log(q_t/gamma) over steps h = T/N and starts from
gamma; eps^2 is the time average of the squared score error. If I(q|gamma) = E_q|grad log(q/gamma)|^2 is
finite then, with an absolute constant,

    KL(q || p_T)  <~  e^{-2T} KL(q || gamma)  +  T eps^2  +  h I(q|gamma),

without a Lipschitz condition and without early stopping.

Explicit form, any h: for the exact score KL(q || p_T) <= e^{-2T} KL(q || gamma) + h I(q|gamma), for the
marginals and for the paths; a score error adds 2 T eps^2 and doubles the last term (Young).

Proof. Along the reverse process e^{-t} grad log(q_{T-t}/gamma) is a martingale, so a step from tau costs the
integral over 0 <= u <= h of I(tau - u) - (2 e^u - 1) I(tau) <= I(tau - u) - I(tau), with I(t) = I(q_t|gamma)
decreasing. It is at most h (I(tau - h) - I(tau)), and the sum telescopes to h (I(0) - I(T)). Early stopping
replaces q by q_delta, for which convexity gives I(q_delta|gamma) <= e^{-2 delta} M2 + d e^{-4 delta}/(1 -
e^{-2 delta}), with equality for Diracs.

The freezing matters: with the score itself frozen the bound fails at gamma, where its right side is zero.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import exp

from bounds.claim import Claim, Sharp, Source
from bounds.notation import symbols
from bounds.quantity import FI, KL, PathKL
from bounds.setup import Setup

__all__ = ["CLAIMS", "FALSEHOODS"]

SOURCE = Source(
    "Giovanni Conforti, Alain Durmus, Marta Gentiloni Silveri",
    2023,
    "KL convergence guarantees for score diffusion models under minimal data assumptions",
    "main theorem",
    "2308.12240",
    "v2",
    "SIAM Journal on Mathematics of Data Science 2025",
    "recalled",
)

d, T, h, delta, M2, KL0, FI0, eps = symbols("d T h delta M2 KL0 FI0 eps")
EXACT = Setup(clock="unit", sampler="cds-ei", score="exact")
ESTIMATED = replace(EXACT, score="estimated:time")
DIRAC = {"type": "gaussian", "eigenvalues": [0], "multiplicities": [1], "means": [1]}
TRANSLATE = {"type": "gaussian", "eigenvalues": [1], "multiplicities": [1], "means": [1]}

literal = Claim(
    key="conforti-2023/finite-fisher",
    title="KL from the relative Fisher information",
    lhs=KL("target", "output"),
    terms={"initialisation": exp(-2 * T) * KL0, "score": T * eps**2, "discretisation": h * FI0},
    constant="absolute",
    setup=ESTIMATED,
    source=SOURCE,
    standing="literal",
    note="The abstract was read; the display is recalled.",
)
literal_path = Claim(
    key="conforti-2023/finite-fisher-path",
    title="Path KL from the relative Fisher information",
    lhs=PathKL("target", "output"),
    terms=dict(literal.terms),
    constant="absolute",
    setup=ESTIMATED,
)
explicit = Claim(
    key="conforti-2023/explicit",
    title="Explicit KL from the relative Fisher information, exact score",
    lhs=KL("target", "output"),
    terms={"initialisation": exp(-2 * T) * KL0, "discretisation": h * FI0},
    setup=EXACT,
)
explicit_path = Claim(
    key="conforti-2023/explicit-path",
    title="Explicit path KL from the relative Fisher information, exact score",
    lhs=PathKL("target", "output"),
    terms=dict(explicit.terms),
    setup=EXACT,
)
explicit_path_start = Claim(
    key="conforti-2023/explicit-path-from-q_T",
    title="Discretisation error of the frozen relative score",
    lhs=PathKL("target", "output"),
    terms={"discretisation": h * FI0},
    setup=replace(EXACT, start="q_T"),
)
explicit_score_path = Claim(
    key="conforti-2023/explicit-score-path",
    title="Explicit path KL from the relative Fisher information, estimated score",
    lhs=PathKL("target", "output"),
    terms={"initialisation": exp(-2 * T) * KL0, "score": 2 * T * eps**2, "discretisation": 2 * h * FI0},
    setup=ESTIMATED,
)
early_information = Claim(
    key="conforti-2023/early-stopped-information",
    title="Relative Fisher information after noising",
    lhs=FI("q_delta", "gamma"),
    terms={"information": exp(-2 * delta) * M2 + d * exp(-4 * delta) / (1 - exp(-2 * delta))},
    assuming=(delta > 0,),
    setup=Setup(clock="unit"),
    sharp=(Sharp("Dirac", {"target": DIRAC, "T": 2, "delta": 0.5}),),
)
early_path = Claim(
    key="conforti-2023/early-stopped-path",
    title="Explicit path KL with early stopping, exact score, any data",
    lhs=PathKL("q_delta", "output"),
    terms={
        "initialisation": exp(-2 * T) * M2 / 2 + d * exp(-4 * T) / (4 * (1 - exp(-2 * T))),
        "discretisation": h * early_information.rhs,
    },
    assuming=(delta > 0,),
    setup=EXACT,
)
early = replace(
    early_path,
    key="conforti-2023/early-stopped",
    title="Explicit KL with early stopping, exact score, any data",
    lhs=KL("q_delta", "output"),
)

CLAIMS: tuple[Claim, ...] = (
    literal,
    literal_path,
    explicit,
    explicit_path,
    explicit_path_start,
    explicit_score_path,
    early_information,
    early_path,
    early,
)
FALSEHOODS: tuple[Claim, ...] = (
    literal.but("score-forgotten", terms={"score": None}),
    literal_path.but("frozen-score", setup=replace(ESTIMATED, sampler="ddpm-ei")),
    literal_path.but("second-order", terms={"discretisation": h**2 * FI0}),
    explicit.but("frozen-score", setup=replace(EXACT, sampler="ddpm-ei")),
    explicit.but("centred-rate", terms={"initialisation": exp(-4 * T) * KL0}),
    explicit_path.but("frozen-score", setup=replace(EXACT, sampler="ddpm-ei")),
    explicit_path_start.but("a-quarter", terms={"discretisation": h * FI0 / 4}),
    explicit_score_path.but("half-score", terms={"score": T * eps**2 / 2}),
    early_information.but("without-mean", terms={"information": d * exp(-4 * delta) / (1 - exp(-2 * delta))}),
    early_path.but("frozen-score", setup=replace(EXACT, sampler="ddpm-ei")),
    early.but("frozen-score", setup=replace(EXACT, sampler="ddpm-ei")),
)
