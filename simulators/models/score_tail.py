"""Numerics of the tail of the score of a noisy mixture on the line, P(s|S(X)| >= c).

First road: cells of the line are inside, outside or uncertain by the Lipschitz constant of the score;
uncertain ones are halved until they weigh nothing. Second road: roots of the score's equations, polished in
mpmath, between which the sign is asked for.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import mpmath as mp
import numpy as np

from simulators.enclosure import Enclosure
from simulators.models.mixture import Channel, pair
from simulators.models.tools import Array, Number, Numerics, Values, logarithm, root

__all__ = ["MODELS"]

CELLS = 256
HALVINGS = 46
SCAN = 4001


def _threshold(p: Values, *, flat: bool) -> Number:
    """sqrt(2 log(1/fail)), plus one unless flat: the square root of the dimension."""
    edge = root(-2 * logarithm(p.fail))
    return edge if flat else edge + 1


def _reach(p: Values, law: Channel, c: Number) -> tuple[Number, Number]:
    """An interval outside of which the slopes of both components exceed c/s in size, and have one sign."""
    pad = c * max(law.spreads) / p.s_t * (1 + 1e-9) + 1e-9
    return min(law.centres) - pad, max(law.centres) + pad


def _mass(law: Channel, low: Array, high: Array) -> float:
    """The probability of disjoint cells; beyond the centre from the upper tail, where it keeps its digits."""
    from scipy.special import ndtr

    total = 0.0
    for w, c, A in zip(law.weights, law.centres, law.spreads, strict=True):
        right = low > c
        ends = np.where(right, 2 * c - high, low), np.where(right, 2 * c - low, high)
        below = [ndtr((end - c) / np.sqrt(A)) for end in ends]
        total += w * float((below[1] - below[0]).sum())
    return total


def _tail(p: Values, *, flat: bool) -> Enclosure:
    """P(s|S(X)| >= c): one minus the mass of the cells inside, give or take the uncertain ones."""
    law, c = pair(p), _threshold(p, flat=flat)
    low, high = _reach(p, law, c)
    ends = np.array([low, high])
    outside = _mass(law, np.array([-np.inf]), ends[:1]) + _mass(law, ends[1:], np.array([np.inf]))
    variance = max(law.variances) + (law.means[0] - law.means[-1]) ** 2 / 4
    steep = max(1 / p.s_t**2, law.a**2 * variance / p.s_t**4) * p.s_t  # |s S'| by Tweedie's second formula
    edges = np.linspace(low, high, CELLS + 1)
    left, width = edges[:-1], (high - low) / CELLS
    for _ in range(HALVINGS):
        size = p.s_t * np.abs(law.score(left + width / 2))
        sure = size - c > steep * width / 2 * (1 + 1e-9) + 1e-13 * (1 + c)
        unsure = ~sure & (c - size <= steep * width / 2 * (1 + 1e-9) + 1e-13 * (1 + c))
        outside += _mass(law, left[sure], left[sure] + width)
        left = left[unsure]
        left, width = np.concatenate([left, left + width / 2]), width / 2
        if not left.size or _mass(law, left, left + width) <= 1e-14 * outside:
            break
    open_mass = _mass(law, left, left + width) if left.size else 0.0
    slack = 1e-13 * outside + 1e-300
    return Enclosure.between(
        outside - slack, outside + open_mass + slack, "bisection by a Lipschitz constant"
    )


def _tail_by_roots(p: Values, *, flat: bool) -> Number:
    """The same from the roots of s S = c and s S = -c, and the sign between them."""
    rough = Values(**{name: float(value) for name, value in vars(p).items()})
    law, near, c = pair(p), pair(rough), _threshold(p, flat=flat)
    low, high = _reach(rough, near, float(c))
    x = np.linspace(low, high, SCAN)
    cuts: list[Number] = []
    for level in (-c, c):
        gap = rough.s_t * near.score(x) - float(level)
        for i in np.flatnonzero(gap[:-1] * gap[1:] <= 0):
            ends = (mp.mpf(float(x[i])), mp.mpf(float(x[i + 1])))
            cuts.append(mp.findroot(_from_level(p, law, level), ends, solver="anderson", tol=mp.eps))
    cuts = [mp.ninf, *sorted(cuts), mp.inf]
    total = mp.mpf(0)
    for start, end in itertools.pairwise(cuts):
        inner = start + 1 if mp.isinf(end) else end - 1 if mp.isinf(start) else (start + end) / 2
        if p.s_t * abs(law.score(inner)) >= c:
            total += _mp_mass(law, start, end)
    return total


def _from_level(p: Values, law: Channel, level: Number) -> Callable[[Number], Number]:
    return lambda y: p.s_t * law.score(y) - level


def _mp_mass(law: Channel, start: Number, end: Number) -> Number:
    """The probability of an interval, by the complementary error function on the side of the tail."""
    total = mp.mpf(0)
    for w, c, A in zip(law.weights, law.centres, law.spreads, strict=True):
        low, high = (start - c) / mp.sqrt(2 * A), (end - c) / mp.sqrt(2 * A)
        low, high = (-high, -low) if low > 0 else (low, high)
        total += w * (mp.erfc(-high) - mp.erfc(-low)) / 2
    return total


SCORE_TAIL = Numerics(
    integrals={
        "score_tail": lambda p: _tail(p, flat=False),
        "score_tail_flat": lambda p: _tail(p, flat=True),
    },
    other={
        "score_tail": lambda p: _tail_by_roots(p, flat=False),
        "score_tail_flat": lambda p: _tail_by_roots(p, flat=True),
    },
)

MODELS: Mapping[str, Numerics] = {"score-tail": SCORE_TAIL}
