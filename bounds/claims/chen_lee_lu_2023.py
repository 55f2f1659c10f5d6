"""Chen, Lee & Lu (2023): user-friendly bounds under minimal smoothness.

Half clock, exponential integrator with the score frozen over the steps, started from gamma; eps^2 is the time
average (1/T) sum_k h_k E|s - grad log p_{t_k}|^2 and M2 = E|x|^2, not its root. With absolute constants:

    all scores L-Lipschitz, N equal steps <= 1, T >= 1:
        KL(p_0 || q_T)      <~  (M2 + d) e^{-T}  +  T eps^2  +  d T^2 L^2 / N;
    the score of p_0 alone L-Lipschitz, steps <~ min(max(t, 1/L), 1):
        KL(p_0 || q_T)      <~  (M2 + d) e^{-T}  +  T eps^2  +  d^2 (T + log L)^2 / N;
    no smoothness, steps <~ min(t, 1) and early stopping at delta:
        KL(p_delta || q)    <~  (M2 + d) e^{-T}  +  T eps^2  +  d^2 (T + log(1/delta))^2 / N.

The slides of 2024 print e^{-2T} in the last line and keep the half clock: a misprint. The condition on the
steps is read as kappa <= 1. The second line is tested on data laws p_delta, whose score is L-Lipschitz with L
near 1/delta, where the geometric grid is the grid of the theorem.

Explicit form of the first line: the explicit bound of the unit clock (`chen_2023_sampling`) at T/2 and h/2
has discretisation error d L^2 T^2 / (4 N) + d L T^3 / (24 N^2) for the exact score; Young's inequality
doubles it beside T eps^2.

Euler-Maruyama against the exponential integrator (unit clock, paths from q_T): on N(m, I) the frozen score
costs 2 d N (h - 1 + e^{-h}) whatever the mean, Euler-Maruyama a quarter of that and (|m|^2 / 4) sum_k e^{-2
tau_k} int_0^h (e^u - 1)^2 du, the term in M2 that the paper finds for it.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Rational, exp, log

from bounds.claim import Claim, Sharp, Source
from bounds.notation import symbols
from bounds.quantity import KL, PathKL
from bounds.setup import Setup

__all__ = ["CLAIMS", "FALSEHOODS"]

SOURCE = Source(
    "Hongrui Chen, Holden Lee, Jianfeng Lu",
    2023,
    "Improved analysis of score-based generative modeling: "
    "user-friendly bounds under minimal smoothness assumptions",
    "Theorem 1",
    "2211.01916",
    "",
    "ICML 2023",
    "printed",
)
SLIDES = Source(
    "Holden Lee",
    2024,
    "Slides on the convergence of diffusion models, 23 February 2024",
    "theorem without smoothness",
    provenance="printed",
)

d, T, N, h, L, M2, m0sq, delta, kappa, eps = symbols("d T N h L M2 m0sq delta kappa eps")
UNIFORM = Setup(clock="half", sampler="ddpm-ei", score="estimated:time")
GEOMETRIC = replace(UNIFORM, grid="geometric")
FROM_Q_T = Setup(clock="unit", sampler="ddpm-ei", start="q_T", score="exact")
STANDARD = {"type": "gaussian", "eigenvalues": [1], "multiplicities": [1], "means": [0]}

start = {"initialisation": (M2 + d) * exp(-T), "score": T * eps**2}
explicit_start = (M2 + d) / (2 * (exp(T) - 1))

smooth = Claim(
    key="chen-lee-lu-2023/smooth-score",
    title="KL of the exponential integrator, all scores smooth",
    lhs=KL("target", "output"),
    terms={**start, "discretisation": d * T**2 * L**2 / N},
    constant="absolute",
    assuming=(L >= 1, h <= 1, T >= 1),
    setup=UNIFORM,
    source=SOURCE,
    standing="literal",
    note="The display is printed in the slides of 2024; the conditions L >= 1, h <= 1, T >= 1 are recalled.",
)
smooth_path = Claim(
    key="chen-lee-lu-2023/smooth-score-path",
    title="Path KL of the exponential integrator, all scores smooth",
    lhs=PathKL("target", "output"),
    terms=dict(smooth.terms),
    constant="absolute",
    assuming=smooth.assuming,
    setup=UNIFORM,
    note="The proof bounds the path KL, where the discretisation term is seen.",
)
explicit = Claim(
    key="chen-lee-lu-2023/explicit",
    title="Explicit KL of the exponential integrator, estimated smooth score",
    lhs=KL("target", "output"),
    terms={
        "initialisation": explicit_start,
        "score": T * eps**2,
        "discretisation": d * L**2 * T**2 / (2 * N) + d * L * T**3 / (12 * N**2),
    },
    setup=UNIFORM,
)
explicit_path = Claim(
    key="chen-lee-lu-2023/explicit-path",
    title="Explicit path KL of the exponential integrator, estimated smooth score",
    lhs=PathKL("target", "output"),
    terms=dict(explicit.terms),
    setup=UNIFORM,
)
explicit_exact_path = Claim(
    key="chen-lee-lu-2023/explicit-exact-path",
    title="Explicit path KL of the exponential integrator, exact smooth score",
    lhs=PathKL("target", "output"),
    terms={
        "initialisation": explicit_start,
        "discretisation": d * L**2 * T**2 / (4 * N) + d * L * T**3 / (24 * N**2),
    },
    setup=replace(UNIFORM, score="exact"),
    sharp=(Sharp("gamma, far horizon, fine steps", {"target": STANDARD, "T": 10, "N": 1000}, attains=0.98),),
)
smooth_data = Claim(
    key="chen-lee-lu-2023/smooth-data",
    title="KL of the exponential integrator, only the data score smooth",
    lhs=KL("q_delta", "output"),
    terms={**start, "discretisation": d**2 * (T + log(L)) ** 2 / N},
    constant="absolute",
    assuming=(L >= 1, T >= 1, kappa <= 1, delta * L >= Rational(1, 2), delta <= Rational(1, 2)),
    setup=GEOMETRIC,
    source=replace(SOURCE, locator="table of step counts", provenance="recalled"),
    standing="literal",
    note="The step count is printed in the slides of 2024, the display is recalled. The data law is "
    "q_delta with L near 1/delta.",
)
smooth_data_path = Claim(
    key="chen-lee-lu-2023/smooth-data-path",
    title="Path KL of the exponential integrator, only the data score smooth, linear in d",
    lhs=PathKL("q_delta", "output"),
    terms={**start, "discretisation": d * (T + log(L)) ** 2 / N},
    constant="absolute",
    assuming=smooth_data.assuming,
    setup=GEOMETRIC,
    note="J(t) <= min(d/(1 - e^{-t}), e^t d L) in the closed form of the path KL gives d, not d^2.",
)
no_smoothness = Claim(
    key="chen-lee-lu-2023/no-smoothness",
    title="KL of the exponential integrator without smoothness, as printed in the slides",
    lhs=KL("q_delta", "output"),
    terms={
        "initialisation": (M2 + d) * exp(-2 * T),
        "score": T * eps**2,
        "discretisation": d**2 * (T + log(1 / delta)) ** 2 / N,
    },
    constant="absolute",
    assuming=(T >= 1, kappa <= 1, delta <= Rational(1, 2)),
    setup=GEOMETRIC,
    source=SLIDES,
    standing="literal",
    expect="diverges",
    note="Rate e^{-2T} belongs to the unit clock; the slides keep the half clock. The ratio reaches e^T / 2 "
    "on N(0, v) with v far above e^T; the reverse process forgets the start of narrower Gaussians.",
)
no_smoothness_path = no_smoothness.but(
    "path", lhs=PathKL("q_delta", "output"), title="Path KL without smoothness, with the rate of the slides"
)
no_smoothness_corrected = Claim(
    key="chen-lee-lu-2023/no-smoothness-corrected",
    title="KL of the exponential integrator without smoothness",
    lhs=KL("q_delta", "output"),
    terms={**no_smoothness.terms, "initialisation": (M2 + d) * exp(-T)},
    constant="absolute",
    assuming=no_smoothness.assuming,
    setup=GEOMETRIC,
    source=replace(SOURCE, locator="Theorem 2"),
    standing="corrected",
    note="The slides print e^{-2T}, the rate of the unit clock.",
)
no_smoothness_corrected_path = Claim(
    key="chen-lee-lu-2023/no-smoothness-corrected-path",
    title="Path KL of the exponential integrator without smoothness",
    lhs=PathKL("q_delta", "output"),
    terms=dict(no_smoothness_corrected.terms),
    constant="absolute",
    assuming=no_smoothness.assuming,
    setup=GEOMETRIC,
)

abstract = Claim(
    key="chen-lee-lu-2023/abstract",
    title="KL of the exponential integrator without smoothness, linear in d as the abstract counts",
    lhs=KL("q_delta", "output"),
    terms={**no_smoothness_corrected.terms, "discretisation": d * (T + log(1 / delta)) ** 2 / N},
    constant="absolute",
    assuming=no_smoothness.assuming,
    setup=GEOMETRIC,
    source=replace(SOURCE, locator="abstract"),
    standing="literal",
    note="The abstract has d log(1/delta)/accuracy steps up to logarithms, the theorem d^2 log^2(1/delta). "
    "The smaller count is true all the same, as Benton et al. proved later.",
)

integrator_mean = Claim(
    key="chen-lee-lu-2023/integrator-mean",
    title="The exponential integrator does not see the mean",
    lhs=PathKL("target", "output"),
    relation="==",
    terms={"discretisation": 2 * d * N * (h - 1 + exp(-h))},
    assuming=("covariance-identity",),
    setup=replace(FROM_Q_T, target="gaussian"),
)
euler_mean = Claim(
    key="chen-lee-lu-2023/euler-mean",
    title="Euler-Maruyama sees the mean",
    lhs=PathKL("target", "output"),
    relation="==",
    terms={
        "discretisation": d * N * (h - 1 + exp(-h)) / 2,
        "mean": m0sq * (1 - exp(-2 * T)) * (1 - 4 / (exp(h) + 1) + 2 * h / (exp(2 * h) - 1)) / 8,
    },
    assuming=("covariance-identity",),
    setup=replace(FROM_Q_T, sampler="ddpm-em", target="gaussian"),
)

CLAIMS: tuple[Claim, ...] = (
    smooth,
    smooth_path,
    explicit,
    explicit_path,
    explicit_exact_path,
    smooth_data,
    smooth_data_path,
    no_smoothness,
    no_smoothness_corrected,
    no_smoothness_corrected_path,
    abstract,
    integrator_mean,
    euler_mean,
)
FALSEHOODS: tuple[Claim, ...] = (
    smooth.but("score-forgotten", terms={"score": None}),
    smooth_path.but("unit-clock", terms={"initialisation": (M2 + d) * exp(-2 * T)}),
    smooth_path.but("order-of-the-marginal", terms={"discretisation": d * T**3 * L**3 / N**2}),
    smooth_path.but("without-horizon", terms={"score": eps**2}),
    explicit.but("unit-clock", terms={"initialisation": (M2 + d) / (2 * (exp(2 * T) - 1))}),
    explicit_path.but("quarter-score", terms={"score": T * eps**2 / 4}),
    explicit_exact_path.but("half-discretisation", terms={"discretisation": d * L**2 * T**2 / (8 * N)}),
    smooth_data.but("score-forgotten", terms={"score": None}),
    smooth_data_path.but("second-order", terms={"discretisation": d * (T + log(L)) ** 3 / N**2}),
    no_smoothness_path,
    no_smoothness_corrected.but("score-forgotten", terms={"score": None}),
    no_smoothness_corrected_path.but(
        "second-order", terms={"discretisation": d**2 * (T + log(1 / delta)) ** 3 / N**2}
    ),
    abstract.but("centred", terms={"initialisation": d * exp(-T)}),
    integrator_mean.but("as-euler", setup=euler_mean.setup),
    euler_mean.but("without-mean", terms={"mean": None}),
)
