"""A session: many claims judged, each with its planted falsehoods, in one process or several.

The results do not depend on the number of processes, on the order in which they finish, or on the time they
take.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from bounds.claim import Claim
from bounds.errors import ClaimError
from properties.judging import judge
from properties.record import SCHEMA, claim_record, environment
from properties.search import EFFORTS, Effort
from properties.verdict import NoEffectiveCase, Verdict
from properties.workers import workers
from simulators.errors import InputError

__all__ = ["EXECUTORS", "PROFILES", "Settings", "judge_one", "refute", "verify"]

PROFILES = tuple(EFFORTS)

EXECUTORS = ("processes", "dask")
"""What runs the claims: processes of this machine, or the workers of a dask cluster."""


@dataclass(frozen=True)
class Settings:
    """How much to look at.

    profile : "quick", "default" or "deep".
    seed    : of all randomness.
    jobs    : processes; None takes one a core.
    budget  : nominal seconds a claim, which scale the effort of the profile; None leaves it as it is.
    executor : one of EXECUTORS.   cluster : address of a dask scheduler, such as tcp://host:8786; None starts
        a cluster on this machine. The records are the same whatever runs the claims.
    """

    profile: str = "default"
    seed: int = 0
    jobs: int | None = None
    budget: float | None = None
    strict: bool = False
    executor: str = "processes"
    cluster: str | None = None

    def __post_init__(self) -> None:
        if self.profile not in EFFORTS:
            raise InputError("profile", self.profile, f"expected one of {', '.join(EFFORTS)}")
        if self.budget is not None and not 0 < self.budget < 1e7:
            raise InputError("budget", self.budget, "expected nominal seconds > 0")
        if self.jobs is not None and self.jobs < 1:
            raise InputError("jobs", self.jobs, "expected at least one process")
        if self.executor not in EXECUTORS:
            raise InputError("executor", self.executor, f"expected one of {', '.join(EXECUTORS)}")
        if self.cluster is not None and self.executor != "dask":
            raise InputError(
                "cluster", self.cluster, "expected the executor to be dask where a cluster is named"
            )

    @property
    def effort(self) -> Effort:
        """The effort of the profile, scaled by the budget (the default profile is about two nominal seconds a
        claim).
        """
        base = EFFORTS[self.profile]
        if self.budget is None:
            return base
        factor = self.budget / 2.0
        reference = EFFORTS["default"]
        return replace(
            reference,
            groups=max(8, round(reference.groups * factor)),
            generations=max(8, min(400, round(reference.generations * factor))),
            rungs=6,
        )


def judge_one(
    claim: Claim, file: str, settings: Settings, falsehoods: Sequence[Claim] = ()
) -> dict[str, Any]:
    """The record of one claim; its planted falsehoods are judged too, with the same effort.

    Raises ClaimError if no case can meet the assumptions.
    """
    verdict = _judged(claim, settings)
    checks = []
    for falsehood in falsehoods:
        outcome = _judged(falsehood, settings, briefly=True)
        ratio = outcome.worst.ratio if outcome.worst else float("nan")
        checks.append(
            {
                "key": falsehood.key,
                "statement": falsehood.statement_text(),
                "expected": falsehood.expect,
                "verdict": outcome.word,
                "ratio": ratio if abs(ratio) < 1e300 else None,
                "refused": falsehood.accepts(outcome.word),
            }
        )
    record = claim_record(verdict, file, checks)
    if file == "catalogue":
        from properties.waterfall import proofs_of

        proofs = proofs_of(claim, seed=settings.seed)
        return {**record, "proofs": proofs} if proofs else record
    return record


def _judged(claim: Claim, settings: Settings, *, briefly: bool = False) -> Verdict:
    try:
        return judge(claim, seed=settings.seed, effort=settings.effort, briefly=briefly)
    except NoEffectiveCase as error:
        raise ClaimError(
            "assuming",
            error.assumption,
            f"an assumption that some case meets; none of {error.tried} tried does",
        ) from error


def _work(
    task: tuple[int, str, Claim, Settings, tuple[Claim, ...]],
) -> tuple[int, dict[str, Any] | ClaimError]:
    index, file, claim, settings, falsehoods = task
    try:
        return index, judge_one(claim, file, settings, falsehoods)
    except ClaimError as error:
        place = error.file or ("" if file == "catalogue" else file)
        return index, ClaimError(f"{claim.key}: {error.field}", error.value, error.expected, place)
    except Exception as error:  # one claim that cannot be judged must not take the others with it
        place = "" if file == "catalogue" else file
        what = f"a claim that can be judged; {type(error).__name__}: {error}"
        return index, ClaimError("claim", claim.key, what, place)


def verify(
    entries: Iterable[tuple[str, Claim]],
    settings: Settings = Settings(),
    *,
    falsehoods: Iterable[Claim] = (),
    on_start: Callable[[str], None] | None = None,
    on_done: Callable[[dict[str, Any]], None] | None = None,
    done: Mapping[str, dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Judge claims and return the results record.

    entries    : (file, claim) pairs, in the order of the report.
    falsehoods : planted falsehoods; each is judged with the claim whose key it extends.
    on_start, on_done : called in this process, as work begins and ends.
    done       : records to reuse, by claim hash.
    """
    planted: dict[str, list[Claim]] = {}
    for falsehood in falsehoods:
        planted.setdefault(falsehood.key.partition("!")[0], []).append(falsehood)
    tasks = [
        (i, file, claim, settings, tuple(planted.get(claim.key, ())))
        for i, (file, claim) in enumerate(entries)
    ]
    known = done or {}
    outcomes: dict[int, dict[str, Any] | ClaimError] = {
        t[0]: known[t[2].hash] for t in tasks if t[2].hash in known
    }
    todo = [task for task in tasks if task[0] not in outcomes]
    for index, outcome in _run(todo, settings, on_start):
        outcomes[index] = outcome
        if on_done is not None and not isinstance(outcome, ClaimError):
            on_done(outcome)
    ordered = [outcomes[task[0]] for task in tasks]
    errors = [_error(outcome) for outcome in ordered if isinstance(outcome, ClaimError)]
    results: dict[str, Any] = {
        "schema": SCHEMA,
        "environment": environment(settings.seed, settings.profile),
        "claims": [outcome for outcome in ordered if not isinstance(outcome, ClaimError)],
    }
    return {**results, "errors": errors} if errors else results


def _error(error: ClaimError) -> dict[str, Any]:
    return {"file": error.file, "field": error.field, "value": repr(error.value), "message": str(error)}


def _run(
    tasks: Sequence[Any], settings: Settings, on_start: Callable[[str], None] | None
) -> Iterable[tuple[int, dict[str, Any] | ClaimError]]:
    count = min(settings.jobs or os.cpu_count() or 1, len(tasks))
    if count <= 1 and settings.executor == "processes":
        for task in tasks:
            if on_start is not None:
                on_start(task[2].key)
            yield _work(task)
        return
    with _pool(settings, count) as pool:
        futures = {}
        for task in tasks:
            futures[pool.submit(_work, task)] = task
            if on_start is not None:
                on_start(task[2].key)
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


@contextmanager
def _pool(settings: Settings, count: int) -> Iterator[Executor]:
    if settings.executor == "processes":
        with workers(count) as pool:
            yield pool
        return
    try:
        from distributed import Client
    except ImportError:
        expected = "expected the extra of that name to be installed: pip install 'lesssim[dask]'"
        raise InputError("executor", "dask", expected) from None
    local = {"n_workers": max(1, count), "threads_per_worker": 1, "dashboard_address": None}
    try:
        client = Client(settings.cluster) if settings.cluster else Client(**local)
    except (OSError, ValueError) as error:
        expected = f"expected the address of a dask scheduler that answers, such as tcp://host:8786; {error}"
        raise InputError("cluster", settings.cluster, expected) from None
    with client, client.get_executor() as pool:
        yield pool


def refute(
    claim: Claim, settings: Settings = Settings(profile="deep"), file: str = "catalogue"
) -> dict[str, Any]:
    """The record of one claim after a deep search for a violation."""
    return judge_one(claim, file, settings)
