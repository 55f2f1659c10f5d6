"""Processes that judge claims side by side, each on one core.

Where the system can, they are forked from a server that has imported the engines once; `prepare` starts it
early, while the caller still reads claims.
"""

from __future__ import annotations

import gc
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.context import BaseContext

__all__ = ["prepare", "workers"]

ENGINES = (
    "properties.judging",
    "bounds.derivations",
    "simulators.models",
    "simulators.line.outcome",
    "simulators.phase.joint",
    "simulators.plane.outcome",
    "simulators.radial.outcome",
    "simulators.laws.continuous",
    "simulators.laws.balls",
    "simulators.laws.paths",
    "simulators.distances.contour",
    "simulators.functionals_paths",
)
"""What workers need sooner or later."""

THREADS = "NUMBA_NUM_THREADS"


def workers(count: int) -> ProcessPoolExecutor:
    """A pool of so many processes."""
    return ProcessPoolExecutor(count, mp_context=prepare(), initializer=_settled)


def prepare() -> BaseContext:
    """How workers are started; starts the server they come from, unless it runs."""
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    from multiprocessing import forkserver

    forkserver.set_forkserver_preload(list(ENGINES))
    before = os.environ.get(THREADS)
    _one_thread()
    try:
        forkserver.ensure_running()
    finally:
        os.environ.pop(THREADS)
        if before is not None:
            os.environ[THREADS] = before
    return get_context("forkserver")


def _settled() -> None:
    """A worker keeps what it starts with, so that collections of garbage pass it over and come less often."""
    _one_thread()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _one_thread() -> None:
    """The claims are what runs in parallel. Before numba is imported: it reads this once."""
    os.environ[THREADS] = "1"
