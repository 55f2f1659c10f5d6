"""Models of samplers: two roads to every quantity, numbers known by hand, and constraints that are kept."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bounds.models import MODELS as VOCABULARY
from bounds.models import Parameter
from simulators.errors import InputError
from simulators.models import MODELS
from simulators.models.convergence import MODELS as OWN
from simulators.models.noised_flow import grid_down

PLACE = {"rate0": 2.0, "rate1": 4.0, "d": 1, "m1": 0.5, "v1": 0.2, "offset": 0.0}


def drawn(entry: Parameter, rng: np.random.Generator) -> float:
    """A value in the parameter's range."""
    if entry.scale == "linear":
        return float(rng.uniform(entry.low, entry.high))
    size = math.exp(rng.uniform(math.log(entry.low), math.log(min(entry.high, 400))))
    if entry.scale == "integer":
        return float(round(size))
    return float(size * (rng.choice([-1, 1]) if entry.scale == "signed" else 1))


def value(name: str, quantity: str, **parameters: float) -> float:
    """The middle of a model's enclosure."""
    return float(MODELS[name].value(quantity, parameters).mid)


@pytest.mark.parametrize(("name", "quantity"), [(n, q) for n, m in OWN.items() for q in m.quantities])
def test_two_roads_agree(name: str, quantity: str) -> None:
    """The enclosure holds the number of the second road, up to the rounding of that to a float."""
    rng = np.random.default_rng([len(name), len(quantity)])
    done = 0
    while done < 3:
        place = {entry.name: drawn(entry, rng) for entry in VOCABULARY[name].parameters}
        if not MODELS[name].admits(place):
            continue
        first, second = MODELS[name].value(quantity, place), float(MODELS[name].second(quantity, place))
        slack = 4e-16 * abs(second)
        assert first.lo - slack <= second <= first.hi + slack
        asked = 1e-12 if quantity in MODELS[name].balls else 1e-4  # quadrature knows h^{3/2} to fewer digits
        assert first.hi - first.lo <= asked * abs(second) + 1e-180
        done += 1


def test_vocabulary_and_numerics_name_the_same_quantities() -> None:
    for name, numerics in OWN.items():
        assert set(numerics.quantities) == {q.name for q in VOCABULARY[name].quantities}


@pytest.mark.parametrize(("N", "tv"), [(50, 0.0457559), (100, 0.0267803), (800, 0.00488456)])
def test_stochastic_sampler_on_a_gaussian(N: int, tv: float) -> None:
    """TV on N(1/2, 1/5) with c0 = 2, c1 = 4; T TV/log T tends to .585."""
    found = value("noise-schedule", "sde_tv", N=N, **PLACE)
    assert found == pytest.approx(tv, rel=1e-5)
    assert found * N / math.log(N) == pytest.approx(0.583, abs=0.003)


def test_a_hand_made_chain_has_the_same_law() -> None:
    """Plain floats, the scheme as printed, step by step."""
    N, c0, c1 = 60, 1.5, 5.0
    rate = c1 * math.log(N) / N
    beta = [N**-c0] + [rate * min(N**-c0 * (1 + rate) ** t, 1) for t in range(1, N)]
    kept = np.cumprod(1 - np.array(beta))
    mean, var = 0.0, 1.0
    for t in range(N - 1, 0, -1):
        spread = kept[t] * 0.7 + 1 - kept[t]
        share = beta[t] / spread
        drift = share * math.sqrt(kept[t]) * 1.2 + beta[t] * 0.1
        mean = ((1 - share) * mean + drift) / math.sqrt(1 - beta[t])
        var = ((1 - share) ** 2 * var + beta[t]) / (1 - beta[t])
    wanted, target = kept[0] * 0.7 + 1 - kept[0], math.sqrt(kept[0]) * 1.2
    kl = 0.5 * (wanted / var - 1 - math.log(wanted / var) + (target - mean) ** 2 / var)
    place = {"N": N, "rate0": c0, "rate1": c1, "d": 1, "m1": 1.2, "v1": 0.7, "offset": 0.1}
    assert value("noise-schedule", "sde_kl", **place) == pytest.approx(kl, rel=1e-9)
    assert value("noise-schedule", "adapted_kl", **place) != pytest.approx(kl, rel=1e-3)


def test_interpolant_reaches_twice_the_printed_bound() -> None:
    """KL over the display: 2 (1 - e^{-2 diff}) when both errors push the same way."""
    for diff, ratio in ((0.5, 1.2642), (1.0, 1.7293), (2.0, 1.9634), (5.0, 1.9999)):
        place = {"diff": diff, "offset": 1.0, "score_share": 1.0}
        kl, drift, score = (
            value("interpolant", q, **place) for q in ("interpolant_kl", "drift_error", "score_error")
        )
        assert kl / (drift / (4 * diff) + diff * score / 4) == pytest.approx(ratio, abs=1e-4)


def test_grid_down() -> None:
    times = grid_down(0.1, 2.0, 0.01)
    steps = -np.diff(times)
    assert steps == pytest.approx([0.1 * min(1, t) for t in times[:-1]])
    assert times[-2] > 0.01 >= times[-1]


def test_constraints() -> None:
    with pytest.raises(InputError, match="expected parameters that the model admits"):
        MODELS["noise-schedule"].value("sde_kl", {**PLACE, "rate1": 8.0, "N": 20})
    with pytest.raises(InputError, match="expected one of"):
        MODELS["multistep"].value("three_step_gap", {})
