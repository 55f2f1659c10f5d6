"""The checker's own score: claims changed a little, each change that makes one false must be refused.

Every change is classified before the search under test sees it: `properties.effects` compares the mutant
with its claim on a pool of cases that is drawn apart, says whether the change makes the claim stronger, and
whether a case of the pool already violates it. Only tightenings are judged. One that is not refused is
searched again, longer and from another seed: if the pool, by two roads, or that search finds it false, it was
missed. What no search violates is listed as true on all families we can simulate, with the largest ratio that
was seen; what cannot be told is listed as unclassified. Neither counts in the score.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from bounds.claim import Claim
from properties.effects import Effect, effect_of, pool_of
from properties.exam import examine, second_opinion
from properties.judging import judge, sharp_cases
from properties.measures import untestable
from properties.mutants import RAREST_FIRST, Mutant, mutants
from properties.record import environment
from properties.session import Settings
from properties.verdict import NoEffectiveCase, Verdict
from properties.workers import workers
from simulators.errors import NotDefined

__all__ = ["SCHEMA", "Work", "effects", "mapped", "mutate", "score_of", "sharpest", "unsuited"]

SCHEMA = "lesssim.mutation/2"
TRUE = ("holds", "bounded", "proved", "vacuous")
REFUSED = ("refuted", "diverges")
LONGER = 4.0  # nominal seconds of the second search
OTHER_SEED = 7919  # added to the seed of the second search, so that it is another one
FAILURES = (ValueError, KeyError, ArithmeticError)

Item = TypeVar("Item")


@dataclass(frozen=True)
class Work:
    """What is done to a claim.

    settings : of the search under test.
    limit    : mutants judged at most, one operator after the other, the rarest in the catalogue first, at
        random from the seed; None for all.
    """

    settings: Settings
    limit: int | None = None


def mutate(
    claims: Iterable[Claim],
    settings: Settings | None = None,
    limit: int | None = None,
    *,
    done: Mapping[str, dict[str, Any]] | None = None,
    on_done: Callable[[Claim, dict[str, Any], list[float]], None] | None = None,
) -> dict[str, Any]:
    """The results of judging the tightening mutants of the claims.

    limit   : mutants judged at most of each claim.
    done    : entries to reuse, by claim hash.
    on_done : called with each finished claim, its entry and the seconds that each mutant took.
    Claims that are expected to fail, or that have no measure, are listed as skipped.
    """
    work = Work(settings or Settings(), limit)
    asked = list(claims)
    why = {claim.key: unsuited(claim) for claim in asked}
    suited = [claim for claim in asked if not why[claim.key]]
    entries = {claim.hash: done[claim.hash] for claim in suited if done and claim.hash in done}
    todo = [claim for claim in suited if claim.hash not in entries]
    for index, (entry, seconds) in mapped(partial(entry_of, work), todo, work.settings.jobs):
        entries[todo[index].hash] = entry
        if on_done is not None:
            on_done(todo[index], entry, seconds)
    ordered = [entries[claim.hash] for claim in suited]
    return {
        "schema": SCHEMA,
        "environment": environment(work.settings.seed, work.settings.profile),
        "limit": limit,
        "claims": ordered,
        "score": score_of(ordered),
        "skipped": [{"key": key, "why": reason} for key, reason in why.items() if reason],
    }


def unsuited(claim: Claim) -> str:
    """Why the mutants of a claim are not judged, or an empty string."""
    if claim.expect not in TRUE:
        return f"expected to be {claim.expect}"
    return untestable(claim)


def effects(claim: Claim, changed: Sequence[Mutant], seed: int = 0) -> list[Effect]:
    """What each mutant does to the claim, in their order."""
    pool = pool_of(claim, seed)
    before = pool.seen(claim)
    return [effect_of(pool, before, mutant.claim) for mutant in changed]


def entry_of(work: Work, claim: Claim) -> tuple[dict[str, Any], list[float]]:
    """What became of the mutants of a claim, and the seconds that judging each one took."""
    changed = mutants(claim, sharpest(work.settings, claim))
    try:
        found = effects(claim, changed, work.settings.seed)
    except (NotDefined, *FAILURES):
        found = [Effect("unclear")] * len(changed)
    stronger = [
        (mutant, effect) for mutant, effect in zip(changed, found, strict=True) if effect.word == "tightening"
    ]
    rows, seconds = [], []
    for mutant, effect in _chosen(stronger, work, claim):
        began = time.process_time()
        verdict, why = _verdict(mutant.claim, work.settings)
        seconds.append(time.process_time() - began)
        rows.append(_row(work.settings, mutant, effect, verdict, why))
    counts = {word: sum(e.word == word for e in found) for word in ("tightening", "loosening", "unclear")}
    return {"key": claim.key, "hash": claim.hash, **counts, "mutants": rows}, seconds


def sharpest(settings: Settings, claim: Claim) -> float | None:
    """The largest ratio known: on the cases on which the claim is said to be tight, or from a search."""
    if not claim.is_stated or claim.relation == "==":
        return None
    try:
        known = [examine(claim, case).ratio for case in sharp_cases(claim)]
        if known:
            return max(known)
        verdict = judge(claim, seed=settings.seed + OTHER_SEED, effort=settings.effort, briefly=True)
    except (NotDefined, NoEffectiveCase, *FAILURES):
        return None
    return verdict.worst.ratio if verdict.worst and verdict.word == "holds" else None


def _chosen(
    stronger: Sequence[tuple[Mutant, Effect]], work: Work, claim: Claim
) -> list[tuple[Mutant, Effect]]:
    """At most ``limit`` at random, one operator after the other, rare ones first; in their own order."""
    if work.limit is None or work.limit >= len(stronger):
        return list(stronger)
    rng = np.random.default_rng([work.settings.seed, int(claim.hash, 16), 11])
    turns: dict[str, list[int]] = {}
    for i in rng.permutation(len(stronger)):
        turns.setdefault(stronger[i][0].operator, []).append(int(i))
    piles = [turns[operator] for operator in RAREST_FIRST if operator in turns]
    rounds = max(map(len, piles))
    picked = [pile[turn] for turn in range(rounds) for pile in piles if turn < len(pile)]
    return [stronger[i] for i in sorted(picked[: work.limit])]


def _row(
    settings: Settings, mutant: Mutant, effect: Effect, verdict: Verdict | None, why: str
) -> dict[str, Any]:
    """The row of one tightening mutant that was judged."""
    refused = verdict is not None and verdict.word in REFUSED
    truth, reason = ("false", why) if refused else _longer(settings, mutant, effect, verdict, why)
    return {
        "key": mutant.claim.key,
        "operator": mutant.operator,
        "change": mutant.reason,
        "statement": mutant.claim.statement_text(),
        "verdict": verdict.word if verdict is not None else "untested",
        "ratio": _ratio(verdict),
        "refused": refused,
        "pool": bool(effect.above),
        "truth": truth,
        "why": reason,
    }


def _longer(
    settings: Settings, mutant: Mutant, effect: Effect, verdict: Verdict | None, why: str
) -> tuple[str, str]:
    """What a mutant is that was not refused: false, true or unclassified; and why."""
    if any(_violated(mutant.claim, case) for case in effect.above):
        return "false", "missed: a case of the pool violates it, by two roads"
    if verdict is None or verdict.word == "untested":
        return "unclassified", why
    budget = max(LONGER, settings.budget or 0.0)
    longer, other = _verdict(mutant.claim, replace(settings, seed=settings.seed + OTHER_SEED, budget=budget))
    if longer is None:
        return "unclassified", other
    if longer.word in REFUSED:
        return "false", f"missed: a longer search finds it {longer.word}, ratio {_shown(longer)}"
    if longer.word in TRUE:
        return "true", f"{longer.word} on all families we can simulate, best ratio {_shown(longer)}"
    return "unclassified", f"{longer.word}: {longer.reason}"


def _violated(claim: Claim, case: Any) -> bool:
    try:
        exam = examine(claim, case)
        return exam.outcome == "above" and second_opinion(claim, exam)
    except FAILURES:
        return False


def _verdict(claim: Claim, settings: Settings) -> tuple[Verdict | None, str]:
    try:
        verdict = judge(claim, seed=settings.seed, effort=settings.effort, briefly=True)
    except NoEffectiveCase as error:
        return None, str(error)
    except FAILURES as error:
        return None, f"cannot be judged: {error}"
    return verdict, verdict.reason


def _ratio(verdict: Verdict | None) -> float | None:
    ratio = verdict.worst.ratio if verdict is not None and verdict.worst is not None else float("nan")
    return float(ratio) if np.isfinite(ratio) else None


def _shown(verdict: Verdict) -> str:
    ratio = _ratio(verdict)
    return "unbounded" if ratio is None else f"{ratio:.4g}"


def score_of(entries: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """How many of the mutants that are false were refused."""
    rows = [row for entry in entries for row in entry["mutants"]]
    truths = [row["truth"] for row in rows]
    false, refused = truths.count("false"), sum(row["refused"] for row in rows)
    return {
        "judged": len(rows),
        "false": false,
        "refused": refused,
        "missed": false - refused,
        "true": truths.count("true"),
        "unclassified": truths.count("unclassified"),
        "score": refused / false if false else None,
    }


def mapped(work: Callable[[Item], Any], items: Sequence[Item], jobs: int | None) -> Iterator[tuple[int, Any]]:
    """(index, result) as they come, by as many processes as asked."""
    count = min(jobs or os.cpu_count() or 1, len(items))
    if count <= 1:
        yield from ((index, work(item)) for index, item in enumerate(items))
        return
    with workers(count) as pool:
        futures = {pool.submit(work, item): index for index, item in enumerate(items)}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
