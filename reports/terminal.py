"""What the terminal shows: plain lines from a record or a claim, coloured where the terminal wants it."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from reports import wording
from reports.places import where
from reports.record import Record
from reports.vocabulary import CONSTANTS, PROVENANCE, STANDING, VERDICTS

if TYPE_CHECKING:
    from bounds.claim import Claim

__all__ = ["block", "compact", "listing", "shown", "word"]


def word(verdict: str, width: int = 0) -> str:
    """A verdict word in its colour."""
    return click.style(verdict.ljust(width), fg=VERDICTS[verdict].ansi, bold=True)


def compact(claim: Record) -> str:
    """One line: verdict, worst ratio, key."""
    return f"{word(claim['verdict'], 9)} {wording.ratio(claim):>11}  {claim['key']}"


def block(claim: Record, *, verbose: bool = False) -> str:
    """One claim in full: verdict, numbers, ratio, where, why, what to do next, and scripts when refuted."""
    lines = [f"{word(claim['verdict'])}: {claim['key']} ({claim['evidence']}; {wording.expectation(claim)})"]
    lines += _facts({"claim": claim["statement"]["text"]} | _assumed(claim)) if verbose else []
    if claim["worst"]:
        numbers = wording.against(claim["worst"]["lhs"], claim["worst"]["rhs"])
        lines += _facts({"numbers": numbers, "ratio": wording.ratio(claim, 4)})
    hidden = claim["constant"]["kind"] != "stated"
    lines += _facts(
        {
            "constant": f"{wording.constant(claim)} ({claim['constant']['kind']})"
            if hidden or verbose
            else "",
            "growth": wording.growth(claim),
            "rates": wording.rates(claim),
            "needed": wording.needed(claim),
            "where": where(claim["worst"] and claim["worst"]["case"]),
            "cases": wording.cases(claim),
            "why": claim["reason"],
            "next": claim["next"],
        }
    )
    lines += _detail(claim) if verbose else []
    lines += _scripts(claim)
    return "\n".join(lines)


def _facts(facts: Mapping[str, str]) -> list[str]:
    return [_folded(f"  {name:<9} {text}") for name, text in facts.items() if text]


def _folded(line: str) -> str:
    """A line broken at the width of the terminal; whole where it goes elsewhere, for search and diff."""
    if not sys.stdout.isatty():
        return line
    width = max(40, shutil.get_terminal_size().columns)
    return textwrap.fill(
        line, width, subsequent_indent=" " * 12, break_long_words=False, break_on_hyphens=False
    )


def _assumed(claim: Record) -> dict[str, str]:
    return {"assuming": "; ".join(item["text"] for item in claim["assumptions"])}


def _detail(claim: Record) -> list[str]:
    """Terms at the worst case, planted falsehoods, sharp cases, and what was left out."""
    terms = [
        f"{term['name']} {wording.enclosed(term['value'], 4)} ({wording.percent(term['share'])})"
        for term in claim["terms"]
    ]
    sharp = [
        f"{case['name']}: {wording.sig(case['ratio'], 6)} of {wording.sig(case['attains'])}"
        for case in claim["sharp"]
    ]
    planted = [
        f"{item['key']} {item['verdict']}" + ("" if item["refused"] else " (accepted!)")
        for item in claim["falsehoods"]
    ]
    return _facts(
        {
            "terms": "; ".join(terms),
            "sharp": "; ".join(sharp),
            "planted": "; ".join(planted),
            "not tried": "; ".join(claim["not_tried"]),
            "note": " ".join(claim["note"].split()),
        }
    )


def _scripts(claim: Record) -> list[str]:
    """The witness scripts of a refuted claim, each once."""
    kinds: dict[str, list[str]] = {}
    for witness in claim["witnesses"]:
        kinds.setdefault(witness["script"].rstrip(), []).append(witness["kind"])
    lines: list[str] = []
    for script, names in kinds.items():
        said = wording.listed(names)
        lines += [f"  {said} witness, to run as it stands:", textwrap.indent(script, "    ")]
    return lines


def listing(claims: Iterable[Claim], last: Mapping[str, Record]) -> str:
    """The catalogue, a line each: key, expected verdict, last verdict, title."""
    claims = list(claims)
    width = max((len(claim.key) for claim in claims), default=0)
    lines = []
    for claim in claims:
        verdict = word(last[claim.key]["verdict"], 9) if claim.key in last else "–".ljust(9)
        lines.append(f"{claim.key:<{width}}  {claim.expect:<9}  {verdict}  {claim.title}".rstrip())
    return "\n".join([f"{'key':<{width}}  {'expected':<9}  {'last':<9}  title", *lines])


def shown(claim: Claim, last: Record | None) -> str:
    """A claim for reading: statement, assumptions, setup, source, constant, last verdict."""
    lines = [
        f"{claim.key}: {claim.title}" if claim.title else claim.key,
        "",
        f"  {claim.statement_text()}",
        "",
    ]
    assumed = claim.assumption_texts()
    lines += ["assuming", *(f"  {item}" for item in assumed), ""] if assumed else []
    lines += ["terms", *(f"  {name:<16} {text}" for name, text in _terms(claim).items()), ""]
    lines += ["setup", *(f"  {name:<16} {text}" for name, text in _setup(claim).items()), ""]
    lines += ["constant", f"  {_constant(claim)}", "", "standing", f"  {_standing(claim)}", ""]
    lines += ["note", textwrap.indent(textwrap.fill(claim.note, 100), "  "), ""] if claim.note else []
    if claim.source is not None:
        lines += [
            "source",
            f"  {_source(claim)}",
            "",
            "bibtex",
            textwrap.indent(claim.source.bibtex, "  "),
            "",
        ]
    lines += [
        "last verdict"
        + (", of an earlier form of the claim" if last and last["claim_hash"] != claim.hash else ""),
        textwrap.indent(block(last), "  ") if last else f"  none recorded; expected {claim.expect}",
    ]
    return "\n".join(lines)


def _terms(claim: Claim) -> dict[str, str]:
    from bounds.render import text

    return {name: text(term) for name, term in claim.terms.items()}


def _setup(claim: Claim) -> dict[str, Any]:
    facts = claim.setup.to_dict()
    ranges = {f"{name} in": f"[{low}, {high}]" for name, (low, high) in facts.pop("parameters").items()}
    return {
        name: value
        for name, value in (facts | {"score": str(claim.score)} | ranges).items()
        if value is not None
    }


def _constant(claim: Claim) -> str:
    kind = claim.constant_kind
    return f"{claim.constant} ({kind})" if claim.is_stated else f"{kind}: {CONSTANTS[kind]}"


def _standing(claim: Claim) -> str:
    text = f"{claim.standing}: {STANDING[claim.standing]}"
    provenance = claim.source.provenance if claim.source is not None else "user"
    return (
        text if provenance in (claim.standing, "user") else f"{text}; {provenance}: {PROVENANCE[provenance]}"
    )


def _source(claim: Claim) -> str:
    source = claim.source
    assert source is not None
    parts = [f"{source.authors} ({source.year})", source.title, source.venue]
    parts += [f"arXiv:{source.arxiv}{source.version}" if source.arxiv else "", source.locator]
    return ", ".join(part for part in parts if part)
