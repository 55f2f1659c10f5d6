"""The command ``prove``: interval proofs over boxes."""

# ruff: noqa: D301  (click reads the backspace \b as "keep these lines as they are")
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bounds.errors import ClaimError
from reports import record as records
from reports.options import finish, json_file, loudness, report_errors
from reports.record import Record, Results

if TYPE_CHECKING:
    from properties.prove import Proof

__all__ = ["prove"]

RATE = 2e6  # box-steps that count as one nominal second of --budget


@click.command(short_help="Interval proof over a box.")
@click.argument("names", metavar="KEY or FILE ...", nargs=-1, required=True)
@click.option(
    "--box", required=True, metavar="BOX", help="Intervals, such as 'lam=0.5:4,m=-2:2,h=0.02:0.2,N=20'."
)
@click.option(
    "--budget",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="Nominal time a claim (counted work, not the clock).  [default: 25]",
)
@click.option("--strict", is_flag=True, help="Exit with 3 if a claim stays undecided and nothing is wrong.")
@json_file
@loudness
def prove(
    names: tuple[str, ...],
    box: str,
    budget: float | None,
    json_file: str | None,
    *,
    strict: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Prove claims for every Gaussian N(m e_1, lam I_d) of a box, by outward-rounded interval arithmetic.

    lam: eigenvalue; m: mean (0); h or T: step or horizon in the claim's clock; N: number of steps, or 1:inf;
    delta: early stopping (0); c, eta: shift and slope of the score error (0); d: dimension (1); t, s: forward
    times; and the claim's own parameters.

    \b
    lesssim prove chen-2023-sampling/explicit-path --box "lam=0.25:4,m=-2:2,h=0.01:0.2,N=20"
    lesssim prove chen-2023-sampling/explicit --box "lam=0.25:4,m=-2:2,h=0.01:0.2,N=1:inf"
    lesssim prove initialisation/contraction --box "lam=0.25:4,m=-2:2,T=0.05:4"
    """
    from properties.prove import WORK, parse_box
    from properties.prove import prove as run
    from properties.record import environment
    from reports.output import close, emit
    from reports.selection import CATALOGUE, described, select

    asked = parse_box(box)
    work = WORK if budget is None else max(1, round(budget * RATE))
    selection = select(names)
    found: list[Record] = []
    for file, claim in selection.entries:
        try:
            proof = run(claim, asked, work=work)
        except ClaimError as error:
            selection.errors.append(described(error.within("" if file == CATALOGUE else file)))
            continue
        found.append(_record(proof, file))
        if not quiet and json_file != "-":
            click.echo(_shown(found[-1], proof, verbose=verbose) + "\n")
    results: Results = {
        "schema": records.FORMAT,
        "environment": environment(0, "default"),
        "claims": found,
        "errors": selection.errors,
    }
    if json_file is not None and found:
        emit(json_file, records.dump(results))
    if found and json_file != "-":
        close(results, f"box: {asked}")
    report_errors(selection.errors)
    finish(records.exit_code(results, strict=strict))


def _record(proof: Proof, file: str) -> Record:
    from properties.prove import verdict_of
    from properties.record import claim_record

    record = claim_record(verdict_of(proof), file)
    follow = {
        "proved": "widen the box",
        "undecided": "raise --budget, or leave out the part of the box that stays open",
        "untested": "change what the reason names, or verify the claim by cases",
    }
    record["next"] = follow.get(proof.word, record["next"])
    record["falsehoods"], record["sharp"] = [], []
    return dict(records.canonical(record))


def _shown(record: Record, proof: Proof, *, verbose: bool) -> str:
    from reports.terminal import block

    lines: list[Any] = [block(record, verbose=verbose)]
    if proof.boxes:
        outside = f", {proof.outside} outside the assumptions" if proof.outside else ""
        lines.append(f"  boxes     {proof.boxes}: {proof.proved} proved{outside}, {proof.open} open")
    lines += [f"  open      {box}" for box in proof.left]
    return "\n".join(lines)
