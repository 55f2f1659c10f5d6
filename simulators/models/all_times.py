"""Numerics of learning the weight of two components from the scores at all times.

First road: components in float64, with the time integral in u = e^{-2t}. Second road: the signal-to-noise
ratio as the variable of integration, in extended precision, and the overlap of the components in mpmath.
"""

from __future__ import annotations

from collections.abc import Mapping

import mpmath as mp
import numpy as np

from simulators.enclosure import Enclosure
from simulators.models.energies import over_time
from simulators.models.extended import Extended, long_values, mean_of_lines, shares_of_time
from simulators.models.mixture import Channel, pair
from simulators.models.tools import Array, Number, Numerics, Values, mean_by_trapezoid

__all__ = ["MODELS"]


def _slope_in_weight(p: Values, law: Channel, x: Array) -> Array:
    """d/dw of the score: (c1 - c2)/A over (w e^{l/2} + (1 - w) e^{-l/2})^2, l the log-ratio of components."""
    (c1, c2), A = law.centres, law.spreads[0]
    half = (c1 - c2) * (x - (c1 + c2) / 2) / (2 * A)
    both = np.logaddexp(np.log(p.w) + half, np.log1p(-p.w) - half)
    return np.asarray((c1 - c2) / A * np.exp(-2 * both))


def _all_times(p: Values) -> Enclosure:
    """2 int_0^oo E|d S_t/dw|^2 dt, in u = e^{-2t}: dt = du/(2u); only the distance of the means counts."""
    half = (p.m1 - p.m2) / 2
    centred = Values(**{**vars(p), "m1": half, "m2": -half}, v2=p.v1)

    def law(gone: Array, left: Array) -> Channel:
        return pair(centred, gone**0.5, left)

    return over_time(law, lambda law, x: np.asarray((_slope_in_weight(p, law, x) / law.a) ** 2))


def _all_times_by_signal(p: Values) -> Number:
    """The same as an integral over the signal-to-noise ratio g = a^2 (m1 - m2)^2/A, in extended precision:
    of e^{-g/8} E(w e^{l/2} + (1 - w) e^{-l/2})^{-3}, l ~ N(0, g).
    """
    q = long_values(p)
    last = np.longdouble(min(float((p.m1 - p.m2) ** 2 / p.v1), 800.0)) if p.v1 > 0 else np.longdouble(800)
    shares, _, weights = shares_of_time()
    g = last * shares

    def value(z: Extended) -> Extended:
        half = np.sqrt(g) * z / 2
        both = np.logaddexp(np.log(q.w) + half, np.log1p(-q.w) - half)
        return np.asarray((weights * np.exp(-g / 8 - 3 * both)).sum(axis=0))

    return mp.mpf(float(last)) * mean_of_lines(value)


def _weight_information(p: Values) -> Enclosure:
    """E (p_1/p - p_2/p)^2 = E (2 T/(1 + (2w - 1) T))^2, T the tanh of half the log-ratio."""
    if p.v1 == 0:
        return Enclosure.around(1 / (p.w * (1 - p.w)), 4e-16 / (p.w * (1 - p.w)))
    zero = 0.0
    law = Channel([p.w, 1 - p.w], [p.m1, p.m2], [zero, zero], 1.0, p.v1)

    def squared(x: Array) -> Array:
        T = np.tanh((p.m1 - p.m2) * (x - (p.m1 + p.m2) / 2) / (2 * p.v1))
        return np.asarray((2 * T / (1 + (2 * p.w - 1) * T)) ** 2)

    return law.mean(squared)  # type: ignore[no-any-return]


def _weight_information_by_overlap(p: Values) -> Number:
    """(1 - int p_1 p_2/p)/(w (1 - w)), int p_1 p_2/p = e^{-g/8} E(..)^{-1}, g the squared gap over v."""
    if p.v1 == 0:
        return 1 / p.w + 1 / (1 - p.w)
    with mp.extraprec(60):
        g = (p.m1 - p.m2) ** 2 / p.v1

        def overlap(ratio: Number) -> Number:
            return 1 / (p.w * mp.exp(ratio / 2) + (1 - p.w) * mp.exp(-ratio / 2))

        return (1 - mp.exp(-g / 8) * mean_by_trapezoid(overlap, mp.mpf(0), g)) / (p.w * (1 - p.w))


ALL_TIMES = Numerics(
    integrals={"weight_information": _weight_information, "all_times_curvature": _all_times},
    other={
        "weight_information": _weight_information_by_overlap,
        "all_times_curvature": _all_times_by_signal,
    },
    admits=lambda p: p["m1"] != p["m2"],
)


MODELS: Mapping[str, Numerics] = {"all-times": ALL_TIMES}
