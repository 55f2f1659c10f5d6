"""The checker's own score: claims changed a little, each change that makes one stronger must be refused.

`mutants` lists the changes. `effects` says, without any search, which of them make a claim stronger: both
claims are evaluated on the same random admissible cases, and a change is a tightening if lhs/rhs rises
somewhere (or a case is newly admitted). For a hidden constant a bounded factor is no change, so the ratio
must rise by `SPREAD`. Only tightenings are judged. One that is not refused is searched again, more deeply: if
that finds it false, it was missed; otherwise nothing we can simulate violates it, and it is left out of the
score, with the largest ratio that was seen. A mutant is "false" only where some search found a violation.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from typing import Any

import numpy as np
import sympy as sp

from bounds.claim import Claim
from bounds.errors import ClaimError
from bounds.notation import symbol
from bounds.quantity import KL, Iterate, PathKL, Quantity, chi2, law
from bounds.setup import AVERAGES, Score
from properties.assess import assess
from properties.population import Population
from properties.record import environment
from properties.session import Settings
from properties.space import draw, space_of
from properties.verdict import NoEffectiveCase, Verdict, judge
from simulators.errors import NotDefined

__all__ = ["SCHEMA", "SPREAD", "Mutant", "effects", "mutants", "mutate"]

SCHEMA = "lesssim.mutation/1"
SPREAD = 10.0
"""How much the ratio of a claim with a hidden constant must rise somewhere to count as a tightening."""

GROUPS, EACH = 60, 40  # grids and targets on which effects are decided
CERTAIN = 1e-9  # relative rise below which two ratios are equal
TRUE = ("holds", "bounded", "proved")
REFUSED = ("refuted", "diverges")
POWERS = (sp.Rational(-1), sp.Rational(-1, 2), sp.Rational(1, 2), sp.Rational(1))
SWAPS = (("T", "h"), ("d", "L"), ("T", "N"), ("KL0", "M2"), ("FI0", "KL0"))
JUST_BELOW = sp.Rational(97, 100)
LONGER = 8.0  # nominal seconds of the second search


@dataclass(frozen=True)
class Mutant:
    """A changed claim: which operator made it, and what it did, in a clause."""

    claim: Claim
    operator: str
    reason: str


# -- operators -----------------------------------------------------------------------------------------------


def mutants(claim: Claim, sharpest: float | None = None) -> list[Mutant]:
    """Every mutant of a claim, each once, in a fixed order.

    sharpest : the largest ratio lhs/rhs known for it; gives the constant just below the sharp one.
    """
    found: dict[str, Mutant] = {}
    for operator in _OPERATORS:
        for name, reason, changes in operator(claim):
            try:
                mutant = claim.but(name, **changes)
            except (ClaimError, ValueError, TypeError):
                continue  # a change that makes no claim
            if mutant.hash != claim.hash:
                found.setdefault(mutant.hash, Mutant(mutant, _operator_name(operator), reason))
    if claim.is_stated and sharpest is not None and 0 < sharpest < np.inf and claim.relation == "<=":
        constant = claim.constant * sp.Rational(str(round(sharpest, 6))) * JUST_BELOW
        below = claim.but("constant-below-sharp", constant=constant)
        found.setdefault(
            below.hash, Mutant(below, "constant", f"constant {float(constant):.4g}, below the sharp one")
        )
    return list(found.values())


Change = tuple[str, str, dict[str, Any]]


def _operator_name(operator: Callable[[Claim], Iterator[Change]]) -> str:
    return operator.__name__.strip("_").replace("_", " ")


def _slug(text: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in text).strip("-")


def _simple(term: sp.Expr) -> bool:
    return not term.has(Iterate, sp.Integral)


def _exponent(claim: Claim) -> Iterator[Change]:
    """A power of one symbol in one term changes by 1/2 or 1."""
    for name, term in claim.terms.items():
        if not _simple(term):
            continue
        for s in sorted(term.free_symbols & set(claim.symbols), key=str):
            for power in POWERS:
                step = _slug(str(power)) if power > 0 else "less-" + _slug(str(-power))
                yield (
                    f"exponent-{_slug(name)}-{s}-{step}",
                    f"{name}: times {s}^({power})",
                    {"terms": {name: term * s**power}},
                )


def _drop_term(claim: Claim) -> Iterator[Change]:
    for name in claim.terms if len(claim.terms) > 1 else ():
        yield f"without-{_slug(name)}", f"the term {name!r} is dropped", {"terms": {name: None}}


def _duplicate_term(claim: Claim) -> Iterator[Change]:
    for name, term in claim.terms.items():
        yield f"twice-{_slug(name)}", f"the term {name!r} counts twice", {"terms": {name: 2 * term}}


def _swap_symbols(claim: Claim) -> Iterator[Change]:
    """Two symbols trade places in one term."""
    for name, term in claim.terms.items():
        for first, second in SWAPS:
            a, b = symbol(first), symbol(second)
            if _simple(term) and a in term.free_symbols:
                changed = term.xreplace({a: b, b: a})
                yield (
                    f"swap-{_slug(name)}-{a}-{b}",
                    f"{name}: {a} and {b} trade places",
                    {"terms": {name: changed}},
                )


def _clock(claim: Claim) -> Iterator[Change]:
    other = "half" if claim.setup.clock == "unit" else "unit"
    yield f"{other}-clock", f"read on the {other} clock", {"setup": replace(claim.setup, clock=other)}


def _order_of_KL(claim: Claim) -> Iterator[Change]:
    """The two laws of a divergence on the left trade places."""
    turned = {
        atom: atom.func(*reversed(atom.args))
        for atom in claim.lhs.atoms(KL, chi2)
        if isinstance(atom, Quantity) and len(atom.args) == 2
    }
    if turned:
        yield "other-order", "the laws on the left trade places", {"lhs": claim.lhs.xreplace(turned)}


def _path_or_marginal(claim: Claim) -> Iterator[Change]:
    for one, other, word in ((KL, PathKL, "path"), (PathKL, KL, "marginal")):
        atoms = [atom for atom in claim.lhs.atoms(one) if law("output") in atom.args]
        if atoms:
            changed = claim.lhs.xreplace({atom: other(*atom.args) for atom in atoms})
            yield word, f"the {word} KL on the left", {"lhs": changed}


def _ends(claim: Claim) -> Iterator[Change]:
    """A quantity at the end of the horizon is taken at its start, or the other way."""
    for name, term in claim.terms.items():
        for old, new in (("q_T", "target"), ("target", "q_T")):
            changed = term.xreplace({law(old): law(new)})
            if changed != term:
                yield f"{_slug(name)}-at-{new}", f"{name}: {old} becomes {new}", {"terms": {name: changed}}


def _average(claim: Claim) -> Iterator[Change]:
    if claim.score.kind != "estimated" or claim.setup.sampler in ("none", "langevin"):
        return
    for average in AVERAGES:
        if average not in (claim.score.average, "output-sup"):
            setup = replace(claim.setup, score=Score("estimated", average))
            yield f"average-{average}", f"eps averaged as {average!r}", {"setup": setup}


def _assumption(claim: Claim) -> Iterator[Change]:
    for i, item in enumerate(claim.assuming):
        rest = (*claim.assuming[:i], *claim.assuming[i + 1 :])
        yield f"unless-{i + 1}", f"without the assumption {item}", {"assuming": rest}


def _dimension(claim: Claim) -> Iterator[Change]:
    d = symbol("d")
    for name, term in claim.terms.items():
        if _simple(term) and d in term.free_symbols:
            changed = term.xreplace({d: sp.sqrt(d)})
            yield f"root-d-{_slug(name)}", f"{name}: sqrt(d) for d", {"terms": {name: changed}}


def _logarithm(claim: Claim) -> Iterator[Change]:
    for name, term in claim.terms.items():
        logs = term.atoms(sp.log)
        if logs and _simple(term):
            changed = term.xreplace(dict.fromkeys(logs, sp.Integer(1)))
            yield f"no-log-{_slug(name)}", f"{name}: the logarithm is dropped", {"terms": {name: changed}}


_OPERATORS = (
    *(_exponent, _drop_term, _duplicate_term, _swap_symbols, _clock, _order_of_KL, _path_or_marginal, _ends),
    *(_average, _assumption, _dimension, _logarithm),
)


# -- effects -------------------------------------------------------------------------------------------------


def effects(claim: Claim, changed: Sequence[Mutant], seed: int = 0) -> list[str]:
    """For each mutant "tightening", "loosening", or "unclear" where it cannot be evaluated."""
    space = space_of(claim)
    rng = np.random.default_rng([seed, int(claim.hash, 16), 7])
    population = draw(space, rng, GROUPS, EACH)
    before = _ratios(claim, population)
    return [_effect(claim, before, mutant.claim, population) for mutant in changed]


def _ratios(claim: Claim, population: Population) -> np.ndarray:
    """The ratio lhs/rhs (rhs/lhs for a lower bound) of each row; NaN where the claim does not speak of it."""
    tags = {**population.parameters, "row": np.arange(len(population), dtype=float)}
    result = assess(claim, replace(population, setup=claim.setup, parameters=tags))
    ratios = np.full(len(population), np.nan)
    if len(result):
        rows = result.population.parameters["row"].astype(int)
        small, large = (result.lhs, result.rhs) if claim.relation != ">=" else (result.rhs, result.lhs)
        with np.errstate(all="ignore"):
            ratios[rows] = np.where(large.mid > 0, small.mid / large.mid, np.inf)
    return ratios


def _effect(claim: Claim, before: np.ndarray, mutant: Claim, population: Population) -> str:
    try:
        after = _ratios(mutant, population)
    except (ValueError, KeyError, ArithmeticError):
        return "unclear"
    spoken, admitted = ~np.isnan(before), ~np.isnan(after)
    if not (spoken & admitted).any():
        return "unclear"
    if (admitted & ~spoken).any() and len(mutant.assuming) < len(claim.assuming):
        return "tightening"
    with np.errstate(all="ignore"):
        rise = after[spoken & admitted] / before[spoken & admitted]
    rise = rise[~np.isnan(rise)]
    least = 1 + CERTAIN if claim.is_stated else SPREAD
    if claim.relation == "==":
        return "tightening" if bool(np.any(np.abs(rise - 1) > CERTAIN)) else "loosening"
    return "tightening" if bool(np.any(rise > least)) else "loosening"


# -- judging -------------------------------------------------------------------------------------------------


def mutate(
    claims: Iterable[Claim], settings: Settings | None = None, limit: int | None = None
) -> dict[str, Any]:
    """The results of judging every tightening mutant of the claims.

    limit : mutants judged at most, chosen at random from the seed over all claims.
    Claims that are expected to fail, or that no population of Gaussians stands for, are listed as skipped.
    """
    settings = settings or Settings()
    asked = list(claims)
    suited = [claim for claim in asked if not _unsuited(claim)]
    skipped = [{"key": claim.key, "why": _unsuited(claim)} for claim in asked if _unsuited(claim)]
    tasks: list[tuple[Claim, Mutant]] = []
    counts = {"loosening": 0, "unclear": 0}
    for claim, (changed, found) in zip(
        suited, _mapped(partial(_prepared, settings), suited, settings), strict=True
    ):
        for mutant, effect in zip(changed, found, strict=True):
            if effect == "tightening":
                tasks.append((claim, mutant))
            else:
                counts[effect] += 1
    total = len(tasks)
    if limit is not None and limit < total:
        rng = np.random.default_rng([settings.seed, total])
        tasks = [tasks[i] for i in sorted(rng.choice(total, limit, replace=False).tolist())]
    rows = _mapped(partial(_judged, settings), [mutant for _, mutant in tasks], settings)
    return {
        "schema": SCHEMA,
        "environment": environment(settings.seed, settings.profile),
        "mutants": [{"of": claim.key, **row} for (claim, _), row in zip(tasks, rows, strict=True)],
        "tightening": total,
        **counts,
        "score": _score(rows),
        "skipped": skipped,
    }


def _unsuited(claim: Claim) -> str:
    if claim.expect not in TRUE:
        return f"expected to be {claim.expect}"
    if claim.setup.model or claim.setup.target not in ("any", "gaussian"):
        return "not about Gaussian targets"
    return ""


def _prepared(settings: Settings, claim: Claim) -> tuple[list[Mutant], list[str]]:
    """The mutants of a claim and their effects."""
    sharpest = None
    if claim.is_stated and claim.relation == "<=":
        try:
            verdict = judge(claim, seed=settings.seed, effort=settings.effort, briefly=True)
            sharpest = verdict.worst.ratio if verdict.worst and verdict.word == "holds" else None
        except NoEffectiveCase:
            sharpest = None
    changed = mutants(claim, sharpest)
    try:
        return changed, effects(claim, changed, settings.seed)
    except (NotDefined, ValueError, KeyError):
        return changed, ["unclear"] * len(changed)


def _judged(settings: Settings, mutant: Mutant) -> dict[str, Any]:
    """The row of one tightening mutant."""
    verdict, why = _verdict(mutant.claim, settings)
    refused = verdict is not None and verdict.word in REFUSED
    truth = "false" if refused else "unknown"
    if verdict is not None and not refused and verdict.word != "untested":
        longer, _ = _verdict(mutant.claim, replace(settings, budget=max(LONGER, settings.budget or 0.0)))
        if longer is not None and longer.word in REFUSED:
            truth, why = "false", f"missed: a longer search finds it {longer.word}, ratio {_shown(longer)}"
        elif longer is not None and longer.word in TRUE:
            why = f"true on all families we can simulate, best ratio {_shown(longer)}"
        else:
            why = f"undecided: {longer.reason if longer is not None else why}"
    return {
        "key": mutant.claim.key,
        "operator": mutant.operator,
        "change": mutant.reason,
        "statement": mutant.claim.statement_text(),
        "verdict": verdict.word if verdict is not None else "untested",
        "ratio": _ratio(verdict),
        "refused": refused,
        "truth": truth,
        "why": why,
    }


def _verdict(claim: Claim, settings: Settings) -> tuple[Verdict | None, str]:
    try:
        verdict = judge(claim, seed=settings.seed, effort=settings.effort, briefly=True)
    except NoEffectiveCase as error:
        return None, str(error)
    except (ValueError, KeyError, ArithmeticError) as error:
        return None, f"cannot be judged: {error}"
    return verdict, verdict.reason


def _ratio(verdict: Verdict | None) -> float | None:
    ratio = verdict.worst.ratio if verdict is not None and verdict.worst is not None else float("nan")
    return float(ratio) if np.isfinite(ratio) else None


def _shown(verdict: Verdict) -> str:
    ratio = _ratio(verdict)
    return "unbounded" if ratio is None else f"{ratio:.4g}"


def _score(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How many of the truly false mutants were refused."""
    false = sum(row["truth"] == "false" for row in rows)
    refused = sum(row["refused"] for row in rows)
    return {
        "judged": len(rows),
        "false": false,
        "refused": refused,
        "missed": false - refused,
        "survivors": len(rows) - false,
        "score": refused / false if false else None,
    }


def _mapped(work: Callable[[Any], Any], items: Sequence[Any], settings: Settings) -> list[Any]:
    """The results in the order of the items, by as many processes as the settings allow."""
    workers = min(settings.jobs or os.cpu_count() or 1, len(items))
    if workers <= 1:
        return [work(item) for item in items]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_one_thread) as pool:
        return list(pool.map(work, items))


def _one_thread() -> None:
    """Each worker keeps to one core; runs before numba is imported there."""
    os.environ["NUMBA_NUM_THREADS"] = "1"
