"""Two atoms on the line: the deterministic sampler of the discrete schedule, and early stopping.

The sampler is an increasing map x = f(y) of a standard normal y, so that the densities of its output and of
the target, q, cross where

    log R(y)  =  log q(f(y)) + log f'(y) - log phi(y)

changes sign, and between two crossings the masses of both are differences of distribution functions.
First road: floats on a grid of y, its cells with a crossing divided further. Second road: mpmath in the
rescaled state, from those cells.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import mpmath as mp
import numpy as np
from flint import ctx
from numpy.typing import NDArray

from simulators.enclosure import Enclosure
from simulators.errors import NotDefined
from simulators.models.bounded_lipschitz import bounded_lipschitz, bounded_lipschitz_by_plan
from simulators.models.schedules import schedule_of, valid_schedule
from simulators.models.tools import (
    Array,
    Number,
    Numerics,
    Values,
    exponential,
    in_balls,
    normal_tail,
    root,
    tanh_sinh,
)

__all__ = ["SCHEDULE_ATOMS", "STOPPED_ATOMS"]

EDGES = np.linspace(-9.0, 9.0, 3201)
"""Of the cells of y: what lies beyond has mass below 1e-18."""

DIVISIONS = 48
Schedule = tuple[list[Number], list[Number]]


# -- the deterministic sampler on the schedule ---------------------------------------------------------------


def _log_odds(p: Values, x: Array, kept: float) -> Array:
    """Of the first atom given the state x."""
    scale = math.sqrt(kept)
    odds = x - scale * (p.m1 + p.m2) / 2
    odds *= scale * (p.m1 - p.m2)
    odds /= 1 - kept
    odds += math.log(p.w / (1 - p.w))
    return np.asarray(odds)


def _pushed(p: Values, y: Array) -> tuple[Array, Array]:
    """The state x = f(y) and log f'(y)."""
    betas, left = schedule_of(p)
    x, rise = y.copy(), np.zeros_like(y)
    half = (p.m1 - p.m2) / 2
    for beta, kept in zip(betas[:0:-1], left[:0:-1], strict=True):
        noise = 1 - kept
        lean = _log_odds(p, x, kept)
        lean *= 0.5
        np.tanh(lean, out=lean)
        mean, slope = half * lean, lean
        mean += (p.m1 + p.m2) / 2
        mean *= math.sqrt(kept)
        slope *= lean  # in place from here: half^2 (1 - lean^2) is the spread
        np.subtract(1, slope, out=slope)
        for factor in (half**2, kept):
            slope *= factor
        slope /= noise
        slope -= 1
        slope *= beta / 2
        slope /= noise
        slope += 1
        if not slope.min() > 0:
            raise NotDefined("a step of the schedule turns the line over")
        pull = np.subtract(x, mean, out=mean)
        pull *= beta / 2
        pull /= noise
        x -= pull
        x /= math.sqrt(1 - beta)
        np.log(slope, out=slope)
        slope -= 0.5 * math.log1p(-beta)
        rise += slope
    return x, rise


def _excess(p: Values, y: Array) -> tuple[Array, Array]:
    """The values of log R(y) and the difference of the two distribution functions, target less output."""
    from scipy.special import ndtr

    x, rise = _pushed(p, y)
    kept = float(schedule_of(p)[1][0])
    sigma = math.sqrt(1 - kept)
    places = [(x - math.sqrt(kept) * m) / sigma for m in (p.m1, p.m2)]
    logs = [math.log(weight) - z * z / 2 for weight, z in zip((p.w, 1 - p.w), places, strict=True)]
    gap = p.w * ndtr(places[0]) + (1 - p.w) * ndtr(places[1]) - ndtr(y)
    return np.logaddexp(*logs) - math.log(sigma) + rise + y * y / 2, gap


def _crossings(p: Values, heights: Array, every: Sequence[int]) -> list[tuple[Array, Array]]:
    """Ends of narrow cells in which the densities cross, and log R there: a row for each crossing, by grids
    that take one edge of so many.

    heights : of log R at the edges.
    """
    inner = []
    for part in every:
        edges, change = EDGES[::part], _changes(heights[::part])
        low, high = edges[:-1][change], edges[1:][change]
        inner.append(low[:, None] + (high - low)[:, None] * np.linspace(0, 1, DIVISIONS + 1))
    values = _excess(p, np.concatenate(inner).ravel())[0].reshape(-1, DIVISIONS + 1)
    found = []
    for places, own in zip(inner, np.split(values, np.cumsum([len(x) for x in inner])[:-1]), strict=True):
        row, column = np.nonzero(_changes(own))
        ends = (np.stack([x[row, column], x[row, column + 1]], axis=1) for x in (places, own))
        found.append((next(ends), next(ends)))
    return found


def _changes(values: Array) -> NDArray[np.bool_]:
    return np.asarray(np.sign(values[..., 1:]) * np.sign(values[..., :-1]) < 0)


def _tv_on(p: Values, heights: Array, every: Sequence[int]) -> list[float]:
    """TV by grids, with each crossing by a line through its cell; it is stationary there."""
    places = [
        cells[:, 0] - values[:, 0] * (cells[:, 1] - cells[:, 0]) / (values[:, 1] - values[:, 0])
        for cells, values in _crossings(p, heights, every)
    ]
    gaps = np.split(_excess(p, np.concatenate(places))[1], np.cumsum([len(x) for x in places])[:-1])
    return [0.5 * float(np.abs(np.diff(own, prepend=0.0, append=0.0)).sum()) for own in gaps]


def _flow_tv(p: Values) -> Enclosure:
    """Half of the grid tells what a missed crossing takes away; the last deviation divides roundings."""
    fine, coarse = _tv_on(p, _excess(p, EDGES)[0], (1, 2))
    sigma = math.sqrt(1 - float(schedule_of(p)[1][0]))
    rounding = 1e-15 * p.N * (1 + abs(p.m1) + abs(p.m2)) / sigma
    return Enclosure.around(fine, 10 * abs(fine - coarse) + rounding, "cells between crossings")


def _rescaled(p: Values, schedule: Schedule, y: Number) -> tuple[Number, Number]:
    """The same by the recursion of x/sqrt(alphabar), whose steps move towards the posterior mean."""
    betas, left = schedule
    u, rise = y / mp.sqrt(left[-1]), mp.mpf(0)
    for beta, kept in zip(betas[:0:-1], left[:0:-1], strict=True):
        noise = (1 - kept) / kept
        far = mp.exp((p.m2 - p.m1) * (u - (p.m1 + p.m2) / 2) / noise) * (1 - p.w) / p.w
        first = 1 / (1 + far)
        pull = beta / 2 / (1 - kept)
        rise += mp.log(1 - pull * (1 - first * (1 - first) * (p.m1 - p.m2) ** 2 / noise))
        u -= pull * (u - p.m2 - first * (p.m1 - p.m2))
    return u * mp.sqrt(left[0]), rise + mp.log(left[0] / left[-1]) / 2


def _log_ratio(p: Values, schedule: Schedule, y: Number) -> Number:
    x, rise = _rescaled(p, schedule, y)
    scale, sigma = mp.sqrt(schedule[1][0]), mp.sqrt(1 - schedule[1][0])
    density = p.w * mp.npdf(x, scale * p.m1, sigma) + (1 - p.w) * mp.npdf(x, scale * p.m2, sigma)
    return mp.log(density) + rise - mp.log(mp.npdf(y))


def _flow_tv_by_digits(p: Values) -> Number:
    floats = Values(**{name: v if isinstance(v, int) else float(v) for name, v in vars(p).items()})
    schedule = schedule_of(p)
    scale, sigma = mp.sqrt(schedule[1][0]), mp.sqrt(1 - schedule[1][0])
    gaps = [mp.mpf(0)]
    for low, high in _crossings(floats, _excess(floats, EDGES)[0], (1,))[0][0]:
        y = _secant(p, schedule, mp.mpf(low), mp.mpf(high))
        x = _rescaled(p, schedule, y)[0]
        places = [mp.ncdf((x - scale * m) / sigma) for m in (p.m1, p.m2)]
        gaps.append(p.w * places[0] + (1 - p.w) * places[1] - mp.ncdf(y))
    gaps.append(mp.mpf(0))
    return mp.fsum(abs(b - a) for a, b in itertools.pairwise(gaps)) / 2


def _secant(p: Values, schedule: Schedule, low: Number, high: Number) -> Number:
    """Two steps from the ends of a cell narrower than 1e-3; TV is stationary in the crossing."""
    before, now = low, high
    first, last = _log_ratio(p, schedule, before), _log_ratio(p, schedule, now)
    for _ in range(2):
        if last == first:
            return now
        before, now, first = now, now - last * (now - before) / (last - first), last
        last = _log_ratio(p, schedule, now)
    return now


def _admitted(parameters: Mapping[str, float]) -> bool:
    return 0 < parameters["w"] < 1 and valid_schedule(parameters)


SCHEDULE_ATOMS = Numerics(
    integrals={"atoms_tv": _flow_tv},
    other={"atoms_tv": _flow_tv_by_digits},
    integers=("N",),
    admits=_admitted,
)


# -- early stopping ------------------------------------------------------------------------------------------


def _parts(p: Values) -> tuple[Number, Number, list[tuple[Number, Number]]]:
    """Fading and deviation of the forward process, and the atoms with their weights in order."""
    fade = exponential(-p.lag)
    return fade, root(1 - fade * fade), sorted([(p.m1, p.w), (p.m2, 1 - p.w)])


def _stopped_w1(p: Values) -> Enclosure:
    """The integral of |F_t - F| by antiderivatives, split at the atoms and where F_t meets F."""
    from scipy.optimize import brentq
    from scipy.special import ndtr

    fade, sigma, ((a, share), (b, _)) = _parts(p)

    def below(x: float) -> float:
        return float(
            sum(weight * ndtr((x - fade * m) / sigma) for m, weight in ((p.m1, p.w), (p.m2, 1 - p.w)))
        )

    def integral(x: float) -> float:
        """Of F_t from minus infinity to x."""
        places = [((x - fade * m) / sigma, weight) for m, weight in ((p.m1, p.w), (p.m2, 1 - p.w))]
        return float(
            sum(w * sigma * (z * ndtr(z) + math.exp(-z * z / 2) / math.sqrt(2 * math.pi)) for z, w in places)
        )

    middle = 0.0
    if a < b:
        low, high = below(a) - share, below(b) - share
        turn = (
            a if low >= 0 else b if high <= 0 else float(brentq(lambda x: below(x) - share, a, b, xtol=1e-14))
        )
        middle = share * (2 * turn - a - b) + integral(a) + integral(b) - 2 * integral(turn)
    above = fade * (p.w * p.m1 + (1 - p.w) * p.m2) - b + integral(b)  # int_b^oo of 1 - F_t
    value = integral(a) + middle + above
    return Enclosure.around(value, 4e-15 * (1 + abs(a) + abs(b)), "antiderivatives between the crossings")


def _stopped_w1_by_quadrature(p: Values) -> Number:
    """The same by tanh-sinh quadrature of |F_t - F|, cut at the atoms, their images and the crossing."""
    fade, sigma, ((a, share), (b, _)) = _parts(p)

    def below(x: Number) -> Number:
        far = [normal_tail((fade * m - x) / sigma) for m in (p.m1, p.m2)]
        return p.w * far[0] + (1 - p.w) * far[1]

    def apart(x: Number) -> Number:
        return abs(below(x) - (0 if x < a else share if x < b else 1))

    cuts = [a, b, *(fade * m + k * sigma for m in (p.m1, p.m2) for k in (-16, -4, 0, 4, 16))]
    if below(a) < share < below(b):
        low, high = a, b
        for _ in range(ctx.prec):
            mid = (low + high) / 2
            low, high = (mid, high) if below(mid) < share else (low, mid)
        cuts.append(low)
    return tanh_sinh(apart, sorted(cuts))


def _stopped_lipschitz(p: Values) -> Number:
    """max(1/V, e^{-2t} (m1 - m2)^2/(4 V^2) - 1/V), V = 1 - e^{-2t}: at even odds, or far out; it falls in
    t.
    """
    fade = exponential(-2 * p.lag)
    narrow = 1 / (1 - fade)
    between = fade * ((p.m1 - p.m2) / 2 * narrow) ** 2 - narrow
    return (narrow + between + abs(narrow - between)) / 2


def _stopped_lipschitz_by_differences(p: Values) -> Number:
    """The same from second differences of the log density at the two places."""
    fade = mp.exp(-p.lag)
    spread = 1 - fade**2

    def log_density(x: Number) -> Number:
        logs = [mp.log(w) - (x - fade * m) ** 2 / (2 * spread) for m, w in ((p.m1, p.w), (p.m2, 1 - p.w))]
        return max(logs) + mp.log1p(mp.exp(min(logs) - max(logs)))

    places = [1000 * (1 + abs(p.m1) + abs(p.m2)) / min(1, abs(p.m1 - p.m2) + spread)]
    if p.m1 != p.m2:
        places.append(fade * (p.m1 + p.m2) / 2 - spread * mp.log(p.w / (1 - p.w)) / (fade * (p.m1 - p.m2)))
    with mp.extradps(20):
        step = mp.mpf(10) ** (-mp.mp.dps // 4)
        return max(
            abs(log_density(x + step) - 2 * log_density(x) + log_density(x - step)) / step**2 for x in places
        )


STOPPED_ATOMS = Numerics(
    balls={"stopped_lipschitz": _stopped_lipschitz},
    integrals={"stopped_w1": _stopped_w1, "stopped_bl": bounded_lipschitz},
    other={
        "stopped_w1": in_balls(_stopped_w1_by_quadrature),
        "stopped_bl": in_balls(bounded_lipschitz_by_plan),
        "stopped_lipschitz": _stopped_lipschitz_by_differences,
    },
    admits=lambda p: 0 < p["w"] < 1,
)
