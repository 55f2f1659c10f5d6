"""How the functional inequalities follow from each other."""

from __future__ import annotations

from bounds.claims import functional_inequalities as stated
from bounds.derivation import Derivation, Link, by
from bounds.notation import symbols

__all__ = ["DERIVATIONS"]

(FI0,) = symbols("FI0")

log_sobolev = Derivation(
    key="functional-inequalities/log-sobolev",
    title="HWI implies log-Sobolev",
    proves="functional-inequalities/log-sobolev",
    start=stated.log_sobolev.lhs,
    steps=(
        Link("hwi", stated.hwi.rhs, "functional-inequalities/hwi"),
        Link("young", FI0 / 2, by("Young: a b <= a^2/2 + b^2/2")),
    ),
    setup=stated.log_sobolev.setup,
)
huber_linear = Derivation(
    key="functional-inequalities/bretagnolle-huber-linear",
    title="Bretagnolle-Huber without the root",
    proves="functional-inequalities/bretagnolle-huber-linear",
    start=stated.huber_linear.lhs,
    steps=(
        Link("huber", stated.huber.rhs, "functional-inequalities/bretagnolle-huber"),
        Link("root", stated.huber_linear.rhs, by("sqrt(1 - x) <= 1 - x/2")),
    ),
    setup=stated.huber_linear.setup,
)

DERIVATIONS = (log_sobolev, huber_linear)
