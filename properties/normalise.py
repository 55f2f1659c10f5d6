"""Right sides of different claims on one footing: one quantity, one clock, one meaning of the symbols.

Times (T, h, delta, t, ...) of a half-clock claim are twice those of the unit clock; the laws, L, M2, KL0 and
the time average of the score error do not depend on the clock. A time-integrated squared error is T times the
averaged one. A bound on KL is a bound on TV by Pinsker, in either order. Every change is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import sympy as sp

from bounds.claim import Claim
from bounds.errors import ClaimError
from bounds.notation import NOTATION, symbol
from bounds.quantity import STEP, Iterate, Quantity, q

__all__ = ["Side", "as_total_variation", "normalise"]

TIMES = tuple(name for name, entry in NOTATION.items() if entry.unit == "time")
RATES = ("friction",)
d, T, M2, delta, eps = (symbol(name) for name in ("d", "T", "M2", "delta", "eps"))


@dataclass(frozen=True)
class Side:
    """One bound, ready to be compared.

    claim    : where it comes from.
    quantity : what is bounded: "KL", "TV", "W2", "chi2", ...
    laws     : of which laws, as text.
    bound    : the right side in the parameters, constant included (a hidden one counts as 1).
    assuming : relations between the parameters.
    notes    : what was changed.
    """

    claim: Claim
    quantity: str
    laws: tuple[str, ...]
    bound: sp.Expr
    assuming: tuple[sp.Rel, ...]
    notes: tuple[str, ...] = ()

    @property
    def symbols(self) -> tuple[str, ...]:
        """Names of the parameters of the bound."""
        return tuple(sorted(s.name for s in self.bound.free_symbols))

    def noting(self, *notes: str, bound: sp.Expr | None = None, quantity: str = "") -> Side:
        """The side with more notes, and perhaps another bound of another quantity."""
        return replace(
            self,
            notes=(*self.notes, *notes),
            bound=self.bound if bound is None else bound,
            quantity=quantity or self.quantity,
        )


def normalise(claim: Claim, clock: str) -> Side:
    """The bound of a claim in that clock, for the first power of its quantity.

    Raises ClaimError for a lower bound, a left side that is not a power of one quantity, or a right side that
    is not a formula in parameters.
    """
    if claim.relation == ">=":
        raise ClaimError(
            f"{claim.key}: relation", claim.relation, "an upper bound; lower bounds are not compared"
        )
    quantity, factor, power = _left(claim)
    notes: list[str] = []
    bound = _parameters_only(claim, notes)
    if (factor, power) != (1, 1):
        bound = (bound / factor) ** (1 / power)
        notes.append(f"solved for {quantity}")
    name, laws = quantity.spec.name, tuple(str(law) for law in quantity.args)
    if name == "PathKL":
        name = "KL"
        notes.append("the path KL bounds the marginal KL")
    if not claim.is_stated:
        notes.append("the constant is hidden and counts as 1")
    average = claim.score.average
    assuming = tuple(rel for rel in claim.assuming if isinstance(rel, sp.Rel))
    change: dict[sp.Symbol, sp.Expr] = {}
    if eps in bound.free_symbols and average == "integral":
        bound = bound.xreplace({eps: eps * sp.sqrt(T)})
        notes.append("eps^2 is the time average: the claim's integrated error is T eps^2")
    if eps in bound.free_symbols and average == "sup":
        notes.append("eps^2 is the largest squared error, at least the time average")
    if claim.setup.clock != clock:
        factor = sp.Integer(2) if claim.setup.clock == "half" else sp.Rational(1, 2)
        change = {symbol(item): symbol(item) * factor for item in TIMES}
        change |= {symbol(item): symbol(item) / factor for item in RATES}
        notes.append(f"times are those of the {clock} clock")
        if symbol("kappa") in bound.free_symbols:
            notes.append("kappa is kept; the two clocks' kappas differ by a factor of at most 2")
    changed = tuple(rel.xreplace(change) for rel in assuming)
    return Side(claim, name, laws, bound.xreplace(change), changed, tuple(notes))


def as_total_variation(side: Side) -> Side:
    """The bound on TV that a bound on TV or KL gives.

    Raises ClaimError for other quantities.
    """
    if side.quantity == "TV":
        return side
    if side.quantity != "KL":
        raise ClaimError(f"{side.claim.key}: lhs", str(side.claim.lhs), "a bound on KL or TV")
    return side.noting("Pinsker: TV <= sqrt(KL/2)", bound=sp.sqrt(side.bound / 2), quantity="TV")


def _left(claim: Claim) -> tuple[Quantity, sp.Expr, sp.Expr]:
    """The quantity Q of a left side c Q^p, with c and p."""
    factor, rest = claim.lhs.as_independent(Quantity, as_Add=False)
    base, power = rest.as_base_exp()
    if not isinstance(base, Quantity) or not (power.is_positive and factor.is_number and factor.is_positive):
        raise ClaimError(f"{claim.key}: lhs", str(claim.lhs), "one quantity, or a power of it")
    return base, factor, power


def _parameters_only(claim: Claim, notes: list[str]) -> sp.Expr:
    """The right side with the entropy at the horizon bounded by the second moment."""
    bound = claim.rhs
    clock = 2 if claim.setup.clock == "unit" else 1
    for item in sorted(bound.atoms(Quantity), key=str):
        if str(item) != "KL(q_T, gamma)":
            raise ClaimError(f"{claim.key}: terms", str(item), "a right side in parameters alone")
        bound = bound.xreplace({item: (M2 + d) / (2 * (sp.exp(clock * T) - 1))})
        notes.append("KL(q_T, gamma) is bounded by the second moment, initialisation/second-moment")
    functions = bound.atoms(sp.Function) - bound.atoms(sp.exp, sp.log, sp.Abs, sp.Max, sp.Min)
    if bound.has(Iterate, sp.Integral, sp.Sum) or any(f.func in (*STEP.values(), q) for f in functions):
        raise ClaimError(f"{claim.key}: terms", sp.sstr(bound)[:60], "a right side in parameters alone")
    return bound


def typical() -> Mapping[str, tuple[float, float]]:
    """Ranges in which the parameters are looked at, by name; counts are real numbers here."""
    return {
        "d": (1.0, 1e6),
        "T": (0.5, 30.0),
        "N": (1.0, 1e7),
        "h": (1e-7, 1.0),
        "delta": (1e-9, 0.5),
        "t": (1e-3, 10.0),
        "s": (1e-3, 10.0),
        "L": (1e-2, 1e6),
        "alpha": (1e-3, 1e3),
        "M2": (1e-2, 1e8),
        "m0sq": (1e-3, 1e7),
        "KL0": (1e-3, 1e7),
        "FI0": (1e-2, 1e9),
        "J0": (1e-2, 1e9),
        "W20": (1e-2, 1e4),
        "eps": (1e-6, 10.0),
        "kappa": (1e-6, 1.0),
        "tol": (1e-6, 1.0),
        "v": (1e-4, 1e4),
        "R": (1e-1, 1e3),
        "friction": (0.1, 30.0),
        "h_corr": (1e-6, 1.0),
        "a": (-3.0, 3.0),
        "eta": (1e-3, 0.5),
        "sep": (0.1, 30.0),
    }
