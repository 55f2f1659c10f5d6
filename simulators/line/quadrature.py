"""Adaptive Gauss panels on the line.

A panel stands when it agrees with its halves, its Legendre series has decayed on both, and the series
continued to their ends meets the integrand there. Two Gauss sums over a step inside a panel may agree by
accident, but the coefficients of a step decay only like 1/n (where they decay geometrically the n-point rule
errs by the square of the last of them); a step between an end and its nearest node is seen at the end only,
where a smooth integrand differs from its series by about as much as the last coefficients. Where a slowly
decaying series hides a step, as next to a logarithm, that difference is many times as large.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ACCURATE",
    "CHEAP",
    "FINER",
    "MAX_PANELS",
    "Precision",
    "integrate",
    "integrate_panels",
    "integrate_rows",
    "panel_nodes",
    "panel_sums",
]

Array = NDArray[np.float64]
Function = Callable[[Array], Array]

NODES = 16
GAUSS_X, GAUSS_W = np.polynomial.legendre.leggauss(NODES)
SERIES = GAUSS_W[:, None] * np.polynomial.legendre.legvander(GAUSS_X, NODES - 1) * (np.arange(NODES) + 0.5)
LAST = SERIES[:, -2:].T
ENDS = np.polynomial.legendre.legvander(np.array([-1.0, 1.0]), NODES - 1) @ SERIES.T
GAP = 1.0 + GAUSS_X[0]  # from an end to its nearest node
STEP = 2.0  # last coefficients that the series may be off at an end
NOISE_SHARE = 0.03  # part of the rounding noise below which panels are not halved further
MAX_PANELS = 40_000
MAX_LEVEL = 60


@dataclass(frozen=True)
class Precision:
    """How far a distance is resolved.

    good    : relative half-width at which the law is refined no further. good_tv : absolute, for TV.
    panel   : disagreement of a panel with its halves, relative to the whole integral.
    cuts    : places, as parts of its length, where each of the first panels is cut.
    """

    good: float = 1e-9
    good_tv: float = 1e-12
    panel: float = 3e-13
    cuts: tuple[float, ...] = ()

    def edges(self, edges: Array) -> Array:
        """The first panels' ends with the cuts."""
        if not self.cuts:
            return edges
        inner = edges[:-1, None] + np.diff(edges)[:, None] * np.array(self.cuts)
        return np.unique(np.concatenate([edges, inner.ravel()]))


ACCURATE = Precision()
CHEAP = Precision(good=1e-6, good_tv=1e-9, panel=1e-8)
FINER = Precision(panel=1e-13, cuts=(0.17, 0.41, 0.78))


def panel_nodes(left: Array, right: Array) -> Array:
    """Gauss nodes of each panel, (panels, 16)."""
    half = 0.5 * (right - left)
    nodes: Array = left[:, None] + half[:, None] * (1.0 + GAUSS_X)
    return nodes


def panel_sums(f: Function, left: Array, right: Array) -> Array:
    """Gauss sums of f, one a panel."""
    t = panel_nodes(left, right)
    return np.asarray((f(t.ravel()).reshape(t.shape) @ GAUSS_W) * (0.5 * (right - left)))


def _judged(f: Function, left: Array, right: Array) -> tuple[Array, Array]:
    """Gauss sums, and what they may miss: see the module's beginning."""
    half = 0.5 * (right - left)
    ends = np.nextafter(left, right), np.nextafter(right, left)  # on the panel's side of a step at its end
    t = np.concatenate([panel_nodes(left, right), ends[0][:, None], ends[1][:, None]], axis=1)
    values = f(t.ravel()).reshape(t.shape)
    inner = values[:, :NODES]
    with np.errstate(under="ignore", over="ignore", invalid="ignore"):
        size, last = np.abs(inner).max(axis=1), np.abs(inner @ LAST.T).sum(axis=1)
        tail = last * (last / np.maximum(size, 1e-300))
        jump = np.abs(inner @ ENDS.T - values[:, NODES:]).max(axis=1)
        beside = np.where(jump > STEP * (last + 1e-13 * size), GAP * jump, 0.0)
    return np.asarray((inner @ GAUSS_W) * half), np.asarray((tail + beside) * half)


def integrate(
    f: Function,
    edges: Array,
    noise: float,
    panel: float = ACCURATE.panel,
    *,
    linear: bool = False,
    most: int = MAX_PANELS,
) -> tuple[float, float, tuple[Array, Array]]:
    """Integral of a nonnegative function: (value, disagreement with halved panels, the panels).

    See `integrate_panels`.

    >>> round(integrate(np.exp, np.array([0.0, 1.0]), 1e-16)[0], 14) == round(float(np.e) - 1.0, 14)
    True
    """
    return integrate_panels(f, edges, noise, panel, linear=linear, most=most)[:3]


def integrate_panels(
    f: Function,
    edges: Array,
    noise: float,
    panel: float = ACCURATE.panel,
    *,
    linear: bool = False,
    most: int = MAX_PANELS,
) -> tuple[float, float, tuple[Array, Array], Array]:
    """The same, with the Gauss sums of the panels.

    noise : rounding error of the square root of the integrand against a law of mass 1 (of the integrand
            itself when linear); panels are not halved below it.
    panel : disagreement allowed, relative to the whole integral. most : panels halved at most.
    """
    left, right = edges[:-1], edges[1:]
    coarse = panel_sums(f, left, right)
    done, error, count = 0.0, 0.0, 0
    leaves: list[tuple[Array, Array, Array]] = []
    for level in range(MAX_LEVEL):
        middle = 0.5 * (left + right)
        ends = np.concatenate([left, middle]), np.concatenate([middle, right])
        halves, tails = _judged(f, *ends)
        n = left.size
        fine = halves[:n] + halves[n:]
        with np.errstate(invalid="ignore"):  # infinities, which end the search
            gap = np.maximum(np.abs(fine - coarse), tails[:n] + tails[n:])
        total = done + float(fine.sum())
        floor = NOISE_SHARE * noise * (1.0 if linear else np.sqrt(np.abs(fine)))
        good = gap <= panel * total + floor + 1e-300
        count += n
        if level == MAX_LEVEL - 1 or count > most or not isfinite(total):
            good[:] = True
        done += float(fine[good].sum())
        error += float(gap[good].sum())
        keep = np.concatenate([good, good])
        leaves.append((ends[0][keep], ends[1][keep], halves[keep]))
        left, right, coarse = ends[0][~keep], ends[1][~keep], halves[~keep]
        if left.size == 0:
            break
    lefts, rights, sums = (np.concatenate(parts) for parts in zip(*leaves, strict=True))
    order = np.argsort(lefts, kind="stable")
    return done, error, (lefts[order], rights[order]), sums[order]


def integrate_rows(f: Function, edges: Array, checked: int, rtol: float = 1e-13) -> tuple[Array, Array]:
    """Integrals of the rows of f(t), (rows, len(t)), of either sign: (values, disagreements with halved
    panels).

    checked : panels are halved until each of the first rows agrees to rtol of the integral of its size.
    """

    def sums(left: Array, right: Array) -> tuple[Array, Array]:
        t = panel_nodes(left, right)
        rows = f(t.ravel())
        rows = rows.reshape(rows.shape[0], *t.shape)
        half = 0.5 * (right - left)
        return (rows @ GAUSS_W) * half, (np.abs(rows[:checked]) @ GAUSS_W) * half

    left, right = edges[:-1], edges[1:]
    coarse, _ = sums(left, right)
    value, gap, size = np.zeros(coarse.shape[0]), np.zeros(coarse.shape[0]), np.zeros(checked)
    for level in range(MAX_LEVEL):
        middle, n = 0.5 * (left + right), left.size
        ends = np.concatenate([left, middle]), np.concatenate([middle, right])
        halves, sizes = sums(*ends)
        fine = halves[:, :n] + halves[:, n:]
        off = np.abs(fine - coarse)
        whole = size + sizes.sum(axis=1)
        good = np.all(off[:checked] <= rtol * whole[:, None] + 1e-300, axis=0) | (n > MAX_PANELS)
        good |= level == MAX_LEVEL - 1
        value, gap = value + fine[:, good].sum(axis=1), gap + off[:, good].sum(axis=1)
        keep = np.concatenate([good, good])
        size = size + sizes[:, keep].sum(axis=1)
        left, right, coarse = ends[0][~keep], ends[1][~keep], halves[:, ~keep]
        if left.size == 0:
            break
    return value, gap
