"""Proofs of the catalogue's claims, link by link: one paper a module, one line each below."""

from bounds.derivation import Derivation
from bounds.derivations import (
    benton_2024,
    chen_2023_predictor_corrector,
    chen_2023_sampling,
    chen_lee_lu_2023,
    conforti_2023,
    functional_inequalities,
    gupta_2023,
    initialisation,
    kumar_2025,
    noise_stability,
    regularisation,
)

__all__ = ["DERIVATIONS"]

DERIVATIONS: tuple[Derivation, ...] = (
    *benton_2024.DERIVATIONS,
    *chen_2023_predictor_corrector.DERIVATIONS,
    *chen_2023_sampling.DERIVATIONS,
    *chen_lee_lu_2023.DERIVATIONS,
    *conforti_2023.DERIVATIONS,
    *functional_inequalities.DERIVATIONS,
    *gupta_2023.DERIVATIONS,
    *initialisation.DERIVATIONS,
    *kumar_2025.DERIVATIONS,
    *noise_stability.DERIVATIONS,
    *regularisation.DERIVATIONS,
)
