"""The HTML page: self-contained, inert, accessible, complete."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from bounds import catalogue
from bounds.summary_table import SUMMARY
from reports import html
from reports.mathml import formula
from reports.vocabulary import AREAS, ATTRIBUTES, VERDICTS

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}"
VOID = {"meta", "input", "br", "img", "link", "hr"}


class Page(HTMLParser):
    """Elements, attributes and text of a page; checks that tags are balanced."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]


def test_the_page_is_whole_and_needs_no_network(results: dict[str, Any]) -> None:
    text = html.render(results)
    page = Page(text)
    assert len(page.all("details")) >= len(results["claims"])
    assert not page.all("link")
    assert not page.all("img")
    assert not page.all("iframe")
    for _, attrs in page.elements:
        for name in ("src", "href", "xlink:href"):
            assert (attrs.get(name) or "#").startswith("#")
    assert not re.search(r"url\((?!#)|@import", text)


def test_the_policy_admits_the_page_s_own_script_only(results: dict[str, Any]) -> None:
    text = html.render(results)
    (script,) = re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = [attrs["content"] for attrs in Page(text).all("meta") if attrs.get("http-equiv")]
    assert f"script-src 'sha256-{digest}'" in (policy or "")
    assert (policy or "").startswith("default-src 'none'")


def test_nothing_from_a_record_becomes_markup(results: dict[str, Any], poison: Any) -> None:
    honest, poisoned = Page(html.render(results)), Page(html.render(poison(results, EVIL)))
    assert len(poisoned.all("script")) == len(honest.all("script")) == 1
    assert not poisoned.all("img")
    assert not any(name.startswith("on") for _, attrs in poisoned.elements for name in attrs)
    assert "alert(1)" in "".join(poisoned.text)
    assert "{{ 7 * 7 }}" in "".join(poisoned.text)


def test_a_script_in_a_note_is_shown_as_text(results: dict[str, Any]) -> None:
    results["claims"][0]["note"] = "<script>alert('note')</script>"
    text = html.render(results)
    assert "<script>alert('note')" not in text
    assert "&lt;script&gt;alert(&#39;note&#39;)&lt;/script&gt;" in text


def test_ids_are_unique_and_links_lead_somewhere(results: dict[str, Any]) -> None:
    page = Page(html.render(results))
    ids = [attrs["id"] for _, attrs in page.elements if attrs.get("id")]
    assert len(ids) == len(set(ids))
    for _, attrs in page.elements:
        for name in ("href", "for", "aria-labelledby"):
            target = attrs.get(name)
            assert target is None or target.removeprefix("#") in ids, target


def test_every_control_is_a_button_with_a_name_and_every_header_has_a_scope(results: dict[str, Any]) -> None:
    page = Page(html.render(results))
    assert all(attrs.get("type") == "button" for attrs in page.all("button"))
    assert all(attrs.get("scope") in ("col", "row") for attrs in page.all("th"))
    assert page.all("html")[0]["lang"] == "en"
    assert all(attrs.get("role") == "img" and attrs.get("aria-label") for attrs in page.all("svg"))


def test_words_and_colours_come_from_the_vocabulary(results: dict[str, Any]) -> None:
    text = html.render(results)
    for word, look in VERDICTS.items():
        assert f"--{word}: {look.light};" in text
        assert f"--{word}: {look.dark};" in text
        assert look.meaning.replace("<", "&lt;") in text
    for table in ATTRIBUTES.values():
        assert all(word in text for word in table)


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("word", VERDICTS)
def test_verdict_colours_can_be_read(word: str) -> None:
    look = VERDICTS[word]
    for colour, paper in ((look.light, "#ffffff"), (look.dark, "#14171b")):
        high, low = sorted((_luminance(colour), _luminance(paper)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5


def test_a_claim_shows_statement_numbers_terms_and_script(results: dict[str, Any]) -> None:
    text = html.render(results)
    assert text.count('<math display="block">') == len(results["claims"])
    assert "lhs 0.5231 &gt; rhs 0.3121" in text
    assert "<caption>Terms of the right side at the worst case</caption>" in text
    assert "import lesssim as ls" in text
    assert "@inproceedings{chen2023sampling" in text
    assert "arXiv:2209.11215v2" in text


def test_typeset() -> None:
    assert (
        html.typeset("ratio 1.5e-7 in R^12, I_3, d -> oo, L >= 1, 2e10")
        == "ratio 1.5×10⁻⁷ in R¹², I₃, d → ∞, L ≥ 1, 2×10¹⁰"
    )
    assert html.typeset("the nose, e-mail, 3extra") == "the nose, e-mail, 3extra"


def test_formulas_from_mathml_and_from_latex() -> None:
    assert formula("", "<math><mi>a</mi><mo>&InvisibleTimes;</mo><mi>&ExponentialE;</mi></math>") == (
        "<math><mi>a</mi><mo>\u2062</mo><mi>e</mi></math>"
    )
    assert "<mfrac>" in formula(r"\frac{M_2 + d}{2 e^{T} - 2}")
    assert formula("x", display=True).startswith('<math display="block">')
    fenced = formula("", "<mrow><mfenced><mi>a</mi><mi>b</mi></mfenced></mrow>")
    assert "mfenced" not in fenced
    assert re.sub("<[^>]*>", "", fenced) == "(a,b)"


@pytest.mark.parametrize(
    ("latex", "mathml"),
    [
        (r"\text{<script>alert(1)</script>}", ""),
        ("a & b", ""),
        (r"\frac{1}{", ""),
        ("x", "<math><script>alert(1)</script></math>"),
        ("x", "<math><mi>a</mi>"),
        ("x", '<!DOCTYPE m [<!ENTITY a "b">]><math><mi>&a;</mi></math>'),
        ("", "<math><maction actiontype='statusline'><mi>a</mi></maction></math>"),
    ],
)
def test_unreadable_formulas_fall_back_to_something_safe(latex: str, mathml: str) -> None:
    shown = formula(latex, mathml, text="fallback")
    assert "<script" not in shown
    assert "maction" not in shown
    assert shown.startswith(("<code>", "<math>"))


def test_attributes_of_formulas_are_few() -> None:
    shown = formula(
        "",
        '<math onclick="x()" display="block"><mi href="js:x()" style="x" mathvariant="bold">a</mi></math>',
    )
    assert shown == '<math><mi mathvariant="bold">a</mi></math>'


def test_a_claim_takes_few_bytes(results: dict[str, Any], make_record: Any) -> None:
    """Three hundred claims with the most points that a record may have: at most 10 kB each."""
    claims = [make_record(f"paper-{n % 30}/claim-{n}", "holds") for n in range(300)]
    assert len(html.render({**results, "claims": claims}).encode()) <= 10_000 * len(claims)


def test_rows_can_be_chosen_by_part_paper_verdict_and_evidence(
    results: dict[str, Any], make_record: Any
) -> None:
    results["claims"] += [
        make_record("gupta-2023/hard-pair", "holds"),
        make_record("initialisation/split", "holds"),
    ]
    page = Page(html.render(results))
    rows = [attrs for attrs in page.all("tr") if "data-area" in attrs]
    assert len(rows) == len(results["claims"])
    found = {str(row["data-claim"]): row["data-area"] for row in rows}
    assert found["gupta-2023..hard-pair"] == "learning"
    assert found["initialisation..split"] == "building blocks"
    assert found["benton-2024..kl"] == "convergence"
    assert found["my-note..thm-1"] == "user"
    assert {attrs["data-area"] for attrs in page.all("button") if "data-area" in attrs} == set(AREAS)
    assert {attrs.get("id") for attrs in page.all("select")} == {"paper", "evidence"}


def test_every_listed_paper_is_in_the_catalogue() -> None:
    assert {paper for papers in AREAS.values() for paper in papers} <= set(catalogue.papers())


def test_a_model_s_statement_is_set_from_its_latex(results: dict[str, Any]) -> None:
    claim = results["claims"][0]
    claim["statement"] = {
        "text": "a == b",
        "latex": r"\tfrac{1}{T} = b",
        "mathml": "<math><mi>tfrac1T</mi><mo>=</mo><mi>b</mi></math>",
    }
    assert "tfrac1T" in html.render(results)
    claim["setup"]["model"] = "two-point"
    assert "tfrac1T" not in html.render(results)
    claim["statement"]["latex"] = r"\frac{1}{"
    assert "tfrac1T" in html.render(results)


def test_a_case_reads_well() -> None:
    assert html.placed("0.3 N(-1, 0.2) + 0.7 N(2, 0.5); T = 2, delta = 0.1") == (
        "0.3 N(−1, 0.2) + 0.7 N(2, 0.5); T\u00a0=\u00a02, δ\u00a0=\u00a00.1"
    )
    assert html.placed("err_big = 1, steps = 2, s_t = 1, m10 = 3") == (
        "err_big\u00a0=\u00a01, steps\u00a0=\u00a02, sₜ\u00a0=\u00a01, m₁₀\u00a0=\u00a03"
    )
    assert html.placed("m1 = -2e-7; 2023-09") == "m₁\u00a0=\u00a0−2×10⁻⁷; 2023-09"
    assert html.powers("<b>^2") == "&lt;b&gt;<sup>2</sup>"
    assert html.powers("e^{-2t} [-1, 1]^d <= (a)^(<i>)") == (
        "e<sup>−2t</sup> [−1, 1]<sup>d</sup> ≤ (a)<sup>&lt;i&gt;</sup>"
    )
    assert formula("", "<math><mi>ⅇ</mi><mo>-</mo><mn>1</mn></math>") == (
        "<math><mi>e</mi><mo>−</mo><mn>1</mn></math>"
    )


def test_what_a_term_needs_is_said_of_claims_that_hold_only(
    results: dict[str, Any], make_record: Any
) -> None:
    for verdict, shown in (("holds", True), ("refuted", False)):
        claim = make_record("benton-2024/kl", verdict)
        claim["terms"][0]["needed"] = 0.123
        assert ("0.123" in html.render({**results, "claims": [claim]})) == shown


def test_the_samplers_table_links_the_claims_of_the_run(results: dict[str, Any], make_record: Any) -> None:
    results["claims"] = [make_record("benton-2024/kl", "holds")]
    assert "Samplers at a glance" not in html.render(results)
    rates = [
        {
            "term": "score",
            "parameter": "eps",
            "claimed": 2.0,
            "seen": 1.98,
            "interval": [1.9, 2.1],
            "ends": [1, 2],
        }
    ]
    results["claims"] = [make_record("chen-2023-sampling/theorem-2", "bounded", rates=rates)]
    text = html.render(results)
    table = text[text.index("Samplers at a glance") :]
    assert 'href="#chen-2023-sampling..theorem-2"' in table
    assert "score: claimed ε<sup>2.00</sup>, seen ε<sup>1.98</sup>" in table
    assert table.count("not in this run") == len(SUMMARY) - 1


def test_measured_exponents_have_their_intervals(results: dict[str, Any], make_record: Any) -> None:
    results["claims"] = [make_record("benton-2024/kl", "holds")]
    assert "Measured exponents" not in html.render(results)
    rate = {"term": "start", "parameter": "h", "claimed": 1.5, "seen": 1.5141, "interval": [1.5094, 1.5194]}
    results["claims"] = [make_record("benton-2024/kl", "holds", rates=[{**rate, "ends": [0.06, 0.0006]}])]
    text = html.render(results)
    table = text[text.index("Measured exponents") :]
    assert "1 exponents" not in table
    assert "1.51" in table
    assert "[1.509, 1.520]" in table
    assert "0.06 to 0.0006" in table
