"""Gaussian laws in a shared eigenbasis, as relative deviations from a reference law.

Each eigenspace ("lane") of a case holds the variance (1 + excess)(1 + rel) and the mean ``mean + dev``. The
reference (excess, mean) is a law whose variance minus one is known without cancellation, such as q_t with
excess (lam - 1)e^{-2t}; what a sampler adds is the pair (rel, dev), carried with bounds on its rounding
error. Differences of laws are then formed without cancellation near gamma and near q_t.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Law"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Law:
    """C cases of Gaussian laws with B eigenspaces each; all arrays (C, B) unless said otherwise.

    eigenvalues    : eigenvalues of the target covariance (>= 0), which index the shared eigenbasis.
    multiplicities : dimensions of the eigenspaces; 0 marks padding.
    target_means   : coordinate of the target mean along the mean axis of the eigenspace.
    time           : (C,) forward time of the reference law q_time, unit clock; inf is gamma.
    rel, rel_err   : variance = (1 + (lam - 1)e^{-2 time})(1 + rel), rel known up to +- rel_err.
    dev, dev_err   : mean = e^{-time} target_mean + dev, dev known up to +- dev_err.
    """

    eigenvalues: Array
    multiplicities: Array
    target_means: Array
    time: Array
    rel: Array
    rel_err: Array
    dev: Array
    dev_err: Array

    @classmethod
    def forward(cls, eigenvalues: Array, multiplicities: Array, target_means: Array, time: Array) -> Law:
        """The exact forward law q_time (no deviation); ``time`` has shape (C,)."""
        zero = np.zeros_like(eigenvalues)
        return cls(eigenvalues, multiplicities, target_means, time, zero, zero, zero, zero)

    @property
    def excess(self) -> Array:
        """Reference variance minus one, (lam - 1)e^{-2 time}."""
        return (self.eigenvalues - 1.0) * np.exp(-2.0 * self.time)[:, None]

    @property
    def reference_variance(self) -> Array:
        """Variances lam e^{-2 time} + (1 - e^{-2 time}), a sum of nonnegative terms.

        So small variances keep their relative accuracy.
        """
        twice = -2.0 * self.time[:, None]
        return self.eigenvalues * np.exp(twice) - np.expm1(twice)

    @property
    def variance(self) -> Array:
        """Variances, to working precision only: form differences from (excess, rel) instead."""
        return self.reference_variance * (1.0 + self.rel)

    @property
    def mean(self) -> Array:
        """Means along the mean axes, to working precision only."""
        return np.exp(-self.time)[:, None] * self.target_means + self.dev
