"""From settings to flat arrays of steps, ready for the kernels.

Each group (a setting, or a setting whose last step must hold its reference) becomes a run of micro-steps
between nodes. A node carries the forward decay at its time; a step carries a row of coefficients, evaluated
once for each distinct length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from simulators.batch import Batch, Setting, corrector_of
from simulators.errors import InputError
from simulators.exppoly import UNIT, ExpPoly
from simulators.grids import Grid
from simulators.samplers import SAMPLERS
from simulators.samplers.scheme import Composite, CriticallyDamped, Heun, Kinetic, OneStage, Sampler
from simulators.score_errors import profile_weights

__all__ = ["Lanes", "Schedule", "groups_of", "portions", "schedule", "tasks_of", "times_of"]

Array = NDArray[np.float64]
Index = NDArray[np.int64]
LONGEST = 300.0  # e^{2h} of a reverse step must stay representable
STEPS_AT_ONCE = 1_000_000
COLUMNS = 13  # coefficients a row can hold, and the bound on their errors
WIDTH = 256  # lanes a task, so that the state of a task stays in the first cache

ONE_STAGE, KINETIC, REFRESH = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Schedule:
    """Micro-steps of several groups; the nodes of group g start at first[g] + g.

    row, kind, weight : per step: coefficient row, kind (one-stage, kinetic, kinetic after a velocity
                        refresh), weight p of the score error.
    next_weight       : per step, the weight at its far end (two-stage samplers).
    table             : coefficient rows; the last column bounds their relative errors in units of 2^-53.
    time, decay2, rise2, decay : per node: tau, e^{-2 tau}, 1 - e^{-2 tau}, e^{-tau}.
    slack             : per node, relative error of e^{-2 tau} due to the time alone, in units of 2^-53.
    adapted           : per group, 1 if weights are e^{-tau}/S instead.
    """

    first: Index
    row: Index
    kind: Index
    weight: Array
    next_weight: Array
    table: Array
    time: Array
    decay2: Array
    rise2: Array
    decay: Array
    slack: Array
    adapted: Array


@dataclass(frozen=True, eq=False)
class Lanes:
    """The lanes (case, eigenspace) of a batch sorted by group: ``case``, ``space`` index them, ``group`` is
    nondecreasing.
    """

    case: Index
    space: Index
    group: Index


@dataclass(frozen=True)
class _Track:
    """One group before flattening."""

    times: Array
    lengths: Array
    kind: Index
    source: Index  # which coefficient function: 0 reverse step, 1 held last step, 2 corrector
    grid_index: Index
    friction: float
    time_ulps: float
    constant: bool = False  # all steps are alike, apart from correctors


def groups_of(batch: Batch, *, hold: bool = True) -> tuple[list[tuple[Setting, bool]], Lanes]:
    """Groups (setting, held) of a batch and its lanes in group order.

    hold : whether a case that ends on a singular law (S = 0 at tau_N = 0) is held: its last step is measured
           against q at tau_{N-1}.
    """
    singular = (
        np.any((batch.eigenvalues == 0) & (batch.multiplicities > 0), axis=1) & (batch.stop == 0) & hold
    )
    code = 2 * batch.setting_index + singular
    present, group = np.unique(code, return_inverse=True)
    groups = [(batch.settings[int(c) // 2], bool(c % 2)) for c in present]
    order = np.argsort(group, kind="stable")
    case = np.repeat(order, batch.B)
    space = np.tile(np.arange(batch.B), batch.C)
    real = batch.multiplicities[case, space] > 0
    return groups, Lanes(case[real], space[real], group[case[real]])


def times_of(batch: Batch, time: float | Array | str) -> Array:
    """A forward time for each case."""
    if isinstance(time, str):
        named: dict[str, float | Array] = {
            "target": 0.0,
            "gamma": np.inf,
            "T": batch.horizon,
            "delta": batch.stop,
        }
        if time not in named:
            raise InputError("time", time, f"expected a number or one of {', '.join(named)}")
        return np.array(np.broadcast_to(named[time], (batch.C,)))
    return np.array(np.broadcast_to(np.asarray(time, dtype=np.float64), (batch.C,)))


def tasks_of(lanes: Lanes, groups: int, width: int = WIDTH) -> Index:
    """Rows (group, first lane, number of lanes), at most ``width`` lanes each."""
    starts = np.searchsorted(lanes.group, np.arange(groups + 1))
    rows = [
        (g, at, min(width, b - at))
        for g, (a, b) in enumerate(pairwise(starts.tolist()))
        for at in range(a, b, width)
    ]
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def portions(groups: list[tuple[Setting, bool]]) -> Iterator[slice]:
    """Runs of groups with a bounded number of steps together."""
    start, total = 0, 0
    for i, (setting, _) in enumerate(groups):
        total += setting.grid.N
        if total > STEPS_AT_ONCE and i > start:
            yield slice(start, i)
            start, total = i, setting.grid.N
    yield slice(start, len(groups))


def schedule(
    sampler_name: str, groups: list[tuple[Setting, bool]], functions: tuple[ExpPoly, ...] | None = None
) -> Schedule:
    """Flatten the groups; raises InputError where a step is too long or a score does not exist.

    functions : what the rows of the table hold, instead of the sampler's own coefficients.
    """
    sampler = SAMPLERS[sampler_name]
    tracks = [_track(sampler, setting, held) for setting, held in groups]
    counts = np.array([len(t.lengths) for t in tracks])
    time = np.concatenate([t.times for t in tracks])
    ulps = np.repeat([t.time_ulps for t in tracks], counts + 1)
    weights = [_weights(setting) for setting, _ in groups]
    row, table = _table(sampler, tracks, functions)
    return Schedule(
        first=np.concatenate([[0], np.cumsum(counts)]),
        row=row,
        kind=np.concatenate([t.kind for t in tracks]),
        weight=np.concatenate([w[t.grid_index] for w, t in zip(weights, tracks, strict=True)]),
        next_weight=np.concatenate(
            [w[np.minimum(t.grid_index + 1, len(w) - 1)] for w, t in zip(weights, tracks, strict=True)]
        ),
        table=table,
        time=time,
        decay2=np.exp(-2 * time),
        rise2=-np.expm1(-2 * time),
        decay=np.exp(-time),
        slack=2 * time * ulps,
        adapted=np.array([1.0 if setting.profile == "adapted" else 0.0 for setting, _ in groups]),
    )


def _weights(setting: Setting) -> Array:
    if setting.profile == "adapted":
        return np.zeros(setting.grid.N)
    return profile_weights(setting.profile, setting.grid.N)


def _track(sampler: Sampler, setting: Setting, held: bool) -> _Track:
    grid, N = setting.grid, setting.grid.N
    index, zeros = np.arange(N), np.zeros(N, dtype=np.int64)
    even = grid.kind == "uniform"
    if not getattr(sampler, "reverse", True):
        kind = zeros + KINETIC if isinstance(sampler, Kinetic) else zeros
        friction = dict(setting.options).get("gamma_friction", 2.0)
        return _Track(np.zeros(N + 1), grid.steps, kind, zeros, index, friction, 0.0, even)
    if grid.max_step > LONGEST:
        raise InputError("h", grid.max_step, f"expected reverse steps <= {LONGEST:g}")
    if held and isinstance(sampler, Heun | Composite):
        expected = "expected > 0, or delta > 0: the sampler uses the score of the singular target"
        raise InputError("eigenvalue", 0.0, expected)
    if not held:
        track = _Track(grid.times, grid.steps, zeros, zeros, index, 0.0, grid.time_ulps, even)
        return _interleaved(track, sampler, setting, grid) if isinstance(sampler, Composite) else track
    source = np.where(index == N - 1, 1, 0)
    times = np.concatenate([grid.times[:-1], grid.times[-2:-1]])
    return _Track(times, grid.steps, zeros, source, index, 0.0, grid.time_ulps)


def _interleaved(track: _Track, sampler: Composite, setting: Setting, grid: Grid) -> _Track:
    """Insert the corrector steps of a composite sampler after the predictor steps that end a block."""
    plan = corrector_of(sampler.name, setting)
    ends = np.array(plan.after)
    counts = np.ones(grid.N, dtype=np.int64)
    counts[ends] += plan.count
    owner = np.repeat(track.grid_index, counts)
    starts = np.cumsum(counts) - counts
    correcting = np.ones(len(owner), dtype=bool)
    correcting[starts] = False
    kinetic = isinstance(sampler.corrector, Kinetic)
    kind = np.where(correcting, KINETIC if kinetic else ONE_STAGE, track.kind[owner])
    if kinetic:
        kind[starts[ends] + 1] = REFRESH
    return replace(
        track,
        times=np.concatenate([track.times[:1], track.times[owner + 1]]),
        lengths=np.where(correcting, plan.step, track.lengths[owner]),
        kind=kind,
        source=np.where(correcting, 2, track.source[owner]),
        grid_index=owner,
        friction=plan.friction,
    )


def _table(
    sampler: Sampler, tracks: list[_Track], functions: tuple[ExpPoly, ...] | None
) -> tuple[Index, Array]:
    """Row numbers and coefficient rows, one row for each distinct length and label.

    The label of a step is its friction (> 0) if it is kinetic, else minus its source.
    """
    parts = [_keys(t) for t in tracks]
    before = np.cumsum([0, *(len(keys) for keys, _ in parts)])
    lengths, labels, number = _distinct(np.concatenate([keys for keys, _ in parts]))
    row = number[np.concatenate([at + own for at, (_, own) in zip(before, parts, strict=False)])]
    if functions is not None:
        return row.astype(np.int64), _function_rows(functions, lengths)
    table = np.zeros((len(lengths), COLUMNS))
    for code in (0, 1, 2):
        mine = labels == -code
        if bool(np.any(mine)):
            table[mine] = _rows(_scheme(sampler, code), lengths[mine], labels[mine])
    mine = labels > 0
    if bool(np.any(mine)):
        table[mine] = _rows(_scheme(sampler, 2), lengths[mine], labels[mine])
    return row.astype(np.int64), table


def _keys(track: _Track) -> tuple[NDArray[np.complex128], Index]:
    """Length + i label of some steps, and which of them each step is like."""
    if track.constant:
        own = (track.source == 2).astype(np.int64)
        some = np.unique(np.array([0, int(np.argmax(own))]))
    else:
        own = some = np.arange(len(track.lengths))
    label = np.where(track.kind[some] != ONE_STAGE, track.friction, -track.source[some])
    keys: NDArray[np.complex128] = track.lengths[some] + 1j * label
    return keys, own


def _distinct(keys: NDArray[np.complex128]) -> tuple[Array, Array, Index]:
    """Lengths and labels that differ, and the number of each key among them."""
    labels = keys.imag
    if bool((labels == labels[0]).all()):  # real numbers are sorted much faster
        lengths, number = np.unique(keys.real, return_inverse=True)
        return lengths, np.full(lengths.shape, labels[0]), number
    distinct, number = np.unique(keys, return_inverse=True)
    return distinct.real, distinct.imag, number


def _scheme(sampler: Sampler, code: int) -> Sampler:
    if isinstance(sampler, Composite):
        return sampler.corrector if code == 2 else sampler.predictor
    if code == 1 and isinstance(sampler, OneStage):
        return replace(sampler, reverse=False)
    return sampler


def _rows(scheme: Sampler, h: Array, friction: Array) -> Array:
    """Coefficients in the leading columns, the bound on their relative errors in the last."""
    rows = np.zeros((len(h), COLUMNS))
    if isinstance(scheme, Kinetic):
        damped, drift, error = _kinetic(scheme, h, friction)
        rows[:, 0], rows[:, 1], rows[:, 2], rows[:, -1] = (
            damped,
            damped / friction,
            drift / friction**2,
            error + 4,
        )
        return rows
    assert isinstance(scheme, OneStage | Heun | CriticallyDamped)
    return _function_rows(scheme.table, h)


def _function_rows(functions: tuple[ExpPoly, ...], h: Array) -> Array:
    values, errors = _evaluated(functions, h, 2.0)
    rows = np.zeros((len(h), COLUMNS))
    rows[:, : len(values)] = np.stack(values, axis=1)
    rows[:, -1] = errors
    return rows


def _kinetic(scheme: Kinetic, h: Array, friction: Array) -> tuple[Array, Array, Array]:
    (damped, drift), error = _evaluated(scheme.table, friction * h, 4.0)
    return damped, drift, error


def _evaluated(functions: tuple[ExpPoly, ...], h: Array, h_ulps: float) -> tuple[list[Array], Array]:
    values, worst = [], np.zeros(len(h))
    for function in functions:
        value, error = function.bounded(h, h_ulps)
        values.append(value)
        worst = np.maximum(worst, error / UNIT)
    return values, worst
