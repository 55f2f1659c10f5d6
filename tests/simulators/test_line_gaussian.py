"""Laws on the line against Gaussian closed forms in ball arithmetic: no true value outside an enclosure."""

from __future__ import annotations

import numpy as np
import pytest
from flint import arb, ctx

from simulators.batch import SingleCase
from simulators.distances.line import line_distance, mixture_distance
from simulators.grids import Grid
from simulators.laws.balls import ball_output
from simulators.line import Affine, propagate_line
from simulators.score_errors import AffineError
from simulators.targets import Gaussian

SAMPLERS = ("ddpm-ei", "ddpm-em", "cds-ei", "lmc", "pf-ei", "pf-heun")
CONFIGURATIONS = 100
FORWARD, BACKWARD = "target,output", "output,target"


def normal_cdf(x):
    return (1 + (x / arb(2).sqrt()).erf()) / 2


def total_variation(m1, v1, m2, v2):
    """Half the sum of |F_1 - F_2| over the intervals between the crossings of two normal densities."""
    a, b = 1 / v1 - 1 / v2, -2 * (m1 / v1 - m2 / v2)
    c = m1 * m1 / v1 - m2 * m2 / v2 + (v1 / v2).log()
    if abs(float(a)) < 1e-30:
        crossings = [-c / b]
    else:
        root = (b * b - 4 * a * c).sqrt()
        crossings = sorted([(-b - root) / (2 * a), (-b + root) / (2 * a)], key=float)
    gaps = [normal_cdf((x - m1) / v1.sqrt()) - normal_cdf((x - m2) / v2.sqrt()) for x in crossings]
    steps = [b - a for a, b in zip([arb(0), *gaps], [*gaps, arb(0)], strict=True)]
    return sum((abs(step) for step in steps), arb(0)) / 2


def truths(m1, v1, m2, v2):
    """Distances between N(m1, v1), the target, and N(m2, v2), the output."""

    def kl(m1, v1, m2, v2):
        return (v1 / v2 - 1 - (v1 / v2).log() + (m1 - m2) ** 2 / v2) / 2

    def chi2(m1, v1, m2, v2):
        rho = v1 / v2 - 1
        if not rho < 1:
            return None
        return (-(1 - rho * rho).log() / 2 + (m1 - m2) ** 2 / v2 / (1 - rho)).exp() - 1

    affinity = (2 * (v1 * v2).sqrt() / (v1 + v2)).sqrt() * (-((m1 - m2) ** 2) / (4 * (v1 + v2))).exp()
    return {
        ("KL", FORWARD): kl(m1, v1, m2, v2),
        ("KL", BACKWARD): kl(m2, v2, m1, v1),
        ("chi2", FORWARD): chi2(m1, v1, m2, v2),
        ("chi2", BACKWARD): chi2(m2, v2, m1, v1),
        ("W2", FORWARD): ((m1 - m2) ** 2 + (v1.sqrt() - v2.sqrt()) ** 2).sqrt(),
        ("Hellinger", FORWARD): (1 - affinity).sqrt(),
        ("TV", FORWARD): total_variation(m1, v1, m2, v2),
    }


def exact(sampler, grid, variance, mean, start="gamma", error=None):
    """The target q_delta as floats, and all distances to the output."""
    with ctx.workprec(400):
        law = ball_output(SingleCase(Gaussian((variance,), (1,), (mean,)), sampler, grid, start, error))
        delta = arb(0) if sampler == "lmc" else arb(grid.delta)
        v = arb(float(1 + (arb(variance) - 1) * (-2 * delta).exp()))
        m = arb(float(arb(mean) * (-delta).exp()))
        return float(m), float(v), truths(m, v, law.means[0], law.variances[0])


def draw(rng):
    sampler = str(rng.choice(SAMPLERS))
    N = int(np.exp(rng.uniform(np.log(3), np.log(400))))
    T, variance, mean = (
        float(x) for x in (np.exp(rng.uniform(-1, 2)), np.exp(rng.uniform(-3, 2)), 2 * rng.normal())
    )
    grid = Grid.uniform(T, N)
    if rng.random() < 0.3 and sampler != "lmc":
        delta = float(10 ** rng.uniform(-8, -1))
        grid = Grid.geometric(max(T, 2 * delta), N, delta)
        variance = 0.0 if rng.random() < 0.5 else variance
    shift, slope = (0.3 * rng.normal(), 0.2 * rng.normal()) if rng.random() < 0.4 else (0.0, 0.0)
    return sampler, grid, variance, mean, str(rng.choice(["gamma", "q_T"])), float(shift), float(slope)


@pytest.mark.parametrize("seed", range(4))
def test_no_true_value_lies_outside(seed):
    rng = np.random.default_rng(seed)
    widths = []
    for _ in range(CONFIGURATIONS // 4):
        sampler, grid, variance, mean, start, shift, slope = draw(rng)
        m, v, values = exact(sampler, grid, variance, mean, start, AffineError((shift,), (slope,)))
        if not values["KL", FORWARD] < 1e3:
            continue
        law = propagate_line(
            sampler, grid, [1.0], [mean], [variance], start=start, error=Affine(shift, slope)
        )
        for (name, order), value in values.items():
            found = line_distance(name, [1.0], [m], [v], law, order)
            if value is None:
                assert found.hi == np.inf
                continue
            assert found.contains(float(value)), (
                name,
                order,
                sampler,
                grid,
                variance,
                mean,
                start,
                shift,
                slope,
            )
            widths.append(float(found.width) / 2 / float(value))
    assert np.median(widths) <= 1e-10
    assert np.quantile(widths, 0.9) <= 1e-7


@pytest.mark.parametrize(
    ("sampler", "T", "variance", "mean", "rtol"),
    [("ddpm-ei", 9.0, 0.9, 0.2, 1e-10), ("ddpm-em", 5.0, 0.25, 1.0, 1e-12), ("pf-ei", 8.0, 0.5, 0.1, 1e-10)],
)
def test_relative_accuracy_at_a_thousand_steps(sampler, T, variance, mean, rtol):
    m, v, values = exact(sampler, Grid.uniform(T, 1000), variance, mean)
    law = propagate_line(sampler, Grid.uniform(T, 1000), [1.0], [mean], [variance])
    assert values["KL", FORWARD] > 1e-8
    for (name, order), value in values.items():
        if name in ("KL", "W2") or (name == "chi2" and value is not None):
            assert float(line_distance(name, [1.0], [m], [v], law, order).mid) == pytest.approx(
                float(value), rel=rtol
            )
    tv = float(line_distance("TV", [1.0], [m], [v], law).mid)
    assert tv == pytest.approx(float(values["TV", FORWARD]), abs=1e-11)


@pytest.mark.parametrize("sampler", ["ddpm-ei", "pf-ei"])
def test_an_atom_stopped_early(sampler):
    grid = Grid.geometric(5.0, 400, 1e-6)
    m, v, values = exact(sampler, grid, 0.0, 1.0)
    law = propagate_line(sampler, grid, [1.0], [1.0], [0.0])
    for name in ("KL", "W2", "TV"):
        found = line_distance(name, [1.0], [m], [v], law)
        assert found.contains(float(values[name, FORWARD]))
        assert float(found.mid) == pytest.approx(float(values[name, FORWARD]), rel=1e-11, abs=1e-11)


def test_a_folded_gaussian_is_only_reflected():
    """One component narrower than 1 - e^{-h} is turned over by each step, and stays Gaussian."""
    grid = Grid.uniform(2.0, 5)
    m, v, values = exact("pf-ei", grid, 0.05, 0.3)
    law = propagate_line("pf-ei", grid, [1.0], [0.3], [0.05])
    for (name, order), value in values.items():
        found = line_distance(name, [1.0], [m], [v], law, order)
        assert found.hi == np.inf if value is None else found.contains(float(value))


def test_two_mixtures():
    with ctx.workprec(200):
        values = truths(arb(0.25), arb(0.5), arb(-0.5), arb(0.75))
    for (name, order), value in values.items():
        pair = ([1.0], [0.25], [0.5]), ([1.0], [-0.5], [0.75])
        found = mixture_distance(name, *(pair if order == FORWARD else pair[::-1]))
        assert found.contains(float(value))
        assert float(found.width) <= 1e-10 * float(value)
