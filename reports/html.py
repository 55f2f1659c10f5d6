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

from reports import graph, mutation, plots, tables, wording
from reports.mathml import formula
from reports.places import SHORT, where
from reports.record import Record, Results, counts, falsehoods, number
from reports.vocabulary import AREAS, ATTRIBUTES, EVIDENCE, PROVENANCE, STANDING, VERDICTS, area
from reports.waterfall import falls

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["render"]

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
SUBSCRIPT = str.maketrans("0123456789t", "₀₁₂₃₄₅₆₇₈₉ₜ")
GREEK = {
    "alpha": "α", "beta": "β", "delta": "δ", "eps": "ε", "eta": "η", "gamma": "γ", "kappa": "κ", "lam": "λ",
    "mu": "μ", "sigma": "σ", "tau": "τ",
}  # fmt: skip


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
            areas={name: count for name, count in _areas(claims).items() if count},
            papers=sorted({claim["key"].partition("/")[0] for claim in claims}),
            levels=[word for word in EVIDENCE if any(claim["evidence"] == word for claim in claims)],
            graph=Markup(graph.picture(results)),
            proofs=graph.rows(results),
            summary=tables.samplers(claims),
            samples=tables.samples(claims),
            regions=tables.regions(),
            score=_score(claims),
            exponents=tables.exponents(claims),
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


def placed(text: str) -> Markup:
    """A case in one line, typeset: names with Greek letters and indices, and no break inside ``T = 2``.

    >>> print(placed("hard-pair model; eta = 0.5, m1 = -2, a_t = 1").replace("\N{NO-BREAK SPACE}", "~"))
    hard-pair model; η~=~0.5, m₁~=~−2, aₜ~=~1
    """
    text = re.sub(r"\b([A-Za-z]\w*) = (?=\S)", lambda found: f"{_letter(found[1])}\u00a0=\u00a0", text)
    return typeset(_signed(re.sub(r"\bdelta(?=\()", "δ", text)))


def powers(text: str) -> Markup:
    """Orders of growth, typeset: exponents raised, Greek letters, roots and indices of laws.

    >>> print(powers("d^0.50/eps^-2; sqrt(d) on p_delta, e^{2t}, k^(-d)"))
    d<sup>0.50</sup>/ε<sup>−2</sup>; √d on p<sub>δ</sub>, e<sup>2t</sup>, k<sup>−d</sup>
    """
    text = re.sub(
        r"(?<![A-Za-z])(alpha|delta|eps|eta|kappa)(?![A-Za-z])", lambda found: GREEK[found[1]], text
    )
    text = re.sub(r"\bp_([0t])\b", lambda found: "p" + found[1].translate(SUBSCRIPT), text)
    text = re.sub(r"√\((\w)\)", r"√\1", text.replace("sqrt(", "√("))
    pieces = re.split(r"(\^-?\d+(?:\.\d+)?|\^\{[^{}]*\}|\^\([^()]*\)|\^[A-Za-z]\b|(?<=\bp)_δ)", text)
    return Markup("").join(
        _shifted(piece) if odd % 2 else typeset(_signed(piece)) for odd, piece in enumerate(pieces)
    )


def _shifted(piece: str) -> Markup:
    """An exponent or an index with its mark, raised or lowered."""
    inner = piece[2:-1] if piece[1] in "{(" else piece[1:]
    shift = "<sup>{}</sup>" if piece[0] == "^" else "<sub>{}</sub>"
    return Markup(shift).format(inner.replace("-", "−"))


def _signed(text: str) -> str:
    """Negative numbers with the sign of print; exponents in e-notation are left as they are."""
    return re.sub(r"(?<![\w.)\]])-(?=\d)", "−", text)


def _letter(name: str) -> str:
    """A parameter's name as printed: Greek where it names a letter, one index below."""
    stem, index = name, ""
    if found := re.fullmatch(r"([a-z]+?)_?(\d+|_t)", name):
        stem, index = found[1], found[2].lstrip("_")
    if len(stem) > 1 and stem not in GREEK:
        return name
    return GREEK.get(stem, stem) + index.translate(SUBSCRIPT)


def _raised(exponent: str) -> str:
    return str(int(exponent)).translate(SUPERSCRIPT)


def _areas(claims: list[Record]) -> dict[str, int]:
    """How many claims belong to each part of the theory."""
    found = [area(claim["key"], claim["file"]) for claim in claims]
    return {name: found.count(name) for name in AREAS}


def _score(claims: list[Record]) -> dict[str, Any] | None:
    """The checker's own score, as committed, beside claims of the catalogue."""
    stored = mutation.committed() if any(claim["file"] == "catalogue" for claim in claims) else None
    if stored is None:
        return None
    return {
        "sentence": mutation.sentence(stored),
        "claims": len(stored["claims"]),
        "settings": stored["settings"],
        "totals": mutation.totals(stored),
        "rows": mutation.by_operator(stored),
        "columns": mutation.COLUMNS,
    }


def _statement(claim: Record) -> Markup:
    """The statement; a model's quantities have names of their own, which only the LaTeX sets in full."""
    said = claim["statement"]
    mathml = "" if "model" in claim["setup"] and said["latex"] else said["mathml"]
    shown = formula(said["latex"], mathml, display=True, text=said["text"])
    return (
        shown
        if mathml or "<code>" not in shown
        else formula("", said["mathml"], display=True, text=said["text"])
    )


def _sort_ratio(claim: Record) -> float:
    """The ratio as a number to sort by: no ratio comes first, an infinite one last."""
    return -1.0 if claim["worst"] is None else min(number(claim["worst"]["ratio"]), 1e308)


def _figures(claim: Record) -> list[dict[str, Any]]:
    """The pictures of one claim with their captions."""
    hidden = claim["constant"]["kind"] != "stated"
    above = "off the line the equality fails" if plots.equality(claim) else "above the line the bound fails"
    line = "dashed: with the constant used" if hidden and claim["constant"]["used"] is not None else above
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
        area=area,
        short=SHORT,
        formula=formula,
    )
    environment.filters.update(
        typeset=typeset,
        placed=placed,
        powers=powers,
        statement=_statement,
        anchor=plots.anchor,
        falls=falls,
        figures=_figures,
        sort_ratio=_sort_ratio,
        sig=wording.sig,
        outcome=wording.outcome,
    )
    environment.filters.update(position=list(VERDICTS).index, strength=list(EVIDENCE).index)
    return environment
