"""The symbols of a box, and symbols for what has no short formula in them."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from bounds.notation import symbol
from properties.proofs.laws import Slot, Table
from simulators.enclosure import Enclosure
from simulators.exppoly import ExpPoly

__all__ = ["RESERVED", "R", "T", "c", "d", "delta", "eta", "evaluated", "h", "lam", "m", "slot", "step_slot"]

lam = sp.Symbol("lam", positive=True)
m, eta = sp.Symbol("m", real=True), sp.Symbol("eta", real=True)
c = sp.Symbol("c", nonnegative=True)
d, h, delta = symbol("d"), symbol("h"), symbol("delta")
T = symbol("T")
RESERVED = {
    "lam": "the eigenvalue of the target",
    "m": "the mean of the target",
    "c": "the shift of the score",
    "eta": "the slope of the score error",
}


def slot(
    name: str,
    compute: Callable[[Table], Enclosure],
    formula: sp.Expr | None = None,
    *,
    whole: bool = False,
    **assumptions: bool,
) -> Slot:
    """A symbol of that name, computed box by box; ``formula`` where it has one."""
    return Slot(f"[{name}]", compute, formula, whole=whole, **assumptions)


R = slot("R", lambda table: table.excess)


def step_slot(name: str, f: ExpPoly, power: int) -> Slot:
    """A function of the step on the unit clock over that power of it."""
    return slot(f"step {name}", lambda table: table.step_function(f, power), positive=True)


def evaluated(expr: sp.Expr) -> Callable[[Table], Enclosure]:
    """What computes a formula on a table."""
    return lambda table: table.interval(expr)
