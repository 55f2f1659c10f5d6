"""A baseline of verdicts, constants and exponents, and what a later run changed against it.

The baseline is a small JSON file (schema ``lesssim.baseline/1``), sorted by key, made to be committed and
read in a review. It remembers the brackets of constants that earlier saves held. Numbers that differ in their
last digits only, as on another machine, are no change: saving again writes the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from reports.record import Record, RecordError, Results, conforms, number, read_json, schema
from reports.vocabulary import EVIDENCE, VERDICTS
from reports.wording import plural, sig

__all__ = ["FORMAT", "Change", "bracket", "diff", "headline", "load", "save"]

FORMAT = "lesssim.baseline/1"
TOLERANCE = (
    1e-3  # relative: above what two machines differ by at an optimum, below what an edited bound shows
)
ROUNDING = 1e-9
"""Relative difference below which two recorded numbers are the same number."""

KEPT = 8
"""Earlier brackets that are remembered of each claim."""

KINDS = ("regression", "note", "improvement")
SUPPORT = [*VERDICTS]  # strongest first
ENTRY: dict[str, Any] = {
    "claim_hash": {"type": "string", "minLength": 1},
    "constant": {
        "type": "object",
        "required": ["kind", "stated", "lower", "used"],
        "properties": {
            "kind": {"enum": ["stated", "absolute", "polylog"]},
            **{name: {"$ref": "#/$defs/optionalNumber"} for name in ("stated", "lower", "used")},
        },
    },
    "evidence": {"enum": [*EVIDENCE]},
    "growth": {
        "type": "object",
        "if": {"minProperties": 1},
        "then": {"required": ["ray", "law", "exponent", "interval"]},
        "properties": {
            "ray": {"type": "string"},
            "law": {"type": "string"},
            "exponent": {"$ref": "#/$defs/number"},
            "interval": {"$ref": "#/$defs/interval"},
        },
    },
    "history": {"type": "array", "items": {"$ref": "#/$defs/interval"}},
    "met": {"type": "boolean"},
    "ratio": {"$ref": "#/$defs/optionalNumber"},
    "statement": {"type": "string"},
    "verdict": {"enum": SUPPORT},
}
"""What a baseline keeps of each claim."""

RULES: dict[str, Any] = {
    "type": "object",
    "required": ["environment", "claims"],
    "properties": {
        "environment": {
            "type": "object",
            "required": ["profile", "seed"],
            "properties": {"profile": {"type": "string"}, "seed": {"type": "integer"}},
        },
        "claims": {
            "type": "object",
            "additionalProperties": {"type": "object", "required": [*ENTRY], "properties": ENTRY},
        },
    },
}
"""The schema of the file, with the numbers of the results' schema."""


class Change(NamedTuple):
    """One difference: ``kind`` is "regression", "note" or "improvement"; ``why`` says why it matters."""

    kind: str
    key: str
    what: str
    why: str


def save(results: Results, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The baseline of some results, as plain data.

    before : the baseline that it replaces, whose numbers stay where nothing changed, and whose brackets are
        remembered for every claim that was not edited.
    """
    environment = {name: results["environment"][name] for name in ("lesssim", "profile", "seed")}
    old = before["claims"] if before is not None else {}
    claims = {claim["key"]: _after(old.get(claim["key"]), _entry(claim)) for claim in results["claims"]}
    return {"schema": FORMAT, "environment": environment, "claims": claims}


def bracket(entry: Mapping[str, Any]) -> list[float | str] | None:
    """[largest constant that a case forces, constant that serves] of an entry, or None where either is
    unknown.

    A stated constant serves, and the worst ratio says what part of it is forced.
    """
    constant, ratio = entry["constant"], entry["ratio"]
    if constant["kind"] != "stated":
        ends = [constant["lower"], constant["used"]]
    elif ratio is None or isinstance(ratio, str) or not 0 <= ratio <= 1:
        return None
    else:
        ends = [ratio * constant["stated"], constant["stated"]]
    return None if None in ends else ends


def _after(old: Mapping[str, Any] | None, new: dict[str, Any]) -> dict[str, Any]:
    """The new entry with what the old one leaves to it."""
    if old is None or old["claim_hash"] != new["claim_hash"]:
        return new
    if _alike({**old, "history": []}, new):
        return dict(old)
    past = bracket(old)
    moved = past is not None and not _alike(past, bracket(new), TOLERANCE)
    return {**new, "history": [*old["history"], *([past] if moved else [])][-KEPT:]}


def _alike(one: Any, other: Any, tolerance: float = ROUNDING) -> bool:
    """Whether two recorded values are the same but for the last digits of their numbers."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_alike(one[name], other[name], tolerance) for name in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(
            _alike(a, b, tolerance) for a, b in zip(one, other, strict=True)
        )
    numbers = all(isinstance(x, int | float) and not isinstance(x, bool) for x in (one, other))
    return not _moved(one, other, tolerance) if numbers else bool(one == other)


def _entry(claim: Record) -> dict[str, Any]:
    fitted = claim["growth"]
    return {
        "claim_hash": claim["claim_hash"],
        "constant": claim["constant"],
        "evidence": claim["evidence"],
        "growth": {name: fitted[name] for name in ("ray", "law", "exponent", "interval")} if fitted else {},
        "history": [],
        "met": claim["met"],
        "ratio": claim["worst"]["ratio"] if claim["worst"] else None,
        "statement": claim["statement"]["text"],
        "verdict": claim["verdict"],
    }


def load(path: str | Path) -> dict[str, Any]:
    """The baseline in a file.

    Raises RecordError, in one line, when it cannot be used.
    """
    file = str(path)
    data = read_json(path, "baseline save")
    if not isinstance(data, dict) or data.get("schema") != FORMAT:
        found = data.get("schema", "(missing)") if isinstance(data, dict) else type(data).__name__
        raise RecordError(file, "schema", repr(found), repr(FORMAT))
    conforms(data, {**RULES, "$defs": schema()["$defs"]}, file)
    return data


def diff(
    before: Mapping[str, Any], after: Mapping[str, Any], *, tolerance: float = TOLERANCE
) -> list[Change]:
    """What changed between two baselines, regressions first, then by key."""
    old, new = dict(before["claims"]), after["claims"]
    changes = [
        Change("note", "(run)", what, "other cases were tried, so the numbers may differ")
        for what in _settings(before, after)
    ]
    for was, now in _renamed(old, new):
        old[now] = old.pop(was)
        changes.append(Change("note", now, f"renamed from {was}", "the same claim under another key"))
    changes += [
        Change("regression", key, "no longer checked", "a claim that is not run can break unseen")
        for key in old.keys() - new.keys()
    ]
    changes += [_added(key, new[key]) for key in new.keys() - old.keys()]
    for key in old.keys() & new.keys():
        changes += [
            Change(kind, key, what, why) for kind, what, why in _compare(old[key], new[key], tolerance)
        ]
    return sorted(changes, key=lambda change: (KINDS.index(change.kind), change.key, change.what))


def _renamed(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Keys that went and keys that came with the same hash, paired in order."""
    gone, come = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    pairs = []
    for was in gone:
        same = [now for now in come if new[now]["claim_hash"] == old[was]["claim_hash"]]
        if same:
            pairs.append((was, same[0]))
            come.remove(same[0])
    return pairs


def _settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in ("profile", "seed"):
        old, new = before["environment"][name], after["environment"][name]
        if old != new:
            yield f"{name} {old} -> {new}"


def _added(key: str, entry: Mapping[str, Any]) -> Change:
    if entry["met"]:
        return Change("note", key, f"new: {entry['verdict']}", "save the baseline to keep it")
    return Change("regression", key, f"new: {entry['verdict']}", "it does not meet its expectation")


Difference = tuple[str, str, str]


def _compare(old: Mapping[str, Any], new: Mapping[str, Any], tolerance: float) -> Iterator[Difference]:
    edited = old["claim_hash"] != new["claim_hash"]
    if edited:
        yield "note", "the claim was edited", "the numbers below compare the old bound with the new one"
        yield from _text(old, new)
    if old["verdict"] != new["verdict"]:
        yield _verdict(old, new)
        return
    if old["met"] != new["met"]:
        yield (
            ("improvement" if new["met"] else "regression"),
            f"{'met' if new['met'] else 'not met'} now",
            "the expectation was changed",
        )
    yield from _evidence(old, new)
    yield from _ratio(old, new, tolerance, edited=edited)
    yield from _stated(old, new)
    yield from _used(old, new, tolerance)
    yield from _exponent(old, new)


def _verdict(old: Mapping[str, Any], new: Mapping[str, Any]) -> Difference:
    what = f"{old['verdict']} -> {new['verdict']}"
    if old["met"] != new["met"]:
        better = bool(new["met"])
        false = "newly false: " if new["verdict"] in ("refuted", "diverges") and not better else ""
        return ("improvement" if better else "regression"), what, false + VERDICTS[new["verdict"]].meaning
    weaker = SUPPORT.index(new["verdict"]) > SUPPORT.index(old["verdict"])
    return (
        ("regression" if weaker else "improvement"),
        what,
        "support is weaker" if weaker else "support is stronger",
    )


def _evidence(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    if old["evidence"] != new["evidence"]:
        weaker = [*EVIDENCE].index(new["evidence"]) > [*EVIDENCE].index(old["evidence"])
        why = "the verdict rests on less than before" if weaker else "the verdict rests on more than before"
        yield (
            ("regression" if weaker else "improvement"),
            f"evidence {old['evidence']} -> {new['evidence']}",
            why,
        )


def _ratio(
    old: Mapping[str, Any], new: Mapping[str, Any], tolerance: float, *, edited: bool
) -> Iterator[Difference]:
    """The worst ratio: how tight an edited bound is, and how well the search did on an unedited one."""
    direction = _moved(old["ratio"], new["ratio"], tolerance)
    if direction:
        what = f"worst ratio {sig(old['ratio'], 4)} -> {sig(new['ratio'], 4)}"
        if edited:
            yield (
                ("improvement", what, "the bound is tighter")
                if direction > 0
                else ("regression", what, "the bound is looser")
            )
        elif direction > 0:
            yield "note", what, "a worse case of the same bound was found"
        else:
            yield "regression", what, "the same bound, but the search no longer finds its worst case"


def _text(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    """What an edited claim says now."""
    if old["statement"] == new["statement"]:
        yield "note", "the formula is the same", "its assumptions, setup or expectation changed"
    else:
        yield "note", f"{old['statement']} -> {new['statement']}", "another inequality is checked"


def _stated(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    """The constant that an edited claim states."""
    before, after = old["constant"]["stated"], new["constant"]["stated"]
    direction = _moved(before, after, ROUNDING)
    if direction:
        what = f"constant stated {sig(before, 4)} -> {sig(after, 4)}"
        factor = sig(number(after) / number(before)) if number(before) else "∞"
        grew = f"the constant grew: what is claimed is {factor} times as much"
        yield (
            ("regression", what, grew)
            if direction > 0
            else ("improvement", what, "a smaller constant is claimed")
        )


def _used(old: Mapping[str, Any], new: Mapping[str, Any], tolerance: float) -> Iterator[Difference]:
    """The bracket of a hidden constant: what is used in its place, and what the cases force."""
    before, after = old["constant"], new["constant"]
    was, now = bracket(old), bracket(new)
    past = f"; before: {', '.join(map(shown, old['history']))}" if old["history"] else ""
    direction = _moved(before["used"], after["used"], tolerance)
    if direction:
        what = f"constant used {sig(before['used'], 4)} -> {sig(after['used'], 4)}"
        yield (
            ("regression", what, f"the bound needs a larger constant{past}")
            if direction > 0
            else ("improvement", what, f"a smaller constant does{past}")
        )
    if was and now and before["kind"] != "stated" and _moved(_width(was), _width(now), tolerance) > 0:
        yield "note", f"bracket {shown(was)} -> {shown(now)}", f"it grew: less is known{past}"
    served = _moved(before["used"], before["lower"], tolerance) <= 0
    if before["kind"] != "stated" and served and _moved(before["used"], after["lower"], tolerance) > 0:
        what = f"constant forced {sig(after['lower'], 4)}, used before {sig(before['used'], 4)}"
        yield "regression", what, "a case needs more than the constant that was said to serve"


def shown(ends: Sequence[float | str]) -> str:
    """A bracket as text.

    >>> shown([0.25, 0.28])
    '[0.25, 0.28]'
    """
    return f"[{sig(ends[0], 4)}, {sig(ends[1], 4)}]"


def _width(ends: Sequence[float | str]) -> float:
    """The larger end of a bracket in units of the smaller one."""
    low, high = map(number, ends)
    return high / low if low > 0 else float("inf")


def _exponent(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    """The fitted growth: a change counts when the two confidence intervals do not meet."""
    before, after = old["growth"], new["growth"]
    if not before or not after:
        return
    if before["law"] != after["law"] or before["ray"] != after["ray"]:
        yield (
            "note",
            f"growth {before['law']} along {before['ray']} -> {after['law']} along {after['ray']}",
            "another ray or law is worst",
        )
        return
    old_low, old_high, new_low, new_high = (number(end) for end in (*before["interval"], *after["interval"]))
    faster = new_low > old_high and _moved(old_high, new_low, ROUNDING) > 0
    if faster or (new_high < old_low and _moved(old_low, new_high, ROUNDING) < 0):
        what = f"exponent {sig(before['exponent'])} -> {sig(after['exponent'])} along {after['ray']}"
        yield (
            ("regression", what, "the ratio grows faster")
            if faster
            else ("improvement", what, "the ratio grows more slowly")
        )


def _moved(old: float | str | None, new: float | str | None, tolerance: float) -> int:
    """1 for up, -1 for down, 0 for no change to speak of; a number that appears or vanishes is no move."""
    if old is None or new is None:
        return 0
    before, after = number(old), number(new)
    if before == after or abs(after - before) <= tolerance * max(abs(before), abs(after)) < float("inf"):
        return 0
    return 1 if after > before else -1


def headline(changes: list[Change], compared: int) -> str:
    """One line: the regressions first."""
    if not changes:
        return f"no change in {plural(compared, 'claim')}"
    tally = {kind: sum(change.kind == kind for change in changes) for kind in KINDS}
    counted = ", ".join(plural(tally[kind], kind) for kind in KINDS if tally[kind])
    return f"{counted}; {plural(compared, 'claim')} compared"
