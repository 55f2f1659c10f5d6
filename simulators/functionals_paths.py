"""KL between path laws for any data law that reduces: the true reverse process from q_T against a sampler.

By Girsanov the steps add. Along a step from tau, h long, u the time since, x = h - u the time left, Y the
true reverse process, J = E|s|^2 and G = E|H|_F^2 along the forward time, e^u s(Y) is a martingale;
conditioning on Y at the step's start leaves

    ddpm-ei : J(tau) int (1 - e^{-u})^2 + int G (1 - e^{-2x})
    cds-ei  : I(tau) int (e^u - 1)^2 + int K (e^{2x} - 1),    I = E|s + x|^2,  K = E|H + 1|_F^2
    ddpm-em : 1/4 { int (e^u - 1)^2 E|Y + (1 - e^{-u}) s|^2 + int [P(x) L + Q(x) d - R(x) J] },    L = E|H +
    1/2|_F^2,
              P = 4x + 2 sinh 2x,  Q = e^{2x} - 1 - x - (sinh 2x)/2,  R = 4 sinh^2 x

so that nothing cancels when steps are small; summed by parts the first is the telescoped entropy form of the
J-identity. J, G, ... are smooth in the logarithm of the noise level and are interpolated there by Chebyshev
panels, so that the cost hardly depends on N. A score error e_k adds h E|e|^2 + 2 (h - 1 + e^{-h}) E<e, s>;
for cds-ei - 2 (e^h - 1 - h) E<e, s + x>; for ddpm-em - (e^h - 1 - h) E<e, x> - (e^h - 2h - e^{-h}) E<e, s>.
The start adds KL(q_T || gamma).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from simulators.batch import Batch, SingleCase
from simulators.enclosure import Enclosure
from simulators.errors import InputError, NotDefined
from simulators.exppoly import E, ExpPoly, H
from simulators.functionals import core_functionals, reduction
from simulators.grids import Grid
from simulators.mixtures import Target, components
from simulators.reductions import Core
from simulators.targets import Gaussian

__all__ = ["PathError", "core_path", "path_kl_mixture"]

Array = NDArray[np.float64]
U = 2.0**-53
DEGREE = 16  # Chebyshev nodes of a panel
PANEL = 0.8  # first width of a panel, in the logarithm of the noise level
TAIL = 2e-14  # last Chebyshev coefficients against the largest value
HALVINGS = 8
LEBESGUE = 3.0  # of 16 Chebyshev nodes
LEGENDRE = np.polynomial.legendre.leggauss(14)

ONE = E(0)
FADE, RISE = 1 - E(-1), E(1) - 1
BEND = RISE * FADE
GRAMS = {
    name: (first * second).integral()
    for name, first, second in (
        ("fade", FADE, FADE),
        ("rise", RISE, RISE),
        ("tilt", RISE, BEND),
        ("bend", BEND, BEND),
        ("fade1", FADE, ONE),
        ("rise1", RISE, ONE),
        ("bend1", BEND, ONE),
    )
}
SINH2 = (E(2) - E(-2)) / 2
PULLS: dict[str, dict[str, ExpPoly]] = {
    "ddpm-ei": {"hessian": ONE - E(-2)},
    "cds-ei": {"relative_hessian": E(2) - 1},
    "ddpm-em": {"half_hessian": 4 * H + 2 * SINH2, "": E(2) - 1 - H - SINH2 / 2, "fisher": 2 - E(2) - E(-2)},
}
"""Factors, as functions of the time left, of the functionals integrated along a step; "" is d."""
STARTS = {"ddpm-ei": ("fisher",), "cds-ei": ("relative_fisher",), "ddpm-em": ("fisher",)}


@dataclass(frozen=True, eq=False)
class PathError:
    """What the path KL needs of a score error e_k(x) = s_hat_k(x) - s_{tau_k}(x), under q_{tau_k}; (N,) each.

    squared : E |e_k|^2.  with_score : E<e_k, s_{tau_k}> = -E div e_k.  with_state : E<e_k, x>, needed by
    cds-ei and ddpm-em. Arrays, or enclosures of them.
    """

    squared: Enclosure | Array
    with_score: Enclosure | Array
    with_state: Enclosure | Array | None = None

    def part(self, name: str, N: int) -> Enclosure:
        """The named term as an enclosure of shape (N,)."""
        given = getattr(self, name)
        if given is None:
            raise InputError(name, given, f"expected {N} numbers, one a step, for this sampler")
        value = (
            given if isinstance(given, Enclosure) else Enclosure.exact(np.asarray(given, dtype=np.float64))
        )
        if value.lo.shape != (N,):
            raise InputError(name, value.lo.shape, f"expected shape {(N,)}, one number a step")
        return value


def path_kl_mixture(
    target: Target, sampler: str, grid: Grid, start: str = "gamma", error: PathError | None = None
) -> Enclosure:
    """KL(path of the true reverse process from q_T || path of the sampler), nats; the start adds KL(q_T ||
    gamma).

    sampler : "ddpm-ei", "cds-ei" or "ddpm-em"; others raise NotDefined.
    start   : "gamma", or "q_T" to leave the initial error out.
    error   : None for the exact score.
    Infinite where the true process ends on a singular law. Raises NotReducible as `functionals` does.

    >>> two = Gaussian.isotropic(1, 0.5)
    >>> float(path_kl_mixture(two, "ddpm-ei", Grid.uniform(2.0, 10)).mid) > 0
    True
    """
    if sampler not in PULLS:
        raise NotDefined(
            f"sampler={sampler!r}: expected one of {', '.join(PULLS)} for a target that is not Gaussian"
        )
    if start not in ("gamma", "q_T"):
        raise InputError("start", start, "expected 'gamma' or 'q_T'")
    split = reduction(target)
    total = Enclosure.exact(0.0)
    if split.complement is not None:
        total = total + _gaussian_path(split.complement, sampler, grid, start)
    for core in split.cores:
        one = core_path(core, sampler, grid)
        if start == "gamma":
            one = one + core_functionals(core, np.array([grid.T]), ("kl_to_gamma",))["kl_to_gamma"][0]
        total = total + one * float(core.count)
    if error is not None:
        total = total + _error_terms(sampler, grid, error)
    return Enclosure(np.maximum(total.lo, 0.0), total.hi, f"{split.text}: path KL by Girsanov", total.level)


def _gaussian_path(complement: Gaussian, sampler: str, grid: Grid, start: str) -> Enclosure:
    from simulators.laws.paths import path_kl

    return path_kl(Batch.of([SingleCase(complement, sampler, grid, start)]))[0]


def _error_terms(sampler: str, grid: Grid, error: PathError) -> Enclosure:
    N = grid.N
    parts = error.part("squared", N) * _at(H, grid.steps)
    if sampler == "ddpm-ei":
        parts = parts + error.part("with_score", N) * _at(GRAMS["fade1"], grid.steps) * 2.0
    elif sampler == "cds-ei":
        relative = error.part("with_score", N) + error.part("with_state", N)
        parts = parts - relative * _at(GRAMS["rise1"], grid.steps) * 2.0
    else:
        parts = parts - error.part("with_state", N) * _at(GRAMS["rise1"], grid.steps)
        parts = parts - error.part("with_score", N) * _at(GRAMS["bend1"], grid.steps)
    return _sum(parts)


def core_path(core: Core, sampler: str, grid: Grid) -> Enclosure:
    """KL of the paths from q_T for one copy of a core, shape ()."""
    smallest = float(components(core.mixture).variances.min())
    if smallest + grid.delta == 0:
        return Enclosure.exact(np.inf)
    pulls = PULLS[sampler]
    names = tuple(dict.fromkeys((*STARTS[sampler], *(name for name in pulls if name))))
    curves = Curves.of(core, names, smallest, grid.delta, grid.T)
    along = Enclosure.exact(0.0)
    cut = curves.cut(grid)
    for name, weight in pulls.items():
        factor = weight(cut.left) * cut.lengths
        level = (
            curves.at(name, cut.panel, cut.place) if name else Enclosure.exact(float(core.mixture.dimension))
        )
        along = along + _sum(Enclosure.around(factor, 16 * U * np.abs(factor)) * level)
    total = along + _starts(core, sampler, grid, curves)
    return total * 0.25 if sampler == "ddpm-em" else total


def _starts(core: Core, sampler: str, grid: Grid, curves: Curves) -> Enclosure:
    """The part of each step that its start determines."""
    place = curves.place(grid.times[:-1] - grid.delta)
    panel = np.clip(np.searchsorted(curves.edges, place) - 1, 0, len(curves.edges) - 2)
    level = curves.at(STARTS[sampler][0], panel, place)
    h = grid.steps
    if sampler != "ddpm-em":
        return _sum(level * _at(GRAMS["fade" if sampler == "ddpm-ei" else "rise"], h))
    noise, d = -np.expm1(-2 * grid.times[:-1]), core.mixture.dimension
    moment = np.exp(-2 * grid.times[:-1]) * core.mixture.second_moment + d * noise
    square = Enclosure.around(moment, 16 * U * moment)
    parts = square * _at(GRAMS["rise"], h) - _at(GRAMS["tilt"], h) * (2.0 * d) + level * _at(GRAMS["bend"], h)
    return _sum(parts)


def _at(function: ExpPoly, h: Array) -> Enclosure:
    value = function(h)
    return Enclosure.around(value, 16 * U * np.abs(value))


def _sum(parts: Enclosure) -> Enclosure:
    """The sum over an array, rounding included."""
    slack = 4 * U * np.log2(parts.lo.size + 2) * float(np.sum(np.maximum(np.abs(parts.lo), np.abs(parts.hi))))
    return Enclosure.between(np.sum(parts.lo) - slack, np.sum(parts.hi) + slack)


# -- functionals as functions of time ------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Cut:
    """Gauss-Legendre points of the pieces into which steps and panels cut the time axis: panel, place in it
    (the logarithm of the noise level), time left to the end of the step, weight; arrays (pieces, nodes).
    """

    panel: NDArray[np.int64]
    place: Array
    left: Array
    lengths: Array


@dataclass(frozen=True, eq=False)
class Curves:
    """Functionals along the forward time, interpolated in y = log((s + e^{2 tau} - 1)/(s + e^{2 delta} - 1)),
    s the smallest variance: y counts from delta, and a posterior moves by O(1) while y does.

    edges (P + 1,); series (P, DEGREE) by name; errors (P,) by name, of interpolation and of the values.
    """

    delta: float
    base: float
    edges: Array
    series: dict[str, Array]
    errors: dict[str, Array]

    @classmethod
    def of(cls, core: Core, names: tuple[str, ...], smallest: float, delta: float, T: float) -> Curves:
        """Interpolate these functionals of a core on [delta, T], halving panels whose series has not
        decayed.
        """
        base = float((smallest + np.expm1(2 * delta)) * np.exp(-2 * delta))
        blank = cls(delta, base, np.zeros(0), {}, {})
        top = float(blank.place(np.array(T - delta))) * (1 + 4 * U)
        edges = np.linspace(0.0, top, max(1, ceil(top / PANEL)) + 1)
        lo, hi = edges[:-1], edges[1:]
        done: list[tuple[Array, Array, Array, Array]] = []
        for level in range(HALVINGS + 1):
            series, errors, rough = blank.fit(core, names, lo, hi)
            kept = ~rough if level < HALVINGS else np.ones_like(rough)
            done.append((lo[kept], hi[kept], series[kept], errors[kept]))
            lo, hi = lo[~kept], hi[~kept]
            if not len(lo):
                break
            middle = 0.5 * (lo + hi)
            lo, hi = np.concatenate([lo, middle]), np.concatenate([middle, hi])
        starts, ends, series, errors = (np.concatenate(column) for column in zip(*done, strict=True))
        order = np.argsort(starts)
        return cls(
            delta,
            base,
            np.append(starts[order], ends[order][-1]),
            {name: series[order, i] for i, name in enumerate(names)},
            {name: errors[order, i] for i, name in enumerate(names)},
        )

    def fit(
        self, core: Core, names: tuple[str, ...], lo: Array, hi: Array
    ) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Series (P, names, DEGREE) and errors (P, names) on these panels, and which panels are too long."""
        angle = (np.arange(DEGREE) + 0.5) * np.pi / DEGREE
        y = 0.5 * (lo + hi)[:, None] + 0.5 * (hi - lo)[:, None] * np.cos(angle)
        found = core_functionals(core, (self.delta + self.since(y)).ravel(), names)
        to_series = np.cos(np.outer(np.arange(DEGREE), angle)) * (2 / DEGREE)
        to_series[0] *= 0.5
        values = np.stack([found[name].mid.reshape(y.shape) for name in names], axis=1)
        widths = np.stack([found[name].width.reshape(y.shape) for name in names], axis=1)
        series = values @ to_series.T
        size = np.abs(values).max(axis=-1)
        last = np.abs(series[..., -2:]).sum(axis=-1)
        noise = LEBESGUE * (0.5 * widths.max(axis=-1) + 8 * U * size)
        return series, 2 * last + noise, np.any(last > np.maximum(TAIL * size, noise), axis=1)

    def place(self, since: Array) -> Array:
        """Y at the time ``since`` after delta."""
        place: Array = np.log1p(np.expm1(2 * since) / self.base)
        return place

    def since(self, y: Array) -> Array:
        """The inverse of `place`."""
        since: Array = 0.5 * np.log1p(self.base * np.expm1(y))
        return since

    def at(self, name: str, panel: NDArray[np.int64], y: Array) -> Enclosure:
        """The functional at places y, each in its panel, by Clenshaw's recurrence."""
        lo, hi = self.edges[panel], self.edges[panel + 1]
        x = np.clip((2 * y - lo - hi) / (hi - lo), -1.0, 1.0)
        columns = self.series[name].T[:, panel]
        later, last = np.zeros_like(x), np.zeros_like(x)
        for n in range(DEGREE - 1, 0, -1):
            later, last = columns[n] + 2 * x * later - last, later
        return Enclosure.around(columns[0] + x * later - last, self.errors[name][panel])

    def cut(self, grid: Grid) -> Cut:
        """The pieces of all steps, with their quadrature points."""
        since = (grid.times - grid.delta)[::-1]
        inner = self.since(self.edges[1:-1])
        points = np.unique(np.concatenate([since, inner[(inner > 0) & (inner < since[-1])]]))
        lo, hi = points[:-1], points[1:]
        step = np.searchsorted(since, lo, side="right") - 1
        steps = grid.steps[::-1][step]
        x0 = np.where(lo == since[step], 0.0, lo - since[step])
        x1 = np.where(hi == since[step + 1], steps, hi - since[step])
        nodes, weights = LEGENDRE
        left = x0[:, None] + 0.5 * (x1 - x0)[:, None] * (1 + nodes)
        place = self.place(since[step][:, None] + left)
        middle = self.place(0.5 * (lo + hi))
        panel = np.clip(np.searchsorted(self.edges, middle) - 1, 0, len(self.edges) - 2)
        return Cut(
            np.repeat(panel[:, None], len(nodes), axis=1), place, left, 0.5 * (x1 - x0)[:, None] * weights
        )
