"""A record as Markdown (GitHub's dialect): the verdict table, then what needs a reader's attention."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from reports import tables, wording
from reports.places import SHORT, where
from reports.record import Record, Results

__all__ = ["code", "plain", "prose", "render", "table"]

SPECIAL = re.compile(r"([\\`*_\[\]<>#|~$&])")


def plain(text: str) -> str:
    r"""Text that Markdown shows as it stands, on one line.

    >>> plain("a|b <i>")
    'a\\|b \\<i\\>'
    """
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """A code span, whatever it contains, that may stand in a table."""
    text = " ".join(text.split()).replace("|", "\\|")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence} {text} {fence}" if len(fence) > 1 else f"`{text}`"


def prose(text: str) -> str:
    r"""Text as it stands, but for what is set between backticks, which becomes code.

    >>> prose("try `lesssim refute a_b` on a_b")
    'try `lesssim refute a_b` on a\\_b'
    """
    pieces = text.split("`")
    if len(pieces) % 2 == 0 or not all(piece.strip() for piece in pieces[1::2]):
        return plain(text)
    ends = [" " if piece[-1:].isspace() else "" for piece in pieces]
    starts = [" " if piece[:1].isspace() else "" for piece in pieces]
    return "".join(
        code(piece) if odd % 2 else f"{starts[odd]}{plain(piece)}{ends[odd] if piece.strip() else ''}"
        for odd, piece in enumerate(pieces)
    ).strip()


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()) -> list[str]:
    """Lines of a table; ``right`` lists the columns that are set flush right."""
    rule = ["---:" if column in right else "---" for column in range(len(head))]
    return ["| " + " | ".join(row) + " |" for row in (head, rule, *rows)]


def render(results: Results) -> str:
    """The report, as text."""
    claims, errors = results["claims"], results.get("errors", [])
    environment = results["environment"]
    lines = ["# lesssim report", "", plain(wording.headline(claims, errors)) + ".", ""]
    run = f"lesssim {environment['lesssim']}, profile {environment['profile']}, seed {environment['seed']}"
    lines += [f"Run: {plain(run)}.", ""]
    if errors:
        lines += ["## Could not be read", "", *(f"- {code(error['message'])}" for error in errors), ""]
    if claims:
        lines += ["## Verdicts", "", *_verdicts(claims), ""]
    lines += [*_samplers(claims), *_samples(claims), *_exponents(claims)]
    wanting = [claim for claim in claims if not claim["met"]]
    if wanting:
        lines += ["## Not as expected", "", *(line for claim in wanting for line in _claim(claim))]
    return "\n".join(lines).rstrip() + "\n"


def _verdicts(claims: Sequence[Record]) -> list[str]:
    head = ("claim", "verdict", "expected", "evidence", "constant", "worst ratio", "where")
    rows = (
        (
            code(claim["key"]),
            claim["verdict"] if claim["met"] else f"**{claim['verdict']}**",
            plain(claim["expected"]),
            claim["evidence"],
            f"{plain(wording.constant(claim))} ({claim['constant']['kind']})",
            wording.ratio(claim),
            plain(where(claim["worst"] and claim["worst"]["case"], SHORT)),
        )
        for claim in claims
    )
    return table(head, rows, right=[5])


def _samplers(claims: Sequence[Record]) -> list[str]:
    """The summary table of the slides, with verdicts and exponents; nothing where no claim of it was run."""
    rows = [
        [
            plain(getattr(line["row"], name))
            for name in ("algorithm", "lipschitz", "score", "guarantee", "steps")
        ]
        + ["; ".join(_said(claim) for claim in line["claims"]) or "not in this run"]
        for line in tables.samplers(claims)
    ]
    head = ("algorithm", "Lipschitz", "score error", "guarantee", "steps", "claims, and exponents measured")
    return ["## Samplers at a glance", "", *table(head, rows), ""] if rows else []


def _samples(claims: Sequence[Record]) -> list[str]:
    """The table on the number of samples; nothing where no claim of it was run."""
    rows = [
        [plain(getattr(line["row"], name)) for name in ("name", "dimension", "assumes", "formula")]
        + ["; ".join(_said(claim) for claim in line["claims"]) or "not in this run"]
        for line in tables.samples(claims)
    ]
    head = ("paper", "dimension", "assumes", "samples", "claims")
    return ["## Samples at a glance", "", *table(head, rows), ""] if rows else []


def _said(claim: Record) -> str:
    rates = wording.rates(claim)
    return f"{code(claim['key'])} {claim['verdict']}" + (f" ({plain(rates)})" if rates else "")


def _exponents(claims: Sequence[Record]) -> list[str]:
    """Every measured exponent with its interval of two standard errors."""
    rows = [
        (
            code(key),
            plain(rate["term"]),
            plain(rate["parameter"]),
            wording.decimal(rate["claimed"]),
            wording.decimal(rate["seen"]),
            plain(wording.interval(rate)),
        )
        for key, rate in tables.exponents(claims)
    ]
    head = ("claim", "term", "moved", "claimed", "measured", "interval")
    return ["## Measured exponents", "", *table(head, rows, right=(3, 4)), ""] if rows else []


def _claim(claim: Record) -> list[str]:
    """One claim in full: statement, numbers, reason, next step, scripts."""
    lines = [f"### {code(claim['key'])}: {claim['verdict']}, {plain(wording.expectation(claim))}", ""]
    lines += [code(claim["statement"]["text"]), ""]
    if claim["worst"]:
        worst = claim["worst"]
        numbers = f"{wording.against(worst['lhs'], worst['rhs'])}, ratio {wording.ratio(claim, 4)}"
        lines += [f"- numbers: {plain(numbers)}", f"- where: {plain(where(worst['case']))}"]
    facts = {
        "growth": wording.growth(claim),
        "rates": wording.rates(claim),
        "needed of each term": wording.needed(claim),
        "evidence": f"{claim['evidence']}; {wording.cases(claim)}",
        "not tight": "; ".join(_missed(case) for case in claim["sharp"] if not case["met"]),
        "why": claim["reason"],
        "next": claim["next"],
        "note": claim["note"],
    }
    lines += [*(f"- {name}: {prose(fact)}" for name, fact in facts.items() if fact), ""]
    for witness in claim["witnesses"]:
        lines += [f"{witness['kind'].capitalize()} witness:", "", *_block(witness["script"]), ""]
    return lines


def _missed(case: Record) -> str:
    """A case on which the claim is said to be tight, and is not."""
    reached = "not measured" if case["ratio"] is None else f"ratio {wording.quotient(case['ratio'])}"
    return f"{case['name']}: {reached}, said to reach {wording.sig(case['attains'])}"


def _block(script: str) -> list[str]:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", script)), default=0))
    return [f"{fence}python", *script.rstrip().splitlines(), fence]
