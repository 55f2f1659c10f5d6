"""Distribution functions and quantiles of radii, for W2: between radial laws it is that of their radii.

(The map that moves each point along its ray, by the increasing rearrangement of the radii, is a coupling of
that cost; and no coupling is cheaper, since |x - y| >= ||x| - |y||.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc, gammaincc, gammaln

from simulators.line.scores import Mixture

__all__ = ["Cumulated", "chi_quantile", "chi_tails"]

Array = NDArray[np.float64]
NODES = 16
GAUSS_X, GAUSS_W = np.polynomial.legendre.leggauss(NODES)
SERIES = (
    GAUSS_W[:, None] * np.polynomial.legendre.legvander(GAUSS_X, NODES - 1) * (np.arange(NODES) + 0.5)
).T
ROUNDS = 200


@dataclass(frozen=True, eq=False)
class Cumulated:
    """The distribution function of a density on panels, each with its Legendre series.

    ends  : panel ends, increasing. parts : (NODES + 1, panels) series of integrals from left ends.
    below, above : masses before and after each panel, summed from either side.
    """

    ends: Array
    parts: Array
    below: Array
    above: Array

    @classmethod
    def of(cls, ends: Array, values: Array) -> Cumulated:
        """From densities at the Gauss nodes of the panels, (panels, NODES)."""
        half = 0.5 * np.diff(ends)
        parts = np.polynomial.legendre.legint(SERIES @ values.T, lbnd=-1) * half
        mass = (values @ GAUSS_W) * half
        below = np.concatenate([[0.0], np.cumsum(mass)[:-1]])
        above = np.concatenate([np.cumsum(mass[::-1])[::-1][1:], [0.0]])
        return cls(ends, parts, below, above)

    def tails(self, r: Array) -> tuple[Array, Array]:
        """P(R <= r) and P(R > r)."""
        inside = np.clip(r, self.ends[0], self.ends[-1])
        at = np.clip(np.searchsorted(self.ends, inside, side="right") - 1, 0, self.ends.size - 2)
        left, right = self.ends[at], self.ends[at + 1]
        x = (2.0 * inside - left - right) / (right - left)
        terms = np.polynomial.legendre.legvander(x, NODES)
        part = np.einsum("nk,kn->n", terms, self.parts[:, at])
        whole = self.parts[:, at].sum(axis=0)  # P_k(1) = 1
        part = np.clip(part, 0.0, whole)
        return self.below[at] + part, self.above[at] + (whole - part)


def chi_tails(r: Array, mixture: Mixture, d: int) -> tuple[Array, Array]:
    """P(|X| <= r) and P(|X| > r) under sum w_k N(0, v_k I_d)."""
    half = 0.5 * r[:, None] ** 2 / mixture.variances
    return gammainc(0.5 * d, half) @ mixture.weights, gammaincc(0.5 * d, half) @ mixture.weights


def chi_quantile(cdf: Array, sf: Array, guess: Array, mixture: Mixture, d: int) -> Array:
    """Radii with this distribution function, the smaller of cdf and sf used: Newton's method in a bracket."""
    root = np.sqrt(d + 0.0)
    low = np.zeros_like(cdf)
    high = np.full(cdf.size, (root + 45.0) * float(mixture.sds.max()))
    y, lower = np.clip(guess, low, high), cdf <= sf
    wanted = np.where(lower, cdf, sf)
    slope = _slopes(y, mixture, d)
    last = np.full(cdf.size, np.inf)
    for _ in range(ROUNDS):
        tails = chi_tails(y, mixture, d)
        value = np.where(lower, tails[0], tails[1])
        gap = np.where(lower, value - wanted, wanted - value)
        high, low = np.where(gap >= 0, y, high), np.where(gap <= 0, y, low)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            move = np.where(
                np.abs(gap) > 0.1 * wanted,
                value / slope * np.log(wanted / value) * np.where(lower, 1, -1),
                -gap / slope,
            )
        following = y + move
        outside = ~((following > low) & (following < high)) | (np.abs(move) > 0.7 * last)
        following = np.where(outside, 0.5 * (low + high), following)
        following = np.where(gap == 0, y, following)
        last = np.abs(following - y)
        y = following
        if bool(np.all((last <= 2e-15 * y) | (high - low <= 2e-15 * high))):
            break
        slope = _slopes(y, mixture, d)
    return y


def _slopes(r: Array, mixture: Mixture, d: int) -> Array:
    """Density of the radius."""
    with np.errstate(divide="ignore"):
        t = 0.5 * r[:, None] ** 2 / mixture.variances
        log_terms = (0.5 * d) * np.log(t) - t - gammaln(0.5 * d)
        return np.asarray((np.exp(log_terms) * 2.0 / np.maximum(r, 1e-300)[:, None]) @ mixture.weights)
