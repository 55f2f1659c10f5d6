"""Affine score errors: the estimate is s_hat_k(x) = s_{tau_k}(x) + p_k (c + eta x) in each eigenspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.checks import finite, finite_numbers, in_order
from simulators.errors import InputError

__all__ = ["AVERAGES", "PROFILES", "AffineError", "checked_profile", "profile_weights"]

PROFILES = ("constant", "late", "early", "adapted")
"""p_k = 1; 1 on the last step only; 1 on the first step only; e^{-tau_k}/S_{tau_k}, S the variance of
q_{tau_k} in that eigenspace.
"""

AVERAGES = ("time", "integral", "sup", "steps", "g2-half")
"""Of squared errors e_k over the grid: sum h_k e_k / sum h_k; sum h_k e_k; max e_k; sum e_k / N; (1/2) sum
g^2 h_k e_k, g^2 = 2 on the unit clock.
"""


@dataclass(frozen=True)
class AffineError:
    """p_k (shift + linear x), one (shift, linear) an eigenspace; the shift acts along the axis that carries
    the mean.

    profile : a name in `PROFILES`, or the N weights p_k >= 0 themselves.

    The adapted profile with linear = 0 is the score of the target whose mean was learnt with an error
    ``shift``. For cld-ei the error is p_k (shift + linear v), in the velocity score, and the adapted weight
    of such a mean error is -tau e^{-tau}/det Sigma_tau. Langevin correctors of a predictor-corrector use the
    weight of the predictor step before them (adapted: at the corrector's own time).
    """

    shift: tuple[float, ...]
    linear: tuple[float, ...]
    profile: str | tuple[float, ...] = "constant"

    def __post_init__(self) -> None:
        for name in ("shift", "linear"):
            object.__setattr__(self, name, finite_numbers(name, getattr(self, name)))
        if len(self.shift) != len(self.linear):
            raise InputError(
                "linear", self.linear, f"expected {len(self.shift)} entries, as many as shift has"
            )
        object.__setattr__(self, "profile", checked_profile(self.profile))

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and floats; JSON keeps every bit."""
        profile = self.profile if isinstance(self.profile, str) else [*self.profile]
        return {"shift": [*self.shift], "linear": [*self.linear], "profile": profile}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> AffineError:
        """The inverse of `to_dict`."""
        profile = data["profile"] if isinstance(data["profile"], str) else tuple(data["profile"])
        return cls(tuple(data["shift"]), tuple(data["linear"]), profile)


def checked_profile(profile: Any) -> str | tuple[float, ...]:
    """The profile, a name in `PROFILES` or weights >= 0.

    Raises InputError.
    """
    expected = f"expected one of {', '.join(PROFILES)} or a tuple of weights >= 0"
    if isinstance(profile, str):
        if profile not in PROFILES:
            raise InputError("profile", profile, expected)
        return profile
    weights = tuple(finite("profile", weight, expected) for weight in in_order("profile", profile, expected))
    if not weights:
        raise InputError("profile", weights, expected)
    if min(weights) < 0:
        raise InputError("profile", min(weights), "expected weights >= 0")
    return weights


def profile_weights(profile: str | tuple[float, ...], N: int) -> NDArray[np.float64]:
    """The weights p_0 ... p_{N-1}; raises for "adapted", whose weights depend on the eigenvalue."""
    if not isinstance(profile, str):
        if len(profile) != N:
            raise InputError("profile", len(profile), f"expected N={N} weights, one a step")
        return np.array(profile)
    if profile == "constant":
        return np.ones(N)
    if profile not in ("late", "early"):
        raise InputError("profile", profile, "expected a profile that is the same in every eigenspace")
    weights = np.zeros(N)
    weights[-1 if profile == "late" else 0] = 1.0
    return weights
