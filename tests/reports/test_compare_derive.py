"""The verbs compare, derive and atlas, and the derivation file that `new` writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from reports.comparing import values_of
from reports.deriving import planted_markdown

Invoke = Callable[..., Result]
AT = "d=100,T=5,N=1000,L=5,M2=100,KL0=200,FI0=2000,eps=0.01"
BROKEN = """import lesssim as ls
from lesssim import exp

T, KL0 = ls.symbols("T KL0")
proof = ls.Derivation(
    key="note/rate",
    start=ls.KL("q_T", "gamma"),
    steps=(
        ls.Link("contraction", exp(-2 * T) * KL0, "initialisation/contraction"),
        ls.Link("wrong", exp(-2 * T) * KL0 / 2, ls.by("carelessness")),
    ),
    setup=ls.Setup(clock="unit"),
)
"""


def test_compare_says_the_verdict_first(lesssim: Invoke) -> None:
    result = lesssim("compare", "chen-2023-sampling/explicit", "conforti-2023/explicit")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "incomparable: each is smaller somewhere"
    assert any(line.startswith("  A larger  ") for line in lines)
    assert any(line.startswith("  equal at  ") for line in lines)
    assert "A is not <~ B" in result.stdout


def test_compare_at_parameters_prints_both_numbers(lesssim: Invoke) -> None:
    pair = ("chen-2023-sampling/explicit", "conforti-2023/explicit")
    result = lesssim("compare", *pair, "--at", "T=3, d=10,L=2,h=0.01,KL0=5,FI0=40")
    assert result.exit_code == 0
    assert result.stdout.startswith("B is smaller: A 1.21439, B 0.412394, A/B 2.94474\n")
    data = json.loads(lesssim("compare", *pair, "--json", "--at", "T=3,d=10,L=2,h=0.01,KL0=5,FI0=40").stdout)
    assert data["ratio"] == pytest.approx(2.94474, rel=1e-5)


def test_compare_as_json_round_trips(lesssim: Invoke) -> None:
    args = ("compare", "chen-2023-sampling/explicit", "conforti-2023/explicit", "--json")
    first, second = lesssim(*args).stdout, lesssim(*args).stdout
    assert first == second
    data = json.loads(first)
    assert data["schema"] == "lesssim.comparison/1"
    assert data["verdict"] == "incomparable"
    assert {"axis", "value", "at"} == set(data["crossings"][0])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nobody/one", "conforti-2023/explicit"), "nobody/one"),
        (("conforti-2023", "conforti-2023/explicit"), "one claim: a key, or FILE::KEY"),
        (("conforti-2023/explicit", "w2-explicit/ddpm-ei-closed"), "a bound on KL"),
        (("conforti-2023/explicit", "conforti-2023/explicit-path", "--at", "T=x"), "NAME=NUMBER"),
        (("conforti-2023/explicit", "conforti-2023/explicit-path", "--at", "T=1"), "a value for FI0"),
    ],
)
def test_compare_refuses_in_one_line(lesssim: Invoke, words: tuple[str, ...], message: str) -> None:
    result = lesssim("compare", *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_file_with_several_claims_needs_a_key(lesssim: Invoke, tmp_path: Path) -> None:
    setup = "ls.Setup(clock='unit', sampler='ddpm-ei')"
    text = "import lesssim as ls\nT, = ls.symbols('T')\n" + "".join(
        f"{name} = ls.Claim(key='note/{name}', lhs='KL(target, output)', terms={size} * T, setup={setup})\n"
        for name, size in (("one", 1), ("two", 2))
    )
    file = tmp_path / "two_bound.py"
    file.write_text(text, encoding="utf-8")
    result = lesssim("compare", f"{file}::note/one", f"{file}::note/two")
    assert result.stdout.startswith("tighter: A is nowhere larger than B\n")
    assert "the ratio is 1/2 everywhere" in result.stdout
    assert "note/one, note/two" in lesssim("compare", str(file), str(file)).stderr


def test_the_atlas_and_its_picture(lesssim: Invoke, tmp_path: Path) -> None:
    result = lesssim("atlas", "--at", AT)
    assert result.exit_code == 0
    assert result.stdout.startswith("conforti-2023/explicit: KL <= 10.01, the next is 0.005% larger\n")
    assert "left out  benton-2024/explicit: needs kappa" in result.stdout
    data = json.loads(lesssim("atlas", "--at", AT, "--json").stdout)
    assert data["bounds"][0]["value"] == pytest.approx(10.00908, rel=1e-6)
    picture = tmp_path / "plane.svg"
    words = (
        "--at",
        "d=100,T=6,N=1e5,M2=100,KL0=200,eps=0",
        "--plane",
        "L=1:200,FI0=500:1e6",
        "--out",
        str(picture),
    )
    drawn = lesssim("atlas", *words)
    assert drawn.exit_code == 0
    assert "% of the plane" in drawn.stdout
    assert "  left out  benton-2024/explicit: needs kappa\n" in drawn.stdout
    told = json.loads(lesssim("atlas", *words, "--json").stdout)
    assert {"key": "benton-2024/explicit", "why": "needs kappa"} in told["left_out"]
    assert sum(told["shares"].values()) <= 1
    text = picture.read_text(encoding="utf-8")
    assert text.startswith("<svg ")
    assert len(text) < 60_000
    lesssim("atlas", *words)
    assert picture.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--at", "T=1", "--plane", "T=1"), "NAME=LOW:HIGH"),
        (("--at", "T=1", "--plane", "T=1:2"), "two different parameters"),
        (("--at", "Tee=1"), "a known symbol"),
        (("--at", AT, "--sampler", "ddpm"), "nearest: 'ddpm-ei'"),
        (("--at", AT, "--plane", "L=1:2,T=1:2", "--out", "x.png"), "ends in .svg"),
    ],
)
def test_the_atlas_refuses_in_one_line(lesssim: Invoke, words: tuple[str, ...], message: str) -> None:
    result = lesssim("atlas", *words)
    assert result.exit_code == 2
    assert message in result.stderr


def test_derive_prints_the_waterfall(lesssim: Invoke) -> None:
    result = lesssim("derive", "initialisation/second-moment")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "holds: initialisation/second-moment (all 2 links hold)"
    assert "1-two-rates" in lines[1]
    assert "initialisation/split" in lines[1]
    assert "wasteful  2-one-rate" in result.stdout


def test_derive_names_the_broken_link_with_a_script_that_runs(lesssim: Invoke, tmp_path: Path) -> None:
    file = tmp_path / "rate_derivation.py"
    file.write_text(BROKEN, encoding="utf-8")
    result = lesssim("derive", str(file), "--first")
    assert result.exit_code == 1
    assert result.stdout.startswith("refuted: note/rate (link 2-wrong is the first that breaks)\n")
    script = result.stdout.partition("to run as it stands:\n")[2]
    shown: list[Any] = []
    code = "\n".join(line.removeprefix("    ") for line in script.splitlines())
    exec(code, {"print": lambda *words: shown.append(words)})  # the printed witness is Python
    assert shown[0][1] == ">"
    assert shown[0][3] is True
    data = json.loads(lesssim("derive", str(file), "--json").stdout)["derivations"][0]
    assert data["broken"] == "2-wrong"
    assert [link["verdict"] for link in data["links"]] == ["holds", "refuted"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("initialisation/contraction", "initialisation/contractions"), "1-contraction: by="),
        (('"wrong", exp(-2 * T) * KL0 / 2', '"wrong", ls.KL("q_T", "gamma")'), "link 2-wrong="),
        (('"wrong", exp(-2 * T) * KL0 / 2', '"wrong", "KL0*sepp"'), "link 2-wrong"),
        (("ls.Derivation(", "dict("), "at least one Derivation at top level"),
    ],
)
def test_derive_refuses_in_one_line(
    lesssim: Invoke, tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    file = tmp_path / "rate_derivation.py"
    file.write_text(BROKEN.replace(*change), encoding="utf-8")
    result = lesssim("derive", str(file))
    assert result.exit_code == 2
    assert message in result.stderr
    assert str(file) in result.stderr


def test_unknown_derivations_have_a_nearest_one(lesssim: Invoke) -> None:
    result = lesssim("derive", "initialisation/spli")
    assert result.exit_code == 2
    assert "nearest: 'initialisation/split'" in result.stderr


def test_new_writes_a_derivation_that_holds(lesssim: Invoke) -> None:
    made = lesssim("new", "--derivation", "my-proof")
    assert made.stdout.endswith("next: lesssim derive my-proof_derivation.py\n")
    result = lesssim("derive", "my-proof_derivation.py")
    assert result.exit_code == 0, result.stdout + result.stderr
    assert result.stdout.startswith("holds: my-proof/thm-1 (all 4 links hold)")
    assert lesssim("new", "--derivation", "my-proof").exit_code == 2


def test_parameters_are_read() -> None:
    assert values_of("d=1e3, T=10,") == {"d": 1000.0, "T": 10.0}
    assert values_of(None) == {}


def test_derive_plants_errors_and_names_each(lesssim: Invoke, tmp_path: Path) -> None:
    out = tmp_path / "planted.md"
    result = lesssim("derive", "initialisation/second-moment", "--plant", "--out", str(out))
    assert result.exit_code == 0, result.stdout
    *lines, last = result.stdout.splitlines()
    assert last == f"{len(lines)} of {len(lines)} planted errors are named"
    assert all(line.startswith("  ok      initialisation/second-moment, ") for line in lines)
    assert "| initialisation/second-moment | 2 |" in out.read_text(encoding="utf-8")


def test_a_planted_error_that_is_missed_is_listed() -> None:
    row = {"key": "a/b", "place": "1-x", "kind": "sign", "change": "minus T", "link": "1-x", "margin": 2.0}
    text = planted_markdown([{**row, "named": "1-x", "right": True}, {**row, "named": "", "right": False}])
    assert "In all: 1 of 2 (50%)." in text
    assert "- a/b, 1-x: minus T: names no link, and 1-x is false" in text


def test_compare_says_when_it_only_sampled(lesssim: Invoke, tmp_path: Path) -> None:
    head = "import lesssim as ls\nT, d = ls.symbols('T d')\n"
    setup = "ls.Setup(clock='unit', sampler='ddpm-ei')"
    text = head + "".join(
        f"{name} = ls.Claim(key='note/{name}', lhs='KL(target, output)', terms='{terms}', setup={setup})\n"
        for name, terms in (("one", "max(d, T)"), ("two", "d + T"), ("three", "d + T**2/4 + 1"))
    )
    file = tmp_path / "three_bound.py"
    file.write_text(text, encoding="utf-8")
    sampled = lesssim("compare", f"{file}::note/one", f"{file}::note/two").stdout
    assert sampled.startswith("tighter")
    assert "sampled on 6000 random parameters, unit clock; not shown for all" in sampled
    shown = lesssim("compare", f"{file}::note/two", f"{file}::note/three").stdout
    assert "means: each term" in shown
    assert "sampled" not in shown
