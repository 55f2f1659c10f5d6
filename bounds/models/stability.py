"""Models of noise stability: Hermite tails, posterior means of atoms, change of measure."""

from __future__ import annotations

from dataclasses import replace

from bounds.models.model import Model, ModelQuantity, Parameter
from bounds.models.shared import (
    DEGREE,
    FIRST,
    INNER,
    POINT,
    POSTERIOR_THIRD,
    POSTERIOR_VARIANCE,
    RADIUS,
    REPS,
    SECOND,
    SHARE,
    SIGMA,
    WEIGHT,
)

__all__ = ["STABILITY"]

STABILITY: tuple[Model, ...] = (
    Model(
        "hermite-polynomial",
        "f = c1 h_1 + c2 h_2 + c4 h_4 in Hermite polynomials of x/sigma, normalised under N(0, sigma^2)",
        (
            SIGMA,
            Parameter("c1", 0.05, 5, "signed", "coefficient of degree one", "c_1"),
            Parameter("c2", 0.05, 5, "signed", "coefficient of degree two", "c_2"),
            Parameter("c4", 0.05, 5, "signed", "coefficient of degree four", "c_4"),
            DEGREE,
            REPS,
        ),
        (
            ModelQuantity("poly_tail", "L2 distance of f from degrees below deg", r"\|f-g\|"),
            ModelQuantity(
                "poly_generator", "L2 norm of L^reps f, L f = f'' - x f'/sigma^2", r"\|L^m f\|", "1/length^2"
            ),
            ModelQuantity(
                "poly_generator_tail",
                "L2 distance of L^reps f from degrees below deg",
                r"\|L^m f-P_{<n}L^m f\|",
                "1/length^2",
            ),
        ),
    ),
    Model(
        "hermite-tanh",
        "f = tanh(gain x) under N(0, sigma^2)",
        (
            Parameter("gain", 0.1, 1.5, "log", "steepness of the tanh", "c"),
            replace(SIGMA, high=2),
            DEGREE,
            REPS,
        ),
        (
            ModelQuantity("tanh_tail", "L2 distance of f from degrees below deg", r"\|f-g\|"),
            ModelQuantity(
                "tanh_generator", "L2 norm of L^reps f, L f = f'' - x f'/sigma^2", r"\|L^m f\|", "1/length^2"
            ),
        ),
    ),
    Model(
        "posterior-generator",
        "the posterior mean f of three atoms in [-R, R] under noise, and its generator at x",
        (WEIGHT, SHARE, RADIUS, INNER, SIGMA, POINT),
        (
            ModelQuantity("generator_value", "f''(x) - x f'(x)/sigma^2", "Lf(x)", "1/length", signed=True),
            ModelQuantity("generator_norm", "L2 norm of L f under the noisy law", r"\|Lf\|", "1/length"),
            POSTERIOR_VARIANCE,
            POSTERIOR_THIRD,
        ),
    ),
    Model(
        "posterior-powers",
        "powers L^reps f of the generator on the posterior mean f of three atoms in [-R, R], at x",
        (WEIGHT, SHARE, RADIUS, INNER, SIGMA, POINT, REPS),
        (
            ModelQuantity("power_value", "L^reps f at x, L f = f'' - x f'/sigma^2", "L^mf(x)", signed=True),
            ModelQuantity("power_norm", "L2 norm of L^reps f under the noisy law", r"\|L^mf\|"),
            POSTERIOR_VARIANCE,
            POSTERIOR_THIRD,
            *(
                ModelQuantity(
                    f"post_{word}",
                    f"{word} cumulant of X0 given X = x",
                    rf"\kappa_{n}(x)",
                    f"length^{n}",
                    signed=True,
                )
                for n, word in ((4, "fourth"), (5, "fifth"), (6, "sixth"), (7, "seventh"))
            ),
        ),
    ),
    Model(
        "hermite-moment",
        "the normalised Hermite polynomial of degree deg under N(shift, 1)",
        (
            replace(DEGREE, high=60),
            Parameter("shift", 0.05, 2, "signed", "mean of the shifted Gaussian", r"\mu"),
        ),
        (
            ModelQuantity("hermite_second", "E h(X)^2 for X ~ N(shift, 1)", r"E h_n^2"),
            ModelQuantity("laguerre", "Laguerre polynomial of degree deg at -shift^2", r"L_n(-\mu^2)"),
            ModelQuantity(
                "bessel", "modified Bessel function I_0(2 |shift| sqrt deg)", r"I_0(2|\mu|\sqrt{n})"
            ),
        ),
    ),
    Model(
        "warm-start",
        "three atoms of weights w, (1-w) share, (1-w)(1-share) under noise of deviation sigma",
        (
            WEIGHT,
            SHARE,
            FIRST,
            SECOND,
            Parameter("m3", 0.05, 3, "signed", "the third atom", "m_3"),
            SIGMA,
            Parameter("place", -1.0, 3.0, "linear", "point y = m1 + place (m2 - m1)", "u"),
        ),
        (
            ModelQuantity("warm_gap", "E|E[mu|Y] - mu|", r"E|f(Y)-\mu|", "length"),
            ModelQuantity("posterior_miss", "|E[mu|Y=y] - m1|", "|f(y)-m_1|", "length"),
        ),
    ),
)
