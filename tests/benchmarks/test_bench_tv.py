"""Speed of the total variation beside the same contour integral in plain numpy."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.distances.contour import tv
from simulators.distances.relation import Relation


def spectrum(d, cases=1):
    rng = np.random.default_rng(d)
    rho, shift = np.expm1(0.1 * rng.normal(size=(cases, d))), 0.1 * rng.normal(size=(cases, d))
    return rho, shift


def numpy_tv(rho, shift, step=0.1, reach=45.0):
    """One case by the trapezoidal rule on the vertical sinh contour through 1/2."""
    t = np.arange(0.0, reach, step)
    s, ds = 0.5 + 0.5j * np.sinh(t), 0.5j * np.cosh(t)
    u = (1.0 - s)[:, None]
    one = 1.0 + u * rho
    log_m = (0.5 * (u * np.log1p(rho) - np.log(one)) - s[:, None] * u * shift**2 / (2 * one)).sum(axis=1)
    weight = np.full_like(t, step)
    weight[0] *= 0.5
    with np.errstate(under="ignore"):
        return float(np.imag(-np.expm1(log_m) * ds / (s * (1.0 - s))) @ weight / np.pi)


@pytest.mark.parametrize("d", [3, 100, 1000])
def test_one_case_compiled(benchmark, d):
    rho, shift = spectrum(d)
    relation = Relation.lanes(rho, 0.0, shift**2, 2.0**-53 * shift**2, np.ones_like(rho))
    tv(relation)
    benchmark.group = f"total variation, {d} distinct eigenvalues"
    value = benchmark(tv, relation)
    assert value.mid[0] == pytest.approx(numpy_tv(rho[0], shift[0]), rel=1e-3)


@pytest.mark.parametrize("d", [3, 100, 1000])
def test_one_case_in_numpy(benchmark, d):
    rho, shift = spectrum(d)
    benchmark.group = f"total variation, {d} distinct eigenvalues"
    assert 0 < benchmark(numpy_tv, rho[0], shift[0]) < 1


def test_a_thousand_cases_on_the_line(benchmark):
    rho, shift = spectrum(1, 1000)
    relation = Relation.lanes(rho, 0.0, shift**2, 2.0**-53 * shift**2, np.ones_like(rho))
    tv(relation)
    benchmark.group = "total variation, 1000 cases in one dimension"
    assert np.all(benchmark(tv, relation).width < 1e-11)
