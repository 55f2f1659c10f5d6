"""Path KL and score errors in ball arithmetic, from expanded squares: 128 bits have room for what cancels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from flint import arb, ctx

from simulators.batch import SingleCase
from simulators.errors import InputError, NotDefined
from simulators.exppoly import E, ExpPoly
from simulators.laws.ball_tools import (
    Pair,
    ball_forward,
    coefficients,
    decays,
    error_of,
    growths,
    phase_reference,
    phase_start,
    spread_equal,
    start_of,
    steps,
    times,
)
from simulators.samplers import SAMPLERS
from simulators.samplers.scheme import CriticallyDamped
from simulators.score_errors import AVERAGES
from simulators.targets import Gaussian

__all__ = ["ball_path_kl", "ball_score_error"]

STAYS = ("lmc", "ulmc")
PATHS = ("ddpm-ei", "ddpm-em", "cds-ei", "cld-ei", *STAYS)


def ball_path_kl(case: SingleCase) -> arb:
    """KL of the true reverse path from q_T against the sampler's path, see `simulators.laws.paths`; +inf
    where it is infinite.
    """
    if case.sampler not in PATHS:
        raise NotDefined(
            f"sampler={case.sampler!r}: the path law has no density against the true one, or no closed form"
        )
    total = arb(0)
    for i, n in enumerate(case.target.multiplicities):
        part = _initial(case, i, n)
        part += _stationary(case, i, n) if case.sampler in STAYS else _girsanov(case, i, n)
        if not part.is_finite():
            return arb("+inf") if _ends_singular(case, i) else part
        total += part
    return total


def _ends_singular(case: SingleCase, space: int) -> bool:
    start = case.start.eigenvalues[space] if isinstance(case.start, Gaussian) else 1.0
    return start == 0 or (case.target.eigenvalues[space] == 0 and case.grid.delta == 0)


def _initial(case: SingleCase, space: int, n: int) -> arb:
    """KL(q_T || start) in one eigenspace; from the target instead of q_T for lmc and ulmc."""
    if case.sampler == "cld-ei":
        (sxx, sxv, svv), (mx, mv) = phase_reference(
            arb(case.target.eigenvalues[space]), arb(case.target.means[space]), Fraction(case.grid.T)
        )
        if case.start == "q_T":
            return arb(0)
        (v0, _, _), (m0, _) = phase_start(case, space)
        det = sxx * svv - sxv * sxv
        return (n * (sxx / v0 + svv - 2 - (det / v0).log()) + (mx - m0) * (mx - m0) / v0 + mv * mv) / 2
    if case.start == "q_T" and case.sampler not in STAYS:
        return arb(0)
    start, true = start_of(case), ball_forward(case, "target" if case.sampler in STAYS else "T")
    v0, lag = start.variances[space], true.means[space] - start.means[space]
    ratio = true.variances[space] / v0
    return (n * (ratio - 1 - ratio.log()) + lag * lag / v0) / 2


Terms = tuple[ExpPoly, ...]
FADE, RISE, BEND = 1 - E(-1), E(1) - 1, E(1) + E(-1) - 2
TABLES: dict[str, Terms] = {
    "ddpm-ei": ((FADE * FADE).integral() - (1 - E(-2)) / 2, FADE.integral()),
    "cds-ei": ((E(2) - 1) / 2, (RISE * RISE).integral(), RISE.integral()),
    "ddpm-em": (
        (E(2) - 1).integral(),
        (BEND * BEND).integral() - 3 * (1 - E(-2)).integral() - 2 * (1 - E(-2)),
        (RISE * RISE).integral(),
        (RISE * BEND).integral(),
        RISE.integral(),
        BEND.integral(),
    ),
}
"""Integrals over one step, see `_sum_ei`, `_sum_cds` and `_sum_em`."""
ZERO, ONE, TWO, NEAR = arb(0), arb(1), arb(2), arb(2) ** -40


@dataclass(frozen=True)
class _Space:
    """One eigenspace: lam, lam - 1, mean, dimension, score error."""

    lam: arb
    lam1: arb
    m: arb
    n: int
    c: arb
    eta: arb
    weights: list[arb] | None

    @classmethod
    def of(cls, case: SingleCase, i: int) -> _Space:
        lam, m = arb(case.target.eigenvalues[i]), arb(case.target.means[i])
        return cls(lam, lam - 1, m, case.target.multiplicities[i], *error_of(case, i))

    def mistake(self, k: int, adapted: arb, mu: arb) -> Pair:
        """(w, b): slope of the score error of step k, and its value at the mean."""
        p = adapted if self.weights is None else self.weights[k]
        return p * self.eta, p * (self.c + self.eta * mu)


def _girsanov(case: SingleCase, i: int, n: int) -> arb:
    """The steps' contributions in one eigenspace. Logarithms of consecutive variances telescope."""
    if case.sampler == "cld-ei":
        return _sum_damped(case, _Space.of(case, i))
    space = _Space.of(case, i)
    sums = {"ddpm-ei": _sum_ei, "cds-ei": _sum_cds, "ddpm-em": _sum_em}[case.sampler]
    spread, shift = sums(case, space, coefficients(TABLES[case.sampler], case))
    first = 1 + space.lam1 * decays(case)[0] * decays(case)[0]
    last = space.lam if case.grid.delta == 0 else 1 + space.lam1 * (-2 * arb(case.grid.delta)).exp()
    faded = 0 if case.sampler == "cds-ei" else arb(case.grid.T) - arb(case.grid.delta)
    return n * (spread + (first / last).log() / 2 + faded) + shift


def _sum_ei(case: SingleCase, space: _Space, table: list[tuple[arb, ...]]) -> Pair:
    """Sums of (int (1 - e^{-u})^2 - (1 - e^{-2h})/2)/S - 2 w int (1 - e^{-u}) + h w^2 S, and of h b^2."""
    spread, shift, exact = ZERO, ZERO, case.score_error is None
    for k, (decay, h, (main, slope)) in enumerate(zip(decays(case), steps(case), table, strict=False)):
        S = ONE + space.lam1 * decay * decay
        spread += main / S
        if not exact:
            w, b = space.mistake(k, decay / S, space.m * decay)
            spread += w * (h * w * S - TWO * slope)
            shift += h * b * b
    return spread, shift


def _sum_cds(case: SingleCase, space: _Space, table: list[tuple[arb, ...]]) -> Pair:
    """With r = R/S and d = e^u - 1: r (e^{2h} - 1)/2 + S int (r d - w)^2, and int (mu d - b)^2."""
    spread, shift, exact = ZERO, ZERO, case.score_error is None
    for k, (decay, h, (rise, square, slope)) in enumerate(
        zip(decays(case), steps(case), table, strict=False)
    ):
        R, mu = space.lam1 * decay * decay, space.m * decay
        S = ONE + R
        r = R / S
        spread += r * (rise + R * square)
        shift += mu * mu * square
        if not exact:
            w, b = space.mistake(k, decay / S, mu)
            spread += w * (h * w * S - TWO * R * slope)
            shift += b * (h * b - TWO * mu * slope)
    return spread, shift


def _sum_em(case: SingleCase, space: _Space, table: list[tuple[arb, ...]]) -> Pair:
    """With q = e^u + e^{-u} - 2, s = 2 w S: a quarter of int (1 - e^{-2u})(S_u - 2)^2/(S S_u) without its
    logarithm plus int (S d - q - s)^2/S, and of int (mu d - 2b)^2.
    """
    spread, shift, exact = ZERO, ZERO, case.score_error is None
    for k, (decay, h, (p1, rest, square, mixed, slope, bent)) in enumerate(
        zip(decays(case), steps(case), table, strict=False)
    ):
        R, mu = space.lam1 * decay * decay, space.m * decay
        S = ONE + R
        spread += (R * p1 + rest) / S + S * square - TWO * mixed
        shift += mu * mu * square
        if not exact:
            w, b = space.mistake(k, decay / S, mu)
            s = TWO * w
            spread += s * (s * S * h - TWO * S * slope + TWO * bent)
            shift += TWO * b * (TWO * b * h - TWO * mu * slope)
    return spread / 4, shift / 4


def _sum_damped(case: SingleCase, space: _Space) -> arb:
    """The steps of cld-ei: with (p_x, p_v) the v-row of the precision of q at the start of a step,

    2n { h + (h - 2h e^{-h}) p_v - 2 (1 - (1 + h) e^{-h}) p_x - 2 w h (1 - e^{-h}) + h w^2 Sigma_vv } + 2h b^2
    and the logarithm (n/2) log(det Sigma_T/det Sigma_delta).
    """
    spread, shift, exact = ZERO, ZERO, case.score_error is None
    dets = []
    for tau, decay in zip(times(case), decays(case), strict=True):
        wx, lag = decay + tau * decay, tau * decay
        dets.append((ONE + space.lam1 * (wx * wx + lag * lag), wx, lag))
    for k, (h, X, (det, wx, lag)) in enumerate(zip(steps(case), growths(case), dets, strict=False)):
        fade = ONE / X
        stay = h * fade
        share = space.lam1 * lag / det
        spread += h + (h - TWO * stay) * (ONE - share * lag) - TWO * (ONE - fade - stay) * share * wx
        if not exact:
            w, b = space.mistake(k, -lag / det, -space.m * lag)
            spread += w * (h * w * (ONE + space.lam1 * lag * lag) - TWO * (h - stay))
            shift += h * b * b
    last = space.lam if case.grid.delta == 0 else dets[-1][0]
    return space.n * (2 * spread + (dets[0][0] / last).log() / 2) + 2 * shift


def _stationary(case: SingleCase, i: int, n: int) -> arb:
    """Langevin Monte Carlo, overdamped or underdamped, against the stationary process; one eigenspace."""
    lam, m = arb(case.target.eigenvalues[i]), arb(case.target.means[i])
    c, eta, weights = error_of(case, i)

    friction = ONE if case.sampler == "lmc" else arb(case.options.get("gamma_friction", 2.0))
    away = (lambda h: h - lam * (ONE - (-h / lam).exp())) if case.sampler == "lmc" else _away(friction, lam)

    def one(h: arb, p: arb) -> arb:
        y, w, b = h / lam, p * eta * lam, p * (c + eta * m)
        slope = away(h) / lam
        return n * (w * w * y - TWO * w * slope + TWO * slope) + h * b * b

    pairs = zip(steps(case), weights or [1 / lam] * case.grid.N, strict=True)
    return sum(spread_equal(pairs, one), ZERO) / (4 * friction)


def _away(g: arb, lam: arb) -> Callable[[arb], arb]:
    """int_0^h (1 - rho) = h - lam g (1 - rho(h)) - h e^{-gh/2} sinh(w)/w, w^2 = (g^2/4 - 1/lam) h^2; see
    `simulators.laws.kinetic`.
    """
    square, half, turn = g * g / 4 - ONE / lam, g / 2, lam * g
    root = abs(square).sqrt()

    def integral(h: arb) -> arb:
        argument = square * h * h
        if abs(argument) < NEAR:  # there the root would lose digits, or its sign is unknown
            even, odd = _critical(argument)
        elif square.contains(0):  # a step so long that more digits of g^2/4 - 1/lam are needed
            return arb("nan")
        else:
            w = root * h
            odd, even = w.sinh_cosh() if square > 0 else w.sin_cos()
            odd = odd / w
        fade = (-half * h).exp()
        return h - turn * (ONE - fade * (even + half * h * odd)) - fade * odd * h

    return integral


def _critical(square: arb) -> Pair:
    """cosh(w) and sinh(w)/w by their series in w^2, |w^2| <= 1/2 of either sign; the terms from w^{2k} on add
    up to less than twice the first.
    """
    even, odd, term, k = ZERO, ZERO, ONE, 0
    while not abs(term) < arb(2) ** (-ctx.prec - 8):
        even, odd, k = even + term, odd + term / (2 * k + 1), k + 1
        term = term * square / ((2 * k - 1) * (2 * k))
    rest = arb(0, (2 * abs(term)).upper())
    return even + rest, odd + rest


def ball_score_error(case: SingleCase, average: str) -> arb:
    """Squared score error under the true forward law, averaged over the grid as in
    `simulators.laws.constants.score_error`.
    """
    if average not in AVERAGES:
        raise InputError("average", average, f"expected one of {', '.join(AVERAGES)}")
    sampler = SAMPLERS[case.sampler]
    stays = not getattr(sampler, "reverse", True)
    nodes = [ONE] * case.grid.N if stays else decays(case)
    errors = [ZERO] * case.grid.N
    for i in range(len(case.target.multiplicities)):
        space = _Space.of(case, i)
        for k in range(case.grid.N):
            if isinstance(sampler, CriticallyDamped):
                lag = times(case)[k] * nodes[k]
                wx = nodes[k] + lag
                S, mu = ONE + space.lam1 * lag * lag, -space.m * lag
                w, b = space.mistake(k, -lag / (ONE + space.lam1 * (wx * wx + lag * lag)), mu)
            else:
                S, mu = ONE + space.lam1 * nodes[k] * nodes[k], space.m * nodes[k]
                w, b = space.mistake(k, nodes[k] / S, mu)
            errors[k] += b * b + space.n * w * w * S
    if average == "sup":
        worst = errors[0]
        for e in errors[1:]:
            worst = worst.max(e)
        return worst
    lengths = [ONE] * case.grid.N if average == "steps" else steps(case)
    total = sum((h * e for h, e in zip(lengths, errors, strict=True)), ZERO)
    return total if average in ("integral", "g2-half") else total / sum(lengths, ZERO)
