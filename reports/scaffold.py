"""The claim or derivation file that ``lesssim new`` writes: valid, commented, and true as it stands."""

from __future__ import annotations

import re
from pathlib import Path

from bounds.errors import ClaimError

__all__ = ["DERIVATION", "TEMPLATE", "path_of", "text"]

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


DERIVATION = '''\
"""One sentence on what is proved, and where the proof stands in your note."""

import lesssim as ls
from lesssim import exp, sqrt

# The symbols are those of claim files; quantities such as ls.KL("target", "output") may stand in any link.
d, T, h, L, eps, KL0 = ls.symbols("d T h L eps KL0")
path = ls.PathKL("target", "output")
disc = T * (d * L**2 * h + d * L * h**2 / 3)

proof = ls.Derivation(
    key="{key}/thm-1",
    title="KL of the exponential integrator, estimated score",
    start=ls.KL("target", "output"),  # the true quantity
    steps=(
        # Each link says that what stands before it is at most what it names, and why: a key of the
        # catalogue (`lesssim list`) or words, ls.by("Young, factor 2").
        ls.Link("projection", path, "building-blocks/path-projection"),
        # A split bounds a sum; every part can go on with links of its own.
        ls.Split(
            "girsanov",
            {{
                "initialisation": (
                    ls.KL("q_T", "gamma"),
                    (ls.Link("contraction", exp(-2 * T) * KL0, "initialisation/contraction"),),
                ),
                "score": (T * eps**2, ()),
                "discretisation": (disc, ()),
                "cross": (T * h * eps * sqrt(d * L), ()),
            }},
            by=ls.by("the chain rule, Girsanov and Cauchy-Schwarz"),
        ),
        ls.Link(
            "young",
            exp(-2 * T) * KL0 + 2 * T * eps**2 + 2 * disc,
            ls.by("Young: h eps sqrt(d L) <= eps^2 + d L h^2/4"),
        ),
    ),
    assuming=(L >= 1,),  # for every link
    # clock: "half" is dX = -X/2 dt + dB, "unit" is dX = -X dt + sqrt2 dB.
    setup=ls.Setup(clock="unit", sampler="ddpm-ei", score="estimated"),
)
'''
"""The derivation file, with places for the key."""

_TEMPLATES = {"bound": TEMPLATE, "derivation": DERIVATION}


def path_of(name: str, kind: str = "bound") -> Path:
    """The file of a new claim or derivation: ``NAME_bound.py``, with a folder in front if the name has one.

    kind : "bound" or "derivation".
    Raises ClaimError for a name that is no name, or whose file exists already.
    """
    folder, _, stem = name.rpartition("/")
    stem = stem.removesuffix(".py").removesuffix(f"_{kind}")
    if not NAME.fullmatch(stem):
        raise ClaimError(
            "NAME", name, "letters, digits, - and _, beginning with a letter, such as my-note", "command line"
        )
    path = Path(folder) / f"{stem}_{kind}.py"
    if path.exists():
        raise ClaimError(
            "NAME", name, f"a name that is not taken; {path} exists and is left as it is", "command line"
        )
    return path


def text(path: Path, kind: str = "bound") -> str:
    """The contents of a new file of that kind."""
    return _TEMPLATES[kind].format(key=path.stem.removesuffix(f"_{kind}"))
