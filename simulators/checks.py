"""Numbers that users give: finite, whole, one after the other; anything else is an error that names them."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite, nan
from typing import Any

from simulators.errors import InputError

__all__ = ["finite", "finite_numbers", "whole"]


def finite(name: str, value: Any) -> float:
    """The value as a finite float; text is not a number.

    Raises InputError.
    """
    try:
        number = nan if isinstance(value, str) else float(value)
    except (OverflowError, TypeError, ValueError):
        number = nan
    if not isfinite(number):
        raise InputError(name, value, "expected a finite number")
    return number


def finite_numbers(name: str, values: Iterable[Any]) -> tuple[float, ...]:
    """The values as finite floats.

    Raises InputError.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InputError(name, values, "expected finite numbers, such as (1.0, 2.0)")
    return tuple(finite(name, value) for value in values)


def whole(name: str, value: Any) -> int:
    """The value as an integer >= 1.

    Raises InputError.
    """
    if isinstance(value, bool) or not finite(name, value).is_integer() or value < 1:
        raise InputError(name, value, "expected an integer >= 1")
    return int(value)
