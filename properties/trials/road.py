"""What a single case offers to a claim: values of symbols and quantities, in floats and by a second road.

Gaussian cases are looked at in columns (`properties.population`); everything else is a `Trial` of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import sympy as sp

from properties.evaluate import Arithmetic, evaluate
from simulators.enclosure import Enclosure

__all__ = ["Family", "ScalarRoad", "Trial", "named", "scalar"]


class ScalarRoad(Mapping[sp.Basic, Any]):
    """An environment for `properties.evaluate` on one case: every value is computed once.

    compute    : the value of a symbol or quantity; raises KeyError for a name without one.
    arithmetic : of the values.
    """

    def __init__(self, compute: Callable[[sp.Basic], Any], arithmetic: Arithmetic) -> None:
        self._compute = compute
        self.arithmetic = arithmetic
        self._known: dict[sp.Basic, Any] = {}

    def __getitem__(self, key: sp.Basic) -> Any:
        if key not in self._known:
            self._known[key] = self._compute(key)
        return self._known[key]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, sp.Symbol) or getattr(key, "spec", None) is not None

    def __iter__(self) -> Iterator[sp.Basic]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def override(self, key: sp.Basic, value: Any) -> None:
        """Use this value from now on."""
        self._known[key] = value

    def value(self, expr: sp.Expr) -> Any:
        """The value of an expression on the case."""
        return evaluate(expr, self, self.arithmetic)


class Trial(Protocol):
    """One case that is not a Gaussian one."""

    def floats(self, average: str = "time") -> ScalarRoad:
        """Values as float enclosures, scalars."""
        ...

    def digits(self, average: str = "time") -> ScalarRoad:
        """Values by the second road, mpmath numbers; call under a working precision."""
        ...

    def predicate(self, name: str) -> bool:
        """Whether the case meets a class predicate."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        ...

    def to_source(self) -> str:
        """A Python expression through the public API ``ls``."""
        ...

    def latex(self) -> str:
        """The case as mathematics."""
        ...


class Family(Protocol):
    """Where the trials of a claim come from."""

    def draw(self, rng: np.random.Generator, count: int) -> list[Any]:
        """Random cases, those on which bounds are sharp first."""
        ...

    def moved(self, case: Any, rng: np.random.Generator, spread: float) -> Any:
        """A neighbour of the case."""
        ...

    @property
    def ends(self) -> Sequence[tuple[str, float]]:
        """Numbers at the ends of the ranges of a case, by name."""
        ...

    def put(self, case: Any, name: str, value: float) -> Any:
        """The case with one number replaced; None where that is no other case."""
        ...

    def simpler(self, case: Any) -> list[Any]:
        """Cases near this one with rounder numbers, the simplest first."""
        ...

    def coordinates(self, case: Any) -> dict[str, float]:
        """The numbers of a case by name."""
        ...

    def within(self, share: float) -> Family:
        """The same family with that share of its ranges."""
        ...

    def clipped(self, case: Any) -> Any:
        """The case moved into the family's ranges; None where that cannot be said."""
        ...

    def rays(self, case: Any) -> list[tuple[str, list[tuple[float, Any]]]]:
        """Cases along each parameter, out to the ends of its range: (name, [(value, case), ...])."""
        ...

    def further(self, case: Any) -> list[tuple[str, list[tuple[float, Any]]]]:
        """The same beyond the ranges, where the search does not go for its cost."""
        ...


def named(key: sp.Basic) -> str:
    """The name of a symbol or quantity; printing a symbol would take longer than looking its value up."""
    return key.name if isinstance(key, sp.Symbol) else str(key)


def scalar(value: Enclosure) -> Enclosure:
    """A scalar enclosure from one of shape () or (1,)."""
    if value.lo.ndim == 0:
        return value
    return Enclosure(
        np.asarray(value.lo, dtype=np.float64).reshape(()),
        np.asarray(value.hi, dtype=np.float64).reshape(()),
        value.method,
        value.level,
    )
