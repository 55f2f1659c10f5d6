"""Models of quantile errors, of the relaxation of the error over time, and of hard pairs."""

from __future__ import annotations

from dataclasses import replace

from bounds.models.model import Model, ModelQuantity, Parameter
from bounds.models.shared import ETA, FAIL, HORIZON, LAG, OFFSET, PAIR, SLOPE, STEPS, STOP, TIME

__all__ = ["QUANTILES"]

QUANTILES: tuple[Model, ...] = (
    Model(
        "quantile-levels",
        "a score error of size err_big with probability mass, err_small otherwise",
        (
            Parameter("err_big", 0.05, 20, "log", "the larger error", "K"),
            Parameter("err_small", 1e-3, 10, "log", "the smaller error", "k", zero=True),
            Parameter("mass", 1e-6, 0.999, "log", "probability of the larger error", r"\beta"),
            FAIL,
        ),
        (
            ModelQuantity("quantile_error", "least e with P(error > e) <= fail", r"D^{\delta_f}", "1/length"),
            ModelQuantity("l2_error", "root mean square of the error", r"\|f-s\|", "1/length"),
        ),
    ),
    Model(
        "quantile-sum",
        "errors slope X and slope_two X + offset under a mixture, at levels fail and fail_two",
        (
            *PAIR,
            SLOPE,
            Parameter("slope_two", 0.05, 3, "signed", "slope of the second error", "b_2"),
            OFFSET,
            FAIL,
            Parameter("fail_two", 1e-6, 0.999, "log", "level of the second error", r"\delta_2"),
        ),
        (
            ModelQuantity("first_quantile", "quantile error of the first", r"D^{\delta_f}(f,g)", "1/length"),
            ModelQuantity(
                "second_quantile", "quantile error of the second", r"D^{\delta_2}(g,h)", "1/length"
            ),
            ModelQuantity(
                "sum_quantile",
                "quantile error of the sum at level fail + fail_two",
                r"D^{\delta_f+\delta_2}(f,h)",
                "1/length",
            ),
        ),
    ),
    Model(
        "truncated-chain",
        "the exact reverse chain of gamma, run with a score that is lost beyond cut",
        (
            Parameter("cut", 0.2, 5, "log", "where the score is lost", "c"),
            replace(LAG, low=0.3, high=3),
            replace(STEPS, high=50),
        ),
        (
            ModelQuantity("escape", "TV of the two paths: P(some |x_k| > cut)", r"\mathrm{TV}"),
            ModelQuantity("step_mass", "P(|x| > cut) in one step", r"\delta_k"),
        ),
    ),
    Model(
        "lossy-chain",
        "the reverse chain of gamma, run with a shifted score that is lost beyond cut",
        (
            Parameter("cut", 0.2, 3, "log", "where the score is lost", "c"),
            replace(LAG, low=0.3, high=3),
            replace(STEPS, high=10),
            replace(OFFSET, meaning="what the shift of the score adds to each step"),
        ),
        (
            ModelQuantity("lossy_tv", "TV of the end points, what is lost counted", r"\mathrm{TV}(\hat A,P)"),
            ModelQuantity("shift_tv", "TV of the paths with the shift and no loss", r"\mathrm{TV}(A,P)"),
            ModelQuantity(
                "shift_kl", "KL of the paths with the shift and no loss", r"\mathrm{KL}(P\,\|\,A)", "nats"
            ),
            ModelQuantity("escape", "TV of the two paths: P(some |x_k| > cut)", r"\mathrm{TV}"),
            ModelQuantity("step_mass", "P(|x| > cut) in one step", r"\delta_k"),
        ),
    ),
    Model(
        "relaxation",
        "the relaxed error bound 1/s_t^2 over [delta, T], unit clock",
        (STOP, HORIZON),
        (
            ModelQuantity(
                "noise_integral", "int_delta^T dt/(1 - e^{-2t})", r"\int_\delta^T \frac{dt}{s_t^2}"
            ),
            ModelQuantity(
                "capped_average",
                "mean of 1/min(t, 1) over [delta, T]",
                r"\tfrac{1}{T-\delta}\int_\delta^T \frac{dt}{\min(t,1)}",
            ),
        ),
    ),
    Model(
        "late-stopping",
        "the same near the stopping time one, delta = 1 - away",
        (
            Parameter("away", 1e-9, 0.9, "log", "1 - delta", r"1-\delta"),
            replace(HORIZON, low=1, high=20),
        ),
        (
            ModelQuantity(
                "capped_average",
                "mean of 1/min(t, 1) over [delta, T]",
                r"\tfrac{1}{T-\delta}\int_\delta^T \frac{dt}{\min(t,1)}",
            ),
            ModelQuantity("log_delta", "log(1/delta)", r"\log(1/\delta)"),
        ),
    ),
    Model(
        "relaxation-grid",
        "times from delta past T with steps ratio min(1, t)",
        (Parameter("ratio", 0.02, 0.9, "log", "step over min(1, t)", r"\kappa"), STOP, HORIZON),
        (
            ModelQuantity("sum_early", "sum of h/s^2 at the smaller end of each step", r"\Sigma_-"),
            ModelQuantity("sum_late", "sum of h/s^2 at the larger end of each step", r"\Sigma_+"),
            ModelQuantity("grid_integral", "the integral of 1/s^2 over the grid", r"\int \frac{dt}{s_t^2}"),
        ),
    ),
    Model(
        "noise-variance",
        "the noise variance of the forward process, unit clock",
        (replace(TIME, low=1e-5, high=20),),
        (ModelQuantity("noise_variance", "s_t^2 = 1 - e^{-2t}", "s_t^2", "length^2"),),
    ),
    Model(
        "hard-pair",
        "p1, p2 = (1-eta) N(0,1) + eta N(-+sep, 1) with scores s1, s2",
        (ETA, Parameter("sep", 0.05, 15, "log", "distance between the two means of a target", "R")),
        (
            ModelQuantity("bulk", "2 Phi(sep) - 1", r"2\Phi(R)-1"),
            ModelQuantity("pair_tv", "TV(p1, p2)", r"\mathrm{TV}"),
            ModelQuantity("pair_tv_two", "TV of two samples of each", r"\mathrm{TV}_2"),
            ModelQuantity("score_gap", "E_{p1}|s1 - s2|^2", r"\|s_1-s_2\|^2", "1/length^2"),
            ModelQuantity("minor_square", "E_{p1}(w1 + w2)^2", "E(w_1+w_2)^2"),
            ModelQuantity(
                "improper_gap",
                "E_{p1}|s - s1|^2, s of the symmetric mixture",
                r"\|\hat s-s_1\|^2",
                "1/length^2",
            ),
            ModelQuantity(
                "improper_far",
                "E_{p1}|s - s2|^2, s of the symmetric mixture",
                r"\|\hat s-s_2\|^2",
                "1/length^2",
            ),
        ),
    ),
)
