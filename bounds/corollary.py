"""A corollary: the choice of parameters that turns a bound into a number of steps, as data.

"Choosing T = ... and N = ... gives error O~(eps^2)" is a statement about orders of growth: after the
substitution every term of the bound is <~ the conclusion, every assumption of the theorem is met, and what
counts the work is <~ what the paper says. `decide` answers each of these by `bounds.orders.at_most`, with a
certificate or a ray; `sweep` puts numbers in.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import sympy as sp

from bounds.errors import ClaimError, nearest
from bounds.formula import parse, parse_relation
from bounds.frozen import FrozenMapping
from bounds.notation import NOTATION, symbol
from bounds.orders import Decision, at_most

__all__ = ["Corollary", "Outcome", "decide", "find_corollary", "sweep"]


@dataclass(frozen=True)
class Corollary:
    """One choice of parameters and what it is said to give.

    key          : "paper/name".
    claim        : key of the catalogue whose terms are meant, or "" if ``terms`` gives them.
    substitution : formulas by symbol; they may use each other.
    hypotheses   : relations between what is left.
    conclusion   : formula that every term is <~ of.
    counts       : {formula: formula}: the first is <~ the second (steps, times, constants).
    conditions   : relations that the choice must imply beyond the assumptions of the claim.
    polylog      : whether conclusion and counts hide logarithms (O~).
    parameters   : names beyond the notation.
    expect       : "holds" or "fails".
    accuracy     : the parameter that `sweep` sends to zero, with the others as in ``at``.
    """

    key: str
    title: str
    substitution: Mapping[str, str]
    conclusion: str
    claim: str = ""
    terms: Mapping[str, str] = field(default_factory=FrozenMapping)
    hypotheses: tuple[str, ...] = ()
    counts: Mapping[str, str] = field(default_factory=FrozenMapping)
    conditions: tuple[str, ...] = ()
    polylog: bool = True
    parameters: tuple[str, ...] = ()
    expect: str = "holds"
    note: str = ""
    accuracy: str = "tol"
    at: Mapping[str, float] = field(default_factory=FrozenMapping)

    def __post_init__(self) -> None:
        if bool(self.claim) == bool(self.terms):
            raise ClaimError(f"{self.key}: claim", self.claim, "a key of the catalogue, or terms, not both")
        if self.expect not in ("holds", "fails"):
            raise ClaimError(f"{self.key}: expect", self.expect, "'holds' or 'fails'")
        for name in ("substitution", "terms", "counts", "at"):
            object.__setattr__(self, name, FrozenMapping(getattr(self, name)))
        for name in self.substitution:
            if name not in NOTATION and name not in self.parameters:
                known = {*NOTATION, *self.parameters}
                raise ClaimError(f"{self.key}: substitution", name, f"a known symbol{nearest(name, known)}")

    def substituted(self, expr: sp.Basic) -> sp.Basic:
        """The expression with every chosen parameter put in.

        Raises ClaimError if the choices refer to each other in a circle.
        """
        chosen = {symbol(name): self.formula(text) for name, text in self.substitution.items()}
        for _ in range(len(chosen) + 1):
            if not expr.free_symbols & set(chosen):
                return expr
            expr = expr.xreplace(chosen)
        raise ClaimError(f"{self.key}: substitution", str(expr), "choices that do not refer to each other")

    def formula(self, text: str) -> sp.Expr:
        """A formula of the corollary."""
        return parse(text, field=self.key, parameters=frozenset(self.parameters))

    def relation(self, text: str) -> sp.Rel:
        """A relation of the corollary."""
        return parse_relation(text, field=self.key, parameters=frozenset(self.parameters))

    @property
    def bound(self) -> Mapping[str, sp.Expr]:
        """The terms before the choice, by name."""
        if not self.claim:
            return {name: self.formula(text) for name, text in self.terms.items()}
        from bounds.catalogue import find

        return find(self.claim).terms

    @property
    def required(self) -> Iterator[sp.Rel]:
        """What the choice must imply: the assumptions of the claim and the conditions."""
        if self.claim:
            from bounds.catalogue import find

            yield from (rel for rel in find(self.claim).assuming if isinstance(rel, sp.Rel))
        yield from (self.relation(text) for text in self.conditions)


@dataclass(frozen=True)
class Outcome:
    """The decisions on a corollary by name; ``holds`` is true if all do, None if one is open, else false."""

    corollary: Corollary
    decisions: Mapping[str, Decision]

    @property
    def holds(self) -> bool | None:
        """Whether the corollary holds."""
        found = [decision.holds for decision in self.decisions.values()]
        return False if False in found else None if None in found else True

    @property
    def met(self) -> bool:
        """Whether the outcome is the expected one."""
        return self.holds is (self.corollary.expect == "holds")

    def __str__(self) -> str:
        word = {True: "holds", False: "fails", None: "undecided"}[self.holds]
        lines = [f"{word}: {self.corollary.key} ({self.corollary.title})"]
        for name, decision in self.decisions.items():
            lines += [f"  {name}", *(f"    {line}" for line in str(decision).splitlines())]
        return "\n".join(lines)


def decide(corollary: Corollary) -> Outcome:
    """Every term against the conclusion, every assumption, every count."""
    decisions: dict[str, Decision] = {}

    def compare(name: str, small: sp.Expr, large: sp.Expr, *, polylog: bool) -> None:
        decisions[name] = at_most(
            corollary.substituted(small),
            corollary.substituted(large),
            corollary.hypotheses,
            polylog=polylog,
            parameters=corollary.parameters,
        )

    goal = corollary.formula(corollary.conclusion)
    for name, term in corollary.bound.items():
        compare(name, term, goal, polylog=corollary.polylog)
    for rel in corollary.required:
        small, large = (rel.rhs, rel.lhs) if isinstance(rel, sp.Ge | sp.Gt) else (rel.lhs, rel.rhs)
        compare(f"needs {sp.sstr(rel)}", small, large, polylog=False)
    for small, large in corollary.counts.items():
        name = f"{small} <~ {large}"
        compare(name, corollary.formula(small), corollary.formula(large), polylog=corollary.polylog)
    return Outcome(corollary, decisions)


def sweep(corollary: Corollary, decades: Sequence[int] = range(1, 13)) -> list[tuple[float, float]]:
    """(accuracy, bound/conclusion) as the accuracy goes down by decades, the others as in ``at``."""
    names = {symbol(name): sp.Rational(str(value)) for name, value in corollary.at.items()}
    total = corollary.substituted(sp.Add(*corollary.bound.values()))
    goal = corollary.substituted(corollary.formula(corollary.conclusion))
    rows = []
    for decade in decades:
        accuracy = sp.Rational(1, 10**decade)
        values = names | {symbol(corollary.accuracy): accuracy}
        ratio = float((total / goal).xreplace(values).evalf(30))
        if math.isnan(ratio):
            raise ClaimError(f"{corollary.key}: at", dict(corollary.at), "values at which the bound is real")
        rows.append((float(accuracy), ratio))
    return rows


def find_corollary(key: str) -> Corollary:
    """The corollary of that key; raises ClaimError, with the nearest key, if there is none."""
    from bounds.corollaries import COROLLARIES

    known = {corollary.key: corollary for corollary in COROLLARIES}
    if key not in known:
        raise ClaimError("corollary", key, f"a key of the corollaries{nearest(key, known)}")
    return known[key]
