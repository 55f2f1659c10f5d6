"""Lu, Zhou, Bao, Chen, Li & Zhu (2022): DPM-Solver++, a second-order multistep scheme for the probability
flow.

alpha_t and sigma_t are the amplitudes of signal and noise (unit clock: e^{-t} and sqrt(1 - e^{-2t})),
lambda = log(alpha/ sigma), and D_k = E[X_0 | x_k] the denoiser at step k. On equal steps h of lambda

    x_{k+1}  =  (sigma_{k+1}/sigma_k) x_k  +  alpha_{k+1} (1 - e^{-h}) D,
    order 1 (DDIM)  D = D_k,            order 2 (multistep)  D = (3 D_k - D_{k-1})/2,  D = D_0 at the first
    step.

The scheme of order p has a global error of order h^p for smooth denoisers. A Dirac has a constant denoiser,
and both schemes are exact on it. Here the law is N(m, v) with v <= 4, run from q_T to q_delta with the
exact score.
"""

from __future__ import annotations

from sympy import Eq, Integer, Rational, sqrt

from bounds.claim import Claim, Source
from bounds.notation import symbols
from bounds.setup import Setup

__all__ = ["CLAIMS", "FALSEHOODS"]

SOURCE = Source(
    "Cheng Lu, Yuhao Zhou, Fan Bao, Jianfei Chen, Chongxuan Li, Jun Zhu",
    2022,
    "DPM-Solver++: fast solver for guided sampling of diffusion probabilistic models",
    "order of the multistep scheme",
    "2211.01095",
    "",
    "",
    "recalled",
)
m1, v1 = symbols("m1 v1")
two_step_gap, one_step_gap, log_step = symbols("two_step_gap one_step_gap log_step")
SETUP = Setup(clock="unit", model="multistep")

second_order = Claim(
    key="lu-2022/second-order",
    title="W2 of the two-step scheme is of order h^2",
    lhs=two_step_gap,
    terms={"discretisation": log_step**2 * sqrt(1 + m1**2 + v1)},
    constant="absolute",
    assuming=(log_step <= 1,),
    setup=SETUP,
    source=SOURCE,
    standing="literal",
    note="Recalled. On N(m, v) with v <= 4 and |m| <= 3; the root makes the scale explicit.",
)
first_order = Claim(
    key="lu-2022/first-order",
    title="W2 of the one-step scheme is of order h",
    lhs=one_step_gap,
    terms={"discretisation": log_step * sqrt(1 + m1**2 + v1)},
    constant="absolute",
    assuming=(log_step <= 1,),
    setup=SETUP,
    source=SOURCE,
    standing="literal",
    note="Recalled. On N(m, v) with v <= 4 and |m| <= 3; the root makes the scale explicit.",
)
dirac = Claim(
    key="lu-2022/dirac",
    title="The two-step scheme is exact on a Dirac",
    lhs=two_step_gap,
    relation="==",
    terms={"discretisation": Integer(0)},
    assuming=(Eq(v1, Integer(0)),),
    setup=SETUP,
)

CLAIMS: tuple[Claim, ...] = (second_order, first_order, dirac)

FALSEHOODS: tuple[Claim, ...] = (
    second_order.but("first-order-scheme", lhs=one_step_gap),
    first_order.but("second-order", terms={"discretisation": log_step**2}, constant=Rational(1, 10)),
    dirac.but("any-spread", assuming=()),
)
