"""The waterfall of a proof: from the true quantity to the stated bound, a bar for what each link loses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from reports.drawing import Scale, drawing, short, words
from reports.record import Record
from reports.wording import percent, quotient, sig

__all__ = ["Fall", "falls", "picture"]

LEFT, RIGHT, WIDE, ROW, BAR = 250.0, 620.0, 700.0, 24.0, 13.0
LETTERS = 38  # of a name that fit left of the bars
NOTHING = 1e-6  # the logarithm of a factor below which an equation has kept its word


class Fall(NamedTuple):
    """One proof in words: its links as (name, statement, lemma, factor, share, most), and the picture."""

    derivation: str
    title: str
    proves: bool
    links: tuple[tuple[str, ...], ...]
    svg: Markup


def falls(claim: Record) -> list[Fall]:
    """The proofs of a claim, or about it, that its record has."""
    return [_fall(proof) for proof in claim.get("proofs", [])]


def _fall(proof: Record) -> Fall:
    slacks = [_typical(link) for link in proof["links"]]
    total = sum(max(value, 0.0) for value in slacks)
    rows = []
    for link, value in zip(proof["links"], slacks, strict=True):
        most = "–" if link["slack"] is None else _factor(link["slack"]["largest"])
        share = percent(max(value, 0.0) / total) if total > NOTHING else "–"
        own = "–" if link["slack"] is None else _factor(value)
        rows.append((link["name"], link["statement"], link["by"].removeprefix("by "), own, share, most))
    return Fall(proof["derivation"], proof["title"], proof["proves"], tuple(rows), Markup(picture(proof)))


def _typical(link: Record) -> float:
    return 0.0 if link["slack"] is None else float(link["slack"]["typical"])


def _factor(logarithm: float) -> str:
    return "× 1" if abs(logarithm) <= NOTHING else f"× {sig(math.exp(min(logarithm, 700.0)))}"


def picture(proof: Record) -> str:
    """The waterfall as SVG: each bar begins where the one above ends; empty where nothing is lost.

    proof : an entry of ``proofs`` of a claim's record.
    """
    slacks = [_typical(link) for link in proof["links"]]
    ends = _cumulated(slacks)
    low, high = min(0.0, *ends), max(ends)
    if high - low <= NOTHING:
        return ""
    scale = Scale(low, high, LEFT, RIGHT, log=False)
    worst = max(range(len(slacks)), key=slacks.__getitem__)
    parts = []
    for place, (link, value) in enumerate(zip(proof["links"], slacks, strict=True)):
        x, end = sorted((scale.at(ends[place]), scale.at(ends[place + 1])))
        y = place * ROW + 4
        look = "bar wasteful" if place == worst else "bar"
        parts.append(
            f'<rect class="{look}" x="{short(x)}" y="{short(y)}" width="{short(max(end - x, 1.5))}" '
            f'height="{BAR:g}"/>'
        )
        if place + 1 < len(slacks):
            joint = scale.at(ends[place + 1])
            parts.append(f'<path class="grid" d="M{short(joint)} {short(y)}V{short(y + ROW + BAR)}"/>')
        parts.append(words(LEFT - 8, y + 11, _short(link["name"]), "end"))
        parts.append(words(RIGHT + 8, y + 11, _factor(value), "start"))
    names = ", ".join(f"{link['name']} {_factor(v)}" for link, v in zip(proof["links"], slacks, strict=True))
    whole = quotient(math.exp(min(ends[-1], 700.0)))
    alt = f"what each link loses on the typical case: {names}; in all × {whole}"
    return drawing(WIDE, len(slacks) * ROW + 6, alt, "".join(parts))


def _cumulated(slacks: Sequence[float]) -> list[float]:
    total, ends = 0.0, [0.0]
    for value in slacks:
        total += value
        ends.append(total)
    return ends


def _short(name: str) -> str:
    return name if len(name) <= LETTERS else f"…{name[1 - LETTERS :]}"
