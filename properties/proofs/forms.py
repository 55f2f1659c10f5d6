"""A claim as inequalities F >= 0 in the parameters of a box: F = sum of coefficients times powers of the mean
m and of the shift c.

Quantities are written out in lam, m, c, h, ...; what has no short formula becomes a `Slot`. Terms that both
sides share then cancel exactly, whatever the intervals; what a coefficient has as a positive factor is taken
out, so that a difference that vanishes at lam = 1 or at T = infinity can be decided up to there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from bounds.claim import Claim
from bounds.notation import symbol
from bounds.quantity import STEP, Iterate, Quantity, q
from properties.admissible import assignments, raising, relations
from properties.cases import CLOCK_SPEED
from properties.proofs.laws import PATHS, Chain, Slot, Table, chain_of, ratio, stationary_ratio
from properties.proofs.overlap import lost_affinity, total_variation
from simulators.enclosure import Enclosure
from simulators.errors import NotDefined
from simulators.exppoly import E, ExpPoly, H

__all__ = ["Form", "Monomial", "Problem", "compiled_claim"]

lam = sp.Symbol("lam", positive=True)
m, eta = sp.Symbol("m", real=True), sp.Symbol("eta", real=True)
c = sp.Symbol("c", nonnegative=True)
d, h, delta = symbol("d"), symbol("h"), symbol("delta")
T, N = symbol("T"), symbol("N")
RESERVED = {
    "lam": "the eigenvalue of the target",
    "m": "the mean of the target",
    "c": "the shift of the score",
    "eta": "the slope of the score error",
}


def _slot(
    name: str,
    compute: Callable[[Table], Enclosure],
    formula: sp.Expr | None = None,
    *,
    whole: bool = False,
    **assumptions: bool,
) -> Slot:
    return Slot(f"[{name}]", compute, formula, whole=whole, **assumptions)


R = _slot("R", lambda table: table.excess)


@dataclass(frozen=True)
class Monomial:
    """content * core * m^i c^j: content is a positive expression (or one with even powers only)."""

    powers: tuple[int, int]
    content: sp.Expr
    core: sp.Expr


@dataclass(frozen=True)
class Form:
    """F >= 0, as the sum of its monomials; ``whole`` where F is no polynomial in m and c."""

    name: str
    monomials: tuple[Monomial, ...]

    @property
    def is_polynomial(self) -> bool:
        """Whether m and c occur only as powers."""
        return not any(_hides_means(part.core) for part in self.monomials)

    @property
    def is_bounded(self) -> bool:
        """Whether a bounded distance occurs, beside which the size of F is meant absolutely."""
        return any(slot.whole for part in self.monomials for slot in part.core.atoms(Slot))


@dataclass(frozen=True)
class Problem:
    """A claim made ready for boxes.

    forms   : all must be nonnegative on the box.
    guards  : (name, G, strict) for each relation assumed: the claim speaks of boxes with G >= 0.
    chain   : the sampler, or None.
    """

    claim: Claim
    forms: tuple[Form, ...]
    guards: tuple[sp.Expr, ...]
    chain: Chain | None
    sides: tuple[sp.Expr, sp.Expr]


def _hides_means(expr: sp.Expr) -> bool:
    """Whether m or c occur other than as powers that were taken out."""
    return bool({m, c} & expr.free_symbols) or any(slot.whole for slot in expr.atoms(Slot))


def compiled_claim(claim: Claim, free: frozenset[str], count: int) -> Problem:
    """The inequalities of a claim on boxes.

    free  : parameters of the box other than N; m, c, eta and delta are 0 where they are not among them.
    count : N.
    Raises NotDefined for what has no interval form.
    """
    writer = _Writer(claim, free, count)
    left, right = writer.written(claim.lhs), writer.written(claim.rhs)
    if claim.relation == ">=":
        left, right = right, left
    forms = _forms(left, right, claim.relation == "<=" and _is_w2(claim.lhs))
    guards = tuple(writer.written(_gap(rel)) for rel in relations(claim)) + tuple(writer.assigned.values())
    return Problem(claim, forms, guards, writer.chain, (left, right))


def _is_w2(lhs: sp.Expr) -> bool:
    return isinstance(lhs, Quantity) and lhs.spec.name == "W2"


def _gap(rel: sp.Rel) -> sp.Expr:
    if isinstance(rel, sp.Eq):
        raise NotDefined(f"{rel}: an equation among the assumptions has no boxes")
    return rel.lhs - rel.rhs if isinstance(rel, sp.Ge | sp.Gt) else rel.rhs - rel.lhs


def _forms(left: sp.Expr, right: sp.Expr, squared: bool) -> tuple[Form, ...]:
    if not squared:
        return (_form("bound", right - left),)
    forms = [_form("squares", right**2 - left**2)]
    return tuple(forms if right.is_nonnegative else [*forms, _form("sign", right)])


def _plain(expr: sp.Expr) -> set[sp.Symbol]:
    """Symbols outside of quantities."""
    if isinstance(expr, Quantity):
        return set()
    return {expr} if isinstance(expr, sp.Symbol) else set().union(*(_plain(arg) for arg in expr.args))


# -- quantities written out ----------------------------------------------------------------------------------


class _Writer:
    """Writes quantities and symbols of a claim in the parameters of a box."""

    def __init__(self, claim: Claim, free: frozenset[str], count: int) -> None:
        slope = "eta" in free
        self.claim = claim
        self.free = free
        self.count = count
        self.slope = eta if slope else sp.Integer(0)
        self.speed = sp.Rational(CLOCK_SPEED[str(claim.setup.clock)])
        self.chain: Chain | None = None
        name = claim.setup.sampler
        if name != "none":
            start = "gamma" if claim.setup.start == "any" else claim.setup.start
            speed = CLOCK_SPEED[str(claim.setup.clock)]
            self.chain = chain_of(name, count, speed, start, exact=not slope)
        self.assigned: dict[sp.Symbol, sp.Expr] = {}
        for rel in assignments(claim):
            if self.chain is not None:
                raise NotDefined(f"{rel}: a parameter fixed by an equation, beside a sampler")
            self.assigned[rel.lhs] = self.written(rel.rhs)
        for s in claim.symbols:
            if s.name in RESERVED and s not in self.assigned:
                raise NotDefined(f"{s}: the box uses this name for {RESERVED[s.name]}")
        for expr in claim.expressions:
            if expr.has(Iterate, sp.Integral, *STEP.values()):
                raise NotDefined("a recursion or an integral in a bound has no interval form")

    def written(self, expr: sp.Expr) -> sp.Expr:
        """The expression in lam, m, c, eta, h, delta, t, s, d and slots."""
        quantities = {atom: self._quantity(atom) for atom in expr.atoms(Quantity)}
        found = {s for s in _plain(expr) if not isinstance(s, Slot)}
        return self._fixed(expr.xreplace({**quantities, **{s: self._symbol(s) for s in found}}))

    # -- symbols

    def _symbol(self, s: sp.Symbol) -> sp.Expr:
        simple: dict[str, Any] = {
            "v": lam,
            "M2": d * lam + m**2,
            "m0sq": m**2,
            "KL0": self._forward_kl(sp.Integer(0)),
            "FI0": d * R**2 / lam + m**2,
            "J0": d / lam,
            "W20": sp.sqrt(self._gap_to_gamma(sp.Integer(0))),
            "alpha": 1 / lam,
            "N": sp.Integer(self.count),
        }
        if s.name in simple:
            return sp.sympify(simple[s.name])
        if s in self.assigned:
            return self.assigned[s]
        if s.name == "delta":
            return self._fixed(delta)
        if s.name == "T" and self.chain is not None:
            return self.count * h + self._fixed(delta)
        if s.name == "L":
            return self._raised(s, self._steepest())
        if s.name == "kappa":
            if "delta" not in self.free:
                raise NotDefined("kappa is infinite at delta = 0")
            return self._raised(s, h / sp.Min(1, delta))
        if s.name == "eps":
            squared = self._squared_error(self.claim.score.average)
            return c if squared == c**2 else sp.sqrt(squared)
        return s

    def _fixed(self, expr: sp.Expr) -> sp.Expr:
        """Zero for what the box leaves at its default."""
        return expr.xreplace({s: sp.Integer(0) for s in (delta, m, c) if s.name not in self.free})

    def _steepest(self) -> sp.Expr:
        """The larger of 1/S at both ends of the horizon (S is monotone); 1/lam for Langevin."""
        if self.chain is not None and not self.chain.sampler.reverse:
            return 1 / lam
        times = [self._symbol(T) * self.speed, self._fixed(delta) * self.speed]
        ends = [1 / self._variance(time) for time in times]
        return sp.Max(*ends, evaluate=False)

    def _raised(self, s: sp.Symbol, value: sp.Expr) -> sp.Expr:
        for _, large, small in raising(self.claim):
            if large == s:
                value = sp.Max(value, self.written(small), evaluate=False)
        return _slot(str(value), _evaluated(value), positive=True) if value.has(sp.Max) else value

    def _moment(self, power: int) -> sp.Expr:
        if self.chain is not None and not self.chain.sampler.reverse:
            return sp.Integer(1)
        return _slot(f"mean e^(-{power} tau)", lambda table: table.mean_decay(power), positive=True)

    def _squared_error(self, average: str) -> sp.Expr:
        """E|s_hat - s|^2 averaged over the steps, in the claim's clock."""
        mean = self._error_sum(sp.Integer(1), self.slope, sp.Integer(1))
        if self.chain is None:
            raise NotDefined("the score error of a claim without sampler")
        if average == "time" or (average == "sup" and (self.slope == 0 or not self.chain.sampler.reverse)):
            return mean
        if average == "integral":
            return self.count * h * mean
        raise NotDefined(f"score error in the average {average!r} with a slope")

    def _error_sum(self, a: sp.Expr, b: sp.Expr, square: sp.Expr) -> sp.Expr:
        """Mean over the steps of square (a c + b mu)^2 and of the spread of b x."""
        first, second = self._moment(1), self._moment(2)
        shift = a**2 * c**2 + 2 * a * b * first * c * m + b**2 * second * m**2
        return square * (shift + d * b**2 * (1 + R * second))

    # -- quantities

    def _quantity(self, quantity: Quantity) -> sp.Expr:
        name, laws = quantity.spec.name, [self._law(item) for item in quantity.args]
        if name == "PathKL":
            return self._path_kl()
        if name == "ScoreError":
            return self.count * h * self._squared_error("time")
        if name in ("J", "M2", "FI", "ScoreRate") and "output" not in laws:
            return self._moments(name, laws)
        if len(laws) < 2:
            raise NotDefined(f"{quantity} has no interval form")
        if "output" in laws:
            return self._of_output(name, laws)
        return self._forward(name, laws)

    def _law(self, item: sp.Basic) -> Any:
        """The forward time of a law on the unit clock, or "output"."""
        if isinstance(item, q):
            return self.written(item.args[0]) * self.speed
        times = {
            "target": sp.Integer(0),
            "q_T": self._symbol(T) * self.speed,
            "q_delta": self._fixed(delta) * self.speed,
            "gamma": sp.oo,
            "output": "output",
            "start": self._symbol(T) * self.speed if self.claim.setup.start == "q_T" else sp.oo,
        }
        if str(item) not in times:
            raise NotDefined(f"{item}: no interval form of this law")
        return times[str(item)]

    def _moments(self, name: str, laws: list[Any]) -> sp.Expr:
        y = sp.exp(-2 * laws[0])
        if name == "M2":
            return d * (1 + R * y) + m**2 * y
        if name == "J":
            return d / self._variance(laws[0])
        if name == "ScoreRate":
            return self.speed**2 * d * R**2 * y**2 / self._variance(laws[0]) ** 3
        if laws[1] != sp.oo:
            raise NotDefined("relative Fisher information of two forward laws")
        return d * R**2 * y**2 / self._variance(laws[0]) + m**2 * y

    def _variance(self, time: sp.Expr) -> sp.Expr:
        if time in (0, sp.oo):
            return lam if time == 0 else sp.Integer(1)
        return _slot(f"S({time})", lambda table: _forward_variance(table, time), positive=True)

    def _forward(self, name: str, laws: list[Any]) -> sp.Expr:
        """KL, W2 and chi2 of two forward laws; one of them must be gamma."""
        p, r = laws
        if name == "W2" and sp.oo in laws:
            return sp.sqrt(self._gap_to_gamma(p if r == sp.oo else r))
        if name == "KL" and r == sp.oo:
            return self._forward_kl(p)
        if name == "KL" and p == sp.oo:
            return self._from_gamma(r)
        if name in ("TV", "Hellinger") and sp.oo in laws:
            time = p if r == sp.oo else r
            return self._overlap(
                name, f"q({time}), gamma", lambda table: (_excess(table, time), _drift(table, time))
            )
        if name == "chi2" and r == sp.oo:
            y = R * sp.exp(-2 * p)
            spread = _slot(f"1 - ({y})^2", _evaluated(1 - y**2))
            tail = _slot(f"1 - ({y})", _evaluated(1 - y))
            return sp.exp(-d * sp.log(spread) / 2 + m**2 * sp.exp(-2 * p) / tail) - 1
        raise NotDefined(f"{name} of two forward laws, neither of which is gamma")

    def _gap_to_gamma(self, time: sp.Expr) -> sp.Expr:
        """W2^2 to gamma: (sqrt S - 1)^2 = R^2 e^{-4t}/(1 + sqrt S)^2."""
        y = sp.exp(-2 * time)
        root = 1 + sp.sqrt(self._variance(time))
        return d * R**2 * y**2 / root**2 + m**2 * y

    def _forward_kl(self, time: sp.Expr) -> sp.Expr:
        if time == sp.oo:
            return sp.Integer(0)
        y = sp.exp(-2 * time)
        k = _slot(f"k({R * y})", lambda table: ratio(_excess(table, time)), positive=True)
        return d * R**2 * y**2 * k / 2 + m**2 * y / 2

    def _from_gamma(self, time: sp.Expr) -> sp.Expr:
        """KL(gamma, q_t): the ratio of variances is 1/S."""
        y, S = sp.exp(-2 * time), self._variance(time)

        def compute(table: Table) -> Enclosure:
            x = _excess(table, time)
            return ratio(_above(-x / (x + 1.0)))

        k = _slot(f"k(1/S({time}) - 1)", compute, positive=True)
        return d * R**2 * y**2 * k / (2 * S**2) + m**2 * y / (2 * S)

    # -- the sampler's output and path

    def _of_output(self, name: str, laws: list[Any]) -> sp.Expr:
        chain = self.chain
        if chain is None:
            raise NotDefined("the output of a claim without sampler")
        first = laws[0] == "output"
        other = laws[1] if first else laws[0]
        stop = delta * self.speed if chain.sampler.reverse else sp.Integer(0)
        stop = self._fixed(stop)
        if other != stop:
            raise NotDefined(f"{name} of the output and of a law other than q at its stopping time")
        size = R**2 if chain.scaled else sp.Integer(1)
        side = "output first" if first else "output last"
        if name == "KL":
            spread = _slot(f"spread in KL, {side}", lambda table: _spread_kl(table, first), nonnegative=True)
            return d * size * spread / 2 + self._means(
                f"KL to {stop}, {side}", lambda t: _precision(t, stop, first)
            )
        if name == "W2":
            spread = _slot(f"spread in W2 to {stop}", lambda table: _spread_w2(table, stop), nonnegative=True)
            return sp.sqrt(d * size * spread + self._means("W2", lambda t: Enclosure.exact(np.ones(t.size))))
        if name in ("TV", "Hellinger"):
            return self._overlap(name, f"output to {stop}", lambda t: (t.full_deviation, _deviated(t, stop)))
        if name == "chi2":
            log = _slot(f"log chi2, {side}", lambda table: _log_chi2(table, first))
            means = self._means(f"chi2 to {stop}, {side}", lambda t: _tail(t, stop, first))
            return sp.exp(d * log + means) - 1
        raise NotDefined(f"{name} of the output has no interval form")

    def _overlap(self, name: str, pair: str, laws: Callable[[Table], tuple[Enclosure, Enclosure]]) -> sp.Expr:
        """TV or Hellinger distance of N(0, I) and N(z e_1, (1 + x) I), with (x, z) from the table."""
        what = total_variation if name == "TV" else lost_affinity
        slot = _slot(f"{name} of {pair}", lambda t: what(*laws(t), t.of("d")), whole=True, nonnegative=True)
        return slot if name == "TV" else sp.sqrt(slot)

    def _means(self, name: str, weight: Callable[[Table], Enclosure]) -> sp.Expr:
        """The term weight (alpha m + beta c)^2, for the deviation of the output's mean."""
        aa = _slot(f"{name}: mm", lambda t: weight(t) * t.mean_slope.power(2), nonnegative=True)
        ab = _slot(f"{name}: mc", lambda t: weight(t) * (t.mean_slope * t.shift_slope))
        bb = _slot(f"{name}: cc", lambda t: weight(t) * t.shift_slope.power(2), nonnegative=True)
        return aa * m**2 + (2 * ab * m * c + bb * c**2 if self._has_shift else 0)

    @property
    def _has_shift(self) -> bool:
        return self.claim.score.kind == "estimated"

    def _path_kl(self) -> sp.Expr:
        chain = self.chain
        if chain is None or chain.sampler.name not in (*PATHS, "lmc"):
            raise NotDefined(f"PathKL of sampler {self.claim.setup.sampler!r} has no interval form")
        if chain.sampler.name == "lmc":
            return self._langevin_path()
        first, second = self._moment(1), self._moment(2)
        u = self.speed * h  # the step on the unit clock
        start = sp.Integer(0) if chain.start == "q_T" else self._forward_kl(self._symbol(T) * self.speed)
        size = R**2 if chain.sampler.name == "cds-ei" else sp.Integer(1)
        path = _slot("path", lambda table: table.path, nonnegative=True)
        total = d * u**2 * size * path
        slope = self.slope
        S = 1 + R * second
        rise = _step_slot("rise", E(1) - 1 - H, 2) * u**2  # integral of e^u - 1
        rises = _step_slot("rise^2", ((E(1) - 1) * (E(1) - 1)).integral(), 3) * u**3
        fade = _step_slot("fade", H - 1 + E(-1), 2) * u**2  # integral of 1 - e^{-u}
        error = self._error_sum(sp.Integer(1), slope, sp.Integer(1)) if self._has_shift else sp.Integer(0)
        if chain.sampler.name == "ddpm-ei":
            total += -2 * d * slope * fade + u * error
        elif chain.sampler.name == "cds-ei":
            total += -2 * d * slope * R * second * rise + u * error
            total += second * m**2 * (rises - 2 * slope * rise) - 2 * first * m * c * rise * self._shifted
        else:
            bend = _step_slot("bend", E(1) - E(-1) - 2 * H, 3) * u**3  # integral of e^u + e^{-u} - 2
            total += d * slope * (bend - rise * S) + u * error
            total += second * m**2 * (rises / 4 - slope * rise) - first * m * c * rise * self._shifted
        return start + self.count * total

    @property
    def _shifted(self) -> sp.Expr:
        return sp.Integer(1 if self._has_shift else 0)

    def _langevin_path(self) -> sp.Expr:
        u = self.speed * h
        psi = _slot("psi", lambda t: stationary_ratio(_enclosed(t.step) / t.of("lam")), positive=True)
        lag = u**2 * psi / lam**2  # y - 1 + e^{-y}, y = h/lam
        slope = self.slope
        spread = d * (2 * lag - 2 * slope * lam * lag + slope**2 * lam * u) / 4
        shift = u * (c * self._shifted + slope * m) ** 2 / 4
        return self._from_gamma_reversed() + self.count * (spread + shift)

    def _from_gamma_reversed(self) -> sp.Expr:
        """KL(target, gamma), the start of a Langevin sampler."""
        return self._forward_kl(sp.Integer(0))


def _step_slot(name: str, f: ExpPoly, power: int) -> Slot:
    return _slot(f"step {name}", lambda table: table.step_function(f, power), positive=True)


def _enclosed(pair: Any) -> Enclosure:
    return Enclosure(pair[0], pair[1])


def _evaluated(expr: sp.Expr) -> Callable[[Table], Enclosure]:
    return lambda table: table.interval(expr)


def _excess(table: Table, time: sp.Expr) -> Enclosure:
    """R e^{-2t}, above -1."""
    return _above(table.excess * table.interval(sp.exp(-2 * time))) if time != 0 else _above(table.excess)


def _drift(table: Table, time: sp.Expr) -> Enclosure:
    """The mean of q_t."""
    return table.of("m") * (table.interval(sp.exp(-time)) if time != 0 else 1.0)


def _deviated(table: Table, stop: sp.Expr) -> Enclosure:
    """The deviation of the output's mean in standard deviations of q at its stopping time."""
    mean = table.mean_slope * table.of("m") + table.shift_slope * table.of("c")
    return mean / _forward_variance(table, stop).sqrt()


def _above(x: Enclosure) -> Enclosure:
    return Enclosure(np.maximum(x.lo, -1.0), np.maximum(x.hi, -1.0))


def _forward_variance(table: Table, time: sp.Expr) -> Enclosure:
    if time == 0:
        return table.of("lam")
    decay = table.interval(sp.exp(-time))
    return table.variance(decay)


def _spread_kl(table: Table, first: bool) -> Enclosure:
    """The number x - log(1 + x), x = delta or -delta/(1 + delta); over R^2 when scaled."""
    full, part = table.full_deviation, table.deviation
    x = full if first else _above(-full / (full + 1.0))
    k = ratio(x)
    size = part if first else part / _positive(full + 1.0)
    value = size.power(2) * k
    assert table.chain is not None
    if table.chain.scaled:
        return value
    ends = [Enclosure.exact(end).power(2) * ratio(Enclosure.exact(end)) for end in (x.lo, x.hi)]
    top = np.maximum(ends[0].hi, ends[1].hi)
    inside = (x.lo <= 0) & (x.hi >= 0)
    bottom = np.where(inside, 0.0, np.minimum(ends[0].lo, ends[1].lo))
    return Enclosure(np.maximum(bottom, 0.0), np.maximum(top, bottom))


def _positive(x: Enclosure) -> Enclosure:
    return Enclosure(np.maximum(x.lo, 0.0), np.maximum(x.hi, 0.0))


def _precision(table: Table, stop: sp.Expr, first: bool) -> Enclosure:
    """Half the precision of the second law: 1/(2 S), or 1/(2 S (1 + delta))."""
    S = _forward_variance(table, stop)
    return 0.5 / (S if first else _positive(S * (table.full_deviation + 1.0)))


def _spread_w2(table: Table, stop: sp.Expr) -> Enclosure:
    """S (delta/(1 + sqrt(1 + delta)))^2, over R^2 when scaled."""
    root = _positive(table.full_deviation + 1.0).sqrt() + 1.0
    return _forward_variance(table, stop) * (table.deviation / root).power(2)


def _log_chi2(table: Table, first: bool) -> Enclosure:
    """-log(1 - x^2)/2 for the ratio 1 + x of the variances; infinite from x = 1 on."""
    full = table.full_deviation
    x = full if first else _above(-full / (full + 1.0))
    return -0.5 * _positive(1.0 - x.power(2)).log()


def _tail(table: Table, stop: sp.Expr, first: bool) -> Enclosure:
    """1/(v (1 - x)), v the variance of the second law."""
    full = table.full_deviation
    x = full if first else _above(-full / (full + 1.0))
    precision = 2.0 * _precision(table, stop, first)
    return precision / _positive(1.0 - x)


# -- normal form ---------------------------------------------------------------------------------------------


def _form(name: str, expr: sp.Expr) -> Form:
    expr = _shielded(expr)
    expanded = sp.expand(_decaying(sp.expand(expr)))
    parts: dict[tuple[int, int], list[sp.Expr]] = {}
    for term in sp.Add.make_args(expanded):
        powers = tuple(_power(term, s) for s in (m, c))
        rest = term / (m ** powers[0] * c ** powers[1])
        if _hides_means(rest):
            return Form(name, (Monomial((0, 0), sp.Integer(1), expr),))
        parts.setdefault(powers, []).append(rest)  # type: ignore[arg-type]
    monomials = []
    for powers, terms in sorted(parts.items()):
        content, core = _factored(sp.Add(*terms))
        if core != 0:
            monomials.append(Monomial(powers, content, core))
    return Form(name, tuple(monomials))


def _shielded(expr: sp.Expr) -> sp.Expr:
    """Powers such as (1 - h/lam)^N as slots: multiplied out, they would lose all their digits."""
    powers = [p for p in expr.atoms(sp.Pow) if isinstance(p.base, sp.Add) and p.exp.is_Integer and p.exp > 2]
    plain = [p for p in powers if not {m, c} & p.free_symbols]
    return expr.xreplace({p: _slot(str(p), _evaluated(p)) for p in plain})


def _decaying(expr: sp.Expr) -> sp.Expr:
    """1/(e^{ax} - 1) as e^{-ax}/(1 - e^{-ax}), which shares its rate with other terms."""
    sums = {
        p: p.exp
        for p in expr.atoms(sp.Pow)
        if p.exp.is_Integer and p.exp < 0 and isinstance(p.base, sp.Add) and p.base.has(sp.exp)
    }
    changed = {}
    for power, exponent in sums.items():
        terms = power.base.args
        rate = _fastest(terms)
        changed[power] = (rate * _denominator(sp.Add(*(sp.expand(t / rate) for t in terms)))) ** exponent
    return expr.xreplace(changed)


def _denominator(expr: sp.Expr) -> sp.Expr:
    """A sum in a denominator, as a slot, which sympy does not multiply out; a - a e^{-x} as a times the
    positive 1 - e^{-x}.
    """
    if len(expr.args) == 2:
        number, rest = sorted(expr.args, key=lambda term: not term.is_Rational)
        factor, decay = rest.as_coeff_Mul()
        falls = isinstance(decay, sp.exp) and bool(decay.args[0].is_negative)
        if number.is_Rational and number > 0 and factor == -number and falls:
            return number * _slot(f"1 - {decay}", _evaluated(1 - decay), formula=1 - decay, positive=True)
    return _slot(str(expr), _evaluated(expr), formula=expr)


def _fastest(terms: tuple[sp.Expr, ...]) -> sp.Expr:
    """The fastest growing exponential among the terms, one variable at a time."""
    logs = [_exponent(term) for term in terms]
    total = sp.Integer(0)
    for x in sorted(set().union(*(log.free_symbols for log in logs)), key=str):
        slopes = [log.coeff(x) for log in logs]
        if all(slope.is_Rational for slope in slopes):
            total += max(max(slopes), sp.Integer(0)) * x
    return sp.exp(total)


def _power(term: sp.Expr, s: sp.Symbol) -> int:
    exponent = term.as_powers_dict().get(s, 0)
    return int(exponent) if sp.sympify(exponent).is_Integer and exponent >= 0 else 0


def _factored(expr: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """(content, core) with expr = content * core: the content collects positive factors of all terms and even
    powers of R.
    """
    terms = sp.Add.make_args(sp.expand(expr))
    content = _common_rate(terms)
    for base, power in _common_powers(terms).as_powers_dict().items():
        if base == R:
            content *= base ** (power - power % 2)
        elif base.is_positive:
            content *= base**power
    cleared = _cleared(terms)
    if cleared != 1:
        written = {slot: slot.formula for slot in cleared.atoms(Slot)}
        core = sp.Add(*(sp.expand((term / content * cleared).xreplace(written)) for term in terms))
        further, core = _factored(core) if core != 0 else (sp.Integer(1), core)
        return content * further / cleared, core
    return content, _grouped(sp.Add(*(sp.expand(term / content) for term in terms)))


def _cleared(terms: tuple[sp.Expr, ...]) -> sp.Expr:
    """The positive denominators of the terms, which are in the way of exact cancellation."""
    powers: dict[sp.Expr, int] = {}
    for base, exponent in (item for term in terms for item in term.as_powers_dict().items()):
        if isinstance(base, Slot) and base.formula is not None and base.is_positive and exponent < 0:
            powers[base] = max(powers.get(base, 0), -int(exponent))
    return sp.Mul(*(base**n for base, n in powers.items()))


def _powers(term: sp.Expr) -> dict[sp.Expr, sp.Integer]:
    """Integer powers of the symbols of a product."""
    found = term.as_powers_dict()
    return {base: p for base, p in found.items() if isinstance(base, sp.Symbol) and p.is_Integer}


def _common_rate(terms: tuple[sp.Expr, ...]) -> sp.Expr:
    """The slowest of the exponentials e^{-a x} that all terms share."""
    logs = [_exponent(term) for term in terms]
    variables = set.union(*(log.free_symbols for log in logs))
    rate = sp.Integer(0)
    for x in sorted(variables, key=str):
        slopes = [log.coeff(x) for log in logs]
        if all(slope.is_Rational for slope in slopes):
            rate += (max(slopes) if max(slopes) < 0 else sp.Integer(0)) * x
    return sp.exp(rate)


def _exponent(term: sp.Expr) -> sp.Expr:
    return sp.expand(sum((f.args[0] for f in sp.Mul.make_args(term) if isinstance(f, sp.exp)), sp.Integer(0)))


def _grouped(expr: sp.Expr) -> sp.Expr:
    """Powers of h in Horner's form, so that a difference of two terms of one order is taken before they are
    multiplied.
    """
    groups: dict[int, list[sp.Expr]] = {}
    for term in sp.Add.make_args(expr):
        exponent = term.as_powers_dict().get(h, sp.Integer(0))
        if not exponent.is_Integer:
            return expr
        groups.setdefault(int(exponent), []).append(term / h**exponent)
    orders = sorted(groups, reverse=True)
    result, last = sp.Integer(0), orders[0]
    for order in orders:
        result = result * h ** (last - order) + _nested(sp.Add(*groups[order]))
        last = order
    return result * h**last


def _nested(expr: sp.Expr) -> sp.Expr:
    """The expression with its common factors in front."""
    terms = sp.Add.make_args(expr)
    if len(terms) == 1:
        return expr
    content = _common_rate(terms) * _common_powers(terms)
    if content == 1:
        return expr
    return sp.Mul(content, sp.Add(*(sp.expand(t / content) for t in terms)), evaluate=False)


def _common_powers(terms: tuple[sp.Expr, ...]) -> sp.Expr:
    powers = [_powers(term) for term in terms]
    return sp.Mul(*(base ** min(p.get(base, sp.Integer(0)) for p in powers) for base in powers[0]))
