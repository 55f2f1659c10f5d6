"""Models of two symmetric Gaussians: EM steps, students and teachers."""

from __future__ import annotations

from bounds.models.model import Model, ModelQuantity, Parameter
from bounds.models.shared import SIGMA

__all__ = ["STUDENTS"]

STUDENTS: tuple[Model, ...] = (
    Model(
        "em-line",
        "one EM step from guess for two Gaussians of means +-truth and deviation sigma",
        (
            Parameter("guess", 0.05, 4, "log", "the mean that the step starts from", r"\lambda"),
            Parameter("truth", 0.05, 4, "log", "the true mean", r"\mu"),
            SIGMA,
        ),
        (ModelQuantity("em_gap", "|M(guess) - truth|", r"|M(\lambda)-\mu|", "length"),),
    ),
    Model(
        "student",
        "student score tanh(<mu, x>) mu - x for (N(mu*, I) + N(-mu*, I))/2, any dimension",
        (
            Parameter("student", 0.01, 5, "log", "length of mu", r"|\mu|"),
            Parameter("teacher", 0.05, 4, "log", "length of mu*", r"|\mu^*|"),
            Parameter("cosine", -1.0, 1.0, "linear", "cosine of their angle", "c"),
        ),
        (
            ModelQuantity("student_risk", "half the squared L2 error of the score", r"\tfrac12\|f-S\|^2"),
            ModelQuantity("objective", "J(mu)", r"J(\mu)", signed=True),
            ModelQuantity("objective_best", "J(mu*)", r"J(\mu^*)", signed=True),
            ModelQuantity("gradient_along", "dJ/d|mu|", r"\partial_{|\mu|}J", signed=True),
            ModelQuantity("gradient_student", "coefficient of mu in grad J", r"\alpha", signed=True),
            ModelQuantity("gradient_teacher", "coefficient of mu* in grad J", r"\beta", signed=True),
            ModelQuantity("em_along", "<M(mu), mu>/|mu| of the EM step M(mu) = E tanh(<mu, x>) x", "M_r"),
            ModelQuantity("em_student", "coefficient of mu in M(mu)", r"E\tanh' u"),
            ModelQuantity("em_teacher", "coefficient of mu* in M(mu)", r"E\tanh u", signed=True),
            ModelQuantity(
                "bracket_along", "E[(u tanh' tanh - tanh') |mu| + u^2 tanh'/|mu|]", r"B_r", signed=True
            ),
        ),
    ),
)
