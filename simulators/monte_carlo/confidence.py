"""Confidence bounds that hold at every sample size, and the designs that say what they can see.

A *rate* is the probability that a one-sided bound is wrong. Shares of a set are bounded by Clopper and
Pearson (1934); means of bounded variables by the empirical Bernstein bound of Maurer and Pontil (2009),

    E Z <= mean + sqrt(2 V log(2/rate)/n) + 7 (b - a) log(2/rate)/(3(n - 1)),      V the sample variance;

means of unbounded Z >= 0 by the same bound on min(Z, cap) plus the excess E (Z - cap)+, which follows from a
`Tail`: on A = {Z > cap} Jensen's inequality gives E[Z | A] <= (offset + (log M - log P(A))/lam)^power, and
P(A) is bounded by Clopper and Pearson. A design gives the smallest violation that a bound notices with a
stated miss rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, expm1, isfinite, log, sqrt

import numpy as np
from numpy.typing import NDArray

from simulators.errors import InputError

__all__ = [
    "CLIP",
    "Tail",
    "check_number",
    "check_rate",
    "mean_above",
    "mean_below",
    "share_above",
    "share_below",
    "unbounded_mean",
    "visible_kl",
    "visible_mean",
    "visible_shares",
]

Array = NDArray[np.float64]
ROUNDING = 1e-12  # of the inverse beta function and of sums, relative
CLIP = 0.25  # largest log ratio of the laws that `visible_kl` speaks of
FEWEST = 100  # fewer samples say nothing at any useful rate


def check_rate(name: str, rate: float) -> float:
    """The rate, if it is a probability inside (0, 1)."""
    if not (isfinite(rate) and 0 < rate < 1):
        raise InputError(name, rate, "expected a probability inside (0, 1)")
    return float(rate)


def check_number(n: int, least: int = FEWEST) -> int:
    """The number of samples, if it is an integer and there are enough."""
    if isinstance(n, bool) or not isfinite(n) or int(n) != n or n < least:
        raise InputError("n", n, f"expected an integer >= {least}, a number of samples")
    return int(n)


# -- shares --------------------------------------------------------------------------------------------------


def share_below(successes: int, trials: int, rate: float) -> float:
    """A lower bound of P(A) from ``successes`` out of ``trials`` independent points in A."""
    from scipy.special import betaincinv

    _check_counts(successes, trials, rate)
    if successes == 0:
        return 0.0
    return float(betaincinv(successes, trials - successes + 1, rate)) * (1 - ROUNDING)


def share_above(successes: int, trials: int, rate: float) -> float:
    """An upper bound of P(A).

    >>> round(share_above(0, 100, 0.01), 4)
    0.045
    """
    _check_counts(successes, trials, rate)
    return min(1.0, 1.0 - share_below(trials - successes, trials, rate) * (1 - ROUNDING))


def visible_shares(trials: int, rate: float, miss: float) -> float:
    """The smallest P(A) - Q(A) that Clopper-Pearson bounds on ``trials`` points of each law, at ``rate`` in
    total, put above zero with probability >= 1 - miss whatever the shares.

    By Hoeffding's inequality and the widest case, shares about 1/2.

    >>> 0.005 < visible_shares(10**6, 1e-6, 0.1) < 0.01
    True
    """
    check_rate("rate", rate)
    check_rate("miss", miss)
    check_number(trials)
    slack = sqrt(log(2 / miss) / (2 * trials))
    middle = trials // 2
    width = max(
        k / trials - share_below(k, trials, rate / 2) for k in (middle, max(1, middle - 1), middle + 1)
    )
    return min(1.0, 2 * (width + slack + 1 / trials))


# -- means ---------------------------------------------------------------------------------------------------


def mean_below(values: Array, a: float, b: float, rate: float) -> float:
    """A lower bound of E Z from independent values in [a, b]."""
    mean, margin = _bernstein(values, a, b, rate)
    return max(a, mean - margin)


def mean_above(values: Array, a: float, b: float, rate: float) -> float:
    """An upper bound of E Z from independent values in [a, b]."""
    mean, margin = _bernstein(values, a, b, rate)
    return min(b, mean + margin)


def visible_mean(number: int, deviation: float, width: float, rate: float, miss: float) -> float:
    """The smallest E Z - c for which `mean_below` exceeds c with probability >= 1 - miss.

    deviation : standard deviation of Z.  width : b - a.
    Adds the margin at the largest likely sample deviation (Maurer and Pontil's Theorem 10) to Bernstein's
    fluctuation of the mean.
    """
    check_rate("rate", rate)
    check_rate("miss", miss)
    check_number(number)
    if not (isfinite(deviation) and deviation >= 0):
        raise InputError("deviation", deviation, "expected a finite standard deviation >= 0")
    if not (isfinite(width) and width > 0):
        raise InputError("width", width, "expected a finite range b - a > 0")
    need, slip = log(2 / rate), log(2 / miss)
    seen = deviation + width * sqrt(2 * slip / (number - 1))
    margin = seen * sqrt(2 * need / number) + 7 * width * need / (3 * (number - 1))
    return margin + deviation * sqrt(2 * slip / number) + width * slip / (3 * number)


def visible_kl(number: int, rate: float, miss: float, clip: float = CLIP) -> float:
    """The smallest KL(P||Q) that Donsker and Varadhan's bound on ``number`` points of each law puts above
    zero with probability >= 1 - miss, for f = log p/q known and within +-clip.

    With E_Q e^f = 1 and KL = E_Q phi(f), phi(f) = f e^f - e^f + 1: Var_P f <= 2 KL/(1 - clip/3), Var_Q e^f <=
    KL (e^clip - 1)^2/phi(clip), and log(1 + gap) <= gap.

    >>> 1e-5 < visible_kl(10**6, 1e-6, 0.1) < 1e-3
    True
    """
    phi = clip * exp(clip) - expm1(clip)
    low, high = 0.0, 1.0
    for _ in range(60):
        K = 0.5 * (low + high)
        gap = visible_mean(number, sqrt(2 * K / (1 - clip / 3)), 2 * clip, rate / 2, miss / 2)
        deviation = expm1(clip) * sqrt(K / phi)
        gap += visible_mean(number, deviation, exp(clip) - exp(-clip), rate / 2, miss / 2)
        low, high = (low, K) if gap < K else (K, high)
    return high


@dataclass(frozen=True)
class Tail:
    """Z <= (offset + G)^power with E e^{lam G} <= e^{log_moment}, lam > 0, power 1 or 2."""

    lam: float
    log_moment: float
    offset: float = 0.0
    power: int = 1

    def __post_init__(self) -> None:
        if not (self.lam > 0 and isfinite(self.lam)):
            raise InputError("lam", self.lam, "expected a finite rate > 0")
        if not (isfinite(self.log_moment) and isfinite(self.offset) and self.offset >= 0):
            raise InputError("log_moment", self.log_moment, "expected a finite moment and an offset >= 0")
        if self.power not in (1, 2):
            raise InputError("power", self.power, "expected 1 or 2")

    @property
    def smallest_cap(self) -> float:
        """The cap from which on z -> e^{lam z^{1/power}} is convex."""
        return 0.0 if self.power == 1 else self.lam**-2

    def level(self, probability: float) -> float:
        """A value that Z exceeds with at most this probability, and a bound of E[Z | A] when P(A) is it."""
        level = self.offset + (self.log_moment - log(probability)) / self.lam
        return float(max(level, self.offset) ** self.power)

    def excess(self, cap: float, probability: float = 1.0) -> float:
        """A bound of E (Z - cap)+ when P(Z > cap) <= probability."""
        if cap < self.smallest_cap:
            raise InputError("cap", cap, f"expected >= {self.smallest_cap!r}, where the tail is convex")
        top = cap + 1 / self.lam if self.power == 1 else 1 / self.lam + sqrt(self.lam**-2 + cap)
        worst = exp(min(0.0, self.log_moment - self.lam * (top - self.offset)))
        share = min(probability, worst)
        if share == 0.0:
            return 0.0
        return max(0.0, share * (self.level(share) - cap)) * (1 + ROUNDING)


def unbounded_mean(values: Array, cap: float, tail: Tail, rate: float) -> tuple[float, float]:
    """Bounds of E Z, Z >= 0, each wrong with probability at most ``rate``.

    cap : chosen without looking at the values; raised to where the tail is convex.
    """
    check_rate("rate", rate)
    kept = max(cap, tail.smallest_cap)
    low = mean_below(np.minimum(values, kept), 0.0, kept, rate)
    beyond = share_above(int(np.count_nonzero(values > kept)), len(values), rate / 4)
    high = mean_above(np.minimum(values, kept), 0.0, kept, 0.75 * rate) + tail.excess(kept, beyond)
    return low, high


def _bernstein(values: Array, a: float, b: float, rate: float) -> tuple[float, float]:
    z = np.asarray(values, dtype=np.float64)
    check_rate("rate", rate)
    if z.ndim != 1:
        raise InputError("values", z.shape, "expected one axis of independent values")
    check_number(z.size)
    if not (isfinite(a) and isfinite(b) and a < b):
        raise InputError("[a, b]", (a, b), "expected a finite range a < b")
    if not bool(np.all((z >= a) & (z <= b))):
        raise InputError("values", float(z[~((z >= a) & (z <= b))][0]), f"expected values in [{a!r}, {b!r}]")
    n, need = z.size, log(2 / rate)
    spread = float(z.var(ddof=1))
    margin = sqrt(2 * spread * need / n) + 7 * (b - a) * need / (3 * (n - 1))
    return float(z.mean()), margin + ROUNDING * max(abs(a), abs(b))


def _check_counts(successes: int, trials: int, rate: float) -> None:
    check_rate("rate", rate)
    if trials < 1:
        raise InputError("trials", trials, "expected at least one point")
    if not 0 <= successes <= trials:
        raise InputError("successes", successes, f"expected between 0 and {trials}")
