"""The pytest plugin: every claim of a ``*_bound.py`` or ``*_claims.py`` file is a test.

``pytest my_bound.py`` judges its claims; ids read ``my-note::thm-1[KL]``, so that ``-k`` selects papers,
claims and quantities. A claim that does not meet its expectation fails and prints its witness as a script.
Works under xdist: records travel with the reports.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from bounds.claim import Claim

PATTERNS = ("*_bound.py", "*_claims.py")
PROPERTY = "lesssim.record"


class ClaimNotMet(AssertionError):
    """A claim whose verdict is not the expected one; carries the text to show."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the plugin."""
    group = parser.getgroup("lesssim", "bounds in diffusion-model theory")
    group.addoption(
        "--lesssim-profile",
        choices=("quick", "default", "deep"),
        default="default",
        help="how hard to look for a violation",
    )
    group.addoption("--lesssim-seed", type=int, default=0, help="seed of the search")
    group.addoption(
        "--lesssim-json", type=Path, default=None, metavar="FILE", help="write the results record here"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect records where the reports arrive: on the controller under xdist."""
    if not hasattr(config, "workerinput"):
        target = config.getoption("--lesssim-json")
        if target is not None and not (target.parent.is_dir() and not target.is_dir()):
            raise pytest.UsageError(f"--lesssim-json={target}: expected a file in a folder that exists")
        config.pluginmanager.register(_Ledger(config), "lesssim-ledger")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Claim files by name."""
    if any(file_path.match(pattern) for pattern in PATTERNS):
        collector: pytest.Collector = ClaimFile.from_parent(parent, path=file_path)
        return collector
    return None


class ClaimFile(pytest.File):
    """A file of claims."""

    def collect(self) -> Iterator[pytest.Item]:
        """One item a claim; a file that cannot be read is one clear collection error."""
        from bounds.errors import ClaimError
        from bounds.loading import load

        try:
            claims = load(self.path)
        except ClaimError as error:
            raise self.CollectError(str(error)) from error
        for claim in claims:
            yield ClaimItem.from_parent(self, name=_name(claim), claim=claim)


class ClaimItem(pytest.Item):
    """One claim as a test."""

    def __init__(self, *, claim: Claim, **options: Any) -> None:
        super().__init__(**options)
        self.claim = claim

    def runtest(self) -> None:
        """Judge the claim; raise `ClaimNotMet` with everything a reader needs."""
        from properties.session import Settings, judge_one

        settings = Settings(
            profile=self.config.getoption("--lesssim-profile"),
            seed=self.config.getoption("--lesssim-seed"),
            jobs=1,
        )
        record = judge_one(
            self.claim,
            str(self.path.relative_to(self.config.rootpath))
            if self.path.is_relative_to(self.config.rootpath)
            else self.path.name,
            settings,
        )
        self.user_properties.append((PROPERTY, json.dumps(record, sort_keys=True)))
        if not record["met"]:
            raise ClaimNotMet(_explanation(record))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The explanation on its own, without a traceback into the checker."""
        from bounds.errors import ClaimError

        if isinstance(excinfo.value, ClaimNotMet | ClaimError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the claim stands."""
        return self.path, None, self.name


def _name(claim: Claim) -> str:
    quantities = (
        ",".join(dict.fromkeys(item.spec.name for item in claim.quantities if claim.lhs.has(item)))
        or "symbols"
    )
    return f"{claim.key.replace('/', '::')}[{quantities}]"


def _explanation(record: dict[str, Any]) -> str:
    lines = [
        f"{record['verdict']}: {record['key']} (expected {record['expected']})",
        f"  {record['statement']['text']}",
        f"  {record['reason']}",
    ]
    for witness in record["witnesses"][:1]:
        lines += [
            f"  {witness['kind']} witness, ratio {witness['ratio']:.6g}:",
            "",
            *witness["script"].splitlines(),
        ]
    return "\n".join(lines)


class _Ledger:
    """Gathers the records of a session and writes them when asked to."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.records: list[dict[str, Any]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self.records += [
                json.loads(str(value)) for name, value in report.user_properties if name == PROPERTY
            ]

    def pytest_sessionfinish(self) -> None:
        target = self.config.getoption("--lesssim-json")
        if target is None or not self.records:
            return
        from properties.record import SCHEMA, environment

        results = {
            "schema": SCHEMA,
            "environment": environment(
                self.config.getoption("--lesssim-seed"), self.config.getoption("--lesssim-profile")
            ),
            "claims": sorted(self.records, key=lambda record: (record["file"], record["key"])),
        }
        target.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
