"""The one error of the bounds package: a claim that cannot be read."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["ClaimError", "chosen", "nearest", "shown"]

MOST_NAMES = 20  # that an error lists
LONGEST = 200  # characters of a value that an error prints


class ClaimError(ValueError):
    """A malformed claim: names the file, the field, the value and what would have been right.

    field    : dotted place in the claim, such as ``setup.clock`` or ``terms.score``.
    value    : the offending value, as the user wrote it.
    expected : what would have been right, a clause without a final stop.
    file     : path as the user gave it, or "" for claims built in memory.
    """

    def __init__(self, field: str, value: object, expected: str, file: str = "") -> None:
        super().__init__(field, value, expected, file)
        self.field = field
        self.value = value
        self.expected = expected
        self.file = file

    def __str__(self) -> str:
        place = f"{self.file}: " if self.file else ""
        return f"{place}{self.field}={shown(self.value)}: expected {self.expected}"

    def within(self, file: str) -> ClaimError:
        """The same error, located in a file."""
        return ClaimError(self.field, self.value, self.expected, self.file or file)


def chosen(field: str, value: object, known: Iterable[str]) -> str:
    """The value, one of the known names; raises ClaimError with the nearest of them."""
    names = list(known)
    if not isinstance(value, str) or value not in names:
        more = f", ... ({len(names)} in all)" if len(names) > MOST_NAMES else ""
        raise ClaimError(field, value, f"one of {', '.join(names[:MOST_NAMES])}{more}{nearest(value, names)}")
    return value


def shown(value: object) -> str:
    """The value on one line, as short as an error can be read."""
    try:
        text = repr(value)
    except ValueError:  # Python prints no integer of more than 4300 digits
        text = f"{type(value).__name__} of thousands of digits"
    text = " ".join(text.split()) if "\n" in text else text
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-LONGEST // 4 :]}"


def nearest(name: object, known: Iterable[str]) -> str:
    """`` (nearest: 'x')`` for the closest known name, or an empty string when nothing is close."""
    if not isinstance(name, str):
        return ""
    candidates = sorted(known)
    matches = [candidate for candidate in candidates if len(name) > 2 and candidate.startswith(name)]
    matches = matches or difflib.get_close_matches(name, candidates, n=1, cutoff=0.5)
    matches = matches or [candidate for candidate in candidates if candidate.lower() == name.lower()]
    return f" (nearest: {matches[0]!r})" if matches else ""
