"""Samplers with a velocity or a corrector on 1-D mixtures: Gaussian laws at 50 digits, quadrature, particles
and finer grids; the checks fire.
"""

from __future__ import annotations

from dataclasses import replace
from math import exp, log, sqrt

import mpmath as mp
import numpy as np
import pytest
from scipy import integrate, stats

import simulators.phase.grid as grids
import simulators.phase.law as laws
from simulators.batch import SingleCase
from simulators.errors import InputError, NotDefined
from simulators.grids import Grid
from simulators.laws.second import second_output
from simulators.line import Affine, Mixture, Oscillation
from simulators.line.checks import FoldFound, MassLost, RangeTooSmall, TooMuchWork
from simulators.line.law import UnresolvedLaw
from simulators.line.outcome import line_case
from simulators.line.problem import Problem
from simulators.line.propagate import Setup
from simulators.phase import GridLaw, grid_law, joint_kl
from simulators.phase.plan import Kick, Lift, operations
from simulators.score_errors import AffineError
from simulators.targets import Gaussian

TARGET = Mixture.of([0.4, 0.6], [-1.5, 1.0], [0.2, 0.3])
ULMC = Problem("ulmc", Grid.uniform(0.6, 3), TARGET)


def langevin(h, friction):
    """(e, c, b, Q_xx, Q_xv, Q_vv), as printed."""
    e = mp.exp(-friction * h)
    c = (1 - e) / friction
    xx = 2 / friction * (h - 2 * c + (1 - e * e) / (2 * friction))
    return e, c, (h - c) / friction, xx, (1 - e) ** 2 / friction, 1 - e * e


def score(target, x):
    parts = target.weights * stats.norm.pdf(x[:, None], target.means, target.sds)
    return (parts * (target.means - x[:, None]) / target.variances).sum(axis=1) / parts.sum(axis=1)


def options_of(sampler, rng, L):
    if sampler == "ulmc":
        return {"gamma_friction": float(rng.uniform(0.7, 3.0)) * sqrt(L)}
    whole = 1 / L if sampler == "dpom" else 1 / sqrt(L)
    return {"L": L, "block": 0.4, "corrector_step": whole / int(rng.integers(1, 5))}


def drawn(sampler, rng):
    """A Gaussian, a grid, options and an affine score error."""
    v, m = float(np.exp(rng.uniform(-2.5, 1.0))), float(rng.normal())
    L, N = max(1.0, 1.0 / v), int(rng.integers(1, 9))
    uniform = Grid.uniform(0.3 * N / sqrt(L), N) if sampler == "ulmc" else Grid.uniform(1.2, N, 0.1)
    return v, m, uniform, options_of(sampler, rng, L), (float(rng.normal()) * 0.1, float(rng.normal()) * 0.1)


def truths(target, output):
    """KL both ways and W2 between N(m, v) given as (v, m), at 50 digits."""
    with mp.workdps(50):
        (S, mu), (v, m) = ((mp.mpf(a), mp.mpf(b)) for a, b in (target, output))
        there = (S / v - 1 - mp.log(S / v) + (mu - m) ** 2 / v) / 2
        back = (v / S - 1 - mp.log(v / S) + (mu - m) ** 2 / S) / 2
        return there, back, mp.sqrt((mu - m) ** 2 + (mp.sqrt(S) - mp.sqrt(v)) ** 2)


@pytest.mark.parametrize("sampler", ["ulmc", "dpom", "dpum"])
def test_one_component_is_the_gaussian_law(sampler):
    widths = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        v, m, grid, options, (c, eta) = drawn(sampler, rng)
        wrong, affine = (AffineError((c,), (eta,)), Affine(c, eta)) if seed % 2 else (None, None)
        case = line_case(Mixture.of([1.0], [m], [v]), sampler, grid, error=affine, options=options)
        end = "target" if case.problem.stays else "q_delta"
        single = SingleCase(Gaussian.isotropic(1, v, m), sampler, grid, "gamma", wrong, options)
        found = second_output(single)
        law = case.law(end)
        expected = truths((law.variances[0], law.means[0]), (found.variances[0], found.means[0]))
        for name, pair, value in zip(
            ("KL", "KL", "W2"), ((end, "output"), ("output", end), (end, "output")), expected, strict=True
        ):
            enclosure = case.distance(name, *pair)
            assert enclosure.lo <= value <= enclosure.hi, (seed, name)
            widths.append(float(enclosure.width / 2 / value))
    assert np.median(widths) <= 1e-9


def test_a_wrong_map_lies_outside(monkeypatch):
    """The enclosures are sharp enough to see a velocity kick of 1.000001 times its length."""
    made = Kick.of
    monkeypatch.setattr(
        Kick, "of", lambda *given: replace(made(*given), kick=made(*given).kick * (1.0 + 1e-6))
    )
    case = line_case(Mixture.of([1.0], [0.7], [0.4]), "ulmc", Grid.uniform(1.0, 5))
    found = second_output(SingleCase(Gaussian.isotropic(1, 0.4, 0.7), "ulmc", Grid.uniform(1.0, 5)))
    value = truths((0.4, 0.7), (found.variances[0], found.means[0]))[0]
    assert not case.KL("target", "output").lo <= value <= case.KL("target", "output").hi


@pytest.mark.parametrize(("h", "friction"), [(1e-3, 1.0), (0.1, 2.0), (0.5, 0.3), (0.2, 8.0)])
def test_two_shears_and_two_kicks_are_one_step(h, friction):
    step = Kick.of(h, friction, lambda x: (x, x, x))
    with mp.workdps(50):
        e, c, b, xx, xv, vv = (float(value) for value in langevin(mp.mpf(h), mp.mpf(friction)))
    assert (step.damping, step.kick) == (pytest.approx(e, rel=1e-14), pytest.approx(c, rel=1e-14))
    assert step.shift + step.after * step.damping == pytest.approx(c, rel=1e-14)
    assert step.turn + step.after * step.kick == pytest.approx(b, rel=1e-14)
    assert step.sd_v**2 == pytest.approx(vv, rel=1e-14)
    assert step.after * step.sd_v**2 == pytest.approx(xv, rel=1e-14)
    assert step.after**2 * step.sd_v**2 + step.sd_x**2 == pytest.approx(xx, rel=1e-14)


def test_the_density_of_one_step_is_its_integral():
    """p(y) = int gamma(x) N(y; x + b s(x), Q_xx + c^2) dx after one step from a fresh velocity."""
    h, friction = 0.3, 2.0
    case = line_case(TARGET, "ulmc", Grid.uniform(h, 1))
    _, c, b, xx, _, _ = (float(value) for value in langevin(mp.mpf(h), mp.mpf(friction)))
    for y in (-2.0, -0.4, 0.1, 1.3):

        def integrand(x, y=y):
            at = x + b * float(score(TARGET, np.array([x]))[0])
            return stats.norm.pdf(x) * stats.norm.pdf(y, at, sqrt(xx + c * c))

        value = integrate.quad(integrand, -9, 9, points=(-2, 0, 2), epsabs=0, epsrel=1e-12, limit=400)[0]
        assert float(case.output.pdf(y)) == pytest.approx(value, rel=1e-10)


@pytest.mark.parametrize(("h", "N"), [(0.2, 6), (0.01, 1)])
def test_the_joint_law_of_one_component_is_gaussian(h, N):
    """Also where the sum over a fresh velocity needs a third of the spacing that its density does."""
    v, m, friction = 0.4, 0.7, 2.0
    case = line_case(Mixture.of([1.0], [m], [v]), "ulmc", Grid.uniform(h * N, N))
    e, c, b, xx, xv, vv = (float(value) for value in langevin(mp.mpf(h), mp.mpf(friction)))
    F, Q = np.array([[1 - b / v, c], [-c / v, e]]), np.array([[xx, xv], [xv, vv]])
    P, mean = np.eye(2), np.array([-m, 0.0])
    for _ in range(N):
        P, mean = F @ P @ F.T + Q, F @ mean
    S = np.diag([v, 1.0])

    def kl(A, B):
        gap = mean @ np.linalg.solve(B, mean)
        return 0.5 * (np.trace(np.linalg.solve(B, A)) - 2 + gap - log(np.linalg.det(A) / np.linalg.det(B)))

    target = Mixture.of([1.0], [m], [v])
    for order, value in (("target,output", kl(S, P)), ("output,target", kl(P, S))):
        found = joint_kl(case.output, target, order)
        assert abs(float(found.mid) - value) <= 1e-12
        assert found.lo - 1e-13 <= value <= found.hi + 1e-13  # the recurrence is rounded
        assert found.width <= 1e-10
    assert joint_kl(case.output, target).lo >= case.KL("target", "output").hi
    with pytest.raises(InputError, match="target,output"):
        joint_kl(case.output, target, "both")
    with pytest.raises(NotDefined, match="keeps its velocity"):
        joint_kl(line_case(target, "lmc", Grid.uniform(1.0, 2)).output, target)


CASES = {
    "ulmc": (Grid.uniform(1.2, 8), {"gamma_friction": 1.5}, None),
    "ulmc, long steps": (Grid.uniform(0.9, 3), {}, None),
    "dpom": (Grid.uniform(2.0, 12, 0.05), {"corrector_step": 0.1, "L": 2.0}, None),
    "dpum": (Grid.uniform(2.0, 8, 0.05), {"corrector_step": 0.25, "L": 2.0}, None),
    "dpum, sine": (Grid.uniform(1.0, 4, 0.2), {"corrector_step": 0.4, "L": 2.0}, Oscillation(0.2, 3.0)),
}


@pytest.mark.parametrize("name", CASES)
def test_no_finer_value_lies_outside(name):
    grid, options, error = CASES[name]
    case = line_case(TARGET, name.split(",")[0], grid, error=error, options=options)
    end = "target" if case.problem.stays else "q_delta"
    assert isinstance(case.output, GridLaw)
    for quantity in ("KL", "TV", "W2"):
        found = case.distance(quantity, end, "output")
        assert found.contains(case.finer.distance(quantity, end, "output").mid), quantity
        assert found.width <= 4e-9 * float(found.mid)
    assert case.second_moment().contains(case.finer.second_moment().mid)


def particles(n, seed):
    """Outputs of dpum with corrector steps of 0.25 to time 0.5, one block of two steps, in numpy."""
    rng = np.random.default_rng(seed)
    grid = Grid.uniform(1.0, 2, 0.1)
    x = rng.normal(size=n)
    for tau, h in zip(grid.times[:-1], grid.steps, strict=True):
        x = exp(h) * x + (exp(h) - 1) * score(TARGET.at(float(tau)), x)
    e, c, b, xx, xv, vv = (float(value) for value in langevin(mp.mpf("0.25"), mp.mpf(1)))
    root, v = np.linalg.cholesky([[xx, xv], [xv, vv]]), rng.normal(size=n)
    for _ in range(2):
        s, z = score(TARGET.at(0.1), x), rng.normal(size=(2, n))
        x, v = x + c * v + b * s + root[0] @ z, e * v + c * s + root[1] @ z
    return x


def test_particles_follow_the_law():
    """Distribution functions at 25 places within five standard deviations: a false alarm in 1e5 runs."""
    n = 200_000
    options = {"corrector_step": 0.25, "corrector_time": 0.5, "block": 5.0}
    case = line_case(TARGET, "dpum", Grid.uniform(1.0, 2, 0.1), options=options)
    y = np.linspace(-3, 3, 25)
    p, seen = case.output.cdf(y), np.searchsorted(np.sort(particles(n, 1)), y, side="right") / n
    assert np.all(np.abs(seen - p) < 5.0 * np.sqrt(p * (1 - p) / n) + 1e-5)
    assert float(np.abs(p + case.output.sf(y) - 1).max()) < 1e-12


def test_the_mass_check_fires_when_velocities_are_too_far_apart(monkeypatch):
    monkeypatch.setattr(grids.Aim, "sums", lambda self, sharpness: 2.5 / sharpness)
    with pytest.raises(MassLost, match="expected 1"):
        laws.run_grid(ULMC, 31.0, Setup())


def test_the_range_check_fires_when_the_range_is_too_small(monkeypatch):
    laid = grids._laid

    def narrow(low, high, spacing, offset):
        middle, half = 0.5 * (low + high), 0.3 * (high - low)
        return laid(middle - half, middle + half, spacing, offset)

    first = next(step for step in operations(ULMC) if not isinstance(step, Lift))
    aim = grids.Aim(20.0)
    sheet = grids.lift(grids.begin(ULMC.initial, aim), first, aim)
    monkeypatch.setattr(grids, "_laid", narrow)
    monkeypatch.setattr(grids, "MASS", 1.0)
    with pytest.raises(RangeTooSmall, match="panel"):
        grids.kicked(sheet, first, aim)


def test_a_map_that_folds_is_refused_and_the_law_is_not_resolved():
    sharp = Mixture.of([0.5, 0.5], [-3.0, 3.0], [0.02, 0.02])
    grid, options = Grid.uniform(0.3, 1, 0.001), {"corrector_step": 1.0}
    problem = Problem("dpom", grid, sharp, "gamma", Affine(0.0, -8.0), options=options)
    with pytest.raises(FoldFound, match="expected a map that does not turn"):
        laws.run_grid(problem, 31.0, Setup())
    law = grid_law(problem)
    assert isinstance(law, UnresolvedLaw)
    found = line_case(sharp, "dpom", grid, error=Affine(0.0, -8.0), options=options)
    assert (float(found.TV("q_delta", "output").lo), float(found.TV("q_delta", "output").hi)) == (0.0, 1.0)
    assert joint_kl(law, sharp).hi == np.inf


def test_the_work_check_fires():
    with pytest.raises(TooMuchWork, match="work="):
        laws.run_grid(ULMC, 31.0, Setup(work_limit=1e5))
    assert not replace(line_case(TARGET, "ulmc", ULMC.grid), setups=(Setup(work_limit=1e5),)).resolved


def test_the_second_road_has_other_nodes():
    case = line_case(TARGET, "ulmc", Grid.uniform(0.2, 1))
    assert case.finer.output.fine.row.dx < 0.6 * case.output.fine.row.dx


def test_bad_input_is_named():
    grid = Grid.uniform(1.0, 2)
    with pytest.raises(InputError, match="corrector_step"):
        line_case(TARGET, "dpum", grid)
    with pytest.raises(InputError, match="expected names among"):
        line_case(TARGET, "ulmc", grid, options={"friction": 2.0})
    with pytest.raises(InputError, match="expected > 0, or delta > 0"):
        line_case(Mixture.of([0.5, 0.5], [-1.0, 1.0], [0.0, 0.0]), "ulmc", grid)
