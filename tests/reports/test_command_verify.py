"""The main job of the command line, against a stand-in for the session: selection, output, exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bounds.catalogue import CATALOGUE
from bounds.setup import Setup
from reports import record, running
from reports.cli import main
from reports.selection import inline

KEY = CATALOGUE[0].key
PAPER = CATALOGUE[0].paper
Invoke = Callable[..., Result]

TWIN = """
twin = ls.Claim(key="my-note/twin", lhs=ls.KL("q_T", "gamma"), terms={"all": M2 + d}, setup=half)
"""


def test_verify_writes_the_report_and_says_the_verdict_first(
    lesssim: Invoke, fake: Any, tmp_path: Path
) -> None:
    result = lesssim("verify", KEY)
    assert result.exit_code == 0
    assert result.stdout.startswith(
        f"{CATALOGUE[0].expect}: {KEY} (deterministic; as expected)\n  numbers   lhs "
    )
    assert result.stdout.endswith("report: lesssim-report/index.html\n")
    written = {
        path.relative_to(tmp_path / "lesssim-report").as_posix()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert {"index.html", "results.json", "junit.xml", "report.md"} <= written
    assert not any("partial" in name or name.endswith(".tmp") for name in written)
    results = record.load("lesssim-report/results.json")
    assert [claim["key"] for claim in results["claims"]] == [KEY]
    assert all(falsehood.key.startswith(f"{KEY}!") for falsehood in fake.falsehoods)


def test_the_catalogue_keeps_its_order_and_shows_one_line_a_claim(lesssim: Invoke, fake: Any) -> None:
    unmet = CATALOGUE[3].key
    fake.verdicts[unmet] = "undecided"
    result = lesssim("verify")
    lines = result.stdout.splitlines()
    shown = [line.split()[-1] for line in lines if len(line.split()) == 3 and "/" in line.split()[-1]]
    assert shown[:3] == [claim.key for claim in CATALOGUE[:3]]
    assert f"undecided: {unmet} (deterministic; open, expected {CATALOGUE[3].expect})" in result.stdout
    assert result.exit_code == 0
    assert lesssim("verify", "--strict").exit_code == 3


def test_a_paper_and_a_pattern_select_claims_once(lesssim: Invoke, fake: Any) -> None:
    lesssim("verify", PAPER, KEY, f"{PAPER}/*", "--jobs", "1")
    assert sorted(fake.worked) == sorted(claim.key for claim in CATALOGUE if claim.paper == PAPER)


def test_settings_reach_the_session(lesssim: Invoke, fake: Any) -> None:
    lesssim("verify", KEY, "--budget", "1.5m", "--seed", "7", "--profile", "quick", "--jobs", "2")
    assert (fake.settings.budget, fake.settings.seed, fake.settings.profile, fake.settings.jobs) == (
        90.0,
        7,
        "quick",
        2,
    )


def test_a_refuted_claim_prints_its_scripts_and_fails(
    lesssim: Invoke, fake: Any, bound_file: Any, tmp_path: Path
) -> None:
    file = bound_file(tmp_path / "my_bound.py")
    fake.verdicts["my-note/thm-1"] = "refuted"
    result = lesssim("verify", file)
    assert result.exit_code == 1
    assert result.stdout.startswith("refuted: my-note/thm-1 (deterministic; expected holds)\n")
    assert (
        "simplest, worst and natural witness, to run as it stands:\n    import lesssim as ls" in result.stdout
    )
    (saved, *_) = sorted((tmp_path / "lesssim-report/witnesses").glob("*.json"))
    witness = json.loads(saved.read_text(encoding="utf-8"))
    assert witness["schema"] == "lesssim.witness/1"
    assert witness["claim"]["key"] == "my-note/thm-1"


def test_a_malformed_file_does_not_stop_the_others(
    lesssim: Invoke, fake: Any, bound_file: Any, tmp_path: Path
) -> None:
    good = bound_file(tmp_path / "good_bound.py")
    bad = bound_file(tmp_path / "bad_bound.py", term="'MM2 + d'")
    result = lesssim("verify", bad, good, "nonsense")
    assert result.exit_code == 2
    assert fake.worked == ["my-note/thm-1"]
    first, second = result.stderr.splitlines()
    assert first.startswith("error: bad_bound.py: terms.all='MM2'")
    assert "expected" in first
    assert second.startswith("error: command line: key='nonsense'")
    errors = record.load("lesssim-report/results.json")["errors"]
    assert [(error["file"], error["field"]) for error in errors] == [
        ("bad_bound.py", "terms.all"),
        ("command line", "key"),
    ]


def test_an_empty_selection_names_the_nearest_keys_and_writes_nothing(
    lesssim: Invoke, fake: Any, tmp_path: Path
) -> None:
    result = lesssim("verify", KEY[:-1])
    assert result.exit_code == 2
    assert f"nearest: {KEY}" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_claim_in_options(lesssim: Invoke, fake: Any) -> None:
    words: tuple[str, ...] = ("verify", "--lhs", "KL(q_T, gamma)", "--rhs", "c*(M2 + d)*exp(-T)")
    words += ("--parameter", "c=0.1:10")
    words += ("--assume", "T >= 1", "--constant", "absolute", "--target", "gaussian", "--start", "q_T")
    assert lesssim(*words, "--clock", "half").exit_code == 0
    claim = record.load("lesssim-report/results.json")["claims"][0]
    assert (claim["file"], claim["key"]) == ("command line", "command-line/claim")
    result = lesssim(*words, "--clock", "fast")
    assert result.exit_code == 2
    assert result.stderr == "error: command line: --clock='fast': expected 'unit' or 'half'\n"
    assert "--rhs=None" in lesssim("verify", "--lhs", "KL(q_T, gamma)").stderr


def test_every_part_of_a_setup_is_an_option(lesssim: Invoke, fake: Any) -> None:
    given = {
        "clock": "half",
        "sampler": "pf-heun",
        "grid": "any",
        "start": "q_T",
        "score": "estimated:sup",
        "target": "mixture",
    }
    words = [word for name, value in given.items() for word in (f"--{name}", value)]
    words += ["--relation", ">=", "--assuming", "T >= 1", "--assume", "L >= 1"]
    assert lesssim("verify", "--lhs", "W2(target, output)", "--rhs", "-eps", *words).exit_code == 0
    claim = inline({**given, "lhs": "W2(target, output)", "rhs": "-eps", "relation": ">="})
    assert {name: str(getattr(claim.setup, name)) for name in given} == given
    assert claim.relation == ">="
    options = {option.name for option in main.commands["verify"].params}
    assert {field.name for field in fields(Setup)} - {"parameters"} <= options
    world = ("verify", "--lhs", "risk", "--rhs", "1", "--clock", "unit", "--model", "two-pointt")
    assert "(nearest: 'two-point')" in lesssim(*world).stderr


@pytest.mark.parametrize(
    "option", ["--clock", "--sampler", "--score", "--constant", "--relation", "--assume", "--rhs", "--grid"]
)
def test_an_empty_option_is_not_as_good_as_none(lesssim: Invoke, fake: Any, option: str) -> None:
    words = {"--lhs": "KL0", "--rhs": "d", "--clock": "unit"} | {option: ""}
    result = lesssim("verify", *(word for pair in words.items() for word in pair))
    assert result.exit_code == 2
    assert f"{option}=''" in result.stderr.replace("--assume[0]", "--assume")


def test_json_on_standard_output_is_all_there_is(lesssim: Invoke, fake: Any) -> None:
    result = lesssim("verify", KEY, "--json", "-")
    assert record.validate(json.loads(result.stdout))
    assert result.stdout == Path("lesssim-report/results.json").read_text(encoding="utf-8")
    lesssim("verify", KEY, "--json", "deep/r.json", "-q")
    assert Path("deep/r.json").read_text(encoding="utf-8") == result.stdout


def test_quiet_and_verbose(lesssim: Invoke, fake: Any) -> None:
    quiet = lesssim("verify", KEY, "-q").stdout.splitlines()
    assert len(quiet) == 2
    verbose = lesssim("verify", KEY, "-v").stdout
    assert "  terms     initialisation 0.0812 (26%)" in verbose
    assert "  planted   " in verbose


def test_the_same_seed_gives_the_same_bytes(lesssim: Invoke, fake: Any, tmp_path: Path) -> None:
    lesssim("verify", PAPER, "--out", "one")
    lesssim("verify", PAPER, "--out", "two")
    written = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert len(written) >= 4
    for path in written:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()


def test_colour_obeys_the_terminal(lesssim: Invoke, fake: Any) -> None:
    assert "\x1b[" not in lesssim("verify", KEY).output
    colourful = CliRunner().invoke(main, ["verify", KEY], color=True)
    assert "\x1b[" in colourful.output
    assert "\x1b[" not in CliRunner().invoke(main, ["verify", KEY], color=True, env={"NO_COLOR": "1"}).output


def test_an_interrupted_run_resumes(lesssim: Invoke, fake: Any, tmp_path: Path) -> None:
    keys = [claim.key for claim in CATALOGUE if claim.paper == PAPER]
    fake.interrupt_at = keys[1]
    stopped = lesssim("verify", PAPER)
    assert stopped.exit_code == 130
    finished = len(fake.worked)
    assert f"interrupted: {finished} of {len(keys)} claims are finished" in stopped.stderr
    partial = tmp_path / "lesssim-report/partial.jsonl"
    partial.write_text(partial.read_text(encoding="utf-8") + '["token", {"key": "cut sho', encoding="utf-8")
    fake.interrupt_at, fake.worked = None, []
    resumed = lesssim("verify", PAPER)
    assert resumed.exit_code == 0
    assert sorted(fake.worked) == sorted(keys[:2])
    assert f"resumed: {finished} of {len(keys)} claims" in resumed.stderr
    assert not partial.exists()
    fresh = lesssim("verify", PAPER, "--out", "fresh")
    assert fresh.exit_code == 0
    assert Path("fresh/results.json").read_bytes() == Path("lesssim-report/results.json").read_bytes()


@pytest.mark.parametrize("other", [("--seed", "1"), ("--profile", "quick"), ("--budget", "9s")])
def test_other_settings_do_not_reuse_finished_records(
    other: tuple[str, ...], lesssim: Invoke, fake: Any
) -> None:
    keys = [claim.key for claim in CATALOGUE if claim.paper == PAPER]
    fake.interrupt_at = keys[0]
    lesssim("verify", PAPER)
    fake.interrupt_at, fake.worked = None, []
    lesssim("verify", PAPER, *other)
    assert sorted(fake.worked) == sorted(keys)


def test_an_edited_claim_is_not_reused(lesssim: Invoke, fake: Any, bound_file: Any, tmp_path: Path) -> None:
    first, second = (
        bound_file(tmp_path / "a_bound.py"),
        bound_file(tmp_path / "b_bound.py", "thm-2", "M2 + d"),
    )
    fake.interrupt_at = "my-note/thm-1"
    lesssim("verify", first, second)
    assert fake.worked == ["my-note/thm-2"]
    bound_file(tmp_path / "b_bound.py", "thm-2", "M2 + 2*d")
    fake.interrupt_at, fake.worked = None, []
    lesssim("verify", first, second)
    assert sorted(fake.worked) == ["my-note/thm-1", "my-note/thm-2"]


def test_records_of_other_code_are_not_reused(
    lesssim: Invoke, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [claim.key for claim in CATALOGUE if claim.paper == PAPER]
    fake.interrupt_at = keys[0]
    lesssim("verify", PAPER)
    fake.interrupt_at, fake.worked = None, []
    before = running._code()
    monkeypatch.setattr(running, "_code", lambda: before + 1)
    lesssim("verify", PAPER)
    assert sorted(fake.worked) == sorted(keys)


def test_one_claim_of_a_file(lesssim: Invoke, fake: Any, bound_file: Any, tmp_path: Path) -> None:
    path = tmp_path / "two_bound.py"
    bound_file(path)
    path.write_text(path.read_text(encoding="utf-8") + TWIN, encoding="utf-8")
    result = lesssim("verify", f"{path.name}::my-note/twin")
    assert (result.exit_code, fake.worked) == (0, ["my-note/twin"])
    wrong = lesssim("verify", f"{path.name}::my-note/thm")
    assert wrong.exit_code == 2
    assert "key='my-note/thm': expected a claim of that file: my-note/thm-1, my-note/twin" in wrong.stderr


def test_a_failing_writer_leaves_the_old_report(
    lesssim: Invoke, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesssim("verify", KEY)
    before = Path("lesssim-report/results.json").read_bytes()
    monkeypatch.setattr("reports.junit.render", lambda results: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        lesssim("verify", PAPER)
    assert Path("lesssim-report/results.json").read_bytes() == before
    assert Path("lesssim-report/partial.jsonl").exists()


def test_a_place_that_cannot_be_written_is_one_line(lesssim: Invoke, fake: Any, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    result = lesssim("verify", KEY, "--out", "taken/report")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "taken" in result.stderr
