"""The commands that work on recorded results: report, baseline, compliance."""

# ruff: noqa: D301  (click reads the backspace \b as "keep these lines as they are")
from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reports import record as records
from reports.options import RESULTS, effort, finish, out_folder, report_errors, settings_of
from reports.record import RecordError, Results

if TYPE_CHECKING:
    from reports.baseline import Change

__all__ = ["baseline", "compliance", "report"]

BASELINE = "lesssim-baseline.json"


@click.command(short_help="Render recorded results.")
@click.argument("file", metavar="RESULTS.json", default=RESULTS)
@click.option("--html", "html_file", metavar="FILE", help="One self-contained page.")
@click.option("--markdown", "markdown_file", metavar="FILE", help="For a pull request.")
@click.option("--junit", "junit_file", metavar="FILE", help="For a build server.")
@click.option("--latex", "latex_file", metavar="FILE", help="A table for a paper (booktabs, longtable).")
@click.option("--out", metavar="DIR", help="All of them, into this folder.")
def report(file: str, out: str | None, **files: str | None) -> None:
    """Render recorded results; runs nothing.

    Without options, renews the report beside the file. A FILE of - is standard output.

    \b
    lesssim report lesssim-report/results.json --latex appendix.tex
    lesssim report nightly.json --out site/
    """
    from reports.output import BUILDERS, emit, rendered
    from reports.store import write_all

    results = records.load(file)
    wanted = {
        name: str(files[f"{builder}_file"]) for name, builder in BUILDERS.items() if files[f"{builder}_file"]
    }
    texts = {target: rendered(name, results) for name, target in wanted.items()}
    if out is not None or not wanted:
        folder = Path(file).parent if out is None else Path(out)
        write_all({folder / name: rendered(name, results) for name in BUILDERS})
        click.echo(f"report: {folder / 'index.html'}")
    for target, text in texts.items():
        emit(target, text)


@click.group(short_help="Record today's results, or fail on a regression.")
def baseline() -> None:
    """Record today's verdicts, constants and exponents, and fail when a later run is worse.

    \b
    lesssim verify && lesssim baseline save
    git add lesssim-baseline.json
    lesssim verify && lesssim baseline diff

    Between two revisions of a claim file, without a saved baseline:

    \b
    lesssim baseline revisions my_bound.py HEAD~1
    """


baseline_file = click.option(
    "--file", "file", default=BASELINE, show_default=True, metavar="FILE", help="The baseline."
)


@baseline.command("save")
@click.argument("results_file", metavar="[RESULTS.json]", default=RESULTS)
@baseline_file
def baseline_save(results_file: str, file: str) -> None:
    """Write the baseline of recorded results: sorted JSON, made to be reviewed and committed.

    Of a claim that was not edited, the brackets that FILE held before are remembered.
    """
    from reports.baseline import load, save
    from reports.store import write
    from reports.wording import plural

    results = records.load(results_file)
    if results.get("errors"):
        raise RecordError(
            results_file,
            "errors",
            plural(len(results["errors"]), "claim"),
            "a run in which every claim could be read",
        )
    before = load(file) if Path(file).is_file() else None
    write(file, records.dump(save(results, before)))
    click.echo(f"saved {plural(len(results['claims']), 'claim')} to {file}")


tolerance_option = click.option(
    "--tolerance",
    type=click.FloatRange(0, 1),
    default=1e-3,
    show_default=True,
    help="Relative change of a number that is let pass.",
)


@baseline.command("diff")
@click.argument("results_file", metavar="[RESULTS.json]", default=RESULTS)
@baseline_file
@tolerance_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def baseline_diff(results_file: str, file: str, tolerance: float, *, as_json: bool) -> None:
    """Say what changed since the baseline and why it matters; exit with 1 if anything is worse."""
    from reports.baseline import diff, load, save

    before, after = load(file), save(records.load(results_file))
    _tell(diff(before, after, tolerance=tolerance), before, after, as_json=as_json)


def _tell(
    changes: Sequence[Change], before: Mapping[str, Any], after: Mapping[str, Any], *, as_json: bool
) -> None:
    """Print the changes; exit with 1 if anything is worse."""
    from reports.baseline import headline

    if as_json:
        click.echo(records.dump([change._asdict() for change in changes]), nl=False)
    else:
        renamed = sum(change.what.startswith("renamed from ") for change in changes)
        compared = len(before["claims"].keys() & after["claims"].keys()) + renamed
        click.echo(headline(list(changes), compared))
        colours = {"regression": "red", "improvement": "green", "note": "white"}
        for change in changes:
            click.echo(
                f"{click.style(change.kind.ljust(11), fg=colours[change.kind])}  "
                f"{change.key}: {change.what} ({change.why})"
            )
    finish(1 if any(change.kind == "regression" for change in changes) else 0)


@baseline.command("revisions")
@click.argument("file")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="[NEW]", required=False)
@tolerance_option
@effort("default")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def baseline_revisions(
    file: str, old: str, new: str | None, tolerance: float, *, as_json: bool, **options: Any
) -> None:
    """Say what changed in a claim FILE between two git revisions; exit with 1 if anything is worse.

    Runs the claims of both, those that are the same only once. Without NEW, the file as it stands now.

    \b
    lesssim baseline revisions my_bound.py HEAD~1
    lesssim baseline revisions my_bound.py main my-branch --profile quick
    """
    from bounds.loading import load
    from properties.session import verify
    from reports.baseline import diff, save
    from reports.revisions import claims_at

    sides = [claims_at(file, old), claims_at(file, new) if new is not None else load(file)]
    keys = {claim.key: claim.hash for claim in sides[1]}
    done: dict[str, Any] = {}
    runs = []
    for claims in sides:
        results = verify([(file, claim) for claim in claims], settings_of(options), done=done)
        finish(report_errors(results.get("errors", [])))
        runs.append(results)
        done = {
            record["claim_hash"]: record
            for record in results["claims"]
            if keys.get(record["key"]) == record["claim_hash"]
        }
    before, after = map(save, runs)
    _tell(diff(before, after, tolerance=tolerance), before, after, as_json=as_json)
    finish(3 if records.exit_code(runs[1], strict=options["strict"]) == 3 else 0)


@click.command(short_help="Write or check the committed report.")
@click.option(
    "--check", is_flag=True, help="Write nothing; exit with 1 if the committed report is out of date."
)
@click.option(
    "--from", "results_file", metavar="RESULTS.json", help="Use these recorded results instead of a new run."
)
@click.option(
    "--file", "file", metavar="FILE", help="The committed report.  [default: reports/COMPLIANCE.md]"
)
@effort("default")
@out_folder
def compliance(file: str | None, results_file: str | None, out: str, *, check: bool, **options: Any) -> None:
    """Write the committed report on the whole catalogue, or check that it is up to date.

    Writing judges the planted falsehoods too; the check leaves them to the tests.

    \b
    lesssim compliance
    lesssim compliance --check
    """
    from reports import compliance as committed
    from reports.running import forget
    from reports.store import write

    path = Path(file or committed.PATH)
    if check and not path.is_file():
        raise RecordError(
            str(path), "file", repr(str(path)), "the committed report; `lesssim compliance` writes it"
        )
    if not check and not path.parent.is_dir():
        raise RecordError(
            str(path),
            "file",
            repr(str(path)),
            "a folder that exists; run this in a checkout of lesssim, or give --file",
        )
    results = (
        records.load(results_file)
        if results_file
        else _whole_catalogue(options, Path(out), falsehoods=not check)
    )
    changed: list[str] = []
    if check:
        changed = committed.drift(path.read_text(encoding="utf-8"), results)
        click.echo("\n".join([f"{path} is out of date" if changed else f"{path} is up to date", *changed]))
    else:
        write(path, committed.render(results))
        click.echo(f"wrote {path}")
    forget(Path(out))
    finish(1 if changed else records.exit_code(results, strict=options["strict"]))


def _whole_catalogue(options: Mapping[str, Any], out: Path, *, falsehoods: bool) -> Results:
    from reports.output import verified
    from reports.selection import select

    return verified(
        select(()).entries, settings_of(options), out, quiet=True, progress=True, falsehoods=falsehoods
    )
