"""Step coefficients over intervals of step lengths: ranges of functions f(h)/h^p that are proved monotone.

The sign of d/dh (f/h^p), that is of g = h f' - p f, is that of e^{Jh} g, whose Taylor coefficients have one
sign for all the coefficients used here. The first coefficients are exact rationals; from then on one term
dominates the others.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import perm

import numpy as np
from numpy.typing import NDArray

from simulators.errors import NotDefined
from simulators.exppoly import E, ExpPoly, H

__all__ = ["step_range", "trend"]

Array = NDArray[np.float64]
CHECKED = 80  # Taylor coefficients looked at one by one


@lru_cache(maxsize=512)
def trend(f: ExpPoly, power: int = 0) -> int:
    """1 if f(h)/h^power increases on h > 0, -1 if it decreases, 0 if it is constant.

    Raises NotDefined if this test cannot tell.
    """
    g = H * f.derivative - power * f
    lowest = min((j for _, j in g.terms), default=0)
    g = g * E(-lowest)
    signs = {(c > 0) - (c < 0) for c in g.taylor(CHECKED)} - {0}
    if not g.terms:
        return 0
    if len(signs) == 1 and _settled(g, signs):
        return signs.pop()
    raise NotDefined("a coefficient of the step is not monotone in the step length")


def _settled(g: ExpPoly, signs: set[int]) -> bool:
    """Whether the Taylor coefficients from `CHECKED` on keep the sign: one term dominates, ever more so."""
    top = max(g.terms, key=lambda key: (key[1], key[0]))
    if top[1] == 0:
        return True  # a polynomial of low degree
    weights = {key: abs(_coefficient(g, key)) for key in g.terms}
    shrinks = all(_ratio(key) <= _ratio(top) for key in g.terms)
    lead = 1 if g.terms[top] > 0 else -1
    return shrinks and 2 * weights[top] > sum(weights.values()) and signs == {lead}


def _coefficient(g: ExpPoly, key: tuple[int, int]) -> Fraction:
    """What one term adds to m! times the Taylor coefficient of order m = CHECKED."""
    i, j = key
    return g.terms[key] * perm(CHECKED, i) * Fraction(j) ** (CHECKED - i)


def _ratio(key: tuple[int, int]) -> Fraction:
    """Growth of that contribution from one order to the next; ratios of two terms fall further from there."""
    i, j = key
    return Fraction(j * (CHECKED + 1), CHECKED + 1 - i)


def step_range(f: ExpPoly, power: int, h: Array) -> Array:
    """Intervals (2, n) of f(h)/h^power on intervals h (2, n), h > 0."""
    direction = trend(f, power)
    points, place = np.unique(h, return_inverse=True)
    value, error = f.bounded(points)
    scaled = value / points**power
    slack = np.abs(scaled) * (error + (8 + 4 * power) * 2.0**-52) * 1.01 + 1e-300
    low, high = (scaled - slack)[place].reshape(h.shape), (scaled + slack)[place].reshape(h.shape)
    if direction < 0:
        return np.stack([low[1], high[0]])
    return np.stack([low[0], high[1]])
