"""A cluster runs the same claims to the same records, and says so in one line when it cannot."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import ClassVar

import pytest

import lesssim as ls
from properties import session
from properties.session import Settings
from simulators.errors import InputError

CLAIM = ls.Claim(
    key="cluster/contraction",
    lhs=ls.KL("q_T", "gamma"),
    terms={"bound": ls.parse("exp(-2*T)*KL0")},
    setup=ls.Setup(clock="unit", sampler="none"),
)


class Client:
    """Stands for a dask client whose workers are threads."""

    asked: ClassVar[list[tuple[object, ...]]] = []

    def __init__(self, *address, **local):
        if address == ("tcp://nowhere:1",):
            raise OSError("nobody answers")
        self.asked.append((*address, *sorted(local)))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def get_executor(self):
        return ThreadPoolExecutor(1)


@pytest.fixture
def dask(monkeypatch):
    monkeypatch.setattr(Client, "asked", [])
    monkeypatch.setitem(sys.modules, "distributed", SimpleNamespace(Client=Client))
    return Client


def record(**options):
    results = session.verify([("memory", CLAIM)], Settings(profile="quick", **options))
    return json.dumps(results, sort_keys=True)


def test_a_cluster_gives_the_same_record(dask):
    assert record(executor="dask", cluster="tcp://host:8786") == record(jobs=1)
    assert dask.asked == [("tcp://host:8786",)]


def test_without_an_address_a_cluster_is_started_here(dask):
    assert record(executor="dask", jobs=1) == record(jobs=1)
    assert dask.asked == [("dashboard_address", "n_workers", "threads_per_worker")]


def test_a_scheduler_that_does_not_answer_is_named(dask):
    with pytest.raises(InputError, match=r"tcp://nowhere:1.*nobody answers"):
        record(executor="dask", cluster="tcp://nowhere:1")


def test_the_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"lesssim\[dask\]"):
        record(executor="dask")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"executor": "cloud"}, "cloud.*processes, dask"),
        ({"cluster": "tcp://host:8786"}, "executor to be dask"),
    ],
)
def test_settings_that_do_not_fit_are_refused(options, words):
    with pytest.raises(InputError, match=words):
        Settings(**options)
