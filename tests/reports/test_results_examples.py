"""The examples in the documentation strings run."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

NAMES = ("drawing", "graph", "html", "latex", "markdown", "places", "plots", "vocabulary", "wording")


@pytest.mark.parametrize("name", NAMES)
def test_examples(name: str) -> None:
    outcome = doctest.testmod(import_module(f"reports.{name}"))
    assert outcome.attempted > 0
    assert outcome.failed == 0
