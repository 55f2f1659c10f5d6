"""Where a proof loses: every expression of a derivation on the same cases, and the slack of each link.

The loss from the true quantity to the stated bound is split between the links, log(after/before) of each: the
waterfall.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from bounds.claim import Claim
from bounds.derivation import Cases, Derivation, Split
from bounds.notation import symbol
from bounds.quantity import Iterate
from properties.admissible import raise_constants
from properties.assess import assess
from properties.cases import Case
from properties.evaluate import FLOATS, evaluate
from properties.measures import Measures
from properties.space import draw, space_of
from properties.trials.looking import look
from properties.trials.models import ModelCase, ModelFamily
from simulators.enclosure import Enclosure
from simulators.errors import NotDefined

__all__ = ["SHARP", "Loss", "joint", "losses", "proofs_of", "share"]

Array = NDArray[np.float64]
SHARP = 1e-6
"""Relative width above which a float enclosure is too wide to split slack with."""

DRAWN = (30, 24)
"""Grids and targets on which the slack is measured."""

MODELLED = 40
"""Cases of a model on which the slack is measured."""


@dataclass(frozen=True)
class Loss:
    """The slack that one link adds to the whole, log(after/before), on three cases.

    typical : median over the cases.   largest : the most, and ``where`` it is.   at_tightest : on the case
        where the whole chain loses least.
    """

    name: str
    typical: float
    largest: float
    at_tightest: float
    where: Case | ModelCase | None


def joint(derivation: Derivation) -> Claim:
    """A claim that speaks of everything in the derivation, so that one set of cases serves all links."""
    terms = {f"{place}": claim.rhs for place, claim in enumerate(derivation.claims)}
    return Claim(
        key=f"{derivation.key}/joint",
        lhs=derivation.first,
        terms={**terms, "last": derivation.last},
        assuming=derivation.assuming,
        setup=derivation.setup,
    )


def losses(
    derivation: Derivation, *, seed: int = 0
) -> tuple[tuple[Loss, ...], Case | ModelCase | None, tuple[str, Case | ModelCase] | None]:
    """The slack of every link on common cases, the tightest case, and a gap of a case split."""
    claim = joint(derivation)
    rng = np.random.default_rng([seed, int(claim.hash, 16)])
    try:
        common = _of_a_model(claim, rng) if claim.setup.model else _of_gaussians(claim, rng)
        walk = _Waterfall(claim, common)
        walk.follow(derivation)
    except (NotDefined, ValueError):  # a value is missing on some case: no common cases to split on
        return (), None, None
    if not common.size:
        return (), None, None
    uncovered = (walk.gap[0], common.case(walk.gap[1])) if walk.gap else None
    return (*_summed(walk, common), uncovered)


@dataclass(frozen=True)
class _Common:
    """The cases that all links are evaluated on: how many, each by its number, and values as columns."""

    size: int
    case: Callable[[int], Case | ModelCase]
    value: Callable[[sp.Expr], Enclosure]


def _of_gaussians(claim: Claim, rng: np.random.Generator) -> _Common:
    drawn = draw(space_of(claim), rng, *DRAWN)
    if any(expr.has(Iterate) for expr in claim.expressions):  # for one number of steps at a time
        steps = np.sort(drawn.N)[len(drawn) // 2]
        drawn = drawn.take(steps == drawn.N)
    if symbol("L") in claim.symbols:  # infinite for a Dirac, and no slack to measure
        drawn = drawn.take(np.all(drawn.eigenvalues > 0, axis=1))
    population = assess(claim, drawn).population
    measures = Measures(claim, population)
    raise_constants(claim, measures)
    return _Common(len(population), population.case, lambda expr: evaluate(expr, measures, FLOATS))


def _of_a_model(claim: Claim, rng: np.random.Generator) -> _Common:
    cases = [case for case in ModelFamily(claim).draw(rng, MODELLED) if not look(claim, case).failed]
    roads = [case.floats() for case in cases]

    def value(expr: sp.Expr) -> Enclosure:
        found = [road.value(expr) for road in roads]
        return Enclosure(np.array([float(v.lo) for v in found]), np.array([float(v.hi) for v in found]))

    return _Common(len(cases), cases.__getitem__, value)


def _summed(walk: _Waterfall, common: _Common) -> tuple[tuple[Loss, ...], Case | ModelCase | None]:
    rows = np.stack([change for _, change in walk.changes])
    good = np.all(np.isfinite(rows), axis=0)
    if not np.any(good):
        return (), None
    total = np.where(good, np.where(good, rows, 0.0).sum(axis=0), np.inf)
    tightest = int(np.argmin(total))
    found = []
    for (name, _), row in zip(walk.changes, rows, strict=True):
        worst = int(np.argmax(np.where(good, row, -np.inf)))
        typical, most = float(np.median(row[good])), float(row[worst])
        found.append(Loss(name, typical, most, float(row[tightest]), common.case(worst)))
    return tuple(found), common.case(tightest)


class _Waterfall:
    """Follows the total through the links: log(after/before) of each, on every case."""

    def __init__(self, claim: Claim, common: _Common) -> None:
        self.claim, self.common, self.size = claim, common, common.size
        self.changes: list[tuple[str, Array]] = []
        self.gap: tuple[str, int] | None = None

    def value(self, expr: sp.Expr) -> Array:
        """The expression on every case; NaN where floats know fewer than six digits of it."""
        with np.errstate(all="ignore"):
            found = self.common.value(expr)
            known = found.width <= SHARP * np.abs(found.mid)
            return np.broadcast_to(np.where(known, found.mid, np.nan), (self.size,)).astype(np.float64)

    def follow(self, derivation: Derivation) -> None:
        """Collect the changes of the whole chain."""
        claims = dict(zip(derivation.names, derivation.claims, strict=True))
        spine = dict(derivation.spine)
        total = self.value(derivation.first)
        for number, step in enumerate(derivation.steps, 1):
            label = f"{number}-{step.name}"
            if isinstance(step, Cases):
                self._covered(step, label)
                total = self._change(label, total, self.value(spine[label]))
                continue
            total = self._change(label, total, self.value(claims[label].rhs))
            if isinstance(step, Split):
                for name, (_, links) in step.parts.items():
                    part = self.value(claims[label].terms[name])
                    for place, link in enumerate(links, 1):
                        inner = f"{label}.{name}.{place}-{link.name}"
                        after = self.value(claims[inner].rhs)
                        with np.errstate(all="ignore"):
                            moved = total - part + after
                        total, part = self._change(inner, total, moved), after

    def _change(self, name: str, before: Array, after: Array) -> Array:
        with np.errstate(all="ignore"):
            self.changes.append((name, np.log(after) - np.log(before)))
        return after

    def _covered(self, step: Cases, label: str) -> None:
        """Note a case that none of the assumptions of a case split covers."""
        held = np.zeros(self.size, dtype=bool)
        for assumption in step.cases:
            held |= self._holds(assumption)
        if not np.all(held):
            self.gap = self.gap or (label, int(np.flatnonzero(~held)[0]))

    def _holds(self, assumption: Any) -> NDArray[np.bool_]:
        from bounds.formula import parse_relation

        names = frozenset(self.claim.setup.names)
        rel = parse_relation(assumption, parameters=names) if isinstance(assumption, str) else assumption
        left, right = self.value(rel.lhs), self.value(rel.rhs)
        return np.asarray(left >= right if isinstance(rel, sp.Ge | sp.Gt) else left <= right)


def share(loss: Loss, every: Sequence[Loss]) -> float:
    """The share of the typical slack that one link makes."""
    total = sum(max(item.typical, 0.0) for item in every)
    return max(loss.typical, 0.0) / total if total > 0 and math.isfinite(total) else 0.0


# -- for the record ------------------------------------------------------------------------------------------


def proofs_of(claim: Claim, *, seed: int = 0) -> list[dict[str, Any]]:
    """The catalogue's derivations of a claim, or about it, with their waterfalls as plain data."""
    from bounds.derivations import DERIVATIONS

    return [_recorded(found, seed) for found in DERIVATIONS if claim.key in (found.proves, found.about)]


def _recorded(derivation: Derivation, seed: int) -> dict[str, Any]:
    found, tightest, _ = losses(derivation, seed=seed)
    by_name = {loss.name: loss for loss in found}
    return {
        "derivation": derivation.key,
        "title": derivation.title,
        "proves": bool(derivation.proves),
        "tightest": tightest.to_dict() if tightest else None,
        "links": [
            {
                "name": name,
                "statement": link.statement_text(),
                "by": derivation.lemmas[link.key],
                "slack": _slack(by_name[name]) if name in by_name else None,
            }
            for name, link in _steps(derivation)
        ],
    }


def _steps(derivation: Derivation) -> Iterator[tuple[str, Claim]]:
    return zip(derivation.names, derivation.claims, strict=True)


def _slack(loss: Loss) -> dict[str, Any]:
    return {"typical": loss.typical, "largest": loss.largest, "at_tightest": loss.at_tightest}
