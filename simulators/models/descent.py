"""Numerics of gradient descent on the denoising loss of two symmetric Gaussians, from any start.

The means move in the plane of the start and the teacher. First road: the gradient's coefficients along the
student and the teacher, one integral each, in float64. Second road: the gradient as a vector, by integrals
over the plane in extended precision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mpmath as mp
import numpy as np

from simulators.enclosure import Enclosure
from simulators.errors import NotDefined
from simulators.models.extended import Extended, long_values
from simulators.models.tools import Array, Number, Numerics, Values

__all__ = ["MODELS"]

NEAR = 0.1
"""Of the teacher's length: the distance at which it counts as found."""

MOST = 20_000
TIE = 1e-7
"""Relative doubt in the distance: where it decides, both answers are kept."""

Point = tuple[Any, Any]
"""Components along the teacher and across it."""


def _nodes(step: float, kind: Any) -> tuple[Any, Any]:
    """Nodes and weights of the trapezoidal rule for a standard normal, over nine deviations."""
    count = int(9 / step)
    z = np.arange(-count, count + 1).astype(kind) * kind(step)
    phi = np.exp(-z * z / 2)
    return z, phi / phi.sum()


def _first_below(p: Values, move: Callable[[Point], Point], *near: float) -> list[int]:
    """The numbers of steps after which the mean is within so many teachers of the teacher, the largest
    distance first.
    """
    across = np.sqrt(max(0.0, 1 - float(p.overlap) ** 2))
    point: Point = (p.student * p.overlap, p.student * across)
    found: list[int] = []
    for n in range(MOST):
        distance = np.hypot(point[0] - p.teacher, point[1])
        while distance <= near[len(found)] * p.teacher:
            found.append(n)
            if len(found) == len(near):
                return found
        point = move(point)
    raise NotDefined(f"the teacher is not found in {MOST} steps")


def _by_coefficients(p: Values) -> Callable[[Point], Point]:
    z, phi = _nodes(1 / 16, np.float64)

    def move(point: Point) -> Point:
        along, across = point
        size = float(np.hypot(along, across))
        u: Array = p.teacher * along + size * z
        t = np.tanh(u)
        slope = 1 - t * t
        own = phi @ (t * t + 2 * u * t * slope + size**2 * slope * (2 * t * t - slope))
        other = -(phi @ (size**2 * t * slope + t + u * slope))
        return along - p.rate * (own * along + other * p.teacher), across * (1 - p.rate * own)

    return move


def _by_plane(q: Values) -> Callable[[Point], Point]:
    z, phi = _nodes(1 / 4, np.longdouble)
    x, y = q.teacher + z[:, None], z
    weights = phi[:, None] * phi

    def move(point: Point) -> Point:
        along, across = point
        square = along**2 + across**2
        u: Extended = along * x + across * y
        t = np.tanh(u)
        slope = 1 - t * t
        pull = weights * (square * t * slope + t + u * slope)
        shrink = 2 - (weights * t * t).sum()
        return (
            along - q.rate * (shrink * along - (pull * x).sum()),
            across - q.rate * (shrink * across - (pull * y).sum()),
        )

    return move


def _steps(p: Values) -> Enclosure:
    low, high = map(float, _first_below(p, _by_coefficients(p), NEAR * (1 + TIE), NEAR * (1 - TIE)))
    return Enclosure.between(low, high, "gradient descent by quadrature", "deterministic")


def _steps_by_plane(p: Values) -> Number:
    q = long_values(p)
    return mp.mpf(_first_below(q, _by_plane(q), NEAR)[0])


DESCENT = Numerics(integrals={"descent_steps": _steps}, other={"descent_steps": _steps_by_plane})

MODELS: Mapping[str, Numerics] = {"descent": DESCENT}
