"""Claims changed a little: what goes wrong in derivations, as operators on claims.

`mutants` lists the changed claims. Nothing here says whether a change makes a claim stronger or false: that
is measured in `properties.effects` and judged in `properties.mutate`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy as sp

from bounds.claim import Claim
from bounds.errors import ClaimError
from bounds.notation import symbol
from bounds.quantity import KL, STEP, Iterate, PathKL, Quantity, chi2, law
from bounds.setup import AVERAGES, Score

__all__ = ["OPERATORS", "RAREST_FIRST", "Mutant", "mutants"]

POWERS = (sp.Rational(-1), sp.Rational(-1, 2), sp.Rational(1, 2), sp.Rational(1))
SWAPS = (("T", "h"), ("d", "L"), ("T", "N"), ("KL0", "M2"), ("FI0", "KL0"))
JUST_BELOW = sp.Rational(97, 100)


@dataclass(frozen=True)
class Mutant:
    """A changed claim: which operator made it, and what it did, in a clause."""

    claim: Claim
    operator: str
    reason: str


def mutants(claim: Claim, sharpest: float | None = None) -> list[Mutant]:
    """Every mutant of a claim, each once, in a fixed order.

    sharpest : the largest ratio lhs/rhs known for it (rhs/lhs for a lower bound); gives the constant just
        past the sharp one.
    """
    found: dict[str, Mutant] = {}
    for name, operator in OPERATORS.items():
        for label, reason, changes in operator(claim):
            try:
                mutant = claim.but(label, **changes)
            except (ClaimError, ValueError, TypeError):
                continue  # a change that makes no claim
            if mutant.hash != claim.hash:
                found.setdefault(mutant.hash, Mutant(mutant, name, reason))
    if sharpest is not None and claim.is_stated and claim.relation != "==" and 0 < sharpest < np.inf:
        factor = sp.Rational(str(round(sharpest, 6))) * JUST_BELOW
        constant = claim.constant * factor if claim.relation == "<=" else claim.constant / factor
        past = claim.but("constant-below-sharp", constant=constant)
        found.setdefault(
            past.hash, Mutant(past, "constant", f"constant {float(constant):.4g}, past the sharp one")
        )
    return list(found.values())


Change = tuple[str, str, dict[str, Any]]


def _slug(text: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in text).strip("-")


def _simple(term: sp.Expr) -> bool:
    return not term.has(Iterate, sp.Integral)


def _exponent(claim: Claim) -> Iterator[Change]:
    """A power of one symbol in one term changes by 1/2 or 1."""
    for name, term in claim.terms.items():
        if not _simple(term):
            continue
        for s in sorted(term.free_symbols & set(claim.symbols), key=str):
            for power in POWERS:
                step = _slug(str(power)) if power > 0 else "less-" + _slug(str(-power))
                yield (
                    f"exponent-{_slug(name)}-{s}-{step}",
                    f"{name}: times {s}^({power})",
                    {"terms": {name: term * s**power}},
                )


def _drop_term(claim: Claim) -> Iterator[Change]:
    for name in claim.terms if len(claim.terms) > 1 else ():
        yield f"without-{_slug(name)}", f"the term {name!r} is dropped", {"terms": {name: None}}


def _duplicate_term(claim: Claim) -> Iterator[Change]:
    for name, term in claim.terms.items():
        yield f"twice-{_slug(name)}", f"the term {name!r} counts twice", {"terms": {name: 2 * term}}


def _swap_symbols(claim: Claim) -> Iterator[Change]:
    """Two symbols trade places in one term."""
    for name, term in claim.terms.items():
        for first, second in SWAPS:
            a, b = symbol(first), symbol(second)
            if _simple(term) and a in term.free_symbols:
                changed = term.xreplace({a: b, b: a})
                yield (
                    f"swap-{_slug(name)}-{a}-{b}",
                    f"{name}: {a} and {b} trade places",
                    {"terms": {name: changed}},
                )


def _clock(claim: Claim) -> Iterator[Change]:
    if claim.setup.model:  # has no clock
        return
    other = "half" if claim.setup.clock == "unit" else "unit"
    yield f"{other}-clock", f"read on the {other} clock", {"setup": replace(claim.setup, clock=other)}


def _order_of_KL(claim: Claim) -> Iterator[Change]:
    """The two laws of a divergence on the left trade places."""
    turned = {
        atom: atom.func(*reversed(atom.args))
        for atom in claim.lhs.atoms(KL, chi2)
        if isinstance(atom, Quantity) and len(atom.args) == 2
    }
    if turned:
        yield "other-order", "the laws on the left trade places", {"lhs": claim.lhs.xreplace(turned)}


def _path_or_marginal(claim: Claim) -> Iterator[Change]:
    for one, other, word in ((KL, PathKL, "path"), (PathKL, KL, "marginal")):
        atoms = [atom for atom in claim.lhs.atoms(one) if law("output") in atom.args]
        if atoms:
            changed = claim.lhs.xreplace({atom: other(*atom.args) for atom in atoms})
            yield word, f"the {word} KL on the left", {"lhs": changed}


def _ends(claim: Claim) -> Iterator[Change]:
    """A quantity at the end of the horizon is taken at its start, or the other way."""
    for name, term in claim.terms.items():
        for old, new in (("q_T", "target"), ("target", "q_T")):
            changed = term.xreplace({law(old): law(new)})
            if changed != term:
                yield f"{_slug(name)}-at-{new}", f"{name}: {old} becomes {new}", {"terms": {name: changed}}


def _step_end(claim: Claim) -> Iterator[Change]:
    """What a recursive bound takes at the start of a reverse step is taken at its end."""
    for name, term in claim.terms.items():
        starts = term.atoms(STEP["tau"])
        if starts:
            changed = term.xreplace({time: time - STEP["step"](*time.args) for time in starts})
            yield (
                f"{_slug(name)}-at-step-end",
                f"{name}: the end of each step for its start",
                {"terms": {name: changed}},
            )


def _average(claim: Claim) -> Iterator[Change]:
    if claim.score.kind != "estimated" or claim.setup.sampler in ("none", "langevin"):
        return
    for average in AVERAGES:
        if average not in (claim.score.average, "output-sup"):
            setup = replace(claim.setup, score=Score("estimated", average))
            yield f"average-{average}", f"eps averaged as {average!r}", {"setup": setup}


def _assumption(claim: Claim) -> Iterator[Change]:
    for i, item in enumerate(claim.assuming):
        rest = (*claim.assuming[:i], *claim.assuming[i + 1 :])
        yield f"unless-{i + 1}", f"without the assumption {item}", {"assuming": rest}


def _dimension(claim: Claim) -> Iterator[Change]:
    d = symbol("d")
    for name, term in claim.terms.items():
        if _simple(term) and d in term.free_symbols:
            changed = term.xreplace({d: sp.sqrt(d)})
            yield f"root-d-{_slug(name)}", f"{name}: sqrt(d) for d", {"terms": {name: changed}}


def _logarithm(claim: Claim) -> Iterator[Change]:
    for name, term in claim.terms.items():
        logs = term.atoms(sp.log)
        if logs and _simple(term):
            changed = term.xreplace(dict.fromkeys(logs, sp.Integer(1)))
            yield f"no-log-{_slug(name)}", f"{name}: the logarithm is dropped", {"terms": {name: changed}}


OPERATORS: dict[str, Callable[[Claim], Iterator[Change]]] = {
    "exponent": _exponent,
    "drop term": _drop_term,
    "duplicate term": _duplicate_term,
    "swap symbols": _swap_symbols,
    "clock": _clock,
    "order of KL": _order_of_KL,
    "path or marginal": _path_or_marginal,
    "ends": _ends,
    "step end": _step_end,
    "average": _average,
    "assumption": _assumption,
    "dimension": _dimension,
    "logarithm": _logarithm,
}
"""What each operator changes, by the name under which its mutants are counted."""

RAREST_FIRST = (
    "step end", "logarithm", "order of KL", "ends", "path or marginal", "dimension", "average", "clock",
    "constant", "assumption", "drop term", "swap symbols", "duplicate term", "exponent",
)  # fmt: skip
"""All operators, those with the fewest mutants in the catalogue first: in this order a limit takes them."""
