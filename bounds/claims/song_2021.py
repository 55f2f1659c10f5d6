"""Song, Durkan, Murray & Ermon (2021), Theorem 1: score matching bounds the likelihood.

Run the reverse SDE of dx = f dt + g dw in continuous time with an estimate s_hat of the score, from a prior
pi at time T. Under mild regularity (finite energy, Novikov),

    KL(q || output)  <=  (1/2) int_0^T g(t)^2 E_{q_t} |s_hat - grad log q_t|^2 dt  +  KL(q_T || pi).

The error is weighted by the true forward law. Unit clock: g^2 = 2, prefactor 1. Half clock: g = 1,
prefactor 1/2. The constant is stated.

The right side is the relative entropy of the paths, by Girsanov's theorem and the chain rule, and
projecting paths to their end points loses entropy. It loses almost none for a shift of the score
proportional to e^{-t}/v_t on Gaussian data, v_t the variance of q_t.
"""

from __future__ import annotations

from bounds.claim import Claim, Sharp, Source
from bounds.notation import symbols
from bounds.quantity import KL, PathKL, ScoreError
from bounds.setup import Setup

__all__ = ["CLAIMS", "FALSEHOODS", "SOURCE"]

SOURCE = Source(
    authors="Yang Song, Conor Durkan, Iain Murray, Stefano Ermon",
    year=2021,
    title="Maximum likelihood training of score-based diffusion models",
    arxiv="2101.09258",
    venue="NeurIPS 2021",
    locator="Theorem 1",
    provenance="quoted",
)
T, eps = symbols("T eps")

UNIT = Setup(clock="unit", sampler="reverse-sde", score="estimated")
HALF = Setup(clock="half", sampler="reverse-sde", score="estimated")
ANY_PRIOR = Setup(clock="unit", sampler="reverse-sde", start="any", score="estimated")
NOTE = "Read in two later texts that quote it, one of them arXiv:2212.06359, and re-derived in both clocks."
STANDARD = {"type": "gaussian", "eigenvalues": [1], "multiplicities": [1], "means": [0]}
SHIFT = {"target": STANDARD, "T": 3, "N": 200, "score": {"shift": [0.5], "linear": [0], "profile": "adapted"}}

unit_clock = Claim(
    key="song-2021/likelihood",
    title="Likelihood bound, unit clock",
    lhs=KL("target", "output"),
    terms={"initialisation": KL("q_T", "gamma"), "score": ScoreError("output")},
    setup=UNIT,
    source=SOURCE,
    standing="literal",
    note=NOTE,
    sharp=(Sharp("adapted shift on gamma", SHIFT, 0.99),),
)

averaged = Claim(
    key="song-2021/likelihood-averaged",
    title="Likelihood bound with the time-averaged error, unit clock",
    lhs=KL("target", "output"),
    terms={"initialisation": KL("q_T", "gamma"), "score": T * eps**2},
    setup=UNIT,
    source=SOURCE,
    standing="literal",
    note=NOTE,
)

half_clock = Claim(
    key="song-2021/likelihood-half-clock",
    title="Likelihood bound, half clock",
    lhs=KL("target", "output"),
    terms={"initialisation": KL("q_T", "gamma"), "score": ScoreError("output") / 2},
    setup=HALF,
    source=SOURCE,
    standing="literal",
    note=NOTE,
)

any_prior = Claim(
    key="song-2021/any-prior",
    title="Likelihood bound from any prior",
    lhs=KL("target", "output"),
    terms={"initialisation": KL("q_T", "start"), "score": ScoreError("output")},
    setup=ANY_PRIOR,
    source=SOURCE,
    standing="literal",
    note=NOTE,
)

path = Claim(
    key="song-2021/path",
    title="The likelihood bound is the entropy of the paths, unit clock",
    lhs=PathKL("target", "output"),
    terms={"initialisation": KL("q_T", "gamma"), "score": ScoreError("output")},
    relation="==",
    setup=UNIT,
)

path_half_clock = Claim(
    key="song-2021/path-half-clock",
    title="The likelihood bound is the entropy of the paths, half clock",
    lhs=PathKL("target", "output"),
    terms={"initialisation": KL("q_T", "gamma"), "score": ScoreError("output") / 2},
    relation="==",
    setup=HALF,
)

CLAIMS: tuple[Claim, ...] = (unit_clock, averaged, half_clock, any_prior, path, path_half_clock)

FALSEHOODS: tuple[Claim, ...] = (
    unit_clock.but("half-clock-prefactor", terms={"score": ScoreError("output") / 2}),
    unit_clock.but("model-first", lhs=KL("output", "target")),
    averaged.but("half-clock-prefactor", terms={"score": T * eps**2 / 2}),
    half_clock.but("quarter", terms={"score": ScoreError("output") / 4}),
    any_prior.but("prior-first", terms={"initialisation": KL("start", "q_T")}),
    path.but("no-initialisation", terms={"initialisation": None}),
    path_half_clock.but("unit-clock-prefactor", terms={"score": ScoreError("output")}),
)
