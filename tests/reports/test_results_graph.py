"""The graph of lemmas: edges from the proofs that are data, columns from the edges, the weakest shown."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest

from bounds.catalogue import CATALOGUE
from bounds.derivations import DERIVATIONS
from reports import graph, html, record
from reports.vocabulary import VERDICTS

KEYS = ("paper/end", "paper/middle", "tools/first", "tools/second")
EDGES = [("tools/first", "paper/middle"), ("paper/middle", "paper/end"), ("tools/second", "paper/end")]


def edges_of(pairs: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"from": a, "to": b, "derivation": b, "link": f"1-{a[-1]}"} for a, b in pairs]


@pytest.fixture
def proved(results: dict[str, Any], make_record: Any) -> dict[str, Any]:
    claims = [make_record(key, "holds") for key in KEYS]
    return {**results, "claims": claims, "lemmas": edges_of(EDGES)}


def test_edges_are_those_of_the_derivations(make_record: Any) -> None:
    found = graph.lemmas(make_record(claim.key, "holds") for claim in CATALOGUE)
    keys = {claim.key for claim in CATALOGUE}
    assert found
    assert all(edge["from"] in keys and edge["to"] in keys for edge in found)
    cited = {
        (lemma, d.proves)
        for d in DERIVATIONS
        if d.proves
        for lemma in d.lemmas.values()
        if lemma[:3] != "by "
    }
    assert {(edge["from"], edge["to"]) for edge in found} == cited


def test_a_run_records_the_edges_of_its_claims(lesssim: Any, fake: Any) -> None:
    assert lesssim("verify", "conforti-2023/explicit").exit_code == 0
    found = record.load("lesssim-report/results.json")["lemmas"]
    assert {(edge["from"], edge["link"]) for edge in found} == {
        ("building-blocks/path-projection", "1-projection"),
        ("conforti-2023/explicit-path", "2-path"),
    }
    assert {edge["to"] for edge in found} == {"conforti-2023/explicit"}
    assert lesssim("verify", "langevin").exit_code == 0
    assert "lemmas" not in record.load("lesssim-report/results.json")


def test_only_the_catalogue_s_claims_have_proofs(make_record: Any) -> None:
    proves = next(
        d.proves for d in DERIVATIONS if any(v[:3] != "by " for v in d.lemmas.values()) and d.proves
    )
    assert graph.lemmas([make_record(proves, "holds")])
    assert graph.lemmas([make_record(proves, "holds", file="my_bound.py")]) == []
    assert graph.lemmas([make_record("my-note/thm-1", "holds")]) == []


def test_every_claim_stands_right_of_its_lemmas() -> None:
    columns = graph.layers(edges_of(EDGES))
    column = {key: place for place, some in enumerate(columns) for key in some}
    assert sorted(column) == sorted(KEYS)
    assert all(column[lemma] < column[key] for lemma, key in EDGES)


def test_a_circle_or_a_loop_in_a_record_still_ends() -> None:
    circle = edges_of([("a", "b"), ("b", "a"), ("a", "a")])
    assert sorted(key for some in graph.layers(circle) for key in some) == ["a", "b"]
    assert graph.weakest(circle, {"a": "holds", "b": "refuted"}) == {"a": "refuted", "b": "refuted"}


@pytest.mark.parametrize("word", VERDICTS)
def test_a_proof_is_no_stronger_than_its_weakest_lemma(word: str) -> None:
    verdicts = dict.fromkeys(KEYS, "proved") | {"tools/first": word}
    status = graph.weakest(edges_of(EDGES), verdicts)
    assert status == {"paper/middle": word, "paper/end": word}


def test_a_lemma_outside_the_run_counts_less_than_any_that_was_not_refused() -> None:
    edges = edges_of([("x/gone", "x/end"), ("x/other", "x/end")])
    assert graph.weakest(edges, {"x/other": "undecided"}) == {"x/end": graph.ABSENT}
    assert graph.weakest(edges, {"x/other": "refuted"}) == {"x/end": "refuted"}


def test_the_picture_has_every_claim_and_use_once(proved: dict[str, Any]) -> None:
    root = ElementTree.fromstring(graph.picture(proved))
    texts = [node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}title")]
    assert sorted(text.partition(":")[0] for text in texts) == sorted(KEYS)
    assert graph.picture(proved).count('class="edge') == len(EDGES)
    assert "weaker" not in graph.picture(proved)


def test_a_refuted_lemma_marks_what_rests_on_it(proved: dict[str, Any]) -> None:
    proved["claims"][2]["verdict"] = "refuted"
    drawn = graph.picture(proved)
    assert drawn.count("node holds weaker") == 2
    assert "paper/end: holds; rests on a claim that is refuted" in drawn


def test_the_page_shows_graph_and_table_and_only_with_edges(proved: dict[str, Any]) -> None:
    text = html.render(record.validate(proved))
    assert "What rests on what" in text
    table = text[text.index("The same as a table") :]
    for lemma, key in EDGES:
        assert lemma in table
        assert key in table
    assert "What rests on what" not in html.render({**proved, "lemmas": []})


def test_a_claim_outside_the_run_is_drawn_without_a_link(proved: dict[str, Any]) -> None:
    proved["claims"].pop()
    drawn = graph.picture(proved)
    assert '<g class="node absent">' in drawn
    assert f"tools/second: {graph.ABSENT}" in drawn
    links = re.findall(r'href="#([^"]+)"', drawn)
    assert len(links) == 3


def test_names_from_a_record_stay_text(proved: dict[str, Any]) -> None:
    evil = '<script>alert(1)</script>"\x00'
    drawn = graph.picture({**proved, "lemmas": edges_of([(evil, "paper/end")])})
    assert "<script" not in drawn
    ElementTree.fromstring(drawn)


def test_the_schema_wants_all_four_names_of_an_edge(proved: dict[str, Any]) -> None:
    del proved["lemmas"][0]["link"]
    with pytest.raises(record.RecordError, match=r"lemmas\[0\].link"):
        record.validate(proved)
