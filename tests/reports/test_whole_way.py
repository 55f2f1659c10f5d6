"""The whole way once, with nothing replaced: from a claim file to the page, the witness and its replay."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from reports import record
from reports.cli import main

ROOT = Path(__file__).parents[2]
QUICK = ("--profile", "quick", "--jobs", "1")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_claim_that_new_writes_verifies() -> None:
    assert CliRunner().invoke(main, ["new", "my-note"]).exit_code == 0
    result = CliRunner().invoke(main, ["verify", "my-note_bound.py", *QUICK], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stdout.startswith("holds: my-note/thm-1 (")
    (claim,) = record.load("lesssim-report/results.json")["claims"]
    assert [term["name"] for term in claim["terms"]] == ["initialisation", "score", "discretisation"]
    assert "<math" in Path("lesssim-report/index.html").read_text(encoding="utf-8")


def test_a_false_bound_gives_a_script_and_a_witness_that_hold_up() -> None:
    words = [
        "verify",
        "--lhs",
        "KL(q_T, gamma)",
        "--rhs",
        "(M2 + d)/(4*(exp(T) - 1))",
        "--clock",
        "half",
        *QUICK,
    ]
    result = CliRunner().invoke(main, words, catch_exceptions=False)
    assert result.exit_code == 1
    assert result.stdout.startswith("refuted: command-line/claim (")
    (claim,) = record.load("lesssim-report/results.json")["claims"]
    script = claim["witnesses"][0]["script"]
    assert len(script.splitlines()) <= 8
    assert script.splitlines()[0] in result.stdout
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        timeout=300,
    )
    assert "True" in ran.stdout
    saved = sorted(Path("lesssim-report/witnesses").glob("*.json"))
    assert len(saved) == len(claim["witnesses"])
    again = CliRunner().invoke(main, ["replay", str(saved[0])], catch_exceptions=False)
    assert again.exit_code == 1
    assert again.stdout.startswith("refuted: command-line/claim (")


def test_a_claim_of_the_catalogue_twice_gives_the_same_bytes() -> None:
    for folder in ("one", "two"):
        words = ["verify", "initialisation/second-moment", "--falsehoods", "--out", folder, *QUICK]
        assert CliRunner().invoke(main, words, catch_exceptions=False).exit_code == 0
    for name in ("results.json", "index.html", "report.md", "junit.xml"):
        assert Path("one", name).read_bytes() == Path("two", name).read_bytes()
    (claim,) = record.load("one/results.json")["claims"]
    assert claim["falsehoods"]
    assert all(falsehood["refused"] for falsehood in claim["falsehoods"])
