"""What a comparison of orders comes to: the decision, and its certificate or ray, as data that prints itself.

A certificate is checked by multiplying out; a ray by putting numbers in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction

import sympy as sp

from bounds.exponents import ZERO, rational
from bounds.frozen import FrozenMapping
from bounds.monomials import Monomial

__all__ = ["Certificate", "Decision", "Fact", "Ray", "exponent"]


@dataclass(frozen=True)
class Fact:
    """``monomial <= bound``, and why."""

    monomial: Monomial
    bound: sp.Expr
    why: str

    def __str__(self) -> str:
        plain = len(sp.sstr(self.bound)) < 12
        return (
            f"{self.monomial} <= {sp.sstr(self.bound) if plain else f'{float(self.bound):.4g}'} ({self.why})"
        )


@dataclass(frozen=True)
class Certificate:
    """term = prod bound^weight * prod fact^power, with weights that sum to one.

    Hence term <= constant * (sum of the bounds).
    """

    term: Monomial
    weights: tuple[tuple[Monomial, Fraction], ...]
    facts: tuple[tuple[Fact, Fraction], ...]

    @property
    def verified(self) -> bool:
        """Whether the powers multiply out exactly, and all exponents are as they must be."""
        product = Monomial()
        for monomial, power in (*self.weights, *((fact.monomial, power) for fact, power in self.facts)):
            product = product * monomial.power(power)
        exponents = [power for _, power in (*self.weights, *self.facts)]
        proportional = product.powers == self.term.powers and product.logs == self.term.logs
        return proportional and min(exponents, default=ZERO) >= 0 and sum(w for _, w in self.weights) == 1

    @property
    def constant(self) -> float:
        """A number C with term <= C * (sum of the bounds) wherever the facts hold."""
        return float(self.exact_constant.evalf(15))

    @property
    def exact_constant(self) -> sp.Expr:
        """The same number as a formula: term <= C * (weighted mean of the bounds)."""
        value = self.term.coefficient
        for monomial, power in self.weights:
            value /= monomial.coefficient ** rational(power)
        for fact, power in self.facts:
            value *= (fact.bound / fact.monomial.coefficient) ** rational(power)
        return value

    def __str__(self) -> str:
        means = " * ".join(f"({bound})" + exponent(weight) for bound, weight in self.weights)
        used = "".join(f"; {fact}{exponent(power)}" for fact, power in self.facts)
        return f"{self.term} <= {self.constant:.4g} * {means}{used}"


@dataclass(frozen=True)
class Ray:
    """x_i = base_i * s^power_i * (log s)^logs_i as s -> oo.

    growth : (p, q): what was asked about grows like s^p (log s)^q.
    """

    powers: FrozenMapping[Fraction]
    logs: FrozenMapping[Fraction]
    growth: tuple[Fraction, Fraction]
    base: FrozenMapping[float] = field(default_factory=FrozenMapping)

    def at(self, s: float) -> dict[str, float]:
        """The parameters at one s > 1; a symbol that stands in an exponential gets its own value."""
        import mpmath as mp

        values = {}
        for name, start in self.base.items():
            log = mp.log(start) + mp.mpf(float(self.powers.get(name, ZERO))) * mp.log(s)
            log += float(self.logs.get(name, ZERO)) * mp.log(mp.log(s))
            own = name.startswith("exp(")
            values[name[4:-1] if own else name] = float(log if own else mp.exp(log))
        return values

    def __str__(self) -> str:
        names = [name for name in self.base if self.powers.get(name, ZERO) or self.logs.get(name, ZERO)]
        moves = ", ".join(
            f"{name} ~ {_growth(self.powers.get(name, ZERO), self.logs.get(name, ZERO))}" for name in names
        )
        return f"{moves} as s -> oo" if moves else self.place

    @property
    def place(self) -> str:
        """The base point in words."""
        return ", ".join(f"{name} = {value:.4g}" for name, value in self.at(math.e).items())

    @property
    def driven(self) -> str:
        """How fast the ratio grows along the ray."""
        return _growth(*self.growth)


@dataclass(frozen=True)
class Decision:
    """Whether ``small <~ large``.

    holds        : True (with certificates), False (with a ray), or None where neither was found.
    certificates : one for each term of each case into which maxima split the question.
    ray          : along which small/large -> oo, or a logarithm loses its meaning.
    reason       : one clause.
    dropped      : logarithms left out by O~, with the largest power of each.
    exact        : whether the constants of the certificates are those of the formulas as given.
    """

    small: str
    large: str
    holds: bool | None
    reason: str
    certificates: tuple[Certificate, ...] = ()
    ray: Ray | None = None
    dropped: tuple[str, ...] = ()
    exact: bool = True

    @property
    def constant(self) -> float | None:
        """A constant C with small <= C large, the sum over the terms, if it is known."""
        if not (self.holds and self.exact) or self.dropped:
            return None
        return sum(certificate.constant for certificate in self.certificates)

    def __str__(self) -> str:
        sign = {True: "<~", False: "is not <~", None: "may not be <~"}[self.holds]
        lines = [f"{self.small} {sign} {self.large}: {self.reason}"]
        lines += [f"  {certificate}" for certificate in self.certificates]
        lines += [f"  up to {', '.join(self.dropped)}"] if self.dropped else []
        return "\n".join(lines)


def exponent(power: Fraction) -> str:
    """A power as it is printed after its base."""
    return "" if power == 1 else f"^{power}" if power.denominator == 1 else f"^({power})"


def _growth(power: Fraction, logs: Fraction) -> str:
    parts = [name + exponent(abs(value)) for name, value in (("s", power), ("log(s)", logs)) if value > 0]
    below = [name + exponent(abs(value)) for name, value in (("s", power), ("log(s)", logs)) if value < 0]
    return ("*".join(parts) or "1") + (f"/{'/'.join(below)}" if below else "")
