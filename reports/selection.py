"""From what was typed to claims: keys, papers and patterns of the catalogue, claim files, and a claim in
options.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bounds.errors import ClaimError, shown

if TYPE_CHECKING:
    from bounds.claim import Claim

__all__ = ["CATALOGUE", "COMMAND_LINE", "Selection", "described", "inline", "near", "planted", "select"]

CATALOGUE = "catalogue"
COMMAND_LINE = "command line"
_OF_THE_SETUP = ("clock", "sampler", "grid", "start", "score", "target", "model")
EXAMPLES = {"lhs": "KL(target, output)", "rhs": "(M2 + d)/(2*(exp(T) - 1))"}


class Selection(NamedTuple):
    """Claims to check with the file each comes from, and the errors of those that could not be read."""

    entries: list[tuple[str, Claim]]
    errors: list[dict[str, str]]


def select(names: Sequence[str], options: Mapping[str, Any] | None = None) -> Selection:
    """The claims that the names and options stand for, each once, in order; without any, the whole catalogue.

    names   : keys ("paper/name"), papers ("paper"), patterns ("*/tv*"), claim files ("my_bound.py") or one
        claim of a file ("my_bound.py::paper/name").
    options : parts of a claim given as options, see `inline`.
    """
    entries: dict[tuple[str, str], Claim] = {}
    errors: list[dict[str, str]] = []
    sources: list[Callable[[], list[tuple[str, Claim]]]] = [partial(_named, name) for name in names]
    sources += [partial(_inline, options)] if options else []
    for source in sources or [_whole]:
        try:
            for file, claim in source():
                entries.setdefault((file, claim.key), claim)
        except ClaimError as error:
            errors.append(described(error))
    return Selection([(file, claim) for (file, _), claim in entries.items()], errors)


def described(error: ClaimError) -> dict[str, str]:
    """A claim error as it is recorded."""
    return {"file": error.file, "field": error.field, "value": shown(error.value), "message": str(error)}


def planted(entries: Iterable[tuple[str, Claim]]) -> list[Claim]:
    """The catalogue's falsehoods that belong to the claims selected from it."""
    keys = {claim.key for file, claim in entries if file == CATALOGUE}
    if not keys:
        return []
    from bounds import catalogue

    return [claim for claim in catalogue.FALSEHOODS if claim.key.partition("!")[0] in keys]


def _whole() -> list[tuple[str, Claim]]:
    from bounds import catalogue

    return [(CATALOGUE, claim) for claim in catalogue.CATALOGUE]


def _named(name: str) -> list[tuple[str, Claim]]:
    if name.partition("::")[0].endswith(".py"):
        return _loaded(name)
    from bounds import catalogue

    claims = catalogue.CATALOGUE
    found = [claim for claim in claims if name in (claim.key, claim.paper) or fnmatchcase(claim.key, name)]
    found = found or [claim for claim in catalogue.FALSEHOODS if claim.key == name]
    if not found and Path(name).exists():
        return _loaded(name)
    if not found:
        raise ClaimError(
            "key",
            name,
            f"a key, paper or pattern of the catalogue, or a .py file{_hint(name, claims)}",
            COMMAND_LINE,
        )
    return [(CATALOGUE, claim) for claim in found]


def _loaded(name: str) -> list[tuple[str, Claim]]:
    from bounds.loading import load

    file, _, key = name.partition("::")
    claims = load(file)
    found = [(file, claim) for claim in claims if key in ("", claim.key)]
    if not found:
        keys = ", ".join(claim.key for claim in claims)
        raise ClaimError("key", key, f"a claim of that file: {keys}", file)
    return found


def _hint(name: str, claims: Iterable[Claim]) -> str:
    """The nearest keys and papers; where none is near, the least distant papers."""
    papers = {claim.paper for claim in claims}
    close = near(name, papers | {claim.key for claim in claims}) or near(name, papers, cutoff=0.0)
    return f"; nearest: {', '.join(close)}"


def near(name: str, known: Iterable[str], cutoff: float = 0.5) -> list[str]:
    """At most three known names: the most alike, then those that contain the name.

    cutoff : how alike they have to be, from 0 (the three most alike, whatever they are) to 1.
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=cutoff)
    close += [other for other in names if name and name.lower() in other.lower() and other not in close]
    return close[:3]


def _inline(options: Mapping[str, Any]) -> list[tuple[str, Claim]]:
    return [(COMMAND_LINE, inline(options))]


def inline(options: Mapping[str, Any]) -> Claim:
    """The claim that is given in options: lhs, rhs and assumptions as text, and every part of its setup.

    Raises ClaimError naming the option.
    """
    from bounds.claim import Claim
    from bounds.formula import parse
    from bounds.setup import Setup

    for name in ("lhs", "rhs"):
        if not (options.get(name) or "").strip():
            raise ClaimError(
                f"--{name}", options.get(name), f"a formula, such as {EXAMPLES[name]!r}", COMMAND_LINE
            )
    setup = {name: options[name] for name in _OF_THE_SETUP if name in options}
    ranges = dict(_range(item) for item in options.get("parameter", ()))
    constant = options.get("constant", "1")
    try:
        return Claim(
            key="command-line/claim",
            lhs=options["lhs"],
            terms={"bound": options["rhs"]},
            relation=options.get("relation", "<="),
            constant=constant if constant in ("absolute", "polylog") else parse(constant, field="constant"),
            assuming=tuple(options.get("assume", ())),
            setup=Setup(**setup, parameters=ranges),
        )
    except ClaimError as error:
        raise ClaimError(_option(error.field), error.value, error.expected, COMMAND_LINE) from error


def _option(field: str) -> str:
    """The option that a field of the claim came from."""
    if field.startswith("setup.parameters['"):
        return f"--parameter {field.split(chr(39))[1]}"
    name = (
        "rhs"
        if field.startswith("terms.")
        else field.removeprefix("setup.").partition("[")[0].partition(".")[0]
    )
    return "--" + {"assuming": "assume", "parameters": "parameter"}.get(name, name)


def _range(item: str) -> tuple[str, tuple[float, float]]:
    name, _, ends = item.partition("=")
    low, _, high = ends.partition(":")
    try:
        return name, (float(low), float(high))
    except ValueError as error:
        raise ClaimError("--parameter", item, "NAME=LOW:HIGH, such as c=0.1:10", COMMAND_LINE) from error
