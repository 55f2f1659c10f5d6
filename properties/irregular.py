"""Grids beyond the uniform and the half geometric one, for claims about any grid.

A claim that speaks of kappa, h_k <= kappa min(1, forward time after step k), is sharpest where every step
has equality. Such a grid and one of random times take the place of the grid of some random cases.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from properties.population import Population
from properties.space import STEPLESS, Space, draw

__all__ = ["balanced", "irregular"]

COUNT = 60
"""Cases of a sweep: half of them balanced."""


def balanced(kappa: float, stop: float, horizon: float) -> tuple[float, ...]:
    """Forward times from the first at or above the horizon down to ``stop``, every step kappa min(1, time
    after it).

    >>> [round(time, 6) for time in balanced(0.5, 0.8, 2.0)]
    [2.2, 1.7, 1.2, 0.8]
    """
    times = [stop]
    while times[-1] < horizon:
        times.append(times[-1] + kappa * min(1.0, times[-1]))
    return tuple(reversed(times))


def irregular(space: Space, rng: np.random.Generator) -> Population | None:
    """Random cases on balanced and on random grids; None unless the claim is about any grid."""
    claim = space.claim
    if claim.setup.grid != "any" or claim.setup.sampler in STEPLESS or "T" in claim.setup.ranges:
        return None
    rows = draw(space, rng, COUNT, 1)
    cases = []
    for i in range(COUNT):
        case = rows.case(i)
        if case.delta > 0 and i % 2 == 0:
            times = balanced(float(np.exp(rng.uniform(np.log(0.05), 0.0))), case.delta, case.T)
        else:
            inner = rng.uniform(case.delta, case.T, case.N - 1)
            times = (case.T, *np.sort(inner)[::-1].tolist(), case.delta)
        low, high = space.limits["N"]
        if low <= len(times) - 1 <= high and all(a > b for a, b in itertools.pairwise(times)):
            cases.append(replace(case, grid=times))
    return Population.of(cases, claim.setup, list(space.parameters)) if cases else None
