"""Errors planted in a derivation, one link at a time: does the check name that link, and no earlier one?

Kinds: a constant, an exponent, the sign of a term, a swapped measure (the laws of a quantity trade places, or
the path's for the marginal's), a wrong end point (a quantity or an exponential at another time). In a model
the measure is wrong where another quantity of the same unit stands, the end point where it is the same one at
the other time. A planting counts only if its link is false by `properties.plain`, a road that the check does
not use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sympy as sp

from bounds.claim import Claim
from bounds.derivation import Derivation
from bounds.errors import ClaimError
from bounds.models import MODELS
from bounds.notation import symbol
from bounds.quantity import FI, KL, PathKL, Quantity, chi2, law
from properties.derive import Derived, derive
from properties.plain import drawn, violation
from properties.plain_models import model_violation
from properties.search import Effort

__all__ = ["KINDS", "Planted", "Planting", "false_by", "found_in", "plantings"]

KINDS = ("constant", "exponent", "sign", "measure", "endpoint")
FACTORS = (sp.Rational(9, 10), sp.Rational(1, 2), sp.Rational(1, 10), sp.Rational(1, 100))
COUNTS = (1, 3, 20)
POINTS = 400
MODELLED = 40
"""Cases of a model, which are looked at one by one."""

ENDS = (
    ("q_T", 2 * symbol("T")),
    ("q_T", "target"),
    ("target", "q_T"),
    ("q_delta", "q_T"),
)
"""Laws that are taken for one another: the forward process at the wrong time."""

MOST = 2
"""Plantings of one kind in one position."""


@dataclass(frozen=True)
class Planting:
    """A derivation with one wrong expression.

    place   : the position: the label of a link, or "split.part".
    link    : the label of the first claim that is false, one of those that the planting ``changed``.
    margin  : how false it is: the largest lhs/rhs that the plain road finds.
    """

    derivation: Derivation
    place: str
    link: str
    kind: str
    change: str
    margin: float
    changed: tuple[str, ...]

    @property
    def claim(self) -> Claim:
        """The false claim."""
        return self.derivation.claim(self.link)


@dataclass(frozen=True)
class Planted:
    """What the check says of a planting: the link it names, or ""."""

    planting: Planting
    derived: Derived

    @property
    def named(self) -> str:
        """The first broken link."""
        return self.derived.broken.name if self.derived.broken else ""

    @property
    def right(self) -> bool:
        """Whether it is the false one: the first that the plain road finds, or one before it that the
        planting changed (its witness stands by the check's own two roads).
        """
        planting = self.planting
        changed = planting.changed
        return self.named in changed[: changed.index(planting.link) + 1]


def plantings(derivation: Derivation, *, most: int = MOST, seed: int = 0) -> Iterator[Planting]:
    """Plantings in every position, of every kind that applies there, each false by the plain road.

    most : of one kind in one position.
    """
    for place in derivation.places:
        for kind in KINDS:
            kept = 0
            for change, wrong in _changed(derivation.at(place), kind, derivation.setup.model):
                planting = _planted(derivation, place, kind, change, wrong, seed)
                if planting is None:
                    continue
                yield planting
                kept += 1
                if kept == most or kind == "constant":  # the mildest factor is the sharpest test
                    break


def _planted(
    derivation: Derivation, place: str, kind: str, change: str, wrong: sp.Expr, seed: int
) -> Planting | None:
    try:
        planted = derivation.but(place, wrong)
    except ClaimError:  # the chain has passed that expression, or the symbols are no neighbours'
        return None
    changed = tuple(
        name for name in planted.names if _sides(planted.claim(name)) != _sides(derivation.claim(name))
    )
    for link in changed:
        margin = false_by(planted.claim(link), seed)
        if margin > 1:  # the first link that the change makes false
            return Planting(planted, place, link, kind, change, margin, changed)
    return None


def _sides(claim: Claim) -> tuple[sp.Expr, sp.Expr]:
    return claim.lhs, claim.rhs


def false_by(claim: Claim, seed: int = 0) -> float:
    """The largest lhs/rhs that the plain road finds; 1 if it finds no violation."""
    if claim.setup.model:
        found = [model_violation(claim, MODELLED, seed)]
    else:
        found = [violation(claim, drawn(claim, POINTS, N, seed)) for N in COUNTS]
    return max((ratio for ratio in found if ratio > 1), default=1.0)  # nan where no case counts


def found_in(planting: Planting, *, profile: str | Effort = "quick", seed: int = 0) -> Planted:
    """Check a planted derivation up to its first broken link; where a quick look names none, look again."""
    found = derive(planting.derivation, profile=profile, seed=seed, until_broken=True)
    if found.broken is None and profile == "quick":
        found = derive(planting.derivation, seed=seed, until_broken=True)
    return Planted(planting, found)


# -- changes -------------------------------------------------------------------------------------------------


def _changed(expr: sp.Expr, kind: str, model: str = "") -> Iterator[tuple[str, sp.Expr]]:
    rules: dict[str, Any] = {
        "constant": _constants,
        "exponent": _exponents,
        "sign": _signs,
        "measure": _swaps(model, later=False) if model else _measures,
        "endpoint": _swaps(model, later=True) if model else _endpoints,
    }
    for change, wrong in rules[kind](expr):
        if wrong != expr:
            yield change, wrong


def _swaps(model: str, *, later: bool) -> Callable[[sp.Expr], Iterator[tuple[str, sp.Expr]]]:
    """A quantity of the model for another of the same unit: the same one at the other time, or not."""
    units = {item.name: item.unit for item in MODELS[model].quantities}

    def swapped(expr: sp.Expr) -> Iterator[tuple[str, sp.Expr]]:
        for name in sorted(units.keys() & {s.name for s in expr.free_symbols}):
            for other in sorted(other for other, unit in units.items() if unit == units[name]):
                twins = name.replace("early", "late") == other.replace("early", "late")
                if twins == later and other != name:
                    yield f"{other} for {name}", expr.xreplace({symbol(name): symbol(other)})

    return swapped


def _constants(expr: sp.Expr) -> Iterator[tuple[str, sp.Expr]]:
    for factor in FACTORS:
        yield f"times {factor}", factor * expr


def _exponents(expr: sp.Expr) -> Iterator[tuple[str, sp.Expr]]:
    """Each symbol, exponential or quantity to another power, where it stands."""
    powers = sorted(
        (atom for atom in expr.atoms(sp.Pow, sp.exp) if not atom.is_number and atom.args[-1].is_number),
        key=str,
    )
    plain = sorted((s for s in expr.free_symbols if s not in {p.base for p in powers}), key=str)
    plain += sorted(expr.atoms(Quantity), key=str)
    decays = sorted(expr.atoms(sp.exp), key=str)
    for atom in decays:
        yield f"{atom} squared", expr.xreplace({atom: sp.exp(2 * atom.args[0])})
    for atom in powers:
        for power in (atom.exp + 1, atom.exp / 2):
            yield f"{atom} to the power {power}", expr.xreplace({atom: atom.base**power})
    for item in plain:
        for power in (2, sp.Rational(1, 2)):
            yield f"{item} to the power {power}", _outside(expr, item, item**power)


def _outside(expr: sp.Expr, old: sp.Basic, new: sp.Expr) -> sp.Expr:
    """The replacement everywhere but inside of exponentials and quantities."""
    if expr == old:
        return new
    if not expr.args or isinstance(expr, sp.exp | Quantity):
        return expr
    return expr.func(*(_outside(arg, old, new) for arg in expr.args))


def _signs(expr: sp.Expr) -> Iterator[tuple[str, sp.Expr]]:
    """One term of a sum with the other sign, here or one level below."""
    sums = [atom for atom in sp.preorder_traversal(expr) if isinstance(atom, sp.Add)]
    for total in sums:
        for term in total.args:
            yield f"minus {term}", expr.xreplace({total: total - 2 * term})


def _measures(expr: sp.Expr) -> Iterator[tuple[str, sp.Expr]]:
    for item in sorted(expr.atoms(KL, chi2, FI), key=str):
        yield f"{item} reversed", expr.xreplace({item: item.func(*reversed(item.args))})
    for item in sorted(expr.atoms(PathKL, KL), key=str):
        if str(item.args[1]) == "output" and str(item.args[0]) in ("target", "q_delta"):
            other = (KL if isinstance(item, PathKL) else PathKL)(*item.args)
            yield f"{other} for {item}", expr.xreplace({item: other})


def _endpoints(expr: sp.Expr) -> Iterator[tuple[str, sp.Expr]]:
    for item in sorted(expr.atoms(Quantity), key=str):
        if item.spec.name in ("PathKL", "ScoreError"):
            continue
        for old, new in ENDS:
            moved = item.xreplace({law(old): law(new)})
            if moved != item:
                yield f"{moved} for {item}", expr.xreplace({item: moved})
    for item in sorted(expr.atoms(sp.exp), key=str):
        for time in (symbol("T"), symbol("t")):
            later = sp.exp(item.args[0].xreplace({time: sp.Rational(11, 10) * time}))
            yield f"{later} for {item}", expr.xreplace({item: later})
