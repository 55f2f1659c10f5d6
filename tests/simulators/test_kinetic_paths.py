"""Path KL of underdamped Langevin Monte Carlo: the motion within a step, and the limit of a chain observed
ever more often.
"""

from itertools import pairwise

import mpmath as mp
import numpy as np
import pytest

from simulators.batch import Batch, SingleCase
from simulators.grids import Grid
from simulators.laws.kinetic import departure
from simulators.laws.paths import path_kl
from simulators.laws.second import second_path_kl
from simulators.score_errors import AffineError
from simulators.targets import Gaussian


def reference(x, y):
    """1 - (x/y)(1 - rho) - e^{-x/2} sinh(w)/w at 60 digits."""
    x, y = mp.mpf(float(x)), mp.mpf(float(y))
    w = mp.sqrt(mp.mpc(x * x / 4 - y))
    even, odd = (mp.cosh(w), mp.sinh(w) / w) if w else (mp.mpf(1), mp.mpf(1))
    fade = mp.exp(-x / 2)
    return mp.re(1 - x / y * (1 - fade * (even + x / 2 * odd)) - fade * odd)


def pairs(seed, size):
    """Both variables over many decades, near-critical damping, and the borders of the three forms."""
    rng = np.random.default_rng(seed)
    x, y = 10 ** rng.uniform(-8, 4, size), 10 ** rng.uniform(-12, 8, size)
    third = size // 3
    y[:third] = x[:third] ** 2 / 4 * (1 + 10 ** rng.uniform(-17, -0.01, third) * rng.choice([-1, 1], third))
    x[third : 2 * third] = rng.uniform(0.1, 12, third)
    y[third : 2 * third] = rng.uniform(0.1, 30, third)
    return x, y


def test_departure_lies_within_its_error():
    x, y = pairs(0, 900)
    value, error = departure(x, y)
    assert error.max() < 1e-12
    with mp.workdps(60):
        for a, b, found, loose in zip(x, y, value, error, strict=True):
            truth = reference(a, b)
            assert abs(mp.mpf(float(found)) - truth) <= mp.mpf(float(loose)) * truth


def test_departure_sees_a_shift_of_its_argument():
    x, y = pairs(1, 200)
    near = (x < 1) & (y < 1)
    value, error = departure(x[near], y[near])
    with mp.workdps(60):
        for a, b, found, loose in zip(x[near], y[near], value, error, strict=True):
            truth = reference(a, b * (1 + 1e-10))
            assert abs(mp.mpf(float(found)) - truth) > mp.mpf(float(loose)) * truth


def observed_kl(lam, g, h, slope, constant, parts):
    """KL of one step, both processes observed at ``parts`` equal times: a sum over Gaussian transitions.

    The true process is stationary with score -x/lam; the other feels slope x_0 + constant throughout.
    """
    d = mp.mpf(h) / parts
    A = mp.matrix([[0, 1], [-1 / mp.mpf(lam), -g]])
    stationary = mp.diag([mp.mpf(lam), mp.mpf(1)])
    flow = mp.expm(A * d)
    true_noise = stationary - flow * stationary * flow.T
    keep = mp.exp(-g * d)
    c = (1 - keep) / g
    b = (d - c) / g
    free, push = mp.matrix([[1, c], [0, keep]]), mp.matrix([b, c])
    # the covariance of the velocity's integrated noise: dX = V dt, dV = -g V dt + sqrt(2g) dB
    noise = mp.matrix([[2 * b - c * c, g * c * c], [g * c * c, 1 - keep * keep]])
    inverse, gap, total = noise**-1, flow - free, mp.mpf(0)
    spread = inverse * true_noise
    base = (spread[0, 0] + spread[1, 1] - 2 - mp.log(mp.det(spread))) / 2
    past = mp.eye(2)
    for _ in range(parts):
        joint = gap * past * stationary  # covariance of (gap z_t) with z_0
        moment = gap * stationary * gap.T + push * push.T * (slope * slope * lam + constant * constant)
        cross = mp.matrix([joint[0, 0], joint[1, 0]]) * push.T * slope
        moment = moment - cross - cross.T
        product = inverse * moment
        total += base + (product[0, 0] + product[1, 1]) / 2
        past = flow * past
    return total


@pytest.mark.parametrize(
    ("lam", "g", "h", "c", "eta"),
    [(0.5, 2.0, 0.8, 0.0, 0.0), (2.0, 0.5, 1.5, 0.3, 0.2), (0.2, 5.0, 0.4, 0.1, -0.5)],
)
def test_the_chain_observed_ever_more_often_tends_to_the_path(lam, g, h, c, eta):
    """Finer observation gains information, up to the path KL; extrapolation in 1/parts reaches it."""
    error = AffineError((c,), (eta,), "constant")
    case = SingleCase(
        Gaussian((lam,), (1,), (0.0,)),
        "ulmc",
        Grid.uniform(h, 1),
        Gaussian((lam,), (1,), (0.0,)),
        error,
        {"gamma_friction": g},
    )
    path = path_kl(Batch.of([case]))
    with mp.workdps(40):
        values = [observed_kl(lam, g, h, eta - 1 / mp.mpf(lam), c, parts) for parts in (8, 16, 32, 64)]
        assert all(a < b for a, b in pairwise(values))
        assert values[-1] < path.lo[0] < 1.2 * values[-1]
        for order in (1, 2, 3):
            values = [(2**order * fine - coarse) / (2**order - 1) for coarse, fine in pairwise(values)]
    assert float(values[0]) == pytest.approx(path.mid[0], rel=2e-6)
    assert float(values[0]) != pytest.approx(2 * path.mid[0], rel=0.1)  # the factor 1/(4g), not 1/(2g)


def test_start_adds_its_divergence():
    grid, options = Grid.uniform(1.0, 4), {"gamma_friction": 1.5}
    target = Gaussian((0.5,), (3,), (2.0,))
    still, away = (
        SingleCase(target, "ulmc", grid, start, None, options)
        for start in (target, Gaussian((1.0,), (3,), (0.0,)))
    )
    gap = path_kl(Batch.of([away])).mid[0] - path_kl(Batch.of([still])).mid[0]
    assert gap == pytest.approx(3 * (0.5 - 1 - np.log(0.5)) / 2 + 4 / 2, rel=1e-12)


def test_short_steps_cost_h_squared():
    """n T h^2/(12 g S^2) to leading order: the position moves by h V."""
    target, options = Gaussian((0.5,), (1,), (0.0,)), {"gamma_friction": 3.0}
    cases = [SingleCase(target, "ulmc", Grid.uniform(1.0, N), target, None, options) for N in (1000, 2000)]
    costs = path_kl(Batch.of(cases)).mid
    assert costs[0] / costs[1] == pytest.approx(4, rel=1e-2)
    assert costs[0] * 1000**2 == pytest.approx(1 / (12 * 3.0 * 0.25), rel=1e-2)


def test_critical_damping_has_a_second_road():
    case = SingleCase(Gaussian((1.0,), (2,), (0.5,)), "ulmc", Grid.geometric(2.0, 5, 0.1))
    enclosure = path_kl(Batch.of([case]))
    assert enclosure.lo[0] <= second_path_kl(case) <= enclosure.hi[0]
    assert enclosure.width[0] < 1e-12 * enclosure.lo[0]
