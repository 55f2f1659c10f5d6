"""Pictures of a record, as SVG text: the same record gives the same bytes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from reports.record import Record, number
from reports.svg import FAINT, INK, SHADE, SOFT, Frame, printable, svg
from reports.vocabulary import VERDICTS
from reports.wording import sig

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["anchor", "growth", "scatter", "strip"]

SMALLEST, LARGEST = 1e-60, 1e60  # points beyond are left out: they would press all others into a corner
STRIP = (1e-4, 1e3)  # ratios outside are drawn as triangles at the edge of the strip
SQUARE = Frame(3.7, 3.4, 0.17, 0.14, 0.99, 0.99)
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

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
    return svg(lambda figure: _scatter(figure, claim, points), SQUARE, f"scatter {claim['key']}", alt)


def _scatter(figure: Figure, claim: Record, points: Points) -> None:
    axes = figure.add_subplot()
    ends = _frame([value for point in [*points, *_worst(claim)] for value in point])
    axes.plot(ends, ends, color=INK, linewidth=0.9, zorder=1)
    hidden = claim["constant"]["kind"] != "stated"
    if hidden:
        _used_constant(axes, claim, ends)
    else:
        axes.fill_between(
            ends, ends, [ends[1]] * 2, color=SHADE["refuted"], alpha=0.06, linewidth=0, zorder=0
        )
    refuted = claim["verdict"] == "refuted"
    colours = [
        SHADE["refuted"] if refuted and y > x else SOFT if refuted else SHADE[claim["verdict"]]
        for x, y in points
    ]
    axes.scatter(
        [x for x, _ in points],
        [y for _, y in points],
        s=12,
        c=colours,
        alpha=0.6,
        linewidths=0,
        clip_on=False,
        zorder=2,
    )
    for x, y in _worst(claim):
        axes.scatter(x, y, s=55, facecolors="none", edgecolors=INK, linewidths=0.9, zorder=3)
    axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends, aspect="equal", ylabel="left side")
    axes.set_xlabel("right side" + (" with constant 1" if hidden else ""))
    _powers_of_ten(axes)


def _worst(claim: Record) -> list[tuple[float, float]]:
    """The worst case as a point, if a log plot can show it."""
    sides = claim["worst"]
    return _drawable([(sides["rhs"][0], sides["lhs"][1])]) if sides else []


def _used_constant(axes: Axes, claim: Record, ends: tuple[float, float]) -> None:
    used = claim["constant"]["used"]
    if used is not None and SMALLEST < number(used) < LARGEST:
        axes.plot(
            ends,
            [number(used) * end for end in ends],
            color=SOFT,
            linewidth=0.9,
            linestyle=(0, (4, 3)),
            zorder=1,
        )


def growth(claim: Record) -> str:
    """The ratio along the ray of growth, with the measured points; empty when no growth was fitted."""
    points = _drawable(claim["growth"].get("points", ()))
    if len(points) < 2:
        return ""
    ray = claim["growth"]["ray"]
    alt = f"{claim['key']}: the ratio along {ray} goes from {sig(points[0][1])} to {sig(points[-1][1])}"
    return svg(lambda figure: _growth(figure, claim, points), SQUARE, f"growth {claim['key']}", alt)


def _growth(figure: Figure, claim: Record, points: Points) -> None:
    axes = figure.add_subplot()
    axes.plot(
        *zip(*points, strict=True), color=SHADE[claim["verdict"]], marker="o", markersize=4, linewidth=1.1
    )
    axes.set(xscale="linear" if claim["growth"]["law"] == "exponential" else "log", yscale="log")
    ray = printable(claim["growth"]["ray"]).replace("->", "→").replace("oo", "∞")
    axes.set_xlabel(ray, parse_math=False)
    axes.set_ylabel("left side / right side")
    _powers_of_ten(axes)


def strip(claims: Iterable[Record]) -> str:
    """The worst ratio of every claim on one log axis, a row a verdict, each dot a link; empty without any."""
    rows = [claim for claim in claims if claim["worst"] is not None and number(claim["worst"]["ratio"]) >= 0]
    words = [word for word in VERDICTS if any(claim["verdict"] == word for claim in rows)]
    if not rows:
        return ""
    alt = f"worst ratio of {len(rows)} claims by verdict; the values stand in the table"
    return svg(lambda figure: _strip(figure, rows, words), _strip_frame(len(words)), "strip", alt)


def _strip_frame(rows: int) -> Frame:
    height = 0.55 + 0.27 * rows
    return Frame(9.6, height, 0.085, 0.43 / height, 0.985, 0.98)


def _strip(figure: Figure, rows: Sequence[Record], words: Sequence[str]) -> None:
    axes = figure.add_subplot()
    axes.axvline(1, color=INK, linewidth=0.9, zorder=1)
    ratios = [number(claim["worst"]["ratio"]) for claim in rows]
    inside = [ratio for ratio in ratios if STRIP[0] <= ratio <= STRIP[1]]
    low, high = min([*inside, 0.1]) / 1.6, max([*inside, 2.0]) * 2.5
    for place, word in enumerate(words):
        found = {c["key"]: number(c["worst"]["ratio"]) for c in rows if c["verdict"] == word}
        for marker, least, most in (("<", -math.inf, low), ("o", low, high), (">", high, math.inf)):
            shown = {key: min(max(ratio, low), high) for key, ratio in found.items() if least < ratio <= most}
            heights = [place] * len(shown)
            dots = axes.scatter(
                list(shown.values()), heights, s=34, color=SHADE[word], marker=marker, alpha=0.7
            )
            dots.set(linewidths=0, clip_on=False, zorder=2, urls=[f"#{anchor(key)}" for key in shown])
    axes.set(
        xscale="log", xlim=(low, high), ylim=(len(words) - 0.5, -0.6), xlabel="worst left side / right side"
    )
    _powers_of_ten(axes)
    axes.set_yticks(range(len(words)), labels=words)
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False, axis="y")


def _drawable(pairs: Iterable[Sequence[float | str]]) -> list[tuple[float, float]]:
    points = [(number(x), number(y)) for x, y in pairs]
    return [(x, y) for x, y in points if SMALLEST < x < LARGEST and SMALLEST < y < LARGEST]


def _frame(values: Sequence[float]) -> tuple[float, float]:
    low, high = math.log10(min(values)), math.log10(max(values))
    margin = max(0.06 * (high - low), 0.15)
    return float(10.0 ** (low - margin)), float(10.0 ** (high + margin))


def _powers_of_ten(axes: Axes) -> None:
    """A light grid, and few plain labels."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() == "log":
            axis.set_major_locator(LogLocator(numticks=7))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter(FuncFormatter(lambda value, _: power(value)))
    axes.grid(visible=True, color=FAINT)


def power(value: float) -> str:
    """A power of ten as a label.

    >>> power(0.1), power(1000.0), power(1e-7)
    ('0.1', '1000', '10⁻⁷')
    """
    return sig(value) if 1e-3 <= value <= 1e3 else "10" + str(round(math.log10(value))).translate(SUPERSCRIPT)
