"""Which published bound is smallest: the catalogue's upper bounds on one quantity, at given parameters.

Every claim that is expected to be true is brought to one footing (`properties.normalise`) and evaluated where
its assumptions hold. Parameters that the caller leaves out are filled in where others determine them; a claim
that needs more is left out, with the reason. A hidden constant counts as 1 and is marked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from bounds.claim import PREDICATES, Claim
from bounds.errors import ClaimError, nearest
from bounds.notation import NOTATION, symbol
from properties.normalise import Side, as_total_variation, normalise, typical

__all__ = ["QUANTITIES", "SAMPLERS", "Atlas", "Plane", "Row", "Table", "atlas", "completed", "plane", "table"]

Array = NDArray[np.float64]
QUANTITIES = ("KL", "TV", "W2")
"""Distances of the output from the data (or from the early-stopped data) that the atlas knows."""

SAMPLERS = ("ddpm-ei", "ddpm-em", "cds-ei", "pf-ei", "pf-heun", "cld-ei", "dpum", "dpom")
"""Samplers with a number of steps, which may be compared at equal N; dpum and dpom also take corrector steps
of length h_corr.
"""

EXPECTED = ("holds", "proved", "bounded")
_LIFTED = ("L", "kappa")
"""Constants that may be taken larger than they are, to meet an assumption."""


@dataclass(frozen=True)
class Row:
    """One bound at the parameters: its value, what was assumed and changed."""

    side: Side
    value: float
    notes: tuple[str, ...]

    @property
    def claim(self) -> Claim:
        """The claim."""
        return self.side.claim

    @property
    def year(self) -> int | None:
        """Year of the source; None for bounds derived here."""
        return self.claim.source.year if self.claim.source else None


@dataclass(frozen=True)
class Atlas:
    """Bounds at one place, smallest first, and those left out with the reason."""

    quantity: str
    at: Mapping[str, float]
    rows: tuple[Row, ...]
    left_out: tuple[tuple[str, str], ...]

    @cached_property
    def by_year(self) -> tuple[tuple[int, Row], ...]:
        """The smallest published bound up to each year in which it got smaller."""
        best: list[tuple[int, Row]] = []
        dated = [(row.year, row) for row in self.rows if row.year is not None]
        for year, row in sorted(dated, key=lambda item: (item[0], item[1].value)):
            if not best or row.value < best[-1][1].value:
                best = [item for item in best if item[0] != year] + [(year, row)]
        return tuple(best)


@dataclass(frozen=True)
class Plane:
    """The smallest bound over a plane of two parameters.

    axes   : the two names with their values.   winner : (len(y), len(x)) indices into ``keys``, -1 where no
        bound applies.   lead : second smallest over smallest.
    """

    quantity: str
    at: Mapping[str, float]
    axes: tuple[tuple[str, Array], tuple[str, Array]]
    keys: tuple[str, ...]
    winner: NDArray[np.int64]
    lead: Array
    left_out: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Table:
    """Bounds at many points: ``values[i]`` are those of ``sides[i]``, infinite where it does not apply.

    left_out : bounds that need a parameter which is not given, with its name.
    """

    sides: tuple[Side, ...]
    values: Array
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the claims."""
        return tuple(side.claim.key for side in self.sides)


def completed(at: Mapping[str, float]) -> dict[str, float]:
    """The parameters with those that others determine: h = T/N, J0 = FI0 + 2d - M2, delta = 0.

    Raises ClaimError for an unknown name or a value out of its domain.
    """
    known = dict(at)
    for name, value in known.items():
        if name not in NOTATION:
            raise ClaimError("--at", name, f"a known symbol{nearest(name, NOTATION)}")
        if not math.isfinite(value) or (value < 0 and NOTATION[name].domain != "real"):
            raise ClaimError("--at", f"{name}={value:g}", f"a {NOTATION[name].domain} number")
    known.setdefault("delta", 0.0)
    length = known.get("T", 0.0) - known["delta"]
    if "N" in known and length > 0:
        known.setdefault("h", length / known["N"])
    if "h" in known and length > 0:
        known.setdefault("N", length / known["h"])
    if {"FI0", "M2", "d"} <= known.keys():
        known.setdefault("J0", known["FI0"] + 2 * known["d"] - known["M2"])
    if {"J0", "M2", "d"} <= known.keys():
        known.setdefault("FI0", known["J0"] - 2 * known["d"] + known["M2"])
    if "M2" in known:
        known.setdefault("m0sq", 0.0)
    known.setdefault("eps", 0.0)
    return known


def atlas(
    claims: Iterable[Claim],
    quantity: str,
    at: Mapping[str, float],
    *,
    clock: str = "unit",
    samplers: Sequence[str] = SAMPLERS,
) -> Atlas:
    """Every bound of the quantity at these parameters, times in this clock, for these samplers.

    Raises ClaimError for an unknown quantity or parameter.
    """
    values = completed(at)
    rows: list[Row] = []
    left_out: list[tuple[str, str]] = []
    for claim in claims:
        side = _side(claim, quantity, clock, samplers)
        if side is None:
            continue
        found = _value(side, values)
        if isinstance(found, str):
            left_out.append((claim.key, found))
        else:
            rows.append(found)
    if not rows and not left_out:
        raise ClaimError("--quantity", quantity, f"one of {', '.join(QUANTITIES)}")
    rows.sort(key=lambda row: (row.value, row.claim.key))
    return Atlas(quantity, values, tuple(_distinct(rows)), tuple(left_out))


def _distinct(rows: Sequence[Row]) -> list[Row]:
    """The rows without bounds on paths that the same paper states for the marginals too."""
    kept: list[Row] = []
    for row in rows:
        twin = any(row.value == other.value and row.claim.paper == other.claim.paper for other in kept)
        if not (twin and str(row.claim.lhs).startswith("PathKL")):
            kept.append(row)
    return kept


def _side(claim: Claim, quantity: str, clock: str, samplers: Sequence[str]) -> Side | None:
    """The claim's bound of that quantity of the sampler's output, or None if it has none."""
    if claim.expect not in EXPECTED or claim.relation != "<=" or claim.setup.model:
        return None
    if claim.setup.sampler not in samplers or claim.setup.start == "q_T" or "standard" in claim.assuming:
        return None
    try:
        side = normalise(claim, clock)
        if quantity == "TV" and side.quantity == "KL":
            side = as_total_variation(side)
    except ClaimError:
        return None
    about_output = set(side.laws) in ({"target", "output"}, {"q_delta", "output"})
    return side if about_output and side.quantity == quantity else None


def _value(side: Side, values: Mapping[str, float]) -> Row | str:
    """The row of a bound, or why it has none here."""
    relations = side.assuming
    raised, notes = dict(values), list(side.notes)
    for rel in relations:
        large, small = (rel.lhs, rel.rhs) if isinstance(rel, sp.Ge | sp.Gt) else (rel.rhs, rel.lhs)
        if (
            isinstance(large, sp.Symbol)
            and large.name in _LIFTED
            and small.is_number
            and large.name in raised
        ):
            raised[large.name] = max(raised[large.name], float(small))
    needed = {s.name for s in side.bound.free_symbols} | {
        s.name for rel in relations for s in rel.free_symbols
    }
    missing = sorted(needed - raised.keys())
    if missing:
        return f"needs {', '.join(missing)}"
    put = {symbol(name): sp.Float(raised[name]) for name in needed}
    for rel in relations:
        if not isinstance(rel, sp.Eq) and rel.func(rel.lhs.xreplace(put), rel.rhs.xreplace(put)) == sp.false:
            return f"{sp.sstr(rel)} does not hold"
    value = side.bound.xreplace(put).evalf(15)
    if not (value.is_real and value.is_finite):
        return "no finite value"
    notes += [PREDICATES[item] for item in side.claim.assuming if isinstance(item, str)]
    return Row(side, float(value), tuple(notes))


def plane(
    claims: Sequence[Claim],
    quantity: str,
    at: Mapping[str, float],
    axes: Sequence[tuple[str, float, float]],
    *,
    clock: str = "unit",
    samplers: Sequence[str] = SAMPLERS,
    points: int = 60,
) -> Plane:
    """The smallest bound at every point of a log-scaled grid over two parameters.

    axes : two of (name, low, high).
    Raises ClaimError for a range that is not positive and increasing.
    """
    for name, low, high in axes:
        if name not in typical() or not 0 < low < high:
            raise ClaimError(
                "--plane", f"{name}={low:g}:{high:g}", "NAME=LOW:HIGH with 0 < LOW < HIGH, a known symbol"
            )
    (x, x_low, x_high), (y, y_low, y_high) = axes
    xs, ys = np.geomspace(x_low, x_high, points), np.geomspace(y_low, y_high, points)
    shape = (points, points)
    grid = {x: np.broadcast_to(xs, shape), y: np.broadcast_to(ys[:, None], shape)}
    found = table(claims, quantity, {**at, **grid}, clock=clock, samplers=samplers)
    layers = found.values
    if not len(layers) or not np.any(np.isfinite(layers)):
        raise ClaimError("--at", sorted(at), "parameters at which some bound of the catalogue has a value")
    order = np.sort(layers, axis=0)
    winner = np.where(np.isfinite(order[0]), np.argmin(layers, axis=0), -1)
    lead = order[1] / order[0] if len(layers) > 1 else np.full(shape, np.inf)
    nowhere = "an assumption fails, or it has no value, all over the plane"
    left_out = [
        (key, nowhere)
        for key, layer in zip(found.keys, layers, strict=True)
        if not np.any(np.isfinite(layer))
    ]
    axes_found = ((x, xs), (y, ys))
    return Plane(quantity, dict(at), axes_found, found.keys, winner, lead, (*found.left_out, *left_out))


def table(
    claims: Iterable[Claim],
    quantity: str,
    columns: Mapping[str, Any],
    *,
    clock: str = "unit",
    samplers: Sequence[str] = SAMPLERS,
) -> Table:
    """Every bound of the quantity at many points.

    columns : numbers or arrays of one shape, by parameter; those that others determine may be left out.
    Raises ClaimError for an unknown name or a value out of its domain.
    """
    shape = np.broadcast_shapes(*(np.shape(column) for column in columns.values()))
    lowest = completed({name: float(np.min(column)) for name, column in columns.items()})
    filled: dict[str, Any] = {**lowest, **columns}
    for name, rule in _FILLED.items():
        if name not in columns and name in lowest:
            filled[name] = rule(filled)
    found = [_side(claim, quantity, clock, samplers) for claim in claims]
    sides, left_out = [], []
    for side in found:
        missing = sorted(set(side.symbols) - filled.keys()) if side is not None else []
        if side is not None and missing:
            left_out.append((side.claim.key, f"needs {', '.join(missing)}"))
        elif side is not None:
            sides.append(side)
    sides.sort(key=lambda side: not side.claim.is_stated)  # of equal bounds, one whose constant is known
    layers = [_layer(side, filled, shape) for side in sides]
    return Table(tuple(sides), np.stack(layers) if layers else np.empty((0, *shape)), tuple(left_out))


_FILLED: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "h": lambda at: (at["T"] - at["delta"]) / at["N"],
    "N": lambda at: (at["T"] - at["delta"]) / at["h"],
    "J0": lambda at: at["FI0"] + 2 * at["d"] - at["M2"],
    "FI0": lambda at: at["J0"] - 2 * at["d"] + at["M2"],
}
"""What others determine, as in `completed`."""


def _layer(side: Side, columns: Mapping[str, Any], shape: tuple[int, ...]) -> Array:
    """The bound over the grid, infinite where an assumption fails or it has no value."""
    names = sorted(columns)
    arguments = [symbol(name) for name in names]
    data = [np.asarray(columns[name], dtype=np.float64) for name in names]
    raised = {rel.lhs.name: float(rel.rhs) for rel in side.assuming
              if isinstance(rel, sp.Ge) and isinstance(rel.lhs, sp.Symbol) and rel.lhs.name in _LIFTED
              and rel.rhs.is_number}  # fmt: skip
    data = [
        np.maximum(column, raised[name]) if name in raised else column
        for name, column in zip(names, data, strict=True)
    ]
    with np.errstate(all="ignore"):
        value = np.array(
            np.broadcast_to(sp.lambdify(arguments, side.bound, "numpy")(*data), shape), dtype=np.float64
        )
        for rel in side.assuming:
            if isinstance(rel, sp.Eq) or not {s.name for s in rel.free_symbols} <= columns.keys():
                value[...] = np.inf
                continue
            left, right = (sp.lambdify(arguments, part, "numpy")(*data) for part in rel.args)
            met = left >= right if isinstance(rel, sp.Ge | sp.Gt) else left <= right
            value[~np.broadcast_to(met, shape)] = np.inf
    return np.where(np.isfinite(value), value, np.inf)
