"""Plain numbers for the models of derivations: sums over ordinary meshes in floats, a road of its own.

Hermite polynomials are integrated against their Gaussian, chains are stepped on a mesh, and mixtures are
summed over both noisy points. Every value is taken on two meshes; where they differ it counts as unknown.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from functools import cache
from types import SimpleNamespace

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from bounds.claim import Claim
from properties.trials.models import ModelCase, ModelFamily

__all__ = ["model_violation", "plain_model"]

Array = NDArray[np.float64]
Values = SimpleNamespace
Rule = Callable[[Values, int], float]
CERTAIN = 1e-6
"""Relative size from which a violation counts, and below which two meshes have to agree ten times over."""


def model_violation(claim: Claim, count: int, seed: int = 0) -> float:
    """The largest lhs/rhs (the largest relative difference, plus one, for an equation) on random cases that
    meet the assumptions; 1 if none violates the claim, nan if no case counts.
    """
    worst, counted = 1.0, 0
    for case in ModelFamily(claim).draw(np.random.default_rng(seed), count):
        left, right = (plain_model(case, expr) for expr in (claim.lhs, claim.rhs))
        if not (_meets(claim, case) and math.isfinite(left) and math.isfinite(right)):
            continue
        counted += 1
        size = max(abs(left), abs(right))
        gap = abs(left - right) if claim.relation == "==" else left - right
        if gap > CERTAIN * size and size > 1e-12:
            ratio = 1 + gap / size if claim.relation == "==" else left / right if right > 0 else math.inf
            worst = max(worst, ratio)
    return worst if counted else float("nan")


def plain_model(case: ModelCase, expr: sp.Expr) -> float:
    """The expression on a case; nan where it has no value here."""
    given = case.parameters
    named: dict[str, float] = {}
    for name in sorted(s.name for s in expr.free_symbols):
        named[name] = given[name] if name in given else _twice(case.model, name, tuple(given.items()))
    compiled = sp.lambdify([sp.Symbol(name) for name in named], expr.xreplace(_bare(expr)), "math")
    try:
        return float(compiled(*named.values()))
    except (ArithmeticError, ValueError):
        return math.nan


def _bare(expr: sp.Expr) -> dict[sp.Basic, sp.Basic]:
    return {s: sp.Symbol(s.name) for s in expr.free_symbols}


@cache
def _twice(model: str, name: str, parameters: tuple[tuple[str, float], ...]) -> float:
    """The value of a quantity, if a finer mesh has it too."""
    p, rule = Values(**dict(parameters)), RULES[model].get(name)
    if rule is None:
        return math.nan
    coarse, fine = rule(p, 1), rule(p, 2)
    return fine if abs(coarse - fine) <= CERTAIN / 10 * abs(fine) + 1e-14 else math.nan


def _meets(claim: Claim, case: ModelCase) -> bool:
    for rel in claim.assuming:
        left, right = plain_model(case, rel.lhs), plain_model(case, rel.rhs)
        met = {
            sp.Ge: left >= right,
            sp.Gt: left > right,
            sp.Le: left <= right,
            sp.Lt: left < right,
            sp.Eq: math.isclose(left, right, rel_tol=1e-12),
        }
        if not met[rel.func]:
            return False
    return True


# -- Hermite polynomials -------------------------------------------------------------------------------------


def _hermite(p: Values, keep: Callable[[int], bool], generated: bool, mesh: int) -> float:
    """Norm of f or of L^m f, of the kept degrees, by Gauss-Hermite quadrature of its square."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(6 + 4 * mesh)
    series = np.zeros(5)
    for degree, c in ((1, p.c1), (2, p.c2), (4, p.c4)):
        series[degree] = c / math.sqrt(math.factorial(degree)) * keep(degree)
    for _ in range(int(p.reps) if generated else 0):
        first = np.polynomial.hermite_e.hermeder(series)
        second = np.polynomial.hermite_e.hermeder(first)
        drift = np.polynomial.hermite_e.hermemulx(first)
        series = np.polynomial.hermite_e.hermesub(second, drift) / p.sigma**2
    values = np.polynomial.hermite_e.hermeval(nodes, series)
    return math.sqrt(float(weights @ values**2) / math.sqrt(2 * math.pi))


# -- the chain that must not leave an interval ---------------------------------------------------------------


def _escape(p: Values, mesh: int) -> float:
    """P(some |x_k| > cut) for the stationary chain, stepped by Simpson's rule."""
    count = 400 * mesh
    x = np.linspace(-p.cut, p.cut, count + 1)
    weights = np.ones(count + 1)
    weights[1:-1:2], weights[2:-1:2] = 4.0, 2.0
    weights *= 2 * p.cut / count / 3
    noise = 1 - math.exp(-2 * p.lag)
    kernel = np.exp(-((x[:, None] - math.exp(-p.lag) * x) ** 2) / (2 * noise)) / math.sqrt(
        2 * math.pi * noise
    )
    inside = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    for _ in range(int(p.steps) - 1):
        inside = kernel @ (weights * inside)
    return 1 - float(weights @ inside)


def _lossy(p: Values, mesh: int) -> float:
    """What the end point's law lacks of gamma, from crossing to crossing of the densities."""
    count = 400 * mesh
    x = np.linspace(-p.cut, p.cut, count + 1)
    weights = np.ones(count + 1)
    weights[1:-1:2], weights[2:-1:2] = 4.0, 2.0
    weights *= 2 * p.cut / count / 3
    a, noise = math.exp(-p.lag), 1 - math.exp(-2 * p.lag)

    def kernel(y: Array) -> Array:
        gap = y[:, None] - a * x - p.offset
        return np.asarray(np.exp(-gap * gap / (2 * noise)) / math.sqrt(2 * math.pi * noise))

    inside = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    for _ in range(int(p.steps) - 1):
        inside = kernel(x) @ (weights * inside)
    masses = weights * inside
    y = np.linspace(-12.0, 12.0, 2000 * mesh + 1)
    lacking = np.exp(-y * y / 2) / math.sqrt(2 * math.pi) - kernel(y) @ masses
    k = np.flatnonzero(lacking[1:] * lacking[:-1] < 0)
    cuts = y[k] - lacking[k] * (y[k + 1] - y[k]) / (lacking[k + 1] - lacking[k])

    def below(u: float) -> float:
        own = math.erf(u / math.sqrt(2)) / 2
        run = (
            sum(
                m * math.erf((u - a * at - p.offset) / math.sqrt(2 * noise))
                for m, at in zip(masses, x, strict=True)
            )
            / 2
        )
        return float(own - run)

    ends = [below(u) for u in (-40.0, *cuts, 40.0)]
    return sum(max(high - low, 0.0) for low, high in itertools.pairwise(ends))


def _shift_kl(p: Values, mesh: int) -> float:
    return float(p.steps * p.offset**2 / (2 * (1 - math.exp(-2 * p.lag))))


# -- two times of a mixture ----------------------------------------------------------------------------------


def _posterior(p: Values, time: float, x: Array) -> tuple[Array, Array]:
    """Mean and variance of X_0 given X_time = x, by Bayes' rule over the two components."""
    a, noise = math.exp(-time), 1 - math.exp(-2 * time)
    logs, means, spreads = [], [], []
    for w, m, v in ((p.w, p.m1, p.v1), (1 - p.w, p.m2, p.v2)):
        total = a * a * v + noise
        logs.append(math.log(w) - (x - a * m) ** 2 / (2 * total) - math.log(total) / 2)
        means.append(m + a * v / total * (x - a * m))
        spreads.append(v * noise / total)
    first = 1 / (1 + np.exp(np.clip(logs[1] - logs[0], -700, 700)))
    mean = first * means[0] + (1 - first) * means[1]
    spread = first * spreads[0] + (1 - first) * spreads[1] + first * (1 - first) * (means[0] - means[1]) ** 2
    return mean, spread


def _noisy(p: Values, time: float, mesh: int) -> list[tuple[float, Array, Array]]:
    """Weight, points and probabilities of each component at a time."""
    z = np.linspace(-8.5, 8.5, 170 * mesh + 1)
    phi = np.exp(-z * z / 2)
    a, noise = math.exp(-time), 1 - math.exp(-2 * time)
    return [
        (w, a * m + math.sqrt(a * a * v + noise) * z, phi / phi.sum())
        for w, m, v in ((p.w, p.m1, p.v1), (1 - p.w, p.m2, p.v2))
    ]


def _mmse(p: Values, time: float, mesh: int) -> float:
    return sum(w * float(phi @ _posterior(p, time, x)[1]) for w, x, phi in _noisy(p, time, mesh))


def _pairs(p: Values, g: Callable[[int, Array, Array], Array], mesh: int) -> float:
    """E g(component, X_s, X_t): the later point is the earlier one, shrunk, and noise."""
    z = np.linspace(-8.5, 8.5, 120 * mesh + 1)
    phi = np.exp(-z * z / 2)
    phi /= phi.sum()
    a, noise = math.exp(-p.lag), 1 - math.exp(-2 * p.lag)
    total = 0.0
    for k, (w, x, weights) in enumerate(_noisy(p, p.s, mesh)):
        late = a * x[:, None] + math.sqrt(noise) * z
        total += w * float(weights @ g(k, x[:, None], late) @ phi)
    return total


def _bsm_risk(p: Values, mesh: int) -> float:
    """E|A (X_0 - m_t) - k B (X_0 - m_s)|^2, X_0 Gaussian given its component and X_s."""
    t = p.s + p.lag
    A, B = (math.exp(-u) / (1 - math.exp(-2 * u)) for u in (t, p.s))
    a, noise = math.exp(-p.s), 1 - math.exp(-2 * p.s)

    def squared(k: int, x: Array, y: Array) -> Array:
        m, v = ((p.m1, p.v1), (p.m2, p.v2))[k]
        total = a * a * v + noise
        centre, spread = m + a * v / total * (x - a * m), v * noise / total
        late, early = _posterior(p, t, y)[0], _posterior(p, p.s, x)[0]
        error = A * (centre - late) - p.mix * B * (centre - early)
        return np.asarray(error**2 + (A - p.mix * B) ** 2 * spread)

    return _pairs(p, squared, mesh)


def _step(p: Values, mesh: int) -> float:
    t = p.s + p.lag
    return _pairs(p, lambda k, x, y: (_posterior(p, p.s, x)[0] - _posterior(p, t, y)[0]) ** 2, mesh)


RULES: Mapping[str, Mapping[str, Rule]] = {
    "hermite-polynomial": {
        "poly_tail": lambda p, mesh: _hermite(p, lambda k: k >= p.deg, False, mesh),
        "poly_generator": lambda p, mesh: _hermite(p, lambda k: True, True, mesh),
        "poly_generator_tail": lambda p, mesh: _hermite(p, lambda k: k >= p.deg, True, mesh),
    },
    "truncated-chain": {
        "escape": _escape,
        "step_mass": lambda p, mesh: math.erfc(p.cut / math.sqrt(2)),
    },
    "lossy-chain": {
        "lossy_tv": _lossy,
        "shift_kl": _shift_kl,
        "shift_tv": lambda p, mesh: math.erf(math.sqrt(_shift_kl(p, mesh)) / 2),
        "escape": _escape,
        "step_mass": lambda p, mesh: math.erfc(p.cut / math.sqrt(2)),
    },
    "bsm": {
        "bsm_risk": _bsm_risk,
        "martingale_step": _step,
        "mmse_early": lambda p, mesh: _mmse(p, p.s, mesh),
        "mmse_late": lambda p, mesh: _mmse(p, p.s + p.lag, mesh),
    },
}
"""Quantities by model; what is not here has no plain number."""
