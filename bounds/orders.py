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

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy as sp

from bounds.errors import ClaimError
from bounds.formula import parse, parse_relation
from bounds.frozen import FrozenMapping
from bounds.monomials import Branch, Logarithm, Monomial, branches, collected, expanded, positive, read
from bounds.notation import NOTATION
from bounds.simplex import dot, solve

__all__ = ["Certificate", "Decision", "Fact", "Ray", "at_most"]

ZERO, ONE = Fraction(0), Fraction(1)
ROOTS = (ONE, Fraction(1, 2), Fraction(1, 4), Fraction(1, 16), Fraction(1, 256), Fraction(1, 2**16))
"""Powers r tried in l <= m^r/(e r); the last is small enough for every exponent met in practice."""

Formula = Any
Vector = tuple[Fraction, ...]


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
        value = sp.log(self.term.coefficient)
        for monomial, power in self.weights:
            value -= _rational(power) * sp.log(monomial.coefficient)
        for fact, power in self.facts:
            value += _rational(power) * sp.log(fact.bound / fact.monomial.coefficient)
        return float(sp.exp(value).evalf(15))

    def __str__(self) -> str:
        means = " * ".join(f"({bound})" + _exponent(weight) for bound, weight in self.weights)
        used = "".join(f"; {fact}{_exponent(power)}" for fact, power in self.facts)
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
        case = _Case(branch, len(pairs), polylog)
        if case.empty:
            continue
        effective += 1
        outcome = case.decide()
        dropped |= dict.fromkeys(case.dropped)
        if isinstance(outcome, _Obstacle):
            return Decision(*shown, outcome.holds, outcome.reason, (), outcome.ray, tuple(dropped))
        certificates += outcome
    if not effective:
        raise ClaimError("hypotheses", [str(item) for item in under], "hypotheses that some parameters meet")
    reason = "each term is at most a geometric mean of the bound, by the hypotheses"
    exact = len(found) == 1 and found[0].exact
    return Decision(*shown, True, reason, tuple(certificates), None, tuple(dropped), exact)


# -- from text to pairs small <= large -----------------------------------------------------------------------


def _expression(value: Formula, place: str, names: frozenset[str]) -> sp.Expr:
    return parse(value, field=place, parameters=names) if isinstance(value, str) else sp.sympify(value)


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


# -- one case ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Obstacle:
    reason: str
    ray: Ray | None
    holds: bool | None = False


class _NegativeLogarithm(Exception):
    def __init__(self, log: Logarithm) -> None:
        super().__init__(str(log))
        self.log = log


class _Case:
    """One branch: vectors of exponents, and the linear programs on them."""

    def __init__(self, branch: Branch, count: int, polylog: bool) -> None:
        small, large, *rest = branch.exprs
        self.polylog = polylog
        self.dropped: list[str] = []
        pairs = [*zip(rest[:count], rest[count:], strict=True), *branch.ordered]
        self.region: list[Fact] = []
        later = []
        for pair in pairs:
            if any(side.has(sp.log) for side in pair):
                later.append(pair)
            else:
                self.region += self._facts(*pair)
        self.failure: _Obstacle | None = None
        try:
            self.extra = [fact for pair in later for fact in self._facts(*pair)]
            self.small = collected(m for sign, m in read(small, self.orient) if sign > 0)
            self.large = self._bounds(large)
            for low, high in branch.apart:
                self._check_apart(low, high)
        except _NegativeLogarithm as error:
            self.failure = self._negative(error.log)

    def _facts(self, small: sp.Expr, large: sp.Expr) -> list[Fact]:
        tops = read(large, self.orient, "hypotheses")
        if len(tops) != 1 or tops[0][0] < 0:
            raise ClaimError("hypotheses", sp.sstr(large), "a positive monomial on the larger side")
        lows = [monomial for sign, monomial in read(small, self.orient, "hypotheses") if sign > 0]
        quotients = [monomial * tops[0][1].power(-ONE) for monomial in lows]
        return [
            Fact(Monomial(sp.Integer(1), m.powers, m.logs), 1 / m.coefficient, "hypothesis")
            for m in quotients
            if m.powers or m.logs or not m.coefficient <= 1
        ]

    def _bounds(self, large: sp.Expr) -> list[Monomial]:
        terms = read(large, self.orient)
        if any(sign < 0 for sign, _ in terms) or not terms:
            raise ClaimError("large", sp.sstr(large), "a bound that is a sum of positive terms")
        return collected(monomial for _, monomial in terms)

    def _check_apart(self, small: sp.Expr, large: sp.Expr) -> None:
        """A difference that is divided by counts as its positive term only if that is larger by a factor."""
        for _, low in read(small, self.orient):
            for _, high in read(large, self.orient):
                quotient = high * low.power(-ONE)
                floor = self.floor(quotient)
                if quotient.logs or floor is None or not floor > 0:
                    log = Logarithm(quotient.powers, quotient.coefficient)
                    raise _NegativeLogarithm(log)

    # -- logarithms of the parameters ------------------------------------------------------------------------

    @cached_property
    def empty(self) -> bool:
        """Whether no parameters meet the hypotheses of the case."""
        names = self._names([fact.monomial for fact in self.region])
        columns = [_vector(fact.monomial, names, ()) for fact in self.region]
        costs = [_approximate(sp.log(fact.bound)) for fact in self.region]
        found = solve(columns, [ZERO] * len(names), costs).descent
        return found is not None and dot(found, costs) < -Fraction(1, 10**9)

    def floor(self, monomial: Monomial) -> sp.Expr | None:
        """A lower bound of log(monomial) over the region, None if there is none."""
        names = self._names([monomial, *(fact.monomial for fact in self.region)])
        columns = [_vector(fact.monomial, names, ()) for fact in self.region]
        target = tuple(-value for value in _vector(monomial, names, ()))
        costs = [_approximate(sp.log(fact.bound)) for fact in self.region]
        point = solve(columns, target, costs).point
        if point is None:
            return None
        lowest = sp.log(monomial.coefficient)
        for fact, power in zip(self.region, point, strict=True):
            lowest -= _rational(power) * sp.log(fact.bound)
        return sp.N(lowest, 30) if lowest.is_number and not lowest.is_zero else sp.Integer(0)

    def orient(self, log: Logarithm) -> int:
        """The sign with which the logarithm is not negative on the region."""
        for sign, candidate in ((1, log), (-1, log.inverse)):
            floor = self.floor(candidate.argument)
            if floor is not None and floor >= -sp.Float("1e-25"):
                return sign
        raise _NegativeLogarithm(log)

    def _negative(self, log: Logarithm) -> _Obstacle:
        """The obstacle that a logarithm without a sign is."""
        candidates = [log, log.inverse] if self.floor(log.inverse.argument) is not None else [log]
        for candidate in candidates:
            ray = self._fall(candidate.argument)
            if ray is not None:
                reason = f"{candidate} must be positive, but tends to -oo along {ray}"
                return _Obstacle(reason, ray)
        return _Obstacle(f"the hypotheses do not keep {log} above a positive number", self._zero(log))

    def _fall(self, monomial: Monomial) -> Ray | None:
        names = self._names([monomial, *(fact.monomial for fact in self.region)])
        columns = [_vector(fact.monomial, names, ()) for fact in self.region]
        vector = _vector(monomial, names, ())
        way = solve(columns, tuple(-value for value in vector)).farkas
        if way is None:
            return None
        way = _coprime(way)
        return self._ray(names, way, (ZERO,) * len(names), (dot(vector, way), ZERO))

    def _zero(self, log: Logarithm) -> Ray:
        """A point of the region at which the logarithm is not positive."""
        names = self._names([log.argument, *(fact.monomial for fact in self.region)])
        still = (ZERO,) * len(names)
        return self._ray(names, still, still, (ZERO, ZERO), log.argument)

    def _names(self, monomials: Iterable[Monomial]) -> tuple[str, ...]:
        logs = {name for m in monomials for log, _ in m.logs for name in log.powers}
        return tuple(sorted({name for m in monomials for name in m.powers} | logs))

    # -- deciding --------------------------------------------------------------------------------------------

    def decide(self) -> list[Certificate] | _Obstacle:
        """Certificates for all terms, or the first obstacle."""
        if self.failure is not None:
            return self.failure
        small, large, extra = self.small, self.large, self.extra
        if self.polylog:
            self.dropped = [_power_of(log, power) for log, power in _most(small, large)]
            small, large = (collected(m.without_logs() for m in side) for side in (small, large))
            extra = [Fact(fact.monomial.without_logs(), fact.bound, fact.why) for fact in extra]
        certificates = []
        for term in small:
            certificate = self._certify(term, large, extra)
            if certificate is None:
                return self._refute(term, large, extra)
            certificates.append(certificate)
        return certificates

    def _certify(self, term: Monomial, large: list[Monomial], extra: list[Fact]) -> Certificate | None:
        monomials = [term, *large, *(fact.monomial for fact in (*self.region, *extra))]
        logs = _logs(monomials)
        given = [*self.region, *extra, *self._about(logs)]
        for root in ROOTS if logs else ROOTS[:1]:
            facts = [*given, *(_slow(log, root) for log in logs)]
            names = self._names([*monomials, *(fact.monomial for fact in facts)])
            columns = [(*_vector(m, names, logs), ONE) for m in large]
            columns += [(*_vector(fact.monomial, names, logs), ZERO) for fact in facts]
            point = solve(columns, (*_vector(term, names, logs), ONE)).point
            if point is not None:
                weights = tuple((m, x) for m, x in zip(large, point, strict=False) if x)
                used = tuple((f, x) for f, x in zip(facts, point[len(large) :], strict=True) if x)
                certificate = Certificate(term, weights, used)
                assert certificate.verified
                return certificate
        return None

    def _about(self, logs: Sequence[Logarithm]) -> list[Fact]:
        """What is known of logarithms: those bounded below, and those that one of the others dominates."""
        facts: list[Fact | None] = []
        for log in logs:
            floor = self.floor(log.argument)
            inverse = Monomial(logs=((log, -ONE),))
            if floor is not None and floor > sp.Float("1e-20"):
                facts.append(Fact(inverse, _rounded_up(1 / floor), "from the hypotheses"))
                facts += [self._smaller(other, log, floor) for other in logs if other != log]
        return [fact for fact in facts if fact is not None]

    def _smaller(self, other: Logarithm, log: Logarithm, floor: sp.Expr) -> Fact | None:
        """That other <= C log, if other's argument is at most a constant times a power of log's."""
        names = self._names([other.argument, log.argument, *(fact.monomial for fact in self.region)])
        columns = [_vector(fact.monomial, names, ()) for fact in self.region]
        columns.append(_vector(log.argument, names, ()))
        costs = [*(abs(_approximate(sp.log(fact.bound))) for fact in self.region), ZERO]
        point = solve(columns, _vector(other.argument, names, ()), costs).point
        if point is None:
            return None
        rest = sp.log(other.coefficient) - _rational(point[-1]) * sp.log(log.coefficient)
        for fact, power in zip(self.region, point, strict=False):
            rest += _rational(power) * sp.log(fact.bound)
        bound = _rational(point[-1]) + _rounded_up(sp.Max(0, rest / floor))
        quotient = Monomial(logs=((other, ONE),)) * Monomial(logs=((log, -ONE),))
        return Fact(quotient, bound, "from the hypotheses") if bound > 0 else None

    # -- rays ------------------------------------------------------------------------------------------------

    def _refute(self, term: Monomial, large: list[Monomial], extra: list[Fact]) -> _Obstacle:
        facts = [*self.region, *extra]
        monomials = [term, *large, *(fact.monomial for fact in facts)]
        names, logs = self._names(monomials), _logs(monomials)
        for size in range(len(logs), -1, -1):
            for growing in itertools.combinations(logs, size):
                ray = self._search(term, large, facts, names, logs, growing)
                still: list[str] = []
                for name in names if ray is not None else ():
                    simpler = self._search(term, large, facts, names, logs, growing, (*still, name))
                    if simpler is not None:
                        ray, still = simpler, [*still, name]
                lean = self._search(term, large, facts, names, logs, growing, tuple(still), lean=True)
                ray = lean or ray
                if ray is not None:
                    over = " + ".join(str(m) for m in large)
                    reason = f"({term})/({over}) grows like {ray.driven} along {ray}"
                    return _Obstacle(reason, ray)
        return self._vanishing(term, large, logs) or _Obstacle(
            f"neither a certificate nor a ray was found for {term}", None, None
        )

    def _vanishing(
        self, term: Monomial, large: list[Monomial], logs: Sequence[Logarithm]
    ) -> _Obstacle | None:
        """A logarithm of which every bound has a higher power than the term, and which may be zero."""
        gains = [dict((term * m.power(-ONE)).logs) for m in large]
        for log in logs:
            floor = self.floor(log.argument)
            if floor is not None and floor <= 0 and all(gain.get(log, ZERO) < 0 for gain in gains):
                point = self._zero(log)
                return _Obstacle(f"{log} may be zero, where the bound is too, as at {point.place}", point)
        return None

    def _search(
        self,
        term: Monomial,
        large: list[Monomial],
        facts: list[Fact],
        names: tuple[str, ...],
        logs: tuple[Logarithm, ...],
        growing: tuple[Logarithm, ...],
        still: tuple[str, ...] = (),
        *,
        lean: bool = False,
    ) -> Ray | None:
        """A ray along which exactly these logarithms grow and these parameters stay; a lean one moves no more
        than it must.
        """
        gains = [term * m.power(-ONE) for m in large]
        slack = [fact.monomial.power(-ONE) for fact in facts]
        rows = [_vector(m, names, ()) for m in (*gains, *slack)]
        rising = [_vector(log.argument, names, ()) for log in growing]
        fixed = [_vector(log.argument, names, ()) for log in logs if log not in growing]
        fixed += [tuple(ONE if other == name else ZERO for other in names) for name in still]
        wanted = [lean and (i < len(gains) or i >= len(rows)) for i in range(len(rows) + len(rising))]
        first = _interior([*rows, *rising], fixed, len(names), wanted=wanted if lean else ())
        if any(dot(row, first) <= 0 for row in rising):
            return None
        tight = [dot(row, first) == 0 for row in rows]
        speed = [_log_power(m, growing) for m in (*gains, *slack)]
        strict = [(rows[i], speed[i]) for i in range(len(gains)) if tight[i]]
        loose = [(rows[i], speed[i]) for i in range(len(gains), len(rows)) if tight[i]]
        second = _second(strict, loose, fixed, len(names))
        if second is None:
            return None
        growth = min((dot(rows[i], first), dot(rows[i], second) + speed[i]) for i in range(len(gains)))
        return self._ray(names, first, second, growth)

    def _ray(
        self,
        names: tuple[str, ...],
        first: Vector,
        second: Vector,
        growth: tuple[Fraction, Fraction],
        one: Monomial | None = None,
    ) -> Ray:
        """The ray from a base point of the region; ``one`` is a monomial that is at most one there."""
        every = tuple(sorted({*names, *self._names([fact.monomial for fact in self.region])}))
        rows = [tuple(-x for x in _vector(fact.monomial, every, ())) for fact in self.region]
        offsets = [_approximate(sp.log(fact.bound)) for fact in self.region]
        if one is not None:
            rows.append(tuple(-x for x in _vector(one, every, ())))
            offsets.append(-_approximate(sp.log(one.coefficient)))
        base = _interior(rows, [], len(every), offsets)
        import mpmath as mp

        return Ray(
            FrozenMapping({name: x for name, x in zip(names, first, strict=True) if x}),
            FrozenMapping({name: x for name, x in zip(names, second, strict=True) if x}),
            growth,
            FrozenMapping({name: float(mp.exp(float(y))) for name, y in zip(every, base, strict=True)}),
        )


# -- linear algebra on exponents -----------------------------------------------------------------------------


def _vector(monomial: Monomial, names: Sequence[str], logs: Sequence[Logarithm]) -> Vector:
    powers, held = monomial.powers, dict(monomial.logs)
    return (*(powers.get(name, ZERO) for name in names), *(held.get(log, ZERO) for log in logs))


def _logs(monomials: Iterable[Monomial]) -> tuple[Logarithm, ...]:
    return tuple(sorted({log for m in monomials for log, _ in m.logs}, key=str))


def _slow(log: Logarithm, root: Fraction) -> Fact:
    """The fact that log m <= m^r/(e r)."""
    monomial = Monomial(logs=((log, ONE),)) * log.argument.power(-root)
    bound = 1 / (sp.E * _rational(root) * monomial.coefficient)
    return Fact(Monomial(sp.Integer(1), monomial.powers, monomial.logs), bound, "log x <= x^r/(e r)")


def _log_power(monomial: Monomial, growing: Sequence[Logarithm]) -> Fraction:
    return sum((power for log, power in monomial.logs if log in growing), start=ZERO)


def _interior(
    rows: Sequence[Vector],
    fixed: Sequence[Vector],
    width: int,
    offsets: Sequence[Fraction] = (),
    wanted: Sequence[bool] = (),
) -> Vector:
    """A vector y with rows.y + offsets >= 0 and fixed.y = 0 that meets as many rows as it can strictly.

    Maximises the sum of min(1, row.y + offset), over the wanted rows alone and with a small price on y if
    any are named; the answer is scaled to coprime integers without offsets.
    """
    height = len(rows)
    shift = [*offsets] or [ZERO] * height
    columns: list[list[Fraction]] = []
    for sign in (ONE, -ONE):
        for i in range(width):
            columns.append([*(sign * r[i] for r in rows), *(sign * f[i] for f in fixed), *[ZERO] * height])
    blank = [ZERO] * (height + len(fixed) + height)
    for k in range(height):  # surplus r_k, then slack s_k of t_k + s_k = 1, then t_k
        columns += [_with(blank, {k: -ONE}), _with(blank, {height + len(fixed) + k: ONE})]
        columns.append(_with(blank, {k: -ONE, height + len(fixed) + k: ONE}))
    price = Fraction(1, 1000) if wanted else ZERO
    rewards = [-ONE if want else ZERO for want in wanted] or [-ONE] * height
    costs = [price] * (2 * width) + [cost for reward in rewards for cost in (ZERO, ZERO, reward)]
    target = [*(-x for x in shift), *[ZERO] * len(fixed), *[ONE] * height]
    point = solve(columns, target, costs).point
    if point is None:
        return (ZERO,) * width
    vector = tuple(point[i] - point[width + i] for i in range(width))
    return vector if offsets else _coprime(vector)


def _second(
    strict: Sequence[tuple[Vector, Fraction]],
    loose: Sequence[tuple[Vector, Fraction]],
    fixed: Sequence[Vector],
    width: int,
) -> Vector | None:
    """A vector b with row.b + speed > 0 on strict rows, >= 0 on loose ones and fixed.b = 0, or None."""
    if not strict and all(speed >= 0 for _, speed in loose):
        return (ZERO,) * width
    rows = [*strict, *loose]
    height = len(rows) + len(fixed) + 1
    columns: list[list[Fraction]] = []
    for sign in (ONE, -ONE):
        for i in range(width):
            columns.append([*(sign * row[i] for row, _ in rows), *(sign * f[i] for f in fixed), ZERO])
    blank = [ZERO] * height
    gap = dict.fromkeys(range(len(strict)), -ONE) | {height - 1: ONE}
    columns += [_with(blank, {k: -ONE}) for k in range(len(rows))]
    columns += [_with(blank, gap), _with(blank, {height - 1: ONE})]
    costs = [ZERO] * (len(columns) - 2) + [-ONE, ZERO]
    target = [*(-speed for _, speed in rows), *[ZERO] * len(fixed), ONE]
    point = solve(columns, target, costs).point
    if point is None or (strict and point[-2] <= 0):
        return None
    return tuple(point[i] - point[width + i] for i in range(width))


def _with(row: Sequence[Fraction], entries: Mapping[int, Fraction]) -> list[Fraction]:
    return [entries.get(i, value) for i, value in enumerate(row)]


def _coprime(vector: Vector) -> Vector:
    scale = math.lcm(*(x.denominator for x in vector)) if vector else 1
    whole = [int(x * scale) for x in vector]
    common = math.gcd(*whole) or 1
    return tuple(Fraction(x, common) for x in whole)


def _approximate(value: sp.Expr) -> Fraction:
    """A rational within 1e-12, for costs only: what is concluded is checked with exact exponents."""
    return Fraction(round(float(value) * 10**12), 10**12)


def _rounded_up(value: sp.Expr) -> sp.Rational:
    """A rational a little above, in millionths; an integer stays one."""
    scaled = sp.N(value, 30) * 10**6
    return sp.Rational(int(sp.ceiling(scaled - sp.Float("1e-15"))), 10**6)


def _rational(value: Fraction) -> sp.Rational:
    return sp.Rational(value.numerator, value.denominator)


# -- words ---------------------------------------------------------------------------------------------------


def _exponent(power: Fraction) -> str:
    return "" if power == 1 else f"^{power}" if power.denominator == 1 else f"^({power})"


def _growth(power: Fraction, logs: Fraction) -> str:
    parts = [name + _exponent(abs(value)) for name, value in (("s", power), ("log(s)", logs)) if value > 0]
    below = [name + _exponent(abs(value)) for name, value in (("s", power), ("log(s)", logs)) if value < 0]
    return ("*".join(parts) or "1") + (f"/{'/'.join(below)}" if below else "")


def _most(*sides: Sequence[Monomial]) -> Iterator[tuple[Logarithm, Fraction]]:
    """The largest power of each logarithm that the sides hold."""
    held: dict[Logarithm, Fraction] = {}
    for side in sides:
        for monomial in side:
            for log, power in monomial.logs:
                held[log] = max(held.get(log, power), power)
    yield from sorted(held.items(), key=lambda item: str(item[0]))


def _power_of(log: Logarithm, power: Fraction) -> str:
    return f"{log}{_exponent(power)}"
