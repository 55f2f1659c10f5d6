"""Every claim and every planted falsehood, listed by hand: one line a paper in each list."""

from __future__ import annotations

from bounds.claim import Claim
from bounds.claims import (
    benton_2024,
    building_blocks,
    chen_2023_probability_flow,
    chen_2023_sampling,
    chen_lee_lu_2023,
    conforti_2023,
    functional_inequalities,
    initialisation,
    kwon_2022,
    langevin,
    regularisation,
    score_identities,
    song_2021,
    w2_explicit,
)
from bounds.errors import ClaimError, nearest

__all__ = ["CATALOGUE", "FALSEHOODS", "find", "papers"]

# One line a module, in alphabetical order, in both lists.
CATALOGUE: tuple[Claim, ...] = (
    *benton_2024.CLAIMS,
    *building_blocks.CLAIMS,
    *chen_2023_probability_flow.CLAIMS,
    *chen_2023_sampling.CLAIMS,
    *chen_lee_lu_2023.CLAIMS,
    *conforti_2023.CLAIMS,
    *functional_inequalities.CLAIMS,
    *initialisation.CLAIMS,
    *kwon_2022.CLAIMS,
    *langevin.CLAIMS,
    *regularisation.CLAIMS,
    *score_identities.CLAIMS,
    *song_2021.CLAIMS,
    *w2_explicit.CLAIMS,
)
"""Claims by paper, in the order of their modules."""

FALSEHOODS: tuple[Claim, ...] = (
    *benton_2024.FALSEHOODS,
    *building_blocks.FALSEHOODS,
    *chen_2023_probability_flow.FALSEHOODS,
    *chen_2023_sampling.FALSEHOODS,
    *chen_lee_lu_2023.FALSEHOODS,
    *conforti_2023.FALSEHOODS,
    *functional_inequalities.FALSEHOODS,
    *initialisation.FALSEHOODS,
    *kwon_2022.FALSEHOODS,
    *langevin.FALSEHOODS,
    *regularisation.FALSEHOODS,
    *score_identities.FALSEHOODS,
    *song_2021.FALSEHOODS,
    *w2_explicit.FALSEHOODS,
)
"""Subtly false variants of the claims, under the keys ``key!name``: what the checker must not let pass."""


def find(key: str) -> Claim:
    """The claim or falsehood of that key.

    Raises ClaimError, with the nearest key, if there is none.
    """
    known = {claim.key: claim for claim in (*CATALOGUE, *FALSEHOODS)}
    if key not in known:
        raise ClaimError("key", key, f"a key of the catalogue{nearest(key, known)}")
    return known[key]


def papers() -> tuple[str, ...]:
    """The papers of the catalogue, sorted: what stands before the slash of a key."""
    return tuple(sorted({claim.paper for claim in CATALOGUE}))
