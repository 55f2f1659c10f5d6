"""Any case from its plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from properties.cases import Case
from properties.trials.models import ModelCase

__all__ = ["read_case"]


def read_case(data: Any) -> Any:
    """The case of a record: of a model, or of a target and a sampler.

    Raises ClaimError naming the field that is missing or wrong.
    """
    if isinstance(data, Mapping) and "model" in data:
        return ModelCase.from_dict(data)
    return Case.from_dict(data)
