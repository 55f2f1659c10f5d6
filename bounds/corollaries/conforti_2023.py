"""Conforti, Durmus & Silveri (2023): step count from the relative Fisher information.

With T = log(KL0/tol^2)/2, h = tol^2/FI0 and a score error eps <= tol,

    KL(q || p_T)  =  O~(tol^2),        N = T/h  =  O~(FI0/tol^2).

The horizon is positive only for tol^2 < KL0.
"""

from __future__ import annotations

from dataclasses import replace

from bounds.corollary import Corollary

__all__ = ["COROLLARIES"]

steps = Corollary(
    key="conforti-2023/steps",
    title="Steps for KL O~(tol^2)",
    claim="conforti-2023/finite-fisher",
    substitution={"T": "log(KL0/tol**2)/2", "h": "tol**2/FI0", "eps": "tol"},
    hypotheses=("KL0 >= 2*tol**2",),
    conclusion="tol**2",
    counts={"T/h": "FI0/tol**2"},
    at={"KL0": 5, "FI0": 12},
)
any_accuracy = replace(
    steps,
    key="conforti-2023/steps-any-accuracy",
    title="Steps for KL O~(tol^2), whatever the accuracy",
    hypotheses=(),
    expect="fails",
    note="The horizon is negative for tol^2 > KL0.",
)

COROLLARIES = (steps, any_accuracy)
