"""Path KL and score errors in ball arithmetic, from expanded squares: 128 bits have room for what cancels."""

from __future__ import annotations

from fractions import Fraction

from flint import arb

from simulators.batch import SingleCase
from simulators.errors import InputError, NotDefined
from simulators.exppoly import H
from simulators.laws.ball_tools import (
    Pair,
    ball_forward,
    coefficients,
    decays,
    error_of,
    phase_reference,
    phase_start,
    start_of,
    to_arb,
)
from simulators.laws.integrals import FUNCTIONS
from simulators.samplers import SAMPLERS
from simulators.samplers.scheme import CriticallyDamped
from simulators.score_errors import AVERAGES
from simulators.targets import Gaussian

__all__ = ["ball_path_kl", "ball_score_error"]


def ball_path_kl(case: SingleCase) -> arb:
    """KL of the true reverse path from q_T against the sampler's path, see `simulators.laws.paths`; +inf
    where it is infinite.
    """
    if case.sampler not in FUNCTIONS and case.sampler != "lmc":
        raise NotDefined(
            f"sampler={case.sampler!r}: the path law has no density against the true one, or no closed form"
        )
    total = arb(0)
    for i, n in enumerate(case.target.multiplicities):
        part = _initial(case, i, n)
        part += _stationary(case, i, n) if case.sampler == "lmc" else _girsanov(case, i, n)
        if not part.is_finite():
            return arb("+inf") if _ends_singular(case, i) else part
        total += part
    return total


def _ends_singular(case: SingleCase, space: int) -> bool:
    start = case.start.eigenvalues[space] if isinstance(case.start, Gaussian) else 1.0
    return start == 0 or (case.target.eigenvalues[space] == 0 and case.grid.delta == 0)


def _initial(case: SingleCase, space: int, n: int) -> arb:
    """KL(q_T || start) in one eigenspace; from the target instead of q_T for lmc."""
    if case.sampler == "cld-ei":
        (sxx, sxv, svv), (mx, mv) = phase_reference(
            arb(case.target.eigenvalues[space]), arb(case.target.means[space]), Fraction(case.grid.T)
        )
        if case.start == "q_T":
            return arb(0)
        (v0, _, _), (m0, _) = phase_start(case, space)
        det = sxx * svv - sxv * sxv
        return (n * (sxx / v0 + svv - 2 - (det / v0).log()) + (mx - m0) * (mx - m0) / v0 + mv * mv) / 2
    if case.start == "q_T" and case.sampler != "lmc":
        return arb(0)
    start, true = start_of(case), ball_forward(case, "target" if case.sampler == "lmc" else "T")
    v0, lag = start.variances[space], true.means[space] - start.means[space]
    ratio = true.variances[space] / v0
    return (n * (ratio - 1 - ratio.log()) + lag * lag / v0) / 2


def _girsanov(case: SingleCase, space: int, n: int) -> arb:
    """The steps' contributions in one eigenspace."""
    lam, m = arb(case.target.eigenvalues[space]), arb(case.target.means[space])
    c, eta, weights = error_of(case, space)
    times = decays(case)
    total = arb(0)
    taus = case.grid.exact_times()
    for k, row in enumerate(coefficients(FUNCTIONS[case.sampler], case)):
        if case.sampler == "cld-ei":
            total += _damped_step(
                lam, m, c, eta, None if weights is None else weights[k], n, row, taus[k], taus[k + 1]
            )
            continue
        R, mu = (lam - 1) * times[k] * times[k], m * times[k]
        last = case.grid.delta == 0 and k == case.grid.N - 1
        S, end = 1 + R, lam if last else 1 + (lam - 1) * times[k + 1] * times[k + 1]
        p = times[k] / S if weights is None else weights[k]
        w, b = p * eta, p * (c + eta * mu)
        total += _contribution(case.sampler, S, R, end, mu, w, b, n, row)
    return total


def _contribution(
    name: str, S: arb, R: arb, end: arb, mu: arb, w: arb, b: arb, n: int, row: tuple[arb, ...]
) -> arb:
    """One step, expanded squares: 128 bits have room for what cancels."""
    if name == "ddpm-ei":
        z, fade, h, i1, i2, _ = row
        return n * ((-z / S - (end * fade / S).log()) / 2 + i2 / S - 2 * w * i1 + w * w * h * S) + h * b * b
    if name == "cds-ei":
        p, _, h, i1, i2, _ = row
        x, r = R * p / S, R / S
        return (
            n * ((x - (end / S).log()) / 2 + S * (r * r * i2 - 2 * r * w * i1 + w * w * h))
            + mu * mu * i2
            - 2 * mu * b * i1
            + b * b * h
        )
    p, z, fade, h, d1, d2, dq, _, _, _, p1, k1 = row
    e1, q2 = _bend(h)
    noise = (R * p1 - 3 * k1) / S + 2 * (-z / S - (end * fade / S).log())
    slope = 2 * w * S
    square = S * S * d2 + q2 + slope * slope * h - 2 * S * dq - 2 * S * slope * d1 + 2 * slope * e1
    return (n * (noise + square / S) + mu * mu * d2 - 4 * mu * b * d1 + 4 * b * b * h) / 4


def _bend(h: arb) -> Pair:
    """Integrals of q = e^u + e^{-u} - 2 and of its square over [0, h]."""
    up, down = h.exp(), (-h).exp()
    return up - down - 2 * h, (up * up - down * down) / 2 - 4 * (up - down) + 6 * h


def _damped_step(
    lam: arb,
    m: arb,
    c: arb,
    eta: arb,
    weight: arb | None,
    n: int,
    row: tuple[arb, ...],
    time: Fraction,
    after: Fraction,
) -> arb:
    (sxx, sxv, svv), (_, mean_v) = phase_reference(lam, m, time)
    (txx, txv, tvv), _ = phase_reference(lam, m, after)
    det, end = sxx * svv - sxv * sxv, txx * tvv - txv * txv
    h, fade = row[7], (-row[7]).exp()
    p = -to_arb(time) * (-to_arb(time)).exp() / det if weight is None else weight
    w, b = p * eta, p * (c + eta * mean_v)
    exact = (det / end).log() / 4 + h + (h - 2 * h * fade) * sxx / det + 2 * (1 - (1 + h) * fade) * sxv / det
    return 2 * n * (exact - 2 * w * row[8] + h * w * w * svv) + 2 * h * b * b


def _stationary(case: SingleCase, space: int, n: int) -> arb:
    """Langevin Monte Carlo against the stationary process, one eigenspace."""
    lam, m = arb(case.target.eigenvalues[space]), arb(case.target.means[space])
    c, eta, weights = error_of(case, space)
    total = arb(0)
    for k, (h,) in enumerate(coefficients((H,), case)):
        p = 1 / lam if weights is None else weights[k]
        y, w, b = h / lam, p * eta * lam, p * (c + eta * m)
        fade = (-y).exp()
        w1, w2 = y - 1 + fade, y - 2 * (1 - fade) + (1 - fade * fade) / 2
        total += (n * (w * w * y - 2 * w * w1 + w2 + y - (1 - fade * fade) / 2) + h * b * b) / 4
    return total


def ball_score_error(case: SingleCase, average: str) -> arb:
    """Squared score error under the true forward law, averaged over the grid as in
    `simulators.laws.constants.score_error`.
    """
    if average not in AVERAGES:
        raise InputError("average", average, f"expected one of {', '.join(AVERAGES)}")
    sampler = SAMPLERS[case.sampler]
    stays = not getattr(sampler, "reverse", True)
    times = [arb(1)] * (case.grid.N + 1) if stays else decays(case)
    taus, errors = case.grid.exact_times(), [arb(0)] * case.grid.N
    for i, n in enumerate(case.target.multiplicities):
        lam, m = arb(case.target.eigenvalues[i]), arb(case.target.means[i])
        c, eta, weights = error_of(case, i)
        for k in range(case.grid.N):
            S, mu = 1 + (lam - 1) * times[k] * times[k], m * times[k]
            p = times[k] / S if weights is None else weights[k]
            if isinstance(sampler, CriticallyDamped):
                (sxx, sxv, svv), (_, mv) = phase_reference(lam, m, taus[k])
                p = -to_arb(taus[k]) * times[k] / (sxx * svv - sxv * sxv) if weights is None else weights[k]
                S, mu = svv, mv
            errors[k] += p * p * ((c + eta * mu) * (c + eta * mu) + n * eta * eta * S)
    if average == "sup":
        worst = errors[0]
        for e in errors[1:]:
            worst = worst.max(e)
        return worst
    steps = [arb(1)] * case.grid.N if average == "steps" else [to_arb(h) for h in case.grid.exact_steps()]
    total = sum((h * e for h, e in zip(steps, errors, strict=True)), arb(0))
    return total if average in ("integral", "g2-half") else total / sum(steps, arb(0))
