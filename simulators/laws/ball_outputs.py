"""Output laws of samplers in ball arithmetic, by the textbook recurrences v+ = a^2 v + Q."""

from __future__ import annotations

from fractions import Fraction

from flint import arb

from simulators.batch import Setting, SingleCase, corrector_of
from simulators.errors import InputError, NotDefined
from simulators.laws.ball_chains import KineticChain
from simulators.laws.ball_tools import (
    BallLaw,
    BallPhaseLaw,
    Pair,
    Triple,
    coefficients,
    decays,
    error_of,
    phase_reference,
    phase_start,
    start_of,
    to_arb,
)
from simulators.samplers import SAMPLERS
from simulators.samplers.scheme import (
    Composite,
    Continuous,
    CriticallyDamped,
    Forward,
    Heun,
    Kinetic,
    OneStage,
)

__all__ = ["ball_output", "ball_output_phase"]


def ball_output(case: SingleCase) -> BallLaw:
    """The law of the output; raises NotDefined for samplers without steps, and for cld-ei whose output is a
    phase-space law.
    """
    sampler = SAMPLERS[case.sampler]
    if isinstance(sampler, Forward | Continuous | CriticallyDamped):
        raise NotDefined(f"sampler={case.sampler!r}: expected a sampler on positions")
    start = start_of(case)
    pairs = [_final(case, i, start.variances[i], start.means[i]) for i in range(len(case.target.eigenvalues))]
    return BallLaw(tuple(v for v, _ in pairs), tuple(m for _, m in pairs), case.target.multiplicities)


def _final(case: SingleCase, space: int, v: arb, mean: arb) -> Pair:
    sampler = SAMPLERS[case.sampler]
    if isinstance(sampler, OneStage):
        return _one_stage(case, sampler, space, v, mean)
    if isinstance(sampler, Heun):
        return _heun(case, space, v, mean)
    if isinstance(sampler, Kinetic):
        lam, m = arb(case.target.eigenvalues[space]), arb(case.target.means[space])
        chain = KineticChain(lam, m, v, mean)
        c, eta, weights = error_of(case, space)
        friction = to_arb(case.options.get("gamma_friction", 2.0))
        for k, h in enumerate(case.grid.exact_steps()):
            chain.step(h, friction, *_faults(c, eta, 1 / lam if weights is None else weights[k]))
        return chain.position
    if isinstance(sampler, Composite):
        return _composite(case, sampler, space, v, mean)
    raise NotDefined(f"sampler={case.sampler!r}: expected a sampler on positions")


def _faults(c: arb, eta: arb, p: arb) -> Pair:
    return c * p, eta * p


def _one_stage(case: SingleCase, sampler: OneStage, space: int, v: arb, mean: arb) -> Pair:
    lam1, m = arb(case.target.eigenvalues[space]) - 1, arb(case.target.means[space])
    c, eta, weights = error_of(case, space)
    times = decays(case) if sampler.reverse else [arb(1)] * (case.grid.N + 1)
    exact = case.score_error is None
    for k, (A, B, Q) in enumerate(coefficients((sampler.A, sampler.B, sampler.Q), case)):
        decay = times[k]
        kick = B / (1 + lam1 * decay * decay)
        push = kick * m * decay
        a = A - kick
        if not exact:
            p = B * (kick / B * decay if weights is None else weights[k])
            a += p * eta
            push += p * c
        v = a * a * v + Q
        mean = a * mean + push
    return v, mean


def _heun(case: SingleCase, space: int, v: arb, mean: arb) -> Pair:
    lam, m = case.target.eigenvalues[space], arb(case.target.means[space])
    if lam == 0 and case.grid.delta == 0:
        raise InputError(
            "eigenvalue", 0.0, "expected > 0, or delta > 0: the sampler uses the score of the singular target"
        )
    c, eta, weights = error_of(case, space)
    times = decays(case)
    variances = [1 + (arb(lam) - 1) * d * d for d in times]
    for k, h in enumerate(map(to_arb, case.grid.exact_steps())):
        stages = []
        for at in (k, k + 1):
            p = times[at] / variances[at] if weights is None else weights[min(at, case.grid.N - 1)]
            stages.append((1 - 1 / variances[at] + p * eta, m * times[at] / variances[at] + p * c))
        (a1, b1), (a2, b2) = stages
        a = 1 + h / 2 * (a1 + a2 * (1 + h * a1))
        mean = a * mean + h / 2 * (b1 + a2 * h * b1 + b2)
        v = a * a * v
    return v, mean


def _composite(case: SingleCase, sampler: Composite, space: int, v: arb, mean: arb) -> Pair:
    lam, m = arb(case.target.eigenvalues[space]), arb(case.target.means[space])
    if lam == 0 and case.grid.delta == 0:
        raise InputError(
            "eigenvalue", 0.0, "expected > 0, or delta > 0: the sampler uses the score of the singular target"
        )
    plan = corrector_of(case.sampler, Setting(case.grid, options=tuple(case.options.items())))
    c, eta, weights = error_of(case, space)
    times, ends, h, friction = decays(case), set(plan.after), Fraction(plan.step), to_arb(plan.friction)
    P = sampler.predictor
    for k, (A, B, Q) in enumerate(coefficients((P.A, P.B, P.Q), case)):
        S, mu = 1 + (lam - 1) * times[k] * times[k], m * times[k]
        p = times[k] / S if weights is None else weights[k]
        a = A - B / S + B * p * eta
        v, mean = a * a * v + Q, a * mean + B * (mu / S + p * c)
        if k not in ends:
            continue
        S, mu = 1 + (lam - 1) * times[k + 1] * times[k + 1], m * times[k + 1]
        p = times[k + 1] / S if weights is None else weights[k]
        if isinstance(sampler.corrector, Kinetic):
            chain = KineticChain(S, mu, v, mean)
            for _ in range(plan.count):
                chain.step(h, friction, p * c, p * eta)
            v, mean = chain.position
        else:
            step = to_arb(h)
            a = 1 - step / S + step * p * eta
            for _ in range(plan.count):
                v, mean = a * a * v + 2 * step, a * mean + step * (mu / S + p * c)
    return v, mean


def ball_output_phase(case: SingleCase) -> BallPhaseLaw:
    """The phase-space law of the output of cld-ei."""
    sampler = SAMPLERS[case.sampler]
    if not isinstance(sampler, CriticallyDamped):
        raise NotDefined(f"sampler={case.sampler!r}: expected a sampler on phase space")
    states = [_damped(case, sampler, i) for i in range(len(case.target.eigenvalues))]
    return BallPhaseLaw(tuple(c for c, _ in states), tuple(m for _, m in states), case.target.multiplicities)


def _damped(case: SingleCase, sampler: CriticallyDamped, space: int) -> tuple[Triple, Pair]:
    lam, m = arb(case.target.eigenvalues[space]), arb(case.target.means[space])
    c, eta, weights = error_of(case, space)
    (xx, xv, vv), (x, v) = phase_start(case, space)
    table = coefficients((*sampler.flow, *sampler.kick, *sampler.noise), case)
    for k, (time, (exx, exv, evx, evv, gx, gv, qxx, qxv, qvv)) in enumerate(
        zip(case.grid.exact_times(), table, strict=False)
    ):
        (sxx, sxv, svv), (mx, mv) = phase_reference(lam, m, time)
        det = sxx * svv - sxv * sxv
        px, pv = -sxv / det, sxx / det  # the v-row of the precision
        p = -to_arb(time) * (-to_arb(time)).exp() / det if weights is None else weights[k]
        sx, sv = -px, -pv + p * eta
        force = px * mx + pv * mv + p * c
        fxx, fxv, fvx, fvv = exx + 4 * gx * sx, exv + 4 * gx * sv, evx + 4 * gv * sx, evv + 4 * gv * sv
        u, w = fxx * xx + fxv * xv, fxx * xv + fxv * vv
        y, z = fvx * xx + fvv * xv, fvx * xv + fvv * vv
        xx, xv, vv = u * fxx + w * fxv + qxx, u * fvx + w * fvv + qxv, y * fvx + z * fvv + qvv
        x, v = fxx * x + fxv * v + 4 * gx * force, fvx * x + fvv * v + 4 * gv * force
    return (xx, xv, vv), (x, v)
