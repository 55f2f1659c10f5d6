"""Models of learners with a law, and of what is learned: weights, smoothed scores, networks, pancakes."""

from __future__ import annotations

from dataclasses import replace

from bounds.models.model import Model, ModelQuantity, Parameter
from bounds.models.shared import (
    DATA,
    DEGREE,
    ETA,
    FAIL,
    FIRST,
    INNER,
    NOISE,
    PAIR,
    RADIUS,
    SCALE,
    SHARE,
    SIGMA,
    SPREAD_1,
    TIME,
    WEIGHT,
)

__all__ = ["LEARNERS"]

FEW = replace(DATA, high=100)
TEACHER = Parameter("teacher", 0.2, 1.2, "log", "length of mu*", r"|\mu^*|")

LEARNERS: tuple[Model, ...] = (
    Model(
        "learned-weight",
        "the score of two atoms of unknown weight, fitted to n_data of them with endless noise draws",
        (
            WEIGHT,
            Parameter("sep", 0.05, 6, "log", "distance between the atoms", r"\Delta"),
            SCALE,
            NOISE,
            FEW,
            replace(FAIL, low=1e-3, high=0.5),
            Parameter("fail_train", 1e-3, 0.5, "log", "probability that the training fails", r"\delta_m"),
        ),
        (
            ModelQuantity(
                "learner_risk", "mean squared L2 error of the fit", r"E\|\hat S-S\|^2", "1/length^2"
            ),
            ModelQuantity(
                "learner_quantile",
                "s times the quantile error of the fit at level fail, exceeded with probability fail_train",
                r"s D^{\delta_f}(\hat S,S)",
            ),
        ),
    ),
    Model(
        "learned-at-all-times",
        "the weight of two atoms, fitted to n_data of them at all times with endless noise draws, unit clock",
        (WEIGHT, FEW),
        (
            ModelQuantity("learner_variance", "E(k/n - w)^2 of the fitted weight k/n", r"E(\hat w-w)^2"),
            ModelQuantity(
                "learner_entropy",
                "mean KL of the atoms to those of weight (k + 1/2)/(n + 1)",
                r"E\mathrm{KL}",
                "nats",
            ),
            ModelQuantity("weight_information", "Fisher information of w in one datum", "I(w)"),
        ),
    ),
    Model(
        "smoothed-score",
        "the score of a mixture and that of the mixture smoothed by a Gaussian of variance bandwidth",
        (
            *PAIR,
            Parameter("bandwidth", 1e-3, 40, "log", "variance of the smoothing kernel", "h"),
        ),
        (
            ModelQuantity(
                "smoothing_bias", "E|s_h - s|^2 under the mixture", r"E_\rho|s_h-s|^2", "1/length^2"
            ),
            ModelQuantity(
                "noisy_bias", "E|s_h - s|^2 under the smoothed mixture", r"E_{\rho_h}|s_h-s|^2", "1/length^2"
            ),
            ModelQuantity("score_lip", "Lipschitz constant of the score of the mixture", "L", "1/length^2"),
        ),
    ),
    Model(
        "network-of-pieces",
        "the relative score of (1-eta) N(0,1) + eta N(m1, v1), v1 < 1, at time t, interpolated linearly "
        "between n_pieces + 1 points of [-window, window], unit clock",
        (
            replace(ETA, low=0.01, high=0.9),
            FIRST,
            SPREAD_1,
            TIME,
            Parameter("n_pieces", 1, 200, "integer", "number of pieces of the network", "n"),
            Parameter("window", 0.5, 8, "log", "half the width that the pieces cover", "B"),
        ),
        (
            ModelQuantity("piece_error", "squared L2 error of the network", r"E|v_t-\hat v|^2", "1/length^2"),
            ModelQuantity("outside", "P(|X_t| > window)", "P(|X_t|>B)"),
            ModelQuantity("ratio_lip", "larger Lipschitz constant of f and f'", "L_f"),
        ),
    ),
    Model(
        "cluster",
        "the posterior mean of three atoms in [-R, R] under noise, and polynomials of degree below deg",
        (WEIGHT, SHARE, RADIUS, INNER, SIGMA, replace(DEGREE, high=14)),
        (
            ModelQuantity(
                "degree_error",
                "L2 distance of the posterior mean from the polynomials, under the noisy law",
                r"\|f-g\|",
                "length",
            ),
        ),
    ),
    Model(
        "descent",
        "gradient descent with steps rate on the denoising loss of two symmetric Gaussians of unit variance",
        (
            Parameter("student", 0.05, 1.2, "log", "length of mu", r"|\mu|"),
            TEACHER,
            Parameter("overlap", 1e-6, 1, "log", "cosine of the angle between start and teacher", "c"),
            Parameter("rate", 0.1, 0.5, "log", "step size", r"\eta"),
        ),
        (
            ModelQuantity(
                "descent_steps", "steps until the mean is within a tenth of the teacher's length of it", "n"
            ),
        ),
    ),
    Model(
        "pancakes",
        "layers layer_gap apart and blur layer_gap thick in one direction of a standard Gaussian",
        (
            Parameter("layer_gap", 0.3, 6, "log", "distance of the layers", "g"),
            Parameter("blur", 0.15, 0.8, "linear", "thickness of a layer over their distance", "b"),
            replace(DEGREE, high=60),
        ),
        (
            ModelQuantity(
                "pancake_moment", "|E h(X)| of the normalised Hermite polynomial of degree deg", "|E h_n|"
            ),
            ModelQuantity(
                "pancake_fisher", "E|S - S_gamma|^2, gamma standard normal", r"E|S-S_\gamma|^2", "1/length^2"
            ),
        ),
    ),
)
