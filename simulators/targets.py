"""Gaussian targets, given by the eigenspaces of their covariance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulators.checks import finite_numbers, in_order, whole
from simulators.errors import InputError

__all__ = ["Gaussian"]


@dataclass(frozen=True)
class Gaussian:
    """N(m, Sigma) on R^d as its eigenspaces.

    eigenvalues    : variances, >= 0; zero is a Dirac in that eigenspace.
    multiplicities : dimensions of the eigenspaces, >= 1.
    means          : coordinate of the mean along one axis of each eigenspace; along the others it is zero.

    >>> Gaussian((2.0, 0.5), (1, 3), (0.0, 1.0)).dimension
    4
    """

    eigenvalues: tuple[float, ...]
    multiplicities: tuple[int, ...]
    means: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "eigenvalues", finite_numbers("eigenvalues", self.eigenvalues))
        object.__setattr__(self, "means", finite_numbers("means", self.means))
        counts = in_order("multiplicities", self.multiplicities, "expected integers >= 1, such as (1, 3)")
        object.__setattr__(self, "multiplicities", tuple(whole("multiplicities", n) for n in counts))
        if not self.eigenvalues:
            raise InputError("eigenvalues", self.eigenvalues, "expected at least one eigenspace")
        for name in ("multiplicities", "means"):
            if len(getattr(self, name)) != len(self.eigenvalues):
                raise InputError(
                    name, getattr(self, name), f"expected {len(self.eigenvalues)} entries, one an eigenvalue"
                )
        for value in self.eigenvalues:
            if value < 0:
                raise InputError(
                    "eigenvalue", value, "expected >= 0, the covariance is positive semidefinite"
                )

    @classmethod
    def isotropic(cls, d: int, variance: float, mean: float = 0.0) -> Gaussian:
        """N(mean e_1, variance I_d)."""
        return cls((variance,), (d,), (mean,))

    @classmethod
    def dirac(cls, d: int, mean: float = 0.0) -> Gaussian:
        """The point mass at mean e_1 in R^d."""
        return cls((0.0,), (d,), (mean,))

    @property
    def dimension(self) -> int:
        """d, the sum of the multiplicities."""
        return sum(self.multiplicities)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and floats; JSON keeps every bit."""
        return {
            "eigenvalues": [*self.eigenvalues],
            "multiplicities": [*self.multiplicities],
            "means": [*self.means],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Gaussian:
        """The inverse of `to_dict`."""
        return cls(tuple(data["eigenvalues"]), tuple(data["multiplicities"]), tuple(data["means"]))
