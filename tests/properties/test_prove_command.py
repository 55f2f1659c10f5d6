"""The verb ``prove``: verdict word first, exit codes, JSON."""

import json

import pytest
from click.testing import CliRunner

from reports.cli import main
from reports.record import validate

PATH = "chen-2023-sampling/explicit-path"
BOX = "lam=0.5:2,m=-1:1,h=0.05:0.1,N=5"
FALSE_FILE = """import lesssim as ls
from lesssim import exp
KL0, T = ls.symbols("KL0 T")
fast = ls.Claim(key="note/fast", lhs=ls.KL("q_T", "gamma"), terms={"start": exp(-4 * T) * KL0},
                setup=ls.Setup(clock="unit"))
"""


def run(*arguments):
    return CliRunner().invoke(main, ["prove", *arguments], catch_exceptions=False)


def test_the_first_line_says_the_verdict_and_the_numbers_follow():
    result = run(PATH, "--box", BOX)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"proved: {PATH} (proved")
    assert "boxes" in result.stdout


def test_json_has_the_fixed_keys_and_the_same_bytes():
    results = [run(PATH, "--box", BOX, "--json", "-") for _ in range(2)]
    assert results[0].stdout == results[1].stdout
    (claim,) = validate(json.loads(results[0].stdout))["claims"]
    assert (claim["verdict"], claim["evidence"], claim["met"]) == ("proved", "proved", True)


def test_a_file_with_a_false_claim_exits_with_one(tmp_path):
    file = tmp_path / "fast_bound.py"
    file.write_text(FALSE_FILE)
    result = run(str(file), "--box", "lam=0.5:2,m=-1:1,T=0.1:1")
    assert result.exit_code == 1
    assert result.stdout.startswith("refuted: note/fast")
    assert "case = ls.Case(" in result.stdout


def test_a_planted_falsehood_is_refuted_as_expected():
    result = run("initialisation/contraction!centred-rate", "--box", "lam=0.5:2,m=-1:1,T=0.1:1")
    assert result.exit_code == 0
    assert result.stdout.startswith("refuted")


def test_strict_counts_what_stays_open():
    arguments = (PATH, "--box", "lam=0.25:4,m=-2:2,h=0.01:0.2,N=20", "--budget", "0.001")
    assert run(*arguments).exit_code == 0
    strict = run(*arguments, "--strict")
    assert strict.exit_code == 3
    assert "open" in strict.stdout


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ("lam=2:1,h=0.1,N=3", "low <= high"),
        ("lma=2,h=0.1,N=3", "nearest: 'lam'"),
        ("lam=nan,h=0.1,N=3", "NaN"),
    ],
)
def test_a_bad_box_is_one_line_and_exit_two(box, message):
    result = run(PATH, "--box", box)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
