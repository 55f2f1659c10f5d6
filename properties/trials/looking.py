"""Looking at cases one by one: both sides of a claim, a random sweep, a climb, and suprema over growing
boxes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import mpmath as mp
import numpy as np
import sympy as sp

from bounds.claim import Claim
from bounds.render import text
from properties.admissible import EQUALITY_RTOL, raising, relations
from properties.assess import Sides
from properties.trials.road import Family, ScalarRoad, Trial, scalar
from simulators.enclosure import Enclosure
from simulators.errors import NotDefined

__all__ = [
    "ENDLESS",
    "GAIN",
    "ROUNDS",
    "SECOND_DIGITS",
    "Look",
    "Looked",
    "cancelled",
    "climb",
    "digits_of",
    "ladder",
    "look",
    "polish",
    "sweep",
]

SECOND_DIGITS = 40
_PATIENCE = 5

ROUNDS, GAIN = 6, 0.01
"""Most rounds of a climb from the worst case, and the least part that one has to add for another."""

ENDLESS = 1e3
"""A ratio beyond this grows along a ray until the ranges end, and is not pushed further."""

_ANYTHING = Enclosure.between(-np.inf, np.inf)

ENDS = 4
"""Of so many generations of a climb, one tries the ends of the ranges."""


@dataclass(frozen=True)
class Look:
    """Both sides of a claim on one case.

    failed : the first assumption that the case does not meet, or "" (then the sides have values).
    undefined : whether what failed is a quantity without a measure here.
    """

    claim: Claim
    case: Any
    lhs: Enclosure
    rhs: Enclosure
    failed: str = ""
    undefined: bool = False

    @cached_property
    def sides(self) -> Sides:
        """The sides as arrays of length one, with the words that decide."""
        return Sides(self.claim, _row(self.lhs), _row(self.rhs))

    @cached_property
    def score(self) -> float:
        """What the search pushes up; minus infinity for a case the claim does not speak of."""
        return -np.inf if self.failed else float(self.sides.score[0])

    @property
    def outcome(self) -> str:
        """One of below, above, touching, open and outside."""
        if self.failed:
            return "outside"
        sides = self.sides
        for word in ("below", "above", "touching"):
            if bool(getattr(sides, word)[0]):
                return word
        return "open"


def _row(value: Enclosure) -> Enclosure:
    return Enclosure(value.lo.reshape(1), value.hi.reshape(1), value.method, value.level)


def look(claim: Claim, case: Trial, road: ScalarRoad | None = None) -> Look:
    """Both sides on a case, in float enclosures.

    road : values of the case from an earlier look with the same setup and assumptions, to be used again.
    """
    road = case.floats(claim.score.average) if road is None else road
    try:
        with np.errstate(all="ignore"):
            _raise(claim, road)
            failed = next(_unmet(claim, case, road), "")
            if failed:
                return Look(claim, case, _ANYTHING, _ANYTHING, failed)
            return Look(claim, case, scalar(road.value(claim.lhs)), scalar(road.value(claim.rhs)))
    except NotDefined as error:
        return Look(claim, case, _ANYTHING, _ANYTHING, str(error), undefined=True)
    except ArithmeticError as error:  # a quadrature that failed: not the claim's fault, and not a pass
        return Look(claim, case, _ANYTHING, _ANYTHING, str(error), undefined=True)
    except ValueError:  # a logarithm of a negative number: the bound has no value
        return Look(claim, case, _ANYTHING, _ANYTHING, "the bound has a value")


def _raise(claim: Claim, road: ScalarRoad) -> None:
    for _, large, small in raising(claim):
        road.override(large, road.arithmetic.largest(road[large], road.value(small)))


def _unmet(claim: Claim, case: Trial, road: ScalarRoad) -> Iterator[str]:
    for name in (item for item in claim.assuming if isinstance(item, str)):
        if not case.predicate(name):
            yield name
    for rel in relations(claim):
        if not _met(rel, road):
            yield text(rel)


def _met(rel: sp.Rel, road: ScalarRoad) -> bool:
    left, right = scalar(road.value(rel.lhs)), scalar(road.value(rel.rhs))
    scale = max(abs(float(left.mid)), abs(float(right.mid)))
    if isinstance(rel, sp.Eq):
        gap = abs(float(left.mid) - float(right.mid))
        return bool(np.isfinite(scale) and gap <= EQUALITY_RTOL * scale)
    if isinstance(rel, sp.Ge | sp.Gt):
        left, right = right, left
    if isinstance(rel, sp.Lt | sp.Gt):
        return bool(left.hi < right.lo)
    known = float(left.width) + float(right.width) <= 1e-9 * scale
    return bool(left.hi <= right.lo or (known and left.lo <= right.hi))


def digits_of(claim: Claim, case: Trial) -> tuple[mp.mpf, mp.mpf]:
    """Both sides by the second road.

    Raises NotDefined where a quantity has none, ValueError where a side is not a real number.
    """
    with mp.workdps(SECOND_DIGITS):
        road = case.digits(claim.score.average)
        _raise(claim, road)
        left, right = +road.value(claim.lhs), +road.value(claim.rhs)
    if isinstance(left, mp.mpc) or isinstance(right, mp.mpc):
        raise ValueError("the second road takes a root or a logarithm of a negative number")
    return left, right


def cancelled(claim: Claim, case: Trial) -> mp.mpf:
    """What the second road may leave of two sides that are zero: 1e-30 of the largest of their summands."""
    with mp.workdps(SECOND_DIGITS):
        road = case.digits(claim.score.average)
        _raise(claim, road)
        summands = (*sp.Add.make_args(claim.lhs), *sp.Add.make_args(claim.rhs))
        return mp.mpf(10) ** -30 * max(abs(road.value(summand)) for summand in summands)


@dataclass
class Looked:
    """What a search has seen, best cases first, counts, and violations by numbers of ordinary size."""

    claim: Claim
    best: list[Look] = field(default_factory=list)
    tried: int = 0
    admissible: int = 0
    below: int = 0
    vacuous: int = 0
    undefined: int = 0
    unsettled: list[Look] = field(default_factory=list)
    failed: dict[str, int] = field(default_factory=dict)
    points: list[tuple[float, float]] = field(default_factory=list)
    mild: list[tuple[float, Look]] = field(default_factory=list)
    keep: int = 24

    def note(self, seen: Look) -> None:
        """Count a look and keep it if it is among the best."""
        self.tried += 1
        if seen.failed:
            self.failed[seen.failed] = self.failed.get(seen.failed, 0) + 1
            self.undefined += seen.undefined
            return
        self.admissible += 1
        outcome = seen.outcome
        self.below += outcome == "below"
        self.vacuous += bool(seen.sides.vacuous[0])
        if outcome in ("open", "touching") and len(self.unsettled) < 200:
            self.unsettled.append(seen)
        left, right = float(seen.lhs.mid), float(seen.rhs.mid)
        if len(self.points) < 200 and 0 < left < np.inf and 0 < right < np.inf:
            self.points.append((left, right))
        if outcome == "above" and left > 0 and right > 0 and np.isfinite(left + right):
            size = abs(float(np.log10(left))) + abs(float(np.log10(right)))
            self.mild = sorted([*self.mild, (size, seen)], key=lambda item: item[0])[:6]
        self.best = sorted([*self.best, seen], key=lambda item: -item.score)[: self.keep]

    @property
    def ratio(self) -> float:
        """The largest score seen."""
        return self.best[0].score if self.best else -np.inf


def sweep(
    claim: Claim, family: Family, rng: np.random.Generator, count: int, sharp: Sequence[Any] = ()
) -> Looked:
    """The sharp cases, then random ones; draws again while the assumptions leave too few."""
    found = Looked(claim)
    for case in sharp:
        found.note(look(claim, case))
    for _ in range(_PATIENCE):
        for case in family.draw(rng, count):
            found.note(look(claim, case))
            if found.admissible >= count:
                return found
        if found.undefined == found.tried:
            break
    return found


def climb(
    claim: Claim,
    family: Family,
    found: Looked,
    rng: np.random.Generator,
    *,
    parents: int,
    generations: int,
    offspring: int,
) -> None:
    """Push the best cases up by random moves, with steps that shrink where nothing is gained; now and then
    the numbers of the best case go, one after the other, to the ends of their ranges, and the rest wait.
    """
    leaders = _apart(found.best, parents)
    spreads = [0.7] * len(leaders)
    for generation in range(generations):
        ends = family.ends if generation % ENDS == 1 else ()
        for i, leader in enumerate(leaders):
            if not np.isfinite(leader.score) or (ends and leader is not max(leaders, key=_score)):
                continue
            for end in ends or (None,) * offspring:
                at = leaders[i].case
                case = family.put(at, *end) if end else family.moved(at, rng, spreads[i])
                if case is None:
                    continue
                seen = look(claim, case)
                found.note(seen)
                if seen.score > leaders[i].score * (1 + 1e-9):
                    leaders[i] = seen
            if ends:
                continue
            improved = leaders[i].score > leader.score
            spreads[i] = min(1.5, spreads[i] * 1.2) if improved else max(1e-4, spreads[i] * 0.6)


def polish(claim: Claim, family: Family, found: Looked, rng: np.random.Generator, *, offspring: int) -> None:
    """Push the worst case up until a round of a climb gains nothing to speak of."""
    for _ in range(ROUNDS):
        before = found.ratio
        if not np.isfinite(before):
            return
        climb(claim, family, found, rng, parents=1, generations=8, offspring=offspring)
        if found.ratio <= (1.0 + GAIN) * before:
            return


def _score(seen: Look) -> float:
    return seen.score


def _apart(best: Sequence[Look], count: int) -> list[Look]:
    """The best cases, at most two with (nearly) the same score."""
    chosen: list[Look] = []
    for seen in best:
        same = sum(bool(np.isclose(other.score, seen.score, rtol=1e-6, atol=0.0)) for other in chosen)
        if same < 2:
            chosen.append(seen)
        if len(chosen) == count:
            break
    return chosen


def ladder(
    claim: Claim,
    family: Family,
    found: Looked,
    rng: np.random.Generator,
    *,
    rungs: int,
    offspring: int,
    thorough: bool = False,
) -> list[Look]:
    """The worst cases seen in boxes of growing shares of the ranges; ``found`` collects all of it.

    thorough : whether each box is searched until nothing is gained.
    """
    tops: list[Look] = []
    for rung in range(1, rungs + 1):
        inner = family.within(rung / rungs)
        cut = [inner.clipped(seen.case) for seen in found.best[:2]]
        local = sweep(claim, inner, rng, 4 * offspring, [case for case in cut if case is not None])
        climb(claim, inner, local, rng, parents=2, generations=8, offspring=offspring)
        if thorough:
            polish(claim, inner, local, rng, offspring=offspring)
        for seen in local.best:
            found.note(seen)
        tops.append(max([*local.best[:1], *tops[-1:]], key=lambda seen: seen.score, default=found.best[0]))
    return tops
