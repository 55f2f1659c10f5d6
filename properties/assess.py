"""A claim on a population: both sides as enclosures, and which rows the claim speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from bounds.claim import Claim
from bounds.notation import symbol
from bounds.quantity import Iterate
from properties.admissible import (
    MOVED,
    RAISED,
    admissible,
    leeway,
    raise_constants,
    relations,
    scaled,
    solved,
)
from properties.evaluate import FLOATS, evaluate
from properties.measures import Measures
from properties.population import Population
from simulators.enclosure import Enclosure, weaker
from simulators.errors import NotDefined

__all__ = ["Assessment", "Sides", "assess", "standing", "trivial_limit"]

Array = NDArray[np.float64]
_NOTHING = Enclosure(np.empty(0), np.empty(0))

EQUAL = 1e-12
"""Relative gap up to which the float enclosures of the two sides of an equality do not contradict it."""

TREMOR = 1e-9
"""Decades by which a case is moved where an equality is assumed up to `EQUALITY_RTOL`."""

TRIVIAL = {"TV": 1.0, "Hellinger": 1.0}
"""Largest value that a quantity can take whatever the laws: a bound above it says nothing."""


@dataclass(frozen=True)
class Sides:
    """Both sides of a claim on some of its admissible cases, as enclosures (C,)."""

    claim: Claim
    lhs: Enclosure
    rhs: Enclosure

    def __len__(self) -> int:
        return int(self.lhs.lo.shape[0])

    @property
    def below(self) -> NDArray[np.bool_]:
        """Rows on which the relation is certain."""
        match self.claim.relation:
            case "<=":
                return np.asarray(self.lhs.hi <= self.rhs.lo)
            case ">=":
                return np.asarray(self.lhs.lo >= self.rhs.hi)
        with np.errstate(invalid="ignore"):  # infinite sides have no difference
            spread = np.maximum(self.lhs.hi, self.rhs.hi) - np.minimum(self.lhs.lo, self.rhs.lo)
        within = leeway(self.claim)
        close = spread <= max(1e-9, 2 * within) * self._scale
        return np.asarray(close & (self._gap <= max(EQUAL, within) * self._scale))

    @property
    def above(self) -> NDArray[np.bool_]:
        """Rows on which the relation certainly fails."""
        within = leeway(self.claim)
        match self.claim.relation:
            case "<=":
                return _exceeds(self.lhs, self.rhs, within)
            case ">=":
                return _exceeds(self.rhs, self.lhs, within)
        finite = np.isfinite(self.lhs.hi) & np.isfinite(self.rhs.hi)  # infinite sides have no difference
        return np.asarray(finite & (self._gap > max(EQUAL, within) * self._scale))

    @cached_property
    def _scale(self) -> Array:
        return np.asarray(np.maximum(np.abs(self.lhs.mid), np.abs(self.rhs.mid)))

    @cached_property
    def _gap(self) -> Array:
        """By how much the two enclosures miss each other; NaN between infinite sides."""
        with np.errstate(invalid="ignore"):
            return np.asarray(
                np.maximum(np.maximum(self.lhs.lo - self.rhs.hi, self.rhs.lo - self.lhs.hi), 0.0)
            )

    @property
    def touching(self) -> NDArray[np.bool_]:
        """Undecided rows on which both sides agree to nine digits."""
        with np.errstate(invalid="ignore"):
            spread = np.maximum(self.lhs.hi, self.rhs.hi) - np.minimum(self.lhs.lo, self.rhs.lo)
            near = spread <= max(1e-9, 2 * leeway(self.claim)) * self._scale + 1e-300
            return np.asarray(~self.below & ~self.above & near)

    @cached_property
    def vacuous(self) -> NDArray[np.bool_]:
        """Rows on which the bound says nothing: infinite, or at least the most that the left side can be."""
        limit = trivial_limit(self.claim)
        return np.asarray(
            (self.rhs.lo >= limit * (1 - 1e-12))
            if self.claim.relation == "<="
            else np.zeros(len(self), dtype=bool)
        )

    @cached_property
    def score(self) -> Array:
        """What the search pushes up, (C,): a ratio that a true claim keeps at or below one, taken at its
        certain end.

        For "<=" the ratio lhs/rhs, for ">=" rhs/lhs, for "==" one plus the relative gap.
        """
        small, large = (self.lhs, self.rhs) if self.claim.relation != ">=" else (self.rhs, self.lhs)
        with np.errstate(all="ignore"):
            if self.claim.relation == "==":
                gap = self._gap / self._scale
                ratio = 1.0 + np.where(gap <= EQUAL, 0.0, gap)
            else:
                ratio = np.where(
                    large.hi > 0, small.lo / large.hi, np.where(small.lo > large.hi, np.inf, -np.inf)
                )
        if leeway(self.claim):
            ratio = np.where((ratio > 1.0) & ~self.above, 1.0, ratio)
        return np.where(np.isnan(ratio), -np.inf, ratio)


def _exceeds(large: Enclosure, small: Enclosure, within: float) -> NDArray[np.bool_]:
    """Where one side is certainly larger than the other, by more than that relative distance."""
    with np.errstate(all="ignore"):
        over = large.lo > small.hi
        return np.asarray(over & ~(large.lo - small.hi <= within * np.abs(small.hi)) if within else over)


@dataclass(frozen=True)
class Assessment(Sides):
    """Both sides of a claim on the admissible rows of a population.

    population : the rows that meet every assumption, with raised constants among their parameters.
    tried      : rows before the assumptions were looked at.
    passed     : rows that each assumption lets through on its own.
    terms      : of a right side with a stated constant and several terms, each as an enclosure (C,).
    """

    population: Population
    tried: int
    passed: dict[str, int]
    terms: tuple[Enclosure, ...] = ()

    @cached_property
    def pressures(self) -> Array:
        """For each term, (K, C): the share of it that the left side takes beyond what the other terms pay,
        (lhs - the others)/term, at its certain end.

        It exceeds one exactly where the claim is violated, and unlike lhs/rhs it still moves where one term
        outweighs all others on both sides.
        """
        with np.errstate(all="ignore"):
            total = sum((term.hi for term in self.terms), start=np.zeros(len(self)))
            rows = [(self.lhs.lo - (total - term.hi)) / term.hi for term in self.terms]
            slack = 4e-16 * len(self.terms) * total  # rounding of the sums
            rows = [row - slack / term.hi for row, term in zip(rows, self.terms, strict=True)]
        return np.array([np.where(np.isfinite(row), row, -np.inf) for row in rows])


def trivial_limit(claim: Claim) -> float:
    """The largest value that the left side can take whatever the laws; infinite unless it is a bounded
    distance.
    """
    lhs = claim.lhs
    power = 1.0
    if isinstance(lhs, sp.Pow) and lhs.exp.is_number:
        lhs, power = lhs.base, float(lhs.exp)
    name = getattr(getattr(lhs, "spec", None), "name", "")
    return TRIVIAL[name] ** power if name in TRIVIAL else float("inf")


def assess(claim: Claim, population: Population) -> Assessment:
    """Both sides of the claim on those rows of the population that it speaks of.

    Rows whose bound has no value (a logarithm of a negative number) are not admissible.
    """
    tried = len(population)
    population = solved(claim, _without_raised(claim, population))
    if any(expr.has(Iterate) for expr in claim.expressions):  # the rows that a recursion ends on come first
        population = population.take(np.argsort(population.N, kind="stable"))
    return replace(_assess(claim, population), tried=tried)


def _assess(claim: Claim, population: Population) -> Assessment:
    measures = Measures(claim, population)
    raise_constants(claim, measures)
    mask, passed = admissible(claim, population, measures)
    kept = _with_raised(claim, population, measures).take(mask)
    (lhs, rhs, *terms), valued = _sides(claim, kept, measures.of(kept, mask))
    if not bool(np.all(valued)):
        kept = kept.take(valued)
    return _steady(Assessment(claim, lhs, rhs, kept, len(population), passed, tuple(terms)))


def _steady(found: Assessment) -> Assessment:
    """The rows without violations that only the tolerance of an assumed equality makes."""
    if not any(isinstance(rel, sp.Eq) for rel in relations(found.claim)) or not found.above.any():
        return found
    kept = ~found.above
    kept[~kept] = standing(found.claim, found.population.take(found.above))
    return replace(
        found,
        lhs=found.lhs[kept],
        rhs=found.rhs[kept],
        terms=tuple(term[kept] for term in found.terms),
        population=found.population.take(kept),
    )


def standing(claim: Claim, population: Population) -> NDArray[np.bool_]:
    """Rows on which the difference of the sides is ten times what a move of the case within the tolerance of
    an assumed equality does to it, (C,): a claim may be true at the equality and nowhere else.
    """
    moves = [(column, sign * TREMOR) for column in MOVED for sign in (-1.0, 1.0)]
    moved = [scaled(population, column, decades) for column, decades in moves]
    rows = Population.concatenate([population.with_columns(), *moved])
    places = {"place": np.arange(float(len(rows)))}
    bare = claim.but(claim.key.split("/")[1], assuming=())
    result = assess(bare, rows.with_columns(parameters={**rows.parameters, **places}))
    gaps = np.full(len(rows), np.nan)
    with np.errstate(invalid="ignore"):
        gaps[result.population.parameters["place"].astype(int)] = result.lhs.mid - result.rhs.mid
        own, others = np.split(gaps.reshape(-1, len(population)), [1])
        near = np.isnan(others) | (np.abs(others - own) <= 0.1 * np.abs(own))
    return np.asarray(near.all(axis=0) & np.isfinite(others).any(axis=0) & np.isfinite(own[0]))


def _without_raised(claim: Claim, population: Population) -> Population:
    """Forget constants that an earlier assessment raised: a moved row has its own."""
    if claim.setup.sampler in ("dpum", "dpom"):  # there L is an option of the sampler
        return population
    return replace(
        population,
        parameters={name: values for name, values in population.parameters.items() if name not in RAISED},
    )


def _with_raised(claim: Claim, population: Population, measures: Measures) -> Population:
    names = {s.name for s in claim.symbols}
    raised = {}
    for name in RAISED:
        overridden = measures._known.get(symbol(name))
        if name in names and overridden is not None:
            plain = measures.plain(symbol(name))
            raised[name] = np.where(
                overridden.hi > plain.hi,
                overridden.hi,
                population.parameters.get(name, np.zeros(len(population))),
            )
    if not raised and "invalid" not in population.parameters:
        return population
    parameters = {name: values for name, values in population.parameters.items() if name != "invalid"}
    given = {
        i: case.but(parameters={**case.parameters, **{k: float(v[i]) for k, v in raised.items() if v[i] > 0}})
        for i, case in population.given.items()
    }
    return replace(population, parameters={**parameters, **raised}, given=given)


def _sides(
    claim: Claim, population: Population, measures: Measures
) -> tuple[list[Enclosure], NDArray[np.bool_]]:
    """Both sides, and the terms, on the rows where they have a value, and which rows these are; the others
    are found by halving.
    """
    everything = np.ones(len(population), dtype=bool)
    expressions = _expressions(claim)
    if not len(population):
        return [_NOTHING] * len(expressions), everything
    try:
        return _evaluate(expressions, measures), everything
    except ValueError as error:
        if isinstance(error, NotDefined):
            raise
    if len(population) == 1:
        return [_NOTHING] * len(expressions), ~everything
    middle = len(population) // 2
    parts = [population.take(rows) for rows in np.split(np.arange(len(population)), [middle])]
    (first, some), (second, others) = (_sides(claim, part, Measures(claim, part)) for part in parts)
    stacked = [_stack([top, bottom]) for top, bottom in zip(first, second, strict=True)]
    return stacked, np.concatenate([some, others])


@lru_cache(maxsize=16)
def _expressions(claim: Claim) -> list[sp.Expr]:
    """Both sides; then the terms, where there are several and their constant is stated."""
    separate = claim.is_stated and claim.relation == "<=" and len(claim.terms) > 1
    terms = [claim.constant * term for term in claim.terms.values()] if separate else []
    return [claim.lhs, claim.rhs, *terms]


def _evaluate(expressions: Sequence[sp.Expr], measures: Measures) -> list[Enclosure]:
    with np.errstate(all="ignore"):
        sides = [evaluate(expr, measures, FLOATS) for expr in expressions]
    shape = (len(measures.population),)
    return [
        Enclosure(np.broadcast_to(s.lo, shape), np.broadcast_to(s.hi, shape), s.method, s.level)
        for s in sides
    ]


def _stack(parts: list[Enclosure]) -> Enclosure:
    return Enclosure(
        np.concatenate([p.lo for p in parts]),
        np.concatenate([p.hi for p in parts]),
        parts[0].method,
        weaker(*(p.level for p in parts)),
    )
