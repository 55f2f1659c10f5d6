"""Langevin dynamics for a strongly log-concave target: exact, inexact, discretised and kinetic.

The target nu has alpha I <= -Hess log nu <= L I in dimension d; rho_t is the law at time t,
rho_N after N steps.

Yang & Wibisono (2022), inexact Langevin dX = s_hat(X) dt + sqrt2 dB. Only the log-Sobolev inequality
KL <= FI/(2 alpha) is used; the error is measured under the law of the algorithm itself,
E_{rho_u} |s_hat - grad log nu|^2 <= eps^2:

    KL(rho_t || nu)  <=  e^{-alpha t} KL(rho_0 || nu)  +  eps^2/(2 alpha),

and the proof gives the factor 1 - e^{-alpha t} on the second term. Equality for nu = N(0, 1) and
s_hat = -x + c, in stationarity. An error that is small under nu says nothing: s_hat = -(1 - eta) x on N(0, 1)
has error eta^2, and its stationary law N(0, 1/(1 - eta)) escapes as eta -> 1. With the exact score the rate
is e^{-2 alpha t}.

An error that is small under nu in exponential moments does: with e^2 = (1/r) log E_nu exp(r |s_hat - grad log
nu|^2), r = 1/alpha, Young's inequality leaves dKL/dt <= -(3/4) FI + E_rho|error|^2, Donsker and Varadhan's
formula E_rho|error|^2 <= alpha KL + e^2, and

    KL(rho_t || nu)  <=  e^{-alpha t/2} KL(rho_0 || nu)  +  (2/alpha) (1 - e^{-alpha t/2}) e^2.

Vempala & Wibisono (2019), Theorem 1. Langevin Monte Carlo, h <= alpha/(4 L^2):

    KL(rho_N || nu)  <=  e^{-alpha h N} KL(rho_0 || nu)  +  8 h d L^2/alpha.

Dalalyan & Karagulyan (2019), Theorem 1. The same in W2, first for h <= 2/(alpha + L), then up to h < 2/L:

    W2(rho_N, nu)  <=  (1 - alpha h)^N W2(rho_0, nu)  +  1.65 (L/alpha) sqrt(h d),
    W2(rho_N, nu)  <=  (L h - 1)^N W2(rho_0, nu)  +  1.65 (L h/(2 - L h)) sqrt(h d).

A gradient that is off by eps adds eps/alpha to the first (Theorem 4), which a constant shift attains.

Durmus, Majewski & Miasojedow (2019). The same, h <= 1/L:

    W2(rho_N, nu)^2  <=  (1 - alpha h)^N W2(rho_0, nu)^2  +  2 L h d/alpha.

Without strong convexity, for the average of the laws of N steps,

    KL((rho_1 + ... + rho_N)/N || nu)  <=  (1/N) sum_k KL(rho_k || nu)  <=  W2(rho_0, nu)^2/(2 h N)  +  L h d,

the first by convexity; tried on Gaussians, where the average is a mixture of N of them. From N(m, v I) to
N(0, v I) with small steps the sum of the entropies is W2^2/(4 h): half of the bound.

Dalalyan & Riou-Durand (2020), Theorem 2. Kinetic Langevin Monte Carlo with friction f >= sqrt(alpha + L),
h <= alpha/(4 f L), velocities from N(0, I):

    W2(rho_N, nu)  <=  sqrt2 (1 - 0.75 alpha h/f)^N W2(rho_0, nu)  +  (L h/alpha) sqrt(2 d).

Cheng, Chatterji, Bartlett & Jordan (2018), Theorem 1, friction 2 sqrt L. With k = L/alpha and
S^2 = d/alpha + D^2, D the distance of the start from the mode, steps sqrt L h = tol/(104 k S) reach W2 <= tol
after

    N  >=  (208 k^2 S/tol) log(24 S/tol).

As recalled the count is (52 k^2 S/tol) log(24 S^2/tol): a time k/2 times the logarithm, too short for the
rate 1/(2 k) of the proof, and on N(m, I/L) the mean alone is then farther off than tol. The length in the
logarithm is taken to the first power, which its unit asks for. Tried with k = 1 and W2(rho_0, nu) for D.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Abs, Eq, Rational, exp, log, sqrt

from bounds.claim import Claim, Sharp, Source
from bounds.notation import symbols
from bounds.quantity import KL, W2
from bounds.setup import Setup

__all__ = ["CLAIMS", "FALSEHOODS", "SOURCES"]

YANG = Source(
    "Kaylee Yingxi Yang, Andre Wibisono",
    2022,
    "Convergence of the inexact Langevin algorithm and score-based generative models in KL divergence",
    "convergence under a log-Sobolev inequality",
    arxiv="2211.01512",
    provenance="printed",
)
VEMPALA = Source(
    "Santosh Vempala, Andre Wibisono",
    2019,
    "Rapid convergence of the unadjusted Langevin algorithm: isoperimetry suffices",
    "Theorem 1",
    arxiv="1903.08568",
    venue="NeurIPS 2019",
    provenance="quoted",
)
DALALYAN = Source(
    "Arnak Dalalyan, Avetik Karagulyan",
    2019,
    "User-friendly guarantees for the Langevin Monte Carlo with inaccurate gradient",
    "Theorem 1",
    arxiv="1710.00095",
    venue="Stochastic Process. Appl. 129(12)",
    provenance="recalled",
)
DURMUS = Source(
    "Alain Durmus, Szymon Majewski, Blazej Miasojedow",
    2019,
    "Analysis of Langevin Monte Carlo via convex optimization",
    "W2 bound for strongly convex potentials",
    arxiv="1802.09188",
    venue="J. Mach. Learn. Res. 20",
    provenance="recalled",
)
KINETIC = Source(
    "Arnak Dalalyan, Lionel Riou-Durand",
    2020,
    "On sampling from a log-concave density using kinetic Langevin diffusions",
    "Theorem 2",
    arxiv="1807.09382",
    venue="Bernoulli 26(3)",
    provenance="recalled",
)
CHENG = Source(
    "Xiang Cheng, Niladri Chatterji, Peter Bartlett, Michael Jordan",
    2018,
    "Underdamped Langevin MCMC: a non-asymptotic analysis",
    "Theorem 1",
    arxiv="1707.03663",
    venue="COLT 2018",
    provenance="recalled",
)
SOURCES = (YANG, VEMPALA, DALALYAN, DURMUS, KINETIC, CHENG)
L, N, T, alpha, d, eps, friction, h, t = symbols("L N T alpha d eps friction h t")
lag, v1, inexact_kl, inexact_start, exponential_error = symbols(
    "lag v1 inexact_kl inexact_start exponential_error"
)
stride, langevin_step, start_gap, mean_kl, averaged_kl = symbols(
    "stride langevin_step start_gap mean_kl averaged_kl"
)
v, tol = symbols("v tol")

EXACT = Setup(clock="unit", sampler="langevin", start="any")
INEXACT = Setup(clock="unit", sampler="langevin", start="any", score="estimated:output-sup")
LMC = Setup(clock="unit", sampler="lmc", start="any")
KLMC = Setup(clock="unit", sampler="ulmc", start="any")
RECALLED = "Recalled; checked on Gaussians."

AVERAGE = Setup(clock="unit", model="langevin-average")
LINE = replace(AVERAGE, parameters={"d": (1, 1)})

STANDARD = {"type": "gaussian", "eigenvalues": [1], "multiplicities": [1], "means": [0]}
SHIFTED = {"target": STANDARD, "start": STANDARD | {"means": [1]}, "parameters": {"t": 1}}
STATIONARY = SHIFTED | {"score": {"shift": [1], "linear": [0], "profile": "constant"}}

KL_START, KL_END = KL("start", "target"), KL("output", "target")
W2_START, W2_END = W2("start", "target"), W2("output", "target")

exact = Claim(
    key="langevin/exact",
    title="Langevin diffusion under a log-Sobolev inequality",
    lhs=KL_END,
    terms={"initialisation": exp(-2 * alpha * t) * KL_START},
    setup=EXACT,
    sharp=(Sharp("shift", SHIFTED),),
)

inexact = Claim(
    key="langevin/inexact",
    title="Inexact Langevin diffusion, error under its own law",
    lhs=KL_END,
    terms={"initialisation": exp(-alpha * t) * KL_START, "score": eps**2 / (2 * alpha)},
    setup=INEXACT,
    source=YANG,
    standing="literal",
    note="Read in the abstract; the constants were re-derived.",
)

inexact_sharp = Claim(
    key="langevin/inexact-finite-time",
    title="Inexact Langevin diffusion at a finite time",
    lhs=KL_END,
    terms={
        "initialisation": exp(-alpha * t) * KL_START,
        "score": (1 - exp(-alpha * t)) * eps**2 / (2 * alpha),
    },
    setup=INEXACT,
    sharp=(Sharp("stationary shift", STATIONARY),),
)

_fade = exp(-lag / (2 * v1))
inexact_moments = Claim(
    key="langevin/inexact-exponential-moments",
    title="Inexact Langevin diffusion, exponential moments of the error under the target",
    lhs=inexact_kl,
    terms={"initialisation": _fade * inexact_start, "score": 2 * v1 * (1 - _fade) * exponential_error},
    setup=Setup(clock="unit", model="inexact-langevin"),
    source=replace(YANG, locator="convergence under an error of bounded moment generating function"),
    note="The condition is that of the abstract; the constants are those of the proof above. alpha = 1/v1.",
)

lmc_kl = Claim(
    key="langevin/lmc-kl",
    title="Langevin Monte Carlo in KL",
    lhs=KL_END,
    terms={"initialisation": exp(-alpha * h * N) * KL_START, "discretisation": 8 * h * d * L**2 / alpha},
    assuming=("4*h*L**2 <= alpha",),
    setup=LMC,
    source=VEMPALA,
    standing="literal",
    note="Read in a later proof of it, with the abstract of the paper; checked on Gaussians.",
)

lmc_w2 = Claim(
    key="langevin/lmc-w2",
    title="Langevin Monte Carlo in W2, small steps",
    lhs=W2_END,
    terms={
        "initialisation": (1 - alpha * h) ** N * W2_START,
        "discretisation": Rational("1.65") * L / alpha * sqrt(h * d),
    },
    assuming=("h*(alpha + L) <= 2",),
    setup=LMC,
    source=DALALYAN,
    standing="literal",
    note=RECALLED,
)

lmc_gradient = Claim(
    key="langevin/lmc-inaccurate-gradient",
    title="Langevin Monte Carlo in W2 with an inaccurate gradient",
    lhs=W2_END,
    terms={**lmc_w2.terms, "score": eps / alpha},
    assuming=("h*(alpha + L) <= 2", "shift-error"),
    setup=Setup(clock="unit", sampler="lmc", start="any", score="estimated:sup"),
    source=replace(DALALYAN, locator="Theorem 4"),
    standing="literal",
    note=RECALLED + " The bias is the deterministic one, a shift of the gradient.",
)

lmc_w2_large = Claim(
    key="langevin/lmc-w2-large-steps",
    title="Langevin Monte Carlo in W2, large steps",
    lhs=W2_END,
    terms={
        "initialisation": (L * h - 1) ** N * W2_START,
        "discretisation": 33 * L * h / (20 * (2 - L * h)) * sqrt(h * d),
    },
    assuming=("h*(alpha + L) >= 2", "h*L < 2"),
    setup=LMC,
    source=DALALYAN,
    standing="literal",
    note=RECALLED,
)

lmc_convex = Claim(
    key="langevin/lmc-w2-squared",
    title="Langevin Monte Carlo in squared W2",
    lhs=W2_END**2,
    terms={"initialisation": (1 - alpha * h) ** N * W2_START**2, "discretisation": 2 * L * h * d / alpha},
    assuming=("h*L <= 1",),
    setup=LMC,
    source=DURMUS,
    standing="literal",
    note=RECALLED,
)

_averaged = {"initialisation": start_gap**2 / (2 * langevin_step * N), "discretisation": stride * d}
averaged = Claim(
    key="langevin/lmc-averaged-kl",
    title="Langevin Monte Carlo, KL of the average of its laws",
    lhs=averaged_kl,
    terms=dict(_averaged),
    setup=LINE,
    source=replace(DURMUS, locator="KL bound for convex potentials"),
    standing="literal",
    note=RECALLED + " On Gaussians of the line, stride = L h <= 1.",
)

mean_entropy = Claim(
    key="langevin/lmc-mean-kl",
    title="Langevin Monte Carlo, average over its steps of the KL",
    lhs=mean_kl,
    terms=dict(_averaged),
    setup=AVERAGE,
    source=replace(DURMUS, locator="KL bound for convex potentials"),
    note="Recalled: what the proof sums; in any dimension.",
)

convexity = Claim(
    key="langevin/average-convexity",
    title="The KL of the average of the laws is below the average of the KL",
    lhs=averaged_kl,
    terms={"bound": mean_kl},
    setup=LINE,
    sharp=(Sharp("one step", {"parameters": {"N": 1, "stride": 0.5, "d": 1, "m1": 1, "v1": 1, "v2": 0}}),),
)

kinetic = Claim(
    key="langevin/klmc-w2",
    title="Kinetic Langevin Monte Carlo in W2",
    lhs=W2_END,
    terms={
        "initialisation": sqrt(2) * (1 - 3 * alpha * h / (4 * friction)) ** N * W2_START,
        "discretisation": L * h / alpha * sqrt(2 * d),
    },
    assuming=("friction**2 >= alpha + L", "4*friction*L*h <= alpha"),
    setup=KLMC,
    source=KINETIC,
    standing="literal",
    note=RECALLED,
)

_length = sqrt(d * v + W2_START**2)
_plan = (Eq(friction, 2 / sqrt(v)), Eq(T, N * tol * sqrt(v) / (104 * _length)), "isotropic")
kinetic_steps = Claim(
    key="langevin/klmc-steps",
    title="Steps of kinetic Langevin Monte Carlo for an accuracy in W2",
    lhs=W2_END,
    terms={"accuracy": tol},
    assuming=(*_plan, 208 * _length / tol * log(24 * _length / tol) <= N),
    setup=replace(KLMC, parameters={"v": (0.01, 10), "tol": (0.1, 1), "N": (1, 3000)}),
    source=CHENG,
    standing="corrected",
    note="Recalled with 52 and the squared length in the logarithm, unconfirmed, which fails already for the "
    "mean of a Gaussian. Velocities start from N(0, I) here, at rest there.",
)

CLAIMS: tuple[Claim, ...] = (
    exact,
    inexact,
    inexact_sharp,
    inexact_moments,
    lmc_kl,
    lmc_w2,
    lmc_gradient,
    lmc_w2_large,
    lmc_convex,
    averaged,
    mean_entropy,
    convexity,
    kinetic,
    kinetic_steps,
)

FALSEHOODS: tuple[Claim, ...] = (
    exact.but(
        "faster", assuming=("alpha*t <= 10",), terms={"initialisation": exp(-3 * alpha * t) * KL_START}
    ),
    inexact.but("exact-rate", terms={"initialisation": exp(-2 * alpha * t) * KL_START}),
    inexact_sharp.but("half-score", terms={"score": (1 - exp(-alpha * t)) * eps**2 / (4 * alpha)}),
    inexact_moments.but("score-forgotten", terms={"score": None}),
    inexact_moments.but("tenth", constant=Rational(1, 10)),
    lmc_kl.but("no-bias", terms={"discretisation": None}),
    lmc_kl.but("faster", terms={"initialisation": exp(-3 * alpha * h * N) * KL_START}),
    lmc_w2.but("faster", terms={"initialisation": (1 - alpha * h) ** (2 * N) * W2_START}),
    lmc_gradient.but("half-score", terms={"score": eps / (2 * alpha)}),
    lmc_w2_large.but("small-step-rate", terms={"initialisation": Abs(1 - alpha * h) ** N * W2_START}),
    lmc_convex.but("small-bias", terms={"discretisation": L * h * d / (10 * alpha)}),
    averaged.but("no-bias", terms={"discretisation": None}),
    averaged.but("tenth", constant=Rational(1, 10)),
    mean_entropy.but("dimension-forgotten", terms={"discretisation": stride}),
    mean_entropy.but("faster", terms={"initialisation": start_gap**2 / (10 * langevin_step * N**2)}),
    convexity.but("reversed", relation=">="),
    kinetic.but(
        "faster", terms={"initialisation": sqrt(2) * (1 - 3 * alpha * h / (2 * friction)) ** N * W2_START}
    ),
    kinetic_steps.but("as-recalled", assuming=(*_plan, 52 * _length / tol * log(24 * _length**2 / tol) <= N)),
)
