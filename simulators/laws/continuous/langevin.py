"""Langevin diffusions with an affine score error, and Ornstein-Uhlenbeck flows of two laws at once, unit
clock.

Langevin, dX = (s(X) + c + eta X) dt + sqrt2 dB with s(x) = -(x - m)/lam, has the rate r = 1/lam - eta:
    v/lam - 1 = (v0/lam - 1) e^{-2rt} + 2 eta int_0^t e^{-2ru} du,
    mean - m = (m0 - m) e^{-rt} + (c + eta m) int_0^t e^{-ru} du.
The OU flow, dX = -a X dt + sqrt2 dB with a of either sign or 0, has v_t = e^{-2at}(v + 2 int_0^t e^{2au} du).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from simulators.batch import Batch
from simulators.distances.ends import add, divide, intersect, multiply, square, subtract
from simulators.distances.relation import Relation, Scale
from simulators.enclosure import Enclosure
from simulators.errors import InputError, NotDefined
from simulators.laws.continuous.tools import ULP, as_law, integrate, mean_growth, put, supremum, total, within
from simulators.laws.law import Law

__all__ = ["langevin_law", "ou_flow_relation", "own_law_error", "own_law_weighted"]

Array = NDArray[np.float64]
Index = NDArray[np.int64]
STEEPEST = 600.0  # beyond this exponent second moments leave double precision


@dataclass(frozen=True, eq=False)
class _Lanes:
    """A batch of Langevin diffusions: floats (C, B) and flow times (C,); v0, m0 are the start."""

    lam: Array
    n: Array
    m: Array
    c: Array
    eta: Array
    v0: Array
    m0: Array
    time: Array

    @property
    def rate(self) -> Enclosure:
        """The rate r = (1 - eta lam)/lam."""
        return (1.0 - within(self.eta * self.lam, 1)) / self.lam

    @property
    def pull(self) -> Enclosure:
        """The drift error at the target mean, c + eta m."""
        whole = Enclosure.exact(self.c) + within(self.eta * self.m, 1)
        return put(whole, (self.c == 0) & (self.eta * self.m == 0), 0.0)

    @property
    def offset(self) -> Enclosure:
        """m0 - m."""
        return put(Enclosure.exact(self.m0) - self.m, self.m0 == self.m, 0.0)


def _times(batch: Batch, sampler: str) -> Array:
    if batch.sampler != sampler:
        raise NotDefined(f"sampler={batch.sampler!r}: expected {sampler!r}")
    times = []
    for setting in batch.settings:
        options = dict(setting.options)
        if "t" not in options:
            raise InputError("options", options, f"expected the flow time t of {sampler!r}")
        times.append(options["t"])
    time = batch.per_case(times)
    if not bool(np.all((time >= 0) & np.isfinite(time))):
        raise InputError(
            "t", float(time[~((time >= 0) & np.isfinite(time))][0]), "expected a finite flow time >= 0"
        )
    return time


def _start(batch: Batch) -> tuple[Array, Array]:
    """Variance and mean of the start."""
    if batch.start == "q_T":
        raise InputError("start", batch.start, f"expected 'gamma' or a given start for {batch.sampler!r}")
    if batch.start_variance is None or batch.start_mean is None:
        return np.ones(batch.means.shape), np.zeros(batch.means.shape)
    return batch.start_variance, batch.start_mean


def _lanes(batch: Batch) -> _Lanes:
    time = _times(batch, "langevin")
    for setting in batch.settings:
        if setting.profile != "constant":
            raise InputError(
                "profile", setting.profile, "expected 'constant' for a diffusion at fixed forward time"
            )
    n = batch.multiplicities.astype(np.float64)
    if bool(np.any((n > 0) & (batch.eigenvalues <= 0))):
        raise InputError("eigenvalue", 0.0, "expected > 0: a singular target has no score")
    v0, m0 = _start(batch)
    return _Lanes(
        np.where(n > 0, batch.eigenvalues, 1.0), n, batch.means, batch.shift, batch.linear, v0, m0, time
    )


def _decay(rate: Enclosure, t: Enclosure) -> Enclosure:
    """e^{-rate t}."""
    return (-(rate * t)).exp()


def _ramp(rate: Enclosure, t: Enclosure) -> Enclosure:
    """int_0^t e^{-rate u} du, increasing in t >= 0 and decreasing in the rate."""
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = (u * mean_growth(-r * u) for r, u in ((rate.hi, t.lo), (rate.lo, t.hi)))
        slack = ULP * (
            16.0 + 2.0 * np.maximum(-rate.lo * t.hi, 0.0)
        )  # the rounding of rate t, where e^{-rate t} grows
        hi = np.where(t.hi == 0, 0.0, high * (1.0 + slack) + 5e-324)
        return Enclosure(low * np.maximum(1.0 - slack, 0.0), hi)


# -- Langevin ------------------------------------------------------------------------------------------------


def langevin_law(batch: Batch) -> Law:
    """The law of the inexact Langevin diffusion at time options["t"], as deviations from the target.

    Raises InputError for singular targets, for the start "q_T", and for profiles other than "constant".
    """
    lanes = _lanes(batch)
    t = Enclosure.exact(np.broadcast_to(lanes.time[:, None], lanes.lam.shape))
    start = put((Enclosure.exact(lanes.v0) - lanes.lam) / lanes.lam, lanes.v0 == lanes.lam, 0.0)
    twice = 2.0 * lanes.rate
    decay, ramp = _decay(twice, t), _ramp(twice, t)
    near = add(start * decay, 2.0 * Enclosure.exact(lanes.eta) * ramp)
    far = (
        decay * lanes.v0 + 2.0 * ramp
    ) / lanes.lam - 1.0  # where an unstable drift has forgotten the target
    rel = intersect(near, far)
    dev = add(lanes.offset * _decay(lanes.rate, t), lanes.pull * _ramp(lanes.rate, t))
    calm = (lanes.m0 == lanes.m) & (lanes.c == 0) & (lanes.eta * lanes.m == 0)
    return as_law(
        batch,
        np.zeros(batch.C),
        put(rel, (lanes.v0 == lanes.lam) & (lanes.eta == 0), 0.0),
        put(dev, calm, 0.0),
    )


def own_law_error(batch: Batch) -> Enclosure:
    """The largest E|c + eta X_u|^2 over u in [0, t] for the inexact Langevin diffusion X, shape (C,)."""
    lanes = _lanes(batch)
    rate, pull, offset = lanes.rate, lanes.pull, lanes.offset
    growth = np.where(lanes.eta != 0, -2.0 * rate.lo, 0.0).max(axis=1)
    steep = growth * lanes.time > STEEPEST
    time = np.where(steep, STEEPEST / np.where(steep, growth, 1.0), lanes.time)

    def error(owner: Index, u: Enclosure) -> tuple[Enclosure, Enclosure]:
        value, slope = (Enclosure.exact(np.zeros(owner.shape)) for _ in range(2))
        time = Enclosure(u.lo[:, None], u.hi[:, None])
        r, push, far = rate[owner], pull[owner], offset[owner]
        eta, n, v0 = (Enclosure.exact(a[owner]) for a in (lanes.eta, lanes.n, lanes.v0))
        dev = far * _decay(r, time) + push * _ramp(r, time)
        variance = v0 * _decay(2.0 * r, time) + 2.0 * _ramp(2.0 * r, time)
        mean_error, weight = push + eta * dev, n * eta.power(2)
        each = mean_error.power(2) + weight * variance
        change = 2.0 * mean_error * eta * (push - r * dev) + weight * (2.0 - 2.0 * r * variance)
        constant = eta.hi == 0
        moving, still, slopes = (
            put(each, constant, 0.0),
            put(push.power(2), ~constant, 0.0),
            put(change, constant, 0.0),
        )
        for b in range(lanes.lam.shape[1]):
            value, slope = value + moving[:, b] + still[:, b], slope + slopes[:, b]
        return value, slope

    result = supremum(error, np.zeros(batch.C), time)
    exact = ((lanes.c == 0) & (lanes.eta == 0)).all(axis=1)
    return put(
        Enclosure(np.maximum(result.lo, 0.0), np.where(steep, np.inf, result.hi), result.method), exact, 0.0
    )


def own_law_weighted(batch: Batch) -> Enclosure:
    """The integral of e^{-alpha (t - u)} E|c + eta X_u|^2 over u in [0, t], alpha = 1/lam_max, shape (C,).

    By quadrature graded towards both ends.
    """
    lanes = _lanes(batch)
    shape = lanes.lam.shape
    alpha = 1.0 / np.where(lanes.n > 0, lanes.lam, 0.0).max(axis=1)
    wide = replace(lanes, time=np.repeat(lanes.time, shape[1]))
    flat = _Lanes(*(np.ravel(getattr(wide, field.name)) for field in fields(wide)))
    weight, rate, pull = np.repeat(alpha, shape[1]), flat.rate.mid, flat.pull.mid
    steep = (flat.eta != 0) & (-2.0 * rate * flat.time > STEEPEST)
    which = np.flatnonzero(((flat.c != 0) | (flat.eta != 0)) & ~steep & (flat.n > 0))

    def density(owner: Index, u: Array, rest: Array) -> tuple[Array, Array]:
        eta, n, m, c, v0, m0, lam, r, a, push = (
            k[which[owner]][:, None]
            for k in (flat.eta, flat.n, flat.m, flat.c, flat.v0, flat.m0, flat.lam, rate, weight, pull)
        )
        decay, ramp = np.where(eta == 0, 1.0, np.exp(-r * u)), u * mean_growth(-r * u)
        variance = n * eta**2 * v0 * decay**2, 2.0 * n * eta**2 * u * mean_growth(-2.0 * r * u)
        error = np.where(eta == 0, c, push + eta * ((m0 - m) * decay + push * ramp))
        # the rate is known to (1/lam + |eta|) ulps: that moves e^{-ru} by u times as much, its integral
        # by 1/r at most
        blur = 4.0 * (1.0 / lam + np.abs(eta))
        fast = ULP * (32.0 + 4.0 * blur * u)
        slow = ULP * (
            32.0 + 4.0 * blur * np.minimum(u, np.where(r > 0, 1.0 / np.where(r > 0, r, 1.0), np.inf))
        )
        size = np.abs(c) + np.abs(eta * m)
        miss = size * ULP * 16.0 + np.abs(eta) * (
            (np.abs(m0) + np.abs(m)) * decay * fast + size * ramp * slow
        )
        value = error**2 + variance[0] + variance[1]
        rounding = (2.0 * np.abs(error) + miss) * miss + variance[0] * fast + variance[1] * slow
        fade = np.exp(-a * rest)
        return fade * value, fade * (rounding + value * ULP * (32.0 + 4.0 * a * rest))

    half, span = 0.5 * flat.time[which], flat.time[which]
    scale = 1.0 / (2.0 * np.abs(rate[which]) + weight[which] + 1.0 / np.maximum(half, 1e-300))
    early = integrate(lambda o, x: density(o, x, span[o][:, None] - x), half, scale, np.inf)
    late = integrate(lambda o, x: density(o, span[o][:, None] - x, x), half, scale, np.inf)
    part = early + late
    lo, hi = np.zeros(steep.shape), np.where(steep, np.inf, 0.0)
    lo[which], hi[which] = np.maximum(part.lo, 0.0), part.hi
    result = total(Enclosure(lo.reshape(shape), hi.reshape(shape), part.method))
    return Enclosure(np.maximum(result.lo, 0.0), result.hi, result.method)


# -- Ornstein-Uhlenbeck --------------------------------------------------------------------------------------


def ou_flow_relation(batch: Batch, time: float | None = None) -> Relation:
    """The flowed start seen from the flowed target: dX = -a X dt + sqrt2 dB, with a and t from the options.

    time : another flow time; 0 relates the start and the target themselves.
    With g = 2 int_0^t e^{2au} du, rho = (v_p - v_q)/(v_q + g) and quad = (m_p - m_q)^2/(v_q + g): no
    difference of flowed variances is formed.
    """
    times = _times(batch, "ou-flow") if time is None else np.full(batch.C, float(time))
    a = batch.per_case([_curvature(dict(setting.options)) for setting in batch.settings])
    shape = batch.eigenvalues.shape
    t = Enclosure.exact(np.broadcast_to(times[:, None], shape))
    back = Enclosure.exact(np.broadcast_to(2.0 * a[:, None], shape))
    v, m = (Enclosure.exact(k) for k in _start(batch))
    lam, mean = Enclosure.exact(batch.eigenvalues), Enclosure.exact(batch.means)
    grown = 2.0 * _ramp(-back, t)
    grown = Enclosure(np.where(t.lo == 0, 0.0, np.maximum(grown.lo, 0.0)), np.where(t.lo == 0, 0.0, grown.hi))
    gap, diff, below = subtract(v, lam), subtract(m, mean), add(lam, grown)
    above = add(v, grown)
    dirac = below.hi == 0
    ratio = put(divide(above, below), dirac & (above.hi == 0), 1.0)
    rho = divide(gap, below)
    quad = divide(square(diff), below)
    decay = put(_decay(back, t), t.lo == 0, 1.0)
    fade = put(_decay(0.5 * back, t), t.lo == 0, 1.0)
    noise = put(2.0 * _ramp(back, t), t.lo == 0, 0.0)
    scale = Scale(
        multiply(gap, decay),
        add(multiply(v, decay), noise),
        add(multiply(lam, decay), noise),
        multiply(diff, fade),
    )
    least = Enclosure(np.maximum(rho.lo, -1.0), np.maximum(rho.hi, -1.0))
    return Relation(least, ratio, quad, batch.multiplicities.astype(np.float64), scale)


def _curvature(options: dict[str, float]) -> float:
    if "a" not in options:
        raise InputError("options", options, "expected the curvature a of 'ou-flow'")
    return options["a"]
