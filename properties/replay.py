"""Saved witnesses: a claim and a case as plain data, examined again from scratch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bounds.claim import Claim
from bounds.errors import ClaimError
from properties.exam import examine, second_opinion
from properties.trials.reading import read_case

__all__ = ["SCHEMA", "replay", "witness_file"]

SCHEMA = "lesssim.witness/1"


def witness_file(claim: Claim, case: Mapping[str, Any]) -> dict[str, Any]:
    """The plain data of a witness file."""
    return {"schema": SCHEMA, "claim": claim.to_dict(), "witness": {"case": dict(case)}}


def replay(data: Mapping[str, Any]) -> dict[str, Any]:
    """Examine a saved witness again.

    Returns key, lhs, rhs, ratio, verdict ("refuted" if the case violates the claim on both roads, "holds" if
    it lies below the bound, "undecided" otherwise) and evidence. Raises ClaimError naming what is missing or
    wrong.
    """
    if not isinstance(data, Mapping) or data.get("schema") != SCHEMA:
        found = data.get("schema") if isinstance(data, Mapping) else data
        raise ClaimError("schema", found, f"{SCHEMA!r}")
    for name in ("claim", "witness"):
        if name not in data:
            raise ClaimError(name, None, f"the {name} of a saved witness")
    claim = Claim.from_dict(data["claim"])
    case = read_case(data["witness"].get("case"))
    exam = examine(claim, case)
    verdict = {"below": "holds", "above": "undecided"}.get(exam.outcome, "undecided")
    if exam.outcome == "above" and second_opinion(claim, exam):
        verdict = "refuted"
    ends = {
        side: [float(np.ravel(value.lo)[0]), float(np.ravel(value.hi)[0])]
        for side, value in (("lhs", exam.lhs), ("rhs", exam.rhs))
    }
    return {
        "key": claim.key,
        **ends,
        "ratio": exam.ratio,
        "verdict": verdict,
        "outcome": exam.outcome,
        "evidence": exam.level,
    }
