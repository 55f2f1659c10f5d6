"""Formulas to intervals, as they stand.

Products are not brought over a common denominator, so that the factored and nested forms of
`properties.proofs.forms` keep their meaning. Every subexpression is computed once a table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from functools import reduce
from typing import Any, cast

import sympy as sp

from properties.evaluate import FLOATS
from simulators.enclosure import Enclosure
from simulators.errors import NotDefined

__all__ = ["interval"]

Values = Mapping[sp.Basic, Enclosure]


def interval(expr: sp.Expr, values: Values, known: MutableMapping[sp.Basic, Enclosure]) -> Enclosure:
    """The interval of an expression.

    values : intervals of its symbols.
    known  : intervals computed so far, extended in place.
    Raises NotDefined for functions that have no interval, ValueError outside the domain of log and sqrt.
    """
    if expr not in known:
        known[expr] = _computed(expr, values, known)
    return known[expr]


def _computed(expr: sp.Expr, values: Values, known: MutableMapping[sp.Basic, Enclosure]) -> Enclosure:
    if expr in values:
        return values[expr]
    if isinstance(expr, sp.Rational):
        return cast(Enclosure, FLOATS.rational(int(expr.p), int(expr.q)))
    if isinstance(expr, sp.Add):
        return _sum(expr, values, known)
    if expr.func not in _RULES:
        raise NotDefined(f"{expr}: no interval form")
    arguments = expr.args[:1] if isinstance(expr, sp.Pow) else expr.args
    return _RULES[expr.func](expr, [interval(arg, values, known) for arg in arguments])


def _sum(expr: sp.Add, values: Values, known: MutableMapping[sp.Basic, Enclosure]) -> Enclosure:
    """The sum, with a (e^x - 1) through expm1."""
    terms = list(expr.args)
    number = next((term for term in terms if term.is_Rational), None)
    parts = []
    for term in [] if number is None else expr.args:
        factor, rest = term.as_coeff_Mul()
        if isinstance(rest, sp.exp) and factor + number == 0:
            terms = [other for other in terms if other not in (term, number)]
            parts.append(interval(factor, values, known) * interval(rest.args[0], values, known).expm1())
            break
    parts += [interval(term, values, known) for term in terms]
    return reduce(lambda a, b: a + b, parts)


def _power(expr: sp.Pow, arguments: list[Enclosure]) -> Enclosure:
    (base,) = arguments
    exponent = expr.exp
    if exponent.is_Integer:
        return base.power(int(exponent))
    if exponent.is_Rational and exponent.q == 2:
        root = base.sqrt()
        return root if exponent.p == 1 else root.power(int(exponent.p))
    if exponent.is_Rational:
        return cast(Enclosure, FLOATS.power(base, FLOATS.rational(int(exponent.p), int(exponent.q))))
    raise NotDefined(f"{expr}: no interval form of this power")


_RULES: dict[Any, Callable[[Any, list[Enclosure]], Enclosure]] = {
    sp.Mul: lambda _, parts: reduce(lambda a, b: a * b, parts),
    sp.Pow: _power,
    sp.exp: lambda _, parts: parts[0].exp(),
    sp.log: lambda _, parts: parts[0].log(),
    sp.Abs: lambda _, parts: parts[0].absolute(),
    sp.Max: lambda _, parts: reduce(lambda a, b: a.maximum(b), parts),
    sp.Min: lambda _, parts: reduce(lambda a, b: a.minimum(b), parts),
    sp.core.numbers.Exp1: lambda _, parts: Enclosure.exact(1.0).exp(),
    sp.core.numbers.Pi: lambda _, parts: cast(Enclosure, FLOATS.pi()),
}
