"""How far the position of a stationary underdamped Langevin process moves within a step, on average.

dX = V dt, dV = -g V dt - X/S dt + sqrt(2g) dB from N(0, S) x N(0, 1) has the correlation rho(u) = Cor(X_u,
X_0) with rho'' + g rho' + rho/S = 0, rho(0) = 1, rho'(0) = 0. In the variables x = g h, y = h^2/S,

    r(x, y) = (1/h) int_0^h (1 - rho(u)) du = y int_0^1 (1 - t) F(t) dt,   F'' + x F' + y F = 0, F(0) = 0,
    F'(0) = 1,

which is y/6 for short steps. Three forms, each where it loses no digits: the Taylor series of F; with the
roots a + b = x, ab = y of a strongly damped motion r = y (phi(b) - phi(a))/(a - b), phi(z) = (z - 1 +
e^{-z})/z^2; and otherwise r = 1 - (x/y)(1 - rho) - e^{-x/2} sinh(w)/w, w^2 = x^2/4 - y.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.exppoly import E, H

__all__ = ["departure"]

Array = NDArray[np.float64]
U = 2.0**-53
NEAR = 4.0  # x and y up to which the series is summed
TERMS = 48  # |c_k| <= 4.9^(k - 1)/k!, whose tail is below 1e-27
SLIDE = H - 1 + E(-1)


def departure(x: Array, y: Array) -> tuple[Array, Array]:
    """r(x, y) and a bound of its relative error, for x, y > 0 known to 8 roundings.

    The error of the arguments enters through d log r/d log y and d log r/d log x, both at most one in size
    for short steps and of the size of the terms for long ones.
    """
    x, y = np.broadcast_arrays(x, y)
    near = (x <= NEAR) & (y <= NEAR)
    split = x * x / 4 - y
    apart = ~near & (split >= x * x / 16)
    value, size = np.ones(x.shape), np.ones(x.shape)
    for mask, form in ((near, _series), (apart, _roots), (~(near | apart), _direct)):
        if bool(np.any(mask)):
            value[mask], size[mask] = form(x[mask], y[mask])
    return value, 64 * U * size / value


def _series(x: Array, y: Array) -> tuple[Array, Array]:
    """The sum of y c_k/((k + 1)(k + 2)) with the sum of the absolute values, F = sum c_k t^k."""
    before, here = np.zeros(x.shape), np.ones(x.shape)
    wide_before, wide = np.zeros(x.shape), np.ones(x.shape)
    total, size = here / 6, wide / 6
    for k in range(2, TERMS):
        before, here = here, -(x * (k - 1) * here + y * before) / (k * (k - 1))
        wide_before, wide = wide, (x * (k - 1) * wide + y * wide_before) / (k * (k - 1))
        total = total + here / ((k + 1) * (k + 2))
        size = size + wide * k / ((k + 1) * (k + 2))
    return y * total, y * size


def _roots(x: Array, y: Array) -> tuple[Array, Array]:
    gap = np.sqrt(x * x / 4 - y)
    a = x / 2 + gap
    b = y / a
    low, high = SLIDE(b) / (b * b), SLIDE(a) / (a * a)
    return y * (low - high) / (2 * gap), y * (low + high) / (2 * gap)


def _direct(x: Array, y: Array) -> tuple[Array, Array]:
    square = x * x / 4 - y
    w = np.sqrt(np.abs(square))
    fade = np.exp(-x / 2)
    swift = np.where(square > 0, w, 0.0)  # at most x/4
    wide = 0.5 * (np.exp(swift - x / 2) + np.exp(-swift - x / 2))
    even = np.where(square > 0, wide, fade * np.cos(w))
    slow = np.minimum(w, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        fast = np.where(w > 1, 0.5 * (np.exp(swift - x / 2) - np.exp(-swift - x / 2)), fade * np.sinh(slow))
        odd = np.where(w > 0, np.where(square > 0, fast, fade * np.sin(w)) / w, fade)
    rho = even + x / 2 * odd
    value = 1 - x / y * (1 - rho) - odd
    turn = wide * (2 + w + x) + x * np.abs(odd) * (1 + x)
    return value, 1 + x / y * (1 + turn) + 2 * (wide + np.abs(odd)) * (1 + x)
