"""Random midpoints and two atoms: numbers known by hand, a simulation, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulators.errors import InputError
from simulators.models import MODELS
from simulators.models.atoms import SCHEDULE_ATOMS, STOPPED_ATOMS
from simulators.models.midpoint import MIDPOINT

PLACE = {"N": 3, "block": 1.0, "d": 1, "v1": 0.3, "offset": 0.3}
ATOMS = {"rate0": 2.0, "rate1": 4.0, "w": 0.3, "m1": -1.0, "m2": 1.5}


def gap(name: str, **changes: float) -> float:
    """A quantity of the random midpoint model."""
    return float(MIDPOINT.value(name, {**PLACE, **changes}).mid)


def test_random_midpoints_against_a_simulation() -> None:
    """200,000 paths of the scheme beside the exact flow; four standard errors of the mean square."""
    rng, n, h = np.random.default_rng(5), 200_000, PLACE["v1"] / 3

    def variance(t: float) -> float:
        return 0.3 * math.exp(-2 * t) + 1 - math.exp(-2 * t)

    x = rng.normal(size=n) * math.sqrt(variance(3 * h))
    exact = x * math.sqrt(0.3 / variance(3 * h))
    for k in (3, 2, 1):
        a = rng.random(n)
        z = np.exp(a * h) * x + np.expm1(a * h) * (0.3 - x / variance(k * h))
        spread = 0.3 * np.exp(-2 * (k - a) * h) + 1 - np.exp(-2 * (k - a) * h)
        x = math.exp(h) * x + h * np.exp((1 - a) * h) * (0.3 - z / spread)
    squares = (x - exact) ** 2
    error = 4 * squares.std() / math.sqrt(n)
    assert gap("coupled_gap") ** 2 == pytest.approx(squares.mean(), abs=error)
    moments = x.mean() ** 2 + (x.std() - math.sqrt(0.3)) ** 2
    assert gap("moment_gap") ** 2 == pytest.approx(moments, abs=4 * 0.6 * math.sqrt(moments / n))


def test_one_step_on_the_standard_gaussian() -> None:
    """There z = x on the first stage, and A(a) = e^h - h e^{(1-a) h} has mean one and a variance by hand."""
    spread = (math.exp(2) - 1) / 2 - (math.e - 1) ** 2  # h = 1: E e^{2(1-a)} less the squared mean
    assert gap("coupled_gap", N=1, v1=1.0, offset=0.0) == pytest.approx(math.sqrt(spread), rel=1e-12)


def test_the_error_grows_with_the_root_of_the_dimension() -> None:
    one = gap("coupled_gap", offset=0.0)
    assert gap("coupled_gap", offset=0.0, d=10**6) == pytest.approx(1000 * one, rel=1e-12)


def test_in_high_dimension_the_distance_is_the_coupled_one() -> None:
    """W2 is at least that of the lengths, whose means and deviations are known: a share that tends to one."""
    shares = []
    for d in (1, 100, 10**6):
        coupled = gap("coupled_gap", d=d, offset=0.0, N=3)
        second = coupled**2 / (0.3 * d)  # E (A/exact - 1)^2
        first = _first_moment(coupled, gap("moment_gap", d=d, offset=0.0, N=3), d)
        log_mean = math.lgamma((d + 1) / 2) - math.lgamma(d / 2) + 0.5 * math.log(2 / d)
        mean = math.exp(log_mean)  # of the length over sqrt d
        deviation = math.sqrt(1 - mean**2)
        square = 1 + 2 * first + second
        apart = (first * mean) ** 2 + (math.sqrt(square - (mean * (1 + first)) ** 2) - deviation) ** 2
        shares.append(math.sqrt(apart / second))
    assert shares[0] < 0.5
    assert shares == sorted(shares)
    assert shares[2] > 0.9


def _first_moment(coupled: float, moments: float, d: int) -> float:
    """E (A/exact - 1) from its second moment and sqrt(E (A/exact)^2) - 1, which the scheme makes negative."""
    stretch = moments / math.sqrt(0.3 * d)
    second = coupled**2 / (0.3 * d)
    candidates = [((1 + s) ** 2 - 1 - second) / 2 for s in (stretch, -stretch)]
    return min(candidates, key=abs)


@pytest.mark.parametrize(
    ("N", "known"), [(50, 0.295), (100, 0.199), (200, 0.130), (400, 0.082), (800, 0.051)]
)
def test_atoms_on_the_schedule(N: int, known: float) -> None:
    """Values to the digits that they are known to; N TV/log^2 N falls from .965 to .904."""
    value = SCHEDULE_ATOMS.value("atoms_tv", {**ATOMS, "N": N})
    assert float(value.mid) == pytest.approx(known, abs=6e-4)
    assert float(value.width) < 1e-8
    assert 0.904 < N * float(value.mid) / math.log(N) ** 2 < 0.966


def test_one_atom_is_the_gaussian_model() -> None:
    """Two atoms at one place are a Dirac, for which the sampler is affine."""
    place = {"N": 40, "rate0": 1.5, "rate1": 5.0, "m1": 0.7}
    atoms = SCHEDULE_ATOMS.value("atoms_tv", {**place, "m2": 0.7, "w": 0.4})
    dirac = MODELS["noise-schedule"].value("flow_tv", {**place, "v1": 0.0, "d": 1, "offset": 0.0})
    assert float(atoms.lo) <= float(dirac.hi)
    assert float(dirac.lo) <= float(atoms.hi)


def test_atoms_are_symmetric() -> None:
    """Reflection leaves TV and W1 as they are, and so does the order of the atoms."""
    place = {"m1": -1.0, "m2": 1.5, "w": 0.3}
    for flipped in ({"m1": 1.0, "m2": -1.5, "w": 0.3}, {"m1": 1.5, "m2": -1.0, "w": 0.7}):
        for model, name, rest in (
            (SCHEDULE_ATOMS, "atoms_tv", {"N": 30, "rate0": 1.0, "rate1": 4.0}),
            (STOPPED_ATOMS, "stopped_w1", {"lag": 0.3}),
        ):
            one, two = (float(model.value(name, {**rest, **p}).mid) for p in (place, flipped))
            assert one == pytest.approx(two, rel=1e-10)


@pytest.mark.parametrize("lag", [0.02, 0.5, 2.0])
def test_w1_of_a_noised_dirac(lag: float) -> None:
    """E|s Z - (1 - e^{-t}) m| in closed form."""
    sigma, drift = math.sqrt(1 - math.exp(-2 * lag)), (1 - math.exp(-lag)) * 2.0
    known = sigma * math.sqrt(2 / math.pi) * math.exp(-(drift**2) / (2 * sigma**2))
    known += drift * math.erf(drift / (sigma * math.sqrt(2)))
    value = STOPPED_ATOMS.value("stopped_w1", {"lag": lag, "w": 0.3, "m1": 2.0, "m2": 2.0})
    assert float(value.mid) == pytest.approx(known, rel=1e-12)


def test_bad_parameters_are_refused() -> None:
    for model, name, place in (
        (SCHEDULE_ATOMS, "atoms_tv", {**ATOMS, "N": 20, "rate1": 8.0}),
        (SCHEDULE_ATOMS, "atoms_tv", {**ATOMS, "N": 20, "w": 1.0}),
        (STOPPED_ATOMS, "stopped_w1", {"lag": 1.0, "w": 0.0, "m1": 0.0, "m2": 1.0}),
        (MIDPOINT, "coupled_gap", {**PLACE, "v1": 0.0}),
    ):
        with pytest.raises(InputError, match="parameters"):
            model.value(name, place)
