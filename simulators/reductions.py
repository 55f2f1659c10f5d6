"""Exact reductions of targets: low-dimensional cores, and one Gaussian for all axes that they leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulators.mixture_data import Vector
from simulators.mixtures import Atoms, Components, GaussianMixture, NotReducible, Product, components
from simulators.targets import Gaussian

__all__ = ["Core", "Reduction", "of_mixture", "of_product", "reduced"]

Array = NDArray[np.float64]

SYMMETRY = 1e-13  # relative asymmetry of a covariance, or of a commutator, taken as rounding
RANK = 1e-13  # distances between means below this share of their size are no direction of their own


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


def of_mixture(target: GaussianMixture) -> Reduction:
    """The reduction of a mixture, one on the plane to itself if need be; raises NotReducible."""
    try:
        return reduced(components(target))
    except NotReducible:
        if target.dimension != 2:
            raise
        return Reduction((Core(target, "plane"),), None, f"{len(target.weights)} components on a plane")


def of_product(target: Product) -> Reduction:
    """The reductions of the factors side by side, equal cores counted once; raises NotReducible."""
    found = [factor.reduce() for factor in target.factors if not isinstance(factor, Gaussian)]
    counts: dict[Core, int] = {}
    for core in (core for reduction in found for core in reduction.cores):
        counts[replace(core, count=1)] = counts.get(replace(core, count=1), 0) + core.count
    gaussians = [f for f in target.factors if isinstance(f, Gaussian)]
    gaussians += [r.complement for r in found if r.complement is not None]
    text = "; ".join(dict.fromkeys(r.text for r in found)) or "Gaussian"
    cores = tuple(replace(core, count=n) for core, n in counts.items())
    return Reduction(cores, _joined(gaussians), f"product of {len(target.factors)} factors: {text}")


def reduced(own: Components) -> Reduction:
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
