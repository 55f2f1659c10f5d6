"""Relative Fisher information: the martingale makes the discretisation error telescope.

A step from tau costs the integral over 0 <= u <= h of I(tau - u) - (2 e^u - 1) I(tau), at most
h (I(tau - h) - I(tau)); the sum is h (I(0) - I(T)).
"""

from __future__ import annotations

from sympy import exp

from bounds.claims import conforti_2023 as stated
from bounds.derivation import Derivation, Link, Split, by
from bounds.notation import symbols
from bounds.quantity import FI, KL, PathKL, ScoreError

__all__ = ["DERIVATIONS"]

T, h, KL0, FI0, M2, d, delta, eps = symbols("T h KL0 FI0 M2 d delta eps")
PATH = PathKL("target", "output")
START = KL("q_T", "gamma")
TELESCOPED = h * (FI("target", "gamma") - FI("q_T", "gamma"))

contraction = Link("contraction", exp(-2 * T) * KL0, "initialisation/contraction")
drop = by("I(T) >= 0")

explicit_path = Derivation(
    key="conforti-2023/explicit-path",
    title="Path KL of the frozen relative score",
    proves="conforti-2023/explicit-path",
    start=PATH,
    steps=(
        Split(
            "telescope",
            {
                "initialisation": (START, (contraction,)),
                "discretisation": (TELESCOPED, (Link("drop", h * FI0, drop),)),
            },
            by("the chain rule, Girsanov and the martingale e^{-t} grad log(q/gamma)"),
        ),
    ),
    setup=stated.explicit_path.setup,
)
explicit = Derivation(
    key="conforti-2023/explicit",
    title="KL of the frozen relative score",
    proves="conforti-2023/explicit",
    start=stated.explicit.lhs,
    steps=(
        Link("projection", PATH, "building-blocks/path-projection"),
        Link("path", stated.explicit_path.rhs, "conforti-2023/explicit-path"),
    ),
    setup=stated.explicit.setup,
)
explicit_score_path = Derivation(
    key="conforti-2023/explicit-score-path",
    title="Path KL of the frozen relative score, estimated",
    proves="conforti-2023/explicit-score-path",
    start=PATH,
    steps=(
        Split(
            "young",
            {
                "initialisation": (START, (contraction,)),
                "score": (
                    2 * ScoreError("output"),
                    (Link("average", 2 * T * eps**2, by("the definition of eps"), "=="),),
                ),
                "discretisation": (2 * TELESCOPED, (Link("drop", 2 * h * FI0, drop),)),
            },
            by("Girsanov and Young, factor 2"),
        ),
    ),
    setup=stated.explicit_score_path.setup,
)
early_stopped_path = Derivation(
    key="conforti-2023/early-stopped-path",
    title="Path KL of the frozen relative score with early stopping",
    proves="conforti-2023/early-stopped-path",
    start=stated.early_path.lhs,
    steps=(
        Split(
            "telescope",
            {
                "initialisation": (
                    START,
                    (
                        Link(
                            "second-moment", stated.early_path.terms["initialisation"], "initialisation/split"
                        ),
                    ),
                ),
                "discretisation": (
                    h * FI("q_delta", "gamma"),
                    (
                        Link(
                            "noise",
                            stated.early_path.terms["discretisation"],
                            "conforti-2023/early-stopped-information",
                        ),
                    ),
                ),
            },
            by("the argument for the unstopped path, with q_delta for q"),
        ),
    ),
    assuming=stated.early_path.assuming,
    setup=stated.early_path.setup,
)

DERIVATIONS = (explicit_path, explicit, explicit_score_path, early_stopped_path)
