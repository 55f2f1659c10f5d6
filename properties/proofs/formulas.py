"""Interval proofs between two formulas in parameters, over a box: small <= large at every point that meets
the relations.

The difference is sorted into sum a_i <= sum b_k with nonnegative terms, and that is sum_i 1/sum_k (b_k/a_i)
<= 1: in a quotient of monomials every parameter stands once, so that its interval is sharp. The box is cut in
halves on a logarithmic scale until every piece is shown or the work is spent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from properties.proofs.intervals import interval
from simulators.enclosure import Enclosure
from simulators.errors import NotDefined

__all__ = ["PIECES", "Shown", "shown_on"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
PIECES = 40_000
"""Pieces that are looked at before a proof gives up."""


@dataclass(frozen=True)
class Shown:
    """What is known of small <= large on a box.

    word   : "proved", "false" (at ``point``), or "open".
    pieces : how many pieces were looked at.
    """

    word: str
    pieces: int
    point: Mapping[str, float] | None = None


def shown_on(
    small: sp.Expr,
    large: sp.Expr,
    box: Mapping[str, tuple[float, float]],
    under: Iterable[sp.Rel] = (),
    *,
    pieces: int = PIECES,
) -> Shown:
    """Try to prove small <= large on a box.

    box   : an interval for the name of every symbol, both ends included.
    under : relations; points that do not meet them do not count.
    Returns "open" for formulas that have no intervals.
    """
    question = _Question(small, large, [rel for rel in under if not isinstance(rel, sp.Eq)])
    names = sorted({s.name for s in question.symbols})
    ends = np.array([box[name] for name in names], dtype=np.float64).reshape(len(names), 2, 1)
    seen = 0
    while ends.shape[2]:
        seen += ends.shape[2]
        if seen > pieces:
            return Shown("open", seen)
        try:
            open_ = ~question.settled(names, ends)
            ends = ends[:, :, open_]
            middle = _middle(ends)
            points = np.repeat(middle[:, None], 2, axis=1)
            false = question.violated(names, points)
        except (NotDefined, ValueError, ArithmeticError):
            return Shown("open", seen)
        if np.any(false):
            worst = middle[:, int(np.flatnonzero(false)[0])]
            return Shown("false", seen, dict(zip(names, map(float, worst), strict=True)))
        if not names and ends.shape[2]:
            return Shown("open", seen)
        ends = _halves(ends, middle)
    return Shown("proved", seen)


class _Question:
    """The terms of both sides, and their quotients."""

    def __init__(self, small: sp.Expr, large: sp.Expr, under: list[sp.Rel]) -> None:
        terms = sp.Add.make_args(_exact(sp.expand(large - small, log=False)))
        self.lower = [-term for term in terms if term.as_coeff_Mul()[0].is_negative]
        self.upper = [term for term in terms if not term.as_coeff_Mul()[0].is_negative]
        self.quotients = [[sp.powsimp(b / a, combine="exp") for b in self.upper] for a in self.lower]
        self.under = [
            tuple(map(_exact, rel.args if isinstance(rel, sp.Le | sp.Lt) else reversed(rel.args)))
            for rel in under
        ]
        exprs = [*terms, *(side for pair in self.under for side in pair)]
        self.symbols = {s for expr in exprs for s in expr.free_symbols}

    def settled(self, names: list[str], ends: Array) -> Mask:
        """Pieces on which the inequality is certain, or no point meets the relations."""
        values, known = self._values(names, ends)
        done = np.zeros(ends.shape[2], dtype=bool)
        with np.errstate(all="ignore"):
            for low, high in self.under:
                done |= interval(low, values, known).lo > interval(high, values, known).hi
            signed = [interval(term, values, known) for term in (*self.lower, *self.upper)]
            positive = np.all([_wide(item.lo, done) >= 0 for item in signed], axis=0)
            total = np.zeros(ends.shape[2])
            for row in self.quotients:
                size = sum((_wide(interval(item, values, known).lo, done) for item in row), np.zeros(1))
                total = np.nextafter(total + np.nextafter(1 / np.nextafter(size, 0), np.inf), np.inf)
            return np.asarray(done | (positive & (total <= 1)))

    def violated(self, names: list[str], points: Array) -> Mask:
        """Points at which the inequality certainly fails, though the relations hold."""
        values, known = self._values(names, points)
        met = np.ones(points.shape[2], dtype=bool)
        with np.errstate(all="ignore"):
            for low, high in self.under:
                met &= interval(low, values, known).hi <= interval(high, values, known).lo
            left, right = (
                sum((interval(term, values, known) for term in side), Enclosure.exact(0.0))
                for side in (self.lower, self.upper)
            )
            return np.asarray(met & (left.lo > right.hi))

    def _values(
        self, names: list[str], ends: Array
    ) -> tuple[dict[sp.Basic, Enclosure], dict[sp.Basic, Enclosure]]:
        by_name = {name: Enclosure(ends[i, 0], ends[i, 1]) for i, name in enumerate(names)}
        return {s: by_name[s.name] for s in self.symbols}, {}


def _exact(expr: sp.Expr) -> sp.Expr:
    """The expression with the fractions that its floats are."""
    return expr.xreplace({number: sp.Rational(number) for number in expr.atoms(sp.Float)})


def _wide(value: Array, like: Mask) -> Array:
    return np.broadcast_to(value, like.shape)


def _middle(ends: Array) -> Array:
    """Geometric centres of positive intervals, midpoints of others."""
    low, high = ends[:, 0], ends[:, 1]
    with np.errstate(all="ignore"):
        return np.where(low > 0, np.clip(np.sqrt(low) * np.sqrt(high), low, high), (low + high) / 2)


def _halves(ends: Array, middle: Array) -> Array:
    """Each piece cut where it is widest, on the logarithmic scale where it has one."""
    low, high = ends[:, 0], ends[:, 1]
    with np.errstate(all="ignore"):
        widths = np.where(low > 0, np.log(high / np.where(low > 0, low, 1.0)), high - low)
    axis = np.argmax(widths, axis=0)
    rows = np.arange(ends.shape[2])
    left, right = ends.copy(), ends.copy()
    left[axis, 1, rows] = middle[axis, rows]
    right[axis, 0, rows] = middle[axis, rows]
    return np.concatenate([left, right], axis=2)
