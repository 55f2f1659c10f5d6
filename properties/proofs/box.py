"""Boxes of parameters: read from text, checked against a claim, cut down by its predicates."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from bounds.claim import Claim
from bounds.errors import ClaimError, nearest
from bounds.frozen import FrozenMapping
from bounds.notation import NOTATION

__all__ = ["KNOWN", "Box", "parse_box"]

FIELD = "--box"
KNOWN: dict[str, str] = {
    "lam": "eigenvalue of the covariance of the target, d times",
    "m": "mean of the target along one axis (default 0)",
    "h": "step, in the claim's clock",
    "T": "horizon, instead of h",
    "N": "number of steps: one value, or 1:inf for every number",
    "delta": "early-stopping time (default 0)",
    "c": "constant shift of the score (default 0)",
    "eta": "slope of the score error (default 0)",
    "d": "dimension, one value (default 1)",
    "t": "an explicit forward time",
    "s": "an explicit forward time, before t",
}
"""Parameters of every box and what they mean; the claim's own parameters come on top."""

Ends = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """Intervals of parameters by name; ``N`` is a pair too, with an infinite end for "every N from there".

    Raises ClaimError for an empty or undefined interval.
    """

    ranges: Mapping[str, Ends]

    def __post_init__(self) -> None:
        checked = FrozenMapping({name: _ends(name, ends) for name, ends in self.ranges.items()})
        object.__setattr__(self, "ranges", checked)

    def __str__(self) -> str:
        return ",".join(
            f"{name}={low:.6g}" if low == high else f"{name}={low:.6g}:{high:.6g}"
            for name, (low, high) in self.ranges.items()
        )

    def get(self, name: str, default: Ends = (0.0, 0.0)) -> Ends:
        """The interval of a parameter."""
        return self.ranges.get(name, default)

    @property
    def every_count(self) -> bool:
        """Whether the box asks for every N from some number on."""
        return math.isinf(self.get("N")[1])

    @property
    def count(self) -> int:
        """N, or the least one."""
        return int(self.get("N", (1.0, 1.0))[0])

    def but(self, **changes: Ends) -> Box:
        """The same box with some intervals changed or added."""
        return Box({**self.ranges, **changes})

    def without(self, *names: str) -> Box:
        """The same box without some parameters."""
        return Box({name: ends for name, ends in self.ranges.items() if name not in names})


def parse_box(text: str) -> Box:
    """The box of a text such as "lam=0.5:4,h=0.02:0.2,N=20"; decimals are rounded outward.

    Raises ClaimError naming the part that cannot be read.
    """
    ranges: dict[str, Ends] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, sign, ends = (piece.strip() for piece in part.partition("="))
        if not sign or not name.isidentifier() or not ends:
            raise ClaimError(FIELD, part, "NAME=LOW:HIGH or NAME=VALUE, such as lam=0.5:4")
        if name in ranges:
            raise ClaimError(FIELD, part, f"one interval for {name}")
        low, _, high = ends.partition(":")
        ranges[name] = (_number(part, low, -1), _number(part, high or low, 1))
    if not ranges:
        raise ClaimError(FIELD, text, "intervals of parameters, such as 'lam=0.5:4,h=0.02:0.2,N=20'")
    return Box(ranges)


def _number(part: str, text: str, side: int) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise ClaimError(FIELD, part, "numbers, as in NAME=LOW:HIGH") from error
    if not math.isfinite(value):
        return value
    gap = Fraction(text.strip()) - Fraction(value)
    if gap * side > 0:
        return float(np.nextafter(value, side * math.inf))
    return value


def _ends(name: str, ends: Ends) -> Ends:
    low, high = float(ends[0]), float(ends[1])
    shown = f"{name}={low:g}:{high:g}"
    if math.isnan(low) or math.isnan(high):
        raise ClaimError(FIELD, shown, "numbers, not NaN")
    if low > high:
        raise ClaimError(FIELD, shown, "low <= high")
    if math.isinf(low) or (math.isinf(high) and name not in ("N", "T")):
        raise ClaimError(FIELD, shown, "finite numbers (only N and T may go up to inf)")
    if name in ("N", "d") and (low < 1 or low != int(low) or (high != low and not math.isinf(high))):
        raise ClaimError(FIELD, shown, f"one whole number {name} >= 1" + (", or N=1:inf" * (name == "N")))
    if name in ("lam", "h", "T", "t", "s") and not low > 0:
        raise ClaimError(FIELD, shown, f"{name} > 0")
    if name == "delta" and low < 0:
        raise ClaimError(FIELD, shown, "delta >= 0")
    return low, high


def fitted(box: Box, claim: Claim) -> Box:
    """The box as the claim needs it: names checked, predicates applied, own parameters at their ranges.

    Raises ClaimError for an unknown or missing parameter, or one that the claim cannot use.
    """
    own = claim.setup.ranges
    _check_names(box, claim, [*KNOWN, *own])
    stepless = claim.setup.sampler == "none"
    for name in ("lam", *([] if stepless else ["N"])):
        _require(box, name)
    if not stepless and ("h" in box.ranges) == ("T" in box.ranges):
        raise ClaimError(FIELD, str(box), "either h or T: " + KNOWN["h"])
    used = {s.name for s in claim.symbols}
    for name in used & {"t", "s"} - set(own):
        if not any(str(getattr(rel, "lhs", "")) == name for rel in claim.assuming):
            _require(box, name)
    defaults = {name: ends for name, ends in own.items() if name in used and name not in NOTATION}
    ranges = {**defaults, **box.ranges}
    for predicate in (item for item in claim.assuming if isinstance(item, str)):
        _restrict(ranges, predicate)
    return Box(ranges)


def _require(box: Box, name: str) -> None:
    if name not in box.ranges:
        raise ClaimError(FIELD, str(box), f"also {name}: {KNOWN.get(name, 'a parameter of the claim')}")


def _check_names(box: Box, claim: Claim, names: Iterable[str]) -> None:
    known = list(names)
    for name, ends in box.ranges.items():
        if name not in known:
            meaning = f", not {NOTATION[name].meaning}, which follows" if name in NOTATION else ""
            raise ClaimError(FIELD, name, f"one of {', '.join(known)}{nearest(name, known)}{meaning}")
        if (
            name in ("h", "N", "c", "eta")
            and claim.setup.sampler == "none"
            and name not in claim.setup.ranges
        ):
            raise ClaimError(FIELD, name, "no parameter of a sampler, since the claim has none")
        if name in ("c", "eta") and claim.score.kind == "exact" and ends != (0.0, 0.0):
            raise ClaimError(FIELD, name, "no score error, since the claim is about the exact score")


def _restrict(ranges: dict[str, Ends], predicate: str) -> None:
    """Cut the box down to what a predicate allows."""
    wanted: dict[str, dict[str, Ends]] = {
        "centred": {"m": (0.0, 0.0)},
        "covariance-identity": {"lam": (1.0, 1.0)},
        "covariance-trace<=d": {"lam": (0.0, 1.0)},
        "same-covariance": {"lam": (1.0, 1.0)},
        "standard": {"lam": (1.0, 1.0), "m": (0.0, 0.0)},
        "shift-error": {"eta": (0.0, 0.0)},
        "one-dimensional": {"d": (1.0, 1.0)},
        "isotropic": {},
        "density": {},
    }
    if predicate not in wanted:
        raise ClaimError("assuming", predicate, f"one of {', '.join(wanted)} for a proof over a box")
    for name, (least, most) in wanted[predicate].items():
        low, high = ranges.get(name, (1.0, 1.0) if name == "d" else (0.0, 0.0))
        if max(low, least) > min(high, most):
            raise ClaimError(FIELD, f"{name}={low:g}:{high:g}", f"points where {predicate!r} holds")
        ranges[name] = (max(low, least), min(high, most))
