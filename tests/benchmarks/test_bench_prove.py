"""Speed of interval proofs: box-steps, one box advanced one step of the recurrence.

No time is asserted. Each benchmark records ``box_steps_per_second`` and their ``ratio`` to intervals in plain
numpy (`Enclosure`) over the same steps.
"""

import time

import numpy as np
import pytest

from bounds.catalogue import CATALOGUE
from properties.proofs.forms import compiled_claim
from properties.proofs.laws import Table
from properties.proofs.search import Pieces
from properties.prove import prove
from simulators.enclosure import Enclosure

CLAIMS = {claim.key: claim for claim in CATALOGUE}
SIZE, N = 20_000, 100


def pieces():
    rng = np.random.default_rng(0)
    lo = {"lam": rng.uniform(0.3, 3, SIZE), "h": rng.uniform(0.01, 0.1, SIZE), "m": np.full(SIZE, -1.0)}
    ranges = {name: (low, low + 1e-3) for name, low in lo.items()}
    ranges |= {"c": (0, 0), "eta": (0, 0), "delta": (0, 0), "d": (1, 1)}
    ends = [
        [np.broadcast_to(float(x) if np.isscalar(x) else x, (SIZE,)) for x in pair]
        for pair in ranges.values()
    ]
    return Pieces(tuple(ranges), np.array(ends))


def plain_rate(steps=5):
    """Box-steps a second of the variance recurrence in `Enclosure` arithmetic."""
    boxes = pieces()
    table = Table({name: boxes.ends[i] for i, name in enumerate(boxes.names)}, None)
    R, h = table.of("lam") - 1.0, table.of("h")
    B, gap = 2.0 * h.expm1(), Enclosure.exact(np.zeros(SIZE))
    start = time.perf_counter()
    for k in range(steps, 0, -1):
        S, end = R * (-2.0 * k * h).exp() + 1.0, R * (-2.0 * (k - 1) * h).exp() + 1.0
        a = B * (0.5 - 1.0 / S) + 1.0
        gap = (a.power(2) * S * gap + 0.5 * B.power(2) * (2.0 / S - 1.0)) / end
    return steps * SIZE / (time.perf_counter() - start)


@pytest.mark.parametrize("key", ["explicit", "explicit-path"])
def test_recurrence(benchmark, key):
    problem = compiled_claim(CLAIMS[f"chen-2023-sampling/{key}"], frozenset({"lam", "h", "m"}), N)
    boxes = pieces()

    def run():
        table = boxes.table(problem)
        return table.deviation if key == "explicit" else table.path

    run()
    benchmark(run)
    start = time.perf_counter()
    run()
    rate = SIZE * N / (time.perf_counter() - start)
    benchmark.extra_info |= {"box_steps_per_second": rate, "ratio": rate / plain_rate()}


@pytest.mark.parametrize("count", [20, 200])
def test_whole_proof(benchmark, count):
    box = f"lam=0.25:4,m=-2:2,h=0.01:0.2,N={count}"
    proof = benchmark(prove, CLAIMS["chen-2023-sampling/explicit"], box)
    assert proof.word == "proved"
    benchmark.extra_info["boxes"] = proof.boxes
