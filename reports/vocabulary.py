"""The words of a report and the colours they wear, in one place: every renderer and the legend read them
here.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "AREAS",
    "ATTRIBUTES",
    "CONSTANTS",
    "EVIDENCE",
    "OPEN",
    "PROVENANCE",
    "STANDING",
    "VERDICTS",
    "Word",
    "area",
]


class Word(NamedTuple):
    """One verdict word.

    sign    : one character, so that colour is never the only carrier.
    meaning : a clause, printed in the legend.
    light, dark : colour of the word on a light and on a dark page (contrast at least 4.5 to 1 on both).
    ansi    : colour name on a terminal.
    """

    sign: str
    meaning: str
    light: str
    dark: str
    ansi: str


VERDICTS: dict[str, Word] = {
    "proved": Word(
        "∎", "true for every parameter in the stated box, by interval proof", "#14532d", "#86efac", "green"
    ),
    "holds": Word(
        "≤", "constant stated; every decided case lies below the bound", "#1f6f43", "#6fcf97", "green"
    ),
    "bounded": Word(
        "≲",
        "constant hidden; the ratio is finite and flat as the horizon is extended",
        "#1d5f8a",
        "#7cc0ea",
        "cyan",
    ),
    "vacuous": Word(
        "∅",
        "true but empty: above the trivial bound, or its assumptions are (almost) never met",
        "#6b5b95",
        "#b8a7e0",
        "magenta",
    ),
    "undecided": Word(
        "?",
        "the numerics or the sample cannot tell; the report says what would",
        "#8a5a00",
        "#e6b450",
        "yellow",
    ),
    "untested": Word(
        "–",
        "no measure or no case generator exists for it; the report says why",
        "#5f6670",
        "#a3abb5",
        "white",
    ),
    "diverges": Word(
        "↗",
        "constant hidden; the ratio grows without bound along a named ray, so no constant works",
        "#a63a0a",
        "#f59f6c",
        "red",
    ),
    "refuted": Word(
        "✗",
        "a case lies above the bound, every assumption met, confirmed by a second road",
        "#b01e2e",
        "#f58a93",
        "red",
    ),
}
"""Every verdict, strongest support first and strongest objection last."""

OPEN = ("undecided", "vacuous")
"""Verdicts that are neither a pass nor a failure: ``--strict`` turns them into exit code 3."""

EVIDENCE: dict[str, str] = {
    "proved": "for all parameters of a stated box, in outward-rounded arithmetic",
    "enclosed": "each case decided in ball arithmetic",
    "deterministic": "each case decided by floating point with an error estimate",
    "statistical": "decided from samples, with stated false-alarm and miss rates",
    "none": "nothing was measured",
}
"""Levels of evidence, strongest first."""

STANDING: dict[str, str] = {
    "literal": "as printed in the source",
    "corrected": "the source's statement with a named correction",
    "derived": "an explicit form proved in this catalogue",
    "user": "stated in the user's own file or on the command line",
}
"""What a claim's statement is."""

PROVENANCE: dict[str, str] = {
    "printed": "the statement was read in the source",
    "quoted": "taken from a digest that quotes the source",
    "recalled": "from memory; the constant awaits confirmation",
    "derived": "derived and checked here",
    "user": "the user's own",
}
"""Where the statement was taken from."""

CONSTANTS: dict[str, str] = {
    "stated": "its value is part of the claim",
    "absolute": "hidden behind ≲: some finite number, the same for all cases",
    "polylog": "hidden in Õ: may grow like a power of a logarithm, and no faster",
}
"""Kinds of constant."""

ATTRIBUTES: dict[str, dict[str, str]] = {
    "Evidence": EVIDENCE,
    "Constant": CONSTANTS,
    "Standing": STANDING,
    "Provenance": PROVENANCE,
}
"""The other vocabularies, as the legend shows them."""

AREAS: dict[str, tuple[str, ...]] = {
    "convergence": (),
    "learning": (
        "gupta-2023",
        "kumar-2025",
        "noise-stability",
        "score-estimation",
        "shah-2023",
        "vargas-2023",
    ),
    "building blocks": (
        "building-blocks",
        "functional-inequalities",
        "initialisation",
        "path-identities",
        "regularisation",
        "score-identities",
    ),
    "user": (),
}
"""Parts of the theory and their papers; every other paper of the catalogue is about convergence, and a claim
from elsewhere is the user's.
"""


def area(key: str, file: str) -> str:
    """The part of the theory that a claim belongs to.

    >>> area("shah-2023/expansion", "catalogue"), area("benton-2024/kl", "catalogue")
    ('learning', 'convergence')
    >>> area("my-note/thm-1", "my_bound.py")
    'user'
    """
    if file != "catalogue":
        return "user"
    paper = key.partition("/")[0]
    return next((name for name, papers in AREAS.items() if paper in papers), "convergence")
