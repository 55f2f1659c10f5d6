"""What a sampler is: exact coefficients of one step, as data.

A one-stage step from forward time tau to tau - h is x+ = A(h) x + B(h) s_tau(x) + sqrt(Q(h)) z. For the score
of N(mu, S) with R = S - 1 and S' = 1 + R e^{2h} its effect on variances is the identity

    (A - B/S)^2 S + Q - S' = (k2 R^2 + k1 R + k0) / S,
    k2 = c1,  k1 = 2 c1 + c0,  k0 = c1 + c0 + B^2,   c1 = A^2 - e^{2h},  c0 = Q - 1 + e^{2h} - 2 A B,

exact in rational coefficients, so that the local error is never a difference of rounded numbers of order one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from simulators.exppoly import E, ExpPoly, H

__all__ = ["Composite", "Continuous", "CriticallyDamped", "Forward", "Heun", "Kinetic", "OneStage", "Sampler"]


@dataclass(frozen=True)
class OneStage:
    """The step x+ = A x + B s(x) + sqrt(Q) z.

    reverse : True for a step of the reversed process, tau -> tau - h; False for a step at fixed forward time
              (Langevin).
    """

    name: str
    A: ExpPoly
    B: ExpPoly
    Q: ExpPoly
    reverse: bool = True

    @property
    def growth(self) -> ExpPoly:
        """e^h when the mean of the reference moves from tau to tau - h, else 1."""
        return E(1) if self.reverse else E(0)

    @cached_property
    def local(self) -> tuple[ExpPoly, ExpPoly, ExpPoly]:
        """(k0, k1, k2) of the module's identity; at fixed time S' = S replaces S' = 1 + R e^{2h}."""
        square = self.growth * self.growth
        c1 = self.A * self.A - square
        c0 = self.Q - 1 + square - 2 * self.A * self.B
        return c1 + c0 + self.B * self.B, 2 * c1 + c0, c1

    @cached_property
    def table(self) -> tuple[ExpPoly, ...]:
        """(A - 1, B, Q, k0, k1, k2, A - growth): the row of step coefficients that the kernels read."""
        return (self.A - 1, self.B, self.Q, *self.local, self.A - self.growth)


@dataclass(frozen=True)
class Heun:
    """Explicit trapezoid on x' = x + s_tau(x): two score evaluations, at tau and tau - h.

    With r = R/S, p = e^{2h} - 1, x = p r the slope is a = 1 + (h/2)(r + r' + h r r'), r' = e^{2h} r/(1 + x),
    and a^2 - (1 + x) = P(r)/(1 + x)^2 with P = sum P_i r^i, alpha = (h/2)(2 + p), beta = (h/2)(p + h + p h).
    """

    name: str

    @cached_property
    def table(self) -> tuple[ExpPoly, ...]:
        """(p, h/2, h, P1, P2, P3, P4, 1 + (h/2)(1 + e^h) - e^h, 1 + h - e^h, e^{2h})."""
        p = E(2) - 1
        alpha, beta = H * (2 + p) / 2, H * (p + H + p * H) / 2
        P1 = 2 * alpha - p
        P2 = (p + alpha) ** 2 + 2 * beta - 3 * p * p
        P3 = 2 * beta * (p + alpha) - p**3
        P4 = beta * beta
        return p, H / 2, H, P1, P2, P3, P4, 1 + H * (1 + E(1)) / 2 - E(1), 1 + H - E(1), E(2)


@dataclass(frozen=True)
class Kinetic:
    """Underdamped Langevin, dX = V dt, dV = -g V dt + s(X) dt + sqrt(2g) dB, the score frozen over a step and
    the rest exact.

    With x = g h: (X, V)+ = (X + c V + b s, e^{-x} V + c s) + noise, c = damped(x)/g, b = drift(x)/g^2. On
    N(mu, S) x N(0, 1), in the coordinates X/sqrt S, the deviation D of the covariance from the identity obeys
    D' = F D F^T + [beta, gamma]^T [beta, gamma],  F = [[1 - beta, gamma], [-gamma, e^{-x}]],  beta = b/S,
    gamma = c/sqrt S.
    """

    name: str
    reverse: bool = False

    @property
    def damped(self) -> ExpPoly:
        """The function 1 - e^{-x}."""
        return 1 - E(-1)

    @property
    def drift(self) -> ExpPoly:
        """The function x - 1 + e^{-x}."""
        return H - 1 + E(-1)

    @cached_property
    def table(self) -> tuple[ExpPoly, ...]:
        """(1 - e^{-x}, x - 1 + e^{-x}), to be divided by g and g^2."""
        return self.damped, self.drift


@dataclass(frozen=True)
class CriticallyDamped:
    """Critically damped Langevin diffusion: forward dX = V, dV = -(X + 2V) + 2 dB from q x gamma; reverse
    steps freeze the v-score.

    z+ = e^{Bh} z + 4 G s_v(z) + noise, B = [[0, -1], [1, 2]], e^{Bh} = e^h [[1 - h, -h], [h, 1 + h]], G the
    integral of e^{Bs} e_v, noise covariance 4 times the integral of e^{Bs} e_v e_v^T e^{B^T s}.
    """

    name: str

    @cached_property
    def flow(self) -> tuple[ExpPoly, ExpPoly, ExpPoly, ExpPoly]:
        """e^{Bh} as (xx, xv, vx, vv)."""
        return E(1) * (1 - H), -(E(1) * H), E(1) * H, E(1) * (1 + H)

    @cached_property
    def kick(self) -> tuple[ExpPoly, ExpPoly]:
        """G = (x, v)."""
        _, x, _, v = self.flow
        return x.integral(), v.integral()

    @cached_property
    def noise(self) -> tuple[ExpPoly, ExpPoly, ExpPoly]:
        """Noise covariance as (xx, xv, vv)."""
        _, x, _, v = self.flow
        return 4 * (x * x).integral(), 4 * (x * v).integral(), 4 * (v * v).integral()

    @cached_property
    def local(self) -> tuple[ExpPoly, ExpPoly, ExpPoly]:
        """2 noise - 4 (G g'^T + g' G^T) as (xx, xv, vv), g' = e^{Bh} e_v: the local error is this plus 16
        (Sigma^{-1})_vv G G^T.
        """
        _, x, _, v = self.flow
        (gx, gv), (qxx, qxv, qvv) = self.kick, self.noise
        return 2 * qxx - 8 * (gx * x), 2 * qxv - 4 * (gx * v + gv * x), 2 * qvv - 8 * (gv * v)

    @cached_property
    def table(self) -> tuple[ExpPoly, ...]:
        """(flow xx - 1, xv, vx, vv - 1; G x, v; local xx, xv, vv; noise xx, xv, vv)."""
        xx, xv, vx, vv = self.flow
        return xx - 1, xv, vx, vv - 1, *self.kick, *self.local, *self.noise


@dataclass(frozen=True)
class Composite:
    """Blocks of predictor steps along the grid, each block followed by a corrector at the forward time
    reached.

    predictor : a reverse one-stage sampler, one step a grid step.
    corrector : a sampler at fixed forward time; a kinetic corrector refreshes the velocity from N(0, 1) at
                the start of each block.
    """

    name: str
    predictor: OneStage
    corrector: OneStage | Kinetic


@dataclass(frozen=True)
class Forward:
    """No sampler: claims about the forward process or about one law."""

    name: str


@dataclass(frozen=True)
class Continuous:
    """A diffusion or flow without discretisation (`simulators.laws.continuous`); reverse is False where it
    stays at the target.
    """

    name: str
    reverse: bool = True


Sampler = OneStage | Heun | Kinetic | CriticallyDamped | Composite | Forward | Continuous
