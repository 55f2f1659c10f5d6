"""Two-dimensional recurrences in ball arithmetic, the error kept in a norm that the dynamics contracts."""

from __future__ import annotations

from collections.abc import Iterable
from math import hypot

from flint import arb

from simulators.laws.ball_tools import Pair, Triple

__all__ = ["KineticChain"]

Row = tuple[arb, arb, arb, arb, arb, arb, arb, float, arb, arb]
ONE = arb(1)
FOLD = 8  # steps between two collapses of the entries to their midpoints


class KineticChain:
    """Covariance and mean of (X - m, V) under underdamped Langevin steps, in the coordinates (x/sqrt S, v).

    Every few steps the entries become exact midpoints; one ball ``spread`` bounds the spectral norm of the
    error matrix and one, ``drift``, the Euclidean norm of the error of the mean, and both grow with the
    product of the norms of the step matrices. Entrywise balls alone would grow like the powers of |F|,
    although F is nearly a contraction.
    """

    def __init__(self, S: arb, mu: arb, v: arb, mean: arb, friction: arb) -> None:
        self.S, self.root, self.pull = S, S.sqrt(), mu / S
        self.inverse, self.inverse_root = ONE / S, ONE / self.root
        self.g, self.damp, self.relax = friction, -friction, ONE / friction
        self.cov: Triple = (v * self.inverse, arb(0), ONE)
        self.mean: Pair = (mean * self.inverse_root, arb(0))
        self.spread, self.drift = arb(0), arb(0)

    @property
    def position(self) -> Pair:
        """Variance and mean of the position."""
        wide, off = arb(0, self.spread), arb(0, self.drift)
        return (self.cov[0] + wide) * self.S, (self.mean[0] + off) * self.root

    def slopes(self, eta: arb) -> Pair:
        """Minus the slope of the score with the linear error eta, and S times the slope."""
        return self.inverse - eta, self.S * eta - ONE

    def row(self, h: arb, slopes: Pair) -> Row:
        """What a step of length h needs: the entries of F, the noise as 2b - c^2, g c^2 and 1 - e^{-2gh}
        before scaling, a bound of |F|, and the push of a constant score.
        """
        keep = (self.damp * h).exp()
        lost = ONE - keep
        c = lost * self.relax
        b = (h - c) * self.relax
        f12, square = c * self.inverse_root, c * c
        f11, f21 = ONE - b * slopes[0], f12 * slopes[1]
        qxx, qxv, qvv = (b + b - square) * self.inverse, f12 * lost, lost + lost * keep
        return f11, f12, f21, keep, qxx, qxv, qvv, _norm(f11, f12, f21, keep), b * self.inverse_root, c

    def run(self, rows: Iterable[tuple[Row, arb]]) -> None:
        """Steps with these rows and constant score errors."""
        (p, q, r), (x, v), base, gain, count = self.cov, self.mean, self.pull, 1.0, 0
        for (f11, f12, f21, f22, qxx, qxv, qvv, norm, kx, kv), fault in rows:
            u, w, y, z = f11 * p + f12 * q, f11 * q + f12 * r, f21 * p + f22 * q, f21 * q + f22 * r
            p, q, r = u * f11 + w * f12 + qxx, u * f21 + w * f22 + qxv, y * f21 + z * f22 + qvv
            pull = base + fault
            x, v = f11 * x + f12 * v + kx * pull, f21 * x + f22 * v + kv * pull
            gain, count = gain * norm, count + 1
            if count % FOLD == 0:
                (p, q, r), (x, v), gain = self._fold((p, q, r), (x, v), gain), (x.mid(), v.mid()), 1.0
        self.cov, self.mean = self._fold((p, q, r), (x, v), gain), (x.mid(), v.mid())

    def _fold(self, cov: Triple, mean: Pair, growth: float) -> Triple:
        """Midpoints of the covariance; radii go into the bounds, which have grown by the product of norms."""
        gain = arb(growth)
        xx, xv, vv = (entry.rad() for entry in cov)
        x, v = (entry.rad() for entry in mean)
        self.spread = (gain * gain * self.spread + xx + xv + xv + vv).upper()
        self.drift = (gain * self.drift + x + v).upper()
        return cov[0].mid(), cov[1].mid(), cov[2].mid()


def _norm(f11: arb, f12: arb, f21: arb, f22: arb) -> float:
    """An upper bound of the spectral norm |F| <= |mid F| + sum of radii, by floats with room for rounding.

    On 2x2 matrices it is half of the sum of the lengths of (f11 + f22, f12 - f21) and (f11 - f22, f12 + f21).
    """
    a, b, c, d = float(f11), float(f12), float(f21), float(f22)
    wide = float((f11 + f12 + f21 + f22).rad())
    return ((hypot(a + d, b - c) + hypot(a - d, b + c)) / 2 + wide) * (1 + 1e-12) + 1e-30
