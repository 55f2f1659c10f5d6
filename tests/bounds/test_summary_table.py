"""The summary table: six rows, every key in the catalogue, and none that is expected to fail."""

from __future__ import annotations

import pytest

from bounds.catalogue import find
from bounds.errors import ClaimError
from bounds.summary_table import SUMMARY, Row


def test_six_rows_with_known_keys() -> None:
    assert len(SUMMARY) == 6
    for row in SUMMARY:
        for key in row.claims:
            assert find(key).expect in ("bounded", "holds"), key


def test_step_counts_name_the_parameters_of_their_claims() -> None:
    for row in SUMMARY:
        names = {s.name for key in row.claims for s in find(key).symbols} | {"eps", "N"}
        assert {word for word in ("L", "d", "delta") if f"{word}" in row.steps.replace("log", "")} <= names


@pytest.mark.parametrize("field", ["algorithm", "lipschitz", "score", "guarantee", "steps"])
def test_empty_fields_are_refused(field: str) -> None:
    words = dict.fromkeys(("algorithm", "lipschitz", "score", "guarantee", "steps"), "x")
    with pytest.raises(ClaimError, match=rf"summary\.{field}"):
        Row(**{**words, field: " "}, claims=("a/b",))
    with pytest.raises(ClaimError, match=r"summary\.claims"):
        Row(**words, claims=())
