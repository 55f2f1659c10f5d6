"""Rates of learning that are documented and not tried: what they say, and why nothing here contradicts them.

    Oko, Akiyama & Suzuki (2023)     TV <= O~(n^{-s/(2s + d)})            densities of Besov smoothness s
    Chen, Huang, Zhao & Wang (2023)  TV <= O~(n^{-1/(k + 5)})             data on a subspace of dimension k
    Gaur et al. (2025)               TV <= O~(n^{-1/6}), later n^{-1/4}   without the empirical minimiser
    Chewi et al. (2025)              KL ~ p/(2n)                          p parameters, all times together
    Song (2024)                      no polynomial time for score error of order 1/sqrt(log d)

All hide constants, logarithms and classes of networks, and speak of a learner, which has no law here. A
case on which they fail would have to range over all laws of a class (the rates are minimax) or over all
algorithms (the last is computational: with unbounded time the empirical minimiser of a finite class does
learn the score). What can be computed of them is elsewhere: `score-estimation/all-times-information` is the
identity behind the efficiency, `score-estimation/finite-class` the statistical side of the hardness, and
`bounds.sample_table` compares the numbers of samples.

The statements change between versions, the exponent of Gaur et al. most of all; each names its own. None of
them is tried, so that no falsehood is planted beside them.
"""

from __future__ import annotations

from sympy import Rational, log

from bounds.claim import Claim, Source
from bounds.notation import symbols
from bounds.quantity import KL, TV, ScoreError
from bounds.setup import Setup

__all__ = ["CLAIMS", "FALSEHOODS"]

d, n_draws, n_parameters, smoothness, intrinsic = symbols("d n_draws n_parameters smoothness intrinsic")
RANGES = {
    "n_draws": (10, 1e9),
    "smoothness": (0.5, 10),
    "intrinsic": (1, 100),
    "n_parameters": (1, 1e6),
}


def _setup(*names: str) -> Setup:
    return Setup(clock="unit", parameters={name: RANGES[name] for name in ("n_draws", *names)})


def _gaur(version: str, venue: str) -> Source:
    return Source(
        "Mudit Gaur, Prashant Trivedi, Sasidhar Kunapuli, Amrit Singh Bedi, Vaneet Aggarwal",
        2025,
        "Improved sample complexity for diffusion model training without empirical risk minimizer access",
        "abstract",
        "2505.18344",
        version,
        venue,
        "printed",
    )


BESOV = Claim(
    key="oko-2023/besov-rate",
    title="Minimax rate of a diffusion model over Besov classes",
    lhs=TV("target", "output"),
    terms={"rate": n_draws ** (-smoothness / (2 * smoothness + d))},
    constant="polylog",
    setup=_setup("smoothness"),
    source=Source(
        "Kazusato Oko, Shunta Akiyama, Taiji Suzuki",
        2023,
        "Diffusion models are minimax optimal distribution estimators",
        "main theorem",
        "2303.01861",
        "",
        "ICML 2023",
        "recalled",
    ),
    standing="literal",
    expect="untested",
    note="Recalled, for densities on a cube bounded below; the supremum over the class is not a case.",
)

SUBSPACE = Claim(
    key="chen-huang-2023/subspace-rate",
    title="Rate of a diffusion model for data on a subspace",
    lhs=TV("q_delta", "output"),
    terms={"rate": n_draws ** (-1 / (intrinsic + 5))},
    constant="polylog",
    setup=_setup("intrinsic"),
    source=Source(
        "Minshuo Chen, Kaixuan Huang, Tuo Zhao, Mengdi Wang",
        2023,
        "Score approximation, estimation and distribution recovery of diffusion models "
        "on low-dimensional data",
        "abstract",
        "2302.07194",
        "",
        "ICML 2023",
        "recalled",
    ),
    standing="literal",
    expect="untested",
    note="The abstract says that the rate depends on the intrinsic dimension; the exponent is recalled.",
)

GAUR_SIXTH = Claim(
    key="gaur-2025/sample-complexity-v2",
    title="Sample complexity without the empirical risk minimiser, version 2",
    lhs=TV("target", "output"),
    terms={"statistics": n_draws ** Rational(-1, 6)},
    constant="polylog",
    setup=_setup(),
    source=_gaur("v2", ""),
    standing="literal",
    expect="untested",
    note="Version 2 prints O~(eps^-6), the published one O(eps^-4); a learner has no law here.",
)

GAUR_FOURTH = Claim(
    key="gaur-2025/sample-complexity",
    title="Sample complexity without the empirical risk minimiser, as published",
    lhs=TV("target", "output"),
    terms={"statistics": n_draws ** Rational(-1, 4)},
    constant="polylog",
    setup=_setup(),
    source=_gaur("", "TMLR 2026"),
    standing="literal",
    expect="untested",
    note="The published abstract prints O(eps^-4), version 2 O~(eps^-6); a learner has no law here.",
)

EFFICIENT = Claim(
    key="chewi-2025/asymptotic-efficiency",
    title="Denoising score matching over all times is asymptotically efficient",
    lhs=KL("target", "output"),
    terms={"information": n_parameters / (2 * n_draws)},
    constant="absolute",
    setup=_setup("n_parameters"),
    source=Source(
        "Sinho Chewi, Alkis Kalavasis, Anay Mehrotra, Omar Montasser",
        2025,
        "DDPM score matching and distribution learning",
        "abstract, parameter estimation",
        "2504.05161",
        "v1",
        "COLT 2026",
        "printed",
    ),
    standing="literal",
    expect="untested",
    note="The covariance tends to the inverse Fisher information, under mild conditions on the family; "
    "score-estimation/all-times-information is the identity behind it. What a single time or implicit score "
    "matching loses on two modes does not carry over.",
)

HARD = Claim(
    key="song-2024/cryptographic-hardness",
    title="Score estimation to accuracy 1/sqrt(log d) is cryptographically hard",
    lhs=ScoreError("output"),
    terms={"accuracy": 1 / log(d)},
    relation=">=",
    assuming=("d >= 2",),
    setup=Setup(clock="unit"),
    source=Source(
        "Min Jae Song",
        2024,
        "Cryptographic hardness of score estimation",
        "abstract",
        "2404.03272",
        "",
        "NeurIPS 2024",
        "printed",
    ),
    standing="literal",
    expect="untested",
    note="Speaks of every algorithm of polynomial time (Gaussian pancakes), under cryptographic assumptions; "
    "with more time few samples suffice, so that no simulation of a learner contradicts it.",
)

CLAIMS: tuple[Claim, ...] = (BESOV, SUBSPACE, GAUR_SIXTH, GAUR_FOURTH, EFFICIENT, HARD)

FALSEHOODS: tuple[Claim, ...] = ()
