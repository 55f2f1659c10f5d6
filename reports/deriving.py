"""``lesssim derive``: a derivation checked link by link, with the waterfall of its slack."""

# ruff: noqa: D301  (click reads the backspace \b as "keep these lines as they are")
from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bounds.errors import ClaimError
from reports import record as records
from reports.options import finish
from reports.places import where
from reports.terminal import word
from reports.wording import percent, quotient, sig

if TYPE_CHECKING:
    from bounds.derivation import Derivation
    from properties.derive import Checked, Derived
    from properties.plant import Planted
    from properties.waterfall import Loss

__all__ = ["derivation_record", "derive", "lines_of", "planted_markdown", "planted_record"]


@click.command(short_help="Check a derivation step by step.")
@click.argument("names", metavar="FILE or KEY ...", nargs=-1, required=True)
@click.option(
    "--profile",
    type=click.Choice(["quick", "default", "deep"]),
    default="default",
    show_default=True,
    help="How hard to look; quick looks at Gaussian targets only, the others at mixtures too.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Same seed: same result.")
@click.option("--first", is_flag=True, help="Stop at the first broken link.")
@click.option("--plant", is_flag=True, help="Plant errors in every link in turn: is each named?")
@click.option("--out", metavar="FILE", help="With --plant: also write the table there, as Markdown.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def derive(
    names: tuple[str, ...],
    profile: str,
    seed: int,
    out: str | None,
    *,
    first: bool,
    plant: bool,
    as_json: bool,
) -> None:
    """Check every link of a derivation: which step breaks first, and which wastes most.

    A name is a file with derivations, the key of one of the catalogue's proofs, a paper, or "all". With
    --plant the check itself is tried: constants, exponents, signs, measures and end points are made wrong one
    at a time, each shown to be false by plain formulas, and the link named must be the false one.

    \b
    lesssim derive chen-2023-sampling/explicit
    lesssim derive initialisation/split --plant
    lesssim new --derivation my-proof && lesssim derive my-proof_derivation.py

    Exit codes: 0 every link holds, 1 a link is broken, 2 a derivation that cannot be read,
    3 nothing is broken but a link is undecided.
    """
    from properties.derive import derive as check

    if plant:
        finish(_plant([item for name in names for item in chosen(name)], seed, out, as_json=as_json))
        return
    found: list[Derived] = []
    for file, derivation in [item for name in names for item in chosen(name)]:
        try:
            found.append(check(derivation, profile=profile, seed=seed, until_broken=first))
        except ClaimError as error:
            raise error.within(file) from error
        if not as_json:
            click.echo("\n".join(lines_of(found[-1])))
    if as_json:
        data = {"schema": "lesssim.derivations/1", "derivations": [derivation_record(item) for item in found]}
        click.echo(records.dump(data), nl=False)
    words = {item.word for item in found}
    finish(1 if "refuted" in words else 3 if "undecided" in words else 0)


def chosen(name: str) -> list[tuple[str, Derivation]]:
    """The derivations that a name stands for, with the file they come from ("" for the catalogue's).

    Raises ClaimError, with the nearest key, if there is none.
    """
    from bounds.errors import nearest
    from bounds.loading import load_derivations

    if name.endswith(".py") or Path(name).is_file():
        return [(name, derivation) for derivation in load_derivations(name)]
    from bounds.derivations import DERIVATIONS

    known = {derivation.key: derivation for derivation in DERIVATIONS}
    found = [item for key, item in known.items() if name in (key, key.partition("/")[0], "all")]
    if not found:
        what = f"a key of the catalogue's derivations, or a .py file{nearest(name, known)}"
        raise ClaimError("derivation", name, what, "command line")
    return [("", item) for item in found]


def lines_of(found: Derived) -> list[str]:
    """A derivation for the terminal: the verdict, the first broken link with its witness, the waterfall."""
    derivation, broken = found.derivation, found.broken
    count = len(found.links)
    if broken is not None:
        said = f"link {broken.name} is the first that breaks"
    elif found.uncovered is not None:
        said = f"the cases of {found.uncovered[0]} leave a gap"
    elif found.open:
        said = f"{len(found.open)} of {count} links cannot be decided"
    else:
        said = f"all {count} links hold"
    lines = [f"{word(found.word)}: {derivation.key} ({said})"]
    losses = {loss.name: loss for loss in found.losses}
    width = max(len(link.name) for link in found.links)
    lines += [_link(link, losses.get(link.name), found, width) for link in found.links]
    lines += _waste(found)
    if found.uncovered is not None:
        lines += [f"  gap       {where(found.uncovered[1].to_dict())}"]
    return lines + (_witness(broken) if broken is not None else [])


def _link(link: Checked, loss: Loss | None, found: Derived, width: int) -> str:
    from properties.waterfall import share

    closest = quotient(link.verdict.worst.ratio, 4) if link.verdict.worst else "–"
    text = f"  {word(link.verdict.word, 9)} {link.name:<{width}}  closest {closest:<10}"
    if loss is not None:
        typical, largest = (sig(math.exp(min(value, 700.0))) for value in (loss.typical, loss.largest))
        text += f"  x {typical:<7} up to x {largest:<8} {percent(share(loss, found.losses)):>4}"
    return f"{text}  {link.lemma}" + (f"; also by {link.shown}" if link.shown else "")


def _waste(found: Derived) -> list[str]:
    loss = found.wasteful
    if loss is None:
        return []
    lines = [f"  wasteful  {loss.name}: a factor {sig(math.exp(loss.typical))} on the typical case"]
    if loss.where is not None:
        worst = f"a factor {sig(math.exp(min(loss.largest, 700.0)))} at"
        lines.append(f"            {worst} {where(loss.where.to_dict())}")
    if found.tightest is not None:
        lines.append(f"  tightest  {where(found.tightest.to_dict())}")
    return lines


def _witness(link: Checked) -> list[str]:
    import textwrap

    from properties.record import witness_script

    exam = link.verdict.witnesses[0].exam if link.verdict.witnesses else link.verdict.worst
    lines = [f"  why       {link.verdict.reason}", f"  claims    {link.claim.statement_text()}"]
    if exam is None:
        return lines
    lines += [f"  where     {where(exam.case.to_dict())}", "  witness, to run as it stands:"]
    return [*lines, textwrap.indent(witness_script(link.claim, exam.case), "    ")]


def derivation_record(found: Derived) -> dict[str, Any]:
    """A checked derivation as plain data."""
    losses = {loss.name: loss for loss in found.losses}
    return {
        "key": found.derivation.key,
        "proves": found.derivation.proves,
        "verdict": found.word,
        "broken": found.broken.name if found.broken else None,
        "wasteful": found.wasteful.name if found.wasteful else None,
        "tightest": found.tightest.to_dict() if found.tightest else None,
        "links": [_link_record(link, losses.get(link.name)) for link in found.links],
    }


def _link_record(link: Checked, loss: Loss | None) -> dict[str, Any]:
    worst = link.verdict.worst
    return {
        "name": link.name,
        "statement": link.claim.statement_text(),
        "by": link.lemma,
        "verdict": link.verdict.word,
        "reason": link.verdict.reason,
        "symbolic": link.symbolic,
        "shown": link.shown,
        "ratio": None if worst is None or not math.isfinite(worst.ratio) else worst.ratio,
        "case": worst.case.to_dict() if worst is not None and link.broken else None,
        "slack": None
        if loss is None
        else {"typical": loss.typical, "largest": loss.largest, "at_tightest": loss.at_tightest},
    }


# -- planted errors ------------------------------------------------------------------------------------------


def _plant(derivations: list[tuple[str, Derivation]], seed: int, out: str | None, *, as_json: bool) -> int:
    """Try every planting; 0 if each is named, else 1."""
    from properties.plant import found_in, plantings
    from reports.store import write

    rows = []
    for _, derivation in derivations:
        for planting in plantings(derivation, seed=seed):
            rows.append(planted_record(found_in(planting, seed=seed)))
            if not as_json:
                click.echo(_planted_line(rows[-1]))
    if as_json:
        click.echo(records.dump({"schema": "lesssim.plantings/1", "plantings": rows}), nl=False)
    else:
        click.echo(f"{sum(row['right'] for row in rows)} of {len(rows)} planted errors are named")
    if out is not None:
        write(out, planted_markdown(rows))
    return 0 if all(row["right"] for row in rows) else 1


def planted_record(row: Planted) -> dict[str, Any]:
    """A tried planting as plain data."""
    planting = row.planting
    return {
        "key": planting.derivation.key,
        "place": planting.place,
        "kind": planting.kind,
        "change": planting.change,
        "link": planting.link,
        "margin": planting.margin if math.isfinite(planting.margin) else str(planting.margin),
        "named": row.named,
        "right": row.right,
    }


def _planted_line(row: dict[str, Any]) -> str:
    said = f"names {row['named'] or 'no link'}" + ("" if row["right"] else f", and {row['link']} is false")
    return f"  {'ok' if row['right'] else 'MISSED':<7} {row['key']}, {row['place']}: {row['change']}: {said}"


def planted_markdown(rows: list[dict[str, Any]]) -> str:
    """A line for each derivation, a line for each kind, and every planting that is not named."""
    lines = [
        "# Errors planted in the derivations",
        "",
        "Made by `lesssim derive all --plant --out reports/DERIVATIONS.md`. One expression of a true proof",
        "is made wrong at a time; every planting counted here is false on a Gaussian, or in the model that",
        "the proof is about, by plain formulas that the check does not use. *Named*: the first link that the",
        "check calls broken is the false one.",
    ]
    for title, name in (("derivation", "key"), ("kind", "kind")):
        lines += ["", f"| {title} | positions | plantings | named |", "|---|---:|---:|---:|"]
        for value in dict.fromkeys(row[name] for row in rows):
            some = [row for row in rows if row[name] == value]
            places = len({(row["key"], row["place"]) for row in some})
            lines.append(f"| {value} | {places} | {len(some)} | {sum(row['right'] for row in some)} |")
    right = sum(row["right"] for row in rows)
    lines += ["", f"In all: {right} of {len(rows)} ({percent(right / len(rows)) if rows else '–'})."]
    missed = [row for row in rows if not row["right"]]
    lines += ["", "Not named:", ""] if missed else []
    lines += [f"- {_planted_line(row).removeprefix('  MISSED  ')}" for row in missed]
    return "\n".join(lines) + "\n"
