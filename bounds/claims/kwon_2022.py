"""Kwon, Fan & Lee (2022), Theorem 1 and Corollaries 1 and 2: score matching bounds the Wasserstein distance.

Run the reverse SDE of dx = f dt + g dw in continuous time with an estimate s_hat of the score, from a prior
pi at time T. Let f(., t) be L_f-Lipschitz, let (s_hat(x) - s_hat(y)).(x - y) <= L_s(t) |x - y|^2 with L_s
of either sign, and write b(t) = E_{q_t} |s_hat - grad log q_t|^2, I(t) = exp int_0^t (L_f + g^2 L_s). Then

    W2(q, output)  <=  int_0^T g^2 I(t) sqrt(b(t)) dt  +  I(T) W2(q_T, pi).

Corollary 1, by Cauchy and Schwarz: with J_SM = (1/2) int g^2 b, the integral is at most
sqrt(2 int g^2 I^2 J_SM). Corollary 2: for the Ornstein-Uhlenbeck process and pi = gamma,
W2(q_T, pi) <= e^{-T} W2(q, gamma) in the unit clock.

Here the data are alpha-strongly log-concave, so that -Hess log q_t >= alpha/(e^{-2t} + alpha (1 - e^{-2t}))
in the unit clock, and the error is a constant shift, so that s_hat has the curvature of the score. Then

    I(t)  =  e^{-t}/(e^{-2t} + alpha (1 - e^{-2t})),    half clock:  e^{-t/2}/(e^{-t} + alpha (1 - e^{-t})).

and int_0^T I^2 dt = (1 - e^{-2T})/(2 (e^{-2T} + alpha (1 - e^{-2T}))) in the unit clock. The integral of the
theorem is taken in z, e^z = 1 + alpha (e^{2t} - 1), where it is smooth for isotropic data. For gamma as
target and a constant shift there is equality.
"""

from __future__ import annotations

from sympy import Expr, Integral, exp, log, sqrt

from bounds.claim import Claim, Sharp, Source
from bounds.notation import symbol, symbols
from bounds.quantity import STEP, W2, ScoreError
from bounds.setup import Setup

__all__ = ["CLAIMS", "FALSEHOODS", "SOURCE"]

SOURCE = Source(
    authors="Dohyun Kwon, Ying Fan, Kangwook Lee",
    year=2022,
    title="Score-based generative modeling secretly minimizes the Wasserstein distance",
    arxiv="2212.06359",
    venue="NeurIPS 2022",
    locator="Theorem 1, Corollaries 1 and 2",
    provenance="quoted",
)
T, W20, alpha = symbols("T W20 alpha")
z = symbol("z")

UNIT = Setup(clock="unit", sampler="reverse-sde", score="estimated", parameters={"T": (0.05, 10)})
HALF = Setup(clock="half", sampler="reverse-sde", score="estimated", parameters={"T": (0.1, 20)})
NOTE = "Read with an error that is a shift: the one-sided constant of the estimate is that of the score."
STANDARD = {"type": "gaussian", "eigenvalues": [1], "multiplicities": [1], "means": [0]}
SHIFT = {"target": STANDARD, "T": 2, "N": 1, "score": {"shift": [0.3], "linear": [0], "profile": "constant"}}

CURVATURE = exp(-2 * T) + alpha * (1 - exp(-2 * T))
GROWTH = exp(-T) / CURVATURE
SQUARED_GROWTH = (1 - exp(-2 * T)) / (2 * CURVATURE)
GROWTH_HALF = exp(-T / 2) / (exp(-T) + alpha * (1 - exp(-T)))


def score_term(rate: int) -> Expr:
    """Integral of g^2 I sqrt(b) in the smooth variable z: rate 2 in the unit clock, 1 in the half clock."""
    time = log(1 + (exp(z) - 1) / alpha) / rate
    end = log(1 + alpha * (exp(rate * T) - 1))
    return Integral(STEP["error_at"](time) / sqrt(alpha * (exp(z) - 1 + alpha)), (z, 0, end))


theorem = Claim(
    key="kwon-2022/wasserstein",
    title="Score matching in W2, unit clock",
    lhs=W2("target", "output"),
    terms={"initialisation": GROWTH * W2("q_T", "gamma"), "score": score_term(2)},
    assuming=("shift-error", "isotropic", "density"),
    setup=UNIT,
    source=SOURCE,
    standing="literal",
    note=NOTE,
    sharp=(Sharp("shifted score on gamma", SHIFT),),
)

half_clock = Claim(
    key="kwon-2022/wasserstein-half-clock",
    title="Score matching in W2, half clock",
    lhs=W2("target", "output"),
    terms={"initialisation": GROWTH_HALF * W2("q_T", "gamma"), "score": score_term(1)},
    assuming=("shift-error", "isotropic", "density"),
    setup=HALF,
    source=SOURCE,
    standing="literal",
    note=NOTE,
    sharp=(Sharp("shifted score on gamma", SHIFT),),
)

corollary_one = Claim(
    key="kwon-2022/score-matching-loss",
    title="Score matching in W2, through the loss",
    lhs=W2("target", "output"),
    terms={
        "initialisation": GROWTH * W2("q_T", "gamma"),
        "score": 2 * sqrt(SQUARED_GROWTH * ScoreError("output")),
    },
    assuming=("shift-error",),
    setup=UNIT,
    source=SOURCE,
    standing="literal",
    note=NOTE,
)

corollary_two = Claim(
    key="kwon-2022/ornstein-uhlenbeck",
    title="Score matching in W2, from the distance of the data to gamma",
    lhs=W2("target", "output"),
    terms={
        "initialisation": GROWTH * exp(-T) * W20,
        "score": 2 * sqrt(SQUARED_GROWTH * ScoreError("output")),
    },
    assuming=("shift-error",),
    setup=UNIT,
    source=SOURCE,
    standing="literal",
    note=NOTE,
)

CLAIMS: tuple[Claim, ...] = (theorem, half_clock, corollary_one, corollary_two)

FALSEHOODS: tuple[Claim, ...] = (
    theorem.but("half-clock-prefactor", terms={"score": score_term(2) / 2}),
    theorem.but("contracted-twice", terms={"initialisation": GROWTH * exp(-T) * W2("q_T", "gamma")}),
    half_clock.but("unit-clock-rate", terms={"initialisation": GROWTH * W2("q_T", "gamma")}),
    half_clock.but("half-score", terms={"score": score_term(1) / 2}),
    corollary_one.but("half-score", terms={"score": sqrt(SQUARED_GROWTH * ScoreError("output"))}),
    corollary_two.but("contracted-thrice", terms={"initialisation": GROWTH * exp(-2 * T) * W20}),
)
