"""Mixtures on the plane as arrays, and one propagation problem of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import exp, expm1, isfinite, log, pi

import numpy as np
from numpy.typing import NDArray

from simulators.errors import InputError, NotDefined
from simulators.grids import Grid
from simulators.mixtures import Atoms, GaussianMixture, Target, components
from simulators.particles.simulate import chain_of
from simulators.targets import Gaussian

__all__ = ["NOISY", "STARTS", "PlaneMixture", "PlaneProblem", "plane_mixture"]

Array = NDArray[np.float64]
NOISY = ("ddpm-ei", "ddpm-em", "cds-ei", "lmc")
FLOWS = ("pf-ei",)
STARTS = ("gamma", "q_T")


@dataclass(frozen=True, eq=False)
class PlaneMixture:
    """A law sum w_k N(m_k, S_k) on the plane; S_k = 0 is an atom.

    weights (K,) with sum 1, means (K, 2), covariances (K, 2, 2).
    """

    weights: Array
    means: Array
    covariances: Array

    def __post_init__(self) -> None:
        K = np.size(self.weights)
        for name, shape in (("weights", (K,)), ("means", (K, 2)), ("covariances", (K, 2, 2))):
            values = np.array(getattr(self, name), dtype=np.float64)
            if values.shape != shape or K == 0 or not bool(np.all(np.isfinite(values))):
                raise InputError(name, values.tolist(), f"expected finite numbers of shape {shape}")
            object.__setattr__(self, name, values)
        if bool(np.any(self.weights <= 0)) or abs(float(self.weights.sum()) - 1.0) > 1e-12:
            raise InputError("weights", self.weights.tolist(), "expected positive weights with the sum 1")
        if bool(np.any(np.linalg.eigvalsh(self.covariances) < 0)):
            raise InputError("covariances", self.covariances.tolist(), "expected no negative eigenvalue")

    @classmethod
    def gamma(cls) -> PlaneMixture:
        """The standard normal law."""
        return cls(np.ones(1), np.zeros((1, 2)), np.eye(2)[None])

    @cached_property
    def variances(self) -> Array:
        """Eigenvalues of the covariances, (K, 2)."""
        return np.asarray(np.linalg.eigvalsh(self.covariances), dtype=np.float64)

    @property
    def narrowest(self) -> float:
        """The smallest standard deviation of a component."""
        return float(np.sqrt(self.variances.min()))

    @property
    def spread(self) -> float:
        """Standard deviation of the law along its widest direction."""
        off = self.means - self.weights @ self.means
        total = np.einsum("k,kij->ij", self.weights, self.covariances + off[:, :, None] * off[:, None, :])
        return float(np.sqrt(np.linalg.eigvalsh(total)[-1]))

    @property
    def second_moment(self) -> float:
        """E |x|^2."""
        return float(self.weights @ (self.variances.sum(axis=1) + np.sum(self.means**2, axis=1)))

    def at(self, time: float) -> PlaneMixture:
        """The forward law at this time of the unit clock."""
        decay, lost = exp(-time), -expm1(-2.0 * time)
        covariances = self.covariances * decay * decay + lost * np.eye(2)
        return PlaneMixture(self.weights, self.means * decay, covariances)

    @cached_property
    def rows(self) -> Array:
        """(K, 6): mean, precision (11, 12, 22), log weight less log(2 pi) and half the log determinant."""
        if not self.narrowest > 0:
            raise InputError("covariances", self.covariances.tolist(), "expected a law with a density")
        precision = np.linalg.inv(self.covariances)
        determinant = np.log(self.variances).sum(axis=1)
        parts = (
            *(self.means.T),
            *(precision[:, i, j] for i, j in ((0, 0), (0, 1), (1, 1))),
            np.log(self.weights) - log(2 * pi) - 0.5 * determinant,
        )
        return np.ascontiguousarray(np.stack(parts, axis=1))

    def box(self, depth: float) -> Array:
        """Rows (left, right) of a rectangle outside which every component is below e^{-depth}."""
        reach = np.sqrt(2.0 * np.maximum(depth + self.rows[:, 5], 0.0))[:, None] * np.sqrt(
            np.diagonal(self.covariances, axis1=1, axis2=2)
        )
        return np.stack([(self.means - reach).min(axis=0), (self.means + reach).max(axis=0)], axis=1)


@dataclass(frozen=True, eq=False)
class PlaneProblem:
    """A sampler run on the plane.

    sampler : ddpm-ei, ddpm-em, cds-ei, lmc (score at forward time ``time``) or pf-ei.
    start   : "gamma", or "q_T" (the target after time T).
    """

    sampler: str
    grid: Grid
    target: PlaneMixture
    start: str = "gamma"
    time: float = 0.0

    def __post_init__(self) -> None:
        if self.sampler not in (*NOISY, *FLOWS):
            known = ", ".join((*NOISY, *FLOWS))
            raise NotDefined(f"sampler={self.sampler!r}: expected one of {known} on a plane")
        if self.start not in STARTS:
            raise InputError("start", self.start, f"expected one of {', '.join(STARTS)}")
        if not (isfinite(self.time) and self.time >= 0):
            raise InputError("time", self.time, "expected a finite time >= 0")
        self.initial.rows  # noqa: B018  raises where the start has no density
        self.scores[-1].rows  # noqa: B018  raises where an atom has no score

    @property
    def deterministic(self) -> bool:
        """Whether the sampler adds no noise."""
        return self.sampler in FLOWS

    @property
    def initial(self) -> PlaneMixture:
        """The law at the start."""
        return PlaneMixture.gamma() if self.start == "gamma" else self.target.at(self.grid.T)

    @cached_property
    def steps(self) -> Array:
        """(N, 3) rows (A - 1, B, sqrt Q)."""
        return chain_of(self.sampler, self.grid, self.time)[0]

    @cached_property
    def scores(self) -> list[PlaneMixture]:
        """The laws whose scores the steps use, one a step."""
        if self.sampler == "lmc":
            law = self.target.at(self.time)
            return [law] * self.grid.N
        return [self.target.at(tau) for tau in self.grid.times[:-1].tolist()]

    @cached_property
    def tables(self) -> Array:
        """Their rows, (N, K, 6)."""
        return np.stack([law.rows for law in self.scores])

    @property
    def noise(self) -> float:
        """Relative rounding error of densities where there is mass, as on the line."""
        end = self.target.at(self.time if self.sampler == "lmc" else self.grid.delta)
        size = float(np.max(np.abs(end.means)) + end.spread) / max(end.narrowest, 1e-8)
        return 20.0 * 2.0**-53 * (float(np.sqrt(self.grid.N)) + self.grid.T + size)


def plane_mixture(target: Target | PlaneMixture) -> PlaneMixture:
    """The target as arrays; raises InputError unless its dimension is 2."""
    if isinstance(target, PlaneMixture):
        return target
    if not isinstance(target, GaussianMixture | Atoms | Gaussian) or target.dimension != 2:
        raise InputError("target", target, "expected a Gaussian, a mixture or atoms on the plane")
    if isinstance(target, Gaussian):
        variances = np.repeat(target.eigenvalues, target.multiplicities)
        mean = (*target.means, 0.0)[:2]
        return PlaneMixture(np.ones(1), np.array([mean]), np.diag(variances)[None])
    own = components(target)
    means = np.zeros((own.K, 2))
    means[:, : own.m] = own.means
    variances = np.repeat(own.rest[:, None], 2, axis=1)
    variances[:, : own.m] = own.variances
    turns = np.broadcast_to(np.eye(2), (own.K, 2, 2)) if own.rotations is None else own.rotations
    covariances = np.einsum("kij,kj,klj->kil", turns, variances, turns)
    return PlaneMixture(own.weights, means, 0.5 * (covariances + covariances.swapaxes(1, 2)))
