"""What a mixture is made of: checked weights, points and covariances, and their moments."""

from __future__ import annotations

from collections.abc import Iterable
from math import exp, expm1, fsum, inf
from numbers import Number
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulators.checks import finite, finite_numbers, in_order, whole
from simulators.errors import InputError

__all__ = [
    "Matrix",
    "Vector",
    "checked_covariances",
    "checked_dimension",
    "checked_points",
    "checked_weights",
    "clock",
    "mean_of",
    "plain",
    "scaled",
    "spread_of",
]

Array = NDArray[np.float64]
Vector: TypeAlias = tuple[float, ...]
Matrix: TypeAlias = tuple[Vector, ...]

WEIGHT_SUM = 1e-12  # a sum of weights further from 1 is an error of the caller, not rounding
SYMMETRY = 1e-13  # relative asymmetry of a covariance, or of a commutator, taken as rounding


def checked_weights(values: Iterable[float], K: int) -> Vector:
    """K positive weights with the sum 1."""
    weights = finite_numbers("weights", values)
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


def checked_points(name: str, points: Iterable[Any]) -> Matrix:
    """Lists of coordinates of one length, at least one."""
    places = in_order(name, points, "expected places, such as ((-1.0,), (2.0,))")
    rows = tuple((finite(name, p),) if isinstance(p, Number) else finite_numbers(name, p) for p in places)
    if not rows:
        raise InputError(name, rows, "expected at least one component")
    for row in rows:
        if len(row) != len(rows[0]) or not row:
            raise InputError(name, row, f"expected {max(1, len(rows[0]))} coordinates, as many as the first")
    return rows


def checked_dimension(dimension: int | None, m: int) -> int:
    """The dimension, m if none is given."""
    if dimension is None:
        return m
    return whole("dimension", dimension, m)


def checked_covariances(given: Any, means: Matrix, d: int) -> Any:
    """Covariances in one of the forms of `simulators.mixtures.GaussianMixture`, positive definite."""
    K, m = len(means), len(means[0])
    try:
        array = np.array(_floats("covariances", given), dtype=np.float64)
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            "covariances", given, "expected a float, K floats, K tuples or K nested tuples of one shape"
        ) from None
    if array.shape not in ((), (K,), (K, m), (K, m, m)):
        shapes = f"a float, {K} floats, shape {(K, m)} (diagonal) or {(K, m, m)} (full)"
        raise InputError("covariances", array.shape, f"expected {shapes}")
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


def _floats(name: str, given: Any) -> Any:
    """Floats in lists as they were given."""
    if isinstance(given, np.ndarray):
        given = given.tolist()
    if isinstance(given, list | tuple):
        return [_floats(name, item) for item in given]
    return finite(name, given)


def _check_positive(matrix: Array) -> None:
    if float(np.abs(matrix - matrix.T).max()) > SYMMETRY * float(np.abs(matrix).max()):
        raise InputError("covariances", matrix.tolist(), "expected symmetric matrices")
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest <= 0:
        raise InputError(
            "covariances", matrix.tolist(), f"expected positive definite, smallest eigenvalue is {smallest!r}"
        )


def clock(t: float) -> tuple[float, float]:
    """e^{-t} and 1 - e^{-2t}."""
    if isinstance(t, float) and t == inf:
        return 0.0, 1.0
    if finite("t", t, "expected a forward time >= 0") < 0:
        raise InputError("t", t, "expected a forward time >= 0")
    return exp(-t), -expm1(-2 * t)


def mean_of(weights: Vector, points: Matrix) -> Vector:
    """The weighted mean of points."""
    total = fsum(weights)
    return tuple(
        fsum(w * x for w, x in zip(weights, column, strict=True)) / total
        for column in zip(*points, strict=True)
    )


def spread_of(weights: Vector, points: Matrix) -> float:
    """sum_k w_k |x_k - mean|^2."""
    centre, total = mean_of(weights, points), fsum(weights)
    squares = [
        w * (x - c) ** 2
        for w, point in zip(weights, points, strict=True)
        for x, c in zip(point, centre, strict=True)
    ]
    return fsum(squares) / total


def scaled(points: Matrix, a: float) -> Matrix:
    """The points times a number."""
    return tuple(tuple(a * x for x in point) for point in points)


def _nested(value: Any) -> Any:
    return tuple(_nested(v) for v in value) if isinstance(value, list) else value


def plain(value: Any) -> Any:
    """Tuples as lists."""
    return [plain(v) for v in value] if isinstance(value, tuple) else value
