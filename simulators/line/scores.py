"""Scores along the grid: forward mixtures as tables, and score errors as rows of numbers or as functions.

The learned score at step k is s_k(x) + p_k e_k(x), s_k the score of the forward mixture q_{tau_k} and p_k
the profile of the error. A row of the error table is (shift, slope, height, lo, hi, steep, size, frequency,
phase, share): shift + slope x, a bump of that height on [lo, hi] (steep = 0: a jump at its ends, otherwise
logistic edges of length 1/steep), size sin(frequency x + phase), and share times the difference between
another mixture's score and s_k.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulators.checks import finite
from simulators.errors import InputError
from simulators.line.kernels import ERROR_FIELDS
from simulators.line.mixture_kernels import mixture_quantile
from simulators.score_errors import checked_profile, profile_weights

__all__ = [
    "Affine",
    "Bump",
    "Custom",
    "Mixture",
    "Oscillation",
    "OtherMixture",
    "ScoreError",
    "Table",
    "forward",
    "table",
]

Array = NDArray[np.float64]
Profile = str | tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Mixture:
    """A law sum w_j N(m_j, v_j) on the line; v_j = 0 is an atom. Weights are divided by their sum."""

    weights: Array
    means: Array
    variances: Array

    def __post_init__(self) -> None:
        for name in ("weights", "means", "variances"):
            values = np.atleast_1d(np.array(getattr(self, name), dtype=np.float64))
            if values.ndim != 1 or values.size == 0 or not bool(np.all(np.isfinite(values))):
                raise InputError(name, values.tolist(), "expected a list of finite numbers, at least one")
            object.__setattr__(self, name, values)
        for name in ("means", "variances"):
            if getattr(self, name).size != self.weights.size:
                raise InputError(name, getattr(self, name).tolist(), f"expected {self.weights.size} entries")
        if bool(np.any(self.weights <= 0)):
            raise InputError("weights", self.weights.tolist(), "expected positive weights")
        if abs(float(self.weights.sum()) - 1.0) > 1e-12:
            raise InputError("weights", self.weights.tolist(), "expected a sum of 1")
        if bool(np.any(self.variances < 0)):
            raise InputError("variances", self.variances.tolist(), "expected variances >= 0")
        object.__setattr__(self, "weights", self.weights / self.weights.sum())

    @classmethod
    def of(cls, weights: ArrayLike, means: ArrayLike, variances: ArrayLike) -> Mixture:
        """The mixture of these lists or arrays."""
        lists = (np.asarray(values, dtype=np.float64) for values in (weights, means, variances))
        return cls(*lists)

    @property
    def sds(self) -> Array:
        """Standard deviations of the components."""
        return np.sqrt(self.variances)

    @property
    def spread(self) -> float:
        """Standard deviation of the law."""
        mean = float(self.weights @ self.means)
        return float(np.sqrt(self.weights @ (self.variances + (self.means - mean) ** 2)))

    def at(self, time: float) -> Mixture:
        """The forward law at this time of the unit clock."""
        decay, lost = np.exp(-time), -np.expm1(-2.0 * time)
        return Mixture(self.weights, self.means * decay, self.variances * decay * decay + lost)


@dataclass(frozen=True, eq=False)
class Table:
    """Component means, inverse variances and log weights - log(2 pi variance)/2, one row a time."""

    mu: Array
    inv: Array
    lw: Array

    @property
    def rows(self) -> tuple[Array, Array, Array]:
        """(mu, inv, lw)."""
        return self.mu, self.inv, self.lw


def table(mixture: Mixture) -> Table:
    """The table of one law; raises InputError where it has atoms."""
    return forward(mixture, np.zeros(1))


def forward(mixture: Mixture, times: Array) -> Table:
    """The forward mixture at these times; raises InputError at time 0 of an atom."""
    decay = np.exp(-times)[:, None]
    variances = mixture.variances * decay * decay - np.expm1(-2.0 * times)[:, None]
    if bool(np.any(variances <= 0)):
        raise InputError(
            "variances",
            mixture.variances.tolist(),
            "expected > 0, or delta > 0: an atom has no score at time 0",
        )
    lw = np.log(mixture.weights) - 0.5 * np.log(2.0 * np.pi * variances)
    return Table(mixture.means * decay, 1.0 / variances, lw)


class _Compiled(ABC):
    """What the compiled score errors share."""

    profile: Profile

    def weights(self, N: int) -> Array:
        """p_0 ... p_{N-1}."""
        return profile_weights(self.profile, N)

    @abstractmethod
    def rows(self, mixture: Mixture, times: Array, weights: Array) -> Array:
        """The table of the error at these times, (len(times), 10)."""


def _checked(error: Affine | Bump | Oscillation, *names: str) -> None:
    """Make these fields floats; check the profile."""
    for name in names:
        object.__setattr__(error, name, finite(name, getattr(error, name)))
    object.__setattr__(error, "profile", checked_profile(error.profile))


@dataclass(frozen=True)
class Affine(_Compiled):
    """shift + slope x."""

    shift: float = 0.0
    slope: float = 0.0
    profile: Profile = "constant"

    def __post_init__(self) -> None:
        _checked(self, "shift", "slope")

    def rows(self, mixture: Mixture, times: Array, weights: Array) -> Array:
        """See `_Compiled`."""
        rows = np.zeros((times.size, ERROR_FIELDS))
        rows[:, 0], rows[:, 1] = weights * self.shift, weights * self.slope
        return rows


@dataclass(frozen=True)
class Bump(_Compiled):
    """height on the interval between the quantiles ``start`` < ``stop`` of q_tau, so that E e^2 = height^2
    (stop - start) exactly.

    edge : 0 for an indicator; otherwise the bump is height (f((x - a)/w) - f((x - b)/w)) with the logistic
           f(u) = 1/(1 + e^{-u}), the two quantiles a < b, and w = edge times the standard deviation of q_tau
           (needed by deterministic samplers, whose output would have no density otherwise; E e^2 is smaller).
    """

    height: float
    start: float
    stop: float
    edge: float = 0.0
    profile: Profile = "constant"

    def __post_init__(self) -> None:
        _checked(self, "height", "start", "stop", "edge")
        if not 0.0 <= self.start < self.stop <= 1.0:
            raise InputError("start, stop", (self.start, self.stop), "expected 0 <= start < stop <= 1")
        if self.edge < 0:
            raise InputError("edge", self.edge, "expected >= 0")

    def rows(self, mixture: Mixture, times: Array, weights: Array) -> Array:
        """See `_Compiled`."""
        rows = np.zeros((times.size, ERROR_FIELDS))
        rows[:, 2] = weights * self.height
        for k, time in enumerate(times.tolist()):
            law = mixture.at(time)
            far = 60.0 * law.spread + float(np.abs(law.means).max())
            level = np.array([self.start, self.stop])
            ends = mixture_quantile(level, 1.0 - level, np.zeros(2), law.weights, law.means, law.sds)
            rows[k, 3] = -far if self.start == 0 else ends[0]
            rows[k, 4] = far if self.stop == 1 else ends[1]
            rows[k, 5] = 0.0 if self.edge == 0 else 1.0 / (self.edge * law.spread)
        return rows


@dataclass(frozen=True)
class Oscillation(_Compiled):
    """size sin(frequency x + phase)."""

    size: float
    frequency: float
    phase: float = 0.0
    profile: Profile = "constant"

    def __post_init__(self) -> None:
        _checked(self, "size", "frequency", "phase")

    def rows(self, mixture: Mixture, times: Array, weights: Array) -> Array:
        """See `_Compiled`."""
        rows = np.zeros((times.size, ERROR_FIELDS))
        rows[:, 6], rows[:, 7], rows[:, 8] = weights * self.size, self.frequency, self.phase
        return rows


@dataclass(frozen=True, eq=False)
class OtherMixture(_Compiled):
    """The score of another mixture in place of the target's: wrong weights, wrong means, wrong variances."""

    learned: Mixture
    profile: Profile = "constant"

    def rows(self, mixture: Mixture, times: Array, weights: Array) -> Array:
        """See `_Compiled`."""
        rows = np.zeros((times.size, ERROR_FIELDS))
        rows[:, 9] = weights
        return rows


@dataclass(frozen=True, eq=False)
class Custom:
    """Any vectorised error value(tau, x), analytic in x, with its derivative slope(tau, x).

    Without ``slope`` derivatives are central differences, good enough to choose grids; deterministic samplers
    need it.
    """

    value: Callable[[float, Array], Array]
    slope: Callable[[float, Array], Array] | None = None

    def derivative(self, tau: float, x: Array) -> Array:
        """The derivative in x."""
        if self.slope is not None:
            return np.asarray(self.slope(tau, x), dtype=np.float64)
        width = 1e-5 * (1.0 + np.abs(x))
        return (np.asarray(self.value(tau, x + width)) - np.asarray(self.value(tau, x - width))) / (
            2.0 * width
        )


ScoreError = Affine | Bump | Oscillation | OtherMixture
"""Score errors compiled into the kernels."""
