"""Models of the variance-preserving process and of the pinned Brownian motion."""

from __future__ import annotations

from dataclasses import replace

from bounds.models.model import Model, ModelQuantity, Parameter
from bounds.models.shared import (
    ETA,
    FIRST,
    HESSIAN,
    HORIZON,
    OFFSET,
    PAIR,
    POINT,
    SCORE,
    SIGMA,
    SPREAD_1,
    TIME,
)

__all__ = ["PROCESSES"]

KL_START = ModelQuantity("KL0", "KL(target || gamma)", r"\mathrm{KL}_0", "nats")

PROCESSES: tuple[Model, ...] = (
    Model(
        "pinned-bridge",
        "a point x at time part T of the Brownian motion pinned at zero that ends in a mixture at time T",
        (
            *PAIR,
            HORIZON,
            Parameter("part", 0.02, 0.98, "linear", "time as a share of the horizon", r"\tau"),
            SIGMA,
            POINT,
        ),
        (
            ModelQuantity("drift", "Foellmer drift u(x, t)", "u(x)", "length/time", signed=True),
            ModelQuantity("bridge_mean", "E[X_T | X_t = x]", "E[X_T|x]", "length", signed=True),
            ModelQuantity("bridge_score", "score of the law at time t", "S(x)", "1/length", signed=True),
        ),
    ),
    Model(
        "foellmer",
        "the Foellmer process that ends in a mixture with density",
        (*PAIR, HORIZON, SIGMA),
        (
            ModelQuantity(
                "foellmer_energy",
                "int_0^T E|u|^2 dt/(2 sigma^2)",
                r"\tfrac{1}{2\sigma^2}\int_0^T E|u|^2dt",
                "nats",
            ),
            ModelQuantity("kl_brownian", "KL(data || N(0, sigma^2 T))", r"\mathrm{KL}", "nats"),
        ),
    ),
    Model(
        "ornstein-uhlenbeck",
        "the forward process of a mixture on the line, unit clock",
        (*PAIR, HORIZON),
        (
            ModelQuantity("M2", "second moment E|x|^2 of the target (not its root)", "M_2", "length^2"),
            KL_START,
            ModelQuantity("FI0", "relative Fisher information of the target to gamma", "I_0", "1/length^2"),
            ModelQuantity("kl_end", "KL(q_T || gamma)", r"\mathrm{KL}_T", "nats"),
            ModelQuantity("tv_end", "TV(q_T, gamma)", r"\mathrm{TV}_T"),
            ModelQuantity("vp_energy", "int_0^T E|S_t + x|^2 dt", r"\int_0^T E|v_t|^2dt", "nats"),
        ),
    ),
    Model(
        "density-ratio",
        "the target (1-eta) N(0,1) + eta N(m1, v1), v1 < 1, whose ratio f to gamma is Lipschitz",
        (
            replace(ETA, low=0.01, high=0.9),
            FIRST,
            SPREAD_1,
            TIME,
        ),
        (
            ModelQuantity("ratio_lip", "larger Lipschitz constant of f and f'", "L_f"),
            ModelQuantity("drift_sup", "sup |v_t|, v_t = d/dx log Q_t f", r"\sup|v_t|"),
            ModelQuantity("drift_lip", "Lipschitz constant of v_t", r"\mathrm{Lip}(v_t)"),
        ),
    ),
    Model(
        "relative-score",
        "a point x of the forward law of a mixture with density, unit clock",
        (*PAIR, TIME, POINT),
        (
            SCORE,
            ModelQuantity(
                "relative_score", "d/dx log Q_t f, f the ratio to gamma", "v_t(x)", "1/length", signed=True
            ),
        ),
    ),
    Model(
        "forward-rate",
        "a point x of the forward law of a mixture, atoms too, and how fast its density changes, unit clock",
        (*PAIR, TIME, POINT),
        (
            SCORE,
            HESSIAN,
            ModelQuantity("log_rate", "d/dt log q_t(x)", r"\partial_t\log q_t(x)", "1/time", signed=True),
        ),
    ),
    Model(
        "shifted-score",
        "the reverse SDE of gamma with a score that is wrong by the constant offset",
        (OFFSET, replace(HORIZON, low=0.01, high=20)),
        (
            ModelQuantity("marginal_kl", "KL(target || output), unit clock", r"\mathrm{KL}", "nats"),
            ModelQuantity("marginal_kl_half", "KL(target || output), half clock", r"\mathrm{KL}_h", "nats"),
        ),
    ),
    Model(
        "pbm-euler",
        "Euler's scheme for the Foellmer process that ends in N(0, v1)",
        (
            SPREAD_1,
            Parameter("N", 1, 400, "integer", "number of steps", "N"),
            HORIZON,
            SIGMA,
        ),
        (ModelQuantity("pbm_variance", "variance of the output", r"\hat v", "length^2"),),
    ),
)
