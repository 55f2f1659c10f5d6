"""Values that make no sense: one error that names the value and what would have been right."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
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
        (lambda: ls.Case(STANDARD, sampler="dpum").measure("KL(target, output)"), "a value for h_corr"),
        (lambda: ls.Case(STANDARD, sampler="ou-flow").measure("KL(target, output)"), "a value for a"),
        (lambda: ls.verify(), "expected claims"),
        (lambda: ls.verify("x"), "claims='x'"),
        (lambda: ls.load(None), "file=None"),
        (lambda: ls.Case(STANDARD, T=3).measure("J(q(T - 100))"), "forward time >= 0"),
    ],
)
def test_the_api_refuses(make, named):
    with pytest.raises((ClaimError, InputError), match=named):
        make()


BAD = {
    "nan": NAN,
    "inf": float("-inf"),
    "bool": True,
    "text": "x",
    "none": None,
    "complex": 1 + 2j,
    "numpy complex": np.complex128(1),
    "empty": [],
    "matrix": np.eye(2),
    "ragged": [[1.0], [1.0, 2.0]],
    "huge": -(10**5000),
    "bytes": b"1",
    "set": {1.0, 2.0},
    "table": {},
    "object": object(),
    "numpy bool": np.bool_(True),
    "no date": np.datetime64("NaT"),
    "symbol": ls.symbols("T")[0],
    "not a number": Decimal("nan"),
}
TWO = {"weights": (0.5, 0.5), "means": ((-1.0,), (1.0,)), "covariances": 0.5}
CLAIM = {"key": "a/b", "lhs": "KL0", "terms": "d", "setup": UNIT}
PLACES = {
    "variance": lambda v: ls.Gaussian.isotropic(1, v),
    "d": lambda v: ls.Gaussian.isotropic(v, 1.0),
    "eigenvalues": lambda v: ls.Gaussian(v, (1, 1), (0.0, 0.0)),
    "multiplicities": lambda v: ls.Gaussian((1.0, 2.0), v, (0.0, 0.0)),
    "weights": lambda v: ls.GaussianMixture(**TWO | {"weights": v}),
    "a weight": lambda v: ls.GaussianMixture(**TWO | {"weights": (v, 0.5)}),
    "means": lambda v: ls.GaussianMixture(**TWO | {"means": (v, (1.0,))}),
    "a mean": lambda v: ls.GaussianMixture(**TWO | {"means": ((v,), (1.0,))}),
    "covariances": lambda v: ls.GaussianMixture(**TWO | {"covariances": (v, 1.0)}),
    "sep": lambda v: ls.GaussianMixture.two(v),
    "weight of two": lambda v: ls.GaussianMixture.two(1.0, v),
    "forward time": lambda v: ls.GaussianMixture(**TWO).at(v),
    "an atom": lambda v: ls.Atoms((v, 2.0, 3.0)),
    "weights of atoms": lambda v: ls.Atoms((0.0, 1.0), v),
    "radius": lambda v: ls.Atoms.two_point(v),
    "factors": lambda v: ls.Product(v),
    "a factor": lambda v: ls.Product((v,)),
    "T": lambda v: ls.Grid.uniform(v, 2),
    "N": lambda v: ls.Grid.uniform(1.0, v),
    "delta": lambda v: ls.Grid.geometric(1.0, 2, v),
    "times": lambda v: ls.Grid.from_times(v),
    "a time": lambda v: ls.Grid.from_times((2.0, v, 0.5)),
    "kind": lambda v: ls.Grid(v, 1.0, 2),
    "given": lambda v: ls.Grid("custom", 1.0, 2, 0.0, v),
    "shift": lambda v: ls.AffineError(v, (0.0,)),
    "linear": lambda v: ls.AffineError((0.0,), (v,)),
    "profile": lambda v: ls.AffineError((0.0,), (0.0,), (v,)),
    "height": lambda v: ls.Bump(v, 0.1, 0.2),
    "start": lambda v: ls.Bump(1.0, v, 0.2),
    "stop": lambda v: ls.Bump(1.0, 0.1, v),
    "profile of a bump": lambda v: ls.Bump(1.0, 0.1, 0.2, profile=(v,)),
    "frequency": lambda v: ls.Oscillation(1.0, v),
    "target": lambda v: ls.Case(v),
    "clock": lambda v: ls.Case(STANDARD, clock=v),
    "sampler": lambda v: ls.Case(STANDARD, sampler=v),
    "start of a case": lambda v: ls.Case(STANDARD, start=v),
    "start of a mixture": lambda v: ls.Case(ls.GaussianMixture(**TWO), start=v),
    "error": lambda v: ls.Case(STANDARD, error=v),
    "error of a mixture": lambda v: ls.Case(ls.GaussianMixture(**TWO), error=v),
    "horizon": lambda v: ls.Case(STANDARD, T=v),
    "steps": lambda v: ls.Case(STANDARD, N=v),
    "a parameter": lambda v: ls.Case(STANDARD, parameters={"c": v}),
    "formula": lambda v: ls.Case(STANDARD).measure(v),
    "average": lambda v: ls.Case(STANDARD).measure("eps", average=v),
    "clock of a setup": lambda v: ls.Setup(clock=v),
    "score": lambda v: ls.Setup(clock="unit", score=v),
    "average of a setup": lambda v: ls.Score("estimated", v),
    "model": lambda v: ls.Setup(clock="unit", model=v),
    "range": lambda v: ls.Setup(clock="unit", parameters={"c": (v, 2.0)}),
    "left side": lambda v: ls.Claim(**CLAIM | {"lhs": v}),
    "setup": lambda v: ls.Claim(**CLAIM | {"setup": v}),
    "relation": lambda v: ls.Claim(**CLAIM | {"relation": v}),
    "constant": lambda v: ls.Claim(**CLAIM | {"constant": v}),
    "standing": lambda v: ls.Claim(**CLAIM | {"standing": v}),
    "expect": lambda v: ls.Claim(**CLAIM | {"expect": v}),
    "sharp": lambda v: ls.Claim(**CLAIM | {"sharp": (v,)}),
    "source": lambda v: ls.Claim(**CLAIM | {"source": v}),
    "title": lambda v: ls.Claim(**CLAIM | {"title": v}),
    "symbol": lambda v: ls.symbols(v),
    "claim to check": lambda v: ls.check(v, ls.Case(STANDARD)),
    "case to check": lambda v: ls.check(ls.Claim(**CLAIM), v),
    "claim to refute": lambda v: ls.refute(v),
    "claim to prove": lambda v: ls.prove(v, "N=2"),
    "box": lambda v: ls.prove(ls.Claim(**CLAIM), v),
    "claim to compare": lambda v: ls.compare(v, ls.Claim(**CLAIM)),
    "derivation": lambda v: ls.derive(v),
    "witness": lambda v: ls.replay(v),
    "words": lambda v: ls.by(v),
    "a model": lambda v: ls.ModelCase(v, {}),
    "a value of a model": lambda v: ls.ModelCase("two-point", {"c": v}),
}


FINE = {
    "weights of atoms": {"none"},
    "error": {"none"},
    "error of a mixture": {"none"},
    "score": {"none"},
    "source": {"none"},
    "left side": {"symbol"},
    "title": {"text"},
    "symbol": {"text"},
    "words": {"text"},
}
"""What is not bad at one of the places."""


@pytest.mark.parametrize("place", PLACES)
def test_no_bad_value_is_accepted_or_ends_in_an_error_of_python(place):
    for name in BAD.keys() - FINE.get(place, set()):
        with pytest.raises((ClaimError, InputError)) as caught:
            PLACES[place](BAD[name])
        message = str(caught.value)
        assert "expected" in message, name
        assert "\n" not in message, name
        assert len(message) < 600, name


def test_numbers_of_other_libraries_are_numbers():
    third = Fraction(1, 3)
    for three in (3, 3.0, np.int8(3), np.uint64(3), np.float16(3), np.longdouble(3), np.array(3)):
        assert ls.Gaussian.isotropic(three, three) == ls.Gaussian.isotropic(3, 3.0)
        assert ls.Case(STANDARD, T=three, N=three) == ls.Case(STANDARD, T=3.0, N=3)
        assert ls.Bump(three, 0, 1) == ls.Bump(3.0, 0.0, 1.0)
        assert ls.Claim(**CLAIM | {"constant": three}).constant == 3
    for part in (third, np.float64(1 / 3), ls.Rational(1, 3)):
        assert ls.Atoms((0, 1, 2), (part, part, part)) == ls.Atoms((0.0, 1.0, 2.0))
        assert ls.Setup(clock="unit", parameters={"c": (part, 1)}).ranges["c"] == (1 / 3, 1.0)
    assert ls.Grid.from_times(np.array([2, 1, 0])) == ls.Grid.from_times([2.0, 1.0, 0.0])
