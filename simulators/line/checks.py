"""Checks of propagated laws: mass, range and poles. Each raises what it found; callers refine and retry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MASS_TOLERANCE",
    "FoldFound",
    "LineError",
    "MassLost",
    "PoleTooClose",
    "RangeTooSmall",
    "TooMuchWork",
    "check_mass",
    "check_pole",
    "check_range",
    "first_pair",
]

Array = NDArray[np.float64]
Run = TypeVar("Run")
MASS_TOLERANCE = 1e-12


class LineError(ArithmeticError):
    """A law on the line that the grid in use does not resolve."""


class MassLost(LineError):
    """The mass of a law is not 1: its quadrature is too coarse, or its range too small."""


class FoldFound(LineError):
    """A map taken for monotone turns, at the starting points ``at``."""

    def __init__(self, at: Array) -> None:
        super().__init__(f"at={at.tolist()!r}: expected a map that does not turn")
        self.at = at


class RangeTooSmall(LineError):
    """An integrand is not negligible at the ends of the range of integration."""


class PoleTooClose(LineError):
    """The nodes are too far apart for the nearest complex pole of the score, or for the steepest map."""


class TooMuchWork(LineError):
    """The work limit was reached."""


def check_mass(mass: float, tolerance: float = MASS_TOLERANCE) -> None:
    """Raises `MassLost` unless the mass is 1 to the tolerance.

    >>> check_mass(1.0 + 1e-13)
    """
    if not abs(mass - 1.0) <= tolerance:
        raise MassLost(f"mass={mass!r}: expected 1 to {tolerance:g}")


def check_range(first: float, last: float, total: float, tolerance: float = 1e-12) -> None:
    """Raises `RangeTooSmall` unless the outermost panels carry a negligible share of an integral of a
    nonnegative function.
    """
    for name, part in (("first panel", first), ("last panel", last)):
        if not (isfinite(part) and abs(part) <= tolerance * abs(total) + 1e-300):
            raise RangeTooSmall(f"{name}={part!r}: expected below {tolerance:g} of the integral {total!r}")


def check_pole(margin: float) -> None:
    """Raises `PoleTooClose` when the spacing used exceeds the one that the poles of the score allow.

    margin : the largest ratio of the two along the chain.
    """
    if not margin <= 1.0 + 1e-9:
        raise PoleTooClose(
            f"spacing={margin!r}: expected at most 1 (in units of what the poles of the score allow)"
        )


def first_pair(propagate: Callable[[float], Run], accuracies: Sequence[float]) -> tuple[int, Run, Run]:
    """The first two runs at neighbouring accuracies that pass every check: the level of the coarser one, and
    both, the coarser first.

    Raises LineError, the last one seen, where there are none; TooMuchWork at once.
    """
    previous: list[Run] = []
    failure = LineError("expected two accuracies")
    for level, accuracy in enumerate(accuracies):
        try:
            run = propagate(accuracy)
        except TooMuchWork:
            raise
        except LineError as error:
            previous, failure = [], error
            continue
        if previous:
            return level - 1, previous[0], run
        previous = [run]
    raise failure
