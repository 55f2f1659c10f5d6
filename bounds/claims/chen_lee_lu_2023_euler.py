"""Chen, Lee & Lu (2023): Euler-Maruyama in place of the exponential integrator.

Half clock, N equal steps of the reverse SDE by Euler-Maruyama from gamma, the score frozen and the linear
part too. For L-Lipschitz scores the price beside `chen_lee_lu_2023` is a term in the second moment M2 =
E|x|^2,

    KL(p_0 || q_T)  <~  (M2 + d) e^{-T}  +  T eps^2  +  d T^2 L^2 / N  +  T^3 M2 / N^2.

In the unit clock the path KL of Euler-Maruyama is (1/4) sum_k int E|(Y_t - Y_k) + 2 (M_t - M_k)|^2 dt, M
the score along the path. A mean m_0 enters through E|Y_t - Y_k|^2 and adds

    (1/4) sum_k int_0^{h_k} (1 - e^{-u})^2 e^{-2(tau_k - u)} du |m_0|^2  <=  h^2 |m_0|^2 / 24,

while the exponential integrator does not see it. (The bound: (1 - e^{-u})^2 <= u^2 and int of e^{-2 tau} is
at most 1/2.)
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Rational, exp

from bounds.claim import Claim, Source
from bounds.notation import symbols
from bounds.quantity import KL, PathKL
from bounds.setup import Setup

__all__ = ["CLAIMS", "FALSEHOODS"]

SOURCE = Source(
    "Hongrui Chen, Holden Lee, Jianfeng Lu",
    2023,
    "Improved analysis of score-based generative modeling: "
    "user-friendly bounds under minimal smoothness assumptions",
    "Euler-Maruyama, Theorem 1",
    "2211.01916",
    "",
    "ICML 2023",
    "recalled",
)
d, T, N, h, L, M2, eps = symbols("d T N h L M2 eps")
EULER = Setup(clock="half", sampler="ddpm-em", score="estimated:time")
FROM_Q_T = replace(EULER, start="q_T", score="exact")

terms = {
    "initialisation": (M2 + d) * exp(-T),
    "score": T * eps**2,
    "discretisation": d * T**2 * L**2 / N,
    "discretisation, second moment": T**3 * M2 / N**2,
}
CONDITIONS = (L >= 1, h <= 1, T >= 1)

marginal = Claim(
    key="chen-lee-lu-2023/euler-maruyama",
    title="KL of Euler-Maruyama, all scores smooth",
    lhs=KL("target", "output"),
    terms=dict(terms),
    constant="absolute",
    assuming=CONDITIONS,
    setup=EULER,
    source=SOURCE,
    standing="literal",
    note="Recalled.",
)
path = Claim(
    key="chen-lee-lu-2023/euler-maruyama-path",
    title="Path KL of Euler-Maruyama, all scores smooth",
    lhs=PathKL("target", "output"),
    terms=dict(terms),
    constant="absolute",
    assuming=CONDITIONS,
    setup=EULER,
)
from_q_t = Claim(
    key="chen-lee-lu-2023/euler-maruyama-discretisation",
    title="Path KL of Euler-Maruyama from the forward law",
    lhs=PathKL("target", "output"),
    terms={name: term for name, term in terms.items() if name.startswith("discretisation")},
    constant="absolute",
    assuming=CONDITIONS,
    setup=FROM_Q_T,
)

CLAIMS: tuple[Claim, ...] = (marginal, path, from_q_t)

FALSEHOODS: tuple[Claim, ...] = (
    marginal.but("score-forgotten", terms={"score": None}),
    path.but("score-forgotten", terms={"score": None}),
    from_q_t.but("second-moment-forgotten", terms={"discretisation, second moment": None}),
    from_q_t.but("hundredth", constant=Rational(1, 100)),
)
