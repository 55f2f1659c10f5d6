"""Chen, Lee & Lu (2023): step counts of the KL bounds, half clock.

With T = log((M2 + d)/tol^2) and a score error eps <= tol,

    smooth scores,  N = d T^2 L^2/tol^2:                       KL = O~(tol^2),  N = O~(d L^2/tol^2);
    no smoothness,  N = d^2 (T + log(1/delta))^2/tol^2:        KL = O~(tol^2),  N = O~(d^2/tol^2);
    W2, data within R:  delta = tol^2/d, KL of order tol^4/R^4:    N = O~(d^2 R^4/tol^4).

W2^2 splits into the noise d delta and drift (delta R)^2 of early stopping, and R^2 TV, TV <~ sqrt(KL).
"""

from __future__ import annotations

from bounds.corollary import Corollary

__all__ = ["COROLLARIES"]

HORIZON = "log((M2 + d)/tol**2)"

smooth = Corollary(
    key="chen-lee-lu-2023/smooth-steps",
    title="Steps for KL O~(tol^2), all scores smooth",
    claim="chen-lee-lu-2023/smooth-score",
    substitution={"T": HORIZON, "N": "d*T**2*L**2/tol**2", "h": "T/N", "eps": "tol"},
    hypotheses=("L >= 1", "tol <= 1/2"),
    conclusion="tol**2",
    counts={"N": "d*L**2/tol**2"},
    at={"L": 3, "d": 7, "M2": 20},
)
no_smoothness = Corollary(
    key="chen-lee-lu-2023/no-smoothness-steps",
    title="Steps for KL O~(tol^2), early stopping instead of smoothness",
    claim="chen-lee-lu-2023/no-smoothness-corrected",
    substitution={
        "T": HORIZON,
        "N": "d**2*(T + log(1/delta))**2/tol**2",
        "kappa": "(T + log(1/delta))/N",
        "eps": "tol",
    },
    hypotheses=("delta <= 1/2", "tol <= 1/2"),
    conclusion="tol**2",
    counts={"N": "d**2/tol**2"},
    at={"delta": 0.01, "d": 7, "M2": 20},
)
wasserstein = Corollary(
    key="chen-lee-lu-2023/wasserstein-steps",
    title="Steps for W2^2 O~(tol^2), data within a ball",
    terms={
        "noise": "d*delta",
        "drift": "delta**2*R**2",
        "initialisation": "R**2*sqrt((M2 + d)*exp(-T))",
        "score": "R**2*sqrt(T)*eps",
        "discretisation": "R**2*d*(T + log(1/delta))/sqrt(N)",
    },
    substitution={
        "delta": "tol**2/d",
        "T": "log((M2 + d)*R**4/tol**4)",
        "N": "d**2*R**4*(T + log(1/delta))**2/tol**4",
        "eps": "tol**2/R**2",
        "M2": "R**2",
    },
    hypotheses=("tol <= 1/2", "tol <= d/R", "tol <= R"),
    conclusion="tol**2",
    counts={"N": "d**2*R**4/tol**4"},
    at={"R": 4, "d": 7},
    note="The step sizes are those of the theorem; the drift needs tol <= d/R.",
)

COROLLARIES = (smooth, no_smoothness, wasserstein)
