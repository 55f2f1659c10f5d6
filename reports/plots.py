"""Pictures of a record, as SVG text: the same record gives the same bytes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from markupsafe import escape

from reports.drawing import Axes, Scale, dots, drawing, line, power, printable, short, words
from reports.record import Record, number
from reports.vocabulary import VERDICTS
from reports.wording import quotient, sig

__all__ = ["anchor", "equality", "growth", "scatter", "strip"]

SMALLEST, LARGEST = 1e-60, 1e60  # points beyond are left out: they would press all others into a corner
STRIP = (1e-4, 1e3)  # ratios outside are drawn as triangles at the edge of the strip
SIZE = (300.0, 280.0)
FRAME = (44.0, 292.0, 240.0, 8.0)  # left, right, bottom and top of the square axes
WIDE, ROW = 960.0, 30.0  # width and height of a row of the strip
LONGEST = 46  # letters of a label that fit below the square axes
PILE = 11.0  # how far marks at one place of the strip are pushed up or down
MARKS = {"<": "M{x} {y}l7-4v8z", ">": "M{x} {y}l-7-4v8z", "o": "M{x} {y}h0"}

Points = Sequence[tuple[float, float]]


def anchor(key: str) -> str:
    """The page's anchor of a claim: letters, digits and ``-`` as they are, anything else by its code.

    >>> anchor("chen-2023/tv")
    'chen-2023..tv'
    """
    return re.sub(
        r"[^A-Za-z0-9-]", lambda found: ".." if found.group() == "/" else f".{ord(found.group()):x}.", key
    )


def scatter(claim: Record) -> str:
    """Left against right side over the recorded cases, log-log, with the line y = x; empty without points."""
    points = _drawable((rhs, lhs) for lhs, rhs, _ in claim["points"])
    if not points:
        return ""
    above = sum(y > x for x, y in points)
    alt = (
        f"{claim['key']}: left against right side on {len(points)} cases, {above} above the line of equality"
    )
    worst = _worst(claim)
    low, high = _frame([value for point in [*points, *worst] for value in point])
    left, right, bottom, top = FRAME
    axes = Axes(Scale(low, high, left, right), Scale(low, high, bottom, top))
    hidden = claim["constant"]["kind"] != "stated"
    parts = [
        ""
        if hidden or equality(claim)
        else f'<path class="above" d="M{left:g} {bottom:g}V{top:g}H{right:g}z"/>'
    ]
    parts += [axes.grid(), line([(left, bottom), (right, top)], "equal")]
    parts += [_used_constant(claim, axes)] if hidden else []
    parts += [dots([axes.at(point) for point in some], look) for look, some in _coloured(claim, points)]
    parts += [_ring(*axes.at(point)) for point in worst]
    parts += _labels("right side" + (" with constant 1" if hidden else ""), "left side")
    return drawing(*SIZE, alt, "".join(parts))


def equality(claim: Record) -> bool:
    """Whether the claim says that both sides are equal."""
    return " == " in claim["statement"]["text"]


def _coloured(claim: Record, points: Points) -> list[tuple[str, Points]]:
    """The points by the class that colours them: on a refuted bound those below the line are quiet."""
    if claim["verdict"] != "refuted" or equality(claim):
        return [(claim["verdict"], points)]
    above = [(x, y) for x, y in points if y > x]
    return [("quiet", [(x, y) for x, y in points if y <= x]), ("refuted", above)]


def _worst(claim: Record) -> list[tuple[float, float]]:
    """The worst case as a point, if a log plot can show it."""
    sides = claim["worst"]
    return _drawable([(sides["rhs"][0], sides["lhs"][1])]) if sides else []


def _ring(x: float, y: float) -> str:
    return f'<circle class="ring" cx="{short(x)}" cy="{short(y)}" r="5"/>'


def _used_constant(claim: Record, axes: Axes) -> str:
    """The line left = constant * right, cut at the frame."""
    used = claim["constant"]["used"]
    if used is None or not SMALLEST < number(used) < LARGEST:
        return ""
    low, high = axes.x.low, axes.x.high
    start, end = max(low, low / number(used)), min(high, high / number(used))
    ends = [(x, number(used) * x) for x in (start, end)]
    return line([axes.at(point) for point in ends], "used") if start < end else ""


def _labels(below: str, beside: str) -> list[str]:
    left, right, bottom, top = FRAME
    middle = short((bottom + top) / 2)
    turned = f'<text transform="rotate(-90 9 {middle})" x="9" y="{middle}">{escape(printable(beside))}</text>'
    return [words((left + right) / 2, bottom + 33, below), turned]


def growth(claim: Record) -> str:
    """The ratio along the ray of growth, with the measured points; empty when no growth was fitted."""
    points = _drawable(claim["growth"].get("points", ()))
    if len(points) < 2:
        return ""
    ray = claim["growth"]["ray"]
    alt = f"{claim['key']}: the ratio along {ray} goes from {sig(points[0][1])} to {sig(points[-1][1])}"
    left, right, bottom, top = FRAME
    straight = claim["growth"]["law"] == "exponential"
    across = [x for x, _ in points]
    low, high = (min(across), max(across)) if straight else _frame(across)
    x = Scale(low, high if high > low else 2 * low, left + 6 * straight, right, not straight)
    axes = Axes(x, Scale(*_frame([y for _, y in points]), bottom, top))
    places = [axes.at(point) for point in points]
    label = ray.replace("->", "→").replace("oo", "∞")
    parts = [axes.grid(), line(places, f"curve {claim['verdict']}"), dots(places, claim["verdict"])]
    parts += _labels(label if len(label) <= LONGEST else f"{label[:LONGEST]}…", "left side / right side")
    return drawing(*SIZE, alt, "".join(parts))


def strip(claims: Iterable[Record]) -> str:
    """The worst ratio of every claim on one log axis, a row a verdict, each mark a link; or empty."""
    rows = [claim for claim in claims if claim["worst"] is not None and number(claim["worst"]["ratio"]) >= 0]
    present = [word for word in VERDICTS if any(claim["verdict"] == word for claim in rows)]
    if not rows:
        return ""
    alt = f"worst ratio of {len(rows)} claims by verdict; the values stand in the table"
    inside = [r for r in (number(claim["worst"]["ratio"]) for claim in rows) if STRIP[0] <= r <= STRIP[1]]
    height = 12 + ROW * len(present) + 36
    scale = Scale(min([*inside, 0.1]) / 1.6, max([*inside, 2.0]) * 2.5, 92, WIDE - 12)
    bottom = height - 36
    ticks = [(scale.at(value), value) for value in scale.ticks()]
    parts = [f'<path class="grid" d="{"".join(f"M{short(x)} {bottom:g}V6" for x, _ in ticks)}"/>']
    parts += [words(x, bottom + 15, power(value)) for x, value in ticks]
    parts += [line([(scale.at(1.0), bottom), (scale.at(1.0), 6)], "equal")]
    parts += [words((92 + WIDE) / 2, bottom + 32, "worst left side / right side")]
    for place, word in enumerate(present):
        middle = 12 + ROW * (place + 0.5)
        parts += [words(84, middle + 4, word, "end")]
        parts += _marks([claim for claim in rows if claim["verdict"] == word], scale, middle)
    return drawing(WIDE, height, alt, "".join(parts))


def _marks(claims: Sequence[Record], scale: Scale, middle: float) -> list[str]:
    """One linked mark a claim; those at one place are spread over the height of the row."""
    piles: dict[int, list[tuple[str, float, Record]]] = {}
    for claim in claims:
        ratio = number(claim["worst"]["ratio"])
        shape = "<" if ratio <= scale.low else ">" if ratio > scale.high else "o"
        x = scale.at(min(max(ratio, scale.low), scale.high))
        piles.setdefault(round(x / 7), []).append((shape, x, claim))
    marks = []
    for pile in piles.values():
        step = min(6.0, 2 * PILE / max(len(pile) - 1, 1))
        for place, (shape, x, claim) in enumerate(pile):
            y = middle + step * (place - (len(pile) - 1) / 2)
            path = MARKS[shape].format(x=short(x), y=short(y))
            look = f"{'dots' if shape == 'o' else 'edge'} {claim['verdict']}"
            title = f"<title>{escape(printable(claim['key']))}: {quotient(claim['worst']['ratio'])}</title>"
            marks.append(f'<a href="#{anchor(claim["key"])}">{title}<path class="{look}" d="{path}"/></a>')
    return marks


def _drawable(pairs: Iterable[Sequence[float | str]]) -> list[tuple[float, float]]:
    points = [(number(x), number(y)) for x, y in pairs]
    return [(x, y) for x, y in points if SMALLEST < x < LARGEST and SMALLEST < y < LARGEST]


def _frame(values: Sequence[float]) -> tuple[float, float]:
    low, high = math.log10(min(values)), math.log10(max(values))
    margin = max(0.06 * (high - low), 0.15)
    return float(10.0 ** (low - margin)), float(10.0 ** (high + margin))
