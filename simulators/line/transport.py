"""Laws of deterministic samplers on the line: every point is carried with the logarithm of the map's slope.

Where the composite map y(t) is monotone, the law of y has log density log p_0(t) - log |y'(t)| and all
integrals are taken over t, so that no inversion is needed. Where it folds, the line of images is cut at the
images of the critical points; between two of them the number of preimages is constant, the density is the sum
over preimages, and y = a + (b - a) sin^2(pi u/2) removes the inverse square roots at the ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from simulators.line.charts import Accurate
from simulators.line.checks import FoldFound, RangeTooSmall
from simulators.line.kernels import learned_score
from simulators.line.mixture_kernels import mixture_cdf, mixture_logpdf
from simulators.line.problem import Problem
from simulators.line.scores import Custom, table
from simulators.line.transport_kernels import transport
from simulators.samplers.scheme import Heun

__all__ = ["Flow", "FoldedChart", "MonotoneChart", "folds"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
SAMPLES = 2049
ROUNDINGS = 40.0 * 2.0**-53
MOST_SAMPLES = 20_000
BEYOND = 257  # first samples on either side beyond the start
TURNS = 64  # of the map there that are followed
PAST = 1.1  # how much farther out than the last image asked for the map is looked at
BEND = 0.1  # of a piece's rise that may differ from the trapezoid of its slopes
APART = 16.0 * 2.0**-52  # of a starting point: closer ones are not told apart
SETTLED = 1e-8  # Newton's move over the length on which the slope changes, from which the next is rounding
ASIDE = 0.1  # of the distance to its neighbours: how far a panel may end from a feature
SAME = 16.0 * 2.0**-52  # of the largest image: closer ones are the same
CLOSE = 3e-6  # nearer than this to an inverse square root, in u, density times slope is taken constant
BESIDE = 1e4  # roundings of an image nearer than which to an inverse square root the same holds
TEAR = 1e-6  # of the largest image: a map that runs back by less may be rounded
DEPTH = 55.0  # log density beyond which the start is negligible
DOUBT = 50.0  # log density below which that of a map whose turns are not all followed is not known


@dataclass(frozen=True, eq=False)
class Flow:
    """The composite map of a deterministic sampler and its start.

    marked : starting points that the samples must include, where the map was found to turn.
    """

    problem: Problem
    marked: tuple[float, ...] = ()

    def __call__(self, t: Array) -> tuple[Array, Array, Array]:
        """(y, log |dy/dt|, sign of dy/dt) at the starting points t."""
        points = np.ascontiguousarray(t, dtype=np.float64)
        heun = isinstance(self.problem.scheme, Heun)
        if isinstance(self.problem.error, Custom):
            return _interpreted(self.problem, points, heun)
        return transport(points, self.problem.steps, heun, *self.problem.row)

    def start_logpdf(self, t: Array) -> Array:
        """Log density of the start."""
        return mixture_logpdf(np.ascontiguousarray(t), *(row[0] for row in table(self.problem.initial).rows))

    def start_tails(self, t: Array) -> tuple[Array, Array]:
        """Distribution function of the start and its complement."""
        initial = self.problem.initial
        return mixture_cdf(np.ascontiguousarray(t), initial.weights, initial.means, initial.sds)

    @property
    def ends(self) -> tuple[float, float]:
        """Starting points beyond which the start is negligible."""
        initial, reach = self.problem.initial, np.sqrt(2.0 * DEPTH)
        far = reach * initial.sds
        return float((initial.means - far).min()), float((initial.means + far).max())

    @cached_property
    def samples(self) -> tuple[Array, Array, Array, Array]:
        """(t, y, log slope, sign) over the start, halved where the rise differs from what the slopes at both
        ends say, as it does where the map turns twice in between.
        """
        return self.sampled(np.union1d(np.linspace(*self.ends, SAMPLES), self.marked))

    def sampled(self, t: Array) -> tuple[Array, Array, Array, Array]:
        """The same from the points t on."""
        table = np.stack([t, *self(t)])
        while table.shape[1] < MOST_SAMPLES:
            middle = _bent(*table)
            if middle.size == 0:
                break
            table = np.concatenate([table, np.stack([middle, *self(middle)])], axis=1)
            table = table[:, np.argsort(table[0], kind="stable")]
        t, y, log_slope, sign = table
        return t, y, log_slope, sign

    def covering(self, low: float, high: float) -> tuple[float, float]:
        """Ends of a range of starting points whose images cover [low, high]; raises `RangeTooSmall`."""
        t = self.samples[0]
        left, right = float(t[0]), float(t[-1])
        for _ in range(60):
            images = np.sort(self(np.array([left, right]))[0])
            if images[0] <= low and images[1] >= high:
                return left, right
            middle, half = 0.5 * (left + right), 0.75 * (right - left)
            left, right = middle - half, middle + half
        raise RangeTooSmall(f"range={[left, right]!r}: expected images that cover {[low, high]!r}")

    def outside(self, left: float, right: float) -> Array:
        """Rows t, y, log slope, sign on either side of the start, as far as left and right."""
        ends = self.ends
        tables = [
            self.sampled(np.linspace(first, last, BEYOND))
            for first, last in ((left, ends[0]), (ends[1], right))
            if first < last
        ]
        return np.concatenate([np.empty((4, 0)), *(np.stack(table) for table in tables)], axis=1)


def _adjacent(t: Array) -> NDArray[np.bool_]:
    """Whether neighbouring starting points are too close for another between them."""
    return np.asarray(np.diff(t) <= _least(t))


def _least(t: Array) -> Array:
    """Distances that starting points keep."""
    size = np.maximum(np.maximum(np.abs(t[1:]), np.abs(t[:-1])), 1e-3 * np.abs(t).max(initial=0.0))
    return np.asarray(APART * size)


def torn(t: Array, y: Array, log_slope: Array, sign: Array) -> Index:
    """Where the map runs from one point to the next against its slope at both, farther than it could: it
    turns twice between two neighbouring floats.
    """
    steepest = np.exp(np.maximum(log_slope[1:], log_slope[:-1]))
    rounding = TEAR * np.abs(y).max(initial=0.0)
    against = -np.diff(y) * sign[1:] > np.maximum(np.diff(t), _least(t)) * steepest + rounding
    return np.flatnonzero(against & (sign[1:] == sign[:-1]) & _adjacent(t))


def _bent(t: Array, y: Array, log_slope: Array, sign: Array) -> Array:
    """Middles of the pieces on which the map bends."""
    slope, length = sign * np.exp(log_slope), np.diff(t)
    steepest = np.maximum(np.abs(slope[1:]), np.abs(slope[:-1]))
    off = np.abs(np.diff(y) - 0.5 * length * (slope[1:] + slope[:-1]))
    bent = (off > BEND * length * steepest) & ~_adjacent(t)
    middle: Array = 0.5 * (t[1:] + t[:-1])[bent]
    return middle


def _interpreted(problem: Problem, t: Array, heun: bool) -> tuple[Array, Array, Array]:
    """The same transport with the score error called at every stage."""
    mu, inv, lw, mu2, inv2, lw2, errors = problem.row
    error, times = problem.error, problem.times
    assert isinstance(error, Custom)

    def score(k: int, x: Array) -> tuple[Array, Array]:
        row = min(k, mu.shape[0] - 1)
        out, work = np.empty((4, x.size)), np.empty((9, x.size))
        learned_score(
            x, mu[row], inv[row], lw[row], mu2[row], inv2[row], lw2[row], errors[k],
            out[0], out[1], out[2], out[3], work,
        )  # fmt: skip
        tau = float(times[row])
        return out[0] + np.asarray(error.value(tau, x)), out[1] + error.derivative(tau, x)

    x, low, log_slope, sign = t.copy(), np.zeros_like(t), np.zeros_like(t), np.ones_like(t)
    for k, (a, b, h) in enumerate(problem.steps):
        s, ds = score(k, x)
        if heun:
            middle = x + h * (x + s)
            s2, ds2 = score(k + 1, middle)
            move = 0.5 * h * ((x + s) + (middle + s2))
            slope = 0.5 * h * ((1.0 + ds) + (1.0 + ds2) * (1.0 + h * (1.0 + ds)))
        else:
            move, slope = a * x + b * s, a + b * ds
        x, low = _add(x, move + low * (1.0 + slope))
        with np.errstate(divide="ignore"):
            log_slope = log_slope + np.where(
                slope > -0.5, np.log1p(np.maximum(slope, -0.5)), np.log(abs(1.0 + slope))
            )
        sign = sign * np.sign(1.0 + slope)
    return x + low, log_slope, sign


def _add(a: Array, b: Array) -> tuple[Array, Array]:
    """The sum a + b and its rounding error."""
    total = a + b
    back = total - a
    return total, (a - (total - back)) + (b - back)


def folds(flow: Flow) -> bool:
    """Whether the map changes direction where the start has mass."""
    sign = flow.samples[3]
    return bool(np.any(sign[1:] * sign[:-1] <= 0)) or torn(*flow.samples).size > 0


@dataclass(frozen=True, eq=False)
class MonotoneChart(Accurate):
    """Integrals over the law of y(t), t ~ p_0, in the variable t.

    features : points of the line of images near which integrands vary.
    """

    flow: Flow
    features: Array
    zones: Array | None = None

    @cached_property
    def span(self) -> tuple[float, float]:
        """Ends of a range of t whose images cover the features. Beyond the start's mass the map may turn: the
        law there is a sum over preimages, of which the one that is found first may be the least. Raises
        `FoldFound` where it turns as far out as the features ask, on either side.
        """
        low, high = float(self.features.min()), float(self.features.max())
        left, right = self.flow.covering(low, high)
        t, y = self.flow.samples[:2]
        if left < t[0] or right > t[-1]:
            middle, half = 0.5 * (left + right), 0.5 * PAST * (right - left)
            table = self.flow.outside(middle - half, middle + half)
            further, images, _, sign = table
            away, y = np.abs(np.concatenate([t, further]) - middle), np.concatenate([y, images])
            order = np.argsort(away, kind="stable")
            least, most = np.minimum.accumulate(y[order]), np.maximum.accumulate(y[order])
            reach = PAST * away[order][np.argmax((least <= low) & (most >= high))]
            at = torn(*table)
            turned = np.concatenate([further[sign != self.direction], further[at], further[at + 1]])
            turned = turned[np.abs(turned - middle) <= reach]
            if turned.size:
                raise FoldFound(turned[np.argsort(np.abs(turned - middle), kind="stable")][:TURNS])
        return left, right

    @cached_property
    def edges(self) -> Array:
        """Panel ends in t."""
        t, y = self.flow.samples[:2]
        left, right = self.span
        order = np.argsort(y, kind="stable")
        seen = (self.features >= y[order[0]]) & (self.features <= y[order[-1]])
        inner = [self._preimages(self.features[seen], np.interp(self.features[seen], y[order], t[order]))]
        if not bool(np.all(seen)):  # beyond the start's mass a mode is seen only where panels end about it
            inner.append(self.invert(self.features[~seen]))
        return np.unique(np.concatenate([[left, right], *inner, np.linspace(t[0], t[-1], 33)]))

    def _preimages(self, y: Array, near: Array) -> Array:
        """Starting points whose images are y, from points near them: where the map is steep, samples are too
        few, and a mode that it crosses at once is seen only where panels end about it.
        """
        if y.size == 0:
            return near
        apart = np.abs(np.diff(y, prepend=-np.inf, append=np.inf))
        off = np.abs(self.flow(near)[0] - y) > ASIDE * np.minimum(apart[1:], apart[:-1])
        found = near.copy()
        if bool(np.any(off)):
            t, image = self.flow.samples[:2]
            rising = np.full(np.count_nonzero(off), self.direction)
            start = between(t, np.maximum.accumulate(image * self.direction), y[off] * rising, False)
            found[off] = solve(self.flow, y[off], start, rising)
        return found

    def nodes(self, t: Array) -> tuple[Array, Array, Array]:
        """(y, log |dy/dt|, log density of the law at y)."""
        y, log_slope, sign = self.flow(t)
        logp = self.flow.start_logpdf(t) - log_slope
        if bool(np.any(turned := sign != self.direction)):
            raise FoldFound(t[turned])
        return y, log_slope, logp

    def lost(self, y: Array, log_slope: Array, logp: Array) -> Array | None:
        """See `Chart`: a position is known to some roundings, times the slope of what follows."""
        target = self.flow.problem.target.at(self.flow.problem.grid.delta)
        size = np.abs(y) + float(np.abs(target.means).max())
        narrow = float(target.sds[target.sds > 0].min(initial=1.0))
        return np.asarray(ROUNDINGS * size / narrow * np.exp(np.maximum(log_slope, 0.0)))

    @property
    def direction(self) -> float:
        """The sign of the slope."""
        sign = self.flow.samples[3]
        return float(sign[sign.size // 2])

    def tails(self, t: Array, y: Array) -> tuple[Array, Array]:
        """Distribution function of the law at y(t) and its complement."""
        below, above = self.flow.start_tails(t)
        return (below, above) if self.direction > 0 else (above, below)

    def invert(self, y: Array) -> Array:
        """Starting points whose images are y."""
        left, right = self.flow.covering(float(y.min()), float(y.max()))
        t = np.unique(np.concatenate([[left, right], self.flow.samples[0]]))
        images = np.maximum.accumulate(self.flow(t)[0] * self.direction)
        start = between(t, images, y * self.direction, False)
        return solve(self.flow, y, start, np.full(y.size, self.direction))


def solve(flow: Flow, y: Array, start: tuple[Array, Array, Array, Array], rising: Array) -> Array:
    """Points with image y on a branch where the map rises or falls: bracketed Newton.

    start : ends of the brackets, first guesses, and the lengths over which the slope changes, see `between`.
    A Newton move that is small against the last is followed by one below rounding: the point is found.
    """
    left, right, guess, scale = start
    lo, hi, t = left.copy(), right.copy(), guess.copy()
    live = np.arange(y.size)
    last = np.full(y.size, np.inf)
    for _ in range(200):
        image, log_slope, _ = flow(t[live])
        gap = (image - y[live]) * rising[live]
        hi[live] = np.where(gap >= 0, t[live], hi[live])
        lo[live] = np.where(gap <= 0, t[live], lo[live])
        with np.errstate(over="ignore", invalid="ignore"):
            newton = gap * np.exp(-log_slope)
        following = t[live] - newton
        found = (gap == 0) | (np.abs(newton) <= SETTLED * scale[live] + 4e-16 * np.abs(t[live]))
        slow = ~(np.abs(newton) <= 0.5 * last[live])
        outside = ~((following > lo[live]) & (following < hi[live]))
        following = np.where((outside | slow) & ~found, 0.5 * (lo[live] + hi[live]), following)
        last[live] = np.abs(following - t[live])
        still = ~found & (last[live] > 4e-16 * (abs(t[live]) + 1e-300)) & (lo[live] < hi[live])
        t[live] = np.where(gap == 0, t[live], np.clip(following, left[live], right[live]))
        live = live[still]
        if live.size == 0:
            break
    return t


def between(t: Array, image: Array, at: Array, turning: bool) -> tuple[Array, Array, Array, Array]:
    """Ends of pieces of t whose images (increasing) enclose the images ``at``, where they are if the map is
    straight there, and the lengths over which its slope changes: in the outermost pieces of a map that is
    ``turning`` at their ends it is a parabola.
    """
    i = np.clip(np.searchsorted(image, at), 1, t.size - 1)
    share = np.clip((at - image[i - 1]) / np.maximum(image[i] - image[i - 1], 1e-300), 0.0, 1.0)
    scale = t[i] - t[i - 1]
    if turning:
        first, last = i == 1, i == t.size - 1
        share = np.where(first, np.sqrt(share), np.where(last, 1.0 - np.sqrt(1.0 - share), share))
        scale = scale * np.where(first, share, np.where(last, 1.0 - share, 1.0))
    return t[i - 1], t[i], t[i - 1] + share * (t[i] - t[i - 1]), scale


@dataclass(frozen=True, eq=False)
class FoldedChart(Accurate):
    """Integrals over the law of y(t) when the map folds, in a variable u: interval i is u in [i, i + 1]."""

    flow: Flow
    features: Array
    zones: Array | None = None
    last: list[tuple[Array, tuple[Index, Index, Array]]] = field(default_factory=list, repr=False)

    @cached_property
    def samples(self) -> tuple[Array, Array, Array, Array]:
        """(t, y, log slope, sign) over the start and, if the features lie beyond its images, as far as they
        ask: the map may turn there too, if not too often to be followed.
        """
        table = np.stack(self.flow.samples)
        if self._followed:
            table = np.concatenate([table, self._outside], axis=1)
            table = table[:, np.unique(table[0], return_index=True)[1]]
        t, y, log_slope, sign = table
        return t, y, log_slope, sign

    @cached_property
    def _outside(self) -> Array:
        """The same on either side of the start."""
        y = self.flow.samples[1]
        low, high = min(float(self.features.min()), y.min()), max(float(self.features.max()), y.max())
        return self.flow.outside(*_wide(self.flow, low, high))

    @cached_property
    def _followed(self) -> bool:
        """Whether the turns of the map beyond the start are few enough."""
        sign = self._outside[3]
        return bool(np.count_nonzero(sign[1:] * sign[:-1] <= 0) <= 2 * TURNS)

    def ceiling(self, y: Array, logp: Array) -> Array:
        """See `Chart`: preimages beyond the start may be missing, and how mass is spread where it is torn."""
        known = logp if self._followed else np.where(logp < -DOUBT, -DOUBT, logp)
        level = self._level(y) + 1.0
        return np.where(logp < level, np.maximum(level, known), known)

    def lost(self, y: Array, log_slope: Array, logp: Array) -> Array | None:
        """See `Chart`: preimages are known to some roundings, and so are images next to an inverse square
        root; how mass is spread where the map is torn is not known.
        """
        which, branch, t = self.preimages(y)
        here, torn = self._terms(branch, t), self.tears[branch]
        away = ROUNDINGS * np.abs(t)
        off = np.maximum(*(np.abs(self._terms(branch, t + shift) - here) for shift in (away, -away)))
        at = np.clip(np.searchsorted(self.cuts, y), 1, self.cuts.size - 1)
        beside = np.minimum(np.abs(y - self.cuts[at - 1]), np.abs(y - self.cuts[at]))
        total = np.minimum(2.0**-52 * np.abs(y) / np.maximum(beside, 1e-300), 1.0)
        with np.errstate(under="ignore", invalid="ignore"):
            share = np.exp(np.minimum(here - logp[which], 0.0))
            np.add.at(total, which, share * np.where(torn, 1.0, off))
        return total

    def _terms(self, branch: Index, t: Array) -> Array:
        """Logarithms of p_0/|slope| at points of the branches."""
        log_slope = np.where(self.tears[branch], self._spread[branch], self.flow(t)[1])
        return np.asarray(self.flow.start_logpdf(t) - log_slope)

    @cached_property
    def tears(self) -> NDArray[np.bool_]:
        """Branches on which the map is torn: from one float to the next."""
        t = self.samples[0]
        return np.isin(self.branches[0], t[torn(*self.samples)])

    @cached_property
    def _spread(self) -> Array:
        """Log slope of each branch, were it straight."""
        left, right, first, last, _ = self.branches
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(np.abs(last - first)) - np.log(right - left))

    def _level(self, y: Array) -> Array:
        """Largest log density of the torn branches with images y."""
        left, _, first, last, _ = self.branches
        level = np.full(y.size, -np.inf)
        for b in np.flatnonzero(self.tears):
            inside = (y >= min(first[b], last[b])) & (y <= max(first[b], last[b]))
            density = float(self.flow.start_logpdf(left[b : b + 1])[0] - self._spread[b])
            level = np.where(inside, np.maximum(level, density), level)
        return level

    @cached_property
    def critical(self) -> Array:
        """Starting points where the map turns."""
        t, _, _, sign = self.samples
        ends = torn(*self.samples)
        at = np.flatnonzero(sign[1:] * sign[:-1] <= 0)
        lo, hi, below = t[at], t[at + 1], sign[at]
        for _ in range(60):
            middle = 0.5 * (lo + hi)
            same = self.flow(middle)[2] == below
            lo, hi = np.where(same, middle, lo), np.where(same, hi, middle)
        return np.unique(np.concatenate([0.5 * (lo + hi), t[ends], t[ends + 1]]))

    @cached_property
    def branches(self) -> tuple[Array, Array, Array, Array, Array]:
        """(left, right, image of left, image of right, direction) of each monotone piece of the map. Images
        that differ from a cut by rounding are there: beyond it a branch would have the density of its turn.
        """
        ends, images = self._ends
        below = self.cuts[np.searchsorted(self.cuts, images, side="right") - 1]
        images = np.where(images - below <= 2.0 * SAME * np.abs(self.cuts).max(), below, images)
        return ends[:-1], ends[1:], images[:-1], images[1:], np.sign(images[1:] - images[:-1])

    @cached_property
    def _ends(self) -> tuple[Array, Array]:
        """Ends of the monotone pieces of the map, and their images."""
        t = self.samples[0]
        ends = np.concatenate([t[:1], self.critical, t[-1:]])
        return ends, self.flow(ends)[0]

    @cached_property
    def known(self) -> tuple[tuple[Array, Array], ...]:
        """Starting points on each branch and their images times its direction, both increasing."""
        t, y, _, _ = self.samples
        found = []
        for left, right, first, last, rising in zip(*self.branches, strict=True):
            inside = (t > left) & (t < right)
            images = np.concatenate([[first], y[inside], [last]]) * rising
            found.append((np.concatenate([[left], t[inside], [right]]), np.maximum.accumulate(images)))
        return tuple(found)

    @cached_property
    def cuts(self) -> Array:
        """Ends of the intervals of images. Folds of a later step have one image from several starting points,
        but for rounding: between two such images there is nothing.
        """
        images = self._ends[1]
        found = np.unique(np.concatenate([[images.min(), images.max()], images[1:-1]]))
        return np.asarray(found[np.append(True, np.diff(found) > SAME * np.abs(found).max())])

    @cached_property
    def _turning(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Whether branches begin at each cut, and whether they end there."""
        _, _, first, last, _ = self.branches
        near = 2.0 * SAME * np.abs(self.cuts).max()
        begins, ends = (
            np.abs(self.cuts[:, None] - images).min(axis=1) <= near
            for images in (np.minimum(first, last), np.maximum(first, last))
        )
        return begins, ends

    @cached_property
    def edges(self) -> Array:
        """Panel ends in u."""
        cuts = self.cuts
        inner = self.features[(self.features > cuts[0]) & (self.features < cuts[-1])]
        i = np.clip(np.searchsorted(cuts, inner) - 1, 0, cuts.size - 2)
        share = np.clip((inner - cuts[i]) / (cuts[i + 1] - cuts[i]), 0.0, 1.0)
        u = i + np.arcsin(np.sqrt(share)) * 2.0 / np.pi
        return np.unique(np.concatenate([np.arange(cuts.size, dtype=np.float64), u]))

    def nodes(self, u: Array) -> tuple[Array, Array, Array]:
        """(y, log |dy/du|, log density of the law at y)."""
        cuts = self.cuts
        i = np.clip(np.floor(u).astype(np.int64), 0, cuts.size - 2)
        share, length = np.clip(u - i, 1e-15, 1.0 - 1e-15), cuts[i + 1] - cuts[i]
        opens, closes = self._turning[0][i], self._turning[1][i + 1]
        size = np.maximum(np.abs(cuts[i]), np.abs(cuts[i + 1]))
        close = np.clip(2.0 / np.pi * np.sqrt(BESIDE * 2.0**-52 * size / length), CLOSE, 0.25)
        kept = np.clip(share, np.where(opens, close, 0.0), np.where(closes, 1.0 - close, 1.0))
        near = length * np.sin(0.5 * np.pi * np.minimum(kept, 1.0 - kept)) ** 2  # from the nearer end
        y = np.where(kept <= 0.5, cuts[i] + near, cuts[i + 1] - near)
        y = np.clip(y, np.nextafter(cuts[i], np.inf), np.nextafter(cuts[i + 1], -np.inf))
        log_slope = np.log(0.5 * np.pi * length * np.sin(np.pi * share))
        at_kept = np.log(0.5 * np.pi * length * np.sin(np.pi * kept))
        logp = self.logpdf(y)
        return y, log_slope, np.where(kept == share, logp, logp + at_kept - log_slope)

    def preimages(self, y: Array) -> tuple[Index, Index, Array]:
        """(index into y, branch, starting point) of every preimage; those of the last y are remembered."""
        if self.last and self.last[0][0] is y:
            return self.last[0][1]
        _, _, first, last, rising = self.branches
        low, high = np.minimum(first, last), np.maximum(first, last)
        inside = (y[:, None] > low) & (y[:, None] < high)
        which, branch = (found.astype(np.intp) for found in np.nonzero(inside))
        start = np.empty((4, which.size))
        for b in np.unique(branch):
            mine = branch == b
            t, images = self.known[b]
            start[:, mine] = between(t, images, y[which[mine]] * rising[b], True)
        lo, hi, guess, scale = start
        found = which, branch, solve(self.flow, y[which], (lo, hi, guess, scale), rising[branch])
        self.last[:] = [(y, found)]
        return found

    def logpdf(self, y: Array) -> Array:
        """Log density of the law: log of the sum over preimages of p_0/|slope|."""
        which, branch, t = self.preimages(y)
        terms = self._terms(branch, t)
        top = np.full(y.size, -np.inf)
        np.maximum.at(top, which, terms)
        total = np.zeros(y.size)
        np.add.at(total, which, np.exp(terms - top[which]))
        with np.errstate(divide="ignore"):
            return np.asarray(np.where(total > 0, top + np.log(total), -np.inf))

    def tails(self, u: Array, y: Array) -> tuple[Array, Array]:
        """Distribution function of the law at y and its complement."""
        left, right, first, last, rising = self.branches
        low, high = np.minimum(first, last), np.maximum(first, last)
        below_left, above_left = self.flow.start_tails(left)
        below_right, above_right = self.flow.start_tails(right)
        mass = np.where(above_left < 0.5, above_left - above_right, below_right - below_left)
        cdf: Array = (y[:, None] >= high).astype(np.float64) @ mass
        sf: Array = (y[:, None] <= low).astype(np.float64) @ mass
        which, branch, t = self.preimages(y)
        below, above = self.flow.start_tails(t)
        lower = np.where(above_left[branch] < 0.5, above_left[branch] - above, below - below_left[branch])
        upper = mass[branch] - lower
        up = rising[branch] > 0
        np.add.at(cdf, which, np.where(up, lower, upper))
        np.add.at(sf, which, np.where(up, upper, lower))
        return cdf, sf


def _wide(flow: Flow, low: float, high: float) -> tuple[float, float]:
    """Starting points on either side of all samples whose images lie outside [low, high] or carry no mass."""
    first, last = left, right = flow.ends
    for _ in range(60):
        images = flow(np.array([left, right]))[0]
        if min(images) <= low and max(images) >= high:
            break
        middle, half = 0.5 * (left + right), 0.75 * (right - left)
        if half > 1e3 * (last - first):
            break
        left, right = middle - half, middle + half
    return left, right
