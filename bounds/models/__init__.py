"""Models: small worlds with scalar parameters in which every quantity has an exact value.

A claim about a model names its parameters and its quantities as symbols. The vocabulary is here; the numbers
are computed elsewhere. A name means one thing in all models, and what it means in `bounds.notation` if it is
known there.
"""

from __future__ import annotations

from collections.abc import Iterable

from bounds.errors import ClaimError
from bounds.models.convergence import CONVERGENCE_MODELS
from bounds.models.learning import LEARNING_MODELS
from bounds.models.model import SCALES, Model, ModelQuantity, Parameter

__all__ = ["MODELS", "MODEL_SYMBOLS", "SCALES", "Model", "ModelQuantity", "Parameter"]

MODELS: dict[str, Model] = {model.name: model for model in (*LEARNING_MODELS, *CONVERGENCE_MODELS)}
"""Every model by name."""


def _symbols(models: Iterable[Model]) -> dict[str, dict[str, bool]]:
    """Assumptions by name; raises ClaimError where two models disagree."""
    table: dict[str, dict[str, bool]] = {}
    for model in models:
        for item in model.entries:
            known = table.setdefault(item.name, item.assumptions)
            if known != item.assumptions:
                raise ClaimError(
                    f"model {model.name}.{item.name}", item.assumptions, f"{known}, as elsewhere"
                )
    return table


MODEL_SYMBOLS: dict[str, dict[str, bool]] = _symbols(MODELS.values())
"""What sympy may assume of every name of a model."""
