"""What is known of the published bounds, at 1,000 random points: who is below whom, and where that flips.

Every bound is written a second time, by hand, in numpy; the crossovers are solved for by hand too.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bounds.catalogue import CATALOGUE, find
from bounds.errors import ClaimError
from properties.atlas import atlas, table

Array = NDArray[np.float64]
POINTS = 1000
SAME = 1e-12  # two ways to write one formula in floats
CROSSED = 1e-9  # a crossing computed in floats from differences of terms

BENTON, LEE = "benton-2024/theorem-1-centred", "chen-lee-lu-2023/no-smoothness-corrected"
DDPM, DPUM = "chen-2023-sampling/theorem-2", "chen-2023-probability-flow/dpum"
FISHER, SMOOTH = "conforti-2023/finite-fisher", "chen-2023-sampling/explicit"


def _wide(rng: np.random.Generator, low: float, high: float) -> Array:
    return np.exp(rng.uniform(np.log(low), np.log(high), POINTS))


@pytest.fixture(scope="module")
def smooth() -> dict[str, Any]:
    """Random Gaussians N(m, lam I) and grids: constants that go together."""
    rng = np.random.default_rng(11)
    lam, d = _wide(rng, 1e-3, 1.0), np.rint(_wide(rng, 1.0, 1e6))
    m = np.sqrt(d) * _wide(rng, 1e-3, 10.0)
    L, h = np.maximum(1 / lam, 1.0), _wide(rng, 1e-8, 1.0) * lam
    KL0 = (d * (lam - 1 - np.log(lam)) + m**2) / 2
    FI0 = d * (1 - lam) ** 2 / lam + m**2
    T = _wide(rng, 1.0, 20.0)
    return {
        "d": d,
        "L": L,
        "M2": d * lam + m**2,
        "T": T,
        "h": h,
        "h_corr": h,
        "KL0": KL0,
        "FI0": FI0,
        "eps": 0.0,
    }


@pytest.fixture(scope="module")
def rough() -> dict[str, Any]:
    """Centred data of covariance I without a smooth score, on the grids of the papers."""
    rng = np.random.default_rng(12)
    d, T, delta, N = (
        _wide(rng, 1.0, 1e6),
        _wide(rng, 1.0, 20.0),
        _wide(rng, 1e-6, 0.2),
        _wide(rng, 1e3, 1e8),
    )
    kappa = np.minimum(2 * (T + np.log(1 / delta)) / N, 0.5)
    return {"d": d, "M2": d, "m0sq": 0.0, "T": T, "delta": delta, "N": N, "kappa": kappa, "eps": 0.0}


def _of(quantity: str, columns: dict[str, Any], *keys: str, **changes: Any) -> list[Array]:
    found = table([find(key) for key in keys], quantity, {**columns, **changes})
    return [found.values[found.keys.index(key)] for key in keys]


def test_a_thousand_points_of_the_catalogue_are_quick(smooth: dict[str, Any]) -> None:
    start = time.process_time()
    found = table(CATALOGUE, "TV", smooth)
    assert time.process_time() - start < 2.0  # measured: 0.2 s
    assert found.values.shape == (len(found.keys), POINTS)
    assert {DDPM, DPUM, FISHER, SMOOTH} <= set(found.keys)


def test_the_table_agrees_with_formulas_by_hand(smooth: dict[str, Any], rough: dict[str, Any]) -> None:
    d, L, M2, T, h, KL0, FI0 = (smooth[name] for name in ("d", "L", "M2", "T", "h", "KL0", "FI0"))
    ddpm, dpum = _of("TV", smooth, DDPM, DPUM)
    by_hand = np.sqrt(KL0) * np.exp(-T) + np.sqrt(T) * (L * np.sqrt(M2) * h + L * np.sqrt(d * h))
    assert ddpm == pytest.approx(by_hand, rel=SAME)
    by_hand = (np.sqrt(M2) + np.sqrt(d)) * np.exp(-T) + (L**2 + L**1.5) * T * np.sqrt(d) * h
    assert dpum == pytest.approx(by_hand, rel=SAME)
    fisher, exact = _of("KL", smooth, FISHER, SMOOTH)
    assert fisher == pytest.approx(KL0 * np.exp(-2 * T) + FI0 * h, rel=SAME)
    by_hand = KL0 * np.exp(-2 * T) + T * (d * L**2 * h + d * L * h**2 / 3)
    assert exact == pytest.approx(by_hand, rel=SAME)
    d, T, delta, N, kappa = (rough[name] for name in ("d", "T", "delta", "N", "kappa"))
    benton, lee = _of("KL", rough, BENTON, LEE)
    assert benton == pytest.approx(d * np.exp(-2 * T) + N * d * kappa**2 + T * d * kappa, rel=SAME)
    doubled = 2 * d * np.exp(-2 * T) + d**2 * (2 * T + np.log(1 / (2 * delta))) ** 2 / N  # the half clock
    assert lee == pytest.approx(doubled, rel=SAME)


def test_the_table_agrees_with_the_atlas_at_one_point(smooth: dict[str, Any]) -> None:
    at = {name: float(np.broadcast_to(column, (POINTS,))[7]) for name, column in smooth.items()}
    rows = {row.claim.key: row.value for row in atlas(CATALOGUE, "TV", at).rows}
    found = table(CATALOGUE, "TV", smooth)
    shared = [key for key in found.keys if key in rows]
    assert len(shared) >= 10
    for key in shared:
        assert found.values[found.keys.index(key)][7] == pytest.approx(rows[key], rel=SAME)


def test_benton_is_below_chen_lee_lu_in_the_dimension(rough: dict[str, Any]) -> None:
    T, delta, N, kappa = (rough[name] for name in ("T", "delta", "N", "kappa"))
    length = 2 * T + np.log(1 / (2 * delta))
    flip = N * (N * kappa**2 + T * kappa - np.exp(-2 * T)) / length**2  # both are d times something
    crossed = flip > 0
    assert np.mean(crossed) > 0.5
    at = np.where(crossed, flip, 1.0)
    benton, lee = _of("KL", rough, BENTON, LEE, d=at, M2=at)
    assert benton[crossed] == pytest.approx(lee[crossed], rel=CROSSED)
    for factor in (0.9, 1.1, 1e3):
        benton, lee = _of("KL", rough, BENTON, LEE, d=factor * at, M2=factor * at)
        assert np.all((benton < lee)[crossed] == (factor > 1))
    benton, lee = _of("KL", rough, BENTON, LEE)
    assert np.all(benton[~crossed] < lee[~crossed])
    assert np.all((benton < lee)[crossed] == (rough["d"] > flip)[crossed])
    assert np.all(flip < 10)  # so that ten dimensions are enough, whatever the grid


def _long(columns: dict[str, Any]) -> dict[str, Any]:
    """Horizons so far that the start counts for nothing beside the discretisation."""
    return {**columns, "T": 40.0 + columns["T"]}


def _flips(columns: dict[str, Any], fine: str, coarse: str, step: Array, rel: float) -> None:
    """The bounds are equal at the step; the first is smaller on finer steps, the second on coarser ones."""
    fits = (step * columns["L"] <= 0.4) & (step > 1e-9)  # within the assumptions, and above e^{-40}
    assert np.sum(fits) > 300
    step = np.where(fits, step, 1e-9)
    first, second = _of("TV", columns, fine, coarse, h=step, h_corr=step)
    assert first[fits] == pytest.approx(second[fits], rel=rel)
    for factor in (0.5, 0.99, 1.01, 2.0):
        first, second = _of("TV", columns, fine, coarse, h=factor * step, h_corr=factor * step)
        assert np.all((first < second)[fits] == (factor < 1))


def test_dpum_is_below_ddpm_in_the_dimension_and_the_accuracy(smooth: dict[str, Any]) -> None:
    far = _long(smooth)
    d, L, T = (far[name] for name in ("d", "L", "T"))
    far["M2"] = M2 = np.minimum(far["M2"], d)
    slope = (L**2 + L**1.5) * T * np.sqrt(d) - np.sqrt(T) * L * np.sqrt(M2)
    root = np.sqrt(T) * L * np.sqrt(d)  # slope h = root sqrt(h)
    _flips(far, DPUM, DDPM, (root / slope) ** 2, 1e-6)
    # steps to an accuracy, with M2 = d: below DDPM's from tol = r sqrt(d) down, so at a fixed tol from d up
    flip = (L**2 + L**1.5) * T * np.sqrt(d) / ((L + np.sqrt(L)) * np.sqrt(T) - 1) ** 2
    for tol, below in ((flip / 3, True), (flip * 3, False)):
        ours = (L**2 + L**1.5) * T**2 * np.sqrt(d) / tol
        theirs = T / _step_of_ddpm(L, T, d, tol)
        assert np.all((ours < theirs) == below)
        far = {**far, "M2": d}
        (dpum,) = _of("TV", far, DPUM, h=T / ours, h_corr=T / ours)
        (ddpm,) = _of("TV", far, DDPM, h=T / theirs)
        for found in (dpum, ddpm):
            met = np.isfinite(found)  # L h <= 1
            assert found[met] == pytest.approx(tol[met], rel=1e-4)


def _step_of_ddpm(L: Array, T: Array, d: Array, tol: Array) -> Array:
    """h with sqrt(T d) L (h + sqrt(h)) = tol."""
    size = tol / (np.sqrt(T * d) * L)
    return (2 * size / (1 + np.sqrt(1 + 4 * size))) ** 2


def test_conforti_against_both(smooth: dict[str, Any]) -> None:
    d, L, T, h, FI0 = (smooth[name] for name in ("d", "L", "T", "h", "FI0"))
    flip = T * (d * L**2 + d * L * h / 3)
    fisher, exact = _of("KL", smooth, FISHER, SMOOTH, FI0=flip)
    assert fisher == pytest.approx(exact, rel=CROSSED)
    fisher, exact = _of("KL", smooth, FISHER, SMOOTH)
    clear = np.abs(FI0 - flip) * h > CROSSED * exact
    assert np.all((fisher < exact)[clear] == (flip > FI0)[clear])
    centred = smooth["M2"] <= d  # there I0 <= J0 <= d L, and T, L >= 1
    assert np.sum(centred) > 100
    assert np.all(FI0[centred] <= flip[centred])
    # against DPUM, in TV: sqrt(h) against h, so Conforti et al. win on coarse steps and lose on fine ones
    far = _long(smooth)
    _flips(far, DPUM, FISHER, FI0 / 2 / ((L**2 + L**1.5) * far["T"] * np.sqrt(d)) ** 2, 1e-3)


def test_a_table_fills_in_what_others_determine() -> None:
    columns = {"d": 10.0, "L": 2.0, "T": np.array([2.0, 4.0]), "N": np.array([100.0, 100.0]), "KL0": 5.0}
    given = {**columns, "h": columns["T"] / 100}  # type: ignore[operator]
    claims = [find(SMOOTH)]
    assert np.array_equal(table(claims, "KL", columns).values, table(claims, "KL", given).values)
    with pytest.raises(ClaimError, match="nearest: 'kappa'"):
        table(claims, "KL", {**columns, "kapa": 1.0})
    with pytest.raises(ClaimError, match="a positive number"):
        table(claims, "KL", {**columns, "T": np.array([1.0, -1.0])})
