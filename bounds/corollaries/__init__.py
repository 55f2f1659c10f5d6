"""Choices of parameters and the step counts they give: one paper a module, one line each below."""

from bounds.corollaries import (
    benton_2024,
    chen_2023_probability_flow,
    chen_2023_sampling,
    chen_lee_lu_2023,
    conforti_2023,
)
from bounds.corollary import Corollary

__all__ = ["COROLLARIES"]

COROLLARIES: tuple[Corollary, ...] = (
    *benton_2024.COROLLARIES,
    *chen_2023_probability_flow.COROLLARIES,
    *chen_2023_sampling.COROLLARIES,
    *chen_lee_lu_2023.COROLLARIES,
    *conforti_2023.COROLLARIES,
)
