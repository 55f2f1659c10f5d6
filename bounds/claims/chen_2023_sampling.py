"""Chen, Chewi, Li, Li, Salim & Zhang (2023): sampling is as easy as learning the score.

Unit clock, exponential integrator with the score frozen over steps h = T/N, started from gamma. If the score
of every q_t is L-Lipschitz (L >= 1), m_2^2 = E|x|^2 is finite, the score error is at most eps in L2(q_t) at
every grid time, and h <~ 1/L, then

    TV(q, p_T)            <~  sqrt(KL(q || gamma)) e^{-T}  +  (L sqrt(d h) + L m_2 h) sqrt(T)  +  eps sqrt(T),
    KL(Q || P) from q_T   <~  (eps^2 + L^2 d h + L^2 m_2^2 h^2) T,

the first for the marginals (Theorem 2), the second for the path laws (Theorem 9), with absolute
constants. "h <~ 1/L" is read as h L <= 1.

Girsanov step. Q and P being the true and the sampler's reverse paths from q_T, KL(Q || P) is the integral of
E_Q|s_k(X_k) - grad log q_{T-t}(X_t)|^2 over all steps (half clock: half of it). With M_t = grad log
q_{T-t}(X_t), e^t M_t is a martingale under Q, so for the exact score a step costs the integral over 0 <= u <=
h of J(tau - u) - (2 e^{-u} - 1) J(tau), with J(tau) = E|grad log q_tau|^2. De Bruijn's identity sums the
first part:

    KL(q_T || gamma) + KL(Q || P)
        =  KL(q || gamma) + d T - (M2 - d)(1 - e^{-2T})/2 - sum_k (2 (1 - e^{-h_k}) - h_k) J(tau_k).

A constant shift of the score is orthogonal to M_t - M_k and adds its integrated square, exactly.

Explicit form. dM = -M dt + sqrt2 H dB with |H|_F^2 <= d L^2 and J <= d L gives E|M_t - M_k|^2 <= d L u^2 + 2
d L^2 u, hence a discretisation error of at most T (d L^2 h + d L h^2 / 3), for every step size, every L and
without m_2. A score error adds T eps^2 (time average) and, by the martingale property and Cauchy-Schwarz, at
most T h eps sqrt(d L); or Young's inequality doubles both.

Kinetic diffusion (Theorem 7). For q = gamma, exact score and h <= 1/10 the critically damped sampler has KL(Q
|| P) >= d h T; the exact value is 4 d T (1 - e^{-h}). On gamma the other schemes cost 2 d N (h - 1 + e^{-h})
(frozen score), a quarter of that (Euler-Maruyama) and nothing (frozen relative score). So "d h T" bounds the
frozen score from below only with the factor 1 - h/3.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Eq, Integer, Max, Rational, exp, log, sqrt

from bounds.claim import Claim, Sharp, Source
from bounds.notation import symbol, symbols
from bounds.quantity import KL, STEP, TV, Iterate, PathKL, ScoreError
from bounds.setup import Setup

__all__ = ["CLAIMS", "FALSEHOODS"]

SOURCE = Source(
    "Sitan Chen, Sinho Chewi, Jerry Li, Yuanzhi Li, Adil Salim, Anru R. Zhang",
    2023,
    "Sampling is as easy as learning the score: theory for diffusion models with minimal data assumptions",
    "Theorem 2",
    "2209.11215",
    "v3",
    "ICLR 2023",
    "quoted",
)
SLIDES = Source(
    "Holden Lee",
    2024,
    "Slides on the convergence of diffusion models, 23 February 2024",
    "Girsanov step",
    provenance="printed",
)

d, T, N, h, L, M2, KL0, eps, tol = symbols("d T N h L M2 KL0 eps tol")
x, k = symbol("x"), symbol("k")
step, eps_at = STEP["step"](k), STEP["eps_at"](k)
EI = Setup(clock="unit", sampler="ddpm-ei", score="exact")
ESTIMATED = replace(EI, score="estimated:time")
SUP = replace(EI, score="estimated:sup")
SLOW = Setup(clock="half", sampler="ddpm-ei", score="estimated:time")
STANDARD = {"type": "gaussian", "eigenvalues": [1], "multiplicities": [1], "means": [0]}
FINE_GAMMA = Sharp("gamma with fine steps", {"target": STANDARD, "T": 1, "N": 100}, attains=0.98)

frozen = Iterate(x + (2 * (1 - exp(-step)) - step) * STEP["J_at"](STEP["tau"](k)), x, Integer(0), k, N)
discretisation = T * (d * L**2 * h + d * L * h**2 / 3)

girsanov = Claim(
    key="chen-2023-sampling/girsanov",
    title="Girsanov step: the exact path KL of the frozen exact score",
    lhs=PathKL("target", "output"),
    relation="==",
    terms={"entropy": KL0 + d * T - (M2 - d) * (1 - exp(-2 * T)) / 2, "frozen score": -frozen},
    setup=EI,
    source=replace(SOURCE, locator="equation (5.5)"),
    note="The equation is quoted; its closed form by martingale and de Bruijn's identity is derived here.",
)
girsanov_shift = Claim(
    key="chen-2023-sampling/girsanov-shift",
    title="Girsanov step: a constant shift of the score adds its integrated square",
    lhs=PathKL("target", "output"),
    relation="==",
    terms={**girsanov.terms, "score": ScoreError("output")},
    assuming=("shift-error",),
    setup=ESTIMATED,
    source=replace(SOURCE, locator="equation (5.5)"),
)
chain_rule = Claim(
    key="chen-2023-sampling/chain-rule",
    title="Marginals are no farther apart than paths",
    lhs=KL("target", "output"),
    terms={"path": PathKL("target", "output")},
    setup=ESTIMATED,
)
slides_average = Claim(
    key="chen-2023-sampling/slides-average",
    title="Girsanov step with the score average of the slides, as printed",
    lhs=PathKL("target", "output"),
    terms={
        "initialisation": (M2 + d) / (2 * (exp(T) - 1)),
        "score": Iterate(x + eps_at**2, x, Integer(0), k, N),
        "discretisation": d * L**2 * T**2 / (2 * N) + d * L * T**3 / (12 * N**2),
    },
    setup=SLOW,
    source=SLIDES,
    standing="literal",
    expect="refuted",
    note="The slides average the squared score error without the weights h_k, so T times the average loses "
    "the step size: false as soon as h > 2. (They also print T, not N, as the last index.)",
)
slides_average_corrected = Claim(
    key="chen-2023-sampling/slides-average-corrected",
    title="Girsanov step with the weighted score average",
    lhs=PathKL("target", "output"),
    terms={**slides_average.terms, "score": Iterate(x + step * eps_at**2, x, Integer(0), k, N)},
    setup=SLOW,
    source=SLIDES,
    standing="corrected",
    note="The average is (1/T) sum_{k <= N} h_k |error_k|^2; the slides omit h_k and print T for N.",
)

theorem_2 = Claim(
    key="chen-2023-sampling/theorem-2",
    title="TV of the exponential integrator, smooth scores",
    lhs=TV("target", "output"),
    terms={
        "initialisation": sqrt(KL0) * exp(-T),
        "discretisation": (L * sqrt(d * h) + L * sqrt(M2) * h) * sqrt(T),
        "score": eps * sqrt(T),
    },
    constant="absolute",
    assuming=(L >= 1, h * L <= 1),
    setup=SUP,
    source=SOURCE,
    standing="literal",
    note="Quoted with these hypotheses by two later texts.",
)
theorem_9 = Claim(
    key="chen-2023-sampling/theorem-9",
    title="Path KL of the exponential integrator, smooth scores",
    lhs=PathKL("target", "output"),
    terms={
        "score": eps**2 * T,
        "discretisation": L**2 * d * h * T,
        "discretisation, second moment": L**2 * M2 * h**2 * T,
    },
    constant="absolute",
    assuming=(L >= 1, h * L <= 1),
    setup=replace(SUP, start="q_T"),
    source=replace(SOURCE, locator="Theorem 9"),
    standing="literal",
)
explicit_tv = Claim(
    key="chen-2023-sampling/explicit-tv",
    title="Theorem 2 with its constants, without the second moment",
    lhs=TV("target", "output"),
    terms={
        "initialisation": sqrt(KL0 / 2) * exp(-T),
        "score": eps * sqrt(T),
        "discretisation": 2 * L * sqrt(d * h * T / 3),
    },
    assuming=(L >= 1, h * L <= 1),
    setup=ESTIMATED,
)
explicit = Claim(
    key="chen-2023-sampling/explicit",
    title="Explicit KL of the exponential integrator, exact smooth score",
    lhs=KL("target", "output"),
    terms={"initialisation": exp(-2 * T) * KL0, "discretisation": discretisation},
    setup=EI,
)
explicit_path = Claim(
    key="chen-2023-sampling/explicit-path",
    title="Explicit path KL of the exponential integrator, exact smooth score",
    lhs=PathKL("target", "output"),
    terms=dict(explicit.terms),
    setup=EI,
    sharp=(FINE_GAMMA,),
)
explicit_young = Claim(
    key="chen-2023-sampling/explicit-young",
    title="Explicit KL of the exponential integrator, estimated smooth score, by Young's inequality",
    lhs=KL("target", "output"),
    terms={
        "initialisation": exp(-2 * T) * KL0,
        "score": 2 * T * eps**2,
        "discretisation": 2 * discretisation,
    },
    setup=ESTIMATED,
)
explicit_score_path = Claim(
    key="chen-2023-sampling/explicit-score-path",
    title="Explicit path KL of the exponential integrator, estimated smooth score, with the cross term",
    lhs=PathKL("target", "output"),
    terms={
        "initialisation": exp(-2 * T) * KL0,
        "score": T * eps**2,
        "discretisation": discretisation,
        "cross": T * h * eps * sqrt(d * L),
    },
    setup=ESTIMATED,
    sharp=(FINE_GAMMA,),
)

horizon = Claim(
    key="chen-2023-sampling/horizon",
    title="Choice of the horizon, as printed",
    lhs=sqrt(KL0) * exp(-T),
    terms={"accuracy": tol},
    assuming=(Eq(T, log(KL0 / tol)), tol < KL0),
    setup=Setup(clock="unit", parameters={"tol": (1e-4, 1)}),
    source=replace(SOURCE, locator="discussion of Theorem 2"),
    standing="literal",
    expect="refuted",
    note="T = log(KL0/tol) makes the first term tol/sqrt(KL0), too large whenever KL0 < 1.",
)
horizon_corrected = Claim(
    key="chen-2023-sampling/horizon-corrected",
    title="Choice of the horizon, corrected",
    lhs=sqrt(KL0) * exp(-T),
    terms={"accuracy": tol},
    assuming=(log(Max(KL0, tol**2) / tol**2) / 2 <= T,),
    setup=Setup(clock="unit", parameters={"tol": (1e-4, 1)}),
    source=replace(SOURCE, locator="discussion of Theorem 2"),
    standing="corrected",
    note="T is to be at least log(KL0/tol^2) / 2. Printed as T = log(KL0/tol), too short whenever KL0 < 1.",
)

theorem_7 = Claim(
    key="chen-2023-sampling/theorem-7",
    title="Lower bound for the path KL of the kinetic sampler on gamma",
    lhs=PathKL("target", "output"),
    relation=">=",
    terms={"discretisation": d * h * T},
    assuming=("standard", h <= Rational(1, 10)),
    setup=replace(EI, sampler="cld-ei"),
    source=replace(SOURCE, locator="Theorem 7"),
    standing="literal",
    note="True, with a factor near 4 to spare.",
)
kinetic_on_gamma = Claim(
    key="chen-2023-sampling/kinetic-on-gamma",
    title="Path KL of the kinetic sampler on gamma",
    lhs=PathKL("target", "output"),
    relation="==",
    terms={"discretisation": 4 * d * T * (1 - exp(-h))},
    assuming=("standard",),
    setup=replace(EI, sampler="cld-ei"),
)
frozen_on_gamma = Claim(
    key="chen-2023-sampling/frozen-score-on-gamma",
    title="Path KL of the frozen score on gamma",
    lhs=PathKL("target", "output"),
    relation="==",
    terms={"discretisation": 2 * d * N * (h - 1 + exp(-h))},
    assuming=("standard",),
    setup=EI,
)
frozen_lower = Claim(
    key="chen-2023-sampling/frozen-score-lower",
    title="Lower bound for the path KL of the frozen score on gamma",
    lhs=PathKL("target", "output"),
    relation=">=",
    terms={"discretisation": d * h * T * (1 - h / 3)},
    assuming=("standard", h <= 3),
    setup=EI,
    note="The bound d h T of Theorem 7 does not carry over from the kinetic sampler: it fails for every h.",
)
frozen_printed = Claim(
    key="chen-2023-sampling/theorem-7-for-ddpm",
    title="The kinetic lower bound read for the frozen score",
    lhs=PathKL("target", "output"),
    relation=">=",
    terms={"discretisation": d * h * T},
    assuming=("standard", h <= Rational(1, 10)),
    setup=EI,
    source=replace(SOURCE, locator="Theorem 7"),
    standing="literal",
    expect="refuted",
    note="Theorem 7 is about the kinetic sampler; for the frozen score the path KL is d h T (1 - h/3 + ...), "
    "below d h T for every h.",
)
euler_on_gamma = Claim(
    key="chen-2023-sampling/euler-on-gamma",
    title="Path KL of Euler-Maruyama on gamma",
    lhs=PathKL("target", "output"),
    relation="==",
    terms={"discretisation": d * N * (h - 1 + exp(-h)) / 2},
    assuming=("standard",),
    setup=replace(EI, sampler="ddpm-em"),
)
relative_on_gamma = Claim(
    key="chen-2023-sampling/relative-score-on-gamma",
    title="The frozen relative score is exact on gamma",
    lhs=PathKL("target", "output"),
    relation="==",
    terms={"discretisation": Integer(0)},
    assuming=("standard",),
    setup=replace(EI, sampler="cds-ei"),
)

CLAIMS: tuple[Claim, ...] = (
    girsanov,
    girsanov_shift,
    chain_rule,
    slides_average,
    slides_average_corrected,
    theorem_2,
    theorem_9,
    explicit_tv,
    explicit,
    explicit_path,
    explicit_young,
    explicit_score_path,
    horizon,
    horizon_corrected,
    theorem_7,
    kinetic_on_gamma,
    frozen_on_gamma,
    frozen_lower,
    frozen_printed,
    euler_on_gamma,
    relative_on_gamma,
)
FALSEHOODS: tuple[Claim, ...] = (
    girsanov.but("half-prefactor", lhs=2 * PathKL("target", "output")),
    girsanov.but("marginal", lhs=KL("target", "output")),
    girsanov_shift.but("half-prefactor", terms={"score": ScoreError("output") / 2}),
    girsanov_shift.but("any-error", assuming=()),
    chain_rule.but("reversed", relation=">="),
    slides_average_corrected.but(
        "quarter-prefactor", terms={"score": Iterate(x + step * eps_at**2 / 4, x, Integer(0), k, N)}
    ),
    theorem_2.but("score-forgotten", terms={"score": None}),
    theorem_9.but("score-over-one-step", terms={"score": eps**2 * h}),
    theorem_9.but("order-of-the-marginal", terms={"discretisation": L**2 * d * h**2 * T}),
    explicit_tv.but("score-over-one-step", terms={"score": eps * sqrt(h)}),
    explicit.but("centred-rate", terms={"initialisation": exp(-4 * T) * KL0}),
    explicit_path.but("half-prefactor", terms={"discretisation": discretisation / 2}),
    explicit_young.but("score-per-unit-time", terms={"score": 2 * eps**2}),
    explicit_score_path.but(
        "half-score", terms={"score": T * eps**2 / 2, "cross": T * h * eps * sqrt(d * L) / 2}
    ),
    explicit_score_path.but("without-cross", terms={"cross": None}),
    horizon_corrected.but("one-logarithm", assuming=(log(Max(KL0, tol) / tol) <= T,)),
    theorem_7.but("leading-constant", terms={"discretisation": 4 * d * h * T}),
    kinetic_on_gamma.but("leading-order", terms={"discretisation": 4 * d * h * T}),
    frozen_on_gamma.but("leading-order", terms={"discretisation": d * h * T}),
    frozen_lower.but("leading-order", terms={"discretisation": d * h * T}),
    euler_on_gamma.but("as-frozen-score", terms=dict(frozen_on_gamma.terms)),
    relative_on_gamma.but("frozen-score", setup=EI),
)
