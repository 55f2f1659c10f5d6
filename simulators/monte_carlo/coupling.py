"""W2 from above: the true reverse process and a sampler, run together.

X runs through the grid times by the exact conditional laws of the forward process reversed, Y is the
sampler; both use the same noise (`simulators.monte_carlo.coupling_kernel`), so that W2(q_delta, output)^2 <=
E|X - Y|^2. The mean is bounded on a truncated scale, with the tail from exponential moments of X and Y.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from simulators.errors import NotDefined
from simulators.grids import Grid
from simulators.mixtures import Target, blocks
from simulators.monte_carlo.confidence import Tail, check_number, unbounded_mean
from simulators.monte_carlo.tails import best_tail, output_moment, square_forms
from simulators.particles.simulate import chain_of, key_of, tables_of
from simulators.samplers import SAMPLERS
from simulators.samplers.scheme import OneStage

__all__ = ["coupled_ends", "distance_tail", "w2_above"]

Array = NDArray[np.float64]


def w2_above(
    target: Target, sampler: str, grid: Grid, n: int, seed: int, rate: float, start: str = "gamma"
) -> float:
    """An upper bound of W2(q_delta, output), wrong with probability at most ``rate``; infinite where no tail
    bound is found.

    sampler : "ddpm-ei", "ddpm-em" or "cds-ei"; others raise NotDefined.
    """
    check_number(n)
    tail = distance_tail(target, sampler, grid, start)
    if tail is None:
        return float("inf")
    x, y = coupled_ends(target, sampler, grid, n + max(n // 4, 100), seed, start)
    squares = np.sum((x - y) ** 2, axis=1)
    pilot, test = squares[n:], squares[:n]
    finite = pilot[np.isfinite(pilot)]
    cap = 2.0 * float(finite.max(initial=tail.smallest_cap)) + 1e-12
    return sqrt(unbounded_mean(test, cap, tail, rate)[1])


def coupled_ends(
    target: Target, sampler: str, grid: Grid, n: int, seed: int, start: str = "gamma"
) -> tuple[Array, Array]:
    """Independent coupled ends (X, Y) of q_delta and of the output, n of them, (n, d) each; X is infinite
    where the coupling gave up.
    """
    from simulators.monte_carlo.coupling_kernel import couple

    scheme = SAMPLERS.get(sampler)
    if not (isinstance(scheme, OneStage) and scheme.reverse and scheme.Q.terms):
        raise NotDefined(f"sampler={sampler!r}: expected one of ddpm-ei, ddpm-em, cds-ei, which have noise")
    steps, _, _ = chain_of(sampler, grid, 0.0)
    key, parts = key_of(seed), []
    for index, block in enumerate(blocks(target)):
        tables = tables_of(block, grid.times)
        parts.append(np.empty((2, block.dimension, n)))
        couple(key, index, steps, *tables, start == "q_T", parts[-1])
    x, y = np.concatenate(parts, axis=1)
    return np.ascontiguousarray(x.T), np.ascontiguousarray(y.T)


def distance_tail(target: Target, sampler: str, grid: Grid, start: str = "gamma") -> Tail | None:
    """A tail of |X - Y|^2 <= 2|X|^2 + 2|Y|^2 that holds for every coupling."""
    output = output_moment(target, sampler, grid, start)
    forms = [square_forms(block, grid.delta) for block in blocks(target)]

    def moment(lam: float) -> float:
        own = sum(float(form.log_moment(np.array([4 * lam]))[0]) for form in forms)
        return 0.5 * (own + output(4 * lam))

    widest = max(1.0, *(float(form.variances.max()) for form in forms))
    return best_tail(moment, 0.25 * 0.5 / widest)
