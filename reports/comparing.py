"""``lesssim compare`` and ``lesssim atlas``: which bound is smaller where."""

# ruff: noqa: D301  (click reads the backspace \b as "keep these lines as they are")
from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bounds.errors import ClaimError
from reports import record as records
from reports.options import say
from reports.wording import sig

if TYPE_CHECKING:
    from bounds.claim import Claim
    from properties.atlas import Atlas, Plane
    from properties.compare import Comparison, Pair

__all__ = ["atlas", "compare"]

MEANING = {
    "equal": "the two bounds are equal",
    "tighter": "A is nowhere larger than B",
    "looser": "A is nowhere smaller than B",
    "incomparable": "each is smaller somewhere",
}
SHOWN = 12


def values_of(text: str | None) -> dict[str, float]:
    """Parameters from ``d=1000,T=10``.

    Raises ClaimError naming the part that is no assignment.
    """
    values: dict[str, float] = {}
    for part in (text or "").replace(" ", "").split(","):
        if not part:
            continue
        name, _, number = part.partition("=")
        try:
            values[name] = float(number)
        except ValueError as error:
            raise ClaimError("--at", part, "NAME=NUMBER, ..., such as d=1000,T=10", "command line") from error
    return values


def one_claim(name: str) -> Claim:
    """The claim that a key, a file or FILE::KEY stands for.

    Raises ClaimError if it is not exactly one.
    """
    from reports.selection import select

    selection = select((name,))
    for error in selection.errors:
        raise ClaimError(error["field"], name, error["message"].rpartition(": expected ")[2], error["file"])
    claims = [claim for _, claim in selection.entries]
    if len(claims) != 1:
        keys = ", ".join(claim.key for claim in claims)
        raise ClaimError("claim", name, f"one claim: a key, or FILE::KEY with one of {keys}", "command line")
    return claims[0]


@click.command(short_help="Which of two bounds is smaller where.")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--at", metavar="d=1000,T=10,...", help="Both numbers at these parameters.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the sampling.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def compare(first: str, second: str, at: str | None, seed: int, *, as_json: bool) -> None:
    """Say which of two bounds is smaller: everywhere, or where, and where it flips.

    A and B are keys, claim files, or FILE::KEY. The right sides are put on one footing first (clock, power,
    KL to TV by Pinsker), and what was changed is said.

    \b
    lesssim compare chen-2023-sampling/explicit conforti-2023/explicit
    lesssim compare my_bound.py chen-lee-lu-2023/explicit --at "d=100,T=8,N=1000,L=5,M2=100,eps=0.01"
    """
    from properties.compare import compare as decide
    from properties.compare import numbers, pair_of

    claims = one_claim(first), one_claim(second)
    if at is not None:
        values = values_of(at)
        pair = pair_of(*claims)
        found = numbers(pair, values)
        if as_json:
            click.echo(records.dump(_numbers_record(pair, values, found)), nl=False)
        else:
            click.echo("\n".join(_numbers_lines(pair, found)))
        return
    comparison = decide(*claims, seed=seed)
    if as_json:
        click.echo(records.dump(comparison_record(comparison)), nl=False)
    else:
        click.echo("\n".join(comparison_lines(comparison)))


def comparison_record(found: Comparison) -> dict[str, Any]:
    """A comparison as plain data."""
    return {
        "schema": "lesssim.comparison/1",
        **_sides(found.pair),
        "verdict": found.verdict,
        "shown": found.shown,
        "sampled": found.sampled,
        "ratio": [_plain(end) for end in found.ratio],
        "share_first_smaller": found.share,
        "tried": found.tried,
        "first_larger_at": found.first_at,
        "region": {name: [*ends] for name, ends in found.region.items()},
        "crossings": [{"axis": c.axis, "value": c.value, "at": dict(c.at)} for c in found.crossings],
        "orders": [*found.orders],
    }


def _sides(pair: Pair) -> dict[str, Any]:
    from bounds.render import text

    return {
        "quantity": pair.quantity,
        "clock": pair.clock,
        **{
            name: {"key": side.claim.key, "bound": text(side.bound), "notes": [*side.notes]}
            for name, side in (("first", pair.first), ("second", pair.second))
        },
    }


def _plain(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def _heading(pair: Pair) -> list[str]:
    from bounds.render import text

    lines = []
    for letter, side in (("A", pair.first), ("B", pair.second)):
        lines.append(f"  {letter}         {side.claim.key}: {pair.quantity} <= {text(side.bound)}")
        lines += [f"            {note}" for note in side.notes]
    return lines


def comparison_lines(found: Comparison) -> list[str]:
    """A comparison for the terminal: the verdict first, then where and why."""
    lines = [f"{click.style(found.verdict, bold=True)}: {MEANING[found.verdict]}", *_heading(found.pair)]
    place = f"{found.tried} random parameters, {found.pair.clock} clock"
    how = found.shown or (f"sampled on {place}; not shown for all" if found.sampled else f"on {place}")
    low, high = found.ratio
    span = sig(low, 4) if math.isclose(low, high) else f"between {sig(low)} and {sig(high)}"
    lines += [f"  why       {how}", f"  A/B       {span}; A is smaller on {100 * found.share:.0f}% of them"]
    if found.first_at is not None and found.verdict == "incomparable":
        lines += [f"  A larger  {_place(found.first_at)}"]
        lines += [
            f"            as {name} runs from {sig(low)} to {sig(high)}"
            for name, (low, high) in found.region.items()
        ]
    lines += [f"  equal at  {c.axis} = {sig(c.value, 4)}, the others as above" for c in found.crossings]
    lines += [f"  orders    {line.replace('first', 'A').replace('second', 'B')}" for line in found.orders]
    return lines


def _place(at: Mapping[str, float]) -> str:
    return ", ".join(f"{name} = {sig(value)}" for name, value in at.items())


def _numbers_record(pair: Pair, at: Mapping[str, float], found: tuple[float, float]) -> dict[str, Any]:
    return {
        "schema": "lesssim.comparison/1",
        **_sides(pair),
        "at": dict(at),
        "values": [*map(_plain, found)],
        "ratio": _plain(_ratio(found)),
    }


def _ratio(found: tuple[float, float]) -> float:
    return found[0] / found[1] if found[1] else math.inf if found[0] else 1.0


def _numbers_lines(pair: Pair, found: tuple[float, float]) -> list[str]:
    ratio = _ratio(found)
    word = (
        "equal"
        if math.isclose(ratio, 1.0, rel_tol=1e-12)
        else "A is smaller"
        if ratio < 1
        else "B is smaller"
    )
    return [
        f"{click.style(word, bold=True)}: A {sig(found[0], 6)}, B {sig(found[1], 6)}, A/B {sig(ratio, 6)}",
        *_heading(pair),
    ]


@click.command(short_help="Which published bound is smallest at given parameters.")
@click.option("--at", required=True, metavar="d=1000,T=10,...", help="Parameters, times in the clock below.")
@click.option(
    "--quantity", type=click.Choice(["KL", "TV", "W2"]), default="KL", show_default=True, help="Of what."
)
@click.option(
    "--clock", type=click.Choice(["unit", "half"]), default="unit", show_default=True, help="Of the times."
)
@click.option("--sampler", metavar="NAME", help="Of this sampler alone.  [default: all that take N steps]")
@click.option(
    "--plane", "ranges", metavar="T=1:20,N=10:1e6", help="Draw the smallest bound over two parameters."
)
@click.option(
    "--out", default="atlas.svg", show_default=True, metavar="FILE", help="Picture of the plane (.svg)."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def atlas(
    at: str, quantity: str, clock: str, sampler: str | None, ranges: str | None, out: str, *, as_json: bool
) -> None:
    """Say which bound of the catalogue is smallest at given parameters, and by how much.

    A hidden constant counts as 1 and is marked. Times are those of --clock; eps is the time average.

    \b
    lesssim atlas --at "d=100,T=5,N=1000,L=5,M2=100,KL0=200,FI0=2000,eps=0.01"
    lesssim atlas --at "d=100,L=5,M2=100,KL0=200,FI0=2000,eps=0" --plane "T=1:20,N=10:1e6"
    """
    from bounds.catalogue import CATALOGUE
    from bounds.errors import nearest
    from bounds.setup import SAMPLERS as KNOWN
    from properties.atlas import SAMPLERS, plane
    from properties.atlas import atlas as look

    if sampler is not None and sampler not in KNOWN:
        what = f"one of {', '.join(KNOWN)}{nearest(sampler, KNOWN)}"
        raise ClaimError("--sampler", sampler, what, "command line")
    samplers = SAMPLERS if sampler is None else (sampler,)
    values = values_of(at)
    if ranges is not None:
        from reports.store import write

        if Path(out).suffix != ".svg":
            raise ClaimError("--out", out, "a file that ends in .svg", "command line")
        drawn = plane(CATALOGUE, quantity, values, _axes(ranges), clock=clock, samplers=samplers)
        write(out, picture(drawn))
        if as_json:
            click.echo(records.dump(plane_record(drawn, out)), nl=False)
        else:
            click.echo("\n".join([*plane_lines(drawn), f"picture: {out}"]))
        return
    found = look(CATALOGUE, quantity, values, clock=clock, samplers=samplers)
    if as_json:
        click.echo(records.dump(atlas_record(found)), nl=False)
    else:
        click.echo("\n".join(atlas_lines(found)))
    if not found.rows:
        say("no bound of the catalogue applies; see what each needs")


def _axes(text: str) -> list[tuple[str, float, float]]:
    axes = []
    for part in text.replace(" ", "").split(","):
        name, _, ends = part.partition("=")
        low, _, high = ends.partition(":")
        try:
            axes.append((name, float(low), float(high)))
        except ValueError as error:
            raise ClaimError("--plane", part, "NAME=LOW:HIGH, such as T=1:20", "command line") from error
    if len(axes) != 2 or axes[0][0] == axes[1][0]:
        raise ClaimError("--plane", text, "two different parameters, such as T=1:20,N=10:1e6", "command line")
    return axes


def atlas_record(found: Atlas) -> dict[str, Any]:
    """An atlas as plain data."""
    return {
        "schema": "lesssim.atlas/1",
        "quantity": found.quantity,
        "at": dict(found.at),
        "bounds": [
            {
                "key": row.claim.key,
                "value": row.value,
                "year": row.year,
                "sampler": row.claim.setup.sampler,
                "notes": [*row.notes],
            }
            for row in found.rows
        ],
        "by_year": [{"year": year, "key": row.claim.key, "value": row.value} for year, row in found.by_year],
        "left_out": [{"key": key, "why": why} for key, why in found.left_out],
    }


def atlas_lines(found: Atlas) -> list[str]:
    """An atlas for the terminal: the smallest bound first."""
    if not found.rows:
        lines = [f"no bound on {found.quantity} applies"]
    else:
        best = found.rows[0]
        lead = _lead(found)
        lines = [f"{click.style(best.claim.key, bold=True)}: {found.quantity} <= {sig(best.value, 4)}{lead}"]
    for row in found.rows[:SHOWN]:
        year = str(row.year) if row.year else "here"
        told = "; ".join([row.claim.key, *row.notes])
        lines.append(f"  {sig(row.value, 4):>10}  {year:>4}  {row.claim.setup.sampler:<7}  {told}")
    if found.by_year:
        history = ", ".join(f"{year} {sig(row.value)} ({row.claim.key})" for year, row in found.by_year)
        lines.append(f"  by year   {history}")
    lines += [f"  left out  {key}: {why}" for key, why in found.left_out]
    return lines


def _lead(found: Atlas) -> str:
    """How far the smallest bound is below the next."""
    if len(found.rows) < 2 or not found.rows[0].value:
        return ""
    factor = found.rows[1].value / found.rows[0].value
    if factor < 2:
        return f", the next is {sig(100 * (factor - 1), 2)}% larger" if factor > 1 else ", as is the next"
    return f", {sig(factor)} times below the next"


def _regions(drawn: Plane) -> list[str]:
    """How much of the plane each bound wins."""
    import numpy as np

    counted = sorted(
        ((int(np.sum(drawn.winner == i)), key) for i, key in enumerate(drawn.keys)), reverse=True
    )
    total = drawn.winner.size
    lines = [f"{key}: smallest on {100 * count / total:.0f}% of the plane" for count, key in counted if count]
    nowhere = int(np.sum(drawn.winner < 0))
    return lines + ([f"no bound applies on {100 * nowhere / total:.0f}%"] if nowhere else [])


def plane_lines(drawn: Plane) -> list[str]:
    """A plane for the terminal: what wins where, and every bound that is left out, by name."""
    return [*_regions(drawn), *(f"  left out  {key}: {why}" for key, why in drawn.left_out)]


def plane_record(drawn: Plane, out: str) -> dict[str, Any]:
    """A plane as plain data: the share of each bound that is smallest somewhere."""
    import numpy as np

    counts = [int(np.sum(drawn.winner == i)) for i in range(len(drawn.keys))]
    return {
        "schema": "lesssim.atlas/1",
        "quantity": drawn.quantity,
        "at": dict(drawn.at),
        "axes": {name: [float(values[0]), float(values[-1])] for name, values in drawn.axes},
        "shares": {
            key: count / drawn.winner.size for key, count in zip(drawn.keys, counts, strict=True) if count
        },
        "left_out": [{"key": key, "why": why} for key, why in drawn.left_out],
        "picture": out,
    }


def picture(drawn: Plane) -> str:
    """The plane as SVG: a colour for each bound that is smallest somewhere."""
    from reports.svg import Frame, svg

    (x, _), (y, _) = drawn.axes
    alt = f"the smallest bound on {drawn.quantity} over {x} and {y}: " + "; ".join(_regions(drawn))
    return svg(lambda figure: _draw(figure, drawn), Frame(6.4, 4.6, 0.11, 0.36, 0.98, 0.98), "atlas", alt)


def _draw(figure: Any, drawn: Plane) -> None:
    import numpy as np
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.patches import Patch

    (x, xs), (y, ys) = drawn.axes
    shown = [i for i in range(len(drawn.keys)) if np.any(drawn.winner == i)]
    place = np.full(len(drawn.keys) + 1, np.nan)
    place[shown] = np.arange(len(shown))
    colours = [_COLOURS[k % len(_COLOURS)] for k in range(len(shown))]
    axes = figure.add_subplot()
    norm = BoundaryNorm(np.arange(len(shown) + 1) - 0.5, len(shown))
    axes.pcolormesh(xs, ys, place[drawn.winner], cmap=ListedColormap(colours), norm=norm, rasterized=True)
    lead = np.where(np.isfinite(drawn.lead) & (drawn.winner >= 0), drawn.lead, 1.0)
    levels = [level for level in LEADS if lead.min() < level < lead.max()]
    if levels:
        lines = axes.contour(xs, ys, lead, levels=levels, colors="white", linewidths=0.9, linestyles=":")
        axes.clabel(lines, fmt="x %g", fontsize=7)
    axes.set(xscale="log", yscale="log", xlabel=x, ylabel=y)
    handles = [Patch(color=colour, label=drawn.keys[i]) for colour, i in zip(colours, shown, strict=True)]
    axes.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncol=2, frameon=False, fontsize=7
    )


LEADS = (2, 10, 100)
"""Factors below the next bound at which the picture has a contour."""

_COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#999999", "#332288", "#88ccaa")
"""Distinguishable with any colour vision."""
