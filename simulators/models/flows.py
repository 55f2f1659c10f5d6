"""Flow matching along (1 - t) X0 + t X1, and diffusions of interpolants, on Gaussians.

First road: closed forms and the ball integral. Second road: mpmath quadrature of the exact error equation.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import mpmath as mp
from flint import acb, arb

from simulators.distances.second import kl_second
from simulators.models.tools import Number, Numerics, Values, exponential, logarithm, root

__all__ = ["FLOW_MATCHING", "INTERPOLANT", "length"]

# -- flow matching -------------------------------------------------------------------------------------------


def _path_variance(p: Values, t: Number) -> Number:
    return (1 - t) ** 2 + t * t * p.v1


def _turns(p: Values) -> list[Number]:
    """Where S'/(2 S) + slope changes sign: slope S + (t (1 + v) - 1) = 0, S = 1 - 2 t + (1 + v) t^2."""
    a, b, c = p.slope * (1 + p.v1), 1 + p.v1 - 2 * p.slope, p.slope - 1
    if p.slope == 0:
        found = [-c / b]
    else:
        disc = b * b - 4 * a * c
        if not disc > 0:
            return []
        q = -(b + root(disc)) / 2 if b > 0 else -(b - root(disc)) / 2
        found = [q / a, c / q]
    inside = [t for t in found if t > 0 and t < 1]
    return sorted(inside, key=float)


def _variations(p: Values) -> list[Number]:
    """Increments of (log S)/2 + slope t between its turns."""
    cuts = [0 * p.v1, *_turns(p), 1 + 0 * p.v1]
    heights = [logarithm(_path_variance(p, t)) / 2 + p.slope * t for t in cuts]
    return [after - before for before, after in itertools.pairwise(heights)]


def _positive(x: Number) -> Number:
    return (x + abs(x)) / 2


def _sizes(p: Values, f: Callable[[Number], Number]) -> Number:
    return sum((f(x) for x in _variations(p)), start=0 * p.v1)


def _slope_at(p: Values, t: Number) -> Number:
    return ((1 + p.v1) * t - 1) / _path_variance(p, t) + p.slope


def _by_quadrature(f: Callable[[Number], Number]) -> Callable[[Values], Number]:
    def integral(p: Values) -> Number:
        knee = 1 / (1 + p.v1)
        cuts = sorted({mp.mpf(0), mp.mpf(1), knee, *_turns(p)})
        return mp.quad(lambda t: f(_slope_at(p, t)), cuts)

    return integral


def _drift_gain(p: Values) -> Number:
    """int_0^1 e^{slope (1 - t)} sqrt(v/S(t)) dt by the ball integral: where the shift of the velocity
    leads.
    """

    def integrand(t: Number, analytic: bool) -> Number:
        inside = (1 - t) * (1 - t) + t * t * p.v1
        return ((1 - t) * p.slope).exp() / inside.sqrt(analytic=analytic)

    return root(p.v1) * acb.integral(integrand, acb(0), acb(1)).real


def _drift_by_quadrature(p: Values) -> Number:
    knee = 1 / (1 + p.v1)
    return mp.quad(
        lambda t: mp.exp(p.slope * (1 - t)) * mp.sqrt(p.v1 / _path_variance(p, t)),
        [0, knee, min(2 * knee, 1), 1],
    )


def _gap(p: Values, gain: Number) -> Number:
    stretch = root(p.v1) * (exponential(p.slope) - 1)
    return length(stretch, p.offset * gain)


def length(x: Number, y: Number) -> Number:
    """sqrt(x^2 + y^2), also of balls that contain zero."""
    squared = x * x + y * y
    return root(squared.nonnegative_part() if isinstance(squared, arb) else squared)


def _velocity_error(p: Values) -> Number:
    return p.slope**2 * (1 + p.v1) / 3 + p.offset**2


FLOW_MATCHING = Numerics(
    balls={
        "flow_gap": lambda p: _gap(p, _drift_gain(p)),
        "velocity_error": _velocity_error,
        "lipschitz_sum": lambda p: _sizes(p, abs),
        "growth_sum": lambda p: _sizes(p, _positive),
    },
    other={
        "flow_gap": lambda p: _gap(p, _drift_by_quadrature(p)),
        "velocity_error": lambda p: mp.quad(
            lambda t: p.slope**2 * _path_variance(p, t) + p.offset**2, [0, 1]
        ),
        "lipschitz_sum": _by_quadrature(abs),
        "growth_sum": _by_quadrature(_positive),
    },
    admits=lambda p: p["v1"] > 0,
)


# -- stochastic interpolants ---------------------------------------------------------------------------------


def _fading(p: Values) -> Number:
    """int_0^1 e^{-2 diff (1 - t)} dt."""
    return (1 - exponential(-2 * p.diff)) / (2 * p.diff)


def _fading_by_quadrature(p: Values) -> Number:
    return mp.quad(lambda t: mp.exp(-2 * p.diff * (1 - t)), mp.linspace(0, 1, 9))


def _interpolant_kl(p: Values, fading: Number) -> Number:
    """The mean moves by int e^{-diff (1 - t)} (db + diff ds), the variance stays one."""
    return (p.offset * (1 + p.score_share) * fading) ** 2 / 2


def _kl_by_moment_equation(p: Values) -> Number:
    """The same with the mean as the variation-of-constants integral, by quadrature in the other variable."""
    moved = mp.quad(
        lambda u: mp.exp(-p.diff * u) * p.offset * mp.exp(-p.diff * u) * (1 + p.score_share),
        mp.linspace(0, 1, 9),
    )
    return kl_second([(1, 0, 1)], [(1, moved, 1)], mp.mp.dps)


def _part_error(p: Values) -> Number:
    """c^2 int e^{-2 diff u} (1 + share (2 u - 1)/diff)^2 du over u = 1 - t, where gamma gamma' = 2 u - 1."""

    def integrand(u: Number, _: bool) -> Number:
        return (-2 * p.diff * u).exp() * (1 + p.score_share * (2 * u - 1) / p.diff) ** 2

    return p.offset**2 * acb.integral(integrand, acb(0), acb(1)).real


def _part_error_by_moments(p: Values) -> Number:
    """The same from the moments of u under e^{-2 diff u}, by their recursion."""
    rate = 2 * p.diff
    end = mp.exp(-rate)
    zeroth = -mp.expm1(-rate) / rate
    first = (zeroth - end) / rate
    second = (2 * first - end) / rate
    slope = 2 * p.score_share / p.diff
    start = 1 - p.score_share / p.diff
    return p.offset**2 * (start**2 * zeroth + 2 * start * slope * first + slope**2 * second)


INTERPOLANT = Numerics(
    balls={
        "interpolant_kl": lambda p: _interpolant_kl(p, _fading(p)),
        "drift_error": lambda p: p.offset**2 * _fading(p),
        "score_error": lambda p: (p.score_share * p.offset / p.diff) ** 2 * _fading(p),
        "forward_error": lambda p: (p.offset * (1 + p.score_share)) ** 2 * _fading(p),
        "velocity_part_error": _part_error,
    },
    other={
        "interpolant_kl": _kl_by_moment_equation,
        "drift_error": lambda p: p.offset**2 * _fading_by_quadrature(p),
        "score_error": lambda p: (p.score_share * p.offset / p.diff) ** 2 * _fading_by_quadrature(p),
        "forward_error": lambda p: (p.offset * (1 + p.score_share)) ** 2 * _fading_by_quadrature(p),
        "velocity_part_error": _part_error_by_moments,
    },
)
