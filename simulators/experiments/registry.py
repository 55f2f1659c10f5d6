"""The experiments by name; each is imported when it is run."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from simulators.errors import InputError
from simulators.experiments.outcome import Outcome, Progress

__all__ = ["EXPERIMENTS", "experiment"]

EXPERIMENTS = {
    "bsm-per-time": "denoising against bootstrapped score matching, time by time (Kumar 2025, Figure 3a)",
    "bsm-dimension": "the in-sample error of a finite class against the dimension (Kumar 2025, Figure 1)",
    "minor-mode": "how much of a minor mode survives a learned reverse process (Kumar 2025, Figure 3b)",
    "minor-mode-network": "the same with small networks, by scikit-learn (Kumar 2025, Figure 3b)",
    "vp-against-pinned": "variance-preserving against pinned Brownian motion, exact laws (Vargas 2023)",
    "vp-against-pinned-high": "ten Gaussians and a funnel in fifty dimensions, exact drifts (Vargas 2023)",
    "learn-mixture": "gradient descent on the denoising objective against EM (Shah 2023)",
    "memorisation": "the unrestricted minimiser returns its training points",
}


def experiment(name: str) -> Callable[[int, Progress], Outcome]:
    """The function of a seed and a progress that runs the experiment."""
    if name not in EXPERIMENTS:
        raise InputError("experiment", name, f"expected one of {', '.join(EXPERIMENTS)}")
    run: Callable[[int, Progress], Outcome] = import_module(
        f"simulators.experiments.{name.replace('-', '_')}"
    ).run
    return run
