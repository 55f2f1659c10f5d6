"""Formulas for the page: MathML that any browser draws, and nothing but MathML.

Whatever comes from a record is rebuilt from a short list of presentation elements; anything else falls back
to escaped text.
"""

from __future__ import annotations

import re
from html.entities import html5
from xml.etree import ElementTree

from markupsafe import Markup, escape

__all__ = ["formula"]

ELEMENTS = {
    "math", "mrow", "mi", "mn", "mo", "ms", "mtext", "mspace", "msup", "msub", "msubsup", "mover",
    "munder", "munderover", "mfrac", "msqrt", "mroot", "mstyle", "mpadded", "mphantom", "mtable", "mtr",
    "mtd", "mfenced",
}  # fmt: skip
ATTRIBUTES = {
    "display", "displaystyle", "scriptlevel", "stretchy", "fence", "form", "separator", "lspace", "rspace",
    "width", "height", "depth", "mathvariant", "accent", "accentunder", "linethickness", "columnalign",
    "movablelimits", "largeop", "minsize", "maxsize",
}  # fmt: skip
SAFE_VALUE = re.compile(r"[\w .%+-]{0,40}")
XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})
UPRIGHT = {
    "ExponentialE": "e",
    "ImaginaryI": "i",
    "DifferentialD": "d",
}  # the double-struck letters are missing in most fonts
PRINTED = str.maketrans({"ⅇ": "e", "ⅈ": "i", "ⅆ": "d", "-": "−"})


def formula(latex: str, mathml: str = "", *, display: bool = False, text: str = "") -> Markup:
    """A formula as MathML, from the recorded MathML or else from LaTeX; as code when neither can be read.

    display : whether it stands on a line of its own.
    text    : what is shown when there is no formula (default: the LaTeX source).
    """
    root = _parsed(mathml) if mathml else None
    if root is None and latex:
        root = _parsed(_converted(latex))
    if root is None:
        return Markup("<code>{}</code>").format(text or latex)
    inner = root if root.tag == "math" else ElementTree.Element("math")
    if inner is not root:
        inner.append(root)
    inner.attrib = {"display": "block"} if display else {}
    return Markup(
        ElementTree.tostring(inner, encoding="unicode", short_empty_elements=False)
    )  # every tag, attribute and text went through _safe


def _converted(latex: str) -> str:
    from latex2mathml.converter import convert

    try:
        return str(convert(latex))
    except Exception:  # the converter's errors have no common base; each of them means "not readable"
        return ""


def _parsed(markup: str) -> ElementTree.Element | None:
    """The element tree of some MathML if it is well formed and uses only the known elements."""
    if "<!" in markup or "<?" in markup or not markup:
        return None
    try:
        return _safe(ElementTree.fromstring(re.sub(r"&(\w+);", _character, markup)))
    except ElementTree.ParseError:
        return None


def _character(entity: re.Match[str]) -> str:
    """A named entity that XML does not know, as its character."""
    name = entity.group(1)
    return (
        entity.group()
        if name in XML_ENTITIES
        else str(escape(UPRIGHT.get(name) or html5.get(f"{name};", "\ufffd")))
    )


def _safe(element: ElementTree.Element) -> ElementTree.Element | None:
    tag = element.tag.rpartition("}")[2]
    children = [_safe(child) for child in element]
    if tag not in ELEMENTS or None in children:
        return None
    if tag == "mfenced":  # sympy writes it, browsers no longer draw it
        return _fenced(
            element.get("open", "("),
            element.get("close", ")"),
            [child for child in children if child is not None],
        )
    kept = {
        name: value
        for name, value in element.attrib.items()
        if name in ATTRIBUTES and SAFE_VALUE.fullmatch(value)
    }
    copy = ElementTree.Element(tag, kept)
    copy.text = element.text if tag == "mtext" else (element.text or "").strip().translate(PRINTED)
    copy.extend(child for child in children if child is not None)
    return copy


def _fenced(left: str, right: str, children: list[ElementTree.Element]) -> ElementTree.Element:
    row = ElementTree.Element("mrow")
    ElementTree.SubElement(row, "mo", {"fence": "true", "form": "prefix"}).text = left
    for place, child in enumerate(children):
        if place:
            ElementTree.SubElement(row, "mo", {"separator": "true"}).text = ","
        row.append(child)
    ElementTree.SubElement(row, "mo", {"fence": "true", "form": "postfix"}).text = right
    return row
