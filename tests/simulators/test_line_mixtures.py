"""Laws on the line of mixtures: brute force, score errors, atoms, folds, bad input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, optimize, stats

import simulators.distances.line as distances
from simulators.distances.line import Side, line_distance, mixture_distance
from simulators.errors import InputError, NotDefined
from simulators.grids import Grid
from simulators.line import (
    Affine,
    Bump,
    Custom,
    Mixture,
    Oscillation,
    OtherMixture,
    fine,
    propagate,
    propagate_line,
)
from simulators.line.law import FlowLaw, NoisyLaw, UnresolvedLaw, noisy_law
from simulators.line.outcome import line_case
from simulators.line.problem import Problem
from simulators.line.propagate import Setup
from simulators.line.transport import Flow
from simulators.samplers import SAMPLERS

BIMODAL = Mixture.of([0.4, 0.6], [-1.5, 1.0], [0.2, 0.3])
NOISY = ("ddpm-ei", "ddpm-em", "cds-ei", "lmc")


def triple(mixture):
    return mixture.weights, mixture.means, mixture.variances


def brute_force(sampler, grid, mixture, error, x):
    """Densities on a fixed grid x, every step as a full matrix."""
    scheme = SAMPLERS[sampler]
    p, dx = np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi), x[1] - x[0]
    for tau, h in zip(grid.times, grid.steps, strict=False):
        q = mixture.at(tau if scheme.reverse else 0.0)
        parts = q.weights * stats.norm.pdf(x[:, None], q.means, q.sds)
        score = (parts * (q.means - x[:, None]) / q.variances).sum(axis=1) / parts.sum(axis=1) + error(tau, x)
        g = float(scheme.A(h)) * x + float(scheme.B(h)) * score
        p = stats.norm.pdf(x[:, None], g, np.sqrt(float(scheme.Q(h)))) @ p * dx
    return p


@pytest.mark.parametrize("sampler", NOISY)
def test_densities_agree_with_full_matrices(sampler):
    grid, x = Grid.uniform(2.0, 12), np.linspace(-9, 9, 2201)
    law = propagate_line(sampler, grid, *triple(BIMODAL), error=Oscillation(0.2, 3.0, 0.5))
    p = brute_force(sampler, grid, BIMODAL, lambda tau, x: 0.2 * np.sin(3 * x + 0.5), x)
    here = np.abs(x) < 5
    assert np.allclose(law.pdf(x[here]), p[here], rtol=1e-11, atol=1e-16)
    assert np.allclose(law.cdf(x[here]) + law.sf(x[here]), 1.0, rtol=1e-14)
    mass = np.cumsum(p) * (x[1] - x[0]) - 0.5 * p * (x[1] - x[0])
    assert np.allclose(law.cdf(x[here]), mass[here], atol=1e-5)


def test_tv_is_the_sum_over_sign_changes_of_distribution_functions():
    grid = Grid.uniform(3.0, 40)
    law = propagate_line("ddpm-ei", grid, *triple(BIMODAL))

    def ratio(x):
        return float(np.log(law.pdf(np.array([x]))[0]) - distances.Side(BIMODAL).logpdf(np.array([x]))[0])

    x = np.linspace(-4, 4, 400)
    values = [ratio(t) for t in x]
    roots = [
        optimize.brentq(ratio, a, b)
        for a, b, u, v in zip(x, x[1:], values, values[1:], strict=False)
        if u * v < 0
    ]
    q = sum(w * stats.norm.cdf(roots, m, np.sqrt(v)) for w, m, v in zip(*triple(BIMODAL), strict=True))
    gaps = np.concatenate([[0.0], law.cdf(np.array(roots)) - q, [0.0]])
    found = line_distance("TV", *triple(BIMODAL), law)
    assert float(found.mid) == pytest.approx(0.5 * np.abs(np.diff(gaps)).sum(), abs=1e-13)


def test_w2_moves_mass_between_separated_modes():
    """Wrong weights: a mass of 1e-4 crosses a gap without mass; each mode keeps normal quantiles."""
    first = ([0.5, 0.5], [-5.0, 5.0], [0.01, 0.01])
    second = ([0.5001, 0.4999], [-5.0, 5.0], [0.01, 0.01])

    def left(u, weight):
        return -5 + 0.1 * stats.norm.ppf(u / weight)

    def right(u, weight):
        return 5 - 0.1 * stats.norm.ppf((1 - u) / weight)

    pieces = [
        (lambda u: (left(u, 0.5) - left(u, 0.5001)) ** 2, 0.0, 0.5),
        (lambda u: (right(u, 0.5) - left(u, 0.5001)) ** 2, 0.5, 0.5001),
        (lambda u: (right(u, 0.5) - right(u, 0.4999)) ** 2, 0.5001, 1.0),
    ]
    value = np.sqrt(sum(integrate.quad(f, a, b, epsabs=1e-12, limit=400)[0] for f, a, b in pieces))
    found = mixture_distance("W2", first, second)
    assert float(found.mid) == pytest.approx(value, rel=1e-6)
    assert float(found.width) < 1e-11
    assert mixture_distance("W2", second, first).contains(found.mid)


@pytest.mark.parametrize("error", [Oscillation(0.3, 7.0, 0.2), Affine(0.1, -0.05)])
@pytest.mark.parametrize("sampler", ["ddpm-ei", "pf-ei", "pf-heun"])
def test_a_callable_error_is_the_compiled_one(sampler, error):
    grid = Grid.uniform(3.0, 25)
    if isinstance(error, Affine):
        custom = Custom(lambda tau, x: 0.1 - 0.05 * x, lambda tau, x: np.full_like(x, -0.05))
    else:
        custom = Custom(lambda tau, x: 0.3 * np.sin(7 * x + 0.2), lambda tau, x: 2.1 * np.cos(7 * x + 0.2))
    laws = [propagate_line(sampler, grid, *triple(BIMODAL), error=e) for e in (error, custom)]
    first, second = (line_distance("KL", *triple(BIMODAL), law) for law in laws)
    assert float(first.mid) == pytest.approx(float(second.mid), rel=1e-11)


def test_a_bump_with_jumps_is_the_limit_of_steep_edges():
    grid = Grid.uniform(3.0, 20)
    values = []
    for edge in (0.02, 0.01, 0.0):
        law = propagate_line("ddpm-ei", grid, *triple(BIMODAL), error=Bump(0.5, 0.2, 0.6, edge=edge))
        found = line_distance("KL", *triple(BIMODAL), law)
        assert float(found.width) < 1e-10
        values.append(float(found.mid))
    assert abs(values[1] - values[2]) < 0.3 * abs(values[0] - values[2]) < 1e-3


def test_a_bump_on_everything_is_a_shift():
    grid = Grid.uniform(3.0, 20)
    laws = [
        propagate_line("ddpm-ei", grid, *triple(BIMODAL), error=e) for e in (Bump(0.3, 0, 1), Affine(0.3))
    ]
    first, second = (line_distance("W2", *triple(BIMODAL), law) for law in laws)
    assert float(first.mid) == pytest.approx(float(second.mid), rel=1e-11)


def test_the_score_of_another_mixture_leads_to_it():
    other = Mixture.of([0.3, 0.7], [-1.4, 1.1], [0.25, 0.3])
    grid = Grid.uniform(4.0, 30)
    law = propagate_line("ddpm-ei", grid, *triple(BIMODAL), error=OtherMixture(other))
    direct = propagate_line("ddpm-ei", grid, *triple(other))
    y = np.linspace(-3, 3, 31)
    assert np.allclose(law.pdf(y), direct.pdf(y), rtol=1e-12)


def test_atoms_stopped_early_on_a_geometric_grid():
    for delta, rtol in ((1e-6, 1e-9), (1e-8, 1e-8)):
        grid = Grid.geometric(5.0, 200, delta)
        target = Mixture.of([0.3, 0.5, 0.2], [-1.0, 1.0, 2.5], [0.0, 0.0, 0.0])
        law = propagate_line("ddpm-ei", grid, *triple(target))
        found = line_distance("KL", *triple(target.at(delta)), law)
        assert 0 < float(found.width) / 2 <= rtol * float(found.mid)
        # a common variance factor far below the gaps: the divergence of weights plus that of one atom
        one = propagate_line("ddpm-ei", grid, [1.0], [0.0], [0.0])
        alone = line_distance("KL", [1.0], [0.0], [-np.expm1(-2 * delta)], one)
        assert float(found.mid) >= float(alone.lo) * (1 - 1e-9)


def test_against_the_atoms_themselves():
    grid = Grid.geometric(5.0, 100, 1e-4)
    atoms = [0.3, 0.7], [-1.0, 1.0], [0.0, 0.0]
    law = propagate_line("ddpm-ei", grid, *atoms)
    assert line_distance("TV", *atoms, law).lo == 1.0
    assert line_distance("KL", *atoms, law).lo == np.inf
    near = line_distance("W2", *triple(Mixture.of(*atoms).at(1e-4)), law)
    found = line_distance("W2", *atoms, law)
    assert abs(float(found.mid) - float(near.mid)) < 0.02
    with pytest.raises(NotDefined, match="both atoms and a density"):
        line_distance("TV", [0.5, 0.5], [0.0, 1.0], [0.0, 1.0], law)


def test_short_steps_are_exact_for_a_gaussian():
    """Steps far below the detail of the law, from the widest ones done so to the shortest."""
    grid = Grid.geometric(0.5, 40, 3e-4)
    law = propagate_line("ddpm-ei", grid, [1.0], [0.5], [1.5])
    assert np.sqrt(2 * grid.steps[-1]) < fine.SHORT
    mean, variance = 0.0, 1.0
    scheme = SAMPLERS["ddpm-ei"]
    for tau, h in zip(grid.times[:-1], grid.steps, strict=True):
        S, mu = 1.0 + 0.5 * np.exp(-2 * tau), 0.5 * np.exp(-tau)
        slope = float(scheme.A(h)) - float(scheme.B(h)) / S
        mean = slope * mean + float(scheme.B(h)) * mu / S
        variance = slope * slope * variance + float(scheme.Q(h))
    y = np.linspace(mean - 6.0, mean + 6.0, 41)
    assert law.pdf(y) == pytest.approx(stats.norm.pdf(y, mean, np.sqrt(variance)), rel=1e-11)


@pytest.mark.parametrize("new_dx", [0.02, 0.017])
@pytest.mark.parametrize("h", [1e-8, 3e-6, 2e-5, 1e-4])
def test_one_short_step_is_its_integral(h, new_dx):
    """Every Gauss-Hermite rule, on the same grid and on another, against a dense sum over the noise."""
    dx, left, count = 0.02, -3.0, 301
    step = np.array([np.expm1(h), 2.0 * np.expm1(h), np.sqrt(np.expm1(2.0 * h))])
    x = left + dx * np.arange(count)

    def logp(t):
        return np.log(0.4 * stats.norm.pdf(t, -1.0, 0.6) + 0.6 * stats.norm.pdf(t, 1.0, 0.6))

    def score(t):
        return (np.tanh(2.0 * t) - t) / 0.5

    new_left = left + 4.0 * dx
    found = fine.advance(logp(x), score(x), left, dx, step, 0.3, new_left, new_dx, 280)
    for j in (20, 133, 210):
        y = new_left + new_dx * j
        root = optimize.brentq(
            lambda t, y=y: t * (1 + step[0]) + step[1] * score(t) - y, y - 0.1, y + 0.1, xtol=1e-15
        )
        around = root + step[2] * np.linspace(-12.0, 12.0, 481)
        moved = around - y + (step[0] * around + step[1] * score(around))
        dense = np.exp(logp(around) - 0.5 * (moved / step[2]) ** 2).sum() * 0.05 / np.sqrt(2.0 * np.pi)
        assert found[j] == pytest.approx(np.log(dense), abs=3e-11)  # y - g(x) is rounded in units of c


@pytest.mark.parametrize("delta", [1e-3, 1e-6])
@pytest.mark.parametrize("target", [BIMODAL, Mixture.of([0.3, 0.7], [-1.0, 1.0], [0.0, 0.0])])
def test_w2_on_a_geometric_grid_is_known_to_ten_digits(target, delta):
    grid = Grid.geometric(5.0, 1000, delta)
    law = propagate_line("ddpm-ei", grid, *triple(target))
    found = line_distance("W2", *triple(target.at(delta)), law)
    assert 0 < float(found.width) / 2 <= 1e-10 * float(found.mid)


def test_a_law_of_many_components_is_known_where_all_of_them_are_tried(monkeypatch):
    law = propagate_line("ddpm-ei", Grid.geometric(4.0, 300, 1e-5), *triple(BIMODAL))
    assert isinstance(law, NoisyLaw)
    comb = law.fine
    assert comb.means.size > 3 * propagate.TRIED
    few = comb.trusted, comb.zones
    monkeypatch.setattr(propagate, "TRIED", comb.means.size)
    every = replace(comb)
    assert few[0] == pytest.approx(every.trusted, abs=20 * comb.sd)
    assert few[1] == pytest.approx(every.zones, abs=20 * comb.sd)


def test_a_map_that_folds():
    """Several preimages: the distribution function against crossings found one by one."""
    grid = Grid.uniform(3.0, 4)
    target = Mixture.of([0.3, 0.4, 0.3], [-2.0, 0.0, 2.0], [0.01, 1.0, 0.01])
    law = propagate_line("pf-heun", grid, *triple(target))
    assert isinstance(law, FlowLaw)
    assert law.folded
    t = np.linspace(-9, 9, 40_001)
    image = law.flow(t)[0]
    for y in (-1.7, -0.4, 0.3, 2.05):
        above = image > y
        at = np.flatnonzero(above[1:] != above[:-1])
        cuts = [
            optimize.brentq(lambda s, y=y: float(law.flow(np.array([s]))[0][0]) - y, t[i], t[i + 1])
            for i in at
        ]
        levels = np.concatenate([[0.0], stats.norm.cdf(cuts), [1.0]])
        inside = ~np.concatenate([above[at], above[-1:]])
        expected = np.diff(levels)[inside].sum()
        assert float(law.cdf(y)) == pytest.approx(expected, abs=1e-11)
        assert float(law.sf(y)) == pytest.approx(1 - expected, abs=1e-11)
    found = {name: line_distance(name, *triple(target), law) for name in ("KL", "TV", "W2", "Hellinger")}
    assert all(float(e.width) < 1e-6 for e in found.values())
    assert found["TV"].lo <= np.sqrt(found["KL"].hi / 2)
    assert found["Hellinger"].lo ** 2 <= found["TV"].hi
    assert line_distance("chi2", *triple(target), law, "output,target").lo == np.inf


def test_a_map_that_turns_again_beyond_the_start():
    """A mode that the images of the start do not reach: starting points far out do, past another fold."""
    grid = Grid.uniform(2.1278544925877254, 2)
    target = Mixture.of([2e-6, 1.0 - 2e-6], [8.0, 30.4], [0.17, 0.45])
    case = line_case(target, "pf-heun", grid, "q_T")
    law = case.output
    assert isinstance(law, FlowLaw)
    t = law.flow.samples[0]
    chart = law.charts(Side(target).around(1.0))[0]
    assert np.any((chart.critical < t[0]) | (chart.critical > t[-1]))
    assert law.mass == pytest.approx(1.0, abs=1e-9)
    found = case.TV("target", "output")
    assert 0 < float(found.width) < 1e-6


def test_panels_end_at_a_fold_without_being_halved(monkeypatch):
    """The integrand steps at the image of a fold, where panels end: each is judged by its own side."""
    asked = []
    call = Flow.__call__
    monkeypatch.setattr(Flow, "__call__", lambda self, t: asked.append(t.size) or call(self, t))
    target = Mixture.of([0.5, 0.5], [-3.0, 3.0], [0.3, 0.3])
    law = propagate_line("pf-heun", Grid.uniform(3.0, 2), *triple(target))
    assert isinstance(law, FlowLaw)
    found = line_distance("KL", *triple(target), law)
    assert law.folded
    assert float(found.width) < 5e-8 * float(found.mid)
    assert len(asked) < 200  # over 1000 when panels beside the three folds are halved thirty times
    assert law.mass == pytest.approx(1.0, abs=1e-11)


def test_the_work_limit_gives_wide_enclosures():
    problem = Problem("ddpm-ei", Grid.uniform(3.0, 50), BIMODAL)
    law = noisy_law(problem, Setup(work_limit=1e4))
    assert isinstance(law, UnresolvedLaw)
    found = line_distance("TV", *triple(BIMODAL), law)
    assert (float(found.lo), float(found.hi)) == (0.0, 1.0)
    assert line_distance("KL", *triple(BIMODAL), law).hi == np.inf


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"weights": [0.5, 0.6]}, "sum of 1"),
        ({"weights": [1.2, -0.2]}, "positive weights"),
        ({"means": [0.0]}, "expected 2 entries"),
        ({"means": [np.nan, 0.0]}, "finite"),
        ({"variances": [-0.1, 1.0]}, ">= 0"),
        ({"variances": [0.0, 1.0], "sampler": "lmc"}, "atom has no score"),
        ({"variances": [0.0, 1.0], "sampler": "pf-heun"}, "atom has no score"),
        ({"sampler": "cld-ei"}, "expected one of"),
        ({"start": "elsewhere"}, "expected one of gamma, q_T"),
        ({"error": Bump(1.0, 0.2, 0.4), "sampler": "pf-ei"}, "expected > 0"),
        ({"error": Custom(lambda tau, x: x), "sampler": "pf-ei"}, "needs the derivative"),
    ],
)
def test_bad_input_is_named(change, text):
    arguments = {
        "sampler": "ddpm-ei",
        "weights": [0.5, 0.5],
        "means": [0.0, 1.0],
        "variances": [1.0, 1.0],
    } | change
    with pytest.raises(InputError, match=text):
        propagate_line(grid=Grid.uniform(2.0, 4), **arguments)


@pytest.mark.parametrize(("start", "stop"), [(0.5, 0.5), (-0.1, 0.2), (0.3, 1.2)])
def test_bad_quantiles_are_named(start, stop):
    with pytest.raises(InputError, match="0 <= start < stop <= 1"):
        Bump(1.0, start, stop)


def test_unknown_names_are_refused():
    law = propagate_line("ddpm-ei", Grid.uniform(1.0, 2), [1.0], [0.0], [1.0])
    with pytest.raises(InputError, match="expected one of KL"):
        line_distance("JS", [1.0], [0.0], [1.0], law)
    with pytest.raises(InputError, match="order"):
        line_distance("KL", [1.0], [0.0], [1.0], law, "target")


def test_atoms_against_a_density_and_against_themselves():
    atoms, smooth = ([0.5, 0.5], [-1.0, 2.0], [0.0, 0.0]), ([1.0], [0.0], [1.0])
    for name, singular in (("TV", 1.0), ("Hellinger", 1.0), ("KL", np.inf), ("chi2", np.inf)):
        for pair in ((atoms, smooth), (smooth, atoms)):
            found = mixture_distance(name, *pair)
            assert found.lo == found.hi == singular
        assert float(mixture_distance(name, atoms, atoms).hi) == 0.0
    assert float(mixture_distance("W2", atoms, atoms).hi) == 0.0
    with pytest.raises(NotDefined, match="TV between two laws with atoms"):
        mixture_distance("TV", atoms, ([1.0], [3.0], [0.0]))
