"""The waterfall of a proof on the page: a bar for every link, the most wasteful one marked."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest

from reports import html, record
from reports.waterfall import falls, picture


def _link(name: str, typical: float | None) -> dict[str, Any]:
    slack = {"typical": typical, "largest": 2 * (typical or 0.0), "at_tightest": 0.0}
    return {
        "name": name,
        "statement": "a <= b",
        "by": "by care",
        "slack": slack if typical is not None else None,
    }


def _proof(*slacks: float | None) -> dict[str, Any]:
    links = [_link(f"{place}-step", value) for place, value in enumerate(slacks, 1)]
    return {
        "derivation": "my-note/proof",
        "title": "A proof",
        "proves": True,
        "tightest": None,
        "links": links,
    }


def test_bars_begin_where_the_one_above_ends() -> None:
    drawn = picture(_proof(math.log(2), math.log(8)))
    bars = [part.split('"') for part in drawn.split("<rect ")[1:]]
    (first, x1, w1), (second, x2, w2) = ((bar[1], float(bar[3]), float(bar[7])) for bar in bars)
    assert (first, second) == ("bar", "bar wasteful")
    assert x1 + w1 == pytest.approx(x2, abs=0.1)
    assert w2 == pytest.approx(3 * w1, abs=0.2)
    assert "in all × 16" in drawn


def test_a_proof_by_equations_has_no_picture() -> None:
    (fall,) = falls({"proofs": [_proof(0.0, 1e-15, None)]})
    assert fall.svg == ""
    assert [link[3:] for link in fall.links] == [("× 1", "–", "× 1"), ("× 1", "–", "× 1"), ("–", "–", "–")]


def test_shares_are_of_what_is_lost() -> None:
    (fall,) = falls({"proofs": [_proof(math.log(2), math.log(8))]})
    assert [link[3:] for link in fall.links] == [("× 2", "25%", "× 4"), ("× 8", "75%", "× 64")]
    assert falls({}) == []


def test_the_page_shows_it_escaped_and_the_record_is_checked(results: dict[str, Any]) -> None:
    found = copy.deepcopy(results)
    proof = _proof(math.log(2), math.log(8))
    proof["links"][0]["name"] = "1-<b>"
    found["claims"][0]["proofs"] = [proof]
    record.validate(found)
    page = html.render(found)
    assert 'class="bar wasteful"' in page
    assert "1-&lt;b&gt;" in page
    assert "<b>1-" not in page
    assert "my-note/proof" in page
    del proof["links"][0]["by"]
    with pytest.raises(record.RecordError, match=r"proofs\[0\].links\[0\].by"):
        record.validate(found)
