"""Functionals of the forward laws of mixtures, atoms and products, at any number of times, as enclosures.

A target is reduced to lines, planes and radii, integrated there (`simulators.functionals_kernel`,
`simulators.plane.functionals`), and the Gaussian that was split off adds its closed form. The half-width is
the quadrature's error estimate plus a bound on rounding; `simulators.functionals_balls` has the same numbers
in ball arithmetic. Nats, unit clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from math import lgamma, log, pi, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulators.enclosure import Enclosure
from simulators.errors import InputError
from simulators.mixtures import Atoms, Components, Target, components
from simulators.reductions import Core, Reduction
from simulators.targets import Gaussian

__all__ = [
    "Functionals",
    "QuadratureFailed",
    "core_functionals",
    "covariance_energy",
    "entropy",
    "fisher_information",
    "functionals",
    "hessian_energy",
    "kl_to_gamma",
    "mmse",
    "reduction",
    "relative_fisher",
    "relative_hessian_energy",
    "second_moment",
]

Array = NDArray[np.float64]
U = 2.0**-53
TOLERANCE = 2e-14  # of a panel's error against the whole integral
NEAR_ONE = 0.05  # of a variance less one
CLOSED = 48 * U  # relative error of the closed forms below
CANCELLED = 12 * U  # error of R - log(1 + R) relative to R, where that is much larger than the difference
MASS = 1e-10  # mass that a quadrature may miss beyond its error estimate
STIRLING = 30  # dimension from which log Gamma is expanded


class QuadratureFailed(ArithmeticError):
    """An integral whose own check (the mass of the law) says that it cannot be trusted."""


@dataclass(frozen=True)
class Functionals:
    """Functionals of q_t, each an enclosure of the shape of t.

    entropy         : H(q_t) = -E log q_t
    fisher          : J(t) = E |s_t|^2, s_t = grad log q_t
    relative_fisher : I(q_t | gamma) = E |s_t + x|^2
    kl_to_gamma     : KL(q_t || gamma)
    hessian, relative_hessian, half_hessian : E |H|_F^2, E |H + I|_F^2, E |H + I/2|_F^2, H = Hess log q_t
    mmse, covariance_energy : E tr C, E |C|_F^2, C = Cov(X_0 | X_t)
    second_moment   : E |X_t|^2
    """

    entropy: Enclosure
    fisher: Enclosure
    relative_fisher: Enclosure
    kl_to_gamma: Enclosure
    hessian: Enclosure
    relative_hessian: Enclosure
    half_hessian: Enclosure
    mmse: Enclosure
    covariance_energy: Enclosure
    second_moment: Enclosure


NAMES = tuple(entry.name for entry in fields(Functionals))


def functionals(target: Target, t: ArrayLike) -> Functionals:
    """All functionals of q_t at the times t >= 0 (infinity is gamma).

    Singular laws (atoms at t = 0) have infinite energies and entropy -inf.
    Raises NotReducible for targets that are not products of lines, planes and radii, InputError for t < 0 or
    NaN.

    >>> two = Atoms.two_point()
    >>> float(functionals(two, 0.3).fisher.mid) < float(functionals(two, 0.2).fisher.mid)
    True
    """
    return Functionals(**_found(target, t, NAMES))


def _found(target: Target, t: ArrayLike, names: Sequence[str]) -> dict[str, Enclosure]:
    """The named functionals of q_t, each of the shape of t."""
    times = np.asarray(t, dtype=np.float64)
    if not bool(np.all(times >= 0)):
        raise InputError("t", float(times[~(times >= 0)].flat[0]), "expected forward times >= 0")
    split = reduction(target)
    flat = times.ravel()
    parts = [] if split.complement is None else [_gaussian(split.complement, flat, names)]
    parts += [_scaled(core_functionals(core, flat, names), core.count) for core in split.cores]
    total = {
        name: sum((part[name] for part in parts[1:]), parts[0][name]).labelled(_method(split))
        for name in names
    }
    return {name: _shaped(value, times.shape) for name, value in total.items()}


def entropy(target: Target, t: ArrayLike) -> Enclosure:
    """H(q_t) = -int q_t log q_t."""
    return _found(target, t, ("entropy",))["entropy"]


def fisher_information(target: Target, t: ArrayLike) -> Enclosure:
    """J(t) = E |grad log q_t|^2."""
    return _found(target, t, ("fisher",))["fisher"]


def relative_fisher(target: Target, t: ArrayLike) -> Enclosure:
    """I(q_t | gamma) = E |grad log(q_t/gamma)|^2."""
    return _found(target, t, ("relative_fisher",))["relative_fisher"]


def kl_to_gamma(target: Target, t: ArrayLike) -> Enclosure:
    """KL(q_t || gamma), to relative accuracy also where it is small."""
    return _found(target, t, ("kl_to_gamma",))["kl_to_gamma"]


def hessian_energy(target: Target, t: ArrayLike) -> Enclosure:
    """E |Hess log q_t|_F^2 = J - J'/2."""
    return _found(target, t, ("hessian",))["hessian"]


def relative_hessian_energy(target: Target, t: ArrayLike) -> Enclosure:
    """E |Hess log(q_t/gamma)|_F^2."""
    return _found(target, t, ("relative_hessian",))["relative_hessian"]


def mmse(target: Target, t: ArrayLike) -> Enclosure:
    """E tr Cov(X_0 | X_t), the least mean squared error of a denoiser."""
    return _found(target, t, ("mmse",))["mmse"]


def covariance_energy(target: Target, t: ArrayLike) -> Enclosure:
    """E |Cov(X_0 | X_t)|_F^2."""
    return _found(target, t, ("covariance_energy",))["covariance_energy"]


def second_moment(target: Target, t: ArrayLike) -> Enclosure:
    """E |X_t|^2."""
    return _found(target, t, ("second_moment",))["second_moment"]


# -- cores by quadrature -------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def reduction(target: Target) -> Reduction:
    """The reduction used for the target; a Gaussian is its own."""
    if isinstance(target, Gaussian):
        return Reduction((), target, "Gaussian")
    return target.reduce()


def core_functionals(core: Core, times: Array, names: Sequence[str] = NAMES) -> dict[str, Enclosure]:
    """The named functionals of one copy of a core at these times, by name, shape (T,)."""
    own = components(core.mixture)
    if core.kind == "plane":
        from simulators.plane.functionals import plane_functionals
        from simulators.plane.mixture import plane_mixture

        return plane_functionals(plane_mixture(core.mixture), times)
    radial = own.d if core.kind == "radial" else 0
    decay, noise = np.exp(-times), -np.expm1(-2 * times)
    singular = (noise == 0) & bool(np.any(own.variances == 0))
    clock = np.stack([decay, np.where(singular, 1.0, noise)], axis=1)
    table = _integrals(radial, own.weights, own.means[:, 0], own.variances[:, 0], clock)
    value, estimate, rounding = np.moveaxis(table, 1, 0)
    error = estimate + rounding + tails(radial, own, clock)
    check_mass(value[:, 0], error[:, 0])
    from simulators.functionals_kernel import QUANTITIES

    wanted = {*names, "entropy", "second_moment"} if "kl_to_gamma" in names else set(names)
    found = {
        name: _enclosed(value[:, i], error[:, i], floor=-np.inf if name == "entropy" else 0.0)
        for i, name in enumerate(QUANTITIES)
        if name in wanted and name != "kl_to_gamma"
    }
    if "second_moment" in wanted:
        moment = decay**2 * core.mixture.second_moment + own.d * noise
        found["second_moment"] = _enclosed(moment, CLOSED * moment)
    if radial and "relative_fisher" in wanted:
        shift = decay**2 * float(own.means[0] @ own.means[0])
        found["relative_fisher"] = found["relative_fisher"] + _enclosed(shift, CLOSED * shift)
    limits = {"entropy": -np.inf, "mmse": 0.0, "covariance_energy": 0.0}
    for name in wanted - {"second_moment", "kl_to_gamma"} if bool(np.any(singular)) else ():
        limit, one = limits.get(name, np.inf), found[name]
        found[name] = Enclosure(np.where(singular, limit, one.lo), np.where(singular, limit, one.hi))
    if "kl_to_gamma" in wanted:
        found["kl_to_gamma"] = _kl(
            value[:, -1], error[:, -1], found, own.d, radial, decay, float(np.sum(own.means[0] ** 2))
        )
        high = np.where(singular, np.inf, found["kl_to_gamma"].hi)
        found["kl_to_gamma"] = Enclosure(np.where(singular, np.inf, found["kl_to_gamma"].lo), high)
    return found


def _integrals(radial: int, weights: Array, means: Array, variances: Array, clock: Array) -> Array:
    """(T, 3, quantities) from the kernel; radial laws are centred."""
    from simulators.functionals_kernel import QUANTITIES, integrate

    out = np.empty((len(clock), 3, len(QUANTITIES)))
    centred = np.zeros_like(means) if radial else np.ascontiguousarray(means)
    constant = chi_at_root(radial) if radial else 0.0
    integrate(
        radial, constant, np.log(weights), centred, np.ascontiguousarray(variances), clock, TOLERANCE, out
    )
    return out


def tails(radial: int, own: Components, clock: Array) -> Array:
    """Bounds (T, quantities) on what lies outside all the windows, where every component has |z| > r.

    With z = (x - m)/sd and E z^p 1(|z| > r) of a component, by convexity: q |s|^2 <= sum w phi z^2/v,
    q |H|^2 <= sum w phi (1 + z^4)/v^2, q C <= sum w phi (V + |m_hat - mean|^2), also with (s^2/a)^2 z^2/v for
    the last term, -q log q <= -sum w phi log(w phi); the relative ones have r_k = ((v-1)/sd) z + m in place
    of s_k.
    """
    from simulators.functionals_kernel import NEAR_D, NEAR_M, NEAR_REACH, NEAR_V, REACH

    a, noise = clock[:, :1], clock[:, 1:]
    w, lam = own.weights, own.variances[:, 0]
    mu = np.zeros_like(w) if radial else own.means[:, 0]
    d = max(radial, 1)
    v, lift, m = a * a * lam + noise, (lam - 1) * a * a, a * mu
    close = (np.abs(lift) <= NEAR_V) & (np.abs(m) <= NEAR_M) & (radial * lift**2 <= NEAR_D)
    near = np.all(close, axis=1, keepdims=True)
    reach = np.where(near, NEAR_REACH, REACH)
    far = reach + sqrt(d) if radial else reach  # |x - m|/sd is about this on the edge of the tail
    t0 = (4 if radial else 2) * np.exp(-0.5 * reach**2) / (1 if radial else reach * sqrt(2 * pi))
    t2, t4 = 1.1 * t0 * far**2, 1.2 * t0 * far**4
    V, gain, share = lam * noise / v, a * lam / v, noise / np.maximum(a, 1e-50)
    off = mu - w @ mu
    own_log = np.abs(np.log(w)) + d / 2 * np.abs(np.log(2 * pi * v))
    bounds = (
        t0 + 0 * v,
        t0 * own_log + t2 / 2,
        t2 / v,
        2 * (lift**2 / v * t2 + m**2 * t0),
        (d * t0 + t4) / v**2,
        2 * (d * (lift / v) ** 2 * t0 + 8 * (lift**4 / v**2 * t4 + m**4 * t0)),
        2 * (d * (0.5 - 1 / v) ** 2 * t0 + t4 / v**2),
        d * V * t0 + np.minimum(2 * (off**2 * t0 + gain**2 * v * t2), share**2 * t2 / v),
        2 * d * V**2 * t0 + np.minimum(16 * (off**4 * t0 + gain**4 * v**2 * t4), 2 * share**4 * t4 / v**2),
        4 * (lift**2 * t4 + m**2 * t2),
    )
    return np.stack([bound @ w for bound in bounds], axis=1)


def _kl(
    near: Array, error: Array, found: dict[str, Enclosure], d: int, radial: int, decay: Array, square: float
) -> Enclosure:
    """KL(q_t || gamma): integrated where the law is near gamma, else (E|x|^2 + d log 2 pi)/2 - H."""
    apart = (found["second_moment"] + d * log(2 * pi)) * 0.5 - found["entropy"]
    apart = Enclosure(np.maximum(apart.lo, 0.0), apart.hi)
    shift = 0.5 * decay**2 * square if radial else np.zeros_like(decay)
    close = ~np.isnan(near)
    inside = _enclosed(np.where(close, near, 0.0), np.where(close, error, 0.0)) + _enclosed(
        shift, CLOSED * shift
    )
    return Enclosure(np.where(close, inside.lo, apart.lo), np.where(close, inside.hi, apart.hi))


def check_mass(mass: Array, error: Array) -> None:
    """Raise QuadratureFailed where the mass of the law, as integrated, is not 1 within its error."""
    off = np.abs(mass - 1)
    if not bool(np.all(off <= error + MASS)):
        worst = int(np.argmax(np.where(np.isnan(off), np.inf, off - error)))
        raise QuadratureFailed(
            f"mass={float(mass[worst])!r}: expected 1 within {float(error[worst]) + MASS:.1e}"
        )


@lru_cache(maxsize=64)
def chi_at_root(d: int) -> float:
    """Log density of |Z|, Z ~ N(0, I_d), at sqrt d; tends to -(log pi)/2."""
    if d < STIRLING:
        return (1 - d / 2) * log(2) - lgamma(d / 2) + (d - 1) / 2 * log(d) - d / 2
    z = d / 2
    tail = sum(
        c / z ** (2 * n + 1)
        for n, c in enumerate((1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360))
    )
    return -0.5 * log(pi) - tail


# -- Gaussians in closed form --------------------------------------------------------------------------------


def _gaussian(complement: Gaussian, times: Array, names: Sequence[str]) -> dict[str, Enclosure]:
    """The named functionals of a Gaussian at these times, by name, shape (T,)."""
    lam = np.array(complement.eigenvalues)[:, None]
    n = np.array(complement.multiplicities, dtype=np.float64)[:, None]
    square = np.exp(-2 * times)
    noise = -np.expm1(-2 * times)
    S, R = lam * square + noise, (lam - 1) * square
    shift = np.array(complement.means)[:, None] ** 2 * square
    C = lam * np.divide(noise, S, out=np.zeros_like(S), where=S > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = {
            "entropy": n / 2 * np.log(2 * pi * np.e * S),
            "fisher": n / S,
            "relative_fisher": n * R * R / S + shift,
            "kl_to_gamma": n / 2 * _excess(R, S) + shift / 2,
            "hessian": n / S**2,
            "relative_hessian": n * (R / S) ** 2,
            "half_hessian": n * (0.5 - 1 / S) ** 2,
            "mmse": n * C,
            "covariance_energy": n * C * C,
            "second_moment": n * S + shift,
        }
        slack = {name: CLOSED * np.abs(part).sum(axis=0) for name, part in parts.items()}
        slack["kl_to_gamma"] += CANCELLED * (n / 2 * np.where(np.abs(R) < NEAR_ONE, 0.0, np.abs(R))).sum(
            axis=0
        )
        slack["entropy"] = CLOSED * (n / 2 * (np.abs(np.log(S)) + 4)).sum(axis=0)
        slack["half_hessian"] = CLOSED * (n * (0.5 + 1 / S) * np.abs(0.5 - 1 / S)).sum(axis=0)
    return {
        name: _enclosed(parts[name].sum(axis=0), slack[name], floor=-np.inf if name == "entropy" else 0.0)
        for name in names
    }


def _excess(R: Array, S: Array) -> Array:
    """R - log(1 + R) with S = 1 + R: by its series near 0; from R itself down to -1/2, from S below."""
    small = np.where(np.abs(R) < NEAR_ONE, R, 0.0)
    series = np.zeros_like(R)
    for n in range(15, 1, -1):
        series = series * small + (-1) ** n / n
    logarithm = np.where(R > -0.5, np.log1p(np.maximum(R, -0.5)), np.log(S))
    return np.where(np.abs(R) < NEAR_ONE, series * small**2, R - logarithm)


# -- enclosures ----------------------------------------------------------------------------------------------


def _enclosed(value: Array, error: Array, floor: float = 0.0) -> Enclosure:
    finite = np.isfinite(value) & np.isfinite(error)
    made = Enclosure.around(np.where(finite, value, 0.0), np.where(finite, error, 0.0))
    lo, hi = np.where(finite, np.maximum(made.lo, floor), value), np.where(finite, made.hi, value)
    return Enclosure(lo, hi)


def _scaled(parts: dict[str, Enclosure], count: int) -> dict[str, Enclosure]:
    return parts if count == 1 else {name: part * float(count) for name, part in parts.items()}


def _shaped(value: Enclosure, shape: tuple[int, ...]) -> Enclosure:
    return Enclosure(value.lo.reshape(shape), value.hi.reshape(shape), value.method, value.level)


def _method(split: Reduction) -> str:
    return f"{split.text}: quadrature" if split.cores else "closed form"


def singular_at_zero(target: Target) -> bool:
    """Whether the law at time 0 has no density."""
    split = reduction(target)
    flat = split.complement is not None and 0.0 in split.complement.eigenvalues
    return flat or any(isinstance(core.mixture, Atoms) for core in split.cores)
