"""Errors of the simulators: bad input, and quantities that have no value."""

from __future__ import annotations

__all__ = ["InputError", "NotDefined"]


class InputError(ValueError):
    """A target, grid or score error that cannot be simulated; the text reads ``name=value: what was
    expected``.
    """

    def __init__(self, name: str, value: object, expected: str) -> None:
        super().__init__(f"{name}={value!r}: {expected}")
        self.name = name
        self.value = value
        self.expected = expected


class NotDefined(ValueError):
    """The quantity has no value for this sampler or law (for instance the path KL of a deterministic
    sampler).
    """
