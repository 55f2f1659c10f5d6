"""The checker's own score, as committed: what became of the mutants of every claim of the catalogue.

``reports/mutation.json`` keeps a small entry for each claim with its hash, so that an interrupted run goes on
and an edited claim is judged again; ``reports/MUTATION.md`` is rendered from it. Neither holds a version or a
time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.resources import files
from math import floor
from pathlib import Path
from typing import Any

from reports import longer, wording
from reports.markdown import code, plain, table
from reports.record import Record, RecordError, dump, read_json

__all__ = [
    "COLUMNS", "FORMAT", "PATH", "STORE", "Stored", "brief", "by_operator", "committed", "empty", "load",
    "render", "sentence", "text", "totals",
]  # fmt: skip

FORMAT = "lesssim.mutation/2"
PATH = "reports/MUTATION.md"
STORE = "mutation.json"
"""The name of the file of entries, which stands beside the page."""

Stored = dict[str, Any]
"""What the file holds: schema, settings, entries by key, and the claims that were skipped or not judged."""

SETTINGS = ("limit", "profile", "seed")
COLUMNS = ("judged", "false", "refused", "missed", "true", "unclassified")


def brief(entry: Mapping[str, Any]) -> Record:
    """An entry with the refused mutants as counts by operator: all, and those the pool refutes too."""
    refused: dict[str, list[int]] = {}
    for row in entry["mutants"]:
        if row["refused"]:
            tally = refused.setdefault(row["operator"], [0, 0])
            tally[0] += 1
            tally[1] += bool(row["pool"])
    others = [
        {name: row[name] for name in ("key", "operator", "change", "verdict", "truth", "pool", "why")}
        for row in entry["mutants"]
        if not row["refused"]
    ]
    counts = {name: entry[name] for name in ("hash", "tightening", "loosening", "unclear")}
    return {**counts, "refused": dict(sorted(refused.items())), "others": others}


def empty(settings: Mapping[str, Any]) -> Stored:
    """A store without entries."""
    return {
        "schema": FORMAT,
        "settings": {name: settings[name] for name in SETTINGS},
        "claims": {},
        "skipped": {},
        "waiting": [],
    }


def load(path: str | Path) -> Stored:
    """The entries in a file.

    Raises RecordError, in one line, when it cannot be used.
    """
    data = read_json(path)
    if not isinstance(data, dict) or data.get("schema") != FORMAT:
        found = data.get("schema", "(missing)") if isinstance(data, dict) else type(data).__name__
        raise RecordError(str(path), "schema", repr(found), repr(FORMAT))
    for name in ("settings", "claims", "skipped"):
        if not isinstance(data.get(name), dict):
            raise RecordError(str(path), name, repr(data.get(name)), "a table")
    return data


def committed() -> Stored | None:
    """The entries that came with this version, if any."""
    file = files("reports").joinpath(STORE)
    if not file.is_file():
        return None
    stored: Stored = json.loads(file.read_text(encoding="utf-8"))
    return stored


def totals(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Counts over all entries; ``pool`` and ``pool_refused`` count what is false before any search."""
    by = by_operator(stored)
    sums = {name: sum(row[name] for row in by.values()) for name in (*COLUMNS, "pool", "pool_refused")}
    return {**sums, "score": sums["refused"] / sums["false"] if sums["false"] else None}


def by_operator(stored: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Counts by operator, sorted."""
    rows: dict[str, dict[str, int]] = {}

    def row(operator: str) -> dict[str, int]:
        return rows.setdefault(operator, dict.fromkeys((*COLUMNS, "pool", "pool_refused"), 0))

    for entry in stored["claims"].values():
        for operator, (refused, pool) in entry["refused"].items():
            line = row(operator)
            for name in ("judged", "false", "refused"):
                line[name] += refused
            line["pool"] += pool
            line["pool_refused"] += pool
        for other in entry["others"]:
            line = row(other["operator"])
            line["judged"] += 1
            line[other["truth"]] += 1
            line["missed"] += other["truth"] == "false"
            line["pool"] += other["truth"] == "false" and other["pool"]
    return dict(sorted(rows.items()))


def sentence(stored: Mapping[str, Any]) -> str:
    """The score in one sentence."""
    counts = totals(stored)
    share = "" if counts["score"] is None else f" ({floor(1000 * counts['score']) / 10:g}%)"
    return f"{counts['refused']} of {counts['false']} false mutants refused{share}"


def render(stored: Mapping[str, Any]) -> str:
    """The page, as Markdown text."""
    counts, settings, claims = totals(stored), stored["settings"], stored["claims"]
    run = f"profile {settings['profile']}, seed {settings['seed']}"
    run += f", at most {settings['limit']} mutants of each claim" if settings["limit"] else ""
    judged = f"{counts['judged']} mutants of {wording.plural(len(claims), 'claim')} judged"
    lines = [
        "# The checker's own score",
        "",
        f"Written by `lesssim mutate --write`: {run}.",
        "",
        f"- **{sentence(stored)}**; {judged}",
        f"- known to be false before the search, from cases drawn apart: {counts['pool']}, "
        f"of them refused: {counts['pool_refused']}",
        f"- survivors: {counts['true']} that no search violates, {counts['unclassified']} unclassified; "
        "neither counts in the score",
        f"- changes that were not judged: {_sum(claims, 'loosening')} make no claim stronger, "
        f"{_sum(claims, 'unclear')} cannot be evaluated, {_beyond(stored)} are beyond the limit",
        "",
        "A mutant is a claim with one change. It is judged if the change makes the claim stronger somewhere.",
        "It is false if a case violates it by two independent roads (a stated constant), or if the ratio",
        "grows without bound (a hidden one). What the default search does not refuse is searched again, for",
        "longer and from another seed. Where a claim has more mutants than the limit, the operators take",
        "turns, those with the fewest mutants in the catalogue first.",
        "",
        *table(("operator", *COLUMNS), _lines(stored), right=range(1, 1 + len(COLUMNS))),
        "",
    ]
    for truth, title in (
        ("false", "Missed"),
        ("true", "Survivors that no search violates"),
        ("unclassified", "Unclassified"),
    ):
        lines += _listed(stored, truth, title)
    if stored.get("longer"):
        lines += longer.section(stored["longer"])
    if stored["waiting"]:
        lines += ["## Not judged yet", "", *(f"- {code(key)}" for key in stored["waiting"]), ""]
    if stored["skipped"]:
        lines += ["## Claims whose mutants prove nothing", ""]
        lines += [f"- {code(key)}: {plain(why)}" for key, why in sorted(stored["skipped"].items())]
    return "\n".join(lines).rstrip() + "\n"


def _lines(stored: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    for operator, line in by_operator(stored).items():
        yield (operator, *(str(line[name]) for name in COLUMNS))


def _listed(stored: Mapping[str, Any], truth: str, title: str) -> list[str]:
    """The mutants of one kind, by name, with the reason."""
    found = [
        other for key in sorted(stored["claims"]) for other in stored["claims"][key]["others"]
        if other["truth"] == truth
    ]  # fmt: skip
    if not found:
        return []
    rows = ((code(other["key"]), plain(other["change"]), plain(other["why"])) for other in found)
    return [f"## {title}", "", *table(("mutant", "change", "why"), rows), ""]


def _sum(claims: Mapping[str, Any], name: str) -> int:
    return sum(entry[name] for entry in claims.values())


def _beyond(stored: Mapping[str, Any]) -> int:
    return _sum(stored["claims"], "tightening") - int(totals(stored)["judged"])


def text(stored: Mapping[str, Any]) -> str:
    """The file of entries, as canonical JSON."""
    return dump(stored)
