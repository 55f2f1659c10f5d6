"""Processes that judge side by side: one core each, and the caller's environment as it was."""

import os
from concurrent.futures import ProcessPoolExecutor

import pytest

from properties import workers as module
from properties.workers import THREADS, prepare, workers


def threads():
    import numba

    return os.environ[THREADS], numba.get_num_threads()


@pytest.mark.parametrize("before", [None, "7"])
def test_workers_keep_to_one_core_and_leave_the_callers_environment(before, monkeypatch):
    monkeypatch.delenv(THREADS, raising=False)
    if before is not None:
        monkeypatch.setenv(THREADS, before)
    with workers(2) as pool:
        assert isinstance(pool, ProcessPoolExecutor)
        assert pool.submit(threads).result() == ("1", 1)
    assert os.environ.get(THREADS) == before


def test_a_system_without_a_server_starts_workers_anew(monkeypatch):
    monkeypatch.setattr(module, "get_all_start_methods", lambda: ["spawn"])
    assert prepare().get_start_method() == "spawn"
