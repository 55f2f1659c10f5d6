"""Bounds that are documented and not tried: what they say, and why nothing here could contradict them.

De Bortoli (2022), Theorem 1: support of diameter D, early stopping eps, kappa = D^2 (1 + b)/2,

    W1  <=  D_0 ( e^{kappa/eps} (M + sqrt h)/eps^2  +  e^{kappa/eps} e^{-T/b}  +  sqrt eps ).

It says something only if the score is exact to e^{-kappa/eps} and the steps are shorter than e^{-2 kappa/eps}
(W1 never exceeds D).

Pedrotti, Maas & Mondelli (2024): forward to a fixed time, inexact Langevin there, then the flow back; its
parts are the inexact Langevin bound and the W2 contraction of the flow, both in this catalogue.

Li & Cai (2024): accelerated stochastic sampler, TV in d^{5/4}/sqrt eps iterations. Huang, Wei & Chen (2024):
KL linear in the intrinsic dimension with the second coefficients of Li & Yan, whose value k = 0 is tried
there.

The displays hide constants, logarithms and conditions, and their samplers are not among those of this
checker. Each falsehood is a statement about the forward process that its bound would imply without a term.
"""

from __future__ import annotations

from sympy import Rational, exp, sqrt

from bounds.claim import Claim, Source
from bounds.notation import symbols
from bounds.quantity import KL, TV, W2
from bounds.setup import Setup

__all__ = ["CLAIMS", "FALSEHOODS"]

d, h, T, N, eps, delta, M2, R, W20 = symbols("d h T N eps delta M2 R W20")
NO_SAMPLER = Setup(clock="unit", target="finite-support", score="estimated")
FORWARD = Setup(clock="unit")
ABSENT = "The sampler is not one of this checker's; the abstract is read, the rest recalled."

FALSE_STOP = {"score": None, "initialisation": None, "early stopping": delta / 10}
FALSE_START = {"start": W20 * exp(-2 * T), "score": None}
FALSE_TV = {"discretisation": exp(-2 * T), "score": None}
FALSE_KL = {"discretisation": exp(-4 * T) * M2, "score": None}

ATOMIC = Claim(
    key="de-bortoli-2022/theorem-1",
    title="Distance of the sampler for compactly supported data",
    lhs=W2("target", "output"),
    terms={
        "score": exp(R**2 / delta) * (eps + sqrt(h)) / delta**2,
        "initialisation": exp(R**2 / delta) * exp(-T),
        "early stopping": sqrt(delta),
    },
    constant="absolute",
    setup=NO_SAMPLER,
    source=Source(
        "Valentin De Bortoli",
        2022,
        "Convergence of denoising diffusion models under the manifold hypothesis",
        "Theorem 1",
        "2208.05314",
        "",
        "TMLR 2022",
        "recalled",
    ),
    standing="literal",
    expect="untested",
    note="Recalled, for W1 of the output, which is measured for early stopping alone. Vacuous above the "
    "diameter: it speaks only where the score error and the root of the step are below e^{-R^2/delta}, out "
    "of reach of any run. Its last term, the root of delta, is tried with early stopping.",
)
PEDROTTI = Claim(
    key="pedrotti-2024/fixed-horizon",
    title="W2 of a predictor after inexact Langevin at a fixed time",
    lhs=W2("target", "output"),
    terms={"start": W20 * exp(-N * h), "score": eps},
    constant="polylog",
    setup=NO_SAMPLER,
    source=Source(
        "Francesco Pedrotti, Jan Maas, Marco Mondelli",
        2024,
        "Improved convergence of score-based diffusion models via prediction-correction",
        "abstract",
        "2305.14164",
        "v3",
        "TMLR 2024",
        "recalled",
    ),
    standing="literal",
    expect="untested",
    note="The abstract is read, the display is a scheme of it. " + ABSENT + " The abstract of the first "
    "version says Wasserstein, that of the third does not. Both parts are tried on their own, as the inexact "
    "Langevin bound and the W2 contraction of the flow.",
)
LI_CAI = Claim(
    key="li-cai-2024/accelerated",
    title="TV of an accelerated stochastic sampler",
    lhs=TV("target", "output"),
    terms={"discretisation": d ** Rational(5, 2) / N**2, "score": eps},
    constant="polylog",
    setup=NO_SAMPLER,
    source=Source(
        "Gen Li, Changxiao Cai",
        2024,
        "Provable acceleration for diffusion models under minimal assumptions",
        "abstract",
        "2410.23285",
        "v2",
        "",
        "printed",
    ),
    standing="literal",
    expect="untested",
    note="N = d^{5/4}/sqrt(accuracy) solved for the accuracy. " + ABSENT,
)
ADAPTIVE = Claim(
    key="huang-wei-chen-2024/intrinsic-dimension",
    title="KL of the adapted stochastic sampler in the intrinsic dimension",
    lhs=KL("q_delta", "output"),
    terms={"discretisation": R**2 / N, "score": eps**2},
    constant="polylog",
    setup=NO_SAMPLER,
    source=Source(
        "Zhihan Huang, Yuting Wei, Yuxin Chen",
        2024,
        "Denoising diffusion probabilistic models are optimally adaptive to unknown low dimensionality",
        "abstract",
        "2410.18784",
        "v3",
        "",
        "printed",
    ),
    standing="literal",
    expect="untested",
    note="The abstract is read: steps nearly linear in the intrinsic dimension, for KL. R^2 stands for it; "
    "no case here measures a dimension between 0 and d. A point, k = 0, and Gaussians, k = d, are tried with "
    "the coefficients of Li and Yan.",
)

CLAIMS: tuple[Claim, ...] = (ATOMIC, PEDROTTI, LI_CAI, ADAPTIVE)

FALSEHOODS: tuple[Claim, ...] = (
    ATOMIC.but("linear-in-time", lhs=W2("q_delta", "target"), terms=FALSE_STOP, constant=1, setup=FORWARD),
    PEDROTTI.but("twice-as-fast", lhs=W2("q_T", "gamma"), terms=FALSE_START, constant=1, setup=FORWARD),
    LI_CAI.but("exact-start", lhs=TV("q_T", "gamma"), terms=FALSE_TV, constant=1, setup=FORWARD),
    ADAPTIVE.but("exact-start", lhs=KL("q_T", "gamma"), terms=FALSE_KL, constant=1, setup=FORWARD),
)
