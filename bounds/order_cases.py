"""One case of a comparison of orders, without maxima: the linear programs on exponents and logarithms."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import sympy as sp

from bounds.certificates import Certificate, Fact, Ray, exponent
from bounds.errors import ClaimError
from bounds.exponents import (
    ONE,
    ZERO,
    Vector,
    approximate,
    coprime,
    interior,
    log_power,
    logs_of,
    rational,
    rounded_up,
    second_vector,
    vector_of,
)
from bounds.frozen import FrozenMapping
from bounds.monomials import Branch, Logarithm, Monomial, collected, read
from bounds.simplex import dot, solve

__all__ = ["Case", "Obstacle"]

ROOTS = (ONE, Fraction(1, 2), Fraction(1, 4), Fraction(1, 16), Fraction(1, 256), Fraction(1, 2**16))
"""Powers r tried in l <= m^r/(e r); the last is small enough for every exponent met in practice."""


@dataclass(frozen=True)
class Obstacle:
    """Why there is no certificate: a ray, or none was found (then ``holds`` is None)."""

    reason: str
    ray: Ray | None
    holds: bool | None = False


class _NegativeLogarithm(Exception):
    def __init__(self, log: Logarithm) -> None:
        super().__init__(str(log))
        self.log = log


class Case:
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
        self.failure: Obstacle | None = None
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
        columns = [vector_of(fact.monomial, names, ()) for fact in self.region]
        costs = [approximate(sp.log(fact.bound)) for fact in self.region]
        found = solve(columns, [ZERO] * len(names), costs).descent
        return found is not None and dot(found, costs) < -Fraction(1, 10**9)

    def floor(self, monomial: Monomial) -> sp.Expr | None:
        """A lower bound of log(monomial) over the region, None if there is none."""
        names = self._names([monomial, *(fact.monomial for fact in self.region)])
        columns = [vector_of(fact.monomial, names, ()) for fact in self.region]
        target = tuple(-value for value in vector_of(monomial, names, ()))
        costs = [approximate(sp.log(fact.bound)) for fact in self.region]
        point = solve(columns, target, costs).point
        if point is None:
            return None
        lowest = sp.log(monomial.coefficient)
        for fact, power in zip(self.region, point, strict=True):
            lowest -= rational(power) * sp.log(fact.bound)
        return sp.N(lowest, 30) if lowest.is_number and not lowest.is_zero else sp.Integer(0)

    def orient(self, log: Logarithm) -> int:
        """The sign with which the logarithm is not negative on the region."""
        for sign, candidate in ((1, log), (-1, log.inverse)):
            floor = self.floor(candidate.argument)
            if floor is not None and floor >= -sp.Float("1e-25"):
                return sign
        raise _NegativeLogarithm(log)

    def _negative(self, log: Logarithm) -> Obstacle:
        """The obstacle that a logarithm without a sign is."""
        candidates = [log, log.inverse] if self.floor(log.inverse.argument) is not None else [log]
        for candidate in candidates:
            ray = self._fall(candidate.argument)
            if ray is not None:
                reason = f"{candidate} must be positive, but tends to -oo along {ray}"
                return Obstacle(reason, ray)
        return Obstacle(f"the hypotheses do not keep {log} above a positive number", self._zero(log))

    def _fall(self, monomial: Monomial) -> Ray | None:
        names = self._names([monomial, *(fact.monomial for fact in self.region)])
        columns = [vector_of(fact.monomial, names, ()) for fact in self.region]
        vector = vector_of(monomial, names, ())
        way = solve(columns, tuple(-value for value in vector)).farkas
        if way is None:
            return None
        way = coprime(way)
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

    def decide(self) -> list[Certificate] | Obstacle:
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
        logs = logs_of(monomials)
        given = [*self.region, *extra, *self._about(logs)]
        for root in ROOTS if logs else ROOTS[:1]:
            facts = [*given, *(_slow(log, root) for log in logs)]
            names = self._names([*monomials, *(fact.monomial for fact in facts)])
            columns = [(*vector_of(m, names, logs), ONE) for m in large]
            columns += [(*vector_of(fact.monomial, names, logs), ZERO) for fact in facts]
            point = solve(columns, (*vector_of(term, names, logs), ONE)).point
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
                facts.append(Fact(inverse, rounded_up(1 / floor), "from the hypotheses"))
                facts += [self._smaller(other, log, floor) for other in logs if other != log]
        return [fact for fact in facts if fact is not None]

    def _smaller(self, other: Logarithm, log: Logarithm, floor: sp.Expr) -> Fact | None:
        """That other <= C log, if other's argument is at most a constant times a power of log's."""
        names = self._names([other.argument, log.argument, *(fact.monomial for fact in self.region)])
        columns = [vector_of(fact.monomial, names, ()) for fact in self.region]
        columns.append(vector_of(log.argument, names, ()))
        costs = [*(abs(approximate(sp.log(fact.bound))) for fact in self.region), ZERO]
        point = solve(columns, vector_of(other.argument, names, ()), costs).point
        if point is None:
            return None
        rest = sp.log(other.coefficient) - rational(point[-1]) * sp.log(log.coefficient)
        for fact, power in zip(self.region, point, strict=False):
            rest += rational(power) * sp.log(fact.bound)
        bound = rational(point[-1]) + rounded_up(sp.Max(0, rest / floor))
        quotient = Monomial(logs=((other, ONE),)) * Monomial(logs=((log, -ONE),))
        return Fact(quotient, bound, "from the hypotheses") if bound > 0 else None

    # -- rays ------------------------------------------------------------------------------------------------

    def _refute(self, term: Monomial, large: list[Monomial], extra: list[Fact]) -> Obstacle:
        facts = [*self.region, *extra]
        monomials = [term, *large, *(fact.monomial for fact in facts)]
        names, logs = self._names(monomials), logs_of(monomials)
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
                    return Obstacle(reason, ray)
        return self._vanishing(term, large, logs) or Obstacle(
            f"neither a certificate nor a ray was found for {term}", None, None
        )

    def _vanishing(self, term: Monomial, large: list[Monomial], logs: Sequence[Logarithm]) -> Obstacle | None:
        """A logarithm of which every bound has a higher power than the term, and which may be zero."""
        gains = [dict((term * m.power(-ONE)).logs) for m in large]
        for log in logs:
            floor = self.floor(log.argument)
            if floor is not None and floor <= 0 and all(gain.get(log, ZERO) < 0 for gain in gains):
                point = self._zero(log)
                return Obstacle(f"{log} may be zero, where the bound is too, as at {point.place}", point)
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
        rows = [vector_of(m, names, ()) for m in (*gains, *slack)]
        rising = [vector_of(log.argument, names, ()) for log in growing]
        fixed = [vector_of(log.argument, names, ()) for log in logs if log not in growing]
        fixed += [tuple(ONE if other == name else ZERO for other in names) for name in still]
        wanted = [lean and (i < len(gains) or i >= len(rows)) for i in range(len(rows) + len(rising))]
        first = interior([*rows, *rising], fixed, len(names), wanted=wanted if lean else ())
        if any(dot(row, first) <= 0 for row in rising):
            return None
        tight = [dot(row, first) == 0 for row in rows]
        speed = [log_power(m, growing) for m in (*gains, *slack)]
        strict = [(rows[i], speed[i]) for i in range(len(gains)) if tight[i]]
        loose = [(rows[i], speed[i]) for i in range(len(gains), len(rows)) if tight[i]]
        second = second_vector(strict, loose, fixed, len(names))
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
        rows = [tuple(-x for x in vector_of(fact.monomial, every, ())) for fact in self.region]
        offsets = [approximate(sp.log(fact.bound)) for fact in self.region]
        if one is not None:
            rows.append(tuple(-x for x in vector_of(one, every, ())))
            offsets.append(-approximate(sp.log(one.coefficient)))
        base = interior(rows, [], len(every), offsets)
        import mpmath as mp

        return Ray(
            FrozenMapping({name: x for name, x in zip(names, first, strict=True) if x}),
            FrozenMapping({name: x for name, x in zip(names, second, strict=True) if x}),
            growth,
            FrozenMapping({name: float(mp.exp(float(y))) for name, y in zip(every, base, strict=True)}),
        )


def _slow(log: Logarithm, root: Fraction) -> Fact:
    """The fact that log m <= m^r/(e r)."""
    monomial = Monomial(logs=((log, ONE),)) * log.argument.power(-root)
    bound = 1 / (sp.E * rational(root) * monomial.coefficient)
    return Fact(Monomial(sp.Integer(1), monomial.powers, monomial.logs), bound, "log x <= x^r/(e r)")


def _most(*sides: Sequence[Monomial]) -> Iterator[tuple[Logarithm, Fraction]]:
    """The largest power of each logarithm that the sides hold."""
    held: dict[Logarithm, Fraction] = {}
    for side in sides:
        for monomial in side:
            for log, power in monomial.logs:
                held[log] = max(held.get(log, power), power)
    yield from sorted(held.items(), key=lambda item: str(item[0]))


def _power_of(log: Logarithm, power: Fraction) -> str:
    return f"{log}{exponent(power)}"
