"""Li & Yan (2024): O(d/N) for the stochastic sampler, and coefficients that adapt to the intrinsic dimension.

The forward chain and the schedule of `li_2023`. From Y_N ~ N(0, I), for t = N..2,

    Y_{t-1} = (Y_t + eta_t s_t(Y_t) + sigma_t Z_t) / sqrt(alpha_t),

    Theorem 1   eta = sigma^2 = 1 - alpha_t:
                TV(X_1, Y_1)  <~  d log^3 N / N  +  eps sqrt(log N)       for a finite first moment,
    Theorem 2   eta = 1 - alpha_t, sigma^2 = (1 - alpha_t)(alpha_t - alphabar_t)/(1 - alphabar_t):
                the same with the intrinsic dimension k of the support in place of d,

eps^2 = (1/N) sum_t E|s_t - grad log q_t|^2. A step with a wrong score costs the relative entropy of two
Gaussian kernels, ((1 - alpha_t)/2) E|s_t - grad log q_t|^2, and sum_t (1 - alpha_t) <= c1 log N.

A Dirac in R^d has k = 0: its reverse kernel is Gaussian with the variance of Theorem 2, so that these
coefficients lose nothing but the start. Those of Theorem 1 do not see it. With u_t = Var(Y_t)/(1 -
alphabar_t) per coordinate and q_t = (1 - alpha_t)/(1 - alphabar_t),

    u_{t-1} = (1 - q_t) u_t + q_t/(1 - q_t),      u_N = 1,

and q_t >= r/(1 + r) on this schedule, r = c1 log N/N (geometric steps) or q_t >= r (steps at the top). Hence
u_1 >= 1 + (r/(1 + r)) (1 - alphabar_N/(1 - alphabar_N)) if N^-c0 <= 1/2, and KL(X_1 || Y_1) = (d/2)(log u_1
+ 1/u_1 - 1), which grows like d.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Abs, Eq, Integer, Rational, log, sqrt

from bounds.claim import Claim, Source
from bounds.notation import symbols
from bounds.setup import Setup

__all__ = ["CLAIMS", "FALSEHOODS"]

SOURCE = Source(
    "Gen Li, Yuling Yan",
    2024,
    "O(d/T) convergence theory for diffusion probabilistic models under minimal assumptions",
    "Theorem 1, equation (3.1)",
    "2409.18959",
    "v1",
    "ICLR 2025; JMLR 26(292), 2025",
    "printed",
)
SECOND = replace(SOURCE, locator="Theorem 2", provenance="quoted")
KERNEL = replace(SOURCE, locator="equations (4.14) to (4.16)", provenance="quoted")

N, d, m1, v1, offset, beta, rate1 = symbols("N d m1 v1 offset beta rate1")
sde_tv, sde_kl, sde_kl_own, adapted_tv = symbols("sde_tv sde_kl sde_kl_own adapted_tv")
adapted_kl, adapted_kl_own, start_kl = symbols("adapted_kl adapted_kl_own start_kl")
kernel_kl, total_beta, signal_left = symbols("kernel_kl total_beta signal_left")

ANY_DIMENSION = Setup(clock="unit", model="noise-schedule")
MANY = replace(ANY_DIMENSION, parameters={"d": (1, 400)})
LINE = replace(ANY_DIMENSION, parameters={"d": (1, 1)})
CENTRED = (Eq(m1, Integer(0)), Eq(offset, Integer(0)))
DIRAC = (Eq(v1, Integer(0)), Eq(offset, Integer(0)))

theorem_1 = Claim(
    key="li-yan-2024/theorem-1",
    title="TV of the stochastic sampler, linear in d/N",
    lhs=sde_tv,
    terms={"discretisation": d * log(N) ** 3 / N},
    constant="absolute",
    assuming=CENTRED,
    setup=MANY,
    source=SOURCE,
    standing="literal",
    note="Read with its schedule (2.3) and first moment at most N^c. Tried on centred Gaussians and Diracs "
    "with the "
    "exact score.",
)
theorem_1_score = Claim(
    key="li-yan-2024/theorem-1-score",
    title="TV of the stochastic sampler with a shifted score",
    lhs=sde_tv,
    terms={"discretisation": d * log(N) ** 3 / N, "score": Abs(offset) * sqrt(log(N))},
    constant="absolute",
    setup=LINE,
    source=SOURCE,
    standing="literal",
    note="Tried on Gaussians of the line.",
)
theorem_2 = Claim(
    key="li-yan-2024/theorem-2",
    title="TV of the adapted coefficients, any dimension",
    lhs=adapted_tv,
    terms={"discretisation": d * log(N) ** 3 / N},
    constant="absolute",
    assuming=CENTRED,
    setup=MANY,
    source=SECOND,
    standing="literal",
    note="On Gaussians, where k = d; what the coefficients gain is seen on Diracs, where k = 0.",
)
theorem_2_score = Claim(
    key="li-yan-2024/theorem-2-score",
    title="TV of the adapted coefficients with a shifted score",
    lhs=adapted_tv,
    terms={"discretisation": d * log(N) ** 3 / N, "score": Abs(offset) * sqrt(log(N))},
    constant="absolute",
    setup=LINE,
    source=SECOND,
    standing="literal",
    note="Tried on Gaussians of the line, where k = d = 1.",
)
dirac_root = Claim(
    key="li-yan-2024/dirac-entropy",
    title="Root of the KL of the adapted coefficients on a Dirac in any dimension",
    lhs=sqrt(adapted_kl),
    terms={"start": sqrt(start_kl)},
    assuming=DIRAC,
    setup=ANY_DIMENSION,
    note="The kernels are exact, so the start is all that is lost, and the chain contracts it.",
)
dirac_exact = Claim(
    key="li-yan-2024/dirac-exact",
    title="The adapted coefficients are exact on a Dirac",
    lhs=adapted_kl_own,
    relation="==",
    terms={"discretisation": Integer(0)},
    assuming=DIRAC,
    setup=ANY_DIMENSION,
)
ratio = rate1 * log(N) / N
excess = ratio / (1 + ratio) * (1 - signal_left / (1 - signal_left))
dirac_lower = Claim(
    key="li-yan-2024/dirac-lower",
    title="The first coefficients lose an amount linear in d on a Dirac",
    lhs=sde_kl_own,
    relation=">=",
    terms={"discretisation": d * (log(1 + excess) - excess / (1 + excess)) / 2},
    assuming=(*DIRAC, signal_left <= Rational(1, 4)),
    setup=ANY_DIMENSION,
)
kernel = Claim(
    key="li-yan-2024/kernel",
    title="What a wrong score costs in one step",
    lhs=kernel_kl,
    relation="==",
    terms={"score": beta * offset**2 / 2},
    setup=Setup(clock="unit", model="kernel-shift"),
    source=KERNEL,
    standing="literal",
)
score_sum = Claim(
    key="li-yan-2024/score-sum",
    title="What a wrong score costs in all steps",
    lhs=total_beta / 2,
    terms={"score": rate1 * log(N) / 2},
    setup=Setup(clock="unit", model="step-schedule"),
    source=KERNEL,
    standing="literal",
)

CLAIMS: tuple[Claim, ...] = (
    theorem_1,
    theorem_1_score,
    theorem_2,
    theorem_2_score,
    dirac_root,
    dirac_exact,
    dirac_lower,
    kernel,
    score_sum,
)

FALSEHOODS: tuple[Claim, ...] = (
    theorem_1.but("small-constant", constant=Rational(1, 100)),
    theorem_1_score.but("small-constant", constant=Rational(1, 100)),
    theorem_2.but("small-constant", constant=Rational(1, 100)),
    theorem_2_score.but("small-constant", constant=Rational(1, 100)),
    dirac_root.but("first-coefficients", lhs=sqrt(sde_kl)),
    dirac_exact.but("first-coefficients", lhs=sde_kl_own),
    dirac_lower.but("adapted", lhs=adapted_kl_own),
    dirac_lower.but("twice", constant=4),
    kernel.but("without-half", terms={"score": beta * offset**2}),
    score_sum.but("half", constant=Rational(1, 2)),
)
