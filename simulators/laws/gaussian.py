"""Exact output laws of samplers on Gaussian targets, one recurrence an eigenvalue, rounding errors bounded.

In an eigenspace with reference variance S = 1 + R, R = (lam - 1)e^{-2 tau}, the sampler's variance is
S(1 + delta) and its mean mu + e. With loc = (k2 R^2 + k1 R + k0)/S (`simulators.samplers.scheme` derives it),
a = A - B/S, b = B p eta and X = (2 a + b) b S,

    delta' = delta + [(loc - Q + X) delta + loc + X]/S'
    e'     = e + (A - 1 - B/S + b) e + (A - growth) mu + B p (c + eta mu),

which never subtracts numbers of order one to get the deviation.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simulators.batch import Batch, Setting
from simulators.errors import NotDefined
from simulators.laws.kernels.heun import heun_kernel, heun_rescue
from simulators.laws.kernels.kinetic import chain_rescue, kinetic_kernel
from simulators.laws.kernels.one_stage import fast_exact, one_stage_affine, one_stage_exact
from simulators.laws.law import Law
from simulators.laws.phase import PhaseLaw, propagate_phase
from simulators.laws.steps import Lanes, Schedule, groups_of, portions, schedule, tasks_of, times_of
from simulators.samplers import SAMPLERS
from simulators.samplers.scheme import Composite, Continuous, CriticallyDamped, Forward, Heun, Kinetic

__all__ = ["forward_law", "propagate"]

Array = NDArray[np.float64]
Index = NDArray[np.int64]
UNIT = 2.0**-53
HUGE = 1e306
OVERFLOW = (1e308, 9.9e307)  # as a deviation and its error: [1e306, inf]


def propagate(batch: Batch, *, certified: bool = True) -> Law | PhaseLaw:
    """The law of the output, as deviations from the reference q at tau_N (the target for lmc and ulmc); phase
    space for cld-ei.

    certified : carry rounding bounds; otherwise rel_err = dev_err = 0 and the deviations are good to about
                1e-13 relative.
    For a case that ends at a singular law the reference is q at tau_{N-1}. A variance beyond double precision
    comes out as rel = 1e308 +- 9.9e307 (so at least 1e306 times the reference). Raises NotDefined for
    samplers without steps.
    """
    sampler = SAMPLERS[batch.sampler]
    if isinstance(sampler, Forward | Continuous):
        raise NotDefined(f"sampler={batch.sampler!r}: it takes no steps")
    if isinstance(sampler, CriticallyDamped):
        return propagate_phase(batch)
    groups, lanes = groups_of(batch)
    state = _start(batch, lanes)
    for part in portions(groups):
        chosen = groups[part]
        plan = schedule(batch.sampler, chosen)
        mine = slice(*np.searchsorted(lanes.group, [part.start, part.stop]).tolist())
        local = Lanes(lanes.case[mine], lanes.space[mine], lanes.group[mine] - part.start)
        _run(batch, plan, local, state[:, mine], certified)
    return _law(batch, groups, lanes, state)


def forward_law(batch: Batch, time: float | Array | str) -> Law:
    """The forward law at a time: a number, one a case, or "target" (0), "delta" (tau_N), "T", "gamma"
    (infinity).
    """
    return Law.forward(
        batch.eigenvalues, batch.multiplicities.astype(np.float64), batch.means, times_of(batch, time)
    )


# -- around the kernels


def _start(batch: Batch, lanes: Lanes) -> Array:
    """Rows rel, rel_err, dev, dev_err of the start, relative to the reference at the first node, in lane
    order.
    """
    case, space = lanes.case, lanes.space
    lam, mean = batch.eigenvalues[case, space], batch.means[case, space]
    T = batch.horizon[case]
    stays = not getattr(SAMPLERS[batch.sampler], "reverse", True)
    E, rise, decay = (
        (np.ones_like(T), np.zeros_like(T), np.ones_like(T))
        if stays
        else (np.exp(-2 * T), -np.expm1(-2 * T), np.exp(-T))
    )
    S = lam * E + rise
    if batch.start == "given":
        v0, m0 = (array[case, space] for array in batch.given_start)
        rel, dev = (v0 - S) / S, m0 - mean * decay
        return np.stack([rel, 24 * UNIT * (v0 + S) / S, dev, 12 * UNIT * (np.abs(m0) + np.abs(mean * decay))])
    if batch.start == "gamma":
        rel, dev = (1 - lam) * E / S, -mean * decay
    elif stays:
        rel, dev = (1 - lam) * -np.expm1(-2 * T) / S, mean * np.expm1(-T)
    else:
        rel, dev = np.zeros_like(S), np.zeros_like(S)
    return np.stack([rel, 32 * UNIT * np.abs(rel), dev, 12 * UNIT * np.abs(dev)])


def _run(batch: Batch, plan: Schedule, lanes: Lanes, state: Array, certified: bool) -> None:
    """Advance the lanes in place; those that leave the range of doubles are run again on a floating scale."""
    case, space = lanes.case, lanes.space
    lane = np.stack([a[case, space] for a in (batch.eigenvalues, batch.means, batch.shift, batch.linear)])
    nodes = np.stack([plan.decay2, plan.rise2, plan.decay, plan.slack], axis=1)
    weights = np.stack([plan.weight, plan.next_weight], axis=1)
    steps = (plan.first, plan.row, plan.kind, plan.table, nodes, weights, plan.adapted)
    kernel, rescue = _kernels(batch, certified)
    start = state.copy()
    kernel(tasks_of(lanes, len(plan.first) - 1), *steps, lane, state)
    with np.errstate(invalid="ignore"):
        lost = np.flatnonzero(~(np.max(np.abs(state), axis=0) < HUGE))
    if len(lost):
        alone = np.stack([lanes.group[lost], lost], axis=1)
        state[:, lost] = start[:, lost]
        powers = np.zeros((2, len(lost)), dtype=np.int64)
        rescue(alone, *steps, lane, state, powers)
        for row in (0, 2):
            state[row, lost], state[row + 1, lost] = _unscaled(
                state[row, lost], state[row + 1, lost], powers[row // 2]
            )
    if not certified:
        for row in (0, 2):
            state[row + 1] = np.where(np.abs(state[row]) == OVERFLOW[0], OVERFLOW[1], 0.0)


def _kernels(batch: Batch, certified: bool) -> tuple[Callable[..., None], Callable[..., None]]:
    """The kernel for many lanes, and the one with a floating scale for single lanes."""
    sampler = SAMPLERS[batch.sampler]
    part = sampler.corrector if isinstance(sampler, Composite) else sampler
    if isinstance(part, Heun):
        return heun_kernel, heun_rescue
    if isinstance(part, Kinetic):
        return kinetic_kernel, chain_rescue
    exact = one_stage_exact if certified else fast_exact
    return exact if batch.exact_score else one_stage_affine, chain_rescue


def _unscaled(value: Array, error: Array, power: Index) -> tuple[Array, Array]:
    """The number value 2^(500 power) and its error, or the overflow pair; a value that may be small or large
    of either sign is 0 +- inf.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        real, slack = np.ldexp(value, 500 * power), np.ldexp(error, 500 * power)
        least = np.ldexp(np.abs(value) - error, 500 * power)
    fits = (np.abs(real) < HUGE) & (slack < HUGE)
    certain = ~fits & (least >= HUGE)
    out = np.where(fits, real, np.where(certain, np.copysign(OVERFLOW[0], value), 0.0))
    return out, np.where(fits, slack, np.where(certain, OVERFLOW[1], np.inf))


def _law(batch: Batch, groups: list[tuple[Setting, bool]], lanes: Lanes, state: Array) -> Law:
    """Back to the order of the cases; the reference time of held cases is the last time before the end."""
    table = np.zeros((4, batch.C, batch.B))
    table[:, lanes.case, lanes.space] = state
    time = batch.stop.copy()
    for g in (i for i, (_, held) in enumerate(groups) if held):
        time[lanes.case[lanes.group == g]] = groups[g][0].grid.times[-2]
    rel, rel_err, dev, dev_err = table
    return Law(
        batch.eigenvalues,
        batch.multiplicities.astype(np.float64),
        batch.means,
        time,
        rel,
        rel_err,
        dev,
        dev_err,
    )
