"""Checking a derivation: every link as a claim, and where the slack of the whole is made.

The links are judged one by one by the machinery for claims; the first that fails is the first broken step,
with its witness. All expressions are also evaluated on the same cases, so that the loss from the true
quantity to the stated bound is split between the links: the waterfall.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from bounds.claim import Claim
from bounds.derivation import Cases, Derivation, Split, check_lemmas
from bounds.errors import ClaimError
from bounds.notation import symbol
from bounds.quantity import Iterate
from properties.admissible import raise_constants
from properties.assess import assess
from properties.cases import Case
from properties.evaluate import FLOATS, evaluate
from properties.measures import Measures
from properties.population import Population
from properties.search import Effort
from properties.space import draw, space_of
from properties.verdict import NoEffectiveCase, Verdict, judge
from simulators.errors import NotDefined

__all__ = ["BROKEN", "Checked", "Derived", "Loss", "derive", "joint", "losses", "share"]

Array = NDArray[np.float64]
BROKEN = ("refuted", "diverges")
SHARP = 1e-6
"""Relative width above which a float enclosure is too wide to split slack with."""

DRAWN = (30, 24)
"""Grids and targets on which the slack is measured."""


@dataclass(frozen=True)
class Checked:
    """One link with its verdict.

    lemma    : what justifies it.
    symbolic : whether the inequality was also shown for all parameters by algebra.
    """

    claim: Claim
    lemma: str
    verdict: Verdict
    symbolic: bool = False

    @property
    def name(self) -> str:
        """The link's own name, with its number."""
        return "/".join(self.claim.key.split("/")[2:]) or self.claim.key

    @property
    def broken(self) -> bool:
        """Whether a case violates the link."""
        return self.verdict.word in BROKEN


@dataclass(frozen=True)
class Loss:
    """The slack that one link adds to the whole, log(after/before), on three cases.

    typical : median over the cases.   largest : the most, and ``where`` it is.   at_tightest : on the case
        where the whole chain loses least.
    """

    name: str
    typical: float
    largest: float
    at_tightest: float
    where: Case | None


@dataclass(frozen=True)
class Derived:
    """What is known of a derivation.

    links     : checked, in order; those after the first broken one too, unless the check stopped there.
    losses    : the waterfall, in the order of the links; empty where the bound has no slack to split.
    uncovered : (step, case) of a case split whose assumptions leave a gap, or None.
    """

    derivation: Derivation
    links: tuple[Checked, ...]
    losses: tuple[Loss, ...]
    tightest: Case | None
    uncovered: tuple[str, Case] | None

    @property
    def broken(self) -> Checked | None:
        """The first link that fails."""
        return next((link for link in self.links if link.broken), None)

    @property
    def open(self) -> tuple[Checked, ...]:
        """Links about which the numerics cannot tell."""
        return tuple(link for link in self.links if link.verdict.word in ("undecided", "untested"))

    @property
    def word(self) -> str:
        """The verdict on the whole: refuted, undecided or holds."""
        if self.broken is not None or self.uncovered is not None:
            return "refuted"
        return "undecided" if self.open else "holds"

    @property
    def wasteful(self) -> Loss | None:
        """The link that loses most on the typical case."""
        return max(self.losses, key=lambda loss: loss.typical, default=None)


def derive(
    derivation: Derivation,
    *,
    profile: str | Effort = "default",
    seed: int = 0,
    until_broken: bool = False,
    progress: Callable[[Checked], None] = lambda _: None,
) -> Derived:
    """Check every link, and split the slack.

    profile      : how hard to look; "quick", or an `Effort`, looks at Gaussian targets only.
    until_broken : stop at the first broken link.
    progress     : called with every link as it is done.
    Raises ClaimError for an unknown lemma, or a link that no case meets.
    """
    check_lemmas((derivation,))
    links: list[Checked] = []
    for claim in derivation.claims:
        checked = _check(claim, derivation.lemmas[claim.key], profile, seed, until_broken)
        links.append(checked)
        progress(checked)
        if checked.broken and until_broken:
            return Derived(derivation, tuple(links), (), None, None)
    found, tightest, uncovered = losses(derivation, seed=seed)
    return Derived(derivation, tuple(links), found, tightest, uncovered)


def _check(claim: Claim, lemma: str, profile: str | Effort, seed: int, briefly: bool) -> Checked:
    looked = claim
    if (profile == "quick" or isinstance(profile, Effort)) and claim.setup.target == "any":
        looked = replace(claim, setup=replace(claim.setup, target="gaussian"))
    try:
        verdict = judge(looked, seed=seed, effort=profile, briefly=briefly)
    except NoEffectiveCase as error:
        raise ClaimError(
            f"{claim.key}: assuming", error.assumption, "assumptions that some case meets"
        ) from error
    if verdict.word == "vacuous":  # a bound above the trivial one is still a true step
        verdict.word = "holds"
    return Checked(claim, lemma, verdict, _symbolic(claim))


def _symbolic(claim: Claim) -> bool:
    """Whether algebra alone shows the link, for all values of symbols and quantities."""
    stand_ins = {item: sp.Symbol(str(item), nonnegative=True) for item in claim.quantities}
    gap = (claim.rhs - claim.lhs).xreplace(stand_ins)
    if gap.has(sp.Function) and not gap.atoms(sp.Function) <= gap.atoms(
        sp.exp, sp.log, sp.Abs, sp.Max, sp.Min
    ):
        return False
    shown = sp.factor_terms(sp.expand(gap, log=False))
    return bool(shown.is_zero or (claim.relation == "<=" and shown.is_nonnegative))


# -- the waterfall -------------------------------------------------------------------------------------------


def joint(derivation: Derivation) -> Claim:
    """A claim that speaks of everything in the derivation, so that one set of cases serves all links."""
    terms = {f"{place}": claim.rhs for place, claim in enumerate(derivation.claims)}
    return Claim(
        key=f"{derivation.key}/joint",
        lhs=derivation.first,
        terms={**terms, "last": derivation.last},
        assuming=derivation.assuming,
        setup=derivation.setup,
    )


def losses(
    derivation: Derivation, *, seed: int = 0
) -> tuple[tuple[Loss, ...], Case | None, tuple[str, Case] | None]:
    """The slack of every link on common cases, the tightest case, and a gap of a case split."""
    claim = joint(derivation)
    rng = np.random.default_rng([seed, int(claim.hash, 16)])
    try:
        drawn = draw(space_of(claim), rng, *DRAWN)
        if any(expr.has(Iterate) for expr in claim.expressions):  # for one number of steps at a time
            steps = np.sort(drawn.N)[len(drawn) // 2]
            drawn = drawn.take(steps == drawn.N)
        if symbol("L") in claim.symbols:  # infinite for a Dirac, and no slack to measure
            drawn = drawn.take(np.all(drawn.eigenvalues > 0, axis=1))
        population = assess(claim, drawn).population
        measures = Measures(claim, population)
        raise_constants(claim, measures)
        walk = _Waterfall(measures, len(population))
        walk.follow(derivation)
    except (NotDefined, ValueError):  # a value is missing on some case: no common cases to split on
        return (), None, None
    if not len(population):
        return (), None, None
    uncovered = (walk.gap[0], population.case(walk.gap[1])) if walk.gap else None
    return (*_summed(walk, population), uncovered)


def _summed(walk: _Waterfall, population: Population) -> tuple[tuple[Loss, ...], Case | None]:
    rows = np.stack([change for _, change in walk.changes])
    good = np.all(np.isfinite(rows), axis=0)
    if not np.any(good):
        return (), None
    total = np.where(good, np.where(good, rows, 0.0).sum(axis=0), np.inf)
    tightest = int(np.argmin(total))
    found = []
    for (name, _), row in zip(walk.changes, rows, strict=True):
        worst = int(np.argmax(np.where(good, row, -np.inf)))
        found.append(
            Loss(
                name,
                float(np.median(row[good])),
                float(row[worst]),
                float(row[tightest]),
                population.case(worst),
            )
        )
    return tuple(found), population.case(tightest)


class _Waterfall:
    """Follows the total through the links: log(after/before) of each, on every case."""

    def __init__(self, measures: Measures, size: int) -> None:
        self.measures, self.size = measures, size
        self.changes: list[tuple[str, Array]] = []
        self.gap: tuple[str, int] | None = None

    def value(self, expr: sp.Expr) -> Array:
        """The expression on every case; NaN where floats know fewer than six digits of it."""
        with np.errstate(all="ignore"):
            found = evaluate(expr, self.measures, FLOATS)
            known = found.width <= SHARP * np.abs(found.mid)
            return np.broadcast_to(np.where(known, found.mid, np.nan), (self.size,)).astype(np.float64)

    def follow(self, derivation: Derivation) -> None:
        """Collect the changes of the whole chain."""
        claims = dict(zip(derivation.names, derivation.claims, strict=True))
        spine = dict(derivation.spine)
        total = self.value(derivation.first)
        for number, step in enumerate(derivation.steps, 1):
            label = f"{number}-{step.name}"
            if isinstance(step, Cases):
                self._covered(step, label)
                total = self._change(label, total, self.value(spine[label]))
                continue
            total = self._change(label, total, self.value(claims[label].rhs))
            if isinstance(step, Split):
                for name, (_, links) in step.parts.items():
                    part = self.value(claims[label].terms[name])
                    for place, link in enumerate(links, 1):
                        inner = f"{label}.{name}.{place}-{link.name}"
                        after = self.value(claims[inner].rhs)
                        with np.errstate(all="ignore"):
                            moved = total - part + after
                        total, part = self._change(inner, total, moved), after

    def _change(self, name: str, before: Array, after: Array) -> Array:
        with np.errstate(all="ignore"):
            self.changes.append((name, np.log(after) - np.log(before)))
        return after

    def _covered(self, step: Cases, label: str) -> None:
        """Note a case that none of the assumptions of a case split covers."""
        held = np.zeros(self.size, dtype=bool)
        for assumption in step.cases:
            held |= self._holds(assumption)
        if not np.all(held):
            self.gap = self.gap or (label, int(np.flatnonzero(~held)[0]))

    def _holds(self, assumption: Any) -> NDArray[np.bool_]:
        from bounds.formula import parse_relation

        names = frozenset(self.measures.claim.setup.names)
        rel = parse_relation(assumption, parameters=names) if isinstance(assumption, str) else assumption
        left, right = self.value(rel.lhs), self.value(rel.rhs)
        return np.asarray(left >= right if isinstance(rel, sp.Ge | sp.Gt) else left <= right)


def share(loss: Loss, every: Sequence[Loss]) -> float:
    """The share of the typical slack that one link makes."""
    total = sum(max(item.typical, 0.0) for item in every)
    return max(loss.typical, 0.0) / total if total > 0 and math.isfinite(total) else 0.0
