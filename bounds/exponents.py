"""Linear algebra on the exponents of monomials: vectors, strictly interior directions, rounding.

What `bounds.orders` needs around `bounds.simplex`; everything is rational.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import sympy as sp

from bounds.monomials import Logarithm, Monomial
from bounds.simplex import solve

__all__ = [
    "ONE",
    "ZERO",
    "Vector",
    "approximate",
    "coprime",
    "interior",
    "log_power",
    "logs_of",
    "rational",
    "rounded_up",
    "second_vector",
    "vector_of",
]

ZERO, ONE = Fraction(0), Fraction(1)
Vector = tuple[Fraction, ...]


def vector_of(monomial: Monomial, names: Sequence[str], logs: Sequence[Logarithm]) -> Vector:
    """The powers of the named parameters, then those of the logarithms."""
    powers, held = monomial.powers, dict(monomial.logs)
    return (*(powers.get(name, ZERO) for name in names), *(held.get(log, ZERO) for log in logs))


def logs_of(monomials: Iterable[Monomial]) -> tuple[Logarithm, ...]:
    """The logarithms that occur, sorted."""
    return tuple(sorted({log for m in monomials for log, _ in m.logs}, key=str))


def log_power(monomial: Monomial, growing: Sequence[Logarithm]) -> Fraction:
    """The power of log s, where these logarithms grow like log s and the others stay."""
    return sum((power for log, power in monomial.logs if log in growing), start=ZERO)


def interior(
    rows: Sequence[Vector],
    fixed: Sequence[Vector],
    width: int,
    offsets: Sequence[Fraction] = (),
    wanted: Sequence[bool] = (),
) -> Vector:
    """A vector y with rows.y + offsets >= 0 and fixed.y = 0 that meets as many rows as it can strictly.

    Maximises the sum of min(1, row.y + offset), over the wanted rows alone and with a small price on y if
    any are named; the answer is scaled to coprime integers without offsets.
    """
    height = len(rows)
    shift = [*offsets] or [ZERO] * height
    columns: list[list[Fraction]] = []
    for sign in (ONE, -ONE):
        for i in range(width):
            columns.append([*(sign * r[i] for r in rows), *(sign * f[i] for f in fixed), *[ZERO] * height])
    blank = [ZERO] * (height + len(fixed) + height)
    for k in range(height):  # surplus r_k, then slack s_k of t_k + s_k = 1, then t_k
        columns += [_with(blank, {k: -ONE}), _with(blank, {height + len(fixed) + k: ONE})]
        columns.append(_with(blank, {k: -ONE, height + len(fixed) + k: ONE}))
    price = Fraction(1, 1000) if wanted else ZERO
    rewards = [-ONE if want else ZERO for want in wanted] or [-ONE] * height
    costs = [price] * (2 * width) + [cost for reward in rewards for cost in (ZERO, ZERO, reward)]
    target = [*(-x for x in shift), *[ZERO] * len(fixed), *[ONE] * height]
    point = solve(columns, target, costs).point
    if point is None:
        return (ZERO,) * width
    vector = tuple(point[i] - point[width + i] for i in range(width))
    return vector if offsets else coprime(vector)


def second_vector(
    strict: Sequence[tuple[Vector, Fraction]],
    loose: Sequence[tuple[Vector, Fraction]],
    fixed: Sequence[Vector],
    width: int,
) -> Vector | None:
    """A vector b with row.b + speed > 0 on strict rows, >= 0 on loose ones and fixed.b = 0, or None."""
    if not strict and all(speed >= 0 for _, speed in loose):
        return (ZERO,) * width
    rows = [*strict, *loose]
    height = len(rows) + len(fixed) + 1
    columns: list[list[Fraction]] = []
    for sign in (ONE, -ONE):
        for i in range(width):
            columns.append([*(sign * row[i] for row, _ in rows), *(sign * f[i] for f in fixed), ZERO])
    blank = [ZERO] * height
    gap = dict.fromkeys(range(len(strict)), -ONE) | {height - 1: ONE}
    columns += [_with(blank, {k: -ONE}) for k in range(len(rows))]
    columns += [_with(blank, gap), _with(blank, {height - 1: ONE})]
    costs = [ZERO] * (len(columns) - 2) + [-ONE, ZERO]
    target = [*(-speed for _, speed in rows), *[ZERO] * len(fixed), ONE]
    point = solve(columns, target, costs).point
    if point is None or (strict and point[-2] <= 0):
        return None
    return tuple(point[i] - point[width + i] for i in range(width))


def _with(row: Sequence[Fraction], entries: Mapping[int, Fraction]) -> list[Fraction]:
    return [entries.get(i, value) for i, value in enumerate(row)]


def coprime(vector: Vector) -> Vector:
    """The vector scaled to coprime integers."""
    scale = math.lcm(*(x.denominator for x in vector)) if vector else 1
    whole = [int(x * scale) for x in vector]
    common = math.gcd(*whole) or 1
    return tuple(Fraction(x, common) for x in whole)


def approximate(value: sp.Expr) -> Fraction:
    """A rational within 1e-12, for costs only: what is concluded is checked with exact exponents."""
    return Fraction(round(float(value) * 10**12), 10**12)


def rounded_up(value: sp.Expr) -> sp.Rational:
    """A rational a little above, in millionths; an integer stays one."""
    scaled = sp.N(value, 30) * 10**6
    return sp.Rational(int(sp.ceiling(scaled - sp.Float("1e-15"))), 10**6)


def rational(value: Fraction) -> sp.Rational:
    """The same number for sympy."""
    return sp.Rational(value.numerator, value.denominator)
