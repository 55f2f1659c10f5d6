"""Numerics of three atoms in a ball, seen through noise: Hessian and posterior covariance in d dimensions.

First road: sums over pairs of atoms in balls. Second road: second differences of the log-density, raw
moments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import mpmath as mp
from flint import arb

from simulators.models.tools import Number, Numerics, Values, logarithm, root, shares

__all__ = ["MODELS"]


def _plane_atoms(p: Values) -> list[tuple[Number, tuple[Number, Number]]]:
    """Weights and places of the three atoms."""
    places = [
        (p.R, 0 * p.R),
        (p.R * _cosine(p.turn), p.R * _sine(p.turn)),
        (p.inward * p.R * _cosine(p.bend), p.inward * p.R * _sine(p.bend)),
    ]
    return list(zip([p.w, (1 - p.w) * p.share, (1 - p.w) * (1 - p.share)], places, strict=True))


def _cosine(u: Number) -> Number:
    return arb.cos_pi(u) if isinstance(u, arb) else mp.cospi(u)


def _sine(u: Number) -> Number:
    return arb.sin_pi(u) if isinstance(u, arb) else mp.sinpi(u)


def _plane_exponent(p: Values, place: tuple[Number, Number], x: Number, y: Number) -> Number:
    return -((x - p.a_t * place[0]) ** 2 + (y - p.a_t * place[1]) ** 2) / (2 * p.s_t**2)


def _plane_covariance(p: Values) -> tuple[Number, Number, Number]:
    """Cov(X0 | X) in the plane of the atoms as (a, b, d) of [[a, b], [b, d]], a sum over pairs of atoms."""
    atoms = _plane_atoms(p)
    r = shares([logarithm(w) + _plane_exponent(p, place, p.x, p.across) for w, place in atoms])
    total = [0 * p.R] * 3
    for i in range(3):
        for j in range(i):
            (x1, y1), (x2, y2) = atoms[i][1], atoms[j][1]
            u, v, both = x1 - x2, y1 - y2, r[i] * r[j]
            total = [total[0] + both * u * u, total[1] + both * u * v, total[2] + both * v * v]
    return total[0], total[1], total[2]


def _plane_eigenvalues(p: Values) -> tuple[Number, Number]:
    """Of the covariance, the larger first; the smaller without cancellation."""
    a, b, d = _plane_covariance(p)
    top = (a + d) / 2 + root((a - d) * (a - d) / 4 + b * b)
    return top, a + d - top


def _hessian_norm(p: Values) -> Number:
    """The largest |a^2 c/s^4 - 1/s^2| over the eigenvalues c of the covariance, zero off the plane."""
    values = [*_plane_eigenvalues(p), *([0 * p.R] if p.d > 2 else [])]
    sizes = [abs(p.a_t**2 * c / p.s_t**4 - 1 / p.s_t**2) for c in values]
    largest = sizes[0].max(sizes[1])
    return largest.max(sizes[2]) if p.d > 2 else largest


def _hessian_norm_by_differences(p: Values) -> Number:
    """From the second differences of log q in the plane, and the noise off it."""

    def log_density(x: Number, y: Number) -> Number:
        return mp.log(mp.fsum(w * mp.exp(_plane_exponent(p, place, x, y)) for w, place in _plane_atoms(p)))

    with mp.extraprec(120):
        a, b, d = (mp.diff(log_density, (p.x, p.across), order) for order in ((2, 0), (1, 1), (0, 2)))
        values = mp.eigsy(mp.matrix([[a, b], [b, d]]), eigvals_only=True)
        return max(abs(v) for v in [*values, *([1 / p.s_t**2] if p.d > 2 else [])])


def _plane_moments(p: Values) -> Number:
    """E X0 X0^T - m m^T given X, an mpmath matrix."""
    atoms = _plane_atoms(p)
    masses = [w * mp.exp(_plane_exponent(p, place, p.x, p.across)) for w, place in atoms]
    total = mp.fsum(masses)

    def mean(f: Callable[[Number, Number], Number]) -> Number:
        return mp.fsum(m * f(*place) for m, (_, place) in zip(masses, atoms, strict=True)) / total

    one, two = mean(lambda x, y: x), mean(lambda x, y: y)
    mixed = mean(lambda x, y: x * y) - one * two
    return mp.matrix([[mean(lambda x, y: x * x) - one**2, mixed], [mixed, mean(lambda x, y: y * y) - two**2]])


def _by_plane_moments(read: Callable[[Number], Number]) -> Callable[[Values], Number]:
    def value(p: Values) -> Number:
        with mp.extraprec(200):
            return read(_plane_moments(p))

    return value


ATOMS_IN_BALL = Numerics(
    balls={
        "hessian_norm": _hessian_norm,
        "post_top": lambda p: _plane_eigenvalues(p)[0],
        "post_trace": lambda p: _plane_covariance(p)[0] + _plane_covariance(p)[2],
    },
    other={
        "hessian_norm": _hessian_norm_by_differences,
        "post_top": _by_plane_moments(lambda m: max(mp.eigsy(m, eigvals_only=True))),
        "post_trace": _by_plane_moments(lambda m: m[0, 0] + m[1, 1]),
    },
    integers=("d",),
    admits=lambda p: 0 < p["share"] < 1 and p["d"] >= 2,
)


MODELS: Mapping[str, Numerics] = {"atoms-in-ball": ATOMS_IN_BALL}
