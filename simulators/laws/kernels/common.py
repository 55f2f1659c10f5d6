"""What the recurrences share: units of roundoff, coefficients and nodes of a step, the floating scale.

Beside each number goes a bound on its distance from the truth: it is multiplied by what multiplies the
number, and grows by the roundoff of each operation on the magnitudes involved. Units: U = 2^-53 for
+ - * / sqrt, 8 U for exp and expm1 (4 ulps), the last coefficient of a row for the others, and ``slack`` for
e^{-2 tau} when tau itself is rounded; "loose" is a relative error in units of U. The bounds are rounded too,
so each is inflated by 1 + 16 U a step.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled

__all__ = [
    "INFLATE",
    "KINETIC",
    "REFRESH",
    "ULPS",
    "Array",
    "Index",
    "Node",
    "Reference",
    "Row",
    "U",
    "W",
    "coefficients",
    "node_at",
    "reference",
    "rescaled",
    "weighted",
]

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Row = tuple[float, ...]
Node = tuple[float, float, float, float]
Reference = tuple[float, float, float]

U = 2.0**-53
INFLATE = 1.0 + 16.0 * U
W = 256  # lanes of a task; rows of its state are W apart, and that constant is what lets loops vectorise
ULPS = 12  # the coefficient of a row that bounds the relative errors of the others
KINETIC, REFRESH = 1, 2  # kinds of step; 0 is a one-stage step
POWER = 500
BIG, SMALL = 2.0**POWER, 2.0**-POWER


@compiled(inline=True)
def coefficients(table: Array, r: int) -> Row:
    """Row r of the table as a tuple, so that it stays in registers."""
    return (
        table[r, 0],
        table[r, 1],
        table[r, 2],
        table[r, 3],
        table[r, 4],
        table[r, 5],
        table[r, 6],
        table[r, 7],
        table[r, 8],
        table[r, 9],
        table[r, 10],
        table[r, 11],
        table[r, 12],
    )


@compiled(inline=True)
def node_at(nodes: Array, k: int) -> Node:
    """(e^{-2 tau}, 1 - e^{-2 tau}, e^{-tau}, slack) at node k."""
    return nodes[k, 0], nodes[k, 1], nodes[k, 2], nodes[k, 3]


@compiled(inline=True)
def reference(lam: float, node: Node) -> Reference:
    """S, 1/S and the relative error of either."""
    S = lam * node[0] + node[1]
    inverse = 1.0 / S
    return S, inverse, 12.0 + node[3] * abs(lam - 1.0) * node[0] * inverse


@compiled(inline=True)
def weighted(given: float, adapted: float, node: Node, ref: Reference) -> tuple[float, float]:
    """Weight of the score error, given or e^{-tau}/S where adapted is 1, and its relative error."""
    return given * (1.0 - adapted) + adapted * node[2] * ref[1], adapted * (12.0 + node[3] + ref[2])


@compiled()
def rescaled(size: float, power: int) -> tuple[float, int, float]:
    """Factor and power that keep a number within [2^-400, 2^500] while its power is positive.

    A number is stored as value 2^(500 power). The last result is the scale 2^(-500 power) of fresh
    contributions, zero where they could not be seen.
    """
    factor = 1.0
    if size > BIG:
        factor, power = SMALL, power + 1
    elif size == 0.0:
        power = 0
    while power > 0 and size * factor < 2.0**-400:
        factor, power = factor * BIG, power - 1
    return factor, power, math.ldexp(1.0, -POWER * power) if power < 3 else 0.0
