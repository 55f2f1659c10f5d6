"""Lower bounds of distances from independent samples of both laws, with a stated rate of being wrong.

Every bound is a variational one, true for any test function, set or partition; these are chosen on the first
half of the samples and bounded on the second (`simulators.monte_carlo.confidence`):

    TV(P, Q)   >= P(A) - Q(A),
    KL(P||Q)   >= E_P f - log E_Q e^f,  f bounded;      >= sum_i p_i log(p_i/q_i) on a partition,
    W2(P, Q)   >= E_P f - E_Q f,  f bounded and 1-Lipschitz,
    W2(P, Q)^2 >= R + s^2 - 2 s sqrt(R - D^2),  R = E_P|x - m|^2,  D = |E_P x - m|

(m and s^2 are the mean of Q and the trace of its covariance; the last is Gelbrich's bound, 1990, with traces
for its cross term, and grows with D).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from simulators.errors import InputError
from simulators.monte_carlo.confidence import (
    Tail,
    check_rate,
    mean_above,
    mean_below,
    share_above,
    share_below,
    unbounded_mean,
)
from simulators.monte_carlo.critics import Critic, features, steepest

__all__ = ["Halves", "gelbrich_below", "kl_below", "tv_below", "w2_below"]

Array = NDArray[np.float64]
CLIPS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
SHRINKS = (1.0, 0.6, 0.3)  # of a fitted log ratio: its noise counts twice against it
BINS = 12
FEWEST = 1000  # points of each law


@dataclass(frozen=True, eq=False)
class Halves:
    """Independent points of two laws, (n, d) each: a quarter to fit, a quarter to select, half to test.

    Raises InputError for fewer than 1000 points, NaN, or different dimensions.
    """

    p: Array
    q: Array

    def __post_init__(self) -> None:
        for name, points in (("p", self.p), ("q", self.q)):
            if points.ndim != 2 or len(points) < FEWEST:
                raise InputError(name, points.shape, f"expected (n, d) with n >= {FEWEST} points")
            if not bool(np.all(np.isfinite(points))):
                bad = float(points[~np.isfinite(points)][0])
                raise InputError(name, bad, "expected finite points")
        if self.p.shape[1] != self.q.shape[1]:
            raise InputError("q", self.q.shape, f"expected points in dimension {self.p.shape[1]}")

    @property
    def fit(self) -> tuple[Array, Array]:
        """First quarters."""
        return self.p[: len(self.p) // 4], self.q[: len(self.q) // 4]

    @property
    def select(self) -> tuple[Array, Array]:
        """Second quarters."""
        return self.p[len(self.p) // 4 : len(self.p) // 2], self.q[len(self.q) // 4 : len(self.q) // 2]

    @property
    def test(self) -> tuple[Array, Array]:
        """Second halves."""
        return self.p[len(self.p) // 2 :], self.q[len(self.q) // 2 :]


@dataclass(frozen=True, eq=False)
class _Scored:
    """Values of one critic on the parts that select and test."""

    select: tuple[Array, Array]
    test: tuple[Array, Array]


def scored(halves: Halves, critic: Critic) -> _Scored:
    """The critic's values; NaN raises."""
    parts = [critic(points) for points in (*halves.select, *halves.test)]
    for part in parts:
        if bool(np.any(np.isnan(part))):
            raise InputError("critic", float("nan"), "expected numbers")
    return _Scored((parts[0], parts[1]), (parts[2], parts[3]))


# -- total variation -----------------------------------------------------------------------------------------


def tv_below(halves: Halves, critics: list[Critic], rate: float) -> tuple[float, float, float]:
    """(lower bound of TV, and of P(A), an upper bound of Q(A)), all right with probability >= 1 - rate.

    A = {critic > threshold}, chosen by the largest difference on the second quarters.
    """
    check_rate("rate", rate)
    choices = []
    for critic in critics:
        values = scored(halves, critic)
        gap, threshold = _threshold(*values.select)
        choices.append((gap, threshold, values))
    _, threshold, best = max(choices, key=lambda choice: choice[0])
    p, q = best.test
    inside = share_below(int(np.count_nonzero(p > threshold)), len(p), rate / 2)
    outside = share_above(int(np.count_nonzero(q > threshold)), len(q), rate / 2)
    return max(0.0, inside - outside), inside, outside


def _threshold(p: Array, q: Array) -> tuple[float, float]:
    """The largest share of p above a threshold less that of q, and where."""
    at = np.sort(np.concatenate([p, q]))
    gap = np.searchsorted(np.sort(q), at, side="right") / len(q)
    gap -= np.searchsorted(np.sort(p), at, side="right") / len(p)
    best = int(np.argmax(gap))
    return float(gap[best]), float(at[best])


# -- Kullback-Leibler ----------------------------------------------------------------------------------------


def kl_below(halves: Halves, critics: list[Critic], rate: float) -> tuple[float, float]:
    """(lower bound of KL(P||Q), range of the clipped critic), from estimates of log p/q.

    The larger of Donsker and Varadhan's bound and that of a partition, at half the rate each.
    """
    check_rate("rate", rate)
    choices = []
    fewer = min(0.5, 2 * sqrt(rate / 4))  # the rate at which half the points have the margins of all
    for critic in critics:
        values = scored(halves, critic)
        for shrink in SHRINKS:
            for clip in CLIPS:
                choices.append((_donsker_varadhan(*values.select, shrink, clip, fewer), shrink, clip, values))
    _, shrink, clip, best = max(choices, key=lambda choice: choice[0])
    by_function = _donsker_varadhan(*best.test, shrink, clip, rate / 2)
    return max(0.0, by_function, _partition(best, rate / 2)), 2 * clip


def _donsker_varadhan(p: Array, q: Array, shrink: float, clip: float, rate: float) -> float:
    """The bound by f = shrink critic, clipped."""
    first = mean_below(np.clip(shrink * p, -clip, clip), -clip, clip, rate / 2)
    low, high = np.exp(-clip), np.exp(clip)
    values = np.clip(np.exp(np.clip(shrink * q, -clip, clip)), low, high)
    return first - log(mean_above(values, low, high, rate / 2))


def _partition(values: _Scored, rate: float) -> float:
    """KL on the bins between quantiles of the critic: for any f, min_p sum p f - log max_q sum q e^f over the
    shares that Clopper-Pearson bounds leave.
    """
    edges = np.unique(np.quantile(np.concatenate(values.select), np.arange(1, BINS) / BINS))
    m = len(edges) + 1
    if m < 2:
        return 0.0
    counts = [
        np.bincount(np.searchsorted(edges, part), minlength=m) for part in (*values.select, *values.test)
    ]
    f = np.log((counts[0] + 1.0) / (counts[0].sum() + m)) - np.log((counts[1] + 1.0) / (counts[1].sum() + m))
    each = rate / (4 * m)
    boxes = []
    for count in counts[2:]:
        total = int(count.sum())
        low = np.array([share_below(int(c), total, each) for c in count])
        boxes.append((low, np.array([share_above(int(c), total, each) for c in count])))
    least = -_most(-f, *boxes[0])
    return float(least - log(_most(np.exp(f), *boxes[1]))) - 1e-12


def _most(f: Array, low: Array, high: Array) -> float:
    """The largest sum p f over shares low <= p <= high that sum to 1."""
    order = np.argsort(-f)
    p, left = low.copy(), 1.0 - float(low.sum())
    for i in order:
        more = min(left, float(high[i] - low[i]))
        p[i] += more
        left -= more
    return float(p @ f)


# -- Wasserstein ---------------------------------------------------------------------------------------------


def w2_below(halves: Halves, rate: float) -> tuple[float, float]:
    """(lower bound of W2 by a bounded 1-Lipschitz function of one feature, the function's range)."""
    check_rate("rate", rate)
    choices = []
    for feature in features(*halves.fit):
        values = scored(halves, feature)
        f, low, high = steepest(*(feature(points) for points in halves.fit))
        if low < high:
            gap = float(f(values.select[0]).mean() - f(values.select[1]).mean())
            deviation = sqrt(float(f(values.select[0]).var() + f(values.select[1]).var()) + 1e-300)
            choices.append((gap - 4 * deviation / sqrt(len(values.test[0])), f, low, high, values))
    if not choices:
        return 0.0, 0.0
    _, f, low, high, best = max(choices, key=lambda choice: choice[0])
    p, q = (f(part) for part in best.test)
    return max(0.0, mean_below(p, low, high, rate / 2) - mean_above(q, low, high, rate / 2)), high - low


def gelbrich_below(halves: Halves, mean: Array, trace: float, tail: Tail, rate: float) -> float:
    """A lower bound of W2 from the first two moments of P, those of Q being known.

    mean, trace : of Q, its mean (d,) and the trace of its covariance.
    tail        : of |x - mean|^2 under P, power 1.
    """
    check_rate("rate", rate)
    pilot, test = halves.select[0] - mean, halves.test[0] - mean
    size = 2.0 * float(np.sum(pilot**2, axis=1).max())
    least, most = unbounded_mean(np.sum(test**2, axis=1), size, tail, rate / 4)
    centre = halves.fit[0].mean(axis=0) - mean
    length = float(np.linalg.norm(centre))
    shift = 0.0
    if length > 0:
        along, reach = test @ (centre / length), sqrt(size)
        beyond = share_above(int(np.count_nonzero(np.sum(test**2, axis=1) > size)), len(test), rate / 4)
        missed = tail.excess(size, beyond) / (2 * reach)  # (|l| - b)+ <= (l^2 - b^2)+/(2b)
        shift = max(0.0, mean_below(np.clip(along, -reach, reach), -reach, reach, rate / 4) - missed)
    energy = min(max(trace + shift**2, least), most)  # where the bound is least
    spread = max(energy - shift**2, 0.0)
    return sqrt(max(0.0, energy + trace - 2 * sqrt(trace * spread) - 1e-12 * (energy + trace)))
