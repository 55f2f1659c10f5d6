"""Potaptchik, Azangulov & Deligiannidis (2024): as many steps as the data have intrinsic dimensions.

The abstract: for data on a manifold of dimension k the number of steps for an accuracy in KL is linear in k
up to logarithms, whatever the ambient dimension, and this is sharp. What makes it so is which function is
frozen. Write u = e^{-2t}/(1 - e^{-2t}) and A(u) = E tr Cov(X_0|X_t) (unit clock). E[X_0|X_t] is a martingale
in reverse time, so that freezing it over a step, with the linear part of the drift exact, costs the path KL

    (1/2) int_{u_j}^{u_{j+1}} (A(u_j) - A(u)) du,

which sees only the directions that the data fill, for every data law. (For steps of a discrete chain these
are the second coefficients of Li and Yan.) Freezing the score instead pays for every empty direction.

On N(0, v) in k directions A(u) = k v/(1 + v u), and a step costs (k/2)(r - log(1 + r)), r = v (u_{j+1} -
u_j)/(1 + v u_j) <= e^{2 h} - 1 on equal steps h of log(signal/noise). With r - log(1 + r) <= r^2/2 and <=
(r/2) log(1 + r), and 2 N h <= 2 T + log(1/(2 delta)) (log(e^{2t} - 1) is at most 2 T at the start and at
least log(2 delta) at the end),

    KL(Q || P)  <=  k N (e^{2 h} - 1)^2/4,        KL(Q || P)  <=  (k/4)(e^{2 h} - 1) log(1 + v u_N),

of order k (T + log(1/delta))^2/N as soon as h <= 1/2. The frozen score costs at least (2 h - 1 + e^{-2 h})/2
per step and direction without data.
"""

from __future__ import annotations

from sympy import Rational, exp, log

from bounds.claim import Claim, Sharp, Source
from bounds.notation import symbols
from bounds.setup import Setup

__all__ = ["CLAIMS", "FALSEHOODS"]

SOURCE = Source(
    "Peter Potaptchik, Iskander Azangulov, George Deligiannidis",
    2024,
    "Linear convergence of diffusion models under the manifold hypothesis",
    "abstract",
    "2410.09046",
    "v2",
    "COLT 2025",
    "printed",
)
N, T, t_end, rank, empty, v1 = symbols("N T t_end rank empty v1")
denoiser_path, score_path, log_step, last_ratio = symbols("denoiser_path score_path log_step last_ratio")
FROZEN = Setup(clock="unit", model="frozen-denoiser")
FINE = {
    "model": "frozen-denoiser",
    "parameters": {"N": 60, "T": 1, "t_end": 1e-3, "rank": 1, "empty": 1, "v1": 4},
}
LATE = {
    "model": "frozen-denoiser",
    "parameters": {"N": 1, "T": 1e-6, "t_end": 1e-9, "rank": 1, "empty": 1000000, "v1": 0},
}
FEW = (log_step <= Rational(1, 2),)

literal = Claim(
    key="potaptchik-2024/intrinsic-dimension",
    title="Path KL with the denoiser frozen, linear in the intrinsic dimension",
    lhs=denoiser_path,
    terms={"discretisation": rank * (T + log(1 / t_end)) ** 2 / N},
    constant="polylog",
    assuming=FEW,
    setup=FROZEN,
    source=SOURCE,
    standing="literal",
    note="The abstract is read: linear in k up to logarithms. Tried on Gaussians of rank k, equal steps of "
    "the "
    "log signal-to-noise ratio.",
)
explicit = Claim(
    key="potaptchik-2024/explicit",
    title="Path KL with the denoiser frozen, explicit",
    lhs=denoiser_path,
    terms={"discretisation": rank * N * (exp(2 * log_step) - 1) ** 2 / 4},
    setup=FROZEN,
)
sharper = Claim(
    key="potaptchik-2024/explicit-telescoped",
    title="Path KL with the denoiser frozen, through the information at the end",
    lhs=denoiser_path,
    terms={"discretisation": rank * (exp(2 * log_step) - 1) * log(1 + v1 * last_ratio) / 4},
    setup=FROZEN,
    sharp=(Sharp("broad data, fine steps", FINE, 0.75),),
)
ambient = Claim(
    key="potaptchik-2024/frozen-score",
    title="What the frozen score pays for directions without data",
    lhs=score_path,
    terms={"empty directions": empty * N * (2 * log_step - 1 + exp(-2 * log_step)) / 2},
    relation=">=",
    setup=FROZEN,
    note="Of order N h^2 per empty direction: linear in d. A step costs least late, where the bound is "
    "reached.",
    sharp=(Sharp("point, late steps", LATE, 0.999),),
)

CLAIMS: tuple[Claim, ...] = (literal, explicit, sharper, ambient)

FALSEHOODS: tuple[Claim, ...] = (
    literal.but("frozen-score", lhs=score_path, constant=10),
    literal.but(
        "second-order", terms={"discretisation": rank * (T + log(1 / t_end)) ** 3 / N**2}, constant=1
    ),
    literal.but("dimension-forgotten", terms={"discretisation": (T + log(1 / t_end)) ** 2 / N}, constant=1),
    explicit.but("tenth", constant=Rational(1, 10)),
    sharper.but("half", constant=Rational(1, 2)),
    ambient.but("leading-order", terms={"empty directions": empty * N * log_step**2}),
)
