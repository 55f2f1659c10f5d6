"""Recursions over the steps in columns take many steps of many cases at once; balls walk them one by one."""

import numpy as np
import pytest

import lesssim as ls
from properties import evaluate as evaluating
from properties.assess import assess
from properties.cases import Case
from properties.exact import enclose
from properties.population import Population
from properties.space import space_of
from simulators.score_errors import AffineError

RECURSIONS = {
    "a sum": "Sum(step(k)*J_at(tau(k)), (k, 0, N - 1))",
    "a product": "Product(1 + step(k)*L, (k, 0, N - 1))",
    "the number of the step": "Iterate(x + k*step(k)**2, x, 0, k, N)",
    "linear": "Iterate(x*(1 - exp(-step(k))) + eps_at(k) + T, x, W2(q_T, gamma), k, N)",
    "no way to prepare": "Iterate(exp(-step(k)*x) - 1 + L_at(tau(k + 1))*x/(1 + x), x, 1, k, N)",
    "an integral over each step": "Iterate(x + Integral(J_at(s), (s, tau(k + 1), tau(k))), x, 0, k, N)",
}


def _cases():
    return [
        Case(
            ls.Gaussian(means=[m], eigenvalues=[v], multiplicities=[2]),
            clock="unit",
            sampler="ddpm-ei",
            T=T,
            N=N,
            error=AffineError((0.1,), (0.05,), "constant"),
            **grid,
        )
        for m, v, T, N, grid in (
            (0.3, 0.5, 0.25, 1, {}),
            (-1.0, 2.0, 1.5, 7, {}),
            (2.0, 0.1, 1.5, 7, {"grid": "geometric", "delta": 0.01}),
            (0.0, 3.0, 0.7, 30, {"delta": 0.1}),
        )
    ]


@pytest.mark.parametrize("name", RECURSIONS)
def test_columns_agree_with_balls(name, monkeypatch):
    claim = ls.Claim(
        key="note/recursion",
        lhs="KL(target, gamma)",
        terms={"all": RECURSIONS[name]},
        setup=ls.Setup(clock="unit", sampler="ddpm-ei", grid="any", score="estimated:time"),
    )
    cases = _cases()
    population = Population.of(cases, claim.setup, list(space_of(claim).parameters))
    columns = assess(claim, population).rhs
    sharp = 1e-5 if "Integral" in RECURSIONS[name] else 1e-9  # on a long step two Gauss rules tell so much
    for i, case in enumerate(cases):
        exact = enclose(claim.rhs, case)
        scale = max(1.0, abs(float(exact.mid)))
        assert columns.lo[i] - 1e-13 * scale <= exact.mid <= columns.hi[i] + 1e-13 * scale
        assert columns.width[i] < sharp * scale
    monkeypatch.setattr(evaluating, "AT_ONCE", 9)  # two steps of these cases, and a rest
    pieces = assess(claim, population).rhs
    assert np.array_equal(pieces.lo, columns.lo)
    assert np.array_equal(pieces.hi, columns.hi)
