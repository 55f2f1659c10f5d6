"""Exact linear programming over the rationals: small systems, decided with a certificate either way.

Columns c_1..c_m and a target b are tuples of `Fraction` of one length n. Either some x >= 0 has
x_1 c_1 + ... + x_m c_m = b, or some w has w.c_j <= 0 for every j and w.b > 0 (Farkas), never both. The
simplex method with Bland's rule finds one of them without rounding; both can be checked by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["Solution", "dot", "solve"]

Vector = Sequence[Fraction]
ZERO, ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True)
class Solution:
    """What a system comes to; exactly one of the fields is not None, or ``point`` and ``descent`` both.

    point   : x >= 0 with sum x_j c_j = b, of least cost.
    farkas  : w with w.c_j <= 0 for all j and w.b > 0: no such x exists.
    descent : y >= 0 with sum y_j c_j = 0 and negative cost: the cost has no least value.
    """

    point: tuple[Fraction, ...] | None = None
    farkas: tuple[Fraction, ...] | None = None
    descent: tuple[Fraction, ...] | None = None


def dot(left: Vector, right: Vector) -> Fraction:
    """The scalar product.

    >>> dot([Fraction(1, 2), Fraction(3)], [Fraction(4), Fraction(1)])
    Fraction(5, 1)
    """
    return sum((a * b for a, b in zip(left, right, strict=True)), start=ZERO)


def solve(columns: Sequence[Vector], target: Vector, costs: Vector | None = None) -> Solution:
    """The least-cost x >= 0 with sum x_j columns_j = target, or why there is none.

    columns : m vectors of length n.   target : of length n.   costs : m numbers, all zero if left out.
    """
    table = _Tableau(columns, target)
    table.minimise([ZERO] * len(columns) + [ONE] * len(target))
    if table.value > 0:
        return Solution(farkas=table.dual())
    table.drop_artificials()
    entering = table.minimise([*(costs or [ZERO] * len(columns)), *[ZERO] * len(target)])
    return Solution(point=table.point(), descent=None if entering is None else table.direction(entering))


class _Tableau:
    """Rows [columns | identity | target], the target made nonnegative, and a basis of one column a row."""

    def __init__(self, columns: Sequence[Vector], target: Vector) -> None:
        self.size = len(columns)
        self.signs = [ONE if b >= 0 else -ONE for b in target]
        height = len(target)
        self.rows = [
            [
                *(sign * column[i] for column in columns),
                *(ONE if i == k else ZERO for k in range(height)),
                sign * target[i],
            ]
            for i, sign in enumerate(self.signs)
        ]
        self.basis = [self.size + i for i in range(height)]
        self.allowed = self.size + height
        self.costs: list[Fraction] = []

    def minimise(self, costs: list[Fraction]) -> int | None:
        """Pivot until no column lowers the cost; the column along which it falls for ever, if any."""
        self.costs = [*costs, ZERO]
        for row, column in zip(self.rows, self.basis, strict=True):
            if self.costs[column]:
                factor = self.costs[column]
                self.costs = [c - factor * r if r else c for c, r in zip(self.costs, row, strict=True)]
        while True:
            entering = next((j for j in range(self.allowed) if self.costs[j] < 0), None)
            if entering is None:
                return None
            ratios = [(row[-1] / row[entering], self.basis[i], i) for i, row in enumerate(self.rows)
                      if row[entering] > 0]  # fmt: skip
            if not ratios:
                return entering
            self._pivot(min(ratios)[2], entering)

    def _pivot(self, row: int, column: int) -> None:
        head = self.rows[row][column]
        pivot = [value / head for value in self.rows[row]]
        self.rows[row] = pivot
        for i, other in enumerate(self.rows):
            if i != row and other[column]:
                factor = other[column]
                self.rows[i] = [a - factor * p if p else a for a, p in zip(other, pivot, strict=True)]
        if self.costs[column]:
            factor = self.costs[column]
            self.costs = [a - factor * p if p else a for a, p in zip(self.costs, pivot, strict=True)]
        self.basis[row] = column

    @property
    def value(self) -> Fraction:
        """The cost reached."""
        return -self.costs[-1]

    def dual(self) -> tuple[Fraction, ...]:
        """The multipliers of the rows at the end of the first phase."""
        return tuple(sign * (ONE - self.costs[self.size + i]) for i, sign in enumerate(self.signs))

    def drop_artificials(self) -> None:
        """Take the identity columns out of the basis; a row that keeps one says 0 = 0 and goes."""
        for i in reversed(range(len(self.rows))):
            if self.basis[i] < self.size:
                continue
            column = next((j for j in range(self.size) if self.rows[i][j]), None)
            if column is None:
                del self.rows[i], self.basis[i]
            else:
                self._pivot(i, column)
        self.allowed = self.size

    def point(self) -> tuple[Fraction, ...]:
        """The values of the columns."""
        values = [ZERO] * self.size
        for row, column in zip(self.rows, self.basis, strict=True):
            values[column] = row[-1]
        return tuple(values)

    def direction(self, entering: int) -> tuple[Fraction, ...]:
        """The direction in which a column that no row stops may grow."""
        values = [ZERO] * self.size
        values[entering] = ONE
        for row, column in zip(self.rows, self.basis, strict=True):
            values[column] = -row[entering]
        return tuple(values)
