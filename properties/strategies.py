"""Hypothesis strategies: targets, grids, score errors, and admissible cases of a claim, small ones first.

``ls.strategies`` is this module. Once it is imported, ``st.from_type`` knows targets, grids, score errors,
claims (of the catalogue) and cases. `cases` never filters: a move that leaves the claim's assumptions falls
back to the admissible case it started from.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from hypothesis import strategies as st

from bounds.claim import Claim
from properties.assess import assess
from properties.cases import Case
from properties.population import Population
from properties.search import consistent
from properties.space import Space, draw, space_of
from properties.trials.looking import look
from properties.trials.models import ModelCase, ModelFamily
from properties.trials.targets import MixtureFamily, beyond_gaussians
from simulators.grids import Grid
from simulators.line.scores import Bump, Oscillation
from simulators.mixtures import Atoms, GaussianMixture, Product
from simulators.score_errors import PROFILES, AffineError
from simulators.targets import Gaussian

__all__ = [
    "affine_errors", "any_cases", "atoms", "bumps", "cases", "claims", "gaussians", "grids", "mixtures",
    "model_cases", "oscillations", "products",
]  # fmt: skip

POOL = 256
MIXTURES, OF_A_MODEL = 12, 48


def _log(low: float, high: float) -> st.SearchStrategy[float]:
    """Positive numbers, log-uniform over decades around one; one first."""
    return st.floats(low, high, allow_nan=False).map(lambda exponent: float(10.0**exponent))


@st.composite
def gaussians(draw: st.DrawFn, *, spaces: int = 2, singular: bool = False) -> Gaussian:
    """Gaussian targets with at most ``spaces`` eigenspaces; zero variances only if ``singular``."""
    count = draw(st.integers(1, spaces))
    variance = st.one_of(st.just(0.0), _log(-3, 3)) if singular else _log(-3, 3)
    rows = [
        (draw(variance), draw(st.sampled_from([1, 2, 3, 10, 1000])), draw(st.floats(-10, 10)))
        for _ in range(count)
    ]
    variances, counts, means = zip(*rows, strict=True)
    return Gaussian(variances, counts, means)


@st.composite
def grids(draw: st.DrawFn, *, early: bool = False) -> Grid:
    """Uniform grids, and geometric ones where there is early stopping."""
    horizon, count = draw(_log(-1, 1)), draw(st.integers(1, 200))
    if not early:
        return Grid.uniform(horizon, count)
    stop = horizon * draw(st.floats(1e-4, 0.5))
    return draw(st.sampled_from([Grid.uniform, Grid.geometric]))(horizon, count, stop)


@st.composite
def affine_errors(draw: st.DrawFn, *, spaces: int = 1) -> AffineError:
    """Affine score errors for targets with that many eigenspaces."""
    sizes = st.floats(-3, 3)
    shift = tuple(draw(sizes) for _ in range(spaces))
    linear = tuple(draw(sizes) for _ in range(spaces))
    return AffineError(shift, linear, draw(st.sampled_from(PROFILES)))


@st.composite
def mixtures(draw: st.DrawFn, *, components: int = 3) -> GaussianMixture:
    """Gaussian mixtures on the line with at most that many components."""
    count = draw(st.integers(1, components))
    sizes = [draw(st.floats(0.05, 1.0)) for _ in range(count)]
    means = [(draw(st.floats(-10, 10)),) for _ in range(count)]
    variances = tuple(draw(_log(-2, 1)) for _ in range(count))
    return GaussianMixture([size / sum(sizes) for size in sizes], means, variances)


@st.composite
def atoms(draw: st.DrawFn, *, most: int = 4) -> Atoms:
    """Finitely many distinct points on the line."""
    points = draw(st.lists(st.integers(-40, 40), min_size=1, max_size=most, unique=True))
    sizes = [draw(st.floats(0.05, 1.0)) for _ in points]
    return Atoms([(point / 4,) for point in points], [size / sum(sizes) for size in sizes])


@st.composite
def products(draw: st.DrawFn, *, most: int = 3) -> Product:
    """Products of at most that many Gaussians, mixtures and atoms."""
    return Product(
        tuple(draw(st.lists(st.one_of(gaussians(), mixtures(), atoms()), min_size=1, max_size=most)))
    )


_SIZES = st.floats(-3, 3)
_SAME_EVERYWHERE = st.sampled_from([name for name in PROFILES if name != "adapted"])


@st.composite
def bumps(draw: st.DrawFn) -> Bump:
    """Errors on a region between two quantiles, with smooth edges or jumps."""
    start = draw(st.sampled_from([0.0, 0.1, 0.25, 0.5]))
    stop = start + draw(st.sampled_from([0.5, 0.25, 0.05]))
    return Bump(draw(_SIZES), start, stop, draw(st.sampled_from([0.0, 0.1, 1.0])), draw(_SAME_EVERYWHERE))


@st.composite
def oscillations(draw: st.DrawFn) -> Oscillation:
    """Oscillating errors."""
    return Oscillation(draw(_SIZES), draw(st.floats(0.5, 8)), draw(_SIZES), draw(_SAME_EVERYWHERE))


@st.composite
def any_cases(draw: st.DrawFn) -> Case:
    """Cases on which both the laws of the forward process and the law of the output, if any, have values."""
    target: Gaussian | GaussianMixture | Atoms = draw(st.one_of(gaussians(), mixtures(), atoms()))
    sampler = draw(st.sampled_from(_GAUSSIAN if isinstance(target, Gaussian) else _ON_A_LINE))
    grid = draw(grids(early=isinstance(target, Atoms)))
    count = min(grid.N, 20)
    error = None
    if isinstance(target, Gaussian) and sampler != "none":
        error = draw(st.none() | affine_errors(spaces=len(target.eigenvalues)))
    return Case(
        target,
        clock=draw(st.sampled_from(["unit", "half"])),
        sampler=sampler,
        T=grid.T,
        N=count,
        delta=grid.delta,
        grid=grid.kind,
        start=draw(st.sampled_from(["gamma", "q_T"])),
        error=error,
        parameters={"h_corr": 0.25} if sampler in ("dpom", "dpum") else {},
    )


_ON_A_LINE = ("none", "ddpm-ei", "ddpm-em", "cds-ei", "pf-ei")
_GAUSSIAN = (*_ON_A_LINE, "pf-heun", "lmc", "ulmc", "dpom", "dpum")


def claims() -> st.SearchStrategy[Claim]:
    """Claims of the catalogue."""
    from bounds.catalogue import CATALOGUE

    return st.sampled_from(CATALOGUE)


def model_cases() -> st.SearchStrategy[ModelCase]:
    """Admissible cases of the catalogue's claims about small worlds."""
    from bounds.catalogue import CATALOGUE

    return st.sampled_from([claim for claim in CATALOGUE if claim.setup.model]).flatmap(cases)


def cases(claim: Claim) -> st.SearchStrategy[Any]:
    """Admissible cases of a claim: drawn ones, moved in every parameter by up to two decades as far as the
    assumptions allow.
    """
    if claim.setup.model:
        return _of_model(ModelFamily(claim), _model_pool(claim))
    space, pool = _pool(claim)
    others = _mixture_pool(claim)
    gaussian = _moved(space, pool)
    return st.one_of(gaussian, gaussian, _mixtures_of(claim, others)) if others else gaussian


@lru_cache(maxsize=512)
def _pool(claim: Claim) -> tuple[Space, Population]:
    """Admissible cases, the simplest first."""
    space = space_of(claim)
    rng = np.random.default_rng(int(claim.hash, 16))
    parts: list[Population] = []
    for _ in range(12):
        parts.append(assess(claim, draw(space, rng, 32, 16)).population)
        if sum(len(part) for part in parts) >= POOL:
            break
    whole = Population.concatenate([part for part in parts if len(part)] or parts[:1])
    if not len(whole):
        raise ValueError(f"{claim.key}: no admissible case among {12 * 512} drawn")
    size = (
        whole.dimension
        * whole.N
        * (1 + np.abs(np.log(np.where(whole.eigenvalues > 0, whole.eigenvalues, 1e-3))).sum(axis=1))
    )
    return space, whole.take(np.argsort(size, kind="stable")[:POOL])


@st.composite
def _moved(draw: st.DrawFn, space: Space, pool: Population) -> Case:
    row = pool.take([draw(st.integers(0, len(pool) - 1))])
    moved = row
    for gene in space.genes:
        exponent = draw(st.floats(-2, 2))
        if exponent:
            moved = gene.put(moved, gene.get(moved) * 10.0**exponent)
    result = assess(space.claim, consistent(space, moved))
    return result.population.case(0) if len(result) else row.case(0)


@lru_cache(maxsize=512)
def _mixture_pool(claim: Claim) -> tuple[Case, ...]:
    """Admissible cases beyond Gaussians on which both sides have values; empty if the claim has none."""
    if not beyond_gaussians(claim):
        return ()
    family = MixtureFamily.of(claim)
    rng = np.random.default_rng([int(claim.hash, 16), 1])
    found = [case for case in family.draw(rng, MIXTURES) if not look(claim, case).failed]
    return tuple(sorted(found, key=lambda case: len(case.to_source())))


@st.composite
def _mixtures_of(draw: st.DrawFn, claim: Claim, pool: tuple[Case, ...]) -> Case:
    start = draw(st.sampled_from(pool))
    rng = np.random.default_rng(draw(st.integers(0, 255)))
    moved = MixtureFamily.of(claim).moved(start, rng, 0.3)
    return start if look(claim, moved).failed else moved


@lru_cache(maxsize=512)
def _model_pool(claim: Claim) -> tuple[ModelCase, ...]:
    """Admissible cases of a claim about a model, those with the roundest numbers first."""
    rng = np.random.default_rng(int(claim.hash, 16))
    found = [case for case in ModelFamily(claim).draw(rng, OF_A_MODEL) if not look(claim, case).failed]
    if not found:
        raise ValueError(f"{claim.key}: no admissible case among {OF_A_MODEL} drawn")
    return tuple(sorted(found, key=lambda case: len(case.to_source())))


@st.composite
def _of_model(draw: st.DrawFn, family: ModelFamily, pool: tuple[ModelCase, ...]) -> ModelCase:
    start = draw(st.sampled_from(pool))
    names = sorted(start.parameters)
    moved = family.moved_by(start, {name: draw(st.floats(-2, 2)) for name in names})
    return start if moved is None or look(family.claim, moved).failed else moved


st.register_type_strategy(Gaussian, gaussians())
st.register_type_strategy(GaussianMixture, mixtures())
st.register_type_strategy(Atoms, atoms())
st.register_type_strategy(Grid, grids())
st.register_type_strategy(AffineError, affine_errors())
st.register_type_strategy(Product, products())
st.register_type_strategy(Bump, bumps())
st.register_type_strategy(Oscillation, oscillations())
st.register_type_strategy(Case, any_cases())
st.register_type_strategy(ModelCase, st.deferred(model_cases))
st.register_type_strategy(Claim, st.deferred(claims))
