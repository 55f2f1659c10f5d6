"""Jain & Zhang (2025): the probability flow with a step of forward noise, d^2/K^2 in KL.

Unit clock, times t_0 < ... < t_K = T with steps h_k = c min(1, t_k). From gamma, for k = K..2: run the flow
with the score frozen at t_k over two steps, then the forward process over one,

    y   =  e^{h_k + h_{k-1}} x  +  (e^{h_k + h_{k-1}} - 1) s(t_k, x),
    x+  =  e^{-h_{k-1}} y  +  sqrt(1 - e^{-2 h_{k-1}}) eta.

For T >= 1, m^2 = E|x|^2, K > d (log(1/t_0) + T) and c of order (log(1/t_0) + T)/K,

    KL(q_{t_1} || output)  <~  (d + m^2) e^{-T}  +  d^2 c^3 K  +  T eps^2.                       (Theorem 3.1)

One step compares Gaussians: for two starts y, y' the noised laws satisfy

    KL  =  e^{-2h} |y - y'|^2 / (2 (1 - e^{-2h})).                                              (Lemma A.1)

The condition on K is read as c d <= 1. On Gaussians the rate of the first term is e^{-2T}, as the unit
clock has it, and KL falls like K^-2.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Rational, exp

from bounds.claim import Claim, Source
from bounds.notation import symbols
from bounds.setup import Setup

__all__ = ["CLAIMS", "FALSEHOODS"]

SOURCE = Source(
    "Nishant Jain, Tong Zhang",
    2025,
    "A sharp KL-convergence analysis for diffusion models under minimal assumptions",
    "Theorem 3.1",
    "2508.16306",
    "v1",
    "",
    "quoted",
)
T, d, lag, m1, offset, ratio, v1 = symbols("T d lag m1 offset ratio v1")
noised_kl, grid_steps, noising_kl = symbols("noised_kl grid_steps noising_kl")
NOISED = Setup(clock="unit", model="noised-flow")

second_moment = m1**2 + d * v1
terms = {
    "initialisation": (d + second_moment) * exp(-T),
    "discretisation": d**2 * ratio**3 * grid_steps,
    "score": T * offset**2,
}

theorem = Claim(
    key="jain-zhang-2025/theorem-3.1",
    title="KL of the flow with a step of forward noise",
    lhs=noised_kl,
    terms=dict(terms),
    constant="absolute",
    assuming=(ratio * d <= 1,),
    setup=NOISED,
    source=SOURCE,
    standing="literal",
    note="The display is quoted; the abstract, which is printed, asks for the same d "
    "log^{3/2}(1/delta)/eps steps. "
    "Tried on Gaussians with a shifted score.",
)
faster = Claim(
    key="jain-zhang-2025/faster-start",
    title="KL of the flow with a step of forward noise, at the rate of the unit clock",
    lhs=noised_kl,
    terms={**terms, "initialisation": (d + second_moment) * exp(-2 * T)},
    constant="absolute",
    assuming=(ratio * d <= 1,),
    setup=NOISED,
)
step = Claim(
    key="jain-zhang-2025/one-step",
    title="KL of two noised points",
    lhs=noising_kl,
    relation="==",
    terms={"distance": exp(-2 * lag) * offset**2 / (2 * (1 - exp(-2 * lag)))},
    setup=Setup(clock="unit", model="noising-step"),
    source=replace(SOURCE, locator="Lemma A.1"),
    standing="literal",
)

CLAIMS: tuple[Claim, ...] = (theorem, faster, step)

FALSEHOODS: tuple[Claim, ...] = (
    theorem.but("score-forgotten", terms={"score": None}),
    theorem.but("small-constant", constant=Rational(1, 1000)),
    faster.but("score-forgotten", terms={"score": None}),
    faster.but("centred-rate", terms={"initialisation": (d + second_moment) * exp(-4 * T)}, constant=1),
    step.but("half-clock", terms={"distance": exp(-lag) * offset**2 / (2 * (1 - exp(-lag)))}),
)
