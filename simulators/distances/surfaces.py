"""Densities on the plane: a `Surface` for each kind of law, and the grid that carries two of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulators.plane.kernels import FLOOR, log_grid, zoom
from simulators.plane.mixture import PlaneMixture
from simulators.plane.propagate import Comb

__all__ = ["DEPTH", "NODES", "CombSurface", "MixtureSurface", "Surface", "frame"]

Array = NDArray[np.float64]

DEPTH = 42.0  # log density down to which q is integrated
NODES = 6_000_000
MARGIN = 14.0  # from the depth of a law up to where its density is accurate: what is left out is e^{-depth}
STRIDE = 0.17  # spacing at which a comb is summed, in its standard deviations; between, log p is interpolated


class Surface(Protocol):
    """A density on the plane."""

    @property
    def detail(self) -> float:
        """Length below which the density has no detail."""

    @property
    def trust(self) -> float:
        """Minus the log density above which the density is accurate."""

    @property
    def box(self) -> Array:
        """Rows (left, right) of a rectangle that carries the law."""

    def log_density(self, left: Array, dx: float, shape: tuple[int, int]) -> Array:
        """Log density on the grid left + dx (i, j), at least `FLOOR`."""


@dataclass(frozen=True, eq=False)
class MixtureSurface:
    """A mixture with a density."""

    mixture: PlaneMixture

    @property
    def detail(self) -> float:
        """See `Surface`."""
        return self.mixture.narrowest

    @property
    def trust(self) -> float:
        """See `Surface`."""
        return inf

    @property
    def box(self) -> Array:
        """See `Surface`."""
        return self.mixture.box(DEPTH)

    def log_density(self, left: Array, dx: float, shape: tuple[int, int]) -> Array:
        """See `Surface`."""
        out = np.empty(shape)
        log_grid(self.mixture.rows, float(left[0]), float(left[1]), dx, out)
        return out


@dataclass(frozen=True, eq=False)
class CombSurface:
    """The output of a sampler with noise; sums against other laws are kept."""

    comb: Comb
    sums: dict[tuple[int, float], Array] = field(default_factory=dict, repr=False)

    @property
    def detail(self) -> float:
        """See `Surface`."""
        return self.comb.smooth

    @property
    def trust(self) -> float:
        """See `Surface`."""
        return self.comb.depth - MARGIN

    @property
    def box(self) -> Array:
        """See `Surface`."""
        return self.comb.box

    def log_density(self, left: Array, dx: float, shape: tuple[int, int]) -> Array:
        """See `Surface`."""
        factor = max(1, int(STRIDE * self.comb.sd / dx))
        fewer = tuple(-(-(n - 1) // factor) + 1 for n in shape)
        density = self.comb.density((float(left[0]), float(left[1])), dx * factor, (fewer[0], fewer[1]))
        with np.errstate(divide="ignore"):
            values = np.maximum(np.log(density), FLOOR)
        if factor > 1:
            values = zoom(zoom(values, factor).T.copy(), factor).T.copy()
        return np.ascontiguousarray(values[: shape[0], : shape[1]])


def frame(q: PlaneMixture, law: Surface, dx: float, depth: float = DEPTH) -> tuple[Array, tuple[int, int]]:
    """The corner and the shape of a grid of this spacing that carries both laws, mixtures down to this
    depth.
    """
    own = law.mixture.box(depth) if isinstance(law, MixtureSurface) else law.box
    boxes = np.stack([q.box(depth), own])
    left, right = boxes[..., 0].min(axis=0), boxes[..., 1].max(axis=0)
    counts = np.ceil((right - left) / dx) + 1.0
    return left, (int(counts[0]), int(counts[1]))
