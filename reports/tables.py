"""The field at a glance: published summary tables, each row beside the claims of a run that state it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bounds.sample_table import REGIONS, ROWS
from bounds.summary_table import SUMMARY
from reports.record import Record

__all__ = ["exponents", "regions", "samplers", "samples"]


def samplers(claims: Sequence[Record]) -> list[dict[str, Any]]:
    """The six samplers of the slides with their claims in this run; empty where it has none of them."""
    return _rows(SUMMARY, claims)


def samples(claims: Sequence[Record]) -> list[dict[str, Any]]:
    """The rows on the number of samples with their claims in this run; empty where it has none of them."""
    return _rows(ROWS, claims)


def regions() -> list[dict[str, str]]:
    """Where one row of `samples` asks for no more than another, up to logarithms."""
    return [
        {
            "fewer": region.fewer,
            "more": region.more,
            "sizes": f"d = {region.dimension}, k = {region.intrinsic}, depth {region.depth}",
            "under": ", ".join(region.under).replace("**", "^").replace("*", " ") or "everywhere",
        }
        for region in REGIONS
    ]


def exponents(claims: Sequence[Record]) -> list[tuple[str, Record]]:
    """Every measured exponent with the key of its claim."""
    return [(claim["key"], rate) for claim in claims for rate in claim.get("rates", [])]


def _rows(table: Sequence[Any], claims: Sequence[Record]) -> list[dict[str, Any]]:
    known = {claim["key"]: claim for claim in claims if claim["file"] == "catalogue"}
    rows = [{"row": row, "claims": [known[key] for key in row.claims if key in known]} for row in table]
    return rows if any(row["claims"] for row in rows) else []
