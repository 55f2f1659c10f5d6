"""Nearly linear in d: the increments of both parts of the score energy, summed by kappa.

J = d/s2 - e^{-2t} A/s2^2 with A = E tr Cov(X_0|X_t) increasing, s2 = 1 - e^{-2t}. The increments of the first
part cost d kappa^2 N/2, those of the second d kappa (log(1/delta)/2 + 0.7), and the drift 1.157 d kappa T.
"""

from __future__ import annotations

from sympy import Rational, log

from bounds.claims import benton_2024 as stated
from bounds.derivation import Derivation, Link, by
from bounds.notation import symbols
from bounds.quantity import KL, PathKL

__all__ = ["DERIVATIONS"]

d, T, N, delta, kappa = symbols("d T N delta kappa")
PIECES = {
    "initialisation": KL("q_T", "gamma"),
    "noise": d * kappa**2 * N / 2,
    "drift": Rational(1157, 1000) * d * kappa * T,
    "posterior": d * kappa * (log(1 / delta) / 2 + Rational(7, 10)),
}
pieces = Link("pieces", PIECES, by("the closed form of the path KL and the monotone posterior covariance"))
steps = Link("steps", stated.explicit_path.rhs, by("log(1/delta) <= kappa N and T >= 1"))

explicit_path = Derivation(
    key="benton-2024/explicit-path",
    title="Path KL nearly linear in d, exact score",
    proves="benton-2024/explicit-path",
    start=PathKL("q_delta", "output"),
    steps=(pieces, steps),
    assuming=stated.explicit_path.assuming,
    setup=stated.explicit_path.setup,
)
explicit = Derivation(
    key="benton-2024/explicit",
    title="KL nearly linear in d, exact score",
    proves="benton-2024/explicit",
    start=stated.explicit.lhs,
    steps=(
        Link("projection", PathKL("q_delta", "output"), by("the end point of a path has less entropy")),
        pieces,
        steps,
    ),
    assuming=stated.explicit.assuming,
    setup=stated.explicit.setup,
)

DERIVATIONS = (explicit_path, explicit)
