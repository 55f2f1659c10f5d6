"""Where a case lies, in one line: target, clock, sampler, grid, and whatever is not usual about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from reports.record import number
from reports.wording import sig

__all__ = ["EXACT", "SHORT", "where"]

EXACT, SHORT = 6, 3
"""Significant digits of a case on its own, and in a table."""
GRID_ORDER = ("T", "N", "delta")
LONGEST = 6  # entries of a list that are shown


def where(case: Mapping[str, Any] | None, digits: int = EXACT) -> str:
    """A case in one line; empty without a case.

    >>> target = {"type": "gaussian", "eigenvalues": [0.5], "multiplicities": [3], "means": [0.0]}
    >>> where({"target": target, "clock": "unit", "sampler": "none", "grid": {"T": 2.0}})
    'N(0, 0.5 I_3); unit clock; T = 2'
    """
    return _Writer(digits).case(case) if case else ""


class _Writer(NamedTuple):
    """Writes the parts of a case to a number of digits."""

    digits: int

    def case(self, case: Mapping[str, Any]) -> str:
        if "model" in case:
            return "; ".join(
                part for part in (f"{case['model']} model", self.facts(case["parameters"])) if part
            )
        sampler = case.get("sampler") or "none"
        scheme = f"{case['clock']} clock" + (f", {sampler}" if sampler != "none" else "")
        parts = [self.law(case["target"]), scheme, self.grid(case.get("grid") or {}, sampler)]
        start, score = self.start(case.get("start")), self.facts(case.get("score"))
        parts += [f"start {start}"] if start not in ("", "gamma") else []
        parts += [f"score {score}"] if score not in ("", "exact") else []
        parts += [self.facts(case.get("parameters"))]
        return "; ".join(part for part in parts if part)

    def number(self, value: float | str) -> str:
        return sig(value, self.digits)

    def law(self, law: Mapping[str, Any]) -> str:
        if law["type"] == "product":
            return " x ".join(self.law({"type": factor["kind"], **factor}) for factor in law["factors"])
        if law["type"] in ("mixture", "atoms") and "weights" in law and ("means" in law or "points" in law):
            return self.mixture(law)
        if law["type"] != "gaussian" or not law.get("eigenvalues"):
            return f"{law['type']} {self.facts({k: v for k, v in law.items() if k != 'type'})}".strip()
        means = [self.number(mean) for mean in law["means"]]
        if len(law["eigenvalues"]) == 1:
            return self.isotropic(law["eigenvalues"][0], law["multiplicities"][0], means[0])
        counted = zip(law["eigenvalues"], law["multiplicities"], strict=True)
        blocks = [self.number(value) + (f" ×{count}" if count > 1 else "") for value, count in counted]
        centre = "0" if set(means) == {"0"} else f"({', '.join(means)})"
        return f"N({centre}, diag({', '.join(blocks)}))"

    def mixture(self, law: Mapping[str, Any]) -> str:
        """Weighted components, with the dimension where there are more axes than those of the means."""
        atoms = law["type"] == "atoms"
        points = law["points"] if atoms else law["means"]
        spreads = [] if atoms else law["covariances"]
        if not isinstance(spreads, Sequence):
            spreads = [spreads] * len(points)
        shown = []
        for i, (weight, point) in enumerate(zip(law["weights"], points, strict=True)):
            place = self.number(point[0]) if len(point) == 1 else self.facts(point)
            piece = f"delta({place})" if atoms else f"N({place}, {self.facts(spreads[i])})"
            shown.append(f"{self.number(weight)} {piece}")
        rest = f" in R^{law['dimension']}" if law["dimension"] > len(points[0]) else ""
        return " + ".join(shown) + rest

    def isotropic(self, variance: float | str, dimension: int, mean: str) -> str:
        """N(m, v I_d); on the line with the mean itself."""
        space, identity = ("R", "1") if dimension == 1 else (f"R^{dimension}", f"I_{dimension}")
        centre = mean if dimension == 1 or mean == "0" else "m"
        norm = f", |m| = {mean.lstrip('-')}" if centre == "m" else ""
        if number(variance) == 0:
            return f"point mass at {centre} in {space}{norm}"
        scale = self.number(variance)
        spread = scale if dimension == 1 else identity if scale == "1" else f"{scale} {identity}"
        return f"N({centre}, {spread}){norm}"

    def grid(self, grid: Mapping[str, Any], sampler: str) -> str:
        """The grid; without a sampler its times alone."""
        kind = f"{grid.get('kind', '')} grid " if sampler != "none" else ""
        names = [name for name in GRID_ORDER if name in grid]
        names += sorted(grid.keys() - {*GRID_ORDER, "kind"})
        hidden = {"N"} if sampler == "none" else set()
        hidden |= {"delta"} if not number(grid.get("delta", 0)) else set()
        facts = self.facts({name: grid[name] for name in names if name not in hidden})
        return f"{kind}{facts}".strip() if facts else ""

    def start(self, start: Any) -> str:
        return self.law(start) if isinstance(start, Mapping) and "type" in start else self.facts(start)

    def facts(self, value: Any) -> str:
        """Plain data as ``name = value`` pairs."""
        if value is None:
            return ""
        if isinstance(value, Mapping):
            shown = [(name, self.facts(item)) for name, item in value.items()]
            return ", ".join(item if name == "kind" else f"{name} = {item}" for name, item in shown if item)
        if isinstance(value, str | bool):
            return str(value)
        if isinstance(value, Sequence):
            items = [self.facts(item) for item in value[:LONGEST]] + (["..."] if len(value) > LONGEST else [])
            return f"({', '.join(items)})"
        return self.number(value)
