"""Random cases of every sampler, extreme parameters included: enclosures must contain the ball value."""

from functools import partial
from math import exp, log

import numpy as np
import pytest
from flint import arb, ctx

from simulators.batch import Batch, SingleCase
from simulators.grids import Grid
from simulators.laws.balls import (
    ball_forward,
    ball_forward_phase,
    ball_output,
    ball_output_phase,
    ball_path_kl,
    ball_score_error,
    refine,
)
from simulators.laws.constants import score_error
from simulators.laws.gaussian import propagate
from simulators.laws.paths import path_kl
from simulators.score_errors import AVERAGES, PROFILES, AffineError
from simulators.targets import Gaussian

SAMPLERS = ["ddpm-ei", "ddpm-em", "cds-ei", "pf-ei", "pf-heun", "lmc", "ulmc", "dpum", "dpom"]
NOISY = ["ddpm-ei", "ddpm-em", "cds-ei", "lmc", "cld-ei", "ulmc"]
STARTS = ["gamma", "q_T", "given"]


class Draw:
    """Log-uniform cases: eigenvalues 1e-6..1e6, steps 1e-5..2, means to 1e6, score errors of all profiles."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def log(self, low, high):
        return exp(self.rng.uniform(log(low), log(high)))

    def signed(self, low, high):
        return float(self.rng.choice([-1, 0, 1])) * self.log(low, high)

    def grid(self, longest):
        N = int(self.log(1, longest))
        T = min(N * self.log(1e-5, 2.0), 100.0)
        delta = float(self.rng.choice([0.0, 1.0])) * self.log(1e-4, 0.5) * T
        kind = self.rng.integers(3)
        if kind == 0:
            return Grid.uniform(T, N, delta)
        if kind == 1 and not 1 < T < 1.01:
            return Grid.geometric(T, N, max(delta, 1e-4 * T))
        inner = np.unique(self.rng.uniform(delta, T, N - 1))[::-1]
        return Grid.from_times([T, *inner.tolist(), delta])

    def error(self, N):
        if self.rng.random() < 0.4:
            return None
        profile = self.rng.choice([*PROFILES, "weights"])
        weights = tuple(self.rng.uniform(0, 1, N).tolist()) if profile == "weights" else str(profile)
        return AffineError((self.signed(1e-6, 10),), (self.signed(1e-6, 2),), weights)

    def options(self, sampler, T):
        if sampler == "ulmc":
            return {"gamma_friction": self.log(0.1, 20)}
        if sampler in ("dpum", "dpom"):
            step, blocks = self.log(1e-2, 1), float(self.rng.integers(1, 6))
            total = step * float(self.rng.integers(1, 6))
            return {
                "L": self.log(1, 100),
                "corrector_step": step,
                "corrector_time": total,
                "block": T / blocks,
            }
        return {}

    def case(self, sampler, start, longest=200):
        grid = self.grid(longest)
        target = Gaussian((self.log(1e-6, 1e6),), (int(self.log(1, 1000)),), (self.signed(1e-3, 1e6),))
        given = Gaussian((self.log(1e-6, 1e6),), target.multiplicities, (self.signed(1e-3, 1e3),))
        options = self.options(sampler, grid.T)
        return SingleCase(
            target, sampler, grid, given if start == "given" else start, self.error(grid.N), options
        )


def contains(value, error, ball):
    """Whether value +- error contains a ball that is sharper than the error; None if the ball is too wide."""
    if error == 0:
        return bool(ball.contains(float(value)))
    if np.isinf(error):
        return True
    if abs(value) == 1e308:  # an overflow, 1e308 +- 9.9e307
        return bool(ball.abs_lower() >= arb(1e306)) if ball.is_finite() else None
    if not ball.is_finite() or ball.rad() > arb(error) / 16 + abs(ball.mid()) * arb(2) ** -900:
        return None
    return bool(abs(ball - arb(float(value))) <= arb(float(error)))


def decided(compute, value, error):
    """The same, raising the precision until it is decided."""
    for bits in (192, 768, 3072):
        with ctx.workprec(bits):
            verdict = contains(value, error, compute())
        if verdict is not None:
            return verdict
    return False


def relative_variance(case, time):
    return ball_output(case).variances[0] / ball_forward(case, time).variances[0] - 1


def mean_deviation(case, time):
    return ball_output(case).means[0] - ball_forward(case, time).means[0]


def phase_deviation(case, j):
    """Entries xx, xv, vv of the covariance and x, v of the mean, minus the reference."""
    out, reference = ball_output_phase(case), ball_forward_phase(case, "delta")
    return (*out.covariances[0], *out.means[0])[j] - (*reference.covariances[0], *reference.means[0])[j]


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_output_laws(sampler, start):
    draw = Draw(SAMPLERS.index(sampler))
    cases = [draw.case(sampler, start) for _ in range(60)]
    law = propagate(Batch.of(cases))
    for i, case in enumerate(cases):
        time = float(law.time[i])
        assert decided(partial(relative_variance, case, time), law.rel[i, 0], law.rel_err[i, 0]), case
        assert decided(partial(mean_deviation, case, time), law.dev[i, 0], law.dev_err[i, 0]), case


@pytest.mark.parametrize("sampler", SAMPLERS[:6])
def test_long_chains(sampler):
    target = Draw(99).case(sampler, "gamma").target
    cases = [SingleCase(target, sampler, Grid.uniform(T, 10_000)) for T in (0.3, 20.0)]
    law = propagate(Batch.of(cases))
    for i, case in enumerate(cases):
        assert decided(partial(relative_variance, case, "delta"), law.rel[i, 0], law.rel_err[i, 0])


@pytest.mark.parametrize("start", STARTS)
def test_phase_space_laws(start):
    draw = Draw(5)
    cases = [draw.case("cld-ei", start) for _ in range(40)]
    law = propagate(Batch.of(cases))
    values = np.concatenate([law.dev_cov, law.dev_mean], axis=-1)
    errors = np.concatenate([law.dev_cov_err, law.dev_mean_err], axis=-1)
    for i, case in enumerate(cases):
        for j in range(5):
            assert decided(partial(phase_deviation, case, j), values[i, 0, j], errors[i, 0, j]), case


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("sampler", NOISY)
def test_path_kl(sampler, start):
    draw = Draw(10 + NOISY.index(sampler))
    cases = [draw.case(sampler, start) for _ in range(40)]
    enclosure = path_kl(Batch.of(cases))
    for i, case in enumerate(cases):
        ball = refine(partial(ball_path_kl, case))
        if np.isinf(enclosure.lo[i]):
            assert not ball.is_finite()
        else:
            assert arb(float(enclosure.lo[i])) <= ball <= arb(float(enclosure.hi[i])), case


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("sampler", ["ddpm-ei", "ulmc", "cld-ei"])
def test_score_errors(sampler, average):
    draw = Draw(3)
    cases = [draw.case(sampler, "gamma") for _ in range(40)]
    enclosure = score_error(Batch.of(cases), average)
    for i, case in enumerate(cases):
        with ctx.workprec(256):
            assert (
                arb(float(enclosure.lo[i])) <= ball_score_error(case, average) <= arb(float(enclosure.hi[i]))
            )


def test_the_bounds_are_sharp_enough_to_decide():
    draw = Draw(1)
    widths = []
    for sampler in SAMPLERS:
        law = propagate(Batch.of([draw.case(sampler, "gamma") for _ in range(100)]))
        widths.append(np.median(law.rel_err / np.abs(law.rel)))
    assert max(widths) < 1e-12


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_planted_error_is_seen(sampler):
    """A step longer by one part in 1e9, or an eigenvalue larger by as much, falls outside the bounds."""
    right = SingleCase(
        Gaussian((0.3,), (1,), (1.0,)), sampler, Grid.uniform(2.0, 40), options=Draw(0).options(sampler, 2.0)
    )
    law = propagate(Batch.of([right]))
    longer = SingleCase(right.target, sampler, Grid.uniform(2.0 + 2e-9, 40), options=dict(right.options))
    larger = SingleCase(
        Gaussian((0.3 + 3e-10,), (1,), (1.0,)), sampler, right.grid, options=dict(right.options)
    )
    for wrong in (longer, larger):
        with ctx.workprec(256):
            ball = ball_output(wrong).variances[0] / ball_forward(wrong, "delta").variances[0] - 1
            assert contains(law.rel[0, 0], law.rel_err[0, 0], ball) is False
