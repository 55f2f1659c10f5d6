"""Operations on log densities: on the line, and on (x, v) sheets.

Spacings in x follow the nearest pole of the score and the sharpest curvature of the log density, those in v
the trapezoidal rule for the noise of the step; both shrink with the level. The range follows the mass. Raises
`LineError` where mass is lost or a map folds; callers refine and retry.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, exp, hypot, log, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from simulators.line.checks import FoldFound, PoleTooClose, TooMuchWork, check_mass, check_range
from simulators.line.fine import HERMITE_W, HERMITE_X, RULE_ENDS, RULES
from simulators.line.mixture_kernels import mixture_logpdf, sorted_pdf
from simulators.line.scores import Mixture, table
from simulators.phase.kernels import (
    EMPTY,
    carry,
    curvatures,
    mend,
    mix_evenly,
    mix_positions,
    mix_velocities,
    sample_row,
)
from simulators.phase.plan import Kick, Noise, Transport

__all__ = ["Aim", "Row", "Sheet", "begin", "drop", "kicked", "lift", "noised", "sharpness", "transported"]

Array = NDArray[np.float64]

MASS = 1e-7
FLAT = 0.05  # smallest slope of a map
SEEN = 30.0  # log density down to which detail counts
MARGIN = 15.0  # of log density kept accurate beyond the depth
WORK_A_NODE = 60.0
LEAST = 33  # points of a grid
FURTHEST = 38.6  # node whose weight is not zero


@dataclass(frozen=True)
class Aim:
    """level : digits asked for, as a natural logarithm. slack, offset, depth : as in `Setup`."""

    level: float
    slack: float = 1.0
    offset: float = 0.0
    depth: float = 50.0
    work_limit: float = 4e9

    @property
    def deep(self) -> float:
        """Log density down to which grids are accurate."""
        return self.depth + MARGIN

    def spacing(self, pole: float, smooth: float) -> float:
        """Of positions."""
        return min(1.2 * pole, 5.0 * smooth) / self.level * self.slack

    def sums(self, sharpness: float) -> float:
        """Of a trapezoidal rule for an integrand whose detail is 1/sharpness."""
        return 0.75 * 2.0 * pi / (sharpness * sqrt(2.0 * self.level)) * self.slack


@dataclass(frozen=True, eq=False)
class Row:
    """Log density on the line at left + i dx. defect : the largest mass defect so far; work : so far."""

    logp: Array
    left: float
    dx: float
    defect: float = 0.0
    work: float = 0.0

    @cached_property
    def x(self) -> Array:
        """Positions."""
        return spread(self.left, self.dx, self.logp.size)

    @cached_property
    def smooth(self) -> float:
        """Length of the sharpest detail."""
        bend = -np.diff(self.logp, 2)[self.logp[1:-1] > -SEEN]
        return self.dx / sqrt(max(float(bend.max(initial=0.0)), 1e-12))

    def at(self, x: Array) -> Array:
        """Log density at x."""
        return sample_row(self.logp, (x - self.left) / self.dx)


@dataclass(frozen=True, eq=False)
class Sheet:
    """Log density at (left + i dx, v_j), rows of constant velocity; defect, work : as in `Row`."""

    logp: Array
    left: float
    dx: float
    v: Array
    defect: float = 0.0
    work: float = 0.0

    @cached_property
    def x(self) -> Array:
        """Positions."""
        return spread(self.left, self.dx, self.logp.shape[1])

    @property
    def dv(self) -> float:
        """Spacing of velocities."""
        return float(self.v[1] - self.v[0])


def spread(left: float, spacing: float, count: int) -> Array:
    """Equally spaced points."""
    return np.asarray(left + spacing * np.arange(count), dtype=np.float64)


def begin(initial: Mixture, aim: Aim) -> Row:
    """The start on a grid."""
    reach = sqrt(2.0 * aim.deep)
    low = float((initial.means - reach * initial.sds).min())
    high = float((initial.means + reach * initial.sds).max())
    narrow = float(initial.sds.min())
    x = np.arange(low, high, 0.1 * narrow)[:, None]
    z = (x - initial.means) / initial.sds
    share = initial.weights / initial.sds * np.exp(0.5 * (np.min(z * z, axis=1)[:, None] - z * z))
    share /= share.sum(axis=1)[:, None]
    scores = z / initial.sds
    variance = (share * scores**2).sum(axis=1) - (share * scores).sum(axis=1) ** 2
    left, dx, count = _laid(low, high, aim.spacing(pole_of(variance), narrow), aim.offset)
    logp = mixture_logpdf(spread(left, dx, count), *(row[0] for row in table(initial).rows))
    return _checked_row(logp, left, dx, aim, Row(logp, left, dx))


def pole_of(variance: Array) -> float:
    """Distance to the nearest zero of the law whose components' scores have these variances."""
    return 0.5 * pi / sqrt(float(variance.max(initial=0.0)) + 1e-300)


def transported(row: Row, step: Transport, aim: Aim) -> Row:
    """The law after a step without noise."""
    kept = row.logp > -aim.deep
    x = row.x[kept]
    s, ds, variance = step.score(x)
    slope, image = 1.0 + step.a + step.b * ds, x + (step.a * x + step.b * s)
    if not bool(np.all(slope > FLAT)):
        raise FoldFound(x[slope <= FLAT])
    least = float(slope.min())
    dx = aim.spacing(least * pole_of(variance), least * row.smooth)
    left, dx, count = _laid(float(image[0]), float(image[-1]), dx, aim.offset)
    y = spread(left, dx, count)
    source = np.interp(y, image, x)
    for _ in range(6):
        s, ds, _ = step.score(source)
        slope = np.maximum(1.0 + step.a + step.b * ds, FLAT)
        source = source - (source - y + (step.a * source + step.b * s)) / slope
    return _checked_row(row.at(source) - np.log(slope), left, dx, aim, row)


def noised(row: Row, step: Noise, aim: Aim) -> Row:
    """The law after an overdamped Langevin step."""
    c = sqrt(2.0 * step.h)
    kept = row.logp > -aim.deep
    low, high = float(row.x[kept][0]), float(row.x[kept][-1])
    steep = float(np.abs(1.0 + step.h * step.score(row.x[kept])[1]).max())
    dx = min(row.dx, aim.sums(hypot(1.0 / row.smooth, steep / c)))
    left, dx, count = _laid(low, high, dx, aim.offset)
    x = spread(left, dx, count)
    s, ds, variance = step.score(x)
    weights, means = np.exp(row.at(x)) * dx, x + step.h * s
    order = np.argsort(means, kind="stable")
    weights, means = weights[order], means[order]
    least = max(float((1.0 + step.h * ds).min()), 0.0)
    smooth = hypot(c, least * row.smooth)
    wide = sqrt(2.0 * aim.deep) * (smooth - least * row.smooth)
    reach = 9.5 + sqrt(2.0 * aim.deep) * c / smooth
    space = aim.spacing(pole_of(variance), smooth)
    left, dx, count = _laid(float(means[0]) - wide, float(means[-1]) + wide, space, aim.offset)
    density = sorted_pdf(spread(left, dx, count), weights, means, c, reach)
    with np.errstate(divide="ignore"):
        logp = np.maximum(np.log(density), EMPTY)
    return _checked_row(logp, left, dx, aim, row)


def lift(row: Row, step: Kick, aim: Aim) -> Sheet:
    """The law with an independent velocity from N(0, 1), close enough for the step that follows."""
    reach = sqrt(2.0 * aim.deep)
    steep = float(np.abs(step.score(row.x[row.logp > -aim.deep])[1]).max())
    sharp = max(2.0, sharpness(step, steep, row.smooth, 1.0))
    first, dv, count = _laid(-reach, reach, aim.sums(sharp), aim.offset)
    v = spread(first, dv, count)
    logp = row.logp - 0.5 * v[:, None] ** 2 - 0.5 * log(2.0 * pi)
    return Sheet(logp, row.left, row.dx, v, row.defect, row.work)


def drop(sheet: Sheet, aim: Aim) -> Row:
    """The law of positions."""
    logp = np.log(np.exp(sheet.logp).sum(axis=0) * sheet.dv)
    return _checked_row(logp, sheet.left, sheet.dx, aim, Row(logp, 0.0, 1.0, sheet.defect, sheet.work))


def kicked(sheet: Sheet, step: Kick, aim: Aim) -> Sheet:
    """The law after an underdamped step."""
    new = _layout(sheet, step, aim)
    left, dx, count = new.places
    if not (count * new.v.size * WORK_A_NODE + sheet.work < aim.work_limit):
        raise TooMuchWork(f"work={aim.work_limit:g}: the chain needs more nodes")
    tables, table_left = _tables(step, left, dx, count, sheet.v, new.seen)
    stretch = 1.0 / (step.slope * step.across)
    logp, force = carry(
        sheet.logp, sheet.left, sheet.dx, sheet.v, tables, table_left,
        step.shift, stretch, step.lean, left, dx, count,
    )  # fmt: skip
    logp, pairs = mix_velocities(logp, force, sheet.v, step.damping, step.sd_v, new.reach, new.v)
    mend(logp, aim.deep)
    logp = _blurred(logp, new.v, step, dx, step.sd_x / new.detail)
    mass = float(np.exp(logp).sum() * dx * (new.v[1] - new.v[0]))
    check_mass(mass, MASS)
    for first, last in ((logp[:, 0], logp[:, -1]), (logp[0], logp[-1])):
        check_range(exp(first.max()), exp(last.max()), 1.0, exp(-aim.depth))
    logp -= log(mass)
    mend(logp, aim.deep)
    work = sheet.work + pairs + count * new.v.size * WORK_A_NODE
    return _trimmed(Sheet(logp, left, dx, new.v, max(sheet.defect, abs(mass - 1.0)), work), aim)


@dataclass(frozen=True, eq=False)
class Layout:
    """The sheet after a step.

    places  : (left end, spacing, points) of positions. v : velocities.
    seen    : places u of the score where the sheet before has mass. detail : length on which it varies along
              x.
    reach   : of the noise of velocities, in standard deviations.
    """

    places: tuple[float, float, int]
    v: Array
    seen: Array
    detail: float
    reach: float


def _layout(sheet: Sheet, step: Kick, aim: Aim) -> Layout:
    along, across = (1.0 / sqrt(bend) for bend in curvatures(sheet.logp, sheet.dx, sheet.dv, SEEN))
    kept, reach, v = sheet.logp > -aim.deep, sqrt(2.0 * aim.deep), sheet.v
    u = step.across * (sheet.x - step.lean * v[:, None])
    line = _line(u, sheet.dx)
    s, ds, variance = step.score(line)
    inside = (line >= u[kept].min()) & (line <= u[kept].max())
    near = sheet.logp > -SEEN
    pole = pole_of(variance[(line >= u[near].min()) & (line <= u[near].max())])
    dv = aim.sums(sharpness(step, float(np.abs(ds[inside]).max()), along, across))

    def extent(places: Array, share: float, sd: float, smooth: float) -> tuple[float, float]:
        at = np.interp(u, line, places) if step.lean else places
        images = (at + share * v[:, None])[kept]
        room = reach * (hypot(sd, smooth) - smooth)
        return float(images.min()) - room, float(images.max()) + room

    image, force = step.slope * line + step.turn * s, step.pull * line + step.kick * s
    slopes = step.slope + step.after * step.pull + (step.turn + step.after * step.kick) * ds[inside]
    least = along * max(step.across * float(slopes.min()), 0.0)
    wide = hypot(step.after * step.sd_v, step.sd_x)
    ranges = (
        extent(image, step.shift, 0.0, along),
        extent(image + step.after * force, step.shift + step.after * step.damping, wide, least),
    )
    places = _laid(min(r[0] for r in ranges), max(r[1] for r in ranges), aim.spacing(pole, along), aim.offset)
    first, dv, rows = _laid(*extent(force, step.damping, step.sd_v, step.damping * across), dv, aim.offset)
    noise = 9.5 + reach * step.sd_v / hypot(step.sd_v, step.damping * across)
    return Layout(places, spread(first, dv, rows), line[inside], min(along, 0.6 * pole), noise)


def _line(u: Array, spacing: float) -> Array:
    """Points that cover places (rows of velocities, columns of positions); the columns themselves where rows
    are alike.
    """
    if u.shape[0] == 1 or bool(np.all(u[0] == u[-1])):
        return np.asarray(u[0])
    return np.linspace(u.min(), u.max(), int((u.max() - u.min()) / spacing) + 2)


def sharpness(step: Kick, steep: float, along: float, across: float) -> float:
    """One over the detail of what the sums over v add up; steep : largest slope of the score."""
    drift = step.lean - step.shift / (step.slope * step.across)
    tilt = abs(step.damping) + (abs(step.pull) + step.kick * steep) * abs(step.shift) / step.slope
    return sqrt(across**-2 + (drift / along) ** 2 + (tilt / step.sd_v) ** 2)


def _trimmed(sheet: Sheet, aim: Aim) -> Sheet:
    kept = sheet.logp > -aim.deep
    rows, columns = np.flatnonzero(np.any(kept, axis=1)), np.flatnonzero(np.any(kept, axis=0))
    i, k = int(columns[0]), max(int(columns[-1]) + 1, int(columns[0]) + LEAST)
    logp = np.ascontiguousarray(sheet.logp[rows[0] : rows[-1] + 1, i:k])
    return Sheet(
        logp, sheet.left + i * sheet.dx, sheet.dx, sheet.v[rows[0] : rows[-1] + 1], sheet.defect, sheet.work
    )


def _tables(step: Kick, left: float, dx: float, count: int, v: Array, seen: Array) -> tuple[Array, float]:
    """The tables of `simulators.phase.kernels.carry`, on a grid of t that all rows read from."""
    room = abs(step.shift) * max(abs(float(v[0])), abs(float(v[-1])))
    pad = int(room / dx) + 12
    t = spread(left - pad * dx, dx, count + 2 * pad)
    flat = FLAT * step.slope
    if not bool(np.all(step.slope + step.turn * step.score(seen)[1] > flat)):
        raise FoldFound(seen)
    u = t / step.slope
    for _ in range(6):
        s, ds, _ = step.score(u)
        u = u - (step.slope * u - t + step.turn * s) / np.maximum(step.slope + step.turn * ds, flat)
    s, ds, _ = step.score(u)
    slope = step.across * np.maximum(step.slope + step.turn * ds, flat)
    off = u / step.across - t / (step.slope * step.across)
    return np.stack([off, step.pull * u + step.kick * s, np.log(slope)]), float(t[0])


def _blurred(logp: Array, v: Array, step: Kick, dx: float, ratio: float) -> Array:
    """The noise in x added, by the mean over N(0, 1) of functions with detail 1/ratio."""
    for row, end in enumerate(RULE_ENDS):
        if ratio <= end:
            rule = HERMITE_X[row, : RULES[row]].copy(), HERMITE_W[row, : RULES[row]].copy()
            return mix_positions(logp, v, step.after, step.sd_x, dx, *rule)
    size = 0.6 / hypot(1.0, ratio) * step.sd_x / dx  # largest distance of nodes, in spacings
    stride, parts = max(1, int(size)), max(1, ceil(1.0 / size))
    gap = stride / parts * dx / step.sd_x
    half = int(min(8.6 + 10.0 * ratio, FURTHEST) / gap) + 1
    nodes = spread(-half * gap, gap, 2 * half + 1)
    weights = np.exp(-0.5 * nodes * nodes) * gap / sqrt(2.0 * pi)
    return mix_evenly(logp, v, step.after / dx, stride, parts, weights)


def _laid(low: float, high: float, spacing: float, offset: float) -> tuple[float, float, int]:
    """(left end, spacing, points) of a grid over [low, high]."""
    if not (np.isfinite(low) and np.isfinite(high) and spacing > 0):
        raise PoleTooClose(f"range={[low, high]!r}, spacing={spacing!r}: expected a finite grid")
    if (high - low) / spacing > 2e5:
        raise TooMuchWork(f"points={(high - low) / spacing:.3g}: expected at most 2e5")
    count = max(int((high - low) / spacing) + 3, LEAST)
    middle = 0.5 * (low + high) - (offset * spacing)
    return middle - 0.5 * spacing * (count - 1), spacing, count


def _checked_row(logp: Array, left: float, dx: float, aim: Aim, before: Row) -> Row:
    mass = float(np.exp(logp).sum() * dx)
    check_mass(mass, MASS)
    check_range(exp(logp[0]), exp(logp[-1]), 1.0, exp(-aim.depth))
    logp = np.ascontiguousarray(logp - log(mass))[None]
    mend(logp, aim.deep)
    kept = np.flatnonzero(logp[0] > -aim.deep)
    i, k = int(kept[0]), max(int(kept[-1]) + 1, int(kept[0]) + LEAST)
    trimmed = np.ascontiguousarray(logp[0, i:k])
    defect = max(before.defect, abs(mass - 1.0))
    return Row(trimmed, left + i * dx, dx, defect, before.work + 100.0 * logp.size)
