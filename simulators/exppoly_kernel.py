"""Taylor polynomials at many points, for `simulators.exppoly`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled

__all__ = ["horner_kernel"]

Array = NDArray[np.float64]


@compiled()
def horner_kernel(series: Array, h: Array, value: Array, slack: Array) -> None:
    """Values sum_n c_n h^n, and sum_n (2n + 3) |c_n h^n|, which bounds their rounding in units of roundoff.

    series : c_0, c_1, ...   h : points (P,).   value, slack : results (P,).
    """
    for i in range(h.shape[0]):
        total, size, x = 0.0, 0.0, h[i]
        for n in range(series.shape[0] - 1, -1, -1):
            total = total * x + series[n]
            size = size * abs(x) + abs(series[n]) * (2 * n + 3)
        value[i], slack[i] = total, size
