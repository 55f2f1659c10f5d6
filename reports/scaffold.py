"""The claim file that ``lesssim new`` writes: valid, commented, and true as it stands."""

from __future__ import annotations

import re
from pathlib import Path

from bounds.errors import ClaimError

__all__ = ["TEMPLATE", "path_of", "text"]

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")

TEMPLATE = '''\
"""One sentence on the claim, and where it stands in your note."""

import lesssim as ls
from lesssim import exp

# Known symbols: d dimension, T horizon, N steps, h largest step, L Lipschitz constant of the score,
# M2 second moment E|x|^2, eps score error in L2, delta early-stopping time, KL0 = KL(target || gamma).
# `lesssim show KEY` shows how the claims of the catalogue use them.
d, T, N, L, M2, eps = ls.symbols("d T N L M2 eps")

claim = ls.Claim(
    key="{key}/thm-1",  # paper/name
    title="KL of the exponential integrator, smooth score",
    # Left side: quantities of named laws. KL(p, q) is the integral of log(dp/dq) under p;
    # "output" is the law that the sampler returns.
    lhs=ls.KL("target", "output"),
    # Right side: a sum of named terms, so that the report can say which one is loose.
    terms={{
        "initialisation": (M2 + d) / (2 * (exp(T) - 1)),
        "score": T * eps**2,
        "discretisation": d * L**2 * T**2 / (2 * N) + d * L * T**3 / (12 * N**2),
    }},
    constant=1,  # a stated number, or "absolute" (hidden behind <~), or "polylog" (hidden in O~)
    assuming=[L >= 1],  # relations between symbols, or class names such as "centred"
    # clock: "half" is dX = -X/2 dt + dB, "unit" is dX = -X dt + sqrt2 dB.
    # sampler: "ddpm-ei" freezes the score over each of N equal steps.
    setup=ls.Setup(clock="half", sampler="ddpm-ei", grid="uniform"),
)
'''


def path_of(name: str) -> Path:
    """The file of a new claim: ``NAME_bound.py``, with a folder in front if the name has one.

    Raises ClaimError for a name that is no name, or whose file exists already.
    """
    folder, _, stem = name.rpartition("/")
    stem = stem.removesuffix(".py").removesuffix("_bound")
    if not NAME.fullmatch(stem):
        raise ClaimError(
            "NAME", name, "letters, digits, - and _, beginning with a letter, such as my-note", "command line"
        )
    path = Path(folder) / f"{stem}_bound.py"
    if path.exists():
        raise ClaimError(
            "NAME", name, f"a name that is not taken; {path} exists and is left as it is", "command line"
        )
    return path


def text(path: Path) -> str:
    """The contents of a new claim file."""
    return TEMPLATE.format(key=path.stem.removesuffix("_bound"))
