"""Quadrature in extended precision: the second road of integrals over the plane and over time.

Numbers are numpy's long doubles, with 64 bits of mantissa where the machine has them. Nothing here is shared
with the float64 rules of the first road: the order of integration, the nodes and the substitutions differ.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath as mp
import numpy as np
from numpy.typing import NDArray

from simulators.errors import NotDefined
from simulators.models.tools import Number, Values, gauss_legendre

__all__ = ["Extended", "long_values", "mean_of_lines", "mean_of_planes", "shares_of_time"]

Extended = NDArray[np.longdouble]
REACH = 12
"""Standard deviations: what lies beyond has mass below 1e-32."""

STEPS = (1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64)
FINE = (1 / 128, 1 / 256, 1 / 512)
"""Further steps, for integrands without a second axis."""

SETTLED = 1e-10
"""The rule squares its error with every halving: after such a change the next error is below 1e-18."""

ENDS = 27
"""Panels in time shrink by four towards both ends; beyond the last lies a share of 4^-27 = 6e-17."""


def long_values(p: Values) -> Values:
    """The parameters as long doubles; whole numbers stay whole."""
    return Values(
        **{name: v if isinstance(v, int) else np.longdouble(float(v)) for name, v in vars(p).items()}
    )


def mean_of_lines(g: Callable[[Extended], Extended], *, finer: bool = False) -> Number:
    """E g(Z) for a standard normal Z by the trapezoidal rule, as an mpmath number.

    g     : takes the nodes and returns the values at them.
    finer : go on to the steps of `FINE`. Raises NotDefined where the rule does not settle.
    """
    return _settled(lambda z, phi: (g(z) * phi).sum(), (*STEPS, *FINE) if finer else STEPS)


def mean_of_planes(g: Callable[[Extended, Extended], Extended]) -> Number:
    """E g(Z1, Z2) for independent standard normals, likewise; g broadcasts a column against a row."""
    return _settled(lambda z, phi: (g(z[:, None], z) * phi[:, None] * phi).sum(), STEPS)


def shares_of_time() -> tuple[Extended, Extended, Extended]:
    """Columns of nodes in (0, 1), of what is left to one, and of weights: Gauss-Legendre panels, shrinking
    towards both ends.
    """
    gone, weights = _panels()
    nodes = np.concatenate([gone, 1 - gone[::-1]])[:, None]
    left = np.concatenate([1 - gone, gone[::-1]])[:, None]
    return nodes, left, np.concatenate([weights, weights[::-1]])[:, None]


@cache
def _panels() -> tuple[Extended, Extended]:
    """Nodes and weights on (4^-ENDS, 1/2)."""
    edges = np.array([4.0**-k for k in range(ENDS, 0, -1)] + [0.5], dtype=np.longdouble)
    nodes, weights = (part.astype(np.longdouble) for part in gauss_legendre(16))
    half = (edges[1:] - edges[:-1])[:, None] / 2
    return (edges[:-1, None] + half * (1 + nodes)).ravel(), (half * weights).ravel()


def _settled(total: Callable[[Extended, Extended], Any], steps: tuple[float, ...]) -> Number:
    previous = None
    for step in steps:
        count = int(REACH / step)
        z = np.arange(-count, count + 1).astype(np.longdouble) * np.longdouble(step)
        phi = np.exp(-z * z / 2)
        value = total(z, phi / phi.sum())
        if previous is not None and abs(value - previous) <= SETTLED * abs(value):
            return mp.mpf(float(value)) + mp.mpf(float(value - np.longdouble(float(value))))
        previous = value
    raise NotDefined("an integral in extended precision does not settle")
