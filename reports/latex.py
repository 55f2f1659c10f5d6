"""A record as a LaTeX table (packages array, booktabs, longtable), ready to be put into an appendix."""

from __future__ import annotations

import re

from reports import wording
from reports.places import SHORT, where
from reports.record import Record, Results

__all__ = ["plain", "render"]

SPECIAL = {
    "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "–": "--",
    "∞": r"$\infty$", "≤": r"$\le$", "≥": r"$\ge$", "≈": r"$\approx$", "≲": r"$\lesssim$", "×": r"$\times$",
}  # fmt: skip
NUMBERS = r"((?<![\w.])-?\d[\d.]*e-?\d+|(?<![\w.)\]])-\d[\d.]*|\bI_\d+)"
HEAD = r"claim & verdict & evidence & constant & worst ratio & where \\"


def plain(text: str) -> str:
    r"""Text that LaTeX prints as it stands; numbers in e-notation, negative ones and I_d are mathematics.

    >>> print(plain("50% of N(-1, I_3), 2e-7"))
    50\% of N($-1$, $I_{3}$), $2 \times 10^{-7}$
    """
    pieces = re.split(NUMBERS, " ".join(text.split()))
    return "".join(_mathematics(piece) if place % 2 else _escape(piece) for place, piece in enumerate(pieces))


def _escape(text: str) -> str:
    kept = "".join(SPECIAL.get(letter, letter) for letter in text)
    return "".join(letter for letter in kept if letter.isprintable())


def _mathematics(piece: str) -> str:
    if piece.startswith("I_"):
        return f"$I_{{{piece[2:]}}}$"
    mantissa, _, exponent = piece.partition("e")
    if not exponent:
        return f"${mantissa}$"
    power = rf"10^{{{exponent}}}"
    return f"${power}$" if mantissa == "1" else rf"${mantissa} \times {power}$"


def render(results: Results) -> str:
    """The table, as LaTeX source to be read with an input command."""
    environment = results["environment"]
    run = f"lesssim {environment['lesssim']}, profile {environment['profile']}, seed {environment['seed']}"
    lines = [
        r"% needs \usepackage{array,booktabs,longtable,amssymb}",
        r"\begingroup\footnotesize\setlength{\tabcolsep}{4pt}",
        r"\newcommand{\ragged}{\raggedright\arraybackslash}",
        r"\begin{longtable}{@{}>{\ragged}p{0.27\linewidth}ll>{\ragged}p{0.11\linewidth}"
        r"r>{\ragged}p{0.26\linewidth}@{}}",
        rf"\caption{{Verdicts ({plain(run)}).}}\\",
        r"\toprule",
        HEAD,
        r"\midrule",
        r"\endhead",
        r"\bottomrule",
        r"\endfoot",
        *(_row(claim) for claim in results["claims"]),
        r"\end{longtable}",
        r"\endgroup",
    ]
    return "\n".join(lines) + "\n"


def _row(claim: Record) -> str:
    verdict = claim["verdict"] if claim["met"] else rf"\textbf{{{claim['verdict']}}}"
    key = re.sub("([-/])", r"\1\\allowbreak{}", plain(claim["key"]))
    cells = (
        rf"\texttt{{{key}}}",
        verdict,
        claim["evidence"],
        plain(f"{wording.constant(claim)} ({claim['constant']['kind']})"),
        plain(wording.ratio(claim)),
        plain(where(claim["worst"] and claim["worst"]["case"], SHORT)),
    )
    return " & ".join(cells) + r" \\"
