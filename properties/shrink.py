"""Shrinking a violation to numbers that can be checked by hand, without losing the violation.

Plain shrinking stops at the edge of failure and hides its size; here every simplification must keep a stated
part of the logarithm of lhs/rhs.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from properties.assess import assess
from properties.cases import Case
from properties.population import PER_SPACE, Population
from properties.search import Effort, Found, climb
from properties.space import Gene, Space

__all__ = ["natural", "rounded", "simplified"]

_NATURAL = {
    "eigenvalues": (0.1, 10.0),
    "start_variances": (0.1, 10.0),
    "means": (0.0, 10.0),
    "start_means": (0.0, 10.0),
    "multiplicities": (0.0, 10.0),
    "T": (0.1, 10.0),
    "N": (1.0, 100.0),
    "delta": (1e-3, 1.0),
    "shift": (0.0, 1.0),
    "linear": (0.0, 1.0),
}
"""Magnitudes that a reader meets in practice."""


def _log_excess(score: float) -> float:
    return min(float(np.log(score)), 50.0) if score > 0 else -np.inf


def _score(space: Space, population: Population) -> np.ndarray:
    """Scores of all rows, minus infinity for rows that are not admissible."""
    tagged = population.with_columns(
        parameters={**population.parameters, "row": np.arange(len(population), dtype=float)}
    )
    result = assess(space.claim, tagged)
    scores = np.full(len(population), -np.inf)
    if len(result):
        scores[result.population.parameters["row"].astype(int)] = result.score
    return scores


def _significant(values: np.ndarray, digits: int) -> np.ndarray:
    return np.array([float(f"{value:.{digits - 1}e}") for value in values])


def _roundings(gene: Gene, row: Population, digits: tuple[int, ...]) -> list[Population]:
    values = gene.get(row)
    candidates = [gene.put(row, _significant(values, n)) for n in digits]
    return [c for c in candidates if not np.array_equal(gene.get(c), values)]


def _simplifications(gene: Gene, row: Population) -> list[Population]:
    value = float(gene.get(row)[0])
    targets: list[float] = []
    if gene.column in ("means", "start_means", "shift", "linear"):
        targets = [0.0, np.sign(value)]
    elif gene.column == "multiplicities":
        targets = [0.0, 1.0] if gene.space else [1.0]
    elif gene.column in ("eigenvalues", "start_variances", "T", "N"):
        targets = [1.0]
    power = float(10.0 ** np.rint(np.log10(abs(value)))) * np.sign(value) if value else 0.0
    wanted = [t for t in (*targets, power) if t != value]
    return [gene.put(row, np.array([t])) for t in wanted]


def _polished(space: Space, row: Population, keep: float, *, simplify: bool) -> Population:
    floor = keep * _log_excess(float(_score(space, row)[0]))
    if simplify:
        row = _kept(space, row, _single_spaces(row), floor)
    for _ in range(2 if simplify else 1):
        for gene in space.genes:
            options = (_simplifications(gene, row) if simplify else []) + _roundings(
                gene, row, (1, 2) if simplify else (2, 3)
            )
            row = _kept(space, row, options, floor)
    return row


def _kept(space: Space, row: Population, options: list[Population], floor: float) -> Population:
    """The first option whose score stays above the floor, or the row itself."""
    if not options:
        return row
    scores = _score(space, Population.concatenate(options))
    kept = [i for i, score in enumerate(scores) if _log_excess(float(score)) >= floor]
    return options[kept[0]] if kept else row


def _single_spaces(row: Population) -> list[Population]:
    """The row with one eigenspace only, for each of its eigenspaces."""
    options = []
    for b in range(row.multiplicities.shape[1]):
        if row.multiplicities[0, b] > 0:
            order = [b, *(i for i in range(row.multiplicities.shape[1]) if i != b)]
            columns = {name: getattr(row, name)[:, order] for name in PER_SPACE}
            columns["multiplicities"] = columns["multiplicities"] * np.array([1.0] + [0.0] * (len(order) - 1))
            options.append(row.with_columns(**columns))
    return options


def simplified(space: Space, row: Population) -> Case:
    """The simplest case near ``row`` that keeps half of the logarithm of the ratio."""
    return _case(space, _polished(space, row, 0.5, simplify=True))


def rounded(space: Space, row: Population) -> Case:
    """``row`` with its numbers rounded as far as 98% of the logarithm of the ratio allows."""
    return _case(space, _polished(space, row, 0.98, simplify=False))


def natural(space: Space, row: Population, rng: np.random.Generator, effort: Effort) -> Case | None:
    """The worst case among magnitudes that occur in practice, rounded; None if none of them violates the
    claim.
    """
    genes = tuple(_everyday(gene) for gene in space.genes)
    return _search_natural(replace(space, genes=genes), row, rng, effort)


def _everyday(gene: Gene) -> Gene:
    low, high = _NATURAL.get(gene.column, (gene.low, gene.high))
    return replace(gene, low=min(max(gene.low, low), gene.high), high=max(min(gene.high, high), gene.low))


def _search_natural(space: Space, row: Population, rng: np.random.Generator, effort: Effort) -> Case | None:
    for gene in space.genes:
        row = gene.put(row, gene.get(row))
    found = Found(space.claim, row.take([]), np.empty(0))
    found.note(assess(space.claim, row), keep=8)
    climb(space, found, rng, effort)
    if found.ratio <= 1.0:
        return None
    return _case(space, _polished(space, found.best.take([0]), 0.9, simplify=False))


def _case(space: Space, row: Population) -> Case:
    result = assess(space.claim, row)
    return result.population.case(0)
