"""Assumptions: which cases a claim speaks of.

Relations are checked on the measured constants; a lower bound on L or kappa raises the constant instead (any
larger Lipschitz constant is one), and an equation with a bare parameter on its left is solved by assignment.
Predicates are checked on the target itself.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from bounds.claim import Claim
from bounds.notation import NOTATION
from bounds.render import text
from properties.evaluate import FLOATS, evaluate
from properties.measures import Measures
from properties.population import Population
from simulators.enclosure import Enclosure

__all__ = ["RAISED", "admissible", "assignments", "raise_constants", "raising", "relations", "solved"]

Mask = NDArray[np.bool_]

RAISED = ("L", "kappa")
"""Constants of which any larger value serves as well."""

EQUALITY_RTOL = 1e-9
"""An assumed equality counts as met within this relative distance: parameters are floats, so exact equality
is not to be had.
"""


def relations(claim: Claim) -> list[sp.Rel]:
    """The relational assumptions, except those that only raise a constant or fix a parameter."""
    skip = {id(rel) for rel in (*(item[0] for item in raising(claim)), *assignments(claim))}
    return [rel for rel in claim.assuming if isinstance(rel, sp.Rel) and id(rel) not in skip]


def assignments(claim: Claim) -> list[sp.Eq]:
    """Assumptions of the form parameter == expression, with the parameter bare on the left and absent on the
    right.
    """
    found = []
    for rel in claim.assuming:
        if (
            isinstance(rel, sp.Eq)
            and isinstance(rel.lhs, sp.Symbol)
            and rel.lhs not in rel.rhs.free_symbols
            and _is_parameter(rel.lhs.name)
        ):
            found.append(rel)
    return found


def _is_parameter(name: str) -> bool:
    return name not in NOTATION or NOTATION[name].role == "parameter"


def raising(claim: Claim) -> list[tuple[sp.Rel, sp.Symbol, sp.Expr]]:
    """Assumptions that only ask a constant to be large, as (relation, constant, lower bound)."""
    found = []
    for rel in claim.assuming:
        if isinstance(rel, sp.Ge | sp.Gt | sp.Le | sp.Lt):
            large, small = (rel.lhs, rel.rhs) if isinstance(rel, sp.Ge | sp.Gt) else (rel.rhs, rel.lhs)
            if isinstance(large, sp.Symbol) and large.name in RAISED and large not in small.free_symbols:
                found.append((rel, large, small))
    return found


def raise_constants(claim: Claim, measures: Measures) -> None:
    """Lift L and kappa to the lower bounds that the claim assumes of them."""
    for _, large, small in raising(claim):
        measures.override(large, measures[large].maximum(evaluate(small, measures, FLOATS)))


def solved(claim: Claim, population: Population) -> Population:
    """The population with the parameters that equations fix; rows where the value is not a positive finite
    number get NaN there.
    """
    for rel in assignments(claim):
        measures = Measures(claim, population)
        raise_constants(claim, measures)
        with np.errstate(all="ignore"):
            value = np.broadcast_to(evaluate(rel.rhs, measures, FLOATS).mid, (len(population),)).astype(
                np.float64
            )
        population = _assign(population, rel.lhs.name, value)
    return population


def _assign(population: Population, name: str, value: NDArray[np.float64]) -> Population:
    if name == "N":
        return population.with_columns(N=np.maximum(np.rint(np.where(np.isfinite(value), value, 1.0)), 1.0))
    if name == "d":
        counts = np.maximum(np.rint(value), 1.0)
        rest = population.multiplicities.copy()
        rest[:, 1:] = 0.0
        rest[:, 0] = counts
        return population.with_columns(multiplicities=rest)
    if name in ("T", "delta"):
        valid = np.isfinite(value) & (value > 0)
        column = np.where(valid, value, getattr(population, name))
        marks = dict(population.parameters)
        marks["invalid"] = marks.get("invalid", np.zeros(len(population))) + ~valid
        return population.with_columns(**{name: column}, parameters=marks)
    if name == "v":
        return population.with_columns(
            eigenvalues=np.broadcast_to(value[:, None], population.eigenvalues.shape).copy()
        )
    return population.with_columns(parameters={**population.parameters, name: value})


def admissible(claim: Claim, population: Population, measures: Measures) -> tuple[Mask, dict[str, int]]:
    """Which rows meet every assumption, and how many rows each assumption lets through on its own.

    ``measures`` must already hold the raised constants.
    """
    mask = np.ones(len(population), dtype=bool)
    counts: dict[str, int] = {}
    if "invalid" in population.parameters:
        mask &= population.parameters["invalid"] == 0
    for name in (item for item in claim.assuming if isinstance(item, str)):
        met = _PREDICATES[name](population)
        counts[name] = int(met.sum())
        mask &= met
    for rel in relations(claim):
        met = _met(rel, measures, len(population))
        counts[text(rel)] = int(met.sum())
        mask &= met
    return mask, counts


def _met(rel: sp.Rel, measures: Measures, size: int) -> Mask:
    with np.errstate(all="ignore"):
        try:
            left, right = evaluate(rel.lhs, measures, FLOATS), evaluate(rel.rhs, measures, FLOATS)
        except (
            ValueError
        ):  # a logarithm of a negative number: the assumption has no meaning on some row, so ask row by row
            return np.array([_row_met(rel, measures, i) for i in range(size)])
    return np.broadcast_to(_compare(rel, left, right), (size,))


def _row_met(rel: sp.Rel, measures: Measures, i: int) -> bool:
    row = Measures(measures.claim, measures.population.take([i]))
    raise_constants(measures.claim, row)
    try:
        left, right = evaluate(rel.lhs, row, FLOATS), evaluate(rel.rhs, row, FLOATS)
    except ValueError:
        return False
    return bool(np.all(_compare(rel, left, right)))


def _compare(rel: sp.Rel, left: Enclosure, right: Enclosure) -> Mask:
    if isinstance(rel, sp.Eq):
        scale = np.maximum(np.abs(left.mid), np.abs(right.mid))
        return np.asarray(np.abs(left.mid - right.mid) <= EQUALITY_RTOL * scale)
    if isinstance(rel, sp.Ge | sp.Gt):
        left, right = right, left
    strict = isinstance(rel, sp.Lt | sp.Gt)
    if strict:
        return np.asarray(left.hi < right.lo)
    sharp = (left.width <= 1e-9 * np.abs(left.mid)) & (right.width <= 1e-9 * np.abs(right.mid))
    touching = (left.lo <= right.hi) & sharp & np.isfinite(left.hi) & np.isfinite(right.hi)
    return np.asarray((left.hi <= right.lo) | touching)


def _real(population: Population) -> Mask:
    return population.multiplicities > 0


def _all(population: Population, condition: Mask) -> Mask:
    return np.asarray(np.all(condition | ~_real(population), axis=1))


def _isotropic(population: Population) -> Mask:
    real = _real(population)
    lam = population.eigenvalues
    high = np.where(real, lam, -np.inf).max(axis=1)
    low = np.where(real, lam, np.inf).min(axis=1)
    return np.asarray(high == low)


_PREDICATES: dict[str, Callable[[Population], Mask]] = {
    "centred": lambda p: _all(p, p.means == 0),
    "covariance-identity": lambda p: _all(p, p.eigenvalues == 1),
    "covariance-trace<=d": lambda p: np.asarray((p.multiplicities * (p.eigenvalues - 1)).sum(axis=1) <= 0),
    "same-covariance": lambda p: _all(p, p.start_variances == p.eigenvalues),
    "isotropic": _isotropic,
    "one-dimensional": lambda p: np.asarray(p.dimension == 1),
    "density": lambda p: _all(p, p.eigenvalues > 0),
    "standard": lambda p: _all(p, (p.eigenvalues == 1) & (p.means == 0)),
    "shift-error": lambda p: _all(p, p.linear == 0),
}
