"""The verb experiment: its list, its files, its one line, and its answers to bad input."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from reports.experiments import pictures, table
from simulators.errors import InputError
from simulators.experiments import bsm_per_time, memorisation, registry, vp_against_pinned
from simulators.experiments.outcome import Outcome, Series

Invoke = Callable[..., Result]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default sizes, made small."""
    per_time = bsm_per_time.Plan(m=60, steps=5, repetitions=20)
    for module, plan in ((bsm_per_time, per_time), (memorisation, memorisation.Plan(16, 20, steps=60))):
        monkeypatch.setattr(module, "Plan", lambda plan=plan: plan)


def test_without_a_name_they_are_listed(lesssim: Invoke) -> None:
    result = lesssim("experiment")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(registry.EXPERIMENTS)


def test_every_name_has_an_experiment_of_that_name() -> None:
    for name in registry.EXPERIMENTS:
        assert callable(registry.experiment(name))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", ["bsm-per-time", "memorisation"])
def test_three_files_and_one_line(lesssim: Invoke, tmp_path: Path, name: str) -> None:
    result = lesssim("experiment", name, "--out", "here", "--seed", "3")
    assert result.exit_code == 0
    first, second = result.stdout.splitlines()
    assert first.startswith(("agrees: seen ", "differs: seen "))
    assert "; the paper says " in first
    assert second == f"wrote here/{name}.csv, here/{name}.svg, here/{name}.png"
    assert result.stderr == ""
    rows = list(csv.reader((tmp_path / "here" / f"{name}.csv").read_text().splitlines()))
    assert len(rows) > 4
    assert {len(row) for row in rows} == {len(rows[0])}
    ET.fromstring((tmp_path / "here" / f"{name}.svg").read_text())
    assert (tmp_path / "here" / f"{name}.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.usefixtures("small")
def test_same_seed_same_bytes_and_another_seed_others(lesssim: Invoke, tmp_path: Path) -> None:
    for folder, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        lesssim("experiment", "bsm-per-time", "--out", folder, "--seed", seed)
    for kind in ("csv", "svg", "png"):
        a, b, c = ((tmp_path / folder / f"bsm-per-time.{kind}").read_bytes() for folder in "abc")
        assert a == b
        assert a != c


def test_unknown_names_and_seeds_are_bad_usage(lesssim: Invoke, tmp_path: Path) -> None:
    result = lesssim("experiment", "bsm-per-tim")
    assert result.exit_code == 2
    assert "experiment='bsm-per-tim': expected one of bsm-per-time" in result.stderr
    assert lesssim("experiment", "memorisation", "--seed", "-1").exit_code == 2
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_a_file_is_one_line(
    lesssim: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = vp_against_pinned.Plan(steps=(20,))
    monkeypatch.setattr(vp_against_pinned, "Plan", lambda: plan)
    (tmp_path / "taken").write_text("")
    result = lesssim("experiment", "vp-against-pinned", "--out", "taken/below")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.splitlines()) == 1


def outcome(**changes: object) -> Outcome:
    given = {
        "name": "n",
        "columns": ("a <b>", "c"),
        "rows": (("x, y", 0.1),),
        "series": (Series("s & <t>", (1, 2), (3, 4), (2, 3), (4, 5)),),
        "axes": ("$x", "y"),
        "logarithmic": "xy",
        "seen": "s",
        "paper": "p",
        "agrees": False,
    }
    return Outcome(**(given | changes))  # type: ignore[arg-type]


def test_text_is_escaped_and_intervals_are_drawn() -> None:
    svg, _ = pictures(outcome())
    ET.fromstring(svg)
    assert "s &amp; &lt;t&gt;" in svg
    plain, _ = pictures(outcome(series=(Series("s & <t>", (1, 2), (3, 4)),)))
    assert svg.count("<path") > plain.count("<path")
    assert table(outcome()) == 'a <b>,c\n"x, y",0.1\n'
    assert outcome().sentence == "differs: seen s; the paper says p"


def test_outcomes_check_themselves() -> None:
    with pytest.raises(InputError, match="expected 2 cells"):
        outcome(rows=((1,),))
    with pytest.raises(InputError, match="at least one row"):
        outcome(rows=())
    with pytest.raises(InputError, match="expected finite numbers"):
        Series("s", (1,), (float("nan"),))
    with pytest.raises(InputError, match="as many y"):
        Series("s", (1,), (1,), (0,))
