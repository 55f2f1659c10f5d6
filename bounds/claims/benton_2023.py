"""Benton, Deligiannidis & Doucet (2023): W2 of flow matching, with all constants.

X_t is a path from X_0 ~ pi_0 to X_1 ~ pi_1 and v its velocity E[X_t' | X_t = x]. Run the ODE of an estimate
v_hat from pi_0. If E int |v_hat - v|^2 <= eps^2 under the true path and v_hat(., t) is L_t-Lipschitz,

    W2(pi_1, output)  <=  eps exp(int_0^1 L_t dt).                                                (Theorem 1)

A one-sided constant serves: with l_t = the largest slope of v_hat, positive part, eps exp(int (l_t)_+ dt).

The true velocity of a path through smoothed data has int L_t <= lambda log(gamma_0/gamma_1) for X_1 +
gamma(t) Z, gamma falling from gamma_0 to gamma_1 (Corollary 2, where gamma_0 <= 1 gives lambda
log(1/gamma_1)). Here lambda is the regularity of the data: the posterior covariance of the noise gamma Z is
at most lambda gamma^2. lambda = 1 for Gaussians, also degenerate ones, and lambda = 1 + R^2/v for mixtures
of N(x_i, v I) with |x_i| <= R.

Tried on X_t = (1 - t) X_0 + t X_1 with X_0 ~ N(0, 1) and X_1 ~ N(0, v), where S = (1 - t)^2 + t^2 v, v(x,
t) = (S'/(2 S)) x, and on X_1 + gamma Z. A shift of the velocity is carried to the end by sqrt(v/S): the
one-sided bound is nearly attained for large v.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Eq, Max, Rational, exp, log, sqrt

from bounds.claim import Claim, Sharp, Source
from bounds.notation import symbols
from bounds.setup import Setup

__all__ = ["CLAIMS", "FALSEHOODS"]

SOURCE = Source(
    "Joe Benton, George Deligiannidis, Arnaud Doucet",
    2023,
    "Error bounds for flow matching methods",
    "Theorem 1",
    "2305.16860",
    "",
    "TMLR 2024",
    "quoted",
)
m1, m2, v1, v2, s_t, hessian = symbols("m1 m2 v1 v2 s_t hessian")
noise_start, noise_end = symbols("noise_start noise_end")
flow_gap, velocity_error, lipschitz_sum, growth_sum = symbols(
    "flow_gap velocity_error lipschitz_sum growth_sum"
)
FLOW = Setup(clock="unit", model="flow-matching")
EXPLODING = Setup(clock="unit", model="exploding-flow")
CHANNEL = Setup(clock="unit", model="two-component")
ATOM = {"model": "exploding-flow", "parameters": {"v1": 0, "noise_start": 1, "noise_end": 0.01}}

theorem_1 = Claim(
    key="benton-2023/theorem-1",
    title="W2 of flow matching through the Lipschitz constant",
    lhs=flow_gap,
    terms={"velocity": sqrt(velocity_error) * exp(lipschitz_sum)},
    setup=FLOW,
    source=SOURCE,
    standing="literal",
)
one_sided = Claim(
    key="benton-2023/one-sided",
    title="W2 of flow matching through the one-sided constant",
    lhs=flow_gap,
    terms={"velocity": sqrt(velocity_error) * exp(growth_sum)},
    setup=FLOW,
)
exploding = Claim(
    key="benton-2023/exploding-printed",
    title="Lipschitz constant of the variance-exploding flow, without the normalisation",
    lhs=lipschitz_sum,
    terms={"noise": log(1 / noise_end)},
    assuming=(noise_end < 1,),
    setup=EXPLODING,
    source=replace(SOURCE, locator="Corollary 2"),
    standing="literal",
    expect="refuted",
    note="The display leaves out gamma_0 and needs gamma_0 <= 1.",
)
exploding_corrected = Claim(
    key="benton-2023/exploding",
    title="Lipschitz constant of the variance-exploding flow",
    lhs=lipschitz_sum,
    terms={"noise": log(noise_start / noise_end)},
    setup=EXPLODING,
    source=replace(SOURCE, locator="Corollary 2"),
    standing="corrected",
    note="The paper has log(1/gamma_1), under gamma_0 <= 1; lambda = 1 for Gaussians and Diracs.",
    sharp=(Sharp("Dirac", ATOM),),
)
regular = Claim(
    key="benton-2023/regular-mixture",
    title="Regularity of a mixture of two equal Gaussians",
    lhs=1 + s_t**2 * hessian,
    terms={"regularity": 1 + Max(m1**2, m2**2) / v1},
    assuming=(v1 >= Rational(1, 20), Eq(v2, v1)),
    setup=CHANNEL,
    source=replace(SOURCE, locator="regularity of mixtures"),
    standing="literal",
    note="The left side is the posterior variance of the noise over its variance.",
)

CLAIMS: tuple[Claim, ...] = (theorem_1, one_sided, exploding, exploding_corrected, regular)

FALSEHOODS: tuple[Claim, ...] = (
    theorem_1.but("without-growth", terms={"velocity": sqrt(velocity_error)}),
    one_sided.but("half-growth", terms={"velocity": sqrt(velocity_error) * exp(growth_sum / 2)}),
    exploding_corrected.but("half", constant=Rational(1, 2)),
    regular.but("as-one-gaussian", terms={"regularity": 1 + 0 * v1}),
)
