"""Values that make no sense: one error that names the value and what would have been right."""

import pytest

import lesssim as ls
from bounds.errors import ClaimError
from properties.cases import Case
from simulators.errors import InputError

STANDARD = ls.Gaussian.isotropic(1, 1)
UNIT = ls.Setup(clock="unit")
NAN = float("nan")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"N": "a"}, "N='a'"),
        ({"N": NAN}, "N=nan"),
        ({"N": 1.5}, "N=1.5"),
        ({"T": None}, "T=None"),
        ({"T": "3"}, "T='3'"),
        ({"start": "zero"}, "start='zero'"),
        ({"parameters": {"t": "x"}}, "t='x'"),
        ({"parameters": {"t": NAN}}, "t=nan"),
        ({"parameters": [1]}, r"parameters=\[1\]"),
        ({"grid": 3}, "grid=3"),
    ],
)
def test_a_case_refuses(fields, named):
    with pytest.raises(InputError, match=named):
        ls.Case(STANDARD, **fields)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("grid", {}),
        ("grid", {"kind": "custom"}),
        ("target", None),
        ("target", {}),
        ("target", {"type": "mixture"}),
        ("target", {"type": "gaussian", "eigenvalues": ["x"], "multiplicities": [1], "means": [0]}),
        ("score", "maybe"),
        ("score", {"kind": "bump"}),
        ("start", {"a": 1}),
        ("parameters", [1]),
    ],
)
def test_plain_data_that_is_no_case_is_refused_by_field(field, value):
    with pytest.raises((ClaimError, InputError), match=f"{field}|eigenvalues"):
        Case.from_dict({**ls.Case(STANDARD).to_dict(), field: value})


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: ls.Gaussian.isotropic("a", 1), "multiplicities='a'"),
        (lambda: ls.Gaussian.isotropic(1, "x"), "eigenvalues='x'"),
        (lambda: ls.Gaussian.isotropic(1, None), "eigenvalues=None"),
        (lambda: ls.Gaussian(1.0, 1, 0.0), "eigenvalues=1.0"),
        (lambda: ls.Gaussian((1.0,), 1, (0.0,)), "multiplicities=1"),
        (lambda: ls.Gaussian((1.0,), (NAN,), (0.0,)), "multiplicities=nan"),
        (lambda: ls.Setup(clock="unit", parameters=5), "setup.parameters=5"),
        (lambda: ls.Setup(clock="unit", parameters={1: (1, 2)}), "letters, digits"),
        (lambda: ls.Setup(clock="unit", parameters={"N": (2.5, 2.7)}), "whole number"),
        (lambda: ls.Setup(clock="unit", parameters={"T": (0, 1)}), "above zero"),
        (lambda: ls.Setup(clock="unit", parameters={"d": (0, 0)}), "from 1 up"),
        (lambda: ls.Claim(key="a/b", lhs="KL0", terms="d", setup=UNIT, assuming=5), "assuming=5"),
        (lambda: ls.Claim(key="a/b", lhs="KL0", terms=ls.sqrt(-1), setup=UNIT), "real values"),
        (lambda: ls.Claim(key="a/b", lhs="KL0", terms="d", setup=UNIT, constant=1e400), "constant=inf"),
        (lambda: ls.symbols(5), "symbols=5"),
        (lambda: ls.verify(), "expected claims"),
        (lambda: ls.verify("x"), "claims='x'"),
        (lambda: ls.load(None), "file=None"),
        (lambda: ls.Case(STANDARD, T=3).measure("J(q(T - 100))"), "forward time >= 0"),
    ],
)
def test_the_api_refuses(make, named):
    with pytest.raises((ClaimError, InputError), match=named):
        make()
