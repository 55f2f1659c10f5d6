"""Models of learning theory: noisy mixtures, students and teachers, estimation, bridges, quantile errors."""

from __future__ import annotations

from dataclasses import replace

from bounds.models.model import Model, ModelQuantity, Parameter

__all__ = ["LEARNING_MODELS"]

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
SHARE = Parameter("share", 0.0, 1.0, "linear", "share of the second atom in what is left", r"\rho")
RADIUS = Parameter("R", 0.05, 5, "log", "radius of the interval that holds the atoms", "R")
INNER = Parameter("inner", -1.0, 1.0, "linear", "place of the inner atom in units of R", "u")
SIGMA = Parameter("sigma", 0.3, 4, "log", "standard deviation of the noise", r"\sigma")
DEGREE = Parameter("deg", 1, 8, "integer", "degree of a Hermite polynomial, or one above", "n")
REPS = Parameter("reps", 1, 3, "integer", "number of applications of the generator", "m")
STEPS = Parameter("steps", 1, 200, "integer", "number of steps", "n")
DIMENSION = Parameter("d", 1, 400, "integer", "dimension", "d")
DATA = Parameter("n_data", 1, 2000, "integer", "number of data", "m")
HORIZON = Parameter("T", 0.1, 5, "log", "horizon of the forward process", "T")
FAIL = Parameter("fail", 1e-6, 0.999, "log", "probability allowed to fail", r"\delta_f")
TIME = Parameter("t", 1e-3, 5, "log", "forward time, unit clock", "t")
STOP = Parameter("delta", 1e-4, 0.99, "log", "early-stopping time", r"\delta", zero=True)
ETA = Parameter("eta", 1e-8, 0.5, "log", "weight of the minor component", r"\eta")


# -- mixtures on the line through a Gaussian channel ---------------------------------------------------------

SCORE = ModelQuantity("score", "score d/dx log q(x) of the noisy law", "S(x)", "1/length", signed=True)
HESSIAN = ModelQuantity("hessian", "d^2/dx^2 log q(x)", "S'(x)", "1/length^2", signed=True)
POSTERIOR_VARIANCE = ModelQuantity("post_var", "Var(X0 | X = x)", "C(x)", "length^2")
POSTERIOR_THIRD = ModelQuantity(
    "post_third", "third cumulant of X0 given X = x", r"\kappa_3(x)", "length^3", signed=True
)
MMSE = ModelQuantity("mmse", "E Var(X0 | X)", "V", "length^2")
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
            POSTERIOR_THIRD,
            ModelQuantity("noise_mean", "E[s Z | X = x]", "E[sZ|x]", "length", signed=True),
            ModelQuantity("target_var", "Var(Y | X = x) of the target Y = -Z/s", r"\mathrm{Var}(Y|x)"),
        ),
    ),
    Model(
        "three-atoms",
        "a point x of the noisy law of three atoms within the interval of radius R about a centre",
        (
            WEIGHT,
            SHARE,
            RADIUS,
            INNER,
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
            DIMENSION,
            SPREAD_1,
            SCALE,
            NOISE,
            FAIL,
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
            MMSE,
            ModelQuantity("mean_hessian", "E of d^2/dx^2 log q(X)", "E[S']", "1/length^2", signed=True),
            ModelQuantity("score_cross", "E[S(X) f(X)]", "E[Sf]", "1/length^2", signed=True),
            ModelQuantity("score_fourth", "E|S(X)|^4", "E|S|^4", "1/length^4"),
            ModelQuantity("score_cosh", "E cosh(s S(X))", r"E\cosh(sS)"),
            ModelQuantity("ism_objective", "E[f(X)^2/2 + f'(X)]", "E[f^2/2+f']", "1/length^2", signed=True),
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
        (EARLY, LAG, STEPS),
        (ModelQuantity("kappa_product", "product of the optimal weights", r"\prod_k \kappa^*_k"),),
    ),
)

# -- noise stability -----------------------------------------------------------------------------------------

_STABILITY = (
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

# -- two symmetric Gaussians ---------------------------------------------------------------------------------

_STUDENTS = (
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

# -- estimation ----------------------------------------------------------------------------------------------

GAMMA_SM = ModelQuantity("gamma_sm", "asymptotic variance (norm) of score matching", r"\Gamma_{SM}")
GAMMA_MLE = ModelQuantity("gamma_mle", "asymptotic variance (norm) of maximum likelihood", r"\Gamma_{MLE}")

_ESTIMATION = (
    Model(
        "least-squares",
        "linear score estimates from n_data draws of N(0, v1 I) under noise, d dimensions",
        (replace(DIMENSION, high=30), DATA, SPREAD_1, SCALE, NOISE),
        (
            ModelQuantity("target_noise", "tr Cov(Y | X) = d/s^2 - d/A", "c", "1/length^2"),
            ModelQuantity("population_risk", "mean L2 error of the DSM fit", "E|e|^2", "1/length^2"),
            ModelQuantity(
                "in_sample_risk", "mean error of the DSM fit on its data", "E|e|_m^2", "1/length^2"
            ),
            ModelQuantity("intercept_risk", "population_risk with an intercept", "E|e_0|^2", "1/length^2"),
            ModelQuantity("ism_ls_risk", "mean L2 error of the ISM fit", "E|e_I|^2", "1/length^2"),
        ),
    ),
    Model(
        "many-draws",
        "linear score estimates on the line, one noise draw a datum against infinitely many",
        (replace(DATA, low=3), SPREAD_1, SCALE, NOISE),
        (
            ModelQuantity("one_draw_risk", "mean L2 error with one draw a datum", "E|e_1|^2", "1/length^2"),
            ModelQuantity("many_draws_risk", "the same with endless draws", r"E|e_\infty|^2", "1/length^2"),
        ),
    ),
    Model(
        "selection",
        "empirical risk minimisation over the truth and rivals with orthogonal errors of squared size gap^2",
        (
            Parameter("gap", 0.05, 20, "log", "root of the summed squared error of a rival", "F"),
            Parameter("noise_level", 0.05, 5, "log", "conditional variance of the target", "c"),
            Parameter("rivals", 1, 1_000_000, "integer", "number of rivals", "K"),
            FAIL,
        ),
        (ModelQuantity("selection_miss", "probability that a rival is selected", "P(miss)"),),
    ),
    Model(
        "exponential-family",
        "score matching and maximum likelihood for N(m1, v1), statistics x and x^2",
        (FIRST, SPREAD_1),
        (
            GAMMA_SM,
            GAMMA_MLE,
            ModelQuantity("poincare", "restricted Poincare constant of the statistics", "C_P", "length^2"),
            ModelQuantity("theta_sq", "squared norm of the natural parameter", r"|\theta|^2"),
            ModelQuantity("jacobian_fourth", "E|J|^4 of the statistics' Jacobian", "E|J|^4"),
        ),
    ),
    Model(
        "variance-family",
        "score matching and maximum likelihood for the variance of N(0, v1), n_data draws",
        (SPREAD_1, replace(DATA, low=3)),
        (
            GAMMA_SM,
            GAMMA_MLE,
            ModelQuantity("inverse_mean", "mean of the inverse of the estimated variance", r"E[1/\hat v]"),
        ),
    ),
    Model(
        "bimodal",
        "the weight of two unit Gaussians 2 half_sep apart, at one half",
        (Parameter("half_sep", 0.05, 5, "log", "half the distance of the modes", "a"),),
        (GAMMA_SM, GAMMA_MLE),
    ),
    Model(
        "two-atoms",
        "two equal atoms at +-R under noise",
        (RADIUS, NOISE),
        (
            MMSE,
            ModelQuantity("one_less_tanh", "1 - E tanh(g + sqrt g Z), g = R^2/s^2", r"1-E\tanh(g+\sqrt{g}Z)"),
        ),
    ),
)

# -- pinned Brownian motion and the variance-preserving process ----------------------------------------------

KL_START = ModelQuantity("KL0", "KL(target || gamma)", r"\mathrm{KL}_0", "nats")

_PROCESSES = (
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

# -- quantile errors and hard pairs --------------------------------------------------------------------------

_QUANTILES = (
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

LEARNING_MODELS = (*_LINE, *_TIMES, *_STABILITY, *_STUDENTS, *_ESTIMATION, *_PROCESSES, *_QUANTILES)
