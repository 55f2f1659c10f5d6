"""Bobkov, Gentil & Ledoux (2001), Otto & Villani (2001), Wang (1997): short-time regularisation of Langevin.

Let the potential V have Hess V >= a I with a of either sign, and let P_t be the semigroup of
dX = -grad V dt + sqrt2 dB. Then transport cost becomes relative entropy after any positive time:

    KL(mu P_t || nu P_t)  <=  a W2(mu, nu)^2 / (2 (e^{2at} - 1)),

read as W2^2/(4t) at a = 0. With Pinsker, TV(mu P_t, nu P_t) <= sqrt(a/(4 (e^{2at} - 1))) W2(mu, nu).

For the quadratic potential a|x|^2/2 and point masses there is equality: the two kernels are
N(e^{-at} x, v_t I) and N(e^{-at} y, v_t I), v_t = (1 - e^{-2at})/a, so that KL = e^{-2at}|x - y|^2/(2 v_t).
KL is convex, and the optimal coupling of mu and nu gives the bound for other laws. If mu is a translate of
nu = N(m, v I), the same computation with v_t + v e^{-2at} is an identity.

Proof for general V: Girsanov, with the drift that brings two synchronously started diffusions together at
time t; the cheapest such drift costs a|x - y|^2/(2 (e^{2at} - 1)).
"""

from __future__ import annotations

from sympy import Abs, Rational, exp, sqrt

from bounds.claim import Claim, Sharp, Source
from bounds.notation import symbols
from bounds.quantity import KL, TV, W2
from bounds.setup import Setup

__all__ = ["CLAIMS", "FALSEHOODS", "SOURCE"]

SOURCE = Source(
    authors="Sergey Bobkov, Ivan Gentil, Michel Ledoux",
    year=2001,
    title="Hypercontractivity of Hamilton-Jacobi equations",
    venue="J. Math. Pures Appl. 80(7)",
    locator="reverse transport inequality of the semigroup",
    provenance="recalled",
)
RECALLED = "Recalled; the constant was re-derived."
T, W20, a, t, v = symbols("T W20 a t v")

FLOW = Setup(clock="unit", sampler="ou-flow", start="any", parameters={"a": (-3, 3), "t": (1e-3, 5)})
POINT = {"type": "gaussian", "eigenvalues": [0], "multiplicities": [1]}
ENTROPY = KL("output", "target_t")
COST = W2("start", "target") ** 2


def _points(a: float, t: float) -> dict[str, object]:
    """Two point masses at distance one, regularised for time t under curvature a."""
    return {"target": POINT | {"means": [0]}, "start": POINT | {"means": [1]}, "parameters": {"a": a, "t": t}}


entropy = Claim(
    key="regularisation/entropy",
    title="From transport cost to entropy",
    lhs=ENTROPY,
    terms={"regularisation": a * COST / (2 * (exp(2 * a * t) - 1))},
    setup=FLOW,
    source=SOURCE,
    standing="literal",
    note="Recalled; the constant was re-derived, and is attained by point masses.",
    sharp=(
        Sharp("point masses, convex", _points(1.0, 0.5)),
        Sharp("point masses, concave", _points(-2.0, 0.5)),
    ),
)

convex = Claim(
    key="regularisation/convex",
    title="Convex potentials regularise at least like heat",
    lhs=ENTROPY,
    terms={"regularisation": COST / (4 * t)},
    assuming=("a >= 0",),
    setup=FLOW,
    source=SOURCE,
    standing="literal",
    note=RECALLED,
    sharp=(Sharp("point masses under almost no drift", _points(1e-6, 0.5), 1 - 5e-7),),
)

translates = Claim(
    key="regularisation/translates",
    title="Translates of an isotropic Gaussian: equality",
    lhs=ENTROPY,
    terms={"regularisation": a * COST / (2 * (exp(2 * a * t) - 1 + a * v))},
    relation="==",
    assuming=("same-covariance",),
    setup=FLOW,
)

total_variation = Claim(
    key="regularisation/total-variation",
    title="From transport cost to total variation",
    lhs=TV("output", "target_t"),
    terms={"regularisation": sqrt(a / (4 * (exp(2 * a * t) - 1))) * W2("start", "target")},
    setup=FLOW,
    source=SOURCE,
    standing="literal",
    note="Recalled. The entropy bound with Pinsker's inequality; translates attain at most sqrt(2/pi).",
)

lipschitz_time = Claim(
    key="regularisation/time-one-over-L",
    title="Total variation after the time 1/L, for an L-smooth potential",
    lhs=TV("output", "target_t"),
    terms={"regularisation": Rational(538, 1000) * W2("start", "target") / sqrt(t)},
    assuming=("a == -1/t",),
    setup=FLOW,
    note="a = -L and t = 1/L in the bound for total variation: sqrt(1/(4 (1 - e^{-2}))) = 0.5378.",
)

initialisation = Claim(
    key="regularisation/initialisation",
    title="The forward law at the horizon, unit clock",
    lhs=KL("q_T", "gamma"),
    terms={"initialisation": W20**2 / (2 * (exp(2 * T) - 1))},
    setup=Setup(clock="unit"),
    source=SOURCE,
    standing="literal",
    note=RECALLED,
)

initialisation_half = Claim(
    key="regularisation/initialisation-half-clock",
    title="The forward law at the horizon, half clock",
    lhs=KL("q_T", "gamma"),
    terms={"initialisation": W20**2 / (2 * (exp(T) - 1))},
    setup=Setup(clock="half"),
    source=SOURCE,
    standing="literal",
    note=RECALLED,
)

CLAIMS: tuple[Claim, ...] = (
    entropy,
    convex,
    translates,
    total_variation,
    lipschitz_time,
    initialisation,
    initialisation_half,
)

FALSEHOODS: tuple[Claim, ...] = (
    entropy.but("half-constant", constant=Rational(1, 2)),
    entropy.but(
        "sign-of-curvature", terms={"regularisation": Abs(a) * COST / (2 * (exp(2 * Abs(a) * t) - 1))}
    ),
    convex.but("any-curvature", assuming=()),
    translates.but("without-variance", terms={"regularisation": a * COST / (2 * (exp(2 * a * t) - 1))}),
    total_variation.but("half-constant", constant=Rational(1, 2)),
    lipschitz_time.but("small-constant", constant=Rational(1, 2)),
    initialisation.but("half-constant", constant=Rational(1, 2)),
    initialisation_half.but("unit-clock-rate", terms={"initialisation": W20**2 / (2 * (exp(2 * T) - 1))}),
)
