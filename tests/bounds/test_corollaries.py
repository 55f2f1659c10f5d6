"""Step counts of the papers: decided with certificates, refused when an exponent is changed."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from bounds.corollaries import COROLLARIES
from bounds.corollary import Corollary, decide, find_corollary, sweep
from bounds.errors import ClaimError

TRUE = [corollary for corollary in COROLLARIES if corollary.expect == "holds"]
FALSE = [corollary for corollary in COROLLARIES if corollary.expect == "fails"]


def _id(corollary: Corollary) -> str:
    return corollary.key


NUMBERED = {
    "C03": ("chen-2023-sampling/steps", "chen-2023-sampling/steps-printed-horizon-large-KL"),
    "C04": (
        "chen-2023-sampling/corollary-3",
        "chen-2023-sampling/corollary-4",
        "chen-2023-sampling/corollary-5",
    ),
    "C07": ("chen-lee-lu-2023/smooth-steps",),
    "C09": ("chen-lee-lu-2023/no-smoothness-steps", "chen-lee-lu-2023/wasserstein-steps"),
    "C11": ("benton-2024/corollary-1", "benton-2024/corollary-1-steps"),
    "C13": ("conforti-2023/steps",),
    "C17": ("chen-2023-probability-flow/underdamped-steps",),
    "C18": ("chen-2023-probability-flow/overdamped-steps",),
}
"""The corollaries that the theory notes number: each true, and refused with one exponent changed."""


def test_the_numbered_corollaries_are_among_the_true_ones() -> None:
    assert {key for keys in NUMBERED.values() for key in keys} <= {corollary.key for corollary in TRUE}


def test_keys_are_unique_and_found() -> None:
    assert len({corollary.key for corollary in COROLLARIES}) == len(COROLLARIES)
    assert find_corollary("benton-2024/corollary-1").polylog is False
    with pytest.raises(ClaimError, match="nearest: 'benton-2024/corollary-1"):
        find_corollary("benton-2024/corollary-11")


@pytest.mark.parametrize("corollary", TRUE, ids=_id)
def test_true_corollaries_have_certificates(corollary: Corollary) -> None:
    outcome = decide(corollary)
    assert outcome.holds, str(outcome)
    for decision in outcome.decisions.values():
        assert decision.certificates
        assert all(certificate.verified for certificate in decision.certificates)


@pytest.mark.parametrize("corollary", FALSE, ids=_id)
def test_slips_are_found_with_a_ray(corollary: Corollary) -> None:
    outcome = decide(corollary)
    assert outcome.holds is False
    assert outcome.met
    broken = [decision for decision in outcome.decisions.values() if not decision.holds]
    assert all(decision.ray is not None for decision in broken)


@pytest.mark.parametrize("corollary", TRUE, ids=_id)
def test_one_exponent_changed_is_refused(corollary: Corollary) -> None:
    name = corollary.accuracy
    sharper = replace(corollary, conclusion=f"({corollary.conclusion})*{name}**(1/4)")
    assert _refused(sharper)
    for count, size in corollary.counts.items():
        assert _refused(replace(corollary, counts={count: f"({size})*{name}**(1/4)"}))
    inside = {s.name for term in corollary.bound.values() for s in term.free_symbols}
    for symbol, formula in corollary.substitution.items():
        if symbol in inside & {"N", "kappa", "h", "h_pred", "h_corr", "t"}:
            assert any(
                _refused(replace(corollary, substitution={**corollary.substitution, symbol: text}))
                for text in (f"({formula})*{name}**(1/4)", f"({formula})/{name}**(1/4)")
            )


def _refused(corollary: Corollary) -> bool:
    """Refused, with a ray for every decision that fails."""
    outcome = decide(corollary)
    broken = [decision for decision in outcome.decisions.values() if not decision.holds]
    return outcome.holds is False and all(decision.ray is not None for decision in broken)


@pytest.mark.parametrize("corollary", TRUE, ids=_id)
def test_numbers_stay_bounded(corollary: Corollary) -> None:
    rows = sweep(corollary, range(2, 60, 6))
    ratios = [ratio for _, ratio in rows]
    assert min(ratios) > 0
    if corollary.polylog:  # a power of the logarithm: no faster than log(1/tol)^2
        assert ratios[-1] <= ratios[0] * (math.log(rows[-1][0]) / math.log(rows[0][0])) ** 2
    else:  # flat: the last decades change nothing beyond the slow approach of T/(T + c) to 1
        assert ratios[-1] <= 1.2 * ratios[0]


def test_the_rays_of_the_slips_say_what_is_missing() -> None:
    printed = decide(find_corollary("chen-2023-sampling/steps-printed-horizon")).decisions["initialisation"]
    assert printed.ray is not None
    assert "KL0 ~ 1/s" in str(printed.ray)
    few = decide(find_corollary("benton-2024/any-number-of-steps-too-few"))
    assert [name for name, decision in few.decisions.items() if not decision.holds] == [
        "needs log(1/delta) <= N"
    ]
    coarse = decide(find_corollary("benton-2024/corollary-1-any-accuracy")).decisions["needs T >= 1"]
    assert str(coarse.ray) == "tol ~ s as s -> oo"
    rows = {s: printed.ray.at(s) for s in (1e2, 1e4)}
    ratio = {s: at["tol"] / math.sqrt(at["KL0"]) / (at["eps"] + at["tol"]) for s, at in rows.items()}
    assert ratio[1e4] == pytest.approx(ratio[1e2] * 1e2 ** float(printed.ray.growth[0]))


def test_side_hypotheses_repair_them() -> None:
    slip = find_corollary("benton-2024/corollary-1-any-accuracy")
    assert decide(slip).holds is False
    barely = replace(slip, hypotheses=("delta <= 1/2", "tol <= sqrt(d)"))
    assert decide(barely).decisions["needs T >= 1"].holds is False
    assert decide(replace(slip, hypotheses=("delta <= 1/2", "tol <= sqrt(d)/exp(1)"))).holds is True


def test_malformed_corollaries_are_refused() -> None:
    good = COROLLARIES[0]
    with pytest.raises(ClaimError, match="a known symbol"):
        replace(good, substitution={"Tee": "1"})
    with pytest.raises(ClaimError, match="not both"):
        replace(good, terms={"a": "d"})
    with pytest.raises(ClaimError, match="do not refer to each other"):
        decide(replace(good, substitution={"T": "N", "N": "T"}))
