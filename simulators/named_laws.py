"""The names of the laws that a run has, and the forward times that they stand for."""

from __future__ import annotations

from math import isfinite

from simulators.errors import InputError
from simulators.grids import Grid

__all__ = ["LAWS", "forward_time"]

LAWS = ("target", "q_T", "q_delta", "gamma", "output")


def forward_time(name: str | float, grid: Grid) -> float:
    """The forward time of "target", "q_T", "q_delta" or a number >= 0, on the clock of the grid.

    Raises InputError for other names; "gamma" and "output" are laws at no forward time.
    """
    times = {"target": 0.0, "q_T": grid.T, "q_delta": grid.delta}
    time = times.get(name, -1.0) if isinstance(name, str) else name
    if not (isfinite(time) and time >= 0):
        raise InputError("law", name, f"expected one of {', '.join(LAWS)}, or a forward time >= 0")
    return float(time)
