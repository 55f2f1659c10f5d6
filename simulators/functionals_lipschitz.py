"""Lipschitz constant of the scores: sup over delta <= t <= T and x of |Hess log q_t|_op.

With A = e^{-2t} a component of variance s has v = 1 + (s - 1) A, and with responsibilities r

    Hess log q_t = -E_r[1/v] I + Cov_r(s_k),    -1/v_min <= . <= -1/v_max + sum_{j<k} sup_x r_j r_k |s_j -
    s_k|^2.

Two components of one variance attain r = 1/2 halfway: max(1/v, (A sep^2/4)/v^2 - 1/v), exactly. The means of
components of one variance have covariance at most (diameter/2)^2. Otherwise r_j r_k <= 1/(4 cosh^2(l/2)), l
the log odds, whose gradient has |grad l|^2 = 4 alpha l + Delta with alpha = (1/v_k - 1/v_j)/2, so that a pair
adds at most max(Delta, 0)/4 + |alpha| max_u u/cosh^2(u/2). Components with unequal anisotropic covariances
can have an infinite constant: their upper end is infinite. Lower ends are values of the Hessian at points.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import expm1, inf, log

import numpy as np
from numpy.typing import NDArray

from simulators.enclosure import Enclosure
from simulators.errors import InputError
from simulators.functionals import reduction
from simulators.mixtures import Atoms, Components, GaussianMixture, NotReducible, Target, blocks, components
from simulators.posterior import hessian
from simulators.targets import Gaussian

__all__ = ["lipschitz", "steepest"]

Array = NDArray[np.float64]
U = 2.0**-53
CELLS = 512  # of time, for upper ends
SAMPLES = 17  # times, and points on a line through two means, for lower ends
ROUNDS = 7  # of zooming in on the largest value
PAIR = 0.8955  # above max u/cosh^2(u/2) = 0.89542..., attained at u tanh(u/2) = 1


def lipschitz(target: Target, delta: float, T: float, ends: str = "both") -> Enclosure:
    """Sup of |Hess log q_t(x)|_op over x and delta <= t <= T (T may be infinite), shape ().

    Exact, up to rounding, for Gaussians and for two components (or atoms) of one variance in any dimension;
    else a value attained below and a bound above. Infinite for singular laws at delta = 0.
    ends : "both", or "lower" or "upper" where the other one is not needed: it may be left trivial.
    """
    if not 0 <= delta <= T or delta == inf:
        raise InputError("delta", delta, f"expected 0 <= delta <= T={T!r}, delta finite")
    total, *others = (
        _steepest(factor, delta, T) if isinstance(factor, float) else _of_components(factor, delta, T, ends)
        for factor in _factors(target)
    )
    for part in others:
        total = total.maximum(part)
    return total.labelled("Hessian bounds")


def steepest(target: Target, starts: Array, ends: Array) -> Array:
    """The upper ends of `lipschitz` on the intervals of time from each start to its end, in one go."""
    highest = np.zeros(len(starts))
    for factor in _factors(target):
        if isinstance(factor, float) or not _isotropic(factor) or _alike(factor):
            parts = [
                _steepest(factor, delta, T)
                if isinstance(factor, float)
                else _of_components(factor, delta, T, "upper")
                for delta, T in zip(starts.tolist(), ends.tolist(), strict=True)
            ]
            highest = np.maximum(highest, [float(part.hi) for part in parts])
            continue
        regular = _smallest(factor) + starts > 0
        high = np.full(len(starts), inf)
        if bool(regular.any()):
            high[regular] = _bound(factor, starts[regular], ends[regular])
        highest = np.maximum(highest, high)
    return highest


def _factors(target: Target) -> Iterator[float | Components]:
    """Independent factors: variances of Gaussians, and the components of everything else."""
    for block in (target,) if isinstance(target, Gaussian) else blocks(target):
        try:
            split = reduction(block)
        except NotReducible:
            yield components(block)  # type: ignore[arg-type]
            continue
        if split.complement is not None:
            yield from map(float, split.complement.eigenvalues)
        yield from (components(core.mixture) for core in split.cores)


def _steepest(variance: float, delta: float, T: float) -> Enclosure:
    """Max of 1/v over the time interval; v is monotone."""
    ends = np.array([_variance(variance, t) for t in (delta, T)])
    if ends.min() == 0:
        return Enclosure.exact(inf)
    value = 1 / ends.min()
    return Enclosure.around(value, 16 * U * value)


def _of_components(own: Components, delta: float, T: float, ends: str) -> Enclosure:
    if _smallest(own) + delta == 0:
        return Enclosure.exact(inf)
    if not _isotropic(own):
        return Enclosure.between(0.0 if ends == "upper" else _attained(own, delta, T), inf)
    if _alike(own):
        sep = float(np.linalg.norm(own.means[1] - own.means[0]))
        return _two(sep, float(own.variances[0, 0]), delta, T)
    low = 0.0 if ends == "upper" else _attained(own, delta, T)
    high = inf if ends == "lower" else float(_bound(own, np.array([delta]), np.array([T]))[0])
    return Enclosure.between(low, high)


def _smallest(own: Components) -> float:
    return float(min(own.variances.min(), own.rest.min() if own.d > own.m else inf))


def _isotropic(own: Components) -> bool:
    if own.rotations is not None or bool(np.any(own.variances != own.variances[:, :1])):
        return False
    return own.d == own.m or bool(np.all(own.variances[:, 0] == own.rest))


def _alike(own: Components) -> bool:
    """Whether isotropic components are two of one variance, for which there is a closed form."""
    return own.K == 2 and bool(own.variances[0, 0] == own.variances[1, 0])


def _two(sep: float, variance: float, delta: float, T: float) -> Enclosure:
    """Two components of one variance: the larger of 1/v and c A/v^2 - 1/v, c = sep^2/4, over A = e^{-2t}."""
    c, e = sep * sep / 4, variance - 1
    laws = [(float(np.exp(-2 * t)), _variance(variance, t)) for t in (delta, T)]
    if e != 0 and c != e:
        A = (c + e) / (e * (c - e))
        if laws[1][0] < A < laws[0][0]:
            laws.append((A, 1 + e * A))
    values = [max(1 / v, c * A / v / v - 1 / v) for A, v in laws]
    errors = [64 * U * (c * A / v / v + 1 / v) for A, v in laws]
    return Enclosure.between(
        max(x - r for x, r in zip(values, errors, strict=True)),
        max(x + r for x, r in zip(values, errors, strict=True)),
    )


def _bound(own: Components, starts: Array, ends: Array) -> Array:
    """Upper ends for isotropic components on intervals of time, over cells of each; outward rounding
    throughout.
    """
    weights, means, variances = own.weights, own.means, own.variances[:, 0]
    smallest = float(variances.min())
    intervals = zip(starts.tolist(), ends.tolist(), strict=True)
    times = np.stack([_times(smallest, delta, T, CELLS + 1) for delta, T in intervals])
    A = _between(np.exp(-2 * times), 8)
    v = [_between(np.exp(-2 * times) * s - np.expm1(-2 * times), 16) for s in variances]
    total = Enclosure.exact(np.zeros((len(times), CELLS)))
    if bool(np.all(variances == variances[0])):
        gaps = np.linalg.norm(means[:, None] - means[None], axis=-1)
        total = A / v[0] / v[0] * (float(gaps.max()) ** 2 * (1 + 16 * U) / 4)
    else:
        for j in range(len(weights)):
            for k in range(j):
                square = Enclosure.exact(float(np.sum((means[j] - means[k]) ** 2)) * (1 + 16 * U))
                odds = (v[k] / v[j]).log() * (own.d / 2) + log(weights[j] / weights[k])
                drift = (1 / v[k] - 1 / v[j]) * 2.0
                gain = square * A / v[j] / v[k] - odds * drift
                total = total + gain.maximum(0.0) * 0.25 + drift.absolute() * (PAIR / 4)
    widest, narrowest = v[0], v[0]
    for other in v[1:]:
        widest, narrowest = widest.maximum(other), narrowest.minimum(other)
    steep = (1 / narrowest).maximum(total - 1 / widest)
    highest: Array = steep.hi.max(axis=-1)
    return highest


def _attained(own: Components, delta: float, T: float) -> float:
    """A value of |Hess log q_t|_op that is attained (or, far out, approached), less its rounding."""
    spread = (
        own.variances
        if own.rotations is None
        else np.einsum("kij,kj,klj->kil", own.rotations, own.variances, own.rotations)
    )
    weights = own.weights.tolist()
    law = GaussianMixture(weights, own.means, spread) if np.any(spread) else Atoms(own.means, weights)
    floor = _smallest(own)
    times = _times(floor, delta, T, SAMPLES if delta < T else 1)
    widest = float(max(own.variances.max(), own.rest.max() if own.d > own.m else 0.0))
    best = max((1 - 64 * U) / _variance(widest, t) for t in (delta, T))  # approached far out
    for j in range(own.K):
        for k in range(j):
            best = max(best, _zoomed(law, own, (j, k), times, floor))
    return best


def _zoomed(
    law: GaussianMixture | Atoms, own: Components, pair: tuple[int, int], times: Array, floor: float
) -> float:
    """The largest value found on the line through two means (the first axis if they coincide)."""
    start, gap = own.means[pair[0]], own.means[pair[1]] - own.means[pair[0]]
    length = float(np.linalg.norm(gap))
    direction = gap / length if length else np.eye(own.m)[0]
    grid = np.linspace(-8.0, 8.0, 4 * SAMPLES)
    a = np.exp(-times)[:, None]
    spreads = [np.sqrt(own.variances[k].max() * a * a - np.expm1(-2 * times)[:, None]) * grid for k in pair]
    inner = a * length * np.linspace(0, 1, 2 * SAMPLES)
    along = np.sort(np.concatenate([spreads[0], a * length + spreads[1], inner], axis=1), axis=1)
    best, line = 0.0, own.d == own.m == 1 and own.rotations is None
    for _ in range(ROUNDS):
        points = np.exp(-times)[:, None, None] * start + along[..., None] * direction
        values = (
            _on_line(own, points[..., 0], times) if line else _steepness(hessian(law, points, times[:, None]))
        )
        i, n = (int(at) for at in np.unravel_index(int(np.argmax(values)), values.shape))
        best = max(best, float(values[i, n]))
        lo, hi = along[i, max(n - 1, 0)], along[i, min(n + 1, along.shape[1] - 1)]
        first, last = float(times[max(i - 1, 0)]), float(times[min(i + 1, len(times) - 1)])
        times = _times(floor, first, last, SAMPLES if first < last else 1)
        along = np.broadcast_to(np.linspace(lo, hi, SAMPLES), (len(times), SAMPLES))
    return best


def _on_line(own: Components, points: Array, times: Array) -> Array:
    """`_steepness` on a line."""
    from simulators.functionals_lipschitz_kernel import steepness

    weights, means, variances = np.log(own.weights), own.means[:, 0].copy(), own.variances[:, 0].copy()
    sizes = steepness(points.copy(), np.exp(-times), -np.expm1(-2 * times), weights, means, variances)
    return sizes - 1e-12 * sizes


def _steepness(matrices: Array) -> Array:
    """Operator norms, less a bound on their rounding."""
    eigenvalues = np.abs(np.linalg.eigvalsh(matrices)).max(axis=-1)
    scale = np.abs(matrices).sum(axis=(-1, -2))
    lowered: Array = eigenvalues - 1e-12 * scale
    return lowered


def _variance(variance: float, t: float) -> float:
    return variance * float(np.exp(-2 * t)) - expm1(-2 * t)


def _times(floor: float, delta: float, T: float, n: int) -> Array:
    """N times from delta to T, even in the logarithm of the noise level; from an infinite T those up to
    gamma.
    """
    top = min(T, delta + 20.0)
    base = (floor + expm1(2 * delta)) * np.exp(-2 * delta)
    y = np.linspace(0.0, np.log1p(expm1(2 * (top - delta)) / base) if top > delta else 0.0, n)
    times: Array = delta + 0.5 * np.log1p(base * np.expm1(y))
    times[0], times[-1] = delta, T
    return times


def _between(values: Array, ulps: int) -> Enclosure:
    """The ranges of a monotone function between neighbouring grid points."""
    first, last = values[..., :-1], values[..., 1:]
    lo, hi = np.minimum(first, last), np.maximum(first, last)
    return Enclosure(lo * (1 - 2 * ulps * U), hi * (1 + 2 * ulps * U))
