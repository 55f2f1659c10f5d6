"""Numbers and facts in words."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import terminal, wording
from reports.places import SHORT, where


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (1, "1"),
        (0.1 + 0.2, "0.3"),
        (1234.5, "1230"),
        (123456.7, "123000"),
        (999999, "999999"),
        (1e6, "1e6"),
        (1.5e-7, "1.5e-7"),
        (-2.5, "-2.5"),
        ("inf", "∞"),
        ("-inf", "-∞"),
        (None, "–"),
    ],
)
def test_significant_digits(value: Any, expected: str) -> None:
    assert wording.sig(value) == expected


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(2, 12))
def test_significant_digits_mean_the_number(value: float, digits: int) -> None:
    assert math.isclose(
        float(wording.sig(value, digits)), value, rel_tol=10.0 ** (1 - digits), abs_tol=1e-320
    )


def test_a_close_call_shows_its_digits() -> None:
    assert wording.against([1.0000001, 1.0000001], [1.0, 1.0]) == "lhs 1.0000001 > rhs 1"
    assert wording.against([0.5, 0.5], [0.5, 0.5]) == "lhs 0.5 ≤ rhs 0.5"
    assert wording.against([1 - 1e-15, 1 - 1e-15], [1.0, 1.0]) == "lhs 1 ≤ rhs 1"
    assert wording.against([1.0 + 1e-15, 1.0 + 1e-15], [1.0, 1.0]) == "lhs 1.000000000000001 > rhs 1"
    assert wording.against([0.4, 0.6], [0.5, 0.5]) == "lhs [0.4, 0.6] ≈ rhs 0.5"
    assert wording.against([1.0, 1.0], ["inf", "inf"]) == "lhs 1 ≤ rhs ∞"


def test_a_ratio_below_one_is_never_rounded_to_one(make_record: Any) -> None:
    assert wording.ratio(make_record("a/b", "holds", 0.99999)) == "1 - 1e-5"
    assert wording.ratio(make_record("a/b", "refuted", 1.0000000003)) == "1 + 3e-10"
    assert wording.ratio(make_record("a/b", "holds", 1.0)) == "1"
    assert wording.ratio(make_record("a/b", "untested", None)) == "–"


def _where(**target: Any) -> str:
    return where({"target": {"type": "gaussian", **target}, "clock": "unit", "sampler": "none", "grid": None})


def test_where() -> None:
    assert _where(eigenvalues=[1.0], multiplicities=[3], means=[0.0]) == "N(0, I_3); unit clock"
    assert (
        _where(eigenvalues=[0.25], multiplicities=[4], means=[2.0]) == "N(m, 0.25 I_4), |m| = 2; unit clock"
    )
    assert _where(eigenvalues=[0.25], multiplicities=[1], means=[-2.0]) == "N(-2, 0.25); unit clock"
    assert _where(eigenvalues=[0.0], multiplicities=[1], means=[3.0]) == "point mass at 3 in R; unit clock"
    assert (
        _where(eigenvalues=[0.0], multiplicities=[2], means=[1.0])
        == "point mass at m in R^2, |m| = 1; unit clock"
    )
    assert (
        _where(eigenvalues=[1.0, 4.0], multiplicities=[1, 5], means=[0.0, 1.5])
        == "N((0, 1.5), diag(1, 4 ×5)); unit clock"
    )
    assert where(None) == ""
    target = {"type": "gaussian", "eigenvalues": [0.123456789], "multiplicities": [2], "means": [1.0]}
    case = {
        "target": target,
        "clock": "unit",
        "sampler": "lmc",
        "grid": {"kind": "uniform", "T": 1.23456, "N": 1},
    }
    assert where(case, SHORT) == "N(m, 0.123 I_2), |m| = 1; unit clock, lmc; uniform grid T = 1.23, N = 1"


def test_where_names_everything_that_is_not_usual() -> None:
    case = {
        "target": {"type": "mixture", "weights": [0.5, 0.5]},
        "clock": "half",
        "sampler": "ddpm-ei",
        "grid": {"kind": "geometric", "T": 4, "N": 8, "delta": 0.01},
        "start": {"type": "gaussian", "eigenvalues": [2.0], "multiplicities": [2], "means": [0.0]},
        "score": {"kind": "affine", "shift": [0.1], "linear": [0], "profile": "late"},
        "parameters": {"c": 0.3},
    }
    assert where(case) == (
        "mixture weights = (0.5, 0.5); half clock, ddpm-ei; geometric grid T = 4, N = 8, delta = 0.01; "
        "start N(0, 2 I_2); score affine, shift = (0.1), linear = (0), profile = late; c = 0.3"
    )


def test_constants(make_record: Any) -> None:
    assert wording.constant(make_record("a/b", "holds")) == "1"
    assert wording.constant(make_record("a/b", "bounded", 0.41, "absolute")) == "in [0.41, 0.9]"
    assert wording.constant(make_record("a/b", "diverges", "inf", "absolute")) == "none works"
    unknown = {"kind": "polylog", "stated": None, "lower": None, "used": None}
    assert wording.constant(make_record("a/b", "untested", None, constant=unknown)) == "unknown"


def test_a_claim_that_fails_says_what_failed(make_record: Any) -> None:
    assert wording.expectation(make_record("a/b", "refuted", expected="holds", met=False)) == "expected holds"
    accepted = [{"key": "a/b!c", "verdict": "holds", "ratio": 0.9, "refused": False}]
    fact = make_record("a/b", "holds", met=False, falsehoods=accepted)
    assert wording.expectation(fact) == "expected holds; a planted falsehood is accepted too"
    loose = [{"name": "gamma", "ratio": 0.5, "attains": 1.0, "met": False}]
    fact = make_record("a/b", "holds", met=False, sharp=loose)
    assert wording.expectation(fact) == "expected holds; a case said to be tight is not"


def test_growth_names_its_ray(results: dict[str, Any]) -> None:
    fact = results["claims"][7]
    law = "lhs/rhs grows like d^0.998 along d -> oo, T = 2, N = 8, exponent in [0.991, 1]"
    assert wording.growth(fact) == law
    flat = {"ray": "", "law": "flat", "exponent": 0.0, "interval": [-0.01, 0.01], "points": []}
    law = "lhs/rhs is flat as the box is extended, exponent in [-0.01, 0.01]"
    assert wording.growth({**fact, "growth": flat}) == law
    assert wording.growth(results["claims"][0]) == ""


def test_cases_with_equality_are_not_counted_twice(make_record: Any) -> None:
    claim = make_record("benton-2024/kl", "holds")
    claim["cases"] = {"tried": 9, "decided": 5, "undecided": 4, "touching": 3, "vacuous": 0}
    assert wording.cases(claim) == "9 cases tried: 5 decided, 1 undecided, 3 with equality"


def test_lines_are_folded_at_the_width_of_a_terminal_only(make_record: Any, monkeypatch: Any) -> None:
    claim = make_record("benton-2024/kl", "holds")
    claim["reason"] = "word " * 40
    monkeypatch.setenv("COLUMNS", "60")
    assert max(map(len, terminal.block(claim).splitlines())) > 200
    monkeypatch.setattr(terminal.sys.stdout, "isatty", lambda: True, raising=False)
    folded = terminal.block(claim).splitlines()
    assert max(map(len, folded[1:])) <= 60
    assert any(line == " " * 12 + line.strip() for line in folded)


def test_the_headline_says_what_is_wrong_first(results: dict[str, Any]) -> None:
    text = wording.headline(results["claims"], results["errors"])
    assert text.startswith("1 of 12 claims not as expected; 1 open; 1 claim could not be read; 1 proved, ")
    assert text.endswith("planted falsehoods refused 12/12")
    assert wording.headline(results["claims"][:1]).startswith("1 claim, none wrong; 1 bounded")
