"""Gaussian mixtures, finite atoms and products of them: targets, their forward laws, their exact reductions.

A mixture lives on R^d; its means span at most m <= d coordinates of an orthonormal frame, and the frame is
the first m axes (every law, sampler and distance here is invariant under rotations). The weights are kept as
given, so that JSON returns the same bits, and the law is the one with the exact weights w_k / sum_j w_j.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import exp, expm1, fsum, inf, isfinite
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulators.errors import InputError
from simulators.targets import Gaussian

__all__ = [
    "Atoms",
    "Components",
    "Core",
    "GaussianMixture",
    "NotReducible",
    "Product",
    "Reduction",
    "Target",
    "blocks",
    "components",
    "target_from_dict",
]

Array = NDArray[np.float64]
Vector: TypeAlias = tuple[float, ...]
Matrix: TypeAlias = tuple[Vector, ...]

WEIGHT_SUM = 1e-12  # a sum of weights further from 1 is an error of the caller, not rounding
SYMMETRY = 1e-13  # relative asymmetry of a covariance, or of a commutator, taken as rounding
RANK = 1e-13  # distances between means below this share of their size are no direction of their own


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
        points = _points("means", means)
        object.__setattr__(self, "weights", _weights(weights, len(points)))
        object.__setattr__(self, "means", points)
        object.__setattr__(self, "dimension", _dimension(dimension, len(points[0])))
        object.__setattr__(self, "covariances", _covariances(covariances, points, self.dimension))

    @classmethod
    def two(cls, sep: float, weight: float = 0.5, variance: float = 1.0, d: int = 1) -> GaussianMixture:
        """The law weight N(-sep/2 e_1, variance I_d) + (1 - weight) N(sep/2 e_1, variance I_d)."""
        return cls((weight, 1 - weight), ((-sep / 2,), (sep / 2,)), variance, d)

    @cached_property
    def mean(self) -> Vector:
        """E X in the first m axes; zero in the others."""
        return _mean(self.weights, self.means)

    @cached_property
    def covariance_trace(self) -> float:
        """The trace of Cov X, the spread within the components and between them."""
        own = components(self)
        within = fsum(own.weights * (own.variances.sum(axis=1) + (own.d - own.m) * own.rest))
        return within + _spread(self.weights, self.means)

    @property
    def second_moment(self) -> float:
        """E |X|^2."""
        return self.covariance_trace + fsum(x * x for x in self.mean)

    def at(self, t: float) -> GaussianMixture:
        """The forward law q_t on the unit clock: means e^{-t} mu_k, covariances e^{-2t} Sigma_k + (1 -
        e^{-2t}) I.
        """
        a, noise = _clock(t)
        return replace_covariances(self, _scaled(self.means, a), a * a, noise)

    def reduce(self) -> Reduction:
        """The same law as low-dimensional factors times an exact Gaussian; raises NotReducible."""
        try:
            return _reduced(components(self))
        except NotReducible:
            if self.dimension != 2:
                raise
            return Reduction((Core(self, "plane"),), None, f"{len(self.weights)} components on a plane")

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and floats; JSON keeps every bit."""
        return {
            "kind": "mixture",
            "weights": [*self.weights],
            "means": _plain(self.means),
            "covariances": _plain(self.covariances),
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
        places = _points("points", points)
        object.__setattr__(self, "points", places)
        given = (1 / len(places),) * len(places) if weights is None else weights
        object.__setattr__(self, "weights", _weights(given, len(places)))
        object.__setattr__(self, "dimension", _dimension(dimension, len(places[0])))
        for k, point in enumerate(places):
            if point in places[:k]:
                raise InputError(
                    "points", point, "expected distinct atoms; add the weights of coincident ones"
                )

    @classmethod
    def two_point(cls, radius: float = 1.0, weight: float = 0.5, d: int = 1) -> Atoms:
        """The law weight delta_{-radius e_1} + (1 - weight) delta_{radius e_1}."""
        return cls(((-radius,), (radius,)), (weight, 1 - weight), d)

    @cached_property
    def mean(self) -> Vector:
        """E X in the first m axes; zero in the others."""
        return _mean(self.weights, self.points)

    @cached_property
    def covariance_trace(self) -> float:
        """The trace of Cov X."""
        return _spread(self.weights, self.points)

    @property
    def second_moment(self) -> float:
        """E |X|^2."""
        return self.covariance_trace + fsum(x * x for x in self.mean)

    def at(self, t: float) -> GaussianMixture:
        """The forward law q_t, t > 0 on the unit clock: a mixture with covariances (1 - e^{-2t}) I."""
        a, noise = _clock(t)
        if noise <= 0:
            raise InputError("t", t, "expected > 0, atoms have no density at time 0")
        return GaussianMixture(self.weights, _scaled(self.points, a), noise, self.dimension)

    def reduce(self) -> Reduction:
        """The same law as low-dimensional factors times an exact Gaussian (here a Dirac); raises
        NotReducible.
        """
        return _reduced(components(self))

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and floats; JSON keeps every bit."""
        return {
            "kind": "atoms",
            "points": _plain(self.points),
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
        object.__setattr__(self, "factors", tuple(self.factors))
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
        found = [factor.reduce() for factor in self.factors if not isinstance(factor, Gaussian)]
        counts: dict[Core, int] = {}
        for core in (core for reduction in found for core in reduction.cores):
            counts[replace(core, count=1)] = counts.get(replace(core, count=1), 0) + core.count
        gaussians = [f for f in self.factors if isinstance(f, Gaussian)]
        gaussians += [r.complement for r in found if r.complement is not None]
        text = "; ".join(dict.fromkeys(r.text for r in found)) or "Gaussian"
        cores = tuple(replace(core, count=n) for core, n in counts.items())
        return Reduction(cores, _joined(gaussians), f"product of {len(self.factors)} factors: {text}")

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


# -- reductions ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Core:
    """A factor that is not Gaussian, `count` independent copies of it.

    kind : "line" (dimension 1), "plane" (dimension 2) or "radial" (all means equal, each covariance
    isotropic).
    """

    mixture: GaussianMixture | Atoms
    kind: str
    count: int = 1


@dataclass(frozen=True)
class Reduction:
    """The target, up to a rotation, as the product of its cores and one Gaussian; ``text`` says why.

    complement : None when nothing is left beside the cores; its dimension is the number of axes split off.
    """

    cores: tuple[Core, ...]
    complement: Gaussian | None
    text: str


def _reduced(own: Components) -> Reduction:
    """Split off every axis on which the components agree; what is left is the core."""
    own = _merged(_aligned(own))
    if own.K == 1:
        return Reduction((), _gaussian(own), "one component: Gaussian")
    columns: list[Array] = []
    variances: list[Array] = []
    aside: list[Gaussian] = []
    for group in _groups(own):
        axes, common, left = _directions(group.means, group.size)
        columns += list(axes.T)
        variances += [group.variances] * axes.shape[1]
        shared = bool(np.all(group.variances == group.variances[0]))
        if left and shared:
            aside.append(Gaussian((float(group.variances[0]),), (left,), (common,)))
        elif left == 1:
            columns.append(np.full(own.K, common))
            variances.append(group.variances)
        elif left:
            if left == own.d:
                return _radial(own, common)
            raise NotReducible(
                f"the components differ in variance on {left} axes orthogonal to all differences of means: "
                "no exact reduction, use Monte Carlo"
            )
    if len(columns) > 2:
        raise NotReducible(
            f"the components differ in {len(columns)} directions: at most 2 reduce exactly, use Monte Carlo"
        )
    core = _core(own, np.stack(columns, axis=1), np.stack(variances, axis=1))
    rest = _joined(aside)
    split = f", {rest.dimension} orthogonal axes exactly Gaussian" if rest else ""
    return Reduction((core,), rest, f"{core.kind} through {own.K} means{split}")


def _core(own: Components, means: Array, variances: Array) -> Core:
    kind = "line" if means.shape[1] == 1 else "plane"
    weights = tuple(own.weights.tolist())
    if not np.any(variances):
        return Core(Atoms(means.tolist(), weights), kind)
    return Core(GaussianMixture(weights, means.tolist(), variances.tolist()), kind)


def _radial(own: Components, common: float) -> Reduction:
    mixture = GaussianMixture(
        own.weights.tolist(),
        [(common,)] * own.K,
        own.rest.tolist() if own.m < own.d else own.variances[:, 0].tolist(),
        own.d,
    )
    return Reduction(
        (Core(mixture, "radial"),),
        None,
        f"{own.K} concentric isotropic components: radial law in dimension {own.d}",
    )


def _aligned(own: Components) -> Components:
    """The same in a common eigenbasis of the covariances, when there is one."""
    if own.rotations is None:
        return own
    full = np.einsum("kij,kj,klj->kil", own.rotations, own.variances, own.rotations)
    mix = np.einsum("k,kij->ij", 1 / (1 + np.arange(own.K)) / np.trace(full, axis1=1, axis2=2), full)
    _, basis = np.linalg.eigh(mix)
    turned = basis.T @ full @ basis
    diagonal = np.diagonal(turned, axis1=1, axis2=2)
    off = np.abs(turned - diagonal[..., None] * np.eye(own.m)).max(axis=(1, 2))
    if bool(np.any(off > SYMMETRY * own.m * diagonal.max(axis=1))):
        raise NotReducible("the covariances do not commute: no common axes, use Monte Carlo")
    return Components(own.weights, own.means @ basis, _snapped(diagonal.copy()), None, own.rest, own.d)


def _snapped(table: Array) -> Array:
    """(K, m) variances, with those equal up to rounding made equal: across the components, then across the
    axes.
    """
    floor = SYMMETRY * table.shape[1] * table.max()
    for i in range(table.shape[1]):
        if bool(np.all(np.abs(table[:, i] - table[0, i]) <= floor)):
            table[:, i] = table[0, i]
        for j in range(i):
            if bool(np.all(np.abs(table[:, i] - table[:, j]) <= floor)):
                table[:, i] = table[:, j]
    return table


def _merged(own: Components) -> Components:
    """Equal components as one."""
    keys = np.concatenate([own.means, own.variances, own.rest[:, None]], axis=1)
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    if len(first) == own.K:
        return own
    order = np.argsort(first)
    weights = np.bincount(inverse.ravel(), own.weights)[order].astype(np.float64)
    kept = first[order]
    return Components(weights, own.means[kept], own.variances[kept], None, own.rest[kept], own.d)


@dataclass(frozen=True, eq=False)
class _Group:
    """Axes on which each component is isotropic: means (K, g) on the first g of ``size`` axes, variances
    (K,).
    """

    means: Array
    variances: Array
    size: int


def _groups(own: Components) -> list[_Group]:
    table: dict[Vector, list[int]] = {}
    for i in range(own.m):
        table.setdefault(tuple(own.variances[:, i].tolist()), []).append(i)
    beyond = tuple(own.rest.tolist())
    extra = own.d - own.m
    if extra:
        table.setdefault(beyond, [])
    return [
        _Group(own.means[:, axes], np.array(key), len(axes) + (extra if extra and key == beyond else 0))
        for key, axes in table.items()
    ]


def _directions(means: Array, size: int) -> tuple[Array, float, int]:
    """Coordinates (K, r) of the means on the r axes that their differences span; the length of what they have
    in common on the other axes; how many other axes there are.
    """
    origin = means[0]
    left = means - origin
    floor = RANK * float(np.max(np.abs(means), initial=0.0))
    basis: list[Array] = []
    while left.size and np.max(lengths := np.linalg.norm(left, axis=1)) > floor:
        axis = left[int(np.argmax(lengths))] / lengths.max()
        for known in basis:  # a second pass of Gram and Schmidt
            axis = axis - known * (known @ axis)
        axis = axis / np.linalg.norm(axis)
        basis.append(axis)
        left = left - np.outer(left @ axis, axis)
    if not basis:
        return np.zeros((len(means), 0)), float(np.linalg.norm(origin)), size
    frame = np.stack(basis, axis=1)
    common = origin - frame @ (frame.T @ origin)
    return means @ frame, float(np.linalg.norm(common)), size - len(basis)


def _gaussian(own: Components) -> Gaussian:
    spaces = [
        (float(group.variances[0]), group.size, float(np.linalg.norm(group.means[0])))
        for group in _groups(own)
    ]
    return Gaussian(*(tuple(column) for column in zip(*spaces, strict=True)))


def _joined(parts: Sequence[Gaussian]) -> Gaussian | None:
    if not parts:
        return None
    return Gaussian(
        tuple(x for part in parts for x in part.eigenvalues),
        tuple(n for part in parts for n in part.multiplicities),
        tuple(m for part in parts for m in part.means),
    )


# -- validation ----------------------------------------------------------------------------------------------


def _number(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(name, value, "expected numbers") from None
    if not isfinite(number):
        raise InputError(name, number, "expected finite numbers")
    return number


def _weights(values: Iterable[float], K: int) -> Vector:
    weights = tuple(_number("weights", w) for w in values)
    if len(weights) != K:
        raise InputError("weights", weights, f"expected {K} entries, one a component")
    for weight in weights:
        if weight <= 0:
            raise InputError("weights", weight, "expected weights > 0")
    if abs(fsum(weights) - 1) > WEIGHT_SUM:
        raise InputError(
            "weights", weights, f"expected a sum of 1 within {WEIGHT_SUM}, got {fsum(weights)!r}"
        )
    return weights


def _points(name: str, points: Iterable[Any]) -> Matrix:
    rows = tuple(tuple(_number(name, x) for x in (p if np.ndim(p) else (p,))) for p in points)
    if not rows:
        raise InputError(name, rows, "expected at least one component")
    for row in rows:
        if len(row) != len(rows[0]) or not row:
            raise InputError(name, row, f"expected {max(1, len(rows[0]))} coordinates, as many as the first")
    return rows


def _dimension(dimension: int | None, m: int) -> int:
    if dimension is None:
        return m
    if isinstance(dimension, bool) or int(dimension) != dimension or dimension < m:
        raise InputError(
            "dimension", dimension, f"expected an integer >= {m}, the number of coordinates of the means"
        )
    return int(dimension)


def _covariances(given: Any, means: Matrix, d: int) -> Any:
    K, m = len(means), len(means[0])
    try:
        array = np.array(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(
            "covariances", given, "expected a float, K floats, K tuples or K nested tuples of one shape"
        ) from None
    if array.shape not in ((), (K,), (K, m), (K, m, m)):
        shapes = f"a float, {K} floats, shape {(K, m)} (diagonal) or {(K, m, m)} (full)"
        raise InputError("covariances", array.shape, f"expected {shapes}")
    if not bool(np.all(np.isfinite(array))):
        raise InputError("covariances", float(array[~np.isfinite(array)].flat[0]), "expected finite numbers")
    if array.ndim >= 2 and d > m:
        raise InputError(
            "covariances",
            array.shape,
            f"expected isotropic ones (floats) in dimension {d} > {m}, the coordinates given",
        )
    if array.ndim == 3:
        for matrix in array:
            _check_positive(matrix)
    elif bool(np.any(array <= 0)):
        raise InputError(
            "covariances",
            float(array[array <= 0].flat[0]),
            "expected positive definite (variances > 0); for zero use Atoms",
        )
    return _nested(array.tolist())


def _check_positive(matrix: Array) -> None:
    if float(np.abs(matrix - matrix.T).max()) > SYMMETRY * float(np.abs(matrix).max()):
        raise InputError("covariances", matrix.tolist(), "expected symmetric matrices")
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest <= 0:
        raise InputError(
            "covariances", matrix.tolist(), f"expected positive definite, smallest eigenvalue is {smallest!r}"
        )


def _clock(t: float) -> tuple[float, float]:
    """e^{-t} and 1 - e^{-2t}."""
    if not t >= 0:
        raise InputError("t", t, "expected a forward time >= 0")
    return (0.0, 1.0) if t == inf else (exp(-t), -expm1(-2 * t))


def _mean(weights: Vector, points: Matrix) -> Vector:
    total = fsum(weights)
    return tuple(
        fsum(w * x for w, x in zip(weights, column, strict=True)) / total
        for column in zip(*points, strict=True)
    )


def _spread(weights: Vector, points: Matrix) -> float:
    """sum_k w_k |x_k - mean|^2."""
    centre, total = _mean(weights, points), fsum(weights)
    squares = [
        w * (x - c) ** 2
        for w, point in zip(weights, points, strict=True)
        for x, c in zip(point, centre, strict=True)
    ]
    return fsum(squares) / total


def _scaled(points: Matrix, a: float) -> Matrix:
    return tuple(tuple(a * x for x in point) for point in points)


def _nested(value: Any) -> Any:
    return tuple(_nested(v) for v in value) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    return [_plain(v) for v in value] if isinstance(value, tuple) else value
