"""The explicit bounds on the half clock: Girsanov with a half, Young, and the initial error by M2.

The unit-clock argument at T/2 and h/2: the discretisation of the exact score costs at most
d L N (h/2 - 2 (1 - e^{-h/2}) + (1 - e^{-h})/2) + d L^2 N (h/2 - (1 - e^{-h})/2).
"""

from __future__ import annotations

from sympy import exp

from bounds.claims import chen_lee_lu_2023 as stated
from bounds.derivation import Derivation, Link, Split, by
from bounds.notation import symbols
from bounds.quantity import KL, PathKL, ScoreError

__all__ = ["DERIVATIONS"]

d, T, N, h, L, eps = symbols("d T N h L eps")
PATH = PathKL("target", "output")
MARTINGALE = d * L * N * (h / 2 - 2 * (1 - exp(-h / 2)) + (1 - exp(-h)) / 2) + d * L**2 * N * (
    h / 2 - (1 - exp(-h)) / 2
)
EXACT = stated.explicit_exact_path.terms["discretisation"]

start = (
    KL("q_T", "gamma"),
    (Link("second-moment", stated.explicit_start, "initialisation/second-moment-half"),),
)
elementary = by("1 - e^{-x} <= x under the integral, and h = T/N")

explicit_exact_path = Derivation(
    key="chen-lee-lu-2023/explicit-exact-path",
    title="Path KL of the frozen exact score, half clock",
    proves="chen-lee-lu-2023/explicit-exact-path",
    start=PATH,
    steps=(
        Split(
            "martingale",
            {
                "initialisation": start,
                "discretisation": (MARTINGALE, (Link("elementary", EXACT, elementary),)),
            },
            by("the chain rule, Girsanov and the martingale e^t grad log q"),
        ),
    ),
    setup=stated.explicit_exact_path.setup,
)
explicit = Derivation(
    key="chen-lee-lu-2023/explicit",
    title="KL of the frozen estimated score, half clock",
    proves="chen-lee-lu-2023/explicit",
    start=stated.explicit.lhs,
    steps=(
        Link("projection", PATH, "building-blocks/path-projection"),
        Split(
            "young",
            {
                "initialisation": start,
                "score": (
                    ScoreError("output"),
                    (Link("average", T * eps**2, by("the definition of eps"), "=="),),
                ),
                "discretisation": (2 * MARTINGALE, (Link("elementary", 2 * EXACT, elementary),)),
            },
            by("Girsanov with prefactor 1/2, and Young, factor 2"),
        ),
    ),
    setup=stated.explicit.setup,
)

DERIVATIONS = (explicit_exact_path, explicit)
