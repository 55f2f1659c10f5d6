"""Sample complexities of learning a sampler, as data: four rows, and where one row asks for fewer samples.

The number of samples that gives total variation eps up to a Wasserstein error margin * m2 (m2 the root
second moment), up to logarithms, as the poster of Gupta, Parulekar, Price and Xun lists them. Two rows have
an exponent with a hidden constant, d or k times "O(1)", and one has the depth of the network as an
exponent: a comparison is a question about monomials once dimension, intrinsic dimension and depth are whole
numbers and the hidden constant is one, which is how `Region` puts it. In one row the dimension is that of a
subspace, in the others the ambient one: the same letter in print.

log^3(1/margin) of the last row vanishes at margin = 1, where it means nothing; log(2 + 1/margin) is meant.
Logarithms are left out of comparisons.
"""

from __future__ import annotations

from dataclasses import dataclass

from bounds.errors import ClaimError
from bounds.orders import Decision, at_most

__all__ = ["PARAMETERS", "REGIONS", "ROWS", "Region", "SampleRow", "row", "samples"]

PARAMETERS = {
    "eps": "total variation asked for",
    "margin": "Wasserstein error asked for, in units of the root second moment",
    "d": "ambient dimension",
    "R": "radius of the support, in units of the root second moment",
    "P": "number of parameters of the network",
}
WORLD = ("eps <= 1", "margin <= 1", "R >= 1", "P >= 1")


@dataclass(frozen=True)
class SampleRow:
    """One line of the table.

    name : the paper; dimension : "ambient" or "intrinsic"; assumes : what it asks of data and network;
    samples : the formula, with {d}, {k} and {depth} where they are exponents; printed : as in the source;
    claims : keys of the catalogue that state the row.
    """

    name: str
    dimension: str
    assumes: str
    samples: str
    printed: str
    claims: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in ("name", "assumes", "samples", "printed"):
            if not getattr(self, name).strip():
                raise ClaimError(f"sample_table.{name}", getattr(self, name), "a few words")
        if self.dimension not in ("ambient", "intrinsic"):
            raise ClaimError("sample_table.dimension", self.dimension, "'ambient' or 'intrinsic'")
        if not self.claims:
            raise ClaimError("sample_table.claims", self.claims, "at least one key of the catalogue")

    @property
    def formula(self) -> str:
        """The formula in letters: d and k for the dimensions, D for the depth.

        >>> row("Oko, Akiyama, Suzuki 2023").formula
        'eps^(-d)'
        """
        return self.samples.format(d="d", k="k", depth="D").replace("**", "^").replace("*", " ")


@dataclass(frozen=True)
class Region:
    """Where the first row asks for no more samples than the second, up to constants and logarithms.

    under     : hypotheses beyond eps, margin <= 1 and R, P >= 1.
    dimension, intrinsic, depth : the whole numbers that stand in exponents.
    """

    fewer: str
    more: str
    under: tuple[str, ...]
    dimension: int = 4
    intrinsic: int = 2
    depth: int = 2

    def __post_init__(self) -> None:
        for name in ("fewer", "more"):
            row(getattr(self, name))
        for name in ("dimension", "intrinsic", "depth"):
            if getattr(self, name) < 1:
                raise ClaimError(f"region.{name}", getattr(self, name), "a whole number >= 1")

    def decide(self, *, under: tuple[str, ...] | None = None) -> Decision:
        """Whether the order holds, with the certificate or a ray; other hypotheses may be given instead."""
        sizes = (self.dimension, self.intrinsic, self.depth)
        return at_most(
            samples(self.fewer, *sizes),
            samples(self.more, *sizes),
            (*WORLD, *(self.under if under is None else under)),
            polylog=True,
            parameters=PARAMETERS,
        )


ROWS: tuple[SampleRow, ...] = (
    SampleRow(
        "Oko, Akiyama, Suzuki 2023",
        "ambient",
        "density on [-1, 1]^d, bounded below, Besov",
        "eps**(-{d})",
        "eps^{-O(d)}",
        ("oko-2023/besov-rate",),
    ),
    SampleRow(
        "Chen, Huang, Zhao, Wang 2023",
        "intrinsic",
        "data on a subspace of dimension k",
        "(eps*margin)**(-{k})",
        "(eps gamma)^{-O(d)}",
        ("chen-huang-2023/subspace-rate",),
    ),
    SampleRow(
        "Block, Mroueh, Rakhlin 2020",
        "ambient",
        "support of radius R m2, scores are networks of P parameters",
        "d**(5/2)*R**3/(margin**3*eps**2)*P**{depth}",
        "d^{5/2} R^3/(gamma^3 eps^2 m2^3) P^D sqrt(D)",
        ("score-estimation/rademacher",),
    ),
    SampleRow(
        "Gupta, Parulekar, Price, Xun 2023",
        "ambient",
        "second moment, scores are near networks of P parameters",
        "d**2*P/eps**3*log(2 + 1/margin)**3",
        "d^2/eps^3 P D log^3(1/gamma)",
        ("gupta-2023/sample-complexity",),
    ),
)
"""The rows in the order of the poster."""


def row(name: str) -> SampleRow:
    """The row of that name. Raises ClaimError if there is none."""
    for entry in ROWS:
        if entry.name == name:
            return entry
    raise ClaimError("sample_table.row", name, f"one of {'; '.join(entry.name for entry in ROWS)}")


def samples(name: str, dimension: int, intrinsic: int, depth: int) -> str:
    """The formula of a row with whole numbers in its exponents.

    >>> samples("Chen, Huang, Zhao, Wang 2023", dimension=9, intrinsic=2, depth=3)
    '(eps*margin)**(-2)'
    """
    return row(name).samples.format(d=dimension, k=intrinsic, depth=depth)


OKO, SUBSPACE, RADEMACHER, QUANTILE = (entry.name for entry in ROWS)

REGIONS: tuple[Region, ...] = (
    Region(QUANTILE, RADEMACHER, ("margin**3 <= eps",)),
    Region(QUANTILE, RADEMACHER, ("P >= 1/eps",), depth=2),
    Region(RADEMACHER, QUANTILE, ("sqrt(d)*R**3*eps <= margin**3",), depth=1),
    Region(QUANTILE, OKO, ("d**2*P <= 1/eps",), dimension=4),
    Region(OKO, QUANTILE, (), dimension=3),
    Region(QUANTILE, SUBSPACE, ("d**2*P <= 1/(eps*margin**4)",), intrinsic=4),
    Region(SUBSPACE, QUANTILE, ("eps**2 <= margin",), intrinsic=1),
    Region(SUBSPACE, OKO, ("eps <= margin",), dimension=4, intrinsic=2),
)
"""Where one row is below another; every hypothesis is needed."""
