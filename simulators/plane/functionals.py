"""Functionals of the forward laws of a mixture on the plane, by trapezoidal sums on two grids.

The integrands are analytic and decay like Gaussians, so that the sums converge exponentially in the spacing;
it shrinks until two grids agree. The error bound is ten times their difference, plus rounding.
"""

from __future__ import annotations

from math import exp, expm1, log, pi

import numpy as np
from numpy.typing import NDArray

from simulators.enclosure import Enclosure
from simulators.errors import NotDefined
from simulators.plane.functionals_kernel import INTEGRALS, NEAR_REACH, REACH, integrate
from simulators.plane.mixture import PlaneMixture

__all__ = ["plane_functionals"]

Array = NDArray[np.float64]
FIRST = 0.3  # first spacing, in the smallest standard deviation
FINER = 1.45
LEVELS = 7
GOOD = 1e-9
NODES = 4e6  # of one grid
ROUNDING = 2e-13
NEAR_V, NEAR_M = 0.7, 1.5  # |v - 1| and |m| of all components below which KL to gamma is integrated as it is


def plane_functionals(mixture: PlaneMixture, times: Array) -> dict[str, Enclosure]:
    """The fields of `simulators.functionals.Functionals` of q_t at these times, by name, shape (T,).

    Infinite energies and entropy -inf where the law is singular; raises NotDefined where its narrowest
    component needs more nodes than `NODES`.
    """
    columns = [_at_time(mixture, t) for t in np.asarray(times, dtype=np.float64).tolist()]
    names = list(columns[0]) if columns else []
    return {
        name: Enclosure.between([c[name][0] for c in columns], [c[name][1] for c in columns])
        for name in names
    }


def _at_time(mixture: PlaneMixture, t: float) -> dict[str, tuple[float, float]]:
    decay, lost = exp(-t), -expm1(-2.0 * t)
    moment = decay * decay * mixture.second_moment + 2.0 * lost
    ends = {"second_moment": (moment * (1 - 1e-14), moment * (1 + 1e-14))}
    if lost + mixture.narrowest == 0:
        limits = {"entropy": -np.inf, "mmse": 0.0, "covariance_energy": 0.0}
        return ends | {name: (limits.get(name, np.inf),) * 2 for name in INTEGRALS[1:]}
    law = mixture.at(t)
    near = bool(np.all(np.abs(law.variances - 1.0) <= NEAR_V) and np.all(np.abs(law.means) <= NEAR_M))
    table = _table(mixture, law, decay, lost)
    scale = np.sqrt(law.variances[:, 1])
    windows = np.concatenate([law.means, (REACH * scale)[:, None]], axis=1)
    if near:
        windows = np.concatenate([windows, [[0.0, 0.0, NEAR_REACH]]])
    dx, previous, value, gap = FIRST * law.narrowest, None, np.zeros(0), np.zeros(0)
    for _ in range(LEVELS):
        if np.sum((2 * windows[:, 2] / dx) ** 2) > NODES:
            break
        value = integrate(table, windows, dx, near)
        if previous is not None:
            gap = np.abs(value - previous)
            if bool(np.all(10 * gap <= GOOD * np.abs(value) + 1e-15)):
                break
        previous, dx = value, dx / FINER
    if gap.size == 0 or not abs(value[0] - 1.0) <= 1e-9:
        raise NotDefined(
            f"narrowest={law.narrowest!r}: expected components that {NODES:g} nodes on the plane resolve"
        )
    for i, name in enumerate(INTEGRALS[1:], start=1):
        if lost == 0 and name in ("mmse", "covariance_energy"):
            ends[name] = (0.0, 0.0)
            continue
        error = 10 * gap[i] + ROUNDING * abs(value[i]) + (ROUNDING if name == "entropy" else 0.0)
        if name == "kl_to_gamma":
            error += 1e-14 * float(np.sqrt(2 * max(value[i], 0.0))) + 1e-28
        low = value[i] - error if name == "entropy" else max(value[i] - error, 0.0)
        ends[name] = (low, value[i] + error)
    if not near:
        half = 0.5 * moment + log(2 * pi)
        slack = 1e-14 * half
        low, high = ends["entropy"]
        ends["kl_to_gamma"] = (max(half - high - slack, 0.0), half - low + slack)
    return ends


def _table(mixture: PlaneMixture, law: PlaneMixture, decay: float, lost: float) -> Array:
    """Rows of `integrate`: law's row, I - precision, gain and posterior covariance given X_t, prior mean.

    Given component k and X_t = x, X_0 has the mean mu_k + gain (x - m_k).
    """
    inverse = np.linalg.inv(law.covariances)
    excess = (mixture.covariances - np.eye(2)) * decay * decay @ inverse
    gain = decay * mixture.covariances @ inverse
    posterior = lost * mixture.covariances @ inverse
    parts = [law.rows]
    for matrix in (excess, gain, posterior):
        parts.append(np.stack([matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 1, 1]], axis=1))
    return np.ascontiguousarray(np.concatenate([*parts, mixture.means], axis=1))
