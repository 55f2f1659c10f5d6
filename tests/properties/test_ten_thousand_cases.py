"""Ten thousand random Gaussian cases, every sampler in both clocks: each float enclosure holds the value in
balls.
"""

from math import exp, log

import flint
import numpy as np
import pytest

import lesssim as ls
from properties.exact import BallRoad, precision
from properties.measures import Measures
from properties.population import Population
from simulators.errors import InputError
from simulators.score_errors import PROFILES, AffineError
from simulators.targets import Gaussian

SAMPLERS = ("ddpm-ei", "ddpm-em", "cds-ei", "pf-ei", "pf-heun", "lmc", "ulmc", "cld-ei", "dpum", "dpom")
WITH_PATH = ("ddpm-ei", "ddpm-em", "cds-ei", "lmc", "ulmc", "cld-ei")
COUNT = 500  # of each sampler and clock
BITS = (128, 384, 1536, 4096)
KL, W2, PATH = ls.KL("target", "output"), ls.W2("target", "output"), ls.PathKL("target", "output")


class Draw:
    """Random cases: eigenvalues 1e-5 to 1e5, steps 1e-4 to 2, one or two eigenspaces, all profiles and
    starts.
    """

    def __init__(self, sampler, clock, seed):
        self.sampler, self.clock, self.rng = sampler, clock, np.random.default_rng(seed)

    def log(self, low, high):
        return exp(self.rng.uniform(log(low), log(high)))

    def signed(self, low, high):
        return float(self.rng.choice([-1, 0, 1])) * self.log(low, high)

    def case(self):
        rng, spaces = self.rng, int(self.rng.integers(1, 3))
        counts = tuple(int(self.log(1, 100)) for _ in range(spaces))

        def gaussian(far):
            return Gaussian(
                tuple(self.log(1e-5, 1e5) for _ in counts),
                counts,
                tuple(self.signed(1e-3, far) for _ in counts),
            )

        N = int(self.log(1, 20))
        T = N * self.log(1e-4, 2.0)
        delta = float(rng.choice([0.0, 1.0])) * self.log(1e-3, 0.5) * T
        grid = "uniform" if rng.random() < 0.6 else "geometric"
        if grid == "geometric":
            delta = max(delta, 1e-3 * T)
        start = ("gamma", "q_T", gaussian(100.0))[rng.integers(3)]
        error = None
        if rng.random() < 0.6:
            shift, tilt = (tuple(self.signed(1e-6, top) for _ in counts) for top in (10, 2))
            error = AffineError(shift, tilt, str(rng.choice(PROFILES)))
        parameters = {}
        if self.sampler == "ulmc":
            parameters["friction"] = self.log(0.1, 20)
        if self.sampler in ("dpum", "dpom"):
            parameters = {"L": self.log(1, 20), "h_corr": self.log(0.02, 1)}
        return ls.Case(gaussian(1e3), self.clock, self.sampler, T, N, delta, grid, start, error, parameters)


def admissible(draw):
    while True:
        try:
            case = draw.case()
            case.single  # noqa: B018  (validates)
        except InputError:  # a geometric grid without room for its steps
            continue
        return case


def holds(low, high, compute):
    """Whether the ball lies in [low, high], at the first precision that can tell."""
    low, high = flint.arb(float(low)), flint.arb(float(high))
    for bits in BITS:
        with precision(bits):
            ball = compute()
            if ball.is_nan() or not ball.is_finite():
                if not high.is_finite():
                    return True
                continue
            if low <= ball <= high:
                return True
            if ball < low or ball > high:
                return False
    return False


def kinds(case):
    return "given" if isinstance(case.start, Gaussian) else case.start


@pytest.mark.parametrize("clock", ["unit", "half"])
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_enclosure_holds_the_truth(sampler, clock):
    draw = Draw(sampler, clock, [SAMPLERS.index(sampler), clock == "half"])
    everything = [admissible(draw) for _ in range(COUNT)]
    checked, outside, unseen, widths = 0, [], 0, []
    for start in ("gamma", "q_T", "given"):
        cases = [case for case in everything if kinds(case) == start]
        quantities = (KL, W2, PATH) if sampler in WITH_PATH else (KL, W2)
        setup = ls.Setup(
            clock=clock, sampler=sampler, start="q_T" if start == "q_T" else "any", score="estimated"
        )
        claim = ls.Claim(key="test/any", lhs=KL, terms={"bound": "d"}, setup=setup)
        names = sorted({name for case in cases for name in case.parameters})
        measures = Measures(claim, Population.of(cases, setup, names))
        for quantity in quantities:
            floats = measures[quantity]
            for i, case in enumerate(cases):
                low, high = floats.lo[i], floats.hi[i]
                if not holds(low, high, lambda c=case, q=quantity: BallRoad(c)[q]):
                    outside.append((str(quantity), case))
            finite = np.isfinite(floats.hi)
            widths.extend(floats.width[finite] / np.maximum(floats.hi[finite], 1e-300))
        checked += len(cases)
        off = measures[KL]
        for i in np.flatnonzero(np.isfinite(off.hi))[:10]:  # moved past itself, an enclosure is found out
            case = cases[i]
            move = 2 * float(off.width[i]) + 1e-12 * float(off.hi[i])
            unseen += holds(off.lo[i] + move, off.hi[i] + move, lambda c=case: BallRoad(c)[KL])
    assert (checked, outside) == (COUNT, [])
    assert unseen == 0
    assert np.median(widths) < 1e-11
