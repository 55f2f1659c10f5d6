"""The command ``mutate``: does the checker refuse claims that were made a little too strong?"""

# ruff: noqa: D301  (click reads the backspace \b as "keep these lines as they are")
from __future__ import annotations

from typing import Any

import click

from reports.options import effort, finish, json_file, loudness, report_errors, settings_of
from reports.wording import sig

__all__ = ["mutate"]


@click.command(short_help="The checker's own score: refuse what was made too strong.")
@click.argument("names", metavar="[KEY or FILE ...]", nargs=-1)
@click.option("--limit", type=click.IntRange(1), help="Mutants to judge at most, chosen from the seed.")
@effort("default")
@json_file
@loudness
def mutate(
    names: tuple[str, ...],
    limit: int | None,
    json_file: str | None,
    *,
    quiet: bool,
    verbose: bool,
    **options: Any,
) -> None:
    """Change claims a little, and count how many of the false ones are refused.

    Exponents, terms, clocks, orders of KL, averages, assumptions and constants are changed; changes that make
    a claim stronger are judged, and what is not refused is searched for longer. Without names, the whole
    catalogue: thousands of mutants, so give --limit.

    \b
    lesssim mutate chen-2023-sampling/explicit-path
    lesssim mutate --limit 50 --seed 1
    """
    from properties.mutate import mutate as run
    from reports.output import emit
    from reports.record import dump
    from reports.selection import select

    settings = settings_of(options)
    selection = select(names)
    if not selection.entries:
        finish(report_errors(selection.errors))
    results = run([claim for _, claim in selection.entries], settings, limit)
    if json_file is not None:
        emit(json_file, dump(results))
    if json_file != "-":
        click.echo(_shown(results, quiet=quiet, verbose=verbose))
    missed = results["score"]["missed"]
    unsettled = any(row["truth"] == "unknown" for row in results["mutants"])
    finish(report_errors(selection.errors) or (1 if missed else 3 if options["strict"] and unsettled else 0))


def _shown(results: dict[str, Any], *, quiet: bool, verbose: bool) -> str:
    score = results["score"]
    word = "none false" if score["score"] is None else f"{score['refused']} of {score['false']} refused"
    lines = [f"{'missed' if score['missed'] else 'refused'}: {word} (score {sig(score['score'])})"]
    counted = f"{results['tightening']} made stronger, {score['judged']} of them judged"
    others = f"{results['loosening']} no stronger, {results['unclear']} not to be evaluated"
    lines.append(f"  mutants   {counted}; {others}")
    if quiet:
        return "\n".join(lines)
    for row in results["mutants"]:
        if verbose or not row["refused"]:
            lines.append(f"  {row['verdict']:<9} {row['key']}")
            lines.append(f"            {row['change']}: {row['why']}")
    lines += [f"  skipped   {item['key']}: {item['why']}" for item in results["skipped"]]
    return "\n".join(lines)
