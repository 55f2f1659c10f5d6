"""KL between paths of critically damped Langevin on mixtures on the line: the true reverse process against
cld-ei.

By Girsanov a step from tau, h long, adds 2 int E|s_v(t) - s_v(tau)|^2 du, t = tau - u. The scores form a
martingale up to e^{-B^T u}, and with J = E s s^T = I + phi w w^T (`simulators.phase.damped`), phi =
(I - 1)/rho^2, I the Fisher information of the law along w,

    int E|s_v(t) - s_v(tau)|^2 = 2h (1 - e^{-h}) + int w_v(t)^2 phi(t)
                                 + phi(tau) [w_v^2 h (1 - 2 e^{-h}) - 2 w_x w_v (1 - (1 + h) e^{-h})],

I from its Chebyshev panels (`simulators.functionals_paths`). An error e = p (shift + slope v) in the velocity
score adds 2h E|e|^2 - 4 p slope h (1 - e^{-h}). The start adds KL(q_T || gamma).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.enclosure import Enclosure
from simulators.exppoly import E, H
from simulators.functionals import core_functionals
from simulators.functionals_paths import Curves
from simulators.line.errors import mixture_of
from simulators.phase.damped import DampedProblem, line_time
from simulators.reductions import Core

__all__ = ["damped_path_kl", "velocity_errors"]

Array = NDArray[np.float64]
U = 2.0**-53
GAUSS_X, GAUSS_W = np.polynomial.legendre.leggauss(14)
FADE, TURN, DRIFT = H - H * E(-1), H - 2 * H * E(-1), 1 - E(-1) - H * E(-1)


def damped_path_kl(problem: DampedProblem) -> Enclosure:
    """KL(path of the true reverse process from q_T || path of cld-ei from its start), nats, shape ().

    Infinite where the true process ends on a singular law.

    >>> from simulators.grids import Grid
    >>> from simulators.line.scores import Mixture
    >>> flat = damped_path_kl(DampedProblem(Grid.uniform(1.0, 4), Mixture.of([1.0], [0.0], [1.0])))
    >>> round(float(flat.mid), 12) == round(4 * (1 - float(np.exp(-0.25))), 12)
    True
    """
    grid, target = problem.grid, problem.target
    if float(target.variances.min()) + grid.delta == 0:
        return Enclosure.exact(np.inf)
    core = Core(mixture_of(target), "line")
    ends = line_time(np.array([grid.delta, grid.T]))
    curves = Curves.of(core, ("fisher",), float(target.variances.min()), float(ends[0]), float(ends[1]))
    tau, h = grid.times[:-1], grid.steps
    wx, wv = np.exp(-tau) * (1.0 + tau), -np.exp(-tau) * tau
    bracket = wv * wv * TURN(h) - 2.0 * wx * wv * DRIFT(h)
    parts = _excess(curves, tau) * bracket + _close(2.0 * FADE(h))
    total = _sum(parts) + _sum(_along(curves, problem))
    if problem.error is not None:
        total = total + _error_terms(problem)
    total = total * 2.0
    if problem.start == "gamma":
        total = total + core_functionals(core, ends[1:], ("kl_to_gamma",))["kl_to_gamma"][0]
    return Enclosure(np.maximum(total.lo, 0.0), total.hi, "path KL by Girsanov", total.level)


def velocity_errors(problem: DampedProblem) -> Enclosure:
    """E e_k^2 under q_{tau_k} at every step, shape (N,)."""
    tau, target, p = problem.grid.times[:-1], problem.target, problem.weights
    if problem.error is None:
        return Enclosure.exact(np.zeros(tau.size))
    a, b = problem.error.shift, problem.error.slope
    wv = -np.exp(-tau) * tau
    mean = float(target.weights @ target.means)
    moment = float(target.weights @ (target.variances + target.means**2)) - 1.0
    value = p * p * (a * a + 2.0 * a * b * wv * mean + b * b * (1.0 + moment * wv * wv))
    size = p * p * (a * a + 2.0 * abs(a * b * mean) + b * b * (2.0 + moment))
    return Enclosure.around(value, 64.0 * U * size, "closed form").maximum(0.0)


def _error_terms(problem: DampedProblem) -> Enclosure:
    assert problem.error is not None
    h = problem.grid.steps
    cross = _close(2.0 * problem.weights * problem.error.slope * FADE(h))
    return _sum(velocity_errors(problem) * h - cross)


def _excess(curves: Curves, time: Array) -> Enclosure:
    """Phi at forward times."""
    since = np.maximum(line_time(time) - curves.delta, 0.0)
    place = curves.place(since)
    panel = np.clip(np.searchsorted(curves.edges, place) - 1, 0, len(curves.edges) - 2)
    fisher = curves.at("fisher", panel, place)
    size = np.exp(-2.0 * time) * (1.0 + 2.0 * time * (1.0 + time))
    return (fisher - 1.0) / Enclosure.around(size, 64.0 * U * size)


def _along(curves: Curves, problem: DampedProblem) -> Enclosure:
    """Integrals of w_v^2 phi over pieces between the grid's times and the ends of panels."""
    grid = problem.grid
    inner = _clock(curves.delta + curves.since(curves.edges[1:-1]), grid.delta, grid.T)
    points = np.union1d(grid.times, inner[(inner > grid.delta) & (inner < grid.T)])
    half = 0.5 * np.diff(points)[:, None]
    time = points[:-1, None] + half * (1.0 + GAUSS_X)
    wv = np.exp(-time) * time
    return _excess(curves, time) * (wv * wv * half * GAUSS_W)


def _clock(line: Array, low: float, high: float) -> Array:
    """Forward times at which the law along w has come to these times on the line."""
    lo, hi = np.full(line.size, low), np.full(line.size, high)
    for _ in range(60):
        middle = 0.5 * (lo + hi)
        early = line_time(middle) < line
        lo, hi = np.where(early, middle, lo), np.where(early, hi, middle)
    return np.asarray(0.5 * (lo + hi))


def _close(value: Array) -> Enclosure:
    return Enclosure.around(value, 32.0 * U * np.abs(value))


def _sum(parts: Enclosure) -> Enclosure:
    """The sum over an array, rounding included."""
    sizes = np.maximum(np.abs(parts.lo), np.abs(parts.hi))
    slack = (16.0 + 4.0 * np.log2(sizes.size + 2)) * U * float(np.sum(sizes))
    return Enclosure.between(np.sum(parts.lo) - slack, np.sum(parts.hi) + slack)
