"""Models: small worlds with scalar parameters in which every quantity has an exact value.

A claim about a model names its parameters and its quantities as symbols. The vocabulary is here; the numbers
are computed elsewhere. A name means one thing in all models, and what it means in `bounds.notation` if it is
known there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from bounds.errors import ClaimError

__all__ = ["MODELS", "MODEL_SYMBOLS", "SCALES", "Model", "ModelQuantity", "Parameter"]

SCALES = {
    "log": "drawn evenly in the logarithm",
    "linear": "drawn evenly",
    "integer": "whole numbers, drawn evenly in the logarithm",
    "signed": "of either sign with a size drawn evenly in the logarithm, and zero",
}


@dataclass(frozen=True)
class Parameter:
    """One scalar parameter of a model.

    low, high : range; of the size for scale "signed".
    scale     : one of `SCALES`.
    zero      : whether zero is allowed too (atoms, no error, ...).
    """

    name: str
    low: float
    high: float
    scale: str = "log"
    meaning: str = ""
    latex: str = ""
    zero: bool = False

    def __post_init__(self) -> None:
        _check_name("parameter", self.name)
        if self.scale not in SCALES:
            raise ClaimError(f"parameter {self.name}.scale", self.scale, f"one of {', '.join(SCALES)}")
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise ClaimError(f"parameter {self.name}", (self.low, self.high), "finite numbers low <= high")
        if self.scale in ("log", "signed") and self.low <= 0:
            raise ClaimError(f"parameter {self.name}.low", self.low, "a positive number")

    @property
    def assumptions(self) -> dict[str, bool]:
        """What sympy may assume of the symbol."""
        if self.scale == "integer" and self.low > 0:
            return {"positive": True, "integer": True}
        if self.scale == "signed" or self.low < 0:
            return {"real": True}
        return {"nonnegative": True} if self.zero or self.low == 0 else {"positive": True}


@dataclass(frozen=True)
class ModelQuantity:
    """One quantity of a model; ``signed`` ones may be negative."""

    name: str
    meaning: str
    latex: str
    unit: str = "dimensionless"
    signed: bool = False

    def __post_init__(self) -> None:
        _check_name("quantity", self.name)

    @property
    def assumptions(self) -> dict[str, bool]:
        """What sympy may assume of the symbol."""
        return {"real": True} if self.signed else {"nonnegative": True}


@dataclass(frozen=True)
class Model:
    """A small world: parameters, and the quantities that they determine."""

    name: str
    meaning: str
    parameters: tuple[Parameter, ...]
    quantities: tuple[ModelQuantity, ...]

    def __post_init__(self) -> None:
        names = [item.name for item in (*self.parameters, *self.quantities)]
        if len(set(names)) < len(names):
            raise ClaimError(f"model {self.name}", names, "different names")
        if not self.parameters or not self.quantities:
            raise ClaimError(f"model {self.name}", names, "at least one parameter and one quantity")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of parameters and quantities."""
        return tuple(item.name for item in (*self.parameters, *self.quantities))


def _check_name(field: str, name: str) -> None:
    if not name.isidentifier():
        raise ClaimError(field, name, "a name made of letters, digits and underscores")


# -- parameters that several models share --------------------------------------------------------------------

WEIGHT = Parameter("w", 0.02, 0.98, "linear", "weight of the first component", "w")
FIRST = Parameter("m1", 0.05, 3, "signed", "mean of the first component", "m_1")
SECOND = Parameter("m2", 0.05, 3, "signed", "mean of the second component", "m_2")
SPREAD_1 = Parameter("v1", 0.05, 4, "log", "variance of the first component", "v_1", zero=True)
SPREAD_2 = Parameter("v2", 0.05, 4, "log", "variance of the second component", "v_2", zero=True)
SCALE = Parameter("a_t", 0.1, 2, "log", "scale of the data in X = a X0 + s Z", "a_t")
NOISE = Parameter("s_t", 0.3, 3, "log", "standard deviation of the noise in X = a X0 + s Z", "s_t")
POINT = Parameter("x", 0.05, 6, "signed", "the point at which functions are evaluated", "x")
SLOPE = Parameter("slope", 0.05, 3, "signed", "slope of the affine estimate or error", "b")
OFFSET = Parameter("offset", 0.05, 3, "signed", "offset of the affine estimate or error", "c")
ATOMS = (WEIGHT, FIRST, SECOND)
PAIR = (*ATOMS, SPREAD_1, SPREAD_2)
EARLY = Parameter("s", 0.05, 2, "log", "the earlier forward time, unit clock", "s")
LAG = Parameter("lag", 0.02, 2, "log", "time from the earlier to the later forward time", "h")


# -- mixtures on the line through a Gaussian channel ---------------------------------------------------------

SCORE = ModelQuantity("score", "score d/dx log q(x) of the noisy law", "S(x)", "1/length", signed=True)
HESSIAN = ModelQuantity("hessian", "d^2/dx^2 log q(x)", "S'(x)", "1/length^2", signed=True)
POSTERIOR_VARIANCE = ModelQuantity("post_var", "Var(X0 | X = x)", "C(x)", "length^2")
FISHER = ModelQuantity("fisher", "Fisher information E|S(X)|^2 of the noisy law", "I", "1/length^2")

_LINE = (
    Model(
        "two-component",
        "a point x of the noisy law of a mixture of two Gaussians or atoms on the line",
        (*PAIR, SCALE, NOISE, POINT),
        (
            SCORE,
            HESSIAN,
            ModelQuantity("third", "d^3/dx^3 log q(x)", "S''(x)", "1/length^3", signed=True),
            ModelQuantity("post_mean", "E[X0 | X = x]", "m(x)", "length", signed=True),
            POSTERIOR_VARIANCE,
            ModelQuantity(
                "post_third", "third cumulant of X0 given X = x", r"\kappa_3(x)", "length^3", signed=True
            ),
            ModelQuantity("noise_mean", "E[s Z | X = x]", "E[sZ|x]", "length", signed=True),
            ModelQuantity("target_var", "Var(Y | X = x) of the target Y = -Z/s", r"\mathrm{Var}(Y|x)"),
        ),
    ),
    Model(
        "three-atoms",
        "a point x of the noisy law of three atoms within the interval of radius R about a centre",
        (
            WEIGHT,
            Parameter("share", 0.0, 1.0, "linear", "share of the inner atom in what is left", r"\rho"),
            Parameter("R", 0.05, 5, "log", "radius of the interval that holds the atoms", "R"),
            Parameter("inner", -1.0, 1.0, "linear", "place of the inner atom in units of R", "u"),
            Parameter("centre", 0.05, 3, "signed", "centre of the interval", "c"),
            SCALE,
            NOISE,
            POINT,
        ),
        (HESSIAN, POSTERIOR_VARIANCE),
    ),
    Model(
        "close-components",
        "a point x of the noisy law of two Gaussians of variance v1, sep apart",
        (
            WEIGHT,
            FIRST,
            Parameter("sep", 0.01, 4, "log", "distance between the two means", r"\Delta"),
            SPREAD_1,
            SCALE,
            NOISE,
            POINT,
        ),
        (POSTERIOR_VARIANCE,),
    ),
    Model(
        "isotropic-score",
        "the noisy law of N(0, v1 I) in d dimensions",
        (
            Parameter("d", 1, 400, "integer", "dimension", "d"),
            SPREAD_1,
            SCALE,
            NOISE,
            Parameter("fail", 1e-6, 0.999, "log", "probability allowed to fail", r"\delta_f"),
        ),
        (
            FISHER,
            ModelQuantity(
                "score_tail",
                "P(s |S(X)| >= sqrt d + sqrt(2 log(1/fail)))",
                r"P\left(s|S| \ge \sqrt{d} + \sqrt{2\log(1/\delta_f)}\right)",
            ),
            ModelQuantity(
                "score_tail_flat",
                "P(s |S(X)| >= sqrt(2 log(1/fail)))",
                r"P\left(s|S| \ge \sqrt{2\log(1/\delta_f)}\right)",
            ),
        ),
    ),
    Model(
        "denoising",
        "losses of the affine estimate f(x) = slope x + offset of the score of a noisy mixture",
        (*PAIR, SCALE, NOISE, SLOPE, OFFSET),
        (
            ModelQuantity("dsm_risk", "E|f(X) - Y|^2 with the target Y = -Z/s", "E|f-Y|^2", "1/length^2"),
            ModelQuantity("eps_risk", "E|-s f(X) - Z|^2, noise prediction", r"E|\hat\epsilon-Z|^2"),
            ModelQuantity(
                "denoiser_risk", "E|X + s^2 f(X) - a X0|^2, denoising", "E|r(X)-aX_0|^2", "length^2"
            ),
            ModelQuantity("score_risk", "E|f(X) - S(X)|^2", "E|f-S|^2", "1/length^2"),
            ModelQuantity("dsm_least", "E|S(X) - Y|^2, the least risk", "E|S-Y|^2", "1/length^2"),
            FISHER,
            ModelQuantity("mmse", "E Var(X0 | X)", "V", "length^2"),
            ModelQuantity("mean_hessian", "E of d^2/dx^2 log q(X)", "E[S']", "1/length^2", signed=True),
            ModelQuantity("score_cross", "E[S(X) f(X)]", "E[Sf]", "1/length^2", signed=True),
            ModelQuantity("score_fourth", "E|S(X)|^4", "E|S|^4", "1/length^4"),
            ModelQuantity("score_cosh", "E cosh(s S(X))", r"E\cosh(sS)"),
            ModelQuantity(
                "ism_objective", "E[f(X)^2/2 + f'(X)]", "E[f^2/2+f']", "1/length^2", signed=True
            ),
        ),
    ),
    Model(
        "two-point",
        "squared and unsquared denoising losses for two atoms",
        (*ATOMS, SCALE, NOISE),
        (
            ModelQuantity("unsquared_at_score", "E|S(X) - Y|", "E|S-Y|", "1/length"),
            ModelQuantity(
                "unsquared_at_median", "E|f(X) - Y| at the conditional median f of Y", "E|f-Y|", "1/length"
            ),
            ModelQuantity("squared_at_score", "E|S(X) - Y|^2", "E|S-Y|^2", "1/length^2"),
            ModelQuantity(
                "squared_at_median", "E|f(X) - Y|^2 at the conditional median f", "E|f-Y|^2", "1/length^2"
            ),
        ),
    ),
    Model(
        "softmax",
        "a point x of two standard Gaussians of weights w, 1 - w and means m1, m2",
        (*ATOMS, POINT),
        (
            SCORE,
            ModelQuantity(
                "weighted_softmax",
                "sum mu_i p_i e^{(x mu_i - mu_i^2/2)/sigma^2} over sum p_i e^{(x mu_i - mu_i^2/2)/sigma^2}",
                r"\bar\mu_p(x)",
                "length",
                signed=True,
            ),
            ModelQuantity(
                "plain_softmax",
                "sum mu_i e^{x mu_i} over sum e^{x mu_i}",
                r"\bar\mu(x)",
                "length",
                signed=True,
            ),
        ),
    ),
    Model(
        "softmax-noised",
        "a point x of two Gaussians of variance sigma^2 = 1 + extra",
        (*ATOMS, Parameter("extra", 0.1, 5, "log", "variance t of the extra noise", "t"), POINT),
        (
            SCORE,
            ModelQuantity("denoised", "E[mu | Y = x]", "f(x)", "length", signed=True),
            ModelQuantity(
                "weighted_softmax",
                "sum mu_i p_i e^{(x mu_i - mu_i^2/2)/sigma^2} over sum p_i e^{(x mu_i - mu_i^2/2)/sigma^2}",
                r"\bar\mu_p(x)",
                "length",
                signed=True,
            ),
        ),
    ),
)

# -- two forward times on the unit clock ---------------------------------------------------------------------

_TIMES = (
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
        (EARLY, LAG, Parameter("steps", 1, 200, "integer", "number of steps", "n")),
        (ModelQuantity("kappa_product", "product of the optimal weights", r"\prod_k \kappa^*_k"),),
    ),
)

# -- the table -----------------------------------------------------------------------------------------------

MODELS: dict[str, Model] = {model.name: model for model in (*_LINE, *_TIMES)}
"""Every model by name."""


def _symbols(models: Iterable[Model]) -> dict[str, dict[str, bool]]:
    """Assumptions by name; raises ClaimError where two models disagree."""
    table: dict[str, dict[str, bool]] = {}
    for model in models:
        for item in (*model.parameters, *model.quantities):
            known = table.setdefault(item.name, item.assumptions)
            if known != item.assumptions:
                raise ClaimError(f"model {model.name}.{item.name}", item.assumptions, f"{known}, as elsewhere")
    return table


MODEL_SYMBOLS: dict[str, dict[str, bool]] = _symbols(MODELS.values())
"""What sympy may assume of every name of a model."""
