"""From a search to a verdict, in the strict words: what may be said, with the number that defends it.

`judge` runs the whole way of one claim: search, exact examination of the worst cases, growth of the ratio,
witnesses, and the verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import sympy as sp

from bounds.claim import Claim
from bounds.quantity import Iterate
from properties.assess import assess
from properties.cases import Case
from properties.exact import BITS
from properties.exam import Exam, closeness, examine, second_opinion, violation
from properties.growth import Growth, beyond, growth_of
from properties.measures import untestable
from properties.population import Population
from properties.rates import Rate, rates_of, rates_on_rays
from properties.search import EFFORTS, Effort, Found, Rung, climb, ladder, sweep
from properties.shrink import natural, rounded, simplified
from properties.space import STEPLESS, Space, space_of
from properties.trials.judging import PACES, TARGET_PACES, Finding, find_trials
from properties.trials.models import ModelCase, ModelFamily
from properties.trials.targets import MixtureFamily, beyond_gaussians
from simulators.enclosure import weaker
from simulators.errors import NotDefined

__all__ = ["NoEffectiveCase", "Verdict", "Witness", "judge", "sharp_cases"]

OTHERS, SHAPES = "targets other than Gaussians", "score errors that are not affine"
LARGER = "mixtures that are not on a line, up to a rotation and an independent Gaussian"
"""What may be left untried."""

MARGIN = 1.1
"""A hidden constant is used with this factor above the largest ratio that was witnessed."""


class NoEffectiveCase(ValueError):
    """No drawn case meets the assumptions; ``assumption`` is the one that lets the fewest through."""

    def __init__(self, assumption: str, tried: int) -> None:
        super().__init__(f"no case of {tried} tried meets {assumption!r}")
        self.assumption = assumption
        self.tried = tried


@dataclass(frozen=True)
class Witness:
    """A case that violates the claim, in one of three roles: simplest, worst, natural."""

    kind: str
    exam: Exam


@dataclass
class Verdict:
    """The verdict on a claim and everything that was counted on the way to it."""

    claim: Claim
    word: str
    reason: str
    evidence: str = "none"
    worst: Exam | None = None
    witnesses: tuple[Witness, ...] = ()
    growth: Growth | None = None
    lower: float | None = None
    used: float | None = None
    tried: int = 0
    admissible: int = 0
    decided: int = 0
    undecided: int = 0
    touching: int = 0
    vacuous: int = 0
    points: list[tuple[float, float]] = field(default_factory=list)
    sharp: list[tuple[str, float, float]] = field(default_factory=list)
    not_tried: tuple[str, ...] = ()
    work: int = 0
    rates: tuple[Rate, ...] = ()
    needed: dict[str, float] = field(default_factory=dict)


def sharp_cases(claim: Claim) -> list[Any]:
    """The claim's own sharp cases, completed from its setup."""
    cases: list[Any] = []
    for sharp in claim.sharp:
        if claim.setup.model:
            cases.append(ModelCase.from_dict({"model": claim.setup.model, **dict(sharp.case)}))
            continue
        data = {"clock": claim.setup.clock, "sampler": claim.setup.sampler, **dict(sharp.case)}
        if claim.setup.start == "q_T":
            data.setdefault("start", "q_T")
        cases.append(Case.from_dict(data))
    return cases


def judge(
    claim: Claim,
    *,
    seed: int = 0,
    effort: Effort | str = "default",
    bits: Sequence[int] = BITS,
    briefly: bool = False,
) -> Verdict:
    """The verdict on one claim.

    seed   : all randomness derives from it and from the claim's hash.
    effort : a profile name or an `Effort`.
    bits   : ball precisions to try; empty takes the precision away, and equality cases stay undecided.
    briefly: stop at the first confirmed violation, without looking for a worse one or shrinking it.
    Raises NoEffectiveCase if no admissible case is found.
    """
    why = untestable(claim)
    if why:
        documented = claim.expect == "untested" and claim.note
        return Verdict(claim, "untested", claim.note if documented else why, not_tried=_not_tried(claim))
    if claim.setup.model:
        return _judge_model(claim, seed, effort, briefly=briefly)
    if claim.setup.target in ("mixture", "finite-support"):
        return _judge_targets(claim, seed, effort, briefly=briefly)
    work = EFFORTS[effort] if isinstance(effort, str) else effort
    for kind in (sp.Integral, Iterate):
        if any(expr.has(kind) for expr in claim.expressions):
            work = work.lighter
    sharp = sharp_cases(claim)
    cases, others = ([case for case in sharp if case.is_gaussian is own] for own in (True, False))
    entropy = [seed, int(claim.hash, 16)]
    try:
        rng = np.random.default_rng(entropy)
        space = space_of(claim)
        found = sweep(space, rng, work, cases)
        if briefly and claim.is_stated and found.ratio > 1.0:
            verdict = _decide(claim, space, found, [], replace(work, generations=0), entropy, bits)
            if verdict.word == "refuted":
                return verdict
        climb(space, found, rng, work)
        if claim.is_stated and found.admissible and found.ratio <= 1.0:
            outside = beyond(space, found.best.take([0]))
            if outside is not None and outside.above.any():
                steps = np.where(outside.above, outside.population.N, np.inf)  # the second road walks them
                found.note(assess(claim, outside.population.take([int(np.argmin(steps))])), 4 * work.parents)
        climbs = not claim.is_stated and bool(found.admissible)
        rungs = ladder(space, found, np.random.default_rng([*entropy, 1]), work) if climbs else []
    except NotDefined as error:
        return Verdict(claim, "untested", str(error), not_tried=_not_tried(claim))
    if not found.admissible:
        tightest = (
            min(found.passed, key=lambda name: found.passed[name])
            if found.passed
            else "the bound has a value"
        )
        raise NoEffectiveCase(tightest, found.tried)
    verdict = _decide(claim, space, found, rungs, work, entropy, bits)
    if (verdict.word != "refuted" if claim.is_stated else verdict.word == "bounded") and beyond_gaussians(
        claim
    ):
        ceiling = verdict.used if verdict.used is not None else -np.inf
        finding = _looked_beyond(claim, others, seed, effort, briefly=briefly, ceiling=ceiling)
        verdict = _beyond(verdict, finding)
    verdict.sharp = _sharp_ratios(claim, [*cases, *others], bits)
    verdict.rates = () if briefly else _rates(space)
    return verdict


def _judge_model(claim: Claim, seed: int, effort: Effort | str, *, briefly: bool) -> Verdict:
    """The verdict on a claim about a model, whose cases are looked at one by one."""
    from simulators.models import COSTLY

    pace = PACES[effort] if isinstance(effort, str) else PACES["deep" if effort.groups > 200 else "default"]
    if COSTLY & {s.name for s in claim.symbols}:
        pace = pace.lighter
    cases = sharp_cases(claim)
    rng = np.random.default_rng([seed, int(claim.hash, 16)])
    finding = find_trials(claim, ModelFamily(claim), rng=rng, pace=pace, sharp=cases, briefly=briefly)
    if not finding.found.admissible:
        raise NoEffectiveCase(finding.reason, finding.found.tried)
    verdict = _from_finding(claim, finding)
    verdict.sharp = _sharp_ratios(claim, cases, BITS)
    verdict.rates = () if briefly else tuple(rates_on_rays(claim))
    return verdict


def _judge_targets(claim: Claim, seed: int, effort: Effort | str, *, briefly: bool) -> Verdict:
    """The verdict on a claim about mixtures or atoms only."""
    cases = sharp_cases(claim)
    finding = _looked_beyond(claim, cases, seed, effort, briefly=briefly, alone=True)
    if finding.found.undefined == finding.found.tried:
        return Verdict(claim, "untested", finding.reason, not_tried=_not_tried(claim))
    if not finding.found.admissible:
        raise NoEffectiveCase(finding.reason, finding.found.tried)
    verdict = _from_finding(claim, finding)
    verdict.sharp = _sharp_ratios(claim, cases, BITS)
    return verdict


def _looked_beyond(
    claim: Claim,
    sharp: Sequence[Case],
    seed: int,
    effort: Effort | str,
    *,
    briefly: bool,
    ceiling: float = -np.inf,
    alone: bool = False,
) -> Finding:
    """What mixtures and atoms show.

    ceiling : a hidden constant that Gaussians have settled.
    alone   : whether there are no other cases: then more of them are looked at, where no sampler has to run.
    """
    name = effort if isinstance(effort, str) else "deep" if effort.groups > 200 else "default"
    rng = np.random.default_rng([seed, int(claim.hash, 16), 3])
    family = MixtureFamily.of(claim, planes=name == "deep")
    slow = claim.setup.sampler == "ulmc" or any(expr.has(sp.Integral) for expr in claim.expressions)
    pace = TARGET_PACES["quick" if slow and name == "default" else name]
    if alone and not slow and claim.setup.sampler == "none":
        pace = PACES[name]
    return find_trials(claim, family, rng=rng, pace=pace, sharp=sharp, briefly=briefly, ceiling=ceiling)


def _beyond(base: Verdict, finding: Finding) -> Verdict:
    """The verdict on Gaussians together with what other targets show."""
    claim, found = base.claim, finding.found
    base.tried += found.tried
    base.admissible += found.admissible
    base.vacuous += found.vacuous
    base.work += 4000 * found.tried
    if not found.admissible:
        return base
    base.not_tried = tuple(item for item in base.not_tried if item not in (OTHERS, SHAPES))
    base.not_tried += (LARGER,)
    worse = finding.worst is not None and (base.worst is None or finding.worst.ratio > base.worst.ratio)
    if claim.is_stated and finding.word in ("refuted", "undecided") and found.ratio > 1.0:
        other = _from_finding(claim, finding)
        other.points, other.not_tried = [*base.points, *other.points], base.not_tried
        other.tried, other.admissible, other.vacuous = base.tried, base.admissible, base.vacuous
        other.decided += base.decided
        return other
    silent = base.word == "vacuous" or (base.word == "undecided" and not base.decided)
    base.decided += finding.decided
    base.undecided += finding.undecided
    base.evidence = weaker(base.evidence, finding.evidence)
    if silent and finding.word == "holds":
        base.word = "holds"
    if not worse or finding.worst is None:
        base.reason = _agreement(base) if base.word == "holds" else base.reason
        return base
    if not claim.is_stated and base.used is not None and finding.worst.ratio > base.used:
        other = _from_finding(claim, finding)
        other.tried, other.admissible, other.not_tried = base.tried, base.admissible, base.not_tried
        return other
    base.worst = finding.worst
    if base.word == "holds":
        base.reason = _agreement(base)
    elif base.lower is not None:
        base.lower = finding.worst.ratio
        base.used = _rounded_up(MARGIN * base.lower)
    return base


def _from_finding(claim: Claim, finding: Finding) -> Verdict:
    found = finding.found
    lower = finding.worst.ratio if finding.worst and not claim.is_stated else None
    used = _rounded_up(MARGIN * lower) if lower is not None and finding.word == "bounded" else None
    return Verdict(
        claim,
        finding.word,
        finding.reason + (f"; C = {used:g} serves" if used is not None else ""),
        evidence=finding.evidence,
        worst=finding.worst,
        witnesses=tuple(Witness(kind, exam) for kind, exam in finding.witnesses),
        growth=finding.growth,
        lower=lower,
        used=used,
        tried=found.tried,
        admissible=found.admissible,
        decided=finding.decided,
        undecided=finding.undecided,
        vacuous=found.vacuous,
        points=found.points,
        not_tried=_not_tried(claim),
        work=4000 * found.tried,
    )


def _rates(space: Space) -> tuple[Rate, ...]:
    try:
        return tuple(rates_of(space))
    except ValueError:  # a term or a quantity without a value on an everyday case
        return ()


# -- deciding ------------------------------------------------------------------------------------------------


def _decide(
    claim: Claim,
    space: Space,
    found: Found,
    rungs: list[Rung],
    work: Effort,
    entropy: list[int],
    bits: Sequence[int],
) -> Verdict:
    base = Verdict(
        claim,
        "undecided",
        "",
        tried=found.tried,
        admissible=found.admissible,
        decided=found.below,
        touching=found.touching,
        undecided=found.open + found.touching,
        vacuous=found.vacuous,
        points=found.points,
        not_tried=_not_tried(claim),
        work=found.steps + 40 * found.tried,
        evidence=weaker(*found.levels) if found.levels else "none",
        needed={name: found.pressed[i][0] for i, name in enumerate(claim.terms) if i in found.pressed},
    )
    base.worst = _worst(claim, found, bits)
    if not claim.is_stated:
        return _hidden(base, space, found, rungs)
    if found.ratio > 1.0:
        return _violated(base, space, found, work, entropy, bits)
    return _upheld(base, found, work, bits)


def _worst(claim: Claim, found: Found, bits: Sequence[int]) -> Exam | None:
    for i in range(min(len(found.best), 5)):
        exam = examine(claim, found.best.case(i), bits)
        if exam.outcome != "outside":
            return exam
    return None


def _violated(
    base: Verdict, space: Space, found: Found, work: Effort, entropy: list[int], bits: Sequence[int]
) -> Verdict:
    confirmed = _confirmed(base.claim, found, bits)
    if confirmed is None:
        base.word, base.reason = (
            "undecided",
            "float enclosures show a violation that ball arithmetic or the second road does not confirm",
        )
        return base
    row, exam = confirmed
    base.word, base.evidence, base.worst = "refuted", exam.level, exam
    base.witnesses = _witnesses(base.claim, space, row, exam, work, entropy, bits)
    base.worst = max((w.exam for w in base.witnesses), key=lambda e: e.ratio, default=exam)
    base.reason = violation(base.claim.relation, base.worst.ratio)
    return base


def _confirmed(claim: Claim, found: Found, bits: Sequence[int]) -> tuple[Population, Exam] | None:
    """The worst violation that balls and the second road confirm; failing the very worst, one of ordinary
    size.
    """
    worst = [found.best.take([i]) for i in range(min(len(found.best), 8)) if found.scores[i] > 1.0]
    mild = [found.mild.take([i]) for i in range(len(found.mild))] if found.mild is not None else []
    for row in (*worst[:2], *mild, *worst[2:]):
        exam = examine(claim, row.case(0), bits)
        if exam.outcome == "above" and second_opinion(claim, exam):
            return row, exam
    return None


def _witnesses(
    claim: Claim,
    space: Space,
    row: Population,
    exam: Exam,
    work: Effort,
    entropy: list[int],
    bits: Sequence[int],
) -> tuple[Witness, ...]:
    if not work.generations:  # the violation is all that was asked for
        return ()
    rng = np.random.default_rng([*entropy, 2])
    worst = _first_valid(claim, [rounded(space, row), exam.case], bits) or exam
    simplest = _first_valid(claim, [simplified(space, row)], bits) or worst
    everyday = natural(space, row, rng, work)
    chosen = _first_valid(claim, [everyday] if everyday else [], bits) or simplest
    return Witness("simplest", simplest), Witness("worst", worst), Witness("natural", chosen)


def _first_valid(claim: Claim, cases: Sequence[Case], bits: Sequence[int]) -> Exam | None:
    for case in cases:
        exam = examine(claim, case, bits)
        if exam.outcome == "above" and second_opinion(claim, exam):
            return exam
    return None


def _upheld(base: Verdict, found: Found, work: Effort, bits: Sequence[int]) -> Verdict:
    exact = _settle(base, found, work, bits)
    if exact is not None:
        return exact
    if found.below == 0 and base.decided == 0:
        base.word, base.reason = "undecided", "no case could be decided; more precision would tell"
    elif found.vacuous >= found.admissible:
        base.word, base.reason = "vacuous", "the bound is trivial on every admissible case that was tried"
    else:
        base.word, base.reason = "holds", _agreement(base, found.ratio)
    return base


def _agreement(base: Verdict, seen: float = float("nan")) -> str:
    """What the decided cases of a claim that holds say; ``seen`` is the ratio where no case was examined."""
    if base.claim.relation == "==":
        return f"both sides agree on all {base.decided} decided cases"
    return closeness(base.decided, base.worst.ratio if base.worst else seen)


def _settle(base: Verdict, found: Found, work: Effort, bits: Sequence[int]) -> Verdict | None:
    """Decide in balls the closest cases and those that floats left open.

    Returns a verdict only if one of them violates the claim or stays open.
    """
    slow = any(expr.has(sp.Integral) for expr in base.claim.expressions)  # rigorous quadrature
    closest = [found.best.case(i) for i in range(min(len(found.best), 2 if slow else work.exact))]
    loose = found.unsettled[: 2 if slow else 4 * work.exact]
    still_open = 0 if bits else len(loose) + found.touching
    for i, case in enumerate([*closest, *loose] if bits else []):
        exam = examine(base.claim, case, bits)
        if exam.outcome == "above" and second_opinion(base.claim, exam):
            return _near_violation(base, exam)
        still_open += exam.outcome in ("open", "above")
        if i >= len(closest) and exam.outcome in ("below", "outside"):
            base.decided += exam.outcome == "below"
            base.undecided -= 1
    if not still_open:
        return None
    base.word = "undecided"
    base.reason = f"{still_open} cases near equality stay open; more precision would tell"
    return base


def _near_violation(base: Verdict, exam: Exam) -> Verdict:
    base.word, base.evidence, base.worst = "refuted", exam.level, exam
    base.reason = f"the ratio is {exam.ratio:.17g} on a near-equality case"
    base.witnesses = tuple(Witness(kind, exam) for kind in ("simplest", "worst", "natural"))
    return base


def _hidden(base: Verdict, space: Space, found: Found, rungs: list[Rung]) -> Verdict:
    growth, summit = growth_of(space, found.best.take([0]), rungs, polylog=base.claim.constant == "polylog")
    if base.worst is not None and summit.row is not None and summit.height > 1.001 * base.worst.ratio:
        exam = examine(base.claim, summit.row.case(0))
        base.worst = exam if exam.outcome != "outside" and exam.ratio > base.worst.ratio else base.worst
    base.growth, base.lower = growth, base.worst.ratio if base.worst else None
    if base.worst is None or (not np.isfinite(found.ratio) and found.ratio < 0):
        base.reason = "no case could be decided"
    elif base.worst.lhs.lo > 0 and np.isinf(base.worst.ratio):
        vanishes = bool(np.isfinite(base.worst.lhs.lo))
        ray = "the right side -> 0" if vanishes else "the left side -> oo"
        base.word, base.evidence = "diverges", base.worst.level
        base.growth = replace(growth, ray=ray, law="infinite", unbounded=True, settled=False)
        base.reason = (
            "the right side vanishes on an admissible case on which the left side does not"
            if vanishes
            else "the left side is infinite on an admissible case on which the right side is finite"
        )
    elif growth.unbounded:
        base.word, base.evidence = "diverges", base.worst.level
        base.reason = (
            f"the ratio grows without bound along {growth.ray} ({growth.describe()}); "
            f"it forces C >= {base.worst.ratio:.3g} already"
        )
    elif growth.settled:
        base.word = "bounded"
        base.used = _rounded_up(max(MARGIN, growth.to_come) * base.worst.ratio)
        manner = "flat" if growth.to_come < MARGIN else "levelling off"
        seen = f"the supremum seen is {base.worst.ratio:.4g}, {manner} as the box is extended"
        base.reason = f"{seen}; C = {base.used:g} serves"
    else:
        tops = ", ".join(f"{rung.height:.3g}" for rung in rungs)
        base.reason = f"the supremum still grows slowly as the box is extended ({tops})"
    return base


def _rounded_up(value: float) -> float:
    """The next number with two significant digits."""
    if not (np.isfinite(value) and value > 0):
        return value
    scale = 10.0 ** (np.floor(np.log10(value)) - 1)
    return float(f"{np.ceil(value / scale * (1 - 1e-12)) * scale:.6g}")


def _sharp_ratios(claim: Claim, cases: Sequence[Case], bits: Sequence[int]) -> list[tuple[str, float, float]]:
    return [
        (sharp.name, examine(claim, case, bits or BITS).ratio, sharp.attains)
        for sharp, case in zip(claim.sharp, cases, strict=True)
    ]


def _not_tried(claim: Claim) -> tuple[str, ...]:
    if claim.setup.model:
        return ("parameters outside the ranges of the model",)
    missing = []
    if claim.setup.target == "any":
        missing.append(OTHERS)
    if claim.score.kind == "estimated":
        missing.append(SHAPES)
    if claim.setup.sampler not in STEPLESS:
        most = space_of(claim).limits["N"][1]
        missing.append(f"more than {most:g} steps")
    if claim.setup.grid == "any":
        missing.append("grids other than uniform, geometric, balanced and a few random ones")
    return tuple(missing)


def worst_terms(claim: Claim, case: Any) -> list[tuple[str, float, float]]:
    """Value ends of each term of the right side on a case, as (name, lo, hi)."""
    from properties.evaluate import FLOATS, evaluate
    from properties.measures import Measures
    from properties.space import space_of

    if not (isinstance(case, Case) and case.is_gaussian):
        road = case.floats(claim.score.average)
        values = [
            road.value(term if not claim.is_stated else claim.constant * term)
            for term in claim.terms.values()
        ]
        return [(name, float(v.lo), float(v.hi)) for name, v in zip(claim.terms, values, strict=True)]
    population = assess(
        claim, Population.of([case], claim.setup, list(space_of(claim).parameters))
    ).population
    if not len(population):
        return []
    measures = Measures(claim, population)
    rows = []
    for name, term in claim.terms.items():
        value = evaluate(term if not claim.is_stated else claim.constant * term, measures, FLOATS)
        rows.append((name, float(np.ravel(value.lo)[0]), float(np.ravel(value.hi)[0])))
    return rows
