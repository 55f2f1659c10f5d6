"""The explicit bounds for the frozen score: chain rule, Girsanov, martingale, contraction.

Along the true reverse process e^t M_t, M_t = grad log q_{T-t}, is a martingale with dM = -M dt + sqrt2 H dB.
From |H|_F^2 <= d L^2 and J <= d L,

    E|M_t - M_s|^2  <=  d L (1 - e^{-u})^2 + d L^2 (1 - e^{-2u}),        u = t - s,

and Girsanov integrates this over every step. With a score error Young's inequality doubles both, or the
martingale property leaves the cross term T h eps sqrt(d L).
"""

from __future__ import annotations

from sympy import Rational, exp, sqrt

from bounds.claims import chen_2023_sampling as stated
from bounds.derivation import Derivation, Link, Split, by
from bounds.notation import symbols
from bounds.quantity import KL, PathKL, ScoreError

__all__ = ["DERIVATIONS", "discretisation"]

d, T, N, h, L, KL0, eps = symbols("d T N h L KL0 eps")
PATH = PathKL("target", "output")
START = KL("q_T", "gamma")
MARTINGALE = d * L * N * (h - 2 * (1 - exp(-h)) + (1 - exp(-2 * h)) / 2) + d * L**2 * N * (
    h - (1 - exp(-2 * h)) / 2
)

projection = Link("projection", PATH, "building-blocks/path-projection")
contraction = Link("contraction", exp(-2 * T) * KL0, "initialisation/contraction")
elementary = Link("elementary", stated.discretisation, by("1 - e^{-x} <= x under the integral"))


def discretisation(factor: int) -> tuple[object, tuple[Link, ...]]:
    """The discretisation part, ``factor`` times, with its chain."""
    return factor * MARTINGALE, (Link("elementary", factor * stated.discretisation, elementary.by),)


girsanov = Split(
    "martingale",
    {"initialisation": (START, (contraction,)), "discretisation": discretisation(1)},
    by("the chain rule, Girsanov and the martingale e^t grad log q"),
)
young = Split(
    "young",
    {
        "initialisation": (START, (contraction,)),
        "score": (
            2 * ScoreError("output"),
            (Link("average", 2 * T * eps**2, by("the definition of eps"), "=="),),
        ),
        "discretisation": discretisation(2),
    },
    by("Girsanov and Young, factor 2"),
)
cross = Split(
    "cross-term",
    {
        "initialisation": (START, (contraction,)),
        "score": (T * eps**2, ()),
        "discretisation": discretisation(1),
        "cross": (T * h * eps * sqrt(d * L), ()),
    },
    by("Girsanov, the martingale property and Cauchy-Schwarz"),
)

explicit_path = Derivation(
    key="chen-2023-sampling/explicit-path",
    title="Path KL of the frozen exact score",
    proves="chen-2023-sampling/explicit-path",
    start=PATH,
    steps=(girsanov,),
    setup=stated.explicit_path.setup,
)
explicit = Derivation(
    key="chen-2023-sampling/explicit",
    title="KL of the frozen exact score",
    proves="chen-2023-sampling/explicit",
    start=stated.explicit.lhs,
    steps=(projection, girsanov),
    setup=stated.explicit.setup,
)
explicit_young = Derivation(
    key="chen-2023-sampling/explicit-young",
    title="KL of the frozen estimated score, by Young",
    proves="chen-2023-sampling/explicit-young",
    start=stated.explicit_young.lhs,
    steps=(projection, young),
    setup=stated.explicit_young.setup,
)
explicit_score_path = Derivation(
    key="chen-2023-sampling/explicit-score-path",
    title="Path KL of the frozen estimated score, with the cross term",
    proves="chen-2023-sampling/explicit-score-path",
    start=PATH,
    steps=(cross,),
    setup=stated.explicit_score_path.setup,
)
explicit_tv = Derivation(
    key="chen-2023-sampling/explicit-tv",
    title="TV of the frozen estimated score",
    proves="chen-2023-sampling/explicit-tv",
    start=stated.explicit_tv.lhs,
    steps=(
        Link("pinsker", sqrt(KL("target", "output") / 2), "functional-inequalities/pinsker"),
        Link("kl", sqrt(stated.explicit_young.rhs / 2), "chen-2023-sampling/explicit-young"),
        Link(
            "roots",
            {
                "initialisation": sqrt(KL0 / 2) * exp(-T),
                "score": eps * sqrt(T),
                "discretisation": sqrt(T * (d * L**2 * h + d * L * h**2 / 3)),
            },
            by("the square root of a sum"),
        ),
        Link("small-steps", stated.explicit_tv.rhs, by("h L <= 1 <= L, so d L h^2/3 <= d L^2 h/3")),
    ),
    assuming=stated.explicit_tv.assuming,
    setup=stated.explicit_tv.setup,
)
girsanov_identity = Derivation(
    key="chen-2023-sampling/girsanov-shift",
    title="Girsanov with a constant shift of the score",
    proves="chen-2023-sampling/girsanov-shift",
    start=PATH,
    steps=(
        Link(
            "orthogonality",
            stated.girsanov_shift.rhs,
            by("Girsanov, the martingale property and de Bruijn"),
            "==",
        ),
    ),
    assuming=stated.girsanov_shift.assuming,
    setup=stated.girsanov_shift.setup,
)
frozen_lower = Derivation(
    key="chen-2023-sampling/frozen-score-on-gamma",
    about="chen-2023-sampling/frozen-score-on-gamma",
    title="Path KL of the frozen score on gamma, from above",
    start=PATH,
    steps=(
        Link("closed-form", stated.frozen_on_gamma.rhs, "chen-2023-sampling/frozen-score-on-gamma", "=="),
        Link("taylor", d * T * h * (1 - h / 3 + Rational(1, 12) * h**2), by("Taylor with alternating signs")),
    ),
    assuming=("standard",),
    setup=stated.frozen_on_gamma.setup,
)

DERIVATIONS = (
    explicit_path,
    explicit,
    explicit_young,
    explicit_score_path,
    explicit_tv,
    girsanov_identity,
    frozen_lower,
)
