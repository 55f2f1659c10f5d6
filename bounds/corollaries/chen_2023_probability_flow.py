"""Chen, Chewi, Lee, Li, Lu & Salim (2023): step counts of the probability flow with a corrector.

T = log((d + M2)/tol^2), h = tol/(L^2 sqrt(d)), h_corr = tol/(L^{3/2} sqrt(d)) and eps = tol/sqrt(L) give
TV = O~(tol) for the underdamped corrector, with T/h predictor steps and L T blocks of 1/(sqrt(L) h_corr)
corrector steps, both O~(L^2 sqrt(d)/tol). The slides print O(tol), which these choices miss by the factor T.
The overdamped corrector needs h_corr = tol^2/(L^3 T^2 d) and O~(L^3 d/tol^2) steps.
"""

from __future__ import annotations

from dataclasses import replace

from bounds.corollary import Corollary

__all__ = ["COROLLARIES"]

underdamped = Corollary(
    key="chen-2023-probability-flow/underdamped-steps",
    title="Steps for TV O~(tol), underdamped corrector",
    claim="chen-2023-probability-flow/dpum",
    substitution={
        "T": "log((d + M2)/tol**2)",
        "h": "tol/(L**2*sqrt(d))",
        "h_corr": "tol/(L**(3/2)*sqrt(d))",
        "eps": "tol/sqrt(L)",
    },
    hypotheses=("L >= 1", "tol <= 1/2"),
    conclusion="tol",
    counts={"T/h": "L**2*sqrt(d)/tol", "L*T/(sqrt(L)*h_corr)": "L**2*sqrt(d)/tol"},
    at={"L": 3, "d": 7, "M2": 20},
)
printed = replace(
    underdamped,
    key="chen-2023-probability-flow/underdamped-steps-printed",
    title="TV O(tol) without a logarithm, underdamped corrector, as printed in the slides",
    counts={},
    polylog=False,
    expect="fails",
    note="Score, predictor and corrector contribute T tol each.",
)
overdamped = replace(
    underdamped,
    key="chen-2023-probability-flow/overdamped-steps",
    title="Steps for TV O~(tol), overdamped corrector",
    claim="chen-2023-probability-flow/dpom",
    substitution={**underdamped.substitution, "h_corr": "tol**2/(L**3*T**2*d)"},
    counts={"T/h": "L**2*sqrt(d)/tol", "T/h_corr": "L**3*d/tol**2"},
)
too_few = replace(
    overdamped,
    key="chen-2023-probability-flow/overdamped-steps-too-few",
    title="Steps for TV O~(tol), overdamped corrector, a factor L fewer",
    substitution={**overdamped.substitution, "h_corr": "tol**2/(L**2*T**2*d)"},
    counts={"T/h_corr": "L**2*d/tol**2"},
    expect="fails",
    note="L rounds of the corrector a unit of time cost sqrt(L d h_corr) each.",
)

COROLLARIES = (underdamped, printed, overdamped, too_few)
