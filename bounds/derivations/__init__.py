"""Proofs of the catalogue's claims, link by link: one paper a module, one line each below."""

from bounds.derivation import Derivation
from bounds.derivations import (
    benton_2024,
    chen_2023_sampling,
    chen_lee_lu_2023,
    conforti_2023,
    functional_inequalities,
    initialisation,
    regularisation,
)

__all__ = ["DERIVATIONS"]

DERIVATIONS: tuple[Derivation, ...] = (
    *benton_2024.DERIVATIONS,
    *chen_2023_sampling.DERIVATIONS,
    *chen_lee_lu_2023.DERIVATIONS,
    *conforti_2023.DERIVATIONS,
    *functional_inequalities.DERIVATIONS,
    *initialisation.DERIVATIONS,
    *regularisation.DERIVATIONS,
)
