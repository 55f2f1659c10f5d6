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
    from properties.derive import Checked, Derived, Loss

__all__ = ["derivation_record", "derive", "lines_of"]


@click.command(short_help="Check a derivation step by step.")
@click.argument("names", metavar="FILE or KEY ...", nargs=-1, required=True)
@click.option(
    "--profile",
    type=click.Choice(["quick", "default", "deep"]),
    default="quick",
    show_default=True,
    help="How hard to look; quick looks at Gaussian targets only.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Same seed: same result.")
@click.option("--first", is_flag=True, help="Stop at the first broken link.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def derive(names: tuple[str, ...], profile: str, seed: int, *, first: bool, as_json: bool) -> None:
    """Check every link of a derivation: which step breaks first, and which wastes most.

    A name is a file with derivations, the key of one of the catalogue's proofs, or a paper.

    \b
    lesssim derive chen-2023-sampling/explicit
    lesssim new --derivation my-proof && lesssim derive my-proof_derivation.py

    Exit codes: 0 every link holds, 1 a link is broken, 2 a derivation that cannot be read,
    3 nothing is broken but a link is undecided.
    """
    from properties.derive import derive as check

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
    found = [item for key, item in known.items() if name in (key, key.partition("/")[0])]
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
    from properties.derive import share

    closest = quotient(link.verdict.worst.ratio, 4) if link.verdict.worst else "–"
    text = f"  {word(link.verdict.word, 9)} {link.name:<{width}}  closest {closest:<10}"
    if loss is not None:
        typical, largest = (sig(math.exp(min(value, 700.0))) for value in (loss.typical, loss.largest))
        text += f"  x {typical:<7} up to x {largest:<8} {percent(share(loss, found.losses)):>4}"
    return f"{text}  {link.lemma}" + ("; by algebra too" if link.symbolic else "")


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
        "ratio": None if worst is None or not math.isfinite(worst.ratio) else worst.ratio,
        "case": worst.case.to_dict() if worst is not None and link.broken else None,
        "slack": None
        if loss is None
        else {"typical": loss.typical, "largest": loss.largest, "at_tightest": loss.at_tightest},
    }
