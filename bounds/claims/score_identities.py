"""Score identities: Tweedie's formulas, denoising and implicit score matching, softmax forms.

X = a X0 + s Z with Z standard Gaussian; q the law of X, S = (log q)' its score, Y = -Z/s the target of
denoising score matching. For every law of X0 (here mixtures on the line, atoms included)

    Tweedie     S(x) = (a E[X0|x] - x)/s^2 = -E[sZ|x]/s^2,   S'(x) = -1/s^2 + (a^2/s^4) Var(X0|x),
                S''(x) = (a^3/s^6) kappa_3(X0|x),            Var(Y|x) = 1/s^2 + S'(x),
    Vincent     E|f - Y|^2 = E|f - S|^2 + E|S - Y|^2, for noise prediction times s^2, and for denoising
                E|X + s^2 f - a X0|^2 = s^4 E|f - S|^2 + a^2 E Var(X0|X),
    least risk  E|S - Y|^2 = d/s^2 - E|S|^2 = (a^2/s^4) E Var(X0|X) = 1/s^2 + E S',
    Hyvarinen   (1/2) E|f - S|^2 = E[f^2/2 + f'] + (1/2) E|S|^2,
    Stein       E[S f] = -E f',      E|S|^2 = -E S'.

Consequences. S' >= -1/s^2; atoms in an interval of radius R have Var(X0|x) <= R^2, so that |S'| <=
max(1/s^2, a^2 R^2/s^4 - 1/s^2) and = O(R^2/s^4) for R >= 1, a, s <= 1; the same holds in any dimension for
the trace of Cov(X0|x) and the operator norm of the Hessian. Data with curvature m of the potential have
Var(X0|x) <= 1/(m + a^2/s^2) (Brascamp-Lieb), here m = 1/v - Delta^2/(4 v^2) for two Gaussians of variance v
a distance Delta apart. By Jensen E psi(s|S|) <= E psi(|N(0, I)|) for convex increasing psi, which gives
E|S|^2 <= d/s^2, E S^4 <= 3/s^4, E cosh(s S) <= e^{1/2}, and by Chernoff P(s|S| >= sqrt d + sqrt(2
log(1/delta))) <= delta.

Going back in time (unit clock): S_t(x) = e^{t-s} E[S_s(X_s) | X_t = x], so that e^{-2t} E|S_t|^2 does not
increase.

Misprints kept as literal. The poster minimises the unsquared E|f - Y|, whose minimiser is the conditional
median of Y, not S. The slides' equation (1) leaves out the weights p_i e^{-|mu_i|^2/2} of the softmax; their
last expression for f = E[mu|Y] is the score; and their "t = 1 + sigma^2" should read sigma^2 = 1 + t.
"""

from __future__ import annotations

from sympy import Abs, Max, Rational, exp

from bounds.claim import Claim, Sharp, Source
from bounds.notation import symbols
from bounds.setup import Setup

__all__ = ["CLAIMS", "FALSEHOODS", "SLIDES"]

EFRON = Source(
    "Bradley Efron",
    2011,
    "Tweedie's formula and selection bias",
    "equation for the posterior mean",
    venue="Journal of the American Statistical Association",
    provenance="recalled",
)
VINCENT = Source(
    "Pascal Vincent",
    2011,
    "A connection between score matching and denoising autoencoders",
    "equivalence of denoising and explicit score matching",
    venue="Neural Computation",
    provenance="recalled",
)
HYVARINEN = Source(
    "Aapo Hyvarinen",
    2005,
    "Estimation of non-normalized statistical models by score matching",
    "Theorem 1",
    venue="Journal of Machine Learning Research",
    provenance="recalled",
)
POSTER = Source(
    "Shivam Gupta, Aditya Parulekar, Eric Price, Zhiyang Xun",
    2023,
    "Improved sample complexity bounds for diffusion model training",
    "poster, training objective",
    arxiv="2311.13745",
    venue="NeurIPS 2024",
    provenance="printed",
)
RECALLED = "Recalled; derived again here."


def slides(locator: str) -> Source:
    """The slides of 2024, at a page."""
    return Source(
        "Holden Lee",
        2024,
        "Slides on the convergence of diffusion models, 23 February 2024",
        locator,
        provenance="printed",
    )


SLIDES = slides("key identity")
POINT, CLOSE, BALL, PLANE, TAIL, LOSSES, TWO, SOFTMAX, NOISED, BACK, TIMES, HIGH = (
    Setup(clock="unit", model=name)
    for name in (
        "two-component",
        "close-components",
        "three-atoms",
        "atoms-in-ball",
        "score-tail",
        "denoising",
        "two-point",
        "softmax",
        "softmax-noised",
        "backward",
        "bsm",
        "isotropic-score",
    )
)

R, a_t, d, extra, fail, lag, s_t, sep, slope, v1, x = symbols("R a_t d extra fail lag s_t sep slope v1 x")
score, hessian, third, post_mean, post_var, post_third, noise_mean, target_var = symbols(
    "score hessian third post_mean post_var post_third noise_mean target_var"
)
dsm_risk, eps_risk, denoiser_risk, score_risk, dsm_least, fisher, mmse = symbols(
    "dsm_risk eps_risk denoiser_risk score_risk dsm_least fisher mmse"
)
mean_hessian, score_cross, score_fourth, score_cosh, ism_objective = symbols(
    "mean_hessian score_cross score_fourth score_cosh ism_objective"
)
unsquared_at_score, unsquared_at_median = symbols("unsquared_at_score unsquared_at_median")
squared_at_score, squared_at_median = symbols("squared_at_score squared_at_median")
weighted_softmax, plain_softmax, denoised = symbols("weighted_softmax plain_softmax denoised")
late_score, back_score, back_mean = symbols("late_score back_score back_mean")
fisher_early, fisher_late = symbols("fisher_early fisher_late")
score_tail, score_tail_flat = symbols("score_tail score_tail_flat")
hessian_norm, post_top, post_trace = symbols("hessian_norm post_top post_trace")

MIDPOINT = Sharp(
    "two points, seen from the middle",
    {
        "model": "three-atoms",
        "parameters": {
            "w": 0.5,
            "share": 0.5,
            "R": 2,
            "inner": 1,
            "centre": 1,
            "a_t": 0.5,
            "s_t": 0.5,
            "x": 0.5,
        },
    },
)
DIRAC = Sharp(
    "Dirac",
    {
        "model": "denoising",
        "parameters": {
            "w": 0.5,
            "m1": 1,
            "m2": 1,
            "v1": 0,
            "v2": 0,
            "a_t": 0.5,
            "s_t": 2,
            "slope": 1,
            "offset": 0,
        },
    },
)
OPPOSITE = Sharp(
    "two opposite points of the sphere, seen from the middle, three dimensions",
    {
        "model": "atoms-in-ball",
        "parameters": {
            "w": 0.5,
            "share": 0.5,
            "R": 2,
            "turn": 1,
            "bend": 1,
            "inward": 1,
            "d": 3,
            "a_t": 0.5,
            "s_t": 0.5,
            "x": 0,
            "across": 0,
        },
    },
)
HIGH_DIRAC = Sharp(
    "Dirac in ten dimensions",
    {"model": "isotropic-score", "parameters": {"d": 10, "v1": 0, "a_t": 0.5, "s_t": 2, "fail": 0.1}},
)
NEARLY_GAUSSIAN = Sharp(
    "components that nearly coincide",
    {
        "model": "close-components",
        "parameters": {"w": 0.5, "m1": 1, "sep": 0.01, "v1": 2, "a_t": 0.5, "s_t": 0.5, "x": 0},
    },
    attains=0.999,
)

# -- Tweedie -------------------------------------------------------------------------------------------------

tweedie = Claim(
    key="score-identities/tweedie-first",
    title="Tweedie: the score from the posterior mean",
    lhs=score,
    terms={"posterior mean": a_t * post_mean / s_t**2, "point": -x / s_t**2},
    relation="==",
    setup=POINT,
    source=EFRON,
    standing="literal",
    note=RECALLED,
)

tweedie_noise = Claim(
    key="score-identities/tweedie-noise",
    title="The mean of the noise given the noisy point is -s^2 times the score",
    lhs=noise_mean,
    terms={"score": -(s_t**2) * score},
    relation="==",
    setup=POINT,
    source=slides("pages 7 and 8, key identity"),
    standing="literal",
    note="The slides write the potential: the gradient of V is minus the score, hence the other sign there.",
)

tweedie_second = Claim(
    key="score-identities/tweedie-second",
    title="Tweedie, second order",
    lhs=hessian,
    terms={"noise": -1 / s_t**2, "posterior variance": a_t**2 * post_var / s_t**4},
    relation="==",
    setup=POINT,
)

tweedie_third = Claim(
    key="score-identities/tweedie-third",
    title="Tweedie, third order",
    lhs=third,
    terms={"third cumulant": a_t**3 * post_third / s_t**6},
    relation="==",
    setup=POINT,
)

target_variance = Claim(
    key="score-identities/target-variance",
    title="Conditional variance of the denoising target",
    lhs=target_var,
    terms={"noise": 1 / s_t**2, "Hessian": hessian},
    relation="==",
    setup=POINT,
)

hessian_below = Claim(
    key="score-identities/hessian-below",
    title="The potential of a noisy law curves at most like the noise",
    lhs=-hessian,
    terms={"bound": 1 / s_t**2},
    setup=POINT,
)

support_variance = Claim(
    key="score-identities/support-variance",
    title="Bounded support bounds the posterior variance, whatever the centre",
    lhs=post_var,
    terms={"bound": R**2},
    setup=BALL,
    sharp=(MIDPOINT,),
)

support_hessian = Claim(
    key="score-identities/support-hessian",
    title="Bounded support bounds the Hessian",
    lhs=Abs(hessian),
    terms={"bound": Max(1 / s_t**2, a_t**2 * R**2 / s_t**4 - 1 / s_t**2)},
    setup=BALL,
    sharp=(MIDPOINT,),
)

ball_variance = Claim(
    key="score-identities/support-covariance",
    title="Bounded support bounds the trace of the posterior covariance, in any dimension",
    lhs=post_trace,
    terms={"bound": R**2},
    setup=PLANE,
    sharp=(OPPOSITE,),
)

ball_hessian = Claim(
    key="score-identities/support-hessian-norm",
    title="Bounded support bounds the operator norm of the Hessian, in any dimension",
    lhs=hessian_norm,
    terms={"bound": Max(1 / s_t**2, a_t**2 * R**2 / s_t**4 - 1 / s_t**2)},
    setup=PLANE,
    sharp=(OPPOSITE,),
)

ball_norms = Claim(
    key="score-identities/hessian-norm",
    title="The operator norm of the Hessian from the posterior covariance",
    lhs=hessian_norm,
    terms={"bound": Max(1 / s_t**2, a_t**2 * post_top / s_t**4 - 1 / s_t**2)},
    setup=PLANE,
    sharp=(OPPOSITE,),
)

support_rate = Claim(
    key="score-identities/support-hessian-rate",
    title="Bounded support bounds the Hessian, rate in R and s",
    lhs=Abs(hessian),
    terms={"bound": R**2 / s_t**4},
    constant="absolute",
    assuming=("R >= 1", "s_t <= 1", "a_t <= 1"),
    setup=BALL,
    source=slides("page 20"),
    standing="literal",
    note="Printed as O(R^2/t^2) with noise variance of order t, for R >= 1 and t <= 1.",
)

brascamp_lieb = Claim(
    key="score-identities/log-concave-variance",
    title="Strong log-concavity bounds the posterior variance",
    lhs=post_var,
    terms={"bound": 1 / (1 / v1 - sep**2 / (4 * v1**2) + a_t**2 / s_t**2)},
    assuming=("sep**2 <= 3*v1",),
    setup=CLOSE,
    sharp=(NEARLY_GAUSSIAN,),
)

# -- moments and tail of the score ---------------------------------------------------------------------------

score_energy = Claim(
    key="score-identities/score-energy",
    title="The score of a noisy law has energy at most d/s^2",
    lhs=fisher,
    terms={"bound": d / s_t**2},
    setup=HIGH,
    sharp=(HIGH_DIRAC,),
)

fourth_moment = Claim(
    key="score-identities/score-fourth-moment",
    title="Fourth moment of the score",
    lhs=score_fourth,
    terms={"bound": 3 / s_t**4},
    setup=LOSSES,
    sharp=(DIRAC,),
)

exponential_moment = Claim(
    key="score-identities/score-exponential-moment",
    title="Exponential moment of the score",
    lhs=score_cosh,
    terms={"bound": exp(Rational(1, 2))},
    setup=LOSSES,
    sharp=(DIRAC,),
)

tail = Claim(
    key="score-identities/score-tail",
    title="Tail of the norm of the score",
    lhs=score_tail,
    terms={"bound": fail},
    setup=HIGH,
)

tail_mixture = Claim(
    key="score-identities/score-tail-mixtures",
    title="Tail of the score, for mixtures on the line",
    lhs=score_tail,
    terms={"bound": fail},
    setup=TAIL,
)

# -- score matching ------------------------------------------------------------------------------------------

vincent = Claim(
    key="score-identities/denoising-excess-risk",
    title="Denoising score matching: the excess risk is the score error",
    lhs=dsm_risk,
    terms={"score error": score_risk, "least risk": dsm_least},
    relation="==",
    setup=LOSSES,
    source=VINCENT,
    standing="literal",
    note=RECALLED,
)

noise_prediction = Claim(
    key="score-identities/noise-prediction-excess-risk",
    title="Noise prediction: the excess risk is s^2 times the score error",
    lhs=eps_risk,
    terms={"score error": s_t**2 * score_risk, "least risk": s_t**2 * dsm_least},
    relation="==",
    setup=LOSSES,
)

autoencoder = Claim(
    key="score-identities/denoiser-excess-risk",
    title="Denoising autoencoder: the excess risk is s^4 times the score error",
    lhs=denoiser_risk,
    terms={"score error": s_t**4 * score_risk, "least risk": a_t**2 * mmse},
    relation="==",
    setup=LOSSES,
    source=VINCENT,
    standing="literal",
    note="Recalled for a = 1; derived again here for every scale of the data.",
)

least_fisher = Claim(
    key="score-identities/least-risk-fisher",
    title="Least denoising risk, by the Fisher information",
    lhs=dsm_least,
    terms={"noise": 1 / s_t**2, "score": -fisher},
    relation="==",
    setup=LOSSES,
)

least_mmse = Claim(
    key="score-identities/least-risk-mmse",
    title="Least denoising risk, by the posterior variance",
    lhs=dsm_least,
    terms={"posterior variance": a_t**2 * mmse / s_t**4},
    relation="==",
    setup=LOSSES,
)

least_hessian = Claim(
    key="score-identities/least-risk-hessian",
    title="Least denoising risk, by the mean Hessian",
    lhs=dsm_least,
    terms={"noise": 1 / s_t**2, "Hessian": mean_hessian},
    relation="==",
    setup=LOSSES,
)

implicit = Claim(
    key="score-identities/implicit-score-matching",
    title="Implicit score matching",
    lhs=score_risk / 2,
    terms={"objective": ism_objective, "score": fisher / 2},
    relation="==",
    setup=LOSSES,
    source=HYVARINEN,
    standing="literal",
    note=RECALLED,
)

stein = Claim(
    key="score-identities/stein",
    title="Stein: the score has mean zero and E<S, X> = -1",
    lhs=score_cross,
    terms={"divergence": -slope},
    relation="==",
    assuming=("abs(slope) >= 1/100",),
    setup=LOSSES,
)

information = Claim(
    key="score-identities/information-equality",
    title="The energy of the score is minus the mean Hessian",
    lhs=fisher,
    terms={"Hessian": -mean_hessian},
    relation="==",
    setup=LOSSES,
)

# -- the poster's unsquared loss -----------------------------------------------------------------------------

unsquared_literal = Claim(
    key="score-identities/unsquared-loss-literal",
    title="The score minimises the unsquared denoising loss (as printed)",
    lhs=unsquared_at_score,
    terms={"conditional median": unsquared_at_median},
    setup=TWO,
    source=POSTER,
    standing="literal",
    expect="refuted",
    note="The norm is printed without its square; the minimiser is the conditional median of the target.",
)

squared = Claim(
    key="score-identities/squared-loss",
    title="The score minimises the squared denoising loss",
    lhs=squared_at_score,
    terms={"conditional median": squared_at_median},
    setup=TWO,
    source=POSTER,
    standing="corrected",
    note="With the square that the poster leaves out.",
)

median = Claim(
    key="score-identities/unsquared-loss-median",
    title="The conditional median minimises the unsquared denoising loss",
    lhs=unsquared_at_median,
    terms={"score": unsquared_at_score},
    setup=TWO,
)

# -- the slides' softmax -------------------------------------------------------------------------------------

softmax_literal = Claim(
    key="score-identities/softmax-literal",
    title="Score of a Gaussian mixture by an unweighted softmax (as printed)",
    lhs=score,
    terms={"softmax": plain_softmax, "point": -x},
    relation="==",
    setup=SOFTMAX,
    source=slides("page 33, equation (1)"),
    standing="literal",
    expect="refuted",
    note="The factors p_i e^{-|mu_i|^2/2} are missing; without them equal weights on a sphere are needed.",
)

softmax_corrected = Claim(
    key="score-identities/softmax",
    title="Score of a Gaussian mixture by a weighted softmax",
    lhs=score,
    terms={"softmax": weighted_softmax, "point": -x},
    relation="==",
    setup=SOFTMAX,
    source=slides("page 33, equation (1)"),
    standing="corrected",
    note="With the factors p_i e^{-|mu_i|^2/2} that the slide leaves out.",
)

denoiser_literal = Claim(
    key="score-identities/denoiser-formula-literal",
    title="Posterior mean of the noised mixture (as printed)",
    lhs=denoised,
    terms={"softmax": weighted_softmax / (1 + extra), "point": -x / (1 + extra)},
    relation="==",
    setup=NOISED,
    source=slides("page 35"),
    standing="literal",
    expect="refuted",
    note="The last expression printed for f is the score.",
)

denoiser_variance_literal = Claim(
    key="score-identities/denoiser-variance-literal",
    title="Posterior mean of the noised mixture, with t = 1 + sigma^2 (as printed)",
    lhs=denoised,
    terms={"point": x, "score": (extra - 1) * score},
    relation="==",
    setup=NOISED,
    source=slides("page 35"),
    standing="literal",
    expect="refuted",
    note="Two noises of variances 1 and t add up to sigma^2 = 1 + t.",
)

denoiser_corrected = Claim(
    key="score-identities/denoiser-formula",
    title="Posterior mean of the noised mixture",
    lhs=denoised,
    terms={"point": x, "score": (1 + extra) * score},
    relation="==",
    setup=NOISED,
    source=slides("page 35"),
    standing="corrected",
    note="f = y + sigma^2 times the score, sigma^2 = 1 + t.",
)

denoiser_softmax = Claim(
    key="score-identities/denoiser-softmax",
    title="Score of the noised mixture by a weighted softmax",
    lhs=score,
    terms={"softmax": weighted_softmax / (1 + extra), "point": -x / (1 + extra)},
    relation="==",
    setup=NOISED,
    source=slides("page 35"),
    standing="corrected",
    note="What the slide prints for f is the score.",
)

# -- backward in time ----------------------------------------------------------------------------------------

martingale = Claim(
    key="score-identities/backward-martingale",
    title="The score is a backward martingale up to e^{-t}",
    lhs=late_score,
    terms={"earlier score": exp(lag) * back_score},
    relation="==",
    setup=BACK,
)

kernel = Claim(
    key="score-identities/backward-kernel",
    title="The score from the mean of an earlier point",
    lhs=late_score,
    terms={
        "earlier point": exp(-lag) * back_mean / (1 - exp(-2 * lag)),
        "point": -x / (1 - exp(-2 * lag)),
    },
    relation="==",
    setup=BACK,
)

fisher_growth = Claim(
    key="score-identities/fisher-growth",
    title="The energy of the score grows at most like e^{2t}",
    lhs=fisher_late,
    terms={"bound": exp(2 * lag) * fisher_early},
    setup=TIMES,
)

CLAIMS: tuple[Claim, ...] = (
    tweedie,
    tweedie_noise,
    tweedie_second,
    tweedie_third,
    target_variance,
    hessian_below,
    support_variance,
    support_hessian,
    ball_variance,
    ball_hessian,
    ball_norms,
    support_rate,
    brascamp_lieb,
    score_energy,
    fourth_moment,
    exponential_moment,
    tail,
    tail_mixture,
    vincent,
    noise_prediction,
    autoencoder,
    least_fisher,
    least_mmse,
    least_hessian,
    implicit,
    stein,
    information,
    unsquared_literal,
    squared,
    median,
    softmax_literal,
    softmax_corrected,
    denoiser_literal,
    denoiser_variance_literal,
    denoiser_corrected,
    denoiser_softmax,
    martingale,
    kernel,
    fisher_growth,
)

FALSEHOODS: tuple[Claim, ...] = (
    tweedie.but("scale-forgotten", terms={"posterior mean": post_mean / s_t**2}),
    tweedie.but("deviation-for-variance", terms={"point": -x / s_t}),
    tweedie_noise.but("sign-of-the-potential", terms={"score": s_t**2 * score}),
    tweedie_second.but("s-squared", terms={"posterior variance": a_t**2 * post_var / s_t**2}),
    tweedie_third.but("s-to-the-fourth", terms={"third cumulant": a_t**3 * post_third / s_t**4}),
    target_variance.but("sign", terms={"Hessian": -hessian}),
    hessian_below.but("scale-counts", terms={"bound": a_t**2 / s_t**2}),
    support_variance.but("half", constant=Rational(1, 2)),
    support_hessian.but("upper-only", terms={"bound": a_t**2 * R**2 / s_t**4}),
    ball_variance.but("half", constant=Rational(1, 2)),
    ball_hessian.but("upper-only", terms={"bound": a_t**2 * R**2 / s_t**4}),
    ball_hessian.but("noise-only", terms={"bound": 1 / s_t**2}),
    ball_norms.but("mean-eigenvalue", terms={"bound": a_t**2 * post_trace / (2 * s_t**4) + 1 / s_t**2}),
    support_rate.but("any-radius", assuming=("s_t <= 1", "a_t <= 1"), constant=2),
    brascamp_lieb.but("components-only", terms={"bound": 1 / (1 / v1 + a_t**2 / s_t**2)}),
    score_energy.but("dimension-free", terms={"bound": 1 / s_t**2}),
    fourth_moment.but("second-moment-squared", terms={"bound": 1 / s_t**4}),
    exponential_moment.but("half-variance", terms={"bound": exp(Rational(1, 4))}),
    tail.but("dimension-forgotten", lhs=score_tail_flat),
    tail_mixture.but("square-root-forgotten", terms={"bound": fail**2}),
    vincent.but("empirical-reading", terms={"least risk": None}),
    noise_prediction.but("unscaled-error", terms={"score error": score_risk}),
    autoencoder.but("s-squared", terms={"score error": s_t**2 * score_risk}),
    least_fisher.but("half", terms={"score": -fisher / 2}),
    least_mmse.but("s-squared", terms={"posterior variance": a_t**2 * mmse / s_t**2}),
    least_hessian.but("sign", terms={"Hessian": -mean_hessian}),
    implicit.but("without-the-half", terms={"objective": 2 * ism_objective}),
    stein.but("sign", terms={"divergence": slope}),
    information.but("half", terms={"Hessian": -mean_hessian / 2}),
    squared.but("half", constant=Rational(1, 2)),
    median.but("half", constant=Rational(1, 2)),
    softmax_corrected.but("point-added", terms={"point": x}),
    denoiser_corrected.but("unit-noise", terms={"score": score}),
    denoiser_softmax.but("unit-noise", terms={"softmax": weighted_softmax}),
    martingale.but("no-growth", terms={"earlier score": back_score}),
    kernel.but("half-clock", terms={"earlier point": exp(-lag / 2) * back_mean / (1 - exp(-2 * lag))}),
    fisher_growth.but("no-growth", terms={"bound": fisher_early}),
)
