"""One self-contained page from a record: no network, no library, everything from the record escaped.

The page carries a content policy that admits its own script by hash and nothing else, so that even markup
which slipped through could not run.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from reports import plots, wording
from reports.mathml import formula
from reports.places import SHORT, where
from reports.record import Record, Results, counts, falsehoods, number
from reports.vocabulary import ATTRIBUTES, EVIDENCE, PROVENANCE, STANDING, VERDICTS

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["render"]

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def render(results: Results) -> str:
    """The page, as text."""
    script, style = _asset("page.js"), _asset("page.css")
    claims = results["claims"]
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            claims=claims,
            errors=results.get("errors", []),
            environment=results["environment"],
            headline=wording.headline(claims, results.get("errors", [])),
            counts=counts(claims),
            falsehoods=falsehoods(claims),
            strip=Markup(plots.strip(claims)),
            script=Markup(script),
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            style=Markup(style),
        )
    )


def typeset(text: str) -> Markup:
    """Text with the marks of print: ×10⁻⁷, I₁₀, R¹⁰, ≤, ≥, → ∞, and ``code`` between backticks; escaped.

    >>> print(typeset("N(0, 2e-7 I_10); d -> oo"))
    N(0, 2×10⁻⁷ I₁₀); d → ∞
    """
    text = re.sub(r"(?<![\d.])1e([+-]?\d+)\b", lambda found: f"10{_raised(found[1])}", text)
    text = re.sub(r"(?<=\d)e([+-]?\d+)\b", lambda found: f"×10{_raised(found[1])}", text)
    text = re.sub(r"\bI_(\d+)", lambda found: "I" + found[1].translate(SUBSCRIPT), text)
    text = re.sub(r"\bR\^(\d+)", lambda found: "R" + _raised(found[1]), text)
    text = re.sub(r"\boo\b", "∞", text)
    text = re.sub(r"(?<=\d) - (?=\d)", " − ", text).replace("->", "→").replace("<=", "≤").replace(">=", "≥")
    pieces = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>" if odd % 2 else "{}").format(piece) for odd, piece in enumerate(pieces)
    )


def _raised(exponent: str) -> str:
    return str(int(exponent)).translate(SUPERSCRIPT)


def _sort_ratio(claim: Record) -> float:
    """The ratio as a number to sort by: no ratio comes first, an infinite one last."""
    return -1.0 if claim["worst"] is None else min(number(claim["worst"]["ratio"]), 1e308)


def _figures(claim: Record) -> list[dict[str, Any]]:
    """The pictures of one claim with their captions."""
    hidden = claim["constant"]["kind"] != "stated"
    line = (
        "dashed: with the constant used"
        if hidden and claim["constant"]["used"] is not None
        else "above the line the bound fails"
    )
    line = "the line is left = right" if hidden and claim["constant"]["used"] is None else line
    drawn = [
        (
            plots.scatter(claim),
            f"Left against right side over the cases tried, the worst one ringed; {line}.",
        ),
        (plots.growth(claim), "The ratio along the ray of fastest growth."),
    ]
    return [{"svg": Markup(svg), "caption": caption} for svg, caption in drawn if svg]


def _asset(name: str) -> str:
    return files("reports").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        words=VERDICTS,
        evidence=EVIDENCE,
        standing=STANDING,
        provenance=PROVENANCE,
        attributes=ATTRIBUTES,
        wording=wording,
        where=where,
        short=SHORT,
        formula=formula,
    )
    environment.filters.update(
        typeset=typeset, anchor=plots.anchor, figures=_figures, sort_ratio=_sort_ratio, sig=wording.sig
    )
    environment.filters.update(position=list(VERDICTS).index, strength=list(EVIDENCE).index)
    return environment
