"""The record of results: read, checked, and written in one canonical form.

A record is plain JSON data (`results.schema.json`, schema ``lesssim.results/1``). Every renderer is a pure
function of it. Canonical: sorted keys, shortest float repr, ``-0.0`` as ``0.0``, infinities as the strings
``"inf"`` and ``"-inf"``; NaN is refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from numbers import Integral, Real
from pathlib import Path
from typing import Any, NoReturn

from reports.vocabulary import OPEN, VERDICTS

__all__ = [
    "FORMAT", "Record", "RecordError", "Results", "canonical", "conforms", "counts", "dump", "exit_code",
    "falsehoods", "load", "number", "read_json", "schema", "validate", "validate_claim", "wrong",
]  # fmt: skip

FORMAT = "lesssim.results/1"
INFINITIES = {"inf": math.inf, "-inf": -math.inf}

Record = dict[str, Any]
"""One claim's record."""
Results = dict[str, Any]
"""The whole record of a run."""


class RecordError(ValueError):
    """A file of results that cannot be used; the text reads ``FILE: FIELD=VALUE: expected ...``."""

    def __init__(self, file: str, field: str, value: str, expected: str) -> None:
        shown = value if len(value) <= 80 else value[:77] + "..."
        super().__init__(f"{file}: {field}={shown}: expected {expected}")
        self.file, self.field, self.value, self.expected = file, field, value, expected


def number(value: float | str) -> float:
    """A recorded number as a float: the strings ``inf`` and ``-inf`` are infinities."""
    return INFINITIES[value] if isinstance(value, str) else float(value)


def canonical(value: Any, field: str = "results", file: str = "record") -> Any:
    """The value with sorted keys and every number in canonical form.

    Raises RecordError for NaN and for values that JSON cannot carry.
    """
    try:
        return _canonical(value)
    except _Unfit as unfit:
        raise RecordError(
            file, field + unfit.path, repr(unfit.value), "a number, a string, a list or a table"
        ) from None


class _Unfit(ValueError):
    """A value that JSON cannot carry, and the path to it."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value, self.path = value, ""


def _canonical(value: Any) -> Any:
    if type(value) is float:
        if math.isfinite(value):
            return value + 0.0
    elif value is None or isinstance(value, str | bool):
        return value
    elif isinstance(value, Mapping):
        return {str(key): _entry(value[key], f".{key}") for key in sorted(value)}
    elif isinstance(value, Sequence):
        return [_entry(item, place) for place, item in enumerate(value)]
    elif isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real) and not math.isnan(value):
        real = float(value)
        return real + 0.0 if math.isfinite(real) else ("inf" if real > 0 else "-inf")
    raise _Unfit(value)


def _entry(value: Any, place: int | str) -> Any:
    try:
        return _canonical(value)
    except _Unfit as unfit:
        unfit.path = (place if isinstance(place, str) else f"[{place}]") + unfit.path
        raise


def dump(value: Any) -> str:
    """Canonical JSON text, ending in a newline; the same value gives the same bytes."""
    return _lines(canonical(value), "\n") + "\n"


def _lines(value: Any, newline: str) -> str:
    """Canonical data as JSON, one entry a line; a list or table of plain values stays on one line."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if not any(isinstance(item, dict | list) for item in items):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    inner = newline + " "
    if isinstance(value, list):
        return "[" + inner + f",{inner}".join(_lines(item, inner) for item in value) + newline + "]"
    pairs = (f"{json.dumps(key, ensure_ascii=False)}: {_lines(value[key], inner)}" for key in value)
    return "{" + inner + f",{inner}".join(pairs) + newline + "}"


def read_json(path: str | Path, writer: str = "verify") -> Any:
    """The JSON value of a file.

    writer : the command that writes such files, named where the file does not exist.
    Raises RecordError, in one line, when the file is missing, unreadable, truncated or not JSON.
    """
    file = str(path)

    def refuse(literal: str) -> NoReturn:
        raise RecordError(
            file, "content", literal, 'finite numbers (infinities are the strings "inf" and "-inf")'
        )

    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        hint = f"; `lesssim {writer}` writes one" if isinstance(error, FileNotFoundError) else ""
        expected = f"a readable JSON file ({error.strerror}){hint}"
        raise RecordError(file, "file", repr(file), expected) from error
    except UnicodeDecodeError as error:
        raise RecordError(
            file, "content", f"byte {error.start} is not UTF-8", "JSON text in UTF-8"
        ) from error
    try:
        return json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno} ({error.msg})"
        hint = "complete JSON; the file seems truncated" if error.pos >= len(text.rstrip()) else "JSON"
        raise RecordError(file, "content", place, hint) from error
    except RecursionError as error:
        raise RecordError(file, "content", "nested too deeply", "JSON of ordinary depth") from error


@cache
def schema() -> dict[str, Any]:
    """The published JSON Schema (2020-12) of the record."""
    text = files("reports").joinpath("results.schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def validate(results: Any, file: str = "results") -> Results:
    """The results, once they satisfy the schema.

    Raises RecordError naming the first offending field, its value and what was expected.
    """
    conforms(results, schema(), file)
    return dict(results)


def validate_claim(claim: Any, file: str = "results") -> Record:
    """One claim's record, once it satisfies its part of the schema.

    Raises RecordError as `validate` does.
    """
    conforms(claim, {"$ref": "#/$defs/claim", "$defs": schema()["$defs"]}, file)
    return dict(claim)


def conforms(data: Any, rules: Mapping[str, Any], file: str) -> None:
    """Nothing, if the data satisfy a JSON Schema.

    Raises RecordError naming the first offending field, its value and what was expected.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    error = best_match(Draft202012Validator(rules).iter_errors(data))
    if error is None:
        return
    field = "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path
    ).lstrip(".")
    if error.parent is not None and error.parent.validator == "anyOf":
        error = error.parent
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        raise RecordError(file, f"{field}.{missing}".lstrip("."), "(missing)", "a value")
    raise RecordError(
        file, field or "content", repr(error.instance), _expected(error.validator, error.validator_value)
    )


def _expected(rule: str, wanted: Any) -> str:
    match rule:
        case "const":
            return repr(wanted)
        case "enum":
            return f"one of {', '.join(map(str, wanted))}"
        case "type":
            return " or ".join([wanted] if isinstance(wanted, str) else wanted)
        case "anyOf":
            return 'a number, or the string "inf" or "-inf"'
        case _:
            return f"{rule} {wanted}"


def load(path: str | Path) -> Results:
    """The results in a file, checked against the schema.

    Raises RecordError, in one line.
    """
    return validate(read_json(path), str(path))


def counts(claims: Iterable[Record]) -> dict[str, int]:
    """How many claims have each verdict, in the order of the vocabulary, without the empty ones."""
    verdicts = [claim["verdict"] for claim in claims]
    return {verdict: verdicts.count(verdict) for verdict in VERDICTS if verdict in verdicts}


def falsehoods(claims: Iterable[Record]) -> tuple[int, int]:
    """How many planted falsehoods were refused, and how many were planted."""
    planted = [falsehood for claim in claims for falsehood in claim["falsehoods"]]
    return sum(bool(falsehood["refused"]) for falsehood in planted), len(planted)


def wrong(claim: Record) -> bool:
    """Whether the claim failed: its expectation is not met, and the verdict is not merely open.

    A claim with no effective case fails whatever its verdict.
    """
    empty = claim["cases"].get("admissible", claim["cases"]["tried"]) == 0 and claim["evidence"] != "proved"
    return not claim["met"] and (empty or claim["verdict"] not in OPEN)


def exit_code(results: Results, *, strict: bool = False) -> int:
    """0 all met, 1 some claim failed, 2 some claim could not be read, 3 something is open and ``strict``."""
    if results.get("errors"):
        return 2
    if any(wrong(claim) for claim in results["claims"]):
        return 1
    unsettled = any(
        claim["verdict"] in OPEN and claim["verdict"] != claim["expected"] for claim in results["claims"]
    )
    return 3 if strict and unsettled else 0
