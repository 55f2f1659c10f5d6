"""Flows through smoothed data: the Lipschitz constant of their velocity, and where an error of it leads.

Two equal Gaussians N(-m, v), N(m, v) behind the noise gamma(t) Z, as beta X1 + gamma Z with beta = 1 (noise
fading) or beta = sin, gamma = R cos (variance preserving); and N(m, v I) behind a noise that rises and falls,
or fades, with a velocity that is off by a shift.

First road: antiderivatives, cut where the steepest place of the velocity changes. Second road: mpmath
quadrature of the steepest slope, from the posterior variance of the noise.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import mpmath as mp
from flint import acb, arb

from simulators.models.flows import length
from simulators.models.tools import Number, Numerics, Values, logarithm, root

__all__ = ["BRIDGED_FLOW", "EXPLODING_FLOW", "FADING_FLOW", "PRESERVING_FLOW"]


def _regularity(p: Values) -> Number:
    """1 + m^2/v; one for a point, which is Gaussian too."""
    return 1 + p.m1**2 / p.v1 if p.m1 != 0 else 1 + 0 * p.v1


def _within(x: Number, low: Number, high: Number) -> Number:
    """The nearest number of [low, high], also for balls."""
    above = (x + low + abs(x - low)) / 2
    return (above + high - abs(above - high)) / 2


def _steepest(v: Number, m: Number, share: Callable[[Number], Number]) -> Number:
    """The largest |share(c)| over the posterior variances c of the noise, in units of its own.

    v, m : variance and half-distance of the components over the variance of the noise and its root.
    share is affine: the ends suffice, c far out (one component) and in the middle (both).
    """
    far = v / (1 + v)
    return max(abs(share(far)), abs(share(far + m**2 / (1 + v) ** 2)))


def _pair(parameters: Mapping[str, float]) -> bool:
    return parameters["v1"] > 0 or parameters["m1"] == 0


# -- fading noise: X1 + gamma Z ------------------------------------------------------------------------------


def _exploding_sum(p: Values) -> Number:
    """Half the integral of max(1/V, m^2/V^2 - 1/V) over V = v + gamma^2."""
    first, last = p.v1 + p.noise_end**2, p.v1 + p.noise_start**2
    turn = _within(p.m1**2 / 2, first, last)
    near = p.m1**2 * (1 / first - 1 / turn) - logarithm(turn / first)
    return (logarithm(last / turn) + near) / 2


def _exploding_by_quadrature(p: Values) -> Number:
    """The same over log gamma; the derivative of the velocity is (1 - c) times that of log gamma."""

    def slope(u: Number) -> Number:
        noise = mp.exp(2 * u)
        return _steepest(p.v1 / noise, p.m1 / mp.exp(u), lambda c: 1 - c)

    low, high = mp.log(p.noise_end), mp.log(p.noise_start)
    cuts = {low, high}
    if p.m1**2 / 2 > p.v1:
        turn = mp.log(p.m1**2 / 2 - p.v1) / 2
        cuts |= {turn} if low < turn < high else set()
    ends = sorted(cuts)
    return mp.fsum(mp.quad(slope, mp.linspace(a, b, 8)) for a, b in itertools.pairwise(ends) if a < b)


EXPLODING_FLOW = Numerics(
    balls={"lipschitz_sum": _exploding_sum, "regularity": _regularity},
    other={"lipschitz_sum": _exploding_by_quadrature, "regularity": _regularity},
    admits=lambda p: p["noise_end"] < p["noise_start"] and _pair(p),
)


# -- the variance-preserving path: sin(a) X1 + R cos(a) Z ----------------------------------------------------


def _preserving_sum(p: Values) -> Number:
    """Half the integral of max(-A, A + B) over u = sin^2, V = R^2 - (R^2 - v) u, A = -(R^2 - v)/V, B = m^2
    R^2/V^2.
    """
    gap, top = p.R**2 - p.v1, p.R**2
    last = top - gap * (arb(1) - p.angle.cos() ** 2)
    if p.m1 == 0:
        return logarithm(top / last) / 2
    pull = p.m1**2 * top / gap
    turn = _within(pull / 2, last, top)
    return (logarithm(top / turn) - logarithm(turn / last) + pull * (1 / last - 1 / turn)) / 2


def _preserving_by_quadrature(p: Values) -> Number:
    """The same over the angle: |(log gamma)' - ((log gamma)' - (log beta)') c|, c the posterior variance."""

    def slope(a: Number) -> Number:
        t = mp.tan(a)
        return _steepest(p.v1 * (t / p.R) ** 2, p.m1 * t / p.R, lambda c: (t + 1 / t) * c - t)

    cuts = {mp.mpf(0), p.angle}
    if p.m1 != 0:
        turn = p.R**2 * (1 - p.m1**2 / (2 * (p.R**2 - p.v1))) / (p.R**2 - p.v1)
        if 0 < turn < mp.sin(p.angle) ** 2:
            cuts.add(mp.asin(mp.sqrt(turn)))
    ends = sorted(cuts)
    return mp.fsum(mp.quad(slope, mp.linspace(a, b, 6)) for a, b in itertools.pairwise(ends))


PRESERVING_FLOW = Numerics(
    balls={
        "lipschitz_sum": _preserving_sum,
        "regularity": _regularity,
        "noise_left": lambda p: p.R * p.angle.cos(),
    },
    other={
        "lipschitz_sum": _preserving_by_quadrature,
        "regularity": _regularity,
        "noise_left": lambda p: p.R * mp.cos(p.angle),
    },
    admits=lambda p: _pair(p) and p["m1"] ** 2 + p["v1"] < p["R"] ** 2,
)


# -- a shifted velocity on N(m, v I) behind noise ------------------------------------------------------------


def _gaps(p: Values, gain: Number, smoothed: Number) -> dict[str, Number]:
    """A shift moves the mean; behind it the output has the smoothed variance."""
    shift = abs(p.offset) * gain
    spread = root(smoothed) - root(p.v1)
    return {"smoothed_gap": shift, "data_gap": length(shift, root(p.d + 0 * p.v1) * spread)}


def _bump(p: Values, t: Number) -> Number:
    """The noise between noise_end at both ends and noise_start in the middle."""
    return p.noise_end + 4 * (p.noise_start - p.noise_end) * t * (1 - t)


def _bridged_gain(p: Values) -> Number:
    """int_0^1 sqrt(S(1)/S(t)) dt, S = t^2 v + gamma^2, by the ball integral."""

    def integrand(t: Number, analytic: bool) -> Number:
        gamma = _bump(p, t)
        return 1 / (t * t * p.v1 + gamma * gamma).sqrt(analytic=analytic)

    return root(p.v1 + p.noise_end**2) * acb.integral(integrand, acb(0), acb(1)).real


def _bridged_gain_by_quadrature(p: Values) -> Number:
    near = min(p.noise_end / (4 * (p.noise_start - p.noise_end) + mp.sqrt(p.v1)), mp.mpf(1) / 4)
    cuts = [0, near, 4 * near if 16 * near < 1 else mp.mpf(1) / 2, 1 - near, 1]
    return mp.sqrt(p.v1 + p.noise_end**2) * mp.quad(
        lambda t: 1 / mp.sqrt(t * t * p.v1 + _bump(p, t) ** 2), sorted(set(cuts))
    )


def _inverse_noise(p: Values) -> Number:
    """Int dt/gamma = atanh(r)/(r noise_start), r^2 = 1 - noise_end/noise_start."""
    r = root(1 - p.noise_end / p.noise_start)
    return logarithm((1 + r) / (1 - r)) / (2 * r * p.noise_start)


BRIDGED_FLOW = Numerics(
    balls={
        "smoothed_gap": lambda p: _gaps(p, _bridged_gain(p), p.v1 + p.noise_end**2)["smoothed_gap"],
        "data_gap": lambda p: _gaps(p, _bridged_gain(p), p.v1 + p.noise_end**2)["data_gap"],
        "velocity_error": lambda p: p.offset**2,
        "inverse_noise": _inverse_noise,
    },
    other={
        "smoothed_gap": lambda p: _gaps(p, _bridged_gain_by_quadrature(p), p.v1 + p.noise_end**2)[
            "smoothed_gap"
        ],
        "data_gap": lambda p: _gaps(p, _bridged_gain_by_quadrature(p), p.v1 + p.noise_end**2)["data_gap"],
        "velocity_error": lambda p: mp.quad(lambda t: p.offset**2, [0, 1]),
        "inverse_noise": lambda p: 2 * mp.quad(lambda t: 1 / _bump(p, t), [0, mp.mpf(1) / 8, mp.mpf(1) / 2]),
    },
    integers=("d",),
    admits=lambda p: p["noise_end"] < p["noise_start"],
)


def _fading_gain(p: Values) -> Number:
    """The same gain for X1 + gamma Z, gamma falling evenly in its logarithm: asinh is its antiderivative."""
    end = p.v1 + p.noise_end**2
    steps = logarithm(p.noise_start / p.noise_end)
    if p.v1 == 0:
        return (1 - p.noise_end / p.noise_start) / steps
    s = root(p.v1)
    rise = (s / p.noise_end + root(p.v1 / p.noise_end**2 + 1)) / (
        s / p.noise_start + root(p.v1 / p.noise_start**2 + 1)
    )
    return root(end) * logarithm(rise) / s / steps


def _fading_gain_by_quadrature(p: Values) -> Number:
    low, high = mp.log(p.noise_end), mp.log(p.noise_start)
    area = mp.quad(lambda u: 1 / mp.sqrt(p.v1 + mp.exp(2 * u)), mp.linspace(low, high, 9))
    return mp.sqrt(p.v1 + p.noise_end**2) * area / (high - low)


FADING_FLOW = Numerics(
    balls={
        "smoothed_gap": lambda p: _gaps(p, _fading_gain(p), p.v1 + p.noise_end**2)["smoothed_gap"],
        "data_gap": lambda p: _gaps(p, _fading_gain(p), p.v1 + p.noise_end**2)["data_gap"],
        "velocity_error": lambda p: p.offset**2,
    },
    other={
        "smoothed_gap": lambda p: _gaps(p, _fading_gain_by_quadrature(p), p.v1 + p.noise_end**2)[
            "smoothed_gap"
        ],
        "data_gap": lambda p: _gaps(p, _fading_gain_by_quadrature(p), p.v1 + p.noise_end**2)["data_gap"],
        "velocity_error": lambda p: mp.quad(lambda t: p.offset**2, [0, 1]),
    },
    integers=("d",),
    admits=lambda p: p["noise_end"] < p["noise_start"],
)
