"""The summary table of Lee's slides of 2024: six samplers, what they assume, and what they reach.

Every row names the claims of the catalogue that say it with all terms.
"""

from __future__ import annotations

from dataclasses import dataclass

from bounds.errors import ClaimError

__all__ = ["SUMMARY", "Row"]


@dataclass(frozen=True)
class Row:
    """One line of the table.

    algorithm : the sampler; lipschitz : which scores are assumed Lipschitz; score : accuracy asked of the
    score
        estimate; guarantee : what is below eps (up to logarithms); steps : how many, up to logarithms.
    claims : keys of the catalogue that state the bound behind the row.
    """

    algorithm: str
    lipschitz: str
    score: str
    guarantee: str
    steps: str
    claims: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in ("algorithm", "lipschitz", "score", "guarantee", "steps"):
            if not getattr(self, name).strip():
                raise ClaimError(f"summary.{name}", getattr(self, name), "a few words")
        if not self.claims:
            raise ClaimError("summary.claims", self.claims, "at least one key of the catalogue")


SUMMARY: tuple[Row, ...] = (
    Row(
        "DDPM, exponential integrator",
        "all scores grad log p_t",
        "eps",
        "TV(p_0, output)",
        "d L^2/eps^2",
        ("chen-2023-sampling/theorem-2", "chen-lee-lu-2023/smooth-score"),
    ),
    Row(
        "DDPM, exponential integrator",
        "the data score grad log p_0",
        "eps",
        "TV(p_0, output)",
        "d^2 (log L)^2/eps^2",
        ("chen-lee-lu-2023/smooth-data", "chen-lee-lu-2023/smooth-data-path"),
    ),
    Row(
        "DDPM, exponential integrator",
        "none, early stopping at delta",
        "eps",
        "TV(p_delta, output)",
        "d^2 (log(1/delta))^2/eps^2, later d (log(1/delta))^2/eps^2",
        ("chen-lee-lu-2023/no-smoothness-corrected", "benton-2024/theorem-1-corrected"),
    ),
    Row(
        "DPOM, flow with overdamped corrector",
        "all scores and their estimates",
        "eps/sqrt(L)",
        "TV(p_0, output)",
        "L^3 d/eps^2",
        ("chen-2023-probability-flow/dpom",),
    ),
    Row(
        "DPUM, flow with underdamped corrector",
        "all scores and their estimates",
        "eps/sqrt(L)",
        "TV(p_0, output)",
        "L^2 sqrt(d)/eps",
        (
            "chen-2023-probability-flow/dpum",
            "chen-2023-probability-flow/predictor",
            "chen-2023-probability-flow/corrector",
        ),
    ),
    Row(
        "flow without corrector",
        "none, but the Jacobian of the error is small",
        "eps/sqrt(d)",
        "TV(p_0, output)",
        "d^2/eps",
        ("li-2023/deterministic", "li-2023/deterministic-score", "li-2023/deterministic-atoms-measured"),
    ),
)
"""The rows in the order of the slides."""
