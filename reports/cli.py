"""The command line, ``lesssim``: thin commands over the other modules, which are imported only when a command
needs them.

Exit codes: 0 every claim met its expectation; 1 a claim did not; 2 bad usage, or a claim or file that cannot
be read; 3 nothing was wrong but something is undecided or vacuous, and ``--strict`` was given.
"""

# ruff: noqa: D301  (click reads the backspace \b as "keep these lines as they are")
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bounds.errors import ClaimError
from reports import comparing, deriving, experiments, mutating, proving, recorded
from reports import record as records
from reports.options import (
    RESULTS,
    Group,
    effort,
    finish,
    json_file,
    loudness,
    out_folder,
    report_errors,
    say,
    settings_of,
    version,
)
from reports.record import Record, RecordError, Results
from reports.vocabulary import VERDICTS

if TYPE_CHECKING:
    from bounds.claim import Claim

__all__ = ["main"]

INLINE = (
    *("lhs", "rhs", "relation", "constant", "assume"),
    *("clock", "sampler", "grid", "start", "score", "target", "parameter", "model"),
)


def _print_version(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        click.echo(version())
        context.exit()


last_results = click.option(
    "--verdict-from",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help=f"Recorded results to look into.  [default: {RESULTS}]",
)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version.",
)
def main() -> None:
    """Decide whether a claimed bound in diffusion-model theory is true, how tight it is, and where it breaks.

    \b
    lesssim list                          what the catalogue holds
    lesssim show KEY                      one claim: statement, assumptions, source
    lesssim verify                        check the catalogue, write lesssim-report/
    lesssim new my-note                   a claim file to fill in
    lesssim verify my-note_bound.py       check it
    lesssim refute my-note_bound.py       look harder for a counterexample

    Exit codes: 0 every claim met its expectation, 1 one did not, 2 bad usage or a claim that cannot be read,
    3 only with --strict: nothing is wrong but something is undecided or vacuous.
    """


@main.command("list", short_help="The catalogue, a line each.")
@click.option("--paper", metavar="PAPER", help="Only the claims of this paper, such as benton-2024.")
@click.option(
    "--verdict",
    type=click.Choice(list(VERDICTS)),
    help="Only claims with this last verdict (or expected, if none is recorded).",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@last_results
def list_claims(paper: str | None, verdict: str | None, *, as_json: bool, verdict_from: str | None) -> None:
    """Print the catalogue, a line each: key, expected verdict, last verdict, title.

    \b
    lesssim list --paper benton-2024
    lesssim list --verdict refuted
    """
    from bounds.catalogue import CATALOGUE

    known = _last(verdict_from)
    last = {
        claim.key: known[claim.key]
        for claim in CATALOGUE
        if claim.key in known and known[claim.key].get("claim_hash") == claim.hash
    }
    claims = [claim for claim in CATALOGUE if paper in (None, claim.paper)]
    if paper is not None and not claims:
        from reports.selection import COMMAND_LINE, near

        papers = {claim.paper for claim in CATALOGUE}
        what = f"a paper of the catalogue; nearest: {', '.join(near(paper, papers, cutoff=0.0))}"
        raise ClaimError("--paper", paper, what, COMMAND_LINE)
    found = {claim.key: last[claim.key]["verdict"] if claim.key in last else claim.expect for claim in claims}
    claims = [claim for claim in claims if verdict in (None, found[claim.key])]
    if as_json:
        click.echo(records.dump([_summary(claim, last.get(claim.key)) for claim in claims]), nl=False)
        return
    from reports.terminal import listing

    click.echo(listing(claims, last) if claims else f"no claim is {verdict}")


def _summary(claim: Claim, last: Record | None) -> dict[str, Any]:
    return {
        "key": claim.key,
        "title": claim.title,
        "statement": claim.statement_text(),
        "constant": claim.constant_kind,
        "standing": claim.standing,
        "expected": claim.expect,
        "last": last["verdict"] if last else None,
    }


def _last(file: str | None) -> dict[str, Record]:
    """The last recorded claims by key; a default file that cannot be used counts as nothing recorded."""
    path = Path(file or RESULTS)
    if file is None and not path.exists():
        return {}
    try:
        data = records.read_json(path)
        if not isinstance(data, dict) or data.get("schema") != records.FORMAT:
            raise RecordError(str(path), "schema", "(other)", repr(records.FORMAT))
        return {claim["key"]: claim for claim in data["claims"] if claim["verdict"] in VERDICTS}
    except (KeyError, TypeError) as error:
        problem: RecordError = RecordError(str(path), "claims", repr(error), "a list of recorded claims")
    except RecordError as error:
        problem = error
    if file is not None:
        raise problem
    say(f"ignored: {problem}")
    return {}


@main.command(short_help="A claim: statement, assumptions, source, verdict.")
@click.argument("names", metavar="KEY or FILE ...", nargs=-1, required=True)
@last_results
def show(names: tuple[str, ...], verdict_from: str | None) -> None:
    """Print a claim: statement, assumptions, terms, setup, constant, source, BibTeX, last verdict.

    \b
    lesssim show chen-lee-lu-2023/explicit
    lesssim show benton-2024
    """
    from reports.selection import select
    from reports.terminal import shown

    selection = select(names)
    last = _last(verdict_from)
    for place, (_, claim) in enumerate(selection.entries):
        found = last.get(claim.key)
        if found is not None:
            records.validate_claim(found, verdict_from or RESULTS)
        click.echo(("\n" if place else "") + shown(claim, found))
    finish(report_errors(selection.errors))


@main.command(short_help="Check claims and write a report: the main job.")
@click.argument("names", metavar="[KEY or FILE ...]", nargs=-1)
@click.option("--lhs", help="Left side of a claim given here, such as 'KL(target, output)'.")
@click.option("--rhs", help="Its right side, such as '(M2 + d)/(2*(exp(T) - 1))'.")
@click.option("--relation", help="<= (default), >= or ==.")
@click.option("--clock", help="unit: dX = -X dt + sqrt2 dB; half: dX = -X/2 dt + dB.")
@click.option("--sampler", help="ddpm-ei, ddpm-em, pf-ei, lmc, ... or none.")
@click.option("--grid", help="uniform, geometric or any.")
@click.option("--constant", help="A number (default 1), absolute or polylog.")
@click.option(
    "--assume", "--assuming", multiple=True, help="An assumption, such as 'L >= 1'; may be repeated."
)
@click.option("--target", help="Family of targets: any, gaussian, ...")
@click.option("--start", help="gamma, or q_T to leave the initial error out.")
@click.option("--score", help="exact, or estimated:AVERAGE with time, integral, sup or output-sup.")
@click.option(
    "--parameter", multiple=True, metavar="NAME=LOW:HIGH", help="A parameter of your own with its range."
)
@click.option("--model", help="A small world, for a claim about its quantities.")
@click.option("--falsehoods", is_flag=True, help="Also judge the falsehoods planted beside the claims.")
@effort("default")
@out_folder
@json_file
@loudness
def verify(
    names: tuple[str, ...],
    out: str,
    json_file: str | None,
    *,
    falsehoods: bool,
    quiet: bool,
    verbose: bool,
    **options: Any,
) -> None:
    """Check claims and write a report: the whole catalogue, or the claims named.

    A name is a key, a paper, a pattern such as '*/w2*', or a claim file; options can give a claim too.
    Writes index.html, results.json, report.md and junit.xml to DIR. An interrupted run resumes.

    \b
    lesssim verify
    lesssim verify benton-2024 my_bound.py --profile deep
    lesssim verify --lhs "KL(q_T, gamma)" --rhs "(M2 + d)/(2*(exp(T) - 1))" --clock half
    """
    from reports.output import close, save_witnesses, verified, write_report
    from reports.running import forget
    from reports.selection import select

    inline = {name: options[name] for name in INLINE if options[name] not in (None, ())}
    if not names and not inline and options["jobs"] != 1 and options["executor"] == "processes":
        from properties.workers import prepare

        prepare()  # the engines load while the catalogue does
    selection = select(names, inline)
    if not selection.entries:
        finish(report_errors(selection.errors))
    quiet = quiet or json_file == "-"
    results = verified(
        selection.entries,
        settings_of(options),
        Path(out),
        quiet=quiet,
        verbose=verbose,
        falsehoods=falsehoods,
    )
    results["errors"] += selection.errors
    if not results["claims"]:
        finish(report_errors(results["errors"]))
    write_report(results, Path(out), json_file)
    save_witnesses(results["claims"], selection.entries, Path(out))
    forget(Path(out))
    if json_file != "-":
        close(results, f"report: {Path(out) / 'index.html'}")
    report_errors(results["errors"])
    finish(records.exit_code(results, strict=options["strict"]))


@main.command(short_help="Search deeply for a violation.")
@click.argument("names", metavar="KEY or FILE ...", nargs=-1, required=True)
@effort("deep")
@out_folder
@json_file
@loudness
def refute(
    names: tuple[str, ...], out: str, json_file: str | None, *, quiet: bool, verbose: bool, **options: Any
) -> None:
    """Search deeply for a violation of the claims named; save each witness for `lesssim replay`.

    \b
    lesssim refute my_bound.py
    lesssim refute chen-lee-lu-2023/explicit --budget 5m --seed 7
    """
    from properties.record import environment
    from properties.session import refute as search
    from reports.output import close, emit, save_witnesses
    from reports.selection import CATALOGUE, described, select
    from reports.terminal import block

    settings = settings_of(options)
    selection = select(names)
    found: list[Record] = []
    for file, claim in selection.entries:
        try:
            found.append(records.canonical(search(claim, settings, file)))
        except ClaimError as error:
            selection.errors.append(described(error.within("" if file == CATALOGUE else file)))
            continue
        if not quiet and json_file != "-":
            click.echo(block(found[-1], verbose=verbose) + "\n")
    saved = save_witnesses(found, selection.entries, Path(out))
    run = {"schema": records.FORMAT, "environment": environment(settings.seed, settings.profile)}
    results: Results = {**run, "claims": found, "errors": selection.errors}
    if json_file is not None and found:
        emit(json_file, records.dump(results))
    if found and json_file != "-":
        close(results, f"replay with: lesssim replay {saved[0]}" if saved else "no violation to replay")
    report_errors(selection.errors)
    finish(records.exit_code(results, strict=options["strict"]))


@main.command(short_help="Run a saved witness again.")
@click.argument("file", metavar="FILE")
def replay(file: str) -> None:
    """Run a saved witness again and say whether the violation is still there.

    \b
    lesssim replay lesssim-report/witnesses/my-note..thm-1.simplest.json
    """
    from properties.replay import replay as run_again
    from reports.terminal import word
    from reports.wording import against, sig

    saved = records.read_json(file)
    if not isinstance(saved, dict) or saved.get("schema") != "lesssim.witness/1":
        found = saved.get("schema", "(missing)") if isinstance(saved, dict) else type(saved).__name__
        raise RecordError(file, "schema", repr(found), "'lesssim.witness/1'")
    for name in ("claim", "witness"):
        if not isinstance(saved.get(name), dict):
            raise RecordError(file, name, repr(saved.get(name)), "a table")
    outcome = run_again(saved)
    click.echo(f"{word(outcome['verdict'])}: {outcome['key']} ({outcome['evidence']})")
    click.echo(f"  numbers   {against(outcome['lhs'], outcome['rhs'])}")
    click.echo(f"  ratio     {sig(outcome['ratio'], 6)}, recorded {sig(saved['witness'].get('ratio'), 6)}")
    expected = saved["claim"].get("expect", "holds")
    violated = outcome["verdict"] in ("refuted", "diverges")
    finish(1 if violated and expected not in ("refuted", "diverges") else 0)


@main.command(short_help="Write a claim file to fill in.")
@click.argument("name")
@click.option("--derivation", "kind", flag_value="derivation", help="Write NAME_derivation.py, a proof.")
def new(name: str, kind: str | None) -> None:
    """Write NAME_bound.py, a claim file to fill in, valid and true as it stands; never over another file.

    \b
    lesssim new my-note
    lesssim verify my-note_bound.py
    lesssim new --derivation my-proof
    lesssim derive my-proof_derivation.py
    """
    from reports.scaffold import path_of, text
    from reports.store import write

    path = path_of(name, kind or "bound")
    write(path, text(path, kind or "bound"))
    click.echo(f"wrote {path}\nnext: lesssim {'derive' if kind else 'verify'} {path}")


for command in (
    comparing.atlas,
    comparing.compare,
    deriving.derive,
    experiments.experiment,
    mutating.mutate,
    proving.prove,
    recorded.report,
    recorded.baseline,
    recorded.compliance,
):
    main.add_command(command)


if __name__ == "__main__":
    main(prog_name="lesssim")
