"""Noise stability implies low degree: Parseval in the Hermite basis, and the spectrum of the generator.

h_k(x/sigma), k = 0, 1, ..., is an orthonormal basis of L2(N(0, sigma^2)), and L h_k = -(k/sigma^2) h_k. With
f = sum c_k h_k the polynomial g = sum_{k < n} c_k h_k has

    ||f - g||^2  =  sum_{k >= n} c_k^2  <=  (sigma^2/n)^{2m} sum_{k >= n} (k/sigma^2)^{2m} c_k^2,

since k >= n in every term. The last sum is the part of ||L^m f||^2 of degree n and above, and adding the
terms below n only makes it larger. Once is m = 1; the iterated form takes the same two steps for L^m.
"""

from __future__ import annotations

from bounds.claims import noise_stability as stated
from bounds.derivation import Derivation, Link, by
from bounds.notation import symbols

__all__ = ["DERIVATIONS"]

deg, reps, sigma, poly_tail, poly_generator, poly_generator_tail = symbols(
    "deg reps sigma poly_tail poly_generator poly_generator_tail"
)
ORTHOGONAL = by("orthogonality: what lies below the degree only adds to the norm")

once = Derivation(
    key="noise-stability/low-degree-once",
    about="noise-stability/low-degree",
    title="Noise stability implies low degree, one application of the generator",
    start=poly_tail,
    steps=(
        Link("spectrum", sigma**2 / deg * poly_generator_tail, by("Parseval, and k >= n in the tail")),
        Link("orthogonality", sigma**2 / deg * poly_generator, ORTHOGONAL),
    ),
    assuming=("reps == 1",),
    setup=stated.polynomial.setup,
)
iterated = Derivation(
    key="noise-stability/low-degree",
    title="Noise stability implies low degree, the generator applied m times",
    proves="noise-stability/low-degree",
    start=poly_tail,
    steps=(
        Link(
            "spectrum",
            (sigma**2 / deg) ** reps * poly_generator_tail,
            by("Parseval, and k^m >= n^m in the tail"),
        ),
        Link("orthogonality", stated.polynomial.rhs, ORTHOGONAL),
    ),
    setup=stated.polynomial.setup,
)

DERIVATIONS = (once, iterated)
