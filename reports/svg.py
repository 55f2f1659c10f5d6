"""From a matplotlib figure to an ``<svg>`` element that can live inside a page: small, themed, with private
ids and no dates.

Figures are drawn with stand-in colours, which become CSS variables with a fallback value, so that one picture
serves a light and a dark page as well as a file of its own.
"""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from markupsafe import escape

from reports.drawing import printable
from reports.vocabulary import VERDICTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FAINT", "INK", "SHADE", "SOFT", "Frame", "svg"]

INK, SOFT, FAINT = "#010101", "#020202", "#030303"
SHADE = {word: f"#0101{16 + place:02x}" for place, word in enumerate(VERDICTS)}
THEME = {INK: "var(--ink, #1c2127)", SOFT: "var(--soft, #5d6570)", FAINT: "var(--line, #d9dde2)"}
THEME |= {SHADE[word]: f"var(--{word}, {VERDICTS[word].light})" for word in VERDICTS}
SETTINGS: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": SOFT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
    "text.color": SOFT,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
}
NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


class Frame(NamedTuple):
    """Width and height in inches, and the edges of the axes in fractions of them."""

    width: float
    height: float
    left: float
    bottom: float
    right: float
    top: float


def svg(draw: Callable[[Figure], None], frame: Frame, name: str, alt: str) -> str:
    """The figure that ``draw`` makes, as one ``<svg>`` element.

    frame: its size and margins.
    name : unique on its page; it salts the ids.
    alt  : the text alternative.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    prefix = f"f{hashlib.sha256(name.encode()).hexdigest()[:7]}"
    buffer = io.StringIO()
    with matplotlib.rc_context(SETTINGS | {"svg.hashsalt": prefix}), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", UserWarning
        )  # a glyph that matplotlib's font lacks: the reader's browser has fonts of its own
        figure = Figure(figsize=(frame.width, frame.height))
        figure.subplots_adjust(frame.left, frame.bottom, frame.right, frame.top)
        FigureCanvasSVG(figure)
        draw(figure)
        figure.savefig(buffer, format="svg", transparent=True, metadata=NO_METADATA)
    drawn = _own_ids(_bare(buffer.getvalue()), prefix)
    for colour, variable in THEME.items():
        drawn = drawn.replace(colour, variable)
    head = f'<svg role="img" aria-label="{escape(printable(alt))}" stroke-linejoin="round" '
    return drawn.replace("<svg ", head, 1)


def _bare(text: str) -> str:
    """Without prologue, comments, metadata, page-wide style, fonts and needless digits."""
    text = text[text.index("<svg") :]
    text = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r"font-family: [^;\"]*;?\s*", "", text)
    text = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", text)
    text = re.sub(r' target="_blank"| xmlns:xlink="[^"]*"', "", text).replace("xlink:href", "href")
    text = re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\d+\.\d\d)\d+", r"\1", tag[0]), text)
    return re.sub(r"\s*\n\s*", "\n", text).strip()


def _own_ids(text: str, prefix: str) -> str:
    """With ids that no other figure of the page has; repeated marker styles become classes."""
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', text))
    text = re.sub(
        r' id="([^"]+)"', lambda found: f' id="{prefix}-{found[1]}"' if found[1] in used else "", text
    )
    text = re.sub(r"url\(#", f"url(#{prefix}-", text)
    text = re.sub(r'(<use href="#)', rf"\1{prefix}-", text)
    styles = sorted(set(re.findall(r'<use [^>]*style="([^"]*)"', text)))
    for place, style in enumerate(styles):
        text = re.sub(rf'(<use [^>]*)style="{re.escape(style)}"', rf'\1class="{prefix}-{place}"', text)
    rules = "".join(f".{prefix}-{place} {{ {style} }}\n" for place, style in enumerate(styles))
    return re.sub(r"(<svg [^>]*>)", rf"\1\n<style>{rules}</style>", text, count=1)
