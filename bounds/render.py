"""Print forms of formulas: LaTeX, presentation MathML, and text that `bounds.formula.parse` reads back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from html import unescape

import sympy as sp
from sympy.printing.mathml import MathMLPresentationPrinter
from sympy.printing.str import StrPrinter

from bounds.frozen import FrozenMapping
from bounds.letters import draw
from bounds.notation import latex_names
from bounds.quantity import LAW_LATEX, Quantity

__all__ = ["latex", "mathml", "text"]

_MATH_LETTERS = {
    r"\gamma": "γ",
    r"\delta": "δ",
    r"\kappa": "κ",
    r"\alpha": "α",
    r"\eta": "η",
    r"\varepsilon": "ε",
    r"\Delta": "Δ",
}
_SEPARATORS = {"KL": "∥", "chi2": "∥", "PathKL": "∥", "FI": "|"}


def latex(expr: sp.Basic, letters: Mapping[str, str] = FrozenMapping()) -> str:
    """LaTeX of an expression or relation, in the notation's letters and those given by name."""
    own = {s: f"{{{letters[s.name]}}}" for s in expr.atoms(sp.Symbol) if s.name in letters}
    result: str = sp.latex(expr, symbol_names=latex_names(expr) | own, order="none")
    return result


@lru_cache(maxsize=1 << 12)
def text(expr: sp.Basic) -> str:
    """Formula text that parses back to the same expression."""
    if isinstance(expr, sp.Eq):
        return f"{text(expr.lhs)} == {text(expr.rhs)}"
    return str(_Text().doprint(expr))


class _Text(StrPrinter):
    """sympy's text, with e as exp(1): a parameter may be named E."""

    def _print_Exp1(self, expr: sp.Basic) -> str:
        return "exp(1)"


class _Presentation(MathMLPresentationPrinter):
    """sympy's presentation printer, with the field's names for symbols, laws and quantities."""

    letters: Mapping[str, str] = FrozenMapping()

    def _printmethod_quantity(self, expr: Quantity) -> object:
        row = self.dom.createElement("mrow")
        row.appendChild(self._head(expr.spec.name))
        fence = self.dom.createElement("mrow")
        fence.appendChild(self._token("mo", "("))
        for index, item in enumerate(expr.args):
            if index:
                fence.appendChild(self._token("mo", _SEPARATORS.get(expr.spec.name, ",")))
            fence.appendChild(self._law(item))
        fence.appendChild(self._token("mo", ")"))
        row.appendChild(fence)
        return row

    def _head(self, name: str) -> object:
        if name == "PathKL":
            return self._script("msub", self._token("mi", "KL"), self._token("mtext", "path"))
        if name == "W2":
            return self._script("msub", self._token("mi", "W"), self._token("mn", "2"))
        if name == "M2":
            return self._script("msub", self._token("mi", "M"), self._token("mn", "2"))
        if name == "chi2":
            return self._script("msup", self._token("mi", "χ"), self._token("mn", "2"))
        return self._token("mi", name)

    def _law(self, item: sp.Basic) -> object:
        if item.args:
            return self._script("msub", self._token("mi", "q"), self._print(item.args[0]))
        return self._from_latex(LAW_LATEX[str(item)])

    def _from_latex(self, name: str) -> object:
        base, _, sub = name.partition("_")
        letter = self._token("mi", _MATH_LETTERS.get(base, base.replace(" ", "")))
        sub = sub.strip("{}")
        return self._script("msub", letter, self._token("mi", _MATH_LETTERS.get(sub, sub))) if sub else letter

    def _token(self, tag: str, content: str) -> object:
        node = self.dom.createElement(tag)
        node.appendChild(self.dom.createTextNode(content))
        return node

    def _script(self, tag: str, base: object, script: object) -> object:
        node = self.dom.createElement(tag)
        node.appendChild(base)
        node.appendChild(script)
        return node

    def _print_Symbol(self, sym: sp.Symbol, style: str = "plain") -> object:
        if sym.name in self.letters:
            return draw(self.letters[sym.name], self.dom.createElement, self.dom.createTextNode)
        pieces = _SYMBOL_MATHML.get(sym.name)
        if pieces is None:
            return self._token("mi", sym.name)
        base, sub, sup = pieces
        node = self._token("mi", base)
        if sub and sup:
            both = self._script("msubsup", node, self._token("mi", sub))
            both.appendChild(self._token("mn", sup))  # type: ignore[attr-defined]
            return both
        if sub:
            return self._script("msub", node, self._token("mi", sub))
        return node


_SYMBOL_MATHML: dict[str, tuple[str, str, str]] = {
    "delta": ("δ", "", ""),
    "friction": ("γ", "f", ""),
    "h_corr": ("h", "corr", ""),
    "eta": ("η", "", ""),
    "sep": ("Δ", "", ""),
    "kappa": ("κ", "", ""),
    "alpha": ("α", "", ""),
    "eps": ("ε", "", ""),
    "tol": ("ε", "tol", ""),
    "M2": ("M", "2", ""),
    "m0sq": ("|m₀|²", "", ""),
    "KL0": ("KL", "0", ""),
    "FI0": ("I", "0", ""),
    "J0": ("J", "0", ""),
    "W20": ("W", "2,0", ""),
}

for _quantity in Quantity.__subclasses__():
    setattr(_Presentation, f"_print_{_quantity.__name__}", _Presentation._printmethod_quantity)


_ENTITY = re.compile(r"&(?!(?:lt|gt|amp|quot|apos);)[A-Za-z]+;")
"""Entities that HTML knows and XML does not."""


def mathml(expr: sp.Basic, letters: Mapping[str, str] = FrozenMapping()) -> str:
    """Presentation MathML of an expression or relation, as one ``<math>`` element; see `latex`."""
    printer = _Presentation({"disable_split_super_sub": True})
    printer.letters = letters
    body = _ENTITY.sub(lambda match: unescape(match.group()), printer.doprint(expr))
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML"><mrow>{body}</mrow></math>'
