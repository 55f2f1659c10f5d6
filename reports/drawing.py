"""Small pictures as SVG text: axes, dots, curves and rings in a few bytes, coloured by the page's style.

Lengths are CSS pixels. A drawing has no style, no ids and no dates of its own: its classes (``grid``,
``dots``, ``curve``, a verdict's word, ...) are those of the page, so a hundred drawings share one sheet.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import escape

from reports.wording import sig

__all__ = ["Axes", "Scale", "dots", "drawing", "line", "power", "printable", "short", "words"]

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
CELL = 2  # pixels; dots in one such square look like one, and are drawn as one

Points = Sequence[tuple[float, float]]


class Scale(NamedTuple):
    """Values from ``low`` to ``high`` on pixels from ``start`` to ``end``, logarithmic or linear."""

    low: float
    high: float
    start: float
    end: float
    log: bool = True

    def at(self, value: float) -> float:
        """The pixel of a value.

        >>> Scale(1.0, 100.0, 0.0, 200.0).at(10.0)
        100.0
        """
        low, high, x = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        return self.start + (self.end - self.start) * (x - low) / (high - low)

    def ticks(self) -> list[float]:
        """A few round values inside.

        >>> Scale(0.5, 2e4, 0.0, 1.0).ticks()
        [1.0, 10.0, 100.0, 1000.0, 10000.0]
        """
        return self._decades() if self.log else self._steps()

    def _decades(self) -> list[float]:
        first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
        if last - first >= 1:
            stride = 1 + (last - first) // 6
            return [10.0**power for power in range(first, last + 1) if power % stride == 0]
        grid = [float(f"{digit}e{power}") for power in range(first - 1, last + 1) for digit in (1, 2, 5)]
        return [value for value in grid if self.low <= value <= self.high]

    def _steps(self) -> list[float]:
        rough = (self.high - self.low) / 5
        unit = 10.0 ** math.floor(math.log10(rough))
        step = unit * next(factor for factor in (1, 2, 5, 10) if factor * unit >= rough)
        count = range(math.ceil(self.low / step), math.floor(self.high / step) + 1)
        return [place * step for place in count]


class Axes(NamedTuple):
    """Two scales, the vertical one upside down, as the screen's is."""

    x: Scale
    y: Scale

    def at(self, point: tuple[float, float]) -> tuple[float, float]:
        """The pixels of a point."""
        return self.x.at(point[0]), self.y.at(point[1])

    def grid(self) -> str:
        """Light lines at the round values, with their labels below and on the left."""
        (left, right), (bottom, top) = (self.x.start, self.x.end), (self.y.start, self.y.end)
        columns = [(self.x.at(value), power(value)) for value in self.x.ticks()]
        rows = [(self.y.at(value), power(value)) for value in self.y.ticks()]
        lines = [f"M{short(x)} {short(bottom)}V{short(top)}" for x, _ in columns]
        lines += [f"M{short(left)} {short(y)}H{short(right)}" for y, _ in rows]
        texts = [words(x, bottom + 14, text) for x, text in columns]
        texts += [words(left - 5, y + 4, text, "end") for y, text in rows]
        return f'<path class="grid" d="{"".join(lines)}"/>{"".join(texts)}'


def drawing(width: float, height: float, alt: str, body: str) -> str:
    """One ``<svg>`` element.

    alt : the text alternative.
    """
    box = f'viewBox="0 0 {short(width)} {short(height)}" xmlns="http://www.w3.org/2000/svg"'
    return f'<svg class="drawn" role="img" aria-label="{escape(printable(alt))}" {box}>{body}</svg>'


def words(x: float, y: float, text: str, anchor: str = "middle") -> str:
    """Text at a place; ``anchor`` is start, middle or end."""
    side = "" if anchor == "middle" else f' text-anchor="{anchor}"'
    return f'<text x="{short(x)}" y="{short(y)}"{side}>{escape(printable(text))}</text>'


def line(points: Iterable[tuple[float, float]], look: str) -> str:
    """A polyline through pixels; ``look`` is its class."""
    steps = "L".join(f"{short(x)} {short(y)}" for x, y in points)
    return f'<path class="{look}" d="M{steps}"/>'


def dots(points: Iterable[tuple[float, float]], look: str) -> str:
    """Round dots at pixels as one path; those that would cover each other are drawn once.

    >>> dots([(1.0, 2.0), (1.1, 2.0), (9.0, 4.0)], "holds")
    '<path class="dots holds" d="M1 2h0m8 2h0"/>'
    """
    pixels = [(round(x), round(y)) for x, y in points]
    cells = sorted({(x // CELL, y // CELL): (x, y) for x, y in reversed(pixels)}.values())
    path, last = [], (0, 0)
    for place, (x, y) in enumerate(cells):
        across, down = x - last[0], y - last[1]
        path.append(f"{'m' if place else 'M'}{across}{'' if down < 0 else ' '}{down}h0")
        last = (x, y)
    return f'<path class="dots {look}" d="{"".join(path)}"/>' if path else ""


def short(value: float) -> str:
    """A length to a tenth of a pixel, without needless digits.

    >>> short(12.04), short(-0.26)
    ('12', '-0.3')
    """
    return f"{round(value, 1) + 0.0:g}" if abs(value) < 1e5 else f"{value:.0f}"


def power(value: float) -> str:
    """A round value as a label.

    >>> power(0.1), power(1000.0), power(1e-7)
    ('0.1', '1000', '10⁻⁷')
    """
    exponent = math.log10(abs(value)) if value else 0.0
    if 1e-3 <= abs(value) <= 1e3 or not value or abs(exponent - round(exponent)) > 1e-9:
        return sig(value)
    return "10" + str(round(exponent)).translate(SUPERSCRIPT)


def printable(text: str) -> str:
    """The text on one line, with a replacement character for what XML cannot carry."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in " ".join(text.split())
    )
