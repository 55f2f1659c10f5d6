"""Time grids of samplers, unit clock: forward times tau_0 = T > tau_1 > ... > tau_N = delta >= 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import inf, ulp
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.checks import finite, finite_numbers, whole
from simulators.errors import InputError

__all__ = ["Grid"]

Array = NDArray[np.float64]
MOST_STEPS = 10_000_000
KINDS = ("uniform", "geometric", "custom")


@dataclass(frozen=True)
class Grid:
    """A grid of N reverse steps from forward time T down to delta.

    kind  : "uniform" means h = (T - delta)/N exactly, a rational number; for "geometric" and "custom" the
            float64 times are the grid.
    given : the times of a custom grid, empty otherwise.

    >>> Grid.uniform(1.0, 4).times.tolist()
    [1.0, 0.75, 0.5, 0.25, 0.0]
    """

    kind: str
    T: float
    N: int
    delta: float = 0.0
    given: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or self.kind not in KINDS:
            raise InputError("kind", self.kind, f"expected one of {', '.join(KINDS)}")
        object.__setattr__(self, "N", whole("N", self.N, most=MOST_STEPS))
        if not isinstance(self.given, tuple) or self.given:
            object.__setattr__(self, "given", finite_numbers("times", self.given))
        for name in ("T", "delta"):
            object.__setattr__(self, name, finite(name, getattr(self, name)))
        _check_ends(self.T, self.delta, self.kind)
        if self.given and (self.T, self.N, self.delta) != (
            self.given[0],
            len(self.given) - 1,
            self.given[-1],
        ):
            raise InputError("times", self.given, "expected N + 1 times from T to delta; use Grid.from_times")
        if self.kind == "custom" and not self.given:
            raise InputError("times", self.given, "expected at least two times; use Grid.from_times")
        if self.kind == "uniform" and (self.T - self.delta) / self.N > 8.0 * ulp(self.T):
            return  # roundings are far smaller than a step
        falls = np.diff(self.times) < 0
        if not bool(falls.all()):
            at = int(np.flatnonzero(~falls)[0])
            name, value = ("times", self.times[at : at + 2].tolist()) if self.given else ("N", self.N)
            raise InputError(
                name, value, "expected strictly decreasing times (positive steps) in double precision"
            )

    @classmethod
    def uniform(cls, T: float, N: int, delta: float = 0.0) -> Grid:
        """N equal steps from T to delta."""
        return cls("uniform", T, N, delta)

    @classmethod
    def geometric(cls, T: float, N: int, delta: float) -> Grid:
        """Half the steps uniform on [1, T], half geometric from 1 to delta > 0; all geometric if T <= 1,
        delta >= 1 or N = 1.
        """
        return cls("geometric", T, N, delta)

    @classmethod
    def from_times(cls, times: Iterable[float]) -> Grid:
        """The grid with these forward times, in decreasing order."""
        numbers = times.tolist() if isinstance(times, np.ndarray) else times
        points = finite_numbers("times", numbers, "expected finite times")
        if len(points) < 2:
            raise InputError("times", points, "expected at least two times")
        return cls("custom", points[0], len(points) - 1, points[-1], points)

    def halved(self) -> Grid:
        """The grid of half these times. Halving is exact but for numbers below 1e-300."""
        if self.kind == "uniform":
            return Grid.uniform(0.5 * self.T, self.N, 0.5 * self.delta)
        times = 0.5 * self.times
        if times[-2] < 1e-300:
            return Grid.from_times(times)
        grid = object.__new__(Grid)  # its times are known to be in order
        given = tuple(times.tolist())
        fields = {"kind": "custom", "T": given[0], "N": self.N, "delta": given[-1], "given": given}
        vars(grid).update(fields, times=times)
        return grid

    @cached_property
    def times(self) -> Array:
        """tau_0 ... tau_N, shape (N + 1,)."""
        if self.kind == "custom":
            return np.array(self.given)
        if self.kind == "geometric":
            return _geometric(self.T, self.N, self.delta)
        step = (self.T - self.delta) / self.N
        times = np.arange(self.N, -1, -1).astype(np.float64) * step + self.delta
        times[0], times[-1] = self.T, self.delta
        return times

    @cached_property
    def steps(self) -> Array:
        """h_0 ... h_{N-1}, shape (N,); relative error below 2 units of roundoff."""
        if self.kind == "uniform":
            return np.full(self.N, (self.T - self.delta) / self.N)
        return -np.diff(self.times)

    @property
    def time_ulps(self) -> float:
        """Relative error bound of `times` in units of 2^-53: zero where the floats define the grid."""
        return 4.0 if self.kind == "uniform" else 0.0

    @property
    def max_step(self) -> float:
        """max_k h_k."""
        if self.kind == "uniform":
            return (self.T - self.delta) / self.N
        return float(self.steps.max())

    @property
    def kappa(self) -> float:
        """The smallest kappa with h_k <= kappa min(1, tau_{k+1}) for all k; infinite when delta = 0."""
        if self.delta == 0:
            return inf
        return float(np.max(self.steps / np.minimum(1.0, self.times[1:])))

    def exact_steps(self) -> list[Fraction]:
        """The steps as rationals."""
        if self.kind == "uniform":
            return [(Fraction(self.T) - Fraction(self.delta)) / self.N] * self.N
        times = self.exact_times()
        return [a - b for a, b in pairwise(times)]

    def exact_times(self) -> list[Fraction]:
        """The times as rationals."""
        if self.kind == "uniform":
            h = (Fraction(self.T) - Fraction(self.delta)) / self.N
            return [Fraction(self.delta) + k * h for k in range(self.N, -1, -1)]
        return [Fraction(t) for t in self.times.tolist()]

    def to_dict(self) -> dict[str, Any]:
        """Plain values; JSON keeps every bit."""
        if self.kind == "custom":
            return {"kind": "custom", "times": [*self.given]}
        return {"kind": self.kind, "T": self.T, "N": self.N, "delta": self.delta}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Grid:
        """The inverse of `to_dict`."""
        if data["kind"] == "custom":
            return cls.from_times(data["times"])
        return cls(data["kind"], data["T"], data["N"], data["delta"])


def _geometric(T: float, N: int, delta: float) -> Array:
    linear = 0 if T <= 1 or N == 1 or delta >= 1 else N // 2
    top = 1.0 if linear else T
    tail = top * (delta / top) ** (np.arange(N - linear + 1) / (N - linear))
    tail[0], tail[-1] = top, delta
    head = T + (1.0 - T) * np.arange(linear) / max(linear, 1)
    return np.concatenate([head, tail])


def _check_ends(T: float, delta: float, kind: str) -> None:
    if T <= 0:
        raise InputError("T", T, "expected a finite horizon > 0")
    if delta < 0:
        raise InputError("delta", delta, "expected a finite stopping time >= 0")
    if delta >= T:
        raise InputError("delta", delta, f"expected delta < T={T!r}")
    if kind == "geometric" and delta == 0:
        raise InputError("delta", delta, "expected delta > 0 on a geometric grid")
