"""Formulas as sums of monomials in positive parameters and in logarithms of monomials.

What orders of growth need of a formula: after maxima have been split into cases, it is a sum of monomials
c x_1^a_1 ... x_n^a_n l_1^p_1 ... with rational powers, each l_i = log(c x^v) a logarithm of a monomial. A
symbol s inside an exponential becomes the logarithm of the parameter exp(s), so that e^{-2s} is a power.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd, lcm

import sympy as sp

from bounds.errors import ClaimError
from bounds.frozen import FrozenMapping
from bounds.quantity import Quantity
from bounds.render import text

__all__ = ["Branch", "Logarithm", "Monomial", "branches", "collected", "expanded", "positive", "read"]

MOST_BRANCHES = 64
UNIT = sp.Integer(1)


@dataclass(frozen=True)
class Logarithm:
    """log(coefficient * prod x^power), with coprime integer powers."""

    powers: FrozenMapping[Fraction]
    coefficient: sp.Expr = UNIT

    @property
    def argument(self) -> Monomial:
        """What the logarithm is taken of."""
        return Monomial(self.coefficient, FrozenMapping(self.powers))

    @property
    def inverse(self) -> Logarithm:
        """The logarithm of the inverse."""
        flipped = FrozenMapping({name: -power for name, power in self.powers.items()})
        return Logarithm(flipped, 1 / self.coefficient)

    def __str__(self) -> str:
        inside = str(self.argument)
        return inside[4:-1] if inside.startswith("exp(") and inside.endswith(")") else f"log({inside})"


@dataclass(frozen=True)
class Monomial:
    """coefficient * prod x^power * prod l^power.

    coefficient : a positive number.   powers : of the parameters by name.   logs : of the logarithms.
    """

    coefficient: sp.Expr = UNIT
    powers: FrozenMapping[Fraction] = field(default_factory=FrozenMapping)
    logs: tuple[tuple[Logarithm, Fraction], ...] = ()

    def __mul__(self, other: Monomial) -> Monomial:
        powers = dict(self.powers)
        for name, power in other.powers.items():
            powers[name] = powers.get(name, Fraction(0)) + power
        logs = dict(self.logs)
        for log, power in other.logs:
            logs[log] = logs.get(log, Fraction(0)) + power
        return Monomial(
            self.coefficient * other.coefficient,
            FrozenMapping({name: power for name, power in sorted(powers.items()) if power}),
            tuple(
                (log, power) for log, power in sorted(logs.items(), key=lambda item: str(item[0])) if power
            ),
        )

    def power(self, exponent: Fraction) -> Monomial:
        """The monomial raised to a rational power."""
        return Monomial(
            self.coefficient ** sp.Rational(exponent.numerator, exponent.denominator),
            FrozenMapping({name: power * exponent for name, power in self.powers.items()}),
            tuple((log, power * exponent) for log, power in self.logs),
        )

    def without_logs(self) -> Monomial:
        """The monomial with its logarithms left out."""
        return Monomial(self.coefficient, self.powers)

    def __str__(self) -> str:
        powers = [*((str(name), power) for name, power in self.powers.items())]
        powers += [(str(log), power) for log, power in self.logs]
        above = [_power(base, power) for base, power in powers if power > 0 or base.startswith("exp(")]
        below = [_power(base, -power) for base, power in powers if power < 0 and not base.startswith("exp(")]
        number = [] if self.coefficient == 1 and above else [text(self.coefficient)]
        over = f"({'*'.join(below)})" if len(below) > 1 else "".join(below)
        return "*".join([*number, *above]) + (f"/{over}" if below else "")


def _power(base: str, power: Fraction) -> str:
    if power == 1:
        return base
    if base.startswith("exp("):
        return f"exp({'-' if power == -1 else f'{power}*'}{base[4:-1]})"
    return f"{base}^{power}" if power.denominator == 1 else f"{base}^({power})"


# -- reading -------------------------------------------------------------------------------------------------

Orient = Callable[[Logarithm], int]
Signed = list[tuple[int, Monomial]]


def expanded(expr: sp.Expr) -> sp.Expr:
    """The expression multiplied out; logarithms of products stay whole."""
    return sp.expand(expr, log=False)


def positive(exprs: Sequence[sp.Basic]) -> list[sp.Basic]:
    """The same expressions in positive symbols; s becomes log(exp(s)) if any of them has e to the power s."""
    inside = {s for expr in exprs for item in expr.atoms(sp.exp) for s in item.args[0].free_symbols}
    found = {s for expr in exprs for s in expr.free_symbols} | {
        quantity for expr in exprs for quantity in expr.atoms(Quantity)
    }
    names: dict[sp.Basic, sp.Expr] = {}
    for item in found:
        name = f"exp({item})" if item in inside else str(item)
        fresh = sp.Symbol(name, positive=True)
        names[item] = sp.log(fresh) if item in inside else fresh
    return [expr.xreplace(names).doit() if inside else expr.xreplace(names) for expr in exprs]


def read(expr: sp.Expr, orient: Orient, place: str = "formula") -> Signed:
    """The signed monomials of an expression without maxima.

    orient : 1 or -1 for a logarithm, so that the oriented one is not negative; it may raise.
    Raises ClaimError naming the part that is no sum of monomials, and the place.
    """
    return _Reader(orient, place).terms(expr)


def collected(monomials: Iterable[Monomial]) -> list[Monomial]:
    """The monomials with those that differ by their coefficients alone added up."""
    total: dict[Monomial, sp.Expr] = {}
    for monomial in monomials:
        bare = Monomial(sp.Integer(1), monomial.powers, monomial.logs)
        total[bare] = total.get(bare, sp.Integer(0)) + monomial.coefficient
    return [Monomial(number, bare.powers, bare.logs) for bare, number in total.items()]


class _Reader:
    def __init__(self, orient: Orient, place: str) -> None:
        self.orient, self.place = orient, place

    def fail(self, expr: sp.Basic, expected: str) -> ClaimError:
        return ClaimError(self.place, text(expr), expected)

    def terms(self, expr: sp.Expr) -> Signed:
        if expr.is_number:
            return self._number(expr)
        match expr:
            case sp.Symbol():
                return [(1, Monomial(powers=FrozenMapping({expr.name: Fraction(1)})))]
            case sp.Add():
                return [term for arg in expr.args for term in self.terms(arg)]
            case sp.Mul():
                return self._product([self.terms(arg) for arg in expr.args])
            case sp.Pow():
                return self._power(expr)
            case sp.log():
                return self._logarithm(expr)
            case sp.Abs():
                inside = self.terms(expr.args[0])
                if all(sign > 0 for sign, _ in inside):
                    return inside
        raise self.fail(expr, "sums and products of powers, exp and log of parameters")

    def _number(self, expr: sp.Expr) -> Signed:
        if expr.is_zero:
            return []
        if not (expr.is_positive or expr.is_negative):
            raise self.fail(expr, "a real number")
        return [(1, Monomial(expr)) if expr.is_positive else (-1, Monomial(-expr))]

    def _product(self, factors: Sequence[Signed]) -> Signed:
        result: Signed = [(1, Monomial())]
        for factor in factors:
            result = [(s * t, m * n) for s, m in result for t, n in factor]
        return result

    def _power(self, expr: sp.Pow) -> Signed:
        base, exponent = self.terms(expr.base), expr.exp
        if not exponent.is_Rational:
            raise self.fail(expr, "a rational power")
        power = Fraction(int(exponent.p), int(exponent.q))
        if power.denominator == 1 and 0 <= power <= 12:
            return self._product([base] * int(power))
        if len(base) == 1 and (base[0][0] > 0 or power.denominator == 1):
            sign, monomial = base[0]
            return [(sign if power.numerator % 2 else 1, monomial.power(power))]
        if power > 0 and all(sign > 0 for sign, _ in base):
            return [(1, monomial.power(power)) for _, monomial in base]
        raise self.fail(expr, "a power of a sum of positive terms")

    def _logarithm(self, expr: sp.log) -> Signed:
        inside = self.terms(expr.args[0])
        if len(inside) != 1 or inside[0][0] < 0 or inside[0][1].logs:
            raise self.fail(expr, "the logarithm of one positive monomial without logarithms")
        monomial = inside[0][1]
        scale = _content(monomial.powers.values())
        root = sp.Rational(scale.denominator, scale.numerator)
        powers = FrozenMapping({name: power / scale for name, power in monomial.powers.items()})
        log = Logarithm(powers, monomial.coefficient**root)
        sign = self.orient(log)
        oriented = log if sign > 0 else log.inverse
        factor = sp.Rational(scale.numerator, scale.denominator)
        return [(sign, Monomial(factor, logs=((oriented, Fraction(1)),)))]


def _content(powers: Iterable[Fraction]) -> Fraction:
    """The largest rational of which all are integer multiples."""
    powers = list(powers)
    return Fraction(gcd(*(p.numerator for p in powers)), lcm(*(p.denominator for p in powers)))


# -- cases ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Branch:
    """One case of some expressions, without maxima.

    exprs : the expressions.   ordered : pairs (small, large) of the case: small <= large.
    apart : pairs (small, large) of which small/large must stay below a constant < 1.
    exact : whether nothing was changed by a constant factor (a sum by its largest term).
    """

    exprs: tuple[sp.Expr, ...]
    ordered: tuple[tuple[sp.Expr, sp.Expr], ...] = ()
    apart: tuple[tuple[sp.Expr, sp.Expr], ...] = ()
    exact: bool = True


def branches(exprs: Sequence[sp.Expr]) -> list[Branch]:
    """The cases into which maxima and minima split the expressions; sums below a fraction line, inside a
    logarithm or a maximum count as their largest term.

    Raises ClaimError if there are too many.
    """
    relaxed, apart = _Relaxed(), []
    changed = tuple(relaxed(expr) for expr in exprs)
    apart = list(dict.fromkeys(relaxed.apart))
    found = list(_split(Branch(changed, (), tuple(apart), changed == tuple(exprs))))
    if len(found) > MOST_BRANCHES:
        raise ClaimError("formula", len(found), f"maxima that split into at most {MOST_BRANCHES} cases")
    return found


class _Relaxed:
    """Replaces sums by maxima where only a single term can be handled."""

    def __init__(self) -> None:
        self.apart: list[tuple[sp.Expr, sp.Expr]] = []

    def __call__(self, expr: sp.Expr) -> sp.Expr:
        if not expr.args:
            return expr
        args = [self(arg) for arg in expr.args]
        if isinstance(expr, sp.Pow) and not (args[1].is_Integer and args[1] > 0):
            args[0] = self._largest(args[0])
        elif isinstance(expr, sp.log | sp.Min):
            args = [self._largest(arg) for arg in args]
        elif isinstance(expr, sp.Max):
            args = [term for arg in args for term in sp.Add.make_args(expanded(arg))]
        return expr.func(*args)

    def _largest(self, expr: sp.Expr) -> sp.Expr:
        terms = sp.Add.make_args(expanded(expr.args[0] if isinstance(expr, sp.Abs) else expr))
        if len(terms) == 1:
            return expr
        plus = [term for term in terms if not _minus(term)]
        minus = [-term for term in terms if _minus(term)]
        if minus and len(plus) != 1:
            raise ClaimError(
                "formula", text(expr), "at most one positive term in a difference that is divided by"
            )
        self.apart += [(small, plus[0]) for small in minus]
        return sp.Max(*plus)


def _minus(term: sp.Expr) -> bool:
    return bool(term.as_coeff_Mul()[0].is_negative)


def _split(branch: Branch) -> Iterator[Branch]:
    exprs = (*branch.exprs, *(side for pair in (*branch.ordered, *branch.apart) for side in pair))
    inner = sorted(
        (atom for expr in exprs for atom in expr.atoms(sp.Max, sp.Min) if not _nested(atom)), key=str
    )
    if not inner:
        yield branch
        return
    atom = inner[0]
    for winner in sorted(atom.args, key=str):
        others = [arg for arg in atom.args if arg != winner]
        larger = isinstance(atom, sp.Max)
        ordered = [(other, winner) if larger else (winner, other) for other in others]

        def chosen(expr: sp.Expr, winner: sp.Expr = winner) -> sp.Expr:
            return expr.xreplace({atom: winner})

        yield from _split(
            Branch(
                tuple(chosen(expr) for expr in branch.exprs),
                (*((chosen(a), chosen(b)) for a, b in branch.ordered), *ordered),
                tuple((chosen(a), chosen(b)) for a, b in branch.apart),
                branch.exact,
            )
        )


def _nested(atom: sp.Expr) -> bool:
    return any(arg.has(sp.Max, sp.Min) for arg in atom.args)
