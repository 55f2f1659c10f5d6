"""Names of models as MathML: structure, not a flat word, and nothing of the LaTeX left over."""

from __future__ import annotations

from xml.dom.minidom import Document
from xml.etree import ElementTree

import pytest

from bounds.catalogue import find
from bounds.letters import draw
from bounds.models import MODELS

NAMES = sorted({entry.latex for model in MODELS.values() for entry in model.entries})


def drawn(latex: str) -> str:
    dom = Document()
    return str(draw(latex, dom.createElement, dom.createTextNode).toxml())


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"\delta_f", "<msub><mi>δ</mi><mi>f</mi></msub>"),
        (r"\hat v", "<mover><mi>v</mi><mo>^</mo></mover>"),
        (r"\tfrac12\|f\|^2", "<mfrac><mn>1</mn><mn>2</mn></mfrac>"),
        ("S''(x)", "<msup><mi>S</mi><mrow><mo>′</mo><mo>′</mo></mrow></msup>"),
        (r"\mathrm{KL}_{ode}^{q_N}", '<msubsup><mi mathvariant="normal">KL</mi>'),
        (r"\sqrt{2\log x}", "<msqrt><mrow><mn>2</mn><mi>log</mi><mi>x</mi></mrow></msqrt>"),
        (r"\int_0^\infty a", "<msubsup><mo>∫</mo><mn>0</mn><mo>∞</mo></msubsup><mi>a</mi>"),
        (r"\mathrm E|X|", '<mi mathvariant="normal">E</mi><mo>|</mo>'),
        (r"1-\alpha", "<mn>1</mn><mo>−</mo><mi>α</mi>"),
    ],
)
def test_structure(latex: str, expected: str) -> None:
    assert expected in drawn(latex)


def test_a_script_without_braces_takes_one_digit() -> None:
    assert drawn("x_{12}") == "<msub><mi>x</mi><mn>12</mn></msub>"
    assert drawn("x_12") == "<mrow><msub><mi>x</mi><mn>1</mn></msub><mn>2</mn></mrow>"


@pytest.mark.parametrize("latex", NAMES)
def test_every_name_of_every_model_is_read(latex: str) -> None:
    found = drawn(latex)
    assert not set("\\{}_$") & set(found)
    root = ElementTree.fromstring(found)
    letters = [node.text or "" for node in root.iter() if node.tag == "mi"]
    assert all(word.isalpha() for word in letters)
    assert ("_" in latex) == ("<msub" in found)


def test_formulas_of_models_hold_them() -> None:
    page = find("vargas-2023/foellmer-energy").mathml()
    assert "<mfrac>" in page
    assert "<msubsup>" in page
