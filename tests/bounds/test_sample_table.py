"""The table of sample complexities: its keys, and regions of dominance decided by certificates."""

from __future__ import annotations

import pytest

from bounds.catalogue import find
from bounds.errors import ClaimError
from bounds.orders import at_most
from bounds.sample_table import PARAMETERS, REGIONS, ROWS, Region, SampleRow, row, samples

WORDS = {
    "name": "a",
    "dimension": "ambient",
    "assumes": "b",
    "samples": "1/eps",
    "printed": "eps^-1",
    "claims": ("x/y",),
}


def test_rows_are_claims_that_are_not_tried() -> None:
    assert len(ROWS) == 4
    assert [entry.dimension for entry in ROWS].count("intrinsic") == 1
    for entry in ROWS:
        for key in entry.claims:
            assert find(key).expect == "untested"


@pytest.mark.parametrize("region", REGIONS, ids=lambda region: f"{region.fewer[:5]} below {region.more[:5]}")
def test_dominance_is_certified_and_needs_its_hypotheses(region: Region) -> None:
    decision = region.decide()
    assert decision.holds is True
    assert all(certificate.verified for certificate in decision.certificates)
    if region.under:
        without = region.decide(under=())
        assert without.holds is False
        assert without.ray is not None


def test_a_region_that_is_turned_round_fails() -> None:
    for region in REGIONS:
        turned = Region(
            region.more, region.fewer, region.under, region.dimension, region.intrinsic, region.depth
        )
        assert turned.decide().holds is False


def test_the_unmended_logarithm_has_no_order_at_margin_one() -> None:
    small, large = "d**2*P/eps**3", "d**2*P/eps**3*log(1/margin)**3"
    under = ["eps <= 1", "margin <= 1", "P >= 1"]
    assert at_most(small, large, under, parameters=PARAMETERS).holds is False
    assert at_most(small, large.replace("log(1", "log(2 + 1"), under, parameters=PARAMETERS).holds is True


def test_bad_rows_and_regions_are_named() -> None:
    for field in ("name", "assumes", "samples", "printed"):
        with pytest.raises(ClaimError, match=rf"sample_table\.{field}"):
            SampleRow(**{**WORDS, field: " "})
    with pytest.raises(ClaimError, match="ambient"):
        SampleRow(**{**WORDS, "dimension": "both"})
    with pytest.raises(ClaimError, match=r"sample_table\.claims"):
        SampleRow(**{**WORDS, "claims": ()})
    with pytest.raises(ClaimError, match="one of Oko"):
        row("nobody")
    with pytest.raises(ClaimError, match=r"region\.depth"):
        Region(ROWS[0].name, ROWS[1].name, (), depth=0)
    assert samples(ROWS[0].name, 3, 1, 1) == "eps**(-3)"
