"""Numerics of polynomials near a posterior mean, in L2 of the noisy law itself.

First road: polynomials orthogonalised on the nodes of a trapezoidal rule, in float64. Second road: moments in
mpmath; those of the posterior mean against powers are moments of the atoms, E[f y^n] = E[mu y^n].
"""

from __future__ import annotations

from collections.abc import Mapping

import mpmath as mp
import numpy as np

from simulators.enclosure import Enclosure
from simulators.errors import NotDefined
from simulators.models.mixture import Channel
from simulators.models.posterior_generator import atoms
from simulators.models.tools import Array, Number, Numerics, Values, in_balls, square

__all__ = ["MODELS"]

REACH = 14.0
STEPS = (0.1, 0.05, 0.025, 0.0125)
"""Of the trapezoidal rule, in standard deviations of the noise."""

FLOOR = 1e-14
"""Rounding of the distance, relative to the radius."""


def _distance(p: Values, law: Channel, step: float) -> float:
    """The L2 norm of what is left of the posterior mean after polynomials of degree below deg."""
    y = np.arange(-p.R - REACH * p.sigma, p.R + REACH * p.sigma, step * p.sigma)
    density = np.exp(law.log_density(y))
    weights = density / density.sum()
    rest, power = law.posterior_mean(y), np.ones_like(y)
    basis: list[Array] = []
    for _ in range(p.deg):
        for _ in range(2):  # once more against rounding
            for earlier in basis:
                power = power - (weights * power) @ earlier * earlier
        power = power / np.sqrt(weights @ power**2)
        rest = rest - (weights * rest) @ power * power
        basis.append(power)
        power = y * power
    rest = rest - sum(((weights * rest) @ row * row for row in basis), start=0.0 * y)
    return float(np.sqrt(weights @ rest**2))


def _degree_error(p: Values) -> Enclosure:
    law, previous = atoms(p), np.inf
    for step in STEPS:
        found = _distance(p, law, step)
        change = abs(found - previous)
        if change <= 1e-12 * found + FLOOR * p.R:
            return Enclosure.around(found, change + 1e-12 * found + FLOOR * p.R, "orthogonal polynomials")
        previous = found
    raise NotDefined("the distance from polynomials does not settle")


def _explained(law: Channel) -> Number:
    """E of the squared posterior mean."""
    return law.mean(lambda y: square(law.posterior_mean(y)))


def _degree_error_by_moments(p: Values) -> Number:
    with mp.extraprec(200):
        law = atoms(p)
        normal = [mp.mpf(0) if j % 2 else mp.fac2(j - 1) * p.sigma**j for j in range(2 * p.deg)]
        powers = [
            [mp.fsum(mp.binomial(n, j) * m ** (n - j) * normal[j] for j in range(n + 1)) for m in law.means]
            for n in range(2 * p.deg - 1)
        ]
        moments = [mp.fdot(law.weights, row) for row in powers]
        gram = mp.matrix([[moments[i + j] for j in range(p.deg)] for i in range(p.deg)])
        labels = [w * m for w, m in zip(law.weights, law.means, strict=True)]
        cross = mp.matrix([mp.fdot(labels, powers[n]) for n in range(p.deg)])
        explained = (cross.T * mp.lu_solve(gram, cross))[0]
        whole = in_balls(lambda q: _explained(atoms(q)))(p)
    with mp.extraprec(60):
        return mp.sqrt(abs(whole - explained))


LOW_DEGREE = Numerics(
    integrals={"degree_error": _degree_error},
    other={"degree_error": _degree_error_by_moments},
    integers=("deg",),
    admits=lambda p: 0 < p["share"] < 1,
)

MODELS: Mapping[str, Numerics] = {"cluster": LOW_DEGREE}
