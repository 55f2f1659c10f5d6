"""Moments of chi-squared variables: means of functions by quadrature, inverse powers by Gamma functions."""

from __future__ import annotations

from collections.abc import Callable

import mpmath as mp
import numpy as np

from simulators.enclosure import Enclosure
from simulators.models.tools import Array, Number, line_integral

__all__ = ["chi_mean", "chi_power", "chi_power_by_gamma"]


def chi_mean(g: Callable[[Array], Array], freedom: int) -> Enclosure:
    """E g(u), u = log(chi^2/freedom), with ``freedom`` degrees of freedom: a quotient of trapezoidal sums.

    g : grows at most like chi^{-2n}, 2n < freedom.
    The density of u is e^{k (u - e^u)} up to its constant, k = freedom/2.
    """
    k = freedom / 2

    def exponent(u: Array) -> Array:
        return np.asarray(k * (u - np.expm1(u)))

    def digits(u: Array) -> Array:
        return np.asarray(10.0 + np.abs(exponent(u)))

    low, high = -1600.0 / freedom - 60.0, np.log1p(60.0 / np.sqrt(k) + 1600.0 / k)
    total = line_integral(lambda u: np.asarray(np.exp(exponent(u)) * g(u)), low, high, digits)
    return total / line_integral(lambda u: np.asarray(np.exp(exponent(u))), low, high, digits)


def chi_power(freedom: int, n: int) -> Enclosure:
    """E chi^{-2n}; infinite unless freedom > 2n."""
    if freedom <= 2 * n:
        return Enclosure.exact(np.inf)
    # where the power overflows the density is below e^{-900}
    return chi_mean(lambda u: np.exp(np.minimum(-n * u, 700.0)), freedom) / float(freedom) ** n


def chi_power_by_gamma(freedom: int, n: int) -> Number:
    """E chi^{-2n} = Gamma(k - n)/(2^n Gamma(k)), k = freedom/2."""
    if freedom <= 2 * n:
        return mp.inf
    k = mp.mpf(freedom) / 2
    return mp.exp(mp.loggamma(k - n) - mp.loggamma(k)) / 2**n
