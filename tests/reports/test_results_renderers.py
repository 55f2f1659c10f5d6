"""Markdown, JUnit, LaTeX and pictures: pure, complete, and nothing from a record gets through unescaped."""

from __future__ import annotations

import copy
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from bounds.sample_table import REGIONS, ROWS
from bounds.summary_table import SUMMARY
from reports import drawing, html, junit, latex, markdown, plots, svg, tables
from reports.vocabulary import VERDICTS

EVIL = "<script>alert(1)</script> | `x` & \\input{/etc/passwd} $x$ ]]> \x00 {{ 7 * 7 }}"
RENDERERS = [html.render, junit.render, latex.render, markdown.render]


@pytest.mark.parametrize("render", RENDERERS, ids=lambda render: render.__module__)
def test_a_report_is_a_pure_function_of_the_record(render: Any, results: dict[str, Any]) -> None:
    before = copy.deepcopy(results)
    assert render(results) == render(copy.deepcopy(results))
    assert results == before


@pytest.mark.parametrize("render", RENDERERS, ids=lambda render: render.__module__)
def test_every_claim_and_error_is_in_the_report(render: Any, results: dict[str, Any]) -> None:
    plain = re.sub(r"\\allowbreak\{\}|\\", "", render(results))
    for claim in results["claims"]:
        assert claim["key"] in plain
    if render is not latex.render:
        assert "bad_bound.py" in plain


@pytest.mark.parametrize("render", RENDERERS, ids=lambda render: render.__module__)
def test_an_empty_run_renders(render: Any, results: dict[str, Any]) -> None:
    assert render({**results, "claims": [], "errors": []})


def test_markdown_escapes_everything(results: dict[str, Any], poison: Any) -> None:
    text = markdown.render(poison(results, EVIL))
    outside = re.sub(
        r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text, flags=re.DOTALL
    )  # code spans and blocks show their text as it is
    assert "\n<script>" not in outside
    assert re.search(r"(?<!\\)<script>", outside) is None
    rows = [line for line in text.splitlines() if line.startswith("| ") and "---" not in line]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {8}


def test_markdown_shows_the_scripts_of_what_failed(results: dict[str, Any]) -> None:
    text = markdown.render(results)
    assert "### `my-note/thm-1`: refuted, expected holds" in text
    assert "```python\nimport lesssim as ls\n" in text
    assert "### `song-2021/likelihood-literal`" not in text


def test_markdown_says_which_case_is_not_tight(results: dict[str, Any], make_record: Any) -> None:
    sharp = [
        {"name": "N(m, I), h -> 0", "ratio": 0.5, "attains": 1.0, "met": False},
        {"name": "a point", "ratio": None, "attains": 1.0, "met": False},
        {"name": "gamma", "ratio": 1.0, "attains": 1.0, "met": True},
    ]
    claim = make_record("a/b", "holds", met=False, sharp=sharp, next="try `lesssim refute a_b` on a_b")
    text = markdown.render({**results, "claims": [claim]})
    assert (
        r"- not tight: N(m, I), h -\> 0: ratio 0.5, said to reach 1; a point: not measured, said to reach 1"
        in text
    )
    assert "gamma" not in text.partition("not tight")[2].splitlines()[0]
    assert r"- next: try `lesssim refute a_b` on a\_b" in text


@pytest.mark.parametrize("text", ["a ` b", "``", "a `` b", "` `", "`"])
def test_backticks_that_pair_with_nothing_stay_text(text: str) -> None:
    assert markdown.prose(text) == markdown.plain(text)


def test_junit_counts_and_survives_evil_text(results: dict[str, Any], poison: Any) -> None:
    for record in (results, poison(results, EVIL)):
        root = ElementTree.fromstring(junit.render(record))
        assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
            "tests": "13",
            "failures": "1",
            "errors": "1",
            "skipped": "1",
        }
        assert not list(root.iter("script"))
        assert len(list(root.iter("testcase"))) == 13


def test_junit_fails_with_the_reason_and_the_script(results: dict[str, Any]) -> None:
    root = ElementTree.fromstring(junit.render(results))
    case = next(case for case in root.iter("testcase") if case.get("name") == "my-note/thm-1")
    failure = case.find("failure")
    assert failure is not None
    assert (
        failure.get("message")
        == "refuted, expected holds: the discretisation term is too small by 1.7 at small T"
    )
    assert "lhs 0.5231 > rhs 0.3121" in (failure.text or "")
    assert "import lesssim" in (case.findtext("system-out") or "")
    skipped = next(case for case in root.iter("testcase") if case.find("skipped") is not None)
    assert skipped.get("name") == "albergo-2023/interpolant-23"


LATEX_COMMANDS = {
    *(
        "allowbreak",
        "arraybackslash",
        "begin",
        "begingroup",
        "bottomrule",
        "bfseries",
        "caption",
        "end",
        "endgroup",
        "endfoot",
        "endhead",
        "infty",
        "le",
        "ge",
    ),
    *(
        "lesssim",
        "linewidth",
        "midrule",
        "approx",
        "textasciicircum",
        "textasciitilde",
        "textbackslash",
        "textbar",
    ),
    *("footnotesize", "newcommand", "ragged", "raggedright", "setlength", "tabcolsep"),
    *("textbf", "textgreater", "textless", "texttt", "times", "toprule", "usepackage"),
}


def test_latex_is_balanced_and_inert(results: dict[str, Any], poison: Any) -> None:
    for record in (results, poison(results, EVIL)):
        text = latex.render(record)
        commands = set(re.findall(r"\\([a-zA-Z]+)", text))
        assert "input" not in commands
        assert commands <= LATEX_COMMANDS
        bare = re.sub(r"\\[{}$&#%_\\]", "", text)
        assert bare.count("{") == bare.count("}")
        assert all(line.count("$") % 2 == 0 for line in bare.splitlines())
        rows = [line for line in bare.splitlines() if line.startswith(r"\texttt")]
        assert {row.count("&") for row in rows} == {5}


def test_pictures_are_themed_dateless_and_have_ids_of_their_own(results: dict[str, Any]) -> None:
    pictures = [
        plots.strip(results["claims"]),
        plots.growth(results["claims"][7]),
        *map(plots.scatter, results["claims"]),
    ]
    ids: list[str] = []
    for picture in pictures:
        root = ElementTree.fromstring(picture)
        ids += [node.get("id", "") for node in root.iter() if node.get("id")]
        assert root.get("role") == "img"
        assert root.get("aria-label")
        assert "metadata" not in picture
        assert "http://www.w3.org/1999/xlink" not in picture
        assert not re.search(r"#0[12][0-9a-f]{4}", picture), "a stand-in colour was not replaced"
        references = set(re.findall(r'(?:<use href="#|url\(#)([^")]+)', picture))
        assert references <= set(ids)
    assert len(ids) == len(set(ids))


def test_pictures_are_the_same_bytes_every_time(results: dict[str, Any]) -> None:
    assert plots.scatter(results["claims"][0]) == plots.scatter(copy.deepcopy(results["claims"][0]))


def test_pictures_escape_their_texts(results: dict[str, Any], poison: Any) -> None:
    record = poison(results["claims"][7], EVIL)
    for picture in (plots.growth(record), plots.scatter(record), plots.strip([record])):
        assert "<script" not in picture
        ElementTree.fromstring(picture)


def test_a_picture_needs_points_that_a_log_axis_can_show(make_record: Any) -> None:
    assert plots.scatter(make_record("a/b", "holds", points=[])) == ""
    assert (
        plots.scatter(make_record("a/b", "holds", points=[[0.0, 1.0, "enclosed"], ["inf", 1.0, "enclosed"]]))
        == ""
    )
    assert plots.scatter(make_record("a/b", "holds", points=[[1e-308, 1e308, "enclosed"]])) == ""
    assert plots.scatter(make_record("a/b", "holds", points=[[1e-59, 1e59, "enclosed"]]))
    assert plots.growth(make_record("a/b", "holds")) == ""
    assert plots.strip([make_record("a/b", "untested", None)]) == ""
    assert plots.scatter(make_record("a/b", "holds", points=[[0.5, 1.0, "enclosed"]]))


def test_every_verdict_can_be_drawn(make_record: Any) -> None:
    assert plots.strip([make_record(f"a/{word}", word) for word in VERDICTS]).count("<a href") == len(
        VERDICTS
    )
    assert set(svg.SHADE) == set(VERDICTS)


def test_anchors_tell_keys_apart() -> None:
    keys = ["a/b", "a.b", "a..b", "a b", "a_b", "a-b", "A/b", "a/b!c", "é"]
    assert len({plots.anchor(key) for key in keys}) == len(keys)
    assert all(re.fullmatch(r"[A-Za-z0-9.-]+", plots.anchor(key)) for key in keys)


def test_dots_on_one_spot_are_drawn_once_and_all_others_are(make_record: Any) -> None:
    apart = [[10.0**n, 10.0 ** (-n), "enclosed"] for n in range(-4, 5)]
    drawn = plots.scatter(make_record("a/b", "holds", points=apart))
    assert drawn.count("h0") == len(apart)
    again = plots.scatter(make_record("a/b", "holds", points=apart * 20))
    assert again.count("h0") == len(apart)
    assert len(plots.scatter(make_record("a/b", "holds"))) < 4000


def test_dots_lie_where_the_axes_say(make_record: Any) -> None:
    points = [[1.0, 100.0, "enclosed"], [100.0, 1.0, "enclosed"]]
    drawn = plots.scatter(make_record("a/b", "holds", worst=None, points=points))
    (path,) = re.findall(r'class="dots holds" d="M(\d+) (\d+)h0m(\d+) (\d+)h0"', drawn)
    x, y, across, down = map(int, path)
    left, right, bottom, top = plots.FRAME
    assert left < x < left + (right - left) / 3 < right - (right - left) / 3 < x + across < right
    assert top < y < y + down < bottom
    assert x + across - left == pytest.approx(right - x, abs=1.5)  # symmetric, to the rounding of pixels


def test_an_equality_fails_on_both_sides_of_the_line(make_record: Any) -> None:
    statement = {"text": "a == b", "latex": "a = b", "mathml": ""}
    points = [[1.0, 4.0, "enclosed"], [4.0, 1.0, "enclosed"]]
    equal = plots.scatter(make_record("a/b", "refuted", points=points, statement=statement))
    bound = plots.scatter(make_record("a/b", "refuted", points=points))
    assert 'class="above"' in bound
    assert "dots quiet" in bound
    assert 'class="above"' not in equal
    assert "dots quiet" not in equal


@pytest.mark.parametrize(("low", "high"), [(1e-60, 1e60), (0.99, 1.9), (0.3, 0.7), (1e-4, 5.0)])
def test_every_axis_has_a_few_round_labels(low: float, high: float) -> None:
    ticks = drawing.Scale(low, high, 0.0, 1.0).ticks()
    assert 1 <= len(ticks) <= 8
    assert all(low <= value <= high for value in ticks)


def test_a_linear_axis_has_a_few_round_labels() -> None:
    ticks = drawing.Scale(3.0, 47.0, 0.0, 1.0, log=False).ticks()
    assert ticks == [10, 20, 30, 40]


def test_markdown_has_the_tables_of_the_field(results: dict[str, Any], make_record: Any) -> None:
    """Every row of both tables once, beside the claims of the run that state it; without any, neither."""
    results["claims"] = [make_record("benton-2024/kl", "holds")]
    assert "at a glance" not in markdown.render(results)
    rate = {"term": "discretisation", "parameter": "N", "claimed": -1.0, "seen": -1.004}
    rate |= {"interval": [-1.01, -0.998], "ends": [10, 1000]}
    for row in (SUMMARY[0], ROWS[0]):
        results["claims"].append(make_record(row.claims[0], "bounded", rates=[rate]))
    text = markdown.render(results)
    samplers = text.partition("## Samplers at a glance")[2].partition("## ")[0]
    samples = text.partition("## Samples at a glance")[2].partition("## ")[0]
    assert samplers.count("not in this run") == len(SUMMARY) - 1
    assert samples.count("not in this run") == len(ROWS) - 1
    assert f"`{SUMMARY[0].claims[0]}`" in samplers
    assert "seen N^-1.00" in samplers.replace("\\", "")
    exponents = text.partition("## Measured exponents")[2].partition("## ")[0]
    assert exponents.replace("\\", "").count("[-1.010, -0.998]") == 2


def test_the_regions_of_the_sample_table_are_true() -> None:
    shown = tables.regions()
    assert len(shown) == len(REGIONS)
    assert all(region.decide().holds for region in REGIONS)
    assert {line["under"] for line in shown} >= {"everywhere", "eps <= margin"}
