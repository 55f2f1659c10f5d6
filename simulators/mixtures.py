"""Gaussian mixtures, finite atoms and products of them: targets, their forward laws, their exact reductions.

A mixture lives on R^d; its means span at most m <= d coordinates of an orthonormal frame, and the frame is
the first m axes (every law, sampler and distance here is invariant under rotations). The weights are kept as
given, so that JSON returns the same bits, and the law is the one with the exact weights w_k / sum_j w_j.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import fsum
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulators.checks import finite, in_order
from simulators.errors import InputError
from simulators.mixture_data import (
    Matrix,
    Vector,
    checked_covariances,
    checked_dimension,
    checked_points,
    checked_weights,
    clock,
    mean_of,
    plain,
    scaled,
    spread_of,
)
from simulators.targets import Gaussian

if TYPE_CHECKING:
    from simulators.reductions import Reduction

__all__ = [
    "Atoms",
    "Components",
    "GaussianMixture",
    "NotReducible",
    "Product",
    "Target",
    "blocks",
    "components",
    "target_from_dict",
]

Array = NDArray[np.float64]


class NotReducible(ValueError):
    """The target has no exact reduction to a low-dimensional law; the text says why."""


@dataclass(frozen=True)
class GaussianMixture:
    """sum_k w_k N(mu_k, Sigma_k) on R^d.

    weights     : K numbers > 0 that sum to 1 within 1e-12; the law has w_k / sum_j w_j.
    means       : K coordinate tuples of one length m, in the first m axes.
    covariances : a float (s I_d for all), K floats (s_k I_d), K tuples (diagonal) or K nested tuples (full);
    positive definite.
    dimension   : d >= m, default m; beyond the first m axes the means vanish, and the covariances must be
    isotropic.

    >>> q = GaussianMixture((0.3, 0.7), ((-1.0,), (2.0,)), (0.2, 0.5))
    >>> q.dimension, round(q.second_moment, 12), round(q.covariance_trace, 12)
    (1, 3.51, 2.3)
    """

    weights: Vector
    means: Matrix
    covariances: float | Vector | Matrix | tuple[Matrix, ...]
    dimension: int = 0

    def __init__(
        self, weights: Iterable[float], means: Iterable[Any], covariances: Any, dimension: int | None = None
    ) -> None:
        points = checked_points("means", means)
        object.__setattr__(self, "weights", checked_weights(weights, len(points)))
        object.__setattr__(self, "means", points)
        object.__setattr__(self, "dimension", checked_dimension(dimension, len(points[0])))
        object.__setattr__(self, "covariances", checked_covariances(covariances, points, self.dimension))

    @classmethod
    def two(cls, sep: float, weight: float = 0.5, variance: float = 1.0, d: int = 1) -> GaussianMixture:
        """The law weight N(-sep/2 e_1, variance I_d) + (1 - weight) N(sep/2 e_1, variance I_d)."""
        sep, weight = finite("sep", sep), finite("weight", weight)
        return cls((weight, 1 - weight), ((-sep / 2,), (sep / 2,)), variance, d)

    @cached_property
    def mean(self) -> Vector:
        """E X in the first m axes; zero in the others."""
        return mean_of(self.weights, self.means)

    @cached_property
    def covariance_trace(self) -> float:
        """The trace of Cov X, the spread within the components and between them."""
        own = components(self)
        within = fsum(own.weights * (own.variances.sum(axis=1) + (own.d - own.m) * own.rest))
        return within + spread_of(self.weights, self.means)

    @property
    def second_moment(self) -> float:
        """E |X|^2."""
        return self.covariance_trace + fsum(x * x for x in self.mean)

    def at(self, t: float) -> GaussianMixture:
        """The forward law q_t on the unit clock: means e^{-t} mu_k, covariances e^{-2t} Sigma_k + (1 -
        e^{-2t}) I.
        """
        a, noise = clock(t)
        return replace_covariances(self, scaled(self.means, a), a * a, noise)

    def reduce(self) -> Reduction:
        """The same law as low-dimensional factors times an exact Gaussian; raises NotReducible."""
        from simulators.reductions import of_mixture  # which is made of these classes

        return of_mixture(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and floats; JSON keeps every bit."""
        return {
            "kind": "mixture",
            "weights": [*self.weights],
            "means": plain(self.means),
            "covariances": plain(self.covariances),
            "dimension": self.dimension,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> GaussianMixture:
        """The inverse of `to_dict`."""
        return cls(data["weights"], data["means"], data["covariances"], data["dimension"])


@dataclass(frozen=True)
class Atoms:
    """sum_k w_k delta_{x_k} on R^d.

    points    : K distinct coordinate tuples of one length m, in the first m axes.
    weights   : as for a mixture; None means equal.
    dimension : d >= m, default m.

    >>> Atoms.two_point(2.0).at(0.5).dimension
    1
    """

    points: Matrix
    weights: Vector
    dimension: int = 0

    def __init__(
        self, points: Iterable[Any], weights: Iterable[float] | None = None, dimension: int | None = None
    ) -> None:
        places = checked_points("points", points)
        object.__setattr__(self, "points", places)
        given = (1 / len(places),) * len(places) if weights is None else weights
        object.__setattr__(self, "weights", checked_weights(given, len(places)))
        object.__setattr__(self, "dimension", checked_dimension(dimension, len(places[0])))
        for k, point in enumerate(places):
            if point in places[:k]:
                raise InputError(
                    "points", point, "expected distinct atoms; add the weights of coincident ones"
                )

    @classmethod
    def two_point(cls, radius: float = 1.0, weight: float = 0.5, d: int = 1) -> Atoms:
        """The law weight delta_{-radius e_1} + (1 - weight) delta_{radius e_1}."""
        radius, weight = finite("radius", radius), finite("weight", weight)
        return cls(((-radius,), (radius,)), (weight, 1 - weight), d)

    @cached_property
    def mean(self) -> Vector:
        """E X in the first m axes; zero in the others."""
        return mean_of(self.weights, self.points)

    @cached_property
    def covariance_trace(self) -> float:
        """The trace of Cov X."""
        return spread_of(self.weights, self.points)

    @property
    def second_moment(self) -> float:
        """E |X|^2."""
        return self.covariance_trace + fsum(x * x for x in self.mean)

    def at(self, t: float) -> GaussianMixture:
        """The forward law q_t, t > 0 on the unit clock: a mixture with covariances (1 - e^{-2t}) I."""
        a, noise = clock(t)
        if noise <= 0:
            raise InputError("t", t, "expected > 0, atoms have no density at time 0")
        return GaussianMixture(self.weights, scaled(self.points, a), noise, self.dimension)

    def reduce(self) -> Reduction:
        """The same law as low-dimensional factors times an exact Gaussian (here a Dirac); raises
        NotReducible.
        """
        from simulators.reductions import reduced

        return reduced(components(self))

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and floats; JSON keeps every bit."""
        return {
            "kind": "atoms",
            "points": plain(self.points),
            "weights": [*self.weights],
            "dimension": self.dimension,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Atoms:
        """The inverse of `to_dict`."""
        return cls(data["points"], data["weights"], data["dimension"])


@dataclass(frozen=True)
class Product:
    """The law of independent factors on orthogonal subspaces; its coordinates are theirs, in order.

    >>> Product((GaussianMixture.two(4.0), Gaussian.isotropic(3, 2.0))).dimension
    4
    """

    factors: tuple[Gaussian | GaussianMixture | Atoms, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "factors", in_order("factors", self.factors, "expected factors, in order"))
        if not self.factors:
            raise InputError("factors", self.factors, "expected at least one factor")
        for factor in self.factors:
            if not isinstance(factor, Gaussian | GaussianMixture | Atoms):
                raise InputError("factors", factor, "expected Gaussian, GaussianMixture or Atoms")

    @property
    def dimension(self) -> int:
        """d, the sum over the factors."""
        return sum(factor.dimension for factor in self.factors)

    @property
    def mean(self) -> Vector:
        """E X, all d coordinates."""
        return tuple(
            x for block in blocks(self) for x in (*block.mean, *(0.0,) * (block.dimension - len(block.mean)))
        )

    @property
    def covariance_trace(self) -> float:
        """The trace of Cov X."""
        return fsum(block.covariance_trace for block in blocks(self))

    @property
    def second_moment(self) -> float:
        """E |X|^2."""
        return fsum(block.second_moment for block in blocks(self))

    def at(self, t: float) -> Product:
        """The forward law q_t, the product of theirs; t > 0 where a factor is singular."""
        return Product(tuple(block.at(t) for block in blocks(self)))

    def reduce(self) -> Reduction:
        """The reductions of the factors side by side, equal cores counted once; raises NotReducible."""
        from simulators.reductions import of_product

        return of_product(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and floats; JSON keeps every bit."""
        return {"kind": "product", "factors": [{"kind": "gaussian"} | f.to_dict() for f in self.factors]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Product:
        """The inverse of `to_dict`."""
        factors = tuple(target_from_dict(factor) for factor in data["factors"])
        return cls(tuple(f for f in factors if not isinstance(f, Product)))


Target: TypeAlias = Gaussian | GaussianMixture | Atoms | Product


def target_from_dict(data: Mapping[str, Any]) -> Target:
    """The target that a ``to_dict`` with a kind described; without a kind, a Gaussian."""
    kinds: dict[str, Any] = {
        "mixture": GaussianMixture,
        "atoms": Atoms,
        "product": Product,
        "gaussian": Gaussian,
    }
    kind = data.get("kind", "gaussian")
    if kind not in kinds:
        raise InputError("kind", kind, f"expected one of {', '.join(kinds)}")
    target: Target = kinds[kind].from_dict(data)
    return target


# -- the mixture as arrays -----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Components:
    """The components of one block as arrays; zero variances are atoms.

    weights (K,) normalised; means (K, m); variances (K, m) eigenvalues of the covariances, with the
    eigenvectors as columns of rotations (K, m, m), or None for the axes; rest (K,) the variance of the axes
    beyond m.
    """

    weights: Array
    means: Array
    variances: Array
    rotations: Array | None
    rest: Array
    d: int

    @property
    def K(self) -> int:
        """Number of components."""
        return int(self.means.shape[0])

    @property
    def m(self) -> int:
        """Number of axes given one by one."""
        return int(self.means.shape[1])


def components(block: GaussianMixture | Atoms) -> Components:
    """The arrays of a mixture or of atoms."""
    means = np.array(block.means if isinstance(block, GaussianMixture) else block.points)
    weights = np.array(block.weights) / fsum(block.weights)
    if isinstance(block, Atoms):
        return Components(weights, means, np.zeros_like(means), None, np.zeros(len(means)), block.dimension)
    given = np.array(block.covariances)
    if given.ndim <= 1:
        rest = np.broadcast_to(given, weights.shape).copy()
        variances = np.broadcast_to(rest[:, None], means.shape).copy()
        return Components(weights, means, variances, None, rest, block.dimension)
    if given.ndim == 2:
        return Components(weights, means, given, None, np.zeros(len(means)), block.dimension)
    variances, rotations = np.linalg.eigh(given)
    return Components(weights, means, variances, rotations, np.zeros(len(means)), block.dimension)


def blocks(target: Target) -> tuple[GaussianMixture | Atoms, ...]:
    """The target as independent blocks on consecutive coordinates; a Gaussian gives one block an
    eigenspace.
    """
    if isinstance(target, GaussianMixture | Atoms):
        return (target,)
    if isinstance(target, Product):
        return tuple(block for factor in target.factors for block in blocks(factor))
    spaces = zip(target.eigenvalues, target.multiplicities, target.means, strict=True)
    return tuple(
        GaussianMixture((1.0,), ((mean,),), variance, n) if variance > 0 else Atoms(((mean,),), (1.0,), n)
        for variance, n, mean in spaces
    )


def replace_covariances(block: GaussianMixture, means: Matrix, scale: float, noise: float) -> GaussianMixture:
    """The block with these means and with scale Sigma_k + noise I."""

    def moved(value: Any, depth: int, diagonal: bool) -> Any:
        if depth == 0:
            return scale * value + (noise if diagonal else 0.0)
        return tuple(moved(v, depth - 1, diagonal) for v in value)

    given = block.covariances
    depth = np.ndim(given)
    if depth < 3:
        return GaussianMixture(block.weights, means, moved(given, depth, True), block.dimension)
    size = len(means[0])
    full = tuple(
        tuple(tuple(moved(rows[i][j], 0, i == j) for j in range(size)) for i in range(size))
        for rows in np.array(given).tolist()
    )
    return GaussianMixture(block.weights, means, full, block.dimension)
