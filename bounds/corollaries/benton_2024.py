"""Benton, De Bortoli, Doucet & Deligiannidis (2024): step count linear in the dimension, Corollary 1.

Half of the steps uniform, half geometric, so that kappa is of order (T + log(1/delta))/N. With
T = log(d/tol^2)/2 and N = d (T + log(1/delta))^2/tol^2, for centred data and a score error eps <= tol,

    KL(q_delta || p)  =  O(tol^2),        N  =  O~(d / tol^2),

without a hidden logarithm in the KL. Theorem 1 needs T >= 1, that is tol <= sqrt(d)/e, and the grid needs
N >= log(1/delta). With a mean m the horizon must contain |m|^2.
"""

from __future__ import annotations

from dataclasses import replace

from bounds.corollary import Corollary

__all__ = ["COROLLARIES"]

corollary_1 = Corollary(
    key="benton-2024/corollary-1",
    title="Steps for KL O(tol^2), centred data",
    claim="benton-2024/theorem-1-centred",
    substitution={
        "T": "log(d/tol**2)/2",
        "N": "d*(T + log(1/delta))**2/tol**2",
        "kappa": "(T + log(1/delta))/N",
        "eps": "tol",
    },
    hypotheses=("tol <= sqrt(d)/exp(1)", "delta <= 1/2"),
    conditions=("log(1/delta) <= N",),
    conclusion="tol**2",
    polylog=False,
    at={"delta": 0.01, "d": 7},
)
any_accuracy = replace(
    corollary_1,
    key="benton-2024/corollary-1-any-accuracy",
    title="Steps for KL O(tol^2), whatever the accuracy",
    hypotheses=("delta <= 1/2",),
    expect="fails",
    note="T = log(d/tol^2)/2 is not >= 1, as Theorem 1 asks.",
)
any_mean = replace(
    corollary_1,
    key="benton-2024/corollary-1-any-mean",
    title="Steps for KL O(tol^2), data with a mean",
    claim="benton-2024/theorem-1-corrected",
    at={**corollary_1.at, "m0sq": 4},
    expect="fails",
    note="The initial error is |m|^2 tol^2/d with this horizon.",
)
any_mean_longer = replace(
    any_mean,
    key="benton-2024/corollary-1-any-mean-longer-horizon",
    title="Steps for KL O(tol^2), data with a mean, horizon log((|m|^2 + d)/tol^2)/2",
    substitution={**corollary_1.substitution, "T": "log((m0sq + d)/tol**2)/2"},
    expect="holds",
)
step_count = replace(
    corollary_1,
    key="benton-2024/corollary-1-steps",
    title="The number of steps, up to logarithms",
    counts={"N": "d/tol**2"},
    polylog=True,
)
fixed_steps = replace(
    corollary_1,
    key="benton-2024/any-number-of-steps",
    title="KL with N steps",
    substitution={"kappa": "(T + log(1/delta))/N"},
    hypotheses=("T >= 1", "delta <= 1/2", "N >= log(1/delta)"),
    conclusion="eps**2 + d*(T + log(1/delta))**2/N + d*exp(-2*T)",
    accuracy="eps",
    at={"delta": 0.01, "d": 7, "T": 3, "N": 100},
)
too_few_steps = replace(
    fixed_steps,
    key="benton-2024/any-number-of-steps-too-few",
    title="KL with N steps, however few",
    hypotheses=("T >= 1", "delta <= 1/2"),
    expect="fails",
    note="The grid reaches kappa <~ (T + log(1/delta))/N only with at least log(1/delta) steps.",
)

COROLLARIES = (
    corollary_1,
    any_accuracy,
    any_mean,
    any_mean_longer,
    step_count,
    fixed_steps,
    too_few_steps,
)
