"""The one error of the bounds package: a claim that cannot be read."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["ClaimError", "nearest"]


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
        return f"{place}{self.field}={self.value!r}: expected {self.expected}"

    def within(self, file: str) -> ClaimError:
        """The same error, located in a file."""
        return ClaimError(self.field, self.value, self.expected, self.file or file)


def nearest(name: str, known: Iterable[str]) -> str:
    """`` (nearest: 'x')`` for the closest known name, or an empty string when nothing is close."""
    candidates = sorted(known)
    matches = [candidate for candidate in candidates if len(name) > 2 and candidate.startswith(name)]
    matches = matches or difflib.get_close_matches(name, candidates, n=1, cutoff=0.5)
    matches = matches or [candidate for candidate in candidates if candidate.lower() == name.lower()]
    return f" (nearest: {matches[0]!r})" if matches else ""
