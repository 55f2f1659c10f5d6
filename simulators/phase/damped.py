"""Critically damped Langevin on mixtures on the line: joint laws of (x, v), and the steps of cld-ei as kicks.

With w = e^{-tau}(1 + tau, -tau) = rho (c, a), c^2 + a^2 = 1, the forward law of q x gamma at time tau is

    sum_j w_j N(m_j w, I + (v_j - 1) w w^T):   along (c, a) the law of the Ornstein-Uhlenbeck process at time
    -log rho, across it N(0, 1) and independent.

So the velocity score is s_v = -v + a r(u), u = c x + a v, r the relative score of that law on the line. With
M = e^{Bh}, g = 4 G, the noise covariance Q and b = Q_xv/Q_vv, a step z -> M z + g s_v(z) + noise is

    x1 = (M_xx - b M_vx) x + (M_xv - b M_vv) v + (g_x - b g_v) s_v,    V = M_vx x + M_vv v + g_v s_v + sqrt(Q_vv) z,
    X  = x1 + b V + sqrt(Q_xx - Q_xv^2/Q_vv) z',

a `Kick` in u: g_x - b g_v is O(h^3), so that x1 increases with x unless steps are long.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from simulators.enclosure import Enclosure
from simulators.errors import InputError, NotDefined
from simulators.exppoly import E, ExpPoly, H
from simulators.functionals_lipschitz import lipschitz, steepest
from simulators.grids import Grid
from simulators.line.kernels import ERROR_FIELDS, learned_score
from simulators.line.scores import Affine, Mixture, Table, forward
from simulators.mixtures import Target
from simulators.phase.grid import Aim, Sheet
from simulators.phase.plan import Kick
from simulators.plane.mixture import PlaneMixture
from simulators.samplers.cld_ei import CLD_EI

__all__ = ["DampedProblem", "line_time", "mixture_sheet", "velocity_lipschitz"]

Array = NDArray[np.float64]

STARTS = ("gamma", "q_T")
CELLS = 40
LOST = 1 - E(-2) * (1 + 2 * H + 2 * H * H)  # 1 - rho^2
NO_ERROR = np.zeros(ERROR_FIELDS)


def line_time(tau: Array) -> Array:
    """The time -log rho on the line that the forward law at tau has come to."""
    near = np.minimum(tau, 1.0)
    far = tau - 0.5 * np.log1p(2.0 * tau * (1.0 + tau))
    return np.where(tau <= 1.0, -0.5 * np.log1p(-LOST(near)), far)


def velocity_lipschitz(target: Target, delta: float, T: float) -> Enclosure:
    """Sup over delta <= tau <= T and (x, v) of |grad s_v| for the joint law of critically damped Langevin.

    Where the law along w has Hessians h of its log density, |grad s_v|^2 = 1 + a^2 (h^2 - 1): attained below
    at points of time, above cell by cell.
    """
    points = np.array([delta])
    if delta < T:
        points = np.union1d(np.linspace(delta, T, CELLS), np.geomspace(max(delta, 1e-3 * T), T, CELLS))
    share, line = (points / np.hypot(1.0 + points, points)) ** 2, np.maximum(line_time(points), 0.0)
    low = _attained(target, share, line)
    last = np.minimum(np.arange(max(points.size - 1, 1)) + 1, points.size - 1)
    steep = steepest(target, line[: len(last)], line[last])
    with np.errstate(invalid="ignore"):
        high = np.where(share[last] > 0.0, 1.0 + share[last] * (steep**2 - 1.0), 1.0)
    slack = 1e-13
    best = max(low, 0.0) if np.isfinite(low) else 1.0
    return Enclosure.between(
        (best * (1.0 - slack)) ** 0.5,
        (max(1.0, best, *high.tolist()) * (1.0 + slack)) ** 0.5,
        "cells of time",
    )


def _attained(target: Target, share: Array, line: Array) -> float:
    """The largest value of 1 + a^2 (h^2 - 1) at every fifth of the times, and at those about the best."""

    @cache
    def value(i: int) -> float:
        steep = float(lipschitz(target, float(line[i]), float(line[i]), "lower").lo)
        return float(1.0 + share[i] * (steep**2 - 1.0))

    best = max({*range(0, line.size, 5), line.size - 1}, key=value)
    return max(value(i) for i in range(max(best - 4, 0), min(best + 5, line.size)))


def direction(tau: float) -> tuple[float, float]:
    """(c, a) of the module."""
    size = float(np.hypot(1.0 + tau, tau))
    return (1.0 + tau) / size, -tau / size


@dataclass(frozen=True, eq=False)
class DampedProblem:
    """cld-ei for a mixture on the line.

    start : "gamma" (of position and velocity) or "q_T". error : in the velocity score, p_k (shift + slope v).
    """

    grid: Grid
    target: Mixture
    start: str = "gamma"
    error: Affine | None = None

    def __post_init__(self) -> None:
        if self.start not in STARTS:
            raise InputError("start", self.start, f"expected one of {', '.join(STARTS)}")
        if not isinstance(self.error, Affine | None):
            raise NotDefined("cld-ei on mixtures: expected an affine score error, in the velocity")
        self.scores.rows  # noqa: B018  raises where an atom has no score

    @cached_property
    def scores(self) -> Table:
        """The laws on the line whose scores the steps use."""
        return forward(self.target, line_time(self.grid.times[:-1]))

    @cached_property
    def weights(self) -> Array:
        """The weights p_k of the error."""
        N = self.grid.N
        return np.zeros(N) if self.error is None else self.error.weights(N)

    def law(self, tau: float) -> PlaneMixture:
        """The joint law of position and velocity at a forward time."""
        w = np.exp(-tau) * np.array([1.0 + tau, -tau])
        target = self.target
        spread = (target.variances - 1.0)[:, None, None] * np.outer(w, w) + np.eye(2)
        return PlaneMixture(target.weights, target.means[:, None] * w, spread)

    @property
    def noise(self) -> float:
        """Relative rounding error of densities where there is mass, as on the line."""
        end = self.law(self.grid.delta)
        size = float(np.max(np.abs(end.means)) + end.spread) / max(end.narrowest, 1e-8)
        return 80.0 * 2.0**-53 * (float(np.sqrt(self.grid.N)) + self.grid.T + size)

    def kicks(self) -> Iterator[Kick]:
        """The steps in order."""
        shift, slope = (0.0, 0.0) if self.error is None else (self.error.shift, self.error.slope)
        for k, (tau, h) in enumerate(zip(self.grid.times.tolist(), self.grid.steps.tolist(), strict=False)):
            p = float(self.weights[k])
            yield _kick(h, *direction(tau), self._field(k, direction(tau)[1], p * shift), 1.0 - p * slope)

    def _field(self, k: int, a: float, shift: float) -> _Field:
        mu, inv, lw = (part[k] for part in self.scores.rows)
        return _Field(mu, inv, lw, a, shift)


@dataclass(frozen=True, eq=False)
class _Field:
    """u -> a r(u) + shift, its derivative, and the variance of the components' scores."""

    mu: Array
    inv: Array
    lw: Array
    a: float
    shift: float

    def __call__(self, u: Array) -> tuple[Array, Array, Array]:
        s, ds, var, top, work = *np.empty((4, u.size)), np.empty((9, u.size))
        own = self.mu, self.inv, self.lw
        learned_score(np.ascontiguousarray(u), *own, *own, NO_ERROR, s, ds, var, top, work)
        return self.a * (s + u) + self.shift, self.a * (ds + 1.0), var


def _parts() -> tuple[ExpPoly, ...]:
    xx, xv, vx, vv = CLD_EI.flow
    gx, gv = CLD_EI.kick
    qxx, qxv, qvv = CLD_EI.noise
    mixed = (qvv * xx - qxv * vx, qvv * xv - qxv * vv, 4 * (qvv * gx - qxv * gv))
    return (*mixed, vx, vv, 4 * gv, qxv, qvv, qxx * qvv - qxv * qxv)


PARTS = _parts()
"""Times Q_vv: M_xx - b M_vx, M_xv - b M_vv, g_x - b g_v; then M_vx, M_vv, g_v, Q_xv, Q_vv and det Q."""


def _kick(h: float, c: float, a: float, field: _Field, drag: float) -> Kick:
    """The step of length h from a time with the direction (c, a); drag : one less the slope of the error."""
    at = np.array([h])
    alpha, beta, turn, vx, vv, gv, qxv, qvv, det = (float(part(at)[0]) for part in PARTS)
    alpha, beta, turn = alpha / qvv, beta / qvv, turn / qvv
    return Kick(
        damping=vv - vx * a / c - gv * drag,
        kick=gv,
        turn=turn,
        shift=beta - alpha * a / c - turn * drag,
        after=qxv / qvv,
        sd_v=float(np.sqrt(qvv)),
        sd_x=float(np.sqrt(det / qvv)),
        score=field,
        slope=alpha / c,
        pull=vx / c,
        across=c,
        lean=-a / c,
    )


def mixture_sheet(law: PlaneMixture, aim: Aim, along: float, sharpness: float) -> Sheet:
    """A joint mixture on a grid; along : its detail in x, sharpness : one over what sums over v resolve."""
    box = law.box(aim.deep)
    dx, dv = aim.spacing(np.inf, along), aim.sums(sharpness)
    nodes = [
        low + spacing * (np.arange((high - low) / spacing + 2.0) - aim.offset)
        for (low, high), spacing in zip(box.tolist(), (dx, dv), strict=True)
    ]
    t = np.stack(np.broadcast_arrays(nodes[0], nodes[1][:, None]), axis=-1)
    terms = []
    for row in law.rows:
        away = t - row[:2]
        square = row[2] * away[..., 0] ** 2 + 2.0 * row[3] * away.prod(axis=-1) + row[4] * away[..., 1] ** 2
        terms.append(row[5] - 0.5 * square)
    logp = np.ascontiguousarray(np.logaddexp.reduce(terms, axis=0))
    return Sheet(logp, float(nodes[0][0]), dx, np.asarray(nodes[1]))
