"""Chen, Chewi, Lee, Li, Lu & Salim (2023): step counts of the probability flow with a corrector.

With absolute constants, L >= 1, predictor step h_pred, corrector step h_corr and M2 = E|x|^2,

    underdamped corrector:  TV <~ (sqrt(d) + sqrt(M2)) e^{-T} + sqrt(L) T eps
                                  + L^2 T sqrt(d) h_pred + L^{3/2} T sqrt(d) h_corr + tol,
    overdamped corrector:   TV <~ (sqrt(d) + sqrt(M2)) e^{-T} + sqrt(L) T eps
                                  + L^2 T sqrt(d) h_pred + L T sqrt(d) sqrt(h_corr) + tol.

T = log((d + M2)/tol^2), h_pred = tol/(L^2 sqrt(d)), h_corr = tol/(L^{3/2} sqrt(d)) and eps = tol/sqrt(L) give
TV = O~(tol) with T/h_pred predictor steps and L T blocks of 1/(sqrt(L) h_corr) corrector steps, both
O~(L^2 sqrt(d)/tol). The slides print O(tol), which these choices miss by the factor T. The overdamped
corrector needs h_corr = tol^2/(L^2 T^2 d) and O~(L^2 d/tol^2) steps.
"""

from __future__ import annotations

from dataclasses import replace

from bounds.corollary import Corollary

__all__ = ["COROLLARIES"]

TERMS = {
    "initialisation": "(sqrt(d) + sqrt(M2))*exp(-T)",
    "score": "sqrt(L)*T*eps",
    "predictor": "L**2*T*sqrt(d)*h_pred",
    "corrector": "L**(3/2)*T*sqrt(d)*h_corr",
    "early stopping": "tol",
}

underdamped = Corollary(
    key="chen-2023-probability-flow/underdamped-steps",
    title="Steps for TV O~(tol), underdamped corrector",
    terms=TERMS,
    substitution={
        "T": "log((d + M2)/tol**2)",
        "h_pred": "tol/(L**2*sqrt(d))",
        "h_corr": "tol/(L**(3/2)*sqrt(d))",
        "eps": "tol/sqrt(L)",
    },
    hypotheses=("L >= 1", "tol <= 1/2"),
    conclusion="tol",
    counts={"T/h_pred": "L**2*sqrt(d)/tol", "L*T/(sqrt(L)*h_corr)": "L**2*sqrt(d)/tol"},
    parameters=("h_pred",),
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
    terms={**TERMS, "corrector": "L*T*sqrt(d)*sqrt(h_corr)"},
    substitution={**underdamped.substitution, "h_corr": "tol**2/(L**2*T**2*d)"},
    counts={"T/h_pred": "L**2*sqrt(d)/tol", "T/h_corr": "L**2*d/tol**2"},
)

COROLLARIES = (underdamped, printed, overdamped)
