"""Models: small worlds with scalar parameters in which every quantity has an exact value.

A claim about a model speaks of its parameters and quantities by name; the numbers are computed elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MODELS", "Model", "ModelQuantity", "Parameter"]


@dataclass(frozen=True)
class Parameter:
    """A scalar that a case of the model may choose: its range, and the scale on which it is drawn."""

    name: str
    low: float
    high: float
    scale: str = "log"
    zero: bool = False
    meaning: str = ""
    latex: str = ""


@dataclass(frozen=True)
class ModelQuantity:
    """A number that the model determines."""

    name: str
    meaning: str = ""
    latex: str = ""
    unit: str = ""
    signed: bool = False


@dataclass(frozen=True)
class Model:
    """A small world: parameters, and quantities that they determine."""

    name: str
    meaning: str
    parameters: tuple[Parameter, ...]
    quantities: tuple[ModelQuantity, ...]


MODELS: dict[str, Model] = {}
