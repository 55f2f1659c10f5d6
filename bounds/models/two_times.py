"""Models with two forward times on the unit clock."""

from __future__ import annotations

from bounds.models.model import Model, ModelQuantity, Parameter
from bounds.models.shared import EARLY, LAG, OFFSET, PAIR, POINT, SLOPE, STEPS

__all__ = ["TWO_TIMES"]

TWO_TIMES: tuple[Model, ...] = (
    Model(
        "backward",
        "a point x of the noisy law at time s + lag, and the law of the point at time s given it",
        (*PAIR, EARLY, LAG, POINT),
        (
            ModelQuantity("late_score", "score at time s + lag", "S_t(x)", "1/length", signed=True),
            ModelQuantity("late_hessian", "derivative of that score", "S_t'(x)", "1/length^2", signed=True),
            ModelQuantity(
                "back_score", "E[S_s(X_s) | X_{s+lag} = x]", "E[S_s(X_s)|x]", "1/length", signed=True
            ),
            ModelQuantity("back_mean", "E[X_s | X_{s+lag} = x]", "E[X_s|x]", "length", signed=True),
            ModelQuantity("back_var", "Var(X_s | X_{s+lag} = x)", r"\mathrm{Var}(X_s|x)", "length^2"),
        ),
    ),
    Model(
        "bsm",
        "the bootstrapped target at time t = s + lag, with weight mix and an affine error at time s",
        (
            *PAIR,
            EARLY,
            LAG,
            Parameter("mix", 0.01, 3, "log", "weight of the bootstrap", r"\kappa_b", zero=True),
            SLOPE,
            OFFSET,
        ),
        (
            ModelQuantity("fisher_early", "E|S_s(X_s)|^2", "I_s", "1/length^2"),
            ModelQuantity("fisher_late", "E|S_t(X_t)|^2 at t = s + lag", "I_t", "1/length^2"),
            ModelQuantity("mmse_early", "E Var(X0 | X_s)", "V_s", "length^2"),
            ModelQuantity("mmse_late", "E Var(X0 | X_t) at t = s + lag", "V_t", "length^2"),
            ModelQuantity(
                "bsm_risk", "E|T - S_t(X_t)|^2 of the bootstrapped target T", "E|T-S_t|^2", "1/length^2"
            ),
            ModelQuantity(
                "martingale_step", "E|m_s(X_s) - m_t(X_t)|^2 of the posterior means", "E|D|^2", "length^2"
            ),
            ModelQuantity(
                "bias_late", "E(E[T | X_t] - S_t)^2 with the error at time s", "E|b_t|^2", "1/length^2"
            ),
            ModelQuantity("early_error", "E|slope X_s + offset|^2", "E|e_s|^2", "1/length^2"),
        ),
    ),
    Model(
        "bsm-steps",
        "the optimal bootstrap weights over many steps of equal length",
        (EARLY, LAG, STEPS),
        (ModelQuantity("kappa_product", "product of the optimal weights", r"\prod_k \kappa^*_k"),),
    ),
)
