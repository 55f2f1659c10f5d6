"""Log-likelihood ratios between two laws of a case on a line, a plane or a radius, for products."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from simulators.distances.line import MixtureChart, Side
from simulators.distances.products import FINER, Ratio, line_ratio, plane_ratio
from simulators.distances.surfaces import MixtureSurface
from simulators.errors import InputError, NotDefined
from simulators.line.checks import FoldFound
from simulators.line.outcome import LineOutcome
from simulators.line.scores import Mixture
from simulators.phase.joint import JointOutcome
from simulators.plane.outcome import PlaneOutcome
from simulators.radial.outcome import RadialOutcome

__all__ = ["NoRatio", "density_noise", "outcome_ratios"]

Outcome: TypeAlias = LineOutcome | JointOutcome | PlaneOutcome | RadialOutcome

EXACT = 1e-13  # relative rounding error of the density of a mixture


class NoRatio(ValueError):
    """One of the laws is singular: the two have no density ratio, and their total variation is 1."""


def density_noise(outcome: Outcome, first: str | float) -> float:
    """Relative rounding error of the density of the first law."""
    if first != "output":
        return EXACT
    return outcome.output.noise if isinstance(outcome, LineOutcome) else outcome.problem.noise


def outcome_ratios(outcome: Outcome, first: str | float, second: str | float) -> tuple[Ratio, Ratio]:
    """The ratio of the first law (which may be the output) to the second, on its best grid and a coarser one.

    Raises NoRatio where the second is carried by atoms, NotDefined where a grid does not carry both laws.
    """
    try:
        if isinstance(outcome, LineOutcome):
            return _on_the_line(outcome, first, second)
        if isinstance(outcome, PlaneOutcome | JointOutcome):
            return _on_the_plane(outcome, first, second)
        fine, coarse = outcome.ratios(first, second)
        return Ratio(*fine), Ratio(*coarse)
    except (InputError, FoldFound) as error:
        raise NotDefined(f"a density ratio between {first!r} and {second!r}: {error}") from error


def _on_the_line(outcome: LineOutcome, first: str | float, second: str | float) -> tuple[Ratio, Ratio]:
    mixture = outcome.law(second)
    assert isinstance(mixture, Mixture)
    q = Side(mixture)
    _refuse_atoms(bool(np.any(mixture.variances == 0)), bool(np.all(mixture.variances == 0)))
    law = outcome.law(first)
    if isinstance(law, Mixture):
        p = Side(law)
        _refuse_atoms(p.has_atoms, bool(np.all(law.variances == 0)))
        chart = MixtureChart(p, np.unique(np.concatenate([p.around(1.0), q.around(1.0)])))
        return line_ratio(q, chart), line_ratio(q, chart, FINER)
    charts = law.charts(q.around(1.0))
    return line_ratio(q, charts[0]), line_ratio(q, charts[-1], FINER)


def _on_the_plane(
    outcome: PlaneOutcome | JointOutcome, first: str | float, second: str | float
) -> tuple[Ratio, Ratio]:
    q = outcome.law(second)
    _refuse_atoms(not q.narrowest > 0, bool(np.all(q.variances == 0)))
    if first == "output" and isinstance(outcome, PlaneOutcome) and outcome.problem.deterministic:
        raise NotDefined("TV of a product with a deterministic sampler on a plane: its law has no grid")
    if first == "output":
        fine, coarse = outcome.surfaces
        return plane_ratio(q, fine), plane_ratio(q, coarse, FINER)
    p = outcome.law(first)
    _refuse_atoms(not p.narrowest > 0, bool(np.all(p.variances == 0)))
    return plane_ratio(q, MixtureSurface(p)), plane_ratio(q, MixtureSurface(p), FINER)


def _refuse_atoms(some: bool, all_of_them: bool) -> None:
    if all_of_them:
        raise NoRatio("mutually singular")
    if some:
        raise NotDefined("TV against a law with both atoms and a density: expected one or the other")
