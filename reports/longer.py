"""The part of the checker's score that asks whether a longer search finds much worse cases.

Rows are kept in ``reports/mutation.json`` beside the score, so that a run can be done in pieces, and rendered
as a section of ``reports/MUTATION.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reports import wording
from reports.markdown import code, plain, table
from reports.record import Record

if TYPE_CHECKING:
    from properties.longer import Asked

__all__ = ["kept", "section", "sentence", "started"]

WORDS = ("within", "behind", "endless", "not refused")


def started(stored: Mapping[str, Any], asked: Asked, profile: str) -> Record:
    """The comparison in a store if it is of the same settings, else an empty one."""
    found: Record = stored.get("longer") or {}
    settings = {"factor": asked.factor, "size": asked.size, "seed": asked.seed, "profile": profile}
    same = {name: found.get(name) for name in settings} == settings
    return found if same else {**settings, "rows": []}


def kept(comparison: Mapping[str, Any]) -> dict[str, Record]:
    """Rows by the hash of their mutant."""
    return {row["hash"]: row for row in comparison["rows"]}


def sentence(comparison: Mapping[str, Any]) -> str:
    """What the comparison says, in one sentence."""
    counts = _counts(comparison)
    compared = counts["within"] + counts["behind"]
    left = f"{counts['endless']} beyond 1000 and not compared, {counts['not refused']} not refused"
    return (
        f"{counts['within']} of {compared} reported ratios are within 10% of the largest that a search "
        f"{wording.sig(comparison['factor'])} times longer finds; {left}"
    )


def section(comparison: Mapping[str, Any]) -> list[str]:
    """Lines of the page: the sentence, and the rows that were compared, those furthest behind first."""
    rows = sorted((row for row in comparison["rows"] if "part" in row), key=lambda row: row["part"])
    settings = f"seed {comparison['seed']}, {len(comparison['rows'])} of {comparison['size']} mutants done"
    head = (
        "mutant",
        "operator",
        "reported",
        "largest",
        "reported part",
        "cases",
        "cases of the longer search",
    )
    return [
        "## Against a longer search",
        "",
        f"**{plain(sentence(comparison))}** ({settings}).",
        "",
        "The sample: mutants of inequalities with a stated constant, one of each claim, from the operators",
        "in turn. Each is judged as a user would judge it, and searched again from other seeds. A ratio",
        "beyond 1000 grows along a ray until the search ends, and its size says nothing.",
        "",
        *table(head, map(_line, rows), right=range(2, 7)),
        "",
    ]


def _line(row: Mapping[str, Any]) -> Sequence[str]:
    numbers = (wording.sig(row["reported"], 4), wording.sig(row["largest"], 4), f"{row['part']:.3f}")
    return (code(row["key"]), row["operator"], *numbers, *map(str, row["cases"]))


def _counts(comparison: Mapping[str, Any]) -> dict[str, int]:
    words = [row["word"] for row in comparison["rows"]]
    return {word: words.count(word) for word in WORDS}
