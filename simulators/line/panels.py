"""Compiled Gauss panels for one step: where uniform nodes would be too many, or the score error jumps."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled
from simulators.line.kernels import learned_score
from simulators.line.nodes import FAINT, ROWS, fill
from simulators.line.spacing import needed_spacing, switches

__all__ = ["PANEL", "place_panels"]

Array = NDArray[np.float64]

NODES = 16
GAUSS_X, GAUSS_W = np.polynomial.legendre.leggauss(NODES)
BEND, TURN = 0.8, 0.53  # by how much first panels are uneven; turns of it for one more of the accuracy
PANEL = 0.5  # a panel of 16 Gauss nodes does the work of 16 PANEL uniform ones


@compiled(inline=True)
def _bent(u: float, bend: float) -> float:
    return u + bend * u * (1.0 - u)


@compiled()
def place_panels(
    weights: Array,
    means: Array,
    sds: Array,
    reach: float,
    depth: float,
    coarsest: float,
    ends: Array,
    jumps: Array,
    mu: Array,
    inv: Array,
    lw: Array,
    mu2: Array,
    inv2: Array,
    lw2: Array,
    error: Array,
    step: Array,
    smooth: float,
    spread: float,
    log_accuracy: float,
    slack: float,
    offset: float,
    most: float,
) -> tuple[Array, float, float, float]:
    """The same on Gauss panels that are halved until each meets its own needed spacing.

    Panels end at the jumps of the score error, and near a point where two components of the score's mixture
    change places they are at most twice as long as their distance to it, unless the rule there allows more.
    Halving gives the same panels for a range of accuracies; uneven first ones, whose lengths depend on the
    accuracy, let two accuracies err apart.
    Returns (values, pairs visited, smallest needed spacing, largest used over needed); stops after ``most``
    pairs.
    """
    capacity, used = 4096, 0
    out = np.empty((ROWS, capacity))
    tiny, near = math.exp(-depth), reach * sds.max()
    work = np.empty((9, NODES))
    turns = switches(mu, inv, lw)
    if error[9] != 0.0:
        turns = np.concatenate((turns, switches(mu2, inv2, lw2)))
    stack = np.empty((256, 3))
    panel = np.empty((ROWS, max(NODES, turns.size)))
    limits = np.full(turns.size, np.inf)
    pairs, least, margin = 0.0, np.inf, 0.0
    bend = TURN * log_accuracy
    bend = BEND * (bend - math.floor(bend) - 0.5)
    if turns.size:
        wide = np.empty((9, turns.size))
        panel[0, : turns.size] = turns
        fill(weights, means, sds, np.inf, panel[0, : turns.size], panel[2, : turns.size])
        learned_score(
            turns, mu, inv, lw, mu2, inv2, lw2, error,
            panel[3, : turns.size], panel[4, : turns.size],
            panel[5, : turns.size], panel[6, : turns.size], wide,
        )  # fmt: skip
        for i in range(turns.size):
            if panel[2, i] > tiny or panel[6, i] > -depth:
                limits[i] = needed_spacing(panel[:, i : i + 1].copy(), step, smooth, spread, log_accuracy)[0]
    cuts = np.empty(2 * ends.shape[0] + 2)
    for zone in range(ends.shape[0]):
        cuts[0], cuts[1], cuts[2], cuts[3] = ends[zone, 0], jumps[0], jumps[1], ends[zone, 1]
        for i in range(1, 3):
            cuts[i] = min(max(cuts[i], ends[zone, 0]), ends[zone, 1])
        for part in range(3):
            length = cuts[part + 1] - cuts[part]
            if length <= 0.0:
                continue
            pieces = int(length / (coarsest * NODES * PANEL) + offset) + 1
            for piece in range(pieces):
                top = 1
                stack[0, 0] = cuts[part] + length * _bent(piece / pieces, bend)
                stack[0, 1] = cuts[part] + length * _bent((piece + 1) / pieces, bend)
                stack[0, 2] = 0.0
                while top > 0:
                    top -= 1
                    left, right, level = stack[top, 0], stack[top, 1], stack[top, 2]
                    half = 0.5 * (right - left)
                    for k in range(NODES):
                        panel[0, k], panel[1, k] = left + half * (1.0 + GAUSS_X[k]), half * GAUSS_W[k]
                    pairs += fill(weights, means, sds, near, panel[0, :NODES], panel[2, :NODES])
                    pairs += 2.0 * NODES * mu.size
                    if pairs > most:
                        return out[:, :used].copy(), pairs, least, margin
                    learned_score(
                        panel[0, :NODES], mu, inv, lw, mu2, inv2, lw2, error,
                        panel[3, :NODES], panel[4, :NODES], panel[5, :NODES], panel[6, :NODES], work,
                    )  # fmt: skip
                    needed = np.inf
                    kept = 0
                    for k in range(NODES):
                        if panel[2, k] > tiny or (panel[6, k] > -depth and panel[2, k] > FAINT):
                            for row in range(ROWS):
                                panel[row, kept] = panel[row, k]
                            kept += 1
                    if kept == 0:
                        continue
                    needed = needed_spacing(panel[:, :kept].copy(), step, smooth, spread, log_accuracy)[0]
                    least = min(least, needed)
                    for i in range(turns.size):
                        away = max(max(left - turns[i], turns[i] - right), 0.0)
                        needed = min(needed, max(limits[i], 2.0 * away / (NODES * PANEL)))
                    spacing = 2.0 * half / (NODES * PANEL)
                    if spacing > needed * slack and level < 60.0 and top < 250:
                        middle = left + half
                        stack[top, 0], stack[top, 1], stack[top, 2] = middle, right, level + 1.0
                        stack[top + 1, 0], stack[top + 1, 1], stack[top + 1, 2] = left, middle, level + 1.0
                        top += 2
                        continue
                    margin = max(margin, spacing / needed)
                    if used + kept > capacity:
                        bigger = np.empty((ROWS, 2 * capacity))
                        bigger[:, :used] = out[:, :used]
                        out, capacity = bigger, 2 * capacity
                    out[:, used : used + kept] = panel[:, :kept]
                    used += kept
    return out[:, :used].copy(), pairs, least, margin
