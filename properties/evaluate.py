"""Formulas to numbers: one walk over a sympy expression, for float enclosures, balls and mpmath numbers
alike.

The arithmetic is chosen by the caller (`FLOATS`, `BALLS`, `DIGITS`); the environment maps symbols, quantities
and step functions to its numbers. Nothing is rewritten except exp(x) - 1, which is evaluated without
cancellation.
"""

from __future__ import annotations

import math
from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeGuard

import flint
import mpmath as mp
import numpy as np
import sympy as sp
from numpy.typing import NDArray
from sympy.core.function import AppliedUndef

from bounds.notation import NOTATION
from bounds.quantity import STEP, Iterate, Quantity
from simulators.enclosure import Enclosure
from simulators.errors import NotDefined

__all__ = ["BALLS", "COUNT", "DIGITS", "FLOATS", "Arithmetic", "advance", "evaluate"]

COUNT = sp.Symbol("count of steps")
"""The key under which an environment keeps the number of steps."""

DURATION = NOTATION["T"].symbol

AT_ONCE = 100_000
"""Of a recursion, steps of cases that are computed side by side."""

Number = Any
Array = NDArray[np.float64]
Environment = Mapping[sp.Basic, Number]


@dataclass(frozen=True)
class Arithmetic:
    """The operations of one kind of number beyond + - * /."""

    rational: Callable[[int, int], Number]
    exp: Callable[[Number], Number]
    expm1: Callable[[Number], Number]
    log: Callable[[Number], Number]
    sqrt: Callable[[Number], Number]
    power: Callable[[Number, Number], Number]
    integer_power: Callable[[Number, int], Number]
    largest: Callable[[Number, Number], Number]
    smallest: Callable[[Number, Number], Number]
    absolute: Callable[[Number], Number]
    pi: Callable[[], Number]
    integrate: Callable[[Callable[[Number], Number], Number, Number], Number]


@lru_cache(maxsize=1024)
def _float_rational(p: int, q: int) -> Enclosure:
    value = p / q
    if value * q == p and abs(p) < 2**53 and q < 2**53 and float(value).as_integer_ratio() == _lowest(p, q):
        return Enclosure.exact(value)
    return Enclosure(np.nextafter(value, -np.inf), np.nextafter(value, np.inf), "rational", "enclosed")


@lru_cache(maxsize=1)
def _double_exponential() -> tuple[Array, Array]:
    """Nodes in (0, 1), as distances from the nearer end with its sign, and weights of the tanh-sinh rule of
    step 1/16; every other one is a node of the rule of twice the step, with twice the weight.
    """
    t = np.arange(-54, 55) / 16
    inner = 0.5 * np.pi * np.sinh(t)
    near = 1.0 / (1.0 + np.exp(2.0 * np.abs(inner)))
    weights = np.pi / 32 * np.cosh(t) * 2.0 * near * (1.0 - near)
    return np.where(t <= 0, near, -near), weights


def _quadrature(function: Callable[[Enclosure], Enclosure], low: Enclosure, high: Enclosure) -> Enclosure:
    """Integral by two tanh-sinh rules, which do not mind singular ends; their difference bounds the error."""
    length = high - low
    nodes, weights = (_ahead(column, length) for column in _double_exponential())
    below, above = low + length * nodes, high + length * nodes
    points = Enclosure(
        np.where(nodes > 0, below.lo, above.lo), np.where(nodes > 0, below.hi, above.hi), low.method
    )
    values = function(points) * weights
    fine, coarse = _total(values) * length, _total(values[::2]) * length * 2.0
    spread = np.abs(coarse.mid - fine.mid) + 4e-16 * np.abs(fine.mid)
    return Enclosure(fine.lo - spread, fine.hi + spread, "tanh-sinh quadrature", "deterministic")


def _ahead(column: Array, value: Enclosure) -> Array:
    """The column along an axis before those of the enclosure."""
    return column.reshape(-1, *[1] * value.lo.ndim)


def _total(values: Enclosure) -> Enclosure:
    """The sums along the first axis, rounded once."""
    (low, below), (high, above) = _summed(values.lo), _summed(values.hi)
    return Enclosure(
        np.nextafter(low - below, -np.inf), np.nextafter(high + above, np.inf), values.method, values.level
    )


def _summed(values: Array) -> tuple[Array, Array]:
    """Sums along the first axis and bounds of what is missing: exact for one column, else with the rounding
    of each addition added up beside them (Knuth's two-sum), which leaves an error of second order.
    """
    if not np.isfinite(values).all():
        return values.sum(axis=0), np.zeros(values.shape[1:])
    if values.ndim == 1:
        return np.array(math.fsum(values)), np.zeros(())
    total, lost = np.zeros((2, *values.shape[1:]))
    for value in values:
        before = total
        total = before + value
        second = total - before
        lost += (before - (total - second)) + (value - second)
    unit = len(values) * 2.0**-53
    return total + lost, unit**2 * np.abs(values).sum(axis=0)


@lru_cache(maxsize=8)
def _legendre(order: int) -> tuple[Any, Any]:
    return np.polynomial.legendre.leggauss(order)


def _gauss_legendre(function: Callable[[Enclosure], Enclosure], low: Enclosure, high: Enclosure) -> Enclosure:
    """Integral of a smooth function by two Gauss-Legendre rules; ten times their gap bounds the error."""
    half, centre = (high - low) * 0.5, (high + low) * 0.5
    results = []
    for order in (8, 12):
        nodes, weights = (_ahead(column, half) for column in _legendre(order))
        results.append(_total(function(centre + half * nodes) * weights) * half)
    coarse, fine = results
    spread = 10 * np.abs(coarse.mid - fine.mid) + 4e-16 * np.abs(fine.mid)
    return Enclosure(fine.lo - spread, fine.hi + spread, "Gauss-Legendre quadrature", "deterministic")


def _lowest(p: int, q: int) -> tuple[int, int]:
    ratio = sp.Rational(p, q)
    return int(ratio.p), int(ratio.q)


FLOATS = Arithmetic(
    rational=_float_rational,
    exp=Enclosure.exp,
    expm1=Enclosure.expm1,
    log=Enclosure.log,
    sqrt=Enclosure.sqrt,
    power=lambda base, exponent: (exponent * base.log()).exp(),
    integer_power=lambda base, n: base.power(n),
    largest=lambda a, b: a.maximum(b),
    smallest=lambda a, b: a.minimum(b),
    absolute=Enclosure.absolute,
    pi=lambda: Enclosure(np.nextafter(np.pi, 0), np.nextafter(np.pi, 4), "pi", "enclosed"),
    integrate=_quadrature,
)
"""Outward-rounded float64 enclosures, elementwise over cases."""


Ball = flint.arb | flint.acb
"""A real ball, or within an integrand a complex one: see `_ball_integral`."""

NOWHERE = flint.acb("nan")


def _ball_integral(function: Callable[[Number], Number], low: flint.arb, high: flint.arb) -> flint.arb:
    """Rigorous integral by `acb.integral`, which bounds the integrand over complex balls around the path.

    A function with cuts or corners answers NaN there unless one analytic branch holds all over the ball. On
    the real axis it answers with the real function, which is all that is asked where ``analytic`` is false.
    """

    def integrand(z: flint.acb, analytic: bool) -> flint.acb:
        return NOWHERE if analytic and z.imag.is_zero() else flint.acb(function(z))

    tolerance = flint.arb(2) ** (16 - flint.ctx.prec)
    ball = flint.acb.integral(integrand, flint.acb(low), flint.acb(high), rel_tol=tolerance).real
    if not ball.is_finite():
        raise NotDefined("an integral in the bound has no finite enclosure in balls")
    return ball


def _off_axis(x: Ball) -> TypeGuard[flint.acb]:
    return isinstance(x, flint.acb) and not x.imag.is_zero()


def _branch(x: flint.acb, right: flint.acb, left: flint.acb) -> flint.acb:
    """``right`` where the real part of x is positive, ``left`` where it is negative, NaN across."""
    return right if x.real > 0 else left if x.real < 0 else NOWHERE


def _ball_sqrt(x: Ball) -> Ball:
    if _off_axis(x):
        return x.sqrt(analytic=True)
    x = x.real
    return x.nonnegative_part().sqrt() if x.upper() >= 0 else x.sqrt()


def _ball_log(x: Ball) -> Ball:
    return x.log(analytic=True) if _off_axis(x) else x.real.log()


def _ball_real_power(base: Ball, exponent: Ball) -> Ball:
    if _off_axis(base) or _off_axis(exponent):
        return (exponent * _ball_log(base)).exp()
    return base.real**exponent.real


def _ball_abs(x: Ball) -> Ball:
    return _branch(x, x, -x) if _off_axis(x) else abs(x.real)


def _ball_power(base: Ball, n: int) -> Ball:
    """base^n for n >= 1 by squaring: flint's own power is NaN on balls that contain zero."""
    half = base if n == 1 else _ball_power(base, n // 2)
    if n == 1:
        return half
    return half * half * base if n % 2 else half * half


def _ball_max(a: Ball, b: Ball) -> Ball:
    if _off_axis(a) or _off_axis(b):
        return _branch(*(flint.acb(x) for x in (a - b, a, b)))
    a, b = a.real, b.real
    return a if a >= b else b if b >= a else a.max(b)


def _ball_min(a: Ball, b: Ball) -> Ball:
    return -_ball_max(-a, -b)


BALLS = Arithmetic(
    rational=lambda p, q: flint.arb(flint.fmpq(p, q)),
    exp=lambda x: x.exp(),
    expm1=lambda x: x.expm1(),
    log=_ball_log,
    sqrt=_ball_sqrt,
    power=_ball_real_power,
    integer_power=_ball_power,
    largest=_ball_max,
    smallest=_ball_min,
    absolute=_ball_abs,
    pi=flint.arb.pi,
    integrate=_ball_integral,
)
"""Balls at the working precision of the caller's flint context."""

DIGITS = Arithmetic(
    rational=lambda p, q: mp.mpf(p) / q,
    exp=mp.exp,
    expm1=mp.expm1,
    log=mp.log,
    sqrt=mp.sqrt,
    power=lambda base, exponent: mp.power(base, exponent),
    integer_power=lambda base, n: base**n,
    largest=max,
    smallest=min,
    absolute=abs,
    pi=lambda: +mp.pi,
    integrate=lambda function, low, high: mp.quad(function, [low, high]),
)
"""mpmath numbers at the caller's working precision."""


def advance(expr: Iterate, value: Number, steps: range, env: Environment, arithmetic: Arithmetic) -> Number:
    """A recursion from the value at the first of some steps to that after the last."""
    return _Walk(env, arithmetic).advanced(expr, value, steps)


def evaluate(expr: sp.Expr, env: Environment, arithmetic: Arithmetic) -> Number:
    """The value of an expression.

    expr : in symbols, quantities and step functions that ``env`` knows; sums and recursions run over integer
        bounds.
    Raises KeyError for a symbol without a value, ValueError where a logarithm or root leaves its domain.
    """
    return _Walk(env, arithmetic).value(expr)


@dataclass(frozen=True)
class _Index:
    """The number of a step: functions of the step take it as it is.

    ahead : for all steps at once, axes to come after theirs where the number itself is meant.
    """

    number: int | NDArray[np.int64]
    ahead: int = 0

    def value(self, arithmetic: Arithmetic) -> Number:
        """It as a number of this arithmetic."""
        if isinstance(self.number, int):
            return arithmetic.rational(self.number, 1)
        return Enclosure.exact(self.number.reshape(-1, *[1] * self.ahead).astype(np.float64))


@lru_cache(maxsize=4096)
def _fraction(expr: sp.Mul) -> tuple[sp.Expr, sp.Expr]:
    numerator, denominator = expr.as_numer_denom()
    return numerator, denominator


@lru_cache(maxsize=1024)
def _free_symbols(expr: sp.Expr) -> tuple[sp.Symbol, ...]:
    return tuple(expr.free_symbols)


@lru_cache(maxsize=4096)
def _numbered(expr: sp.Expr, numbers: tuple[tuple[sp.Symbol, int], ...]) -> sp.Expr:
    """The expression with numbers for the steps that it names."""
    return expr.xreplace({s: sp.Integer(number) for s, number in numbers})


@lru_cache(maxsize=1024)
def _shift(expr: sp.Expr, k: sp.Symbol) -> int | None:
    """The whole number c of k + c; None for other expressions."""
    rest = expr - k
    return int(rest) if rest.is_Integer else None


@lru_cache(maxsize=256)
def _prepared(step: sp.Expr, x: sp.Symbol) -> tuple[sp.Expr, tuple[tuple[sp.Dummy, sp.Expr], ...]]:
    """One step of a recursion with names for all that does not depend on where it is, and what they name."""
    names: dict[sp.Expr, sp.Dummy] = {}

    def named(part: sp.Expr) -> sp.Expr:
        if not part.has(x):
            return part if part.is_number else names.setdefault(part, sp.Dummy())
        if part == x or not part.args:
            return part
        fixed = [arg for arg in part.args if not (arg.has(x) or arg.is_number)]
        if isinstance(part, sp.Add | sp.Mul) and len(fixed) > 1:
            others = [named(arg) for arg in part.args if arg not in fixed]
            return part.func(*others, named(part.func(*fixed)))
        return part.func(*map(named, part.args))

    body = named(step)
    return body, tuple((name, part) for part, name in names.items())


class _Walk:
    def __init__(self, env: Environment, arithmetic: Arithmetic) -> None:
        self.env = env
        self.arithmetic = arithmetic

    def value(self, expr: sp.Expr) -> Number:
        if expr in self.env:
            found = self.env[expr]
            return found.value(self.arithmetic) if isinstance(found, _Index) else found
        if isinstance(expr, sp.Rational):
            return self.arithmetic.rational(int(expr.p), int(expr.q))
        if isinstance(expr, AppliedUndef) and expr.func.__name__ in STEP:
            return self._step(expr)
        handler = _HANDLERS.get(expr.func)
        if handler is not None:
            return handler(self, expr)
        if isinstance(expr, sp.Symbol | Quantity):
            raise KeyError(str(expr))
        raise KeyError(f"{expr} has no numerical meaning here")

    def _add(self, expr: sp.Add) -> Number:
        args = list(expr.args)
        number = next((arg for arg in args if arg.is_Rational), None)
        if number is not None:
            for arg in args:
                coefficient, rest = arg.as_coeff_Mul()
                if isinstance(rest, sp.exp) and coefficient == -number:
                    args.remove(arg)
                    args.remove(number)
                    shifted = self.value(coefficient) * self.arithmetic.expm1(self.value(rest.args[0]))
                    return sum((self.value(other) for other in args), start=shifted)
        first, *others = args
        return sum((self.value(other) for other in others), start=self.value(first))

    def _mul(self, expr: sp.Mul) -> Number:
        numerator, denominator = _fraction(expr)
        if denominator != 1:
            return self.value(numerator) / self.value(denominator)
        first, *others = expr.args
        result = self.value(first)
        for other in others:
            result = result * self.value(other)
        return result

    def _pow(self, expr: sp.Pow) -> Number:
        base, exponent = expr.base, expr.exp
        if exponent == sp.S.Half:
            return self.arithmetic.sqrt(self.value(base))
        if exponent.is_Integer:
            n = int(exponent)
            return (
                self.arithmetic.integer_power(self.value(base), n)
                if n > 0
                else 1 / self.arithmetic.integer_power(self.value(base), -n)
            )
        if exponent.is_Rational and exponent.q == 2:
            root = self.arithmetic.sqrt(self.value(base))
            n = int(exponent.p)
            return (
                self.arithmetic.integer_power(root, n)
                if n > 0
                else 1 / self.arithmetic.integer_power(root, -n)
            )
        return self.arithmetic.power(self.value(base), self.value(exponent))

    def _exp(self, expr: sp.exp) -> Number:
        return self.arithmetic.exp(self.value(expr.args[0]))

    def _log(self, expr: sp.log) -> Number:
        return self.arithmetic.log(self.value(expr.args[0]))

    def _abs(self, expr: sp.Abs) -> Number:
        return self.arithmetic.absolute(self.value(expr.args[0]))

    def _fold(self, expr: sp.Expr, pick: Callable[[Number, Number], Number]) -> Number:
        first, *others = expr.args
        result = self.value(first)
        for other in others:
            result = pick(result, self.value(other))
        return result

    def _max(self, expr: sp.Max) -> Number:
        return self._fold(expr, self.arithmetic.largest)

    def _min(self, expr: sp.Min) -> Number:
        return self._fold(expr, self.arithmetic.smallest)

    def _euler(self, expr: sp.Expr) -> Number:
        return self.arithmetic.exp(self.arithmetic.rational(1, 1))

    def _pi(self, expr: sp.Expr) -> Number:
        return self.arithmetic.pi()

    def _step(self, expr: sp.Expr) -> Number:
        function = self.env[sp.Symbol(f"function {expr.func.__name__}")]
        (argument,) = expr.args
        steps = self._steps_of(argument)
        if steps is None:
            return function(self.value(argument))
        first, last = (steps, steps) if isinstance(steps, int) else (int(steps[0]), int(steps[-1]))
        end = np.inf if argument.is_Integer else self.env[COUNT] + (expr.func.__name__ == "tau")
        for at in (first, last):
            if not 0 <= at < end:
                raise NotDefined(f"{expr} at {at}: the steps are numbered from 0 to N - 1")
        return function(steps)

    def _steps_of(self, argument: sp.Expr) -> int | NDArray[np.int64] | None:
        """The step that the argument of a function names, or all of them; None for a time."""
        known = ((s, self.env[s]) for s in _free_symbols(argument))
        indices = [(s, found.number) for s, found in known if isinstance(found, _Index)]
        if len(indices) == 1 and not isinstance(indices[0][1], int):
            ((k, numbers),) = indices
            shift = _shift(argument, k)
            return None if shift is None else numbers + shift
        whole = _numbered(argument, tuple(indices))
        return int(whole) if whole.is_Integer else None

    def _integral(self, expr: sp.Integral) -> Number:
        body, (dummy, low, high) = expr.args[0], expr.args[1]

        def integrand(value: Number) -> Number:
            return _Walk(ChainMap({dummy: value}, self.env), self.arithmetic).value(body)  # type: ignore[arg-type]

        return self.arithmetic.integrate(integrand, self.value(low), self.value(high))

    def _iterate(self, expr: Iterate) -> Number:
        return self.advanced(expr, self.value(expr.args[2]), range(self.env[COUNT]))

    def advanced(self, expr: Iterate, value: Number, steps: range) -> Number:
        """The recursion from the value at the first of these steps to that after the last."""
        step, x, _, k, _ = expr.args
        if self.arithmetic is FLOATS:
            return self._advanced_floats(step, x, k, value, steps)
        for index in steps:
            inner = _Walk(ChainMap({x: value, k: _Index(index)}, self.env), self.arithmetic)  # type: ignore[arg-type]
            value = inner.value(step)
        return value

    def _advanced_floats(
        self, step: sp.Expr, x: sp.Symbol, k: sp.Symbol, value: Number, steps: range
    ) -> Number:
        """The recursion with all that does not depend on x computed for many steps at once."""
        arithmetic = replace(FLOATS, integrate=_gauss_legendre)  # integrals of one step are short and smooth
        body, parts = _prepared(step, x)
        cases = self.env[DURATION].lo
        stride = max(1, AT_ONCE // cases.size)
        for first in range(steps.start, steps.stop, stride):
            numbers = np.arange(first, min(first + stride, steps.stop))
            ahead = _Walk(ChainMap({k: _Index(numbers, cases.ndim)}, self.env), arithmetic)  # type: ignore[arg-type]
            known = {name: ahead.value(part) for name, part in parts}
            moving = {name for name, found in known.items() if found.lo.ndim > cases.ndim}
            for i in range(len(numbers)):
                now = {name: found[i] if name in moving else found for name, found in known.items()}
                value = _Walk(ChainMap({x: value, **now}, self.env), arithmetic).value(body)  # type: ignore[arg-type]
        return value


_HANDLERS: dict[Any, Callable[[_Walk, Any], Number]] = {
    sp.Add: _Walk._add,
    sp.Mul: _Walk._mul,
    sp.Pow: _Walk._pow,
    sp.exp: _Walk._exp,
    sp.log: _Walk._log,
    sp.Abs: _Walk._abs,
    sp.Max: _Walk._max,
    sp.Min: _Walk._min,
    sp.core.numbers.Exp1: _Walk._euler,
    sp.core.numbers.Pi: _Walk._pi,
    sp.Integral: _Walk._integral,
    Iterate: _Walk._iterate,
}
