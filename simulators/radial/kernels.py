"""Compiled kernels of radial laws in d >= 3 dimensions.

The radius of m e_1 + c z, z ~ N(0, I_d), has the density (noncentral chi), nu = d/2 - 1,

    k(r | m) = (r/c^2) (r/m)^nu e^{-(r^2 + m^2)/2c^2} I_nu(r m/c^2).

I_nu is taken from Debye's expansion at an order of at least `ORDER` and from there by the recurrence
I_{mu-1} = I_{mu+1} + (2 mu/z) I_mu downwards, which is stable; logarithms are formed so that nothing of the
size of d or z is subtracted.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled

__all__ = ["chi_log", "flow", "log_bessel", "mixture_log", "noncentral_sum", "scores"]

Array = NDArray[np.float64]

ORDER = 45.0
TERMS = 8
MANY = 1000.0  # order from which five terms are enough
FAINT = -745.0


def _debye() -> Array:
    """Coefficients of u_0 ... u_{TERMS - 1}, rows by power of t (DLMF 10.41.9)."""
    half = np.polynomial.Polynomial([0.0, 0.0, 0.5, 0.0, -0.5])
    kernel = np.polynomial.Polynomial([0.125, 0.0, -0.625])
    u, rows = np.polynomial.Polynomial([1.0]), np.zeros((TERMS, 3 * TERMS))
    for k in range(TERMS):
        rows[k, : u.coef.size] = u.coef
        u = half * u.deriv() + (kernel * u).integ()
    return rows


DEBYE = _debye()


@compiled()
def debye(nu: float, z: float) -> float:
    """Log(e^{-z} I_nu(z)) for large nu."""
    x = z / nu
    root = math.sqrt(1.0 + x * x)
    t = 1.0 / root
    square, total, power = t * t, 1.0, t / nu
    for k in range(1, TERMS if nu < MANY else 5):
        value = DEBYE[k, k]
        factor = square
        for j in range(k + 2, 3 * k + 1, 2):  # u_k has the powers k, k + 2, ..., 3k
            value += DEBYE[k, j] * factor
            factor *= square
        total += value * power
        power *= t / nu
    small = 1.0 / (root + x) - math.asinh(1.0 / x)
    return nu * small - 0.5 * math.log(6.283185307179586 * nu * root) + math.log(total)


@compiled()
def log_bessel(nu: float, z: float) -> float:
    """Log(e^{-z} I_nu(z)), z > 0, nu >= 0."""
    lift = max(0, math.ceil(ORDER - nu))
    mu = nu + lift
    top = debye(mu, z)
    if lift == 0:
        return top
    ratio = math.exp(debye(mu + 1.0, z) - top)
    product, out = 1.0, top
    for n in range(lift):
        ratio = 1.0 / (ratio + 2.0 * mu / z)
        mu -= 1.0
        product *= ratio
        if product < 1e-200 or n == lift - 1:
            out -= math.log(product)
            product = 1.0
    return out


@compiled()
def chi_log(r: float, sd: float, d: float, constant: float) -> float:
    """Log density of the radius of N(0, sd^2 I_d); constant: that of N(0, I_d) at sqrt d."""
    root = math.sqrt(d)
    gap = r / sd - root
    return constant + (d - 1.0) * math.log1p(gap / root) - 0.5 * gap * (gap + 2.0 * root) - math.log(sd)


@compiled()
def mixture_log(r: Array, log_weights: Array, sds: Array, d: float, constant: float) -> Array:
    """Log density of the radius under the concentric mixture."""
    out = np.empty(r.size)
    for i in range(r.size):
        top = -np.inf
        for k in range(sds.size):
            top = max(top, log_weights[k] + chi_log(r[i], sds[k], d, constant))
        total = 0.0
        for k in range(sds.size):
            total += math.exp(log_weights[k] + chi_log(r[i], sds[k], d, constant) - top)
        out[i] = top + math.log(total)
    return out


@compiled()
def scores(r: Array, log_weights: Array, sds: Array, d: float, out: Array) -> None:
    """Rows of out: the radial score, its derivative, the variance of the components' scores, at radii r."""
    for i in range(r.size):
        top = -np.inf
        for k in range(sds.size):
            here = log_weights[k] - d * math.log(sds[k]) - 0.5 * (r[i] / sds[k]) ** 2
            top = max(top, here)
        total, first, second = 0.0, 0.0, 0.0
        reference = 1.0 / sds[0] ** 2
        for k in range(sds.size):
            w = math.exp(log_weights[k] - d * math.log(sds[k]) - 0.5 * (r[i] / sds[k]) ** 2 - top)
            gap = 1.0 / sds[k] ** 2 - reference
            total, first, second = total + w, first + w * gap, second + w * gap * gap
        mean = first / total
        spread = max(second / total - mean * mean, 0.0) * r[i] * r[i]
        out[0, i] = -r[i] * (mean + reference)
        out[1, i] = spread - (mean + reference)
        out[2, i] = spread


@compiled()
def noncentral_sum(
    r: Array, weights: Array, means: Array, centres: Array, c: float, reach: float, d: float
) -> Array:
    """Log of sum_i w_i k(r | m_i) at radii r.

    centres : of the components, sorted; those farther than reach c from r are left out.
    """
    nu, per = 0.5 * d - 1.0, 1.0 / (c * c)
    out = np.empty(r.size)
    for j in range(r.size):
        lo = np.searchsorted(centres, r[j] - reach * c)
        hi = np.searchsorted(centres, r[j] + reach * c)
        top, total = FAINT, 0.0
        for i in range(lo, hi):
            m, gap = means[i], r[j] - means[i]
            z = r[j] * m * per
            part = nu * math.log1p(gap / m) - 0.5 * gap * gap * per + log_bessel(nu, z)
            if part > top:
                total = total * math.exp(top - part)
                top = part
            total += weights[i] * math.exp(part - top)
        out[j] = top + math.log(total * r[j] * per) if total > 0.0 else -np.inf
    return out


@compiled()
def flow(r: Array, log_weights: Array, sds: Array, d: float, steps: Array) -> tuple[Array, Array]:
    """The images of radii under a deterministic sampler and the logs of the slopes; sds (N, K)."""
    place, slope = r.copy(), np.zeros(r.size)
    found = np.empty((3, r.size))
    for k in range(steps.shape[0]):
        scores(place, log_weights, sds[k], d, found)
        for i in range(r.size):
            slope[i] += math.log1p(steps[k, 0] + steps[k, 1] * found[1, i])
            place[i] += steps[k, 0] * place[i] + steps[k, 1] * found[0, i]
    return place, slope
