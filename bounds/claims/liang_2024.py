"""Liang, Ju, Liang & Shroff (2024): a stochastic sampler with the covariance of its steps from the Hessian.

The forward chain and the schedule of `li_2023`. Given X_t = x the previous state has the moments

    E[X_{t-1}|x]    =  (x + (1 - alpha_t) s_t(x))/sqrt(alpha_t),
    Cov(X_{t-1}|x)  =  ((1 - alpha_t)/alpha_t) (I + (1 - alpha_t) Hess log q_t(x)),

Tweedie's formulas of order one and two. A sampler that draws from the Gaussian of these moments needs
O~(1/eps) steps (recalled), against O~(1/eps^2) in the same analysis with a constant covariance. On Gaussian
data its kernels are the true ones: it is exact but for the start, where the first coefficients of Li and Yan
are not. On a point it is their second choice.
"""

from __future__ import annotations

from sympy import Eq, Integer, sqrt

from bounds.claim import Claim, Source
from bounds.notation import symbols
from bounds.setup import Setup

__all__ = ["CLAIMS", "FALSEHOODS"]

SOURCE = Source(
    "Yuchen Liang, Peizhong Ju, Yingbin Liang, Ness Shroff",
    2024,
    "Broadening target distributions for accelerated diffusion models via a novel analysis approach",
    "accelerated sampler",
    "2402.13901",
    "",
    "",
    "recalled",
)
N, d, m1, offset, v1 = symbols("N d m1 offset v1")
matched_kl, matched_kl_own, sde_kl_own, adapted_kl_own, start_kl = symbols(
    "matched_kl matched_kl_own sde_kl_own adapted_kl_own start_kl"
)
SCHEDULE = Setup(clock="unit", model="noise-schedule")
EXACT = (Eq(offset, Integer(0)),)

rate = Claim(
    key="liang-2024/accelerated",
    title="Root of the KL of the sampler with matched covariances below sqrt(d + |m|^2)/N on Gaussians",
    lhs=sqrt(matched_kl),
    terms={"discretisation": sqrt(d + m1**2) / N},
    assuming=EXACT,
    setup=SCHEDULE,
    source=SOURCE,
    note="The order is that of the paper (recalled; the abstract is read), the constant holds for c1 >= 4: "
    "only "
    "the start is lost.",
)
exact = Claim(
    key="liang-2024/gaussian-exact",
    title="The sampler with matched covariances is exact on Gaussians",
    lhs=matched_kl_own,
    relation="==",
    terms={"discretisation": Integer(0)},
    assuming=EXACT,
    setup=SCHEDULE,
)
start = Claim(
    key="liang-2024/start",
    title="The sampler with matched covariances loses no more than its start on Gaussians",
    lhs=sqrt(matched_kl),
    terms={"start": sqrt(start_kl)},
    assuming=EXACT,
    setup=SCHEDULE,
)

CLAIMS: tuple[Claim, ...] = (rate, exact, start)

FALSEHOODS: tuple[Claim, ...] = (
    rate.but("any-score", assuming=()),
    exact.but("constant-covariance", lhs=sde_kl_own),
    exact.but("covariance-of-a-point", lhs=adapted_kl_own),
    exact.but("any-score", assuming=()),
    start.but("any-score", assuming=()),
)
