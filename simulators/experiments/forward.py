"""The forward process on the unit clock, and the two regression targets of a score along one trajectory.

X_t = a X_0 + Z_t with a = e^{-t}, Z_t ~ N(0, s^2 I), s^2 = 1 - e^{-2t}. At t > t' the targets are

    denoising      Y = -Z_t/s_t^2
    bootstrapped   Y + kappa (Z_{t'}/s_{t'}^2 + shat_{t'}(X_{t'})),   kappa = e^{-(t - t')} s_{t'}^2/s_t^2,

both with mean S_t(X_t) given X_t when shat is the score; this kappa leaves the least variance.
"""

from __future__ import annotations

import math

import numpy as np

from simulators.experiments.outcome import Array

__all__ = ["bootstrapped", "denoising", "kappa", "noise", "signal", "trajectory_step"]


def signal(t: float) -> float:
    """The factor a = e^{-t} of the data."""
    return math.exp(-t)


def noise(t: float) -> float:
    """The variance s^2 = 1 - e^{-2t} of the noise."""
    return -math.expm1(-2 * t)


def kappa(before: float, t: float) -> float:
    """The weight of the bootstrapped part."""
    return signal(t - before) * noise(before) / noise(t)


def trajectory_step(x: Array, step: float, rng: np.random.Generator) -> Array:
    """The forward process a step later, on the same trajectory."""
    return signal(step) * x + math.sqrt(noise(step)) * rng.standard_normal(x.shape)


def denoising(x0: Array, x: Array, t: float) -> Array:
    """The denoising target."""
    return -(x - signal(t) * x0) / noise(t)


def bootstrapped(x0: Array, before: Array, x: Array, times: tuple[float, float], estimate: Array) -> Array:
    """The bootstrapped target.

    before, x : the trajectory at times = (t', t).
    estimate  : shat_{t'}(X_{t'}).
    """
    early, late = times
    return denoising(x0, x, late) + kappa(early, late) * (estimate - denoising(x0, before, early))
