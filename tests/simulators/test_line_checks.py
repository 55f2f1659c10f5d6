"""The mass, range and pole checks fire on cases built to break them, and refinement answers."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

import simulators.distances.line as distances
import simulators.line.law as laws
from simulators.distances.line import line_distance
from simulators.grids import Grid
from simulators.line import Mixture, propagate_line
from simulators.line.checks import (
    MassLost,
    PoleTooClose,
    RangeTooSmall,
    TooMuchWork,
    check_mass,
    check_pole,
    check_range,
)
from simulators.line.kernels import fast_erfc
from simulators.line.law import NoisyLaw, noisy_law
from simulators.line.problem import Problem
from simulators.line.propagate import Setup, run
from simulators.line.quadrature import Precision

SEPARATED = Problem("ddpm-ei", Grid.uniform(4.0, 40), Mixture.of([0.5, 0.5], [-3.0, 3.0], [0.05, 0.05]))


def test_the_mass_check_fires_when_the_range_is_too_small():
    with pytest.raises(MassLost, match="expected 1 to 1e-12"):
        run(SEPARATED, 34.0, Setup(reach=4.0))
    assert abs(run(SEPARATED, 34.0).defect) < 1e-12


def test_the_mass_check_fires_when_nodes_are_dropped():
    with pytest.raises(MassLost):
        run(SEPARATED, 34.0, Setup(depth=12.0))


def test_the_pole_check_fires_when_the_spacing_is_stretched():
    with pytest.raises((PoleTooClose, MassLost)):
        run(SEPARATED, 34.0, Setup(slack=2.5))
    with pytest.raises(PoleTooClose, match="poles of the score"):
        run(
            Problem("ddpm-ei", Grid.uniform(4.0, 400), Mixture.of([1.0], [0.0], [1.0])),
            60.0,
            Setup(slack=1.3),
        )


def test_ignoring_the_pole_rule_is_seen_in_the_law():
    """What the check is for: twice the spacing the poles allow spoils the density; the rule's spacing does
    not.
    """
    problem = Problem("ddpm-ei", Grid.uniform(5.0, 10), Mixture.of([0.3, 0.7], [-3.0, 3.0], [0.2, 0.2]))
    y = np.linspace(-4, 4, 41)
    good, better = run(problem, 31.0).pdf(y), run(problem, 80.0).pdf(y)
    assert np.max(np.abs(good / better - 1)) < 1e-11


def test_the_work_check_fires():
    with pytest.raises(TooMuchWork, match="work="):
        run(SEPARATED, 34.0, Setup(work_limit=1e4))


def test_the_range_check_fires_when_the_tails_are_missing():
    """chi2 with tails far heavier than the law's own: int p^2/q needs p down to e^{-100}."""
    grid = Grid.uniform(0.3, 60)
    law = propagate_line("ddpm-ei", grid, [1.0], [0.0], [0.55])
    assert isinstance(law, NoisyLaw)
    target = distances.Side(Mixture.of([1.0], [0.0], [0.4]))
    shallow = distances._measured("chi2", target, law, False)
    assert shallow.holes
    assert shallow.enclosure.hi == np.inf
    found = line_distance("chi2", [1.0], [0.0], [0.4], law, "output,target")
    assert np.isfinite(float(found.hi))
    assert float(found.width) < 1e-6 * float(found.mid)


def test_a_chain_that_fails_is_refined(monkeypatch):
    """The law is made of the first two accuracies in a row that pass."""

    def fails_first(problem, accuracy, setup):
        check_mass(1.0 + 1e-9 * (accuracy == setup.accuracies[0]))
        return run(problem, accuracy, setup)

    monkeypatch.setattr(laws, "run", fails_first)
    law = noisy_law(SEPARATED)
    assert isinstance(law, NoisyLaw)
    assert law.level == 1


def test_a_wide_difference_of_the_two_grids_is_refined():
    law = propagate_line("ddpm-ei", Grid.uniform(4.0, 40), [0.5, 0.5], [-3.0, 3.0], [0.05, 0.05])
    assert isinstance(law, NoisyLaw)
    line_distance("KL", [0.5, 0.5], [-3.0, 3.0], [0.05, 0.05], law, precision=Precision(good=1e-16))
    assert law.refined.level == 1
    assert law.refined.coarse is law.fine


def test_the_fast_error_function_is_that_of_fifty_digits():
    for z in np.linspace(0.0, 25.0, 201).tolist():
        with mp.workdps(50):
            off = abs(mp.mpf(fast_erfc(z)) / mp.erfc(mp.mpf(z)) - 1)
        assert off <= (8.0 + 2.0 * z * z) * 2.0**-52


def test_checks_alone():
    check_mass(1.0)
    check_range(0.0, 0.0, 1.0)
    check_pole(1.0)
    for bad in (1.0 + 1e-11, float("nan")):
        with pytest.raises(MassLost):
            check_mass(bad)
    for bad in (1e-6, float("nan")):
        with pytest.raises(RangeTooSmall, match="last panel"):
            check_range(0.0, bad, 1.0)
    for bad in (1.1, float("nan")):
        with pytest.raises(PoleTooClose):
            check_pole(bad)
