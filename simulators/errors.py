"""Errors of the simulators: bad input, and quantities that have no value."""

from __future__ import annotations

__all__ = ["InputError", "NotDefined"]

LONGEST = 200  # characters of a value that an error prints


class InputError(ValueError):
    """A target, grid or score error that cannot be simulated; the text reads ``name=value: what was
    expected``.
    """

    def __init__(self, name: str, value: object, expected: str) -> None:
        super().__init__(f"{name}={shown(value)}: {expected}")
        self.name = name
        self.value = value
        self.expected = expected


def shown(value: object) -> str:
    """The value on one line, as short as an error can be read."""
    try:
        text = repr(value)
    except ValueError:  # Python prints no integer of more than 4300 digits
        text = f"{type(value).__name__} of thousands of digits"
    text = " ".join(text.split()) if "\n" in text else text
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-LONGEST // 4 :]}"


class NotDefined(ValueError):
    """The quantity has no value for this sampler or law (for instance the path KL of a deterministic
    sampler).
    """
