"""Numerics of samplers on N(m, v): schedules, the noised flow, flow matching, interpolants, multistep.

First road: recursions of mean and variance in ball arithmetic. Second road: mpmath on the rescaled state,
sums over products, joint covariances of two steps, or quadrature of the exact error equation.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from functools import lru_cache

import mpmath as mp
from flint import acb, arb, ctx

from simulators.distances.balls import Lane, kl_ball, tv_ball
from simulators.distances.second import kl_second, tv_second
from simulators.models.tools import Number, Numerics, Values, exponential, logarithm, root

__all__ = ["MODELS"]

Pair = tuple[Number, Number]
"""Mean and variance of a law on the line."""

EXACT = 700
"""Extra bits of the second road where a scheme may be exact: beyond the last precision of the first road."""


# -- the schedule beta_1 = N^-c0, beta_{t+1} = r min(beta_1 (1 + r)^t, 1), r = c1 log N/N --------------------


def _schedule(p: Values) -> tuple[list[Number], list[Number]]:
    """1 - alpha_t and alphabar_t for t = 1..N."""
    return (
        _balls_of(p.N, p.rate0, p.rate1, ctx.prec)
        if isinstance(p.rate0, arb)
        else _steps(p.N, p.rate0, p.rate1)
    )


def _steps(N: int, c0: Number, c1: Number) -> tuple[list[Number], list[Number]]:
    size = logarithm(N + 0 * c0)
    rate, first = c1 * size / N, exponential(-c0 * size)
    betas, growing = [first], first
    for _ in range(N - 1):
        growing = growing * (1 + rate)
        betas.append(rate * (growing if growing < 1 else 1 + 0 * rate))
    left, kept = [], 1 + 0 * rate
    for beta in betas:
        kept = kept * (1 - beta)
        left.append(kept)
    return betas, left


@lru_cache(maxsize=8)
def _balls_of(N: int, c0: arb, c1: arb, precision: int) -> tuple[list[arb], list[arb]]:
    """The schedule at a working precision, kept for the quantities of one case."""
    return _steps(N, c0, c1)


def _valid_schedule(parameters: Mapping[str, float]) -> bool:
    N = parameters["N"]
    return bool(parameters["rate1"] * math.log(N) < 0.8 * N)


def _largest(values: list[Number]) -> Number:
    best = values[0]
    for value in values[1:]:
        best = value if value > best else best
    return best


def _share(p: Values) -> Number:
    betas, left = _schedule(p)
    return _largest([beta / (1 - kept) for beta, kept in zip(betas[1:], left[1:], strict=True)])


def _signal_by_logarithms(p: Values) -> Number:
    betas, _ = _schedule(p)
    return mp.exp(mp.fsum(mp.log1p(-beta) for beta in betas))


def _largest_beta_by_rule(p: Values) -> Number:
    """The steps do not decrease after the first: the last or the first one."""
    rate = p.rate1 * mp.log(p.N) / p.N
    first = mp.mpf(p.N) ** -p.rate0
    return max(first, rate * min(first * (1 + rate) ** (p.N - 1), 1) if p.N > 1 else first)


def _total_by_rule(p: Values) -> Number:
    """Geometric until it reaches the top, constant from there."""
    rate = p.rate1 * mp.log(p.N) / p.N
    first = mp.mpf(p.N) ** -p.rate0
    growing = min(int(mp.floor(-mp.log(first) / mp.log1p(rate))), p.N - 1)
    geometric = first * (1 + rate) * ((1 + rate) ** growing - 1)
    return geometric + rate * (p.N - 1 - growing)


def _share_by_logarithms(p: Values) -> Number:
    betas, _ = _schedule(p)
    total, best = mp.log1p(-betas[0]), mp.mpf(0)
    for beta in betas[1:]:
        total += mp.log1p(-beta)
        best = max(best, beta / -mp.expm1(total))
    return best


STEP_SCHEDULE = Numerics(
    balls={
        "largest_beta": lambda p: _largest(_schedule(p)[0]),
        "largest_share": _share,
        "signal_left": lambda p: _schedule(p)[1][-1],
        "total_beta": lambda p: sum(_schedule(p)[0][1:], start=0 * p.rate0),
    },
    other={
        "largest_beta": _largest_beta_by_rule,
        "largest_share": _share_by_logarithms,
        "signal_left": _signal_by_logarithms,
        "total_beta": _total_by_rule,
    },
    integers=("N",),
    admits=_valid_schedule,
)

KERNEL_SHIFT = Numerics(
    balls={
        "kernel_kl": lambda p: kl_ball(
            [(p.beta / (1 - p.beta), arb(0), 1)],
            [(p.beta / (1 - p.beta), p.beta * p.offset / root(1 - p.beta), 1)],
        )
    },
    other={
        "kernel_kl": lambda p: (p.beta * p.offset / mp.sqrt(1 - p.beta)) ** 2 / (2 * p.beta / (1 - p.beta))
    },
)


# -- samplers on the schedule --------------------------------------------------------------------------------


def _coefficients(scheme: str, beta: Number, kept: Number) -> Pair:
    """eta_t and sigma_t^2 of Y_{t-1} = (Y_t + eta_t s_t(Y_t) + sigma_t Z)/sqrt(alpha_t)."""
    if scheme == "flow":
        return beta / 2, 0 * beta
    if scheme == "sde":
        return beta, beta
    return beta, beta * (1 - beta - kept) / (1 - kept)


def _forward(p: Values, kept: Number) -> Pair:
    return root(kept) * p.m1, kept * p.v1 + 1 - kept


def _output(p: Values, scheme: str, start: Pair) -> Pair:
    """Mean and variance of Y_1 by the recursion."""
    betas, left = _schedule(p)
    mean, variance = start
    for beta, kept in zip(betas[:0:-1], left[:0:-1], strict=True):
        eta, noise = _coefficients(scheme, beta, kept)
        centre, spread = _forward(p, kept)
        share = eta / spread
        mean = (mean * (1 - share) + share * centre + eta * p.offset) / root(1 - beta)
        variance = (variance * (1 - share) ** 2 + noise) / (1 - beta)
    return mean, variance


def _output_by_sums(p: Values, scheme: str, start: Pair) -> Pair:
    """The same in the state Y/sqrt(alphabar), whose steps add, as sums over products of slopes."""
    betas, left = _schedule(p)
    slope, gain, noise_total = mp.mpf(1), mp.mpf(0), mp.mpf(0)
    for beta, kept in zip(betas[1:], left[1:], strict=True):  # from the last step of the sampler backwards
        eta, noise = _coefficients(scheme, beta, kept)
        spread = kept * p.v1 + 1 - kept
        gain += slope * eta * (p.m1 / spread + p.offset / mp.sqrt(kept))
        noise_total += slope**2 * noise / kept
        slope *= 1 - eta / spread
    scale = mp.sqrt(left[0] / left[-1])
    mean = slope * scale * start[0] + mp.sqrt(left[0]) * gain
    return mean, slope**2 * scale**2 * start[1] + left[0] * noise_total


def _gamma(p: Values) -> Pair:
    return 0 * p.m1, 1 + 0 * p.m1


def _own_start(p: Values) -> Pair:
    return _forward(p, _schedule(p)[1][-1])


def _lane(p: Values, law: Pair) -> list[Lane]:
    return [(law[1], law[0], p.d)]


def _scheme_ball(
    scheme: str,
    start: Callable[[Values], Pair],
    distance: Callable[[list[Lane], list[Lane]], arb],
) -> Callable[[Values], Number]:
    def ball(p: Values) -> Number:
        target = _forward(p, _schedule(p)[1][0])
        return distance(_lane(p, target), _lane(p, _output(p, scheme, start(p))))

    return ball


def _scheme_other(
    scheme: str, start: Callable[[Values], Pair], distance: Callable[..., Number]
) -> Callable[[Values], Number]:
    def other(p: Values) -> Number:
        with mp.extraprec(EXACT if distance is kl_second else 60):
            target = _forward(p, _schedule(p)[1][0])
            output = _output_by_sums(p, scheme, start(p))
            return distance(_lane(p, target), _lane(p, output), mp.mp.dps)

    return other


def _total_variation(ps: list[Lane], qs: list[Lane]) -> arb:
    return tv_ball(ps, qs)[0]


_RUNS = {
    "flow_tv": ("flow", _gamma, "tv"),
    "flow_kl": ("flow", _gamma, "kl"),
    "sde_tv": ("sde", _gamma, "tv"),
    "sde_kl": ("sde", _gamma, "kl"),
    "adapted_tv": ("adapted", _gamma, "tv"),
    "adapted_kl": ("adapted", _gamma, "kl"),
    "sde_kl_own": ("sde", _own_start, "kl"),
    "adapted_kl_own": ("adapted", _own_start, "kl"),
}
_BALLS = {"tv": _total_variation, "kl": kl_ball}
_DIGITS = {"tv": tv_second, "kl": kl_second}

NOISE_SCHEDULE = Numerics(
    balls={
        **{name: _scheme_ball(scheme, start, _BALLS[of]) for name, (scheme, start, of) in _RUNS.items()},
        "signal_left": lambda p: _schedule(p)[1][-1],
        "start_kl": lambda p: kl_ball(_lane(p, _own_start(p)), _lane(p, _gamma(p))),
    },
    other={
        **{name: _scheme_other(scheme, start, _DIGITS[of]) for name, (scheme, start, of) in _RUNS.items()},
        "signal_left": _signal_by_logarithms,
        "start_kl": lambda p: kl_second(_lane(p, _own_start(p)), _lane(p, _gamma(p)), mp.mp.dps + 15),
    },
    integers=("N", "d"),
    admits=_valid_schedule,
)


# -- the flow with a step of forward noise -------------------------------------------------------------------


def grid_down(ratio: float, horizon: float, end: float) -> tuple[float, ...]:
    """Times from the horizon, each shorter by ratio min(1, time), until one reaches the end; two at least."""
    times = [horizon]
    while times[-1] > end or len(times) < 3:
        times.append(times[-1] * (1 - ratio) if times[-1] < 1 else times[-1] - ratio)
    return tuple(times)


def _grid(p: Values) -> tuple[float, ...]:
    """The grid in floats on both roads: its times are data."""
    return grid_down(float(p.ratio), float(p.T), float(p.t_end))


def _at(p: Values, time: Number) -> Pair:
    """Mean and variance of the forward law."""
    fade = exponential(-time)
    return fade * p.m1, fade * fade * (p.v1 - 1) + 1


def _noised(p: Values) -> tuple[Pair, Pair]:
    """The forward law at the last time but one, and the output there."""
    times = [t + 0 * p.v1 for t in _grid(p)]
    mean, variance = 0 * p.m1, 1 + 0 * p.m1
    for now, after, last in zip(times, times[1:], times[2:], strict=False):
        centre, spread = _at(p, now)
        grown, fade = exponential(now - last), exponential(last - after)
        share = (grown - 1) / spread
        mean = fade * ((grown - share) * mean + share * centre + (grown - 1) * p.offset)
        variance = fade * fade * ((grown - share) ** 2 * variance - 1) + 1
    return _at(p, times[-2]), (mean, variance)


def _noised_by_sums(p: Values) -> tuple[Pair, Pair]:
    """The same for the deviation of the mean and for e^{2t} times the variance."""
    times = [mp.mpf(t) for t in _grid(p)]
    off, scaled = -mp.exp(-times[0]) * p.m1, mp.exp(2 * times[0])
    for now, after, last in zip(times, times[1:], times[2:], strict=False):
        spread = mp.exp(-2 * now) * p.v1 - mp.expm1(-2 * now)
        lead = mp.expm1(now - last)
        off = mp.exp(last - after) * ((1 + lead * (1 - 1 / spread)) * off + lead * p.offset)
        slope = mp.exp(last - now) * (1 + lead * (1 - 1 / spread))
        scaled = slope**2 * scaled + mp.exp(2 * after) - mp.exp(2 * last)
    at = times[-2]
    mean = mp.exp(-at) * p.m1
    return (mean, mp.exp(-2 * at) * p.v1 - mp.expm1(-2 * at)), (mean + off, mp.exp(-2 * at) * scaled)


def _noised_kl_by_sums(p: Values) -> Number:
    target, output = _noised_by_sums(p)
    return kl_second(_lane(p, target), _lane(p, output), mp.mp.dps + 15)


NOISED_FLOW = Numerics(
    balls={
        "noised_kl": lambda p: kl_ball(*(_lane(p, law) for law in _noised(p))),
        "grid_steps": lambda p: arb(len(_grid(p)) - 1),
    },
    other={
        "noised_kl": _noised_kl_by_sums,
        "grid_steps": lambda p: mp.mpf(sum(1 for _ in _grid(p)[1:])),
    },
    integers=("d",),
    admits=lambda p: p["T"] > 2 * p["t_end"],
)

NOISING_STEP = Numerics(
    balls={
        "noising_kl": lambda p: kl_ball(
            [(1 - exponential(-2 * p.lag), exponential(-p.lag) * p.offset, 1)],
            [(1 - exponential(-2 * p.lag), arb(0), 1)],
        )
    },
    other={"noising_kl": lambda p: p.offset**2 / (2 * mp.expm1(2 * p.lag))},
)


# -- flow matching along (1 - t) X0 + t X1 -------------------------------------------------------------------


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
    return _length(stretch, p.offset * gain)


def _length(x: Number, y: Number) -> Number:
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


EXPLODING_FLOW = Numerics(
    balls={
        "lipschitz_sum": lambda p: logarithm((p.v1 + p.noise_start**2) / (p.v1 + p.noise_end**2)) / 2,
    },
    other={
        "lipschitz_sum": lambda p: mp.quad(
            lambda u: mp.exp(2 * u) / (p.v1 + mp.exp(2 * u)),
            mp.linspace(mp.log(p.noise_end), mp.log(p.noise_start), 8),
        ),
    },
    admits=lambda p: p["noise_end"] < p["noise_start"],
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


INTERPOLANT = Numerics(
    balls={
        "interpolant_kl": lambda p: _interpolant_kl(p, _fading(p)),
        "drift_error": lambda p: p.offset**2 * _fading(p),
        "score_error": lambda p: (p.score_share * p.offset / p.diff) ** 2 * _fading(p),
        "forward_error": lambda p: (p.offset * (1 + p.score_share)) ** 2 * _fading(p),
    },
    other={
        "interpolant_kl": _kl_by_moment_equation,
        "drift_error": lambda p: p.offset**2 * _fading_by_quadrature(p),
        "score_error": lambda p: (p.score_share * p.offset / p.diff) ** 2 * _fading_by_quadrature(p),
        "forward_error": lambda p: (p.offset * (1 + p.score_share)) ** 2 * _fading_by_quadrature(p),
    },
)


# -- multistep schemes on equal steps of lambda = log(signal/noise) ------------------------------------------


def _signal(lam: Number) -> Pair:
    """Signal and noise amplitude at lambda."""
    return 1 / root(1 + exponential(-2 * lam)), 1 / root(1 + exponential(2 * lam))


def _lambda_of(t: Number) -> Number:
    """log(signal/noise) at the forward time t, unit clock."""
    return -logarithm(exponential(2 * t) - 1) / 2


def _lambdas(p: Values) -> list[Number]:
    first, last = _lambda_of(p.T), _lambda_of(p.t_end)
    return [first + (last - first) * k / p.N for k in range(p.N + 1)]


def _denoiser(p: Values, lam: Number) -> Pair:
    """Slope and constant of E[X0 | x]."""
    signal, noise = _signal(lam)
    slope = signal * p.v1 / (signal**2 * p.v1 + noise**2)
    return slope, p.m1 * (1 - slope * signal)


def _affine_map(p: Values, order: int) -> Pair:
    """Slope and constant of the sampler's map from the first to the last lambda."""
    lams = _lambdas(p)
    slope, constant = 1 + 0 * p.v1, 0 * p.v1
    before: Pair | None = None
    fall = 1 - exponential(lams[0] - lams[1])
    noise = _signal(lams[0])[1]
    for now, after in itertools.pairwise(lams):
        a, b = _denoiser(p, now)
        guess = (a * slope, a * constant + b)
        used = guess
        if before is not None and order == 2:
            used = (3 * guess[0] - before[0]) / 2, (3 * guess[1] - before[1]) / 2
        before = guess
        signal, less = _signal(after)
        slope = less / noise * slope + signal * fall * used[0]
        constant = less / noise * constant + signal * fall * used[1]
        noise = less
    return slope, constant


def _law_at(p: Values, lam: Number) -> Pair:
    signal, noise = _signal(lam)
    return signal * p.m1, signal**2 * p.v1 + noise**2


def _multistep_gap(p: Values, order: int) -> Number:
    slope, constant = _affine_map(p, order)
    lams = _lambdas(p)
    (mean, variance), (target, wanted) = _law_at(p, lams[0]), _law_at(p, lams[-1])
    spread = abs(slope) * root(variance) - root(wanted)
    return _length(spread, slope * mean + constant - target)


def _gap_by_covariance(p: Values, order: int) -> Number:
    """The same from the means and the covariance matrix of the state and the last guess."""
    with mp.extraprec(EXACT):
        lams = _lambdas(p)
        mean, variance = _law_at(p, lams[0])
        centre, cov = mp.matrix([mean, 0]), mp.matrix([[variance, 0], [0, 0]])
        for k, (now, after) in enumerate(itertools.pairwise(lams)):
            a, b = _denoiser(p, now)
            (_, noise), (signal, less) = _signal(now), _signal(after)
            gain = signal * -mp.expm1(now - after)
            lead, lag = (1.5, -0.5) if k and order == 2 else (1, 0)
            step = mp.matrix([[less / noise + gain * lead * a, gain * lag], [a, 0]])
            centre = step * centre + mp.matrix([gain * lead * b, b])
            cov = step * cov * step.T
        target, wanted = _law_at(p, lams[-1])
        return mp.sqrt((mp.sqrt(cov[0, 0]) - mp.sqrt(wanted)) ** 2 + (centre[0] - target) ** 2)


MULTISTEP = Numerics(
    balls={
        "two_step_gap": lambda p: _multistep_gap(p, 2),
        "one_step_gap": lambda p: _multistep_gap(p, 1),
        "log_step": lambda p: (_lambda_of(p.t_end) - _lambda_of(p.T)) / p.N,
    },
    other={
        "two_step_gap": lambda p: _gap_by_covariance(p, 2),
        "one_step_gap": lambda p: _gap_by_covariance(p, 1),
        "log_step": lambda p: mp.log(mp.expm1(2 * p.T) / mp.expm1(2 * p.t_end)) / (2 * p.N),
    },
    integers=("N",),
)

MODELS: Mapping[str, Numerics] = {
    "step-schedule": STEP_SCHEDULE,
    "kernel-shift": KERNEL_SHIFT,
    "noise-schedule": NOISE_SCHEDULE,
    "noised-flow": NOISED_FLOW,
    "noising-step": NOISING_STEP,
    "flow-matching": FLOW_MATCHING,
    "exploding-flow": EXPLODING_FLOW,
    "interpolant": INTERPOLANT,
    "multistep": MULTISTEP,
}
