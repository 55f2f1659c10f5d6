"""Ten thousand random pairs of laws: every enclosure holds the value computed in 256-bit balls."""

from __future__ import annotations

import numpy as np
import pytest
from flint import arb, ctx

from simulators.distances import balls, gaussian
from simulators.distances.contour import overlap, tv
from simulators.distances.relation import relate
from simulators.laws.law import Law

B = 3


def random_times(rng, size):
    times = 10 ** rng.uniform(-10, 2, size=size)
    kind = rng.random(size)
    times[kind < 0.15] = 0.0
    times[kind > 0.85] = np.inf
    return times


def random_pair(seed, cases):
    """Eigenvalues over thirteen orders of magnitude, Diracs, equal laws, near-equal times, gamma, padding."""
    rng = np.random.default_rng(seed)
    shape = (cases, B)
    eigenvalues = 10 ** rng.uniform(-8, 5, size=shape)
    eigenvalues[rng.random(shape) < 0.1] = 1.0
    eigenvalues[rng.random(shape) < 0.05] = 0.0
    means = 10 ** rng.uniform(-6, 2, size=shape) * rng.choice([-1, 0, 1], size=shape)
    counts = rng.choice([0.0, 1.0, 2.0, 10.0, 1000.0], size=shape)
    counts[:, 0] = rng.choice([1.0, 5.0], size=cases)

    def law(time):
        rel = np.maximum(
            10 ** rng.uniform(-12, 1, size=shape) * rng.choice([-1, 0, 1], size=shape), -1 + 1e-9
        )
        dev = 10 ** rng.uniform(-12, 1, size=shape) * rng.choice([-1, 0, 1], size=shape)
        exact = rng.random(shape) < 0.3
        rel[exact], dev[exact] = 0.0, 0.0
        error = 10 ** rng.uniform(-17, -10, size=shape)
        return Law(eigenvalues, counts, means, time, rel, error * abs(rel), dev, error * abs(dev))

    first = random_times(rng, cases)
    second = np.where(rng.random(cases) < 0.3, first, random_times(rng, cases))
    second = np.where(rng.random(cases) < 0.1, first * (1 + 1e-9), second)
    return law(first), law(second), rng


def ball_lanes(law, case, rng):
    """One law of those allowed by the error bounds, as balls."""
    time = law.time[case]
    past = arb(0) if np.isinf(time) else (-arb(float(time))).exp()
    noise = arb(1) if np.isinf(time) else -(-2 * arb(float(time))).expm1()
    lanes = []
    for lam, m, n, rel, rel_err, dev, dev_err in zip(
        *(
            getattr(law, name)[case]
            for name in ("eigenvalues", "target_means", "multiplicities", "rel", "rel_err", "dev", "dev_err")
        ),
        strict=True,
    ):
        inside = [arb(float(x)) for x in rng.uniform(-1, 1, size=2)]
        grown = 1 + arb(float(rel)) + inside[0] * arb(float(rel_err))
        variance = (arb(float(lam)) * past * past + noise) * grown
        mean = past * arb(float(m)) + arb(float(dev)) + inside[1] * arb(float(dev_err))
        lanes.append((variance, mean, int(n)))
    return lanes


def holds(lo, hi, truth):
    """Whether [lo, hi] meets the ball of the truth; infinite truths need an infinite upper end."""
    if not truth.is_finite():
        return np.isinf(hi)
    return (np.isneginf(lo) or arb(float(lo)) <= truth.upper()) and (
        np.isinf(hi) or arb(float(hi)) >= truth.lower()
    )


CLOSED_FORMS = {
    "kl": (gaussian.kl, balls.kl_ball),
    "w2": (gaussian.w2, balls.w2_ball),
    "chi2": (gaussian.chi2, balls.chi2_ball),
    "bhattacharyya": (gaussian.bhattacharyya, balls.bhattacharyya_ball),
    "hellinger": (gaussian.hellinger, balls.hellinger_ball),
    "relative_fisher": (gaussian.relative_fisher, balls.relative_fisher_ball),
}


@pytest.fixture
def precise():
    before, ctx.prec = ctx.prec, 256
    yield
    ctx.prec = before


@pytest.mark.parametrize("seed", range(5))
def test_closed_forms_contain_the_truth(seed, precise):
    p, q, rng = random_pair(seed, 2000)
    relation = relate(p, q)
    forward = {name: function(relation) for name, (function, _) in CLOSED_FORMS.items()}
    backward = {name: function(relation.reversed) for name, (function, _) in CLOSED_FORMS.items()}
    energy, moment = gaussian.score_energy(p), gaussian.second_moment(p)
    for case in range(2000):
        ps, qs = ball_lanes(p, case, rng), ball_lanes(q, case, rng)
        for name, (_, ball) in CLOSED_FORMS.items():
            assert holds(forward[name].lo[case], forward[name].hi[case], ball(ps, qs)), (name, case)
            assert holds(backward[name].lo[case], backward[name].hi[case], ball(qs, ps)), (
                name,
                "reversed",
                case,
            )
        assert holds(energy.lo[case], energy.hi[case], balls.score_energy_ball(ps)), case
        assert holds(moment.lo[case], moment.hi[case], balls.second_moment_ball(ps)), case


def test_total_variation_contains_the_truth(precise):
    ctx.prec = 128
    p, q, rng = random_pair(99, 60)
    relation = relate(p, q)
    near, far, bracket = tv(relation), overlap(relation), gaussian.tv_bracket(relation)
    swapped = tv(relation.reversed)
    for case in range(60):
        common, _ = balls.overlap_ball(ball_lanes(p, case, rng), ball_lanes(q, case, rng))
        assert holds(far.lo[case], far.hi[case], common), case
        for enclosure in (near, bracket, swapped):
            assert holds(enclosure.lo[case], enclosure.hi[case], 1 - common), case


def test_a_relative_shift_of_1e_12_is_seen(precise):
    """The check can fail: exact inputs leave no room for a wrong twelfth digit."""
    cases = 500
    rng = np.random.default_rng(5)
    shape = (cases, B)
    lam, m = 10 ** rng.uniform(-2, 2, size=shape), rng.normal(size=shape)
    p = Law.forward(lam, np.ones(shape), m, np.zeros(cases))
    q = Law.forward(lam, np.ones(shape), m, rng.uniform(0.01, 3, size=cases))
    relation = relate(p, q)
    for name in ("kl", "w2", "bhattacharyya", "relative_fisher"):
        function, ball = CLOSED_FORMS[name]
        enclosure = function(relation)
        caught = 0
        for case in range(cases):
            truth = ball(ball_lanes(p, case, rng), ball_lanes(q, case, rng))
            caught += not holds(enclosure.lo[case], enclosure.hi[case], truth * (1 + arb("1e-12")))
        assert caught > 0.9 * cases, name
