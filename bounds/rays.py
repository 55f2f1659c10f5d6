"""Rays: where one term of a claim stands alone, and along which one parameter moves to show its exponent.

A ray is data. The exponent that the term claims and that of the left side are measured side by side on it,
from exact values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from bounds.errors import ClaimError
from bounds.notation import symbols
from bounds.quantity import W2

__all__ = ["RAYS", "Ray", "rays_of", "x"]

x = sp.Symbol("x", positive=True)
"""What moves along a ray."""

WHOLE = ("N", "d", "multiplicities", "rank")
"""Fields of a case that are rounded to whole numbers."""


@dataclass(frozen=True)
class Ray:
    """One parameter moved while everything else is held.

    key       : of the claim.
    term      : name of the term that the ray is about.
    parameter : letter of what moves.
    ends      : of x, the limit last.
    case      : plain data of a case, with formulas of `x`.
    against   : what moves, as a formula of the case's symbols, where it is not x itself.
    """

    key: str
    term: str
    parameter: str
    ends: tuple[float, float]
    case: Mapping[str, Any] = field(hash=False)
    against: sp.Expr = x

    def __post_init__(self) -> None:
        if not (min(self.ends) > 0 and self.ends[0] != self.ends[1]):
            raise ClaimError(f"ray {self.key}.ends", self.ends, "two different positive numbers")
        if not self.parameter.isidentifier():
            raise ClaimError(f"ray {self.key}.parameter", self.parameter, "a letter or a name")
        if self.at(self.ends[0]) == self.at(self.ends[1]):
            raise ClaimError(f"ray {self.key}.case", dict(self.case), "a case with formulas of x")

    def at(self, place: float) -> dict[str, Any]:
        """Plain data of the case at x = place."""
        return {name: _at(value, place, name) for name, value in self.case.items()}


def _at(value: Any, place: float, name: str) -> Any:
    if isinstance(value, Mapping):
        return {inner: _at(item, place, inner) for inner, item in value.items()}
    if isinstance(value, list):
        return [_at(item, place, name) for item in value]
    if not isinstance(value, sp.Expr):
        return value
    number = float(value.subs(x, sp.Float(place, 30)))
    return round(number) if name in WHOLE else number


def rays_of(key: str) -> tuple[Ray, ...]:
    """The rays of a claim."""
    return tuple(ray for ray in RAYS if ray.key == key)


def _model(**parameters: Any) -> dict[str, Any]:
    return {"parameters": parameters}


def _isotropic(variance: Any, mean: Any = 0.0) -> dict[str, Any]:
    return {"type": "gaussian", "eigenvalues": [variance], "multiplicities": [1], "means": [mean]}


def _block(L: Any, h: Any) -> dict[str, Any]:
    """A block of length 1/L of the frozen-score flow on N(0, 1/L)."""
    return {
        "target": _isotropic(1 / L),
        "T": 1 / L,
        "N": 1 / (L * h),
        "start": "q_T",
        "parameters": {"v": 1 / L},
    }


def _rounds(N: Any = 20000, h_corr: Any = 1e-4, L: Any = 4.0, d: Any = 1) -> dict[str, Any]:
    """Predictors and correctors over T = 10 on N(0, I/L)."""
    return {
        "target": {**_isotropic(1 / L), "multiplicities": [d]},
        "T": 10.0,
        "N": N,
        "parameters": {"L": L, "h_corr": h_corr},
    }


def _corrected(L: Any, h: Any, shift: Any = 0.0) -> dict[str, Any]:
    """A block of length 1/sqrt L of the underdamped corrector on N(0, 1/L), from N(shift, 1/L)."""
    time = 1 / sp.sqrt(L)
    return {
        "target": _isotropic(1 / L),
        "start": _isotropic(1 / L, shift),
        "T": time,
        "N": time / h,
        "parameters": {"v": 1 / L, "friction": 2 * sp.sqrt(L)},
    }


DPUM, DPOM = "chen-2023-probability-flow/dpum", "chen-2023-probability-flow/dpom"
_SCHEDULE = {"rate0": 2.0, "rate1": 4.0, "m1": 0.5, "v1": 0.2, "offset": 0.0}
_DIRAC = {**_SCHEDULE, "m1": 1.0, "v1": 0.0}
_SMOOTH = {"T": 3.0, "t_end": 0.02, "m1": 0.5, "v1": 0.3}
_NOISED = {"T": 12.0, "t_end": 1e-3, "d": 1, "m1": 0.0, "v1": 0.2, "offset": 0.0}
_ATOMS = {"rate0": 2.0, "rate1": 4.0, "w": 0.3, "m1": -1.0, "m2": 1.5}
_MIDPOINT = {"block": 1.0, "d": 1, "v1": 0.3, "offset": 0.0}
_BLOCK = {**_MIDPOINT, "v1": 1 / x}
_L, _h = sp.Integer(100), sp.Rational(1, 10**5)
_INTRINSIC = {"T": 4.0, "t_end": 1e-4, "empty": 1000, "v1": 1.0}
grid_steps, log_step, block_step, lipschitz = symbols("grid_steps log_step block_step lipschitz")
rank = symbols("rank")[0]

RAYS: tuple[Ray, ...] = (
    Ray(DPUM, "discretisation, predictor", "N", (40, 1000), _rounds(N=x)),
    Ray(DPUM, "discretisation, predictor", "d", (1, 10000), _rounds(N=1000, d=x)),
    Ray(DPUM, "discretisation, predictor", "L", (2, 16), _rounds(N=2000, L=x)),
    Ray(DPUM, "discretisation, corrector", "h_corr", (0.2, 0.02), _rounds(h_corr=x)),
    Ray(DPOM, "discretisation, predictor", "N", (40, 600), _rounds(N=x, h_corr=3e-5)),
    Ray(DPOM, "discretisation, corrector", "h_corr", (0.1, 0.01), _rounds(N=5000, h_corr=x)),
    Ray("chen-2023-probability-flow/predictor", "discretisation", "L", (30, 3000), _block(x, _h)),
    Ray("chen-2023-probability-flow/predictor", "discretisation", "h", (1e-3, 1e-6), _block(_L, x)),
    Ray("chen-2023-probability-flow/corrector", "discretisation", "L", (30, 3000), _corrected(x, _h)),
    Ray("chen-2023-probability-flow/corrector", "discretisation", "h", (1e-2, 1e-5), _corrected(_L, x)),
    Ray(
        "chen-2023-probability-flow/corrector",
        "initialisation",
        "W2",
        (1e-1, 1e-4),
        _corrected(_L, sp.Rational(1, 10**6), x),
        W2("start", "target"),
    ),
    Ray(
        "chen-2023-sampling/early-stopping-bounded-lipschitz",
        "noise",
        "t",
        (1e-2, 1e-6),
        _model(lag=x, w=0.3, m1=-1.0, m2=1.5),
    ),
    Ray("gupta-cai-chen-2024/block", "discretisation", "h", (5, 500), _model(N=x, **_MIDPOINT), block_step),
    Ray(
        "gupta-cai-chen-2024/block", "discretisation", "L", (30, 3000), _model(N=1e5 / x, **_BLOCK), lipschitz
    ),
    Ray(
        "gupta-cai-chen-2024/block-moments",
        "discretisation",
        "h",
        (5, 500),
        _model(N=x, **_MIDPOINT),
        block_step,
    ),
    Ray(
        "jain-zhang-2025/theorem-3.1",
        "discretisation",
        "K",
        (0.3, 3e-3),
        _model(ratio=x, **_NOISED),
        grid_steps,
    ),
    Ray("li-2023/deterministic", "discretisation", "N", (50, 5000), _model(N=x, d=1, **_SCHEDULE)),
    Ray("li-2023/deterministic-atoms-measured", "discretisation", "N", (30, 1000), _model(N=x, **_ATOMS)),
    Ray("li-2023/stochastic", "discretisation", "N", (50, 5000), _model(N=x, d=1, **_SCHEDULE)),
    Ray("li-yan-2024/theorem-1", "discretisation", "N", (50, 5000), _model(N=x, d=1, **_SCHEDULE)),
    Ray("li-yan-2024/theorem-2", "discretisation", "N", (50, 5000), _model(N=x, d=1, **_SCHEDULE)),
    Ray("li-yan-2024/dirac-lower", "discretisation", "d", (1, 1e6), _model(N=200, d=x, **_DIRAC)),
    Ray("li-yan-2024/dirac-lower", "discretisation", "N", (50, 5000), _model(N=x, d=1, **_DIRAC)),
    Ray("lu-2022/first-order", "discretisation", "h", (20, 2000), _model(N=x, **_SMOOTH), log_step),
    Ray("lu-2022/second-order", "discretisation", "h", (20, 2000), _model(N=x, **_SMOOTH), log_step),
    Ray(
        "potaptchik-2024/intrinsic-dimension",
        "discretisation",
        "N",
        (30, 3000),
        _model(N=x, rank=3, **_INTRINSIC),
    ),
    Ray(
        "potaptchik-2024/intrinsic-dimension",
        "discretisation",
        "k",
        (1, 400),
        _model(N=100, rank=x, **_INTRINSIC),
        rank,
    ),
)
"""Every ray, by claim."""
