"""Output laws of samplers in ball arithmetic, by the textbook recurrences v+ = a^2 v + Q.

What is certain stays so when it is made fast: e^{-tau} comes from products of balls, step coefficients from a
product of ball matrices, and every operation is flint's own, which encloses the exact result.
"""

from __future__ import annotations

from flint import arb

from simulators.batch import Setting, SingleCase, corrector_of
from simulators.errors import InputError, NotDefined
from simulators.laws.ball_chains import KineticChain
from simulators.laws.ball_tools import (
    BallLaw,
    BallPhaseLaw,
    Pair,
    Triple,
    ball_forward_phase,
    coefficients,
    decays,
    error_of,
    growths,
    phase_start,
    spread_equal,
    start_of,
    steps,
    times,
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

__all__ = ["ball_output", "ball_output_phase", "ball_phase", "damped_kicks"]


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
        return _kinetic(case, space, v, mean)
    if isinstance(sampler, Composite):
        return _composite(case, sampler, space, v, mean)
    raise NotDefined(f"sampler={case.sampler!r}: expected a sampler on positions")


def _one_stage(case: SingleCase, sampler: OneStage, space: int, v: arb, mean: arb) -> Pair:
    one, lam1, m = arb(1), arb(case.target.eigenvalues[space]) - 1, arb(case.target.means[space])
    table = coefficients((sampler.A, sampler.B, sampler.Q), case)
    nodes = decays(case) if sampler.reverse else [one] * case.grid.N
    if case.score_error is None:
        for decay, (A, B, Q) in zip(nodes, table, strict=False):
            kick = B / (one + lam1 * decay * decay)
            a = A - kick
            v, mean = a * a * v + Q, a * mean + kick * (m * decay)
        return v, mean
    c, eta, weights = error_of(case, space)
    for k, (A, B, Q) in enumerate(table):
        decay = nodes[k]
        precision = one / (one + lam1 * decay * decay)
        p = decay * precision if weights is None else weights[k]
        a = A + B * (p * eta - precision)
        v, mean = a * a * v + Q, a * mean + B * (m * decay * precision + p * c)
    return v, mean


def _refuse_singular(case: SingleCase, space: int) -> None:
    if case.target.eigenvalues[space] == 0 and case.grid.delta == 0:
        raise InputError(
            "eigenvalue", 0.0, "expected > 0, or delta > 0: the sampler uses the score of the singular target"
        )


def _heun(case: SingleCase, space: int, v: arb, mean: arb) -> Pair:
    _refuse_singular(case, space)
    one, lam1, m = arb(1), arb(case.target.eigenvalues[space]) - 1, arb(case.target.means[space])
    c, eta, weights = error_of(case, space)
    stages = []
    for k, decay in enumerate(decays(case)):
        precision = one / (one + lam1 * decay * decay)
        p = decay * precision if weights is None else weights[min(k, case.grid.N - 1)]
        stages.append((one - precision + p * eta, m * decay * precision + p * c))
    half = arb(0.5)
    for h, (a1, b1), (a2, b2) in zip(steps(case), stages, stages[1:], strict=False):
        both, ahead = half * h, a2 * h
        a = one + both * (a1 + a2 + ahead * a1)
        v, mean = a * a * v, a * mean + both * (b1 + ahead * b1 + b2)
    return v, mean


def _kinetic(case: SingleCase, space: int, v: arb, mean: arb) -> Pair:
    lam, m = arb(case.target.eigenvalues[space]), arb(case.target.means[space])
    c, eta, weights = error_of(case, space)
    chain = KineticChain(lam, m, v, mean, arb(case.options.get("gamma_friction", 2.0)))
    sizes = weights or [1 / lam] * case.grid.N
    errors = list(spread_equal(zip(sizes, sizes, strict=True), lambda p, _: (chain.slopes(eta * p), c * p)))
    chain.run(spread_equal(zip(steps(case), errors, strict=True), lambda h, e: (chain.row(h, e[0]), e[1])))
    return chain.position


def _composite(case: SingleCase, sampler: Composite, space: int, v: arb, mean: arb) -> Pair:
    _refuse_singular(case, space)
    one, lam1, m = arb(1), arb(case.target.eigenvalues[space]) - 1, arb(case.target.means[space])
    plan = corrector_of(case.sampler, Setting(case.grid, options=tuple(case.options.items())))
    c, eta, weights = error_of(case, space)
    nodes, ends, h, friction = decays(case), set(plan.after), arb(plan.step), arb(plan.friction)

    def score(k: int, at: int) -> tuple[arb, arb, arb, arb]:
        """Variance and mean of q at a grid time, and the error there with the weight of step k."""
        S, mu = one + lam1 * nodes[at] * nodes[at], m * nodes[at]
        p = nodes[at] / S if weights is None else weights[k]
        return S, mu, p * c, p * eta

    P = sampler.predictor
    for k, (A, B, Q) in enumerate(coefficients((P.A, P.B, P.Q), case)):
        S, mu, fault, tilt = score(k, k)
        kick = B / S
        a = A - kick + B * tilt
        v, mean = a * a * v + Q, a * mean + kick * mu + B * fault
        if k not in ends:
            continue
        S, mu, fault, tilt = score(k, k + 1)
        if isinstance(sampler.corrector, Kinetic):
            chain = KineticChain(S, mu, v, mean, friction)
            chain.run([(chain.row(h, chain.slopes(tilt)), fault)] * plan.count)
            v, mean = chain.position
        else:
            a = one - h / S + h * tilt
            for _ in range(plan.count):
                v, mean = a * a * v + 2 * h, a * mean + h * (mu / S + fault)
    return v, mean


def ball_output_phase(case: SingleCase) -> BallPhaseLaw:
    """The phase-space law of the output of cld-ei."""
    if not isinstance(SAMPLERS[case.sampler], CriticallyDamped):
        raise NotDefined(f"sampler={case.sampler!r}: expected a sampler on phase space")
    states = [_damped(case, i) for i in range(len(case.target.eigenvalues))]
    return BallPhaseLaw(tuple(c for c, _ in states), tuple(m for _, m in states), case.target.multiplicities)


def ball_phase(case: SingleCase, law: str) -> BallPhaseLaw:
    """The law "target", "q_T", "q_delta", "gamma", "start" or "output" of cld-ei on phase space."""
    if law == "output":
        return ball_output_phase(case)
    if law != "start":
        return ball_forward_phase(case, {"q_T": "T", "q_delta": "delta"}.get(law, law))
    states = [phase_start(case, i) for i in range(len(case.target.eigenvalues))]
    return BallPhaseLaw(tuple(c for c, _ in states), tuple(m for _, m in states), case.target.multiplicities)


Kick = tuple[arb, ...]
ONE, FOUR = arb(1), arb(4)


def damped_kicks(case: SingleCase) -> list[Kick]:
    """(X - Y, Y, X + Y; 4G as x, v; noise covariance as xx, minus xv, vv) at each step, X = e^h, Y = h e^h.

    e^{Bh} = [[X - Y, -Y], [Y, X + Y]], G = [X - Y - 1, Y], and the noise has X^2 + 2Y^2 - 1 -+ 2XY on the
    diagonal and -2Y^2 off it.
    """
    if case.grid.kind == "uniform":
        return [_kicks(steps(case)[0], growths(case)[0])] * case.grid.N
    return [_kicks(h, X) for h, X in zip(steps(case), growths(case), strict=True)]


def _kicks(h: arb, X: arb) -> Kick:
    Y = h * X
    low, twice = X - Y, Y + Y
    square, cross = twice * Y, twice * X
    base = X * X + square - ONE
    return low, Y, X + Y, FOUR * (low - ONE), twice + twice, base - cross, square, base + cross


def _damped(case: SingleCase, space: int) -> tuple[Triple, Pair]:
    """One eigenspace; the covariance 1 + (lam - 1) w w^T of q, w = e^{-tau} (1 + tau, -tau), has a known
    inverse.
    """
    lam1, m = arb(case.target.eigenvalues[space]) - 1, arb(case.target.means[space])
    c, eta, weights = error_of(case, space)
    (xx, xv, vv), (x, v) = phase_start(case, space)
    faulty = case.score_error is not None
    nodes = zip(times(case), decays(case), damped_kicks(case), strict=False)
    for k, (tau, decay, (low, Y, high, gx, gv, qxx, q, qvv)) in enumerate(nodes):
        lag = tau * decay  # -w_v
        wx = decay + lag
        pull = lag / (ONE + lam1 * (wx * wx + lag * lag))
        share = lam1 * pull
        sx, sv, force = -share * wx, share * lag - ONE, -m * pull  # minus the v-row of the precision
        if faulty:
            p = -pull if weights is None else weights[k]
            sv, force = sv + p * eta, force + p * c
        fxx, fxv, fvx, fvv = low + gx * sx, gx * sv - Y, Y + gv * sx, high + gv * sv
        u, w, y, z = fxx * xx + fxv * xv, fxx * xv + fxv * vv, fvx * xx + fvv * xv, fvx * xv + fvv * vv
        xx, xv, vv = u * fxx + w * fxv + qxx, u * fvx + w * fvv - q, y * fvx + z * fvv + qvv
        x, v = fxx * x + fxv * v + gx * force, fvx * x + fvv * v + gv * force
    return (xx, xv, vv), (x, v)
