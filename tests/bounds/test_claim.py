"""Claims as values: what a malformed one says, and that a good one survives plain data and pickling."""

import pickle

import pytest
import sympy as sp

import lesssim as ls
from bounds.claim import Claim
from bounds.errors import ClaimError
from bounds.loading import load

d, T, L, eps = ls.symbols("d T L eps")
SETUP = ls.Setup(clock="half", sampler="ddpm-ei")


def claim(**changes):
    fields = {
        "key": "note/one",
        "lhs": ls.KL("target", "output"),
        "terms": {"score": T * eps**2},
        "setup": SETUP,
    }
    return Claim(**{**fields, **changes})


def test_a_claim_survives_plain_data_and_pickling():
    original = claim(assuming=[L >= 1, "centred"], constant=ls.Rational(1, 2))
    assert Claim.from_dict(original.to_dict()) == original
    assert pickle.loads(pickle.dumps(original)) == original
    assert hash(original) == hash(pickle.loads(pickle.dumps(original)))


def test_the_hash_follows_the_meaning_and_not_the_name():
    assert claim().hash == claim(key="other/name", title="x").hash
    assert claim().hash != claim(constant=2).hash


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"key": "two words"}, "key='two words'"),
        ({"constant": -1}, "constant=-1: expected a positive number"),
        ({"constant": "absolut"}, "nearest: 'absolute'"),
        ({"constant": float("nan")}, "constant=nan"),
        ({"lhs": float("nan")}, "lhs=nan"),
        ({"terms": {}}, "terms={}"),
        ({"terms": {"score": sp.Symbol("T") * eps}}, "the symbol made by symbols"),
        ({"terms": {"score": ls.symbol("TT") * eps}}, "nearest: 'T'"),
        ({"assuming": ["centered"]}, "nearest: 'centred'"),
        ({"assuming": ["L >= "]}, "a formula"),
        ({"relation": "<"}, "relation='<'"),
        ({"setup": None}, "setup=None"),
        ({"expect": "true"}, "expect='true'"),
        ({"constant": "absolute", "expect": "refuted"}, "a hidden constant is never refuted"),
    ],
)
def test_a_malformed_claim_names_field_value_and_what_would_be_right(changes, message):
    with pytest.raises(ClaimError) as caught:
        claim(**changes)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "setup.clock=None: expected 'unit' or 'half'"),
        ({"clock": "hour"}, "setup.clock='hour'"),
        ({"clock": "unit", "sampler": "ddpm"}, "nearest: 'ddpm-ei'"),
        ({"clock": "unit", "score": "estimated:mean"}, "setup.score.average='mean'"),
        ({"clock": "unit", "parameters": {"c": (2, 1)}}, "low <= high"),
        ({"clock": "unit", "parameters": {"c": 3}}, "a pair (low, high)"),
    ],
)
def test_a_malformed_setup_says_what_would_be_right(fields, message):
    with pytest.raises(ClaimError) as caught:
        ls.Setup(**fields)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1\n", "at least one Claim"),
        ("x = \n", "line 1"),
        ("1/0\n", "line 1: ZeroDivisionError"),
        ("raise SystemExit(3)\n", "exits with 3"),
        ("import lesssim as ls\nls.Setup()\n", "setup.clock=None"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path, source, message):
    file = tmp_path / "my_bound.py"
    file.write_text(source)
    with pytest.raises(ClaimError) as caught:
        load(file)
    assert message in str(caught.value)
    assert "my_bound.py" in str(caught.value)


def test_a_missing_file_is_named():
    with pytest.raises(ClaimError, match="an existing file"):
        load("nowhere_bound.py")
