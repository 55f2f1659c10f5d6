"""The vocabulary of the models: consistent with itself, with the notation, and with the numerics."""

from __future__ import annotations

import pytest

from bounds.errors import ClaimError
from bounds.models import MODEL_SYMBOLS, MODELS, Model, ModelQuantity, Parameter, _symbols
from bounds.notation import NOTATION
from bounds.quantity import LAWS, STEP
from simulators.models import MODELS as NUMERICS

ASSUMPTIONS = {
    "positive": {"positive": True},
    "nonnegative": {"nonnegative": True},
    "real": {"real": True},
    "positive integer": {"positive": True, "integer": True},
}
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)


def test_the_same_models():
    assert set(MODELS) == set(NUMERICS)
    assert all(name == model.name for name, model in MODELS.items())


@every_model
def test_the_same_quantities(model):
    numerics = NUMERICS[model.name]
    assert {item.name for item in model.quantities} == set(numerics.quantities)
    assert set(numerics.balls) | set(numerics.integrals) == set(numerics.other)
    assert not set(numerics.balls) & set(numerics.integrals)


@every_model
def test_the_same_whole_numbers(model):
    whole = {item.name for item in model.parameters if item.scale == "integer"}
    assert whole == set(NUMERICS[model.name].integers)


@every_model
def test_everything_is_explained(model):
    assert model.meaning
    for item in model.entries:
        assert item.meaning
        assert item.latex
        assert item.latex.count("{") == item.latex.count("}")


def test_names_mean_what_the_notation_says():
    for name, assumptions in MODEL_SYMBOLS.items():
        assert name not in LAWS
        assert name not in STEP
        if name in NOTATION:
            assert assumptions == ASSUMPTIONS[NOTATION[name].domain], name


def test_two_models_may_not_disagree():
    one = ModelQuantity("q1", "a number", "q")
    models = (
        Model("first", "a world", (Parameter("p1", 0.1, 1),), (one,)),
        Model("second", "a world", (Parameter("p1", 0.1, 1, "signed"),), (one,)),
    )
    with pytest.raises(ClaimError, match=r"model second\.p1"):
        _symbols(models)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": "logarithmic"}, "one of log, linear"),
        ({"low": 0.0}, "a positive number"),
        ({"low": 2.0}, "low <= high"),
        ({"high": float("inf")}, "finite numbers"),
        ({"name": "two words"}, "letters, digits and underscores"),
    ],
)
def test_bad_parameters(changes, message):
    with pytest.raises(ClaimError, match=message):
        Parameter(**{"name": "p", "low": 0.1, "high": 1.0, **changes})


def test_bad_models():
    one, quantity = Parameter("p", 0.1, 1), ModelQuantity("q1", "a number", "q")
    with pytest.raises(ClaimError, match="different names"):
        Model("m", "a world", (one, one), (quantity,))
    with pytest.raises(ClaimError, match="at least one"):
        Model("m", "a world", (one,), ())
    with pytest.raises(ClaimError, match="letters"):
        ModelQuantity("not a name", "a number", "q")


def test_assumptions():
    assert Parameter("p", 0.1, 1).assumptions == {"positive": True}
    assert Parameter("p", 0.1, 1, zero=True).assumptions == {"nonnegative": True}
    assert Parameter("p", -1, 1, "linear").assumptions == {"real": True}
    assert Parameter("p", 0.1, 1, "signed").assumptions == {"real": True}
    assert Parameter("p", 1, 9, "integer").assumptions == {"positive": True, "integer": True}
