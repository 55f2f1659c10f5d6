"""What a model is: parameters with ranges, and quantities that they determine."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bounds.errors import ClaimError

__all__ = ["SCALES", "Model", "ModelQuantity", "Parameter"]

SCALES = {
    "log": "drawn evenly in the logarithm",
    "linear": "drawn evenly",
    "integer": "whole numbers, drawn evenly in the logarithm",
    "signed": "of either sign with a size drawn evenly in the logarithm, and zero",
}


@dataclass(frozen=True)
class Parameter:
    """One scalar parameter of a model.

    low, high : range; of the size for scale "signed".
    scale     : one of `SCALES`.
    zero      : whether zero is allowed too (atoms, no error, ...).
    """

    name: str
    low: float
    high: float
    scale: str = "log"
    meaning: str = ""
    latex: str = ""
    zero: bool = False

    def __post_init__(self) -> None:
        _check_name("parameter", self.name)
        if self.scale not in SCALES:
            raise ClaimError(f"parameter {self.name}.scale", self.scale, f"one of {', '.join(SCALES)}")
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise ClaimError(f"parameter {self.name}", (self.low, self.high), "finite numbers low <= high")
        if self.scale in ("log", "signed") and self.low <= 0:
            raise ClaimError(f"parameter {self.name}.low", self.low, "a positive number")

    @property
    def assumptions(self) -> dict[str, bool]:
        """What sympy may assume of the symbol."""
        if self.scale == "integer" and self.low > 0:
            return {"positive": True, "integer": True}
        if self.scale == "signed" or self.low < 0:
            return {"real": True}
        return {"nonnegative": True} if self.zero or self.low == 0 else {"positive": True}


@dataclass(frozen=True)
class ModelQuantity:
    """One quantity of a model; ``signed`` ones may be negative."""

    name: str
    meaning: str
    latex: str
    unit: str = "dimensionless"
    signed: bool = False

    def __post_init__(self) -> None:
        _check_name("quantity", self.name)

    @property
    def assumptions(self) -> dict[str, bool]:
        """What sympy may assume of the symbol."""
        return {"real": True} if self.signed else {"nonnegative": True}


@dataclass(frozen=True)
class Model:
    """A small world: parameters, and the quantities that they determine."""

    name: str
    meaning: str
    parameters: tuple[Parameter, ...]
    quantities: tuple[ModelQuantity, ...]

    def __post_init__(self) -> None:
        names = list(self.names)
        if len(set(names)) < len(names):
            raise ClaimError(f"model {self.name}", names, "different names")
        if not self.parameters or not self.quantities:
            raise ClaimError(f"model {self.name}", names, "at least one parameter and one quantity")

    @property
    def entries(self) -> tuple[Parameter | ModelQuantity, ...]:
        """Parameters and quantities."""
        return (*self.parameters, *self.quantities)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of parameters and quantities."""
        return tuple(item.name for item in self.entries)


def _check_name(field: str, name: str) -> None:
    if not name.isidentifier():
        raise ClaimError(field, name, "a name made of letters, digits and underscores")
