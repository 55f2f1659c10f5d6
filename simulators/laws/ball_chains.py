"""Two-dimensional recurrences in ball arithmetic, the error kept in a norm that the dynamics contracts."""

from __future__ import annotations

from fractions import Fraction

from flint import arb

from simulators.laws.ball_tools import Pair, to_arb

__all__ = ["KineticChain"]


class KineticChain:
    """Covariance and mean of (X - m, V) under underdamped Langevin steps, in the coordinates (x/sqrt S, v).

    Entries are exact midpoints; one ball ``spread`` bounds the spectral norm of the error matrix and one,
    ``drift``, the Euclidean norm of the error of the mean. Entrywise balls would grow like the powers of |F|,
    although F is nearly a contraction.
    """

    def __init__(self, S: arb, mu: arb, v: arb, mean: arb) -> None:
        self.S, self.mu, self.root = S, mu, S.sqrt()
        self.cov: list[arb] = [v / S, arb(0), arb(1)]
        self.mean: list[arb] = [mean / self.root, arb(0)]
        self.spread, self.drift = arb(0), arb(0)
        self._rows: dict[tuple[str, ...], tuple[arb, ...]] = {}

    @property
    def position(self) -> Pair:
        """Variance and mean of the position."""
        wide, off = _ball(self.spread), _ball(self.drift)
        return (self.cov[0] + wide) * self.S, (self.mean[0] + off) * self.root

    def step(self, h: Fraction, g: arb, c: arb, eta: arb) -> None:
        """One step with score error c + eta x."""
        key = (str(h), eta.str(40, radius=True))
        if key not in self._rows:
            self._rows[key] = self._row(h, g, eta)
        f11, f12, f21, f22, qxx, qxv, qvv, norm, kx, kv = self._rows[key]
        p, q, r = self.cov
        u, w = f11 * p + f12 * q, f11 * q + f12 * r
        y, z = f21 * p + f22 * q, f21 * q + f22 * r
        cov = [u * f11 + w * f12 + qxx, u * f21 + w * f22 + qxv, y * f21 + z * f22 + qvv]
        pull = self.mu / self.S + c
        x, v = self.mean
        mean = [f11 * x + f12 * v + kx * pull, f21 * x + f22 * v + kv * pull]
        self.spread = (norm * norm * self.spread + cov[0].rad() + 2 * cov[1].rad() + cov[2].rad()).upper()
        self.drift = (norm * self.drift + mean[0].rad() + mean[1].rad()).upper()
        self.cov, self.mean = [a.mid() for a in cov], [a.mid() for a in mean]

    def _row(self, h: Fraction, g: arb, eta: arb) -> tuple[arb, ...]:
        step = to_arb(h)
        keep = (-g * step).exp()
        c = (1 - keep) / g
        b = (step - c) / g
        rate = 1 / self.S - eta
        f11, f12, f21, f22 = 1 - b * rate, c / self.root, -c * self.root * rate, keep
        qvv = 1 - keep * keep
        qxv = g * c * c / self.root
        qxx = (2 / g * (step - 2 * c) + qvv / (g * g)) / self.S
        norm = (_hypot(f11 + f22, f12 - f21) + _hypot(f11 - f22, f12 + f21)) / 2
        return f11, f12, f21, f22, qxx, qxv, qvv, norm.upper(), b / self.root, c


def _hypot(a: arb, b: arb) -> arb:
    above, beside = a.abs_upper(), b.abs_upper()
    return (above * above + beside * beside).sqrt()


def _ball(radius: arb) -> arb:
    return arb(0, radius.upper())
