"""One case on the line: named laws, both orders, the second road, the cheap mode, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate

import simulators.line.outcome as outcomes
from simulators.distances.line import line_distance
from simulators.errors import InputError, NotDefined
from simulators.grids import Grid
from simulators.line import Bump, Custom, Mixture, propagate_line
from simulators.line.law import NoisyLaw, UnresolvedLaw, noisy_law
from simulators.line.outcome import LineOutcome, line_case, line_mixture
from simulators.line.problem import Problem
from simulators.line.propagate import Setup, run
from simulators.mixtures import Atoms, GaussianMixture, Product
from simulators.targets import Gaussian

TARGET = GaussianMixture((0.4, 0.6), (-1.5, 1.0), (0.2, 0.3))
GRID = Grid.uniform(3.0, 25, 0.01)


def test_both_orders_are_those_of_line_distance():
    case = line_case(TARGET, "ddpm-ei", GRID)
    own = line_mixture(TARGET)
    law = propagate_line("ddpm-ei", GRID, own.weights, own.means, own.variances)
    end = own.at(0.01)
    for order, pair in (("target,output", ("q_delta", "output")), ("output,target", ("output", "q_delta"))):
        for name in ("KL", "chi2"):
            there = line_distance(name, end.weights, end.means, end.variances, law, order)
            assert float(case.distance(name, *pair).mid) == float(there.mid)
    assert float(case.KL("q_delta", "output").mid) != float(case.KL("output", "q_delta").mid)
    there, back = (float(case.TV(*pair).mid) for pair in (("q_delta", "output"), ("output", "q_delta")))
    assert there == pytest.approx(back, rel=1e-15)  # one integral, rounded in two orders


def test_nothing_is_propagated_before_it_is_needed(monkeypatch):
    monkeypatch.setattr(outcomes, "noisy_law", lambda *given: pytest.fail("propagated"))
    case = line_case(TARGET, "ddpm-ei", GRID)
    assert case.KL("q_T", "gamma").lo > 0
    assert "output" not in vars(case)


def test_a_distance_is_measured_once(monkeypatch):
    case = line_case(TARGET, "ddpm-ei", GRID)
    first = case.W2("target", "output")
    monkeypatch.setattr(outcomes, "line_distance", lambda *given: pytest.fail("measured again"))
    assert case.W2("target", "output") is first


def test_forward_laws_of_a_gaussian_have_their_closed_forms():
    """N(m, v) at time t is N(m e^{-t}, 1 + (v - 1) e^{-2t})."""
    case = line_case(Gaussian.isotropic(1, 0.25, 1.5), "ddpm-ei", Grid.uniform(1.5, 4, 0.2))
    times = {"target": 0.0, "q_delta": 0.2, "q_T": 1.5, 0.7: 0.7}
    for name, t in times.items():
        m, v = 1.5 * np.exp(-t), 1 - 0.75 * np.exp(-2 * t)
        assert case.KL(name, "gamma").contains(0.5 * (v - 1 - np.log(v) + m * m))
        assert case.KL("gamma", name).contains(0.5 * (1 / v - 1 + np.log(v) + m * m / v))
        assert case.W2(name, "gamma").contains(np.sqrt(m * m + (np.sqrt(v) - 1) ** 2))
        assert case.second_moment(name).contains(m * m + v)
    assert case.KL("gamma", "gamma").hi == 0.0


@pytest.mark.parametrize("sampler", ["ddpm-ei", "cds-ei", "lmc", "pf-ei", "pf-heun"])
def test_the_second_moment_is_that_of_the_density(sampler):
    case = line_case(TARGET, sampler, Grid.uniform(2.0, 15))
    value = integrate.quad(
        lambda y: y * y * float(case.output.pdf(np.array(y))),
        -9,
        9,
        points=(-1.5, 0, 1),
        epsabs=1e-11,
        limit=200,
    )[0]
    found = case.second_moment()
    assert float(found.mid) == pytest.approx(value, abs=1e-9)
    assert found.width <= 1e-10
    assert found.contains(case.finer.second_moment().mid)


def test_the_second_moment_of_a_folded_law():
    """pf-heun in 3 steps on narrow components: the images of quadrature points of the start."""
    narrow = Mixture.of([0.3, 0.4, 0.3], [-2.0, 0.0, 2.0], [0.01, 1.0, 0.01])
    case = line_case(narrow, "pf-heun", Grid.uniform(3.0, 4))
    assert case.output.folded
    t = np.linspace(-10, 10, 200_001)
    value = np.sum(np.exp(-0.5 * t * t) * case.output.flow(t)[0] ** 2) * 1e-4 / np.sqrt(2 * np.pi)
    assert float(case.second_moment().mid) == pytest.approx(value, rel=1e-7)


def test_the_finer_case_has_other_and_more_nodes():
    case = line_case(TARGET, "ddpm-ei", GRID)
    assert isinstance(case.finer.output, NoisyLaw)
    first, second = case.output.fine.means, case.finer.output.fine.means
    assert case.finer.output.setup.slack == 0.25
    assert second.size > 2 * first.size  # a quarter of the spacing, or panels where only some need it
    assert not np.intersect1d(first, second).size
    found = case.KL("q_delta", "output"), case.finer.KL("q_delta", "output")
    assert found[0].contains(found[1].mid)
    assert float(found[0].mid) != float(found[1].mid)


def test_offsets_alone_change_nothing_but_the_nodes():
    problem = Problem("ddpm-ei", GRID, line_mixture(TARGET), "gamma", Bump(0.3, 0.1, 0.4))
    y = np.linspace(-3, 3, 41)
    laws = [run(problem, 40.0, Setup(offset=offset)) for offset in (0.0, 0.37)]
    assert laws[0].means[0] != laws[1].means[0]
    assert np.allclose(laws[0].pdf(y), laws[1].pdf(y), rtol=1e-12)


def test_the_finer_case_takes_half_the_spacing_where_a_quarter_is_too_much(monkeypatch):
    def limited(problem, setup):
        return UnresolvedLaw(problem, "work=0") if setup.slack == 0.25 else noisy_law(problem, setup)

    monkeypatch.setattr(outcomes, "noisy_law", limited)
    case = line_case(TARGET, "ddpm-ei", GRID).finer
    assert case.resolved
    assert case.output.setup.slack == 0.5


def test_a_case_beyond_the_work_limit_says_nothing():
    case = line_case(TARGET, "ddpm-ei", GRID)
    case = LineOutcome(case.problem, setups=(Setup(work_limit=1e3),))
    assert not case.resolved
    assert (float(case.TV("target", "output").lo), float(case.TV("target", "output").hi)) == (0.0, 1.0)
    assert case.KL("target", "output").hi == np.inf
    assert (float(case.second_moment().lo), float(case.second_moment().hi)) == (0.0, np.inf)


def test_the_cheap_mode_begins_with_coarser_grids():
    cheap, best = (line_case(TARGET, "ddpm-ei", GRID, mode=mode) for mode in ("cheap", "accurate"))
    assert cheap.output.fine.means.size < best.output.fine.means.size
    assert cheap.KL("q_delta", "output").contains(best.KL("q_delta", "output").mid)


def test_targets_of_every_kind():
    for target in (
        Gaussian.isotropic(1, 0.5),
        Gaussian.dirac(1, 0.5),
        Atoms((-1.0, 1.0)),
        Product((TARGET,)),
    ):
        case = line_case(target, "ddpm-ei", Grid.geometric(3.0, 20, 0.01))
        assert 0 < float(case.KL("q_delta", "output").mid) < 1
    atoms = line_case(Atoms((-1.0, 1.0)), "ddpm-ei", Grid.geometric(3.0, 20, 0.01))
    assert atoms.TV("target", "output").lo == 1.0
    assert atoms.KL("target", "output").lo == np.inf
    assert np.isfinite(float(atoms.W2("target", "output").hi))
    with pytest.raises(NotDefined, match="path KL of a target with both"):
        _ = line_case(Mixture.of([0.5, 0.5], [0, 1], [0, 1]), "ddpm-ei", Grid.uniform(1.0, 2, 0.1)).path_kl


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"mode": "exact"}, "expected one of accurate, cheap"),
        ({"target": GaussianMixture.two(2.0, d=3)}, "dimension=3: expected 1"),
        ({"sampler": "cld-ei"}, "expected one of"),
        ({"start": "elsewhere"}, "expected one of gamma"),
        ({"sampler": "pf-ei", "error": Custom(lambda tau, x: x)}, "needs the derivative"),
    ],
)
def test_bad_cases_are_named(change, text):
    with pytest.raises(InputError, match=text):
        line_case(**({"target": TARGET, "sampler": "ddpm-ei", "grid": GRID} | change))


@pytest.mark.parametrize("law", ["p_T", -0.1, float("nan")])
def test_unknown_laws_are_named(law):
    case = line_case(TARGET, "ddpm-ei", GRID)
    with pytest.raises(InputError, match=r"law=.*expected one of target, q_T"):
        case.KL(law, "gamma")
    with pytest.raises(InputError, match="name='JS'"):
        case.distance("JS", "target", "gamma")
