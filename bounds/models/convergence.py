"""Models of samplers: discrete schedules, flows, interpolants, multistep and random schemes, atoms.

Where the data are N(m, v) on the line, copied in d dimensions where d is a parameter, every output is
Gaussian, or Gaussian given the random times, and distances have exact values. Two atoms are mapped by an
increasing function, or noised.
"""

from __future__ import annotations

from dataclasses import replace

from bounds.models.model import Model, ModelQuantity, Parameter

__all__ = ["CONVERGENCE_MODELS"]

COUNT = Parameter("N", 20, 300, "integer", "number of steps", "N")
START_RATE = Parameter("rate0", 1, 4, "linear", "exponent of the first step, beta_1 = N^-rate0", "c_0")
TOP_RATE = Parameter("rate1", 4, 8, "linear", "largest step in units of log N/N", "c_1")
SCHEDULE = (COUNT, START_RATE, TOP_RATE)
DIMENSION = Parameter("d", 1, 400, "integer", "dimension", "d")
PLACE = Parameter("m1", 0.05, 3, "signed", "mean of the data, along one axis", "m")
SPREAD = Parameter("v1", 0.05, 4, "log", "variance of the data in every direction", "v", zero=True)
SLOPE = Parameter("slope", 0.05, 3, "signed", "slope of the error of the velocity", "b")
OFFSET = Parameter("offset", 0.05, 3, "signed", "constant part of the error", "c")
BIAS = replace(OFFSET, low=1e-4, high=1e4, meaning="constant error of the score, along the axis of the mean")
OTHER_PLACE = Parameter("m2", 0.05, 3, "signed", "place of the second atom", "m_2")
ATOM_SHARE = Parameter("w", 0.02, 0.98, "linear", "weight of the first atom", "w")
PUSH = replace(OFFSET, low=1e-4, high=1e3, meaning="constant error of the velocity, along one axis")
HALF_DISTANCE = Parameter("m1", 0.05, 3, "signed", "half the distance of the two components", "m")
NOISE_START = Parameter("noise_start", 0.05, 20, "log", "largest noise", r"\gamma_0")
NOISE_END = Parameter("noise_end", 1e-6, 10, "log", "noise at time one", r"\gamma_1")
CONTRACTING = Parameter("ratio", 0.03, 0.5, "log", "step over min(1, forward time)", r"\kappa")

LIPSCHITZ_SUM = ModelQuantity("lipschitz_sum", "int of the Lipschitz constant of the velocity", r"\int L_t")
REGULARITY = ModelQuantity("regularity", "1 + m1^2/v1", r"\lambda")
SHIFTED_FLOW = (
    ModelQuantity("smoothed_gap", "W2 of the smoothed data and the output", r"W_2(\tilde q)", "length"),
    ModelQuantity("data_gap", "W2 of the data and the output", "W_2(q)", "length"),
    ModelQuantity("velocity_error", "E int |error|^2 under the true path", r"\epsilon^2", "length^2"),
)

_DISCRETE = (
    Model(
        "step-schedule",
        "the steps beta_1 = N^-rate0, beta_{t+1} = r min(beta_1 (1 + r)^t, 1), r = rate1 log N/N",
        SCHEDULE,
        (
            ModelQuantity("largest_beta", "largest 1 - alpha_t", r"\max_t \beta_t"),
            ModelQuantity(
                "largest_share",
                "largest (1 - alpha_t)/(1 - alphabar_t), t >= 2",
                r"\max_t \frac{1-\alpha_t}{1-\bar\alpha_t}",
            ),
            ModelQuantity("signal_left", "alphabar_N", r"\bar\alpha_N"),
            ModelQuantity("total_beta", "sum of 1 - alpha_t over t >= 2", r"\sum_t \beta_t"),
        ),
    ),
    Model(
        "kernel-shift",
        "one reverse step with the score wrong by offset",
        (Parameter("beta", 1e-6, 0.9, "log", "1 - alpha of the step", r"\beta"), OFFSET),
        (
            ModelQuantity(
                "kernel_kl",
                "KL of the two Gaussian kernels of the step",
                r"\mathrm{KL}_{\mathrm{step}}",
                "nats",
            ),
        ),
    ),
    Model(
        "noise-schedule",
        "samplers of N(m1 e1, v1 I) in R^d on the schedule of N steps, run from N(0, I), with a shifted "
        "score",
        (COUNT, replace(START_RATE, high=2), TOP_RATE, replace(DIMENSION, high=1e6), PLACE, SPREAD, BIAS),
        (
            ModelQuantity(
                "flow_tv", "TV(X_1, Y_1) of the deterministic sampler", r"\mathrm{TV}_{\mathrm{ode}}"
            ),
            ModelQuantity(
                "flow_kl",
                "KL(X_1 || Y_1) of the deterministic sampler",
                r"\mathrm{KL}_{\mathrm{ode}}",
                "nats",
            ),
            ModelQuantity(
                "sde_tv", "TV(X_1, Y_1) with eta = sigma^2 = 1 - alpha", r"\mathrm{TV}_{\mathrm{sde}}"
            ),
            ModelQuantity(
                "sde_kl",
                "KL(X_1 || Y_1) with eta = sigma^2 = 1 - alpha",
                r"\mathrm{KL}_{\mathrm{sde}}",
                "nats",
            ),
            ModelQuantity(
                "adapted_tv",
                "TV(X_1, Y_1) with sigma^2 = (1 - alpha_t)(alpha_t - alphabar_t)/(1 - alphabar_t)",
                r"\mathrm{TV}_{\mathrm{ada}}",
            ),
            ModelQuantity(
                "adapted_kl",
                "KL(X_1 || Y_1) with those coefficients",
                r"\mathrm{KL}_{\mathrm{ada}}",
                "nats",
            ),
            ModelQuantity("signal_left", "alphabar_N", r"\bar\alpha_N"),
            ModelQuantity("start_kl", "KL(X_N || N(0, I))", r"\mathrm{KL}_N", "nats"),
            ModelQuantity(
                "sde_kl_own", "sde_kl, run from the law of X_N", r"\mathrm{KL}_{\mathrm{sde}}^{q_N}", "nats"
            ),
            ModelQuantity(
                "adapted_kl_own",
                "adapted_kl, run from the law of X_N",
                r"\mathrm{KL}_{\mathrm{ada}}^{q_N}",
                "nats",
            ),
            ModelQuantity(
                "matched_kl",
                "KL(X_1 || Y_1) with covariance (1 - alpha_t)(I + (1 - alpha_t) Hess log q_t)",
                r"\mathrm{KL}_{\mathrm{Hess}}",
                "nats",
            ),
            ModelQuantity(
                "matched_kl_own",
                "matched_kl, run from the law of X_N",
                r"\mathrm{KL}_{\mathrm{Hess}}^{q_N}",
                "nats",
            ),
        ),
    ),
)

_NOISED = (
    Model(
        "noised-flow",
        "N(m1 e1, v1 I) in R^d: the flow over two steps, then one step of noise, with a shifted score",
        (
            CONTRACTING,
            Parameter("T", 1, 8, "log", "horizon of the forward process", "T"),
            Parameter("t_end", 1e-3, 0.5, "log", "where the grid ends", r"\delta"),
            replace(DIMENSION, high=30),
            PLACE,
            SPREAD,
            BIAS,
        ),
        (
            ModelQuantity("noised_kl", "KL of the forward law from the output", r"\mathrm{KL}", "nats"),
            ModelQuantity("grid_steps", "number of steps of the grid", "K", "count"),
        ),
    ),
    Model(
        "noising-step",
        "two points offset apart, each noised by the forward process for the time lag",
        (Parameter("lag", 0.02, 2, "log", "time", "h"), OFFSET),
        (ModelQuantity("noising_kl", "KL of the two laws", r"\mathrm{KL}", "nats"),),
    ),
)

_FLOWS = (
    Model(
        "flow-matching",
        "the flow from N(0, 1) to N(0, v1) along (1 - t) X0 + t X1, its velocity wrong by slope x + offset",
        (replace(SPREAD, low=0.01, high=100, meaning="variance of the data"), SLOPE, OFFSET),
        (
            ModelQuantity("flow_gap", "W2 of the data and the output", "W_2", "length"),
            ModelQuantity("velocity_error", "E int |error|^2 under the true path", r"\epsilon^2", "length^2"),
            ModelQuantity("lipschitz_sum", "int of the Lipschitz constant of the estimate", r"\int L_t"),
            ModelQuantity(
                "growth_sum",
                "int of the positive part of its derivative in x",
                r"\int (\partial_x \hat v)_+",
            ),
        ),
    ),
    Model(
        "exploding-flow",
        "the velocity of X1 + gamma(t) Z, X1 ~ N(-m1, v1) or N(m1, v1) with equal weights, gamma falling "
        "from "
        "noise_start to noise_end",
        (HALF_DISTANCE, SPREAD, NOISE_START, NOISE_END),
        (LIPSCHITZ_SUM, REGULARITY),
    ),
    Model(
        "preserving-flow",
        "the velocity of sin(a) X1 + R cos(a) Z, X1 ~ N(-m1, v1) or N(m1, v1) with equal weights, 0 <= a <= "
        "angle",
        (
            HALF_DISTANCE,
            SPREAD,
            Parameter("R", 0.05, 50, "log", "scale of the noise, m1^2 + v1 < R^2", "R"),
            Parameter("angle", 0.1, 1.57, "linear", "last angle, below a right one", r"\vartheta"),
        ),
        (LIPSCHITZ_SUM, REGULARITY, ModelQuantity("noise_left", "R cos(angle)", r"\gamma_1")),
    ),
    Model(
        "bridged-flow",
        "the flow of t X1 + gamma(t) Z to N(m, v1 I) in R^d, gamma from noise_end up to noise_start and back "
        "along a parabola, its velocity shifted by offset",
        (replace(DIMENSION, high=1e6), SPREAD, NOISE_START, NOISE_END, PUSH),
        (
            *SHIFTED_FLOW,
            ModelQuantity("inverse_noise", "int of 1/gamma", r"\int \tfrac{1}{\gamma_t}"),
        ),
    ),
    Model(
        "fading-flow",
        "the flow of X1 + gamma(t) Z to N(m, v1 I) in R^d, gamma falling evenly in its logarithm from "
        "noise_start to noise_end, its velocity shifted by offset",
        (replace(DIMENSION, high=1e6), SPREAD, NOISE_START, NOISE_END, PUSH),
        SHIFTED_FLOW,
    ),
    Model(
        "interpolant",
        "the diffusion of a standard Gaussian interpolant, drift wrong by db(t), score by ds(t) = share "
        "db/diff",
        (
            Parameter("diff", 0.02, 20, "log", "diffusion coefficient", r"\epsilon"),
            OFFSET,
            Parameter("score_share", 0.02, 20, "signed", "diff ds/db", r"\rho"),
        ),
        (
            ModelQuantity("interpolant_kl", "KL of the data from the output", r"\mathrm{KL}", "nats"),
            ModelQuantity("drift_error", "int of E|db|^2", r"\int |\delta b|^2", "length^2"),
            ModelQuantity("score_error", "int of E|ds|^2", r"\int |\delta s|^2", "1/length^2"),
            ModelQuantity(
                "forward_error",
                "int of E|db + diff ds|^2",
                r"\int |\delta b + \epsilon\, \delta s|^2",
                "length^2",
            ),
            ModelQuantity(
                "velocity_part_error",
                "int of E|db + gamma gamma' ds|^2, gamma^2 = 2 t (1 - t)",
                r"\int |\delta b + \gamma \dot\gamma\, \delta s|^2",
                "length^2",
            ),
        ),
    ),
)

_HIGHER = (
    Model(
        "multistep",
        "N(m1, v1) from q_T to q_delta in N steps of equal log signal-to-noise ratio",
        (
            Parameter("N", 2, 500, "integer", "number of steps", "N"),
            Parameter("T", 1, 4, "log", "horizon of the forward process", "T"),
            Parameter("t_end", 0.01, 0.5, "log", "where the flow stops", r"\delta"),
            PLACE,
            SPREAD,
        ),
        (
            ModelQuantity("two_step_gap", "W2 of the second-order multistep scheme", r"W_2^{(2)}", "length"),
            ModelQuantity("one_step_gap", "W2 of the first-order scheme", r"W_2^{(1)}", "length"),
            ModelQuantity("log_step", "step of log(signal/noise)", r"h_\lambda"),
        ),
    ),
)

_FROZEN = (
    Model(
        "frozen-denoiser",
        "N(0, v1) in rank directions and a point in empty others, from q_T to q_delta in N steps of equal "
        "log "
        "signal-to-noise ratio",
        (
            Parameter("N", 1, 60, "integer", "number of steps", "N"),
            Parameter("T", 1, 8, "log", "horizon of the forward process", "T"),
            Parameter("t_end", 1e-9, 0.5, "log", "where the sampler stops", r"\delta"),
            Parameter("rank", 1, 400, "integer", "directions that the data fill", "k"),
            Parameter("empty", 1, 1e6, "integer", "directions that they do not", "d - k"),
            SPREAD,
        ),
        (
            ModelQuantity(
                "denoiser_path", "path KL with E[X_0|X_t] frozen over the steps", r"\mathrm{KL}_{x_0}", "nats"
            ),
            ModelQuantity("score_path", "path KL with the score frozen", r"\mathrm{KL}_{s}", "nats"),
            ModelQuantity("log_step", "step of log(signal/noise)", r"h_\lambda"),
            ModelQuantity("last_ratio", "signal over noise variance at the end", r"\mathrm{snr}_\delta"),
        ),
    ),
)

_RANDOM = (
    Model(
        "random-midpoint",
        "N(m, v1 I) in R^d: the flow with random midpoints over a block of length block/L that ends at the "
        "data, from the forward law, with a score shifted by offset",
        (
            Parameter("N", 1, 200, "integer", "number of steps", "N"),
            Parameter("block", 0.05, 1, "linear", "length of the block times L", r"T L"),
            replace(DIMENSION, high=1e6),
            replace(SPREAD, low=1e-3, high=100),
            replace(BIAS, low=1e-3, high=1e3),
        ),
        (
            ModelQuantity("lipschitz", "largest Lipschitz constant of the scores, at least one", "L"),
            ModelQuantity("block_step", "length of a step", "h"),
            ModelQuantity(
                "coupled_gap",
                "root mean square distance of the output from the exact flow",
                r"\sqrt{\mathrm E|\hat X - X|^2}",
                "length",
            ),
            ModelQuantity(
                "moment_gap",
                "W2 of the Gaussians with the moments of output and data",
                r"W_2^{\mathrm{mom}}",
                "length",
            ),
        ),
    ),
)

_LANGEVIN = (
    Model(
        "langevin-average",
        "Langevin Monte Carlo for N(0, v1 I) in R^d from N(m1 e1, v2 I), and the average of its laws over N "
        "steps",
        (
            Parameter("N", 1, 30, "integer", "number of steps", "N"),
            Parameter("stride", 0.01, 1, "log", "step times L = 1/v1", "h L"),
            replace(DIMENSION, high=1e6),
            replace(PLACE, meaning="mean of the start"),
            replace(SPREAD, meaning="variance of the target"),
            Parameter("v2", 0.05, 4, "log", "variance of the start", "v_0", zero=True),
        ),
        (
            ModelQuantity("langevin_step", "length of a step", "h"),
            ModelQuantity("start_gap", "W2 of the start and the target", r"W_2(p_0, q)", "length"),
            ModelQuantity(
                "mean_kl", "average over the steps of the KL to the target", r"\overline{\mathrm{KL}}", "nats"
            ),
            ModelQuantity(
                "averaged_kl",
                "KL to the target of the average of the laws, along the mean",
                r"\mathrm{KL}(\bar p\,\|\,q)",
                "nats",
            ),
        ),
    ),
)

_INEXACT = (
    Model(
        "inexact-langevin",
        "the Langevin diffusion of N(0, v1) with its drift wrong by slope x + offset, from N(m1, v2), for "
        "the "
        "time lag",
        (
            Parameter("lag", 0.02, 20, "log", "time", "t"),
            replace(SPREAD, meaning="variance of the target"),
            replace(SLOPE, low=0.01, meaning="slope of the error of the drift"),
            replace(OFFSET, low=0.01, meaning="constant part of the error of the drift"),
            replace(PLACE, meaning="mean of the start"),
            Parameter("v2", 0.05, 4, "log", "variance of the start", "v_0", zero=True),
        ),
        (
            ModelQuantity("inexact_kl", "KL to the target at the end", r"\mathrm{KL}_t", "nats"),
            ModelQuantity("inexact_start", "KL to the target at the start", r"\mathrm{KL}_0", "nats"),
            ModelQuantity(
                "exponential_error",
                "(1/v1) log E exp(v1 |error|^2) under the target",
                r"\epsilon_{\mathrm{mgf}}^2",
                "1/length^2",
            ),
        ),
    ),
)

_ATOMS = (
    Model(
        "schedule-atoms",
        "two atoms on the line: the deterministic sampler of the schedule, run from N(0, 1)",
        (replace(COUNT, high=100), replace(START_RATE, high=2), TOP_RATE, ATOM_SHARE, PLACE, OTHER_PLACE),
        (ModelQuantity("atoms_tv", "TV(X_1, Y_1)", r"\mathrm{TV}_{\mathrm{ode}}"),),
    ),
    Model(
        "stopped-atoms",
        "two atoms on the line, noised by the forward process for the time lag",
        (
            Parameter("lag", 0.02, 2, "log", "time", "t"),
            ATOM_SHARE,
            PLACE,
            OTHER_PLACE,
        ),
        (
            ModelQuantity("stopped_w1", "W1 of the noised law and the data", "W_1(q_t, q)", "length"),
            ModelQuantity(
                "stopped_bl",
                "bounded Lipschitz distance of the noised law and the data",
                r"d_{\mathrm{BL}}(q_t, q)",
            ),
            ModelQuantity(
                "stopped_lipschitz",
                "Lipschitz constant of the score from then on",
                r"L_{\ge t}",
                "1/length^2",
            ),
        ),
    ),
)

CONVERGENCE_MODELS: tuple[Model, ...] = (
    *_DISCRETE,
    *_NOISED,
    *_FLOWS,
    *_HIGHER,
    *_FROZEN,
    *_RANDOM,
    *_LANGEVIN,
    *_INEXACT,
    *_ATOMS,
)
"""Models of samplers on Gaussians and atoms."""
