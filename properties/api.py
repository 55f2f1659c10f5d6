"""What the public API calls: verify claims, refute one, check one case, replay a witness."""

from __future__ import annotations

from typing import Any

from bounds.claim import Claim
from properties import session
from properties.cases import Case
from properties.exam import Exam, examine
from properties.session import Settings
from properties.trials.models import ModelCase
from simulators.enclosure import Enclosure
from simulators.errors import InputError

__all__ = ["check", "measure", "refute", "replay", "verify"]


def verify(*claims: Claim, profile: str = "default", seed: int = 0, jobs: int | None = 1) -> dict[str, Any]:
    """The results record of some claims; for a single claim, its own record.

    >>> import lesssim as ls
    >>> bound, setup = ls.sqrt(ls.KL("target", "gamma") / 2), ls.Setup(clock="unit")
    >>> pinsker = ls.Claim(key="note/pinsker", lhs=ls.TV("target", "gamma"), terms=bound, setup=setup)
    >>> ls.verify(pinsker, profile="quick")["verdict"]
    'holds'
    """
    for claim in claims or [None]:
        if not isinstance(claim, Claim):
            raise InputError("claims", claim, "expected claims; those of a file are read by load")
    results = session.verify(
        [("memory", claim) for claim in claims], Settings(profile=profile, seed=seed, jobs=jobs)
    )
    if "errors" in results:
        raise ValueError(results["errors"][0]["message"])
    record: dict[str, Any] = results["claims"][0]
    return record if len(claims) == 1 else results


def refute(claim: Claim, *, profile: str = "deep", seed: int = 0) -> dict[str, Any]:
    """The record of a claim after a deep search for a violation."""
    _of("claim", claim, Claim)
    return session.refute(claim, Settings(profile=profile, seed=seed), "memory")


def check(claim: Claim, case: Case | ModelCase) -> Exam:
    """Both sides of a claim on one case, in ball arithmetic."""
    _of("claim", claim, Claim)
    _of("case", case, Case | ModelCase)
    return examine(claim, case)


def measure(formula: str, case: Case | ModelCase) -> Enclosure:
    """The value of a formula on a case, as `Case.measure`."""
    _of("case", case, Case | ModelCase)
    return case.measure(formula)


def _of(name: str, value: object, kind: Any) -> None:
    if not isinstance(value, kind):
        kinds = " or ".join(one.__name__ for one in getattr(kind, "__args__", (kind,)))
        raise InputError(name, value, f"expected a {kinds}")


def replay(witness: dict[str, Any]) -> dict[str, Any]:
    """Examine a saved witness again; see `properties.replay`."""
    from properties.replay import replay as run

    return run(witness)
