"""A pytest option on top of the claims plugin: ``--lesssim-baseline FILE`` fails a session in which a claim
came out worse than the baseline says.

Only claims that ran are compared, so that ``-k`` and single files make no noise.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

CHANGES = pytest.StashKey[list[Any]]()
COMPARED = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option of the plugin."""
    parser.getgroup("lesssim").addoption(
        "--lesssim-baseline",
        type=Path,
        default=None,
        metavar="FILE",
        help="fail if a claim that runs is worse than in this file of `lesssim baseline save`",
    )


def pytest_configure(config: pytest.Config) -> None:
    """A file that is no baseline is a usage error, before the work."""
    file = config.getoption("--lesssim-baseline")
    if file is None or hasattr(config, "workerinput"):
        return
    from reports.baseline import load
    from reports.record import RecordError

    try:
        load(file)
    except RecordError as error:
        raise pytest.UsageError(f"--lesssim-baseline: {error}") from error


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Compare the records that were gathered; a regression fails the session."""
    config = session.config
    file, ledger = config.getoption("--lesssim-baseline"), config.pluginmanager.get_plugin("lesssim-ledger")
    if file is None or ledger is None or not ledger.records:
        return
    from properties.record import SCHEMA, environment
    from reports.baseline import diff, load, save

    settings = environment(config.getoption("--lesssim-seed"), config.getoption("--lesssim-profile"))
    after = save({"schema": SCHEMA, "environment": settings, "claims": ledger.records})
    before = load(file)
    ran = _ran(before["claims"], after["claims"])
    config.stash[CHANGES] = diff({**before, "claims": ran}, after)
    config.stash[COMPARED] = len(ran)
    if session.exitstatus == pytest.ExitCode.OK and any(
        c.kind == "regression" for c in config.stash[CHANGES]
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The headline and the changes, regressions first."""
    changes = terminalreporter.config.stash.get(CHANGES, None)
    if changes is None:
        return
    from reports.baseline import headline

    terminalreporter.section("lesssim baseline")
    terminalreporter.write_line(headline(changes, terminalreporter.config.stash[COMPARED]))
    for change in changes:
        terminalreporter.write_line(f"{change.kind:11}  {change.key}: {change.what} ({change.why})")


def _ran(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The entries of the claims that ran, under their old keys where they were renamed."""
    hashes = {entry["claim_hash"] for entry in after.values()}
    return {key: entry for key, entry in before.items() if key in after or entry["claim_hash"] in hashes}
