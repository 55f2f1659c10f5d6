"""The LaTeX of a model's names as presentation MathML: scripts, fractions, roots, accents and Greek letters.

A name is a row of atoms, an atom a base with a script or two. Only what names use is known; a command that is
not stays as its own word, which is what the reader of the page would see of it anyway.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

__all__ = ["draw"]

TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[0-9]+(?:\.[0-9]+)?|\S")
GREEK = {"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε"}
GREEK |= {"eta": "η", "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ"}
GREEK |= {"pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "chi": "χ", "psi": "ψ"}
GREEK |= {"omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω"}
SIGNS = {"int": "∫", "sum": "∑", "prod": "∏", "partial": "∂", "nabla": "∇", "infty": "∞", "ge": "≥"}
SIGNS |= {"le": "≤", "|": "‖", "{": "{", "}": "}", "cdot": "·", "in": "∈"}
ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~"}
SILENT = frozenset({"left", "right", ",", ";", "!", " "})


def draw(latex: str, element: Callable[[str], Any], text: Callable[[str], Any]) -> Any:
    """The element tree of a name.

    element, text : make an element of a tag, and a text node; from xml.dom.minidom, for instance.

    >>> from xml.dom.minidom import Document
    >>> dom = Document()
    >>> draw(r"|e|_m^2", dom.createElement, dom.createTextNode).toxml()
    '<mrow><mo>|</mo><mi>e</mi><msubsup><mo>|</mo><mi>m</mi><mn>2</mn></msubsup></mrow>'
    """
    return _Reader(latex, element, text).row(closing=False)


class _Reader:
    """One pass over the tokens of a name."""

    def __init__(self, latex: str, element: Callable[[str], Any], text: Callable[[str], Any]) -> None:
        self.tokens, self.place = TOKEN.findall(latex), 0
        self.element, self.text = element, text

    def row(self, *, closing: bool) -> Any:
        """Atoms up to the end, or up to a closing brace; one atom stands alone."""
        atoms = []
        while self.place < len(self.tokens):
            if closing and self._peek() == "}":
                break
            atom = self._scripted()
            if atom is not None:
                atoms.append(atom)
        self.place += closing
        return atoms[0] if len(atoms) == 1 else self._holding("mrow", *atoms)

    def _peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self.place += 1
        return token

    def _scripted(self) -> Any:
        """An atom with its primes, subscript and superscript."""
        base = self._atom()
        if base is None:
            return None
        below: Any = None
        above: list[Any] = []
        while self._peek() in ("_", "^", "'"):
            mark = self._next()
            if mark == "_":
                below = self._argument()
            else:
                above.append(self._leaf("mo", "′") if mark == "'" else self._argument())
        if below is None and not above:
            return base
        scripts = [] if below is None else [below]
        if above:
            scripts.append(above[0] if len(above) == 1 else self._holding("mrow", *above))
        tag = "msubsup" if below is not None and above else "msub" if below is not None else "msup"
        return self._holding(tag, base, *scripts)

    def _argument(self) -> Any:
        """What a script or a command takes: a group in braces, or one atom, of a number one digit."""
        token = self._peek()
        if token[:1].isdigit() and len(token) > 1:
            self.tokens[self.place : self.place + 1] = [token[0], token[1:]]
        found = self._atom()
        return self._holding("mrow") if found is None else found

    def _atom(self) -> Any:
        token = self._next()
        if token == "{":
            return self.row(closing=True)
        if token.startswith("\\"):
            return self._command(token[1:])
        if token[0].isdigit():
            return self._leaf("mn", token)
        return self._leaf("mi" if token.isalpha() else "mo", "−" if token == "-" else token)

    def _command(self, name: str) -> Any:
        if name in SILENT:
            return None
        if name in ("frac", "tfrac"):
            return self._holding("mfrac", self._argument(), self._argument())
        if name == "sqrt":
            return self._holding("msqrt", self._argument())
        if name in ACCENTS:
            return self._holding("mover", self._argument(), self._leaf("mo", ACCENTS[name]))
        if name == "mathrm":
            return self._upright()
        if name in SIGNS:
            return self._leaf("mo", SIGNS[name])
        return self._leaf("mi", GREEK.get(name, name))

    def _upright(self) -> Any:
        """The letters of a group, or one letter, as one word; a letter alone is upright by its attribute."""
        word = self._next()
        if word == "{":
            word = ""
            while self._peek() not in ("}", ""):
                word += self._next().removeprefix("\\")
            self._next()
        node = self._leaf("mi", word)
        node.setAttribute("mathvariant", "normal")
        return node

    def _holding(self, tag: str, *children: Any) -> Any:
        node = self.element(tag)
        for child in children:
            node.appendChild(child)
        return node

    def _leaf(self, tag: str, content: str) -> Any:
        return self._holding(tag, self.text(content))
