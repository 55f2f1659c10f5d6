"""The variance of the bootstrapped target: two errors of Tweedie's formula, and a martingale between them.

With A = a_t/s_t^2, B = a_s/s_s^2 and the exact score in the target, Tweedie's formula at both times gives

    T - S_t  =  A (X_0 - m_t) - k B (X_0 - m_s)  =  (A - k B) (X_0 - m_s)  +  A (m_s - m_t).

X_0 - m_s has mean zero given the path from time s on, which determines the second term: the mean squares
add. The posterior means are a reverse martingale, so that E|m_s - m_t|^2 = V_t - V_s, and

    E|T - S_t|^2  =  (A - k B)^2 V_s + A^2 (V_t - V_s).

The square vanishes for k = A/B and for no other weight.
"""

from __future__ import annotations

from bounds.claims import kumar_2025 as stated
from bounds.derivation import Derivation, Link, by
from bounds.notation import symbols

__all__ = ["DERIVATIONS"]

mix, bsm_risk, martingale_step, mmse_early, mmse_late = symbols(
    "mix bsm_risk martingale_step mmse_early mmse_late"
)
A, B = stated.A, stated.B
SQUARE = (A - mix * B) ** 2 * mmse_early

risk = Derivation(
    key="kumar-2025/bootstrap-risk",
    title="Variance of the bootstrapped target, for every weight",
    proves="kumar-2025/bootstrap-risk",
    start=bsm_risk,
    steps=(
        Link(
            "orthogonality",
            {"own": SQUARE, "step": A**2 * martingale_step},
            by("Tweedie at both times, and X_0 - m_s has mean zero given what follows"),
            "==",
        ),
        Link(
            "martingale",
            {"own": SQUARE, "step": A**2 * (mmse_late - mmse_early)},
            "kumar-2025/martingale-step",
            "==",
        ),
        Link("expand", dict(stated.risk.terms), by("the square multiplied out"), "=="),
    ),
    setup=stated.BSM,
)
least = Derivation(
    key="kumar-2025/bootstrap-least-risk",
    about="kumar-2025/bootstrap-least-risk",
    title="The least variance of the bootstrapped target",
    start=A**2 * (mmse_late - mmse_early),
    steps=(
        Link("martingale", A**2 * martingale_step, "kumar-2025/martingale-step", "=="),
        Link("square", A**2 * martingale_step + SQUARE, by("a square is not negative")),
        Link("orthogonality", bsm_risk, by("Tweedie at both times, and orthogonality"), "=="),
    ),
    setup=stated.BSM,
)

DERIVATIONS = (risk, least)
