"""The command ``mutate``: does the checker refuse claims that were made a little too strong?"""

# ruff: noqa: D301  (click reads the backspace \b as "keep these lines as they are")
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import click

from reports.options import effort, finish, json_file, loudness, report_errors, say, settings_of
from reports.wording import sig

if TYPE_CHECKING:
    from bounds.claim import Claim
    from properties.longer import Asked
    from properties.session import Settings

__all__ = ["mutate"]


@click.command(short_help="The checker's own score: refuse what was made too strong.")
@click.argument("names", metavar="[KEY or FILE ...]", nargs=-1)
@click.option("--limit", type=click.IntRange(1), help="Mutants of each claim to judge at most.")
@click.option("--write", is_flag=True, help="Keep the results in reports/MUTATION.md; what is there is kept.")
@click.option("--fresh", is_flag=True, help="With --write: judge again what is kept.")
@click.option(
    "--longer",
    type=click.FloatRange(1),
    metavar="FACTOR",
    help="Instead: are reported ratios close to those of a search so many times longer?",
)
@click.option(
    "--sample", type=click.IntRange(1), default=60, show_default=True, help="With --longer: how many mutants."
)
@click.option(
    "--file", "file", metavar="FILE", help="With --write: the page.  [default: reports/MUTATION.md]"
)
@effort("default")
@json_file
@loudness
def mutate(
    names: tuple[str, ...],
    limit: int | None,
    file: str | None,
    json_file: str | None,
    longer: float | None,
    sample: int,
    *,
    write: bool,
    fresh: bool,
    quiet: bool,
    verbose: bool,
    **options: Any,
) -> None:
    """Change claims a little, and count how many of the false ones are refused.

    Exponents, terms, clocks, orders of KL, averages, assumptions and constants are changed; changes that make
    a claim stronger are judged, and what is not refused is searched for longer. Without names, the whole
    catalogue: thousands of mutants, so give --limit. With --write, finished claims are saved as they come,
    and a later run judges only what is new or was edited. With --longer, a sample of the mutants that break
    a stated constant is searched again, and the worst ratios are compared.

    \b
    lesssim mutate chen-2023-sampling/explicit-path
    lesssim mutate --limit 5 --seed 1
    lesssim mutate --limit 5 --write
    lesssim mutate --longer 100 --sample 60 --write
    """
    from properties.mutate import mutate as run
    from reports.output import emit
    from reports.record import dump
    from reports.selection import select

    settings = settings_of(options)
    selection = select(names)
    if not selection.entries:
        finish(report_errors(selection.errors))
    claims = [claim for _, claim in selection.entries]
    if longer is not None:
        from properties.longer import Asked

        asked = Asked(longer, sample, settings.seed)
        behind = _longer(claims, settings, asked, _page(file) if write else None, fresh=fresh)
        finish(report_errors(selection.errors) or (1 if behind else 0))
        return
    if write:
        missed = _write(claims, settings, limit, _page(file), fresh=fresh)
        finish(report_errors(selection.errors) or (1 if missed else 0))
        return
    results = run(claims, settings, limit, on_done=_Pace())
    if json_file is not None:
        emit(json_file, dump(results))
    if json_file != "-":
        click.echo(_shown(results, quiet=quiet, verbose=verbose))
    score = results["score"]
    open_ = score["true"] + score["unclassified"]
    finish(
        report_errors(selection.errors) or (1 if score["missed"] else 3 if options["strict"] and open_ else 0)
    )


class _Pace:
    """Collects how long the mutants took."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, claim: Claim, entry: dict[str, Any], seconds: list[float]) -> None:
        self.seconds += seconds

    def __str__(self) -> str:
        return f"{sig(median(self.seconds))} s" if self.seconds else "none judged"


def _page(file: str | None) -> Path:
    from reports import mutation

    return Path(file or mutation.PATH)


def _longer(
    claims: Sequence[Claim], settings: Settings, asked: Asked, page: Path | None, *, fresh: bool
) -> int:
    """Compare with a longer search, saving row by row in a store if there is a page; how many are behind."""
    from properties.longer import longer as run
    from reports import longer, mutation
    from reports.store import write

    path = page.with_name(mutation.STORE) if page else None
    settled = {"limit": None, "profile": settings.profile, "seed": settings.seed}
    stored = mutation.load(path) if path and path.is_file() else mutation.empty(settled)
    comparison = longer.started({} if fresh else stored, asked, settings.profile)
    stored["longer"] = comparison

    def keep(row: dict[str, Any]) -> None:
        comparison["rows"].append(row)
        say(f"{row['word']:<11} {row['key']}")
        if page and path:
            write(path, mutation.text(stored))
            write(page, mutation.render(stored))

    known = longer.kept(comparison)
    rows = run(claims, settings, asked, done=known, on_done=keep)
    comparison["rows"] = rows
    if page and path:
        write(path, mutation.text(stored))
        write(page, mutation.render(stored))
    click.echo(longer.sentence(comparison))
    return sum(row["word"] == "behind" for row in rows)


def _write(claims: Sequence[Claim], settings: Settings, limit: int | None, page: Path, *, fresh: bool) -> int:
    """Judge what the store does not hold yet, saving claim by claim; how many were missed."""
    from bounds.catalogue import CATALOGUE
    from properties.mutate import mutate as run
    from properties.mutate import unsuited
    from reports import mutation
    from reports.store import write

    path = page.with_name(mutation.STORE)
    asked = {"limit": limit, "profile": settings.profile, "seed": settings.seed}
    stored = mutation.load(path) if path.is_file() and not fresh else mutation.empty(asked)
    if stored["settings"] != asked:
        stored = mutation.empty(asked) | {"longer": stored.get("longer")}
    pace = _Pace()
    stored["skipped"] = {claim.key: unsuited(claim) for claim in CATALOGUE if unsuited(claim)}
    suited = {claim.key: claim.hash for claim in CATALOGUE if not unsuited(claim)}
    kept = {key: entry for key, entry in stored["claims"].items() if suited.get(key) == entry["hash"]}
    stored["claims"] = kept

    def keep() -> None:
        stored["waiting"] = sorted(suited.keys() - kept.keys())
        write(path, mutation.text(stored))
        write(page, mutation.render(stored))

    def on_done(claim: Claim, entry: dict[str, Any], seconds: list[float]) -> None:
        kept[claim.key] = mutation.brief(entry)
        pace(claim, entry, seconds)
        keep()

    keep()
    run([claim for claim in claims if claim.key in stored["waiting"]], settings, limit, on_done=on_done)
    click.echo(f"wrote {page}: {mutation.sentence(stored)}")
    say(f"median time of a mutant: {pace}")
    return int(mutation.totals(stored)["missed"])


def _shown(results: dict[str, Any], *, quiet: bool, verbose: bool) -> str:
    score, entries = results["score"], results["claims"]
    word = "none false" if score["score"] is None else f"{score['refused']} of {score['false']} refused"
    lines = [f"{'missed' if score['missed'] else 'refused'}: {word} (score {sig(score['score'])})"]
    counts = {name: sum(entry[name] for entry in entries) for name in ("tightening", "loosening", "unclear")}
    counted = f"{counts['tightening']} made stronger, {score['judged']} of them judged"
    others = f"{counts['loosening']} no stronger, {counts['unclear']} not to be evaluated"
    lines.append(f"  mutants   {counted}; {others}")
    if quiet:
        return "\n".join(lines)
    for row in (row for entry in entries for row in entry["mutants"]):
        if verbose or not row["refused"]:
            lines.append(f"  {row['verdict']:<9} {row['key']}")
            lines.append(f"            {row['change']}: {row['why']}")
    lines += [f"  skipped   {item['key']}: {item['why']}" for item in results["skipped"]]
    return "\n".join(lines)
