"""Chen, Chewi, Li, Li, Salim & Zhang (2023): step counts of the TV bound.

With T = log(KL0/tol^2)/2 and h = tol^2/(L^2 d), M2 <= d^2 (m_2 <= d) and a score error eps,

    TV(q, p_T)  =  O~(tol + eps),        N = T/h  =  O~(L^2 d / tol^2).

The discussion prints T = log(KL0/tol), which makes the first term tol/sqrt(KL0): right for KL0 >= 1 only.

Early stopping, supp q in the ball of radius R. For accuracies w in W2 and tv in TV take
t = w^2/(sqrt(d) max(R, sqrt(d))); then W2(q_t, q) <= w up to a constant and the later scores are Lipschitz
with L = R^2/t^2. Hence N = O~(d^3 R^4 max(R, sqrt(d))^4 / (tv^2 w^8)) (Corollary 3), with tv = w = tol the
tenth power of 1/tol (Corollary 4), with w = tol and tv = tol^2/R^2 the twelfth (Corollary 5). The formula for
t needs w <= sqrt(d): otherwise the drift t R is larger than w.
"""

from __future__ import annotations

from dataclasses import replace

from bounds.corollary import Corollary

__all__ = ["COROLLARIES"]

STEPS = "d**3*R**4*max(R, sqrt(d))**4"
STOPPED = {"t": "w**2/(sqrt(d)*max(R, sqrt(d)))", "L": "R**2/t**2", "M2": "R**2"}
CHOICE = {"T": "log(KL0/tv**2)/2", "h": "tv**2/(L**2*d)"}

steps = Corollary(
    key="chen-2023-sampling/steps",
    title="Steps for TV O~(tol), smooth scores",
    claim="chen-2023-sampling/theorem-2",
    substitution={"T": "log(KL0/tol**2)/2", "h": "tol**2/(L**2*d)"},
    hypotheses=("L >= 1", "M2 <= d**2", "KL0 >= 1", "tol <= 1/2"),
    conclusion="tol + eps",
    counts={"T/h": "L**2*d/tol**2"},
    at={"L": 3, "d": 7, "M2": 20, "KL0": 5, "eps": 0},
)
printed_horizon = replace(
    steps,
    key="chen-2023-sampling/steps-printed-horizon",
    title="Steps for TV O~(tol), with the printed horizon",
    substitution={**steps.substitution, "T": "log(KL0/tol)"},
    hypotheses=("L >= 1", "M2 <= d**2", "KL0 >= 2*tol", "tol <= 1/2"),
    expect="fails",
    note="The first term is tol/sqrt(KL0), not small beside tol when KL0 < 1.",
)
printed_horizon_large = replace(
    printed_horizon,
    key="chen-2023-sampling/steps-printed-horizon-large-KL",
    title="Steps for TV O~(tol), with the printed horizon and KL0 >= 1",
    hypotheses=steps.hypotheses,
    expect="holds",
)
stopping_time = Corollary(
    key="chen-2023-sampling/stopping-time",
    title="The time of early stopping, and the smoothness it buys",
    terms={"drift": "t**2*M2", "noise": "d*t"},
    substitution=STOPPED,
    hypotheses=("w <= sqrt(d)",),
    conclusion="w**2",
    counts={"L": "d*R**2*max(R, sqrt(d))**2/w**4"},
    polylog=False,
    parameters=("w",),
    accuracy="w",
    at={"R": 4, "d": 3},
)
stopping_time_any = replace(
    stopping_time,
    key="chen-2023-sampling/stopping-time-any-accuracy",
    title="The time of early stopping, whatever the accuracy",
    hypotheses=(),
    expect="fails",
    note="For w > sqrt(d) the drift t R exceeds w.",
)
corollary_3 = Corollary(
    key="chen-2023-sampling/corollary-3",
    title="Steps for TV with early stopping, compact support",
    claim="chen-2023-sampling/theorem-2",
    substitution={**STOPPED, **CHOICE},
    hypotheses=("w <= R", "w <= sqrt(d)", "KL0 >= 1", "tv <= 1/2"),
    conclusion="tv + eps",
    counts={"T/h": f"{STEPS}/(tv**2*w**8)"},
    parameters=("w", "tv"),
    accuracy="tv",
    at={"R": 4, "d": 3, "w": 0.25, "KL0": 5, "eps": 0},
)
corollary_4 = replace(
    corollary_3,
    key="chen-2023-sampling/corollary-4",
    title="Steps in the bounded-Lipschitz metric, compact support",
    substitution={**corollary_3.substitution, "w": "tol", "tv": "tol"},
    hypotheses=("tol <= R", "tol <= 1/2", "KL0 >= 1"),
    conclusion="tol + eps",
    counts={"T/h": f"{STEPS}/tol**10"},
    accuracy="tol",
    at={"R": 4, "d": 3, "KL0": 5, "eps": 0},
)
corollary_5 = replace(
    corollary_4,
    key="chen-2023-sampling/corollary-5",
    title="Steps in W2 after projection, compact support",
    substitution={**corollary_3.substitution, "w": "tol", "tv": "tol**2/R**2"},
    hypotheses=("tol <= R/2", "tol <= 1/2", "KL0 >= 1"),
    conclusion="tol**2/R**2 + eps",
    counts={"T/h": "d**3*R**8*max(R, sqrt(d))**4/tol**12"},
)

COROLLARIES = (
    steps,
    printed_horizon,
    printed_horizon_large,
    stopping_time,
    stopping_time_any,
    corollary_3,
    corollary_4,
    corollary_5,
)
