"""Taylor polynomials at many points, for `simulators.exppoly`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled

__all__ = ["horner_kernel"]

Array = NDArray[np.float64]
BLOCK = 256
"""Points that are taken side by side."""


@compiled()
def horner_kernel(series: Array, h: Array, value: Array, slack: Array) -> None:
    """Values sum_n c_n h^n, and sum_n (2n + 3) |c_n h^n|, which bounds their rounding in units of roundoff.

    series : c_0, c_1, ...   h : points (P,).   value, slack : results (P,).
    """
    for first in range(0, h.shape[0], BLOCK):
        last = first + BLOCK
        x, totals, sizes = h[first:last], value[first:last], slack[first:last]
        totals[:] = 0.0
        sizes[:] = 0.0
        for n in range(series.shape[0] - 1, -1, -1):
            term, bound = series[n], abs(series[n]) * (2 * n + 3)
            for i in range(x.shape[0]):
                totals[i] = totals[i] * x[i] + term
                sizes[i] = sizes[i] * abs(x[i]) + bound
