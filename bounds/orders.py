"""Orders of growth: is A <~ B under hypotheses, with a certificate if so and a ray if not.

A and B are sums of monomials in positive parameters and logarithms of them, the hypotheses are inequalities
between such sums (L >= 1, eps <= sqrt(d), M2 <= d^2, N >= log(1/delta)). In logarithms of the parameters
everything is linear, and "A <= C B for some constant C" is a question about a polyhedral cone:

    yes   A's term a is a weighted geometric mean of B's terms b_k times powers of quantities that the
          hypotheses keep <= 1: a = prod b_k^{l_k} prod h_j^{m_j} with l, m >= 0 and sum l_k = 1. The
          exponents l, m are the certificate; they also give C.
    no    there is a direction x_i = s^{a_i} along which every hypothesis stays true and a/b_k -> oo for
          every k as s -> oo.

Exactly one of the two exists (Farkas). Both are found by rational arithmetic (`bounds.simplex`) and verified
by multiplying out. A logarithm l = log m counts as smaller than every power of m: l <= m^r/(e r) for r > 0.
Along a ray it grows like log s where m does, and it stays constant where m does. O~ leaves the logarithms out
and reports them. A logarithm that the hypotheses do not keep from being negative makes the comparison fail,
with the ray along which it tends to minus infinity.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sympy as sp

from bounds.certificates import Certificate, Decision, Fact, Ray
from bounds.errors import ClaimError
from bounds.formula import parse, parse_relation
from bounds.monomials import Branch, branches, expanded, positive
from bounds.notation import NOTATION
from bounds.order_cases import Case, Obstacle

__all__ = ["Certificate", "Decision", "Fact", "Ray", "at_most"]

Formula = Any


def at_most(
    small: Formula,
    large: Formula,
    under: Iterable[str | sp.Rel] = (),
    *,
    polylog: bool = False,
    parameters: Iterable[str] = (),
) -> Decision:
    """Whether small <= C large with one constant C for all parameters that satisfy the hypotheses.

    small, large : formulas in positive parameters.
    under        : hypotheses; d >= 1 and N >= 1 are added for counts that occur.
    polylog      : leave logarithms out (O~).
    parameters   : names of parameters that formula text may use beyond the notation.
    Raises ClaimError for a formula that is no sum of monomials, or hypotheses that contradict each other.

    >>> at_most("eps/sqrt(KL0)", "eps", ["KL0 >= 1"]).holds
    True
    >>> str(at_most("eps/sqrt(KL0)", "eps").ray)
    'KL0 ~ 1/s as s -> oo'
    """
    names = frozenset(parameters)
    sides = [_expression(side, place, names) for side, place in ((small, "small"), (large, "large"))]
    pairs = [pair for item in under for pair in _pairs(item, names)]
    pairs += [(sp.Integer(1), s) for s in _counts([*sides, *(e for pair in pairs for e in pair)])]
    flat = positive([*sides, *(side for pair in pairs for side in pair)])
    pairs = [_unlogged(*pair) for pair in zip(flat[2::2], flat[3::2], strict=True)]
    pairs += [(sp.Integer(1), s) for s in _exponentials(flat)]
    tops = [sp.Max(*sp.Add.make_args(expanded(large))) for _, large in pairs]
    shown = (_shown(small), _shown(large))
    certificates: list[Certificate] = []
    dropped: dict[str, None] = {}
    found: list[Branch] = branches([*flat[:2], *(small for small, _ in pairs), *tops])
    effective = 0
    for branch in found:
        case = Case(branch, len(pairs), polylog)
        if case.empty:
            continue
        effective += 1
        outcome = case.decide()
        dropped |= dict.fromkeys(case.dropped)
        if isinstance(outcome, Obstacle):
            return Decision(*shown, outcome.holds, outcome.reason, (), outcome.ray, tuple(dropped))
        certificates += outcome
    if not effective:
        raise ClaimError("hypotheses", [str(item) for item in under], "hypotheses that some parameters meet")
    reason = "each term is at most a geometric mean of the bound, by the hypotheses"
    exact = len(found) == 1 and found[0].exact
    return Decision(*shown, True, reason, tuple(certificates), None, tuple(dropped), exact)


# -- from text to pairs small <= large -----------------------------------------------------------------------


def _expression(value: Formula, place: str, names: frozenset[str]) -> sp.Expr:
    if isinstance(value, str):
        return parse(value, field=place, parameters=names)
    try:
        found = sp.sympify(value, strict=True)
    except (sp.SympifyError, TypeError) as error:
        raise ClaimError(place, value, "a formula") from error
    if not isinstance(found, sp.Expr):
        raise ClaimError(place, value, "a formula")
    return found


def _shown(value: Formula) -> str:
    return value if isinstance(value, str) else sp.sstr(value)


def _pairs(item: str | sp.Rel, names: frozenset[str]) -> list[tuple[sp.Expr, sp.Expr]]:
    rel = parse_relation(item, field="hypotheses", parameters=names) if isinstance(item, str) else item
    if not isinstance(rel, sp.Rel) or isinstance(rel, sp.Ne):
        raise ClaimError("hypotheses", item, "a relation, such as L >= 1")
    if isinstance(rel, sp.Eq):
        return [(rel.lhs, rel.rhs), (rel.rhs, rel.lhs)]
    return [(rel.rhs, rel.lhs)] if isinstance(rel, sp.Ge | sp.Gt) else [(rel.lhs, rel.rhs)]


def _counts(exprs: Sequence[sp.Expr]) -> list[sp.Symbol]:
    found = {s for expr in exprs for s in expr.free_symbols}
    return sorted(
        (s for s in found if s.name in NOTATION and NOTATION[s.name].domain == "positive integer"), key=str
    )


def _exponentials(exprs: Sequence[sp.Expr]) -> list[sp.Symbol]:
    return sorted({s for e in exprs for s in e.free_symbols if s.name.startswith("exp(")}, key=str)


def _unlogged(small: sp.Expr, large: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """The pair without a logarithm: c <= a log(m) is e^(c/a) <= m, and likewise from above."""
    for number, other in ((small, large), (large, small)):
        factor, rest = other.as_coeff_Mul()
        if number.is_number and isinstance(rest, sp.log) and factor.is_positive:
            power = sp.exp(number / factor)
            return (power, rest.args[0]) if other is large else (rest.args[0], power)
    return small, large
