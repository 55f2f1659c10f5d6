"""The symbols of the field: one sympy Symbol per quantity, with meaning, unit, domain and print form.

A symbol's assumptions are part of its identity in sympy, so symbols are always made here: ``symbols("d T
N")``. Names that are not in `NOTATION` are parameters of the user's own; a claim that uses one must state its
range.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from bounds.errors import ClaimError

__all__ = ["NOTATION", "Notation", "is_known", "latex_names", "symbol", "symbols"]


@dataclass(frozen=True)
class Notation:
    """One entry of the notation.

    name    : as typed in claim files.
    latex   : as printed.
    meaning : one clause.
    unit    : "time", "count", "nats", "length", "1/length^2", ... of the claim's own clock.
    domain  : "positive", "nonnegative", "positive integer" or "real".
    role    : "parameter" (drawn by the case generator) or "measured" (computed from the case).
    """

    name: str
    latex: str
    meaning: str
    unit: str
    domain: str = "positive"
    role: str = "measured"

    @property
    def symbol(self) -> sp.Symbol:
        """The sympy symbol, with the assumptions of the domain."""
        return _make(self.name, self.domain)


def _make(name: str, domain: str) -> sp.Symbol:
    match domain:
        case "positive":
            return sp.Symbol(name, positive=True)
        case "nonnegative":
            return sp.Symbol(name, nonnegative=True)
        case "positive integer":
            return sp.Symbol(name, positive=True, integer=True)
        case _:
            return sp.Symbol(name, real=True)


def _table(*entries: Notation) -> dict[str, Notation]:
    return {entry.name: entry for entry in entries}


NOTATION: dict[str, Notation] = _table(
    Notation("d", "d", "dimension", "count", "positive integer", "parameter"),
    Notation("T", "T", "horizon of the forward process", "time", "positive", "parameter"),
    Notation("N", "N", "number of steps", "count", "positive integer", "parameter"),
    Notation(
        "delta",
        r"\delta",
        "early-stopping time (0 where the sampler runs to the data)",
        "time",
        "nonnegative",
        "parameter",
    ),
    Notation("t", "t", "an explicit forward time", "time", "positive", "parameter"),
    Notation("s", "s", "an explicit forward time, before t", "time", "positive", "parameter"),
    Notation(
        "a", "a", "curvature of a quadratic potential, of either sign", "1/length^2", "real", "parameter"
    ),
    Notation(
        "tol",
        r"\varepsilon_{\mathrm{tol}}",
        "accuracy asked for",
        "as the left side",
        "positive",
        "parameter",
    ),
    Notation(
        "friction",
        r"\gamma_{\mathrm{f}}",
        "friction of the underdamped dynamics",
        "1/time",
        "positive",
        "parameter",
    ),
    Notation("h_corr", r"h_{\mathrm{corr}}", "step of the corrector", "time", "positive", "parameter"),
    Notation("v", "v", "variance of an isotropic Gaussian target", "length^2", "positive", "parameter"),
    Notation(
        "R", "R", "radius of a ball that holds the support of the target", "length", "positive", "parameter"
    ),
    Notation(
        "eta", r"\eta", "weight of the minor component of a target", "dimensionless", "positive", "parameter"
    ),
    Notation(
        "sep", r"\Delta", "distance between the two means of a target", "length", "positive", "parameter"
    ),
    Notation("h", "h", "largest step of the grid", "time", "positive"),
    Notation(
        "kappa",
        r"\kappa",
        "least number with h_k <= kappa min(1, forward time after step k), in the claim's clock",
        "dimensionless",
    ),
    Notation(
        "L",
        "L",
        "Lipschitz constant of the score of q_t, supremum over the forward times the claim uses",
        "1/length^2",
    ),
    Notation(
        "alpha", r"\alpha", "strong log-concavity (and log-Sobolev) constant of the target", "1/length^2"
    ),
    Notation("M2", "M_2", "second moment E|x|^2 of the target (not its root)", "length^2", "nonnegative"),
    Notation("m0sq", r"|m_0|^2", "squared norm of the mean of the target", "length^2", "nonnegative"),
    Notation("KL0", r"\mathrm{KL}_0", "KL(target || gamma)", "nats", "nonnegative"),
    Notation(
        "FI0",
        r"I_0",
        "relative Fisher information of the target with respect to gamma",
        "1/length^2",
        "nonnegative",
    ),
    Notation("J0", "J_0", "score energy E|grad log q|^2 of the target", "1/length^2", "nonnegative"),
    Notation("W20", r"W_{2,0}", "W2(target, gamma)", "length", "nonnegative"),
    Notation(
        "eps",
        r"\varepsilon",
        "score error in L2 under the law and with the average that the setup names",
        "1/length",
        "nonnegative",
    ),
)
"""Every known symbol by name."""

_SYMBOLS = {name: entry.symbol for name, entry in NOTATION.items()}


def is_known(name: str) -> bool:
    """Whether the name belongs to the notation (otherwise it is a user's parameter)."""
    return name in NOTATION


def symbol(name: str) -> sp.Symbol:
    """The symbol of that name: the known one, or a real parameter of the user.

    Raises ClaimError if the name is not an identifier.
    """
    if not isinstance(name, str) or not name.isidentifier():
        raise ClaimError("symbol", name, "a name made of letters, digits and underscores")
    return _SYMBOLS[name] if name in _SYMBOLS else sp.Symbol(name, real=True)


def symbols(names: str) -> tuple[sp.Symbol, ...]:
    """Symbols by name, separated by blanks or commas.

    >>> symbols("d T eps")
    (d, T, eps)
    """
    if not isinstance(names, str):
        raise ClaimError("symbols", names, "names separated by blanks, such as 'd T eps'")
    return tuple(symbol(name) for name in names.replace(",", " ").split())


def latex_names(expr: sp.Basic) -> dict[sp.Symbol, str]:
    """How the known symbols of an expression are printed in LaTeX."""
    return {s: NOTATION[s.name].latex for s in expr.atoms(sp.Symbol) if s.name in NOTATION}
