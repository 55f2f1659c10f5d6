"""What an experiment hands over: a table, curves with intervals, one sentence to set beside the paper's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.errors import InputError

__all__ = [
    "LEVEL",
    "Array",
    "Cell",
    "Outcome",
    "Progress",
    "Series",
    "check_at_least",
    "mean_interval",
    "ratio_interval",
    "share_interval",
    "silent",
    "slope_interval",
]

Array = NDArray[np.float64]
Cell = float | int | str
Progress = Callable[[int, int], None]
"""Called with the parts done and the parts in all."""
LEVEL = 0.95
"""Coverage of every interval, one at a time."""


def silent(_: int, __: int) -> None:
    """No progress."""


@dataclass(frozen=True)
class Series:
    """One curve: y over x, with intervals low <= y <= high where the numbers are random."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for name in ("x", "y", "low", "high"):
            object.__setattr__(self, name, tuple(float(value) for value in getattr(self, name)))
        sizes = {len(self.x), len(self.y)} | {len(side) for side in (self.low, self.high) if side}
        if len(sizes) > 1 or bool(self.low) != bool(self.high):
            raise InputError("series", self.label, "expected as many y, low and high as x")
        if not all(isfinite(value) for value in (*self.x, *self.y, *self.low, *self.high)):
            raise InputError("series", self.label, "expected finite numbers")


@dataclass(frozen=True)
class Outcome:
    """The table, the curves and the sentence of one experiment.

    seen, paper : what was found, and what the paper says, as clauses.
    agrees      : whether the first supports the second; each experiment states its rule.
    logarithmic : which axes of the picture are, "", "x", "y" or "xy".
    departs     : where the set-up is not the paper's, as a clause; empty where it is.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    series: tuple[Series, ...]
    axes: tuple[str, str]
    logarithmic: str
    seen: str
    paper: str
    agrees: bool
    departs: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise InputError("row", row, f"expected {len(self.columns)} cells, one a column")
        if not self.rows:
            raise InputError("rows", self.rows, "expected at least one row")

    @property
    def sentence(self) -> str:
        """One line: the word, what was seen, what the paper says, where the set-up is not the paper's."""
        word = "agrees" if self.agrees else "differs"
        other = f"; not the paper's set-up: {self.departs}" if self.departs else ""
        return f"{word}: seen {self.seen}; the paper says {self.paper}{other}"


def check_at_least(plan: Any, **least: float) -> None:
    """Raise unless the named fields of a plan are finite numbers of at least these sizes."""
    for name, bound in least.items():
        value = getattr(plan, name)
        if not (isfinite(value) and value >= bound):
            raise InputError(name, value, f"expected a finite number >= {bound}")


def mean_interval(values: Array) -> tuple[Array, Array, Array]:
    """Mean over the first axis with Student's interval; values independent along that axis.

    >>> [round(float(x), 4) for x in mean_interval(np.array([1.0, 2.0, 3.0]))]
    [2.0, -0.4841, 4.4841]
    """
    from scipy.special import stdtrit

    n = len(values)
    if n < 2:
        raise InputError("repetitions", n, "expected at least 2, to state an interval")
    mean = values.mean(axis=0)
    reach = stdtrit(n - 1, (1 + LEVEL) / 2) * values.std(axis=0, ddof=1) / np.sqrt(n)
    return mean, mean - reach, mean + reach


def ratio_interval(above: Array, below: Array) -> tuple[float, float, float]:
    """mean(above)/mean(below) over paired repetitions, with the interval of the delta method."""
    ratio = float(above.mean() / below.mean())
    _, low, high = mean_interval((above - ratio * below) / below.mean())
    return ratio, ratio + float(low), ratio + float(high)


def share_interval(successes: int, trials: int) -> tuple[float, float]:
    """The Clopper-Pearson interval of a probability.

    >>> tuple(round(x, 4) for x in share_interval(0, 100))
    (0.0, 0.0362)
    """
    from simulators.monte_carlo.confidence import share_above, share_below

    rate = (1 - LEVEL) / 2
    return share_below(successes, trials, rate), share_above(successes, trials, rate)


def slope_interval(x: Sequence[float], samples: Sequence[Array]) -> tuple[float, float, float]:
    """The slope of log E[samples] in log x, by least squares weighted with the precision of each mean.

    samples : independent repetitions at each x. The interval is that of the delta method: it knows the
    sampling error of the means and takes the power law as given.
    """
    from scipy.special import ndtri

    if len(x) < 2 or min(x) <= 0:
        raise InputError("x", tuple(x), "expected at least two positive places")
    logs = np.log([float(s.mean()) for s in samples])
    weights = np.array([s.size * (s.mean() / s.std(ddof=1)) ** 2 for s in samples])
    centred = np.log(x) - np.average(np.log(x), weights=weights)
    spread = float((weights * centred**2).sum())
    slope = float((weights * centred * logs).sum()) / spread
    reach = float(ndtri((1 + LEVEL) / 2)) / spread**0.5
    return slope, slope - reach, slope + reach
