"""Measured orders: exponents of exact errors over three decades and more, with their intervals.

The exponents are slopes between neighbouring sizes, without noise since every value is exact; the interval
of the last decade must hold the order within the stated distance, which is that of the first correction (a
relative change of order 1/N, or the logarithms of a schedule).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from properties.cases import Case
from simulators.models import MODELS
from simulators.targets import Gaussian

STEPS = (10, 30, 100, 300, 1000, 3000, 10000)
STANDARD = Gaussian.isotropic(1, variance=0.3, mean=0.5)


def number(case: Case, formula: str) -> float:
    """The middle of the enclosure of a formula on a case."""
    return float(np.asarray(case.measure(formula).mid).item())


def last_slopes(sizes: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Least and largest slope of the logarithms between neighbours over the last three sizes."""
    slopes = (np.diff(np.log(values)) / np.diff(np.log(sizes)))[-2:]
    return float(slopes.min()), float(slopes.max())


def model(name: str, quantity: str, **parameters: float) -> float:
    """The middle of a model's enclosure."""
    return float(MODELS[name].value(quantity, parameters).mid)


@pytest.mark.parametrize(
    ("sampler", "formula", "order"),
    [
        ("ddpm-ei", "KL(target, output)", -2.0),
        ("ddpm-ei", "PathKL(target, output)", -1.0),
        ("pf-ei", "W2(target, output)", -1.0),
        ("pf-heun", "W2(target, output)", -2.0),
    ],
)
def test_orders_in_the_number_of_steps(sampler: str, formula: str, order: float) -> None:
    """From q_T on N(1/2, 0.3), T = 3: the path KL is an order behind the marginal KL."""
    cases = [Case(STANDARD, clock="unit", sampler=sampler, T=3, N=n, start="q_T") for n in STEPS]
    low, high = last_slopes(STEPS, [number(case, formula) for case in cases])
    assert low == pytest.approx(order, abs=0.004)
    assert high == pytest.approx(order, abs=0.004)


def test_the_noised_flow_is_of_order_minus_two() -> None:
    """KL of the flow with a forward step against the number K of steps, over three decades of K."""
    sizes, values = [], []
    for ratio in (0.5, 0.2, 0.05, 0.02, 0.005, 0.002, 0.0005):
        place = {"ratio": ratio, "T": 12.0, "t_end": 1e-3, "d": 1, "m1": 0.0, "v1": 0.2, "offset": 0.0}
        sizes.append(model("noised-flow", "grid_steps", **place))
        values.append(model("noised-flow", "noised_kl", **place))
    assert sizes[-1] / sizes[0] > 900
    low, high = last_slopes(sizes, values)
    assert low == pytest.approx(-2.0, abs=0.02)
    assert high == pytest.approx(-2.0, abs=0.02)


def test_adapted_coefficients_are_exact_on_a_dirac_and_the_first_ones_degrade() -> None:
    """KL per dimension of the first coefficients is (c log N/N)^2 up to a constant; that of the adapted
    ones is zero.
    """
    for d in (1, 10, 1000, 100000):
        place = {"rate0": 2.0, "rate1": 4.0, "d": d, "m1": 1.0, "v1": 0.0, "offset": 0.0}
        scaled = []
        for N in (40, 400, 4000, 40000) if d == 1 else (40, 400):
            assert model("noise-schedule", "adapted_kl_own", N=N, **place) < 1e-100
            scaled.append(model("noise-schedule", "sde_kl_own", N=N, **place) / d * (N / np.log(N)) ** 2)
        assert 3.5 < min(scaled) < max(scaled) < 4.1  # 4 = c1^2/4 is the limit


def test_the_predictor_lemma_is_tight_in_the_step_and_the_constant() -> None:
    """W2 of a block of length 1/L of the frozen-score flow on N(0, 1/L): (1/6) sqrt(L) h for large L."""
    steps = (10, 100, 1000, 10000)
    for L in (1e1, 1e2, 1e3, 1e4):
        target = Gaussian.isotropic(1, variance=1 / L)
        cases = [Case(target, clock="unit", sampler="pf-ei", T=1 / L, N=n, start="q_T") for n in steps]
        ratios = [
            number(case, "W2(target, output)") * n * np.sqrt(L) for n, case in zip(steps, cases, strict=True)
        ]
        assert ratios == pytest.approx([1 / 6] * 4, rel=0.08 if L < 50 else 0.008)


def test_the_corrector_lemma_is_tight_in_the_step_and_the_distance() -> None:
    """One block of underdamped Langevin on N(0, 1/L): TV is .01956 sqrt(L) h, plus .2935 sqrt(L) W2, for
    every L.
    """
    steps = (3, 30, 300, 3000)
    for L in (1.0, 1e3, 1e6):
        target, options = Gaussian.isotropic(1, variance=1 / L), {"friction": 2 * L**0.5}
        times = {"clock": "unit", "sampler": "ulmc", "T": L**-0.5, "parameters": options}
        biases = [number(Case(target, N=n, start=target, **times), "TV(output, target)") * n for n in steps]
        assert biases == pytest.approx([0.01956] * 4, rel=0.07)
        for shift in (1e-2, 1e-1):
            start = Gaussian.isotropic(1, variance=1 / L, mean=shift / L**0.5)
            value = number(Case(target, N=3000, start=start, **times), "TV(output, target)")
            assert value / shift == pytest.approx(0.2935, rel=0.003)


def test_multistep_orders() -> None:
    """W2 of the two-step scheme is of order -2 in N, of the one-step scheme -1, over three decades."""
    place = {"T": 3.0, "t_end": 0.02, "m1": 0.5, "v1": 0.3}
    steps = (20, 60, 200, 600, 2000, 6000, 20000)
    for quantity, order in (("two_step_gap", -2.0), ("one_step_gap", -1.0)):
        values = [model("multistep", quantity, N=n, **place) for n in steps]
        low, high = last_slopes(steps, values)
        assert low == pytest.approx(order, abs=0.006)
        assert high == pytest.approx(order, abs=0.006)


def test_a_wrong_order_is_seen() -> None:
    """The slopes of N^-1 log N over the same sizes are not within the distance that the orders are asked
    for.
    """
    low, high = last_slopes(STEPS, [np.log(n) / n for n in STEPS])
    assert abs(low + 1) > 0.1
    assert abs(high + 1) > 0.1
