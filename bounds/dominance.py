"""Is one formula at most another for all parameters: sums of nonnegative terms, weighted means, Taylor.

Three arguments, each exact and each cheap; none of them decides everything.

algebra  the difference is a sum of nonnegative terms.
means    of the difference B - A, with A = sum a_i and B = sum b_k in monomials: under the hypotheses every
         a_i is at most C prod b_k^{w_k} <= C sum w_k b_k, by a certificate of `bounds.orders`. The a_i are
         shared out over such options so that no b_k is used more than once: a linear program in rationals.
Taylor   the difference is a sum of nonnegative monomials times functions of one symbol s > 0 that are
         exponential polynomials, or rational in y = e^{-cs} up to log(1 - y): f >= 0 if f(0) >= 0 and
         f' >= 0, again and again until all coefficients are.

A sum over k of a monotone function is compared as an integral (`as_integral`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import sympy as sp

from bounds.errors import ClaimError
from bounds.orders import Certificate, at_most
from bounds.quantity import Quantity
from bounds.simplex import solve

__all__ = ["Domination", "as_integral", "dominated"]

MOST_TERMS = 8
DEPTH = 24
ZERO, ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True)
class Domination:
    """Why small <= large for all parameters that meet the hypotheses.

    by     : "algebra", "means", or "Taylor".
    reason : one clause.
    shares : of "means": the certificates, each with the share of its term that it takes.
    """

    by: str
    reason: str
    shares: tuple[tuple[Certificate, Fraction], ...] = ()


def dominated(
    small: sp.Expr,
    large: sp.Expr,
    under: Iterable[sp.Rel] = (),
    equal: Mapping[sp.Basic, sp.Expr] | None = None,
) -> Domination | None:
    """Why small <= large wherever the hypotheses hold, or None if no argument was found.

    under : inequalities between the parameters; those that are no comparison of monomials are not used.
    equal : symbols that stand for others, such as {T: N h} on equal steps.

    >>> x, y = sp.symbols("x y", positive=True)
    >>> dominated(x * y, x**2 / 2 + y**2 / 2).by
    'means'
    >>> dominated(1 - sp.exp(-x), x).by
    'Taylor'
    >>> dominated(x, x**2) is None
    True
    """
    changed = dict(equal or {})
    small = _stood_in(as_integral(small, above=True).xreplace(changed))
    large = _stood_in(as_integral(large, above=False).xreplace(changed))
    relations = [_stood_in(rel.xreplace(changed)) for rel in under]
    signs = _signs(relations)
    small, large = small.xreplace(signs), large.xreplace(signs)
    relations = [rel for rel in (rel.xreplace(signs) for rel in relations) if isinstance(rel, sp.Rel)]
    return _shown(small, large, relations) or _by_squares(small, large, relations)


def _stood_in(expr: sp.Basic) -> sp.Basic:
    """The expression with a nonnegative symbol for each quantity."""
    return expr.xreplace({item: sp.Symbol(str(item), nonnegative=True) for item in expr.atoms(Quantity)})


def _signs(under: list[sp.Rel]) -> dict[sp.Basic, sp.Expr]:
    """A positive symbol for each real one that the hypotheses give a sign."""
    found: dict[sp.Basic, sp.Expr] = {}
    for rel in under:
        low, high = (rel.lhs, rel.rhs) if isinstance(rel, sp.Le | sp.Lt) else (rel.rhs, rel.lhs)
        for symbol, other, sign in ((high, low, 1), (low, high, -1)):
            if symbol.is_Symbol and symbol.is_nonnegative is None and other == 0:
                found[symbol] = sign * sp.Symbol(f"{symbol}", positive=True)
    return found


def _shown(small: sp.Expr, large: sp.Expr, under: list[sp.Rel]) -> Domination | None:
    gap = sp.expand(large - small, log=False)
    if gap.is_nonnegative:
        return Domination("algebra", "the difference is a sum of nonnegative terms")
    return _by_exponentials(gap) or _by_taylor(gap) or _by_means(gap, under)


def _by_squares(small: sp.Expr, large: sp.Expr, under: list[sp.Rel]) -> Domination | None:
    """Both sides squared if there is a root of a sum on the smaller one: as they stand, and without the terms
    that they share.
    """
    terms = sp.Add.make_args(sp.expand(large - small, log=False))
    lower = sp.Add(*(-term for term in terms if _negative(term)))
    upper = sp.Add(*(term for term in terms if not _negative(term)))
    for left, right in ((small, large), (lower, upper)):
        roots = [atom for atom in left.atoms(sp.Pow) if atom.exp == sp.Rational(1, 2) and atom.base.is_Add]
        if not roots or not (right.is_nonnegative or _shown(sp.Integer(0), right, under)):
            continue
        found = _shown(sp.expand(left**2), sp.expand(right**2), under)
        if found is not None:
            return replace(found, reason=f"for the squares, {found.reason}")
    return None


def _by_exponentials(gap: sp.Expr) -> Domination | None:
    """With e^x = 1 + x + u, u >= 0, for the x > 0 of which all exponents are multiples."""
    exponents = [atom.args[0] for atom in gap.atoms(sp.exp)]
    if not exponents:
        return None
    x = min((abs_ for abs_ in map(_positive, exponents)), key=lambda e: abs(e.as_coeff_Mul()[0]))
    multiples = [sp.simplify(exponent / x) for exponent in exponents]
    if not x.is_nonnegative or not all(multiple.is_Integer for multiple in multiples):
        return None
    e = 1 + x + sp.Symbol("excess", nonnegative=True)
    powers = {sp.exp(a): e ** int(k) for a, k in zip(exponents, multiples, strict=True)}
    above, below = (sp.expand(part) for part in sp.fraction(sp.together(gap.xreplace(powers))))
    if (above.is_nonnegative and below.is_nonnegative) or (above.is_nonpositive and below.is_nonpositive):
        return Domination("algebra", "with e^x = 1 + x + u, u >= 0, only nonnegative terms are left")
    return None


def _positive(exponent: sp.Expr) -> sp.Expr:
    return -exponent if _negative(exponent) else exponent


# -- weighted means ------------------------------------------------------------------------------------------


def _by_means(gap: sp.Expr, under: list[sp.Rel]) -> Domination | None:
    terms = sp.Add.make_args(gap)
    lower = [-term for term in terms if _negative(term)]
    upper = [term for term in terms if not _negative(term)]
    named = {s for term in (*upper, *under) for s in term.free_symbols}
    if not upper or max(len(lower), len(upper)) > MOST_TERMS:
        return None
    if not all(s.is_nonnegative for s in gap.free_symbols):  # orders of growth are of positive parameters
        return None
    if any(s.name[-1:] == ")" and s not in named for term in lower for s in term.free_symbols):
        return None  # a quantity that nothing bounds
    usable = [rel for rel in under if not isinstance(rel, sp.Eq) and not any(map(_has_difference, rel.args))]
    try:
        texts = [_text(term, usable) for term in upper]
        if not all(texts):
            return None
        options = [_options(term, upper, texts, usable) for term in lower]
    except ClaimError:  # a term that is no monomial, or hypotheses that nothing meets
        return None
    shares = _shared(options, len(upper)) if all(options) else None
    if shares is None:
        return None
    reason = "each term is at most a weighted mean of terms of the other side, none used more than once"
    return Domination("means", reason, tuple(shares))


def _text(term: sp.Expr, under: list[sp.Rel]) -> str:
    """The term as a monomial, or "" if it is none: then it may be negative."""
    decision = at_most(term, term, under)
    one = decision.holds and decision.exact and len(decision.certificates) == 1
    return str(decision.certificates[0].term) if one else ""


def _negative(term: sp.Expr) -> bool:
    return bool(term.as_coeff_Mul()[0].is_negative)


def _has_difference(expr: sp.Expr) -> bool:
    return any(_negative(term) for term in sp.Add.make_args(expr))


Option = tuple[Certificate, list[Fraction]]


def _options(term: sp.Expr, upper: list[sp.Expr], texts: list[str], under: list[sp.Rel]) -> list[Option]:
    """Ways to bound a term by others: the certificate, and how much of each bound it uses."""
    found: list[Option] = []
    for size in sorted({1, min(2, len(upper)), len(upper)}):
        for chosen in itertools.combinations(range(len(upper)), size):
            decision = at_most(term, sp.Add(*(upper[k] for k in chosen)), under)
            if not (decision.holds and decision.exact and len(decision.certificates) == 1):
                continue
            (certificate,) = decision.certificates
            if size > 1 and len(certificate.weights) == 1:
                continue
            uses = [ZERO] * len(upper)
            for monomial, weight in certificate.weights:
                place = texts.index(str(monomial)) if str(monomial) in texts else -1
                if place < 0:  # two of the bounds were added up
                    break
                exact = certificate.exact_constant * sp.Rational(weight.numerator, weight.denominator)
                uses[place] += _above(exact)
            else:
                found.append((certificate, uses))
    return found


def _above(value: sp.Expr) -> Fraction:
    """The number if it is rational, else a rational a little above."""
    value = sp.nsimplify(sp.simplify(value)) if not value.is_Rational else value
    if value.is_Rational:
        return Fraction(int(value.p), int(value.q))
    return Fraction(int(sp.ceiling(value * 10**15)), 10**15)


def _shared(options: list[list[Option]], width: int) -> list[tuple[Certificate, Fraction]] | None:
    """Shares of the options, one for each term in total, that use every bound at most once."""
    rows = len(options) + width
    columns, kept = [], []
    for i, ways in enumerate(options):
        for certificate, uses in ways:
            columns.append([*(ONE if j == i else ZERO for j in range(len(options))), *uses])
            kept.append(certificate)
    for k in range(width):
        columns.append([ONE if j == len(options) + k else ZERO for j in range(rows)])
    point = solve(columns, [ONE] * rows).point
    if point is None:
        return None
    return [(certificate, share) for certificate, share in zip(kept, point, strict=False) if share]


# -- Taylor --------------------------------------------------------------------------------------------------


def _by_taylor(gap: sp.Expr) -> Domination | None:
    inside = {s for atom in gap.atoms(sp.exp, sp.log) for s in atom.free_symbols}
    for s in sorted((s for s in inside if s.is_nonnegative), key=str):
        functions = _functions(gap, s)
        if functions and all(_rises(f, s, DEPTH) or _rational(f, s) for f in functions):
            reason = f"as a function of {s} it and its derivatives are nonnegative from 0 on"
            return Domination("Taylor", reason)
    return None


def _functions(gap: sp.Expr, s: sp.Symbol) -> list[sp.Expr]:
    """The functions of s that stand with each monomial in the other symbols; [] if one may be negative."""
    groups: dict[sp.Expr, sp.Expr] = {}
    for term in sp.Add.make_args(gap):
        rest, function = term.as_independent(s, as_Add=False)
        number, monomial = rest.as_coeff_Mul()
        if not monomial.is_nonnegative:
            return []
        groups[monomial] = groups.get(monomial, sp.Integer(0)) + number * function
    return [*groups.values()]


def _rises(f: sp.Expr, s: sp.Symbol, depth: int) -> bool:
    """Whether an exponential polynomial f is nonnegative for s > 0."""
    parts = _exponential(f, s)
    if parts is None:
        return False
    if all(coefficient.is_nonnegative for coefficient in parts.values()):
        return True
    slowest = min(rate for rate, _ in parts)
    lowest = min(min(power for _, power in parts), 0)
    shifted = {(rate - slowest, power - lowest): number for (rate, power), number in parts.items()}
    g = sp.Add(*(number * s**power * sp.exp(rate * s) for (rate, power), number in shifted.items()))
    return depth > 0 and bool(g.subs(s, 0).is_nonnegative) and _rises(sp.diff(g, s), s, depth - 1)


def _exponential(f: sp.Expr, s: sp.Symbol) -> dict[tuple[sp.Rational, sp.Integer], sp.Expr] | None:
    """{(rate, power): number} of f = sum of number s^power e^{rate s}, or None if it is none."""
    parts: dict[tuple[sp.Rational, sp.Integer], sp.Expr] = {}
    for term in sp.Add.make_args(sp.expand(f)):
        number, function = term.as_independent(s, as_Add=False)
        rate, power = sp.Integer(0), sp.Integer(0)
        for factor in sp.Mul.make_args(function):
            base, exponent = factor.as_base_exp()
            if base == sp.E:
                rate += sp.diff(exponent, s)
                number *= sp.exp(exponent - s * sp.diff(exponent, s))
            elif base == s and exponent.is_Integer:
                power += exponent
            elif factor != 1:
                return None
        if not (rate.is_Rational and number.is_number):
            return None
        parts[rate, power] = parts.get((rate, power), sp.Integer(0)) + number
    return {key: number for key, number in parts.items() if number != 0} or {(0, 0): sp.Integer(0)}


def _rational(f: sp.Expr, s: sp.Symbol) -> bool:
    """Whether f, rational in y = e^{-cs} in (0, 1) up to log(1 - y), is nonnegative."""
    rates = [abs(sp.diff(atom.args[0], s)) for atom in f.atoms(sp.exp)]
    if not rates or not all(rate.is_Rational and rate > 0 for rate in rates):
        return False
    y, least = sp.Symbol("y", positive=True), min(rates)
    g = f.xreplace({atom: y ** (-sp.diff(atom.args[0], s) / least) for atom in f.atoms(sp.exp)})
    if g.has(s):
        return False
    if g.has(sp.log):
        at_zero = sp.limit(g, y, 0, "+")
        if not at_zero.is_nonnegative:
            return False
        g = sp.diff(g, y)
    w = sp.Symbol("w", positive=True)
    g = sp.cancel(sp.together(g.xreplace({y: w / (1 + w)})))
    if g.has(sp.log) or not g.is_rational_function(w):
        return False
    return all(_one_sign(part, w) for part in sp.fraction(g))


def _one_sign(part: sp.Expr, w: sp.Symbol) -> bool:
    """Whether all coefficients of a polynomial are nonnegative."""
    return all(number.is_nonnegative for number in sp.Poly(part, w).all_coeffs())


# -- sums against integrals ----------------------------------------------------------------------------------


def as_integral(expr: sp.Expr, *, above: bool) -> sp.Expr:
    """The expression with each sum of a monotone function of its index replaced by a bound: the integral and
    the larger end term above, the integral and the smaller one below. Sums that are not monotone stay.
    """
    return expr.xreplace({item: _integral(item, above=above) for item in expr.atoms(sp.Sum)})


def _integral(item: sp.Sum, *, above: bool) -> sp.Expr:
    function, (index, low, high) = item.function, item.limits[0]
    x = sp.Symbol(f"{index}", positive=True)
    f = function.xreplace({index: x})
    slope = sp.simplify(sp.diff(f, x))
    if len(item.limits) > 1 or not (slope.is_nonpositive or slope.is_nonnegative):
        return item
    area = sp.integrate(f, (x, low, high))
    first = bool(slope.is_nonpositive) == above
    return area + f.xreplace({x: low if first else high})
