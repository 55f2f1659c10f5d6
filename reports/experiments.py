"""The command ``experiment``: an experiment of a paper, run again, as a table, a picture and one line."""

# ruff: noqa: D301  (click reads the backspace \b as "keep these lines as they are")
from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reports.options import out_folder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from simulators.experiments.outcome import Outcome

__all__ = ["experiment", "pictures", "table"]

DIGITS = 10  # of numbers in the table
SIZE = (6.4, 4.2)  # of the picture, in inches
DOTS = 150  # an inch, of the PNG
STYLE: Any = {"svg.fonttype": "none", "svg.hashsalt": "lesssim", "font.size": 9, "axes.spines.top": False}
STYLE |= {"axes.spines.right": False, "axes.grid": True, "grid.linewidth": 0.4, "grid.alpha": 0.5}


@click.command(short_help="Run an experiment of a paper again.")
@click.argument("name", required=False)
@out_folder
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Same seed, same machine: same bytes.",
)
def experiment(name: str | None, out: str, seed: int) -> None:
    """Run an experiment of a paper again; without a name, list them.

    Writes NAME.csv, NAME.svg and NAME.png to DIR. Intervals have coverage 95%, one at a time. An experiment
    is not a claim: the exit code is 0 whether or not what is seen agrees with the paper.

    \b
    lesssim experiment
    lesssim experiment bsm-per-time --seed 1
    """
    from simulators.experiments.registry import EXPERIMENTS
    from simulators.experiments.registry import experiment as find

    if name is None:
        width = max(map(len, EXPERIMENTS))
        click.echo("\n".join(f"{key:{width}}  {title}" for key, title in EXPERIMENTS.items()))
        return
    run = find(name)
    outcome = run(seed, _progress(name))
    files = _write(outcome, Path(out))
    click.echo(outcome.sentence)
    click.echo(f"wrote {', '.join(map(str, files))}")


def table(outcome: Outcome) -> str:
    """The rows as CSV.

    >>> from simulators.experiments.outcome import Outcome
    >>> rows = (("a, b", 1 / 3), ("c", 2))
    >>> print(table(Outcome("x", ("name", "value"), rows, (), ("", ""), "", "s", "p", True)).rstrip())
    name,value
    "a, b",0.3333333333
    c,2
    """
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(outcome.columns)
    for row in outcome.rows:
        lines.writerow(f"{cell:.{DIGITS}g}" if isinstance(cell, float) else cell for cell in row)
    return text.getvalue()


def pictures(outcome: Outcome) -> tuple[str, bytes]:
    """The curves as SVG and as PNG; the same outcome gives the same bytes."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawn, dots = io.StringIO(), io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=SIZE, layout="constrained")
        FigureCanvasAgg(figure)
        _draw(figure, outcome)
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
        figure.savefig(dots, format="png", dpi=DOTS, metadata={"Software": None})
    return drawn.getvalue(), dots.getvalue()


def _draw(figure: Figure, outcome: Outcome) -> None:
    axes = figure.add_subplot()
    for place, series in enumerate(outcome.series):
        colour = f"C{place}"
        axes.plot(
            series.x, series.y, color=colour, label=series.label, linewidth=1.3, marker=".", markersize=4
        )
        if series.low:
            axes.fill_between(series.x, series.low, series.high, color=colour, alpha=0.2, linewidth=0)
    axes.set_xlabel(outcome.axes[0], parse_math=False)
    axes.set_ylabel(outcome.axes[1], parse_math=False)
    axes.set(
        xscale="log" if "x" in outcome.logarithmic else "linear",
        yscale="log" if "y" in outcome.logarithmic else "linear",
    )
    axes.legend(frameon=False)
    axes.set_title(outcome.name, loc="left", fontsize=10)


def _write(outcome: Outcome, folder: Path) -> list[Path]:
    """Write the three files, each made before the first is written."""
    from reports.store import write_all

    svg, png = pictures(outcome)
    files = [folder / f"{outcome.name}.{kind}" for kind in ("csv", "svg", "png")]
    write_all({files[0]: table(outcome), files[1]: svg})
    files[2].write_bytes(png)
    return files


def _progress(name: str) -> Callable[[int, int], None]:
    """A line that rewrites itself on standard error, when that is a terminal."""
    shown = sys.stderr.isatty()

    def tell(done: int, total: int) -> None:
        if shown:
            click.echo(f"\r{name}: {done} of {total}" + ("\n" if done == total else ""), nl=False, err=True)

    return tell
