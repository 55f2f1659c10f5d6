"""Charts: variables in which integrals over a law on the line are taken."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Accurate", "Chart"]

Array = NDArray[np.float64]


class Chart(Protocol):
    """A variable t in which integrals over a law are taken: y = y(t)."""

    @property
    def edges(self) -> Array:
        """Panel ends in t, increasing."""

    def nodes(self, t: Array) -> tuple[Array, Array, Array]:
        """(y, log |dy/dt|, log density of the law at y)."""

    def tails(self, t: Array, y: Array) -> tuple[Array, Array]:
        """Distribution function of the law at y(t), and its complement."""

    @property
    def zones(self) -> Array | None:
        """Intervals in t, rows (left, right), outside which the density is not accurate; None: everywhere."""

    def ceiling(self, y: Array, logp: Array) -> Array:
        """Log of a bound of the density at y where it is not known, ``logp`` where it is."""

    def lost(self, y: Array, log_slope: Array, logp: Array) -> Array | None:
        """Relative error of the density at y from what was left out of its tails, or from rounding that a
        steep map enlarges; None where there is none.
        """


class Accurate:
    """What charts share whose densities are accurate wherever they are not zero."""

    def lost(self, y: Array, log_slope: Array, logp: Array) -> Array | None:
        """See `Chart`."""
        return None

    def ceiling(self, y: Array, logp: Array) -> Array:
        """See `Chart`."""
        return logp
