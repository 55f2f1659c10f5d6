"""What a run prints and writes: each verdict in turn, the report's files, and the witnesses for replay."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reports.options import say
from reports.record import Record, Results, canonical, dump
from reports.store import write, write_all

if TYPE_CHECKING:
    from bounds.claim import Claim
    from properties.session import Settings

__all__ = ["BUILDERS", "close", "emit", "rendered", "save_witnesses", "verified", "write_report"]

MANY = 12  # a run of more claims shows those as expected in one line each
BUILDERS = {"index.html": "html", "report.md": "markdown", "junit.xml": "junit", "table.tex": "latex"}
"""The rendered files, and the modules that render them."""


def verified(
    entries: Sequence[tuple[str, Claim]],
    settings: Settings,
    out: Path,
    *,
    quiet: bool,
    verbose: bool = False,
    progress: bool = False,
    falsehoods: bool = False,
) -> Results:
    """Verify, printing each verdict in turn unless quiet; an interruption ends the program with code 130.

    progress : whether a quiet run, too, may show a progress bar on a terminal.
    falsehoods : whether the planted falsehoods of the catalogue's claims are judged too.
    """
    from reports.graph import lemmas
    from reports.running import Interrupted, run

    def show(claim: Record) -> None:
        from reports.terminal import block, compact

        if not quiet:
            full = verbose or not claim["met"] or len(entries) <= MANY
            click.echo(block(claim, verbose=verbose) + "\n" if full else compact(claim))

    progress = (progress or not quiet) and len(entries) > 1 and sys.stderr.isatty()
    try:
        results = run(entries, settings, out, show=show, say=say, progress=progress, falsehoods=falsehoods)
    except Interrupted as stop:
        say(str(stop))
        sys.exit(130)
    edges = lemmas(results["claims"])
    return {"errors": [], **canonical(results), **({"lemmas": edges} if edges else {})}


def rendered(name: str, results: Results) -> str:
    """The text of one of the files of `BUILDERS`."""
    return str(import_module(f"reports.{BUILDERS[name]}").render(results))


def write_report(results: Results, out: Path, json_file: str | None = None) -> None:
    """Every file of the report; all texts are made before the first is written."""
    names = [name for name in BUILDERS if name != "table.tex"]
    texts: dict[str | Path, str] = {
        out / "results.json": dump(results),
        **{out / name: rendered(name, results) for name in names},
    }
    write_all(texts)
    if json_file is not None:
        emit(json_file, dump(results))


def emit(file: str, text: str) -> None:
    """Write a file, or standard output for ``-``."""
    if file == "-":
        click.echo(text, nl=False)
    else:
        write(file, text)


def save_witnesses(claims: Iterable[Record], entries: Iterable[tuple[str, Claim]], out: Path) -> list[Path]:
    """Write each witness with its claim, for `lesssim replay`."""
    from reports.plots import anchor

    known = {(file, claim.key): claim for file, claim in entries}
    texts: dict[str | Path, str] = {}
    for found in claims:
        for witness in found["witnesses"]:
            path = out / "witnesses" / f"{anchor(found['key'])}.{witness['kind']}.json"
            claim = known[found["file"], found["key"]].to_dict()
            texts[path] = dump({"schema": "lesssim.witness/1", "claim": claim, "witness": witness})
    write_all(texts)
    return [Path(path) for path in texts]


def close(results: Results, last: str) -> None:
    """The closing lines of a run."""
    from reports.wording import headline

    click.echo(headline(results["claims"], results["errors"]))
    click.echo(last)
